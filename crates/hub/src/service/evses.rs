//! The exchange's index of EVSEs: the hub keeps it and does not look into locations itself.

use charge::Soon;
use charge::talk::road::evses::{EvseFilter, EvseIndex, EvseSpan, IndexedEvse, IndexedLocation};
use charge::talk::road::{Denial, ObjectPage};

use super::{Hub, HubFault};
use crate::memory::evses;

impl EvseIndex for Hub {
    fn unindexed(&self) -> Soon<'_, Result<ObjectPage, Denial>> {
        Box::pin(async move {
            let read = self.0.store.read::<_, HubFault>("hub.evses.unindexed", |tx| Ok(evses::unindexed(tx)?));
            Ok(read.await?)
        })
    }

    fn index(&self, locations: Vec<IndexedLocation>) -> Soon<'_, Result<(), Denial>> {
        Box::pin(async move {
            let run = self.0.store.run::<_, HubFault>("hub.evses.index", move |tx| {
                locations.iter().try_for_each(|location| evses::put(tx, location))?;
                Ok(())
            });
            Ok(run.await?)
        })
    }

    fn evses_named(&self, keys: Vec<Box<str>>) -> Soon<'_, Result<Vec<IndexedEvse>, Denial>> {
        Box::pin(async move {
            let read = self.0.store.read::<_, HubFault>("hub.evses.named", move |tx| Ok(evses::named(tx, &keys)?));
            Ok(read.await?)
        })
    }

    fn evses(&self, filter: EvseFilter, span: EvseSpan) -> Soon<'_, Result<Vec<IndexedEvse>, Denial>> {
        Box::pin(async move {
            let read = self.0.store.read::<_, HubFault>("hub.evses", move |tx| Ok(evses::list(tx, &filter, &span)?));
            Ok(read.await?)
        })
    }

    fn evse_count(&self, filter: EvseFilter) -> Soon<'_, Result<u64, Denial>> {
        Box::pin(async move {
            let read = self.0.store.read::<_, HubFault>("hub.evses.count", move |tx| Ok(evses::count(tx, &filter)?));
            Ok(read.await?)
        })
    }
}
