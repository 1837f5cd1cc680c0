//! The outbox: what has to be done after a commit, kept in the same commit, and done at least once.
//!
//! A job is one thing to be done once, named by `(kind, key)`; what happens again carries its version in the key.
//! Being leased is being due later: a job whose worker dies comes back by itself when the lease ends. It
//! deliberately starts nothing and knows no time: a room's own loop leases, acts and reports, each in a transaction.
//! The invariant: a job put in a committed transaction is either done, dead with a reason, or due at some time.

use std::time::Duration;

use charge::Timestamp;

use crate::{Migration, StoreError, Tx, values};

/// The outbox's own table. Every store applies it when it is opened.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    family: "store",
    number: 1,
    name: "outbox",
    sql: "CREATE TABLE store_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'done', 'dead')),
    due INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    body BLOB NOT NULL,
    why TEXT NOT NULL DEFAULT '',
    UNIQUE (kind, key)
);
CREATE INDEX store_outbox_due ON store_outbox (state, kind, due);",
}];

/// A leased job.
#[derive(Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number, never used again for another job.
    pub id: i64,
    /// What it is about, as given to [`put`].
    pub key: String,
    /// What it needs, as given to [`put`].
    pub body: Vec<u8>,
    /// How often it was leased, this time included: counted before the work, so a job that kills its worker counts.
    pub attempts: i64,
}

/// A job that was given up and waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead {
    /// The job's number, for [`revive`].
    pub id: i64,
    /// Its kind.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// How often it was tried.
    pub attempts: i64,
    /// The last reason, as given to [`give_up`].
    pub why: String,
}

/// Puts a job that may be leased from `due` on. `false`: there is or was one of this kind and key, nothing changes.
///
/// A job that is done still counts, until [`forget`].
pub fn put(tx: &mut Tx<'_>, kind: &str, key: &str, due: Timestamp, body: &[u8]) -> Result<bool, StoreError> {
    Ok(tx.execute(PUT, &values![kind, key, due, body])? > 0)
}

/// Takes up to `limit` due jobs of a kind, those due first, and hides them until `now + lease_for`.
pub fn lease(
    tx: &mut Tx<'_>,
    kind: &str,
    now: Timestamp,
    lease_for: Duration,
    limit: usize,
) -> Result<Vec<Job>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let jobs = tx.query(DUE, &values![kind, now, limit], |row| {
        Ok(Job { id: row.int(0)?, key: row.text(1)?, body: row.blob(2)?, attempts: row.int(3)? + 1 })
    })?;
    for job in &jobs {
        tx.execute(LEASE, &values![job.id, now.plus(lease_for)])?;
    }
    Ok(jobs)
}

/// When the next job of a kind is or was due; a lease counts as due at its end.
pub fn next_due(tx: &Tx<'_>, kind: &str) -> Result<Option<Timestamp>, StoreError> {
    tx.one(NEXT, &values![kind], |row| row.time(0))
}

/// The job is done. Its body is erased; its key is remembered until [`forget`]. `false`: it is not open any more.
pub fn done(tx: &mut Tx<'_>, id: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(DONE, &values![id])? > 0)
}

/// The job did not succeed and is to be tried again at `due`. `why` is for people and names nobody. `false`: it is
/// not open any more, for instance because a second worker finished it after this one's lease had ended.
pub fn retry(tx: &mut Tx<'_>, id: i64, due: Timestamp, why: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(RETRY, &values![id, due, why])? > 0)
}

/// The job's time has not come after all: it is due again at `due`, and this lease was no try. `false`: it is not open
/// any more.
pub fn postpone(tx: &mut Tx<'_>, id: i64, due: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(POSTPONE, &values![id, due])? > 0)
}

/// No worker of before holds a job of this kind any more: all are due now. How often each was tried stays.
pub fn take_up(tx: &mut Tx<'_>, kind: &str, now: Timestamp) -> Result<usize, StoreError> {
    tx.execute(TAKE_UP, &values![kind, now])
}

/// The jobs of a kind that were tried in vain and wait for their next try, those due first: number and key. A job that
/// is leased is not among them.
pub fn failing(tx: &Tx<'_>, kind: &str, now: Timestamp, limit: u32) -> Result<Vec<(i64, String)>, StoreError> {
    tx.query(FAILING, &values![kind, now, limit], |row| Ok((row.int(0)?, row.text(1)?)))
}

/// The job has failed for good: nobody leases it, [`dead`] shows it. `false`: it is not open any more.
pub fn give_up(tx: &mut Tx<'_>, id: i64, why: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(GIVE_UP, &values![id, why])? > 0)
}

/// The jobs that were given up, newest first, at most [`DEAD_MAX`].
pub fn dead(tx: &Tx<'_>) -> Result<Vec<Dead>, StoreError> {
    tx.query(DEAD, &values![DEAD_MAX], |row| {
        Ok(Dead { id: row.int(0)?, kind: row.text(1)?, key: row.text(2)?, attempts: row.int(3)?, why: row.text(4)? })
    })
}

/// A person wants a dead job tried again from `due` on, with its attempts counted from zero.
pub fn revive(tx: &mut Tx<'_>, id: i64, due: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(REVIVE, &values![id, due])? > 0)
}

/// Forgets the keys of jobs that are done and were last due before `before`; answers how many.
pub fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET, &values![before])
}

/// As many dead jobs as a page shows: more than that is one cause, not many.
pub const DEAD_MAX: u32 = 1_000;

const PUT: &str = "INSERT INTO store_outbox (kind, key, state, due, body) VALUES (?1, ?2, 'open', ?3, ?4)
    ON CONFLICT (kind, key) DO NOTHING";
const DUE: &str = "SELECT id, key, body, attempts FROM store_outbox
    WHERE state = 'open' AND kind = ?1 AND due <= ?2 ORDER BY due, id LIMIT ?3";
const LEASE: &str = "UPDATE store_outbox SET due = ?2, attempts = attempts + 1, why = '' WHERE id = ?1";
const POSTPONE: &str = "UPDATE store_outbox SET due = ?2, attempts = attempts - 1 WHERE id = ?1 AND state = 'open'";
const TAKE_UP: &str = "UPDATE store_outbox SET due = ?2 WHERE state = 'open' AND kind = ?1 AND due > ?2";
const FAILING: &str = "SELECT id, key FROM store_outbox
    WHERE state = 'open' AND kind = ?1 AND due > ?2 AND why <> '' ORDER BY due, id LIMIT ?3";
const NEXT: &str = "SELECT due FROM store_outbox WHERE state = 'open' AND kind = ?1 ORDER BY due LIMIT 1";
const DONE: &str = "UPDATE store_outbox SET state = 'done', body = x'', why = '' WHERE id = ?1 AND state <> 'done'";
const RETRY: &str = "UPDATE store_outbox SET due = ?2, why = ?3 WHERE id = ?1 AND state = 'open'";
const GIVE_UP: &str = "UPDATE store_outbox SET state = 'dead', why = ?2 WHERE id = ?1 AND state = 'open'";
const DEAD: &str = "SELECT id, kind, key, attempts, why FROM store_outbox
    WHERE state = 'dead' ORDER BY id DESC LIMIT ?1";
const REVIVE: &str = "UPDATE store_outbox SET state = 'open', due = ?2, attempts = 0
    WHERE id = ?1 AND state = 'dead'";
const FORGET: &str = "DELETE FROM store_outbox WHERE state = 'done' AND due < ?1";

#[cfg(test)]
mod tests;
