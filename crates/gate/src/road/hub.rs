//! The door of a hub: reads envelopes, asks the exchange for the way, passes letters on as the bytes they came as.
//!
//! Of a letter's body it reads what it cannot do without: an order's return address and whether a pushed token is
//! valid; and where sender and receiver speak different versions, it is carried over in memory. Public objects go to
//! the exchange whole, in 2.2.1. Invariant: parties never learn each other's addresses; return
//! addresses, links and `Location` headers that pass are the hub's own.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use charge::id::PartyId;
use charge::talk::partner::{Form, Seen};
use charge::talk::road::{
    Denial, Envelope, Errand, Exchange, Gathered, PageWish, Passing, Published, ReturnAddress, Way,
};
use http::request::Parts;
use ocpi::credentials::Role;
use ocpi::cross::{self, Beside, Noun};
use ocpi::wire::{Incoming, Kind, Module, Reply, Target};
use ocpi::{Doc, Version, answer, client, habit, hear, patch, status, url};

use super::across;
use super::crossing::{Crossing, PartLocks};
use super::documents;
use super::entrance::{Resource, Sender, Threshold, bounded_whole, page_limit, respond};
use super::figures::Direction;
use super::gather::Asking;
use super::handshake;
use super::limits::PERHAPS_TIME_MAX;
use super::losses;
use super::neighbour::Hop;
use super::peers::PeerAccess;
use super::private::Asker;
use super::relay::{Parcel, Relay};

struct Door {
    threshold: Arc<Threshold>,
    exchange: Arc<dyn Exchange>,
    relay: Arc<Relay>,
    parts: Arc<PartLocks>,
}

/// The routes below `/ocpi` of a hub, and what its parties may read of their letters' losses.
pub fn hub_router(crossing: &Crossing) -> Router {
    let Crossing { threshold, exchange, relay, parts } = crossing.clone();
    let door = Arc::new(Door { threshold, exchange, relay, parts });
    let letters = Router::new().route("/ocpi/{*rest}", axum::routing::any(enter)).with_state(door);
    letters.merge(losses::router(crossing))
}

async fn enter(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    // the way is read from method and path, and nothing of these goes further
    let headers = std::mem::take(&mut parts.headers);
    let reply = async {
        let actor = door.threshold.actor(&headers).await?;
        match door.threshold.resource(&parts) {
            Err(denial) if matches!(actor.access, PeerAccess::Known { .. }) => Err(door.threshold.refuse(&denial)),
            Err(_) => Err(door.threshold.not_known()),
            Ok(Resource::Module(_)) if matches!(actor.access, PeerAccess::Invited(_)) => {
                Err(door.threshold.not_known())
            }
            Ok(Resource::Module(incoming)) => {
                let sender = door.threshold.sender(&actor.access, &headers).map_err(|d| door.threshold.refuse(&d))?;
                owner_rule(&incoming, &sender).map_err(|d| door.threshold.refuse(&d))?;
                door.threshold.figures.count(Direction::In, incoming.kind);
                let (bytes, body) = door.threshold.body(body).await?;
                let (peer, tap) = (sender.peer, incoming.kind == Kind::MayCharge);
                let token = if actor.raw { Form::Raw } else { Form::Base64 };
                for seen in habit::seen(&bytes).chain([Seen::Token(token)]) {
                    door.threshold.peers.noticed(peer, seen);
                }
                let letter = Received { incoming, parts, bytes, body, sender, kept: None };
                let reply = door.receive(letter).await.unwrap_or_else(|denial| door.threshold.refuse(&denial));
                door.as_wanted(peer, tap, reply).await.map_err(|denial| door.threshold.refuse(&denial))
            }
            Ok(platform) => {
                let facing = door.role_of(&actor.access).await;
                let newcomer = match (&actor.access, &platform) {
                    (PeerAccess::Invited(invitation), Resource::Credentials(_)) => Some(invitation.party),
                    (_, _) => None,
                };
                let leaver = match (&actor.access, &platform, &parts.method) {
                    (PeerAccess::Known { party, .. }, Resource::Credentials(_), &http::Method::DELETE) => Some(*party),
                    (_, _, _) => None,
                };
                let reply = handshake::answer(&door.threshold, &platform, &parts.method, actor, facing, body).await?;
                if let Some(party) = leaver {
                    door.exchange.left(party).await.map_err(|denial| door.threshold.refuse(&denial))?;
                }
                if let (Some(party), &http::Method::POST) = (newcomer, &parts.method) {
                    door.exchange.joined(party).await.map_err(|denial| door.threshold.refuse(&denial))?;
                }
                Ok(reply)
            }
        }
    };
    respond(reply.await.unwrap_or_else(|refusal: Reply| refusal), &headers)
}

