//! The tongue of clearing houses: OCHP 1.4 and OCHPdirect 0.2 to and from [`charge::talk::road`].
//!
//! Messages are typed records ([`types`], [`message`]) over the trees of `soap`: written strictly in the order of the
//! schema, read by local name whatever the order, the name space or the spelling. [`bridge`] carries them to the words
//! of the road and back, and returns what was lost; [`ledger`] is the life of a record between operator and provider.
//! Pure: no socket, no clock, no memory. Invariants: a text that breaks the schema cannot be made; no fault and no
//! loss repeats a value it is about, so both may be logged; a crossing that would change money is refused.

#[macro_use]
mod wire;

pub mod bridge;
pub mod envelope;
pub mod ledger;
pub mod message;
mod read;
pub mod scalar;
pub mod types;

pub use read::{Crossed, Fault, Lost};

/// The one name space of all messages, OCHPdirect's too.
pub const NAMESPACE: &str = "http://ochp.eu/1.4";

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
