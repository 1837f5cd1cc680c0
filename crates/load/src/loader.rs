//! A loader as a process of its own: it holds thousands of stations and does with all of them what it is told.
//!
//! One process may have only so many descriptors, so a crowd needs several; and whoever measures one thing should not
//! share its timers with whoever makes the noise. Orders and answers are lines of JSON over the child's standard input
//! and output. Invariant: a loader ends with its input, and takes its stations with it.

use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use charge::Clock;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until};

use crate::bad::{self, Attempts};
use crate::client::{Caller, Line};
use crate::dialect::{Dialect, Message};
use crate::line::{Account, Kind};
use crate::phase::all;
use crate::spread::percentile;
use crate::{Fault, station};

/// After a connection that failed (a full queue, a reset) a station tries again after this.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// And this often in all: a server that lets nobody in is not measured but broken.
const TRIES_MAX: u32 = 40;
/// Stations that are spoken with at the same time.
const SPEAKING: usize = 64;
/// Spreads neighbours over the time in which all come: a prime, so that each has a moment of its own.
const STRIDE: usize = 7_919;

/// What a loader is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    Come(Coming),
    /// Each station reports a status and waits for the answer.
    Speak,
    /// All connections are dropped, without a goodbye.
    Leave,
    /// So many bad peers at once, for so long. Those that need an identity take the accounts from the first on.
    Hammer {
        first: usize,
        peers: usize,
        time: Duration,
    },
}

/// How stations come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Coming {
    pub first: usize,
    pub count: usize,
    /// Connecting at the same time, at most.
    pub at_once: usize,
    /// They begin spread over this time, each at a moment of its own.
    pub within: Duration,
    pub until: Until,
    /// With the sessions of before, and keeping the new ones.
    pub resuming: bool,
}

/// How far a station goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Until {
    Handshake,
    Upgrade,
    Boot,
}

/// What came of an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Said {
    Came(Came),
    /// Nanoseconds of each answer, sorted.
    Spoke(Vec<u64>),
    Left,
    Hammered(Attempts),
    Failed(String),
}

/// Stations have come.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Came {
    /// From the first try of the first to the last one in.
    pub elapsed: Duration,
    /// From a station's first try until it is in.
    pub p50: Duration,
    pub p99: Duration,
    /// Told to come back later.
    pub busy: u64,
    /// Tries that failed in another way.
    pub again: u64,
    /// Whose handshake was spared by a session of before.
    pub resumed: u64,
}

/// The stations of one loader and what it needs for them.
pub struct Crew {
    caller: Arc<Caller>,
    resuming: Arc<Caller>,
    kind: Kind,
    accounts: Arc<[Account]>,
    clock: Arc<dyn Clock>,
    lines: Vec<(usize, Line)>,
    turn: u64,
}

/// Whom a crew calls.
#[derive(Clone, Debug)]
pub struct Target {
    pub addr: SocketAddr,
    pub kind: Kind,
    pub roots_pem: String,
    pub host: String,
}

impl Crew {
    pub fn new(target: &Target, accounts: Vec<Account>, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        let caller = || Caller::new(target.addr, Dialect::V16, &target.roots_pem, &target.host);
        let (caller, resuming) = (Arc::new(caller()?), Arc::new(caller()?.resuming()));
        Ok(Self { caller, resuming, kind: target.kind, accounts: accounts.into(), clock, lines: Vec::new(), turn: 0 })
    }

    /// Obeys what comes on the standard input, until it ends.
    pub async fn obey(mut self) -> Result<(), Fault> {
        loop {
            let read = || -> io::Result<String> {
                let mut line = String::new();
                io::stdin().lock().read_line(&mut line).map(|_read| line)
            };
            let line = tokio::task::spawn_blocking(read).await.map_err(|_| Fault::Loader)?;
            let line = line.map_err(Fault::Process)?;
            if line.is_empty() {
                return Ok(());
            }
            let order = serde_json::from_str(&line).map_err(|why| Fault::Process(why.into()))?;
            let said = self.order(order).await.unwrap_or_else(|fault| Said::Failed(told(&fault)));
            let text = serde_json::to_string(&said).map_err(|why| Fault::Process(why.into()))?;
            writeln!(io::stdout().lock(), "{text}").map_err(Fault::Process)?;
        }
    }

