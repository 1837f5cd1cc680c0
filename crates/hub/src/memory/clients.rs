//! Who is there, as parties are told of each other (OCPI 2.2.1, 14), and who is still to be told of a change.
//!
//! A change and the errands to tell it are one commit. What is told is what holds when it is told, not when it was put
//! down, so that errands that overtake each other harm nobody.

use std::str::FromStr;
use std::time::Duration;

use charge::Timestamp;
use charge::id::PartyId;
use charge::talk::road::{ClientInfo, ClientStatus};
use store::{Row, StoreError, Tx, outbox, values};

use super::party;
use crate::party::{PartyStatus, Role};

/// Since when each state holds, and whether a party that should be connected cannot be reached.
pub(crate) const COLUMNS: &str = "
ALTER TABLE hub_party ADD COLUMN offline INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hub_party ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;";

/// The jobs of telling one party of another.
pub(crate) const TELL: &str = "client info";

/// What one job tells, and to whom: `receiver party role changed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Errand {
    pub(crate) receiver: PartyId,
    pub(crate) party: PartyId,
    pub(crate) role: Role,
    pub(crate) changed: Timestamp,
}

impl Errand {
    fn key(&self) -> String {
        format!("{} {} {} {}", self.receiver, self.party, self.role, self.changed.micros())
    }
}

impl FromStr for Errand {
    type Err = StoreError;

    fn from_str(key: &str) -> Result<Self, StoreError> {
        let unreadable = || StoreError::Corrupt("the key of a client info".to_owned());
        let mut words = key.split(' ');
        let mut word = || words.next().ok_or_else(unreadable);
        Ok(Self {
            receiver: party(word()?)?,
            party: party(word()?)?,
            role: Role::named(word()?).ok_or_else(unreadable)?,
            changed: Timestamp::from_micros(word()?.parse().map_err(|_| unreadable())?),
        })
    }
}

/// Makes a change of a party's rows; everybody else is told of each of its roles that is in another state than before.
pub(crate) fn changing<T, E: From<StoreError>>(
    tx: &mut Tx<'_>,
    (subject, now): (PartyId, Timestamp),
    change: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let before = of(tx, subject)?;
    let done = change(tx)?;
    let after = of(tx, subject)?;
    let status = |rows: &[(Role, ClientInfo)], role| rows.iter().find(|row| row.0 == role).map(|row| row.1.status);
    let another = |role: &Role| status(&before, *role) != status(&after, *role);
    for role in Role::ALL.into_iter().filter(another) {
        // two changes at one moment are two changes
        let last = before.iter().find(|row| row.0 == role).map(|row| row.1.last_updated);
        let changed = last.map_or(now, |last| now.max(last.plus(Duration::from_micros(1))));
        tx.execute(CHANGED, &values![subject.to_string(), role.as_str(), changed])?;
        let receivers = tx.query(RECEIVERS, &values![subject.to_string()], |row| party(&row.text(0)?))?;
        for receiver in receivers {
            let errand = Errand { receiver, party: subject, role, changed };
            outbox::put(tx, TELL, &errand.key(), now, &[])?;
        }
    }
    Ok(done)
}

/// What an errand has to tell now; `None`: something newer holds, which has an errand of its own. Whoever was removed is
/// told of as suspended, because the standard has no word for it.
pub(crate) fn told_by(tx: &Tx<'_>, errand: &Errand) -> Result<Option<ClientInfo>, StoreError> {
    let row = of(tx, errand.party)?.into_iter().find(|(role, _)| *role == errand.role);
    Ok(match row {
        Some((_, client)) => (client.last_updated <= errand.changed).then_some(client),
        None => Some(ClientInfo {
            party: errand.party,
            role: word(errand.role).into(),
            status: ClientStatus::Suspended,
            last_updated: errand.changed,
        }),
    })
}

/// Everybody, the latest change last.
pub(crate) fn all(tx: &Tx<'_>) -> Result<Vec<ClientInfo>, StoreError> {
    Ok(tx.query(ALL, &[], read)?.into_iter().map(|(_, client)| client).collect())
}

/// A party that should be connected cannot be reached, or can again.
pub(crate) fn turn(tx: &mut Tx<'_>, party: PartyId, offline: bool) -> Result<(), StoreError> {
    tx.execute(OFFLINE, &values![party.to_string(), offline]).map(drop)
}

fn of(tx: &Tx<'_>, party: PartyId) -> Result<Vec<(Role, ClientInfo)>, StoreError> {
    tx.query(OF, &values![party.to_string()], read)
}

fn read(row: &Row<'_>) -> Result<(Role, ClientInfo), StoreError> {
    let unreadable = || StoreError::Corrupt("hub_party.role or status".to_owned());
    let role = Role::named(&row.text(1)?).ok_or_else(unreadable)?;
    let status = match (PartyStatus::named(&row.text(2)?).ok_or_else(unreadable)?, row.flag(3)?) {
        (PartyStatus::Connected, false) => ClientStatus::Connected,
        (PartyStatus::Connected, true) => ClientStatus::Offline,
        (PartyStatus::Planned, _) => ClientStatus::Planned,
        (PartyStatus::Suspended, _) => ClientStatus::Suspended,
    };
    let party = party(&row.text(0)?)?;
    Ok((role, ClientInfo { party, role: word(role).into(), status, last_updated: row.time(4)? }))
}

/// OCPI 2.2.1, 16.1.4 `Role`.
const fn word(role: Role) -> &'static str {
    match role {
        Role::Operator => "CPO",
        Role::Provider => "EMSP",
    }
}

const ALL: &str = "SELECT party, role, status, offline, changed FROM hub_party ORDER BY changed, role, party";
const OF: &str = "SELECT party, role, status, offline, changed FROM hub_party WHERE party = ?1 ORDER BY role";
const CHANGED: &str = "UPDATE hub_party SET changed = ?3 WHERE party = ?1 AND role = ?2";
const RECEIVERS: &str =
    "SELECT DISTINCT party FROM hub_party WHERE party <> ?1 AND status = 'CONNECTED' ORDER BY party";
const OFFLINE: &str = "UPDATE hub_party SET offline = ?2 WHERE party = ?1 AND offline <> ?2";
