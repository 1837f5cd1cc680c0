//! Cases of OCPP 2.0.1 part 6 for a charging station, blocks B, D to H and J, each named where it is shown. What crosses
//! the wire is the tongue's and shown there; here is what the station says and does.

use charge::id::TransactionKey;
use charge::meter::{Context, Measured};
use charge::talk::line::model::{ModelNews, ModelOrder, ReportKind};
use charge::talk::line::reservation::{ListEntry, ListOrder, ReservationEnd, ReservationOrder};
use charge::talk::line::{Admission, BayState, EndReason, Heard, ResetKind, Stage, Trigger, Written};
use charge::token::{Allowed, Verdict};

use super::*;
use crate::bench::{alias, car, card, one, two};

/// EVSE 1 charges, and what was said on the way is forgotten; the transaction's name.
fn charging() -> (Bench, TransactionKey) {
    let mut bench = Bench::ready(Version::V201);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    let key = bench.operator.transactions()[0].key.clone().unwrap();
    bench.operator.heard.clear();
    (bench, key)
}

#[test]
fn a_station_boots_as_the_cases_ask() {
    // TC_B_01_CS
    let mut bench = Bench::dark(Version::V201);
    bench.connect(Version::V201);
    assert_eq!(boot_reason(&bench).as_deref(), Some("PowerUp"));
    assert_eq!(bench.operator.words(), ["boot", "1 Available", "2 Available", "StartupOfTheDevice"]);
    // TC_B_02_CS: it can be looked at and set up while it waits, and nothing more; TC_B_03_CS: it comes again and is silent
    for (admitted, pending) in [(Admission::Pending, true), (Admission::Rejected, false)] {
        let mut bench = Bench::dark(Version::V201);
        let interval = Duration::from_secs(30);
        bench.operator.instead = vec![Some(Ok(Heard::Boot { admitted, now: START, interval }))];
        bench.connect(Version::V201);
        if pending {
            assert_eq!(write(&mut bench, &[("OCPPCommCtrlr.OfflineThreshold", "300")]), [Written::Accepted]);
            assert_eq!(read(&mut bench, &["OCPPCommCtrlr.OfflineThreshold"]), ["300"]);
        }
        let start = ToStation::Start { evse: Some(one()), token: alias("X"), remote_id: 1, profile: None };
        assert_eq!(bench.order(start), refused(if pending { "Rejected" } else { "SecurityError" }));
        bench.pass(29);
        assert_eq!(bench.operator.words(), ["boot"]);
        bench.pass(1);
        assert_eq!(bench.operator.words(), ["boot", "1 Available", "2 Available", "StartupOfTheDevice"]);
    }
}

#[test]
fn variables_are_read_and_set_as_the_cases_ask() {
    let mut bench = Bench::ready(Version::V201);
    let (threshold, offline) = ("OCPPCommCtrlr.OfflineThreshold", "AuthCtrlr.LocalAuthorizeOffline");
    // TC_B_09_CS, TC_B_06_CS: one; TC_B_10_CS, TC_B_07_CS: two
    assert_eq!(write(&mut bench, &[(threshold, "300")]), [Written::Accepted]);
    assert_eq!(read(&mut bench, &[threshold]), ["300"]);
    assert_eq!(write(&mut bench, &[(threshold, "200"), (offline, "true")]), [Written::Accepted; 2]);
    assert_eq!(read(&mut bench, &[threshold, offline]), ["200", "true"]);
    // TC_B_11_CS: neither a number nor a yes or no
    assert_eq!(write(&mut bench, &[(threshold, "-1"), (offline, "maybe")]), [Written::Rejected; 2]);
    assert_eq!(read(&mut bench, &[threshold, offline]), ["200", "true"]);
}

#[test]
fn inventories_come_in_parts_as_the_cases_ask() {
    // TC_B_12_CS, TC_B_13_CS
    let mut bench = Bench::ready(Version::V201);
    let mut rows = Vec::new();
    for (request, kind) in [(3, ReportKind::Configuration), (4, ReportKind::Full)] {
        bench.operator.heard.clear();
        assert_eq!(bench.order(ToStation::Model(ModelOrder::Base { request, kind })), StationAnswer::Accepted);
        let parts = bench.operator.heard.iter().filter_map(|said| match said {
            FromStation::Model(ModelNews::Report { part, rows, .. }) => Some((*part, rows.len())),
            _ => None,
        });
        let parts: Vec<_> = parts.collect();
        for (at, (part, _)) in parts.iter().enumerate() {
            let wanted = (request, i32::try_from(at).unwrap(), at + 1 < parts.len());
            assert_eq!((part.request, part.seq, part.more), wanted);
        }
        rows.push(parts.iter().map(|(_, rows)| rows).sum::<usize>());
    }
    assert!(rows[0] > 0 && rows[0] < rows[1], "{rows:?}: the full one has what nobody can set as well");
}

