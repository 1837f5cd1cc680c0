//! Block K: profiles beside each other, and a car that answers a new one with what it needs.

use charge::id::TransactionKey;
use charge::talk::line::ToStation;
use charge::talk::line::charging::{ChargingOrder, Period, Profile, ProfileKind, ProfilePurpose, RateUnit, Schedule};
use operator::StationOrder;
use serde_json::{Value, json};

use super::house::{House, VALID, evse, now};
use super::pole::{Pole, time};
use super::visit::Visit;

fn profile(id: i32, stack_level: u32, key: Option<&str>) -> Profile {
    let period = Period { limit: Some(16.into()), ..Period::default() };
    let (lasts, unit, more) = (None, RateUnit::Amperes, None);
    let schedule = Schedule { id: 1, start: Some(now()), lasts, unit, min_rate: None, periods: vec![period], more };
    Profile {
        id,
        stack_level,
        purpose: if key.is_some() { ProfilePurpose::Tx } else { ProfilePurpose::TxDefault },
        kind: ProfileKind::Absolute,
        valid_from: None,
        valid_until: None,
        key: key.map(|key| TransactionKey::Text(key.into())),
        schedules: vec![schedule],
        more: None,
    }
}

async fn set(house: &House, pole: &mut Pole, profile: Profile) -> Value {
    let order = ToStation::Charging(ChargingOrder::Set { evse: Some(evse(1)), profile: Box::new(profile) });
    let order = StationOrder::Word(Box::new(order));
    house.accepted(pole, order, "SetChargingProfile", json!({"status": "Accepted"})).await["chargingProfile"].take()
}

#[tokio::test]
async fn profiles_lie_over_each_other_as_the_case_asks() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    // TC_K_70_CSMS
    for (id, level) in [(5, 1), (6, 2)] {
        let told = set(&house, &mut pole, profile(id, level, None)).await;
        assert_eq!((&told["id"], &told["stackLevel"]), (&json!(id), &json!(level)));
    }
}

#[tokio::test]
async fn a_car_answers_a_profile_with_what_it_needs_as_the_case_asks() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    let mut visit = Visit::at(1);
    visit.charging(&mut pole, VALID).await;
    // TC_K_59_CSMS; proves: K16.FR.12
    let told = set(&house, &mut pole, profile(5, 1, Some(&visit.tx))).await;
    assert_eq!((&told["chargingProfilePurpose"], &told["transactionId"]), (&json!("TxProfile"), &json!(visit.tx)));
    let car = json!({"energyAmount": 9_000, "evMinCurrent": 6, "evMaxCurrent": 13, "evMaxVoltage": 400});
    let needs = json!({"requestedEnergyTransfer": "AC_three_phase", "acChargingParameters": car});
    let said = json!({"evseId": 1, "maxScheduleTuples": 3, "chargingNeeds": needs});
    assert_eq!(pole.call("NotifyEVChargingNeeds", said).await, json!({"status": "Accepted"}));
    let (_, told) = tokio::join!(house.operator.duty(), pole.obey("SetChargingProfile", json!({"status": "Accepted"})));
    let given = &told["chargingProfile"];
    assert_eq!((&given["chargingProfilePurpose"], &given["transactionId"]), (&json!("TxProfile"), &json!(visit.tx)));
    assert_eq!(given["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"], 13);
    let plan = json!({
        "evseId": 1, "timeBase": time(), "chargingSchedule": {
            "id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 13}],
        },
    });
    assert_eq!(pole.call("NotifyEVChargingSchedule", plan).await, json!({"status": "Accepted"}));
    assert_eq!(visit.turn(&mut pole, "ChargingRateChanged", "Charging").await, json!({}));
}
