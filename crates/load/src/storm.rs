//! `bench storm`: all stations lose their connection at once and come back.
//!
//! The floor is the bare TLS handshake of as many connections; beside it stands the echo, which adds an upgrade. The
//! stations come back as OCPP 2.0.1 has them (part 4, 5.4): each after a random time of its own, here within a few
//! seconds, and later where the door tells them so (503 with a Retry-After that is spread). What of this was needed is
//! counted. The aim is one of full handshakes; what stations spare that keep their session stands in a row of its own.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Fault;
use crate::line::{Kind, say};
use crate::linux::{self, CpuTime};
use crate::loader::{Coming, Loader, Order, Said, Target, Until};
use crate::report::table::{line, row, section, table, verdict};
use crate::report::{Machine, ratio};
use crate::round::{micros, rest};
use crate::server::Server;
use crate::spread::tenths;

/// A reconnect costs at most so many times the bare handshake.
const RATIO_MAX: f64 = 1.5;
/// The first time they come in order.
const AT_ONCE: usize = 128;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    pub stations: usize,
    /// Each station waits for a time of its own below this before it comes back.
    pub within: Duration,
    pub settle: Duration,
    pub roots_pem: String,
    pub host: String,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub machine: Machine,
    pub stations: usize,
    pub within_ms: u64,
    pub handshake: Returned,
    pub echo: Returned,
    pub operator: Returned,
    /// The operator again, from stations that kept their sessions.
    pub resumed: Returned,
    /// The operator's CPU time over the bare handshake's.
    pub ratio: f64,
    pub holds: bool,
}

/// All are back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Returned {
    /// Server CPU microseconds of one reconnect.
    pub cpu_us: f64,
    /// And of the departure before it.
    pub departure_cpu_us: f64,
    /// From the first knock until all are in.
    pub all_back_s: f64,
    /// From a station's own first knock until it is in.
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Told to come back later.
    pub busy: u64,
    /// Tries that failed otherwise.
    pub again: u64,
    /// Handshakes that a session of before had spared.
    pub resumed: u64,
}

/// Runs the bench. `server` starts a server of that kind, `loader` a loader for it that knows all accounts.
pub async fn measure(
    plan: &Plan,
    server: &mut (dyn FnMut(Kind) -> io::Result<Server> + Send),
    loader: &mut (dyn FnMut(&Target) -> io::Result<Loader> + Send),
) -> Result<Report, Fault> {
    let load_before = linux::load_average()?;
    let mut one = async |kind, first, again, resuming| {
        let with = if resuming { " with their sessions" } else { "" };
        say(&format!("{kind}: {} stations come, leave and come back{with}", plan.stations));
        let server = server(kind).map_err(|why| Fault::Server(kind, why))?;
        let (roots_pem, host) = (plan.roots_pem.clone(), plan.host.clone());
        let loader = loader(&Target { addr: server.addr, kind, roots_pem, host }).map_err(Fault::Process)?;
        returned(plan, &server, loader, (first, again), resuming).await
    };
    let handshake = one(Kind::Handshake, Until::Handshake, Until::Handshake, false).await?;
    let echo = one(Kind::Echo, Until::Upgrade, Until::Upgrade, false).await?;
    // a station that has merely lost its connection does not boot again
    let operator = one(Kind::Operator, Until::Boot, Until::Upgrade, false).await?;
    let resumed = one(Kind::Operator, Until::Boot, Until::Upgrade, true).await?;
    let ratio = ratio(operator.cpu_us, handshake.cpu_us);
    Ok(Report {
        machine: Machine::now(load_before)?,
        stations: plan.stations,
        within_ms: u64::try_from(plan.within.as_millis()).unwrap_or(u64::MAX),
        handshake,
        echo,
        operator,
        resumed,
        ratio,
        holds: ratio <= RATIO_MAX,
    })
}

async fn returned(
    plan: &Plan,
    server: &Server,
    mut loader: Loader,
    (first, again): (Until, Until),
    resuming: bool,
) -> Result<Returned, Fault> {
    let count = plan.stations;
    loader.come(Coming { first: 0, count, at_once: AT_ONCE, within: Duration::ZERO, until: first, resuming }).await?;
    rest(server.pid, plan.settle).await?;
    let connected = CpuTime::of(server.pid)?;
    loader.leave().await?;
    rest(server.pid, plan.settle).await?;
    let left = CpuTime::of(server.pid)?;
    let came =
        loader.come(Coming { first: 0, count, at_once: count, within: plan.within, until: again, resuming }).await?;
    rest(server.pid, plan.settle).await?;
    let back = CpuTime::of(server.pid)?;
    if first == Until::Boot {
        loader.tell(Order::Speak)?;
        match loader.hear().await? {
            Said::Spoke(trips) if trips.len() == count => {}
            Said::Spoke(_) | Said::Came(_) | Said::Left | Said::Hammered(_) | Said::Failed(_) => {
                return Err(Fault::Nothing);
            }
        }
    }
    let each = |spent: Duration| tenths(micros(spent) / count.max(1) as f64);
    Ok(Returned {
        cpu_us: each(back.since(&left)),
        departure_cpu_us: each(left.since(&connected)),
        all_back_s: tenths(came.elapsed.as_secs_f64()),
        p50_ms: tenths(came.p50.as_secs_f64() * 1e3),
        p99_ms: tenths(came.p99.as_secs_f64() * 1e3),
        busy: came.busy,
        again: came.again,
        resumed: came.resumed,
    })
}

/// As a section of the page.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    section(&mut text, "A storm of reconnects");
    let heads =
        ["server", "CPU of a reconnect (µs)", "ratio", "of a departure (µs)", "all back (s)", "p50 (ms)", "p99 (ms)"];
    let mut rows = vec![row(heads)];
    rows[0].extend(row(["told to wait", "failed tries"]));
    let base = report.handshake.cpu_us;
    for (server, returned) in [
        ("bare TLS handshake", report.handshake),
        ("echo", report.echo),
        ("operator", report.operator),
        ("operator, resumed", report.resumed),
    ] {
        let mut cells = row([
            server,
            &format!("{:.1}", returned.cpu_us),
            &format!("{:.2}", ratio(returned.cpu_us, base)),
            &format!("{:.1}", returned.departure_cpu_us),
            &format!("{:.1}", returned.all_back_s),
            &format!("{:.0}", returned.p50_ms),
            &format!("{:.0}", returned.p99_ms),
        ]);
        cells.extend(row([&returned.busy.to_string(), &returned.again.to_string()]));
        rows.push(cells);
    }
    table(&mut text, &rows);
    line(&mut text, "");
    line(
        &mut text,
        &format!(
            "{} stations lost their connection at once and came back with full handshakes, each at a moment of its own \
             within {:.1} s; in the last row {} of them resumed their TLS session, and were let in as anew. Aim: \
             ≤ {RATIO_MAX} times the bare handshake, {}. All were answered afterwards.",
            report.stations,
            report.within_ms as f64 / 1e3,
            report.resumed.resumed,
            verdict(report.holds)
        ),
    );
    text
}
