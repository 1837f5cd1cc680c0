//! Listening: HTTP/1.1 over TLS with a limit on everything, for any router.
//!
//! Slow heads, endless heads, too many connections and requests that never come to an answer cost a bounded time and
//! place. Long answers, such as a stream of events, are not cut: the limit ends with the head of the response.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::{IntoResponse, Response};
use charge::{Clock, SystemClock};
use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::limits::{CONNECTIONS_MAX, GOODBYE_TIME_MAX, REQUEST_TIME_MAX};
use crate::limits::{HANDSHAKE_TIME_MAX, HEAD_BYTES_MAX};

/// The machine has no file for another connection: a pause until some are closed.
const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// The certificate that a caller showed and TLS verified: SHA-256 of its DER. Handlers find it among a request's
/// extensions where the listener asks for certificates and the caller has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientCertificate(pub [u8; 32]);

impl ClientCertificate {
    /// The digest that a certificate's facts state in hexadecimal.
    pub fn of(facts: &trust::certificate::Facts) -> Option<Self> {
        let mut digest = [0; 32];
        for (byte, at) in digest.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(facts.fingerprint.get(at..at + 2)?, 16).ok()?;
        }
        Some(Self(digest))
    }
}

/// A listener at work.
#[derive(Debug)]
pub struct Serving {
    /// Where it listens; the port that the system chose, where none was asked for.
    pub addr: SocketAddr,
    /// Ends after `shutdown`, when the connections are closed.
    pub ended: JoinHandle<()>,
}

/// Serves a bound listener until `shutdown` resolves. Handlers find the caller's address as [`ConnectInfo`]. The TLS
/// configuration comes from `trust::tls::server`, best with ALPN `http/1.1`.
pub fn serve(
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Serving> {
    let addr = listener.local_addr()?;
    let ended = tokio::spawn(run(listener, TlsAcceptor::from(tls), router, shutdown));
    Ok(Serving { addr, ended })
}

async fn run(listener: TcpListener, tls: TlsAcceptor, router: Router, shutdown: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (closing, closed) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        // who does not fit waits in the system's own queue
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            () = &mut shutdown => break,
            (place, accepted) = accepted => match (place, accepted) {
                (Ok(place), Ok((stream, peer))) => {
                    let connection = converse(stream, peer, tls.clone(), router.clone(), closed.clone());
                    connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                (_, Err(error)) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
                (Err(_), Ok(_)) => break,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    let _ = closing.send(true);
    let goodbye = async { while connections.join_next().await.is_some() {} };
    if timeout(GOODBYE_TIME_MAX, goodbye).await.is_err() {
        connections.shutdown().await;
    }
}

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    tls: TlsAcceptor,
    router: Router,
    mut closed: watch::Receiver<bool>,
) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let stream = match timeout(HANDSHAKE_TIME_MAX, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%peer, %error, "no TLS"),
        Err(_) => return tracing::debug!(%peer, "no TLS in time"),
    };
    let shown = match trust::tls::presented(stream.get_ref().1, SystemClock.now()) {
        Ok(facts) => facts.as_ref().and_then(ClientCertificate::of),
        Err(refused) => return tracing::debug!(%peer, fault = ?refused.fault, "a certificate that is good no more"),
    };
    let service =
        hyper::service::service_fn(move |request: Request<Incoming>| answer(request, peer, shown, router.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HANDSHAKE_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing(&mut closed) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%peer, %error, "connection ended");
    }
}

async fn closing(closed: &mut watch::Receiver<bool>) {
    // an error means that the listener is gone: that is closing as well
    let _ = closed.wait_for(|closed| *closed).await;
}

async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    shown: Option<ClientCertificate>,
    router: Router,
) -> Result<Response, Infallible> {
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(ConnectInfo(peer));
    if let Some(shown) = shown {
        parts.extensions.insert(shown);
    }
    let request = Request::from_parts(parts, Body::new(body));
    match timeout(REQUEST_TIME_MAX, router.oneshot(request)).await {
        Ok(answered) => answered,
        Err(_) => Ok(StatusCode::REQUEST_TIMEOUT.into_response()),
    }
}
