//! Who comes in, and what the others hear.

use std::sync::Arc;
use std::time::Duration;

use charge::Clock;
use charge::clock::SystemClock;
use charge::talk::line::Desk;
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use trust::dice::SystemDice;
use trust::refusal::CertificateFault;

use super::world::{PASSWORD, Seen, World, authority, clock, dice, hear, id, refused, say, soon, until};
use crate::line::{ListenError, Options, listen_plain};

#[tokio::test]
async fn each_refusal_has_its_status_and_comes_before_the_upgrade() {
    // proves: ocpp-1.6j 3.2 (404), ocpp-2.0.1 A00.FR.204 (401), TC_B_58_CSMS (400 without upgrade)
    let world = World::new();
    let server = world.server(Options::default());
    let good = Some(PASSWORD);
    for (name, offer, password, status) in [
        ("GHOST", &["ocpp1.6"][..], good, 404),
        ("A", &["ocpp1.6"][..], Some(&b"wrong"[..]), 401),
        ("A", &["ocpp1.6"][..], None, 401),
        ("CERT", &["ocpp1.6"][..], good, 401),
        ("BLOCKED", &["ocpp1.6"][..], good, 403),
        ("A", &[][..], good, 400),
        ("A", &["ocpp0.1", "ocpp1.5"][..], good, 400),
        ("BUSY", &["ocpp1.6"][..], good, 503),
    ] {
        let basic = password.map(|password| (name, password));
        let answer = refused(world.knock(&server, &format!("/ocpp/{name}"), offer, basic, None).await);
        assert_eq!(answer.status().as_u16(), status, "{name} {offer:?}");
        assert_eq!(answer.headers().contains_key("WWW-Authenticate"), status == 401);
        let retry: Option<u64> =
            answer.headers().get("Retry-After").map(|wait| wait.to_str().unwrap().parse().unwrap());
        assert_eq!(retry.is_some_and(|wait| (10..60).contains(&wait)), status == 503);
        assert!(!answer.headers().contains_key("Sec-WebSocket-Accept"));
    }
    let figures = server.figures();
    assert_eq!((figures.refused, figures.overloaded, figures.arrived), (7, 1, 0));
    assert_eq!(world.desk.count(|seen| matches!(seen, Seen::Arrived(..))), 0);
}

#[tokio::test]
async fn of_a_mixed_offer_the_newest_known_version_is_echoed() {
    // the quirk frames H02 and H03
    let world = World::new();
    let server = world.server(Options::default());
    for (offer, chosen) in [
        (&["ocpp0.1", "ocpp2.0.1"][..], "ocpp2.0.1"),
        (&["ocpp1.6", "ocpp1.5"][..], "ocpp1.6"),
        (&["ocpp1.6", "ocpp2.0.1", "ocpp2.1"][..], "ocpp2.0.1"),
    ] {
        let (_client, answer) = world.knock(&server, "/ocpp/A", offer, Some(("A", PASSWORD)), None).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(answer.headers()["Sec-WebSocket-Protocol"], chosen);
        assert!(!answer.headers().contains_key("Sec-WebSocket-Extensions"));
    }
}

