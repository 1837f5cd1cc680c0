//! Where partners that do not speak OCPI come into a hub and are reached by it.
//!
//! [`Crossing::carry`] takes a letter that was read from another protocol, asks the exchange for the way, and brings
//! back what the receiver told, whatever that one speaks. It deliberately reads no protocol: see [`Speaker`].
//! Invariants: a letter has the same way and the same limits whatever it came in; an order has one outcome.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use charge::id::{LocationId, OrderId, PartyId};
use charge::place::Location;
use charge::talk::road::{
    Answer, Denial, Envelope, Errand, Exchange, Found, Letter, ObjectName, OrderAck, OrderKind, Page, PageWish,
    Passing, ProfileOrder, Published, Question, ReservationOrder, ReservationWish, StartOrder, Wanted, Way,
};
use charge::tariff::Tariff;
use charge::token::{Allowed, ContractId, PresentedToken, Verdict};
use charge::{Clock, Dice};
use ocpi::answer::{self, Answered};
use ocpi::ask::Asked;
use ocpi::cross::Beside;
use ocpi::wire::{Incoming, Reply, Target};
use ocpi::{Lost, Version, patch, status};
use tokio::sync::{Mutex, MutexGuard};

use super::across::{order_of, owned, reference_of};
use super::entrance::{Own, Threshold, bounded_whole, page_limit};
use super::fair::Fair;
use super::figures::Figures;
use super::limits::{FIRST_WORD_MAX, OUTCOME_WAIT_MAX, PERHAPS_TIME_MAX, RoadLimits};
use super::pace::Pace;
use super::partners::{Partners, Protocol};
use super::peers::PeerBook;
use super::relay::{Origin, Parcel, Relay, WayOut};
use super::running::Running;
use super::speaker::{Native, Speaker, Speakers, Told, denial_of};
use super::thrift::Spare;
use super::vault::Vault;
use super::waiting::Waiting;

/// The inside of a hub's door, where all protocols meet. Clones are the same crossing.
#[derive(Clone)]
pub struct Crossing {
    pub(crate) threshold: Arc<Threshold>,
    pub(crate) exchange: Arc<dyn Exchange>,
    pub(crate) relay: Arc<Relay>,
    pub(crate) parts: Arc<PartLocks>,
}

impl Crossing {
    pub fn new(
        own: Own,
        exchange: Arc<dyn Exchange>,
        peers: Arc<dyn PeerBook>,
        partners: Arc<Partners>,
        clock: Arc<dyn Clock>,
        dice: Arc<dyn Dice>,
        figures: Arc<Figures>,
    ) -> Self {
        let relay = Relay::new(WayOut {
            exchange: Arc::clone(&exchange),
            peers: Arc::clone(&peers),
            figures: Arc::clone(&figures),
            speakers: Speakers::new(partners),
            waiting: Waiting::default(),
            running: Running::default(),
            spare: Spare::default(),
            clock: Arc::clone(&clock),
            base: own.base.clone(),
            first_word: FIRST_WORD_MAX,
        });
        let fair = Fair::default();
        let threshold =
            Threshold { own, peers, clock, dice, figures, limits: RoadLimits::FORWARD, fair, pace: Pace::default() };
        Self { threshold: Arc::new(threshold), exchange, relay: Arc::new(relay), parts: Arc::default() }
    }

    /// With a stopwatch of its own.
    #[cfg(test)]
    pub(crate) fn paced(mut self, pace: Pace) -> Self {
        if let Some(threshold) = Arc::get_mut(&mut self.threshold) {
            threshold.pace = pace;
        }
        self
    }

    /// Partners of this protocol are reached through this speaker from now on.
    pub fn attach(&self, protocol: Protocol, speaker: Arc<dyn Speaker>) {
        self.relay.way().speakers.attach(protocol, speaker);
    }

    pub(crate) fn partners(&self) -> &Partners {
        self.relay.way().speakers.partners()
    }

    /// Where what is left out is kept sealed from now on.
    pub fn keep_in(&self, vault: Arc<Vault>) {
        self.relay.way().spare.attach(vault);
    }

