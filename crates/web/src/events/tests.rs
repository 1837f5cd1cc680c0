#![allow(clippy::unwrap_used, reason = "a test may panic")]

use charge::clock::{ManualClock, SeededDice};
use charge::{Clock, Timestamp};
use futures_util::StreamExt;
use store::Store;
use tokio::sync::broadcast;

use super::*;
use crate::accounts::NewUser;
use crate::permission::Role;

/// Long enough for a slow machine; a look takes a moment.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(5);

async fn signed_in() -> (Accounts, Actor) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000_000))) as Arc<dyn Clock>;
    let accounts = Accounts::open(Store::in_memory(&[]).unwrap(), clock, Arc::new(SeededDice::new(1))).unwrap();
    let user = NewUser { name: "ada", shown: "Ada", role: Role::Admin, driver: None };
    let password = accounts.create(user).await.unwrap();
    let cookie = accounts.sign_in("ada", password, "::1").await.unwrap();
    let actor = accounts.by_session(cookie.expose()).await.unwrap().unwrap();
    (accounts, actor)
}

fn shown(id: u32) -> Option<Change> {
    Some(Change { kind: "place", id: id.to_string() })
}

#[tokio::test]
async fn a_stream_ends_with_the_session_that_opened_it() {
    let (accounts, actor) = signed_in().await;
    let seats = Seats::default();
    let seat = seats.take(actor.clone(), accounts.clone()).unwrap();
    let (sender, feed) = broadcast::channel(4);
    let mut stream = Box::pin(changes(seat, LOOK_EVERY, feed, shown));
    sender.send(1).unwrap();
    assert!(stream.next().await.is_some());
    accounts.sign_out(&actor).await.unwrap();
    let end = tokio::time::timeout(PATIENCE, stream.next()).await.expect("the look comes");
    assert!(end.is_none());
    drop(stream);
    assert!(seats.0.lock().unwrap().is_empty(), "the seat is given back");
}

#[tokio::test]
async fn a_stream_ends_with_the_key_that_opened_it() {
    let (accounts, ada) = signed_in().await;
    let (id, secret) = accounts.create_key(Some(&ada), "plant", &["stations:read".into()], None).await.unwrap();
    let program = accounts.by_key(secret.expose()).await.unwrap().unwrap();
    let (_sender, feed) = broadcast::channel(4);
    let seat = Seats::default().take(program, accounts.clone()).unwrap();
    let mut stream = Box::pin(changes(seat, LOOK_EVERY, feed, shown));
    accounts.drop_key(id).await.unwrap();
    assert!(tokio::time::timeout(PATIENCE, stream.next()).await.expect("the look comes").is_none());
}

#[tokio::test]
async fn nobody_holds_more_seats_than_there_are_for_one() {
    let (accounts, ada) = signed_in().await;
    let (_, secret) = accounts.create_key(Some(&ada), "plant", &["stations:read".into()], None).await.unwrap();
    let program = accounts.by_key(secret.expose()).await.unwrap().unwrap();
    let seats = Seats::default();
    let take = |actor: &Actor| seats.take(actor.clone(), accounts.clone());
    let mut held: Vec<Seat> = (0..STREAMS_PER_ACTOR_MAX).map(|_| take(&ada).ok().unwrap()).collect();
    assert!(matches!(take(&ada), Err(Fault::TooMany { .. })));
    assert!(take(&program).is_ok(), "a key has seats of its own");
    held.pop();
    assert!(take(&ada).is_ok(), "a seat that was given back is free");
}
