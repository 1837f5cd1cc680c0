//! From frames to the words of the line and back: one bridge per version, side by side, with the same eight doors.
//!
//! Each direction has two: what a message says, and what its answer says, read on one end and written on the other.
//! Deliberately no queue and no envelope. Invariant: what has no place in a version is refused or remarked, not lost
//! in silence.

mod measure;
mod v16;
mod v2;

pub(crate) use v16::tell::next;

use std::borrow::Cow;

use charge::talk::line::model::MonitorKind;
use charge::talk::line::quirk::Quirk;
use charge::talk::line::{
    Denial, Foreign, FromStation, Heard, LineFault, Stage, StationAnswer, ToStation, Version, Written,
};
use charge::token::{TokenKind, TokenUid};
use charge::{Secret, Timestamp};
use ocpp_kit::types::DateTime;

use crate::payload::Notes;
use crate::rules::{Code, Fault};

/// A message of the station, as far as its answer depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Boot,
    Alive,
    Tap,
    Transaction(Stage),
    /// Answered with an empty object.
    Noted,
    /// Answered in the way of its action, which the version's bridge knows by name.
    Action(&'static str),
    /// `VatNumberValidation`, whose answer says the number again (2.1).
    VatNumber {
        number: charge::Personal<Box<str>>,
        evse: Option<i32>,
    },
    Foreign(Box<str>),
}

/// An order, as far as its answer depends on it.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Start,
    Stop,
    Reset,
    Unlock,
    Availability,
    Trigger,
    ClearCache,
    /// Named settings, or all of them in 1.6: answered at once.
    Read,
    /// The base report of 2.x: answered with a status, the settings come later.
    Report,
    Write(Pending),
    /// Certificates in 1.6: a question of several messages.
    Certificates(v16::certificate::Errand),
    /// Answered in the way of its action, which the version's bridge knows by name.
    Action(&'static str),
    /// `SetVariableMonitoring`, whose answer says kind and severity of each monitor again (2.x).
    Watch(Vec<(MonitorKind, u8)>),
    /// `GetVariables` or `SetVariables`, whose answer names each row again (2.x).
    Variables(&'static str, Vec<v2::Asked>),
    Foreign(Box<str>),
}

/// Writes of settings under way. 1.6 takes one in a message, so the rest waits here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pending {
    pub(crate) keys: Vec<Box<str>>,
    pub(crate) rest: Vec<(Box<str>, Secret<Box<str>>)>,
    pub(crate) done: Vec<(Box<str>, Written)>,
}

/// A message to send, with what its answer needs. Cannot print itself: its payload may hold tokens and secrets.
pub(crate) struct Call<X> {
    pub(crate) action: Cow<'static, str>,
    pub(crate) payload: String,
    pub(crate) expect: X,
}

impl<X> Call<X> {
    pub(crate) fn new(action: &'static str, payload: String, expect: X) -> Self {
        Self { action: Cow::Borrowed(action), payload, expect }
    }
}

/// The one message that is sent and never answered (2.1 part 4, 4.1.5: message type SEND).
pub(crate) const SENT: &str = "NotifyPeriodicEventStream";

/// A refusal for whom the order comes from: an error in every version, whatever statuses the answer has.
const SECURITY: &str = "SecurityError";

/// What the operator's end remembers between messages of one connection: the number of its last base report (2.x).
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) request: i32,
}

/// Reads a CALL of a station.
pub(crate) fn hear(
    version: Version,
    action: &str,
    payload: &str,
    notes: &mut Notes,
) -> Result<(FromStation, Said), Fault> {
    if action == "Heartbeat" && payload == "{}" {
        return Ok((FromStation::Alive, Said::Alive));
    }
    match version {
        Version::S15 | Version::S16 | Version::V16 => v16::hear::hear(action, payload, notes),
        Version::V201 | Version::V21 => v2::hear::hear(version, action, payload, notes),
    }
}

