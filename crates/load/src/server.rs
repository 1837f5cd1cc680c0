//! The processes that are measured: the floor itself, and what a bench server and its loader agree on.
//!
//! The floor is a bare echo over the same TLS, of WebSocket texts or of HTTP bodies, with the buffers of the operator's
//! doors and nothing of their care: no limits, no patience, no registry. Below it is the bare handshake. A bench server
//! says where it listens in one line on its standard output, and lives as long as its standard input is open: a loader
//! that dies leaves no server behind.

use std::convert::Infallible;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request as HttpRequest, Response as HttpResponse};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use crate::Fault;
use crate::dialect::Dialect;

/// What a bench server says once it listens, before its address.
const LISTENS: &str = "listening on ";
/// Connections that the kernel holds while others are being accepted, as at the operator's door.
const BACKLOG: u32 = 4096;
/// As at the operator's door (`gate::line`).
const READ_BUFFER_BYTES: usize = 2048;
const WRITE_BUFFER_BYTES: usize = 4096;
/// After a failed accept (usually no file descriptor is left) the next try waits for connections to end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A running echo server. Dropping it ends it.
#[derive(Debug)]
pub struct Echo {
    local_addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Echo {
    /// Where it listens; with the real port where 0 was asked for.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a floor does with a connection once it is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Floor {
    /// Upgrades and echoes every text.
    Socket,
    /// Echoes the body of every request.
    Post,
    /// Shakes hands and listens.
    Handshake,
}

/// Listens. `tls` is to be made as the operator's is. Must be called inside the async runtime.
pub fn echo(addr: SocketAddr, tls: Arc<ServerConfig>, floor: Floor) -> io::Result<Echo> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    let listener = socket.listen(BACKLOG)?;
    let local_addr = listener.local_addr()?;
    Ok(Echo { local_addr, task: tokio::spawn(accept_all(listener, TlsAcceptor::from(tls), floor)) })
}

async fn accept_all(listener: TcpListener, tls: TlsAcceptor, floor: Floor) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, _peer)) => drop(match floor {
                    Floor::Socket => connections.spawn(one(tcp, tls.clone())),
                    Floor::Post => connections.spawn(post(tcp, tls.clone())),
                    Floor::Handshake => connections.spawn(shake(tcp, tls.clone())),
                }),
                Err(why) => {
                    tracing::error!(%why, "the echo server cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn one(tcp: TcpStream, tls: TlsAcceptor) {
    // boxed, so that the memory of the handshake is not kept for the life of the connection
    let opened = Box::pin(open(tcp, tls)).await;
    let Some(mut socket) = opened else { return };
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() && socket.send(message).await.is_err() {
            return;
        }
    }
}

async fn post(tcp: TcpStream, tls: TlsAcceptor) {
    let Some(stream) = Box::pin(secure(tcp, tls)).await else { return };
    let service = hyper::service::service_fn(|request: HttpRequest<Incoming>| async {
        // a body that broke off is echoed as nothing
        let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        Ok::<_, Infallible>(HttpResponse::new(Full::<Bytes>::new(body)))
    });
    // whoever hangs up ends it
    drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

async fn shake(tcp: TcpStream, tls: TlsAcceptor) {
    let Some(mut stream) = Box::pin(secure(tcp, tls)).await else { return };
    let mut unread = [0; 1];
    while stream.read(&mut unread).await.is_ok_and(|read| read > 0) {}
}

async fn secure(tcp: TcpStream, tls: TlsAcceptor) -> Option<Box<TlsStream<TcpStream>>> {
    tcp.set_nodelay(true).ok()?;
    tls.accept(tcp).await.inspect_err(|why| tracing::debug!(%why, "a handshake failed")).ok().map(Box::new)
}

async fn open(tcp: TcpStream, tls: TlsAcceptor) -> Option<WebSocketStream<Box<TlsStream<TcpStream>>>> {
    let stream = secure(tcp, tls).await?;
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES).write_buffer_size(WRITE_BUFFER_BYTES);
    accept_hdr_async_with_config(stream, upgrade, Some(config)).await.ok()
}

/// Takes the subprotocol that is offered.
#[allow(clippy::result_large_err, reason = "the shape of tungstenite's callback")]
fn upgrade(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    const SUBPROTOCOL: &str = "Sec-WebSocket-Protocol";
    if let Some(offered) = request.headers().get(SUBPROTOCOL) {
        response.headers_mut().insert(SUBPROTOCOL, offered.clone());
    }
    Ok(response)
}

/// For a bench server: tells the loader where it listens, and where for SOAP. Nothing else may go to the standard
/// output.
pub fn announce(addr: SocketAddr, soap: Option<SocketAddr>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let soap = soap.map(|soap| format!(" {soap}")).unwrap_or_default();
    writeln!(out, "{LISTENS}{addr}{soap}")?;
    out.flush()
}

/// For a bench server: waits until the loader has no use for it any more.
pub async fn abandoned() {
    let closed = tokio::task::spawn_blocking(|| io::stdin().lock().read_to_end(&mut Vec::new()));
    // a standard input that cannot be read is as good as closed
    drop(closed.await);
}

/// A server under test.
#[derive(Debug)]
pub struct Server {
    /// Whose processor time and memory are measured.
    pub pid: u32,
    pub addr: SocketAddr,
    /// Where SOAP is spoken.
    pub soap: Option<SocketAddr>,
    child: Option<Child>,
}

impl Server {
    /// Starts a program that calls [`announce`] and [`abandoned`]. It is killed when this is dropped: a server that
    /// is measured has to survive that anyway. Blocks until it listens.
    pub fn launch(mut command: Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let said = match child.stdout.take() {
            Some(out) => BufReader::new(out).read_line(&mut line),
            None => Ok(0),
        };
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut server = Self { pid: child.id(), addr: nowhere, soap: None, child: Some(child) };
        said?;
        let mut addresses = line.trim_end().strip_prefix(LISTENS).into_iter().flat_map(|both| both.split(' '));
        let mut next = || addresses.next().and_then(|addr| addr.parse().ok());
        server.addr = next().ok_or_else(|| io::Error::other("the server did not say where it listens"))?;
        server.soap = next();
        Ok(server)
    }

    /// One that runs in this very process: what is measured is the loader's as well, so it is good for trying out
    /// and nothing else.
    pub fn here(addr: SocketAddr, soap: Option<SocketAddr>) -> Self {
        Self { pid: std::process::id(), addr, soap, child: None }
    }

    /// Where this dialect is spoken.
    pub(crate) fn at(&self, dialect: Dialect) -> Result<SocketAddr, Fault> {
        match dialect {
            Dialect::V16 | Dialect::V201 | Dialect::V21 => Ok(self.addr),
            Dialect::Soap => self.soap.ok_or(Fault::Plan("the server speaks no SOAP")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // it may have ended by itself
            drop(child.kill());
            drop(child.wait());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_server_says_where_it_listens_and_ends_with_its_loader() {
        let server = Server::launch(shell("echo 'listening on 127.0.0.1:4711'; cat")).unwrap();
        assert_eq!(server.addr, "127.0.0.1:4711".parse().unwrap());
        let running = format!("/proc/{}", server.pid);
        assert!(std::path::Path::new(&running).exists());
        drop(server);
        assert!(!std::path::Path::new(&running).exists());
    }

    #[test]
    fn a_server_that_says_something_else_is_none() {
        for script in ["echo 'port in use'", "exit 1"] {
            assert!(Server::launch(shell(script)).is_err(), "{script}");
        }
    }
}
