//! A driver's bookings: a time at a charging point that an operator has promised (OCPI 2.3.0, Bookings 1.1).
//!
//! What is shown is what the operator said last; a wish that it has not answered is pending, and is asked again under the
//! same name. It deliberately prices nothing. The invariant: a booking that has ended stays as it ended, whatever an
//! older letter says.

use std::time::Duration;

use charge::Timestamp;
use charge::id::{
    AuthorizationReference, BookingId, BookingLocationId, BookingRequestId, EvseUid, LocationId, PartyId,
};
use charge::money::Currency;
use charge::talk::road::booking::{
    AccessMethod, Booking, BookingAnswer, BookingTerms, CanceledReason, Canceler, Cancellation, Period,
    ReservationStatus,
};
use charge::talk::road::{Answer, Denial, RoadFault};
use charge::tariff::{BookingEnd, BookingFees};

use crate::{CardId, DriverId};

/// What can be booked at one charging point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookableTimes {
    pub id: BookingLocationId,
    pub evse: Option<EvseUid>,
    /// Free, oldest first.
    pub free: Vec<Period>,
    pub terms: BookingTerms,
    /// Of the tariff that is in force there, with its currency; `None` where none is known.
    pub fees: Option<(BookingFees, Currency)>,
}

/// What a driver wants booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookWish {
    pub driver: DriverId,
    pub operator: PartyId,
    pub location: LocationId,
    pub booking_location: BookingLocationId,
    /// What will be held to the reader. The operator is told its number.
    pub card: CardId,
    pub period: Period,
}

/// A booking as pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriverBooking {
    /// Ours, the same for all changes.
    pub id: BookingRequestId,
    pub driver: DriverId,
    pub operator: PartyId,
    pub location: LocationId,
    pub booking_location: BookingLocationId,
    pub card: CardId,
    pub period: Period,
    pub status: ReservationStatus,
    pub canceled: Option<Cancellation>,
    pub evse: Option<EvseUid>,
    /// The operator's, as soon as it has one.
    pub booking: Option<BookingId>,
    pub reference: AuthorizationReference,
    /// Minutes, as the operator said.
    pub change_until: u32,
    pub cancel_until: u32,
    pub early: u32,
    pub noshow: Option<u32>,
    /// When the driver first gave it up, by our own clock.
    pub cancel_asked: Option<Timestamp>,
    /// In plain words; empty while there is nothing to say.
    pub message: String,
    pub given: Timestamp,
    /// Of what the operator said last.
    pub updated: Timestamp,
}

impl DriverBooking {
    /// Takes what the operator says, unless it is older than what is known, or the booking has ended. `false`: it says
    /// nothing new.
    pub(crate) fn take(&mut self, told: &Booking) -> bool {
        if self.status.is_final() || (self.booking.is_some() && told.last_updated < self.updated) {
            return false;
        }
        let early = told.terms.early_start_time.unwrap_or_default();
        self.status = told.status;
        self.canceled = told.canceled;
        self.period = told.slot.period;
        let first = self.booking.replace(told.id.clone()).is_none();
        self.evse = told.option.evse.clone().or(self.evse.take());
        let cancel_until = told.terms.cancel_until_minutes;
        // what was agreed when it was booked holds; an operator may only become kinder
        self.cancel_until = if first { cancel_until } else { self.cancel_until.min(cancel_until) };
        self.change_until = told.terms.change_until_minutes;
        (self.early, self.noshow) = (early, told.terms.noshow_timeout);
        self.message = words(self.status, self.canceled).to_owned();
        self.updated = told.last_updated;
        true
    }

    /// How it ended, where that may cost something: only what the driver did, or did not do. Whether it was given up too
    /// late, and whether its time has come at all, is by our own clock, whatever the operator says.
    pub(crate) fn costs(&self, now: Timestamp) -> Option<BookingEnd> {
        let minutes = |minutes: u32| Duration::from_secs(u64::from(minutes) * 60);
        let start = self.period.start();
        match (self.status, self.canceled.map(|canceled| canceled.by)) {
            (ReservationStatus::NoShow, _) => {
                let waited = start.plus(minutes(self.noshow.unwrap_or_default())).min(self.period.end());
                (now >= waited).then_some(BookingEnd::Expires)
            }
            (ReservationStatus::Canceled, Some(Canceler::Provider)) => {
                let late = |asked: Timestamp| asked > start.minus(minutes(self.cancel_until));
                self.cancel_asked.is_some_and(late).then_some(BookingEnd::Cancellation)
            }
            (ReservationStatus::Canceled, Some(_) | None)
            | (
                ReservationStatus::Pending
                | ReservationStatus::Reserved
                | ReservationStatus::Rejected
                | ReservationStatus::Failed
                | ReservationStatus::Fulfilled
                | ReservationStatus::Unknown,
                _,
            ) => None,
        }
    }

