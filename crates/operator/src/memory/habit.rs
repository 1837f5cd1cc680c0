//! Rows of what is known of a make beyond its messages: settings that it says it does not know.
//!
//! Invariant: a setting is refused by a make with its firmware, so that an update gets a fresh try.

use charge::Timestamp;
use store::{Migration, StoreError, Tx, values};

use crate::quirk::Make;

pub(crate) const MIGRATION: Migration =
    Migration { family: "operator habits", number: 1, name: "settings that a make does not know", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_refused_keys (
    vendor TEXT NOT NULL,
    model TEXT NOT NULL,
    firmware TEXT NOT NULL,
    name TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (vendor, model, firmware, name)
) WITHOUT ROWID;";

/// Stations of this make said that they do not know these settings, and that they know those.
pub(crate) fn learn<'k>(
    tx: &mut Tx<'_>,
    make: &Make,
    refused: impl Iterator<Item = &'k str>,
    known: impl Iterator<Item = &'k str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if make.vendor.is_empty() && make.model.is_empty() {
        return Ok(());
    }
    let Make { vendor, model, firmware } = make;
    for name in refused.take(KEYS_MAX) {
        tx.execute(REFUSED, &values![vendor.as_str(), model.as_str(), firmware.as_str(), name, now])?;
    }
    if !refused_by(tx, make)?.is_empty() {
        for name in known.take(KEYS_MAX) {
            tx.execute(KNOWN, &values![vendor.as_str(), model.as_str(), firmware.as_str(), name])?;
        }
    }
    Ok(())
}

/// The settings that a make says it does not know.
pub(crate) fn refused_by(tx: &Tx<'_>, make: &Make) -> Result<Vec<String>, StoreError> {
    let Make { vendor, model, firmware } = make;
    tx.query(REFUSED_BY, &values![vendor.as_str(), model.as_str(), firmware.as_str()], |row| row.text(0))
}

/// Of one answer; as many as a template can name, with room.
const KEYS_MAX: usize = 500;

const REFUSED: &str = "INSERT INTO operator_refused_keys (vendor, model, firmware, name, at)
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
const KNOWN: &str = "DELETE FROM operator_refused_keys
    WHERE vendor = ?1 AND model = ?2 AND firmware = ?3 AND name = ?4";
const REFUSED_BY: &str = "SELECT name FROM operator_refused_keys
    WHERE vendor = ?1 AND model = ?2 AND firmware = ?3 ORDER BY name LIMIT 1000";
