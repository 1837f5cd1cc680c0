//! Signed meter records: whether one holds, what it says, and in which words that is told.
//!
//! A good signature is not a valid session: begin and end, pagination, clock, meter state and identification must fit
//! as well. This module deliberately decides nothing about money and looks no key up: the key and where it came from
//! are arguments.
//!
//! Invariant: [`verify`] is the only way to a [`Verified`], and it never parses and writes again what it verifies.

pub mod file;
mod key;
pub mod ocmf;
mod report;
mod session;
mod verdict;
mod verified;
mod verify;

pub use key::{KeyFault, KeySource, PublicKey};
pub use report::{Report, explain};
pub use verdict::{Fault, Obstacle, Remark, Verdict};
pub use verified::{ClockQuality, Gateway, Identification, Meter, Point, Side, Verified};
pub use verify::verify;
