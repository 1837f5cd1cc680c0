//! Reading JSON generously: a cursor that knows its path, typed looks at a value, faults that say where and why.
//!
//! `null`, an absent member and an empty string are the same for an optional member, and an absent or `null` list is
//! an empty one (OCPI 2.2.1, 3.2 "cardinality"). Numbers may come in quotes and texts as numbers. Invariant: a fault
//! names the place and the kind of mistake, never the value.

use std::fmt;
use std::str::FromStr;

use charge::units::{Energy, Power};
use charge::{Decimal, Timestamp};
pub use document::{Crossed, Fault, Lost};

use crate::write::Doc;

/// No OCPI object is nested deeper than ten levels; what is, comes from somebody who wants to hurt.
pub const DEPTH_MAX: usize = 32;

/// Parses a document that is no deeper than [`DEPTH_MAX`]. The size is bounded by whoever read the bytes.
pub fn parse(bytes: &[u8]) -> Result<Doc, Fault> {
    Doc::read(bytes, DEPTH_MAX)
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct At<'v> {
    value: &'v Doc,
    path: String,
}

impl<'v> At<'v> {
    pub(crate) const fn root(value: &'v Doc) -> Self {
        Self { value, path: String::new() }
    }

    pub(crate) const fn below(value: &'v Doc, path: String) -> Self {
        Self { value, path }
    }

    pub(crate) fn fault(&self, why: &str) -> Fault {
        Fault::new(self.path.as_str(), why)
    }

    /// A member that means something; `None` for absent, `null` and empty.
    pub(crate) fn field(&self, name: &str) -> Option<Self> {
        let value = self.value.as_record()?.get(name)?;
        let empty = matches!(value, Doc::Text(text) if text.trim().is_empty());
        (!empty).then(|| Self { value, path: format!("{}/{name}", self.path) })
    }

    pub(crate) fn need(&self, name: &str) -> Result<Self, Fault> {
        if self.value.as_record().is_none() {
            return Err(self.fault("is not an object"));
        }
        self.field(name).ok_or_else(|| Fault::new(format!("{}/{name}", self.path), "is missing"))
    }

    /// The elements of a list that may be absent or `null`.
    pub(crate) fn list(&self, name: &str) -> Result<Vec<Self>, Fault> {
        self.field(name).map_or_else(|| Ok(Vec::new()), |list| list.items())
    }

