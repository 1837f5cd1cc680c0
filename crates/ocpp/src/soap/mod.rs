//! OCPP 1.5 and 1.6 over SOAP, both sides of the line, without a socket and without a clock.
//!
//! There is no connection: both sides ask and answer, each in an HTTP exchange of its own. [`central`] is the
//! operator's end, [`station`] the station's. A body is translated by a table to the payload of 1.6 JSON and back, so
//! that the bridge, the repair and the masks are the ones of 1.6 JSON; log lines have its form, too. Deliberately not
//! here: who may speak, where a station is reached, what to answer. Invariant: the operation is the body's element
//! (quirk 25), and nothing is served whose headers contradict it.

pub mod central;
mod message;
pub mod station;
mod table;
mod translate;

pub use message::{Refused, Reply, Trip, Wrong};
pub use soap::Limits;

/// The media type of requests and answers (SOAP 1.2).
pub const MEDIA_TYPE: &str = "application/soap+xml; charset=utf-8";

#[cfg(test)]
mod tests;
