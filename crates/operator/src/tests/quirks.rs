//! From a deviation to its suggestion, to the switch, to the next knock.

use charge::talk::line::quirk::{Quirk, Quirks};
use std::time::Duration;

use charge::id::StationId;
use charge::talk::line::{
    Boot, ConnectionNo, Desk, Direction, Entry, FromStation, LogLine, Refusal, Setting, StationAnswer, ToStation,
    Trigger, Version,
};

use super::world::{START, World, location, station};
use crate::drift::{MeantFor, Template};
use crate::quirk::{Because, Profile};
use crate::{Fault, NewStation};

fn line(met: Quirks) -> LogLine {
    let (direction, action, text) = (Direction::FromStation, "Authorize".into(), "[]".into());
    LogLine {
        at: START,
        direction,
        action,
        text,
        remarks: vec!["/info: null, taken as absent".into()],
        deviations: met,
    }
}

async fn admitted(world: &World) -> Quirks {
    let key = world.key.as_ref().unwrap().expose().clone();
    world.operator.admit(world.knock("CP-1", &key)).await.unwrap().quirks
}

#[tokio::test]
async fn a_habit_is_counted_suggested_and_switched() {
    let world = World::new().await;
    let boot = Boot { vendor: "V".into(), model: "M".into(), firmware: Some("1.2".into()), ..Boot::default() };
    world.say(FromStation::Boot(boot)).await.unwrap();
    let met = Quirks::NONE.with(Quirk::CardAsLocal).with(Quirk::Null);
    world.operator.note(&station(), line(met));
    world.operator.note(&station(), line(met));
    assert!(world.operator.quirk_suggestions().await.unwrap().is_empty(), "twice is no habit");

    world.operator.note(&station(), line(met));
    let suggested = world.operator.quirk_suggestions().await.unwrap();
    // what is tolerated anyway needs no suggestion, and is counted all the same
    assert_eq!(suggested.iter().map(|one| (one.quirk, one.met)).collect::<Vec<_>>(), [(Quirk::CardAsLocal, 3)]);
    let text = suggested[0].text();
    assert!(text.starts_with("Station CP-1 (V M, firmware 1.2) deviated 3 times"), "{text}");
    let standing = world.operator.quirks_of(&station()).await.unwrap();
    assert_eq!((standing.strict, &standing.suggestions), (false, &suggested));
    let null = standing.tolerances.iter().find(|one| one.quirk == Quirk::Null).unwrap();
    assert_eq!(null.example.as_deref(), Some("Authorize /info: null, taken as absent"));
    assert_eq!((null.on, &null.because, null.met, null.last), (true, &Because::Usual, 3, Some(START)));

    world.operator.dismiss_suggestion("ada", &station(), Quirk::CardAsLocal).await.unwrap();
    assert!(world.operator.quirk_suggestions().await.unwrap().is_empty());
    for _ in 0..3 {
        world.operator.note(&station(), line(met));
    }
    world.operator.apply_suggestion("ada", &station(), Quirk::CardAsLocal).await.unwrap();
    assert!(world.operator.quirk_suggestions().await.unwrap().is_empty());
    assert_eq!(admitted(&world).await, Quirks::USUAL.with(Quirk::CardAsLocal));
    let again = world.operator.apply_suggestion("ada", &station(), Quirk::CardAsLocal).await;
    assert_eq!(again, Err(Fault::NotFound("suggestion")));

    world.operator.set_strict("ada", &station(), true).await.unwrap();
    assert_eq!(admitted(&world).await, Quirks::NONE);
    world.operator.set_strict("ada", &station(), false).await.unwrap();
    world.operator.switch_quirk("ada", &station(), Quirk::CardAsLocal, None).await.unwrap();
    assert_eq!(admitted(&world).await, Quirks::USUAL);
}

#[tokio::test]
async fn a_profile_counts_once_the_make_is_known() {
    let world = World::new().await;
    let profile = Profile {
        name: "ours".to_owned(),
        vendor: "Foo*".to_owned(),
        model: "*".to_owned(),
        firmware: "*".to_owned(),
        on: vec![Quirk::AnswerPause],
        off: vec![Quirk::LongText],
    };
    world.operator.put_quirk_profile("ada", profile.clone()).await.unwrap();
    assert_eq!(world.operator.quirk_profiles().await.unwrap().1, std::slice::from_ref(&profile));
    assert_eq!(admitted(&world).await, Quirks::USUAL);
    let boot = Boot { vendor: "FooBar".into(), model: "M".into(), ..Boot::default() };
    world.say(FromStation::Boot(boot)).await.unwrap();
    assert_eq!(admitted(&world).await, Quirks::USUAL.with(Quirk::AnswerPause).without(Quirk::LongText));
    assert_eq!(world.operator.quirks_of(&station()).await.unwrap().profiles, ["ours"]);
    world.operator.remove_quirk_profile("ada", "ours").await.unwrap();
    assert_eq!(admitted(&world).await, Quirks::USUAL);
    let weak = Profile { on: vec![Quirk::NoSubprotocol], ..profile };
    assert!(matches!(world.operator.put_quirk_profile("ada", weak).await, Err(Fault::Invalid { path: "/on", .. })));
}

