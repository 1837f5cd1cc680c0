#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Mutex;
use std::time::Duration;

use charge::Clock;
use charge::clock::SystemClock;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, HandshakeKind, ProtocolVersion};

use super::*;
use crate::dice::SystemDice;
use crate::handshake::HandshakeFault;
use crate::pki::Authority;

const DAY: Duration = Duration::from_secs(86_400);
const NAME: &str = "csms.example";

/// An operator: one authority for its server, one for its stations, and what its door heard of refusals.
struct World {
    servers: Authority,
    stations: Authority,
    refused: Arc<Mutex<Vec<Refused>>>,
}

impl World {
    fn new() -> Self {
        let now = SystemClock.now();
        // from the past, so that certificates of the past can be issued
        let created = now.minus(DAY * 100);
        let authority = |name| Authority::create(name, DAY * 1000, created, &SystemDice).unwrap();
        Self { servers: authority("Servers"), stations: authority("Stations"), refused: Arc::default() }
    }

    fn trusted(&self) -> Trusted {
        let refused = Arc::clone(&self.refused);
        Trusted {
            roots_pem: self.stations.certificate_pem().to_owned(),
            on_refused: Arc::new(move |one| refused.lock().unwrap().push(one)),
        }
    }

    fn server(&self, clients: ClientCertificates, alpn: &[&str]) -> Arc<ServerConfig> {
        let identity =
            self.servers.server_certificate(&[NAME.to_owned()], DAY, SystemClock.now(), &SystemDice).unwrap();
        Arc::new(server(&identity, clients, alpn).unwrap())
    }

    fn station(&self, issued: Timestamp, days: u32) -> Identity {
        self.stations.station_certificate("SN-0001", "Stadtwerke", DAY * days, issued, &SystemDice).unwrap()
    }

    fn client(&self, identity: Option<&Identity>) -> Arc<ClientConfig> {
        Arc::new(client(self.servers.certificate_pem(), identity, &[]).unwrap())
    }

    fn the_refusal(&self) -> Refused {
        let refused = self.refused.lock().unwrap();
        assert_eq!(refused.len(), 1);
        refused[0].clone()
    }
}

/// Runs a handshake in memory. Gives both ends, or the server's or the client's error, whichever came first.
fn shake(
    server: &Arc<ServerConfig>,
    client: &Arc<ClientConfig>,
) -> Result<(ServerConnection, ClientConnection), rustls::Error> {
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), ServerName::try_from(NAME).unwrap()).unwrap();
    while client.wants_write() || server.wants_write() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        feed(&mut server, &wire)?;
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut rest = &wire[..];
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets()?;
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok((server, client))
}

