//! Blocks A and B: proving oneself, booting, settings, network profiles and what a station has.

use charge::talk::line::ToStation;
use charge::talk::line::document::Document;
use charge::talk::line::model::{ModelOrder, Network, ReportKind};
use operator::StationOrder;
use operator::order::Outcome;
use serde_json::json;

use super::house::{House, id};
use super::pole::time;

fn model(order: ModelOrder) -> StationOrder {
    StationOrder::Word(Box::new(ToStation::Model(order)))
}

fn network(slot: i32, security_profile: u8) -> StationOrder {
    let more = r#"{"ocppInterface":"Wired0","ocppTransport":"JSON","messageTimeout":30,"ocppVersion":"OCPP20"}"#;
    let to = Network { url: "wss://csms.example/ocpp".into(), security_profile, more: Document::new(more) };
    model(ModelOrder::Network { slot, to })
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
