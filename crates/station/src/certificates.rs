//! The certificates at a station: roots it was given, and the identity it asked for (OCPP 1.6 security whitepaper,
//! 4.1 and 5; OCPP 2.x blocks A and M).
//!
//! The private key of a request is made here and leaves only as part of the identity that it became. Chains are not
//! verified against the roots: a station shows what it holds, and the door checks what it meets.
//!
//! Invariant: a certificate is taken as the station's own only for the key that the station asked with.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use charge::talk::line::certificate::{CertificateHash, CertificateUse, InstalledCertificate, StationKey};
use charge::{Secret, Timestamp};
use rcgen::{CertificateParams, DnType, KeyPair, PublicKeyData};
use sha2::{Digest, Sha256};
use trust::certificate::Facts;
use trust::pki::Identity;
use x509_parser::prelude::{FromDer, X509Certificate};

/// `CertificateStoreMaxLength`, `SecurityCtrlr.CertificateEntries`.
pub const CERTIFICATES_MAX: usize = 40;

/// All certificates of a station.
#[derive(Debug, Default)]
pub struct Chest {
    roots: Vec<(InstalledCertificate, Vec<u8>)>,
    asked: Vec<Asked>,
}

/// A request under way.
#[derive(Debug)]
struct Asked {
    key: StationKey,
    key_pem: Secret<String>,
    public: Vec<u8>,
}

impl Chest {
    /// A new key and a request for it: PEM. CN is the serial number, O the operator's name (A00.FR.511, A02.FR.02).
    pub fn ask(&mut self, key: StationKey, serial: &str, organisation: &str) -> Option<Box<str>> {
        let pair = KeyPair::generate().ok()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, serial);
        params.distinguished_name.push(DnType::OrganizationName, organisation);
        let csr = params.serialize_request(&pair).ok()?.pem().ok()?;
        self.asked.retain(|other| other.key != key);
        let public = pair.subject_public_key_info();
        self.asked.push(Asked { key, key_pem: Secret::new(pair.serialize_pem()), public });
        Some(csr.into())
    }

    /// The answer to a request: the identity, if it is for the key that was asked with and in force.
    pub fn signed(&mut self, now: Timestamp, key: StationKey, chain: &str) -> Option<Identity> {
        let leaf = der(chain)?;
        let (_, parsed) = X509Certificate::from_der(&leaf).ok()?;
        let good = Facts::read(&leaf).ok()?.valid_at(now);
        let place = self.asked.iter().position(|asked| asked.key == key && asked.public == parsed.public_key().raw)?;
        if !good {
            return None;
        }
        let asked = self.asked.remove(place);
        Some(Identity { chain_pem: chain.to_owned(), key_pem: asked.key_pem })
    }

    /// Installs a root, or answers the status word that refuses it.
    pub fn install(&mut self, used_for: CertificateUse, pem: &str) -> Result<(), &'static str> {
        let der = der(pem).ok_or("Rejected")?;
        let hash = self.hash(&der).ok_or("Rejected")?;
        self.roots.retain(|(of, _)| of.used_for != used_for || of.hash != hash);
        if self.roots.len() >= CERTIFICATES_MAX {
            return Err("Rejected"); // M05.FR.06
        }
        self.roots.push((InstalledCertificate { used_for, hash, children: Vec::new() }, der));
        Ok(())
    }

    pub fn delete(&mut self, hash: &CertificateHash) -> Result<(), &'static str> {
        let place = self.roots.iter().position(|(of, _)| same(&of.hash, hash)).ok_or("NotFound")?;
        // M04.FR.06: the last root of the operator stays, or nobody could be trusted any more
        let operator = |(of, _): &&(InstalledCertificate, Vec<u8>)| of.used_for == CertificateUse::OperatorRoot;
        let last =
            self.roots.get(place).as_ref().is_some_and(operator) && self.roots.iter().filter(operator).count() == 1;
        if last {
            return Err("Failed");
        }
        self.roots.remove(place);
        Ok(())
    }

    /// What is installed for these uses; all where none is named.
    pub fn list(&self, uses: &[CertificateUse]) -> Vec<InstalledCertificate> {
        let meant = |of: &InstalledCertificate| uses.is_empty() || uses.contains(&of.used_for);
        self.roots.iter().map(|(of, _)| of).filter(|of| meant(of)).cloned().collect()
    }

    /// The roots of operators, in PEM: whom the line trusts besides those it was built with (A05.FR.02).
    pub fn operator_roots(&self) -> String {
        let roots = self.roots.iter().filter(|(of, _)| of.used_for == CertificateUse::OperatorRoot);
        roots.map(|(_, der)| pem(der)).collect()
    }

    /// Names a certificate: its issuer must be itself or be installed, or its key is not known (`CertificateHashData`).
    fn hash(&self, der: &[u8]) -> Option<CertificateHash> {
        let (_, of) = X509Certificate::from_der(der).ok()?;
        let key_of = |of: &X509Certificate<'_>| hex(&Sha256::digest(&of.public_key().subject_public_key.data));
        let issuer_key = if of.issuer() == of.subject() {
            key_of(&of)
        } else {
            self.roots.iter().find_map(|(_, root)| {
                let (_, root) = X509Certificate::from_der(root).ok()?;
                (root.subject() == of.issuer()).then(|| key_of(&root))
            })?
        };
        Some(CertificateHash {
            algorithm: "SHA256".into(),
            issuer_name: hex(&Sha256::digest(of.issuer().as_raw())).into(),
            issuer_key: issuer_key.into(),
            serial: Facts::read(der).ok()?.serial_hex.into(),
        })
    }
}

