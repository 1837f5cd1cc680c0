//! `bench hammer`: what stations that behave feel while a thousand peers that do not hammer at the door.
//!
//! The bad ones are a process of their own. The good ones work at a steady rate, first undisturbed and then not, and
//! the only thing told is how long their answers took. None of them may fail.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use charge::Clock;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::Fault;
use crate::bad::Attempts;
use crate::client::Caller;
use crate::dialect::{Dialect, Message};
use crate::line::{Account, Kind, say};
use crate::linux;
use crate::loader::{Loader, Order, Said, Target};
use crate::phase::{self, Lanes, Tempo};
use crate::report::Machine;
use crate::report::table::{line, row, section, table, verdict};
use crate::server::Server;
use crate::spread::{percentile, tenths};
use crate::station::Station;

/// The slowest hundredth of a good station's answers takes at most this.
const P99_MAX: Duration = Duration::from_secs(2);
/// One kind of message follows the other.
const STRETCH: Duration = Duration::from_secs(1);

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The good ones first, then one for each bad peer.
    pub accounts: Vec<Account>,
    pub good: usize,
    pub bad: usize,
    /// Messages of the good ones, all together.
    pub per_second: u32,
    /// How long undisturbed.
    pub quiet: Duration,
    /// The bad ones are given this long to arrive before the good ones are timed again.
    pub run_up: Duration,
    /// And how long hammered.
    pub time: Duration,
    pub roots_pem: String,
    pub host: String,
    pub id_tag: String,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub machine: Machine,
    pub good: usize,
    pub bad: usize,
    pub per_second: u32,
    pub attempts: Attempts,
    pub quiet: Felt,
    pub hammered: Felt,
    pub holds: bool,
}

/// What the good ones felt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Felt {
    pub answers: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub slowest_ms: f64,
}

/// Runs the bench. `server` starts an operator process, `loader` a loader for it that knows the plan's accounts.
pub async fn measure(
    plan: &Plan,
    clock: Arc<dyn Clock>,
    server: &mut (dyn FnMut(Kind) -> io::Result<Server> + Send),
    loader: &mut (dyn FnMut(&Target) -> io::Result<Loader> + Send),
) -> Result<Report, Fault> {
    let load_before = linux::load_average()?;
    let server = server(Kind::Operator).map_err(|why| Fault::Server(Kind::Operator, why))?;
    let (roots_pem, host) = (plan.roots_pem.clone(), plan.host.clone());
    let target = Target { addr: server.addr, kind: Kind::Operator, roots_pem, host };
    let mut loader = loader(&target).map_err(Fault::Process)?;
    let mut lanes = good(plan, &target, &clock).await?;
    say(&format!("{} stations work undisturbed", plan.good));
    let quiet = felt(plan, &mut lanes, plan.quiet, &clock).await?;
    say(&format!("{} stations work while {} peers hammer", plan.good, plan.bad));
    loader.tell(Order::Hammer { first: plan.good, peers: plan.bad, time: plan.run_up + plan.time })?;
    let (hammered, attempts) = tokio::join!(
        async {
            tokio::time::sleep(plan.run_up).await;
            felt(plan, &mut lanes, plan.time, &clock).await
        },
        heard(&mut loader),
    );
    let (hammered, attempts) = (hammered?, attempts?);
    Ok(Report {
        machine: Machine::now(load_before)?,
        good: plan.good,
        bad: plan.bad,
        per_second: plan.per_second,
        attempts,
        quiet,
        hammered,
        holds: hammered.p99_ms <= P99_MAX.as_secs_f64() * 1e3,
    })
}

async fn heard(loader: &mut Loader) -> Result<Attempts, Fault> {
    match loader.hear().await? {
        Said::Hammered(attempts) => Ok(attempts),
        Said::Came(_) | Said::Spoke(_) | Said::Left | Said::Failed(_) => Err(Fault::Nothing),
    }
}

/// A lane for each, and a transaction.
async fn good(plan: &Plan, target: &Target, clock: &Arc<dyn Clock>) -> Result<Lanes, Fault> {
    let caller = Arc::new(Caller::new(target.addr, Dialect::V16, &plan.roots_pem, &plan.host)?);
    let accounts: Arc<[Account]> = plan.accounts.as_slice().into();
    let (came, _elapsed) = phase::connect(&caller, Kind::Operator, &accounts, (0, plan.good), plan.good).await?;
    let now = clock.now();
    let mut lanes: Lanes =
        came.into_iter().map(|lane| lane.into_iter().map(|came| Station::new(came, now)).collect()).collect();
    for station in lanes.iter_mut().flatten() {
        station.begin(&plan.id_tag, clock.now()).await?;
    }
    Ok(lanes)
}

async fn felt(plan: &Plan, lanes: &mut Lanes, time: Duration, clock: &Arc<dyn Clock>) -> Result<Felt, Fault> {
    let (end, mut trips) = (Instant::now() + time, Vec::new());
    let mut messages = Dialect::V16.messages().iter().cycle();
    while Instant::now() < end {
        let message = messages.next().copied().unwrap_or(Message::Heartbeat);
        let tempo = Tempo::Paced { per_second: plan.per_second, time: STRETCH.min(time) };
        trips.extend(phase::say(lanes, message, tempo, clock).await?.round_trips);
    }
    trips.sort_unstable();
    let at = |of_hundred| percentile(&trips, of_hundred).map(|trip| tenths(trip as f64 / 1e6)).ok_or(Fault::Nothing);
    Ok(Felt { answers: trips.len(), p50_ms: at(50)?, p99_ms: at(99)?, slowest_ms: at(100)? })
}

/// As a section of the page.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    section(&mut text, "While others hammer");
    let mut rows = vec![row(["the good ones", "answers", "p50 (ms)", "p99 (ms)", "slowest (ms)"])];
    for (name, felt) in [("undisturbed", report.quiet), ("hammered", report.hammered)] {
        let times = [felt.p50_ms, felt.p99_ms, felt.slowest_ms].map(|time| format!("{time:.1}"));
        rows.push(row([name, &felt.answers.to_string(), &times[0], &times[1], &times[2]]));
    }
    table(&mut text, &rows);
    line(&mut text, "");
    let Attempts { junk, silent, password, unknown, nonsense, flood } = report.attempts;
    line(
        &mut text,
        &format!(
            "{} stations sent {} messages a second (heartbeats, statuses and readings in turn) while {} bad peers came \
             again and again: {junk} times without TLS, {silent} silent, {password} with a wrong password, {unknown} \
             unknown, {nonsense} with frames that are no OCPP, {flood} flooding. Aim: p99 ≤ {} s, {}. No good station \
             lost its connection or an answer.",
            report.good,
            report.per_second,
            report.bad,
            P99_MAX.as_secs(),
            verdict(report.holds)
        ),
    );
    text
}
