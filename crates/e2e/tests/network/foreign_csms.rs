//! Our virtual stations at central systems that are not ours: Python `ocpp` (1.6, 2.0.1, 2.1) and npm `ocpp-rpc` (1.6,
//! 2.0.1), both of which check every message against the official schemas. After one session each gives every order that
//! it knows. Needs `LEYDEN_PYTHON`, or `node` and `LEYDEN_NODE_MODULES`; says so where they are missing.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::{Child, Command};

use super::house::{Folder, leyden};
use super::peer::{Peer, node_modules, python, script, skipped};

/// One car that comes, charges and leaves, and a station that stays.
const SCENARIO: &str = r#"
name = "one session, then orders"
speed = 60

[[station]]
id = "LEYDEN-ABROAD"
version = "VERSION"

[[station.step]]
do = "arrive"

[[station.step]]
do = "expect"
state = "Charging"
within = 1800

[[station.step]]
do = "wait"
seconds = 120

[[station.step]]
do = "leave"

[[station.step]]
do = "wait"
seconds = 36000
"#;

/// A virtual station on the line of a foreign central system, for as long as this lives.
fn station(folder: &Folder, version: &str, port: u64) -> Child {
    let scenario = folder.path(&format!("scenario-{version}.toml"));
    std::fs::write(&scenario, SCENARIO.replace("VERSION", version)).unwrap();
    let mut command = Command::new(leyden());
    command.arg("station").arg(format!("ws://127.0.0.1:{port}")).arg("--scenario").arg(scenario);
    command.stdin(Stdio::null()).kill_on_drop(true).spawn().unwrap()
}

/// Lets a station of ours live at a central system until that has given all its orders. Gives what was answered.
async fn visit(mut csms: Peer, version: &str) -> Vec<Value> {
    let folder = Folder::new();
    let port = csms.until("listening").await["port"].as_u64().unwrap();
    let _station = station(&folder, version, port);
    assert_eq!(csms.until("open").await["identity"], "LEYDEN-ABROAD");
    csms.until("done").await;
    let heard: Vec<&str> = csms.told.iter().filter_map(|step| step["action"].as_str()).collect();
    let needed: &[&str] = match version {
        "1.6" => &["BootNotification", "StatusNotification", "Authorize", "StartTransaction", "MeterValues"],
        _ => &["BootNotification", "StatusNotification", "TransactionEvent"],
    };
    assert!(needed.iter().all(|action| heard.contains(action)), "OCPP {version}: {heard:?}");
    csms.told.into_iter().filter(|step| step["step"] == "answered").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn our_stations_answer_every_order_of_the_python_package_in_three_versions() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return skipped("Python central system", &why),
    };
    for (version, orders) in [("1.6", 26), ("2.0.1", 40), ("2.1", 54)] {
        let mut command = Command::new(&python);
        command.arg(script("csms.py")).arg(version).env("PYTHONDONTWRITEBYTECODE", "1");
        let answered = visit(Peer::start(&format!("csms.py {version}"), command), version).await;
        assert_eq!(answered.len(), orders, "OCPP {version}: {answered:?}");
        // an order may be refused in the words of the standard; an error would be a hole
        let holes: Vec<&Value> = answered.iter().filter(|step| step["error"].is_string()).collect();
        assert!(holes.is_empty(), "OCPP {version}: {holes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_stations_obey_the_strict_central_system_of_npm() {
    let modules = match node_modules() {
        Ok(modules) => modules,
        Err(why) => return skipped("npm central system", &why),
    };
    for version in ["1.6", "2.0.1"] {
        let csms = Peer::node(&format!("npm_csms.cjs {version}"), &modules, "npm_csms.cjs", &[]);
        let answered = visit(csms, version).await;
        let reset = answered.iter().find(|step| step["action"] == "Reset").unwrap();
        assert_eq!(reset["answer"]["status"], "Accepted", "OCPP {version}");
        assert_eq!(answered.len(), 6, "OCPP {version}: {answered:?}");
    }
}
