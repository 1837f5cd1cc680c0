//! Rows of what cars said they need, until they were given something: one for each session, gone with the answer.

use charge::id::SessionId;
use charge::talk::road::ProfileUnit;
use store::{Migration, StoreError, Tx, values};

use crate::memory::{named, small_opt, word_opt};
use crate::needs::Needs;

/// A family of its own: no other table refers to it.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator needs of cars", number: 1, name: "needs of cars", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_needs (
    session TEXT PRIMARY KEY,
    unit TEXT NOT NULL,
    most TEXT,
    phases INTEGER,
    until_at INTEGER
);";

pub(crate) fn put(tx: &mut Tx<'_>, session: &SessionId, needs: Needs) -> Result<(), StoreError> {
    let most = needs.most.map(|most| most.to_string());
    let row = values![session.as_str(), needs.unit.as_str(), most, needs.phases, needs.until];
    tx.execute(PUT, &row).map(drop)
}

pub(crate) fn find(tx: &Tx<'_>, session: &str) -> Result<Option<Needs>, StoreError> {
    tx.one(FIND, &values![session], |row| {
        Ok(Needs {
            unit: named(row, 0, "unit", ProfileUnit::named)?,
            most: word_opt(row, 1, "most")?,
            phases: small_opt(row, 2, "phases")?,
            until: row.time_opt(3)?,
        })
    })
}

/// They were answered, or their session is over.
pub(crate) fn settle(tx: &mut Tx<'_>, session: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM operator_needs WHERE session = ?1", &values![session]).map(drop)
}

const PUT: &str = "INSERT INTO operator_needs (session, unit, most, phases, until_at) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (session) DO UPDATE SET unit = excluded.unit, most = excluded.most, phases = excluded.phases,
    until_at = excluded.until_at";
const FIND: &str = "SELECT unit, most, phases, until_at FROM operator_needs WHERE session = ?1";
