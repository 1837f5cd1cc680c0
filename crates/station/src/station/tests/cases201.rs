//! Requirements of OCPP 2.0.1 for a charging station, each named by the test that shows it.

use charge::id::TransactionKey;
use charge::meter::{Context, Measured};
use charge::talk::line::display::{Customer, CustomerOrder};
use charge::talk::line::model::{ModelNews, ModelOrder, Monitor, MonitorKind, MonitoringBase, ReportKind, ReportRow};
use charge::talk::line::reservation::{ListEntry, ListOrder, ReservationOrder};
use charge::talk::line::upkeep::{LogKind, Retries, UpkeepOrder, Work};
use charge::talk::line::{EndReason, Stage, Trigger, Written};
use charge::token::{Allowed, Verdict};
use charge::{Decimal, Purpose};

use super::*;
use crate::bench::{alias, car, card, one, two};

fn model(order: ModelOrder) -> ToStation {
    ToStation::Model(order)
}

fn set(bench: &mut Bench, values: &[(&str, &str)]) -> Vec<(String, Written)> {
    let values = values.iter().map(|(key, value)| (Box::from(*key), Secret::new(Box::from(*value)))).collect();
    match bench.order(ToStation::WriteSettings { values }) {
        StationAnswer::Written(rows) => rows.into_iter().map(|(key, word)| (key.to_string(), word)).collect(),
        other => panic!("{other:?}"),
    }
}

/// The parts of the report that came last, as numbers, and all rows.
fn report(bench: &mut Bench, order: ModelOrder) -> (Vec<(i32, i32, bool)>, Vec<ReportRow>) {
    bench.operator.heard.clear();
    assert_eq!(bench.order(model(order)), StationAnswer::Accepted);
    let mut out = (Vec::new(), Vec::new());
    for said in &bench.operator.heard {
        if let FromStation::Model(ModelNews::Report { part, rows, .. }) = said {
            out.0.push((part.request, part.seq, part.more));
            out.1.extend(rows.iter().cloned());
        }
    }
    out
}

#[test]
fn reports_come_in_counted_parts() {
    // proves: B07.FR.04, B07.FR.08, B07.FR.10, B07.FR.12, B08.FR.04, B08.FR.14
    let mut bench = Bench::ready(Version::V201);
    let (parts, rows) = report(&mut bench, ModelOrder::Base { request: 7, kind: ReportKind::Full });
    assert!(parts.len() > 2 && rows.len() > 30 && rows.iter().all(|row| row.characteristics.is_some()));
    let (parts2, _) = report(&mut bench, ModelOrder::Report { request: 8, variables: vec![], criteria: vec![] });
    for (request, parts) in [(7, parts), (8, parts2)] {
        let last = parts.len() - 1;
        for (at, part) in parts.into_iter().enumerate() {
            assert_eq!(part, (request, i32::try_from(at).unwrap(), at < last));
        }
    }
}

#[test]
fn reports_keep_to_what_was_asked_for() {
    // proves: B08.FR.01, B08.FR.03, B08.FR.07, B08.FR.09, B08.FR.11, B08.FR.13, B08.FR.15
    let mut bench = Bench::ready(Version::V201);
    let ask = |variables: &[&str], criteria: &[&str]| ModelOrder::Report {
        request: 1,
        variables: variables.iter().map(|name| Box::from(*name)).collect(),
        criteria: criteria.iter().map(|name| Box::from(*name)).collect(),
    };
    let all = report(&mut bench, ask(&[], &[])).1.len();
    let (_, rows) = report(&mut bench, ask(&["1/EVSE", "OCPPCommCtrlr.HeartbeatInterval"], &[]));
    let of =
        |row: &ReportRow| row.variable.starts_with("1/EVSE.") || &*row.variable == "OCPPCommCtrlr.HeartbeatInterval";
    assert!(rows.len() > 3 && rows.iter().all(of));
    // no component here can be inactive
    assert_eq!(report(&mut bench, ask(&[], &["Active"])).1.len(), all);
    let (_, enabled) = report(&mut bench, ask(&[], &["Enabled"]));
    assert!(enabled.len() < all && !enabled.iter().any(|row| row.variable.starts_with("WebPaymentsCtrlr")));
    assert_eq!(bench.order(model(ask(&[], &["Problem"]))), refused("EmptyResultSet"));
    assert_eq!(report(&mut bench, ask(&[], &["Problem", "Enabled"])).1.len(), enabled.len());
    bench.hand(one(), Deed::Break("GroundFailure".into())).unwrap();
    let (_, broken) = report(&mut bench, ask(&[], &["Problem"]));
    assert!(broken.iter().all(|row| row.variable.starts_with("ChargingStation.")));
}

