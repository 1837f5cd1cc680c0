//! Passing letters on: one receiver at once and with its answer, or many receivers in the background.
//!
//! What is published goes to each receiver in its own queue, one after the other, so that the states of an EVSE
//! arrive in their order and a slow receiver delays nobody else. Nothing here is kept over a restart: the hub has the
//! public objects, and whoever missed one fetches the list. Receivers that do not speak OCPI are [`super::across`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use charge::Clock;
use charge::id::PartyId;
use charge::talk::road::{Denial, Envelope, Errand, Exchange, Fate, Letter, Passing, Published};
use ocpi::cross::{self, Beside, Noun};
use ocpi::status::code_of;
use ocpi::wire::{Kind, Method, Module, Reply, Target};
use ocpi::{Version, habit, hear, url};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::figures::{Direction, Figures};
use super::limits::{FORWARDS_MAX, QUEUE_BYTES_MAX, QUEUE_MAX};
use super::neighbour::{Hop, Neighbour, SendFault};
use super::peers::PeerBook;
use super::running::Running;
use super::speaker::{Native, Speaker, Speakers, Told};
use super::thrift::Spare;
use super::waiting::Waiting;

/// A letter on its way through the hub.
pub(crate) struct Parcel {
    /// What its sender speaks.
    pub version: Version,
    pub kind: Kind,
    pub method: Method,
    pub target: Target,
    pub query: String,
    pub body: Option<Bytes>,
    pub hop: Hop,
    pub envelope: Envelope,
    /// The letter itself, where its sender does not speak OCPI.
    pub origin: Option<Box<Origin>>,
}

/// A letter that came in another protocol, and the document that it came as.
#[derive(Clone)]
pub(crate) struct Origin {
    pub letter: Letter,
    pub native: Option<Native>,
}

pub(crate) struct Relay {
    way: Arc<WayOut>,
    /// Letters that wait for their receiver's answer, of all parties together.
    forwards: Semaphore,
    queues: Mutex<HashMap<PartyId, Queue>>,
}

/// What waits for one receiver.
struct Queue {
    parcels: mpsc::Sender<(Parcel, OwnedSemaphorePermit)>,
    /// One permit per byte that may still wait.
    room: Arc<Semaphore>,
}

impl Queue {
    /// `Err` gives the parcel back where there is no room for it.
    fn put(&self, parcel: Parcel) -> Result<(), Box<Parcel>> {
        let bytes = parcel.body.as_ref().map_or(0, Bytes::len);
        let room =
            u32::try_from(bytes).ok().and_then(|bytes| Arc::clone(&self.room).try_acquire_many_owned(bytes).ok());
        let Some(room) = room else { return Err(Box::new(parcel)) };
        self.parcels.try_send((parcel, room)).map_err(|refused| Box::new(refused.into_inner().0))
    }
}

pub(crate) struct WayOut {
    pub exchange: Arc<dyn Exchange>,
    pub peers: Arc<dyn PeerBook>,
    pub figures: Arc<Figures>,
    pub speakers: Speakers,
    pub waiting: Waiting,
    pub running: Running,
    pub spare: Spare,
    pub clock: Arc<dyn Clock>,
    /// The hub's own address.
    pub base: String,
    /// How long a giver of an order waits for a partner's first word.
    pub first_word: Duration,
}

impl Relay {
    pub(crate) fn new(way: WayOut) -> Self {
        Self { way: Arc::new(way), forwards: Semaphore::new(FORWARDS_MAX), queues: Mutex::default() }
    }

    pub(crate) const fn way(&self) -> &Arc<WayOut> {
        &self.way
    }

    /// Says a letter to a partner that does not speak OCPI.
    pub(crate) async fn speak(
        &self,
        speaker: Arc<dyn Speaker>,
        to: PartyId,
        origin: Origin,
        envelope: &Envelope,
    ) -> Result<Told, Denial> {
        let _permit = self.forwards.try_acquire().map_err(|_| Denial::Overloaded)?;
        self.way.speak(speaker, to, origin, envelope).await
    }

