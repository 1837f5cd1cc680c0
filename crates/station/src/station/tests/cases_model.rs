//! Cases of OCPP 2.0.1 part 6 for a charging station: what can be read of it, what is watched, what it shows, and limits
//! that begin and end by the clock.

use charge::talk::line::charging::{ChargingOrder, ProfileFilter, ProfileKind, ProfilePurpose, RateUnit};
use charge::talk::line::display::{DisplayMessage, DisplayNews, DisplayOrder};
use charge::talk::line::model::{Attribute, ModelNews, ModelOrder, MonitorKind, ReportKind, ReportRow};
use charge::talk::line::{ResetKind, StationAnswer};
use charge::{Decimal, Timestamp};

use super::cases_i_to_p::{POWER, STATE, charging, key_of, monitor, profile, set, watch};
use super::*;
use crate::bench::{car, card, one, two};

/// The rows of a report, which has to come under its number and in counted parts.
fn rows(bench: &mut Bench, order: ModelOrder) -> Result<Vec<ReportRow>, StationAnswer> {
    bench.operator.heard.clear();
    let answer = bench.order(ToStation::Model(order));
    let mut rows = Vec::new();
    let mut seq = 0;
    for said in &bench.operator.heard {
        if let FromStation::Model(ModelNews::Report { part, rows: more, .. }) = said {
            assert_eq!((part.request, part.seq), (3, seq));
            seq += 1;
            rows.extend(more.iter().cloned());
        }
    }
    if answer == StationAnswer::Accepted { Ok(rows) } else { Err(answer) }
}

fn report(bench: &mut Bench, criteria: &[&str], variables: &[&str]) -> Result<Vec<ReportRow>, StationAnswer> {
    let boxed = |names: &[&str]| names.iter().map(|name| Box::from(*name)).collect();
    rows(bench, ModelOrder::Report { request: 3, variables: boxed(variables), criteria: boxed(criteria) })
}

fn names(rows: &[ReportRow]) -> Vec<&str> {
    rows.iter().map(|row| &*row.variable).collect()
}

