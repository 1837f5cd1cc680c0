//! Sending what waits: one task for each station and second back-end, as long as either has something to say.
//!
//! Order is kept: a message is sent when the one before it is answered. What the CSMS answers decides nothing but
//! whether the message is done, and the number that 1.6 gives a transaction. A line that is down costs a dial with a
//! growing pause and nothing else.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use charge::id::{StationId, TransactionKey};
use charge::talk::line::second::{SecondCall, SecondDoor};
use charge::talk::line::{Admission, FromStation, Heard, LineFault, StatusReport, Uplink};
use store::StoreError;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::pole::SecondPole;
use super::{Known, Live};
use crate::memory::proxy::{self, Counted, Pair, Waiting};
use crate::memory::{place, station};
use crate::proxy::copy::Weight;
use crate::service::Operator;

/// A task that ends with its owner.
struct Running {
    since: charge::Timestamp,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Key = (String, StationId);

impl Operator {
    /// Keeps the lines to second back-ends up until it is dropped: one for each station that is connected or is still
    /// owed a message.
    pub async fn serve_seconds(&self) {
        let Some(door) = self.0.seconds.door.get().cloned() else { return };
        let mut running: HashMap<Key, Running> = HashMap::new();
        loop {
            match self.wanted_lines().await {
                Ok(wanted) => self.settle_lines(&door, &mut running, wanted),
                Err(error) => tracing::error!(%error, "the lines to second back-ends could not be looked up"),
            }
            // whichever comes first
            drop(timeout(LOOK_EVERY, self.0.seconds.changed.notified()).await);
        }
    }

    fn settle_lines(
        &self,
        door: &Arc<dyn SecondDoor>,
        running: &mut HashMap<Key, Running>,
        wanted: HashMap<Key, Arc<Known>>,
    ) {
        running.retain(|key, one| {
            let stays = wanted.get(key).is_some_and(|known| known.changed == one.since) && !one.task.is_finished();
            if !stays {
                self.0.seconds.line(&key.0, &key.1).up.send_replace(false);
            }
            stays
        });
        for (key, known) in wanted {
            let since = known.changed;
            let start = || {
                let live = self.0.seconds.line(&key.0, &key.1);
                let line = Line { operator: self.clone(), known, station: key.1.clone(), live };
                Running { since, task: tokio::spawn(line.keep(Arc::clone(door))) }
            };
            running.entry(key.clone()).or_insert_with(start);
        }
    }

    /// Who needs a line.
    async fn wanted_lines(&self) -> Result<HashMap<Key, Arc<Known>>, StoreError> {
        let known = self.known_seconds().await?;
        if known.iter().all(|one| one.second.paused) {
            return Ok(HashMap::new());
        }
        let connected: Vec<StationId> = self.0.presences().live.keys().cloned().collect();
        self.read("operator.second.lines", move |_, tx| {
            let owed: HashSet<Key> = proxy::owed(tx)?.into_iter().collect();
            let mut wanted = HashMap::new();
            for one in known.iter().filter(|one| !one.second.paused) {
                let of_this = owed.iter().filter(|(second, _)| *second == one.second.name);
                for (key, _) in of_this.map(|key| (key.clone(), ())) {
                    wanted.insert(key, Arc::clone(one));
                }
                for name in &connected {
                    let meant = match one.second.wants(name) {
                        Some(meant) => meant,
                        None => station::find(tx, name)?.is_some_and(|row| one.second.wants_at(name, &row.location)),
                    };
                    if meant {
                        wanted.insert((one.second.name.clone(), name.clone()), Arc::clone(one));
                    }
                }
            }
            Ok(wanted)
        })
        .await
    }
}

/// One station's line to one second back-end.
struct Line {
    operator: Operator,
    known: Arc<Known>,
    station: StationId,
    live: Arc<Live>,
}

/// What became of a message.
enum Outcome {
    Done,
    /// The line is down, or the CSMS wants a boot first.
    Later,
    /// The CSMS is there and cannot take it now.
    After(Duration),
}

impl Line {
    async fn keep(self, door: Arc<dyn SecondDoor>) {
        let call = match self.call().await {
            Ok(call) => call,
            Err(error) => {
                tracing::error!(%error, second = self.known.second.name, "a second back-end cannot be called");
                return sleep(AGAIN).await;
            }
        };
        let pole = SecondPole {
            operator: self.operator.clone(),
            known: Arc::clone(&self.known),
            station: self.station.clone(),
            live: Arc::clone(&self.live),
        };
        let line = match door.dial(call, Arc::new(pole)) {
            Ok(line) => line,
            Err(why) => {
                self.live.failed(&why);
                return sleep(AGAIN).await;
            }
        };
        let uplink = line.uplink();
        let mut up = self.live.up.subscribe();
        while up.wait_for(|up| *up).await.is_ok() {
            tokio::select! {
                spoken = self.speak(&*uplink, &*door) => {
                    if let Err(error) = spoken {
                        tracing::error!(%error, second = self.known.second.name, "a copy could not be handled");
                    }
                    sleep(PAUSE).await;
                }
                _down = async { up.wait_for(|up| !*up).await.is_ok() } => {}
            }
        }
    }

