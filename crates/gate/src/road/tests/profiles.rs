//! Power profiles through the hub (OCPI 2.2.1 and 2.3.0, module 14): there, back, and what a station's change leads to.

use charge::talk::road::{
    ActiveProfile, PowerProfile, ProfileOrder, ProfileResult, ProfileUnit, ProfileWish, RoadFault,
};
use ocpi::Version;

use super::versions::{ask_in, speaks};
use super::*;

const NEWER: [Version; 2] = [Version::V221, Version::V230];

fn gently(order: &str, wish: ProfileWish) -> Question {
    let order = OrderId::new(order).unwrap();
    Question::Profile(ProfileOrder { order, return_to: None, session: "S1".parse().unwrap(), wish })
}

fn profile() -> PowerProfile {
    PowerProfile {
        start: None,
        duration_s: Some(1_800),
        unit: ProfileUnit::Watts,
        min_rate: None,
        periods: vec![(0, 4_000.into()), (900, 7_400.into())],
    }
}

fn plan() -> Box<ActiveProfile> {
    let calculated = charge::Timestamp::from_secs(1_790_000_000);
    Box::new(ActiveProfile { calculated, profile: PowerProfile { start: Some(calculated), ..profile() } })
}

fn wishes() -> [ProfileWish; 3] {
    [ProfileWish::Set(profile()), ProfileWish::Clear, ProfileWish::Show { duration_s: 900 }]
}

