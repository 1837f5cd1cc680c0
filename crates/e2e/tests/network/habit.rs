//! A virtual station with a habit of the field (quirk 14: times without a zone) at a house that does not tolerate it:
//! observed, suggested, accepted, tolerated, billed.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::house::leyden;
use super::settle::{Credential, Enrol, Network};
use super::wait::{PATIENCE, until, until_within};

const ID: &str = "HABIT-1";
const CARD: &str = "04B1A2C3D4E5F6";
const QUIRK: &str = "no-time-zone";
/// One car after the other: some find a house that refuses what they say, a later one finds it tolerant.
const SCENARIO: &str = r#"
name = "times without a zone"
speed = 60

[[station]]
id = "HABIT-1"
version = "1.6"
token = "04B1A2C3D4E5F6"
password-file = "KEY"
quirks = ["zoneless"]
repeat = 100

[[station.step]]
do = "arrive"

[[station.step]]
do = "wait"
seconds = 120

[[station.step]]
do = "leave"

[[station.step]]
do = "wait"
seconds = 60
"#;

/// The station with its habit, for as long as this lives.
fn stand(network: &Network, key: &Credential) -> Child {
    let key = network.keep("habit.key", key);
    let scenario = network.house.folder.path("habit.toml");
    std::fs::write(&scenario, SCENARIO.replace("KEY", key.to_str().unwrap())).unwrap();
    let mut command = Command::new(leyden());
    command.arg("station").arg(format!("wss://localhost:{}", network.house.line_port()));
    command.arg("--roots").arg(network.house.path("pki/root.pem")).arg("--scenario").arg(scenario);
    command.stdin(Stdio::null()).kill_on_drop(true).spawn().unwrap()
}

fn of<'s>(standing: &'s Value, quirk: &str) -> &'s Value {
    standing["tolerances"].as_array().unwrap().iter().find(|one| one["quirk"] == quirk).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_habit_is_observed_suggested_accepted_and_then_billed() {
    let network = Network::start().await;
    let key = network.enrol(&Enrol::plain(ID)).await;
    network.driver(0, "zaunkoenig", CARD).await;
    let (operator, path) = (&network.operator, format!("/stations/{ID}/quirks"));
    operator.put(&format!("{path}/{QUIRK}"), &json!({ "on": false })).await;
    let _station = stand(&network, &key);

    let seen = until("the habit to be suggested", async || {
        let standing = operator.look(&path).await?;
        let suggested = standing["suggestions"].as_array()?.iter().any(|one| one["quirk"] == QUIRK);
        suggested.then_some(standing)
    })
    .await;
    let habit = of(&seen, QUIRK);
    assert!(habit["on"] == false && habit["met"].as_u64() >= Some(3), "{habit}");
    assert!(habit["example"].as_str().unwrap().contains("imestamp"), "where it was met: {habit}");
    assert_eq!(operator.get("/sessions").await["total"], 0, "what is not tolerated begins nothing");

    operator.post(&format!("{path}/{QUIRK}/apply"), &json!({})).await;
    operator.post(&format!("/stations/{ID}/reconnect"), &json!({})).await;
    let standing = operator.get(&path).await;
    assert_eq!((&of(&standing, QUIRK)["on"], &standing["suggestions"]), (&json!(true), &json!([])));
    until_within(PATIENCE * 2, "a session to be billed", async || {
        let cdrs = operator.look("/cdrs").await?;
        cdrs["items"].as_array()?.iter().any(|cdr| cdr["state"] == "delivered").then_some(())
    })
    .await;
    let log = operator.get(&format!("/stations/{ID}/log?query=StartTransaction&direction=from")).await;
    let repaired = |line: &Value| line["remarks"].to_string().contains("/timestamp");
    assert!(log["items"].as_array().unwrap().iter().any(repaired), "each repair is told with its path: {log}");
}
