//! Charging stations that are not ours: the PyPI package `ocpp`, which checks every message against the official
//! schemas. Needs `LEYDEN_PYTHON`; says so where it is missing.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::peer::{python, skipped};
use super::settle::{Credential, Driver, Enrol, Network, session_of_order, start_by_phone};
use super::wait::{PATIENCE, until};

/// What the script delivers in its two sessions.
const DELIVERED_WH: [i64; 2] = [1_234, 1_000];

/// Version, identity, serial number where it comes with a certificate, card.
const RUNS: [(&str, &str, Option<&str>, &str); 6] = [
    ("1.6", "FOREIGN-16-KEY", None, "04F0000001AA01"),
    ("1.6", "FOREIGN-16-CERT", Some("SN-16-CERT"), "04F0000001AA02"),
    ("2.0.1", "FOREIGN-201-KEY", None, "04F0000001AA03"),
    ("2.0.1", "FOREIGN-201-CERT", Some("SN-201-CERT"), "04F0000001AA04"),
    ("2.1", "FOREIGN-21-KEY", None, "04F0000001AA05"),
    ("2.1", "FOREIGN-21-CERT", Some("SN-21-CERT"), "04F0000001AA06"),
];

#[tokio::test(flavor = "multi_thread")]
async fn foreign_stations_charge_by_card_and_from_afar_in_every_version_and_both_profiles() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return skipped("foreign stations", &why),
    };
    let network = Network::start().await;
    for (number, (version, id, serial, card)) in RUNS.into_iter().enumerate() {
        let credential = network.enrol(&Enrol { serial, ..Enrol::plain(id) }).await;
        let driver = network.driver(number % 2, &format!("foreign{number}"), card).await;
        let steps = play(&python, &network, (version, id, serial), &credential, &driver).await;
        let wanted = ["boot", "unknown-token", "authorize", "session", "waiting-for-remote-start", "remote-start"];
        let said: Vec<&str> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
        assert_eq!(said, [wanted.as_slice(), &["remote-stop", "done"]].concat(), "{id}");
        check(&network, id, number % 2, &driver).await;
    }
}

/// Runs the script to its end, and does at the driver's phone what it waits for.
async fn play(
    python: &Path,
    network: &Network,
    (version, id, serial): (&str, &str, Option<&str>),
    credential: &Credential,
    driver: &Driver,
) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/station.py");
    let proof = match credential {
        Credential::Password(_) => "--password-file",
        Credential::Certificate(_) => "--identity",
    };
    let mut command = Command::new(python);
    command.arg(script).arg(version).arg(format!("wss://localhost:{}/ocpp", network.house.line_port())).arg(id);
    command.arg("--ca").arg(network.house.path("pki/root.pem")).arg("--tag").arg(&driver.card);
    command.arg(proof).arg(network.keep(id, credential));
    command.args(serial.iter().flat_map(|serial| ["--serial", serial]));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut steps: Vec<Value> = Vec::new();
    let mut order = None;
    while let Some(line) = lines.next_line().await.unwrap() {
        let step: Value = serde_json::from_str(&line).unwrap();
        match step["step"].as_str().unwrap() {
            "waiting-for-remote-start" => order = Some(start_by_phone(&driver.phone, id).await),
            "remote-start" => {
                let session = session_of_order(&driver.phone, order.as_deref().unwrap()).await;
                driver.phone.post(&format!("/driver/sessions/{session}/stop"), &Value::Null).await;
            }
            _ => {}
        }
        steps.push(step);
    }
    let ended = tokio::time::timeout(PATIENCE, child.wait()).await.expect("the script ends").unwrap();
    assert!(ended.success(), "{id}: {ended} after {steps:?}");
    steps
}

/// What operator and provider have of the two sessions.
async fn check(network: &Network, id: &str, provider: usize, driver: &Driver) {
    network.all_settled(PATIENCE).await;
    let sessions = network.sessions_of(id).await;
    let energies: Vec<i64> = sessions.iter().map(|session| session["energy_wh"].as_i64().unwrap()).collect();
    assert_eq!(energies, DELIVERED_WH, "{id}");
    assert_eq!(sessions.iter().map(|session| session["remote"] == true).collect::<Vec<_>>(), [false, true], "{id}");
    let cdrs = network.operator.all("/cdrs?state=delivered").await;
    for session in &sessions {
        assert_eq!(session["state"], "closed");
        assert!(cdrs.iter().any(|cdr| cdr["session"] == session["id"]), "{id}: a session without a delivered CDR");
    }
    let own = until("both sessions to be billed on the phone", async || {
        let own = driver.phone.look("/driver/sessions").await?;
        let own = own["items"].as_array()?.clone();
        (own.len() == 2 && own.iter().all(|session| session["verdict"].is_string())).then_some(own)
    })
    .await;
    let mut billed: Vec<i64> = own.iter().map(|session| session["energy_wh"].as_i64().unwrap()).collect();
    billed.sort_unstable_by_key(|wh| std::cmp::Reverse(*wh));
    assert_eq!(billed, DELIVERED_WH, "{id}");
    let disputes = network.providers[provider].get("/disputes").await;
    assert_eq!(disputes["total"], 0, "{id}: {disputes}");
}

/// Patience of the script itself, which is shorter than ours.
const _: () = assert!(PATIENCE.as_secs() > Duration::from_secs(30).as_secs());
