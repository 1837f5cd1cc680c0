//! Blocks F and G: starts from afar, triggers, availability, and what a lock has to say.

use charge::id::StationId;
use charge::talk::line::{BayState, ToStation, Trigger};
use operator::StationOrder;
use operator::desk::NewsFilter;
use operator::order::Outcome;
use operator::session::State;
use serde_json::{Value, json};

use super::house::{House, VALID, evse, id};
use super::pole::Pole;
use super::visit::Visit;

/// Orders a start; the token that was sent along, and its number.
async fn start(house: &House, pole: &mut Pole, answer: Value) -> (Value, Value) {
    let told = house
        .accepted(pole, StationOrder::Start { evse: evse(1), profile: None }, "RequestStartTransaction", answer)
        .await;
    assert_eq!(told["evseId"], 1);
    let token = told["idToken"].clone();
    assert!(token["idToken"].is_string() && token["type"].is_string(), "{told}");
    (token, told["remoteStartId"].clone())
}

/// `RemoteStart` in a message of the transaction; what was thought of the token.
async fn remote(visit: &mut Visit, pole: &mut Pole, (token, number): &(Value, Value)) -> Value {
    let more = json!({"idToken": token, "transactionInfo": {"remoteStartId": number}});
    visit.tell(pole, "RemoteStart", more).await["idTokenInfo"].take()
}

#[tokio::test]
async fn a_start_from_afar_is_carried_out_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    let runs = async |pole: &mut Pole, visit: &mut Visit| {
        visit.turn(pole, "ChargingStateChanged", "Charging").await;
        let session = house.newest().await.card;
        assert_eq!((session.state, session.remote), (State::Active, true));
        visit.turn(pole, "RemoteStop", "EVConnected").await;
        visit.left(pole, json!({})).await;
    };
    // TC_F_01_CSMS: the cable is there, and so is the transaction
    let mut visit = Visit::at(1);
    visit.plugged(&mut pole).await;
    let order = start(&house, &mut pole, json!({"status": "Accepted", "transactionId": visit.tx})).await;
    assert_eq!(remote(&mut visit, &mut pole, &order).await["status"], "Accepted");
    assert_eq!(house.sessions().await, 1);
    runs(&mut pole, &mut visit).await;

    // TC_F_02_CSMS: the station asks about the token before it begins; proves: F02.FR.01, F01.FR.01
    let mut visit = Visit::at(1);
    let order = start(&house, &mut pole, json!({"status": "Accepted"})).await;
    let asked = pole.call("Authorize", json!({"idToken": order.0})).await;
    assert_eq!(asked["idTokenInfo"]["status"], "Accepted");
    assert_eq!(remote(&mut visit, &mut pole, &order).await["status"], "Accepted");
    visit.plugged(&mut pole).await;
    runs(&mut pole, &mut visit).await;

    // TC_F_03_CSMS: it does not ask; proves: F01.FR.02
    let mut visit = Visit::at(1);
    let order = start(&house, &mut pole, json!({"status": "Accepted"})).await;
    assert_eq!(remote(&mut visit, &mut pole, &order).await["status"], "Accepted");
    visit.plugged(&mut pole).await;
    runs(&mut pole, &mut visit).await;

    // TC_F_04_CSMS: nobody plugs in in time
    let mut visit = Visit::at(1);
    let order = start(&house, &mut pole, json!({"status": "Accepted"})).await;
    assert_eq!(remote(&mut visit, &mut pole, &order).await["status"], "Accepted");
    assert_eq!(visit.tell(&mut pole, "EVConnectTimeout", json!({})).await, json!({}));
    assert_eq!(visit.end(&mut pole, "EVConnectTimeout", "Timeout", json!({})).await, json!({}));
    let session = house.newest().await.card;
    assert!(session.remote && session.end.is_some(), "{session:?}");
    assert_eq!(house.sessions().await, 4);
}

