//! What the rest of the network is told, when, and how often it is tried.
//!
//! Locations, tariffs, EVSE states and running sessions are told by their newest state: what changed twice before it
//! could be told is told once. A CDR is told exactly as it was closed, at least once, under an id that makes a repeat
//! harmless. Nothing here names a person: the records it passes on carry the provider's own one-time ids.

use std::time::Duration;

use charge::place::EvseStatus;
use charge::talk::line::BayState;
use charge::talk::road::{Answer, Denial, RoadFault};
use charge::{Dice, Timestamp};

/// An EVSE's public status from what its station last said of it.
pub const fn public_status(state: Option<BayState>, running: bool) -> EvseStatus {
    match state {
        None => EvseStatus::Unknown,
        Some(BayState::Faulted) => EvseStatus::OutOfOrder,
        Some(BayState::Unavailable) => EvseStatus::Inoperative,
        Some(BayState::Reserved) => EvseStatus::Reserved,
        Some(BayState::Charging | BayState::SuspendedByCar | BayState::SuspendedByStation) => EvseStatus::Charging,
        Some(BayState::Available | BayState::Preparing | BayState::Finishing | BayState::Occupied) if running => {
            EvseStatus::Charging
        }
        Some(BayState::Available) => EvseStatus::Available,
        // a car stands there and does not charge
        Some(BayState::Preparing | BayState::Finishing | BayState::Occupied) => EvseStatus::Blocked,
    }
}

/// What became of something that was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Delivered,
    /// Not now: try again later.
    Again(String),
    /// Not ever in this form: a person has to look.
    Never(String),
}

/// Reads the fate from the answer. Whatever may be our neighbour's bad day is tried again.
pub fn fate(answer: &Result<Answer, RoadFault>) -> Fate {
    match answer {
        Ok(_) => Fate::Delivered,
        Err(RoadFault::Denied(denial)) => match denial {
            Denial::Malformed { path, why } => Fate::Never(format!("refused as malformed at {path}: {why}")),
            Denial::Incomplete(what) => Fate::Never(format!("refused as incomplete: {what}")),
            Denial::UnknownLocation => Fate::Never("refused: unknown location".to_owned()),
            Denial::UnknownToken => Fate::Never("refused: unknown token".to_owned()),
            Denial::UnknownObject => Fate::Never("refused: no such object".to_owned()),
            Denial::NotYours => Fate::Never("refused: the object is said not to be ours".to_owned()),
            Denial::NotSupported => Fate::Never("refused: not supported".to_owned()),
            Denial::UnknownReceiver => Fate::Again("the hub does not know the receiver".to_owned()),
            Denial::ReceiverSilent => Fate::Again("the receiver did not answer the hub".to_owned()),
            Denial::ReceiverUnreachable => Fate::Again("the hub cannot reach the receiver".to_owned()),
            Denial::Internal => Fate::Again("the receiver had a fault of its own".to_owned()),
            Denial::Overloaded => Fate::Again("the receiver is overloaded".to_owned()),
        },
        Err(fault @ (RoadFault::Unreachable | RoadFault::TimedOut | RoadFault::NoRoad)) => {
            Fate::Again(fault.to_string())
        }
        Err(RoadFault::Unreadable(at)) => Fate::Again(format!("the answer cannot be read: {at}")),
    }
}

/// The pause before the next try: doubling from five seconds to an hour, up to a quarter shorter by chance, so that
/// what failed together is not tried again together.
pub fn pause(tries: i64, dice: &dyn Dice) -> Duration {
    let doublings = u32::try_from(tries.clamp(1, 11)).unwrap_or(1) - 1;
    let longest = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
    let quarter = u64::try_from(longest.as_millis() / 4).unwrap_or(u64::MAX);
    longest - Duration::from_millis(dice.below(quarter + 1))
}

/// Is a running session worth telling again? Its begin, its end and its permission always are.
pub fn worth_telling(told: Option<Timestamp>, now: Timestamp, every: Duration) -> bool {
    told.is_none_or(|told| now.since(told) >= every)
}

const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// A partner that was down for a day gets everything within an hour of its return.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use charge::clock::SeededDice;

    use super::*;

    #[test]
    fn every_state_has_a_public_status() {
        use EvseStatus as P;
        let wanted = |state| match state {
            BayState::Available => (P::Available, P::Charging),
            BayState::Preparing | BayState::Finishing | BayState::Occupied => (P::Blocked, P::Charging),
            BayState::Charging | BayState::SuspendedByCar | BayState::SuspendedByStation => (P::Charging, P::Charging),
            BayState::Reserved => (P::Reserved, P::Reserved),
            BayState::Unavailable => (P::Inoperative, P::Inoperative),
            BayState::Faulted => (P::OutOfOrder, P::OutOfOrder),
        };
        for state in BayState::ALL {
            let got = (public_status(Some(state), false), public_status(Some(state), true));
            assert_eq!(got, wanted(state), "{state:?}");
        }
        assert_eq!(public_status(None, false), P::Unknown);
    }

    #[test]
    fn only_a_judgement_on_the_content_is_final() {
        let malformed = Denial::Malformed { path: "/total_cost".into(), why: "missing".into() };
        let never = [malformed, Denial::NotYours, Denial::NotSupported, Denial::UnknownObject];
        for denial in never {
            assert!(matches!(fate(&Err(RoadFault::Denied(denial))), Fate::Never(_)));
        }
        for denial in [Denial::ReceiverSilent, Denial::UnknownReceiver, Denial::Overloaded, Denial::Internal] {
            assert!(matches!(fate(&Err(RoadFault::Denied(denial))), Fate::Again(_)));
        }
        assert!(matches!(fate(&Err(RoadFault::TimedOut)), Fate::Again(_)));
        assert_eq!(fate(&Ok(Answer::Noted)), Fate::Delivered);
    }

    #[test]
    fn pauses_double_up_to_an_hour_and_differ() {
        let dice = SeededDice::new(1);
        for (tries, longest) in [(0, 5), (1, 5), (2, 10), (3, 20), (10, 2_560), (11, 3_600), (99, 3_600)] {
            let longest = Duration::from_secs(longest);
            let drawn: BTreeSet<Duration> = (0..20).map(|_| pause(tries, &dice)).collect();
            assert!(drawn.iter().all(|pause| *pause <= longest && *pause >= longest * 3 / 4), "{tries}: {drawn:?}");
            assert!(drawn.len() > 1, "{tries}: {drawn:?}");
        }
    }
}
