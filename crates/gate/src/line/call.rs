//! One try to reach an operator: address, TCP, TLS, upgrade, version.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use charge::id::StationId;
use charge::talk::line::Distrust;
use charge::talk::line::Version;
use http::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_PROTOCOL};
use http::{Request, StatusCode};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, http::Uri};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use trust::handshake::HandshakeFault;

use super::dial::Dial;
use super::limits::RETRY_AFTER_MAX;
use super::stream::{Held, Stream};
use super::talk::websocket_config;
use crate::limits::HANDSHAKE_TIME_MAX;
use crate::road::guard::is_public;

const PLAIN_PORT: u16 = 80;
const TLS_PORT: u16 = 443;

/// Why a [`Dial`] cannot be dialled. For whoever configured it.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    #[error("the address of the operator is no wss:// or ws:// URL with a host")]
    Address,
    #[error("wss:// needs a TLS configuration")]
    NoTls,
    #[error("no version is offered")]
    NoVersion,
    #[error("the user name of the password has a colon, or one of the values cannot stand in a header")]
    Credentials,
}

/// Why a try failed. Every one is tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallFault {
    #[error("the name has no public address")]
    NotPublic,
    #[error("no connection: {0}")]
    Tcp(io::ErrorKind),
    #[error("TLS: {0}")]
    Tls(HandshakeFault),
    #[error("refused with HTTP status {status}")]
    Refused { status: StatusCode, retry_after: Option<Duration> },
    #[error("the upgrade failed: {0}")]
    Upgrade(Box<str>),
    #[error("a version was chosen that was not offered, or none")]
    NoVersion,
    #[error("no answer in time")]
    Slow,
}

/// The address of a station at an operator: `origin` is scheme and authority, as in `wss://csms.example:9000`.
pub fn station_url(origin: &str, station: &StationId) -> String {
    format!("{}/ocpp/{}", origin.trim_end_matches('/'), encoded(station))
}

