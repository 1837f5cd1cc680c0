//! Blocks C and D: what the operator says of a card, and the station's own list and cache.

use charge::talk::line::ToStation;
use charge::talk::line::reservation::ListOrder;
use operator::StationOrder;
use operator::order::Outcome;
use serde_json::json;

use super::house::{BLOCKED, EXPIRED, House, STRANGE, VALID};
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
    house.road.known.lock().unwrap().get_mut(VALID).unwrap();
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
        assert_eq!(came.answer, Some(charge::talk::line::StationAnswer::Number(version)));
    }
}
