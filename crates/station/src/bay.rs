//! What one EVSE is doing: one state machine, one total match.
//!
//! It knows the cable, the permission and the current, and nothing of meters, messages or time: what a change means
//! for the rest of the station is read off by comparing before and after ([`Phase::in_transaction`]).
//!
//! Invariant: every pair of phase and event is answered by name; the whole table is a golden file.

use std::fmt;

use charge::talk::line::BayState;

/// Where an EVSE stands. Cable and permission are part of the phase, so no combination is undefined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// No cable, nobody.
    Idle,
    /// A token was presented and is being asked about; no cable.
    Authorising,
    /// Permitted, waiting for the cable.
    Tapped,
    /// Cable in, nobody has asked to charge.
    Plugged,
    /// Cable in, and a token is being asked about.
    Checking,
    /// In a transaction, current may flow.
    Charging,
    /// In a transaction, and the car takes nothing.
    SuspendedByCar,
    /// In a transaction, and the station gives nothing.
    SuspendedByStation,
    /// The transaction is over, the cable is still in.
    Finishing,
    Faulted,
    FaultedPlugged,
    /// Switched off by the operator.
    Unavailable,
    UnavailablePlugged,
}

/// What can happen to an EVSE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    Plug,
    Unplug,
    /// A token that has to be asked about.
    Tap,
    /// The token that was asked about may charge.
    Permitted,
    /// It may not; also the answer to a start that was made before the answer was known.
    Denied,
    /// A start that needs no question: ordered by the operator, or known to the station.
    Start,
    /// The end, wanted by the driver or the operator.
    Stop,
    /// The car takes nothing any more.
    Full,
    /// The car takes current again.
    Draws,
    /// The limit fell to zero.
    Held,
    /// The limit rose above zero.
    Released,
    Fault,
    Clear,
    Disable,
    Enable,
    /// Nobody plugged in within the time for it.
    TimedOut,
    PowerLoss,
}

/// The answer of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    To(Phase),
    /// Nothing changes, and that is in order.
    Stay,
    /// Not possible now.
    Refuse,
}

impl Phase {
    pub const ALL: [Self; 13] = [
        Self::Idle,
        Self::Authorising,
        Self::Tapped,
        Self::Plugged,
        Self::Checking,
        Self::Charging,
        Self::SuspendedByCar,
        Self::SuspendedByStation,
        Self::Finishing,
        Self::Faulted,
        Self::FaultedPlugged,
        Self::Unavailable,
        Self::UnavailablePlugged,
    ];

    /// The transition. Total: no pair is left to chance.
    pub const fn step(self, event: Event) -> Step {
        match event {
            Event::Plug => self.plug(),
            Event::Unplug => self.unplug(),
            Event::Tap => self.tap(),
            Event::Permitted => self.permitted(),
            Event::Denied => self.denied(),
            Event::Start => self.start(),
            Event::Stop => self.stop(),
            Event::Full => self.full(),
            Event::Draws => self.draws(),
            Event::Held => self.held(),
            Event::Released => self.released(),
            Event::Fault => self.fault(),
            Event::Clear => self.clear(),
            Event::Disable => self.disable(),
            Event::Enable => self.enable(),
            Event::TimedOut => self.timed_out(),
            Event::PowerLoss => self.power_loss(),
        }
    }

    const fn plug(self) -> Step {
        match self {
            Self::Idle => Step::To(Self::Plugged),
            Self::Authorising => Step::To(Self::Checking),
            Self::Tapped => Step::To(Self::Charging),
            Self::Faulted => Step::To(Self::FaultedPlugged),
            Self::Unavailable => Step::To(Self::UnavailablePlugged),
            Self::Plugged
            | Self::Checking
            | Self::Charging
            | Self::SuspendedByCar
            | Self::SuspendedByStation
            | Self::Finishing
            | Self::FaultedPlugged
            | Self::UnavailablePlugged => Step::Refuse,
        }
    }