    async fn order(&mut self, order: Order) -> Result<Said, Fault> {
        match order {
            Order::Come(coming) => self.come(&coming).await.map(Said::Came),
            Order::Speak => self.speak().await.map(Said::Spoke),
            Order::Leave => {
                self.lines.clear();
                Ok(Said::Left)
            }
            Order::Hammer { first, peers, time } => {
                let hammered = bad::hammer(&self.caller, &self.accounts, first, peers, time).await;
                hammered.map(Said::Hammered)
            }
        }
    }

    async fn come(&mut self, coming: &Coming) -> Result<Came, Fault> {
        let (start, places) = (Instant::now(), Arc::new(Semaphore::new(coming.at_once)));
        let tasks = (0..coming.count).map(|turn| {
            let moment = coming.within.as_nanos() as u64 * ((turn * STRIDE) % coming.count) as u64;
            let begins = start + Duration::from_nanos(moment / coming.count as u64);
            let newcomer = Newcomer {
                caller: Arc::clone(if coming.resuming { &self.resuming } else { &self.caller }),
                kind: self.kind,
                accounts: Arc::clone(&self.accounts),
                number: coming.first + turn,
                until: coming.until,
            };
            let places = Arc::clone(&places);
            tokio::spawn(async move {
                sleep_until(begins).await;
                newcomer.come(&places).await
            })
        });
        let mut came = Came::default();
        let mut waits = Vec::with_capacity(coming.count);
        for (number, arrival) in (coming.first..).zip(all(tasks.collect()).await?) {
            came.busy += u64::from(arrival.busy);
            came.again += u64::from(arrival.again);
            came.resumed += u64::from(arrival.line.resumed());
            waits.push(u64::try_from(arrival.waited.as_nanos()).unwrap_or(u64::MAX));
            self.lines.push((number, arrival.line));
        }
        waits.sort_unstable();
        let at = |of_hundred| percentile(&waits, of_hundred).map(Duration::from_nanos).ok_or(Fault::Nothing);
        (came.p50, came.p99, came.elapsed) = (at(50)?, at(99)?, start.elapsed());
        Ok(came)
    }

    async fn speak(&mut self) -> Result<Vec<u64>, Fault> {
        self.turn += 1;
        let (turn, places) = (self.turn, Arc::new(Semaphore::new(SPEAKING)));
        let tasks = self.lines.drain(..).map(|(number, mut line)| {
            let (caller, clock, places) = (Arc::clone(&self.caller), Arc::clone(&self.clock), Arc::clone(&places));
            let account = self.accounts.get(number).cloned();
            tokio::spawn(async move {
                let account = account.ok_or(Fault::Nothing)?;
                let place = places.acquire().await;
                let now = clock.now();
                let mut status = caller.script(&account, number).repeated(Message::Status, turn, 0, now);
                let sent = Instant::now();
                line.ask(&format!("{turn:010}"), status.at(turn, 0, now)).await?;
                drop(place);
                Ok((number, line, u64::try_from(sent.elapsed().as_nanos()).unwrap_or(u64::MAX)))
            })
        });
        let mut trips = Vec::new();
        for (number, line, trip) in all(tasks.collect()).await? {
            self.lines.push((number, line));
            trips.push(trip);
        }
        trips.sort_unstable();
        Ok(trips)
    }
}

/// One station on its way in.
struct Newcomer {
    caller: Arc<Caller>,
    kind: Kind,
    accounts: Arc<[Account]>,
    number: usize,
    until: Until,
}

struct Arrival {
    line: Line,
    waited: Duration,
    busy: u32,
    again: u32,
}

