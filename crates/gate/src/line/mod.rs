//! The line's door: OCPP over WebSocket between stations and their operator, both ends of it.
//!
//! [`listen`] is the operator's end, [`dial`] the station's. A door owns sockets, times and sizes, and decides nothing:
//! who may come in, what a message means to the business and what to order is asked of the room behind it (a
//! [`charge::talk::line::Desk`] or [`charge::talk::line::Pole`]); what frames mean is the tongue's (`ocpp`).
//!
//! One task a connection; both ends run the same loop (`talk`). A station has one live connection, the newest that
//! the desk let in (`registry`). Compression is not negotiated, and there is no SOAP leg.

mod backoff;
mod call;
mod csms;
mod dial;
mod end;
mod figures;
mod head;
mod limits;
mod listen;
mod mailbox;
mod pace;
mod registry;
mod sources;
mod station;
mod stream;
mod talk;
mod welcome;

pub use backoff::Backoff;
pub use call::{DialError, station_url};
pub use dial::{Dial, Dialled, dial};
pub use figures::Figures;
pub use limits::{Options, TalkLimits};
pub use listen::{LineServer, ListenError, listen, listen_plain};

#[cfg(test)]
mod tests;
