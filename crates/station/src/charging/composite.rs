//! What follows from all profiles at once: the composite schedule.
//!
//! One pure function. Per purpose the highest stack level that has a period at the moment counts; of the purposes the
//! lowest limit does (OCPP 1.6, 3.13.3; OCPP 2.x K01.FR.35 and following, K08). Where nothing limits, the supply does.
//! It reads no clock and keeps nothing.
//!
//! Invariant: two neighbouring periods of an answer differ, the first starts at zero, and none starts past the end.

use std::time::Duration;

use charge::id::{EvseNo, TransactionKey};
use charge::talk::line::charging::{Period, Profile, ProfileKind, ProfilePurpose, RateUnit};
use charge::{Decimal, Timestamp};

use super::Held;

/// What the wiring gives without any profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Supply {
    pub watts: Decimal,
    /// Each phase.
    pub amperes: Decimal,
    pub volts: Decimal,
    pub phases: u8,
}

/// The transaction that the schedule is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Within {
    pub key: TransactionKey,
    pub started: Timestamp,
    /// 2.1: priority charging is on (K21).
    pub priority: bool,
}

/// All that a composite schedule depends on.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    pub profiles: &'a [Held],
    /// `None` asks for the whole station.
    pub evse: Option<EvseNo>,
    pub within: Option<Within>,
    pub supply: Supply,
    /// How long the line has been away by the begin of the window.
    pub offline_for: Option<Duration>,
}

const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);

impl Scene<'_> {
    /// The schedule from this moment on.
    pub fn composite(&self, from: Timestamp, lasts: Duration, unit: RateUnit) -> Vec<Period> {
        let end = from.plus(lasts);
        let mut periods: Vec<Period> = Vec::new();
        let mut at = from;
        while at < end {
            let (limits, next) = self.at(from, at, unit);
            let start = u32::try_from(at.since(from).as_secs()).unwrap_or(u32::MAX);
            let period = Period { start, ..limits };
            if periods.last().is_none_or(|last| Period { start, ..last.clone() } != period) {
                periods.push(period);
            }
            at = next.unwrap_or(end);
        }
        periods
    }

    /// What is in force at a moment, and when to look again. `from` is where relative schedules begin that have no
    /// transaction.
    pub fn at(&self, from: Timestamp, at: Timestamp, unit: RateUnit) -> (Period, Option<Timestamp>) {
        let began = self.within.as_ref().map_or(from, |within| within.started);
        let mut next: Option<Timestamp> = None;
        let mut tops: [Option<Top<'_>>; 6] = [const { None }; 6];
        for held in self.profiles.iter().filter(|held| self.applies(held, at.since(from))) {
            let (period, change) = period_at(held, at, began);
            next = [next, change, self.expires(held, from, at)].into_iter().flatten().min();
            let Some((unit, period)) = period else { continue };
            let top = Top { level: held.profile.stack_level, own: held.evse.is_some(), unit, period };
            let slot = &mut tops[slot(held.profile.purpose)];
            // of one level, what was set for this EVSE counts before what was set for all
            if slot.as_ref().is_none_or(|old| (old.level, old.own) < (top.level, top.own)) {
                *slot = Some(top);
            }
        }
        (self.merge(&tops, unit), next.filter(|next| *next > at))
    }

    fn merge(&self, tops: &[Option<Top<'_>>; 6], unit: RateUnit) -> Period {
        let [external, station, default, tx, priority, local] = tops;
        let own = priority.as_ref().or(tx.as_ref()).or(default.as_ref());
        let chosen = || [own, station.as_ref(), external.as_ref()].into_iter().flatten();
        let phases = chosen().filter_map(|top| top.period.phases).min();
        let in_unit = |top: &Top<'_>, value: Decimal| self.convert(value, top.unit, unit, phases.or(top.period.phases));
        // 2.1: what is made on the spot comes on top of what the grid may give (K26)
        let extra = local.as_ref().and_then(|top| top.period.limit.map(|limit| in_unit(top, limit)));
        let of = |top: &Top<'_>, shared: bool| {
            let limit = top.period.limit.map(|limit| in_unit(top, limit))?;
            Some(if shared { limit + extra.unwrap_or_default() } else { limit })
        };
        let limits = [
            own.and_then(|top| of(top, false)),
            station.as_ref().and_then(|top| of(top, true)),
            external.as_ref().and_then(|top| of(top, true)),
        ];
        let limit = limits.into_iter().flatten().min();
        let discharge = chosen().filter_map(|top| Some(in_unit(top, top.period.discharge_limit?))).max();
        let setpoint = own.and_then(|top| Some(in_unit(top, top.period.setpoint?)));
        let within = |wish: Decimal| {
            let wish = limit.map_or(wish, |limit| wish.min(limit));
            discharge.map_or(wish, |most| wish.max(most))
        };
        let ceiling = match unit {
            RateUnit::Watts => self.supply.watts,
            RateUnit::Amperes => self.supply.amperes,
        };
        Period {
            start: 0,
            limit: Some(limit.unwrap_or(ceiling)),
            phases: limit.and(phases),
            phase_to_use: own.and_then(|top| top.period.phase_to_use),
            discharge_limit: discharge,
            setpoint: setpoint.map(within),
            mode: own.and_then(|top| top.period.mode.clone()),
            more: None,
        }
    }

    /// Amperes of each phase are watts of all phases.
    fn convert(&self, value: Decimal, from: RateUnit, to: RateUnit, phases: Option<u8>) -> Decimal {
        let per_ampere = self.supply.volts * Decimal::from(phases.unwrap_or(self.supply.phases).max(1));
        match (from, to) {
            (RateUnit::Watts, RateUnit::Watts) | (RateUnit::Amperes, RateUnit::Amperes) => value,
            (RateUnit::Amperes, RateUnit::Watts) => (value * per_ampere).normalize(),
            // schedules carry one decimal digit (1.6, 7.14)
            (RateUnit::Watts, RateUnit::Amperes) => {
                value.checked_div(per_ampere).unwrap_or_default().round_dp(1).normalize()
            }
        }
    }

    /// Whether a profile speaks of this place and this transaction at all.
    fn applies(&self, held: &Held, into: Duration) -> bool {
        if held.offline_max.zip(self.offline_for).is_some_and(|(max, away)| away + into >= max) {
            return false;
        }
        let here = held.evse.is_none() || held.evse == self.evse;
        let mine = |within: &Within| held.profile.key.as_ref().is_none_or(|key| *key == within.key);
        match held.profile.purpose {
            ProfilePurpose::ExternalConstraints | ProfilePurpose::StationMax | ProfilePurpose::LocalGeneration => here,
            // without a transaction a default says what would be
            ProfilePurpose::TxDefault => here && self.evse.is_some(),
            ProfilePurpose::Tx => held.evse == self.evse && self.within.as_ref().is_some_and(mine),
            ProfilePurpose::Priority => {
                here && self.within.as_ref().is_some_and(|within| within.priority && mine(within))
            }
        }
    }

    /// When a profile goes out of force because the line is away.
    fn expires(&self, held: &Held, from: Timestamp, at: Timestamp) -> Option<Timestamp> {
        let left = held.offline_max?.checked_sub(self.offline_for?)?;
        Some(from.plus(left)).filter(|expiry| *expiry > at)
    }
}

