//! Switches of thrift where they differ from what they are by default, and tags of cards that a provider said yes to.

use charge::Timestamp;
use charge::id::PartyId;
use charge::talk::thrift::Measure;
use store::{StoreError, Tx, values};
use trust::token_tag::TokenTag;

use super::party;

pub(crate) fn set(tx: &mut Tx<'_>, party: PartyId, measure: Measure, on: bool) -> Result<(), StoreError> {
    tx.execute(SET, &values![party.to_string(), measure.as_str(), on]).map(drop)
}

/// It is as it is by default.
pub(crate) fn unset(tx: &mut Tx<'_>, party: PartyId, measure: Measure) -> Result<(), StoreError> {
    tx.execute(UNSET, &values![party.to_string(), measure.as_str()]).map(drop)
}

/// The switches of everybody. Names of measures that are no more are nobody's.
pub(crate) fn all(tx: &Tx<'_>) -> Result<Vec<(PartyId, Measure, bool)>, StoreError> {
    let rows = tx.query(ALL, &[], |row| Ok((party(&row.text(0)?)?, Measure::named(&row.text(1)?), row.flag(2)?)))?;
    Ok(rows.into_iter().filter_map(|(party, measure, on)| Some((party, measure?, on))).collect())
}

/// Who wants to be asked about cards that nobody announced, whom this asker has most to do with first.
pub(crate) fn probed(tx: &Tx<'_>, asker: PartyId, since: Timestamp) -> Result<Vec<PartyId>, StoreError> {
    tx.query(PROBED, &values![Measure::Probed.as_str(), asker.to_string(), since], |row| party(&row.text(0)?))
}

pub(crate) fn learn(tx: &mut Tx<'_>, tag: TokenTag, party: PartyId, until: Timestamp) -> Result<(), StoreError> {
    tx.execute(LEARN, &values![tag.as_bytes(), party.to_string(), until]).map(drop)
}

pub(crate) fn learned(tx: &Tx<'_>, tag: TokenTag, now: Timestamp) -> Result<Option<PartyId>, StoreError> {
    tx.one(LEARNED, &values![tag.as_bytes(), now], |row| party(&row.text(0)?))
}

/// What was learned from a provider that wants it no more.
pub(crate) fn unlearn(tx: &mut Tx<'_>, party: PartyId) -> Result<(), StoreError> {
    tx.execute(UNLEARN, &values![party.to_string()]).map(drop)
}

/// What is over.
pub(crate) fn forget(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(FORGET, &values![now]).map(drop)
}

/// The party is no partner any more.
pub(crate) fn leave(tx: &mut Tx<'_>, party: PartyId) -> Result<(), StoreError> {
    tx.execute(LEAVE, &values![party.to_string()])?;
    unlearn(tx, party)
}

pub(crate) const TABLES: &str = "
CREATE TABLE hub_thrift (
    party TEXT NOT NULL,
    measure TEXT NOT NULL,
    is_on INTEGER NOT NULL,
    PRIMARY KEY (party, measure)
);
CREATE TABLE hub_learned (
    tag BLOB NOT NULL PRIMARY KEY,
    party TEXT NOT NULL,
    expires INTEGER NOT NULL
);
CREATE INDEX hub_learned_expires ON hub_learned (expires);";

const SET: &str = "INSERT INTO hub_thrift (party, measure, is_on) VALUES (?1, ?2, ?3)
    ON CONFLICT (party, measure) DO UPDATE SET is_on = excluded.is_on";
const UNSET: &str = "DELETE FROM hub_thrift WHERE party = ?1 AND measure = ?2";
const ALL: &str = "SELECT party, measure, is_on FROM hub_thrift";
const PROBED: &str = "SELECT t.party FROM hub_thrift t WHERE t.measure = ?1 AND t.is_on <> 0 AND t.party <> ?2
    ORDER BY (SELECT COALESCE(SUM(v.letters), 0) FROM hub_volume v
        WHERE v.sender = ?2 AND v.receiver = t.party AND v.hour >= ?3) DESC, t.party";
const LEARN: &str = "INSERT INTO hub_learned (tag, party, expires) VALUES (?1, ?2, ?3)
    ON CONFLICT (tag) DO UPDATE SET party = excluded.party, expires = excluded.expires";
const LEARNED: &str = "SELECT party FROM hub_learned WHERE tag = ?1 AND expires > ?2";
const UNLEARN: &str = "DELETE FROM hub_learned WHERE party = ?1";
const FORGET: &str = "DELETE FROM hub_learned WHERE expires <= ?1";
const LEAVE: &str = "DELETE FROM hub_thrift WHERE party = ?1";
