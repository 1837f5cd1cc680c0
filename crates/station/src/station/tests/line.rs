//! The line: boots, outages, lost answers, refusals, heartbeats.

use charge::id::TransactionKey;
use charge::talk::line::{Admission, Heard, Stage};

use super::*;
use crate::bench::{car, card, one, register};

const ERROR: fn() -> LineFault = || LineFault::Error { code: "InternalError".into(), description: "".into() };

#[test]
fn a_station_introduces_itself_and_tells_all_states() {
    // proves: B01.FR.01, B01.FR.05
    let mut bench = Bench::dark(Version::V16);
    bench.connect(Version::V16);
    assert_eq!(bench.operator.words(), ["boot", "0 Available", "1 Available", "2 Available"]);
    let mut bench = Bench::dark(Version::V201);
    bench.connect(Version::V201);
    assert_eq!(bench.operator.words(), ["boot", "1 Available", "2 Available", "StartupOfTheDevice"]);
}

#[test]
fn after_an_outage_2_x_does_not_boot_again_and_1_6_does() {
    for (version, words) in
        [(Version::V16, vec!["boot", "0 Available", "1 Available", "2 Available"]), (Version::V201, vec![])]
    {
        let mut bench = Bench::ready(version);
        bench.cut();
        bench.pass(30);
        bench.connect(version);
        assert_eq!(bench.operator.words(), words);
    }
}

#[test]
fn a_long_outage_is_followed_by_all_states_and_a_short_one_by_what_changed() {
    // proves: B04.FR.01, B04.FR.02
    for (secs, words) in [(60, vec!["1 Occupied"]), (61, vec!["1 Occupied", "2 Available"])] {
        let mut bench = Bench::ready(Version::V201);
        bench.cut();
        bench.hand(one(), Deed::Plug(car())).unwrap();
        bench.pass(secs);
        bench.connect(Version::V201);
        assert_eq!(bench.operator.words(), words, "{secs} s");
    }
}

#[test]
fn before_it_is_admitted_a_station_says_nothing_but_who_it_is() {
    // proves: B02.FR.02, B02.FR.04, B02.FR.05, B02.FR.08
    let mut bench = Bench::dark(Version::V201);
    let pending = Heard::Boot { admitted: Admission::Pending, now: START, interval: Duration::from_secs(30) };
    bench.operator.instead = vec![Some(Ok(pending.clone())), Some(Ok(pending))];
    bench.connect(Version::V201);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    for order in [
        ToStation::Start { evse: Some(one()), token: card("A"), remote_id: 1, profile: None },
        ToStation::Stop { key: TransactionKey::Text("any".into()) },
    ] {
        assert_eq!(bench.order(order), StationAnswer::Refused("Rejected".into()));
    }
    bench.pass(29);
    assert_eq!(bench.operator.words(), ["boot"]);
    bench.pass(1);
    assert_eq!(bench.operator.words(), ["boot"]);
    bench.pass(30);
    assert_eq!(bench.operator.words(), ["boot", "1 Occupied", "2 Available", "StartupOfTheDevice"]);
}

#[test]
fn a_heartbeat_comes_only_when_there_was_nothing_else_to_say() {
    let mut bench = Bench::ready(Version::V16);
    bench.pass(299);
    assert!(bench.operator.words().is_empty());
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.pass(299);
    assert_eq!(bench.operator.words(), ["1 Preparing"]);
    bench.pass(1);
    assert_eq!(bench.operator.words(), ["alive"]);
}

#[test]
fn a_lost_answer_to_a_start_is_followed_by_the_identical_start() {
    // proves: E13.FR.02
    for version in [Version::V16, Version::V201] {
        let mut bench = Bench::ready(version);
        bench.hand(one(), Deed::Plug(car())).unwrap();
        // before the start comes the token, and in 1.6 a change of state
        let before = if version == Version::V16 { 2 } else { 1 };
        bench.operator.instead = vec![None; before];
        bench.operator.instead.push(Some(Err(LineFault::Lost)));
        bench.hand(one(), Deed::Tap(card("A"))).unwrap();
        let starts = bench.operator.transactions();
        assert_eq!(starts.len(), 1, "{:?}", bench.operator.heard);
        bench.pass(30);
        let reports = bench.operator.transactions();
        assert_eq!(reports[0], reports[1]);
        assert_eq!(reports.iter().filter(|report| report.stage == Stage::Started).count(), 2);
        bench.hand(one(), Deed::Unplug).unwrap();
        let end = bench.operator.transactions().pop().unwrap();
        if version == Version::V16 {
            assert_eq!(end.key, Some(TransactionKey::Number(1)));
        }
    }
}

