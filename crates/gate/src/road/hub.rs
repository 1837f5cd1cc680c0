//! The door of a hub: reads envelopes, asks the exchange for the way, passes letters on as the bytes they came as.
//!
//! Of a letter's body it reads what it cannot do without: an order's return address and whether a pushed token is
//! valid. Public objects go to the exchange whole. Invariant: parties never learn each other's addresses; return
//! addresses, links and `Location` headers that pass are the hub's own.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use charge::talk::road::{Denial, Envelope, Errand, Exchange, Published, ReturnAddress, Way};
use charge::{Clock, Dice};
use http::request::Parts;
use ocpi::wire::{Incoming, Kind, Module, Reply, Target};
use ocpi::{answer, hear, status, url};
use serde_json::Value;

use super::entrance::{Own, Resource, Sender, Threshold, page_limit, respond};
use super::figures::{Direction, Figures};
use super::handshake;
use super::limits::RoadLimits;
use super::neighbour::Hop;
use super::peers::{PeerAccess, PeerBook};
use super::relay::{Parcel, Relay};

struct Door {
    threshold: Threshold,
    exchange: Arc<dyn Exchange>,
    relay: Relay,
}

/// The routes below `/ocpi` of a hub.
pub fn hub_router(
    own: Own,
    exchange: Arc<dyn Exchange>,
    peers: Arc<dyn PeerBook>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    figures: Arc<Figures>,
) -> Router {
    let relay = Relay::new(Arc::clone(&exchange), Arc::clone(&peers), Arc::clone(&figures));
    let threshold = Threshold { own, peers, clock, dice, figures, limits: RoadLimits::FORWARD };
    let door = Arc::new(Door { threshold, exchange, relay });
    Router::new().route("/ocpi/{*rest}", axum::routing::any(enter)).with_state(door)
}

async fn enter(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.clone();
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
                let letter = Received { incoming, parts, bytes, body, sender };
                door.handle(letter).await.map_err(|denial| door.threshold.refuse(&denial))
            }
            Ok(platform) => handshake::answer(&door.threshold, &platform, &parts.method, actor, body).await,
        }
    };
    respond(reply.await.unwrap_or_else(|refusal: Reply| refusal), &headers)
}

/// Nobody writes in another party's name.
fn owner_rule(incoming: &Incoming, sender: &Sender) -> Result<(), Denial> {
    match incoming.owner().transpose()? {
        Some(owner) if owner != sender.from => Err(Denial::NotYours),
        Some(_) | None => Ok(()),
    }
}

struct Received {
    incoming: Incoming,
    parts: Parts,
    bytes: Bytes,
    body: Value,
    sender: Sender,
}

impl Door {
    async fn handle(&self, letter: Received) -> Result<Reply, Denial> {
        match letter.incoming.kind {
            Kind::Locations => return self.published(&letter, Published::Locations, Module::Locations).await,
            Kind::Tariffs => return self.published(&letter, Published::Tariffs, Module::Tariffs).await,
            Kind::MayCharge
            | Kind::Start
            | Kind::Stop
            | Kind::Unlock
            | Kind::Outcome
            | Kind::PutSession
            | Kind::PatchSession
            | Kind::PostCdr
            | Kind::PutLocation
            | Kind::PatchLocation
            | Kind::Evse
            | Kind::PutTariff
            | Kind::DropTariff
            | Kind::PutToken
            | Kind::PatchToken => {}
        }
        let envelope = Envelope {
            from: letter.sender.from,
            to: letter.sender.to,
            correlation: letter.sender.correlation.clone(),
            errand: errand(&letter)?,
            bytes: letter.bytes.len(),
        };
        let return_to = self.return_to(&letter).await?;
        let way = self.exchange.route(envelope.clone(), return_to, public(&letter)).await?;
        self.go(letter, envelope, way).await
    }

