//! `leyden controller`: a local controller for the stations of one site, as a process of its own.
//!
//! Its configuration is a file of its own kind; unknown keys are refused with their line, secrets stand in files of
//! mode 0600, paths are relative to it. It has no pages: what it does is in its traces, and what it keeps is in
//! one database.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use charge::id::StationId;
use charge::talk::line::Desk;
use charge::talk::line::charging::RateUnit;
use charge::token::TokenUid;
use charge::units::Power;
use charge::{Clock, Dice, Personal, Secret, SystemClock};
use gate::line::{Options, Seconds};
use operator::admit::Proof;
use operator::controller::{Offline, Rules, Seat, Upstream};
use operator::share::{Outlet, Supply};
use operator::{Controller, ControllerSetup, GroupSeat, Keys, Sharing};
use serde::Deserialize;
use store::Store;
use trust::dice::SystemDice;
use trust::pki::Identity;
use trust::seal::SealKey;
use trust::station_key::StationKey;
use trust::tls::{self, ClientCertificates, Trusted};
use trust::token_tag::TagKey;

use crate::cli::Serve;
use crate::init::secret;
use crate::{Failure, serve};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Folder of the database and the keys.
    data: PathBuf,
    /// Where the site's stations connect.
    listen: SocketAddr,
    /// Key and certificate chain of this door in one PEM file.
    identity: PathBuf,
    /// Authorities whose station certificates are good, for stations with a `serial` (security profile 3).
    station_roots: Option<PathBuf>,
    /// `wss://host[:port][/path]` of the CSMS; each station's identity is appended.
    csms: String,
    /// The authorities that vouch for the CSMS.
    roots: PathBuf,
    /// The CSMS is in our own network: its address need not be public.
    #[serde(default)]
    local: bool,
    /// Who charges while the CSMS is away: `nobody`, `listed` or `everybody`.
    #[serde(default)]
    offline: Option<String>,
    /// A private file with the uids of the cards that are listed, one on each line.
    cards: Option<PathBuf>,
    /// Messages kept for one station.
    #[serde(default = "ten_thousand")]
    buffer_max: u32,
    /// The power of the site, where the controller shares it out.
    share: Option<Share>,
    #[serde(rename = "station")]
    stations: Vec<Station>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Share {
    /// What all stations together may take.
    watts: Option<u32>,
    /// The same by the fuse: amperes of each of three phases. Where both are said, the lower holds.
    amperes: Option<u32>,
    /// Between a phase and neutral.
    #[serde(default = "volts")]
    volts: u32,
    /// Less than this is of no use to a car; who came last waits instead.
    #[serde(default = "six_amperes")]
    least_watts: u32,
    /// The identity under which the CSMS limits the whole site.
    id: Option<String>,
    /// A private file with its password at the CSMS.
    csms_key: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Station {
    id: String,
    /// A private file with the password that the station comes with (security profile 2).
    key: Option<PathBuf>,
    /// The serial number in its client certificate (security profile 3).
    serial: Option<String>,
    /// A private file with its password at the CSMS; `key` where it is not said.
    csms_key: Option<PathBuf>,
    /// Told its share in amperes of each phase instead of watts.
    #[serde(default)]
    amperes: bool,
    /// How many phases it charges on, for limits in amperes.
    #[serde(default = "three")]
    phases: u8,
    /// What it can take at most: so much is counted before it was ever told a limit.
    max_watts: Option<u32>,
}

/// A day of a busy site without its CSMS.
const fn ten_thousand() -> u32 {
    10_000
}

const fn volts() -> u32 {
    230
}

const fn three() -> u8 {
    3
}

pub(crate) async fn run(wish: &Serve) -> Result<ExitCode, Failure> {
    let config = read(&wish.config)?;
    let (clock, dice): (Arc<dyn Clock>, Arc<dyn Dice>) = (Arc::new(SystemClock), Arc::new(SystemDice));
    std::fs::create_dir_all(&config.data).map_err(|fault| Failure::io(&config.data, &fault))?;
    let file = config.data.join("controller.sqlite");
    let store = Store::open(&file, store::Options::default(), Controller::MIGRATIONS)
        .map_err(|fault| Failure::plain(format!("{}: {fault}", file.display())))?;
    let door = Arc::new(Seconds::new(Arc::clone(&clock), Arc::clone(&dice)));
    let controller =
        Controller::new(setup(&config, &*dice)?, store.clone(), Arc::clone(&clock), Arc::clone(&dice), door);
    let desk: Arc<dyn Desk> = Arc::new(controller.clone());
    let line = gate::line::listen(config.listen, door_tls(&config)?, desk, clock, dice, Options::default())
        .map_err(|fault| Failure::plain(format!("listen: {fault}")))?;
    controller.attach_line(line.line());
    println!("stations connect to: wss://{}/ocpp/<identity>", line.local_addr());
    println!("ready");
    serve::stopped().await;
    line.stop().await;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<Config, Failure> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|fault| Failure::misuse(format!("{shown}: {fault}")))?;
    let mut config: Config = toml::from_str(&text).map_err(|fault| {
        let line = fault.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        Failure::misuse(format!("{shown}:{line}: {}", fault.message().trim()))
    })?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let own = [&mut config.data, &mut config.identity, &mut config.roots].into_iter();
    let shared = config.share.as_mut().and_then(|share| share.csms_key.as_mut());
    let own = own.chain(&mut config.station_roots).chain(&mut config.cards).chain(shared);
    let keys = config.stations.iter_mut().flat_map(|one| one.key.iter_mut().chain(&mut one.csms_key));
    for path in own.chain(keys) {
        if path.is_relative() {
            *path = folder.join(&*path);
        }
    }
    Ok(config)
}

