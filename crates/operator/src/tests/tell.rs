//! What the network is told of places, prices and states, and when it is not told twice.

use charge::Clock;
use charge::place::EvseStatus;
use charge::talk::line::{BayState, ConnectionNo, Desk};
use charge::talk::road::{Answer, PageWish, Question, RoadFault};

use super::crash::Scratch;
use super::world::{CARD, World, at, card, hub, location, station, tariff};
use crate::service::Fault;

fn statuses(world: &World) -> Vec<EvseStatus> {
    let letters = world.road.letters.lock().unwrap();
    let found = letters.iter().filter_map(|letter| match &letter.question {
        Question::PatchEvse { status, .. } => Some(*status),
        _ => None,
    });
    found.collect()
}

#[tokio::test]
async fn places_and_prices_go_to_the_hub_once_and_again_after_a_failure() {
    let mut world = World::around(store::Store::in_memory(crate::Operator::MIGRATIONS).unwrap());
    world.road.next.lock().unwrap().push_back(Err(RoadFault::Unreachable));
    world.operator.put_tariff("ada", tariff("0.50")).await.unwrap();
    world.operator.put_location("ada", location()).await.unwrap();
    world.rounds().await;
    world.clock.set(at(1));
    world.rounds().await;
    let letters = std::mem::take(&mut *world.road.letters.lock().unwrap());
    let of = |kind: fn(&Question) -> bool| letters.iter().filter(|letter| kind(&letter.question)).count();
    let sent = of(|question| matches!(question, Question::PutTariff(_)))
        + of(|question| matches!(question, Question::PutLocation(_)));
    assert_eq!(sent, 3, "one of the two failed once");
    assert!(letters.iter().all(|letter| letter.to == Some(hub())));
    world.furnish().await;
    let tariff_id = tariff("0.50").id;
    assert!(matches!(world.operator.drop_tariff("ada", &tariff_id).await, Err(Fault::Conflict(_))));
}

#[tokio::test]
async fn a_bays_status_follows_station_and_session() {
    let world = World::new().await;
    let (number, _) = world.start(card(CARD), 1_000).await;
    world.status(BayState::Charging).await;
    world.rounds().await;
    world.clock.set(at(5));
    world.stop(number, 2_000, Vec::new()).await;
    world.rounds().await;
    world.status(BayState::Finishing).await;
    world.status(BayState::Available).await;
    world.rounds().await;
    // plugged in and charging, plugged in and done, free: each told once
    assert_eq!(statuses(&world), vec![EvseStatus::Charging, EvseStatus::Blocked, EvseStatus::Available]);
}

#[tokio::test]
async fn a_hub_that_is_back_hears_at_once_of_places_and_statuses() {
    let world = World::new().await;
    for _ in 0..2 {
        world.road.next.lock().unwrap().push_back(Err(RoadFault::Unreachable));
    }
    world.status(BayState::Faulted).await;
    world.operator.put_location("ada", location()).await.unwrap();
    world.rounds().await;
    world.road.letters.lock().unwrap().clear();
    world.clock.set(world.clock.now().plus(std::time::Duration::from_secs(1)));
    world.rounds().await;
    assert!(world.road.letters.lock().unwrap().is_empty(), "both wait for the end of their pause");
    // another letter to the hub arrives
    world.operator.put_tariff("ada", tariff("0.60")).await.unwrap();
    world.rounds().await;
    assert_eq!(statuses(&world), [EvseStatus::OutOfOrder]);
    let letters = world.road.letters.lock().unwrap();
    assert!(letters.iter().any(|letter| matches!(letter.question, Question::PutLocation(_))));
}

#[tokio::test]
async fn a_status_that_could_not_be_told_survives_a_restart_and_one_that_was_told_is_not_told_again() {
    let scratch = Scratch::new("untold");
    let reborn = |minute| {
        let world = World::on_disk(&scratch.0);
        world.clock.set(at(minute));
        world
    };
    let mut world = reborn(0);
    world.furnish().await;
    world.clock.set(at(5));
    world.rounds().await;
    world.road.next.lock().unwrap().push_back(Err(RoadFault::Unreachable));
    world.status(BayState::Faulted).await;
    world.rounds().await;
    drop(world);
    let world = reborn(6);
    world.rounds().await;
    assert_eq!(statuses(&world), [EvseStatus::OutOfOrder], "it was not told before");
    world.clock.set(at(10));
    world.rounds().await;
    drop(world);
    let world = reborn(11);
    world.rounds().await;
    assert!(statuses(&world).is_empty(), "the mark is newer than the change");
}