#[test]
fn resets_are_obeyed_as_the_cases_ask() {
    // TC_B_20_CS: nothing runs
    let mut bench = Bench::ready(Version::V201);
    assert_eq!(bench.order(ToStation::Reset(ResetKind::Soft)), StationAnswer::Accepted);
    restart(&mut bench);
    assert_eq!(boot_reason(&bench).as_deref(), Some("RemoteReset"));
    assert_eq!(bench.operator.states(one()), [BayState::Available]);
    // TC_B_21_CS: what runs ends by itself first
    let (mut bench, _) = charging();
    assert_eq!(bench.order(ToStation::Reset(ResetKind::Soft)), StationAnswer::Scheduled);
    bench.pass(60);
    assert_eq!(bench.reboots, 0);
    bench.hand(one(), Deed::Unplug).unwrap();
    restart(&mut bench);
    assert_eq!(bench.operator.states(one()), [BayState::Available]);
    // TC_B_22_CS: what runs is ended
    let (mut bench, _) = charging();
    assert_eq!(bench.order(ToStation::Reset(ResetKind::Hard)), StationAnswer::Accepted);
    let end = bench.operator.transactions().pop().unwrap();
    assert_eq!((end.stage, end.reason, end.token), (Stage::Ended, Some(EndReason::Reboot), None));
    restart(&mut bench);
    assert_eq!(boot_reason(&bench).as_deref(), Some("RemoteReset"));
}

#[test]
fn what_is_switched_off_stays_so_as_the_cases_ask() {
    // TC_B_23_CS, TC_G_18_CS (an EVSE), TC_G_19_CS (its connector), TC_G_21_CS (the station)
    for (evse, connector, other) in [
        (Some(one()), None, BayState::Available),
        (Some(one()), Some(1), BayState::Available),
        (None, None, BayState::Unavailable),
    ] {
        let mut bench = Bench::ready(Version::V201);
        assert_eq!(switch(&mut bench, evse, connector, false), StationAnswer::Accepted);
        assert_eq!(bench.order(ToStation::Reset(ResetKind::Soft)), StationAnswer::Accepted);
        restart(&mut bench);
        assert_eq!(boot_reason(&bench).as_deref(), Some("RemoteReset"));
        assert_eq!(bench.operator.states(one()), [BayState::Unavailable]);
        assert_eq!(bench.operator.states(two()), [other]);
        assert!(bench.operator.words().contains(&"StartupOfTheDevice".to_owned()));
    }
}

fn switch(bench: &mut Bench, evse: Option<EvseNo>, connector: Option<u16>, operative: bool) -> StationAnswer {
    bench.operator.heard.clear();
    bench.order(ToStation::Availability { evse, connector, operative })
}

#[test]
fn availability_is_switched_as_the_cases_ask() {
    // TC_G_01_CS, TC_G_02_CS: nobody has switched anything
    let mut bench = Bench::ready(Version::V201);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Unplug).unwrap();
    assert_eq!(bench.operator.words(), ["1 Occupied", "1 Available"]);
    // an EVSE: TC_G_09_CS, TC_G_03_CS, TC_G_10_CS, TC_G_04_CS; its connector: TC_G_15_CS, TC_G_07_CS, TC_G_16_CS, TC_G_08_CS
    for connector in [None, Some(1)] {
        for (operative, told) in
            [(true, None), (false, Some("1 Unavailable")), (false, None), (true, Some("1 Available"))]
        {
            assert_eq!(switch(&mut bench, Some(one()), connector, operative), StationAnswer::Accepted);
            assert_eq!(bench.operator.words(), told.map(str::to_owned).into_iter().collect::<Vec<_>>());
        }
    }
    // the station: TC_G_12_CS, TC_G_05_CS, TC_G_13_CS, TC_G_06_CS
    let all = |state: &str| vec![format!("1 {state}"), format!("2 {state}")];
    for (operative, told) in [(true, vec![]), (false, all("Unavailable")), (false, vec![]), (true, all("Available"))] {
        assert_eq!(switch(&mut bench, None, None, operative), StationAnswer::Accepted);
        assert_eq!(bench.operator.words(), told);
    }
    // after the transaction: TC_G_11_CS (EVSE), TC_G_17_CS (connector), TC_G_14_CS (station)
    for (evse, connector) in [(Some(one()), None), (Some(one()), Some(1)), (None, None)] {
        let (mut bench, _) = charging();
        assert_eq!(switch(&mut bench, evse, connector, false), StationAnswer::Scheduled);
        assert!(bench.operator.states(one()).is_empty());
        bench.hand(one(), Deed::Tap(card("A"))).unwrap();
        bench.hand(one(), Deed::Unplug).unwrap();
        assert_eq!(bench.operator.states(one()).last(), Some(&BayState::Unavailable));
        let other = if evse.is_none() { vec![BayState::Unavailable] } else { vec![] };
        assert_eq!(bench.operator.states(two()), other);
    }
}

