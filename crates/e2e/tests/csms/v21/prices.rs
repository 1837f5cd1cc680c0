//! Block I: tariffs that stations keep and price by, and what they come to.

use charge::talk::line::display::TariffOrder;
use charge::talk::line::document::ItemOutcome;
use charge::talk::line::{StationAnswer, ToStation};
use charge::tariff::{Restrictions, Tariff};
use operator::StationOrder;
use operator::order::Outcome;
use serde_json::{Value, json};

use super::super::house::{House, VALID, evse, tariff};
use super::super::visit::Visit;
use super::{accepted, charging, key, reports, word};

fn of_prices(order: TariffOrder) -> StationOrder {
    word(ToStation::Tariff(order))
}

fn default(tariff: Tariff) -> StationOrder {
    of_prices(TariffOrder::SetDefault { evse: Some(evse(1)), tariff: Box::new(tariff) })
}

/// Another price by day.
fn by_day() -> Tariff {
    let mut all = tariff();
    let mut day = all.elements[0].clone();
    day.restrictions =
        Restrictions { start_minute: Some(8 * 60), end_minute: Some(20 * 60), ..Restrictions::default() };
    day.components[0].price = "0.60".parse().unwrap();
    all.elements.insert(0, day);
    all
}

/// How the standard writes the prices of [`by_day`].
fn energy() -> Value {
    let day = json!({"priceKwh": 0.6, "conditions": {"startTimeOfDay": "08:00", "endTimeOfDay": "20:00"}});
    json!({"prices": [day, {"priceKwh": 0.5}], "taxRates": [{"type": "VAT", "tax": 19}]})
}

#[tokio::test]
async fn a_default_tariff_is_set_kept_and_cleared_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted_new().await;
    // TC_I_101_CSMS
    let told = house.accepted(&mut pole, default(by_day()), "SetDefaultTariff", accepted()).await;
    assert_eq!(
        (&told["evseId"], &told["tariff"]["tariffId"], &told["tariff"]["currency"]),
        (&json!(1), &json!("T1"), &json!("EUR"))
    );
    assert_eq!(told["tariff"]["energy"], energy());
    // TC_I_102_CSMS, TC_I_105_CSMS
    for why in ["TooManyElements", "ConditionNotSupported"] {
        let (came, _) = house.order(&mut pole, default(by_day()), "SetDefaultTariff", json!({"status": why})).await;
        assert_eq!(came.outcome, Outcome::Refused, "{why}");
        assert!(came.message.contains(why), "{}", came.message);
    }
    // TC_I_106_CSMS: what it keeps
    let told = house.accepted(&mut pole, default(tariff()), "SetDefaultTariff", accepted()).await;
    assert!(told["tariff"]["energy"]["prices"][0].get("conditions").is_none());
    let kept = json!({"tariffId": "T1", "tariffKind": "DefaultTariff", "evseIds": [1]});
    let answer = json!({"status": "Accepted", "tariffAssignments": [kept]});
    let read = of_prices(TariffOrder::Read { evse: Some(evse(1)) });
    let (came, told) = house.order(&mut pole, read, "GetTariffs", answer).await;
    let Some(StationAnswer::Tariffs(kept)) = came.answer else { panic!("{came:?}") };
    assert_eq!((told, &*kept[0].id, kept[0].of_driver), (json!({"evseId": 1}), "T1", false));
    // TC_I_110_CSMS
    for word in ["Accepted", "NoTariff"] {
        let clear = of_prices(TariffOrder::Clear { evse: Some(evse(1)), ids: vec!["T1".into()] });
        let answer = json!({"clearTariffsResult": [{"tariffId": "T1", "status": word}]});
        let (came, told) = house.order(&mut pole, clear, "ClearTariffs", answer).await;
        assert_eq!(told, json!({"tariffIds": ["T1"], "evseId": 1}));
        assert_eq!(came.answer, Some(StationAnswer::Items(vec![ItemOutcome { of: "T1".into(), word: word.into() }])));
    }
}

#[tokio::test]
async fn the_tariff_of_a_transaction_is_changed_as_the_cases_ask() {
    let house = House::open().await;
    let (mut pole, visit) = charging(&house).await;
    let change = || of_prices(TariffOrder::Change { key: key(&visit), tariff: Box::new(by_day()) });
    // TC_I_115_CSMS; proves: ocpp-2.1 I11.FR.01
    let told = house.accepted(&mut pole, change(), "ChangeTransactionTariff", accepted()).await;
    assert_eq!((&told["transactionId"], &told["tariff"]["energy"]), (&json!(visit.tx), &energy()));
    // TC_I_113_CSMS, TC_I_114_CSMS
    for why in ["TooManyElements", "ConditionNotSupported"] {
        let (came, _) = house.order(&mut pole, change(), "ChangeTransactionTariff", json!({"status": why})).await;
        assert_eq!(came.outcome, Outcome::Refused, "{why}");
        assert!(came.message.contains(why), "{}", came.message);
    }
    // TC_I_01_CSMS
    let show = of_prices(TariffOrder::Cost { key: key(&visit), total: "1.25".parse().unwrap() });
    let told = house.accepted(&mut pole, show, "CostUpdated", json!({})).await;
    assert_eq!(told, json!({"totalCost": 1.25, "transactionId": visit.tx}));
}

#[tokio::test]
async fn a_driver_is_told_the_tariff_and_the_station_what_it_came_to_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted_new().await;
    reports(&mut pole, &[("TariffCostCtrlr", "Enabled", Some("Tariff"), "true")]).await;
    // TC_I_109_CSMS; proves: ocpp-2.1 I08.FR.01
    let told = pole.call("Authorize", json!({"idToken": {"idToken": VALID, "type": "ISO14443"}})).await;
    assert_eq!((&told["idTokenInfo"]["status"], &told["tariff"]["tariffId"]), (&json!("Accepted"), &json!("T1")));
    // TC_I_122_CSMS: what the station works out is what we do, or it is shown that it is not
    for (total, differs) in [(1.19, false), (2.38, true)] {
        let mut visit = Visit::at(1);
        visit.plugged(&mut pole).await;
        let begin = visit.register("Transaction.Begin", 1_000, false);
        let named = json!({
            "idToken": {"idToken": VALID, "type": "ISO14443"}, "meterValue": begin, "transactionInfo": {"tariffId": "T1"},
        });
        assert_eq!(visit.tell(&mut pole, "Authorized", named).await["idTokenInfo"]["status"], "Accepted");
        visit.turn(&mut pole, "ChargingStateChanged", "Charging").await;
        let price = json!({"exclTax": 1.0, "inclTax": total});
        let cost = json!({
            "totalCost": {"currency": "EUR", "typeOfCost": "NormalCost", "energy": price, "total": price},
            "totalUsage": {"energy": 2_000, "chargingTime": 900, "idleTime": 0},
        });
        let end = visit.register("Transaction.End", 3_000, false);
        visit.end(&mut pole, "StopAuthorized", "Local", json!({"meterValue": end, "costDetails": cost})).await;
        let flags = house.newest().await.card.flags;
        assert_eq!(flags.iter().any(|flag| flag.contains("the station came to")), differs, "{flags:?}");
    }
}
