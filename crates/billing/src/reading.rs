//! The import register of one transaction: which readings count and which are flagged.
//!
//! A reading that contradicts what came before (falling, negative, impossible, from a clock that is years off) is
//! flagged with its reason and never counted. Nothing is corrected or guessed here.
//!
//! Invariant: what was counted is total and monotone: it never falls, whatever arrives in whatever order.

use std::fmt;
use std::time::Duration;

use charge::Timestamp;
use charge::units::{Energy, Power};

/// No charger of today delivers more: megawatt charging (MCS) ends at 1 250 V and 3 000 A. A caller that knows its
/// station narrows it with [`Register::limited_to`].
pub const POWER_MAX: Power = Power::from_watts(3_750_000);

/// Clocks of stations wander by seconds and readings are stamped late: this much time is granted on top of what lies
/// between two readings before energy counts as impossible.
pub const CLOCK_SLACK: Duration = Duration::from_secs(60);

/// A reading further than this from the one before it comes from a clock that was never set or was set wrongly:
/// no charging transaction lasts a year.
pub const CLOCK_YEARS: Duration = Duration::from_secs(365 * 24 * 3_600);

/// The import register of one transaction, as far as it is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    begin_at: Timestamp,
    begin: Energy,
    latest_at: Timestamp,
    latest: Energy,
    power_max: Power,
}

impl Register {
    /// The register as the transaction began.
    pub const fn begin(at: Timestamp, value: Energy) -> Self {
        Self { begin_at: at, begin: value, latest_at: at, latest: value, power_max: POWER_MAX }
    }

    /// The same register with the newest value that counted before, as its keeper remembers it.
    #[must_use]
    pub const fn resumed(mut self, latest_at: Timestamp, latest: Energy) -> Self {
        self.latest_at = latest_at;
        self.latest = latest;
        self
    }

    /// The same register at an EVSE that cannot deliver more than this.
    #[must_use]
    pub const fn limited_to(mut self, power_max: Power) -> Self {
        self.power_max = power_max;
        self
    }

    /// When the transaction began and what the register showed.
    pub const fn begun(&self) -> (Timestamp, Energy) {
        (self.begin_at, self.begin)
    }

    /// The newest reading that counted.
    pub const fn latest(&self) -> (Timestamp, Energy) {
        (self.latest_at, self.latest)
    }

    /// What was delivered since the transaction began, as far as it counted.
    pub fn delivered(&self) -> Energy {
        self.latest.checked_sub(self.begin).unwrap_or(Energy::ZERO)
    }

    /// Takes a reading of the total import register.
    pub fn take(&mut self, at: Timestamp, value: Energy) -> Taken {
        match self.judge(at, value) {
            Ok(Taken::Counted { since_begin }) => {
                (self.latest_at, self.latest) = (at, value);
                Taken::Counted { since_begin }
            }
            Ok(other) => other,
            Err(flaw) => Taken::Flagged(flaw),
        }
    }

    fn judge(&self, at: Timestamp, value: Energy) -> Result<Taken, Flaw> {
        if at.since(self.latest_at).max(self.latest_at.since(at)) >= CLOCK_YEARS {
            return Err(Flaw::ClockYearsOff);
        }
        if at < self.begin_at {
            return Err(Flaw::BeforeBegin);
        }
        if value < Energy::ZERO || self.begin < Energy::ZERO {
            return Err(Flaw::Negative);
        }
        let falls_below = |higher: Energy, lower: Energy| Flaw::Falling { by: between(lower, higher) };
        if value < self.begin {
            return Err(falls_below(self.begin, value));
        }
        if at <= self.latest_at && value <= self.latest {
            return Ok(Taken::Repeated);
        }
        if at < self.latest_at {
            // an earlier moment with a higher value: between the two the register fell
            return Err(falls_below(value, self.latest));
        }
        if value < self.latest {
            return Err(falls_below(self.latest, value));
        }
        let risen = between(self.latest, value);
        if risen > self.possible_within(at.since(self.latest_at)) {
            return Err(Flaw::Jump { by: risen });
        }
        Ok(Taken::Counted { since_begin: between(self.begin, value) })
    }

    /// The most that can flow in this time, slack included.
    fn possible_within(&self, span: Duration) -> Energy {
        const MICROS_PER_HOUR: u128 = 3_600_000_000;
        let power_mw = u128::try_from(self.power_max.milliwatts()).unwrap_or(0);
        let mwh = power_mw.saturating_mul((span + CLOCK_SLACK).as_micros()) / MICROS_PER_HOUR;
        Energy::from_mwh(i64::try_from(mwh).unwrap_or(i64::MAX))
    }
}

/// `higher` minus `lower`; registers that were checked not to be negative cannot overflow here.
fn between(lower: Energy, higher: Energy) -> Energy {
    higher.checked_sub(lower).unwrap_or(Energy::from_mwh(i64::MAX))
}

