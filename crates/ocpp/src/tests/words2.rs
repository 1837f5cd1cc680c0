//! Every action of 2.0.1 and 2.1, both directions and both ends, with all optional members: one list for each block.

mod news;
mod orders;
mod samples;
mod terms;

use super::now;
use super::round_trip::{Line, evse};
use crate::{Limits, csms, station};
use charge::talk::line::charging::{ChargingNews, ChargingOrder, NeedsVerdict, ProfileFilter};
use charge::talk::line::document::Document;
use charge::talk::line::model::{ModelNews, ModelOrder, ReportKind};
use charge::talk::line::{Foreign, FromStation, Heard, LineFault, MeterReport, StationAnswer, ToStation, Version};
use news::messages;
use ocpp_kit::{v2_0_1 as old, v2_1 as kit};
use orders::orders;
use samples::{dec, one, refused, stream, vendor};
use std::collections::BTreeSet;

/// The frame of an order. Its hidden parts, tokens and secrets, compare on the wire.
fn frame(version: Version, what: &ToStation) -> Option<String> {
    let mut engine = csms::Engine::new(version, Limits::default());
    let mut out = Vec::new();
    engine.order(now(), 1, what.clone(), "o1".to_owned(), &mut out);
    out.into_iter().find_map(|event| if let csms::Event::Send(text) = event { Some(text) } else { None })
}

fn action(frame: &str) -> Option<String> {
    let frame: serde_json::Value = serde_json::from_str(frame).unwrap();
    (frame[0] == 2 || frame[0] == 6).then(|| frame[2].as_str().unwrap().to_owned())
}

const TWO: [Version; 2] = [Version::V201, Version::V21];

fn spoken(version: Version, new: bool) -> bool {
    version == Version::V21 || !new
}

#[test]
fn every_message_arrives_as_it_was_said_and_so_does_its_answer() {
    for version in TWO {
        for (new, what, answer) in messages() {
            if spoken(version, new) {
                let (said, heard) = Line::new(version).say(what.clone(), answer.clone());
                assert_eq!((said, heard), (what, answer), "{version:?}");
            }
        }
    }
}

#[test]
fn every_order_arrives_as_it_was_given_and_so_does_its_answer() {
    for version in TWO {
        for (new, what, answer) in orders() {
            if spoken(version, new) {
                let (told, heard) = Line::new(version).tell(what.clone(), answer.clone());
                assert_eq!(format!("{told:?}"), format!("{what:?}"), "{version:?}");
                assert_eq!(frame(version, &told), frame(version, &what), "{version:?} {what:?}");
                assert_eq!(heard, answer, "{version:?} {what:?}");
            }
        }
    }
}

#[test]
fn what_only_2_1_has_is_refused_before_it_is_sent_on_2_0_1() {
    for (new, what, _) in messages() {
        let mut engine = station::Engine::new(Version::V201, Limits::default());
        let mut out = Vec::new();
        engine.say(now(), 1, what.clone(), "s1".to_owned(), &mut out);
        let refusal = |event: &station::Event| {
            matches!(event, station::Event::Heard { outcome: Err(LineFault::NotInVersion), .. })
        };
        let remarked = |event: &station::Event| matches!(event, station::Event::Log(line) if !line.remarks.is_empty());
        // the needs of a car are of both, one of their answers is not
        assert_eq!(out.iter().any(refusal) && out.iter().any(remarked), new, "{what:?}");
    }
    for (new, what, answer) in orders() {
        // these are new for their answer
        let sayable = matches!(
            (&what, &answer),
            (ToStation::Charging(ChargingOrder::Composite { .. }), StationAnswer::Composite(_))
        );
        assert_eq!(frame(Version::V201, &what).is_none(), new && !sayable, "{what:?}");
    }
}

