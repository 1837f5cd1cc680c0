//! Disputes and their differences: they stay as long as the books do.

use std::collections::BTreeMap;

use billing::cdr::Difference;
use charge::Timestamp;
use store::{Row, StoreError, Tx, values};

use super::{corrupt, count, parsed};
use crate::cdrs::{Dispute, DisputeState};
use crate::{CdrNo, DisputeNo};

/// Opens the dispute about a CDR, or adds what is new to it.
pub(crate) fn open(tx: &mut Tx<'_>, cdr: CdrNo, found: &[Difference], now: Timestamp) -> Result<DisputeNo, StoreError> {
    tx.execute(OPEN, &values![cdr.0, now])?;
    let no = tx.one(OF_CDR, &values![cdr.0], |row| row.int(0))?.ok_or_else(|| corrupt("provider_dispute.no"))?;
    let known = tx.query(DIFFERENCES, &values![no], |row| Ok(read_difference(row)?.1))?;
    for (nth, difference) in found.iter().filter(|found| !known.contains(found)).enumerate() {
        let Difference { path, theirs, ours } = difference;
        let nth = count(known.len()) + count(nth);
        tx.execute(PUT_DIFFERENCE, &values![no, nth, path, theirs, ours])?;
    }
    Ok(DisputeNo(no))
}

/// `false`: it is settled already.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    no: DisputeNo,
    state: DisputeState,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(SETTLE, &values![no.0, state.as_str(), by, now])? > 0)
}

pub(crate) fn list(tx: &Tx<'_>) -> Result<Vec<Dispute>, StoreError> {
    let mut disputes = tx.query(LIST, &[], read)?;
    let mut differences: BTreeMap<i64, Vec<Difference>> = BTreeMap::new();
    for (dispute, difference) in tx.query(ALL_DIFFERENCES, &[], read_difference)? {
        differences.entry(dispute).or_default().push(difference);
    }
    for dispute in &mut disputes {
        dispute.differences = differences.remove(&dispute.no.0).unwrap_or_default();
    }
    Ok(disputes)
}

pub(crate) fn find(tx: &Tx<'_>, no: DisputeNo) -> Result<Option<Dispute>, StoreError> {
    let Some(mut dispute) = tx.one(FIND, &values![no.0], read)? else { return Ok(None) };
    dispute.differences = tx.query(DIFFERENCES, &values![no.0], |row| Ok(read_difference(row)?.1))?;
    Ok(Some(dispute))
}

pub(crate) fn open_total(tx: &Tx<'_>) -> Result<i64, StoreError> {
    Ok(tx.one(OPEN_TOTAL, &[], |row| row.int(0))?.unwrap_or(0))
}

fn read(row: &Row<'_>) -> Result<Dispute, StoreError> {
    Ok(Dispute {
        no: DisputeNo(row.int(0)?),
        cdr: CdrNo(row.int(1)?),
        operator: parsed(&row.text(2)?, "provider_cdr.operator")?,
        cdr_id: parsed(&row.text(3)?, "provider_cdr.id")?,
        state: DisputeState::named(&row.text(4)?).ok_or_else(|| corrupt("provider_dispute.state"))?,
        opened: row.time(5)?,
        settled: row.time_opt(6)?,
        settled_by: row.text_opt(7)?,
        differences: Vec::new(),
    })
}

fn read_difference(row: &Row<'_>) -> Result<(i64, Difference), StoreError> {
    Ok((row.int(0)?, Difference { path: row.text(1)?, theirs: row.text(2)?, ours: row.text(3)? }))
}

const OPEN: &str = "INSERT INTO provider_dispute (cdr, state, opened) VALUES (?1, 'open', ?2)
    ON CONFLICT (cdr) DO NOTHING";
const OF_CDR: &str = "SELECT no FROM provider_dispute WHERE cdr = ?1";
const PUT_DIFFERENCE: &str = "INSERT INTO provider_difference (dispute, nth, path, theirs, ours)
    VALUES (?1, ?2, ?3, ?4, ?5)";
const SETTLE: &str = "UPDATE provider_dispute SET state = ?2, settled_by = ?3, settled = ?4
    WHERE no = ?1 AND state = 'open'";
const LIST: &str = "SELECT d.no, d.cdr, c.operator, c.id, d.state, d.opened, d.settled, d.settled_by
    FROM provider_dispute d JOIN provider_cdr c ON c.no = d.cdr ORDER BY d.no DESC LIMIT 1000";
const FIND: &str = "SELECT d.no, d.cdr, c.operator, c.id, d.state, d.opened, d.settled, d.settled_by
    FROM provider_dispute d JOIN provider_cdr c ON c.no = d.cdr WHERE d.no = ?1";
const DIFFERENCES: &str = "SELECT dispute, path, theirs, ours FROM provider_difference WHERE dispute = ?1 ORDER BY nth";
const ALL_DIFFERENCES: &str = "SELECT dispute, path, theirs, ours FROM provider_difference
    WHERE dispute IN (SELECT no FROM provider_dispute ORDER BY no DESC LIMIT 1000) ORDER BY dispute, nth";
const OPEN_TOTAL: &str = "SELECT COUNT(*) FROM provider_dispute WHERE state = 'open'";