    const fn unplug(self) -> Step {
        match self {
            Self::Plugged | Self::Charging | Self::SuspendedByCar | Self::SuspendedByStation | Self::Finishing => {
                Step::To(Self::Idle)
            }
            Self::Checking => Step::To(Self::Authorising),
            Self::FaultedPlugged => Step::To(Self::Faulted),
            Self::UnavailablePlugged => Step::To(Self::Unavailable),
            Self::Idle | Self::Authorising | Self::Tapped | Self::Faulted | Self::Unavailable => Step::Refuse,
        }
    }

    const fn tap(self) -> Step {
        match self {
            Self::Idle => Step::To(Self::Authorising),
            Self::Plugged | Self::Finishing => Step::To(Self::Checking),
            Self::Authorising
            | Self::Tapped
            | Self::Checking
            | Self::Charging
            | Self::SuspendedByCar
            | Self::SuspendedByStation
            | Self::Faulted
            | Self::FaultedPlugged
            | Self::Unavailable
            | Self::UnavailablePlugged => Step::Refuse,
        }
    }

    const fn permitted(self) -> Step {
        match self {
            Self::Authorising => Step::To(Self::Tapped),
            Self::Checking => Step::To(Self::Charging),
            Self::Tapped | Self::Charging | Self::SuspendedByCar | Self::SuspendedByStation => Step::Stay,
            Self::Idle
            | Self::Plugged
            | Self::Finishing
            | Self::Faulted
            | Self::FaultedPlugged
            | Self::Unavailable
            | Self::UnavailablePlugged => Step::Refuse,
        }
    }

    const fn denied(self) -> Step {
        match self {
            Self::Authorising | Self::Tapped => Step::To(Self::Idle),
            Self::Checking => Step::To(Self::Plugged),
            Self::Charging | Self::SuspendedByCar | Self::SuspendedByStation => Step::To(Self::Finishing),
            Self::Idle
            | Self::Plugged
            | Self::Finishing
            | Self::Faulted
            | Self::FaultedPlugged
            | Self::Unavailable
            | Self::UnavailablePlugged => Step::Refuse,
        }
    }

    const fn start(self) -> Step {
        match self {
            Self::Idle => Step::To(Self::Tapped),
            Self::Plugged | Self::Finishing => Step::To(Self::Charging),
            Self::Authorising
            | Self::Tapped
            | Self::Checking
            | Self::Charging
            | Self::SuspendedByCar
            | Self::SuspendedByStation
            | Self::Faulted
            | Self::FaultedPlugged
            | Self::Unavailable
            | Self::UnavailablePlugged => Step::Refuse,
        }
    }

    const fn stop(self) -> Step {
        match self {
            Self::Tapped => Step::To(Self::Idle),
            Self::Charging | Self::SuspendedByCar | Self::SuspendedByStation => Step::To(Self::Finishing),
            Self::Idle
            | Self::Authorising
            | Self::Plugged
            | Self::Checking
            | Self::Finishing
            | Self::Faulted
            | Self::FaultedPlugged
            | Self::Unavailable
            | Self::UnavailablePlugged => Step::Refuse,
        }
    }

    const fn full(self) -> Step {
        match self {
            Self::Charging => Step::To(Self::SuspendedByCar),
            Self::SuspendedByCar | Self::SuspendedByStation => Step::Stay,
            Self::Idle
            | Self::Authorising
            | Self::Tapped
            | Self::Plugged
            | Self::Checking
            | Self::Finishing
            | Self::Faulted
            | Self::FaultedPlugged
            | Self::Unavailable
            | Self::UnavailablePlugged => Step::Refuse,
        }
    }

    const fn draws(self) -> Step {
        match self {
            Self::SuspendedByCar => Step::To(Self::Charging),
            Self::Charging | Self::SuspendedByStation => Step::Stay,
            Self::Idle
            | Self::Authorising
            | Self::Tapped
            | Self::Plugged
            | Self::Checking
            | Self::Finishing
            | Self::Faulted
            | Self::FaultedPlugged
            | Self::Unavailable
            | Self::UnavailablePlugged => Step::Refuse,
        }
    }

