//! Why a TLS handshake failed, in words that say what to mend and on which side.
//!
//! Reads the error that rustls (alone or inside an [`io::Error`], as tokio-rustls hands it over) ends a handshake
//! with. It deliberately repeats nothing that the peer sent, so its texts are safe to log and to show.

use std::io;

use rustls::{AlertDescription, Error, InvalidMessage, PeerIncompatible};

use crate::refusal::CertificateFault;

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeFault {
    #[error("the peer does not speak TLS; perhaps it uses ws:// or http:// on a port for wss:// or https://")]
    NotTls,
    #[error("the peer offers nothing newer than TLS 1.1; 1.2 is the least accepted")]
    OldVersion,
    #[error("the peer offers no cipher suite in common: ECDHE with AES-GCM or ChaCha20 is needed, CBC is refused")]
    NoCommonSuite,
    #[error("the peer offers no key exchange in common: ECDHE over X25519 or P-256 is needed, static RSA is refused")]
    NoCommonKeyExchange,
    #[error("the peer offers no signature scheme in common: ECDSA over P-256 with SHA-256 is needed")]
    NoCommonSignature,
    #[error("the peer presented no certificate, and here it must")]
    NoCertificate,
    #[error("the peer's certificate is refused: {0}")]
    BadCertificate(CertificateFault),
    #[error(
        "the peer refuses our certificate ({0}); see which authority it trusts, which name it calls us, and its clock"
    )]
    RefusesUs(&'static str),
    #[error("the peer asks for no application protocol that is served here")]
    NoCommonProtocol,
    #[error("the peer hung up during the handshake, as some do that do not trust our certificate")]
    HungUp,
    #[error("the peer ended the handshake with the alert {0}")]
    Alert(String),
    #[error("the connection failed during the handshake: {0}")]
    Network(io::ErrorKind),
    #[error("the peer breaks the rules of TLS: {0}")]
    Protocol(String),
}

impl HandshakeFault {
    /// What ended a handshake over a socket.
    pub fn of_io(error: &io::Error) -> Self {
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            return Self::of(tls);
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Self::HungUp,
            kind => Self::Network(kind),
        }
    }

    pub fn of(error: &Error) -> Self {
        match error {
            Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
                Self::NotTls
            }
            Error::PeerIncompatible(why) => Self::incompatible(why),
            Error::NoCertificatesPresented => Self::NoCertificate,
            Error::InvalidCertificate(fault) => Self::BadCertificate(CertificateFault::of(fault)),
            Error::NoApplicationProtocol => Self::NoCommonProtocol,
            Error::AlertReceived(alert) => Self::alert(*alert),
            other => Self::Protocol(other.to_string()),
        }
    }

    fn incompatible(why: &PeerIncompatible) -> Self {
        match why {
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::SupportedVersionsExtensionRequired
            // the extension came with TLS 1.2: a greeting without it is an older one's
            | PeerIncompatible::SignatureAlgorithmsExtensionRequired => Self::OldVersion,
            PeerIncompatible::NoCipherSuitesInCommon => Self::NoCommonSuite,
            // a peer that knows static RSA only names no groups at all, and fails on them first
            PeerIncompatible::NoKxGroupsInCommon
            | PeerIncompatible::NoEcPointFormatsInCommon
            | PeerIncompatible::NamedGroupsExtensionRequired => Self::NoCommonKeyExchange,
            PeerIncompatible::NoSignatureSchemesInCommon
            | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => Self::NoCommonSignature,
            other => Self::Protocol(format!("{other:?}")),
        }
    }

    fn alert(alert: AlertDescription) -> Self {
        match alert {
            AlertDescription::UnknownCA => Self::RefusesUs("it does not know our authority"),
            AlertDescription::CertificateExpired => Self::RefusesUs("it takes it for expired"),
            AlertDescription::CertificateRevoked => Self::RefusesUs("it takes it for revoked"),
            AlertDescription::BadCertificate => Self::RefusesUs("it cannot use it, or it is for another name"),
            AlertDescription::UnsupportedCertificate => Self::RefusesUs("it cannot read this kind of certificate"),
            AlertDescription::CertificateUnknown => Self::RefusesUs("without a reason"),
            AlertDescription::AccessDenied => Self::RefusesUs("it is valid and not admitted"),
            AlertDescription::CertificateRequired => Self::RefusesUs("we presented none, and there we must"),
            AlertDescription::ProtocolVersion => Self::OldVersion,
            other => Self::Alert(format!("{other:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_error_carries_the_tls_reason() {
        let inside = io::Error::new(io::ErrorKind::InvalidData, Error::NoCertificatesPresented);
        assert_eq!(HandshakeFault::of_io(&inside), HandshakeFault::NoCertificate);
        assert_eq!(HandshakeFault::of_io(&io::ErrorKind::ConnectionReset.into()), HandshakeFault::HungUp);
        let timeout = HandshakeFault::of_io(&io::ErrorKind::TimedOut.into());
        assert_eq!(timeout, HandshakeFault::Network(io::ErrorKind::TimedOut));
    }

    #[test]
    fn a_station_that_distrusts_us_is_told_from_one_that_breaks_tls() {
        let distrust = HandshakeFault::of(&Error::AlertReceived(AlertDescription::UnknownCA));
        assert!(distrust.to_string().contains("does not know our authority"));
        let cbc = HandshakeFault::of(&Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon));
        assert!(cbc.to_string().contains("CBC"));
    }
}
