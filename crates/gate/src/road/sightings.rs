//! What was seen in partners' letters, counted: the material that habits are suggested from.
//!
//! In memory and bounded by the few forms that there are. Invariant: it has no place for anything that a letter says.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use charge::id::PartyId;
use charge::talk::partner::Seen;

use super::limits::PARTIES_MAX;

#[derive(Debug, Default)]
pub(crate) struct Sightings(Mutex<BTreeMap<PartyId, BTreeMap<Seen, u64>>>);

impl Sightings {
    pub(crate) fn note(&self, party: PartyId, seen: Seen) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < PARTIES_MAX || all.contains_key(&party) {
            let count = all.entry(party).or_default().entry(seen).or_default();
            *count = count.saturating_add(1);
        }
    }

    pub(crate) fn of(&self, party: PartyId) -> Vec<(Seen, u64)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&party).into_iter().flatten().map(|(seen, count)| (*seen, *count)).collect()
    }

    pub(crate) fn forget(&self, party: PartyId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&party);
    }
}
