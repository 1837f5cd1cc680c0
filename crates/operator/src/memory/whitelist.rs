//! Rows of stations' own lists: tokens sealed, found by keyed tag, each with an end.

use charge::Timestamp;
use charge::id::StationId;
use charge::token::PresentedToken;
use store::{Migration, StoreError, Tx, values};
use trust::hex;
use trust::seal::SealKey;
use trust::token_tag::TokenTag;

use crate::desk::{TokenList, TokenListEntry};
use crate::memory::permit::{Place as SealPlace, open_presented, seal_presented};
use crate::memory::{damaged, named, small, small_opt};
use crate::whitelist::{Place, Standing};

/// A family of its own: no other table refers to it.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator lists", number: 1, name: "stations' own lists", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_lists (
    station TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    told INTEGER,
    uncertain INTEGER NOT NULL,
    sent INTEGER,
    outcome TEXT
);
CREATE TABLE operator_list_entries (
    station TEXT NOT NULL,
    tag BLOB NOT NULL,
    token_sealed BLOB NOT NULL,
    place TEXT NOT NULL,
    until_at INTEGER NOT NULL,
    added INTEGER NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (station, tag)
);";

/// An entry with its token, for sending.
#[derive(Debug)]
pub(crate) struct Entry {
    pub tag: TokenTag,
    pub token: PresentedToken,
    pub place: Place,
    pub until: Timestamp,
}

pub(crate) fn standing(tx: &Tx<'_>, station: &StationId) -> Result<Standing, StoreError> {
    let found = tx.one(STANDING, &values![station.as_str()], |row| {
        Ok(Standing { version: small(row, 0, "version")?, uncertain: row.flag(1)? })
    })?;
    Ok(found.unwrap_or_default())
}

/// What is shown of a list.
pub(crate) fn shown(tx: &Tx<'_>, station: &StationId) -> Result<TokenList, StoreError> {
    let entries = tx.query(SHOWN, &values![station.as_str()], |row| {
        Ok(TokenListEntry {
            id: hex::encode(&row.blob(0)?),
            place: named(row, 1, "place", Place::named)?,
            until: row.time(2)?,
            added: row.time(3)?,
            by: row.text(4)?,
        })
    })?;
    let head = tx.one(HEAD, &values![station.as_str()], |row| {
        let (version, told) = (small(row, 0, "version")?, small_opt(row, 1, "told")?);
        Ok((version, told, row.flag(2)?, row.time_opt(3)?, row.text_opt(4)?))
    })?;
    let (version, told, uncertain, sent, outcome) = head.unwrap_or((0, None, false, None, None));
    Ok(TokenList { version, told, uncertain, sent, outcome, entries })
}

pub(crate) fn entries(tx: &Tx<'_>, key: &SealKey, station: &StationId) -> Result<Vec<Entry>, StoreError> {
    tx.query(ENTRIES, &values![station.as_str()], |row| {
        let tag = row.blob(0)?.try_into().map_err(|_| damaged("tag"))?;
        Ok(Entry {
            tag: TokenTag::from_bytes(tag),
            token: open_presented(key, SealPlace::Listed(station), &row.blob(1)?)?,
            place: named(row, 2, "place", Place::named)?,
            until: row.time(3)?,
        })
    })
}

pub(crate) fn add(
    tx: &mut Tx<'_>,
    key: &SealKey,
    station: &StationId,
    entry: &Entry,
    actor: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sealed = seal_presented(key, SealPlace::Listed(station), &entry.token)?;
    let tag = &entry.tag.as_bytes()[..];
    tx.execute(ADD, &values![station.as_str(), tag, sealed, entry.until, now, actor]).map(drop)
}

/// Takes an entry off: at once where the station never had it. `false`: there is none.
pub(crate) fn take_off(tx: &mut Tx<'_>, station: &StationId, tag: &TokenTag) -> Result<bool, StoreError> {
    let tag = &tag.as_bytes()[..];
    let gone = tx.execute(DROP_NEW, &values![station.as_str(), tag])?;
    Ok(gone + tx.execute(LEAVE, &values![station.as_str(), tag])? > 0)
}

