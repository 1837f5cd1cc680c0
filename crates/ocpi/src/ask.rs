//! Writing questions: a letter becomes a request.

use charge::Timestamp;
use charge::id::{CdrId, OrderId, PartyId};
use charge::place::EvseStatus;
use charge::talk::road::{Letter, OrderKind, PageWish, Question, ReturnAddress};
use charge::token::PresentedToken;

use crate::read::{Crossed, Fault, Lost};
use crate::token::{kind_lost, kind_word, wire_uid};
use crate::wire::{Kind, Method, Module, Request, Side, Target};
use crate::write::{Json, Object, time};
use crate::{cdr, command, location, session, tariff, token, url};

/// What was asked, as far as the answer has to be read or written in its light.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    MayCharge(PresentedToken),
    Order,
    Cdr(CdrId),
    Locations(PageWish),
    Tariffs(PageWish),
    /// Something that is only acknowledged.
    Notice,
}

impl Asked {
    pub fn of(question: &Question) -> Self {
        match question {
            Question::MayCharge { token } => Self::MayCharge(token.clone()),
            Question::Start(_) | Question::Stop { .. } | Question::Unlock { .. } => Self::Order,
            Question::PostCdr(cdr) => Self::Cdr(cdr.id.clone()),
            Question::Locations(wish) => Self::Locations(*wish),
            Question::Tariffs(wish) => Self::Tariffs(*wish),
            Question::Outcome { .. }
            | Question::PutSession(_)
            | Question::PutLocation(_)
            | Question::PatchEvse { .. }
            | Question::PutTariff(_)
            | Question::DropTariff(_)
            | Question::PutToken(_) => Self::Notice,
        }
    }
}

/// The request that a letter becomes. `base` is our own, for the addresses where outcomes are sent to.
pub fn request(letter: &Letter, base: &str) -> Result<Crossed<Request>, Fault> {
    let mut lost = Lost::new();
    let value = write(&letter.question, letter.from, base, &mut lost)?;
    Ok(Crossed { value, lost })
}

fn write(question: &Question, from: PartyId, base: &str, lost: &mut Lost) -> Result<Request, Fault> {
    use Method::{Delete, Patch, Post, Put};
    use Module::{Cdrs, Commands, Locations, Sessions, Tariffs, Tokens};
    let receiver = |method, module, rest: String, kind, body: Option<Json>| Request {
        method,
        target: Target::Endpoint { module, side: Side::Receiver, rest },
        query: String::new(),
        body: body.map(|body| body.to_string()),
        kind,
    };
    Ok(match question {
        Question::MayCharge { token } => may_charge(token, lost)?,
        Question::Start(order) => {
            let address = return_address(base, OrderKind::Start, &order.order, order.return_to.as_ref());
            let body = command::write_start(order, &address, lost)?;
            receiver(Post, Commands, "/START_SESSION".to_owned(), Kind::Start, Some(body))
        }
        Question::Stop { order, return_to, session } => {
            let address = return_address(base, OrderKind::Stop, order, return_to.as_ref());
            let body = Object::default().with(command::RESPONSE_URL, address).with("session_id", session.as_str());
            receiver(Post, Commands, "/STOP_SESSION".to_owned(), Kind::Stop, Some(body.into()))
        }
        Question::Unlock { order, return_to, location, evse, connector } => {
            let body = Object::default()
                .with(command::RESPONSE_URL, return_address(base, OrderKind::Unlock, order, return_to.as_ref()))
                .with("location_id", location.as_str())
                .with("evse_uid", evse.as_str())
                .with("connector_id", connector.as_str());
            receiver(Post, Commands, "/UNLOCK_CONNECTOR".to_owned(), Kind::Unlock, Some(body.into()))
        }
        Question::Outcome { return_to, result, message, .. } => {
            let body = command::write_outcome(*result, message.as_deref(), lost);
            outcome(return_to.as_ref(), &body)?
        }
        Question::PutSession(put) => {
            let body = session::write(put, lost)?;
            receiver(Put, Sessions, owned(put.party, put.id.as_str()), Kind::PutSession, Some(body))
        }
        Question::PostCdr(post) => receiver(Post, Cdrs, String::new(), Kind::PostCdr, Some(cdr::write(post, lost)?)),
        Question::PutLocation(put) => {
            let body = location::write(put, lost);
            receiver(Put, Locations, owned(put.party, put.id.as_str()), Kind::PutLocation, Some(body))
        }
        Question::PatchEvse { location, evse, status, at } => {
            let rest = format!("{}/{}", owned(from, location.as_str()), url::encode(evse.as_str()));
            receiver(Patch, Locations, rest, Kind::Evse, Some(evse_status(*status, *at)))
        }
        Question::PutTariff(put) => {
            let body = tariff::write(put, lost);
            receiver(Put, Tariffs, owned(put.party, put.id.as_str()), Kind::PutTariff, Some(body))
        }
        Question::DropTariff(id) => receiver(Delete, Tariffs, owned(from, id.as_str()), Kind::DropTariff, None),
        Question::PutToken(put) => {
            let body = token::write(put, lost)?;
            let rest = owned(put.party, &wire_uid(&put.uid)?);
            let query = url::query(&[("type", kind_word(put.kind).to_owned())]);
            Request { query, ..receiver(Put, Tokens, rest, Kind::PutToken, Some(body)) }
        }
        Question::Locations(wish) => list(Locations, Kind::Locations, *wish),
        Question::Tariffs(wish) => list(Tariffs, Kind::Tariffs, *wish),
    })
}