/// K17: the answer that 2.0.1 does not have is an acceptance there.
#[test]
fn no_profile_will_follow_is_an_acceptance_in_2_0_1() {
    let needs = Document::new(r#"{"requestedEnergyTransfer":"DC"}"#);
    let what = FromStation::Charging(ChargingNews::Needs { evse: one(), at: None, schedules_max: None, needs });
    let (_, heard) = Line::new(Version::V201).say(what, Heard::Needs(NeedsVerdict::NoProfile));
    assert_eq!(heard, Heard::Needs(NeedsVerdict::Accepted));
}

/// All actions of a version that this list and the plain round trips speak.
#[test]
fn every_action_of_both_versions_has_a_word() {
    let elsewhere = [
        "BootNotification",
        "Heartbeat",
        "StatusNotification",
        "TransactionEvent",
        "MeterValues",
        "SecurityEventNotification",
        // what they say is in round_trip
        "RequestStopTransaction",
        "UnlockConnector",
        "ChangeAvailability",
        "ClearCache",
        "GetVariables",
        "SetVariables",
        // sent and not answered: its own test
        "NotifyPeriodicEventStream",
    ];
    for version in TWO {
        let mut seen: BTreeSet<String> = elsewhere.iter().map(|name| (*name).to_owned()).collect();
        for (_, what, answer) in messages().into_iter().filter(|row| spoken(version, row.0)) {
            let mut line = Line::new(version);
            line.say(what, answer);
            seen.extend(line.frames.iter().filter_map(|frame| action(frame)));
        }
        for (_, what, _) in orders().into_iter().filter(|row| spoken(version, row.0)) {
            seen.extend(frame(version, &what).and_then(|frame| action(&frame)));
        }
        seen.insert("Reset".to_owned());
        let all: Vec<&str> = match version {
            Version::V201 => ACTIONS_201.iter().map(|action| action.as_str()).collect(),
            _ => ACTIONS_21.iter().map(|action| action.as_str()).collect(),
        };
        assert_eq!(all.len(), if version == Version::V201 { 64 } else { 91 });
        for name in all {
            assert!(seen.contains(name), "{version:?} has no word for {name}");
        }
    }
}

const ACTIONS_201: &[old::Action] = old::Action::ALL;
const ACTIONS_21: &[kit::Action] = kit::Action::ALL;

#[test]
fn a_stream_is_sent_and_never_answered() {
    let values = vec![(dec("0"), Box::from("3.5")), (dec("1.5"), Box::from("3.6"))];
    let what = FromStation::Model(ModelNews::StreamData { id: 1, pending: 2, base: now(), values });
    let mut end = station::Engine::new(Version::V21, Limits::default());
    let mut out = Vec::new();
    // it does not wait for the CALL under way
    end.say(now(), 1, FromStation::Alive, "s1".to_owned(), &mut out);
    end.say(now(), 2, what.clone(), "s2".to_owned(), &mut out);
    let sent: Vec<_> = out
        .iter()
        .filter_map(|event| if let station::Event::Send(text) = event { Some(text.as_str()) } else { None })
        .collect();
    assert_eq!(
        sent[1],
        r#"[6,"s2","NotifyPeriodicEventStream",{"data":[{"t":0,"v":"3.5"},{"t":1.5,"v":"3.6"}],"id":1,"pending":2,"basetime":"2026-11-22T15:04:05Z"}]"#
    );
    assert!(out.iter().any(|event| matches!(event, station::Event::Heard { said: 2, outcome: Ok(Heard::Noted) })));
    let mut engine = super::operator(Version::V21);
    let seen = super::receive(&mut engine, sent[1]);
    assert_eq!(seen.asked[0].1, what);
    let mut out = Vec::new();
    engine.answer(now(), seen.asked[0].0, Ok(Heard::Noted), &mut out);
    assert!(out.is_empty(), "{out:?}");
    // neither is a broken one, nor another message
    let broken = r#"[6,"a","NotifyPeriodicEventStream",{"data":[]}]"#;
    for text in [broken, r#"[6,"a","Heartbeat",{}]"#, r#"[6,"a"]"#, r#"[6,"a","Teleport",{}]"#] {
        let seen = super::receive(&mut super::operator(Version::V21), text);
        assert!(seen.sent.is_empty() && seen.asked.is_empty(), "{text}");
        assert!(!seen.log[0].remarks.is_empty(), "{text}");
    }
}

#[test]
fn an_answer_that_cannot_be_read_is_told_in_2_1_only() {
    for (version, told) in [(Version::V21, true), (Version::V201, false)] {
        let mut engine = super::operator(version);
        let mut out = Vec::new();
        engine.order(now(), 1, ToStation::ClearCache, "m1".to_owned(), &mut out);
        let seen = super::receive(&mut engine, r#"[3,"m1",{}]"#);
        assert!(matches!(
            seen.answered[..],
            [csms::Event::Answered { order: 1, outcome: Err(LineFault::Unreadable(_)) }]
        ));
        let complaint =
            seen.sent.first().is_some_and(|text| text.starts_with(r#"[5,"m1","OccurrenceConstraintViolation""#));
        assert_eq!(complaint, told, "{:?}", seen.sent);
        // the same about an answer of ours is logged, and answered by nobody
        let seen = super::receive(&mut super::operator(version), r#"[5,"m9","TypeConstraintViolation","no",{}]"#);
        assert_eq!(seen.sent.is_empty(), told, "{:?}", seen.sent);
    }
}

#[test]
fn each_version_judges_by_its_own_schemas() {
    let rows = [
        // an action of 2.1
        (r#"[2,"a","GetTariffs",{"evseId":1}]"#, "NotImplemented", "told"),
        (r#"[2,"a","NotifyWebPaymentStarted",{"evseId":1,"timeout":5}]"#, "NotImplemented", "told"),
        // a word of 2.1
        (r#"[2,"a","Reset",{"type":"ImmediateAndResume"}]"#, "PropertyConstraintViolation", "told"),
        (
            r#"[2,"a","GetLog",{"log":{"remoteLocation":"x"},"logType":"DataCollectorLog","requestId":1}]"#,
            "PropertyConstraintViolation",
            "told",
        ),
        // wrong in both
        (r#"[2,"a","ClearVariableMonitoring",{"id":[]}]"#, "OccurrenceConstraintViolation", "refused"),
        (r#"[2,"a","SetMonitoringLevel",{"severity":"5"}]"#, "TypeConstraintViolation", "refused"),
        (r#"[2,"a","SetMonitoringLevel",{}]"#, "OccurrenceConstraintViolation", "refused"),
        (
            r#"[2,"a","CustomerInformation",{"requestId":1,"report":true,"clear":false}]"#,
            "OccurrenceConstraintViolation",
            "refused",
        ),
        (r#"[2,"a","Teleport",{}]"#, "NotImplemented", "refused"),
        (r#"[2,"a","Heartbeat",{}]"#, "NotSupported", "refused"),
    ];
    for (text, code, newer) in rows {
        for version in TWO {
            let mut end = station::Engine::new(version, Limits::default());
            let mut out = Vec::new();
            end.receive(now(), text, &mut out);
            let told = out.iter().any(|event| matches!(event, station::Event::Told { .. }));
            let refusal = out.iter().any(
                |event| matches!(event, station::Event::Send(sent) if sent.starts_with(&format!(r#"[4,"a","{code}""#))),
            );
            let expected = version == Version::V21 && newer == "told";
            assert_eq!((told, refusal), (expected, !expected), "{version:?} {text}: {out:?}");
        }
    }
}

#[test]
fn a_message_of_the_other_direction_or_version_is_refused() {
    let rows = [
        (Version::V21, r#"[2,"a","NotifyWebPaymentStarted",{"evseId":1,"timeout":5}]"#, "NotSupported"),
        (Version::V201, r#"[2,"a","NotifyWebPaymentStarted",{"evseId":1,"timeout":5}]"#, "NotImplemented"),
        (Version::V201, r#"[2,"a","BatterySwap",{}]"#, "NotImplemented"),
        (Version::V21, r#"[2,"a","BatterySwap",{}]"#, "OccurrenceConstraintViolation"),
        (Version::V21, r#"[2,"a","SetDERControl",{}]"#, "NotSupported"),
    ];
    for (version, text, code) in rows {
        let seen = super::receive(&mut super::operator(version), text);
        assert!(seen.sent[0].starts_with(&format!(r#"[4,"a","{code}""#)), "{version:?} {text} {:?}", seen.sent);
    }
}

#[test]
fn the_places_where_2_0_1_is_no_valid_2_1_are_read() {
    // no eventNotificationType in a monitor, and a negative event id
    let rows = [
        r#"[2,"a","NotifyMonitoringReport",{"requestId":1,"seqNo":0,"generatedAt":"2026-11-22T15:04:05Z","monitor":[{"component":{"name":"EVSE"},"variable":{"name":"Power"},"variableMonitoring":[{"id":1,"transaction":false,"value":5,"type":"Delta","severity":3}]}]}]"#,
        r#"[2,"a","NotifyEvent",{"generatedAt":"2026-11-22T15:04:05Z","seqNo":0,"eventData":[{"eventId":-1,"timestamp":"2026-11-22T15:04:05Z","trigger":"Delta","actualValue":"1","eventNotificationType":"CustomMonitor","component":{"name":"EVSE"},"variable":{"name":"Power"}}]}]"#,
    ];
    for text in rows {
        let seen = super::receive(&mut super::operator(Version::V201), text);
        assert!(matches!(seen.asked[0].1, FromStation::Model(_)), "{text} {:?}", seen.sent);
    }
}

#[test]
fn an_expert_call_is_checked_before_and_handed_back_raw() {
    let foreign = |action: &str, body: &str| Foreign { action: action.into(), body: body.into() };
    let rows = [
        (Version::V21, foreign("GetLocalListVersion", "{}"), true),
        (Version::V21, foreign("NotifyWebPaymentStarted", r#"{"evseId":1,"timeout":5}"#), true),
        (Version::V201, foreign("NotifyWebPaymentStarted", r#"{"evseId":1,"timeout":5}"#), false),
        (Version::V201, foreign("GetTariffs", r#"{"evseId":1}"#), false),
        (Version::V21, foreign("GetTariffs", r#"{"evseId":"1"}"#), false),
        (Version::V21, foreign("Teleport", "{}"), false),
    ];
    for (version, order, sent) in rows {
        assert_eq!(frame(version, &ToStation::Foreign(order.clone())).is_some(), sent, "{version:?} {order:?}");
    }
    let mut engine = super::operator(Version::V21);
    let mut out = Vec::new();
    let order = ToStation::Foreign(foreign("GetLocalListVersion", "{}"));
    engine.order(now(), 1, order, "m1".to_owned(), &mut out);
    let seen = super::receive(&mut engine, r#"[3,"m1",{"versionNumber":3}]"#);
    let [csms::Event::Answered { outcome: Ok(StationAnswer::Foreign(answer)), .. }] = &seen.answered[..] else {
        panic!("{:?}", seen.answered)
    };
    assert_eq!(&*answer.body, r#"{"versionNumber":3}"#);
}

#[test]
fn an_order_without_a_word_is_the_stations_to_refuse_and_never_widened() {
    // proves: B11.FR.09, B12.FR.09
    let rows = [
        (r#""TriggerMessage",{"requestedMessage":"CustomTrigger","customTrigger":"x"}"#, "NotImplemented"),
        (r#""Reset",{"type":"Immediate","evseId":1}"#, "Rejected"),
        (r#""UnlockConnector",{"evseId":1,"connectorId":2}"#, "UnlockFailed"),
    ];
    for (order, word) in rows {
        let mut end = station::Engine::new(Version::V21, Limits::default());
        let mut out = Vec::new();
        end.receive(now(), &format!(r#"[2,"a",{order}]"#), &mut out);
        let ticket = out.iter().find_map(|event| match event {
            station::Event::Told { ticket, order: ToStation::Foreign(_) } => Some(*ticket),
            _ => None,
        });
        let mut out = Vec::new();
        end.answer(now(), ticket.unwrap(), refused("NotSupported"), &mut out);
        let expected = format!(r#"[3,"a",{{"status":"{word}"}}]"#);
        assert!(matches!(&out[0], station::Event::Send(text) if *text == expected), "{order} {out:?}");
    }
}

#[test]
fn what_is_not_served_is_refused_in_the_words_of_its_action() {
    let rows = [
        (FromStation::Vendor(vendor()), r#"[3,"s1",{"status":"UnknownVendorId"}]"#),
        (FromStation::Charging(ChargingNews::Pull { profile: 5 }), r#"[3,"s1",{"status":"Rejected"}]"#),
        (FromStation::Model(ModelNews::StreamOpened(stream())), r#"[3,"s1",{"status":"Rejected"}]"#),
        (FromStation::Model(ModelNews::StreamClosed(1)), r#"[4,"s1","NotSupported","not served here",{}]"#),
    ];
    for (what, expected) in rows {
        let mut end = station::Engine::new(Version::V21, Limits::default());
        let mut out = Vec::new();
        end.say(now(), 1, what, "s1".to_owned(), &mut out);
        let sent = out.iter().find_map(|event| if let station::Event::Send(text) = event { Some(text) } else { None });
        let mut engine = super::operator(Version::V21);
        let seen = super::receive(&mut engine, sent.unwrap());
        let mut out = Vec::new();
        engine.answer(now(), seen.asked[0].0, Ok(Heard::NotServed), &mut out);
        assert_eq!(super::sort(out).sent, [expected]);
    }
}

#[test]
fn a_payment_leaves_no_trace_of_its_payer_in_the_log() {
    let payments = messages().into_iter().filter(|(_, what, _)| matches!(what, FromStation::Payment(_)));
    for (_, what, answer) in payments {
        let mut end = station::Engine::new(Version::V21, Limits::default());
        let mut out = Vec::new();
        end.say(now(), 1, what, "s1".to_owned(), &mut out);
        let sent = out.iter().find_map(|event| if let station::Event::Send(text) = event { Some(text) } else { None });
        let mut engine = super::operator(Version::V21);
        let mut seen = super::receive(&mut engine, sent.unwrap());
        let mut out = Vec::new();
        engine.answer(now(), seen.asked[0].0, Ok(answer), &mut out);
        seen.log.extend(super::sort(out).log);
        for line in seen.log {
            assert!(!["NL123", "psp-1", "ACME"].iter().any(|told| line.text.contains(told)), "{}", line.text);
        }
    }
}

/// K10.FR.02, and what one message cannot hold.
#[test]
fn profiles_are_cleared_by_one_id_or_by_a_criterion() {
    let clear = |which| frame(Version::V21, &ToStation::Charging(ChargingOrder::Clear(which)));
    assert!(clear(ProfileFilter::default()).is_none());
    assert!(clear(ProfileFilter { ids: vec![1, 2], ..ProfileFilter::default() }).is_none());
    let payload = clear(ProfileFilter { evse: Some(None), ..ProfileFilter::default() }).unwrap();
    assert!(payload.contains(r#"{"chargingProfileCriteria":{"evseId":0}}"#), "{payload}");
}

#[test]
fn a_full_report_is_asked_under_a_number_of_the_engine() {
    let mut line = Line::new(Version::V201);
    for number in 1..3 {
        let all = ToStation::ReadSettings { keys: vec![] };
        let (told, heard) = line.tell(all, refused("EmptyResultSet"));
        let expected = ModelOrder::Base { request: number, kind: ReportKind::Full };
        assert_eq!(format!("{told:?}"), format!("{:?}", ToStation::Model(expected)));
        assert_eq!(heard, StationAnswer::Settings { known: vec![], unknown: vec![] });
    }
}

#[test]
fn a_measurand_of_2_1_is_left_out_in_2_0_1() {
    use charge::meter::{Context, Measured, Reading};
    let other = |measurand: &str| Reading {
        at: now(),
        context: Context::SamplePeriodic,
        phase: None,
        measured: Measured::Other { measurand: measurand.into(), value: dec("5"), unit: "W".into() },
    };
    let readings = vec![other("Power.Offered"), other("Power.Active.Setpoint")];
    for (version, kept) in [(Version::V201, 1), (Version::V21, 2)] {
        let report = MeterReport { evse: evse(1), key: None, readings: readings.clone() };
        let (said, _) = Line::new(version).say(FromStation::Meter(report), Heard::Noted);
        let FromStation::Meter(heard) = said else { panic!() };
        assert_eq!(heard.readings.len(), kept);
    }
}
