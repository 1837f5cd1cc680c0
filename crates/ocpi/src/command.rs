//! Orders and what became of them (OCPI 2.2.1, module 13).

use charge::id::{AuthorizationReference, ConnectorId, EvseUid, OrderId};
use charge::talk::road::{
    OrderAck, OrderResult, Question, ReservationOrder, ReservationWish, ReturnAddress, StartOrder,
};

use crate::read::{At, Fault, Lost};
use crate::tariff::{display_text, read_display_text};
use crate::token;
use crate::wire::{Incoming, Kind};
use crate::write::{Doc, Record, time};

/// OCPI 2.2.1, 17.9: a URL has at most 255 characters.
const URL_CHARACTERS_MAX: usize = 255;

/// OCPI 2.2.1, 13.3.4.
const RESERVATION_CHARACTERS_MAX: usize = 36;
const BAD_URL: &str = "is not an https URL of at most 255 characters";

/// The member of every order that a hub replaces.
pub const RESPONSE_URL: &str = "response_url";

const RESULTS: &[OrderResult] = &[
    OrderResult::Accepted,
    OrderResult::Failed,
    OrderResult::NotSupported,
    OrderResult::Rejected,
    OrderResult::TimedOut,
    OrderResult::EvseOccupied,
    OrderResult::EvseInoperative,
    OrderResult::UnknownReservation,
];

pub(crate) fn write_start(order: &StartOrder, response_url: &str, lost: &mut Lost) -> Result<Doc, Fault> {
    Ok(Record::default()
        .with(RESPONSE_URL, response_url)
        .with("token", token::write(&order.token, lost)?)
        .with("location_id", order.location.as_str())
        .maybe("evse_uid", order.evse.as_ref().map(EvseUid::as_str))
        .maybe("connector_id", order.connector.as_ref().map(ConnectorId::as_str))
        .maybe("authorization_reference", order.reference.as_ref().map(AuthorizationReference::as_str))
        .into())
}

/// An order that came in. `name_order` gives it its name here, from the address that makes it unique.
pub(crate) fn read(
    kind: Kind,
    at: &At<'_>,
    name_order: &dyn Fn(&ReturnAddress) -> Option<OrderId>,
    lost: &mut Lost,
) -> Result<Question, Fault> {
    let address = read_return_address(at)?;
    let order = name_order(&address).ok_or_else(|| at.fault("names no order"))?;
    let return_to = Some(address);
    match kind {
        Kind::Start => Ok(Question::Start(StartOrder {
            order,
            return_to,
            token: token::read(&at.need("token")?, lost)?,
            location: at.need("location_id")?.word()?,
            evse: at.field("evse_uid").map(|evse| evse.word()).transpose()?,
            connector: at.field("connector_id").map(|connector| connector.word()).transpose()?,
            reference: at.maybe("authorization_reference", lost, At::word),
        })),
        Kind::Stop => Ok(Question::Stop { order, return_to, session: at.need("session_id")?.word()? }),
        Kind::Unlock => Ok(Question::Unlock {
            order,
            return_to,
            location: at.need("location_id")?.word()?,
            evse: at.need("evse_uid")?.word()?,
            connector: at.need("connector_id")?.word()?,
        }),
        Kind::Reserve => {
            let wish = ReservationWish::Make {
                token: Box::new(token::read(&at.need("token")?, lost)?),
                until: at.need("expiry_date")?.time()?,
                location: at.need("location_id")?.word()?,
                evse: at.field("evse_uid").map(|evse| evse.word()).transpose()?,
                reference: at.maybe("authorization_reference", lost, At::word),
            };
            Ok(Question::Reservation(ReservationOrder { order, return_to, reservation: reservation(at)?, wish }))
        }
        Kind::CancelReservation => {
            let wish = ReservationWish::Cancel;
            Ok(Question::Reservation(ReservationOrder { order, return_to, reservation: reservation(at)?, wish }))
        }
        _no_order => Err(at.fault("is no order")),
    }
}

/// OCPI 2.2.1, 13.3.4 `reservation_id`.
fn reservation(at: &At<'_>) -> Result<Box<str>, Fault> {
    let id = at.need("reservation_id")?;
    let text = id.text()?;
    if text.chars().count() > RESERVATION_CHARACTERS_MAX || text.chars().any(char::is_control) {
        return Err(id.fault("is not an id of at most 36 characters"));
    }
    Ok(text.into())
}

