//! What the memory holds in the clear, and what it forgets.

use super::*;

#[tokio::test]
async fn names_mails_contracts_and_uids_are_nowhere_in_the_clear() {
    let world = world().await;
    world.permitted().await;
    world.post(&world.cdr("C1", "S1", card_token(UID), 10_000)).await.unwrap();
    world.provider.duty().await.unwrap();
    let driver = world.provider.driver(world.driver.clone()).await.unwrap();
    assert_eq!(driver.name.reveal(charge::Purpose::ShowOwner), NAME);
    let contract = driver.contract_id.reveal(charge::Purpose::ShowOwner).as_str().to_owned();
    let dump = world.dump().await;
    assert!(dump.contains("Am Kai 5"), "the dump does see the tables");
    for secret in [NAME, EMAIL, UID, &UID.to_lowercase(), &contract] {
        assert!(!dump.contains(secret), "{secret} is in the clear");
    }
}

#[tokio::test]
async fn after_the_dispute_window_nothing_says_where_or_on_which_id() {
    let world = world().await;
    let verdict = world.permitted().await;
    let token = one_time_token(&verdict);
    world.clock.advance(Duration::from_secs(3_600));
    world.session("S1", token.clone(), 10_000, SessionStatus::Completed).await.unwrap();
    world.post(&world.cdr("C1", "S1", token, 10_000)).await.unwrap();
    let other = one_time_token(&world.permitted().await);
    let mut wrong = world.cdr("C2", "S2", other, 10_000);
    wrong.total_cost.before_vat = Decimal::from(40);
    world.post(&wrong).await.unwrap();
    let code = verdict.contract.unwrap().reveal(charge::Purpose::Bill).compact();
    assert!(world.dump().await.contains(&code));

    world.clock.advance(Duration::from_secs(61 * 86_400));
    world.provider.duty().await.unwrap();
    assert!(!world.dump().await.contains(&code), "the one-time id refers to nobody any more");
    let rows = world.provider.sessions(None, 0, 9).await.unwrap().rows;
    let place_of = |id: &str| rows.iter().find(|row| row.id.as_str() == id).unwrap().place.clone();
    assert_eq!(place_of("S1"), None);
    assert!(place_of("S2").is_some(), "a dispute is open about it");
    let stripped = rows.iter().find(|row| row.id.as_str() == "S1").unwrap();
    let detail = world.provider.session(None, stripped.no).await.unwrap();
    assert!(detail.curve.is_empty() && detail.lines.is_empty() && detail.learned.is_empty());
    assert!(detail.evidence.is_none());
    assert_eq!(world.provider.invoices(None).await.unwrap()[0].totals.gross.minor, 476, "the books stay");
}

#[tokio::test]
async fn a_reopened_provider_finds_its_jobs_and_orders_again() {
    let world = world().await;
    world.road.will_answer(Err(RoadFault::TimedOut));
    let order = world.provider.start(world.wish().await).await.unwrap();
    let setup = Setup {
        party: party("DE-8AA"),
        name: "Erste Fahrt GmbH".into(),
        hub: party("DE-HUB"),
        vat_id: "DE123456789".into(),
        country: "DE".into(),
        vat_percent: Decimal::from(19),
        currency: Currency::EUR,
        seal_key: Secret::new([1; 32]),
        tag_key: Secret::new([2; 32]),
        cards_listed: false,
    };
    let again = Provider::new(setup, world.store.clone(), world.clock.clone(), Arc::new(SeededDice::new(6))).unwrap();
    let road = Arc::new(RecordedRoad::default());
    again.attach_road(road.clone());
    world.clock.advance(Duration::from_secs(60));
    again.duty().await.unwrap();
    let asked = road.take();
    assert!(asked.iter().any(|letter| matches!(letter.question, Question::PutToken(_))), "the card is told");
    assert!(!asked.iter().any(|letter| matches!(letter.question, Question::Start(_))), "no start is sent twice");
    let order = again.order(world.driver.clone(), order.id).await.unwrap();
    assert_eq!(order.state, crate::OrderState::TimedOut);
}
