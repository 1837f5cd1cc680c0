#![allow(clippy::unwrap_used, reason = "a test may panic")]
//! Both ends over real sockets and mutual TLS, and what must not come in or go out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use charge::id::PartyId;
use charge::talk::line::{
    Boot, ConnectionNo, Desk, Entry, FromStation, Heard, Line, LineFault, Pole, ResetKind, StationAnswer, ToStation,
    Version,
};
use charge::{Clock, SystemClock};
use http::StatusCode;
use ocpp::soap::Trip;
use ocpp::soap::station::Saying;
use tokio::time::Instant;
use trust::dice::SystemDice;
use trust::pki::{Authority, Identity};
use trust::tls::{ClientCertificates, Trusted};

use super::callback::Callback;
use super::client::{NoResponse, Response, Target};
use super::*;
use crate::line::tests::world::{PASSWORD, Seen, TestDesk, TestPole, authority, clock, dice, id, soon};
use crate::line::{Backoff, TalkLimits};

const DAY: Duration = Duration::from_secs(86_400);
/// The common name that the desk of the tests wants of station `CERT`.
const SERIAL: &str = "SN-0001";
const OPERATOR: &str = "DE-VLT";

struct Net {
    root: Authority,
    desk: Arc<TestDesk>,
}

impl Net {
    fn new() -> Self {
        Self { root: authority("Root"), desk: Arc::default() }
    }

    fn station_identity(&self, serial: &str) -> Identity {
        self.root.station_certificate(serial, "Voltwerk", DAY, SystemClock.now(), &SystemDice).unwrap()
    }

    fn operator_identity(&self) -> Identity {
        let party: PartyId = OPERATOR.parse().unwrap();
        self.root.party_certificate(party, DAY, SystemClock.now(), &SystemDice).unwrap()
    }

    fn client(&self, identity: Option<&Identity>) -> Arc<rustls::ClientConfig> {
        Arc::new(trust::tls::client(self.root.certificate_pem(), identity, &[]).unwrap())
    }

    /// A server's configuration; its certificate's common name is the first of the names.
    fn server_tls(&self, first: &str) -> Arc<rustls::ServerConfig> {
        let names = [first.to_owned(), "localhost".to_owned(), "127.0.0.1".to_owned()];
        let identity = self.root.server_certificate(&names, DAY, SystemClock.now(), &SystemDice).unwrap();
        let roots_pem = self.root.certificate_pem().to_owned();
        let trusted = Trusted { roots_pem, on_refused: Arc::new(|_| {}) };
        Arc::new(trust::tls::server(&identity, ClientCertificates::Optional(trusted), &[]).unwrap())
    }

    fn server(&self) -> SoapServer {
        let options = SoapOptions::new(self.client(Some(&self.operator_identity())));
        let desk = Arc::clone(&self.desk) as Arc<dyn Desk>;
        listen("127.0.0.1:0".parse().unwrap(), self.server_tls("op.example"), desk, clock(), dice(), options).unwrap()
    }

    fn dial(&self, server: &SoapServer, version: Version) -> SoapDial {
        SoapDial {
            station: id("CERT"),
            version,
            operator: format!("https://localhost:{}{PATH}/cert", server.local_addr().port()),
            tls: Some(self.client(Some(&self.station_identity(SERIAL)))),
            basic: None,
            listen: "127.0.0.1:0".parse().unwrap(),
            server_tls: Some(self.server_tls(SERIAL)),
            operator_name: Some(OPERATOR.to_owned()),
            callback: None,
            backoff: Backoff { min: Duration::from_millis(5), random: Duration::from_millis(5), doublings: 3 },
            limits: TalkLimits::default(),
        }
    }

    fn station(&self, dial: SoapDial) -> (SoapStation, Arc<TestPole>) {
        let pole = Arc::new(TestPole::default());
        (station(dial, Arc::clone(&pole) as Arc<dyn Pole>, clock(), dice()).unwrap(), pole)
    }

    /// Posts bytes as somebody with this certificate would.
    async fn post(&self, at: SocketAddr, path: &str, identity: Option<&Identity>, body: &str) -> Response {
        let address = Callback::parse(&format!("https://127.0.0.1:{}{path}", at.port())).unwrap();
        let tls = self.client(identity);
        let target = Target { address: &address, tls: Some(&tls), expects: None, authorization: None };
        soon(target.post("Heartbeat", body, 1 << 20)).await.unwrap()
    }
}

