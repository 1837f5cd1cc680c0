//! Where things are: the layout of our own URLs, percent-encoding, queries, origins.
//!
//! Sender's and receiver's interfaces have paths of their own, because `GET locations/{a}/{b}/{c}` means two things.

use charge::id::OrderId;
use charge::talk::road::OrderKind;

use crate::versions::Version;
use crate::wire::{Module, Side, order_module, order_word};

/// The path of the list of versions, below a base such as `https://hub.example`.
pub const VERSIONS: &str = "/ocpi/versions";

pub fn versions(base: &str) -> String {
    format!("{base}{VERSIONS}")
}

pub fn details(base: &str, version: Version) -> String {
    format!("{base}/ocpi/{}", version.as_str())
}

pub fn credentials(base: &str, version: Version) -> String {
    format!("{base}/ocpi/{}/credentials", version.as_str())
}

pub fn endpoint(base: &str, version: Version, module: Module, side: Side) -> String {
    format!("{base}/ocpi/{}/{}/{}", version.as_str(), side.segment(), module.as_str())
}

/// Where an order's outcome is to be sent (`response_url`): the order is the last segment.
pub fn callback(base: &str, version: Version, kind: OrderKind, order: &OrderId) -> String {
    let order = encode(order.as_str());
    format!("{}/{}/{order}", endpoint(base, version, order_module(kind), Side::Sender), order_word(kind))
}

/// Scheme, host and port of a URL, in lower case; `None` where it is no `https` URL with a plain host.
pub fn origin(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let plain = authority.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b':' | b'[' | b']'));
    (plain && !authority.is_empty()).then(|| format!("https://{}", authority.to_ascii_lowercase()))
}

/// One path segment or query value: everything but the unreserved characters of RFC 3986 is escaped.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    // a segment of dots would be resolved away
    if matches!(out.as_str(), "." | "..") { out.replace('.', "%2E") } else { out }
}

/// `None` for a broken escape or bytes that are no text.
pub fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            let digits = std::str::from_utf8(&digits).ok().filter(|two| two.bytes().all(|c| c.is_ascii_hexdigit()))?;
            out.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// The pairs of a query, decoded.
pub fn pairs(query: &str) -> Option<Vec<(String, String)>> {
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        Some((decode(name)?, decode(&value.replace('+', "%20"))?))
    };
    query.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

/// A query from pairs, encoded.
pub fn query(pairs: &[(&str, String)]) -> String {
    let parts: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    parts.join("&")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn what_is_encoded_decodes_to_itself() {
        for text in ["04A2B3", "a/b?c=d&e#f", "ü ö", "..", "%2F", "a+b"] {
            assert!(!encode(text).contains(['/', '?', '#', ' ', '+']));
            assert_eq!(decode(&encode(text)).as_deref(), Some(text));
            assert_eq!(pairs(&query(&[("k", text.to_owned())])).unwrap(), [("k".to_owned(), text.to_owned())]);
        }
        assert_eq!(encode(".."), "%2E%2E");
        for broken in ["%", "%4", "%zz", "%+1", "%ff"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
    }

    #[test]
    fn an_origin_has_no_tricks() {
        assert_eq!(origin("https://Hub.Example:8443/a?b").as_deref(), Some("https://hub.example:8443"));
        assert_eq!(origin("https://[::1]:8443").as_deref(), Some("https://[::1]:8443"));
        for bad in ["http://hub.example/", "https://", "https://hub.example@evil.example/", "ftp://x", "hub"] {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }
}
