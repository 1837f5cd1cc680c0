//! Tariffs, one row per version: what was agreed at a start stays readable when the operator changes its prices.

use charge::Timestamp;
use charge::id::{PartyId, TariffId};
use charge::money::Price;
use charge::tariff::{BookingFees, Component, Day, Dimension, Element, Fee, Restrictions, Tariff};
use charge::units::{Energy, Power};
use store::{Row, StoreError, Tx, values};

use super::{before, corrupt, count, parsed, parsed_opt, price, small, with_vat};
use crate::TariffNo;

/// Keeps an offer as the latest version, unless it is what we have already.
pub(crate) fn put_offer(tx: &mut Tx<'_>, tariff: &Tariff) -> Result<bool, StoreError> {
    if let Some((_, latest)) = latest(tx, tariff.party, &tariff.id)?
        && (latest == *tariff || latest.last_updated > tariff.last_updated)
    {
        return Ok(false);
    }
    drop_offer(tx, tariff.party, &tariff.id)?;
    insert(tx, tariff, "offer", true)?;
    Ok(true)
}

/// Keeps the tariff that a CDR brought.
pub(crate) fn put_of_cdr(tx: &mut Tx<'_>, tariff: &Tariff) -> Result<TariffNo, StoreError> {
    insert(tx, tariff, "cdr", false)
}

/// The tariff is no longer offered. Versions that sessions agreed on stay.
pub(crate) fn drop_offer(tx: &mut Tx<'_>, operator: PartyId, id: &TariffId) -> Result<usize, StoreError> {
    tx.execute(OUTDATE, &values![operator.to_string(), id.as_str()])
}

pub(crate) fn latest(tx: &Tx<'_>, operator: PartyId, id: &TariffId) -> Result<Option<(TariffNo, Tariff)>, StoreError> {
    let no = tx.one(LATEST, &values![operator.to_string(), id.as_str()], |row| row.int(0).map(TariffNo))?;
    let Some(no) = no else { return Ok(None) };
    Ok(find(tx, no)?.map(|tariff| (no, tariff)))
}

