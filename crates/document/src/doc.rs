//! A document or a part of one.
//!
//! What is read and written again keeps every member and every digit. Deliberately no meaning, and no knowledge of
//! where the bytes came from: their number is bounded by whoever read them. Invariant: what is read is no deeper than
//! the reader was told.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use charge::{Decimal, Timestamp};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::fault::Fault;
use crate::record::Record;

#[derive(Clone, PartialEq)]
pub enum Doc {
    Null,
    Bool(bool),
    /// The digits as written.
    Number(String),
    Text(String),
    List(Vec<Self>),
    Record(Record),
}

impl Doc {
    /// Reads JSON. A member that appears twice counts as its last appearance.
    pub fn read(bytes: &[u8], depth_max: usize) -> Result<Self, Fault> {
        if deeper_than(bytes, depth_max) {
            return Err(Fault::new("", "is nested too deeply"));
        }
        let raw: &RawValue = serde_json::from_slice(bytes).map_err(|_| Fault::new("", "is not JSON"))?;
        grown(raw.get()).ok_or_else(|| Fault::new("", "is not JSON"))
    }

    pub const fn as_record(&self) -> Option<&Record> {
        match self {
            Self::Record(record) => Some(record),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    pub const fn as_record_mut(&mut self) -> Option<&mut Record> {
        match self {
            Self::Record(record) => Some(record),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Record(_) => None,
        }
    }

    pub fn decimal(&self) -> Option<Decimal> {
        match self {
            Self::Number(digits) | Self::Text(digits) => crate::decimal(digits),
            Self::Null | Self::Bool(_) | Self::List(_) | Self::Record(_) => None,
        }
    }

    /// The document where `null` is the same as nothing; `None` where that is all there is.
    pub fn without_nulls(self) -> Option<Self> {
        Some(match self {
            Self::Null => return None,
            Self::List(items) => Self::List(items.into_iter().filter_map(Self::without_nulls).collect()),
            Self::Record(Record(members)) => {
                let member = |(name, value): (_, Self)| Some((name, value.without_nulls()?));
                Self::Record(Record(members.into_iter().filter_map(member).collect()))
            }
            leaf @ (Self::Bool(_) | Self::Number(_) | Self::Text(_)) => leaf,
        })
    }
}

impl fmt::Display for Doc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(digits) => f.write_str(digits),
            Self::Text(text) => write!(f, "{}", Value::from(text.as_str())),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
            Self::Record(Record(members)) => {
                f.write_str("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    write!(f, "{}{}:{value}", if index == 0 { "" } else { "," }, Value::from(name.as_ref()))?;
                }
                f.write_str("}")
            }
        }
    }
}

impl fmt::Debug for Doc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(_) | Self::Number(_) | Self::Text(_) => f.write_str("_"),
            Self::List(items) => f.debug_list().entries(items).finish(),
            Self::Record(record) => record.fmt(f),
        }
    }
}

macro_rules! from {
    ($($source:ty, $value:ident => $doc:expr;)+) => {$(
        impl From<$source> for Doc {
            fn from($value: $source) -> Self {
                $doc
            }
        }
    )+};
}

from! {
    bool, value => Self::Bool(value);
    u16, value => Self::Number(value.to_string());
    u32, value => Self::Number(value.to_string());
    i64, value => Self::Number(value.to_string());
    Decimal, value => Self::Number(value.normalize().to_string());
    &str, value => Self::Text(value.to_owned());
    String, value => Self::Text(value);
    Timestamp, value => Self::Text(value.whole_millis().to_string());
    Vec<Self>, value => Self::List(value);
    Record, value => Self::Record(value);
}

fn grown(text: &str) -> Option<Doc> {
    Some(match text.bytes().next()? {
        b'{' => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
            let member = |(name, raw): (String, &RawValue)| Some((Cow::Owned(name), grown(raw.get())?));
            Doc::Record(Record(members.into_iter().map(member).collect::<Option<_>>()?))
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            Doc::List(items.into_iter().map(|raw| grown(raw.get())).collect::<Option<_>>()?)
        }
        b'"' => Doc::Text(serde_json::from_str(text).ok()?),
        b't' => Doc::Bool(true),
        b'f' => Doc::Bool(false),
        b'n' => Doc::Null,
        _digit_or_sign => Doc::Number(text.to_owned()),
    })
}

/// A member of a JSON object as it is written there, where nothing else of the document has to be kept. `None` where
/// [`Doc::read`] finds no such member, or a name of a member is escaped.
pub fn member<'a>(bytes: &'a [u8], depth_max: usize, name: &str) -> Option<&'a str> {
    if deeper_than(bytes, depth_max) {
        return None;
    }
    let members: BTreeMap<&str, &RawValue> = serde_json::from_slice(bytes).ok()?;
    members.get(name).map(|value| value.get())
}

/// Counted before anything is parsed, so that depth costs no stack.
fn deeper_than(bytes: &[u8], limit: usize) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for byte in bytes {
        match (quoted, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => quoted = !quoted,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            (true | false, _) => {}
        }
        if depth > limit {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    const DEPTH_MAX: usize = 8;

    #[test]
    fn what_is_read_is_written_again_with_every_digit() {
        let text = r#"{"a":0.10,"b":[1e2,-3,"x\"y ü",null,true],"vendor":{"z":1.000}}"#;
        assert_eq!(Doc::read(text.as_bytes(), DEPTH_MAX).unwrap().to_string(), text);
        assert_eq!(Doc::read(br#"{"a":1,"a":2}"#, DEPTH_MAX).unwrap().to_string(), r#"{"a":2}"#);
        for bad in ["{", "", "1 2", r#""\ud800""#, "01", "nul"] {
            assert_eq!(Doc::read(bad.as_bytes(), DEPTH_MAX).unwrap_err().to_string(), "is not JSON", "{bad}");
        }
    }

    #[test]
    fn depth_is_counted_outside_of_texts_only() {
        let deep = format!("{}{}", "[".repeat(DEPTH_MAX + 1), "]".repeat(DEPTH_MAX + 1));
        assert_eq!(Doc::read(deep.as_bytes(), DEPTH_MAX).unwrap_err().to_string(), "is nested too deeply");
        assert!(Doc::read(&deep.as_bytes()[1..deep.len() - 1], DEPTH_MAX).is_ok());
        let quoted = format!(r#""{}\"{}""#, "[".repeat(100), "{".repeat(100));
        assert!(Doc::read(quoted.as_bytes(), DEPTH_MAX).is_ok());
    }

    #[test]
    fn nulls_may_be_taken_out() {
        let doc = Doc::read(br#"{"a":null,"b":[null,{"c":null}]}"#, DEPTH_MAX).unwrap();
        assert_eq!(doc.without_nulls().unwrap().to_string(), r#"{"b":[{}]}"#);
        assert_eq!(Doc::Null.without_nulls(), None);
    }

    #[test]
    fn a_document_does_not_print_what_it_holds() {
        let doc = Doc::read(br#"{"UID":"04A2B3C4D5E6F7","n":17,"list":["secret"]}"#, DEPTH_MAX).unwrap();
        let shown = format!("{doc:?}");
        assert!(!shown.contains("04A2") && !shown.contains("17") && !shown.contains("secret"), "{shown}");
    }
}
