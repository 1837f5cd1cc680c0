//! Cases of the certification tool for a charge point of OCPP 1.6, each under its id.
//!
//! Unproved: the public list of these cases has numbers and no meanings. That a number means what is asserted beside it
//! follows from the numbers' order along the standard and from what is said of them in public; the tool's own text was
//! not read. What is asserted is the standard's either way.

use charge::id::TransactionKey;
use charge::talk::line::certificate::{CertificateOrder, CertificateUse, StationKey};
use charge::talk::line::charging::{
    ChargingOrder, Period, Profile, ProfileFilter, ProfileKind, ProfilePurpose, RateUnit, Schedule,
};
use charge::talk::line::payment::{Vendor, VendorAnswer};
use charge::talk::line::reservation::{ListEntry, ListOrder, ReservationOrder};
use charge::talk::line::upkeep::{FirmwareSignature, LogKind, Retries, UpkeepOrder};
use charge::talk::line::{Admission, EndReason, Heard, ResetKind, Stage, Trigger, Written};
use charge::token::{Allowed, Verdict};

use super::*;
use crate::bench::{alias, car, card, one, two};

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

fn told(bench: &mut Bench) -> Vec<String> {
    let said = bench.operator.heard.drain(..).filter_map(|said| match said {
        FromStation::Progress(progress) => Some(progress.status.to_string()),
        _ => None,
    });
    said.collect()
}

#[test]
fn firmware_and_diagnostics() {
    let firmware = |signed| {
        ToStation::Upkeep(UpkeepOrder::Firmware {
            request: 4,
            from: Secret::new("https://files.example/fw".into()),
            retrieve_at: START,
            install_at: None,
            signed,
            retries: Retries { times: Some(0), pause: None },
        })
    };
    // TC_044_1_CS: fetched and installed; TC_044_2_CS: it cannot be fetched
    for (image, steps) in [
        (Some(&b"version: 9.9\n"[..]), &["Downloading", "Downloaded", "Installing"][..]),
        (None, &["Downloading", "DownloadFailed"][..]),
    ] {
        let mut bench = Bench::ready(Version::V16);
        assert_eq!(bench.order(firmware(None)), StationAnswer::Accepted);
        bench.pass(1);
        let number = bench.fetches.remove(0).number;
        bench.station.fetched(bench.now, number, image, &mut bench.out);
        bench.talk();
        bench.pass(30);
        assert_eq!(told(&mut bench), steps);
        assert_eq!(bench.reboots, u32::from(image.is_some()));
    }
    // TC_045_1_CS: brought; TC_045_2_CS: not brought
    for (done, last) in [(true, "Uploaded"), (false, "UploadFailed")] {
        let mut bench = Bench::ready(Version::V16);
        let (kind, to) = (LogKind::Diagnostics, Secret::new("https://files.example/in".into()));
        let retries = Retries { times: Some(0), pause: None };
        let order = UpkeepOrder::FetchLog { request: 2, kind, to, from: None, until: None, retries, legacy: true };
        assert!(matches!(bench.order(ToStation::Upkeep(order)), StationAnswer::File(Some(_))));
        bench.pass(1);
        let upload = bench.uploads.remove(0);
        bench.station.uploaded(bench.now, upload.number, done, &mut bench.out);
        bench.talk();
        assert_eq!(told(&mut bench), ["Uploading", last]);
    }
    // TC_081_CS: a signature that is none
    let mut bench = Bench::ready(Version::V16);
    let forged = FirmwareSignature { certificate: "adsad".into(), signature: "c2ln".into() };
    assert_eq!(bench.order(firmware(Some(forged))), refused("InvalidCertificate"));
    assert!(bench.operator.words().contains(&"InvalidFirmwareSigningCertificate".to_owned()));
}

#[test]
fn local_lists() {
    let entry = |uid: &str| ListEntry {
        token: card(uid),
        group: None,
        until: None,
        verdict: Some(Verdict::bare(Allowed::Yes)),
    };
    let send = |version, full, uids: &[&str]| {
        let entries = uids.iter().map(|uid| entry(uid)).collect();
        ToStation::List(ListOrder::Send { version, full, entries })
    };
    let mut bench = Bench::ready(Version::V16);
    // TC_042_2_CS: nothing is on it
    assert_eq!(bench.order(ToStation::List(ListOrder::Version)), StationAnswer::Number(0));
    // TC_043_CS: a whole list; TC_043_2_CS: a difference to a version that is not older
    assert_eq!(bench.order(send(2, true, &["A"])), StationAnswer::Accepted);
    assert_eq!(bench.order(send(1, false, &["B"])), refused("VersionMismatch"));
    assert_eq!(bench.order(send(3, false, &["B"])), StationAnswer::Accepted);
    assert_eq!(bench.order(ToStation::List(ListOrder::Version)), StationAnswer::Number(3));
    // TC_042_1_CS, TC_043_1_CS: without lists
    write(&mut bench, "LocalAuthListEnabled", "false");
    assert_eq!(bench.order(ToStation::List(ListOrder::Version)), StationAnswer::Number(-1));
    assert_eq!(bench.order(send(4, true, &["A"])), refused("NotSupported"));
}

