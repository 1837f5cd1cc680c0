//! The modules of 2.3.0 whose objects are kept and handed on as the documents they are: invoice reconciliation,
//! payment terminals with their financial advices, bookings.
//!
//! Of a document nothing is read but its id, and who owns it comes from the URL or from the sender. It deliberately
//! judges no content: no room here works with these documents. Invariant: a document comes out byte for byte as the
//! last one came in; a part changes the members that it names.

use charge::Timestamp;
use charge::id::PartyId;
use charge::talk::road::Denial;

use crate::read::{At, parse};
use crate::status::success_of_text;
use crate::wire::{Incoming, Kind, Method, Reply};

/// Longest id of a document, and of a path to one (a booking location's calendar below it).
const ID_CHARACTERS_MAX: usize = 120;
/// Paths below a module that hold documents of different kinds.
const COLLECTIONS: [&str; 4] = ["terminals", "financial-advice-confirmations", "booking_locations", "bookings"];
/// What a document calls itself, where no URL says it.
const IDS: [&str; 4] = ["id", "terminal_id", "request_id", "booking_id"];

/// Where a document stands: the module, or the collection below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    pub shelf: String,
    /// The owner that the URL names.
    pub owner: Option<PartyId>,
    /// `None` for the whole shelf.
    pub id: Option<String>,
}

/// What is done with a document is told by the method, and by whether the path names one.
pub(crate) fn kind(method: Method, segments: &[&str]) -> Result<Kind, Denial> {
    let named = below(segments).2.is_some();
    match method {
        Method::Get if named => Ok(Kind::OneDocument),
        Method::Get => Ok(Kind::Documents),
        Method::Put | Method::Patch if named => Ok(Kind::PutDocument),
        Method::Post => Ok(Kind::PutDocument),
        Method::Delete if named => Ok(Kind::DropDocument),
        Method::Put | Method::Patch | Method::Delete => Err(Denial::NotSupported),
    }
}

pub fn spot(incoming: &Incoming) -> Result<Spot, Denial> {
    let texts: Vec<&str> = incoming.segments.iter().map(String::as_str).collect();
    let (collection, owner, id) = below(&texts);
    if id.as_ref().is_some_and(|id| id.chars().count() > ID_CHARACTERS_MAX) {
        return Err(Denial::UnknownObject);
    }
    let shelf = collection.unwrap_or_else(|| incoming.module.as_str());
    Ok(Spot { shelf: shelf.to_owned(), owner, id })
}

fn below<'s>(segments: &[&'s str]) -> (Option<&'s str>, Option<PartyId>, Option<String>) {
    let mut rest = segments;
    let mut collection = None;
    let mut owner = None;
    for _ in 0..2 {
        if let [first, more @ ..] = rest
            && collection.is_none()
            && COLLECTIONS.contains(first)
        {
            (collection, rest) = (Some(*first), more);
        } else if let [country, code, more @ ..] = rest
            && owner.is_none()
            && country.len() == 2
            && let Ok(party) = PartyId::new(country, code)
        {
            (owner, rest) = (Some(party), more);
        }
    }
    (collection, owner, (!rest.is_empty()).then(|| rest.join("/")))
}

/// The id of a document, and the document as it is to be kept. `kept` is the one that a part changes.
pub fn put(incoming: &Incoming, spot: &Spot, body: &[u8], kept: Option<&str>) -> Result<(String, String), Denial> {
    let change = parse(body)?;
    let own = IDS.iter().find_map(|name| At::root(&change).field(name)).and_then(|id| id.text().ok());
    let id = spot.id.clone().or(own).unwrap_or_default();
    let id = if id.is_empty() { incoming.module.as_str().to_owned() } else { id };
    if id.chars().count() > ID_CHARACTERS_MAX || id.chars().any(char::is_control) {
        return Err(Denial::Malformed { path: "/id".into(), why: "is too long or not printable".into() });
    }
    let no_object = || Denial::Malformed { path: "".into(), why: "is not a JSON object".into() };
    let change = change.as_record().ok_or_else(no_object)?;
    if incoming.method != Method::Patch {
        return Ok((id, String::from_utf8(body.to_vec()).map_err(|_| no_object())?));
    }
    let mut whole = parse(kept.ok_or(Denial::UnknownObject)?.as_bytes())?;
    whole.as_record_mut().ok_or_else(no_object)?.patch(change);
    Ok((id, whole.to_string()))
}

/// One document as the data of a response.
pub fn reply(text: &str, now: Timestamp) -> Reply {
    success_of_text(text, now)
}
