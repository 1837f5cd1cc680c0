//! The members of a record, in their order.
//!
//! A member that is `null` counts as absent wherever one looks at it, and is still written again. Deliberately no
//! complaints: what a wrong kind of member means is said by who asks for it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use charge::{Decimal, Timestamp};

use crate::doc::Doc;
use crate::fault::Fault;

#[derive(Clone, Default, PartialEq)]
pub struct Record(pub Vec<(Cow<'static, str>, Doc)>);

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

    /// Optional lists are left out where they are empty.
    #[must_use]
    pub fn some(self, name: &'static str, list: Vec<Doc>) -> Self {
        if list.is_empty() { self } else { self.with(name, list) }
    }

    pub fn get(&self, name: &str) -> Option<&Doc> {
        self.0.iter().find(|(each, _)| each == name).map(|(_, value)| value).filter(|value| **value != Doc::Null)
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut Doc> {
        self.0.iter_mut().find(|(each, _)| each == name).map(|(_, value)| value).filter(|value| **value != Doc::Null)
    }

    pub fn take(&mut self, name: &str) -> Option<Doc> {
        let at = self.0.iter().position(|(each, _)| each == name)?;
        Some(self.0.remove(at).1).filter(|value| *value != Doc::Null)
    }

    pub fn set(&mut self, name: &'static str, value: impl Into<Doc>) {
        let value = value.into();
        match self.0.iter_mut().find(|(each, _)| each == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((Cow::Borrowed(name), value)),
        }
    }

    /// What stands under one name comes to stand under another.
    pub fn rename(&mut self, from: &str, to: &'static str) {
        if let Some(value) = self.take(from) {
            self.set(to, value);
        }
    }

    /// A text or the digits of a number, where there are any.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Doc::Text(text) | Doc::Number(text) if !text.is_empty() => Some(text),
            Doc::Null | Doc::Bool(_) | Doc::Number(_) | Doc::Text(_) | Doc::List(_) | Doc::Record(_) => None,
        }
    }

    pub fn number(&self, name: &str) -> Option<Decimal> {
        self.get(name).and_then(Doc::decimal)
    }

    pub fn time(&self, name: &str) -> Option<Timestamp> {
        self.text(name)?.parse().ok()
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Doc::Bool(value) => Some(*value),
            Doc::Null | Doc::Number(_) | Doc::Text(_) | Doc::List(_) | Doc::Record(_) => None,
        }
    }

    /// A member that an identifier or another word with a form of its own is made of.
    pub fn word<T: FromStr>(&self, name: &str) -> Result<T, Fault> {
        let fault = |why: &str| Fault::new(format!("/{name}"), why);
        let text = self.text(name).ok_or_else(|| fault("is missing"))?;
        text.trim().parse().map_err(|_| fault("does not have the form of such an identifier"))
    }

    pub fn record(&self, name: &str) -> Option<&Self> {
        self.get(name).and_then(Doc::as_record)
    }

    pub fn record_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.get_mut(name).and_then(Doc::as_record_mut)
    }

    /// The items of a list; none where there is no list.
    pub fn list(&self, name: &str) -> &[Doc] {
        self.get(name).and_then(Doc::as_list).unwrap_or_default()
    }

    /// The records in a list.
    pub fn records(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.list(name).iter().filter_map(Doc::as_record)
    }

    pub fn records_mut(&mut self, name: &str) -> impl Iterator<Item = &mut Self> {
        let list = match self.get_mut(name) {
            Some(Doc::List(items)) => Some(items),
            Some(Doc::Null | Doc::Bool(_) | Doc::Number(_) | Doc::Text(_) | Doc::Record(_)) | None => None,
        };
        list.into_iter().flatten().filter_map(Doc::as_record_mut)
    }

    /// The texts in a list.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.list(name).iter().filter_map(|item| match item {
            Doc::Text(text) => Some(text.as_str()),
            Doc::Null | Doc::Bool(_) | Doc::Number(_) | Doc::List(_) | Doc::Record(_) => None,
        })
    }

    /// Whether every member that is there has one of these names.
    pub fn only(&self, names: &[&str]) -> bool {
        self.0.iter().all(|(name, value)| *value == Doc::Null || names.contains(&name.as_ref()))
    }

    /// Puts a change over a record: its members replace ours, `null` takes one away (RFC 7396, on the first level).
    pub fn patch(&mut self, change: &Self) {
        for (name, value) in &change.0 {
            self.0.retain(|(each, _)| each != name);
            if *value != Doc::Null {
                self.0.push((name.clone(), value.clone()));
            }
        }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, value)| (name, value))).finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn record(text: &str) -> Record {
        Doc::read(text.as_bytes(), 8).unwrap().as_record().unwrap().clone()
    }

    #[test]
    fn a_change_replaces_and_takes_away() {
        let mut kept = record(r#"{"a":1,"b":{"c":2},"d":3}"#);
        kept.patch(&record(r#"{"b":{"e":4},"d":null,"f":5}"#));
        assert_eq!(Doc::from(kept).to_string(), r#"{"a":1,"b":{"e":4},"f":5}"#);
    }

    #[test]
    fn a_null_is_absent_to_all_who_look_and_is_written_again() {
        let mut one = record(r#"{"a":null,"b":"","c":"x","d":[null,{"e":null}]}"#);
        assert_eq!((one.get("a"), one.text("b"), one.text("c")), (None, None, Some("x")));
        assert_eq!(one.get_mut("a"), None);
        assert!(one.only(&["b", "c", "d"]) && !one.only(&["c", "d"]));
        assert_eq!((one.records("d").count(), one.records_mut("d").count(), one.texts("d").count()), (1, 1, 0));
        assert_eq!(Doc::from(one.clone()).to_string(), r#"{"a":null,"b":"","c":"x","d":[null,{"e":null}]}"#);
        assert_eq!(one.take("a"), None);
        assert_eq!(one.word::<u32>("c").unwrap_err().to_string(), "/c does not have the form of such an identifier");
    }
}
