//! The operator's end: a station's requests and their answers, orders and a station's answers to them.
//!
//! Deliberately stateless: a request lives as long as its HTTP exchange. The door reads a [`Request`], asks who it is
//! from, and only then has it heard. Invariant: what is refused says so in the version's own fault codes.

use charge::Timestamp;
use charge::talk::line::quirk::Quirks;
use charge::talk::line::{
    Denial, Direction, FromStation, Heard, LineFault, LogLine, StationAnswer, ToStation, Version,
};

use super::message::{self, Message, NoAnswer, Refused, Reply, Trip, Wrong, line, unread};
use super::table::{Dialect, Service};
use crate::bridge::{self, Report, Said, Told};
use crate::frame;
use crate::mask;
use crate::payload::Notes;
use crate::rules::Fault;

/// A station's request, read as far as the door needs before it lets anyone in.
pub struct Request {
    message: Message,
    notes: Notes,
}

impl Request {
    pub fn read(bytes: &[u8], limits: &soap::Limits, now: Timestamp) -> Result<Self, Refused> {
        let mut notes = Notes::at(now);
        let message = Message::request(Service::Central, bytes, limits, &mut notes)?;
        Ok(Self { message, notes })
    }

    /// What is tolerated of this station, in the place of what is usual. Known once it is let in.
    #[must_use]
    pub fn tolerating(mut self, quirks: Quirks) -> Self {
        self.notes.quirks = quirks;
        self
    }

    pub const fn version(&self) -> Version {
        self.message.dialect.version
    }

    /// Whom the message says it is from. Unproven.
    pub fn identity(&self) -> &str {
        &self.message.identity
    }

    /// Where the station says that it can be called (`From`). Unproven.
    pub fn callback(&self) -> Option<&str> {
        self.message.addressing.from.as_deref().filter(|from| *from != soap::addressing::ANONYMOUS)
    }

    /// An answer is wanted somewhere else than on this exchange, which OCPP does not have and an attacker likes.
    pub fn answer_elsewhere(&self) -> bool {
        self.message.addressing.reply_to.as_deref().is_some_and(|to| to != soap::addressing::ANONYMOUS)
    }

    /// Turns the station away.
    pub fn refuse(&self, message_id: &str, wrong: Wrong, why: &str) -> Reply {
        self.message.refuse(message_id, wrong, why)
    }

    /// What the station says. An unreadable message is answered here.
    pub fn hear(self, message_id: &str) -> Hearing {
        let Self { message, mut notes } = self;
        let payload = message.payload(&mut notes);
        let (action, frame) = (message.operation.action.to_owned(), message.frame(&payload));
        match bridge::hear(Version::V16, &action, &payload, &mut notes) {
            Ok((said, what)) => {
                let now = notes.now;
                let log = line(Direction::FromStation, action, &frame, true, notes);
                Hearing::Heard { said, ticket: Ticket { message, what, now }, log }
            }
            Err(fault) => {
                let now = notes.now;
                notes.remark("", &fault.told());
                let asked = line(Direction::FromStation, action, &frame, false, notes);
                let (reply, answered) = refusal(&message, message_id, &fault, now);
                Hearing::Refused { reply, log: [asked, answered] }
            }
        }
    }
}

/// What came of a request.
#[expect(clippy::large_enum_variant, reason = "it lives for one match")]
pub enum Hearing {
    Heard { said: FromStation, ticket: Ticket, log: LogLine },
    Refused { reply: Reply, log: [LogLine; 2] },
}

/// A request that waits for its answer.
pub struct Ticket {
    message: Message,
    what: Said,
    now: Timestamp,
}

impl Ticket {
    pub fn answer(self, message_id: &str, outcome: Result<Heard, Denial>) -> (Reply, LogLine) {
        let Self { message, what, now } = self;
        let mut notes = Notes::at(now);
        let payload = match outcome {
            Ok(heard) => bridge::answer(Version::V16, &what, heard, &mut notes),
            Err(denial) => Err(bridge::denied(denial)),
        };
        let reply = payload.and_then(|payload| {
            let reply = message.answer(message_id, &payload, &mut notes)?;
            Ok((reply, payload))
        });
        match reply {
            Ok((reply, payload)) => {
                let id = message::logged_id(message.addressing.message_id.as_deref());
                let action = format!("answer {}", message.operation.action);
                (reply, line(Direction::ToStation, action, &frame::answer(&id, &payload), true, notes))
            }
            Err(fault) => refusal(&message, message_id, &fault, now),
        }
    }
}

fn refusal(message: &Message, message_id: &str, fault: &Fault, now: Timestamp) -> (Reply, LogLine) {
    let reply = message.fault(message_id, fault);
    let id = message::logged_id(message.addressing.message_id.as_deref());
    let code = if reply.http_status == 400 { "Sender" } else { "Receiver" };
    let frame = frame::error(&id, code, &fault.told(), &fault.path);
    let mut notes = Notes::at(now);
    notes.remark("", &fault.told());
    (reply, line(Direction::ToStation, format!("error {}", message.operation.action), &frame, true, notes))
}

