//! Blocks B, E and F: a reset after which everything goes on, what a station is told of its networks, and triggers of its
//! own.

use charge::Secret;
use charge::id::{CorrelationId, OrderId};
use charge::talk::line::document::Document;
use charge::talk::line::model::{ModelOrder, Network};
use charge::talk::line::{BayState, Foreign, ResetKind, ToStation};
use charge::talk::road::{
    Answer, Letter, OrderAck, PowerProfile, ProfileOrder, ProfileUnit, ProfileWish, Question, ReturnAddress, RoadDesk,
};
use operator::StationOrder;
use operator::order::Outcome;
use operator::session::State;
use serde_json::json;

use super::super::house::{ACTOR, House, id, now};
use super::{accepted, charging, word};

#[tokio::test]
async fn networks_are_set_with_their_identity_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted_new().await;
    // TC_B_100_CSMS; proves: ocpp-2.1 B09.FR.01
    let more = r#"{"ocppInterface":"Wired0","ocppTransport":"JSON","messageTimeout":30,"identity":"POLE-7",
        "basicAuthPassword":"0123456789abcdef"}"#;
    let to = Network { url: "wss://csms.example/ocpp".into(), security_profile: 2, more: Document::new(more) };
    let order = word(ToStation::Model(ModelOrder::Network { slot: 2, to }));
    let told = house.accepted(&mut pole, order, "SetNetworkProfile", accepted()).await;
    assert_eq!((&told["configurationSlot"], &told["connectionData"]["identity"]), (&json!(2), &json!("POLE-7")));
    assert_eq!(told["connectionData"]["basicAuthPassword"], "0123456789abcdef");
    // TC_B_105_CSMS: the same, variable by variable
    for (variable, value) in [("ApnEnabled", "false"), ("VpnEnabled", "true")] {
        let name: Box<str> = format!("NetworkConfiguration[2].{variable}").into();
        let order = StationOrder::WriteSettings { values: vec![(name, Secret::new(value.into()))] };
        let mut wanted = json!({
            "component": {"name": "NetworkConfiguration", "instance": "2"}, "variable": {"name": variable},
        });
        let mut result = wanted.clone();
        result["attributeStatus"] = json!("Accepted");
        let told = house.accepted(&mut pole, order, "SetVariables", json!({"setVariableResult": [result]})).await;
        wanted["attributeValue"] = json!(value);
        assert_eq!(told, json!({"setVariableData": [wanted]}));
    }
}

#[tokio::test]
async fn a_reset_goes_on_with_what_ran_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted_new().await;
    let resume = || StationOrder::Reset(ResetKind::Resume);
    // TC_B_104_CSMS: nothing runs
    let told = house.accepted(&mut pole, resume(), "Reset", accepted()).await;
    assert_eq!(told, json!({"type": "ImmediateAndResume"}));
    drop(pole);
    let mut pole = house.knock_new().await;
    assert_eq!(pole.boot_because("RemoteReset").await["status"], "Accepted");
    drop(pole);
    // TC_B_103_CSMS: a car charges, and it is one session before and after
    let (mut pole, mut visit) = charging(&house).await;
    house.accepted(&mut pole, resume(), "Reset", accepted()).await;
    visit.turn(&mut pole, "ResetCommand", "SuspendedEVSE").await;
    drop(pole);
    let mut pole = house.knock_new().await;
    pole.boot_because("RemoteReset").await;
    pole.status(1, "Occupied").await;
    assert_eq!(visit.turn(&mut pole, "TxResumed", "Charging").await, json!({}));
    let session = house.newest().await.card;
    assert_eq!((session.state, house.sessions().await), (State::Active, 1));
    visit.stopped(&mut pole, super::super::house::VALID).await;
    visit.left(&mut pole, json!({})).await;
    assert!(house.newest().await.card.end.is_some());
}

/// What the driver's provider wants of a session's power.
async fn wishes(house: &House, watts: i64) {
    let session = house.newest().await.card.id;
    let profile = PowerProfile {
        start: Some(now()),
        duration_s: None,
        unit: ProfileUnit::Watts,
        min_rate: None,
        periods: vec![(0, watts.into())],
    };
    let (order, return_to) = (OrderId::new("p1").unwrap(), Some(ReturnAddress("https://hub.example/p1".to_owned())));
    let order = ProfileOrder { order, return_to, session, wish: ProfileWish::Set(profile) };
    let (from, to) = ("DE-8AA".parse().unwrap(), Some("DE-VLT".parse().unwrap()));
    let correlation = CorrelationId::new("c-1").unwrap();
    let letter = Letter { from, to, correlation, question: Question::Profile(order) };
    let heard = house.operator.hear(letter).await;
    assert!(matches!(heard, Ok(Answer::Order { ack: OrderAck::Accepted { .. }, .. })), "{heard:?}");
}

#[tokio::test]
async fn a_profile_is_told_again_to_who_goes_on_as_the_cases_ask() {
    let house = House::open().await;
    let (mut pole, mut visit) = charging(&house).await;
    wishes(&house, 6_000).await;
    let (_, first) = tokio::join!(house.operator.duty(), pole.obey("SetChargingProfile", accepted()));
    assert_eq!(first["chargingProfile"]["transactionId"], json!(visit.tx));
    // TC_B_116_CSMS: by a reset; TC_E_113_CSMS, TC_E_117_CSMS: without power for a moment; proves: ocpp-2.1 E17.FR.15
    for reason in ["RemoteReset", "PowerUp"] {
        drop(pole);
        pole = house.knock_new().await;
        pole.boot_because(reason).await;
        assert_eq!(visit.turn(&mut pole, "TxResumed", "Charging").await, json!({}));
        let (_, again) = tokio::join!(house.operator.duty(), pole.obey("SetChargingProfile", accepted()));
        assert_eq!(again, first, "{reason}");
    }
}

#[tokio::test]
async fn what_only_one_make_knows_is_triggered_as_the_case_asks() {
    let house = House::open().await;
    let mut pole = house.booted_new().await;
    // TC_F_100_CSMS: by the call for experts, which has room for every word of the standard
    let body = json!({"requestedMessage": "CustomTrigger", "customTrigger": "self-test"});
    let call = Foreign { action: "TriggerMessage".into(), body: body.to_string().into() };
    let station = id();
    let called = house.operator.expert(ACTOR, &station, call, "{}");
    let (came, told) = tokio::join!(called, pole.obey("TriggerMessage", accepted()));
    assert_eq!((came.unwrap().answer, told), (Ok(accepted().to_string()), body));
}

#[tokio::test]
async fn every_state_of_a_connector_is_taken_as_the_case_asks() {
    let house = House::open().await;
    let mut pole = house.booted_new().await;
    // TC_G_01_CSMS
    for (said, shown) in [
        ("Occupied", BayState::Occupied),
        ("Reserved", BayState::Reserved),
        ("Unavailable", BayState::Unavailable),
        ("Faulted", BayState::Faulted),
        ("Available", BayState::Available),
    ] {
        pole.status(1, said).await;
        assert_eq!(house.shows(1).await.state, Some(shown), "{said}");
    }
    let refused = StationOrder::Reset(ResetKind::Resume);
    let (came, _) = house.order(&mut pole, refused, "Reset", json!({"status": "Rejected"})).await;
    assert_eq!(came.outcome, Outcome::Refused);
}