    /// Passes a letter on and brings the answer back.
    pub(crate) async fn pass(&self, to: PartyId, parcel: Parcel) -> Result<Reply, Denial> {
        let _permit = self.forwards.try_acquire().map_err(|_| Denial::Overloaded)?;
        self.way.pass(to, parcel).await
    }

    /// Passes a letter on later; drops it where the receiver is too far behind.
    pub(crate) fn publish(&self, to: PartyId, parcel: Parcel) {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues.entry(to).or_insert_with(|| {
            let (parcels, waiting) = mpsc::channel(QUEUE_MAX);
            tokio::spawn(deliver(to, waiting, Arc::clone(&self.way)));
            Queue { parcels, room: Arc::new(Semaphore::new(QUEUE_BYTES_MAX)) }
        });
        if let Err(parcel) = queue.put(parcel) {
            // counted as a failure in the ledger; the receiver finds it in its next pull
            tracing::debug!(peer = %to, "the receiver is too far behind: a published object is dropped");
            self.way.exchange.fared(&parcel.envelope, to, Fate::Unreachable);
        }
    }
}

/// Ends when the relay is gone and its queue is empty.
async fn deliver(to: PartyId, mut parcels: mpsc::Receiver<(Parcel, OwnedSemaphorePermit)>, way: Arc<WayOut>) {
    while let Some((parcel, _room)) = parcels.recv().await {
        let errand = parcel.kind.as_str();
        if let Err(denial) = way.pass(to, parcel).await {
            tracing::debug!(peer = %to, errand, ?denial, "a published object did not arrive");
        }
    }
}

impl WayOut {
    pub(crate) async fn pass(self: &Arc<Self>, to: PartyId, parcel: Parcel) -> Result<Reply, Denial> {
        match self.put_off(to, &parcel).await? {
            Some(kept) => Ok(kept),
            None => self.pass_now(to, parcel).await,
        }
    }

    pub(crate) async fn pass_now(self: &Arc<Self>, to: PartyId, parcel: Parcel) -> Result<Reply, Denial> {
        if let Some(speaker) = self.speakers.of(to) {
            return self.across(speaker, to, parcel).await;
        }
        let parcel = self.spared(to, parcel).await?;
        let (envelope, kind, version) = (parcel.envelope.clone(), parcel.kind, parcel.version);
        let owner = parcel.envelope.from;
        let (fate, result) = match self.peers.peer(to).await {
            Some(way) => match self.carry(&way, parcel).await {
                Ok((spoken, result)) => {
                    let (fate, result) = judge(result);
                    let asked = match &envelope.errand {
                        Errand::MayCharge { token } => Some((token, self.clock.now())),
                        _another => None,
                    };
                    let beside = Beside { owner: Some(to), payer: Some(owner), place: None, asked };
                    let carried = |reply| {
                        let crossed = cross::reply(spoken, version, kind, reply, beside)?;
                        self.lost(to, owner, &envelope.errand, &crossed.lost);
                        Ok(crossed.value)
                    };
                    (fate, result.and_then(carried))
                }
                Err(denial) => (Fate::Refused, Err(denial)),
            },
            None => judge(Err(SendFault::Unreachable)),
        };
        self.exchange.fared(&envelope, to, fate);
        tracing::debug!(from = %envelope.from, %to, errand = kind.as_str(), ?fate, "letter passed on");
        self.spared_reply(owner, to, kind, result?).await
    }

