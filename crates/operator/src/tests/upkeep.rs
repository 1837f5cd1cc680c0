//! Logs to the shelf, and firmware campaigns.

use std::path::PathBuf;
use std::time::Duration;

use charge::Secret;
use charge::talk::line::upkeep::{FirmwareSignature, LogKind, Progress, UpkeepOrder, Work};
use charge::talk::line::{Boot, FromStation, LineFault, StationAnswer, ToStation};

use super::world::{World, station};
use crate::campaign::{Pace, State as CampaignState};
use crate::request::State;
use crate::service::Fault;
use crate::{Chosen, LogWish, NewCampaign, NewFirmware, Shelf};

fn shelf() -> Shelf {
    Shelf { directory: PathBuf::from("nowhere"), address: "https://voltwerk.example/api/p/operator".to_owned() }
}

fn wish() -> LogWish {
    LogWish { kind: LogKind::Diagnostics, from: None, until: None }
}

#[tokio::test]
async fn a_log_comes_to_an_address_that_is_good_for_one_file() {
    let world = World::new().await;
    let none = world.operator.fetch_log("ada", &station(), wish()).await;
    assert!(matches!(none, Err(Fault::Conflict(_))), "no shelf, no address");
    world.operator.attach_shelf(shelf());
    world.line.answers.lock().unwrap().push_back(Ok(StationAnswer::File(Some("../../diag.zip".into()))));
    let number = world.operator.fetch_log("ada", &station(), wish()).await.unwrap().request.unwrap();
    let told = world.line.told.lock().unwrap().last().cloned();
    let Some(ToStation::Upkeep(UpkeepOrder::FetchLog { to, legacy: true, .. })) = told else { panic!("{told:?}") };
    let secret = to.expose().rsplit('/').next().unwrap().to_owned();
    assert!(!String::from_utf8_lossy(&world.dump().await).contains(&secret), "only a digest is kept");
    assert_eq!(world.operator.upload(number).await.unwrap().name.as_deref(), Some("diag.zip"));
    assert!(matches!(world.operator.upload_expected("guess").await, Err(Fault::NotFound(_))));
    assert_eq!(world.operator.upload_expected(&secret).await, Ok(number));
    world.operator.upload_received(number, None, "F1".to_owned(), 42).await.unwrap();
    let kept = world.operator.upload(number).await.unwrap();
    assert_eq!((kept.request.state, kept.bytes, kept.file.as_deref()), (State::Done, Some(42), Some("F1")));
    assert!(matches!(world.operator.upload_expected(&secret).await, Err(Fault::NotFound(_))), "one file");
    world.clock.advance(Duration::from_secs(31 * 86_400));
    world.rounds().await;
    assert!(world.operator.upload(number).await.unwrap().file.is_none(), "its row says that there was one");
}

