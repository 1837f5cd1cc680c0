//! The door of an operator or a provider: letters from its hub or a partner reach the desk.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use charge::id::{OrderId, PartyId};
use charge::talk::road::booking::{BookingAnswer, BookingQuestion};
use charge::talk::road::{Answer, Denial, Found, Letter, PageWish, Question, ReturnAddress, RoadDesk, Wanted};
use charge::{Clock, Dice};
use ocpi::answer::{self, Answering};
use ocpi::ask::Asked;
use ocpi::credentials::Role;
use ocpi::cross::{self, Beside};
use ocpi::wire::{Incoming, Kind, Module, Reply};
use ocpi::{Doc, Version, booking, client, hear, patch, status};
use trust::bearer::BearerDigest;

use super::client::tell_lost;
use super::crossing::PartLocks;
use super::documents;
use super::entrance::{Own, Resource, Sender, Threshold, bounded_whole, page_limit, respond};
use super::fair::Fair;
use super::figures::{Direction, Figures};
use super::handshake;
use super::limits::RoadLimits;
use super::pace::Pace;
use super::peers::{PeerAccess, PeerBook};
use super::recent::Recent;

/// An order that came in is named by this many hex digits of the digest of its return address.
const ORDER_NAME_DIGITS: usize = 32;

struct Door {
    threshold: Threshold,
    desk: Arc<dyn RoadDesk>,
    recent: Recent,
    /// Changes of parts of one object, one after the other: each reads what the one before it wrote.
    parts: PartLocks,
}

/// The routes below `/ocpi` of an operator or a provider.
pub fn party_router(
    own: Own,
    desk: Arc<dyn RoadDesk>,
    peers: Arc<dyn PeerBook>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    figures: Arc<Figures>,
) -> Router {
    let fair = Fair::default();
    let threshold =
        Threshold { own, peers, clock, dice, figures, limits: RoadLimits::default(), fair, pace: Pace::default() };
    let door = Door { threshold, desk, recent: Recent::default(), parts: PartLocks::default() };
    Router::new().route("/ocpi/{*rest}", axum::routing::any(enter)).with_state(Arc::new(door))
}

async fn enter(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.clone();
    let reply = async {
        let actor = door.threshold.actor(&headers).await?;
        match door.threshold.resource(&parts) {
            Err(denial) if matches!(actor.access, PeerAccess::Known { .. }) => Err(door.threshold.refuse(&denial)),
            // somebody who is not registered learns nothing about what is here
            Err(_) => Err(door.threshold.not_known()),
            Ok(Resource::Module(_)) if matches!(actor.access, PeerAccess::Invited(_)) => {
                Err(door.threshold.not_known())
            }
            Ok(Resource::Module(incoming)) => {
                let sender = door.threshold.sender(&actor.access, &headers).map_err(|d| door.threshold.refuse(&d))?;
                let sender = door.owner_rule(&incoming, sender).map_err(|d| door.threshold.refuse(&d))?;
                door.threshold.figures.count(Direction::In, incoming.kind);
                let (bytes, body) = door.threshold.body(body).await?;
                let reply = door.handle(&incoming, &bytes, body, sender).await;
                Ok(reply.unwrap_or_else(|denial| door.threshold.refuse(&denial)))
            }
            Ok(platform) => {
                let facing = Role::Hub;
                handshake::answer(&door.threshold, &platform, &parts.method, actor, facing, body).await
            }
        }
    };
    respond(reply.await.unwrap_or_else(|refusal: Reply| refusal), &headers)
}

