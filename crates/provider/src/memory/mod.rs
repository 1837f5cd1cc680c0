//! The provider's tables, one file per noun: named SQL and row mapping, no decisions.

pub(crate) mod bookings;
pub(crate) mod cdrs;
pub(crate) mod disputes;
pub(crate) mod invoices;
pub(crate) mod learned;
pub(crate) mod limits;
pub(crate) mod onetime;
pub(crate) mod orders;
pub(crate) mod people;
pub(crate) mod places;
pub(crate) mod schema;
pub(crate) mod sessions;
pub(crate) mod tariffs;

use std::str::FromStr;

use charge::Decimal;
use charge::money::Price;
use store::{Row, StoreError};

fn corrupt(column: &'static str) -> StoreError {
    StoreError::Corrupt(format!("{column} holds what no row of ours can hold"))
}

fn parsed<T: FromStr>(text: &str, column: &'static str) -> Result<T, StoreError> {
    text.parse().map_err(|_| corrupt(column))
}

fn parsed_opt<T: FromStr>(text: Option<String>, column: &'static str) -> Result<Option<T>, StoreError> {
    text.map(|text| parsed(&text, column)).transpose()
}

/// A price in two columns, the second of which may be empty.
fn price(row: &Row<'_>, first: usize, column: &'static str) -> Result<Option<Price>, StoreError> {
    let before: Option<Decimal> = parsed_opt(row.text_opt(first)?, column)?;
    let with_vat: Option<Decimal> = parsed_opt(row.text_opt(first + 1)?, column)?;
    Ok(before.map(|before_vat| Price { before_vat, with_vat }))
}

fn before(price: Option<&Price>) -> Option<String> {
    price.map(|price| price.before_vat.to_string())
}

fn with_vat(price: Option<&Price>) -> Option<String> {
    price.and_then(|price| price.with_vat).map(|amount| amount.to_string())
}

fn count(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn small<T: TryFrom<i64>>(value: i64, column: &'static str) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| corrupt(column))
}
