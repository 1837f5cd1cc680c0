//! The door of an operator or a provider: letters from its hub or a partner reach the desk.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use charge::id::{OrderId, PartyId};
use charge::talk::road::{Denial, Letter, Question, ReturnAddress, RoadDesk};
use charge::{Clock, Dice};
use ocpi::answer::{self, Answering};
use ocpi::ask::Asked;
use ocpi::hear;
use ocpi::wire::{Incoming, Reply};
use serde_json::Value;
use trust::bearer::BearerDigest;

use super::client::tell_lost;
use super::entrance::{Own, Resource, Sender, Threshold, page_limit, respond};
use super::figures::{Direction, Figures};
use super::handshake;
use super::limits::RoadLimits;
use super::peers::{PeerAccess, PeerBook};

/// An order that came in is named by this many hex digits of the digest of its return address.
const ORDER_NAME_DIGITS: usize = 32;

struct Door {
    threshold: Threshold,
    desk: Arc<dyn RoadDesk>,
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
    let threshold = Threshold { own, peers, clock, dice, figures, limits: RoadLimits::default() };
    Router::new().route("/ocpi/{*rest}", axum::routing::any(enter)).with_state(Arc::new(Door { threshold, desk }))
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
                let (_, body) = door.threshold.body(body).await?;
                Ok(door.hear(&incoming, &body, sender).await)
            }
            Ok(platform) => handshake::answer(&door.threshold, &platform, &parts.method, actor, body).await,
        }
    };
    respond(reply.await.unwrap_or_else(|refusal: Reply| refusal), &headers)
}

impl Door {
    /// An object in the URL belongs to the sender. A hub that publishes to everybody may write its own name as the
    /// sender (OCPI 2.2.1, 4.2.2, "broadcast push"): then the owner is who speaks.
    fn owner_rule(&self, incoming: &Incoming, mut sender: Sender) -> Result<Sender, Denial> {
        if sender.to.is_some_and(|to| to != self.threshold.own.party) {
            return Err(Denial::UnknownReceiver);
        }
        let Some(owner) = incoming.owner().transpose()? else { return Ok(sender) };
        if sender.is_hub && sender.from == sender.peer {
            sender.from = owner;
        }
        if sender.from == owner { Ok(sender) } else { Err(Denial::NotYours) }
    }

    async fn hear(&self, incoming: &Incoming, body: &Value, sender: Sender) -> Reply {
        let heard = match hear::question(incoming, body, &name_order) {
            Ok(heard) => heard,
            Err(denial) => return self.threshold.refuse(&denial),
        };
        tell_lost("in", incoming.kind.as_str(), &heard.lost);
        let question = bounded(heard.value);
        if let Err(denial) = self.judge(&question, &sender).await {
            return self.threshold.refuse(&denial);
        }
        let asked = Asked::of(&question);
        let letter = Letter { from: sender.from, to: sender.to, correlation: sender.correlation, question };
        let result = self.desk.hear(letter).await;
        let own = &self.threshold.own;
        let said =
            answer::write(&asked, result, Answering { party: own.party, base: &own.base, now: self.threshold.now() });
        tell_lost("in", incoming.kind.as_str(), &said.lost);
        tracing::debug!(peer = %sender.peer, errand = incoming.kind.as_str(), http = said.value.http, "letter");
        said.value
    }

    /// What can be said about a letter's content without knowing the room.
    async fn judge(&self, question: &Question, sender: &Sender) -> Result<(), Denial> {
        match question {
            Question::PostCdr(cdr) => own(cdr.party, sender.from),
            Question::Start(order) => self.return_address(order.return_to.as_ref(), sender.peer).await,
            Question::Stop { return_to, .. } | Question::Unlock { return_to, .. } => {
                self.return_address(return_to.as_ref(), sender.peer).await
            }
            Question::MayCharge { .. }
            | Question::Outcome { .. }
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

fn bounded(question: Question) -> Question {
    match question {
        Question::Locations(mut wish) => {
            wish.limit = page_limit(wish.limit);
            Question::Locations(wish)
        }
        Question::Tariffs(mut wish) => {
            wish.limit = page_limit(wish.limit);
            Question::Tariffs(wish)
        }
        other => other,
    }
}
