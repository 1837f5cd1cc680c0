//! The field's frames: each of the quirk collection that concerns a message of a station does what the collection
//! expects. Skipped, loudly, where the collection is not beside the project.

use std::path::PathBuf;

use charge::id::{EvseNo, TransactionKey};
use charge::meter::{Measured, Reading};
use charge::talk::line::{BayState, FromStation, TransactionReport, Version};
use charge::units::Energy;
use charge::{Decimal, Purpose};

use super::{Seen, at, now, operator, receive};

struct Quirk {
    id: String,
    version: Version,
    frames: Vec<String>,
}

fn quirks() -> Option<Vec<Quirk>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/ocpp/quirks/quirk-frames.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: the quirk frames are not at {}", path.display());
        return None;
    };
    let rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let quirk = |row: serde_json::Value| {
        let version = match row["version"].as_str()? {
            "1.6" => Version::V16,
            "2.0.1" => Version::V201,
            _ => return None,
        };
        let frames = row["raw"].as_str()?.split('\u{0}').map(str::to_owned).collect();
        Some(Quirk { id: row["id"].as_str()?.to_owned(), version, frames })
    };
    Some(rows.filter_map(quirk).collect())
}

fn remarks(seen: &Seen) -> String {
    seen.log.iter().flat_map(|line| line.remarks.iter()).map(|remark| format!("{remark}; ")).collect()
}

fn said(seen: &Seen) -> &FromStation {
    assert_eq!(seen.asked.len(), 1, "{:?} {}", seen.sent, remarks(seen));
    &seen.asked[0].1
}

fn transaction(seen: &Seen) -> &TransactionReport {
    match said(seen) {
        FromStation::Transaction(report) => report,
        other => panic!("{other:?}"),
    }
}

fn readings(seen: &Seen) -> &[Reading] {
    match said(seen) {
        FromStation::Meter(report) => &report.readings,
        other => panic!("{other:?}"),
    }
}

fn key(seen: &Seen) -> Option<&TransactionKey> {
    match said(seen) {
        FromStation::Meter(report) => report.key.as_ref(),
        FromStation::Transaction(report) => report.key.as_ref(),
        other => panic!("{other:?}"),
    }
}

fn status(seen: &Seen) -> (Option<u16>, BayState, Option<&str>) {
    match said(seen) {
        FromStation::Status(report) => (report.evse.map(EvseNo::get), report.state, report.fault.as_deref()),
        other => panic!("{other:?}"),
    }
}

fn values(seen: &Seen) -> Vec<(String, Decimal, String)> {
    let other = |reading: &Reading| match &reading.measured {
        Measured::Other { measurand, value, unit } => (measurand.to_string(), *value, unit.to_string()),
        other => panic!("{other:?}"),
    };
    readings(seen).iter().map(other).collect()
}

#[test]
fn the_fields_frames_are_served() {
    let Some(quirks) = quirks() else { return };
    let mut checked = 0;
    for quirk in quirks {
        let mut engine = operator(quirk.version);
        let seen: Vec<Seen> = quirk.frames.iter().map(|frame| receive(&mut engine, frame)).collect();
        check(&quirk.id, &seen);
        checked += 1;
    }
    assert!(checked >= 45, "only {checked} frames");
}

fn check(id: &str, all: &[Seen]) {
    let seen = &all[0];
    let noted = remarks(seen);
    match id.as_bytes()[0] {
        b'R' => framing(id, all, &noted),
        b'T' => times(id, seen, &noted),
        b'I' => tokens(id, seen, &noted),
        b'M' => meters(id, seen, &noted),
        b'X' => transactions(id, all, &noted),
        b'B' => match said(seen) {
            FromStation::Boot(boot) => assert!(noted.is_empty() && !boot.model.is_empty(), "{id}: {noted}"),
            FromStation::Alive => assert_eq!(id, "B01"),
            other => panic!("{id}: {other:?}"),
        },
        b'S' | b'V' => states(id, seen, &noted),
        _ => panic!("no expectation for {id}"),
    }
}

