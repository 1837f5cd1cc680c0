//! The hub at work: load, decide, commit; the only file that waits.
//!
//! Questions about tokens are reading transactions, so they cost no commit. What [`Hub::route`] answers with
//! [`Way::Kept`], [`Way::Everyone`] or a `hub_order` is on disk before.

mod evses;
mod news;
mod onboarding;
mod thrift;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use charge::id::{OrderId, PartyId};
use charge::talk::partner::{Declined, Reception};
use charge::talk::road::{
    ClientInfo, ClientNews, Denial, Envelope, Errand, Exchange, Fate, Gathered, LossRow, ObjectName, ObjectPage, Page,
    PageWish, Published, ReturnAddress, Way,
};
use charge::talk::thrift::Thrift;
use charge::token::PresentedToken;
use charge::{Clock, Dice, Secret, Soon, Timestamp};
use store::{Store, StoreError, Tx, outbox};
use tokio::sync::broadcast;
use trust::token_tag::{TagKey, TokenTag};

use crate::errand_name;
use crate::index::{Entry, Write};
use crate::ledger::{self, Lane, Ledger};
use crate::losses::LossBook;
use crate::memory::{clients, index, losses, orders, parties, public, thrift as switches, volumes};
use crate::party::{Party, PartyStatus, Role};
use crate::presence::Presence;
use crate::route::{self, Step};
use crate::views::{Conflict, HourPoint, Overview, RouteRow};

pub use thrift::MeasureView;

/// What makes one hub differ from another.
#[derive(Clone, Debug)]
pub struct Setup {
    pub party: PartyId,
    pub name: String,
    /// The key of the index. Whoever loses it has to have the index filled again.
    pub tag_key: Secret<[u8; 32]>,
}

/// Something that an open page may want to fetch again. Ids of parties and public objects only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A letter went this way.
    Route {
        from: PartyId,
        to: PartyId,
    },
    /// A location or tariff changed.
    Place {
        owner: PartyId,
    },
    Party(PartyId),
}