#[test]
fn a_transactions_standing_is_told_as_the_cases_ask() {
    let ask = |bench: &mut Bench, key: Option<TransactionKey>| {
        bench.order(ToStation::Model(ModelOrder::TransactionStatus(key)))
    };
    let stands = |ongoing, queued| StationAnswer::Pending { ongoing, queued };
    let (mut bench, key) = charging();
    // TC_E_28_CS, TC_E_30_CS, TC_E_34_CS
    let nobody = Some(TransactionKey::Text("nobody".into()));
    assert_eq!(ask(&mut bench, nobody), stands(Some(false), false));
    assert_eq!(ask(&mut bench, Some(key.clone())), stands(Some(true), false));
    assert_eq!(ask(&mut bench, None), stands(None, false));
    // TC_E_29_CS, TC_E_33_CS: the operator cannot take it yet; TC_E_40_CS: what was measured meanwhile says so
    bench.cut();
    bench.pass(120);
    assert_eq!(ask(&mut bench, Some(key.clone())), stands(Some(true), true));
    assert_eq!(ask(&mut bench, None), stands(None, true));
    bench.connect(Version::V201);
    let late = bench.operator.transactions();
    assert!(!late.is_empty());
    for report in &late {
        assert_eq!((report.stage, report.offline), (Stage::Updated, true));
        assert!(!report.readings.is_empty());
    }
    // TC_E_32_CS
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.hand(one(), Deed::Unplug).unwrap();
    assert_eq!(ask(&mut bench, Some(key)), stands(Some(false), false));
}

#[test]
fn a_message_that_is_not_taken_is_tried_again_as_the_cases_ask() {
    // TC_E_41_CS, TC_E_42_CS: no answer; TC_E_50_CS, TC_E_51_CS: an error; given up after as many as set, or taken before
    let error = || LineFault::Error { code: "InternalError".into(), description: "".into() };
    for failures in [3, 2] {
        let (mut bench, _) = charging();
        let values = [("OCPPCommCtrlr.MessageAttempts[TransactionEvent]", "3")];
        assert_eq!(write(&mut bench, &values), [Written::Accepted]);
        let pause = [("OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]", "10")];
        assert_eq!(write(&mut bench, &pause), [Written::Accepted]);
        bench.operator.heard.clear();
        bench.operator.instead = vec![Some(Err(error())); failures];
        bench.hand(one(), Deed::Limit(Some(Power::ZERO))).unwrap();
        let tries = |bench: &Bench| {
            let reports = bench.operator.transactions();
            let first = reports.first().and_then(|report| report.seq);
            reports.iter().filter(|report| report.seq == first).count()
        };
        assert_eq!(tries(&bench), 1);
        for (wait, count) in [(9, 1), (1, 2), (19, 2), (1, 3), (60, 3)] {
            bench.pass(wait);
            assert_eq!(tries(&bench), count, "{failures} failures");
        }
    }
}