    pub(crate) fn vault(&self) -> Option<Arc<Vault>> {
        self.relay.way().spare.vault().cloned()
    }

    /// What has to be done from time to time: tell what was put off until the night, forget what is over.
    pub async fn duty(&self) -> Result<(), Denial> {
        let now = self.threshold.now();
        self.threshold.peers.duty().await?;
        self.relay.way().look_around().await?;
        self.relay.way().night(now, &*self.threshold.dice).await?;
        match self.vault() {
            Some(vault) => Ok(vault.forget(now).await?),
            None => Ok(()),
        }
    }

    /// A word that did not come through this crossing, as the operator is to have it. One that did stays as it is.
    pub(crate) async fn named_for(&self, operator: PartyId, verdict: Verdict) -> Result<Verdict, Denial> {
        self.relay.way().named_for(operator, verdict).await
    }

    /// A record of an operator with its real contract. Whether it had another one.
    pub(crate) async fn real_contract(
        &self,
        operator: PartyId,
        contract: &ContractId,
    ) -> Result<Option<ContractId>, Denial> {
        self.relay.way().real_contract(operator, contract).await
    }

    /// The hub itself.
    pub fn party(&self) -> PartyId {
        self.threshold.own.party
    }

    /// A letter that came in from a partner that does not speak OCPI; `letter.from` is who proved to be it. What
    /// `Ok` acknowledges is kept here or at the receiver. For an order it waits for the outcome, at most
    /// [`OUTCOME_WAIT_MAX`]; one that comes later is told to the partner's [`Speaker`] under the order's own name.
    pub async fn carry(&self, letter: Letter, native: Option<Native>) -> Result<Told, Denial> {
        let (from, now) = (letter.from, self.threshold.now());
        self.threshold.fair.request(from, now)?;
        if !matches!(letter.question, Question::MayCharge { .. }) {
            return self.handle(letter, native).await;
        }
        self.threshold.fair.may_ask(from, now)?;
        let came = self.threshold.pace.came();
        let told = match self.handle(letter, native).await {
            // "nobody knows this token" is an answer to the question whether it may charge
            Err(Denial::UnknownToken) => Ok(Told::new(Answer::May(Verdict::bare(Allowed::Unknown)))),
            told => told,
        };
        let unknown = |told: &Told| matches!(&told.answer, Answer::May(verdict) if verdict.allowed == Allowed::Unknown);
        if told.as_ref().is_ok_and(unknown) {
            self.threshold.unknown_token(from);
        }
        let yes = |told: &Told| matches!(&told.answer, Answer::May(verdict) if verdict.allowed == Allowed::Yes);
        if !told.as_ref().is_ok_and(yes) {
            self.threshold.pace.hold_no(&*self.exchange, from, came).await;
        }
        told
    }

    /// What was left behind where this hub's own doors read a letter or wrote an answer: places and reasons, never
    /// values. `from` is whose document it was.
    pub fn lost(&self, from: PartyId, to: PartyId, errand: &Errand, what: &[Box<str>]) {
        self.exchange.lost(from, to, errand, what);
    }

    async fn handle(&self, letter: Letter, native: Option<Native>) -> Result<Told, Denial> {
        if let Some(answer) = self.own_answer(&letter).await? {
            return Ok(Told::new(answer));
        }
        owned(&letter.question, letter.from)?;
        let bytes = native.as_ref().map_or(0, |native| native.bytes.len());
        let (from, to, correlation) = (letter.from, letter.to, letter.correlation.clone());
        let envelope = Envelope { from, to, correlation, errand: errand(&letter)?, bytes };
        let _turn = match &letter.question {
            Question::PatchEvse { location, .. } => Some(self.parts.turn(from, location.as_str()).await),
            _whole => None,
        };
        let public = self.public(&letter).await?;
        let order = order_of(&letter.question).cloned();
        let way = self.exchange.route(envelope.clone(), order.as_ref().map(reference_of), public).await?;
        match way {
            Way::Kept => Ok(Told::new(Answer::Noted)),
            Way::To { party, hub_order } => self.to(party, hub_order, Origin { letter, native }, &envelope).await,
            Way::Perhaps(parties) => self.perhaps(parties, Origin { letter, native }, &envelope).await,
            Way::Back { party, return_to } => {
                let _place = self.threshold.fair.place(from, self.threshold.now())?;
                self.relay.way().back(party, &return_to, letter.question, &envelope).await?;
                Ok(Told { by: Some(party), ..Told::new(Answer::Noted) })
            }
            Way::Everyone(parties) => {
                for party in parties {
                    let origin = Origin { letter: letter.clone(), native: native.clone() };
                    let parcel = self.relay.way().parcel(&letter, party, envelope.clone())?;
                    self.relay.publish(party, Parcel { origin: Some(Box::new(origin)), ..parcel });
                }
                Ok(Told::new(Answer::Noted))
            }
        }
    }

