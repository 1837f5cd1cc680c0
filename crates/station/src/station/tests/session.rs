//! Sessions from plug to plug: what the operator hears, and what the meter signs.

use billing::record::{KeySource, Verdict, verify};
use charge::id::TransactionKey;
use charge::meter::{Context, Measured};
use charge::talk::line::{BayState, EndReason, Stage};

use super::*;
use crate::bench::{alias, car, card, dc_car, one, records, register, two};

fn verified(bench: &Bench, evse: EvseNo) -> billing::record::Verified {
    let (_, key) = bench.station.meter_keys().into_iter().find(|(no, _)| *no == evse).unwrap();
    let verdict = verify(&records(&bench.operator.transactions()), Some((&key, KeySource::Register)));
    let Verdict::Valid(verified) = verdict else { panic!("{verdict}") };
    verified
}

#[test]
fn a_session_in_1_6_is_started_measured_stopped_and_signed() {
    // proves: E08.FR.01
    let mut bench = Bench::ready(Version::V16);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("04A2B3C4"))).unwrap();
    bench.pass(150);
    bench.hand(one(), Deed::Tap(card("04a2b3c4"))).unwrap();
    bench.hand(one(), Deed::Unplug).unwrap();
    let reports = bench.operator.transactions();
    let [start, first, second, end] = reports.as_slice() else { panic!("{reports:?}") };
    assert_eq!((start.stage, &start.key, start.evse), (Stage::Started, &None, Some(one())));
    assert!(start.token.is_some() && start.seq.is_none());
    assert_eq!([first.at.since(START).as_secs(), second.at.since(START).as_secs()], [60, 120]);
    assert_eq!(first.key, Some(TransactionKey::Number(1)));
    assert_eq!((end.stage, end.reason), (Stage::Ended, Some(EndReason::Local)));
    // 11 kW for 150 s
    assert_eq!(register(end).mwh() - register(start).mwh(), 458_333);
    let verified = verified(&bench, one());
    assert_eq!(verified.energy().mwh(), 458_333);
    assert_eq!(verified.charge_point(), Some("DE*LEY*E0001"));
    let words = bench.operator.words();
    let expected =
        ["1 Preparing", "tap", "1 Charging", "started", "updated", "updated", "1 Finishing", "ended", "1 Available"];
    assert_eq!(words, expected);
}

#[test]
fn a_session_in_2_0_1_has_its_own_name_and_counts_its_messages() {
    // proves: E01.FR.05, E01.FR.09, E01.FR.10, E01.FR.16, E03.FR.01, E03.FR.06, E06.FR.02, J02.FR.11
    let mut bench = Bench::ready(Version::V201);
    bench.hand(two(), Deed::Tap(card("04A2B3C4"))).unwrap();
    bench.hand(two(), Deed::Plug(dc_car())).unwrap();
    bench.pass(90);
    bench.hand(two(), Deed::Unplug).unwrap();
    let reports = bench.operator.transactions();
    let [start, update, end] = reports.as_slice() else { panic!("{reports:?}") };
    assert!(matches!(&start.key, Some(TransactionKey::Text(id)) if id.len() == 36));
    assert!(reports.iter().all(|report| report.key == start.key));
    assert_eq!(reports.iter().map(|report| report.seq).collect::<Vec<_>>(), [Some(0), Some(1), Some(2)]);
    assert_eq!((start.evse, update.evse, end.evse), (Some(two()), None, None));
    assert_eq!(
        (start.state, update.state, end.state),
        (Some(BayState::Charging), None, Some(BayState::Available)),
        "a sample is no change of state"
    );
    assert_eq!((end.reason, &end.token), (Some(EndReason::CarLeft), &None));
    assert!(update.readings.iter().any(|reading| matches!(reading.measured, Measured::StateOfCharge(_))));
    // 120 kW for 90 s
    assert_eq!(verified(&bench, two()).energy().mwh(), 3_000_000);
    assert_eq!(bench.operator.states(two()), [BayState::Occupied, BayState::Available]);
}

#[test]
fn signed_readings_in_between_belong_to_the_same_session() {
    // proves: J02.FR.21
    let mut bench = Bench::ready(Version::V201);
    let key = "SampledDataCtrlr.SignUpdatedReadings".into();
    bench.order(ToStation::WriteSettings { values: vec![(key, Secret::new("true".into()))] });
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.pass(200);
    bench.hand(one(), Deed::Unplug).unwrap();
    assert_eq!(verified(&bench, one()).pagination(), ["T1", "T2", "T3", "T4", "T5"]);
}

#[test]
fn no_signed_record_names_the_card() {
    let mut bench = Bench::ready(Version::V16);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("04A2B3C4D5E6F7"))).unwrap();
    bench.hand(one(), Deed::Unplug).unwrap();
    let records = records(&bench.operator.transactions());
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|record| !String::from_utf8_lossy(&record.bytes).contains("04A2B3C4D5E6F7")));
}

