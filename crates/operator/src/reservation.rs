//! How a reservation lives: asked, held, and one of several ends (OCPP 1.6 5.1, 5.13; 2.x block H).
//!
//! The station is the one who keeps an EVSE free; this table keeps what is known of it. An end is final: what comes
//! later is noted and changes nothing, but for one: a station that ends it because we cancel may say so before it answers.

use charge::talk::line::reservation::ReservationEnd;

/// Where a reservation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Sent to the station; it has not said.
    Asked,
    Held,
    /// The station said no.
    Refused,
    /// A transaction used it up.
    Used,
    Cancelled,
    Expired,
    /// The station gave it up by itself.
    Removed,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Accept,
    Refuse,
    Use,
    /// The station has cancelled it because we asked.
    Cancel,
    /// We asked it to cancel, and the station knows of none.
    NotThere,
    /// Its time is over.
    Lapse,
    /// The station reports its end (2.x).
    Told(ReservationEnd),
}

impl State {
    pub const ALL: [Self; 7] =
        [Self::Asked, Self::Held, Self::Refused, Self::Used, Self::Cancelled, Self::Expired, Self::Removed];

    /// For rows and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Held => "held",
            Self::Refused => "refused",
            Self::Used => "used",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Removed => "removed",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    pub const fn is_open(self) -> bool {
        match self {
            Self::Asked | Self::Held => true,
            Self::Refused | Self::Used | Self::Cancelled | Self::Expired | Self::Removed => false,
        }
    }

    /// The next state; the same one where the event changes nothing.
    pub const fn on(self, event: Event) -> Self {
        match (self, event) {
            (Self::Asked | Self::Held, Event::Accept) => Self::Held,
            (Self::Asked, Event::Refuse) => Self::Refused,
            // a held reservation that the station refuses to change stays what it was
            (Self::Held, Event::Refuse) => Self::Held,
            (Self::Asked | Self::Held, Event::Use) => Self::Used,
            (Self::Asked | Self::Held | Self::Removed, Event::Cancel) | (Self::Asked | Self::Held, Event::NotThere) => {
                Self::Cancelled
            }
            (Self::Asked | Self::Held, Event::Lapse | Event::Told(ReservationEnd::Expired)) => Self::Expired,
            (Self::Asked | Self::Held, Event::Told(ReservationEnd::Removed | ReservationEnd::NoTransaction)) => {
                Self::Removed
            }
            (Self::Refused | Self::Used | Self::Cancelled | Self::Expired, Event::Cancel)
            | (
                Self::Refused | Self::Used | Self::Cancelled | Self::Expired | Self::Removed,
                Event::Accept | Event::Refuse | Event::Use | Event::NotThere | Event::Lapse | Event::Told(_),
            ) => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [Event; 9] = [
        Event::Accept,
        Event::Refuse,
        Event::Use,
        Event::Cancel,
        Event::NotThere,
        Event::Lapse,
        Event::Told(ReservationEnd::Expired),
        Event::Told(ReservationEnd::Removed),
        Event::Told(ReservationEnd::NoTransaction),
    ];

    #[test]
    fn the_whole_table() {
        let wanted = [
            (State::Asked, "held refused used cancelled cancelled expired expired removed removed"),
            (State::Held, "held held used cancelled cancelled expired expired removed removed"),
        ];
        for (state, row) in wanted {
            let got: Vec<_> = EVENTS.into_iter().map(|event| state.on(event).as_str()).collect();
            assert_eq!(got.join(" "), row, "{state:?}");
        }
        for state in State::ALL.into_iter().filter(|state| !state.is_open()) {
            let ours = |event: &Event| state == State::Removed && *event == Event::Cancel;
            let others = EVENTS.into_iter().filter(|event| !ours(event));
            assert!(others.into_iter().all(|event| state.on(event) == state), "{state:?} is an end");
        }
        assert_eq!(State::Removed.on(Event::Cancel), State::Cancelled, "the notice came before the answer");
    }
}
