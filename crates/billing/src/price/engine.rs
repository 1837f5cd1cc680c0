//! The engine: for every period and dimension the first element that matches, then steps, then amounts.
//!
//! A period is priced as it stood at its start (OCPI 2.2.1, 11.4.4); one that outlasts its price is noted, not guessed
//! apart. Steps are taken once per session: energy on its total with the step of the last component, and of the two
//! times the parking if there is any, else the charging (OCPI 2.2.1, 10.4.2 "step_size").

use charge::money::Price;
use charge::record::Period;
use charge::tariff::{Component, Dimension, Tariff};
use charge::units::Energy;
use charge::{Decimal, Timestamp};
use jiff::tz::TimeZone;
use rust_decimal::RoundingStrategy;

use super::window::{Standing, applies, zone};
use super::{QUOTIENT_PLACES, limit};

/// A terawatt-hour: more than any session, and far enough from the end of the numbers for steps and sums.
const ENERGY_MAX: Energy = Energy::from_mwh(1_000_000_000_000_000);

/// Why a session cannot be priced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceFault {
    #[error("the time zone {0} is not known")]
    UnknownTimeZone(String),
    #[error("period {index} does not begin after the one before it, or has negative energy")]
    OutOfOrder { index: usize },
    #[error("a number of the tariff or the session is too large to be priced")]
    TooLarge,
}

/// One line of a price: a quantity at one price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub dimension: Dimension,
    /// As billed, after steps.
    pub quantity: Decimal,
    /// `kWh`, `h` or `session`.
    pub unit: &'static str,
    /// Per unit, before VAT.
    pub price: Decimal,
    pub vat_percent: Option<Decimal>,
    pub amount: Price,
    /// In plain words: which element of the tariff, and what its step did.
    pub rule: String,
}

/// A minimum or maximum of the tariff that moved the total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// In plain words.
    pub rule: &'static str,
    /// Total minus sum of the lines.
    pub amount: Price,
}

/// Something the reader of a price should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// No component of the tariff prices this: it is free (OCPI 2.2.1, 11.4.4).
    Free { dimension: Dimension, at: Timestamp },
    /// The period that begins here outlasts its price: it should have been split (OCPI 2.2.1, 10.4.2).
    OutlastsItsPrice { dimension: Dimension, at: Timestamp },
}

/// A priced session: exact, unrounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    pub total: Price,
    pub energy: Option<Price>,
    pub time: Option<Price>,
    pub parking: Option<Price>,
    pub fixed: Option<Price>,
    pub lines: Vec<Line>,
    pub adjustment: Option<Adjustment>,
    pub notes: Vec<Note>,
}

/// Prices the periods of a session that ended at `end`.
pub fn price(tariff: &Tariff, time_zone: &str, periods: &[Period], end: Timestamp) -> Result<Priced, PriceFault> {
    let zone = zone(time_zone)?;
    let stretches = stretches(&zone, periods, end)?;
    let mut notes = Vec::new();
    let mut segments = segments(tariff, &stretches, &mut notes);
    let rounded = step(&mut segments);
    let lines = lines(&segments, &rounded)?;
    let of = |dimension| sum(lines.iter().filter(|line| line.dimension == dimension));
    let (energy, time, parking, fixed) =
        (of(Dimension::Energy)?, of(Dimension::Time)?, of(Dimension::ParkingTime)?, of(Dimension::Flat)?);
    let names_vat = tariff.elements.iter().flat_map(|e| &e.components).any(|c| c.vat_percent.is_some());
    let nothing = Price { before_vat: Decimal::ZERO, with_vat: names_vat.then_some(Decimal::ZERO) };
    let raw = sum(lines.iter())?.unwrap_or(nothing);
    let (total, adjustment) = limit::apply(tariff, &lines, raw).ok_or(PriceFault::TooLarge)?;
    Ok(Priced { total, energy, time, parking, fixed, lines, adjustment, notes })
}

/// A period with its end and with what stood before it.
struct Stretch {
    start: Timestamp,
    seconds: i64,
    energy: Energy,
    charging: bool,
    begins: Standing,
    /// At the last second of the period.
    ends: Standing,
}

