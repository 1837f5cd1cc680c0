//! The ground of `bench road`: one authority, the providers that are played here, and a folder for each hub.
//!
//! A hub of the bench is what `leyden serve` opens from such a folder, its database included. What its index holds went
//! in through its own desk before, as from its partners. Everything is made for one run and goes with it.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use charge::id::{CorrelationId, LocationId, PartyId};
use charge::talk::road::{Envelope, Errand, Exchange};
use charge::token::{PresentedToken, TokenKind, TokenUid};
use charge::{Clock, Secret, SystemClock};
use gate::road::{Partner, Partners, Protocol};
use hub::{Hub, PartyStatus, Role};
use load::hub::{Network, Operator, Plan, Process, Providers, uid};
use load::server::Server;
use store::Store;
use tokio::task::JoinSet;
use trust::dice::SystemDice;
use trust::pki::{Authority, Identity};
use trust::tls::ClientCertificates;

use super::yard::{HOST, TRACES, identity_file, plain, roots_file};
use crate::cli::BenchRoad;
use crate::demo::party;
use crate::house::House;
use crate::{Failure, config, init};

const HUB: &str = "DE-HUB";
const DAY: Duration = Duration::from_secs(86_400);
/// Operators that ask: enough that what one of them may have under way is not what is measured.
const OPERATORS: u32 = 8;
/// Providers of each tongue behind the pairs.
const MIXED: u32 = 10;
/// Tokens of each provider, where nothing depends on how many there are.
const TOKENS_EACH: u32 = 100;
/// Providers that own a full index.
const OWNERS: u32 = 10;
/// Questions under way at the same time, as in the bench of the line.
const OUTSTANDING: u32 = 64;
/// Half the load lasts at most so long, and no longer than its authorisations need.
const PACED_TIME_MAX: Duration = Duration::from_secs(2);
/// What is put into the index at the same time, so that it shares commits.
const AT_ONCE: u32 = 256;
/// Progress is told after so many.
const TOLD_EVERY: u32 = 500_000;
const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A folder that is removed with it, and the providers.
pub(super) struct Ground {
    folder: PathBuf,
    roots_pem: String,
    pub(super) providers: Providers,
    program: PathBuf,
}

/// A network to lay out.
struct Wish {
    name: String,
    /// Providers of OCPI and of OICP.
    providers: (u32, u32),
    tokens_each: u32,
    locations: u32,
}

impl Ground {
    pub(super) fn open() -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("leyden-bench-road-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|fault| Failure::io(&folder, &fault))?;
        let program =
            std::env::current_exe().map_err(|fault| Failure::plain(format!("where is this program? {fault}")))?;
        let now = SystemClock.now();
        let authority = plain(Authority::create("Bench", DAY, now, &SystemDice))?;
        let roots_pem = authority.certificate_pem().to_owned();
        let names = [HOST.to_owned(), ANYWHERE.ip().to_string()];
        let identity = plain(authority.server_certificate(&names, DAY, now, &SystemDice))?;
        plain(identity.write(&identity_file(&folder)))?;
        let client = plain(authority.party_certificate(party(HUB)?, DAY, now, &SystemDice))?;
        plain(client.write(&client_file(&folder)))?;
        let roots = roots_file(&folder);
        std::fs::write(&roots, &roots_pem).map_err(|fault| Failure::io(&roots, &fault))?;
        let tls = plain(trust::tls::server(&identity, ClientCertificates::None, &["http/1.1"]))?;
        let providers = plain(Providers::play(ANYWHERE, Arc::new(tls)))?;
        Ok(Self { folder, roots_pem, providers, program })
    }

