//! From a deviation to its suggestion, to the switch, to the next knock.

use charge::talk::line::quirk::{Quirk, Quirks};
use charge::talk::line::{Boot, Desk, Direction, FromStation, LogLine, Refusal, Version};

use super::world::{START, World, station};
use crate::Fault;
use crate::quirk::{Because, Profile};

fn line(met: Quirks) -> LogLine {
    let (direction, action, text) = (Direction::FromStation, "Authorize".into(), "[]".into());
    LogLine { at: START, direction, action, text, remarks: Vec::new(), deviations: met }
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
    let shown = world.operator.tolerances(&station()).await.unwrap();
    let null = shown.iter().find(|one| one.quirk == Quirk::Null).unwrap();
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
