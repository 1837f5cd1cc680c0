//! The station as it is run, `leyden station`: it moves to another password, another certificate and another central
//! system when it is told to, and comes back where it does not get there.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use trust::dice::SystemDice;
use trust::pki::{Authority, SigningRequest};
use trust::tls::{ClientCertificates, Trusted};

use super::hand::{Csms, Door, Folder, ID, PASSWORD, leyden, now};
use super::knocks::{authority, pair, secured};

/// Longer than any of these tests.
const DAY: Duration = Duration::from_secs(86_400);

/// The program, for as long as this lives.
struct Program {
    _child: Child,
    folder: Folder,
}

impl Program {
    fn at(door: &Door, more: &[(&str, &str, &str)]) -> Self {
        let folder = Folder::new();
        let mut command = Command::new(leyden());
        command.args(["station", &door.base(), "--id", ID, "--control", "-", "--speed", "60"]);
        for (option, file, text) in more {
            std::fs::write(folder.path(file), text).unwrap();
            std::fs::set_permissions(folder.path(file), std::fs::Permissions::from_mode(0o600)).unwrap();
            command.arg(option).arg(folder.path(file));
        }
        // it stays until the end of its input
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        Self { _child: child, folder }
    }
}

async fn write(csms: &mut Csms, component: &str, variable: &str, value: &str) -> Value {
    let row = json!({"component": {"name": component}, "variable": {"name": variable}, "attributeValue": value});
    csms.ask("SetVariables", json!({"setVariableData": [row]})).await["setVariableResult"][0]["attributeStatus"].take()
}

async fn read(csms: &mut Csms, component: &str, variable: &str) -> Value {
    let row = json!({"component": {"name": component}, "variable": {"name": variable}});
    csms.ask("GetVariables", json!({"getVariableData": [row]})).await["getVariableResult"][0]["attributeValue"].take()
}

/// Names a second central system, prefers it, and restarts.
async fn sent_to(csms: &mut Csms, url: &str, profile: u8, case: &str) {
    let network = json!({"configurationSlot": 2, "connectionData": {
        "messageTimeout": 30, "ocppCsmsUrl": url, "ocppInterface": "Wired0", "ocppTransport": "JSON",
        "ocppVersion": "OCPP20", "securityProfile": profile,
    }});
    assert_eq!(csms.ask("SetNetworkProfile", network).await["status"], "Accepted", "{case}");
    let preferred = write(csms, "OCPPCommCtrlr", "NetworkConfigurationPriority", "2,1").await;
    assert_eq!(preferred, "RebootRequired", "{case}");
    assert_eq!(csms.ask("Reset", json!({"type": "OnIdle"})).await["status"], "Accepted", "{case}");
}

async fn restarted(csms: &mut Csms, case: &str) {
    assert_eq!(csms.until("BootNotification").await["reason"], "RemoteReset", "{case}");
    assert_eq!(csms.until("StatusNotification").await["connectorStatus"], "Available", "{case}");
}

#[tokio::test]
async fn a_new_password_is_shown_at_once_as_the_case_asks() {
    // TC_A_09_CS
    let door = Door::open(None).await;
    let _program = Program::at(&door, &[("--password-file", "password", PASSWORD)]);
    let mut csms = door.let_in().await;
    assert_eq!(csms.authorization, pair(PASSWORD), "TC_A_09_CS");
    csms.until("BootNotification").await;
    let fresh = "another-password-of-this-line";
    assert_eq!(write(&mut csms, "SecurityCtrlr", "BasicAuthPassword", fresh).await, "Accepted", "TC_A_09_CS");
    assert_eq!(door.let_in().await.authorization, pair(fresh), "TC_A_09_CS");
}

#[tokio::test]
async fn a_new_certificate_is_shown_at_once_as_the_case_asks() {
    // TC_A_11_CS
    let root = authority("Charging Root");
    let trusted = Trusted { roots_pem: root.certificate_pem().to_owned(), on_refused: Arc::new(|_| {}) };
    let door = secured(&root, "localhost", ClientCertificates::Required(trusted)).await;
    let own = root.station_certificate(ID, "Voltwerk", DAY, now(), &SystemDice).unwrap();
    let both = format!("{}{}", own.key_pem.expose(), own.chain_pem);
    let _program =
        Program::at(&door, &[("--roots", "roots.pem", root.certificate_pem()), ("--identity", "own.pem", &both)]);
    let mut csms = door.let_in().await;
    assert_eq!(door.shown().unwrap(), der(&own.chain_pem), "TC_A_11_CS");
    csms.until("BootNotification").await;
    let trigger = json!({"requestedMessage": "SignChargingStationCertificate"});
    assert_eq!(csms.ask("TriggerMessage", trigger).await["status"], "Accepted", "TC_A_11_CS");
    let csr = csms.until("SignCertificate").await["csr"].as_str().unwrap().to_owned();
    let chain = sign(&root, &csr);
    let signed = json!({"certificateChain": chain, "certificateType": "ChargingStationCertificate"});
    assert_eq!(csms.ask("CertificateSigned", signed).await["status"], "Accepted", "TC_A_11_CS");
    let _again = door.let_in().await;
    assert_eq!(door.shown().unwrap(), der(&chain), "TC_A_11_CS");
}