#[test]
fn stops_and_heartbeats_are_ordered_as_the_cases_ask() {
    let (mut bench, key) = charging();
    // TC_F_09_CS, TC_F_08_CS
    let other = TransactionKey::Text("another".into());
    assert_eq!(bench.order(ToStation::Stop { key: other }), refused("Rejected"));
    assert_eq!(bench.bay(one()).phase, Phase::Charging);
    assert_eq!(bench.order(ToStation::Stop { key }), StationAnswer::Accepted);
    assert_eq!(bench.operator.transactions().last().unwrap().reason, Some(EndReason::Remote));
    // TC_F_20_CS
    bench.operator.heard.clear();
    assert_eq!(bench.order(ToStation::Trigger { what: Trigger::Alive, evse: None }), StationAnswer::Accepted);
    assert_eq!(bench.operator.words(), ["alive"]);
    // TC_B_51_CS, TC_B_52_CS: away for longer than it takes to tell all states, and not
    for (secs, words) in [(61, vec!["1 Occupied", "2 Available"]), (60, vec!["1 Occupied"])] {
        let mut bench = Bench::ready(Version::V201);
        bench.cut();
        bench.hand(one(), Deed::Plug(car())).unwrap();
        bench.pass(secs);
        bench.connect(Version::V201);
        assert_eq!(bench.operator.words(), words, "{secs} s");
    }
}

#[test]
fn readings_have_their_context_as_the_cases_ask() {
    let mut bench = Bench::ready(Version::V201);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.pass(180);
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    let reports = bench.operator.transactions();
    let contexts = |at: usize| reports[at].readings.iter().map(|of| of.context).collect::<Vec<_>>();
    // TC_J_07_CS
    assert!(!contexts(0).is_empty() && contexts(0).iter().all(|context| *context == Context::TransactionBegin));
    // TC_J_09_CS
    let sampled: Vec<_> =
        (1..reports.len() - 1).filter(|at| contexts(*at).contains(&Context::SamplePeriodic)).collect();
    let times: Vec<u64> = sampled.iter().map(|at| reports[*at].at.since(reports[0].at).as_secs()).collect();
    assert_eq!(times, [60, 120, 180]);
    // TC_J_10_CS
    let last = reports.len() - 1;
    assert_eq!(reports[last].stage, Stage::Ended);
    assert!(contexts(last).contains(&Context::TransactionEnd));
}

#[test]
fn the_local_list_is_kept_as_the_cases_ask() {
    let send = |version, full, uids: &[(&str, bool)]| {
        let entry = |(uid, yes): &(&str, bool)| ListEntry {
            token: card(uid),
            group: None,
            until: None,
            verdict: yes.then_some(Verdict::bare(Allowed::Yes)),
        };
        ToStation::List(ListOrder::Send { version, full, entries: uids.iter().map(entry).collect() })
    };
    let mut bench = Bench::ready(Version::V201);
    let version = |bench: &mut Bench| bench.order(ToStation::List(ListOrder::Version));
    let rows: [(_, &[(&str, bool)], _, _); 6] = [
        // TC_D_01_CS: a whole list, TC_D_08_CS
        ((1, true), &[("A", true)], StationAnswer::Accepted, 1),
        // TC_D_02_CS, TC_D_03_CS: one more, one less
        ((2, false), &[("B", true)], StationAnswer::Accepted, 2),
        ((3, false), &[("B", false)], StationAnswer::Accepted, 3),
        // TC_D_05_CS: no difference
        ((4, false), &[], StationAnswer::Accepted, 4),
        // TC_D_06_CS: a difference to what is newer here
        ((3, false), &[("C", true)], refused("VersionMismatch"), 4),
        // TC_D_04_CS: an empty list
        ((5, true), &[], StationAnswer::Accepted, 5),
    ];
    for ((number, full), uids, answer, after) in rows {
        assert_eq!(bench.order(send(number, full, uids)), answer, "version {number}");
        assert_eq!(version(&mut bench), StationAnswer::Number(after));
    }
    // TC_D_10_CS
    assert_eq!(write(&mut bench, &[("LocalAuthListCtrlr.Enabled", "false")]), [Written::Accepted]);
    assert_eq!(version(&mut bench), StationAnswer::Number(0));
}