#[tokio::test]
async fn a_station_without_a_subprotocol_comes_in_by_permission() {
    let world = World::new().await;
    let key = world.key.as_ref().unwrap().expose().clone();
    let knock = || {
        let mut knock = world.knock("CP-1", &key);
        knock.offered.clear();
        knock
    };
    let stranger = || {
        let mut knock = world.knock("CP-1", "wrong");
        knock.offered.clear();
        knock
    };
    for _ in 0..3 {
        assert!(matches!(world.refused(stranger()).await, Refusal::NotProven(_)));
    }
    assert!(world.operator.quirk_suggestions().await.unwrap().is_empty(), "strangers suggest nothing");
    for _ in 0..3 {
        assert_eq!(world.refused(knock()).await, Refusal::NoCommonVersion);
    }
    let suggested = world.operator.quirk_suggestions().await.unwrap();
    assert!(suggested[0].text().contains("weakens security"), "{}", suggested[0].text());
    world.operator.apply_suggestion("ada", &station(), Quirk::NoSubprotocol).await.unwrap();
    assert_eq!(world.operator.admit(knock()).await.unwrap().version, Version::V16);
}

#[tokio::test]
async fn a_pinned_station_gets_1_6_and_a_strict_one_its_own_spelling() {
    let world = World::new().await;
    let key = world.key.as_ref().unwrap().expose().clone();
    assert_eq!(world.operator.admit(world.knock("cp-1", &key)).await.unwrap().version, Version::V201);
    world.operator.switch_quirk("ada", &station(), Quirk::OldVersion, Some(true)).await.unwrap();
    assert_eq!(world.operator.admit(world.knock("CP-1", &key)).await.unwrap().version, Version::V16);
    world.operator.set_strict("ada", &station(), true).await.unwrap();
    assert_eq!(world.refused(world.knock("cp-1", &key)).await, Refusal::UnknownStation);
    assert_eq!(world.operator.admit(world.knock("CP-1", &key)).await.unwrap().version, Version::V201);
}

#[tokio::test]
async fn a_station_that_never_booted_is_asked_once_and_served_meanwhile() {
    let world = World::new().await;
    let id = StationId::new("CP-2").unwrap();
    let profile = crate::Profile::Basic { serial: None };
    let (place, bays) = (location().id, Vec::new());
    let new = NewStation { id: id.clone(), location: place, bays, profile, danger_plain_ws: false };
    world.operator.enrol_station("ada", new).await.unwrap();
    let entry = Entry { station: id.clone(), version: Version::V16, quirks: Quirks::USUAL };
    world.operator.arrived(&entry, ConnectionNo(2)).await;
    let asked = || {
        let boot = |told: &&ToStation| matches!(told, ToStation::Trigger { what: Trigger::Boot, .. });
        world.line.told.lock().unwrap().iter().filter(boot).count()
    };
    assert!(Desk::hear(&world.operator, &id, FromStation::Alive).await.is_ok());
    world.rounds().await;
    assert_eq!(asked(), 0, "it may still boot");
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(61));
        world.rounds().await;
    }
    assert_eq!(asked(), 1);
    world.operator.arrived(&entry, ConnectionNo(3)).await;
    world.clock.advance(Duration::from_secs(61));
    world.rounds().await;
    assert_eq!(asked(), 1, "once");
}

#[tokio::test]
async fn a_setting_that_a_make_refuses_is_not_asked_again_until_its_firmware_changes() {
    let world = World::new().await;
    let values = vec![("Known".into(), "1".into()), ("Fancy".into(), "2".into())];
    let template = Template { name: "house".to_owned(), meant_for: MeantFor::default(), values, after_boot: true };
    world.operator.put_template("ada", template).await.unwrap();
    let boots = async |firmware: &str| {
        let boot = Boot { vendor: "V".into(), model: "M".into(), firmware: Some(firmware.into()), ..Boot::default() };
        world.line.told.lock().unwrap().clear();
        world.say(FromStation::Boot(boot)).await.unwrap();
        world.clock.advance(Duration::from_secs(11));
        let known = vec![Setting { key: "Known".into(), value: Some("1".into()), read_only: false }];
        let answer = StationAnswer::Settings { known, unknown: vec!["Fancy".into()] };
        world.line.answers.lock().unwrap().push_back(Ok(answer));
        world.rounds().await;
        world.line.answers.lock().unwrap().clear();
        let told = world.line.told.lock().unwrap();
        let asked = |told: &ToStation| match told {
            ToStation::ReadSettings { keys } => Some(keys.iter().map(ToString::to_string).collect::<Vec<_>>()),
            ToStation::WriteSettings { .. } => Some(vec!["a write".to_owned()]),
            _ => None,
        };
        told.iter().filter_map(asked).flatten().collect::<Vec<_>>()
    };
    assert_eq!(boots("1").await, ["Fancy", "Known"], "asked, and not written where it is unknown");
    assert_eq!(boots("1").await, ["Known"]);
    assert_eq!(world.operator.quirks_of(&station()).await.unwrap().refused_keys, ["Fancy"]);
    assert_eq!(boots("2").await, ["Fancy", "Known"]);
}
