//! Orders beyond charging itself, each through the whole station.

use charge::id::TransactionKey;
use charge::talk::line::certificate::{CertificateNews, CertificateOrder, CertificateUse, StationKey};
use charge::talk::line::charging::{
    ChargingNews, ChargingOrder, Period, Profile, ProfileFilter, ProfileKind, ProfilePurpose, RateUnit, Schedule,
};
use charge::talk::line::display::{Customer, CustomerOrder, TariffOrder};
use charge::talk::line::grid::SwapOrder;
use charge::talk::line::model::{ModelNews, ModelOrder, Monitor, MonitorKind, Network, ReportKind};
use charge::talk::line::payment::{Vendor, VendorAnswer};
use charge::talk::line::reservation::{ListEntry, ListOrder, ReservationEnd, ReservationOrder};
use charge::talk::line::upkeep::{FirmwareSignature, LogKind, Retries, UpkeepOrder};
use charge::talk::line::{BayState, ResetKind, Trigger, Written};
use charge::token::{Allowed, Verdict};
use charge::{Decimal, Purpose};

use super::*;
use crate::bench::{alias, car, card, one, two};

fn limit(purpose: ProfilePurpose, kind: ProfileKind, unit: RateUnit, limits: &[(u32, i64)]) -> Box<Profile> {
    let period =
        |(start, limit): &(u32, i64)| Period { start: *start, limit: Some(Decimal::from(*limit)), ..Period::default() };
    Box::new(Profile {
        id: 7,
        stack_level: 1,
        purpose,
        kind,
        valid_from: None,
        valid_until: None,
        key: None,
        schedules: vec![Schedule {
            id: 1,
            start: (kind == ProfileKind::Absolute).then_some(START),
            lasts: None,
            unit,
            min_rate: None,
            periods: limits.iter().map(period).collect(),
            more: None,
        }],
        more: None,
    })
}

fn charging(version: Version) -> Bench {
    let mut bench = Bench::ready(version);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench
}

fn progress(bench: &Bench) -> Vec<String> {
    let said = bench.operator.heard.iter().filter_map(|said| match said {
        FromStation::Progress(progress) => Some(progress.status.to_string()),
        _ => None,
    });
    said.collect()
}

#[test]
fn the_meter_follows_the_profile_and_says_the_composite() {
    let mut bench = charging(Version::V16);
    let watts = |bench: &Bench| bench.bay(one()).power.watts();
    assert_eq!(watts(&bench), 11_000);
    let profile =
        limit(ProfilePurpose::TxDefault, ProfileKind::Absolute, RateUnit::Amperes, &[(0, 10), (60, 5), (120, 8)]);
    assert_eq!(
        bench.order(ToStation::Charging(ChargingOrder::Set { evse: Some(one()), profile })),
        StationAnswer::Accepted
    );
    assert_eq!(watts(&bench), 6_900, "10 A on three phases");
    bench.pass(60);
    assert_eq!(bench.bay(one()).phase, Phase::SuspendedByStation, "less than 6 A is a pause");
    bench.pass(60);
    assert_eq!((watts(&bench), bench.bay(one()).phase), (5_520, Phase::Charging));
    let ask =
        ChargingOrder::Composite { evse: Some(one()), lasts: Duration::from_secs(300), unit: Some(RateUnit::Amperes) };
    let StationAnswer::Composite(composite) = bench.order(ToStation::Charging(ask)) else { panic!() };
    assert_eq!(composite.periods.iter().map(|p| (p.start, p.limit)).collect::<Vec<_>>(), [(0, Some(Decimal::from(8)))]);
    let clear =
        || ToStation::Charging(ChargingOrder::Clear(ProfileFilter { ids: vec![7], ..ProfileFilter::default() }));
    assert_eq!(bench.order(clear()), StationAnswer::Accepted);
    assert_eq!((watts(&bench), bench.order(clear())), (11_000, refused("Unknown")));
}