#[tokio::test]
async fn a_station_that_stays_away_makes_its_bays_unknown_until_it_reports_again() {
    let world = World::new().await;
    world.operator.left(&station(), ConnectionNo(1), "gone").await;
    world.clock.set(at(2));
    world.rounds().await;
    assert!(statuses(&world).is_empty(), "a short absence is nobody's business");
    world.clock.set(at(10));
    world.rounds().await;
    world.connect().await;
    world.status(BayState::Available).await;
    world.rounds().await;
    assert_eq!(statuses(&world), vec![EvseStatus::Unknown, EvseStatus::Available]);
}

#[tokio::test]
async fn partners_pull_pages_of_what_changed() {
    let world = World::new().await;
    world.clock.set(at(10));
    let mut second = location();
    second.id = charge::id::LocationId::new("L2").unwrap();
    second.evses.clear();
    world.operator.put_location("ada", second).await.unwrap();
    let wish = |changed_since, offset| {
        Question::Locations(PageWish { changed_since, offset, limit: 1, ..PageWish::default() })
    };
    let Answer::Locations(first) = world.letter(wish(None, 0)).await.unwrap() else { panic!("locations") };
    assert_eq!((first.total, first.next, first.items[0].id.as_str()), (2, Some(1), "L1"));
    assert_eq!(first.items[0].evses[0].connectors, location().evses[0].connectors);
    let Answer::Locations(last) = world.letter(wish(None, 1)).await.unwrap() else { panic!("locations") };
    assert_eq!((last.next, last.items[0].id.as_str()), (None, "L2"));
    let Answer::Locations(newer) = world.letter(wish(Some(at(10)), 0)).await.unwrap() else { panic!("locations") };
    assert_eq!(newer.total, 1);
    let tariffs = world.letter(Question::Tariffs(PageWish::default())).await.unwrap();
    let Answer::Tariffs(tariffs) = tariffs else { panic!("tariffs") };
    assert_eq!(tariffs.items[0].elements, tariff("0.50").elements);
}

#[tokio::test]
async fn a_tariff_reads_back_as_it_was_put() {
    use charge::money::Price;
    use charge::tariff::{Component, Day, Dimension, Element, Restrictions};
    use charge::units::{Energy, Power};
    let world = World::new().await;
    let mut rich = tariff("0.50");
    rich.id = charge::id::TariffId::new("T2").unwrap();
    rich.min_price = Some(Price { before_vat: "1".parse().unwrap(), with_vat: None });
    rich.max_price = Some(Price { before_vat: "40.00".parse().unwrap(), with_vat: "47.60".parse().ok() });
    rich.valid_until = Some(at(1_000));
    rich.elements.insert(
        0,
        Element {
            components: vec![Component {
                dimension: Dimension::ParkingTime,
                price: "6.0".parse().unwrap(),
                vat_percent: None,
                step_size: 60,
            }],
            restrictions: Restrictions {
                start_minute: Some(480),
                end_minute: Some(1_200),
                start_date: Some("2026-01-01".to_owned()),
                end_date: None,
                min_energy: Some(Energy::from_wh(1)),
                max_energy: None,
                min_power: Some(Power::from_watts(11_000)),
                max_power: None,
                min_duration_s: Some(14_400),
                max_duration_s: None,
                days: vec![Day::Monday, Day::Sunday],
            },
        },
    );
    world.operator.put_tariff("ada", rich.clone()).await.unwrap();
    let kept = world.operator.tariffs(crate::view::Page::default()).await.unwrap();
    let kept = kept.items.into_iter().find(|card| card.tariff.id == rich.id).unwrap();
    rich.last_updated = kept.tariff.last_updated;
    assert_eq!((kept.tariff, kept.used_by), (rich, 0));
}
