//! Each tolerance of the tongue: where it is on the message is served, remarked and counted; where it is off it gets
//! the exact code and is counted all the same.

use std::time::Duration;

use charge::Timestamp;
use charge::talk::line::quirk::{Quirk, Quirks};
use charge::talk::line::{
    Admission, Denial, FromStation, Heard, LineFault, ResetKind, StationAnswer, ToStation, Version,
};
use charge::token::TokenKind;

use super::{Seen, now, operator, receive, sort};
use crate::csms::Event;

fn strict(version: Version) -> crate::csms::Engine {
    operator(version).tolerating(Quirks::NONE)
}

fn met(seen: &Seen) -> Quirks {
    seen.log.iter().fold(Quirks::NONE, |all, line| all.or(line.deviations))
}

fn remarks(seen: &Seen) -> String {
    seen.log.iter().flat_map(|line| line.remarks.iter()).map(|remark| format!("{remark}; ")).collect()
}

/// The tolerance, a frame that needs it, the path that is remarked, and the code where it is off.
const CALLS: &[(Quirk, Version, &str, &str, &str)] = {
    use Quirk::*;
    use Version::{V16, V201};
    const TYPE: &str = "TypeConstraintViolation";
    const PROPERTY: &str = "PropertyConstraintViolation";
    const GONE: &str = "OccurenceConstraintViolation";
    &[
        (
            Null,
            V16,
            r#"[2,"1","StatusNotification",{"connectorId":1,"errorCode":"NoError","info":null,"status":"Available"}]"#,
            "/info",
            TYPE,
        ),
        (
            Null,
            V201,
            r#"[2,"1","TransactionEvent",{"eventType":"Updated","timestamp":"2026-01-02T03:04:05Z","triggerReason":"MeterValuePeriodic","seqNo":7,"reservationId":null,"transactionInfo":{"transactionId":"t"}}]"#,
            "/reservationId",
            TYPE,
        ),
        (Null, V201, r#"[2,"1","FirmwareStatusNotification",{"status":"Idle","requestId":null}]"#, "/requestId", TYPE),
        (
            Empty,
            V16,
            r#"[2,"1","StartTransaction",{"connectorId":1,"idTag":"T","meterStart":0,"reservationId":"","timestamp":"2026-01-02T03:04:05Z"}]"#,
            "/reservationId",
            TYPE,
        ),
        (
            LoneObject,
            V16,
            r#"[2,"1","MeterValues",{"connectorId":1,"meterValue":{"timestamp":"2026-01-02T03:04:05Z","sampledValue":[{"value":"1"}]}}]"#,
            "/meterValue",
            TYPE,
        ),
        (
            EmptyList,
            V201,
            r#"[2,"1","MeterValues",{"evseId":1,"meterValue":[]}]"#,
            "/meterValue",
            "OccurrenceConstraintViolation",
        ),
        (
            NoValue,
            V16,
            r#"[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-02T03:04:05Z","sampledValue":[{"unit":"Wh"},{"value":"1"}]}]}]"#,
            "/meterValue/0/sampledValue/0",
            GONE,
        ),
        (
            QuotedNumber,
            V16,
            r#"[2,"1","StopTransaction",{"meterStop":"12","timestamp":"2026-01-02T03:04:05Z","transactionId":7}]"#,
            "/meterStop",
            TYPE,
        ),
        (
            OddNumber,
            V16,
            r#"[2,"1","StopTransaction",{"meterStop":1.2e1,"timestamp":"2026-01-02T03:04:05Z","transactionId":7}]"#,
            "/meterStop",
            TYPE,
        ),
        (
            HugeNumber,
            V16,
            r#"[2,"1","StopTransaction",{"meterStop":12,"timestamp":"2026-01-02T03:04:05Z","transactionId":9223372036854775807}]"#,
            "/transactionId",
            PROPERTY,
        ),
        (
            OddFlag,
            V201,
            r#"[2,"1","TransactionEvent",{"eventType":"Updated","timestamp":"2026-01-02T03:04:05Z","triggerReason":"MeterValuePeriodic","seqNo":7,"offline":"true","transactionInfo":{"transactionId":"t"}}]"#,
            "/offline",
            TYPE,
        ),
        (
            BareText,
            V16,
            r#"[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":7}]"#,
            "/chargePointModel",
            TYPE,
        ),
        (
            LongText,
            V16,
            r#"[2,"1","BootNotification",{"chargePointVendor":"a maker with a very long name","chargePointModel":"M"}]"#,
            "/chargePointVendor",
            PROPERTY,
        ),
        (LongToken, V16, r#"[2,"1","Authorize",{"idTag":"X16WG99J2QIEGCC0MCJ5-"}]"#, "/idTag", PROPERTY),
        (
            NoZone,
            V16,
            r#"[2,"1","StopTransaction",{"meterStop":12,"timestamp":"2026-01-02T03:04:05","transactionId":7}]"#,
            "/timestamp",
            PROPERTY,
        ),
        (
            NoTime,
            V16,
            r#"[2,"1","StopTransaction",{"meterStop":12,"timestamp":"0","transactionId":7}]"#,
            "/timestamp",
            PROPERTY,
        ),
        (
            LetterCase,
            V16,
            r#"[2,"1","StatusNotification",{"connectorId":1,"errorCode":"noerror","status":"Available"}]"#,
            "/errorCode",
            PROPERTY,
        ),
        (
            UnknownWord,
            V16,
            r#"[2,"1","StatusNotification",{"connectorId":1,"errorCode":"Error","status":"Faulted"}]"#,
            "/errorCode",
            PROPERTY,
        ),
        (
            NoConnector,
            V16,
            r#"[2,"1","StatusNotification",{"errorCode":"NoError","status":"Charging"}]"#,
            "/connectorId",
            GONE,
        ),
        (NumericId, V16, r#"[2,1,"Heartbeat",{}]"#, "the message id is a number", "ProtocolError"),
        (NumericId, V201, r#"[2,1,"Heartbeat",{}]"#, "the message id is a number", "ProtocolError"),
    ]
};

#[test]
fn each_tolerance_serves_where_it_is_on_and_gives_the_exact_code_where_it_is_off() {
    for (quirk, version, frame, path, code) in CALLS {
        let seen = receive(&mut operator(*version), frame);
        assert_eq!(seen.asked.len(), 1, "{quirk:?} {:?} {}", seen.sent, remarks(&seen));
        assert!(remarks(&seen).contains(path), "{quirk:?}: {}", remarks(&seen));
        assert_eq!(met(&seen), Quirks::NONE.with(*quirk), "{quirk:?}");

        // it alone off is as good as all off, for a message that has nothing else
        for engine in [&mut operator(*version).tolerating(Quirks::USUAL.without(*quirk)), &mut strict(*version)] {
            let seen = receive(engine, frame);
            assert!(seen.asked.is_empty(), "{quirk:?}");
            assert!(seen.sent.concat().contains(&format!(",\"{code}\",")), "{quirk:?}: {:?}", seen.sent);
            assert_eq!(met(&seen), Quirks::NONE.with(*quirk), "{quirk:?}");
        }
    }
}

#[test]
fn what_is_in_order_passes_the_strict_ear_without_a_remark() {
    for (version, frame) in [
        (Version::V16, r#"[2,"1","BootNotification",{"chargePointVendor":"null","chargePointModel":"M"}]"#),
        (Version::V16, r#"[2,"1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available"}]"#),
        (Version::V201, r#"[2,"1","FirmwareStatusNotification",{"status":"Idle"}]"#),
        (
            Version::V201,
            r#"[2,"1","MeterValues",{"evseId":1,"meterValue":[{"timestamp":"2026-01-02T03:04:05Z","sampledValue":[{"value":230.10,"measurand":"Voltage"}]}]}]"#,
        ),
        (Version::V201, r#"[2,"1","Heartbeat",{"customData":{"vendorId":"x","y":null}}]"#),
    ] {
        let seen = receive(&mut strict(version), frame);
        assert_eq!((seen.asked.len(), remarks(&seen)), (1, String::new()), "{frame} {:?}", seen.sent);
        assert!(met(&seen).is_empty(), "{frame}");
    }
}

#[test]
fn members_that_do_not_belong_are_passed_over_or_refused() {
    for (version, frame) in [
        (Version::V16, r#"[2,"1","Authorize",{"idTag":"T","colour":"red"}]"#),
        (Version::V201, r#"[2,"1","FirmwareStatusNotification",{"status":"Idle","colour":"red"}]"#),
    ] {
        assert_eq!(receive(&mut operator(version), frame).asked.len(), 1);
        let seen = receive(&mut strict(version), frame);
        assert!(seen.asked.is_empty() && seen.sent.concat().contains("PropertyConstraintViolation"), "{:?}", seen.sent);
        assert_eq!(met(&seen), Quirks::NONE.with(Quirk::ExtraMember));
    }
}

#[test]
fn a_clock_that_was_never_set_is_mended_or_taken_at_its_word() {
    let frame = r#"[2,"1","StopTransaction",{"meterStop":1,"timestamp":"1970-01-01T00:00:12Z","transactionId":7}]"#;
    for (mut engine, at) in [(operator(Version::V16), now()), (strict(Version::V16), Timestamp::from_secs(12))] {
        let seen = receive(&mut engine, frame);
        match &seen.asked[0].1 {
            FromStation::Transaction(report) => assert_eq!(report.at, at),
            other => panic!("{other:?}"),
        }
        assert_eq!(met(&seen), Quirks::NONE.with(Quirk::UnsetClock));
    }
}

#[test]
fn an_impatient_station_waits_its_turn_or_is_refused() {
    for (mut engine, asked) in [(operator(Version::V16), 1), (strict(Version::V16), 0)] {
        assert_eq!(receive(&mut engine, r#"[2,"1","Heartbeat",{}]"#).asked.len(), 1);
        let second = receive(&mut engine, r#"[2,"2","Heartbeat",{}]"#);
        assert_eq!(second.asked.len(), asked);
        assert_eq!(met(&second), Quirks::NONE.with(Quirk::Impatient));
        assert!(remarks(&second).contains("before the answer"));
    }
}

#[test]
fn an_odd_error_ends_its_call_as_what_it_says_or_as_unreadable() {
    for (mut engine, tolerated) in [(operator(Version::V16), true), (strict(Version::V16), false)] {
        let mut out = Vec::new();
        engine.order(now(), 1, ToStation::Reset(ResetKind::Soft), "m1".to_owned(), &mut out);
        let seen = receive(&mut engine, r#"[4,"m1","NotSupported"]"#);
        let ends = |fault: &LineFault| match fault {
            LineFault::Error { code, .. } => tolerated && &**code == "NotSupported",
            LineFault::Unreadable(_) => !tolerated,
            _ => false,
        };
        assert!(
            matches!(&seen.answered[..], [Event::Answered { outcome: Err(fault), .. }] if ends(fault)),
            "{:?}",
            seen.answered
        );
        assert_eq!(met(&seen), Quirks::NONE.with(Quirk::OddError));
    }
}

#[test]
fn an_answer_is_judged_like_a_question() {
    for (mut engine, good) in [(operator(Version::V16), true), (strict(Version::V16), false)] {
        let mut out = Vec::new();
        engine.order(now(), 1, ToStation::Reset(ResetKind::Soft), "m1".to_owned(), &mut out);
        let seen = receive(&mut engine, r#"[3,"m1",{"status":"accepted"}]"#);
        let [Event::Answered { outcome, .. }] = &seen.answered[..] else { panic!("{:?}", seen.answered) };
        assert_eq!(matches!(outcome, Ok(StationAnswer::Accepted)), good, "{outcome:?}");
        assert_eq!(met(&seen), Quirks::NONE.with(Quirk::LetterCase));
    }
}

#[test]
fn a_card_called_local_is_a_card_where_that_is_on() {
    let frame = r#"[2,"1","Authorize",{"idToken":{"idToken":"04A2","type":"Local"}}]"#;
    let on = Quirks::USUAL.with(Quirk::CardAsLocal);
    for (quirks, kind) in [(Quirks::USUAL, TokenKind::Other), (on, TokenKind::Rfid)] {
        let seen = receive(&mut operator(Version::V201).tolerating(quirks), frame);
        match &seen.asked[0].1 {
            FromStation::Tap(tap) => assert_eq!(tap.token.kind, kind),
            other => panic!("{other:?}"),
        }
        assert_eq!(remarks(&seen).contains("/idToken/idToken: not called a card"), kind == TokenKind::Rfid);
        assert_eq!(met(&seen), Quirks::NONE.with(Quirk::CardAsLocal));
    }
}

#[test]
fn another_version_than_agreed_is_counted() {
    let frame = r#"[2,"1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available"}]"#;
    let seen = receive(&mut operator(Version::V201), frame);
    assert!(met(&seen).has(Quirk::OldVersion) && remarks(&seen).contains("another OCPP version"));
}

#[test]
fn a_pause_holds_answers_back_in_order_and_no_order_overtakes_them() {
    let mut engine = operator(Version::V16).tolerating(Quirks::USUAL.with(Quirk::AnswerPause));
    let boot = r#"[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]"#;
    let ticket = receive(&mut engine, boot).asked[0].0;
    let mut out = Vec::new();
    engine.order(now(), 1, ToStation::Reset(ResetKind::Soft), "m1".to_owned(), &mut out);
    let interval = Duration::from_secs(300);
    engine.answer(now(), ticket, Ok(Heard::Boot { admitted: Admission::Accepted, now: now(), interval }), &mut out);
    // a broken message is refused after the answer to the one before
    engine.receive(now(), r#"[2,"2","Nonsense",{}]"#, &mut out);
    assert!(sort(out).sent.is_empty());

    let due = engine.wake_at().unwrap();
    assert!(due > now() && due < now().plus(Duration::from_millis(100)), "{due}");
    let mut out = Vec::new();
    engine.tick(now(), &mut out);
    assert!(out.is_empty());
    engine.tick(due, &mut out);
    let sent = sort(out).sent;
    assert!(sent[0].starts_with("[3,\"1\"") && sent[1].starts_with("[4,\"2\""), "{sent:?}");
    assert!(sent[2].starts_with("[2,\"m1\",\"Reset\""), "{sent:?}");
    // with nothing held, nothing wakes but the open order
    assert!(engine.wake_at().unwrap() > due.plus(Duration::from_secs(1)));
}

#[test]
fn without_the_pause_an_answer_leaves_at_once() {
    let mut engine = operator(Version::V16);
    let ticket = receive(&mut engine, r#"[2,"1","Heartbeat",{}]"#).asked[0].0;
    let mut out = Vec::new();
    engine.answer(now(), ticket, Err(Denial::CannotKeep), &mut out);
    assert_eq!(sort(out).sent.len(), 1);
}
