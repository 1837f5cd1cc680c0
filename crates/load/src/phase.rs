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

/// Lets the stations of all lanes say `message`.
pub(crate) async fn say(
    lanes: &mut Lanes,
    message: Message,
    tempo: Tempo,
    clock: &Arc<dyn Clock>,
) -> Result<Ran, Fault> {
    let start = Instant::now();
    let count = u32::try_from(lanes.len()).unwrap_or(u32::MAX).max(1);
    let tasks = lanes.drain(..).enumerate().map(|(number, mut stations)| {
        let clock = Arc::clone(clock);
        tokio::spawn(async move {
            let trips = match tempo {
                Tempo::AtOnce { each } => at_once(&mut stations, message, each, &*clock).await,
                Tempo::Paced { per_second, time } => {
                    let every = Duration::from_secs(1) * count / per_second.max(1);
                    let first = start + every * u32::try_from(number).unwrap_or(0) / count;
                    paced(&mut stations, message, (first, every, start + time), &*clock).await
                }
            };
            trips.map(|trips| (stations, trips))
        })
    });
    let mut round_trips = Vec::new();
    for (stations, trips) in all(tasks.collect()).await? {
        lanes.push(stations);
        round_trips.extend(trips);
    }
    let elapsed = start.elapsed();
    round_trips.sort_unstable();
    Ok(Ran { elapsed, round_trips })
}

async fn at_once(stations: &mut [Station], message: Message, each: u32, clock: &dyn Clock) -> Result<Vec<u64>, Fault> {
    let mut trips = Vec::with_capacity(stations.len() * each as usize);
    for _turn in 0..each {
        for station in &mut *stations {
            trips.push(timed(station, message, clock).await?);
        }
    }
    Ok(trips)
}

async fn paced(
    stations: &mut [Station],
    message: Message,
    (first, every, end): (Instant, Duration, Instant),
    clock: &dyn Clock,
) -> Result<Vec<u64>, Fault> {
    let mut trips = Vec::new();
    let mut turns = interval_at(first, every.max(Duration::from_nanos(1)));
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut turn = 0;
    while turns.tick().await < end && !stations.is_empty() {
        let next = turn % stations.len();
        turn += 1;
        let station = &mut stations[next];
        trips.push(timed(station, message, clock).await?);
    }
    Ok(trips)
}

async fn timed(station: &mut Station, message: Message, clock: &dyn Clock) -> Result<u64, Fault> {
    let sent = Instant::now();
    station.say(message, clock).await?;
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
