//! Givers of orders that hold their request open until the outcome is there: their protocols have no second message.
//!
//! Invariant: an outcome reaches the one call that waits for it, once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use charge::id::{OrderId, PartyId};
use charge::talk::road::OrderResult;
use tokio::sync::oneshot;

/// An order, and who gave it.
type Name = (PartyId, OrderId);

#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<HashMap<Name, oneshot::Sender<OrderResult>>>);

impl Waiting {
    /// A place for the outcome, given up when it is dropped. The same order twice waits once: the later call.
    pub(crate) fn place(&self, name: Name) -> Place<'_> {
        let (tell, told) = oneshot::channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), tell);
        Place { waiting: self, name, told }
    }

    /// `false`: nobody waits for it any more.
    pub(crate) fn tell(&self, name: &Name, result: OrderResult) -> bool {
        let tell = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        tell.is_some_and(|tell| tell.send(result).is_ok())
    }
}

pub(crate) struct Place<'w> {
    waiting: &'w Waiting,
    name: Name,
    told: oneshot::Receiver<OrderResult>,
}

impl Place<'_> {
    /// `None`: there was no outcome in time.
    pub(crate) async fn outcome(mut self, within: std::time::Duration) -> Option<OrderResult> {
        tokio::time::timeout(within, &mut self.told).await.ok()?.ok()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.told.close();
        let mut places = self.waiting.0.lock().unwrap_or_else(PoisonError::into_inner);
        // another call may wait under the same name by now
        if places.get(&self.name).is_some_and(oneshot::Sender::is_closed) {
            places.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn an_outcome_reaches_the_one_call_that_waits() {
        let waiting = Waiting::default();
        let name = |order: &str| -> Name { ("DE-8AA".parse().unwrap(), order.parse().unwrap()) };
        let place = waiting.place(name("o1"));
        assert!(!waiting.tell(&name("o2"), OrderResult::Failed));
        assert!(waiting.tell(&name("o1"), OrderResult::Accepted));
        assert!(!waiting.tell(&name("o1"), OrderResult::Failed), "once");
        assert_eq!(place.outcome(Duration::ZERO).await, Some(OrderResult::Accepted));

        let gone = waiting.place(name("o1"));
        assert_eq!(gone.outcome(Duration::ZERO).await, None);
        assert!(!waiting.tell(&name("o1"), OrderResult::Accepted));
        assert!(waiting.0.lock().unwrap().is_empty(), "whoever gave up leaves nothing behind");
    }
}
