//! The hub: finds the way for letters between operators and providers that do not know each other's customers.
//!
//! It decides by the [`charge::talk::road::Envelope`] alone and keeps public objects (places, tariffs), keyed tags of
//! tokens, return addresses for as long as an order lives, and volumes per pair of parties. It deliberately keeps no
//! token, no session, no CDR and no place of a session: content passes as the bytes it came as.
//!
//! Invariant: a token's question reaches the one provider that owns it or nobody; one that nobody announced reaches few
//! providers that want to be asked, without a place.

mod index;
mod ledger;
mod losses;
mod memory;
mod party;
mod presence;
mod route;
mod service;
mod views;

pub use ledger::errand_name;
pub use memory::MIGRATIONS;
pub use party::{Party, PartyStatus, Role};
pub use service::{Event, Hub, HubFault, MeasureView, Setup};
pub use views::{AuditLine, Conflict, HourPoint, Overview, PartnerView, RouteRow};

#[cfg(test)]
mod tests;
