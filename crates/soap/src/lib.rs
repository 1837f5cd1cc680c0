//! SOAP without a protocol in it: XML in and out, envelopes of 1.1 and 1.2, WS-Addressing, faults, a user's name token.
//!
//! [`read`] turns bytes of a stranger into a small owned [`Element`] tree and refuses whatever a SOAP message has no
//! use for: document types, entities of one's own, processing instructions, other encodings than UTF-8, and anything
//! beyond [`Limits`]. [`Envelope`] is the message around a body. Deliberately not here: schemas, operations, sockets,
//! signatures. Invariants: what is written can be read again as the same tree; an element's text is never printed by
//! `Debug`, because it may be personal.

pub mod addressing;
mod element;
mod envelope;
mod fault;
mod read;
pub mod username;
mod write;

pub use addressing::Addressing;
pub use element::{Element, Name};
pub use envelope::{Envelope, Malformed, Version};
pub use fault::{Blame, Fault};
pub use read::{Broken, read};
pub use username::UsernameToken;
pub use write::{Prefix, write};

/// What one message may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest message that is read.
    pub bytes_max: usize,
    /// The deepest nesting that is read. An OCPP charging profile has nine levels with its envelope.
    pub depth_max: usize,
    /// How many elements one message may have. A local list of 500 tokens has 2 500.
    pub elements_max: usize,
    /// How many attributes one element may have, declarations of name spaces included. Some stacks declare twenty.
    pub attributes_max: usize,
    /// The longest name of a name space, in bytes: it is kept with every name in it. The longest in use has 83.
    pub space_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes_max: 256 * 1024, depth_max: 32, elements_max: 10_000, attributes_max: 48, space_bytes_max: 256 }
    }
}

#[cfg(test)]
mod tests;
