//! One OCPP-J frame: an array that says what it is, which message it belongs to, and carries a payload as text.
//!
//! Reads within limits and keeps what it could read of a broken frame, so that the sender can be told which message
//! was broken. Deliberately blind to versions and payloads. Invariant: an id is answered in the spelling it came in.

use std::borrow::Cow;
use std::fmt::Write;

use crate::Limits;
use crate::json::{is_number, quote, string_end, unquote};

/// OCPP-J 1.6, 4.1.4; 2.0.1 part 4, 4.1.4.
pub(crate) const ID_CHARACTERS_MAX: usize = 36;

/// The longest id that we still echo when it is too long, so that its sender can match the refusal.
const ECHO_CHARACTERS_MAX: usize = 255;

/// How much of an over-long frame is looked at to find out which message it was.
const PREFIX_BYTES: usize = 512;

/// A CALLERROR has the most elements: five.
const ELEMENTS_MAX: usize = 5;

/// A message id as it stood on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Id {
    text: Box<str>,
    /// Sent as a JSON number by some stations; answered in kind.
    number: bool,
}

impl Id {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.into(), number: false }
    }

    /// OCPP 2.0.1 part 4, 4.2.3: the id of an answer to a message whose id could not be read.
    pub(crate) fn unreadable() -> Self {
        Self::new("-1")
    }

    pub(crate) fn is(&self, text: &str) -> bool {
        *self.text == *text
    }

    pub(crate) fn is_number(&self) -> bool {
        self.number
    }

    fn read(token: &str) -> Option<Self> {
        if let Some(text) = unquote(token) {
            return Some(Self { text: text.into(), number: false });
        }
        let whole = is_number(token) && token.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
        whole.then(|| Self { text: token.into(), number: true })
    }

    fn write(&self, out: &mut String) {
        if self.number { out.push_str(&self.text) } else { quote(&self.text, out) }
    }
}

/// A frame whose envelope is sound. Payloads are text and not looked at yet.
#[derive(Debug)]
pub(crate) enum Frame<'a> {
    Call {
        id: Id,
        action: Cow<'a, str>,
        payload: &'a str,
    },
    Answer {
        id: Id,
        payload: &'a str,
    },
    Error {
        id: Id,
        code: Cow<'a, str>,
        description: Cow<'a, str>,
        /// Has it five elements, the last of them an object, as the standards say?
        whole: bool,
    },
    /// CALLRESULTERROR of 2.1: the peer could not read our answer.
    ResultError {
        id: Id,
        code: Cow<'a, str>,
        description: Cow<'a, str>,
    },
    /// SEND of 2.1: a message without an answer.
    Send {
        id: Id,
        action: Cow<'a, str>,
        payload: &'a str,
    },
}

/// What is wrong with an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error("longer than the limit for a frame")]
    TooLong,
    #[error("nested deeper than the limit")]
    TooDeep,
    #[error("not valid JSON")]
    NotJson,
    #[error("too few or too many elements, or one of the wrong type")]
    Shape,
    #[error("a message id longer than 36 characters")]
    LongId,
    #[error("an unknown message type")]
    UnknownType,
}

/// A broken frame, with as much as could be read.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) flaw: Flaw,
    pub(crate) kind: Kind,
    pub(crate) id: Option<Id>,
}

/// The message type numbers of OCPP-J; the last two are in 2.1 only, which the session knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Call,
    Answer,
    Error,
    ResultError,
    Send,
    /// Another number, or none that could be read.
    Unknown,
}

impl Kind {
    fn of(token: Option<&&str>) -> Self {
        match token.copied() {
            Some("2") => Self::Call,
            Some("3") => Self::Answer,
            Some("4") => Self::Error,
            Some("5") => Self::ResultError,
            Some("6") => Self::Send,
            Some(_) | None => Self::Unknown,
        }
    }
}

/// Reads the envelope of one text frame.
pub(crate) fn read<'a>(text: &'a str, limits: &Limits) -> Result<Frame<'a>, Broken> {
    if text.len() > limits.frame_bytes_max {
        let (elements, _) = split(prefix(text), limits.depth_max);
        return Err(broken(Flaw::TooLong, &elements));
    }
    let (elements, flaw) = split(text, limits.depth_max);
    match flaw {
        Some(flaw) => Err(broken(flaw, &elements)),
        None => sort(&elements).map_err(|flaw| broken(flaw, &elements)),
    }
}

