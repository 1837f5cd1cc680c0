//! `leyden demo`: a whole network on one machine, over the real protocols and sockets.
//!
//! The house (operator, hub, providers) is opened as `leyden serve` would; the world is settled in it through the API;
//! virtual stations dial in over mutual TLS; drivers come, tap cards or start from their phones, and leave.

mod crowd;
mod keys;
mod settle;
pub(crate) mod street;
mod tour;
mod visitor;
mod world;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use charge::clock::FastClock;
use charge::id::{PartyId, StationId};
use charge::talk::line::Version;
use charge::{Clock, SystemClock, Timestamp};

use crate::api::{Api, Session};
use crate::cli::Demo;
use crate::house::House;
use crate::init::{Member, Plan, lay_out};
use crate::logins::{self, Login};
use crate::{Failure, config, register, report};
use settle::{Folder, Settled};
use world::World;

/// The parties of the demo. The two providers distrust each other and everybody else.
const OPERATOR: (&str, &str) = ("DE-VLT", "Voltwerk");
const HUB: (&str, &str) = ("DE-HUB", "Drehkreuz");
const PROVIDERS: [(&str, &str, &str); 2] = [("amsel", "DE-8AA", "Amsel Mobil"), ("birke", "DE-8BB", "Birke Strom")];
/// Where the demo's clock stood is kept this often, so that time never runs backwards.
const CLOCK_KEPT_EVERY: Duration = Duration::from_secs(5);

pub(crate) async fn run(wish: &Demo) -> Result<ExitCode, Failure> {
    if wish.tour {
        return tour::run(wish).await;
    }
    let folder = Folder(wish.dir.clone());
    std::fs::create_dir_all(&folder.0).map_err(|fault| Failure::io(&folder.0, &fault))?;
    if let Some(other) = settle::other_world(&folder.0, &folder.read()?, wish.seed, wish.stations) {
        return Err(other);
    }
    lay_out(&folder.0, &plan(wish.listen)?)?;
    let config = config::read(&folder.0.join("leyden.toml")).map_err(|faults| Failure::plain(faults.to_string()))?;
    let clock: Arc<dyn Clock> = Arc::new(FastClock::new(SystemClock, last_time(&folder.0), wish.speed));
    let house = House::open(&config, Arc::clone(&clock), Some(wish.speed)).await?;
    let logins = logins::first(&house, &folder.0).await?;
    let api = api(house.web_address, &folder.0)?;
    let admins = keys::admins(&house, &api).await?;

    let operator: PartyId = party(OPERATOR.0)?;
    let world = World::from_seed(wish.seed, operator, PROVIDERS.len(), wish.stations, clock.now());
    eprintln!(
        "settling {} stations and {} drivers …",
        world.stations.len(),
        world.drivers.iter().map(Vec::len).sum::<usize>()
    );
    let settled = settle::settle(&world, &folder, wish.seed, &admins.operator, &admins.providers).await?;
    if let Some(file) = &wish.locations {
        import(file, wish, &house, operator, clock.now()).await?;
    }
    let Some(line) = house.operator.as_ref().map(|operator| operator.line.local_addr()) else {
        return Err(Failure::plain("the demo has no operator"));
    };
    let street = Arc::new(street::Street::open(&world, &folder, line, &clock).await?);
    street.all_connected().await?;
    // from here on Ctrl-C is heard, also while the address is being printed
    let stopped = tokio::spawn(crate::serve::stopped());
    show(wish, &house, &logins, &settled).await;
    parked(&world, &street);
    offer_codes(&house, &street).await;
    let mut crowd = match &wish.sessions {
        Some(file) => crowd::replay(file, &street, &settled, wish.speed)?,
        None => {
            let phones = keys::phones(&house, &api, &settled).await?;
            crowd::live(&street, &phones, &settled, wish.speed, wish.seed)
        }
    };
    crowd.welcome(&street, wish.speed);
    tokio::select! {
        // an error means that nobody can stop us in the usual way any more, which is a reason to stop too
        _stopped = stopped => {}
        () = keep_time(&folder.0, &*clock) => {}
    }
    eprintln!("\nstopping: drivers leave, stations say goodbye, databases close …");
    crowd.stop().await;
    if let Some(street) = Arc::into_inner(street) {
        street.close().await;
    }
    keep(&folder.0, clock.now());
    house.close().await;
    Ok(ExitCode::SUCCESS)
}

/// The administrators of the demo's parties.
pub(crate) struct Admins {
    pub(crate) operator: Session,
    pub(crate) hub: Session,
    /// In the order of [`PROVIDERS`], by slug.
    pub(crate) providers: Vec<(String, Session)>,
}

impl Admins {
    pub(crate) async fn sign_in(api: &Api, logins: &[Login]) -> Result<Self, Failure> {
        let session = async |slug: &str| {
            let login = logins.iter().find(|login| login.slug == slug);
            let login = login
                .ok_or_else(|| Failure::plain(format!("no login of {slug} is known; remove the demo's folder")))?;
            api.sign_in(slug, &login.user, &login.secret()).await.map_err(Failure::from)
        };
        let mut providers = Vec::new();
        for (slug, ..) in PROVIDERS {
            providers.push((slug.to_owned(), session(slug).await?));
        }
        Ok(Self { operator: session("operator").await?, hub: session("hub").await?, providers })
    }
}

pub(crate) fn api(address: SocketAddr, dir: &Path) -> Result<Api, Failure> {
    let root = dir.join("pki/root.pem");
    let roots = std::fs::read_to_string(&root).map_err(|fault| Failure::io(&root, &fault))?;
    Api::new(address, &roots)
}

