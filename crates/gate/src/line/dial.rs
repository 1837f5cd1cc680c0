//! The station's end: dials its operator, and dials again for as long as it lives.
//!
//! What is said over the line is the pole's business ([`Pole`] hears, [`Uplink`] says); this file only keeps a line
//! up, by the rules of [`Backoff`]. It keeps nothing that could not be said: a message without a line fails at once,
//! and whether to repeat it is for the station to decide.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use charge::talk::line::{FromStation, Heard, LineFault, Pole, Uplink, Version};
use charge::{Clock, Dice, Secret, Soon};
use rustls::ClientConfig;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;

use super::backoff::Backoff;
use super::call::{DialError, Number, Reach};
use super::end::{End, Ending};
use super::figures::Counts;
use super::limits::TalkLimits;
use super::mailbox::Mailbox;
use super::station::StationSide;
use super::stream::Stream;
use super::talk::{BootGate, Talk};
use super::wire::Wire;

/// Whom to call, and how.
#[derive(Clone, Debug)]
pub struct Dial {
    /// `wss://host:port/ocpp/<identity>`; [`super::station_url`] makes one. `ws://` for laboratories.
    pub url: String,
    /// With the client certificate in it for security profile 3. Needed for `wss://`.
    pub tls: Option<Arc<ClientConfig>>,
    /// User (the identity, A00.FR.204) and password, for security profiles 1 and 2.
    pub basic: Option<(String, Secret<Vec<u8>>)>,
    /// In order of preference.
    pub offer: Vec<Version>,
    pub backoff: Backoff,
    pub limits: TalkLimits,
}

/// Dials, and keeps the line up until [`Dialled::stop`]. Must be called inside the async runtime.
pub fn dial(dial: Dial, pole: Arc<dyn Pole>, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Result<Dialled, DialError> {
    dial_through(dial, pole, clock, dice, None)
}

/// The same with a hand on the wire.
pub fn dial_through(
    dial: Dial,
    pole: Arc<dyn Pole>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    wire: Option<Arc<dyn Wire>>,
) -> Result<Dialled, DialError> {
    dial_within(Reach::Anywhere, dial, pole, clock, dice, wire)
}

/// The same, to public addresses alone: for an address that somebody may have chosen who should not see our network.
pub(super) fn dial_public(
    dial: Dial,
    pole: Arc<dyn Pole>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
) -> Result<Dialled, DialError> {
    dial_within(Reach::PublicOnly, dial, pole, clock, dice, None)
}

fn dial_within(
    reach: Reach,
    dial: Dial,
    pole: Arc<dyn Pole>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    wire: Option<Arc<dyn Wire>>,
) -> Result<Dialled, DialError> {
    let (backoff, target) = (Mutex::new(dial.backoff), Mutex::new(Target::of(dial, reach)?));
    let wish = watch::Sender::new(Wish::Up);
    let desired = wish.subscribe();
    let caller = Arc::new(Caller {
        target,
        reach,
        backoff,
        in_vain: watch::Sender::new(0),
        pole,
        clock,
        dice,
        wire,
        wish,
        current: Mutex::new(None),
        counts: Counts::default(),
    });
    let task = tokio::spawn(keep_up(Arc::clone(&caller), desired));
    Ok(Dialled { caller, task: Some(task) })
}

/// A line that is kept up. Dropping it ends it without a goodbye.
pub struct Dialled {
    caller: Arc<Caller>,
    task: Option<JoinHandle<()>>,
}

impl Dialled {
    /// The way to the operator. Outlives reconnects.
    pub fn uplink(&self) -> Arc<dyn Uplink> {
        Arc::clone(&self.caller) as Arc<dyn Uplink>
    }

    /// Calls another place, or with other credentials, from now on: ends the connection that is up and dials at once.
    pub fn redial(&self, dial: Dial) -> Result<(), DialError> {
        self.pace(dial.backoff);
        let target = Target::of(dial, self.caller.reach)?;
        *self.caller.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
        if let Some(current) = self.caller.current() {
            current.close(Ending::HungUp("the station dials anew".into()));
        }
        // the wish is what it was; whoever waits for it stops waiting
        self.caller.wish.send_modify(|_| {});
        Ok(())
    }

    /// From now on the waits between two tries are these.
    pub fn pace(&self, backoff: Backoff) {
        *self.caller.backoff.lock().unwrap_or_else(PoisonError::into_inner) = backoff;
    }

    /// Tries in vain since the line was up last, or since [`Self::redial`].
    pub fn in_vain(&self) -> watch::Receiver<u32> {
        self.caller.in_vain.subscribe()
    }

    /// Says goodbye and does not dial again.
    pub async fn stop(mut self) {
        self.caller.want(Wish::Stopped);
        if let Some(task) = self.task.take() {
            // a panic of the pole was reported when it happened
            let _ended = task.await;
        }
    }

    /// A simulated outage: the line breaks without a goodbye and stays away until [`Self::restore_line`].
    pub fn drop_line(&self) {
        self.caller.want(Wish::Cut);
    }

    /// The simulated outage is over: dials at once.
    pub fn restore_line(&self) {
        self.caller.want(Wish::Up);
    }
}

impl Drop for Dialled {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Up,
    Cut,
    Stopped,
}

type Messages = Mailbox<FromStation, Heard>;

/// Whom to call, checked.
struct Target {
    number: Number,
    dial: Dial,
}

impl Target {
    fn of(dial: Dial, reach: Reach) -> Result<Arc<Self>, DialError> {
        Ok(Arc::new(Self { number: Number::of(&dial, reach)?, dial }))
    }
}

struct Caller {
    target: Mutex<Arc<Target>>,
    reach: Reach,
    backoff: Mutex<Backoff>,
    in_vain: watch::Sender<u32>,
    pole: Arc<dyn Pole>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    wire: Option<Arc<dyn Wire>>,
    wish: watch::Sender<Wish>,
    /// Of the connection that is up.
    current: Mutex<Option<Arc<Messages>>>,
    counts: Counts,
}

impl Caller {
    fn want(&self, wish: Wish) {
        self.wish.send_replace(wish);
        self.heed(wish);
    }

    /// Ends the connection that is up, if that is the wish.
    fn heed(&self, wish: Wish) {
        let ending = match wish {
            Wish::Up => return,
            Wish::Cut => Ending::Cut,
            Wish::Stopped => Ending::Stopping,
        };
        if let Some(current) = self.current() {
            current.close(ending);
        }
    }

    fn target(&self) -> Arc<Target> {
        Arc::clone(&self.target.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn current(&self) -> Option<Arc<Messages>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Messages>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One connection from upgrade to end.
    async fn talk(&self, target: &Arc<Target>, socket: WebSocketStream<Stream>, version: Version) -> End {
        let up = Up::on(self);
        // a wish that came while this one was being connected found no mailbox to close, and so did another target
        let wish = *self.wish.borrow();
        self.heed(wish);
        if !Arc::ptr_eq(target, &self.target()) {
            up.messages.close(Ending::Cut);
        }
        let limits = &target.dial.limits;
        let side = StationSide {
            engine: ocpp::station::Engine::new(version, limits.ocpp),
            pole: &*self.pole,
            clock: &*self.clock,
            dice: &*self.dice,
            wire: self.wire.as_deref(),
        };
        self.pole.line_up(version);
        let mut talk = Talk::new(side, socket, &up.messages, limits, &self.counts, BootGate::Open);
        let end = talk.run().await;
        up.down();
        self.pole.line_down(&end.to_string());
        talk.part(&end).await;
        end
    }
}

/// A connection that messages can be posted to. It is down when this is dropped, whatever ended it.
struct Up<'c> {
    caller: &'c Caller,
    messages: Arc<Messages>,
}

impl<'c> Up<'c> {
    fn on(caller: &'c Caller) -> Self {
        let messages = Arc::new(Messages::new());
        *caller.lock() = Some(Arc::clone(&messages));
        Self { caller, messages }
    }

    fn down(&self) {
        *self.caller.lock() = None;
        self.messages.close(Ending::Cut);
    }
}

impl Drop for Up<'_> {
    fn drop(&mut self) {
        self.down();
    }
}

impl Uplink for Caller {
    fn say(&self, said: FromStation) -> Soon<'_, Result<Heard, LineFault>> {
        Box::pin(async move {
            let waits = self.current().ok_or(LineFault::NotConnected)?.post(said)?;
            match timeout(self.target().dial.limits.order_time_max, waits).await {
                Ok(Ok(heard)) => heard,
                Ok(Err(_dropped)) => Err(LineFault::Lost),
                Err(_elapsed) => Err(LineFault::TimedOut),
            }
        })
    }
}

