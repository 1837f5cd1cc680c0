//! Writing questions: a letter becomes a request.

use charge::Timestamp;
use charge::id::{CdrId, OrderId, PartyId};
use charge::place::EvseStatus;
use charge::talk::road::{Letter, OrderKind, PageWish, Question, ReservationWish, ReturnAddress, Wanted};
use charge::token::PresentedToken;

use crate::booking::{self, AskedBooking};
use crate::cross::{self, Beside, Noun};
use crate::read::{Crossed, Fault, Lost};
use crate::token::{kind_lost, kind_word_in, wire_uid};
use crate::versions::Version;
use crate::wire::{Incoming, Kind, Method, Module, Request, Side, Target};
use crate::write::{Doc, Record, time};
use crate::{cdr, command, location, profile, session, tariff, token, url};

/// What was asked, as far as the answer has to be read or written in its light.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    MayCharge(PresentedToken),
    Order,
    Cdr(CdrId),
    Locations(PageWish),
    Tariffs(PageWish),
    /// With the EVSE and the connector that the URL of a location goes on to.
    Fetch(Box<Wanted>, Vec<String>),
    Booking(Box<AskedBooking>),
    /// Something that is only acknowledged.
    Notice,
}

impl Asked {
    pub fn of(question: &Question) -> Self {
        match question {
            Question::MayCharge { token } => Self::MayCharge(token.clone()),
            Question::Start(_)
            | Question::Stop { .. }
            | Question::Unlock { .. }
            | Question::Reservation(_)
            | Question::Profile(_) => Self::Order,
            Question::Fetch(wanted) => Self::Fetch(Box::new(wanted.clone()), Vec::new()),
            Question::Booking(about) => {
                AskedBooking::of(about).map_or(Self::Notice, |asked| Self::Booking(Box::new(asked)))
            }
            Question::PostCdr(cdr) => Self::Cdr(cdr.id.clone()),
            Question::Locations(wish) => Self::Locations(*wish),
            Question::Tariffs(wish) => Self::Tariffs(*wish),
            Question::Outcome { .. }
            | Question::ProfileOutcome { .. }
            | Question::Plan { .. }
            | Question::PutSession(_)
            | Question::PutLocation(_)
            | Question::PatchEvse { .. }
            | Question::PutTariff(_)
            | Question::DropTariff(_)
            | Question::PutToken(_) => Self::Notice,
        }
    }
}

impl Asked {
    /// What a request asked that came in: a location's URL may go on to one EVSE or connector of it.
    pub fn heard(question: &Question, incoming: &Incoming) -> Self {
        let below = match incoming.kind {
            Kind::OneLocation => 1,
            Kind::KeptLocation => 3,
            _no_location => usize::MAX,
        };
        match Self::of(question) {
            Self::Fetch(wanted, _) => Self::Fetch(wanted, incoming.segments.iter().skip(below).cloned().collect()),
            Self::Booking(asked) => Self::Booking(Box::new(asked.below(incoming))),
            other => other,
        }
    }

    /// What the data of the answer is, or its items are.
    pub(crate) fn noun(&self) -> Noun {
        match self {
            Self::MayCharge(_) => Noun::Verdict,
            Self::Locations(_) => Noun::Location,
            Self::Tariffs(_) => Noun::Tariff,
            Self::Fetch(wanted, below) => match (&**wanted, below.len()) {
                (Wanted::Location { .. }, 0) => Noun::Location,
                (Wanted::Location { .. }, 1) => Noun::Evse,
                (Wanted::Location { .. }, _) => Noun::Connector,
                (Wanted::Sessions(_) | Wanted::Session { .. }, _) => Noun::Session,
                (Wanted::Cdrs(_) | Wanted::Cdr { .. }, _) => Noun::Cdr,
                (Wanted::Tokens(_) | Wanted::Token { .. }, _) => Noun::Token,
                (Wanted::Tariff { .. }, _) => Noun::Tariff,
            },
            Self::Order => Noun::Ack,
            Self::Cdr(_) | Self::Booking(_) | Self::Notice => Noun::Plain,
        }
    }
}

/// To whom a request is written.
#[derive(Clone, Copy, Debug)]
pub struct Toward<'a> {
    /// What the receiver speaks.
    pub version: Version,
    /// Our own address, for the return addresses of orders.
    pub base: &'a str,
    /// The location of a session as a document of 2.2.1, for receivers that want it whole (2.1.1).
    pub place: Option<&'a str>,
}

