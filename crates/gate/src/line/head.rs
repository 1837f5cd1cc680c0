//! The request head of a station: who it says it is and what it offers, read within bounds and before any trust.
//!
//! Only what the upgrade needs is read (RFC 6455, 4.2.1; OCPP-J 1.6, 3.1; OCPP 2.0.1 part 4, 3.1). Nothing is
//! decided here: the desk gets the facts, and a head that is no upgrade is told what is wrong with it.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use charge::Secret;
use http::header::{AUTHORIZATION, HeaderMap, SEC_WEBSOCKET_PROTOCOL};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::handshake::machine::TryParse;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response, create_response};

use super::limits::OFFERS_MAX;
use crate::limits::HEAD_BYTES_MAX;

/// Stations exist that leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const HEAD_END: &[u8] = b"\r\n\r\n";
/// The first byte of a TLS handshake, where plain text was expected.
const TLS_HANDSHAKE: u8 = 0x16;

/// Why no head could be read. All of it is the peer's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadHead {
    #[error("the peer hung up before it had sent a request")]
    HungUp,
    #[error("the request head is longer than {HEAD_BYTES_MAX} bytes")]
    TooLong,
    #[error("the peer speaks TLS on the port for plain connections; its address should begin with wss://")]
    Tls,
    #[error("this is no request for a WebSocket: {0}")]
    NoUpgrade(Box<str>),
}

/// A proper request to upgrade.
#[derive(Debug)]
pub(super) struct Head {
    /// Without the query.
    pub path: String,
    /// The decoded identity; `None` where the path cannot name a station.
    pub identity: Option<String>,
    pub basic: Option<(String, Secret<Vec<u8>>)>,
    pub offered: Vec<String>,
    /// The answer that completes the upgrade, without a subprotocol.
    pub upgrade: Response,
    /// What came after the head already.
    pub rest: Vec<u8>,
}

/// Reads the head. Reads on for as long as the peer sends it: the caller sets the time.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Head, BadHead> {
    let mut bytes = Vec::with_capacity(1024);
    let mut searched = 0;
    let end = loop {
        if bytes.len() >= HEAD_BYTES_MAX {
            return Err(BadHead::TooLong);
        }
        match stream.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return Err(BadHead::HungUp),
            Ok(_) => {}
        }
        if bytes.first() == Some(&TLS_HANDSHAKE) {
            return Err(BadHead::Tls);
        }
        if let Some(at) = bytes[searched..].windows(HEAD_END.len()).position(|window| window == HEAD_END) {
            break searched + at + HEAD_END.len();
        }
        searched = bytes.len().saturating_sub(HEAD_END.len() - 1);
    };
    let rest = bytes.split_off(end);
    parse(&bytes, rest)
}

fn parse(bytes: &[u8], rest: Vec<u8>) -> Result<Head, BadHead> {
    let no_upgrade = |error: Error| BadHead::NoUpgrade(error.to_string().into());
    let (_size, request) = Request::try_parse(bytes)
        .map_err(no_upgrade)?
        .ok_or_else(|| BadHead::NoUpgrade("the request is incomplete".into()))?;
    let upgrade = create_response(&request).map_err(no_upgrade)?;
    let path = request.uri().path().to_owned();
    Ok(Head {
        identity: identity(&path),
        basic: basic(request.headers()),
        offered: offered(request.headers()),
        path,
        upgrade,
        rest,
    })
}

/// The station of a path: `/ocpp/<identity>` or `/<identity>`, decoded once, empty segments left out because
/// stations join addresses carelessly. A literal plus is a plus.
pub(super) fn identity(path: &str) -> Option<String> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let last = match segments.as_slice() {
        [last] | ["ocpp", last] => last,
        _ => return None,
    };
    let decoded = percent_decoded(last)?;
    (!decoded.chars().any(char::is_control)).then_some(decoded)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// User and password, split at the first colon of the bytes: passwords exist that are not UTF-8 (OCPP 1.6 security
/// whitepaper, AuthorizationKey). Anything else than a proper Basic header counts as none.
pub(super) fn basic(headers: &HeaderMap) -> Option<(String, Secret<Vec<u8>>)> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, encoded) = value.split_at_checked("Basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    let mut user = BASE64.decode(encoded.trim_ascii()).ok()?;
    let colon = user.iter().position(|byte| *byte == b':')?;
    let password = user.split_off(colon + 1);
    user.truncate(colon);
    Some((String::from_utf8(user).ok()?, Secret::new(password)))
}

