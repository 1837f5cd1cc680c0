//! OICP at the road's door: a hub as broker, and our own parties at a broker of somebody else.
//!
//! [`broker`] lets operators and providers of OICP 2.3 and 2.0 into a hub, and is the [`crate::road::Speaker`] with which
//! the hub reaches them; [`party`] and [`road`] join an operator or a provider to a foreign broker. Everybody is known by
//! a client certificate. Deliberately without judgement: ways are the exchange's, answers the desk's. Invariant: bodies,
//! ids of tokens and URLs are never logged.

mod agreed;
pub mod broker;
mod entrance;
pub mod index;
mod knock;
mod mailbox;
pub mod party;
mod pending;
mod places;
pub mod road;
pub mod sessions;
mod speaker;
mod visit;
mod wire;

pub use ::oicp::Version;
pub use agreed::Agreed;
pub use broker::{Broker, Pricing, Setup, broker_router};
pub use party::member_router;
pub use road::{BrokerRoad, Member};
pub use sessions::Sessions;
pub use wire::Wire;