fn feed(server: &mut ServerConnection, mut wire: &[u8]) -> Result<(), rustls::Error> {
    while !wire.is_empty() {
        server.read_tls(&mut wire).unwrap();
        server.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn a_station_without_certificate_comes_in_on_the_shared_port() {
    let world = World::new();
    let door = world.server(ClientCertificates::Optional(world.trusted()), &[]);
    let (server, _client) = shake(&door, &world.client(None)).unwrap();
    assert_eq!(presented(&server, SystemClock.now()), Ok(None));
    assert_eq!(server.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    assert!(world.refused.lock().unwrap().is_empty());
}

#[test]
fn a_station_with_a_good_certificate_shows_its_serial_number() {
    // proves: A00.FR.401, A00.FR.402, A00.FR.409, A00.FR.410
    let world = World::new();
    let door = world.server(ClientCertificates::Optional(world.trusted()), &[]);
    let identity = world.station(SystemClock.now(), 30);
    let (server, _client) = shake(&door, &world.client(Some(&identity))).unwrap();
    let facts = presented(&server, SystemClock.now()).unwrap().unwrap();
    assert_eq!(facts, identity.facts().unwrap());
    assert_eq!(facts.common_name.as_deref(), Some("SN-0001"));
    assert_eq!(facts.organisation.as_deref(), Some("Stadtwerke"));
}

#[test]
fn a_certificate_of_a_foreign_authority_is_refused_and_told() {
    // proves: A00.FR.407
    let world = World::new();
    let foreign = World::new();
    let identity = foreign.station(SystemClock.now(), 30);
    for door in [
        world.server(ClientCertificates::Optional(world.trusted()), &[]),
        world.server(ClientCertificates::Required(world.trusted()), &[]),
    ] {
        world.refused.lock().unwrap().clear();
        let error = shake(&door, &with_hints_ignored(&world, &identity)).err().unwrap();
        let refused = world.the_refusal();
        // both authorities have the same name, so the name is known and the signature is not
        assert_eq!(refused.fault, CertificateFault::BadSignature);
        assert_eq!(HandshakeFault::of(&error), HandshakeFault::BadCertificate(CertificateFault::BadSignature));
        assert!(refused.to_string().contains("CN=SN-0001 O=Stadtwerke issued by Stations"), "{refused}");
    }
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused_and_told() {
    let world = World::new();
    let now = SystemClock.now();
    let foreign = Authority::create("Somebody else", DAY * 10, now, &SystemDice).unwrap();
    let identity = foreign.station_certificate("SN-0666", "Nobody", DAY, now, &SystemDice).unwrap();
    let door = world.server(ClientCertificates::Optional(world.trusted()), &[]);
    let error = shake(&door, &with_hints_ignored(&world, &identity)).err().unwrap();
    let refused = world.the_refusal();
    assert_eq!(refused.fault, CertificateFault::UnknownIssuer);
    assert_eq!(refused.facts.and_then(|facts| facts.common_name).as_deref(), Some("SN-0666"));
    assert!(HandshakeFault::of(&error).to_string().contains("none of the authorities trusted here"));
}

#[test]
fn an_expired_certificate_is_refused_and_told() {
    // proves: A00.FR.407
    let world = World::new();
    let identity = world.station(SystemClock.now().minus(DAY * 20), 10);
    let door = world.server(ClientCertificates::Optional(world.trusted()), &[]);
    assert!(shake(&door, &world.client(Some(&identity))).is_err());
    let refused = world.the_refusal();
    assert_eq!(refused.fault, CertificateFault::Expired);
    let not_after = identity.facts().unwrap().not_after.to_string();
    assert!(refused.to_string().contains("expired") && refused.to_string().contains(&not_after), "{refused}");
}

#[test]
fn a_certificate_of_tomorrow_is_refused_and_told() {
    let world = World::new();
    let identity = world.station(SystemClock.now().plus(DAY), 10);
    let door = world.server(ClientCertificates::Optional(world.trusted()), &[]);
    assert!(shake(&door, &world.client(Some(&identity))).is_err());
    assert_eq!(world.the_refusal().fault, CertificateFault::NotYetValid);
}

#[test]
fn a_server_certificate_proves_no_client() {
    let world = World::new();
    let identity = world.stations.server_certificate(&[NAME.to_owned()], DAY, SystemClock.now(), &SystemDice).unwrap();
    let door = world.server(ClientCertificates::Required(world.trusted()), &[]);
    assert!(shake(&door, &world.client(Some(&identity))).is_err());
    assert_eq!(world.the_refusal().fault, CertificateFault::WrongPurpose);
}

#[test]
fn a_station_certificate_proves_no_server() {
    let world = World::new();
    let identity = world.station(SystemClock.now(), 10);
    let door = Arc::new(server(&identity, ClientCertificates::None, &[]).unwrap());
    let trusting = Arc::new(client(world.stations.certificate_pem(), None, &[]).unwrap());
    let error = shake(&door, &trusting).err().unwrap();
    assert_eq!(HandshakeFault::of(&error), HandshakeFault::BadCertificate(CertificateFault::WrongName));
}

#[test]
fn a_certificate_without_its_key_is_refused_and_told() {
    let world = World::new();
    let (victim, thief) = (world.station(SystemClock.now(), 10), world.station(SystemClock.now(), 10));
    let door = world.server(ClientCertificates::Optional(world.trusted()), &[]);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        world.refused.lock().unwrap().clear();
        let (chain, _key) = read(&victim).unwrap();
        let (_chain, key) = read(&thief).unwrap();
        let key = provider().key_provider.load_private_key(key).unwrap();
        let stolen = rustls::sign::CertifiedKey::new(chain, key);
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots(world.servers.certificate_pem()).unwrap())
            .with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(stolen)));
        assert!(shake(&door, &Arc::new(config)).is_err());
        let refused = world.the_refusal();
        assert_eq!(refused.fault, CertificateFault::NotTheOwner, "{version:?}");
        assert_eq!(refused.facts, victim.facts().ok().map(Box::new));
    }
}

