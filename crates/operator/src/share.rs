//! How the power of a site is divided among its stations: local load balancing (OCPP 2.x part 2, block K, "Local Smart
//! Charging"; part 4, local controller).
//!
//! Decides numbers and knows no station's hardware: each station divides what it is given among its EVSEs. Deliberately no
//! forecast. Invariant: what stations may take at one moment, the last word that each has taken counted, is never more
//! than the site has.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use charge::id::{EvseNo, StationId, TransactionKey};
use charge::talk::line::charging::{Period, Profile, ProfileKind, ProfilePurpose, RateUnit, Schedule};
use charge::talk::line::{BayState, FromStation, Stage};
use charge::units::Power;
use charge::{Decimal, Timestamp};

/// What a site may take, and how it is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Supply {
    /// For all stations together.
    pub power: Power,
    /// Less than this is of no use to a car: rather than that, who came last waits. 6 A on one phase unless it is said.
    pub least: Power,
}

/// How a station counts its limits and what it could take: what turns its amperes into the site's watts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlet {
    /// What its limits are told in (`chargingRateUnit`).
    pub unit: RateUnit,
    /// Between a phase and neutral.
    pub volts: u32,
    /// A limit in amperes is one of each phase (2.x `numberPhases`, 3 unless it is said).
    pub phases: u8,
    /// What it may take before it was ever told a limit; all that the site has where nobody knows.
    pub most: Option<Power>,
}

impl Default for Outlet {
    fn default() -> Self {
        Self { unit: RateUnit::Watts, volts: 230, phases: 3, most: None }
    }
}

impl Outlet {
    /// What one ampere of each phase is.
    fn ampere(&self, phases: Option<u8>) -> Decimal {
        Decimal::from(self.volts) * Decimal::from(phases.unwrap_or(self.phases).max(1))
    }

    /// A limit as power. `None`: more than can be counted.
    fn power(&self, limit: Decimal, unit: RateUnit, phases: Option<u8>) -> Option<Power> {
        let watts = match unit {
            RateUnit::Watts => limit,
            RateUnit::Amperes => limit.checked_mul(self.ampere(phases))?,
        };
        i64::try_from(watts.checked_mul(Decimal::from(1_000))?.trunc()).ok().map(Power::from_milliwatts)
    }

    /// So many amperes of each phase.
    pub fn of_amperes(&self, amperes: u32) -> Power {
        self.power(Decimal::from(amperes), RateUnit::Amperes, None).unwrap_or(Power::ZERO)
    }

    /// Power as a limit that is told, one decimal and never more (1.6, 7.13).
    fn limit(&self, share: Power) -> Decimal {
        let watts = Decimal::new(share.milliwatts(), 3);
        let limit = match self.unit {
            RateUnit::Watts => watts,
            RateUnit::Amperes => watts.checked_div(self.ampere(None)).unwrap_or_default(),
        };
        limit.trunc_with_scale(1).normalize()
    }
}

/// What a station wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    pub station: StationId,
    /// How many of its EVSEs charge.
    pub charging: u32,
    /// When the first of them began: who came first is served first where there is not enough for all.
    pub since: Timestamp,
    /// What its operator leaves it.
    pub ceiling: Option<Power>,
}

/// Divides `power` among those who charge, evenly by EVSE, nobody beyond its ceiling; what one leaves is the others'. Who
/// does not charge has nothing until it does.
pub fn divide(power: Power, least: Power, demands: &[Demand]) -> BTreeMap<StationId, Power> {
    let mut shares: BTreeMap<StationId, Power> = demands.iter().map(|of| (of.station.clone(), Power::ZERO)).collect();
    let mut served: Vec<&Demand> = demands.iter().filter(|of| of.charging > 0).collect();
    served.sort_by(|a, b| (a.since, &a.station).cmp(&(b.since, &b.station)));
    let weight = |served: &[&Demand]| served.iter().map(|of| i64::from(of.charging)).sum::<i64>();
    while served.len() > 1 && power.milliwatts() / weight(&served).max(1) < least.milliwatts() {
        served.pop();
    }
    let mut left = power.milliwatts().max(0);
    while !served.is_empty() {
        let each = left / weight(&served).max(1);
        let bound = |of: &Demand| of.ceiling.map(Power::milliwatts).filter(|cap| *cap < each * i64::from(of.charging));
        let (bounded, free): (Vec<&Demand>, Vec<&Demand>) = served.iter().partition(|of| bound(of).is_some());
        if bounded.is_empty() {
            for of in free {
                shares.insert(of.station.clone(), Power::from_milliwatts(each * i64::from(of.charging)));
            }
            break;
        }
        for of in bounded {
            let cap = bound(of).unwrap_or_default().max(0);
            left -= cap;
            shares.insert(of.station.clone(), Power::from_milliwatts(cap));
        }
        served = free;
    }
    shares
}