/// An order under way.
pub struct Order {
    request: message::Request,
    told: Told,
    action: String,
    identity: String,
    trip: Trip,
}

/// What came of an order.
pub enum Answered {
    Done(Result<StationAnswer, LineFault>),
    /// 1.5 and 1.6 take one setting in a message: send this, too.
    More(Box<Order>),
}

impl Order {
    /// Writes an order. `Err` where the version has no such operation.
    pub fn write(
        version: Version,
        identity: &str,
        what: &ToStation,
        trip: Trip,
        now: Timestamp,
    ) -> (Result<Self, LineFault>, LogLine) {
        let mut notes = Notes::at(now);
        let call = bridge::order(Version::V16, what, &mut Report::default(), &mut notes);
        Self::post(version, identity, call, trip, notes)
    }

    fn post(
        version: Version,
        identity: &str,
        call: Result<bridge::Call<Told>, LineFault>,
        trip: Trip,
        mut notes: Notes,
    ) -> (Result<Self, LineFault>, LogLine) {
        let unsent = |notes: Notes| LogLine {
            at: notes.now,
            direction: Direction::ToStation,
            action: "-".into(),
            text: "(not sent)".into(),
            remarks: notes.remarks,
            deviations: notes.deviations,
        };
        let call = match call {
            Ok(call) => call,
            Err(fault) => return (Err(fault), unsent(notes)),
        };
        let bridge::Call { action, payload, expect } = call;
        let request = Dialect::of(version).and_then(|dialect| {
            message::Request::write(dialect, Service::ChargePoint, &action, &payload, identity, &trip, &mut notes)
        });
        let Some(request) = request else { return (Err(LineFault::NotInVersion), unsent(notes)) };
        let frame = frame::call(&message::logged_id(Some(&trip.message_id)), &action, &payload);
        let log = line(Direction::ToStation, action.to_string(), &frame, true, notes);
        let order = Self { request, told: expect, action: action.into_owned(), identity: identity.to_owned(), trip };
        (Ok(order), log)
    }

    /// The text to send.
    pub fn body(&self) -> &str {
        &self.request.body
    }

    /// The operation's name.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// Reads what the station answered. `message_id` is for the next message, where there is one.
    pub fn answered(
        mut self,
        bytes: &[u8],
        limits: &soap::Limits,
        message_id: String,
        now: Timestamp,
    ) -> (Answered, Vec<LogLine>) {
        let mut notes = Notes::at(now);
        let label = |kind: &str| format!("{kind} {}", self.action);
        let payload = match self.request.answered(bytes, limits, &mut notes) {
            Ok(payload) => payload,
            Err(NoAnswer::Fault(fault)) => {
                let fault = line_fault(fault);
                let log = unread(Direction::FromStation, label("error"), bytes.len(), now, &fault.to_string());
                return (Answered::Done(Err(fault)), vec![log]);
            }
            Err(why @ (NoAnswer::Broken(_) | NoAnswer::Other)) => {
                let why = why.to_string();
                let log = unread(Direction::FromStation, label("answer"), bytes.len(), now, &why);
                return (Answered::Done(Err(LineFault::Unreadable(why.into()))), vec![log]);
            }
        };
        let frame = frame::answer(&message::logged_id(Some(&self.trip.message_id)), &payload);
        let outcome = bridge::outcome(Version::V16, &mut self.told, &self.action, &payload, &mut notes);
        if let Err(fault) = &outcome {
            notes.remark("", &fault.told());
        }
        let mut logs = vec![line(Direction::FromStation, label("answer"), &frame, outcome.is_ok(), notes)];
        if outcome.is_ok() {
            let mut notes = Notes::at(now);
            if let Some(next) = bridge::next(&mut self.told, &mut notes) {
                let trip = Trip { message_id, ..self.trip };
                let version = self.request.dialect.version;
                let (order, log) = Self::post(version, &self.identity, next, trip, notes);
                logs.push(log);
                return match order {
                    Ok(order) => (Answered::More(Box::new(order)), logs),
                    Err(fault) => (Answered::Done(Err(fault)), logs),
                };
            }
        }
        (Answered::Done(outcome.map_err(|fault| LineFault::Unreadable(fault.told().into()))), logs)
    }
}

/// The peer's fault: its own code, or whose fault it says it is.
pub(super) fn line_fault(fault: soap::Fault) -> LineFault {
    let blamed = if fault.blame == soap::Blame::Receiver { "Receiver" } else { "Sender" };
    let code = fault.subcode.map_or_else(|| blamed.into(), |name| name.local);
    // a stack in the field puts whole pages there
    let description = fault.reason.chars().filter(|c| !c.is_control()).take(REASON_CHARACTERS_MAX).collect::<String>();
    LineFault::Error { code, description: mask_telling(description).into() }
}

/// How much of a peer's reason is kept.
const REASON_CHARACTERS_MAX: usize = 255;

/// A reason that betrays something by itself is not kept.
fn mask_telling(text: String) -> String {
    let mut quoted = String::new();
    crate::json::quote(&text, &mut quoted);
    if *mask::sound(&quoted) == *quoted { text } else { "(masked)".to_owned() }
}
