//! What a session costs, exactly and with reasons; what it would cost, before it starts; and whether a tariff is sound.
//!
//! An engine of our own over the house's words: quantities are whole milliwatt-hours and seconds, so nothing is lost
//! in hours with four decimals, and every line names its rule. It does not split periods ([`changes`] says where the
//! operator must) and it rounds no money: a quotient that does not end is kept to [`QUOTIENT_PLACES`].
//!
//! Invariant: the same tariff and periods give the same price at every party, digit for digit.

mod engine;
mod headline;
mod limit;
mod lint;
mod window;

pub use engine::{Adjustment, Line, Note, PriceFault, Priced, price};
pub use headline::{Offer, headline};
pub use lint::{Finding, Severity, lint};
pub use window::{changes, knows_zone};

/// A third of a cent has no end: prices per hour are divided to this many decimals, far below anything that is ever
/// owed, and few enough that sums of quotients stay exact.
pub const QUOTIENT_PLACES: u32 = 12;

#[cfg(test)]
mod tests;
