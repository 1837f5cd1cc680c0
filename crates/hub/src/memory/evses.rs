//! The index of EVSEs beside the public locations: what a broker finds and lists them by.
//!
//! It is filled by whoever reads locations; those that were put since stand in `hub_unread`, so that to ask whether there
//! are any costs the same however many there are.

use charge::Timestamp;
use charge::id::{LocationId, PartyId};
use charge::talk::road::evses::{EvseFilter, EvseSpan, IndexedEvse, IndexedLocation};
use charge::talk::road::{ObjectPage, Published};
use store::{Row, StoreError, Tx, Value, values};

use super::{party, public};

pub(crate) const TABLES: &str = "
CREATE TABLE hub_unread (
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (owner, id)
);
INSERT INTO hub_unread (owner, id) SELECT owner, id FROM hub_public WHERE kind = 'location';
CREATE TABLE hub_evse (
    key TEXT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    location TEXT NOT NULL,
    country TEXT NOT NULL,
    status TEXT NOT NULL,
    changed INTEGER NOT NULL
);
CREATE INDEX hub_evse_place ON hub_evse (owner, location, key);";

/// Locations that are handed out to be read at once.
const UNINDEXED_MAX: u32 = 500;

/// A location is new, or another than before.
pub(crate) fn unread(tx: &mut Tx<'_>, owner: PartyId, id: &str) -> Result<(), StoreError> {
    tx.execute(UNREAD, &values![owner.to_string(), id]).map(drop)
}

pub(crate) fn unindexed(tx: &Tx<'_>) -> Result<ObjectPage, StoreError> {
    let names = tx.query(UNINDEXED, &values![UNINDEXED_MAX], |row| Ok((party(&row.text(0)?)?, row.text(1)?)))?;
    let kept = names.into_iter().map(|(owner, id)| {
        let text = public::one(tx, Published::Locations, Some(owner), &id)?;
        Ok(text.map(|text| ((owner, id.into()), text)))
    });
    kept.filter_map(Result::transpose).collect()
}

pub(crate) fn put(tx: &mut Tx<'_>, location: &IndexedLocation) -> Result<(), StoreError> {
    let (owner, id) = (location.name.0.to_string(), location.name.1.to_string());
    let kept = public::one(tx, Published::Locations, Some(location.name.0), &id)?;
    if kept.is_none_or(|kept| kept != location.text) {
        return Ok(());
    }
    tx.execute(READ, &values![owner.clone(), id.clone()])?;
    tx.execute(DROP, &values![owner.clone(), id.clone()])?;
    for evse in &location.evses {
        let (key, evse_id, country) = (evse.key.to_string(), evse.id.as_str().to_owned(), evse.country.to_string());
        let row = values![key, evse_id, owner.clone(), id.clone(), country, evse.status.as_str(), evse.changed];
        tx.execute(PUT, &row)?;
    }
    Ok(())
}

pub(crate) fn named(tx: &Tx<'_>, keys: &[Box<str>]) -> Result<Vec<IndexedEvse>, StoreError> {
    let found = |key: &str| tx.one(NAMED, &values![key.to_owned()], evse).transpose();
    keys.iter().filter_map(|key| found(key)).collect()
}

pub(crate) fn list(tx: &Tx<'_>, filter: &EvseFilter, span: &EvseSpan) -> Result<Vec<IndexedEvse>, StoreError> {
    let after = span.after.clone();
    let (owner, location, key) = after.map_or_else(Default::default, |(owner, location, key)| {
        (owner.to_string(), location.as_str().to_owned(), String::from(key))
    });
    let skip = i64::try_from(span.skip).unwrap_or(i64::MAX);
    let mut values = filtered(filter);
    values.extend(values![owner, location, key, span.limit, skip]);
    tx.query(LIST, &values, evse)
}

pub(crate) fn count(tx: &Tx<'_>, filter: &EvseFilter) -> Result<u64, StoreError> {
    let count = tx.one(COUNT, &filtered(filter), |row| row.int(0))?.unwrap_or(0);
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Lists as one text with a blank around each word, which no id, country or status has in it.
fn filtered(filter: &EvseFilter) -> Vec<Value> {
    let owners = words(filter.owners.iter().map(ToString::to_string));
    let countries = words(filter.countries.iter().map(ToString::to_string));
    let without = words(filter.without.iter().map(|status| status.as_str().to_owned()));
    let since = filter.changed_since.unwrap_or(Timestamp::from_micros(i64::MIN));
    values![owners, countries, since, without].to_vec()
}

fn words(each: impl Iterator<Item = String>) -> String {
    let joined = each.collect::<Vec<_>>().join(" ");
    if joined.is_empty() { joined } else { format!(" {joined} ") }
}

fn evse(row: &Row<'_>) -> Result<IndexedEvse, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt(format!("a column of the index of EVSEs holds no {what}"));
    Ok(IndexedEvse {
        key: row.text(0)?.into(),
        id: row.str(1)?.parse().map_err(|_| corrupt("id"))?,
        owner: party(row.str(2)?)?,
        location: LocationId::new(row.str(3)?).map_err(|_| corrupt("location"))?,
        country: row.text(4)?.into(),
        status: row.str(5)?.parse().map_err(|_| corrupt("status"))?,
        changed: row.time(6)?,
    })
}

const UNREAD: &str = "INSERT INTO hub_unread (owner, id) VALUES (?1, ?2) ON CONFLICT (owner, id) DO NOTHING";
const UNINDEXED: &str = "SELECT owner, id FROM hub_unread ORDER BY owner, id LIMIT ?1";
const READ: &str = "DELETE FROM hub_unread WHERE owner = ?1 AND id = ?2";
const DROP: &str = "DELETE FROM hub_evse WHERE owner = ?1 AND location = ?2";
const PUT: &str = "INSERT INTO hub_evse (key, id, owner, location, country, status, changed)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (key) DO NOTHING";
const NAMED: &str = "SELECT key, id, owner, location, country, status, changed FROM hub_evse WHERE key = ?1";
const LIST: &str = "SELECT key, id, owner, location, country, status, changed FROM hub_evse
    WHERE (?1 = '' OR INSTR(?1, ' ' || owner || ' ') > 0) AND (?2 = '' OR INSTR(?2, ' ' || country || ' ') > 0)
        AND changed >= ?3 AND INSTR(?4, ' ' || status || ' ') = 0 AND (owner, location, key) > (?5, ?6, ?7)
    ORDER BY owner, location, key LIMIT ?8 OFFSET ?9";
const COUNT: &str = "SELECT COUNT(*) FROM hub_evse
    WHERE (?1 = '' OR INSTR(?1, ' ' || owner || ' ') > 0) AND (?2 = '' OR INSTR(?2, ' ' || country || ' ') > 0)
        AND changed >= ?3 AND INSTR(?4, ' ' || status || ' ') = 0";
