//! The loader's own client: one TLS connection, one question at a time, as little work as possible.
//!
//! It speaks as much of RFC 6455 as a well-behaved server makes it meet: unfragmented text, pings, the close frame.
//! It does not prove that the peer is a WebSocket server (no check of `Sec-WebSocket-Accept`): the server is ours.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::HandshakeKind;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use trust::pki::Identity;

use crate::dialect::Dialect;
use crate::frames::{masked, pong};
use crate::line::{Account, Proof};
use crate::script::Script;
use crate::{Fault, answer};

/// A server that takes longer for one answer is not measured but broken.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);
/// A pair of addresses has some 28 000 ports, and a port rests for a minute after its connection: the stations come
/// from this many addresses in turn.
const SOURCES: usize = 200;
/// The head of an answer to the upgrade has some 200 bytes.
const HEAD_BYTES_MAX: usize = 4096;
/// Answers of the bench are below 1 KiB.
const INBOX_BYTES: usize = 1024;

/// Dials one server, always with a full handshake unless [`Caller::resuming`] was asked.
pub(crate) struct Caller {
    addr: SocketAddr,
    dialect: Dialect,
    roots_pem: String,
    tls: TlsConnector,
    name: ServerName<'static>,
    host: String,
    /// Of each station that came with a password, what it keeps of its last session.
    sessions: Option<Mutex<HashMap<usize, TlsConnector>>>,
}

/// How many sessions a station keeps: it calls one server.
const SESSIONS_KEPT: usize = 1;

impl Caller {
    pub fn new(addr: SocketAddr, dialect: Dialect, roots_pem: &str, host: &str) -> Result<Self, Fault> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Fault::Plan("the host is no name of a server"))?;
        let tls = connector(roots_pem, None)?;
        Ok(Self { addr, dialect, roots_pem: roots_pem.to_owned(), tls, name, host: host.to_owned(), sessions: None })
    }

    /// Every station keeps its session and comes back with it.
    #[must_use]
    pub fn resuming(self) -> Self {
        Self { sessions: Some(Mutex::default()), ..self }
    }

    /// What this station says.
    pub fn script(&self, account: &Account, number: usize) -> Script {
        let (station, host) = (account.id.clone(), self.host.clone());
        Script { dialect: self.dialect, station, host, source: source(number).into() }
    }

    /// Connects, and upgrades where the dialect has one. Stations with different numbers come from different
    /// addresses.
    pub async fn call(&self, account: &Account, number: usize) -> Result<Line, Fault> {
        let called = timeout(ANSWER_TIME_MAX, async {
            let mut line = self.open(account, number).await?;
            if let Some(subprotocol) = self.dialect.subprotocol() {
                line.upgrade(&self.host, subprotocol, account).await?;
            }
            Ok(line)
        });
        called.await.unwrap_or(Err(SILENCE))
    }

    /// TCP and TLS, and not a byte more.
    pub async fn shake(&self, account: &Account, number: usize) -> Result<Line, Fault> {
        timeout(ANSWER_TIME_MAX, self.open(account, number)).await.unwrap_or(Err(SILENCE))
    }

    /// TCP alone, for peers that never learned TLS.
    pub async fn dial(&self, number: usize) -> Result<TcpStream, Fault> {
        let dialled = async {
            let tcp = match self.addr {
                SocketAddr::V4(addr) if addr.ip().is_loopback() => {
                    let socket = TcpSocket::new_v4()?;
                    socket.bind(SocketAddr::from((source(number), 0)))?;
                    socket.connect(self.addr).await?
                }
                SocketAddr::V4(_) | SocketAddr::V6(_) => TcpStream::connect(self.addr).await?,
            };
            tcp.set_nodelay(true)?;
            Ok(tcp)
        };
        dialled.await.map_err(|why| Fault::Connection("dialled", why))
    }

    /// TCP and TLS without a certificate, for requests one after the other over one connection.
    pub async fn posting(&self, number: usize) -> Result<Line, Fault> {
        timeout(ANSWER_TIME_MAX, self.secure(&self.tls, true, number)).await.unwrap_or(Err(SILENCE))
    }

    async fn open(&self, account: &Account, number: usize) -> Result<Line, Fault> {
        let tls = match &account.proof {
            Proof::Password(_) => self.own(number),
            Proof::Certificate(identity) => connector(&self.roots_pem, Some(identity))?,
        };
        self.secure(&tls, self.dialect.subprotocol().is_none(), number).await
    }

    /// What the station with this number dials with.
    fn own(&self, number: usize) -> TlsConnector {
        let Some(sessions) = &self.sessions else { return self.tls.clone() };
        let mut sessions = sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || {
            let mut config = (**self.tls.config()).clone();
            config.resumption = Resumption::in_memory_sessions(SESSIONS_KEPT);
            TlsConnector::from(Arc::new(config))
        };
        sessions.entry(number).or_insert_with(made).clone()
    }

    async fn secure(&self, tls: &TlsConnector, posts: bool, number: usize) -> Result<Line, Fault> {
        let tcp = self.dial(number).await?;
        let stream = tls.connect(self.name.clone(), tcp).await;
        let stream = stream.map_err(|why| Fault::Connection("secured", why))?;
        Ok(Line { stream, posts, inbox: Vec::with_capacity(INBOX_BYTES), taken: 0 })
    }
}