/// Entries whose time is over are taken off everywhere.
pub(crate) fn expire(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize, StoreError> {
    tx.execute(EXPIRE_NEW, &values![now])?;
    tx.execute(EXPIRE, &values![now])
}

/// The station took a message: what was put is there, what was removed is gone.
pub(crate) fn took(
    tx: &mut Tx<'_>,
    station: &StationId,
    version: i32,
    full: bool,
    put: &[TokenTag],
    removed: &[TokenTag],
    now: Timestamp,
) -> Result<(), StoreError> {
    if full {
        tx.execute(DROP_LEAVING, &values![station.as_str()])?;
    }
    for tag in removed {
        tx.execute(DROP, &values![station.as_str(), &tag.as_bytes()[..]])?;
    }
    for tag in put {
        tx.execute(THERE, &values![station.as_str(), &tag.as_bytes()[..]])?;
    }
    tx.execute(TOOK, &values![station.as_str(), version, now]).map(drop)
}

/// The station did not take it, or nobody knows: the next update sends everything.
pub(crate) fn doubt(tx: &mut Tx<'_>, station: &StationId, why: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(DOUBT, &values![station.as_str(), why, now]).map(drop)
}

/// What the station itself says its version is.
pub(crate) fn told(tx: &mut Tx<'_>, station: &StationId, version: i32) -> Result<(), StoreError> {
    tx.execute(TOLD, &values![station.as_str(), version]).map(drop)
}

const STANDING: &str = "SELECT version, uncertain FROM operator_lists WHERE station = ?1";
const HEAD: &str = "SELECT version, told, uncertain, sent, outcome FROM operator_lists WHERE station = ?1";
const SHOWN: &str = "SELECT tag, place, until_at, added, actor FROM operator_list_entries WHERE station = ?1
    ORDER BY added, tag LIMIT 1000";
const ENTRIES: &str = "SELECT tag, token_sealed, place, until_at FROM operator_list_entries WHERE station = ?1
    ORDER BY added, tag LIMIT 1000";
const ADD: &str = "INSERT INTO operator_list_entries (station, tag, token_sealed, place, until_at, added, actor)
    VALUES (?1, ?2, ?3, 'new', ?4, ?5, ?6) ON CONFLICT (station, tag) DO UPDATE SET place = 'new',
    token_sealed = excluded.token_sealed, until_at = excluded.until_at, actor = excluded.actor";
const DROP_NEW: &str = "DELETE FROM operator_list_entries WHERE station = ?1 AND tag = ?2 AND place = 'new'";
const LEAVE: &str = "UPDATE operator_list_entries SET place = 'leaving' WHERE station = ?1 AND tag = ?2";
const EXPIRE_NEW: &str = "DELETE FROM operator_list_entries WHERE until_at < ?1 AND place = 'new'";
const EXPIRE: &str = "UPDATE operator_list_entries SET place = 'leaving' WHERE until_at < ?1 AND place = 'there'";
const DROP: &str = "DELETE FROM operator_list_entries WHERE station = ?1 AND tag = ?2";
const DROP_LEAVING: &str = "DELETE FROM operator_list_entries WHERE station = ?1 AND place = 'leaving'";
const THERE: &str = "UPDATE operator_list_entries SET place = 'there' WHERE station = ?1 AND tag = ?2";
const TOOK: &str = "INSERT INTO operator_lists (station, version, uncertain, sent, outcome)
    VALUES (?1, ?2, 0, ?3, 'accepted') ON CONFLICT (station) DO UPDATE SET version = excluded.version, uncertain = 0,
    sent = excluded.sent, outcome = excluded.outcome";
const DOUBT: &str = "INSERT INTO operator_lists (station, version, uncertain, sent, outcome) VALUES (?1, 0, 1, ?3, ?2)
    ON CONFLICT (station) DO UPDATE SET uncertain = 1, sent = excluded.sent, outcome = excluded.outcome";
const TOLD: &str = "INSERT INTO operator_lists (station, version, told, uncertain) VALUES (?1, 0, ?2, 0)
    ON CONFLICT (station) DO UPDATE SET told = excluded.told,
    uncertain = MAX(operator_lists.uncertain, operator_lists.version <> excluded.told)";
