//! Whether an EVSE is free: OCHP has a coarse word, a fine one, and a time after which neither counts.
//!
//! What OCHP says about the standing of an EVSE (planned, closed) stands in its charge point, not here.

use charge::Timestamp;
use charge::place::EvseStatus;

use crate::read::{Crossed, Fault, Lost};
use crate::scalar::{DateTime, EvseId};
use crate::types::place::Standing;
use crate::types::status::{EvseLive, Major, Minor};

pub fn live(evse: EvseId, status: EvseStatus, ttl: Option<Timestamp>) -> Crossed<EvseLive> {
    let mut lost = Lost::new();
    let mut told = |why: &str| lost.push(Fault::new("/status", why));
    let (major, minor) = match status {
        EvseStatus::Available => (Major::Available, Some(Minor::Available)),
        EvseStatus::Blocked => (Major::NotAvailable, Some(Minor::Blocked)),
        EvseStatus::Charging => (Major::NotAvailable, Some(Minor::Charging)),
        EvseStatus::Reserved => (Major::NotAvailable, Some(Minor::Reserved)),
        EvseStatus::OutOfOrder => (Major::NotAvailable, Some(Minor::OutOfOrder)),
        EvseStatus::Inoperative | EvseStatus::Planned | EvseStatus::Removed => {
            told("is out of order here; the charge point says why");
            (Major::NotAvailable, Some(Minor::OutOfOrder))
        }
        EvseStatus::Unknown => (Major::Unknown, None),
    };
    Crossed { value: EvseLive { evse, major, minor, ttl: ttl.map(DateTime::new) }, lost }
}

/// A status that has expired is unknown, as every reader must take it (OCHP, "Live Status Interface").
pub fn evse_status(live: &EvseLive, ttl: Option<DateTime>, now: Timestamp) -> Crossed<EvseStatus> {
    let mut lost = Lost::new();
    let expired = live.ttl.or(ttl).is_some_and(|ttl| ttl.at() < now);
    let value = match (live.major, live.minor) {
        _stale if expired => EvseStatus::Unknown,
        (Major::Unknown, _) => EvseStatus::Unknown,
        (Major::Available, Some(Minor::Reserved)) => {
            lost.push(Fault::new("/minor", "a reservation to come is not carried"));
            EvseStatus::Available
        }
        (Major::Available, _) => EvseStatus::Available,
        (Major::NotAvailable, Some(Minor::Charging)) => EvseStatus::Charging,
        (Major::NotAvailable, Some(Minor::Reserved)) => EvseStatus::Reserved,
        (Major::NotAvailable, Some(Minor::OutOfOrder)) => EvseStatus::OutOfOrder,
        (Major::NotAvailable, Some(Minor::Blocked)) => EvseStatus::Blocked,
        (Major::NotAvailable, Some(Minor::Available) | None) => {
            lost.push(Fault::new("/minor", "does not say why the EVSE is not free; taken as blocked"));
            EvseStatus::Blocked
        }
    };
    Crossed { value, lost }
}

/// The part of a status that belongs to the charge point.
pub const fn standing(status: EvseStatus) -> Standing {
    match status {
        EvseStatus::Inoperative => Standing::Inoperative,
        EvseStatus::Planned => Standing::Planned,
        EvseStatus::Removed => Standing::Closed,
        EvseStatus::Unknown => Standing::Unknown,
        EvseStatus::Available
        | EvseStatus::Blocked
        | EvseStatus::Charging
        | EvseStatus::OutOfOrder
        | EvseStatus::Reserved => Standing::Operative,
    }
}

/// What a charge point alone says about the status of its EVSE.
pub const fn status_of(standing: Option<Standing>) -> EvseStatus {
    match standing {
        Some(Standing::Inoperative) => EvseStatus::Inoperative,
        Some(Standing::Planned) => EvseStatus::Planned,
        Some(Standing::Closed) => EvseStatus::Removed,
        Some(Standing::Operative | Standing::Unknown) | None => EvseStatus::Unknown,
    }
}
