//! What both ends share: a message read up to its body, requests, answers and faults written.
//!
//! Deliberately generous with headers as the field needs it (quirk 25): no `From`, ids that are no URN, whole URIs as
//! actions, the identity in the wrong name space. Invariants: exactly one identity; the action, where there is one, is
//! the body's; an answer goes to whoever asked and nowhere else.

use charge::Timestamp;
use charge::talk::line::quirk::Quirks;
use charge::talk::line::{Direction, LogLine};
use soap::{Addressing, Blame, Element, Envelope, Fault as SoapFault, Limits, Malformed, Name, Prefix, addressing};

use super::table::{Dialect, Operation, Service};
use super::translate::{self, Unfit};
use crate::frame::{self, Id};
use crate::mask;
use crate::payload::Notes;
use crate::rules::{Code, Fault};

/// The header that says which station speaks or is spoken to (OCPP-S 1.6, 3.2).
const IDENTITY: &str = "chargeBoxIdentity";

/// How much of a peer's message id is shown in logs.
const LOGGED_ID_CHARACTERS_MAX: usize = 64;

/// What goes back in the HTTP response.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    pub http_status: u16,
    pub body: String,
}

/// The body may hold tokens.
impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reply({}, {} bytes)", self.http_status, self.body.len())
    }
}

/// A message that is not served, and what its sender hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub reply: Reply,
    /// For the log; never quotes the message.
    pub why: Box<str>,
    /// Whom the message named as its station, as far as it could be read. Unproven.
    pub identity: Option<String>,
}

/// Where a request goes, and how it is told from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trip {
    /// Without `urn:uuid:`, at most 36 characters.
    pub message_id: String,
    pub to: String,
    /// Where the sender can be called.
    pub from: String,
}

/// What is wrong with a message that was understood (OCPP-S 1.6, 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Not the station that is meant, or not proven to be it.
    Identity,
    /// Not allowed.
    Security,
    /// Cannot be served now.
    Internal,
}

/// A message up to its body.
pub(super) struct Message {
    pub soap: soap::Version,
    pub dialect: &'static Dialect,
    pub service: Service,
    pub operation: &'static Operation,
    pub identity: String,
    pub addressing: Addressing,
    body: Element,
}

impl Message {
    /// Reads a request to this service.
    pub fn request(service: Service, bytes: &[u8], limits: &Limits, notes: &mut Notes) -> Result<Self, Refused> {
        let envelope = Envelope::read(bytes, limits).map_err(|broken| {
            let fault = SoapFault::new(Blame::Sender, None, broken.to_string());
            refused(soap::Version::V12, fault, None)
        })?;
        let version = envelope.version;
        let identity = identity(&envelope, notes);
        let named = identity.as_ref().ok().cloned();
        let wrong = |fault: SoapFault| refused(version, fault, named.clone());
        let protocol =
            |why: String| SoapFault::new(Blame::Sender, Some(Name::new(place(service), "ProtocolError")), why);
        if let Some(name) = envelope.not_understood(understood) {
            let why = format!("the header {} is not understood", shown(&name.local));
            return Err(wrong(SoapFault::new(Blame::MustUnderstand, None, why)));
        }
        let addressing = Addressing::read(&envelope).map_err(|twice| wrong(protocol(twice.to_string())))?;
        let body = envelope.body.as_ref().ok_or_else(|| wrong(protocol("the body is empty".into())))?;
        let (dialect, operation) = operation(body, service).map_err(&wrong)?;
        let identity = identity.map_err(|why| wrong(protocol(why)))?;
        check(&addressing, operation, notes).map_err(|why| wrong(protocol(why)))?;
        if version != soap::Version::V12 {
            notes.remark("", "SOAP 1.1 where OCPP has 1.2");
        }
        let Some(body) = envelope.body else { return Err(wrong(protocol("the body is empty".into()))) };
        Ok(Self { soap: version, dialect, service, operation, identity, addressing, body })
    }

    /// The payload of 1.6 JSON that the body is.
    pub fn payload(&self, notes: &mut Notes) -> String {
        translate::to_json(self.operation.request, &self.body, notes)
    }

    /// The frame that this message would be in JSON.
    pub fn frame(&self, payload: &str) -> String {
        frame::call(&logged_id(self.addressing.message_id.as_deref()), self.operation.action, payload)
    }

    /// The answer; its payload is one of 1.6 JSON.
    pub fn answer(&self, message_id: &str, payload: &str, notes: &mut Notes) -> Result<Reply, Fault> {
        let space = self.dialect.space(self.service);
        let children = translate::to_xml(self.operation.response, payload, space, notes).map_err(unfit)?;
        let body = Element::with_children(space, &element(self.operation.action, "Response"), children);
        let headers = self.answering(message_id).write();
        let text = Envelope::new(self.soap, headers, body).write(&prefixes(space));
        Ok(Reply { http_status: 200, body: text })
    }

