//! HTTP/1.1 for messages: POST in, one answer out, with a bound on everything.
//!
//! Both ends of the line listen through here; what an answer is, a [`Serve`] says. Deliberately no routes and no
//! compression. Invariant: a [`Post`] tells what was proven about its sender on this connection, and nothing else.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use charge::talk::line::StationCertificate;
use charge::{Clock, Secret, Soon};
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use ocpp::soap::Reply;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use trust::handshake::HandshakeFault;

use crate::limits::{HANDSHAKE_TIME_MAX, HEAD_BYTES_MAX};
use crate::line::head;
use crate::line::limits::{ACCEPT_PAUSE, STOP_TIME_MAX};
use crate::line::listen::ListenError;
use crate::line::sources::Sources;
use crate::line::stream::{Held, Stream};

/// One message, and what is known of its sender.
pub(super) struct Post {
    pub path: String,
    pub basic: Option<(String, Secret<Vec<u8>>)>,
    pub body: Bytes,
    pub peer: SocketAddr,
    pub encrypted: bool,
    pub certificate: Option<StationCertificate>,
}

/// What goes back.
pub(super) enum Answer {
    Soap(Reply),
    /// Not served now: come back after so many seconds.
    Busy(u64),
    /// Not SOAP's to say.
    Status(StatusCode),
}

/// Whoever answers.
pub(super) trait Serve: Send + Sync + 'static {
    fn post(&self, post: Post) -> Soon<'_, Answer>;
    fn clock(&self) -> &dyn Clock;
    /// The longest body.
    fn bytes_max(&self) -> usize;
    fn connections_max(&self) -> usize;
}

/// A socket with its address, not served yet.
pub(super) struct Bound {
    listener: TcpListener,
    /// With the real port where 0 was asked for.
    pub local_addr: SocketAddr,
}

impl Bound {
    /// Must be called inside the async runtime.
    pub fn at(addr: SocketAddr) -> Result<Self, ListenError> {
        let failed = |why: io::Error| match why.kind() {
            io::ErrorKind::AddrInUse => ListenError::InUse(addr),
            io::ErrorKind::PermissionDenied => ListenError::NotPermitted(addr),
            io::ErrorKind::AddrNotAvailable => ListenError::NoSuchAddress(addr),
            _ => ListenError::Socket { address: addr, why },
        };
        let listener = std::net::TcpListener::bind(addr).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let local_addr = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, local_addr })
    }

    /// Without `tls` everything is readable on the way.
    pub fn serve(self, tls: Option<Arc<rustls::ServerConfig>>, serve: Arc<dyn Serve>) -> Listening {
        let stopping = watch::Sender::new(false);
        let door = Door { tls: tls.map(TlsAcceptor::from), serve, stopping: stopping.subscribe() };
        let task = Some(tokio::spawn(accept_all(self.listener, Arc::new(door))));
        Listening { local_addr: self.local_addr, stopping, task }
    }
}

