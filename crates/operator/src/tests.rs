//! The flows of the operator, one file each, over a recording line and road.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod alarms;
mod bookings;
mod controller;
mod crash;
mod daily;
mod door;
mod handed;
mod needs;
mod news;
mod orders;
mod pay;
mod people;
mod profiles;
mod quirks;
mod remote;
mod replay;
mod seconds;
mod tap;
mod tell;
mod upkeep;
mod whole;
mod world;
