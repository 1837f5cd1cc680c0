//! The mark on the disk of [`crate::untold`]: until when all changes of an EVSE's public status have been told.

use charge::Timestamp;
use charge::id::EvseUid;
use store::{Migration, StoreError, Tx, values};

use crate::memory::word;

/// EVSEs were notices before; without a mark, all are told once.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator untold", number: 1, name: "until when EVSEs were told", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_evses_told (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    until INTEGER NOT NULL
);
DELETE FROM operator_notices WHERE kind = 'evse';";

/// All changes until then have been told.
pub(crate) fn mark(tx: &mut Tx<'_>, until: Timestamp) -> Result<(), StoreError> {
    tx.execute(MARK, &values![until]).map(drop)
}

/// The EVSEs whose change may not have been told.
pub(crate) fn after_mark(tx: &Tx<'_>) -> Result<Vec<EvseUid>, StoreError> {
    tx.query(AFTER_MARK, &[], |row| word(row, 0, "uid"))
}

const MARK: &str = "INSERT INTO operator_evses_told (one, until) VALUES (1, ?1)
    ON CONFLICT (one) DO UPDATE SET until = excluded.until";
const AFTER_MARK: &str = "SELECT uid FROM operator_evses
    WHERE changed > COALESCE((SELECT until FROM operator_evses_told), -9223372036854775807)";
