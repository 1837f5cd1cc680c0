//! The local controller at work: a desk for the stations, a pole for the CSMS, and the line between the two.
//!
//! Each station has a line of its own to the CSMS, in the version that it speaks here. What was kept goes first, in
//! order, before anything newer of a transaction; nothing else waits for it. A transaction that began without the CSMS
//! has a number of ours until the CSMS gives its own, and both sides hear the one they know.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use charge::id::{StationId, TransactionKey};
use charge::talk::line::charging::ChargingOrder;
use charge::talk::line::quirk::Quirks;
use charge::talk::line::second::{SecondCall, SecondDoor, SecondLine};
use charge::talk::line::{
    Boot, ConnectionNo, Denial, Desk, Entry, FromStation, Heard, Knock, Line, LineFault, LogLine, Pole, Refusal,
    StationAnswer, ToStation, Version,
};
use charge::{Clock, Dice, Soon};
use store::{Migration, Store, StoreError};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::Keys;
use super::share::{Grid, Sharing};
use crate::admit::{self, Standing};
use crate::controller::{Alone, Rules, Seat, Upstream, alone};
use crate::memory::proxy::{Counted, Pair, Waiting};
use crate::memory::{self, proxy};
use crate::proxy::copy::{self, Told, Weight};

/// What a controller is made of.
pub struct ControllerSetup {
    pub upstream: Upstream,
    pub seats: Vec<Seat>,
    pub rules: Rules,
    pub keys: Keys,
    /// Messages kept for one station.
    pub buffer_max: u32,
    /// The power of the site, where it is shared out here.
    pub sharing: Option<Sharing>,
}

/// A local controller. Clones are the same one.
#[derive(Clone)]
pub struct Controller(Arc<Site>);

pub(super) struct Site {
    setup: ControllerSetup,
    grid: Option<Grid>,
    /// By identity in lower case.
    posts: HashMap<String, Arc<Post>>,
    store: Store,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    door: Arc<dyn SecondDoor>,
    line: OnceLock<Arc<dyn Line>>,
}

impl Site {
    pub(super) const fn grid(&self) -> Option<&Grid> {
        self.grid.as_ref()
    }

    pub(super) const fn upstream(&self) -> &Upstream {
        &self.setup.upstream
    }

    pub(super) fn door(&self) -> &dyn SecondDoor {
        &*self.door
    }

    pub(super) fn now(&self) -> charge::Timestamp {
        self.clock.now()
    }

    /// `None` while there is no line to the stations.
    pub(super) async fn tell(&self, station: &StationId, order: ToStation) -> Option<Result<StationAnswer, LineFault>> {
        Some(self.line.get()?.tell(station, order).await)
    }
}

/// One station and its line to the CSMS.
struct Post {
    seat: Seat,
    up: watch::Sender<bool>,
    /// The CSMS has not heard of the station's last boot.
    owes_boot: AtomicBool,
    wake: Notify,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    present: Option<ConnectionNo>,
    boot: Option<Boot>,
    line: Option<Arc<dyn SecondLine>>,
    version: Option<Version>,
    task: Option<JoinHandle<()>>,
}

impl Drop for Inside {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Post {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uplink(&self) -> Option<Arc<dyn charge::talk::line::Uplink>> {
        let up = *self.up.borrow();
        self.inside().line.as_ref().filter(|_| up).map(|line| line.uplink())
    }
}

impl Controller {
    /// The tables; the store must have them before [`Controller::new`].
    pub const MIGRATIONS: &'static [Migration] = &[memory::proxy::MIGRATION];

    pub fn new(
        setup: ControllerSetup,
        store: Store,
        clock: Arc<dyn Clock>,
        dice: Arc<dyn Dice>,
        door: Arc<dyn SecondDoor>,
    ) -> Self {
        let post = |seat: &Seat| {
            let post = Post {
                seat: seat.clone(),
                up: watch::Sender::new(false),
                owes_boot: AtomicBool::new(false),
                wake: Notify::new(),
                inside: Mutex::default(),
            };
            (seat.station.as_str().to_lowercase(), Arc::new(post))
        };
        let posts = setup.seats.iter().map(post).collect();
        let grid = setup.sharing.clone().map(Grid::new);
        Self(Arc::new(Site { setup, grid, posts, store, clock, dice, door, line: OnceLock::new() }))
    }

