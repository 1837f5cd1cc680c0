//! The rows of what was lost on the way: a bounded number for each pair of parties and errand.

use charge::Timestamp;
use charge::id::PartyId;
use charge::talk::road::LossRow;
use store::{Row, StoreError, Tx, values};

use super::party;
use crate::losses::Loss;

/// Adds to a row; a new one only where there is room.
pub(crate) fn add(tx: &mut Tx<'_>, loss: &Loss, (count, last): (i64, Timestamp)) -> Result<(), StoreError> {
    let (from, to) = (loss.from.to_string(), loss.to.to_string());
    let row = values![from.as_str(), to.as_str(), loss.errand, &*loss.what, count, last];
    if tx.execute(ADD, &row)? == 0 {
        let held = tx.one(HELD, &values![from, to, loss.errand], |row| row.int(0))?.unwrap_or(0);
        if held < ROWS_PER_LANE_MAX {
            tx.execute(PUT, &row)?;
        }
    }
    Ok(())
}

/// The latest first.
pub(crate) fn all(tx: &Tx<'_>) -> Result<Vec<LossRow>, StoreError> {
    tx.query(ALL, &[], row)
}

/// Those that a party sent or was to receive.
pub(crate) fn of(tx: &Tx<'_>, party: PartyId) -> Result<Vec<LossRow>, StoreError> {
    tx.query(OF, &values![party.to_string()], row)
}

fn row(row: &Row<'_>) -> Result<LossRow, StoreError> {
    Ok(LossRow {
        from: party(&row.text(0)?)?,
        to: party(&row.text(1)?)?,
        errand: row.text(2)?,
        what: row.text(3)?,
        count: row.int(4)?,
        last: row.time(5)?,
    })
}

pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET, &values![before])
}

/// Places that one kind of letter may lose between two parties: a document has some dozens of members.
const ROWS_PER_LANE_MAX: i64 = 100;

const ADD: &str = "UPDATE hub_loss SET count = count + ?5, last = MAX(last, ?6)
    WHERE sender = ?1 AND receiver = ?2 AND errand = ?3 AND what = ?4";
const HELD: &str = "SELECT COUNT(*) FROM hub_loss WHERE sender = ?1 AND receiver = ?2 AND errand = ?3";
const PUT: &str = "INSERT INTO hub_loss (sender, receiver, errand, what, count, last)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const ALL: &str = "SELECT sender, receiver, errand, what, count, last FROM hub_loss
    ORDER BY last DESC, sender, receiver, errand, what LIMIT 5000";
const OF: &str = "SELECT sender, receiver, errand, what, count, last FROM hub_loss WHERE sender = ?1 OR receiver = ?1
    ORDER BY last DESC, sender, receiver, errand, what LIMIT 5000";
const FORGET: &str = "DELETE FROM hub_loss WHERE last < ?1";