/// Nobody writes in another party's name; another's object is answered like one that does not exist (OCPI 2.2.1, 4.1.2).
fn owner_rule(incoming: &Incoming, sender: &Sender) -> Result<(), Denial> {
    match incoming.owner().transpose()? {
        Some(owner) if owner != sender.from => Err(Denial::UnknownObject),
        Some(_) | None => Ok(()),
    }
}

struct Received {
    incoming: Incoming,
    parts: Parts,
    bytes: Bytes,
    body: Doc,
    sender: Sender,
    /// What is kept in the place of the bytes: the whole that a change made, with the marks of a private location.
    kept: Option<String>,
}

impl Door {
    /// Whoever asks about one unknown token after the other is noticed, and stopped for a while.
    async fn receive(&self, mut letter: Received) -> Result<Reply, Denial> {
        let (kind, from, now) = (letter.incoming.kind, letter.sender.from, self.threshold.now());
        let tap = kind == Kind::MayCharge;
        if tap {
            self.threshold.fair.may_ask(from, now)?;
        }
        if !letter.incoming.version.has_routing() && letter.sender.to.is_none() {
            letter.sender.to = self.unnamed(&letter).await;
        }
        let came = self.threshold.pace.came();
        let answered = self.handle(letter).await;
        let unknown = match &answered {
            Ok(reply) => tap && reply.http == 404,
            Err(denial) => tap && *denial == Denial::UnknownToken,
        };
        if unknown {
            self.threshold.unknown_token(from);
        }
        if tap && !answered.as_ref().is_ok_and(answer::allows) {
            self.threshold.pace.hold_no(&*self.exchange, from, came).await;
        }
        answered
    }

    /// The receiver that OCPI 2.1.1 does not name: whoever owes is named by the contract, an order's operator by the place,
    /// or by the session that it told of.
    async fn unnamed(&self, letter: &Received) -> Option<PartyId> {
        let (kind, from) = (letter.incoming.kind, letter.sender.from);
        match kind {
            Kind::Start | Kind::Reserve | Kind::Unlock => {
                let id = hear::order_location(&letter.body)?;
                let kept = self.exchange.published_one(from, Published::Locations, None, id.into()).await.ok()?;
                hear::owner_in(&kept)
            }
            Kind::Stop => self.relay.way().runs_at(from, hear::order_session(&letter.body)?).await,
            _no_order => hear::payer(&letter.incoming, &letter.body),
        }
    }

    /// Some peers take HTTP 404 for a wrong address: they want the code alone. And moments and ids in their own forms.
    async fn as_wanted(&self, peer: PartyId, tap: bool, mut reply: Reply) -> Result<Reply, Denial> {
        let Some(quirks) = self.threshold.peers.peer(peer).await.map(|way| way.quirks()) else { return Ok(reply) };
        if tap && reply.http == 404 && quirks.unknown_is_ok {
            reply.http = 200;
        }
        if let Some(body) = habit::written(reply.body.as_bytes(), quirks.times, quirks.ids)? {
            reply.body = body;
        }
        Ok(reply)
    }

