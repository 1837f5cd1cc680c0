//! `bench crowd`: how many stations one operator process holds, and how many several do.
//!
//! One process takes as many as it may have descriptors for, with some to spare; then more processes of the same kind
//! take as many each. All stations boot, stay, and say a word at the end: a connection that is not served counts for
//! nothing.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Fault;
use crate::line::{Kind, say};
use crate::linux::{self, CpuTime, Memory};
use crate::loader::{Coming, Loader, Order, Said, Target, Until};
use crate::report::table::{line, row, section, table, verdict};
use crate::report::{IDLE_BYTES_MAX, Machine};
use crate::round::{micros, rate, rest};
use crate::server::Server;
use crate::spread::{percentile, tenths};

/// Connecting at the same time: what one loader of two cores can drive.
const AT_ONCE: usize = 128;
/// Descriptors of an operator beside its stations, and of a loader.
const DESCRIPTORS_SPARE: u64 = 200;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Stations of each process; the first one is measured alone before the others come.
    pub each: usize,
    pub processes: usize,
    pub settle: Duration,
    pub roots_pem: String,
    pub host: String,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub machine: Machine,
    pub steps: Vec<Step>,
    pub remarks: Vec<String>,
}

/// So many processes with all their stations connected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub processes: usize,
    pub stations: usize,
    /// Of the fullest process.
    pub descriptors: u64,
    /// Of the process that came last: connects with boot.
    pub connects_per_second: f64,
    pub connect_cpu_us: f64,
    /// Bytes that a station adds to its process, over all.
    pub resident_bytes: f64,
    /// Of one status of each station, all stations being connected.
    pub status_p50_us: f64,
    pub status_p99_us: f64,
}

/// A process with its stations.
struct Full {
    server: Server,
    loader: Loader,
    resident_before: u64,
}

/// Runs the bench. `server` starts an operator process, `loader` a loader for it that knows all accounts.
pub async fn measure(
    plan: &Plan,
    server: &mut (dyn FnMut(Kind) -> io::Result<Server> + Send),
    loader: &mut (dyn FnMut(&Target) -> io::Result<Loader> + Send),
) -> Result<Report, Fault> {
    let load_before = linux::load_average()?;
    let mut remarks = Vec::new();
    let each = within(linux::descriptors_max(std::process::id())?, plan.each, &mut remarks);
    let (mut full, mut steps) = (Vec::new(), Vec::new());
    for number in 1..=plan.processes.max(1) {
        say(&format!("operator process {number}: {each} stations"));
        let before = server(Kind::Operator).map_err(|why| Fault::Server(Kind::Operator, why))?;
        let (one, came, cpu) = fill(plan, before, each, loader).await?;
        full.push(one);
        if number == 1 || number == plan.processes {
            let connects_per_second = tenths(rate(each, came));
            let connect_cpu_us = tenths(micros(cpu) / each as f64);
            steps.push(step(&mut full, each, connects_per_second, connect_cpu_us).await?);
        }
    }
    Ok(Report { machine: Machine::now(load_before)?, steps, remarks })
}

fn within(descriptors_max: Option<u64>, each: usize, remarks: &mut Vec<String>) -> usize {
    let Some(cap) = descriptors_max else { return each };
    let fits = usize::try_from(cap.saturating_sub(DESCRIPTORS_SPARE)).unwrap_or(usize::MAX).min(each);
    if fits < each {
        remarks.push(format!("{fits} stations a process instead of {each}: a process may have {cap} descriptors here"));
    }
    fits
}

async fn fill(
    plan: &Plan,
    server: Server,
    each: usize,
    loader: &mut (dyn FnMut(&Target) -> io::Result<Loader> + Send),
) -> Result<(Full, Duration, Duration), Fault> {
    let (roots_pem, host) = (plan.roots_pem.clone(), plan.host.clone());
    let target = Target { addr: server.addr, kind: Kind::Operator, roots_pem, host };
    let mut loader = loader(&target).map_err(Fault::Process)?;
    rest(server.pid, plan.settle).await?;
    let (resident_before, cpu_before) = (Memory::of(server.pid)?.resident, CpuTime::of(server.pid)?);
    let coming =
        Coming { first: 0, count: each, at_once: AT_ONCE, within: Duration::ZERO, until: Until::Boot, resuming: false };
    let came = loader.come(coming).await?;
    rest(server.pid, plan.settle).await?;
    let cpu = CpuTime::of(server.pid)?.since(&cpu_before);
    Ok((Full { server, loader, resident_before }, came.elapsed, cpu))
}

async fn step(full: &mut [Full], each: usize, connects_per_second: f64, connect_cpu_us: f64) -> Result<Step, Fault> {
    let (mut resident, mut descriptors) = (0, 0);
    for Full { server, resident_before, .. } in &*full {
        resident += Memory::of(server.pid)?.resident.saturating_sub(*resident_before);
        descriptors = descriptors.max(linux::descriptors_open(server.pid)?);
    }
    let stations = each * full.len();
    say(&format!("{stations} stations say a word"));
    let mut trips = Vec::new();
    for one in &mut *full {
        one.loader.tell(Order::Speak)?;
    }
    for one in &mut *full {
        if let Said::Spoke(spoke) = one.loader.hear().await? {
            trips.extend(spoke);
        }
    }
    if trips.len() != stations {
        return Err(Fault::Nothing);
    }
    trips.sort_unstable();
    let at = |of_hundred| percentile(&trips, of_hundred).map_or(0.0, |trip| tenths(trip as f64 / 1e3));
    Ok(Step {
        processes: full.len(),
        stations,
        descriptors,
        connects_per_second,
        connect_cpu_us,
        resident_bytes: tenths(resident as f64 / stations.max(1) as f64),
        status_p50_us: at(50),
        status_p99_us: at(99),
    })
}

/// As a section of the page.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    section(&mut text, "Crowds");
    let mut rows = vec![row([
        "operator processes",
        "stations",
        "descriptors of one",
        "connects/s",
        "CPU of connect + boot (µs)",
        "resident (KiB a station)",
        "",
        "status p50 (ms)",
        "p99 (ms)",
    ])];
    for step in &report.steps {
        rows.push(row([
            &step.processes.to_string(),
            &step.stations.to_string(),
            &step.descriptors.to_string(),
            &format!("{:.0}", step.connects_per_second),
            &format!("{:.1}", step.connect_cpu_us),
            &format!("{:.1}", step.resident_bytes / 1024.0),
            verdict(step.resident_bytes <= IDLE_BYTES_MAX),
            &format!("{:.1}", step.status_p50_us / 1e3),
            &format!("{:.1}", step.status_p99_us / 1e3),
        ]));
    }
    table(&mut text, &rows);
    line(&mut text, "");
    let cap = match report.machine.descriptors_max {
        Some(cap) => format!(
            "A process may have {cap} descriptors here, and every station is one, for the operator and for the loader: more stations are more processes."
        ),
        None => "A process may have any number of descriptors here.".to_owned(),
    };
    line(&mut text, &format!("{cap} Every station booted, stayed, and was answered once all were there."));
    for remark in &report.remarks {
        line(&mut text, &format!("- {remark}"));
    }
    text
}
