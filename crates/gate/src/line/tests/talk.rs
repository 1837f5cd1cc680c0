//! What happens on an open connection.

use std::time::Duration;

use charge::id::TransactionKey;
use charge::talk::line::{LineFault, ResetKind, StationAnswer, ToStation};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::world::{Client, Seen, World, goodbye, hear, id, say, soon, until};
use crate::line::limits::{ORDERS_WAITING_MAX, PEER_CALLS_MAX};
use crate::line::{LineServer, Options, TalkLimits};

const HEARTBEAT: &str = r#"[2,"hb","Heartbeat",{}]"#;
const BOOT: &str = r#"[2,"b","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]"#;

fn tap(message_id: &str, uid: &str) -> String {
    json!([2, message_id, "Authorize", { "idTag": uid }]).to_string()
}

fn options(talk: TalkLimits) -> Options {
    Options { talk, ..Options::default() }
}

/// Gives an order in the background.
fn told(server: &LineServer, name: &str, order: ToStation) -> JoinHandle<Result<StationAnswer, LineFault>> {
    let (line, station) = (server.line(), id(name));
    tokio::spawn(async move { soon(line.tell(&station, order)).await })
}

/// Answers the next order with `status` and gives its action.
async fn accept(client: &mut Client) -> String {
    let call: Value = serde_json::from_str(&hear(client).await).unwrap();
    assert_eq!(call[0], 2);
    say(client, &json!([3, call[1], { "status": "Accepted" }]).to_string()).await;
    call[2].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_heartbeat_is_answered_with_the_time() {
    let world = World::new();
    let server = world.server(Options::default());
    let mut station = world.station(&server, "A").await;
    say(&mut station, HEARTBEAT).await;
    let answer: Value = serde_json::from_str(&hear(&mut station).await).unwrap();
    assert_eq!((&answer[0], &answer[1]), (&json!(3), &json!("hb")));
    assert!(answer[2]["currentTime"].as_str().unwrap().starts_with("2027-01-15T08:00:00"));
    until(|| server.figures().frames_out == 1).await;
    assert_eq!(world.desk.log.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn broken_messages_are_answered_and_the_connection_stays() {
    let world = World::new();
    let server = world.server(Options::default());
    let mut station = world.station(&server, "A").await;
    let deep = format!(r#"[2,"deep","Heartbeat",{}{}]"#, "[".repeat(10_000), "]".repeat(10_000));
    for (frame, id) in [
        (r#"[2,"r1","Heartbeat",{"a":}]"#, "r1"),
        (deep.as_str(), "deep"),
        (r#"[2,"u1","Fly",{}]"#, "u1"),
        (r#"[2,"m1","Authorize",{}]"#, "m1"),
    ] {
        say(&mut station, frame).await;
        let answer: Value = serde_json::from_str(&hear(&mut station).await).unwrap();
        assert_eq!((&answer[0], &answer[1]), (&json!(4), &json!(id)), "{answer}");
        assert_eq!(answer.as_array().unwrap().len(), 5);
    }
    say(&mut station, HEARTBEAT).await;
    assert!(hear(&mut station).await.starts_with(r#"[3,"hb","#));
    assert_eq!(server.figures().arrived, 1);
}

#[tokio::test]
async fn frames_that_are_no_ocpp_end_the_connection_with_their_code() {
    let world = World::new();
    let server = world.server(Options::default());
    // compressed, as the first byte says, with an empty mask (the quirk frame H12); and text that is no UTF-8
    let compressed: &[u8] = &[0b1100_0001, 0x80, 0, 0, 0, 0];
    let not_utf8: &[u8] = &[0b1000_0001, 0x82, 0, 0, 0, 0, 0xc3, 0x28];
    let unmasked: &[u8] = &[0b1000_0001, 0x01, b'x'];
    for (bytes, code) in [(compressed, 1002), (not_utf8, 1007), (unmasked, 1002)] {
        let mut station = world.station(&server, "A").await;
        station.get_mut().write_all(bytes).await.unwrap();
        station.get_mut().flush().await.unwrap();
        assert_eq!(goodbye(&mut station).await.unwrap().0, code);
    }
    let mut station = world.station(&server, "A").await;
    station.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(goodbye(&mut station).await.unwrap().0, 1003);
    let mut station = world.station(&server, "A").await;
    let long = "x".repeat(TalkLimits::default().ocpp.frame_bytes_max + 1);
    station.send(Message::text(long)).await.unwrap();
    assert_eq!(goodbye(&mut station).await.unwrap().0, 1009);
}

#[tokio::test]
async fn the_newest_connection_wins_and_the_old_one_cannot_harm_it() {
    let world = World::new();
    let server = world.server(Options::default());
    let mut old = world.station(&server, "A").await;
    let mut new = world.station(&server, "A").await;
    let (code, why) = goodbye(&mut old).await.unwrap();
    assert_eq!(code, 1008);
    assert!(why.contains("newer connection"));
    drop(old);
    say(&mut new, HEARTBEAT).await;
    hear(&mut new).await;
    let line = server.line();
    let (station, tell) = (id("A"), line.tell(&id("A"), ToStation::ClearCache));
    let (answer, action) = tokio::join!(tell, accept(&mut new));
    assert_eq!((answer, action.as_str()), (Ok(StationAnswer::Accepted), "ClearCache"));
    assert!(line.connected(&station));
    assert_eq!(server.figures().replaced, 1);
    // the desk heard the old one leave before the new one arrived
    let order: Vec<_> = world
        .desk
        .seen
        .borrow()
        .iter()
        .filter_map(|seen| match seen {
            Seen::Arrived(_, number) => Some(("arrived", number.0)),
            Seen::Left(_, number, _) => Some(("left", number.0)),
            _ => None,
        })
        .collect();
    assert_eq!(order, [("arrived", 1), ("left", 1), ("arrived", 2)]);
}

#[tokio::test]
async fn two_orders_queue_and_the_second_goes_after_the_answer_to_the_first() {
    let world = World::new();
    let server = world.server(Options::default());
    let mut station = world.station(&server, "A").await;
    say(&mut station, HEARTBEAT).await;
    hear(&mut station).await;
    let line = server.line();
    let both = tokio::spawn(async move {
        let reset = line.tell(&id("A"), ToStation::Reset(ResetKind::Soft));
        let clear = line.tell(&id("A"), ToStation::ClearCache);
        tokio::join!(reset, clear)
    });
    let first: Value = serde_json::from_str(&hear(&mut station).await).unwrap();
    assert_eq!(first[2], "Reset");
    // the next frame is the answer to a message of its own, not the second order
    say(&mut station, HEARTBEAT).await;
    assert!(hear(&mut station).await.starts_with(r#"[3,"hb","#));
    say(&mut station, &json!([3, first[1], { "status": "Rejected" }]).to_string()).await;
    assert_eq!(accept(&mut station).await, "ClearCache");
    let (reset, clear) = soon(both).await.unwrap();
    assert_eq!(reset, Ok(StationAnswer::Refused("Rejected".into())));
    assert_eq!(clear, Ok(StationAnswer::Accepted));
}

#[tokio::test]
async fn an_order_without_an_answer_says_what_happened() {
    let mut talk = TalkLimits::default();
    talk.ocpp.call_timeout = Duration::from_millis(50);
    let world = World::new();
    let server = world.server(options(talk));
    let line = server.line();
    assert_eq!(line.tell(&id("A"), ToStation::ClearCache).await, Err(LineFault::NotConnected));
    let mut station = world.station(&server, "A").await;
    say(&mut station, HEARTBEAT).await;
    hear(&mut station).await;
    assert_eq!(soon(line.tell(&id("A"), ToStation::ClearCache)).await, Err(LineFault::TimedOut));
    hear(&mut station).await;
    let told = told(&server, "A", ToStation::Stop { key: TransactionKey::Number(7) });
    assert!(hear(&mut station).await.contains("RemoteStopTransaction"));
    drop(station);
    assert_eq!(told.await.unwrap(), Err(LineFault::Lost));
}

#[tokio::test]
async fn an_error_of_the_station_and_too_many_orders_are_told_apart() {
    let world = World::new();
    let server = world.server(Options::default());
    let line = server.line();
    let mut station = world.station(&server, "A").await;
    say(&mut station, HEARTBEAT).await;
    hear(&mut station).await;
    let told = told(&server, "A", ToStation::ClearCache);
    let call: Value = serde_json::from_str(&hear(&mut station).await).unwrap();
    // one is under way: so many may wait, and the next is refused at once
    let waiting: Vec<_> = (0..ORDERS_WAITING_MAX).map(|_| line.tell(&id("A"), ToStation::ClearCache)).collect();
    assert_eq!(line.tell(&id("A"), ToStation::ClearCache).await, Err(LineFault::Overloaded));
    drop(waiting);
    say(&mut station, &json!([4, call[1], "NotSupported", "no cache", {}]).to_string()).await;
    let error = told.await.unwrap().unwrap_err();
    assert_eq!(error, LineFault::Error { code: "NotSupported".into(), description: "no cache".into() });
    // the orders that nobody waits for are not sent
    say(&mut station, HEARTBEAT).await;
    assert!(hear(&mut station).await.starts_with(r#"[3,"hb","#));
}

#[tokio::test]
async fn nothing_goes_to_a_station_before_its_boot_answer() {
    // proves: ocpp-1.6 4.2, ocpp-2.0.1 B01; quirk 13
    let world = World::new();
    let server = world.server(Options::default());
    let mut station = world.station(&server, "SLOW").await;
    let told = told(&server, "SLOW", ToStation::ClearCache);
    say(&mut station, BOOT).await;
    world.desk.until(|seen| seen.contains(&Seen::Heard(id("SLOW"), "boot"))).await;
    // while the boot waits, a heartbeat waits behind it, and the order behind both
    say(&mut station, HEARTBEAT).await;
    world.desk.permits.add_permits(1);
    assert!(hear(&mut station).await.starts_with(r#"[3,"b","#));
    let mut rest = [hear(&mut station).await, hear(&mut station).await];
    rest.sort();
    assert!(rest[0].starts_with("[2,") && rest[0].contains("ClearCache"), "{rest:?}");
    assert!(rest[1].starts_with(r#"[3,"hb","#), "{rest:?}");
    drop(station);
    assert_eq!(told.await.unwrap(), Err(LineFault::Lost));
}

#[tokio::test]
async fn a_station_that_only_reconnects_is_told_after_its_first_word_or_the_grace() {
    let world = World::new();
    let server = world.server(options(TalkLimits { boot_grace: Duration::from_millis(20), ..TalkLimits::default() }));
    let mut silent = world.station(&server, "A").await;
    let told = told(&server, "A", ToStation::ClearCache);
    assert_eq!(accept(&mut silent).await, "ClearCache");
    assert_eq!(told.await.unwrap(), Ok(StationAnswer::Accepted));
}

#[tokio::test]
async fn messages_without_waiting_are_answered_in_their_order() {
    // the quirk frame R07, beyond what one connection may have unanswered: the door reads no further, and loses none
    let world = World::new();
    let server = world.server(Options::default());
    let mut station = world.station(&server, "SLOW").await;
    for number in 0..30 {
        say(&mut station, &tap(&number.to_string(), "04A2")).await;
    }
    let read = || server.figures().frames_in;
    until(|| read() >= PEER_CALLS_MAX as u64).await;
    assert_eq!(read(), PEER_CALLS_MAX as u64);
    assert_eq!(world.desk.count(|seen| matches!(seen, Seen::Heard(..))), 1);
    world.desk.permits.add_permits(30);
    for number in 0..30 {
        let answer: Value = serde_json::from_str(&hear(&mut station).await).unwrap();
        assert_eq!((&answer[0], &answer[1]), (&json!(3), &json!(number.to_string())));
    }
}

#[tokio::test]
async fn an_order_is_answered_while_a_message_waits() {
    let world = World::new();
    let server = world.server(Options::default());
    let mut station = world.station(&server, "SLOW").await;
    say(&mut station, &tap("t", "04A2")).await;
    let told = told(&server, "SLOW", ToStation::ClearCache);
    assert_eq!(accept(&mut station).await, "ClearCache");
    assert_eq!(told.await.unwrap(), Ok(StationAnswer::Accepted));
    world.desk.permits.add_permits(1);
    assert!(hear(&mut station).await.starts_with(r#"[3,"t","#));
}

#[tokio::test]
async fn a_flood_of_one_station_is_slowed_and_does_not_starve_another() {
    let world = World::new();
    let limits =
        TalkLimits { messages_at_once: 20, message_every: Duration::from_millis(100), ..TalkLimits::default() };
    let server = world.server(options(limits));
    let (mut loud, mut quiet) = (world.station(&server, "LOUD").await, world.station(&server, "A").await);
    let flood = tokio::spawn(async move {
        for _ in 0..5_000 {
            if loud.feed(Message::text(HEARTBEAT)).await.is_err() {
                break;
            }
        }
        let _unsent = loud.flush().await;
        loud
    });
    until(|| server.figures().slowed > 0).await;
    for _ in 0..10 {
        say(&mut quiet, HEARTBEAT).await;
        hear(&mut quiet).await;
    }
    let figures = server.figures();
    assert_eq!(figures.stations, 2);
    assert!(figures.frames_in < 1_000, "{figures:?}");
    flood.abort();
}

#[tokio::test]
async fn a_panic_at_one_station_ends_no_other() {
    let world = World::new();
    let server = world.server(Options::default());
    let (mut bad, mut good) = (world.station(&server, "BAD").await, world.station(&server, "A").await);
    say(&mut bad, &tap("t", "PANIC")).await;
    assert_eq!(goodbye(&mut bad).await.unwrap().0, 1011);
    drop(bad);
    world.desk.until(|seen| seen.iter().any(|one| matches!(one, Seen::Left(..)))).await;
    until(|| server.figures().stations == 1).await;
    assert_eq!(server.figures().panics, 1);
    say(&mut good, HEARTBEAT).await;
    hear(&mut good).await;
    let _again = world.station(&server, "BAD").await;
}

#[tokio::test]
async fn a_message_heard_last_is_finished_though_the_line_is_gone() {
    let world = World::new();
    let server = world.server(Options::default());
    let mut station = world.station(&server, "SLOW").await;
    say(&mut station, &tap("t", "04A2")).await;
    world.desk.until(|seen| seen.contains(&Seen::Heard(id("SLOW"), "tap"))).await;
    drop(station);
    world.desk.permits.add_permits(1);
    world.desk.until(|seen| seen.iter().any(|one| matches!(one, Seen::Left(..)))).await;
    let seen = world.desk.seen.borrow();
    let at = |is: &dyn Fn(&Seen) -> bool| seen.iter().position(is).unwrap();
    assert!(at(&|one| matches!(one, Seen::Answered(..))) < at(&|one| matches!(one, Seen::Left(..))));
}

#[tokio::test]
async fn a_silent_station_is_pinged_and_a_dead_one_let_go() {
    let world = World::new();
    let limits = TalkLimits {
        ping_every: Duration::from_millis(20),
        idle_time_max: Duration::from_millis(200),
        ..TalkLimits::default()
    };
    let server = world.server(options(limits));
    let mut alive = world.station(&server, "A").await;
    let _dead = world.station(&server, "DEAD").await;
    // reading answers the pings; the other one never reads
    let reads = tokio::spawn(async move {
        while let Some(Ok(message)) = alive.next().await {
            if message == Message::Ping(Bytes::new()) {
                let _lost = alive.flush().await;
            }
        }
    });
    world
        .desk
        .until(|seen| seen.iter().any(|one| matches!(one, Seen::Left(station, _, why) if station.as_str() == "DEAD" && why.contains("nothing was heard"))))
        .await;
    assert!(server.line().connected(&id("A")));
    reads.abort();
}

#[tokio::test]
async fn hanging_up_and_stopping_say_goodbye() {
    let world = World::new();
    let server = world.server(Options::default());
    let mut one = world.station(&server, "A").await;
    server.line().hang_up(&id("A"), "the serial number is another's");
    let (code, why) = goodbye(&mut one).await.unwrap();
    assert_eq!(code, 1000);
    assert!(why.contains("the serial number is another's"));
    drop(one);
    let mut other = world.station(&server, "B").await;
    let line = server.line();
    let (stopped, said) = tokio::join!(soon(server.stop()), async {
        let said = goodbye(&mut other).await;
        drop(other);
        said
    });
    assert_eq!((stopped, said.unwrap().0), ((), 1001));
    assert!(!line.connected(&id("B")));
    world.desk.until(|seen| seen.iter().filter(|one| matches!(one, Seen::Left(..))).count() == 2).await;
}