#[test]
fn a_party_without_certificate_does_not_come_in_where_one_is_required() {
    let world = World::new();
    let door = world.server(ClientCertificates::Required(world.trusted()), &[]);
    let error = shake(&door, &world.client(None)).err().unwrap();
    assert_eq!(HandshakeFault::of(&error), HandshakeFault::NoCertificate);
}

#[test]
fn a_client_refuses_a_server_of_another_authority() {
    // proves: A00.FR.311, A00.FR.414
    let (world, foreign) = (World::new(), World::new());
    let door = foreign.server(ClientCertificates::None, &[]);
    let error = shake(&door, &world.client(None)).err().unwrap();
    assert!(matches!(HandshakeFault::of(&error), HandshakeFault::BadCertificate(_)), "{error}");
}

/// One signature algorithm: ECDSA over P-256 with SHA-256.
const SIGNATURE_ALGORITHMS: [u8; 10] = [0, 8, 0, 13, 0, 4, 0, 2, 4, 3];

#[test]
fn tls_1_1_is_impossible() {
    // proves: A00.FR.314, A00.FR.315, A00.FR.416, A00.FR.417, A00.FR.418, TC_A_06_CSMS
    // proves: ocpp-2.0.1 A00.FR.313
    const HANDSHAKE_FAILURE: u8 = 40;
    const PROTOCOL_VERSION: u8 = 70;
    let world = World::new();
    for (extensions, alert) in [(&SIGNATURE_ALGORITHMS[..], PROTOCOL_VERSION), (&[][..], HANDSHAKE_FAILURE)] {
        let mut server = ServerConnection::new(world.server(ClientCertificates::None, &[])).unwrap();
        let error = feed(&mut server, &old_hello([3, 2], extensions)).err().unwrap();
        assert_eq!(HandshakeFault::of(&error), HandshakeFault::OldVersion);
        let mut answer = Vec::new();
        server.write_tls(&mut answer).unwrap();
        assert_eq!(&answer[..], [0x15, 3, 3, 0, 2, 2, alert], "one fatal alert and nothing else");
    }
}

#[test]
fn a_station_that_knows_static_rsa_only_is_told_so() {
    let world = World::new();
    let mut server = ServerConnection::new(world.server(ClientCertificates::None, &[])).unwrap();
    let error = feed(&mut server, &old_hello([3, 3], &SIGNATURE_ALGORITHMS)).err().unwrap();
    assert_eq!(HandshakeFault::of(&error), HandshakeFault::NoCommonKeyExchange);
    assert!(HandshakeFault::of(&error).to_string().contains("static RSA"));
}

#[test]
fn tls_1_2_has_forward_secrecy() {
    let world = World::new();
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots(world.servers.certificate_pem()).unwrap())
        .with_no_client_auth();
    let door = world.server(ClientCertificates::Optional(world.trusted()), &[]);
    let (server, _client) = shake(&door, &Arc::new(config)).unwrap();
    assert_eq!(server.protocol_version(), Some(ProtocolVersion::TLSv1_2));
    let suite = format!("{:?}", server.negotiated_cipher_suite().unwrap().suite());
    assert!(suite.starts_with("TLS_ECDHE_ECDSA_WITH_AES_"), "{suite}");
}

#[test]
fn plain_text_on_the_tls_port_is_called_by_its_name() {
    let world = World::new();
    let mut server = ServerConnection::new(world.server(ClientCertificates::None, &[])).unwrap();
    let error = feed(&mut server, b"GET /ocpp/RPC-1 HTTP/1.1\r\nHost: csms.example\r\n\r\n").err().unwrap();
    assert_eq!(HandshakeFault::of(&error), HandshakeFault::NotTls);
}

#[test]
fn a_resumed_session_still_shows_its_certificate_and_not_beyond_its_end() {
    let world = World::new();
    let door = world.server(ClientCertificates::Optional(world.trusted()), &[]);
    let identity = world.station(SystemClock.now(), 30);
    let station = world.client(Some(&identity));
    let (first, _client) = shake(&door, &station).unwrap();
    assert_eq!(first.handshake_kind(), Some(HandshakeKind::Full));
    let (second, _client) = shake(&door, &station).unwrap();
    assert_eq!(second.handshake_kind(), Some(HandshakeKind::Resumed));
    assert_eq!(presented(&second, SystemClock.now()).unwrap(), identity.facts().ok());
    let later = presented(&second, SystemClock.now().plus(DAY * 31)).unwrap_err();
    assert_eq!(later.fault, CertificateFault::Expired);
}

