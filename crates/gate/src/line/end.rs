//! Why a connection ends, what the peer hears of it (RFC 6455, 7.4.1) and what the log says.

use std::fmt;

use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Utf8Bytes};

/// A close reason fits in a control frame (RFC 6455, 5.5: 125 bytes, two of them for the code).
const REASON_BYTES_MAX: usize = 123;

/// The end was wished on this side, from outside the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// A newer connection of the same station was let in.
    Replaced,
    HungUp(Box<str>),
    /// The process stops.
    Stopping,
    /// A simulated outage: no farewell.
    Cut,
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Wished(Ending),
    /// The peer said goodbye, perhaps with a code and a reason.
    Left(Option<(u16, Box<str>)>),
    /// The stream ended or failed without a goodbye.
    Lost(Box<str>),
    /// Nothing came for too long.
    Silent,
    /// The peer takes nothing any more.
    Stalled,
    TooLong,
    Binary,
    NotUtf8,
    /// A frame is marked as compressed, and compression was not agreed.
    Compressed,
    BrokenFraming(Box<str>),
    /// Our own fault; the log has more.
    Broken,
}

impl End {
    /// What reading or writing the socket ended with.
    pub fn of(error: Error) -> Self {
        match error {
            Error::ConnectionClosed | Error::AlreadyClosed => Self::Left(None),
            Error::Capacity(_) => Self::TooLong,
            Error::Utf8(_) => Self::NotUtf8,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Lost("without a goodbye".into()),
            Error::Protocol(ProtocolError::NonZeroReservedBits) => Self::Compressed,
            Error::Protocol(why) => Self::BrokenFraming(why.to_string().into()),
            Error::Io(why) => Self::Lost(why.kind().to_string().into()),
            // not met while talking: handshake errors, and kinds of TLS that are not compiled in
            Error::WriteBufferFull(_)
            | Error::Tls(_)
            | Error::AttackAttempt
            | Error::Url(_)
            | Error::Http(_)
            | Error::HttpFormat(_) => Self::Broken,
        }
    }

    /// What the peer hears; `None` where there is nobody to hear it, or the goodbye is already under way.
    pub fn farewell(&self) -> Option<CloseFrame> {
        let code = match self {
            Self::Wished(Ending::Cut) | Self::Left(_) | Self::Lost(_) | Self::Stalled => return None,
            Self::Wished(Ending::Replaced) => CloseCode::Policy,
            Self::Wished(Ending::HungUp(_)) | Self::Silent => CloseCode::Normal,
            Self::Wished(Ending::Stopping) => CloseCode::Away,
            Self::TooLong => CloseCode::Size,
            Self::Binary => CloseCode::Unsupported,
            Self::NotUtf8 => CloseCode::Invalid,
            Self::Compressed | Self::BrokenFraming(_) => CloseCode::Protocol,
            Self::Broken => CloseCode::Error,
        };
        Some(CloseFrame { code, reason: reason(&self.to_string()) })
    }

    /// Is it worth waiting until the peer has heard the farewell? Not where it is probably dead.
    pub fn lingers(&self) -> bool {
        match self {
            Self::Wished(Ending::HungUp(_) | Ending::Stopping)
            | Self::TooLong
            | Self::Binary
            | Self::NotUtf8
            | Self::Compressed
            | Self::BrokenFraming(_)
            | Self::Broken => true,
            Self::Wished(Ending::Replaced | Ending::Cut)
            | Self::Left(_)
            | Self::Lost(_)
            | Self::Silent
            | Self::Stalled => false,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wished(Ending::Replaced) => f.write_str("a newer connection of the same station took over"),
            Self::Wished(Ending::HungUp(why)) => write!(f, "hung up: {why}"),
            Self::Wished(Ending::Stopping) => f.write_str("this side stops"),
            Self::Wished(Ending::Cut) => f.write_str("the line was cut"),
            Self::Left(None) => f.write_str("the peer left"),
            Self::Left(Some((code, why))) if why.is_empty() => write!(f, "the peer left with code {code}"),
            Self::Left(Some((code, why))) => write!(f, "the peer left with code {code}: {why}"),
            Self::Lost(why) => write!(f, "the line was lost: {why}"),
            Self::Silent => f.write_str("nothing was heard for too long"),
            Self::Stalled => f.write_str("the peer took nothing for too long"),
            Self::TooLong => f.write_str("a message is longer than this side reads"),
            Self::Binary => f.write_str("binary frames are not OCPP"),
            Self::NotUtf8 => f.write_str("a text frame is not UTF-8"),
            Self::Compressed => {
                f.write_str("a frame has reserved bits, as compressed ones do; compression was not agreed")
            }
            Self::BrokenFraming(why) => write!(f, "WebSocket framing is broken: {why}"),
            Self::Broken => f.write_str("internal error"),
        }
    }
}

fn reason(text: &str) -> Utf8Bytes {
    let end = (0..=REASON_BYTES_MAX.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    Utf8Bytes::from(&text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_fits_into_a_control_frame() {
        assert_eq!(reason(&"ü".repeat(100)).len(), 122);
        assert_eq!(reason("short").as_str(), "short");
    }
}
