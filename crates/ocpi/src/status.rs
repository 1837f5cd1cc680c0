//! Denials and OCPI's status codes: two total functions, one for each direction (OCPI 2.2.1, 5, and 4.1.7).
//!
//! What reached the OCPI layer is answered with HTTP 200 and a code of four digits, except where the standard or
//! decency wants an HTTP status as well. The body always has the envelope.

use charge::Timestamp;
use charge::talk::road::Denial;

use crate::read::{At, Fault};
use crate::wire::Reply;
use crate::write::{Doc, Record, time};

/// Generic success.
pub const SUCCESS: u16 = 1000;
/// The credentials handshake: our call to the partner failed.
pub const CANNOT_USE_CLIENT: u16 = 3001;
/// Not enough information (OCPI 2.2.1, 5.2): a provider that wants the place before it gives its word.
pub const MORE_NEEDED: u16 = 2002;
/// No version in common, or not any more.
pub const UNSUPPORTED_VERSION: u16 = 3002;
/// The partner serves nothing that we need.
pub const NO_ENDPOINTS: u16 = 3003;
/// What a partner writes about a refusal is shown to people; nobody needs more of it.
const MESSAGE_CHARACTERS_MAX: usize = 200;

/// The HTTP status and the OCPI status code that a denial is told with.
pub const fn codes(denial: &Denial) -> (u16, u16) {
    match denial {
        Denial::Malformed { .. } => (200, 2001),
        Denial::Incomplete(_) => (200, 2002),
        Denial::UnknownLocation => (200, 2003),
        // OCPI 2.2.1, 12.2.2.2 wants the HTTP status, chapter 5 the code: both
        Denial::UnknownToken => (404, 2004),
        Denial::UnknownObject => (404, 2000),
        Denial::NotYours => (403, 2001),
        Denial::UnknownReceiver => (200, 4001),
        Denial::ReceiverSilent => (200, 4002),
        Denial::ReceiverUnreachable => (200, 4003),
        Denial::Internal => (500, 3000),
        Denial::Overloaded => (503, 3000),
        Denial::NotSupported => (405, 2000),
    }
}

/// What the codes of a partner mean.
pub fn denial(http: u16, code: Option<u16>, message: &str) -> Denial {
    match (http, code) {
        (401 | 403, _) => Denial::NotYours,
        (_, Some(2004)) => Denial::UnknownToken,
        (_, Some(2003)) => Denial::UnknownLocation,
        (_, Some(2002)) => Denial::Incomplete(message.into()),
        (_, Some(4001)) => Denial::UnknownReceiver,
        (_, Some(4002)) => Denial::ReceiverSilent,
        (_, Some(4000 | 4003)) => Denial::ReceiverUnreachable,
        (404, _) => Denial::UnknownObject,
        (405 | 501, _) => Denial::NotSupported,
        (429 | 503, _) => Denial::Overloaded,
        (502, _) => Denial::ReceiverUnreachable,
        (504, _) => Denial::ReceiverSilent,
        (500..=599, _) | (_, Some(3000..=3999)) => Denial::Internal,
        (_, Some(_) | None) => {
            let (path, why) = match message.split_once(' ') {
                Some((path, why)) if path.starts_with('/') => (path, why),
                Some(_) | None => ("", message),
            };
            Denial::Malformed { path: path.into(), why: why.into() }
        }
    }
}

/// In words for the partner's engineer; never with a value.
fn message(denial: &Denial) -> String {
    match denial {
        Denial::Malformed { path, why } => Fault::new(path.as_ref(), why.clone()).to_string(),
        Denial::Incomplete(what) => what.to_string(),
        Denial::UnknownLocation => "unknown location".to_owned(),
        Denial::UnknownToken => "unknown token".to_owned(),
        Denial::UnknownObject => "no such object".to_owned(),
        Denial::NotYours => "not an object of a party that this token speaks for".to_owned(),
        Denial::UnknownReceiver => "unknown receiver".to_owned(),
        Denial::ReceiverSilent => "the receiver did not answer in time".to_owned(),
        Denial::ReceiverUnreachable => "the receiver cannot be reached".to_owned(),
        Denial::Internal => "internal error; nothing was kept".to_owned(),
        Denial::Overloaded => "too much at once; ask again later".to_owned(),
        Denial::NotSupported => "not supported".to_owned(),
    }
}