/// The first of these tariffs that holds at this time.
pub(crate) fn in_force(
    tx: &Tx<'_>,
    operator: PartyId,
    ids: &[TariffId],
    at: Timestamp,
) -> Result<Option<(TariffNo, Tariff)>, StoreError> {
    for id in ids {
        let found = latest(tx, operator, id)?.filter(|(_, tariff)| {
            tariff.valid_from.is_none_or(|from| from <= at) && tariff.valid_until.is_none_or(|until| at < until)
        });
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

pub(crate) fn find(tx: &Tx<'_>, no: TariffNo) -> Result<Option<Tariff>, StoreError> {
    let Some(mut tariff) = tx.one(HEAD, &values![no.0], read_head)? else { return Ok(None) };
    tariff.elements = tx.query(ELEMENTS, &values![no.0], read_element)?;
    let components = tx.query(COMPONENTS, &values![no.0], |row| Ok((row.int(0)?, read_component(row)?)))?;
    for (element, component) in components {
        let index: usize = small(element, "provider_tariff_component.element")?;
        let element = tariff.elements.get_mut(index).ok_or_else(|| corrupt("provider_tariff_component.element"))?;
        element.components.push(component);
    }
    Ok(Some(tariff))
}

/// Forgets old versions that no session, CDR or one-time id refers to.
pub(crate) fn forget(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let unused = tx.query(UNUSED, &[], |row| row.int(0))?;
    for no in unused {
        tx.execute(FORGET_COMPONENTS, &values![no])?;
        tx.execute(FORGET_ELEMENTS, &values![no])?;
        tx.execute(FORGET_HEAD, &values![no])?;
    }
    Ok(())
}

fn insert(tx: &mut Tx<'_>, tariff: &Tariff, origin: &str, latest: bool) -> Result<TariffNo, StoreError> {
    let values = values![
        origin,
        latest,
        tariff.party.to_string(),
        tariff.id.as_str(),
        tariff.currency.as_str(),
        tariff.text.clone(),
        before(tariff.min_price.as_ref()),
        with_vat(tariff.min_price.as_ref()),
        before(tariff.max_price.as_ref()),
        with_vat(tariff.max_price.as_ref()),
        tariff.valid_from,
        tariff.valid_until,
        tariff.last_updated,
        price_of(tariff.booking.expires.as_ref()),
        vat_of(tariff.booking.expires.as_ref()),
        price_of(tariff.booking.cancellation.as_ref()),
        vat_of(tariff.booking.cancellation.as_ref()),
    ];
    let no = tx.one(INSERT, &values, |row| row.int(0))?.ok_or_else(|| corrupt("provider_tariff.no"))?;
    for (nth, element) in tariff.elements.iter().enumerate() {
        insert_element(tx, no, count(nth), element)?;
    }
    Ok(TariffNo(no))
}

fn price_of(fee: Option<&Fee>) -> Option<String> {
    fee.map(|fee| fee.price.to_string())
}

fn vat_of(fee: Option<&Fee>) -> Option<String> {
    fee.and_then(|fee| fee.vat_percent).map(|percent| percent.to_string())
}

fn insert_element(tx: &mut Tx<'_>, tariff: i64, nth: i64, element: &Element) -> Result<(), StoreError> {
    let r = &element.restrictions;
    let days: i64 = r.days.iter().fold(0, |set, day| set | day_bit(*day));
    let values = values![
        tariff,
        nth,
        r.start_minute,
        r.end_minute,
        r.start_date.clone(),
        r.end_date.clone(),
        r.min_energy.map(Energy::mwh),
        r.max_energy.map(Energy::mwh),
        r.min_power.map(Power::milliwatts),
        r.max_power.map(Power::milliwatts),
        r.min_duration_s,
        r.max_duration_s,
        days,
    ];
    tx.execute(INSERT_ELEMENT, &values)?;
    for (index, component) in element.components.iter().enumerate() {
        let Component { dimension, price, vat_percent, step_size } = component;
        let vat = vat_percent.map(|vat| vat.to_string());
        let (price, dimension) = (price.to_string(), dimension_name(*dimension));
        tx.execute(INSERT_COMPONENT, &values![tariff, nth, count(index), dimension, price, vat, *step_size])?;
    }
    Ok(())
}

fn read_head(row: &Row<'_>) -> Result<Tariff, StoreError> {
    let limit = |first| -> Result<Option<Price>, StoreError> { price(row, first, "provider_tariff.min or max") };
    Ok(Tariff {
        party: parsed(&row.text(0)?, "provider_tariff.operator")?,
        id: parsed(&row.text(1)?, "provider_tariff.id")?,
        currency: parsed(&row.text(2)?, "provider_tariff.currency")?,
        text: row.text_opt(3)?,
        elements: Vec::new(),
        min_price: limit(4)?,
        max_price: limit(6)?,
        valid_from: row.time_opt(8)?,
        valid_until: row.time_opt(9)?,
        booking: BookingFees { expires: fee(row, 11)?, cancellation: fee(row, 13)? },
        last_updated: row.time(10)?,
    })
}

fn fee(row: &Row<'_>, first: usize) -> Result<Option<Fee>, StoreError> {
    let Some(price) = parsed_opt(row.text_opt(first)?, "provider_tariff.fee")? else { return Ok(None) };
    Ok(Some(Fee { price, vat_percent: parsed_opt(row.text_opt(first + 1)?, "provider_tariff.fee_vat")? }))
}

fn read_element(row: &Row<'_>) -> Result<Element, StoreError> {
    let minute = |value: Option<i64>| value.map(|minute| small(minute, "provider_tariff_element.minute")).transpose();
    let seconds = |value: Option<i64>| value.map(|s| small(s, "provider_tariff_element.duration")).transpose();
    let days = row.int(10)?;
    Ok(Element {
        components: Vec::new(),
        restrictions: Restrictions {
            start_minute: minute(row.int_opt(0)?)?,
            end_minute: minute(row.int_opt(1)?)?,
            start_date: row.text_opt(2)?,
            end_date: row.text_opt(3)?,
            min_energy: row.int_opt(4)?.map(Energy::from_mwh),
            max_energy: row.int_opt(5)?.map(Energy::from_mwh),
            min_power: row.int_opt(6)?.map(Power::from_milliwatts),
            max_power: row.int_opt(7)?.map(Power::from_milliwatts),
            min_duration_s: seconds(row.int_opt(8)?)?,
            max_duration_s: seconds(row.int_opt(9)?)?,
            days: DAYS.into_iter().filter(|day| days & day_bit(*day) != 0).collect(),
        },
    })
}

fn read_component(row: &Row<'_>) -> Result<Component, StoreError> {
    Ok(Component {
        dimension: dimension_named(&row.text(1)?).ok_or_else(|| corrupt("provider_tariff_component.dimension"))?,
        price: parsed(&row.text(2)?, "provider_tariff_component.price")?,
        vat_percent: parsed_opt(row.text_opt(3)?, "provider_tariff_component.vat")?,
        step_size: small(row.int(4)?, "provider_tariff_component.step")?,
    })
}

pub(crate) fn dimension_named(text: &str) -> Option<Dimension> {
    DIMENSIONS.into_iter().find(|dimension| dimension_name(*dimension) == text)
}

pub(crate) const fn dimension_name(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Energy => "ENERGY",
        Dimension::Flat => "FLAT",
        Dimension::ParkingTime => "PARKING_TIME",
        Dimension::Time => "TIME",
    }
}

const fn day_bit(day: Day) -> i64 {
    match day {
        Day::Monday => 1,
        Day::Tuesday => 2,
        Day::Wednesday => 4,
        Day::Thursday => 8,
        Day::Friday => 16,
        Day::Saturday => 32,
        Day::Sunday => 64,
    }
}

const DIMENSIONS: [Dimension; 4] = [Dimension::Energy, Dimension::Flat, Dimension::ParkingTime, Dimension::Time];
const DAYS: [Day; 7] =
    [Day::Monday, Day::Tuesday, Day::Wednesday, Day::Thursday, Day::Friday, Day::Saturday, Day::Sunday];

const INSERT: &str = "INSERT INTO provider_tariff (origin, latest, operator, id, currency, text, min_before, min_with,
    max_before, max_with, valid_from, valid_until, updated, expires_fee, expires_vat, cancel_fee, cancel_vat)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) RETURNING no";
