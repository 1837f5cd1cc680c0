//! The operator's end of one connection.
//!
//! The caller brings frames, answers, orders and the time; the engine gives back [`Event`]s. Deliberately no knowledge
//! of the station behind the line. Invariants of [`crate`] hold, and one more: nothing is ordered while a boot waits for
//! its answer, because some stations reboot over it (quirk 13).

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use charge::Timestamp;
use charge::talk::line::quirk::{Quirk, Quirks};
use charge::talk::line::{
    Denial, Direction, FromStation, Heard, LineFault, LogLine, StationAnswer, ToStation, Version,
};

use crate::bridge::{self, Call, Report, Said, Told};
use crate::frame::{ID_CHARACTERS_MAX, Id};
use crate::payload::Notes;
use crate::rules::{Code, Fault};
use crate::session::{Incoming, Outgoing, Session, Wire};
use crate::{Limits, Ticket, mask};

/// What the engine wants done or known.
pub enum Event {
    /// A message of the station. Answer it with [`Engine::answer`], in any order.
    Asked { ticket: Ticket, said: FromStation },
    /// Send this text frame.
    Send(String),
    /// The order with this number is over.
    Answered { order: u64, outcome: Result<StationAnswer, LineFault> },
    /// For the station's message log; masked.
    Log(LogLine),
}

/// Frames are masked here too: they hold tokens and secrets.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked { ticket, said } => f.debug_tuple("Asked").field(ticket).field(said).finish(),
            Self::Send(text) => f.debug_tuple("Send").field(&mask::frame(text)).finish(),
            Self::Answered { order, outcome } => f.debug_tuple("Answered").field(order).field(outcome).finish(),
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

/// One connection, seen from the operator.
pub struct Engine {
    session: Session<Said, Told>,
    report: Report,
    /// Frames that leave later, for a station that is not ready for an answer at once, and when.
    held: VecDeque<(Timestamp, Event)>,
}

/// Long enough for a station that makes itself ready after it has sent, short enough for nobody to notice.
const ANSWER_PAUSE: Duration = Duration::from_millis(20);

impl Engine {
    pub fn new(version: Version, limits: Limits) -> Self {
        let session = Session::new(version, limits, Direction::FromStation);
        Self { session, report: Report::default(), held: VecDeque::new() }
    }

    /// What is tolerated of this station, in the place of what is usual.
    #[must_use]
    pub fn tolerating(mut self, quirks: Quirks) -> Self {
        self.session.tolerate(quirks);
        self
    }

    /// Takes one text frame.
    pub fn receive(&mut self, now: Timestamp, text: &str, out: &mut Vec<Event>) {
        let before = out.len();
        match self.session.read(now, text, out) {
            Incoming::Call { id, action, payload } => self.asked(now, id, &action, payload, text, out),
            Incoming::Answer { call, result } => self.answered(now, call, result, text, out),
            Incoming::Sent { action, payload } => self.sent(now, &action, payload, text, out),
            Incoming::Done => {}
        }
        self.hold(now, before, out);
        self.pump(now, out);
    }

    /// Answers a message. Answers may come in any order; they leave in the order of the messages.
    pub fn answer(&mut self, now: Timestamp, ticket: Ticket, outcome: Result<Heard, Denial>, out: &mut Vec<Event>) {
        let Some(said) = self.session.take(ticket) else { return };
        let before = out.len();
        let version = self.session.version();
        let mut notes = Notes::at(now);
        let outcome = match outcome {
            Ok(heard) => bridge::answer(version, &said, heard, &mut notes),
            Err(denial) => Err(bridge::denied(denial)),
        };
        self.session.settle(ticket, outcome, notes, out);
        self.hold(now, before, out);
        self.pump(now, out);
    }

    /// Gives an order. `order` is the caller's number for it and comes back in [`Event::Answered`]; `message_id` must
    /// be unique on this connection and have at most 36 characters.
    pub fn order(&mut self, now: Timestamp, order: u64, what: ToStation, message_id: String, out: &mut Vec<Event>) {
        let mut notes = Notes::at(now);
        let queued = bridge::order(self.session.version(), &what, &mut self.report, &mut notes)
            .and_then(|call| self.session.queue(outgoing(order, message_id, call, std::mem::take(&mut notes.remarks))));
        if let Err(fault) = queued {
            if !notes.remarks.is_empty() {
                self.note_unsent(now, notes.remarks, out);
            }
            out.push(Event::Answered { order, outcome: Err(fault) });
        }
        self.pump(now, out);
    }