    async fn handle(&self, letter: Received) -> Result<Reply, Denial> {
        let asked_here = letter.sender.to.is_none_or(|to| to == self.threshold.own.party);
        match letter.incoming.kind {
            Kind::Locations => return self.published(&letter, Published::Locations).await,
            Kind::Tariffs => return self.published(&letter, Published::Tariffs).await,
            Kind::OneLocation | Kind::KeptLocation | Kind::KeptTariff => return self.published_one(&letter).await,
            Kind::Clients => return self.clients(&letter).await,
            Kind::Sessions if asked_here => return self.gathered(&letter, Gathered::Sessions).await,
            Kind::Cdrs if asked_here => return self.gathered(&letter, Gathered::Cdrs).await,
            // nobody lists cards here: who may charge is asked
            Kind::Tokens if asked_here => return self.nothing(&letter),
            Kind::Documents | Kind::OneDocument | Kind::PutDocument | Kind::DropDocument if asked_here => {
                let from = letter.sender.from;
                return documents::answer(&self.threshold, &self.parts, &letter.incoming, from, &letter.bytes).await;
            }
            _letter => {}
        }
        // a whole that came between the reading and the writing of a change would be lost
        let kind = letter.incoming.kind;
        let writes = kind.is_part() || matches!(kind, Kind::PutLocation | Kind::PutTariff | Kind::DropTariff);
        let turn = match letter.incoming.segments.get(2) {
            Some(id) if writes => Some(self.parts.turn(letter.sender.from, id).await),
            Some(_) | None => None,
        };
        let letter = self.whole(letter).await?;
        let envelope = Envelope {
            from: letter.sender.from,
            to: letter.sender.to,
            correlation: letter.sender.correlation.clone(),
            errand: errand(&letter)?,
            bytes: letter.bytes.len(),
        };
        let return_to = self.return_to(&letter).await?;
        let public = self.public(&letter).await?;
        let way = self.exchange.route(envelope.clone(), return_to, public).await?;
        drop(turn);
        self.go(letter, envelope, way).await
    }

    /// A change of a part of a public object becomes the whole, which is kept and told to everybody. A status alone
    /// passes as it is.
    async fn whole(&self, mut letter: Received) -> Result<Received, Denial> {
        let incoming = &letter.incoming;
        let public = matches!(incoming.module, Module::Locations | Module::Tariffs);
        if !public || !incoming.kind.is_part() || hear::is_status(incoming, &letter.body) {
            return Ok(letter);
        }
        let merged = self.merged(&letter).await?;
        let incoming = letter.incoming.as_put();
        let told = self.relay.way().unmarked(&mut asker(&letter), merged.as_str().into()).await?;
        letter.body = ocpi::parse(told.as_bytes())?;
        letter.bytes = String::from(told).into();
        (letter.incoming, letter.kept) = (incoming, Some(merged));
        Ok(letter)
    }

    /// What is kept with the change laid over it, in the version of its sender.
    async fn merged(&self, letter: &Received) -> Result<String, Denial> {
        let incoming = &letter.incoming;
        let kind = if incoming.module == Module::Tariffs { Published::Tariffs } else { Published::Locations };
        let id: String = hear::segment(incoming, 2)?;
        let owner = incoming.owner().transpose()?;
        let kept = self.exchange.published_one(letter.sender.from, kind, owner, id.into()).await?;
        let beside = Beside { owner, payer: None, ..Beside::default() };
        let put = incoming.as_put().kind;
        let lowered = cross::body(Version::V221, incoming.version, put, kept.as_bytes(), beside)?.value;
        let whole = lowered.as_deref().unwrap_or(&kept);
        patch::merged(whole, incoming, &letter.bytes, self.threshold.now()).and_then(bounded_whole)
    }

