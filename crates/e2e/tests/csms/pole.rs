//! A station made by hand: every frame of it is written by the test, and every order to it is answered by the test.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use charge::Timestamp;
use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use trust::pki::Identity;

use super::house::{ID, SERIAL, now};

/// The operator answers in milliseconds; a machine that builds beside it gets more.
const PATIENCE: Duration = Duration::from_secs(30);

/// The versions, as the subprotocol names them.
pub(super) const OLD: &str = "ocpp2.0.1";
pub(super) const NEW: &str = "ocpp2.1";

/// What a station may come over.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

pub(super) struct Pole {
    socket: WebSocketStream<Box<dyn Wire>>,
    sent: u32,
    /// Orders that came while an answer was waited for.
    orders: VecDeque<Value>,
}

impl Pole {
    /// Knocks with a password of HTTP Basic; the status of a refusal.
    pub(super) async fn knock(port: u16, password: &str) -> Result<Self, u16> {
        Self::knock_as(port, password, OLD).await
    }

    /// The same, offering this version alone.
    pub(super) async fn knock_as(port: u16, password: &str, version: &'static str) -> Result<Self, u16> {
        let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        Self::upgrade(Box::new(tcp), Some(password), version).await
    }

    /// Knocks over TLS with a certificate and no password.
    pub(super) async fn knock_with(port: u16, roots: &str, identity: &Identity) -> Result<Self, u16> {
        let tls = trust::tls::client(roots, Some(identity), &[]).unwrap();
        let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(tls)).connect(name, tcp).await.unwrap();
        Self::upgrade(Box::new(stream), None, OLD).await
    }

    async fn upgrade(wire: Box<dyn Wire>, password: Option<&str>, version: &'static str) -> Result<Self, u16> {
        let mut request = format!("ws://localhost/ocpp/{ID}").into_client_request().unwrap();
        if let Some(password) = password {
            let pair = BASE64_STANDARD.encode(format!("{ID}:{password}"));
            request.headers_mut().insert("authorization", HeaderValue::from_str(&format!("Basic {pair}")).unwrap());
        }
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(version));
        match client_async(request, wire).await {
            Ok((socket, _)) => Ok(Self { socket, sent: 0, orders: VecDeque::new() }),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    /// The state `Booted`; the answer to the boot.
    pub(super) async fn boot(&mut self) -> Value {
        self.boot_because("PowerUp").await
    }

    pub(super) async fn boot_because(&mut self, reason: &str) -> Value {
        let station = json!({"model": "Made", "vendorName": "Hand", "serialNumber": SERIAL});
        let heard = self.call("BootNotification", json!({"reason": reason, "chargingStation": station})).await;
        assert_eq!(heard["status"], "Accepted");
        for evse in [1, 2] {
            self.status(evse, "Available").await;
        }
        heard
    }

    /// Says the state of a connector in both ways that there are.
    pub(super) async fn status(&mut self, evse: u16, state: &str) {
        let said = json!({"timestamp": time(), "connectorStatus": state, "evseId": evse, "connectorId": 1});
        assert_eq!(self.call("StatusNotification", said).await, json!({}));
        let component = json!({"name": "Connector", "evse": {"id": evse, "connectorId": 1}});
        assert_eq!(self.event("Delta", state, component, "AvailabilityState").await, json!({}));
    }

    /// `NotifyEvent` with one event.
    pub(super) async fn event(&mut self, trigger: &str, value: &str, component: Value, variable: &str) -> Value {
        let event = json!({
            "eventId": 1, "timestamp": time(), "trigger": trigger, "actualValue": value,
            "eventNotificationType": "HardWiredNotification", "component": component, "variable": {"name": variable},
        });
        self.call("NotifyEvent", json!({"generatedAt": time(), "seqNo": 0, "eventData": [event]})).await
    }

    /// `Authorize` with a card; the info of the token.
    pub(super) async fn authorize(&mut self, uid: &str) -> Value {
        self.call("Authorize", json!({"idToken": {"idToken": uid, "type": "ISO14443"}})).await["idTokenInfo"].take()
    }

    /// Calls, and gives the payload of the answer.
    pub(super) async fn call(&mut self, action: &str, payload: Value) -> Value {
        self.sent += 1;
        let id = format!("hand-{}", self.sent);
        self.send(&json!([2, id, action, payload])).await;
        loop {
            let mut frame = self.frame().await;
            if frame[0] == 2 {
                self.orders.push_back(frame);
                continue;
            }
            assert_eq!(frame[1], id.as_str(), "{frame}");
            assert_eq!(frame[0], 3, "{action} {payload}: {frame}");
            return frame[2].take();
        }
    }

    /// Says what is never answered (2.1 `SEND`).
    pub(super) async fn send_alone(&mut self, action: &str, payload: Value) {
        self.sent += 1;
        self.send(&json!([6, format!("hand-{}", self.sent), action, payload])).await;
    }

    /// Waits for the next order, which has to be this one, and answers it; what was ordered.
    pub(super) async fn obey(&mut self, action: &str, answer: Value) -> Value {
        let mut order = match self.orders.pop_front() {
            Some(order) => order,
            None => self.frame().await,
        };
        assert_eq!((&order[0], &order[2]), (&json!(2), &json!(action)), "{order}");
        self.send(&json!([3, order[1], answer])).await;
        order[3].take()
    }

    async fn send(&mut self, frame: &Value) {
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
    }

    async fn frame(&mut self) -> Value {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.expect("the operator speaks in time");
            if let Message::Text(text) = message.expect("the line is up").unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }
}

/// Without the fractions that some tools cannot read.
pub(super) fn written(at: Timestamp) -> String {
    at.whole_seconds().to_string()
}

pub(super) fn time() -> String {
    written(now())
}
