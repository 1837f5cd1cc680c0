//! Which stations speak SOAP at the moment.
//!
//! A station is here from its first message that was let in, and gone after three heartbeats of silence: there is no
//! connection whose end could tell. Deliberately forgotten with the process: the next message of a station brings it
//! back, address included. Invariant: the desk hears of an arrival before the first message and of a departure once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use charge::id::StationId;
use charge::talk::line::{ConnectionNo, Version};
use tokio::sync::{Mutex as Turn, OnceCell, Semaphore};
use tokio::time::Instant;

use super::callback::Callback;
use crate::line::limits::ORDERS_WAITING_MAX;
use crate::line::pace::Pace;

/// Heartbeats of silence after which a station is gone (quirk 23).
const SILENT_HEARTBEATS: u32 = 3;
/// Until a boot's answer has named an interval.
const HEARTBEAT: Duration = Duration::from_secs(300);
/// Far from the numbers of WebSocket connections: a station can change from one to the other.
const FIRST_NUMBER: u64 = 1 << 32;

/// What is remembered of a station between its messages.
pub(super) struct Seat {
    pub connection: ConnectionNo,
    pub version: Version,
    /// As the station spells it, for the header of orders.
    pub identity: String,
    /// Turns full when the desk knows of the arrival.
    pub arrived: OnceCell<()>,
    /// Held by the message that is heard: they reach the desk one at a time, as over a connection.
    pub ear: Turn<()>,
    /// Held by the order under way, and while a boot is answered: no order begins meanwhile (quirk 13).
    pub turn: Turn<()>,
    /// Places for orders that wait.
    pub waiting: Semaphore,
    state: Mutex<State>,
}

struct State {
    callback: Option<Callback>,
    /// The common name of the certificate that came with the last message.
    common_name: Option<String>,
    heard_at: Instant,
    patience: Duration,
    pace: Pace,
}

impl Seat {
    fn new(connection: ConnectionNo, version: Version, identity: &str, now: Instant) -> Self {
        let state = State {
            callback: None,
            common_name: None,
            heard_at: now,
            patience: HEARTBEAT * SILENT_HEARTBEATS,
            pace: Pace::new(now),
        };
        Self {
            connection,
            version,
            identity: identity.to_owned(),
            arrived: OnceCell::new(),
            ear: Turn::new(()),
            turn: Turn::new(()),
            waiting: Semaphore::new(ORDERS_WAITING_MAX),
            state: Mutex::new(state),
        }
    }

    /// A message came in. An address that it does not name stays the last one named (quirk 25).
    pub fn heard(&self, now: Instant, callback: Option<Callback>, common_name: Option<String>) {
        let mut state = self.lock();
        state.heard_at = now;
        state.common_name = common_name;
        if callback.is_some() {
            state.callback = callback;
        }
    }

    /// The station was told to send a heartbeat this often.
    pub fn beats_every(&self, interval: Duration) {
        self.lock().patience = interval.max(Duration::from_secs(1)) * SILENT_HEARTBEATS;
    }

    /// Where to call it, and whose certificate to expect there.
    pub fn callback(&self) -> Option<(Callback, Option<String>)> {
        let state = self.lock();
        state.callback.clone().map(|callback| (callback, state.common_name.clone()))
    }

    /// Spends one message of the station's rate; what comes too fast is served from the moment returned.
    pub fn pace(&self, now: Instant, rate: crate::line::pace::Rate) -> Option<Instant> {
        let mut state = self.lock();
        let welcome = state.pace.welcome_at(now, rate);
        state.pace.spend(now, rate);
        welcome
    }

    fn silent_at(&self, now: Instant) -> bool {
        let state = self.lock();
        now.saturating_duration_since(state.heard_at) >= state.patience
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All seats.
#[derive(Default)]
pub(super) struct Seats {
    seats: Mutex<HashMap<StationId, Arc<Seat>>>,
    taken: AtomicU64,
}

impl Seats {
    pub fn of(&self, station: &StationId) -> Option<Arc<Seat>> {
        self.lock().get(station).cloned()
    }

    /// The seat of a station that was let in, and the one that it left where it speaks another version now.
    pub fn take(
        &self,
        station: &StationId,
        version: Version,
        identity: &str,
        now: Instant,
    ) -> (Arc<Seat>, Option<Arc<Seat>>) {
        let mut seats = self.lock();
        if let Some(seat) = seats.get(station).filter(|seat| seat.version == version) {
            return (Arc::clone(seat), None);
        }
        let number = FIRST_NUMBER + self.taken.fetch_add(1, Ordering::Relaxed);
        let seat = Arc::new(Seat::new(ConnectionNo(number), version, identity, now));
        let old = seats.insert(station.clone(), Arc::clone(&seat));
        (seat, old)
    }

    pub fn leave(&self, station: &StationId) -> Option<Arc<Seat>> {
        self.lock().remove(station)
    }

    /// Takes out the stations that have been silent for too long.
    pub fn take_silent(&self, now: Instant) -> Vec<(StationId, Arc<Seat>)> {
        self.lock().extract_if(|_, seat| seat.silent_at(now)).collect()
    }

    pub fn take_all(&self) -> Vec<(StationId, Arc<Seat>)> {
        self.lock().drain().collect()
    }

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StationId, Arc<Seat>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_station_is_gone_after_three_heartbeats_of_silence() {
        let (seats, station, start) = (Seats::default(), StationId::new("A").unwrap(), Instant::now());
        let (seat, none) = seats.take(&station, Version::S15, "a", start);
        assert!(none.is_none() && seats.take(&station, Version::S15, "a", start).1.is_none());
        seat.beats_every(Duration::from_secs(10));
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(seats.take_silent(after(29)).is_empty());
        seat.heard(after(20), None, None);
        assert!(seats.take_silent(after(49)).is_empty());
        assert_eq!(seats.take_silent(after(50)).len(), 1);
        assert!(seats.of(&station).is_none());
    }

    #[test]
    fn another_version_is_another_seat_and_the_last_address_is_kept() {
        let (seats, station, now) = (Seats::default(), StationId::new("A").unwrap(), Instant::now());
        let (old, _) = seats.take(&station, Version::S15, "a", now);
        old.heard(now, Callback::parse("https://192.0.2.1/cp").ok(), Some("SN".into()));
        old.heard(now, None, Some("SN".into()));
        assert_eq!(old.callback().unwrap().0.host, "192.0.2.1");
        let (new, left) = seats.take(&station, Version::S16, "a", now);
        assert!(Arc::ptr_eq(&left.unwrap(), &old));
        assert!(new.connection > old.connection && new.callback().is_none());
        assert_eq!(seats.len(), 1);
    }
}
