//! A session as the operator sees it: one total table of states and events.
//!
//! A session begins with the station's transaction, needs a provider's permission to be billed, ends once, and is
//! closed into at most one CDR. Nothing reopens it. Readings and amounts are elsewhere; this is only where it stands.

use charge::record::SessionStatus;

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The station began; nobody has permitted it yet.
    Waiting,
    /// Permitted and running.
    Active,
    /// Running although the permission was refused: the station is told to stop it.
    Refused,
    /// Ended before anybody answered whether it was permitted.
    Unclaimed,
    /// Ended, permitted, waiting for its CDR.
    Ended,
    /// Its CDR is made.
    Closed,
    /// Over, and nothing is billed.
    Void,
}

/// What happens to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// A provider said yes.
    Permit,
    /// A provider said no.
    Deny,
    /// Readings or a change of charging state.
    Progress,
    /// The station ended the transaction.
    End,
    /// The CDR is made.
    Close,
    /// It can never be billed.
    GiveUp,
}

/// What an event does to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    To(State),
    /// A repeat, or nothing to change.
    Stay,
    /// Must not happen; the event is dropped and logged.
    Refuse,
}

impl State {
    pub const ALL: [Self; 7] =
        [Self::Waiting, Self::Active, Self::Refused, Self::Unclaimed, Self::Ended, Self::Closed, Self::Void];

    /// For rows and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Active => "active",
            Self::Refused => "refused",
            Self::Unclaimed => "unclaimed",
            Self::Ended => "ended",
            Self::Closed => "closed",
            Self::Void => "void",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// The transaction runs at the station.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Waiting | Self::Active | Self::Refused => true,
            Self::Unclaimed | Self::Ended | Self::Closed | Self::Void => false,
        }
    }

    /// As partners see it (OCPI 2.2.1, 9.4.2).
    pub const fn status(self) -> SessionStatus {
        match self {
            Self::Waiting | Self::Unclaimed => SessionStatus::Pending,
            Self::Active => SessionStatus::Active,
            Self::Ended | Self::Closed => SessionStatus::Completed,
            Self::Refused | Self::Void => SessionStatus::Invalid,
        }
    }

    /// The whole table.
    pub const fn on(self, event: Event) -> Move {
        use Event as E;
        use Move::{Refuse, Stay, To};
        use State as S;
        match (self, event) {
            (S::Waiting | S::Refused, E::Permit) => To(S::Active),
            (S::Unclaimed, E::Permit) => To(S::Ended),
            (S::Waiting, E::Deny) => To(S::Refused),
            (S::Unclaimed, E::Deny | E::GiveUp) => To(S::Void),
            (S::Waiting, E::End) => To(S::Unclaimed),
            (S::Active, E::End) => To(S::Ended),
            (S::Refused, E::End) => To(S::Void),
            (S::Ended, E::Close) => To(S::Closed),
            (S::Ended, E::GiveUp) => To(S::Void),
            (S::Active | S::Ended | S::Closed, E::Permit) => Stay,
            (S::Refused | S::Void, E::Deny) => Stay,
            (S::Waiting | S::Active | S::Refused, E::Progress) => Stay,
            // late readings are kept beside the session and change nothing
            (S::Unclaimed | S::Ended | S::Closed | S::Void, E::Progress | E::End) => Stay,
            (S::Closed, E::Close) => Stay,
            (S::Void, E::GiveUp) => Stay,
            (S::Active | S::Ended | S::Closed, E::Deny) => Refuse,
            (S::Void, E::Permit | E::Close) => Refuse,
            (S::Waiting | S::Active | S::Refused | S::Unclaimed, E::Close) => Refuse,
            (S::Waiting | S::Active | S::Refused | S::Closed, E::GiveUp) => Refuse,
        }
    }
}

impl Event {
    pub const ALL: [Self; 6] = [Self::Permit, Self::Deny, Self::Progress, Self::End, Self::Close, Self::GiveUp];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The golden table: a change of the rules shows up here, row by row.
    #[test]
    fn the_whole_table() {
        let mut table = String::from("            Permit    Deny      Progress  End       Close     GiveUp\n");
        for state in State::ALL {
            table.push_str(&format!("{:<12}", state.as_str()));
            let row = Event::ALL.map(|event| match state.on(event) {
                Move::To(next) => next.as_str(),
                Move::Stay => ".",
                Move::Refuse => "x",
            });
            let row: Vec<_> = row.iter().map(|cell| format!("{cell:<10}")).collect();
            table.push_str(row.concat().trim_end());
            table.push('\n');
        }
        let golden = "            \
Permit    Deny      Progress  End       Close     GiveUp
waiting     active    refused   .         unclaimed x         x
active      .         x         .         ended     x         x
refused     active    .         .         void      x         x
unclaimed   ended     void      .         .         x         void
ended       .         x         .         .         closed    void
closed      .         x         .         .         .         x
void        x         .         .         .         x         .
";
        assert_eq!(table, golden);
    }

    #[test]
    fn names_read_back() {
        for state in State::ALL {
            assert_eq!(State::named(state.as_str()), Some(state));
        }
    }
}
