//! Received CDRs with their signed records, byte for byte. A row is written once and never changed.

use charge::Timestamp;
use charge::id::{CdrId, PartyId};
use charge::meter::SignedRecord;
use charge::record::{Cdr, Nature};
use charge::units::Energy;
use store::{Row, StoreError, Tx, values};

use super::{corrupt, count, parsed, price};
use crate::cdrs::{CdrRow, DisputeState};
use crate::{CdrNo, DisputeNo, DriverId, SessionNo, TariffNo};

/// What the audit found out and what the row needs beside the CDR itself.
pub(crate) struct Filing<'a> {
    pub(crate) session: SessionNo,
    pub(crate) tariff: TariffNo,
    pub(crate) verdict: &'a str,
    pub(crate) received: Timestamp,
}

pub(crate) fn insert(tx: &mut Tx<'_>, cdr: &Cdr, filing: &Filing<'_>) -> Result<CdrNo, StoreError> {
    let values = values![
        cdr.party.to_string(),
        cdr.id.as_str(),
        filing.session.0,
        cdr.start,
        cdr.end,
        cdr.energy.mwh(),
        cdr.currency.as_str(),
        cdr.total_cost.before_vat.to_string(),
        cdr.total_cost.with_vat.map(|amount| amount.to_string()),
        cdr.credit.then(|| cdr.credit_reference.as_ref().map_or("", |id| id.as_str()).to_owned()),
        filing.tariff.0,
        filing.verdict,
        cdr.remark.clone(),
        filing.received,
    ];
    let no = tx.one(INSERT, &values, |row| row.int(0))?.ok_or_else(|| corrupt("provider_cdr.no"))?;
    for (nth, signed) in cdr.signed.iter().enumerate() {
        let (format, bytes) = (&*signed.record.format, &*signed.record.bytes);
        let key = signed.record.public_key.as_deref();
        tx.execute(PUT_SIGNED, &values![no, count(nth), nature_name(signed.nature), format, bytes, key])?;
    }
    Ok(CdrNo(no))
}

pub(crate) fn by_id(tx: &Tx<'_>, operator: PartyId, id: &CdrId) -> Result<Option<CdrRow>, StoreError> {
    tx.one(BY_ID, &values![operator.to_string(), id.as_str()], read)
}

pub(crate) fn find(tx: &Tx<'_>, no: CdrNo) -> Result<Option<CdrRow>, StoreError> {
    tx.one(BY_NO, &values![no.0], read)
}

/// The CDR that closed a session: the first one that is no credit.
pub(crate) fn of_session(tx: &Tx<'_>, session: SessionNo) -> Result<Option<CdrRow>, StoreError> {
    tx.one(OF_SESSION, &values![session.0], read)
}

/// Whether a credit for this CDR is billed already.
pub(crate) fn is_credited(tx: &Tx<'_>, operator: PartyId, id: &CdrId) -> Result<bool, StoreError> {
    Ok(tx.one(CREDITED, &values![operator.to_string(), id.as_str()], |row| row.int(0))?.is_some())
}

pub(crate) fn list(tx: &Tx<'_>, offset: u32, limit: u32) -> Result<Vec<CdrRow>, StoreError> {
    tx.query(LIST, &values![offset, limit], read)
}

pub(crate) fn total(tx: &Tx<'_>) -> Result<i64, StoreError> {
    Ok(tx.one(TOTAL, &[], |row| row.int(0))?.unwrap_or(0))
}

/// Received since then: all, those with valid records, those without.
pub(crate) fn figures(tx: &Tx<'_>, since: Timestamp) -> Result<(i64, i64, i64), StoreError> {
    Ok(tx.one(FIGURES, &values![since], |row| Ok((row.int(0)?, row.int(1)?, row.int(2)?)))?.unwrap_or_default())
}

/// The signed records in their order.
pub(crate) fn signed(tx: &Tx<'_>, no: CdrNo) -> Result<Vec<SignedRecord>, StoreError> {
    tx.query(SIGNED, &values![no.0], |row| {
        Ok(SignedRecord {
            format: row.text(0)?.into(),
            bytes: row.blob(1)?.into(),
            public_key: row.text_opt(2)?.map(Into::into),
        })
    })
}

/// Signed records name the charging point: they go with the place.
pub(crate) fn strip(tx: &mut Tx<'_>, session: SessionNo) -> Result<(), StoreError> {
    tx.execute(FORGET_SIGNED, &values![session.0]).map(drop)
}