#[test]
fn reservations() {
    let reserve = |id, uid: &str, secs: u64| {
        let until = START.plus(Duration::from_secs(secs));
        ToStation::Reservation(ReservationOrder::Reserve {
            id,
            evse: Some(one()),
            token: card(uid),
            group: None,
            until,
            connector: None,
        })
    };
    let mut bench = Bench::ready(Version::V16);
    // TC_046_1_CS: whoever it is kept for charges, and uses it up
    assert_eq!(bench.order(reserve(5, "A", 600)), StationAnswer::Accepted);
    assert_eq!(bench.operator.words(), ["1 Reserved"]);
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.hand(one(), Deed::Plug(car())).unwrap();
    assert_eq!(bench.operator.transactions()[0].reservation, Some(5));
    bench.hand(one(), Deed::Unplug).unwrap();
    bench.operator.heard.clear();
    // TC_047_CS: it ends with its time
    assert_eq!(bench.order(reserve(6, "A", 600)), StationAnswer::Accepted);
    bench.pass(600);
    let states = bench.operator.states(one());
    assert_eq!(states, [charge::talk::line::BayState::Reserved, charge::talk::line::BayState::Available]);
    // TC_051_CS: it is cancelled; TC_052_CS: there is none
    assert_eq!(bench.order(reserve(7, "A", 6_000)), StationAnswer::Accepted);
    let cancel = || ToStation::Reservation(ReservationOrder::Cancel { id: 7 });
    assert_eq!([bench.order(cancel()), bench.order(cancel())], [StationAnswer::Accepted, refused("Rejected")]);
}

fn profile(purpose: ProfilePurpose, key: Option<i32>) -> Box<Profile> {
    let period = Period { start: 0, limit: Some(charge::Decimal::from(10)), ..Period::default() };
    Box::new(Profile {
        id: 7,
        stack_level: 0,
        purpose,
        kind: ProfileKind::Absolute,
        valid_from: None,
        valid_until: None,
        key: key.map(TransactionKey::Number),
        schedules: vec![Schedule {
            id: 0,
            start: Some(START),
            lasts: Some(Duration::from_secs(86_400)),
            unit: RateUnit::Amperes,
            min_rate: None,
            periods: vec![period],
            more: None,
        }],
        more: None,
    })
}

#[test]
fn smart_charging() {
    let set = |profile| ToStation::Charging(ChargingOrder::Set { evse: Some(one()), profile });
    // TC_056_CS: a default; TC_066_CS: and what comes of it
    let mut bench = charging();
    assert_eq!(bench.order(set(profile(ProfilePurpose::TxDefault, None))), StationAnswer::Accepted);
    assert_eq!(bench.bay(one()).power.watts(), 6_900);
    let ask =
        ChargingOrder::Composite { evse: Some(one()), lasts: Duration::from_secs(300), unit: Some(RateUnit::Amperes) };
    let StationAnswer::Composite(composite) = bench.order(ToStation::Charging(ask)) else { panic!() };
    assert_eq!(composite.periods[0].limit, Some(charge::Decimal::from(10)));
    // TC_067_CS: and it is taken away again
    let clear =
        || ToStation::Charging(ChargingOrder::Clear(ProfileFilter { ids: vec![7], ..ProfileFilter::default() }));
    assert_eq!([bench.order(clear()), bench.order(clear())], [StationAnswer::Accepted, refused("Unknown")]);
    assert_eq!(bench.bay(one()).power.watts(), 11_000);
    // TC_057_CS: one of the transaction; TC_058_2_CS: of another one; TC_058_1_CS: of none
    assert_eq!(bench.order(set(profile(ProfilePurpose::Tx, Some(1)))), StationAnswer::Accepted);
    assert_eq!(bench.order(set(profile(ProfilePurpose::Tx, Some(77)))), refused("Rejected"));
    bench.hand(one(), Deed::Unplug).unwrap();
    assert_eq!(bench.order(set(profile(ProfilePurpose::Tx, Some(1)))), refused("Rejected"));
    // TC_059_CS: one with the start; TC_060_CS: of a wrong purpose
    let with = |purpose| {
        let profile = Some(profile(purpose, None));
        ToStation::Start { evse: Some(one()), token: alias("R"), remote_id: 1, profile }
    };
    bench.hand(one(), Deed::Plug(car())).unwrap();
    assert_eq!(bench.order(with(ProfilePurpose::TxDefault)), refused("Rejected"));
    assert_eq!(bench.order(with(ProfilePurpose::Tx)), StationAnswer::Accepted);
    assert_eq!(bench.bay(one()).power.watts(), 6_900);
}

#[test]
fn vendors_and_security() {
    let mut bench = Bench::ready(Version::V16);
    // TC_062_CS
    let said = Vendor { vendor: "nobody".into(), message: None, data: None };
    let unknown = StationAnswer::Vendor(VendorAnswer { status: "UnknownVendorId".into(), data: None });
    assert_eq!(bench.order(ToStation::Vendor(said)), unknown);
    // TC_074_CS: a request for a certificate; TC_077_CS: and an answer of no worth
    let sign = ToStation::Trigger { what: Trigger::Sign(StationKey::Line), evse: None };
    assert_eq!(bench.order(sign), StationAnswer::Accepted);
    assert!(bench.operator.words().contains(&"certificate".to_owned()));
    let signed = CertificateOrder::Signed { key: StationKey::Line, chain: "adsad".into(), request: None };
    assert_eq!(bench.order(ToStation::Certificate(signed)), refused("Rejected"));
    assert_eq!(bench.operator.words(), ["InvalidChargePointCertificate"]);
    // TC_078_CS: a root that is none
    let install = CertificateOrder::Install { used_for: CertificateUse::OperatorRoot, certificate: "adsad".into() };
    assert_eq!(bench.order(ToStation::Certificate(install)), refused("Rejected"));
    // TC_079_CS: the log of security
    let (kind, to) = (LogKind::Security, Secret::new("https://files.example/in".into()));
    let retries = Retries::default();
    let order = UpkeepOrder::FetchLog { request: 2, kind, to, from: None, until: None, retries, legacy: false };
    assert!(matches!(bench.order(ToStation::Upkeep(order)), StationAnswer::File(Some(_))));
    bench.pass(1);
    assert!(bench.uploads[0].text.contains("InvalidChargePointCertificate"));
}
