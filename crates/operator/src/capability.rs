//! What an EVSE can do, as far as its station says: what partners are told where no person said otherwise.
//!
//! Deliberately no guess: what depends on a feature that the station never spoke of is not claimed, because a partner
//! would offer it to drivers. Cards and remote start are part of every version that is spoken here.

use charge::place::{Capabilities, Capability, Connector};

/// The settings that say something about it: OCPP 1.6, 9.1.24; OCPP 2.0.1 part 2, referenced components.
pub const TELLING: [&str; 5] = [
    "SupportedFeatureProfiles",
    "ReservationCtrlr.Available",
    "ReservationCtrlr.Enabled",
    "SmartChargingCtrlr.Available",
    "SmartChargingCtrlr.Enabled",
];

/// Of an EVSE with a station. `said` holds the station's settings out of [`TELLING`].
pub fn derive(connectors: &[Connector], said: &[(String, String)]) -> Capabilities {
    let mut found = Capabilities::NONE.with(Capability::RfidReader).with(Capability::RemoteStartStop);
    // a cable that hangs on the station has nothing to unlock at the station's side
    if connectors.iter().any(|connector| !connector.attached_cable) {
        found = found.with(Capability::Unlock);
    }
    if offers(said, "Reservation", "ReservationCtrlr") {
        found = found.with(Capability::Reservable);
    }
    if offers(said, "SmartCharging", "SmartChargingCtrlr") {
        found = found.with(Capability::ChargingProfile);
    }
    found
}

/// By its feature profile of 1.6, or by its controller of 2.x. One that is there and switched off is no offer.
fn offers(said: &[(String, String)], profile: &str, controller: &str) -> bool {
    let value = |name: &str| said.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
    let profiles = value("SupportedFeatureProfiles").unwrap_or_default();
    let is = |name: &str| value(&format!("{controller}.{name}")).map(|flag| flag.eq_ignore_ascii_case("true"));
    profiles.split(',').any(|one| one.trim().eq_ignore_ascii_case(profile))
        || match (is("Available"), is("Enabled")) {
            (Some(available), Some(enabled)) => available && enabled,
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => false,
        }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn what_a_station_says_is_offered_and_nothing_else() {
        let always = "REMOTE_START_STOP_CAPABLE RFID_READER";
        let table: [(&[(&str, &str)], &str); 7] = [
            (&[], always),
            (&[("SupportedFeatureProfiles", "Core,FirmwareManagement")], always),
            (
                &[("SupportedFeatureProfiles", "Core, Reservation,smartcharging")],
                "CHARGING_PROFILE_CAPABLE REMOTE_START_STOP_CAPABLE RESERVABLE RFID_READER",
            ),
            (&[("ReservationCtrlr.Available", "true")], "REMOTE_START_STOP_CAPABLE RESERVABLE RFID_READER"),
            (&[("ReservationCtrlr.Available", "true"), ("ReservationCtrlr.Enabled", "false")], always),
            (&[("SmartChargingCtrlr.Available", "false"), ("SmartChargingCtrlr.Enabled", "true")], always),
            (
                &[("SmartChargingCtrlr.Enabled", "True")],
                "CHARGING_PROFILE_CAPABLE REMOTE_START_STOP_CAPABLE RFID_READER",
            ),
        ];
        for (said, expected) in table {
            let said: Vec<_> = said.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            assert_eq!(derive(&[], &said).to_string(), expected, "{said:?}");
        }
    }
}
