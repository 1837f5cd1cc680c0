//! Booked: a driver books a charging point from the phone, its station keeps it for that card and for no other, and the
//! booking is fulfilled by the card, or lapses when nobody comes.

use std::time::Duration;

use charge::talk::line::{BayState, Version};
use charge::token::TokenUid;
use charge::units::Energy;
use charge::{Clock, SystemClock};
use serde_json::{Value, json};
use station::CannotDo;

use super::house::OPERATOR;
use super::pole::{Pole, first};
use super::settle::{Driver, LOCATION, Network, TARIFF, evse_uid};
use super::wait::{PATIENCE, until};

const HOUR: Duration = Duration::from_secs(3_600);

/// A station of whose first EVSE people have said that it may be booked.
async fn bookable(network: &Network, version: Version, id: &str, terms: &Value) -> Pole {
    let pole = Pole::stand(network, id, version, 1).await;
    pole.admitted().await;
    let shown = network.operator.get(&format!("/stations/{id}/bookings")).await;
    assert!(shown["evses"][0]["terms"].is_null(), "nothing is offered unasked: {shown}");
    network.operator.put(&format!("/evses/{}/bookable", evse_uid(id, 1)), terms).await;
    pole
}

/// Books from so many seconds on, for an hour.
async fn book(driver: &Driver, id: &str, from_s: u64) -> Value {
    let card = driver.phone.get("/driver/cards").await["items"][0]["id"].clone();
    let path = format!("/driver/places/{OPERATOR}/{LOCATION}/bookable");
    let offered = until("the phone to see free times", async || {
        let found = driver.phone.look(&path).await?;
        found["items"].as_array()?.iter().find(|of| of["evse"] == evse_uid(id, 1).as_str()).cloned()
    })
    .await;
    assert!(!offered["free"].as_array().unwrap().is_empty(), "{offered}");
    let from = SystemClock.now().whole_seconds().plus(Duration::from_secs(from_s));
    let wish = json!({
        "operator": OPERATOR, "location": LOCATION, "bookable": offered["id"], "card": card,
        "from": from.to_string(), "to": from.plus(HOUR).to_string(),
    });
    let booking = driver.phone.post("/driver/bookings", &wish).await;
    assert_eq!(booking["status"], "RESERVED", "{booking}");
    booking
}

async fn becomes(driver: &Driver, status: &str) -> Value {
    until(&format!("the booking to be {status}"), async || {
        let found = driver.phone.look("/driver/bookings").await?;
        Some(found["items"][0].clone()).filter(|booking| booking["status"] == status)
    })
    .await
}

async fn a_booking_is_kept_for_its_card(version: Version, id: &str, cards: [&str; 2]) {
    let network = Network::start().await;
    let driver = network.driver(0, "booker", cards[0]).await;
    let other = network.driver(1, "passerby", cards[1]).await;
    let terms = json!({ "early": 10, "noshow": 15, "late": 10, "shortest": 15, "longest": 240, "change_until": 0, "cancel_until": 0 });
    let pole = bookable(&network, version, id, &terms).await;
    book(&driver, id, 0).await;
    assert!(pole.comes(first(), PATIENCE, |bay| bay.shown == BayState::Reserved).await, "{:?}", pole.bay(first()));
    let shown = until("the operator to see that the station keeps it", async || {
        let shown = network.operator.look(&format!("/stations/{id}/bookings")).await?;
        (shown["bookings"][0]["held"] == true).then_some(shown)
    })
    .await;
    assert!(!shown.to_string().contains(&driver.card), "a list shows no card");

    let refused = pole.station.tap(first(), TokenUid::new(&other.card).unwrap());
    assert_eq!(refused, Err(CannotDo::Reserved), "kept for somebody else, says the station");
    pole.plug(first());
    pole.tap(first(), &driver.card);
    pole.charging(first()).await;
    becomes(&driver, "FULFILLED").await;
    pole.charged(first(), Energy::from_wh(10)).await;
    pole.unplug(first()).await;
    network.all_settled(PATIENCE).await;
    pole.leave().await;
    assert!(!network.house.traces().contains(&driver.card));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_1_6_station_keeps_what_is_booked_for_its_card_alone() {
    a_booking_is_kept_for_its_card(Version::V16, "BOOK-16", ["04E000000B0016", "04E000000B0116"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_2_1_station_keeps_what_is_booked_for_its_card_alone() {
    a_booking_is_kept_for_its_card(Version::V21, "BOOK-21", ["04E000000B0021", "04E000000B0121"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_nobody_comes_to_lapses_and_the_point_is_free_again() {
    let (network, id) = (Network::start().await, "BOOK-LATE");
    let driver = network.driver(0, "absent", "04E000000B0ABE").await;
    let other = network.driver(1, "passerby", "04E000000B0BEE").await;
    // whoever is not there when it begins has not come
    let terms = json!({ "early": 10, "noshow": 0, "late": 0, "shortest": 15, "longest": 240, "change_until": 0, "cancel_until": 0 });
    let pole = bookable(&network, Version::V201, id, &terms).await;
    let energy = json!({ "kind": "ENERGY", "price": "0.44", "vat": "19", "step": 1 });
    let tariff = json!({
        "currency": "EUR", "text": "44 cents", "elements": [{ "components": [energy] }],
        "booking": { "expires": { "price": "4", "vat": "19" } },
    });
    network.operator.put(&format!("/tariffs/{TARIFF}"), &tariff).await;
    until("the phone to say what it costs not to come", async || {
        let found = driver.phone.look(&format!("/driver/places/{OPERATOR}/{LOCATION}/bookable")).await?;
        let here = found["items"].as_array()?.iter().find(|of| of["evse"] == evse_uid(id, 1).as_str())?;
        (here["noshow_fee"]["amount"] == "4.76").then_some(())
    })
    .await;
    book(&driver, id, 8).await;
    assert!(pole.comes(first(), PATIENCE, |bay| bay.shown == BayState::Reserved).await, "{:?}", pole.bay(first()));
    becomes(&driver, "NO_SHOW").await;
    let owed = until("the fee to stand on the invoice", async || {
        let invoices = driver.phone.look("/driver/invoices").await?;
        let id = invoices["items"][0]["id"].as_str()?.to_owned();
        driver.phone.look(&format!("/driver/invoices/{id}")).await
    })
    .await;
    assert!(owed["lines"][0]["text"].as_str().unwrap().ends_with("booking that was not used"), "{owed}");
    assert_eq!(owed["lines"].as_array().unwrap().len(), 1, "{owed}");
    assert!(pole.comes(first(), PATIENCE, |bay| bay.shown == BayState::Available).await, "{:?}", pole.bay(first()));
    pole.plug(first());
    pole.tap(first(), &other.card);
    pole.charging(first()).await;
    pole.unplug(first()).await;
    pole.leave().await;
}
