//! One station's connection from TCP accept to its end, in stages: TLS, request head, the desk's word, a seat, the
//! upgrade, the talk.
//!
//! Each stage has a time and a size; whoever fails one hears a status and goes, before the upgrade. Nobody takes a
//! seat, and nobody loses one, before the desk has let the newcomer in. A panic ends one connection and no other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use charge::talk::line::{Entry, Knock, Refusal, StationCertificate};
use http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{Response, write_response};
use tokio_tungstenite::tungstenite::protocol::Role;
use tracing::Instrument;
use trust::handshake::HandshakeFault;

use super::csms::OperatorSide;
use super::head::{self, BadHead, Head};
use super::limits::{
    ADMISSION_TIME_MAX, FAREWELL_TIME_MAX, LOGGED_PATH_CHARACTERS_MAX, RETRY_AFTER_MIN, RETRY_AFTER_SPREAD,
    TAKEOVER_TIME_MAX, WRITE_TIME_MAX,
};
use super::listen::{Door, House};
use super::registry::Taken;
use super::sources::Place;
use super::stream::{Held, Stream};
use super::talk::{BootGate, Talk, websocket_config};
use crate::limits::HANDSHAKE_TIME_MAX;

/// A newcomer's claim to a place at the door, and its part of the count of sockets.
pub(super) struct Standing {
    house: Arc<House>,
    at_door: Option<(OwnedSemaphorePermit, Place)>,
}

impl Standing {
    pub fn new(house: Arc<House>, place: OwnedSemaphorePermit, source: Place) -> Self {
        house.counts.sockets.add();
        Self { house, at_door: Some((place, source)) }
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.house.counts.sockets.take_back();
    }
}

/// Why a newcomer did not come in. Each is one HTTP status, or none where there is nobody to hear it.
#[derive(Debug, thiserror::Error)]
enum Turned {
    #[error("{0}")]
    Handshake(HandshakeFault),
    #[error("the peer did not finish its TLS handshake or its request in time")]
    Slow,
    #[error("{0}")]
    Head(BadHead),
    #[error("the address names no station; it should end in /ocpp/ and the station's identity")]
    NoIdentity,
    #[error("{0}")]
    Certificate(trust::refusal::Refused),
    #[error("{}", reason(.0))]
    Desk(Refusal),
    #[error("too many connections")]
    Full,
    #[error("the desk did not decide in time")]
    DeskLate,
}

/// Let in by the desk, not yet upgraded.
struct Opened {
    stream: Stream,
    upgrade: Response,
    rest: Vec<u8>,
    entry: Entry,
}

/// Sees one connection through.
pub(super) async fn welcome(door: Arc<Door>, tcp: TcpStream, peer: SocketAddr, mut standing: Standing) {
    let opened = tokio::select! {
        // boxed, so that the memory of the handshake is not kept for the life of the connection
        opened = Box::pin(open(&door, tcp, peer)) => opened,
        () = door.stopping() => return,
    };
    standing.at_door = None;
    if let Some(opened) = opened {
        converse(&door.house, opened).await;
    }
}

async fn open(door: &Door, tcp: TcpStream, peer: SocketAddr) -> Option<Opened> {
    let house = &door.house;
    // small messages, each of which somebody waits for
    let _unsupported = tcp.set_nodelay(true);
    // whoever hears of a refused certificate inside the handshake finds the address in this span
    let secured = secure(door, tcp).instrument(tracing::info_span!("handshake", %peer));
    let (mut stream, certificate) = match timeout(HANDSHAKE_TIME_MAX, secured).await {
        Ok(Ok(secured)) => secured,
        Ok(Err(turned)) => return turn_away(house, peer, None, None, &turned).await,
        Err(_slow) => return turn_away(house, peer, None, None, &Turned::Slow).await,
    };
    let head = match timeout(HANDSHAKE_TIME_MAX, head::read(&mut stream)).await {
        Ok(Ok(head)) => head,
        Ok(Err(bad)) => return turn_away(house, peer, Some(stream), None, &Turned::Head(bad)).await,
        Err(_slow) => return turn_away(house, peer, Some(stream), None, &Turned::Slow).await,
    };
    let Head { path, identity, basic, offered, mut upgrade, rest } = head;
    let offers = !offered.is_empty();
    let encrypted = matches!(stream, Stream::Tls(_));
    let knock = certificate.map_err(Turned::Certificate).and_then(|certificate| {
        let identity = identity.ok_or(Turned::NoIdentity)?;
        Ok(Knock { identity, basic, certificate, encrypted, offered, peer: peer.to_string() })
    });
    let admitted = match knock {
        Ok(knock) => admit(house, knock).await,
        Err(turned) => Err(turned),
    };
    match admitted {
        Ok(entry) => {
            // exactly the version chosen, and none to a station that offered none (RFC 6455, 4.2.2; quirk 1)
            if let (true, Some(name)) = (offers, entry.version.subprotocol()) {
                let version = HeaderValue::from_static(name);
                upgrade.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, version);
            }
            Some(Opened { stream, upgrade, rest, entry })
        }
        Err(turned) => turn_away(house, peer, Some(stream), Some(&path), &turned).await,
    }
}