fn heartbeat(identity: &str, from: &str) -> String {
    let trip = Trip { message_id: "0".into(), to: "https://op.example/".into(), from: from.into() };
    let saying = Saying::write(Version::S16, identity, &FromStation::Alive, &trip, SystemClock.now()).unwrap();
    saying.body().to_owned()
}

fn text(response: &Response) -> &str {
    std::str::from_utf8(&response.body).unwrap()
}

#[tokio::test]
async fn a_station_is_heard_and_ordered_over_mutual_tls() {
    for version in [Version::S15, Version::S16] {
        let net = Net::new();
        let server = net.server();
        let line = server.line();
        let (station, pole) = net.station(net.dial(&server, version));
        pole.until_up(1).await;
        assert_eq!(*pole.up.borrow(), Some(version));
        assert!(!line.connected(&id("CERT")));
        let reset = || ToStation::Reset(ResetKind::Soft);
        assert_eq!(soon(line.tell(&id("CERT"), reset())).await, Err(LineFault::NotConnected));

        let uplink = station.uplink();
        let boot = FromStation::Boot(Boot { vendor: "V".into(), model: "M".into(), ..Boot::default() });
        assert!(matches!(soon(uplink.say(boot)).await, Ok(Heard::Boot { .. })));
        assert!(matches!(soon(uplink.say(FromStation::Alive)).await, Ok(Heard::Alive { .. })));
        assert!(line.connected(&id("CERT")));
        assert_eq!(net.desk.count(|seen| matches!(seen, Seen::Arrived(..))), 1);
        assert_eq!(soon(line.tell(&id("CERT"), reset())).await, Ok(StationAnswer::Accepted));
        assert_eq!(*pole.told.lock().unwrap(), ["Reset(Soft)"]);
        assert_eq!(net.desk.log.lock().unwrap().len(), 6);

        soon(server.stop()).await;
        assert_eq!(net.desk.count(|seen| matches!(seen, Seen::Left(..))), 1);
        assert_eq!(soon(uplink.say(FromStation::Alive)).await, Err(LineFault::NotConnected));
        pole.until_down().await;
        soon(station.stop()).await;
    }
}

#[tokio::test]
async fn who_is_not_proven_hears_a_fault_and_nothing_else() {
    let net = Net::new();
    let server = net.server();
    let at = server.local_addr();
    let (own, other) = (net.station_identity(SERIAL), net.station_identity("SN-0002"));
    let table = [
        ("/ocpp/soap", Some(&other), "CERT", StatusCode::BAD_REQUEST, ":IdentityMismatch<"),
        ("/ocpp/soap", Some(&own), "GHOST", StatusCode::BAD_REQUEST, ":IdentityMismatch<"),
        ("/ocpp/soap/OTHER", Some(&own), "CERT", StatusCode::BAD_REQUEST, ":IdentityMismatch<"),
        ("/ocpp/soap", None, "CERT", StatusCode::BAD_REQUEST, ":SecurityError<"),
        ("/ocpp/soap", Some(&own), "BLOCKED", StatusCode::BAD_REQUEST, ":SecurityError<"),
        ("/ocpp/soap", Some(&own), "BUSY", StatusCode::SERVICE_UNAVAILABLE, ""),
        ("/elsewhere", Some(&own), "CERT", StatusCode::NOT_FOUND, ""),
        ("/ocpp/soap/CERT", Some(&own), "CERT", StatusCode::OK, "heartbeatResponse"),
    ];
    for (path, identity, name, status, says) in table {
        let response = net.post(at, path, identity, &heartbeat(name, "https://127.0.0.1:1/")).await;
        assert_eq!(response.status, status, "{path} {name}: {}", text(&response));
        assert!(text(&response).contains(says), "{path} {name}: {}", text(&response));
    }
    assert_eq!(net.desk.count(|seen| matches!(seen, Seen::Arrived(..))), 1);
    assert_eq!(server.stations(), 1);
}

#[tokio::test]
async fn hostile_messages_are_refused_before_anyone_is_asked() {
    let net = Net::new();
    let server = net.server();
    let own = net.station_identity(SERIAL);
    let plain = heartbeat("CERT", "https://127.0.0.1:1/");
    let elsewhere = plain.replace(
        "<a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous<",
        "<a:ReplyTo><a:Address>https://attacker.example/<",
    );
    assert_ne!(plain, elsewhere);
    let doctype = plain.replacen("?>", "?><!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>", 1);
    let deep = format!("{}{}", "<x>".repeat(1_000), "</x>".repeat(1_000));
    let long = format!("{plain}{}", " ".repeat(300 * 1024));
    for (body, status, says) in [
        (&elsewhere, StatusCode::BAD_REQUEST, ":SecurityError<"),
        (&doctype, StatusCode::BAD_REQUEST, "a document type is not accepted"),
        (&deep, StatusCode::BAD_REQUEST, "nested deeper"),
        (&long, StatusCode::PAYLOAD_TOO_LARGE, ""),
    ] {
        let response = net.post(server.local_addr(), PATH, Some(&own), body).await;
        assert_eq!(response.status, status, "{}", text(&response));
        assert!(text(&response).contains(says) && !text(&response).contains("root:"), "{}", text(&response));
    }
    assert_eq!(net.desk.count(|_| true), 0);
}

