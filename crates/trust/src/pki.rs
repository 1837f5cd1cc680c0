//! A small certificate authority: P-256, one level, for the operator's stations, the parties and their servers.
//!
//! It issues and keeps no list of what it issued: the inventory knows every certificate by its fingerprint, and that
//! is where one is withdrawn. Keys of stations that make their own (SignCertificate) never come here. Invariant: a
//! certificate ends no later than its authority, and its names were checked before they were signed.

mod request;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use charge::id::PartyId;
use charge::{Dice, Secret, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData, SerialNumber,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use x509_parser::prelude::FromDer;

use crate::certificate::Facts;
use crate::private_file::{self, FileFault};

pub use request::SigningRequest;

/// Stations' clocks go wrong: a certificate is valid a little before it was issued.
const BACKDATED: Duration = Duration::from_secs(3600);
/// RFC 5280, appendix A.1, `ub-common-name`.
const NAME_CHARACTERS_MAX: usize = 64;
/// A server of ours answers to a handful of names; a hundred is a mistake in a configuration.
const SERVER_NAMES_MAX: usize = 100;
/// The last second that X.509 can write: 9999-12-31T23:59:59Z (RFC 5280, 4.1.2.5).
const LAST_SECOND: i64 = 253_402_300_799;

/// Why something could not be issued or loaded.
#[derive(Debug, thiserror::Error)]
pub enum PkiFault {
    #[error("the name is empty, longer than {NAME_CHARACTERS_MAX} characters, or has control characters")]
    BadName,
    #[error("\"{0}\" is neither a DNS name nor an IP address")]
    BadServerName(String),
    #[error("a server certificate needs 1 to {SERVER_NAMES_MAX} names")]
    ServerNames,
    #[error("the authority is not valid now: {0}")]
    AuthorityNotValid(Box<Facts>),
    #[error("the certificate is not the one of a certificate authority")]
    NotAnAuthority,
    #[error("the key does not belong to the certificate")]
    KeyMismatch,
    #[error("the certificate or the key is malformed")]
    Malformed,
    #[error("the certificate could not be made: {0}")]
    NotIssued(#[from] rcgen::Error),
}

/// A certificate chain and the key that belongs to its first certificate.
#[derive(Clone, Debug)]
pub struct Identity {
    /// PEM, the holder's own certificate first.
    pub chain_pem: String,
    /// PKCS#8 in PEM.
    pub key_pem: Secret<String>,
}

impl Identity {
    /// The facts of the holder's own certificate.
    pub fn facts(&self) -> Result<Facts, PkiFault> {
        let leaf = first_certificate(&self.chain_pem)?;
        Facts::read(&leaf).map_err(|_| PkiFault::Malformed)
    }

    /// Writes key and chain into one file of mode 0600, as a whole: they never disagree after a crash.
    pub fn write(&self, path: &Path) -> Result<(), FileFault> {
        private_file::write(path, format!("{}{}", self.key_pem.expose(), self.chain_pem).as_bytes())
    }

    /// Reads what [`Identity::write`] wrote, or a file of the same form.
    pub fn read(path: &Path) -> Result<Self, FileFault> {
        const KEY_END: &str = "-----END PRIVATE KEY-----";
        let malformed = || FileFault::Malformed {
            path: path.to_owned(),
            expected: "a PKCS#8 key in PEM followed by its certificates",
        };
        let content = String::from_utf8(private_file::read(path)?).map_err(|_| malformed())?;
        let key_ends = content.find(KEY_END).ok_or_else(malformed)? + KEY_END.len();
        let (key, chain) = content.split_at(key_ends);
        let identity =
            Self { chain_pem: chain.trim_start().to_owned(), key_pem: Secret::new(format!("{}\n", key.trim_start())) };
        identity.facts().map_err(|_| malformed())?;
        Ok(identity)
    }
}

/// A certificate authority with its key.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
    facts: Facts,
}

impl Authority {
    /// A new self-signed authority.
    pub fn create(name: &str, valid_for: Duration, now: Timestamp, dice: &dyn Dice) -> Result<Self, PkiFault> {
        let mut params = subject(&[(DnType::CommonName, name)])?;
        period(&mut params, now.minus(BACKDATED), now.plus(valid_for));
        params.serial_number = Some(serial_number(dice));
        // one level: what it issues cannot issue
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate_pem = params.self_signed(&key)?.pem();
        Self::load(&Identity { chain_pem: certificate_pem, key_pem: Secret::new(key.serialize_pem()) })
    }

    /// An authority that was created before.
    pub fn load(identity: &Identity) -> Result<Self, PkiFault> {
        let certificate = first_certificate(&identity.chain_pem)?;
        let key = KeyPair::from_pem(identity.key_pem.expose()).map_err(|_| PkiFault::Malformed)?;
        let (_rest, parsed) =
            x509_parser::certificate::X509Certificate::from_der(&certificate).map_err(|_| PkiFault::Malformed)?;
        if !parsed.is_ca() {
            return Err(PkiFault::NotAnAuthority);
        }
        if parsed.public_key().raw != key.subject_public_key_info() {
            return Err(PkiFault::KeyMismatch);
        }
        let facts = Facts::read(&certificate).map_err(|_| PkiFault::Malformed)?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        Ok(Self { issuer, certificate_pem: identity.chain_pem.clone(), facts })
    }

    /// Certificate and key, to be written.
    pub fn identity(&self) -> Identity {
        Identity { chain_pem: self.certificate_pem.clone(), key_pem: Secret::new(self.issuer.key().serialize_pem()) }
    }

    /// The certificate alone: what others trust.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// A certificate for a server of ours. The names are DNS names or IP addresses; the first one is also the CN,
    /// because stations compare the CN (OCPP A00.FR.309, A00.FR.412, A00.FR.510) and all others compare the SAN.
    ///
    /// The chain carries the authority too: some stations cannot complete one.
    pub fn server_certificate(
        &self,
        names: &[String],
        valid_for: Duration,
        now: Timestamp,
        dice: &dyn Dice,
    ) -> Result<Identity, PkiFault> {
        let first = names.first().filter(|_| names.len() <= SERVER_NAMES_MAX).ok_or(PkiFault::ServerNames)?;
        for name in names {
            ServerName::try_from(name.as_str()).map_err(|_| PkiFault::BadServerName(name.clone()))?;
        }
        let mut params = subject(&[(DnType::CommonName, first)])?;
        params.subject_alt_names = CertificateParams::new(names)?.subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let mut identity = self.issue(params, valid_for, now, dice)?;
        identity.chain_pem.push_str(&self.certificate_pem);
        Ok(identity)
    }

    /// A certificate for a station: CN is its serial number, O the operator's name (OCPP A00.FR.404, .405, .511).
    /// It has no extended key usage, which OCPP discourages (A00.FR.514), and no SAN, so it can be no server's.
    pub fn station_certificate(
        &self,
        serial_number: &str,
        operator: &str,
        valid_for: Duration,
        now: Timestamp,
        dice: &dyn Dice,
    ) -> Result<Identity, PkiFault> {
        let params = subject(&[(DnType::CommonName, serial_number), (DnType::OrganizationName, operator)])?;
        self.issue(params, valid_for, now, dice)
    }

    /// A certificate with which a party proves itself to another as a client: CN is its id, as in `DE-8AA`.
    pub fn party_certificate(
        &self,
        party: PartyId,
        valid_for: Duration,
        now: Timestamp,
        dice: &dyn Dice,
    ) -> Result<Identity, PkiFault> {
        let mut params = subject(&[(DnType::CommonName, &party.to_string())])?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params, valid_for, now, dice)
    }

    fn issue(
        &self,
        mut params: CertificateParams,
        valid_for: Duration,
        now: Timestamp,
        dice: &dyn Dice,
    ) -> Result<Identity, PkiFault> {
        if !self.facts.valid_at(now) {
            return Err(PkiFault::AuthorityNotValid(Box::new(self.facts.clone())));
        }
        period(&mut params, now.minus(BACKDATED), now.plus(valid_for).min(self.facts.not_after));
        params.serial_number = Some(serial_number(dice));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Identity { chain_pem: certificate.pem(), key_pem: Secret::new(key.serialize_pem()) })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(authority {})", self.facts)
    }
}

