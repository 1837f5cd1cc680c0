//! The tongue of the road: OCPI 2.2.1 to and from [`charge::talk::road`].
//!
//! Pure: requests and responses are values ([`wire`]), sockets belong to the door. Objects are read field by field
//! from JSON, because partners write `null`, empty strings and numbers in quotes: what can be repaired is repaired
//! and told with its JSON pointer, what cannot becomes one complaint and never costs a whole page. What is written is
//! strict. A crossing returns what was lost ([`Crossed`]). Invariant: no fault and no loss repeats a value it is
//! about, so both may be logged.

pub mod answer;
pub mod ask;
mod cdr;
mod command;
pub mod credentials;
pub mod hear;
mod location;
mod read;
mod record;
mod session;
pub mod status;
mod tariff;
mod token;
pub mod url;
pub mod versions;
pub mod wire;
mod write;

pub use read::{Crossed, Fault, Lost, parse};

/// The protocol version that this tongue speaks.
pub const VERSION: &str = "2.2.1";

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
