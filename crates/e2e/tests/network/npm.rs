//! Charging stations and abuse that are not ours, from npm: `ocpp-rpc` (strict schemas), `ocpp-ws-io` and the test suite of
//! `ocpp-ws-cli`. Needs `node` and `LEYDEN_NODE_MODULES`; says so where they are missing.

use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use super::peer::{Peer, node_modules, skipped};
use super::settle::{Credential, Enrol, Network};
use super::wait::{PATIENCE, until};

/// Library, version, identity, serial number where it comes with a certificate.
const RUNS: [(&str, &str, &str, Option<&str>); 8] = [
    ("ocpp-rpc", "1.6", "NPM RPC 16ü", None),
    ("ocpp-rpc", "1.6", "NPM-RPC-16-CERT", Some("SN-NPM")),
    ("ocpp-rpc", "2.0.1", "NPM RPC 201ü", None),
    ("ocpp-rpc", "2.0.1", "NPM-RPC-201-CERT", Some("SN-NPM")),
    ("ocpp-ws-io", "1.6", "NPM-WSIO-16", None),
    ("ocpp-ws-io", "2.0.1", "NPM-WSIO-201", None),
    ("ocpp-ws-io", "2.1", "NPM-WSIO-21", None),
    ("ocpp-ws-io", "2.1", "NPM-WSIO-21-CERT", Some("SN-NPM")),
];
const CARD: &str = "04F0000002BB01";
/// What the script charges in its session.
const DELIVERED_WH: i64 = 1_234;

#[tokio::test(flavor = "multi_thread")]
async fn stations_of_two_npm_packages_charge_and_obey_in_every_version() {
    let modules = match node_modules() {
        Ok(modules) => modules,
        Err(why) => return skipped("npm stations", &why),
    };
    let network = Network::start().await;
    network.driver(0, "npm", CARD).await;
    for (library, version, id, serial) in RUNS {
        let credential = network.enrol(&Enrol { serial, ..Enrol::plain(id) }).await;
        let file = network.keep(&id.replace(' ', "-"), &credential);
        let kind = match credential {
            Credential::Password(_) => "password",
            Credential::Certificate(_) => "certificate",
        };
        let url = format!("wss://localhost:{}/ocpp", network.house.line_port());
        let roots = network.house.path("pki/root.pem");
        let arguments = [library, version, &url, id, CARD, roots.to_str().unwrap(), kind, file.to_str().unwrap()];
        let mut station = Peer::node(id, &modules, "npm_station.cjs", &arguments);
        station.until("waiting-for-order").await;
        let path = format!("/stations/{}/orders", id.replace(' ', "%20").replace('ü', "%C3%BC"));
        let answer = network.operator.post(&path, &json!({ "kind": "reset" })).await;
        assert_eq!(answer["outcome"], "accepted", "{id}: {answer}");
        let order = station.until("order").await;
        assert_eq!(order["action"], "Reset", "{id}");
        station.until("done").await;
        assert!(station.ended().await.success(), "{id}");
        let sessions = until("the session to be closed", async || {
            let path = format!("/sessions?station={}", id.replace(' ', "%20").replace('ü', "%C3%BC"));
            let sessions = network.operator.all(&path).await;
            sessions.iter().all(|session| session["state"] == "closed").then_some(sessions)
        })
        .await;
        let energies: Vec<_> = sessions.iter().map(|session| session["energy_wh"].as_i64().unwrap()).collect();
        assert_eq!(energies, [DELIVERED_WH], "{id}");
    }
    network.all_settled(PATIENCE).await;
}

/// Silence passes some of the suite's checks, so this one has to be among those that passed.
const ALIVE: &str = "Heartbeat round-trip";
const CHECKS: usize = 21;

/// Where we are more patient than the suite wants, on purpose: a frame over the limit is refused by its message id and
/// costs no connection, and some stations count their messages in numbers.
const PATIENT: [&str; 2] = ["Server rejects oversized frames (>128KB)", "Server enforces MessageId is a string"];

#[tokio::test(flavor = "multi_thread")]
async fn the_abuse_of_ocpp_ws_cli_is_survived_and_answered() {
    let modules = match node_modules() {
        Ok(modules) => modules,
        Err(why) => return skipped("ocpp-ws-cli", &why),
    };
    let network = Network::start().await;
    for (number, version) in ["1.6", "2.0.1"].into_iter().enumerate() {
        let id = format!("CLI-{number}");
        let Credential::Password(key) = network.enrol(&Enrol::plain(&id)).await else { panic!("profile 2 is a key") };
        let report = abuse(&modules, &network, &id, &key, version).await;
        let results = report["testResults"].as_array().unwrap();
        let named = |result: &Value| result["name"].as_str().unwrap().to_owned();
        let failed = results.iter().filter(|result| result["passed"] != true && !PATIENT.contains(&&*named(result)));
        let failed: Vec<&Value> = failed.collect();
        assert!(failed.is_empty(), "OCPP {version}: {failed:?}");
        assert!(results.iter().any(|result| named(result) == ALIVE), "OCPP {version}: {results:?}");
        assert_eq!(results.len(), CHECKS, "OCPP {version}");
    }
}

/// Runs the whole suite against one station's place and gives its report.
async fn abuse(modules: &Path, network: &Network, id: &str, key: &str, version: &str) -> Value {
    let reports = network.house.folder.path(&format!("reports-{id}"));
    let url = format!("wss://{id}:{key}@localhost:{}/ocpp", network.house.line_port());
    let mut command = Command::new("node");
    command.arg(modules.join("ocpp-ws-cli/dist/index.js")).args(["test", "-e", &url, "-i", id, "--suite", "all"]);
    command.args(["-p", &format!("ocpp{version}"), "--report", "json", "--report-dir"]).arg(&reports);
    command.env("NODE_EXTRA_CA_CERTS", network.house.path("pki/root.pem")).env("NO_COLOR", "1");
    let run = command.stdin(std::process::Stdio::null()).kill_on_drop(true).output();
    let run = tokio::time::timeout(PATIENCE * 3, run).await.expect("the suite ends").unwrap();
    let mut files = std::fs::read_dir(&reports).into_iter().flatten().flatten().map(|entry| entry.path());
    let file = files.find(|path| path.extension().is_some_and(|end| end == "json"));
    let file = file.unwrap_or_else(|| panic!("no report: {}", String::from_utf8_lossy(&run.stdout)));
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}