fn setup(config: &Config, dice: &dyn Dice) -> Result<ControllerSetup, Failure> {
    let key = |name: &str| {
        trust::keyfile::load_or_create(&config.data, &format!("controller-{name}"), dice)
            .map_err(|fault| Failure::plain(fault.to_string()))
    };
    let seal = SealKey::new(&key("seal")?).map_err(|fault| Failure::plain(fault.to_string()))?;
    let keys = Keys { seal, tags: TagKey::new(&key("tags")?) };
    let roots = std::fs::read_to_string(&config.roots).map_err(|fault| Failure::io(&config.roots, &fault))?;
    let seats = config.stations.iter().map(|one| seat(one, dice)).collect::<Result<_, _>>()?;
    let rules = Rules::new(offline(config)?, &cards(config)?, &keys.tags);
    let upstream = Upstream { address: config.csms.clone(), roots, local: config.local };
    let sharing = config.share.as_ref().map(|share| sharing(share, &config.stations)).transpose()?;
    Ok(ControllerSetup { upstream, seats, rules, keys, buffer_max: config.buffer_max, sharing })
}

fn sharing(share: &Share, stations: &[Station]) -> Result<Sharing, Failure> {
    let wrong = |why: String| Failure::misuse(format!("share: {why}"));
    let password = share.csms_key.as_deref().map(secret).transpose()?;
    let password = password.map(|password| Secret::new(password.expose().as_str().into()));
    let station = share.id.as_deref().map(StationId::new).transpose().map_err(|fault| wrong(format!("id: {fault}")))?;
    let group = match (station, password) {
        (Some(station), password @ Some(_)) => Some(GroupSeat { station, password }),
        (None, None) => None,
        (Some(_), None) => return Err(wrong("`csms_key` for the `id`".to_owned())),
        (None, Some(_)) => return Err(wrong("`id` for the `csms_key`".to_owned())),
    };
    let power = |watts: u32| Power::from_watts(i64::from(watts));
    let connection = Outlet { volts: share.volts, ..Outlet::default() };
    let fuse = share.amperes.map(|amperes| connection.of_amperes(amperes));
    let site = share.watts.map(power).into_iter().chain(fuse).min();
    let site = site.ok_or_else(|| wrong("`watts` or `amperes`: what all stations together may take".to_owned()))?;
    let supply = Supply { power: site, least: power(share.least_watts) };
    let mut outlets = BTreeMap::new();
    for one in stations {
        let named = |why: String| Failure::misuse(format!("station {}: {why}", one.id));
        let station = StationId::new(&one.id).map_err(|fault| named(fault.to_string()))?;
        if !(1..=3).contains(&one.phases) {
            return Err(named("`phases` is 1, 2 or 3".to_owned()));
        }
        let unit = if one.amperes { RateUnit::Amperes } else { RateUnit::Watts };
        let most = one.max_watts.map(power);
        outlets.insert(station, Outlet { unit, volts: share.volts, phases: one.phases, most });
    }
    Ok(Sharing { supply, group, connection, outlets })
}

/// On one phase of 230 V: the least that a car on AC can be told (IEC 61851-1).
const fn six_amperes() -> u32 {
    1_380
}

