//! A central system made by hand, and a virtual station that dials it.

pub(super) use e2e::{Folder, leyden};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use charge::clock::SeededDice;
use charge::id::{EvseId, MeterSerial, StationId};
use charge::place::Current;
use charge::talk::line::{Pole, Version};
use charge::units::Power;
use charge::{Clock, Secret, SystemClock, Timestamp};
use futures_util::{SinkExt, StreamExt};
use gate::line::{Backoff, Dial, Dialled, TalkLimits, dial};
use rustls::{ClientConfig, ServerConfig};
use serde_json::{Value, json};
use station::{EvsePlan, Journal, MIGRATIONS, Plan, VirtualStation};
use store::Store;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};
use trust::dice::SystemDice;
use trust::sign::SigningKey;

/// A station answers in milliseconds; a machine that builds beside it gets more.
const PATIENCE: Duration = Duration::from_secs(30);
pub(super) const ID: &str = "LEY-0001";
pub(super) const PASSWORD: &str = "correct-horse-battery";

/// What a connection may go over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Where stations knock.
pub(super) struct Door {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    shown: Mutex<Option<Vec<u8>>>,
}

impl Door {
    pub(super) async fn open(tls: Option<ServerConfig>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        Self { listener, tls: tls.map(|tls| TlsAcceptor::from(Arc::new(tls))), shown: Mutex::default() }
    }

    /// Where it is, without an identity.
    pub(super) fn base(&self) -> String {
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        format!("{scheme}://localhost:{}/ocpp", self.listener.local_addr().unwrap().port())
    }

    pub(super) fn url(&self) -> String {
        format!("{}/{ID}", self.base())
    }

    /// The certificate that was shown last.
    pub(super) fn shown(&self) -> Option<Vec<u8>> {
        self.shown.lock().unwrap().clone()
    }

    /// The next that knocks; what the handshake came to, where there is one.
    async fn stream(&self) -> Result<Box<dyn Stream>, String> {
        let (tcp, _) = timeout(PATIENCE, self.listener.accept()).await.expect("the station knocks").unwrap();
        match &self.tls {
            None => Ok(Box::new(tcp)),
            Some(tls) => {
                let tls = timeout(PATIENCE, tls.accept(tcp)).await.expect("a handshake ends");
                let tls = tls.map_err(|fault| fault.to_string())?;
                let leaf = tls.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                *self.shown.lock().unwrap() = leaf.map(|leaf| leaf.to_vec());
                Ok(Box::new(tls))
            }
        }
    }

    /// Lets the next one in.
    pub(super) async fn let_in(&self) -> Csms {
        Csms::upgrade(self.stream().await.unwrap()).await
    }

    /// The next one that knocks does not like what it is shown.
    pub(super) async fn shunned(&self) -> String {
        self.stream().await.err().expect("a handshake that fails")
    }
}

/// The central system's end of a connection.
pub(super) struct Csms {
    socket: WebSocketStream<Box<dyn Stream>>,
    /// The header `Authorization` of the upgrade.
    pub(super) authorization: Option<String>,
    pub(super) path: String,
    /// Everything the station has said, in order, and not looked at.
    said: VecDeque<(String, Value)>,
    /// How boots are answered.
    pub(super) boots: &'static str,
    /// How requests for a certificate are.
    pub(super) signs: &'static str,
    sent: u32,
}