fn stretches(zone: &TimeZone, periods: &[Period], end: Timestamp) -> Result<Vec<Stretch>, PriceFault> {
    let mut out: Vec<Stretch> = Vec::with_capacity(periods.len());
    let first = periods.first().map_or(end, |period| period.start);
    let mut before = Energy::ZERO;
    let stops = periods.iter().skip(1).map(|period| period.start).chain([end]);
    for (index, (period, stop)) in periods.iter().zip(stops).enumerate() {
        let energy = period.energy.unwrap_or(Energy::ZERO);
        let seconds = stop.secs() - period.start.secs();
        if stop < period.start || energy < Energy::ZERO {
            return Err(PriceFault::OutOfOrder { index });
        }
        let standing = |at: Timestamp, energy| {
            let duration_s = at.secs() - first.secs();
            Ok(Standing { energy, duration_s, power: period.max_power, ..Standing::at(zone, at)? })
        };
        let begins = standing(period.start, before)?;
        let after = before.checked_add(energy).filter(|sum| *sum <= ENERGY_MAX).ok_or(PriceFault::TooLarge)?;
        let ends = match seconds {
            0 | 1 => begins,
            // a quantity bound is crossed by the next period only, a clock bound may be crossed inside this one
            _ => {
                standing(Timestamp::from_secs(stop.secs() - 1), Energy::from_mwh((after.mwh() - 1).max(before.mwh())))?
            }
        };
        out.push(Stretch { start: period.start, seconds, energy, charging: period.charging, begins, ends });
        before = after;
    }
    Ok(out)
}

/// A quantity that one component prices: milliwatt-hours, seconds, or one session.
struct Segment<'t> {
    dimension: Dimension,
    element: usize,
    component: &'t Component,
    quantity: i64,
}

fn segments<'t>(tariff: &'t Tariff, stretches: &[Stretch], notes: &mut Vec<Note>) -> Vec<Segment<'t>> {
    let mut segments: Vec<Segment<'t>> = Vec::new();
    for stretch in stretches {
        let at = stretch.start;
        for (dimension, quantity) in quantities(stretch) {
            match component(tariff, dimension, &stretch.begins) {
                Some((element, component)) => {
                    let later = self::component(tariff, dimension, &stretch.ends);
                    if later.is_some_and(|(later, _)| later != element) {
                        notes.push(Note::OutlastsItsPrice { dimension, at });
                    }
                    segments.push(Segment { dimension, element, component, quantity });
                }
                None => notes.push(Note::Free { dimension, at }),
            }
        }
        if !segments.iter().any(|segment| segment.dimension == Dimension::Flat)
            && let Some((element, component)) = component(tariff, Dimension::Flat, &stretch.begins)
        {
            segments.push(Segment { dimension: Dimension::Flat, element, component, quantity: 1 });
        }
    }
    segments
}

fn quantities(stretch: &Stretch) -> impl Iterator<Item = (Dimension, i64)> {
    let time = if stretch.charging { Dimension::Time } else { Dimension::ParkingTime };
    [(Dimension::Energy, stretch.energy.mwh()), (time, stretch.seconds)]
        .into_iter()
        .filter(|(_, quantity)| *quantity > 0)
}

/// The first element that prices the dimension and whose restrictions hold (OCPI 2.2.1, 11.4.4).
fn component<'t>(tariff: &'t Tariff, dimension: Dimension, standing: &Standing) -> Option<(usize, &'t Component)> {
    tariff.elements.iter().enumerate().filter(|(_, element)| applies(&element.restrictions, standing)).find_map(
        |(index, element)| {
            element.components.iter().find(|c| c.dimension == dimension).map(|component| (index, component))
        },
    )
}

/// What a step did to a dimension.
struct Rounded {
    dimension: Dimension,
    step: u32,
    from: i64,
    to: i64,
}

