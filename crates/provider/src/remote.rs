//! Orders of a driver to a station: start and stop, and what became of them.
//!
//! A state says what happened, never what was promised: an acknowledged order is not a running session, and silence
//! is told as a timeout. The invariant: a session that begins after all ends every doubt, however late.

use std::time::Duration;

use charge::Timestamp;
use charge::id::{EvseUid, LocationId, OrderId, PartyId};
use charge::place::EvseStatus;
use charge::talk::road::{Answer, Denial, OrderAck, OrderResult, RoadFault};

use crate::{DriverId, Refusal, SessionNo, TariffNo};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderKind {
    Start,
    Stop,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// On its way; nobody has answered.
    Sent,
    /// The operator or the station said yes; nothing has happened yet.
    Acknowledged,
    /// The session began, or ended.
    Happened,
    Refused,
    /// Nobody said anything in time. It may still happen.
    TimedOut,
}

/// What can happen to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderEvent {
    /// The operator passes it on, or the station agreed.
    Agreed,
    Refused,
    /// Its time is over.
    Deadline,
    /// The session began (start) or ended (stop).
    Happened,
}

/// An order as pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub id: OrderId,
    pub driver: DriverId,
    pub kind: OrderKind,
    pub state: OrderState,
    pub operator: PartyId,
    pub location: LocationId,
    pub evse: EvseUid,
    pub session: Option<SessionNo>,
    /// In plain words; empty while there is nothing to say.
    pub message: String,
    pub given: Timestamp,
    /// Until then something should have happened.
    pub deadline: Timestamp,
}

impl OrderKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        [Self::Start, Self::Stop].into_iter().find(|kind| kind.as_str() == text)
    }
}

impl OrderState {
    pub const ALL: [Self; 5] = [Self::Sent, Self::Acknowledged, Self::Happened, Self::Refused, Self::TimedOut];

    /// For rows and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Acknowledged => "acknowledged",
            Self::Happened => "happened",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// The next state; the same one where nothing changes.
    pub const fn on(self, event: OrderEvent) -> Self {
        use OrderEvent as E;
        use OrderState as S;
        match (self, event) {
            (S::Sent | S::Acknowledged | S::Refused | S::TimedOut | S::Happened, E::Happened)
            | (S::Happened, E::Agreed | E::Refused | E::Deadline) => S::Happened,
            (S::Sent | S::Acknowledged, E::Agreed) => S::Acknowledged,
            (S::Sent | S::Acknowledged | S::TimedOut, E::Refused)
            | (S::Refused, E::Agreed | E::Refused | E::Deadline) => S::Refused,
            // a yes that comes too late is no session yet
            (S::TimedOut, E::Agreed | E::Deadline) | (S::Sent | S::Acknowledged, E::Deadline) => S::TimedOut,
        }
    }
}

/// What an answer to an order means: the event, plain words, and until when something should happen.
pub(crate) struct Heard {
    pub(crate) event: OrderEvent,
    pub(crate) words: &'static str,
    /// From now on; `None` leaves the deadline as it is.
    pub(crate) within: Option<Duration>,
}

/// The word in an answer to an order; `None` where it is an answer to something else.
pub(crate) fn word(answer: &Result<Answer, RoadFault>) -> Option<Result<OrderAck, &RoadFault>> {
    match answer {
        Ok(Answer::Order { ack, message: _ }) => Some(Ok(*ack)),
        Ok(
            Answer::May(_)
            | Answer::Kept(_)
            | Answer::Noted
            | Answer::Locations(_)
            | Answer::Tariffs(_)
            | Answer::Found(_)
            | Answer::Booking(_),
        ) => None,
        Err(fault) => Some(Err(fault)),
    }
}

/// The immediate answer. `None`: no answer is no answer, the deadline decides.
pub(crate) fn acknowledged(answer: Result<OrderAck, &RoadFault>) -> Option<Heard> {
    let refused = |words| Some(Heard { event: OrderEvent::Refused, words, within: None });
    match answer {
        Ok(OrderAck::Accepted { outcome_within_s }) => {
            let within = Duration::from_secs(u64::from(outcome_within_s)).min(OUTCOME_WITHIN_MAX) + HAPPENS_WITHIN;
            Some(Heard { event: OrderEvent::Agreed, words: "passed on to the station", within: Some(within) })
        }
        Ok(OrderAck::Rejected) => refused("the operator refused"),
        Ok(OrderAck::NotSupported) => refused("the operator does not offer this"),
        Ok(OrderAck::TooOften) => refused("the operator was asked too often: wait a minute"),
        Ok(OrderAck::UnknownSession) => refused("the operator does not know the session"),
        // it may have been acted on
        Err(RoadFault::TimedOut | RoadFault::Unreadable(_)) => None,
        Err(RoadFault::Unreachable | RoadFault::NoRoad) => refused("the network cannot be reached"),
        Err(RoadFault::Denied(denial)) => match denial {
            Denial::ReceiverSilent => None,
            Denial::UnknownReceiver | Denial::ReceiverUnreachable => refused("the operator cannot be reached"),
            Denial::Overloaded => refused("the operator is overloaded"),
            Denial::UnknownLocation | Denial::UnknownObject => refused("the operator does not know the charging point"),
            Denial::Malformed { .. }
            | Denial::Incomplete(_)
            | Denial::UnknownToken
            | Denial::NotYours
            | Denial::Internal => refused("the operator refused"),
            Denial::NotSupported => refused("the operator does not offer this"),
        },
    }
}

