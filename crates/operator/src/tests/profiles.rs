//! Orders about power from the road: what the station is told, what the provider hears, and what it is told unasked.

use std::time::Duration;

use charge::id::OrderId;
use charge::talk::line::charging::{
    ChargingNews, ChargingOrder, Composite, Period, Profile, ProfileFilter, ProfileKind, ProfilePurpose, RateUnit,
    Schedule,
};
use charge::talk::line::{FromStation, LineFault, Setting, StationAnswer, ToStation};
use charge::talk::road::{
    ActiveProfile, Answer, Denial, OrderAck, PowerProfile, ProfileOrder, ProfileResult, ProfileUnit, ProfileWish,
    Question, ReturnAddress, RoadFault,
};

use super::world::{CARD, START, World, card, no, session_id, station};
use crate::StationOrder;

fn watts(limit: i64) -> PowerProfile {
    PowerProfile {
        start: None,
        duration_s: None,
        unit: ProfileUnit::Watts,
        min_rate: None,
        periods: vec![(0, limit.into())],
    }
}

fn composite(amperes: i64) -> StationAnswer {
    let period = Period { start: 0, limit: Some(amperes.into()), ..Period::default() };
    StationAnswer::Composite(Composite {
        evse: Some(no()),
        start: START,
        lasts: Duration::from_secs(900),
        unit: RateUnit::Amperes,
        periods: vec![period],
    })
}

/// A profile of the operator's own people.
fn own(id: i32, amperes: i64) -> Profile {
    let periods = vec![Period { start: 0, limit: Some(amperes.into()), ..Period::default() }];
    let schedule =
        Schedule { id: 0, start: None, lasts: None, unit: RateUnit::Amperes, min_rate: None, periods, more: None };
    Profile {
        id,
        stack_level: 0,
        purpose: ProfilePurpose::TxDefault,
        kind: ProfileKind::Relative,
        valid_from: None,
        valid_until: None,
        key: None,
        schedules: vec![schedule],
        more: None,
    }
}

impl World {
    /// A world with a session of the provider's.
    async fn charging() -> (Self, charge::id::SessionId) {
        let world = Self::new().await;
        world.start(card(CARD), 1_000).await;
        let session = world.only_session().await.card.id;
        world.rounds().await;
        (world, session)
    }

    async fn power(&self, order: &str, session: &charge::id::SessionId, wish: ProfileWish) -> Result<OrderAck, Denial> {
        let return_to = Some(ReturnAddress(format!("https://hub.example/{order}")));
        let order = ProfileOrder { order: OrderId::new(order).unwrap(), return_to, session: session.clone(), wish };
        match self.letter(Question::Profile(order)).await? {
            Answer::Order { ack, message: None } => Ok(ack),
            other => panic!("{other:?}"),
        }
    }

    fn charging_orders(&self) -> Vec<ChargingOrder> {
        let told = self.line.told.lock().unwrap();
        let orders = told.iter().filter_map(|told| match told {
            ToStation::Charging(order) => Some(order.clone()),
            _ => None,
        });
        orders.collect()
    }

    fn profile_outcomes(&self) -> Vec<(ProfileResult, Option<ActiveProfile>)> {
        let letters = self.road.letters.lock().unwrap();
        let outcomes = letters.iter().filter_map(|letter| match &letter.question {
            Question::ProfileOutcome { result, plan, .. } => Some((*result, plan.as_deref().cloned())),
            _ => None,
        });
        outcomes.collect()
    }

    fn plans(&self) -> Vec<ActiveProfile> {
        let letters = self.road.letters.lock().unwrap();
        let plans = letters.iter().filter_map(|letter| match &letter.question {
            Question::Plan { plan, .. } => Some((**plan).clone()),
            _ => None,
        });
        plans.collect()
    }

    fn next(&self, answer: Result<StationAnswer, LineFault>) {
        self.line.answers.lock().unwrap().push_back(answer);
    }

    /// As long as changes are gathered, and the rounds after it.
    async fn gathered(&self) {
        self.clock.advance(Duration::from_secs(10));
        self.rounds().await;
    }
}

fn is_accepted(ack: OrderAck) -> bool {
    matches!(ack, OrderAck::Accepted { .. })
}