/// Which EVSEs of a station charge, by what it says: 1.6 in its states, 2.x in its transactions.
#[derive(Clone, Debug, Default)]
pub struct Busy {
    evses: BTreeSet<EvseNo>,
    transactions: BTreeSet<Box<str>>,
    since: Option<Timestamp>,
}

impl Busy {
    /// Takes what a station said; answers whether it matters.
    pub fn hear(&mut self, said: &FromStation, now: Timestamp) -> bool {
        let before = self.count();
        match said {
            FromStation::Status(report) => match (report.evse, report.state) {
                (Some(no), BayState::Charging | BayState::SuspendedByCar | BayState::SuspendedByStation) => {
                    self.evses.insert(no);
                }
                // 2.x says no more than this of a state
                (_, BayState::Occupied) | (None, _) => {}
                (
                    Some(no),
                    BayState::Available
                    | BayState::Preparing
                    | BayState::Finishing
                    | BayState::Reserved
                    | BayState::Unavailable
                    | BayState::Faulted,
                ) => {
                    self.evses.remove(&no);
                }
            },
            FromStation::Transaction(report) => match (&report.key, report.stage) {
                (Some(TransactionKey::Text(key)), Stage::Started | Stage::Updated) => {
                    self.transactions.insert(key.clone());
                }
                (Some(TransactionKey::Text(key)), Stage::Ended) => {
                    self.transactions.remove(key);
                }
                (Some(TransactionKey::Number(_)) | None, _) => {}
            },
            // whoever starts anew charges nothing
            FromStation::Boot(_) => *self = Self::default(),
            FromStation::Alive
            | FromStation::Tap(_)
            | FromStation::Meter(_)
            | FromStation::Security { .. }
            | FromStation::Charging(_)
            | FromStation::Reservation { .. }
            | FromStation::Progress(_)
            | FromStation::Certificate(_)
            | FromStation::Model(_)
            | FromStation::Display(_)
            | FromStation::Customer(_)
            | FromStation::Grid(_)
            | FromStation::Swap(_)
            | FromStation::Payment(_)
            | FromStation::Vendor(_)
            | FromStation::Foreign(_) => {}
        }
        let count = self.count();
        self.since = if count == 0 { None } else { self.since.or(Some(now)) };
        count != before || matches!(said, FromStation::Boot(_))
    }

    pub fn count(&self) -> u32 {
        u32::try_from(self.evses.len() + self.transactions.len()).unwrap_or(u32::MAX)
    }

    pub const fn since(&self) -> Option<Timestamp> {
        self.since
    }
}

/// What an operator's profiles of a whole station leave at a moment: of the highest stack level that is in force. `None`
/// where none is.
pub fn ceiling(profiles: &[Profile], outlet: &Outlet, now: Timestamp) -> Option<Power> {
    let mut held: Vec<&Profile> = profiles.iter().collect();
    held.sort_by_key(|profile| std::cmp::Reverse(profile.stack_level));
    held.into_iter().find_map(|profile| limit_at(profile, outlet, now))
}

