//! Alarms stand while their reason stands; people mend locations, poles and meters' keys one by one.

use std::time::Duration;

use charge::id::LocationId;
use charge::place::Position;
use charge::talk::line::{BayState, ConnectionNo, Desk, FromStation, StatusReport};
use charge::talk::road::Question;

use super::world::{CARD, World, at, card, evse, location, meter, no, signed, station};
use crate::service::Fault;
use crate::view::{AlarmKind, LocationHead, Page};

async fn fault(world: &World, words: &str) {
    let report = StatusReport { evse: Some(no()), state: BayState::Faulted, fault: Some(words.into()), at: None };
    world.say(FromStation::Status(report)).await.unwrap();
}

#[tokio::test]
async fn a_fault_is_an_alarm_until_it_is_over_and_a_new_one_when_it_comes_again() {
    let world = World::new().await;
    assert_eq!(world.operator.alarms().await.unwrap(), Vec::new());
    fault(&world, "GroundFailure").await;
    let alarm = world.operator.alarms().await.unwrap().remove(0);
    assert_eq!(
        (alarm.kind, alarm.subject.as_str(), alarm.detail.as_str()),
        (AlarmKind::EvseFault, "E1", "GroundFailure")
    );
    assert_eq!((alarm.station.clone(), alarm.seen.clone()), (Some(station()), None));

    world.clock.advance(Duration::from_secs(60));
    world.operator.see_alarm("ada", &alarm.id()).await.unwrap();
    assert_eq!(world.operator.alarms().await.unwrap()[0].seen, Some((at(1), "ada".to_owned())));
    world.operator.unsee_alarm("ada", &alarm.id()).await.unwrap();
    assert_eq!(world.operator.alarms().await.unwrap()[0].seen, None, "it is taken back");
    world.operator.see_alarm("ada", &alarm.id()).await.unwrap();

    world.status(BayState::Available).await;
    assert_eq!(world.operator.alarms().await.unwrap(), Vec::new());
    assert_eq!(world.operator.see_alarm("ada", &alarm.id()).await, Err(Fault::NotFound("alarm")));
    world.clock.advance(Duration::from_secs(60));
    fault(&world, "GroundFailure").await;
    assert_eq!(world.operator.alarms().await.unwrap()[0].seen, None, "the same fault again is a new one");
    let done: Vec<String> = world.operator.audit(9).await.unwrap().into_iter().map(|line| line.action).collect();
    assert!(done.contains(&"see alarm".to_owned()) && done.contains(&"reopen alarm".to_owned()), "{done:?}");
}

#[tokio::test]
async fn a_station_that_stays_away_and_a_reading_of_no_session_are_alarms() {
    let world = World::new().await;
    world.meter(4711, at(0), 1_000).await;
    let kinds = async || world.operator.alarms().await.unwrap().into_iter().map(|alarm| alarm.kind).collect::<Vec<_>>();
    assert_eq!(kinds().await, [AlarmKind::ReadingUnplaced]);
    Desk::left(&world.operator, &station(), ConnectionNo(1), "gone").await;
    assert_eq!(kinds().await, [AlarmKind::ReadingUnplaced], "a short break is none");
    world.clock.advance(Duration::from_secs(301));
    assert_eq!(kinds().await, [AlarmKind::ReadingUnplaced, AlarmKind::StationAway]);
    world.clock.advance(Duration::from_secs(15 * 86_400));
    assert_eq!(kinds().await, [AlarmKind::StationAway], "what happened once is told for two weeks");
}

fn head() -> LocationHead {
    LocationHead {
        name: Some("Am Markt".to_owned()),
        address: "Markt 1".to_owned(),
        city: "Ulm".to_owned(),
        postal_code: None,
        country: "DEU".to_owned(),
        position: Position { latitude_e7: 483_984_000, longitude_e7: 99_916_000 },
        time_zone: "Europe/Berlin".to_owned(),
    }
}

#[tokio::test]
async fn a_location_is_mended_and_told_and_keeps_its_evses() {
    let world = World::new().await;
    let id = location().id;
    world.operator.amend_location("ada", &id, head()).await.unwrap();
    world.operator.amend_reference("ada", &evse(), Some("A1".to_owned())).await.unwrap();
    let mended = world.operator.location(&id).await.unwrap();
    assert_eq!((mended.name.as_deref(), mended.evses.len()), (Some("Am Markt"), location().evses.len()));
    assert_eq!(mended.evses[0].connectors, location().evses[0].connectors);
    assert_eq!(mended.evses[0].physical_reference.as_deref(), Some("A1"));
    world.rounds().await;
    let told = world.road.letters.lock().unwrap().iter().any(
        |letter| matches!(&letter.question, Question::PutLocation(told) if told.name.as_deref() == Some("Am Markt")),
    );
    assert!(told, "partners hear of it");

    let nowhere = LocationHead { time_zone: "Europe/Bielefeld".to_owned(), ..head() };
    let refused = world.operator.amend_location("ada", &id, nowhere).await;
    assert!(matches!(refused, Err(Fault::Invalid { path: "/time_zone", .. })), "{refused:?}");
    let unknown = world.operator.amend_location("ada", &LocationId::new("L9").unwrap(), head()).await;
    assert_eq!(unknown, Err(Fault::NotFound("location")));
    let long = world.operator.amend_reference("ada", &evse(), Some("x".repeat(17))).await;
    assert!(matches!(long, Err(Fault::Invalid { path: "/physical_reference", .. })));
}

#[tokio::test]
async fn locations_are_found_by_their_words() {
    let world = World::new().await;
    world.operator.amend_location("ada", &location().id, head()).await.unwrap();
    let found =
        async |words: &str| world.operator.find_locations(Some(words.to_owned()), Page::default()).await.unwrap().total;
    assert_eq!((found("markt").await, found("ulm").await, found("").await, found("100%").await), (1, 1, 1, 0));
}

#[tokio::test]
async fn a_meters_key_is_listed_as_unknown_as_seen_and_as_compared() {
    let world = World::new().await;
    let key = async || world.operator.meters(None, Page::default()).await.unwrap().items.remove(0).key;
    assert_eq!(key().await, None);
    let (signer, public) = meter();
    let (number, _) = world.start(card(CARD), 1_000).await;
    world.clock.set(at(10));
    let mut record = signed(&signer, (at(0), 1_000), (at(10), 2_000), 1);
    record.public_key = Some(public.spki_hex().into());
    world.stop(number, 2_000, vec![record]).await;
    assert_eq!(key().await.map(|key| key.confirmed), Some(false));
    world.operator.confirm_meter_key("ada", &evse(), &public.spki_hex()).await.unwrap();
    assert_eq!(key().await.map(|key| key.confirmed), Some(true));
    let session = world.only_session().await.card;
    assert_eq!(session.location_name, location().name);
}
