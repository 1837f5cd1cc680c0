//! What a bench found: one JSON document, and the same as tables for people (Markdown, readable in a terminal).
//!
//! Figures are medians of the rounds with the lowest and the highest beside them. Ratios are of medians: absolute
//! numbers belong to one machine and one hour, ratios to the floor of the same run travel further.

use serde::{Deserialize, Serialize};

use crate::dialect::Dialect;
use crate::round::{self, Both, Round, micros};
pub use crate::spread::Spread;
use crate::spread::tenths;
use crate::{Fault, commit, linux};

pub(crate) mod table;

/// A message that needs no disk costs at most so many times the bare echo.
const HEARTBEAT_RATIO_MAX: f64 = 1.4;
/// A durable one at most so many times the echo and the bare commit together.
const DURABLE_RATIO_MAX: f64 = 2.5;
/// An idle TLS connection adds at most this to the process: 20 KiB.
pub(crate) const IDLE_BYTES_MAX: f64 = 20.0 * 1024.0;
/// No floor is taken for lower than that when it is divided by.
const FLOOR_US_MIN: f64 = 0.1;

/// Everything that one run found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub machine: Machine,
    pub planned: Planned,
    pub versions: Vec<Version>,
    pub commit: Commit,
    /// Where the run fell short of its plan, and why.
    pub remarks: Vec<String>,
}

/// One version of the line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// As `--versions` names it.
    pub version: String,
    pub messages: Vec<Message>,
    pub connecting: Connecting,
    /// Of a WebSocket; SOAP has no connection that stays.
    pub idle: Option<Idle>,
}

/// What it ran on, and what else went on there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    pub processor: Option<String>,
    pub cores: usize,
    /// Load averages over 1, 5 and 15 minutes; the bench itself is part of the later ones.
    pub load_before: [f64; 3],
    pub load_after: [f64; 3],
    /// The cap on sockets and files of a process; `None` where there is none.
    pub descriptors_max: Option<u64>,
}

impl Machine {
    /// As the first line of a page.
    pub(crate) fn told(&self) -> String {
        let loads = |load: [f64; 3]| load.map(|one| format!("{one:.2}")).join(" ");
        format!(
            "{} cores ({}), load {} before and {} after, {} descriptors a process.",
            self.cores,
            self.processor.as_deref().unwrap_or("unnamed"),
            loads(self.load_before),
            loads(self.load_after),
            self.descriptors_max.map_or("any number of".to_owned(), |max| max.to_string()),
        )
    }
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// That sent.
    pub stations: usize,
    /// Connections that only stayed.
    pub idle: usize,
    pub rounds: u32,
    /// Of each kind over all rounds, without the paced ones.
    pub messages: u32,
    /// Questions under way at the same time.
    pub outstanding: usize,
    /// Messages a second, for the paced round trips.
    pub paced_per_second: u32,
}

/// One kind of message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// OCPP's name of the action.
    pub action: String,
    /// On the disk before it is answered.
    pub durable: bool,
    /// Length of the text, without frame and TLS.
    pub text_bytes: usize,
    /// The same bytes, echoed.
    pub echo: Talk,
    pub operator: Talk,
    /// Echo, and for a durable message one grouped commit: server CPU microseconds.
    pub floor_cpu_us: f64,
    /// The operator's CPU time over the floor's, and what is aimed at.
    pub ratio: f64,
    pub ratio_max: f64,
    pub holds: bool,
}

/// What one message cost the server, and how long the answer took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Talk {
    /// Server CPU microseconds, with everything put off until afterwards.
    pub cpu_us: Spread,
    /// Answered a second on the whole machine, loader included.
    pub per_second: Spread,
    /// Round trips while so many are under way as the plan says.
    pub busy: RoundTrip,
    /// Round trips at the planned pace.
    pub paced: RoundTrip,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoundTrip {
    pub p50_us: Spread,
    pub p99_us: Spread,
}

/// TCP, a full TLS handshake, the upgrade, and one boot answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connecting {
    pub echo: Connect,
    pub operator: Connect,
    pub ratio: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connect {
    /// Server CPU microseconds for one.
    pub cpu_us: Spread,
    pub per_second: Spread,
}

/// Bytes that one more idle connection adds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Idle {
    pub echo: Bytes,
    pub operator: Bytes,
    pub resident_bytes_max: f64,
    pub holds: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bytes {
    pub resident: Spread,
    pub private: Spread,
}

/// The floor of everything durable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// One row at a time.
    pub alone: CommitCost,
    /// As many writers as questions under way, sharing commits.
    pub grouped: CommitCost,
}

/// Of one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommitCost {
    /// Of the writing thread.
    pub cpu_us: Spread,
    pub wall_us: Spread,
}

impl Machine {
    /// At the end of a run.
    pub(crate) fn now(load_before: [f64; 3]) -> Result<Self, Fault> {
        Ok(Self {
            processor: linux::processor(),
            cores: linux::cores()?,
            load_before,
            load_after: linux::load_average()?,
            descriptors_max: linux::descriptors_max(std::process::id())?,
        })
    }
}