    /// In the words of the receiver: untouched where they are the sender's own.
    async fn carry(&self, way: &Neighbour, parcel: Parcel) -> Result<(Version, Result<Reply, SendFault>), Denial> {
        let asked = match &parcel.target {
            Target::Endpoint { module, .. } => way.version_for(*module).await,
            Target::Address(_) => way.version().await,
        };
        let spoken = match asked {
            Ok(version) => version,
            Err(fault) => return Ok((parcel.version, Err(fault))),
        };
        let Parcel { version, kind, method, target, query, body, hop, envelope, origin: _ } = parcel;
        self.figures.count(Direction::Out, kind);
        if kind == Kind::PutSession && !spoken.has_routing() {
            self.note_running(way.party(), &target, envelope.from).await?;
        }
        if spoken == version {
            let body = in_its_forms(way, body)?;
            return Ok((spoken, way.send(method, &target, &query, body, &hop, kind).await));
        }
        if kind.is_part() && kind != Kind::Evse {
            // its sender asks back what is kept and sends the whole (OCPI 2.2.1, 4.1.2)
            return Err(Denial::NotSupported);
        }
        if let Target::Endpoint { module, .. } = &target
            && !(module.is_in(spoken) && kind.is_in(spoken))
        {
            self.no_word(envelope.from, way.party(), &envelope.errand);
            return Err(Denial::NotSupported);
        }
        let bytes = body.as_deref().unwrap_or_default();
        let place = self.place(spoken, kind.noun_in(), bytes, (envelope.from, envelope.from)).await;
        let payer = hop.to;
        let beside = Beside { owner: Some(envelope.from), payer, place: place.as_deref(), ..Beside::default() };
        let crossed = cross::body(version, spoken, kind, bytes, beside);
        let crossed = crossed.map_err(Denial::from);
        let crossed = self.told_if_refused(envelope.from, way.party(), &envelope.errand, crossed)?;
        self.lost(envelope.from, way.party(), &envelope.errand, &crossed.lost);
        let body = in_its_forms(way, crossed.value.map(Bytes::from).or(body))?;
        let query = cross::query(spoken, &query);
        Ok((spoken, way.send(method, &target, &query, body, &hop, kind).await))
    }

    /// What was left behind is kept for the two parties to read.
    pub(crate) fn lost(&self, from: PartyId, to: PartyId, errand: &Errand, lost: &[ocpi::Fault]) {
        if !lost.is_empty() {
            let what: Vec<Box<str>> = lost.iter().map(|fault| fault.to_string().into()).collect();
            self.exchange.lost(from, to, errand, &what);
        }
    }

    /// A letter that the receiver's protocol has no word for was refused: both parties can read that it was not the other
    /// one's doing.
    pub(crate) fn no_word(&self, from: PartyId, to: PartyId, errand: &Errand) {
        if matches!(errand, Errand::Passing(Passing::Booking | Passing::Document)) {
            self.exchange.lost(from, to, errand, &[NO_WORD.into()]);
        }
    }

    /// A crossing of ours that is refused, because it would change money or cannot be made, is told to the two parties
    /// like what is left behind: whoever published something hears no refusal.
    pub(crate) fn told_if_refused<T>(
        &self,
        from: PartyId,
        to: PartyId,
        errand: &Errand,
        crossed: Result<T, Denial>,
    ) -> Result<T, Denial> {
        crossed.inspect_err(|denial| {
            if let Denial::Malformed { path, why } = denial {
                self.exchange.lost(from, to, errand, &[format!("{path} {why}").trim_start().into()]);
            }
        })
    }

    /// A receiver of 2.1.1 will name the session alone when it wants to stop it.
    async fn note_running(&self, provider: PartyId, target: &Target, operator: PartyId) -> Result<(), Denial> {
        let Target::Endpoint { rest, .. } = target else { return Ok(()) };
        let Some(session) = rest.rsplit('/').next().and_then(url::decode) else { return Ok(()) };
        let news = self.running.note(provider, &session, operator);
        match self.spare.vault() {
            Some(vault) if news => Ok(vault.runs(provider, &session, operator, self.clock.now()).await?),
            Some(_) | None => Ok(()),
        }
    }

    /// Which operator has a session of a provider of 2.1.1.
    pub(crate) async fn runs_at(&self, provider: PartyId, session: &str) -> Option<PartyId> {
        match (self.running.operator(provider, session), self.spare.vault()) {
            (Some(operator), _) => Some(operator),
            (None, Some(vault)) => vault.runs_at(provider, session).await.ok().flatten(),
            (None, None) => None,
        }
    }

    /// What a party of OCPI speaks about a module.
    pub(crate) async fn spoken(&self, party: PartyId, module: Module) -> Option<Version> {
        match self.speakers.of(party) {
            Some(_) => None,
            None => self.peers.peer(party).await?.version_for(module).await.ok(),
        }
    }