/// Writes the answer to a CALL of a station.
pub(crate) fn answer(version: Version, said: &Said, heard: Heard, notes: &mut Notes) -> Result<String, Fault> {
    match (said, heard) {
        (Said::Alive, Heard::Alive { now }) => Ok(format!("{{\"currentTime\":\"{}\"}}", now.whole_seconds())),
        (Said::Noted, Heard::Noted) => Ok("{}".to_owned()),
        (Said::Foreign(action), Heard::Noted) => Ok(foreign(action).0.to_owned()),
        (Said::Foreign(action), Heard::NotServed) => {
            foreign(action).1.map(str::to_owned).ok_or_else(|| Fault::new(Code::NotSupported, "not served here"))
        }
        (Said::Action(action), Heard::NotServed) => {
            foreign(action).1.map(str::to_owned).ok_or_else(|| Fault::new(Code::NotSupported, "not served here"))
        }
        (_, Heard::NotServed) => Err(Fault::new(Code::NotSupported, "not served here")),
        (said, heard) => match version {
            Version::S15 | Version::S16 | Version::V16 => v16::hear::answer(said, heard, notes),
            Version::V201 | Version::V21 => v2::hear::answer(version, said, heard, notes),
        },
    }
}

/// Writes an order.
pub(crate) fn order(
    version: Version,
    what: &ToStation,
    report: &mut Report,
    notes: &mut Notes,
) -> Result<Call<Told>, LineFault> {
    match version {
        Version::S15 | Version::S16 | Version::V16 => v16::tell::order(what, notes),
        Version::V201 | Version::V21 => v2::tell::order(version, what, report, notes),
    }
}

/// Reads a station's answer to an order.
pub(crate) fn outcome(
    version: Version,
    told: &mut Told,
    action: &str,
    payload: &str,
    notes: &mut Notes,
) -> Result<StationAnswer, Fault> {
    if let Told::Foreign(action) = told {
        crate::payload::object(payload)?;
        return Ok(StationAnswer::Foreign(Foreign { action: action.clone(), body: payload.into() }));
    }
    match version {
        Version::S15 | Version::S16 | Version::V16 => v16::tell::outcome(told, action, payload, notes),
        Version::V201 | Version::V21 => v2::tell::outcome(version, told, action, payload, notes),
    }
}

/// Writes a message of a station.
pub(crate) fn say(version: Version, what: &FromStation, notes: &mut Notes) -> Result<Call<Said>, LineFault> {
    match version {
        Version::S15 | Version::S16 | Version::V16 => v16::say::say(what, notes),
        Version::V201 | Version::V21 => v2::say::say(version, what, notes),
    }
}

/// Reads the operator's answer to a message of a station.
pub(crate) fn heard(
    version: Version,
    said: &Said,
    action: &str,
    payload: &str,
    notes: &mut Notes,
) -> Result<Heard, Fault> {
    if matches!(said, Said::Noted | Said::Foreign(_)) {
        crate::payload::object(payload)?;
        return Ok(Heard::Noted);
    }
    match version {
        Version::S15 | Version::S16 | Version::V16 => v16::say::heard(said, action, payload, notes),
        Version::V201 | Version::V21 => v2::say::heard(version, said, action, payload, notes),
    }
}

/// Reads an order.
pub(crate) fn told(version: Version, action: &str, payload: &str) -> Result<(ToStation, Told), Fault> {
    match version {
        Version::S15 | Version::S16 | Version::V16 => v16::obey::told(action, payload),
        Version::V201 | Version::V21 => v2::obey::told(version, action, payload),
    }
}

/// Writes a station's answer to an order.
pub(crate) fn reply(version: Version, told: &Told, answer: &StationAnswer) -> Result<String, Fault> {
    if let StationAnswer::Refused(word) = answer
        && &**word == SECURITY
    {
        return Err(Fault::new(Code::Security, "not allowed"));
    }
    if let Told::Foreign(_) = told {
        return match answer {
            StationAnswer::Foreign(Foreign { body, .. }) => crate::payload::object(body).map(|()| body.to_string()),
            StationAnswer::Refused(word) if &**word == "NotImplemented" => {
                Err(Fault::new(Code::NotImplemented, "not implemented here"))
            }
            StationAnswer::Refused(_) => Err(Fault::new(Code::NotSupported, "not served here")),
            _ => Err(misfit()),
        };
    }
    match version {
        Version::S15 | Version::S16 | Version::V16 => v16::obey::reply(told, answer),
        Version::V201 | Version::V21 => v2::obey::reply(version, told, answer),
    }
}