    /// Lays out and fills every network that the wish needs.
    pub(super) async fn plan(&self, wish: &BenchRoad, settle: Duration) -> Result<Plan, Failure> {
        let plain = |name: String, providers| Wish { name, providers, tokens_each: TOKENS_EACH, locations: 0 };
        let mixed = self.lay_out(plain("mixed".to_owned(), (MIXED, MIXED))).await?;
        let mut sizes = Vec::new();
        for count in &wish.providers {
            sizes.push(self.lay_out(plain(format!("of-{count}"), (*count, 0))).await?);
        }
        let full = match wish.tokens {
            0 => None,
            tokens => {
                let (tokens_each, locations) = (tokens.div_ceil(OWNERS), wish.locations);
                let name = "full".to_owned();
                Some(self.lay_out(Wish { name, providers: (OWNERS, 0), tokens_each, locations }).await?)
            }
        };
        Ok(Plan {
            mixed,
            sizes,
            full,
            rounds: wish.rounds,
            taps: wish.taps,
            outstanding: OUTSTANDING,
            paced_time: PACED_TIME_MAX.min(Duration::from_millis(u64::from(wish.taps))),
            settle,
            roots_pem: self.roots_pem.clone(),
            host: HOST.to_owned(),
        })
    }

    pub(super) fn start(&self, process: Process<'_>) -> io::Result<Server> {
        let mut command = Command::new(&self.program);
        command.args(["bench", "server", "--dir"]).arg(&self.folder);
        match process {
            Process::Proxy => command.args(["--proxy", &self.providers.addr().to_string()]),
            Process::Hub(network) => command.arg("--hub").arg(self.folder.join(&network.name).join("leyden.toml")),
        };
        if std::env::var_os(TRACES).is_none() {
            command.env(TRACES, "error");
        }
        Server::launch(command)
    }

    async fn lay_out(&self, wish: Wish) -> Result<Network, Failure> {
        let (ocpi, oicp) = wish.providers;
        let (dir, tokens_each) = (self.folder.join(&wish.name), wish.tokens_each);
        let (data, secrets) = (dir.join("data"), dir.join("secrets"));
        for folder in [&data, &secrets] {
            std::fs::create_dir_all(folder).map_err(|fault| Failure::io(folder, &fault))?;
        }
        let mut operators = Vec::new();
        let mut text = self.head();
        for number in 0..OPERATORS {
            let party = numbered("NL", number)?;
            let token = road(&mut text, &secrets, party, "operator", "https://localhost/versions")?;
            operators.push(Operator { party, token });
        }
        for number in 0..ocpi {
            road(&mut text, &secrets, numbered("DE", number)?, "provider", &self.providers.versions_url(number))?;
        }
        let config = dir.join("leyden.toml");
        std::fs::write(&config, text).map_err(|fault| Failure::io(&config, &fault))?;
        eprintln!(
            "bench: filling a hub with {} tokens of {} providers and {} locations",
            u64::from(tokens_each) * u64::from(ocpi + oicp),
            ocpi + oicp,
            wish.locations
        );
        let begun = Instant::now();
        self.fill(&data, &wish, &operators).await?;
        let (filled_in, file) = (begun.elapsed(), data.join(format!("{HUB}.sqlite")));
        let file_bytes = std::fs::metadata(&file).map_err(|fault| Failure::io(&file, &fault))?.len();
        let (name, locations) = (wish.name, wish.locations);
        Ok(Network { name, operators, ocpi, oicp, tokens_each, locations, filled_in, file_bytes })
    }

    /// The configuration without its roads.
    fn head(&self) -> String {
        let (identity, client) = (identity_file(&self.folder), client_file(&self.folder));
        let (identity, client, roots) =
            (identity.display(), client.display(), roots_file(&self.folder).display().to_string());
        format!(
            "data = \"data\"\n[web]\nlisten = \"{ANYWHERE}\"\nidentity = \"{identity}\"\n\
             [hub]\nparty = \"{HUB}\"\nname = \"Bench\"\n\
             [hub.road]\nlisten = \"{ANYWHERE}\"\nidentity = \"{identity}\"\naddress = \"https://{HOST}\"\n\
             [hub.oicp]\nlisten = \"{ANYWHERE}\"\nidentity = \"{identity}\"\nclient = \"{client}\"\nroots = \"{roots}\"\n\
             hotline = \"+4930123456\"\ncurrency = \"EUR\"\n"
        )
    }