impl Door {
    /// An object in the URL belongs to the sender. A hub that publishes to everybody may write its own name as the
    /// sender (OCPI 2.2.1, 4.2.2, "broadcast push"): then the owner is who speaks. Anybody else's object is answered
    /// like one that does not exist (4.1.2), so that nobody learns which parties and objects there are.
    fn owner_rule(&self, incoming: &Incoming, mut sender: Sender) -> Result<Sender, Denial> {
        if sender.to.is_some_and(|to| to != self.threshold.own.party) {
            return Err(Denial::UnknownReceiver);
        }
        let Some(owner) = incoming.owner().transpose()? else { return Ok(sender) };
        if sender.is_hub && sender.from == sender.peer {
            sender.from = owner;
        }
        if sender.from == owner { Ok(sender) } else { Err(Denial::UnknownObject) }
    }

    async fn handle(&self, incoming: &Incoming, bytes: &Bytes, body: Doc, sender: Sender) -> Result<Reply, Denial> {
        let letter = booking::letter(incoming);
        let incoming = letter.as_ref().unwrap_or(incoming);
        match incoming.kind {
            Kind::PutDocument | Kind::OneDocument | Kind::DropDocument | Kind::Documents => {
                return documents::answer(&self.threshold, &self.parts, incoming, sender.from, bytes).await;
            }
            Kind::PutClient => {
                return self.put_client(incoming, bytes, &sender);
            }
            Kind::KeptClient => return self.kept_client(incoming),
            Kind::KeptSession | Kind::KeptCdr => return self.read_back(incoming, &sender),
            // no EVSE is served with them (OCPI 2.2.1, module 9, `ChargingPreferencesResponse`)
            Kind::Preferences => return Ok(self.no_preferences()),
            _letter => {}
        }
        if incoming.kind.is_part() && !hear::is_status(incoming, &body) {
            let id = incoming.segments.get(2).map(String::as_str).unwrap_or_default();
            let _one_at_a_time = self.parts.turn(sender.from, id).await;
            let whole = self.whole(incoming, bytes, &sender).await?;
            return self.hear(&incoming.as_put(), whole, sender).await;
        }
        self.hear(incoming, body, sender).await
    }

    /// The whole that a change of a part makes, in the version that it came in.
    async fn whole(&self, incoming: &Incoming, change: &Bytes, sender: &Sender) -> Result<Doc, Denial> {
        let kept = match incoming.module {
            Module::Sessions => {
                let id = incoming.segments.get(2).map(String::as_str).unwrap_or_default();
                self.recent.get(sender.from, Module::Sessions, id).ok_or(Denial::UnknownObject)?
            }
            module => {
                let asked = Incoming { kind: kept_kind(module), ..incoming.clone() };
                let here = self.threshold.own.party;
                let question = match module {
                    Module::Bookings => hear::question(&asked, &Doc::Null, here, &name_order)?.value,
                    _another => Question::Fetch(hear::wanted(&asked, here)?),
                };
                let correlation = sender.correlation.clone();
                let letter = Letter { from: sender.from, to: sender.to, correlation, question };
                match self.desk.hear(letter).await? {
                    Answer::Found(found) => answer::document(&found, &mut ocpi::Lost::new())?,
                    Answer::Booking(BookingAnswer::Booking(kept)) => {
                        booking::write(&kept, &mut ocpi::Lost::new())?.to_string()
                    }
                    _another => return Err(Denial::Internal),
                }
            }
        };
        // a part is laid over the whole in the words that it is written in
        let beside = self.beside(incoming, sender);
        let put = incoming.as_put().kind;
        let lowered = cross::body(Version::V221, incoming.version, put, kept.as_bytes(), beside)?.value;
        let whole = patch::merged(&lowered.unwrap_or(kept), incoming, change, self.threshold.now())?;
        Ok(ocpi::parse(bounded_whole(whole)?.as_bytes())?)
    }

