//! Every "no" to a card takes as long as any other: whether a hub knows a card is not to be read off its clock.
//!
//! A card that nobody announced is refused here at once, one that its provider refuses after the way there and back. Both
//! are told at the next whole step since the question came (measure M16). Deliberately nothing for a "yes", which says
//! itself that the card is known, and for which a driver waits. Invariant: it is a timer and holds nothing but the
//! question's own connection.

use std::sync::Arc;
use std::time::Duration;

use charge::Soon;
use charge::id::PartyId;
use charge::talk::road::Exchange;
use charge::talk::thrift::Measure;
use tokio::time::Instant;

/// More than nearly every provider takes, and less than a driver notices. One that takes longer is told at the step after.
pub(crate) const STEP: Duration = Duration::from_millis(250);

/// What runs while a question is answered.
pub(crate) trait Stopwatch: Send + Sync {
    /// Since it was started.
    fn shows(&self) -> Duration;

    fn wait_until(&self, shows: Duration) -> Soon<'_, ()>;
}

/// The runtime's own, started when the hub was.
struct Running(Instant);

impl Stopwatch for Running {
    fn shows(&self) -> Duration {
        self.0.elapsed()
    }

    fn wait_until(&self, shows: Duration) -> Soon<'_, ()> {
        Box::pin(tokio::time::sleep_until(self.0 + shows))
    }
}

/// When questions are answered with "no".
pub(crate) struct Pace(Arc<dyn Stopwatch>);

impl Default for Pace {
    fn default() -> Self {
        Self(Arc::new(Running(Instant::now())))
    }
}

impl Pace {
    #[cfg(test)]
    pub(crate) fn by(stopwatch: Arc<dyn Stopwatch>) -> Self {
        Self(stopwatch)
    }

    /// When a question came.
    pub(crate) fn came(&self) -> Duration {
        self.0.shows()
    }

    /// Waits until the next step since a question came, unless the measure is switched off for whoever asked.
    pub(crate) async fn hold_no(&self, exchange: &dyn Exchange, asker: PartyId, came: Duration) {
        if !exchange.thrift(asker).await.on(Measure::NoGuessing) {
            return;
        }
        let took = self.0.shows().saturating_sub(came);
        let steps = u32::try_from(took.as_millis() / STEP.as_millis()).unwrap_or(u32::MAX).saturating_add(1);
        self.0.wait_until(came.saturating_add(STEP.saturating_mul(steps))).await;
    }
}