fn subject(attributes: &[(DnType, &str)]) -> Result<CertificateParams, PkiFault> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    for (kind, value) in attributes {
        let fits = !value.trim().is_empty()
            && value.chars().count() <= NAME_CHARACTERS_MAX
            && !value.chars().any(char::is_control);
        if !fits {
            return Err(PkiFault::BadName);
        }
        params.distinguished_name.push(kind.clone(), *value);
    }
    Ok(params)
}

fn period(params: &mut CertificateParams, from: Timestamp, to: Timestamp) {
    let date = |at: Timestamp| {
        let seconds = u64::try_from(at.secs().min(LAST_SECOND)).unwrap_or(0);
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds)
    };
    params.not_before = date(from);
    params.not_after = date(to);
}

/// 126 random bits: unique, positive, and without a leading zero (RFC 5280, 4.1.2.2; OCPP A00.FR.502 to .508).
fn serial_number(dice: &dyn Dice) -> SerialNumber {
    let mut bytes = [0u8; 16];
    dice.fill(&mut bytes);
    bytes[0] = bytes[0] & 0x3f | 0x40;
    SerialNumber::from_slice(&bytes)
}

fn first_certificate(pem: &str) -> Result<CertificateDer<'static>, PkiFault> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| PkiFault::Malformed)
}

#[cfg(test)]
mod tests;
