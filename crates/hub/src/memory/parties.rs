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

/// The same, where the party is not registered yet; its name alone where it is.
pub(crate) fn put_first(tx: &mut Tx<'_>, row: &Party) -> Result<(), StoreError> {
    let values = values![row.party.to_string(), row.role.as_str(), row.name.as_str(), row.status.as_str()];
    tx.execute(PUT_FIRST, &values).map(drop)
}

/// Letters of a party pass from now on, where nobody has decided otherwise.
pub(crate) fn joined(tx: &mut Tx<'_>, party: PartyId) -> Result<(), StoreError> {
    let (planned, connected) = (PartyStatus::Planned.as_str(), PartyStatus::Connected.as_str());
    tx.execute(JOINED, &values![party.to_string(), planned, connected]).map(drop)
}

/// Its letters pass no more until it joins again: it has withdrawn, or we have.
pub(crate) fn left(tx: &mut Tx<'_>, party: PartyId) -> Result<(), StoreError> {
    let (planned, connected) = (PartyStatus::Planned.as_str(), PartyStatus::Connected.as_str());
    tx.execute(JOINED, &values![party.to_string(), connected, planned]).map(drop)
}

/// All roles of a party; how many there are.
pub(crate) fn set_status(tx: &mut Tx<'_>, party: PartyId, status: PartyStatus) -> Result<usize, StoreError> {
    tx.execute(STATUS, &values![party.to_string(), status.as_str()])
}

pub(crate) fn remove(tx: &mut Tx<'_>, party: PartyId) -> Result<usize, StoreError> {
    tx.execute(REMOVE, &values![party.to_string()])
}

pub(crate) fn all(tx: &Tx<'_>) -> Result<Vec<Party>, StoreError> {
    tx.query(ALL, &[], read)
}

/// All roles of these two parties, which may be the same one.
pub(crate) fn of(tx: &Tx<'_>, parties: [PartyId; 2]) -> Result<Vec<Party>, StoreError> {
    tx.query(OF, &values![parties[0].to_string(), parties[1].to_string()], read)
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
const PUT_FIRST: &str = "INSERT INTO hub_party (party, role, name, status) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (party, role) DO UPDATE SET name = excluded.name";
const JOINED: &str = "UPDATE hub_party SET status = ?3 WHERE party = ?1 AND status = ?2";
const STATUS: &str = "UPDATE hub_party SET status = ?2 WHERE party = ?1";
const REMOVE: &str = "DELETE FROM hub_party WHERE party = ?1";
const ALL: &str = "SELECT party, role, name, status, last_seen FROM hub_party ORDER BY role, party";
const OF: &str =
    "SELECT party, role, name, status, last_seen FROM hub_party WHERE party IN (?1, ?2) ORDER BY role, party";
const SEEN: &str = "UPDATE hub_party SET last_seen = ?2 WHERE party = ?1";