    /// Hangs the way to the stations in its frame. The first one stays.
    pub fn attach_line(&self, line: Arc<dyn Line>) {
        let attached = self.0.line.set(line);
        debug_assert!(attached.is_ok(), "a second line was attached");
        self.share();
    }

    pub(super) const fn of(site: Arc<Site>) -> Self {
        Self(site)
    }

    pub(super) const fn site(&self) -> &Arc<Site> {
        &self.0
    }

    fn post(&self, station: &StationId) -> Option<&Arc<Post>> {
        self.0.posts.get(&station.as_str().to_lowercase())
    }

    async fn waiting(&self, station: &StationId) -> Result<u32, StoreError> {
        let station = station.clone();
        self.0.store.read("controller.waiting", move |tx| proxy::waiting(tx, pair(&station))).await
    }

    /// Dials the CSMS as the station, in the version that the station speaks.
    fn dial(&self, post: &Arc<Post>, version: Version) {
        let upstream = &self.0.setup.upstream;
        let call = SecondCall {
            address: upstream.address.as_str().into(),
            station: post.seat.station.clone(),
            version,
            password: post.seat.password.clone(),
            identity: None,
            roots: upstream.roots.as_str().into(),
            local: upstream.local,
        };
        let pole = SitePole { site: Arc::downgrade(&self.0), post: Arc::downgrade(post) };
        match self.0.door.dial(call, Arc::new(pole)) {
            Ok(line) => {
                let task = tokio::spawn(catch_up(Arc::downgrade(&self.0), Arc::downgrade(post), post.up.subscribe()));
                let mut inside = post.inside();
                if let Some(before) = inside.task.replace(task) {
                    before.abort();
                }
                inside.line = Some(line);
                inside.version = Some(version);
            }
            Err(why) => tracing::error!(why, station = %post.seat.station, "the CSMS cannot be called"),
        }
    }

    async fn listen(&self, post: &Arc<Post>, said: FromStation) -> Result<Heard, Denial> {
        if let FromStation::Boot(boot) = &said {
            post.inside().boot = Some(boot.clone());
        }
        if let Some(grid) = self.0.grid() {
            grid.hear(&post.seat.station, &said, self.0.now());
        }
        let of_transaction = matches!(&said, FromStation::Transaction(_))
            || matches!(&said, FromStation::Meter(report) if report.key.is_some());
        let station = &post.seat.station;
        let strange = post.owes_boot.load(Ordering::Acquire) && !matches!(said, FromStation::Boot(_));
        let behind = strange || (of_transaction && self.waiting(station).await.map_err(cannot_keep)? > 0);
        if let (false, Some(uplink)) = (behind, post.uplink()) {
            let word = self.numbered(station, said.clone()).await.map_err(cannot_keep)?;
            match uplink.say(word).await {
                Ok(heard) => {
                    if matches!(said, FromStation::Boot(_)) {
                        post.owes_boot.store(false, Ordering::Release);
                    }
                    return Ok(heard);
                }
                Err(LineFault::Error { code, description }) => {
                    return Err(Denial::Misplaced(format!("{code} {description}").trim().into()));
                }
                Err(LineFault::NotInVersion | LineFault::Unreadable(_)) => return Ok(Heard::NotServed),
                Err(LineFault::NotConnected | LineFault::Lost | LineFault::TimedOut | LineFault::Overloaded) => {}
            }
        }
        self.answer_alone(post, said).await
    }

