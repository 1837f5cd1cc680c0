//! Charging gently: what goes to the operator, and what a driver is shown of it.

use charge::talk::road::{ActiveProfile, PowerProfile, ProfileOrder, ProfileResult, ProfileUnit, ProfileWish};

use super::*;
use crate::{Event, Limit, LimitWish, OrderState, Refusal, SessionNo};

async fn charging(world: &World) -> SessionNo {
    let token = one_time_token(&world.permitted().await);
    world.session("S1", token, 0, SessionStatus::Active).await.unwrap();
    world.road.take();
    world.provider.sessions(Some(world.driver.clone()), 0, 1).await.unwrap().rows[0].no
}

fn letter(world: &World) -> ProfileOrder {
    let mut letters = world.road.take();
    let letter = letters.pop().unwrap();
    assert_eq!((letter.to, letters.len()), (Some(party("DE-OPA")), 0));
    match letter.question {
        Question::Profile(order) => order,
        other => panic!("{other:?}"),
    }
}

async fn wish(world: &World, no: SessionNo, wish: LimitWish) -> Limit {
    world.road.will_answer(accepted());
    world.provider.limit(world.driver.clone(), no, wish).await.unwrap()
}

async fn says(
    world: &World,
    from: &str,
    limit: &Limit,
    result: ProfileResult,
    plan: Option<ActiveProfile>,
) -> Result<Answer, Denial> {
    let order = Some(limit.id.clone());
    world.hear(from, Question::ProfileOutcome { order, return_to: None, result, plan: plan.map(Box::new) }).await
}

async fn shown(world: &World, no: SessionNo) -> crate::SessionLimit {
    world.provider.session_limit(world.driver.clone(), no).await.unwrap()
}

fn plan(minutes: u64, watts: i64) -> ActiveProfile {
    let calculated = at(BEGIN).plus(Duration::from_secs(60 * minutes));
    let profile = PowerProfile {
        start: Some(calculated),
        duration_s: Some(3_600),
        unit: ProfileUnit::Watts,
        min_rate: None,
        periods: vec![(0, watts.into()), (900, 0.into())],
    };
    ActiveProfile { calculated, profile }
}

#[tokio::test]
async fn a_limit_holds_when_the_station_says_so_and_not_before() {
    let world = world().await;
    let no = charging(&world).await;
    let mut events = world.provider.events();
    let limit = wish(&world, no, LimitWish::Most(Power::from_watts(4_000))).await;
    assert_eq!((limit.state, limit.message.as_str()), (OrderState::Acknowledged, "passed on to the station"));
    let sent = letter(&world);
    assert_eq!((sent.session.as_str(), &sent.order, sent.return_to), ("S1", &limit.id, None));
    let ProfileWish::Set(profile) = sent.wish else { panic!("{:?}", sent.wish) };
    assert_eq!((profile.unit, profile.periods), (ProfileUnit::Watts, vec![(0, Decimal::from(4_000))]));

    let unknown = Err(Denial::UnknownObject);
    assert_eq!(says(&world, "DE-OPB", &limit, ProfileResult::Accepted, None).await, unknown, "not its session");
    assert_eq!(shown(&world, no).await.limit.unwrap().state, OrderState::Acknowledged);
    says(&world, "DE-OPA", &limit, ProfileResult::Accepted, None).await.unwrap();
    assert_eq!(shown(&world, no).await.limit.unwrap().state, OrderState::Happened);
    let heard: Vec<Event> = std::iter::from_fn(|| events.try_recv().ok()).collect();
    assert!(heard.contains(&Event::Session { driver: world.driver.clone(), no }));

    let free = wish(&world, no, LimitWish::Free).await;
    assert_eq!(letter(&world).wish, ProfileWish::Clear);
    says(&world, "DE-OPA", &free, ProfileResult::Unknown, None).await.unwrap();
    let free = shown(&world, no).await.limit.unwrap();
    assert_eq!((free.wish, free.state), (LimitWish::Free, OrderState::Happened));
    assert_eq!(free.message, "the station has no limit of yours");
}

