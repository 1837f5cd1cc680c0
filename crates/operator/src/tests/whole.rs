//! From the plug to the CDR: signed, priced with the pinned tariff, delivered once.

use std::time::Duration;

use charge::record::SessionStatus;
use charge::talk::line::BayState;
use charge::talk::road::{Answer, Denial, RoadFault};
use charge::token::{Allowed, Verdict};
use charge::units::Energy;

use super::world::{CARD, World, at, card, evse, meter, signed, tariff};
use crate::Delivery;
use crate::session::State;
use crate::view::Page;

#[tokio::test]
async fn a_session_becomes_one_cdr_although_the_road_fails_twice() {
    let world = World::new().await;
    let (signer, key) = meter();
    world.operator.confirm_meter_key("ada", &evse(), &key.spki_hex()).await.unwrap();
    world.status(BayState::Preparing).await;
    let (number, _) = world.start(card(CARD), 1_000).await;
    world.status(BayState::Charging).await;
    world.operator.put_tariff("ada", tariff("9.99")).await.unwrap();
    world.clock.set(at(30));
    world.meter(number, at(30), 6_000).await;
    world.clock.set(at(60));
    let record = signed(&signer, (at(0), 1_000), (at(60), 11_000), 1);
    world.stop(number, 11_000, vec![record.clone()]).await;
    let fails = [Err(RoadFault::TimedOut), Err(RoadFault::Denied(Denial::ReceiverUnreachable))];
    world.road.next_cdr.lock().unwrap().extend(fails);
    for _ in 0..8 {
        world.operator.duty().await;
        world.clock.advance(Duration::from_secs(30));
    }
    let told = world.told_cdrs();
    assert_eq!(told.len(), 3, "two failures and a success, then silence");
    assert!(told.iter().all(|cdr| *cdr == told[0]), "every try is the same CDR");
    let cdr = &told[0];
    assert_eq!(cdr.energy, Energy::from_wh(10_000));
    assert_eq!(cdr.total_cost.before_vat, "5".parse().unwrap(), "the tariff of the start, not the newest");
    assert_eq!(cdr.total_cost.with_vat, "5.95".parse().ok());
    assert_eq!(cdr.signed.len(), 1);
    assert_eq!(cdr.signed[0].record.bytes, record.bytes, "byte for byte");
    assert_eq!(cdr.reference.as_ref().map(|reference| reference.as_str()), Some("ref-1"));

    let page = world.only_session().await;
    assert_eq!(page.card.state, State::Closed);
    assert_eq!(page.evidence.verdict, "valid", "{:?}", page.evidence);
    let cards = world.operator.cdrs(None, Page::default()).await.unwrap();
    assert_eq!((cards.total, cards.items[0].state, cards.items[0].attempts), (1, Delivery::Delivered, 3));
    let last = world.told_sessions().pop().unwrap();
    assert_eq!((last.status, last.energy), (SessionStatus::Completed, Energy::from_wh(10_000)));
}

#[tokio::test]
async fn falling_and_negative_registers_are_flagged_and_not_billed() {
    let world = World::new().await;
    let (number, _) = world.start(card(CARD), 1_000).await;
    world.clock.set(at(30));
    world.meter(number, at(10), 5_000).await;
    world.meter(number, at(20), 4_000).await;
    world.meter(number, at(25), -7).await;
    world.clock.set(at(30));
    world.stop(number, 500, Vec::new()).await;
    world.rounds().await;
    let page = world.only_session().await;
    assert_eq!(page.card.energy, Energy::from_wh(4_000));
    assert!(page.card.flags.iter().any(|flag| flag.contains("went down by 1 kWh")), "{:?}", page.card.flags);
    assert!(page.card.flags.iter().any(|flag| flag.contains("below zero")), "{:?}", page.card.flags);
    assert_eq!(page.curve.iter().filter(|point| point.flaw.is_some()).count(), 3);
    let cdr = &world.told_cdrs()[0];
    assert_eq!(cdr.energy, Energy::from_wh(4_000));
    assert!(cdr.remark.as_deref().unwrap().contains("3 readings were flagged"), "{:?}", cdr.remark);
}

#[tokio::test]
async fn a_record_that_served_another_session_is_no_evidence() {
    let world = World::new().await;
    let (signer, key) = meter();
    world.operator.confirm_meter_key("ada", &evse(), &key.spki_hex()).await.unwrap();
    let record = signed(&signer, (at(0), 1_000), (at(20), 9_000), 1);
    for minutes in [0, 30] {
        world.clock.set(at(minutes));
        let (number, _) = world.start(card(CARD), 1_000).await;
        world.clock.set(at(minutes + 20));
        world.stop(number, 2_000, vec![record.clone()]).await;
        world.rounds().await;
    }
    let told = world.told_cdrs();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].energy, Energy::from_wh(8_000), "what was signed");
    assert_eq!(told[1].energy, Energy::from_wh(1_000), "what the register counted");
    assert!(told[1].remark.as_deref().unwrap().contains("another session"), "{:?}", told[1].remark);
}

