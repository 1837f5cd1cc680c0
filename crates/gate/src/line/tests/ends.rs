//! Both ends of the line together: our station's and our operator's.

use std::sync::Arc;
use std::time::Duration;

use charge::talk::line::{
    Boot, FromStation, Heard, LineFault, Pole, ResetKind, StationAnswer, Tap, ToStation, Version,
};
use charge::token::{PresentedToken, TokenKind, TokenUid};

use super::world::{Seen, TestPole, World, clock, dice, id, soon, until};
use crate::line::{DialError, Dialled, Options, dial};

const BOTH: [Version; 2] = [Version::V16, Version::V201];

fn boot() -> FromStation {
    FromStation::Boot(Boot { vendor: "V".into(), model: "M".into(), ..Boot::default() })
}

fn tap() -> FromStation {
    let token = PresentedToken::new(TokenUid::new("04A2B3C4").unwrap(), TokenKind::Rfid);
    FromStation::Tap(Tap { token, contract: None })
}

fn dialled(world: &World, port: std::net::SocketAddr, name: &str, offer: &[Version]) -> (Dialled, Arc<TestPole>) {
    let pole = Arc::new(TestPole::default());
    let line = dial(world.dial(port, name, offer), Arc::clone(&pole) as Arc<dyn Pole>, clock(), dice());
    (line.unwrap(), pole)
}

#[tokio::test]
async fn a_station_boots_lives_taps_and_obeys_in_both_versions() {
    for version in BOTH {
        let world = World::new();
        let server = world.server(Options::default());
        let (line, pole) = dialled(&world, server.local_addr(), "RPC 001ü", &[version]);
        pole.until_up(1).await;
        assert_eq!(*pole.up.borrow(), Some(version));
        let uplink = line.uplink();
        let booted = soon(uplink.say(boot())).await;
        assert!(
            matches!(booted, Ok(Heard::Boot { interval, .. }) if interval == Duration::from_secs(300)),
            "{booted:?}"
        );
        assert!(matches!(soon(uplink.say(FromStation::Alive)).await, Ok(Heard::Alive { .. })));
        assert!(matches!(soon(uplink.say(tap())).await, Ok(Heard::Tap(_))));
        let told = soon(server.line().tell(&id("RPC 001ü"), ToStation::Reset(ResetKind::Soft))).await;
        assert_eq!(told, Ok(StationAnswer::Accepted));
        assert_eq!(*pole.told.lock().unwrap(), ["Reset(Soft)"]);
        soon(line.stop()).await;
        world
            .desk
            .until(|seen| seen.iter().any(|one| matches!(one, Seen::Left(_, _, why) if why.contains("1001"))))
            .await;
        assert_eq!(soon(uplink.say(FromStation::Alive)).await, Err(LineFault::NotConnected));
    }
}

#[tokio::test]
async fn of_two_versions_the_newer_is_spoken() {
    let world = World::new();
    let server = world.server(Options::default());
    let (_line, pole) = dialled(&world, server.local_addr(), "A", &BOTH);
    pole.until_up(1).await;
    assert_eq!(*pole.up.borrow(), Some(Version::V201));
}

#[tokio::test]
async fn an_order_crosses_a_message_under_way() {
    let world = World::new();
    let server = world.server(Options::default());
    let (line, pole) = dialled(&world, server.local_addr(), "SLOW", &[Version::V201]);
    pole.until_up(1).await;
    let uplink = line.uplink();
    let tapped = tokio::spawn(async move { uplink.say(tap()).await });
    world.desk.until(|seen| seen.contains(&Seen::Heard(id("SLOW"), "tap"))).await;
    let told = soon(server.line().tell(&id("SLOW"), ToStation::ClearCache)).await;
    assert_eq!(told, Ok(StationAnswer::Accepted));
    assert!(!tapped.is_finished());
    world.desk.permits.add_permits(1);
    assert!(matches!(soon(tapped).await.unwrap(), Ok(Heard::Tap(_))));
}

