//! Cases of the certification tool for a charge point of OCPP 1.6, each under its id: what the case looks for is what
//! is asserted.

use charge::id::TransactionKey;
use charge::talk::line::{Admission, EndReason, Heard, ResetKind, Stage, Trigger, Written};
use charge::token::Allowed;

use super::*;
use crate::bench::{alias, car, card, one, two};

fn refused(word: &str) -> StationAnswer {
    StationAnswer::Refused(word.into())
}

fn start(token: &str) -> ToStation {
    ToStation::Start { evse: Some(one()), token: alias(token), remote_id: 1, profile: None }
}

fn write(bench: &mut Bench, key: &str, value: &str) -> Written {
    let values = vec![(key.into(), Secret::new(value.into()))];
    match bench.order(ToStation::WriteSettings { values }) {
        StationAnswer::Written(rows) => rows[0].1,
        other => panic!("{other:?}"),
    }
}

fn charging() -> Bench {
    let mut bench = Bench::ready(Version::V16);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.operator.heard.clear();
    bench
}

fn reasons(bench: &Bench) -> Vec<Option<EndReason>> {
    let ended = bench.operator.transactions().into_iter().filter(|report| report.stage == Stage::Ended);
    ended.map(|report| report.reason).collect()
}

#[test]
fn booting() {
    // TC_001_CS: rejected, again after the interval, every state, then heartbeats; TC_002_CS: settings while pending
    for (admitted, configures) in [(Admission::Rejected, false), (Admission::Pending, true)] {
        let mut bench = Bench::dark(Version::V16);
        bench.operator.instead =
            vec![Some(Ok(Heard::Boot { admitted, now: START, interval: Duration::from_secs(30) }))];
        bench.connect(Version::V16);
        if configures {
            let keys = vec!["HeartbeatInterval".into()];
            assert!(matches!(bench.order(ToStation::ReadSettings { keys }), StationAnswer::Settings { .. }));
            assert_eq!(write(&mut bench, "MeterValueSampleInterval", "30"), Written::Accepted);
        }
        bench.pass(29);
        assert_eq!(bench.operator.words(), ["boot"]);
        bench.pass(1);
        assert_eq!(bench.operator.words(), ["boot", "0 Available", "1 Available", "2 Available"]);
        bench.pass(600);
        assert_eq!(bench.operator.words(), ["alive", "alive"]);
    }
}

#[test]
fn sessions() {
    // TC_003_CS: plug first
    let mut bench = Bench::ready(Version::V16);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    assert_eq!(bench.operator.words(), ["1 Preparing", "tap", "1 Charging", "started"]);
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.hand(one(), Deed::Unplug).unwrap();
    assert_eq!(bench.operator.words(), ["1 Finishing", "ended", "1 Available"]);
    // TC_004_1_CS: card first
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.hand(one(), Deed::Plug(car())).unwrap();
    assert_eq!(bench.operator.words(), ["1 Preparing", "tap", "1 Charging", "started"]);
    // TC_005_1_CS: the cable is pulled at the car
    bench.hand(one(), Deed::Unplug).unwrap();
    assert_eq!(reasons(&bench), [Some(EndReason::CarLeft)]);
    bench.operator.heard.clear();
    // TC_004_2_CS: card, and no cable in time
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.pass(120);
    assert_eq!(bench.operator.words(), ["1 Preparing", "tap", "1 Available"]);
}

#[test]
fn remote_control() {
    // TC_010_CS: cable first; TC_012_CS: remote stop
    let mut bench = Bench::ready(Version::V16);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    assert_eq!(bench.order(start("R")), StationAnswer::Accepted);
    assert_eq!(bench.operator.words(), ["1 Preparing", "1 Charging", "started"]);
    // TC_026_CS: there is a transaction; TC_028_CS: no such transaction
    assert_eq!(bench.order(start("S")), refused("Rejected"));
    assert_eq!(bench.order(ToStation::Stop { key: TransactionKey::Number(77) }), refused("Rejected"));
    assert_eq!(bench.order(ToStation::Stop { key: TransactionKey::Number(1) }), StationAnswer::Accepted);
    assert_eq!(reasons(&bench), [Some(EndReason::Remote)]);
    bench.hand(one(), Deed::Unplug).unwrap();
    bench.operator.heard.clear();
    // TC_011_1_CS: order first; TC_011_2_CS: and no cable in time
    assert_eq!(bench.order(start("R")), StationAnswer::Accepted);
    bench.pass(120);
    assert_eq!(bench.operator.words(), ["1 Preparing", "1 Available"]);
    assert_eq!(bench.order(start("R")), StationAnswer::Accepted);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    assert_eq!(bench.operator.words(), ["1 Preparing", "1 Charging", "started"]);
}

#[test]
fn resets() {
    // TC_013_CS, TC_014_CS: nothing runs; TC_015_CS, TC_016_CS: what runs is ended first
    for (kind, runs) in
        [(ResetKind::Hard, false), (ResetKind::Soft, false), (ResetKind::Hard, true), (ResetKind::Soft, true)]
    {
        let mut bench = if runs { charging() } else { Bench::ready(Version::V16) };
        assert_eq!(bench.order(ToStation::Reset(kind)), StationAnswer::Accepted);
        bench.pass(1);
        assert_eq!(bench.reboots, 1);
        assert_eq!(reasons(&bench), if runs { vec![Some(EndReason::Reboot)] } else { vec![] });
        assert_eq!(bench.station.view().owed, 0, "told before it is gone");
    }
}

