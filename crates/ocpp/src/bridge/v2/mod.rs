//! OCPP 2.0.1 and 2.1: one bridge, because by name the newer version holds the older one.
//!
//! Words are read and written with the types of 2.1; [`wire`] judges a 2.0.1 connection by the types of 2.0.1. `hear`
//! and `tell` are the operator's end, `say` and `obey` the station's; the files named after a functional block hold
//! both directions of its words. Deliberately no rooms' decisions. Invariant: every action of both versions has a word.

mod certificate;
mod charging;
mod display;
mod grid;
pub(super) mod hear;
mod meter;
mod model;
mod monitor;
mod name;
pub(super) mod obey;
mod payment;
mod period;
mod provision;
mod reservation;
pub(super) mod say;
mod status;
mod tariff;
pub(super) mod tell;
mod terms;
mod transaction;
mod upkeep;
mod variables;
mod wire;

pub(in crate::bridge) use variables::Asked;

use std::time::Duration;

use charge::id::{EvseNo, TransactionKey};
use charge::talk::line::document::{Document, Part};
use charge::talk::line::quirk::Quirk;
use charge::token::{PresentedToken, TokenKind};
use charge::{Decimal, Purpose, Timestamp};
use ocpp_kit::types::{DateTime, Decimal as Number};
use ocpp_kit::v2_1::{EVSE, IdToken};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bridge::{moment, token};
use crate::payload::Notes;
use crate::rules::{Code, Fault};

/// The connector that an order means when its EVSE is named: our stations and most others have one.
const CONNECTOR: i32 = 1;

/// `evseId`; 0 and nonsense are the whole station (quirk 24).
fn evse_no(id: i32) -> Option<EvseNo> {
    u16::try_from(id).ok().and_then(EvseNo::new)
}

/// The EVSE of a message that must name one.
fn one_evse(id: i32) -> Result<EvseNo, Fault> {
    evse_no(id).ok_or_else(|| Fault::at(Code::Property, "/evseId", "not above 0"))
}

fn evse_id(evse: Option<EvseNo>) -> i32 {
    evse.map_or(0, |evse| i32::from(evse.get()))
}

fn evse(evse: EvseNo) -> EVSE {
    EVSE::new(i32::from(evse.get()))
}

/// `IdTokenEnumType` of 2.0.1, which 2.1 has as free words; `DirectPayment` is among the latter alone, and only a
/// station of 2.1 is given one.
///
/// cites: ocpp-2.1 C25.FR.23
fn id_token(token: &PresentedToken) -> IdToken {
    let kind = match token.kind {
        TokenKind::Rfid => "ISO14443",
        TokenKind::Emaid => "eMAID",
        TokenKind::DirectPayment => "DirectPayment",
        TokenKind::AppUser | TokenKind::AdHocUser | TokenKind::Other => "Central",
    };
    IdToken::new(token.uid.reveal(Purpose::Transmit).as_delivered(), kind)
}

/// The remark on a card that is not called one.
const CARD: &str = "not called a card, taken as one";

/// `None` where nothing was presented (`NoAuthorization`), and with a remark where it is no token.
fn presented(id: &IdToken, path: &str, notes: &mut Notes) -> Option<PresentedToken> {
    let kind = match &*id.r#type {
        "NoAuthorization" => return None,
        "ISO14443" | "ISO15693" => TokenKind::Rfid,
        "eMAID" => TokenKind::Emaid,
        "DirectPayment" => TokenKind::DirectPayment,
        "Local" | "KeyCode" if notes.tolerates(Quirk::CardAsLocal, path, CARD) => TokenKind::Rfid,
        _ => TokenKind::Other,
    };
    token(&id.id_token, kind, path, notes)
}

/// The same where a message means nothing without its token.
fn needed(id: &IdToken, path: &str) -> Result<PresentedToken, Fault> {
    let mut notes = Notes::at(Timestamp::from_secs(0));
    presented(id, path, &mut notes).ok_or_else(|| Fault::at(Code::Property, path, "not a token"))
}

fn key(id: impl Into<Box<str>>) -> TransactionKey {
    TransactionKey::Text(id.into())
}

/// E01.FR.08: 2.x names a transaction by the station's own text; a number is 1.6's.
fn key_text(key: &TransactionKey) -> Result<String, Fault> {
    match key {
        TransactionKey::Text(text) => Ok(text.to_string()),
        TransactionKey::Number(_) => Err(unsaid("2.x names transactions by the station's own texts")),
    }
}

fn number(value: Number) -> Option<Decimal> {
    Decimal::try_from_i128_with_scale(i128::from(value.mantissa()), u32::from(value.scale())).ok()
}

/// The same where the number is needed.
fn exact(value: Number, path: &str) -> Result<Decimal, Fault> {
    number(value).ok_or_else(|| Fault::at(Code::Property, path, "out of range"))
}

fn decimal(value: Decimal) -> Result<Number, Fault> {
    i64::try_from(value.mantissa())
        .ok()
        .and_then(|mantissa| Number::try_new(mantissa, u8::try_from(value.scale()).ok()?))
        .ok_or_else(|| unsaid("a number with more digits than a message can hold"))
}

fn decimals(value: Option<Decimal>) -> Result<Option<Number>, Fault> {
    value.map(decimal).transpose()
}

fn seconds(span: Duration) -> i32 {
    i32::try_from(span.as_secs()).unwrap_or(i32::MAX)
}

fn span(seconds: i32) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

fn count(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

fn natural(value: i32) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

/// The same where a station is told: less than nothing is no nothing.
fn whole(value: i32, path: &str) -> Result<u32, Fault> {
    u32::try_from(value).map_err(|_| Fault::at(Code::Property, path, "is below 0"))
}

fn small(value: i32) -> u8 {
    u8::try_from(value).unwrap_or(0)
}

fn text(value: Option<&str>) -> Option<String> {
    value.map(Into::into)
}

fn boxed(value: Option<String>) -> Option<Box<str>> {
    value.map(Into::into)
}

fn boxes(values: Vec<String>) -> Vec<Box<str>> {
    values.into_iter().map(Into::into).collect()
}

fn strings(values: &[Box<str>]) -> Vec<String> {
    values.iter().map(|value| value.to_string()).collect()
}

fn when(at: Option<DateTime>) -> Option<Timestamp> {
    at.map(moment)
}

/// The schemas' lists have one item at least, or are absent.
fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn part(request: i32, seq: i32, more: Option<bool>) -> Part {
    Part { request, seq, more: more.unwrap_or(false) }
}

/// `tbc`: absent means that nothing follows.
fn more(more: bool) -> Option<bool> {
    more.then_some(true)
}

fn document(part: &impl Serialize) -> Result<Document, Fault> {
    serde_json::to_string(part).map(Document::new).map_err(|_| unsaid("cannot be kept as a document"))
}

fn parsed<T: DeserializeOwned>(document: &Document) -> Result<T, Fault> {
    serde_json::from_str(document.as_str()).map_err(|_| unsaid("a document of another form than the message wants"))
}

/// A word out of a list of the standard, told by its spelling; an unknown one is refused where it is read.
fn unlisted(path: &str) -> Fault {
    Fault::at(Code::Property, path, "not in the list")
}

/// What has no form in 2.x: our mistake, told before anything is sent.
fn unsaid(why: &'static str) -> Fault {
    Fault::new(Code::Internal, why)
}

/// A message that came to a block which does not have it: our mistake.
fn astray() -> Fault {
    Fault::new(Code::Internal, "the message has no reader here")
}
