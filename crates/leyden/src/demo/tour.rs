//! `leyden demo --tour`: the three flows and a crash, once, without a browser.
//!
//! The house runs as a process of its own (`leyden serve`), so that it can be killed for real. Stations dial in,
//! drivers use the API; what is told in the report was read from the outside. Exit status 0 only if all held.

mod flows;
mod house;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use charge::{Clock, SystemClock};
use serde::Serialize;

use super::settle::{self, Folder, Settled};
use super::street::Street;
use super::world::World;
use super::{Admins, OPERATOR, PROVIDERS, party, plan};
use crate::api::{Api, Session};
use crate::cli::Demo;
use crate::init::lay_out;
use crate::{Failure, logins, report};
use house::HouseProcess;

/// Five stations: both OCPP versions, one of them fast.
const STATIONS: u16 = 5;
/// Anything that is waited for has happened by then, also on a machine that is busy.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The report, one JSON document.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    ok: bool,
    flows: Vec<Flow>,
}

/// One flow as it went.
#[derive(Debug, Serialize)]
pub(crate) struct Flow {
    name: &'static str,
    ok: bool,
    ms: u128,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// OCPP frames and OCPI requests between each two, while the flow ran.
    messages_per_hop: BTreeMap<String, u64>,
    /// By party: what it was told about the session, as the driver's page lists it.
    learned: BTreeMap<String, Vec<String>>,
    /// What was found, in plain words.
    found: Vec<String>,
}

/// What a flow brings home.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) learned: BTreeMap<String, Vec<String>>,
    pub(super) found: Vec<String>,
}

impl Findings {
    pub(super) fn note(&mut self, words: impl Into<String>) {
        self.found.push(words.into());
    }
}

/// The network of a tour.
pub(super) struct Network {
    pub(super) street: Street,
    pub(super) settled: Settled,
    pub(super) api: Api,
    pub(super) admins: Admins,
    pub(super) house: HouseProcess,
}

pub(super) async fn run(wish: &Demo) -> Result<ExitCode, Failure> {
    let dir = std::env::temp_dir().join(format!("leyden-tour-{}", std::process::id()));
    let folder = Folder(dir.clone());
    std::fs::create_dir_all(&dir).map_err(|fault| Failure::io(&dir, &fault))?;
    let toured = tour(wish, &folder).await;
    if let Err(fault) = std::fs::remove_dir_all(&dir) {
        tracing::warn!(%fault, "the tour's folder could not be removed");
    }
    let told = toured?;
    if let Some(path) = &wish.report {
        report::write(path, &told)?;
    }
    Ok(if told.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn tour(wish: &Demo, folder: &Folder) -> Result<Report, Failure> {
    lay_out(&folder.0, &plan(std::net::SocketAddr::from(([127, 0, 0, 1], 0)))?)?;
    let house = HouseProcess::start(&folder.0).await?;
    let logins = logins::read(&folder.0)?;
    let api = super::api(house.web(), &folder.0)?;
    let admins = Admins::sign_in(&api, &logins).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let world = World::from_seed(wish.seed, party(OPERATOR.0)?, PROVIDERS.len(), STATIONS, clock.now());
    let settled = settle::settle(&world, folder, wish.seed, &admins.operator, &admins.providers).await?;
    let street = Street::open(&world, folder, house.line(), &clock).await?;
    street.all_connected().await?;
    let mut network = Network { street, settled, api, admins, house };
    flows::indexed(&network).await?;

    let mut flows = Vec::new();
    let names: [&'static str; 5] = ["tap", "unknown token", "remote start", "meter to invoice", "crash-restart"];
    for name in names {
        eprint!("{name} … ");
        let before = messages(&network).await;
        let started = Instant::now();
        let mut findings = Findings::default();
        let done = match name {
            "tap" => flows::tap(&network, &mut findings).await,
            "unknown token" => flows::unknown_token(&network, &mut findings).await,
            "remote start" => flows::remote_start(&network, &mut findings).await,
            "meter to invoice" => flows::meter_to_invoice(&network, &mut findings).await,
            _ => flows::crash_restart(&mut network, &mut findings).await,
        };
        let ms = started.elapsed().as_millis();
        let messages_per_hop = difference(&before, &messages(&network).await);
        eprintln!(
            "{} in {ms} ms",
            done.as_ref().map_or_else(|fault| format!("FAILED: {fault}"), |()| "held".to_owned())
        );
        for line in &findings.found {
            eprintln!("    {line}");
        }
        let Findings { learned, found } = findings;
        flows.push(Flow { name, ok: done.is_ok(), ms, fault: done.err(), messages_per_hop, learned, found });
    }
    network.street.close().await;
    network.house.stop().await;
    Ok(Report { ok: flows.iter().all(|flow| flow.ok), flows })
}

/// A driver of one provider, signed in, with the number among its drivers.
pub(super) async fn driver(network: &Network, slug: &str, number: usize) -> Result<(Session, String), String> {
    let driver = network.settled.drivers.get(slug).and_then(|all| all.get(number)).ok_or("no such driver")?;
    let secret = charge::Secret::new(driver.password.clone());
    let session = network.api.sign_in(slug, &driver.user, &secret).await.map_err(|fault| fault.to_string())?;
    Ok((session, driver.card.clone()))
}

/// Counters of every hop, from the parties' own figures.
async fn messages(network: &Network) -> BTreeMap<String, u64> {
    let mut hops = BTreeMap::new();
    let mut add = |hop: String, count: u64| *hops.entry(hop).or_default() += count;
    if let Ok(text) = network.admins.operator.download("/metrics").await {
        let text = String::from_utf8_lossy(&text).into_owned();
        add("station-operator".to_owned(), sum(&text, "leyden_line_frames_total"));
        add("operator-hub".to_owned(), sum(&text, "leyden_road_requests_total"));
    }
    for (slug, session) in &network.admins.providers {
        if let Ok(text) = session.download("/metrics").await {
            let text = String::from_utf8_lossy(&text).into_owned();
            add(format!("hub-{slug}"), sum(&text, "leyden_road_requests_total"));
        }
    }
    hops
}

/// The sum of a metric over its labels.
fn sum(text: &str, name: &str) -> u64 {
    let values = text.lines().filter(|line| line.starts_with(name)).filter_map(|line| line.rsplit(' ').next());
    values.filter_map(|value| value.parse::<u64>().ok()).sum()
}

/// A counter that was reset by a restart counts from zero again.
fn difference(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let since = |hop: &String, now: u64| before.get(hop).filter(|then| **then <= now).map_or(now, |then| now - then);
    after.iter().map(|(hop, now)| (hop.clone(), since(hop, *now))).collect()
}
