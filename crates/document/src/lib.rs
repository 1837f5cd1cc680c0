//! Documents as the tongues of the road see them: values with exact numbers, and what is said about a place in one.
//!
//! [`Doc`] is a JSON document, or whatever else has records and lists; [`Fault`] is a place that cannot be read and
//! why, [`Lost`] what a crossing left behind. Deliberately no protocol: which members belong where is a tongue's
//! business, and so is the depth that it reads. Invariants: a number is its digits and never a float; a fault names the
//! place and the kind of mistake, never the value; `Debug` shows outlines only, because values may be personal.

mod doc;
mod fault;
mod record;
mod scalar;

pub use doc::{Doc, member};
pub use fault::{Crossed, Fault, Lost};
pub use record::Record;
pub use scalar::{NUMBER_CHARACTERS_MAX, NUMBER_MAX, decimal, zoned};