    /// The body of a public object in 2.2.1, to be kept.
    async fn public(&self, letter: &Received) -> Result<Option<Box<str>>, Denial> {
        let incoming = &letter.incoming;
        let text = match incoming.kind {
            Kind::PutLocation | Kind::PutTariff => {
                let written = || std::str::from_utf8(&letter.bytes).ok().map(str::to_owned);
                letter.kept.clone().or_else(written)
            }
            // a status of a location that is not known here is passed on all the same
            Kind::Evse => match self.merged(letter).await {
                Ok(text) => Some(text),
                Err(Denial::UnknownObject) => None,
                Err(denial) => return Err(denial),
            },
            _private => None,
        };
        let Some(text) = text else { return Ok(None) };
        let put = incoming.as_put().kind;
        let beside = Beside { owner: incoming.owner().transpose()?, payer: None, ..Beside::default() };
        let lifted = cross::body(incoming.version, Version::V221, put, text.as_bytes(), beside).map_err(Denial::from);
        let (from, own) = (letter.sender.from, self.threshold.own.party);
        let lifted = self.relay.way().told_if_refused(from, own, &errand(letter)?, lifted)?.value;
        Ok(Some(self.relay.way().marked(lifted.unwrap_or(text))?.into()))
    }

    async fn go(&self, letter: Received, envelope: Envelope, way: Way) -> Result<Reply, Denial> {
        let kind = letter.incoming.kind;
        let hop = |to| Hop { from: letter.sender.from, to: Some(to), correlation: letter.sender.correlation.clone() };
        let _place = match &way {
            Way::To { .. } | Way::Perhaps(_) | Way::Back { .. } => {
                Some(self.threshold.fair.place(letter.sender.from, self.threshold.now())?)
            }
            Way::Kept | Way::Everyone(_) => None,
        };
        match way {
            Way::Kept => Ok(status::done(self.threshold.now())),
            Way::To { party, hub_order } => {
                let mut parcel = parcel(&letter, endpoint(&letter), letter.bytes.clone(), hop(party), envelope);
                match (kind.order(), hub_order) {
                    (None, _) => {}
                    // the sender's own address would tell the receiver where the sender is
                    (Some(_), None) => return Err(Denial::Internal),
                    (Some(order), Some(id)) => {
                        let version = letter.incoming.version;
                        let address = url::callback(&self.threshold.own.base, version, order, &id);
                        if hear::address_in_query(&letter.incoming) {
                            parcel.query = hear::query_with_return_address(&letter.incoming, &address);
                        } else {
                            parcel.body = Some(hear::with_return_address(&letter.bytes, &address)?.into());
                        }
                    }
                }
                self.relay.pass(party, parcel).await.map(|reply| self.readdressed(&letter, reply))
            }
            Way::Perhaps(parties) => self.perhaps(letter, envelope, parties).await,
            Way::Back { party, return_to } if across::reference(&return_to).is_some() => {
                let outcome = hear::question(&letter.incoming, &letter.body, self.threshold.own.party, &|_| None)?;
                self.relay.way().back(party, &return_to, outcome.value, &envelope).await?;
                Ok(status::done(self.threshold.now()))
            }
            Way::Back { party, return_to } => {
                let body = letter.bytes.clone();
                let parcel = parcel(&letter, Target::Address(return_to.0), body, hop(party), envelope);
                self.relay.pass(party, parcel).await
            }
            Way::Everyone(parties) => {
                for party in parties {
                    let body = letter.bytes.clone();
                    let parcel = parcel(&letter, endpoint(&letter), body, hop(party), envelope.clone());
                    self.relay.publish(party, parcel);
                }
                Ok(status::done(self.threshold.now()))
            }
        }
    }

    /// Nobody announced the card: one provider after the other, without the place. Who knows it, or knows that it wants
    /// the place, gets the letter as it came.
    async fn perhaps(&self, letter: Received, envelope: Envelope, parties: Vec<PartyId>) -> Result<Reply, Denial> {
        let Errand::MayCharge { token } = envelope.errand.clone() else { return Err(Denial::Internal) };
        let hop = |to| Hop { from: letter.sender.from, to: Some(to), correlation: letter.sender.correlation.clone() };
        for party in parties {
            let bare = parcel(&letter, endpoint(&letter), Bytes::new(), hop(party), envelope.clone());
            let asked = tokio::time::timeout(PERHAPS_TIME_MAX, self.relay.pass(party, bare)).await;
            let Ok(Ok(reply)) = asked else { continue };
            if !answer::knows_token(&reply) {
                continue;
            }
            self.exchange.learned(token, party).await?;
            if letter.bytes.is_empty() {
                return Ok(self.readdressed(&letter, reply));
            }
            let whole = parcel(&letter, endpoint(&letter), letter.bytes.clone(), hop(party), envelope);
            return self.relay.pass(party, whole).await.map(|reply| self.readdressed(&letter, reply));
        }
        Err(Denial::UnknownToken)
    }