fn sort<'a>(elements: &[&'a str]) -> Result<Frame<'a>, Flaw> {
    let kind = Kind::of(elements.first());
    if kind == Kind::Unknown {
        return Err(if elements.first().is_some_and(|token| is_number(token)) {
            Flaw::UnknownType
        } else {
            Flaw::Shape
        });
    }
    let id = elements.get(1).and_then(|token| Id::read(token)).ok_or(Flaw::Shape)?;
    if id.text.chars().count() > ID_CHARACTERS_MAX {
        return Err(Flaw::LongId);
    }
    match (kind, elements) {
        (Kind::Call, [_, _, action, payload]) if payload.starts_with('{') => {
            Ok(Frame::Call { id, action: unquote(action).ok_or(Flaw::Shape)?, payload })
        }
        (Kind::Send, [_, _, action, payload]) if payload.starts_with('{') => {
            Ok(Frame::Send { id, action: unquote(action).ok_or(Flaw::Shape)?, payload })
        }
        (Kind::ResultError, [_, _, code, rest @ ..]) => Ok(Frame::ResultError {
            id,
            code: unquote(code).ok_or(Flaw::Shape)?,
            description: rest.first().and_then(|token| unquote(token)).unwrap_or_default(),
        }),
        (Kind::Answer, [_, _, payload]) if payload.starts_with('{') => Ok(Frame::Answer { id, payload }),
        // the field sends CALLERRORs with three to five elements and details of any type (quirk 10)
        (Kind::Error, [_, _, code, rest @ ..]) => Ok(Frame::Error {
            id,
            code: unquote(code).ok_or(Flaw::Shape)?,
            description: rest.first().and_then(|token| unquote(token)).unwrap_or_default(),
            whole: matches!(rest, [told, details] if told.starts_with('"') && details.starts_with('{')),
        }),
        (Kind::Call | Kind::Answer | Kind::Error | Kind::ResultError | Kind::Send | Kind::Unknown, _) => {
            Err(Flaw::Shape)
        }
    }
}

fn broken(flaw: Flaw, elements: &[&str]) -> Broken {
    let id = elements.get(1).and_then(|token| Id::read(token));
    Broken {
        flaw,
        kind: Kind::of(elements.first()),
        id: id.filter(|id| id.text.chars().count() <= ECHO_CHARACTERS_MAX),
    }
}

