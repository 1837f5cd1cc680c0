//! `leyden bench line`: enrols stations with a real operator, starts it as a process of its own beside a bare echo,
//! and lets `load` measure both in turns.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use charge::id::{ConnectorId, EvseNo, EvseUid, LocationId, PartyId, StationId};
use charge::money::Currency;
use charge::place::{Connector, Current, Evse, EvseStatus, Location, Plug, Position};
use charge::units::Power;
use charge::{Clock, Secret, SystemClock, Timestamp};
use gate::line::Options;
use load::line::{Account, Kind, Plan};
use load::road::Nod;
use load::server::Server;
use operator::{NewBay, NewStation, Operator, Profile, Settings, Setup};
use rustls::ServerConfig;
use store::Store;
use trust::dice::SystemDice;
use trust::pki::{Authority, Identity};
use trust::tls::{ClientCertificates, Trusted};

use crate::cli::{BenchLine, BenchServer};
use crate::demo::party;
use crate::{Failure, report};

const DAY: Duration = Duration::from_secs(86_400);
/// As in `leyden serve`.
const DUTY_EVERY: Duration = Duration::from_millis(200);
/// Rounds of duty that empty the notices of the enrolment before the first measurement.
const DUTIES_MAX: usize = 400;
const OPERATOR: &str = "DE-VLT";
const PROVIDER: &str = "DE-8AA";