type Shown = Result<Option<StationCertificate>, trust::refusal::Refused>;

async fn secure(door: &Door, tcp: TcpStream) -> Result<(Stream, Shown), Turned> {
    let Some(acceptor) = &door.tls else { return Ok((Stream::Plain(tcp), Ok(None))) };
    let accepted = acceptor.accept(Held::back(tcp)).into_fallible().await;
    let tls = accepted.map_err(|(error, tcp)| {
        // the alert that says why
        tcp.say_farewell();
        Turned::Handshake(HandshakeFault::of_io(&error))
    })?;
    let shown = trust::tls::presented(tls.get_ref().1, door.house.clock.now()).map(|facts| {
        facts.map(|facts| StationCertificate {
            // without a name it is nobody's certificate: no serial number is empty
            common_name: facts.common_name.unwrap_or_default(),
            organisation: facts.organisation,
            fingerprint: facts.fingerprint,
            not_after: facts.not_after,
        })
    });
    Ok((Stream::Tls(Box::new(tls.into())), shown))
}

/// Puts the newcomer before the desk.
async fn admit(house: &House, knock: Knock) -> Result<Entry, Turned> {
    if house.counts.sockets.read() > house.options.connections_max as u64 {
        return Err(Turned::Full);
    }
    match timeout(ADMISSION_TIME_MAX, house.desk.admit(knock)).await {
        Ok(admitted) => admitted.map_err(Turned::Desk),
        Err(_late) => Err(Turned::DeskLate),
    }
}

const fn reason(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::UnknownStation => "no such station",
        Refusal::NotProven(why) => why,
        Refusal::Blocked => "the station is switched off",
        Refusal::NoCommonVersion => "no OCPP version in common",
        Refusal::Overloaded => "too busy",
    }
}

/// Answers, logs and counts. Always `None`.
async fn turn_away(
    house: &House,
    peer: SocketAddr,
    stream: Option<Stream>,
    path: Option<&str>,
    turned: &Turned,
) -> Option<Opened> {
    let answer = Answer::to(turned, house);
    match answer.as_ref().map(|answer| answer.status) {
        Some(503) => house.counts.overloaded.add(),
        Some(_) => house.counts.refused.add(),
        None => house.counts.broken_handshakes.add(),
    }
    if house.may_log_refusal() {
        let status = answer.as_ref().map(|answer| answer.status);
        let path: Option<String> = path.map(|path| path.chars().take(LOGGED_PATH_CHARACTERS_MAX).collect());
        tracing::info!(%peer, ?path, status, why = %turned, "a station was turned away");
    }
    if let (Some(answer), Some(stream)) = (answer, stream) {
        // whoever does not listen does not hear it
        let _unheard = timeout(FAREWELL_TIME_MAX, answer.send(stream)).await;
    }
    None
}

/// An HTTP answer that is no upgrade.
struct Answer {
    status: u16,
    phrase: &'static str,
    header: String,
    body: String,
}

