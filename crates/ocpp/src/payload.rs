//! Payloads in and out: the wrapped library's types and validation, with repair before and judgement after.
//!
//! A sound payload costs one strict reading. Only where that fails is the payload repaired ([`crate::repair`]) and
//! read again, and what is still wrong becomes a [`Fault`] with the code that the standards name. Deliberately no
//! mapping to our words. Invariants: every repair leaves a remark; what leaves us was validated.

use charge::Timestamp;
use charge::talk::line::quirk::{Quirk, Quirks};
use ocpp_kit::RawValue;
use ocpp_kit::decode::{DecodeError, DecodeErrorKind, DecodeOptions, decode_payload};
use ocpp_kit::validate::{Validate, Violation, ViolationKind};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::repair;
use crate::rules::{Code, Fault, Rules};

/// How many remarks one message may leave.
const REMARKS_MAX: usize = 32;

/// The circumstances under which a message is read or written, and what was remarkable about it.
#[derive(Debug)]
pub(crate) struct Notes {
    /// When the message arrived or leaves.
    pub(crate) now: Timestamp,
    /// What is tolerated.
    pub(crate) quirks: Quirks,
    pub(crate) remarks: Vec<Box<str>>,
    /// What was met of it, tolerated or not.
    pub(crate) deviations: Quirks,
    /// Where the first was met that is not tolerated.
    refused: Option<Box<str>>,
}

impl Notes {
    pub(crate) const fn at(now: Timestamp) -> Self {
        Self::under(now, Quirks::USUAL)
    }

    pub(crate) const fn under(now: Timestamp, quirks: Quirks) -> Self {
        Self { now, quirks, remarks: Vec::new(), deviations: Quirks::NONE, refused: None }
    }

    /// A deviation was met. Where it is tolerated it is remarked, and the answer is yes.
    pub(crate) fn tolerates(&mut self, quirk: Quirk, path: &str, what: &str) -> bool {
        self.deviations = self.deviations.with(quirk);
        let tolerated = self.quirks.has(quirk);
        if tolerated {
            self.remark(path, what);
        } else if self.refused.is_none() {
            self.refused = Some(path.into());
        }
        tolerated
    }

    /// Why the repaired message is refused nevertheless, if something was met that is not tolerated. `rest` is what is
    /// wrong with it still; a null alone is nothing to the reader.
    pub(crate) fn refusal(&mut self, rest: impl FnOnce() -> Option<Fault>) -> Option<Fault> {
        let path = self.refused.take()?;
        Some(rest().unwrap_or_else(|| Fault::at(Code::Type, path, "null, which is no value")))
    }

    /// Notes of what is inside this message.
    pub(crate) const fn within(&self) -> Self {
        Self::under(self.now, self.quirks)
    }

    /// `what` never quotes a value that may be personal.
    pub(crate) fn remark(&mut self, path: &str, what: &str) {
        if self.remarks.len() < REMARKS_MAX {
            let told = if path.is_empty() { what.to_owned() } else { format!("{path}: {what}") };
            self.remarks.push(told.into());
        }
    }
}

/// Reads a payload exactly as the schemas demand.
pub(crate) fn strict<T: DeserializeOwned + Serialize + Validate>(payload: &str) -> Result<T, Fault> {
    // the library tells what is wrong and where, at twice the price: it is asked where something is
    if payload.starts_with('{')
        && let Ok(value) = serde_json::from_str::<T>(payload)
        && value.validate().is_ok()
    {
        return Ok(value);
    }
    let raw: &RawValue = serde_json::from_str(payload).map_err(|_| Fault::new(Code::Malformed, "not valid JSON"))?;
    decode_payload::<T>(raw, &DecodeOptions::strict()).map_err(|error| fault(&error))
}

/// A null in the place of an optional member reads like its absence, which the schemas do not allow.
pub(crate) fn may_hold_null(payload: &str) -> bool {
    payload.contains("null")
}