    async fn call(&self) -> Result<SecondCall, StoreError> {
        let (name, station) = (self.known.second.name.clone(), self.station.clone());
        let proofs = self
            .operator
            .read("operator.second.proofs", move |house, tx| proxy::proofs(tx, house.seal(), &name, &station))
            .await?;
        let second = &self.known.second;
        Ok(SecondCall {
            address: second.address.as_str().into(),
            station: self.station.clone(),
            version: second.version,
            password: proofs.password,
            identity: proofs.identity,
            roots: second.roots.as_str().into(),
            local: second.local,
        })
    }

    /// Sends what waits and keeps the CSMS hearing from the station; comes back where something has to wait.
    async fn speak(&self, uplink: &dyn Uplink, door: &dyn SecondDoor) -> Result<(), StoreError> {
        loop {
            if self.live.boots.load(Ordering::Acquire) && !self.boot(uplink).await? {
                return Ok(());
            }
            let (name, station) = (self.known.second.name.clone(), self.station.clone());
            let next = self
                .operator
                .read("operator.second.next", move |house, tx| {
                    proxy::next(tx, house.seal(), Pair { second: &name, station: &station })
                })
                .await?;
            match next {
                Some(waiting) => match self.deliver(uplink, door, waiting).await? {
                    Outcome::Done => {}
                    Outcome::Later => return Ok(()),
                    Outcome::After(pause) => sleep(pause).await,
                },
                None => {
                    let beat = self.live.inside().heartbeat;
                    if timeout(beat, self.live.wake.notified()).await.is_err() {
                        // a heartbeat that is lost is followed by another
                        drop(uplink.say(FromStation::Alive).await);
                    }
                }
            }
        }
    }

    /// Tells the CSMS of the station, as it last told us. `true`: accepted.
    async fn boot(&self, uplink: &dyn Uplink) -> Result<bool, StoreError> {
        let name = self.station.clone();
        let found = self
            .operator
            .read("operator.second.boot", move |_, tx| {
                let row = station::find(tx, &name)?;
                Ok::<_, StoreError>(row.map(|row| row.boot).zip(Some(place::of_station(tx, &name)?)))
            })
            .await?;
        let Some((boot, bays)) = found else { return Ok(false) };
        // a boot that comes while this one is answered is told too
        self.live.boots.store(false, Ordering::Release);
        let pause = match uplink.say(FromStation::Boot(boot)).await {
            Ok(Heard::Boot { admitted: Admission::Accepted, interval, .. }) => {
                if !interval.is_zero() {
                    self.live.inside().heartbeat = interval.max(BEAT_MIN);
                }
                for bay in bays {
                    let Some(state) = bay.state else { continue };
                    let status = StatusReport { evse: Some(bay.no), state, fault: None, at: None };
                    if self.known.second.allows(&["StatusNotification"]) {
                        drop(uplink.say(FromStation::Status(status)).await);
                    }
                }
                return Ok(true);
            }
            Ok(Heard::Boot { interval, .. }) => {
                self.live.failed("the station was not accepted there");
                interval.clamp(BEAT_MIN, AGAIN)
            }
            Ok(_) => AGAIN,
            Err(fault) => {
                self.live.failed(&wording(&fault));
                if fault == LineFault::NotConnected { Duration::ZERO } else { AGAIN }
            }
        };
        self.live.boots.store(true, Ordering::Release);
        sleep(pause).await;
        Ok(false)
    }

    async fn deliver(
        &self,
        uplink: &dyn Uplink,
        door: &dyn SecondDoor,
        waiting: Waiting,
    ) -> Result<Outcome, StoreError> {
        let said = match door.read(self.known.second.version, &waiting.text, waiting.at) {
            Ok(said) => said,
            Err(fault) => return self.done(&waiting, Counted::Lost, Some(&wording(&fault))).await,
        };
        let Some(said) = self.numbered(said, &waiting).await? else {
            return self.done(&waiting, Counted::Lost, Some("a transaction whose begin was not taken there")).await;
        };
        match uplink.say(said).await {
            Ok(heard) => {
                let number = match heard {
                    Heard::Transaction { number, .. } => number,
                    _ => None,
                };
                self.sent(&waiting, number).await
            }
            Err(LineFault::NotConnected | LineFault::Lost) => Ok(Outcome::Later),
            Err(LineFault::TimedOut | LineFault::Overloaded) => {
                self.tried(&waiting).await?;
                Ok(Outcome::After(AGAIN))
            }
            // it does not know the station (any more)
            Err(LineFault::Error { code, .. }) if &*code == "SecurityError" && waiting.tries == 0 => {
                self.live.boots.store(true, Ordering::Release);
                self.tried(&waiting).await?;
                Ok(Outcome::Later)
            }
            Err(fault @ LineFault::Error { .. }) => {
                if waiting.weight == Weight::News.number() || waiting.tries >= TRIES_MAX {
                    return self.done(&waiting, Counted::Refused, Some(&wording(&fault))).await;
                }
                self.tried(&waiting).await?;
                Ok(Outcome::After(RETRY.saturating_mul(waiting.tries + 1)))
            }
            Err(fault @ LineFault::Unreadable(_)) => {
                self.done(&waiting, Counted::Refused, Some(&wording(&fault))).await
            }
            Err(fault @ LineFault::NotInVersion) => self.done(&waiting, Counted::Lost, Some(&wording(&fault))).await,
        }
    }