#[test]
fn what_happened_offline_is_told_afterwards_in_order_and_marked() {
    // proves: C15.FR.02, E08.FR.05, E08.FR.06, E08.FR.07, E11.FR.01, E11.FR.02, E12.FR.01, E12.FR.02
    for version in [Version::V16, Version::V201] {
        let mut bench = Bench::ready(version);
        bench.hand(one(), Deed::Plug(car())).unwrap();
        bench.hand(one(), Deed::Tap(card("A"))).unwrap();
        bench.pass(60);
        bench.cut();
        bench.pass(130);
        bench.hand(one(), Deed::Unplug).unwrap();
        assert_eq!(bench.station.view().owed, 3);
        bench.pass(600);
        bench.connect(version);
        let reports = bench.operator.transactions();
        let offline: Vec<bool> = reports.iter().map(|report| report.offline).collect();
        assert_eq!(offline, [false, false, true, true, true]);
        assert!(reports.windows(2).all(|pair| pair[0].at < pair[1].at && register(&pair[0]) < register(&pair[1])));
        assert_eq!(bench.station.view().owed, 0);
    }
}

#[test]
fn a_known_card_begins_offline_and_an_unknown_one_does_not() {
    // proves: C11.FR.03, C13.FR.02
    let mut bench = Bench::ready(Version::V16);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("KNOWN"))).unwrap();
    bench.hand(one(), Deed::Unplug).unwrap();
    bench.cut();
    bench.operator.heard.clear();
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("UNKNOWN"))).unwrap();
    assert_eq!((bench.bay(one()).phase, bench.bay(one()).last_verdict), (Phase::Plugged, Some(Allowed::Unanswered)));
    bench.hand(one(), Deed::Tap(card("known"))).unwrap();
    assert_eq!(bench.bay(one()).phase, Phase::Charging);
    bench.pass(60);
    bench.connect(Version::V16);
    let reports = bench.operator.transactions();
    assert_eq!(reports[0].stage, Stage::Started);
    assert_eq!(reports[1].key, Some(TransactionKey::Number(2)), "the number was learned after the fact");
    bench.cut();
    bench.order(ToStation::ClearCache);
    bench.hand(one(), Deed::Unplug).unwrap();
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("known"))).unwrap();
    assert_eq!(bench.bay(one()).phase, Phase::Plugged, "a cleared cache knows nobody");
}

#[test]
fn a_question_that_gets_lost_is_decided_by_the_station() {
    let mut bench = Bench::ready(Version::V201);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.operator.instead = vec![Some(Err(LineFault::TimedOut))];
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    assert_eq!((bench.bay(one()).phase, bench.bay(one()).last_verdict), (Phase::Plugged, Some(Allowed::Unanswered)));
}

#[test]
fn a_message_that_the_operator_never_takes_is_tried_as_often_as_set_with_growing_pauses() {
    // proves: E13.FR.01, E13.FR.03, E13.FR.04
    let mut bench = Bench::ready(Version::V16);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.operator.instead = vec![None, None, Some(Err(ERROR())), Some(Err(ERROR())), Some(Err(ERROR()))];
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    let starts = |bench: &Bench| bench.operator.transactions().len();
    assert_eq!(starts(&bench), 1);
    bench.pass(19);
    assert_eq!(starts(&bench), 1);
    bench.pass(1);
    assert_eq!(starts(&bench), 2);
    bench.pass(39);
    assert_eq!(starts(&bench), 2);
    bench.pass(1);
    bench.pass(1);
    let reports = bench.operator.transactions();
    assert_eq!(reports.iter().filter(|report| report.stage == Stage::Started).count(), 3);
    bench.hand(one(), Deed::Unplug).unwrap();
    let end = bench.operator.transactions().pop().unwrap();
    assert_eq!((end.stage, end.key), (Stage::Ended, Some(TransactionKey::Number(crate::transactions::NUMBERLESS))));
}

#[test]
fn a_clock_far_from_the_operators_is_not_signed_as_synchronised() {
    let mut bench = Bench::dark(Version::V16);
    let elsewhere = START.plus(Duration::from_secs(3_600));
    let boot = Heard::Boot { admitted: Admission::Accepted, now: elsewhere, interval: Duration::from_secs(300) };
    bench.operator.instead = vec![Some(Ok(boot))];
    bench.connect(Version::V16);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.hand(one(), Deed::Unplug).unwrap();
    let records = crate::bench::records(&bench.operator.transactions());
    let verdict = billing::record::verify(&records, None);
    assert!(verdict.reasons().iter().any(|reason| reason.contains("informative")), "{verdict}");
}

#[test]
fn an_outcome_of_before_a_restart_changes_nothing() {
    let mut bench = Bench::dark(Version::V201);
    bench.station.line_up(START, Version::V201, &mut bench.out);
    let Some(Output::Say(number, FromStation::Boot(_))) = bench.out.pop() else { panic!("no boot") };
    bench.station.power_on(START, Memory::default(), BootReason::PowerUp, &mut bench.out);
    bench.out.clear();
    let accepted = Heard::Boot { admitted: Admission::Accepted, now: START, interval: Duration::from_secs(9) };
    bench.station.heard(START, number, Ok(accepted), &mut bench.out);
    assert!(!bench.station.view().admitted);
}
