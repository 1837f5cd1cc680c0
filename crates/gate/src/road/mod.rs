//! The road's door: OCPI between parties, over HTTPS.
//!
//! [`client`] takes a party's letters to its hub, [`party`] opens a party's desk, [`hub`] opens an exchange that
//! reads envelopes and passes the content on as the bytes it came as; [`crossing`] is where partners of other protocols
//! come in and are reached; [`serve`] listens. The door decides who speaks
//! and what fits, never what is right. Invariant: no path, header or body of a letter is logged, only its template,
//! because token uids travel in paths.

mod across;
pub mod book;
pub mod client;
mod clients;
pub mod crossing;
mod deeds;
mod documents;
mod entrance;
mod envoy;
mod fair;
pub mod figures;
mod gather;
pub(crate) mod guard;
mod handshake;
pub mod hub;
mod knock;
pub mod limits;
mod losses;
mod member;
pub mod neighbour;
mod nightly;
pub mod ochp;
pub mod oicp;
mod pace;
pub mod partners;
pub mod party;
pub mod peers;
mod private;
mod probe;
mod recent;
mod reception;
mod relay;
mod running;
pub mod serve;
mod sightings;
pub mod speaker;
mod thrift;
pub mod vault;
mod waiting;

pub use book::{Book, BookFault};
pub use client::Client;
pub use crossing::Crossing;
pub use entrance::Own;
pub use envoy::Envoy;
pub use figures::{Direction, Figures, Line};
pub use hub::hub_router;
pub use knock::Knock;
pub use limits::RoadLimits;
pub use member::Member;
pub use neighbour::{Neighbour, Peer, PeerFault, Quirks};
pub use ocpi::Version;
pub use ocpi::credentials::Role;
pub use partners::{Entry, Fingerprint, Login, Partner, Partners, Protocol};
pub use party::party_router;
pub use peers::{Invitation, PeerAccess, PeerBook, Peers, Registration};
pub use reception::FrontDesk;
pub use serve::{ClientCertificate, Serving, serve};
pub use speaker::{Native, Speaker, Told};
pub use vault::{Vault, VaultFault};

#[cfg(test)]
mod tests;
