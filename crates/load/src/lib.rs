//! The bench: many virtual stations against a real operator process, beside the floor of the same machine and hour.
//!
//! It measures and judges nothing: the numbers, their spread over the rounds and the aims stand side by side in a
//! [`report::Report`]. The server under test runs in another process, so that its processor time and memory are its
//! own; the loader here is kept cheap. It deliberately is no simulator: its stations have no cars, no journal and no
//! manners beyond what a measurement needs (the `station` crate has them all).
//!
//! [`line::measure`] tells what a message costs, [`crowd::measure`] how many stations fit, [`storm::measure`] what it
//! costs when all come back at once, [`hammer::measure`] what the good feel of the bad,
//! [`rivals::measure`] what others need for the same; [`hub::measure`] what an authorisation costs the hub between
//! operators and providers. [`server`] is the floor and what
//! all server processes share, [`loader`] the stations as a process of their own, [`road::Nod`] stands in for the
//! network behind the operator.

mod answer;
mod bad;
mod client;
mod commit;
pub mod crowd;
mod dialect;
mod fault;
mod frames;
pub mod hammer;
pub mod hub;
pub mod line;
mod linux;
pub mod loader;
mod phase;
pub mod proxy;
pub mod report;
pub mod rivals;
pub mod road;
mod round;
mod script;
pub mod server;
mod spread;
mod station;
pub mod storm;

pub use dialect::Dialect;
pub use fault::Fault;
