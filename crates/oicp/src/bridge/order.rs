//! Remote start and stop, reservations (OICP 2.3, eRoamingAuthorizeRemote…, eRoamingAuthorizeRemoteReservation…).
//!
//! OICP's orders are answered with their outcome; there is no callback. The broker's session id names the order, the
//! reservation and, until the operator has named its own, the session. Deliberately without waiting: that is the door's.

use std::time::Duration;

use charge::id::{AuthorizationReference, EvseId, OrderId, PartyId, SessionId};
use charge::talk::road::{Question, ReservationOrder, ReservationWish, StartOrder};
use charge::token::{IssuedToken, TokenKind};
use charge::{Personal, Purpose, Timestamp};

use super::{Beside, Place, missing, token};
use crate::doc::{Fault, Lost, Record};
use crate::form;
use charge::talk::road::Denial;

/// How long a reservation holds whose duration was not said. OICP leaves it to the operator.
const RESERVATION_DEFAULT: Duration = Duration::from_secs(15 * 60);

pub(crate) fn place_of(body: &Record, beside: &Beside<'_>) -> Result<Place, Denial> {
    let id: EvseId = body.word("EvseID")?;
    beside.places.by_id(&id).ok_or(Denial::UnknownLocation)
}

fn contract_token(body: &Record, now: Timestamp) -> Result<IssuedToken, Denial> {
    let identified = token::read(body)?;
    let party: PartyId = body.word("ProviderID")?;
    let contract =
        identified.contract.ok_or_else(|| Fault::new("/Identification", "is no contract, which orders need"))?;
    if contract.party().is_some_and(|named| named != party) {
        return Err(Denial::NotYours);
    }
    Ok(IssuedToken {
        party,
        uid: identified.token.uid,
        kind: TokenKind::AdHocUser,
        contract: Personal::new(contract),
        valid: true,
        last_updated: now,
    })
}

/// Reads a start. `session` is the broker's id of it.
pub(crate) fn read_start(
    body: &Record,
    session: &str,
    beside: &Beside<'_>,
    lost: &mut Lost,
) -> Result<Question, Denial> {
    let place = place_of(body, beside)?;
    let (order, reference) = names(session)?;
    if body.get("PartnerProductID").is_some() {
        lost.push(Fault::new("/PartnerProductID", "is not carried"));
    }
    Ok(Question::Start(StartOrder {
        order,
        return_to: None,
        token: contract_token(body, beside.now)?,
        location: place.location.id.clone(),
        evse: place.evse().map(|evse| evse.uid.clone()),
        connector: None,
        reference: Some(reference),
    }))
}

/// Reads a stop. `session` is the operator's id of it where it is known, else the broker's.
pub(crate) fn read_stop(body: &Record, session: &str) -> Result<Question, Denial> {
    let (order, _) = names(body.text("SessionID").ok_or_else(|| missing("SessionID"))?)?;
    let session = SessionId::new(session).map_err(|_| Denial::UnknownObject)?;
    Ok(Question::Stop { order, return_to: None, session })
}

pub(crate) fn read_reservation(
    body: &Record,
    session: &str,
    beside: &Beside<'_>,
    lost: &mut Lost,
) -> Result<Question, Denial> {
    let place = place_of(body, beside)?;
    let (order, reference) = names(session)?;
    let minutes = body.number("Duration").and_then(|minutes| u64::try_from(minutes).ok());
    if minutes.is_none() {
        lost.push(Fault::new("/Duration", "is not said; a quarter of an hour is taken"));
    }
    let span = minutes.map_or(RESERVATION_DEFAULT, |minutes| Duration::from_secs(minutes * 60));
    let wish = ReservationWish::Make {
        token: Box::new(contract_token(body, beside.now)?),
        until: beside.now.plus(span),
        location: place.location.id.clone(),
        evse: place.evse().map(|evse| evse.uid.clone()),
        reference: Some(reference),
    };
    Ok(Question::Reservation(ReservationOrder { order, return_to: None, reservation: session.into(), wish }))
}

