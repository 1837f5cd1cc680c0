//! Plug & Charge over 1.6: the OCA note puts nine messages of 2.0.1 as JSON text into `DataTransfer`.
//!
//! The bridge of 2.0.1 reads and writes the inner messages, so the words are the same in all versions. Deliberately no
//! reading of its own. Invariant: only the nine messages of the note get in, each from its own direction.

use charge::talk::line::{FromStation, Heard, LineFault, StationAnswer, ToStation, Version};
use ocpp_kit::v1_6 as kit;

use super::RULES;
use crate::bridge::{self, Call, Report, Said, Told, misfit, unfit, unplaced};
use crate::payload::{Notes, generous, write};
use crate::rules::{Code, Fault};

pub(super) const VENDOR: &str = "org.openchargealliance.iso15118pnc";

/// The 1.6 action that carries them all.
const CARRIER: &str = "DataTransfer";

/// The answer to a message of the note that is not served, or is none of the note's.
pub(in crate::bridge) const UNKNOWN_MESSAGE: &str = r#"{"status":"UnknownMessageId"}"#;

const AUTHORIZE: &str = "Authorize";
const TRIGGER: &str = "TriggerMessage";

/// How a station says that it does not serve an order.
const UNSERVED: [&str; 2] = ["NotSupported", "NotImplemented"];

/// One message of the note: its action in 2.0.1, and the name by which its answer is known here.
type Carried = (&'static str, &'static str);

pub(super) const LIST: &str = "GetInstalledCertificateIds in DataTransfer";
pub(super) const DELETE: &str = "DeleteCertificate in DataTransfer";

const FROM_STATION: [Carried; 4] = [
    (AUTHORIZE, "Authorize in DataTransfer"),
    ("Get15118EVCertificate", "Get15118EVCertificate in DataTransfer"),
    ("GetCertificateStatus", "GetCertificateStatus in DataTransfer"),
    ("SignCertificate", "SignCertificate in DataTransfer"),
];

const TO_STATION: [Carried; 5] = [
    ("CertificateSigned", "CertificateSigned in DataTransfer"),
    ("InstallCertificate", "InstallCertificate in DataTransfer"),
    ("DeleteCertificate", DELETE),
    ("GetInstalledCertificateIds", LIST),
    (TRIGGER, "TriggerMessage in DataTransfer"),
];

/// Is this the name of an answer that travels in the answer to `DataTransfer`?
pub(in crate::bridge) fn carries(name: &str) -> bool {
    FROM_STATION.iter().chain(&TO_STATION).any(|(_, known)| *known == name)
}

fn by_action(list: &[Carried], action: &str) -> Option<Carried> {
    list.iter().copied().find(|(known, _)| *known == action)
}

/// What an answer by this name depends on in 2.0.1.
fn said(name: &str) -> Option<(&'static str, Said)> {
    let (action, _) = FROM_STATION.iter().copied().find(|(_, known)| *known == name)?;
    Some((action, if action == AUTHORIZE { Said::Tap } else { Said::Action(action) }))
}

fn told_as(name: &str) -> Option<(&'static str, Told)> {
    let (action, _) = TO_STATION.iter().copied().find(|(_, known)| *known == name)?;
    Some((action, Told::Action(action)))
}

/// Reads a message of the note; `None` where it is none of the note's.
pub(super) fn hear(message: &str, data: &str, notes: &mut Notes) -> Option<Result<(FromStation, Said), Fault>> {
    let (action, name) = by_action(&FROM_STATION, message)?;
    let mut inner = notes.within();
    let heard = bridge::hear(Version::V201, action, data, &mut inner);
    inside(notes, &inner);
    Some(heard.map(|(word, _)| (word, Said::Action(name))).map_err(outside))
}

pub(super) fn answer(name: &str, heard: Heard, notes: &mut Notes) -> Result<String, Fault> {
    let (_, said) = said(name).ok_or_else(misfit)?;
    let data = bridge::answer(Version::V201, &said, heard, notes)?;
    let mut answer = kit::DataTransferResponse::new(kit::DataTransferStatus::Accepted);
    answer.data = Some(data);
    write(&answer)
}

