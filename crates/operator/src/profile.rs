//! Power profiles from the road: what a provider may ask of a running session, how it goes to the station, and what the
//! provider hears (OCPI 2.2.1, module 14; OCPP 1.6 3.13, 2.x block K).
//!
//! A provider's profile is the transaction's own (`TxProfile`), under the operator's: it never asks for more than the
//! EVSE has or the operator allows there, and what holds for the whole station holds on, because a station takes the
//! lower of the two. The invariant: what is told is what the station said. A silent one leads to no word at all, and the
//! time that was promised runs out.

use std::time::Duration;

use charge::Timestamp;
use charge::id::TransactionKey;
use charge::place::{Connector, Current};
use charge::talk::line::charging::{Composite, Period, Profile, ProfileKind, ProfilePurpose, RateUnit, Schedule};
use charge::talk::line::{LineFault, StationAnswer};
use charge::talk::road::{ActiveProfile, PowerProfile, ProfileResult, ProfileUnit};
use rust_decimal::{Decimal, RoundingStrategy};

/// The most that an EVSE gives, in both units; `None` where nothing is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ceiling {
    pub watts: Option<Decimal>,
    pub amperes: Option<Decimal>,
}

impl Ceiling {
    /// Of the strongest connector.
    pub fn of(connectors: &[Connector]) -> Self {
        let watts = connectors.iter().map(|connector| connector.max_power.watts()).max().filter(|watts| *watts > 0);
        let amperes = connectors.iter().map(|connector| connector.max_amperage_a).max().filter(|most| *most > 0);
        Self { watts: watts.map(Decimal::from), amperes: amperes.map(Decimal::from) }
    }

    /// Under a limit of the operator's own. In the other unit it is as low as the EVSE's rating makes it.
    #[must_use]
    pub fn under(self, unit: ProfileUnit, limit: Decimal) -> Self {
        let lower = |most: Option<Decimal>, limit: Option<Decimal>| match (most, limit) {
            (Some(most), Some(limit)) => Some(most.min(limit)),
            (one, other) => one.or(other),
        };
        let in_other = |this: Option<Decimal>, other: Option<Decimal>| limit.checked_mul(other?)?.checked_div(this?);
        let (watts, amperes) = match unit {
            ProfileUnit::Watts => (Some(limit), in_other(self.watts, self.amperes)),
            ProfileUnit::Amperes => (in_other(self.amperes, self.watts), Some(limit)),
        };
        Self { watts: lower(self.watts, watts), amperes: lower(self.amperes, amperes) }
    }

    pub const fn of_unit(self, unit: ProfileUnit) -> Option<Decimal> {
        match unit {
            ProfileUnit::Watts => self.watts,
            ProfileUnit::Amperes => self.amperes,
        }
    }

    /// In the unit that is known, power first.
    fn known(self) -> Option<(ProfileUnit, Decimal)> {
        let watts = self.watts.map(|most| (ProfileUnit::Watts, most));
        watts.or_else(|| self.amperes.map(|most| (ProfileUnit::Amperes, most)))
    }
}

/// What one ampere of each phase is at an EVSE that is known well enough to say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wires(Decimal);

impl Wires {
    /// Of the connector at which an ampere is most: a limit is one for every car. `None` where a connector gives direct
    /// current, whose voltage is the car's, or where its voltage is not known.
    pub fn of(connectors: &[Connector]) -> Option<Self> {
        let watts = |connector: &Connector| {
            let volts = Decimal::from(connector.max_voltage_v);
            match (connector.current, connector.max_voltage_v) {
                (Current::Dc, _) | (_, 0) => None,
                (Current::Ac1Phase, _) => Some(volts),
                // between phases, though it should be to neutral (OCPI 2.2.1, 8.3.3 `max_voltage`)
                (Current::Ac3Phase, BETWEEN_PHASES_V..) => volts.checked_mul(BETWEEN_PHASES),
                (Current::Ac3Phase, _) => volts.checked_mul(THREE_PHASES),
            }
        };
        let each: Option<Vec<Decimal>> = connectors.iter().map(watts).collect();
        each?.into_iter().max().map(Self)
    }
}

