//! OCPP 1.6 JSON: Core, Remote Trigger, and the security extension's notices.
//!
//! `hear` and `tell` are the operator's end, `say` and `obey` the station's. Deliberately foreign: reservation, local
//! lists, smart charging, firmware and certificates. Invariant: a connector is an EVSE, and number 0 is the station.

pub(super) mod hear;
mod meter;
pub(super) mod obey;
pub(super) mod say;
pub(crate) mod tell;

use charge::id::EvseNo;

/// `connectorId` as an EVSE; 0 and nonsense are the whole station.
fn evse(connector: i32) -> Option<EvseNo> {
    u16::try_from(connector).ok().and_then(EvseNo::new)
}

fn connector(evse: Option<EvseNo>) -> i32 {
    evse.map_or(0, |evse| i32::from(evse.get()))
}
