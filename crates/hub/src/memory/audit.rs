//! What people did to the hub's partners. The rows stay.

use charge::Timestamp;
use charge::id::PartyId;
use store::{StoreError, Tx, values};

use super::party;
use crate::views::AuditLine;

pub(crate) fn put(
    tx: &mut Tx<'_>,
    now: Timestamp,
    actor: &str,
    action: &str,
    subject: PartyId,
) -> Result<(), StoreError> {
    tx.execute(PUT, &values![now, actor, action, subject.to_string()]).map(drop)
}

/// The latest first.
pub(crate) fn all(tx: &Tx<'_>) -> Result<Vec<AuditLine>, StoreError> {
    tx.query(ALL, &[], |row| {
        Ok(AuditLine { at: row.time(0)?, actor: row.text(1)?, action: row.text(2)?, subject: party(&row.text(3)?)? })
    })
}

const PUT: &str = "INSERT INTO hub_audit (at, actor, action, subject) VALUES (?1, ?2, ?3, ?4)";
const ALL: &str = "SELECT at, actor, action, subject FROM hub_audit ORDER BY id DESC LIMIT 500";