/// The one unit that a station takes, where it says so: `ChargingScheduleAllowedChargingRateUnit` (OCPP 1.6, 9.4.2) or
/// `SmartChargingCtrlr.RateUnit` (2.x).
pub fn only_unit(said: &str) -> Option<ProfileUnit> {
    let unit = |word: &str| match word.trim().to_ascii_lowercase().as_str() {
        "current" | "a" => Some(ProfileUnit::Amperes),
        "power" | "w" => Some(ProfileUnit::Watts),
        _other => None,
    };
    let mut units = said.split(',').filter_map(unit);
    let first = units.next()?;
    units.all(|other| other == first).then_some(first)
}

/// A profile in watts for a station that only takes amperes. A car on fewer phases gets less than was asked, never more.
/// `None` where the EVSE is not known well enough.
pub fn in_amperes(mut profile: PowerProfile, wires: Option<Wires>) -> Option<PowerProfile> {
    if profile.unit == ProfileUnit::Amperes {
        return Some(profile);
    }
    let Wires(ampere) = wires?;
    let amperes = |watts: Decimal| {
        Some(watts.checked_div(ampere)?.round_dp_with_strategy(1, RoundingStrategy::ToZero).normalize())
    };
    for (_, limit) in &mut profile.periods {
        *limit = amperes(*limit)?;
    }
    if let Some(least) = profile.min_rate {
        profile.min_rate = Some(amperes(least)?);
    }
    profile.unit = ProfileUnit::Amperes;
    Some(profile)
}

/// What is wrong with the form of a profile: the place and why.
pub fn fault(profile: &PowerProfile) -> Option<(&'static str, &'static str)> {
    let periods = &profile.periods;
    if periods.first().is_some_and(|(start, _)| *start != 0) {
        return Some((PERIODS, "begins with a period that does not start at 0"));
    }
    if periods.iter().zip(periods.iter().skip(1)).any(|(one, next)| one.0 >= next.0) {
        return Some((PERIODS, "is not in the order of its starts"));
    }
    if periods.iter().any(|(_, limit)| limit.is_sign_negative() && !limit.is_zero()) {
        return Some((PERIODS, "has a limit below zero"));
    }
    None
}

/// Lowered to what may be had there. One without periods limits nothing, and asks for all there is.
pub fn clamped(mut profile: PowerProfile, ceiling: Ceiling) -> Option<PowerProfile> {
    let most = ceiling.of_unit(profile.unit);
    if profile.periods.is_empty() {
        profile.periods.push((0, most?));
    }
    for (_, limit) in &mut profile.periods {
        // OCPI 2.2.1, 14.6.4: at most one digit after the point; down, because a limit is one
        *limit = most.map_or(*limit, |most| most.min(*limit)).round_dp_with_strategy(1, RoundingStrategy::ToZero);
    }
    Some(profile)
}

/// The number of a provider's profile at the station: one for each session, far from those that people give, so that
/// another profile takes the place of the one before and a removal meets no other.
pub const fn number(session: i32) -> i32 {
    FIRST_NUMBER | (session & (FIRST_NUMBER - 1))
}

/// In the words of the line. Without a start it counts from where the transaction began.
pub fn for_station(profile: &PowerProfile, key: TransactionKey, number: i32) -> Profile {
    let period = |(start, limit): &(u32, Decimal)| Period { start: *start, limit: Some(*limit), ..Period::default() };
    let schedule = Schedule {
        id: 1,
        start: profile.start,
        lasts: profile.duration_s.map(|seconds| Duration::from_secs(seconds.into())),
        unit: match profile.unit {
            ProfileUnit::Watts => RateUnit::Watts,
            ProfileUnit::Amperes => RateUnit::Amperes,
        },
        min_rate: profile.min_rate,
        periods: profile.periods.iter().map(period).collect(),
        more: None,
    };
    Profile {
        id: number,
        stack_level: STACK_LEVEL,
        purpose: ProfilePurpose::Tx,
        kind: if profile.start.is_some() { ProfileKind::Absolute } else { ProfileKind::Relative },
        valid_from: None,
        valid_until: None,
        key: Some(key),
        schedules: vec![schedule],
        more: None,
    }
}

