//! Crossing the borders between the versions of OCPI, as JSON: readers and writers speak 2.2.1, and a document of
//! another version is lifted to it before it is read and lowered from it after it was written.
//!
//! Members that no version knows pass untouched, so what a vendor adds survives a crossing. What the other version
//! has no word for is left out and told. Invariant: a crossing that would change money is refused, never guessed.

use charge::Timestamp;
use charge::id::PartyId;
use charge::token::PresentedToken;

use crate::read::{Crossed, Fault, Lost, parse};
use crate::versions::Version;
use crate::wire::{Kind, Reply};
use crate::write::{Doc, Record};
use crate::{v211, v230};

/// What a document is, as far as versions differ in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    Token,
    Verdict,
    Session,
    Cdr,
    Location,
    Evse,
    Connector,
    Tariff,
    /// `START_SESSION` and `RESERVE_NOW`: orders with a token in them.
    TokenOrder,
    /// The answer that an order gets at once.
    Ack,
    /// What became of an order.
    Outcome,
    /// The same in every version.
    Plain,
}

/// What is known beside a document that does not say it itself: OCPI 2.1.1 names no owners and no payers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// Whose object it is.
    pub owner: Option<PartyId>,
    /// The provider that owes, where the contract does not name one.
    pub payer: Option<PartyId>,
    /// The location of a session as a document of 2.2.1: a session of 2.1.1 carries it whole.
    pub place: Option<&'a str>,
    /// The token that a verdict answers to, and when: a verdict of 2.1.1 does not repeat it.
    pub asked: Option<(&'a PresentedToken, Timestamp)>,
}

/// The body of a request, carried from one version to another. The same version passes byte for byte.
pub fn body(
    from: Version,
    to: Version,
    kind: Kind,
    bytes: &[u8],
    beside: Beside<'_>,
) -> Result<Crossed<Option<String>>, Fault> {
    if from == to || bytes.is_empty() || kind.noun_in() == Noun::Plain {
        return Ok(Crossed { value: None, lost: Lost::new() });
    }
    let Crossed { value, lost } = object(from, to, kind.noun_in(), bytes, beside)?;
    Ok(Crossed { value: Some(value), lost })
}

/// The data of a response, carried from one version to another; refusals and receipts are the same in all. Of a list,
/// what cannot be carried is left out and told.
pub fn reply(
    from: Version,
    to: Version,
    kind: Kind,
    reply: Reply,
    beside: Beside<'_>,
) -> Result<Crossed<Reply>, Fault> {
    carried(from, to, kind.noun_out(), reply, beside)
}

/// A page of public objects.
pub fn list(from: Version, to: Version, kind: Kind, reply: Reply) -> Result<Crossed<Reply>, Fault> {
    carried(from, to, kind.noun_out(), reply, Beside::default())
}

/// One public object, or a part of one.
pub fn reply_of(from: Version, to: Version, noun: Noun, reply: Reply) -> Result<Crossed<Reply>, Fault> {
    carried(from, to, noun, reply, Beside::default())
}

/// One object of a list that a request asks for.
pub fn item(
    from: Version,
    to: Version,
    kind: Kind,
    text: String,
    beside: Beside<'_>,
) -> Result<Crossed<String>, Fault> {
    if from == to || kind.noun_out() == Noun::Plain {
        return Ok(Crossed { value: text, lost: Lost::new() });
    }
    object(from, to, kind.noun_out(), text.as_bytes(), beside)
}

fn object(from: Version, to: Version, noun: Noun, bytes: &[u8], beside: Beside<'_>) -> Result<Crossed<String>, Fault> {
    let (mut json, mut lost) = (parse(bytes)?, Lost::new());
    lift(from, noun, &mut json, beside, &mut lost)?;
    lower(to, noun, &mut json, beside, &mut lost)?;
    Ok(Crossed { value: json.to_string(), lost })
}

fn carried(from: Version, to: Version, noun: Noun, reply: Reply, beside: Beside<'_>) -> Result<Crossed<Reply>, Fault> {
    if from == to || noun == Noun::Plain {
        return Ok(Crossed { value: reply, lost: Lost::new() });
    }
    let mut json = parse(reply.body.as_bytes())?;
    let mut lost = Lost::new();
    let data = json.as_record_mut().and_then(|envelope| envelope.get_mut("data"));
    match data {
        Some(Doc::List(items)) => items.retain_mut(|item| {
            let lifted = lift(from, noun, item, beside, &mut lost);
            let crossed = lifted.and_then(|()| lower(to, noun, item, beside, &mut lost));
            crossed.map_err(|fault| lost.push(fault)).is_ok()
        }),
        Some(one) => {
            lift(from, noun, one, beside, &mut lost)?;
            lower(to, noun, one, beside, &mut lost)?;
        }
        None => {}
    }
    Ok(Crossed { value: Reply { body: json.to_string(), ..reply }, lost })
}

/// From any version to 2.2.1.
pub(crate) fn lift(
    version: Version,
    noun: Noun,
    json: &mut Doc,
    beside: Beside<'_>,
    lost: &mut Lost,
) -> Result<(), Fault> {
    let Some(object) = json.as_record_mut() else { return Ok(()) };
    match version {
        Version::V211 => v211::lift(noun, object, beside, lost),
        Version::V221 => Ok(()),
        Version::V230 => v230::lift(noun, object, lost),
    }
}

/// From 2.2.1 to any version.
pub(crate) fn lower(
    version: Version,
    noun: Noun,
    json: &mut Doc,
    beside: Beside<'_>,
    lost: &mut Lost,
) -> Result<(), Fault> {
    let Some(object) = json.as_record_mut() else { return Ok(()) };
    match version {
        Version::V211 => v211::lower(noun, object, beside, lost),
        Version::V221 => {
            lower_kinds(noun, object, lost);
            Ok(())
        }
        Version::V230 => v230::lower(noun, object),
    }
}

/// 2.3.0 has a word for the contract of a car (`EMAID`), which 2.2.1 writes as `OTHER` (12.4.3 in both).
fn lower_kinds(noun: Noun, object: &mut Record, lost: &mut Lost) {
    let (token, path) = match noun {
        Noun::Token => (Some(object), "/type"),
        Noun::Session | Noun::Cdr => (object.record_mut("cdr_token"), "/cdr_token/type"),
        Noun::Verdict | Noun::TokenOrder => (object.record_mut("token"), "/token/type"),
        Noun::Tariff | Noun::Location | Noun::Evse | Noun::Connector | Noun::Ack | Noun::Outcome | Noun::Plain => {
            (None, "")
        }
    };
    if let Some(token) = token.filter(|token| token.text("type") == Some(EMAID)) {
        token.set("type", "OTHER");
        lost.push(fault(path, "EMAID is written as OTHER"));
    }
}

/// The query of a letter about a token, which names its kind, for a receiver of another version.
pub fn query(to: Version, query: &str) -> String {
    if to == Version::V230 {
        return query.to_owned();
    }
    let other = |pair: &str| match pair.split_once('=') {
        Some(("type", kind)) if kind.eq_ignore_ascii_case(EMAID) => "type=OTHER".to_owned(),
        Some(_) | None => pair.to_owned(),
    };
    query.split('&').map(other).collect::<Vec<_>>().join("&")
}

const EMAID: &str = "EMAID";

/// A crossing's fault at a member.
pub(crate) fn fault(path: &str, why: &str) -> Fault {
    Fault::new(path, why)
}
