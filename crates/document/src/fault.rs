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
    /// The names in a path may be a stranger's: it is kept short and printable, because faults are logged and shown.
    pub fn new(path: impl Into<String>, why: impl Into<Box<str>>) -> Self {
        let mut path = path.into();
        path.truncate(path.floor_char_boundary(PATH_BYTES_MAX));
        path.retain(|c| !c.is_control());
        Self { path, why: why.into() }
    }
}

/// The deepest place in a document of the standards has half of it.
const PATH_BYTES_MAX: usize = 256;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_strangers_names_is_short_and_printable() {
        assert_eq!(Fault::new("/a\nERROR b", "is not known").to_string(), "/aERROR b is not known");
        let long = Fault::new(format!("/{}", "ü".repeat(100_000)), "is not known");
        assert_eq!(long.path.chars().count(), 128);
    }
}
