//! Charging gently: a driver's limit goes through provider, hub and operator to the station of each version, the car is
//! slowed down, and the phone shows what the station said. A limit of the operator's own is told to the provider unasked.

use charge::talk::line::Version;
use charge::units::{Energy, Power};
use charge::{Clock, SystemClock};
use serde_json::{Value, json};

use super::api::Session;
use super::pole::{Pole, first};
use super::settle::{FAST_W, Network};
use super::wait::until;

const GENTLE_W: i64 = 4_000;
const OWN_W: i64 = 3_000;

/// What the phone shows once it is as wanted.
async fn shown(phone: &Session, path: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    until(what, async || phone.look(path).await.filter(|shown| is(shown))).await
}

fn agreed(wish: &Value) -> bool {
    assert!(wish["state"] != "refused" && wish["state"] != "timed_out", "{wish}");
    wish["state"] == "happened"
}

/// Waits until the car draws as wanted.
async fn draws(pole: &Pole, what: &str, is: impl Fn(Power) -> bool) {
    until(what, async || {
        pole.station.nudge();
        is(pole.bay(first()).power).then_some(())
    })
    .await;
}

async fn a_driver_slows_a_station_down(version: Version, id: &str, card: &str) {
    let network = Network::start().await;
    let driver = network.driver(0, "gentle", card).await;
    let pole = Pole::stand(&network, id, version, 1).await;
    pole.admitted().await;
    pole.plug(first());
    pole.tap(first(), &driver.card);
    pole.charging(first()).await;
    draws(&pole, "the car to draw all it can", |power| power.watts() > FAST_W / 2).await;
    let no = until("the phone to know the session", async || {
        let sessions = driver.phone.look("/driver/sessions").await?;
        sessions["items"][0]["id"].as_str().map(str::to_owned)
    })
    .await;
    let path = format!("/driver/sessions/{no}/limit");

    let given = driver.phone.post(&path, &json!({ "most_w": GENTLE_W })).await;
    assert!(given["state"] == "acknowledged" || given["state"] == "happened", "{given}");
    shown(&driver.phone, &path, "the station to agree", |shown| agreed(&shown["limit"])).await;
    draws(&pole, "the car to slow down", |power| power.watts() <= GENTLE_W).await;

    driver.phone.post(&format!("/driver/sessions/{no}/plan"), &json!({})).await;
    let plan = shown(&driver.phone, &path, "the plan", |shown| !shown["plan"].is_null()).await;
    assert_eq!(plan["plan"]["periods"][0]["limit"], limit(&plan, GENTLE_W), "{plan}");

    let begin = SystemClock.now().to_string();
    let schedule = json!({ "start": begin, "unit": "W", "periods": [{ "start": 0, "limit": OWN_W.to_string() }] });
    let own = json!({ "id": 9, "purpose": "station_max", "kind": "absolute", "schedules": [schedule] });
    let order = json!({ "kind": "set_profile", "evse": null, "profile": own });
    let told = network.operator.post(&format!("/stations/{id}/words"), &order).await;
    assert_eq!(told["outcome"], "accepted", "{told}");
    let lower = |shown: &Value| shown["plan"]["periods"][0]["limit"] == limit(shown, OWN_W);
    shown(&driver.phone, &path, "the operator's own limit to be told unasked", lower).await;
    draws(&pole, "the car to slow down further", |power| power.watts() <= OWN_W).await;

    let (status, _) = driver.phone.ask("DELETE", &path, None).await.unwrap();
    assert_eq!(status, 202);
    let free = |shown: &Value| shown["limit"]["most_w"].is_null() && agreed(&shown["limit"]);
    shown(&driver.phone, &path, "the limit to be dropped", free).await;
    assert!(pole.bay(first()).power.watts() <= OWN_W, "what holds for the whole station holds on");
    pole.charged(first(), Energy::from_wh(1)).await;
    pole.unplug(first()).await;
    let (status, _) = driver.phone.ask("POST", &path, Some(&json!({ "most_w": 1 }))).await.unwrap();
    assert!(status == 202 || status == 409, "{status}: over, as soon as the phone knows");
    pole.leave().await;
    assert!(!network.house.traces().contains(&driver.card));
}

/// In the unit of the plan: stations that count in amperes say the same in them.
fn limit(shown: &Value, watts: i64) -> Value {
    assert_eq!(shown["plan"]["unit"], "W", "{shown}");
    json!(watts.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_slows_a_1_6_station_down_and_sees_what_it_said() {
    a_driver_slows_a_station_down(Version::V16, "GENTLE-16", "04E000000BB116").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_slows_a_2_0_1_station_down_and_sees_what_it_said() {
    a_driver_slows_a_station_down(Version::V201, "GENTLE-201", "04E000000BB201").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_slows_a_2_1_station_down_and_sees_what_it_said() {
    a_driver_slows_a_station_down(Version::V21, "GENTLE-21", "04E000000BB021").await;
}
