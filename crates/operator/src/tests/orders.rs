//! Orders of the operator's own people: told as they went, and audited without secrets.

use charge::Secret;
use charge::talk::line::{LineFault, ResetKind, Setting, StationAnswer, ToStation, Written};
use charge::token::Allowed;

use super::world::{CARD, World, at, card, no, station};
use crate::order::{Outcome, StationOrder};
use crate::service::Fault;

#[tokio::test]
async fn an_order_is_told_as_it_went_and_audited() {
    let world = World::new().await;
    let answers = [
        Ok(StationAnswer::Accepted),
        Err(LineFault::TimedOut),
        Ok(StationAnswer::Written(vec![("AuthorizationKey".into(), Written::Accepted)])),
    ];
    world.line.answers.lock().unwrap().extend(answers);
    let reset = StationOrder::Reset(ResetKind::Soft);
    assert_eq!(world.operator.order("ada", &station(), reset.clone()).await.unwrap().outcome, Outcome::Accepted);
    let late = world.operator.order("ada", &station(), reset).await.unwrap();
    assert_eq!(late.outcome, Outcome::TimedOut);
    assert!(late.message.contains("may still act"), "{}", late.message);
    let values = vec![("AuthorizationKey".into(), Secret::new("hunter2hunter2hunter2".into()))];
    world.operator.order("ada", &station(), StationOrder::WriteSettings { values }).await.unwrap();
    let audit = world.operator.audit(10).await.unwrap();
    assert_eq!(audit[0].subject, "CP-1 AuthorizationKey");
    assert!(audit.iter().all(|line| line.actor == "ada"));
    let dump = world.dump().await;
    assert!(!String::from_utf8_lossy(&dump).contains("hunter2"));
}

#[tokio::test]
async fn settings_that_were_read_are_shown_and_secrets_are_not_kept() {
    let world = World::new().await;
    let setting = |key: &str, value: &str| Setting { key: key.into(), value: Some(value.into()), read_only: false };
    let known = vec![setting("HeartbeatInterval", "300"), setting("AuthorizationKey", "4F8A21C09E77D3B65544")];
    world.line.answers.lock().unwrap().push_back(Ok(StationAnswer::Settings { known, unknown: Vec::new() }));
    world.operator.order("ada", &station(), StationOrder::ReadSettings { keys: Vec::new() }).await.unwrap();
    let page = world.operator.station(&station()).await.unwrap();
    assert_eq!(page.settings.len(), 2);
    assert_eq!(page.settings[0].value, None, "AuthorizationKey");
    assert_eq!(page.settings[1].value.as_deref(), Some("300"));
}

#[tokio::test]
async fn a_service_session_is_billed_to_nobody_else() {
    let world = World::new().await;
    let started =
        world.operator.order("ada", &station(), StationOrder::Start { evse: no(), profile: None }).await.unwrap();
    assert_eq!(started.outcome, Outcome::Accepted);
    let (number, allowed) = world.start(world.alias(), 1_000).await;
    assert_eq!(allowed, Allowed::Yes);
    let session = world.only_session().await.card.id;
    let stop = StationOrder::Stop { session };
    world.operator.order("ada", &station(), stop.clone()).await.unwrap();
    assert!(matches!(world.line.told.lock().unwrap().last(), Some(ToStation::Stop { .. })));
    world.clock.set(at(5));
    world.stop(number, 1_500, Vec::new()).await;
    world.rounds().await;
    assert!(world.told_cdrs().is_empty() && world.told_sessions().is_empty());
    assert!(world.only_session().await.card.cdr.is_some());
    assert!(matches!(world.operator.order("ada", &station(), stop).await, Err(Fault::Conflict(_))));
}

#[tokio::test]
async fn a_station_that_is_not_there_cannot_be_ordered() {
    let world = World::new().await;
    world.start(card(CARD), 1_000).await;
    let nobody = charge::id::StationId::new("CP-9").unwrap();
    let told = world.operator.order("ada", &nobody, StationOrder::ClearCache).await;
    assert_eq!(told, Err(Fault::NotFound("station")));
}
