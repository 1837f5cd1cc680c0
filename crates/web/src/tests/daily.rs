//! The daily work over the API: templates, reservations, files, the expert call.

use std::sync::Arc;
use std::sync::Mutex;

use charge::Soon;
use charge::id::StationId;
use charge::talk::line::quirk::Quirks;
use charge::talk::line::upkeep::UpkeepOrder;
use charge::talk::line::{ConnectionNo, Desk, Entry, Foreign, Line, LineFault, StationAnswer, ToStation, Version};
use operator::Shelf;
use serde_json::{Value, json};

use super::world::OPERATOR;
use super::*;
use crate::permission::Role;

/// A line that accepts everything, echoes expert calls and remembers what it was told.
#[derive(Default)]
struct Echo(Mutex<Vec<ToStation>>);

impl Line for Echo {
    fn tell(&self, _: &StationId, order: ToStation) -> Soon<'_, Result<StationAnswer, LineFault>> {
        let answer = match &order {
            ToStation::Foreign(call) => {
                let body = format!(r#"{{"heard":{}}}"#, call.body).into();
                StationAnswer::Foreign(Foreign { action: call.action.clone(), body })
            }
            _ => StationAnswer::Accepted,
        };
        self.0.lock().unwrap().push(order);
        Box::pin(async move { Ok(answer) })
    }

    fn connected(&self, _: &StationId) -> bool {
        true
    }

    fn hang_up(&self, _: &StationId, _: &str) {}
}

struct Office {
    world: World,
    admin: String,
    line: Arc<Echo>,
}

impl Office {
    async fn new() -> Self {
        let world = World::new().await;
        let admin = world.sign_in(OPERATOR, Role::Admin, "ada", None).await;
        let line = Arc::new(Echo::default());
        world.room.attach_line(line.clone());
        let office = Self { world, admin, line };
        let place = json!({ "name": "Hafen", "address": "Am Kai 5", "city": "Hamburg", "country": "DEU",
            "lat": "53.543", "lon": "9.988", "time_zone": "Europe/Berlin", "evses": [] });
        office.put("/locations/L1", &place).await;
        let station = json!({ "id": "CP-1", "profile": 2, "location": "L1", "evses": [{ "no": 1 }] });
        office.post("/stations", &station).await;
        office
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let path = format!("/api/p/operator{path}");
        let told = super::post(&path).page().by(&self.admin).json(body).send(&self.world.router).await;
        assert!(told.status.is_success(), "{path}: {told:?}");
        if told.status == 204 { Value::Null } else { told.ok() }
    }

    async fn put(&self, path: &str, body: &Value) {
        let path = format!("/api/p/operator{path}");
        let told = super::put(&path).page().by(&self.admin).json(body).send(&self.world.router).await;
        assert!(told.status.is_success(), "{path}: {told:?}");
    }

    async fn get(&self, path: &str) -> Value {
        let path = format!("/api/p/operator{path}");
        get(&path).by(&self.admin).send(&self.world.router).await.ok()
    }

    fn last(&self) -> ToStation {
        self.line.0.lock().unwrap().last().cloned().unwrap()
    }
}

#[tokio::test]
async fn a_template_is_put_and_differences_are_listed() {
    let office = Office::new().await;
    let template = json!({ "name": "x", "values": [{ "key": "HeartbeatInterval", "value": "300" }] });
    office.put("/templates/house", &template).await;
    assert_eq!(office.get("/templates").await["items"][0]["name"], "house", "the path names it");
    let drift = office.get("/stations/CP-1/drift").await;
    assert_eq!(drift["items"][0]["differences"][0]["found"], Value::Null);
    assert_eq!(office.get("/drift").await["total"], 1);
    let rules = office.get("/offline-rules?version=2.0.1").await;
    assert!(rules["items"].as_array().unwrap().iter().all(|rule| rule["value"] == "false"));
}

