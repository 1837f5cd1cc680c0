//! The three conversations of charging, each a vocabulary of its own.
//!
//! Rooms speak these words and nothing else; a tongue translates them to and from a protocol; a door carries them.
//! The cable (car and station) joins with ISO 15118; until then a virtual car lives inside its virtual station.

pub mod line;
pub mod member;
pub mod partner;
pub mod road;
pub mod thrift;
