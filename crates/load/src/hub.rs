//! `bench road`: an authorisation from an operator through a real hub to a provider and back, beside a bare proxy.
//!
//! The hub is a process of its own with its real database; operators and providers are played here, and what a tap
//! costs is the hub's own processor time, read from the kernel. Every round starts hub and proxy anew. Which provider
//! owns a token stands in the token's uid, so that a question that reaches anybody else is seen; every question is
//! counted. Deliberately absent: durable work beyond what a crossing itself needs.

mod asker;
mod provider;
pub mod report;

use std::fmt;
use std::io;
use std::time::Duration;

use charge::Secret;
use charge::id::PartyId;

use crate::Fault;
use crate::client::Caller;
use crate::dialect::Dialect;
use crate::line::say;
use crate::linux::{self, CpuTime, Memory};
use crate::phase::{self, Tempo};
use crate::report::Machine;
use crate::round::{Trips, long_rest, micros, rate, rest};
use crate::server::Server;

use asker::{Asker, Goal};
pub use provider::Providers;
use report::Report;

/// Who asks whom in which words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pair {
    /// OCPI 2.2.1 at both ends: passed on as it came.
    Forward,
    /// An operator of OCPI 2.1.1 and a provider of 2.2.1.
    Older,
    /// An operator of OCPI 2.2.1 and a provider of OICP 2.3, whose session the hub keeps on its disk.
    Broker,
}

impl Pair {
    pub const ALL: [Self; 3] = [Self::Forward, Self::Older, Self::Broker];

    /// What the operator speaks, and what the provider.
    pub const fn ends(self) -> (&'static str, &'static str) {
        match self {
            Self::Forward => ("OCPI 2.2.1", "OCPI 2.2.1"),
            Self::Older => ("OCPI 2.1.1", "OCPI 2.2.1"),
            Self::Broker => ("OCPI 2.2.1", "OICP 2.3"),
        }
    }

    /// Authorisations a second that one core of the hub is to do.
    pub const fn per_core_min(self) -> u32 {
        match self {
            Self::Forward => 3_000,
            Self::Older | Self::Broker => 2_000,
        }
    }

    /// The version in the operator's address at the hub.
    const fn asks_in(self) -> &'static str {
        match self {
            Self::Forward | Self::Broker => "2.2.1",
            Self::Older => "2.1.1",
        }
    }

    const fn is_oicp(self) -> bool {
        matches!(self, Self::Broker)
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = self.ends();
        write!(f, "{from} → {to}")
    }
}

/// An operator of the bench, and the token with which it comes to the hub.
#[derive(Clone, Debug)]
pub struct Operator {
    pub party: PartyId,
    pub token: Secret<String>,
}

/// A hub's partners and what its index holds.
#[derive(Clone, Debug)]
pub struct Network {
    /// How the yard knows it.
    pub name: String,
    pub operators: Vec<Operator>,
    /// Providers that speak OCPI 2.2.1: the first numbers.
    pub ocpi: u32,
    /// Providers that speak OICP 2.3: the numbers after these.
    pub oicp: u32,
    /// Tokens in the index of each provider; their uids are [`uid`]s.
    pub tokens_each: u32,
    /// Locations that the hub has published.
    pub locations: u32,
    /// How long it took to fill it, through the hub's own desk.
    pub filled_in: Duration,
    /// The database as it stands on the disk.
    pub file_bytes: u64,
}

impl Network {
    /// The first provider of those that a pair asks, and how many there are.
    fn asked(&self, pair: Pair) -> (u32, u32) {
        if pair.is_oicp() { (self.ocpi, self.oicp) } else { (0, self.ocpi) }
    }
}

/// The uid of a provider's token: fourteen hexadecimal digits, as of a seven-byte card.
pub fn uid(provider: u32, serial: u32) -> String {
    format!("{provider:04X}{serial:010X}")
}

