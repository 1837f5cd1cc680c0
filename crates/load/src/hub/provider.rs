//! The providers of the bench: they say yes to everything that is theirs, and count.
//!
//! All of them are one listener; the number of a provider is the first part of its path. A question about a token of
//! another provider is counted as gone astray.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

/// After a failed accept the next try waits for connections to end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Digits of a uid that are its provider's number.
const NUMBER_DIGITS: usize = 4;
/// The time in answers: nobody here looks at it.
const THEN: &str = "2026-01-01T00:00:00Z";

/// Providers at work. Dropping them ends them.
#[derive(Debug)]
pub struct Providers {
    addr: SocketAddr,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Counts {
    asked: AtomicU64,
    astray: AtomicU64,
}

impl Drop for Providers {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Providers {
    /// Listens. Must be called inside the async runtime.
    pub fn play(addr: SocketAddr, tls: Arc<rustls::ServerConfig>) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let addr = listener.local_addr()?;
        let counts = Arc::new(Counts::default());
        let task = tokio::spawn(accept_all(listener, TlsAcceptor::from(tls), addr, Arc::clone(&counts)));
        Ok(Self { addr, counts, task })
    }

    /// Where all of them listen.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base of the addresses of one of them, for OICP as it is.
    pub fn base(&self, number: u32) -> String {
        format!("https://{}/{number}", self.addr)
    }

    /// Where it lists its versions of OCPI.
    pub fn versions_url(&self, number: u32) -> String {
        format!("{}/versions", self.base(number))
    }

    /// Questions about tokens so far.
    pub(super) fn asked(&self) -> u64 {
        self.counts.asked.load(Ordering::Relaxed)
    }

    /// Of these, those about tokens of another provider.
    pub(super) fn astray(&self) -> u64 {
        self.counts.astray.load(Ordering::Relaxed)
    }
}

async fn accept_all(listener: TcpListener, tls: TlsAcceptor, addr: SocketAddr, counts: Arc<Counts>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, _peer)) => drop(connections.spawn(serve(tcp, tls.clone(), addr, Arc::clone(&counts)))),
                Err(why) => {
                    tracing::error!(%why, "the providers cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn serve(tcp: TcpStream, tls: TlsAcceptor, addr: SocketAddr, counts: Arc<Counts>) {
    let Ok(()) = tcp.set_nodelay(true) else { return };
    let Ok(stream) = Box::pin(tls.accept(tcp)).await else { return };
    let service = hyper::service::service_fn(move |request| {
        let counts = Arc::clone(&counts);
        async move { Ok::<_, Infallible>(answer(request, addr, &counts).await) }
    });
    // whoever hangs up ends it
    drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

async fn answer(request: Request<Incoming>, addr: SocketAddr, counts: &Counts) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let told = said(&path, &body, addr, counts);
    let (status, text) = told.map_or((StatusCode::NOT_FOUND, String::new()), |text| (StatusCode::OK, text));
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// `None`: there is no such thing here.
fn said(path: &str, body: &[u8], addr: SocketAddr, counts: &Counts) -> Option<String> {
    let (number, rest) = path.strip_prefix('/')?.split_once('/')?;
    let number: u32 = number.parse().ok()?;
    let good = |data: String| format!(r#"{{"data":{data},"status_code":1000,"timestamp":"{THEN}"}}"#);
    match rest {
        "versions" => Some(good(format!(r#"[{{"version":"2.2.1","url":"https://{addr}/{number}/2.2.1"}}]"#))),
        "2.2.1" => Some(good(format!(
            r#"{{"version":"2.2.1","endpoints":[{{"identifier":"tokens","role":"SENDER","url":"https://{addr}/{number}/2.2.1/tokens"}}]}}"#
        ))),
        _question => {
            let uid = match rest.strip_prefix("2.2.1/tokens/").and_then(|rest| rest.strip_suffix("/authorize")) {
                Some(uid) => uid,
                None => card_of(rest, body)?,
            };
            counts.asked.fetch_add(1, Ordering::Relaxed);
            if uid.get(..NUMBER_DIGITS).and_then(|digits| u32::from_str_radix(digits, 16).ok()) != Some(number) {
                counts.astray.fetch_add(1, Ordering::Relaxed);
            }
            Some(if rest.starts_with("2.2.1/") { good(permit(uid)) } else { authorised() })
        }
    }
}

/// The card in a question of OICP 2.3 (`eRoamingAuthorizeStart`).
fn card_of<'b>(rest: &str, body: &'b [u8]) -> Option<&'b str> {
    if !rest.ends_with("/authorize/start") {
        return None;
    }
    let text = std::str::from_utf8(body).ok()?;
    text.split_once(r#""UID":"#)?.1.trim_start().strip_prefix('"')?.split('"').next()
}

/// `AuthorizationInfo` (OCPI 2.2.1, 12.3.1).
fn permit(uid: &str) -> String {
    format!(
        r#"{{"allowed":"ALLOWED","token":{{"country_code":"DE","party_id":"BEN","uid":"{uid}","type":"RFID","contract_id":"DE-BEN-C{uid}","issuer":"Bench","valid":true,"whitelist":"NEVER","last_updated":"{THEN}"}},"authorization_reference":"{uid}-1"}}"#
    )
}

fn authorised() -> String {
    r#"{"ProviderID":"DE-BEN","AuthorizationStatus":"Authorized","StatusCode":{"Code":"000"}}"#.to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::hub::uid;

    #[test]
    fn a_provider_answers_for_its_own_and_notices_what_is_not() {
        let (counts, addr) = (Counts::default(), SocketAddr::from(([127, 0, 0, 1], 4711)));
        let ask = |path: &str, body: &str| said(path, body.as_bytes(), addr, &counts);
        let seen = || (counts.asked.load(Ordering::Relaxed), counts.astray.load(Ordering::Relaxed));
        assert!(ask("/7/versions", "").unwrap().contains("/7/2.2.1"));
        assert!(ask("/7/2.2.1", "").unwrap().contains("/7/2.2.1/tokens"));
        assert_eq!((ask("/7/else", ""), ask("/x", ""), seen()), (None, None, (0, 0)));
        assert!(ask(&format!("/7/2.2.1/tokens/{}/authorize", uid(7, 1)), "").unwrap().contains(r#""ALLOWED""#));
        let card = format!(r#"{{"Identification":{{"RFIDMifareFamilyIdentification":{{"UID":"{}"}}}}}}"#, uid(7, 2));
        let start = "/7/api/oicp/charging/v21/operators/DE*VLT/authorize/start";
        assert!(ask(start, &card).unwrap().contains("Authorized"));
        assert_eq!(seen(), (2, 0));
        ask(&format!("/8/2.2.1/tokens/{}/authorize", uid(7, 1)), "");
        assert_eq!(seen(), (3, 1));
    }
}
