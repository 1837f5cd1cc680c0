//! Cases of the official test tool for a charging station of OCPP 2.0.1 (part 6), blocks I to P, each under its id.
//!
//! The public list of the cases has ids, use cases and requirements and no texts. Where the meaning of an id is not
//! certain from these, it stands under `unproved`: what is asserted there is the standard's either way. Missing are the
//! cases of what this station does not do: ISO 15118 (K53 to K58, M24 to M29), hard-wired monitors (N21 to N23, N44).

use charge::id::TransactionKey;
use charge::talk::line::certificate::{CertificateOrder, CertificateUse, InstalledCertificate};
use charge::talk::line::charging::{
    ChargingNews, ChargingOrder, Period, Profile, ProfileFilter, ProfileKind, ProfilePurpose, RateUnit, Schedule,
};
use charge::talk::line::display::{Customer, CustomerOrder, DisplayMessage, DisplayNews, DisplayOrder, TariffOrder};
use charge::talk::line::model::{ModelNews, ModelOrder, Monitor, MonitorKind, MonitoringBase};
use charge::talk::line::payment::{Vendor, VendorAnswer};
use charge::talk::line::upkeep::{FirmwareSignature, LogKind, Retries, UpkeepOrder};
use charge::talk::line::{BayState, Trigger};
use charge::{Decimal, Purpose};
use trust::pki::Authority;

use super::*;
use crate::bench::{alias, car, card, one, two};

const YES: StationAnswer = StationAnswer::Accepted;

pub(super) fn charging() -> Bench {
    let mut bench = Bench::ready(Version::V201);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench
}

pub(super) fn key_of(bench: &Bench) -> TransactionKey {
    bench.operator.transactions().last().and_then(|report| report.key.clone()).unwrap()
}

#[test]
fn a_cost_is_shown_while_it_runs() {
    // TC_I_07_CS
    let mut bench = charging();
    let cost = TariffOrder::Cost { key: key_of(&bench), total: Decimal::new(345, 2) };
    assert_eq!(bench.order(ToStation::Tariff(cost)), YES);
    assert_eq!(bench.bay(one()).cost, Some(Decimal::new(345, 2)));
}

pub(super) fn profile(id: i32, purpose: ProfilePurpose, kind: ProfileKind, amperes: i64) -> Profile {
    let period = Period { start: 0, limit: Some(Decimal::from(amperes)), ..Period::default() };
    Profile {
        id,
        stack_level: 2,
        purpose,
        kind,
        valid_from: None,
        valid_until: None,
        key: None,
        schedules: vec![Schedule {
            id: 1,
            start: (kind != ProfileKind::Relative).then_some(START),
            lasts: Some(Duration::from_secs(3_600)),
            unit: RateUnit::Amperes,
            min_rate: None,
            periods: vec![period],
            more: None,
        }],
        more: None,
    }
}

pub(super) fn set(bench: &mut Bench, evse: Option<EvseNo>, profile: Profile) -> StationAnswer {
    bench.order(ToStation::Charging(ChargingOrder::Set { evse, profile: Box::new(profile) }))
}

fn watts(bench: &Bench) -> i64 {
    bench.bay(one()).power.watts()
}

#[test]
fn profiles_are_taken_obeyed_and_refused() {
    use ProfileKind::{Absolute, Daily, Relative};
    use ProfilePurpose::{StationMax, Tx, TxDefault};
    // proves: K01.FR.04, K01.FR.05, K01.FR.07, K01.FR.09, K01.FR.14, K01.FR.15, K01.FR.16, K01.FR.27, K01.FR.28,
    // K01.FR.30, K01.FR.33, K01.FR.40
    let mut bench = Bench::ready(Version::V201);
    let own = |key: &TransactionKey, amperes| Profile { key: Some(key.clone()), ..profile(9, Tx, Relative, amperes) };
    let nobody = TransactionKey::Text("nobody".into());
    // TC_K_02_CS: nothing runs that it could be of
    assert_eq!(set(&mut bench, Some(one()), own(&nobody, 8)), refused("Rejected"));
    // TC_K_14_CS: there is no such EVSE
    assert_eq!(set(&mut bench, EvseNo::new(9), profile(1, TxDefault, Absolute, 10)), refused("Rejected"));
    let mut bench = charging();
    let key = key_of(&bench);
    for (case, evse, wish, answer, power) in [
        ("TC_K_01_CS", Some(one()), profile(1, TxDefault, Absolute, 10), YES, 6_900),
        // the same number again takes its place
        ("TC_K_04_CS", Some(one()), profile(1, TxDefault, Absolute, 8), YES, 5_520),
        // unproved: the same every day
        ("TC_K_19_CS", Some(one()), profile(1, TxDefault, Daily, 7), YES, 4_830),
        ("TC_K_60_CS", Some(one()), own(&key, 9), YES, 6_210),
        ("TC_K_11_CS", None, own(&key, 7), refused("Rejected"), 6_210),
        ("TC_K_16_CS", Some(one()), own(&nobody, 7), refused("Rejected"), 6_210),
        ("TC_K_03_CS", None, profile(3, StationMax, Absolute, 6), YES, 4_140),
    ] {
        assert_eq!(set(&mut bench, evse, wish), answer, "{case}");
        assert_eq!(watts(&bench), power, "{case}");
    }
    // TC_K_23_CS: its first period has to begin at once
    let mut late = profile(1, TxDefault, Absolute, 6);
    late.schedules[0].periods[0].start = 10;
    assert_eq!(set(&mut bench, Some(one()), late), refused("Rejected"));
    // TC_K_13_CS: after a restart the transaction's own is gone and the others are there
    bench.station.power_on(bench.now, Memory::default(), BootReason::RemoteReset, &mut bench.out);
    bench.connect(Version::V201);
    let left: Vec<i32> = bench.station.blocks.profiles.all().iter().map(|held| held.profile.id).collect();
    assert_eq!(left, [1, 3]);
    // TC_K_10_CS: one for all EVSEs holds at this one
    let mut bench = charging();
    assert_eq!(set(&mut bench, None, profile(1, TxDefault, Absolute, 10)), YES);
    assert_eq!(watts(&bench), 6_900);
}