    /// One public object, or a part of a location.
    async fn published_one(&self, letter: &Received) -> Result<Reply, Denial> {
        let incoming = &letter.incoming;
        let own = self.threshold.own.party;
        let (owner, position) = match incoming.kind {
            Kind::OneLocation => (letter.sender.to.filter(|to| *to != own), 0),
            _kept => (incoming.owner().transpose()?, 2),
        };
        let kind = if incoming.module == Module::Tariffs { Published::Tariffs } else { Published::Locations };
        let id: String = hear::segment(incoming, position)?;
        let text = self.exchange.published_one(letter.sender.from, kind, owner, id.into()).await?;
        let text = self.relay.way().unmarked(&mut asker(letter), text).await?;
        let below = incoming.segments.get(position + 1..).unwrap_or_default();
        let text = if kind == Published::Locations { patch::picked(&text, below)? } else { text.into() };
        let reply = status::success_of_text(&text, self.threshold.now());
        let reply = cross::reply_of(Version::V221, incoming.version, part_noun(incoming, below.len()), reply)?;
        self.lost_in_lists(owner.unwrap_or(own), letter.sender.from, &reply.lost);
        Ok(reply.value)
    }

    async fn clients(&self, letter: &Received) -> Result<Reply, Denial> {
        let mut wish = hear::wish(&letter.incoming)?;
        wish.limit = page_limit(wish.limit);
        let page = self.exchange.clients(letter.sender.from, wish).await?;
        let items: Vec<String> = page.items.iter().map(client::write).collect();
        let reply = status::success_of_texts(&items, self.threshold.now());
        Ok(self.paged(letter, reply, wish, page.total, page.next))
    }

    /// What a hub does not have: a page of what its operators have for the asker.
    async fn gathered(&self, letter: &Received, what: Gathered) -> Result<Reply, Denial> {
        let (from, now) = (letter.sender.from, self.threshold.now());
        let mut wish = hear::wish(&letter.incoming)?;
        wish.limit = page_limit(wish.limit);
        let _place = self.threshold.fair.place(from, now)?;
        let operators = self.exchange.senders(from, what).await?;
        let asking = Asking { relay: &self.relay, incoming: &letter.incoming, sender: &letter.sender };
        let page = asking.of_all(operators, wish).await?;
        let reply = status::success_of_texts(&page.items, self.threshold.now());
        Ok(self.paged(letter, reply, wish, page.total, page.next))
    }

    fn nothing(&self, letter: &Received) -> Result<Reply, Denial> {
        let mut wish = hear::wish(&letter.incoming)?;
        wish.limit = page_limit(wish.limit);
        Ok(self.paged(letter, status::success_of_texts::<&str>(&[], self.threshold.now()), wish, 0, None))
    }

    fn paged(&self, letter: &Received, reply: Reply, wish: PageWish, total: u32, next: Option<u32>) -> Reply {
        let at = (self.threshold.own.base.as_str(), letter.incoming.version);
        answer::paged(reply, letter.incoming.module, wish, total, next, at)
    }

    /// What a peer is, for versions in which a hub has to stand for the other side.
    async fn role_of(&self, access: &PeerAccess) -> Role {
        let party = match access {
            PeerAccess::Known { party, .. } => *party,
            PeerAccess::Invited(invitation) => invitation.party,
        };
        let clients = self.exchange.clients(party, PageWish { limit: u32::MAX, ..PageWish::default() }).await;
        let operator = clients.is_ok_and(|page| {
            page.items.iter().any(|client| client.party == party && &*client.role == Role::Operator.as_str())
        });
        if operator { Role::Operator } else { Role::Provider }
    }