    fn beside(&self, incoming: &Incoming, sender: &Sender) -> Beside<'static> {
        let owner = incoming.owner().and_then(Result::ok).unwrap_or(sender.from);
        Beside { owner: Some(owner), payer: Some(self.threshold.own.party), ..Beside::default() }
    }

    async fn hear(&self, incoming: &Incoming, body: Doc, mut sender: Sender) -> Result<Reply, Denial> {
        let beside = self.beside(incoming, &sender);
        let lifted = hear::lifted(incoming, body, beside)?;
        let own = &self.threshold.own;
        let heard = hear::question(incoming, &lifted.value, own.party, &name_order)?;
        tell_lost("in", incoming.kind.as_str(), &lifted.lost);
        tell_lost("in", incoming.kind.as_str(), &heard.lost);
        let question = bounded(heard.value);
        // OCPI 2.1.1 has no sender in its headers: a hub's record is its owner's
        if sender.is_hub && sender.from == sender.peer && !incoming.version.has_routing() {
            sender.from = beside.owner.unwrap_or(sender.from);
        }
        self.judge(&question, &sender).await?;
        let remembered = self.to_remember(incoming, &question);
        let asked = Asked::heard(&question, incoming);
        let from = sender.from;
        let letter = Letter { from, to: sender.to, correlation: sender.correlation, question };
        let result = self.desk.hear(letter).await;
        if let (Ok(_), Some((module, id, text))) = (&result, remembered) {
            self.recent.put(from, module, &id, text);
        }
        let answering =
            Answering { party: own.party, base: &own.base, now: self.threshold.now(), version: incoming.version };
        let said = answer::write(&asked, result, answering);
        tell_lost("in", incoming.kind.as_str(), &said.lost);
        tracing::debug!(peer = %sender.peer, errand = incoming.kind.as_str(), http = said.value.http, "letter");
        Ok(said.value)
    }

    /// What its owner may want to read back, or change a part of.
    fn to_remember(&self, incoming: &Incoming, question: &Question) -> Option<(Module, String, String)> {
        let (module, id, found) = match question {
            Question::PutSession(session) => {
                (Module::Sessions, session.id.as_str().to_owned(), Found::Session((**session).clone()))
            }
            Question::PostCdr(cdr) if incoming.kind == Kind::PostCdr => {
                (Module::Cdrs, cdr.id.as_str().to_owned(), Found::Cdr(cdr.clone()))
            }
            _other => return None,
        };
        Some((module, id, answer::document(&found, &mut ocpi::Lost::new()).ok()?))
    }

    fn read_back(&self, incoming: &Incoming, sender: &Sender) -> Result<Reply, Denial> {
        let position = if incoming.kind == Kind::KeptCdr { 0 } else { 2 };
        let id = incoming.segments.get(position).map(String::as_str).unwrap_or_default();
        let text = self.recent.get(sender.from, incoming.module, id).ok_or(Denial::UnknownObject)?;
        let reply = status::success_of_text(&text, self.threshold.now());
        Ok(cross::reply(Version::V221, incoming.version, incoming.kind, reply, Beside::default())?.value)
    }

    fn no_preferences(&self) -> Reply {
        status::refusal_as(404, 2001, "the EVSE is not CHARGING_PREFERENCES_CAPABLE", self.threshold.now())
    }

    /// Only a hub tells who is there.
    fn put_client(&self, incoming: &Incoming, bytes: &Bytes, sender: &Sender) -> Result<Reply, Denial> {
        if !sender.is_hub {
            return Err(Denial::NotYours);
        }
        let client = client::read(bytes)?;
        if named_party(incoming)? != client.party {
            return Err(Denial::Malformed {
                path: "/party_id".into(),
                why: "is not the party that the URL names".into(),
            });
        }
        self.threshold.peers.put_client(client);
        Ok(status::done(self.threshold.now()))
    }

    fn kept_client(&self, incoming: &Incoming) -> Result<Reply, Denial> {
        let client = self.threshold.peers.client(named_party(incoming)?).ok_or(Denial::UnknownObject)?;
        Ok(status::success_of_text(&client::write(&client), self.threshold.now()))
    }

    /// What can be said about a letter's content without knowing the room.
    async fn judge(&self, question: &Question, sender: &Sender) -> Result<(), Denial> {
        match question {
            Question::PostCdr(cdr) => own(cdr.party, sender.from),
            Question::Start(order) => self.return_address(order.return_to.as_ref(), sender.peer).await,
            Question::Stop { return_to, .. } | Question::Unlock { return_to, .. } => {
                self.return_address(return_to.as_ref(), sender.peer).await
            }
            Question::Reservation(order) => self.return_address(order.return_to.as_ref(), sender.peer).await,
            Question::Profile(order) => self.return_address(order.return_to.as_ref(), sender.peer).await,
            Question::Booking(BookingQuestion::Request(request)) => own(request.party, sender.from),
            Question::Booking(BookingQuestion::Put(booking)) => own(booking.party, sender.from),
            Question::Booking(_)
            | Question::Fetch(_)
            | Question::MayCharge { .. }
            | Question::Outcome { .. }
            | Question::ProfileOutcome { .. }
            | Question::Plan { .. }
            | Question::PutSession(_)
            | Question::PutLocation(_)
            | Question::PatchEvse { .. }
            | Question::PutTariff(_)
            | Question::DropTariff(_)
            | Question::PutToken(_)
            | Question::Locations(_)
            | Question::Tariffs(_) => Ok(()),
        }
    }

    /// Outcomes are sent to the neighbour that brought the order and to no other place, whatever an order says.
    async fn return_address(&self, address: Option<&ReturnAddress>, peer: PartyId) -> Result<(), Denial> {
        let way = self.threshold.peers.peer(peer).await.ok_or(Denial::NotYours)?;
        let origin = address.and_then(|address| ocpi::url::origin(&address.0));
        if origin.as_deref() == Some(way.origin()) {
            return Ok(());
        }
        Err(Denial::Malformed { path: "/response_url".into(), why: "is not an address of the asking platform".into() })
    }
}

