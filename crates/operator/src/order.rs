//! What a person at the operator tells a station to do, and what really came of it.
//!
//! An outcome says what happened: a timeout is told as a timeout, because the station may still act.

use charge::Secret;
use charge::id::{EvseNo, SessionId};
use charge::talk::line::charging::Profile;
use charge::talk::line::{LineFault, ResetKind, Setting, StationAnswer, ToStation, Trigger, Written};

use crate::wording;

/// An order from page or API.
#[derive(Clone, Debug)]
pub enum StationOrder {
    /// A service session on the operator's own account.
    Start {
        evse: EvseNo,
        /// How much the car may take in it.
        profile: Option<Box<Profile>>,
    },
    Stop {
        session: SessionId,
    },
    Reset(ResetKind),
    Unlock {
        evse: EvseNo,
    },
    /// `None` is the whole station.
    Availability {
        evse: Option<EvseNo>,
        operative: bool,
    },
    Trigger {
        what: Trigger,
        evse: Option<EvseNo>,
    },
    /// Empty asks for all.
    ReadSettings {
        keys: Vec<Box<str>>,
    },
    WriteSettings {
        values: Vec<(Box<str>, Secret<Box<str>>)>,
    },
    ClearCache,
    /// Any other word of the line, checked by whoever made it. A number that a later answer carries is given here.
    Word(Box<ToStation>),
}

impl StationOrder {
    /// For the audit.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Start { .. } => "start",
            Self::Stop { .. } => "stop",
            Self::Reset(ResetKind::Soft) => "reset soft",
            Self::Reset(ResetKind::Hard) => "reset hard",
            Self::Reset(ResetKind::Resume) => "reset and resume",
            Self::Unlock { .. } => "unlock",
            Self::Availability { operative: true, .. } => "switch on",
            Self::Availability { operative: false, .. } => "switch off",
            Self::Trigger { .. } => "trigger",
            Self::ReadSettings { .. } => "read settings",
            Self::WriteSettings { .. } => "write settings",
            Self::ClearCache => "clear cache",
            Self::Word(told) => wording::name(told),
        }
    }

    /// In the words of the line; `None` for start and stop, which need a session.
    pub(crate) fn told(&self) -> Option<ToStation> {
        match self {
            Self::Start { .. } | Self::Stop { .. } => None,
            Self::Reset(kind) => Some(ToStation::Reset(*kind)),
            Self::Unlock { evse } => Some(ToStation::Unlock { evse: *evse }),
            Self::Availability { evse, operative } => {
                Some(ToStation::Availability { evse: *evse, connector: None, operative: *operative })
            }
            Self::Trigger { what, evse } => Some(ToStation::Trigger { what: *what, evse: *evse }),
            Self::ReadSettings { keys } => Some(ToStation::ReadSettings { keys: keys.clone() }),
            Self::WriteSettings { values } => Some(ToStation::WriteSettings { values: values.clone() }),
            Self::ClearCache => Some(ToStation::ClearCache),
            Self::Word(told) => Some((**told).clone()),
        }
    }
}

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Accepted,
    /// Accepted, will happen when the running transaction ends.
    Scheduled,
    Refused,
    TimedOut,
    NotConnected,
    Error,
}

impl Outcome {
    const ALL: [Self; 6] =
        [Self::Accepted, Self::Scheduled, Self::Refused, Self::TimedOut, Self::NotConnected, Self::Error];

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }

    /// The spelling of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Scheduled => "scheduled",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::NotConnected => "not_connected",
            Self::Error => "error",
        }
    }
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderOutcome {
    pub outcome: Outcome,
    /// In plain words.
    pub message: String,
    pub settings: Vec<Setting>,
    /// Keys that the station does not know.
    pub unknown: Vec<Box<str>>,
    pub written: Vec<(Box<str>, Written)>,
    /// Where the answer comes later, in parts or by progress: under this number.
    pub request: Option<i32>,
    /// What else the station said.
    pub answer: Option<StationAnswer>,
}

impl OrderOutcome {
    fn bare(outcome: Outcome, message: impl Into<String>) -> Self {
        Self {
            outcome,
            message: message.into(),
            settings: Vec::new(),
            unknown: Vec::new(),
            written: Vec::new(),
            request: None,
            answer: None,
        }
    }
}