    /// A page of what all parties published.
    async fn published(&self, letter: &Received, kind: Published) -> Result<Reply, Denial> {
        if letter.sender.to.is_some_and(|to| to != self.threshold.own.party) {
            return Err(Denial::NotSupported);
        }
        let mut wish = hear::wish(&letter.incoming)?;
        wish.limit = page_limit(wish.limit);
        let page = self.exchange.published(letter.sender.from, kind, wish).await?;
        let (mut items, mut asker) = (Vec::with_capacity(page.items.len()), asker(letter));
        for text in page.items {
            items.push(self.relay.way().unmarked(&mut asker, text).await?);
        }
        let reply = status::success_of_texts(&items, self.threshold.now());
        let reply = cross::list(Version::V221, letter.incoming.version, letter.incoming.kind, reply)?;
        self.lost_in_lists(self.threshold.own.party, letter.sender.from, &reply.lost);
        Ok(self.paged(letter, reply.value, wish, page.total, page.next))
    }

    /// What the asker's version has no word for. A page has many owners: there the hub stands for them.
    fn lost_in_lists(&self, owner: PartyId, asker: PartyId, lost: &[ocpi::Fault]) {
        self.relay.way().lost(owner, asker, &Errand::Passing(Passing::Fetch), lost);
    }

    /// The return address of an order, which must be one of the platform that brought it.
    async fn return_to(&self, letter: &Received) -> Result<Option<ReturnAddress>, Denial> {
        if letter.incoming.kind.order().is_none() {
            return Ok(None);
        }
        let address = hear::return_address(&letter.incoming, &letter.body)?;
        let way = self.threshold.peers.peer(letter.sender.peer).await.ok_or(Denial::NotYours)?;
        if url::origin(&address.0).as_deref() != Some(way.origin()) {
            let why = "is not an address of the asking platform".into();
            return Err(Denial::Malformed { path: "/response_url".into(), why });
        }
        Ok(Some(address))
    }

    /// The address of a kept CDR and the link to the next page become ours; no other answer carries an address.
    fn readdressed(&self, letter: &Received, mut reply: Reply) -> Reply {
        let (base, version) = (&self.threshold.own.base, letter.incoming.version);
        let kind = letter.incoming.kind;
        let paged = matches!(kind, Kind::Sessions | Kind::Cdrs | Kind::Tokens | Kind::Documents);
        reply.headers.retain(|(name, _)| match *name {
            ocpi::wire::LOCATION => kind == Kind::PostCdr,
            _page => paged,
        });
        for (name, value) in &mut reply.headers {
            if *name == ocpi::wire::LOCATION {
                let id = value.trim_end_matches('/').rsplit('/').next().and_then(url::decode).unwrap_or_default();
                *value = answer::cdr_url(base, version, &id);
            } else if *name == ocpi::wire::LINK {
                let next = answer::linked_query(value).unwrap_or_default();
                let mut endpoint = url::endpoint(base, version, letter.incoming.module, letter.incoming.side);
                // a list may stand below its module
                for segment in &letter.incoming.segments {
                    endpoint.push('/');
                    endpoint.push_str(&url::encode(segment));
                }
                *value = format!("<{endpoint}?{next}>; rel=\"next\"");
            }
        }
        reply
    }
}

fn asker(letter: &Received) -> Asker {
    Asker::new(letter.sender.from, letter.sender.correlation.clone())
}

fn part_noun(incoming: &Incoming, below: usize) -> Noun {
    match (incoming.module, below) {
        (Module::Tariffs, _) => Noun::Tariff,
        (_, 0) => Noun::Location,
        (_, 1) => Noun::Evse,
        (_, _) => Noun::Connector,
    }
}

