//! The index of EVSEs of the tests' exchanges: what was put on it, in memory.

use charge::talk::road::evses::{EvseFilter, EvseSpan, IndexedEvse, IndexedLocation};

use super::*;

#[derive(Default)]
pub(super) struct Shelf(Mutex<Vec<IndexedLocation>>);

impl Shelf {
    /// Those of these texts that are not on it as they are.
    pub fn missing(&self, kept: ObjectPage) -> ObjectPage {
        let known = self.0.lock().unwrap();
        let missing =
            |(name, text): &(ObjectName, Box<str>)| !known.iter().any(|each| each.name == *name && each.text == *text);
        kept.into_iter().filter(missing).collect()
    }

    pub fn put(&self, locations: Vec<IndexedLocation>) {
        let mut known = self.0.lock().unwrap();
        for location in locations {
            known.retain(|each| each.name != location.name);
            known.push(location);
        }
    }

    fn all(&self) -> Vec<IndexedEvse> {
        let mut all: Vec<_> = self.0.lock().unwrap().iter().flat_map(|each| each.evses.clone()).collect();
        all.sort_by_key(IndexedEvse::place);
        all
    }

    pub fn named(&self, keys: &[Box<str>]) -> Vec<IndexedEvse> {
        self.all().into_iter().filter(|evse| keys.contains(&evse.key)).collect()
    }

    pub fn wanted(&self, filter: &EvseFilter) -> Vec<IndexedEvse> {
        let fits = |evse: &IndexedEvse| {
            (filter.owners.is_empty() || filter.owners.contains(&evse.owner))
                && (filter.countries.is_empty() || filter.countries.contains(&evse.country))
                && filter.changed_since.is_none_or(|since| evse.changed >= since)
                && !filter.without.contains(&evse.status)
        };
        self.all().into_iter().filter(fits).collect()
    }

    pub fn part(&self, filter: &EvseFilter, span: &EvseSpan) -> Vec<IndexedEvse> {
        let behind = |evse: &IndexedEvse| span.after.as_ref().is_none_or(|after| evse.place() > *after);
        let part = self.wanted(filter).into_iter().filter(behind);
        part.skip(span.skip as usize).take(span.limit as usize).collect()
    }
}

/// An exchange whose `shelf` and `kept_places` make its index.
macro_rules! shelved {
    ($exchange:ty) => {
        impl charge::talk::road::evses::EvseIndex for $exchange {
            fn unindexed(&self) -> Soon<'_, Result<ObjectPage, Denial>> {
                let missing = self.shelf.missing(self.kept_places());
                Box::pin(async { Ok(missing) })
            }

            fn index(
                &self,
                locations: Vec<charge::talk::road::evses::IndexedLocation>,
            ) -> Soon<'_, Result<(), Denial>> {
                self.shelf.put(locations);
                Box::pin(async { Ok(()) })
            }

            fn evses_named(
                &self,
                keys: Vec<Box<str>>,
            ) -> Soon<'_, Result<Vec<charge::talk::road::evses::IndexedEvse>, Denial>> {
                let named = self.shelf.named(&keys);
                Box::pin(async { Ok(named) })
            }

            fn evses(
                &self,
                filter: charge::talk::road::evses::EvseFilter,
                span: charge::talk::road::evses::EvseSpan,
            ) -> Soon<'_, Result<Vec<charge::talk::road::evses::IndexedEvse>, Denial>> {
                let part = self.shelf.part(&filter, &span);
                Box::pin(async { Ok(part) })
            }

            fn evse_count(&self, filter: charge::talk::road::evses::EvseFilter) -> Soon<'_, Result<u64, Denial>> {
                let count = self.shelf.wanted(&filter).len() as u64;
                Box::pin(async move { Ok(count) })
            }
        }
    };
}

pub(super) use shelved;