#[test]
fn the_stations_limit_is_shared_and_a_start_brings_its_own() {
    let mut bench = charging(Version::V201);
    let profile = limit(ProfilePurpose::StationMax, ProfileKind::Absolute, RateUnit::Watts, &[(0, 10_000)]);
    bench.order(ToStation::Charging(ChargingOrder::Set { evse: None, profile }));
    assert_eq!(bench.bay(one()).power.watts(), 10_000);
    let own = limit(ProfilePurpose::Tx, ProfileKind::Relative, RateUnit::Watts, &[(0, 4_000), (30, 4_500)]);
    let profile = Some(Box::new(Profile { id: 8, ..*own }));
    bench.hand(two(), Deed::Plug(crate::bench::dc_car())).unwrap();
    let start = ToStation::Start { evse: Some(two()), token: alias("X"), remote_id: 1, profile };
    assert_eq!(bench.order(start), StationAnswer::Accepted);
    assert_eq!((bench.bay(one()).power.watts(), bench.bay(two()).power.watts()), (5_000, 4_000));
    bench.pass(30);
    assert_eq!(bench.bay(two()).power.watts(), 4_500);
    let read = ChargingOrder::Read { request: 3, which: ProfileFilter::default() };
    assert_eq!(bench.order(ToStation::Charging(read)), StationAnswer::Accepted);
    let told = bench.operator.heard.iter().filter_map(|said| match said {
        FromStation::Charging(ChargingNews::Profiles { part, evse, .. }) => Some((part.seq, part.more, *evse)),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [(0, true, None), (1, false, Some(two()))]);
    bench.hand(two(), Deed::Unplug).unwrap();
    assert_eq!(bench.bay(one()).power.watts(), 10_000, "alone again");
    let read = ChargingOrder::Read {
        request: 4,
        which: ProfileFilter { evse: Some(Some(two())), ..ProfileFilter::default() },
    };
    assert_eq!(bench.order(ToStation::Charging(read)), refused("NoProfiles"), "its transaction is over");
}

#[test]
fn a_reserved_evse_is_for_one_and_not_for_ever() {
    // proves: H01.FR.11, H01.FR.15, H02.FR.01, H02.FR.02, H03.FR.01, H04.FR.01, H04.FR.03
    let reserve = |id, evse, until: u64| {
        let until = START.plus(Duration::from_secs(until));
        ToStation::Reservation(ReservationOrder::Reserve {
            id,
            evse,
            token: alias("MINE"),
            group: None,
            until,
            connector: None,
        })
    };
    let mut bench = Bench::ready(Version::V201);
    assert_eq!(bench.order(reserve(5, Some(one()), 600)), StationAnswer::Accepted);
    assert_eq!(bench.operator.states(one()), [BayState::Reserved]);
    assert_eq!(bench.order(reserve(6, Some(one()), 600)), refused("Occupied"));
    assert_eq!(bench.order(reserve(6, EvseNo::new(9), 600)), refused("Rejected"));
    bench.hand(two(), Deed::Break("GroundFailure".into())).unwrap();
    assert_eq!(bench.order(reserve(6, Some(two()), 600)), refused("Faulted"));
    bench.hand(two(), Deed::Repair).unwrap();
    assert_eq!(bench.hand(one(), Deed::Tap(card("OTHER"))), Err(CannotDo::Reserved));
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("mine"))).unwrap();
    assert_eq!(bench.operator.transactions()[0].reservation, Some(5));
    assert_eq!(bench.order(reserve(8, Some(two()), 60)), StationAnswer::Accepted);
    bench.operator.heard.clear();
    bench.pass(60);
    assert!(bench.operator.heard.contains(&FromStation::Reservation { id: 8, end: ReservationEnd::Expired }));
    assert_eq!(bench.operator.states(two()).last(), Some(&BayState::Available));
    assert_eq!(bench.order(reserve(9, Some(two()), 600)), StationAnswer::Accepted);
    let cancel = || ToStation::Reservation(ReservationOrder::Cancel { id: 9 });
    assert_eq!([bench.order(cancel()), bench.order(cancel())], [StationAnswer::Accepted, refused("Rejected")]);
}