fn errand(letter: &Received) -> Result<Errand, Denial> {
    let incoming = &letter.incoming;
    let owner = || incoming.owner().unwrap_or(Err(Denial::UnknownObject));
    Ok(match incoming.kind {
        Kind::MayCharge => Errand::MayCharge { token: hear::named_token(incoming)? },
        Kind::Start
        | Kind::Stop
        | Kind::Unlock
        | Kind::Reserve
        | Kind::CancelReservation
        | Kind::SetProfile
        | Kind::ClearProfile
        | Kind::ShowProfile => Errand::Order(incoming.kind.order().ok_or(Denial::Internal)?),
        Kind::Outcome | Kind::ProfileOutcome => Errand::Outcome { hub_order: hear::outcome_of(incoming)? },
        Kind::Sessions | Kind::Cdrs | Kind::Tokens | Kind::KeptSession | Kind::KeptCdr | Kind::KeptToken => {
            Errand::Passing(Passing::Fetch)
        }
        Kind::Plan | Kind::Preferences => Errand::Passing(Passing::Plan),
        // a hub reads no booking: operators and providers do
        Kind::Documents | Kind::OneDocument | Kind::PutDocument | Kind::DropDocument
            if incoming.module == Module::Bookings =>
        {
            Errand::Passing(Passing::Booking)
        }
        Kind::Documents | Kind::OneDocument | Kind::PutDocument | Kind::DropDocument => {
            Errand::Passing(Passing::Document)
        }
        Kind::PutSession | Kind::PatchSession => Errand::Session { owner: owner()? },
        Kind::PostCdr => Errand::Cdr,
        Kind::PutLocation => Errand::Location { owner: owner()?, id: hear::segment(incoming, 2)?, evse: None },
        Kind::Evse => Errand::Location {
            owner: owner()?,
            id: hear::segment(incoming, 2)?,
            evse: Some(hear::segment(incoming, 3)?),
        },
        Kind::PutTariff | Kind::DropTariff => Errand::Tariff {
            owner: owner()?,
            id: hear::segment(incoming, 2)?,
            dropped: incoming.kind == Kind::DropTariff,
        },
        Kind::PutToken | Kind::PatchToken => {
            let valid = hear::token_valid(&letter.body)?;
            let valid = valid.ok_or_else(|| Denial::Malformed { path: "/valid".into(), why: "is missing".into() })?;
            Errand::Token { owner: owner()?, token: hear::named_token(incoming)?, valid }
        }
        Kind::PatchLocation
        | Kind::Connector
        | Kind::PatchTariff
        | Kind::Locations
        | Kind::OneLocation
        | Kind::KeptLocation
        | Kind::Tariffs
        | Kind::KeptTariff
        | Kind::Clients
        | Kind::PutClient
        | Kind::KeptClient
        | Kind::BookingLocations
        | Kind::OneBookingLocation
        | Kind::Bookings
        | Kind::RequestBooking
        | Kind::PutBooking
        | Kind::PatchBooking
        | Kind::KeptBooking => return Err(Denial::NotSupported),
    })
}

/// The same endpoint of the receiver, with the path as it came, or of the whole that a part became.
fn endpoint(letter: &Received) -> Target {
    let incoming = &letter.incoming;
    let (module, side) = (incoming.module, incoming.side);
    let rest = if incoming.segments.len() == 3 && incoming.method == ocpi::wire::Method::Put {
        incoming.segments.iter().map(|segment| format!("/{}", url::encode(segment))).collect()
    } else {
        let prefix = url::endpoint("", incoming.version, module, side);
        let path = letter.parts.uri.path();
        path.strip_prefix(&prefix).unwrap_or_default().trim_end_matches('/').to_owned()
    };
    Target::Endpoint { module, side, rest }
}

fn parcel(letter: &Received, target: Target, body: Bytes, hop: Hop, envelope: Envelope) -> Parcel {
    let incoming = &letter.incoming;
    let query = letter.parts.uri.query().unwrap_or_default().to_owned();
    let body = (!body.is_empty()).then_some(body);
    let (version, kind, method) = (incoming.version, incoming.kind, incoming.method);
    Parcel { version, kind, method, target, query, body, hop, envelope, origin: None }
}
