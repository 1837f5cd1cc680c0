//! A relay between a station and its operator: takes the station's WebSocket, dials the operator with the same path,
//! credentials and subprotocol, passes text frames on, and remembers them. A test may put frames in on either side.

use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::{accept_hdr_async, client_async};

use super::frames::Sender;

/// What the handshake carries besides WebSocket's own.
const PASSED_ON: [&str; 2] = ["authorization", "sec-websocket-protocol"];

/// Frames of a test that may wait for the relay: each is waited for in turn, with its fence.
const PUTS_MAX: usize = 8;

pub(super) struct Relay {
    pub port: u16,
    pub seen: watch::Sender<Vec<(Sender, String)>>,
    /// Frames of a test, for the side that is not named.
    put: mpsc::Sender<(Sender, String)>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Serves one connection.
    pub(super) async fn to(operator: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = watch::Sender::new(Vec::new());
        let (put, puts) = mpsc::channel(PUTS_MAX);
        let task = tokio::spawn(serve(listener, operator, seen.clone(), puts));
        Self { port, seen, put, task }
    }

    /// As if `sender` had sent it. Not remembered: only what our ends send is judged.
    pub(super) fn put(&self, sender: Sender, text: &str) {
        self.put.try_send((sender, text.to_owned())).unwrap();
    }

    pub(super) fn frames(&self) -> Vec<(Sender, String)> {
        self.seen.borrow().clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    listener: TcpListener,
    operator: u16,
    seen: watch::Sender<Vec<(Sender, String)>>,
    mut puts: mpsc::Receiver<(Sender, String)>,
) {
    let (tcp, _) = listener.accept().await.unwrap();
    let asked: Arc<Mutex<Option<Request>>> = Arc::default();
    let keep = Arc::clone(&asked);
    #[expect(clippy::result_large_err, reason = "the library's signature")]
    let answer = move |request: &Request, mut response: Response| {
        if let Some(protocol) = request.headers().get("sec-websocket-protocol") {
            response.headers_mut().insert("sec-websocket-protocol", protocol.clone());
        }
        *keep.lock().unwrap() = Some(request.clone());
        Ok(response)
    };
    let mut station = accept_hdr_async(tcp, answer).await.unwrap();
    let asked = asked.lock().unwrap().take().unwrap();
    let mut request = format!("ws://127.0.0.1:{operator}{}", asked.uri().path()).into_client_request().unwrap();
    for name in PASSED_ON {
        if let Some(value) = asked.headers().get(name) {
            request.headers_mut().insert(name, value.clone());
        }
    }
    let tcp = TcpStream::connect(("127.0.0.1", operator)).await.unwrap();
    let (mut operator, _) = client_async(request, tcp).await.unwrap();
    loop {
        let passed = tokio::select! {
            Some((sender, text)) = puts.recv() => match sender {
                Sender::Station => operator.send(Message::text(text)).await,
                Sender::Operator => station.send(Message::text(text)).await,
            },
            Some(Ok(message)) = station.next() => match message {
                Message::Text(text) => {
                    seen.send_modify(|all| all.push((Sender::Station, text.to_string())));
                    operator.send(Message::Text(text)).await
                }
                Message::Close(_) => return,
                _ => Ok(()),
            },
            Some(Ok(message)) = operator.next() => match message {
                Message::Text(text) => {
                    seen.send_modify(|all| all.push((Sender::Operator, text.to_string())));
                    station.send(Message::Text(text)).await
                }
                Message::Close(_) => return,
                _ => Ok(()),
            },
            else => return,
        };
        if passed.is_err() {
            return;
        }
    }
}