    /// Parties, tokens and locations, each as its owner would tell it.
    async fn fill(&self, data: &Path, wish: &Wish, operators: &[Operator]) -> Result<(), Failure> {
        let own = party(HUB)?;
        let file = data.join(format!("{HUB}.sqlite"));
        let store = plain(Store::open(&file, store::Options::default(), hub::MIGRATIONS))?;
        let key = |name: &str| plain(trust::keyfile::load_or_create(data, &format!("{own}-{name}"), &SystemDice));
        let setup = hub::Setup { party: own, name: "Bench".to_owned(), tag_key: key("tags")? };
        let room = Hub::new(setup, store.clone(), Arc::new(SystemClock), Arc::new(SystemDice));
        for Operator { party, .. } in operators {
            plain(room.register_party(*party, Role::Operator, "Bench", PartyStatus::Connected).await)?;
        }
        let (ocpi, oicp) = wish.providers;
        for number in 0..ocpi + oicp {
            let party = numbered("DE", number)?;
            plain(room.register_party(party, Role::Provider, "Bench", PartyStatus::Connected).await)?;
        }
        let partners = plain(Partners::open(store.clone(), plain(trust::seal::SealKey::new(&key("seal")?))?).await)?;
        for number in ocpi..ocpi + oicp {
            plain(partners.put(self.oicp_partner(number)?).await)?;
        }
        let tokens = wish.tokens_each;
        let token = move |number: u32| token(number / tokens, number % tokens);
        put(&room, (ocpi + oicp) * tokens, token).await?;
        let owners: Vec<PartyId> = operators.iter().map(|operator| operator.party).collect();
        put(&room, wish.locations, move |number| location(&owners, number)).await?;
        drop((room, partners));
        store.close().await;
        Ok(())
    }

    fn oicp_partner(&self, number: u32) -> Result<Partner, Failure> {
        Ok(Partner {
            party: numbered("DE", number)?,
            name: "Bench".to_owned(),
            roles: vec![gate::road::Role::Provider],
            protocol: Protocol::Oicp23,
            addresses: vec![("".into(), self.providers.base(number))],
            login: None,
            entry: None,
            certificate: None,
            roots_pem: None,
            local: true,
        })
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if let Err(fault) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!(%fault, "the bench's folder could not be removed");
        }
    }
}

/// Serves the hub of a configuration until the bench has no use for it any more.
pub(super) async fn serve(file: &Path) -> Result<(), Failure> {
    let config = config::read(file).map_err(|faults| Failure::misuse(faults.to_string()))?;
    let house = House::open(&config, Arc::new(SystemClock), None).await?;
    let address = house.hub.as_ref().ok_or_else(|| Failure::misuse("the configuration has no [hub]".to_owned()))?.road;
    plain(load::server::announce(address, None))?;
    load::server::abandoned().await;
    house.close().await;
    Ok(())
}

/// Serves the bare proxy before this address as long.
pub(super) async fn proxy(folder: &Path, beyond: SocketAddr) -> Result<(), Failure> {
    let identity = plain(Identity::read(&identity_file(folder)))?;
    let server = plain(trust::tls::server(&identity, ClientCertificates::None, &["http/1.1"]))?;
    let roots = roots_file(folder);
    let roots = std::fs::read_to_string(&roots).map_err(|fault| Failure::io(&roots, &fault))?;
    let client = plain(trust::tls::client(&roots, None, &["http/1.1"]))?;
    let name = plain(HOST.try_into())?;
    let beyond = load::proxy::Beyond { addr: beyond, name, tls: Arc::new(client) };
    plain(load::server::announce(plain(load::proxy::proxy(ANYWHERE, Arc::new(server), beyond))?, None))?;
    load::server::abandoned().await;
    Ok(())
}

/// Both directions between the hub and a party, written into its configuration; the token that the party comes with.
fn road(
    text: &mut String,
    secrets: &Path,
    party: PartyId,
    role: &str,
    versions: &str,
) -> Result<Secret<String>, Failure> {
    let (out, into) = (secrets.join(format!("{HUB}-{party}")), secrets.join(format!("{party}-{HUB}")));
    init::token(&out)?;
    init::token(&into)?;
    let roots = secrets.parent().and_then(Path::parent).map(roots_file).unwrap_or_default();
    // writing to a string cannot fail
    let _written = write!(
        text,
        "[[road]]\nfrom = \"{HUB}\"\nto = \"{party}\"\nrole = \"{role}\"\nname = \"Bench\"\nversions = \"{versions}\"\n\
         roots = \"{}\"\ntoken_out = \"{}\"\ntoken_in = \"{}\"\n",
        roots.display(),
        out.display(),
        into.display(),
    );
    init::secret(&into)
}

