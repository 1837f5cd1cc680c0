//! The floor of a hub: a bare HTTPS proxy, one request in and one request out over connections that are kept.
//!
//! It reads no word of what it passes on, knows no party and keeps nothing. Each caller's connection has one of its own
//! to the other side, so that nothing is shared and nothing waits.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::header::CONTENT_TYPE;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// After a failed accept the next try waits for connections to end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where a proxy passes requests on to.
#[derive(Clone)]
pub struct Beyond {
    pub addr: SocketAddr,
    /// The name in the other side's certificate.
    pub name: ServerName<'static>,
    pub tls: Arc<rustls::ClientConfig>,
}

/// Listens, and passes on until it is dropped with its runtime. Must be called inside the async runtime.
pub fn proxy(addr: SocketAddr, tls: Arc<rustls::ServerConfig>, beyond: Beyond) -> io::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind(addr)?;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let addr = listener.local_addr()?;
    tokio::spawn(accept_all(listener, TlsAcceptor::from(tls), beyond));
    Ok(addr)
}

async fn accept_all(listener: TcpListener, tls: TlsAcceptor, beyond: Beyond) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, _peer)) => drop(connections.spawn(Box::pin(serve(tcp, tls.clone(), beyond.clone())))),
                Err(why) => {
                    tracing::error!(%why, "the proxy cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn serve(tcp: TcpStream, tls: TlsAcceptor, beyond: Beyond) {
    let served = async {
        tcp.set_nodelay(true)?;
        let caller = tls.accept(tcp).await?;
        let way = Arc::new(Mutex::new(dial(&beyond).await?));
        let service = hyper::service::service_fn(move |request| pass(Arc::clone(&way), request));
        let serving = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(caller), service);
        serving.await.map_err(io::Error::other)
    };
    if let Err(why) = served.await {
        tracing::debug!(%why, "a connection through the proxy ended");
    }
}

async fn dial(beyond: &Beyond) -> io::Result<SendRequest<Full<Bytes>>> {
    let tcp = TcpStream::connect(beyond.addr).await?;
    tcp.set_nodelay(true)?;
    let stream = TlsConnector::from(Arc::clone(&beyond.tls)).connect(beyond.name.clone(), tcp).await?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
    let (way, connection) = handshake.await.map_err(io::Error::other)?;
    tokio::spawn(async move {
        if let Err(why) = connection.await {
            tracing::debug!(%why, "the connection beyond the proxy ended");
        }
    });
    Ok(way)
}

async fn pass(
    way: Arc<Mutex<SendRequest<Full<Bytes>>>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let passed = async {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let mut way = way.lock().await;
        way.ready().await?;
        let (mut parts, body) = way.send_request(Request::from_parts(parts, Full::new(body))).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = parts.status;
        if let Some(kind) = parts.headers.remove(CONTENT_TYPE) {
            response.headers_mut().insert(CONTENT_TYPE, kind);
        }
        Ok::<_, hyper::Error>(response)
    };
    Ok(passed.await.unwrap_or_else(|why| {
        tracing::debug!(%why, "the proxy could not pass a request on");
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    }))
}
