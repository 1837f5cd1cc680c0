//! Bookings: a time at a charging point that is promised to somebody before they come (OCPI 2.3.0, extension Bookings
//! 1.1, module `bookings`).
//!
//! The operator owns calendars and bookings; the provider asks with a request, changes with the same request id, and
//! hears every new state. It is no reservation: that one is made for now, and its word is
//! [`super::ReservationOrder`]. Invariant: a [`Period`] ends after it begins.

use crate::Timestamp;
use crate::id::{
    AuthorizationReference, BookingId, BookingLocationId, BookingRequestId, CalendarId, ConnectorId, EvseUid,
    LocationId, PartyId, TariffId,
};
use crate::personal::Personal;
use crate::record::RecordToken;
use crate::talk::road::{Page, PageWish};
use crate::units::Power;

/// What providers ask and operators tell about bookings.
#[derive(Clone, Debug, PartialEq)]
pub enum BookingQuestion {
    /// What may be booked at the asked operator. `slot`: only what is free within it.
    Locations {
        wish: PageWish,
        slot: Slot,
    },
    Location(BookingLocationId),
    /// The asking party's own bookings.
    Bookings(PageWish),
    /// Makes, changes or cancels a booking. Answered with the booking as it is then.
    Request(Box<BookingRequest>),
    /// The operator tells the newest state. Answered with [`super::Answer::Noted`].
    Put(Box<Booking>),
    /// The operator reads back what a provider keeps of it.
    Kept {
        owner: PartyId,
        id: BookingId,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum BookingAnswer {
    Locations(Page<BookingLocation>),
    Location(Box<BookingLocation>),
    Bookings(Page<Booking>),
    Booking(Box<Booking>),
}

/// A window of a calendar, open where nothing is said (`timeslot_from`, `timeslot_to`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// Inclusive.
    pub from: Option<Timestamp>,
    /// Exclusive.
    pub to: Option<Timestamp>,
}

/// From a moment up to, and without, another one that is later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    start: Timestamp,
    end: Timestamp,
}

impl Period {
    /// `None` where it would not end after it begins.
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    pub const fn start(self) -> Timestamp {
        self.start
    }

    pub const fn end(self) -> Timestamp {
        self.end
    }

    /// One that ends when the other begins does not meet it.
    pub fn meets(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whole minutes, rounded down.
    pub fn minutes(self) -> u64 {
        self.end.since(self.start).as_secs() / 60
    }
}

/// A piece of a calendar that is free, or that was booked (class `Timeslot`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timeslot {
    pub period: Period,
    /// Guaranteed.
    pub min_power: Option<Power>,
    pub max_power: Option<Power>,
    pub green_energy_support: Option<bool>,
}

impl Timeslot {
    pub const fn of(period: Period) -> Self {
        Self { period, min_power: None, max_power: None, green_energy_support: None }
    }
}

/// What can be booked at one place, with its terms and free times (object `BookingLocation`).
#[derive(Clone, Debug, PartialEq)]
pub struct BookingLocation {
    pub party: PartyId,
    pub id: BookingLocationId,
    pub location: LocationId,
    pub option: BookingOption,
    /// Class `Policy`.
    pub reservation_required: Option<bool>,
    pub tariffs: Vec<TariffId>,
    pub terms: Option<BookingTerms>,
    pub calendars: Vec<Calendar>,
    pub last_updated: Timestamp,
}

/// What is free between two moments (object `Calendar`).
#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    pub id: CalendarId,
    pub begin_from: Timestamp,
    pub end_before: Timestamp,
    /// Bookings begin and end on multiples of so many minutes.
    pub timeslot_increment: Option<u32>,
    pub available_timeslots: Vec<Timeslot>,
    pub last_updated: Timestamp,
}

/// Which charging point is meant (class `BookingOption`, of which we carry the point itself).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookingOption {
    /// `None`: none is assigned yet.
    pub evse: Option<EvseUid>,
    pub connector: Option<ConnectorId>,
}

/// What both sides agree to (class `BookingTerms`). Times are minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookingTerms {
    pub rfid_auth_required: Option<bool>,
    pub token_groups_supported: Option<bool>,
    pub remote_auth_supported: Option<bool>,
    pub supported_access_methods: Vec<AccessMethod>,
    /// So long before its beginning a booking can be changed; or cancelled.
    pub change_until_minutes: u32,
    pub cancel_until_minutes: u32,
    pub change_not_allowed: Option<bool>,
    pub early_start_allowed: Option<bool>,
    pub early_start_time: Option<u32>,
    /// So long after its beginning nobody came, and the point is free again.
    pub noshow_timeout: Option<u32>,
    pub noshow_fee: Option<bool>,
    pub late_stop_allowed: Option<bool>,
    pub late_stop_time: Option<u32>,
    pub overlapping_bookings_allowed: Option<bool>,
    pub min_booking_duration: Option<u32>,
    pub max_booking_duration: Option<u32>,
    /// A page for people.
    pub booking_terms: Option<String>,
}

