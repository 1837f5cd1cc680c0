//! Partners that speak OCHP 1.4 and OCHPdirect, at a hub: it is their clearing house, and the other side of every direct
//! session.
//!
//! [`ClearingHouse`] is the other end: an operator or a provider of ours at somebody else's clearing house.
//! [`House`] answers them and speaks to them ([`super::Speaker`]). In OCHP partners only ask, so what is meant for them
//! waits here: records in [`kept`] until they are judged, everything public in the exchange. Direct partners are reached
//! at the addresses that they upload, and reach all others at the hub's own: no party learns another one's address.
//! Deliberately not here: what messages mean (`ochp`), who may speak to whom (the exchange). Invariants: a uid is kept as
//! a keyed tag alone; lists of tokens are taken and never given out; a record is kept before it is acknowledged.

mod abroad;
mod alone;
mod caller;
mod cdrs;
pub mod client;
mod direct;
mod endpoints;
mod house;
mod kept;
mod knock;
mod places;
mod public;
mod sittings;
mod speaker;
mod tokens;

pub use abroad::Abroad;
pub use alone::{DirectRoom, Room, RoomFault};
pub use client::{ClearingHouse, Collected, Member};
pub use house::{House, Keys, PATH, ochp_router};
pub use kept::KeptFault;
