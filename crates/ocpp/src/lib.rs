//! The tongue for OCPP 1.6 JSON, 2.0.1 and 2.1, both sides of the line, without a socket and without a clock.
//!
//! [`csms::Engine`] is the operator's end of one connection, [`station::Engine`] the station's. Each takes text frames
//! and the time, and gives back events: what was said in the words of [`charge::talk::line`], frames to send, and log
//! lines that are masked already. Deliberately not here: who may connect, what to answer, and when to reconnect.
//!
//! Invariants: at most one CALL of ours is open; every CALL of the peer is answered at most once and in the order
//! asked; a broken frame never ends a connection; no type of the wrapped library is visible outside.

mod bridge;
pub mod csms;
mod frame;
mod json;
pub mod mask;
mod payload;
mod repair;
mod rules;
pub mod script;
mod session;
pub mod soap;
pub mod station;

use std::time::Duration;

use charge::talk::line::Version;

/// What one connection may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest text frame that is read. OCA counts 99 % of all messages below 2 kB; a full variable report is the
    /// long one.
    pub frame_bytes_max: usize,
    /// The deepest nesting that is read. The deepest message of the standards has ten levels.
    pub depth_max: usize,
    /// How many orders may wait behind the one that is under way.
    pub orders_waiting_max: usize,
    /// How long the peer may take to answer a CALL.
    pub call_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes_max: 256 * 1024,
            depth_max: 32,
            orders_waiting_max: 16,
            call_timeout: Duration::from_secs(30),
        }
    }
}

/// Names a CALL of the peer until it is answered. Means nothing outside its engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// The WebSocket subprotocol to offer for a version; `None` for SOAP.
pub fn offered(version: Version) -> Option<&'static str> {
    version.subprotocol()
}

/// The version to speak: the newest of `spoken` that the station offers, whatever its own order. `None` is a 400.
pub fn choose(offered: &[String], spoken: &[Version]) -> Option<Version> {
    let wanted = |version: &Version| {
        version.subprotocol().is_some_and(|spoken| offered.iter().any(|name| name.trim() == spoken))
    };
    spoken.iter().copied().filter(wanted).max()
}

#[cfg(test)]
mod tests;
