//! The room's one rhythm: load and decide inside a named transaction, act afterwards, come back with the answer.
//!
//! This file holds the operator itself and what its parts share: who is connected, what waits to be written to the
//! logs, who is told of changes. Its parts are named after whom they serve: the line, the road, duties, people.

mod alarms;
mod amend;
mod answered;
mod bookings;
mod calendar;
mod certificates;
mod chore;
pub(crate) mod command;
pub(crate) mod controller;
mod cost;
mod credit;
mod daily;
mod deliver;
mod duty;
mod errand;
mod expert;
pub(crate) mod firmware;
mod habits;
mod handed;
mod keys;
mod line;
mod look;
mod needs;
mod news;
mod passages;
pub(crate) mod payment;
pub(crate) mod presence;
mod profiles;
mod proxy;
mod quirks;
pub(crate) mod reservations;
mod returned;
mod road;
pub(crate) mod share;
pub(crate) mod shelf;
mod standings;
mod templates;
mod transact;
mod whitelist;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use charge::id::{CdrId, CorrelationId, EvseUid, OrderId, PartyId, SessionId, StationId};
use charge::money::Currency;
use charge::talk::line::{Line, LineFault, StationAnswer, ToStation};
use charge::talk::road::{Answer, Letter, Question, Road, RoadFault};
use charge::token::{TokenKind, TokenUid};
use charge::{Clock, Dice, Personal, Timestamp};
use store::{Migration, Store, StoreError, Tx};
use tokio::sync::{Notify, OnceCell, broadcast};
use trust::pki::Authority;
use trust::seal::SealKey;
use trust::token_tag::TagKey;

use crate::memory;
use crate::untold::Untold;
use presence::{Notes, Presences};

#[cfg(test)]
pub(crate) use duty::LEASE;
#[cfg(test)]
pub(crate) use errand::TELL;

/// The keys of the operator's own memory.
#[derive(Debug)]
pub struct Keys {
    /// Seals personal columns.
    pub seal: SealKey,
    /// Tags tokens, so that a card is recognised for a while without its uid being kept.
    pub tags: TagKey,
}

/// Who this operator is.
#[derive(Debug)]
pub struct Setup {
    pub party: PartyId,
    pub name: String,
    /// Public objects are sent there, for everyone.
    pub hub: PartyId,
    pub keys: Keys,
    pub settings: Settings,
}

/// The operator's knobs, with safe defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Told to stations at boot.
    pub heartbeat: Duration,
    /// How long a station waits that was not accepted.
    pub boot_retry: Duration,
    /// For sessions without a tariff.
    pub currency: Currency,
    /// Message log and refusals are kept for this long.
    pub log_kept: Duration,
    /// Sealed contract ids are kept for this long after the end: the time for disputes (handbook privacy 4).
    pub people_kept: Duration,
    /// Keyed tags of cards are kept for this long, for abuse control.
    pub tags_kept: Duration,
    /// A running session is told to its provider at most this often, besides its begin and end.
    pub session_every: Duration,
    /// A station that is away for longer makes its EVSEs' status unknown.
    pub away_grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 3_600);
        Self {
            heartbeat: Duration::from_secs(300),
            boot_retry: Duration::from_secs(60),
            currency: Currency::EUR,
            log_kept: DAY * 14,
            people_kept: DAY * 60,
            tags_kept: DAY * 30,
            session_every: Duration::from_secs(60),
            away_grace: Duration::from_secs(300),
        }
    }
}

/// Something changed: ids only, whoever wants more asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Station(StationId),
    Evse { station: StationId, evse: EvseUid },
    Session(SessionId),
    Cdr(CdrId),
    Refusal,
    Order(OrderId),
}

