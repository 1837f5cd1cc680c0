//! A room of ours with OCHPdirect: an operator that direct providers start sessions at, a provider that starts them at
//! direct operators.
//!
//! It stands behind a hub of its own in its own process, which has one party: the same server, the same client, and this
//! exchange, whose every way leads to the desk or to a direct partner. Deliberately no public objects but the desk's own
//! and those that were fetched from a clearing house. Invariant: nobody is let through to anybody else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use charge::id::{OrderId, PartyId};
use charge::place::Location;
use charge::talk::road::evses::EvseIndex;
use charge::talk::road::{
    Answer, ClientInfo, ClientStatus, Denial, Envelope, Errand, Exchange, Fate, Found, Letter, LossRow, ObjectName,
    ObjectPage, Page, PageWish, Published, Question, ReturnAddress, Road, RoadDesk, RoadFault, Wanted, Way,
};
use charge::{Clock, Dice, Soon, Timestamp};
use ocpi::Version;
use ocpi::answer::document;
use ocpi::credentials::Role;

use super::super::crossing::Crossing;
use super::super::entrance::Own;
use super::super::figures::Figures;
use super::super::partners::{Partner, Partners, Protocol};
use super::super::peers::Peers;
use super::super::speaker::{Native, Speaker, Told};
use super::house::{House, Keys, speaks_ochp};
use super::kept::KeptFault;

/// Orders whose outcome may still come.
const ORDERS_MAX: usize = 10_000;
/// The protocol under which the room itself stands in its own register: none of OCHP's.
const OURSELVES: Protocol = Protocol::Ocpi(Version::V221);

/// A room with OCHPdirect.
pub struct DirectRoom {
    crossing: Crossing,
    house: Arc<House>,
    alone: Arc<Alone>,
}

/// Why a room cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum RoomFault {
    #[error(transparent)]
    Kept(#[from] KeptFault),
    #[error(transparent)]
    Book(#[from] super::super::book::BookFault),
}

/// What a room is made of.
pub struct Room {
    pub own: Own,
    pub desk: Arc<dyn RoadDesk>,
    /// The direct partners; the room stands among them as itself.
    pub partners: Arc<Partners>,
    pub store: store::Store,
    pub keys: Keys,
    /// Whom we believe partners' servers to be.
    pub tls: Arc<rustls::ClientConfig>,
    pub clock: Arc<dyn Clock>,
    pub dice: Arc<dyn Dice>,
}

impl DirectRoom {
    pub async fn open(room: Room) -> Result<Self, RoomFault> {
        let party = room.own.party;
        let ourselves = Partner {
            party,
            name: room.own.name.clone(),
            roles: vec![room.own.role],
            protocol: OURSELVES,
            addresses: Vec::new(),
            login: None,
            entry: None,
            certificate: None,
            roots_pem: None,
            local: false,
        };
        room.partners.put(ourselves).await?;
        let alone = Arc::new(Alone {
            party,
            desk: Arc::clone(&room.desk),
            partners: Arc::clone(&room.partners),
            dice: Arc::clone(&room.dice),
            clock: Arc::clone(&room.clock),
            orders: Mutex::default(),
            foreign: RwLock::default(),
        });
        let (peers, figures) = (Arc::new(Peers::new()), Arc::new(Figures::default()));
        let exchange: Arc<dyn Exchange> = alone.clone();
        let partners = Arc::clone(&room.partners);
        let crossing = Crossing::new(room.own, exchange, peers, partners, room.clock, room.dice, figures);
        crossing.attach(OURSELVES, Arc::new(AtTheDesk(room.desk)));
        let house = House::open(&crossing, room.partners, room.store, room.keys, room.tls)?;
        Ok(Self { crossing, house, alone })
    }

    /// The server behind which the room stands.
    pub fn house(&self) -> &Arc<House> {
        &self.house
    }

    /// The places of direct operators, as a clearing house tells them.
    pub fn know(&self, places: Vec<Location>) {
        *self.alone.foreign.write().unwrap_or_else(PoisonError::into_inner) = places;
    }

    /// Whether this party is a direct partner.
    pub fn reaches(&self, party: PartyId) -> bool {
        self.alone.partners.find(party).is_some_and(|known| speaks_ochp(known.protocol))
    }

    async fn carry(&self, letter: Letter) -> Result<Answer, RoadFault> {
        let letter = Letter { question: named(letter.question), ..letter };
        let (from, order) = (letter.from, super::super::across::order_of(&letter.question).cloned());
        let (to, correlation) = (letter.to, letter.correlation.clone());
        let told = self.crossing.carry(letter, None).await.map_err(RoadFault::Denied)?;
        if let (Some(result), Some(order), Some(operator)) = (told.outcome, order, to) {
            // the room hears of the outcome as it does on every other road: in a letter of its own
            let question = Question::Outcome { order: Some(order), return_to: None, result, message: None };
            let letter = Letter { from: operator, to: Some(from), correlation, question };
            let desk = Arc::clone(&self.alone.desk);
            tokio::spawn(async move {
                if let Err(denial) = desk.hear(letter).await {
                    tracing::info!(?denial, "the outcome of an order is not taken");
                }
            });
        }
        Ok(told.answer)
    }
}

impl Road for DirectRoom {
    /// An operator's sessions and outcomes, a provider's orders. Whatever else has no place in OCHPdirect.
    fn ask(&self, letter: Letter) -> Soon<'_, Result<Answer, RoadFault>> {
        Box::pin(self.carry(letter))
    }
}

