//! What is said about a place in a document.
//!
//! The words of all tongues of the road, so that a door treats their complaints alike. Deliberately no severity: who
//! holds a fault knows whether the message is refused or something is passed over. Invariant: never the value.

use std::fmt;

use charge::talk::road::Denial;

/// A place in a document that cannot be read, written or carried, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// As a JSON pointer (RFC 6901), for XML with the names of elements; empty for the whole document.
    pub path: String,
    pub why: Box<str>,
}

/// What a crossing left behind or repaired: places with reasons.
pub type Lost = Vec<Fault>;

/// Something that was carried over a border, and what did not come along.
#[derive(Clone, Debug, PartialEq)]
pub struct Crossed<T> {
    pub value: T,
    pub lost: Lost,
}

impl Fault {
    pub fn new(path: impl Into<String>, why: impl Into<Box<str>>) -> Self {
        Self { path: path.into(), why: why.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.why) } else { write!(f, "{} {}", self.path, self.why) }
    }
}

impl From<Fault> for Denial {
    fn from(fault: Fault) -> Self {
        Self::Malformed { path: fault.path.into(), why: fault.why }
    }
}
