//! How the stations that spoke lately have to prove themselves, kept in memory.
//!
//! A station that speaks SOAP knocks with every message, and asking the disk each time would cost more than the rest
//! of a heartbeat. No verdict is kept here: every knock is judged anew. The invariant: what is found is what the disk
//! held when nothing had been changed since; a change has everything forgotten once its transaction has ended, and
//! what was read before that is not kept any more.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use charge::Timestamp;
use store::{StoreError, Tx};

use super::{House, Operator};
use crate::admit::{self, Standing};
use crate::memory::station;

/// What was read of whom, and how often all of it was forgotten.
#[derive(Default)]
pub(super) struct Standings {
    changes: u64,
    known: HashMap<String, (Arc<Standing>, Timestamp)>,
}

impl Standings {
    fn find(&self, folded: &str, now: Timestamp) -> Option<Arc<Standing>> {
        let (standing, read) = self.known.get(folded)?;
        (now.since(*read) < READ_AGAIN).then(|| Arc::clone(standing))
    }

    /// Keeps what was read when `changes` had been made.
    fn keep(&mut self, folded: String, standing: Arc<Standing>, now: Timestamp, changes: u64) {
        if changes != self.changes {
            return;
        }
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        self.known.insert(folded, (standing, now));
    }

    fn forget(&mut self) {
        self.changes += 1;
        self.known.clear();
    }
}

impl Operator {
    /// How a station has to prove itself, for the identity it knocks with.
    pub(super) async fn standing(&self, identity: &str, now: Timestamp) -> Result<Option<Arc<Standing>>, StoreError> {
        let folded = admit::folded(identity);
        let changes = {
            let standings = self.0.standings();
            if let Some(known) = standings.find(&folded, now) {
                return Ok(Some(known));
            }
            standings.changes
        };
        let asked = folded.clone();
        // who is there does not matter here: a knock need not wait until others have been written down
        let found = self.0.store.read("operator.knock", move |tx| station::standing(tx, &asked)).await?.map(Arc::new);
        if let Some(standing) = &found {
            self.0.standings().keep(folded, Arc::clone(standing), now, changes);
        }
        Ok(found)
    }

    /// [`Operator::run`] for whatever changes how a station has to prove itself, or what is tolerated of it.
    pub(super) async fn run_and_forget_standings<T, E>(
        &self,
        name: &'static str,
        work: impl FnOnce(&House, &mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let forgets = Forgets(Arc::clone(&self.0));
        let (done, _forgets) = self.run(name, move |house, tx| Ok::<_, E>((work(house, tx)?, forgets))).await?;
        Ok(done)
    }
}

/// Travels with a transaction's result, which is dropped after the commit, also where nobody waits for it any more.
struct Forgets(Arc<House>);

impl Drop for Forgets {
    fn drop(&mut self) {
        self.0.standings().forget();
    }
}

/// Stations that speak SOAP are few; beyond that all are asked for again.
const KNOWN_MAX: usize = 4_096;
/// Should somebody change the file beside us, it is heard of within this time.
const READ_AGAIN: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::id::StationId;
    use charge::talk::line::quirk::Quirks;

    use super::*;
    use crate::admit::Proof;

    const NOW: Timestamp = Timestamp::from_secs(1_000);

    fn standing() -> Arc<Standing> {
        Arc::new(Standing {
            station: StationId::new("A").unwrap(),
            proof: Proof::Certificate { serial: "A".to_owned() },
            retired: false,
            danger_plain_ws: false,
            quirks: Quirks::USUAL,
            next: None,
        })
    }

    #[test]
    fn what_was_read_before_a_change_is_neither_found_nor_kept() {
        let mut standings = Standings::default();
        standings.keep("a".to_owned(), standing(), NOW, 0);
        assert!(standings.find("a", NOW).is_some() && standings.find("b", NOW).is_none());
        assert!(standings.find("a", NOW.plus(READ_AGAIN)).is_none(), "it is old");
        standings.forget();
        assert!(standings.find("a", NOW).is_none());
        standings.keep("a".to_owned(), standing(), NOW, 0);
        assert!(standings.find("a", NOW).is_none(), "it was read before the change");
        standings.keep("a".to_owned(), standing(), NOW, 1);
        assert!(standings.find("a", NOW).is_some());
    }

    #[test]
    fn there_is_a_bound_on_what_is_known() {
        let mut standings = Standings::default();
        for number in 0..=KNOWN_MAX {
            standings.keep(number.to_string(), standing(), NOW, 0);
        }
        assert_eq!(standings.known.len(), 1);
    }
}
