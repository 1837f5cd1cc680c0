//! The door of a party of ours at a foreign broker: its requests become letters to our desk.
//!
//! The broker is known by its certificate, and speaks for every party behind it. An order that came in waits here for the
//! outcome that the room tells to [`super::road`]. Invariant: only what our role is asked is heard.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request as HttpRequest, State};
use axum::response::Response;
use bytes::Bytes;
use charge::id::{CorrelationId, OrderId};
use charge::talk::road::{
    Answer, Denial, Letter, OrderAck, OrderResult, Question, ReservationOrder, ReservationWish, ReturnAddress, RoadDesk,
};
use http::StatusCode;
use ocpi::credentials::Role;
use oicp::bridge::hear::Names;
use oicp::bridge::{Beside, answer, hear};
use oicp::message::Reply;
use oicp::status::Code;
use oicp::{Caller, Lost, Version};

use super::entrance::{self, Received};
use super::road::BrokerRoad;
use crate::road::across::{order_of, reference_of};
use crate::road::limits::OUTCOME_WAIT_MAX;
use crate::road::serve::ClientCertificate;

#[derive(Clone)]
struct Door {
    road: BrokerRoad,
    role: Role,
    desk: Arc<dyn RoadDesk>,
}

/// The routes of an operator or a provider at a broker, for a listener that asks for client certificates.
pub fn member_router(road: &BrokerRoad, role: Role, desk: Arc<dyn RoadDesk>) -> Router {
    let enter = axum::routing::post(enter);
    let door = Door { road: road.clone(), role, desk };
    Router::new().route("/api/oicp/{*rest}", enter.clone()).route("/ibis/ws/{service}", enter).with_state(door)
}

async fn enter(State(door): State<Door>, request: HttpRequest) -> Response {
    let (parts, body) = request.into_parts();
    let Some(goal) = entrance::goal(&parts.uri) else {
        return entrance::raw(Version::V23, Bytes::new(), StatusCode::NOT_FOUND);
    };
    let shown = parts.extensions.get::<ClientCertificate>().map(|shown| shown.0);
    let member = &door.road.0.member;
    if shown.is_none() || shown != member.broker.certificate || goal.version != member.version {
        return goal.refuse(Code::NOT_PERMITTED, StatusCode::UNAUTHORIZED).into_response();
    }
    let received = match goal.read(body).await {
        Ok(received) => received,
        Err(refused) => return refused.into_response(),
    };
    // an operator is asked by providers, a provider by operators
    let asked = match received.caller {
        Caller::Operator => Role::Provider,
        Caller::Provider => Role::Operator,
    };
    if asked != door.role {
        return goal.refuse(Code::NOT_PERMITTED, StatusCode::OK).into_response();
    }
    let (version, operation) = (received.version, received.request.operation);
    let reply = door.hear(&received).await.unwrap_or_else(|denial| entrance::denied(&received, &denial));
    entrance::respond(version, operation, &reply, StatusCode::OK)
}

impl Door {
    /// A start goes by its session's id, and the same one again is the same order. What comes later for that session is
    /// an order of its own each time.
    fn apart(&self, question: Question) -> Result<Question, Denial> {
        let named = |order: &OrderId| {
            let session: String = order.as_str().chars().filter(|c| *c != '-').take(NAME_DIGITS).collect();
            OrderId::new(format!("{session}-{:x}", self.road.now().micros())).map_err(|_| Denial::Internal)
        };
        Ok(match question {
            Question::Stop { order, return_to, session } => {
                Question::Stop { order: named(&order)?, return_to, session }
            }
            Question::Reservation(wish) if wish.wish == ReservationWish::Cancel => {
                Question::Reservation(ReservationOrder { order: named(&wish.order)?, ..wish })
            }
            other => other,
        })
    }

    async fn hear(&self, received: &Received) -> Result<Reply, Denial> {
        let (request, body) = (&received.request, &received.request.body);
        let session = body.text("SessionID").unwrap_or_default().to_owned();
        if let Some(evse) = body.text("EvseID").filter(|_| !session.is_empty()) {
            self.road.remember(&session, evse);
        }
        let own = self.road.own_name(&session);
        let broker = Some(session.as_str()).filter(|id| !id.is_empty());
        let names = Names { broker, operator: own.as_deref() };
        // a record names its payer by the driver's card at best: at a provider's door it is the provider
        let payer = (self.role == Role::Provider).then_some(self.road.0.member.own);
        let heard = hear::questions(request, names, &Beside { payer, ..self.road.beside() })?;
        for loss in received.lost.iter().chain(&heard.lost) {
            tracing::debug!(%loss, "lost on the road");
        }
        let heard = heard.value;
        if heard.pin {
            // whoever holds the contract would have to compare it, and our rooms keep no numbers
            return Err(Denial::UnknownToken);
        }
        let from = heard.from.unwrap_or(self.road.0.member.broker.party);
        let own = self.road.0.member.own;
        let mut reply = answer::noted(request);
        for question in heard.questions {
            let correlation = CorrelationId::new(if session.is_empty() { "oicp" } else { &session });
            let correlation = correlation.map_err(|_| Denial::UnknownObject)?;
            let letter = Letter { from, to: Some(own), correlation, question };
            reply = self.answer(received, letter, &session).await?;
        }
        Ok(reply)
    }

    async fn answer(&self, received: &Received, letter: Letter, session: &str) -> Result<Reply, Denial> {
        let request = &received.request;
        let letter = Letter { question: self.apart(letter.question)?, ..letter };
        let Some(order) = order_of(&letter.question).cloned() else {
            return Ok(match self.desk.hear(letter).await? {
                Answer::May(mut verdict) => {
                    verdict.party = verdict.party.or(Some(self.road.0.member.own));
                    let named = Some(session).filter(|id| !id.is_empty());
                    answer::authorisation(request, &verdict, named, &mut Lost::new())
                }
                _kept => answer::noted(request),
            });
        };
        let place = self.road.0.waiting.place((self.road.0.member.own, order.clone()));
        let letter = Letter { question: returned(letter.question, reference_of(&order)), ..letter };
        let Answer::Order { ack, .. } = self.desk.hear(letter).await? else { return Err(Denial::Internal) };
        let outcome = match ack {
            OrderAck::Accepted { .. } => Some(place.outcome(OUTCOME_WAIT_MAX).await.unwrap_or(OrderResult::TimedOut)),
            OrderAck::Rejected | OrderAck::NotSupported | OrderAck::UnknownSession | OrderAck::TooOften => None,
        };
        Ok(answer::order(request, ack, outcome, Some(session).filter(|id| !id.is_empty())))
    }
}

/// Of a session's id, what the names of later orders begin with.
const NAME_DIGITS: usize = 18;

/// The order with the address that its outcome is to be told to.
fn returned(question: Question, to: ReturnAddress) -> Question {
    let return_to = Some(to);
    match question {
        Question::Start(start) => Question::Start(charge::talk::road::StartOrder { return_to, ..start }),
        Question::Stop { order, session, .. } => Question::Stop { order, return_to, session },
        Question::Reservation(order) => {
            Question::Reservation(charge::talk::road::ReservationOrder { return_to, ..order })
        }
        other => other,
    }
}
