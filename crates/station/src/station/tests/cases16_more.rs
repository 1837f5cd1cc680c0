//! More cases of the certification tool for a charge point of OCPP 1.6, each under its id: lists and groups, what breaks,
//! certificates and signed firmware.
//!
//! Unproved, as the others: the public list has numbers and no meanings, and what is asserted is the standard's either way.

use charge::talk::line::certificate::{CertificateOrder, CertificateUse};
use charge::talk::line::reservation::{ListEntry, ListOrder, ReservationOrder};
use charge::talk::line::{BayState, Stage, Written};
use charge::token::{Allowed, Verdict};

use super::cases_i_to_p::{IMAGE, fetched, made, root, update};
use super::*;
use crate::bench::{alias, car, card, dc_car, one, two};

fn write(bench: &mut Bench, key: &str, value: &str) {
    let values = vec![(key.into(), Secret::new(value.into()))];
    let StationAnswer::Written(rows) = bench.order(ToStation::WriteSettings { values }) else { panic!("{key}") };
    assert_eq!(rows[0].1, Written::Accepted, "{key}");
}

fn list(bench: &mut Bench, uid: &str, verdict: Allowed, group: Option<&str>) {
    let group = group.map(alias);
    let entries = vec![ListEntry { token: card(uid), group, until: None, verdict: Some(Verdict::bare(verdict)) }];
    assert_eq!(
        bench.order(ToStation::List(ListOrder::Send { version: 1, full: true, entries })),
        StationAnswer::Accepted
    );
    bench.operator.heard.clear();
}

fn stages(bench: &mut Bench) -> Vec<Stage> {
    let stages = bench.operator.transactions().iter().map(|report| report.stage).collect();
    bench.operator.heard.clear();
    stages
}

#[test]
fn lists_and_groups() {
    // TC_008_1_CS: on the list, so nobody is asked; TC_008_2_CS: on the list as blocked, so somebody is
    for (case, verdict, asked) in [("TC_008_1_CS", Allowed::Yes, false), ("TC_008_2_CS", Allowed::Blocked, true)] {
        let mut bench = Bench::ready(Version::V16);
        write(&mut bench, "LocalPreAuthorize", "true");
        list(&mut bench, "A", verdict, None);
        bench.operator.refuses = asked;
        bench.hand(one(), Deed::Plug(car())).unwrap();
        bench.hand(one(), Deed::Tap(card("A"))).unwrap();
        assert_eq!(bench.operator.words().contains(&"tap".to_owned()), asked, "{case}");
        assert_eq!(bench.bay(one()).phase == Phase::Charging, !asked, "{case}");
    }
    // TC_023_4_CS, TC_023_5_CS: who is refused does not charge, whichever comes first, the card or the cable
    for (case, deeds) in [
        ("TC_023_4_CS", [Deed::Plug(car()), Deed::Tap(card("A"))]),
        ("TC_023_5_CS", [Deed::Tap(card("A")), Deed::Plug(car())]),
    ] {
        let mut bench = Bench::ready(Version::V16);
        bench.operator.refuses = true;
        for deed in deeds {
            bench.hand(one(), deed).unwrap();
        }
        assert_eq!(bench.bay(one()).last_verdict, Some(Allowed::Blocked), "{case}");
        assert_eq!(stages(&mut bench), [], "{case}");
    }
    // TC_053_1_CS, TC_053_2_CS: whoever is of the group that a place is kept for, and nobody else
    let mut bench = Bench::ready(Version::V16);
    list(&mut bench, "MEMBER", Allowed::Yes, Some("GROUP"));
    let until = START.plus(Duration::from_secs(600));
    let (id, evse, group, connector) = (5, Some(one()), Some(alias("GROUP")), None);
    let reserve = ReservationOrder::Reserve { id, evse, token: card("OWNER"), group, until, connector };
    assert_eq!(bench.order(ToStation::Reservation(reserve)), StationAnswer::Accepted);
    assert_eq!(bench.hand(one(), Deed::Tap(card("STRANGER"))), Err(CannotDo::Reserved), "TC_053_2_CS");
    bench.hand(one(), Deed::Tap(card("MEMBER"))).unwrap();
    bench.hand(one(), Deed::Plug(car())).unwrap();
    assert_eq!(bench.operator.transactions()[0].reservation, Some(5), "TC_053_1_CS");
    // TC_061_2_CS: there is no cache to clear
    let mut bench = Bench::ready(Version::V16);
    write(&mut bench, "AuthorizationCacheEnabled", "false");
    assert_eq!(bench.order(ToStation::ClearCache), refused("Rejected"), "TC_061_2_CS");
}

