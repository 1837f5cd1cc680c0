//! The keyed index: tags of tokens and the provider of each. Never a uid.

use charge::Timestamp;
use charge::id::PartyId;
use store::{StoreError, Tx, values};
use trust::token_tag::TokenTag;

use super::party;
use crate::index::Entry;
use crate::views::Conflict;

pub(crate) fn find(tx: &Tx<'_>, tag: TokenTag) -> Result<Option<Entry>, StoreError> {
    tx.one(FIND, &values![tag.as_bytes()], |row| Ok(Entry { party: party(&row.text(0)?)?, valid: row.flag(1)? }))
}

pub(crate) fn put(tx: &mut Tx<'_>, tag: TokenTag, entry: Entry) -> Result<(), StoreError> {
    tx.execute(PUT, &values![tag.as_bytes(), entry.party.to_string(), entry.valid]).map(drop)
}

pub(crate) fn size(tx: &Tx<'_>) -> Result<i64, StoreError> {
    Ok(tx.one(SIZE, &[], |row| row.int(0))?.unwrap_or(0))
}

pub(crate) fn conflict(tx: &mut Tx<'_>, writer: PartyId, day: Timestamp) -> Result<(), StoreError> {
    tx.execute(CONFLICT, &values![writer.to_string(), day]).map(drop)
}

pub(crate) fn conflicts(tx: &Tx<'_>) -> Result<Vec<Conflict>, StoreError> {
    tx.query(CONFLICTS, &[], |row| {
        Ok(Conflict { writer: party(&row.text(0)?)?, day: row.time(1)?, count: row.int(2)? })
    })
}

const FIND: &str = "SELECT party, valid FROM hub_token WHERE tag = ?1";
const PUT: &str = "INSERT INTO hub_token (tag, party, valid) VALUES (?1, ?2, ?3)
    ON CONFLICT (tag) DO UPDATE SET party = excluded.party, valid = excluded.valid";
const SIZE: &str = "SELECT COUNT(*) FROM hub_token WHERE valid <> 0";
const CONFLICT: &str = "INSERT INTO hub_conflict (party, day, count) VALUES (?1, ?2, 1)
    ON CONFLICT (party, day) DO UPDATE SET count = hub_conflict.count + 1";
const CONFLICTS: &str = "SELECT party, day, count FROM hub_conflict ORDER BY day DESC, party LIMIT 1000";
