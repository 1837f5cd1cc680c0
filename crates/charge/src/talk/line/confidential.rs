//! Settings and variables whose value is nobody's to read: secrets, and what names a driver, a card or a car.
//!
//! The one list for all who log, keep or show what stations report. Deliberately by name alone, because values look
//! like anything, and rather too wide than too narrow. Invariant: a name is judged alike in any letter case, with or
//! without its component, instance and EVSE.

/// Part of a key's or variable's name: passwords and keys, of OCPP and of makers.
const SECRETS: &[&str] = &[
    "authorizationkey",
    "password",
    "passphrase",
    "privatekey",
    "secret",
    "credential",
    "apikey",
    "psk",
    // NetworkConfiguration.VpnKey of 2.1: a shared secret
    "vpnkey",
];

/// Whole names of variables (2.1 part 2 appendix 3, "standardized components and variables").
const PERSONAL: &[&str] = &[
    // BatterySwapCtrlr: the token that swaps charge with
    "IdToken",
    // AuthCtrlr: tokens of this group stop any transaction
    "MasterPassGroupId",
    // TokenReader: the bytes of the card that was read last
    "Token",
    // ConnectedEV
    "VehicleCertificate",
    // ConnectedEV: the EVCCID of ISO 15118
    "VehicleID",
    // not standardised, and what makers call the same
    "EMAID",
    "EVCCID",
    "IdTag",
    "VIN",
];

/// Is the value of this setting (1.6) or variable (2.x; alone, or spelled as in [`super::Setting`]) not to be kept in
/// clear, logged or shown?
pub fn is_confidential(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    SECRETS.iter().any(|secret| lower.contains(secret))
        || name.split(['.', '/', '[', ']']).any(|part| PERSONAL.iter().any(|own| own.eq_ignore_ascii_case(part.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_personal_variables_are_known_however_they_are_spelled() {
        for name in [
            "WiFi_PSK",
            "AuthorizationKey",
            "SecurityCtrlr.BasicAuthPassword",
            "NetworkConfiguration[1].VpnKey",
            "WebPaymentsCtrlr.SharedSecret",
            "Token",
            "token",
            "TokenReader.Token",
            "2.1/TokenReader[left.front].Token[last.read]",
            "1/ConnectedEV.VehicleID",
            "ConnectedEV.VehicleCertificate[Leaf]",
            "AuthCtrlr.MasterPassGroupId",
        ] {
            assert!(is_confidential(name), "{name}");
        }
        for name in ["HeartbeatInterval", "TokenReader.TokenType", "AuthCtrlr.SupportedIdTokenType", "EVSE.Power", ""] {
            assert!(!is_confidential(name), "{name}");
        }
    }
}