    /// Nobody announced the card: one provider after the other, in words that name no place. Who knows it is asked once
    /// more with the document itself where that is its own tongue.
    async fn perhaps(&self, parties: Vec<PartyId>, origin: Origin, envelope: &Envelope) -> Result<Told, Denial> {
        let Question::MayCharge { token } = origin.letter.question.clone() else { return Err(Denial::Internal) };
        for party in parties {
            let bare = Origin { letter: origin.letter.clone(), native: None };
            let asked = tokio::time::timeout(PERHAPS_TIME_MAX, self.to(party, None, bare, envelope)).await;
            let Ok(Ok(told)) = asked else { continue };
            let Answer::May(verdict) = &told.answer else { continue };
            if matches!(verdict.allowed, Allowed::Unknown | Allowed::Unanswered) {
                continue;
            }
            self.exchange.learned(token, party).await?;
            let tongue = self.relay.way().speakers.protocol(party).map(Protocol::as_str);
            return match &origin.native {
                Some(native) if tongue == Some(native.tongue) => self.to(party, None, origin, envelope).await,
                Some(_) | None => Ok(told),
            };
        }
        Err(Denial::UnknownToken)
    }

    async fn to(
        &self,
        party: PartyId,
        hub_order: Option<OrderId>,
        origin: Origin,
        envelope: &Envelope,
    ) -> Result<Told, Denial> {
        let _place = self.threshold.fair.place(envelope.from, self.threshold.now())?;
        let Origin { letter, native } = origin;
        let order = order_of(&letter.question).cloned();
        let way = self.relay.way();
        let waiting = order.map(|order| way.waiting.place((letter.from, order)));
        let question = match (&waiting, hub_order) {
            (None, _) => letter.question,
            // the receiver knows the order by the hub's own reference
            (Some(_), Some(hub_order)) => renamed(letter.question, hub_order),
            (Some(_), None) => return Err(Denial::Internal),
        };
        let letter = Letter { to: Some(party), question, ..letter };
        if let Some(kept) = way.put_off_letter(party, &letter, envelope).await? {
            return Ok(kept);
        }
        let told = match way.speakers.of(party) {
            Some(speaker) => self.relay.speak(speaker, party, Origin { letter, native }, envelope).await?,
            None => self.ask(party, &letter, envelope).await?,
        };
        let Some(waiting) = waiting.filter(|_| told.outcome.is_none()) else { return Ok(told) };
        let Answer::Order { ack: OrderAck::Accepted { outcome_within_s }, .. } = told.answer else { return Ok(told) };
        let outcome = waiting.outcome(patience(outcome_within_s)).await;
        Ok(Told { outcome, ..told })
    }

    /// A peer that speaks OCPI.
    async fn ask(&self, party: PartyId, letter: &Letter, envelope: &Envelope) -> Result<Told, Denial> {
        let asked = Asked::of(&letter.question);
        let way = self.relay.way();
        let letter = &way.one_time(party, letter.clone()).await?;
        let parcel = way.parcel(letter, party, envelope.clone())?;
        let reply = self.relay.pass(party, parcel).await?;
        let beside = Beside { owner: Some(party), payer: Some(letter.from), ..Beside::default() };
        let read = answer::read(&asked, &reply, Answered { version: Version::V221, beside }).map_err(denial_of)?;
        way.lost(party, letter.from, &envelope.errand, &read.lost);
        // the answer went through the relay, which has left out what OCPI says; OICP says more
        way.spared_told(letter.from, &letter.question, Told { by: Some(party), ..Told::new(read.value) }).await
    }