#[test]
fn profiles_are_read_and_cleared() {
    use ProfileKind::Absolute;
    use ProfilePurpose::{StationMax, TxDefault};
    // proves: K09.FR.01, K09.FR.02, K10.FR.01, K10.FR.03, K10.FR.04
    let filled = || {
        let mut bench = charging();
        set(&mut bench, None, profile(1, StationMax, Absolute, 20));
        set(&mut bench, Some(one()), profile(2, TxDefault, Absolute, 10));
        set(&mut bench, Some(two()), Profile { stack_level: 4, ..profile(3, TxDefault, Absolute, 11) });
        bench
    };
    let any = ProfileFilter::default;
    let at = |evse| ProfileFilter { evse: Some(evse), ..any() };
    let default = Some(TxDefault);
    let mut bench = filled();
    for (case, which, found) in [
        ("TC_K_29_CS", at(None), vec![1]),
        ("TC_K_30_CS", at(Some(one())), vec![2]),
        ("TC_K_31_CS", ProfileFilter { purpose: default, ..any() }, vec![2, 3]),
        ("TC_K_32_CS", ProfileFilter { ids: vec![3], ..any() }, vec![3]),
        ("TC_K_33_CS", ProfileFilter { stack_level: Some(4), ..at(Some(two())) }, vec![3]),
        ("TC_K_34_CS", ProfileFilter { sources: vec!["CSO".into()], ..at(Some(one())) }, vec![2]),
        ("TC_K_35_CS", ProfileFilter { purpose: default, ..at(Some(one())) }, vec![2]),
        ("TC_K_36_CS", ProfileFilter { purpose: default, stack_level: Some(2), ..at(Some(one())) }, vec![2]),
        ("TC_K_34_CS", ProfileFilter { sources: vec!["EMS".into()], ..any() }, vec![]),
    ] {
        bench.operator.heard.clear();
        let answer = bench.order(ToStation::Charging(ChargingOrder::Read { request: 6, which }));
        let mut told = Vec::new();
        for said in &bench.operator.heard {
            if let FromStation::Charging(ChargingNews::Profiles { part, profiles, .. }) = said {
                assert_eq!(part.request, 6, "{case}");
                told.extend(profiles.iter().map(|profile| profile.id));
            }
        }
        assert_eq!(answer, if found.is_empty() { refused("NoProfiles") } else { YES }, "{case}");
        assert_eq!(told, found, "{case}");
    }
    for (case, which, answer, left) in [
        ("TC_K_05_CS", ProfileFilter { ids: vec![2], ..any() }, YES, vec![1, 3]),
        ("TC_K_06_CS", ProfileFilter { purpose: default, stack_level: Some(2), ..any() }, YES, vec![1, 3]),
        // unproved: everything, and what is not there
        ("TC_K_07_CS", any(), YES, vec![]),
        ("TC_K_08_CS", ProfileFilter { ids: vec![77], ..any() }, refused("Unknown"), vec![1, 2, 3]),
        ("TC_K_24_CS", ProfileFilter { purpose: default, ..at(Some(two())) }, YES, vec![1, 2]),
    ] {
        let mut bench = filled();
        assert_eq!(bench.order(ToStation::Charging(ChargingOrder::Clear(which))), answer, "{case}");
        let kept: Vec<i32> = bench.station.blocks.profiles.all().iter().map(|held| held.profile.id).collect();
        assert_eq!(kept, left, "{case}");
    }
}

