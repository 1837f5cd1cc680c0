//! The words that all versions have, and the answers. Read by the tests of the bridges, and by those that send them
//! over a socket.

use std::time::Duration;

use charge::id::{EvseNo, TransactionKey};
use charge::meter::{Context, Measured, Reading, SignedRecord};
use charge::talk::line::upkeep::{Progress, Work};
use charge::talk::line::{
    Admission, BayState, Boot, EndReason, FromStation, Heard, MeterReport, ResetKind, Setting, Stage, StationAnswer,
    StatusReport, Tap, ToStation, TransactionReport, Trigger, Version, Written,
};
use charge::token::{Allowed, PresentedToken, TokenKind, TokenUid, Verdict};
use charge::units::{Energy, Power};
use charge::{Secret, Timestamp};

use super::{at, now};

pub(crate) const UID: &str = "04A2B3C4D5E680";

pub(crate) fn token(kind: TokenKind) -> PresentedToken {
    PresentedToken::new(TokenUid::new(UID).unwrap(), kind)
}

pub(crate) fn evse(number: u16) -> Option<EvseNo> {
    EvseNo::new(number)
}

fn progress(of: Work, status: &str) -> FromStation {
    FromStation::Progress(Progress { of, request: None, status: status.into(), places: vec![] })
}

fn reading(moment: Timestamp, context: Context, measured: Measured) -> Reading {
    Reading { at: moment, context, phase: None, measured }
}

pub(crate) fn ocmf() -> Measured {
    let bytes = format!("OCMF|{{\"FV\":\"1.0\",\"ID\":\"{UID}\",\"RD\":[]}}|{{\"SD\":\"30\"}}");
    Measured::Signed(SignedRecord { format: "OCMF".into(), bytes: bytes.into_bytes().into(), public_key: None })
}

pub(crate) fn transaction(version: Version, stage: Stage) -> TransactionReport {
    let begin = at("2026-11-22T15:00:00.5Z");
    let old = version == Version::V16;
    TransactionReport {
        stage,
        key: match (old, stage) {
            (true, Stage::Started) => None,
            (true, Stage::Updated | Stage::Ended) => Some(TransactionKey::Number(12)),
            (false, _) => Some(TransactionKey::Text("tx-9".into())),
        },
        seq: (!old).then_some(3),
        at: begin,
        evse: (stage == Stage::Started).then(|| evse(2)).flatten(),
        token: (stage != Stage::Updated).then(|| token(TokenKind::Rfid)),
        readings: match (old, stage) {
            (true, Stage::Started) => {
                vec![reading(begin, Context::TransactionBegin, Measured::EnergyImport(Energy::from_wh(1500)))]
            }
            (true, _) => vec![
                reading(begin, Context::SamplePeriodic, Measured::PowerImport(Power::from_milliwatts(11_000_125))),
                reading(begin, Context::TransactionEnd, ocmf()),
                reading(begin, Context::TransactionEnd, Measured::EnergyImport(Energy::from_wh(2500))),
            ],
            (false, _) => vec![
                reading(begin, Context::TransactionEnd, Measured::EnergyImport(Energy::from_mwh(2_500_001))),
                reading(begin, Context::TransactionEnd, ocmf()),
                reading(begin, Context::SamplePeriodic, Measured::PowerImport(Power::from_watts(11_000))),
            ],
        },
        reason: (stage == Stage::Ended).then_some(EndReason::CarLeft),
        state: (!old).then_some(BayState::Charging),
        offline: !old,
        remote_start: (!old).then_some(77),
        reservation: (!old).then_some(4),
        terms: None,
    }
}

pub(crate) fn messages(version: Version) -> Vec<(FromStation, Heard)> {
    let old = version == Version::V16;
    let boot = Boot {
        vendor: "Leyden".into(),
        model: "Jar".into(),
        serial: Some("S1".into()),
        firmware: Some("1.0".into()),
        meter_type: old.then(|| "EMH".into()),
        meter_serial: old.then(|| "M1".into()),
        reason: (!old).then(|| "PowerUp".into()),
    };
    let welcome = Heard::Boot { admitted: Admission::Pending, now: now(), interval: Duration::from_secs(300) };
    let cost = (!old).then(|| "4.20".parse().unwrap());
    let taken = |number| Heard::Transaction { number, verdict: Some(Verdict::bare(Allowed::Yes)), cost, advice: None };
    let status = |evse, state, fault: Option<&str>| {
        FromStation::Status(StatusReport { evse, state, fault: fault.map(Into::into), at: Some(now()) })
    };
    let meter = vec![
        reading(now(), Context::SampleClock, Measured::EnergyImport(Energy::from_mwh(12_345_678))),
        Reading {
            phase: Some("L1".into()),
            ..reading(
                now(),
                Context::Trigger,
                Measured::Other { measurand: "Voltage".into(), value: "230.10".parse().unwrap(), unit: "V".into() },
            )
        },
        reading(now(), Context::SamplePeriodic, Measured::StateOfCharge("55.5".parse().unwrap())),
        reading(now(), Context::SamplePeriodic, Measured::EnergyExport(Energy::from_wh(4))),
    ];
    let mut list = vec![
        (FromStation::Boot(boot), welcome),
        (FromStation::Alive, Heard::Alive { now: now() }),
        (
            FromStation::Tap(Tap { token: token(TokenKind::Rfid), contract: None }),
            Heard::Tap(Verdict::bare(Allowed::Blocked)),
        ),
        (FromStation::Transaction(transaction(version, Stage::Started)), taken(old.then_some(12))),
        (FromStation::Transaction(transaction(version, Stage::Ended)), taken(None)),
        (
            FromStation::Meter(MeterReport {
                evse: evse(1),
                key: old.then_some(TransactionKey::Number(5)),
                readings: meter,
            }),
            Heard::Noted,
        ),
        (
            FromStation::Security { kind: "InvalidCsmsCertificate".into(), at: now(), detail: Some("x".into()) },
            Heard::Noted,
        ),
        (progress(Work::Firmware, "Downloaded"), Heard::Noted),
        (progress(Work::Log, "Uploaded"), Heard::Noted),
        (status(None, BayState::Unavailable, None), Heard::Noted),
        (status(evse(2), BayState::Reserved, None), Heard::Noted),
        (status(evse(2), BayState::Faulted, old.then_some("GroundFailure: wet")), Heard::Noted),
    ];
    list.extend(own_messages(version));
    list
}

