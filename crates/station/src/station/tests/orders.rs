//! The operator's orders, and what comes of them.

use charge::id::TransactionKey;
use charge::talk::line::model::{ModelNews, ModelOrder, ReportKind};
use charge::talk::line::{BayState, EndReason, ResetKind, Stage, Trigger, Written};

use super::*;
use crate::bench::{alias, car, card, one, two};

fn start(evse: Option<EvseNo>) -> ToStation {
    ToStation::Start { evse, token: alias("ALIAS0123456789ABCDE"), remote_id: 41, profile: None }
}

fn write(key: &str, value: &str) -> ToStation {
    ToStation::WriteSettings { values: vec![(key.into(), Secret::new(value.into()))] }
}

fn charging(version: Version) -> Bench {
    let mut bench = Bench::ready(version);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    assert_eq!(bench.bay(one()).phase, Phase::Charging);
    bench
}

#[test]
fn a_remote_start_at_a_waiting_car_begins_with_the_alias() {
    // proves: F01.FR.02, F01.FR.04, F01.FR.06, F02.FR.01
    for version in [Version::V16, Version::V201] {
        let mut bench = Bench::ready(version);
        bench.hand(one(), Deed::Plug(car())).unwrap();
        assert_eq!(bench.order(start(None)), StationAnswer::Accepted);
        let begun = bench.operator.transactions().remove(0);
        assert_eq!(begun.token, Some(alias("ALIAS0123456789ABCDE")));
        assert_eq!((begun.evse, begun.stage), (Some(one()), Stage::Started));
        assert_eq!(begun.remote_start, (version == Version::V201).then_some(41));
        assert!(!bench.operator.words().contains(&"tap".to_owned()), "no question for what was ordered");
        assert_eq!(bench.order(start(Some(one()))), refused("Rejected"));
    }
}

#[test]
fn a_remote_start_waits_for_the_cable_and_gives_up_in_time() {
    // proves: E10.FR.02
    let mut bench = Bench::ready(Version::V201);
    assert_eq!(bench.order(start(Some(one()))), StationAnswer::Accepted);
    bench.pass(119);
    assert_eq!(bench.bay(one()).phase, Phase::Tapped);
    bench.pass(1);
    assert_eq!(bench.bay(one()).phase, Phase::Idle);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    assert!(bench.operator.transactions().is_empty());
    bench.hand(one(), Deed::Unplug).unwrap();
    assert_eq!(bench.order(start(Some(one()))), StationAnswer::Accepted);
    bench.pass(119);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    assert_eq!(bench.operator.transactions()[0].remote_start, Some(41));
}

#[test]
fn a_station_set_to_ask_asks_about_the_alias_first() {
    // proves: F01.FR.01
    let mut bench = Bench::ready(Version::V16);
    bench.order(write("AuthorizeRemoteTxRequests", "true"));
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.order(start(Some(one())));
    assert_eq!(bench.operator.words(), ["1 Preparing", "tap", "1 Charging", "started"]);
}

#[test]
fn a_start_is_refused_where_there_is_nowhere_to_start() {
    let mut bench = Bench::ready(Version::V16);
    assert_eq!(bench.order(start(EvseNo::new(9))), refused("Rejected"));
    bench.order(ToStation::Availability { evse: None, connector: None, operative: false });
    assert_eq!(bench.order(start(Some(one()))), refused("Rejected"));
    assert_eq!(bench.order(start(None)), refused("Rejected"));
    let mut dark = Bench::dark(Version::V16);
    assert_eq!(dark.order(start(Some(one()))), refused("Rejected"));
}

#[test]
fn a_remote_stop_ends_the_transaction_that_it_names() {
    // proves: F03.FR.03, F03.FR.07, F03.FR.08
    let mut bench = charging(Version::V16);
    assert_eq!(bench.order(ToStation::Stop { key: TransactionKey::Number(99) }), refused("Rejected"));
    assert_eq!(bench.order(ToStation::Stop { key: TransactionKey::Number(1) }), StationAnswer::Accepted);
    assert_eq!(bench.operator.transactions().last().unwrap().reason, Some(EndReason::Remote));
    assert_eq!(bench.order(ToStation::Stop { key: TransactionKey::Number(1) }), refused("Rejected"));
    let mut bench = charging(Version::V201);
    let key = bench.operator.transactions()[0].key.clone().unwrap();
    assert_eq!(bench.order(ToStation::Stop { key }), StationAnswer::Accepted);
    assert_eq!(bench.bay(one()).phase, Phase::Finishing);
}

#[test]
fn a_soft_reset_ends_what_runs_in_1_6_and_waits_for_it_in_2_0_1() {
    // proves: B12.FR.01, B12.FR.03
    let mut bench = charging(Version::V16);
    assert_eq!(bench.order(ToStation::Reset(ResetKind::Soft)), StationAnswer::Accepted);
    assert_eq!(bench.operator.transactions().last().unwrap().reason, Some(EndReason::Reboot));
    assert_eq!(bench.reboots, 0, "the answer gets out first");
    bench.pass(1);
    assert_eq!(bench.reboots, 1);

    let mut bench = charging(Version::V201);
    assert_eq!(bench.order(ToStation::Reset(ResetKind::Soft)), StationAnswer::Scheduled);
    bench.pass(600);
    assert_eq!((bench.reboots, bench.bay(one()).phase), (0, Phase::Charging));
    assert_eq!(bench.order(start(Some(two()))), refused("Rejected"), "nothing new before a restart");
    bench.hand(one(), Deed::Unplug).unwrap();
    bench.pass(1);
    assert_eq!(bench.reboots, 1);
}

