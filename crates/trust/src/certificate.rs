//! Reading certificates: the facts that doors compare and technicians read.
//!
//! Reading proves nothing. Facts come from verified and from refused certificates alike; only the place they were
//! taken from ([`crate::tls::presented`] or a refusal) says which. Texts from the outside are made printable, so that
//! nobody writes lines into our logs.

use std::fmt;

use aws_lc_rs::digest;
use charge::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::oid_registry::{OID_EC_P256, OID_NIST_EC_P384, OID_NIST_EC_P521, OID_SIG_ED25519};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{AttributeTypeAndValue, SubjectPublicKeyInfo};

use crate::hex;

/// RFC 5280, appendix A.1, `ub-common-name` and `ub-organization-name`: longer names are cut for display.
const NAME_CHARACTERS_MAX: usize = 64;

/// The bytes are no X.509 certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no X.509 certificate")]
pub struct NotACertificate;

/// What a certificate says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// CN. For a station its serial number (OCPP A00.FR.404). `None` also where there are several.
    pub common_name: Option<String>,
    /// O. For a station the operator's name (OCPP A00.FR.405). `None` also where there are several.
    pub organisation: Option<String>,
    /// The CN of whoever claims to have issued it.
    pub issuer: Option<String>,
    /// The certificate's own serial number: lower-case hex without leading zeros.
    pub serial_hex: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// SHA-256 of the whole certificate in lower-case hex.
    pub fingerprint: String,
    pub key_kind: KeyKind,
}

/// The subject's key. OCPP asks for 2048 bit of RSA or 224 of EC at least (A00.FR.502 to .508).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    P256,
    P384,
    P521,
    Ed25519,
    /// With the size of its modulus in bits.
    Rsa(u32),
    Other,
}

impl Facts {
    /// The first certificate of a text in PEM.
    pub fn read_pem(pem: &str) -> Result<Self, NotACertificate> {
        Self::read(&CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| NotACertificate)?)
    }

    pub fn read(der: &[u8]) -> Result<Self, NotACertificate> {
        let (_rest, certificate) =
            x509_parser::certificate::X509Certificate::from_der(der).map_err(|_| NotACertificate)?;
        Ok(Self {
            common_name: only(certificate.subject().iter_common_name()),
            organisation: only(certificate.subject().iter_organization()),
            issuer: only(certificate.issuer().iter_common_name()),
            serial_hex: serial(certificate.raw_serial()),
            not_before: Timestamp::from_secs(certificate.validity().not_before.timestamp()),
            not_after: Timestamp::from_secs(certificate.validity().not_after.timestamp()),
            fingerprint: hex::encode(digest::digest(&digest::SHA256, der).as_ref()),
            key_kind: key_kind(certificate.public_key()),
        })
    }

    /// Is this a moment within the certificate's life? Both ends belong to it (RFC 5280, 4.1.2.5).
    pub fn valid_at(&self, now: Timestamp) -> bool {
        (self.not_before..=self.not_after).contains(&now.whole_seconds())
    }
}

/// For log lines: who, by whom, until when.
impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "?".to_owned());
        write!(
            f,
            "CN={} O={} issued by {}, valid from {} to {}, {}, serial number {}, SHA-256 {}",
            name(&self.common_name),
            name(&self.organisation),
            name(&self.issuer),
            self.not_before,
            self.not_after,
            self.key_kind,
            self.serial_hex,
            self.fingerprint,
        )
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::P256 => f.write_str("EC P-256"),
            Self::P384 => f.write_str("EC P-384"),
            Self::P521 => f.write_str("EC P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::Other => f.write_str("another kind of key"),
        }
    }
}

/// The one value of a name's attribute. Two of them would let a door and a reader see different ones.
pub(crate) fn only<'a>(mut attributes: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>) -> Option<String> {
    let first = attributes.next()?;
    if attributes.next().is_some() {
        return None;
    }
    first.as_str().ok().map(printable)
}

fn printable(text: &str) -> String {
    text.chars().take(NAME_CHARACTERS_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn serial(raw: &[u8]) -> String {
    let text = hex::encode(raw);
    let short = text.trim_start_matches('0');
    if short.is_empty() { "0".to_owned() } else { short.to_owned() }
}

pub(crate) fn key_kind(key: &SubjectPublicKeyInfo<'_>) -> KeyKind {
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => u32::try_from(rsa.key_size()).map_or(KeyKind::Other, KeyKind::Rsa),
        Ok(PublicKey::EC(_)) => {
            let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
            match curve {
                Some(curve) if curve == OID_EC_P256 => KeyKind::P256,
                Some(curve) if curve == OID_NIST_EC_P384 => KeyKind::P384,
                Some(curve) if curve == OID_NIST_EC_P521 => KeyKind::P521,
                Some(_) | None => KeyKind::Other,
            }
        }
        Ok(_) | Err(_) if key.algorithm.algorithm == OID_SIG_ED25519 => KeyKind::Ed25519,
        Ok(_) | Err(_) => KeyKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_texts_cannot_write_log_lines() {
        assert_eq!(printable("RPC-1\nINFO all well\u{1b}[31m"), "RPC-1\u{fffd}INFO all well\u{fffd}[31m");
        assert_eq!(printable(&"x".repeat(1000)).len(), NAME_CHARACTERS_MAX);
    }

    #[test]
    fn serial_numbers_have_no_leading_zeros() {
        assert_eq!(serial(&[0x00, 0x0f, 0xa0]), "fa0");
        assert_eq!(serial(&[0]), "0");
    }

    #[test]
    fn garbage_is_no_certificate() {
        assert_eq!(Facts::read(b"adsad"), Err(NotACertificate));
        assert_eq!(Facts::read(&[]), Err(NotACertificate));
    }
}
