//! From the meter to the invoice, one module per step: [`reading`], [`record`], [`price`], [`cdr`], [`invoice`].
//!
//! Everything here is a pure function of its arguments: no clock, no randomness, no file, no socket. The crate
//! decides what counts, what a signed record proves, what a session costs and where two parties disagree; who is
//! asked to pay, and when, is decided by the rooms.
//!
//! Invariant: a kilowatt-hour reaches an invoice only through [`record::Verified`] or a named [`cdr::Exception`], and
//! an amount is rounded exactly once, in [`invoice::total`].

pub mod cdr;
#[cfg(test)]
mod fixture;
pub mod invoice;
pub mod price;
pub mod reading;
pub mod record;
