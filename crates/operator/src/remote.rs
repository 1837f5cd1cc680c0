//! Start, stop, unlock and reservations from afar: what an order from the road leads to, and what its giver is told.
//!
//! The station never hears a contract id: it gets an alias of 20 random characters that is good at one EVSE for two
//! minutes (handbook privacy 4). The giver of an order hears what the station answered, in the words of OCPI 2.2.1,
//! 13.4.1; silence is told as a timeout, and so is a start that never becomes a transaction.

use std::time::Duration;

use charge::id::{EvseNo, EvseUid, PartyId, StationId};
use charge::talk::line::{BayState, LineFault, StationAnswer};
use charge::talk::road::{Denial, OrderResult, StartOrder};
use charge::token::TokenKind;

/// An EVSE that a start could mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bay {
    pub evse: EvseUid,
    pub station: StationId,
    pub no: EvseNo,
    pub state: Option<BayState>,
    /// A session runs there.
    pub busy: bool,
    pub connected: bool,
}

/// What an order for a start leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Ask this bay's station.
    Tell(Bay),
    /// Taken, and already known not to work: the outcome is told without asking a station.
    Hopeless(OrderResult, &'static str),
    /// Not taken.
    Deny(Denial),
}

/// Decides about a start. `bays` are those that the order's location and EVSE name.
pub fn decide(from: PartyId, order: &StartOrder, bays: Vec<Bay>) -> Decision {
    if order.token.party != from {
        return Decision::Deny(Denial::NotYours);
    }
    if bays.is_empty() {
        return Decision::Deny(Denial::UnknownLocation);
    }
    match pick(bays) {
        Ok(bay) => Decision::Tell(bay),
        Err((result, why)) => Decision::Hopeless(result, why),
    }
}

/// The first bay that may be free, or why there is none.
pub fn pick(bays: Vec<Bay>) -> Result<Bay, (OrderResult, &'static str)> {
    let mut hopeless = (OrderResult::Failed, "no EVSE could be asked");
    for bay in bays {
        match obstacle(&bay) {
            None => return Ok(bay),
            Some(found) => hopeless = found,
        }
    }
    Err(hopeless)
}

fn obstacle(bay: &Bay) -> Option<(OrderResult, &'static str)> {
    if !bay.connected {
        return Some((OrderResult::Failed, "the station is not connected"));
    }
    if bay.busy {
        return Some((OrderResult::EvseOccupied, "a session is running there"));
    }
    match bay.state? {
        BayState::Charging | BayState::SuspendedByCar | BayState::SuspendedByStation => {
            Some((OrderResult::EvseOccupied, "the EVSE is charging"))
        }
        BayState::Unavailable => Some((OrderResult::EvseInoperative, "the EVSE is switched off")),
        BayState::Faulted => Some((OrderResult::EvseInoperative, "the EVSE reports a fault")),
        // plugged, reserved or not unplugged yet: the station knows better than we do
        BayState::Available | BayState::Preparing | BayState::Finishing | BayState::Reserved | BayState::Occupied => {
            None
        }
    }
}

/// What the giver of an order hears about the station's answer.
pub fn outcome(answer: &Result<StationAnswer, LineFault>) -> (OrderResult, Option<String>) {
    match answer {
        Ok(StationAnswer::Accepted | StationAnswer::Scheduled | StationAnswer::Started(_)) => {
            (OrderResult::Accepted, None)
        }
        Ok(StationAnswer::Refused(word)) => (OrderResult::Rejected, Some(format!("the station answered {word}"))),
        Ok(
            StationAnswer::Settings { .. }
            | StationAnswer::Written(_)
            | StationAnswer::Number(_)
            | StationAnswer::File(_)
            | StationAnswer::Composite(_)
            | StationAnswer::Certificates(_)
            | StationAnswer::Monitors(_)
            | StationAnswer::Items(_)
            | StationAnswer::Streams(_)
            | StationAnswer::Tariffs(_)
            | StationAnswer::Pending { .. }
            | StationAnswer::Vendor(_)
            | StationAnswer::Foreign(_),
        ) => (OrderResult::Failed, Some("the station answered something else".to_owned())),
        Err(fault @ (LineFault::TimedOut | LineFault::Lost)) => (OrderResult::TimedOut, Some(fault.to_string())),
        Err(fault @ LineFault::NotInVersion) => (OrderResult::NotSupported, Some(fault.to_string())),
        Err(fault @ (LineFault::NotConnected | LineFault::Error { .. } | LineFault::Unreadable(_))) => {
            (OrderResult::Failed, Some(fault.to_string()))
        }
        Err(fault @ LineFault::Overloaded) => (OrderResult::Failed, Some(fault.to_string())),
    }
}

