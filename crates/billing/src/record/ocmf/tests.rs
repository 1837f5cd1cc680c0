#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::fixture::{alias, begin, end, signed, signer};
use crate::record::{KeySource, Verdict, verify};

fn text(record: &SignedRecord) -> String {
    String::from_utf8(record.bytes.to_vec()).unwrap()
}

#[test]
fn a_record_has_the_lowest_version_a_meter_and_a_canonical_register() {
    let signer = signer("M1");
    let record = text(&signed(&signer, 7, &[begin(100), end(12_600)]));
    assert!(record.starts_with(r#"OCMF|{"FV":"1.0","GI":"Leyden VS""#), "{record}");
    for part in [
        r#""PG":"T7""#,
        r#""MS":"M1""#,
        r#""IT":"CENTRAL","ID":"A1B2C3D4E5""#,
        r#""CT":"EVSEID","CI":"DE*LEY*E0001""#,
        r#""TM":"2026-11-22T10:00:00,000+0000 S","TX":"B","RV":0.100000,"RI":"01-00:B0.08.00*FF","RU":"kWh""#,
        r#""SA":"ECDSA-secp256r1-SHA256""#,
    ] {
        assert!(record.contains(part), "{part} in {record}");
    }
    let evse = EvseId::new("DE*LEY*E0001").unwrap();
    let tariff = signer.sign(8, &[begin(0), end(1)], &alias("X"), &evse, Some("001;EUR;0;35;5;30")).unwrap();
    assert!(text(&tariff).contains(r#""FV":"1.1""#));
}

#[test]
fn the_same_reading_signs_to_the_same_bytes() {
    let signer = signer("M1");
    let readings = [begin(100), end(200)];
    assert_eq!(signed(&signer, 1, &readings), signed(&signer, 1, &readings));
}

#[test]
fn a_milliwatt_hour_is_not_lost() {
    let signer = signer("M1");
    let mut last = end(0);
    last.energy = Energy::from_mwh(12_345_678);
    let record = signed(&signer, 1, &[begin(0), last]);
    assert!(text(&record).contains(r#""RV":12.345678"#));
    let key = signer.public_key();
    let Verdict::Valid(verified) = verify(&[record], Some((&key, KeySource::Register))) else { panic!() };
    assert_eq!(verified.energy(), Energy::from_mwh(12_345_678));
}

#[test]
fn what_is_no_key_signs_nothing() {
    let plate = || signer("M1").plate().clone();
    let gateway = || GatewayPlate { id: "G".into(), serial: "1".into(), version: "1".into() };
    let key = trust::sign::SigningKey::generate().unwrap().to_pkcs8_der().unwrap();
    assert!(Signer::new(key.expose(), plate(), gateway()).is_ok());
    for cut in 0..key.expose().len().min(60) {
        assert_eq!(Signer::new(&key.expose()[..cut], plate(), gateway()).err(), Some(SignFault::BadKey), "{cut}");
    }
    let mut other_curve = key.expose().clone();
    let curve = other_curve.windows(3).position(|w| w == [0x03, 0x01, 0x07]).unwrap();
    other_curve[curve + 2] = 0x01;
    assert_eq!(Signer::new(&other_curve, plate(), gateway()).err(), Some(SignFault::BadKey));
}

#[test]
fn a_record_without_readings_or_with_a_pipe_is_refused() {
    let signer = signer("M1");
    let evse = EvseId::new("DE*LEY*E0001").unwrap();
    assert!(matches!(signer.sign(1, &[], &alias("X"), &evse, None), Err(SignFault::Content(_))));
    assert!(matches!(signer.sign(1, &[begin(0)], &alias("a|b"), &evse, None), Err(SignFault::Content(_))));
}
