//! Rows of tolerances: the operator's profiles, the operator's word for one station, and how often stations deviate.

use charge::Timestamp;
use charge::id::StationId;
use charge::talk::line::quirk::{Quirk, Quirks};
use store::{Migration, StoreError, Tx, values};

use crate::memory::{named, word};
use crate::quirk::{self, Because, Make, Own, Profile};

/// A family of its own: no other table refers to it.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator quirks", number: 1, name: "tolerances and deviations", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_quirk_profiles (
    name TEXT PRIMARY KEY,
    vendor TEXT NOT NULL,
    model TEXT NOT NULL,
    firmware TEXT NOT NULL,
    switched_on TEXT NOT NULL,
    switched_off TEXT NOT NULL
);
CREATE TABLE operator_station_quirks (
    station TEXT NOT NULL,
    quirk TEXT NOT NULL,
    is_on INTEGER NOT NULL,
    PRIMARY KEY (station, quirk)
);
CREATE TABLE operator_strict (
    station TEXT PRIMARY KEY
);
CREATE TABLE operator_deviations (
    station TEXT NOT NULL,
    quirk TEXT NOT NULL,
    met INTEGER NOT NULL,
    last INTEGER NOT NULL,
    dismissed INTEGER NOT NULL,
    PRIMARY KEY (station, quirk)
);";

/// What was remarked of the last line that deviated in each way.
pub(crate) const EXAMPLES: Migration = Migration {
    family: "operator quirks",
    number: 2,
    name: "an example of each deviation",
    sql: "ALTER TABLE operator_deviations ADD COLUMN example TEXT;",
};

/// How often a station deviated in one way.
#[derive(Clone, Debug)]
pub(crate) struct Deviation {
    pub quirk: Quirk,
    pub met: u64,
    pub dismissed: u64,
    pub last: Timestamp,
    pub example: Option<String>,
}

/// What is tolerated of a station, each with its reason.
pub(crate) fn decided(tx: &Tx<'_>, station: &StationId) -> Result<Vec<(Quirk, bool, Because)>, StoreError> {
    Ok(quirk::decide(&make(tx, station)?, &all_profiles(tx)?, &own(tx, station)?))
}

/// Those that are shipped, then the operator's: the later count above the earlier.
pub(crate) fn all_profiles(tx: &Tx<'_>) -> Result<Vec<Profile>, StoreError> {
    let mut all = quirk::shipped().to_vec();
    all.extend(profiles(tx)?);
    Ok(all)
}

pub(crate) fn set(tx: &Tx<'_>, station: &StationId) -> Result<Quirks, StoreError> {
    Ok(quirk::set(&decided(tx, station)?))
}

/// The same for a station whose row was just read. Nearly always nobody has switched anything: then there is nothing to
/// look up.
pub(crate) fn set_of(tx: &Tx<'_>, station: &StationId, make: &Make, found: &Found) -> Result<Quirks, StoreError> {
    let own = if found.own { own(tx, station)? } else { Own::default() };
    let decided = if found.profiles {
        quirk::decide(make, &all_profiles(tx)?, &own)
    } else {
        quirk::decide(make, quirk::shipped(), &own)
    };
    Ok(quirk::set(&decided))
}

/// What there is besides the shipped profiles: the operator's, and its word for one station.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub own: bool,
    pub profiles: bool,
}

pub(crate) fn make(tx: &Tx<'_>, station: &StationId) -> Result<Make, StoreError> {
    let found = tx.one(MAKE, &values![station.as_str()], |row| {
        let text = |column| Ok::<_, StoreError>(row.text_opt(column)?.unwrap_or_default());
        Ok(Make { vendor: text(0)?, model: text(1)?, firmware: text(2)? })
    })?;
    Ok(found.unwrap_or_default())
}

pub(crate) fn own(tx: &Tx<'_>, station: &StationId) -> Result<Own, StoreError> {
    let strict = tx.one(STRICT, &values![station.as_str()], |row| row.int(0))?.is_some();
    let switched = tx
        .query(SWITCHED, &values![station.as_str()], |row| Ok((named(row, 0, "quirk", Quirk::named)?, row.flag(1)?)))?;
    Ok(Own { strict, switched })
}

/// `None`: as the profiles say.
pub(crate) fn switch(tx: &mut Tx<'_>, station: &StationId, quirk: Quirk, on: Option<bool>) -> Result<(), StoreError> {
    match on {
        Some(on) => tx.execute(SWITCH, &values![station.as_str(), quirk.as_str(), on]),
        None => tx.execute(UNSWITCH, &values![station.as_str(), quirk.as_str()]),
    }
    .map(drop)
}

pub(crate) fn set_strict(tx: &mut Tx<'_>, station: &StationId, strict: bool) -> Result<(), StoreError> {
    tx.execute(if strict { PUT_STRICT } else { DROP_STRICT }, &values![station.as_str()]).map(drop)
}

