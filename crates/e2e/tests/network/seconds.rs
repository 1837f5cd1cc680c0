//! Second back-ends: a station of one operator, seen by another CSMS through the operator's policy and no further.
//!
//! A local controller is the other way round: its own operator sees everything, and it answers while that is away.
//! The other CSMS is a second house of ours, and Python's `ocpp`, which checks every message against the official
//! schemas.

use std::time::Duration;

use charge::clock::SystemClock;
use charge::talk::line::Version;
use charge::units::Energy;
use charge::{Clock, Dice};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use trust::dice::SystemDice;
use trust::pki::Authority;

use super::house::{House, free_port, leyden};
use super::peer::{Peer, python, script, skipped};
use super::pole::{Pole, first};
use super::settle::{Credential, Enrol, Network};
use super::wait::{PATIENCE, until};

const ALLOW: [&str; 5] =
    ["StatusNotification", "StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent"];

/// A policy that lets the other see sessions and ask for little.
fn policy(port: u64, version: &str, roots: &str, password: &str) -> Value {
    json!({
        "address": format!("wss://localhost:{port}/ocpp"),
        "version": version,
        "mode": "relay",
        "allow": ALLOW,
        "obey": ["TriggerMessage"],
        "local": true,
        "roots": roots,
        "password": password,
    })
}

/// How the station stands with the only second back-end.
async fn standing(network: &Network, station: &str) -> Option<Value> {
    let seconds = network.operator.look("/seconds").await?;
    let all = seconds["items"][0]["standings"].as_array()?;
    all.iter().find(|one| one["station"] == station).cloned()
}

async fn session(pole: &Pole, card: &str) {
    pole.plug(first());
    pole.tap(first(), card);
    pole.charging(first()).await;
    pole.charged(first(), Energy::from_wh(50)).await;
    pole.unplug(first()).await;
}

/// What the operators hold of a station's sessions that have ended: energies in order.
async fn ended(network: &Network, station: &str, count: usize) -> Vec<i64> {
    until("the sessions to have ended", async || {
        let sessions = network.operator.look(&format!("/sessions?station={station}")).await?;
        let sessions = sessions["items"].as_array()?.clone();
        assert!(sessions.len() <= count, "nothing twice: {sessions:?}");
        let over = sessions.iter().filter(|one| one["end"].is_string()).count() == count;
        over.then(|| sessions.iter().rev().map(|one| one["energy_wh"].as_i64().unwrap()).collect())
    })
    .await
}

/// Each session once and in order; registers of 1.6 are whole watt-hours, and a session has two of them.
fn same(theirs: &[i64], ours: &[i64]) {
    let close = |(theirs, ours): (&i64, &i64)| (theirs - ours).abs() <= 1;
    assert!(theirs.len() == ours.len() && theirs.iter().zip(ours).all(close), "{theirs:?} {ours:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_2_0_1_station_is_seen_by_another_house_in_1_6_and_loses_nothing_while_that_is_away() {
    let (ours, mut theirs) = (Network::start().await, Network::start().await);
    let id = "SHARED-1";
    let Credential::Password(key) = theirs.enrol(&Enrol::plain(id)).await else { panic!("profile 2 is a password") };
    let driver = ours.driver(0, "second", "04E0000002AA01").await;
    let wish = policy(theirs.house.line_port().into(), "1.6", &theirs.house.roots(), &key);
    ours.operator.put("/seconds/other", &wish).await;
    let pole = Pole::stand(&ours, id, Version::V201, 1).await;
    pole.admitted().await;
    until("the other house to see the station", async || {
        standing(&ours, id).await.filter(|one| one["connected"] == true)
    })
    .await;
    session(&pole, &driver.card).await;
    let mine = ended(&ours, id, 1).await;
    same(&ended(&theirs, id, 1).await, &mine);

    let order = json!({ "kind": "trigger", "trigger": "heartbeat" });
    let told = theirs.operator.post(&format!("/stations/{id}/orders"), &order).await;
    assert_eq!(told["outcome"], "accepted", "{told}");
    let order = json!({ "kind": "reset", "reset": "hard" });
    let told = theirs.operator.post(&format!("/stations/{id}/orders"), &order).await;
    assert_eq!(told["outcome"], "error", "{told}");
    assert!(told["message"].as_str().unwrap().contains("SecurityError"), "{told}");

    theirs.house.kill();
    session(&pole, &driver.card).await;
    session(&pole, &driver.card).await;
    let mine = ended(&ours, id, 3).await;
    let waits = standing(&ours, id).await.unwrap();
    assert!(waits["buffered"].as_u64().unwrap() >= 4, "{waits}");
    theirs.house.start_again().await;
    until("all that waited to be told", async || {
        standing(&ours, id).await.filter(|one| one["buffered"] == 0 && one["connected"] == true)
    })
    .await;
    theirs.operator = theirs.house.admin("operator").await;
    same(&ended(&theirs, id, 3).await, &mine);
    let stood = standing(&ours, id).await.unwrap();
    assert_eq!((&stood["dropped"], &stood["refused"]), (&json!(0), &json!(0)), "{stood}");
    assert!(stood["obeyed"].as_u64() >= Some(1) && stood["denied"].as_u64() >= Some(1), "{stood}");
    pole.leave().await;
    assert!(!theirs.house.traces().contains(&driver.card));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_package_sees_pseudonyms_and_orders_nothing_that_is_not_listed() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return skipped("Python as a second back-end", &why),
    };
    let network = Network::start().await;
    let year = Duration::from_secs(365 * 86_400);
    let authority = Authority::create("Another operator", year, SystemClock.now(), &SystemDice).unwrap();
    let names = ["localhost".to_owned()];
    let identity = authority.server_certificate(&names, year, SystemClock.now(), &SystemDice).unwrap();
    let pem = network.house.folder.path(&SystemDice.uuid());
    identity.write(&pem).unwrap();
    // what they speak, what the station speaks
    for (version, ours) in
        [("1.6", Version::V16), ("2.0.1", Version::V16), ("1.6", Version::V21), ("2.1", Version::V21)]
    {
        let id = format!("SEEN-{}-{}", version.replace('.', ""), ours.label().replace('.', ""));
        let card = format!("04E00003{:08X}", SystemDice.below(u64::from(u32::MAX)));
        let driver = network.driver(0, &id.to_lowercase(), &card).await;
        let mut command = Command::new(&python);
        command.arg(script("csms.py")).arg(version).arg(&pem).env("PYTHONDONTWRITEBYTECODE", "1");
        let mut csms = Peer::start(&format!("csms.py {version}"), command);
        let port = csms.until("listening").await["port"].as_u64().unwrap();
        let wish = policy(port, version, authority.certificate_pem(), "sixteen-bytes-ok");
        network.operator.put("/seconds/python", &wish).await;
        let pole = Pole::stand(&network, &id, ours, 1).await;
        pole.admitted().await;
        assert_eq!(csms.until("open").await["identity"], id.as_str());
        session(&pole, &driver.card).await;
        csms.until("done").await;
        pole.leave().await;
        check(&csms.told, version, &driver.card);
    }
}