    async fn answer_alone(&self, post: &Arc<Post>, said: FromStation) -> Result<Heard, Denial> {
        let site = &self.0;
        let verdict = copy::token(&said).map(|token| site.setup.rules.verdict(token, &site.setup.keys.tags));
        let number = i32::try_from(site.dice.below(NUMBERS)).unwrap_or(0).saturating_add(FIRST_NUMBER);
        let now = site.clock.now();
        if matches!(said, FromStation::Boot(_)) {
            post.owes_boot.store(true, Ordering::Release);
        }
        match alone(&said, verdict, number, now, HEARTBEAT) {
            Alone::Answered(heard) => Ok(heard),
            Alone::Kept(heard, weight) => {
                let given = match &heard {
                    Heard::Transaction { number, .. } => *number,
                    _ => None,
                };
                self.keep(post, said, weight, given).await?;
                post.wake.notify_one();
                Ok(heard)
            }
        }
    }

    async fn keep(
        &self,
        post: &Arc<Post>,
        said: FromStation,
        weight: Weight,
        given: Option<i32>,
    ) -> Result<(), Denial> {
        let now = self.0.clock.now();
        let Some(version) = post.inside().version else { return Err(Denial::CannotKeep) };
        let scripted = match self.0.door.write(version, &said, now) {
            Ok(scripted) => scripted,
            Err(why) => {
                tracing::warn!(why, station = %post.seat.station, "a message has no form that could be kept");
                return Ok(());
            }
        };
        let (site, station) = (Arc::clone(&self.0), post.seat.station.clone());
        let key = copy::key(&said, given);
        let kept = self.0.store.run("controller.keep", move |tx| {
            let pair = pair(&station);
            if let (Some(key), Some(_)) = (&key, given) {
                proxy::keep_told(tx, pair, key, &Told { began: true, ..Told::default() }, now)?;
            }
            let room = (now, site.setup.buffer_max);
            let gone = proxy::wait(tx, &site.setup.keys.seal, pair, weight, key.as_ref(), &scripted.text, room)?;
            if gone > 0 {
                proxy::add(tx, pair, Counted::Dropped, gone, Some("the buffer was full"))?;
            }
            Ok::<_, StoreError>(())
        });
        kept.await.map_err(cannot_keep)
    }

    /// The CSMS's number in the place of ours.
    async fn numbered(&self, station: &StationId, said: FromStation) -> Result<FromStation, StoreError> {
        let Some(key @ TransactionKey::Number(_)) = copy::key(&said, None) else { return Ok(said) };
        let of = station.clone();
        let number = self.0.store.read("controller.number", move |tx| proxy::number(tx, pair(&of), &key.to_string()));
        let Some(number) = number.await?.map(TransactionKey::Number) else { return Ok(said) };
        Ok(match said {
            FromStation::Transaction(mut report) => {
                report.key = Some(number);
                FromStation::Transaction(report)
            }
            FromStation::Meter(mut report) => {
                report.key = Some(number);
                FromStation::Meter(report)
            }
            other => other,
        })
    }

    /// Our number in the place of the CSMS's.
    async fn ours(&self, station: &StationId, key: TransactionKey) -> Result<TransactionKey, StoreError> {
        let (of, theirs) = (station.clone(), key.clone());
        let found = self.0.store.read("controller.ours", move |tx| proxy::ours(tx, pair(&of), &theirs)).await?;
        Ok(found.unwrap_or(key))
    }

    async fn obey(&self, post: &Post, order: ToStation) -> Result<StationAnswer, StoreError> {
        let station = &post.seat.station;
        if let Some(answer) = self.0.grid().and_then(|grid| grid.obey(station, &order)) {
            return Ok(answer);
        }
        let order = match order {
            ToStation::Stop { key } => ToStation::Stop { key: self.ours(station, key).await? },
            ToStation::Charging(ChargingOrder::Set { evse, mut profile }) => {
                if let Some(key) = profile.key.take() {
                    profile.key = Some(self.ours(station, key).await?);
                }
                ToStation::Charging(ChargingOrder::Set { evse, profile })
            }
            other => other,
        };
        let Some(line) = self.0.line.get() else { return Ok(StationAnswer::Refused("Rejected".into())) };
        Ok(match line.tell(station, order).await {
            Ok(answer) => answer,
            Err(LineFault::NotInVersion) => StationAnswer::Refused("NotImplemented".into()),
            Err(fault) => {
                tracing::info!(%fault, %station, "an order of the CSMS was not obeyed");
                StationAnswer::Refused("Rejected".into())
            }
        })
    }