/// The words that one version has and the other does not.
fn own_messages(version: Version) -> Vec<(FromStation, Heard)> {
    let mut list = Vec::new();
    let status = |state| FromStation::Status(StatusReport { evse: evse(1), state, fault: None, at: Some(now()) });
    if version == Version::V16 {
        let fine = [
            BayState::Preparing,
            BayState::Charging,
            BayState::SuspendedByCar,
            BayState::SuspendedByStation,
            BayState::Finishing,
        ];
        list.extend(fine.map(|state| (status(state), Heard::Noted)));
        list.push((progress(Work::Diagnostics, "Uploading"), Heard::Noted));
    } else {
        list.push((status(BayState::Occupied), Heard::Noted));
        list.push((
            FromStation::Transaction(transaction(version, Stage::Updated)),
            Heard::Transaction { number: None, verdict: None, cost: None, advice: None },
        ));
        list.push((
            FromStation::Tap(Tap { token: token(TokenKind::Emaid), contract: None }),
            Heard::Tap(Verdict::bare(Allowed::NoCredit)),
        ));
    }
    list
}

pub(crate) fn orders(version: Version) -> Vec<(ToStation, StationAnswer)> {
    let old = version == Version::V16;
    let refused = |word: &str| StationAnswer::Refused(word.into());
    let key = if old { TransactionKey::Number(12) } else { TransactionKey::Text("tx-9".into()) };
    let name = if old { "HeartbeatInterval" } else { "OCPPCommCtrlr.HeartbeatInterval" };
    let values = vec![(Box::from(name), Secret::new(Box::from("60")))];
    let setting = Setting { key: name.into(), value: Some("300".into()), read_only: false };
    let unknown = if old { "Nonsense" } else { "Nonsense.Variable" };
    let start = ToStation::Start {
        evse: evse(2),
        token: token(TokenKind::Other),
        remote_id: if old { 0 } else { 77 },
        profile: None,
    };
    let mut list = vec![
        (start, StationAnswer::Accepted),
        (ToStation::Stop { key }, refused("Rejected")),
        (ToStation::Reset(ResetKind::Soft), StationAnswer::Accepted),
        (ToStation::Reset(ResetKind::Hard), if old { refused("Rejected") } else { StationAnswer::Scheduled }),
        (ToStation::Unlock { evse: EvseNo::new(1).unwrap() }, StationAnswer::Accepted),
        (ToStation::Unlock { evse: EvseNo::new(2).unwrap() }, refused("UnlockFailed")),
        (ToStation::Availability { evse: None, connector: None, operative: false }, StationAnswer::Scheduled),
        (ToStation::Availability { evse: evse(1), connector: None, operative: true }, StationAnswer::Accepted),
        (
            ToStation::ReadSettings { keys: vec![name.into(), unknown.into()] },
            StationAnswer::Settings { known: vec![setting.clone()], unknown: vec![unknown.into()] },
        ),
        (ToStation::ClearCache, StationAnswer::Accepted),
    ];
    for written in [Written::Accepted, Written::AfterReboot, Written::Rejected, Written::Unknown] {
        let order = ToStation::WriteSettings { values: values.clone() };
        list.push((order, StationAnswer::Written(vec![(name.into(), written)])));
    }
    for what in [Trigger::Boot, Trigger::Status, Trigger::Alive, Trigger::Meter] {
        list.push((ToStation::Trigger { what, evse: evse(1) }, refused("NotImplemented")));
    }
    if old {
        let all = ToStation::ReadSettings { keys: vec![] };
        let known = vec![Setting { read_only: true, ..setting }];
        list.push((all, StationAnswer::Settings { known, unknown: vec![] }));
    }
    list
}
