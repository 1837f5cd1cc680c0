//! Orders from the road: what the station is told, and what the giver hears.

use std::time::Duration;

use charge::id::OrderId;
use charge::record::{AuthMethod, SessionStatus};
use charge::talk::line::{BayState, LineFault, StationAnswer, ToStation};
use charge::talk::road::{Answer, Denial, OrderAck, OrderResult, Question, ReturnAddress};
use charge::token::Allowed;
use charge::{Clock, Purpose};

use super::world::{CARD, World, card, session_id};
use crate::remote::ALIAS_HOLDS;
use crate::session::State;

fn is_accepted(answer: &Answer) -> bool {
    matches!(answer, Answer::Order { ack: OrderAck::Accepted { .. }, .. })
}

#[tokio::test]
async fn a_remote_start_goes_down_as_an_alias_and_comes_back_as_the_contract() {
    let world = World::new().await;
    assert!(is_accepted(&world.order_start("o1").await.unwrap()));
    assert!(world.outcomes().is_empty(), "nothing is promised before the station answered");
    world.rounds().await;
    assert_eq!(world.outcomes(), vec![OrderResult::Accepted]);
    let alias = world.alias();
    assert_eq!(alias.normal(Purpose::Transmit).len(), 20);
    let (number, allowed) = world.start(alias, 1_000).await;
    assert_eq!(allowed, Allowed::Yes);
    world.clock.advance(Duration::from_secs(1_800));
    world.stop(number, 6_000, Vec::new()).await;
    world.rounds().await;
    assert!(world.asked().is_empty(), "the alias is ours, nobody is asked");
    let cdr = &world.told_cdrs()[0];
    assert_eq!(cdr.auth_method, AuthMethod::Command);
    assert_eq!(cdr.token.uid.reveal(Purpose::Bill).as_delivered(), "DE8AACK3F9Q2ZX");
    assert_eq!(cdr.reference.as_ref().map(|reference| reference.as_str()), Some("ref-2"));
}

#[tokio::test]
async fn the_same_order_twice_is_one_start() {
    let world = World::new().await;
    world.order_start("o1").await.unwrap();
    world.order_start("o1").await.unwrap();
    world.rounds().await;
    assert_eq!(world.line.told.lock().unwrap().len(), 1);
    assert_eq!(world.outcomes(), vec![OrderResult::Accepted]);
}

#[tokio::test]
async fn the_outcome_is_what_the_station_answered() {
    let table = [
        (Err(LineFault::TimedOut), OrderResult::TimedOut),
        (Ok(StationAnswer::Refused("Rejected".into())), OrderResult::Rejected),
        (Err(LineFault::NotConnected), OrderResult::Failed),
    ];
    for (answer, wanted) in table {
        let world = World::new().await;
        world.line.answers.lock().unwrap().push_back(answer);
        world.order_start("o1").await.unwrap();
        world.rounds().await;
        assert_eq!(world.outcomes(), vec![wanted]);
    }
}