/// Which process is to be started.
#[derive(Clone, Copy, Debug)]
pub enum Process<'n> {
    Proxy,
    Hub(&'n Network),
}

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// With providers of both tongues: for the pairs.
    pub mixed: Network,
    /// With more and more providers: for what size costs.
    pub sizes: Vec<Network>,
    /// With a full index; `None` leaves it out.
    pub full: Option<Network>,
    pub rounds: u32,
    /// Authorisations of each kind in each round.
    pub taps: u32,
    /// Questions under way at the same time.
    pub outstanding: u32,
    /// How long half the load lasts in each round, for each pair.
    pub paced_time: Duration,
    /// A server is given at least this long to come to rest before its figures are read.
    pub settle: Duration,
    pub roots_pem: String,
    pub host: String,
}

/// Before anything is measured each provider is asked so often, so that connections are there and kept.
const WARM_EACH: u32 = 20;
/// Or all of them together at least so often.
const WARM_MIN: u32 = 500;

/// A hub that has just got a million locations puts their EVSEs into its index first, which takes minutes.
const READING_LOOKS_MAX: u32 = 10_000;

/// What one hop cost in one round.
pub(crate) struct Hop {
    cpu_us: f64,
    /// The same by kind of thread.
    threads: Vec<(String, f64)>,
    per_second: f64,
    busy: Trips,
    paced: Option<Trips>,
    /// Questions that reached providers, for each that was asked.
    messages: f64,
}

/// One round.
pub(crate) struct Round {
    floor: Hop,
    /// In the order of [`Pair::ALL`].
    pairs: Vec<Hop>,
    /// In the order of the plan, with resident bytes.
    sizes: Vec<(Hop, u64)>,
}

/// Memory of a hub whose index is full.
pub(crate) struct Full {
    started: u64,
    asked: u64,
    hop: Hop,
}

struct Bench<'p> {
    plan: &'p Plan,
    providers: &'p Providers,
}