pub(crate) async fn line(wish: &BenchLine) -> Result<ExitCode, Failure> {
    let folder = std::env::temp_dir().join(format!("leyden-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|fault| Failure::io(&folder, &fault))?;
    let measured = measure(wish, &folder).await;
    if let Err(fault) = std::fs::remove_dir_all(&folder) {
        tracing::warn!(%fault, "the bench's folder could not be removed");
    }
    let told = measured?;
    println!("{}", load::report::render(&told));
    if let Some(path) = &wish.report {
        report::write(path, &told)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(wish: &BenchLine, folder: &Path) -> Result<load::report::Report, Failure> {
    let authority = Authority::create("Bench", DAY, SystemClock.now(), &SystemDice);
    let authority = authority.map_err(|fault| Failure::plain(fault.to_string()))?;
    let identity = authority.server_certificate(&["localhost".to_owned()], DAY, SystemClock.now(), &SystemDice);
    let identity = identity.map_err(|fault| Failure::plain(fault.to_string()))?;
    identity.write(&identity_file(folder)).map_err(|fault| Failure::plain(fault.to_string()))?;
    let roots = roots_file(folder);
    std::fs::write(&roots, authority.certificate_pem()).map_err(|fault| Failure::io(&roots, &fault))?;
    eprintln!("enrolling {} stations …", wish.stations + wish.idle);
    let accounts = enrol(folder, wish.stations + wish.idle).await?;
    let senders = usize::try_from(wish.stations).unwrap_or(usize::MAX);
    let mut plan = Plan::new(accounts, senders, authority.certificate_pem().to_owned(), folder.to_owned());
    plan.messages = wish.messages;
    plan.rounds = wish.rounds;
    let this = std::env::current_exe().map_err(|fault| Failure::plain(format!("where is this program? {fault}")))?;
    let mut spawn = |kind: Kind| {
        let mut command = Command::new(&this);
        command.args(["bench", "server", "--dir"]).arg(folder);
        if kind == Kind::Echo {
            command.arg("--echo");
        }
        Server::launch(command)
    };
    let measured = load::line::measure(&plan, Arc::new(SystemClock), &mut spawn).await;
    measured.map_err(|fault| Failure::plain(fault.to_string()))
}

/// The process that is measured: the operator with its database, or the bare echo.
pub(crate) async fn server(wish: &BenchServer) -> Result<ExitCode, Failure> {
    let tls = Arc::new(tls(&wish.dir)?);
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let plain = |fault: std::io::Error| Failure::plain(fault.to_string());
    if wish.echo {
        let echo = load::server::echo(any, tls).map_err(plain)?;
        load::server::announce(echo.local_addr()).map_err(plain)?;
        load::server::abandoned().await;
        return Ok(ExitCode::SUCCESS);
    }
    let run = wish.dir.join("run.sqlite");
    for ending in ["", "-wal", "-shm"] {
        // not there in the first round
        let _gone = std::fs::remove_file(wish.dir.join(format!("run.sqlite{ending}")));
    }
    std::fs::copy(template(&wish.dir), &run).map_err(|fault| Failure::io(&run, &fault))?;
    let (room, store) = room(&run)?;
    let (desk, clock, dice) = (Arc::new(room.clone()), Arc::new(SystemClock), Arc::new(SystemDice));
    let line = gate::line::listen(any, tls, desk, clock, dice, Options::default());
    let line = line.map_err(|fault| Failure::plain(fault.to_string()))?;
    room.attach_line(line.line());
    let busy = room.clone();
    let duty = tokio::spawn(async move { busy.work(DUTY_EVERY).await });
    load::server::announce(line.local_addr()).map_err(plain)?;
    load::server::abandoned().await;
    line.stop().await;
    duty.abort();
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Enrols stations into a database that every round gets a copy of: each round begins with the same operator.
async fn enrol(folder: &Path, count: u32) -> Result<Vec<Account>, Failure> {
    let (room, store) = room(&template(folder))?;
    let now = SystemClock.now();
    let failed = |fault: operator::Fault| Failure::plain(fault.to_string());
    let locations: Option<Vec<Location>> = (0..count).map(|number| location(number, now)).collect();
    let locations = locations.ok_or_else(|| Failure::plain("the bench's locations are malformed"))?;
    room.put_locations("bench", locations).await.map_err(failed)?;
    let mut accounts = Vec::new();
    for number in 0..count {
        let new = new_station(number, now).ok_or_else(|| Failure::plain("the bench's stations are malformed"))?;
        let id = new.id.to_string();
        let key = room.enrol_station("bench", new).await.map_err(failed)?;
        let password = key.ok_or_else(|| Failure::plain("a station of profile 2 got no key"))?;
        accounts.push(Account { id, password });
    }
    for _ in 0..DUTIES_MAX {
        room.duty().await;
    }
    drop(room);
    store.close().await;
    Ok(accounts)
}

fn location(number: u32, now: Timestamp) -> Option<Location> {
    Some(Location {
        party: OPERATOR.parse().ok()?,
        id: LocationId::new(format!("B{number}")).ok()?,
        name: None,
        address: "Bench".to_owned(),
        city: "Bench".to_owned(),
        postal_code: None,
        country: "DEU".to_owned(),
        position: Position::new(513_000_000, 123_000_000)?,
        time_zone: "Europe/Berlin".to_owned(),
        operator_name: None,
        evses: Vec::new(),
        last_updated: now,
    })
}

/// EVSE 1 charges, EVSE 2 reports its status.
fn new_station(number: u32, now: Timestamp) -> Option<NewStation> {
    let bay = |no: u16| {
        let connector = Connector {
            id: ConnectorId::new("1").ok()?,
            plug: Plug::Type2,
            attached_cable: false,
            current: Current::Ac3Phase,
            max_voltage_v: 400,
            max_amperage_a: 32,
            max_power: Power::from_watts(22_000),
            tariffs: Vec::new(),
        };
        let evse = Evse {
            uid: EvseUid::new(format!("B{number}-{no}")).ok()?,
            id: None,
            status: EvseStatus::Available,
            connectors: vec![connector],
            capabilities: charge::place::Capabilities::NONE,
            physical_reference: None,
            last_updated: now,
        };
        Some(NewBay { no: EvseNo::new(no)?, evse, meter_key: None })
    };
    Some(NewStation {
        id: StationId::new(format!("BENCH-{number}")).ok()?,
        location: LocationId::new(format!("B{number}")).ok()?,
        bays: vec![bay(1)?, bay(2)?],
        profile: Profile::Basic { serial: None },
        danger_plain_ws: false,
    })
}

/// The operator as in production, but for its road: whatever is asked is allowed, nothing travels.
fn room(file: &Path) -> Result<(Operator, Store), Failure> {
    let store = Store::open(file, store::Options::default(), Operator::MIGRATIONS);
    let store = store.map_err(|fault| Failure::plain(format!("{}: {fault}", file.display())))?;
    let (party, provider): (PartyId, PartyId) = (party(OPERATOR)?, party(PROVIDER)?);
    // the template and its copies are thrown away with the folder: fixed keys keep them readable to each other
    let seal = trust::seal::SealKey::new(&Secret::new([7; 32])).map_err(|fault| Failure::plain(fault.to_string()))?;
    let keys = operator::Keys { seal, tags: trust::token_tag::TagKey::new(&Secret::new([8; 32])) };
    let settings = Settings { currency: Currency::EUR, ..Settings::default() };
    let setup = Setup { party, name: "Bench".to_owned(), hub: party, keys, settings };
    let room = Operator::new(setup, store.clone(), Arc::new(SystemClock), Arc::new(SystemDice));
    let nod = Nod::of(provider).ok_or_else(|| Failure::plain("the bench's provider is malformed"))?;
    room.attach_road(Arc::new(nod));
    Ok((room, store))
}

/// One recipe for both servers.
fn tls(folder: &Path) -> Result<ServerConfig, Failure> {
    let identity = Identity::read(&identity_file(folder)).map_err(|fault| Failure::plain(fault.to_string()))?;
    let roots = roots_file(folder);
    let roots_pem = std::fs::read_to_string(&roots).map_err(|fault| Failure::io(&roots, &fault))?;
    let trusted = Trusted { roots_pem, on_refused: Arc::new(|_refused| {}) };
    let made = trust::tls::server(&identity, ClientCertificates::Optional(trusted), &[]);
    made.map_err(|fault| Failure::plain(fault.to_string()))
}

fn template(folder: &Path) -> PathBuf {
    folder.join("template.sqlite")
}

fn identity_file(folder: &Path) -> PathBuf {
    folder.join("identity.pem")
}

fn roots_file(folder: &Path) -> PathBuf {
    folder.join("roots.pem")
}