const INSERT_ELEMENT: &str = "INSERT INTO provider_tariff_element (tariff, element, start_minute, end_minute,
    start_date, end_date, min_energy, max_energy, min_power, max_power, min_duration, max_duration, days)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
const INSERT_COMPONENT: &str = "INSERT INTO provider_tariff_component
    (tariff, element, nth, dimension, price, vat, step) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const OUTDATE: &str = "UPDATE provider_tariff SET latest = 0 WHERE operator = ?1 AND id = ?2 AND latest <> 0";
const LATEST: &str = "SELECT no FROM provider_tariff WHERE operator = ?1 AND id = ?2 AND latest <> 0";
const HEAD: &str = "SELECT operator, id, currency, text, min_before, min_with, max_before, max_with, valid_from,
    valid_until, updated, expires_fee, expires_vat, cancel_fee, cancel_vat FROM provider_tariff WHERE no = ?1";
const ELEMENTS: &str = "SELECT start_minute, end_minute, start_date, end_date, min_energy, max_energy, min_power,
    max_power, min_duration, max_duration, days FROM provider_tariff_element WHERE tariff = ?1 ORDER BY element";
const COMPONENTS: &str = "SELECT element, dimension, price, vat, step FROM provider_tariff_component
    WHERE tariff = ?1 ORDER BY element, nth";
const UNUSED: &str = "SELECT no FROM provider_tariff WHERE latest = 0
    AND no NOT IN (SELECT tariff FROM provider_session WHERE tariff IS NOT NULL)
    AND no NOT IN (SELECT tariff FROM provider_onetime WHERE tariff IS NOT NULL)
    AND no NOT IN (SELECT tariff FROM provider_cdr) LIMIT 1000";
const FORGET_COMPONENTS: &str = "DELETE FROM provider_tariff_component WHERE tariff = ?1";
const FORGET_ELEMENTS: &str = "DELETE FROM provider_tariff_element WHERE tariff = ?1";
const FORGET_HEAD: &str = "DELETE FROM provider_tariff WHERE no = ?1";