/// Whoever never proves itself is judged more and more slowly, and then not at all for a while.
#[tokio::test]
async fn a_source_that_guesses_without_end_is_told_to_come_back() {
    let net = Net::new();
    let server = net.server();
    for _ in 0..200 {
        let _later = server.house().suspects.knock([127, 0, 0, 1].into(), tokio::time::Instant::now());
    }
    let own = net.station_identity(SERIAL);
    let body = heartbeat("CERT", "https://127.0.0.1:1/");
    let response = net.post(server.local_addr(), PATH, Some(&own), &body).await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(net.desk.count(|_| true), 0);
}

#[tokio::test]
async fn an_address_elsewhere_is_not_called_and_said_so() {
    let net = Net::new();
    let server = net.server();
    let own = net.station_identity(SERIAL);
    for from in ["https://192.0.2.66/", "http://127.0.0.1:1/", "https://localhost:1/"] {
        let response = net.post(server.local_addr(), PATH, Some(&own), &heartbeat("CERT", from)).await;
        assert_eq!(response.status, StatusCode::OK, "{}", text(&response));
        let told = soon(server.line().tell(&id("CERT"), ToStation::ClearCache)).await;
        assert_eq!(told, Err(LineFault::NotConnected));
    }
    let log = net.desk.log.lock().unwrap();
    assert_eq!(log.iter().filter(|line| line.remarks.iter().any(|one| one.starts_with("/From: "))).count(), 3);
}

