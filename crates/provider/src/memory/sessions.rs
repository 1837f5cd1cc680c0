//! Sessions with their curve and cost lines. Place and curve go when the dispute window is over.

use charge::Timestamp;
use charge::id::{PartyId, SessionId};
use charge::money::{Currency, Price};
use charge::record::SessionStatus;
use charge::units::{Energy, Power};
use store::{Row, StoreError, Tx, values};

use super::tariffs::{dimension_name, dimension_named};
use super::{before, corrupt, count, parsed, parsed_opt, price, with_vat};
use crate::sessions::{CostLine, Owner, Point, SessionPlace, SessionRow, status_name, status_named};
use crate::{DriverId, SessionNo, TariffNo};

/// What decisions need of a known session.
pub(crate) struct Known {
    pub(crate) no: SessionNo,
    pub(crate) status: SessionStatus,
    pub(crate) updated: Timestamp,
    pub(crate) energy: Energy,
    pub(crate) started: Timestamp,
    pub(crate) subject: String,
    pub(crate) driver: DriverId,
    pub(crate) tariff: Option<TariffNo>,
}

impl Known {
    pub(crate) fn owner(&self) -> Owner {
        Owner { driver: self.driver.clone(), subject: self.subject.clone(), code: None }
    }
}

/// What a session or CDR tells about a session.
pub(crate) struct Told<'a> {
    pub(crate) operator: PartyId,
    pub(crate) id: &'a SessionId,
    pub(crate) start: Timestamp,
    pub(crate) end: Option<Timestamp>,
    pub(crate) energy: Energy,
    pub(crate) status: SessionStatus,
    pub(crate) currency: Currency,
    pub(crate) cost: Option<Price>,
    pub(crate) updated: Timestamp,
    pub(crate) place: Option<SessionPlace>,
}

pub(crate) fn known(tx: &Tx<'_>, operator: PartyId, id: &SessionId) -> Result<Option<Known>, StoreError> {
    tx.one(KNOWN, &values![operator.to_string(), id.as_str()], read_known)
}

pub(crate) fn known_by_no(tx: &Tx<'_>, no: SessionNo) -> Result<Option<Known>, StoreError> {
    tx.one(KNOWN_BY_NO, &values![no.0], read_known)
}

pub(crate) fn insert(
    tx: &mut Tx<'_>,
    told: &Told<'_>,
    owner: &Owner,
    tariff: Option<TariffNo>,
) -> Result<SessionNo, StoreError> {
    let place = told.place.as_ref();
    let values = values![
        told.operator.to_string(),
        told.id.as_str(),
        owner.driver.as_str(),
        owner.subject.as_str(),
        told.start,
        told.end,
        told.energy.mwh(),
        status_name(told.status),
        told.currency.as_str(),
        before(told.cost.as_ref()),
        with_vat(told.cost.as_ref()),
        tariff.map(|no| no.0),
        place.map(|place| place.location.as_str()),
        place.map(|place| place.evse.as_str()),
        place.and_then(|place| place.evse_id.as_ref()).map(|id| id.as_str()),
        place.and_then(|place| place.name.clone()),
        place.map(|place| place.address.as_str()),
        place.map(|place| place.city.as_str()),
        told.updated,
    ];
    let no = tx.one(INSERT, &values, |row| row.int(0))?;
    no.map(SessionNo).ok_or_else(|| corrupt("provider_session.no"))
}

pub(crate) fn update(tx: &mut Tx<'_>, no: SessionNo, told: &Told<'_>) -> Result<(), StoreError> {
    let values = values![
        no.0,
        told.end,
        told.energy.mwh(),
        status_name(told.status),
        before(told.cost.as_ref()),
        with_vat(told.cost.as_ref()),
        told.updated,
    ];
    tx.execute(UPDATE, &values).map(drop)
}

pub(crate) fn put_point(tx: &mut Tx<'_>, no: SessionNo, point: Point) -> Result<(), StoreError> {
    tx.execute(PUT_POINT, &values![no.0, point.at, point.power.milliwatts(), point.energy.mwh()]).map(drop)
}

pub(crate) fn curve(tx: &Tx<'_>, no: SessionNo) -> Result<Vec<Point>, StoreError> {
    tx.query(CURVE, &values![no.0], |row| {
        let (power, energy) = (Power::from_milliwatts(row.int(1)?), Energy::from_mwh(row.int(2)?));
        Ok(Point { at: row.time(0)?, power, energy })
    })
}