#[tokio::test]
async fn a_key_is_sent_to_a_station_that_is_there_and_no_second_while_it_may_have_the_first() {
    let office = Office::new().await;
    let path = "/api/p/operator/stations/CP-1/key/renewal";
    let renew = || post(path).page().by(&office.admin).json(&json!({})).send(&office.world.router);
    assert_eq!(renew().await.fault().1, "conflict", "it is not connected");
    let station = StationId::new("CP-1").unwrap();
    let entry = Entry { station, version: Version::V16, quirks: Quirks::USUAL };
    office.world.room.arrived(&entry, ConnectionNo(1)).await;
    let told = renew().await;
    let ToStation::WriteSettings { values: sent } = office.last() else { panic!("{:?}", office.last()) };
    let [(name, value)] = &sent[..] else { panic!("one setting") };
    assert_eq!(&**name, "AuthorizationKey");
    assert!(!format!("{told:?}").contains(&**value.expose()), "nobody gets to see it");
    assert_eq!(told.ok()["outcome"], "accepted");
    // the line did not say what became of the setting
    assert_eq!(renew().await.fault().1, "conflict");
    office.world.room.arrived(&entry, ConnectionNo(2)).await;
    renew().await.ok();
    assert!(office.get("/audit").await.to_string().contains("CP-1"));
}

#[tokio::test]
async fn an_expert_call_needs_its_own_scope_and_is_audited_without_values() {
    let office = Office::new().await;
    let call = json!({ "action": "Authorize", "payload": { "idTag": "04A2B3C4" } });
    let told = office.post("/stations/CP-1/expert", &call).await;
    assert_eq!(told["answer"], json!({ "heard": { "idTag": "04A2B3C4" } }));
    let audit = office.get("/audit").await.to_string();
    assert!(audit.contains("expert call") && audit.contains("idTag") && !audit.contains("04A2B3C4"), "{audit}");
    let wish = json!({ "name": "plant", "scopes": ["stations:command"] });
    let key = office.post("/keys", &wish).await["key"].as_str().unwrap().to_owned();
    let path = "/api/p/operator/stations/CP-1/expert";
    let bearer = format!("Bearer {key}");
    let refused = post(path).header("authorization", &bearer).json(&call).send(&office.world.router).await;
    assert_eq!(refused.fault().1, "not_permitted");
}

