//! The register of parties.

use charge::Timestamp;
use charge::id::PartyId;
use store::{Row, StoreError, Tx, values};

use super::party;
use crate::party::{Party, PartyStatus, Role};

pub(crate) fn put(tx: &mut Tx<'_>, row: &Party) -> Result<(), StoreError> {
    let values = values![row.party.to_string(), row.role.as_str(), row.name.as_str(), row.status.as_str()];
    tx.execute(PUT, &values).map(drop)
}

pub(crate) fn all(tx: &Tx<'_>) -> Result<Vec<Party>, StoreError> {
    tx.query(ALL, &[], read)
}

pub(crate) fn seen(tx: &mut Tx<'_>, party: PartyId, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(SEEN, &values![party.to_string(), at]).map(drop)
}

fn read(row: &Row<'_>) -> Result<Party, StoreError> {
    let unreadable = || StoreError::Corrupt("hub_party.role or status".to_owned());
    Ok(Party {
        party: party(&row.text(0)?)?,
        role: Role::named(&row.text(1)?).ok_or_else(unreadable)?,
        name: row.text(2)?,
        status: PartyStatus::named(&row.text(3)?).ok_or_else(unreadable)?,
        last_seen: row.time_opt(4)?,
    })
}

const PUT: &str = "INSERT INTO hub_party (party, role, name, status) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (party, role) DO UPDATE SET name = excluded.name, status = excluded.status";
const ALL: &str = "SELECT party, role, name, status, last_seen FROM hub_party ORDER BY role, party";
const SEEN: &str = "UPDATE hub_party SET last_seen = ?2 WHERE party = ?1";