pub(crate) fn party(text: &str) -> Result<PartyId, Failure> {
    text.parse().map_err(|fault| Failure::plain(format!("{text} {fault}")))
}

/// A network on loopback; every port but the pages' is whichever is free.
pub(crate) fn plan(listen: SocketAddr) -> Result<Plan, Failure> {
    // held until all are chosen, so that none is chosen twice
    let held = (0..6).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<Vec<_>, _>>();
    let held = held.map_err(|fault| Failure::plain(format!("no free port on loopback: {fault}")))?;
    let mut ports = held.iter().filter_map(|listener| listener.local_addr().ok());
    let mut port = || ports.next().ok_or_else(|| Failure::plain("no free port on loopback"));
    let mut member =
        |(id, name): (&str, &str)| Ok::<_, Failure>(Member { party: party(id)?, name: name.to_owned(), road: port()? });
    let (operator, hub) = (member(OPERATOR)?, member(HUB)?);
    let mut providers = Vec::new();
    for (slug, id, name) in PROVIDERS {
        providers.push((slug.to_owned(), member((id, name))?));
    }
    let web = if listen.port() == 0 { SocketAddr::new(listen.ip(), free_port(listen)?) } else { listen };
    Ok(Plan { host: "localhost".to_owned(), web, line: port()?, soap: Some(port()?), operator, hub, providers })
}

fn free_port(like: SocketAddr) -> Result<u16, Failure> {
    let listener = TcpListener::bind(like).and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|fault| Failure::plain(format!("{like}: {fault}")))
}

async fn import(file: &Path, wish: &Demo, house: &House, party: PartyId, now: Timestamp) -> Result<(), Failure> {
    let [tariff, _] = world::tariff_ids();
    let tariff = tariff.ok_or_else(|| Failure::plain("the demo has no tariff"))?;
    let imported = register::read(file, party, &tariff, now)?;
    imported.report.show(file);
    if let Some(path) = &wish.report {
        report::write(path, &imported.report)?;
    }
    if let Some(operator) = &house.operator {
        let put = operator.room.put_locations("import", imported.locations).await;
        put.map_err(|fault| Failure::plain(fault.to_string()))?;
    }
    Ok(())
}

/// The one address and the logins.
async fn show(wish: &Demo, house: &House, logins: &[Login], settled: &Settled) {
    let address = format!("https://localhost:{}", house.web_address.port());
    println!("\n  {address}\n");
    for login in logins {
        println!("  {:12} {:10} {}", login.slug, login.user, keys::told(house, login).await);
    }
    for (slug, drivers) in &settled.drivers {
        if let Some(driver) = drivers.first() {
            let (user, password) = (driver.user.clone(), driver.password.clone());
            let login = Login { slug: slug.clone(), party: String::new(), user, password };
            println!("  {:12} {:10} {}   (a driver)", slug, driver.user, keys::told(house, &login).await);
        }
    }
    let root = wish.dir.join("pki/root.pem");
    println!("\n  Your browser will ask about the certificate: its authority is {},", root.display());
    println!("  made for this demo alone. Time runs {} times faster than real. Ctrl-C stops it.\n", wish.speed);
}

/// Tells where the car of each provider's first driver waits, and keeps its bay from everybody else.
fn parked(world: &World, street: &street::Street) {
    for (number, (slug, ..)) in PROVIDERS.iter().enumerate() {
        let Some((standing, bay)) = visitor::bay_of(street, number) else { continue };
        bay.keep();
        let place = world.locations.iter().find(|place| place.id == standing.location);
        let name = place.and_then(|place| place.name.as_deref()).unwrap_or(standing.location.as_str());
        println!("  A car of {slug}'s driver is plugged in at {name}, {}: start it from the page.", bay.evse_id);
    }
    println!();
}

/// Stations of OCPP 2.1 show codes for paying without a contract; one of them is told for whoever looks at the demo.
async fn offer_codes(house: &House, street: &street::Street) {
    let Some(operator) = &house.operator else { return };
    for standing in &street.stations {
        if standing.station.watch().borrow().line != Some(Version::V21) {
            continue;
        }
        let Ok(id) = StationId::new(&standing.id) else { continue };
        match operator.room.offer_payment("demo", &id).await {
            Ok(came) => tracing::debug!(station = %id, outcome = ?came.outcome, "codes for paying"),
            Err(fault) => tracing::warn!(station = %id, %fault, "no codes for paying"),
        }
    }
    let shown = street.stations.iter().find_map(|standing| {
        let view = standing.station.watch().borrow().clone();
        view.bays.iter().find_map(|bay| bay.pay.clone())
    });
    if let Some(address) = shown {
        println!("  A station shows this code, for a short while, to whoever has no contract:\n  {address}\n");
    }
}

/// Where the demo's clock goes on: never behind where it was, never behind the machine's.
fn last_time(dir: &Path) -> Timestamp {
    let kept = std::fs::read_to_string(dir.join("clock.txt")).ok().and_then(|text| text.trim().parse().ok());
    kept.map_or(SystemClock.now(), |kept: Timestamp| kept.max(SystemClock.now()))
}

fn keep(dir: &Path, now: Timestamp) {
    let path = dir.join("clock.txt");
    if let Err(fault) = std::fs::write(&path, now.to_string()) {
        tracing::warn!(%fault, "the demo's time could not be kept");
    }
}

async fn keep_time(dir: &Path, clock: &dyn Clock) {
    loop {
        keep(dir, clock.now());
        tokio::time::sleep(CLOCK_KEPT_EVERY).await;
    }
}