/// What the giver of a reservation hears: stations say why they refuse one (OCPP 1.6 7.39; 2.x 3.67).
pub fn reserved(answer: &Result<StationAnswer, LineFault>) -> (OrderResult, Option<String>) {
    let (result, message) = outcome(answer);
    let result = match answer {
        Ok(StationAnswer::Refused(word)) if &**word == "Occupied" => OrderResult::EvseOccupied,
        Ok(StationAnswer::Refused(word)) if matches!(&**word, "Faulted" | "Unavailable") => {
            OrderResult::EvseInoperative
        }
        Ok(_) | Err(_) => result,
    };
    (result, message)
}

/// And of its cancellation: a station refuses what it knows nothing of.
pub fn given_up(answer: &Result<StationAnswer, LineFault>) -> (OrderResult, Option<String>) {
    match outcome(answer) {
        (OrderResult::Rejected, why) => (OrderResult::UnknownReservation, why),
        other => other,
    }
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Kept, not yet told to the station.
    Asked,
    /// On its way to the station.
    Telling,
    /// The station accepted a start; its transaction is awaited.
    Awaiting,
    /// The transaction began.
    Started,
    /// The station accepted and no transaction began in time.
    Lapsed,
    /// Answered, nothing more to come.
    Done,
}

/// What happens to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// A worker takes it to the station.
    Tell,
    /// The station accepted a start.
    Accept,
    /// The station's last word on it.
    Answer,
    /// A transaction began with its alias.
    Begin,
    /// Its time is over.
    Expire,
}

/// What an event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    To(State),
    Stay,
    Refuse,
}

impl State {
    pub const ALL: [Self; 6] = [Self::Asked, Self::Telling, Self::Awaiting, Self::Started, Self::Lapsed, Self::Done];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Telling => "telling",
            Self::Awaiting => "awaiting",
            Self::Started => "started",
            Self::Lapsed => "lapsed",
            Self::Done => "done",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// The whole table.
    pub const fn on(self, event: Event) -> Move {
        use Event as E;
        use Move::{Refuse, Stay, To};
        use State as S;
        match (self, event) {
            (S::Asked, E::Tell) => To(S::Telling),
            // told before a crash, answer lost: a second start could charge twice, so it is told as a timeout
            (S::Telling, E::Tell) => To(S::Done),
            (S::Telling, E::Accept) => To(S::Awaiting),
            (S::Telling | S::Asked, E::Answer | E::Expire) => To(S::Done),
            // the transaction may overtake the answer to the order
            (S::Telling | S::Awaiting, E::Begin) => To(S::Started),
            // reported late, begun in time
            (S::Lapsed, E::Begin) => To(S::Started),
            (S::Awaiting, E::Expire) => To(S::Lapsed),
            (S::Started, E::Accept | E::Answer | E::Begin | E::Expire) => Stay,
            (S::Done, E::Answer | E::Expire) => Stay,
            (S::Lapsed, E::Expire) => Stay,
            (S::Awaiting, E::Accept) => Stay,
            (S::Asked, E::Accept | E::Begin) => Refuse,
            (S::Awaiting, E::Tell | E::Answer) => Refuse,
            (S::Started | S::Lapsed | S::Done, E::Tell) => Refuse,
            (S::Lapsed, E::Accept | E::Answer) => Refuse,
            (S::Done, E::Accept | E::Begin) => Refuse,
        }
    }
}

