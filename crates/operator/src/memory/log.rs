//! Rows of refused knocks and of the audit of what people did.
//!
//! Refusals are written in batches and kept for a while; the audit stays. Messages have a file of their own.

use charge::Timestamp;
use store::{Row, StoreError, Tx, values};

use crate::memory::small;
use crate::view::{AuditLine, RefusedKnock};

pub(crate) fn put_refusal(tx: &mut Tx<'_>, knock: &RefusedKnock) -> Result<(), StoreError> {
    let row = values![knock.at, knock.identity.as_str(), knock.peer.as_str(), knock.status, knock.reason.as_str(),];
    tx.execute(PUT_REFUSAL, &row).map(drop)
}

pub(crate) fn refusals(tx: &Tx<'_>, limit: u32) -> Result<Vec<RefusedKnock>, StoreError> {
    tx.query(REFUSALS, &values![limit], read_refusal)
}

/// Those of one identity, as the door folds it.
pub(crate) fn refusals_of(tx: &Tx<'_>, identity: &str, limit: u32) -> Result<Vec<RefusedKnock>, StoreError> {
    tx.query(REFUSALS_OF, &values![identity, limit], read_refusal)
}

fn read_refusal(row: &Row<'_>) -> Result<RefusedKnock, StoreError> {
    Ok(RefusedKnock {
        at: row.time(0)?,
        identity: row.text(1)?,
        peer: row.text(2)?,
        status: small(row, 3, "status")?,
        reason: row.text(4)?,
    })
}

/// What a person (or a key of the API) did, and what came of it.
pub(crate) fn audit(
    tx: &mut Tx<'_>,
    now: Timestamp,
    actor: &str,
    action: &str,
    subject: &str,
    outcome: &str,
) -> Result<(), StoreError> {
    tx.execute(PUT_AUDIT, &values![now, actor, action, subject, outcome]).map(drop)
}

pub(crate) fn audits(tx: &Tx<'_>, limit: u32) -> Result<Vec<AuditLine>, StoreError> {
    tx.query(AUDITS, &values![limit], |row| {
        Ok(AuditLine {
            at: row.time(0)?,
            actor: row.text(1)?,
            action: row.text(2)?,
            subject: row.text(3)?,
            outcome: row.text(4)?,
        })
    })
}

/// Drops what is older than `before`.
pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET_REFUSALS, &values![before])
}

const PUT_REFUSAL: &str = "INSERT INTO operator_refusals (at, identity, peer, status, reason)
    VALUES (?1, ?2, ?3, ?4, ?5)";
const REFUSALS: &str = "SELECT at, identity, peer, status, reason FROM operator_refusals ORDER BY id DESC LIMIT ?1";
const REFUSALS_OF: &str = "SELECT at, identity, peer, status, reason FROM operator_refusals
    WHERE lower(identity) = lower(?1) ORDER BY id DESC LIMIT ?2";
const PUT_AUDIT: &str = "INSERT INTO operator_audit (at, actor, action, subject, outcome) VALUES (?1, ?2, ?3, ?4, ?5)";
const AUDITS: &str = "SELECT at, actor, action, subject, outcome FROM operator_audit ORDER BY id DESC LIMIT ?1";
const FORGET_REFUSALS: &str = "DELETE FROM operator_refusals WHERE at < ?1";