/// Hashes are hexadecimal and compared without case; serial numbers also without leading zeros.
fn same(a: &CertificateHash, b: &CertificateHash) -> bool {
    let plain = |serial: &str| serial.trim_start_matches('0').to_ascii_lowercase();
    a.algorithm.eq_ignore_ascii_case(&b.algorithm)
        && a.issuer_name.eq_ignore_ascii_case(&b.issuer_name)
        && a.issuer_key.eq_ignore_ascii_case(&b.issuer_key)
        && plain(&a.serial) == plain(&b.serial)
}

/// What the first certificate of a PEM says about itself.
pub(crate) fn facts(pem: &str) -> Option<Facts> {
    Facts::read(&der(pem)?).ok()
}

/// The public key in a PEM certificate, as SubjectPublicKeyInfo in DER.
pub(crate) fn public_key(pem: &str) -> Option<Vec<u8>> {
    let der = der(pem)?;
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    Some(certificate.public_key().raw.to_vec())
}

fn der(pem: &str) -> Option<Vec<u8>> {
    let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).ok()?;
    (block.label == "CERTIFICATE").then_some(block.contents)
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64_STANDARD.encode(der))
}

fn hex(bytes: &[u8]) -> String {
    trust::hex::encode(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::time::Duration;

    use charge::clock::SeededDice;
    use trust::pki::Authority;

    use super::*;
    use crate::bench::START;

    fn root(name: &str) -> String {
        let life = Duration::from_secs(86_400);
        Authority::create(name, life, START, &SeededDice::new(name.len() as u64)).unwrap().certificate_pem().to_owned()
    }

    #[test]
    fn roots_are_installed_listed_and_deleted_by_their_hash() {
        // proves: M03.FR.03, M03.FR.04, M04.FR.02, M04.FR.04, M04.FR.06, M05.FR.02, M05.FR.07
        let mut chest = Chest::default();
        assert_eq!(chest.install(CertificateUse::V2gRoot, "adsad"), Err("Rejected"));
        let (one, other) = (root("One"), root("Another"));
        chest.install(CertificateUse::OperatorRoot, &one).unwrap();
        chest.install(CertificateUse::V2gRoot, &other).unwrap();
        chest.install(CertificateUse::V2gRoot, &other).unwrap();
        assert_eq!(chest.list(&[]).len(), 2, "the same once");
        let operators = chest.operator_roots();
        assert_eq!(facts(&operators).map(|facts| facts.fingerprint), facts(&one).map(|facts| facts.fingerprint));
        assert_eq!(operators.matches("BEGIN").count(), 1);
        let v2g = chest.list(&[CertificateUse::V2gRoot]).remove(0);
        assert_eq!(v2g.hash.issuer_name.len(), 64);
        let loud =
            CertificateHash { serial: format!("00{}", v2g.hash.serial.to_uppercase()).into(), ..v2g.hash.clone() };
        assert_eq!(chest.delete(&loud), Ok(()));
        assert_eq!(chest.delete(&loud), Err("NotFound"));
        let last = chest.list(&[]).remove(0).hash;
        assert_eq!(chest.delete(&last), Err("Failed"), "M04.FR.06");
    }

    #[test]
    fn an_identity_is_for_the_key_that_was_asked_with() {
        // proves: A02.FR.02, A02.FR.06
        let mut chest = Chest::default();
        let csr = chest.ask(StationKey::Line, "SN-1", "Voltaris").unwrap();
        assert!(csr.contains("BEGIN CERTIFICATE REQUEST"));
        let sign = |csr: &str| {
            let ca_key = KeyPair::generate().unwrap();
            let ca = CertificateParams::default();
            let issuer = rcgen::Issuer::new(ca, ca_key);
            let request = rcgen::CertificateSigningRequestParams::from_pem(csr).unwrap();
            request.signed_by(&issuer).unwrap().pem()
        };
        let chain = sign(&csr);
        assert!(chest.signed(START, StationKey::V2g, &chain).is_none(), "asked for another use");
        let other = sign(&Chest::default().ask(StationKey::Line, "SN-1", "Voltaris").unwrap());
        assert!(chest.signed(START, StationKey::Line, &other).is_none(), "another key");
        let identity = chest.signed(START, StationKey::Line, &chain).unwrap();
        assert!(identity.key_pem.expose().contains("PRIVATE KEY"));
        assert!(chest.signed(START, StationKey::Line, &chain).is_none(), "good once");
    }
}
