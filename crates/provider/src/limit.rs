//! A driver's wish that a running session draw no more than so much, and what its station plans.
//!
//! A limit goes to the operator as a charging profile of the session (OCPI 2.2.1, module 14) and is a ceiling, no promise
//! of speed. The invariant: what is shown as holding was said by the station; whoever promised to pass it on is not the
//! station, and silence is told as silence.

use std::time::Duration;

use charge::Timestamp;
use charge::id::OrderId;
use charge::talk::road::{Answer, OrderAck, PowerProfile, ProfileResult, ProfileUnit, ProfileWish, RoadFault};
use charge::units::Power;

use crate::SessionNo;
use crate::remote::{self, Heard, OrderEvent, OrderState};

/// What a driver wants of the power of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitWish {
    /// Not more than this.
    Most(Power),
    /// The limit that was set goes.
    Free,
    /// What does the station plan?
    Look,
}

/// Such a wish, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    pub id: OrderId,
    pub session: SessionNo,
    pub wish: LimitWish,
    /// `Happened`: the station said yes.
    pub state: OrderState,
    /// In plain words; empty while there is nothing to say.
    pub message: String,
    pub given: Timestamp,
    /// Until then the station should have said something.
    pub deadline: Timestamp,
}

/// In the words of the road.
pub(crate) fn wish(wish: LimitWish) -> ProfileWish {
    match wish {
        LimitWish::Most(power) => ProfileWish::Set(PowerProfile {
            start: None,
            duration_s: None,
            unit: ProfileUnit::Watts,
            min_rate: None,
            periods: vec![(0, power.watts().into())],
        }),
        LimitWish::Free => ProfileWish::Clear,
        LimitWish::Look => ProfileWish::Show { duration_s: LOOKED_S },
    }
}

/// The operator's first word. `None`: no answer is no answer, the deadline decides.
pub(crate) fn acknowledged(answer: &Result<Answer, RoadFault>) -> Option<Heard> {
    let ack = remote::word(answer)?;
    let heard = remote::acknowledged(ack)?;
    let within = match ack {
        Ok(OrderAck::Accepted { outcome_within_s: 0 }) => Some(WITHIN_UNSAID),
        Ok(OrderAck::Accepted { outcome_within_s }) => {
            Some(Duration::from_secs(outcome_within_s.into()).min(remote::OUTCOME_WITHIN_MAX))
        }
        Ok(OrderAck::Rejected | OrderAck::NotSupported | OrderAck::UnknownSession | OrderAck::TooOften) | Err(_) => {
            None
        }
    };
    Some(Heard { within, ..heard })
}

/// The station's word.
pub(crate) fn said(wish: LimitWish, result: ProfileResult) -> Heard {
    let happened = |words| Heard { event: OrderEvent::Happened, words, within: None };
    let refused = |words| Heard { event: OrderEvent::Refused, words, within: None };
    match (wish, result) {
        (LimitWish::Most(_), ProfileResult::Accepted) => happened("the station keeps to the limit"),
        (LimitWish::Free, ProfileResult::Accepted) => happened("the station has dropped the limit"),
        (LimitWish::Free, ProfileResult::Unknown) => happened("the station has no limit of yours"),
        (LimitWish::Look, ProfileResult::Accepted) => happened("the station has said what it plans"),
        (LimitWish::Most(_) | LimitWish::Free | LimitWish::Look, ProfileResult::Rejected) => {
            refused("the station refused")
        }
        (LimitWish::Most(_) | LimitWish::Look, ProfileResult::Unknown) => refused("the station knows of no such plan"),
    }
}

/// A driver looks at the next hour.
const LOOKED_S: u32 = 3_600;
/// Where an operator does not say how long its station may take.
const WITHIN_UNSAID: Duration = Duration::from_secs(60);
/// No car at a public charging point draws more.
pub const MOST_MAX: Power = Power::from_watts(4_000_000);