/// The request that a letter becomes.
pub fn request(letter: &Letter, toward: Toward<'_>) -> Result<Crossed<Request>, Fault> {
    let mut lost = Lost::new();
    let mut value = write(&letter.question, letter.from, toward, &mut lost)?;
    if let Target::Endpoint { module, .. } = &value.target
        && !(module.is_in(toward.version) && value.kind.is_in(toward.version))
    {
        return Err(Fault::new("", "is nothing that the receiver's version has a word for"));
    }
    let beside = Beside { owner: Some(letter.from), payer: None, place: toward.place, ..Beside::default() };
    let body = value.body.as_deref().unwrap_or_default();
    let crossed = cross::body(Version::V221, toward.version, value.kind, body.as_bytes(), beside)?;
    lost.extend(crossed.lost);
    if crossed.value.is_some() {
        value.body = crossed.value;
    }
    Ok(Crossed { value, lost })
}

fn write(question: &Question, from: PartyId, toward: Toward<'_>, lost: &mut Lost) -> Result<Request, Fault> {
    let return_address = |kind, order: &OrderId, given: Option<&ReturnAddress>| {
        given.map_or_else(|| url::callback(toward.base, toward.version, kind, order), |address| address.0.clone())
    };
    use Method::{Delete, Patch, Post, Put};
    use Module::{Cdrs, Commands, Locations, Sessions, Tariffs, Tokens};
    let receiver = |method, module, rest: String, kind, body: Option<Doc>| Request {
        method,
        target: Target::Endpoint { module, side: Side::Receiver, rest },
        query: String::new(),
        body: body.map(|body| body.to_string()),
        kind,
    };
    Ok(match question {
        Question::MayCharge { token } => may_charge(token, toward, lost)?,
        Question::Start(order) => {
            let address = return_address(OrderKind::Start, &order.order, order.return_to.as_ref());
            let body = command::write_start(order, &address, lost)?;
            receiver(Post, Commands, "/START_SESSION".to_owned(), Kind::Start, Some(body))
        }
        Question::Stop { order, return_to, session } => {
            let address = return_address(OrderKind::Stop, order, return_to.as_ref());
            let body = Record::default().with(command::RESPONSE_URL, address).with("session_id", session.as_str());
            receiver(Post, Commands, "/STOP_SESSION".to_owned(), Kind::Stop, Some(body.into()))
        }
        Question::Unlock { order, return_to, location, evse, connector } => {
            let body = Record::default()
                .with(command::RESPONSE_URL, return_address(OrderKind::Unlock, order, return_to.as_ref()))
                .with("location_id", location.as_str())
                .with("evse_uid", evse.as_str())
                .with("connector_id", connector.as_str());
            receiver(Post, Commands, "/UNLOCK_CONNECTOR".to_owned(), Kind::Unlock, Some(body.into()))
        }
        Question::Outcome { return_to, result, message, .. } => {
            let body = command::write_outcome(*result, message.as_deref(), lost);
            outcome(return_to.as_ref(), &body, Kind::Outcome)?
        }
        Question::ProfileOutcome { return_to, result, plan, .. } => {
            outcome(return_to.as_ref(), &profile::write_outcome(*result, plan.as_deref()), Kind::ProfileOutcome)?
        }
        Question::Plan { session, plan } => {
            let rest = format!("/{}", url::encode(session.as_str()));
            let target = Target::Endpoint { module: Module::ChargingProfiles, side: Side::Sender, rest };
            let body = Some(Doc::from(profile::write_plan(plan)).to_string());
            Request { method: Put, target, query: String::new(), body, kind: Kind::Plan }
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
            let query = url::query(&[("type", kind_word_in(toward.version, put.kind).to_owned())]);
            Request { query, ..receiver(Put, Tokens, rest, Kind::PutToken, Some(body)) }
        }
        Question::Locations(wish) => list(Locations, Kind::Locations, *wish),
        Question::Tariffs(wish) => list(Tariffs, Kind::Tariffs, *wish),
        Question::Fetch(wanted) => fetch(wanted, from, toward)?,
        Question::Reservation(order) => {
            let (kind, word, name) = match order.wish {
                ReservationWish::Make { .. } => (OrderKind::Reserve, Kind::Reserve, "/RESERVE_NOW"),
                ReservationWish::Cancel => {
                    (OrderKind::CancelReservation, Kind::CancelReservation, "/CANCEL_RESERVATION")
                }
            };
            let address = return_address(kind, &order.order, order.return_to.as_ref());
            let body = command::write_reservation(order, &address, lost)?;
            receiver(Post, Commands, name.to_owned(), word, Some(body))
        }
        Question::Profile(order) => profile::write(order, toward.base, toward.version),
        Question::Booking(about) => booking::ask(about, lost)?,
    })
}