    /// What is kept of it in the words of the road, for its operator to read back.
    pub(crate) fn terms(&self) -> BookingTerms {
        BookingTerms {
            supported_access_methods: vec![AccessMethod::Token],
            change_until_minutes: self.change_until,
            cancel_until_minutes: self.cancel_until,
            early_start_time: (self.early > 0).then_some(self.early),
            noshow_timeout: self.noshow,
            ..BookingTerms::default()
        }
    }
}

/// What an answer to a request means. `None`: nobody said anything, and the same is asked again.
pub(crate) fn answered(answer: &Result<Answer, RoadFault>) -> Option<Result<&Booking, &'static str>> {
    match answer {
        Ok(Answer::Booking(BookingAnswer::Booking(booking))) => Some(Ok(booking)),
        Err(RoadFault::Denied(denial)) => match denial {
            Denial::UnknownLocation | Denial::UnknownObject => Some(Err("this cannot be booked any more")),
            Denial::NotSupported => Some(Err("the operator takes no bookings")),
            Denial::Malformed { .. } | Denial::Incomplete(_) | Denial::NotYours | Denial::UnknownToken => {
                Some(Err("the operator does not take the booking"))
            }
            Denial::UnknownReceiver => Some(Err("the operator is not known any more")),
            Denial::ReceiverSilent | Denial::ReceiverUnreachable | Denial::Internal | Denial::Overloaded => None,
        },
        Ok(_) | Err(RoadFault::Unreachable | RoadFault::TimedOut | RoadFault::Unreadable(_) | RoadFault::NoRoad) => {
            None
        }
    }
}

fn words(status: ReservationStatus, canceled: Option<Cancellation>) -> &'static str {
    match (status, canceled.map(|canceled| canceled.reason)) {
        (ReservationStatus::Pending | ReservationStatus::Unknown, _) => "the operator has not decided yet",
        (ReservationStatus::Reserved, _) => "the charging point is yours at that time",
        (ReservationStatus::Rejected, _) => "the time is not free any more",
        (ReservationStatus::Failed, _) => "the operator could not book it",
        (ReservationStatus::NoShow, _) => "nobody came in time, and the charging point is free again",
        (ReservationStatus::Fulfilled, _) => "you have begun to charge",
        (ReservationStatus::Canceled, Some(CanceledReason::PowerOutage)) => "cancelled: there is no power there",
        (ReservationStatus::Canceled, Some(CanceledReason::BrokenCharger)) => {
            "cancelled by the operator: the charging point is out of order"
        }
        (ReservationStatus::Canceled, Some(CanceledReason::Full)) => {
            "cancelled by the operator: somebody is still charging there"
        }
        (ReservationStatus::Canceled, Some(CanceledReason::Blocked)) => {
            "cancelled: the charging point cannot be reached"
        }
        (
            ReservationStatus::Canceled,
            Some(
                CanceledReason::Traffic
                | CanceledReason::BrokenVehicle
                | CanceledReason::NoCanceled
                | CanceledReason::Unknown,
            )
            | None,
        ) => "cancelled",
    }
}

/// Where an operator did not answer, it is asked again after this long.
pub(crate) const ASK_AGAIN: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn silence_is_no_answer_and_a_refusal_has_its_words() {
        for fault in [RoadFault::TimedOut, RoadFault::Unreachable, RoadFault::Denied(Denial::ReceiverSilent)] {
            assert_eq!(answered(&Err(fault)), None);
        }
        assert_eq!(answered(&Ok(Answer::Noted)), None);
        let refused = Err(RoadFault::Denied(Denial::NotSupported));
        assert_eq!(answered(&refused), Some(Err("the operator takes no bookings")));
    }
}
