//! The station: virtual charging stations and cars that behave like real ones towards an operator.
//!
//! A station is a machine without sockets ([`station::Station`]) and a thin service around it ([`VirtualStation`])
//! that hangs on the line as a [`charge::talk::line::Pole`]. Its meters count exactly and sign; its journal survives
//! a loss of power. It speaks the words of the line and no protocol, and it deliberately simulates no error of the
//! field: it is the well-behaved station.
//!
//! Invariant: every transaction that began is told to its end, in order, with signed readings.

pub mod bay;
mod cache;
pub mod car;
pub mod certificates;
pub mod charging;
mod deal;
pub mod display;
mod document;
mod evse;
pub mod grid;
pub mod journal;
pub mod local_list;
pub mod meter;
pub mod monitors;
pub mod network;
pub mod plan;
pub mod reservations;
pub mod scenario;
pub mod service;
pub mod settings;
pub mod station;
pub mod tariffs;
pub mod transactions;
pub mod upkeep;

#[cfg(test)]
mod bench;

pub use car::{Car, CarPlan, Curve, Inlet};
pub use journal::{Journal, MIGRATIONS};
pub use plan::{EvsePlan, Plan};
pub use service::{Errand, VirtualStation};
pub use station::{BayView, CannotDo, Deed, Patience, View};