#[tokio::test]
async fn an_occupied_or_absent_bay_is_not_bothered() {
    let world = World::new().await;
    world.start(card(CARD), 1_000).await;
    assert!(is_accepted(&world.order_start("o1").await.unwrap()));
    world.rounds().await;
    let absent = World::new().await;
    *absent.line.away.lock().unwrap() = true;
    absent.order_start("o2").await.unwrap();
    absent.rounds().await;
    let faulted = World::new().await;
    faulted.status(BayState::Faulted).await;
    faulted.order_start("o3").await.unwrap();
    faulted.rounds().await;
    assert_eq!(world.outcomes(), vec![OrderResult::EvseOccupied]);
    assert_eq!(absent.outcomes(), vec![OrderResult::Failed]);
    assert_eq!(faulted.outcomes(), vec![OrderResult::EvseInoperative]);
    for world in [world, absent, faulted] {
        assert!(world.line.told.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_start_that_never_becomes_a_transaction_is_told_as_an_invalid_session() {
    let world = World::new().await;
    world.order_start("o1").await.unwrap();
    world.rounds().await;
    world.clock.advance(ALIAS_HOLDS);
    world.clock.advance(Duration::from_secs(1));
    world.rounds().await;
    let told = world.told_sessions();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].status, SessionStatus::Invalid);
    assert_eq!(world.only_session().await.card.state, State::Void);
    let (_, allowed) = world.start(world.alias(), 1_000).await;
    assert_eq!(allowed, Allowed::Expired, "the alias opens nothing any more");
    assert!(world.told_cdrs().is_empty());
}

#[tokio::test]
async fn a_station_that_answers_too_late_and_starts_is_billed_all_the_same() {
    let world = World::new().await;
    world.line.answers.lock().unwrap().push_back(Err(LineFault::TimedOut));
    world.order_start("o1").await.unwrap();
    world.rounds().await;
    assert_eq!(world.outcomes(), vec![OrderResult::TimedOut]);
    let (number, allowed) = world.start(world.alias(), 1_000).await;
    assert_eq!(allowed, Allowed::Yes);
    world.clock.advance(Duration::from_secs(600));
    world.stop(number, 3_000, Vec::new()).await;
    world.rounds().await;
    assert_eq!(world.told_cdrs().len(), 1);
}

#[tokio::test]
async fn an_alias_starts_one_transaction() {
    let world = World::new().await;
    world.order_start("o1").await.unwrap();
    world.rounds().await;
    let alias = world.alias();
    let (number, _) = world.start(alias.clone(), 1_000).await;
    world.clock.advance(Duration::from_secs(10));
    world.stop(number, 1_000, Vec::new()).await;
    world.clock.advance(Duration::from_secs(10));
    let (_, allowed) = world.start(alias, 1_000).await;
    assert_eq!(allowed, Allowed::Expired);
}

#[tokio::test]
async fn only_the_provider_of_a_session_stops_it() {
    let world = World::new().await;
    world.start(card(CARD), 1_000).await;
    let session = world.only_session().await.card.id;
    let stop = |order: &str, session| Question::Stop {
        order: OrderId::new(order).unwrap(),
        return_to: Some(ReturnAddress("https://hub.example/s".to_owned())),
        session,
    };
    let unknown = Answer::Order { ack: OrderAck::UnknownSession, message: None };
    assert_eq!(world.letter(stop("s1", session_id("nobody"))).await.unwrap(), unknown);
    assert!(is_accepted(&world.letter(stop("s2", session)).await.unwrap()));
    world.rounds().await;
    assert!(matches!(world.line.told.lock().unwrap()[0], ToStation::Stop { .. }));
    assert_eq!(world.outcomes(), vec![OrderResult::Accepted]);

    world.start(card("DEADBEEF"), 1_000).await;
    let foreign = world.operator.sessions(crate::view::SessionFilter::default()).await.unwrap();
    let foreign = foreign.items.into_iter().find(|card| card.provider.is_none()).unwrap();
    assert_eq!(world.letter(stop("s3", foreign.id)).await.unwrap(), unknown);
}

#[tokio::test]
async fn an_unlock_needs_a_session_of_ones_own() {
    let world = World::new().await;
    let unlock = |order: &str| Question::Unlock {
        order: OrderId::new(order).unwrap(),
        return_to: None,
        location: super::world::location().id,
        evse: super::world::evse(),
        connector: charge::id::ConnectorId::new("1").unwrap(),
    };
    let refused = world.letter(unlock("u1")).await.unwrap();
    assert!(matches!(refused, Answer::Order { ack: OrderAck::Rejected, .. }), "{refused:?}");
    world.start(card(CARD), 1_000).await;
    assert!(is_accepted(&world.letter(unlock("u2")).await.unwrap()));
    world.rounds().await;
    assert!(matches!(world.line.told.lock().unwrap()[0], ToStation::Unlock { .. }));
}

#[tokio::test]
async fn a_token_of_another_provider_and_a_strange_location_are_denied() {
    let world = World::new().await;
    let mut order = match start_question() {
        Question::Start(order) => order,
        other => panic!("{other:?}"),
    };
    order.token.party = "DE-ZZZ".parse().unwrap();
    assert_eq!(world.letter(Question::Start(order.clone())).await, Err(Denial::NotYours));
    order.token.party = super::world::provider();
    order.location = charge::id::LocationId::new("nowhere").unwrap();
    assert_eq!(world.letter(Question::Start(order)).await, Err(Denial::UnknownLocation));
    assert!(world.clock.now() == super::world::START);
}

fn start_question() -> Question {
    use charge::Personal;
    use charge::token::{ContractId, IssuedToken, TokenKind, TokenUid};
    Question::Start(charge::talk::road::StartOrder {
        order: OrderId::new("x1").unwrap(),
        return_to: None,
        token: IssuedToken {
            party: super::world::provider(),
            uid: Personal::new(TokenUid::new("DE8AACK3F9Q2ZX").unwrap()),
            kind: TokenKind::AdHocUser,
            contract: Personal::new(ContractId::new("DE-8AA-CK3F9Q2ZX-1").unwrap()),
            valid: true,
            last_updated: super::world::START,
        },
        location: super::world::location().id,
        evse: None,
        connector: None,
        reference: None,
    })
}