#[tokio::test]
async fn the_shelf_is_tidied_without_anybody_looking() {
    let world = World::new().await;
    let directory = std::env::temp_dir().join(format!("leyden-tidy-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&directory));
    std::fs::create_dir_all(&directory).unwrap();
    world.operator.attach_shelf(Shelf { directory: directory.clone(), ..shelf() });
    let long_ago = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for (name, old) in [("Kept", true), ("Gonepart", true), ("Fresh", false), ("not-ours.txt", true)] {
        let file = std::fs::File::create(directory.join(name)).unwrap();
        if old {
            file.set_modified(long_ago).unwrap();
        }
    }
    let number = world.operator.fetch_log("ada", &station(), wish()).await.unwrap().request.unwrap();
    world.operator.upload_received(number, None, "Kept".to_owned(), 1).await.unwrap();
    let there = || {
        let mut names: Vec<_> =
            std::fs::read_dir(&directory).unwrap().map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    world.clock.advance(Duration::from_secs(2 * 3_600));
    world.rounds().await;
    assert_eq!(there(), ["Fresh", "Kept", "not-ours.txt"]);
    world.clock.advance(Duration::from_secs(31 * 86_400));
    world.rounds().await;
    assert_eq!(there(), ["Fresh", "not-ours.txt"]);
    drop(std::fs::remove_dir_all(&directory));
}

#[tokio::test]
async fn an_address_closes_after_a_day() {
    let world = World::new().await;
    world.operator.attach_shelf(shelf());
    world.operator.fetch_log("ada", &station(), wish()).await.unwrap();
    let told = world.line.told.lock().unwrap().last().cloned();
    let Some(ToStation::Upkeep(UpkeepOrder::FetchLog { to, .. })) = told else { panic!("{told:?}") };
    let secret = to.expose().rsplit('/').next().unwrap().to_owned();
    world.clock.advance(Duration::from_secs(25 * 3_600));
    assert!(matches!(world.operator.upload_expected(&secret).await, Err(Fault::NotFound(_))));
}

async fn image(world: &World) -> String {
    world
        .say(FromStation::Boot(Boot { vendor: "Maker".into(), firmware: Some("1".into()), ..Boot::default() }))
        .await
        .unwrap();
    let signature = FirmwareSignature { certificate: "PEM".into(), signature: "c2ln".into() };
    let new = NewFirmware {
        vendor: "maker".to_owned(),
        model: None,
        version: "2".to_owned(),
        address: Some(Secret::new("https://maker.example/fw?key=s3cret".to_owned())),
        signature: Some(signature),
    };
    world.operator.add_firmware("ada", new).await.unwrap().id
}

fn campaign(firmware: String) -> NewCampaign {
    let pace = Pace { wave_percent: 50, pause: Duration::from_secs(60), failures_max: 1 };
    NewCampaign { firmware, pace, stations: Chosen::Behind }
}

fn progress(request: i32, status: &str) -> FromStation {
    let (of, request) = (Work::Firmware, Some(request));
    FromStation::Progress(Progress { of, request, status: status.into(), places: Vec::new() })
}

fn ordered(world: &World) -> Vec<i32> {
    let told = world.line.told.lock().unwrap();
    let numbers = told.iter().filter_map(|order| match order {
        ToStation::Upkeep(UpkeepOrder::Firmware { request, signed: Some(_), .. }) => Some(*request),
        _ => None,
    });
    numbers.collect()
}

#[tokio::test]
async fn a_campaign_tells_its_stations_and_is_done_when_they_are() {
    let world = World::new().await;
    let begun = world.operator.begin_campaign("ada", campaign(image(&world).await)).await.unwrap();
    world.rounds().await;
    let numbers = ordered(&world);
    assert_eq!(numbers.len(), 1);
    assert!(!String::from_utf8_lossy(&world.dump().await).contains("s3cret"), "the address is sealed");
    world.say(progress(numbers[0], "Downloading")).await.unwrap();
    let going = world.operator.campaign(&begun.id).await.unwrap();
    assert_eq!((going.state, going.members[0].state), (CampaignState::Running, Some(State::Going)));
    world.say(progress(numbers[0], "Installed")).await.unwrap();
    world.clock.advance(Duration::from_secs(120));
    world.rounds().await;
    assert_eq!(world.operator.campaign(&begun.id).await.unwrap().state, CampaignState::Done);
}

#[tokio::test]
async fn a_station_that_knows_no_signatures_fetches_the_image_as_it_is() {
    let world = World::new().await;
    let unknown = LineFault::Error { code: "NotImplemented".into(), description: "".into() };
    world.line.answers.lock().unwrap().push_back(Err(unknown));
    let begun = world.operator.begin_campaign("ada", campaign(image(&world).await)).await.unwrap();
    world.rounds().await;
    let signed = ordered(&world);
    assert_eq!(signed.len(), 1, "with the signature first");
    let told = world.line.told.lock().unwrap().last().cloned();
    let Some(ToStation::Upkeep(UpkeepOrder::Firmware { request, signed: None, .. })) = told else { panic!("{told:?}") };
    assert_eq!(request, signed[0]);
    let going = world.operator.campaign(&begun.id).await.unwrap();
    assert_eq!((going.state, going.members[0].state), (CampaignState::Running, Some(State::Going)));
}

#[tokio::test]
async fn a_campaign_stops_at_too_many_failures_and_nobody_is_told_twice() {
    let world = World::new().await;
    let begun = world.operator.begin_campaign("ada", campaign(image(&world).await)).await.unwrap();
    world.rounds().await;
    world.say(progress(ordered(&world)[0], "InvalidSignature")).await.unwrap();
    world.clock.advance(Duration::from_secs(120));
    world.rounds().await;
    let stopped = world.operator.campaign(&begun.id).await.unwrap();
    assert_eq!((stopped.state, stopped.why.as_deref()), (CampaignState::Stopped, Some("1 stations failed")));
    assert_eq!(stopped.members[0].status.as_deref(), Some("InvalidSignature"));
    assert_eq!(ordered(&world).len(), 1);
}

#[tokio::test]
async fn a_station_that_is_silent_is_told_again_under_the_same_number() {
    let world = World::new().await;
    world.line.answers.lock().unwrap().push_back(Err(LineFault::TimedOut));
    world.operator.begin_campaign("ada", campaign(image(&world).await)).await.unwrap();
    world.rounds().await;
    world.clock.advance(Duration::from_secs(601));
    world.rounds().await;
    let numbers = ordered(&world);
    assert_eq!(numbers.len(), 2);
    assert_eq!(numbers[0], numbers[1]);
}

#[tokio::test]
async fn a_paused_campaign_tells_nobody_and_goes_on_where_it_was() {
    let world = World::new().await;
    let wanted = campaign(image(&world).await);
    world.line.answers.lock().unwrap().push_back(Err(LineFault::TimedOut));
    let begun = world.operator.begin_campaign("ada", wanted).await.unwrap();
    world.rounds().await;
    world.operator.steer_campaign("ada", &begun.id, CampaignState::Paused).await.unwrap();
    world.clock.advance(Duration::from_secs(601));
    world.rounds().await;
    assert_eq!(ordered(&world).len(), 1);
    world.operator.steer_campaign("ada", &begun.id, CampaignState::Running).await.unwrap();
    world.clock.advance(Duration::from_secs(601));
    world.rounds().await;
    assert_eq!(ordered(&world).len(), 2);
    let done = world.operator.steer_campaign("ada", &begun.id, CampaignState::Done).await;
    assert!(matches!(done, Err(Fault::Conflict(_))));
}

#[tokio::test]
async fn the_time_of_a_pause_is_nobodys_failure() {
    let world = World::new().await;
    let begun = world.operator.begin_campaign("ada", campaign(image(&world).await)).await.unwrap();
    world.operator.steer_campaign("ada", &begun.id, CampaignState::Paused).await.unwrap();
    // more rounds than a station has tries
    for _ in 0..300 {
        world.operator.duty().await;
        world.clock.advance(Duration::from_secs(601));
    }
    assert!(ordered(&world).is_empty());
    world.line.answers.lock().unwrap().push_back(Err(LineFault::TimedOut));
    world.operator.steer_campaign("ada", &begun.id, CampaignState::Running).await.unwrap();
    world.clock.advance(Duration::from_secs(601));
    world.rounds().await;
    world.clock.advance(Duration::from_secs(601));
    world.rounds().await;
    assert_eq!(ordered(&world).len(), 2, "a first silence ends nothing");
}

#[tokio::test]
async fn a_campaign_needs_an_image_and_stations_of_its_maker() {
    let world = World::new().await;
    let nothing = world.operator.begin_campaign("ada", campaign("none".to_owned())).await;
    assert!(matches!(nothing, Err(Fault::NotFound("firmware"))));
    let firmware = image(&world).await;
    let other = charge::id::StationId::new("CP-9").unwrap();
    let these = NewCampaign { stations: Chosen::These(vec![other]), ..campaign(firmware) };
    let strange = world.operator.begin_campaign("ada", these).await;
    assert!(matches!(strange, Err(Fault::Invalid { path: "/stations", .. })));
    let new = NewFirmware {
        vendor: "Maker".to_owned(),
        model: None,
        version: "3".to_owned(),
        address: None,
        signature: None,
    };
    let empty = world.operator.add_firmware("ada", new).await.unwrap().id;
    assert!(matches!(world.operator.begin_campaign("ada", campaign(empty.clone())).await, Err(Fault::Conflict(_))));
    world.operator.attach_shelf(shelf());
    for file in ["F1", "F2"] {
        world.operator.firmware_received("ada", &empty, file.to_owned(), 1, [7; 32]).await.unwrap();
    }
    world.operator.begin_campaign("ada", campaign(empty.clone())).await.unwrap();
    let exchanged = world.operator.firmware_received("ada", &empty, "F3".to_owned(), 1, [8; 32]).await;
    assert!(matches!(exchanged, Err(Fault::Conflict(_))), "every wave gets what the first one tried out");
    let images = world.operator.firmware().await.unwrap();
    assert!(images.iter().any(|one| one.id == empty && one.file.as_deref() == Some("F2")));
}

#[tokio::test]
async fn the_address_of_an_image_closes_when_nobody_is_told_to_fetch_it_any_more() {
    let world = World::new().await;
    world.operator.attach_shelf(shelf());
    let boot = Boot { vendor: "Maker".into(), firmware: Some("1".into()), ..Boot::default() };
    world.say(FromStation::Boot(boot)).await.unwrap();
    let new = NewFirmware {
        vendor: "Maker".to_owned(),
        model: None,
        version: "2".to_owned(),
        address: None,
        signature: None,
    };
    let id = world.operator.add_firmware("ada", new).await.unwrap().id;
    world.operator.firmware_received("ada", &id, "F1".to_owned(), 1, [7; 32]).await.unwrap();
    world.operator.begin_campaign("ada", campaign(id)).await.unwrap();
    world.rounds().await;
    let told = world.line.told.lock().unwrap().last().cloned();
    let Some(ToStation::Upkeep(UpkeepOrder::Firmware { from, request, .. })) = told else { panic!("{told:?}") };
    let secret = from.expose().rsplit('/').next().unwrap().to_owned();
    assert!(world.operator.firmware_expected(&secret).await.is_ok());
    world.clock.advance(Duration::from_secs(3_600));
    world.say(progress(request, "Installed")).await.unwrap();
    world.rounds().await;
    assert!(world.operator.firmware_expected(&secret).await.is_ok(), "it may be fetched again");
    world.clock.advance(Duration::from_secs(49 * 3_600));
    assert!(matches!(world.operator.firmware_expected(&secret).await, Err(Fault::NotFound(_))));
}
