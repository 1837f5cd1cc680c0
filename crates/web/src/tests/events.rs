//! Live events: ids, to those who may hear them.

use std::time::Duration;

use ::hub::{PartyStatus, Role as HubRole};
use axum::body::BodyDataStream;
use charge::Clock;
use charge::place::EvseStatus;
use charge::record::SessionStatus;
use charge::talk::road::Question;
use futures_util::StreamExt;

use super::world::{HUB, PROVIDER, location, party};
use super::*;
use crate::permission::Role;

/// Long enough for a slow machine; an event takes a moment.
const PATIENCE: Duration = Duration::from_secs(20);

async fn listen(world: &World, path: &str, cookie: &str) -> BodyDataStream {
    let answer = get(path).by(cookie).open(&world.router).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    answer.into_body().into_data_stream()
}

async fn next(stream: &mut BodyDataStream) -> String {
    let chunk = tokio::time::timeout(PATIENCE, stream.next()).await.expect("an event comes").unwrap().unwrap();
    String::from_utf8(chunk.to_vec()).unwrap()
}

#[tokio::test]
async fn a_change_reaches_the_page_as_an_id() {
    let world = World::new().await;
    let viewer = world.sign_in(HUB, Role::Viewer, "vic", None).await;
    let mut stream = listen(&world, "/api/p/hub/events", &viewer).await;
    world.hub.register_party(party("DE-OPB"), HubRole::Operator, "B", PartyStatus::Connected).await.unwrap();
    assert_eq!(next(&mut stream).await, "event: party\ndata: {\"id\":\"DE-OPB\"}\n\n");
}

#[tokio::test]
async fn a_driver_hears_of_their_own_sessions_and_of_places() {
    let world = World::new().await;
    let (_, ada) = world.driver_with_a_trip("ada").await;
    let other = world.driver("bob").await;
    let bob = world.sign_in(PROVIDER, Role::Driver, "bob", Some(&other)).await;
    let clerk = world.sign_in(PROVIDER, Role::Viewer, "vic", None).await;
    let mut adas = listen(&world, "/api/p/erste-fahrt/driver/events", &ada).await;
    let mut bobs = listen(&world, "/api/p/erste-fahrt/driver/events", &bob).await;
    let mut clerks = listen(&world, "/api/p/erste-fahrt/events", &clerk).await;
    let token = world.tap().await;
    world.session(&token, ("S2", world.clock.now()), 0, SessionStatus::Active).await;
    world.hear(Question::PutLocation(Box::new(location(EvseStatus::Charging)))).await;
    assert_eq!(next(&mut adas).await, "event: session\ndata: {\"id\":\"2\"}\n\n");
    assert_eq!(next(&mut clerks).await, "event: session\ndata: {\"id\":\"2\"}\n\n");
    assert_eq!(next(&mut bobs).await, "event: place\ndata: {\"id\":\"L1\"}\n\n", "the session is none of his business");
}

#[tokio::test]
async fn one_person_opens_a_bounded_number_of_streams() {
    let world = World::new().await;
    let viewer = world.sign_in(HUB, Role::Viewer, "vic", None).await;
    let admin = world.sign_in(HUB, Role::Admin, "ada", None).await;
    let mut held = Vec::new();
    for _ in 0..crate::events::STREAMS_PER_ACTOR_MAX {
        held.push(listen(&world, "/api/p/hub/events", &viewer).await);
    }
    let one_more = get("/api/p/hub/events").by(&viewer).send(&world.router).await;
    assert_eq!((one_more.fault().0, one_more.header("retry-after")), (429, "15"));
    held.push(listen(&world, "/api/p/hub/events", &admin).await);
    drop(held.remove(0));
    held.push(listen(&world, "/api/p/hub/events", &viewer).await);
}