/// Runs the bench. `spawn` starts a process anew; `providers` are those that the networks were laid out for. Must be
/// called inside the async runtime. Says how far it is on stderr.
pub async fn measure(
    plan: &Plan,
    providers: &Providers,
    spawn: &mut (dyn FnMut(Process<'_>) -> io::Result<Server> + Send),
) -> Result<Report, Fault> {
    if plan.outstanding == 0 || plan.taps < plan.outstanding || plan.mixed.operators.is_empty() {
        return Err(Fault::Plan("it needs operators, and as many authorisations as are under way at a time"));
    }
    let load_before = linux::load_average()?;
    let bench = Bench { plan, providers };
    let mut rounds = Vec::new();
    for number in 1..=plan.rounds.max(1) {
        say(&format!("round {number} of {}", plan.rounds.max(1)));
        rounds.push(bench.round(spawn).await?);
    }
    let full = match &plan.full {
        Some(network) => Some(bench.full(network, spawn).await?),
        None => None,
    };
    Report::of(Machine::now(load_before)?, plan, &rounds, full.as_ref()).ok_or(Fault::Nothing)
}

impl Bench<'_> {
    async fn round(&self, spawn: &mut (dyn FnMut(Process<'_>) -> io::Result<Server> + Send)) -> Result<Round, Fault> {
        let mixed = &self.plan.mixed;
        let proxy = start(spawn, Process::Proxy)?;
        let floor = self.hop(&proxy, mixed, Pair::Forward, Goal::Provider, true).await?;
        drop(proxy);
        let hub = start(spawn, Process::Hub(mixed))?;
        let mut pairs = Vec::new();
        for pair in Pair::ALL {
            pairs.push(self.hop(&hub, mixed, pair, Goal::Hub, true).await?);
        }
        drop(hub);
        let mut sizes = Vec::new();
        for network in &self.plan.sizes {
            let hub = start(spawn, Process::Hub(network))?;
            let hop = self.hop(&hub, network, Pair::Forward, Goal::Hub, false).await?;
            sizes.push((hop, Memory::of(hub.pid)?.resident));
        }
        Ok(Round { floor, pairs, sizes })
    }

    async fn full(
        &self,
        network: &Network,
        spawn: &mut (dyn FnMut(Process<'_>) -> io::Result<Server> + Send),
    ) -> Result<Full, Fault> {
        let hub = start(spawn, Process::Hub(network))?;
        say("a full index: the hub reads what is published");
        long_rest(hub.pid, self.plan.settle, READING_LOOKS_MAX).await?;
        let started = Memory::of(hub.pid)?.resident;
        let hop = self.hop(&hub, network, Pair::Forward, Goal::Hub, true).await?;
        Ok(Full { started, asked: Memory::of(hub.pid)?.resident, hop })
    }

    /// As fast as it goes, for the cost; then, where wanted, at half of what one core is to do.
    async fn hop(&self, server: &Server, network: &Network, pair: Pair, goal: Goal, half: bool) -> Result<Hop, Fault> {
        let Plan { taps, outstanding, paced_time, settle, .. } = *self.plan;
        let (first, count) = network.asked(pair);
        match goal {
            Goal::Hub => say(&format!("{pair}, {count} providers")),
            Goal::Provider => say("the bare proxy"),
        }
        let lanes = self.lanes(server, network, pair, goal).await?;
        let warm = (WARM_EACH * count).max(WARM_MIN).div_ceil(outstanding);
        let (lanes, _warm) = phase::run(lanes, Tempo::AtOnce { each: warm }).await?;
        rest(server.pid, settle).await?;
        let (asked_before, cpu_before) = (self.providers.asked(), CpuTime::of(server.pid)?);
        let (lanes, busy) = phase::run(lanes, Tempo::AtOnce { each: taps / outstanding }).await?;
        rest(server.pid, settle).await?;
        let cpu_after = CpuTime::of(server.pid)?;
        let messages = self.providers.asked() - asked_before;
        let paced = if half {
            let tempo = Tempo::Paced { per_second: pair.per_core_min() / 2, time: paced_time };
            Some(phase::run(lanes, tempo).await?.1)
        } else {
            None
        };
        rest(server.pid, settle).await?;
        if self.providers.astray() > 0 {
            return Err(Fault::Answer(format!("a question for one of {count} from {first} reached another provider")));
        }
        let done = busy.round_trips.len();
        let each = |time: Duration| micros(time) / done.max(1) as f64;
        let threads = cpu_after.by_kind(server.pid, &cpu_before);
        Ok(Hop {
            cpu_us: each(cpu_after.since(&cpu_before)),
            threads: threads.into_iter().map(|(kind, time)| (kind, each(time))).collect(),
            per_second: rate(done, busy.elapsed),
            busy: Trips::of(&busy)?,
            paced: paced.as_ref().map(Trips::of).transpose()?,
            messages: messages as f64 / done.max(1) as f64,
        })
    }

    async fn lanes(&self, server: &Server, network: &Network, pair: Pair, goal: Goal) -> Result<Vec<Asker>, Fault> {
        let caller = Caller::new(server.addr, Dialect::Soap, &self.plan.roots_pem, &self.plan.host)?;
        let mut lanes = Vec::new();
        for (number, operator) in (0..self.plan.outstanding).zip(network.operators.iter().cycle()) {
            let line = caller.posting(number as usize).await?;
            lanes.push(Asker::new(line, operator, number, (network, pair, goal)));
        }
        Ok(lanes)
    }
}

fn start(
    spawn: &mut (dyn FnMut(Process<'_>) -> io::Result<Server> + Send),
    process: Process<'_>,
) -> Result<Server, Fault> {
    let name = match process {
        Process::Proxy => "proxy",
        Process::Hub(_) => "hub",
    };
    spawn(process).map_err(|why| Fault::Started(name, why))
}