/// Why the hub could not do what a page or the binary asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HubFault {
    #[error("the hub's memory failed")]
    Store(#[from] StoreError),
    /// The sender's fault or the receiver's.
    #[error("the letter is refused")]
    Denied(Denial),
    /// What the front desk of the hub's door says to whoever asks about a partner.
    #[error(transparent)]
    Declined(#[from] Declined),
}

impl From<HubFault> for Denial {
    fn from(fault: HubFault) -> Self {
        match fault {
            HubFault::Store(StoreError::Overloaded { .. } | StoreError::Busy) => Self::Overloaded,
            HubFault::Store(error) => {
                tracing::error!(%error, "the hub's memory failed");
                Self::Internal
            }
            HubFault::Denied(denial) => denial,
            HubFault::Declined(_) => Self::Internal,
        }
    }
}

/// The hub. Clones are the same hub.
#[derive(Clone)]
pub struct Hub(Arc<Desk>);

struct Desk {
    party: PartyId,
    name: String,
    tags: TagKey,
    store: Store,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    ledger: Ledger,
    losses: LossBook,
    events: broadcast::Sender<Event>,
    reception: OnceLock<Arc<dyn Reception>>,
    thrift: thrift::Remembered,
    presence: Presence,
}

impl Hub {
    /// A hub over a store that has [`crate::MIGRATIONS`].
    pub fn new(setup: Setup, store: Store, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Self {
        let tags = TagKey::new(&setup.tag_key);
        let (events, _) = broadcast::channel(EVENTS_MAX);
        Self(Arc::new(Desk {
            party: setup.party,
            name: setup.name,
            tags,
            store,
            clock,
            dice,
            ledger: Ledger::default(),
            losses: LossBook::default(),
            events,
            reception: OnceLock::new(),
            thrift: thrift::Remembered::default(),
            presence: Presence::default(),
        }))
    }

    pub fn party(&self) -> PartyId {
        self.0.party
    }

    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What happens from now on. A receiver that falls behind misses events and fetches everything.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    /// Registers a party of the configuration in one role. What people have decided about it since stays.
    pub async fn expect_party(&self, party: PartyId, role: Role, name: &str) -> Result<(), HubFault> {
        let row = Party { party, role, name: name.to_owned(), status: PartyStatus::Connected, last_seen: None };
        let now = self.0.clock.now();
        let run = self.0.store.run::<_, HubFault>("hub.expect", move |tx| {
            clients::changing(tx, (party, now), |tx| Ok(parties::put_first(tx, &row)?))
        });
        run.await
    }

    /// Registers a party in one role, or changes its name and status.
    pub async fn register_party(
        &self,
        party: PartyId,
        role: Role,
        name: &str,
        status: PartyStatus,
    ) -> Result<(), HubFault> {
        let row = Party { party, role, name: name.to_owned(), status, last_seen: None };
        let now = self.0.clock.now();
        let run = self.0.store.run::<_, HubFault>("hub.register", move |tx| {
            clients::changing(tx, (party, now), |tx| Ok(parties::put(tx, &row)?))
        });
        run.await?;
        self.0.thrift.clear();
        self.tell(Event::Party(party));
        Ok(())
    }

    /// One round of what has to be done from time to time: write the counted volumes, forget what is over.
    pub async fn duty(&self) -> Result<(), HubFault> {
        let now = self.0.clock.now();
        // a partner's version may have changed without a word to this room
        self.0.thrift.clear();
        let batch = self.0.ledger.take();
        let rows: Vec<_> = batch.lanes.iter().map(|(lane, tally)| (*lane, *tally)).collect();
        let seen: Vec<_> = batch.seen.iter().map(|(party, at)| (*party, *at)).collect();
        let lost = self.0.losses.take();
        let left_behind = lost.clone();
        let written = self.0.store.run::<_, HubFault>("hub.duty", move |tx| {
            for (lane, tally) in &rows {
                volumes::add(tx, lane, *tally)?;
            }
            for (party, at) in seen {
                parties::seen(tx, party, at)?;
            }
            for (loss, tally) in &left_behind {
                losses::add(tx, loss, *tally)?;
            }
            orders::forget(tx, now)?;
            outbox::forget(tx, now.minus(NEWS_KEPT))?;
            switches::forget(tx, now)?;
            volumes::forget(tx, now.minus(VOLUMES_KEPT))?;
            losses::forget(tx, now.minus(VOLUMES_KEPT))?;
            Ok(())
        });
        let written = written.await;
        if written.is_err() {
            self.0.ledger.give_back(batch);
            self.0.losses.give_back(lost);
        }
        self.keep_presence(now).await?;
        written
    }

    pub async fn overview(&self) -> Result<Overview, HubFault> {
        let now = self.0.clock.now();
        let read = self.0.store.read::<_, HubFault>("hub.overview", move |tx| {
            let register = parties::all(tx)?;
            let count = |role| register.iter().filter(|row| row.role == role).count();
            let (letters_today, bytes_today, failures_today) = volumes::sum(tx, day(now))?;
            let mut distinct: Vec<_> = register.iter().map(|row| row.party).collect();
            distinct.sort_unstable();
            distinct.dedup();
            Ok(Overview {
                parties: distinct.len(),
                operators: count(Role::Operator),
                providers: count(Role::Provider),
                tokens_indexed: index::size(tx)?,
                letters_today,
                bytes_today,
                failures_today,
                history: volumes::series(tx, ledger::hour(now.minus(HISTORY)), None)?,
            })
        });
        read.await
    }

    pub async fn parties(&self) -> Result<Vec<Party>, HubFault> {
        self.0.store.read::<_, HubFault>("hub.parties", |tx| Ok(parties::all(tx)?)).await
    }

    /// The volumes of the last days, the busiest way first.
    pub async fn routes(&self) -> Result<Vec<RouteRow>, HubFault> {
        let since = ledger::hour(self.0.clock.now().minus(HISTORY));
        self.0.store.read::<_, HubFault>("hub.routes", move |tx| Ok(volumes::routes(tx, since)?)).await
    }

    /// Letters per hour of one pair and errand, in the last days.
    pub async fn route_series(&self, from: PartyId, to: PartyId, errand: &str) -> Result<Vec<HourPoint>, HubFault> {
        let since = ledger::hour(self.0.clock.now().minus(HISTORY));
        let (from, to, errand) = (from.to_string(), to.to_string(), errand.to_owned());
        let read = self
            .0
            .store
            .read::<_, HubFault>("hub.series", move |tx| Ok(volumes::series(tx, since, Some((&from, &to, &errand)))?));
        read.await
    }

    /// What letters left behind between parties of different protocols, the latest first.
    pub async fn losses(&self) -> Result<Vec<LossRow>, HubFault> {
        self.0.store.read::<_, HubFault>("hub.losses", |tx| Ok(losses::all(tx)?)).await
    }

    /// The lines of these parties, with what is counted and not written yet.
    async fn losses_of(&self, mut parties: Vec<PartyId>) -> Result<Vec<LossRow>, HubFault> {
        parties.sort_unstable();
        parties.dedup();
        let asked = parties.clone();
        let read = self.0.store.read::<_, HubFault>("hub.losses_of", move |tx| {
            let mut rows = Vec::new();
            for (index, party) in asked.iter().enumerate() {
                // a line between two of them is one line
                let told = |row: &LossRow| asked.iter().take(index).any(|other| [row.from, row.to].contains(other));
                rows.extend(losses::of(tx, *party)?.into_iter().filter(|row| !told(row)));
            }
            Ok(rows)
        });
        Ok(self.0.losses.beside(read.await?, &parties))
    }

    /// Which providers offered tokens that belong to another one.
    pub async fn conflicts(&self) -> Result<Vec<Conflict>, HubFault> {
        self.0.store.read::<_, HubFault>("hub.conflicts", |tx| Ok(index::conflicts(tx)?)).await
    }

    async fn find_way(
        &self,
        envelope: &Envelope,
        return_to: Option<ReturnAddress>,
        body: Option<Box<str>>,
    ) -> Result<Way, HubFault> {
        let hub = self.0.party;
        let tag = self.tag_of(&envelope.errand);
        let letter = envelope.clone();
        let now = self.0.clock.now();
        let read = self.0.store.read::<_, HubFault>("hub.route", move |tx| {
            let concerned = parties::of(tx, [letter.from, letter.to.unwrap_or(letter.from)])?;
            let step = route::decide(hub, &letter, &concerned).map_err(HubFault::Denied)?;
            look_up(tx, step, &letter, tag, now)
        });
        match read.await? {
            Found::Way(way) => Ok(way),
            Found::Order(to) => self.remember_order(envelope.from, to, return_to, now).await,
            Found::Publish(everyone) => self.publish(envelope, body, everyone, now).await,
            Found::Index { party, tag, valid } => self.index(party, tag, valid, now).await,
        }
    }

    async fn remember_order(
        &self,
        giver: PartyId,
        receiver: PartyId,
        return_to: Option<ReturnAddress>,
        now: Timestamp,
    ) -> Result<Way, HubFault> {
        let missing = || HubFault::Denied(Denial::Incomplete("the return address of the order".into()));
        let order =
            orders::Order { giver, receiver, return_to: return_to.ok_or_else(missing)?, expires: now.plus(ORDER_KEPT) };
        let hub_order = OrderId::new(self.0.dice.uuid()).map_err(|_| HubFault::Denied(Denial::Internal))?;
        let id = hub_order.clone();
        self.0.store.run::<_, HubFault>("hub.order", move |tx| Ok(orders::put(tx, &id, &order)?)).await?;
        Ok(Way::To { party: receiver, hub_order: Some(hub_order) })
    }

    async fn publish(
        &self,
        envelope: &Envelope,
        body: Option<Box<str>>,
        everyone: Vec<PartyId>,
        now: Timestamp,
    ) -> Result<Way, HubFault> {
        let errand = envelope.errand.clone();
        self.0
            .store
            .run::<_, HubFault>("hub.publish", move |tx| keep_public(tx, &errand, body.as_deref(), now))
            .await?;
        self.tell(Event::Place { owner: envelope.from });
        Ok(Way::Everyone(everyone))
    }

    async fn index(&self, party: PartyId, tag: TokenTag, valid: bool, now: Timestamp) -> Result<Way, HubFault> {
        let run = self.0.store.run::<_, HubFault>("hub.index", move |tx| {
            match crate::index::write(index::find(tx, tag)?, party, valid) {
                Write::Put => index::put(tx, tag, Entry { party, valid })?,
                Write::Stay => {}
                Write::Conflict => index::conflict(tx, party, day(now))?,
            }
            Ok(Way::Kept)
        });
        run.await
    }

    fn tag_of(&self, errand: &Errand) -> Option<TokenTag> {
        let (Errand::MayCharge { token } | Errand::Token { token, .. }) = errand else { return None };
        let PresentedToken { uid, kind } = token;
        Some(self.0.tags.tag(*kind, uid))
    }

    /// A letter of this party came in.
    fn seen(&self, party: PartyId) {
        let now = self.0.clock.now();
        self.0.ledger.seen(party, now);
        self.0.presence.note(party, true, now);
    }

    fn tell(&self, event: Event) {
        // nobody listening is no fault
        drop(self.0.events.send(event));
    }
}

impl Exchange for Hub {
    fn route(
        &self,
        envelope: Envelope,
        return_to: Option<ReturnAddress>,
        public: Option<Box<str>>,
    ) -> Soon<'_, Result<Way, Denial>> {
        Box::pin(async move {
            let way = self.find_way(&envelope, return_to, public).await.map_err(Denial::from);
            self.seen(envelope.from);
            // what ends here has no leg of its own that the door could tell about
            match &way {
                Ok(Way::Kept) => self.fared(&envelope, self.0.party, Fate::Delivered),
                Err(_) => self.fared(&envelope, self.0.party, Fate::Refused),
                Ok(Way::To { .. } | Way::Perhaps(_) | Way::Back { .. } | Way::Everyone(_)) => {}
            }
            way
        })
    }

    fn published(&self, asker: PartyId, kind: Published, wish: PageWish) -> Soon<'_, Result<Page<Box<str>>, Denial>> {
        Box::pin(async move {
            self.seen(asker);
            let read = self.0.store.read::<_, HubFault>("hub.published", move |tx| {
                known(tx, asker)?;
                Ok(public::page(tx, kind, wish)?)
            });
            read.await.map_err(Denial::from)
        })
    }

    fn published_one(
        &self,
        asker: PartyId,
        kind: Published,
        owner: Option<PartyId>,
        id: Box<str>,
    ) -> Soon<'_, Result<Box<str>, Denial>> {
        Box::pin(async move {
            let read = self.0.store.read::<_, HubFault>("hub.published.one", move |tx| {
                known(tx, asker)?;
                public::one(tx, kind, owner, &id)?.ok_or(HubFault::Denied(Denial::UnknownObject))
            });
            read.await.map_err(Denial::from)
        })
    }

    fn joined(&self, party: PartyId) -> Soon<'_, Result<(), Denial>> {
        Box::pin(async move { Ok(self.join(party).await?) })
    }

    fn clients(&self, asker: PartyId, wish: PageWish) -> Soon<'_, Result<Page<ClientInfo>, Denial>> {
        Box::pin(self.client_page(asker, wish))
    }

    fn senders(&self, to: PartyId, what: Gathered) -> Soon<'_, Result<Vec<PartyId>, Denial>> {
        Box::pin(async move {
            self.seen(to);
            let errand = match what {
                Gathered::Sessions => errand_name(&Errand::Session { owner: to }),
                Gathered::Cdrs => errand_name(&Errand::Cdr),
            };
            let read = self.0.store.read::<_, HubFault>("hub.senders", move |tx| {
                known(tx, to)?;
                Ok(volumes::senders(tx, to, errand)?)
            });
            Ok(read.await?)
        })
    }

    fn client_news(&self) -> Soon<'_, Result<Vec<ClientNews>, Denial>> {
        Box::pin(async move { Ok(self.take_news().await?) })
    }

    fn client_told(&self, number: i64, tries: i64, heard: bool) -> Soon<'_, Result<(), Denial>> {
        Box::pin(async move { Ok(self.put_news_back(number, tries, heard).await?) })
    }

    fn quiet(&self) -> Soon<'_, Result<Vec<PartyId>, Denial>> {
        Box::pin(async move { Ok(self.quiet_parties().await?) })
    }

    fn alive(&self, party: PartyId, alive: bool) {
        self.0.presence.note(party, alive, self.0.clock.now());
    }

    fn left(&self, party: PartyId) -> Soon<'_, Result<(), Denial>> {
        Box::pin(async move { Ok(self.party_left(party).await?) })
    }

    fn fared(&self, envelope: &Envelope, to: PartyId, fate: Fate) {
        let now = self.0.clock.now();
        if to != self.0.party {
            self.0.presence.note(to, matches!(fate, Fate::Delivered | Fate::Refused), now);
        }
        let hour = ledger::hour(now);
        let lane = Lane { from: envelope.from, to, errand: errand_name(&envelope.errand), hour };
        self.0.ledger.count(lane, envelope.bytes, fate);
        self.tell(Event::Route { from: envelope.from, to });
    }

    fn lost(&self, from: PartyId, to: PartyId, errand: &Errand, what: &[Box<str>]) {
        self.0.losses.note((from, to), errand_name(errand), what, self.0.clock.now());
    }

    fn published_after(&self, kind: Published, after: Option<ObjectName>) -> Soon<'_, Result<ObjectPage, Denial>> {
        Box::pin(async move {
            let read =
                self.0.store.read::<_, HubFault>("hub.published_after", move |tx| Ok(public::after(tx, kind, after)?));
            Ok(read.await?)
        })
    }

    fn losses(&self, parties: Vec<PartyId>) -> Soon<'_, Result<Vec<LossRow>, Denial>> {
        Box::pin(async move { Ok(self.losses_of(parties).await?) })
    }

    fn thrift(&self, party: PartyId) -> Soon<'_, Thrift> {
        Box::pin(self.kept_back(party))
    }

    fn learned(&self, token: PresentedToken, party: PartyId) -> Soon<'_, Result<(), Denial>> {
        Box::pin(self.remember_learned(token, party))
    }

    fn mark(&self, token: &PresentedToken) -> Option<String> {
        Some(trust::hex::encode(self.0.tags.tag(token.kind, &token.uid).as_bytes()))
    }

    fn marked(&self, mark: String) -> Soon<'_, Option<PartyId>> {
        Box::pin(async move {
            let tag = trust::hex::decode_array(&mark).map(TokenTag::from_bytes)?;
            self.owner_of_tag(tag).await
        })
    }

    fn owner(&self, token: PresentedToken) -> Soon<'_, Option<PartyId>> {
        Box::pin(self.owner_of(token))
    }
}