/// What the station has worked out. Where nothing limits it, all that the EVSE has (OCPI 2.2.1, 14.4.2.2); `None` where
/// that is not known either.
pub fn planned(composite: &Composite, ceiling: Ceiling) -> Option<ActiveProfile> {
    let unit = match composite.unit {
        RateUnit::Watts => ProfileUnit::Watts,
        RateUnit::Amperes => ProfileUnit::Amperes,
    };
    let periods: Vec<_> =
        composite.periods.iter().filter_map(|period| Some((period.start, period.limit?.normalize()))).collect();
    let (unit, periods) = match (periods.is_empty(), ceiling.known()) {
        (false, _) => (unit, periods),
        (true, Some((unit, most))) => (unit, vec![(0, most)]),
        (true, None) => return None,
    };
    let duration_s = u32::try_from(composite.lasts.as_secs()).ok();
    let profile = PowerProfile { start: Some(composite.start), duration_s, unit, min_rate: None, periods };
    Some(ActiveProfile { calculated: composite.start, profile })
}

/// Whether two plans mean the same for whoever reads them now: the later one goes on where the earlier one was.
pub fn same(one: &PowerProfile, other: &PowerProfile) -> bool {
    (one.unit, &one.periods) == (other.unit, &other.periods)
}

/// What kind of order a station answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Set,
    Clear,
    Show,
}

/// What the provider hears of the station's answer; `None`: the station has said nothing, so there is nothing to tell.
pub fn heard(
    asked: Asked,
    answer: &Result<StationAnswer, LineFault>,
    ceiling: Ceiling,
    now: Timestamp,
) -> Option<(ProfileResult, Option<ActiveProfile>)> {
    let rejected = Some((ProfileResult::Rejected, None));
    let show = |composite: &Composite| match planned(composite, ceiling) {
        Some(plan) => Some((ProfileResult::Accepted, Some(plan))),
        None => rejected.clone(),
    };
    match (asked, answer) {
        (_, Err(LineFault::TimedOut | LineFault::Lost)) => None,
        (Asked::Show, Ok(StationAnswer::Composite(composite))) => show(composite),
        // 1.6 says yes without a schedule where nothing limits it
        (Asked::Show, Ok(StationAnswer::Accepted)) => {
            show(&Composite { evse: None, start: now, lasts: PLAN, unit: RateUnit::Watts, periods: Vec::new() })
        }
        (Asked::Set | Asked::Clear, Ok(StationAnswer::Accepted | StationAnswer::Scheduled)) => {
            Some((ProfileResult::Accepted, None))
        }
        (Asked::Clear, Ok(StationAnswer::Refused(word))) if &**word == "Unknown" => {
            Some((ProfileResult::Unknown, None))
        }
        (Asked::Set | Asked::Clear | Asked::Show, Ok(_) | Err(_)) => rejected,
    }
}

