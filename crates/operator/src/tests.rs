//! The flows of the operator, one file each, over a recording line and road.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod crash;
mod door;
mod orders;
mod people;
mod remote;
mod replay;
mod tap;
mod tell;
mod whole;
mod world;