/// Reads a payload generously: repaired where the strict reading fails. Words that the schemas do not know stay as
/// text, for the bridge to decide.
pub(crate) fn generous<T: DeserializeOwned + Serialize + Validate>(
    rules: &Rules,
    action: &str,
    payload: &str,
    notes: &mut Notes,
) -> Result<T, Fault> {
    if !notes.quirks.has(Quirk::ExtraMember) {
        belongs::<T>(payload, notes)?;
    }
    let first = match strict::<T>(payload) {
        Ok(value) if !may_hold_null(payload) => return Ok(value),
        Ok(_) => None,
        Err(fault) if fault.code == Code::Malformed => return Err(fault),
        Err(fault) => Some(fault),
    };
    let Some(repaired) = repair::payload(rules, action, payload, notes) else {
        return Err(first.unwrap_or_else(|| Fault::new(Code::Malformed, "not a sound JSON object")));
    };
    if let Some(fault) = notes.refusal(|| strict::<T>(&repaired).err()) {
        return Err(fault);
    }
    let Ok(value) = serde_json::from_str::<T>(&repaired) else { return strict(&repaired) };
    let Err(violations) = value.validate() else { return Ok(value) };
    for violation in violations {
        let kept = "not what the schema allows; kept";
        if !tolerance(&violation).is_some_and(|quirk| notes.tolerates(quirk, &violation.path, kept)) {
            return Err(Fault::at(code(violation.kind), violation.path, "not what the schema allows"));
        }
    }
    Ok(value)
}

/// Refuses members that the schema does not have, where the rest is in order.
fn belongs<T: DeserializeOwned + Serialize + Validate>(payload: &str, notes: &mut Notes) -> Result<(), Fault> {
    let Ok(raw) = serde_json::from_str::<&RawValue>(payload) else { return Ok(()) };
    match decode_payload::<T>(raw, &DecodeOptions::pedantic()) {
        Err(error) if error.kind == DecodeErrorKind::UnknownField => {
            let fault = fault(&error);
            notes.tolerates(Quirk::ExtraMember, &fault.path, "not a member");
            Err(fault)
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Words out of the lists, over-long names of tokens, and empty lists of values are kept: a refusal would lose
/// a reading or have a transaction message repeated for ever.
fn tolerance(violation: &Violation) -> Option<Quirk> {
    let member = violation.path.rsplit('/').next().unwrap_or_default();
    match violation.kind {
        ViolationKind::UnknownEnumValue => Some(Quirk::UnknownWord),
        ViolationKind::Property => {
            let long = matches!(member, "idTag" | "idToken" | "signedMeterData" | "publicKey" | "eventId");
            long.then_some(Quirk::LongToken)
        }
        ViolationKind::Occurrence => {
            let list =
                matches!(member, "meterValue" | "sampledValue" | "transactionData" | "reportData" | "configurationKey");
            list.then_some(Quirk::EmptyList)
        }
        _ => None,
    }
}

/// Writes a payload, validated.
pub(crate) fn write<T: Serialize + Validate>(value: &T) -> Result<String, Fault> {
    if let Err(violations) = value.validate() {
        let path = violations.first().map(|violation| violation.path.clone()).unwrap_or_default();
        return Err(Fault::at(Code::Internal, path, "has no valid form in this version"));
    }
    serde_json::to_string(value).map_err(|_| Fault::new(Code::Internal, "cannot be written"))
}

pub(crate) fn fault(error: &DecodeError) -> Fault {
    let (code, why) = match error.kind {
        DecodeErrorKind::Format => (Code::Malformed, "not a sound JSON object"),
        DecodeErrorKind::Occurrence => (Code::Occurrence, "missing, or too few or too many"),
        DecodeErrorKind::Type => (Code::Type, "wrong JSON type"),
        DecodeErrorKind::Property => (Code::Property, "too long, out of range or not in the list"),
        DecodeErrorKind::UnknownField => (Code::Property, "not a member of this message"),
        DecodeErrorKind::Protocol => (Code::Protocol, "does not fit the other members"),
        DecodeErrorKind::UnsupportedAction => (Code::NotSupported, "not an action of this direction"),
        _ => (Code::Protocol, "cannot be read"),
    };
    Fault::at(code, pointer(&error.path), why)
}

const fn code(kind: ViolationKind) -> Code {
    match kind {
        ViolationKind::Occurrence => Code::Occurrence,
        ViolationKind::Type => Code::Type,
        ViolationKind::Protocol => Code::Protocol,
        _ => Code::Property,
    }
}

/// The library's `/meterValue[0]/timestamp` as the RFC 6901 pointer `/meterValue/0/timestamp`.
fn pointer(path: &str) -> String {
    path.replace('[', "/").replace(']', "")
}

/// Is this one JSON object? For payloads that are handed on unread.
pub(crate) fn object(payload: &str) -> Result<(), Fault> {
    let raw: &RawValue = serde_json::from_str(payload).map_err(|_| Fault::new(Code::Malformed, "not valid JSON"))?;
    let is_object = raw.get().starts_with('{');
    if is_object { Ok(()) } else { Err(Fault::new(Code::Protocol, "not a JSON object")) }
}