/// A way, or what has to be written before there is one.
enum Found {
    Way(Way),
    Order(PartyId),
    Publish(Vec<PartyId>),
    Index { party: PartyId, tag: TokenTag, valid: bool },
}

fn look_up(
    tx: &Tx<'_>,
    step: Step,
    letter: &Envelope,
    tag: Option<TokenTag>,
    now: Timestamp,
) -> Result<Found, HubFault> {
    match step {
        Step::Pass(party) => Ok(Found::Way(Way::To { party, hub_order: None })),
        Step::PassOrder(party) => Ok(Found::Order(party)),
        Step::Return => {
            let Errand::Outcome { hub_order } = &letter.errand else { return Err(HubFault::Denied(Denial::Internal)) };
            // an order of somebody else is answered like one that never was
            let order = orders::find(tx, hub_order, now)?.filter(|order| order.receiver == letter.from);
            let order = order.ok_or(HubFault::Denied(Denial::UnknownObject))?;
            Ok(Found::Way(Way::Back { party: order.giver, return_to: order.return_to }))
        }
        Step::FindOwner => {
            let tag = tag.ok_or(HubFault::Denied(Denial::Internal))?;
            let owner = match index::find(tx, tag)? {
                Some(held) => Some(held.party),
                None => switches::learned(tx, tag, now)?,
            };
            let Some(owner) = owner else {
                let perhaps = thrift::candidates(tx, letter.from, now.minus(HISTORY))?;
                let nobody = perhaps.is_empty();
                return if nobody {
                    Err(HubFault::Denied(Denial::UnknownToken))
                } else {
                    Ok(Found::Way(Way::Perhaps(perhaps)))
                };
            };
            let roles = parties::of(tx, [owner; 2])?;
            let party = route::reachable(owner, Role::Provider, &roles).map_err(HubFault::Denied)?;
            Ok(Found::Way(Way::To { party, hub_order: None }))
        }
        Step::Publish => {
            let told = |row: &&Party| {
                row.role == Role::Provider && row.status == PartyStatus::Connected && row.party != letter.from
            };
            Ok(Found::Publish(parties::all(tx)?.iter().filter(told).map(|row| row.party).collect()))
        }
        Step::Index => {
            let Errand::Token { valid, .. } = letter.errand else { return Err(HubFault::Denied(Denial::Internal)) };
            let tag = tag.ok_or(HubFault::Denied(Denial::Internal))?;
            Ok(Found::Index { party: letter.from, tag, valid })
        }
    }
}

