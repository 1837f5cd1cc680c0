//! The line's door: OCPP over WebSocket between stations and their operator, both ends of it.
//!
//! [`listen`] is the operator's end, [`dial`] the station's. A door owns sockets, times and sizes, and decides nothing:
//! who may come in, what a message means to the business and what to order is asked of the room behind it (a
//! [`charge::talk::line::Desk`] or [`charge::talk::line::Pole`]); what frames mean is the tongue's (`ocpp`).
//!
//! One task a connection; both ends run the same loop (`talk`). A station has one live connection, the newest that
//! the desk let in (`registry`). [`soap`] is the leg without connections.

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
mod second;
pub mod soap;
mod sources;
mod station;
mod stream;
mod talk;
mod welcome;
mod wire;

pub use backoff::Backoff;
pub use call::{DialError, station_url};
pub use dial::{Dial, Dialled, dial, dial_through};
pub use figures::Figures;
pub use limits::{Options, TalkLimits};
pub use listen::{LineServer, ListenError, listen, listen_plain};
pub use second::Seconds;
pub use wire::{Frames, Wire};

/// For `fuzz/` alone: reads a request head out of memory.
#[cfg(feature = "fuzz")]
pub fn read_head(mut bytes: &[u8]) {
    // memory is always ready: one look is the whole
    let _head = futures_util::FutureExt::now_or_never(head::read(&mut bytes));
}

#[cfg(test)]
mod tests;