pub(super) fn say(what: &FromStation, notes: &mut Notes) -> Result<Call<Said>, LineFault> {
    let inner = bridge::say(Version::V201, what, notes)?;
    let carried = by_action(&FROM_STATION, &inner.action);
    let (action, name) = carried.ok_or_else(|| unplaced(notes, "Plug & Charge over 1.6 has no such message"))?;
    Ok(Call::new(CARRIER, carrier(action, inner.payload, notes)?, Said::Action(name)))
}

pub(super) fn heard(name: &str, payload: &str, notes: &mut Notes) -> Result<Heard, Fault> {
    let (action, said) = said(name).ok_or_else(misfit)?;
    let answer: kit::DataTransferResponse = generous(RULES, CARRIER, payload, notes)?;
    match (&answer.status, answer.data.as_deref()) {
        (kit::DataTransferStatus::Accepted, Some(data)) => {
            let mut inner = notes.within();
            let heard = bridge::heard(Version::V201, &said, action, data, &mut inner);
            inside(notes, &inner);
            heard.map_err(outside)
        }
        (kit::DataTransferStatus::Accepted, None) => Err(Fault::at(Code::Occurrence, "/data", "no answer in it")),
        (_, _) => Ok(Heard::NotServed),
    }
}

pub(super) fn order(what: &ToStation, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    let inner = bridge::order(Version::V201, what, &mut Report::default(), notes)?;
    let carried = by_action(&TO_STATION, &inner.action);
    let (action, name) = carried.ok_or_else(|| unplaced(notes, "Plug & Charge over 1.6 has no such message"))?;
    Ok(Call::new(CARRIER, carrier(action, inner.payload, notes)?, Told::Action(name)))
}

pub(super) fn outcome(name: &str, payload: &str, notes: &mut Notes) -> Result<StationAnswer, Fault> {
    let (action, mut told) = told_as(name).ok_or_else(misfit)?;
    let answer: kit::DataTransferResponse = generous(RULES, CARRIER, payload, notes)?;
    match (&answer.status, answer.data.as_deref()) {
        (kit::DataTransferStatus::Accepted, Some(data)) => {
            let mut inner = notes.within();
            let outcome = bridge::outcome(Version::V201, &mut told, action, data, &mut inner);
            inside(notes, &inner);
            outcome.map_err(outside)
        }
        (kit::DataTransferStatus::Accepted, None) => Err(Fault::at(Code::Occurrence, "/data", "no answer in it")),
        (refusal, _) => Ok(StationAnswer::Refused(refusal.as_str().into())),
    }
}

/// Reads an order of the note; `None` where it is none of the note's.
pub(super) fn told(message: &str, data: &str) -> Option<Result<(ToStation, Told), Fault>> {
    let (action, name) = by_action(&TO_STATION, message)?;
    let told = bridge::told(Version::V201, action, data);
    Some(told.map(|(word, _)| (word, Told::Action(name))).map_err(outside))
}

pub(super) fn reply(name: &str, answer: &StationAnswer) -> Result<String, Fault> {
    let (action, told) = told_as(name).ok_or_else(misfit)?;
    // a trigger has a word of its own for it
    if action != TRIGGER && matches!(answer, StationAnswer::Refused(word) if UNSERVED.contains(&&**word)) {
        return Ok(UNKNOWN_MESSAGE.to_owned());
    }
    let data = bridge::reply(Version::V201, &told, answer)?;
    let mut answer = kit::DataTransferResponse::new(kit::DataTransferStatus::Accepted);
    answer.data = Some(data);
    write(&answer)
}

fn carrier(action: &str, data: String, notes: &mut Notes) -> Result<String, LineFault> {
    let mut message = kit::DataTransferRequest::new(VENDOR);
    message.message_id = Some(action.to_owned());
    message.data = Some(data);
    write(&message).map_err(|fault| unfit(notes, &fault))
}

/// The remarks on the inner message, told as remarks on the outer.
fn inside(notes: &mut Notes, inner: &Notes) {
    for remark in &inner.remarks {
        notes.remark("/data", remark);
    }
    notes.deviations = notes.deviations.or(inner.deviations);
}

/// A fault of the inner message, told as a fault of the outer.
fn outside(fault: Fault) -> Fault {
    Fault { path: format!("/data{}", fault.path), ..fault }
}
