//! Parts of a message that rooms keep, show and pass on, and never decide on.

use std::fmt;

/// JSON text in the words of the newest OCPP version (2.1). The tongue checked it against the version's schema when it
/// came in and checks it when it goes out. Rooms treat it as one opaque value; it may hold personal data and does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Document(Box<str>);

impl Document {
    pub fn new(json: impl Into<Box<str>>) -> Self {
        Self(json.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(document of {} bytes)", self.0.len())
    }
}

/// One part of an answer that comes in several messages (`tbc`, `seqNo` of OCPP 2.x).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The request that it answers.
    pub request: i32,
    /// Counts from 0 within the request; 0 where the message has no number of its own.
    pub seq: i32,
    /// More parts follow.
    pub more: bool,
}

/// What became of one of several things asked for in one order: its name, and the version's own status word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemOutcome {
    pub of: Box<str>,
    pub word: Box<str>,
}