#[tokio::test]
async fn triggers_are_sent_and_refused_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    // TC_F_11_CSMS, TC_F_12_CSMS, TC_F_13_CSMS, TC_F_14_CSMS, TC_F_15_CSMS, TC_F_18_CSMS; proves: F06.FR.01, F06.FR.02
    let rows = [
        (Trigger::Meter, Some(evse(1)), json!({"requestedMessage": "MeterValues", "evse": {"id": 1}})),
        (Trigger::Meter, None, json!({"requestedMessage": "MeterValues"})),
        (Trigger::Transaction, Some(evse(1)), json!({"requestedMessage": "TransactionEvent", "evse": {"id": 1}})),
        (Trigger::Transaction, None, json!({"requestedMessage": "TransactionEvent"})),
        (Trigger::Log, None, json!({"requestedMessage": "LogStatusNotification"})),
        (Trigger::Firmware, None, json!({"requestedMessage": "FirmwareStatusNotification"})),
    ];
    for (what, evse, asked) in rows {
        let order = StationOrder::Trigger { what, evse };
        let told = house.accepted(&mut pole, order, "TriggerMessage", json!({"status": "Accepted"})).await;
        assert_eq!(told, asked);
    }
    // TC_F_27_CSMS: the station has no such message; proves: F06.FR.08
    let order = StationOrder::Trigger { what: Trigger::Log, evse: None };
    let (came, _) = house.order(&mut pole, order, "TriggerMessage", json!({"status": "NotImplemented"})).await;
    assert_eq!(came.outcome, Outcome::Refused);
    assert!(came.message.contains("NotImplemented"), "{came:?}");
}

#[tokio::test]
async fn availability_is_switched_and_shown_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    let switch = |connector, operative| {
        StationOrder::Word(Box::new(ToStation::Availability { evse: Some(evse(1)), connector, operative }))
    };
    // TC_G_03_CSMS, TC_G_04_CSMS: an EVSE; TC_G_07_CSMS, TC_G_08_CSMS: one connector of it
    let whole = json!({"id": 1});
    let part = json!({"id": 1, "connectorId": 1});
    for (connector, place) in [(None, whole), (Some(1), part.clone())] {
        for (operative, word, state) in
            [(false, "Inoperative", BayState::Unavailable), (true, "Operative", BayState::Available)]
        {
            let order = switch(connector, operative);
            let told = house.accepted(&mut pole, order, "ChangeAvailability", json!({"status": "Accepted"})).await;
            assert_eq!(told, json!({"operationalStatus": word, "evse": place}));
            pole.status(1, if operative { "Available" } else { "Unavailable" }).await;
            assert_eq!(house.shows(1).await.state, Some(state));
        }
    }
    // TC_G_17_CSMS: after the transaction
    let mut visit = Visit::at(1);
    visit.charging(&mut pole, VALID).await;
    let (came, told) =
        house.order(&mut pole, switch(Some(1), false), "ChangeAvailability", json!({"status": "Scheduled"})).await;
    assert_eq!((came.outcome, told), (Outcome::Scheduled, json!({"operationalStatus": "Inoperative", "evse": part})));
    assert_eq!(house.newest().await.card.state, State::Active);
    visit.stopped(&mut pole, VALID).await;
    visit.left(&mut pole, json!({})).await;
    pole.status(1, "Unavailable").await;
    assert_eq!(house.shows(1).await.state, Some(BayState::Unavailable));
}

#[tokio::test]
async fn a_lock_that_fails_is_noted_as_the_case_asks() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    // TC_G_20_CSMS; proves: G05.FR.03
    let lock = json!({"name": "ConnectorPlugRetentionLock", "evse": {"id": 1, "connectorId": 1}});
    assert_eq!(pole.event("Delta", "true", lock, "Problem").await, json!({}));
    let station: Option<StationId> = Some(id());
    let filter = NewsFilter { station, kind: Some("event".to_owned()), limit: 50, ..NewsFilter::default() };
    let news = house.operator.news(filter).await.unwrap();
    assert!(news.iter().any(|of| of.text.contains("ConnectorPlugRetentionLock.Problem is true")), "{news:?}");
}