/// The first certificate of a chain.
fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().skip(1).take_while(|line| !line.starts_with("-----")).collect();
    BASE64_STANDARD.decode(body).unwrap()
}

#[tokio::test]
async fn a_station_moves_to_another_central_system_as_the_cases_ask() {
    // TC_B_45_CS
    let (old, new) = (Door::open(None).await, Door::open(None).await);
    let program = Program::at(&old, &[("--password-file", "password", PASSWORD)]);
    let mut csms = old.let_in().await;
    csms.until("BootNotification").await;
    sent_to(&mut csms, &new.base(), 1, "TC_B_45_CS").await;
    let mut csms = new.let_in().await;
    restarted(&mut csms, "TC_B_45_CS").await;
    drop(program);
    // TC_B_46_CS: nobody is there
    let door = Door::open(None).await;
    let program = Program::at(&door, &[("--password-file", "password", PASSWORD)]);
    let mut csms = door.let_in().await;
    csms.until("BootNotification").await;
    let tries = write(&mut csms, "OCPPCommCtrlr", "NetworkProfileConnectionAttempts", "2").await;
    assert_eq!(tries, "Accepted", "TC_B_46_CS");
    let nobody = Door::open(None).await.base();
    sent_to(&mut csms, &nobody, 1, "TC_B_46_CS").await;
    let mut csms = door.let_in().await;
    restarted(&mut csms, "TC_B_46_CS").await;
    assert!(program.folder.path("password").exists());
}

#[tokio::test]
async fn a_station_moves_to_more_security_as_the_cases_ask() {
    // TC_A_19_CS
    let root = authority("Charging Root");
    let (plain, tls) = (Door::open(None).await, secured(&root, "localhost", ClientCertificates::None).await);
    let _program = Program::at(&plain, &[("--password-file", "password", PASSWORD)]);
    let mut csms = plain.let_in().await;
    csms.until("BootNotification").await;
    let install = json!({"certificateType": "CSMSRootCertificate", "certificate": root.certificate_pem()});
    assert_eq!(csms.ask("InstallCertificate", install).await["status"], "Accepted", "TC_A_19_CS");
    sent_to(&mut csms, &tls.base(), 2, "TC_A_19_CS").await;
    let mut csms = tls.let_in().await;
    restarted(&mut csms, "TC_A_19_CS").await;
    assert_eq!(read(&mut csms, "SecurityCtrlr", "SecurityProfile").await, "2", "TC_A_19_CS");
    assert_eq!(read(&mut csms, "OCPPCommCtrlr", "NetworkConfigurationPriority").await, "2", "TC_A_19_CS");
    // TC_B_50_CS: from there to whoever has a certificate of another authority
    let other = authority("Another Root");
    let elsewhere = secured(&other, "localhost", ClientCertificates::None).await;
    let _program = Program::at(
        &tls,
        &[("--password-file", "password", PASSWORD), ("--roots", "roots.pem", root.certificate_pem())],
    );
    let mut csms = tls.let_in().await;
    csms.until("BootNotification").await;
    let install = json!({"certificateType": "CSMSRootCertificate", "certificate": other.certificate_pem()});
    assert_eq!(csms.ask("InstallCertificate", install).await["status"], "Accepted", "TC_B_50_CS");
    sent_to(&mut csms, &elsewhere.base(), 2, "TC_B_50_CS").await;
    let mut csms = elsewhere.let_in().await;
    restarted(&mut csms, "TC_B_50_CS").await;
}

fn sign(root: &Authority, csr: &str) -> String {
    let request = SigningRequest::read(csr).unwrap();
    assert!(request.is_strong(), "A00.FR.507");
    root.certify(&request, ID, "Voltwerk", DAY, now(), &SystemDice).unwrap().0
}
