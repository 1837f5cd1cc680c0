//! What a station of 1.6 says and an operator orders, with all optional members, and the answers: one list for each
//! profile. Read by the tests of the bridge, and by those that send it over a socket.

use std::time::Duration;

use charge::id::{EvseNo, TransactionKey};
use charge::meter::{Context, Measured, Reading, SignedRecord};
use charge::talk::line::certificate::{
    CertificateHash, CertificateNews, CertificateOrder, CertificateUse, InstalledCertificate, StationKey,
};
use charge::talk::line::charging::{
    ChargingOrder, Composite, Period, Profile, ProfileFilter, ProfileKind, ProfilePurpose, RateUnit, Schedule,
};
use charge::talk::line::document::Document;
use charge::talk::line::payment::{Vendor, VendorAnswer};
use charge::talk::line::reservation::{ListEntry, ListOrder, ReservationOrder};
use charge::talk::line::upkeep::{FirmwareSignature, LogKind, Progress, Retries, UpkeepOrder, Work};
use charge::talk::line::{
    Admission, BayState, Boot, EndReason, FromStation, Heard, MeterReport, Setting, Stage, StationAnswer, StatusReport,
    Tap, ToStation, TransactionReport, Trigger, Written,
};
use charge::token::{Allowed, PresentedToken, TokenKind, TokenUid, Verdict};
use charge::units::{Energy, Power};
use charge::{Decimal, Secret};

use super::{at, now};

pub(crate) const UID: &str = "04A2B3C4D5E680";

pub(crate) fn token() -> PresentedToken {
    PresentedToken::new(TokenUid::new(UID).unwrap(), TokenKind::Rfid)
}

pub(crate) fn secret(text: &str) -> Secret<Box<str>> {
    Secret::new(text.into())
}

pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn refused(word: &str) -> StationAnswer {
    StationAnswer::Refused(word.into())
}

pub(crate) fn hash() -> CertificateHash {
    CertificateHash {
        algorithm: "SHA256".into(),
        issuer_name: "ab".repeat(32).into(),
        issuer_key: "cd".repeat(32).into(),
        serial: "1F".into(),
    }
}

fn evse(number: u16) -> Option<EvseNo> {
    EvseNo::new(number)
}

fn transaction(stage: Stage) -> TransactionReport {
    let begin = at("2026-11-22T15:00:00.5Z");
    let reading = |context, measured| Reading { at: begin, context, phase: None, measured };
    let register = |context, wh| reading(context, Measured::EnergyImport(Energy::from_wh(wh)));
    let started = stage == Stage::Started;
    TransactionReport {
        stage,
        key: (!started).then_some(TransactionKey::Number(12)),
        seq: None,
        at: begin,
        evse: started.then(|| evse(2)).flatten(),
        token: Some(token()),
        readings: if started {
            vec![register(Context::TransactionBegin, 1500)]
        } else {
            vec![
                reading(Context::SamplePeriodic, Measured::PowerImport(Power::from_milliwatts(11_000_125))),
                reading(Context::TransactionEnd, signed("EDL", b"\x00\xff\x10", Some("oca:base16:asn1:3059"))),
                register(Context::TransactionEnd, 2500),
            ]
        },
        reason: (!started).then_some(EndReason::CarLeft),
        state: None,
        offline: false,
        remote_start: None,
        reservation: started.then_some(9),
        terms: None,
    }
}

fn signed(format: &str, bytes: &[u8], key: Option<&str>) -> Measured {
    Measured::Signed(SignedRecord { format: format.into(), bytes: bytes.into(), public_key: key.map(Into::into) })
}

fn text(data: &str) -> Option<Document> {
    Some(Document::new(serde_json::Value::String(data.to_owned()).to_string()))
}

fn vendor(data: Option<Document>) -> Vendor {
    Vendor { vendor: "com.example".into(), message: Some("Blink".into()), data }
}

fn progress(of: Work, request: Option<i32>, status: &str) -> (FromStation, Heard) {
    (FromStation::Progress(Progress { of, request, status: status.into(), places: vec![] }), Heard::Noted)
}

