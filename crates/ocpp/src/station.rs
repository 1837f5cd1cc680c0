//! The station's end of one connection.
//!
//! The mirror of [`crate::csms`]: the caller brings frames, messages, answers and the time. Deliberately no offline
//! queue and no retry: the station's room keeps what must not get lost. Invariants of [`crate`] hold, and one more:
//! an order is read strictly, so that an operator's mistake gets its exact error code.

use std::fmt;

use charge::Timestamp;
use charge::talk::line::quirk::Quirks;
use charge::talk::line::{Direction, FromStation, Heard, LineFault, LogLine, StationAnswer, ToStation, Version};

use crate::bridge::{self, Call, Said, Told};
use crate::frame::Id;
use crate::payload::Notes;
use crate::session::{Incoming, Outgoing, Session, Wire};
use crate::{Limits, Ticket, mask};

/// What the engine wants done or known.
pub enum Event {
    /// An order. Answer it with [`Engine::answer`], in any order.
    Told { ticket: Ticket, order: ToStation },
    /// Send this text frame.
    Send(String),
    /// The operator's answer to the message with this number.
    Heard { said: u64, outcome: Result<Heard, LineFault> },
    /// For a message log; masked.
    Log(LogLine),
}

/// Frames are masked here too: they hold tokens and secrets.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told { ticket, order } => f.debug_tuple("Told").field(ticket).field(order).finish(),
            Self::Send(text) => f.debug_tuple("Send").field(&mask::frame(text)).finish(),
            Self::Heard { said, outcome } => f.debug_tuple("Heard").field(said).field(outcome).finish(),
            Self::Log(line) => f.debug_tuple("Log").field(line).finish(),
        }
    }
}

impl From<Wire> for Event {
    fn from(wire: Wire) -> Self {
        match wire {
            Wire::Send(text) => Self::Send(text),
            Wire::Log(line) => Self::Log(line),
        }
    }
}

/// One connection, seen from the station.
pub struct Engine {
    session: Session<Told, Said>,
}

impl Engine {
    pub fn new(version: Version, limits: Limits) -> Self {
        Self { session: Session::new(version, limits, Direction::ToStation) }
    }

    /// Takes one text frame.
    pub fn receive(&mut self, now: Timestamp, text: &str, out: &mut Vec<Event>) {
        match self.session.read(now, text, out) {
            Incoming::Call { id, action, payload } => self.told(now, id, &action, payload, text, out),
            Incoming::Answer { call, result } => self.heard(now, &call, result, text, out),
            Incoming::Sent { action, .. } => {
                let why = Box::from("only stations send without an answer");
                self.session.log_in(now, &action, mask::frame(text).into(), vec![why], out);
            }
            Incoming::Done => {}
        }
        self.session.pump(now, out);
    }

    /// Sends a message. `said` is the caller's number for it and comes back in [`Event::Heard`]; `message_id` must be
    /// unique on this connection and have at most 36 characters.
    pub fn say(&mut self, now: Timestamp, said: u64, what: FromStation, message_id: String, out: &mut Vec<Event>) {
        let mut notes = Notes::at(now);
        let queued = bridge::say(self.session.version(), &what, &mut notes).and_then(|call| {
            let Call { action, payload, expect } = call;
            let remarks = std::mem::take(&mut notes.remarks);
            if action == bridge::SENT {
                // nothing will come back: it is over when it is out
                self.session.send(now, &message_id, &action, &payload, remarks, out);
                out.push(Event::Heard { said, outcome: Ok(Heard::Noted) });
                return Ok(());
            }
            self.session.queue(Outgoing { number: said, message_id, action, payload, expect, remarks })
        });
        if let Err(fault) = queued {
            if !notes.remarks.is_empty() {
                let (direction, remarks, deviations) = (Direction::FromStation, notes.remarks, Quirks::NONE);
                let text = "(not sent)".into();
                out.push(Event::Log(LogLine { at: now, direction, action: "-".into(), text, remarks, deviations }));
            }
            out.push(Event::Heard { said, outcome: Err(fault) });
        }
        self.session.pump(now, out);
    }

    /// Answers an order. Answers may come in any order; they leave in the order of the orders.
    pub fn answer(&mut self, now: Timestamp, ticket: Ticket, answer: StationAnswer, out: &mut Vec<Event>) {
        let Some(told) = self.session.take(ticket) else { return };
        let outcome = bridge::reply(self.session.version(), &told, &answer);
        self.session.settle(ticket, outcome, Notes::at(now), out);
    }

    /// Ends the message whose time is up.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Event>) {
        if let Some(call) = self.session.expire(now) {
            out.push(Event::Heard { said: call.number, outcome: Err(LineFault::TimedOut) });
        }
        self.session.pump(now, out);
    }

    /// When [`Engine::tick`] is due.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.session.wake_at()
    }

    /// The connection is gone: all messages end, all tickets become void.
    pub fn lost(&mut self, out: &mut Vec<Event>) {
        let over = self.session.lost().into_iter();
        out.extend(over.map(|said| Event::Heard { said, outcome: Err(LineFault::Lost) }));
    }

    fn told(&mut self, now: Timestamp, id: Id, action: &str, payload: &str, text: &str, out: &mut Vec<Event>) {
        match bridge::told(self.session.version(), action, payload) {
            Ok((order, what)) => {
                self.session.log_in(now, action, mask::sound(text), Vec::new(), out);
                if let Some(ticket) = self.session.ask(now, id, action, what, out) {
                    out.push(Event::Told { ticket, order });
                }
            }
            Err(fault) => {
                self.session.log_in(now, action, mask::frame(text).into(), vec![fault.told().into_boxed_str()], out);
                self.session.refuse(now, id, action, &fault, out);
            }
        }
    }

    fn heard(
        &mut self,
        now: Timestamp,
        call: &Outgoing<Said>,
        result: Result<&str, LineFault>,
        text: &str,
        out: &mut Vec<Event>,
    ) {
        let outcome = result.and_then(|payload| {
            let mut notes = Notes::at(now);
            let heard = bridge::heard(self.session.version(), &call.expect, &call.action, payload, &mut notes);
            if let Err(fault) = &heard {
                notes.remark("", &fault.told());
            }
            let shown = if heard.is_ok() { mask::sound(text) } else { mask::frame(text).into() };
            self.session.log_in(now, &format!("answer {}", call.action), shown, notes, out);
            if let Err(fault) = &heard {
                self.session.complain(now, call, fault, out);
            }
            heard.map_err(|fault| LineFault::Unreadable(fault.told().into()))
        });
        out.push(Event::Heard { said: call.number, outcome });
    }
}
