//! Certificate signing requests of stations: read, judged, and signed (OCPP 2.x A02, A03; 1.6 security whitepaper).
//!
//! A request proves that its sender holds the key and says a name; it decides nothing else. Of what it asks for only
//! the key is taken over: names and uses are ours, so a request cannot make itself a server or an authority.

use std::time::Duration;

use charge::{Dice, Timestamp};
use rcgen::{CertificateSigningRequestParams, DnType};
use rustls_pki_types::CertificateSigningRequestDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509CertificationRequest};

use super::{Authority, PkiFault, period, serial_number, subject};
use crate::certificate::{Facts, KeyKind, key_kind, only};

/// A request of a usual key is below 2 KiB; more is something else.
const REQUEST_BYTES_MAX: usize = 16 * 1024;
/// OCPP A00.FR.502: RSA keys below this are refused.
const RSA_BITS_MIN: u32 = 2_048;

/// A request whose signature was checked.
pub struct SigningRequest {
    /// CN, as the sender wrote it.
    pub common_name: Option<String>,
    pub key_kind: KeyKind,
    inner: CertificateSigningRequestParams,
}

impl std::fmt::Debug for SigningRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "(signing request, {})", self.key_kind)
    }
}

impl SigningRequest {
    /// Reads a request in PEM and checks that its sender holds the key.
    pub fn read(pem: &str) -> Result<Self, PkiFault> {
        if pem.len() > REQUEST_BYTES_MAX {
            return Err(PkiFault::Malformed);
        }
        let der = CertificateSigningRequestDer::from_pem_slice(pem.as_bytes()).map_err(|_| PkiFault::Malformed)?;
        let (_rest, parsed) = X509CertificationRequest::from_der(&der).map_err(|_| PkiFault::Malformed)?;
        let info = &parsed.certification_request_info;
        let (common_name, key_kind) = (only(info.subject.iter_common_name()), key_kind(&info.subject_pki));
        let inner = CertificateSigningRequestParams::from_der(&der).map_err(|_| PkiFault::Malformed)?;
        Ok(Self { common_name, key_kind, inner })
    }

    /// Whether the key is one that OCPP allows (A00.FR.502 to .508): RSA from 2048 bits, EC from 224.
    pub const fn is_strong(&self) -> bool {
        match self.key_kind {
            KeyKind::P256 | KeyKind::P384 | KeyKind::P521 | KeyKind::Ed25519 => true,
            KeyKind::Rsa(bits) => bits >= RSA_BITS_MIN,
            KeyKind::Other => false,
        }
    }
}

impl Authority {
    /// A certificate for the key of a request, as [`Authority::station_certificate`] makes them. The chain in PEM, the
    /// station's own certificate first, and its facts.
    pub fn certify(
        &self,
        request: &SigningRequest,
        serial: &str,
        operator: &str,
        valid_for: Duration,
        now: Timestamp,
        dice: &dyn Dice,
    ) -> Result<(String, Facts), PkiFault> {
        if !self.facts.valid_at(now) {
            return Err(PkiFault::AuthorityNotValid(Box::new(self.facts.clone())));
        }
        let mut params = subject(&[(DnType::CommonName, serial), (DnType::OrganizationName, operator)])?;
        period(&mut params, now.minus(super::BACKDATED), now.plus(valid_for).min(self.facts.not_after));
        params.serial_number = Some(serial_number(dice));
        params.is_ca = rcgen::IsCa::ExplicitNoCa;
        params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&request.inner.public_key, &self.issuer)?;
        let facts = Facts::read(certificate.der()).map_err(|_| PkiFault::Malformed)?;
        Ok((format!("{}{}", certificate.pem(), self.certificate_pem), facts))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::clock::SeededDice;
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const DAY: Duration = Duration::from_secs(86_400);

    fn request(name: &str) -> String {
        let mut params = CertificateParams::new(vec!["csms.example".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap()
    }

    #[test]
    fn a_request_gets_its_key_certified_and_nothing_else() {
        let dice = SeededDice::new(3);
        let authority = Authority::create("stations", DAY * 30, NOW, &dice).unwrap();
        let request = SigningRequest::read(&request("S-17")).unwrap();
        assert_eq!(request.common_name.as_deref(), Some("S-17"));
        assert!(request.is_strong());
        let (chain, facts) = authority.certify(&request, "S-17", "Voltwerk", DAY * 400, NOW, &dice).unwrap();
        assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
        assert_eq!((facts.common_name.as_deref(), facts.organisation.as_deref()), (Some("S-17"), Some("Voltwerk")));
        assert_eq!(facts.not_after, authority.facts().not_after, "not longer than its authority");
        let der = rustls_pki_types::CertificateDer::from_pem_slice(chain.as_bytes()).unwrap();
        let (_, read) = x509_parser::certificate::X509Certificate::from_der(&der).unwrap();
        assert!(read.subject_alternative_name().unwrap().is_none(), "the name that was asked for is not there");
    }

    #[test]
    fn nonsense_and_a_changed_request_are_refused() {
        assert!(SigningRequest::read("adsad").is_err(), "what a tool of the field sends");
        assert!(SigningRequest::read(&"x".repeat(REQUEST_BYTES_MAX + 1)).is_err());
        let honest = request("S-17");
        let mut der = CertificateSigningRequestDer::from_pem_slice(honest.as_bytes()).unwrap().to_vec();
        let at = der.windows(4).position(|part| part == b"S-17").unwrap();
        der[at + 3] = b'8';
        let forged = rcgen_pem(&der);
        assert!(SigningRequest::read(&forged).is_err(), "the signature covers the name");
    }

    fn rcgen_pem(der: &[u8]) -> String {
        use base64::Engine;
        let body = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n")
    }
}
