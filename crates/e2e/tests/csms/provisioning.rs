//! Blocks A and B: proving oneself, booting, settings, network profiles and what a station has.

use std::sync::Arc;

use charge::Secret;
use charge::talk::line::certificate::StationKey;
use charge::talk::line::document::Document;
use charge::talk::line::model::{ModelOrder, Network, ReportKind};
use charge::talk::line::{ResetKind, ToStation, Trigger};
use operator::order::Outcome;
use operator::{Fault, StationOrder};
use serde_json::json;
use trust::dice::SystemDice;
use trust::pki::Authority;

use super::house::{ACTOR, DAY, House, SERIAL, id, now};
use super::pole::{Pole, time};

fn model(order: ModelOrder) -> StationOrder {
    StationOrder::Word(Box::new(ToStation::Model(order)))
}

fn network(slot: i32, security_profile: u8) -> StationOrder {
    let more = r#"{"ocppInterface":"Wired0","ocppTransport":"JSON","messageTimeout":30,"ocppVersion":"OCPP20"}"#;
    let to = Network { url: "wss://csms.example/ocpp".into(), security_profile, more: Document::new(more) };
    model(ModelOrder::Network { slot, to })
}

/// A request of an EC key for the serial number of the station here, made with another tool.
const REQUEST: &str = include_str!("../../../operator/src/tests/request.pem");

