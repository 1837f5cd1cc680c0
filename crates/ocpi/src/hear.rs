//! Reading questions: a request becomes a question, and the owner that its URL names is checked against its body.

use std::collections::BTreeMap;

use charge::id::{OrderId, PartyId};
use charge::talk::road::{Denial, PageWish, Question, ReturnAddress};
use charge::token::{PresentedToken, TokenUid};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::read::{At, Crossed, Fault, Lost};
use crate::token::{UID_CHARACTERS_MAX, kind_named};
use crate::wire::{Incoming, Kind};
use crate::{cdr, command, location, session, tariff, token};

/// The question of a request. `body` is [`Value::Null`] where there was none. `name_order` gives an order that came
/// in its name here, from the address that makes it unique.
pub fn question(
    incoming: &Incoming,
    body: &Value,
    name_order: &dyn Fn(&ReturnAddress) -> Option<OrderId>,
) -> Result<Crossed<Question>, Denial> {
    let at = At::root(body);
    let mut lost = Lost::new();
    let value = match incoming.kind {
        Kind::MayCharge => may_charge(incoming, &at, &mut lost)?,
        Kind::Start | Kind::Stop | Kind::Unlock => command::read(incoming.kind, &at, name_order, &mut lost)?,
        Kind::Outcome => {
            let (result, message) = command::read_outcome(&at, &mut lost)?;
            let order = Some(outcome_of(incoming)?);
            Question::Outcome { order, return_to: None, result, message }
        }
        Kind::PutSession => {
            let session = session::read(&at, &mut lost)?;
            same_object(incoming, session.party, session.id.as_str())?;
            Question::PutSession(Box::new(session))
        }
        Kind::PostCdr => Question::PostCdr(Box::new(cdr::read(&at, &mut lost)?)),
        Kind::PutLocation => {
            let location = location::read(&at, &mut lost)?;
            same_object(incoming, location.party, location.id.as_str())?;
            Question::PutLocation(Box::new(location))
        }
        Kind::Evse => evse(incoming, &at, &mut lost)?,
        Kind::PutTariff => {
            let tariff = tariff::read(&at, &mut lost)?;
            same_object(incoming, tariff.party, tariff.id.as_str())?;
            Question::PutTariff(Box::new(tariff))
        }
        Kind::DropTariff => Question::DropTariff(segment(incoming, 2)?),
        Kind::PutToken => {
            let token = token::read(&at, &mut lost)?;
            same_token(incoming, &token)?;
            Question::PutToken(Box::new(token))
        }
        Kind::Locations => Question::Locations(wish(incoming)?),
        Kind::Tariffs => Question::Tariffs(wish(incoming)?),
        Kind::PatchSession | Kind::PatchLocation | Kind::PatchToken => return Err(Denial::NotSupported),
    };
    Ok(Crossed { value, lost })
}

/// The token that a request's URL names: what a hub finds the provider by.
pub fn named_token(incoming: &Incoming) -> Result<PresentedToken, Denial> {
    let position = match incoming.kind {
        Kind::PutToken | Kind::PatchToken => 2,
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
        | Kind::Locations
        | Kind::Tariffs => 0,
    };
    let uid = incoming.segments.get(position).map(String::as_str).unwrap_or_default();
    if uid.chars().count() > UID_CHARACTERS_MAX {
        return Err(malformed("the token uid in the URL", "is longer than 36 characters"));
    }
    let uid = TokenUid::new(uid).map_err(|fault| malformed("the token uid in the URL", &fault.to_string()))?;
    let kind = kind_named(incoming.query("type")).ok_or_else(|| malformed("type", "is no type of token"))?;
    Ok(PresentedToken::new(uid, kind))
}

/// The order that an outcome is of: the last segment of the address that we gave.
pub fn outcome_of(incoming: &Incoming) -> Result<OrderId, Denial> {
    segment(incoming, 1).map_err(|_| Denial::UnknownObject)
}

