//! Waiting for levels: look, and look again, until there is something to see or patience ends.

use std::time::{Duration, Instant};

/// Anything that is waited for has happened by then, also on a machine that builds beside it.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Looks until there is something to see. Panics with `what` when patience ends.
pub(super) async fn until<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    until_within(PATIENCE, what, look).await
}

/// The same with another patience.
pub(super) async fn until_within<T>(patience: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(begun.elapsed() < patience, "waited {} s for {what}", patience.as_secs());
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
