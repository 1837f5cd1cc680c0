//! Rows of tariffs. A version is written once and never changed: sessions and CDRs point at the one they began with.

use charge::Timestamp;
use charge::id::{PartyId, TariffId};
use charge::money::Price;
use charge::tariff::{BookingFees, Component, Day, Dimension, Element, Fee, Restrictions, Tariff};
use charge::units::{Energy, Power};
use rust_decimal::Decimal;
use store::{Row, StoreError, Tx, values};

use crate::memory::{count, damaged, named, small, small_opt, word, word_opt};

/// Puts a tariff as a new version, which is current from now on.
pub(crate) fn put(tx: &mut Tx<'_>, tariff: &Tariff, now: Timestamp) -> Result<(), StoreError> {
    drop_current(tx, &tariff.id)?;
    let price = |price: Option<Price>| (price.map(net), price.and_then(gross));
    let ((min_net, min_gross), (max_net, max_gross)) = (price(tariff.min_price), price(tariff.max_price));
    let head = values![
        tariff.id.as_str(),
        tariff.currency.as_str(),
        tariff.text.as_deref(),
        min_net,
        min_gross,
        max_net,
        max_gross,
        tariff.valid_from,
        tariff.valid_until,
        now,
        tariff.booking.expires.as_ref().map(|fee| fee.price.to_string()),
        tariff.booking.expires.as_ref().and_then(|fee| fee.vat_percent).map(|percent| percent.to_string()),
        tariff.booking.cancellation.as_ref().map(|fee| fee.price.to_string()),
        tariff.booking.cancellation.as_ref().and_then(|fee| fee.vat_percent).map(|percent| percent.to_string()),
    ];
    let Some(version) = tx.one(PUT, &head, |row| row.int(0))? else { return Err(damaged("version")) };
    for (position, element) in (0u32..).zip(&tariff.elements) {
        put_element(tx, version, position, element)?;
    }
    Ok(())
}

fn put_element(tx: &mut Tx<'_>, version: i64, position: u32, element: &Element) -> Result<(), StoreError> {
    let limits = &element.restrictions;
    tx.execute(
        PUT_ELEMENT,
        &values![
            version,
            position,
            limits.start_minute,
            limits.end_minute,
            limits.start_date.as_deref(),
            limits.end_date.as_deref(),
            limits.min_energy.map(Energy::mwh),
            limits.max_energy.map(Energy::mwh),
            limits.min_power.map(Power::milliwatts),
            limits.max_power.map(Power::milliwatts),
            limits.min_duration_s,
            limits.max_duration_s,
            day_bits(&limits.days),
        ],
    )?;
    for (number, component) in (0u32..).zip(&element.components) {
        tx.execute(
            PUT_COMPONENT,
            &values![
                version,
                position,
                number,
                dimension_name(component.dimension),
                component.price.to_string(),
                component.vat_percent.map(|percent| percent.to_string()),
                component.step_size,
            ],
        )?;
    }
    Ok(())
}

/// No version of this tariff is current any more. `false`: none was.
pub(crate) fn drop_current(tx: &mut Tx<'_>, id: &TariffId) -> Result<bool, StoreError> {
    Ok(tx.execute(DROP_CURRENT, &values![id.as_str()])? > 0)
}

/// The version that is current now.
pub(crate) fn current_version(tx: &Tx<'_>, id: &TariffId) -> Result<Option<i64>, StoreError> {
    tx.one(CURRENT, &values![id.as_str()], |row| row.int(0))
}

/// One version, as it was put.
pub(crate) fn version(tx: &Tx<'_>, party: PartyId, version: i64) -> Result<Option<Tariff>, StoreError> {
    let found = tx.one(VERSION, &values![version], |row| read(row, party))?;
    found.map(|(version, tariff)| filled(tx, version, tariff)).transpose()
}

