//! The tongue of the road: OCPI 2.1.1, 2.2.1 and 2.3.0 to and from [`charge::talk::road`].
//!
//! Readers and writers speak 2.2.1; the other versions are crossed to and from it as documents ([`cross`]).
//! Pure: requests and responses are values ([`wire`]), sockets belong to the door. Objects are read field by field
//! from JSON, because partners write `null`, empty strings and numbers in quotes: what can be repaired is repaired
//! and told with its JSON pointer, what cannot becomes one complaint and never costs a whole page. What is written is
//! strict. A crossing returns what was lost ([`Crossed`]). Invariant: no fault and no loss repeats a value it is
//! about, so both may be logged.

pub mod answer;
pub mod ask;
pub mod booking;
mod cdr;
pub mod client;
mod command;
pub mod credentials;
pub mod cross;
pub mod document;
pub mod habit;
pub mod hear;
mod location;
pub mod loss;
pub mod patch;
mod profile;
mod read;
mod record;
mod session;
pub mod spare;
pub mod status;
mod tariff;
mod token;
pub mod url;
mod v211;
mod v230;
pub mod versions;
pub mod wire;
mod write;

pub use ::document::Doc;
pub use read::{Crossed, Fault, Lost, parse};
pub use versions::Version;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