#[test]
fn a_composite_is_told_and_a_start_brings_a_profile() {
    // proves: K05.FR.02, K05.FR.03, K08.FR.02, K08.FR.03, K08.FR.05, K08.FR.06
    let mut bench = charging();
    set(&mut bench, Some(one()), profile(1, ProfilePurpose::TxDefault, ProfileKind::Absolute, 10));
    let mut ask = |evse, unit| {
        let lasts = Duration::from_secs(600);
        bench.order(ToStation::Charging(ChargingOrder::Composite { evse, lasts, unit: Some(unit) }))
    };
    // TC_K_39_CS, TC_K_40_CS: in the unit that was asked for
    for (case, unit, limit) in [("TC_K_39_CS", RateUnit::Amperes, 10), ("TC_K_40_CS", RateUnit::Watts, 6_900)] {
        let StationAnswer::Composite(composite) = ask(Some(one()), unit) else { panic!("{case}") };
        assert_eq!((composite.evse, composite.unit), (Some(one()), unit), "{case}");
        assert_eq!(composite.periods[0].limit, Some(Decimal::from(limit)), "{case}");
    }
    // TC_K_47_CS: there is no such EVSE
    assert_eq!(ask(EvseNo::new(9), RateUnit::Watts), refused("Rejected"));
    // TC_K_37_CS
    let mut bench = Bench::ready(Version::V201);
    bench.hand(one(), Deed::Plug(car())).unwrap();
    let profile = Some(Box::new(profile(5, ProfilePurpose::Tx, ProfileKind::Relative, 8)));
    let start = ToStation::Start { evse: Some(one()), token: alias("R"), remote_id: 7, profile };
    assert_eq!(bench.order(start), YES);
    assert_eq!(watts(&bench), 5_520);
    assert_eq!(bench.station.blocks.profiles.all()[0].profile.key, Some(key_of(&bench)), "it has its name now");
}

/// Signs an image as its maker does, with a certificate that is in force at the bench's time.
pub(super) fn made(image: &[u8]) -> FirmwareSignature {
    use base64::Engine as _;
    let pair = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2040, 1, 1));
    let certificate = params.self_signed(&pair).unwrap().pem();
    let key = trust::sign::SigningKey::from_pkcs8_der(&Secret::new(pair.serialize_der())).unwrap();
    let signature = base64::prelude::BASE64_STANDARD.encode(key.sign(image).unwrap());
    FirmwareSignature { certificate: certificate.into(), signature: signature.into() }
}

pub(super) const IMAGE: &[u8] = b"version: 9.9\n";

pub(super) fn update(request: i32, times: (u64, Option<u64>), signed: FirmwareSignature) -> ToStation {
    ToStation::Upkeep(UpkeepOrder::Firmware {
        request,
        from: Secret::new("https://files.example/fw".into()),
        retrieve_at: START.plus(Duration::from_secs(times.0)),
        install_at: times.1.map(|secs| START.plus(Duration::from_secs(secs))),
        signed: Some(signed),
        retries: Retries { times: Some(1), pause: Some(Duration::from_secs(10)) },
    })
}

/// Lets an update go its way; each fetch brings this.
pub(super) fn fetched(bench: &mut Bench, secs: u64, image: Option<&[u8]>) {
    for _ in 0..secs {
        bench.pass(1);
        while let Some(fetch) = bench.fetches.pop() {
            bench.station.fetched(bench.now, fetch.number, image, &mut bench.out);
            bench.talk();
        }
    }
}

/// What was told of updates and logs: under which number, and which word.
fn progress(bench: &mut Bench) -> Vec<(i32, String)> {
    let said = bench.operator.heard.drain(..).filter_map(|said| match said {
        FromStation::Progress(progress) => Some((progress.request.unwrap(), progress.status.to_string())),
        _ => None,
    });
    said.collect()
}

fn words(bench: &mut Bench) -> Vec<String> {
    progress(bench).into_iter().map(|(_, word)| word).collect()
}