    /// The station's own pause weighs more than the car's.
    const fn held(self) -> Step {
        match self {
            Self::Charging | Self::SuspendedByCar => Step::To(Self::SuspendedByStation),
            Self::SuspendedByStation => Step::Stay,
            Self::Idle
            | Self::Authorising
            | Self::Tapped
            | Self::Plugged
            | Self::Checking
            | Self::Finishing
            | Self::Faulted
            | Self::FaultedPlugged
            | Self::Unavailable
            | Self::UnavailablePlugged => Step::Refuse,
        }
    }

    const fn released(self) -> Step {
        match self {
            Self::SuspendedByStation => Step::To(Self::Charging),
            Self::Charging | Self::SuspendedByCar => Step::Stay,
            Self::Idle
            | Self::Authorising
            | Self::Tapped
            | Self::Plugged
            | Self::Checking
            | Self::Finishing
            | Self::Faulted
            | Self::FaultedPlugged
            | Self::Unavailable
            | Self::UnavailablePlugged => Step::Refuse,
        }
    }

    /// A fault ends what runs, and hides that the EVSE was switched off until it is cleared.
    const fn fault(self) -> Step {
        match self {
            Self::Idle | Self::Authorising | Self::Tapped | Self::Unavailable => Step::To(Self::Faulted),
            Self::Plugged
            | Self::Checking
            | Self::Charging
            | Self::SuspendedByCar
            | Self::SuspendedByStation
            | Self::Finishing
            | Self::UnavailablePlugged => Step::To(Self::FaultedPlugged),
            Self::Faulted | Self::FaultedPlugged => Step::Stay,
        }
    }

    const fn clear(self) -> Step {
        match self {
            Self::Faulted => Step::To(Self::Idle),
            Self::FaultedPlugged => Step::To(Self::Plugged),
            Self::Idle
            | Self::Authorising
            | Self::Tapped
            | Self::Plugged
            | Self::Checking
            | Self::Charging
            | Self::SuspendedByCar
            | Self::SuspendedByStation
            | Self::Finishing
            | Self::Unavailable
            | Self::UnavailablePlugged => Step::Refuse,
        }
    }

    /// Never in a transaction: there the operator hears that it is scheduled.
    const fn disable(self) -> Step {
        match self {
            Self::Idle | Self::Authorising | Self::Tapped => Step::To(Self::Unavailable),
            Self::Plugged | Self::Checking | Self::Finishing => Step::To(Self::UnavailablePlugged),
            Self::Faulted | Self::FaultedPlugged | Self::Unavailable | Self::UnavailablePlugged => Step::Stay,
            Self::Charging | Self::SuspendedByCar | Self::SuspendedByStation => Step::Refuse,
        }
    }

    const fn enable(self) -> Step {
        match self {
            Self::Unavailable => Step::To(Self::Idle),
            Self::UnavailablePlugged => Step::To(Self::Plugged),
            Self::Idle
            | Self::Authorising
            | Self::Tapped
            | Self::Plugged
            | Self::Checking
            | Self::Charging
            | Self::SuspendedByCar
            | Self::SuspendedByStation
            | Self::Finishing
            | Self::Faulted
            | Self::FaultedPlugged => Step::Stay,
        }
    }

    const fn timed_out(self) -> Step {
        match self {
            Self::Tapped => Step::To(Self::Idle),
            Self::Idle
            | Self::Authorising
            | Self::Plugged
            | Self::Checking
            | Self::Charging
            | Self::SuspendedByCar
            | Self::SuspendedByStation
            | Self::Finishing
            | Self::Faulted
            | Self::FaultedPlugged
            | Self::Unavailable
            | Self::UnavailablePlugged => Step::Refuse,
        }
    }

    /// Permissions do not survive, cables do.
    const fn power_loss(self) -> Step {
        match self {
            Self::Authorising | Self::Tapped => Step::To(Self::Idle),
            Self::Checking => Step::To(Self::Plugged),
            Self::Charging | Self::SuspendedByCar | Self::SuspendedByStation => Step::To(Self::Finishing),
            Self::Idle
            | Self::Plugged
            | Self::Finishing
            | Self::Faulted
            | Self::FaultedPlugged
            | Self::Unavailable
            | Self::UnavailablePlugged => Step::Stay,
        }
    }