/// Without a body: nobody learns the place before saying that the token is theirs (OCPI 2.2.1, 12.2.2.2, where
/// `LocationReferences` is optional).
fn may_charge(token: &PresentedToken, toward: Toward<'_>, lost: &mut Lost) -> Result<Request, Fault> {
    if toward.version != Version::V230 {
        kind_lost(token.kind, "/type", lost);
    }
    let rest = format!("/{}/authorize", url::encode(&wire_uid(&token.uid)?));
    Ok(Request {
        method: Method::Post,
        target: Target::Endpoint { module: Module::Tokens, side: Side::Sender, rest },
        query: url::query(&[("type", kind_word_in(toward.version, token.kind).to_owned())]),
        body: None,
        kind: Kind::MayCharge,
    })
}

/// An object of somebody else's is asked of its owner; one of ours is asked back from whoever keeps it.
fn fetch(wanted: &Wanted, from: PartyId, toward: Toward<'_>) -> Result<Request, Fault> {
    let one = |module, side, rest: String, kind| Request {
        method: Method::Get,
        target: Target::Endpoint { module, side, rest },
        query: String::new(),
        body: None,
        kind,
    };
    let back = |module, owner, id: &str, kind| one(module, Side::Receiver, owned(owner, id), kind);
    Ok(match wanted {
        Wanted::Sessions(wish) => list(Module::Sessions, Kind::Sessions, *wish),
        Wanted::Cdrs(wish) => list(Module::Cdrs, Kind::Cdrs, *wish),
        Wanted::Tokens(wish) => list(Module::Tokens, Kind::Tokens, *wish),
        Wanted::Location { owner, id } if *owner == from => {
            back(Module::Locations, *owner, id.as_str(), Kind::KeptLocation)
        }
        Wanted::Location { id, .. } => {
            one(Module::Locations, Side::Sender, format!("/{}", url::encode(id.as_str())), Kind::OneLocation)
        }
        Wanted::Tariff { owner, id } => back(Module::Tariffs, *owner, id.as_str(), Kind::KeptTariff),
        Wanted::Session { owner, id } => back(Module::Sessions, *owner, id.as_str(), Kind::KeptSession),
        Wanted::Cdr { id, .. } => {
            one(Module::Cdrs, Side::Receiver, format!("/{}", url::encode(id.as_str())), Kind::KeptCdr)
        }
        Wanted::Token { owner, token } => {
            let request = back(Module::Tokens, *owner, &wire_uid(&token.uid)?, Kind::KeptToken);
            Request { query: url::query(&[("type", kind_word_in(toward.version, token.kind).to_owned())]), ..request }
        }
    })
}

fn outcome(return_to: Option<&ReturnAddress>, body: &Doc, kind: Kind) -> Result<Request, Fault> {
    let address = return_to.ok_or_else(|| Fault::new("/return_to", "is missing"))?;
    Ok(Request {
        method: Method::Post,
        target: Target::Address(address.0.clone()),
        query: String::new(),
        body: Some(body.to_string()),
        kind,
    })
}

fn evse_status(status: EvseStatus, at: Timestamp) -> Doc {
    Record::default().with("status", status.as_str()).with("last_updated", time(at)).into()
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
pub fn page_query(wish: PageWish) -> String {
    let mut pairs = Vec::new();
    if let Some(since) = wish.changed_since {
        pairs.push(("date_from", time(since)));
    }
    if let Some(before) = wish.changed_before {
        pairs.push(("date_to", time(before)));
    }
    pairs.push(("offset", wish.offset.to_string()));
    if wish.limit > 0 {
        pairs.push(("limit", wish.limit.to_string()));
    }
    url::query(&pairs)
}
