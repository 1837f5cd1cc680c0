//! Block J: readings by the clock and in intervals, with and without a transaction, plain and signed.

use charge::units::Energy;
use operator::session::State;
use serde_json::{Value, json};

use super::house::{House, VALID};
use super::pole::{Pole, time};
use super::visit::Visit;

/// Readings by the clock of whatever has no transaction.
async fn by_the_clock(pole: &mut Pole, evse: u16, wh: i64) {
    let sample = json!({"value": wh, "context": "Sample.Clock", "measurand": "Energy.Active.Import.Register"});
    let said = json!({"evseId": evse, "meterValue": [{"timestamp": time(), "sampledValue": [sample]}]});
    // proves: J01.FR.18
    assert_eq!(pole.call("MeterValues", said).await, json!({}));
    let fiscal = json!({"name": "FiscalMetering"});
    assert_eq!(pole.event("Periodic", &wh.to_string(), fiscal, "Energy").await, json!({}));
}

fn wh(of: i64) -> Energy {
    Energy::from_wh(of)
}

#[tokio::test]
async fn readings_by_the_clock_are_taken_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    // TC_J_01_CSMS: nobody charges
    for round in 0..3 {
        for evse in [0, 1, 2] {
            by_the_clock(&mut pole, evse, 100 * round).await;
        }
    }
    assert_eq!(house.sessions().await, 0, "readings alone are no session");

    // TC_J_02_CSMS: somebody does
    let mut visit = Visit::at(1);
    visit.charging(&mut pole, VALID).await;
    for (round, register) in [1_000, 2_000, 3_000].into_iter().enumerate() {
        by_the_clock(&mut pole, 0, 0).await;
        by_the_clock(&mut pole, 2, 0).await;
        let values = json!({"meterValue": visit.register("Sample.Clock", register, false)});
        assert_eq!(visit.tell(&mut pole, "MeterValueClock", values).await, json!({}));
        let session = house.newest().await;
        assert_eq!(session.curve.len(), round + 1, "each is a point of the curve");
        assert_eq!(session.card.energy, wh(register - 1_000));
    }

    // TC_J_03_CSMS: all of them come again with the last message
    visit.stopped(&mut pole, VALID).await;
    let all = visit.registers("Sample.Clock", &[(3, 1_000), (4, 2_000), (5, 3_000)], 5_000, false);
    assert_eq!(visit.left(&mut pole, json!({"meterValue": all})).await, json!({}));
    let session = house.newest().await.card;
    assert_eq!((session.state, session.energy), (State::Ended, wh(4_000)));

    // TC_J_04_CSMS: the same, signed
    let mut visit = Visit::at(1);
    visit.charging(&mut pole, VALID).await;
    visit.stopped(&mut pole, VALID).await;
    let all = visit.registers("Sample.Clock", &[(3, 5_000), (4, 6_000)], 7_000, true);
    assert_eq!(visit.left(&mut pole, json!({"meterValue": all})).await, json!({}));
    let session = house.newest().await;
    assert_eq!((session.card.energy, session.records), (wh(2_000), 3));
}

#[tokio::test]
async fn readings_in_intervals_are_taken_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    let begin =
        |visit: &Visit| json!({"evse": visit.place(), "meterValue": visit.register("Transaction.Begin", 1_000, false)});

    // TC_J_07_CSMS: the register at the begin; proves: J02.FR.19
    let mut visit = Visit::at(1);
    pole.status(1, "Occupied").await;
    let said = begin(&visit);
    assert_eq!(visit.tell(&mut pole, "CablePluggedIn", said).await, json!({}));
    let (_, named) = visit.authorized(&mut pole, VALID).await;
    assert_eq!(named["status"], "Accepted");
    // TC_J_09_CSMS: and on the way
    for (round, register) in [1_800, 2_600, 3_400].into_iter().enumerate() {
        let values = json!({"meterValue": visit.register("Sample.Periodic", register, false)});
        assert_eq!(visit.tell(&mut pole, "MeterValuePeriodic", values).await, json!({}));
        let session = house.newest().await;
        assert_eq!((session.card.energy, session.curve.len()), (wh(register - 1_000), round + 2));
    }
    // TC_J_10_CSMS: and at the end, with what was read on the way
    visit.stopped(&mut pole, VALID).await;
    let all = visit.registers("Sample.Periodic", &[(3, 1_800), (4, 2_600), (5, 3_400)], 5_000, false);
    assert_eq!(visit.left(&mut pole, json!({"meterValue": all})).await, json!({}));
    let session = house.newest().await.card;
    assert_eq!((session.state, session.energy), (State::Ended, wh(4_000)));

    // TC_J_08_CSMS: the register at the begin comes when the EVSE is known, which is later
    let mut visit = Visit::at(2);
    visit.authorized(&mut pole, VALID).await;
    pole.status(2, "Occupied").await;
    let said = begin(&visit);
    assert_eq!(visit.tell(&mut pole, "CablePluggedIn", said).await, json!({}));
    visit.turn(&mut pole, "ChargingStateChanged", "Charging").await;
    // TC_J_11_CSMS: all of them signed
    visit.stopped(&mut pole, VALID).await;
    let all: Value = visit.registers("Sample.Periodic", &[(4, 2_000)], 3_000, true);
    assert_eq!(visit.left(&mut pole, json!({"meterValue": all})).await, json!({}));
    let session = house.newest().await;
    assert_eq!((session.card.energy, session.records), (wh(2_000), 2));
    assert_eq!(session.card.no.map(|no| no.get()), Some(2));
}