/// What became of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It counts; the energy is the total since the transaction began.
    Counted { since_begin: Energy },
    /// It says nothing new: sent again, or delivered late.
    Repeated,
    /// It contradicts what is known and does not count.
    Flagged(Flaw),
}

/// Why a reading does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A total register cannot be below zero.
    Negative,
    /// The register went down by this much.
    Falling { by: Energy },
    /// More energy than could have flowed in the time between.
    Jump { by: Energy },
    /// The clock of the reading is years away from the transaction.
    ClockYearsOff,
    /// Stamped before the transaction began.
    BeforeBegin,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Negative => f.write_str("the register is below zero"),
            Self::Falling { by } => write!(f, "the register went down by {by}"),
            Self::Jump { by } => write!(f, "the register rose by {by}, more than could have flowed in that time"),
            Self::ClockYearsOff => f.write_str("the clock of the reading is years off"),
            Self::BeforeBegin => f.write_str("the reading is stamped before the transaction began"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn after(secs: u64) -> Timestamp {
        BEGIN.plus(Duration::from_secs(secs))
    }

    fn register() -> Register {
        Register::begin(BEGIN, Energy::from_wh(1_000)).limited_to(Power::from_watts(22_000))
    }

    #[test]
    fn rising_readings_count_from_the_begin() {
        let mut register = register();
        assert_eq!(register.take(after(900), Energy::from_wh(3_000)), counted(2_000));
        assert_eq!(register.take(after(1_800), Energy::from_wh(3_000)), counted(2_000));
        assert_eq!(register.take(after(1_860), Energy::from_wh(3_100)), counted(2_100));
        assert_eq!(register.delivered(), Energy::from_wh(2_100));
        assert_eq!(register.latest(), (after(1_860), Energy::from_wh(3_100)));
    }

    fn counted(wh: i64) -> Taken {
        Taken::Counted { since_begin: Energy::from_wh(wh) }
    }

    #[test]
    fn every_contradiction_is_flagged_and_counts_nothing() {
        let day = 24 * 3_600;
        let wh = Energy::from_wh;
        let table = [
            ("falls", after(1_000), wh(2_400), Flaw::Falling { by: wh(100) }),
            ("falls below the begin", after(1_000), wh(900), Flaw::Falling { by: wh(100) }),
            ("late and higher", after(600), wh(2_600), Flaw::Falling { by: wh(100) }),
            ("negative", after(1_000), wh(-1), Flaw::Negative),
            ("22 kW in 2 min are not 1 kWh", after(960), wh(3_500), Flaw::Jump { by: wh(1_000) }),
            ("stamped before", BEGIN.minus(Duration::from_secs(1)), wh(2_600), Flaw::BeforeBegin),
            ("clock lost", Timestamp::from_secs(18), wh(2_600), Flaw::ClockYearsOff),
            ("clock ahead", after(400 * day), wh(2_600), Flaw::ClockYearsOff),
        ];
        for (case, at, value, flaw) in table {
            let mut register = register();
            assert_eq!(register.take(after(900), wh(2_500)), counted(1_500));
            let before = register.clone();
            assert_eq!(register.take(at, value), Taken::Flagged(flaw), "{case}");
            assert_eq!(register, before, "{case}");
        }
    }

    #[test]
    fn a_reading_sent_again_or_late_says_nothing_new() {
        let mut register = register();
        assert_eq!(register.take(after(900), Energy::from_wh(3_000)), counted(2_000));
        assert_eq!(register.take(after(900), Energy::from_wh(3_000)), Taken::Repeated);
        assert_eq!(register.take(after(300), Energy::from_wh(1_500)), Taken::Repeated);
        assert_eq!(register.take(BEGIN, Energy::from_wh(1_000)), Taken::Repeated);
    }

    #[test]
    fn a_register_that_begins_below_zero_counts_nothing() {
        let mut register = Register::begin(BEGIN, Energy::from_wh(-5));
        assert_eq!(register.take(after(60), Energy::from_wh(5)), Taken::Flagged(Flaw::Negative));
        assert_eq!(register.delivered(), Energy::ZERO);
    }

    #[test]
    fn a_flawed_reading_does_not_poison_the_next_good_one() {
        let mut register = register();
        assert!(matches!(register.take(after(60), Energy::from_wh(900_000)), Taken::Flagged(Flaw::Jump { .. })));
        assert_eq!(register.take(after(900), Energy::from_wh(3_000)), counted(2_000));
    }

    proptest::proptest! {
        #[test]
        fn what_counted_never_falls(readings in proptest::collection::vec((-1_000i64..100_000, -5_000i64..500_000), 0..40)) {
            let mut register = register();
            let mut last = Energy::ZERO;
            for (secs, wh) in readings {
                let at = Timestamp::from_secs(BEGIN.secs() + secs);
                register.take(at, Energy::from_wh(wh));
                proptest::prop_assert!(register.delivered() >= last);
                last = register.delivered();
            }
        }
    }
}