/// A key is sent and answered like this; what came of it, and the key.
async fn renew(house: &House, pole: &mut Pole, word: &str) -> (Outcome, String) {
    let component = json!({"name": "SecurityCtrlr"});
    let variable = json!({"name": "BasicAuthPassword"});
    let result = json!([{"attributeStatus": word, "component": component, "variable": variable}]);
    let station = id();
    let renewed = house.operator.renew_key(ACTOR, &station);
    let (came, told) = tokio::join!(renewed, pole.obey("SetVariables", json!({"setVariableResult": result})));
    let one = &told["setVariableData"][0];
    assert_eq!((&one["component"], &one["variable"]), (&component, &variable));
    assert_eq!(told["setVariableData"].as_array().unwrap().len(), 1);
    (came.unwrap().outcome, one["attributeValue"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_password_is_renewed_over_the_line_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    let old = house.key.expose();
    // TC_A_10_CSMS: the station does not take it, so only the old one opens; proves: A01.FR.02, A01.FR.04
    let (came, new) = renew(&house, &mut pole, "Rejected").await;
    assert_eq!(came, Outcome::Refused);
    assert_eq!(Pole::knock(house.port(), &new).await.err(), Some(401));
    let mut pole = Pole::knock(house.port(), old).await.unwrap();
    pole.boot().await;
    // TC_A_09_CSMS: the station takes it, so only the new one opens; proves: A01.FR.03
    let (came, new) = renew(&house, &mut pole, "Accepted").await;
    assert_eq!(came, Outcome::Accepted);
    assert!(new.len() >= 16 && new != *old);
    assert_eq!(Pole::knock(house.port(), old).await.err(), Some(401));
    let mut pole = Pole::knock(house.port(), &new).await.unwrap();
    pole.boot().await;
    // nobody knows whether the station has it: both open, until it has come with the new one
    let (_, newest) = renew(&house, &mut pole, "RebootRequired").await;
    // a third would shut out a station that has the second
    let third = house.operator.renew_key(ACTOR, &id()).await;
    assert!(matches!(&third, Err(Fault::Conflict(why)) if why.contains("nobody knows")), "{third:?}");
    let mut pole = Pole::knock(house.port(), &new).await.unwrap();
    pole.boot().await;
    let mut pole = Pole::knock(house.port(), &newest).await.unwrap();
    pole.boot().await;
    assert_eq!(Pole::knock(house.port(), &new).await.err(), Some(401));
    // one that came with a key says by this which it has, so that it may be sent another
    let (_, unsure) = renew(&house, &mut pole, "RebootRequired").await;
    let mut pole = Pole::knock(house.port(), &newest).await.unwrap();
    pole.boot().await;
    let (came, last) = renew(&house, &mut pole, "Accepted").await;
    assert_eq!(came, Outcome::Accepted);
    for gone in [&newest, &unsure] {
        assert_eq!(Pole::knock(house.port(), gone).await.err(), Some(401));
    }
    let mut pole = Pole::knock(house.port(), &last).await.unwrap();
    pole.boot().await;
}

#[tokio::test]
async fn a_certificate_is_renewed_as_the_cases_ask() {
    let house = House::open().await;
    let authority = Authority::create("stations", DAY * 500, now(), &SystemDice).unwrap();
    house.operator.attach_authority(Arc::new(authority));
    let mut pole = house.booted().await;
    // TC_A_11_CSMS, TC_A_14_CSMS; proves: A02.FR.11, A02.FR.14, F06.FR.01
    for (word, state) in [("Accepted", "accepted"), ("Rejected", "rejected")] {
        let order = StationOrder::Trigger { what: Trigger::Sign(StationKey::Line), evse: None };
        let told = house.accepted(&mut pole, order, "TriggerMessage", json!({"status": "Accepted"})).await;
        assert_eq!(told, json!({"requestedMessage": "SignChargingStationCertificate"}));
        let asked = json!({"csr": REQUEST, "certificateType": "ChargingStationCertificate"});
        assert_eq!(pole.call("SignCertificate", asked).await, json!({"status": "Accepted"}));
        let (_, told) = tokio::join!(house.operator.duty(), pole.obey("CertificateSigned", json!({"status": word})));
        assert_eq!(told["certificateType"], "ChargingStationCertificate");
        let chain = told["certificateChain"].as_str().unwrap();
        assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
        let issued = house.operator.issued(Some(id()), None).await.unwrap();
        assert_eq!((issued[0].state.as_str(), issued[0].common_name.as_deref()), (state, Some(SERIAL)));
    }
}

#[tokio::test]
async fn the_security_profile_rises_and_does_not_fall_as_the_case_asks() {
    let house = House::open().await;
    let root = Authority::create("Root", DAY * 500, now(), &SystemDice).unwrap();
    let tls = house.open_tls(&root);
    let mut pole = house.booted().await;
    // TC_A_19_CSMS; proves: A05.FR.04, A05.FR.07
    let told = house.accepted(&mut pole, network(2, 3), "SetNetworkProfile", json!({"status": "Accepted"})).await;
    assert_eq!(told["connectionData"]["securityProfile"], 3);
    let key: Box<str> = "OCPPCommCtrlr.NetworkConfigurationPriority".into();
    let order = StationOrder::WriteSettings { values: vec![(key, Secret::new("2,1".into()))] };
    let place = json!({
        "component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "NetworkConfigurationPriority"},
    });
    let mut result = place.clone();
    result["attributeStatus"] = json!("Accepted");
    let told = house.accepted(&mut pole, order, "SetVariables", json!({"setVariableResult": [result]})).await;
    let mut wanted = place;
    wanted["attributeValue"] = json!("2,1");
    assert_eq!(told, json!({"setVariableData": [wanted]}));
    let reset = StationOrder::Reset(ResetKind::Soft);
    let told = house.accepted(&mut pole, reset, "Reset", json!({"status": "Accepted"})).await;
    assert_eq!(told, json!({"type": "OnIdle"}));
    let identity = root.station_certificate(SERIAL, "Voltwerk", DAY, now(), &SystemDice).unwrap();
    let mut risen = Pole::knock_with(tls.local_addr().port(), root.certificate_pem(), &identity).await.unwrap();
    risen.boot().await;
    assert_eq!(Pole::knock(house.port(), house.key.expose()).await.err(), Some(401));
}

#[tokio::test]
async fn a_station_boots_as_the_case_asks() {
    let house = House::open().await;
    // TC_B_01_CSMS; proves: B01.FR.02
    let mut pole = house.booted().await;
    let heard = pole.boot().await;
    assert!(heard["interval"].as_u64().is_some_and(|seconds| seconds > 0), "{heard}");
    assert!(heard["currentTime"].is_string());
    let page = house.operator.station(&id()).await.unwrap();
    assert_eq!((page.card.vendor.as_str(), page.card.connected), ("Hand", true));
}

#[tokio::test]
async fn network_profiles_are_set_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    // TC_B_42_CSMS; proves: B09.FR.01
    let told = house.accepted(&mut pole, network(1, 2), "SetNetworkProfile", json!({"status": "Accepted"})).await;
    let data = json!({
        "messageTimeout": 30, "ocppCsmsUrl": "wss://csms.example/ocpp", "ocppInterface": "Wired0",
        "ocppTransport": "JSON", "ocppVersion": "OCPP20", "securityProfile": 2,
    });
    assert_eq!(told, json!({"configurationSlot": 1, "connectionData": data}));
    // TC_B_44_CSMS; proves: B09.FR.03
    let (came, _) = house.order(&mut pole, network(1, 2), "SetNetworkProfile", json!({"status": "Failed"})).await;
    assert_eq!(came.outcome, Outcome::Refused);
    assert!(came.message.contains("Failed"), "{came:?}");
}

#[tokio::test]
async fn an_inventory_is_asked_for_and_shown_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    // TC_B_14_CSMS, TC_B_12_CSMS, TC_B_13_CSMS; proves: B07.FR.07, B07.FR.08, B07.FR.09
    let kinds = [
        (ReportKind::Summary, "SummaryInventory"),
        (ReportKind::Configuration, "ConfigurationInventory"),
        (ReportKind::Full, "FullInventory"),
    ];
    for (kind, word) in kinds {
        let order = model(ModelOrder::Base { request: 0, kind });
        let told = house.accepted(&mut pole, order, "GetBaseReport", json!({"status": "Accepted"})).await;
        assert_eq!(told["reportBase"], word);
        let number = told["requestId"].as_i64().unwrap();
        for (seq, component) in ["EVSE", "Connector"].into_iter().enumerate() {
            let row = json!({
                "component": {"name": component, "evse": {"id": 1}}, "variable": {"name": "AvailabilityState"},
                "variableAttribute": [{"value": word}],
            });
            let more = json!({
                "requestId": number, "generatedAt": time(), "seqNo": seq, "tbc": seq == 0, "reportData": [row],
            });
            assert_eq!(pole.call("NotifyReport", more).await, json!({}));
        }
        let shown = house.operator.variables(&id(), "AvailabilityState").await.unwrap();
        assert_eq!(shown.iter().filter(|of| of.value.as_deref() == Some(word)).count(), 2, "{shown:?}");
        let asked = house.operator.request(i32::try_from(number).unwrap()).await.unwrap();
        assert_eq!(asked.state, operator::request::State::Done);
    }
}