    pub fn fault(&self, message_id: &str, fault: &Fault) -> Reply {
        let (blame, code) = spelled(fault.code);
        let subcode = Name::new(self.dialect.space(self.service), code);
        let fault = SoapFault::new(blame, Some(subcode), fault.told());
        let body = fault.write(self.soap, self.answering(message_id).write());
        Reply { http_status: fault.http_status(self.soap), body }
    }

    pub fn refuse(&self, message_id: &str, wrong: Wrong, why: &str) -> Reply {
        let (blame, code) = match wrong {
            Wrong::Identity => (Blame::Sender, "IdentityMismatch"),
            Wrong::Security => (Blame::Sender, "SecurityError"),
            Wrong::Internal => (Blame::Receiver, "InternalError"),
        };
        let fault = SoapFault::new(blame, Some(Name::new(self.dialect.space(self.service), code)), why);
        let body = fault.write(self.soap, self.answering(message_id).write());
        Reply { http_status: fault.http_status(self.soap), body }
    }

    fn answering(&self, message_id: &str) -> Addressing {
        Addressing {
            message_id: Some(format!("urn:uuid:{message_id}")),
            action: Some(format!("/{}Response", self.operation.action)),
            to: Some(addressing::ANONYMOUS.to_owned()),
            relates_to: self.addressing.message_id.clone(),
            ..Addressing::default()
        }
    }
}

/// A request of ours.
pub(super) struct Request {
    pub dialect: &'static Dialect,
    pub service: Service,
    pub operation: &'static Operation,
    pub message_id: String,
    pub body: String,
}

impl Request {
    /// `None` where the version has no such operation, or no form for this payload; then there is a remark.
    pub fn write(
        dialect: &'static Dialect,
        service: Service,
        action: &str,
        payload: &str,
        identity: &str,
        trip: &Trip,
        notes: &mut Notes,
    ) -> Option<Self> {
        let Some(operation) = dialect.operation(service, action) else {
            notes.remark("", &format!("{} has no {action}", dialect.version.label()));
            return None;
        };
        let space = dialect.space(service);
        let children = match translate::to_xml(operation.request, payload, space, notes) {
            Ok(children) => children,
            Err(Unfit { path }) => {
                notes.remark(&path, "has no form in this version");
                return None;
            }
        };
        let addressing = Addressing {
            message_id: Some(format!("urn:uuid:{}", trip.message_id)),
            action: Some(format!("/{action}")),
            to: Some(trip.to.clone()),
            from: Some(trip.from.clone()),
            reply_to: Some(addressing::ANONYMOUS.to_owned()),
            relates_to: None,
        };
        let mut headers = vec![Element::with_text(space, IDENTITY, identity)];
        headers.extend(addressing.write());
        let body = Element::with_children(space, &element(action, "Request"), children);
        let body = Envelope::new(soap::Version::V12, headers, body).write(&prefixes(space));
        Some(Self { dialect, service, operation, message_id: trip.message_id.clone(), body })
    }

    /// Reads the answer: the payload of 1.6 JSON, or the fault.
    pub fn answered(&self, bytes: &[u8], limits: &Limits, notes: &mut Notes) -> Result<String, NoAnswer> {
        let envelope = Envelope::read(bytes, limits)?;
        if let Some(fault) = SoapFault::of(&envelope) {
            return Err(NoAnswer::Fault(fault));
        }
        let wanted = element(self.operation.action, "Response");
        let body = envelope.body.as_ref().filter(|body| *body.name.local == *wanted).ok_or(NoAnswer::Other)?;
        if *body.name.space != *self.dialect.space(self.service) {
            notes.remark("", "the answer is in another name space");
        }
        let related = Addressing::read(&envelope)?.relates_to;
        if related.is_some_and(|related| !related.ends_with(&self.message_id)) {
            notes.remark("", "the answer relates to another message");
        }
        Ok(translate::to_json(self.operation.response, body, notes))
    }
}

/// Why an exchange brought no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("{0}")]
    Broken(#[from] Malformed),
    #[error("a fault")]
    Fault(SoapFault),
    #[error("not the answer to this message")]
    Other,
}

/// One line for the station's message log; `frame` is masked here.
pub(super) fn line(direction: Direction, action: String, frame: &str, sound: bool, notes: Notes) -> LogLine {
    let text = if sound { mask::sound(frame) } else { mask::frame(frame).into() };
    LogLine {
        at: notes.now,
        direction,
        action: action.into(),
        text,
        remarks: notes.remarks,
        deviations: notes.deviations,
    }
}

/// A line for a message that is no frame.
pub(super) fn unread(direction: Direction, action: String, bytes: usize, at: Timestamp, why: &str) -> LogLine {
    let text = format!("(unreadable, {bytes} bytes)").into();
    LogLine { at, direction, action: action.into(), text, remarks: vec![why.into()], deviations: Quirks::NONE }
}

