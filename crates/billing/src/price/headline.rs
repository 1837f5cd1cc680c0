//! The prices of a tariff as a driver sees them before the start: gross, in the order that the law wants.
//!
//! It names every component that can be reached, with its condition in words. It adds nothing up: what a session will
//! cost depends on the session.

use charge::tariff::{Component, Day, Dimension, Restrictions, Tariff};
use charge::{Decimal, Timestamp};

use super::PriceFault;
use super::engine::{gross, quotient};
use super::window::{Standing, by_clock, depends_on_session, zone};

/// One price as a driver sees it before the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub dimension: Dimension,
    /// With VAT where the tariff names it.
    pub gross: Decimal,
    pub net: Decimal,
    pub vat_percent: Option<Decimal>,
    /// `kWh`, `min` or `session`.
    pub unit: &'static str,
    /// When it applies, in plain words; `None` for always.
    pub condition: Option<String>,
    /// Can it apply at the moment that was asked about, as far as the clock at the location and the elements before it
    /// decide?
    pub now: bool,
}

/// The prices of a tariff in the order of AFIR article 5(4): per kWh, per minute, per session.
///
/// Of each dimension the elements are listed in their order, up to the first that has no condition: those after it can
/// never apply (OCPI 2.2.1, 11.4.4).
pub fn headline(tariff: &Tariff, time_zone: &str, at: Timestamp) -> Result<Vec<Offer>, PriceFault> {
    let standing = Standing::at(&zone(time_zone)?, at)?;
    let mut offers = Vec::new();
    for dimension in [Dimension::Energy, Dimension::Time, Dimension::ParkingTime, Dimension::Flat] {
        let mut settled = false;
        for element in &tariff.elements {
            let Some(component) = element.components.iter().find(|c| c.dimension == dimension) else { continue };
            let condition = condition(&element.restrictions);
            let last = condition.is_none();
            let now = !settled && by_clock(&element.restrictions, &standing);
            settled |= now && !depends_on_session(&element.restrictions);
            offers.push(offer(component, condition, now).ok_or(PriceFault::TooLarge)?);
            if last {
                break;
            }
        }
    }
    Ok(offers)
}

fn offer(component: &Component, condition: Option<String>, now: bool) -> Option<Offer> {
    const MINUTES_PER_HOUR: i64 = 60;
    let (unit, net) = match component.dimension {
        Dimension::Energy => ("kWh", component.price),
        Dimension::Flat => ("session", component.price),
        Dimension::Time | Dimension::ParkingTime => ("min", quotient(component.price, MINUTES_PER_HOUR)?),
    };
    let gross = match component.vat_percent {
        Some(percent) => gross(net, percent)?,
        None => net,
    };
    Some(Offer { dimension: component.dimension, gross, net, vat_percent: component.vat_percent, unit, condition, now })
}

/// The restrictions in plain words; `None` where there are none.
pub(super) fn condition(r: &Restrictions) -> Option<String> {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let mut parts: Vec<String> = Vec::new();
    parts.extend(between(r.start_minute.map(clock), r.end_minute.map(clock), ""));
    parts.extend(between(r.start_date.clone(), r.end_date.clone(), ""));
    if !r.days.is_empty() {
        parts.push(format!("on {}", r.days.iter().copied().map(day).collect::<Vec<_>>().join(", ")));
    }
    parts.extend(between(r.min_energy.map(|e| e.to_string()), r.max_energy.map(|e| e.to_string()), " delivered"));
    parts.extend(between(r.min_power.map(|p| p.to_string()), r.max_power.map(|p| p.to_string()), " of power"));
    parts.extend(between(r.min_duration_s.map(duration), r.max_duration_s.map(duration), " of the session"));
    if parts.is_empty() { None } else { Some(parts.join(", ")) }
}

fn between(from: Option<String>, until: Option<String>, what: &str) -> Option<String> {
    match (from, until) {
        (None, None) => None,
        (Some(from), None) => Some(format!("from {from}{what}")),
        (None, Some(until)) => Some(format!("until {until}{what}")),
        (Some(from), Some(until)) => Some(format!("from {from} until {until}{what}")),
    }
}

fn duration(secs: u32) -> String {
    if secs.is_multiple_of(60) { format!("{} min", secs / 60) } else { format!("{secs} s") }
}

const fn day(day: Day) -> &'static str {
    match day {
        Day::Monday => "Monday",
        Day::Tuesday => "Tuesday",
        Day::Wednesday => "Wednesday",
        Day::Thursday => "Thursday",
        Day::Friday => "Friday",
        Day::Saturday => "Saturday",
        Day::Sunday => "Sunday",
    }
}
