//! Documents of OICP as values: what a JSON body and a SOAP body have in common.
//!
//! Numbers are their digits and never floats; members keep the order they were put in. A document may hold personal
//! data, so `Debug` shows its outline only. Deliberately no meaning: which members belong where is said by a
//! [`crate::shape::Shape`]. Invariant: what is read is no deeper than [`DEPTH_MAX`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use charge::talk::road::Denial;
use serde_json::Value;
use serde_json::value::RawValue;

/// A place in a document that cannot be read or written, and why. Never repeats the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer (RFC 6901); empty for the whole document.
    pub path: String,
    pub why: Box<str>,
}

impl Fault {
    pub fn new(path: impl Into<String>, why: &str) -> Self {
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

/// What a crossing left behind or repaired: places with reasons.
pub type Lost = Vec<Fault>;

/// Something that was carried over a border, and what did not come along.
#[derive(Clone, Debug, PartialEq)]
pub struct Crossed<T> {
    pub value: T,
    pub lost: Lost,
}

/// A document or a part of one.
#[derive(Clone, PartialEq)]
pub enum Doc {
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Self>),
    Record(Record),
}

/// The members of a record, in their order.
#[derive(Clone, Default, PartialEq)]
pub struct Record(pub(crate) Vec<(Cow<'static, str>, Doc)>);

impl Doc {
    /// Reads a JSON document. The size is bounded by whoever read the bytes. A `null` is an absent member.
    pub fn read(bytes: &[u8]) -> Result<Self, Fault> {
        if deeper_than(bytes, DEPTH_MAX) {
            return Err(Fault::new("", "is nested too deeply"));
        }
        let raw: &RawValue = serde_json::from_slice(bytes).map_err(|_| Fault::new("", "is not JSON"))?;
        grown(raw.get()).ok_or_else(|| Fault::new("", "is not JSON"))?.ok_or_else(|| Fault::new("", "is null"))
    }

    pub const fn as_record(&self) -> Option<&Record> {
        match self {
            Self::Record(record) => Some(record),
            Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }
}

impl Record {
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Doc>) -> Self {
        self.0.push((Cow::Borrowed(name), value.into()));
        self
    }

    /// Optional members are left out, never written as `null`.
    #[must_use]
    pub fn maybe(self, name: &'static str, value: Option<impl Into<Doc>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub fn get(&self, name: &str) -> Option<&Doc> {
        self.0.iter().find(|(each, _)| each == name).map(|(_, value)| value)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Doc::Text(text) | Doc::Number(text) => Some(text),
            Doc::Bool(_) | Doc::List(_) | Doc::Record(_) => None,
        }
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Doc> {
        let at = self.0.iter().position(|(each, _)| each == name)?;
        Some(self.0.remove(at).1)
    }

    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<Doc>) {
        let value = value.into();
        match self.0.iter_mut().find(|(each, _)| each == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((Cow::Borrowed(name), value)),
        }
    }
}

impl fmt::Display for Doc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
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
            Self::Bool(_) | Self::Number(_) | Self::Text(_) => f.write_str("_"),
            Self::List(items) => f.debug_list().entries(items).finish(),
            Self::Record(record) => record.fmt(f),
        }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, value)| (name, value))).finish()
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
    u32, value => Self::Number(value.to_string());
    i64, value => Self::Number(value.to_string());
    charge::Decimal, value => Self::Number(value.normalize().to_string());
    &str, value => Self::Text(value.to_owned());
    String, value => Self::Text(value);
    charge::Timestamp, value => Self::Text(value.whole_millis().to_string());
    Vec<Self>, value => Self::List(value);
    Record, value => Self::Record(value);
}

/// `Some(None)` is a `null`. A member that appears twice counts as its last appearance.
fn grown(text: &str) -> Option<Option<Doc>> {
    Some(Some(match text.bytes().next()? {
        b'{' => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
            let mut record = Vec::with_capacity(members.len());
            for (name, raw) in members {
                if let Some(value) = grown(raw.get())? {
                    record.push((Cow::Owned(name), value));
                }
            }
            Doc::Record(Record(record))
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            let mut list = Vec::with_capacity(items.len());
            for raw in items {
                list.extend(grown(raw.get())?);
            }
            Doc::List(list)
        }
        b'"' => Doc::Text(serde_json::from_str(text).ok()?),
        b't' => Doc::Bool(true),
        b'f' => Doc::Bool(false),
        b'n' => return Some(None),
        _digit_or_sign => Doc::Number(text.to_owned()),
    }))
}

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

/// The deepest document of OICP 2.3, a page of EVSE data, has eight levels.
pub const DEPTH_MAX: usize = 24;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn what_is_read_is_written_again_with_every_digit_and_nulls_are_absent() {
        let text = r#"{"a":0.10,"b":[1e2,-3,"x\"y ü",true],"c":{"z":1.000}}"#;
        assert_eq!(Doc::read(text.as_bytes()).unwrap().to_string(), text);
        assert_eq!(Doc::read(br#"{"a":null,"b":[null]}"#).unwrap().to_string(), r#"{"b":[]}"#);
        for (bad, why) in [(&b"{"[..], "is not JSON"), (b"null", "is null")] {
            assert_eq!(Doc::read(bad).unwrap_err().to_string(), why);
        }
        let deep = format!("{}{}", "[".repeat(DEPTH_MAX + 1), "]".repeat(DEPTH_MAX + 1));
        assert_eq!(Doc::read(deep.as_bytes()).unwrap_err().to_string(), "is nested too deeply");
    }

    #[test]
    fn a_document_does_not_print_what_it_holds() {
        let doc = Doc::read(br#"{"UID":"04A2B3C4D5E6F7","n":17,"list":["secret"]}"#).unwrap();
        let shown = format!("{doc:?}");
        assert!(!shown.contains("04A2") && !shown.contains("17") && !shown.contains("secret"), "{shown}");
    }
}
