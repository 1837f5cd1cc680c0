//! Blocks C and E: how much a card is good for, and transactions that end when it is reached.

use charge::money::Money;
use charge::token::{Allowed, Verdict};
use charge::units::Energy;
use operator::session::State;
use serde_json::{Value, json};

use super::super::house::{BLOCKED, House, VALID, VALID_TOO};
use super::super::pole::Pole;
use super::super::visit::Visit;
use super::reports;

/// A station that keeps to limits, at an operator whose provider sets them.
async fn limited(house: &House, how: impl FnOnce(&mut Verdict)) -> Pole {
    house.road.change(VALID, how);
    let mut pole = house.booted_new().await;
    reports(&mut pole, &[("TxCtrlr", "SupportedLimits", None, "maxCost,maxEnergy,maxTime,maxSoC")]).await;
    pole
}

/// A card is shown: the whole answer.
async fn shown(visit: &mut Visit, pole: &mut Pole, uid: &str) -> Value {
    visit.plugged(pole).await;
    let begin = visit.register("Transaction.Begin", 1_000, false);
    let named = json!({"idToken": {"idToken": uid, "type": "ISO14443"}, "meterValue": begin});
    visit.tell(pole, "Authorized", named).await
}

/// The station says which limits hold, and that one is reached; then the car goes.
async fn reaches(house: &House, visit: &mut Visit, pole: &mut Pole, limits: Value, reached: &str) {
    let set = json!({"transactionInfo": {"chargingState": "Charging", "transactionLimit": limits}});
    visit.tell(pole, "LimitSet", set).await;
    let values = json!({"meterValue": visit.register("Sample.Periodic", 2_000, false)});
    visit.tell(pole, "MeterValuePeriodic", values).await;
    visit.turn(pole, reached, "SuspendedEVSE").await;
    assert_eq!(house.newest().await.card.state, State::Active, "the car is still there");
    let end = visit.register("Transaction.End", 3_000, false);
    visit.left(pole, json!({"meterValue": end})).await;
    let session = house.newest().await.card;
    assert_eq!((session.state, session.energy), (State::Ended, Energy::from_wh(2_000)), "{reached}");
}

#[tokio::test]
async fn a_prepaid_card_is_good_for_what_is_on_it_as_the_cases_ask() {
    let house = House::open().await;
    let five = Money::new(500, charge::money::Currency::EUR);
    let mut pole = limited(&house, |verdict| verdict.money_cap = Some(five)).await;
    // TC_C_103_CSMS; TC_E_109_CSMS: and the cost is told on the way; proves: ocpp-2.1 E16.FR.02, E16.FR.11
    assert_eq!(pole.authorize(VALID).await["status"], "Accepted");
    let mut visit = Visit::at(1);
    let told = shown(&mut visit, &mut pole, VALID).await;
    assert_eq!(
        (&told["idTokenInfo"]["status"], &told["transactionLimit"]),
        (&json!("Accepted"), &json!({"maxCost": 5.0}))
    );
    let values = json!({"meterValue": visit.register("Sample.Periodic", 3_000, false)});
    let told = visit.tell(&mut pole, "MeterValuePeriodic", values).await;
    assert_eq!(told["totalCost"].as_f64(), Some(1.19));
    // TC_C_104_CSMS
    house.road.change(BLOCKED, |verdict| *verdict = Verdict::bare(Allowed::NoCredit));
    assert_eq!(pole.authorize(BLOCKED).await["status"], "NoCredit");
}

#[tokio::test]
async fn charging_ends_at_a_limit_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = limited(&house, |verdict| verdict.energy_cap = Some(Energy::from_wh(2_000))).await;
    // TC_E_110_CSMS: the provider's
    let mut visit = Visit::at(1);
    assert_eq!(shown(&mut visit, &mut pole, VALID).await["transactionLimit"], json!({"maxEnergy": 2_000}));
    reaches(&house, &mut visit, &mut pole, json!({"maxEnergy": 2_000}), "EnergyLimitReached").await;
    // TC_E_102_CSMS: the driver wants less than that
    let mut visit = Visit::at(1);
    assert_eq!(shown(&mut visit, &mut pole, VALID).await["transactionLimit"], json!({"maxEnergy": 2_000}));
    reaches(&house, &mut visit, &mut pole, json!({"maxEnergy": 1_500}), "EnergyLimitReached").await;
    // TC_E_106_CSMS, TC_E_107_CSMS, TC_E_108_CSMS: the driver's alone
    for (limits, reached) in [
        (json!({"maxEnergy": 1_500}), "EnergyLimitReached"),
        (json!({"maxTime": 900}), "TimeLimitReached"),
        (json!({"maxCost": 1.5}), "CostLimitReached"),
    ] {
        let mut visit = Visit::at(1);
        assert!(shown(&mut visit, &mut pole, VALID_TOO).await.get("transactionLimit").is_none());
        reaches(&house, &mut visit, &mut pole, limits, reached).await;
    }
}
