//! What a station's readings come to: which count, which are flagged, and the periods that are priced.
//!
//! A falling or negative register and a clock that is years off are flagged and never billed; signed records are
//! passed on byte for byte. Nothing is corrected here. Between two readings energy is taken to have flowed evenly,
//! which matters only where a tariff changes its price in between.

use std::collections::BTreeMap;
use std::time::Duration;

use billing::reading::{Flaw, Register, Taken};
use charge::meter::{Context, Measured, Reading, SignedRecord};
use charge::record::{Nature, Period};
use charge::tariff::{Restrictions, Tariff};
use charge::units::{Energy, Power};
use charge::{Decimal, Timestamp};

/// The import register of a running session, as its row remembers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    pub begin: Option<(Timestamp, Energy)>,
    /// The newest reading that counted.
    pub latest: Option<(Timestamp, Energy)>,
    /// The newest power that was reported.
    pub power: Option<Power>,
    /// More than this cannot flow here; `None` where the connector does not say.
    pub power_max: Option<Power>,
}

/// What was measured at one moment: a point of the session's curve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Point {
    pub register: Option<Energy>,
    pub power: Option<Power>,
    /// State of charge in percent.
    pub charged_percent: Option<Decimal>,
    /// Why the register does not count, in plain words.
    pub flaw: Option<String>,
}

impl Point {
    /// The same moment again: the first register stays, with its flaw; of the rest the newest counts.
    pub fn complete(&mut self, again: Self) {
        if self.register.is_none() {
            (self.register, self.flaw) = (again.register, again.flaw);
        }
        self.power = again.power.or(self.power);
        self.charged_percent = again.charged_percent.or(self.charged_percent);
    }
}

/// What a batch of readings came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Yield {
    pub points: BTreeMap<Timestamp, Point>,
    pub records: Vec<(Nature, SignedRecord)>,
    pub flaws: Vec<Flaw>,
}

impl Meter {
    /// What was delivered, as far as it counted.
    pub fn delivered(&self) -> Energy {
        match (self.begin, self.latest) {
            (Some((_, begin)), Some((_, latest))) => latest.checked_sub(begin).unwrap_or(Energy::ZERO),
            (Some(_) | None, _) => Energy::ZERO,
        }
    }

    /// Takes the readings of one message, oldest first. `now` stands in for the begin's clock where that is unsound.
    pub fn take(&mut self, now: Timestamp, readings: &[Reading]) -> Yield {
        let mut sorted: Vec<&Reading> = readings.iter().collect();
        sorted.sort_by_key(|reading| (reading.at, rank(reading.context)));
        let mut taken = Yield::default();
        let mut newest_power = None;
        for reading in sorted {
            match &reading.measured {
                Measured::EnergyImport(value) if reading.phase.is_none() => {
                    self.register(now, reading, *value, &mut taken);
                }
                Measured::PowerImport(power) => {
                    let point = taken.points.entry(reading.at).or_default();
                    let known = point.power.filter(|_| reading.phase.is_some()).unwrap_or_default();
                    let sum = known.milliwatts().saturating_add(power.milliwatts());
                    point.power = Some(Power::from_milliwatts(sum));
                    newest_power = point.power;
                }
                Measured::StateOfCharge(percent) => {
                    taken.points.entry(reading.at).or_default().charged_percent = Some(*percent);
                }
                Measured::Signed(record) => taken.records.push((nature(reading.context), record.clone())),
                Measured::EnergyImport(_) | Measured::EnergyExport(_) | Measured::Other { .. } => {}
            }
        }
        self.power = newest_power.or(self.power);
        taken
    }

