//! Frames as they crossed, put back together: an answer has no action of its own, its question has.

use std::collections::HashMap;
use std::fmt;

use charge::talk::line::Version;
use serde_json::{Value, json};

/// Who sent a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sender {
    Station,
    Operator,
}

impl Sender {
    const fn other(self) -> Self {
        match self {
            Self::Station => Self::Operator,
            Self::Operator => Self::Station,
        }
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Station => "station",
            Self::Operator => "operator",
        })
    }
}

/// What kind of message a frame is (OCPP-J 1.6, 4.1.3; 2.1 part 4, 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Call,
    Result,
    Error,
    ResultError,
    Send,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Call => "call",
            Self::Result => "result",
            Self::Error => "error",
            Self::ResultError => "result-error",
            Self::Send => "send",
        })
    }
}

/// One frame of a run.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub version: Version,
    pub test: &'static str,
    pub sender: Sender,
    pub kind: Kind,
    pub action: String,
    /// The payload of a call, a result or a SEND; the whole frame of an error.
    pub payload: Value,
}

impl Record {
    /// One line for the validator.
    pub(super) fn line(&self) -> Value {
        json!({
            "version": self.version.label(), "test": self.test, "sender": self.sender.to_string(),
            "kind": self.kind.to_string(), "action": self.action, "payload": self.payload,
        })
    }
}

/// Puts the frames of one connection together. What cannot be placed is a fault of ours.
pub(super) fn records(
    version: Version,
    test: &'static str,
    frames: &[(Sender, String)],
) -> Result<Vec<Record>, String> {
    let mut asked: HashMap<(Sender, String), String> = HashMap::new();
    let mut records = Vec::new();
    for (sender, text) in frames {
        let frame: Value = serde_json::from_str(text).map_err(|why| format!("{sender} sent no JSON: {why}"))?;
        let id = frame[1].as_str().unwrap_or_default().to_owned();
        let own = |kind: Kind| (kind, frame[2].as_str().unwrap_or_default().to_owned(), frame[3].clone());
        let (kind, action, payload) = match frame[0].as_u64() {
            Some(2) => {
                let call = own(Kind::Call);
                asked.insert((*sender, id), call.1.clone());
                call
            }
            Some(6) => own(Kind::Send),
            Some(kind @ (3..=5)) => {
                let asker = if kind == 5 { *sender } else { sender.other() };
                // what a test put in is not among the frames
                let action = asked.get(&(asker, id)).map_or("-", String::as_str).to_owned();
                match kind {
                    3 => (Kind::Result, action, frame[2].clone()),
                    4 => (Kind::Error, action, frame.clone()),
                    _ => (Kind::ResultError, action, frame.clone()),
                }
            }
            _ => return Err(format!("{sender} sent a frame of no kind")),
        };
        records.push(Record { version, test, sender: *sender, kind, action, payload });
    }
    Ok(records)
}
