//! An operator without tokens in its configuration registers at a hub by command, works, renews, and leaves.

use serde_json::json;

use super::house::{HUB, House, OPERATOR, run};
use super::partner::{held, onboarding};
use super::settle::{LOCATION, put_place, put_tariff};
use super::wait::until;

/// Runs `leyden road` for the operator.
fn road(house: &House, arguments: &[&str]) -> (bool, String) {
    let (api, roots, key) = (house.base_of("operator"), house.path("pki/root.pem"), house.folder.path("road.key"));
    let place = ["--api", &api, "--roots", roots.to_str().unwrap(), "--key-file", key.to_str().unwrap()];
    let told = run(&[&["road"], arguments, &place].concat());
    (told.status.success(), String::from_utf8([told.stdout, told.stderr].concat()).unwrap())
}

#[tokio::test]
async fn an_operator_without_tokens_registers_by_command_and_its_places_arrive() {
    let mut house = House::lay_out();
    let (out, back) = (format!("secrets/road-{OPERATOR}-{HUB}"), format!("secrets/road-{HUB}-{OPERATOR}"));
    house.configure(|text| {
        // the operator's road keeps its address and roots alone, and the hub has none to the operator
        let roads: Vec<&str> = text.split("[[road]]").collect();
        let strip = |road: &str| {
            let line = |line: &&str| !line.contains(&out) && !line.contains(&back);
            road.lines().filter(line).map(|line| format!("{line}\n")).collect::<String>()
        };
        let hubs =
            |road: &str| road.contains(&format!("from = \"{HUB}\"")) && road.contains(&format!("to = \"{OPERATOR}\""));
        roads.into_iter().filter(|road| !hubs(road)).map(strip).collect::<Vec<_>>().join("[[road]]")
    });
    house.start_again().await;
    let hub = onboarding(&house).await;
    let operator = house.admin("operator").await;
    let made = operator.post("/keys", &json!({ "name": "road", "scopes": ["routes:read", "partners:write"] })).await;
    let key = made["key"].as_str().unwrap();
    trust::private_file::write(&house.folder.path("road.key"), key.as_bytes()).unwrap();
    assert!(road(&house, &["show"]).1.contains("not registered at DE-HUB"));
    put_tariff(&operator, "EARLY-1").await;
    put_place(&operator, LOCATION).await;

    let invited = held(&house, &["invite", OPERATOR, "--name", "Newcomer", "--role", "operator", "--local"]);
    let word = |name: &str| invited.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    let (versions, token) = (word("versions:"), word("token A:"));
    let file = house.folder.path("token-a");
    trust::private_file::write(&file, b"road_nothing").unwrap();
    let begin = ["register", "--local", "--versions", &versions, "--token-file", file.to_str().unwrap()];
    let (success, said) = road(&house, &begin);
    assert!(!success && said.contains("they refuse our token") && said.contains("new token A"), "{said}");
    trust::private_file::write(&file, token.as_bytes()).unwrap();
    let (success, said) = road(&house, &begin);
    assert!(success && said.contains("New token"), "{said}");
    assert!(!said.contains(&token), "a token is not shown again");
    assert!(road(&house, &["show"]).1.contains("OCPI 2.2.1"));

    // what waited for a road finds it
    until("the place to come to the hub", async || {
        let routes = hub.get("/routes").await;
        let rows = routes["items"].as_array()?;
        rows.iter().any(|row| row["from"] == OPERATOR && row["errand"] == "location").then_some(())
    })
    .await;

    house.stop().await;
    house.start_again().await;
    let (success, said) = road(&house, &["renew"]);
    assert!(success, "after a restart: {said}");
    let shown = road(&house, &["show"]).1;
    assert!(shown.contains("renewed by themselves at") && shown.contains("road: held"), "{shown}");
    assert!(shown.contains("they refuse our token"), "what failed stands there as well: {shown}");
    assert!(held(&house, &["test", OPERATOR]).lines().all(|line| line.starts_with("ok ")));
    let (success, said) = road(&house, &["leave"]);
    assert!(success && said.contains("they have forgotten us"), "{said}");
    assert!(road(&house, &["show"]).1.contains("not registered"));
    assert!(!road(&house, &["renew"]).0);
}
