//! Partners come to a running hub by command: invited, listed, tried, suspended, entered and forgotten.

use std::process::Output;

use serde_json::{Value, json};

use super::api::{Session, client};
use super::house::{HUB, House, OPERATOR, PROVIDERS, run};
use super::wait::until;

/// Runs `leyden partner` against a house.
pub(super) fn partner(house: &House, arguments: &[&str]) -> (bool, String) {
    let (api, roots, key) = (house.base_of("hub"), house.path("pki/root.pem"), house.folder.path("partner.key"));
    let place = ["--api", &api, "--roots", roots.to_str().unwrap(), "--key-file", key.to_str().unwrap()];
    let told: Output = run(&[&["partner"], arguments, &place].concat());
    let said = [told.stdout, told.stderr].concat();
    (told.status.success(), String::from_utf8(said).unwrap())
}

/// Tells that the command held, and what it said.
pub(super) fn held(house: &House, arguments: &[&str]) -> String {
    let (success, said) = partner(house, arguments);
    assert!(success, "{arguments:?}: {said}");
    said
}

/// Makes the key that [`partner`] shows.
pub(super) async fn onboarding(house: &House) -> Session {
    let hub = house.admin("hub").await;
    let made = hub.post("/keys", &json!({ "name": "onboarding", "scopes": ["routes:read", "partners:write"] })).await;
    let key = made["key"].as_str().unwrap();
    trust::private_file::write(&house.folder.path("partner.key"), key.as_bytes()).unwrap();
    hub
}

#[tokio::test]
async fn a_partner_is_invited_tried_suspended_and_forgotten_by_command() {
    let house = House::start().await;
    let hub = onboarding(&house).await;
    let listed = held(&house, &["list"]);
    assert!(listed.contains(OPERATOR) && listed.contains("operator connected"), "{listed}");
    let tried = held(&house, &["test", OPERATOR]);
    assert!(tried.lines().all(|line| line.starts_with("ok ")), "{tried}");
    assert!(["Address", "TCP", "TLS"].iter().all(|step| tried.contains(step)), "{tried}");

    let invited = held(&house, &["invite", "DE-NEW", "--name", "Newcomer", "--role", "provider"]);
    let word = |name: &str| invited.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    let (versions, token) = (word("versions:"), word("token A:"));
    assert_eq!(knock(&house, &versions, &token).await, 200, "the newcomer may look at our versions");
    assert!(held(&house, &["list"]).contains("invited"));
    held(&house, &["remove", "DE-NEW"]);
    assert_eq!(knock(&house, &versions, &token).await, 401, "its invitation went with it");

    held(&house, &["suspend", OPERATOR]);
    let parties: Value = hub.get("/parties").await;
    let standing = |parties: &Value| {
        let rows = parties["items"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["party"] == OPERATOR).unwrap()["status"].clone()
    };
    assert_eq!(standing(&parties), "SUSPENDED");
    told(&house, "SUSPENDED").await;
    held(&house, &["resume", OPERATOR]);
    told(&house, "CONNECTED").await;
    assert_ne!(standing(&hub.get("/parties").await), "SUSPENDED");

    let entry =
        ["add", "DE-OCH", "--name", "Old friend", "--role", "operator", "--protocol", "ochp/1.4", "--entry", "och"];
    let entered = held(&house, &[&entry[..], &["--address", "https://partner.example/ochp"]].concat());
    assert!(entered.contains("password"), "{entered}");
    assert!(held(&house, &["list"]).contains("ochp/1.4"));
    let (success, said) = partner(&house, &["test", "DE-OCH"]);
    assert!(!success && said.contains("NOT"), "nobody is there: {said}");
    let (success, said) = partner(&house, &["remove", HUB]);
    assert!(!success, "the hub does not dismiss itself: {said}");
    let audit = hub.get("/audit").await.to_string();
    assert!(audit.contains("DE-NEW") && audit.contains("DE-OCH") && !audit.contains(&token), "{audit}");
}

/// Waits until the hub has told a provider that the operator is in this state.
async fn told(house: &House, status: &str) {
    let (slug, provider) = PROVIDERS[0];
    let url = format!("{}/ocpi/2.2.1/receiver/hubclientinfo/{}", house.road(provider), OPERATOR.replace('-', "/"));
    let token = house.road_token(HUB, provider);
    until(&format!("{slug} to be told {status}"), async || {
        let answer = client(&house.roots()).get(&url).header("authorization", format!("Token {token}")).send().await;
        let said: Value = answer.unwrap().json().await.unwrap();
        (said["data"]["status"] == status).then_some(())
    })
    .await;
}

/// Asks for the versions with a token A.
async fn knock(house: &House, versions: &str, token: &str) -> u16 {
    let http = client(&house.roots());
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, token);
    http.get(versions).header("authorization", format!("Token {encoded}")).send().await.unwrap().status().as_u16()
}