fn limit_at(profile: &Profile, outlet: &Outlet, now: Timestamp) -> Option<Power> {
    let valid =
        profile.valid_from.is_none_or(|from| from <= now) && profile.valid_until.is_none_or(|until| now < until);
    let schedule = profile.schedules.first().filter(|_| valid)?;
    let passed = match (profile.kind, schedule.start.or(profile.valid_from)) {
        (_, None) => 0,
        (ProfileKind::Daily, Some(start)) => (now.secs() - start.secs()).rem_euclid(DAY_S),
        (ProfileKind::Weekly, Some(start)) => (now.secs() - start.secs()).rem_euclid(7 * DAY_S),
        (ProfileKind::Absolute | ProfileKind::Relative | ProfileKind::Dynamic, Some(start)) => {
            now.secs() - start.secs()
        }
    };
    let lasts = schedule.lasts.and_then(|lasts| i64::try_from(lasts.as_secs()).ok());
    if passed < 0 || lasts.is_some_and(|lasts| passed >= lasts) {
        return None;
    }
    let period = schedule.periods.iter().rev().find(|period| i64::from(period.start) <= passed)?;
    outlet.power(period.limit?, schedule.unit, period.phases)
}

/// A share as the profile of a whole station: the one that the controller sets. It began a day ago, so that it is in force
/// whatever the station's clock says.
pub fn profile(share: Power, outlet: &Outlet, now: Timestamp) -> Profile {
    let phases = (outlet.unit == RateUnit::Amperes).then_some(outlet.phases);
    Profile {
        id: PROFILE,
        stack_level: 0,
        purpose: ProfilePurpose::StationMax,
        // a station's limit cannot be relative to a transaction (1.6, 3.13.1)
        kind: ProfileKind::Absolute,
        valid_from: None,
        valid_until: None,
        key: None,
        schedules: vec![Schedule {
            id: 1,
            start: Some(now.minus(BEGAN).whole_seconds()),
            lasts: None,
            unit: outlet.unit,
            min_rate: None,
            periods: vec![Period { start: 0, limit: Some(outlet.limit(share)), phases, ..Period::default() }],
            more: None,
        }],
        more: None,
    }
}