#[test]
fn a_hard_reset_ends_what_runs_and_does_not_wait_for_a_silent_line() {
    // proves: B12.FR.02, B12.FR.04
    let mut bench = charging(Version::V201);
    bench.cut();
    assert_eq!(bench.order(ToStation::Reset(ResetKind::Hard)), StationAnswer::Accepted);
    bench.pass(1);
    assert_eq!((bench.reboots, bench.station.view().owed), (1, 1));
}

#[test]
fn switching_off_waits_for_the_transaction_and_lasts() {
    // proves: G03.FR.04, G03.FR.05, G04.FR.01, G04.FR.05, G04.FR.07
    let mut bench = charging(Version::V16);
    let off = ToStation::Availability { evse: Some(one()), connector: None, operative: false };
    assert_eq!(bench.order(off), StationAnswer::Scheduled);
    assert_eq!(bench.bay(one()).phase, Phase::Charging);
    bench.hand(one(), Deed::Unplug).unwrap();
    assert_eq!(bench.operator.states(one()).last(), Some(&BayState::Unavailable));
    assert!(matches!(bench.hand(one(), Deed::Tap(card("A"))), Err(CannotDo::NotNow(Phase::Unavailable))));
    let on = ToStation::Availability { evse: Some(one()), connector: None, operative: true };
    assert_eq!(bench.order(on), StationAnswer::Accepted);
    assert_eq!(bench.operator.states(one()).last(), Some(&BayState::Available));
    let second = ToStation::Availability { evse: Some(one()), connector: Some(2), operative: false };
    assert_eq!(bench.order(second), refused("Rejected"), "there is no such connector");
    bench.operator.heard.clear();
    bench.order(ToStation::Availability { evse: None, connector: None, operative: false });
    assert_eq!(bench.operator.words(), ["0 Unavailable", "1 Unavailable", "2 Unavailable"]);
}

#[test]
fn unlocking_follows_the_version() {
    // proves: F05.FR.02, F05.FR.03
    let unlock = || ToStation::Unlock { evse: one() };
    let mut bench = charging(Version::V16);
    assert_eq!(bench.order(unlock()), StationAnswer::Accepted);
    assert_eq!(bench.operator.transactions().last().unwrap().stage, Stage::Ended);
    assert_eq!(bench.order(ToStation::Unlock { evse: two() }), refused("NotSupported"));
    let mut bench = charging(Version::V201);
    assert_eq!(bench.order(unlock()), refused("OngoingAuthorizedTransaction"));
    assert_eq!(bench.bay(one()).phase, Phase::Charging);
    assert_eq!(bench.order(ToStation::Unlock { evse: EvseNo::new(7).unwrap() }), refused("UnknownConnector"));
}

#[test]
fn what_is_triggered_is_said_once() {
    // proves: F06.FR.05, F06.FR.10, F06.FR.17
    let trigger = |what, evse| ToStation::Trigger { what, evse };
    let mut bench = Bench::ready(Version::V16);
    bench.order(trigger(Trigger::Alive, None));
    bench.order(trigger(Trigger::Status, Some(two())));
    bench.order(trigger(Trigger::Meter, Some(one())));
    assert_eq!(bench.operator.words(), ["alive", "2 Available", "meter"]);
    bench.order(trigger(Trigger::Boot, None));
    assert_eq!(bench.operator.words()[0], "boot");
    assert_eq!(bench.order(trigger(Trigger::Status, EvseNo::new(9))), refused("Rejected"));
    let mut bench = Bench::ready(Version::V201);
    assert_eq!(bench.order(trigger(Trigger::Boot, None)), refused("Rejected"));
}

#[test]
fn settings_are_read_written_and_reported() {
    // proves: B06.FR.10, B07.FR.01, B07.FR.03, B07.FR.04
    let mut bench = Bench::ready(Version::V16);
    let keys = vec!["MeterPublicKey2".into(), "Nonsense".into()];
    let StationAnswer::Settings { known, unknown } = bench.order(ToStation::ReadSettings { keys }) else {
        panic!("no settings")
    };
    assert_eq!(known[0].value.as_deref(), Some(&*bench.station.meter_keys()[1].1.spki_hex()));
    assert_eq!(unknown, ["Nonsense".into()]);
    assert_eq!(
        bench.order(write("AuthorizationKey", "00112233445566778899aabbccddeeff00112233")),
        StationAnswer::Written(vec![("AuthorizationKey".into(), Written::Accepted)])
    );
    assert_eq!(bench.passwords, 1);

    let mut bench = Bench::ready(Version::V201);
    let base = ModelOrder::Base { request: 7, kind: ReportKind::Full };
    assert_eq!(bench.order(ToStation::Model(base)), StationAnswer::Accepted);
    let parts = bench.operator.heard.iter().filter_map(|said| match said {
        FromStation::Model(ModelNews::Report { part, rows, .. }) if part.request == 7 => Some(rows.len()),
        _ => None,
    });
    assert!(parts.sum::<usize>() > 15);
}

#[test]
fn a_shorter_interval_counts_from_now() {
    let mut bench = charging(Version::V16);
    bench.pass(50);
    bench.order(write("MeterValueSampleInterval", "5"));
    bench.pass(10);
    let at: Vec<u64> = bench.operator.transactions().iter().map(|report| report.at.since(START).as_secs()).collect();
    assert_eq!(at, [0, 55, 60]);
}