const THREE_PHASES: Decimal = Decimal::from_parts(3, 0, 0, false, 0);
/// The root of three: 400 V between phases are three times 230.9 V.
const BETWEEN_PHASES: Decimal = Decimal::from_parts(17_320_508, 0, 0, false, 7);
/// No network has so much between a phase and neutral; those of 277 V are the highest.
const BETWEEN_PHASES_V: u32 = 300;
/// The place of the periods in a letter.
const PERIODS: &str = "/charging_profile/charging_profile_period";
/// Under whatever profile a person of the operator gives the same transaction.
const STACK_LEVEL: u32 = 0;
const FIRST_NUMBER: i32 = 1 << 30;
/// What is told of a plan that changed: OCPI 2.2.1, 14.4.2.2 wants between 5 and 60 minutes.
pub const PLAN: Duration = Duration::from_secs(3_600);
/// The longest plan that a provider is shown: more is data that nobody plans by (14.4.1.1).
pub const SHOWN_S_MAX: u32 = 24 * 3_600;
/// Orders about the power of one session within [`ORDERS_WITHIN`]; each is a message to a station that may pay for it.
pub const ORDERS_MAX: u32 = 6;
pub const ORDERS_WITHIN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn profile(unit: ProfileUnit, periods: &[(u32, &str)]) -> PowerProfile {
        let periods = periods.iter().map(|(start, limit)| (*start, limit.parse().unwrap())).collect();
        PowerProfile { start: None, duration_s: None, unit, min_rate: None, periods }
    }

    const ROOM: Ceiling = Ceiling { watts: Some(Decimal::from_parts(22_000, 0, 0, false, 0)), amperes: None };

    #[test]
    fn a_limit_is_lowered_and_never_raised() {
        let asked = profile(ProfileUnit::Watts, &[(0, "4000.27"), (600, "50000")]);
        let given = clamped(asked, ROOM).unwrap();
        assert_eq!(given.periods, profile(ProfileUnit::Watts, &[(0, "4000.2"), (600, "22000")]).periods);
        let amperes = profile(ProfileUnit::Amperes, &[(0, "63")]);
        assert_eq!(clamped(amperes.clone(), ROOM).unwrap().periods, amperes.periods, "nothing is known in amperes");
        let all = clamped(profile(ProfileUnit::Watts, &[]), ROOM).unwrap();
        assert_eq!(all.periods, vec![(0, 22_000.into())]);
        assert_eq!(clamped(profile(ProfileUnit::Amperes, &[]), ROOM), None);
    }

    #[test]
    fn the_operators_own_limit_counts_in_both_units() {
        let room = Ceiling { watts: Some(22_080.into()), amperes: Some(32.into()) };
        let ten = Ceiling { watts: Some(6_900.into()), amperes: Some(10.into()) };
        assert_eq!(room.under(ProfileUnit::Amperes, 10.into()), ten);
        assert_eq!(room.under(ProfileUnit::Watts, 6_900.into()), ten);
        assert_eq!(room.under(ProfileUnit::Watts, 90_000.into()), room);
        let none = Ceiling::default().under(ProfileUnit::Watts, 5.into());
        assert_eq!(none, Ceiling { watts: Some(5.into()), amperes: None });
    }

    fn connector(current: Current, max_voltage_v: u32) -> Connector {
        Connector {
            id: "1".parse().unwrap(),
            plug: charge::place::Plug::Type2,
            attached_cable: false,
            current,
            max_voltage_v,
            max_amperage_a: 32,
            max_power: charge::units::Power::from_watts(22_000),
            tariffs: Vec::new(),
        }
    }

    #[test]
    fn watts_become_amperes_of_each_phase_and_never_more() {
        let asked =
            || PowerProfile { min_rate: Some(1_400.into()), ..profile(ProfileUnit::Watts, &[(0, "7000"), (60, "0")]) };
        let table = [
            (vec![connector(Current::Ac3Phase, 230)], Some(["10.1", "0", "2"])),
            (vec![connector(Current::Ac1Phase, 230)], Some(["30.4", "0", "6"])),
            (vec![connector(Current::Ac3Phase, 400)], Some(["10.1", "0", "2"])),
            // whichever plug the car is on, it gets no more than was asked
            (vec![connector(Current::Ac1Phase, 230), connector(Current::Ac3Phase, 230)], Some(["10.1", "0", "2"])),
            (vec![connector(Current::Ac3Phase, 0)], None),
            (vec![connector(Current::Ac3Phase, 230), connector(Current::Dc, 400)], None),
            (Vec::new(), None),
        ];
        for (connectors, wanted) in table {
            let told = in_amperes(asked(), Wires::of(&connectors));
            let told = told.map(|told| {
                assert_eq!(told.unit, ProfileUnit::Amperes);
                [told.periods[0].1, told.periods[1].1, told.min_rate.unwrap()].map(|limit| limit.to_string())
            });
            assert_eq!(told, wanted.map(|limits| limits.map(str::to_owned)), "{connectors:?}");
        }
        let amperes = profile(ProfileUnit::Amperes, &[(0, "16")]);
        assert_eq!(in_amperes(amperes.clone(), None), Some(amperes));
    }

    #[test]
    fn a_station_that_takes_both_units_or_says_nothing_is_told_as_asked() {
        let (amperes, watts) = (Some(ProfileUnit::Amperes), Some(ProfileUnit::Watts));
        let table = [
            ("Current", amperes),
            ("A", amperes),
            ("Power", watts),
            (" w", watts),
            ("Current,Power", None),
            ("A,W", None),
            ("", None),
            ("VA", None),
        ];
        for (said, only) in table {
            assert_eq!(only_unit(said), only, "{said}");
        }
    }

    #[test]
    fn a_profile_without_a_form_is_told_where() {
        let table = [
            (profile(ProfileUnit::Watts, &[]), true),
            (profile(ProfileUnit::Watts, &[(0, "0"), (60, "1")]), true),
            (profile(ProfileUnit::Watts, &[(5, "1")]), false),
            (profile(ProfileUnit::Watts, &[(0, "1"), (60, "2"), (60, "3")]), false),
            (profile(ProfileUnit::Watts, &[(0, "-1")]), false),
        ];
        for (profile, right) in table {
            assert_eq!(fault(&profile).is_none(), right, "{profile:?}");
        }
    }

    #[test]
    fn what_is_told_is_what_the_station_said() {
        use Asked::{Clear, Set, Show};
        let now = Timestamp::from_secs(1_800_000_000);
        let refused = |word: &str| Ok(StationAnswer::Refused(word.into()));
        let error = Err(LineFault::Error { code: "NotImplemented".into(), description: "".into() });
        let table = [
            (Set, Ok(StationAnswer::Accepted), Some(ProfileResult::Accepted)),
            (Set, refused("NotSupported"), Some(ProfileResult::Rejected)),
            (Set, refused("Unknown"), Some(ProfileResult::Rejected)),
            (Set, Err(LineFault::TimedOut), None),
            (Set, Err(LineFault::Lost), None),
            (Set, Err(LineFault::NotConnected), Some(ProfileResult::Rejected)),
            (Set, error, Some(ProfileResult::Rejected)),
            (Clear, Ok(StationAnswer::Accepted), Some(ProfileResult::Accepted)),
            (Clear, refused("Unknown"), Some(ProfileResult::Unknown)),
            (Show, Ok(StationAnswer::Accepted), Some(ProfileResult::Accepted)),
            (Show, refused("Rejected"), Some(ProfileResult::Rejected)),
        ];
        for (asked, answer, wanted) in table {
            let told = heard(asked, &answer, ROOM, now);
            assert_eq!(told.as_ref().map(|(result, _)| *result), wanted, "{asked:?} {answer:?}");
            let planned = told.and_then(|(_, plan)| plan);
            assert_eq!(planned.is_some(), asked == Show && wanted == Some(ProfileResult::Accepted));
        }
    }

    #[test]
    fn where_nothing_limits_the_plan_is_all_there_is() {
        let start = Timestamp::from_secs(1_800_000_000);
        let composite = |periods| Composite { evse: None, start, lasts: PLAN, unit: RateUnit::Amperes, periods };
        let free = planned(&composite(Vec::new()), ROOM).unwrap();
        assert_eq!((free.profile.unit, free.profile.periods), (ProfileUnit::Watts, vec![(0, 22_000.into())]));
        let period = Period { start: 0, limit: Some(16.into()), ..Period::default() };
        let slow = planned(&composite(vec![period]), ROOM).unwrap();
        assert_eq!((slow.profile.unit, slow.profile.periods), (ProfileUnit::Amperes, vec![(0, 16.into())]));
        assert_eq!(planned(&composite(Vec::new()), Ceiling::default()), None);
    }

    #[test]
    fn each_session_has_one_number() {
        assert_eq!(number(7), number(7));
        assert!(number(7) != number(8) && number(1) > 1_000_000 && number(i32::MAX) > 0);
    }
}