    fn register(&mut self, now: Timestamp, reading: &Reading, value: Energy, taken: &mut Yield) {
        let (Some(begin), Some(latest)) = (self.begin, self.latest) else {
            let (at, _) = sound_time(reading.at, now);
            if value < Energy::ZERO {
                self.flag(at, value, Flaw::Negative, taken);
                return;
            }
            (self.begin, self.latest) = (Some((at, value)), Some((at, value)));
            taken.points.entry(at).or_default().register = Some(value);
            return;
        };
        // the true begin of a transaction whose messages arrive out of order
        if reading.context == Context::TransactionBegin
            && reading.at < begin.0
            && (Energy::ZERO..=begin.1).contains(&value)
            && begin.0.since(reading.at) < REPLAY_MAX
        {
            self.begin = Some((reading.at, value));
            taken.points.entry(reading.at).or_default().register = Some(value);
            return;
        }
        let mut register = Register::begin(begin.0, begin.1).resumed(latest.0, latest.1);
        if let Some(power_max) = self.power_max {
            register = register.limited_to(power_max);
        }
        match register.take(reading.at, value) {
            Taken::Counted { .. } => {
                self.latest = Some((reading.at, value));
                taken.points.entry(reading.at).or_default().register = Some(value);
            }
            Taken::Repeated => {
                taken.points.entry(reading.at).or_default().register = Some(value);
            }
            Taken::Flagged(flaw) => self.flag(reading.at, value, flaw, taken),
        }
    }

    fn flag(&self, at: Timestamp, value: Energy, flaw: Flaw, taken: &mut Yield) {
        let point = taken.points.entry(at).or_default();
        // a sound value of the same moment is not overwritten by a flagged one
        if point.register.is_none() {
            point.register = Some(value);
            point.flaw = Some(flaw.to_string());
        }
        taken.flaws.push(flaw);
    }
}

/// Of readings at the same moment the begin comes first and the end last.
const fn rank(context: Context) -> u8 {
    match context {
        Context::TransactionBegin => 0,
        Context::SamplePeriodic
        | Context::SampleClock
        | Context::InterruptionBegin
        | Context::InterruptionEnd
        | Context::Trigger
        | Context::Other => 1,
        Context::TransactionEnd => 2,
    }
}

const fn nature(context: Context) -> Nature {
    match context {
        Context::TransactionBegin => Nature::Start,
        Context::TransactionEnd => Nature::End,
        Context::SamplePeriodic
        | Context::SampleClock
        | Context::InterruptionBegin
        | Context::InterruptionEnd
        | Context::Trigger
        | Context::Other => Nature::Intermediate,
    }
}

/// The time that is believed, and why it is not the one that was said (handbook, quirk 14).
pub fn sound_time(said: Timestamp, now: Timestamp) -> (Timestamp, Option<&'static str>) {
    if said > now.plus(AHEAD_MAX) {
        (now, Some("the station's clock is ahead: the time of arrival was taken"))
    } else if now.since(said) > REPLAY_MAX {
        (now, Some("the station's clock is months or years behind: the time of arrival was taken"))
    } else {
        (said, None)
    }
}

/// Connectors are rated in round numbers and deliver a little more.
pub const fn with_margin(rated: Power) -> Power {
    Power::from_milliwatts(rated.milliwatts().saturating_add(rated.milliwatts() / 4))
}

/// The charging periods of a session, for its price (OCPI 2.2.1, 10.4.2).
///
/// A new period begins where charging begins or pauses and at each of `cuts`; with `fine`, at every reading.
pub fn periods(
    points: &BTreeMap<Timestamp, Point>,
    start: Timestamp,
    end: Timestamp,
    cuts: &[Timestamp],
    fine: bool,
) -> Vec<Period> {
    let mut nodes = sound_nodes(points, start, end);
    for cut in cuts.iter().filter(|cut| **cut > start && **cut < end) {
        if let Some(value) = between(&nodes, *cut) {
            nodes.entry(*cut).or_insert(value);
        }
    }
    let moments: Vec<(Timestamp, Energy)> = nodes.into_iter().collect();
    let mut out: Vec<Period> = Vec::new();
    for pair in moments.windows(2) {
        let [(from, before), (until, after)] = pair else { continue };
        let energy = after.checked_sub(*before).unwrap_or(Energy::ZERO);
        let within = points.range(*from..=*until).filter_map(|(_, point)| point.power).max();
        let max_power = within.filter(|power| *power > Power::ZERO);
        let charging = energy > Energy::ZERO;
        match out.last_mut() {
            Some(last) if last.charging == charging && !fine && !cuts.contains(from) => {
                last.energy = last.energy.and_then(|sum| sum.checked_add(energy));
                last.max_power = last.max_power.max(max_power);
            }
            Some(_) | None => out.push(Period { start: *from, energy: Some(energy), charging, max_power }),
        }
    }
    if out.is_empty() {
        out.push(Period { start, energy: Some(Energy::ZERO), charging: false, max_power: None });
    }
    out
}