/// Tells the hub's desk of one thing after the other, many at the same time.
async fn put(
    room: &Hub,
    count: u32,
    letter: impl Fn(u32) -> Option<(Envelope, Option<Box<str>>)> + Send + Clone + 'static,
) -> Result<(), Failure> {
    let mut tellers = JoinSet::new();
    for first in 0..AT_ONCE {
        let (room, letter) = (room.clone(), letter.clone());
        tellers.spawn(async move {
            for number in (first..count).step_by(AT_ONCE as usize) {
                let (envelope, public) =
                    letter(number).ok_or_else(|| Failure::plain("what fills the index is malformed"))?;
                let told = room.route(envelope, None, public).await;
                told.map_err(|denial| Failure::plain(format!("the hub refused what fills it: {denial:?}")))?;
                if number > 0 && number % TOLD_EVERY == 0 {
                    eprintln!("bench: {number} of {count}");
                }
            }
            Ok::<(), Failure>(())
        });
    }
    while let Some(told) = tellers.join_next().await {
        told.map_err(|_| Failure::plain("filling the index panicked"))??;
    }
    Ok(())
}

fn envelope(from: PartyId, errand: Errand, bytes: usize) -> Option<Envelope> {
    Some(Envelope { from, to: None, correlation: CorrelationId::new("bench").ok()?, errand, bytes })
}

fn token(provider: u32, serial: u32) -> Option<(Envelope, Option<Box<str>>)> {
    let owner = numbered("DE", provider).ok()?;
    let token = PresentedToken::new(TokenUid::new(uid(provider, serial)).ok()?, TokenKind::Rfid);
    Some((envelope(owner, Errand::Token { owner, token, valid: true }, 0)?, None))
}

/// A location of two EVSEs, as large as usual ones.
fn location(owners: &[PartyId], number: u32) -> Option<(Envelope, Option<Box<str>>)> {
    let owner = *owners.get(number as usize % owners.len())?;
    let (country, code) = (owner.country(), owner.code());
    let evse = |no: u32| {
        format!(
            r#"{{"uid":"{number}-{no}","evse_id":"{country}*{code}*E{number}*{no}","status":"AVAILABLE","capabilities":["REMOTE_START_STOP_CAPABLE","RFID_READER"],"connectors":[{{"id":"1","standard":"IEC_62196_T2","format":"SOCKET","power_type":"AC_3_PHASE","max_voltage":230,"max_amperage":32,"last_updated":"2026-01-01T00:00:00Z"}}],"last_updated":"2026-01-01T00:00:00Z"}}"#
        )
    };
    let body = format!(
        r#"{{"country_code":"{country}","party_id":"{code}","id":"B{number}","publish":true,"address":"Straße der Probe {number}","city":"Bench","postal_code":"10115","country":"DEU","coordinates":{{"latitude":"51.300000","longitude":"12.300000"}},"time_zone":"Europe/Berlin","evses":[{},{}],"last_updated":"2026-01-01T00:00:00Z"}}"#,
        evse(1),
        evse(2)
    );
    let errand = Errand::Location { owner, id: LocationId::new(format!("B{number}")).ok()?, evse: None };
    Some((envelope(owner, errand, body.len())?, Some(body.into())))
}

/// A party by its number: three digits of base 36.
fn numbered(country: &str, number: u32) -> Result<PartyId, Failure> {
    let digit = |place: u32| char::from_digit(number / 36_u32.pow(place) % 36, 36).unwrap_or('0').to_ascii_uppercase();
    party(&format!("{country}-{}{}{}", digit(2), digit(1), digit(0)))
}

fn client_file(folder: &Path) -> PathBuf {
    folder.join("client.pem")
}
