//! The bench: many virtual stations against a real operator process, beside the floor of the same machine and hour.
//!
//! It measures and judges nothing: the numbers, their spread over the rounds and the aims stand side by side in a
//! [`report::Report`]. The server under test runs in another process, so that its processor time and memory are its
//! own; the loader here is kept cheap. It deliberately is no simulator: its stations have no cars, no journal and no
//! manners beyond what a measurement needs (the `station` crate has them all).
//!
//! [`line::measure`] runs the bench, [`server`] is the floor and what both server processes share, [`road::Nod`]
//! stands in for the network behind the operator.

mod client;
mod commit;
mod fault;
mod frames;
pub mod line;
mod linux;
mod phase;
pub mod report;
pub mod road;
mod round;
pub mod server;
mod spread;
mod station;

pub use fault::Fault;