pub(super) fn logged_id(id: Option<&str>) -> Id {
    let short: String = id.unwrap_or_default().chars().take(LOGGED_ID_CHARACTERS_MAX).collect();
    Id::new(&short)
}

/// A member that the version demands and the answer does not have: our fault.
fn unfit(unfit: Unfit) -> Fault {
    Fault::at(Code::Internal, unfit.path, "has no form in this version")
}

/// OCPP-S 1.6, 5: five codes where JSON has eleven.
const fn spelled(code: Code) -> (Blame, &'static str) {
    match code {
        Code::Security => (Blame::Sender, "SecurityError"),
        Code::Malformed
        | Code::Framework
        | Code::Protocol
        | Code::UnknownType
        | Code::Occurrence
        | Code::Property
        | Code::Type => (Blame::Sender, "ProtocolError"),
        Code::NotImplemented | Code::NotSupported => (Blame::Receiver, "NotSupported"),
        Code::Internal => (Blame::Receiver, "InternalError"),
    }
}

fn refused(version: soap::Version, fault: SoapFault, identity: Option<String>) -> Refused {
    let reply = Reply { http_status: fault.http_status(version), body: fault.write(version, Vec::new()) };
    Refused { reply, why: fault.reason.into(), identity }
}

/// The name space for a fault when the version is not known yet.
fn place(service: Service) -> &'static str {
    Dialect::ALL[Dialect::ALL.len() - 1].space(service)
}

fn prefixes(space: &str) -> [Prefix<'_>; 2] {
    [addressing::PREFIX, ("o", space)]
}

fn understood(name: &Name) -> bool {
    Addressing::understands(name) || name.local.eq_ignore_ascii_case(IDENTITY)
}

/// The one identity, in whatever name space and letter case (OCPP-S 1.6, 3.2; quirk 25).
fn identity(envelope: &Envelope, notes: &mut Notes) -> Result<String, String> {
    let header =
        envelope.header(|name| name.local.eq_ignore_ascii_case(IDENTITY)).map_err(|twice| twice.to_string())?;
    let header = header.ok_or_else(|| format!("no {IDENTITY} in the header"))?;
    let same = envelope.body.as_ref().is_some_and(|body| body.name.space == header.name.space);
    if !same {
        notes.remark("", &format!("{IDENTITY} is in another name space than the body"));
    }
    let text = header.word();
    if text.is_empty() { Err(format!("{IDENTITY} is empty")) } else { Ok(text.to_owned()) }
}

fn operation(body: &Element, service: Service) -> Result<(&'static Dialect, &'static Operation), SoapFault> {
    let refuse = |blame, code: &str, why: String| {
        let space = if Dialect::at(&body.name.space).is_some() { &*body.name.space } else { place(service) };
        SoapFault::new(blame, Some(Name::new(space, code)), why)
    };
    let (dialect, called) = Dialect::at(&body.name.space)
        .ok_or_else(|| refuse(Blame::Receiver, "NotSupported", "OCPP 1.5 and 1.6 are spoken here".into()))?;
    if called != service {
        return Err(refuse(Blame::Sender, "ProtocolError", "the service of the other side is called".into()));
    }
    let name = &*body.name.local;
    let stem = name.strip_suffix("Request");
    let found =
        dialect.operations(service).iter().find(|operation| stem.is_some_and(|stem| is_stem(stem, operation.action)));
    let operation = found
        .ok_or_else(|| refuse(Blame::Receiver, "NotSupported", format!("no operation here has <{}>", shown(name))))?;
    Ok((dialect, operation))
}

/// `bootNotification` of `BootNotification`.
fn is_stem(stem: &str, action: &str) -> bool {
    stem.len() == action.len() && stem.get(1..) == action.get(1..) && stem[..1].eq_ignore_ascii_case(&action[..1])
}

/// `bootNotificationRequest` of `BootNotification`.
fn element(action: &str, suffix: &str) -> String {
    let mut name = String::with_capacity(action.len() + suffix.len());
    let mut characters = action.chars();
    name.extend(characters.next().map(|c| c.to_ascii_lowercase()));
    name.push_str(characters.as_str());
    name.push_str(suffix);
    name
}

fn check(addressing: &Addressing, operation: &Operation, notes: &mut Notes) -> Result<(), String> {
    match addressing.operation() {
        None => notes.remark("", "no Action in the header"),
        Some(named) if named.eq_ignore_ascii_case(operation.action) => {
            if addressing.action.as_deref() != Some(&format!("/{}", operation.action)) {
                notes.remark("", "Action is not the operation's name behind a slash");
            }
        }
        Some(_) => return Err("the Action in the header is not the one of the body".into()),
    }
    if addressing.message_id.is_none() {
        notes.remark("", "no MessageID in the header");
    }
    Ok(())
}

fn shown(name: &str) -> String {
    name.chars().take(LOGGED_ID_CHARACTERS_MAX).collect()
}