/// The order as the operator heard it last.
fn ordered(world: &World) -> ProfileOrder {
    match world.operator.desk.heard().pop().unwrap().question {
        Question::Profile(order) => order,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_order_about_power_goes_there_and_its_word_comes_back_in_both_versions() {
    for operator in NEWER {
        for provider in NEWER {
            let world = World::new().await;
            speaks(&world, &world.a, provider);
            speaks(&world, &world.operator, operator);
            let name = format!("{} and {}", operator.as_str(), provider.as_str());
            for (nth, wish) in wishes().into_iter().enumerate() {
                let order = format!("order-{nth}");
                let ack = ask_in(&world, provider, &world.a, Some("DE-OPA"), gently(&order, wish.clone())).await;
                assert!(matches!(ack, Ok(Answer::Order { ack: OrderAck::Accepted { .. }, .. })), "{name}: {ack:?}");
                let heard = ordered(&world);
                assert_eq!((&heard.wish, heard.session.as_str()), (&wish, "S1"), "{name}");
                let address = heard.return_to.unwrap();
                assert!(address.0.starts_with(&world.hub.base), "{name}: the operator knows the hub alone");

                let shown = matches!(wish, ProfileWish::Show { .. }).then(plan);
                let word = |return_to| Question::ProfileOutcome {
                    order: None,
                    return_to,
                    result: ProfileResult::Unknown,
                    plan: shown.clone(),
                };
                let told = ask_in(&world, operator, &world.operator, None, word(Some(address))).await;
                assert_eq!(told, Ok(Answer::Noted), "{name}");
                let back = world.a.desk.heard().pop().unwrap();
                let Question::ProfileOutcome { order: named, result, plan, .. } = back.question else {
                    panic!("{name}: {:?}", back.question)
                };
                assert_eq!((named.unwrap().as_str(), result, plan), (order.as_str(), ProfileResult::Unknown, shown));
                assert_eq!(back.from, world.operator.party, "{name}");
            }
            for house in [&world.operator, &world.a] {
                let other = if house.party == world.a.party { &world.operator.base } else { &world.a.base };
                let seen = house.seen.lock().unwrap();
                assert!(seen.iter().all(|seen| !seen.path.contains(other) && !seen.body.contains(other)), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_changed_plan_is_told_to_the_one_provider_of_the_session() {
    for operator in NEWER {
        for provider in NEWER {
            let world = World::new().await;
            speaks(&world, &world.a, provider);
            let push = Question::Plan { session: "S1".parse().unwrap(), plan: plan() };
            let told = ask_in(&world, operator, &world.operator, Some("DE-8AA"), push.clone()).await;
            assert_eq!(told, Ok(Answer::Noted));
            assert_eq!(world.a.desk.questions(), std::slice::from_ref(&push));
            assert!(world.b.desk.heard().is_empty());
            let nobody = ask_in(&world, operator, &world.operator, None, push).await;
            assert_eq!(nobody, Err(RoadFault::Denied(Denial::UnknownReceiver)), "a session is nobody else's business");
        }
    }
}

#[tokio::test]
async fn an_operator_without_the_module_is_told_to_have_none() {
    let world = World::new().await;
    speaks(&world, &world.operator, Version::V211);
    for (nth, wish) in wishes().into_iter().enumerate() {
        let answer = world.ask(&world.a, Some("DE-OPA"), gently(&format!("order-{nth}"), wish)).await;
        assert_eq!(answer, Err(RoadFault::Denied(Denial::NotSupported)));
    }
    assert!(world.operator.desk.heard().is_empty());
}

/// The status and the code that provider A hears about an order for the power at an operator.
pub(super) async fn heard_of_power(world: &World, operator: &str) -> (u16, Option<u16>) {
    let url = format!("{}/ocpi/2.2.1/receiver/chargingprofiles/S1", world.hub.base);
    let body = format!(
        r#"{{"charging_profile": {{"charging_rate_unit": "W", "charging_profile_period": []}}, "response_url": "{}/mine/79"}}"#,
        world.a.base
    );
    let response = request_to(world, operator, "PUT", &url, Some(body)).await;
    let http = response.status().as_u16();
    (http, ocpi::status::code_of(&response.bytes().await.unwrap()))
}

#[tokio::test]
async fn the_same_version_passes_byte_for_byte_but_for_the_address() {
    let world = World::new().await;
    let body = format!(
        r#"{{"charging_profile": {{"charging_rate_unit": "W", "x_vendor": [1, 2.50], "charging_profile_period": []}}, "response_url": "{}/mine/77"}}"#,
        world.a.base
    );
    let url = format!("{}/ocpi/2.2.1/receiver/chargingprofiles/S1", world.hub.base);
    let (http, seen) = by_hand(&world, "PUT", &url, Some(body.clone())).await;
    assert_eq!(http, 200);
    let (begin, end) = body.split_once(&world.a.base).unwrap();
    assert!(seen.body.contains(r#""x_vendor""#) && seen.body.contains("2.50"), "{}", seen.body);
    assert!(!seen.body.contains(&world.a.base) && !begin.is_empty() && end.contains("77"));

    // a body that nobody asked for does not smuggle the sender's address past the hub
    let url = format!("{url}?response_url={}", ocpi::url::encode(&format!("{}/mine/78", world.a.base)));
    let (http, seen) = by_hand(&world, "DELETE", &url, Some("{}".to_owned())).await;
    assert_eq!(http, 200);
    assert!(!seen.path.contains(&ocpi::url::encode(&world.a.base)), "{}", seen.path);
}

#[tokio::test]
async fn an_address_of_somebody_else_is_refused_before_anything_is_passed_on() {
    let world = World::new().await;
    for address in ["https://169.254.169.254/latest", "https://127.0.0.1:1/", "http://hub.example/", &world.b.base] {
        let encoded = ocpi::url::encode(address);
        let url =
            format!("{}/ocpi/2.2.1/receiver/chargingprofiles/S1?duration=900&response_url={encoded}", world.hub.base);
        assert_eq!(refused(&world, "GET", &url).await, Some(2001), "{address}");
    }
    assert!(world.operator.seen().is_empty());
}

/// As provider A to the operator: the status, and what arrived there.
async fn by_hand(world: &World, method: &str, url: &str, body: Option<String>) -> (u16, Seen) {
    let http = request(world, method, url, body).await.status().as_u16();
    (http, world.operator.seen().pop().unwrap())
}

/// The code of OCPI that a refusal carries.
async fn refused(world: &World, method: &str, url: &str) -> Option<u16> {
    let response = request(world, method, url, None).await;
    ocpi::status::code_of(&response.bytes().await.unwrap())
}

async fn request(world: &World, method: &str, url: &str, body: Option<String>) -> reqwest::Response {
    request_to(world, "OPA", method, url, body).await
}

async fn request_to(world: &World, to: &str, method: &str, url: &str, body: Option<String>) -> reqwest::Response {
    let http = reqwest::Client::builder().tls_backend_preconfigured((*world.tls).clone()).build().unwrap();
    let token = ocpi::credentials::authorization(&secret(world.a.party, world.hub.party), false);
    let mut request = http.request(method.parse().unwrap(), url).header("authorization", token.expose());
    for (name, value) in [("from-country-code", "DE"), ("from-party-id", "8AA"), ("to-country-code", "DE")] {
        request = request.header(format!("ocpi-{name}"), value);
    }
    request = request.header("ocpi-to-party-id", to);
    if let Some(body) = body {
        request = request.body(body);
    }
    request.send().await.unwrap()
}
