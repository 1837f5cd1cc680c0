//! The station operator (CPO with its CSMS) as a room: it lets stations in, finds out who may charge, keeps sessions
//! and readings, closes CDRs, and tells the network what it must.
//!
//! Decisions are pure and stand in files named after what is decided; `memory` holds the tables; `service` loads,
//! decides, commits and acts, and is the only place with `await`. It speaks the vocabularies of the line and the road
//! and knows no protocol, no socket and no page.
//!
//! Invariants: what a station or party was told is on disk; a session makes at most one CDR; a card's uid is asked
//! about and then forgotten, where its provider names a contract instead.

pub mod admit;
pub mod authorise;
pub mod booking;
pub mod boot;
pub mod campaign;
pub mod capability;
pub mod close;
pub mod controller;
pub mod desk;
pub mod drift;
pub mod explain;
pub mod limits;
mod memory;
pub mod metering;
pub mod needs;
pub mod order;
pub mod payment;
pub mod profile;
pub mod proxy;
pub mod publish;
pub mod quirk;
pub mod remote;
pub mod request;
pub mod reservation;
mod service;
pub mod session;
pub mod share;
pub mod transaction;
mod untold;
pub mod view;
pub mod whitelist;
pub mod wording;

pub use memory::cdr::Delivery;
pub use order::{OrderOutcome, StationOrder};
pub use service::command::{NewBay, NewStation, Profile};
pub use service::controller::{Controller, ControllerSetup};
pub use service::firmware::{Chosen, NewCampaign, NewFirmware};
pub use service::payment::{PaymentPage, ScannedCode, Stage as PaymentStage};
pub use service::reservations::NewReservation;
pub use service::share::{GroupSeat, Sharing};
pub use service::shelf::{LogWish, Shelf};
pub use service::{Event, Fault, Keys, Operator, Settings, Setup};

#[cfg(test)]
mod tests;
