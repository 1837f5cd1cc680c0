//! The line's door for OCPP over SOAP: both sides are servers and clients, and there is no connection to count on.
//!
//! [`listen`] is the operator's end: a server for the stations' messages, a [`Line`](charge::talk::line::Line) that
//! calls them back. [`station()`] is the station's end, [`Lines`] the one way to the stations of both kinds. The desk
//! behind is the one that stands behind WebSockets. Deliberately not here: what bodies mean (`ocpp::soap`) and who may
//! speak (the desk).
//!
//! Invariants: nobody is heard who was not let in for this very exchange; an address that a station names is called
//! only where it may be ([`callback`]); a station that shows a certificate here proves itself with it there as well, one
//! with a password alone cannot; no redirect is followed.

mod callback;
mod client;
mod exchange;
mod listen;
mod orders;
mod seats;
mod server;
mod station;

pub use listen::{SoapError, SoapOptions, SoapServer, listen};
pub use orders::Lines;
pub use station::{SoapDial, SoapDialError, SoapStation, station};

/// Where the operator's server takes messages; a station's identity may stand behind it.
pub const PATH: &str = "/ocpp/soap";

#[cfg(test)]
mod tests;
