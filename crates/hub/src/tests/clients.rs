//! Who is told of whom, when, and how often.

use charge::Clock;
use charge::talk::road::{ClientNews, ClientStatus};

use super::*;

/// What is to be told now, as `receiver party status`, in the order of the receivers; all of it is heard.
async fn told(world: &World) -> Vec<String> {
    let news = world.hub.client_news().await.unwrap();
    let mut lines = Vec::new();
    for ClientNews { number, tries, to, client } in news {
        lines.push(format!("{to} {} {}", client.party, client.status.as_str()));
        world.hub.client_told(number, tries, true).await.unwrap();
    }
    lines.sort();
    lines
}

async fn later(world: &World, seconds: u64) {
    world.clock.advance(Duration::from_secs(seconds));
    world.hub.duty().await.unwrap();
}

async fn suspend(world: &World, suspended: bool) {
    world.hub.suspend("anna", party("DE-OPB"), suspended).await.unwrap();
}

#[tokio::test]
async fn whoever_is_connected_is_told_once_of_every_other_partys_change() {
    let world = world().await;
    let first = told(&world).await;
    assert!(first.contains(&"DE-8AA DE-8BB CONNECTED".to_owned()), "{first:?}");
    assert!(!first.iter().any(|line| line.starts_with("DE-8CC")), "who is suspended hears nothing");
    assert!(told(&world).await.is_empty());

    later(&world, 10).await;
    suspend(&world, true).await;
    let all = ["DE-8AA", "DE-8BB", "DE-OPA"];
    assert_eq!(told(&world).await, all.map(|to| format!("{to} DE-OPB SUSPENDED")));
    suspend(&world, true).await;
    assert!(told(&world).await.is_empty(), "nothing has changed");
    later(&world, 10).await;
    suspend(&world, false).await;
    later(&world, 10).await;
    suspend(&world, true).await;
    assert_eq!(told(&world).await, all.map(|to| format!("{to} DE-OPB SUSPENDED")), "what holds now, and not what held");

    later(&world, 10).await;
    world.hub.left(party("DE-OPA")).await.unwrap();
    assert_eq!(told(&world).await, ["DE-8AA DE-OPA PLANNED", "DE-8BB DE-OPA PLANNED"]);
    world.hub.joined(party("DE-OPA")).await.unwrap();
    assert_eq!(told(&world).await, ["DE-8AA DE-OPA CONNECTED", "DE-8BB DE-OPA CONNECTED"]);
}

#[tokio::test]
async fn a_change_is_found_by_the_time_of_the_change() {
    let world = world().await;
    later(&world, 100).await;
    let since = world.clock.now();
    suspend(&world, true).await;
    world.route("DE-OPA", "DE-HUB", Errand::MayCharge { token: token(UID) }).await.unwrap_err();
    later(&world, 100).await;
    let wish = PageWish { changed_since: Some(since), limit: 10, ..PageWish::default() };
    let page = world.hub.clients(party("DE-8AA"), wish).await.unwrap();
    let found: Vec<_> = page.items.iter().map(|client| (client.party, client.status, client.last_updated)).collect();
    assert_eq!(found, [(party("DE-OPB"), ClientStatus::Suspended, since)], "a letter is no change");
}

#[tokio::test]
async fn who_cannot_be_reached_three_times_is_offline_until_a_sign_of_life() {
    let world = world().await;
    told(&world).await;
    let letter = envelope("DE-OPA", "DE-8AA", Errand::Cdr);
    let fails = |fate| world.hub.fared(&letter, party("DE-8AA"), fate);
    for fate in [Fate::Unreachable, Fate::Silent] {
        fails(fate);
        later(&world, 1).await;
        assert!(told(&world).await.is_empty());
    }
    fails(Fate::Unreachable);
    later(&world, 1).await;
    let away = ["DE-8BB DE-8AA OFFLINE", "DE-OPA DE-8AA OFFLINE", "DE-OPB DE-8AA OFFLINE"];
    assert_eq!(told(&world).await, away);
    later(&world, 300).await;
    let quiet = world.hub.quiet().await.unwrap();
    assert!(quiet.contains(&party("DE-8AA")) || world.hub.quiet().await.unwrap().is_empty());
    world.hub.alive(party("DE-8AA"), true);
    later(&world, 1).await;
    assert_eq!(told(&world).await.len(), 3);
    let everybody = PageWish { limit: 10, ..PageWish::default() };
    let page = world.hub.clients(party("DE-8BB"), everybody).await.unwrap();
    assert!(page.items.iter().any(|c| c.party == party("DE-8AA") && c.status == ClientStatus::Connected));
}

#[tokio::test]
async fn what_was_not_heard_is_told_again_after_growing_pauses_and_at_last_no_more() {
    let world = world().await;
    told(&world).await;
    later(&world, 10).await;
    suspend(&world, true).await;
    let taken = world.hub.client_news().await.unwrap();
    assert_eq!(taken.len(), 3);
    assert!(world.hub.client_news().await.unwrap().is_empty(), "it is being told");
    later(&world, 61).await;
    let again = world.hub.client_news().await.unwrap();
    assert_eq!(again.iter().map(|news| news.tries).collect::<Vec<_>>(), [2, 2, 2], "whoever took it has gone");
    for news in &again[1..] {
        world.hub.client_told(news.number, news.tries, true).await.unwrap();
    }
    let mut rounds = 0;
    let mut news = again[0].clone();
    loop {
        world.hub.client_told(news.number, news.tries, false).await.unwrap();
        assert!(world.hub.client_news().await.unwrap().is_empty(), "not at once");
        later(&world, 4_000).await;
        match world.hub.client_news().await.unwrap().pop() {
            Some(next) => news = next,
            None => break,
        }
        rounds += 1;
    }
    assert_eq!((rounds, news.tries), (6, 8));

    world.hub.suspend("anna", party("DE-OPB"), false).await.unwrap();
    assert_eq!(told(&world).await.len(), 3, "the next change is told to everybody again");
}