#[tokio::test]
async fn an_identity_is_decoded_once_and_a_slash_inside_names_nobody() {
    let world = World::new();
    let server = world.server(Options::default());
    let come =
        |path: &'static str, user: &'static str| world.knock(&server, path, &["ocpp1.6"], Some((user, PASSWORD)), None);
    let (mut client, _answer) = come("//ocpp///RPC%20001%C3%BC", "RPC 001ü").await.unwrap();
    say(&mut client, r#"[2,"1","Heartbeat",{}]"#).await;
    assert!(hear(&mut client).await.starts_with(r#"[3,"1","#));
    assert!(server.line().connected(&id("RPC 001ü")));
    assert_eq!(refused(come("/ocpp/RPC%20001%2F%C3%BC", "RPC 001/ü").await).status(), 404);
    assert_eq!(refused(come("/ocpp/RPC%FF", "RPC").await).status(), 404);
    assert_eq!(refused(come("/ws://192.0.2.10:9000/CP_1/SERIAL_1234", "CP_1").await).status(), 404);
}

#[tokio::test]
async fn a_station_certificate_opens_and_its_name_reaches_the_desk() {
    // proves: TC_A_07_CSMS
    let world = World::new();
    let server = world.server(Options::default());
    let day = Duration::from_secs(86_400);
    let good =
        world.stations.station_certificate("SN-0001", "Stadtwerke", day, SystemClock.now(), &SystemDice).unwrap();
    // the second connection resumes the session of the first, and still shows its certificate
    for _ in 0..2 {
        let come = world.knock(&server, "/ocpp/CERT", &["ocpp2.0.1"], None, Some(&good)).await;
        assert!(come.is_ok());
    }
    let other =
        world.stations.station_certificate("SN-0002", "Stadtwerke", day, SystemClock.now(), &SystemDice).unwrap();
    assert_eq!(refused(world.knock(&server, "/ocpp/CERT", &["ocpp2.0.1"], None, Some(&other)).await).status(), 401);
    let shown = |name: &'static str| move |seen: &Seen| matches!(seen, Seen::Knock { common_name: Some(shown), .. } if shown == name);
    assert_eq!(world.desk.count(shown("SN-0001")), 2);
    assert_eq!(world.desk.count(shown("SN-0002")), 1);
}

#[tokio::test]
async fn a_certificate_of_a_foreign_authority_is_refused_with_its_reason() {
    let world = World::new();
    let server = world.server(Options::default());
    let foreign = authority("Elsewhere")
        .station_certificate("SN-0001", "Stadtwerke", Duration::from_secs(86_400), SystemClock.now(), &SystemDice)
        .unwrap();
    let come = world.knock(&server, "/ocpp/CERT", &["ocpp1.6"], None, Some(&foreign)).await;
    assert!(come.is_err());
    until(|| server.figures().broken_handshakes == 1).await;
    let refused = world.refused.lock().unwrap();
    assert_eq!(refused[0].fault, CertificateFault::UnknownIssuer);
    assert_eq!(refused[0].facts.as_ref().unwrap().common_name.as_deref(), Some("SN-0001"));
    assert_eq!(world.desk.count(|_| true), 0);
}

#[tokio::test]
async fn plain_ws_is_shown_to_the_desk_as_plain() {
    let world = World::new();
    let mut server = world.server(Options::default());
    let plain = server.open_plain("127.0.0.1:0".parse().unwrap()).unwrap();
    for (name, let_in) in [("PLAIN", true), ("A", false)] {
        let mut request = format!("ws://localhost/ocpp/{name}").into_client_request().unwrap();
        let both =
            base64::Engine::encode(&base64::prelude::BASE64_STANDARD, [name.as_bytes(), b":", PASSWORD].concat());
        request.headers_mut().insert("Authorization", format!("Basic {both}").parse().unwrap());
        request.headers_mut().insert("Sec-WebSocket-Protocol", "ocpp1.6".parse().unwrap());
        let tcp = TcpStream::connect(plain).await.unwrap();
        let come = soon(client_async(request, tcp)).await;
        assert_eq!(come.is_ok(), let_in, "{name}");
    }
    assert_eq!(world.desk.count(|seen| matches!(seen, Seen::Knock { encrypted: false, .. })), 2);
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let world = World::new();
    let server = world.server(Options::default());
    let taken = server.local_addr();
    let second = listen_plain(taken, Arc::clone(&world.desk) as Arc<dyn Desk>, clock(), dice(), Options::default());
    let error = second.err().unwrap();
    assert!(matches!(error, ListenError::InUse(address) if address == taken));
    assert!(error.to_string().contains(&taken.to_string()));
}

#[tokio::test]
async fn a_full_house_says_when_to_come_back() {
    let world = World::new();
    let server = world.server(Options { connections_max: 1, ..Options::default() });
    let _first = world.station(&server, "A").await;
    let answer = refused(world.knock(&server, "/ocpp/B", &["ocpp1.6"], Some(("B", PASSWORD)), None).await);
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("Retry-After"));
    assert!(server.line().connected(&id("A")));
}

#[tokio::test]
async fn strangers_to_tls_and_to_http_are_counted_and_let_go() {
    let world = World::new();
    let server = world.server(Options::default());
    let mut stranger = TcpStream::connect(server.local_addr()).await.unwrap();
    stranger.write_all(b"GET /ocpp/A HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    // an alert or a reset: the end either way
    let _either = soon(stranger.read_to_end(&mut rest)).await;
    until(|| server.figures().broken_handshakes == 1).await;
    until(|| server.figures().sockets == 0).await;
}