fn seat(one: &Station, dice: &dyn Dice) -> Result<Seat, Failure> {
    let wrong = |why: String| Failure::misuse(format!("station {}: {why}", one.id));
    let station = StationId::new(&one.id).map_err(|fault| wrong(fault.to_string()))?;
    let key = one.key.as_deref().map(secret).transpose()?;
    let proof = match (&key, &one.serial) {
        (Some(key), _) => {
            let digest = StationKey::chosen(key.expose()).and_then(|key| key.digest(dice));
            let digest = digest.map_err(|fault| wrong(fault.to_string()))?;
            Proof::Basic { digest: Box::new(digest), serial: one.serial.clone() }
        }
        (None, Some(serial)) => Proof::Certificate { serial: serial.clone() },
        (None, None) => return Err(wrong("a `key` or the `serial` of a certificate".to_owned())),
    };
    let password = one.csms_key.as_deref().map(secret).transpose()?.or(key);
    let password = password.map(|password| Secret::new(password.expose().as_str().into()));
    Ok(Seat { station, proof, password })
}

fn offline(config: &Config) -> Result<Offline, Failure> {
    let Some(word) = &config.offline else { return Ok(Offline::default()) };
    Offline::named(word).ok_or_else(|| Failure::misuse("offline: `nobody`, `listed` or `everybody`"))
}

fn cards(config: &Config) -> Result<Vec<Personal<TokenUid>>, Failure> {
    let Some(file) = &config.cards else { return Ok(Vec::new()) };
    let text = secret(file)?;
    let lines = text.expose().lines().map(str::trim).filter(|line| !line.is_empty());
    let uid = |line| TokenUid::new(line).map(Personal::new);
    lines.map(uid).collect::<Result<_, _>>().map_err(|fault| Failure::misuse(format!("{}: {fault}", file.display())))
}

fn door_tls(config: &Config) -> Result<Arc<rustls::ServerConfig>, Failure> {
    let identity = Identity::read(&config.identity).map_err(|fault| Failure::plain(fault.to_string()))?;
    let clients = match &config.station_roots {
        Some(file) => ClientCertificates::Optional(Trusted {
            roots_pem: std::fs::read_to_string(file).map_err(|fault| Failure::io(file, &fault))?,
            on_refused: Arc::new(|refused| tracing::warn!(%refused, "a station's certificate was refused")),
        }),
        None => ClientCertificates::None,
    };
    let tls = tls::server(&identity, clients, &[]).map_err(|fault| Failure::plain(fault.to_string()))?;
    Ok(Arc::new(tls))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn the_example_is_read_and_an_unknown_key_is_named_with_its_line() {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/controller.toml");
        let config = read(&example).unwrap();
        assert_eq!(config.stations.len(), 2);
        let share = config.share.as_ref().unwrap();
        assert_eq!((share.watts, share.least_watts, share.id.as_deref()), (Some(44_000), 1_380, Some("SITE-1")));
        let bare = |watts, amperes| Share { watts, amperes, volts: 230, least_watts: 1, id: None, csms_key: None };
        assert!(sharing(&Share { id: Some("X".to_owned()), ..bare(Some(1), None) }, &[]).is_err());
        assert!(sharing(&bare(None, None), &[]).is_err());
        let site = |watts, amperes| sharing(&bare(watts, amperes), &config.stations).unwrap();
        assert_eq!(site(None, Some(63)).supply.power, Power::from_watts(43_470));
        assert_eq!(site(Some(50_000), Some(63)).supply.power, Power::from_watts(43_470));
        let second = site(Some(50_000), None).outlets[&StationId::new("CP-2").unwrap()];
        let expected = Outlet { unit: RateUnit::Amperes, volts: 230, phases: 1, most: Some(Power::from_watts(3_680)) };
        assert_eq!(second, expected);
        assert!(config.data.is_absolute() || config.data.starts_with(example.parent().unwrap()));
        assert_eq!(offline(&config).unwrap(), Offline::Listed);
        let file = std::env::temp_dir().join(format!("leyden-controller-{}.toml", std::process::id()));
        std::fs::write(&file, "data = \"d\"\ncolour = \"red\"\n").unwrap();
        let said = read(&file).unwrap_err().to_string();
        std::fs::remove_file(&file).unwrap();
        assert!(said.contains(":2:") && said.contains("colour"), "{said}");
    }
}
