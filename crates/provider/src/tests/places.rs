//! Places, prices and cards: what goes to and comes from the hub on our own initiative.

use charge::talk::road::{Page, PageWish};

use super::*;
use crate::{Area, Event};

fn page<T>(items: Vec<T>, next: Option<u32>) -> Page<T> {
    Page { items, total: 9, next, complaints: Vec::new() }
}

fn numbered(nth: u32) -> Location {
    Location { id: LocationId::new(format!("P{nth}")).unwrap(), ..location() }
}

fn area(west: i32, east: i32) -> Area {
    let corner = |latitude_e7, longitude_e7| Position { latitude_e7, longitude_e7 };
    Area { south_west: corner(530_000_000, west), north_east: corner(540_000_000, east) }
}

#[tokio::test]
async fn everything_is_pulled_page_by_page_at_the_first_start_and_changes_once_a_day() {
    let world = world().await;
    world.road.will_answer(Ok(Answer::Noted));
    world.road.will_answer(Ok(Answer::Tariffs(page(vec![tariff("0.40")], None))));
    world.road.will_answer(Ok(Answer::Locations(page(vec![numbered(1), numbered(2)], Some(2)))));
    world.road.will_answer(Ok(Answer::Locations(page(vec![numbered(3)], None))));
    world.provider.duty().await.unwrap();
    let asked = world.road.take();
    assert!(matches!(asked[0].question, Question::PutToken(_)));
    let wishes: Vec<_> = asked
        .iter()
        .filter_map(|letter| match &letter.question {
            Question::Locations(wish) => Some(*wish),
            _ => None,
        })
        .collect();
    let wish = |offset| PageWish { offset, limit: 100, ..PageWish::default() };
    assert_eq!(wishes, [wish(0), wish(2)]);
    assert_eq!(world.provider.overview().await.unwrap().places, 4);

    world.provider.duty().await.unwrap();
    assert!(world.road.take().is_empty(), "not again on the same day");
    world.clock.advance(Duration::from_secs(86_400));
    world.road.will_answer(Ok(Answer::Tariffs(page(Vec::new(), None))));
    world.road.will_answer(Ok(Answer::Locations(page(Vec::new(), None))));
    world.provider.duty().await.unwrap();
    let since = at(BEGIN).minus(Duration::from_secs(600));
    assert!(world.road.take().iter().all(|letter| matches!(
        &letter.question,
        Question::Locations(wish) | Question::Tariffs(wish) if wish.changed_since == Some(since)
    )));
}

#[tokio::test]
async fn a_pull_that_breaks_off_begins_again_soon() {
    let world = world().await;
    world.road.will_answer(Ok(Answer::Noted));
    world.road.will_answer(Ok(Answer::Tariffs(page(Vec::new(), None))));
    world.road.will_answer(Ok(Answer::Locations(page(vec![numbered(1)], Some(1)))));
    world.road.will_answer(Err(RoadFault::TimedOut));
    world.provider.duty().await.unwrap();
    assert_eq!(world.provider.overview().await.unwrap().places, 2, "what came is kept");
    world.road.take();
    world.clock.advance(Duration::from_secs(30));
    world.road.will_answer(Ok(Answer::Locations(page(vec![numbered(1), numbered(2)], None))));
    world.provider.duty().await.unwrap();
    let asked = world.road.take();
    assert!(matches!(&asked[0].question, Question::Locations(wish) if wish.changed_since.is_none()));
    assert_eq!(world.provider.overview().await.unwrap().places, 3);
}

#[tokio::test]
async fn pages_in_a_circle_end() {
    let world = world().await;
    world.road.will_answer(Ok(Answer::Noted));
    world.road.will_answer(Ok(Answer::Tariffs(page(Vec::new(), Some(0)))));
    world.road.will_answer(Ok(Answer::Locations(page(Vec::new(), None))));
    world.provider.duty().await.unwrap();
    assert_eq!(world.road.take().len(), 3);
}