/// `RESERVE_NOW` or `CANCEL_RESERVATION`.
pub(crate) fn write_reservation(order: &ReservationOrder, response_url: &str, lost: &mut Lost) -> Result<Doc, Fault> {
    let object = Record::default().with(RESPONSE_URL, response_url).with("reservation_id", &*order.reservation);
    Ok(match &order.wish {
        ReservationWish::Cancel => object.into(),
        ReservationWish::Make { token, until, location, evse, reference } => object
            .with("token", token::write(token, lost)?)
            .with("expiry_date", time(*until))
            .with("location_id", location.as_str())
            .maybe("evse_uid", evse.as_ref().map(EvseUid::as_str))
            .maybe("authorization_reference", reference.as_ref().map(AuthorizationReference::as_str))
            .into(),
    })
}

/// The return address of an order: in its body, or in the query where it has none.
pub(crate) fn return_address_in(incoming: &Incoming, at: &At<'_>) -> Result<ReturnAddress, Fault> {
    match incoming.query(RESPONSE_URL) {
        Some(text) => usable(text.to_owned()).ok_or_else(|| Fault::new(RESPONSE_URL, BAD_URL)),
        None => read_return_address(at),
    }
}

/// Whether the address may be used is for the door to judge: it knows who its neighbours are.
pub(crate) fn read_return_address(at: &At<'_>) -> Result<ReturnAddress, Fault> {
    let url = at.need(RESPONSE_URL)?;
    usable(url.text()?).ok_or_else(|| url.fault(BAD_URL))
}

fn usable(text: String) -> Option<ReturnAddress> {
    let fits = text.chars().count() <= URL_CHARACTERS_MAX && crate::url::origin(&text).is_some();
    fits.then_some(ReturnAddress(text))
}

/// OCPI 2.2.1, 13.3.2 `CommandResponse`.
pub(crate) fn write_ack(ack: OrderAck, message: Option<&str>, lost: &mut Lost) -> Doc {
    let (result, timeout) = match ack {
        OrderAck::Accepted { outcome_within_s } => ("ACCEPTED", outcome_within_s),
        OrderAck::Rejected => ("REJECTED", 0),
        OrderAck::NotSupported => ("NOT_SUPPORTED", 0),
        OrderAck::UnknownSession => ("UNKNOWN_SESSION", 0),
        OrderAck::TooOften => ("TOO_OFTEN", 0),
    };
    Record::default()
        .with("result", result)
        .with("timeout", timeout)
        .maybe("message", message.map(|text| vec![display_text(text, "/message/0/text", lost)]))
        .into()
}

/// Partners write the message as one text or as a list of them.
pub(crate) fn read_ack(at: &At<'_>, lost: &mut Lost) -> Result<(OrderAck, Option<String>), Fault> {
    let outcome_within_s = at.maybe("timeout", lost, At::rounded).unwrap_or(0);
    let acks = [
        ("ACCEPTED", OrderAck::Accepted { outcome_within_s }),
        ("REJECTED", OrderAck::Rejected),
        ("NOT_SUPPORTED", OrderAck::NotSupported),
        ("UNKNOWN_SESSION", OrderAck::UnknownSession),
        ("TOO_OFTEN", OrderAck::TooOften),
        // of 2.1.1: the station is silent
        ("TIMEOUT", OrderAck::Rejected),
    ];
    Ok((at.need("result")?.one_of(&acks)?, read_display_text(at, "message", lost)))
}

/// OCPI 2.2.1, 13.3.3 `CommandResult`.
pub(crate) fn write_outcome(result: OrderResult, message: Option<&str>, lost: &mut Lost) -> Doc {
    Record::default()
        .with("result", result.as_str())
        .maybe("message", message.map(|text| vec![display_text(text, "/message/0/text", lost)]))
        .into()
}

pub(crate) fn read_outcome(at: &At<'_>, lost: &mut Lost) -> Result<(OrderResult, Option<String>), Fault> {
    let word = at.need("result")?;
    let text = word.text()?.trim().to_ascii_uppercase();
    let result = RESULTS.iter().find(|result| result.as_str() == text);
    let result = result.ok_or_else(|| word.fault("is none of the words allowed here"))?;
    Ok((*result, read_display_text(at, "message", lost)))
}