pub(crate) fn profiles(tx: &Tx<'_>) -> Result<Vec<Profile>, StoreError> {
    tx.query(PROFILES, &[], |row| {
        let (on, off) = (names(&row.text(4)?), names(&row.text(5)?));
        Ok(Profile { name: row.text(0)?, vendor: row.text(1)?, model: row.text(2)?, firmware: row.text(3)?, on, off })
    })
}

/// Takes the place of the one with its name.
pub(crate) fn put_profile(tx: &mut Tx<'_>, profile: &Profile) -> Result<(), StoreError> {
    let lines = |quirks: &[Quirk]| quirks.iter().map(|quirk| quirk.as_str()).collect::<Vec<_>>().join("\n");
    let Profile { name, vendor, model, firmware, on, off } = profile;
    let row = values![name.as_str(), vendor.as_str(), model.as_str(), firmware.as_str(), lines(on), lines(off)];
    tx.execute(PUT_PROFILE, &row).map(drop)
}

/// `false`: there is none of this name.
pub(crate) fn remove_profile(tx: &mut Tx<'_>, name: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(REMOVE_PROFILE, &values![name])? > 0)
}

/// Adds to what was counted.
pub(crate) fn count(
    tx: &mut Tx<'_>,
    station: &StationId,
    quirk: Quirk,
    (more, example): (u64, Option<&str>),
    now: Timestamp,
) -> Result<(), StoreError> {
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    tx.execute(COUNT, &values![station.as_str(), quirk.as_str(), more, now, example]).map(drop)
}

/// What was met so far is not spoken of again.
pub(crate) fn dismiss(tx: &mut Tx<'_>, station: &StationId, quirk: Quirk) -> Result<bool, StoreError> {
    Ok(tx.execute(DISMISS, &values![station.as_str(), quirk.as_str()])? > 0)
}

pub(crate) fn deviations(tx: &Tx<'_>, station: &StationId) -> Result<Vec<Deviation>, StoreError> {
    let found = tx.query(DEVIATIONS, &values![station.as_str()], |row| {
        let (met, dismissed) = (row.int(1)?.unsigned_abs(), row.int(2)?.unsigned_abs());
        let (last, example) = (row.time(3)?, row.text_opt(4)?);
        Ok(Quirk::named(&row.text(0)?).map(|quirk| Deviation { quirk, met, dismissed, last, example }))
    })?;
    // a tolerance of a later version is passed over
    Ok(found.into_iter().flatten().collect())
}

/// Stations that deviated often enough since they were dismissed.
pub(crate) fn deviating(tx: &Tx<'_>) -> Result<Vec<StationId>, StoreError> {
    let least = i64::try_from(quirk::SUGGESTED_AFTER).unwrap_or(i64::MAX);
    tx.query(DEVIATING, &values![least], |row| word(row, 0, "station"))
}

/// A name that a later program does not know any more means nothing.
fn names(text: &str) -> Vec<Quirk> {
    text.lines().filter_map(Quirk::named).collect()
}

const MAKE: &str = "SELECT vendor, model, firmware FROM operator_stations WHERE id = ?1";
const STRICT: &str = "SELECT 1 FROM operator_strict WHERE station = ?1";
const PUT_STRICT: &str = "INSERT INTO operator_strict (station) VALUES (?1) ON CONFLICT (station) DO NOTHING";
const DROP_STRICT: &str = "DELETE FROM operator_strict WHERE station = ?1";
const SWITCHED: &str = "SELECT quirk, is_on FROM operator_station_quirks WHERE station = ?1";
const SWITCH: &str = "INSERT INTO operator_station_quirks (station, quirk, is_on) VALUES (?1, ?2, ?3)
    ON CONFLICT (station, quirk) DO UPDATE SET is_on = excluded.is_on";
const UNSWITCH: &str = "DELETE FROM operator_station_quirks WHERE station = ?1 AND quirk = ?2";
const PROFILES: &str = "SELECT name, vendor, model, firmware, switched_on, switched_off FROM operator_quirk_profiles
    ORDER BY name";
const PUT_PROFILE: &str = "INSERT INTO operator_quirk_profiles (name, vendor, model, firmware, switched_on,
    switched_off) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (name) DO UPDATE SET vendor = excluded.vendor, model = excluded.model, firmware = excluded.firmware,
    switched_on = excluded.switched_on, switched_off = excluded.switched_off";
const REMOVE_PROFILE: &str = "DELETE FROM operator_quirk_profiles WHERE name = ?1";
const COUNT: &str = "INSERT INTO operator_deviations (station, quirk, met, last, dismissed, example)
    VALUES (?1, ?2, ?3, ?4, 0, ?5)
    ON CONFLICT (station, quirk) DO UPDATE SET met = met + excluded.met, last = excluded.last,
    example = COALESCE(excluded.example, example)";
const DISMISS: &str = "UPDATE operator_deviations SET dismissed = met WHERE station = ?1 AND quirk = ?2";
const DEVIATIONS: &str =
    "SELECT quirk, met, dismissed, last, example FROM operator_deviations WHERE station = ?1 ORDER BY quirk";
const DEVIATING: &str = "SELECT DISTINCT station FROM operator_deviations WHERE met - dismissed >= ?1
    ORDER BY station LIMIT 1000";