    /// What the hub says itself: public lists and objects. It has no sessions, CDRs and tokens of its own.
    async fn own_answer(&self, letter: &Letter) -> Result<Option<Answer>, Denial> {
        let asked_here = letter.to.is_none_or(|to| to == self.threshold.own.party);
        let answer = match &letter.question {
            Question::Locations(wish) => self.list(letter, Published::Locations, *wish).await?,
            Question::Tariffs(wish) => self.list(letter, Published::Tariffs, *wish).await?,
            Question::Fetch(wanted) => match wanted {
                Wanted::Location { owner, id } => self.one(letter, Published::Locations, *owner, id.as_str()).await?,
                Wanted::Tariff { owner, id } => self.one(letter, Published::Tariffs, *owner, id.as_str()).await?,
                Wanted::Sessions(_) if asked_here => Answer::Found(Box::new(Found::Sessions(nothing()))),
                Wanted::Cdrs(_) if asked_here => Answer::Found(Box::new(Found::Cdrs(nothing()))),
                Wanted::Tokens(_) if asked_here => Answer::Found(Box::new(Found::Tokens(nothing()))),
                Wanted::Sessions(_)
                | Wanted::Cdrs(_)
                | Wanted::Tokens(_)
                | Wanted::Session { .. }
                | Wanted::Cdr { .. }
                | Wanted::Token { .. } => return Ok(None),
            },
            _to_somebody => return Ok(None),
        };
        Ok(Some(answer))
    }

    /// A location as it is kept here; `None` where it cannot be read.
    pub(crate) fn kept_location(&self, text: &str) -> Option<Location> {
        // whose it is makes no difference to how it is read
        let wanted = Wanted::Location { owner: self.party(), id: LocationId::new("-").ok()? };
        let reply = status::success_of_text(text, self.threshold.now());
        let read = answer::read(&Asked::of(&Question::Fetch(wanted)), &reply, own_words()).ok()?;
        match read.value {
            Answer::Found(found) => match *found {
                Found::Location(location) => Some(location),
                _another => None,
            },
            _another => None,
        }
    }

    /// A location that is kept here, for a party that may see it.
    pub(crate) async fn location(
        &self,
        asker: PartyId,
        owner: Option<PartyId>,
        id: &LocationId,
    ) -> Result<Option<Location>, Denial> {
        match self.exchange.published_one(asker, Published::Locations, owner, id.as_str().into()).await {
            Ok(text) => Ok(self.kept_location(&text)),
            Err(Denial::UnknownObject) => Ok(None),
            Err(denial) => Err(denial),
        }
    }

    /// A page of the locations that are kept here, behind this one, and the last one's name; `None`: there are no more. What
    /// cannot be read is passed over.
    pub(crate) async fn locations_after(
        &self,
        after: Option<ObjectName>,
    ) -> Result<Option<(Vec<Location>, ObjectName)>, Denial> {
        let Some((reply, last)) = self.kept_after(Published::Locations, after).await? else { return Ok(None) };
        let asked = Asked::of(&Question::Locations(PageWish::default()));
        match answer::read(&asked, &reply, own_words()).map_err(denial_of)?.value {
            Answer::Locations(page) => Ok(Some((page.items, last))),
            _no_list => Err(Denial::Internal),
        }
    }

    /// The same of tariffs.
    pub(crate) async fn tariffs_after(
        &self,
        after: Option<ObjectName>,
    ) -> Result<Option<(Vec<Tariff>, ObjectName)>, Denial> {
        let Some((reply, last)) = self.kept_after(Published::Tariffs, after).await? else { return Ok(None) };
        let asked = Asked::of(&Question::Tariffs(PageWish::default()));
        match answer::read(&asked, &reply, own_words()).map_err(denial_of)?.value {
            Answer::Tariffs(page) => Ok(Some((page.items, last))),
            _no_list => Err(Denial::Internal),
        }
    }