#[test]
fn unlocking() {
    // TC_017_1_CS: nothing runs; TC_018_1_CS: what runs is ended; TC_017_2_CS: a cable of the station's own
    let mut bench = Bench::ready(Version::V16);
    assert_eq!(bench.order(ToStation::Unlock { evse: one() }), StationAnswer::Accepted);
    assert_eq!(bench.order(ToStation::Unlock { evse: two() }), refused("NotSupported"));
    let mut bench = charging();
    assert_eq!(bench.order(ToStation::Unlock { evse: one() }), StationAnswer::Accepted);
    assert_eq!(reasons(&bench).len(), 1);
    // TC_031_CS: no such connector
    assert_eq!(bench.order(ToStation::Unlock { evse: EvseNo::new(9).unwrap() }), refused("NotSupported"));
}

#[test]
fn configuration() {
    // TC_019_CS, TC_021_CS, TC_040_1_CS (unknown), TC_040_2_CS (not a number), TC_073_CS (the key of the line)
    let mut bench = Bench::ready(Version::V16);
    let StationAnswer::Settings { known, unknown } = bench.order(ToStation::ReadSettings { keys: vec![] }) else {
        panic!()
    };
    assert!(known.len() > 20 && unknown.is_empty());
    assert_eq!(write(&mut bench, "MeterValueSampleInterval", "15"), Written::Accepted);
    let keys = vec!["MeterValueSampleInterval".into()];
    let StationAnswer::Settings { known, .. } = bench.order(ToStation::ReadSettings { keys }) else { panic!() };
    assert_eq!(known[0].value.as_deref(), Some("15"));
    assert_eq!(write(&mut bench, "UnknownKey", "1"), Written::Unknown);
    assert_eq!(write(&mut bench, "MeterValueSampleInterval", "-1"), Written::Rejected);
    assert_eq!(write(&mut bench, "AuthorizationKey", "4F43415F4F4354545F61646D696E5F74657374"), Written::Accepted);
    assert_eq!(bench.passwords, 1);
}

#[test]
fn without_a_line() {
    // TC_036_CS: the line goes in a transaction; TC_038_CS: and the driver ends it
    let mut bench = charging();
    bench.cut();
    bench.pass(120);
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    assert!(bench.operator.heard.is_empty());
    bench.connect(Version::V16);
    let stages: Vec<Stage> = bench.operator.transactions().iter().map(|report| report.stage).collect();
    assert_eq!(stages, [Stage::Updated, Stage::Updated, Stage::Ended]);
    bench.hand(one(), Deed::Unplug).unwrap();
    bench.operator.heard.clear();
    // TC_037_1_CS: a known card begins without a line
    bench.cut();
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    assert_eq!(bench.bay(one()).phase, Phase::Charging);
    // TC_037_3_CS: and the operator does not want it
    bench.operator.refuses = true;
    bench.connect(Version::V16);
    assert_eq!(reasons(&bench), [Some(EndReason::Refused)]);
    bench.operator.refuses = false;
    bench.hand(one(), Deed::Unplug).unwrap();
    // TC_039_CS: begun and ended without a line
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("B"))).unwrap();
    bench.hand(one(), Deed::Unplug).unwrap();
    bench.operator.heard.clear();
    bench.cut();
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("B"))).unwrap();
    bench.hand(one(), Deed::Unplug).unwrap();
    bench.connect(Version::V16);
    let stages: Vec<Stage> = bench.operator.transactions().iter().map(|report| report.stage).collect();
    assert_eq!(stages, [Stage::Started, Stage::Ended]);
}

#[test]
fn the_cache_and_triggers() {
    // TC_007_1_CS: a known card does not have to be asked about; TC_061_1_CS: until the cache is cleared
    let mut bench = charging();
    bench.hand(one(), Deed::Unplug).unwrap();
    assert_eq!(write(&mut bench, "LocalPreAuthorize", "true"), Written::Accepted);
    let asked = |bench: &mut Bench| {
        bench.operator.heard.clear();
        bench.hand(one(), Deed::Plug(car())).unwrap();
        bench.hand(one(), Deed::Tap(card("A"))).unwrap();
        bench.hand(one(), Deed::Unplug).unwrap();
        bench.operator.words().contains(&"tap".to_owned())
    };
    assert!(!asked(&mut bench));
    assert_eq!(bench.order(ToStation::ClearCache), StationAnswer::Accepted);
    assert!(asked(&mut bench));
    // TC_054_CS, TC_055_CS
    for what in [Trigger::Meter, Trigger::Alive, Trigger::Status, Trigger::Firmware, Trigger::Diagnostics] {
        assert_eq!(bench.order(ToStation::Trigger { what, evse: None }), StationAnswer::Accepted, "{what:?}");
    }
    let elsewhere = ToStation::Trigger { what: Trigger::Meter, evse: EvseNo::new(9) };
    assert_eq!(bench.order(elsewhere), refused("Rejected"));
    bench.operator.refuses = true;
    bench.order(ToStation::ClearCache);
    bench.hand(one(), Deed::Tap(card("C"))).unwrap();
    assert_eq!(bench.bay(one()).last_verdict, Some(Allowed::Blocked));
}