/// What a pushed token's body says about its validity, for a hub; `None` where a `PATCH` leaves it as it is.
pub fn token_valid(body: &Value) -> Result<Option<bool>, Denial> {
    let valid = At::root(body).field("valid").map(|valid| valid.yes_or_no()).transpose()?;
    Ok(valid)
}

/// The return address of an order, for a hub.
pub fn return_address(body: &Value) -> Result<ReturnAddress, Denial> {
    Ok(command::read_return_address(&At::root(body))?)
}

/// An order with another return address; every other member stays as it was written, known or not.
pub fn with_return_address(body: &[u8], address: &str) -> Result<String, Denial> {
    let whole = |_| malformed("", "is not a JSON object");
    let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(body).map_err(whole)?;
    let address = RawValue::from_string(Value::from(address).to_string()).map_err(whole)?;
    members.insert(command::RESPONSE_URL.to_owned(), address);
    serde_json::to_string(&members).map_err(whole)
}

/// A part of an object's URL that is an identifier.
pub fn segment<T: std::str::FromStr>(incoming: &Incoming, position: usize) -> Result<T, Denial> {
    let text = incoming.segments.get(position).map(String::as_str).unwrap_or_default();
    text.parse().map_err(|_| malformed("the id in the URL", "does not have the form of such an identifier"))
}

/// What part of a list is wanted.
pub fn wish(incoming: &Incoming) -> Result<PageWish, Denial> {
    let number = |name: &str| match incoming.query(name) {
        Some(text) => text.parse::<u32>().map_err(|_| malformed(name, "is not a whole number")),
        None => Ok(0),
    };
    let since = |text: &str| At::below(&Value::from(text), "date_from".to_owned()).time();
    let changed_since = incoming.query("date_from").map(since).transpose()?;
    Ok(PageWish { changed_since, offset: number("offset")?, limit: number("limit")? })
}

/// A place may come along although we never send one; it is not looked at.
fn may_charge(incoming: &Incoming, at: &At<'_>, lost: &mut Lost) -> Result<Question, Denial> {
    at.unworded(&["location_id", "evse_uids"], lost);
    Ok(Question::MayCharge { token: named_token(incoming)? })
}

/// A `PATCH` of the status, or a `PUT` of the whole EVSE, of which the status is taken.
fn evse(incoming: &Incoming, at: &At<'_>, lost: &mut Lost) -> Result<Question, Denial> {
    let status = at.field("status").ok_or(Denial::NotSupported)?;
    at.unworded(&["connectors", "evse_id", "physical_reference", "coordinates", "capabilities"], lost);
    Ok(Question::PatchEvse {
        location: segment(incoming, 2)?,
        evse: segment(incoming, 3)?,
        status: location::read_status(&status)?,
        at: at.need("last_updated")?.time()?,
    })
}

/// The URL and the object must name the same owner and id (OCPI 2.2.1, 4.1.10).
fn same_object(incoming: &Incoming, party: PartyId, id: &str) -> Result<(), Denial> {
    let named = incoming.segments.get(2).map(String::as_str).unwrap_or_default();
    if incoming.owner() != Some(Ok(party)) {
        return Err(malformed("/party_id", "is not the party that the URL names"));
    }
    if !named.eq_ignore_ascii_case(id) {
        return Err(malformed("/id", "is not the id that the URL names"));
    }
    Ok(())
}

fn same_token(incoming: &Incoming, token: &charge::token::IssuedToken) -> Result<(), Denial> {
    let named = named_token(incoming)?;
    if incoming.owner() != Some(Ok(token.party)) {
        return Err(malformed("/party_id", "is not the party that the URL names"));
    }
    if named.uid != token.uid {
        return Err(malformed("/uid", "is not the uid that the URL names"));
    }
    // the query says RFID where it says nothing, so only a type that was written can contradict
    if incoming.query("type").is_some() && named.kind != token.kind {
        return Err(malformed("/type", "is not the type that the URL names"));
    }
    Ok(())
}

fn malformed(path: &str, why: &str) -> Denial {
    Fault { path: path.to_owned(), why: why.into() }.into()
}