#[test]
fn the_local_list_decides_before_the_line_and_without_it() {
    // proves: C13.FR.03, C13.FR.04, C14.FR.01
    let entry =
        |uid, allowed| ListEntry { token: card(uid), group: None, until: None, verdict: Some(Verdict::bare(allowed)) };
    let entries = vec![entry("GOOD", Allowed::Yes), entry("BAD", Allowed::Blocked)];
    let mut bench = Bench::ready(Version::V16);
    let write =
        |key: &str, value: &str| ToStation::WriteSettings { values: vec![(key.into(), Secret::new(value.into()))] };
    assert_eq!(
        bench.order(ToStation::List(ListOrder::Send { version: 3, full: true, entries })),
        StationAnswer::Accepted
    );
    assert_eq!(bench.order(ToStation::List(ListOrder::Version)), StationAnswer::Number(3));
    bench.order(write("LocalPreAuthorize", "true"));
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.operator.heard.clear();
    bench.hand(one(), Deed::Tap(card("good"))).unwrap();
    assert!(!bench.operator.words().contains(&"tap".to_owned()), "nobody was asked");
    bench.hand(one(), Deed::Unplug).unwrap();
    bench.order(write("AllowOfflineTxForUnknownId", "true"));
    bench.cut();
    for (uid, phase) in [("BAD", Phase::Plugged), ("NOBODY", Phase::Charging)] {
        bench.hand(one(), Deed::Plug(car())).unwrap();
        bench.hand(one(), Deed::Tap(card(uid))).unwrap();
        assert_eq!(bench.bay(one()).phase, phase, "{uid}");
        bench.hand(one(), Deed::Unplug).unwrap();
    }
    bench.order(write("LocalAuthListEnabled", "false"));
    assert_eq!(bench.order(ToStation::List(ListOrder::Version)), StationAnswer::Number(-1));
}

#[test]
fn a_firmware_update_is_told_step_by_step_and_ends_with_a_restart() {
    // proves: L01.FR.01, L01.FR.02, L01.FR.22, L01.FR.24
    let order = |signed| {
        ToStation::Upkeep(UpkeepOrder::Firmware {
            request: 4,
            from: Secret::new("https://files.example/fw".into()),
            retrieve_at: START,
            install_at: None,
            signed,
            retries: Retries::default(),
        })
    };
    let mut bench = Bench::ready(Version::V201);
    let nonsense = FirmwareSignature { certificate: "adsad".into(), signature: "c2ln".into() };
    assert_eq!(bench.order(order(Some(nonsense))), refused("InvalidCertificate"));
    assert!(bench.operator.words().contains(&"InvalidFirmwareSigningCertificate".to_owned()));
    assert_eq!(bench.order(order(None)), StationAnswer::Accepted);
    assert_eq!(bench.order(order(None)), refused("AcceptedCanceled"));
    let (first, second) = (bench.fetches.remove(0), bench.fetches.remove(0));
    for number in [first.number, second.number] {
        bench.station.fetched(bench.now, number, Some(b"version: 9.9\n"), &mut bench.out);
        bench.talk();
    }
    bench.pass(20);
    let told = ["Downloading", "Downloading", "Downloaded", "Installing", "InstallRebooting"];
    assert_eq!((progress(&bench), bench.reboots), (told.map(str::to_owned).to_vec(), 1), "the first one was replaced");
    bench.operator.heard.clear();
    bench.station.power_on(bench.now, Memory::default(), BootReason::RemoteReset, &mut bench.out);
    bench.connect(Version::V201);
    let FromStation::Boot(boot) = &bench.operator.heard[0] else { panic!() };
    assert_eq!((boot.reason.as_deref(), boot.firmware.as_deref()), (Some("FirmwareUpdate"), Some("9.9")));
    assert_eq!(progress(&bench), ["Installed"]);
}

#[test]
fn a_log_is_handed_to_the_door_and_tried_again() {
    // proves: N01.FR.08, N01.FR.09
    let mut bench = Bench::ready(Version::V16);
    let retries = Retries { times: Some(1), pause: Some(Duration::from_secs(10)) };
    let to = Secret::new("https://files.example/in".into());
    let kind = LogKind::Diagnostics;
    let order = UpkeepOrder::FetchLog { request: 2, kind, to, from: None, until: None, retries, legacy: true };
    let StationAnswer::File(Some(name)) = bench.order(ToStation::Upkeep(order)) else { panic!() };
    bench.pass(1);
    let upload = bench.uploads.remove(0);
    assert_eq!((&*upload.name, upload.text.contains("line up, OCPP 1.6")), (&*name, true));
    bench.station.uploaded(bench.now, upload.number, false, &mut bench.out);
    bench.pass(10);
    let again = bench.uploads.remove(0);
    bench.station.uploaded(bench.now, again.number, true, &mut bench.out);
    bench.talk();
    assert_eq!(progress(&bench), ["Uploading", "Uploading", "Uploaded"]);
}

