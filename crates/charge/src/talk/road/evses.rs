//! The index of public EVSE ids beside an exchange's public objects: for protocols that name an EVSE by its public id
//! alone, and list EVSEs and not locations.
//!
//! Who reads the objects writes the index: an exchange deliberately does not look into them. It says which locations are
//! new or have changed ([`EvseIndex::unindexed`]) and keeps what is found there. Invariant: an EVSE's id belongs to the
//! location that had it first, until that one has it no more.

use crate::id::{EvseId, LocationId, PartyId};
use crate::place::EvseStatus;
use crate::talk::road::{Denial, ObjectName, ObjectPage};
use crate::{Soon, Timestamp};

/// One EVSE of a public location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexedEvse {
    /// Its id without separators, in capitals.
    pub key: Box<str>,
    pub id: EvseId,
    pub owner: PartyId,
    pub location: LocationId,
    /// ISO 3166-1 alpha-3, of its location.
    pub country: Box<str>,
    pub status: EvseStatus,
    /// Of the EVSE or its location, the later one.
    pub changed: Timestamp,
}

impl IndexedEvse {
    /// Where it stands in the order of all.
    pub fn place(&self) -> EvsePlace {
        (self.owner, self.location.clone(), self.key.clone())
    }
}

/// The order of EVSEs: owner, location, key.
pub type EvsePlace = (PartyId, LocationId, Box<str>);

/// A location that was read: its name, the text that was read, and what is in it.
#[derive(Clone, Debug)]
pub struct IndexedLocation {
    pub name: ObjectName,
    pub text: Box<str>,
    pub evses: Vec<IndexedEvse>,
}

/// Some of all EVSEs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EvseFilter {
    /// Empty: of all.
    pub owners: Vec<PartyId>,
    /// Empty: in all.
    pub countries: Vec<Box<str>>,
    pub changed_since: Option<Timestamp>,
    /// Those that stand so are left out.
    pub without: Vec<EvseStatus>,
}

/// Part of a list of EVSEs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EvseSpan {
    /// Behind this one; `None` from the first.
    pub after: Option<EvsePlace>,
    /// So many further on.
    pub skip: u64,
    /// At most so many.
    pub limit: u32,
}

/// An exchange without an index knows no EVSE.
pub trait EvseIndex: Send + Sync {
    /// Some of the locations that are not in the index as they are now; empty where all are.
    fn unindexed(&self) -> Soon<'_, Result<ObjectPage, Denial>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Puts locations into the index. One whose text is another by now is passed over, and stays unindexed.
    fn index(&self, _: Vec<IndexedLocation>) -> Soon<'_, Result<(), Denial>> {
        Box::pin(async { Ok(()) })
    }

    /// Those of these keys that are known.
    fn evses_named(&self, _keys: Vec<Box<str>>) -> Soon<'_, Result<Vec<IndexedEvse>, Denial>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// In the order of [`EvsePlace`].
    fn evses(&self, _: EvseFilter, _: EvseSpan) -> Soon<'_, Result<Vec<IndexedEvse>, Denial>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn evse_count(&self, _: EvseFilter) -> Soon<'_, Result<u64, Denial>> {
        Box::pin(async { Ok(0) })
    }
}