/// The readings that count, rising, from `start` to `end`, both included.
fn sound_nodes(points: &BTreeMap<Timestamp, Point>, start: Timestamp, end: Timestamp) -> BTreeMap<Timestamp, Energy> {
    let counted = || {
        points.iter().filter(|(_, point)| point.flaw.is_none()).filter_map(|(at, point)| Some((*at, point.register?)))
    };
    let last = counted().next_back().map(|(_, value)| value);
    let mut nodes = BTreeMap::new();
    let mut floor = None;
    for (at, value) in counted() {
        if Some(value) > last || floor.is_some_and(|floor| value < floor) {
            continue;
        }
        floor = Some(value);
        // a reading a little outside belongs to the edge: stations stamp begin and end on their own
        nodes.insert(at.clamp(start, end), value);
    }
    if let Some((_, first)) = nodes.first_key_value().map(|(at, value)| (*at, *value)) {
        nodes.entry(start).or_insert(first);
    }
    if let Some((_, last)) = nodes.last_key_value().map(|(at, value)| (*at, *value)) {
        nodes.entry(end).or_insert(last);
    }
    if let (Some(first), Some(edge)) = (counted().next().map(|(_, value)| value), nodes.get_mut(&start)) {
        *edge = first.min(*edge);
    }
    nodes
}

/// The register at a moment between two readings, if energy flowed evenly between them. Cut to the milliwatt-hour.
fn between(nodes: &BTreeMap<Timestamp, Energy>, at: Timestamp) -> Option<Energy> {
    let (from, before) = nodes.range(..=at).next_back()?;
    let (until, after) = nodes.range(at..).next()?;
    let span = i128::from(until.micros()) - i128::from(from.micros());
    if span == 0 {
        return Some(*before);
    }
    let part = i128::from(at.micros()) - i128::from(from.micros());
    let risen = (i128::from(after.mwh()) - i128::from(before.mwh())) * part / span;
    i64::try_from(i128::from(before.mwh()) + risen).ok().map(Energy::from_mwh)
}

/// Does a price of this tariff hang on energy or power? Then every reading may matter.
pub fn needs_fine_periods(tariff: &Tariff) -> bool {
    let by_amount = |limits: &Restrictions| {
        limits.min_energy.is_some()
            || limits.max_energy.is_some()
            || limits.min_power.is_some()
            || limits.max_power.is_some()
    };
    tariff.elements.iter().any(|element| by_amount(&element.restrictions))
}