    /// By their names, and not by a count of those before: a page deep inside costs no more than the first.
    async fn kept_after(
        &self,
        kind: Published,
        after: Option<ObjectName>,
    ) -> Result<Option<(Reply, ObjectName)>, Denial> {
        let rows = self.exchange.published_after(kind, after).await?;
        let Some(last) = rows.last().map(|(name, _)| name.clone()) else { return Ok(None) };
        let texts: Vec<Box<str>> = rows.into_iter().map(|(_, text)| text).collect();
        Ok(Some((status::success_of_texts(&texts, self.threshold.now()), last)))
    }

    async fn list(&self, letter: &Letter, kind: Published, wish: PageWish) -> Result<Answer, Denial> {
        let wish = PageWish { limit: page_limit(wish.limit), ..wish };
        let page = self.exchange.published(letter.from, kind, wish).await?;
        let reply = status::success_of_texts(&page.items, self.threshold.now());
        let asked = Asked::of(&letter.question);
        let read = answer::read(&asked, &reply, own_words()).map_err(denial_of)?;
        let (own, fetch) = (self.threshold.own.party, Errand::Passing(Passing::Fetch));
        self.relay.way().lost(own, letter.from, &fetch, &read.lost);
        Ok(match read.value {
            Answer::Locations(read) => Answer::Locations(Page { total: page.total, next: page.next, ..read }),
            Answer::Tariffs(read) => Answer::Tariffs(Page { total: page.total, next: page.next, ..read }),
            _no_list => return Err(Denial::Internal),
        })
    }

    async fn one(&self, letter: &Letter, kind: Published, owner: PartyId, id: &str) -> Result<Answer, Denial> {
        let text = self.exchange.published_one(letter.from, kind, Some(owner), id.into()).await?;
        let reply = status::success_of_text(&text, self.threshold.now());
        let read = answer::read(&Asked::of(&letter.question), &reply, own_words()).map_err(denial_of)?;
        self.relay.way().lost(owner, letter.from, &Errand::Passing(Passing::Fetch), &read.lost);
        Ok(read.value)
    }

    /// The body of a public object in OCPI 2.2.1, to be kept for everybody.
    async fn public(&self, letter: &Letter) -> Result<Option<Box<str>>, Denial> {
        let text = match &letter.question {
            Question::PutLocation(location) => {
                answer::document(&Found::Location((**location).clone()), &mut Lost::new())?
            }
            Question::PutTariff(tariff) => answer::document(&Found::Tariff((**tariff).clone()), &mut Lost::new())?,
            // a status of a location that is not known here is passed on all the same
            Question::PatchEvse { location, .. } => match self.merged(letter, location.as_str()).await {
                Ok(text) => text,
                Err(Denial::UnknownObject) => return Ok(None),
                Err(denial) => return Err(denial),
            },
            _private => return Ok(None),
        };
        Ok(Some(text.into()))
    }

    /// The kept location with the status laid over it.
    async fn merged(&self, letter: &Letter, location: &str) -> Result<String, Denial> {
        let (from, own) = (letter.from, self.threshold.own.party);
        let kept = self.exchange.published_one(from, Published::Locations, Some(from), location.into()).await?;
        let envelope =
            Envelope { from, to: None, correlation: letter.correlation.clone(), errand: errand(letter)?, bytes: 0 };
        let change = self.relay.way().parcel(letter, own, envelope)?;
        let Target::Endpoint { module, side, rest } = &change.target else { return Err(Denial::Internal) };
        let incoming = Incoming::new(change.version, change.method, (*module, *side), rest, &change.query)?;
        patch::merged(&kept, &incoming, &change.body.unwrap_or_default(), self.threshold.now()).and_then(bounded_whole)
    }
}