    pub(crate) fn items(&self) -> Result<Vec<Self>, Fault> {
        let items = self.value.as_list().ok_or_else(|| self.fault("is not a list"))?;
        let item = |(index, value)| Self { value, path: format!("{}/{index}", self.path) };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// An optional member: what cannot be read is left out and told.
    pub(crate) fn maybe<T>(&self, name: &str, lost: &mut Lost, read: impl Fn(&Self) -> Result<T, Fault>) -> Option<T> {
        self.field(name).and_then(|at| read(&at).map_err(|fault| lost.push(fault)).ok())
    }

    /// Tells which of these members are there and have no word of ours.
    pub(crate) fn unworded(&self, names: &[&str], lost: &mut Lost) {
        let carried = |at: &Self| !at.value.as_list().is_some_and(<[Doc]>::is_empty);
        lost.extend(
            names.iter().filter_map(|name| self.field(name)).filter(carried).map(|at| at.fault("is not carried")),
        );
    }

    pub(crate) fn text(&self) -> Result<String, Fault> {
        match self.value {
            Doc::Text(text) | Doc::Number(text) => Ok(text.clone()),
            Doc::Null | Doc::Bool(_) | Doc::List(_) | Doc::Record(_) => Err(self.fault("is not a text")),
        }
    }

    /// An identifier or any other word with a form of its own.
    pub(crate) fn word<T: FromStr>(&self) -> Result<T, Fault>
    where
        T::Err: fmt::Display,
    {
        self.text()?.trim().parse().map_err(|fault: T::Err| self.fault(&fault.to_string()))
    }

    pub(crate) fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, Fault> {
        let text = self.text()?;
        let known = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
        known.map(|(_, meaning)| *meaning).ok_or_else(|| self.fault("is none of the words allowed here"))
    }

    pub(crate) fn yes_or_no(&self) -> Result<bool, Fault> {
        match self.value {
            Doc::Bool(answer) => Ok(*answer),
            Doc::Text(text) if text == "true" => Ok(true),
            Doc::Text(text) if text == "false" => Ok(false),
            Doc::Text(_) | Doc::Null | Doc::Number(_) | Doc::List(_) | Doc::Record(_) => {
                Err(self.fault("is neither true nor false"))
            }
        }
    }

    /// Exact: the digits as written, never through a float.
    pub(crate) fn decimal(&self) -> Result<Decimal, Fault> {
        self.value.decimal().ok_or_else(|| self.fault("is not a number"))
    }

    pub(crate) fn whole(&self) -> Result<u32, Fault> {
        let number = self.decimal()?;
        let whole = number.trunc() == number;
        u32::try_from(number).ok().filter(|_| whole).ok_or_else(|| self.fault("is not a whole number of this size"))
    }

    /// Whole and not negative; a fraction is rounded up, as voltages and currents are limits.
    pub(crate) fn rounded(&self) -> Result<u32, Fault> {
        u32::try_from(self.decimal()?.ceil()).map_err(|_| self.fault("is not a number of this size"))
    }

    pub(crate) fn kwh(&self) -> Result<Energy, Fault> {
        Energy::from_kwh(self.decimal()?).ok_or_else(|| self.fault("is more energy than there is"))
    }

    pub(crate) fn kilowatts(&self) -> Result<Power, Fault> {
        let milliwatts =
            self.decimal()?.checked_mul(Decimal::from(1_000_000)).and_then(|mw| i64::try_from(mw.trunc()).ok());
        milliwatts.map(Power::from_milliwatts).ok_or_else(|| self.fault("is more power than there is"))
    }

    pub(crate) fn time(&self) -> Result<Timestamp, Fault> {
        parse_time(&self.text()?).ok_or_else(|| self.fault("is not a time in RFC 3339"))
    }
}

/// RFC 3339 in UTC; `Z` may be left out (OCPI 2.2.1, 17.2).
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    document::zoned(text).parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_monsters_are_refused() {
        let value = parse(br#"{"a": 0.10, "b": "12.5", "c": 1e2, "d": 1e999999999, "e": true, "f": -1}"#).unwrap();
        let at = At::root(&value);
        assert_eq!(at.need("a").unwrap().decimal().unwrap().to_string(), "0.10");
        assert_eq!(at.need("b").unwrap().decimal().unwrap().to_string(), "12.5");
        assert_eq!(at.need("c").unwrap().whole(), Ok(100));
        for name in ["d", "e"] {
            assert_eq!(at.need(name).unwrap().decimal().unwrap_err().to_string(), format!("/{name} is not a number"));
        }
        assert!(at.need("f").unwrap().whole().is_err());
    }

    #[test]
    fn times_without_zone_or_with_a_blank_are_read() {
        for text in ["2015-06-29T21:39:09Z", "2015-06-29T21:39:09", "2015-06-29 21:39:09", "2015-06-29T22:39:09+01:00"]
        {
            let value = Doc::from(text);
            assert_eq!(At::root(&value).time().unwrap().to_string(), "2015-06-29T21:39:09Z", "{text}");
        }
        assert!(At::root(&Doc::from("yesterday")).time().is_err());
        assert!(At::root(&Doc::from("2015")).time().is_err());
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}{}", "[".repeat(DEPTH_MAX + 1), "]".repeat(DEPTH_MAX + 1));
        assert_eq!(parse(deep.as_bytes()).unwrap_err().to_string(), "is nested too deeply");
        assert!(parse(&deep.as_bytes()[1..deep.len() - 1]).is_ok());
        assert_eq!(parse(b"{").unwrap_err().to_string(), "is not JSON");
    }

    #[test]
    fn absent_null_and_empty_are_one_and_wrong_types_have_a_path() {
        let value = parse(br#"{"a": null, "b": "", "c": {"d": 7}, "e": {}}"#).unwrap();
        let at = At::root(&value);
        for name in ["a", "b", "z"] {
            assert!(at.field(name).is_none());
            assert!(at.list(name).unwrap().is_empty());
            assert_eq!(at.need(name).unwrap_err().to_string(), format!("/{name} is missing"));
        }
        assert_eq!(at.need("c").unwrap().need("d").unwrap().list("x").unwrap().len(), 0);
        assert_eq!(at.list("e").unwrap_err().to_string(), "/e is not a list");
        assert_eq!(
            at.need("c").unwrap().need("d").unwrap().need("x").unwrap_err().to_string(),
            "/c/d is not an object"
        );
    }
}
