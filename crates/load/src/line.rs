//! `bench line`: the station line against its floor, round by round.
//!
//! Each round starts both servers anew and puts them through the same work in turn, so that whatever else the
//! machine does meets both. A figure is the median of the rounds. The loader shares the machine with the server it
//! measures: processor time is the server's own, rates and round trips are those of the whole machine.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use charge::{Clock, Secret};
use gate::line::TalkLimits;

use trust::pki::Identity;

use crate::Fault;
use crate::dialect::Dialect;
use crate::linux;
use crate::report::{Machine, Planned, Report};
use crate::round::{Round, Work};
use crate::server::Server;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`crate::server::echo`], over WebSockets and over HTTP.
    Echo,
    /// The same with nothing after the handshake.
    Handshake,
    /// The real operator with its real database, or whoever else answers as an operator does.
    Operator,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Echo => "echo",
            Self::Handshake => "handshake",
            Self::Operator => "operator",
        })
    }
}

/// A station that the operator has enrolled, with two EVSEs where it is to send.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its identity, of characters that need no escaping in an address.
    pub id: String,
    pub proof: Proof,
}

/// How it proves that it is itself.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Security profile 2.
    Password(Secret<String>),
    /// Security profile 3.
    Certificate(Identity),
}

/// What to measure, and with whom.
#[derive(Clone, Debug)]
pub struct Plan {
    /// All stations: the first [`Plan::senders`] send, the others only stay.
    pub accounts: Vec<Account>,
    pub senders: usize,
    /// The stations that speak SOAP, each with a certificate; as many as senders, or none.
    pub soap: Vec<Account>,
    /// What is measured, in this order.
    pub dialects: Vec<Dialect>,
    /// Messages of each kind over all rounds, without the paced ones.
    pub messages: u32,
    /// An odd number has a true median.
    pub rounds: u32,
    /// Questions under way at the same time, over all stations; also the writers of the grouped commit.
    pub outstanding: usize,
    /// The moderate load under which round trips are told, in messages a second.
    pub paced_per_second: u32,
    /// How long it lasts in each round, for each kind of message.
    pub paced_time: Duration,
    /// A server is given at least this long to come to rest before its figures are read.
    pub settle: Duration,
    /// The authorities behind the servers' certificates, in PEM, and the name in these certificates.
    pub roots_pem: String,
    pub host: String,
    /// The card that every transaction begins with. The operator must have it allowed.
    pub id_tag: String,
    /// An existing folder on the disk of the operator's database, for the floor of commits.
    pub dir: PathBuf,
}

/// So many messages of one kind in one round from one station stay far from where the door slows a station down.
const EACH_MAX: u32 = 50;
/// Beyond that, more rounds tell nothing new.
const ROUNDS_MAX: u32 = 15;
/// Sockets and files beside the stations' connections.
const DESCRIPTORS_SPARE: u64 = 100;

impl Plan {
    /// The usual plan; its fields can be changed.
    pub fn new(accounts: Vec<Account>, senders: usize, roots_pem: String, dir: PathBuf) -> Self {
        Self {
            accounts,
            senders,
            soap: Vec::new(),
            dialects: Dialect::ALL.to_vec(),
            messages: 20_000,
            rounds: 5,
            outstanding: 64,
            paced_per_second: 1_000,
            paced_time: Duration::from_secs(1),
            settle: Duration::from_millis(250),
            roots_pem,
            host: "localhost".to_owned(),
            id_tag: "BENCH".to_owned(),
            dir,
        }
    }

