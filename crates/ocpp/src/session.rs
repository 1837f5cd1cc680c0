//! What both ends of a connection share: the peer's CALLs waiting for our answers, and our CALLs waiting for theirs.
//!
//! `Q` is what an engine must remember to answer a CALL of the peer, `X` what it must remember to read an answer.
//! Deliberately blind to payloads. Invariants: answers leave in the order of the questions, each at most once; one
//! CALL of ours is open at a time (OCPP-J 1.6, 4.1.1; 2.0.1 part 4, 4.1.1); both queues are bounded.

use std::borrow::Cow;
use std::collections::VecDeque;

use charge::Timestamp;
use charge::talk::line::quirk::{Quirk, Quirks};
use charge::talk::line::{Direction, LineFault, LogLine, Version};

use crate::frame::{self, Broken, Flaw, Frame, Id, Kind};
use crate::payload::Notes;
use crate::rules::{Code, Fault, Rules, modern};
use crate::{Limits, Ticket, mask};

/// How many unanswered CALLs the peer may have here. The standard allows one, the field does not keep to it (quirk 9).
const ASKED_MAX: usize = 8;

/// What a session gives to its engine's events.
pub(crate) enum Wire {
    Send(String),
    Log(LogLine),
}

/// A frame, sorted.
pub(crate) enum Incoming<'a, X> {
    Call {
        id: Id,
        action: Cow<'a, str>,
        payload: &'a str,
    },
    /// The answer to our open CALL, which is closed now.
    Answer {
        call: Outgoing<X>,
        result: Result<&'a str, LineFault>,
    },
    /// A message of 2.1 that is never answered.
    Sent {
        action: Cow<'a, str>,
        payload: &'a str,
    },
    /// Dealt with here.
    Done,
}

/// A CALL of ours. Cannot print itself: its payload may hold tokens and secrets.
pub(crate) struct Outgoing<X> {
    /// The engine's own name for it.
    pub(crate) number: u64,
    pub(crate) message_id: String,
    pub(crate) action: Cow<'static, str>,
    pub(crate) payload: String,
    pub(crate) expect: X,
    pub(crate) remarks: Vec<Box<str>>,
}

/// What was remarkable about a line of the log.
pub(crate) struct Noted {
    remarks: Vec<Box<str>>,
    deviations: Quirks,
}

impl From<Notes> for Noted {
    fn from(notes: Notes) -> Self {
        Self { remarks: notes.remarks, deviations: notes.deviations }
    }
}

impl From<Vec<Box<str>>> for Noted {
    fn from(remarks: Vec<Box<str>>) -> Self {
        Self { remarks, deviations: Quirks::NONE }
    }
}

struct Asked<Q> {
    ticket: Ticket,
    id: Id,
    action: Box<str>,
    what: Q,
    answer: Option<Answer>,
}

struct Answer {
    frame: String,
    label: &'static str,
    remarks: Vec<Box<str>>,
}

pub(crate) struct Session<Q, X> {
    pub(crate) rules: &'static Rules,
    limits: Limits,
    /// What is tolerated of the peer.
    quirks: Quirks,
    /// The direction of the peer's frames.
    inward: Direction,
    asked: VecDeque<Asked<Option<Q>>>,
    tickets: u64,
    open: Option<(Outgoing<X>, Timestamp)>,
    waiting: VecDeque<Outgoing<X>>,
}

impl<Q, X> Session<Q, X> {
    pub(crate) fn new(version: Version, limits: Limits, inward: Direction) -> Self {
        Self {
            rules: Rules::of(version),
            limits,
            quirks: Quirks::USUAL,
            inward,
            asked: VecDeque::new(),
            tickets: 0,
            open: None,
            waiting: VecDeque::new(),
        }
    }

    pub(crate) fn tolerate(&mut self, quirks: Quirks) {
        self.quirks = quirks;
    }

    pub(crate) fn quirks(&self) -> Quirks {
        self.quirks
    }

    pub(crate) fn version(&self) -> Version {
        self.rules.version
    }

