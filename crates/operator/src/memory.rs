//! The operator's tables: migrations, named SQL and the way between rows and words, one file per noun.
//!
//! A row is not a word of the house: each file says how one becomes the other. Personal columns are sealed before
//! they get here and opened by whoever has a purpose. A row that no code of ours could have written is reported as
//! damage with the name of its column, never guessed at.

pub(crate) mod alarm;
pub(crate) mod amend;
pub(crate) mod booking;
pub(crate) mod cdr;
pub(crate) mod certificate;
pub(crate) mod credit;
pub(crate) mod curve;
pub(crate) mod denial;
pub(crate) mod dynamic;
pub(crate) mod firmware;
pub(crate) mod habit;
pub(crate) mod handed;
pub(crate) mod key;
pub(crate) mod log;
pub(crate) mod messages;
pub(crate) mod model;
pub(crate) mod needs;
pub(crate) mod news;
pub(crate) mod notice;
pub(crate) mod order;
pub(crate) mod overview;
pub(crate) mod payment;
pub(crate) mod permit;
pub(crate) mod place;
pub(crate) mod profile;
pub(crate) mod proxy;
pub(crate) mod quirk;
pub(crate) mod request;
pub(crate) mod reservation;
mod schema;
pub(crate) mod session;
pub(crate) mod station;
pub(crate) mod tariff;
pub(crate) mod template;
pub(crate) mod untold;
pub(crate) mod upload;
pub(crate) mod whitelist;

use std::str::FromStr;

use store::{Row, StoreError};

pub(crate) use schema::MIGRATIONS;

/// A column that holds the text form of a word.
pub(crate) fn word<T: FromStr>(row: &Row<'_>, column: usize, name: &'static str) -> Result<T, StoreError> {
    row.str(column)?.parse().map_err(|_| damaged(name))
}

/// The same, or nothing.
pub(crate) fn word_opt<T: FromStr>(row: &Row<'_>, column: usize, name: &'static str) -> Result<Option<T>, StoreError> {
    row.str_opt(column)?.map(|text| text.parse().map_err(|_| damaged(name))).transpose()
}

/// A column that holds one of our own names.
pub(crate) fn named<T>(
    row: &Row<'_>,
    column: usize,
    name: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, StoreError> {
    read(row.str(column)?).ok_or_else(|| damaged(name))
}

/// The same, or nothing.
pub(crate) fn named_opt<T>(
    row: &Row<'_>,
    column: usize,
    name: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, StoreError> {
    row.str_opt(column)?.map(|text| read(text).ok_or_else(|| damaged(name))).transpose()
}

/// A whole number that fits a smaller type.
pub(crate) fn small<T: TryFrom<i64>>(row: &Row<'_>, column: usize, name: &'static str) -> Result<T, StoreError> {
    T::try_from(row.int(column)?).map_err(|_| damaged(name))
}

/// The same, or nothing.
pub(crate) fn small_opt<T: TryFrom<i64>>(
    row: &Row<'_>,
    column: usize,
    name: &'static str,
) -> Result<Option<T>, StoreError> {
    row.int_opt(column)?.map(|number| T::try_from(number).map_err(|_| damaged(name))).transpose()
}

/// A count.
pub(crate) fn count(row: &Row<'_>, column: usize) -> Result<u32, StoreError> {
    small(row, column, "count")
}

pub(crate) fn damaged(column: &'static str) -> StoreError {
    StoreError::Corrupt(format!("column {column} holds what no row of ours can hold"))
}

/// Texts of one row kept as lines of one column; none of them may hold a line break.
pub(crate) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// A pattern for `LIKE … ESCAPE '\'` that finds `text` anywhere.
pub(crate) fn anywhere(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars().take(QUERY_MAX) {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// Longer searches find nothing that a shorter one would not.
const QUERY_MAX: usize = 100;
