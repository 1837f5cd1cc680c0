#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::fixture::{shared, signer};

#[test]
fn one_key_in_all_its_spellings() {
    let key = signer("M1").public_key();
    let hex = key.spki_hex();
    let spki = trust::hex::decode(hex.as_bytes()).unwrap();
    let point = &spki[spki.len() - 65..];
    let grouped = |size: usize, separator: &str| {
        hex.as_bytes().chunks(size).map(|c| std::str::from_utf8(c).unwrap()).collect::<Vec<_>>().join(separator)
    };
    let standard = base64::engine::general_purpose::STANDARD;
    let spellings = [
        hex.to_lowercase(),
        format!("0x{hex}"),
        grouped(4, " "),
        grouped(2, ":"),
        grouped(2, ";"),
        grouped(64, "\n"),
        standard.encode(&spki),
        standard.encode(&spki).trim_end_matches('=').to_owned(),
        trust::hex::encode(point),
        trust::hex::encode(&point[1..]),
        format!("{} {}", trust::hex::encode(&point[1..33]), trust::hex::encode(&point[33..]).to_uppercase()),
        standard.encode(point),
        format!("oca:base16:asn1:{hex}"),
        key.ocpp_text(),
        format!("  {hex}\r\n"),
    ];
    for spelling in spellings {
        assert_eq!(PublicKey::read(&spelling).as_ref(), Ok(&key), "{spelling}");
    }
    assert_eq!(key.fingerprint().len(), 64);
    assert_eq!(key.curve(), "secp256r1");
}

#[test]
fn what_is_no_key_says_why() {
    let hex = signer("M1").public_key().spki_hex();
    let mut off = hex.clone();
    let last = if off.ends_with('0') { "1" } else { "0" };
    off.replace_range(off.len() - 1.., last);
    assert_eq!(PublicKey::read(&off), Err(KeyFault::NotOnCurve { curve: "secp256r1" }));
    assert_eq!(PublicKey::read(&hex[..hex.len() - 2]), Err(KeyFault::Shape { bytes: 90 }));
    assert_eq!(PublicKey::read(""), Err(KeyFault::NotEncoded));
    assert_eq!(PublicKey::read("${jndi:ldap://x}"), Err(KeyFault::NotEncoded));
    assert!(matches!(PublicKey::read(&"00".repeat(5_000)), Err(KeyFault::Shape { .. })));
    let brainpool = hex.replacen("06082A8648CE3D030107", "06082A8648CE3D030199", 1);
    assert_eq!(PublicKey::read(&brainpool), Err(KeyFault::Curve));
}

/// The keys of the German charging register of 2019 as published, copying errors included. The counts of points were
/// confirmed with the curve equations outside this code; four P-256 keys have an `l` for an `I` in their curve's name.
#[test]
fn the_keys_of_the_german_register_are_told_apart() {
    let Some(text) = shared("data/poi/bnetza-public-keys-raw.txt") else { return };
    let (mut p256, mut p192, mut off_curve, mut curve, mut broken) = (0, 0, 0, 0, 0);
    for line in text.lines().filter(|line| !matches!(line.trim(), "" | "-----")) {
        match PublicKey::read(line).as_ref().map(PublicKey::curve) {
            Ok("secp256r1") => p256 += 1,
            Ok("secp192r1") => p192 += 1,
            Ok(curve) => panic!("{curve}"),
            Err(KeyFault::NotOnCurve { .. }) => off_curve += 1,
            Err(KeyFault::Curve) => curve += 1,
            Err(KeyFault::NotEncoded | KeyFault::Shape { .. }) => broken += 1,
        }
    }
    assert_eq!((p256, p192, off_curve, curve, broken), (272, 122, 10, 4, 5));
}
