//! How fast a peer may talk: so much at once, then a steady rate.
//!
//! The generic cell rate algorithm: one moment of memory, no tokens to refill. It decides nothing about what to do
//! with a peer that is too fast; the caller asks for the moment from which it is welcome again.

use std::time::Duration;

use tokio::time::Instant;

/// The rate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub every: Duration,
    pub at_once: u32,
}

/// What one peer has used of its rate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// When everything used so far is paid for.
    paid_at: Instant,
}

impl Pace {
    pub fn new(now: Instant) -> Self {
        Self { paid_at: now }
    }

    /// One message has come.
    pub fn spend(&mut self, now: Instant, rate: Rate) {
        self.paid_at = self.paid_at.max(now) + rate.every;
    }

    /// The last message need not have been counted.
    pub fn give_back(&mut self, rate: Rate) {
        self.paid_at = self.paid_at.checked_sub(rate.every).unwrap_or(self.paid_at);
    }

    /// Everything is paid for.
    pub fn is_even(&self, now: Instant) -> bool {
        self.paid_at <= now
    }

    /// `None` if the next message is welcome now, otherwise the moment from which it is.
    pub fn welcome_at(&self, now: Instant, rate: Rate) -> Option<Instant> {
        let allowance = rate.every * rate.at_once.saturating_sub(1);
        let welcome = self.paid_at.checked_sub(allowance)?;
        (welcome > now).then_some(welcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { every: Duration::from_millis(100), at_once: 5 };

    #[test]
    fn so_many_at_once_and_then_the_steady_rate() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let mut taken = 0;
        while pace.welcome_at(start, RATE).is_none() {
            pace.spend(start, RATE);
            taken += 1;
        }
        assert_eq!(taken, 5);
        let next = pace.welcome_at(start, RATE);
        assert_eq!(next, Some(start + RATE.every));
        assert_eq!(pace.welcome_at(start + RATE.every, RATE), None);
    }

    #[test]
    fn silence_is_not_saved_up_beyond_the_burst() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let later = start + Duration::from_secs(3600);
        for _ in 0..5 {
            assert_eq!(pace.welcome_at(later, RATE), None);
            pace.spend(later, RATE);
        }
        assert!(pace.welcome_at(later, RATE).is_some());
    }
}