/// The room itself, as a partner of its own exchange.
struct AtTheDesk(Arc<dyn RoadDesk>);

impl Speaker for AtTheDesk {
    fn speak(&self, _to: PartyId, letter: Letter, _native: Option<Native>) -> Soon<'_, Result<Told, RoadFault>> {
        Box::pin(async move { self.0.hear(with_address(letter)).await.map(Told::new).map_err(RoadFault::Denied) })
    }
}

/// Rooms send outcomes to an address: here it is the name of the order.
fn with_address(letter: Letter) -> Letter {
    let address = |order: &OrderId| Some(ReturnAddress(order.as_str().to_owned()));
    let question = match letter.question {
        Question::Start(mut start) => {
            start.return_to = address(&start.order);
            Question::Start(start)
        }
        Question::Stop { order, session, .. } => Question::Stop { return_to: address(&order), order, session },
        Question::Reservation(mut wish) => {
            wish.return_to = address(&wish.order);
            Question::Reservation(wish)
        }
        other => other,
    };
    Letter { question, ..letter }
}

/// An outcome by the order that its address names.
fn named(question: Question) -> Question {
    match question {
        Question::Outcome { order: None, return_to: Some(address), result, message } => {
            Question::Outcome { order: OrderId::new(address.0).ok(), return_to: None, result, message }
        }
        other => other,
    }
}

struct Alone {
    party: PartyId,
    desk: Arc<dyn RoadDesk>,
    partners: Arc<Partners>,
    dice: Arc<dyn Dice>,
    clock: Arc<dyn Clock>,
    orders: Mutex<HashMap<OrderId, (PartyId, ReturnAddress)>>,
    foreign: RwLock<Vec<Location>>,
}

impl Alone {
    fn find(&self, envelope: &Envelope, return_to: Option<ReturnAddress>) -> Result<Way, Denial> {
        let other = |party: PartyId| self.partners.find(party).filter(|known| speaks_ochp(known.protocol)).is_some();
        let ours = envelope.from == self.party;
        let to = match envelope.to {
            Some(to) if ours && other(to) => to,
            Some(to) if !ours && to == self.party => to,
            None if !ours => self.party,
            Some(_) | None => return self.back(envelope),
        };
        match &envelope.errand {
            Errand::Order(_) => {
                let hub_order = OrderId::new(self.dice.uuid()).map_err(|_| Denial::Internal)?;
                let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
                if orders.len() >= ORDERS_MAX {
                    orders.clear();
                }
                orders.insert(hub_order.clone(), (envelope.from, return_to.ok_or(Denial::Internal)?));
                Ok(Way::To { party: to, hub_order: Some(hub_order) })
            }
            Errand::Outcome { .. } => self.back(envelope),
            Errand::Location { .. } | Errand::Tariff { .. } | Errand::Token { .. } => Err(Denial::NotSupported),
            Errand::MayCharge { .. } | Errand::Session { .. } | Errand::Cdr | Errand::Passing(_) => {
                Ok(Way::To { party: to, hub_order: None })
            }
        }
    }

    /// The outcome of an order, to whoever gave it.
    fn back(&self, envelope: &Envelope) -> Result<Way, Denial> {
        let Errand::Outcome { hub_order } = &envelope.errand else { return Err(Denial::UnknownReceiver) };
        let given = self.orders.lock().unwrap_or_else(PoisonError::into_inner).remove(hub_order);
        let (party, return_to) = given.ok_or(Denial::UnknownObject)?;
        Ok(Way::Back { party, return_to })
    }