#[test]
fn a_reservation_is_kept_as_the_cases_ask() {
    let until = START.plus(Duration::from_secs(600));
    let reserve = |id, evse, group: Option<&str>| {
        let (token, group) = (alias("MINE"), group.map(alias));
        ToStation::Reservation(ReservationOrder::Reserve { id, evse: Some(evse), token, group, until, connector: None })
    };
    let ended = |bench: &Bench| {
        let ends = bench.operator.heard.iter().filter_map(|said| match said {
            FromStation::Reservation { id, end } => Some((*id, *end)),
            _ => None,
        });
        ends.collect::<Vec<_>>()
    };
    // TC_H_03_CS: reserved; TC_H_04_CS: occupied; TC_H_06_CS: switched off
    let mut bench = Bench::ready(Version::V201);
    assert_eq!(bench.order(reserve(1, one(), None)), StationAnswer::Accepted);
    assert_eq!(bench.operator.words(), ["1 Reserved"]);
    assert_eq!(bench.order(reserve(2, one(), None)), refused("Occupied"));
    // TC_H_23_CS: the same one again takes the place of the first
    assert_eq!(bench.order(reserve(1, one(), None)), StationAnswer::Accepted);
    // TC_H_02_CS: not for others, neither at the station nor from afar
    assert_eq!(bench.hand(one(), Deed::Tap(card("OTHER"))), Err(CannotDo::Reserved));
    let start = ToStation::Start { evse: Some(one()), token: alias("OTHER"), remote_id: 1, profile: None };
    assert_eq!(bench.order(start), refused("Rejected"));
    // TC_H_18_CS, TC_H_17_CS: another one, and this one, is cancelled
    let cancel = |id| ToStation::Reservation(ReservationOrder::Cancel { id });
    assert_eq!(bench.order(cancel(9)), refused("Rejected"));
    bench.operator.heard.clear();
    assert_eq!(bench.order(cancel(1)), StationAnswer::Accepted);
    assert_eq!(bench.operator.states(one()), [BayState::Available]);
    // TC_H_01_CS: whoever it is for uses it up
    assert_eq!(bench.order(reserve(3, one(), None)), StationAnswer::Accepted);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(alias("MINE"))).unwrap();
    assert_eq!(bench.operator.transactions()[0].reservation, Some(3));
    assert_eq!(bench.order(reserve(4, one(), None)), refused("Occupied"));
    assert_eq!(switch(&mut bench, Some(two()), None, false), StationAnswer::Accepted);
    assert_eq!(bench.order(reserve(4, two(), None)), refused("Unavailable"));
    // TC_H_07_CS: nobody came
    let mut bench = Bench::ready(Version::V201);
    assert_eq!(bench.order(reserve(5, one(), None)), StationAnswer::Accepted);
    bench.pass(600);
    assert_eq!(bench.operator.states(one()), [BayState::Reserved, BayState::Available]);
    assert_eq!(ended(&bench), [(5, ReservationEnd::Expired)]);
    // TC_H_19_CS: one of the group uses it
    let mut bench = Bench::ready(Version::V201);
    let entries = vec![ListEntry {
        token: card("FRIEND"),
        group: Some(alias("FLEET")),
        until: None,
        verdict: Some(Verdict::bare(Allowed::Yes)),
    }];
    bench.order(ToStation::List(ListOrder::Send { version: 1, full: true, entries }));
    assert_eq!(bench.order(reserve(6, one(), Some("FLEET"))), StationAnswer::Accepted);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("FRIEND"))).unwrap();
    assert_eq!(bench.operator.transactions()[0].reservation, Some(6));
    // the EVSE breaks; TC_H_21_CS: it is switched off; proves: H01.FR.16, H01.FR.17
    let mut bench = Bench::ready(Version::V201);
    assert_eq!(bench.order(reserve(7, one(), None)), StationAnswer::Accepted);
    bench.hand(one(), Deed::Break("OtherError".into())).unwrap();
    assert_eq!(ended(&bench), [(7, ReservationEnd::Removed)]);
    bench.hand(one(), Deed::Repair).unwrap();
    assert_eq!(bench.operator.states(one()).last(), Some(&BayState::Available));
    assert_eq!(bench.order(reserve(7, one(), None)), StationAnswer::Accepted);
    assert_eq!(switch(&mut bench, Some(one()), None, false), StationAnswer::Accepted);
    assert_eq!(bench.operator.states(one()).last(), Some(&BayState::Unavailable));
    assert_eq!(ended(&bench), [(7, ReservationEnd::Removed)]);
}

const QUARTER: u64 = 900;

/// When a report of a meter was read by the clock, and where.
fn by_the_clock(bench: &Bench) -> Vec<(Timestamp, u16)> {
    let told = bench.operator.heard.iter().filter_map(|said| match said {
        FromStation::Meter(report) => {
            assert!(report.readings.iter().all(|reading| reading.context == Context::SampleClock));
            assert!(report.readings.iter().any(|reading| matches!(reading.measured, Measured::EnergyImport(_))));
            Some((report.readings[0].at, report.evse.unwrap().get()))
        }
        _ => None,
    });
    told.collect()
}