#[tokio::test]
async fn neither_end_takes_another_station_for_its_partner() {
    let net = Net::new();
    let server = net.server();
    // a station of the same authority behind the address of the first one
    let (impostor, pole) =
        net.station(SoapDial { server_tls: Some(net.server_tls("SN-0002")), ..net.dial(&server, Version::S16) });
    let own = net.station_identity(SERIAL);
    let from = format!("https://127.0.0.1:{}/", impostor.local_addr().port());
    net.post(server.local_addr(), PATH, Some(&own), &heartbeat("CERT", &from)).await;
    assert_eq!(soon(server.line().tell(&id("CERT"), ToStation::ClearCache)).await, Err(LineFault::NotConnected));
    // and one that wants to give orders
    let order = ocpp::soap::central::Order::write(
        Version::S16,
        "CERT",
        &ToStation::ClearCache,
        Trip { message_id: "0".into(), to: from.clone(), from },
        SystemClock.now(),
    );
    let body = order.0.ok().unwrap().body().to_owned();
    for identity in [Some(&net.station_identity("SN-0003")), None] {
        let response = net.post(impostor.local_addr(), "/", identity, &body).await;
        assert_eq!(response.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(pole.told.lock().unwrap().len(), 0);
    let operator = net.operator_identity();
    let response = net.post(impostor.local_addr(), "/", Some(&operator), &body).await;
    assert_eq!(response.status, StatusCode::OK, "{}", text(&response));
    let unknown = Net::new();
    let address = Callback::parse(&format!("https://127.0.0.1:{}/", impostor.local_addr().port())).unwrap();
    let tls = unknown.client(None);
    let target = Target { address: &address, tls: Some(&tls), expects: None, authorization: None };
    assert!(matches!(soon(target.post("x", "y", 10)).await, Err(NoResponse::Unreached(_))));
}

#[tokio::test]
async fn silence_is_a_departure_and_so_is_a_hang_up() {
    let net = Net::new();
    let server = net.server();
    let own = net.station_identity(SERIAL);
    let beat = heartbeat("CERT", "https://127.0.0.1:1/");
    net.post(server.local_addr(), PATH, Some(&own), &beat).await;
    server.house().sweep(Instant::now() + Duration::from_secs(890)).await;
    assert_eq!(server.stations(), 1);
    server.house().sweep(Instant::now() + Duration::from_secs(901)).await;
    assert_eq!(server.stations(), 0);
    let left = |seen: &Seen| matches!(seen, Seen::Left(_, _, why) if why.contains("three heartbeats"));
    assert_eq!(net.desk.count(left), 1);
    net.post(server.local_addr(), PATH, Some(&own), &beat).await;
    let lines = Lines::new(vec![server.line()]);
    assert!(lines.connected(&id("CERT")));
    lines.hang_up(&id("CERT"), "retired");
    assert!(!lines.connected(&id("CERT")));
    net.desk.until(|all| all.iter().any(|one| matches!(one, Seen::Left(_, _, why) if why.contains("retired")))).await;
    assert_eq!(soon(lines.tell(&id("CERT"), ToStation::ClearCache)).await, Err(LineFault::NotConnected));
}

#[tokio::test]
async fn a_station_that_comes_back_from_the_other_door_arrives_anew() {
    let net = Net::new();
    let server = net.server();
    let own = net.station_identity(SERIAL);
    let beat = heartbeat("CERT", "https://127.0.0.1:1/");
    net.post(server.local_addr(), PATH, Some(&own), &beat).await;
    let entry = Entry { station: id("CERT"), version: Version::V16, quirks: charge::talk::line::quirk::Quirks::USUAL };
    net.desk.arrived(&entry, ConnectionNo(1)).await;
    net.post(server.local_addr(), PATH, Some(&own), &beat).await;
    let arrivals = || net.desk.count(|seen| matches!(seen, Seen::Arrived(..)));
    assert_eq!(arrivals(), 2, "it is here by the other door");
    net.desk.left(&id("CERT"), ConnectionNo(1), "its firmware was put back").await;
    for _ in 0..2 {
        net.post(server.local_addr(), PATH, Some(&own), &beat).await;
    }
    assert_eq!(arrivals(), 3, "and here again");
    assert!(net.desk.is_here(&id("CERT")));
}

#[tokio::test]
async fn who_ends_its_side_behind_the_question_is_answered() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let net = Net::new();
    let mut server = net.server();
    let at = server.open_plain("127.0.0.1:0".parse().unwrap()).unwrap();
    let body = heartbeat("PLAIN", "http://127.0.0.1:1/");
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", body.len());
    let mut socket = tokio::net::TcpStream::connect(at).await.unwrap();
    socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    socket.shutdown().await.unwrap();
    let mut answer = String::new();
    soon(socket.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 ") && answer.contains("Envelope"), "{answer}");
}

#[tokio::test]
async fn an_outage_is_seen_by_the_station_and_over_when_it_is_over() {
    let net = Net::new();
    let server = net.server();
    let (station, pole) = net.station(net.dial(&server, Version::S16));
    pole.until_up(1).await;
    let uplink = station.uplink();
    soon(uplink.say(FromStation::Alive)).await.unwrap();
    station.drop_line();
    pole.until_down().await;
    assert_eq!(soon(uplink.say(FromStation::Alive)).await, Err(LineFault::NotConnected));
    assert!(soon(server.line().tell(&id("CERT"), ToStation::ClearCache)).await.is_err());
    station.restore_line();
    pole.until_up(2).await;
    soon(uplink.say(FromStation::Alive)).await.unwrap();
    assert_eq!(soon(server.line().tell(&id("CERT"), ToStation::ClearCache)).await, Ok(StationAnswer::Accepted));
}

#[tokio::test]
async fn without_tls_only_a_station_with_the_permission_is_served() {
    let net = Net::new();
    let mut server = net.server();
    let at = server.open_plain("127.0.0.1:0".parse().unwrap()).unwrap();
    let dial = |name: &str| SoapDial {
        station: id(name),
        operator: format!("http://127.0.0.1:{}{PATH}", at.port()),
        tls: None,
        basic: Some((name.to_owned(), charge::Secret::new(PASSWORD.to_vec()))),
        server_tls: None,
        operator_name: None,
        ..net.dial(&server, Version::S15)
    };
    let (permitted, pole) = net.station(dial("PLAIN"));
    pole.until_up(1).await;
    soon(permitted.uplink().say(FromStation::Alive)).await.unwrap();
    assert_eq!(soon(server.line().tell(&id("PLAIN"), ToStation::ClearCache)).await, Ok(StationAnswer::Accepted));
    let (other, pole) = net.station(dial("CP-9"));
    pole.until_up(1).await;
    let refused = soon(other.uplink().say(FromStation::Alive)).await;
    assert!(matches!(&refused, Err(LineFault::Error { code, .. }) if &**code == "IdentityMismatch"), "{refused:?}");
}