/// Every message of a station (1.6 chapter 4; whitepaper chapter 5), with its answer.
pub(crate) fn messages() -> Vec<(FromStation, Heard)> {
    let boot = Boot {
        vendor: "Leyden".into(),
        model: "Jar".into(),
        serial: Some("S1".into()),
        firmware: Some("1.0".into()),
        meter_type: Some("EMH".into()),
        meter_serial: Some("M1".into()),
        reason: None,
    };
    let welcome = Heard::Boot { admitted: Admission::Pending, now: now(), interval: Duration::from_secs(300) };
    let status = StatusReport {
        evse: evse(2),
        state: BayState::Faulted,
        fault: Some("GroundFailure: wet".into()),
        at: Some(now()),
    };
    let verdict = || Verdict::bare(Allowed::Yes);
    let reading = Reading {
        at: now(),
        context: Context::Trigger,
        phase: Some("L1-N".into()),
        measured: Measured::Other { measurand: "Voltage".into(), value: decimal("230.10"), unit: "V".into() },
    };
    let meter = MeterReport { evse: evse(1), key: Some(TransactionKey::Number(5)), readings: vec![reading] };
    let sign = CertificateNews::Sign { key: StationKey::Line, request: None, csr: "-----BEGIN".into() };
    let answer = VendorAnswer { status: "Rejected".into(), data: text("why \"not\"") };
    vec![
        (FromStation::Tap(Tap { token: token(), contract: None }), Heard::Tap(Verdict::bare(Allowed::Expired))),
        (FromStation::Boot(boot), welcome),
        (FromStation::Vendor(vendor(text("{\"on\":true}"))), Heard::Vendor(answer)),
        progress(Work::Diagnostics, None, "Uploading"),
        progress(Work::Firmware, None, "Downloaded"),
        (FromStation::Alive, Heard::Alive { now: now() }),
        (FromStation::Meter(meter), Heard::Noted),
        (
            FromStation::Transaction(transaction(Stage::Started)),
            Heard::Transaction { number: Some(12), verdict: Some(verdict()), cost: None, advice: None },
        ),
        (FromStation::Status(status), Heard::Noted),
        (
            FromStation::Transaction(transaction(Stage::Ended)),
            Heard::Transaction { number: None, verdict: Some(verdict()), cost: None, advice: None },
        ),
        progress(Work::Log, Some(7), "Uploaded"),
        (FromStation::Security { kind: "FirmwareUpdated".into(), at: now(), detail: Some("x".into()) }, Heard::Noted),
        (FromStation::Certificate(sign.clone()), Heard::Taken(true)),
        (FromStation::Certificate(sign), Heard::Taken(false)),
        progress(Work::SignedFirmware, Some(8), "InvalidSignature"),
    ]
}

pub(crate) fn profile(kind: ProfileKind) -> Profile {
    let period =
        |start, limit: &str, phases| Period { start, limit: Some(decimal(limit)), phases, ..Period::default() };
    let schedule = Schedule {
        id: 0,
        start: Some(now()),
        lasts: Some(Duration::from_secs(86_400)),
        unit: RateUnit::Amperes,
        min_rate: Some(decimal("6.5")),
        periods: vec![period(0, "16", Some(3)), period(3600, "0.1", None), period(7200, "1000", Some(1))],
        more: None,
    };
    Profile {
        id: 4,
        stack_level: 2,
        purpose: ProfilePurpose::Tx,
        kind,
        valid_from: Some(now()),
        valid_until: Some(at("2026-12-22T15:04:05Z")),
        key: Some(TransactionKey::Number(12)),
        schedules: vec![schedule],
        more: None,
    }
}

fn core_orders() -> Vec<(ToStation, StationAnswer)> {
    let setting = Setting { key: "HeartbeatInterval".into(), value: Some("300".into()), read_only: false };
    let start = ToStation::Start {
        evse: evse(2),
        token: PresentedToken::new(TokenUid::new("ALIAS-1").unwrap(), TokenKind::Other),
        remote_id: 0,
        profile: Some(Box::new(Profile { key: None, ..profile(ProfileKind::Relative) })),
    };
    vec![
        (ToStation::Availability { evse: None, connector: None, operative: false }, StationAnswer::Scheduled),
        (
            ToStation::WriteSettings { values: vec![("HeartbeatInterval".into(), secret("60"))] },
            StationAnswer::Written(vec![("HeartbeatInterval".into(), Written::AfterReboot)]),
        ),
        (ToStation::ClearCache, refused("Rejected")),
        (
            ToStation::ReadSettings { keys: vec!["HeartbeatInterval".into(), "Nonsense".into()] },
            StationAnswer::Settings { known: vec![setting], unknown: vec!["Nonsense".into()] },
        ),
        (start, StationAnswer::Accepted),
        (ToStation::Stop { key: TransactionKey::Number(12) }, refused("Rejected")),
        (ToStation::Reset(charge::talk::line::ResetKind::Hard), StationAnswer::Accepted),
        (ToStation::Unlock { evse: EvseNo::new(1).unwrap() }, refused("NotSupported")),
        (
            ToStation::Vendor(vendor(text("on"))),
            StationAnswer::Vendor(VendorAnswer { status: "Accepted".into(), data: text("done") }),
        ),
    ]
}

