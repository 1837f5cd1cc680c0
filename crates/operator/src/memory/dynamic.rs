//! Rows of charging profiles whose limits change while they hold: what the station was told last (OCPP 2.1 K28).
//!
//! Nothing here names a person: a transaction is named by its station.

use charge::id::{EvseNo, StationId, TransactionKey};
use charge::talk::line::charging::{Profile, ProfileFilter, ProfilePurpose};
use charge::talk::line::document::Document;
use store::{Migration, StoreError, Tx, values};

use crate::memory::model::purpose_name;
use crate::memory::session;

/// A family of its own: no other table refers to it.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator dynamic profiles", number: 1, name: "limits that change", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_dynamic_profiles (
    station TEXT NOT NULL,
    id INTEGER NOT NULL,
    evse_no INTEGER NOT NULL,
    stack_level INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    name TEXT,
    limits TEXT NOT NULL,
    PRIMARY KEY (station, id)
);";

/// The station has taken a profile: with limits that change, or in place of one that had such.
pub(crate) fn set(
    tx: &mut Tx<'_>,
    station: &StationId,
    evse: Option<EvseNo>,
    profile: &Profile,
    limits: Option<Document>,
) -> Result<(), StoreError> {
    tx.execute(DROP_ONE, &values![station.as_str(), profile.id])?;
    let Some(limits) = limits else { return Ok(()) };
    let (evse, name) = (evse.map_or(0, EvseNo::get), profile.key.as_ref().map(ToString::to_string));
    let (level, purpose) = (profile.stack_level, purpose_name(profile.purpose));
    tx.execute(SET, &values![station.as_str(), profile.id, evse, level, purpose, name, limits.as_str()]).map(drop)
}

/// The station has taken other limits for it.
pub(crate) fn updated(tx: &mut Tx<'_>, station: &StationId, profile: i32, limits: &Document) -> Result<(), StoreError> {
    tx.execute(UPDATED, &values![station.as_str(), profile, limits.as_str()]).map(drop)
}

/// The profiles that a removal meant are gone: by their numbers, or else all that the rest of the filter selects.
pub(crate) fn cleared(tx: &mut Tx<'_>, station: &StationId, which: &ProfileFilter) -> Result<(), StoreError> {
    if !which.ids.is_empty() {
        return which.ids.iter().try_for_each(|id| tx.execute(DROP_ONE, &values![station.as_str(), *id]).map(drop));
    }
    let evse = which.evse.map(|evse| evse.map_or(0, EvseNo::get));
    let purpose = which.purpose.map(purpose_name);
    tx.execute(DROP, &values![station.as_str(), evse, which.stack_level, purpose]).map(drop)
}

/// What the station was told last; `None` where it has no such profile, or the transaction is over that it was for.
pub(crate) fn limits(tx: &Tx<'_>, station: &StationId, profile: i32) -> Result<Option<Document>, StoreError> {
    let row =
        tx.one(LIMITS, &values![station.as_str(), profile], |row| Ok((row.text(0)?, row.text_opt(1)?, row.text(2)?)))?;
    let Some((limits, name, purpose)) = row else { return Ok(None) };
    if purpose == purpose_name(ProfilePurpose::Tx) {
        let key = name.map(|name| TransactionKey::Text(name.into()));
        let found = key.map(|key| session::candidates(tx, station, Some(&key), None, None)).transpose()?;
        let row = found.and_then(|found| found.same_key).map(|id| session::find(tx, id.as_str())).transpose()?;
        if !row.flatten().is_some_and(|row| row.state.is_open()) {
            return Ok(None);
        }
    }
    Ok(Some(Document::new(limits)))
}

const SET: &str = "INSERT INTO operator_dynamic_profiles (station, id, evse_no, stack_level, purpose, name, limits)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const UPDATED: &str = "UPDATE operator_dynamic_profiles SET limits = ?3 WHERE station = ?1 AND id = ?2";
const DROP_ONE: &str = "DELETE FROM operator_dynamic_profiles WHERE station = ?1 AND id = ?2";
const DROP: &str = "DELETE FROM operator_dynamic_profiles WHERE station = ?1 AND (?2 IS NULL OR evse_no = ?2)
    AND (?3 IS NULL OR stack_level = ?3) AND (?4 IS NULL OR purpose = ?4)";
const LIMITS: &str = "SELECT limits, name, purpose FROM operator_dynamic_profiles WHERE station = ?1 AND id = ?2";
