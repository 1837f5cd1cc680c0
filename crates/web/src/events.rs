//! Live events: what changed, by id and nothing else. The page asks for what it shows.
//!
//! A reader that is too slow hears `resync` and asks for everything again; nobody waits for it. Invariant: a stream
//! ends within [`PING_EVERY`] after the login that opened it, and nobody holds more than [`STREAMS_PER_ACTOR_MAX`].

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, MissedTickBehavior};

use crate::accounts::{Accounts, Actor, Who};
use crate::fault::Fault;
use crate::stage::Guard;

/// Middleboxes close what is silent for a minute. As often a stream looks whether its login still holds.
const PING_EVERY: Duration = Duration::from_secs(15);
/// Streams of one person or one key at a time: a few open pages on a few devices.
pub(crate) const STREAMS_PER_ACTOR_MAX: usize = 16;
/// A place is free when a page is closed; asking sooner is of no use.
const RETRY_AFTER_S: u32 = 15;

/// One change, for the wire.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Change {
    #[serde(skip)]
    pub(crate) kind: &'static str,
    pub(crate) id: String,
}

/// Who listens at one party, and how many times.
#[derive(Clone, Default)]
pub struct Seats(Arc<Mutex<HashMap<Who, usize>>>);

/// The right to one stream; given back when it is dropped.
pub(crate) struct Seat {
    seats: Seats,
    who: Who,
    actor: Actor,
    accounts: Accounts,
}

impl Seats {
    fn take(&self, actor: Actor, accounts: Accounts) -> Result<Seat, Fault> {
        let who = actor.who();
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(who).or_default();
        if *count >= STREAMS_PER_ACTOR_MAX {
            return Err(Fault::TooMany { retry_after_s: RETRY_AFTER_S });
        }
        *count += 1;
        Ok(Seat { seats: self.clone(), who, actor, accounts })
    }
}

impl Seat {
    /// Whether the login or the key is still good. When nobody can tell, it is not: the page asks again.
    async fn holds(&self) -> bool {
        self.accounts.holds(&self.actor).await.unwrap_or(false)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.who) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.who);
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Seat {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let actor = Actor::from_request_parts(parts, state).await?;
        let guard = parts.extensions.get::<Guard>().ok_or(Fault::NotSignedIn)?;
        guard.seats.take(actor, guard.accounts.clone())
    }
}

/// A stream of the changes that `shown` lets through.
pub(crate) fn stream<E: Clone + Send + 'static>(
    seat: Seat,
    feed: Receiver<E>,
    shown: impl Fn(E) -> Option<Change> + Send + 'static,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(changes(seat, PING_EVERY, feed, shown)).keep_alive(KeepAlive::new().interval(PING_EVERY).text("ping"))
}

fn changes<E: Clone + Send + 'static>(
    seat: Seat,
    look_every: Duration,
    feed: Receiver<E>,
    shown: impl Fn(E) -> Option<Change> + Send + 'static,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let mut look = tokio::time::interval_at(Instant::now() + look_every, look_every);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    futures_util::stream::unfold((seat, look, feed, shown), async |(seat, mut look, mut feed, shown)| {
        loop {
            // the look goes first: a busy feed must not put it off
            let heard = tokio::select! {
                biased;
                _ = look.tick() => {
                    if seat.holds().await { continue }
                    return None;
                }
                heard = feed.recv() => heard,
            };
            let event = match heard {
                Ok(event) => match shown(event) {
                    Some(change) => Event::default().event(change.kind).json_data(&change).ok(),
                    None => None,
                },
                Err(RecvError::Lagged(_)) => Some(Event::default().event("resync").data("{}")),
                Err(RecvError::Closed) => return None,
            };
            if let Some(event) = event {
                return Some((Ok(event), (seat, look, feed, shown)));
            }
        }
    })
}

#[cfg(test)]
mod tests;
