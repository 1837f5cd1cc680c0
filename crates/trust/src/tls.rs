//! TLS policy: the configurations with which doors listen and dial.
//!
//! TLS 1.2 and 1.3 only (A00.FR.314, A00.FR.416, A00.FR.417; A00.FR.315, A00.FR.418), forward secrecy always, no early
//! data, no compression (A00.FR.321). OCPP asks a CSMS for two suites with static RSA as well (A00.FR.318): rustls has
//! none, on purpose, and this is a stated deviation. The cryptography is a value handed to every configuration, never a
//! process default. No socket and no task here.
//!
//! Invariant: a certificate that a connection shows through [`presented`] was verified (but for
//! [`ClientCertificates::Any`], where its key alone was) and has not lapsed since, also where the session was resumed and
//! TLS itself did not look again.

use std::fmt;
use std::sync::Arc;

use charge::Timestamp;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection};

use crate::certificate::Facts;
use crate::pki::Identity;
use crate::refusal::{CertificateFault, OnRefused, Refused, Watched};
use crate::shown::AnyCertificate;

/// Records as small as embedded TLS stacks keep buffers for; a station's messages fit in one as a rule.
const RECORD_BYTES_MAX: usize = 4096;
/// One ticket a handshake: a station reconnects with it and gets the next.
const TICKETS: usize = 1;
/// Sessions kept for TLS 1.2 peers without ticket support. With a client's chain one is some 2 kB.
const SESSIONS_KEPT: usize = 512;
/// A party or a station talks to a handful of servers.
const SERVERS_REMEMBERED: usize = 16;

/// Why there is no configuration. All of them are for whoever runs this machine.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    #[error("the certificate chain or the key of this server or client is malformed")]
    Identity,
    #[error("the trusted authorities are no certificates in PEM, or there are none")]
    Roots,
    #[error("TLS cannot be set up")]
    Rustls(#[from] rustls::Error),
}

/// Whom a listener asks for a certificate.
#[derive(Clone, Debug)]
pub enum ClientCertificates {
    /// Nobody: pages and the public API.
    None,
    /// Everybody, but none is needed: OCPP security profiles 2 and 3 on one port. A bad one is refused all the same.
    Optional(Trusted),
    /// Everybody: parties with mutual TLS.
    Required(Trusted),
    /// Everybody, but none is needed, and whoever issued it does not matter: for a door that knows its partners'
    /// certificates by their digests and reads nothing else of them. Only the key is proved, never a name.
    Any,
}

/// The authorities whose client certificates are good, and who hears of those that are not.
#[derive(Clone)]
pub struct Trusted {
    /// One or more certificates in PEM.
    pub roots_pem: String,
    pub on_refused: OnRefused,
}

impl fmt::Debug for Trusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trusted").field("roots_pem", &self.roots_pem).finish_non_exhaustive()
    }
}

/// The configuration of a listener: it serves and shows its certificate (A00.FR.306, A00.FR.307, A00.FR.409, A00.FR.410),
/// and whose own does not verify is not served (A00.FR.407). `alpn` in order of preference, for example `["http/1.1"]`; empty to ignore ALPN,
/// as stations do.
///
/// Tickets hold the session, sealed under keys that live in this configuration for at most twelve hours: make one
/// configuration per listener and keep it.
pub fn server(identity: &Identity, clients: ClientCertificates, alpn: &[&str]) -> Result<ServerConfig, TlsFault> {
    let (chain, key) = read(identity)?;
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = match clients {
        ClientCertificates::None => builder.with_no_client_auth(),
        ClientCertificates::Optional(trusted) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots(&trusted.roots_pem)?, provider())
                .allow_unauthenticated();
            builder.with_client_cert_verifier(watched(verifier.build(), trusted.on_refused)?)
        }
        ClientCertificates::Required(trusted) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots(&trusted.roots_pem)?, provider());
            builder.with_client_cert_verifier(watched(verifier.build(), trusted.on_refused)?)
        }
        ClientCertificates::Any => builder.with_client_cert_verifier(Arc::new(AnyCertificate(provider()))),
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = protocols(alpn);
    config.max_fragment_size = Some(RECORD_BYTES_MAX);
    config.max_early_data_size = 0;
    config.send_tls13_tickets = TICKETS;
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.session_storage = ServerSessionMemoryCache::new(SESSIONS_KEPT);
    Ok(config)
}

/// The configuration of a caller: trusts these authorities and nobody else (A00.FR.311, A00.FR.414), shows `identity`
/// where it is asked (A00.FR.401, A00.FR.402).
pub fn client(roots_pem: &str, identity: Option<&Identity>, alpn: &[&str]) -> Result<ClientConfig, TlsFault> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(roots_pem)?);
    let mut config = match identity {
        Some(identity) => {
            let (chain, key) = read(identity)?;
            builder.with_client_auth_cert(chain, key)?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = protocols(alpn);
    config.max_fragment_size = Some(RECORD_BYTES_MAX);
    config.resumption = Resumption::in_memory_sessions(SERVERS_REMEMBERED);
    Ok(config)
}

/// The client's certificate on an open connection, verified and still valid now; `None` where it showed none.
///
/// Ask this after every handshake: a resumed session brings the certificate of its first handshake with it, and that
/// may have expired. Whether this certificate may do what its owner wants is the inventory's question.
pub fn presented(connection: &ServerConnection, now: Timestamp) -> Result<Option<Facts>, Refused> {
    let Some(leaf) = connection.peer_certificates().and_then(|chain| chain.first()) else { return Ok(None) };
    let unreadable = |fault: crate::certificate::NotACertificate| Refused {
        fault: CertificateFault::Malformed(fault.to_string()),
        facts: None,
    };
    let facts = Facts::read(leaf).map_err(unreadable)?;
    match Refused::if_lapsed(&facts, now) {
        Some(refused) => Err(refused),
        None => Ok(Some(facts)),
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn watched(
    verifier: Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, rustls::server::VerifierBuilderError>,
    on_refused: OnRefused,
) -> Result<Arc<Watched>, TlsFault> {
    verifier.map(|inner| Arc::new(Watched { inner, on_refused })).map_err(|_| TlsFault::Roots)
}

fn roots(pem: &str) -> Result<Arc<RootCertStore>, TlsFault> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        store.add(certificate.map_err(|_| TlsFault::Roots)?).map_err(|_| TlsFault::Roots)?;
    }
    if store.is_empty() { Err(TlsFault::Roots) } else { Ok(Arc::new(store)) }
}

fn read(identity: &Identity) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsFault> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(identity.chain_pem.as_bytes()).collect();
    let chain = chain.map_err(|_| TlsFault::Identity)?;
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.expose().as_bytes()).map_err(|_| TlsFault::Identity)?;
    if chain.is_empty() { Err(TlsFault::Identity) } else { Ok((chain, key)) }
}

fn protocols(alpn: &[&str]) -> Vec<Vec<u8>> {
    alpn.iter().map(|name| name.as_bytes().to_vec()).collect()
}

#[cfg(test)]
mod tests;