impl Newcomer {
    async fn come(&self, places: &Semaphore) -> Result<Arrival, Fault> {
        let (began, mut busy, mut again) = (Instant::now(), 0, 0);
        loop {
            let place = places.acquire().await;
            let fault = match self.knock().await {
                Ok(line) => return Ok(Arrival { line, waited: began.elapsed(), busy, again }),
                Err(fault) => fault,
            };
            drop(place);
            let wait = match fault {
                Fault::Busy(seconds) => {
                    busy += 1;
                    Duration::from_secs(seconds)
                }
                Fault::Connection(..) | Fault::HungUp(_) => {
                    again += 1;
                    AGAIN_AFTER
                }
                broken => return Err(broken),
            };
            if busy + again >= TRIES_MAX {
                return Err(fault);
            }
            sleep(wait).await;
        }
    }

    async fn knock(&self) -> Result<Line, Fault> {
        let account = self.accounts.get(self.number).ok_or(Fault::Plan("more stations than accounts"))?;
        match self.until {
            Until::Handshake => self.caller.shake(account, self.number).await,
            Until::Upgrade => self.caller.call(account, self.number).await,
            Until::Boot => {
                let came = station::arrive(&self.caller, self.kind, account, self.number).await?;
                Ok(came.line)
            }
        }
    }
}

/// A fault with its causes, for a text that leaves the process.
fn told(fault: &Fault) -> String {
    let causes = std::iter::successors(std::error::Error::source(fault), |cause| cause.source());
    causes.fold(fault.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// A loader as whoever measures holds it.
pub enum Loader {
    /// In this very process, for trying out.
    Here(Box<Crew>, Option<Waiting>),
    Process(Box<Process>),
}

/// An order that waits for its answer to be fetched.
pub struct Waiting(Order);

/// The child and both ends of the conversation.
pub struct Process {
    child: Child,
    orders: ChildStdin,
    /// Away while an answer is waited for.
    said: Option<BufReader<ChildStdout>>,
}

impl Loader {
    /// Starts a program that has a [`Crew`] obey.
    pub fn launch(mut command: Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(orders), Some(said)) => {
                Ok(Self::Process(Box::new(Process { child, orders, said: Some(BufReader::new(said)) })))
            }
            (None, _) | (_, None) => Err(io::Error::other("the loader has no standard input or output")),
        }
    }

    pub fn here(crew: Crew) -> Self {
        Self::Here(Box::new(crew), None)
    }

    /// Gives an order, whose answer [`Self::hear`] fetches.
    pub(crate) fn tell(&mut self, order: Order) -> Result<(), Fault> {
        match self {
            Self::Here(_, waiting) => {
                *waiting = Some(Waiting(order));
                Ok(())
            }
            Self::Process(process) => {
                let text = serde_json::to_string(&order).map_err(|why| Fault::Process(why.into()))?;
                writeln!(process.orders, "{text}").map_err(Fault::Process)
            }
        }
    }

    pub(crate) async fn hear(&mut self) -> Result<Said, Fault> {
        let said = match self {
            Self::Here(crew, waiting) => match waiting.take() {
                Some(Waiting(order)) => crew.order(order).await?,
                None => return Err(Fault::Nothing),
            },
            Self::Process(process) => {
                let mut said = process.said.take().ok_or(Fault::Nothing)?;
                // in a thread of its own: whoever waits has other things to do
                let read = tokio::task::spawn_blocking(move || {
                    let mut line = String::new();
                    said.read_line(&mut line).map(|_read| (said, line))
                });
                let (said, line) = read.await.map_err(|_| Fault::Loader)?.map_err(Fault::Process)?;
                process.said = Some(said);
                serde_json::from_str(&line).map_err(|why| Fault::Process(why.into()))?
            }
        };
        match said {
            Said::Failed(why) => Err(Fault::Failed(why)),
            Said::Came(_) | Said::Spoke(_) | Said::Left | Said::Hammered(_) => Ok(said),
        }
    }

    pub(crate) async fn come(&mut self, coming: Coming) -> Result<Came, Fault> {
        self.tell(Order::Come(coming))?;
        match self.hear().await? {
            Said::Came(came) => Ok(came),
            Said::Spoke(_) | Said::Left | Said::Hammered(_) | Said::Failed(_) => Err(Fault::Nothing),
        }
    }

    pub(crate) async fn leave(&mut self) -> Result<(), Fault> {
        self.tell(Order::Leave)?;
        self.hear().await.map(drop)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // it may have ended by itself
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
