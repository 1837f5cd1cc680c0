//! Second back-ends: dialled as the station, over TLS alone, and not in our own network unless that was declared.

use std::sync::Arc;

use charge::Soon;
use charge::talk::line::second::{SecondCall, SecondDoor};
use charge::talk::line::{Boot, FromStation, Heard, Pole, StationAnswer, ToStation, Version};
use tokio::sync::watch;

use super::world::{PASSWORD, World, clock, dice, id, soon};
use crate::line::{Options, Seconds};

/// Remembers how it went.
struct Went(watch::Sender<Option<Result<Version, String>>>);

impl Pole for Went {
    fn told(&self, _order: ToStation) -> Soon<'_, StationAnswer> {
        Box::pin(async { StationAnswer::Accepted })
    }

    fn line_up(&self, version: Version) {
        self.0.send_replace(Some(Ok(version)));
    }

    fn line_down(&self, _why: &str) {}

    fn unreached(&self, why: &str) {
        self.0.send_replace(Some(Err(why.to_owned())));
    }
}

fn call(world: &World, address: String, local: bool) -> SecondCall {
    SecondCall {
        address: address.into(),
        station: id("RPC 001ü"),
        version: Version::V201,
        password: Some(charge::Secret::new(std::str::from_utf8(PASSWORD).unwrap().into())),
        identity: None,
        roots: world.server_roots().into(),
        local,
    }
}

#[tokio::test]
async fn a_second_back_end_is_called_as_the_station_and_inner_addresses_only_where_declared() {
    let world = World::new();
    let server = world.server(Options::default());
    let port = server.local_addr().port();
    let door = Seconds::new(clock(), dice());
    for (host, local) in [("localhost", true), ("localhost", false), ("127.0.0.1", false)] {
        let pole = Arc::new(Went(watch::Sender::new(None)));
        let mut went = pole.0.subscribe();
        let call = call(&world, format!("wss://{host}:{port}/ocpp/"), local);
        let line = door.dial(call, pole).unwrap();
        let came = soon(went.wait_for(Option::is_some)).await.unwrap().clone().unwrap();
        if local {
            assert_eq!(came, Ok(Version::V201));
            let booted = soon(line.uplink().say(FromStation::Boot(Boot::default()))).await;
            assert!(matches!(booted, Ok(Heard::Boot { .. })), "{booted:?}");
        } else {
            assert_eq!(came, Err("the name has no public address".to_owned()), "{host}");
        }
    }
    let plain = call(&world, format!("ws://localhost:{port}"), true);
    let pole = Arc::new(Went(watch::Sender::new(None)));
    assert!(door.dial(plain, pole).is_err(), "never without TLS");
}
