//! A driver's way through the pages, the clerk's view of it, and another driver who tries to look.

use axum::http::{Method, StatusCode};
use charge::Clock;
use charge::record::SessionStatus;
use charge::talk::road::{ActiveProfile, PowerProfile, ProfileResult, ProfileUnit, Question};
use serde_json::{Value, json};

use super::visit::visit;
use super::world::{PROVIDER, UID};
use super::*;
use crate::permission::Role;

fn path(tail: &str) -> String {
    format!("/api/p/{PROVIDER}/{tail}")
}

async fn seen(world: &World, cookie: &str, tail: &str) -> Value {
    get(&path(tail)).by(cookie).send(&world.router).await.ok()
}

#[tokio::test]
async fn a_session_shows_its_price_its_evidence_and_who_learned_what() {
    let world = World::new().await;
    let (_, ada) = world.driver_with_a_trip("ada").await;
    let list = seen(&world, &ada, "driver/sessions").await;
    assert_eq!((&list["total"], &list["items"][0]["state"]), (&json!(1), &json!("completed")));
    let trip = seen(&world, &ada, "driver/sessions/1").await;
    assert_eq!(trip["energy_wh"], 10_000);
    assert_eq!(trip["place"], json!({ "name": "Hafen", "address": "Am Kai 5", "city": "Hamburg" }));
    assert_eq!(trip["cost"], json!({ "amount": "4.76", "currency": "EUR" }));
    let amounts: Vec<_> = trip["lines"].as_array().unwrap().iter().map(|line| &line["amount"]["amount"]).collect();
    assert_eq!(amounts, ["4.00", "0.76"], "{}", trip["lines"]);
    let kinds: Vec<_> = trip["lines"].as_array().unwrap().iter().map(|line| &line["dimension"]).collect();
    assert_eq!(kinds, [&json!("ENERGY"), &Value::Null], "a line says what it is for; VAT is for all");
    assert_eq!(trip["verdict"], "valid with remarks");
    let remarks = trip["evidence"]["remarks"].as_array().unwrap();
    let of_the_key = remarks.iter().filter(|remark| remark.as_str().unwrap().contains("key")).count();
    assert_eq!(of_the_key, 1, "once is enough: {remarks:?}");
    assert_eq!(trip["evidence"]["verdict"], trip["verdict"]);
    assert!(!trip["evidence"]["detail"].as_array().unwrap().is_empty());
    assert!(!trip["curve"].as_array().unwrap().is_empty());
    let learned = trip["learned"].as_array().unwrap();
    let operator = learned.iter().find(|row| row["role"] == "operator").unwrap();
    let fields = operator["fields"].as_array().unwrap();
    assert!(fields.contains(&json!("contract id (one-time)")) && !fields.contains(&json!("who you are")), "{operator}");
}

#[tokio::test]
async fn the_record_comes_as_a_file_in_two_forms() {
    let world = World::new().await;
    let (_, ada) = world.driver_with_a_trip("ada").await;
    let xml = get(&path("driver/sessions/1/record")).by(&ada).send(&world.router).await;
    let json = get(&path("driver/sessions/1/record?format=json")).by(&ada).send(&world.router).await;
    assert_eq!(xml.header("content-type"), "application/xml");
    assert_eq!(xml.header("content-disposition"), "attachment; filename=\"session-1.xml\"");
    assert_eq!(xml.header("x-content-type-options"), "nosniff");
    assert_eq!(json.header("content-disposition"), "attachment; filename=\"session-1.json\"");
    let records = |text: &str| billing::record::file::read(text.as_bytes()).unwrap()[0].0.clone();
    let bytes = |text: &str| records(text).into_iter().map(|record| record.bytes).collect::<Vec<_>>();
    assert_eq!(bytes(&xml.text), bytes(&json.text));
    assert!(records(&xml.text)[0].bytes.starts_with(b"OCMF|"));
}