pub(crate) fn read_cancel(body: &Record) -> Result<Question, Denial> {
    let session = body.text("SessionID").ok_or_else(|| missing("SessionID"))?;
    let (order, _) = names(session)?;
    let wish = ReservationWish::Cancel;
    Ok(Question::Reservation(ReservationOrder { order, return_to: None, reservation: session.into(), wish }))
}

fn names(session: &str) -> Result<(OrderId, AuthorizationReference), Denial> {
    let bad = |_| Denial::from(Fault::new("/SessionID", "is no session id"));
    Ok((OrderId::new(session).map_err(bad)?, AuthorizationReference::new(session).map_err(bad)?))
}

/// A session id in OICP's form, where a word has one.
pub(crate) fn guid(text: &str) -> Option<String> {
    form::is_session_id(text).then(|| text.to_owned())
}

pub(crate) fn evse_id(place: Option<&Place>) -> Result<String, Fault> {
    let none = || Fault::new("/EvseID", "has no public id that OICP could name");
    let id = place.and_then(Place::evse).and_then(|evse| evse.id.clone()).ok_or_else(none)?;
    if form::is_evse_id(id.as_str()) {
        Ok(id.as_str().to_owned())
    } else {
        Err(Fault::new("/EvseID", form::EVSE_ID.why))
    }
}

/// A start, towards an operator. `session`: the broker's id; a provider leaves it out.
pub(crate) fn write_start(
    order: &StartOrder,
    session: Option<&str>,
    beside: &Beside<'_>,
    lost: &mut Lost,
) -> Result<Record, Fault> {
    let place = beside.places.by_uid(None, &order.location, order.evse.as_ref());
    if order.connector.is_some() {
        lost.push(Fault::new("/connector_id", "has no member in OICP"));
    }
    uid_left(&order.token, lost);
    let reference = order.reference.as_ref().map(AuthorizationReference::as_str);
    Ok(Record::default()
        .maybe("SessionID", session)
        .maybe("EMPPartnerSessionID", reference.filter(|reference| Some(*reference) != session))
        .with("ProviderID", form::provider_id(order.token.party))
        .with("EvseID", evse_id(place.as_ref())?)
        .with("Identification", token::write_remote(&order.token)?))
}

pub(crate) fn write_stop(session: &str, provider: PartyId, evse_id: Option<&str>) -> Result<Record, Fault> {
    let session = guid(session).ok_or_else(|| Fault::new("/SessionID", form::SESSION_ID.why))?;
    let record = Record::default().with("SessionID", session).with("ProviderID", form::provider_id(provider));
    Ok(record.with("EvseID", evse_id.ok_or_else(|| missing("EvseID"))?))
}

pub(crate) fn write_reservation(
    order: &ReservationOrder,
    session: Option<&str>,
    beside: &Beside<'_>,
    lost: &mut Lost,
) -> Result<Record, Fault> {
    let ReservationWish::Make { token: issued, until, location, evse, reference } = &order.wish else {
        return Err(Fault::new("", "is no reservation"));
    };
    uid_left(issued, lost);
    let place = beside.places.by_uid(None, location, evse.as_ref());
    let minutes = until.since(beside.now).as_secs().div_ceil(60).clamp(1, RESERVATION_MINUTES_MAX);
    Ok(Record::default()
        .maybe("SessionID", session)
        .maybe("EMPPartnerSessionID", reference.as_ref().map(AuthorizationReference::as_str))
        .with("ProviderID", form::provider_id(issued.party))
        .with("EvseID", evse_id(place.as_ref())?)
        .with("Identification", token::write_remote(issued)?)
        .with("Duration", u32::try_from(minutes).unwrap_or(1)))
}

/// Orders name a contract; a uid that is nothing but the contract is not lost.
fn uid_left(token: &IssuedToken, lost: &mut Lost) {
    let contract = token.contract.reveal(Purpose::Transmit).compact();
    let uid = token.uid.reveal(Purpose::Transmit).normal();
    if charge::token::ContractId::new(uid).is_ok_and(|uid| uid.compact() != contract) {
        lost.push(Fault::new("/token/uid", "has no member in OICP, whose orders name contracts"));
    }
}

/// OICP 2.3, eRoamingAuthorizeRemoteReservationStart: two digits.
const RESERVATION_MINUTES_MAX: u64 = 99;
