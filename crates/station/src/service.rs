//! A virtual station that runs: the engine, its journal and the task that says one message after the other.
//!
//! This is the only file of the room with `await`. It decides nothing: it keeps what the engine wants kept, says what
//! it wants said, and shows what is so ([`VirtualStation::watch`]), so that whoever waits waits for a level.
//!
//! Invariant: notes are kept in the order in which they were made, and before anything is said after them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use billing::record::PublicKey;
use charge::id::EvseNo;
use charge::talk::line::model::Network;
use charge::talk::line::{Distrust, FromStation, Pole, StationAnswer, ToStation, Uplink, Version};
use charge::token::{PresentedToken, TokenKind, TokenUid};
use charge::units::Power;
use charge::{Clock, Dice, Secret, Soon, Timestamp};
use store::StoreError;
use tokio::sync::{Notify, watch};
use trust::pki::Identity;

use crate::car::Car;
use crate::journal::{Journal, Note};
use crate::plan::{Plan, PlanFault};
use crate::station::{BootReason, CannotDo, Deed, Output, Patience, Station, View};
use crate::upkeep::{Fetch, Upload};

/// Why a station cannot be switched on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartFault {
    #[error("the station cannot be built from its plan")]
    Plan(#[source] PlanFault),
    #[error("the station's journal cannot be read")]
    Journal(#[source] StoreError),
}

/// A virtual station with its journal and its clock.
pub struct VirtualStation {
    desk: Mutex<Desk>,
    /// Held by whoever writes to the journal, so that notes stay in order.
    pen: tokio::sync::Mutex<()>,
    journal: Journal,
    clock: Arc<dyn Clock>,
    wake: Notify,
    view: watch::Sender<View>,
    password: watch::Sender<Option<Secret<Box<str>>>>,
    identity: watch::Sender<Option<Arc<Identity>>>,
    patience: watch::Sender<Patience>,
    errands: Notify,
    starts: watch::Sender<u32>,
    redials: watch::Sender<u32>,
}

/// The engine and what it wants done.
struct Desk {
    station: Station,
    notes: Vec<Note>,
    say: Option<(u64, FromStation)>,
    errands: Vec<Errand>,
    reboot: bool,
}

/// What whoever holds the station's door is asked to carry.
#[derive(Debug)]
pub enum Errand {
    /// Answered to [`VirtualStation::uploaded`].
    Put(Upload),
    /// Answered to [`VirtualStation::fetched`].
    Get(Fetch),
}

/// What the station proves itself with from the next connection on.
#[derive(Default)]
struct Fresh {
    password: Option<Secret<Box<str>>>,
    identity: Option<Identity>,
    redial: bool,
}

/// The clock that was handed in may run faster than the machine's, so nobody waits longer than this without looking
/// at it.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// And never shorter, or a deadline just missed would be looked at without a pause.
const LOOK_AGAIN_MIN: Duration = Duration::from_millis(1);

impl VirtualStation {
    /// Switches a station on, with what its journal holds. `keys` are those of the meters, in the order of the
    /// EVSEs, as PKCS#8 in DER. It is silent until [`run`](Self::run) runs.
    pub async fn start(
        plan: Plan,
        keys: &[Secret<Vec<u8>>],
        journal: Journal,
        clock: Arc<dyn Clock>,
        dice: Arc<dyn Dice>,
    ) -> Result<Arc<Self>, StartFault> {
        let memory = journal.load().await.map_err(StartFault::Journal)?;
        let mut out = Vec::new();
        let station = Station::new(clock.now(), plan, keys, memory, dice, &mut out).map_err(StartFault::Plan)?;
        let view = watch::Sender::new(station.view());
        let password = watch::Sender::new(station.password().cloned());
        let patience = watch::Sender::new(station.patience());
        let mut desk = Desk { station, notes: Vec::new(), say: None, errands: Vec::new(), reboot: false };
        desk.take_in(out);
        let pen = tokio::sync::Mutex::new(());
        let (wake, starts, redials) = (Notify::new(), watch::Sender::new(1), watch::Sender::new(0));
        let (identity, errands) = (watch::Sender::new(None), Notify::new());
        let desk = Mutex::new(desk);
        Ok(Arc::new(Self {
            desk,
            pen,
            journal,
            clock,
            wake,
            view,
            password,
            identity,
            patience,
            errands,
            starts,
            redials,
        }))
    }

    /// Says what there is to say, until the journal fails or the task is dropped. Run it once.
    pub async fn run(&self, uplink: Arc<dyn Uplink>) -> Result<(), StoreError> {
        loop {
            let said = self.keep().await?;
            if std::mem::take(&mut self.desk().reboot) {
                self.restart(BootReason::RemoteReset).await?;
                continue;
            }
            let Some((number, words)) = said else {
                self.pause().await;
                self.step(Station::tick);
                continue;
            };
            let mut answer = uplink.say(words);
            let outcome = loop {
                tokio::select! {
                    outcome = &mut answer => break outcome,
                    () = self.pause() => {
                        self.step(Station::tick);
                        self.keep_notes().await?;
                    }
                }
            };
            self.step(|station, now, out| station.heard(now, number, outcome, out));
        }
    }

    /// A driver plugs a car in.
    pub fn plug(&self, evse: EvseNo, car: Car) -> Result<(), CannotDo> {
        self.act(evse, Deed::Plug(car))
    }

    pub fn unplug(&self, evse: EvseNo) -> Result<(), CannotDo> {
        self.act(evse, Deed::Unplug)
    }

    /// A driver holds a card to the reader.
    pub fn tap(&self, evse: EvseNo, uid: TokenUid) -> Result<(), CannotDo> {
        self.act(evse, Deed::Tap(PresentedToken::new(uid, TokenKind::Rfid)))
    }

    /// Something breaks: an error code of OCPP 1.6, or one and words after `: `.
    pub fn fault(&self, evse: EvseNo, code: &str) -> Result<(), CannotDo> {
        self.act(evse, Deed::Break(code.into()))
    }

    pub fn clear_fault(&self, evse: EvseNo) -> Result<(), CannotDo> {
        self.act(evse, Deed::Repair)
    }

    /// Local load management gives this much; `None` is no limit.
    pub fn limit(&self, evse: EvseNo, power: Option<Power>) -> Result<(), CannotDo> {
        self.act(evse, Deed::Limit(power))
    }

    pub fn act(&self, evse: EvseNo, deed: Deed) -> Result<(), CannotDo> {
        let done = self.step(|station, now, out| station.hand(now, evse, deed, out));
        self.wake.notify_one();
        done
    }

    /// The power fails and comes back: all that was not kept is forgotten.
    pub async fn power_cycle(&self) -> Result<(), StoreError> {
        let restarted = self.restart(BootReason::PowerUp).await;
        self.wake.notify_one();
        restarted
    }

    /// Looks at the clock now: for whoever moves it by hand.
    pub fn nudge(&self) {
        self.wake.notify_one();
    }

    /// What the station is doing, for waiting until it does.
    pub fn watch(&self) -> watch::Receiver<View> {
        self.view.subscribe()
    }

    /// The password that the operator has set for the next connection.
    pub fn password(&self) -> watch::Receiver<Option<Secret<Box<str>>>> {
        self.password.subscribe()
    }

    /// The certificate that the operator has signed for the next connection.
    pub fn identity(&self) -> watch::Receiver<Option<Arc<Identity>>> {
        self.identity.subscribe()
    }

    /// Where to call, by slot, in the order in which to try.
    pub fn networks(&self) -> Vec<(i32, Network)> {
        self.desk().station.networks()
    }

    /// The roots of operators that were installed, in PEM: to be trusted besides those the station was built with.
    pub fn operator_roots(&self) -> String {
        self.desk().station.operator_roots()
    }

    /// How a connection is to be tried again.
    pub fn patience(&self) -> watch::Receiver<Patience> {
        self.patience.subscribe()
    }

    /// Whoever dials says with which security profile the connection stands.
    pub fn secured(&self, profile: u8) {
        self.step(|station, _now, out| station.secured(profile, out));
        self.wake.notify_one();
    }

    /// Waits for something to carry. Whoever holds the station's door does it and answers; one waits at a time.
    pub async fn next_errands(&self) -> Vec<Errand> {
        loop {
            let errands = std::mem::take(&mut self.desk().errands);
            if !errands.is_empty() {
                return errands;
            }
            self.errands.notified().await;
        }
    }

    /// What came of an upload.
    pub fn uploaded(&self, number: u64, done: bool) {
        self.step(|station, now, out| station.uploaded(now, number, done, out));
        self.wake.notify_one();
    }

    /// An image, at most [`crate::upkeep::IMAGE_MAX`] bytes; `None` where it cannot be had.
    pub fn fetched(&self, number: u64, image: Option<&[u8]>) {
        self.step(|station, now, out| station.fetched(now, number, image, out));
        self.wake.notify_one();
    }

    /// How often the station has started: a restart loses the line, which whoever holds the line has to act on.
    pub fn starts(&self) -> watch::Receiver<u32> {
        self.starts.subscribe()
    }

    /// How often the line was to be dialled anew, with the first of the networks.
    pub fn redials(&self) -> watch::Receiver<u32> {
        self.redials.subscribe()
    }

    /// The keys that verify what the meters sign.
    pub fn meter_keys(&self) -> Vec<(EvseNo, PublicKey)> {
        self.desk().station.meter_keys()
    }

    pub fn plan(&self) -> Plan {
        self.desk().station.plan().clone()
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One thing happens to the engine.
    fn step<T>(&self, act: impl FnOnce(&mut Station, Timestamp, &mut Vec<Output>) -> T) -> T {
        self.at_desk(|desk, now, out| act(&mut desk.station, now, out))
    }

    fn at_desk<T>(&self, act: impl FnOnce(&mut Desk, Timestamp, &mut Vec<Output>) -> T) -> T {
        let mut out = Vec::new();
        let mut desk = self.desk();
        // the clock is read under the lock, or two steps could happen in the wrong order
        let result = act(&mut desk, self.clock.now(), &mut out);
        let fresh = desk.take_in(out);
        let view = desk.station.view();
        let errands = !desk.errands.is_empty();
        let patience = desk.station.patience();
        drop(desk);
        if fresh.password.is_some() {
            self.password.send_replace(fresh.password);
        }
        if let Some(identity) = fresh.identity {
            self.identity.send_replace(Some(Arc::new(identity)));
        }
        if fresh.redial {
            self.redials.send_modify(|times| *times += 1);
        }
        if errands {
            self.errands.notify_one();
        }
        show(&self.patience, patience);
        show(&self.view, view);
        result
    }

    /// Keeps all notes and takes what is to be said after them.
    async fn keep(&self) -> Result<Option<(u64, FromStation)>, StoreError> {
        let _pen = self.pen.lock().await;
        let (notes, said) = {
            let mut desk = self.desk();
            (std::mem::take(&mut desk.notes), desk.say.take())
        };
        self.write(notes).await?;
        Ok(said)
    }

    async fn keep_notes(&self) -> Result<(), StoreError> {
        let _pen = self.pen.lock().await;
        let notes = std::mem::take(&mut self.desk().notes);
        self.write(notes).await
    }

    async fn write(&self, notes: Vec<Note>) -> Result<(), StoreError> {
        if notes.is_empty() { Ok(()) } else { self.journal.keep(notes).await }
    }

    async fn restart(&self, reason: BootReason) -> Result<(), StoreError> {
        let pen = self.pen.lock().await;
        let memory = self.journal.load().await?;
        self.at_desk(|desk, now, out| {
            // what was not kept by now is lost, and what was not said is said anew
            desk.notes.clear();
            (desk.say, desk.reboot) = (None, false);
            desk.station.power_on(now, memory, reason, out);
        });
        drop(pen);
        self.starts.send_modify(|starts| *starts += 1);
        Ok(())
    }

    /// Until something happens or falls due.
    async fn pause(&self) {
        let due = self.desk().station.wake_at().map(|at| at.since(self.clock.now()));
        let span = due.map_or(LOOK_AGAIN, |span| span.clamp(LOOK_AGAIN_MIN, LOOK_AGAIN));
        tokio::select! {
            () = self.wake.notified() => {}
            () = tokio::time::sleep(span) => {}
        }
    }
}

/// Tells a new value to whoever watches, where it is new.
fn show<T: PartialEq>(watched: &watch::Sender<T>, value: T) {
    watched.send_if_modified(|shown| {
        let changed = *shown != value;
        *shown = value;
        changed
    });
}

impl Desk {
    /// Sorts what the engine wants; answers what to prove oneself with from now on, where that is new.
    fn take_in(&mut self, out: Vec<Output>) -> Fresh {
        let mut fresh = Fresh::default();
        for output in out {
            match output {
                Output::Keep(note) => self.notes.push(note),
                Output::Say(number, words) => self.say = Some((number, words)),
                Output::Password(new) => fresh.password = Some(new),
                Output::Identity(new) => fresh.identity = Some(*new),
                Output::Upload(upload) => self.errands.push(Errand::Put(upload)),
                Output::Fetch(fetch) => self.errands.push(Errand::Get(fetch)),
                Output::Redial => fresh.redial = true,
                Output::Reboot => self.reboot = true,
            }
        }
        fresh
    }
}

impl Pole for VirtualStation {
    fn told(&self, order: ToStation) -> Soon<'_, StationAnswer> {
        Box::pin(async move {
            let answer = self.step(|station, now, out| station.told_to(now, order, out));
            let kept = self.keep_notes().await;
            self.wake.notify_one();
            match kept {
                Ok(()) => answer,
                Err(fault) => {
                    tracing::error!(%fault, "a station cannot keep what it was told");
                    StationAnswer::Refused("Rejected".into())
                }
            }
        })
    }

    fn line_up(&self, version: Version) {
        self.step(|station, now, out| station.line_up(now, version, out));
        self.wake.notify_one();
    }

    fn distrusted(&self, of: Distrust) {
        self.step(|station, now, out| station.distrusted(now, of, out));
        self.wake.notify_one();
    }

    fn line_down(&self, why: &str) {
        tracing::debug!(why, "a station's line is down");
        self.step(|station, now, out| station.line_down(now, out));
        self.wake.notify_one();
    }
}

#[cfg(test)]
mod tests;