/// The session was there with one pseudonym, and of all orders those that are listed were answered.
fn check(told: &[Value], version: &str, card: &str) {
    let heard: Vec<&str> = told.iter().filter_map(|step| step["action"].as_str()).collect();
    let needed: &[&str] = match version {
        "1.6" => &["BootNotification", "StatusNotification", "StartTransaction", "StopTransaction"],
        _ => &["BootNotification", "StatusNotification", "TransactionEvent"],
    };
    assert!(needed.iter().all(|action| heard.contains(action)), "OCPP {version}: {heard:?}");
    assert!(!heard.contains(&"Authorize"), "it is not listed");
    let mut tokens: Vec<&str> = told.iter().filter_map(|step| step["token"].as_str()).collect();
    tokens.sort_unstable();
    tokens.dedup();
    assert!(tokens.len() == 1 && tokens[0].len() == 20 && tokens[0] != card, "OCPP {version}: {tokens:?}");
    let answered: Vec<&Value> = told.iter().filter(|step| step["step"] == "answered").collect();
    assert!(answered.len() >= 26, "OCPP {version}: {answered:?}");
    for one in answered {
        // one word of ours has two names in 1.6
        let listed = one["action"] == "TriggerMessage" || one["action"] == "ExtendedTriggerMessage";
        assert_eq!(one["error"] == "SecurityError", !listed, "OCPP {version}: {one}");
    }
}

/// A station of 1.6 that charges one car and leaves.
async fn one_car(house: &House, port: u16, id: &str, key: &std::path::Path, card: &str) {
    let mut command = Command::new(leyden());
    command.arg("station").arg(format!("wss://localhost:{port}")).args(["--id", id, "--version", "1.6"]);
    command.arg("--roots").arg(house.path("pki/root.pem")).arg("--password-file").arg(key);
    command.args(["--token", card, "--sessions", "1", "--speed", "3600"]).kill_on_drop(true);
    let ended = tokio::time::timeout(2 * PATIENCE, command.status()).await.expect("the car leaves").unwrap();
    assert!(ended.success());
}

/// The controller of a site whose CSMS is the house.
async fn controller(network: &Network, port: u16, id: &str, key: &std::path::Path) -> Child {
    let house = &network.house;
    let file = house.folder.path("controller.toml");
    let text = format!(
        "data = \"controller\"\nlisten = \"127.0.0.1:{port}\"\nidentity = {:?}\n\
         csms = \"wss://localhost:{}/ocpp\"\nroots = {:?}\nlocal = true\noffline = \"everybody\"\n\
         [[station]]\nid = \"{id}\"\nkey = {key:?}\n",
        house.path("pki/line.pem"),
        house.line_port(),
        house.path("pki/root.pem"),
    );
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(leyden());
    command.arg("controller").arg("--config").arg(file).kill_on_drop(true);
    let child = command.spawn().unwrap();
    until("the controller to listen", async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()).await;
    child
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_goes_on_without_its_csms_and_owes_it_nothing_afterwards() {
    let mut network = Network::start().await;
    let id = "SITE-1";
    let credential = network.enrol(&Enrol::plain(id)).await;
    let key = network.keep(id, &credential);
    let driver = network.driver(0, "site", "04E0000004AA01").await;
    let port = free_port();
    let _controller = controller(&network, port, id, &key).await;
    one_car(&network.house, port, id, &key, &driver.card).await;
    let first = ended(&network, id, 1).await;
    assert!(first[0] > 0, "{first:?}");

    network.house.kill();
    one_car(&network.house, port, id, &key, &driver.card).await;
    network.house.start_again().await;
    network.operator = network.house.admin("operator").await;
    let both = ended(&network, id, 2).await;
    // each process has a fast clock of its own: which of the two began first is not said
    assert!(both.contains(&first[0]) && both.iter().all(|energy| *energy > 0), "{both:?} after {first:?}");
}
