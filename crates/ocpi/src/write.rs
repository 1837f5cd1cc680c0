//! Writing JSON strictly: members in one go, exact numbers, texts cut to the standard's length and told about.

use std::fmt;

use charge::money::Price;
use charge::{Decimal, Timestamp};
use serde_json::Value;

use crate::read::{At, Fault, Lost};

/// A JSON document to be written. Numbers are digits, never floats.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Self>),
    Object(Object),
}

impl fmt::Display for Json {
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
            Self::Object(Object(members)) => {
                f.write_str("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    write!(f, "{}\"{name}\":{value}", if index == 0 { "" } else { "," })?;
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

/// An object under construction; its members are named by this crate's constants only.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object(Vec<(&'static str, Json)>);

impl Object {
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Json>) -> Self {
        self.0.push((name, value.into()));
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
}

/// A JSON number with exactly these digits (OCPI 2.2.1, 17.3).
pub(crate) fn number(exact: Decimal) -> Json {
    Json::Number(exact.normalize().to_string())
}

/// At most milliseconds: a `DateTime` has 25 characters (OCPI 2.2.1, 17.2).
pub(crate) fn time(at: Timestamp) -> String {
    at.whole_millis().to_string()
}

/// The text, or as much of it as the standard allows.
pub(crate) fn fitted(text: &str, limit: usize, path: &str, lost: &mut Lost) -> String {
    if text.chars().count() > limit {
        lost.push(Fault { path: path.to_owned(), why: format!("is cut to {limit} characters").into() });
    }
    text.chars().take(limit).collect()
}

/// OCPI 2.2.1, 17.5 `Price`.
pub(crate) fn price(price: &Price) -> Json {
    Object::default().with("excl_vat", number(price.before_vat)).maybe("incl_vat", price.with_vat.map(number)).into()
}

/// OCPI 2.2.1, 17.5 `Price`; OCPI 2.1.1 partners send the bare number.
pub(crate) fn read_price(at: &At<'_>) -> Result<Price, Fault> {
    if at.field("excl_vat").is_none() && at.decimal().is_ok() {
        return Ok(Price { before_vat: at.decimal()?, with_vat: None });
    }
    let with_vat = at.field("incl_vat").map(|vat| vat.decimal()).transpose()?;
    Ok(Price { before_vat: at.need("excl_vat")?.decimal()?, with_vat })
}
