//! One stretch of steady work: many stations connect, or all say one kind of message, so many at a time.
//!
//! A lane is a task with its share of the stations: it asks for one of them, waits for the answer, and goes on to
//! the next. So there are never more questions under way than lanes, and a station has one at most.

use std::sync::Arc;
use std::time::Duration;

use charge::Clock;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::Fault;
use crate::client::Caller;
use crate::dialect::Message;
use crate::line::{Account, Kind};
use crate::station::{self, Came, Station};

/// The stations of each lane.
pub(crate) type Lanes = Vec<Vec<Station>>;

/// How fast.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tempo {
    /// The next question as soon as the last one is answered, so many of each station.
    AtOnce { each: u32 },
    /// So many a second over all stations, for so long.
    Paced { per_second: u32, time: Duration },
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ran {
    pub elapsed: Duration,
    /// Nanoseconds from sending to the answer, sorted.
    pub round_trips: Vec<u64>,
}

/// Connects and boots the accounts from `first` to before `end`, so many at a time. In the order of the lanes.
pub(crate) async fn connect(
    caller: &Arc<Caller>,
    kind: Kind,
    accounts: &Arc<[Account]>,
    (first, end): (usize, usize),
    lanes: usize,
) -> Result<(Vec<Vec<Came>>, Duration), Fault> {
    let start = Instant::now();
    let tasks = (0..lanes).map(|lane| {
        let (caller, accounts) = (Arc::clone(caller), Arc::clone(accounts));
        tokio::spawn(async move {
            let mut lines = Vec::new();
            for number in (first + lane..end).step_by(lanes) {
                let Some(account) = accounts.get(number) else { break };
                lines.push(station::arrive(&caller, kind, account, number).await?);
            }
            Ok(lines)
        })
    });
    let lines = all(tasks.collect()).await?;
    Ok((lines, start.elapsed()))
}

/// Whoever asks one question after the other, never two at a time.
pub(crate) trait Asks: Send + 'static {
    /// How many questions are `each` of everybody in this lane.
    fn turns(&self, each: u32) -> usize {
        each as usize
    }

    /// Asks the question of this turn and waits for its answer.
    fn ask(&mut self, turn: usize) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Lets all lanes ask at this tempo. They come back in no order.
pub(crate) async fn run<L: Asks>(lanes: Vec<L>, tempo: Tempo) -> Result<(Vec<L>, Ran), Fault> {
    let start = Instant::now();
    let count = u32::try_from(lanes.len()).unwrap_or(u32::MAX).max(1);
    let tasks = lanes.into_iter().enumerate().map(|(number, mut lane)| {
        tokio::spawn(async move {
            let trips = match tempo {
                Tempo::AtOnce { each } => at_once(&mut lane, each).await,
                Tempo::Paced { per_second, time } => {
                    let every = Duration::from_secs(1) * count / per_second.max(1);
                    let first = start + every * u32::try_from(number).unwrap_or(0) / count;
                    paced(&mut lane, (first, every, start + time)).await
                }
            };
            trips.map(|trips| (lane, trips))
        })
    });
    let (mut lanes, mut round_trips) = (Vec::new(), Vec::new());
    for (lane, trips) in all(tasks.collect()).await? {
        lanes.push(lane);
        round_trips.extend(trips);
    }
    let elapsed = start.elapsed();
    round_trips.sort_unstable();
    Ok((lanes, Ran { elapsed, round_trips }))
}

/// A lane of stations that say one kind of message.
struct Saying {
    stations: Vec<Station>,
    message: Message,
    clock: Arc<dyn Clock>,
}

impl Asks for Saying {
    fn turns(&self, each: u32) -> usize {
        self.stations.len() * each as usize
    }

    async fn ask(&mut self, turn: usize) -> Result<(), Fault> {
        let next = turn % self.stations.len().max(1);
        match self.stations.get_mut(next) {
            Some(station) => station.say(self.message, &*self.clock).await,
            None => Ok(()),
        }
    }
}

/// Lets the stations of all lanes say `message`.
pub(crate) async fn say(
    lanes: &mut Lanes,
    message: Message,
    tempo: Tempo,
    clock: &Arc<dyn Clock>,
) -> Result<Ran, Fault> {
    let saying = lanes.drain(..).map(|stations| Saying { stations, message, clock: Arc::clone(clock) });
    let (saying, ran) = run(saying.collect(), tempo).await?;
    lanes.extend(saying.into_iter().map(|lane| lane.stations));
    Ok(ran)
}

async fn at_once(lane: &mut impl Asks, each: u32) -> Result<Vec<u64>, Fault> {
    let turns = lane.turns(each);
    let mut trips = Vec::with_capacity(turns);
    for turn in 0..turns {
        trips.push(timed(lane, turn).await?);
    }
    Ok(trips)
}

async fn paced(lane: &mut impl Asks, (first, every, end): (Instant, Duration, Instant)) -> Result<Vec<u64>, Fault> {
    let mut trips = Vec::new();
    let mut turns = interval_at(first, every.max(Duration::from_nanos(1)));
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut turn = 0;
    while turns.tick().await < end && lane.turns(1) > 0 {
        trips.push(timed(lane, turn).await?);
        turn += 1;
    }
    Ok(trips)
}

async fn timed(lane: &mut impl Asks, turn: usize) -> Result<u64, Fault> {
    let sent = Instant::now();
    lane.ask(turn).await?;
    Ok(u64::try_from(sent.elapsed().as_nanos()).unwrap_or(u64::MAX))
}

/// Waits for all tasks; the first fault counts.
pub(crate) async fn all<T>(tasks: Vec<JoinHandle<Result<T, Fault>>>) -> Result<Vec<T>, Fault> {
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(task.await.map_err(|_| Fault::Loader)?);
    }
    results.into_iter().collect()
}