/// A socket that is listened on. Dropping it ends everything at once.
pub(super) struct Listening {
    pub local_addr: SocketAddr,
    stopping: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Listening {
    /// Lets the exchanges under way end, and takes no more.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        if let Some(task) = self.task.take() {
            // a panic was reported when it happened
            let _ended = task.await;
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

struct Door {
    tls: Option<TlsAcceptor>,
    serve: Arc<dyn Serve>,
    stopping: watch::Receiver<bool>,
}

impl Door {
    async fn stopping(&self) {
        let mut stopping = self.stopping.clone();
        // an error means that the listener was dropped: that is stopping, too
        let _dropped = stopping.wait_for(|stops| *stops).await;
    }
}

async fn accept_all(listener: TcpListener, door: Arc<Door>) {
    let places = Arc::new(Semaphore::new(door.serve.connections_max()));
    // one address cannot hold them all
    let sources = Arc::new(Sources::new(door.serve.connections_max().div_ceil(2)));
    let mut connections = JoinSet::new();
    loop {
        // who does not fit waits in the system's own queue
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            (place, accepted) = accepted => match (place, accepted) {
                (Ok(place), Ok((tcp, peer))) => {
                    let Some(source) = sources.enter(peer.ip()) else { continue };
                    let door = Arc::clone(&door);
                    connections.spawn(async move {
                        converse(door, tcp, peer).await;
                        drop((place, source));
                    });
                }
                (_, Err(why)) => {
                    tracing::error!(%why, "no connection can be accepted; look at the limit of file descriptors");
                    sleep(ACCEPT_PAUSE).await;
                }
                (Err(_closed), Ok(_)) => break,
            },
            Some(ended) = connections.join_next() => {
                if ended.is_err_and(|error| error.is_panic()) {
                    tracing::error!("an exchange ended by a fault of this program");
                }
            }
            () = door.stopping() => break,
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if timeout(STOP_TIME_MAX, all_ended).await.is_err() {
        connections.shutdown().await;
    }
}

async fn converse(door: Arc<Door>, tcp: TcpStream, peer: SocketAddr) {
    // small messages, each of which somebody waits for
    let _unsupported = tcp.set_nodelay(true);
    let (stream, certificate) = match timeout(HANDSHAKE_TIME_MAX, secure(&door, tcp)).await {
        Ok(Ok(secured)) => secured,
        Ok(Err(why)) => return tracing::info!(%peer, %why, "no TLS on the SOAP line"),
        Err(_elapsed) => return tracing::debug!(%peer, "no TLS in time"),
    };
    let encrypted = matches!(stream, Stream::Tls(_));
    let serve = Arc::clone(&door.serve);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let (serve, certificate) = (Arc::clone(&serve), certificate.clone());
        async move { Ok::<_, Infallible>(answer(&*serve, request, peer, encrypted, certificate).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HANDSHAKE_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        // a client may end its side behind the request; what it asked is whole, and is answered
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = door.stopping() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%peer, %error, "a connection ended");
    }
}

async fn secure(door: &Door, tcp: TcpStream) -> Result<(Stream, Option<StationCertificate>), String> {
    let Some(acceptor) = &door.tls else { return Ok((Stream::Plain(tcp), None)) };
    let tls = acceptor.accept(Held::nothing(tcp)).await.map_err(|error| HandshakeFault::of_io(&error).to_string())?;
    let shown =
        trust::tls::presented(tls.get_ref().1, door.serve.clock().now()).map_err(|refused| refused.to_string())?;
    let certificate = shown.map(|facts| StationCertificate {
        // without a name it is nobody's certificate: no serial number is empty
        common_name: facts.common_name.unwrap_or_default(),
        organisation: facts.organisation,
        fingerprint: facts.fingerprint,
        not_after: facts.not_after,
    });
    Ok((Stream::Tls(Box::new(tls.into())), certificate))
}

async fn answer(
    serve: &dyn Serve,
    request: Request<Incoming>,
    peer: SocketAddr,
    encrypted: bool,
    certificate: Option<StationCertificate>,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    if head.method != Method::POST {
        return respond(Answer::Status(StatusCode::METHOD_NOT_ALLOWED));
    }
    let body = match timeout(HANDSHAKE_TIME_MAX, Limited::new(body, serve.bytes_max()).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) => {
            let long = error.downcast_ref::<http_body_util::LengthLimitError>().is_some();
            let status = if long { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
            return respond(Answer::Status(status));
        }
        Err(_elapsed) => return respond(Answer::Status(StatusCode::REQUEST_TIMEOUT)),
    };
    let path = head.uri.path().to_owned();
    let basic = head::basic(&head.headers);
    respond(serve.post(Post { path, basic, body, peer, encrypted, certificate }).await)
}

fn respond(answer: Answer) -> Response<Full<Bytes>> {
    let (status, header, body) = match answer {
        Answer::Soap(reply) => {
            let status = StatusCode::from_u16(reply.http_status).unwrap_or(StatusCode::OK);
            (status, Some((CONTENT_TYPE, HeaderValue::from_static(ocpp::soap::MEDIA_TYPE))), reply.body)
        }
        Answer::Busy(seconds) => {
            (StatusCode::SERVICE_UNAVAILABLE, Some((RETRY_AFTER, HeaderValue::from(seconds))), String::new())
        }
        Answer::Status(status) => (status, None, String::new()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().extend(header);
    response
}