    /// Ends the order whose time is up, and sends what was held back for a moment.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Event>) {
        while let Some((_, event)) = self.held.pop_front_if(|(due, _)| *due <= now) {
            out.push(event);
        }
        if let Some(call) = self.session.expire(now) {
            out.push(Event::Answered { order: call.number, outcome: Err(LineFault::TimedOut) });
        }
        self.pump(now, out);
    }

    /// When [`Engine::tick`] is due.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let held = self.held.front().map(|(due, _)| *due);
        held.into_iter().chain(self.session.wake_at()).min()
    }

    /// The connection is gone: all orders end, all tickets become void.
    pub fn lost(&mut self, out: &mut Vec<Event>) {
        self.held.clear();
        let over = self.session.lost().into_iter();
        out.extend(over.map(|order| Event::Answered { order, outcome: Err(LineFault::Lost) }));
    }

    fn asked(&mut self, now: Timestamp, id: Id, action: &str, payload: &str, text: &str, out: &mut Vec<Event>) {
        let mut notes = Notes::under(now, self.session.quirks());
        if let Err(fault) = self.orderly(&id, &mut notes) {
            notes.remark("", &fault.told());
            self.session.log_in(now, action, mask::frame(text).into(), notes, out);
            self.session.refuse(now, id, action, &fault, out);
            return;
        }
        match bridge::hear(self.session.version(), action, payload, &mut notes) {
            Ok((said, what)) => {
                self.session.log_in(now, action, mask::sound(text), notes, out);
                if let Some(ticket) = self.session.ask(now, id, action, what, out) {
                    out.push(Event::Asked { ticket, said });
                }
            }
            Err(fault) => {
                notes.remark("", &fault.told());
                // a member that does not belong is no other version
                let own = notes.deviations.has(Quirk::ExtraMember);
                if !own && self.speaks_other_version(action, payload) {
                    notes.remark("", "looks like another OCPP version than the one agreed on");
                    if self.session.version().is_2() {
                        notes.deviations = notes.deviations.with(Quirk::OldVersion);
                    }
                }
                self.session.log_in(now, action, mask::frame(text).into(), notes, out);
                self.session.refuse(now, id, action, &fault, out);
            }
        }
    }

    /// Does the envelope keep to the standards, as far as they are insisted on?
    fn orderly(&self, id: &Id, notes: &mut Notes) -> Result<(), Fault> {
        let number = "the message id is a number, not a text";
        if id.is_number() && !notes.tolerates(Quirk::NumericId, "", number) {
            return Err(Fault::new(Code::Protocol, number));
        }
        // OCPP-J 1.6, 4.1.1; 2.0.1 part 4, 4.1.1: one message at a time in each direction
        let early = "sent before the answer to the one before";
        if self.session.owes() && !notes.tolerates(Quirk::Impatient, "", early) {
            return Err(Fault::new(Code::Protocol, early));
        }
        Ok(())
    }

    /// A message that gets no answer: its ticket is void, and what is wrong with it is only logged.
    fn sent(&mut self, now: Timestamp, action: &str, payload: &str, text: &str, out: &mut Vec<Event>) {
        let mut notes = Notes::under(now, self.session.quirks());
        let heard = bridge::hear(self.session.version(), action, payload, &mut notes);
        let said = match heard {
            Ok((said, _)) if action == bridge::SENT => Some(said),
            Ok(_) => {
                notes.remark("", "not a message that is sent without an answer");
                None
            }
            Err(fault) => {
                notes.remark("", &fault.told());
                None
            }
        };
        let shown = if said.is_some() { mask::sound(text) } else { mask::frame(text).into() };
        self.session.log_in(now, action, shown, notes, out);
        if let Some(said) = said {
            let ticket = self.session.void();
            out.push(Event::Asked { ticket, said });
        }
    }

    /// Quirk 11: some stations agree on 2.0.1 and speak 1.6.
    fn speaks_other_version(&self, action: &str, payload: &str) -> bool {
        let other = match self.session.version() {
            Version::S15 | Version::S16 | Version::V16 => Version::V201,
            Version::V201 | Version::V21 => Version::V16,
        };
        let mut notes = Notes::at(Timestamp::from_secs(0));
        bridge::hear(other, action, payload, &mut notes).is_ok() && notes.remarks.is_empty()
    }

    fn answered(
        &mut self,
        now: Timestamp,
        mut call: Outgoing<Told>,
        result: Result<&str, LineFault>,
        text: &str,
        out: &mut Vec<Event>,
    ) {
        let payload = match result {
            Ok(payload) => payload,
            Err(fault) => {
                out.push(Event::Answered { order: call.number, outcome: Err(fault) });
                return;
            }
        };
        let mut notes = Notes::under(now, self.session.quirks());
        let outcome = bridge::outcome(self.session.version(), &mut call.expect, &call.action, payload, &mut notes);
        if let Err(fault) = &outcome {
            notes.remark("", &fault.told());
        }
        let shown = match &outcome {
            Ok(_) => mask::sound(text),
            Err(_) => mask::frame(text).into(),
        };
        self.session.log_in(now, &format!("answer {}", call.action), shown, notes, out);
        if let Err(fault) = &outcome {
            self.session.complain(now, &call, fault, out);
        }
        if outcome.is_ok() && self.write_on(now, &mut call) {
            return;
        }
        let outcome = outcome.map_err(|fault| LineFault::Unreadable(fault.told().into()));
        out.push(Event::Answered { order: call.number, outcome });
    }

    /// 1.6 needs several messages for some orders: sends the next one, if there is one.
    fn write_on(&mut self, now: Timestamp, call: &mut Outgoing<Told>) -> bool {
        let mut notes = Notes::at(now);
        let Some(Ok(next)) = bridge::next(&mut call.expect, &mut notes) else { return false };
        let id = part_id(&call.message_id, next_part(&next.expect));
        self.session.continue_with(outgoing(call.number, id, next, notes.remarks));
        true
    }

    fn pump(&mut self, now: Timestamp, out: &mut Vec<Event>) {
        if self.held.is_empty() && !self.session.any_asked(|said| matches!(said, Said::Boot)) {
            self.session.pump(now, out);
        }
    }

    /// Keeps back the frames that were made since `from`, where this station needs a pause. Nothing overtakes them.
    fn hold(&mut self, now: Timestamp, from: usize, out: &mut Vec<Event>) {
        if self.session.quirks().has(Quirk::AnswerPause) {
            let frames = out.extract_if(from.., |event| matches!(event, Event::Send(_)));
            self.held.extend(frames.map(|frame| (now.plus(ANSWER_PAUSE), frame)));
        }
    }

    fn note_unsent(&self, at: Timestamp, remarks: Vec<Box<str>>, out: &mut Vec<Event>) {
        let (direction, text, deviations) = (Direction::ToStation, "(not sent)".into(), Quirks::NONE);
        out.push(Event::Log(LogLine { at, direction, action: "-".into(), text, remarks, deviations }));
    }
}

fn outgoing(number: u64, message_id: String, call: Call<Told>, remarks: Vec<Box<str>>) -> Outgoing<Told> {
    let Call { action, payload, expect } = call;
    Outgoing { number, message_id, action, payload, expect, remarks }
}

fn next_part(expect: &Told) -> usize {
    match expect {
        Told::Write(pending) => pending.done.len(),
        Told::Certificates(errand) => errand.done(),
        _ => 0,
    }
}

/// The message id of the n-th message of one order: the first one's, with the number in place of its end.
fn part_id(first: &str, part: usize) -> String {
    let suffix = format!("+{part}");
    let base = first.rsplit_once('+').map_or(first, |(base, _)| base);
    let kept = base.chars().take(ID_CHARACTERS_MAX.saturating_sub(suffix.len()));
    kept.chain(suffix.chars()).collect()
}
