//! JSON documents as values with exact numbers: what is written, and what crosses from one version to another.
//!
//! Numbers are their digits and never floats; a document that is read and written again keeps every member it had.
//! Invariant: what is read is no deeper than [`DEPTH_MAX`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use charge::Decimal;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::read::{DEPTH_MAX, Fault, deeper_than};

/// A JSON document to be written. Numbers are digits, never floats.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Self>),
    Object(Object),
}

impl fmt::Display for Json {
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
            Self::Object(Object(members)) => {
                f.write_str("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    write!(f, "{}{}:{value}", if index == 0 { "" } else { "," }, Value::from(name.as_ref()))?;
                }
                f.write_str("}")
            }
        }
    }
}

macro_rules! from {
    ($($source:ty, $value:ident => $json:expr;)+) => {$(
        impl From<$source> for Json {
            fn from($value: $source) -> Self {
                $json
            }
        }
    )+};
}

from! {
    bool, value => Self::Bool(value);
    u16, value => Self::Number(value.to_string());
    u32, value => Self::Number(value.to_string());
    i64, value => Self::Number(value.to_string());
    &str, value => Self::Text(value.to_owned());
    String, value => Self::Text(value);
    Vec<Self>, value => Self::List(value);
    Object, value => Self::Object(value);
}

/// The members of an object, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object(Vec<(Cow<'static, str>, Json)>);

impl Object {
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Json>) -> Self {
        self.0.push((Cow::Borrowed(name), value.into()));
        self
    }

    /// Optional members are left out, never written as `null`.
    pub(crate) fn maybe(self, name: &'static str, value: Option<impl Into<Json>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Optional lists are left out where they are empty.
    pub(crate) fn some(self, name: &'static str, list: Vec<Json>) -> Self {
        if list.is_empty() { self } else { self.with(name, list) }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        self.0.iter().find(|(each, _)| each == name).map(|(_, value)| value).filter(|value| **value != Json::Null)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Json> {
        self.0.iter_mut().find(|(each, _)| each == name).map(|(_, value)| value).filter(|value| **value != Json::Null)
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Json> {
        let at = self.0.iter().position(|(each, _)| each == name)?;
        Some(self.0.remove(at).1).filter(|value| *value != Json::Null)
    }

    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<Json>) {
        let value = value.into();
        match self.0.iter_mut().find(|(each, _)| each == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((Cow::Borrowed(name), value)),
        }
    }

    /// What stands under one name comes to stand under another.
    pub(crate) fn rename(&mut self, from: &str, to: &'static str) {
        if let Some(value) = self.take(from) {
            self.set(to, value);
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Json::Text(text) | Json::Number(text) if !text.is_empty() => Some(text),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => None,
        }
    }

    pub(crate) fn object_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.get_mut(name).and_then(Json::as_object_mut)
    }

    /// The objects in a list.
    pub(crate) fn each_mut(&mut self, name: &str) -> impl Iterator<Item = &mut Self> {
        let list = match self.get_mut(name) {
            Some(Json::List(items)) => Some(items),
            Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Object(_)) | None => None,
        };
        list.into_iter().flatten().filter_map(Json::as_object_mut)
    }

    /// Whether every member that is there has one of these names.
    pub(crate) fn only(&self, names: &[&str]) -> bool {
        self.0.iter().all(|(name, value)| *value == Json::Null || names.contains(&name.as_ref()))
    }

    /// Puts a change over an object: its members replace ours, `null` takes one away (RFC 7396 on the first level,
    /// which is the level that OCPI patches).
    pub(crate) fn patch(&mut self, change: &Self) {
        for (name, value) in &change.0 {
            self.0.retain(|(each, _)| each != name);
            if *value != Json::Null {
                self.0.push((name.clone(), value.clone()));
            }
        }
    }
}

impl Json {
    /// Reads a document. The size is bounded by whoever read the bytes.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let whole = |why: &str| Fault { path: String::new(), why: why.into() };
        if deeper_than(bytes, DEPTH_MAX) {
            return Err(whole("is nested too deeply"));
        }
        let raw: &RawValue = serde_json::from_slice(bytes).map_err(|_| whole("is not JSON"))?;
        grown(raw.get()).ok_or_else(|| whole("is not JSON"))
    }

    pub(crate) const fn as_object_mut(&mut self) -> Option<&mut Object> {
        match self {
            Self::Object(object) => Some(object),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    pub(crate) const fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    pub(crate) fn decimal(&self) -> Option<Decimal> {
        match self {
            Self::Number(digits) | Self::Text(digits) if digits.len() <= NUMBER_CHARACTERS_MAX => {
                digits.parse().or_else(|_| Decimal::from_scientific(digits)).ok()
            }
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) | Self::Object(_) => None,
        }
    }
}

/// A member that appears twice counts as its last appearance, as in every other reader here.
fn grown(text: &str) -> Option<Json> {
    Some(match text.bytes().next()? {
        b'{' => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
            let member = |(name, raw): (String, &RawValue)| Some((Cow::Owned(name), grown(raw.get())?));
            Json::Object(Object(members.into_iter().map(member).collect::<Option<_>>()?))
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            Json::List(items.into_iter().map(|raw| grown(raw.get())).collect::<Option<_>>()?)
        }
        b'"' => Json::Text(serde_json::from_str(text).ok()?),
        b't' => Json::Bool(true),
        b'f' => Json::Bool(false),
        b'n' => Json::Null,
        _digit_or_sign => Json::Number(text.to_owned()),
    })
}

/// The longest number in the field has some 20 digits; more is no measurement.
const NUMBER_CHARACTERS_MAX: usize = 40;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn what_is_read_is_written_again_with_every_digit() {
        let text = r#"{"a":0.10,"b":[1e2,-3,"x\"y ü",null,true],"vendor":{"z":1.000}}"#;
        assert_eq!(Json::read(text.as_bytes()).unwrap().to_string(), text);
        assert_eq!(Json::read(b"{").unwrap_err().to_string(), "is not JSON");
        let deep = format!("{}{}", "[".repeat(DEPTH_MAX + 1), "]".repeat(DEPTH_MAX + 1));
        assert_eq!(Json::read(deep.as_bytes()).unwrap_err().to_string(), "is nested too deeply");
    }

    #[test]
    fn a_change_replaces_and_takes_away() {
        let object = |text: &str| Json::read(text.as_bytes()).unwrap().as_object().unwrap().clone();
        let mut kept = object(r#"{"a":1,"b":{"c":2},"d":3}"#);
        kept.patch(&object(r#"{"b":{"e":4},"d":null,"f":5}"#));
        assert_eq!(Json::from(kept).to_string(), r#"{"a":1,"b":{"e":4},"f":5}"#);
    }
}
