//! How the station knocks, and at whose door it does not come in.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use trust::dice::SystemDice;
use trust::pki::Authority;
use trust::tls::{ClientCertificates, Trusted};

use super::hand::{Csms, Door, Guest, ID, PASSWORD, now, number};

const DAY: Duration = Duration::from_secs(86_400);

/// The states that a station tells once it is let in.
async fn booted(csms: &mut Csms, case: &str) {
    let boot = csms.until("BootNotification").await;
    assert_eq!(boot["reason"], "PowerUp", "{case}");
    assert_eq!(csms.until("StatusNotification").await["connectorStatus"], "Available", "{case}");
}

pub(super) fn pair(password: &str) -> Option<String> {
    Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{ID}:{password}"))))
}

#[tokio::test]
async fn a_password_is_shown_and_kept_as_the_cases_ask() {
    let door = Door::open(None).await;
    let _guest = Guest::dialling(number(door.url(), Some(PASSWORD), None)).await;
    // TC_A_01_CS: the name in the address is the name in the header
    let mut csms = door.let_in().await;
    assert_eq!(csms.authorization, pair(PASSWORD), "TC_A_01_CS");
    assert!(csms.path.ends_with(&format!("/{ID}")), "TC_A_01_CS: {}", csms.path);
    booted(&mut csms, "TC_A_01_CS").await;
    // TC_A_10_CS: one that is too short is refused, and the old one is shown again
    let row = json!({
        "component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}, "attributeValue": "too-short",
    });
    let answer = csms.ask("SetVariables", json!({"setVariableData": [row]})).await;
    assert_eq!(answer["setVariableResult"][0]["attributeStatus"], "Rejected", "TC_A_10_CS");
    csms.close().await;
    assert_eq!(door.let_in().await.authorization, pair(PASSWORD), "TC_A_10_CS");
}

pub(super) fn authority(name: &str) -> Authority {
    Authority::create(name, DAY, now(), &SystemDice).unwrap()
}

/// A door with a certificate of this authority for this name.
pub(super) async fn secured(by: &Authority, name: &str, clients: ClientCertificates) -> Door {
    let identity = by.server_certificate(&[name.to_owned()], DAY, now(), &SystemDice).unwrap();
    Door::open(Some(trust::tls::server(&identity, clients, &[]).unwrap())).await
}

#[tokio::test]
async fn a_station_comes_in_where_it_trusts_the_door_as_the_cases_ask() {
    let root = authority("Charging Root");
    // TC_A_04_CS: with a password over TLS
    let door = secured(&root, "localhost", ClientCertificates::None).await;
    let tls = trust::tls::client(root.certificate_pem(), None, &[]).unwrap();
    let _guest = Guest::dialling(number(door.url(), Some(PASSWORD), Some(tls))).await;
    let mut csms = door.let_in().await;
    assert_eq!(csms.authorization, pair(PASSWORD), "TC_A_04_CS");
    booted(&mut csms, "TC_A_04_CS").await;
    // TC_A_07_CS: with a certificate, and no password
    let trusted = Trusted { roots_pem: root.certificate_pem().to_owned(), on_refused: Arc::new(|_| {}) };
    let door = secured(&root, "localhost", ClientCertificates::Required(trusted)).await;
    let own = root.station_certificate(ID, "Voltwerk", DAY, now(), &SystemDice).unwrap();
    let tls = trust::tls::client(root.certificate_pem(), Some(&own), &[]).unwrap();
    let _guest = Guest::dialling(number(door.url(), None, Some(tls))).await;
    let mut csms = door.let_in().await;
    assert_eq!(csms.authorization, None, "TC_A_07_CS");
    booted(&mut csms, "TC_A_07_CS").await;
}

#[tokio::test]
async fn a_station_does_not_come_in_where_it_does_not_and_tells_so_as_the_case_asks() {
    // TC_A_05_CS: an authority that it does not know, and a name that is not the door's
    let (root, other) = (authority("Charging Root"), authority("Another Root"));
    for (by, name) in [(&other, "localhost"), (&root, "csms.example")] {
        let bad = secured(by, name, ClientCertificates::None).await;
        let good = secured(&root, "localhost", ClientCertificates::None).await;
        let tls = || trust::tls::client(root.certificate_pem(), None, &[]).unwrap();
        let guest = Guest::dialling(number(bad.url(), Some(PASSWORD), Some(tls()))).await;
        bad.shunned().await;
        let mut in_vain = guest.line.in_vain();
        in_vain.wait_for(|tries| *tries > 0).await.unwrap();
        guest.line.redial(number(good.url(), Some(PASSWORD), Some(tls()))).unwrap();
        let mut csms = good.let_in().await;
        booted(&mut csms, "TC_A_05_CS").await;
        let mut kinds = Vec::new();
        while !kinds.contains(&"InvalidCsmsCertificate".to_owned()) {
            kinds.push(csms.until("SecurityEventNotification").await["type"].as_str().unwrap().to_owned());
            assert!(kinds.len() < 3, "TC_A_05_CS: {kinds:?}");
        }
    }
}