/// Why a person's wish was not done, and whose fault it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error("{0}")]
    Conflict(String),
    /// The asker's mistake, with the JSON path of the field.
    #[error("{path}: {why}")]
    Invalid { path: &'static str, why: String },
    #[error("the operator's memory failed")]
    Store(#[from] StoreError),
}

/// A station operator. Clones are the same operator.
#[derive(Clone)]
pub struct Operator(pub(crate) Arc<House>);

/// What all of the operator's parts share.
pub(crate) struct House {
    pub(crate) setup: Setup,
    store: Store,
    clock: Arc<dyn Clock>,
    pub(crate) dice: Arc<dyn Dice>,
    line: OnceLock<Arc<dyn Line>>,
    road: OnceLock<Arc<dyn Road>>,
    /// Signs what stations ask for.
    pub(crate) authority: OnceLock<Arc<Authority>>,
    pub(crate) shelf: OnceLock<shelf::Shelf>,
    presences: Mutex<Presences>,
    standings: Mutex<standings::Standings>,
    notes: Mutex<Notes>,
    deviations: Mutex<quirks::Counted>,
    untold: Mutex<Untold>,
    away: returned::Away,
    pub(crate) seconds: proxy::Seconds,
    checkout: OnceLock<crate::payment::Checkout>,
    events: broadcast::Sender<Event>,
    wake: Notify,
    /// What a crash left behind was taken up.
    settled: OnceCell<()>,
}

impl Operator {
    /// The operator's tables; the store must have them before [`Operator::new`].
    pub const MIGRATIONS: &'static [Migration] = memory::MIGRATIONS;

    pub fn new(setup: Setup, store: Store, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Self {
        Self(Arc::new(House {
            setup,
            store,
            clock,
            dice,
            line: OnceLock::new(),
            road: OnceLock::new(),
            authority: OnceLock::new(),
            shelf: OnceLock::new(),
            presences: Mutex::default(),
            standings: Mutex::default(),
            notes: Mutex::default(),
            deviations: Mutex::default(),
            untold: Mutex::default(),
            away: returned::Away::default(),
            seconds: proxy::Seconds::default(),
            checkout: OnceLock::new(),
            events: broadcast::Sender::new(EVENTS_WAITING),
            wake: Notify::new(),
            settled: OnceCell::new(),
        }))
    }

    /// Hangs the way to the stations in its frame. The first one stays.
    pub fn attach_line(&self, line: Arc<dyn Line>) {
        let attached = self.0.line.set(line);
        debug_assert!(attached.is_ok(), "a second line was attached");
    }

    /// Hangs the way to the other parties in its frame. The first one stays.
    pub fn attach_road(&self, road: Arc<dyn Road>) {
        let attached = self.0.road.set(road);
        debug_assert!(attached.is_ok(), "a second road was attached");
    }

    /// Changes from now on; a slow listener misses the oldest.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    pub fn setup(&self) -> &Setup {
        &self.0.setup
    }

    /// A named writing transaction that may look at the operator. Whoever came or went before is written before.
    async fn run<T, E>(
        &self,
        name: &'static str,
        work: impl FnOnce(&House, &mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let house = Arc::clone(&self.0);
        let worked = self.0.store.run(name, move |tx| work(&house, tx));
        if !self.0.passages_wait() {
            return worked.await;
        }
        // both stand in line at once, and share a commit
        tokio::join!(biased; Box::pin(self.keep_passages()), worked).1
    }

    /// A named reading transaction that may look at the operator. It sees whoever came or went before.
    async fn read<T, E>(
        &self,
        name: &'static str,
        work: impl FnOnce(&House, &Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let house = Arc::clone(&self.0);
        if self.0.passages_pending() {
            Box::pin(self.keep_passages()).await;
        }
        self.0.store.read(name, move |tx| work(&house, tx)).await
    }

    /// Tells a station and waits for its answer.
    async fn tell(&self, station: &StationId, order: ToStation) -> Result<StationAnswer, LineFault> {
        match self.0.line.get() {
            Some(line) => line.tell(station, order).await,
            None => Err(LineFault::NotConnected),
        }
    }

    /// Asks another party and waits for its answer. `to: None`: whoever it concerns.
    async fn ask(
        &self,
        to: Option<PartyId>,
        correlation: Option<CorrelationId>,
        question: Question,
    ) -> Result<Answer, RoadFault> {
        let Some(road) = self.0.road.get() else { return Err(RoadFault::NoRoad) };
        let correlation = match correlation {
            Some(correlation) => correlation,
            None => CorrelationId::new(self.0.dice.uuid()).map_err(|_| RoadFault::NoRoad)?,
        };
        let answer = road.ask(Letter { from: self.0.setup.party, to, correlation, question }).await;
        if let Some(partner) = to {
            self.notice_return(partner, &answer).await;
        }
        answer
    }
}

impl House {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn seal(&self) -> &SealKey {
        &self.setup.keys.seal
    }

    /// The name of a group of tokens at this operator: keyed, and short enough for every version (1.6 `parentIdTag`).
    fn group_here(&self, group: &Personal<TokenUid>) -> Option<Personal<TokenUid>> {
        let tag = self.setup.keys.tags.tag(TokenKind::Other, group);
        let (name, _) = tag.as_bytes().split_at_checked(GROUP_BYTES)?;
        TokenUid::new(trust::hex::encode(name)).ok().map(Personal::new)
    }

    fn presences(&self) -> MutexGuard<'_, Presences> {
        self.presences.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standings(&self) -> MutexGuard<'_, standings::Standings> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deviations(&self) -> MutexGuard<'_, quirks::Counted> {
        self.deviations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// EVSEs that are to be told. A transaction puts them there; should it fail, a status is told that did not change.
    pub(crate) fn untold(&self) -> MutexGuard<'_, Untold> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody listening is no fault.
    fn tell_of(&self, event: Event) {
        drop(self.events.send(event));
    }

    fn connected(&self, station: &StationId) -> bool {
        self.line.get().is_some_and(|line| line.connected(station))
    }

    /// There is work that should not wait for the timer.
    fn wake(&self) {
        self.wake.notify_one();
    }
}

/// Twenty digits, which is what 1.6 has room for.
const GROUP_BYTES: usize = 10;

/// Events that a slow page may lag behind before it misses some; it refetches then.
const EVENTS_WAITING: usize = 1_024;