/// Public objects are for parties of the network.
fn known(tx: &Tx<'_>, asker: PartyId) -> Result<(), HubFault> {
    let known = parties::of(tx, [asker; 2])?.iter().any(|row| row.status == PartyStatus::Connected);
    if known { Ok(()) } else { Err(HubFault::Denied(Denial::NotYours)) }
}

/// Keeps the latest body, which is the whole object. A status of a location that is not known here has none: it is
/// passed on and not kept.
fn keep_public(tx: &mut Tx<'_>, errand: &Errand, body: Option<&str>, now: Timestamp) -> Result<(), HubFault> {
    let missing = || HubFault::Denied(Denial::Incomplete("the object itself".into()));
    match errand {
        Errand::Location { owner, id, evse: None } => {
            let body = body.ok_or_else(missing)?;
            keep(tx, Published::Locations, (*owner, id.as_str()), body, now)?;
        }
        Errand::Location { owner, id, evse: Some(_) } => {
            if let Some(body) = body {
                keep(tx, Published::Locations, (*owner, id.as_str()), body, now)?;
            }
        }
        Errand::Tariff { owner, id, dropped: false } => {
            let body = body.ok_or_else(missing)?;
            keep(tx, Published::Tariffs, (*owner, id.as_str()), body, now)?;
        }
        Errand::Tariff { owner, id, dropped: true } => {
            public::drop_one(tx, Published::Tariffs, *owner, id.as_str())?;
        }
        Errand::MayCharge { .. }
        | Errand::Order(_)
        | Errand::Outcome { .. }
        | Errand::Session { .. }
        | Errand::Cdr
        | Errand::Token { .. }
        | Errand::Passing(_) => {}
    }
    Ok(())
}

