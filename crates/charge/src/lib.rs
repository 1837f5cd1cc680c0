//! The words of the house: what charging is about, in exact types.
//!
//! This crate knows identifiers, units, money, time, tokens, tariffs, sessions and the three conversations
//! ([`talk`]). It deliberately knows no wire format, no database and no async runtime: a value of this crate
//! cannot become JSON by accident, because it has no way to. Doors and tongues write explicit twins.
//!
//! Every other crate depends on this one, so a change here is a change to the constitution: small, rare, reasoned.

pub mod clock;
pub mod id;
pub mod meter;
pub mod money;
pub mod personal;
pub mod place;
pub mod record;
pub mod talk;
pub mod tariff;
pub mod token;
pub mod units;

pub use clock::{Clock, Dice, SystemClock, Timestamp};
pub use personal::{Personal, Purpose, Secret};
pub use rust_decimal::Decimal;

/// A boxed future, for the few seams that are crossed with `dyn`.
pub type Soon<'a, T> = std::pin::Pin<Box<dyn std::future::Future<Output = T> + Send + 'a>>;
