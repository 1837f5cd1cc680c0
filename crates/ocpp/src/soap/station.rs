//! The station's end: its messages and the operator's answers, orders and the answers to them.
//!
//! The mirror of [`super::central`]. Deliberately no queue and no retry: the station's room keeps what must not get
//! lost. Invariant: an order for another station is refused before it is looked at.

use charge::Timestamp;
use charge::talk::line::{FromStation, Heard, LineFault, StationAnswer, ToStation, Version};

use super::central::line_fault;
use super::message::{self, Message, NoAnswer, Refused, Reply, Trip, Wrong};
use super::table::{Dialect, Service};
use crate::bridge::{self, Said, Told};
use crate::payload::Notes;

/// A message under way.
pub struct Saying {
    request: message::Request,
    said: Said,
    action: String,
}

impl Saying {
    /// Writes a message. `Err` where the version has no such operation or no form for what it says.
    pub fn write(
        version: Version,
        identity: &str,
        what: &FromStation,
        trip: &Trip,
        now: Timestamp,
    ) -> Result<Self, LineFault> {
        let mut notes = Notes::at(now);
        let bridge::Call { action, payload, expect } = bridge::say(Version::V16, what, &mut notes)?;
        let dialect = Dialect::of(version).ok_or(LineFault::NotInVersion)?;
        let request = message::Request::write(dialect, Service::Central, &action, &payload, identity, trip, &mut notes)
            .ok_or(LineFault::NotInVersion)?;
        Ok(Self { request, said: expect, action: action.into_owned() })
    }

    /// The text to send.
    pub fn body(&self) -> &str {
        &self.request.body
    }

    /// The operation's name.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// Reads what the operator answered.
    pub fn heard(&self, bytes: &[u8], limits: &soap::Limits, now: Timestamp) -> Result<Heard, LineFault> {
        let mut notes = Notes::at(now);
        let payload = self.request.answered(bytes, limits, &mut notes).map_err(|fault| match fault {
            NoAnswer::Fault(fault) => line_fault(fault),
            NoAnswer::Broken(_) | NoAnswer::Other => LineFault::Unreadable(fault.to_string().into()),
        })?;
        bridge::heard(Version::V16, &self.said, &self.action, &payload, &mut notes)
            .map_err(|fault| LineFault::Unreadable(fault.told().into()))
    }
}

/// An order that waits for its answer.
pub struct Ticket {
    message: Message,
    told: Told,
    now: Timestamp,
}

impl Ticket {
    /// Reads an order to the station `identity`, which speaks `version`.
    pub fn read(
        bytes: &[u8],
        limits: &soap::Limits,
        version: Version,
        identity: &str,
        message_id: &str,
        now: Timestamp,
    ) -> Result<(ToStation, Self), Refused> {
        let mut notes = Notes::at(now);
        let message = Message::request(Service::ChargePoint, bytes, limits, &mut notes)?;
        let refused =
            |reply: Reply, why: &str| Refused { reply, why: why.into(), identity: Some(message.identity.clone()) };
        // letter case says nothing, as in the field (quirk 2)
        if !message.identity.eq_ignore_ascii_case(identity) {
            let why = "this is another station";
            return Err(refused(message.refuse(message_id, Wrong::Identity, why), why));
        }
        if message.dialect.version != version {
            let why = "this station speaks another version";
            let fault = crate::rules::Fault::new(crate::rules::Code::NotSupported, why);
            return Err(refused(message.fault(message_id, &fault), why));
        }
        let payload = message.payload(&mut notes);
        match bridge::told(Version::V16, message.operation.action, &payload) {
            Ok((order, told)) => Ok((order, Self { message, told, now })),
            Err(fault) => Err(refused(message.fault(message_id, &fault), &fault.told())),
        }
    }

    pub fn answer(self, message_id: &str, answer: &StationAnswer) -> Reply {
        let mut notes = Notes::at(self.now);
        let payload = bridge::reply(Version::V16, &self.told, answer);
        let reply = payload.and_then(|payload| self.message.answer(message_id, &payload, &mut notes));
        reply.unwrap_or_else(|fault| self.message.fault(message_id, &fault))
    }
}
