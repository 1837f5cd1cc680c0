//! Certificates at the station (1.6 security whitepaper; 2.x blocks A and M; 2.1 chain status).

use super::document::Document;
use crate::Timestamp;

/// What a station's own certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StationKey {
    /// `ChargingStationCertificate`: the station's TLS identity.
    Line,
    /// `V2GCertificate`.
    V2g,
    /// `V2G20Certificate` (2.1).
    V2g20,
}

/// What an installed certificate is trusted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CertificateUse {
    V2gRoot,
    MoRoot,
    /// 1.6 `CentralSystemRootCertificate`, 2.x `CSMSRootCertificate`.
    OperatorRoot,
    ManufacturerRoot,
    /// 2.1.
    OemRoot,
    /// 2.x, in answers only.
    V2gChain,
}

/// `CertificateHashData`: names a certificate without showing it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateHash {
    /// SHA256, SHA384 or SHA512.
    pub algorithm: Box<str>,
    pub issuer_name: Box<str>,
    pub issuer_key: Box<str>,
    pub serial: Box<str>,
}

/// One line of a station's inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledCertificate {
    pub used_for: CertificateUse,
    pub hash: CertificateHash,
    pub children: Vec<CertificateHash>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateOrder {
    /// `CertificateSigned`: the chain in PEM, leaf first. Answered Accepted or Rejected.
    Signed { key: StationKey, chain: Box<str>, request: Option<i32> },
    /// `InstallCertificate`, PEM.
    Install { used_for: CertificateUse, certificate: Box<str> },
    /// `DeleteCertificate`.
    Delete(CertificateHash),
    /// `GetInstalledCertificateIds`; empty means all. 1.6 asks for one use in a message.
    List(Vec<CertificateUse>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateNews {
    /// `SignCertificate`: a request in PEM. Answer [`super::Heard::Taken`]; the certificate follows as an order.
    Sign { key: StationKey, request: Option<i32>, csr: Box<str> },
    /// `Get15118EVCertificate`; answered with [`super::Heard::Exi`].
    Contract { schema: Box<str>, update: bool, exi: Box<str>, chains_max: Option<u32> },
    /// `GetCertificateStatus`: asked for an OCSP answer; answered with [`super::Heard::Ocsp`].
    Status { hash: CertificateHash, responder: Box<str> },
    /// `GetCertificateChainStatus` (2.1); answered with [`super::Heard::ChainStatus`].
    ChainStatus(Vec<ChainQuestion>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainQuestion {
    pub hash: CertificateHash,
    /// CRL or OCSP.
    pub source: Box<str>,
    pub urls: Vec<Box<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainAnswer {
    pub hash: CertificateHash,
    pub source: Box<str>,
    /// Good, Revoked, Unknown or Failed.
    pub status: Box<str>,
    pub next: Timestamp,
}

/// The contract certificate that came with a tap at an ISO 15118 EVSE (2.x `Authorize`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContractProof {
    /// PEM, where the station could not check it itself.
    pub certificate: Option<Box<str>>,
    /// `iso15118CertificateHashData`, as a document.
    pub hashes: Option<Document>,
}

/// `AuthorizeCertificateStatusEnumType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContractStanding {
    Accepted,
    SignatureError,
    Expired,
    Revoked,
    NotAvailable,
    ChainError,
    Cancelled,
}