fn framing(id: &str, all: &[Seen], noted: &str) {
    let seen = &all[0];
    match id {
        // nothing is waiting for this answer here; with an open order it ends that (tests/engines.rs)
        "R01" | "R08" | "R09" => assert!(seen.sent.is_empty() && seen.asked.is_empty()),
        "R02" => assert!(seen.sent[0].starts_with(r#"[4,"r02","FormationViolation""#), "{:?}", seen.sent),
        "R03" | "R04" => assert!(noted.is_empty() && seen.asked.len() == 1, "{noted}"),
        "R05" => assert!(seen.asked.len() == 1 && noted.contains("the message id is a number"), "{noted}"),
        "R06" => assert!(seen.sent.is_empty() && noted.contains("unknown message type"), "{noted}"),
        "R07" => assert_eq!(all.iter().map(|seen| seen.asked.len()).sum::<usize>(), 2),
        "R10" => {
            assert!(seen.sent[0].contains("OccurrenceConstraintViolation"), "{:?}", seen.sent);
            assert!(noted.contains("another OCPP version"), "{noted}");
        }
        _ => panic!("no expectation for {id}"),
    }
}

fn times(id: &str, seen: &Seen, noted: &str) {
    match id {
        "T01" => {
            assert_eq!(transaction(seen).at, at("2026-10-19T15:28:07Z"));
            assert!(noted.contains("/timestamp: a time without zone"), "{noted}");
        }
        "T02" => {
            assert_eq!(readings(seen)[0].at, now());
            assert!(
                noted.contains("/meterValue/0/timestamp: the station's clock is not set (1970-01-01T00:00:12Z)"),
                "{noted}"
            );
        }
        "T03" => assert_eq!(status(seen), (Some(1), BayState::Available, None)),
        // an answer to a foreign order: handed on unread
        "T04" => assert!(seen.sent.is_empty()),
        _ => panic!("no expectation for {id}"),
    }
}

fn tokens(id: &str, seen: &Seen, noted: &str) {
    let uid = |report: &TransactionReport| {
        report.token.as_ref().map(|token| token.uid.reveal(Purpose::Transmit).as_delivered().to_owned())
    };
    match id {
        "I01" => match said(seen) {
            FromStation::Tap(tap) => assert_eq!(tap.token.normal(Purpose::Transmit), "DEADBEEF"),
            other => panic!("{other:?}"),
        },
        "I02" => {
            assert_eq!(uid(transaction(seen)).as_deref(), Some("X16WG99J2QIEGCC0MCJ5-"));
            assert!(noted.contains("/idTag") && !noted.contains("X16"), "{noted}");
        }
        "I03" => assert_eq!(uid(transaction(seen)).as_deref(), Some(" F6 CA 0C C5")),
        "I04" => assert!(transaction(seen).token.is_none() && noted.contains("/idTag: no token"), "{noted}"),
        _ => panic!("no expectation for {id}"),
    }
}

fn meters(id: &str, seen: &Seen, noted: &str) {
    let number = |text: &str| text.parse::<Decimal>().unwrap();
    match id {
        "M01" => assert!(transaction(seen).readings.is_empty() && noted.contains("/meterStop: unknown"), "{noted}"),
        "M02" => assert_eq!(readings(seen)[0].measured, Measured::EnergyImport(Energy::from_wh(104))),
        "M03" => {
            assert_eq!(readings(seen).len(), 1);
            assert!(noted.contains("/meterValue: an object, taken as a list of one"), "{noted}");
        }
        "M04" => assert!(readings(seen).is_empty() && noted.contains("sample dropped"), "{noted}"),
        "M05" => {
            let expected = |name: &str, text| (name.to_owned(), number(text), "A".to_owned());
            assert_eq!(values(seen), [expected("Current.Import", "20"), expected("Current.Offered", "32")]);
        }
        "M06" => {
            let units: Vec<_> = values(seen).into_iter().map(|(_, _, unit)| unit).collect();
            assert_eq!(units, ["Celsius", "Celcius", "Hz", "C"]);
        }
        "M07" => {
            assert_eq!(values(seen)[0].0, "Current.Import");
            assert!(noted.contains("/meterValue/0/sampledValue/0/measurand: a word in odd letter case"), "{noted}");
        }
        _ => panic!("no expectation for {id}"),
    }
}

fn transactions(id: &str, all: &[Seen], noted: &str) {
    let seen = &all[0];
    match id {
        "X01" | "X02" | "X04" | "X09" => {
            assert_eq!(key(seen), None);
            assert!(noted.contains("/transactionId"), "{noted}");
        }
        "X03" => assert_eq!(key(seen), Some(&TransactionKey::Number(4711))),
        // equal content under another message id is equal content: the desk decides on it
        "X05" | "X06" => assert_eq!(said(&all[0]), said(&all[1])),
        "X07" | "X10" => assert_eq!(key(seen), Some(&TransactionKey::Number(12))),
        "X08" => assert!(key(seen).is_none() && readings(seen).len() == 1),
        _ => panic!("no expectation for {id}"),
    }
}

fn states(id: &str, seen: &Seen, noted: &str) {
    match id {
        "S01" => assert_eq!(status(seen), (None, BayState::Faulted, Some("Error"))),
        "S02" => {
            assert_eq!(status(seen), (Some(1), BayState::Preparing, None));
            assert!(noted.contains("/connectorId: missing"), "{noted}");
        }
        "S03" => assert_eq!(status(seen), (Some(1), BayState::Unavailable, None)),
        "S04" => {
            let text = "OtherError: Modbus TCP/IP lost, in safe mode max 14.0A [210]";
            assert_eq!(status(seen), (None, BayState::Faulted, Some(text)));
        }
        "S05" => assert_eq!(said(seen), &FromStation::Alive),
        "V01" => {
            let report = transaction(seen);
            assert!(report.offline && report.evse.is_none() && report.seq == Some(7));
        }
        "V02" => assert_eq!(status(seen), (Some(1), BayState::Available, None)),
        "V03" => assert_eq!(status(seen), (None, BayState::Available, None)),
        _ => panic!("no expectation for {id}"),
    }
}

#[test]
fn what_the_library_does_not_repair_is_repaired_with_its_digits() {
    let frame = r#"[2,"d","MeterValues",{"evseId":"1","meterValue":[{"timestamp":"2026-01-02T03:04:05","sampledValue":[{"value":"12.500","measurand":"Voltage"},{"value":230.10,"measurand":"voltage"}]}]}]"#;
    let seen = receive(&mut operator(Version::V201), frame);
    let digits: Vec<_> = values(&seen).into_iter().map(|(_, value, _)| value.to_string()).collect();
    assert_eq!(digits, ["12.500", "230.10"]);
    assert_eq!(readings(&seen)[0].at, at("2026-01-02T03:04:05Z"));
}
