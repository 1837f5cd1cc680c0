//! Where an EVSE of OCHP stands: its public id leads to a location of an operator.
//!
//! An index in memory over what the exchange publishes, filled anew when something is not found, at most once in a
//! while. Invariant: the location itself is always read from the exchange, so an old index shows nothing old.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use charge::Timestamp;
use charge::id::{EvseUid, LocationId, PartyId};
use charge::place::{Evse, Location};
use charge::talk::road::{Answer, Denial, Found, PageWish, Question, Wanted};
use tokio::sync::Mutex;

use super::house::House;

/// Between two fillings of the index: strangers' ids must not make us read everything again and again.
const FILLING_EVERY: Duration = Duration::from_secs(30);
/// EVSEs that are known by their ids: some hundred megabytes.
const EVSES_MAX: usize = 1_000_000;
/// Locations of one list: a gigabyte while it is put together.
const LOCATIONS_MAX: usize = 200_000;

#[derive(Debug, Default)]
pub(super) struct Places {
    known: RwLock<HashMap<String, (PartyId, LocationId)>>,
    filled: Mutex<Option<Timestamp>>,
}

/// An EVSE with its location.
pub(super) struct Spot {
    pub location: Location,
    pub uid: EvseUid,
}

impl Spot {
    pub fn evse(&self) -> Option<&Evse> {
        self.location.evses.iter().find(|evse| evse.uid == self.uid)
    }
}

/// The one spelling under which an id is known.
fn plain(id: &str) -> String {
    id.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

impl Places {
    pub fn note(&self, location: &Location) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for id in location.evses.iter().filter_map(|evse| evse.id.as_ref()) {
            let id = plain(id.as_str());
            if known.len() < EVSES_MAX || known.contains_key(&id) {
                known.insert(id, (location.party, location.id.clone()));
            }
        }
    }

    fn seat(&self, id: &str) -> Option<(PartyId, LocationId)> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&plain(id)).cloned()
    }

    /// The EVSEs of an operator, as they were last seen.
    pub fn of(&self, operator: PartyId) -> Vec<String> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().filter(|(_, (owner, _))| *owner == operator).map(|(id, _)| id.clone()).collect()
    }
}

impl House {
    /// The place of an EVSE, in whatever spelling.
    pub(super) async fn spot(&self, asker: PartyId, id: &str) -> Result<Spot, Denial> {
        if self.places.seat(id).is_none() {
            self.fill(asker).await?;
        }
        let (owner, place) = self.places.seat(id).ok_or(Denial::UnknownLocation)?;
        let location = self.location(asker, owner, place).await?;
        let same = |evse: &&Evse| evse.id.as_ref().is_some_and(|known| plain(known.as_str()) == plain(id));
        let uid = location.evses.iter().find(same).map(|evse| evse.uid.clone()).ok_or(Denial::UnknownLocation)?;
        Ok(Spot { location, uid })
    }

    /// A location as the exchange keeps it.
    pub(super) async fn location(&self, asker: PartyId, owner: PartyId, id: LocationId) -> Result<Location, Denial> {
        let question = Question::Fetch(Wanted::Location { owner, id });
        match self.carry(asker, None, question).await?.answer {
            Answer::Found(found) => match *found {
                Found::Location(location) => Ok(location),
                _other => Err(Denial::Internal),
            },
            _other => Err(Denial::Internal),
        }
    }

    /// Everybody sees the same, so anybody's eyes will do; the hub itself is no party.
    async fn fill(&self, asker: PartyId) -> Result<(), Denial> {
        let now = self.now();
        let mut filled = self.places.filled.lock().await;
        if filled.is_some_and(|before| now.since(before) < FILLING_EVERY) {
            return Ok(());
        }
        for location in self.locations(asker, None).await? {
            self.places.note(&location);
        }
        *filled = Some(now);
        Ok(())
    }

    /// All that is published and changed since then.
    pub(super) async fn locations(&self, asker: PartyId, since: Option<Timestamp>) -> Result<Vec<Location>, Denial> {
        let (mut all, mut offset) = (Vec::new(), Some(0));
        while let Some(from) = offset {
            let wish = PageWish { changed_since: since, offset: from, ..PageWish::default() };
            let Answer::Locations(page) = self.carry(asker, None, Question::Locations(wish)).await?.answer else {
                return Err(Denial::Internal);
            };
            all.extend(page.items);
            offset = page.next.filter(|next| *next > from && all.len() < LOCATIONS_MAX);
        }
        Ok(all)
    }
}