#[tokio::test]
async fn refusals_and_silence_are_told_as_what_they_are() {
    let world = world().await;
    let no = charging(&world).await;
    let four = LimitWish::Most(Power::from_watts(4_000));
    let table = [
        (
            Ok(Answer::Order { ack: OrderAck::TooOften, message: None }),
            "the operator was asked too often: wait a minute",
        ),
        (Ok(Answer::Order { ack: OrderAck::NotSupported, message: None }), "the operator does not offer this"),
        (Err(RoadFault::Denied(Denial::NotSupported)), "the operator does not offer this"),
    ];
    for (answer, words) in table {
        world.road.will_answer(answer);
        let limit = world.provider.limit(world.driver.clone(), no, four).await.unwrap();
        assert_eq!((limit.state, limit.message.as_str()), (OrderState::Refused, words));
    }
    let limit = wish(&world, no, four).await;
    says(&world, "DE-HUB", &limit, ProfileResult::Rejected, None).await.unwrap();
    assert_eq!(shown(&world, no).await.limit.unwrap().message, "the station refused");

    let limit = wish(&world, no, four).await;
    world.clock.advance(Duration::from_secs(200));
    world.provider.duty().await.unwrap();
    let late = shown(&world, no).await.limit.unwrap();
    assert_eq!(late.state, OrderState::TimedOut);
    assert!(late.message.contains("it may still happen"));
    says(&world, "DE-OPA", &limit, ProfileResult::Accepted, None).await.unwrap();
    assert_eq!(shown(&world, no).await.limit.unwrap().state, OrderState::Happened, "late, and true");
}

#[tokio::test]
async fn plans_come_when_looked_for_and_unasked_and_the_newest_is_shown() {
    let world = world().await;
    let no = charging(&world).await;
    let look = wish(&world, no, LimitWish::Look).await;
    assert!(matches!(letter(&world).wish, ProfileWish::Show { .. }));
    says(&world, "DE-OPA", &look, ProfileResult::Accepted, Some(plan(5, 4_000))).await.unwrap();
    assert_eq!(shown(&world, no).await.plan, Some(plan(5, 4_000)));
    let push = |plan| Question::Plan { session: "S1".parse().unwrap(), plan: Box::new(plan) };
    assert_eq!(world.hear("DE-OPB", push(plan(6, 1))).await, Err(Denial::UnknownObject), "not its session");
    world.hear("DE-OPA", push(plan(7, 2_000))).await.unwrap();
    world.hear("DE-OPA", push(plan(6, 9_000))).await.unwrap();
    let shown = shown(&world, no).await;
    assert_eq!(shown.plan, Some(plan(7, 2_000)), "an older plan that comes late changes nothing");
    assert!(shown.limit.is_none() && shown.look.is_some());
}

#[tokio::test]
async fn only_the_driver_of_a_running_session_limits_it() {
    let world = world().await;
    let token = one_time_token(&world.permitted().await);
    world.session("S1", token.clone(), 0, SessionStatus::Active).await.unwrap();
    let no = world.provider.sessions(None, 0, 1).await.unwrap().rows[0].no;
    let other = crate::DriverId::new("SOMEBODY").unwrap();
    let free = world.provider.limit(other.clone(), no, LimitWish::Free).await;
    assert_eq!(free, Err(Refusal::NoSuchSession.into()));
    assert_eq!(world.provider.session_limit(other, no).await, Err(Refusal::NoSuchSession.into()));
    world.clock.advance(Duration::from_secs(60));
    world.session("S1", token, 10, SessionStatus::Completed).await.unwrap();
    let over = world.provider.limit(world.driver.clone(), no, LimitWish::Free).await;
    assert_eq!(over, Err(Refusal::SessionOver.into()));
}
