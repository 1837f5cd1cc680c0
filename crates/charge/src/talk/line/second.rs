//! The second back-end: the words between an operator's room and the door that leads to another operator's CSMS.
//!
//! The room decides what that CSMS may see and order; the door dials it as the station would. Deliberately no policy
//! here. A word that has to wait is kept as the text that a version has for it, so that no second form of the
//! vocabulary exists.

use std::sync::Arc;

use super::{Foreign, FromStation, LineFault, Pole, Uplink, Version};
use crate::Timestamp;
use crate::id::StationId;
use crate::personal::Secret;

/// Whom to call, as which station, and how.
#[derive(Clone, Debug)]
pub struct SecondCall {
    /// `wss://host[:port][/path]`; the station's identity is appended as the last segment (OCPP-J 1.6, 3.1.1).
    pub address: Box<str>,
    pub station: StationId,
    pub version: Version,
    /// HTTP Basic with the identity as user (security profile 2); without it the certificate alone speaks.
    pub password: Option<Secret<Box<str>>>,
    /// Certificate chain and private key in PEM (security profile 3).
    pub identity: Option<(Box<str>, Secret<Box<str>>)>,
    /// The authorities that vouch for the CSMS, in PEM. Nobody else is believed.
    pub roots: Box<str>,
    /// It is one of our own network: addresses that are not public may be called.
    pub local: bool,
}

/// A word as text, and what of it had no place in the version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scripted {
    pub text: Foreign,
    pub losses: Vec<Box<str>>,
}

/// The way to second back-ends.
pub trait SecondDoor: Send + Sync {
    /// Keeps one line up, for one station, until what it returns is dropped. The text says why it cannot be tried.
    fn dial(&self, call: SecondCall, pole: Arc<dyn Pole>) -> Result<Arc<dyn SecondLine>, Box<str>>;

    /// A station's word as the text of a version; the text says why it has no place there.
    fn write(&self, version: Version, said: &FromStation, now: Timestamp) -> Result<Scripted, Box<str>>;

    /// The word that was written.
    fn read(&self, version: Version, text: &Foreign, now: Timestamp) -> Result<FromStation, LineFault>;
}

/// A line that is kept up while this lives.
pub trait SecondLine: Send + Sync {
    fn uplink(&self) -> Arc<dyn Uplink>;
}