#[test]
fn variables_are_answered_one_by_one_in_their_order() {
    // proves: B05.FR.01, B05.FR.02, B05.FR.07, B05.FR.10, B06.FR.01, B06.FR.02
    let mut bench = Bench::ready(Version::V201);
    let interval = "OCPPCommCtrlr.HeartbeatInterval";
    let words = set(&mut bench, &[("Toaster.Heat", "1"), (interval, "60"), (interval, "soon")]);
    let expected = [("Toaster", Written::Unknown), (interval, Written::Accepted), (interval, Written::Rejected)];
    assert_eq!(words, expected.map(|(key, word)| (key.to_owned(), word)));
    let keys: Vec<Box<str>> = vec![interval.into(), "Toaster.Heat".into(), "1/EVSE.Power".into()];
    let StationAnswer::Settings { known, unknown } = bench.order(ToStation::ReadSettings { keys }) else { panic!() };
    let names: Vec<&str> = known.iter().map(|setting| &*setting.key).collect();
    assert_eq!((names, unknown), (vec![interval, "1/EVSE.Power"], vec!["Toaster".into()]));
}

#[test]
fn cache_and_list_decide_without_a_line() {
    // proves: C11.FR.02, C11.FR.03, C11.FR.04, C12.FR.06, C13.FR.01, C15.FR.04, C15.FR.08
    let mut bench = Bench::ready(Version::V201);
    let tapped = |bench: &mut Bench, uid: &str| {
        bench.hand(one(), Deed::Plug(car())).unwrap();
        bench.hand(one(), Deed::Tap(card(uid))).unwrap();
        let phase = bench.bay(one()).phase;
        bench.hand(one(), Deed::Unplug).unwrap();
        phase
    };
    assert_eq!(tapped(&mut bench, "A"), Phase::Charging);
    bench.operator.refuses = true;
    assert_eq!(tapped(&mut bench, "A"), Phase::Plugged);
    bench.cut();
    assert_eq!(tapped(&mut bench, "A"), Phase::Plugged, "the refusal has updated the cache");
    bench.operator.refuses = false;
    bench.connect(Version::V201);
    assert_eq!(tapped(&mut bench, "B"), Phase::Charging);
    let entries =
        vec![ListEntry { token: card("B"), verdict: Some(Verdict::bare(Allowed::Blocked)), until: None, group: None }];
    assert_eq!(
        bench.order(ToStation::List(ListOrder::Send { version: 1, full: true, entries })),
        StationAnswer::Accepted
    );
    bench.cut();
    assert_eq!(tapped(&mut bench, "B"), Phase::Plugged, "the list goes before the cache");
    set(&mut bench, &[("AuthCtrlr.OfflineTxForUnknownIdEnabled", "true")]);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("NOBODY"))).unwrap();
    assert_eq!(bench.bay(one()).phase, Phase::Charging);
    bench.operator.refuses = true;
    bench.connect(Version::V201);
    assert_eq!(bench.operator.transactions().last().unwrap().reason, Some(EndReason::Refused));
    assert_eq!(bench.order(ToStation::ClearCache), StationAnswer::Accepted);
    set(&mut bench, &[("AuthCacheCtrlr.Enabled", "false")]);
    assert_eq!(bench.order(ToStation::ClearCache), refused("Rejected"));
}

