//! Payloads in and out: the wrapped library's types and validation, with repair before and judgement after.
//!
//! A sound payload costs one strict reading. Only where that fails is the payload repaired ([`crate::repair`]) and
//! read again, and what is still wrong becomes a [`Fault`] with the code that the standards name. Deliberately no
//! mapping to our words. Invariants: every repair leaves a remark; what leaves us was validated.

use charge::Timestamp;
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
    pub(crate) remarks: Vec<Box<str>>,
}

impl Notes {
    pub(crate) const fn at(now: Timestamp) -> Self {
        Self { now, remarks: Vec::new() }
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
    let raw: &RawValue = serde_json::from_str(payload).map_err(|_| Fault::new(Code::Malformed, "not valid JSON"))?;
    decode_payload::<T>(raw, &DecodeOptions::strict()).map_err(|error| fault(&error))
}

/// Reads a payload generously: repaired where the strict reading fails. Words that the schemas do not know stay as
/// text, for the bridge to decide.
pub(crate) fn generous<T: DeserializeOwned + Serialize + Validate>(
    rules: &Rules,
    action: &str,
    payload: &str,
    notes: &mut Notes,
) -> Result<T, Fault> {
    let first = match strict::<T>(payload) {
        Ok(value) => return Ok(value),
        Err(fault) if fault.code == Code::Malformed => return Err(fault),
        Err(fault) => fault,
    };
    let Some(repaired) = repair::payload(rules, action, payload, notes) else { return Err(first) };
    let Ok(value) = serde_json::from_str::<T>(&repaired) else { return strict(&repaired) };
    let Err(violations) = value.validate() else { return Ok(value) };
    for violation in violations {
        if !tolerated(&violation) {
            return Err(Fault::at(code(violation.kind), violation.path, "not what the schema allows"));
        }
        notes.remark(&violation.path, "not what the schema allows; kept");
    }
    Ok(value)
}

/// Words out of the lists, over-long names of tokens, and empty lists of values are kept: a refusal would lose
/// a reading or have a transaction message repeated for ever.
fn tolerated(violation: &Violation) -> bool {
    let member = violation.path.rsplit('/').next().unwrap_or_default();
    match violation.kind {
        ViolationKind::UnknownEnumValue => true,
        ViolationKind::Property => matches!(member, "idTag" | "idToken" | "signedMeterData" | "publicKey"),
        ViolationKind::Occurrence => {
            matches!(member, "meterValue" | "sampledValue" | "transactionData" | "reportData" | "configurationKey")
        }
        _ => false,
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

fn fault(error: &DecodeError) -> Fault {
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
