#![allow(clippy::unwrap_used, reason = "a test may panic")]

use charge::Clock;
use charge::clock::SystemClock;

use super::*;
use crate::certificate::KeyKind;
use crate::dice::SystemDice;
use crate::keyfile::tests::Scratch;

const DAY: Duration = Duration::from_secs(86_400);

fn now() -> Timestamp {
    SystemClock.now()
}

fn authority() -> Authority {
    Authority::create("Test stations", DAY * 365, now(), &SystemDice).unwrap()
}

#[test]
fn a_station_certificate_says_what_ocpp_wants() {
    // proves: ocpp-2.0.1 A00.FR.404, A00.FR.405, A00.FR.511
    let issued = Timestamp::from_secs(1_800_000_000);
    let authority = Authority::create("Test stations", DAY * 365, issued, &SystemDice).unwrap();
    let identity = authority.station_certificate("SN-0001", "Stadtwerke Ähre", DAY * 30, issued, &SystemDice).unwrap();
    let facts = identity.facts().unwrap();
    assert_eq!(facts.common_name.as_deref(), Some("SN-0001"));
    assert_eq!(facts.organisation.as_deref(), Some("Stadtwerke Ähre"));
    assert_eq!(facts.issuer.as_deref(), Some("Test stations"));
    assert_eq!(facts.key_kind, KeyKind::P256);
    assert_eq!(facts.not_before, issued.minus(BACKDATED));
    assert_eq!(facts.not_after, issued.plus(DAY * 30));
    assert_eq!(facts.serial_hex.len(), 32);
    assert_eq!(facts.fingerprint.len(), 64);
    assert!(facts.valid_at(issued) && facts.valid_at(facts.not_after));
    assert!(!facts.valid_at(facts.not_after.plus(Duration::from_secs(1))));
}

#[test]
fn two_certificates_of_one_station_can_be_told_apart() {
    let authority = authority();
    let issue = || authority.station_certificate("SN-1", "O", DAY, now(), &SystemDice).unwrap().facts().unwrap();
    let (a, b) = (issue(), issue());
    assert_ne!(a.serial_hex, b.serial_hex);
    assert_ne!(a.fingerprint, b.fingerprint);
}

#[test]
fn a_party_certificate_names_the_party() {
    let party = PartyId::new("DE", "8AA").unwrap();
    let identity = authority().party_certificate(party, DAY, now(), &SystemDice).unwrap();
    assert_eq!(identity.facts().unwrap().common_name.as_deref(), Some("DE-8AA"));
}

#[test]
fn a_server_certificate_brings_its_authority_along() {
    // proves: A00.FR.510
    let names = ["csms.example".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let authority = authority();
    let identity = authority.server_certificate(&names, DAY, now(), &SystemDice).unwrap();
    assert_eq!(identity.facts().unwrap().common_name.as_deref(), Some("csms.example"));
    let chain: Vec<_> = CertificateDer::pem_slice_iter(identity.chain_pem.as_bytes()).map(Result::unwrap).collect();
    assert_eq!(chain.len(), 2);
    assert_eq!(Facts::read(&chain[1]).unwrap(), *authority.facts());
}

#[test]
fn nothing_outlives_its_authority() {
    let authority = Authority::create("Short", DAY, now(), &SystemDice).unwrap();
    let facts = authority.station_certificate("SN-1", "O", DAY * 900, now(), &SystemDice).unwrap().facts().unwrap();
    assert_eq!(facts.not_after, authority.facts().not_after);
    let late = now().plus(DAY * 2);
    let refused = authority.station_certificate("SN-1", "O", DAY, late, &SystemDice);
    assert!(matches!(refused, Err(PkiFault::AuthorityNotValid(_))));
}

#[test]
fn bad_names_are_not_signed() {
    let authority = authority();
    for name in ["", "  ", "SN\n1", &"x".repeat(65)] {
        let refused = authority.station_certificate(name, "O", DAY, now(), &SystemDice);
        assert!(matches!(refused, Err(PkiFault::BadName)), "{name:?}");
    }
    for name in ["", "two words", "*.example", "a..b"] {
        let refused = authority.server_certificate(&[name.to_owned()], DAY, now(), &SystemDice);
        assert!(matches!(refused, Err(PkiFault::BadServerName(_))), "{name:?}");
    }
    assert!(matches!(authority.server_certificate(&[], DAY, now(), &SystemDice), Err(PkiFault::ServerNames)));
}

#[test]
fn an_authority_survives_its_storage_and_still_issues() {
    let scratch = Scratch::new();
    let path = scratch.path("authority.pem");
    let authority = authority();
    authority.identity().write(&path).unwrap();
    let again = Authority::load(&Identity::read(&path).unwrap()).unwrap();
    assert_eq!(again.facts(), authority.facts());
    assert_eq!(again.certificate_pem(), authority.certificate_pem());
    let identity = again.station_certificate("SN-1", "O", DAY, now(), &SystemDice).unwrap();
    assert_eq!(identity.facts().unwrap().issuer.as_deref(), Some("Test stations"));
}

#[test]
fn what_is_no_authority_does_not_become_one() {
    let authority = authority();
    let station = authority.station_certificate("SN-1", "O", DAY, now(), &SystemDice).unwrap();
    assert!(matches!(Authority::load(&station), Err(PkiFault::NotAnAuthority)));
    let mixed = Identity { chain_pem: authority.certificate_pem().to_owned(), key_pem: station.key_pem };
    assert!(matches!(Authority::load(&mixed), Err(PkiFault::KeyMismatch)));
    let garbage = Identity { chain_pem: "adsad".to_owned(), key_pem: Secret::new("adsad".to_owned()) };
    assert!(matches!(Authority::load(&garbage), Err(PkiFault::Malformed)));
}

#[test]
fn a_damaged_identity_file_is_named() {
    let scratch = Scratch::new();
    let path = scratch.path("server.pem");
    private_file::write(&path, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
    let fault = Identity::read(&path).unwrap_err();
    assert!(matches!(fault, FileFault::Malformed { .. }));
    assert!(fault.to_string().contains("server.pem"));
}
