//! What a virtual station is built from: its plates, its EVSEs and the keys of their meters.
//!
//! Plain data, checked once. It holds no secret: keys are handed over beside the plan and end in the meters.

use billing::record::ocmf::{GatewayPlate, MeterPlate, SignFault, Signer};
use charge::Secret;
use charge::id::{EvseId, EvseNo, MeterSerial, StationId};
use charge::place::Current;
use charge::talk::line::Version;
use charge::units::Power;

/// A station before it is switched on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub id: StationId,
    /// The version it behaves by until a connection has agreed on one.
    pub prefers: Version,
    pub vendor: String,
    pub model: String,
    pub serial: String,
    pub firmware: String,
    /// In the order of their numbers, from 1.
    pub evses: Vec<EvsePlan>,
}

/// One EVSE with one connector and one meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvsePlan {
    pub evse_id: EvseId,
    pub meter: MeterSerial,
    pub max_power: Power,
    /// On DC the cable is attached and the car tells its state of charge.
    pub current: Current,
}

/// Why a station cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanFault {
    #[error("a station has between 1 and {EVSES_MAX} EVSEs")]
    Evses,
    #[error("each EVSE needs one key for its meter: {evses} EVSEs, {keys} keys")]
    Keys { evses: usize, keys: usize },
    #[error("the key of the meter at EVSE {evse} is not usable")]
    Key {
        evse: EvseNo,
        #[source]
        source: SignFault,
    },
}

/// The largest charging parks that answer as one station have a few dozen.
pub const EVSES_MAX: usize = 64;

impl Plan {
    /// The signing hands of the meters, in the order of the EVSEs. Keys are PKCS#8 in DER.
    pub(crate) fn signers(&self, keys: &[Secret<Vec<u8>>]) -> Result<Vec<(EvseNo, Signer)>, PlanFault> {
        if self.evses.is_empty() || self.evses.len() > EVSES_MAX {
            return Err(PlanFault::Evses);
        }
        if keys.len() != self.evses.len() {
            return Err(PlanFault::Keys { evses: self.evses.len(), keys: keys.len() });
        }
        let numbers = (1..=u16::MAX).filter_map(EvseNo::new);
        let each = numbers.zip(self.evses.iter().zip(keys));
        each.map(|(evse, (plan, key))| {
            let plate = MeterPlate {
                vendor: self.vendor.clone(),
                model: METER_MODEL.to_owned(),
                serial: plan.meter.as_str().to_owned(),
                firmware: self.firmware.clone(),
            };
            let gateway =
                GatewayPlate { id: self.model.clone(), serial: self.serial.clone(), version: self.firmware.clone() };
            let signer = Signer::new(key.expose(), plate, gateway);
            Ok((evse, signer.map_err(|source| PlanFault::Key { evse, source })?))
        })
        .collect()
    }
}

/// Says on every record that nothing real was measured.
const METER_MODEL: &str = "Virtual meter";