impl Event {
    pub const ALL: [Self; 5] = [Self::Tell, Self::Accept, Self::Answer, Self::Begin, Self::Expire];
}

/// Characters of an alias: 103 bit, and as many as OCPP 1.6 takes (`CiString20`).
pub const ALIAS_LEN: usize = 20;
/// The kind under which an alias goes to the station.
pub const ALIAS_KIND: TokenKind = TokenKind::Other;
/// From the station's yes to the plug in the car; after that the alias opens nothing.
pub const ALIAS_HOLDS: Duration = Duration::from_secs(120);
/// What the giver of an order is promised: an outcome within this time.
pub const OUTCOME_WITHIN_S: u32 = 60;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn the_whole_table() {
        let mut table = String::from("          Tell      Accept    Answer    Begin     Expire\n");
        for state in State::ALL {
            table.push_str(&format!("{:<10}", state.as_str()));
            let row = Event::ALL.map(|event| match state.on(event) {
                Move::To(next) => next.as_str(),
                Move::Stay => ".",
                Move::Refuse => "x",
            });
            let row: Vec<_> = row.iter().map(|cell| format!("{cell:<10}")).collect();
            table.push_str(row.concat().trim_end());
            table.push('\n');
        }
        let golden = "          \
Tell      Accept    Answer    Begin     Expire
asked     telling   x         done      x         done
telling   done      awaiting  done      started   done
awaiting  x         .         x         started   lapsed
started   x         .         .         .         .
lapsed    x         x         x         started   .
done      x         x         .         x         .
";
        assert_eq!(table, golden);
    }

    #[test]
    fn the_giver_hears_what_the_station_answered() {
        let error = LineFault::Error { code: "InternalError".into(), description: "".into() };
        let table = [
            (Ok(StationAnswer::Accepted), OrderResult::Accepted),
            (Ok(StationAnswer::Scheduled), OrderResult::Accepted),
            (Ok(StationAnswer::Refused("Rejected".into())), OrderResult::Rejected),
            (Ok(StationAnswer::Written(Vec::new())), OrderResult::Failed),
            (Err(LineFault::TimedOut), OrderResult::TimedOut),
            (Err(LineFault::Lost), OrderResult::TimedOut),
            (Err(LineFault::NotConnected), OrderResult::Failed),
            (Err(LineFault::NotInVersion), OrderResult::NotSupported),
            (Err(LineFault::Overloaded), OrderResult::Failed),
            (Err(LineFault::Unreadable("x".into())), OrderResult::Failed),
            (Err(error), OrderResult::Failed),
        ];
        for (answer, result) in table {
            assert_eq!(outcome(&answer).0, result, "{answer:?}");
        }
    }

    #[test]
    fn a_bay_is_asked_only_where_it_can_work() {
        let bay = |connected, busy, state| Bay {
            evse: EvseUid::new("E1").unwrap(),
            station: StationId::new("CP-1").unwrap(),
            no: EvseNo::new(1).unwrap(),
            state,
            busy,
            connected,
        };
        let table = [
            (bay(true, false, None), None),
            (bay(true, false, Some(BayState::Available)), None),
            (bay(true, false, Some(BayState::Preparing)), None),
            (bay(true, false, Some(BayState::Finishing)), None),
            (bay(true, true, Some(BayState::Available)), Some(OrderResult::EvseOccupied)),
            (bay(true, false, Some(BayState::Charging)), Some(OrderResult::EvseOccupied)),
            (bay(true, false, Some(BayState::Faulted)), Some(OrderResult::EvseInoperative)),
            (bay(true, false, Some(BayState::Unavailable)), Some(OrderResult::EvseInoperative)),
            (bay(false, false, Some(BayState::Available)), Some(OrderResult::Failed)),
        ];
        for (bay, wanted) in table {
            assert_eq!(obstacle(&bay).map(|(result, _)| result), wanted, "{bay:?}");
        }
    }
}
