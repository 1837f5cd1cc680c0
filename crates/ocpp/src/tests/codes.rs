//! Which error code when, per version; and no nonsense gets more than one answer.

use charge::talk::line::{Denial, Heard, Version};
use proptest::prelude::*;

use super::{now, operator, receive, sort};

const BOOT_16: &str = r#""chargePointVendor":"V","chargePointModel":"M""#;
const BOOT_201: &str = r#""chargingStation":{"model":"M","vendorName":"V"},"reason":"PowerUp""#;

/// Frame, code in 1.6 and in 2.0.1; empty is silence.
fn table() -> Vec<(String, &'static str, &'static str)> {
    let deep = format!(r#"[2,"a","Heartbeat",{{"x":{}{}}}]"#, "[".repeat(40), "]".repeat(40));
    let long = format!(r#"[2,"a","DataTransfer",{{"vendorId":"v","data":"{}"}}]"#, "x".repeat(300_000));
    let long_id = format!(r#"[2,"{}","Heartbeat",{{}}]"#, "i".repeat(37));
    let rows = [
        (r#"[2,"a","Heartbeat",{"#, "FormationViolation", "FormatViolation"),
        (r#"[2,"a","Heartbeat",{]}]"#, "FormationViolation", "FormatViolation"),
        (r#"[2,"a","Heartbeat",{"x":tru}]"#, "FormationViolation", "FormatViolation"),
        ("{", "", "RpcFrameworkError"),
        ("", "", "RpcFrameworkError"),
        ("[2,", "", "RpcFrameworkError"),
        (r#"[2,"a"]"#, "ProtocolError", "ProtocolError"),
        (r#"[2,"a","Heartbeat"]"#, "ProtocolError", "ProtocolError"),
        (r#"[2,"a","Heartbeat",[]]"#, "ProtocolError", "ProtocolError"),
        (r#"[2,"a","Heartbeat","x"]"#, "ProtocolError", "ProtocolError"),
        (r#"[2,"a","Heartbeat",{},{}]"#, "ProtocolError", "ProtocolError"),
        (r#"[2,{},"Heartbeat",{}]"#, "ProtocolError", "ProtocolError"),
        (r#"[2,null,"Heartbeat",{}]"#, "ProtocolError", "ProtocolError"),
        (r#"[9,"a",{}]"#, "", "MessageTypeNotSupported"),
        (r#"[6,"a","NotifyPeriodicEventStream",{}]"#, "", "MessageTypeNotSupported"),
        (r#"[2,"a","Teleport",{}]"#, "NotImplemented", "NotImplemented"),
        (r#"[2,"a","Reset",{"type":"Hard"}]"#, "NotSupported", "NotSupported"),
        (r#"[2,"a","Authorize",{}]"#, "OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
        (r#"[2,"a","BootNotification",{}]"#, "OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
        (r#"[3,"a",{}]"#, "", ""),
        (r#"[3,"a",{"#, "", ""),
        (r#"[4,"a","InternalError","",{}]"#, "", ""),
    ];
    let mut rows: Vec<_> = rows.into_iter().map(|(text, old, new)| (text.to_owned(), old, new)).collect();
    rows.push((deep, "FormationViolation", "FormatViolation"));
    rows.push((long, "FormationViolation", "FormatViolation"));
    rows.push((long_id, "ProtocolError", "ProtocolError"));
    rows
}

fn code(text: &str) -> String {
    let frame: serde_json::Value = serde_json::from_str(text).unwrap();
    let frame = frame.as_array().unwrap();
    assert_eq!((frame.len(), frame[0].as_i64()), (5, Some(4)), "{text}");
    assert!(frame[4].is_object(), "{text}");
    frame[2].as_str().unwrap().to_owned()
}

#[test]
fn every_fault_has_the_code_of_its_version() {
    for (text, old, new) in table() {
        // SEND is a message type of 2.1, and gets no answer there
        let newest = if text.starts_with("[6,") { "" } else { new };
        for (version, expected) in [(Version::V16, old), (Version::V201, new), (Version::V21, newest)] {
            let seen = receive(&mut operator(version), &text);
            let shown: String = text.chars().take(80).collect();
            assert_eq!(seen.sent.first().map(|text| code(text)).unwrap_or_default(), expected, "{version:?} {shown}");
            assert!(seen.asked.is_empty(), "{shown}");
            assert!(!seen.log[0].remarks.is_empty(), "{shown}");
        }
    }
}

#[test]
fn payload_faults_name_their_place() {
    let old = [
        (
            r#"[2,"a","StatusNotification",{"connectorId":"one","errorCode":"NoError","status":"Available"}]"#,
            "TypeConstraintViolation",
            "/connectorId",
        ),
        (
            r#"[2,"a","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Sleeping"}]"#,
            "PropertyConstraintViolation",
            "/status",
        ),
        (r#"[2,"a","Authorize",{"idTag":""}]"#, "PropertyConstraintViolation", "/idTag"),
        (r#"[2,"a","Authorize",{"idTag":{}}]"#, "TypeConstraintViolation", "/idTag"),
        (r#"[2,"a","StopTransaction",{"meterStop":1,"transactionId":1}]"#, "OccurenceConstraintViolation", ""),
    ];
    let new = [
        (r#"[2,"a","Authorize",{"idToken":"04A2"}]"#, "TypeConstraintViolation", "/idToken"),
        (
            r#"[2,"a","StatusNotification",{"timestamp":"2026-01-01T00:00:00Z","connectorStatus":"Charging","evseId":1,"connectorId":1}]"#,
            "PropertyConstraintViolation",
            "/connectorStatus",
        ),
        (
            r#"[2,"a","TransactionEvent",{"eventType":"Started","timestamp":"2026-01-01T00:00:00Z","triggerReason":"Authorized","seqNo":0,"transactionInfo":{"transactionId":"0123456789012345678901234567890123456"}}]"#,
            "PropertyConstraintViolation",
            "/transactionInfo/transactionId",
        ),
        (
            r#"[2,"a","NotifyChargingLimit",{"chargingLimit":{"chargingLimitSource":"EMS"},"chargingSchedule":[{"id":1,"chargingRateUnit":"kW","chargingSchedulePeriod":[{"startPeriod":0,"limit":11.0}]}]}]"#,
            "PropertyConstraintViolation",
            "/chargingRateUnit",
        ),
    ];
    let check = |version, (text, expected, path): (&str, &str, &str)| {
        let seen = receive(&mut operator(version), text);
        assert_eq!(code(&seen.sent[0]), expected, "{text}");
        assert!(path.is_empty() || seen.sent[0].contains(&format!(r#"{{"path":"{path}"}}"#)), "{}", seen.sent[0]);
        assert!(!seen.sent[0].contains("04A2"), "an error text quotes a token: {}", seen.sent[0]);
    };
    old.into_iter().for_each(|row| check(Version::V16, row));
    new.into_iter().for_each(|row| check(Version::V201, row));
}

#[test]
fn denials_and_the_unserved_have_their_codes() {
    // proves: B02.FR.09, B03.FR.07
    let outcomes = [
        (Err(Denial::NotAccepted), "SecurityError"),
        (Err(Denial::Misplaced("not of this station".into())), "PropertyConstraintViolation"),
        (Err(Denial::CannotKeep), "InternalError"),
        (Ok(Heard::NotServed), "NotSupported"),
        (Ok(Heard::Noted), "InternalError"),
    ];
    for version in [Version::V16, Version::V201] {
        for (outcome, expected) in outcomes.clone() {
            let mut engine = operator(version);
            let ticket = receive(&mut engine, r#"[2,"a","Heartbeat",{}]"#).asked[0].0;
            let mut out = Vec::new();
            engine.answer(now(), ticket, outcome, &mut out);
            assert_eq!(code(&sort(out).sent[0]), expected);
        }
    }
}

#[test]
fn foreign_messages_are_refused_in_their_own_way() {
    let rows = [
        (Version::V16, "DataTransfer", r#"{"vendorId":"v"}"#, r#"[3,"a",{"status":"UnknownVendorId"}]"#),
        (Version::V16, "SignCertificate", r#"{"csr":"x"}"#, r#"[3,"a",{"status":"Rejected"}]"#),
        (
            Version::V201,
            "NotifyEVChargingNeeds",
            r#"{"evseId":1,"chargingNeeds":{"requestedEnergyTransfer":"DC"}}"#,
            r#"[3,"a",{"status":"Rejected"}]"#,
        ),
        (
            Version::V201,
            "ClearedChargingLimit",
            r#"{"chargingLimitSource":"EMS"}"#,
            r#"[4,"a","NotSupported","not served here",{}]"#,
        ),
    ];
    for (version, action, payload, expected) in rows {
        let mut engine = operator(version);
        let seen = receive(&mut engine, &format!(r#"[2,"a","{action}",{payload}]"#));
        let mut out = Vec::new();
        engine.answer(now(), seen.asked[0].0, Ok(Heard::NotServed), &mut out);
        assert_eq!(sort(out).sent, [expected]);
    }
}

fn frames() -> impl Strategy<Value = String> {
    let actions = prop::sample::select(vec![
        "Heartbeat",
        "Authorize",
        "BootNotification",
        "StartTransaction",
        "StopTransaction",
        "MeterValues",
        "StatusNotification",
        "TransactionEvent",
        "NotifyReport",
        "Reset",
        "Teleport",
        "DataTransfer",
    ]);
    let payloads = prop_oneof![
        Just("{}".to_owned()),
        Just(format!("{{{BOOT_16}}}")),
        Just(format!("{{{BOOT_201}}}")),
        Just(r#"{"connectorId":"1","meterValue":{"timestamp":"0","sampledValue":[{"value":null},7,{"value":"1e3"}]}}"#.to_owned()),
        Just(r#"{"idTag":17,"meterStart":1e99,"timestamp":0,"connectorId":-1}"#.to_owned()),
        Just(r#"{"eventType":"Ended","timestamp":"","triggerReason":"","seqNo":-1,"transactionInfo":{"transactionId":5}}"#.to_owned()),
        "\\PC{0,60}",
        "[\\[\\]{}\",:0-9a-z\\\\]{0,60}",
    ];
    let kinds = prop_oneof![Just("2".to_owned()), Just("3".to_owned()), Just("4".to_owned()), "[0-9\"x-]{0,3}"];
    let ids = prop_oneof![Just("\"a\"".to_owned()), Just("7".to_owned()), "[\"0-9a-z{}\\\\]{0,8}"];
    (kinds, ids, actions, payloads)
        .prop_map(|(kind, id, action, payload)| format!("[{kind},{id},\"{action}\",{payload}]"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_text_panics_or_gets_two_replies(text in prop_oneof!["\\PC{0,80}", frames()], cut in 0usize..200) {
        for version in [Version::V16, Version::V201, Version::V21] {
            let cut = text.char_indices().map(|(at, _)| at).nth(cut).unwrap_or(text.len());
            for text in [&text[..], &text[..cut]] {
                let mut engine = operator(version);
                let seen = receive(&mut engine, text);
                prop_assert!(seen.sent.len() + seen.asked.len() <= 1);
                if let Some((ticket, _)) = seen.asked.first() {
                    let mut out = Vec::new();
                    engine.answer(now(), *ticket, Err(Denial::CannotKeep), &mut out);
                    engine.answer(now(), *ticket, Ok(Heard::Noted), &mut out);
                    prop_assert_eq!(sort(out).sent.len(), 1);
                }
                let _ = crate::mask::frame(text);
            }
        }
    }
}
