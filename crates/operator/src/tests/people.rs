//! Enrolment, the overview, and that people are forgotten in time.

use std::time::Duration;

use charge::talk::line::BayState;

use super::world::{CARD, World, at, card, evse, location, meter, no, signed, station};
use charge::talk::line::{Setting, StationAnswer};

use crate::order::StationOrder;
use crate::service::Fault;
use crate::service::command::{NewBay, NewStation, Profile};
use crate::view::{SessionFilter, StationFilter};

fn new_station(id: &str) -> NewStation {
    NewStation {
        id: charge::id::StationId::new(id).unwrap(),
        location: location().id,
        bays: vec![NewBay { no: no(), evse: location().evses.remove(0), meter_key: None }],
        profile: Profile::Basic { serial: None },
        danger_plain_ws: false,
    }
}

#[tokio::test]
async fn enrolment_refuses_what_cannot_be() {
    let world = World::new().await;
    let put = |new| world.operator.enrol_station("ada", new);
    assert!(matches!(put(new_station("cp-1")).await, Err(Fault::Conflict(_))), "the same identity in lower case");
    assert!(matches!(put(new_station("CP-2")).await, Err(Fault::Invalid { path: "/evses", .. })), "a taken EVSE");
    let nowhere = NewStation { location: charge::id::LocationId::new("L9").unwrap(), ..new_station("CP-2") };
    assert!(matches!(put(nowhere).await, Err(Fault::Invalid { path: "/location", .. })));
    let mut bad_key = new_station("CP-2");
    bad_key.bays[0].meter_key = Some("no key at all".to_owned());
    assert!(matches!(put(bad_key).await, Err(Fault::Invalid { path: "/meter_key", .. })));
    let unnamed = NewStation { profile: Profile::Certificate { serial: " ".to_owned() }, ..new_station("CP-2") };
    assert!(matches!(put(unnamed).await, Err(Fault::Invalid { path: "/serial", .. })));
    assert_eq!(world.operator.stations(StationFilter::default()).await.unwrap().total, 1);
}

#[tokio::test]
async fn a_retired_station_can_be_enrolled_again() {
    let world = World::new().await;
    world.operator.retire_station("ada", &station()).await.unwrap();
    assert_eq!(world.operator.retire_station("ada", &station()).await, Err(Fault::NotFound("station")));
    assert_eq!(world.operator.stations(StationFilter::default()).await.unwrap().total, 0);
    let key = world.operator.enrol_station("ada", new_station("CP-1")).await.unwrap();
    assert!(key.is_some());
    assert_eq!(world.operator.stations(StationFilter::default()).await.unwrap().total, 1);
}

#[tokio::test]
async fn the_overview_counts_what_is_there() {
    let world = World::new().await;
    world.start(card(CARD), 1_000).await;
    world.status(BayState::Charging).await;
    let shown = world.operator.overview().await.unwrap();
    assert_eq!((shown.stations, shown.stations_connected, shown.evses_charging), (1, 1, 1));
    assert_eq!((shown.sessions_active, shown.sessions_today), (1, 1));
    let found = StationFilter { query: Some("ulm".to_owned()), ..StationFilter::default() };
    assert_eq!(world.operator.stations(found).await.unwrap().total, 1);
    let none = StationFilter { query: Some("100%".to_owned()), ..StationFilter::default() };
    assert_eq!(world.operator.stations(none).await.unwrap().total, 0);
    let running = SessionFilter { running: Some(true), ..SessionFilter::default() };
    assert_eq!(world.operator.sessions(running).await.unwrap().total, 1);
    assert_eq!(world.operator.parties().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_that_came_along_is_shown_as_unconfirmed() {
    let world = World::new().await;
    let (signer, key) = meter();
    let (number, _) = world.start(card(CARD), 1_000).await;
    world.clock.set(at(10));
    let mut record = signed(&signer, (at(0), 1_000), (at(10), 2_000), 1);
    record.public_key = Some(key.spki_hex().into());
    world.stop(number, 2_000, vec![record]).await;
    let page = world.only_session().await;
    assert_eq!(page.evidence.verdict, "valid with remarks");
    assert!(page.card.flags.iter().any(|flag| flag.contains("not confirmed")), "{:?}", page.card.flags);
    let shown = world.operator.station(&station()).await.unwrap().card.evses.remove(0).meter_key.unwrap();
    assert!(!shown.confirmed);
    world.operator.confirm_meter_key("ada", &evse(), &shown.spki_hex).await.unwrap();
    assert_eq!(world.only_session().await.evidence.verdict, "valid");
}

#[tokio::test]
async fn people_are_forgotten_after_the_time_for_disputes() {
    let world = World::new().await;
    let (number, _) = world.start(card(CARD), 1_000).await;
    world.clock.set(at(10));
    world.stop(number, 2_000, Vec::new()).await;
    world.rounds().await;
    let id = world.only_session().await.card.cdr.unwrap();
    assert!(world.operator.cdr_record(&id).await.is_ok());
    world.clock.advance(Duration::from_secs(61 * 24 * 3_600));
    world.rounds().await;
    assert_eq!(world.operator.cdr_record(&id).await, Err(Fault::NotFound("CDR")));
    assert!(world.operator.cdr(&id).await.is_ok(), "the amounts stay");
}

#[tokio::test]
async fn what_an_evse_can_do_is_its_stations_word_until_a_person_says_otherwise() {
    use charge::talk::road::Question;

    let world = World::new().await;
    let shown = async || world.operator.location(&location().id).await.unwrap().evses[0].capabilities.to_string();
    assert_eq!(shown().await, "REMOTE_START_STOP_CAPABLE RFID_READER UNLOCK_CAPABLE");
    let says = async |value: &str| {
        let setting = Setting { key: "SupportedFeatureProfiles".into(), value: Some(value.into()), read_only: true };
        let answer = StationAnswer::Settings { known: vec![setting], unknown: Vec::new() };
        world.line.answers.lock().unwrap().push_back(Ok(answer));
        world.operator.order("ada", &station(), StationOrder::ReadSettings { keys: vec![] }).await.unwrap();
        world.rounds().await;
        let mut letters = world.road.letters.lock().unwrap();
        let told = letters.iter().filter(|letter| matches!(letter.question, Question::PutLocation(_))).count();
        letters.clear();
        told
    };
    assert_eq!(says("Core,Reservation").await, 1, "partners are told");
    assert_eq!(says("Core,Reservation").await, 0, "of what is new");
    assert_eq!(shown().await, "REMOTE_START_STOP_CAPABLE RESERVABLE RFID_READER UNLOCK_CAPABLE");

    let said = "RFID_READER CONTACTLESS_CARD_SUPPORT".parse().unwrap();
    world.operator.amend_capabilities("ada", &evse(), Some(said)).await.unwrap();
    world.rounds().await;
    world.road.letters.lock().unwrap().clear();
    assert_eq!(says("Core").await, 0, "a person's word counts above");
    assert_eq!(shown().await, "CONTACTLESS_CARD_SUPPORT RFID_READER");
    world.operator.put_location("ada", location()).await.unwrap();
    assert_eq!(shown().await, "CONTACTLESS_CARD_SUPPORT RFID_READER", "nothing said is nothing changed");
    world.operator.amend_capabilities("ada", &evse(), None).await.unwrap();
    assert_eq!(shown().await, "REMOTE_START_STOP_CAPABLE RFID_READER UNLOCK_CAPABLE");
}
