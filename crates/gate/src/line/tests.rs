//! The line over real sockets: loopback TCP, real TLS, certificates of a test authority.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod door;
mod ends;
mod second;
mod storm;
mod talk;
pub(super) mod world;