/// The number of the controller's profile: far from those that a CSMS counts.
pub const PROFILE: i32 = 1_900_000_000;
const DAY_S: i64 = 86_400;
/// More than any clock of a station that is still believed is slow.
const BEGAN: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn demand(name: &str, charging: u32, since: i64, ceiling: Option<i64>) -> Demand {
        Demand {
            station: StationId::new(name).unwrap(),
            charging,
            since: Timestamp::from_secs(since),
            ceiling: ceiling.map(Power::from_watts),
        }
    }

    fn watts(power: i64, least: i64, demands: &[Demand]) -> Vec<i64> {
        let shares = divide(Power::from_watts(power), Power::from_watts(least), demands);
        shares.values().map(|share| share.watts()).collect()
    }

    #[test]
    fn who_charges_has_an_even_share_and_what_one_leaves_is_the_others() {
        let three = |ceiling| [demand("A", 1, 1, None), demand("B", 1, 2, ceiling), demand("C", 0, 0, None)];
        assert_eq!(watts(22_000, 1_380, &three(None)), [11_000, 11_000, 0]);
        assert_eq!(watts(22_000, 1_380, &three(Some(4_000))), [18_000, 4_000, 0]);
        assert_eq!(watts(22_000, 1_380, &three(Some(40_000))), [11_000, 11_000, 0]);
        let two_of_one = [demand("A", 2, 1, None), demand("B", 1, 2, None)];
        assert_eq!(watts(9_000, 1_380, &two_of_one), [6_000, 3_000]);
        assert_eq!(watts(-5, 1_380, &two_of_one), [0, 0], "a site that has nothing gives nothing");
    }

    #[test]
    fn where_it_does_not_suffice_who_came_last_waits() {
        let four = ["A", "B", "C", "D"].map(|name| demand(name, 1, i64::from(name.as_bytes()[0]), None));
        assert_eq!(watts(4_500, 1_380, &four), [1_500, 1_500, 1_500, 0]);
        assert_eq!(watts(1_000, 1_380, &four), [1_000, 0, 0, 0], "the first has what there is");
    }

    #[test]
    fn the_operators_profile_is_read_at_its_moment() {
        let period = |start, limit| Period { start, limit: Some(Decimal::from(limit)), ..Period::default() };
        let with = |kind, start, change: fn(&mut Profile)| {
            let mut of = profile(Power::ZERO, &Outlet::default(), NOW);
            (of.kind, of.schedules[0].start) = (kind, start);
            of.schedules[0].periods = vec![period(0, 9_000), period(3_600, 4_000)];
            change(&mut of);
            of
        };
        let none = |_: &mut Profile| {};
        let ago = |secs| Some(NOW.minus(Duration::from_secs(secs)));
        let at = |profiles: &[Profile]| ceiling(profiles, &Outlet::default(), NOW).map(Power::watts);
        assert_eq!(at(&[with(ProfileKind::Absolute, ago(60), none)]), Some(9_000));
        assert_eq!(at(&[with(ProfileKind::Absolute, ago(3_600), none)]), Some(4_000));
        assert_eq!(at(&[with(ProfileKind::Daily, ago(86_400 + 60), none)]), Some(9_000));
        assert_eq!(at(&[with(ProfileKind::Weekly, ago(7 * 86_400 + 3_700), none)]), Some(4_000));
        let over = |of: &mut Profile| of.schedules[0].lasts = Some(Duration::from_secs(30));
        assert_eq!(at(&[with(ProfileKind::Absolute, ago(60), over)]), None);
        let later = |of: &mut Profile| of.valid_from = Some(NOW.plus(Duration::from_secs(1)));
        assert_eq!(at(&[with(ProfileKind::Absolute, ago(60), later)]), None);
        let above = |of: &mut Profile| (of.stack_level, of.schedules[0].periods[0].limit) = (3, Some(Decimal::from(7)));
        let both = [with(ProfileKind::Absolute, ago(60), none), with(ProfileKind::Absolute, ago(60), above)];
        assert_eq!(at(&both), Some(7));
    }

    #[test]
    fn amperes_are_of_each_phase_in_both_directions() {
        // proves: K01.FR.19
        let one = Outlet { unit: RateUnit::Amperes, phases: 1, ..Outlet::default() };
        let three = Outlet { unit: RateUnit::Amperes, ..Outlet::default() };
        let told = |share, outlet: &Outlet| {
            let told = profile(Power::from_watts(share), outlet, NOW);
            let period = told.schedules[0].periods[0].clone();
            (told.schedules[0].unit, period.limit.unwrap().to_string(), period.phases)
        };
        assert_eq!(told(11_040, &three), (RateUnit::Amperes, "16".to_owned(), Some(3)));
        assert_eq!(told(3_700, &one), (RateUnit::Amperes, "16".to_owned(), Some(1)), "16.08, and never more");
        assert_eq!(told(11_040, &Outlet::default()), (RateUnit::Watts, "11040".to_owned(), None));
        let back = |outlet: &Outlet| ceiling(&[profile(Power::from_watts(11_040), &three, NOW)], outlet, NOW);
        assert_eq!(back(&three), Some(Power::from_watts(11_040)));
        assert_eq!(back(&one), Some(Power::from_watts(11_040)), "the period says of how many phases");
        let mut silent = profile(Power::from_watts(11_040), &three, NOW);
        silent.schedules[0].periods[0].phases = None;
        assert_eq!(ceiling(&[silent], &one, NOW), Some(Power::from_watts(3_680)), "else the station's own number");
        assert_eq!(three.of_amperes(63), Power::from_watts(43_470));
    }

    proptest! {
        #[test]
        fn nobody_is_given_more_than_there_is(
            power in 0i64..400_000,
            stations in prop::collection::vec((0u32..4, 0i64..100, prop::option::of(0i64..50_000)), 0..12),
        ) {
            let demands: Vec<_> = stations
                .iter()
                .enumerate()
                .map(|(at, (charging, since, cap))| demand(&format!("S{at}"), *charging, *since, *cap))
                .collect();
            let shares = divide(Power::from_watts(power), Power::from_watts(1_380), &demands);
            prop_assert!(shares.values().map(|share| share.milliwatts()).sum::<i64>() <= power * 1_000);
            for of in &demands {
                let share = shares[&of.station];
                prop_assert!(share >= Power::ZERO && of.ceiling.is_none_or(|cap| share <= cap));
                prop_assert!(of.charging > 0 || share == Power::ZERO);
            }
        }
    }
}
