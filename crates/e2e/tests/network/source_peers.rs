//! Stations and central systems that no registry has (`make interop`). Each is a ready program of yours, named by an
//! environment variable, that is told by its environment what to do; what is not set is skipped loudly. How such a
//! program is made for each peer is in `docs/guides/foreign-peers.md`. Nothing of theirs is here.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::process::Command;

use super::house::{Folder, free_port, leyden};
use super::settle::{Credential, Enrol, Network};
use super::wait::until_within;

/// A foreign station: its variable, the versions it speaks, and how it proves itself and what it does by itself.
struct ForeignStation {
    variable: &'static str,
    versions: &'static [&'static str],
    certificate: bool,
    /// The versions in which it holds the card to its reader and charges without being told. SAP's driver of 2.0.1 says
    /// that its card is a `Local` token, which no provider has.
    charges: &'static [&'static str],
}

const STATIONS: [ForeignStation; 4] = [
    ForeignStation { variable: "LEYDEN_PEER_SAP", versions: &["1.6", "2.0.1"], certificate: false, charges: &["1.6"] },
    ForeignStation { variable: "LEYDEN_PEER_MICROOCPP", versions: &["1.6", "2.0.1"], certificate: false, charges: &[] },
    ForeignStation {
        variable: "LEYDEN_PEER_OCPP_GO",
        versions: &["1.6", "2.0.1"],
        certificate: true,
        charges: &["1.6"],
    },
    ForeignStation {
        variable: "LEYDEN_PEER_SOLIDSTUDIO",
        versions: &["1.6", "2.0.1", "2.1"],
        certificate: false,
        charges: &[],
    },
];
/// Foreign central systems and their versions.
const CENTRAL: [(&str, &[&str]); 2] =
    [("LEYDEN_PEER_SAP_CSMS", &["1.6", "2.0.1"]), ("LEYDEN_PEER_OCPP_GO_CSMS", &["1.6", "2.0.1"])];

/// ocpp-go cannot be told another card than this one.
const CARD: &str = "12345";
/// They start slowly, and charge in real time.
const PATIENCE: Duration = Duration::from_secs(300);

fn program(variable: &str) -> Option<std::ffi::OsString> {
    let found = std::env::var_os(variable);
    if found.is_none() {
        eprintln!("SKIPPED, {variable} is not set: see docs/guides/foreign-peers.md");
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs programs that no registry has: make interop"]
async fn foreign_stations_boot_answer_an_order_and_charge() {
    let peers: Vec<_> = STATIONS.iter().filter_map(|peer| program(peer.variable).map(|it| (peer, it))).collect();
    if peers.is_empty() {
        return;
    }
    let network = Network::start().await;
    network.driver(0, "abroad", CARD).await;
    for (peer, program) in peers {
        for version in peer.versions {
            let id = format!("{}-{}", peer.variable.replace('_', "-"), version.replace('.', ""));
            let serial = peer.certificate.then(|| format!("SN-{id}"));
            let credential = network.enrol(&Enrol { serial: serial.as_deref(), ..Enrol::plain(&id) }).await;
            let mut command = Command::new(&program);
            command.env("LEYDEN_URL", format!("wss://localhost:{}/ocpp", network.house.line_port()));
            command.env("LEYDEN_ID", &id).env("LEYDEN_VERSION", version).env("LEYDEN_CARD", CARD);
            command.env("LEYDEN_ROOTS", network.house.path("pki/root.pem"));
            command.env("LEYDEN_ADMIN_PORT", free_port().to_string());
            command.env("LEYDEN_SECRET_FILE", network.keep(&id, &credential));
            if let Credential::Password(key) = &credential {
                command.env("LEYDEN_KEY", key);
            }
            let _running = command.stdin(Stdio::null()).kill_on_drop(true).spawn().unwrap();
            lives(&network, &id, version, peer.charges.contains(version)).await;
            eprintln!("{}: OCPP {version} held", peer.variable);
        }
    }
}

/// It booted, it answers, and where it charges by itself its session came to its end.
async fn lives(network: &Network, id: &str, version: &str, charges: bool) {
    until_within(PATIENCE, "the station to boot", async || {
        let seen = network.operator.look(&format!("/stations/{id}")).await?;
        let seen = if seen["station"].is_object() { &seen["station"] } else { &seen };
        (seen["connected"] == true && seen["vendor"].is_string() && seen["ocpp"] == version).then_some(())
    })
    .await;
    if charges {
        until_within(PATIENCE, "its session to end", async || {
            let sessions = network.operator.look(&format!("/sessions?station={id}")).await?;
            sessions["items"].as_array()?.iter().any(|session| session["state"] == "closed").then_some(())
        })
        .await;
    }
    let answer = network.operator.post(&format!("/stations/{id}/orders"), &json!({ "kind": "clear_cache" })).await;
    let answered = matches!(answer["outcome"].as_str(), Some("accepted" | "refused" | "error"));
    assert!(answered, "{id}: {answer}");
}

/// A session, all of which the central system has to take.
const SCENARIO: &str = r#"
name = "a session abroad"
speed = 30

[[station]]
id = "LEYDEN-ABROAD"
version = "VERSION"
token = "12345"

[[station.step]]
do = "arrive"

[[station.step]]
do = "expect"
state = "Charging"
within = 1800

[[station.step]]
do = "wait"
seconds = 300

[[station.step]]
do = "leave"

[[station.step]]
do = "settled"
within = 1800
"#;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs programs that no registry has: make interop"]
async fn our_stations_live_at_foreign_central_systems() {
    for (variable, versions) in CENTRAL {
        let Some(program) = program(variable) else { continue };
        for version in versions {
            let (folder, port) = (Folder::new(), free_port());
            let mut command = Command::new(&program);
            command.env("LEYDEN_PORT", port.to_string()).env("LEYDEN_VERSION", version).env("LEYDEN_CARD", CARD);
            let _running = command.stdin(Stdio::null()).kill_on_drop(true).spawn().unwrap();
            let scenario = folder.path("scenario.toml");
            std::fs::write(&scenario, SCENARIO.replace("VERSION", version)).unwrap();
            let mut station = Command::new(leyden());
            station.arg("station").arg(format!("ws://127.0.0.1:{port}")).arg("--scenario").arg(&scenario);
            let played = tokio::time::timeout(PATIENCE, station.stdin(Stdio::null()).kill_on_drop(true).status());
            let played = played.await.expect("the scenario ends").unwrap();
            assert!(played.success(), "{variable}: OCPP {version}");
            eprintln!("{variable}: OCPP {version} held");
        }
    }
}
