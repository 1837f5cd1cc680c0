//! The tour: the flows once, as `make tour` runs them, with the claims of `docs/guides/privacy.md`.

use serde_json::Value;

use super::house::{Folder, run};

const NAME: &str = "who you are";
const STATIC_ID: &str = "contract id (always the same)";
const CARD: &str = "card number";

#[tokio::test]
async fn the_tour_holds_all_flows_and_nobody_learns_more_than_is_claimed() {
    let folder = Folder::new();
    let report = folder.path("tour.json");
    let toured = run(&["demo", "--tour", "--report", report.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&toured.stderr);
    assert_eq!(toured.status.code(), Some(0), "{said}");
    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let flows = report["flows"].as_array().unwrap();
    for name in ["tap", "unknown token", "remote start", "meter to invoice", "crash-restart"] {
        let flow = flows.iter().find(|flow| flow["name"] == name).unwrap_or_else(|| panic!("no flow «{name}»"));
        assert_eq!(flow["ok"], true, "{flow}");
        assert!(flow["ms"].is_u64(), "{flow}");
        assert!(flow["messages_per_hop"]["station-operator"].as_u64() > Some(0), "{flow}");
        let learned = flow["learned"].as_object().unwrap();
        if name == "unknown token" {
            assert!(learned.is_empty(), "{flow}");
            continue;
        }
        claims(name, learned);
    }
}

/// Keys are `role party`; the provider's own row is the only one with a name.
fn claims(flow: &str, learned: &serde_json::Map<String, Value>) {
    let roles: Vec<&str> = learned.keys().map(|key| key.split(' ').next().unwrap()).collect();
    assert_eq!(roles, ["hub", "operator", "provider", "station"], "{flow}: exactly one provider is in it");
    for (who, fields) in learned {
        let has = |field: &str| fields.as_array().unwrap().iter().any(|it| it == field);
        let role = who.split(' ').next().unwrap();
        assert_eq!(has(NAME), role == "provider", "{flow}: {who}: {fields}");
        assert!(!has(STATIC_ID), "{flow}: {who}: {fields}");
        if role == "hub" {
            assert!(who.contains("keeps nothing"), "{flow}: what the hub learns passes through: {who}");
        }
        if flow == "remote start" {
            assert!(!has(CARD), "{flow}: {who}: {fields}");
        }
        if role == "station" {
            let reads = if flow == "remote start" { "one-time alias" } else { CARD };
            assert_eq!(fields, &serde_json::json!([reads]), "{flow}: {who}");
        }
    }
}