#[test]
fn a_refused_token_begins_nothing() {
    // proves: C01.FR.02
    for version in [Version::V16, Version::V201] {
        let mut bench = Bench::ready(version);
        bench.operator.refuses = true;
        bench.hand(one(), Deed::Plug(car())).unwrap();
        bench.hand(one(), Deed::Tap(card("A"))).unwrap();
        assert!(bench.operator.transactions().is_empty());
        assert_eq!(bench.bay(one()).phase, Phase::Plugged);
        assert_eq!(bench.bay(one()).last_verdict, Some(Allowed::Blocked));
    }
}

#[test]
fn a_token_refused_by_the_answer_to_the_start_ends_the_transaction() {
    // proves: E06.FR.04
    for version in [Version::V16, Version::V201] {
        let mut bench = Bench::ready(version);
        bench.operator.refuses = true;
        bench.hand(one(), Deed::Plug(car())).unwrap();
        bench.order(ToStation::Start { evse: Some(one()), token: alias("ALIAS"), remote_id: 3, profile: None });
        let reports = bench.operator.transactions();
        assert_eq!(reports.last().map(|end| (end.stage, end.reason)), Some((Stage::Ended, Some(EndReason::Refused))));
        assert_eq!(bench.bay(one()).phase, Phase::Finishing);
    }
}

#[test]
fn a_full_car_pauses_the_transaction_at_its_own_time() {
    // proves: E02.FR.13
    let mut bench = Bench::ready(Version::V201);
    // 1.1 kWh at 11 kW take six minutes
    let plan = crate::car::CarPlan { wants: Some(Energy::from_wh(1_100)), ..*car().plan() };
    bench.hand(one(), Deed::Plug(crate::car::Car::new(plan).unwrap())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.leap_to(START.plus(Duration::from_secs(3_600)));
    assert_eq!(bench.bay(one()).phase, Phase::SuspendedByCar);
    let suspended = bench.operator.transactions();
    let suspended = suspended.iter().find(|report| report.state == Some(BayState::SuspendedByCar)).unwrap();
    assert_eq!(suspended.at.since(START).as_secs(), 360);
    assert_eq!(register(suspended), Energy::from_wh(1_100));
    assert_eq!(bench.bay(one()).power, Power::ZERO);
}

#[test]
fn readings_carry_the_time_they_are_of_however_late_the_station_looks() {
    let mut bench = Bench::ready(Version::V16);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.leap_to(START.plus(Duration::from_secs(600)));
    let reports = bench.operator.transactions();
    let minutes: Vec<u64> = reports.iter().skip(1).map(|report| report.at.since(START).as_secs()).collect();
    assert_eq!(minutes, (1..=10).map(|minute| minute * 60).collect::<Vec<_>>());
    // 11 kW are 183.333 Wh a minute
    assert_eq!(register(&reports[1]).mwh(), 183_333);
    assert_eq!(register(&reports[10]).mwh(), 1_833_333);
    assert_eq!(reports[1].readings[0].context, Context::SamplePeriodic);
}

#[test]
fn a_limit_of_nothing_pauses_and_lifting_it_goes_on() {
    let mut bench = Bench::ready(Version::V16);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.hand(one(), Deed::Limit(Some(Power::ZERO))).unwrap();
    bench.pass(600);
    let held = bench.bay(one());
    assert_eq!((held.phase, held.register), (Phase::SuspendedByStation, Energy::ZERO));
    bench.hand(one(), Deed::Limit(Some(Power::from_watts(6_000)))).unwrap();
    bench.pass(600);
    assert_eq!(bench.bay(one()).register, Energy::from_wh(1_000));
}

#[test]
fn a_fault_ends_the_transaction_and_the_repair_frees_the_place() {
    let mut bench = Bench::ready(Version::V16);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.hand(one(), Deed::Break("GroundFailure: test".into())).unwrap();
    let reports = bench.operator.transactions();
    assert_eq!(reports.last().unwrap().reason, Some(EndReason::Other));
    let fault = bench.operator.heard.iter().find_map(|said| match said {
        FromStation::Status(report) => report.fault.clone(),
        _ => None,
    });
    assert_eq!(fault.as_deref(), Some("GroundFailure: test"));
    bench.hand(one(), Deed::Unplug).unwrap();
    bench.hand(one(), Deed::Repair).unwrap();
    assert_eq!(bench.operator.states(one()).last(), Some(&BayState::Available));
}

#[test]
fn what_cannot_be_done_is_told_and_changes_nothing() {
    let mut bench = Bench::ready(Version::V16);
    let before = bench.station.view();
    assert_eq!(bench.hand(EvseNo::new(9).unwrap(), Deed::Unplug), Err(CannotDo::NoSuchEvse));
    assert_eq!(bench.hand(one(), Deed::Unplug), Err(CannotDo::NotNow(Phase::Idle)));
    assert_eq!(bench.hand(one(), Deed::Plug(dc_car())), Err(CannotDo::WrongPlug));
    assert_eq!(bench.hand(one(), Deed::Repair), Err(CannotDo::NotNow(Phase::Idle)));
    assert_eq!(bench.station.view(), before);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    assert_eq!(bench.hand(one(), Deed::Plug(car())), Err(CannotDo::NotNow(Phase::Plugged)));
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.cut();
    assert_eq!(bench.hand(one(), Deed::Tap(card("B"))), Err(CannotDo::NotNow(Phase::Charging)));
}