impl Report {
    /// `None` of no rounds.
    pub(crate) fn of(
        machine: Machine,
        planned: Planned,
        dialects: &[Dialect],
        rounds: &[Round],
        remarks: Vec<String>,
    ) -> Option<Self> {
        let all: Vec<&Round> = rounds.iter().collect();
        let commit = Commit {
            alone: CommitCost::of(&all, |round| round.commit.alone)?,
            grouped: CommitCost::of(&all, |round| round.commit.grouped)?,
        };
        let versions: Option<Vec<_>> = dialects
            .iter()
            .map(|dialect| {
                let rounds: Vec<&Round> = rounds.iter().filter(|round| round.dialect == *dialect).collect();
                Version::of(*dialect, &rounds)
            })
            .collect();
        Some(Self { machine, planned, versions: versions?, commit, remarks })
    }

    /// Whether every aim was reached.
    pub fn holds(&self) -> bool {
        self.versions.iter().all(|version| {
            version.idle.as_ref().is_none_or(|idle| idle.holds) && version.messages.iter().all(|message| message.holds)
        })
    }
}

impl Version {
    fn of(dialect: Dialect, rounds: &[&Round]) -> Option<Self> {
        let commit = CommitCost::of(rounds, |round| round.commit.grouped)?.cpu_us.median;
        let messages: Option<Vec<_>> =
            (0..dialect.messages().len()).map(|kind| Message::of(rounds, kind, commit)).collect();
        Some(Self {
            version: dialect.to_string(),
            messages: messages?,
            connecting: Connecting::of(rounds)?,
            idle: Idle::of(rounds),
        })
    }
}

/// The report as Markdown.
pub fn render(report: &Report) -> String {
    table::render(report)
}

impl Message {
    fn of(rounds: &[&Round], kind: usize, commit_us: f64) -> Option<Self> {
        let first = rounds.first()?.talks.get(kind)?;
        let side = |pick: fn(&Both<round::Said>) -> round::Said| {
            let said: Option<Vec<_>> = rounds.iter().map(|round| Some(pick(&round.talks.get(kind)?.of))).collect();
            Talk::of(&said?)
        };
        let (echo, operator) = (side(|both| both.echo)?, side(|both| both.operator)?);
        let durable = first.message.durable();
        let (floor, ratio_max) = if durable {
            (echo.cpu_us.median + commit_us, DURABLE_RATIO_MAX)
        } else {
            (echo.cpu_us.median, HEARTBEAT_RATIO_MAX)
        };
        let ratio = ratio(operator.cpu_us.median, floor);
        Some(Self {
            action: first.message.action().to_owned(),
            durable,
            text_bytes: first.text_bytes,
            echo,
            operator,
            floor_cpu_us: tenths(floor),
            ratio,
            ratio_max,
            holds: ratio <= ratio_max,
        })
    }
}

impl Talk {
    fn of(said: &[round::Said]) -> Option<Self> {
        let spread = |pick: fn(&round::Said) -> f64| Spread::of(said.iter().map(pick));
        Some(Self {
            cpu_us: spread(|said| said.cpu_us)?,
            per_second: spread(|said| said.per_second)?,
            busy: RoundTrip { p50_us: spread(|said| said.busy.p50_us)?, p99_us: spread(|said| said.busy.p99_us)? },
            paced: RoundTrip { p50_us: spread(|said| said.paced.p50_us)?, p99_us: spread(|said| said.paced.p99_us)? },
        })
    }
}

impl Connecting {
    fn of(rounds: &[&Round]) -> Option<Self> {
        let side = |pick: fn(&Both<round::Connecting>) -> round::Connecting| {
            Some(Connect {
                cpu_us: Spread::of(rounds.iter().map(|round| pick(&round.connecting).cpu_us))?,
                per_second: Spread::of(rounds.iter().map(|round| pick(&round.connecting).per_second))?,
            })
        };
        let (echo, operator) = (side(|both| both.echo)?, side(|both| both.operator)?);
        let ratio = ratio(operator.cpu_us.median, echo.cpu_us.median);
        Some(Self { echo, operator, ratio })
    }
}

impl Idle {
    /// `None` where none was measured.
    fn of(rounds: &[&Round]) -> Option<Self> {
        let idle = || rounds.iter().filter_map(|round| round.idle.as_ref());
        let side = |pick: fn(&Both<round::Bytes>) -> round::Bytes| {
            Some(Bytes {
                resident: Spread::of(idle().map(|idle| pick(idle).resident))?,
                private: Spread::of(idle().map(|idle| pick(idle).private))?,
            })
        };
        let (echo, operator) = (side(|both| both.echo)?, side(|both| both.operator)?);
        let holds = operator.resident.median <= IDLE_BYTES_MAX;
        Some(Self { echo, operator, resident_bytes_max: IDLE_BYTES_MAX, holds })
    }
}

impl CommitCost {
    fn of(rounds: &[&Round], pick: fn(&Round) -> commit::Cost) -> Option<Self> {
        Some(Self {
            cpu_us: Spread::of(rounds.iter().map(|round| micros(pick(round).cpu)))?,
            wall_us: Spread::of(rounds.iter().map(|round| micros(pick(round).wall)))?,
        })
    }
}

/// To a hundredth.
pub(crate) fn ratio(cost: f64, floor: f64) -> f64 {
    (cost / floor.max(FLOOR_US_MIN) * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests;
