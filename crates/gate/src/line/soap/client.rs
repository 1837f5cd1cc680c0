//! One POST and its response, on a connection of its own.
//!
//! The address is resolved once and that result is dialled, so that a name cannot mean two machines in one exchange.
//! Deliberately no pool, no redirects, no proxy. Invariant: over TLS the other side has proven the name in the
//! address, and the common name too where one is expected.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderValue};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use trust::certificate::Facts;
use trust::handshake::HandshakeFault;

use super::callback::Callback;
use crate::limits::HANDSHAKE_TIME_MAX;
use crate::line::stream::{Held, Stream};

/// Whom to call, and how.
pub(super) struct Target<'t> {
    pub address: &'t Callback,
    pub tls: Option<&'t Arc<ClientConfig>>,
    /// The common name that the other side's certificate must have.
    pub expects: Option<&'t str>,
    pub authorization: Option<&'t HeaderValue>,
}

/// What came back.
pub(super) struct Response {
    pub status: StatusCode,
    pub body: Bytes,
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoResponse {
    /// Nothing was sent.
    #[error("not reached: {0}")]
    Unreached(String),
    /// It was sent, and may have arrived.
    #[error("the connection was lost")]
    Lost,
    #[error("the response is longer than is read here")]
    TooLong,
}

impl Target<'_> {
    /// Opens a connection, and proves who is there.
    pub async fn reach(&self) -> Result<Stream, NoResponse> {
        let reached = timeout(HANDSHAKE_TIME_MAX, self.connect()).await;
        reached.unwrap_or_else(|_elapsed| Err(NoResponse::Unreached("no connection in time".into())))
    }

    async fn connect(&self) -> Result<Stream, NoResponse> {
        let unreached = |why: String| NoResponse::Unreached(why);
        let Callback { encrypted, host, port, .. } = self.address;
        let mut found = lookup_host((host.as_str(), *port)).await.map_err(|why| unreached(why.kind().to_string()))?;
        let address = found.next().ok_or_else(|| unreached("the name has no address".into()))?;
        let tcp = TcpStream::connect(address).await.map_err(|why| unreached(why.kind().to_string()))?;
        // small messages, each of which somebody waits for
        let _unsupported = tcp.set_nodelay(true);
        if !encrypted {
            return Ok(Stream::Plain(tcp));
        }
        let config = self.tls.ok_or_else(|| unreached("https needs a TLS configuration".into()))?;
        let name = ServerName::try_from(host.clone()).map_err(|_| unreached("no name for TLS".into()))?;
        let tls = TlsConnector::from(Arc::clone(config)).connect(name, Held::nothing(tcp)).await;
        let tls = tls.map_err(|error| unreached(HandshakeFault::of_io(&error).to_string()))?;
        if let Some(expected) = self.expects {
            let leaf = tls.get_ref().1.peer_certificates().and_then(|chain| chain.first());
            let name = leaf.and_then(|leaf| Facts::read(leaf).ok()).and_then(|facts| facts.common_name);
            if name.as_deref() != Some(expected) {
                return Err(unreached("the certificate there is another one's".into()));
            }
        }
        Ok(Stream::Tls(Box::new(tls.into())))
    }

    pub async fn post(&self, action: &str, body: &str, bytes_max: usize) -> Result<Response, NoResponse> {
        let stream = self.reach().await?;
        let broken = |_| NoResponse::Unreached("no HTTP connection".into());
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let request = self.request(action, body)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(|_| NoResponse::Lost)?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, bytes_max).collect().await.map_err(|error| {
                let long = error.downcast_ref::<http_body_util::LengthLimitError>().is_some();
                if long { NoResponse::TooLong } else { NoResponse::Lost }
            })?;
            Ok(Response { status: head.status, body: body.to_bytes() })
        };
        let mut connection = std::pin::pin!(connection);
        let mut exchange = std::pin::pin!(exchange);
        // the connection ends with the exchange, or a moment before its last bytes are read
        tokio::select! {
            biased;
            response = exchange.as_mut() => response,
            _ended = connection.as_mut() => exchange.await,
        }
    }

    fn request(&self, action: &str, body: &str) -> Result<Request<Full<Bytes>>, NoResponse> {
        let Callback { host, port, path, .. } = self.address;
        let host = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let media = format!("{}; action=\"/{action}\"", ocpp::soap::MEDIA_TYPE);
        let mut request = Request::post(path.as_str())
            .header(HOST, host)
            .header(CONNECTION, "close")
            .header(CONTENT_TYPE, media)
            .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
            .map_err(|_| NoResponse::Unreached("the address cannot stand in a request".into()))?;
        if let Some(value) = self.authorization {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        Ok(request)
    }
}
