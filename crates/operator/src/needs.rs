//! What a car is given that says what it needs, and whether what it plans keeps to it (OCPP 2.x K15 to K17, from ISO 15118).
//!
//! Nobody here plans ahead: a car may take what its EVSE gives and the operator allows there, no more than it says that it
//! can take, until it wants to leave. Where its provider has set a profile of its own, that one is told again instead. The
//! invariant: what is given is never above the ceiling that holds for providers as well.

use charge::Timestamp;
use charge::id::TransactionKey;
use charge::talk::line::charging::{Period, Profile, RateUnit, Schedule};
use charge::talk::line::document::Document;
use charge::talk::road::{PowerProfile, ProfileUnit};
use document::Doc;
use rust_decimal::Decimal;

use crate::profile::{Ceiling, for_station};

/// What a car asks for, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Amperes on AC, watts on DC: as cars count.
    pub unit: ProfileUnit,
    /// The most that it can take, where it says so.
    pub most: Option<Decimal>,
    /// On AC.
    pub phases: Option<u8>,
    /// When it wants to leave.
    pub until: Option<Timestamp>,
}

impl Needs {
    /// Reads `chargingNeeds`; `None` where it does not say how the energy is to come.
    pub fn read(said: &Document) -> Option<Self> {
        let Doc::Record(said) = Doc::read(said.as_str().as_bytes(), DEPTH_MAX).ok()? else { return None };
        let transfer = said.text("requestedEnergyTransfer")?;
        let positive = |number: &Decimal| *number > Decimal::ZERO;
        let until = said.time("departureTime");
        if transfer.starts_with("AC") {
            let phases = match transfer {
                "AC_single_phase" => Some(1),
                "AC_two_phase" => Some(2),
                "AC_three_phase" => Some(3),
                _ => None,
            };
            let most = said.record("acChargingParameters").and_then(|of| of.number("evMaxCurrent"));
            return Some(Self { unit: ProfileUnit::Amperes, most: most.filter(positive), phases, until });
        }
        let of_car = said.record("dcChargingParameters").and_then(|of| {
            let product = || of.number("evMaxCurrent")?.checked_mul(of.number("evMaxVoltage")?);
            of.number("evMaxPower").or_else(product)
        });
        Some(Self { unit: ProfileUnit::Watts, most: of_car.filter(positive), phases: None, until })
    }
}

/// What the car may take: one schedule of one period, which every car has room for (K15.FR.07). `None` where nothing is
/// known that could be told.
pub fn offer(needs: Needs, ceiling: Ceiling, (key, number): (TransactionKey, i32), now: Timestamp) -> Option<Profile> {
    let limit = [needs.most, ceiling.of_unit(needs.unit)].into_iter().flatten().min()?;
    let left = needs.until.filter(|until| *until > now).map(|until| until.since(now).as_secs());
    let wanted = PowerProfile {
        start: Some(now),
        duration_s: left.and_then(|seconds| u32::try_from(seconds).ok()),
        unit: needs.unit,
        min_rate: None,
        // a whole number, because ISO 15118-2 counts so; down, because it is a limit
        periods: vec![(0, limit.trunc())],
    };
    let mut profile = for_station(&wanted, key, number);
    let periods = profile.schedules.iter_mut().flat_map(|schedule: &mut Schedule| &mut schedule.periods);
    periods.for_each(|period: &mut Period| period.phases = needs.phases);
    Some(profile)
}

/// Whether a car's plan stays below the ceiling (K15.FR.11, K15.FR.12).
pub fn keeps_to(plan: &Schedule, ceiling: Ceiling) -> bool {
    let unit = match plan.unit {
        RateUnit::Watts => ProfileUnit::Watts,
        RateUnit::Amperes => ProfileUnit::Amperes,
    };
    let Some(most) = ceiling.of_unit(unit) else { return true };
    plan.periods.iter().all(|period| period.limit.is_none_or(|limit| limit <= most))
}

/// `chargingNeeds` is two deep.
const DEPTH_MAX: usize = 8;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn needs(json: &str) -> Option<Needs> {
        Needs::read(&Document::new(json))
    }

    #[test]
    fn needs_are_read_in_the_units_of_cars() {
        let leaves = NOW.plus(Duration::from_secs(3_600));
        let ac = format!(
            r#"{{"requestedEnergyTransfer":"AC_three_phase","departureTime":"{leaves}",
                "acChargingParameters":{{"energyAmount":9000,"evMinCurrent":6,"evMaxCurrent":13,"evMaxVoltage":400}}}}"#
        );
        let read = needs(&ac).unwrap();
        assert_eq!((read.unit, read.most, read.phases), (ProfileUnit::Amperes, Some(13.into()), Some(3)));
        assert_eq!(read.until, Some(leaves));
        for (json, most) in [
            (
                r#"{"requestedEnergyTransfer":"DC","dcChargingParameters":{"evMaxPower":50000,"evMaxCurrent":1,"evMaxVoltage":2}}"#,
                Some(50_000),
            ),
            (
                r#"{"requestedEnergyTransfer":"DC","dcChargingParameters":{"evMaxCurrent":200,"evMaxVoltage":400}}"#,
                Some(80_000),
            ),
            (r#"{"requestedEnergyTransfer":"DC","dcChargingParameters":{"evMaxPower":-5}}"#, None),
            (r#"{"requestedEnergyTransfer":"DC"}"#, None),
        ] {
            let read = needs(json).unwrap();
            assert_eq!((read.unit, read.most), (ProfileUnit::Watts, most.map(Decimal::from)), "{json}");
        }
        assert_eq!(needs(r#"{"departureTime":"soon"}"#), None);
        assert_eq!(needs("what?"), None);
    }

    #[test]
    fn what_is_given_is_the_lower_of_two_and_never_above_the_ceiling() {
        // proves: K15.FR.07
        let key = || (TransactionKey::Text("t".into()), 7);
        let ceiling =
            |watts: Option<i64>| Ceiling { watts: watts.map(Decimal::from), amperes: Some(Decimal::from(32)) };
        let car = |most: Option<i64>| Needs {
            unit: ProfileUnit::Watts,
            most: most.map(Decimal::from),
            phases: None,
            until: None,
        };
        for (most, watts, given) in [
            (Some(50_000), Some(150_000), Some(50_000)),
            (Some(350_000), Some(150_000), Some(150_000)),
            (None, Some(150_000), Some(150_000)),
            (Some(50_000), None, Some(50_000)),
            (None, None, None),
        ] {
            let profile = offer(car(most), ceiling(watts), key(), NOW);
            let limit = profile.and_then(|profile| profile.schedules[0].periods[0].limit);
            assert_eq!(limit, given.map(Decimal::from), "{most:?} {watts:?}");
        }
        let until = Some(NOW.plus(Duration::from_secs(600)));
        let ac = Needs { unit: ProfileUnit::Amperes, most: Some(16.into()), phases: Some(1), until };
        let schedule = offer(ac, ceiling(None), key(), NOW).unwrap().schedules.remove(0);
        assert_eq!((schedule.unit, schedule.lasts), (RateUnit::Amperes, Some(Duration::from_secs(600))));
        assert_eq!(schedule.periods.len(), 1);
        assert_eq!(schedule.periods[0].phases, Some(1));
        // proves: K15.FR.11, K15.FR.12
        assert!(keeps_to(&schedule, ceiling(None)));
        let low = Ceiling { amperes: Some(10.into()), ..Ceiling::default() };
        assert!(!keeps_to(&schedule, low));
        assert!(keeps_to(&schedule, Ceiling::default()), "nothing is known that it could break");
    }
}