#[tokio::test]
async fn a_price_is_shown_a_start_is_given_and_an_old_price_is_refused() {
    let world = World::new().await;
    let (_, ada) = world.driver_with_a_trip("ada").await;
    let square = "driver/places?west=9.9&south=53.5&east=10&north=53.6";
    let places = seen(&world, &ada, square).await;
    assert_eq!(places["items"][0]["location"], "L1");
    assert_eq!((&places["items"][0]["available"], &places["items"][0]["total"]), (&json!(1), &json!(1)));
    assert_eq!(seen(&world, &ada, "driver/places?west=0&south=0&east=1&north=1").await["total"], 0);
    let place = seen(&world, &ada, "driver/places/DE-OPA/L1").await;
    assert_eq!(place["evses"].as_array().unwrap().len(), 1, "what is gone is not offered");
    let tariff = &place["evses"][0]["tariff"];
    let offer = &tariff["offers"][0];
    assert_eq!((&offer["label"], &offer["gross"], &offer["now"]), (&json!("per kWh"), &json!("0.476"), &json!(true)));

    let wish = |stamp: &Value| {
        let body = json!({ "operator": "DE-OPA", "location": "L1", "evse": "E1", "tariff_stamp": stamp });
        post(&path("driver/start")).page().by(&ada).json(&body)
    };
    let old = wish(&json!("999")).send(&world.router).await;
    assert_eq!(
        (old.fault().0, old.json()["error"]["message"].as_str()),
        (409, Some("The price has changed: look at it again."))
    );
    assert_eq!(wish(&json!("cheap")).send(&world.router).await.fault().2.as_deref(), Some("/tariff_stamp"));
    let given = wish(&tariff["stamp"]).send(&world.router).await;
    assert_eq!(given.status, 202);
    assert_eq!(given.json()["state"], "acknowledged");
    let order = seen(&world, &ada, &format!("driver/orders/{}", given.json()["order"].as_str().unwrap())).await;
    assert_eq!(
        (&order["kind"], &order["state"], &order["session"]),
        (&json!("start"), &json!("acknowledged"), &Value::Null)
    );
    assert_eq!(seen(&world, &ada, "driver/orders").await["total"], 1);
    let over = post(&path("driver/sessions/1/stop")).page().by(&ada).send(&world.router).await;
    assert_eq!(over.fault().1, "conflict", "the session is over");
}

#[tokio::test]
async fn a_running_session_is_limited_and_shows_what_its_station_said() {
    let world = World::new().await;
    let (driver, ada) = world.driver_with_a_trip("ada").await;
    let start = world.clock.now();
    world.session(&world.tap().await, ("S2", start), 0, SessionStatus::Active).await;
    let no = world.provider.sessions(Some(driver), 0, 5).await.unwrap().rows[0].no;
    let limit = format!("driver/sessions/{no}/limit");
    let none = json!({ "limit": null, "look": null, "plan": null });
    assert_eq!(seen(&world, &ada, &limit).await, none);
    let wish = |most_w: i64| post(&path(&limit)).page().by(&ada).json(&json!({ "most_w": most_w }));
    assert_eq!(wish(-1).send(&world.router).await.fault().2.as_deref(), Some("/most_w"));
    let given = wish(4_000).send(&world.router).await;
    assert_eq!((given.status, &given.json()["state"]), (StatusCode::ACCEPTED, &json!("acknowledged")));

    let order = given.json()["id"].as_str().unwrap().parse().ok();
    let calculated = world.clock.now();
    let periods = vec![(0, charge::Decimal::from(3_900)), (900, charge::Decimal::ZERO)];
    let profile =
        PowerProfile { start: Some(calculated), duration_s: None, unit: ProfileUnit::Watts, min_rate: None, periods };
    let plan = Box::new(ActiveProfile { calculated, profile });
    let result = ProfileResult::Accepted;
    world.hear(Question::ProfileOutcome { order, return_to: None, result, plan: None }).await;
    world.hear(Question::Plan { session: "S2".parse().unwrap(), plan }).await;
    let shown = seen(&world, &ada, &limit).await;
    assert_eq!((&shown["limit"]["state"], &shown["limit"]["most_w"]), (&json!("happened"), &json!(4_000)));
    assert_eq!((&shown["plan"]["unit"], &shown["plan"]["periods"][0]["limit"]), (&json!("W"), &json!("3900")));
    assert_eq!(shown["plan"]["periods"][1]["from"], "2026-11-22T11:15:00Z");

    let free = visit(Method::DELETE, &path(&limit)).page().by(&ada).send(&world.router).await;
    assert_eq!((free.status, &free.json()["most_w"]), (StatusCode::ACCEPTED, &Value::Null));
    let look = post(&path(&format!("driver/sessions/{no}/plan"))).page().by(&ada).send(&world.router).await;
    assert_eq!(look.status, 202);
    assert_eq!(seen(&world, &ada, &limit).await["look"]["state"], "acknowledged");
    let over = post(&path("driver/sessions/1/limit")).page().by(&ada).json(&json!({ "most_w": 0 }));
    assert_eq!(over.send(&world.router).await.fault().1, "conflict", "the session is over");
}