#[test]
fn signed_firmware_is_installed_or_refused() {
    // proves: L01.FR.01, L01.FR.03, L01.FR.04, L01.FR.05, L01.FR.10, L01.FR.13, L01.FR.15, L01.FR.16, L01.FR.20,
    // L01.FR.21, L01.FR.30
    let rest = ["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting"];
    let fails = ["Downloading", "DownloadFailed", "Downloading", "DownloadFailed"];
    for (case, times, image, steps) in [
        ("TC_L_01_CS", (0, None), Some(IMAGE), rest.to_vec()),
        ("TC_L_02_CS", (0, Some(60)), Some(IMAGE), [&rest[..3], &["InstallScheduled"], &rest[3..]].concat()),
        ("TC_L_03_CS", (30, None), Some(IMAGE), [&["DownloadScheduled"], &rest[..]].concat()),
        (
            "TC_L_06_CS",
            (0, None),
            Some(&b"version: 6.6.6\n"[..]),
            vec!["Downloading", "Downloaded", "InvalidSignature"],
        ),
        (
            "TC_L_08_CS",
            (0, None),
            Some(&b""[..]),
            vec!["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallVerificationFailed"],
        ),
        ("TC_L_07_CS", (0, None), None, fails.to_vec()),
    ] {
        let mut bench = Bench::ready(Version::V201);
        let signed = made(if case == "TC_L_08_CS" { b"" } else { IMAGE });
        assert_eq!(bench.order(update(4, times, signed)), YES, "{case}");
        fetched(&mut bench, 120, image);
        let forged =
            bench.operator.heard.iter().any(
                |said| matches!(said, FromStation::Security { kind, .. } if &**kind == "InvalidFirmwareSignature"),
            );
        assert_eq!(forged, case == "TC_L_06_CS", "{case}");
        let told = progress(&mut bench);
        assert!(told.iter().all(|(request, _)| *request == 4), "{case}");
        assert_eq!(told.into_iter().map(|(_, word)| word).collect::<Vec<_>>(), steps, "{case}");
        assert_eq!(bench.reboots > 0, steps.ends_with(&["InstallRebooting"]), "{case}");
    }
    // TC_L_05_CS: nobody can vouch for it
    let mut bench = Bench::ready(Version::V201);
    let nonsense = FirmwareSignature { certificate: "adsad".into(), signature: "c2ln".into() };
    assert_eq!(bench.order(update(4, (0, None), nonsense)), refused("InvalidCertificate"));
    assert_eq!(bench.operator.words(), ["InvalidFirmwareSigningCertificate"]);
    // TC_L_10_CS: a second one takes the place of the first
    assert_eq!(bench.order(update(5, (0, None), made(IMAGE))), YES);
    bench.pass(0);
    assert_eq!(bench.order(update(6, (0, None), made(IMAGE))), refused("AcceptedCanceled"));
    bench.operator.heard.clear();
    fetched(&mut bench, 120, Some(IMAGE));
    assert!(progress(&mut bench).iter().all(|(request, _)| *request == 6));
    assert_eq!(bench.station.firmware_version(), "9.9");
}

#[test]
fn an_installation_waits_for_whoever_charges() {
    // proves: L01.FR.06, L01.FR.07
    // TC_L_13_CS, TC_L_12_CS: the other EVSE is kept free meanwhile
    let mut bench = charging();
    bench.operator.heard.clear();
    assert_eq!(bench.order(update(4, (0, None), made(IMAGE))), YES);
    fetched(&mut bench, 60, Some(IMAGE));
    assert_eq!(bench.bay(one()).phase, Phase::Charging, "TC_L_13_CS");
    assert_eq!(bench.operator.states(two()), [BayState::Unavailable], "TC_L_12_CS");
    assert_eq!(words(&mut bench), ["Downloading", "Downloaded", "SignatureVerified", "InstallScheduled"], "TC_L_13_CS");
    assert_eq!(bench.hand(two(), Deed::Tap(card("B"))), Err(CannotDo::Restarting), "TC_L_12_CS");
    bench.hand(one(), Deed::Unplug).unwrap();
    fetched(&mut bench, 30, None);
    assert_eq!(words(&mut bench), ["Installing", "InstallRebooting"], "TC_L_13_CS");
    assert_eq!(bench.reboots, 1, "TC_L_13_CS");
}

pub(super) fn root(name: &str) -> Box<str> {
    let life = Duration::from_secs(86_400);
    let dice = SeededDice::new(name.len() as u64);
    Authority::create(name, life, START, &dice).unwrap().certificate_pem().into()
}

