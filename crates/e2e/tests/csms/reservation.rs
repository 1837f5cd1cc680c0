//! Block H: an EVSE is kept for a card, and what becomes of that.

use std::time::Duration;

use charge::talk::line::BayState;
use operator::NewReservation;
use operator::desk::Reservation;
use operator::order::Outcome;
use operator::reservation::State;
use serde_json::{Value, json};

use super::house::{ACTOR, House, VALID, card, evse, id, now};
use super::pole::Pole;
use super::visit::Visit;

/// Reserves for the valid card; what is kept, what came of it, and what the station was told.
async fn reserve(house: &House, pole: &mut Pole, no: Option<u16>, word: &str) -> (Reservation, Outcome, Value) {
    let until = now().plus(Duration::from_secs(3_600));
    let wanted = NewReservation { station: id(), evse: no.map(evse), token: card(VALID), until, giver: None };
    let made = house.operator.reserve(ACTOR, wanted);
    let (made, told) = tokio::join!(made, pole.obey("ReserveNow", json!({"status": word})));
    let (kept, came) = made.unwrap();
    assert_eq!(told["idToken"], json!({"idToken": VALID, "type": "ISO14443"}), "{told}");
    assert_eq!((told["evseId"].as_u64(), told.get("connectorType")), (no.map(u64::from), None), "{told}");
    assert_eq!(told["id"], kept.id);
    (kept, came.outcome, told)
}

async fn stands(house: &House, of: &Reservation) -> State {
    let all = house.operator.reservations(Some(id()), 50).await.unwrap();
    all.into_iter().find(|row| row.id == of.id).unwrap().state
}

#[tokio::test]
async fn an_evse_is_kept_and_let_go_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    // TC_H_01_CSMS: it is kept
    let (kept, came, _) = reserve(&house, &mut pole, Some(1), "Accepted").await;
    assert_eq!((came, kept.state), (Outcome::Accepted, State::Held));
    pole.status(1, "Reserved").await;
    assert_eq!(house.shows(1).await.state, Some(BayState::Reserved));
    // and used by whoever it is for
    let mut visit = Visit::at(1);
    visit.plugged(&mut pole).await;
    pole.authorize(VALID).await;
    let used = json!({"reservationId": kept.id, "idToken": {"idToken": VALID, "type": "ISO14443"}});
    assert_eq!(visit.tell(&mut pole, "Authorized", used).await["idTokenInfo"]["status"], "Accepted");
    assert_eq!(stands(&house, &kept).await, State::Used);
    visit.stopped(&mut pole, VALID).await;
    visit.left(&mut pole, json!({})).await;

    // TC_H_20_CSMS: the EVSE broke, and the station gives it up; TC_H_07_CSMS: nobody came
    let ends = [
        ("Faulted", BayState::Faulted, "Removed", State::Removed),
        ("Available", BayState::Available, "Expired", State::Expired),
    ];
    for (status, shown, word, state) in ends {
        let (kept, _, _) = reserve(&house, &mut pole, Some(1), "Accepted").await;
        pole.status(1, "Reserved").await;
        pole.status(1, status).await;
        assert_eq!(house.shows(1).await.state, Some(shown));
        let said = json!({"reservationId": kept.id, "reservationUpdateStatus": word});
        assert_eq!(pole.call("ReservationStatusUpdate", said).await, json!({}));
        assert_eq!(stands(&house, &kept).await, state);
    }
    // TC_H_17_CSMS: it is cancelled
    let (kept, _, _) = reserve(&house, &mut pole, Some(1), "Accepted").await;
    let cancel = house.operator.cancel_reservation(ACTOR, kept.id);
    let (made, told) = tokio::join!(cancel, pole.obey("CancelReservation", json!({"status": "Accepted"})));
    assert_eq!(told, json!({"reservationId": kept.id}));
    assert_eq!(made.unwrap().0.state, State::Cancelled);
}

#[tokio::test]
async fn any_evse_is_kept_or_none_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    // TC_H_08_CSMS, TC_H_14_CSMS: any EVSE, as often as there are EVSEs
    for _ in [1, 2] {
        let (kept, came, _) = reserve(&house, &mut pole, None, "Accepted").await;
        assert_eq!((came, kept.state), (Outcome::Accepted, State::Held));
    }
    for no in [1, 2] {
        pole.status(no, "Reserved").await;
        assert_eq!(house.shows(no).await.state, Some(BayState::Reserved));
    }
    // TC_H_22_CSMS: the station takes no reservations
    let (kept, came, _) = reserve(&house, &mut pole, Some(1), "Rejected").await;
    assert_eq!((came, kept.state), (Outcome::Refused, State::Refused));
}
