//! Which station sits on which connection. One seat per station, and the newest authenticated one has it.
//!
//! Taking a seat and evicting who sat there is one critical section, and a seat is given up only by the connection
//! that holds it: the late end of an old connection cannot touch the new one. So the number of seats is the number
//! of stations with a live connection, always.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use charge::id::StationId;
use charge::talk::line::{ConnectionNo, StationAnswer, ToStation};
use tokio::sync::watch;

use super::end::Ending;
use super::mailbox::Mailbox;

pub(super) type Orders = Mailbox<ToStation, StationAnswer>;

/// What others may do with a station's connection.
pub(super) struct Seat {
    pub orders: Orders,
    pub connection: ConnectionNo,
    /// Turns true when the connection has ended and its room knows.
    vacated: watch::Sender<bool>,
}

impl Seat {
    /// Waits until the connection has ended completely.
    pub async fn vacated(&self) {
        let mut vacated = self.vacated.subscribe();
        // an error would mean that the seat itself is gone, and this borrow proves that it is not
        let _ended = vacated.wait_for(|ended| *ended).await;
    }
}

#[derive(Default)]
pub(super) struct Registry {
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    seats: HashMap<StationId, Arc<Seat>>,
    /// Seats ever taken, which numbers connections.
    taken: u64,
    stopping: bool,
}

/// A seat taken. Dropping it vacates the seat, also when a panic unwinds the connection.
pub(super) struct Taken {
    pub seat: Arc<Seat>,
    /// The connection that had to go. It is on its way out, and may take a moment.
    pub evicted: Option<Arc<Seat>>,
    station: StationId,
    registry: Arc<Registry>,
}

impl Registry {
    /// `None` when the server stops.
    pub fn take(self: &Arc<Self>, station: &StationId) -> Option<Taken> {
        let mut inside = self.lock();
        if inside.stopping {
            return None;
        }
        inside.taken += 1;
        let connection = ConnectionNo(inside.taken);
        let seat = Arc::new(Seat { orders: Mailbox::new(), connection, vacated: watch::Sender::new(false) });
        let evicted = inside.seats.insert(station.clone(), Arc::clone(&seat));
        if let Some(old) = &evicted {
            old.orders.close(Ending::Replaced);
        }
        Some(Taken { seat, evicted, station: station.clone(), registry: Arc::clone(self) })
    }

    pub fn seat(&self, station: &StationId) -> Option<Arc<Seat>> {
        self.lock().seats.get(station).cloned()
    }

    pub fn len(&self) -> usize {
        self.lock().seats.len()
    }

    /// Ends all connections, and nobody sits down any more.
    pub fn stop(&self) {
        let mut inside = self.lock();
        inside.stopping = true;
        for seat in inside.seats.values() {
            seat.orders.close(Ending::Stopping);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        {
            let mut inside = self.registry.lock();
            if inside.seats.get(&self.station).is_some_and(|seat| Arc::ptr_eq(seat, &self.seat)) {
                inside.seats.remove(&self.station);
            }
        }
        // whoever still holds the seat finds it closed
        self.seat.orders.close(Ending::Cut);
        self.seat.vacated.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::talk::line::LineFault;

    use super::*;

    fn station(name: &str) -> StationId {
        StationId::new(name).unwrap()
    }

    #[test]
    fn the_late_end_of_an_old_connection_leaves_the_new_one_alone() {
        let registry = Arc::new(Registry::default());
        let old = registry.take(&station("A")).unwrap();
        let new = registry.take(&station("A")).unwrap();
        assert!(new.seat.connection > old.seat.connection);
        assert!(Arc::ptr_eq(new.evicted.as_ref().unwrap(), &old.seat));
        assert_eq!(old.seat.orders.post(ToStation::ClearCache).unwrap_err(), LineFault::NotConnected);
        drop(old);
        assert!(Arc::ptr_eq(&registry.seat(&station("A")).unwrap(), &new.seat));
        drop(new);
        assert_eq!(registry.len(), 0);
    }

    #[test]
    fn nobody_sits_down_while_the_server_stops() {
        let registry = Arc::new(Registry::default());
        let seated = registry.take(&station("A")).unwrap();
        registry.stop();
        assert!(seated.seat.orders.is_closed());
        assert!(registry.take(&station("B")).is_none());
    }
}