    /// Broken, or switched off.
    pub const fn is_out(self) -> bool {
        matches!(self, Self::Faulted | Self::FaultedPlugged | Self::Unavailable | Self::UnavailablePlugged)
    }

    /// Between begin and end of a transaction.
    pub const fn in_transaction(self) -> bool {
        match self {
            Self::Charging | Self::SuspendedByCar | Self::SuspendedByStation => true,
            Self::Idle
            | Self::Authorising
            | Self::Tapped
            | Self::Plugged
            | Self::Checking
            | Self::Finishing
            | Self::Faulted
            | Self::FaultedPlugged
            | Self::Unavailable
            | Self::UnavailablePlugged => false,
        }
    }

    /// What the operator is told (OCPP 1.6, 4.9; 2.x folds these further).
    pub const fn shown(self) -> BayState {
        match self {
            Self::Idle => BayState::Available,
            Self::Authorising | Self::Tapped | Self::Plugged | Self::Checking => BayState::Preparing,
            Self::Charging => BayState::Charging,
            Self::SuspendedByCar => BayState::SuspendedByCar,
            Self::SuspendedByStation => BayState::SuspendedByStation,
            Self::Finishing => BayState::Finishing,
            Self::Faulted | Self::FaultedPlugged => BayState::Faulted,
            Self::Unavailable | Self::UnavailablePlugged => BayState::Unavailable,
        }
    }
}

impl Event {
    pub const ALL: [Self; 17] = [
        Self::Plug,
        Self::Unplug,
        Self::Tap,
        Self::Permitted,
        Self::Denied,
        Self::Start,
        Self::Stop,
        Self::Full,
        Self::Draws,
        Self::Held,
        Self::Released,
        Self::Fault,
        Self::Clear,
        Self::Disable,
        Self::Enable,
        Self::TimedOut,
        Self::PowerLoss,
    ];
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::fmt::Write;

    use super::*;

    /// The whole table as text: one line per phase and event.
    fn table() -> String {
        let mut out = String::new();
        for phase in Phase::ALL {
            for event in Event::ALL {
                match phase.step(event) {
                    Step::To(next) => writeln!(out, "{phase} + {event:?} -> {next}").unwrap(),
                    Step::Stay => writeln!(out, "{phase} + {event:?} stays").unwrap(),
                    Step::Refuse => writeln!(out, "{phase} + {event:?} is refused").unwrap(),
                }
            }
        }
        out
    }

    #[test]
    fn the_whole_table_is_as_agreed() {
        let golden = include_str!("bay/table.txt");
        for (line, (now, agreed)) in table().lines().zip(golden.lines()).enumerate() {
            assert_eq!(now, agreed, "bay/table.txt line {}", line + 1);
        }
        assert_eq!(table().lines().count(), golden.lines().count());
    }

    #[test]
    fn only_a_cable_and_a_permission_together_begin_a_transaction() {
        for phase in Phase::ALL.into_iter().filter(|phase| !phase.in_transaction()) {
            for event in Event::ALL {
                if let Step::To(next) = phase.step(event)
                    && next.in_transaction()
                {
                    let both = match event {
                        Event::Plug => phase == Phase::Tapped,
                        Event::Permitted => phase == Phase::Checking,
                        Event::Start => matches!(phase, Phase::Plugged | Phase::Finishing),
                        other => panic!("{phase} + {other:?} begins a transaction"),
                    };
                    assert!(both, "{phase} + {event:?}");
                }
            }
        }
    }

    #[test]
    fn a_fault_a_loss_of_power_and_pulling_the_plug_end_every_transaction() {
        for phase in Phase::ALL.into_iter().filter(|phase| phase.in_transaction()) {
            for event in [Event::Fault, Event::PowerLoss, Event::Unplug, Event::Stop, Event::Denied] {
                assert!(matches!(phase.step(event), Step::To(next) if !next.in_transaction()), "{phase} + {event:?}");
            }
        }
    }
}
