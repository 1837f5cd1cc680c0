//! The door as a browser or a program meets it: a whole house over stores in memory, asked through its router.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod daily;
mod door;
mod events;
mod office;
mod openapi;
mod partners;
mod pay;
mod permissions;
mod trip;
mod visit;
mod world;

use visit::{delete, get, post, put};
use world::World;