#[test]
fn certificates_are_asked_for_refused_and_listed() {
    // proves: A02.FR.03, A02.FR.07, M03.FR.02
    let mut bench = Bench::ready(Version::V21);
    let sign = ToStation::Trigger { what: Trigger::Sign(StationKey::Line), evse: None };
    assert_eq!(bench.order(sign), StationAnswer::Accepted);
    let asked = bench.operator.heard.iter().any(|said| {
        matches!(said, FromStation::Certificate(CertificateNews::Sign { csr, .. }) if csr.contains("CERTIFICATE REQUEST"))
    });
    assert!(asked);
    let signed = CertificateOrder::Signed { key: StationKey::Line, chain: "adsad".into(), request: None };
    assert_eq!(bench.order(ToStation::Certificate(signed)), refused("Rejected"));
    assert_eq!(bench.identities, 0);
    let list = CertificateOrder::List(vec![CertificateUse::V2gRoot]);
    assert_eq!(bench.order(ToStation::Certificate(list)), refused("NotFound"));
}

#[test]
fn the_device_model_is_reported_and_watched() {
    // proves: B07.FR.07, B07.FR.09, B08.FR.05, B08.FR.12, B08.FR.15, N04.FR.01, N04.FR.02, N04.FR.03, N04.FR.04, N04.FR.08, E14.FR.01, E14.FR.02,
    // E14.FR.03, E14.FR.04, E14.FR.05, E14.FR.06, E14.FR.07, E14.FR.08
    let mut bench = Bench::ready(Version::V201);
    let rows = |bench: &Bench| {
        let rows = bench.operator.heard.iter().filter_map(|said| match said {
            FromStation::Model(ModelNews::Report { rows, .. }) => Some(rows.clone()),
            _ => None,
        });
        rows.flatten().collect::<Vec<_>>()
    };
    bench.order(ToStation::Model(ModelOrder::Base { request: 1, kind: ReportKind::Summary }));
    assert!(
        rows(&bench).iter().all(|row| row.variable.ends_with("AvailabilityState") || row.variable.ends_with("Problem"))
    );
    bench.operator.heard.clear();
    bench.order(ToStation::Model(ModelOrder::Base { request: 2, kind: ReportKind::Configuration }));
    assert!(rows(&bench).len() > 15 && rows(&bench).iter().all(|row| !row.read_only && row.characteristics.is_some()));
    bench.operator.heard.clear();
    let report =
        ModelOrder::Report { request: 3, variables: vec!["1/EVSE".into()], criteria: vec!["Available".into()] };
    assert_eq!(bench.order(ToStation::Model(report)), StationAnswer::Accepted);
    assert_eq!(rows(&bench).len(), 4);
    let nothing = ModelOrder::Report { request: 4, variables: vec!["Nonsense".into()], criteria: Vec::new() };
    assert_eq!(bench.order(ToStation::Model(nothing)), refused("EmptyResultSet"));
    let watch = |variable: &str| Monitor {
        id: None,
        variable: variable.into(),
        kind: MonitorKind::UpperThreshold,
        value: Decimal::from(7_000),
        severity: 5,
        in_transaction: false,
        stream: None,
    };
    let order = ModelOrder::Watch(vec![watch("1/EVSE.Power"), watch("1/EVSE.Colour"), watch("Toaster.Heat")]);
    let StationAnswer::Monitors(set) = bench.order(ToStation::Model(order)) else { panic!() };
    assert_eq!(
        set.iter().map(|set| &*set.word).collect::<Vec<_>>(),
        ["Accepted", "UnknownVariable", "UnknownComponent"]
    );
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.hand(one(), Deed::Unplug).unwrap();
    let events = bench.operator.heard.iter().filter_map(|said| match said {
        FromStation::Model(ModelNews::Events { events, .. }) => Some(events[0].cleared),
        _ => None,
    });
    assert_eq!(events.collect::<Vec<_>>(), [false, true]);
    let status = |key| ToStation::Model(ModelOrder::TransactionStatus(key));
    assert_eq!(bench.order(status(None)), StationAnswer::Pending { ongoing: None, queued: false });
    let ended = bench.operator.transactions()[0].key.clone();
    assert_eq!(bench.order(status(ended)), StationAnswer::Pending { ongoing: Some(false), queued: false });
    let nobody = Some(TransactionKey::Text("nobody".into()));
    assert_eq!(bench.order(status(nobody)), StationAnswer::Pending { ongoing: Some(false), queued: false });
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    let key = bench.operator.transactions().last().and_then(|report| report.key.clone());
    bench.cut();
    bench.pass(60);
    assert_eq!(bench.order(status(key)), StationAnswer::Pending { ongoing: Some(true), queued: true });
    assert_eq!(bench.order(status(None)), StationAnswer::Pending { ongoing: None, queued: true });
}