    /// Our own location from the desk, another one as it was fetched.
    async fn place(&self, owner: Option<PartyId>, id: &str) -> Result<Location, Denial> {
        if owner.is_none_or(|owner| owner == self.party) {
            let id = id.parse().map_err(|_| Denial::UnknownObject)?;
            let question = Question::Fetch(Wanted::Location { owner: self.party, id });
            return match self.desk.hear(self.letter(question)?).await? {
                Answer::Found(found) => match *found {
                    Found::Location(location) => Ok(location),
                    _other => Err(Denial::Internal),
                },
                _other => Err(Denial::Internal),
            };
        }
        let foreign = self.foreign.read().unwrap_or_else(PoisonError::into_inner);
        let found = foreign.iter().find(|place| Some(place.party) == owner && place.id.as_str() == id);
        found.cloned().ok_or(Denial::UnknownObject)
    }

    async fn places(&self, wish: PageWish) -> Result<Page<Location>, Denial> {
        match self.desk.hear(self.letter(Question::Locations(wish))?).await {
            Ok(Answer::Locations(page)) => Ok(page),
            // a provider has none
            Ok(_) | Err(Denial::NotSupported) => {
                let foreign = self.foreign.read().unwrap_or_else(PoisonError::into_inner).clone();
                let total = u32::try_from(foreign.len()).unwrap_or(u32::MAX);
                Ok(Page { items: foreign, total, next: None, complaints: Vec::new() })
            }
            Err(denial) => Err(denial),
        }
    }

    fn letter(&self, question: Question) -> Result<Letter, Denial> {
        let correlation = charge::id::CorrelationId::new(self.dice.uuid()).map_err(|_| Denial::Internal)?;
        Ok(Letter { from: self.party, to: None, correlation, question })
    }
}

fn text(location: Location) -> Result<Box<str>, Denial> {
    document(&Found::Location(location), &mut ocpi::Lost::new()).map(Into::into)
}

impl EvseIndex for Alone {}

impl Exchange for Alone {
    fn route(
        &self,
        envelope: Envelope,
        return_to: Option<ReturnAddress>,
        _public: Option<Box<str>>,
    ) -> Soon<'_, Result<Way, Denial>> {
        Box::pin(async move { self.find(&envelope, return_to) })
    }

    fn published(&self, _asker: PartyId, kind: Published, wish: PageWish) -> Soon<'_, Result<Page<Box<str>>, Denial>> {
        Box::pin(async move {
            if kind != Published::Locations {
                return Err(Denial::NotSupported);
            }
            let page = self.places(wish).await?;
            let items = page.items.into_iter().map(text).collect::<Result<_, _>>()?;
            Ok(Page { items, total: page.total, next: page.next, complaints: page.complaints })
        })
    }

    fn published_one(
        &self,
        _asker: PartyId,
        kind: Published,
        owner: Option<PartyId>,
        id: Box<str>,
    ) -> Soon<'_, Result<Box<str>, Denial>> {
        Box::pin(async move {
            if kind != Published::Locations {
                return Err(Denial::NotSupported);
            }
            self.place(owner, &id).await.and_then(text)
        })
    }

    /// The room, for everybody else.
    fn clients(&self, _asker: PartyId, _wish: PageWish) -> Soon<'_, Result<Page<ClientInfo>, Denial>> {
        let last_updated: Timestamp = self.clock.now();
        let roles = self.partners.find(self.party).map(|own| own.roles.clone()).unwrap_or_default();
        let client = |role: Role| {
            let (role, status) = (role.as_str().into(), ClientStatus::Connected);
            ClientInfo { party: self.party, role, status, last_updated }
        };
        let items: Vec<ClientInfo> = roles.into_iter().map(client).collect();
        let total = u32::try_from(items.len()).unwrap_or(u32::MAX);
        Box::pin(async move { Ok(Page { items, total, next: None, complaints: Vec::new() }) })
    }

    fn fared(&self, envelope: &Envelope, to: PartyId, fate: Fate) {
        tracing::debug!(from = %envelope.from, %to, ?fate, "direct letter");
    }

    /// Nobody joins here: the partners are those that the room's owner wrote down.
    fn joined(&self, _party: PartyId) -> Soon<'_, Result<(), Denial>> {
        Box::pin(async { Err(Denial::NotSupported) })
    }

    fn lost(&self, from: PartyId, to: PartyId, _errand: &Errand, what: &[Box<str>]) {
        for loss in what {
            tracing::debug!(%from, %to, %loss, "lost on the road");
        }
    }

    /// There is no broker in a room's own process that would read everything.
    fn published_after(&self, _kind: Published, _after: Option<ObjectName>) -> Soon<'_, Result<ObjectPage, Denial>> {
        Box::pin(async { Err(Denial::NotSupported) })
    }

    /// Nothing is kept here: a room of ours is no hub.
    fn losses(&self, _parties: Vec<PartyId>) -> Soon<'_, Result<Vec<LossRow>, Denial>> {
        Box::pin(async { Err(Denial::NotSupported) })
    }
}