#[test]
fn a_transaction_is_numbered_and_measured_from_its_begin_to_its_end() {
    // proves: C01.FR.03, E01.FR.07, E02.FR.07, E02.FR.09, E02.FR.10, E03.FR.07, E03.FR.08, E06.FR.03, E06.FR.11,
    // E08.FR.08, E08.FR.09, E09.FR.04, E09.FR.05
    for by_card in [true, false] {
        let mut bench = Bench::ready(Version::V201);
        bench.hand(one(), Deed::Plug(car())).unwrap();
        bench.hand(one(), Deed::Tap(card("A"))).unwrap();
        bench.pass(60);
        bench.cut();
        bench.pass(60);
        if by_card {
            bench.hand(one(), Deed::Tap(card("a"))).unwrap();
        } else {
            bench.hand(one(), Deed::Unplug).unwrap();
        }
        bench.connect(Version::V201);
        let reports = bench.operator.transactions();
        let seen: Vec<_> = reports.iter().map(|report| (report.seq.unwrap(), report.stage)).collect();
        assert_eq!(seen, [(0, Stage::Started), (1, Stage::Updated), (2, Stage::Updated), (3, Stage::Ended)]);
        let context = |at: usize| reports[at].readings.iter().map(|reading| reading.context).collect::<Vec<_>>();
        assert!(context(0).iter().all(|context| *context == Context::TransactionBegin));
        assert!(context(1).iter().chain(&context(2)).all(|context| *context == Context::SamplePeriodic));
        assert!(context(3).iter().all(|context| *context == Context::TransactionEnd));
        let why = if by_card { EndReason::Local } else { EndReason::CarLeft };
        assert_eq!(reports[3].reason, Some(why));
    }
}

#[test]
fn what_is_triggered_is_said_of_all_that_was_meant() {
    // proves: F06.FR.11, F06.FR.14, F06.FR.15, F06.FR.16, J01.FR.02, J01.FR.06, J01.FR.07, J01.FR.08
    let mut bench = Bench::ready(Version::V201);
    let trigger = |what| ToStation::Trigger { what, evse: None };
    assert_eq!(bench.order(trigger(Trigger::Status)), StationAnswer::Accepted);
    assert_eq!(bench.operator.words(), ["1 Available", "2 Available"]);
    assert_eq!(bench.order(trigger(Trigger::Meter)), StationAnswer::Accepted);
    let meters: Vec<_> = bench.operator.heard.drain(..).collect();
    assert_eq!(meters.len(), 2);
    for (said, no) in meters.iter().zip([one(), two()]) {
        let FromStation::Meter(report) = said else { panic!("{said:?}") };
        assert_eq!(report.evse, Some(no));
        assert!(report.readings.iter().all(|of| of.context == Context::Trigger && of.at == report.readings[0].at));
        assert!(report.readings.iter().any(|of| matches!(of.measured, Measured::EnergyImport(_))));
    }
    let told = |bench: &mut Bench, what| {
        bench.operator.heard.clear();
        assert_eq!(bench.order(trigger(what)), StationAnswer::Accepted);
        bench.operator.heard.iter().find_map(|said| match said {
            FromStation::Progress(progress) => Some((progress.of, progress.status.to_string())),
            _ => None,
        })
    };
    assert_eq!(told(&mut bench, Trigger::Log), Some((Work::Log, "Idle".to_owned())));
    assert_eq!(told(&mut bench, Trigger::Firmware), Some((Work::Firmware, "Idle".to_owned())));
    bench.order(log(1));
    bench.pass(1);
    assert_eq!(told(&mut bench, Trigger::Log), Some((Work::Log, "Uploading".to_owned())));
}

fn log(request: i32) -> ToStation {
    let (to, retries) = (Secret::new("https://files.example/in".into()), Retries::default());
    let kind = LogKind::Diagnostics;
    ToStation::Upkeep(UpkeepOrder::FetchLog { request, kind, to, from: None, until: None, retries, legacy: false })
}

#[test]
fn a_log_is_uploaded_under_its_number_and_a_new_order_ends_the_old() {
    // proves: N01.FR.01, N01.FR.02, N01.FR.07, N01.FR.12
    let mut bench = Bench::ready(Version::V201);
    assert!(matches!(bench.order(log(5)), StationAnswer::File(Some(_))));
    bench.pass(1);
    assert!(matches!(bench.order(log(6)), StationAnswer::File(Some(_))));
    bench.pass(1);
    let upload = bench.uploads.pop().unwrap();
    bench.station.uploaded(bench.now, upload.number, true, &mut bench.out);
    bench.talk();
    let told = bench.operator.heard.iter().filter_map(|said| match said {
        FromStation::Progress(progress) => Some((progress.request.unwrap(), progress.status.to_string())),
        _ => None,
    });
    let expected = [(5, "Uploading"), (5, "AcceptedCanceled"), (6, "Uploading"), (6, "Uploaded")];
    assert_eq!(told.collect::<Vec<_>>(), expected.map(|(request, word)| (request, word.to_owned())));
}