/// Without a body: nobody learns the place before saying that the token is theirs (OCPI 2.2.1, 12.2.2.2, where
/// `LocationReferences` is optional).
fn may_charge(token: &PresentedToken, lost: &mut Lost) -> Result<Request, Fault> {
    kind_lost(token.kind, "/type", lost);
    let rest = format!("/{}/authorize", url::encode(&wire_uid(&token.uid)?));
    Ok(Request {
        method: Method::Post,
        target: Target::Endpoint { module: Module::Tokens, side: Side::Sender, rest },
        query: url::query(&[("type", kind_word(token.kind).to_owned())]),
        body: None,
        kind: Kind::MayCharge,
    })
}

fn outcome(return_to: Option<&ReturnAddress>, body: &Json) -> Result<Request, Fault> {
    let address = return_to.ok_or_else(|| Fault { path: "/return_to".to_owned(), why: "is missing".into() })?;
    Ok(Request {
        method: Method::Post,
        target: Target::Address(address.0.clone()),
        query: String::new(),
        body: Some(body.to_string()),
        kind: Kind::Outcome,
    })
}

fn return_address(base: &str, kind: OrderKind, order: &OrderId, given: Option<&ReturnAddress>) -> String {
    given.map_or_else(|| url::callback(base, kind, order), |address| address.0.clone())
}

fn evse_status(status: EvseStatus, at: Timestamp) -> Json {
    Object::default().with("status", status.as_str()).with("last_updated", time(at)).into()
}

fn owned(party: PartyId, id: &str) -> String {
    format!("/{}/{}/{}", party.country(), party.code(), url::encode(id))
}

fn list(module: Module, kind: Kind, wish: PageWish) -> Request {
    Request {
        method: Method::Get,
        target: Target::Endpoint { module, side: Side::Sender, rest: String::new() },
        query: page_query(wish),
        body: None,
        kind,
    }
}

/// OCPI 2.2.1, 4.1.3.2. A limit of zero leaves the size of the page to the other side.
pub(crate) fn page_query(wish: PageWish) -> String {
    let mut pairs = Vec::new();
    if let Some(since) = wish.changed_since {
        pairs.push(("date_from", time(since)));
    }
    pairs.push(("offset", wish.offset.to_string()));
    if wish.limit > 0 {
        pairs.push(("limit", wish.limit.to_string()));
    }
    url::query(&pairs)
}
