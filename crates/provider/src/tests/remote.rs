//! Flow 3: start and stop from the driver's page.

use charge::talk::road::OrderResult;

use super::*;
use crate::{Event, Order, OrderState, ProviderFault, Refusal};

/// The letter of a start that was sent, with its token.
fn start_letter(world: &World) -> charge::talk::road::StartOrder {
    let mut letters = world.road.take();
    let letter = letters.pop().unwrap();
    assert_eq!((letter.to, letters.len()), (Some(party("DE-OPA")), 0));
    match letter.question {
        Question::Start(order) => order,
        other => panic!("{other:?}"),
    }
}

fn token_of(order: &charge::talk::road::StartOrder) -> RecordToken {
    RecordToken {
        party: order.token.party,
        uid: order.token.uid.clone(),
        kind: order.token.kind,
        contract: order.token.contract.clone(),
    }
}

async fn outcome(world: &World, order: &Order, result: OrderResult) -> Result<Answer, Denial> {
    let question = Question::Outcome { order: Some(order.id.clone()), return_to: None, result, message: None };
    world.hear("DE-OPA", question).await
}

async fn state(world: &World, order: &Order) -> OrderState {
    world.provider.order(world.driver.clone(), order.id.clone()).await.unwrap().state
}

#[tokio::test]
async fn a_start_carries_a_one_time_id_and_ends_in_what_happened() {
    let world = world().await;
    let mut events = world.provider.events();
    world.road.will_answer(accepted());
    let order = world.provider.start(world.wish().await).await.unwrap();
    assert_eq!(order.state, OrderState::Acknowledged);
    let letter = start_letter(&world);
    assert_eq!((letter.token.kind, letter.token.valid), (TokenKind::AdHocUser, true));
    let uid = letter.token.uid.reveal(charge::Purpose::Transmit).normal();
    assert_eq!(uid, letter.token.contract.reveal(charge::Purpose::Transmit).compact());
    assert!(letter.reference.is_some() && letter.return_to.is_none());

    outcome(&world, &order, OrderResult::Accepted).await.unwrap();
    assert_eq!(state(&world, &order).await, OrderState::Acknowledged, "a promise is no session");
    world.session("S1", token_of(&letter), 0, SessionStatus::Active).await.unwrap();
    let order = world.provider.order(world.driver.clone(), order.id).await.unwrap();
    assert_eq!(order.state, OrderState::Happened);
    let no = order.session.unwrap();
    let heard: Vec<Event> = std::iter::from_fn(|| events.try_recv().ok()).collect();
    assert!(heard.contains(&Event::Session { driver: world.driver.clone(), no }));
    assert!(heard.contains(&Event::Order { driver: world.driver.clone(), id: order.id.clone() }));

    world.road.will_answer(accepted());
    let stop = world.provider.stop(world.driver.clone(), no).await.unwrap();
    assert_eq!(stop.state, OrderState::Acknowledged);
    world.clock.advance(Duration::from_secs(600));
    world.session("S1", token_of(&letter), 1_000, SessionStatus::Completed).await.unwrap();
    assert_eq!(state(&world, &stop).await, OrderState::Happened);
    let again = world.provider.stop(world.driver.clone(), no).await;
    assert_eq!(again, Err(Refusal::SessionOver.into()));
}

#[tokio::test]
async fn silence_is_told_as_a_timeout_and_a_late_session_is_still_attached() {
    let world = world().await;
    world.road.will_answer(Err(RoadFault::TimedOut));
    let order = world.provider.start(world.wish().await).await.unwrap();
    assert_eq!(order.state, OrderState::Sent);
    let letter = start_letter(&world);
    world.clock.advance(Duration::from_secs(41));
    world.provider.duty().await.unwrap();
    let timed_out = world.provider.order(world.driver.clone(), order.id.clone()).await.unwrap();
    assert_eq!(timed_out.state, OrderState::TimedOut);
    assert!(timed_out.message.contains("nothing was heard"));
    // the armed time is over as well, but the session began inside of it and its operator was offline
    world.clock.advance(Duration::from_secs(1_200));
    world.provider.duty().await.unwrap();
    world.session("S1", token_of(&letter), 300, SessionStatus::Active).await.unwrap();
    let order = world.provider.order(world.driver.clone(), order.id).await.unwrap();
    assert_eq!(order.state, OrderState::Happened);
    assert!(order.message.contains("after all"));
    let rows = world.provider.sessions(Some(world.driver.clone()), 0, 5).await.unwrap().rows;
    assert_eq!(Some(rows[0].no), order.session);
}

