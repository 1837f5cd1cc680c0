//! Reservations and the station's own list of tokens (OCPP 1.6 profiles Reservation and Local Auth List; 2.x blocks H, D).

use crate::Timestamp;
use crate::id::EvseNo;
use crate::token::{PresentedToken, Verdict};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReservationOrder {
    /// `ReserveNow`. `token` is an alias of ours, never a contract id.
    Reserve {
        id: i32,
        /// `None`: any EVSE (1.6: connector 0).
        evse: Option<EvseNo>,
        token: PresentedToken,
        /// Whoever shares this group may use the reservation as well.
        group: Option<PresentedToken>,
        until: Timestamp,
        /// 2.x: any EVSE with such a connector, as spelled.
        connector: Option<Box<str>>,
    },
    /// `CancelReservation`.
    Cancel { id: i32 },
}

/// `ReservationStatusUpdate` (2.x).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReservationEnd {
    Expired,
    Removed,
    /// 2.1: the reserved token came and no transaction followed.
    NoTransaction,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ListOrder {
    /// `SendLocalList`. `full` replaces the list, else an entry without a verdict is removed.
    Send { version: i32, full: bool, entries: Vec<ListEntry> },
    /// `GetLocalListVersion`; answered with [`super::StationAnswer::Number`]: 0 is an empty list, -1 no list at all (1.6).
    Version,
}

/// One token on a station's list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListEntry {
    pub token: PresentedToken,
    pub group: Option<PresentedToken>,
    pub until: Option<Timestamp>,
    /// `None`: the token is taken off the list (1.6, 7.1; 2.x, D01), which leaves no room for a group or an end.
    pub verdict: Option<Verdict>,
}