#[test]
fn roots_are_installed_listed_and_deleted() {
    use CertificateUse::{ManufacturerRoot, MoRoot, OperatorRoot, V2gRoot};
    // proves: M03.FR.01, M03.FR.02, M03.FR.03, M03.FR.04, M04.FR.01, M04.FR.02, M04.FR.04, M04.FR.06, M05.FR.01,
    // M05.FR.02, M05.FR.07
    let mut bench = Bench::ready(Version::V201);
    let certificate = |bench: &mut Bench, order| bench.order(ToStation::Certificate(order));
    let list = |bench: &mut Bench, uses: &[CertificateUse]| -> Vec<InstalledCertificate> {
        match certificate(bench, CertificateOrder::List(uses.to_vec())) {
            StationAnswer::Certificates(all) => all,
            other => panic!("{other:?}"),
        }
    };
    // TC_M_19_CS: there is none
    assert_eq!(certificate(&mut bench, CertificateOrder::List(vec![V2gRoot])), refused("NotFound"));
    let each = [
        ("TC_M_01_CS", "TC_M_12_CS", OperatorRoot, "One"),
        ("TC_M_02_CS", "TC_M_13_CS", ManufacturerRoot, "Two words"),
        ("TC_M_03_CS", "TC_M_14_CS", V2gRoot, "Three of them"),
        ("TC_M_04_CS", "TC_M_16_CS", MoRoot, "Four of them now"),
    ];
    for (install, read, used_for, name) in each {
        let order = CertificateOrder::Install { used_for, certificate: root(name) };
        assert_eq!(certificate(&mut bench, order), YES, "{install}");
        let found: Vec<_> = list(&mut bench, &[used_for]).into_iter().map(|one| one.used_for).collect();
        assert_eq!(found, [used_for], "{read}");
        // TC_M_07_CS: one that is none
        let order = CertificateOrder::Install { used_for, certificate: "adsad".into() };
        assert_eq!(certificate(&mut bench, order), refused("Rejected"), "TC_M_07_CS");
    }
    assert_eq!(list(&mut bench, &[OperatorRoot, MoRoot]).len(), 2, "TC_M_17_CS");
    let all = list(&mut bench, &[]);
    assert_eq!(all.iter().map(|one| one.used_for).collect::<Vec<_>>(), each.map(|row| row.2), "TC_M_18_CS");
    // TC_M_20_CS: one is deleted; TC_M_22_CS: and is not there any more; TC_M_23_CS: the last that the line trusts stays
    let delete = |of: &InstalledCertificate| CertificateOrder::Delete(of.hash.clone());
    assert_eq!(certificate(&mut bench, delete(&all[2])), YES, "TC_M_20_CS");
    assert_eq!(certificate(&mut bench, delete(&all[2])), refused("NotFound"), "TC_M_22_CS");
    assert_eq!(certificate(&mut bench, delete(&all[0])), refused("Failed"), "TC_M_23_CS");
    assert_eq!(list(&mut bench, &[]).len(), 3);
}

pub(super) fn monitor(id: Option<i32>, variable: &str, kind: MonitorKind, value: i64) -> Monitor {
    let (value, severity) = (Decimal::from(value), 5);
    Monitor { id, variable: variable.into(), kind, value, severity, in_transaction: false, stream: None }
}

pub(super) fn watch(bench: &mut Bench, monitors: Vec<Monitor>) -> Vec<(Option<i32>, String)> {
    match bench.order(ToStation::Model(ModelOrder::Watch(monitors))) {
        StationAnswer::Monitors(rows) => rows.into_iter().map(|row| (row.id, row.word.to_string())).collect(),
        other => panic!("{other:?}"),
    }
}

pub(super) const POWER: &str = "1/EVSE.Power";
pub(super) const STATE: &str = "1/EVSE.AvailabilityState";

#[test]
fn monitors_are_set() {
    use MonitorKind::{Delta, Periodic, UpperThreshold};
    // proves: N04.FR.01, N04.FR.02, N04.FR.03, N04.FR.04, N04.FR.05, N04.FR.08, N04.FR.10, N04.FR.11, N04.FR.12,
    // N04.FR.13
    let mut bench = Bench::ready(Version::V201);
    let yes = |id| (Some(id), "Accepted".to_owned());
    let no = |word: &str| (None, word.to_owned());
    for (case, wish, told) in [
        ("TC_N_08_CS", vec![monitor(None, POWER, UpperThreshold, 7_000)], vec![yes(1)]),
        (
            "TC_N_09_CS",
            vec![monitor(None, POWER, Delta, 100), monitor(None, "2/EVSE.Power", Delta, 100)],
            vec![yes(2), yes(3)],
        ),
        ("TC_N_10_CS", vec![monitor(None, STATE, Delta, 1), monitor(None, POWER, Periodic, 60)], vec![yes(4), yes(5)]),
        ("TC_N_11_CS", vec![monitor(None, "Toaster.Heat", Delta, 1)], vec![no("UnknownComponent")]),
        ("TC_N_37_CS", vec![monitor(None, "1/EVSE.Colour", Delta, 1)], vec![no("UnknownVariable")]),
        ("TC_N_38_CS", vec![monitor(None, STATE, UpperThreshold, 1)], vec![no("UnsupportedMonitorType")]),
        ("TC_N_15_CS", vec![monitor(None, POWER, UpperThreshold, 8_000)], vec![no("Duplicate")]),
        ("TC_N_40_CS", vec![monitor(Some(1), POWER, UpperThreshold, 9_000)], vec![yes(1)]),
        ("TC_N_13_CS", vec![monitor(Some(77), POWER, UpperThreshold, 9_000)], vec![no("Rejected")]),
    ] {
        assert_eq!(watch(&mut bench, wish), told, "{case}");
    }
}