impl Csms {
    async fn upgrade(stream: Box<dyn Stream>) -> Self {
        let seen: Arc<Mutex<(Option<String>, String)>> = Arc::default();
        let look = Arc::clone(&seen);
        // the shape of this callback is the library's
        #[allow(clippy::result_large_err, reason = "the type is the library's")]
        let answer = move |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            let header = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
            *look.lock().unwrap() = (header, request.uri().path().to_owned());
            response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("ocpp2.0.1"));
            Ok(response)
        };
        let upgraded = timeout(PATIENCE, accept_hdr_async(stream, answer)).await.expect("an upgrade");
        let socket = upgraded.unwrap();
        let (authorization, path) = seen.lock().unwrap().clone();
        Self { socket, authorization, path, said: VecDeque::new(), boots: "Accepted", signs: "Accepted", sent: 0 }
    }

    /// Answers until the station says this; what it said.
    pub(super) async fn until(&mut self, action: &str) -> Value {
        loop {
            if let Some(place) = self.said.iter().position(|(said, _)| said == action) {
                return self.said.remove(place).unwrap().1;
            }
            let frame = self.frame().await;
            self.take(&frame).await;
        }
    }

    /// Gives an order; the whole frame of what came back.
    pub(super) async fn order(&mut self, action: &str, payload: Value) -> Value {
        self.sent += 1;
        let id = format!("hand-{}", self.sent);
        self.send(&json!([2, id, action, payload])).await;
        loop {
            let frame = self.frame().await;
            if frame[0] == 2 {
                self.take(&frame).await;
            } else {
                assert_eq!(frame[1], id.as_str(), "{frame}");
                return frame;
            }
        }
    }

    /// Gives an order that is answered and no error; the payload of the answer.
    pub(super) async fn ask(&mut self, action: &str, payload: Value) -> Value {
        let mut frame = self.order(action, payload).await;
        assert_eq!(frame[0], 3, "{action}: {frame}");
        frame[2].take()
    }

    pub(super) async fn close(mut self) {
        self.socket.close(None).await.unwrap();
    }

    /// A message of the station's, answered as a friendly central system does.
    async fn take(&mut self, frame: &Value) {
        assert_eq!(frame[0], 2, "{frame}");
        let action = frame[2].as_str().unwrap().to_owned();
        let now = SystemClock.now().whole_seconds().to_string();
        let answer = match action.as_str() {
            "BootNotification" => json!({"currentTime": now, "interval": 300, "status": self.boots}),
            "Heartbeat" => json!({"currentTime": now}),
            "Authorize" | "TransactionEvent" => json!({"idTokenInfo": {"status": "Accepted"}}),
            "SignCertificate" => json!({"status": self.signs}),
            _ => json!({}),
        };
        self.said.push_back((action, frame[3].clone()));
        self.send(&json!([3, frame[1], answer])).await;
    }

    async fn send(&mut self, frame: &Value) {
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
    }

    async fn frame(&mut self) -> Value {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.expect("the station speaks in time");
            if let Message::Text(text) = message.expect("the line is up").unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }
}

/// A station that dials a door for as long as this lives.
pub(super) struct Guest {
    pub(super) station: Arc<VirtualStation>,
    pub(super) line: Dialled,
    task: JoinHandle<()>,
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whom to call, and with what.
pub(super) fn number(url: String, password: Option<&str>, tls: Option<ClientConfig>) -> Dial {
    Dial {
        url,
        tls: tls.map(Arc::new),
        basic: password.map(|password| (ID.to_owned(), Secret::new(password.as_bytes().to_vec()))),
        offer: vec![Version::V201],
        backoff: Backoff { min: Duration::from_millis(20), random: Duration::from_millis(1), doublings: 2 },
        limits: TalkLimits::default(),
    }
}

impl Guest {
    pub(super) async fn dialling(to: Dial) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = Store::in_memory(MIGRATIONS).unwrap();
        let journal = Journal::new(store, StationId::new(ID).unwrap());
        let keys = [SigningKey::generate().unwrap().to_pkcs8_der().unwrap()];
        let dice = Arc::new(SeededDice::new(1));
        let station = VirtualStation::start(plan(), &keys, journal, Arc::clone(&clock), dice).await.unwrap();
        let pole: Arc<dyn Pole> = Arc::clone(&station) as Arc<dyn Pole>;
        let line = dial(to, pole, clock, Arc::new(SystemDice)).unwrap();
        let (speaker, uplink) = (Arc::clone(&station), line.uplink());
        let task = tokio::spawn(async move { speaker.run(uplink).await.unwrap() });
        Self { station, line, task }
    }
}

fn plan() -> Plan {
    Plan {
        id: StationId::new(ID).unwrap(),
        prefers: Version::V201,
        vendor: "Leyden".to_owned(),
        model: "VS-2".to_owned(),
        serial: "SN-0001".to_owned(),
        firmware: "1.0.0".to_owned(),
        evses: vec![EvsePlan {
            evse_id: EvseId::new("DE*LEY*E0001").unwrap(),
            meter: MeterSerial::new("M-1").unwrap(),
            max_power: Power::from_watts(11_000),
            current: Current::Ac3Phase,
        }],
    }
}

pub(super) fn now() -> Timestamp {
    SystemClock.now()
}