/// A station's clock may run ahead of ours by this much.
const AHEAD_MAX: Duration = Duration::from_secs(600);
/// The longest that a station keeps messages while offline; older times come from a clock that was never set.
const REPLAY_MAX: Duration = Duration::from_secs(180 * 24 * 3_600);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn at(minutes: u64) -> Timestamp {
        START.plus(Duration::from_secs(60 * minutes))
    }

    fn energy(at: Timestamp, context: Context, wh: i64) -> Reading {
        Reading { at, context, phase: None, measured: Measured::EnergyImport(Energy::from_wh(wh)) }
    }

    fn curve(values: &[(u64, i64)]) -> BTreeMap<Timestamp, Point> {
        let point = |wh| Point { register: Some(Energy::from_wh(wh)), ..Point::default() };
        values.iter().map(|(minute, wh)| (at(*minute), point(*wh))).collect()
    }

    #[test]
    fn what_contradicts_is_flagged_and_not_counted() {
        let mut meter = Meter::default();
        let begin = meter.take(START, &[energy(START, Context::TransactionBegin, 1_000)]);
        assert!(begin.flaws.is_empty());
        let taken = meter.take(
            at(30),
            &[
                energy(at(10), Context::SamplePeriodic, 2_000),
                energy(at(20), Context::SamplePeriodic, 1_500),
                energy(at(21), Context::SamplePeriodic, -1),
                energy(Timestamp::from_secs(0), Context::SamplePeriodic, 2_500),
                energy(at(30), Context::SamplePeriodic, 3_000),
            ],
        );
        assert_eq!(taken.flaws.len(), 3, "{:?}", taken.flaws);
        assert_eq!(meter.delivered(), Energy::from_wh(2_000));
        let flagged = taken.points.values().filter(|point| point.flaw.is_some()).count();
        assert_eq!(flagged, 3);
    }

    #[test]
    fn more_than_the_connector_can_deliver_does_not_count() {
        let mut meter = Meter { power_max: Some(with_margin(Power::from_watts(22_000))), ..Meter::default() };
        meter.take(START, &[energy(START, Context::TransactionBegin, 0)]);
        let honest = meter.take(at(60), &[energy(at(60), Context::SamplePeriodic, 22_000)]);
        assert!(honest.flaws.is_empty());
        let jump = meter.take(at(70), &[energy(at(70), Context::SamplePeriodic, 82_000)]);
        assert_eq!(jump.flaws.len(), 1);
        assert_eq!(meter.delivered(), Energy::from_wh(22_000));
    }

    #[test]
    fn a_begin_that_arrives_late_is_still_the_begin() {
        let mut meter = Meter::default();
        meter.take(at(9), &[energy(at(5), Context::SamplePeriodic, 1_500)]);
        meter.take(at(9), &[energy(at(0), Context::TransactionBegin, 1_000)]);
        meter.take(at(9), &[energy(at(8), Context::TransactionEnd, 2_000)]);
        assert_eq!(meter.delivered(), Energy::from_wh(1_000));
    }

    #[test]
    fn phases_add_up_and_signed_records_pass() {
        let record = SignedRecord { format: "OCMF".into(), bytes: b"OCMF|{}|{}".as_slice().into(), public_key: None };
        let power = |phase: &str, w| Reading {
            at: START,
            context: Context::SamplePeriodic,
            phase: Some(phase.into()),
            measured: Measured::PowerImport(Power::from_watts(w)),
        };
        let signed = Reading {
            at: START,
            context: Context::TransactionEnd,
            phase: None,
            measured: Measured::Signed(record.clone()),
        };
        let mut meter = Meter::default();
        let taken = meter.take(START, &[power("L1", 3_000), power("L2", 3_000), power("L3", 1_000), signed]);
        assert_eq!(meter.power, Some(Power::from_watts(7_000)));
        assert_eq!(taken.records, vec![(Nature::End, record)]);
    }

    #[test]
    fn periods_follow_charging_and_the_clock_of_the_tariff() {
        let points = curve(&[(0, 1_000), (10, 2_000), (20, 3_000), (30, 3_000)]);
        let plain = periods(&points, at(0), at(40), &[], false);
        let shape = |periods: &[Period]| -> Vec<(u64, i64, bool)> {
            periods
                .iter()
                .map(|period| (period.start.since(START).as_secs() / 60, period.energy.unwrap().wh(), period.charging))
                .collect()
        };
        assert_eq!(shape(&plain), vec![(0, 2_000, true), (20, 0, false)]);
        let cut = periods(&points, at(0), at(40), &[at(5)], false);
        assert_eq!(shape(&cut), vec![(0, 500, true), (5, 1_500, true), (20, 0, false)]);
        let fine = periods(&points, at(0), at(40), &[], true);
        assert_eq!(shape(&fine), vec![(0, 1_000, true), (10, 1_000, true), (20, 0, false), (30, 0, false)]);
    }

    #[test]
    fn periods_lose_no_energy_at_the_edges() {
        // begin and end are stamped a little outside of the transaction
        let points = curve(&[(0, 1_000), (1, 1_100), (10, 2_000), (31, 3_500)]);
        let sum: i64 =
            periods(&points, at(1), at(30), &[], false).iter().map(|period| period.energy.unwrap().wh()).sum();
        assert_eq!(sum, 2_500);
        assert_eq!(periods(&BTreeMap::new(), at(0), at(0), &[], false).len(), 1);
    }

    #[test]
    fn times_out_of_the_world_are_replaced() {
        let now = at(100);
        for (said, sound) in [
            (at(99), true),
            (at(105), true),
            (at(120), false),
            (Timestamp::from_secs(0), false),
            (now.minus(Duration::from_secs(20 * 24 * 3_600)), true),
        ] {
            let (taken, why) = sound_time(said, now);
            assert_eq!((taken == said, why.is_none()), (sound, sound), "{said}");
        }
    }
}