/// A page of the current tariffs, oldest change first, and how many there are in all.
pub(crate) fn page(
    tx: &Tx<'_>,
    party: PartyId,
    (since, before): (Option<Timestamp>, Option<Timestamp>),
    offset: u32,
    limit: u32,
) -> Result<(Vec<Tariff>, u32), StoreError> {
    let (since, before) = (since.map_or(i64::MIN, Timestamp::micros), before.map_or(i64::MAX, Timestamp::micros));
    let total = tx.one(COUNT, &values![since, before], |row| count(row, 0))?.unwrap_or(0);
    let found = tx.query(PAGE, &values![since, before, limit, offset], |row| read(row, party))?;
    let filled = found.into_iter().map(|(version, tariff)| filled(tx, version, tariff));
    Ok((filled.collect::<Result<_, _>>()?, total))
}

/// How many connectors offer a tariff. Ids hold no blank, so whole words are found.
pub(crate) fn used_by(tx: &Tx<'_>, id: &TariffId) -> Result<u32, StoreError> {
    let pattern = super::anywhere(&format!(" {id} "));
    Ok(tx.one(USED_BY, &values![pattern], |row| count(row, 0))?.unwrap_or(0))
}

fn read(row: &Row<'_>, party: PartyId) -> Result<(i64, Tariff), StoreError> {
    let tariff = Tariff {
        party,
        id: word(row, 1, "id")?,
        currency: word(row, 2, "currency")?,
        text: row.text_opt(3)?,
        elements: Vec::new(),
        min_price: price_opt(row, 4)?,
        max_price: price_opt(row, 6)?,
        valid_from: row.time_opt(8)?,
        valid_until: row.time_opt(9)?,
        booking: BookingFees { expires: fee_opt(row, 11)?, cancellation: fee_opt(row, 13)? },
        last_updated: row.time(10)?,
    };
    Ok((row.int(0)?, tariff))
}

fn filled(tx: &Tx<'_>, version: i64, mut tariff: Tariff) -> Result<Tariff, StoreError> {
    tariff.elements = tx.query(ELEMENTS, &values![version], |row| {
        Ok(Element {
            components: Vec::new(),
            restrictions: Restrictions {
                start_minute: small_opt(row, 0, "start_minute")?,
                end_minute: small_opt(row, 1, "end_minute")?,
                start_date: row.text_opt(2)?,
                end_date: row.text_opt(3)?,
                min_energy: row.int_opt(4)?.map(Energy::from_mwh),
                max_energy: row.int_opt(5)?.map(Energy::from_mwh),
                min_power: row.int_opt(6)?.map(Power::from_milliwatts),
                max_power: row.int_opt(7)?.map(Power::from_milliwatts),
                min_duration_s: small_opt(row, 8, "min_duration_s")?,
                max_duration_s: small_opt(row, 9, "max_duration_s")?,
                days: days_of(row.int(10)?),
            },
        })
    })?;
    for (position, element) in (0u32..).zip(&mut tariff.elements) {
        element.components = tx.query(COMPONENTS, &values![version, position], |row| {
            Ok(Component {
                dimension: named(row, 0, "dimension", dimension_named)?,
                price: word(row, 1, "price")?,
                vat_percent: word_opt(row, 2, "vat_percent")?,
                step_size: small(row, 3, "step_size")?,
            })
        })?;
    }
    Ok(tariff)
}

/// A price in two columns from `column` on.
pub(crate) fn price_opt(row: &Row<'_>, column: usize) -> Result<Option<Price>, StoreError> {
    let Some(before_vat) = word_opt::<Decimal>(row, column, "net")? else { return Ok(None) };
    Ok(Some(Price { before_vat, with_vat: word_opt(row, column + 1, "gross")? }))
}

fn fee_opt(row: &Row<'_>, column: usize) -> Result<Option<Fee>, StoreError> {
    let Some(price) = word_opt::<Decimal>(row, column, "fee")? else { return Ok(None) };
    Ok(Some(Fee { price, vat_percent: word_opt(row, column + 1, "vat")? }))
}

