//! Documents of OICP as values: what a JSON body and a SOAP body have in common.
//!
//! Deliberately no meaning: which members belong where is said by a [`crate::shape::Shape`]. Invariants: what is read is
//! no deeper than [`DEPTH_MAX`], and a `null` is an absent member.

pub use document::{Crossed, Doc, Fault, Lost, Record, decimal};

/// The deepest document of OICP 2.3, a page of EVSE data, has eight levels.
pub const DEPTH_MAX: usize = 24;

/// Reads a JSON body. The size is bounded by whoever read the bytes.
pub fn read(bytes: &[u8]) -> Result<Doc, Fault> {
    Doc::read(bytes, DEPTH_MAX)?.without_nulls().ok_or_else(|| Fault::new("", "is null"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn nulls_are_absent_and_depth_is_bounded() {
        assert_eq!(read(br#"{"a":null,"b":[null]}"#).unwrap().to_string(), r#"{"b":[]}"#);
        assert_eq!(read(b"null").unwrap_err().to_string(), "is null");
        let deep = format!("{}{}", "[".repeat(DEPTH_MAX + 1), "]".repeat(DEPTH_MAX + 1));
        assert_eq!(read(deep.as_bytes()).unwrap_err().to_string(), "is nested too deeply");
    }
}
