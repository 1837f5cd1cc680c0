//! Opening connections and their settings: the only file that speaks in pragmas.
//!
//! The settings keep the crate's invariant: a write-ahead log, synced at every commit (`synchronous=FULL`), and
//! files that only their owner may read. Beyond that it tunes what a fleet of chatting stations shows in a profile:
//! how much of the file the writer keeps in memory, and how long the log may grow.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::StoreError;

/// How long another process (a backup, a technician's shell) may hold the lock before we report `Busy`.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// The log is cut back to this size after a burst, so that one does not keep the disk for ever.
const LOG_BYTES_MAX: i64 = 64 * 1024 * 1024;
/// The log is moved into the file after so many pages (16 MiB): pages that many small transactions change are then
/// written there once for all of them, and moving them holds the writer up for some ten milliseconds at most.
const LOG_PAGES: u32 = 4_000;
/// What the writer may keep of the file in memory, so that it reads no page twice. Taken as it is needed.
const CACHE_KIB: u32 = 32 * 1024;
/// Only the owner reads and writes; the engine gives its side files the same mode.
const FILE_MODE: u32 = 0o600;

/// The one connection that writes. Creates the file, not its directory.
pub(crate) fn writer(path: &Path) -> Result<Connection, StoreError> {
    owned_file(path).map_err(|error| StoreError::Io(format!("{}: {error}", path.display())))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(StoreError::preparing)?;
    settings(&connection)?;
    // first of all, it reads the file and finds out whether it is a database
    let journal: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(StoreError::preparing)?;
    if journal != "wal" {
        return Err(StoreError::Io(format!("{}: no write-ahead log possible here ({journal})", path.display())));
    }
    let durable = format!(
        "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = {LOG_BYTES_MAX};
        PRAGMA wal_autocheckpoint = {LOG_PAGES}; PRAGMA cache_size = -{CACHE_KIB};"
    );
    connection.execute_batch(&durable).map_err(StoreError::preparing)?;
    Ok(connection)
}

/// A connection that only reads. The writer's must be open already.
pub(crate) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(StoreError::preparing)?;
    settings(&connection)?;
    Ok(connection)
}

/// A database without a file, gone with its connection.
pub(crate) fn in_memory() -> Result<Connection, StoreError> {
    let connection = Connection::open_in_memory().map_err(StoreError::preparing)?;
    settings(&connection)?;
    Ok(connection)
}

/// Moves the whole log into the file, so that a copy of the one file is a copy of everything.
pub(crate) fn checkpoint(connection: &Connection) -> Result<(), StoreError> {
    let held_up: bool =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(StoreError::preparing)?;
    if held_up { Err(StoreError::Busy) } else { Ok(()) }
}

fn settings(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(LOCK_WAIT).map_err(StoreError::preparing)?;
    // a misspelt "column" is an error and not a text; the schema cannot be edited behind the engine's back
    for (config, on) in [
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
        // plans do not depend on values: otherwise some statements are prepared anew for every value bound to them
        (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
    ] {
        connection.set_db_config(config, on).map_err(StoreError::preparing)?;
    }
    // what is deleted is overwritten: an erased person is not to be found in free pages; and no temporary files
    connection
        .execute_batch("PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;")
        .map_err(StoreError::preparing)
}

fn owned_file(path: &Path) -> std::io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(FILE_MODE).open(path)?;
    file.set_permissions(Permissions::from_mode(FILE_MODE))
}