fn prefix(text: &str) -> &str {
    let mut end = PREFIX_BYTES.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The elements of the outer array as text, as far as they are complete, and what stopped the reading.
fn split(text: &str, depth_max: usize) -> (Vec<&str>, Option<Flaw>) {
    let bytes = text.as_bytes();
    let mut elements = Vec::with_capacity(ELEMENTS_MAX);
    let mut at = blanks(bytes, 0);
    if bytes.get(at) != Some(&b'[') {
        return (elements, Some(Flaw::NotJson));
    }
    at += 1;
    loop {
        let start = blanks(bytes, at);
        let end = match value_end(bytes, start, depth_max) {
            Ok(end) => end,
            Err(flaw) => return (elements, Some(flaw)),
        };
        at = blanks(bytes, end);
        match bytes.get(at) {
            Some(b',' | b']') if elements.len() < ELEMENTS_MAX => elements.push(&text[start..end]),
            Some(b',' | b']') => return (elements, Some(Flaw::Shape)),
            Some(_) | None => return (elements, Some(Flaw::NotJson)),
        }
        at += 1;
        if bytes[at - 1] == b']' {
            let clean = blanks(bytes, at) == bytes.len();
            return (elements, (!clean).then_some(Flaw::NotJson));
        }
    }
}

fn blanks(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}

/// The end of the value that starts at `start`. Brackets are counted, not matched: the payload's own reader is strict.
fn value_end(bytes: &[u8], start: usize, depth_max: usize) -> Result<usize, Flaw> {
    // the outer array is the first level
    let mut depth = 1;
    let mut at = start;
    loop {
        match bytes.get(at).ok_or(Flaw::NotJson)? {
            b'"' => at = string_end(bytes, at).ok_or(Flaw::NotJson)?,
            b'[' | b'{' => {
                depth += 1;
                if depth > depth_max {
                    return Err(Flaw::TooDeep);
                }
                at += 1;
            }
            b']' | b'}' if depth == 1 => break,
            b']' | b'}' => {
                depth -= 1;
                at += 1;
                if depth == 1 {
                    break;
                }
            }
            b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 1 => break,
            _ => at += 1,
        }
        if depth == 1 && bytes[start] == b'"' {
            break;
        }
    }
    if at == start { Err(Flaw::NotJson) } else { Ok(at) }
}

/// `[2,"id","Action",{…}]`. `payload` is JSON already.
pub(crate) fn call(id: &Id, action: &str, payload: &str) -> String {
    asking("[2,", id, action, payload)
}

/// `[6,"id","Action",{…}]` of 2.1, which is never answered.
pub(crate) fn send(id: &Id, action: &str, payload: &str) -> String {
    asking("[6,", id, action, payload)
}

fn asking(kind: &str, id: &Id, action: &str, payload: &str) -> String {
    let mut out = String::with_capacity(payload.len() + action.len() + id.text.len() + 12);
    out.push_str(kind);
    id.write(&mut out);
    out.push(',');
    quote(action, &mut out);
    out.push(',');
    out.push_str(payload);
    out.push(']');
    out
}

/// `[3,"id",{…}]`. `payload` is JSON already.
pub(crate) fn answer(id: &Id, payload: &str) -> String {
    let mut out = String::with_capacity(payload.len() + id.text.len() + 8);
    out.push_str("[3,");
    id.write(&mut out);
    out.push(',');
    out.push_str(payload);
    out.push(']');
    out
}

/// The longest description of a CALLERROR (OCPP-J 1.6, 4.2.3; 2.0.1 part 4, 4.2.3).
const DESCRIPTION_CHARACTERS_MAX: usize = 255;

/// `[4,"id","Code","description",{"path":"/…"}]`: always five elements, details an object.
pub(crate) fn error(id: &Id, code: &str, description: &str, path: &str) -> String {
    fault("[4,", id, code, description, path)
}

/// CALLRESULTERROR of 2.1, in the same form: the peer's answer cannot be read.
pub(crate) fn result_error(id: &Id, code: &str, description: &str, path: &str) -> String {
    fault("[5,", id, code, description, path)
}

fn fault(kind: &str, id: &Id, code: &str, description: &str, path: &str) -> String {
    let mut out = String::with_capacity(64 + description.len() + path.len());
    out.push_str(kind);
    id.write(&mut out);
    let _ = write!(out, ",\"{code}\",");
    let short: String = description.chars().take(DESCRIPTION_CHARACTERS_MAX).collect();
    quote(&short, &mut out);
    if path.is_empty() {
        out.push_str(",{}]");
    } else {
        out.push_str(",{\"path\":");
        quote(path, &mut out);
        out.push_str("}]");
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn flaw(text: &str) -> (Flaw, Kind, Option<Id>) {
        let broken = read(text, &Limits::default()).unwrap_err();
        (broken.flaw, broken.kind, broken.id)
    }

    #[test]
    fn a_broken_frame_keeps_what_could_be_read() {
        let id = |text| Some(Id::new(text));
        assert_eq!(flaw(""), (Flaw::NotJson, Kind::Unknown, None));
        assert_eq!(flaw("hello"), (Flaw::NotJson, Kind::Unknown, None));
        assert_eq!(flaw("[]"), (Flaw::NotJson, Kind::Unknown, None));
        assert_eq!(flaw("[2,\"a\",\"Heartbeat\",{"), (Flaw::NotJson, Kind::Call, id("a")));
        assert_eq!(flaw("[2,\"a\",\"Heartbeat\""), (Flaw::NotJson, Kind::Call, id("a")));
        assert_eq!(flaw("[2,\"a\",\"Heartbeat\"]"), (Flaw::Shape, Kind::Call, id("a")));
        assert_eq!(flaw("[2,\"a\",\"Heartbeat\",[]]"), (Flaw::Shape, Kind::Call, id("a")));
        assert_eq!(flaw("[2,\"a\",\"Heartbeat\",{},{}]"), (Flaw::Shape, Kind::Call, id("a")));
        assert_eq!(flaw("[2,\"a\",7,{}]"), (Flaw::Shape, Kind::Call, id("a")));
        assert_eq!(flaw("[2,{},\"Heartbeat\",{}]"), (Flaw::Shape, Kind::Call, None));
        assert_eq!(flaw("[9,\"a\",{}]"), (Flaw::UnknownType, Kind::Unknown, id("a")));
        assert_eq!(flaw("[\"2\",\"a\",\"Heartbeat\",{}]"), (Flaw::Shape, Kind::Unknown, id("a")));
        assert_eq!(flaw("[2,\"a\",\"Heartbeat\",{}] x"), (Flaw::NotJson, Kind::Call, id("a")));
        let long = "x".repeat(37);
        assert_eq!(flaw(&format!("[2,\"{long}\",\"Heartbeat\",{{}}]")), (Flaw::LongId, Kind::Call, id(&long)));
        let echo = "x".repeat(256);
        assert_eq!(flaw(&format!("[2,\"{echo}\",\"Heartbeat\",{{}}]")), (Flaw::LongId, Kind::Call, None));
    }

    #[test]
    fn depth_and_length_are_bounded_and_the_id_survives() {
        let bomb = format!("[2,\"a\",\"Heartbeat\",{}1{}]", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(flaw(&bomb), (Flaw::TooDeep, Kind::Call, Some(Id::new("a"))));
        let long = format!("[2,\"a\",\"DataTransfer\",{{\"data\":\"{}\"}}]", "ü".repeat(200_000));
        assert_eq!(flaw(&long), (Flaw::TooLong, Kind::Call, Some(Id::new("a"))));
    }

    #[test]
    fn a_number_as_id_is_answered_with_a_number() {
        let Frame::Call { id, .. } = read("[2,12345,\"Heartbeat\",{}]", &Limits::default()).unwrap() else {
            panic!("a call")
        };
        assert_eq!(answer(&id, "{}"), "[3,12345,{}]");
        assert_eq!(error(&id, "NotSupported", "a \"b\"", ""), r#"[4,12345,"NotSupported","a \"b\"",{}]"#);
    }
}