#[tokio::test]
async fn refusals_are_told_with_their_reason_and_the_id_is_given_up() {
    let cases: [(Result<Answer, RoadFault>, Option<OrderResult>, &str); 5] = [
        (Ok(Answer::Order { ack: OrderAck::Rejected, message: None }), None, "the operator refused"),
        (Err(RoadFault::Unreachable), None, "the network cannot be reached"),
        (Err(RoadFault::Denied(Denial::ReceiverUnreachable)), None, "the operator cannot be reached"),
        (accepted(), Some(OrderResult::EvseOccupied), "the charging point is occupied"),
        (accepted(), Some(OrderResult::Rejected), "the station refused"),
    ];
    for (answer, result, words) in cases {
        let world = world().await;
        world.road.will_answer(answer);
        let order = world.provider.start(world.wish().await).await.unwrap();
        let letter = start_letter(&world);
        if let Some(result) = result {
            outcome(&world, &order, result).await.unwrap();
        }
        let order = world.provider.order(world.driver.clone(), order.id).await.unwrap();
        assert_eq!((order.state, order.message.as_str()), (OrderState::Refused, words));
        let code = letter.token.uid.reveal(charge::Purpose::Transmit).normal();
        assert_eq!(world.tap("DE-OPA", &code).await.allowed, Allowed::Unknown);
    }
}

#[tokio::test]
async fn a_station_that_times_out_is_told_as_a_timeout() {
    let world = world().await;
    world.road.will_answer(accepted());
    let order = world.provider.start(world.wish().await).await.unwrap();
    outcome(&world, &order, OrderResult::TimedOut).await.unwrap();
    assert_eq!(state(&world, &order).await, OrderState::TimedOut);
}

#[tokio::test]
async fn an_accepted_start_without_a_session_times_out_too() {
    let world = world().await;
    world.road.will_answer(accepted());
    let order = world.provider.start(world.wish().await).await.unwrap();
    world.clock.advance(Duration::from_secs(100));
    world.provider.duty().await.unwrap();
    assert_eq!(state(&world, &order).await, OrderState::Acknowledged, "a car is being plugged");
    world.clock.advance(Duration::from_secs(100));
    world.provider.duty().await.unwrap();
    assert_eq!(state(&world, &order).await, OrderState::TimedOut);
}

#[tokio::test]
async fn only_the_price_on_the_page_starts_anything() {
    let world = world().await;
    let wish = world.wish().await;
    let newer = Tariff { last_updated: at("2026-11-22T09:00:00Z"), ..tariff("0.90") };
    world.hear("DE-OPA", Question::PutTariff(Box::new(newer))).await.unwrap();
    let refused = world.provider.start(wish.clone()).await;
    assert_eq!(refused, Err(Refusal::PriceChanged.into()));
    world.hear("DE-OPA", Question::DropTariff(TariffId::new("T1").unwrap())).await.unwrap();
    assert_eq!(world.provider.start(wish.clone()).await, Err(Refusal::NoPrice.into()));
    let nowhere = StartWish { evse: EvseUid::new("E9").unwrap(), ..wish.clone() };
    assert_eq!(world.provider.start(nowhere).await, Err(Refusal::NoSuchPlace.into()));
    world.provider.set_contract(world.driver.clone(), crate::ContractState::Ended).await.unwrap();
    let ended = world.provider.start(wish).await;
    assert!(matches!(ended, Err(ProviderFault::Refused(Refusal::NotAllowed(_)))));
    assert!(world.road.take().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn the_price_that_was_accepted_holds_though_it_changes_meanwhile() {
    let world = world().await;
    world.road.will_answer(accepted());
    world.provider.start(world.wish().await).await.unwrap();
    let letter = start_letter(&world);
    let newer = Tariff { last_updated: at("2026-11-22T09:00:00Z"), ..tariff("0.90") };
    world.hear("DE-OPA", Question::PutTariff(Box::new(newer))).await.unwrap();
    world.clock.advance(Duration::from_secs(3_600));
    world.session("S1", token_of(&letter), 10_000, SessionStatus::Active).await.unwrap();
    let row = world.provider.sessions(None, 0, 1).await.unwrap().rows.remove(0);
    assert_eq!(row.cost.unwrap().before_vat, Decimal::from(4), "10 kWh at 0.40 and not at 0.90");
}

#[tokio::test]
async fn nobody_else_answers_for_an_order_or_sees_it() {
    let world = world().await;
    world.road.will_answer(accepted());
    let order = world.provider.start(world.wish().await).await.unwrap();
    let result = OrderResult::Rejected;
    let question = Question::Outcome { order: Some(order.id.clone()), return_to: None, result, message: None };
    assert_eq!(world.hear("DE-OPB", question).await, Err(Denial::UnknownObject));
    assert_eq!(state(&world, &order).await, OrderState::Acknowledged);
    let stranger = world.provider.order(DriverId::new("NOBODY").unwrap(), order.id.clone()).await;
    assert_eq!(stranger, Err(Refusal::NoSuchOrder.into()));
}