#[test]
fn alpn_is_agreed_or_refused() {
    let world = World::new();
    let door = world.server(ClientCertificates::None, &["http/1.1"]);
    let speaking = |name| Arc::new(client(world.servers.certificate_pem(), None, &[name]).unwrap());
    let (server, _client) = shake(&door, &speaking("http/1.1")).unwrap();
    assert_eq!(server.alpn_protocol(), Some(&b"http/1.1"[..]));
    let error = shake(&door, &speaking("h2")).err().unwrap();
    assert_eq!(HandshakeFault::of(&error), HandshakeFault::NoCommonProtocol);
    assert!(shake(&door, &world.client(None)).is_ok(), "a station offers none");
}

#[test]
fn broken_material_is_refused_before_it_listens() {
    let world = World::new();
    let identity = world.servers.server_certificate(&[NAME.to_owned()], DAY, SystemClock.now(), &SystemDice).unwrap();
    let empty = ClientCertificates::Optional(Trusted { roots_pem: String::new(), ..world.trusted() });
    assert!(matches!(server(&identity, empty, &[]), Err(TlsFault::Roots)));
    let other = world.station(SystemClock.now(), 1);
    let mixed = Identity { key_pem: other.key_pem, ..identity };
    assert!(matches!(server(&mixed, ClientCertificates::None, &[]), Err(TlsFault::Rustls(_))));
    let none = Identity { chain_pem: String::new(), ..mixed };
    assert!(matches!(server(&none, ClientCertificates::None, &[]), Err(TlsFault::Identity)));
}

/// A station that sends its certificate although the server named other authorities, as most stations do.
fn with_hints_ignored(world: &World, identity: &Identity) -> Arc<ClientConfig> {
    let (chain, key) = read(identity).unwrap();
    let key = provider().key_provider.load_private_key(key).unwrap();
    let certified = rustls::sign::CertifiedKey::new(chain, key);
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots(world.servers.certificate_pem()).unwrap())
        .with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)));
    Arc::new(config)
}

/// A ClientHello of an old station: one suite with static RSA and CBC.
fn old_hello(version: [u8; 2], extensions: &[u8]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([0x5a; 32]); // random
    body.push(0); // no session id
    body.extend([0, 2, 0x00, 0x2f]); // TLS_RSA_WITH_AES_128_CBC_SHA
    body.extend([1, 0]); // null compression
    body.extend(extensions);
    let length = u8::try_from(body.len()).unwrap();
    let mut wire = vec![0x16, 3, 1, 0, length + 4, 1, 0, 0, length];
    wire.append(&mut body);
    wire
}

#[test]
fn a_door_that_knows_digests_hears_of_any_certificate_whose_key_signs() {
    let world = World::new();
    let door = world.server(ClientCertificates::Any, &[]);
    let stranger = Authority::create("Somebody else", DAY * 10, SystemClock.now(), &SystemDice).unwrap();
    let theirs = stranger.station_certificate("X", "Y", DAY, SystemClock.now(), &SystemDice).unwrap();
    let (server, _client) = shake(&door, &world.client(Some(&theirs))).unwrap();
    let shown = presented(&server, SystemClock.now()).unwrap().unwrap();
    assert_eq!(shown.fingerprint, theirs.facts().unwrap().fingerprint);
    let (server, _client) = shake(&door, &world.client(None)).unwrap();
    assert_eq!(presented(&server, SystemClock.now()), Ok(None));
    let (chain, _key) = read(&theirs).unwrap();
    let (_chain, key) = read(&world.station(SystemClock.now(), 10)).unwrap();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let key = provider().key_provider.load_private_key(key.clone_key()).unwrap();
        let stolen = rustls::sign::CertifiedKey::new(chain.clone(), key);
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots(world.servers.certificate_pem()).unwrap())
            .with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(stolen)));
        assert!(shake(&door, &Arc::new(config)).is_err(), "{version:?}: a certificate without its key");
    }
}