#[test]
fn costs_are_shown_and_customers_are_found_and_forgotten() {
    // proves: I02.FR.02, N09.FR.06, N10.FR.03
    let mut bench = charging(Version::V21);
    let key = bench.operator.transactions()[0].key.clone().unwrap();
    bench.order(ToStation::Tariff(TariffOrder::Cost { key, total: Decimal::new(1234, 2) }));
    assert_eq!(bench.bay(one()).cost, Some(Decimal::new(1234, 2)));
    let mut ask = |clear| {
        let customer = Customer::Token(card("a"));
        bench.operator.heard.clear();
        bench.order(ToStation::Customer(CustomerOrder { request: 1, report: true, clear, customer }));
        bench.operator.heard.iter().find_map(|said| match said {
            FromStation::Customer(news) => Some(news.data.reveal(Purpose::ShowOwner).to_string()),
            _ => None,
        })
    };
    assert_eq!(ask(true).as_deref(), Some("In the authorisation cache. "));
    assert_eq!(ask(false).as_deref(), Some(""));
}

fn network(slot: i32, security_profile: u8) -> ToStation {
    let to = Network {
        url: format!("wss://{slot}.example/ocpp").into(),
        security_profile,
        more: charge::talk::line::document::Document::new("{}"),
    };
    ToStation::Model(ModelOrder::Network { slot, to })
}

#[test]
fn a_station_moves_to_another_operator_after_its_restart_and_never_back_to_less_security() {
    // proves: B09.FR.01, B10.FR.01, B10.FR.02, B10.FR.04, A05.FR.03, A05.FR.04, A05.FR.06
    let mut bench = Bench::ready(Version::V201);
    let prefer = |order: &str| ToStation::WriteSettings {
        values: vec![("OCPPCommCtrlr.NetworkConfigurationPriority".into(), Secret::new(order.into()))],
    };
    let wrote = |bench: &mut Bench, order: &str| match bench.order(prefer(order)) {
        StationAnswer::Written(rows) => rows[0].1,
        other => panic!("{other:?}"),
    };
    assert_eq!(bench.order(network(1, 2)), StationAnswer::Accepted);
    assert_eq!(bench.order(network(2, 3)), StationAnswer::Accepted);
    assert_eq!(wrote(&mut bench, "3,1"), Written::Rejected, "a slot that is not set");
    assert_eq!(wrote(&mut bench, "2,1"), Written::Rejected, "profile 3 without a certificate");
    assert_eq!(bench.order(network(3, 2)), StationAnswer::Accepted);
    assert_eq!(wrote(&mut bench, "3,1"), Written::AfterReboot);
    let slots = |bench: &Bench| bench.station.networks().into_iter().map(|(slot, _)| slot).collect::<Vec<_>>();
    assert_eq!(slots(&bench), [1], "in force after the restart");
    let kept = std::collections::BTreeMap::from([(
        "OCPPCommCtrlr.NetworkConfigurationPriority".into(),
        Secret::new("3,1".into()),
    )]);
    let memory = Memory { settings: kept, ..Memory::default() };
    bench.station.power_on(bench.now, memory, BootReason::RemoteReset, &mut bench.out);
    assert_eq!(slots(&bench), [3, 1]);
    bench.talk();
    bench.station.secured(3, &mut bench.out);
    bench.talk();
    assert!(slots(&bench).is_empty(), "both are less secure than the line that stands");
    assert_eq!(bench.order(network(1, 2)), refused("Rejected"));
}

