//! A virtual car: a battery that takes what it can, and less of it as it fills.
//!
//! The power it takes is constant within one percent of its battery, so what it has taken after any time can be
//! calculated exactly and does not depend on how often somebody looks. It knows no station and no clock: time comes
//! in as spans.
//!
//! Invariant: splitting a span anywhere changes nothing; all numbers are integers (1 mW in 1 us is 1 nJ).

use charge::place::Current;
use charge::units::{Energy, Power};

/// Nanojoules in a milliwatt-hour.
pub(crate) const NANOJOULE_PER_MWH: u64 = 3_600_000_000;

/// The largest battery that is simulated: a ship's, and far inside the range of the arithmetic.
pub const CAPACITY_MAX: Energy = Energy::from_wh(4_000_000);

/// How the car takes its current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inlet {
    /// Through its own charger, on one phase of the station.
    OnePhase,
    ThreePhase,
    /// Straight into the battery; the station sees the state of charge.
    Dc,
}

impl Inlet {
    /// What such an inlet can get from an EVSE; `None` where the plug does not fit.
    pub const fn offered(self, current: Current, power: Power) -> Option<Power> {
        match (self, current) {
            (Self::OnePhase, Current::Ac3Phase) => Some(Power::from_milliwatts(power.milliwatts() / 3)),
            (Self::OnePhase | Self::ThreePhase, Current::Ac1Phase)
            | (Self::ThreePhase, Current::Ac3Phase)
            | (Self::Dc, Current::Dc) => Some(power),
            (Self::OnePhase | Self::ThreePhase, Current::Dc) | (Self::Dc, Current::Ac1Phase | Current::Ac3Phase) => {
                None
            }
        }
    }
}

/// How the battery's appetite goes with its state of charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// Full appetite up to 80 %, then falling in a straight line to a tenth.
    Taper,
    /// The same to the end: for replaying sessions of which only time and energy are known.
    Flat,
}

/// What a car is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CarPlan {
    pub capacity: Energy,
    /// State of charge on arrival, in percent.
    pub charged_percent: u8,
    /// What charger and battery take at most.
    pub max_power: Power,
    pub inlet: Inlet,
    pub curve: Curve,
    /// The driver's wish; `None` fills the battery.
    pub wants: Option<Energy>,
}

/// Why there can be no such car.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCar {
    #[error("a battery holds more than nothing and at most {CAPACITY_MAX}")]
    Capacity,
    #[error("a state of charge is at most 100 percent")]
    Charged,
    #[error("a car takes more than no power and at most {POWER_MAX}")]
    Power,
}

/// Megawatt charging with room to spare.
pub const POWER_MAX: Power = Power::from_watts(10_000_000);

/// A car at a station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Car {
    plan: CarPlan,
    capacity_nj: u64,
    charged_nj: u64,
    /// Where it stops taking.
    goal_nj: u64,
}

/// A stretch of constant power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub power: Power,
    pub micros: u64,
}

impl Car {
    pub fn new(plan: CarPlan) -> Result<Self, BadCar> {
        if plan.capacity <= Energy::ZERO || plan.capacity > CAPACITY_MAX {
            return Err(BadCar::Capacity);
        }
        if plan.charged_percent > 100 {
            return Err(BadCar::Charged);
        }
        if plan.max_power <= Power::ZERO || plan.max_power > POWER_MAX {
            return Err(BadCar::Power);
        }
        let capacity_nj = nanojoules(plan.capacity);
        let charged_nj = mark(capacity_nj, u64::from(plan.charged_percent));
        let goal_nj = plan.wants.map_or(capacity_nj, |wish| charged_nj.saturating_add(nanojoules(wish)));
        Ok(Self { plan, capacity_nj, charged_nj, goal_nj: goal_nj.min(capacity_nj) })
    }

    pub const fn plan(&self) -> &CarPlan {
        &self.plan
    }

    /// State of charge in whole percent.
    pub fn charged_percent(&self) -> u8 {
        let percent = u128::from(self.charged_nj) * 100 / u128::from(self.capacity_nj);
        u8::try_from(percent.min(100)).unwrap_or(100)
    }

    /// It takes nothing any more.
    pub const fn satisfied(&self) -> bool {
        self.charged_nj >= self.goal_nj
    }

    /// What it takes now, where [`Inlet::offered`] gave `offer`.
    pub fn power(&self, offer: Power) -> Power {
        if self.satisfied() || offer <= Power::ZERO {
            return Power::ZERO;
        }
        let permille = match self.plan.curve {
            Curve::Flat => 1_000,
            Curve::Taper => taper_permille(self.charged_percent()),
        };
        let appetite = self.plan.max_power.milliwatts() * permille / 1_000;
        // a car never asks for less than a milliwatt, or it would never be full
        Power::from_milliwatts(appetite.max(1).min(offer.milliwatts()))
    }