#[test]
fn availability_is_answered_for_one_and_for_all() {
    // proves: G03.FR.01, G03.FR.02, G03.FR.03, G04.FR.02, G04.FR.03, G04.FR.04, G04.FR.06
    let switch = |evse, operative| ToStation::Availability { evse, connector: None, operative };
    let mut bench = Bench::ready(Version::V201);
    for evse in [Some(one()), None] {
        for operative in [true, false, false, true] {
            assert_eq!(bench.order(switch(evse, operative)), StationAnswer::Accepted);
        }
    }
    assert_eq!(bench.order(switch(EvseNo::new(9), false)), refused("Rejected"));
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    assert_eq!(bench.order(switch(None, false)), StationAnswer::Scheduled);
    assert_eq!((bench.bay(one()).phase, bench.bay(two()).phase), (Phase::Charging, Phase::Unavailable));
}

#[test]
fn a_reservation_of_any_evse_is_used_up_by_whoever_it_is_for() {
    // proves: H01.FR.04, H01.FR.14, H03.FR.03, H03.FR.09, H04.FR.02
    let reserve = |id, evse| {
        let until = START.plus(Duration::from_secs(600));
        let (token, group, connector) = (alias("MINE"), None, None);
        ToStation::Reservation(ReservationOrder::Reserve { id, evse, token, group, until, connector })
    };
    let cancel = |id| ToStation::Reservation(ReservationOrder::Cancel { id });
    let mut bench = Bench::ready(Version::V201);
    assert_eq!(bench.order(reserve(1, None)), StationAnswer::Accepted);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("mine"))).unwrap();
    assert_eq!(bench.operator.transactions()[0].reservation, Some(1));
    assert_eq!(bench.order(cancel(1)), refused("Rejected"), "used up");
    assert_eq!(bench.order(reserve(2, Some(two()))), StationAnswer::Accepted);
    assert_eq!(bench.hand(two(), Deed::Tap(card("OTHER"))), Err(CannotDo::Reserved));
    bench.pass(600);
    assert_eq!(bench.hand(two(), Deed::Tap(card("OTHER"))), Ok(()));
    let mut bench = Bench::ready(Version::V201);
    bench.order(ToStation::Availability { evse: Some(two()), connector: None, operative: false });
    assert_eq!(bench.order(reserve(3, Some(two()))), refused("Unavailable"));
}