    /// The location of a session, for a reader of 2.1.1 that wants it whole: public, and kept here anyway. `asker` and
    /// `owner`: who wants it, and whose session it is.
    pub(crate) async fn place(
        &self,
        spoken: Version,
        noun: Noun,
        session: &[u8],
        (asker, owner): (PartyId, PartyId),
    ) -> Option<String> {
        if spoken.has_routing() || noun != Noun::Session {
            return None;
        }
        let id = hear::session_location(session)?;
        let kept = self.exchange.published_one(asker, Published::Locations, Some(owner), id.into()).await;
        kept.ok().map(String::from)
    }
}

/// What both parties read of a letter that could not go over at all.
const NO_WORD: &str = "the protocol of the receiver has no word for it";

/// A letter with moments and ids as its receiver reads them.
fn in_its_forms(way: &Neighbour, body: Option<Bytes>) -> Result<Option<Bytes>, Denial> {
    let (times, ids) = (way.quirks().times, way.quirks().ids);
    let other = body.as_deref().map(|body| habit::written(body, times, ids)).transpose()?.flatten();
    Ok(other.map(Bytes::from).or(body))
}

/// What the receiver said is passed on if it is an OCPI answer. That our own token was refused is not the asker's
/// business: for them the receiver is not there.
fn judge(result: Result<Reply, SendFault>) -> (Fate, Result<Reply, Denial>) {
    match result {
        Ok(reply) => match code_of(reply.body.as_bytes()) {
            Some(_) if reply.http == 401 => (Fate::Unreachable, Err(Denial::ReceiverUnreachable)),
            Some(1000..2000) => (Fate::Delivered, Ok(reply)),
            Some(_) => (Fate::Refused, Ok(reply)),
            None => (Fate::Unreachable, Err(Denial::ReceiverUnreachable)),
        },
        Err(SendFault::TimedOut) => (Fate::Silent, Err(Denial::ReceiverSilent)),
        Err(SendFault::Unreachable | SendFault::Unreadable(_) | SendFault::ForeignAddress) => {
            (Fate::Unreachable, Err(Denial::ReceiverUnreachable))
        }
        Err(SendFault::NotOffered) => (Fate::Refused, Err(Denial::NotSupported)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::id::{CorrelationId, LocationId};
    use ocpi::wire::Side;

    use super::super::limits::REQUEST_BYTES_MAX;
    use super::*;

    fn parcel(bytes: usize) -> Parcel {
        let owner: PartyId = "DE-OPA".parse().unwrap();
        let correlation = CorrelationId::new("c").unwrap();
        let errand = Errand::Location { owner, id: LocationId::new("L1").unwrap(), evse: None };
        Parcel {
            version: Version::V221,
            kind: Kind::PutLocation,
            method: Method::Put,
            target: Target::Endpoint { module: Module::Locations, side: Side::Receiver, rest: String::new() },
            query: String::new(),
            body: Some(vec![b' '; bytes].into()),
            hop: Hop { from: owner, to: None, correlation: correlation.clone() },
            envelope: Envelope { from: owner, to: None, correlation, errand, bytes },
            origin: None,
        }
    }

    #[tokio::test]
    async fn what_waits_for_a_slow_receiver_is_bounded_in_number_and_in_bytes() {
        let fresh = || {
            let (parcels, waiting) = mpsc::channel(QUEUE_MAX);
            (Queue { parcels, room: Arc::new(Semaphore::new(QUEUE_BYTES_MAX)) }, waiting)
        };
        let fill = |queue: &Queue, bytes| (0..=QUEUE_MAX).take_while(|_| queue.put(parcel(bytes)).is_ok()).count();
        let (queue, _waiting) = fresh();
        assert_eq!(fill(&queue, 1_000), QUEUE_MAX);
        let (queue, mut waiting) = fresh();
        assert_eq!(fill(&queue, REQUEST_BYTES_MAX), QUEUE_BYTES_MAX / REQUEST_BYTES_MAX);
        drop(waiting.recv().await);
        assert!(queue.put(parcel(REQUEST_BYTES_MAX)).is_ok(), "what was delivered makes room");
    }
}
