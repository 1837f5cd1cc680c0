//! Orders and what became of them (OCPI 2.2.1, module 13).

use charge::id::{AuthorizationReference, ConnectorId, EvseUid, OrderId};
use charge::talk::road::{OrderAck, OrderResult, Question, ReturnAddress, StartOrder};

use crate::read::{At, Fault, Lost};
use crate::tariff::{display_text, read_display_text};
use crate::token;
use crate::wire::Kind;
use crate::write::{Json, Object};

/// OCPI 2.2.1, 17.9: a URL has at most 255 characters.
const URL_CHARACTERS_MAX: usize = 255;

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

pub(crate) fn write_start(order: &StartOrder, response_url: &str, lost: &mut Lost) -> Result<Json, Fault> {
    Ok(Object::default()
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
        Kind::MayCharge
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
        | Kind::PatchToken
        | Kind::Locations
        | Kind::Tariffs => Err(at.fault("is no order")),
    }
}

/// Whether the address may be used is for the door to judge: it knows who its neighbours are.
pub(crate) fn read_return_address(at: &At<'_>) -> Result<ReturnAddress, Fault> {
    let url = at.need(RESPONSE_URL)?;
    let text = url.text()?;
    if text.chars().count() > URL_CHARACTERS_MAX || crate::url::origin(&text).is_none() {
        return Err(url.fault("is not an https URL of at most 255 characters"));
    }
    Ok(ReturnAddress(text))
}

/// OCPI 2.2.1, 13.3.2 `CommandResponse`.
pub(crate) fn write_ack(ack: OrderAck, message: Option<&str>, lost: &mut Lost) -> Json {
    let (result, timeout) = match ack {
        OrderAck::Accepted { outcome_within_s } => ("ACCEPTED", outcome_within_s),
        OrderAck::Rejected => ("REJECTED", 0),
        OrderAck::NotSupported => ("NOT_SUPPORTED", 0),
        OrderAck::UnknownSession => ("UNKNOWN_SESSION", 0),
    };
    Object::default()
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
    ];
    Ok((at.need("result")?.one_of(&acks)?, read_display_text(at, "message", lost)))
}

/// OCPI 2.2.1, 13.3.3 `CommandResult`.
pub(crate) fn write_outcome(result: OrderResult, message: Option<&str>, lost: &mut Lost) -> Json {
    Object::default()
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
