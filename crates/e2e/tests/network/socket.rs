//! A station's end of the line by hand: frames go out as they are written here, right or wrong.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use trust::pki::Identity;

use super::settle::{Credential, Network};

/// The house answers in milliseconds; a machine that builds beside it gets more.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// How a station knocks.
#[derive(Clone)]
pub(super) struct Knock {
    pub identity: String,
    /// User and password of HTTP Basic.
    pub basic: Option<(String, String)>,
    pub certificate: Option<Identity>,
    /// The whole header; `None` leaves it out.
    pub subprotocols: Option<&'static str>,
}

impl Knock {
    /// As an honest station does it.
    pub(super) fn honest(id: &str, credential: &Credential, subprotocol: &'static str) -> Self {
        let (basic, certificate) = match credential {
            Credential::Password(key) => (Some((id.to_owned(), key.clone())), None),
            Credential::Certificate(identity) => (None, Some(identity.clone())),
        };
        Self { identity: id.to_owned(), basic, certificate, subprotocols: Some(subprotocol) }
    }
}

/// Why a knock was not answered with an upgrade.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turned {
    Http(u16),
    /// Inside the TLS handshake, or without a word.
    Tls(String),
}

/// An open line.
pub(super) struct Line {
    socket: WebSocketStream<TlsStream<TcpStream>>,
    sent: u32,
}

impl Line {
    pub(super) async fn open(network: &Network, knock: &Knock) -> Result<Self, Turned> {
        let tls = trust::tls::client(&network.house.roots(), knock.certificate.as_ref(), &[]).unwrap();
        let tcp = TcpStream::connect(("127.0.0.1", network.house.line_port())).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let unheard = |error: std::io::Error| Turned::Tls(error.to_string());
        let stream = TlsConnector::from(Arc::new(tls)).connect(name, tcp).await.map_err(unheard)?;
        let mut request = format!("wss://localhost/ocpp/{}", knock.identity).into_client_request().unwrap();
        if let Some((user, password)) = &knock.basic {
            let pair = BASE64_STANDARD.encode(format!("{user}:{password}"));
            request.headers_mut().insert("authorization", HeaderValue::from_str(&format!("Basic {pair}")).unwrap());
        }
        if let Some(offer) = knock.subprotocols {
            request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(offer));
        }
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self { socket, sent: 0 }),
            Err(Error::Http(answer)) => Err(Turned::Http(answer.status().as_u16())),
            Err(other) => Err(Turned::Tls(other.to_string())),
        }
    }

    /// Opens an honest line and boots.
    pub(super) async fn boot(network: &Network, id: &str, credential: &Credential, subprotocol: &'static str) -> Self {
        let knock = Knock::honest(id, credential, subprotocol);
        let mut line = Self::open(network, &knock).await.unwrap();
        let said = if subprotocol == "ocpp1.6" {
            json!({ "chargePointVendor": "Hand", "chargePointModel": "Made" })
        } else {
            json!({ "chargingStation": { "vendorName": "Hand", "model": "Made" }, "reason": "PowerUp" })
        };
        let heard = line.call("BootNotification", &said).await.unwrap();
        assert_eq!(heard["status"], "Accepted");
        line
    }

    pub(super) async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next answer to something of ours: its frame. Orders of the house are refused on the way.
    pub(super) async fn answer(&mut self) -> Value {
        loop {
            let frame = self.frame().await;
            if frame[0] != 2 {
                return frame;
            }
            let refusal = json!([4, frame[1], "NotSupported", "made by hand", {}]);
            self.send(&refusal.to_string()).await;
        }
    }

    /// The next frame of the house, whatever it is.
    pub(super) async fn frame(&mut self) -> Value {
        loop {
            let message = tokio::time::timeout(ANSWER_TIME_MAX, self.socket.next()).await;
            let message = message.expect("the house speaks in time").expect("the line is up").unwrap();
            if let Message::Text(text) = message {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// Calls and gives the answer's payload, or the code of the error.
    pub(super) async fn call(&mut self, action: &str, payload: &Value) -> Result<Value, String> {
        self.sent += 1;
        let id = format!("hand-{}", self.sent);
        self.send(&json!([2, id, action, payload]).to_string()).await;
        let frame = self.answer().await;
        assert_eq!(frame[1], id.as_str(), "{frame}");
        match frame[0].as_i64() {
            Some(3) => Ok(frame[2].clone()),
            _ => Err(frame[2].as_str().unwrap().to_owned()),
        }
    }

    /// Waits for this order of the house, answers it with a payload or the code of an error, and gives its own payload.
    /// Other orders are refused on the way.
    pub(super) async fn obey(&mut self, action: &str, answer: Result<Value, &str>) -> Value {
        loop {
            let frame = self.frame().await;
            assert_eq!(frame[0], 2, "an answer to nothing: {frame}");
            let said = match (frame[2] == action, &answer) {
                (true, Ok(answer)) => json!([3, frame[1], answer]),
                (true, Err(code)) => json!([4, frame[1], code, "made by hand", {}]),
                (false, _) => json!([4, frame[1], "NotSupported", "made by hand", {}]),
            };
            self.send(&said.to_string()).await;
            if frame[2] == action {
                return frame[3].clone();
            }
        }
    }

    /// The code of the close frame with which the house ends the line.
    pub(super) async fn close_code(&mut self) -> Option<u16> {
        loop {
            match tokio::time::timeout(ANSWER_TIME_MAX, self.socket.next()).await.expect("the line ends in time") {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| u16::from(frame.code)),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Gone without a goodbye.
    pub(super) fn cut(self) {
        drop(self.socket);
    }
}