#[tokio::test]
async fn a_card_is_told_to_the_hub_until_it_heard_and_again_when_it_changes() {
    let world = world().await;
    world.road.will_answer(Err(RoadFault::Unreachable));
    world.provider.duty().await.unwrap();
    assert!(!world.provider.cards(None).await.unwrap()[0].indexed);
    world.road.take();
    world.clock.advance(Duration::from_secs(10));
    world.provider.duty().await.unwrap();
    let told = world.road.take();
    let Question::PutToken(token) = &told[0].question else { panic!("{:?}", told[0].question) };
    assert_eq!((told[0].to, token.valid), (Some(party("DE-HUB")), true));
    assert_eq!(token.uid.reveal(charge::Purpose::Route).normal(), UID);
    let driver = world.provider.driver(world.driver.clone()).await.unwrap();
    assert_ne!(token.contract, driver.contract_id, "the contract id never leaves the house");
    let row = world.provider.cards(Some(world.driver.clone())).await.unwrap().remove(0);
    assert_eq!((row.indexed, row.masked.as_str()), (true, "…E680"));

    world.provider.block_card(None, world.card.clone(), true).await.unwrap();
    world.provider.duty().await.unwrap();
    let told = world.road.take();
    assert!(matches!(&told[0].question, Question::PutToken(token) if !token.valid));
}

#[tokio::test]
async fn a_card_belongs_to_one_driver() {
    let world = world().await;
    let uid = Personal::new(TokenUid::new(" 04a2b3c4d5e680").unwrap());
    let again = world.provider.add_card(NewCard { driver: world.driver.clone(), label: "x".into(), uid }).await;
    assert_eq!(again, Err(crate::Refusal::CardTaken.into()));
}

#[tokio::test]
async fn the_map_shows_what_is_free_and_the_sheet_what_it_costs() {
    let world = world().await;
    let mut events = world.provider.events();
    let patch = |evse: &str, at| Question::PatchEvse {
        location: LocationId::new("L1").unwrap(),
        evse: EvseUid::new(evse).unwrap(),
        status: EvseStatus::Charging,
        at,
    };
    world.hear("DE-OPA", patch("E2", at(BEGIN))).await.unwrap();
    assert!(matches!(events.try_recv(), Ok(Event::Place { evse: Some(_), .. })));
    let early = at("2026-10-01T00:00:00Z");
    world.hear("DE-OPA", patch("E1", early)).await.unwrap();
    assert!(events.try_recv().is_err(), "an old word changes nothing");
    // the same location again, as a pull may bring it: the newer status stays
    world.hear("DE-HUB", Question::PutLocation(Box::new(location()))).await.unwrap();
    let points = world.provider.places(area(90_000_000, 110_000_000)).await.unwrap();
    let point = &points[0];
    assert_eq!((points.len(), point.available, point.total), (1, 1, 2));
    assert_eq!(point.max_power, Power::from_watts(150_000));
    assert!(world.provider.places(area(110_000_000, 120_000_000)).await.unwrap().is_empty());
    let over_the_date_line = world.provider.places(area(1_700_000_000, 99_900_000)).await.unwrap();
    assert_eq!(over_the_date_line.len(), 1);

    let place = world.provider.place(party("DE-OPA"), LocationId::new("L1").unwrap()).await.unwrap();
    let expected = Location { evses: place.location.evses.clone(), ..location() };
    assert_eq!(place.location, expected);
    assert_eq!(place.prices.len(), 2);
    assert_eq!(place.prices[0].tariff, Some(tariff("0.40")), "a tariff reads as it was written");
    assert_eq!(place.prices[0].offers[0].gross, "0.476".parse::<Decimal>().unwrap());
    assert_eq!(place.prices[0].stamp, place.prices[1].stamp);
}

#[tokio::test]
async fn nobody_publishes_for_another() {
    let world = world().await;
    let foreign = world.hear("DE-OPB", Question::PutLocation(Box::new(location()))).await;
    assert_eq!(foreign, Err(Denial::NotYours));
    let foreign = world.hear("DE-OPB", Question::PutTariff(Box::new(tariff("9.99")))).await;
    assert_eq!(foreign, Err(Denial::NotYours));
    let status = EvseStatus::OutOfOrder;
    let (location, evse) = (LocationId::new("L1").unwrap(), EvseUid::new("E1").unwrap());
    let patch = Question::PatchEvse { location, evse, status, at: at(BEGIN) };
    assert_eq!(world.hear("DE-OPB", patch).await, Err(Denial::UnknownLocation));
    let wrong_door = world.hear("DE-OPA", Question::Locations(PageWish::default())).await;
    assert_eq!(wrong_door, Err(Denial::NotSupported));
}