    /// What this plan comes to on this machine.
    pub(crate) fn work(&self, descriptors_max: Option<u64>, remarks: &mut Vec<String>) -> Result<Work, Fault> {
        let senders = self.senders.min(self.accounts.len());
        let idle = self.accounts.len() - senders;
        if self.dialects.contains(&Dialect::Soap) && self.soap.len() < senders {
            return Err(Fault::Plan("it needs as many stations with a certificate for SOAP as stations that send"));
        }
        if senders == 0 || idle == 0 || self.outstanding == 0 {
            return Err(Fault::Plan("it needs stations that send, stations that stay, and a question under way"));
        }
        let wanted_rounds = self.rounds.max(1);
        let of_all = |each: u32| u64::from(each) * senders as u64;
        let rounds = u64::from(self.messages).div_ceil(of_all(EACH_MAX)).max(u64::from(wanted_rounds));
        let rounds = u32::try_from(rounds).unwrap_or(ROUNDS_MAX).min(ROUNDS_MAX.max(wanted_rounds));
        let each = u64::from(self.messages).div_ceil(of_all(rounds));
        let each = u32::try_from(each).unwrap_or(EACH_MAX).clamp(1, EACH_MAX);
        if of_all(each) * u64::from(rounds) < u64::from(self.messages) {
            remarks.push(format!(
                "{} messages of each kind instead of {}: more stations can send more",
                of_all(each) * u64::from(rounds),
                self.messages
            ));
        }
        // half of what the door takes from a station for ever
        let fastest = Duration::from_secs(1).div_duration_f64(TalkLimits::default().message_every * 2);
        let paced = f64::from(self.paced_per_second).min(fastest * senders as f64).max(1.0);
        Ok(Work {
            senders,
            idle: within(descriptors_max, senders, idle, remarks)?,
            rounds,
            each,
            outstanding: self.outstanding.min(senders),
            paced_per_second: paced as u32,
        })
    }
}

/// How many connections can stay. The loader holds the senders' to both servers, and the staying ones to one.
fn within(
    descriptors_max: Option<u64>,
    senders: usize,
    idle: usize,
    remarks: &mut Vec<String>,
) -> Result<usize, Fault> {
    let Some(cap) = descriptors_max else { return Ok(idle) };
    let room = cap.saturating_sub(2 * senders as u64 + DESCRIPTORS_SPARE);
    let fits = usize::try_from(room).unwrap_or(usize::MAX).min(idle);
    if fits == 0 {
        return Err(Fault::Plan("this process may not open enough sockets; raise its limit or send from fewer"));
    }
    if fits < idle {
        remarks.push(format!("{fits} idle connections instead of {idle}: a process may have {cap} descriptors here"));
    }
    Ok(fits)
}

/// Runs the bench. `spawn` starts a server of that kind, each time anew and the operator with an empty database in
/// which the plan's stations are enrolled. Must be called inside the async runtime. Says how far it is on stderr.
pub async fn measure(
    plan: &Plan,
    clock: Arc<dyn Clock>,
    spawn: &mut (dyn FnMut(Kind) -> io::Result<Server> + Send),
) -> Result<Report, Fault> {
    let mut remarks = Vec::new();
    let descriptors_max = linux::descriptors_max(std::process::id())?;
    let work = plan.work(descriptors_max, &mut remarks)?;
    let load_before = linux::load_average()?;
    let mut rounds = Vec::new();
    for number in 1..=work.rounds {
        for dialect in &plan.dialects {
            say(&format!("round {number} of {}, OCPP {dialect}", work.rounds));
            rounds.push(Round::run(plan, &work, *dialect, &clock, spawn).await?);
        }
    }
    let machine = Machine::now(load_before)?;
    let planned = Planned {
        stations: work.senders,
        idle: work.idle,
        rounds: work.rounds,
        messages: work.rounds * work.each * u32::try_from(work.senders).unwrap_or(u32::MAX),
        outstanding: work.outstanding,
        paced_per_second: work.paced_per_second,
    };
    Report::of(machine, planned, &plan.dialects, &rounds, remarks).ok_or(Fault::Nothing)
}

pub(crate) fn say(what: &str) {
    eprintln!("bench: {what}");
}

#[cfg(test)]
mod tests;