/// The word that accepts an update and gives up the one that was under way (L01.FR.24).
pub(crate) const IN_PLACE_OF: &str = "AcceptedCanceled";

/// Reads the outcome from what the line brought back.
pub fn outcome(answer: Result<StationAnswer, LineFault>) -> OrderOutcome {
    match answer {
        Ok(StationAnswer::Accepted) => OrderOutcome::bare(Outcome::Accepted, "the station accepted"),
        Ok(StationAnswer::Scheduled) => {
            OrderOutcome::bare(Outcome::Scheduled, "accepted; it happens when the running transaction ends")
        }
        Ok(StationAnswer::Refused(word)) if &*word == IN_PLACE_OF => {
            OrderOutcome::bare(Outcome::Accepted, "accepted; what was under way before is given up")
        }
        Ok(StationAnswer::Refused(word)) => {
            OrderOutcome::bare(Outcome::Refused, format!("the station answered {word}"))
        }
        Ok(StationAnswer::Settings { known, unknown }) => {
            let message = format!("{} settings read, {} unknown", known.len(), unknown.len());
            OrderOutcome { settings: known, unknown, ..OrderOutcome::bare(Outcome::Accepted, message) }
        }
        Ok(StationAnswer::Written(written)) => {
            let taken = |became: &Written| matches!(became, Written::Accepted | Written::AfterReboot);
            let accepted = written.iter().filter(|(_, became)| taken(became)).count();
            let outcome = if accepted == written.len() { Outcome::Accepted } else { Outcome::Refused };
            let message = format!("{accepted} of {} settings taken", written.len());
            OrderOutcome { written, ..OrderOutcome::bare(outcome, message) }
        }
        Ok(
            answer @ (StationAnswer::Started(_)
            | StationAnswer::Number(_)
            | StationAnswer::File(_)
            | StationAnswer::Composite(_)
            | StationAnswer::Certificates(_)
            | StationAnswer::Monitors(_)
            | StationAnswer::Items(_)
            | StationAnswer::Streams(_)
            | StationAnswer::Tariffs(_)
            | StationAnswer::Pending { .. }
            | StationAnswer::Vendor(_)),
        ) => OrderOutcome { answer: Some(answer), ..OrderOutcome::bare(Outcome::Accepted, "the station accepted") },
        Ok(StationAnswer::Foreign(foreign)) => {
            OrderOutcome::bare(Outcome::Accepted, format!("the station answered {}", foreign.action))
        }
        Err(fault @ LineFault::NotConnected) => OrderOutcome::bare(Outcome::NotConnected, fault.to_string()),
        Err(fault @ (LineFault::TimedOut | LineFault::Lost)) => {
            OrderOutcome::bare(Outcome::TimedOut, fault.to_string())
        }
        Err(
            fault @ (LineFault::Error { .. }
            | LineFault::Unreadable(_)
            | LineFault::Overloaded
            | LineFault::NotInVersion),
        ) => OrderOutcome::bare(Outcome::Error, fault.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_says_what_happened() {
        let written = |became| StationAnswer::Written(vec![("a".into(), Written::Accepted), ("b".into(), became)]);
        let table = [
            (Ok(StationAnswer::Accepted), Outcome::Accepted),
            (Ok(StationAnswer::Scheduled), Outcome::Scheduled),
            (Ok(StationAnswer::Refused("Rejected".into())), Outcome::Refused),
            (Ok(StationAnswer::Refused("AcceptedCanceled".into())), Outcome::Accepted),
            (Ok(written(Written::AfterReboot)), Outcome::Accepted),
            (Ok(written(Written::Unknown)), Outcome::Refused),
            (Err(LineFault::TimedOut), Outcome::TimedOut),
            (Err(LineFault::Lost), Outcome::TimedOut),
            (Err(LineFault::NotConnected), Outcome::NotConnected),
            (Err(LineFault::NotInVersion), Outcome::Error),
        ];
        for (answer, wanted) in table {
            assert_eq!(outcome(answer.clone()).outcome, wanted, "{answer:?}");
        }
    }
}