#[tokio::test]
async fn a_station_puts_its_log_where_it_was_told_to_and_a_person_downloads_it() {
    let office = Office::new().await;
    let directory = std::env::temp_dir().join(format!("leyden-uploads-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&directory));
    office.world.room.attach_shelf(Shelf { directory, address: "https://leyden.test/api/p/operator".to_owned() });
    let asked = office.post("/stations/CP-1/uploads", &json!({ "log": "diagnostics" })).await;
    let ToStation::Upkeep(UpkeepOrder::FetchLog { to, .. }) = office.last() else { panic!("{:?}", office.last()) };
    let path = to.expose().strip_prefix("https://leyden.test").unwrap().to_owned();
    let router = &office.world.router;
    let wrong = put("/api/p/operator/uploads/guess").raw("x").send(router).await;
    assert_eq!(wrong.fault().0, 404);
    let named = format!("{path}/diag.zip");
    assert_eq!(put(&named).raw("log of the day").send(router).await.status, 201, "without a login or a page");
    assert_eq!(put(&named).raw("another").send(router).await.fault().0, 404, "one file");
    let uploads = office.get("/uploads").await;
    assert_eq!((&uploads["items"][0]["name"], &uploads["items"][0]["state"]), (&json!("diag.zip"), &json!("done")));
    let file = format!("/api/p/operator/upload-files/{}", asked["request"]);
    let answer = get(&file).by(&office.admin).open(router).await;
    let back = axum::body::to_bytes(answer.into_body(), 100).await.unwrap();
    assert_eq!(&back[..], b"log of the day");
    assert_eq!(get(&file).send(router).await.fault().0, 401);
}

#[tokio::test]
async fn words_become_orders_and_a_bad_profile_is_refused_with_its_field() {
    let office = Office::new().await;
    let words = "/stations/CP-1/words";
    let report = office.post(words, &json!({ "kind": "base_report", "report": "full" })).await;
    assert!(report["request"].is_i64());
    assert_eq!(office.get(&format!("/requests/{}", report["request"])).await["state"], "going");
    let swap = office.post(words, &json!({ "kind": "swap", "card": "04A2B3C4" })).await;
    assert_eq!(swap["outcome"], "accepted");
    let profile = json!({ "kind": "set_profile", "profile": { "id": 1, "purpose": "default", "kind": "absolute",
        "schedules": [] } });
    let path = format!("/api/p/operator{words}");
    let told = post(&path).page().by(&office.admin).json(&profile).send(&office.world.router).await;
    assert_eq!(told.fault().1, "conflict", "nobody knows what it speaks");
    assert_eq!(office.get("/stations/CP-1/model").await["variables"], json!([]));
    assert_eq!(office.get("/news").await["total"], 0);
    assert_eq!(office.get("/denials").await["total"], 0);
}

#[tokio::test]
async fn a_reservation_and_a_list_show_no_card() {
    let office = Office::new().await;
    let until = "2026-11-22T10:30:00Z";
    let wish = json!({ "station": "CP-1", "evse": 1, "card": "04A2B3C4", "until": until });
    let made = office.post("/reservations", &wish).await;
    assert_eq!(made["reservation"]["state"], "held");
    office.post("/stations/CP-1/tokens", &json!({ "card": "04A2B3C4", "until": until })).await;
    let shown = format!("{}{}", office.get("/reservations").await, office.get("/stations/CP-1/tokens").await);
    assert!(!shown.contains("04A2B3C4") && shown.contains(r#""place":"new""#), "{shown}");
}

#[tokio::test]
async fn a_station_that_deviates_is_shown_suggested_and_served() {
    use charge::talk::line::quirk::Quirks;
    use charge::talk::line::{Desk, Direction, LogLine};

    let office = Office::new().await;
    let (quirk, station) = ("/stations/CP-1/quirks/card-as-local", StationId::new("CP-1").unwrap());
    for _ in 0..3 {
        let line = LogLine {
            at: charge::Clock::now(&*office.world.clock),
            direction: Direction::FromStation,
            action: "Authorize".into(),
            text: "[]".into(),
            remarks: vec!["/idToken/type: a card of type Local".into()],
            deviations: Quirks::NONE.with(charge::talk::line::quirk::Quirk::CardAsLocal),
        };
        office.world.room.note(&station, line);
    }
    let of = |standing: &Value, name: &str| {
        let all = standing["tolerances"].as_array().unwrap();
        all.iter().find(|one| one["quirk"] == name).cloned().unwrap()
    };
    let shown = office.get("/stations/CP-1/quirks").await;
    let card = of(&shown, "card-as-local");
    assert_eq!((&card["on"], &card["because"], &card["met"]), (&json!(false), &json!("usual"), &json!(3)));
    assert_eq!(card["example"], "Authorize /idToken/type: a card of type Local");
    assert_eq!(shown["suggestions"][0]["quirk"], "card-as-local");
    assert_eq!(office.get("/quirk-suggestions").await["total"], 1);

    office.post(&format!("{quirk}/apply"), &json!({})).await;
    let shown = office.get("/stations/CP-1/quirks").await;
    assert_eq!((&of(&shown, "card-as-local")["because"], &shown["suggestions"]), (&json!("operator"), &json!([])));
    office.put(quirk, &json!({ "on": null })).await;
    assert_eq!(office.get("/stations/CP-1/quirks").await["suggestions"][0]["quirk"], "card-as-local", "undone");
    office.put("/stations/CP-1/strict", &json!({ "strict": true })).await;
    let shown = office.get("/stations/CP-1/quirks").await;
    assert!(shown["strict"] == true && shown["tolerances"].as_array().unwrap().iter().all(|one| one["on"] == false));
    office.post("/stations/CP-1/reconnect", &json!({})).await;
    let audit = office.get("/audit").await.to_string();
    assert!(audit.contains("strict mode") && audit.contains("switch tolerance") && audit.contains("end connection"));
}

#[tokio::test]
async fn a_profile_of_ones_own_stands_beside_those_that_are_shipped() {
    let office = Office::new().await;
    let mut profile = json!({ "name": "x", "vendor": "Foo*", "model": "*", "firmware": "*", "on": ["answer-pause"] });
    office.put("/quirk-profiles/ours", &profile).await;
    let all = office.get("/quirk-profiles").await;
    let last = all["items"].as_array().unwrap().last().cloned().unwrap();
    assert_eq!((&last["name"], &last["shipped"]), (&json!("ours"), &json!(false)));
    assert_eq!(all["items"][0]["shipped"], true);
    let usual =
        office.get("/quirks").await["items"].as_array().unwrap().iter().filter(|one| one["usual"] == true).count();
    assert_eq!(usual, charge::talk::line::quirk::Quirks::USUAL.iter().count());
    profile["on"] = json!(["no-such"]);
    let path = "/api/p/operator/quirk-profiles/ours";
    let told = put(path).page().by(&office.admin).json(&profile).send(&office.world.router).await;
    assert!(told.fault().2.as_deref() == Some("/on/0"), "{told:?}");
    profile["on"] = json!(["no-subprotocol"]);
    let told = put(path).page().by(&office.admin).json(&profile).send(&office.world.router).await;
    assert_eq!(told.fault().0, 400, "what weakens security is in no profile");
}