/// What a denial becomes. Total.
pub(crate) fn denied(denial: Denial) -> Fault {
    match denial {
        Denial::NotAccepted => Fault::new(Code::Security, "the station has not been accepted yet"),
        Denial::Misplaced(what) => Fault::new(Code::Property, what.into_string()),
        Denial::CannotKeep => Fault::new(Code::Internal, "cannot be kept now"),
    }
}

/// The answers to messages that have no word of ours: noted, and refused where the action has its own way to refuse.
fn foreign(action: &str) -> (&'static str, Option<&'static str>) {
    match action {
        "DataTransfer" => (r#"{"status":"Accepted"}"#, Some(r#"{"status":"UnknownVendorId"}"#)),
        _ if v16::pnc::carries(action) => (v16::pnc::UNKNOWN_MESSAGE, Some(v16::pnc::UNKNOWN_MESSAGE)),
        "SignCertificate"
        | "NotifyEVChargingNeeds"
        | "NotifyEVChargingSchedule"
        | "OpenPeriodicEventStream"
        | "PullDynamicScheduleUpdate" => (r#"{"status":"Accepted"}"#, Some(r#"{"status":"Rejected"}"#)),
        "Get15118EVCertificate" => {
            (r#"{"status":"Failed","exiResponse":""}"#, Some(r#"{"status":"Failed","exiResponse":""}"#))
        }
        "GetCertificateStatus" => (r#"{"status":"Failed"}"#, Some(r#"{"status":"Failed"}"#)),
        _ => ("{}", None),
    }
}

/// The desk's answer is not one to the question: our mistake, so the peer may ask again.
fn misfit() -> Fault {
    Fault::new(Code::Internal, "the answer does not fit the message")
}

/// A moment of the standards' type in ours.
fn moment(at: DateTime) -> Timestamp {
    Timestamp::from_micros(at.timestamp().as_microsecond())
}

/// Stations know no time before their first boot answer and count from 1970; OCPP is younger than this (quirk 14).
const CLOCK_SET_SINCE: Timestamp = Timestamp::from_secs(1_262_304_000);

/// The same, with the arrival time in the place of a clock that was never set.
fn plausible(at: DateTime, path: &str, notes: &mut Notes) -> Timestamp {
    let told = moment(at);
    if told >= CLOCK_SET_SINCE {
        return told;
    }
    let what = format!("the station's clock is not set ({told}), arrival time taken");
    if notes.tolerates(Quirk::UnsetClock, path, &what) { notes.now } else { told }
}

/// Our moment in the standards' type. The range of our type is checked: a far moment becomes the epoch.
fn wire(at: Timestamp) -> DateTime {
    jiff::Timestamp::from_microsecond(at.micros()).map_or(DateTime::UNIX_EPOCH, DateTime::from_timestamp)
}

/// A token as it was presented; `None` with a remark where it is none.
fn token(text: &str, kind: TokenKind, path: &str, notes: &mut Notes) -> Option<charge::token::PresentedToken> {
    match TokenUid::new(text) {
        Ok(uid) => Some(charge::token::PresentedToken::new(uid, kind)),
        Err(bad) => {
            notes.remark(path, &format!("no token: {bad}"));
            None
        }
    }
}

/// The status word of an answer: the wished one if the version's list has it, else the list's own refusal.
fn word<'a>(wished: &'a str, list: &[&str], otherwise: &'static str) -> &'a str
where
    'static: 'a,
{
    if list.contains(&wished) { wished } else { otherwise }
}

/// The fault of a message that has no place in the version.
fn unplaced(notes: &mut Notes, why: &str) -> LineFault {
    notes.remark("", why);
    LineFault::NotInVersion
}

/// The same for a payload that the version's schema refused.
fn unfit(notes: &mut Notes, fault: &Fault) -> LineFault {
    notes.remark("", &fault.told());
    LineFault::NotInVersion
}
