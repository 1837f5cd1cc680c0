//! Block I at a station that can show words: what it costs, and what a provider has to say.

use charge::id::TariffId;
use charge::talk::line::terms::Words;
use charge::tariff::Tariff;
use serde_json::{Value, json};

use super::house::{ACTOR, BLOCKED, House, VALID, location, tariff};
use super::pole::{Pole, time};
use super::visit::Visit;

/// A station that says it can show prices and words.
async fn with_a_display(house: &House) -> Pole {
    let mut pole = house.booted().await;
    let row = |instance: &str| {
        json!({
            "component": {"name": "TariffCostCtrlr"}, "variable": {"name": "Enabled", "instance": instance},
            "variableAttribute": [{"value": "true"}],
        })
    };
    let said = json!({
        "requestId": 1, "generatedAt": time(), "seqNo": 0, "reportData": [row("Cost"), row("Tariff")],
    });
    assert_eq!(pole.call("NotifyReport", said).await, json!({}));
    pole
}

fn words(text: &str) -> Option<Box<Words>> {
    Some(Box::new(Words { language: Some("de".into()), ..Words::plain(text) }))
}

fn content(message: &Value) -> &str {
    message["content"].as_str().unwrap()
}

#[tokio::test]
async fn whoever_taps_reads_the_price_and_what_their_provider_has_to_say() {
    let house = House::open().await;
    house.road.change(VALID, |verdict| verdict.words = words("Gute Fahrt"));
    house.road.change(BLOCKED, |verdict| verdict.words = words("Bitte anrufen"));
    // who cannot show it is not told
    let mut plain = house.booted().await;
    assert_eq!(plain.authorize(BLOCKED).await, json!({"status": "Blocked"}));
    let mut pole = with_a_display(&house).await;
    // proves: I01.FR.01, I01.FR.02
    let info = pole.authorize(VALID).await;
    assert_eq!(content(&info["personalMessage"]), "0.50 EUR a kWh\nGute Fahrt");
    let info = pole.authorize(BLOCKED).await;
    assert_eq!((&info["status"], content(&info["personalMessage"])), (&json!("Blocked"), "Bitte anrufen"));
    assert_eq!(info["personalMessage"]["language"], "de");
    // a card that was not asked about before is in the transaction
    let mut visit = Visit::at(1);
    visit.plugged(&mut pole).await;
    let named = visit.shown(&mut pole, "Authorized", BLOCKED).await;
    assert_eq!((&named["status"], content(&named["personalMessage"])), (&json!("Blocked"), "Bitte anrufen"));
}

#[tokio::test]
async fn the_price_of_an_evse_and_the_cost_of_a_charge_are_told_in_words() {
    let house = House::open().await;
    let other = Tariff { id: TariffId::new("T2").unwrap(), text: Some("0.60 EUR a kWh".to_owned()), ..tariff() };
    house.operator.put_tariff(ACTOR, other).await.unwrap();
    let mut place = location();
    place.evses[1].connectors[0].tariffs = vec![TariffId::new("T2").unwrap()];
    house.operator.put_location(ACTOR, place).await.unwrap();
    let mut pole = with_a_display(&house).await;
    // a tap names no EVSE, and they differ; the transaction does: proves: I06.FR.01, I06.FR.02
    let mut visit = Visit::at(2);
    visit.plugged(&mut pole).await;
    assert_eq!(pole.authorize(VALID).await, json!({"status": "Accepted"}));
    let begin = visit.register("Transaction.Begin", 1_000, false);
    let named = json!({"idToken": {"idToken": VALID, "type": "ISO14443"}, "meterValue": begin});
    let told = visit.tell(&mut pole, "Authorized", named).await;
    assert_eq!(content(&told["updatedPersonalMessage"]), "0.60 EUR a kWh");
    assert!(visit.turn(&mut pole, "ChargingStateChanged", "Charging").await.get("updatedPersonalMessage").is_none());
    let end = visit.register("Transaction.End", 3_000, false);
    let told = visit.end(&mut pole, "StopAuthorized", "Local", json!({"meterValue": end})).await;
    // proves: I03.FR.02
    assert_eq!(told["totalCost"].as_f64(), Some(1.19));
    assert_eq!(content(&told["updatedPersonalMessage"]), "2 kWh, 1.19 EUR");
}