#[tokio::test]
async fn an_outage_loses_what_is_under_way_and_ends_with_a_new_line() {
    let world = World::new();
    let server = world.server(Options::default());
    let (line, pole) = dialled(&world, server.local_addr(), "SLOW", &[Version::V16]);
    pole.until_up(1).await;
    let uplink = line.uplink();
    let tapped = tokio::spawn({
        let uplink = line.uplink();
        async move { uplink.say(tap()).await }
    });
    world.desk.until(|seen| seen.contains(&Seen::Heard(id("SLOW"), "tap"))).await;
    line.drop_line();
    assert_eq!(soon(tapped).await.unwrap(), Err(LineFault::Lost));
    pole.until_down().await;
    assert_eq!(soon(uplink.say(FromStation::Alive)).await, Err(LineFault::NotConnected));
    world.desk.permits.add_permits(1);
    world.desk.until(|seen| seen.iter().any(|one| matches!(one, Seen::Left(..)))).await;
    until(|| server.figures().stations == 0).await;
    assert_eq!(*pole.ups.borrow(), 1);
    line.restore_line();
    pole.until_up(2).await;
    assert!(matches!(soon(uplink.say(FromStation::Alive)).await, Ok(Heard::Alive { .. })));
}

#[tokio::test]
async fn a_station_finds_its_operator_again_after_a_restart() {
    let world = World::new();
    let server = world.server(Options::default());
    let address = server.local_addr();
    let (line, pole) = dialled(&world, address, "A", &[Version::V201]);
    pole.until_up(1).await;
    soon(server.stop()).await;
    pole.until_down().await;
    let _again = world.server_at(address, Options::default());
    pole.until_up(2).await;
    assert!(matches!(soon(line.uplink().say(FromStation::Alive)).await, Ok(Heard::Alive { .. })));
}

#[tokio::test]
async fn a_station_that_is_sent_elsewhere_goes_there_and_counts_its_tries() {
    let world = World::new();
    let (first, second) = (world.server(Options::default()), world.server(Options::default()));
    let (line, pole) = dialled(&world, first.local_addr(), "A", &[Version::V201]);
    pole.until_up(1).await;
    let mut in_vain = line.in_vain();
    // nobody listens there
    line.redial(world.dial("127.0.0.1:1".parse().unwrap(), "A", &[Version::V201])).unwrap();
    pole.until_down().await;
    soon(in_vain.wait_for(|tries| *tries >= 2)).await.unwrap();
    line.redial(world.dial(second.local_addr(), "A", &[Version::V201])).unwrap();
    pole.until_up(2).await;
    until(|| first.figures().stations == 0 && second.figures().stations == 1).await;
    assert_eq!(*in_vain.borrow(), 0);
    assert!(matches!(soon(line.uplink().say(FromStation::Alive)).await, Ok(Heard::Alive { .. })));
}

#[tokio::test]
async fn what_cannot_be_dialled_is_said_at_once() {
    let world = World::new();
    let good = world.dial("127.0.0.1:1".parse().unwrap(), "A", &BOTH);
    let pole = || Arc::new(TestPole::default()) as Arc<dyn Pole>;
    for (bad, error) in [
        (crate::line::Dial { url: "csms.example/ocpp/A".into(), ..good.clone() }, DialError::Address),
        (crate::line::Dial { url: "https://csms.example/ocpp/A".into(), ..good.clone() }, DialError::Address),
        (crate::line::Dial { tls: None, ..good.clone() }, DialError::NoTls),
        (crate::line::Dial { offer: Vec::new(), ..good.clone() }, DialError::NoVersion),
        (
            crate::line::Dial { basic: Some(("a:b".into(), charge::Secret::new(Vec::new()))), ..good.clone() },
            DialError::Credentials,
        ),
    ] {
        let said = dial(bad, pole(), clock(), dice()).err().unwrap();
        assert_eq!(std::mem::discriminant(&said), std::mem::discriminant(&error), "{said}");
    }
}