/// An identity as a segment of a path.
pub(super) fn encoded(station: &StationId) -> String {
    let mut segment = String::new();
    for byte in station.as_str().bytes() {
        // unreserved and harmless in a path (RFC 3986, 2.3 and 3.3)
        if byte.is_ascii_alphanumeric() || b"-._~+*@!".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

/// Which addresses may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Anywhere,
    PublicOnly,
}

/// A [`Dial`] whose values were checked.
pub(super) struct Number {
    request: Request<()>,
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    reach: Reach,
    offer: Vec<Version>,
    websocket: tungstenite::protocol::WebSocketConfig,
}

impl Number {
    pub fn of(dial: &Dial, reach: Reach) -> Result<Self, DialError> {
        let uri: Uri = dial.url.parse().map_err(|_| DialError::Address)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(DialError::Address)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let (tls, usual_port) = match uri.scheme_str() {
            Some("ws") => (None, PLAIN_PORT),
            Some("wss") => {
                let config = dial.tls.clone().ok_or(DialError::NoTls)?;
                let name = ServerName::try_from(host.clone()).map_err(|_| DialError::Address)?;
                (Some((TlsConnector::from(config), name)), TLS_PORT)
            }
            Some(_) | None => return Err(DialError::Address),
        };
        let port = uri.port_u16().unwrap_or(usual_port);
        let request = request(dial, uri)?;
        let websocket = websocket_config(&dial.limits);
        Ok(Self { request, host, port, tls, reach, offer: dial.offer.clone(), websocket })
    }

    /// One try.
    pub async fn call(&self) -> Result<(WebSocketStream<Stream>, Version), CallFault> {
        let stream = timeout(HANDSHAKE_TIME_MAX, self.connect()).await.map_err(|_elapsed| CallFault::Slow)??;
        let upgrade = client_async_with_config(self.request.clone(), stream, Some(self.websocket));
        let (socket, response) = timeout(HANDSHAKE_TIME_MAX, upgrade)
            .await
            .map_err(|_elapsed| CallFault::Slow)?
            .map_err(|error| upgrade_fault(&error))?;
        let chosen = response.headers().get(SEC_WEBSOCKET_PROTOCOL).and_then(|name| name.to_str().ok());
        let version = self.offer.iter().find(|version| version.subprotocol().is_some_and(|name| Some(name) == chosen));
        Ok((socket, *version.ok_or(CallFault::NoVersion)?))
    }

    /// Where only public addresses may be called, the connection goes to one that was judged and to no other.
    async fn reach(&self) -> Result<TcpStream, CallFault> {
        let fault = |error: io::Error| CallFault::Tcp(error.kind());
        let host = (self.host.as_str(), self.port);
        if self.reach == Reach::Anywhere {
            return TcpStream::connect(host).await.map_err(fault);
        }
        let found = tokio::net::lookup_host(host).await.map_err(fault)?;
        let public: Vec<_> = found.filter(|address| is_public(address.ip())).collect();
        if public.is_empty() {
            return Err(CallFault::NotPublic);
        }
        TcpStream::connect(public.as_slice()).await.map_err(fault)
    }

    async fn connect(&self) -> Result<Stream, CallFault> {
        let tcp = self.reach().await?;
        // small messages, each of which somebody waits for
        let _unsupported = tcp.set_nodelay(true);
        let Some((connector, name)) = &self.tls else { return Ok(Stream::Plain(tcp)) };
        let tls = connector.connect(name.clone(), Held::nothing(tcp)).await;
        let tls = tls.map_err(|error| CallFault::Tls(HandshakeFault::of_io(&error)))?;
        Ok(Stream::Tls(Box::new(tls.into())))
    }
}

impl CallFault {
    /// What of the other end is not to be trusted.
    pub(super) const fn distrust(&self) -> Option<Distrust> {
        match self {
            Self::Tls(HandshakeFault::BadCertificate(_)) => Some(Distrust::Certificate),
            Self::Tls(HandshakeFault::OldVersion) => Some(Distrust::TlsVersion),
            Self::Tls(HandshakeFault::NoCommonSuite) => Some(Distrust::CipherSuite),
            Self::Tls(_)
            | Self::NotPublic
            | Self::Tcp(_)
            | Self::Refused { .. }
            | Self::Upgrade(_)
            | Self::NoVersion
            | Self::Slow => None,
        }
    }

    /// What the operator asked for, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            Self::NotPublic | Self::Tcp(_) | Self::Tls(_) | Self::Upgrade(_) | Self::NoVersion | Self::Slow => None,
        }
    }
}

fn request(dial: &Dial, uri: Uri) -> Result<Request<()>, DialError> {
    let mut request = uri.into_client_request().map_err(|_| DialError::Address)?;
    let offer: Vec<&str> = dial.offer.iter().filter_map(|version| version.subprotocol()).collect();
    if offer.is_empty() {
        return Err(DialError::NoVersion);
    }
    let offer = HeaderValue::from_str(&offer.join(", ")).map_err(|_| DialError::NoVersion)?;
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, offer);
    // with every try (A00.FR.202, A00.FR.203; A00.FR.301, A00.FR.302)
    if let Some((user, password)) = &dial.basic {
        if user.contains(':') {
            return Err(DialError::Credentials);
        }
        let both = [user.as_bytes(), b":", password.expose().as_slice()].concat();
        let mut value = HeaderValue::from_str(&format!("Basic {}", BASE64_STANDARD.encode(both)))
            .map_err(|_| DialError::Credentials)?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(request)
}

fn upgrade_fault(error: &tungstenite::Error) -> CallFault {
    match error {
        tungstenite::Error::Http(response) => {
            let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let retry_after = seconds.map(Duration::from_secs).map(|wait| wait.min(RETRY_AFTER_MAX));
            CallFault::Refused { status: response.status(), retry_after }
        }
        tungstenite::Error::Io(error) => CallFault::Tls(HandshakeFault::of_io(error)),
        other => CallFault::Upgrade(other.to_string().into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn an_odd_identity_survives_the_address() {
        let station = StationId::new("RPC 001ü|#%?").unwrap();
        assert_eq!(
            station_url("wss://csms.example:9000/", &station),
            "wss://csms.example:9000/ocpp/RPC%20001%C3%BC%7C%23%25%3F"
        );
    }
}
