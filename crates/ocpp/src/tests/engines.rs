//! Queues, order and time at both ends.

use std::time::Duration;

use charge::Secret;
use charge::talk::line::document::Part;
use charge::talk::line::model::ModelNews;
use charge::talk::line::{
    Admission, Direction, FromStation, Heard, LineFault, ResetKind, StationAnswer, ToStation, Version, Written,
};

use super::{at, now, operator, receive, sort};
use crate::{Limits, csms, station};

const HEARTBEAT: &str = r#"[3,"ID",{"currentTime":"2026-11-22T15:04:05Z"}]"#;

fn order(engine: &mut csms::Engine, number: u64, what: ToStation) -> Vec<csms::Event> {
    let mut out = Vec::new();
    engine.order(now(), number, what, format!("m{number}"), &mut out);
    out
}

#[test]
fn answers_leave_in_the_order_of_the_questions() {
    let mut engine = operator(Version::V16);
    let first = receive(&mut engine, r#"[2,"r07a","Authorize",{"idTag":"A"}]"#).asked[0].0;
    let second = receive(&mut engine, r#"[2,"r07b","Heartbeat",{}]"#).asked[0].0;
    // a broken third one waits for its turn as well
    assert!(receive(&mut engine, r#"[2,"r07c","Teleport",{}]"#).sent.is_empty());
    let mut out = Vec::new();
    engine.answer(now(), second, Ok(Heard::Alive { now: now() }), &mut out);
    assert!(out.is_empty());
    engine.answer(now(), first, Ok(Heard::Tap(charge::token::Verdict::bare(charge::token::Allowed::Yes))), &mut out);
    let sent = sort(out).sent;
    assert_eq!(sent[0], r#"[3,"r07a",{"idTagInfo":{"status":"Accepted"}}]"#);
    assert_eq!(sent[1], HEARTBEAT.replace("ID", "r07b"));
    assert!(sent[2].starts_with(r#"[4,"r07c","NotImplemented""#), "{}", sent[2]);
}

#[test]
fn too_many_questions_are_refused_and_the_rest_lives() {
    let mut engine = operator(Version::V201);
    let tickets: Vec<_> =
        (0..8).map(|n| receive(&mut engine, &format!(r#"[2,"h{n}","Heartbeat",{{}}]"#)).asked[0].0).collect();
    let over = receive(&mut engine, r#"[2,"h8","Heartbeat",{}]"#);
    assert!(over.asked.is_empty() && over.sent[0].starts_with(r#"[4,"h8","InternalError""#), "{:?}", over.sent);
    let mut out = Vec::new();
    for ticket in tickets {
        engine.answer(now(), ticket, Ok(Heard::Alive { now: now() }), &mut out);
    }
    assert_eq!(sort(out).sent.len(), 8);
}

#[test]
fn one_order_is_under_way_and_the_rest_waits_bounded() {
    let mut engine = operator(Version::V16);
    let sent = sort(order(&mut engine, 0, ToStation::ClearCache)).sent;
    assert_eq!(sent, [r#"[2,"m0","ClearCache",{}]"#]);
    for number in 1..=16 {
        assert!(order(&mut engine, number, ToStation::Reset(ResetKind::Soft)).is_empty());
    }
    let over = order(&mut engine, 17, ToStation::ClearCache);
    assert!(matches!(over[..], [csms::Event::Answered { order: 17, outcome: Err(LineFault::Overloaded) }]), "{over:?}");
    let seen = receive(&mut engine, r#"[3,"m0",{"status":"Accepted"}]"#);
    assert!(matches!(seen.answered[..], [csms::Event::Answered { order: 0, outcome: Ok(StationAnswer::Accepted) }]));
    assert_eq!(seen.sent, [r#"[2,"m1","Reset",{"type":"Soft"}]"#]);
    let mut out = Vec::new();
    engine.lost(&mut out);
    assert_eq!(out.len(), 16);
    assert!(out.iter().all(|event| matches!(event, csms::Event::Answered { outcome: Err(LineFault::Lost), .. })));
}

#[test]
fn a_timeout_is_told_as_a_timeout_and_a_late_answer_changes_nothing() {
    let mut engine = operator(Version::V201);
    order(&mut engine, 1, ToStation::ClearCache);
    order(&mut engine, 2, ToStation::ClearCache);
    let due = engine.wake_at().unwrap();
    assert_eq!(due, now().plus(Limits::default().call_timeout));
    let mut out = Vec::new();
    engine.tick(due.minus(Duration::from_micros(1)), &mut out);
    assert!(out.is_empty());
    engine.tick(due, &mut out);
    let seen = sort(out);
    assert!(matches!(seen.answered[..], [csms::Event::Answered { order: 1, outcome: Err(LineFault::TimedOut) }]));
    assert_eq!(seen.sent, [r#"[2,"m2","ClearCache",{}]"#]);
    let late = receive(&mut engine, r#"[3,"m1",{"status":"Accepted"}]"#);
    assert!(late.answered.is_empty() && late.sent.is_empty());
    assert!(late.log[0].remarks[0].contains("answers nothing"), "{:?}", late.log[0]);
}

#[test]
fn nothing_is_ordered_before_the_boot_answer_is_out() {
    let mut engine = operator(Version::V16);
    let boot = r#"[2,"b04","BootNotification",{"chargePointVendor":"W","chargePointModel":"CPB1"}]"#;
    let ticket = receive(&mut engine, boot).asked[0].0;
    assert!(order(&mut engine, 1, ToStation::ClearCache).is_empty());
    let mut out = Vec::new();
    let heard = Heard::Boot { admitted: Admission::Accepted, now: now(), interval: Duration::ZERO };
    engine.answer(now(), ticket, Ok(heard), &mut out);
    let sent = sort(out).sent;
    assert_eq!(sent[0], r#"[3,"b04",{"status":"Accepted","currentTime":"2026-11-22T15:04:05Z","interval":1}]"#);
    assert_eq!(sent[1], r#"[2,"m1","ClearCache",{}]"#);
}

#[test]
fn errors_of_any_spelling_and_broken_answers_end_the_order() {
    let rows = [
        (r#"[4,"m1","FormationViolation","",{}]"#, "FormatViolation"),
        (r#"[4,"m1","InternalError","text","a string, not an object"]"#, "InternalError"),
        (r#"[4,"m1","NotSupported"]"#, "NotSupported"),
        (r#"[3,"m1",{"configurationKey":[]"#, "Unreadable"),
        (r#"[3,"m1",[]]"#, "Unreadable"),
        (r#"[3,"m1",{"status":5}]"#, "Unreadable"),
        (r#"[3,"m1",{}]"#, "Unreadable"),
    ];
    for (text, expected) in rows {
        let mut engine = operator(Version::V16);
        order(&mut engine, 1, ToStation::ClearCache);
        let seen = receive(&mut engine, text);
        assert!(seen.sent.is_empty(), "{text}");
        let [csms::Event::Answered { order: 1, outcome: Err(fault) }] = &seen.answered[..] else { panic!("{text}") };
        let got = match fault {
            LineFault::Error { code, .. } => code,
            LineFault::Unreadable(_) => "Unreadable",
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(got, expected, "{text}");
        assert!(engine.wake_at().is_none());
    }
}

#[test]
fn several_settings_are_written_one_by_one_in_1_6() {
    let mut engine = operator(Version::V16);
    let value = |text: &str| Secret::new(Box::from(text));
    let values =
        vec![("HeartbeatInterval".into(), value("60")), ("AuthorizationKey".into(), value("hunter22hunter22"))];
    let first = sort(order(&mut engine, 1, ToStation::WriteSettings { values }));
    assert_eq!(first.sent, [r#"[2,"m1","ChangeConfiguration",{"key":"HeartbeatInterval","value":"60"}]"#]);
    let second = receive(&mut engine, r#"[3,"m1",{"status":"Accepted"}]"#);
    assert_eq!(
        second.sent,
        [r#"[2,"m1+1","ChangeConfiguration",{"key":"AuthorizationKey","value":"hunter22hunter22"}]"#]
    );
    assert!(second.log.iter().all(|line| !line.text.contains("hunter22")));
    assert!(!format!("{:?}", csms::Event::Send(second.sent[0].clone())).contains("hunter22"));
    let last = receive(&mut engine, r#"[3,"m1+1",{"status":"RebootRequired"}]"#);
    let [csms::Event::Answered { outcome: Ok(StationAnswer::Written(rows)), .. }] = &last.answered[..] else {
        panic!()
    };
    assert_eq!(
        rows[..],
        [("HeartbeatInterval".into(), Written::Accepted), ("AuthorizationKey".into(), Written::AfterReboot)]
    );
}

#[test]
fn what_a_version_cannot_say_is_refused_before_it_is_sent() {
    let mut engine = operator(Version::V16);
    let text = charge::id::TransactionKey::Text("tx-9".into());
    let keys = vec!["x".repeat(51).into()];
    let orders =
        [ToStation::Stop { key: text }, ToStation::ReadSettings { keys }, ToStation::WriteSettings { values: vec![] }];
    for what in orders {
        let seen = sort(order(&mut engine, 1, what));
        assert!(seen.sent.is_empty());
        assert!(matches!(seen.answered[..], [csms::Event::Answered { outcome: Err(LineFault::NotInVersion), .. }]));
        assert!(!seen.log[0].remarks.is_empty());
    }
    let mut end = station::Engine::new(Version::V16, Limits::default());
    let mut out = Vec::new();
    let report = ModelNews::Events { part: Part { request: 0, seq: 0, more: false }, at: now(), events: vec![] };
    end.say(now(), 4, FromStation::Model(report), "s".into(), &mut out);
    let refused = |event: &station::Event| {
        matches!(event, station::Event::Heard { said: 4, outcome: Err(LineFault::NotInVersion) })
    };
    assert!(out.iter().any(refused), "{out:?}");
}

#[test]
fn numbers_that_cannot_be_are_refused_by_the_station_end() {
    let tariff = r#"[2,"a","SetDefaultTariff",{"evseId":1,"tariff":{"tariffId":"T","currency":"EUR","energy":{"prices":[{"priceKwh":0.5,"conditions":{"startTimeOfDay":"HOUR"}}]}}}]"#;
    let rows = [
        (Version::V21, tariff.replace("HOUR", "2000:00")),
        (Version::V21, tariff.replace("HOUR", "12:61")),
        (Version::V201, r#"[2,"a","GetCompositeSchedule",{"duration":-1,"evseId":0}]"#.to_owned()),
        (Version::V201, r#"[2,"a","UpdateFirmware",{"requestId":1,"retries":-1,"firmware":{"location":"ftp://x","retrieveDateTime":"2026-11-22T15:00:00Z"}}]"#.to_owned()),
        (Version::V16, r#"[2,"a","ChangeAvailability",{"connectorId":-1,"type":"Inoperative"}]"#.to_owned()),
        (Version::V16, r#"[2,"a","ChangeAvailability",{"connectorId":70000,"type":"Inoperative"}]"#.to_owned()),
    ];
    for (version, text) in rows {
        let mut end = station::Engine::new(version, Limits::default());
        let mut out = Vec::new();
        end.receive(now(), &text, &mut out);
        let refused = |event: &station::Event| matches!(event, station::Event::Send(sent) if sent.starts_with("[4,"));
        assert!(out.iter().any(refused), "{text}: {out:?}");
    }
}

#[test]
fn the_station_end_reads_orders_strictly() {
    let rows = [
        (r#"[2,"a","RemoteStartTransaction",{"idTag":"123456789012345678901"}]"#, "PropertyConstraintViolation"),
        (r#"[2,"a","RemoteStopTransaction",{"transactionId":"5"}]"#, "TypeConstraintViolation"),
        (r#"[2,"a","Reset",{}]"#, "OccurenceConstraintViolation"),
        (r#"[2,"a","UnlockConnector",{"connectorId":0}]"#, "PropertyConstraintViolation"),
        (r#"[2,"a","Heartbeat",{}]"#, "NotSupported"),
        (r#"[2,"a","Teleport",{}]"#, "NotImplemented"),
    ];
    for (text, code) in rows {
        let mut end = station::Engine::new(Version::V16, Limits::default());
        let mut out = Vec::new();
        end.receive(now(), text, &mut out);
        let sent: Vec<_> = out
            .iter()
            .filter_map(|event| if let station::Event::Send(text) = event { Some(text) } else { None })
            .collect();
        assert!(sent.len() == 1 && sent[0].contains(code), "{text}: {sent:?}");
    }
}

#[test]
fn a_heartbeat_is_logged_both_ways() {
    let mut engine = operator(Version::V201);
    let seen = receive(&mut engine, r#"[2,"h","Heartbeat",{}]"#);
    assert_eq!((seen.log[0].direction, &*seen.log[0].action), (Direction::FromStation, "Heartbeat"));
    let mut out = Vec::new();
    engine.answer(
        at("2026-11-22T15:04:05.9Z"),
        seen.asked[0].0,
        Ok(Heard::Alive { now: at("2026-11-22T15:04:05.9Z") }),
        &mut out,
    );
    let answer = sort(out);
    assert_eq!(answer.sent, [HEARTBEAT.replace("ID", "h")]);
    assert_eq!((answer.log[0].direction, &*answer.log[0].action), (Direction::ToStation, "answer Heartbeat"));
}