fn own(owner: PartyId, from: PartyId) -> Result<(), Denial> {
    if owner == from { Ok(()) } else { Err(Denial::NotYours) }
}

/// The same address names the same order, so a repeated order is recognised, and orders of two platforms never meet.
fn name_order(address: &ReturnAddress) -> Option<OrderId> {
    let digest = BearerDigest::of(&address.0).to_hex();
    OrderId::new(digest.get(..ORDER_NAME_DIGITS)?).ok()
}

fn named_party(incoming: &Incoming) -> Result<PartyId, Denial> {
    let (country, code) = (incoming.segments.first(), incoming.segments.get(1));
    let named = country.zip(code).and_then(|(country, code)| PartyId::new(country, code).ok());
    named.ok_or(Denial::UnknownObject)
}

const fn kept_kind(module: Module) -> Kind {
    match module {
        Module::Tariffs => Kind::KeptTariff,
        Module::Tokens => Kind::KeptToken,
        Module::Bookings => Kind::KeptBooking,
        _locations => Kind::KeptLocation,
    }
}

fn bounded(question: Question) -> Question {
    match question {
        Question::Fetch(Wanted::Sessions(wish)) => Question::Fetch(Wanted::Sessions(limited(wish))),
        Question::Fetch(Wanted::Cdrs(wish)) => Question::Fetch(Wanted::Cdrs(limited(wish))),
        Question::Fetch(Wanted::Tokens(wish)) => Question::Fetch(Wanted::Tokens(limited(wish))),
        Question::Locations(wish) => Question::Locations(limited(wish)),
        Question::Tariffs(wish) => Question::Tariffs(limited(wish)),
        Question::Booking(BookingQuestion::Locations { wish, slot }) => {
            Question::Booking(BookingQuestion::Locations { wish: limited(wish), slot })
        }
        Question::Booking(BookingQuestion::Bookings(wish)) => {
            Question::Booking(BookingQuestion::Bookings(limited(wish)))
        }
        other => other,
    }
}

fn limited(wish: PageWish) -> PageWish {
    PageWish { limit: page_limit(wish.limit), ..wish }
}
