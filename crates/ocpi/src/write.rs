//! Writing JSON strictly: members in one go, exact numbers, texts cut to the standard's length and told about.

use charge::money::Price;
use charge::{Decimal, Timestamp};
pub(crate) use document::{Doc, Record};

use crate::read::{At, Fault, Lost};

/// A JSON number with exactly these digits (OCPI 2.2.1, 17.3).
pub(crate) fn number(exact: Decimal) -> Doc {
    Doc::Number(exact.normalize().to_string())
}

/// At most milliseconds: a `DateTime` has 25 characters (OCPI 2.2.1, 17.2).
pub(crate) fn time(at: Timestamp) -> String {
    at.whole_millis().to_string()
}

/// The text, or as much of it as the standard allows.
pub(crate) fn fitted(text: &str, limit: usize, path: &str, lost: &mut Lost) -> String {
    if text.chars().count() > limit {
        lost.push(Fault::new(path, format!("is cut to {limit} characters")));
    }
    text.chars().take(limit).collect()
}

/// OCPI 2.2.1, 17.5 `Price`.
pub(crate) fn price(price: &Price) -> Doc {
    Record::default().with("excl_vat", number(price.before_vat)).maybe("incl_vat", price.with_vat.map(number)).into()
}

/// OCPI 2.2.1, 17.5 `Price`; OCPI 2.1.1 partners send the bare number.
pub(crate) fn read_price(at: &At<'_>) -> Result<Price, Fault> {
    if at.field("excl_vat").is_none() && at.decimal().is_ok() {
        return Ok(Price { before_vat: at.decimal()?, with_vat: None });
    }
    let with_vat = at.field("incl_vat").map(|vat| vat.decimal()).transpose()?;
    Ok(Price { before_vat: at.need("excl_vat")?.decimal()?, with_vat })
}
