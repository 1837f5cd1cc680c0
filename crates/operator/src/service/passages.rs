//! Comings and goings of stations on their way to the disk.
//!
//! They are acknowledged to nobody, so they wait for whatever is done next, at most for the next duty, and share one
//! transaction: when a fleet comes back, each would cost more around it than in it, and every commit has the readers
//! forget their pages. A crash loses some, and the first duty after it mends that as it mends all of a crash.
//! Invariant: nothing that is written through [`Operator::run`] overtakes them, and nothing that is read through
//! [`Operator::read`] misses them.

use std::sync::Arc;

use store::StoreError;

use super::presence::Passage;
use super::{Event, House, Operator};

impl Operator {
    /// Writes those that wait, in their order. For the end of a house; all else is done by itself.
    pub async fn keep_passages(&self) {
        let house = Arc::clone(&self.0);
        let written = self.0.store.run("operator.passages", move |tx| {
            let (passages, keeping) = Keeping::begin(house);
            passages.iter().try_for_each(|passage| passage.keep(tx))?;
            Ok::<_, StoreError>((passages, keeping))
        });
        match written.await {
            Ok((passages, _kept)) => {
                passages.iter().for_each(|one| self.0.tell_of(Event::Station(one.station().clone())));
            }
            Err(error) => {
                // the work may not have begun: what cannot be kept now is not tried for ever
                let left_over = std::mem::take(&mut self.0.presences().passages).len();
                tracing::error!(%error, left_over, "comings and goings could not be kept");
            }
        }
    }
}

impl House {
    /// Does any of them wait? Those that are being written stand in line already.
    pub(super) fn passages_wait(&self) -> bool {
        !self.presences().passages.is_empty()
    }

    /// Is any of them not committed yet?
    pub(super) fn passages_pending(&self) -> bool {
        let presences = self.presences();
        !presences.passages.is_empty() || presences.keeping > 0
    }
}

/// So many are being written. Travels with the transaction's result, which is dropped after the commit, also where nobody
/// waits for it any more.
struct Keeping(Arc<House>, usize);

impl Keeping {
    fn begin(house: Arc<House>) -> (Vec<Passage>, Self) {
        let mut presences = house.presences();
        let passages = std::mem::take(&mut presences.passages);
        presences.keeping += passages.len();
        drop(presences);
        let count = passages.len();
        (passages, Self(house, count))
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        self.0.presences().keeping -= self.1;
    }
}