fn connector(roots_pem: &str, identity: Option<&Identity>) -> Result<TlsConnector, Fault> {
    let mut config = trust::tls::client(roots_pem, identity, &[])?;
    config.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Where the station with this number comes from.
fn source(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, u8::try_from(number % SOURCES).unwrap_or(0) + 1)
}

const SILENCE: Fault = Fault::Silence(ANSWER_TIME_MAX.as_secs());

/// One station's connection.
pub(crate) struct Line {
    stream: TlsStream<TcpStream>,
    /// Each message is a request of its own; otherwise a frame of a WebSocket.
    posts: bool,
    inbox: Vec<u8>,
    /// So many bytes of the inbox are dealt with.
    taken: usize,
}

/// What a frame is (RFC 6455, 5.2), as far as the bench meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opcode {
    Text,
    Close,
    Ping,
    Pong,
}

impl Line {
    /// Whether its handshake was spared by a session of before.
    pub fn resumed(&self) -> bool {
        self.stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    async fn upgrade(&mut self, host: &str, subprotocol: &str, account: &Account) -> Result<(), Fault> {
        let basic = match &account.proof {
            Proof::Password(password) => {
                let basic = BASE64_STANDARD.encode(format!("{}:{}", account.id, password.expose()));
                format!("Authorization: Basic {basic}\r\n")
            }
            Proof::Certificate(_) => String::new(),
        };
        let request = format!(
            "GET /ocpp/{} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: TGV5ZGVuIGJlbmNoIGtleQ==\r\n\
             Sec-WebSocket-Protocol: {subprotocol}\r\n{basic}\r\n",
            account.id
        );
        self.write(request.as_bytes()).await?;
        let end = loop {
            if let Some(end) = answer::head_ends(&self.inbox) {
                break end;
            }
            if self.inbox.len() > HEAD_BYTES_MAX {
                return Err(Fault::NotUpgraded("an endless answer".to_owned()));
            }
            self.read().await?;
        };
        self.taken = end;
        answer::upgraded(&String::from_utf8_lossy(&self.inbox[..end]))
    }

    /// Sends the frame of a call with this message id and waits for what comes back with the same id. A call of the
    /// server in between is answered with `NotSupported`, a ping with a pong.
    pub async fn ask(&mut self, id: &str, frame: &[u8]) -> Result<&str, Fault> {
        self.write(frame).await?;
        let answered =
            timeout(ANSWER_TIME_MAX, async { if self.posts { self.response().await } else { self.answer(id).await } });
        let answer = answered.await.unwrap_or(Err(SILENCE))?;
        std::str::from_utf8(&self.inbox[answer]).map_err(|_| Fault::Frame("no UTF-8"))
    }

    async fn answer(&mut self, id: &str) -> Result<Range<usize>, Fault> {
        loop {
            let (opcode, payload) = self.next().await?;
            let bytes = &self.inbox[payload.clone()];
            let reply = match opcode {
                Opcode::Text => {
                    let text = std::str::from_utf8(bytes).map_err(|_| Fault::Frame("no UTF-8"))?;
                    match Head::of(text) {
                        Some(Head { kind: b'4', id: said }) if said == id => {
                            return Err(Fault::Answer(text.to_owned()));
                        }
                        Some(head) if head.id == id => return Ok(payload),
                        Some(Head { kind: b'2', id: said }) => {
                            masked(&format!(r#"[4,"{said}","NotSupported","a bench obeys nobody",{{}}]"#))
                        }
                        Some(_) | None => return Err(Fault::Frame("an answer to no question")),
                    }
                }
                Opcode::Ping => pong(bytes),
                Opcode::Pong => continue,
                Opcode::Close => return Err(Fault::HungUp(farewell(bytes))),
            };
            self.write(&reply).await?;
        }
    }

    /// The body of the response to a request; a fault in it is a fault.
    async fn response(&mut self) -> Result<Range<usize>, Fault> {
        self.inbox.drain(..self.taken);
        self.taken = 0;
        loop {
            if let Some(body) = answer::body_in(&self.inbox)? {
                self.taken = body.end;
                return Ok(body);
            }
            self.read().await?;
        }
    }

    /// Sends bytes that nobody promised to answer, and waits for whatever comes. For bad peers.
    pub async fn shout(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.write(bytes).await?;
        self.read().await?;
        self.inbox.clear();
        self.taken = 0;
        Ok(())
    }

    async fn next(&mut self) -> Result<(Opcode, Range<usize>), Fault> {
        self.inbox.drain(..self.taken);
        self.taken = 0;
        loop {
            if let Some((opcode, payload)) = frame_in(&self.inbox)? {
                self.taken = payload.end;
                return Ok((opcode, payload));
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), Fault> {
        match self.stream.read_buf(&mut self.inbox).await {
            Ok(0) => Err(Fault::HungUp(String::new())),
            Ok(_) => Ok(()),
            Err(why) => Err(Fault::Connection("read", why)),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let failed = |why| Fault::Connection("written", why);
        self.stream.write_all(bytes).await.map_err(failed)?;
        self.stream.flush().await.map_err(failed)
    }
}

/// Code and reason of a close frame (RFC 6455, 5.5.1).
fn farewell(payload: &[u8]) -> String {
    match payload.split_first_chunk() {
        Some((code, reason)) => {
            format!(" with code {} {}", u16::from_be_bytes(*code), String::from_utf8_lossy(reason))
        }
        None => " without a reason".to_owned(),
    }
}

/// The first frame in these bytes, if it is complete: what it is and where its payload stands.
fn frame_in(bytes: &[u8]) -> Result<Option<(Opcode, Range<usize>)>, Fault> {
    let &[first, length, ref rest @ ..] = bytes else { return Ok(None) };
    let opcode = match first {
        0x81 => Opcode::Text,
        0x88 => Opcode::Close,
        0x89 => Opcode::Ping,
        0x8a => Opcode::Pong,
        _other => return Err(Fault::Frame("neither unfragmented text nor ping, pong or close")),
    };
    let (starts, length) = match (length, rest) {
        (0..=125, _) => (2, usize::from(length)),
        (126, [high, low, ..]) => (4, usize::from(u16::from_be_bytes([*high, *low]))),
        (126, _) => return Ok(None),
        (127.., _) => return Err(Fault::Frame("masked, or far too long")),
    };
    let ends = starts + length;
    Ok((bytes.len() >= ends).then_some((opcode, starts..ends)))
}

/// Kind and message id of an OCPP-J frame (OCPP-J 1.6, 4.2): its first two elements.
#[derive(Debug, PartialEq, Eq)]
struct Head<'t> {
    kind: u8,
    id: &'t str,
}

impl<'t> Head<'t> {
    fn of(text: &'t str) -> Option<Self> {
        let (kind, rest) = text.trim_start().strip_prefix('[')?.split_once(',')?;
        let (id, _) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
        match kind.trim().as_bytes() {
            [kind] => Some(Self { kind: *kind, id }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn frames_are_found_once_they_are_complete() {
        assert_eq!(frame_in(b"").unwrap(), None);
        assert_eq!(frame_in(b"\x81\x03ab").unwrap(), None);
        assert_eq!(frame_in(b"\x81\x03abc\x89").unwrap(), Some((Opcode::Text, 2..5)));
        assert_eq!(frame_in(b"\x89\x00").unwrap(), Some((Opcode::Ping, 2..2)));
        let mut long = vec![0x81, 126, 1, 44];
        assert_eq!(frame_in(&long[..3]).unwrap(), None);
        long.resize(4 + 300, b'x');
        assert_eq!(frame_in(&long).unwrap(), Some((Opcode::Text, 4..304)));
        for bad in [&b"\x01\x00"[..], b"\x82\x00", b"\x81\x80", b"\x81\x7f"] {
            assert!(frame_in(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn answers_are_told_from_calls() {
        assert_eq!(Head::of(r#"[3,"0000000001",{}]"#), Some(Head { kind: b'3', id: "0000000001" }));
        assert_eq!(Head::of(r#" [ 2 , "x","Reset",{}]"#), Some(Head { kind: b'2', id: "x" }));
        for none in ["", "[]", "[3]", "[3,7,{}]", r#"["3","x"]"#, "{}"] {
            assert_eq!(Head::of(none), None, "{none}");
        }
        assert_eq!(farewell(b"\x03\xf0go"), " with code 1008 go");
        assert_eq!(farewell(b""), " without a reason");
    }
}
