//! Reading questions: a request becomes a question, and the owner that its URL names is checked against its body.

use charge::id::{OrderId, PartyId};
use charge::talk::road::{Denial, PageWish, Question, ReturnAddress, Wanted};
use charge::token::{PresentedToken, TokenUid};

use crate::cross::{self, Beside, Noun};
use crate::read::{At, Crossed, Fault, Lost, parse};
use crate::token::{UID_CHARACTERS_MAX, kind_named};
use crate::wire::{Incoming, Kind, Method, Side};
use crate::write::{Doc, Record};
use crate::{booking, cdr, command, location, profile, session, tariff, token, url};

/// The question of a request. `body` is [`Doc::Null`] where there was none, and one of 2.2.1 ([`lifted`]). `here` is
/// who is asked. `name_order` gives an order that came in its name here, from the address that makes it unique.
pub fn question(
    incoming: &Incoming,
    body: &Doc,
    here: PartyId,
    name_order: &dyn Fn(&ReturnAddress) -> Option<OrderId>,
) -> Result<Crossed<Question>, Denial> {
    let at = At::root(body);
    let mut lost = Lost::new();
    let value = match incoming.kind {
        Kind::MayCharge => may_charge(incoming, &at, &mut lost)?,
        Kind::Start | Kind::Stop | Kind::Unlock | Kind::Reserve | Kind::CancelReservation => {
            command::read(incoming.kind, &at, name_order, &mut lost)?
        }
        Kind::Outcome => {
            let (result, message) = command::read_outcome(&at, &mut lost)?;
            let order = Some(outcome_of(incoming)?);
            Question::Outcome { order, return_to: None, result, message }
        }
        Kind::ProfileOutcome => {
            let (result, plan) = profile::read_outcome(&at)?;
            let order = Some(outcome_of(incoming)?);
            Question::ProfileOutcome { order, return_to: None, result, plan: plan.map(Box::new) }
        }
        Kind::Plan => Question::Plan { session: segment(incoming, 0)?, plan: Box::new(profile::read_plan(&at)?) },
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
        Kind::SetProfile | Kind::ClearProfile | Kind::ShowProfile => profile::read(incoming, &at, name_order)?,
        Kind::Sessions => Question::Fetch(Wanted::Sessions(wish(incoming)?)),
        Kind::Cdrs => Question::Fetch(Wanted::Cdrs(wish(incoming)?)),
        Kind::Tokens => Question::Fetch(Wanted::Tokens(wish(incoming)?)),
        Kind::OneLocation
        | Kind::KeptLocation
        | Kind::KeptTariff
        | Kind::KeptSession
        | Kind::KeptCdr
        | Kind::KeptToken => Question::Fetch(wanted(incoming, here)?),
        Kind::BookingLocations
        | Kind::OneBookingLocation
        | Kind::Bookings
        | Kind::RequestBooking
        | Kind::PutBooking
        | Kind::KeptBooking => booking::hear(incoming, &at, &mut lost)?,
        Kind::PatchSession
        | Kind::PatchBooking
        | Kind::PatchLocation
        | Kind::PatchTariff
        | Kind::PatchToken
        | Kind::Connector
        | Kind::Preferences
        | Kind::Clients
        | Kind::PutClient
        | Kind::KeptClient
        | Kind::Documents
        | Kind::OneDocument
        | Kind::PutDocument
        | Kind::DropDocument => return Err(Denial::NotSupported),
    };
    Ok(Crossed { value, lost })
}

/// The object that a `GET` names: of ours, or one that its owner pushed to us.
pub fn wanted(incoming: &Incoming, here: PartyId) -> Result<Wanted, Denial> {
    let owner = || incoming.owner().unwrap_or(Err(Denial::UnknownObject));
    Ok(match incoming.kind {
        Kind::OneLocation => Wanted::Location { owner: here, id: segment(incoming, 0)? },
        Kind::KeptLocation => Wanted::Location { owner: owner()?, id: segment(incoming, 2)? },
        Kind::KeptTariff => Wanted::Tariff { owner: owner()?, id: segment(incoming, 2)? },
        Kind::KeptSession => Wanted::Session { owner: owner()?, id: segment(incoming, 2)? },
        Kind::KeptToken => Wanted::Token { owner: owner()?, token: named_token(incoming)? },
        // the owner of a CDR is who asks for it, which the door puts in
        Kind::KeptCdr => Wanted::Cdr { owner: here, id: segment(incoming, 0)? },
        _no_object => return Err(Denial::UnknownObject),
    })
}

/// The body of a request; [`Doc::Null`] where there is none.
pub fn body(bytes: &[u8]) -> Result<Doc, Fault> {
    if bytes.is_empty() { Ok(Doc::Null) } else { parse(bytes) }
}

