//! One round of the line's bench: both servers anew, the same work for each in turn, and what it cost.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use charge::Clock;
use tokio::time::sleep;

use crate::Fault;
use crate::client::Caller;
use crate::commit::{self, Commit};
use crate::dialect::{Dialect, Message};
use crate::line::{Account, Kind, Plan, say};
use crate::linux::{CpuTime, Memory};
use crate::phase::{self, Lanes, Ran, Tempo};
use crate::server::Server;
use crate::spread::percentile;
use crate::station::Station;

/// A server at rest uses less than one part in so many of a core.
const REST_SHARE: u32 = 20;
/// One that does not come to rest is measured with whatever else it does.
const REST_LOOKS_MAX: u32 = 40;

/// The plan, cut to what this machine can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Work {
    pub senders: usize,
    pub idle: usize,
    pub rounds: u32,
    /// Messages of one kind from one station in one round.
    pub each: u32,
    pub outstanding: usize,
    pub paced_per_second: u32,
}

/// The same figure of both servers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Both<T> {
    pub echo: T,
    pub operator: T,
}

/// What one round came to.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    pub dialect: Dialect,
    pub connecting: Both<Connecting>,
    /// `None` for SOAP, whose stations have no connection to stay.
    pub idle: Option<Both<Bytes>>,
    pub commit: Commit,
    /// In the order of [`Dialect::messages`].
    pub talks: Vec<Talk>,
}

/// Handshake, upgrade and boot of one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connecting {
    pub cpu_us: f64,
    pub per_second: f64,
}

/// What one more idle connection adds to the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes {
    pub resident: f64,
    pub private: f64,
}

/// One kind of message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk {
    pub message: Message,
    pub text_bytes: usize,
    pub of: Both<Said>,
}

/// What one message cost, and how long its answer took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    pub cpu_us: f64,
    pub per_second: f64,
    pub busy: Trips,
    pub paced: Trips,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Trips {
    pub p50_us: f64,
    pub p99_us: f64,
}

/// One server and the stations that are connected to it.
struct Side {
    kind: Kind,
    server: Server,
    caller: Arc<Caller>,
    lanes: Lanes,
}

/// What a round works with.
struct Bench<'p> {
    plan: &'p Plan,
    work: &'p Work,
    dialect: Dialect,
    accounts: Arc<[Account]>,
    clock: &'p Arc<dyn Clock>,
}

impl Round {
    pub async fn run(
        plan: &Plan,
        work: &Work,
        dialect: Dialect,
        clock: &Arc<dyn Clock>,
        spawn: &mut (dyn FnMut(Kind) -> io::Result<Server> + Send),
    ) -> Result<Self, Fault> {
        let accounts = match dialect {
            Dialect::V16 | Dialect::V201 | Dialect::V21 => plan.accounts.as_slice().into(),
            Dialect::Soap => plan.soap.as_slice().into(),
        };
        let bench = Bench { plan, work, dialect, accounts, clock };
        let (mut echo, mut operator) = (bench.open(Kind::Echo, spawn)?, bench.open(Kind::Operator, spawn)?);
        let connecting = Both { echo: bench.connect(&mut echo).await?, operator: bench.connect(&mut operator).await? };
        let idle = match dialect {
            Dialect::V16 | Dialect::V201 | Dialect::V21 => {
                Some(Both { echo: bench.idle(&echo).await?, operator: bench.idle(&operator).await? })
            }
            Dialect::Soap => None,
        };
        say(&format!("the floor of durable commits, with {} writers", work.outstanding));
        let writers = u32::try_from(work.outstanding).unwrap_or(u32::MAX);
        let commit = commit::measure(&plan.dir, writers).await?;
        for station in operator.lanes.iter_mut().flatten() {
            station.begin(&plan.id_tag, clock.now()).await?;
        }
        bench.rest(operator.server.pid).await?;
        let mut talks = Vec::new();
        for message in dialect.messages() {
            talks.push(bench.talk(*message, &mut echo, &mut operator).await?);
        }
        for station in operator.lanes.iter_mut().flatten() {
            station.end(clock.now()).await?;
        }
        Ok(Self { dialect, connecting, idle, commit, talks })
    }
}

/// What one server came to by itself.
pub(crate) struct Alone {
    pub connecting: Connecting,
    pub idle: Bytes,
    /// In the order of [`Dialect::messages`] of 1.6.
    pub said: Vec<Said>,
}

/// Puts one server through the work of a round in OCPP 1.6.
pub(crate) async fn alone(
    plan: &Plan,
    work: &Work,
    clock: &Arc<dyn Clock>,
    kind: Kind,
    server: Server,
) -> Result<Alone, Fault> {
    let dialect = Dialect::V16;
    let bench = Bench { plan, work, dialect, accounts: plan.accounts.as_slice().into(), clock };
    let mut side = bench.side(kind, server)?;
    let (connecting, idle) = (bench.connect(&mut side).await?, bench.idle(&side).await?);
    if kind == Kind::Operator {
        for station in side.lanes.iter_mut().flatten() {
            station.begin(&plan.id_tag, clock.now()).await?;
        }
        bench.rest(side.server.pid).await?;
    }
    let mut said = Vec::new();
    for message in dialect.messages() {
        said.push(bench.said(*message, &mut side).await?);
    }
    Ok(Alone { connecting, idle, said })
}

