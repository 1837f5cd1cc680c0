//! Orders from the road: what the station is told, and what the giver hears.

use std::time::Duration;

use charge::id::OrderId;
use charge::record::{AuthMethod, SessionStatus};
use charge::talk::line::reservation::ReservationOrder;
use charge::talk::line::{BayState, LineFault, StationAnswer, ToStation};
use charge::talk::road::{
    Answer, Denial, OrderAck, OrderResult, Question, ReservationOrder as RoadOrder, ReservationWish, ReturnAddress,
};
use charge::token::{Allowed, ContractId, IssuedToken, TokenKind, TokenUid};
use charge::{Clock, Personal, Purpose};

use super::world::{CARD, World, card, evse, location, provider, session_id};
use crate::remote::ALIAS_HOLDS;
use crate::reservation::State as Reserved;
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

/// A reservation from the provider, for the driver whom [`World::order_start`] starts, or for a card.
fn reserve(world: &World, order: &str, name: &str, card: Option<&str>) -> Question {
    let (uid, kind) = match card {
        Some(card) => (card, TokenKind::Rfid),
        None => ("DE8AACK3F9Q2ZX", TokenKind::AdHocUser),
    };
    let token = Box::new(IssuedToken {
        party: provider(),
        uid: Personal::new(TokenUid::new(uid).unwrap()),
        kind,
        contract: Personal::new(ContractId::new("DE-8AA-CK3F9Q2ZX-1").unwrap()),
        valid: true,
        last_updated: world.clock.now(),
    });
    let until = world.clock.now().plus(Duration::from_secs(3_600));
    let wish = ReservationWish::Make { token, until, location: location().id, evse: Some(evse()), reference: None };
    about_reservation(order, name, wish)
}

fn about_reservation(order: &str, name: &str, wish: ReservationWish) -> Question {
    Question::Reservation(RoadOrder {
        order: OrderId::new(order).unwrap(),
        return_to: Some(ReturnAddress(format!("https://hub.example/{order}"))),
        reservation: name.into(),
        wish,
    })
}

fn told_reservation(world: &World) -> ReservationOrder {
    match world.line.told.lock().unwrap().last() {
        Some(ToStation::Reservation(order)) => order.clone(),
        other => panic!("a reservation, not {other:?}"),
    }
}

#[tokio::test]
async fn a_reservation_from_afar_is_held_for_an_alias_that_its_start_comes_with() {
    let world = World::new().await;
    assert!(is_accepted(&world.letter(reserve(&world, "o1", "R-1", None)).await.unwrap()));
    assert!(is_accepted(&world.letter(reserve(&world, "o1", "R-1", None)).await.unwrap()), "twice is once");
    world.rounds().await;
    assert_eq!(world.outcomes(), [OrderResult::Accepted]);
    let ReservationOrder::Reserve { id, token, evse: Some(_), .. } = told_reservation(&world) else { panic!("one") };
    assert_eq!(token.normal(Purpose::Transmit).len(), 20, "an alias, no contract");
    let held = world.operator.reservation_given(provider(), "R-1").await.unwrap().unwrap();
    assert_eq!((held.id, held.state), (id, Reserved::Held));

    world.order_start("o2").await.unwrap();
    world.rounds().await;
    assert_eq!(world.alias(), token, "the station lets in whom it keeps the place for");
    let (_, allowed) = world.start(token, 1_000).await;
    assert_eq!(allowed, Allowed::Yes);
}

#[tokio::test]
async fn a_reservation_is_prolonged_and_given_up_under_its_name() {
    let world = World::new().await;
    world.letter(reserve(&world, "o1", "R-1", Some(CARD))).await.unwrap();
    world.rounds().await;
    let ReservationOrder::Reserve { id, token, .. } = told_reservation(&world) else { panic!("a reservation") };
    assert_eq!(token, card(CARD), "a card is held to the reader itself");
    world.clock.advance(Duration::from_secs(600));
    world.letter(reserve(&world, "o2", "R-1", Some(CARD))).await.unwrap();
    world.rounds().await;
    let held = world.operator.reservation_given(provider(), "R-1").await.unwrap().unwrap();
    assert_eq!((held.id, held.until), (id, world.clock.now().plus(Duration::from_secs(3_600))));

    let cancel = |order: &str, name: &str| about_reservation(order, name, ReservationWish::Cancel);
    world.letter(cancel("o3", "R-1")).await.unwrap();
    world.rounds().await;
    assert_eq!(told_reservation(&world), ReservationOrder::Cancel { id });
    let gone = world.operator.reservation_given(provider(), "R-1").await.unwrap().unwrap();
    assert_eq!(gone.state, Reserved::Cancelled);
    world.letter(cancel("o4", "R-1")).await.unwrap();
    world.letter(cancel("o5", "R-9")).await.unwrap();
    world.rounds().await;
    let (yes, unknown) = (OrderResult::Accepted, OrderResult::UnknownReservation);
    assert_eq!(world.outcomes(), [yes, yes, yes, unknown, unknown]);
    let again = world.letter(reserve(&world, "o6", "R-1", None)).await.unwrap();
    assert!(matches!(again, Answer::Order { ack: OrderAck::Rejected, .. }), "an ended one does not come back");
}

#[tokio::test]
async fn a_reservation_that_the_station_refuses_says_why() {
    let table = [
        (Ok(StationAnswer::Refused("Occupied".into())), OrderResult::EvseOccupied, Reserved::Refused),
        (Ok(StationAnswer::Refused("Faulted".into())), OrderResult::EvseInoperative, Reserved::Refused),
        (Ok(StationAnswer::Refused("Rejected".into())), OrderResult::Rejected, Reserved::Refused),
        (Err(LineFault::NotInVersion), OrderResult::NotSupported, Reserved::Refused),
        (Err(LineFault::TimedOut), OrderResult::TimedOut, Reserved::Asked),
    ];
    for (answer, wanted, state) in table {
        let world = World::new().await;
        world.line.answers.lock().unwrap().push_back(answer);
        world.letter(reserve(&world, "o1", "R-1", None)).await.unwrap();
        world.rounds().await;
        assert_eq!(world.outcomes(), [wanted]);
        let held = world.operator.reservation_given(provider(), "R-1").await.unwrap().unwrap();
        assert_eq!(held.state, state, "{wanted:?}");
    }
    let world = World::new().await;
    let Question::Reservation(mut long) = reserve(&world, "o1", "R-1", None) else { panic!("a reservation") };
    if let ReservationWish::Make { until, .. } = &mut long.wish {
        *until = world.clock.now().plus(Duration::from_secs(8 * 86_400));
    }
    let answer = world.letter(Question::Reservation(long)).await.unwrap();
    assert!(matches!(answer, Answer::Order { ack: OrderAck::Rejected, .. }));
}
