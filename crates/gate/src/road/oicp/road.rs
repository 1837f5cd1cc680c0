//! A party of ours at a broker of somebody else: its letters go out as OICP.
//!
//! The words have orders with an outcome that comes later, OICP has answers: an outgoing order is acknowledged at once and
//! its outcome told to the desk when the broker has answered; the outcome of an order that came in is handed to the
//! request that waits for it ([`super::party`]). Deliberately without a database: what it remembers (places, products, the
//! EVSE of a session) the broker can be asked for again. Invariant: an order has one outcome.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use charge::clock::Clock;
use charge::id::{OrderId, PartyId};
use charge::money::Currency;
use charge::record::Cdr;
use charge::talk::road::{Answer, Denial, Letter, OrderAck, OrderResult, Question, Road, RoadDesk, RoadFault};
use charge::tariff::Tariff;
use charge::{Soon, Timestamp};
use oicp::bridge::ask::{Toward, requests};
use oicp::bridge::{Beside, Places, Rates, answer, tariff};
use oicp::{Operation, Version};

use super::agreed::{only, priced};
use super::broker::Pricing;
use super::index::Index;
use super::pending::pending;
use super::wire::{Answered, Wire};
use crate::road::across::{order_of, reference};
use crate::road::limits::OUTCOME_WAIT_MAX;
use crate::road::partners::Partner;
use crate::road::waiting::Waiting;

/// Sessions of which the EVSE and the operator's name are remembered for a stop: those of a busy day. The oldest make room.
const SESSIONS_REMEMBERED: usize = 100_000;

/// What a party at a broker is made of.
pub struct Member {
    pub own: PartyId,
    pub version: Version,
    /// The broker: its addresses, its certificate.
    pub broker: Arc<Partner>,
    /// Trusts the broker's authority and shows our certificate.
    pub tls: Arc<rustls::ClientConfig>,
    pub pricing: Arc<dyn Pricing>,
    pub clock: Arc<dyn Clock>,
    pub hotline: String,
    pub currency: Currency,
    /// Prices that a provider agreed with operators beside the broker.
    pub agreed: Vec<Tariff>,
}

/// The road of one party through one broker. Clones are the same one.
#[derive(Clone)]
pub struct BrokerRoad(pub(super) Arc<Inside>);

pub(super) struct Inside {
    pub(super) member: Member,
    pub(super) wire: Wire,
    pub(super) index: Index,
    pub(super) waiting: Waiting,
    desk: OnceLock<Arc<dyn RoadDesk>>,
    sessions: Mutex<Sessions>,
    products: Mutex<HashMap<(PartyId, String), Tariff>>,
    /// When the last visit began that came to its end (see [`super::visit`]).
    pub(super) visited: Mutex<Option<Timestamp>>,
}

/// What is known of sessions, by the broker's ids of them.
#[derive(Default)]
struct Sessions {
    known: HashMap<String, Known>,
    order: VecDeque<String>,
}

#[derive(Clone, Default)]
struct Known {
    evse: Option<String>,
    /// What the operator calls it.
    own: Option<String>,
}

impl BrokerRoad {
    pub fn new(member: Member) -> Result<Self, crate::road::neighbour::PeerFault> {
        let wire = Wire::new(member.version, Arc::clone(&member.broker), &member.tls)?;
        let (index, waiting, desk) = (Index::default(), Waiting::default(), OnceLock::new());
        let (sessions, products, visited) = (Mutex::default(), Mutex::default(), Mutex::default());
        Ok(Self(Arc::new(Inside { member, wire, index, waiting, desk, sessions, products, visited })))
    }

    /// Who hears the outcomes of our orders. Set once, when the party's room is there.
    pub fn attach(&self, desk: Arc<dyn RoadDesk>) {
        // a second desk would be a mistake of the wiring, and the first one keeps its orders
        if self.0.desk.set(desk).is_err() {
            tracing::error!("a party at a broker has a desk already");
        }
    }

    pub(super) fn desk(&self) -> Result<Arc<dyn RoadDesk>, RoadFault> {
        self.0.desk.get().cloned().ok_or(RoadFault::NoRoad)
    }

    pub(super) fn remember(&self, session: &str, evse: &str) {
        self.note(session, |known| known.evse = Some(evse.to_owned()));
    }

    fn note(&self, session: &str, change: impl FnOnce(&mut Known)) {
        let session = session.to_ascii_lowercase();
        let mut sessions = self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if !sessions.known.contains_key(&session) {
            sessions.order.push_back(session.clone());
        }
        change(sessions.known.entry(session).or_default());
        while sessions.order.len() > SESSIONS_REMEMBERED {
            if let Some(oldest) = sessions.order.pop_front() {
                sessions.known.remove(&oldest);
            }
        }
    }

    fn known(&self, session: &str) -> Known {
        let sessions = self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.known.get(&session.to_ascii_lowercase()).cloned().unwrap_or_default()
    }

    /// What we, the operator, call a session of the broker's.
    pub(super) fn own_name(&self, session: &str) -> Option<String> {
        self.known(session).own
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.member.clock.now()
    }