    /// Sends the oldest message that was kept. `None`: nothing waits. `false`: not now.
    async fn send_next(&self, post: &Arc<Post>) -> Result<Option<bool>, StoreError> {
        let Some(uplink) = post.uplink() else { return Ok(Some(false)) };
        let boot = post.inside().boot.clone();
        if let (true, Some(boot)) = (post.owes_boot.load(Ordering::Acquire), boot) {
            match uplink.say(FromStation::Boot(boot)).await {
                Ok(Heard::Boot { admitted: charge::talk::line::Admission::Accepted, .. }) => {
                    post.owes_boot.store(false, Ordering::Release);
                }
                Ok(_) | Err(_) => return Ok(Some(false)),
            }
        }
        let (site, of) = (Arc::clone(&self.0), post.seat.station.clone());
        let seal = move |tx: &store::Tx<'_>| proxy::next(tx, &site.setup.keys.seal, pair(&of));
        let Some(waiting) = self.0.store.read("controller.next", move |tx| seal(tx)).await? else { return Ok(None) };
        let Some(version) = post.inside().version else { return Ok(Some(false)) };
        let said = match self.0.door.read(version, &waiting.text, waiting.at) {
            Ok(said) => self.numbered(&post.seat.station, offline(said)).await?,
            Err(fault) => return self.done(post, waiting, Err(fault)).await,
        };
        match uplink.say(said).await {
            Err(LineFault::NotConnected | LineFault::Lost | LineFault::TimedOut | LineFault::Overloaded) => {
                Ok(Some(false))
            }
            outcome => self.done(post, waiting, outcome).await,
        }
    }