#[tokio::test]
async fn a_refused_token_is_stopped_and_never_billed() {
    let world = World::new().await;
    let (number, allowed) = world.start(card("DEADBEEF"), 1_000).await;
    assert_eq!(allowed, Allowed::Unknown);
    world.clock.set(at(1));
    world.rounds().await;
    let told = world.line.told.lock().unwrap().clone();
    assert_eq!(told.len(), 1, "it did not stop by itself: {told:?}");
    world.stop(number, 1_200, Vec::new()).await;
    world.rounds().await;
    assert_eq!(world.only_session().await.card.state, State::Void);
    assert!(world.told_cdrs().is_empty() && world.told_sessions().is_empty());
}

#[tokio::test]
async fn a_session_that_nobody_answered_for_is_asked_about_until_it_is_billed() {
    let world = World::new().await;
    world.road.next.lock().unwrap().push_back(Err(RoadFault::Unreachable));
    let (number, allowed) = world.start(card(CARD), 1_000).await;
    assert_eq!(allowed, Allowed::Unanswered);
    world.clock.set(at(5));
    world.stop(number, 3_000, Vec::new()).await;
    assert_eq!(world.only_session().await.card.state, State::Unclaimed);
    world.clock.set(at(20));
    world.rounds().await;
    assert_eq!(world.only_session().await.card.state, State::Closed);
    assert_eq!(world.told_cdrs().len(), 1);
}

#[tokio::test]
async fn what_waits_for_a_partner_is_told_as_soon_as_it_answers_again() {
    let world = World::new().await;
    let (number, _) = world.start(card(CARD), 1_000).await;
    world.rounds().await;
    world.clock.set(at(10));
    world.stop(number, 2_000, Vec::new()).await;
    world.road.next_cdr.lock().unwrap().extend((0..6).map(|_| Err(RoadFault::Denied(Denial::ReceiverUnreachable))));
    for _ in 0..6 {
        world.rounds().await;
        world.clock.advance(Duration::from_secs(170));
    }
    assert_eq!(world.told_cdrs().len(), 6);
    let away = Err(RoadFault::Denied(Denial::ReceiverUnreachable));
    world.road.next_cdr.lock().unwrap().push_back(away);
    world.rounds().await;
    assert_eq!(world.told_cdrs().len(), 7, "the pause has passed, and it is away all the same");
    world.rounds().await;
    assert_eq!(world.told_cdrs().len(), 7, "the next pause is long");
    // any letter that arrives shows that the partner is there
    world.start(card(CARD), 2_000).await;
    world.rounds().await;
    world.rounds().await;
    assert_eq!(world.told_cdrs().len(), 8);
    let cards = world.operator.cdrs(None, Page::default()).await.unwrap();
    assert_eq!(cards.items[0].state, Delivery::Delivered);
}

#[tokio::test]
async fn a_cap_ends_the_session() {
    let world = World::new().await;
    let capped = Verdict { energy_cap: Some(Energy::from_wh(2_000)), ..super::world::yes() };
    world.road.next.lock().unwrap().push_back(Ok(Answer::May(capped)));
    let (number, _) = world.start(card(CARD), 1_000).await;
    world.clock.set(at(10));
    world.meter(number, at(10), 2_500).await;
    world.rounds().await;
    assert!(world.line.told.lock().unwrap().is_empty());
    world.clock.set(at(20));
    world.meter(number, at(20), 3_000).await;
    world.rounds().await;
    assert_eq!(world.line.told.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_cdr_that_its_provider_refuses_waits_for_a_person() {
    let world = World::new().await;
    let (number, _) = world.start(card(CARD), 1_000).await;
    world.clock.set(at(10));
    world.stop(number, 2_000, Vec::new()).await;
    let malformed = Denial::Malformed { path: "/total_cost".into(), why: "missing".into() };
    world.road.next_cdr.lock().unwrap().push_back(Err(RoadFault::Denied(malformed)));
    world.rounds().await;
    let card = world.operator.cdrs(Some(Delivery::Refused), Page::default()).await.unwrap().items.remove(0);
    assert!(card.why.as_deref().unwrap().contains("/total_cost"), "{:?}", card.why);
    world.operator.resend_cdr("ada", &card.id).await.unwrap();
    world.rounds().await;
    assert_eq!(world.operator.cdr(&card.id).await.unwrap().state, Delivery::Delivered);
}
