//! Flow 1: a card at a station, from our side.

use super::*;
use crate::{ContractState, Field, LearnedAs};

#[tokio::test]
async fn a_good_card_gets_a_fresh_one_time_id_each_time() {
    let world = world().await;
    let (one, two) = (world.permitted().await, world.permitted().await);
    assert_ne!(one.contract, two.contract);
    assert_ne!(one.reference, two.reference);
    assert_eq!(one.party, Some(party("DE-8AA")));
    let contract = one.contract.unwrap();
    let contract = contract.reveal(charge::Purpose::Transmit);
    assert_eq!(contract.party(), Some(party("DE-8AA")));
    assert!(contract.as_str().starts_with("DE-8AA-C"));
}

#[tokio::test]
async fn a_blocked_card_a_suspended_contract_and_a_used_up_credit_are_refused_in_their_words() {
    let world = world_with_credit(Some(300)).await;
    world.provider.block_card(None, world.card.clone(), true).await.unwrap();
    assert_eq!(world.tap("DE-OPA", UID).await.allowed, Allowed::Blocked);
    world.provider.block_card(Some(world.driver.clone()), world.card.clone(), false).await.unwrap();
    let verdict = world.permitted().await;
    assert_eq!(verdict.money_cap, Some(Money::new(300, Currency::EUR)));
    world.provider.set_contract(world.driver.clone(), ContractState::Suspended).await.unwrap();
    assert_eq!(world.tap("DE-OPA", UID).await.allowed, Allowed::Blocked);
    world.provider.set_contract(world.driver.clone(), ContractState::Good).await.unwrap();
    // 2.52 kWh at 0.40 with VAT are 1.20: the third of them is over what is left of 3.00 and becomes a dispute
    for nth in 0..3 {
        let token = one_time_token(&world.permitted().await);
        world.post(&world.cdr(&format!("C{nth}"), &format!("S{nth}"), token, 2_520)).await.unwrap();
    }
    assert_eq!(world.provider.disputes().await.unwrap().len(), 1);
    assert_eq!(world.tap("DE-OPA", UID).await.allowed, Allowed::NoCredit, "a dispute gives no credit back");
}

#[tokio::test]
async fn another_driver_cannot_unblock_the_card() {
    let world = world().await;
    let stranger = DriverId::new("NOBODY").unwrap();
    let refused = world.provider.block_card(Some(stranger), world.card.clone(), true).await;
    assert_eq!(refused, Err(crate::Refusal::NoSuchCard.into()));
    world.permitted().await;
}

#[tokio::test]
async fn an_unknown_card_and_every_unarmed_one_time_id_get_the_same_answer() {
    let world = world().await;
    let unknown = world.tap("DE-OPA", "04000000000080").await;
    assert_eq!(unknown, Verdict::bare(Allowed::Unknown));
    let verdict = world.permitted().await;
    let code = verdict.contract.clone().unwrap().reveal(charge::Purpose::Transmit).as_str().to_owned();
    assert_eq!(world.tap("DE-OPA", &code).await.contract, verdict.contract, "armed for this operator");
    assert_eq!(world.tap("DE-OPB", &code).await, unknown, "armed for another operator");
    let invented = "DE-8AA-CZZZZZZZZ-1";
    assert_eq!(world.tap("DE-OPA", invented).await, unknown);
    world.session("S1", one_time_token(&verdict), 0, SessionStatus::Active).await.unwrap();
    assert!(world.alarms().await.is_empty());
    assert_eq!(world.tap("DE-OPA", &code).await, unknown, "a session runs on it");
    assert_eq!(world.alarms().await.len(), 1);
}

#[tokio::test]
async fn a_one_time_id_lapses_and_a_blocked_card_voids_it() {
    let world = world().await;
    let verdict = world.permitted().await;
    let code = verdict.contract.unwrap().reveal(charge::Purpose::Transmit).as_str().to_owned();
    world.provider.block_card(None, world.card.clone(), true).await.unwrap();
    assert_eq!(world.tap("DE-OPA", &code).await.allowed, Allowed::Unknown);
    world.provider.block_card(None, world.card.clone(), false).await.unwrap();
    let verdict = world.permitted().await;
    let code = verdict.contract.unwrap().reveal(charge::Purpose::Transmit).as_str().to_owned();
    world.clock.advance(Duration::from_secs(600));
    assert_eq!(world.tap("DE-OPA", &code).await.allowed, Allowed::Unknown);
}

#[tokio::test]
async fn a_used_one_time_id_serves_no_second_session() {
    let world = world().await;
    let token = one_time_token(&world.permitted().await);
    world.session("S1", token.clone(), 0, SessionStatus::Active).await.unwrap();
    let second = world.session("S2", token.clone(), 0, SessionStatus::Active).await;
    assert_eq!(second, Err(Denial::UnknownToken));
    assert_eq!(world.alarms().await.len(), 1, "and it is noted");
    let rows = world.provider.sessions(None, 0, 10).await.unwrap();
    assert_eq!(rows.total, 1);
    let unknown = world.session("S3", card_token("04000000000080"), 0, SessionStatus::Active).await;
    assert_eq!(unknown, second, "the same word as for an unknown token");
}

#[tokio::test]
async fn the_provider_knows_no_place_before_it_said_yes() {
    let world = world().await;
    let verdict = world.permitted().await;
    let before = world.dump().await;
    assert!(!before.lines().any(|line| line == Field::Place.words()), "nobody has been told a place");
    world.session("S1", one_time_token(&verdict), 500, SessionStatus::Active).await.unwrap();
    let no = world.provider.sessions(Some(world.driver.clone()), 0, 1).await.unwrap().rows[0].no;
    let detail = world.provider.session(Some(world.driver.clone()), no).await.unwrap();
    let of = |role| detail.learned.iter().find(|row| row.role == role).unwrap().fields.clone();
    assert_eq!(of(LearnedAs::Station), [Field::CardUid]);
    let us = of(LearnedAs::Provider);
    assert!(us.contains(&Field::Place) && us.contains(&Field::Name));
    let operator = of(LearnedAs::Operator);
    assert!(operator.contains(&Field::OneTimeId) && !operator.contains(&Field::Name));
    assert!(!operator.contains(&Field::StaticId));
    assert!(!of(LearnedAs::Hub).contains(&Field::Name));
}

#[tokio::test]
async fn a_session_of_somebody_elses_operator_or_token_is_refused() {
    let world = world().await;
    let verdict = world.permitted().await;
    let token = RecordToken { party: party("DE-8BB"), ..one_time_token(&verdict) };
    assert_eq!(world.session("S1", token, 0, SessionStatus::Active).await, Err(Denial::UnknownToken));
    let foreign = world.cdr("C1", "S1", one_time_token(&verdict), 1_000);
    let refused = world.hear("DE-OPB", Question::PostCdr(Box::new(foreign))).await;
    assert_eq!(refused, Err(Denial::NotYours));
}

#[tokio::test]
async fn a_running_session_counts_against_the_credit() {
    let world = world_with_credit(Some(300)).await;
    let token = one_time_token(&world.permitted().await);
    world.clock.advance(Duration::from_secs(1_800));
    world.session("S1", token, 10_000, SessionStatus::Active).await.unwrap();
    assert_eq!(world.tap("DE-OPA", UID).await.allowed, Allowed::NoCredit);
}
