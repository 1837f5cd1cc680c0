//! A hub tells its parties who is there, and asks the quiet for a sign of life.

use super::*;

fn about(status: ClientStatus) -> ClientInfo {
    let last_updated = charge::Timestamp::from_secs(1_790_000_000);
    ClientInfo { party: party("DE-OPA"), role: "CPO".into(), status, last_updated }
}

/// Waits for what tasks of their own bring.
async fn soon<T>(what: impl Fn() -> Option<T>) -> T {
    loop {
        if let Some(found) = what() {
            return found;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_change_is_put_to_the_receiver_which_gives_it_back_and_routed_by_no_header() {
    let world = World::new().await;
    let (crossing, _) = world.hub.inside.as_ref().unwrap();
    let nobody = party("DE-NIX");
    let news = |number, to, status| ClientNews { number, tries: 1, to, client: about(status) };
    *world.office.news.lock().unwrap() =
        vec![news(1, world.a.party, ClientStatus::Suspended), news(2, nobody, ClientStatus::Suspended)];
    crossing.duty().await.unwrap();
    let mut told = soon(|| Some(world.office.told.lock().unwrap().clone()).filter(|told| told.len() == 2)).await;
    told.sort_unstable();
    assert_eq!(told, [(1, true), (2, true)], "whom no road of OCPI leads to has nothing to hear");
    let seen = world.a.seen();
    let put = seen.iter().find(|seen| seen.path.contains("hubclientinfo")).unwrap();
    assert!(put.path.ends_with("/hubclientinfo/DE/OPA"), "{}", put.path);
    assert!(!put.headers.keys().any(|name| name.as_str().starts_with("ocpi-")), "{:?}", put.headers);
    let url = format!("{}/ocpi/2.2.1/receiver/hubclientinfo/DE/OPA", world.a.base);
    let token = secret(world.hub.party, world.a.party);
    let (http, code, kept) = world.raw("GET", &url, token.expose(), None).await;
    assert_eq!((http, code, &kept["data"]["status"]), (200, Some(1000), &"SUSPENDED".into()));
}

#[tokio::test]
async fn a_receiver_that_is_away_is_told_of_as_not_heard_and_gives_no_sign() {
    let world = World::new().await;
    let (crossing, _) = world.hub.inside.as_ref().unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let peer = Peer {
        party: party("DE-8BB"),
        name: "B".to_owned(),
        versions_url: format!("https://{gone}/ocpi/versions"),
        token_out: Secret::new("t".to_owned()),
        tls: Arc::clone(&world.tls),
    };
    world.hub.peers.know(Arc::new(Neighbour::new(peer, RoadLimits::FORWARD, Arc::new(SystemDice)).unwrap()));
    let to = world.b.party;
    *world.office.news.lock().unwrap() =
        vec![ClientNews { number: 7, tries: 1, to, client: about(ClientStatus::Offline) }];
    *world.office.quiet.lock().unwrap() = vec![world.a.party, world.b.party];
    crossing.duty().await.unwrap();
    let mut alive = soon(|| Some(world.office.alive.lock().unwrap().clone()).filter(|alive| alive.len() == 2)).await;
    alive.sort_unstable();
    assert_eq!(alive, [(world.a.party, true), (world.b.party, false)]);
    assert_eq!(soon(|| world.office.told.lock().unwrap().first().copied()).await, (7, false));
}

#[tokio::test]
async fn whoever_withdraws_has_left_the_network() {
    let world = World::new().await;
    let url = format!("{}/ocpi/2.2.1/credentials", world.hub.base);
    let token = secret(world.a.party, world.hub.party);
    assert_eq!(world.raw("DELETE", &url, token.expose(), None).await.0, 200);
    assert_eq!(*world.office.left.lock().unwrap(), [world.a.party]);
}
