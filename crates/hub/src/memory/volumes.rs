//! The ledger's rows: volumes per hour, pair of parties and errand.

use charge::Timestamp;
use charge::id::PartyId;
use store::{StoreError, Tx, values};

use super::party;
use crate::ledger::{Lane, Tally};
use crate::views::{HourPoint, RouteRow};

pub(crate) fn add(tx: &mut Tx<'_>, lane: &Lane, tally: Tally) -> Result<(), StoreError> {
    let (from, to) = (lane.from.to_string(), lane.to.to_string());
    let Tally { letters, bytes, refused, silent, unreachable } = tally;
    tx.execute(ADD, &values![lane.hour, from, to, lane.errand, letters, bytes, refused, silent, unreachable]).map(drop)
}

/// Letters, bytes and failures since then.
pub(crate) fn sum(tx: &Tx<'_>, since: Timestamp) -> Result<(i64, i64, i64), StoreError> {
    let sum = tx.one(SUM, &values![since], |row| Ok((row.int(0)?, row.int(1)?, row.int(2)?)))?;
    Ok(sum.unwrap_or_default())
}

/// The time series of all letters, or of one pair and errand.
pub(crate) fn series(
    tx: &Tx<'_>,
    since: Timestamp,
    lane: Option<(&str, &str, &str)>,
) -> Result<Vec<HourPoint>, StoreError> {
    let (from, to, errand) = lane.unwrap_or(("", "", ""));
    tx.query(SERIES, &values![since, from, to, errand], |row| Ok(HourPoint { at: row.time(0)?, count: row.int(1)? }))
}

pub(crate) fn routes(tx: &Tx<'_>, since: Timestamp) -> Result<Vec<RouteRow>, StoreError> {
    tx.query(ROUTES, &values![since], |row| {
        Ok(RouteRow {
            from: party(&row.text(0)?)?,
            to: party(&row.text(1)?)?,
            errand: row.text(2)?,
            count: row.int(3)?,
            bytes: row.int(4)?,
            failures: row.int(5)?,
            last_hour: row.time(6)?,
        })
    })
}

/// Operators whose letters pass, and that have sent such letters to this party in the time that volumes are kept.
pub(crate) fn senders(tx: &Tx<'_>, to: PartyId, errand: &str) -> Result<Vec<PartyId>, StoreError> {
    tx.query(SENDERS, &values![to.to_string(), errand], |row| party(&row.text(0)?))
}

pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET, &values![before])
}

const ADD: &str = "INSERT INTO hub_volume
    (hour, sender, receiver, errand, letters, bytes, refused, silent, unreachable)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (hour, sender, receiver, errand) DO UPDATE SET
        letters = hub_volume.letters + excluded.letters, bytes = hub_volume.bytes + excluded.bytes,
        refused = hub_volume.refused + excluded.refused, silent = hub_volume.silent + excluded.silent,
        unreachable = hub_volume.unreachable + excluded.unreachable";
const SUM: &str = "SELECT COALESCE(SUM(letters), 0), COALESCE(SUM(bytes), 0),
    COALESCE(SUM(refused + silent + unreachable), 0) FROM hub_volume WHERE hour >= ?1";
const SERIES: &str = "SELECT hour, SUM(letters) FROM hub_volume
    WHERE hour >= ?1 AND (?2 = '' OR (sender = ?2 AND receiver = ?3 AND errand = ?4)) GROUP BY hour ORDER BY hour";
const ROUTES: &str = "SELECT sender, receiver, errand, SUM(letters), SUM(bytes),
    SUM(refused + silent + unreachable), MAX(hour) FROM hub_volume WHERE hour >= ?1
    GROUP BY sender, receiver, errand ORDER BY 4 DESC, 1, 2, 3 LIMIT 5000";
const SENDERS: &str = "SELECT DISTINCT v.sender FROM hub_volume v
    JOIN hub_party p ON p.party = v.sender AND p.role = 'operator' AND p.status = 'CONNECTED'
    WHERE v.receiver = ?1 AND v.errand = ?2 ORDER BY v.sender";
const FORGET: &str = "DELETE FROM hub_volume WHERE hour < ?1";
