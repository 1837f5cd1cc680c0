//! Credits: that a CDR is taken back, when and why. The credit CDR itself is the original with negative amounts and is
//! worked out whenever it is needed, so there is nothing in it that could be changed.
//!
//! Invariant: a CDR is taken back at most once.

use charge::Timestamp;
use charge::id::{CdrId, PartyId};
use charge::record::Cdr;
use store::{Migration, StoreError, Tx, values};
use trust::seal::SealKey;

use crate::memory::cdr::{self, Delivery};
use crate::memory::word;

pub(crate) const MIGRATION: Migration =
    Migration { family: "operator credits", number: 1, name: "CDRs that were taken back", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_credits (
    id TEXT PRIMARY KEY,
    original TEXT NOT NULL UNIQUE,
    party TEXT NOT NULL,
    at INTEGER NOT NULL,
    why TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    problem TEXT,
    delivered INTEGER
);
CREATE INDEX operator_credits_at ON operator_credits (party, at);";

/// Takes a CDR back. `false`: it was taken back before.
pub(crate) fn put(tx: &mut Tx<'_>, id: &CdrId, original: &Cdr, why: &str, at: Timestamp) -> Result<bool, StoreError> {
    let row = values![id.as_str(), original.id.as_str(), original.token.party.to_string(), at, why];
    Ok(tx.execute(PUT, &row)? > 0)
}

/// The credit CDR. `None`: there is none, or the person of its original was forgotten.
pub(crate) fn find(tx: &Tx<'_>, key: &SealKey, party: PartyId, id: &str) -> Result<Option<Cdr>, StoreError> {
    let row =
        tx.one(FIND, &values![id], |row| Ok((word::<CdrId>(row, 0, "id")?, row.text(1)?, row.time(2)?, row.text(3)?)));
    let Some((id, original, at, why)) = row? else { return Ok(None) };
    let original = cdr::find(tx, key, party, &original)?;
    Ok(original.map(|original| Cdr { remark: Some(why), ..billing::cdr::credit(&original, id, at) }))
}

/// Whether it is a credit whose original has not reached its provider: nobody takes back what nobody has.
pub(crate) fn is_early(tx: &Tx<'_>, id: &str) -> Result<bool, StoreError> {
    Ok(tx.one(EARLY, &values![id], |_| Ok(()))?.is_some())
}

/// How the delivery of a credit stands.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    id: &str,
    state: Delivery,
    problem: Option<&str>,
    delivered: Option<Timestamp>,
) -> Result<(), StoreError> {
    tx.execute(SETTLE, &values![id, state.as_str(), problem, delivered]).map(drop)
}

const PUT: &str = "INSERT INTO operator_credits (id, original, party, at, why, state, attempts)
    VALUES (?1, ?2, ?3, ?4, ?5, 'waiting', 0) ON CONFLICT DO NOTHING";
const FIND: &str = "SELECT id, original, at, why FROM operator_credits WHERE id = ?1";
const EARLY: &str = "SELECT 1 FROM operator_credits c JOIN operator_cdrs o ON o.id = c.original
    WHERE c.id = ?1 AND o.state <> 'delivered'";
const SETTLE: &str = "UPDATE operator_credits SET state = ?2, attempts = attempts + 1, problem = ?3, delivered = ?4
    WHERE id = ?1 AND state <> 'delivered'";
