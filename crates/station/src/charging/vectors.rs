//! Composite schedules against the expectations of an independent firmware (28 cases of 2.0.1 and 2.1, 82 profiles).
//!
//! The files stand beside the project; where they are absent the tests say loudly that they are skipped.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use charge::id::{EvseNo, TransactionKey};
use charge::talk::line::charging::{Period, Profile, ProfileKind, ProfilePurpose, RateUnit, Schedule};
use charge::talk::line::document::Document;
use charge::{Decimal, Timestamp};
use serde_json::Value;

use super::Held;
use super::composite::{Scene, Supply, Within};

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec").join(name);
    if !path.exists() {
        eprintln!("SKIPPED: the charging profiles of the field are not at ../shared/spec/{name}");
        return None;
    }
    Some(path)
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn time(value: &Value) -> Option<Timestamp> {
    let text = value.as_str()?;
    let zoned = text.ends_with('Z') || text.get(10..).is_some_and(|time| time.contains('+'));
    Some(if zoned { text.parse().unwrap() } else { format!("{text}Z").parse().unwrap() })
}

fn decimal(value: &Value) -> Option<Decimal> {
    Some(value.as_number()?.to_string().parse::<Decimal>().unwrap().normalize())
}

fn schedule(of: &Value) -> Schedule {
    let period = |of: &Value| Period {
        start: u32::try_from(of["startPeriod"].as_u64().unwrap()).unwrap(),
        limit: decimal(&of["limit"]),
        phases: of["numberPhases"].as_u64().map(|phases| u8::try_from(phases).unwrap()),
        discharge_limit: decimal(&of["dischargeLimit"]),
        setpoint: decimal(&of["setpoint"]),
        mode: of["operationMode"].as_str().map(Into::into),
        ..Period::default()
    };
    Schedule {
        id: 0,
        start: time(&of["startSchedule"]),
        lasts: of["duration"].as_u64().map(Duration::from_secs),
        unit: if of["chargingRateUnit"] == "A" { RateUnit::Amperes } else { RateUnit::Watts },
        min_rate: None,
        periods: of["chargingSchedulePeriod"].as_array().unwrap().iter().map(period).collect(),
        more: None,
    }
}

pub(super) fn profile(of: &Value) -> Profile {
    let schedules = match &of["chargingSchedule"] {
        Value::Array(list) => list.iter().map(schedule).collect(),
        one => vec![schedule(one)],
    };
    Profile {
        id: i32::try_from(of.get("id").or(of.get("chargingProfileId")).unwrap().as_i64().unwrap()).unwrap(),
        stack_level: u32::try_from(of["stackLevel"].as_u64().unwrap()).unwrap(),
        purpose: match of["chargingProfilePurpose"].as_str().unwrap() {
            "ChargingStationExternalConstraints" => ProfilePurpose::ExternalConstraints,
            "ChargingStationMaxProfile" | "ChargePointMaxProfile" => ProfilePurpose::StationMax,
            "TxDefaultProfile" => ProfilePurpose::TxDefault,
            "TxProfile" => ProfilePurpose::Tx,
            other => panic!("{other}"),
        },
        kind: match (of["chargingProfileKind"].as_str().unwrap(), of["recurrencyKind"].as_str()) {
            ("Recurring", Some("Daily")) => ProfileKind::Daily,
            ("Recurring", Some("Weekly")) => ProfileKind::Weekly,
            ("Relative", _) => ProfileKind::Relative,
            ("Absolute", _) => ProfileKind::Absolute,
            other => panic!("{other:?}"),
        },
        valid_from: time(&of["validFrom"]),
        valid_until: time(&of["validTo"]),
        key: of["transactionId"].as_str().map(|id| TransactionKey::Text(id.into())),
        schedules,
        more: of.get("maxOfflineDuration").map(|_| {
            Document::new(
                serde_json::json!({
                    "maxOfflineDuration": of["maxOfflineDuration"],
                    "invalidAfterOfflineDuration": of.get("invalidAfterOfflineDuration").unwrap_or(&Value::Bool(false)),
                })
                .to_string(),
            )
        }),
    }
}

fn files(folder: &Path, path: &str) -> Vec<PathBuf> {
    let path = folder.join(path.trim_start_matches('/'));
    if path.is_file() {
        return vec![path];
    }
    let mut files: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ext| ext == "json"));
    files.sort();
    files
}

