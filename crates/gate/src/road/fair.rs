//! No partner may take all of what partners share: requests a second, letters under way, unknown tokens.
//!
//! What is over is refused and told to whoever runs this machine, once per stretch of time. Invariant: what one party
//! does is counted against that party alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use charge::Timestamp;
use charge::id::PartyId;
use charge::talk::road::Denial;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::{
    FORWARDS_PER_PARTY_MAX, PARTIES_MAX, REQUESTS_BURST_MAX, REQUESTS_PER_SECOND, UNKNOWN_TOKENS_ALARM,
    UNKNOWN_TOKENS_MAX, UNKNOWN_TOKENS_WITHIN,
};

#[derive(Debug, Default)]
pub(crate) struct Fair(Mutex<HashMap<PartyId, Account>>);

#[derive(Debug)]
struct Account {
    /// Thousandths of requests that may still come.
    left_milli: u64,
    filled: Timestamp,
    under_way: Arc<Semaphore>,
    unknown: u32,
    unknown_since: Timestamp,
}

impl Account {
    fn new(now: Timestamp) -> Self {
        Self {
            left_milli: REQUESTS_BURST_MAX * 1_000,
            filled: now,
            under_way: Arc::new(Semaphore::new(FORWARDS_PER_PARTY_MAX)),
            unknown: 0,
            unknown_since: now,
        }
    }

    /// What was unknown a while ago is forgotten.
    fn fresh(&mut self, now: Timestamp) {
        if now.since(self.unknown_since) >= UNKNOWN_TOKENS_WITHIN {
            (self.unknown, self.unknown_since) = (0, now);
        }
    }
}

impl Fair {
    /// Counts a request.
    pub(crate) fn request(&self, party: PartyId, now: Timestamp) -> Result<(), Denial> {
        self.with(party, now, |account| {
            let passed = u64::try_from(now.since(account.filled).as_millis()).unwrap_or(u64::MAX);
            let gained = passed.saturating_mul(REQUESTS_PER_SECOND);
            account.left_milli = account.left_milli.saturating_add(gained).min(REQUESTS_BURST_MAX * 1_000);
            account.filled = now;
            let left = account.left_milli.checked_sub(1_000).ok_or(Denial::Overloaded)?;
            account.left_milli = left;
            Ok(())
        })
    }

    /// A place for a letter that waits for its answer; held until dropped.
    pub(crate) fn place(&self, party: PartyId, now: Timestamp) -> Result<OwnedSemaphorePermit, Denial> {
        let places = self.with(party, now, |account| Ok(Arc::clone(&account.under_way)))?;
        places.try_acquire_owned().map_err(|_| Denial::Overloaded)
    }

    /// Whether a party may still ask about tokens: whoever guesses uids is stopped, whoever has unlucky drivers is not.
    pub(crate) fn may_ask(&self, party: PartyId, now: Timestamp) -> Result<(), Denial> {
        self.with(party, now, |account| {
            account.fresh(now);
            if account.unknown < UNKNOWN_TOKENS_MAX { Ok(()) } else { Err(Denial::Overloaded) }
        })
    }

    /// Nobody knows a token that a party asked about. `true` where that was one too many: somebody should look.
    pub(crate) fn unknown(&self, party: PartyId, now: Timestamp) -> bool {
        let counted = self.with(party, now, |account| {
            account.fresh(now);
            account.unknown = account.unknown.saturating_add(1);
            Ok(account.unknown)
        });
        matches!(counted, Ok(UNKNOWN_TOKENS_ALARM | UNKNOWN_TOKENS_MAX))
    }

    fn with<T>(
        &self,
        party: PartyId,
        now: Timestamp,
        act: impl FnOnce(&mut Account) -> Result<T, Denial>,
    ) -> Result<T, Denial> {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= PARTIES_MAX && !accounts.contains_key(&party) {
            return Err(Denial::Overloaded);
        }
        act(accounts.entry(party).or_insert_with(|| Account::new(now)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::time::Duration;

    use super::*;

    #[test]
    fn one_party_cannot_take_what_the_others_need() {
        let (fair, now) = (Fair::default(), Timestamp::from_secs(1_790_000_000));
        let (a, b): (PartyId, PartyId) = ("DE-OPA".parse().unwrap(), "DE-OPB".parse().unwrap());
        let held: Vec<_> = (0..FORWARDS_PER_PARTY_MAX).map(|_| fair.place(a, now).unwrap()).collect();
        assert!(fair.place(a, now).is_err());
        assert!(fair.place(b, now).is_ok());
        drop(held);
        assert!(fair.place(a, now).is_ok());

        let flood = (0..REQUESTS_BURST_MAX + 5).filter(|_| fair.request(a, now).is_ok()).count();
        assert_eq!(flood as u64, REQUESTS_BURST_MAX);
        assert!(fair.request(b, now).is_ok());
        assert!(fair.request(a, now.plus(Duration::from_secs(1))).is_ok());
    }

    #[test]
    fn whoever_guesses_tokens_is_noticed_and_stopped_for_a_while() {
        let (fair, now) = (Fair::default(), Timestamp::from_secs(1_790_000_000));
        let party: PartyId = "DE-OPA".parse().unwrap();
        let alarms = (0..UNKNOWN_TOKENS_MAX).filter(|_| fair.unknown(party, now)).count();
        assert_eq!(alarms, 2, "once early, once when it is stopped");
        assert_eq!(fair.may_ask(party, now), Err(Denial::Overloaded));
        assert_eq!(fair.may_ask("DE-OPB".parse().unwrap(), now), Ok(()));
        assert_eq!(fair.may_ask(party, now.plus(UNKNOWN_TOKENS_WITHIN)), Ok(()));
    }
}