/// The outcome that the operator tells later.
pub(crate) fn outcome(result: OrderResult) -> Heard {
    let refused = |words| Heard { event: OrderEvent::Refused, words, within: None };
    match result {
        OrderResult::Accepted => {
            Heard { event: OrderEvent::Agreed, words: "the station agreed", within: Some(HAPPENS_WITHIN) }
        }
        OrderResult::Failed => refused("the station failed"),
        OrderResult::NotSupported => refused("the station cannot do this"),
        OrderResult::Rejected => refused("the station refused"),
        OrderResult::TimedOut => {
            Heard { event: OrderEvent::Deadline, words: "the station did not answer in time", within: None }
        }
        OrderResult::EvseOccupied => refused("the charging point is occupied"),
        OrderResult::EvseInoperative => refused("the charging point is out of order"),
        OrderResult::UnknownReservation => refused("the reservation is not known"),
    }
}

/// Whether a start may be sent: the charging point is usable, and the price that the driver saw is the one that holds.
pub(crate) const fn price_accepted(
    status: EvseStatus,
    holds: Option<TariffNo>,
    seen: Option<TariffNo>,
) -> Result<TariffNo, Refusal> {
    match status {
        EvseStatus::Inoperative | EvseStatus::OutOfOrder | EvseStatus::Planned | EvseStatus::Removed => {
            return Err(Refusal::NotAvailable);
        }
        // occupied or unknown may mean that the driver's own car is plugged: the station decides
        EvseStatus::Available
        | EvseStatus::Blocked
        | EvseStatus::Charging
        | EvseStatus::Reserved
        | EvseStatus::Unknown => {}
    }
    match (holds, seen) {
        (Some(holds), Some(seen)) if holds.0 == seen.0 => Ok(holds),
        (Some(_), Some(_) | None) => Err(Refusal::PriceChanged),
        (None, _) => Err(Refusal::NoPrice),
    }
}

/// What a timeout is told as.
pub(crate) const TIMED_OUT: &str = "nothing was heard in time; it may still happen";
/// The first answer takes a few seconds on the road.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(40);
/// From the station's yes to the session: stations wait a minute or two for the plug.
const HAPPENS_WITHIN: Duration = Duration::from_secs(150);
/// Operators name longer times than anybody stands before a station.
pub(crate) const OUTCOME_WITHIN_MAX: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_of_orders() {
        use OrderEvent as E;
        let events = [E::Agreed, E::Refused, E::Deadline, E::Happened];
        let row = |state: OrderState| {
            let cells: Vec<_> = events.iter().map(|event| format!("{:13}", state.on(*event).as_str())).collect();
            format!("{:13}| {}", state.as_str(), cells.join("")).trim_end().to_owned()
        };
        let table: Vec<String> = OrderState::ALL.into_iter().map(row).collect();
        let expected = [
            //              agreed       refused      deadline     happened
            "sent         | acknowledged refused      timed_out    happened",
            "acknowledged | acknowledged refused      timed_out    happened",
            "happened     | happened     happened     happened     happened",
            "refused      | refused      refused      refused      happened",
            "timed_out    | timed_out    refused      timed_out    happened",
        ];
        assert_eq!(table, expected);
    }

    #[test]
    fn only_the_price_that_was_shown_starts_a_session() {
        use EvseStatus::{Available, Charging, OutOfOrder, Removed, Unknown};
        let (one, two) = (Some(TariffNo(1)), Some(TariffNo(2)));
        let table = [
            (Available, one, one, Ok(TariffNo(1))),
            (Charging, one, one, Ok(TariffNo(1))),
            (Unknown, one, one, Ok(TariffNo(1))),
            (Available, two, one, Err(Refusal::PriceChanged)),
            (Available, one, None, Err(Refusal::PriceChanged)),
            (Available, None, one, Err(Refusal::NoPrice)),
            (OutOfOrder, one, one, Err(Refusal::NotAvailable)),
            (Removed, one, one, Err(Refusal::NotAvailable)),
        ];
        for (status, holds, seen, expected) in table {
            assert_eq!(price_accepted(status, holds, seen), expected, "{status} {holds:?} {seen:?}");
        }
    }

    #[test]
    fn silence_is_not_a_refusal() {
        assert!(acknowledged(Err(&RoadFault::TimedOut)).is_none());
        assert!(acknowledged(Err(&RoadFault::Denied(Denial::ReceiverSilent))).is_none());
        let unreachable = acknowledged(Err(&RoadFault::Unreachable));
        assert!(unreachable.is_some_and(|heard| heard.event == OrderEvent::Refused));
    }
}