/// The supply that these expectations assume.
fn supply() -> Supply {
    let watts = Decimal::from(55_612);
    Supply { watts, amperes: Decimal::from(57), volts: Decimal::from(230), phases: 3 }
}

/// The parts of a period that both sides have: a limit per phase of three is one limit here.
fn compared(period: &Value) -> (u64, Option<Decimal>, Option<Decimal>, Option<Decimal>) {
    let start = period["startPeriod"].as_u64().unwrap();
    (start, decimal(&period["limit"]), decimal(&period["dischargeLimit"]), decimal(&period["setpoint"]))
}

fn per_phase(value: &Value) -> bool {
    value.to_string().contains("_L2\"")
}

#[test]
fn composite_schedules_are_those_of_the_field() {
    // proves: K08.FR.02, K08.FR.04, TC_K_41_CS
    let (Some(cases), Some(folder)) =
        (shared("smart-charging/libocpp-composite-expected.json"), shared("ocpp/charging-profile-vectors-everest"))
    else {
        return;
    };
    let cases = read(&cases);
    let (mut compared_cases, mut left_out) = (0, Vec::new());
    for (version, cases) in cases["cases"].as_object().unwrap() {
        for case in cases.as_array().unwrap() {
            let name = case["test"].as_str().unwrap();
            let mut sources = Vec::new();
            for wish in case["profiles"].as_array().unwrap() {
                let evse = EvseNo::new(u16::try_from(wish["evseId"].as_u64().unwrap()).unwrap());
                let files = files(&folder.join(version), wish["path"].as_str().unwrap());
                sources.extend(files.iter().map(|file| (evse, read(file))));
            }
            if sources.is_empty() {
                let files = files(&folder.join(version), "baseline/");
                sources.extend(files.iter().map(|file| (EvseNo::new(1), read(file))));
            }
            // three phases with limits of their own have no word here
            if sources.iter().any(|(_, of)| per_phase(of)) || per_phase(&case["expected"]) {
                left_out.push(name);
                continue;
            }
            let from = time(&case["start"]).unwrap();
            let held: Vec<_> = sources.iter().map(|(evse, of)| Held::new(*evse, profile(of), from, "CSO")).collect();
            let key = held.iter().find_map(|held| held.profile.key.clone());
            let within = key.map(|key| Within { key, started: from, priority: false });
            let scene = Scene { profiles: &held, evse: EvseNo::new(1), within, supply: supply(), offline_for: None };
            let unit = if case["unit"] == "A" { RateUnit::Amperes } else { RateUnit::Watts };
            let got = scene.composite(from, time(&case["end"]).unwrap().since(from), unit);
            let mut got: Vec<_> = got
                .iter()
                .map(|p| (u64::from(p.start), p.limit.map(|l| l.normalize()), p.discharge_limit, p.setpoint))
                .collect();
            // periods that differ only in their operation mode are one in the expectations
            got.dedup_by(|b, a| (a.1, a.2, a.3) == (b.1, b.2, b.3));
            let expected: Vec<_> = case["expected"]["periods"].as_array().unwrap().iter().map(compared).collect();
            assert_eq!(got, expected, "{version} {name} from {from}");
            compared_cases += 1;
        }
    }
    assert!(compared_cases >= 24, "{compared_cases} compared, left out: {left_out:?}");
}

#[test]
fn every_profile_of_the_field_can_be_laid_over_a_day() {
    let Some(folder) = shared("ocpp/charging-profile-vectors-everest") else { return };
    let mut seen = 0;
    let mut waiting = vec![folder];
    while let Some(place) = waiting.pop() {
        for entry in std::fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|ext| ext == "json") {
                let profile = profile(&read(&path));
                let from = profile.schedules[0].start.unwrap_or(Timestamp::from_secs(1_705_449_600));
                let key = profile.key.clone().unwrap_or(TransactionKey::Number(1));
                let held = [Held::new(EvseNo::new(1), profile, from, "CSO")];
                let within = Some(Within { key, started: from, priority: false });
                let scene =
                    Scene { profiles: &held, evse: EvseNo::new(1), within, supply: supply(), offline_for: None };
                let day = Duration::from_secs(86_400);
                let periods = scene.composite(from, day, RateUnit::Watts);
                assert_eq!(periods.first().map(|period| period.start), Some(0), "{}", path.display());
                assert!(periods.is_sorted_by(|a, b| a.start < b.start), "{}", path.display());
                assert!(periods.iter().all(|period| period.limit.is_some()), "{}", path.display());
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 82);
}