#[test]
fn a_report_keeps_to_what_was_asked_for_as_the_cases_ask() {
    // proves: B07.FR.01, B07.FR.03, B07.FR.09, B08.FR.01, B08.FR.03, B08.FR.04, B08.FR.05, B08.FR.08, B08.FR.11, B08.FR.12,
    // B08.FR.14, B08.FR.15, B08.FR.20, B08.FR.21
    let mut bench = Bench::ready(Version::V201);
    // TC_B_14_CS
    let summary = rows(&mut bench, ModelOrder::Base { request: 3, kind: ReportKind::Summary }).unwrap();
    for name in ["ChargingStation", "1/EVSE", "2/EVSE", "1.1/Connector", "2.1/Connector"] {
        let name = format!("{name}.AvailabilityState");
        assert!(names(&summary).contains(&&*name), "TC_B_14_CS: {name}");
    }
    assert!(summary.iter().all(|row| row.characteristics.is_some()), "TC_B_14_CS");
    assert!(!names(&summary).contains(&POWER), "TC_B_14_CS");
    // TC_B_17_CS
    let state = report(&mut bench, &[], &[STATE]).unwrap();
    assert_eq!(names(&state), [STATE], "TC_B_17_CS");
    assert!(state[0].read_only && state[0].attribute == Attribute::Actual, "TC_B_17_CS");
    let of = state[0].characteristics.as_ref().unwrap();
    assert!(of.as_str().contains(r#""dataType":"OptionList""#), "TC_B_17_CS");
    assert!(of.as_str().contains("Available,Occupied,Reserved,Unavailable,Faulted"), "TC_B_17_CS");
    // TC_B_18_CS
    assert_eq!(names(&report(&mut bench, &["Available"], &[STATE]).unwrap()), [STATE], "TC_B_18_CS");
    assert_eq!(report(&mut bench, &["Problem"], &[STATE]), Err(refused("EmptyResultSet")), "TC_B_18_CS");
    // TC_B_54_CS: all instances; TC_B_55_CS: the one; TC_B_56_CS: all EVSEs
    let items = |instance: &str| format!("DeviceDataCtrlr.ItemsPerMessage[{instance}]");
    let all = report(&mut bench, &[], &["DeviceDataCtrlr.ItemsPerMessage"]).unwrap();
    assert_eq!(names(&all), ["GetReport", "GetVariables", "SetVariables"].map(items), "TC_B_54_CS");
    let single = report(&mut bench, &[], &[&items("GetReport")]).unwrap();
    assert_eq!(names(&single), [items("GetReport")], "TC_B_55_CS");
    let states = report(&mut bench, &[], &["EVSE.AvailabilityState"]).unwrap();
    assert_eq!(names(&states), [STATE, "2/EVSE.AvailabilityState"], "TC_B_56_CS");
    // and a component without a variable means all of it
    let whole = report(&mut bench, &[], &["1/Connector"]).unwrap();
    assert!(whole.len() > 2 && whole.iter().all(|row| row.variable.starts_with("1.1/Connector.")));
}

/// What the standard wants of every station and of the blocks that this one has (part 2, referenced components).
const NEEDED: [&str; 62] = [
    "OCPPCommCtrlr.MessageTimeout[Default]",
    "OCPPCommCtrlr.FileTransferProtocols",
    "OCPPCommCtrlr.NetworkConfigurationPriority",
    "OCPPCommCtrlr.NetworkProfileConnectionAttempts",
    "OCPPCommCtrlr.OfflineThreshold",
    "OCPPCommCtrlr.MessageAttempts[TransactionEvent]",
    "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]",
    "OCPPCommCtrlr.UnlockOnEVSideDisconnect",
    "OCPPCommCtrlr.ResetRetries",
    "DeviceDataCtrlr.ItemsPerMessage[GetReport]",
    "DeviceDataCtrlr.ItemsPerMessage[GetVariables]",
    "DeviceDataCtrlr.ItemsPerMessage[SetVariables]",
    "DeviceDataCtrlr.BytesPerMessage[GetReport]",
    "DeviceDataCtrlr.BytesPerMessage[GetVariables]",
    "DeviceDataCtrlr.BytesPerMessage[SetVariables]",
    "ClockCtrlr.DateTime",
    "ClockCtrlr.TimeSource",
    "SecurityCtrlr.OrganizationName",
    "SecurityCtrlr.CertificateEntries",
    "SecurityCtrlr.SecurityProfile",
    "AuthCtrlr.AuthorizeRemoteStart",
    "AuthCtrlr.LocalAuthorizeOffline",
    "AuthCtrlr.LocalPreAuthorize",
    "TxCtrlr.EVConnectionTimeOut",
    "TxCtrlr.StopTxOnEVSideDisconnect",
    "TxCtrlr.TxStartPoint",
    "TxCtrlr.TxStopPoint",
    "TxCtrlr.StopTxOnInvalidId",
    "SampledDataCtrlr.TxEndedMeasurands",
    "SampledDataCtrlr.TxEndedInterval",
    "SampledDataCtrlr.TxStartedMeasurands",
    "SampledDataCtrlr.TxUpdatedMeasurands",
    "SampledDataCtrlr.TxUpdatedInterval",
    "AlignedDataCtrlr.Measurands",
    "AlignedDataCtrlr.Interval",
    "AlignedDataCtrlr.TxEndedMeasurands",
    "AlignedDataCtrlr.TxEndedInterval",
    "LocalAuthListCtrlr.ItemsPerMessage",
    "LocalAuthListCtrlr.Storage",
    "SmartChargingCtrlr.ProfileStackLevel",
    "SmartChargingCtrlr.RateUnit",
    "SmartChargingCtrlr.PeriodsPerSchedule",
    "SmartChargingCtrlr.Entries[ChargingProfiles]",
    "SmartChargingCtrlr.LimitChangeSignificance",
    "TariffCostCtrlr.TariffFallbackMessage",
    "TariffCostCtrlr.TotalCostFallbackMessage",
    "TariffCostCtrlr.Currency",
    "MonitoringCtrlr.ItemsPerMessage[SetVariableMonitoring]",
    "MonitoringCtrlr.BytesPerMessage[SetVariableMonitoring]",
    "DisplayMessageCtrlr.DisplayMessages",
    "DisplayMessageCtrlr.SupportedFormats",
    "DisplayMessageCtrlr.SupportedPriorities",
    "ChargingStation.Available",
    "ChargingStation.AvailabilityState",
    "1/EVSE.Available",
    "1/EVSE.AvailabilityState",
    "1/EVSE.Power",
    "1/EVSE.SupplyPhases",
    "1.1/Connector.Available",
    "1.1/Connector.ConnectorType",
    "1.1/Connector.SupplyPhases",
    "LocalAuthListCtrlr.Entries",
];

#[test]
fn everything_that_a_station_has_to_have_is_reported_as_the_case_asks() {
    // proves: B05.FR.09, B07.FR.08
    // TC_B_53_CS
    let mut bench = Bench::ready(Version::V201);
    let all = rows(&mut bench, ModelOrder::Base { request: 3, kind: ReportKind::Full }).unwrap();
    let found = names(&all);
    let missing: Vec<_> = NEEDED.into_iter().filter(|name| !found.contains(name)).collect();
    assert!(missing.is_empty(), "TC_B_53_CS: {missing:?}");
    for row in &all {
        let of = row.characteristics.as_ref().unwrap().as_str();
        let listed =
            ["OptionList", "SequenceList", "MemberList"].iter().any(|kind| of.contains(&format!("\"{kind}\"")));
        assert!(!listed || of.contains("\"valuesList\":\""), "TC_B_53_CS: {}", row.variable);
        assert!(!row.write_only || row.value.is_none(), "TC_B_53_CS: {}", row.variable);
        if let Some((_, rest)) = of.split_once("\"valuesList\":\"").filter(|_| listed) {
            let allowed: Vec<&str> = rest.split('"').next().unwrap().split(',').collect();
            let value = row.value.as_deref().unwrap_or_default();
            let fits = value.is_empty() || value.split(',').all(|one| allowed.contains(&one));
            assert!(fits, "TC_B_53_CS: {} is {value}", row.variable);
        }
    }
    // what is reported can be read by its name, and what is only to be read is not written
    let keys = found.into_iter().map(Box::from).collect();
    let StationAnswer::Settings { unknown, .. } = bench.order(ToStation::ReadSettings { keys }) else { panic!() };
    assert!(unknown.is_empty(), "{unknown:?}");
    // TC_B_39_CS
    assert_eq!(write(&mut bench, &[("OCPPCommCtrlr.MessageTimeout[Default]", "9")]), [Written::Rejected], "TC_B_39_CS");
}

/// The events of what is watched: why, and whether it is over.
fn events(bench: &mut Bench) -> Vec<(String, bool)> {
    let told = bench.operator.heard.drain(..).filter_map(|said| match said {
        FromStation::Model(ModelNews::Events { events, .. }) => Some(events),
        _ => None,
    });
    told.flatten().map(|event| (event.trigger.to_string(), event.cleared)).collect()
}

/// The numbers of the monitors that are there.
fn watched(bench: &mut Bench) -> Vec<i32> {
    bench.operator.heard.clear();
    let order =
        ModelOrder::Monitors { request: 4, variables: Vec::new(), criteria: vec!["ThresholdMonitoring".into()] };
    bench.order(ToStation::Model(order));
    let told = bench.operator.heard.drain(..).filter_map(|said| match said {
        FromStation::Model(ModelNews::Monitors { monitors, .. }) => Some(monitors),
        _ => None,
    });
    told.flatten().filter_map(|monitor| monitor.id).collect()
}

#[test]
fn monitors_are_replaced_refused_and_kept_as_the_cases_ask() {
    use MonitorKind::{Delta, LowerThreshold, UpperThreshold};
    // proves: N04.FR.14, N04.FR.16, N07.FR.11, N07.FR.12, N07.FR.13
    let mut bench = Bench::ready(Version::V201);
    let words = |bench: &mut Bench, wish| watch(bench, wish).into_iter().map(|(_, word)| word).collect::<Vec<_>>();
    // TC_N_12_CS
    assert_eq!(words(&mut bench, vec![monitor(None, STATE, Delta, -1)]), ["Rejected"], "TC_N_12_CS");
    // TC_N_43_CS: the one between them is out of range
    let three = vec![
        monitor(None, POWER, UpperThreshold, 7_000),
        monitor(None, POWER, Delta, -1),
        monitor(None, POWER, LowerThreshold, -7),
    ];
    assert_eq!(words(&mut bench, three), ["Accepted", "Rejected", "Accepted"], "TC_N_43_CS");
    // TC_N_39_CS: a number that is known, of another variable
    let other = monitor(Some(1), "ChargingStation.Power", UpperThreshold, 7_000);
    assert_eq!(words(&mut bench, vec![other]), ["Rejected"], "TC_N_39_CS");
    assert_eq!(watched(&mut bench), [1, 2], "TC_N_39_CS");
    // TC_N_53_CS
    bench.order(ToStation::Reset(ResetKind::Soft));
    restart(&mut bench);
    assert_eq!(watched(&mut bench), [1, 2], "TC_N_53_CS");
    let over = |word: &str, cleared| vec![(word.to_owned(), cleared)];
    // TC_N_51_CS: a threshold is moved away from under what has passed it
    let mut bench = Bench::ready(Version::V201);
    watch(&mut bench, vec![monitor(None, POWER, UpperThreshold, 7_000)]);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    assert_eq!(events(&mut bench), over("Alerting", false), "TC_N_51_CS");
    assert_eq!(words(&mut bench, vec![monitor(Some(1), POWER, UpperThreshold, 20_000)]), ["Accepted"], "TC_N_51_CS");
    assert_eq!(events(&mut bench), over("Alerting", true), "TC_N_51_CS");
    // TC_N_52_CS: a monitor that is cleared says nothing any more
    watch(&mut bench, vec![monitor(Some(1), POWER, UpperThreshold, 5_000)]);
    assert_eq!(events(&mut bench), over("Alerting", false), "TC_N_52_CS");
    assert!(matches!(bench.order(ToStation::Model(ModelOrder::Unwatch(vec![1]))), StationAnswer::Items(_)));
    assert!(watched(&mut bench).is_empty(), "TC_N_52_CS");
    bench.hand(one(), Deed::Unplug).unwrap();
    assert_eq!(events(&mut bench), [], "TC_N_52_CS");
}

fn message(id: i32) -> DisplayMessage {
    let (priority, format, text) = ("NormalCycle".into(), "UTF8".into(), "Moin".into());
    DisplayMessage {
        id,
        priority,
        state: None,
        from: None,
        until: None,
        key: None,
        format,
        language: None,
        text,
        more: None,
    }
}

fn show(bench: &mut Bench, of: DisplayMessage) {
    let order = DisplayOrder::Set(Box::new(of));
    assert_eq!(bench.order(ToStation::Display(order)), StationAnswer::Accepted);
}

/// What the station reports of these messages.
fn kept(bench: &mut Bench, ids: &[i32], state: Option<&str>) -> Result<Vec<DisplayMessage>, StationAnswer> {
    bench.operator.heard.clear();
    let order = DisplayOrder::Read { request: 4, ids: ids.to_vec(), priority: None, state: state.map(Into::into) };
    let answer = bench.order(ToStation::Display(order));
    let told = bench.operator.heard.drain(..).filter_map(|said| match said {
        FromStation::Display(DisplayNews { messages, .. }) => Some(messages),
        _ => None,
    });
    let told = told.flatten().collect();
    if answer == StationAnswer::Accepted { Ok(told) } else { Err(answer) }
}

fn soon() -> Option<Timestamp> {
    Some(START.plus(Duration::from_secs(60)))
}

#[test]
fn messages_have_their_time_and_their_state_as_the_cases_ask() {
    // proves: O01.FR.06, O01.FR.10, O02.FR.06, O02.FR.07, O04.FR.02, O04.FR.07
    // TC_O_33_CS: there is none
    let mut bench = Bench::ready(Version::V201);
    assert_eq!(kept(&mut bench, &[7], None), Err(refused("Unknown")), "TC_O_33_CS");
    // TC_O_13_CS: not before its time
    show(&mut bench, DisplayMessage { from: soon(), ..message(7) });
    assert_eq!(kept(&mut bench, &[7], None).unwrap()[0].from, soon(), "TC_O_13_CS");
    bench.pass(59);
    assert!(bench.bay(one()).messages.is_empty(), "TC_O_13_CS");
    bench.pass(1);
    assert_eq!(bench.bay(one()).messages, [7], "TC_O_13_CS");
    // TC_O_20_CS
    bench.order(ToStation::Reset(ResetKind::Soft));
    restart(&mut bench);
    assert_eq!(kept(&mut bench, &[7], None), Ok(vec![DisplayMessage { from: soon(), ..message(7) }]), "TC_O_20_CS");
    // TC_O_34_CS: there is one, of another state
    let mut bench = Bench::ready(Version::V201);
    show(&mut bench, DisplayMessage { state: Some("Charging".into()), ..message(7) });
    assert_eq!(kept(&mut bench, &[7], Some("Faulted")), Err(refused("Unknown")), "TC_O_34_CS");
    // TC_O_27_CS: of a transaction, and not before its time
    let mut bench = charging();
    let key = Some(key_of(&bench));
    show(&mut bench, DisplayMessage { key: key.clone(), from: soon(), ..message(7) });
    assert!(bench.bay(one()).messages.is_empty(), "TC_O_27_CS");
    bench.pass(60);
    assert_eq!((bench.bay(one()).messages, bench.bay(two()).messages), (vec![7], vec![]), "TC_O_27_CS");
    bench.hand(one(), Deed::Unplug).unwrap();
    assert_eq!(kept(&mut bench, &[7], None), Err(refused("Unknown")), "TC_O_27_CS");
    // TC_O_28_CS: and not after it
    let mut bench = charging();
    let key = Some(key_of(&bench));
    show(&mut bench, DisplayMessage { key, until: soon(), ..message(7) });
    assert_eq!(bench.bay(one()).messages, [7], "TC_O_28_CS");
    bench.pass(60);
    assert!(bench.bay(one()).messages.is_empty(), "TC_O_28_CS");
    assert_eq!(kept(&mut bench, &[7], None), Err(refused("Unknown")), "TC_O_28_CS");
}

#[test]
fn messages_are_shown_in_their_state_as_the_cases_ask() {
    for (case, state, idle, busy, off) in [
        ("TC_O_36_CS", "Charging", false, true, false),
        ("TC_O_37_CS", "Idle", true, false, false),
        ("TC_O_38_CS", "Unavailable", false, false, true),
    ] {
        let mut bench = Bench::ready(Version::V201);
        show(&mut bench, DisplayMessage { state: Some(state.into()), ..message(7) });
        let is_shown = |bench: &Bench| bench.bay(one()).messages == [7];
        assert_eq!(is_shown(&bench), idle, "{case}: before");
        bench.hand(one(), Deed::Plug(car())).unwrap();
        bench.hand(one(), Deed::Tap(card("A"))).unwrap();
        assert_eq!(is_shown(&bench), busy, "{case}: while somebody charges");
        bench.hand(one(), Deed::Unplug).unwrap();
        assert_eq!(is_shown(&bench), idle, "{case}: afterwards");
        for (operative, shown) in [(false, off), (true, idle)] {
            bench.order(ToStation::Availability { evse: None, connector: None, operative });
            assert_eq!(is_shown(&bench), shown, "{case}: {operative}");
        }
        let told = kept(&mut bench, &[7], None).unwrap();
        assert_eq!(told[0].state.as_deref(), Some(state), "{case}");
    }
}

/// The composite schedule of EVSE 1: when each limit begins, and how much it is.
fn composite(bench: &mut Bench, secs: u64) -> Vec<(i32, i64)> {
    let lasts = Duration::from_secs(secs);
    let order = ChargingOrder::Composite { evse: Some(one()), lasts, unit: Some(RateUnit::Amperes) };
    let StationAnswer::Composite(told) = bench.order(ToStation::Charging(order)) else { panic!() };
    assert_eq!((told.evse, told.unit, told.lasts), (Some(one()), RateUnit::Amperes, lasts));
    let amperes = |limit: Option<Decimal>| i64::try_from(limit.unwrap().round_dp(0)).unwrap();
    told.periods.iter().map(|period| (i32::try_from(period.start).unwrap(), amperes(period.limit))).collect()
}

#[test]
fn limits_begin_and_end_by_the_clock_as_the_cases_ask() {
    use ProfileKind::{Absolute, Relative};
    use ProfilePurpose::{StationMax, Tx, TxDefault};
    // proves: K01.FR.32, K01.FR.36, K01.FR.37, K08.FR.02, K08.FR.04, K10.FR.07
    let after = |secs| Some(START.plus(Duration::from_secs(secs)));
    // what EVSE 1 has without limits: 11 kW on three phases
    const OWN: i64 = 16;
    // TC_K_21_CS
    let mut bench = charging();
    let mut later = profile(1, TxDefault, Relative, 6);
    later.valid_from = after(300);
    assert_eq!(set(&mut bench, Some(one()), later), StationAnswer::Accepted, "TC_K_21_CS");
    assert_eq!(composite(&mut bench, 400), [(0, OWN), (300, 6)], "TC_K_21_CS");
    // TC_K_22_CS
    let mut bench = charging();
    let mut sooner = profile(1, TxDefault, Absolute, 6);
    sooner.valid_until = after(300);
    assert_eq!(set(&mut bench, None, sooner), StationAnswer::Accepted, "TC_K_22_CS");
    assert_eq!(composite(&mut bench, 400), [(0, 6), (300, OWN)], "TC_K_22_CS");
    // TC_K_28_CS: it holds for what runs already; TC_K_09_CS: and does so no more when it is cleared
    let mut bench = charging();
    assert_eq!(set(&mut bench, Some(one()), profile(1, TxDefault, Absolute, 6)), StationAnswer::Accepted, "TC_K_28_CS");
    assert_eq!(composite(&mut bench, 300), [(0, 6)], "TC_K_28_CS");
    assert_eq!(bench.bay(one()).power.watts(), 4_140, "TC_K_28_CS");
    let which = ProfileFilter { purpose: Some(TxDefault), ..ProfileFilter::default() };
    let cleared = bench.order(ToStation::Charging(ChargingOrder::Clear(which)));
    assert_eq!(cleared, StationAnswer::Accepted, "TC_K_09_CS");
    assert_eq!(composite(&mut bench, 300), [(0, OWN)], "TC_K_09_CS");
    assert_eq!(bench.bay(one()).power.watts(), 11_000, "TC_K_09_CS");
    // TC_K_41_CS: the least of all purposes, where the transaction's own goes before the default
    let mut bench = charging();
    let key = Some(key_of(&bench));
    let steps = |id, purpose, key, lasts, steps: &[(u32, i64)]| {
        let mut of = profile(id, purpose, Absolute, 0);
        of.key = key;
        let period = of.schedules[0].periods[0].clone();
        of.schedules[0].lasts = Some(Duration::from_secs(lasts));
        of.schedules[0].periods = steps
            .iter()
            .map(|(start, limit)| charge::talk::line::charging::Period {
                start: *start,
                limit: Some(Decimal::from(*limit)),
                ..period.clone()
            })
            .collect();
        of
    };
    let most = steps(1, StationMax, None, 86_400, &[(0, 10)]);
    let default = steps(2, TxDefault, None, 300, &[(0, 6), (60, 10), (120, 8), (180, 15), (260, 8)]);
    let own = steps(3, Tx, key, 260, &[(0, 8), (50, 11), (140, 16), (200, 6), (240, 12)]);
    for (evse, of) in [(None, most), (Some(one()), default), (Some(one()), own)] {
        assert_eq!(set(&mut bench, evse, of), StationAnswer::Accepted, "TC_K_41_CS");
    }
    let told = composite(&mut bench, 400);
    assert_eq!(told, [(0, 8), (50, 10), (200, 6), (240, 10), (260, 8), (300, 10)], "TC_K_41_CS");
}
