//! Many connects at once, several for each identity.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use super::world::{PASSWORD, Seen, World, id, soon, until};
use crate::line::Options;

const IDENTITIES: usize = 100;
const CONNECTS_EACH: usize = 4;

/// The race of a registry that takes out and puts in separately leaves more sockets alive than seats (D7 of the
/// handbook's page on crates).
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_a_storm_every_identity_has_one_live_socket_and_one_seat() {
    let world = Arc::new(World::new());
    let server = Arc::new(world.server(Options::default()));
    let connects = (0..CONNECTS_EACH * IDENTITIES).map(|number| {
        let (world, server) = (Arc::clone(&world), Arc::clone(&server));
        tokio::spawn(async move {
            let name = format!("S{}", number % IDENTITIES);
            let path = format!("/ocpp/{name}");
            let come = world.knock(&server, &path, &["ocpp1.6"], Some((&name, PASSWORD)), None);
            // whoever was evicted before its upgrade sees its connection end
            let client = come.await.ok().map(|(client, _response)| client);
            client.map(|client| (name, client))
        })
    });
    let clients: Vec<_> = join_all(connects).await.into_iter().filter_map(|client| client.unwrap()).collect();
    assert!(clients.len() >= IDENTITIES);
    // the evicted ones end, while all clients keep their ends open
    until(|| server.figures().sockets == IDENTITIES as u64).await;
    assert_eq!(server.figures().stations, IDENTITIES as u64);

    let live = clients.into_iter().map(|(name, mut client)| async move {
        client.send(Message::text(r#"[2,"1","Heartbeat",{}]"#)).await.ok()?;
        loop {
            match client.next().await?.ok()? {
                Message::Text(_) => return Some((name, client)),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    });
    let live: Vec<_> = soon(join_all(live)).await.into_iter().flatten().collect();
    assert_eq!(live.len(), IDENTITIES);
    assert_eq!(live.iter().map(|(name, _)| name).collect::<HashSet<_>>().len(), IDENTITIES);
    let line = server.line();
    assert!((0..IDENTITIES).all(|number| line.connected(&id(&format!("S{number}")))));
    let arrived = world.desk.count(|seen| matches!(seen, Seen::Arrived(..)));
    let left = world.desk.count(|seen| matches!(seen, Seen::Left(..)));
    assert_eq!(arrived - left, IDENTITIES);

    drop(live);
    until(|| server.figures().sockets == 0).await;
    assert_eq!(server.figures().stations, 0);
}