    pub(super) fn beside(&self) -> Beside<'_> {
        Beside {
            now: self.now(),
            places: &self.0.index,
            rates: self,
            currency: self.0.member.currency,
            payer: None,
            hotline: &self.0.member.hotline,
        }
    }

    async fn carry(&self, letter: Letter) -> Result<Answer, RoadFault> {
        match &letter.question {
            Question::Outcome { return_to, result, .. } => {
                let order = return_to.as_ref().and_then(reference).ok_or(RoadFault::NoRoad)?;
                let told = self.0.waiting.tell(&(self.0.member.own, order), *result);
                return if told { Ok(Answer::Noted) } else { Err(RoadFault::Denied(Denial::UnknownObject)) };
            }
            Question::PutLocation(location) => self.0.index.put((**location).clone()),
            Question::PatchEvse { location, evse, status, at } => {
                self.0.index.status(letter.from, location, evse, *status, *at);
            }
            Question::PutSession(session) => {
                if let Some(reference) = &session.reference {
                    self.note(reference.as_str(), |known| known.own = Some(session.id.as_str().to_owned()));
                }
            }
            _other => {}
        }
        match order_of(&letter.question).cloned() {
            Some(order) => self.order(order, letter),
            None => self.exchange(&letter).await.map(|told| told.answer),
        }
    }

    /// An order is on its way; its outcome comes to the desk.
    fn order(&self, order: OrderId, letter: Letter) -> Result<Answer, RoadFault> {
        let desk = self.desk()?;
        let road = self.clone();
        tokio::spawn(async move {
            let (result, session) = match road.exchange(&letter).await {
                Ok(told) => (told.outcome.unwrap_or(OrderResult::Failed), told.session),
                Err(RoadFault::TimedOut) => (OrderResult::TimedOut, None),
                Err(RoadFault::Denied(Denial::NotSupported)) => (OrderResult::NotSupported, None),
                Err(_) => (OrderResult::Failed, None),
            };
            let question = Question::Outcome { order: Some(order), return_to: None, result, message: None };
            let from = letter.to.unwrap_or(road.0.member.broker.party);
            let begun = road.begun(from, &letter, session.filter(|_| result == OrderResult::Accepted));
            let said =
                |question| Letter { from, to: Some(letter.from), correlation: letter.correlation.clone(), question };
            for question in [Some(question), begun].into_iter().flatten() {
                if let Err(denial) = desk.hear(said(question)).await {
                    tracing::info!(?denial, "what became of an order did not arrive");
                }
            }
        });
        let outcome_within_s = u32::try_from(OUTCOME_WAIT_MAX.as_secs()).unwrap_or(u32::MAX);
        Ok(Answer::Order { ack: OrderAck::Accepted { outcome_within_s }, message: None })
    }

    /// The session that a start began, for whoever started it.
    fn begun(&self, operator: PartyId, letter: &Letter, session: Option<String>) -> Option<Question> {
        let Question::Start(start) = &letter.question else { return None };
        let at = (self.0.member.currency, self.now());
        pending(&self.0.index, (operator, letter.from), start, &session?, at).map(Question::PutSession)
    }

    pub(super) async fn exchange(&self, letter: &Letter) -> Result<answer::Told, RoadFault> {
        let evse = match &letter.question {
            Question::Stop { session, .. } => self.known(session.as_str()).evse,
            Question::Reservation(order) => self.known(&order.reservation).evse,
            _other => None,
        };
        let toward = Toward { session: None, evse: evse.as_deref() };
        let written = requests(&letter.question, letter.from, toward, &self.beside()).map_err(RoadFault::Denied)?;
        let mut told = answer::Told { answer: Answer::Noted, outcome: None, session: None, partner: None };
        for request in &written.value {
            let query = page_of(&letter.question);
            let Answered { reply, lost, .. } = self.0.wire.ask(request, letter.from, None, &query).await?;
            let read = answer::read(&letter.question, &reply.value, &self.beside())?;
            for loss in written.lost.iter().chain(&lost).chain(&reply.lost).chain(&read.lost) {
                tracing::debug!(%loss, "lost on the road");
            }
            told = read.value;
            if let Answer::Locations(page) = &mut told.answer {
                let items = std::mem::take(&mut page.items).into_iter();
                page.items = items.map(|location| priced(&self.0.member.agreed, location)).collect();
            }
            if let (Operation::RemoteStart | Operation::ReservationStart, Some(session)) =
                (request.operation, &told.session)
            {
                self.remember(session, request.body.text("EvseID").unwrap_or_default());
            }
        }
        match &told.answer {
            Answer::Locations(page) => page.items.iter().cloned().for_each(|location| self.0.index.put(location)),
            Answer::Tariffs(page) => {
                let mut products = self.0.products.lock().unwrap_or_else(PoisonError::into_inner);
                let named = |tariff: &Tariff| ((tariff.party, tariff.id.as_str().to_owned()), tariff.clone());
                products.extend(page.items.iter().map(named));
            }
            _other => {}
        }
        Ok(told)
    }
}

/// The page that an offset is on: OICP counts pages.
fn page_of(question: &Question) -> String {
    let (Question::Locations(wish) | Question::Tariffs(wish)) = question else { return String::new() };
    let size = if wish.limit == 0 { answer::PAGE_SIZE_DEFAULT } else { wish.limit };
    format!("?page={}&size={size}", wish.offset / size)
}

/// A CDR is rated by the product that it names, as the broker told it or as it was agreed; one that names none by the
/// only agreement with its operator.
impl Rates for BrokerRoad {
    fn rate(&self, product: Option<&str>, unrated: Cdr) -> Option<Cdr> {
        let agreed = &self.0.member.agreed;
        let tariff = match product {
            Some(product) => {
                let id = tariff::tariff_id(product)?;
                let name = (unrated.party, id.as_str().to_owned());
                let told = self.0.products.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
                told.or_else(|| agreed.iter().find(|each| (each.party, &each.id) == (name.0, &id)).cloned())?
            }
            None => only(agreed, unrated.party)?.clone(),
        };
        let place = self.0.index.by_id(&unrated.place.evse_id)?;
        self.0.member.pricing.priced(&tariff, &place.location.time_zone, unrated)
    }
}

impl Road for BrokerRoad {
    fn ask(&self, letter: Letter) -> Soon<'_, Result<Answer, RoadFault>> {
        Box::pin(self.carry(letter))
    }
}
