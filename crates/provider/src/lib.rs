//! The provider: drivers with contracts and cards, their permissions, their sessions and what they owe.
//!
//! It decides whether a token may charge (without knowing where), starts and stops from the driver's page, checks
//! every CDR again and writes invoices. It deliberately knows no protocol, no socket and no login; places it learns
//! only after it said yes, and forgets when the dispute window is over.
//!
//! Invariant: outside of this house a driver is a one-time contract id, good for one session.

mod authorise;
mod booking;
mod cdrs;
mod contracts;
mod fault;
mod ident;
mod invoices;
mod learned;
mod limit;
mod memory;
mod onetime;
mod places;
mod remote;
mod service;
mod sessions;
mod tokens;
mod vault;

pub use booking::{BookWish, BookableTimes, DriverBooking};
pub use cdrs::{CdrRow, Dispute, DisputeState, Settlement};
pub use contracts::{Contract, ContractState, Driver, NewDriver};
pub use fault::{ProviderFault, Refusal};
pub use ident::{CardId, CdrNo, DisputeNo, DriverId, InvoiceNo, SessionNo, TariffNo};
pub use invoices::{InvoiceDetail, InvoiceRow};
pub use learned::{Field, Learned, LearnedAs};
pub use limit::{Limit, LimitWish, MOST_MAX};
pub use memory::schema::MIGRATIONS;
pub use places::{Area, EvsePrice, Place, PlacePoint};
pub use remote::{Order, OrderKind, OrderState};
pub use service::{Alarm, Event, NewCard, Overview, PagedRows, Provider, SessionLimit, Setup, StartWish};
pub use sessions::{CostLine, Evidence, Point, SessionDetail, SessionPlace, SessionRow};
pub use tokens::CardRow;

#[cfg(test)]
mod tests;
