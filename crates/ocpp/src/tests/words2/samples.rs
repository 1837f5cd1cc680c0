//! Parts that several samples share: with every optional member, in the words of both versions or of 2.1 only.

use super::super::now;
use charge::id::{EvseNo, TransactionKey};
use charge::talk::line::certificate::CertificateHash;
use charge::talk::line::charging::{Period, Profile, ProfileKind, ProfilePurpose, RateUnit, Schedule};
use charge::talk::line::display::DisplayMessage;
use charge::talk::line::document::{Document, Part};
use charge::talk::line::model::{Monitor, MonitorKind, Stream, StreamPace};
use charge::talk::line::payment::{Vendor, VendorAnswer};
use charge::talk::line::{FromStation, Heard, StationAnswer, ToStation};
use charge::{Decimal, Secret};
use std::time::Duration;

/// A word that only 2.1 has.
pub(super) const NEW: bool = true;
pub(super) const BOTH: bool = false;

pub(super) type Said = (bool, FromStation, Heard);
pub(super) type Told = (bool, ToStation, StationAnswer);

pub(super) fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(super) fn key() -> TransactionKey {
    TransactionKey::Text("tx-9".into())
}

pub(super) fn refused(word: &str) -> StationAnswer {
    StationAnswer::Refused(word.into())
}

pub(super) fn one() -> EvseNo {
    EvseNo::new(1).unwrap()
}

pub(super) fn secret(text: &str) -> Secret<Box<str>> {
    Secret::new(text.into())
}

pub(super) fn hash(serial: &str) -> CertificateHash {
    CertificateHash {
        algorithm: "SHA256".into(),
        issuer_name: "aa11".into(),
        issuer_key: "bb22".into(),
        serial: serial.into(),
    }
}

pub(super) fn part() -> Part {
    Part { request: 7, seq: 2, more: true }
}

/// The same where the message has no number of its own.
pub(super) fn unnumbered() -> Part {
    Part { seq: 0, ..part() }
}

pub(super) fn plain_period() -> Period {
    Period { start: 0, limit: Some(dec("11000.0")), phases: Some(1), phase_to_use: Some(2), ..Period::default() }
}

pub(super) fn new_period() -> Period {
    Period {
        start: 600,
        limit: Some(dec("16")),
        discharge_limit: Some(dec("-5.5")),
        setpoint: Some(dec("-3.25")),
        mode: Some("CentralSetpoint".into()),
        more: Some(Document::new(r#"{"setpointReactive":1.50,"v2xBaseline":100}"#)),
        ..Period::default()
    }
}

pub(super) fn schedule(period: Period, more: &str) -> Schedule {
    Schedule {
        id: 3,
        start: Some(now()),
        lasts: Some(Duration::from_secs(3600)),
        unit: RateUnit::Watts,
        min_rate: Some(dec("1400.5")),
        periods: vec![period],
        more: Some(Document::new(more)),
    }
}

pub(super) fn plain_schedule() -> Schedule {
    let more = r#"{"salesTariff":{"id":1,"salesTariffEntry":[{"relativeTimeInterval":{"start":0,"duration":60},"ePriceLevel":1}],"numEPriceLevels":1}}"#;
    schedule(plain_period(), more)
}

pub(super) fn profile() -> Profile {
    Profile {
        id: 5,
        stack_level: 1,
        purpose: ProfilePurpose::Tx,
        kind: ProfileKind::Daily,
        valid_from: Some(now()),
        valid_until: Some(now()),
        key: Some(key()),
        schedules: vec![plain_schedule()],
        more: None,
    }
}

pub(super) fn new_profile() -> Profile {
    Profile {
        purpose: ProfilePurpose::Priority,
        kind: ProfileKind::Dynamic,
        schedules: vec![schedule(new_period(), r#"{"useLocalTime":true,"randomizedDelay":5}"#)],
        more: Some(Document::new(r#"{"maxOfflineDuration":60,"dynUpdateInterval":10}"#)),
        ..profile()
    }
}

pub(super) fn monitor(id: Option<i32>, kind: MonitorKind) -> Monitor {
    Monitor {
        id,
        variable: "1/EVSE.Power".into(),
        kind,
        value: dec("22000.50"),
        severity: 4,
        in_transaction: true,
        stream: None,
    }
}

pub(super) fn stream() -> Stream {
    Stream { id: 1, monitor: 8, pace: pace() }
}

pub(super) fn pace() -> StreamPace {
    StreamPace { every: Some(Duration::from_secs(10)), values: Some(20) }
}

pub(super) fn message(state: &str, format: &str) -> DisplayMessage {
    DisplayMessage {
        id: 9,
        priority: "InFront".into(),
        state: Some(state.into()),
        from: Some(now()),
        until: Some(now()),
        key: Some(key()),
        format: format.into(),
        language: Some("de".into()),
        text: "Guten Tag".into(),
        more: Some(Document::new(r#"{"display":{"name":"Display","evse":{"id":1}}}"#)),
    }
}

pub(super) fn vendor() -> Vendor {
    let data = Document::new(r#"{"a":[1,"b"]}"#);
    Vendor { vendor: "com.example".into(), message: Some("m".into()), data: Some(data) }
}

pub(super) fn vendor_answer(status: &str) -> VendorAnswer {
    VendorAnswer { status: status.into(), data: Some(Document::new("\"text\"")) }
}