fn profile_orders() -> Vec<(ToStation, StationAnswer)> {
    let composite = Composite {
        evse: evse(1),
        start: now(),
        lasts: Duration::from_secs(600),
        unit: RateUnit::Watts,
        periods: vec![Period { start: 0, limit: Some(decimal("11000.5")), phases: Some(3), ..Period::default() }],
    };
    let filter = ProfileFilter {
        evse: Some(None),
        ids: vec![4],
        purpose: Some(ProfilePurpose::StationMax),
        stack_level: Some(3),
        sources: vec![],
    };
    let ask = ChargingOrder::Composite { evse: evse(1), lasts: Duration::from_secs(600), unit: Some(RateUnit::Watts) };
    let entry = |verdict, until| ListEntry {
        token: token(),
        group: verdict_group(verdict),
        until,
        verdict: verdict.map(Verdict::bare),
    };
    let list = ListOrder::Send {
        version: 5,
        full: false,
        entries: vec![entry(Some(Allowed::Blocked), Some(now())), entry(None, None)],
    };
    let reserve = ReservationOrder::Reserve {
        id: 9,
        evse: None,
        token: token(),
        group: Some(token()),
        until: now(),
        connector: None,
    };
    let set = |kind| ToStation::Charging(ChargingOrder::Set { evse: evse(1), profile: Box::new(profile(kind)) });
    vec![
        (set(ProfileKind::Absolute), StationAnswer::Accepted),
        (set(ProfileKind::Relative), refused("Rejected")),
        (set(ProfileKind::Daily), refused("NotSupported")),
        (set(ProfileKind::Weekly), StationAnswer::Accepted),
        (ToStation::Charging(ChargingOrder::Clear(filter)), refused("Unknown")),
        (ToStation::Charging(ask.clone()), StationAnswer::Composite(composite)),
        (ToStation::Charging(ask), refused("Rejected")),
        (ToStation::List(list), refused("VersionMismatch")),
        (ToStation::List(ListOrder::Version), StationAnswer::Number(5)),
        (ToStation::Reservation(reserve), refused("Occupied")),
        (ToStation::Reservation(ReservationOrder::Cancel { id: 9 }), StationAnswer::Accepted),
    ]
}

fn verdict_group(verdict: Option<Allowed>) -> Option<PresentedToken> {
    verdict.map(|_| token())
}

fn upkeep_orders() -> Vec<(ToStation, StationAnswer)> {
    let retries = Retries { times: Some(3), pause: Some(Duration::from_secs(60)) };
    let fetch = |kind, request, legacy| {
        let (to, from, until) = (secret("ftp://u:p@example.net/"), Some(now()), Some(at("2026-11-23T00:00:00Z")));
        ToStation::Upkeep(UpkeepOrder::FetchLog { request, kind, to, from, until, retries, legacy })
    };
    let firmware = |request, signed: Option<FirmwareSignature>| {
        ToStation::Upkeep(UpkeepOrder::Firmware {
            request,
            from: secret("https://u:p@example.net/f.bin"),
            retrieve_at: now(),
            install_at: signed.is_some().then(now),
            signed,
            retries,
        })
    };
    let proof = || Some(FirmwareSignature { certificate: "-----BEGIN".into(), signature: "MEUC".into() });
    vec![
        (fetch(LogKind::Diagnostics, 0, true), StationAnswer::File(Some("d.zip".into()))),
        (fetch(LogKind::Diagnostics, 0, true), StationAnswer::File(None)),
        (fetch(LogKind::Diagnostics, 7, false), StationAnswer::File(Some("l.txt".into()))),
        (fetch(LogKind::Security, 8, false), refused("Rejected")),
        (firmware(0, None), StationAnswer::Accepted),
        (firmware(9, proof()), StationAnswer::Accepted),
        (firmware(9, proof()), refused("InvalidCertificate")),
    ]
}

fn security_orders() -> Vec<(ToStation, StationAnswer)> {
    let signed = CertificateOrder::Signed { key: StationKey::Line, chain: "-----BEGIN".into(), request: None };
    let install = |used_for| CertificateOrder::Install { used_for, certificate: "-----BEGIN".into() };
    let listed = |used_for| InstalledCertificate { used_for, hash: hash(), children: vec![] };
    let list = |used_for| ToStation::Certificate(CertificateOrder::List(vec![used_for]));
    let mut orders = vec![
        (ToStation::Certificate(signed), refused("Rejected")),
        (ToStation::Certificate(install(CertificateUse::OperatorRoot)), StationAnswer::Accepted),
        (ToStation::Certificate(install(CertificateUse::ManufacturerRoot)), refused("Failed")),
        (ToStation::Certificate(CertificateOrder::Delete(hash())), StationAnswer::Accepted),
        (ToStation::Certificate(CertificateOrder::Delete(hash())), refused("Failed")),
        (list(CertificateUse::OperatorRoot), StationAnswer::Certificates(vec![listed(CertificateUse::OperatorRoot)])),
        (list(CertificateUse::ManufacturerRoot), StationAnswer::Certificates(vec![])),
    ];
    let plain = [
        Trigger::Boot,
        Trigger::Status,
        Trigger::Alive,
        Trigger::Meter,
        Trigger::Firmware,
        Trigger::Diagnostics,
        Trigger::Log,
        Trigger::Sign(StationKey::Line),
    ];
    orders.extend(plain.map(|what| (ToStation::Trigger { what, evse: evse(1) }, refused("NotImplemented"))));
    orders
}

/// Every order of an operator, with its answer.
pub(crate) fn orders() -> Vec<(ToStation, StationAnswer)> {
    [core_orders(), profile_orders(), upkeep_orders(), security_orders()].concat()
}