    async fn go(&self, letter: Received, envelope: Envelope, way: Way) -> Result<Reply, Denial> {
        let kind = letter.incoming.kind;
        let hop = |to| Hop { from: letter.sender.from, to: Some(to), correlation: letter.sender.correlation.clone() };
        match way {
            Way::Kept => Ok(status::done(self.threshold.now())),
            Way::To { party, hub_order } => {
                let body = match (kind.order(), hub_order) {
                    (None, _) => letter.bytes.clone(),
                    // the sender's own address would tell the receiver where the sender is
                    (Some(_), None) => return Err(Denial::Internal),
                    (Some(order), Some(id)) => {
                        let address = url::callback(&self.threshold.own.base, order, &id);
                        hear::with_return_address(&letter.bytes, &address)?.into()
                    }
                };
                let parcel = parcel(&letter, endpoint(&letter), body, hop(party), envelope);
                self.relay.pass(party, parcel).await.map(|reply| self.readdressed(kind, reply))
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

    /// A page of what all parties published.
    async fn published(&self, letter: &Received, kind: Published, module: Module) -> Result<Reply, Denial> {
        if letter.sender.to.is_some_and(|to| to != self.threshold.own.party) {
            return Err(Denial::NotSupported);
        }
        let mut wish = hear::wish(&letter.incoming)?;
        wish.limit = page_limit(wish.limit);
        let page = self.exchange.published(letter.sender.from, kind, wish).await?;
        let reply = status::success_of_texts(&page.items, self.threshold.now());
        Ok(answer::paged(reply, module, wish, page.total, page.next, &self.threshold.own.base))
    }

    /// The return address of an order, which must be one of the platform that brought it.
    async fn return_to(&self, letter: &Received) -> Result<Option<ReturnAddress>, Denial> {
        if letter.incoming.kind.order().is_none() {
            return Ok(None);
        }
        let address = hear::return_address(&letter.body)?;
        let way = self.threshold.peers.peer(letter.sender.peer).await.ok_or(Denial::NotYours)?;
        if url::origin(&address.0).as_deref() != Some(way.origin()) {
            let why = "is not an address of the asking platform".into();
            return Err(Denial::Malformed { path: "/response_url".into(), why });
        }
        Ok(Some(address))
    }

    /// The address of a kept CDR becomes one of ours; no other answer carries an address.
    fn readdressed(&self, kind: Kind, mut reply: Reply) -> Reply {
        let base = &self.threshold.own.base;
        reply.headers.retain(|(name, _)| *name == ocpi::wire::LOCATION && kind == Kind::PostCdr);
        for (_, address) in &mut reply.headers {
            let id = address.trim_end_matches('/').rsplit('/').next().and_then(url::decode).unwrap_or_default();
            *address = answer::cdr_url(base, &id);
        }
        reply
    }
}

fn errand(letter: &Received) -> Result<Errand, Denial> {
    let incoming = &letter.incoming;
    let owner = || incoming.owner().unwrap_or(Err(Denial::UnknownObject));
    Ok(match incoming.kind {
        Kind::MayCharge => Errand::MayCharge { token: hear::named_token(incoming)? },
        Kind::Start => Errand::Order(charge::talk::road::OrderKind::Start),
        Kind::Stop => Errand::Order(charge::talk::road::OrderKind::Stop),
        Kind::Unlock => Errand::Order(charge::talk::road::OrderKind::Unlock),
        Kind::Outcome => Errand::Outcome { hub_order: hear::outcome_of(incoming)? },
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
        // a part of a location cannot be put into the whole by somebody who reads no bodies
        Kind::PatchLocation | Kind::Locations | Kind::Tariffs => return Err(Denial::NotSupported),
    })
}

/// The body of a public object.
fn public(letter: &Received) -> Option<Box<str>> {
    match letter.incoming.kind {
        Kind::PutLocation | Kind::Evse | Kind::PutTariff => std::str::from_utf8(&letter.bytes).ok().map(Into::into),
        Kind::MayCharge
        | Kind::Start
        | Kind::Stop
        | Kind::Unlock
        | Kind::Outcome
        | Kind::PutSession
        | Kind::PatchSession
        | Kind::PostCdr
        | Kind::PatchLocation
        | Kind::DropTariff
        | Kind::PutToken
        | Kind::PatchToken
        | Kind::Locations
        | Kind::Tariffs => None,
    }
}

/// The same endpoint of the receiver, with the path as it came.
fn endpoint(letter: &Received) -> Target {
    let (module, side) = (letter.incoming.module, letter.incoming.side);
    let prefix = url::endpoint("", module, side);
    let rest = letter.parts.uri.path().strip_prefix(&prefix).unwrap_or_default().trim_end_matches('/').to_owned();
    Target::Endpoint { module, side, rest }
}

fn parcel(letter: &Received, target: Target, body: Bytes, hop: Hop, envelope: Envelope) -> Parcel {
    let query = letter.parts.uri.query().unwrap_or_default().to_owned();
    let body = (!body.is_empty()).then_some(body);
    Parcel { kind: letter.incoming.kind, method: letter.incoming.method, target, query, body, hop, envelope }
}