/// What a provider wants (class `BookingRequest`).
#[derive(Clone, Debug, PartialEq)]
pub struct BookingRequest {
    /// The provider that asks.
    pub party: PartyId,
    /// The same for the booking and all its changes.
    pub request: BookingRequestId,
    pub option: BookingOption,
    pub location: LocationId,
    /// Papers' examples of earlier requests leave it out; whoever asks says it.
    pub booking_location: Option<BookingLocationId>,
    /// What will be held to the reader: the booking is for nobody else.
    pub tokens: Vec<RecordToken>,
    pub access: Vec<AccessInformation>,
    pub period: Period,
    pub reference: AuthorizationReference,
    /// In kilowatts.
    pub power_required: Option<u32>,
    /// Set where the booking is to be cancelled.
    pub canceled: Option<Cancellation>,
}

/// A request with what became of it (class `BookingRequestStatus`).
#[derive(Clone, Debug, PartialEq)]
pub struct BookingRequestStatus {
    pub status: ReservationRequestStatus,
    pub request: BookingRequest,
    pub received: Timestamp,
}

/// A booking as its operator keeps it (object `Booking`).
#[derive(Clone, Debug, PartialEq)]
pub struct Booking {
    /// The operator's.
    pub party: PartyId,
    pub id: BookingId,
    pub request: BookingRequestId,
    pub option: BookingOption,
    pub location: LocationId,
    pub tokens: Vec<RecordToken>,
    pub tariffs: Vec<TariffId>,
    pub slot: Timeslot,
    pub status: ReservationStatus,
    pub canceled: Option<Cancellation>,
    pub access: Vec<AccessInformation>,
    pub reference: AuthorizationReference,
    pub terms: BookingTerms,
    pub requests: Vec<BookingRequestStatus>,
    pub last_updated: Timestamp,
}

/// Why and by whom (class `Cancellation`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancellation {
    pub reason: CanceledReason,
    pub by: Canceler,
}

/// How the driver gets to the point (class `AccessInformation`). The value may be a licence plate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessInformation {
    pub method: AccessMethod,
    pub value: Option<Personal<String>>,
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $word:ident = $text:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$of])* $word,)+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$word,)+];

            /// The spelling of OCPI, which rows use as well.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text,)+ }
            }

            pub fn named(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    )+};
}

words! {
    /// Where a booking stands (enum `ReservationStatus`).
    ReservationStatus {
        Pending = "PENDING",
        Reserved = "RESERVED",
        Canceled = "CANCELED",
        Failed = "FAILED",
        NoShow = "NO_SHOW",
        Fulfilled = "FULFILLED",
        Rejected = "REJECTED",
        Unknown = "UNKNOWN",
    }
    /// What became of one request (enum `ReservationRequestStatus`).
    ReservationRequestStatus {
        Pending = "PENDING",
        Accepted = "ACCEPTED",
        Declined = "DECLINED",
        Failed = "FAILED",
    }
    /// Enum `CanceledReason`.
    CanceledReason {
        PowerOutage = "POWER_OUTAGE",
        BrokenCharger = "BROKEN_CHARGER",
        /// Somebody is not leaving.
        Full = "FULL",
        Blocked = "BLOCKED",
        Traffic = "TRAFFIC",
        BrokenVehicle = "BROKEN_VEHICLE",
        /// The driver did not say why.
        NoCanceled = "NO_CANCELED",
        Unknown = "UNKNOWN",
    }
    /// The role that cancelled (enum `Role`); others have no part in a booking.
    Canceler {
        Operator = "CPO",
        Provider = "EMSP",
        Other = "OTHER",
    }
    /// Enum `AccessMethod`.
    AccessMethod {
        Open = "OPEN",
        Token = "TOKEN",
        LicensePlate = "LICENSE_PLATE",
        AccessCode = "ACCESS_CODE",
        Intercom = "INTERCOM",
        ParkingTicket = "PARKING_TICKET",
    }
}

impl ReservationStatus {
    /// A booking that has reached its end stays as it is.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Pending | Self::Reserved | Self::Unknown => false,
            Self::Canceled | Self::Failed | Self::NoShow | Self::Fulfilled | Self::Rejected => true,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn period(start: i64, end: i64) -> Option<Period> {
        Period::new(Timestamp::from_secs(start), Timestamp::from_secs(end))
    }

    #[test]
    fn a_period_ends_after_it_begins_and_neighbours_do_not_meet() {
        assert_eq!(period(5, 5), None);
        assert_eq!(period(6, 5), None);
        let one = period(0, 600).unwrap();
        assert_eq!(one.minutes(), 10);
        assert!(!one.meets(period(600, 700).unwrap()));
        assert!(one.meets(period(599, 700).unwrap()));
        assert!(one.meets(period(-5, 1).unwrap()));
        assert!(one.meets(period(100, 200).unwrap()));
        assert!(period(100, 200).unwrap().meets(one));
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for status in ReservationStatus::ALL {
            assert_eq!(ReservationStatus::named(status.as_str()), Some(*status));
        }
        for reason in CanceledReason::ALL {
            assert_eq!(CanceledReason::named(reason.as_str()), Some(*reason));
        }
        assert_eq!(AccessMethod::named("WINDOW"), None);
    }
}