/// The next moments of a quarter of an hour.
fn quarters(from: Timestamp) -> impl Iterator<Item = Timestamp> {
    let first = i64::try_from(QUARTER).map(|quarter| (from.secs() / quarter + 1) * quarter).unwrap();
    (0..).map(move |no| Timestamp::from_secs(first).plus(Duration::from_secs(no * QUARTER)))
}

#[test]
fn meters_are_read_by_the_clock_as_the_cases_ask() {
    // proves: J01.FR.02, J01.FR.06, J01.FR.07, J01.FR.08, J01.FR.14, J01.FR.20, J01.FR.22
    // TC_J_01_CS: of all EVSEs at the same moments
    let mut bench = Bench::ready(Version::V201);
    let interval = ("AlignedDataCtrlr.Interval", "900");
    assert_eq!(write(&mut bench, &[interval]), [Written::Accepted]);
    bench.pass(3 * QUARTER);
    let all = quarters(START).take(3).flat_map(|at| [(at, 1), (at, 2)]);
    assert_eq!(by_the_clock(&bench), all.collect::<Vec<_>>(), "TC_J_01_CS");
    // TC_J_02_CS: who charges tells it with the transaction
    let (mut bench, _) = charging();
    let quiet = ("SampledDataCtrlr.TxUpdatedInterval", "0");
    assert_eq!(write(&mut bench, &[interval, quiet]), [Written::Accepted; 2]);
    bench.pass(2 * QUARTER);
    let moments: Vec<_> = quarters(START).take(2).collect();
    assert_eq!(by_the_clock(&bench), moments.iter().map(|at| (*at, 2)).collect::<Vec<_>>(), "TC_J_02_CS");
    let reports = bench.operator.transactions();
    assert_eq!(reports.iter().map(|report| report.at).collect::<Vec<_>>(), moments, "TC_J_02_CS");
    for report in reports {
        assert_eq!((report.stage, report.state), (Stage::Updated, None), "TC_J_02_CS");
        assert!(report.readings.iter().all(|reading| reading.context == Context::SampleClock), "TC_J_02_CS");
    }
    // nobody hears of it while somebody charges
    assert_eq!(write(&mut bench, &[("AlignedDataCtrlr.SendDuringIdle", "true")]), [Written::Accepted]);
    bench.operator.heard.clear();
    bench.pass(QUARTER);
    assert!(bench.operator.transactions().is_empty() && by_the_clock(&bench).is_empty());
}

#[test]
fn readings_by_the_clock_come_with_the_end_as_the_case_asks() {
    // proves: J01.FR.08, E06.FR.11
    // TC_J_03_CS
    let (mut bench, _) = charging();
    let gathered = ("AlignedDataCtrlr.TxEndedInterval", "900");
    let nothing_else = ("SampledDataCtrlr.TxEndedMeasurands", "");
    assert_eq!(write(&mut bench, &[gathered, nothing_else]), [Written::Accepted; 2]);
    bench.pass(3 * QUARTER);
    bench.hand(one(), Deed::Unplug).unwrap();
    let end = bench.operator.transactions().pop().unwrap();
    assert_eq!(end.stage, Stage::Ended, "TC_J_03_CS");
    assert!(end.readings.iter().all(|reading| reading.context == Context::SampleClock), "TC_J_03_CS");
    let moments: Vec<_> = end.readings.iter().map(|reading| reading.at).collect();
    assert_eq!(moments, quarters(START).take(3).collect::<Vec<_>>(), "TC_J_03_CS");
    let registers = end.readings.iter().map(|reading| match reading.measured {
        Measured::EnergyImport(energy) => energy,
        ref other => panic!("{other:?}"),
    });
    assert!(registers.collect::<Vec<_>>().windows(2).all(|pair| pair[0] < pair[1]), "TC_J_03_CS");
}

#[test]
fn a_cable_that_does_not_come_in_time_begins_nothing_as_the_case_asks() {
    // TC_E_39_CS: the transaction would begin with the flow of power, so there is none to end
    let mut bench = Bench::ready(Version::V201);
    assert_eq!(write(&mut bench, &[("TxCtrlr.EVConnectionTimeOut", "30")]), [Written::Accepted]);
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.pass(29);
    assert_eq!(bench.bay(one()).phase, Phase::Tapped, "TC_E_39_CS");
    bench.pass(1);
    assert_eq!(bench.bay(one()).phase, Phase::Idle, "TC_E_39_CS");
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.pass(60);
    assert_eq!(bench.bay(one()).phase, Phase::Plugged, "TC_E_39_CS");
    assert!(bench.operator.transactions().is_empty(), "TC_E_39_CS");
}