    async fn done(
        &self,
        post: &Arc<Post>,
        waiting: Waiting,
        outcome: Result<Heard, LineFault>,
    ) -> Result<Option<bool>, StoreError> {
        if let Err(fault) = &outcome {
            tracing::warn!(%fault, station = %post.seat.station, "the CSMS did not take what was kept for it");
            if waiting.weight != Weight::News.number() && waiting.tries < TRIES_MAX {
                let id = waiting.id;
                self.0.store.run("controller.tried", move |tx| proxy::tried(tx, id)).await?;
                return Ok(Some(false));
            }
        }
        let of = post.seat.station.clone();
        let done = self.0.store.run("controller.done", move |tx| {
            if let (Ok(Heard::Transaction { number: Some(number), .. }), Some(key)) = (&outcome, &waiting.key) {
                proxy::keep_number(tx, pair(&of), key, *number)?;
            }
            proxy::gone(tx, waiting.id)?;
            let what = if outcome.is_ok() { Counted::Sent } else { Counted::Refused };
            proxy::add(tx, pair(&of), what, 1, None)
        });
        done.await?;
        Ok(Some(true))
    }
}

/// A transaction's message that comes late says so (OCPP 2.x part 2, E04.FR.03).
fn offline(said: FromStation) -> FromStation {
    match said {
        FromStation::Transaction(mut report) => {
            report.offline = true;
            FromStation::Transaction(report)
        }
        other => other,
    }
}

/// Sends what was kept whenever the line is up, until the controller is gone.
async fn catch_up(site: Weak<Site>, post: Weak<Post>, mut up: watch::Receiver<bool>) {
    while up.wait_for(|up| *up).await.is_ok() {
        let (Some(site), Some(post)) = (site.upgrade(), post.upgrade()) else { return };
        let sent = Controller(site).send_next(&post).await;
        match sent {
            Ok(Some(true)) => {}
            Ok(None) => {
                let idle = post.inside().present.is_none();
                if idle {
                    // the station is away and nothing is owed: the CSMS sees it leave
                    post.inside().line = None;
                    post.up.send_replace(false);
                    return;
                }
                // whichever comes first
                drop(tokio::time::timeout(LOOK_EVERY, post.wake.notified()).await);
            }
            Ok(Some(false)) => tokio::time::sleep(AGAIN).await,
            Err(error) => {
                tracing::error!(%error, "what was kept for the CSMS could not be read");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

impl Desk for Controller {
    fn admit(&self, knock: Knock) -> Soon<'_, Result<Entry, Refusal>> {
        Box::pin(async move {
            let post = self.0.posts.get(&knock.identity.to_lowercase());
            let standing = post.map(|post| Standing {
                station: post.seat.station.clone(),
                proof: post.seat.proof.clone(),
                retired: false,
                danger_plain_ws: false,
                quirks: Quirks::USUAL,
                next: None,
            });
            admit::decide(&knock, standing.as_ref()).map_err(|turned| {
                tracing::warn!(reason = turned.reason, "a station was not let in");
                turned.refusal
            })
        })
    }

    fn arrived(&self, entry: &Entry, connection: ConnectionNo) -> Soon<'_, ()> {
        if let Some(post) = self.post(&entry.station) {
            let speaks = {
                let mut inside = post.inside();
                inside.present = Some(connection);
                inside.version.filter(|_| inside.line.is_some())
            };
            if speaks != Some(entry.version) {
                self.dial(post, entry.version);
            }
        }
        Box::pin(std::future::ready(()))
    }

    fn hear(&self, station: &StationId, said: FromStation) -> Soon<'_, Result<Heard, Denial>> {
        let Some(post) = self.post(station).cloned() else {
            return Box::pin(std::future::ready(Err(Denial::NotAccepted)));
        };
        Box::pin(async move { self.listen(&post, said).await })
    }

    fn left(&self, station: &StationId, connection: ConnectionNo, _why: &str) -> Soon<'_, ()> {
        if let Some(post) = self.post(station) {
            let mut inside = post.inside();
            // late news of an older connection does not touch the newer one
            if inside.present == Some(connection) {
                inside.present = None;
                drop(inside);
                post.wake.notify_one();
            }
        }
        Box::pin(std::future::ready(()))
    }

    fn note(&self, _station: &StationId, _line: LogLine) {}
}

/// A station of the site as the CSMS meets it.
struct SitePole {
    site: Weak<Site>,
    post: Weak<Post>,
}

impl Pole for SitePole {
    fn told(&self, order: ToStation) -> Soon<'_, StationAnswer> {
        Box::pin(async move {
            let refused = StationAnswer::Refused("Rejected".into());
            let (Some(site), Some(post)) = (self.site.upgrade(), self.post.upgrade()) else { return refused };
            Controller(site).obey(&post, order).await.unwrap_or_else(|error| {
                tracing::error!(%error, "an order of the CSMS could not be read");
                refused
            })
        })
    }

    fn line_up(&self, _version: Version) {
        if let Some(post) = self.post.upgrade() {
            post.up.send_replace(true);
        }
    }

    fn line_down(&self, why: &str) {
        if let Some(post) = self.post.upgrade() {
            post.up.send_replace(false);
            tracing::warn!(why, station = %post.seat.station, "the line to the CSMS is down");
        }
    }

    fn unreached(&self, why: &str) {
        tracing::warn!(why, "the CSMS was not reached");
    }
}

fn pair(station: &StationId) -> Pair<'_> {
    Pair { second: CSMS, station }
}

fn cannot_keep(error: StoreError) -> Denial {
    tracing::error!(%error, "a message could not be kept for the CSMS");
    Denial::CannotKeep
}

/// Under this name the rows of a controller stand: it has one CSMS.
const CSMS: &str = "csms";
/// What a station is told at boot while the CSMS is away: soon enough to ask again.
const HEARTBEAT: Duration = Duration::from_secs(60);
/// Numbers of transactions that began without the CSMS: far from those that a CSMS counts.
const FIRST_NUMBER: i32 = 1 << 30;
const NUMBERS: u64 = 1 << 29;
/// A CSMS that cannot take a message now is asked again after this.
const AGAIN: Duration = Duration::from_secs(5);
/// A station that left is noticed at the latest after this.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// OCPP 1.6, 9.1.22: so many tries for a transaction message that is answered with an error.
const TRIES_MAX: u32 = 3;
