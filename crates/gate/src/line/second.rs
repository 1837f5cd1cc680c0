//! The way to second back-ends: each line is dialled as the station would dial it, by the rules of [`super::dial`].
//!
//! Deliberately no policy and no queue: the room behind it has both. Invariant: an address is called over TLS alone,
//! is public unless it was declared to be one of our own network, and is the one that was judged; nothing is followed
//! elsewhere, because an upgrade knows no redirect.

use std::sync::Arc;

use charge::talk::line::second::{Scripted, SecondCall, SecondDoor, SecondLine};
use charge::talk::line::{Foreign, FromStation, LineFault, Pole, Uplink, Version};
use charge::{Clock, Dice, Secret, Timestamp};
use trust::pki::Identity;

use super::backoff::Backoff;
use super::call::encoded;
use super::dial::{Dial, Dialled, dial, dial_public};
use super::limits::TalkLimits;

/// Dials second back-ends.
pub struct Seconds {
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
}

impl Seconds {
    pub fn new(clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Self {
        Self { clock, dice }
    }
}

impl SecondDoor for Seconds {
    fn dial(&self, call: SecondCall, pole: Arc<dyn Pole>) -> Result<Arc<dyn SecondLine>, Box<str>> {
        let text = |fault: &dyn std::fmt::Display| fault.to_string().into_boxed_str();
        if !call.address.starts_with("wss://") {
            return Err("only wss:// is called".into());
        }
        let identity = call
            .identity
            .map(|(chain, key)| Identity { chain_pem: chain.into(), key_pem: Secret::new(key.expose().to_string()) });
        let tls = trust::tls::client(&call.roots, identity.as_ref(), &[]).map_err(|fault| text(&fault))?;
        let name = call.station.as_str().to_owned();
        let wanted = Dial {
            url: format!("{}/{}", call.address.trim_end_matches('/'), encoded(&call.station)),
            tls: Some(Arc::new(tls)),
            basic: call.password.map(|password| (name, Secret::new(password.expose().as_bytes().to_vec()))),
            offer: vec![call.version],
            backoff: Backoff::default(),
            limits: TalkLimits::default(),
        };
        let keep_up = if call.local { dial } else { dial_public };
        let dialled = keep_up(wanted, pole, Arc::clone(&self.clock), Arc::clone(&self.dice));
        Ok(Arc::new(dialled.map_err(|fault| text(&fault))?))
    }

    fn write(&self, version: Version, said: &FromStation, now: Timestamp) -> Result<Scripted, Box<str>> {
        ocpp::script::write(version, said, now)
    }

    fn read(&self, version: Version, text: &Foreign, now: Timestamp) -> Result<FromStation, LineFault> {
        ocpp::script::read(version, text, now)
    }
}

impl SecondLine for Dialled {
    fn uplink(&self) -> Arc<dyn Uplink> {
        Self::uplink(self)
    }
}