/// One owner does not fill the hub: what is there may always be replaced.
fn keep(tx: &mut Tx<'_>, kind: Published, whose: (PartyId, &str), body: &str, now: Timestamp) -> Result<(), HubFault> {
    let kept = public::put(tx, kind, whose, body, (now, PUBLISHED_PER_OWNER_MAX))?;
    if kept { Ok(()) } else { Err(HubFault::Denied(Denial::Overloaded)) }
}

const fn day(at: Timestamp) -> Timestamp {
    Timestamp::from_secs(at.secs().div_euclid(86_400) * 86_400)
}

/// A hub keeps a return address this long: stations answer orders within minutes, and a late outcome of a start is
/// told by the session itself.
const ORDER_KEPT: Duration = Duration::from_secs(3_600);
/// Objects of one kind that an owner may publish: the largest operators of the continent have some hundred thousand
/// locations.
const PUBLISHED_PER_OWNER_MAX: i64 = 200_000;
/// What the pages show of volumes.
const HISTORY: Duration = Duration::from_secs(48 * 3_600);
/// Volumes are kept for a quarter, for settling questions between parties.
const VOLUMES_KEPT: Duration = Duration::from_secs(92 * 86_400);
/// That a party was told of another is remembered for a day.
const NEWS_KEPT: Duration = Duration::from_secs(86_400);
/// Events that a slow page may be behind before it has to fetch everything.
const EVENTS_MAX: usize = 1_024;