pub(crate) fn net(price: Price) -> String {
    price.before_vat.to_string()
}

pub(crate) fn gross(price: Price) -> Option<String> {
    price.with_vat.map(|gross| gross.to_string())
}

const DIMENSIONS: [(Dimension, &str); 4] = [
    (Dimension::Energy, "ENERGY"),
    (Dimension::Flat, "FLAT"),
    (Dimension::ParkingTime, "PARKING_TIME"),
    (Dimension::Time, "TIME"),
];

fn dimension_name(dimension: Dimension) -> &'static str {
    DIMENSIONS.into_iter().find(|(known, _)| *known == dimension).map_or("ENERGY", |(_, name)| name)
}

fn dimension_named(text: &str) -> Option<Dimension> {
    DIMENSIONS.into_iter().find(|(_, name)| *name == text).map(|(dimension, _)| dimension)
}

const WEEK: [Day; 7] =
    [Day::Monday, Day::Tuesday, Day::Wednesday, Day::Thursday, Day::Friday, Day::Saturday, Day::Sunday];

/// Days as bits, Monday lowest: their order in a tariff means nothing.
fn day_bits(days: &[Day]) -> i64 {
    (0u32..).zip(WEEK).filter(|(_, day)| days.contains(day)).map(|(bit, _)| 1i64 << bit).sum()
}

fn days_of(bits: i64) -> Vec<Day> {
    (0u32..).zip(WEEK).filter(|(bit, _)| bits & (1i64 << bit) != 0).map(|(_, day)| day).collect()
}

const PUT: &str = "INSERT INTO operator_tariffs (id, is_current, currency, text, min_net, min_gross, max_net,
    max_gross, valid_from, valid_until, changed, expires_fee, expires_vat, cancel_fee, cancel_vat)
    VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) RETURNING version";
const PUT_ELEMENT: &str = "INSERT INTO operator_tariff_elements (version, position, start_minute, end_minute,
    start_date, end_date, min_energy, max_energy, min_power, max_power, min_duration_s, max_duration_s, days)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
const PUT_COMPONENT: &str = "INSERT INTO operator_tariff_components (version, element, position, dimension, price,
    vat_percent, step_size) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const DROP_CURRENT: &str = "UPDATE operator_tariffs SET is_current = 0 WHERE id = ?1 AND is_current = 1";
const CURRENT: &str = "SELECT version FROM operator_tariffs WHERE id = ?1 AND is_current = 1";
const VERSION: &str = "SELECT version, id, currency, text, min_net, min_gross, max_net, max_gross, valid_from,
    valid_until, changed, expires_fee, expires_vat, cancel_fee, cancel_vat FROM operator_tariffs WHERE version = ?1";
const COUNT: &str = "SELECT COUNT(*) FROM operator_tariffs WHERE is_current = 1 AND changed >= ?1 AND changed < ?2";
const PAGE: &str = "SELECT version, id, currency, text, min_net, min_gross, max_net, max_gross, valid_from,
    valid_until, changed, expires_fee, expires_vat, cancel_fee, cancel_vat FROM operator_tariffs WHERE is_current = 1 AND changed >= ?1 AND changed < ?2
    ORDER BY changed, id LIMIT ?3 OFFSET ?4";
const ELEMENTS: &str = "SELECT start_minute, end_minute, start_date, end_date, min_energy, max_energy, min_power,
    max_power, min_duration_s, max_duration_s, days FROM operator_tariff_elements WHERE version = ?1 ORDER BY position";
const COMPONENTS: &str = "SELECT dimension, price, vat_percent, step_size FROM operator_tariff_components
    WHERE version = ?1 AND element = ?2 ORDER BY position";
const USED_BY: &str = "SELECT COUNT(*) FROM operator_connectors WHERE ' ' || tariffs || ' ' LIKE ?1 ESCAPE '\\'";
