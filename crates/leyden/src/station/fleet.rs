//! Plays a scenario: switches the stations on, lets happen to each what stands in its steps, and reports.
//!
//! Stations live beside each other and know nothing of each other. Chance comes from the seed, one stream for each
//! station, so that the same seed gives the same report but for its times; names of transactions and messages come
//! from the machine, because an operator must not meet the same ones in two runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use charge::clock::FastClock;
use charge::{Clock, SystemClock};
use serde::Serialize;
use store::Store;
use tokio::task::JoinSet;

use super::actor::Actor;
use super::control::{Control, Crew};
use super::scenario::Scenario;
use super::wiretap::Said;
use crate::Failure;

/// Between two stations that are switched on, so that they do not shake hands all at once.
const STAGGER: Duration = Duration::from_millis(5);

/// What a run has come to: the document of `--report`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) scenario: String,
    pub(crate) seed: u64,
    pub(crate) held: bool,
    pub(crate) stations: Vec<StationReport>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct StationReport {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) steps: Vec<StepReport>,
    /// By action: sent, answered, answered with an error, received.
    pub(crate) messages: BTreeMap<String, Said>,
    pub(crate) error_codes: BTreeMap<String, u64>,
    pub(crate) failures: Vec<String>,
    pub(crate) latency: Latency,
}

#[derive(Debug, Serialize)]
pub(crate) struct StepReport {
    pub(crate) step: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
}

/// From a message to its answer.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
}

/// Where the stations call, and what they trust.
pub(crate) struct Operator {
    pub(crate) url: String,
    pub(crate) roots: Option<PathBuf>,
}

/// Plays the whole scenario. With a control the stations stay after their steps, until it lets them go.
pub(crate) async fn play(
    scenario: &Scenario,
    operator: &Operator,
    beside: &Path,
    journals: &Store,
    control: Option<Control>,
) -> Result<Report, Failure> {
    let world: Arc<dyn Clock> = Arc::new(FastClock::new(SystemClock, SystemClock.now(), scenario.speed));
    let mut lives = JoinSet::new();
    let mut crew = Crew::default();
    let mut nth: u64 = 0;
    for group in &scenario.station {
        for n in 1..=group.count {
            nth += 1;
            let seed = scenario.seed.wrapping_mul(0x9e37_79b9).wrapping_add(nth);
            let actor = Actor::switch_on(group, n, seed, scenario.speed, (operator, beside), &world, journals).await?;
            let actor = Arc::new(actor);
            if control.is_some() {
                crew.insert(group.id(n), Arc::clone(&actor));
            }
            let (group, place, stays) = (group.clone(), nth, control.is_some());
            lives.spawn(async move {
                let mut report = actor.live(&group, n).await;
                if !stays {
                    end(actor, &mut report).await;
                }
                (place, report)
            });
            tokio::time::sleep(STAGGER).await;
        }
    }
    eprintln!("{}: {nth} stations are switched on", scenario.name);
    let controlled = control.map(|control| tokio::spawn(control.serve(crew.clone())));
    let mut stations = BTreeMap::new();
    while let Some(life) = lives.join_next().await {
        let (place, report) = life.map_err(|_| Failure::plain("a station's task ended badly"))?;
        let word = if report.failures.is_empty() { "done" } else { "FAILED" };
        eprintln!("[{}/{nth}] {} {word}", stations.len() + 1, report.id);
        stations.insert(place, report);
    }
    if let Some(controlled) = controlled {
        controlled.await.map_err(|_| Failure::plain("the control ended badly"))??;
    }
    let mut stations: Vec<_> = stations.into_values().collect();
    for report in &mut stations {
        if let Some(actor) = crew.remove(&report.id) {
            end(actor, report).await;
        }
    }
    let held = stations.iter().all(|station| station.failures.is_empty());
    Ok(Report { scenario: scenario.name.clone(), seed: scenario.seed, held, stations })
}

/// The end of a station's life, with what was said in it.
async fn end(actor: Arc<Actor>, report: &mut StationReport) {
    let tally = actor.tally();
    let mut latencies = tally.latencies;
    latencies.sort_unstable();
    report.latency = Latency { p50_us: percentile(&latencies, 50), p99_us: percentile(&latencies, 99) };
    (report.messages, report.error_codes) = (tally.actions, tally.codes);
    if let Some(actor) = Arc::into_inner(actor) {
        actor.stop().await;
    }
}

fn percentile(sorted: &[Duration], percent: usize) -> u64 {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).map_or(0, |span| u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
