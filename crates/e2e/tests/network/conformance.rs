//! Conformance shown: every action of OCPP 1.6, 2.0.1 and 2.1, in both directions, with its answer, between our two
//! ends over a real WebSocket with a recording relay between them. Every payload that crossed is then judged by a
//! validator that is not ours (Python `jsonschema`, `tests/interop/validate.py`) on the official schemas, and
//! `docs/conformance.md` has to say what came out; `LEYDEN_GOLDEN=write` makes it say so.
//!
//! The words are those of the bridges' own tests. The desk and the pole behind the ends are scripted: what the rooms
//! decide is shown elsewhere. Needs `LEYDEN_PYTHON` and the schemas beside the project; where one is missing the tests
//! say so, and what crossed is compared with the committed results instead of being judged.

mod actions;
mod cases;
mod ends;
mod frames;
mod judge;
mod quirks;
mod relay;
#[path = "../../../ocpp/src/tests/round_trip/samples.rs"]
mod round_trip;
mod run;
mod sheet;
mod words;

use charge::Timestamp;
use charge::talk::line::Version;
use serde_json::json;
use tokio::sync::OnceCell;

use frames::{Kind, Record, Sender};
use judge::Verdicts;

/// The versions that go over a WebSocket.
const VERSIONS: [Version; 3] = [Version::V16, Version::V201, Version::V21];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-11-22T15:04:05Z")
}

/// Everything that crossed, what went otherwise than it should, and the verdicts in the order of the records.
struct Evidence {
    records: Vec<Record>,
    /// With the test that they belong to.
    faults: Vec<(&'static str, String)>,
    verdicts: Verdicts,
}

/// All runs once, whichever test comes first.
async fn evidence() -> &'static Evidence {
    static EVIDENCE: OnceCell<Evidence> = OnceCell::const_new();
    let all = async {
        let (mut records, mut faults) = (Vec::new(), Vec::new());
        for version in VERSIONS {
            for run in run::all(version).await {
                faults.extend(run.faults.into_iter().map(|fault| (run.test, fault)));
                records.extend(run.records);
            }
        }
        let verdicts = judge::judge(&records).await;
        Evidence { records, faults, verdicts }
    };
    EVIDENCE.get_or_init(|| all).await
}

/// What one named test has to show: its run went as scripted, and every payload in it is valid.
async fn holds(test: &str) {
    let evidence = evidence().await;
    let mut faults: Vec<String> =
        evidence.faults.iter().filter(|(name, _)| *name == test).map(|(_, fault)| fault.clone()).collect();
    let mut records = 0;
    for (number, record) in evidence.records.iter().enumerate().filter(|(_, record)| record.test == test) {
        records += 1;
        if let Some(why) = evidence.verdicts.fault(number) {
            faults.push(format!("{} {} {}: {why}", record.sender, record.kind, record.action));
        }
    }
    assert!(records > 8, "{test}: only {records} frames crossed");
    assert!(faults.is_empty(), "{test}:\n{}", faults.join("\n"));
}

macro_rules! shown {
    ($($test:ident)+) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            holds(stringify!($test)).await;
        })+
    };
}

shown! {
    every_message_of_1_6_crosses every_order_of_1_6_crosses every_expert_call_of_1_6_crosses nonsense_of_1_6_is_refused
    every_message_of_2_0_1_crosses every_order_of_2_0_1_crosses every_expert_call_of_2_0_1_crosses nonsense_of_2_0_1_is_refused
    every_message_of_2_1_crosses every_order_of_2_1_crosses every_expert_call_of_2_1_crosses nonsense_of_2_1_is_refused
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_says_what_crossed_and_nothing_is_missing() {
    let evidence = evidence().await;
    let table = sheet::table(&evidence.records, &evidence.verdicts);
    assert!(evidence.verdicts.judged || !sheet::writes(), "without a judge nothing is written");
    sheet::keep("exchanged", &table.text);
    assert_eq!(table.missing, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fields_frames_are_served_when_tolerant_and_judged_by_the_letter_when_strict() {
    let Some(rows) = quirks::replayed().await else { return };
    // one column is the judge's
    if rows.iter().any(|row| row.valid.is_some()) {
        sheet::keep("quirks", &quirks::table(&rows));
    }
    for row in &rows {
        assert!(row.tolerant.served_as_expected(&row.id), "{}: {:?}", row.id, row.tolerant);
        assert!(row.strict_is_the_letter(), "{row:?}");
    }
}

/// A judge that finds nothing wrong with anything would make all of this worthless.
#[tokio::test(flavor = "multi_thread")]
async fn the_judge_finds_what_is_wrong() {
    let record = |version, kind, action: &str, payload| Record {
        version,
        test: "wrong",
        sender: Sender::Station,
        kind,
        action: action.to_owned(),
        payload,
    };
    let wrong = [
        record(Version::V16, Kind::Call, "Authorize", json!({"idTag": "123456789012345678901"})),
        record(Version::V16, Kind::Result, "Heartbeat", json!({"currentTime": "yesterday"})),
        record(Version::V16, Kind::Call, "SignCertificate", json!({})),
        record(Version::V201, Kind::Call, "Reset", json!({"type": "ImmediateAndResume"})),
        record(Version::V201, Kind::Call, "GetTariffs", json!({"evseId": 1})),
        record(Version::V21, Kind::Call, "Reset", json!({"type": "Immediate", "odd": 1})),
        record(Version::V21, Kind::Send, "NotifyPeriodicEventStream", json!({})),
        record(Version::V201, Kind::Error, "-", json!([4, "1", "FormationViolation", "", {}])),
        record(Version::V21, Kind::Error, "-", json!([4, "1", "GenericError", ""])),
    ];
    let verdicts = judge::judge(&wrong).await;
    for (number, record) in wrong.iter().enumerate() {
        assert_eq!(verdicts.fault(number).is_some(), verdicts.judged, "{record:?}");
    }
}
