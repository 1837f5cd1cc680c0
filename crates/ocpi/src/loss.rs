//! What a hub of ours tells a party of its letters' losses: no module of OCPI, in the envelope of OCPI.
//!
//! Deliberately one line for each kind of letter and place: a count and the last time, never a letter. Invariant: what is
//! written names places and reasons, no values.

use charge::talk::road::LossRow;

use crate::write::{Doc, Record, time};

/// As JSON text.
pub fn write(row: &LossRow) -> String {
    let line = Record::default()
        .with("from", row.from.to_string())
        .with("to", row.to.to_string())
        .with("errand", row.errand.as_str())
        .with("what", row.what.as_str())
        .with("count", row.count)
        .with("last", time(row.last));
    Doc::from(line).to_string()
}
