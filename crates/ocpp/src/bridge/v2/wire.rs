//! Payloads of 2.x in and out: read with the types of 2.1, and on a 2.0.1 connection judged by those of 2.0.1 first.
//!
//! An action or a member that 2.0.1 does not have never leaves us there, and its error codes are those of its own
//! schemas. Deliberately not here: the messages of every second (status, transactions, values, heartbeats), which cost
//! one strict reading each ([`crate::payload::generous`]). Invariant: what leaves us was validated by its version.

use charge::talk::line::Version;
use charge::talk::line::quirk::Quirk;
use ocpp_kit::RawValue;
use ocpp_kit::decode::{DecodeError, DecodeOptions, UnknownEnumValues};
use ocpp_kit::validate::Validate;
use ocpp_kit::{v2_0_1 as old, v2_1 as kit};

use crate::payload::{Notes, fault, may_hold_null};
use crate::repair;
use crate::rules::{Code, Fault, Rules};

/// The payloads of one direction, as the wrapped library gives them for both versions.
pub(super) trait Door: Sized + Validate {
    fn decode(action: kit::Action, raw: &RawValue, options: &DecodeOptions) -> Result<Self, DecodeError>;
    fn judge(action: old::Action, raw: &RawValue, options: &DecodeOptions) -> Result<(), DecodeError>;
    fn named(&self) -> &'static str;
    fn text(&self) -> Option<String>;
}

macro_rules! doors {
    ($($name:ident),+) => {$(
        impl Door for kit::$name {
            fn decode(action: kit::Action, raw: &RawValue, options: &DecodeOptions) -> Result<Self, DecodeError> {
                Self::decode(action, raw, options)
            }

            fn judge(action: old::Action, raw: &RawValue, options: &DecodeOptions) -> Result<(), DecodeError> {
                old::$name::decode(action, raw, options).map(|_| ())
            }

            fn named(&self) -> &'static str {
                self.action().as_str()
            }

            fn text(&self) -> Option<String> {
                self.to_json().ok()
            }
        }
    )+};
}

doors!(CsRequest, CsResponse, CsmsRequest, CsmsResponse);

/// Words out of the lists are kept as they are, for the bridge to decide.
fn words_kept() -> DecodeOptions {
    let mut options = DecodeOptions::strict();
    options.unknown_enum_values = UnknownEnumValues::Preserve;
    options
}

/// Reads a payload exactly as the connection's version demands.
pub(super) fn strict<D: Door>(version: Version, action: &str, payload: &str) -> Result<D, Fault> {
    read(version, action, payload, &DecodeOptions::strict())
}

/// Reads a payload generously: repaired where the strict reading fails, with words out of the lists kept and remarked.
pub(super) fn generous<D: Door>(version: Version, action: &str, payload: &str, notes: &mut Notes) -> Result<D, Fault> {
    if !notes.quirks.has(Quirk::ExtraMember) {
        let whole = read::<D>(version, action, payload, &DecodeOptions::pedantic());
        if let (Err(fault), Ok(_)) = (whole, strict::<D>(version, action, payload)) {
            notes.tolerates(Quirk::ExtraMember, &fault.path, "not a member");
            return Err(fault);
        }
    }
    let first = match strict(version, action, payload) {
        Ok(value) if !may_hold_null(payload) => return Ok(value),
        Ok(_) => None,
        Err(fault) if matches!(fault.code, Code::Malformed | Code::NotImplemented | Code::NotSupported) => {
            return Err(fault);
        }
        Err(fault) => Some(fault),
    };
    let Some(repaired) = repair::payload(Rules::of(version), action, payload, notes) else {
        return Err(first.unwrap_or_else(|| Fault::new(Code::Malformed, "not a sound JSON object")));
    };
    let rest = || strict::<D>(version, action, &repaired).err();
    if let Some(fault) = notes.refusal(rest) {
        return Err(fault);
    }
    let value: D = read(version, action, &repaired, &words_kept())?;
    if let Err(violations) = value.validate() {
        for violation in violations {
            if !notes.tolerates(Quirk::UnknownWord, &violation.path, "not what the schema allows; kept") {
                return Err(Fault::at(Code::Property, violation.path, "not what the schema allows"));
            }
        }
    }
    Ok(value)
}

fn read<D: Door>(version: Version, action: &str, payload: &str, options: &DecodeOptions) -> Result<D, Fault> {
    let raw: &RawValue = serde_json::from_str(payload).map_err(|_| Fault::new(Code::Malformed, "not valid JSON"))?;
    if version == Version::V201 {
        let action = old::Action::from_wire(action).ok_or_else(|| unknown(version))?;
        D::judge(action, raw, options).map_err(|error| fault(&error))?;
    }
    let action = kit::Action::from_wire(action).ok_or_else(|| unknown(version))?;
    D::decode(action, raw, options).map_err(|error| fault(&error))
}

/// OCPP 2.0.1 part 4, table 10: an action that the version does not have is `NotImplemented`.
fn unknown(version: Version) -> Fault {
    Fault::new(
        Code::NotImplemented,
        match version {
            Version::V201 => "not an action of 2.0.1",
            Version::S15 | Version::S16 | Version::V16 | Version::V21 => "not an action of 2.1",
        },
    )
}

/// Writes a payload, validated by the connection's version: its action and its payload.
pub(super) fn write<D: Door>(version: Version, value: &D) -> Result<(&'static str, String), Fault> {
    let action = value.named();
    if let Err(violations) = value.validate() {
        let path = violations.first().map(|violation| violation.path.clone()).unwrap_or_default();
        return Err(Fault::at(Code::Internal, path, "has no valid form in this version"));
    }
    let text = value.text().ok_or_else(|| Fault::new(Code::Internal, "cannot be written"))?;
    if version == Version::V201 {
        judge::<D>(action, &text)?;
    }
    Ok((action, text))
}

/// Is this payload one of 2.0.1, with no member that only 2.1 has?
pub(super) fn judge<D: Door>(action: &str, text: &str) -> Result<(), Fault> {
    let old = old::Action::from_wire(action).ok_or_else(|| Fault::new(Code::Internal, "not an action of 2.0.1"))?;
    let raw: &RawValue = serde_json::from_str(text).map_err(|_| Fault::new(Code::Internal, "cannot be written"))?;
    D::judge(old, raw, &DecodeOptions::pedantic()).map_err(|error| {
        let found = fault(&error);
        Fault::at(Code::Internal, found.path, "2.0.1 has no form for this")
    })
}

/// Is this raw payload one that the connection's version allows? For messages that are handed on as they are.
pub(super) fn check<D: Door>(version: Version, action: &str, payload: &str) -> Result<(), Fault> {
    strict::<D>(version, action, payload).map(|_| ())
}