/// Replaces the cost lines.
pub(crate) fn put_lines(tx: &mut Tx<'_>, no: SessionNo, lines: &[CostLine]) -> Result<(), StoreError> {
    tx.execute(FORGET_LINES, &values![no.0])?;
    for (nth, line) in lines.iter().enumerate() {
        let (quantity, amount) = (line.quantity.to_string(), line.amount.to_string());
        let dimension = line.dimension.map(dimension_name);
        let row = values![no.0, count(nth), line.text.as_str(), quantity, line.unit.as_str(), amount, dimension];
        tx.execute(PUT_LINE, &row)?;
    }
    Ok(())
}

pub(crate) fn lines(tx: &Tx<'_>, no: SessionNo) -> Result<Vec<CostLine>, StoreError> {
    tx.query(LINES, &values![no.0], |row| {
        let dimension = row.text_opt(4)?;
        let known = dimension.map(|name| dimension_named(&name).ok_or_else(|| corrupt("provider_line.dimension")));
        Ok(CostLine {
            dimension: known.transpose()?,
            text: row.text(0)?,
            quantity: parsed(&row.text(1)?, "provider_line.quantity")?,
            unit: row.text(2)?,
            amount: parsed(&row.text(3)?, "provider_line.amount")?,
        })
    })
}

/// The newest first; all drivers where none is named.
pub(crate) fn list(
    tx: &Tx<'_>,
    driver: Option<&DriverId>,
    offset: u32,
    limit: u32,
) -> Result<Vec<SessionRow>, StoreError> {
    tx.query(LIST, &values![driver.map(DriverId::as_str), offset, limit], read_row)
}

pub(crate) fn total(tx: &Tx<'_>, driver: Option<&DriverId>) -> Result<i64, StoreError> {
    Ok(tx.one(TOTAL, &values![driver.map(DriverId::as_str)], |row| row.int(0))?.unwrap_or(0))
}

pub(crate) fn row(tx: &Tx<'_>, no: SessionNo) -> Result<Option<SessionRow>, StoreError> {
    tx.one(ROW, &values![no.0], read_row)
}

/// The costs of a driver's sessions that are on no invoice: running, waiting for their CDR, or in an open dispute.
pub(crate) fn unsettled(tx: &Tx<'_>, driver: &DriverId) -> Result<Vec<Price>, StoreError> {
    let costs = tx.query(UNSETTLED, &values![driver.as_str()], |row| price(row, 0, "provider_session.cost"))?;
    Ok(costs.into_iter().flatten().collect())
}

/// Running now, and begun since.
pub(crate) fn figures(tx: &Tx<'_>, since: Timestamp) -> Result<(i64, i64, Energy), StoreError> {
    let figures =
        tx.one(FIGURES, &values![since], |row| Ok((row.int(0)?, row.int(1)?, Energy::from_mwh(row.int(2)?))))?;
    Ok(figures.unwrap_or((0, 0, Energy::ZERO)))
}

/// The sessions whose dispute window is over: ended before then, and no dispute is open.
pub(crate) fn to_strip(tx: &Tx<'_>, ended_before: Timestamp) -> Result<Vec<SessionNo>, StoreError> {
    tx.query(TO_STRIP, &values![ended_before], |row| row.int(0).map(SessionNo))
}

/// Takes away what says where and how somebody charged. Day, energy and amounts stay for the books.
pub(crate) fn strip(tx: &mut Tx<'_>, no: SessionNo) -> Result<(), StoreError> {
    tx.execute(STRIP, &values![no.0])?;
    tx.execute(FORGET_CURVE, &values![no.0])?;
    tx.execute(FORGET_LINES, &values![no.0]).map(drop)
}

fn read_known(row: &Row<'_>) -> Result<Known, StoreError> {
    Ok(Known {
        no: SessionNo(row.int(0)?),
        status: status_named(&row.text(1)?).ok_or_else(|| corrupt("provider_session.status"))?,
        updated: row.time(2)?,
        energy: Energy::from_mwh(row.int(3)?),
        started: row.time(4)?,
        subject: row.text(5)?,
        driver: parsed(&row.text(6)?, "provider_session.driver")?,
        tariff: row.int_opt(7)?.map(TariffNo),
    })
}

fn read_row(row: &Row<'_>) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        no: SessionNo(row.int(0)?),
        operator: parsed(&row.text(1)?, "provider_session.operator")?,
        id: parsed(&row.text(2)?, "provider_session.id")?,
        driver: parsed(&row.text(3)?, "provider_session.driver")?,
        start: row.time(4)?,
        end: row.time_opt(5)?,
        energy: Energy::from_mwh(row.int(6)?),
        status: status_named(&row.text(7)?).ok_or_else(|| corrupt("provider_session.status"))?,
        currency: parsed(&row.text(8)?, "provider_session.currency")?,
        cost: price(row, 9, "provider_session.cost")?,
        place: read_place(row, 11)?,
        verdict: row.text_opt(17)?,
    })
}

