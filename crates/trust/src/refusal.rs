//! Refused certificates, told so that a technician at a station understands what to do.
//!
//! The verdict itself is rustls's (webpki): nothing here accepts what it refuses. This file only listens to the
//! verdict, names it, and puts the facts of the refused certificate beside it, because the handshake that fails
//! keeps neither.

use std::fmt;
use std::sync::Arc;

use charge::Timestamp;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use crate::certificate::Facts;

/// What is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    #[error("it has expired; renew it, or check the clocks")]
    Expired,
    #[error("it is not valid yet; check the clock of the machine that issued it, and ours")]
    NotYetValid,
    #[error("none of the authorities trusted here has issued it")]
    UnknownIssuer,
    #[error(
        "it carries the name of a trusted authority but not its signature; perhaps that authority's key has changed"
    )]
    BadSignature,
    #[error("whoever presented it does not hold its private key")]
    NotTheOwner,
    #[error("it was issued for another purpose (extended key usage)")]
    WrongPurpose,
    #[error("it was issued for another name")]
    WrongName,
    #[error("it has been revoked")]
    Revoked,
    #[error("it uses a signature algorithm that is not accepted here")]
    Algorithm,
    #[error("it is malformed, or of a form that is not accepted here ({0})")]
    Malformed(String),
}

impl CertificateFault {
    pub fn of(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::BadSignature => Self::BadSignature,
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => Self::WrongPurpose,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::WrongName,
            CertificateError::Revoked => Self::Revoked,
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => Self::Algorithm,
            // the enum is open: what it may say tomorrow is still a fault of the certificate's form
            other => Self::Malformed(other.to_string()),
        }
    }
}

/// A client certificate that was presented and refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub fault: CertificateFault,
    /// What the certificate says about itself, unproven. `None` where it cannot be read.
    pub facts: Option<Box<Facts>>,
}

impl Refused {
    /// Judges the life of a certificate that was verified at an earlier connection.
    pub(crate) fn if_lapsed(facts: &Facts, now: Timestamp) -> Option<Self> {
        let fault = if facts.valid_at(now) {
            return None;
        } else if now < facts.not_before {
            CertificateFault::NotYetValid
        } else {
            CertificateFault::Expired
        };
        Some(Self { fault, facts: Some(Box::new(facts.clone())) })
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client certificate refused: {}", self.fault)?;
        match &self.facts {
            Some(facts) => write!(f, " [{facts}]"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refused {}

/// Who hears of refusals. Called inside the handshake, on its thread: a tracing span around the handshake is the
/// place for the peer's address. Must not block, and must bound what a stranger can make it write.
pub type OnRefused = Arc<dyn Fn(Refused) + Send + Sync>;

/// A verifier that tells `on_refused` what the inner one refuses, and changes nothing else.
pub(crate) struct Watched {
    pub(crate) inner: Arc<dyn ClientCertVerifier>,
    pub(crate) on_refused: OnRefused,
}

impl Watched {
    fn tell(&self, fault: CertificateFault, certificate: &CertificateDer<'_>) {
        (self.on_refused)(Refused { fault, facts: Facts::read(certificate).ok().map(Box::new) });
    }

    /// The handshake's signature proves that the peer holds the key.
    fn told_if_not_owner<T>(&self, verdict: Result<T, Error>, certificate: &CertificateDer<'_>) -> Result<T, Error> {
        verdict.inspect_err(|error| match error {
            Error::InvalidCertificate(CertificateError::BadSignature) => {
                self.tell(CertificateFault::NotTheOwner, certificate);
            }
            other => self.tell(fault_of(other), certificate),
        })
    }
}

fn fault_of(error: &Error) -> CertificateFault {
    match error {
        Error::InvalidCertificate(certificate) => CertificateFault::of(certificate),
        other => CertificateFault::Malformed(other.to_string()),
    }
}

impl ClientCertVerifier for Watched {
    fn offer_client_auth(&self) -> bool {
        self.inner.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.inner
            .verify_client_cert(end_entity, intermediates, now)
            .inspect_err(|error| self.tell(fault_of(error), end_entity))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.told_if_not_owner(self.inner.verify_tls12_signature(message, certificate, signed), certificate)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.told_if_not_owner(self.inner.verify_tls13_signature(message, certificate, signed), certificate)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watched").field(&self.inner).finish()
    }
}