#[tokio::test]
async fn a_profile_reaches_the_station_as_the_transactions_own_and_its_word_goes_back() {
    let (world, session) = World::charging().await;
    assert!(is_accepted(world.power("p1", &session, ProfileWish::Set(watts(4_000))).await.unwrap()));
    assert!(is_accepted(world.power("p1", &session, ProfileWish::Set(watts(9_000))).await.unwrap()), "the same order");
    assert!(world.profile_outcomes().is_empty(), "nothing is promised before the station answered");
    world.rounds().await;
    assert_eq!(world.profile_outcomes(), [(ProfileResult::Accepted, None)]);
    let told = world.charging_orders();
    let [ChargingOrder::Set { evse, profile }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((*evse, profile.purpose, profile.kind), (Some(no()), ProfilePurpose::Tx, ProfileKind::Relative));
    assert!(profile.key.is_some(), "OCPP 1.6, 5.16.2: a TxProfile names its transaction");
    assert_eq!(profile.schedules[0].periods[0].limit, Some(4_000.into()));
    let number = profile.id;

    world.next(Ok(StationAnswer::Refused("Unknown".into())));
    world.power("p2", &session, ProfileWish::Clear).await.unwrap();
    world.rounds().await;
    assert_eq!(world.profile_outcomes()[1].0, ProfileResult::Unknown);
    let clear = ProfileFilter { ids: vec![number], ..ProfileFilter::default() };
    assert_eq!(world.charging_orders()[1], ChargingOrder::Clear(clear), "nobody else's profile is removed");

    world.next(Ok(composite(16)));
    world.power("p3", &session, ProfileWish::Show { duration_s: 900 }).await.unwrap();
    world.rounds().await;
    let (result, plan) = world.profile_outcomes().remove(2);
    let plan = plan.unwrap();
    assert_eq!((result, plan.calculated, plan.profile.unit), (ProfileResult::Accepted, START, ProfileUnit::Amperes));
    assert_eq!(plan.profile.periods, [(0, 16.into())]);
    let letters = world.road.letters.lock().unwrap();
    let back = letters.iter().rev().find_map(|letter| match &letter.question {
        Question::ProfileOutcome { return_to, .. } => return_to.clone(),
        _ => None,
    });
    assert_eq!(back, Some(ReturnAddress("https://hub.example/p3".to_owned())));
}

#[tokio::test]
async fn only_a_running_session_of_ones_own_is_slowed_down() {
    let (world, session) = World::charging().await;
    let set = || ProfileWish::Set(watts(4_000));
    assert_eq!(world.power("p1", &session_id("nobody"), set()).await.unwrap(), OrderAck::UnknownSession);
    let other = World::new().await;
    other.start(card("DEADBEEF"), 1_000).await;
    let foreign = other.only_session().await.card.id;
    assert_eq!(other.power("p2", &foreign, set()).await.unwrap(), OrderAck::UnknownSession, "as unknown as none");
    let mut bad = watts(1);
    bad.periods[0].0 = 60;
    let malformed = world.power("p3", &session, ProfileWish::Set(bad)).await;
    assert!(matches!(malformed, Err(Denial::Malformed { .. })), "{malformed:?}");
    *world.line.away.lock().unwrap() = true;
    assert_eq!(world.power("p4", &session, set()).await.unwrap(), OrderAck::Rejected, "the station is away");
    *world.line.away.lock().unwrap() = false;
    world.rounds().await;
    assert!(world.charging_orders().is_empty() && world.profile_outcomes().is_empty());

    let (ended, session) = World::charging().await;
    let number = ended.only_session().await.card.number;
    ended.power("p5", &session, set()).await.unwrap();
    ended.clock.advance(Duration::from_secs(60));
    ended.stop(number, 2_000, Vec::new()).await;
    ended.rounds().await;
    assert_eq!(ended.profile_outcomes(), [(ProfileResult::Rejected, None)], "it ended before the station was told");
    assert_eq!(ended.power("p6", &session, set()).await.unwrap(), OrderAck::Rejected);
    assert!(ended.charging_orders().is_empty());
}

#[tokio::test]
async fn a_station_that_says_it_cannot_is_not_asked() {
    let (world, session) = World::charging().await;
    let mut place = super::world::location();
    place.evses[0].capabilities = "RFID_READER".parse().unwrap();
    world.operator.put_location("ada", place).await.unwrap();
    let set = ProfileWish::Set(watts(4_000));
    assert_eq!(world.power("p1", &session, set).await.unwrap(), OrderAck::NotSupported);
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_so_and_for_a_minute() {
    let (world, session) = World::charging().await;
    for nth in 0..crate::profile::ORDERS_MAX {
        let set = ProfileWish::Set(watts(4_000));
        assert!(is_accepted(world.power(&format!("p{nth}"), &session, set).await.unwrap()));
    }
    assert_eq!(world.power("q", &session, ProfileWish::Clear).await.unwrap(), OrderAck::TooOften);
    world.clock.advance(crate::profile::ORDERS_WITHIN);
    assert!(is_accepted(world.power("r", &session, ProfileWish::Clear).await.unwrap()));
}

#[tokio::test]
async fn nothing_goes_above_the_rating_or_the_operators_own_limit() {
    let (world, session) = World::charging().await;
    let limit = |world: &World| match world.charging_orders().pop() {
        Some(ChargingOrder::Set { profile, .. }) => profile.schedules[0].periods[0].limit,
        other => panic!("{other:?}"),
    };
    world.power("p1", &session, ProfileWish::Set(watts(99_000))).await.unwrap();
    world.rounds().await;
    assert_eq!(limit(&world), Some(22_000.into()), "the EVSE is rated at 22 kW");
    let set = |profile| {
        let order = ChargingOrder::Set { evse: Some(no()), profile: Box::new(profile) };
        StationOrder::Word(Box::new(ToStation::Charging(order)))
    };
    world.operator.order("ada", &station(), set(own(7, 16))).await.unwrap();
    world.power("p2", &session, ProfileWish::Set(watts(99_000))).await.unwrap();
    world.rounds().await;
    assert_eq!(limit(&world), Some(11_000.into()), "16 A of the operator's are half of 32 A and 22 kW");
    let clear = ChargingOrder::Clear(ProfileFilter { ids: vec![7], ..ProfileFilter::default() });
    world.operator.order("ada", &station(), StationOrder::Word(Box::new(ToStation::Charging(clear)))).await.unwrap();
    world.power("p3", &session, ProfileWish::Set(watts(99_000))).await.unwrap();
    world.rounds().await;
    assert_eq!(limit(&world), Some(22_000.into()));
}

#[tokio::test]
async fn silence_is_told_by_silence() {
    for fault in [LineFault::TimedOut, LineFault::Lost] {
        let (world, session) = World::charging().await;
        world.next(Err(fault));
        assert!(is_accepted(world.power("p1", &session, ProfileWish::Set(watts(4_000))).await.unwrap()));
        world.rounds().await;
        assert!(world.profile_outcomes().is_empty());
        world.rounds().await;
        assert_eq!(world.charging_orders().len(), 1, "told once");
    }
}

#[tokio::test]
async fn whoever_has_set_a_profile_is_told_of_changes_that_it_did_not_ask_for() {
    let (world, session) = World::charging().await;
    let limit = || {
        FromStation::Charging(ChargingNews::Limit {
            evse: Some(no()),
            source: "EMS".into(),
            grid_critical: None,
            schedules: Vec::new(),
        })
    };
    world.say(limit()).await.unwrap();
    world.gathered().await;
    assert!(world.plans().is_empty() && world.charging_orders().is_empty(), "nobody has set a profile");

    world.power("p1", &session, ProfileWish::Set(watts(8_000))).await.unwrap();
    world.rounds().await;
    assert!(world.plans().is_empty(), "its own wish is no news");
    world.next(Ok(composite(10)));
    world.say(limit()).await.unwrap();
    world.say(limit()).await.unwrap();
    world.gathered().await;
    assert_eq!(world.plans().len(), 1, "told once for all that changed");
    assert_eq!(world.plans()[0].profile.periods, [(0, 10.into())]);

    world.next(Ok(composite(10)));
    world.say(limit()).await.unwrap();
    world.gathered().await;
    assert_eq!(world.plans().len(), 1, "the same plan is no news");

    world.next(Ok(StationAnswer::Accepted));
    world.next(Ok(composite(6)));
    let order = ChargingOrder::Set { evse: Some(no()), profile: Box::new(own(7, 6)) };
    world.operator.order("ada", &station(), StationOrder::Word(Box::new(ToStation::Charging(order)))).await.unwrap();
    // the provider is away once
    world.road.next.lock().unwrap().push_back(Err(RoadFault::Unreachable));
    world.gathered().await;
    world.next(Ok(composite(6)));
    world.clock.advance(Duration::from_secs(600));
    world.rounds().await;
    let plans = world.plans();
    assert_eq!(plans.len(), 3, "sent again until it arrived");
    assert_eq!(plans[2].profile.periods, [(0, 6.into())]);
}

#[tokio::test]
async fn an_order_that_was_being_told_when_the_program_died_is_not_told_again() {
    let (world, session) = World::charging().await;
    world.power("p1", &session, ProfileWish::Set(watts(4_000))).await.unwrap();
    let died: Result<usize, store::StoreError> = world
        .store
        .run("test.died", |tx| tx.execute("UPDATE operator_profile_orders SET state = 'telling'", &[]))
        .await;
    assert_eq!(died.unwrap(), 1);
    world.rounds().await;
    assert!(world.charging_orders().is_empty() && world.profile_outcomes().is_empty());
}

#[tokio::test]
async fn a_kept_order_is_told_by_the_program_that_starts_next() {
    let folder = std::env::temp_dir().join(format!("leyden-profiles-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("operator.db");
    let mut world = World::on_disk(&path);
    world.furnish().await;
    world.start(card(CARD), 1_000).await;
    let session = world.only_session().await.card.id;
    assert!(is_accepted(world.power("p1", &session, ProfileWish::Set(watts(4_000))).await.unwrap()));
    drop(world);
    let world = World::on_disk(&path);
    world.connect().await;
    world.rounds().await;
    assert_eq!(world.charging_orders().len(), 1);
    assert_eq!(world.profile_outcomes(), [(ProfileResult::Accepted, None)]);
    drop(world);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_station_that_only_takes_amperes_is_told_the_watts_in_amperes() {
    let (world, session) = World::charging().await;
    let said = |value: &str| {
        let key = "ChargingScheduleAllowedChargingRateUnit".into();
        let known = vec![Setting { key, value: Some(value.into()), read_only: true }];
        Ok(StationAnswer::Settings { known, unknown: Vec::new() })
    };
    let read = || StationOrder::ReadSettings { keys: Vec::new() };
    let told = |world: &World| match world.charging_orders().pop() {
        Some(ChargingOrder::Set { profile, .. }) => {
            (profile.schedules[0].unit, profile.schedules[0].periods[0].limit.map(|limit| limit.to_string()))
        }
        other => panic!("{other:?}"),
    };
    world.next(said("Current"));
    world.operator.order("ada", &station(), read()).await.unwrap();
    assert!(is_accepted(world.power("p1", &session, ProfileWish::Set(watts(7_000))).await.unwrap()));
    world.rounds().await;
    assert_eq!(told(&world), (RateUnit::Amperes, Some("10.1".into())), "7 kW over 400 V between phases");
    assert!(is_accepted(world.power("p2", &session, ProfileWish::Set(watts(90_000))).await.unwrap()));
    world.rounds().await;
    assert_eq!(told(&world), (RateUnit::Amperes, Some("31.7".into())), "22 kW are under the 32 A of the connector");

    let mut unknown = super::world::location();
    unknown.evses[0].connectors[0].max_voltage_v = 0;
    world.operator.put_location("ada", unknown).await.unwrap();
    let set = ProfileWish::Set(watts(7_000));
    assert_eq!(world.power("p3", &session, set).await.unwrap(), OrderAck::Rejected, "nobody knows how many amperes");

    world.next(said("Current,Power"));
    world.operator.order("ada", &station(), read()).await.unwrap();
    assert!(is_accepted(world.power("p4", &session, ProfileWish::Set(watts(7_000))).await.unwrap()));
    world.rounds().await;
    assert_eq!(told(&world), (RateUnit::Watts, Some("7000".into())));
}