    /// Sorts one frame. CALLs are logged by the engine, which knows what was remarkable; all else is logged here.
    pub(crate) fn read<'a, E: From<Wire>>(
        &mut self,
        now: Timestamp,
        text: &'a str,
        out: &mut Vec<E>,
    ) -> Incoming<'a, X> {
        match frame::read(text, &self.limits) {
            Ok(Frame::Call { id, action, payload }) => Incoming::Call { id, action, payload },
            Ok(Frame::Answer { id, payload }) => match self.close(&id) {
                Some(call) => Incoming::Answer { call, result: Ok(payload) },
                None => self.unasked(now, "answer -", text, out),
            },
            Ok(Frame::Error { id, code, description, whole }) => match self.close(&id) {
                Some(call) => {
                    let fault = LineFault::Error { code: modern(&code).into(), description: description.into() };
                    let (mut notes, odd) = (Notes::under(now, self.quirks), "not five elements, or odd ones");
                    let read = whole || notes.tolerates(Quirk::OddError, "", odd);
                    self.log_in(now, &format!("error {}", call.action), mask::frame(text).into(), notes, out);
                    Incoming::Answer { call, result: Err(if read { fault } else { LineFault::Unreadable(odd.into()) }) }
                }
                None => self.unasked(now, "error -", text, out),
            },
            Ok(Frame::Send { action, payload, .. }) if self.rules.sends => Incoming::Sent { action, payload },
            Ok(Frame::ResultError { code, description, .. }) if self.rules.sends => {
                let why = format!("could not read our answer: {code}: {description}");
                self.log_in(now, "error -", mask::frame(text).into(), vec![why.into_boxed_str()], out);
                Incoming::Done
            }
            Ok(Frame::Send { id, .. } | Frame::ResultError { id, .. }) => {
                self.broken(now, text, &Broken { flaw: Flaw::UnknownType, kind: Kind::Unknown, id: Some(id) }, out)
            }
            Err(broken) => self.broken(now, text, &broken, out),
        }
    }

    fn unasked<'a, E: From<Wire>>(
        &mut self,
        now: Timestamp,
        action: &str,
        text: &str,
        out: &mut Vec<E>,
    ) -> Incoming<'a, X> {
        self.log_in(
            now,
            action,
            mask::frame(text).into(),
            vec![Box::from("answers nothing that is waiting for an answer")],
            out,
        );
        Incoming::Done
    }

    /// Handbook table "which code when": what a broken frame hears, or which of our CALLs it ends.
    fn broken<'a, E: From<Wire>>(
        &mut self,
        now: Timestamp,
        text: &str,
        broken: &Broken,
        out: &mut Vec<E>,
    ) -> Incoming<'a, X> {
        let why = broken.flaw.to_string();
        self.log_in(now, "-", mask::unreadable(text), vec![why.clone().into_boxed_str()], out);
        if self.rules.sends && matches!(broken.kind, Kind::Send | Kind::ResultError) {
            // nobody waits for an answer to these
            return Incoming::Done;
        }
        if matches!(broken.kind, Kind::Answer | Kind::Error) {
            return match broken.id.as_ref().and_then(|id| self.close(id)) {
                Some(call) => Incoming::Answer { call, result: Err(LineFault::Unreadable(why.into())) },
                None => Incoming::Done,
            };
        }
        let code = match (broken.flaw, broken.kind) {
            (Flaw::UnknownType, _) => Code::UnknownType,
            (_, Kind::Send | Kind::ResultError) => Code::UnknownType,
            (_, Kind::Unknown) => Code::Framework,
            (Flaw::NotJson, _) if broken.id.is_none() => Code::Framework,
            (Flaw::TooLong | Flaw::TooDeep | Flaw::NotJson, _) => Code::Malformed,
            (Flaw::Shape | Flaw::LongId, _) => Code::Protocol,
        };
        let answered =
            code == Code::Protocol || self.rules.answers_nameless || (code == Code::Malformed && broken.id.is_some());
        if answered {
            let id = broken.id.clone().unwrap_or_else(Id::unreadable);
            self.refuse(now, id, "-", &Fault::new(code, why), out);
        }
        Incoming::Done
    }

    /// Takes in a CALL of the peer. `None` where too many are waiting already: it has been refused.
    pub(crate) fn ask<E: From<Wire>>(
        &mut self,
        now: Timestamp,
        id: Id,
        action: &str,
        what: Q,
        out: &mut Vec<E>,
    ) -> Option<Ticket> {
        if self.asked.len() >= ASKED_MAX {
            self.refuse(now, id, action, &Fault::new(Code::Internal, "too many messages at once"), out);
            return None;
        }
        Some(self.enqueue(id, action, Some(what), None))
    }

    /// A ticket for a message that gets no answer: void from the start.
    pub(crate) fn void(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Sends a message that gets no answer. It does not wait for the CALL that is open (2.1 part 4, 4.2.4).
    pub(crate) fn send<E: From<Wire>>(
        &mut self,
        now: Timestamp,
        message_id: &str,
        action: &str,
        payload: &str,
        remarks: Vec<Box<str>>,
        out: &mut Vec<E>,
    ) {
        let frame = frame::send(&Id::new(message_id), action, payload);
        self.log_out(now, action, frame, remarks, out);
    }

    /// Tells the peer of 2.1 that its answer cannot be read. Older versions have no way to say it.
    pub(crate) fn complain<E: From<Wire>>(
        &mut self,
        now: Timestamp,
        call: &Outgoing<X>,
        fault: &Fault,
        out: &mut Vec<E>,
    ) {
        let Some(code) = self.rules.spelling(fault.code).filter(|_| self.rules.sends) else { return };
        let frame = frame::result_error(&Id::new(&call.message_id), code, &fault.told(), &fault.path);
        self.log_out(now, &format!("error {}", call.action), frame, Vec::new(), out);
    }

    fn log_out<E: From<Wire>>(
        &self,
        at: Timestamp,
        action: &str,
        frame: String,
        remarks: Vec<Box<str>>,
        out: &mut Vec<E>,
    ) {
        let text = mask::sound(&frame);
        out.push(Wire::Send(frame).into());
        let direction = self.outward();
        let deviations = Quirks::NONE;
        out.push(Wire::Log(LogLine { at, direction, action: action.into(), text, remarks, deviations }).into());
    }

    /// Answers a CALL with a CALLERROR, in its turn. Where the queue is full, at once: it must not grow.
    pub(crate) fn refuse<E: From<Wire>>(
        &mut self,
        now: Timestamp,
        id: Id,
        action: &str,
        fault: &Fault,
        out: &mut Vec<E>,
    ) {
        let Some(answer) = self.error(&id, fault, Vec::new()) else { return };
        if self.asked.len() >= ASKED_MAX {
            self.send_answer(now, action, answer, out);
            return;
        }
        self.enqueue(id, action, None, Some(answer));
        self.flush(now, out);
    }

    fn enqueue(&mut self, id: Id, action: &str, what: Option<Q>, answer: Option<Answer>) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.asked.push_back(Asked { ticket, id, action: action.into(), what, answer });
        ticket
    }

    /// What must be remembered for an open ticket; taken out, because an answer is given once.
    pub(crate) fn take(&mut self, ticket: Ticket) -> Option<Q> {
        self.asked.iter_mut().find(|asked| asked.ticket == ticket)?.what.take()
    }

    /// Does the peer wait for an answer?
    pub(crate) fn owes(&self) -> bool {
        !self.asked.is_empty()
    }

    pub(crate) fn any_asked(&self, is: impl Fn(&Q) -> bool) -> bool {
        self.asked.iter().any(|asked| asked.what.as_ref().is_some_and(&is))
    }

    /// Gives the answer to a ticket: a payload, or why there is none.
    pub(crate) fn settle<E: From<Wire>>(
        &mut self,
        ticket: Ticket,
        outcome: Result<String, Fault>,
        notes: Notes,
        out: &mut Vec<E>,
    ) {
        let Some(place) = self.asked.iter().position(|asked| asked.ticket == ticket) else { return };
        let id = &self.asked[place].id;
        let answer = match outcome {
            Ok(payload) => Some(Answer { frame: frame::answer(id, &payload), label: "answer", remarks: notes.remarks }),
            Err(fault) => self.error(id, &fault, notes.remarks),
        };
        self.asked[place].answer = answer;
        self.flush(notes.now, out);
    }

    fn error(&self, id: &Id, fault: &Fault, mut remarks: Vec<Box<str>>) -> Option<Answer> {
        let code = self.rules.spelling(fault.code)?;
        let told = fault.told();
        let frame = frame::error(id, code, &told, &fault.path);
        remarks.push(told.into());
        Some(Answer { frame, label: "error", remarks })
    }

    /// Sends the answers that are ready, up to the first that is not.
    fn flush<E: From<Wire>>(&mut self, now: Timestamp, out: &mut Vec<E>) {
        while self.asked.front().is_some_and(|asked| asked.answer.is_some()) {
            if let Some(Asked { action, answer: Some(answer), .. }) = self.asked.pop_front() {
                self.send_answer(now, &action, answer, out);
            }
        }
    }

    fn send_answer<E: From<Wire>>(&self, now: Timestamp, action: &str, answer: Answer, out: &mut Vec<E>) {
        let text = mask::sound(&answer.frame);
        let action = [answer.label, " ", action].concat().into();
        out.push(Wire::Send(answer.frame).into());
        let (direction, remarks, deviations) = (self.outward(), answer.remarks, Quirks::NONE);
        out.push(Wire::Log(LogLine { at: now, direction, action, text, remarks, deviations }).into());
    }

    /// Puts a CALL of ours in line.
    pub(crate) fn queue(&mut self, call: Outgoing<X>) -> Result<(), LineFault> {
        if self.waiting.len() >= self.limits.orders_waiting_max {
            return Err(LineFault::Overloaded);
        }
        self.waiting.push_back(call);
        Ok(())
    }

    /// Puts a CALL that continues an earlier one in front of the line.
    pub(crate) fn continue_with(&mut self, call: Outgoing<X>) {
        self.waiting.push_front(call);
    }

    /// Sends the next CALL if none is open.
    pub(crate) fn pump<E: From<Wire>>(&mut self, now: Timestamp, out: &mut Vec<E>) {
        if self.open.is_some() {
            return;
        }
        let Some(mut call) = self.waiting.pop_front() else { return };
        let frame = frame::call(&Id::new(&call.message_id), &call.action, &call.payload);
        let text = mask::sound(&frame);
        let remarks = std::mem::take(&mut call.remarks);
        let action = call.action.as_ref().into();
        call.payload = String::new();
        out.push(Wire::Send(frame).into());
        let (direction, deviations) = (self.outward(), Quirks::NONE);
        out.push(Wire::Log(LogLine { at: now, direction, action, text, remarks, deviations }).into());
        self.open = Some((call, now.plus(self.limits.call_timeout)));
    }

    fn close(&mut self, id: &Id) -> Option<Outgoing<X>> {
        self.open.take_if(|(call, _)| id.is(&call.message_id)).map(|(call, _)| call)
    }

    /// The open CALL, if its time is up.
    pub(crate) fn expire(&mut self, now: Timestamp) -> Option<Outgoing<X>> {
        self.open.take_if(|(_, deadline)| *deadline <= now).map(|(call, _)| call)
    }

    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        self.open.as_ref().map(|(_, deadline)| *deadline)
    }

    /// Forgets everything and names the CALLs that will get no answer.
    pub(crate) fn lost(&mut self) -> Vec<u64> {
        self.asked.clear();
        let open = self.open.take().map(|(call, _)| call);
        open.into_iter().chain(self.waiting.drain(..)).map(|call| call.number).collect()
    }

    pub(crate) fn log_in<E: From<Wire>>(
        &self,
        at: Timestamp,
        action: &str,
        text: Box<str>,
        noted: impl Into<Noted>,
        out: &mut Vec<E>,
    ) {
        let (Noted { remarks, deviations }, direction) = (noted.into(), self.inward);
        out.push(Wire::Log(LogLine { at, direction, action: action.into(), text, remarks, deviations }).into());
    }

    const fn outward(&self) -> Direction {
        match self.inward {
            Direction::FromStation => Direction::ToStation,
            Direction::ToStation => Direction::FromStation,
        }
    }
}