/// A refusal, ready to be sent.
pub fn refusal(denial: &Denial, now: Timestamp) -> Reply {
    let (http, code) = codes(denial);
    refusal_as(http, code, &message(denial), now)
}

/// A refusal with codes of its own: for what goes wrong before a letter is read.
pub fn refusal_as(http: u16, code: u16, message: &str, now: Timestamp) -> Reply {
    let body = Record::default()
        .with("status_code", code)
        .with("status_message", message)
        .with("timestamp", time(now.whole_millis()));
    Reply { http, headers: Vec::new(), body: Doc::from(body).to_string() }
}

/// A success, ready to be sent.
pub(crate) fn success(data: Option<Doc>, now: Timestamp) -> Reply {
    let body =
        Record::default().maybe("data", data).with("status_code", SUCCESS).with("timestamp", time(now.whole_millis()));
    Reply { http: 200, headers: Vec::new(), body: Doc::from(body).to_string() }
}

/// A success that says nothing more.
pub fn done(now: Timestamp) -> Reply {
    success(None, now)
}

/// A success around one object that is JSON text already.
pub fn success_of_text(data: &str, now: Timestamp) -> Reply {
    let timestamp = time(now.whole_millis());
    let body = format!(r#"{{"data":{data},"status_code":{SUCCESS},"timestamp":"{timestamp}"}}"#);
    Reply { http: 200, headers: Vec::new(), body }
}

/// A success around data that is JSON text already: the elements of a list.
pub fn success_of_texts<T: AsRef<str>>(items: &[T], now: Timestamp) -> Reply {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    let timestamp = time(now.whole_millis());
    let body = format!(r#"{{"data":[{}],"status_code":{SUCCESS},"timestamp":"{timestamp}"}}"#, items.join(","));
    Reply { http: 200, headers: Vec::new(), body }
}

/// What an envelope says, before anybody looks at its data.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Opened {
    /// The data; `null` where there is none.
    Success(Doc),
    Refused(Denial),
}

/// Opens an envelope (OCPI 2.2.1, 4.1.5). A refusal without one is still a refusal.
pub(crate) fn open(http: u16, body: Result<Doc, Fault>) -> Result<Opened, Fault> {
    let ok = (200..300).contains(&http);
    let mut value = match body {
        Ok(value) => value,
        Err(fault) if ok => return Err(fault),
        Err(_) => return Ok(Opened::Refused(denial(http, None, ""))),
    };
    let at = At::root(&value);
    let code = match at.need("status_code").and_then(|code| code.whole()) {
        Ok(code) => u16::try_from(code).ok(),
        Err(fault) if ok => return Err(fault),
        Err(_) => None,
    };
    if ok && code.is_some_and(|code| (1000..2000).contains(&code)) {
        return Ok(Opened::Success(
            value.as_record_mut().and_then(|envelope| envelope.take("data")).unwrap_or(Doc::Null),
        ));
    }
    let message = at.field("status_message").and_then(|message| message.text().ok()).unwrap_or_default();
    let message: String = message.chars().filter(|c| !c.is_control()).take(MESSAGE_CHARACTERS_MAX).collect();
    Ok(Opened::Refused(denial(http, code, &message)))
}

/// The status code of an envelope, for a hub that passes it on unread.
pub fn code_of(body: &[u8]) -> Option<u16> {
    code_alone(body).or_else(|| code_however_written(body))
}

/// Nearly everybody writes it once and as a number: then nothing else of the document has to be kept. Of texts nobody
/// asks here whether they are well escaped; whoever reads them does.
fn code_alone(body: &[u8]) -> Option<u16> {
    document::member(body, crate::read::DEPTH_MAX, "status_code")?.parse().ok()
}

fn code_however_written(body: &[u8]) -> Option<u16> {
    let value = crate::read::parse(body).ok()?;
    At::root(&value).need("status_code").and_then(|code| code.whole()).ok().and_then(|code| u16::try_from(code).ok())
}