#[test]
fn a_changed_password_is_in_the_security_log_without_itself() {
    // proves: A01.FR.01, A01.FR.11, A01.FR.12
    for (version, key) in [(Version::V16, "AuthorizationKey"), (Version::V201, "SecurityCtrlr.BasicAuthPassword")] {
        let mut bench = Bench::ready(version);
        let password = "correct horse battery";
        bench.order(ToStation::WriteSettings { values: vec![(key.into(), Secret::new(password.into()))] });
        assert_eq!(bench.passwords, 1);
        let to = Secret::new("https://files.example/in".into());
        let (kind, retries) = (LogKind::Security, Retries::default());
        let order = UpkeepOrder::FetchLog { request: 2, kind, to, from: None, until: None, retries, legacy: false };
        assert!(matches!(bench.order(ToStation::Upkeep(order)), StationAnswer::File(Some(_))));
        bench.pass(1);
        let log = bench.uploads.remove(0).text;
        assert!(log.contains("password of the line was changed") && !log.contains(password), "{log}");
    }
}

#[test]
fn a_forged_image_is_an_alarm_and_is_not_installed() {
    // proves: L01.FR.03, L01.FR.12
    let mut bench = Bench::ready(Version::V201);
    let pair = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2040, 1, 1));
    let certificate = params.self_signed(&pair).unwrap().pem().into();
    let order = ToStation::Upkeep(UpkeepOrder::Firmware {
        request: 4,
        from: Secret::new("https://files.example/fw".into()),
        retrieve_at: START,
        install_at: None,
        signed: Some(FirmwareSignature { certificate, signature: "c2ln".into() }),
        retries: Retries::default(),
    });
    assert_eq!(bench.order(order), StationAnswer::Accepted);
    bench.pass(1);
    let fetch = bench.fetches.remove(0);
    bench.station.fetched(bench.now, fetch.number, Some(b"version: 6.6.6\n"), &mut bench.out);
    bench.talk();
    bench.pass(20);
    assert_eq!(progress(&bench), ["Downloading", "Downloaded", "InvalidSignature"]);
    assert!(bench.operator.words().contains(&"InvalidFirmwareSignature".to_owned()));
    assert_eq!(bench.reboots, 0);
}

#[test]
fn what_a_station_cannot_do_it_refuses_by_the_right_word() {
    let mut bench = Bench::ready(Version::V21);
    let vendor = Vendor { vendor: "acme".into(), message: None, data: None };
    let unknown = VendorAnswer { status: "UnknownVendorId".into(), data: None };
    assert_eq!(bench.order(ToStation::Vendor(vendor)), StationAnswer::Vendor(unknown));
    assert_eq!(bench.order(ToStation::Upkeep(UpkeepOrder::Unpublish { md5: "0".into() })), refused("NoFirmware"));
    assert_eq!(bench.order(ToStation::Tariff(TariffOrder::Read { evse: None })), refused("NoTariff"));
    assert_eq!(bench.order(network(9, 2)), refused("Rejected"));
    assert_eq!(bench.order(ToStation::Swap(SwapOrder { request: 2, token: alias("S") })), StationAnswer::Accepted);
    assert_eq!(bench.operator.words(), ["swap", "swap"]);
}

#[test]
fn a_resumed_transaction_goes_on_after_the_restart() {
    let mut bench = charging(Version::V21);
    assert_eq!(bench.order(ToStation::Reset(ResetKind::Resume)), StationAnswer::Accepted);
    bench.pass(1);
    assert_eq!((bench.reboots, bench.bay(one()).phase), (1, Phase::Charging));
}

#[test]
fn a_request_that_nobody_answers_is_said_again_each_time_later() {
    // proves: A02.FR.17, A02.FR.18, A02.FR.19, A02.FR.20
    let asked = |bench: &Bench| {
        let signs = |said: &&FromStation| matches!(said, FromStation::Certificate(CertificateNews::Sign { .. }));
        bench.operator.heard.iter().filter(signs).count()
    };
    let begin = |answer| {
        let mut bench = Bench::ready(Version::V201);
        let row = |key: &str, value: &str| (key.into(), Secret::new(value.into()));
        let values =
            vec![row("SecurityCtrlr.CertSigningWaitMinimum", "60"), row("SecurityCtrlr.CertSigningRepeatTimes", "2")];
        bench.order(ToStation::WriteSettings { values });
        bench.operator.instead = vec![Some(Ok(charge::talk::line::Heard::Taken(answer))); 9];
        bench.order(ToStation::Trigger { what: Trigger::Sign(StationKey::Line), evse: None });
        bench
    };
    let mut bench = begin(true);
    let mut seen = vec![asked(&bench)];
    for wait in [59, 2, 118, 3, 3_000] {
        bench.pass(wait);
        seen.push(asked(&bench));
    }
    assert_eq!(seen, [1, 1, 2, 2, 3, 3], "after one minute, after two more, and not again");
    // heartbeats took the answers that were left
    bench.operator.instead = vec![Some(Ok(charge::talk::line::Heard::Taken(true)))];
    bench.order(ToStation::Trigger { what: Trigger::Sign(StationKey::Line), evse: None });
    bench.pass(61);
    assert_eq!(asked(&bench), 5, "asked for, it begins anew");
    let mut bench = begin(false);
    bench.pass(3_000);
    assert_eq!(asked(&bench), 1, "a refusal is an answer");
    let mut bench = begin(true);
    let signed = CertificateOrder::Signed { key: StationKey::Line, chain: "adsad".into(), request: None };
    bench.order(ToStation::Certificate(signed));
    bench.pass(3_000);
    assert_eq!(asked(&bench), 1, "so is a certificate of no worth");
}