/// The highest of a purpose.
struct Top<'a> {
    level: u32,
    own: bool,
    unit: RateUnit,
    period: &'a Period,
}

const fn slot(purpose: ProfilePurpose) -> usize {
    match purpose {
        ProfilePurpose::ExternalConstraints => 0,
        ProfilePurpose::StationMax => 1,
        ProfilePurpose::TxDefault => 2,
        ProfilePurpose::Tx => 3,
        ProfilePurpose::Priority => 4,
        ProfilePurpose::LocalGeneration => 5,
    }
}

type InForce<'a> = (Option<(RateUnit, &'a Period)>, Option<Timestamp>);

/// The period of one profile at a moment, if it has one then, and when that changes.
fn period_at(held: &Held, at: Timestamp, began: Timestamp) -> InForce<'_> {
    let profile = &held.profile;
    if let Some(from) = profile.valid_from.filter(|from| at < *from) {
        return (None, Some(from));
    }
    if profile.valid_until.is_some_and(|until| until <= at) {
        return (None, None);
    }
    let Some(schedule) = profile.schedules.first() else { return (None, None) };
    let anchor = anchor(held, schedule.start, began);
    if at < anchor {
        return (None, [Some(anchor), profile.valid_until].into_iter().flatten().min());
    }
    let (begin, again) = cycle(profile, anchor, at);
    let after = |secs: u32| begin.plus(Duration::from_secs(u64::from(secs)));
    let over = schedule.lasts.map(|lasts| begin.plus(lasts));
    let (period, change) = if over.is_some_and(|over| over <= at) {
        (None, again)
    } else {
        let now = schedule.periods.iter().rfind(|period| after(period.start) <= at);
        let later = schedule.periods.iter().map(|period| after(period.start)).find(|start| *start > at);
        (now.map(|period| (schedule.unit, period)), [later, over, again].into_iter().flatten().min())
    };
    (period, [change, profile.valid_until].into_iter().flatten().min())
}

fn anchor(held: &Held, start: Option<Timestamp>, began: Timestamp) -> Timestamp {
    match held.profile.kind {
        ProfileKind::Relative => began,
        ProfileKind::Absolute | ProfileKind::Daily | ProfileKind::Weekly | ProfileKind::Dynamic => {
            start.unwrap_or(held.since)
        }
    }
}

/// The last begin of a schedule before a moment, and the next one.
fn cycle(profile: &Profile, anchor: Timestamp, at: Timestamp) -> (Timestamp, Option<Timestamp>) {
    let span = match profile.kind {
        ProfileKind::Daily => DAY,
        ProfileKind::Weekly => WEEK,
        ProfileKind::Absolute | ProfileKind::Relative | ProfileKind::Dynamic => return (anchor, None),
    };
    let rounds = at.since(anchor).as_secs() / span.as_secs();
    let begin = anchor.plus(Duration::from_secs(rounds * span.as_secs()));
    (begin, Some(begin.plus(span)))
}