fn read_place(row: &Row<'_>, first: usize) -> Result<Option<SessionPlace>, StoreError> {
    let Some(location) = row.text_opt(first)? else { return Ok(None) };
    Ok(Some(SessionPlace {
        location: parsed(&location, "provider_session.location")?,
        evse: parsed(&row.text(first + 1)?, "provider_session.evse")?,
        evse_id: parsed_opt(row.text_opt(first + 2)?, "provider_session.evse_id")?,
        name: row.text_opt(first + 3)?,
        address: row.text(first + 4)?,
        city: row.text(first + 5)?,
    }))
}

const KNOWN: &str = "SELECT no, status, updated, energy, started, subject, driver, tariff FROM provider_session
    WHERE operator = ?1 AND id = ?2";
const KNOWN_BY_NO: &str = "SELECT no, status, updated, energy, started, subject, driver, tariff FROM provider_session
    WHERE no = ?1";
const INSERT: &str = "INSERT INTO provider_session (operator, id, driver, subject, started, ended, energy, status,
    currency, cost_before, cost_with, tariff, location, evse, evse_id, place_name, address, city, updated)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) RETURNING no";
const UPDATE: &str = "UPDATE provider_session SET ended = ?2, energy = ?3, status = ?4, cost_before = ?5,
    cost_with = ?6, updated = ?7 WHERE no = ?1";
const PUT_POINT: &str = "INSERT INTO provider_point (session, at, power, energy) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (session, at) DO NOTHING";
const CURVE: &str = "SELECT at, power, energy FROM provider_point WHERE session = ?1 ORDER BY at LIMIT 20000";
const FORGET_CURVE: &str = "DELETE FROM provider_point WHERE session = ?1";
const PUT_LINE: &str = "INSERT INTO provider_line (session, nth, text, quantity, unit, amount, dimension)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const LINES: &str = "SELECT text, quantity, unit, amount, dimension FROM provider_line WHERE session = ?1 ORDER BY nth";
const FORGET_LINES: &str = "DELETE FROM provider_line WHERE session = ?1";
const LIST: &str = "SELECT s.no, s.operator, s.id, s.driver, s.started, s.ended, s.energy, s.status, s.currency,
    s.cost_before, s.cost_with, s.location, s.evse, s.evse_id, s.place_name, s.address, s.city,
    (SELECT c.verdict FROM provider_cdr c WHERE c.session = s.no ORDER BY c.no LIMIT 1)
    FROM provider_session s WHERE ?1 IS NULL OR s.driver = ?1 ORDER BY s.started DESC, s.no DESC LIMIT ?3 OFFSET ?2";
const TOTAL: &str = "SELECT COUNT(*) FROM provider_session WHERE ?1 IS NULL OR driver = ?1";
const ROW: &str = "SELECT s.no, s.operator, s.id, s.driver, s.started, s.ended, s.energy, s.status, s.currency,
    s.cost_before, s.cost_with, s.location, s.evse, s.evse_id, s.place_name, s.address, s.city,
    (SELECT c.verdict FROM provider_cdr c WHERE c.session = s.no ORDER BY c.no LIMIT 1)
    FROM provider_session s WHERE s.no = ?1";
const UNSETTLED: &str = "SELECT s.cost_before, s.cost_with FROM provider_session s
    WHERE s.driver = ?1 AND s.stripped = 0 AND s.status <> 'INVALID' AND NOT EXISTS (SELECT 1 FROM provider_cdr c
        LEFT JOIN provider_dispute d ON d.cdr = c.no
        WHERE c.session = s.no AND (d.state IS NULL OR d.state <> 'open'))";
const FIGURES: &str = "SELECT COALESCE(SUM(CASE WHEN status IN ('PENDING', 'ACTIVE') THEN 1 ELSE 0 END), 0),
    COALESCE(SUM(CASE WHEN started >= ?1 THEN 1 ELSE 0 END), 0),
    COALESCE(SUM(CASE WHEN started >= ?1 THEN energy ELSE 0 END), 0) FROM provider_session";
const TO_STRIP: &str = "SELECT no FROM provider_session s WHERE s.stripped = 0 AND s.status IN ('COMPLETED', 'INVALID')
    AND COALESCE(s.ended, s.updated) < ?1 AND NOT EXISTS (SELECT 1 FROM provider_cdr c
        JOIN provider_dispute d ON d.cdr = c.no WHERE c.session = s.no AND d.state = 'open') LIMIT 1000";
const STRIP: &str = "UPDATE provider_session SET location = NULL, evse = NULL, evse_id = NULL, place_name = NULL,
    address = NULL, city = NULL, subject = '', stripped = 1 WHERE no = ?1";