#[test]
fn what_runs() {
    // TC_070_CS: a reading every so often; TC_068_CS: the card that began it ends it
    let mut bench = Bench::ready(Version::V16);
    write(&mut bench, "MeterValueSampleInterval", "15");
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    stages(&mut bench);
    bench.pass(45);
    let contexts: Vec<_> = bench.operator.transactions().iter().map(|report| report.readings[0].context).collect();
    assert_eq!(contexts, [charge::meter::Context::SamplePeriodic; 3], "TC_070_CS");
    bench.operator.heard.clear();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    assert_eq!(stages(&mut bench), [Stage::Ended], "TC_068_CS");
    // TC_037_2_CS: begun without a line by a card that the operator does not want, and to go on all the same
    let mut bench = Bench::ready(Version::V16);
    write(&mut bench, "StopTransactionOnInvalidId", "false");
    write(&mut bench, "AllowOfflineTxForUnknownId", "true");
    bench.cut();
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.operator.refuses = true;
    bench.connect(Version::V16);
    assert_eq!(stages(&mut bench), [Stage::Started], "TC_037_2_CS");
    // TC_018_2_CS: a cable of the station's own has nothing to unlock, and the charge goes on
    let mut bench = Bench::ready(Version::V16);
    bench.hand(two(), Deed::Plug(dc_car())).unwrap();
    bench.hand(two(), Deed::Tap(card("A"))).unwrap();
    assert_eq!(bench.order(ToStation::Unlock { evse: two() }), refused("NotSupported"), "TC_018_2_CS");
    assert_eq!(bench.bay(two()).phase, Phase::Charging, "TC_018_2_CS");
}

#[test]
fn what_breaks() {
    // TC_024_CS: the plug cannot be locked, so nothing begins; TC_030_CS: and it cannot be unlocked
    let mut bench = Bench::ready(Version::V16);
    bench.hand(one(), Deed::Break("ConnectorLockFailure".into())).unwrap();
    let fault = bench.operator.heard.iter().find_map(|said| match said {
        FromStation::Status(report) => Some((report.state, report.fault.clone())),
        _ => None,
    });
    let (state, fault) = fault.unwrap();
    assert_eq!(
        (state, fault.is_some_and(|fault| fault.contains("ConnectorLockFailure"))),
        (BayState::Faulted, true),
        "TC_024_CS"
    );
    assert!(bench.hand(one(), Deed::Tap(card("A"))).is_err(), "TC_024_CS");
    assert_eq!(stages(&mut bench), [], "TC_024_CS");
    assert_eq!(bench.order(ToStation::Unlock { evse: one() }), refused("UnlockFailed"), "TC_030_CS");
    // TC_041_CS: a fault is told, and that it is over
    let mut bench = Bench::ready(Version::V16);
    bench.hand(one(), Deed::Break("GroundFailure".into())).unwrap();
    bench.hand(one(), Deed::Repair).unwrap();
    assert_eq!(bench.operator.states(one()), [BayState::Faulted, BayState::Available], "TC_041_CS");
}

#[test]
fn certificates_and_signed_firmware() {
    use CertificateUse::{ManufacturerRoot, OperatorRoot};
    let mut bench = Bench::ready(Version::V16);
    for (case, used_for, name) in
        [("TC_075_1_CS", ManufacturerRoot, "Maker"), ("TC_075_2_CS", OperatorRoot, "Centre of it")]
    {
        let order = CertificateOrder::Install { used_for, certificate: root(name) };
        assert_eq!(bench.order(ToStation::Certificate(order)), StationAnswer::Accepted, "{case}");
    }
    let held = bench.order(ToStation::Certificate(CertificateOrder::List(vec![ManufacturerRoot])));
    let StationAnswer::Certificates(held) = held else { panic!("TC_075_1_CS: {held:?}") };
    assert_eq!(held.len(), 1, "TC_075_1_CS");
    let mut delete = || bench.order(ToStation::Certificate(CertificateOrder::Delete(held[0].hash.clone())));
    assert_eq!([delete(), delete()], [StationAnswer::Accepted, refused("NotFound")], "TC_076_CS");
    let (good, forged) = (IMAGE, &b"version: 6.6.6\n"[..]);
    let whole = ["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting"];
    for (case, image, steps) in
        [("TC_080_CS", good, &whole[..]), ("TC_082_CS", forged, &["Downloading", "Downloaded", "InvalidSignature"])]
    {
        let mut bench = Bench::ready(Version::V16);
        assert_eq!(bench.order(update(4, (0, None), made(IMAGE))), StationAnswer::Accepted, "{case}");
        fetched(&mut bench, 60, Some(image));
        let mut told = Vec::new();
        for said in bench.operator.heard.drain(..) {
            if let FromStation::Progress(progress) = said {
                assert_eq!(progress.request, Some(4), "{case}");
                told.push(progress.status.to_string());
            }
        }
        assert_eq!(told, steps, "{case}");
        assert_eq!(bench.reboots, u32::from(case == "TC_080_CS"), "{case}");
    }
}