#[test]
fn a_triggered_transaction_event_says_why_and_what_is_measured() {
    // proves: F06.FR.07
    let mut bench = charging(Version::V201);
    bench.operator.heard.clear();
    let trigger = ToStation::Trigger { what: Trigger::Transaction, evse: Some(one()) };
    assert_eq!(bench.order(trigger), StationAnswer::Accepted);
    let report = bench.operator.transactions().remove(0);
    assert_eq!(report.state, Some(BayState::Charging));
    assert!(!report.readings.is_empty());
    assert!(report.readings.iter().all(|reading| reading.context == charge::meter::Context::Trigger));
}

#[test]
fn who_was_turned_away_takes_no_orders() {
    // proves: B03.FR.08
    use charge::talk::line::{Admission, Heard};
    let rejected = Ok(Heard::Boot { admitted: Admission::Rejected, now: START, interval: Duration::from_secs(60) });
    let mut bench = Bench::dark(Version::V201);
    bench.operator.instead = vec![Some(rejected)];
    bench.connect(Version::V201);
    let read = || ToStation::ReadSettings { keys: vec!["OCPPCommCtrlr.HeartbeatInterval".into()] };
    assert_eq!(bench.order(read()), refused("SecurityError"));
    bench.pass(61);
    assert!(matches!(bench.order(read()), StationAnswer::Settings { .. }), "admitted by now");
}

#[test]
fn the_security_profile_of_1_6_rises_and_falls_back() {
    // proves: ocpp-1.6-security A05.FR.01, A05.FR.02, A05.FR.05, A05.FR.06, A05.FR.08
    let to = Network {
        url: "ws://csms.example/ocpp".into(),
        security_profile: 0,
        more: charge::talk::line::document::Document::new("{}"),
    };
    let mut bench = Bench::ready(Version::V16);
    let mut out = Vec::new();
    bench.station.secured(0, &mut out);
    assert_eq!(bench.order(ToStation::Model(ModelOrder::Network { slot: 1, to })), StationAnswer::Accepted);
    let write =
        |key: &str, value: &str| ToStation::WriteSettings { values: vec![(key.into(), Secret::new(value.into()))] };
    let written = |bench: &mut Bench, value: &str| match bench.order(write("SecurityProfile", value)) {
        StationAnswer::Written(rows) => rows[0].1,
        other => panic!("{other:?}"),
    };
    for lower in ["0", "1", "2", "9", "x"] {
        assert_eq!(written(&mut bench, lower), Written::Rejected, "{lower}");
    }
    assert_eq!(bench.redials, 0);
    bench.order(write("AuthorizationKey", "a password of the line"));
    assert_eq!(written(&mut bench, "1"), Written::Accepted);
    assert_eq!((bench.redials, bench.station.networks()[0].1.security_profile), (1, 1));
    assert!(bench.operator.words().contains(&"ReconfigurationOfSecurityParameters".to_owned()));
    bench.station.secured(0, &mut out);
    assert_eq!(bench.station.networks().len(), 1, "the former one is all there is again");
    assert_eq!(written(&mut bench, "1"), Written::Accepted);
    bench.station.secured(1, &mut out);
    assert_eq!(bench.station.networks().iter().map(|(_, to)| to.security_profile).collect::<Vec<_>>(), [1]);
    assert_eq!(written(&mut bench, "1"), Written::Rejected);
}