impl Bench<'_> {
    fn open(&self, kind: Kind, spawn: &mut (dyn FnMut(Kind) -> io::Result<Server> + Send)) -> Result<Side, Fault> {
        self.side(kind, spawn(kind).map_err(|why| Fault::Server(kind, why))?)
    }

    fn side(&self, kind: Kind, server: Server) -> Result<Side, Fault> {
        let caller =
            Arc::new(Caller::new(server.at(self.dialect)?, self.dialect, &self.plan.roots_pem, &self.plan.host)?);
        Ok(Side { kind, server, caller, lanes: Lanes::new() })
    }

    /// The senders come.
    async fn connect(&self, side: &mut Side) -> Result<Connecting, Fault> {
        let Work { senders, outstanding, .. } = *self.work;
        say(&format!("{}: {senders} stations connect", side.kind));
        let came = phase::connect(&side.caller, side.kind, &self.accounts, (0, senders), outstanding);
        let ((lines, elapsed), cpu) = self.spent(side.server.pid, came).await?;
        let now = self.clock.now();
        side.lanes =
            lines.into_iter().map(|lane| lane.into_iter().map(|came| Station::new(came, now)).collect()).collect();
        Ok(Connecting { cpu_us: micros(cpu) / senders as f64, per_second: rate(senders, elapsed) })
    }

    /// More come, stay a moment, and leave.
    async fn idle(&self, side: &Side) -> Result<Bytes, Fault> {
        let Work { senders, outstanding, idle, .. } = *self.work;
        say(&format!("{}: {idle} connections that only stay", side.kind));
        let before = Memory::of(side.server.pid)?;
        let range = (senders, senders + idle);
        let (lines, _elapsed) = phase::connect(&side.caller, side.kind, &self.accounts, range, outstanding).await?;
        self.rest(side.server.pid).await?;
        let after = Memory::of(side.server.pid)?;
        drop(lines);
        self.rest(side.server.pid).await?;
        let each = |after: u64, before: u64| (after as f64 - before as f64) / idle as f64;
        Ok(Bytes { resident: each(after.resident, before.resident), private: each(after.private, before.private) })
    }

    async fn talk(&self, message: Message, echo: &mut Side, operator: &mut Side) -> Result<Talk, Fault> {
        let text_bytes = operator.lanes.iter().flatten().next().map_or(0, |station| station.text_bytes(message));
        let of = Both { echo: self.said(message, echo).await?, operator: self.said(message, operator).await? };
        Ok(Talk { message, text_bytes, of })
    }

    /// As fast as it goes, for the cost; then at a moderate pace, for the round trips.
    async fn said(&self, message: Message, side: &mut Side) -> Result<Said, Fault> {
        say(&format!("{}: {}", side.kind, message.action()));
        let at_once = Tempo::AtOnce { each: self.work.each };
        let busy = phase::say(&mut side.lanes, message, at_once, self.clock);
        let (busy, cpu) = self.spent(side.server.pid, busy).await?;
        let paced = Tempo::Paced { per_second: self.work.paced_per_second, time: self.plan.paced_time };
        let paced = phase::say(&mut side.lanes, message, paced, self.clock).await?;
        self.rest(side.server.pid).await?;
        let count = busy.round_trips.len();
        Ok(Said {
            cpu_us: micros(cpu) / count as f64,
            per_second: rate(count, busy.elapsed),
            busy: Trips::of(&busy)?,
            paced: Trips::of(&paced)?,
        })
    }

    /// Does the work and tells what it cost the server, with what the server put off until afterwards.
    async fn spent<T>(&self, pid: u32, work: impl Future<Output = Result<T, Fault>>) -> Result<(T, Duration), Fault> {
        let before = CpuTime::of(pid)?;
        let done = work.await?;
        self.rest(pid).await?;
        Ok((done, CpuTime::of(pid)?.since(&before)))
    }

    /// Waits until the server has nothing to do.
    async fn rest(&self, pid: u32) -> Result<(), Fault> {
        rest(pid, self.plan.settle).await
    }
}

/// Waits until a process has nothing to do, looking this often.
pub(crate) async fn rest(pid: u32, settle: Duration) -> Result<(), Fault> {
    long_rest(pid, settle, REST_LOOKS_MAX).await
}

/// The same for one that has much to do, with so many looks.
pub(crate) async fn long_rest(pid: u32, settle: Duration, looks: u32) -> Result<(), Fault> {
    let mut last = CpuTime::of(pid)?;
    for _look in 0..looks {
        sleep(settle).await;
        let now = CpuTime::of(pid)?;
        if now.since(&last) < settle / REST_SHARE {
            break;
        }
        last = now;
    }
    Ok(())
}

impl Trips {
    pub(crate) fn of(ran: &Ran) -> Result<Self, Fault> {
        let at = |of_hundred| percentile(&ran.round_trips, of_hundred).ok_or(Fault::Nothing);
        Ok(Self { p50_us: at(50)? as f64 / 1e3, p99_us: at(99)? as f64 / 1e3 })
    }
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

pub(crate) fn rate(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.max(Duration::from_micros(1)).as_secs_f64()
}