#[test]
fn monitors_are_set_found_and_cleared() {
    // proves: N02.FR.01, N02.FR.03, N02.FR.04, N02.FR.05, N02.FR.06, N02.FR.08, N02.FR.09, N02.FR.10, N02.FR.11,
    // N02.FR.12, N02.FR.13, N02.FR.14, N03.FR.01, N03.FR.03, N03.FR.04, N03.FR.05, N04.FR.11, N04.FR.12, N04.FR.13,
    // N05.FR.01, N05.FR.02, N06.FR.01, N06.FR.02, N06.FR.05
    let mut bench = Bench::ready(Version::V201);
    let monitor = |id, kind| Monitor {
        id,
        variable: "1/EVSE.Power".into(),
        kind,
        value: Decimal::from(10),
        severity: 5,
        in_transaction: false,
        stream: None,
    };
    let place = |bench: &mut Bench, monitors: Vec<Monitor>| match bench.order(model(ModelOrder::Watch(monitors))) {
        StationAnswer::Monitors(rows) => rows.into_iter().map(|row| (row.id, row.word.to_string())).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let kinds = [MonitorKind::UpperThreshold, MonitorKind::Delta, MonitorKind::Periodic];
    let placed = place(&mut bench, kinds.map(|kind| monitor(None, kind)).to_vec());
    let ids: Vec<i32> = placed.iter().filter_map(|(id, word)| id.filter(|_| word == "Accepted")).collect();
    assert_eq!(ids.len(), 3, "{placed:?}");
    let changed = place(&mut bench, vec![Monitor { severity: 4, ..monitor(Some(ids[1]), MonitorKind::Delta) }]);
    assert_eq!(changed, [(Some(ids[1]), "Accepted".to_owned())]);
    assert_eq!(place(&mut bench, vec![monitor(Some(999), MonitorKind::Delta)])[0].1, "Rejected");
    let found = |bench: &mut Bench, variables: &[&str], criteria: &[&str]| {
        let variables = variables.iter().map(|name| Box::from(*name)).collect();
        let criteria = criteria.iter().map(|name| Box::from(*name)).collect();
        bench.operator.heard.clear();
        let answer = bench.order(model(ModelOrder::Monitors { request: 9, variables, criteria }));
        let mut kinds = Vec::new();
        for said in &bench.operator.heard {
            if let FromStation::Model(ModelNews::Monitors { part, monitors, .. }) = said {
                assert_eq!((part.request, part.seq, part.more), (9, 0, false));
                kinds.extend(monitors.iter().map(|monitor| monitor.kind));
            }
        }
        if answer == StationAnswer::Accepted { Ok(kinds) } else { Err(answer) }
    };
    assert_eq!(found(&mut bench, &[], &[]).unwrap().len(), 3);
    assert_eq!(found(&mut bench, &["1/EVSE.Power"], &[]).unwrap().len(), 3);
    let word = ["ThresholdMonitoring", "DeltaMonitoring", "PeriodicMonitoring"];
    for (kind, word) in kinds.into_iter().zip(word) {
        assert_eq!(found(&mut bench, &[], &[word]), Ok(vec![kind]));
        assert_eq!(found(&mut bench, &["1/EVSE.Power"], &[word]), Ok(vec![kind]));
    }
    assert_eq!(found(&mut bench, &["2/EVSE.Power"], &[]), Err(refused("EmptyResultSet")));
    let cleared = bench.order(model(ModelOrder::Unwatch(vec![ids[0], 999])));
    let StationAnswer::Items(rows) = cleared else { panic!() };
    assert_eq!(rows.iter().map(|row| &*row.word).collect::<Vec<_>>(), ["Accepted", "NotFound"]);
    assert_eq!(bench.order(model(ModelOrder::MonitoringLevel(3))), StationAnswer::Accepted);
    assert_eq!(bench.order(model(ModelOrder::MonitoringLevel(10))), refused("Rejected"));
    for (base, left) in
        [(MonitoringBase::All, 2), (MonitoringBase::FactoryDefault, 0), (MonitoringBase::HardWiredOnly, 0)]
    {
        assert_eq!(bench.order(model(ModelOrder::MonitoringBase(base))), StationAnswer::Accepted);
        assert_eq!(found(&mut bench, &[], &[]).map_or(0, |kinds| kinds.len()), left);
    }
}

#[test]
fn a_customer_is_told_of_and_forgotten() {
    // proves: N09.FR.02, N09.FR.05, N10.FR.01, N10.FR.04, N10.FR.06
    let mut bench = Bench::ready(Version::V201);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.hand(one(), Deed::Unplug).unwrap();
    let mut ask = |report, clear| {
        bench.operator.heard.clear();
        let order = CustomerOrder { request: 3, report, clear, customer: Customer::Token(card("A")) };
        assert_eq!(bench.order(ToStation::Customer(order)), StationAnswer::Accepted);
        bench.operator.heard.iter().find_map(|said| match said {
            FromStation::Customer(news) => Some(news.data.reveal(Purpose::ShowOwner).to_string()),
            _ => None,
        })
    };
    assert!(ask(true, false).is_some_and(|text| text.contains("cache")));
    ask(false, true);
    assert_eq!(ask(true, true).as_deref(), Some(""), "there is nothing any more, and that is told");
}

#[test]
fn a_transaction_that_nobody_knows_is_not_running() {
    // proves: E14.FR.01, E14.FR.08
    let mut bench = Bench::ready(Version::V201);
    let key = Some(TransactionKey::Text("nobody".into()));
    let answer = bench.order(model(ModelOrder::TransactionStatus(key)));
    assert_eq!(answer, StationAnswer::Pending { ongoing: Some(false), queued: false });
}