    /// Takes current for `micros` at most, and says how much for how long. Shorter than asked where the power
    /// changes on the way; call again for the rest.
    pub fn take(&mut self, offer: Power, micros: u64) -> Stretch {
        let power = self.power(offer);
        let Some(rate) = u64::try_from(power.milliwatts()).ok().filter(|rate| *rate > 0) else {
            return Stretch { power: Power::ZERO, micros };
        };
        let next_mark = mark(self.capacity_nj, u64::from(self.charged_percent()) + 1);
        let left = next_mark.min(self.goal_nj) - self.charged_nj;
        let micros = micros.min(left.div_ceil(rate));
        self.charged_nj += rate * micros;
        Stretch { power, micros }
    }

    /// How long until it takes nothing any more; `None` where that never happens with this offer.
    pub fn micros_to_go(&self, offer: Power) -> Option<u64> {
        let mut ahead = self.clone();
        let mut total: u64 = 0;
        while !ahead.satisfied() {
            let stretch = ahead.take(offer, u64::MAX);
            if stretch.power == Power::ZERO {
                return None;
            }
            total = total.checked_add(stretch.micros)?;
        }
        Some(total)
    }
}

/// Where a percentage begins, rounded up so that reaching it shows it.
fn mark(capacity_nj: u64, percent: u64) -> u64 {
    let nj = (u128::from(capacity_nj) * u128::from(percent)).div_ceil(100);
    u64::try_from(nj).unwrap_or(u64::MAX)
}

fn nanojoules(energy: Energy) -> u64 {
    u64::try_from(energy.mwh()).unwrap_or(0).saturating_mul(NANOJOULE_PER_MWH)
}

/// 1000 below 80 %, then down to 100 at 99 %.
fn taper_permille(percent: u8) -> i64 {
    1_000 - i64::from(percent.saturating_sub(79)) * 45
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;

    use super::*;

    fn plan() -> CarPlan {
        CarPlan {
            capacity: Energy::from_wh(60_000),
            charged_percent: 20,
            max_power: Power::from_watts(100_000),
            inlet: Inlet::Dc,
            curve: Curve::Taper,
            wants: None,
        }
    }

    #[test]
    fn impossible_cars_are_refused() {
        assert_eq!(Car::new(CarPlan { capacity: Energy::ZERO, ..plan() }), Err(BadCar::Capacity));
        assert_eq!(Car::new(CarPlan { charged_percent: 101, ..plan() }), Err(BadCar::Charged));
        assert_eq!(Car::new(CarPlan { max_power: Power::ZERO, ..plan() }), Err(BadCar::Power));
    }

    #[test]
    fn appetite_falls_after_eighty_percent_and_ends_at_full() {
        let offer = Power::from_watts(150_000);
        let at = |percent| Car::new(CarPlan { charged_percent: percent, ..plan() }).unwrap().power(offer).watts();
        assert_eq!([at(20), at(79), at(80), at(90), at(99), at(100)], [100_000, 100_000, 95_500, 50_500, 10_000, 0]);
    }

    #[test]
    fn plug_and_phases_decide_what_is_offered() {
        let power = Power::from_watts(22_080);
        assert_eq!(Inlet::OnePhase.offered(Current::Ac3Phase, power), Some(Power::from_watts(7_360)));
        assert_eq!(Inlet::ThreePhase.offered(Current::Ac3Phase, power), Some(power));
        assert_eq!(Inlet::Dc.offered(Current::Ac3Phase, power), None);
        assert_eq!(Inlet::ThreePhase.offered(Current::Dc, power), None);
    }

    #[test]
    fn a_flat_wish_takes_the_time_it_must() {
        let plan = CarPlan {
            curve: Curve::Flat,
            max_power: Power::from_watts(6_000),
            wants: Some(Energy::from_wh(9_000)),
            inlet: Inlet::ThreePhase,
            ..plan()
        };
        let car = Car::new(plan).unwrap();
        let hour_and_a_half = 5_400_000_000;
        let late = car.micros_to_go(Power::from_watts(11_000)).unwrap() - hour_and_a_half;
        assert!(late < 100, "each percent may round up by a microsecond: {late}");
        assert_eq!(car.micros_to_go(Power::ZERO), None);
    }

    proptest! {
        #[test]
        fn looking_often_changes_nothing(
            cuts in prop::collection::vec(1u64..900_000_000, 1..60),
            percent in 0u8..100,
            watts in 1_000i64..200_000,
        ) {
            let whole = Car::new(CarPlan { charged_percent: percent, ..plan() }).unwrap();
            let offer = Power::from_watts(watts);
            let run = |spans: &[u64]| {
                let mut car = whole.clone();
                for span in spans {
                    let mut left = *span;
                    while left > 0 {
                        left -= car.take(offer, left).micros;
                    }
                }
                car
            };
            prop_assert_eq!(run(&cuts), run(&[cuts.iter().sum()]));
        }
    }
}