fn read(row: &Row<'_>) -> Result<CdrRow, StoreError> {
    let dispute = match (row.int_opt(12)?, row.text_opt(13)?) {
        (Some(no), Some(state)) => {
            let state = DisputeState::named(&state).ok_or_else(|| corrupt("provider_dispute.state"))?;
            Some((DisputeNo(no), state))
        }
        (Some(_), None) | (None, Some(_) | None) => None,
    };
    Ok(CdrRow {
        no: CdrNo(row.int(0)?),
        operator: parsed(&row.text(1)?, "provider_cdr.operator")?,
        id: parsed(&row.text(2)?, "provider_cdr.id")?,
        session: SessionNo(row.int(3)?),
        driver: parsed::<DriverId>(&row.text(4)?, "provider_session.driver")?,
        start: row.time(5)?,
        end: row.time(6)?,
        energy: Energy::from_mwh(row.int(7)?),
        currency: parsed(&row.text(8)?, "provider_cdr.currency")?,
        total: price(row, 9, "provider_cdr.total")?.ok_or_else(|| corrupt("provider_cdr.total_before"))?,
        credit: row.flag(11)?,
        dispute,
        verdict: row.text(14)?,
        received: row.time(15)?,
        remark: row.text_opt(16)?,
    })
}

const fn nature_name(nature: Nature) -> &'static str {
    match nature {
        Nature::Start => "Start",
        Nature::End => "End",
        Nature::Intermediate => "Intermediate",
    }
}

const INSERT: &str = "INSERT INTO provider_cdr (operator, id, session, started, ended, energy, currency, total_before,
    total_with, credit_of, tariff, verdict, remark, received)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) RETURNING no";
const PUT_SIGNED: &str = "INSERT INTO provider_signed (cdr, nth, nature, format, bytes, public_key)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const BY_ID: &str = "SELECT c.no, c.operator, c.id, c.session, s.driver, c.started, c.ended, c.energy, c.currency,
    c.total_before, c.total_with, c.credit_of IS NOT NULL, d.no, d.state, c.verdict, c.received, c.remark
    FROM provider_cdr c JOIN provider_session s ON s.no = c.session LEFT JOIN provider_dispute d ON d.cdr = c.no
    WHERE c.operator = ?1 AND c.id = ?2";
const BY_NO: &str = "SELECT c.no, c.operator, c.id, c.session, s.driver, c.started, c.ended, c.energy, c.currency,
    c.total_before, c.total_with, c.credit_of IS NOT NULL, d.no, d.state, c.verdict, c.received, c.remark
    FROM provider_cdr c JOIN provider_session s ON s.no = c.session LEFT JOIN provider_dispute d ON d.cdr = c.no
    WHERE c.no = ?1";
const OF_SESSION: &str = "SELECT c.no, c.operator, c.id, c.session, s.driver, c.started, c.ended, c.energy, c.currency,
    c.total_before, c.total_with, c.credit_of IS NOT NULL, d.no, d.state, c.verdict, c.received, c.remark
    FROM provider_cdr c JOIN provider_session s ON s.no = c.session LEFT JOIN provider_dispute d ON d.cdr = c.no
    WHERE c.session = ?1 AND c.credit_of IS NULL ORDER BY c.no";
const CREDITED: &str = "SELECT c.no FROM provider_cdr c LEFT JOIN provider_dispute d ON d.cdr = c.no
    WHERE c.operator = ?1 AND c.credit_of = ?2 AND (d.state IS NULL OR d.state = 'accepted')";
const LIST: &str = "SELECT c.no, c.operator, c.id, c.session, s.driver, c.started, c.ended, c.energy, c.currency,
    c.total_before, c.total_with, c.credit_of IS NOT NULL, d.no, d.state, c.verdict, c.received, c.remark
    FROM provider_cdr c JOIN provider_session s ON s.no = c.session LEFT JOIN provider_dispute d ON d.cdr = c.no
    ORDER BY c.no DESC LIMIT ?2 OFFSET ?1";
const TOTAL: &str = "SELECT COUNT(*) FROM provider_cdr";
const FIGURES: &str = "SELECT COUNT(*), COALESCE(SUM(verdict IN ('valid', 'valid with remarks')), 0),
    COALESCE(SUM(verdict = 'not valid'), 0) FROM provider_cdr WHERE received >= ?1";
const SIGNED: &str = "SELECT format, bytes, public_key FROM provider_signed WHERE cdr = ?1 ORDER BY nth";
const FORGET_SIGNED: &str = "DELETE FROM provider_signed
    WHERE cdr IN (SELECT no FROM provider_cdr WHERE session = ?1)";
