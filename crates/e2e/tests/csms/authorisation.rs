//! Blocks C and D: what the operator says of a card, and the station's own list and cache.

use charge::Personal;
use charge::talk::line::reservation::ListOrder;
use charge::talk::line::{StationAnswer, ToStation};
use charge::token::TokenUid;
use operator::StationOrder;
use operator::order::Outcome;
use operator::session::State;
use serde_json::{Value, json};

use super::house::{BLOCKED, EXPIRED, House, MASTER, STRANGE, VALID, VALID_TOO};
use super::visit::Visit;

#[tokio::test]
async fn cards_are_judged_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    // TC_C_02_CSMS, TC_C_06_CSMS, TC_C_07_CSMS; proves: C01.FR.07, C06.FR.04
    for (uid, status) in [(VALID, "Accepted"), (STRANGE, "Unknown"), (BLOCKED, "Blocked"), (EXPIRED, "Expired")] {
        assert_eq!(pole.authorize(uid).await, json!({"status": status}));
    }
    // TC_C_08_CSMS: a card that only the station's cache was asked about; proves: C10.FR.07
    let mut visit = Visit::at(1);
    visit.plugged(&mut pole).await;
    let asked = house.road.asked.lock().unwrap().len();
    assert_eq!(visit.shown(&mut pole, "Authorized", VALID).await["status"], "Accepted");
    assert_eq!(house.road.asked.lock().unwrap().len(), asked, "permitted a moment ago");
    visit.stopped(&mut pole, VALID).await;
    visit.left(&mut pole, json!({})).await;
    // TC_C_20_CSMS: and one that the cache has and nobody else
    let mut visit = Visit::at(1);
    visit.plugged(&mut pole).await;
    assert_eq!(visit.shown(&mut pole, "Authorized", STRANGE).await["status"], "Unknown");
}

#[tokio::test]
async fn cache_and_list_are_spoken_of_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    // TC_C_38_CSMS: the station cannot
    let (came, told) =
        house.order(&mut pole, StationOrder::ClearCache, "ClearCache", json!({"status": "Rejected"})).await;
    assert_eq!((came.outcome, told), (Outcome::Refused, json!({})));
    // TC_D_08_CSMS, TC_D_09_CSMS: there is a list, and there is none
    for version in [7, 0] {
        let order = StationOrder::Word(Box::new(ToStation::List(ListOrder::Version)));
        let (came, told) =
            house.order(&mut pole, order, "GetLocalListVersion", json!({"versionNumber": version})).await;
        assert_eq!((came.outcome, told), (Outcome::Accepted, json!({})));
        assert_eq!(came.answer, Some(StationAnswer::Number(version)));
    }
}

/// An operator whose providers know two cards of one group and one of another.
async fn grouped() -> House {
    let house = House::open().await;
    for (uid, group) in [(VALID, "FLEET-7"), (VALID_TOO, "FLEET-7"), (MASTER, "MASTERS")] {
        house.road.change(uid, |verdict| verdict.group = TokenUid::new(group).ok().map(Personal::new));
    }
    house
}

/// The name of the group of a token that was accepted.
fn group(info: &Value) -> String {
    assert_eq!((&info["status"], &info["groupIdToken"]["type"]), (&json!("Accepted"), &json!("Central")), "{info}");
    info["groupIdToken"]["idToken"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn whoever_shares_a_group_may_stop_as_the_cases_ask() {
    let house = grouped().await;
    let mut pole = house.booted().await;
    // TC_C_39_CSMS; proves: C09.FR.02, C09.FR.03, E01.FR.12
    let mut visit = Visit::at(1);
    visit.plugged(&mut pole).await;
    let fleet = group(&pole.authorize(VALID_TOO).await);
    assert!(fleet != "FLEET-7" && fleet.len() <= 20, "{fleet} is a name that is good here alone");
    assert_eq!(group(&visit.shown(&mut pole, "Authorized", VALID).await), fleet);
    visit.turn(&mut pole, "ChargingStateChanged", "Charging").await;
    assert_eq!(group(&pole.authorize(VALID_TOO).await), fleet);
    assert_eq!(group(&visit.shown(&mut pole, "StopAuthorized", VALID_TOO).await), fleet);
    visit.turn(&mut pole, "ChargingStateChanged", "EVConnected").await;
    visit.left(&mut pole, json!({})).await;
    assert_eq!(house.newest().await.card.state, State::Ended);
    // TC_C_40_CSMS: both are on the station's own list, so nobody is asked before; TC_C_43_CSMS: the second one is not
    for listed in [true, false] {
        let mut visit = Visit::at(2);
        visit.plugged(&mut pole).await;
        assert_eq!(group(&visit.shown(&mut pole, "Authorized", VALID).await), fleet);
        visit.turn(&mut pole, "ChargingStateChanged", "Charging").await;
        if !listed {
            assert_eq!(group(&pole.authorize(VALID_TOO).await), fleet);
        }
        assert_eq!(group(&visit.shown(&mut pole, "StopAuthorized", VALID_TOO).await), fleet);
        visit.turn(&mut pole, "ChargingStateChanged", "EVConnected").await;
        visit.left(&mut pole, json!({})).await;
        assert_eq!(house.newest().await.card.state, State::Ended);
    }
    // a card that nobody knows stops nothing, and moves no session
    let mut visit = Visit::at(1);
    visit.charging(&mut pole, VALID).await;
    assert_eq!(visit.shown(&mut pole, "StopAuthorized", STRANGE).await, json!({"status": "Unknown"}));
    assert_eq!(house.newest().await.card.state, State::Active);
}

#[tokio::test]
async fn a_master_pass_stops_what_runs_as_the_cases_ask() {
    let house = grouped().await;
    let mut pole = house.booted().await;
    // TC_C_47_CSMS (all, chosen on a screen), TC_C_48_CSMS (one of them), TC_C_49_CSMS (all, without a screen)
    for ends in [2, 1, 2] {
        let mut visits = [Visit::at(1), Visit::at(2)];
        for (visit, uid) in visits.iter_mut().zip([VALID, VALID_TOO]) {
            visit.charging(&mut pole, uid).await;
        }
        let masters = group(&pole.authorize(MASTER).await);
        for visit in &mut visits[..ends] {
            let named = json!({"idToken": {"idToken": MASTER, "type": "ISO14443"}});
            let told = visit.end(&mut pole, "StopAuthorized", "MasterPass", named).await;
            assert_eq!(group(&told["idTokenInfo"]), masters);
        }
        assert_ne!(group(&pole.authorize(VALID).await), masters);
        let newest = house.newest().await.card;
        let state = if ends == 2 { State::Ended } else { State::Active };
        assert_eq!(newest.state, state, "{newest:?}");
        if ends == 1 {
            visits[1].left(&mut pole, json!({})).await;
        }
    }
}