#[test]
fn monitors_are_found_by_level_base_and_number() {
    use MonitorKind::{Delta, Periodic, UpperThreshold};
    // proves: N02.FR.01, N02.FR.05, N02.FR.06, N02.FR.08, N02.FR.10, N02.FR.11, N03.FR.01, N03.FR.03, N03.FR.04,
    // N03.FR.05, N05.FR.01, N05.FR.02, N06.FR.01, N06.FR.02, N06.FR.05
    let mut bench = Bench::ready(Version::V201);
    let placed = vec![
        monitor(None, POWER, UpperThreshold, 7_000),
        monitor(None, STATE, Delta, 1),
        monitor(None, "2/EVSE.Power", Periodic, 60),
    ];
    watch(&mut bench, placed);
    let found = |bench: &mut Bench, variables: &[&str], criteria: &[&str]| {
        let boxed = |names: &[&str]| names.iter().map(|name| Box::from(*name)).collect();
        bench.operator.heard.clear();
        let order = ModelOrder::Monitors { request: 9, variables: boxed(variables), criteria: boxed(criteria) };
        let answer = bench.order(ToStation::Model(order));
        let mut ids = Vec::new();
        for said in &bench.operator.heard {
            if let FromStation::Model(ModelNews::Monitors { part, monitors, .. }) = said {
                assert_eq!(part.request, 9);
                ids.extend(monitors.iter().filter_map(|monitor| monitor.id));
            }
        }
        if answer == YES { Ok(ids) } else { Err(answer) }
    };
    let nothing = || Err(refused("EmptyResultSet"));
    for (case, variables, criteria, told) in [
        ("TC_N_01_CS", vec![], vec!["ThresholdMonitoring", "DeltaMonitoring"], Ok(vec![1, 2])),
        ("TC_N_02_CS", vec![POWER, "2/EVSE.Power"], vec![], Ok(vec![1, 3])),
        ("TC_N_03_CS", vec![POWER, STATE], vec!["DeltaMonitoring"], Ok(vec![2])),
        ("TC_N_03_CS", vec![POWER], vec!["PeriodicMonitoring"], nothing()),
        ("TC_N_47_CS", vec![], vec![], Ok(vec![1, 2, 3])),
    ] {
        assert_eq!(found(&mut bench, &variables, &criteria), told, "{case}");
    }
    for (case, level, answer) in [("TC_N_16_CS", 3, YES), ("TC_N_17_CS", 10, refused("Rejected"))] {
        assert_eq!(bench.order(ToStation::Model(ModelOrder::MonitoringLevel(level))), answer, "{case}");
    }
    let clear = |bench: &mut Bench, id| match bench.order(ToStation::Model(ModelOrder::Unwatch(vec![id]))) {
        StationAnswer::Items(rows) => rows[0].word.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(clear(&mut bench, 1), "Accepted", "TC_N_18_CS");
    assert_eq!(clear(&mut bench, 1), "NotFound", "TC_N_19_CS");
    for (case, base, told) in
        [("TC_N_05_CS", MonitoringBase::All, Ok(vec![2, 3])), ("TC_N_06_CS", MonitoringBase::FactoryDefault, nothing())]
    {
        assert_eq!(bench.order(ToStation::Model(ModelOrder::MonitoringBase(base))), YES, "{case}");
        assert_eq!(found(&mut bench, &[], &[]), told, "{case}");
    }
}

#[test]
fn events_are_told_of_what_is_watched() {
    use MonitorKind::{Delta, Periodic, UpperThreshold};
    // proves: N07.FR.06, N07.FR.07, N07.FR.10, N07.FR.16, N07.FR.17, N07.FR.18, N07.FR.19, N08.FR.01, N08.FR.05
    let events = |bench: &mut Bench| {
        let told = bench.operator.heard.drain(..).filter_map(|said| match said {
            FromStation::Model(ModelNews::Events { events, .. }) => Some(events),
            _ => None,
        });
        told.flatten().map(|event| (event.trigger.to_string(), event.cleared)).collect::<Vec<_>>()
    };
    let drive = |monitor| {
        let mut bench = Bench::ready(Version::V201);
        assert_eq!(watch(&mut bench, vec![monitor])[0].1, "Accepted");
        bench.hand(one(), Deed::Plug(car())).unwrap();
        bench.hand(one(), Deed::Tap(card("A"))).unwrap();
        bench
    };
    let told = |rows: &[(&str, bool)]| rows.iter().map(|(word, over)| ((*word).to_owned(), *over)).collect::<Vec<_>>();
    // TC_N_20_CS: over a threshold, and back
    let mut bench = drive(monitor(None, POWER, UpperThreshold, 7_000));
    assert_eq!(events(&mut bench), told(&[("Alerting", false)]), "TC_N_20_CS");
    bench.hand(one(), Deed::Unplug).unwrap();
    assert_eq!(events(&mut bench), told(&[("Alerting", true)]), "TC_N_20_CS");
    // TC_N_45_CS: a number that has moved far enough; TC_N_56_CS: a word that is another one
    let mut bench = drive(monitor(None, POWER, Delta, 5_000));
    assert_eq!(events(&mut bench), told(&[("Delta", false)]), "TC_N_45_CS");
    let mut bench = drive(monitor(None, STATE, Delta, 1));
    assert_eq!(events(&mut bench), told(&[("Delta", false)]), "TC_N_56_CS");
    // TC_N_24_CS: every so often
    let mut bench = drive(monitor(None, POWER, Periodic, 30));
    events(&mut bench);
    bench.pass(90);
    assert_eq!(events(&mut bench), told(&[("Periodic", false); 3]), "TC_N_24_CS");
    // unproved: TC_N_48_CS: what happened without a line is told when it is back
    let mut bench = drive(monitor(None, POWER, UpperThreshold, 7_000));
    events(&mut bench);
    bench.cut();
    bench.hand(one(), Deed::Unplug).unwrap();
    assert_eq!(events(&mut bench), [], "TC_N_48_CS");
    bench.connect(Version::V201);
    assert_eq!(events(&mut bench), told(&[("Alerting", true)]), "TC_N_48_CS");
}

fn log(request: i32, kind: LogKind) -> ToStation {
    let to = Secret::new("https://files.example/in".into());
    let retries = Retries { times: Some(1), pause: Some(Duration::from_secs(10)) };
    ToStation::Upkeep(UpkeepOrder::FetchLog { request, kind, to, from: None, until: None, retries, legacy: false })
}

#[test]
fn logs_are_uploaded() {
    // proves: N01.FR.01, N01.FR.02, N01.FR.03, N01.FR.04, N01.FR.07, N01.FR.08, N01.FR.09, N01.FR.10, N01.FR.12
    let ready = || {
        let mut bench = Bench::ready(Version::V201);
        let password = vec![("SecurityCtrlr.BasicAuthPassword".into(), Secret::new("correct horse battery".into()))];
        bench.order(ToStation::WriteSettings { values: password });
        bench.operator.heard.clear();
        bench
    };
    for (case, kind, outcomes, steps) in [
        ("TC_N_25_CS", LogKind::Diagnostics, vec![true], vec!["Uploading", "Uploaded"]),
        ("TC_N_35_CS", LogKind::Security, vec![true], vec!["Uploading", "Uploaded"]),
        ("TC_N_26_CS", LogKind::Diagnostics, vec![false, false], vec!["Uploading", "Uploading", "UploadFailure"]),
    ] {
        let mut bench = ready();
        assert!(matches!(bench.order(log(5, kind)), StationAnswer::File(Some(_))), "{case}");
        for done in outcomes {
            bench.pass(11);
            let upload = bench.uploads.remove(0);
            assert_eq!(upload.text.contains("line up"), kind == LogKind::Diagnostics, "{case}");
            bench.station.uploaded(bench.now, upload.number, done, &mut bench.out);
            bench.talk();
        }
        assert_eq!(
            progress(&mut bench),
            steps.iter().map(|step| (5, (*step).to_owned())).collect::<Vec<_>>(),
            "{case}"
        );
    }
    // TC_N_36_CS: a second order ends the first
    let mut bench = ready();
    bench.order(log(5, LogKind::Diagnostics));
    bench.pass(1);
    bench.order(log(6, LogKind::Diagnostics));
    bench.pass(1);
    let told = [(5, "Uploading"), (5, "AcceptedCanceled"), (6, "Uploading")];
    assert_eq!(progress(&mut bench), told.map(|(request, word)| (request, word.to_owned())), "TC_N_36_CS");
}

#[test]
fn customers_are_told_of_and_forgotten() {
    // proves: N09.FR.02, N09.FR.05, N09.FR.06, N10.FR.01, N10.FR.03, N10.FR.04, N10.FR.06
    let known = || {
        let mut bench = charging();
        bench.hand(one(), Deed::Unplug).unwrap();
        bench
    };
    let ask = |bench: &mut Bench, uid: &str, report, clear| {
        bench.operator.heard.clear();
        let order = CustomerOrder { request: 3, report, clear, customer: Customer::Token(card(uid)) };
        assert_eq!(bench.order(ToStation::Customer(order)), YES);
        bench.operator.heard.iter().find_map(|said| match said {
            FromStation::Customer(news) => Some(!news.data.reveal(Purpose::ShowOwner).is_empty()),
            _ => None,
        })
    };
    for (case, uid, report, clear, told) in [
        ("TC_N_27_CS", "A", true, false, Some(true)),
        ("TC_N_28_CS", "nobody", true, false, Some(false)),
        ("TC_N_30_CS", "A", true, true, Some(true)),
        ("TC_N_31_CS", "nobody", true, true, Some(false)),
        // what is told is that it is forgotten
        ("TC_N_32_CS", "A", false, true, Some(true)),
    ] {
        let mut bench = known();
        assert_eq!(ask(&mut bench, uid, report, clear), told, "{case}");
        // what was to be forgotten is
        assert_eq!(ask(&mut bench, "A", true, false), Some(!(clear && uid == "A")), "{case}");
    }
}

#[test]
fn messages_are_shown() {
    // proves: O01.FR.01, O01.FR.02, O01.FR.03, O02.FR.01, O02.FR.02
    let mut bench = charging();
    let running = key_of(&bench);
    let message = |id| DisplayMessage {
        id,
        priority: "NormalCycle".into(),
        state: None,
        from: None,
        until: None,
        key: None,
        format: "UTF8".into(),
        language: None,
        text: "Moin".into(),
        more: None,
    };
    let display = |bench: &mut Bench, order| bench.order(ToStation::Display(order));
    let read = |bench: &mut Bench, ids: &[i32], priority: Option<&str>, state: Option<&str>| {
        bench.operator.heard.clear();
        let (priority, state) = (priority.map(Into::into), state.map(Into::into));
        let answer = display(bench, DisplayOrder::Read { request: 4, ids: ids.to_vec(), priority, state });
        let mut found = Vec::new();
        for said in &bench.operator.heard {
            if let FromStation::Display(DisplayNews { part, messages }) = said {
                assert_eq!(part.request, 4);
                found.extend(messages.iter().map(|message| (message.id, message.text.to_string())));
            }
        }
        if answer == YES { Ok(found) } else { Err(answer) }
    };
    let ids = |found: Result<Vec<(i32, String)>, StationAnswer>| found.map(|all| all.iter().map(|one| one.0).collect());
    let unknown = || Err::<Vec<i32>, _>(refused("Unknown"));
    assert_eq!(ids(read(&mut bench, &[], None, None)), unknown(), "TC_O_03_CS");
    let nobody = Some(TransactionKey::Text("nobody".into()));
    let soon = Some(START.plus(Duration::from_secs(600)));
    for (case, of, answer) in [
        ("TC_O_01_CS", message(1), YES),
        ("TC_O_06_CS", DisplayMessage { key: Some(running), ..message(2) }, YES),
        ("TC_O_10_CS", DisplayMessage { key: nobody, ..message(3) }, refused("UnknownTransaction")),
        ("TC_O_14_CS", DisplayMessage { until: soon, state: Some("Idle".into()), ..message(4) }, YES),
        ("TC_O_17_CS", DisplayMessage { priority: "Top".into(), ..message(5) }, refused("NotSupportedPriority")),
        ("TC_O_18_CS", DisplayMessage { state: Some("Asleep".into()), ..message(5) }, refused("NotSupportedState")),
        ("TC_O_19_CS", DisplayMessage { format: "HTML".into(), ..message(5) }, refused("NotSupportedMessageFormat")),
        ("TC_O_12_CS", DisplayMessage { text: "Tschüß".into(), priority: "InFront".into(), ..message(1) }, YES),
    ] {
        assert_eq!(display(&mut bench, DisplayOrder::Set(Box::new(of))), answer, "{case}");
    }
    assert_eq!(ids(read(&mut bench, &[], None, None)), Ok(vec![2, 4, 1]), "TC_O_02_CS");
    assert_eq!(read(&mut bench, &[1], None, None), Ok(vec![(1, "Tschüß".to_owned())]), "TC_O_07_CS, TC_O_12_CS");
    assert_eq!(ids(read(&mut bench, &[], Some("InFront"), None)), Ok(vec![1]), "TC_O_08_CS");
    assert_eq!(ids(read(&mut bench, &[], None, Some("Idle"))), Ok(vec![4]), "TC_O_09_CS");
    assert_eq!(ids(read(&mut bench, &[77], None, None)), unknown(), "TC_O_11_CS");
    // what is over is taken down: with its time, and with its transaction
    bench.pass(600);
    assert_eq!(ids(read(&mut bench, &[], None, None)), Ok(vec![2, 1]), "TC_O_14_CS");
    bench.hand(one(), Deed::Unplug).unwrap();
    assert_eq!(ids(read(&mut bench, &[], None, None)), Ok(vec![1]), "TC_O_06_CS");
    assert_eq!(display(&mut bench, DisplayOrder::Clear { id: 1 }), YES, "TC_O_04_CS");
    assert_eq!(display(&mut bench, DisplayOrder::Clear { id: 1 }), refused("Unknown"), "TC_O_05_CS");
}

#[test]
fn a_vendor_that_nobody_knows_is_told_so() {
    // proves: P01.FR.05, P01.FR.06
    // TC_P_01_CS
    let mut bench = Bench::ready(Version::V201);
    let said = Vendor { vendor: "com.example.toaster".into(), message: None, data: None };
    let unknown = VendorAnswer { status: "UnknownVendorId".into(), data: None };
    assert_eq!(bench.order(ToStation::Vendor(said)), StationAnswer::Vendor(unknown));
    // and what else was ordered is done as before
    assert_eq!(bench.order(ToStation::Trigger { what: Trigger::Alive, evse: None }), YES);
    assert_eq!(bench.operator.words(), ["alive"]);
}
