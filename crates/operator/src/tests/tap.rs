//! An RFID tap: one question without a place, and nothing of the card is kept.

use charge::talk::road::{Answer, Question, RoadFault};
use charge::token::{Allowed, Verdict};

use super::world::{CARD, CONTRACT, World, card};

#[tokio::test]
async fn a_tap_asks_one_question_without_a_place() {
    let world = World::new().await;
    assert_eq!(world.tap(CARD).await, Allowed::Yes);
    let asked = world.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].to, None, "the hub finds the owner");
    assert_eq!(asked[0].question, Question::MayCharge { token: card(CARD) });
    // the start that follows needs no second question
    let (_, allowed) = world.start(card(CARD), 1_000).await;
    assert_eq!(allowed, Allowed::Yes);
    assert_eq!(world.asked().len(), 1);
    assert_eq!(world.road.letters.lock().unwrap().len(), 1, "nobody hears of the place before the yes is used");
}

#[tokio::test]
async fn the_provider_learns_the_place_after_its_yes() {
    let world = World::new().await;
    world.start(card(CARD), 1_000).await;
    world.rounds().await;
    let sessions = world.told_sessions();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].location.as_str(), "L1");
    assert_eq!(sessions[0].token.uid.reveal(charge::Purpose::Bill).as_delivered(), "DE8AACA2B3C4D5");
}

#[tokio::test]
async fn nothing_of_the_card_or_the_contract_is_readable_in_memory() {
    let world = World::new().await;
    world.tap(CARD).await;
    let (number, _) = world.start(card(CARD), 1_000).await;
    world.clock.advance(std::time::Duration::from_secs(3_600));
    world.stop(number, 9_000, Vec::new()).await;
    world.rounds().await;
    let dump = world.dump().await;
    let text = String::from_utf8_lossy(&dump).to_uppercase();
    assert!(text.contains("HAUPTPLATZ"), "the dump shows what is there");
    for secret in [CARD, CONTRACT, "DE8AACA2B3C4D5"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_token_that_nobody_owns_is_refused() {
    let world = World::new().await;
    assert_eq!(world.tap("DEADBEEF").await, Allowed::Unknown);
    assert_eq!(world.session_count().await, 0);
}

#[tokio::test]
async fn silence_is_told_as_silence() {
    let world = World::new().await;
    world.road.next.lock().unwrap().push_back(Err(RoadFault::TimedOut));
    assert_eq!(world.tap(CARD).await, Allowed::Unanswered);
    let blocked = Ok(Answer::May(Verdict::bare(Allowed::Blocked)));
    world.road.next.lock().unwrap().push_back(blocked);
    assert_eq!(world.tap(CARD).await, Allowed::Blocked);
}

#[tokio::test]
async fn a_permit_is_good_for_one_transaction_and_ten_minutes() {
    let world = World::new().await;
    world.tap(CARD).await;
    let (number, _) = world.start(card(CARD), 1_000).await;
    world.stop(number, 1_000, Vec::new()).await;
    world.clock.advance(std::time::Duration::from_secs(1));
    world.start(card(CARD), 1_000).await;
    assert_eq!(world.asked().len(), 2, "used up by the first start");
    world.tap("04FFFFFF").await;
    world.tap(CARD).await;
    let asked = world.asked().len();
    world.clock.advance(crate::authorise::PERMIT_HOLDS);
    world.tap(CARD).await;
    assert_eq!(world.asked().len(), asked + 1, "its time was over");
}