    /// The word with the CSMS's own number of the transaction; nothing where it never gave one.
    async fn numbered(&self, said: FromStation, waiting: &Waiting) -> Result<Option<FromStation>, StoreError> {
        if self.known.second.version.is_2() {
            return Ok(Some(said));
        }
        let named = match &said {
            FromStation::Transaction(report) => report.key.is_some(),
            FromStation::Meter(report) => report.key.is_some(),
            _ => false,
        };
        let Some(key) = waiting.key.clone().filter(|_| named) else { return Ok(Some(said)) };
        let (name, station) = (self.known.second.name.clone(), self.station.clone());
        let number = self
            .operator
            .read("operator.second.number", move |_, tx| {
                proxy::number(tx, Pair { second: &name, station: &station }, &key)
            })
            .await?;
        let Some(number) = number.map(TransactionKey::Number) else { return Ok(None) };
        Ok(Some(match said {
            FromStation::Transaction(mut report) => {
                report.key = Some(number);
                FromStation::Transaction(report)
            }
            FromStation::Meter(mut report) => {
                report.key = Some(number);
                FromStation::Meter(report)
            }
            other => other,
        }))
    }

    /// The number and the message's end in one transaction: a start is not sent twice for want of either.
    async fn sent(&self, waiting: &Waiting, number: Option<i32>) -> Result<Outcome, StoreError> {
        let (name, station) = (self.known.second.name.clone(), self.station.clone());
        let (id, named) = (waiting.id, waiting.key.clone().zip(number));
        self.operator
            .run("operator.second.sent", move |_, tx| {
                let pair = Pair { second: &name, station: &station };
                if let Some((key, number)) = named {
                    proxy::keep_number(tx, pair, &key, number)?;
                }
                proxy::gone(tx, id)?;
                proxy::add(tx, pair, Counted::Sent, 1, None)
            })
            .await?;
        Ok(Outcome::Done)
    }

    async fn done(&self, waiting: &Waiting, what: Counted, why: Option<&str>) -> Result<Outcome, StoreError> {
        let (name, station) = (self.known.second.name.clone(), self.station.clone());
        let (id, why) = (waiting.id, why.map(str::to_owned));
        self.operator
            .run("operator.second.done", move |_, tx| {
                proxy::gone(tx, id)?;
                proxy::add(tx, Pair { second: &name, station: &station }, what, 1, why.as_deref())
            })
            .await?;
        Ok(Outcome::Done)
    }

    async fn tried(&self, waiting: &Waiting) -> Result<(), StoreError> {
        let id = waiting.id;
        self.operator.run("operator.second.tried", move |_, tx| proxy::tried(tx, id)).await
    }
}

/// A fault of the line, told of a CSMS and not of a station.
fn wording(fault: &LineFault) -> String {
    match fault {
        LineFault::NotConnected => "it is not connected".to_owned(),
        LineFault::TimedOut => "it did not answer in time".to_owned(),
        LineFault::Lost => "the connection was lost before its answer".to_owned(),
        LineFault::Error { code, description } => format!("it answered {code}: {description}"),
        LineFault::Unreadable(why) => format!("its answer cannot be read: {why}"),
        LineFault::Overloaded => "too much waits for it".to_owned(),
        LineFault::NotInVersion => "its version has no such message".to_owned(),
    }
}

/// Lines are looked after this often without being told to.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A CSMS that cannot take a message is left alone for so long.
const AGAIN: Duration = Duration::from_secs(30);
/// Between a line that came up and one that was found not to carry.
const PAUSE: Duration = Duration::from_millis(100);
/// No CSMS wants to hear more often, whatever it says.
const BEAT_MIN: Duration = Duration::from_secs(5);
/// OCPP 1.6, 3.7.1 and 9.1.22: transaction messages are tried three times, each pause longer by this.
const TRIES_MAX: u32 = 3;
const RETRY: Duration = Duration::from_secs(10);
