//! Knocks: who is refused, with which status, and what the technician reads.

use charge::talk::line::{BayState, Boot, Denial, Desk, FromStation, Heard, Knock, Refusal};

use super::world::{World, at, no, station};
use crate::view::{LogFilter, StationFilter};

#[tokio::test]
async fn each_refused_knock_leaves_its_reason() {
    let world = World::new().await;
    let key = world.key.clone().unwrap();
    assert_eq!(world.refused(world.knock("CP-9", key.expose())).await, Refusal::UnknownStation);
    assert_eq!(world.refused(world.knock("CP-1", "wrong")).await, Refusal::NotProven("wrong password"));
    let mut plain = world.knock("CP-1", key.expose());
    plain.encrypted = false;
    assert_eq!(world.refused(plain).await, Refusal::NotProven("plain ws"));
    let mut silent = world.knock("CP-1", key.expose());
    silent.offered.clear();
    assert_eq!(world.refused(silent).await, Refusal::NoCommonVersion);
    world.operator.retire_station("ada", &station()).await.unwrap();
    assert_eq!(world.refused(world.knock("CP-1", key.expose())).await, Refusal::Blocked);

    let refusals = world.operator.refusals(10).await.unwrap();
    let told: Vec<_> = refusals.iter().map(|knock| (knock.status, knock.reason.as_str())).collect();
    let wanted = [
        (403, "retired"),
        (400, "no Sec-WebSocket-Protocol"),
        (401, "not encrypted"),
        (401, "the key is not the one"),
        (404, "no station is enrolled"),
    ];
    assert_eq!(told.len(), wanted.len(), "{told:?}");
    for ((status, reason), (code, words)) in told.into_iter().zip(wanted) {
        assert_eq!(status, code);
        assert!(reason.contains(words), "{reason}");
    }
    assert!(refusals.iter().all(|knock| !knock.reason.contains(key.expose().as_str())));
}

#[tokio::test]
async fn the_right_key_opens_in_any_letter_case_of_the_identity() {
    let world = World::new().await;
    let key = world.key.clone().unwrap();
    let entry = world.operator.admit(world.knock("cp-1", key.expose())).await.unwrap();
    assert_eq!(entry.station, station());
    let fresh = world.operator.rotate_key("ada", &station()).await.unwrap();
    assert_eq!(world.refused(world.knock("CP-1", key.expose())).await, Refusal::NotProven("wrong password"));
    assert!(world.operator.admit(world.knock("CP-1", fresh.expose())).await.is_ok());
}

#[tokio::test]
async fn a_station_in_a_boot_loop_waits_and_is_served_again() {
    let world = World::new().await;
    let mut admitted = Vec::new();
    for _ in 0..10 {
        match world.say(FromStation::Boot(Boot::default())).await.unwrap() {
            Heard::Boot { admitted: word, .. } => admitted.push(word),
            other => panic!("{other:?}"),
        }
    }
    use charge::talk::line::Admission;
    assert_eq!(admitted.last(), Some(&Admission::Pending));
    assert_eq!(world.say(FromStation::Alive).await, Err(Denial::NotAccepted));
    world.clock.advance(crate::boot::LOOP_WINDOW);
    world.clock.advance(std::time::Duration::from_secs(1));
    world.say(FromStation::Boot(Boot::default())).await.unwrap();
    assert!(world.say(FromStation::Alive).await.is_ok());
}

#[tokio::test]
async fn a_heartbeat_writes_nothing() {
    let world = World::new().await;
    let figures = world.store.figures();
    for _ in 0..100 {
        world.say(FromStation::Alive).await.unwrap();
    }
    let after = world.store.figures();
    assert_eq!(after.commits, figures.commits);
}

#[tokio::test]
async fn the_same_status_again_is_not_news() {
    let world = World::new().await;
    world.status(BayState::Faulted).await;
    world.rounds().await;
    world.road.letters.lock().unwrap().clear();
    world.status(BayState::Faulted).await;
    world.rounds().await;
    assert!(world.road.letters.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_log_is_searchable_and_late_news_of_an_old_connection_is_ignored() {
    use charge::talk::line::{ConnectionNo, Direction, LogLine};
    let world = World::new().await;
    for (action, text) in [("Heartbeat", "[2,\"1\",\"Heartbeat\",{}]"), ("Authorize", "[2,\"2\",\"Authorize\",{…}]")]
    {
        let line = LogLine {
            at: super::world::START,
            direction: Direction::FromStation,
            action: action.into(),
            text: text.into(),
            remarks: Vec::new(),
            deviations: charge::talk::line::quirk::Quirks::NONE,
        };
        world.operator.note(&station(), line);
    }
    let filter = LogFilter { query: Some("authorize".to_owned()), limit: 10, ..LogFilter::default() };
    let found = world.operator.station_log(&station(), filter).await.unwrap().entries;
    assert_eq!(found.len(), 1);
    assert_eq!(&*found[0].line.action, "Authorize");

    world.operator.left(&station(), ConnectionNo(0), "old").await;
    let listed = world.operator.stations(StationFilter::default()).await.unwrap();
    assert!(listed.items[0].connected);
    world.operator.left(&station(), ConnectionNo(1), "gone").await;
    let listed = world.operator.stations(StationFilter::default()).await.unwrap();
    assert!(!listed.items[0].connected);
}

#[tokio::test]
async fn who_comes_with_a_certificate_once_comes_with_nothing_less_again() {
    // proves: ocpp-1.6-security A05.FR.09
    let world = World::new().await;
    let id = charge::id::StationId::new("CP-9").unwrap();
    let location = super::world::location();
    let mut evse = location.evses[0].clone();
    evse.uid = charge::id::EvseUid::new("E9").unwrap();
    let new = crate::NewStation {
        id,
        location: location.id,
        bays: vec![crate::NewBay { no: no(), evse, meter_key: None }],
        profile: crate::Profile::Basic { serial: Some("SN-9".to_owned()) },
        danger_plain_ws: false,
    };
    let key = world.operator.enrol_station("ada", new).await.unwrap().unwrap();
    assert!(world.operator.admit(world.knock("CP-9", key.expose())).await.is_ok());
    let certificate = charge::talk::line::StationCertificate {
        common_name: "SN-9".to_owned(),
        organisation: None,
        fingerprint: "ab".to_owned(),
        not_after: at(100_000),
    };
    let with = Knock { basic: None, certificate: Some(certificate), ..world.knock("CP-9", key.expose()) };
    let entry = world.operator.admit(with.clone()).await.unwrap();
    assert!(world.operator.admit(world.knock("CP-9", key.expose())).await.is_ok(), "until it has arrived");
    world.operator.admit(with.clone()).await.unwrap();
    world.operator.arrived(&entry, charge::talk::line::ConnectionNo(9)).await;
    assert_eq!(world.refused(world.knock("CP-9", key.expose())).await, Refusal::NotProven("no client certificate"));
    assert!(world.operator.admit(with).await.is_ok());
}