async fn keep_up(caller: Arc<Caller>, mut wish: watch::Receiver<Wish>) {
    let mut tries = 0;
    loop {
        // the sender lives in the caller that this task holds
        let wanted = wish.wait_for(|wish| *wish != Wish::Cut).await.map_or(Wish::Stopped, |wish| *wish);
        if wanted == Wish::Stopped {
            return;
        }
        let target = caller.target();
        let called = tokio::select! {
            called = Box::pin(target.number.call()) => called,
            _changed = wish.wait_for(|wish| *wish != Wish::Up) => continue,
        };
        let asked = match called {
            Ok((socket, version)) => {
                tries = 0;
                caller.in_vain.send_replace(0);
                let end = caller.talk(&target, socket, version).await;
                tracing::debug!(why = %end, "the line to the operator ended");
                None
            }
            Err(fault) => {
                tracing::debug!(why = %fault, tries, "the operator was not reached");
                caller.pole.unreached(&fault.to_string());
                if let Some(of) = fault.distrust() {
                    caller.pole.distrusted(of);
                }
                fault.retry_after()
            }
        };
        if !Arc::ptr_eq(&target, &caller.target()) {
            tries = 0;
            caller.in_vain.send_replace(0);
            continue;
        }
        let backoff = *caller.backoff.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = backoff.wait(tries, &*caller.dice).max(asked.unwrap_or_default());
        tries = tries.saturating_add(1);
        caller.in_vain.send_replace(tries);
        // a changed wish ends the waiting: an outage that begins, one that is over, or the end
        let _changed = timeout(wait, wish.changed()).await;
    }
}
