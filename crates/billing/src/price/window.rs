//! When an element of a tariff applies: wall clock of the location, energy, power and duration so far.
//!
//! Times of day are what the clock on the wall shows, so a window from 02:00 to 03:00 lasts two hours in the night in
//! which the hour is repeated and none in the night in which it is skipped (OCPI 2.2.1, 11.4.6).

use std::time::Duration;

use charge::Timestamp;
use charge::tariff::{Day, Restrictions, Tariff};
use charge::units::{Energy, Power};
use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::PriceFault;

/// No session is asked about for longer: the search for changes goes day by day.
const DAYS_MAX: u32 = 400;

/// The location's zone, or why there is none.
pub(super) fn zone(name: &str) -> Result<TimeZone, PriceFault> {
    TimeZone::get(name).map_err(|_| PriceFault::UnknownTimeZone(name.chars().take(40).collect()))
}

/// Whether prices by the hour can be worked out in this zone.
pub fn knows_zone(name: &str) -> bool {
    zone(name).is_ok()
}

/// What the restrictions of an element are held against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) date: Date,
    /// Minutes after local midnight.
    pub(super) minute: u16,
    pub(super) day: Day,
    pub(super) energy: Energy,
    pub(super) duration_s: i64,
    pub(super) power: Option<Power>,
}

impl Standing {
    /// The standing at a moment, before anything was delivered.
    pub(super) fn at(zone: &TimeZone, at: Timestamp) -> Result<Self, PriceFault> {
        let at = jiff::Timestamp::from_microsecond(at.micros()).map_err(|_| PriceFault::TooLarge)?;
        let local = zone.to_datetime(at);
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        let day = match local.weekday() {
            Weekday::Monday => Day::Monday,
            Weekday::Tuesday => Day::Tuesday,
            Weekday::Wednesday => Day::Wednesday,
            Weekday::Thursday => Day::Thursday,
            Weekday::Friday => Day::Friday,
            Weekday::Saturday => Day::Saturday,
            Weekday::Sunday => Day::Sunday,
        };
        Ok(Self { date: local.date(), minute, day, energy: Energy::ZERO, duration_s: 0, power: None })
    }
}

/// Do all restrictions hold? Lower bounds are inclusive, upper bounds exclusive (OCPI 2.2.1, 11.4.6).
pub(super) fn applies(r: &Restrictions, standing: &Standing) -> bool {
    by_clock(r, standing) && by_session(r, standing)
}

/// The part of the restrictions that depends on the clock on the wall alone.
pub(super) fn by_clock(r: &Restrictions, standing: &Standing) -> bool {
    let date = standing.date.to_string();
    within_day(r, standing.minute)
        && r.start_date.as_ref().is_none_or(|from| date >= *from)
        && r.end_date.as_ref().is_none_or(|until| date < *until)
        && (r.days.is_empty() || r.days.contains(&standing.day))
}

/// Is there a part that depends on how the session went so far?
pub(super) fn depends_on_session(r: &Restrictions) -> bool {
    let bounds = [r.min_energy.is_some(), r.max_energy.is_some(), r.min_power.is_some(), r.max_power.is_some()];
    bounds.contains(&true) || r.min_duration_s.is_some() || r.max_duration_s.is_some()
}

/// The part that depends on how the session went so far.
fn by_session(r: &Restrictions, standing: &Standing) -> bool {
    let power_is = |holds: &dyn Fn(Power) -> bool| standing.power.is_some_and(holds);
    r.min_energy.is_none_or(|min| standing.energy >= min)
        && r.max_energy.is_none_or(|max| standing.energy < max)
        && r.min_duration_s.is_none_or(|min| standing.duration_s >= i64::from(min))
        && r.max_duration_s.is_none_or(|max| standing.duration_s < i64::from(max))
        && r.min_power.is_none_or(|min| power_is(&|power| power >= min))
        && r.max_power.is_none_or(|max| power_is(&|power| power < max))
}

fn within_day(r: &Restrictions, minute: u16) -> bool {
    match (r.start_minute, r.end_minute.filter(|end| *end != 0)) {
        (None, None) => true,
        (Some(start), None) => minute >= start,
        (None, Some(end)) => minute < end,
        (Some(start), Some(end)) if start < end => (start..end).contains(&minute),
        // over midnight; an end at the start means the whole day
        (Some(start), Some(end)) => minute >= start || minute < end,
    }
}

/// The moments between `from` and `until` at which a price of the tariff may change by the clock, or by the duration of
/// a session that began at `from`: where a new charging period has to begin (OCPI 2.2.1, 10.4.2). Energy and power are
/// the operator's to watch.
pub fn changes(
    tariff: &Tariff,
    time_zone: &str,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Timestamp>, PriceFault> {
    let zone = zone(time_zone)?;
    let restrictions = || tariff.elements.iter().map(|element| &element.restrictions);
    let durations = restrictions().flat_map(|r| [r.min_duration_s, r.max_duration_s]).flatten();
    let mut found: Vec<Timestamp> = durations.map(|secs| from.plus(Duration::from_secs(u64::from(secs)))).collect();
    let mut minutes: Vec<u16> = restrictions().flat_map(|r| [r.start_minute, r.end_minute]).flatten().collect();
    if restrictions().any(|r| !r.days.is_empty() || r.start_date.is_some() || r.end_date.is_some()) {
        minutes.push(0);
    }
    minutes.sort_unstable();
    minutes.dedup();
    let mut date = Standing::at(&zone, from)?.date;
    let last = Standing::at(&zone, until.max(from))?.date;
    for _ in 0..DAYS_MAX {
        for minute in &minutes {
            found.extend(wall_clock(&zone, date, *minute));
        }
        if date >= last {
            break;
        }
        date = date.checked_add(1.day()).map_err(|_| PriceFault::TooLarge)?;
    }
    found.retain(|at| *at > from && *at < until);
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The moments at which the clock on the wall shows this minute of this day: two where the hour is repeated, and the
/// end of the gap where it is skipped.
fn wall_clock(zone: &TimeZone, date: Date, minute: u16) -> Vec<Timestamp> {
    let Ok(hour) = i8::try_from(minute / 60 % 24) else { return Vec::new() };
    let Ok(past) = i8::try_from(minute % 60) else { return Vec::new() };
    let ambiguous = zone.to_ambiguous_timestamp(date.at(hour, past, 0, 0));
    [ambiguous.earlier(), ambiguous.later()]
        .into_iter()
        .flatten()
        .map(|at| Timestamp::from_micros(at.as_microsecond()))
        .collect()
}