/// The body of a request in 2.2.1, whatever version it came in.
pub fn lifted(incoming: &Incoming, mut body: Doc, beside: Beside<'_>) -> Result<Crossed<Doc>, Denial> {
    let (noun, mut lost) = (incoming.kind.noun_in(), Lost::new());
    if noun != Noun::Plain {
        cross::lift(incoming.version, noun, &mut body, beside, &mut lost)?;
    }
    Ok(Crossed { value: body, lost })
}

/// The token that a request's URL names: what a hub finds the provider by.
pub fn named_token(incoming: &Incoming) -> Result<PresentedToken, Denial> {
    let position = match incoming.side {
        Side::Receiver => 2,
        Side::Sender => 0,
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
pub fn token_valid(body: &Doc) -> Result<Option<bool>, Denial> {
    let valid = At::root(body).field("valid").map(|valid| valid.yes_or_no()).transpose()?;
    Ok(valid)
}

/// The location that a session names, for a hub that has to hand it along whole.
pub fn session_location(body: &[u8]) -> Option<String> {
    parse(body).ok()?.as_record()?.text("location_id").map(str::to_owned)
}

/// The location that an order names, for a hub: 2.1.1 names no receiver.
pub fn order_location(body: &Doc) -> Option<&str> {
    body.as_record()?.text("location_id")
}

/// The session that an order names.
pub fn order_session(body: &Doc) -> Option<&str> {
    body.as_record()?.text("session_id")
}

/// Whose a public object is, as it says itself.
pub fn owner_in(text: &str) -> Option<PartyId> {
    let object = parse(text.as_bytes()).ok()?;
    let object = object.as_record()?;
    PartyId::new(object.text("country_code")?, object.text("party_id")?).ok()
}

/// The id in a document of 2.2.1.
pub fn id_in(text: &str) -> Option<String> {
    parse(text.as_bytes()).ok()?.as_record()?.text("id").map(str::to_owned)
}

/// Who owes for a session or CDR of OCPI 2.1.1, as far as its contract says.
pub fn payer(incoming: &Incoming, body: &Doc) -> Option<PartyId> {
    if !matches!(incoming.kind, Kind::PutSession | Kind::PostCdr) {
        return None;
    }
    charge::token::ContractId::new(body.as_record()?.text("auth_id")?).ok()?.party()
}

/// The return address of an order, for a hub.
pub fn return_address(incoming: &Incoming, body: &Doc) -> Result<ReturnAddress, Denial> {
    Ok(command::return_address_in(incoming, &At::root(body))?)
}

/// The raw query of an order with another return address, for orders that carry it there.
pub fn query_with_return_address(incoming: &Incoming, address: &str) -> String {
    let pair = |(name, value): &(String, String)| {
        let value = if name == command::RESPONSE_URL { address } else { value };
        format!("{}={}", url::encode(name), url::encode(value))
    };
    incoming.query.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// Whether an order carries its return address in its query: those have no body that counts (OCPI 2.2.1, 14.4.1).
pub fn address_in_query(incoming: &Incoming) -> bool {
    incoming.query(command::RESPONSE_URL).is_some()
}

/// An order with another return address; every other member stays as it was written, known or not.
pub fn with_return_address(body: &[u8], address: &str) -> Result<String, Denial> {
    let mut json = parse(body)?;
    let order = json.as_record_mut().ok_or_else(|| malformed("", "is not a JSON object"))?;
    order.set(command::RESPONSE_URL, address);
    Ok(json.to_string())
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
    let time =
        |name: &str| incoming.query(name).map(|text| At::below(&Doc::from(text), name.to_owned()).time()).transpose();
    let (changed_since, changed_before) = (time("date_from")?, time("date_to")?);
    Ok(PageWish { changed_since, changed_before, offset: number("offset")?, limit: number("limit")? })
}

/// A place may come along although we never send one; it is not looked at.
fn may_charge(incoming: &Incoming, at: &At<'_>, lost: &mut Lost) -> Result<Question, Denial> {
    at.unworded(&["location_id", "evse_uids"], lost);
    Ok(Question::MayCharge { token: named_token(incoming)? })
}

/// Whether a change of an EVSE is a change of its status alone, which needs no whole to be understood.
pub fn is_status(incoming: &Incoming, body: &Doc) -> bool {
    // a `null` of another name takes a member away: no change of the status alone
    let alone = |Record(members): &Record| {
        let named = |wanted: &str| members.iter().any(|(name, _)| name == wanted);
        members.len() == 2 && named("status") && named("last_updated")
    };
    incoming.kind == Kind::Evse && incoming.method == Method::Patch && body.as_record().is_some_and(alone)
}

/// The status of an EVSE; what else is in the change, the door has put into the whole.
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
    Fault::new(path, why).into()
}