const fn own_words() -> Answered<'static> {
    Answered { version: Version::V221, beside: Beside { owner: None, payer: None, place: None, asked: None } }
}

const fn nothing<T>() -> Page<T> {
    Page { items: Vec::new(), total: 0, next: None, complaints: Vec::new() }
}

/// As long as the receiver says that it may take, and no longer than the giver waits. Some say nothing.
fn patience(outcome_within_s: u32) -> Duration {
    match outcome_within_s {
        0 => OUTCOME_WAIT_MAX,
        seconds => Duration::from_secs(seconds.into()).min(OUTCOME_WAIT_MAX),
    }
}

/// The order under another name, without a return address: it is made from the name.
fn renamed(question: Question, order: OrderId) -> Question {
    match question {
        Question::Start(start) => Question::Start(StartOrder { order, return_to: None, ..start }),
        Question::Stop { session, .. } => Question::Stop { order, return_to: None, session },
        Question::Unlock { location, evse, connector, .. } => {
            Question::Unlock { order, return_to: None, location, evse, connector }
        }
        Question::Reservation(wish) => Question::Reservation(ReservationOrder { order, return_to: None, ..wish }),
        Question::Profile(wish) => Question::Profile(ProfileOrder { order, return_to: None, ..wish }),
        no_order => no_order,
    }
}

/// What a hub sees of a letter.
fn errand(letter: &Letter) -> Result<Errand, Denial> {
    let owner = letter.from;
    Ok(match &letter.question {
        Question::MayCharge { token } => Errand::MayCharge { token: token.clone() },
        Question::Start(_) => Errand::Order(OrderKind::Start),
        Question::Stop { .. } => Errand::Order(OrderKind::Stop),
        Question::Unlock { .. } => Errand::Order(OrderKind::Unlock),
        Question::Reservation(order) => match order.wish {
            ReservationWish::Make { .. } => Errand::Order(OrderKind::Reserve),
            ReservationWish::Cancel => Errand::Order(OrderKind::CancelReservation),
        },
        Question::Profile(_) => Errand::Order(OrderKind::Profile),
        Question::Plan { .. } => Errand::Passing(Passing::Plan),
        Question::Booking(_) => Errand::Passing(Passing::Booking),
        Question::Outcome { order, .. } | Question::ProfileOutcome { order, .. } => {
            Errand::Outcome { hub_order: order.clone().ok_or_else(|| Denial::Incomplete("the order".into()))? }
        }
        Question::PutSession(_) => Errand::Session { owner },
        Question::PostCdr(_) => Errand::Cdr,
        Question::PutLocation(location) => Errand::Location { owner, id: location.id.clone(), evse: None },
        Question::PatchEvse { location, evse, .. } => {
            Errand::Location { owner, id: location.clone(), evse: Some(evse.clone()) }
        }
        Question::PutTariff(tariff) => Errand::Tariff { owner, id: tariff.id.clone(), dropped: false },
        Question::DropTariff(id) => Errand::Tariff { owner, id: id.clone(), dropped: true },
        Question::PutToken(token) => {
            let presented = PresentedToken { uid: token.uid.clone(), kind: token.kind };
            Errand::Token { owner, token: presented, valid: token.valid }
        }
        Question::Fetch(_) => Errand::Passing(Passing::Fetch),
        Question::Locations(_) | Question::Tariffs(_) => return Err(Denial::NotSupported),
    })
}

/// Changes of parts of one location or tariff go one after the other: each reads what the one before it wrote.
pub(crate) struct PartLocks([Mutex<()>; PART_LOCKS]);

/// Locations that are changed in part at the same time rarely share a lock of so many.
const PART_LOCKS: usize = 64;

impl Default for PartLocks {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}

impl PartLocks {
    pub(crate) async fn turn(&self, owner: PartyId, id: &str) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        (owner, id.to_ascii_lowercase()).hash(&mut hasher);
        let [first, ..] = &self.0;
        let at = usize::try_from(hasher.finish() % PART_LOCKS as u64).unwrap_or_default();
        self.0.get(at).unwrap_or(first).lock().await
    }
}
