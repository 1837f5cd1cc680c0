//! Rows of uploads: an address with a secret for one file of one station, and where the file lies.
//!
//! Of the secret only a digest is kept. The file lies on the operator's shelf, outside of the tables.

use charge::Timestamp;
use charge::id::StationId;
use store::{Migration, Row, StoreError, Tx, values};
use trust::bearer::BearerDigest;

use crate::desk::Upload;
use crate::memory::{request, small, small_opt};

/// A family of its own; its requests are rows of `operator_requests`.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator uploads", number: 1, name: "files from stations", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_uploads (
    request INTEGER PRIMARY KEY,
    secret BLOB NOT NULL UNIQUE,
    open_until INTEGER NOT NULL,
    name TEXT,
    file TEXT,
    bytes INTEGER,
    received INTEGER
);";

pub(crate) fn open(tx: &mut Tx<'_>, number: i32, secret: BearerDigest, until: Timestamp) -> Result<(), StoreError> {
    tx.execute(OPEN, &values![number, secret.as_bytes(), until]).map(drop)
}

/// The request whose address this is, while it takes a file.
pub(crate) fn expected(tx: &Tx<'_>, secret: BearerDigest, now: Timestamp) -> Result<Option<i32>, StoreError> {
    tx.one(EXPECTED, &values![secret.as_bytes(), now], |row| small(row, 0, "request"))
}

/// The file has arrived. `false`: another one was faster.
pub(crate) fn received(
    tx: &mut Tx<'_>,
    number: i32,
    name: Option<&str>,
    file: &str,
    bytes: u64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    Ok(tx.execute(RECEIVED, &values![number, name, file, bytes, now])? > 0)
}

/// The name that the station itself says it will use.
pub(crate) fn name(tx: &mut Tx<'_>, number: i32, name: &str) -> Result<(), StoreError> {
    tx.execute(NAME, &values![number, name]).map(drop)
}

pub(crate) fn list(tx: &Tx<'_>, station: Option<&StationId>, limit: u32) -> Result<Vec<Upload>, StoreError> {
    let station = station.map_or("", StationId::as_str);
    tx.query(LIST, &values![station, limit], read)
}

pub(crate) fn find(tx: &Tx<'_>, number: i32) -> Result<Option<Upload>, StoreError> {
    tx.one(FIND, &values![number], read)
}

fn read(row: &Row<'_>) -> Result<Upload, StoreError> {
    Ok(Upload {
        request: request::read(row)?,
        name: row.text_opt(8)?,
        file: row.text_opt(9)?,
        bytes: small_opt(row, 10, "bytes")?,
        received: row.time_opt(11)?,
        open_until: row.time(12)?,
    })
}

/// Files that are old enough to go are named no more. Their rows say that there was one, as long as their requests.
pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<(), StoreError> {
    tx.execute(FORGET, &values![before])?;
    tx.execute(FORGET_ROWS, &[]).map(drop)
}

/// The files that lie on the shelf.
pub(crate) fn files(tx: &Tx<'_>) -> Result<Vec<String>, StoreError> {
    tx.query(FILES, &[], |row| row.text(0))
}

const OPEN: &str = "INSERT INTO operator_uploads (request, secret, open_until) VALUES (?1, ?2, ?3)";
const EXPECTED: &str = "SELECT request FROM operator_uploads WHERE secret = ?1 AND open_until >= ?2
    AND received IS NULL";
const RECEIVED: &str = "UPDATE operator_uploads SET name = COALESCE(?2, name), file = ?3, bytes = ?4, received = ?5
    WHERE request = ?1 AND received IS NULL";
const NAME: &str = "UPDATE operator_uploads SET name = ?2 WHERE request = ?1 AND received IS NULL";
const LIST: &str = "SELECT r.number, r.station, r.kind, r.actor, r.asked, r.state, r.status, r.changed, u.name, u.file,
    u.bytes, u.received, u.open_until FROM operator_uploads u JOIN operator_requests r ON r.number = u.request
    WHERE ?1 = '' OR r.station = ?1 ORDER BY r.number DESC LIMIT ?2";
const FIND: &str = "SELECT r.number, r.station, r.kind, r.actor, r.asked, r.state, r.status, r.changed, u.name, u.file,
    u.bytes, u.received, u.open_until FROM operator_uploads u JOIN operator_requests r ON r.number = u.request
    WHERE r.number = ?1";
const FORGET: &str = "UPDATE operator_uploads SET file = NULL WHERE received < ?1 AND file IS NOT NULL";
const FORGET_ROWS: &str = "DELETE FROM operator_uploads WHERE file IS NULL
    AND request NOT IN (SELECT number FROM operator_requests)";
const FILES: &str = "SELECT file FROM operator_uploads WHERE file IS NOT NULL";
