//! Rows of keys that stations were sent and have not come with yet.

use charge::Timestamp;
use charge::id::StationId;
use store::{Migration, StoreError, Tx, values};
use trust::station_key::StationKeyDigest;

/// A family of its own: at most one row for a station, and none for most.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator keys", number: 1, name: "keys that stations were sent", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_next_keys (
    station TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    sent INTEGER NOT NULL
);";

/// Before the station hears of it. `false`: it does not prove itself with a key.
pub(crate) fn sending(
    tx: &mut Tx<'_>,
    station: &StationId,
    next: &StationKeyDigest,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(SENDING, &values![station.as_str(), next.to_string(), now])? > 0)
}

/// Whether this is the key that the station was sent last, and nobody knows yet whether it has it.
pub(crate) fn is_next(tx: &Tx<'_>, station: &StationId, next: &StationKeyDigest) -> Result<bool, StoreError> {
    Ok(tx.one(IS_NEXT, &values![station.as_str(), next.to_string()], |_| Ok(()))?.is_some())
}

/// The station has it: from now on it opens, and the one before does not (A01.FR.03).
pub(crate) fn took(tx: &mut Tx<'_>, station: &StationId) -> Result<(), StoreError> {
    tx.execute(TOOK, &values![station.as_str()])?;
    forget(tx, station)
}

/// It does not open (any more).
pub(crate) fn forget(tx: &mut Tx<'_>, station: &StationId) -> Result<(), StoreError> {
    tx.execute(FORGET, &values![station.as_str()]).map(drop)
}

const SENDING: &str = "INSERT INTO operator_next_keys (station, digest, sent)
    SELECT id, ?2, ?3 FROM operator_stations WHERE id = ?1 AND retired IS NULL AND key_digest IS NOT NULL
    ON CONFLICT (station) DO UPDATE SET digest = excluded.digest, sent = excluded.sent";
const TOOK: &str =
    "UPDATE operator_stations SET key_digest = (SELECT digest FROM operator_next_keys WHERE station = ?1)
    WHERE id = ?1 AND EXISTS (SELECT 1 FROM operator_next_keys WHERE station = ?1)";
const IS_NEXT: &str = "SELECT 1 FROM operator_next_keys WHERE station = ?1 AND digest = ?2";
const FORGET: &str = "DELETE FROM operator_next_keys WHERE station = ?1";