#[tokio::test]
async fn what_is_anothers_is_answered_like_what_is_nobodys() {
    let world = World::new().await;
    let (_, ada) = world.driver_with_a_trip("ada").await;
    let other = world.driver("bob").await;
    let bob = world.sign_in(PROVIDER, Role::Driver, "bob", Some(&other)).await;
    let card = seen(&world, &ada, "driver/cards").await["items"][0]["id"].as_str().unwrap().to_owned();
    let place = seen(&world, &ada, "driver/places/DE-OPA/L1").await;
    let stamp = &place["evses"][0]["tariff"]["stamp"];
    let wish = json!({ "operator": "DE-OPA", "location": "L1", "evse": "E1", "tariff_stamp": stamp });
    let given = post(&path("driver/start")).page().by(&ada).json(&wish).send(&world.router).await.ok();
    let order = given["order"].as_str().unwrap().to_owned();
    let attempts = [
        (Method::GET, "driver/sessions/{}", "1"),
        (Method::GET, "driver/sessions/{}/record", "1"),
        (Method::POST, "driver/sessions/{}/stop", "1"),
        (Method::GET, "driver/sessions/{}/limit", "1"),
        (Method::DELETE, "driver/sessions/{}/limit", "1"),
        (Method::POST, "driver/sessions/{}/plan", "1"),
        (Method::GET, "driver/invoices/{}", "1"),
        (Method::GET, "driver/orders/{}", order.as_str()),
        (Method::POST, "driver/cards/{}/block", card.as_str()),
        (Method::POST, "driver/cards/{}/unblock", card.as_str()),
    ];
    for (how, template, hers) in attempts {
        let ask = |id: &str, who: &str| {
            visit(how.clone(), &path(&template.replace("{}", id))).page().by(who).send(&world.router)
        };
        let (theirs, nobodys) = (ask(hers, &bob).await, ask("4242", &bob).await);
        assert_eq!(theirs.fault(), (404, "not_found".to_owned(), None), "{template}");
        assert_eq!(theirs.text, nobodys.text, "{template}");
        assert_ne!(ask(hers, &ada).await.status, 404, "{template}: hers is there");
    }
    for list in ["driver/sessions", "driver/invoices", "driver/orders", "driver/cards"] {
        assert_eq!(seen(&world, &bob, list).await["total"], 0, "{list}");
    }
}

