//! OCPP 1.6: all six feature profiles, the security whitepaper, and the two notes that ride on `DataTransfer`.
//!
//! `hear` and `tell` are the operator's end, `say` and `obey` the station's; each hands what is not Core to the file of
//! its profile, where the four faces of a message stand together. Deliberately blind to frames: payloads only, so that
//! SOAP can use the same bridge. Invariant: a connector is an EVSE, and number 0 is the station.

pub(super) mod certificate;
mod charging;
pub(super) mod hear;
mod list;
mod meter;
pub(super) mod obey;
pub(super) mod pnc;
pub(super) mod say;
pub(crate) mod tell;
mod trigger;
mod upkeep;
mod vendor;

use std::time::Duration;

use charge::id::EvseNo;
use charge::talk::line::{LineFault, StationAnswer, Version};

use super::{misfit, unplaced};
use crate::payload::Notes;
use crate::rules::{Code, Fault, Rules};

const RULES: &Rules = Rules::of(Version::V16);

/// `connectorId` as an EVSE; 0 and nonsense are the whole station.
fn evse(connector: i32) -> Option<EvseNo> {
    u16::try_from(connector).ok().and_then(EvseNo::new)
}

/// The same in an order: what is meant for a connector that cannot be is never widened to the whole station.
fn ordered_evse(connector: i32) -> Result<Option<EvseNo>, Fault> {
    match evse(connector) {
        None if connector != 0 => Err(Fault::at(Code::Property, "/connectorId", "no connector has this number")),
        evse => Ok(evse),
    }
}

fn connector(evse: Option<EvseNo>) -> i32 {
    evse.map_or(0, |evse| i32::from(evse.get()))
}

/// The status word of a station's answer: its own where the message's list has it, else the list's refusal. "Not
/// supported" and "not implemented" become the error of that name where the list has no such word (OCPP-J 1.6, 4.2.3).
fn status(answer: &StationAnswer, list: &[&str], refusal: &'static str) -> Result<String, Fault> {
    let word = match answer {
        StationAnswer::Accepted => "Accepted",
        StationAnswer::Scheduled => "Scheduled",
        StationAnswer::Refused(word) => word,
        _ => return Err(misfit()),
    };
    match word {
        known if list.contains(&known) => Ok(known.to_owned()),
        "NotImplemented" => Err(Fault::new(Code::NotImplemented, "not implemented here")),
        "NotSupported" => Err(Fault::new(Code::NotSupported, "not served here")),
        _ => Ok(refusal.to_owned()),
    }
}

/// What a status word means to the operator.
fn answered(word: &str) -> StationAnswer {
    match word {
        "Accepted" | "Unlocked" => StationAnswer::Accepted,
        "Scheduled" => StationAnswer::Scheduled,
        other => StationAnswer::Refused(other.into()),
    }
}

/// Whole seconds, which is all that 1.6 counts.
fn seconds(time: Duration, notes: &mut Notes) -> Result<i32, LineFault> {
    let whole = i32::try_from(time.as_secs()).ok().filter(|_| time.subsec_nanos() == 0);
    whole.ok_or_else(|| unplaced(notes, "1.6 counts in whole seconds of 31 bits"))
}

/// A count that the standard writes as any integer and means as a natural number.
fn natural(number: i32, path: &str) -> Result<u32, Fault> {
    u32::try_from(number).map_err(|_| Fault::at(Code::Property, path, "below 0"))
}

fn duration(number: i32, path: &str) -> Result<Duration, Fault> {
    natural(number, path).map(|seconds| Duration::from_secs(seconds.into()))
}