/// Rounds the session's total of energy, and of one of the times, up to the step of its last component; the surplus is
/// priced like the last segment.
fn step(segments: &mut [Segment<'_>]) -> Vec<Rounded> {
    let parked = segments.iter().any(|segment| segment.dimension == Dimension::ParkingTime);
    let time = if parked { Dimension::ParkingTime } else { Dimension::Time };
    let mut rounded = Vec::new();
    for dimension in [Dimension::Energy, time] {
        let mine = |segment: &&mut Segment<'_>| segment.dimension == dimension;
        let from: i64 = segments.iter().filter(|s| s.dimension == dimension).map(|s| s.quantity).sum();
        let Some(last) = segments.iter_mut().rev().find(mine) else { continue };
        let step = last.component.step_size.max(1);
        let size = i64::from(step) * if dimension == Dimension::Energy { 1_000 } else { 1 };
        let surplus = (size - from % size) % size;
        if surplus > 0 {
            last.quantity += surplus;
            rounded.push(Rounded { dimension, step, from, to: from + surplus });
        }
    }
    rounded
}

/// One line per component, in the order in which they were first used.
fn lines(segments: &[Segment<'_>], rounded: &[Rounded]) -> Result<Vec<Line>, PriceFault> {
    let mut merged: Vec<Segment<'_>> = Vec::new();
    for s in segments {
        match merged.iter_mut().find(|m| m.element == s.element && m.dimension == s.dimension) {
            Some(known) => known.quantity += s.quantity,
            None => merged.push(Segment { ..*s }),
        }
    }
    let last_of = |dimension| segments.iter().rev().find(|s| s.dimension == dimension).map(|s| s.element);
    let line = |segment: &Segment<'_>| {
        let stepped =
            rounded.iter().find(|r| r.dimension == segment.dimension && last_of(r.dimension) == Some(segment.element));
        line(segment, stepped).ok_or(PriceFault::TooLarge)
    };
    merged.iter().map(line).collect()
}

fn line(segment: &Segment<'_>, rounded: Option<&Rounded>) -> Option<Line> {
    let Component { price, vat_percent, .. } = *segment.component;
    let (unit, per_unit) = match segment.dimension {
        Dimension::Energy => ("kWh", 1_000_000),
        Dimension::Time | Dimension::ParkingTime => ("h", SECONDS_PER_HOUR),
        Dimension::Flat => ("session", 1),
    };
    let before_vat = quotient(price.checked_mul(segment.quantity.into())?, per_unit)?;
    let with_vat = match vat_percent {
        Some(percent) => Some(gross(before_vat, percent)?),
        None => None,
    };
    let mut rule = format!("element {}", segment.element + 1);
    if let Some(Rounded { dimension, step, from, to }) = rounded {
        rule.push_str(&match dimension {
            Dimension::Energy => format!(
                ", steps of {step} Wh: {} of the session billed as {}",
                Energy::from_mwh(*from),
                Energy::from_mwh(*to)
            ),
            Dimension::Flat | Dimension::ParkingTime | Dimension::Time => {
                format!(", steps of {step} s: {from} s of the session billed as {to} s")
            }
        });
    }
    Some(Line {
        dimension: segment.dimension,
        quantity: quotient(segment.quantity.into(), per_unit)?,
        unit,
        price,
        vat_percent,
        amount: Price { before_vat, with_vat },
        rule,
    })
}

const SECONDS_PER_HOUR: i64 = 3_600;

/// The only division of the engine.
pub(super) fn quotient(value: Decimal, by: i64) -> Option<Decimal> {
    let quotient = value.checked_div(by.into())?;
    Some(quotient.round_dp_with_strategy(QUOTIENT_PLACES, RoundingStrategy::MidpointAwayFromZero).normalize())
}

/// The amount with VAT.
pub(super) fn gross(net: Decimal, vat_percent: Decimal) -> Option<Decimal> {
    let hundred = Decimal::ONE_HUNDRED;
    Some(net.checked_mul(hundred.checked_add(vat_percent)?)?.checked_div(hundred)?.normalize())
}

/// The sum of lines; a line whose tariff names no VAT counts as its net amount once another line has VAT, because
/// "no VAT is named" means that none applies (OCPI 2.2.1, 11.4.2 `vat`).
fn sum<'l>(lines: impl Iterator<Item = &'l Line>) -> Result<Option<Price>, PriceFault> {
    let mut total: Option<Price> = None;
    for line in lines {
        total = Some(match total {
            None => line.amount,
            Some(sum) => plus(sum, line.amount).ok_or(PriceFault::TooLarge)?,
        });
    }
    Ok(total)
}

fn plus(a: Price, b: Price) -> Option<Price> {
    let with_vat = match (a.with_vat, b.with_vat) {
        (None, None) => None,
        _ => Some(a.with_vat.unwrap_or(a.before_vat).checked_add(b.with_vat.unwrap_or(b.before_vat))?),
    };
    Some(Price { before_vat: a.before_vat.checked_add(b.before_vat)?, with_vat })
}