/// The subprotocols offered, over all headers of that name, in the station's order.
fn offered(headers: &HeaderMap) -> Vec<String> {
    let lists = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let names = lists.flat_map(|list| list.split(',')).map(str::trim).filter(|name| !name.is_empty());
    names.take(OFFERS_MAX).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn head(path: &str, more: &str) -> Vec<u8> {
        format!(
            "GET {path} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
        )
        .into_bytes()
    }

    #[test]
    fn odd_paths_name_the_station_that_is_meant() {
        // the quirk frames H04 to H07, and the path of the field
        for (path, meant) in [
            ("/ocpp/QK-01", Some("QK-01")),
            ("///QK-04", Some("QK-04")),
            ("/ocpp//RPC%20001%C3%BC/", Some("RPC 001ü")),
            ("/ocpp/RDAM%7C123", Some("RDAM|123")),
            ("/ocpp/+49*861*0125*0013", Some("+49*861*0125*0013")),
            ("/ocpp/100%2525", Some("100%25")),
            ("/ws://192.0.2.10:9000/CP_1/SERIAL_1234", None),
            ("/ocpp/%GG", None),
            ("/ocpp/%F", None),
            ("/ocpp/%FF%FE", None),
            ("/ocpp/a%0Ab", None),
            ("/", None),
        ] {
            assert_eq!(identity(path).as_deref(), meant, "{path}");
        }
    }

    #[test]
    fn a_password_of_raw_bytes_is_split_at_the_first_colon() {
        let mut headers = HeaderMap::new();
        // the quirk frame H10: "QK-10:" and 20 bytes that are no UTF-8
        headers.insert(AUTHORIZATION, "Basic UUstMTA6ASNFZ4mrze8BI0VniavN7wEjRWc=".parse().unwrap());
        let (user, password) = basic(&headers).unwrap();
        assert_eq!(user, "QK-10");
        assert_eq!(password.expose().len(), 20);
        assert!(String::from_utf8(password.expose().clone()).is_err());
        headers.insert(AUTHORIZATION, "bASIC YTpiOmM".parse().unwrap());
        let (user, password) = basic(&headers).unwrap();
        assert_eq!((user.as_str(), password.expose().as_slice()), ("a", b"b:c".as_slice()));
        for none in ["Bearer x", "Basic", "Basic !!!", "Basic YQ=="] {
            headers.insert(AUTHORIZATION, none.parse().unwrap());
            assert!(basic(&headers).is_none(), "{none}");
        }
    }

    #[test]
    fn an_upgrade_without_its_header_is_told_so() {
        // the quirk frame H11
        let error = parse(&head("/ocpp/QK-11", ""), Vec::new()).unwrap_err();
        assert!(matches!(&error, BadHead::NoUpgrade(why) if why.contains("Connection: upgrade")), "{error}");
    }

    #[test]
    fn offers_come_in_the_order_of_the_station() {
        let more = "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Protocol: ocpp1.6, ocpp1.5\r\n\
                    Sec-WebSocket-Protocol: ,ocpp2.0.1\r\n";
        let head = parse(&head("/ocpp/X?token=y", more), Vec::new()).unwrap();
        assert_eq!(head.offered, ["ocpp1.6", "ocpp1.5", "ocpp2.0.1"]);
        assert_eq!(head.path, "/ocpp/X");
        assert_eq!(head.identity.as_deref(), Some("X"));
    }

    #[tokio::test]
    async fn a_head_is_bounded_and_keeps_what_follows() {
        let mut endless: &[u8] = &[b'a'; 2 * HEAD_BYTES_MAX];
        assert_eq!(read(&mut endless).await.unwrap_err(), BadHead::TooLong);
        let mut greeting: &[u8] = &[TLS_HANDSHAKE, 3, 1];
        assert_eq!(read(&mut greeting).await.unwrap_err(), BadHead::Tls);
        let mut early = head("/ocpp/X", "Connection: Upgrade\r\n");
        early.extend_from_slice(b"\x81\x80");
        assert_eq!(read(&mut early.as_slice()).await.unwrap().rest, b"\x81\x80");
        let mut cut: &[u8] = b"GET /ocpp/X HTTP/1.1\r\n";
        assert_eq!(read(&mut cut).await.unwrap_err(), BadHead::HungUp);
    }
}