#[tokio::test]
async fn a_clerk_signs_a_driver_up_who_can_sign_in_at_once() {
    let world = World::new().await;
    let admin = world.sign_in(PROVIDER, Role::Admin, "clerk", None).await;
    let write = |tail: &str, body: Value| post(&path(tail)).page().by(&admin).json(&body);
    let wish = json!({ "user": "Grace", "name": "Grace Hopper", "email": "grace@example.org" });
    let made = write("drivers", wish.clone()).send(&world.router).await.ok();
    assert_eq!(write("drivers", wish).send(&world.router).await.fault().1, "conflict");
    assert_eq!(seen(&world, &admin, "drivers").await["total"], 1, "a taken name leaves no driver behind");
    let driver = made["id"].as_str().unwrap();
    let card = json!({ "driver": driver, "label": "blue", "uid": UID });
    assert_eq!(write("cards", card.clone()).send(&world.router).await.status, 201);
    assert_eq!(write("cards", card).send(&world.router).await.fault().1, "conflict");
    let nobody = json!({ "driver": "NOBODY", "label": "blue", "uid": "04FFFFFF" });
    assert_eq!(write("cards", nobody).send(&world.router).await.fault().2.as_deref(), Some("/driver"));

    let grace = world.sign_in_with(PROVIDER, "grace", made["password"].as_str().unwrap()).await;
    let contract = seen(&world, &grace, "driver/contract").await;
    assert_eq!((&contract["name"], &contract["state"]), (&json!("Grace Hopper"), &json!("good")));
    let clerks = get(&path("drivers")).by(&admin).send(&world.router).await.text;
    assert!(!clerks.contains(contract["contract"].as_str().unwrap()), "the contract id is the driver's alone");
    let cards = get(&path("driver/cards")).by(&grace).send(&world.router).await;
    assert!(cards.text.contains("…E680") && !cards.text.contains(UID), "{}", cards.text);
    let ended = put(&path(&format!("drivers/{driver}/contract"))).page().by(&admin).json(&json!({ "state": "ended" }));
    assert_eq!(ended.send(&world.router).await.status, 204);
    assert_eq!(seen(&world, &grace, "driver/contract").await["state"], "ended");
}

#[tokio::test]
async fn a_clerk_sees_the_money_and_issues_the_invoice_once() {
    let world = World::new().await;
    let (_, ada) = world.driver_with_a_trip("ada").await;
    let admin = world.sign_in(PROVIDER, Role::Admin, "clerk", None).await;
    let overview = seen(&world, &admin, "overview").await;
    assert_eq!(overview["cdrs"], json!({ "total": 1, "today": 1, "valid": 1, "not_valid": 0 }));
    assert_eq!(overview["invoices"], json!({ "open": 1, "issued": 0 }));
    assert_eq!((&overview["disputes_open"], &overview["sessions"]["today"]), (&json!(0), &json!(1)));
    let cdr = seen(&world, &admin, "cdrs").await["items"][0].clone();
    assert_eq!((&cdr["id"], &cdr["total"]["amount"], &cdr["dispute"]), (&json!("C1"), &json!("4.76"), &Value::Null));
    let issue = || post(&path("invoices/1/issue")).page().by(&admin).send(&world.router);
    assert_eq!(issue().await.ok(), json!({ "number": "8AA-000001" }));
    assert_eq!(issue().await.fault().1, "conflict");
    assert_eq!(seen(&world, &admin, "overview").await["invoices"], json!({ "open": 0, "issued": 1 }));
    let invoice = seen(&world, &ada, "driver/invoices/1").await;
    assert_eq!((&invoice["state"], &invoice["total"]["amount"]), (&json!("issued"), &json!("4.76")));
    assert_eq!((&invoice["lines"][0]["net"], &invoice["lines"][0]["session"]), (&json!("4"), &json!("1")));
    assert_eq!(invoice["vat"][0]["vat"]["amount"], "0.76");
    let settle = post(&path("disputes/1")).page().by(&admin).json(&json!({ "action": "accept" }));
    assert_eq!(settle.send(&world.router).await.fault().1, "not_found");
}
