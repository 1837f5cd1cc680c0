//! The index between public EVSE ids and places: what OICP needs to name anything and the words do not.
//!
//! In memory alone: what a party of ours knows at a foreign broker, or the few places that one letter is about at our own
//! (which keeps no others in memory, see [`super::places`]). Invariant: two operators cannot claim one EVSE id, the first
//! keeps it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use charge::Timestamp;
use charge::id::{EvseId, EvseUid, LocationId, PartyId};
use charge::place::{EvseStatus, Location};
use oicp::bridge::place::places;
use oicp::bridge::{Place, Places};
use oicp::form::key;

/// A million locations are a continent; beyond it the newest are not indexed.
const LOCATIONS_MAX: usize = 1_000_000;

#[derive(Default)]
pub struct Index(RwLock<Known>);

#[derive(Default)]
struct Known {
    locations: HashMap<(PartyId, LocationId), Arc<Location>>,
    evses: HashMap<String, (PartyId, LocationId, usize)>,
}

impl Index {
    pub fn put(&self, location: Location) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let name = (location.party, location.id.clone());
        if known.locations.len() >= LOCATIONS_MAX && !known.locations.contains_key(&name) {
            return;
        }
        if let Some(old) = known.locations.remove(&name) {
            for (key, _) in places(&old) {
                if known.evses.get(&key).is_some_and(|(owner, ..)| *owner == name.0) {
                    known.evses.remove(&key);
                }
            }
        }
        let location = Arc::new(location);
        for (key, place) in places(&location) {
            known.evses.entry(key).or_insert((name.0, name.1.clone(), place.evse));
        }
        known.locations.insert(name, location);
    }

    pub(crate) fn status(&self, owner: PartyId, id: &LocationId, evse: &EvseUid, status: EvseStatus, at: Timestamp) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Some(location) = known.locations.get_mut(&(owner, id.clone())) else { return };
        let location = Arc::make_mut(location);
        if let Some(evse) = location.evses.iter_mut().find(|each| each.uid == *evse) {
            (evse.status, evse.last_updated) = (status, at);
        }
    }
}

impl Places for Index {
    fn by_id(&self, id: &EvseId) -> Option<Place> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (owner, location, evse) = known.evses.get(&key(id.as_str()))?;
        let location = Arc::clone(known.locations.get(&(*owner, location.clone()))?);
        Some(Place { location, evse: *evse })
    }

    fn by_uid(&self, owner: Option<PartyId>, location: &LocationId, evse: Option<&EvseUid>) -> Option<Place> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let location = match owner {
            Some(owner) => known.locations.get(&(owner, location.clone()))?,
            None => {
                let mut found = known.locations.iter().filter(|((_, id), _)| id == location);
                let (_, only) = found.next()?;
                // a name that two operators use names neither
                found.next().is_none().then_some(only)?
            }
        };
        let evse = evse.map_or(Some(0), |uid| location.evses.iter().position(|each| each.uid == *uid))?;
        Some(Place { location: Arc::clone(location), evse })
    }

    fn location(&self, owner: PartyId, id: &LocationId) -> Option<Arc<Location>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).locations.get(&(owner, id.clone())).cloned()
    }
}
