//! When to dial again.

use std::time::Duration;

use charge::Dice;

/// The rule of OCPP 2.0.1 (J01; RetryBackOffWaitMinimum, RetryBackOffRandomRange, RetryBackOffRepeatTimes, with the
/// errata of 2025-04): the first wait is the minimum and a random part, then the minimum part doubles so many times,
/// each time with a new random part.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    pub min: Duration,
    /// The random part is below this.
    pub random: Duration,
    /// A minimum that doubled more often than this stays.
    pub doublings: u32,
}

/// A day: more doublings than that are a slip in a configuration.
const WAIT_MAX: Duration = Duration::from_secs(86_400);

impl Backoff {
    /// How long to wait after so many tries since the line was last up.
    pub fn wait(&self, tries: u32, dice: &dyn Dice) -> Duration {
        let factor = 2u32.checked_pow(tries.min(self.doublings)).unwrap_or(u32::MAX);
        let part = u64::try_from(self.random.as_millis()).unwrap_or(u64::MAX);
        let random = if part == 0 { 0 } else { dice.below(part) };
        self.min.saturating_mul(factor).saturating_add(Duration::from_millis(random)).min(WAIT_MAX)
    }
}

impl Default for Backoff {
    /// Far below the field's usual minutes: a few stations on one network come back at once.
    fn default() -> Self {
        Self { min: Duration::from_secs(2), random: Duration::from_secs(5), doublings: 5 }
    }
}

#[cfg(test)]
mod tests {
    use charge::clock::SeededDice;

    use super::*;

    #[test]
    fn the_wait_doubles_so_many_times_and_keeps_a_random_part() {
        // proves: the errata of 2025-04 to OCPP 2.0.1 part 4, 5.3
        let backoff = Backoff { min: Duration::from_secs(10), random: Duration::from_secs(4), doublings: 3 };
        let dice = SeededDice::new(1);
        for (tries, least) in [(0, 10), (1, 20), (2, 40), (3, 80), (4, 80), (1000, 80)] {
            let wait = backoff.wait(tries, &dice);
            assert!(wait >= Duration::from_secs(least) && wait < Duration::from_secs(least + 4), "{tries}: {wait:?}");
        }
    }

    #[test]
    fn a_slip_in_the_configuration_does_not_wait_for_ever() {
        let backoff = Backoff { min: Duration::from_secs(60), random: Duration::ZERO, doublings: 40 };
        assert_eq!(backoff.wait(40, &SeededDice::new(1)), WAIT_MAX);
    }
}