impl Answer {
    /// What a stranger hears: the status, and no more than that needs. The reason is for the log.
    fn to(turned: &Turned, house: &House) -> Option<Self> {
        let plain =
            |status, phrase, body: &str| Some(Self { status, phrase, header: String::new(), body: body.into() });
        match turned {
            Turned::Handshake(_) | Turned::Slow | Turned::Head(BadHead::HungUp | BadHead::Tls) => None,
            Turned::Head(BadHead::TooLong) => plain(431, "Request Header Fields Too Large", "request head too long\n"),
            Turned::Head(bad @ BadHead::NoUpgrade(_)) => plain(400, "Bad Request", &format!("{bad}\n")),
            Turned::NoIdentity | Turned::Desk(Refusal::UnknownStation) => plain(404, "Not Found", "no such station\n"),
            Turned::Certificate(_) | Turned::Desk(Refusal::NotProven(_)) => Some(Self {
                status: 401,
                phrase: "Unauthorized",
                header: "WWW-Authenticate: Basic realm=\"OCPP\"\r\n".into(),
                body: "the station has not proven its identity\n".into(),
            }),
            Turned::Desk(Refusal::Blocked) => plain(403, "Forbidden", "this station is switched off\n"),
            Turned::Desk(Refusal::NoCommonVersion) => {
                plain(400, "Bad Request", "no OCPP version in common; offer ocpp1.6 or ocpp2.0.1\n")
            }
            Turned::Full | Turned::DeskLate | Turned::Desk(Refusal::Overloaded) => {
                let spread = Duration::from_secs(house.dice.below(RETRY_AFTER_SPREAD.as_secs()));
                Some(Self {
                    status: 503,
                    phrase: "Service Unavailable",
                    header: format!("Retry-After: {}\r\n", (RETRY_AFTER_MIN + spread).as_secs()),
                    body: "too busy, come back later\n".into(),
                })
            }
        }
    }

    async fn send(self, mut stream: Stream) -> std::io::Result<()> {
        let Self { status, phrase, header, body } = self;
        let text = format!(
            "HTTP/1.1 {status} {phrase}\r\n{header}Connection: close\r\nContent-Type: text/plain\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(text.as_bytes()).await?;
        stream.shutdown().await?;
        // read on until the peer hangs up, or the answer is lost with a reset
        let mut unread = [0u8; 1024];
        while stream.read(&mut unread).await? > 0 {}
        Ok(())
    }
}

/// The part of a connection that has a seat.
async fn converse(house: &House, opened: Opened) {
    let Opened { mut stream, upgrade, rest, entry } = opened;
    let Some(mut taken) = house.registry.take(&entry.station) else { return };
    if !older_one_has_left(house, &mut taken).await || !send_upgrade(&mut stream, &upgrade).await {
        return;
    }
    drop(upgrade);
    house.counts.arrived.add();
    let config = websocket_config(&house.options.talk);
    let socket = WebSocketStream::from_partially_read(stream, rest, Role::Server, Some(config)).await;
    house.desk.arrived(&entry, taken.seat.connection).await;
    let side = OperatorSide {
        engine: ocpp::csms::Engine::new(entry.version, house.options.talk.ocpp).tolerating(entry.quirks),
        desk: &*house.desk,
        station: &entry.station,
        clock: &*house.clock,
        dice: &*house.dice,
    };
    let gate = BootGate::Listening { until: Instant::now() + house.options.talk.boot_grace };
    let mut talk = Talk::new(side, socket, &taken.seat.orders, &house.options.talk, &house.counts, gate);
    let end = talk.run().await;
    tracing::debug!(station = %entry.station, why = %end, "a station's connection ended");
    talk.part(&end).await;
    house.desk.left(&entry.station, taken.seat.connection, &end.to_string()).await;
}

/// Waits for the end of the connection that had the seat. `false` if an even newer one has taken it meanwhile.
async fn older_one_has_left(house: &House, taken: &mut Taken) -> bool {
    if let Some(old) = taken.evicted.take() {
        house.counts.replaced.add();
        if timeout(TAKEOVER_TIME_MAX, old.vacated()).await.is_err() {
            tracing::warn!(connection = old.connection.0, "an older connection does not end; the newer one begins");
        }
    }
    !taken.seat.orders.is_closed()
}

async fn send_upgrade(stream: &mut Stream, upgrade: &Response) -> bool {
    let mut bytes = Vec::with_capacity(256);
    if write_response(&mut bytes, upgrade).is_err() {
        return false;
    }
    let sent = async {
        stream.write_all(&bytes).await?;
        stream.let_go();
        stream.flush().await
    };
    matches!(timeout(WRITE_TIME_MAX, sent).await, Ok(Ok(())))
}
