//! Cases of the certification tool for a central system of 1.6 that ask for one request with certain members: the order is
//! given as a word, and the frame that is sent has to have them.
//!
//! Unproved: the public list of these cases has numbers and no meanings; what a number means follows from the numbers' order
//! along the standard and from what is said of them in public.

use charge::id::TransactionKey;
use charge::talk::line::certificate::{CertificateOrder, CertificateUse, StationKey};
use charge::talk::line::charging::{ChargingOrder, ProfileFilter, ProfileKind, ProfilePurpose, RateUnit};
use charge::talk::line::document::Document;
use charge::talk::line::payment::Vendor;
use charge::talk::line::reservation::{ListEntry, ListOrder, ReservationOrder};
use charge::talk::line::upkeep::{FirmwareSignature, LogKind, Retries, UpkeepOrder};
use charge::talk::line::{ResetKind, ToStation, Trigger, Version};
use charge::token::{Allowed, Verdict};
use serde_json::{Value, json};

use super::super::ends16::hash;
use super::super::now;
use super::samples::{profile, secret, token};
use crate::{Limits, csms};

fn sent(order: ToStation) -> (String, Value) {
    let mut engine = csms::Engine::new(Version::V16, Limits::default());
    let mut out = Vec::new();
    engine.order(now(), 1, order, "o1".to_owned(), &mut out);
    let text = out.into_iter().find_map(|event| if let csms::Event::Send(text) = event { Some(text) } else { None });
    let mut frame: Value = serde_json::from_str(&text.unwrap()).unwrap();
    (frame[2].as_str().unwrap().to_owned(), frame[3].take())
}

/// Whether everything of `part` is in `whole`; lists item by item.
fn has(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| has(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| has(whole, part))
        }
        (whole, part) => whole == part,
    }
}

fn show(cases: Vec<(ToStation, &str, Value)>) {
    for (order, action, members) in cases {
        let (named, payload) = sent(order);
        assert_eq!(named, action);
        assert!(has(&payload, &members), "{action} {payload} should have {members}");
    }
}

fn one() -> Option<charge::id::EvseNo> {
    charge::id::EvseNo::new(1)
}

/// TC_010_CSMS, TC_011_1_CSMS (a start), TC_059_CSMS (with a profile), TC_012_CSMS (a stop), TC_013_CSMS, TC_014_CSMS
/// (resets), TC_017_1_CSMS, TC_018_1_CSMS, TC_031_CSMS (unlocking), TC_061_CSMS (the cache).
#[test]
fn everyday_orders() {
    let start = |profile| ToStation::Start { evse: one(), token: token(), remote_id: 0, profile };
    let own = super::samples::profile(ProfileKind::Relative);
    let own = Box::new(charge::talk::line::charging::Profile { key: None, ..own });
    let uid = super::samples::UID;
    show(vec![
        (start(None), "RemoteStartTransaction", json!({"idTag": uid, "connectorId": 1})),
        (
            start(Some(own)),
            "RemoteStartTransaction",
            json!({"chargingProfile": {"chargingProfilePurpose": "TxProfile", "chargingProfileKind": "Relative"}}),
        ),
        (ToStation::Stop { key: TransactionKey::Number(12) }, "RemoteStopTransaction", json!({"transactionId": 12})),
        (ToStation::Reset(ResetKind::Hard), "Reset", json!({"type": "Hard"})),
        (ToStation::Reset(ResetKind::Soft), "Reset", json!({"type": "Soft"})),
        (ToStation::Unlock { evse: one().unwrap() }, "UnlockConnector", json!({"connectorId": 1})),
        (ToStation::ClearCache, "ClearCache", json!({})),
    ]);
}

/// TC_019_1_CSMS (all keys), TC_019_2_CSMS (one), TC_021_CSMS, TC_040_1_CSMS, TC_040_2_CSMS (a write), TC_073_CSMS (the
/// password of the line), TC_054_CSMS, TC_055_CSMS (triggers).
#[test]
fn settings_and_triggers() {
    let read = |keys: &[&str]| ToStation::ReadSettings { keys: keys.iter().map(|key| (*key).into()).collect() };
    let write = |key: &str, value: &str| ToStation::WriteSettings { values: vec![(key.into(), secret(value))] };
    let mut cases = vec![
        (read(&[]), "GetConfiguration", json!({})),
        (read(&["SupportedFeatureProfiles"]), "GetConfiguration", json!({"key": ["SupportedFeatureProfiles"]})),
        (
            write("MeterValueSampleInterval", "15"),
            "ChangeConfiguration",
            json!({"key": "MeterValueSampleInterval", "value": "15"}),
        ),
        (write("AuthorizationKey", "4F43"), "ChangeConfiguration", json!({"key": "AuthorizationKey", "value": "4F43"})),
        // TC_083_CSMS
        (write("SecurityProfile", "3"), "ChangeConfiguration", json!({"key": "SecurityProfile", "value": "3"})),
    ];
    for (what, name) in [
        (Trigger::Meter, "MeterValues"),
        (Trigger::Alive, "Heartbeat"),
        (Trigger::Status, "StatusNotification"),
        (Trigger::Firmware, "FirmwareStatusNotification"),
        (Trigger::Diagnostics, "DiagnosticsStatusNotification"),
        (Trigger::Boot, "BootNotification"),
    ] {
        let order = ToStation::Trigger { what, evse: one() };
        let action = sent(order.clone()).0;
        assert!(action.ends_with("TriggerMessage"));
        cases.push((
            order,
            if action == "TriggerMessage" { "TriggerMessage" } else { "ExtendedTriggerMessage" },
            json!({"requestedMessage": name, "connectorId": 1}),
        ));
    }
    show(cases);
}

/// TC_042_1_CSMS, TC_042_2_CSMS (the version), TC_043_1_CSMS, TC_043_3_CSMS, TC_043_4_CSMS, TC_043_5_CSMS (lists, whole and
/// in part), TC_044_1_CSMS, TC_044_2_CSMS, TC_044_3_CSMS (firmware), TC_045_1_CSMS, TC_045_2_CSMS (diagnostics).
#[test]
fn lists_firmware_and_diagnostics() {
    let uid = super::samples::UID;
    let entry = || ListEntry { token: token(), group: None, until: None, verdict: Some(Verdict::bare(Allowed::Yes)) };
    let list = |full| ToStation::List(ListOrder::Send { version: 1, full, entries: vec![entry()] });
    let listed = |kind: &str| {
        json!({
            "listVersion": 1, "updateType": kind,
            "localAuthorizationList": [{"idTag": uid, "idTagInfo": {"status": "Accepted"}}],
        })
    };
    let retries = Retries::default();
    let firmware = UpkeepOrder::Firmware {
        request: 0,
        from: secret("https://files.example/fw"),
        retrieve_at: now(),
        install_at: None,
        signed: None,
        retries,
    };
    let fetch = UpkeepOrder::FetchLog {
        request: 0,
        kind: LogKind::Diagnostics,
        to: secret("https://files.example/in"),
        from: None,
        until: None,
        retries,
        legacy: true,
    };
    show(vec![
        (ToStation::List(ListOrder::Version), "GetLocalListVersion", json!({})),
        (list(true), "SendLocalList", listed("Full")),
        (list(false), "SendLocalList", listed("Differential")),
        (ToStation::Upkeep(firmware), "UpdateFirmware", json!({"location": "https://files.example/fw"})),
        (ToStation::Upkeep(fetch), "GetDiagnostics", json!({"location": "https://files.example/in"})),
    ]);
}

/// TC_046_CSMS, TC_047_CSMS, TC_048_1_CSMS, TC_048_2_CSMS, TC_048_3_CSMS, TC_048_4_CSMS (a reservation of a connector),
/// TC_049_CSMS (of the station), TC_053_CSMS (with a parent), TC_051_CSMS, TC_052_CSMS (cancelled).
#[test]
fn reservations() {
    let uid = super::samples::UID;
    let reserve = |evse, group| {
        let (id, until) = (9, now());
        ToStation::Reservation(ReservationOrder::Reserve { id, evse, token: token(), group, until, connector: None })
    };
    let named = |connector: i32| json!({"connectorId": connector, "idTag": uid, "reservationId": 9});
    show(vec![
        (reserve(one(), None), "ReserveNow", named(1)),
        (reserve(None, None), "ReserveNow", named(0)),
        (reserve(one(), Some(token())), "ReserveNow", json!({"parentIdTag": uid})),
        (ToStation::Reservation(ReservationOrder::Cancel { id: 9 }), "CancelReservation", json!({"reservationId": 9})),
    ]);
}

/// TC_056_CSMS (a default), TC_057_CSMS (of a transaction), TC_066_CSMS (the composite), TC_067_CSMS (taken away).
#[test]
fn profiles() {
    let set = |purpose, key: Option<i32>| {
        let key = key.map(TransactionKey::Number);
        let profile = charge::talk::line::charging::Profile { purpose, key, ..profile(ProfileKind::Absolute) };
        ToStation::Charging(ChargingOrder::Set { evse: one(), profile: Box::new(profile) })
    };
    let clear = ProfileFilter { ids: vec![4], ..ProfileFilter::default() };
    let ask = ChargingOrder::Composite {
        evse: one(),
        lasts: std::time::Duration::from_secs(300),
        unit: Some(RateUnit::Amperes),
    };
    show(vec![
        (
            set(ProfilePurpose::TxDefault, None),
            "SetChargingProfile",
            json!({"connectorId": 1, "csChargingProfiles": {"chargingProfilePurpose": "TxDefaultProfile"}}),
        ),
        (
            set(ProfilePurpose::Tx, Some(12)),
            "SetChargingProfile",
            json!({"csChargingProfiles": {"chargingProfilePurpose": "TxProfile", "transactionId": 12}}),
        ),
        (
            ToStation::Charging(ask),
            "GetCompositeSchedule",
            json!({"connectorId": 1, "duration": 300, "chargingRateUnit": "A"}),
        ),
        (ToStation::Charging(ChargingOrder::Clear(clear)), "ClearChargingProfile", json!({"id": 4})),
    ]);
}

/// TC_074_CSMS (a new certificate), TC_075_1_CSMS, TC_075_2_CSMS (roots), TC_076_CSMS (one
/// deleted), TC_079_CSMS (the log of security), TC_080_CSMS, TC_081_CSMS (signed firmware).
#[test]
fn security() {
    let install =
        |used_for| ToStation::Certificate(CertificateOrder::Install { used_for, certificate: "-----BEGIN".into() });
    let signed = CertificateOrder::Signed { key: StationKey::Line, chain: "-----BEGIN".into(), request: None };
    let retries = Retries::default();
    let log = UpkeepOrder::FetchLog {
        request: 3,
        kind: LogKind::Security,
        to: secret("https://files.example/in"),
        from: None,
        until: None,
        retries,
        legacy: false,
    };
    let firmware = UpkeepOrder::Firmware {
        request: 4,
        from: secret("https://files.example/fw"),
        retrieve_at: now(),
        install_at: None,
        signed: Some(FirmwareSignature { certificate: "-----BEGIN".into(), signature: "MEUC".into() }),
        retries,
    };
    let said = Vendor { vendor: "org.example".into(), message: Some("m".into()), data: Some(Document::new("\"on\"")) };
    show(vec![
        (
            ToStation::Trigger { what: Trigger::Sign(StationKey::Line), evse: None },
            "ExtendedTriggerMessage",
            json!({"requestedMessage": "SignChargePointCertificate"}),
        ),
        (ToStation::Certificate(signed), "CertificateSigned", json!({"certificateChain": "-----BEGIN"})),
        (
            install(CertificateUse::ManufacturerRoot),
            "InstallCertificate",
            json!({"certificateType": "ManufacturerRootCertificate"}),
        ),
        (
            install(CertificateUse::OperatorRoot),
            "InstallCertificate",
            json!({"certificateType": "CentralSystemRootCertificate", "certificate": "-----BEGIN"}),
        ),
        (
            ToStation::Certificate(CertificateOrder::List(vec![CertificateUse::OperatorRoot])),
            "GetInstalledCertificateIds",
            json!({"certificateType": "CentralSystemRootCertificate"}),
        ),
        (
            ToStation::Certificate(CertificateOrder::Delete(hash())),
            "DeleteCertificate",
            json!({"certificateHashData": {"hashAlgorithm": "SHA256"}}),
        ),
        (ToStation::Upkeep(log), "GetLog", json!({"logType": "SecurityLog", "requestId": 3})),
        (
            ToStation::Upkeep(firmware),
            "SignedUpdateFirmware",
            json!({"requestId": 4, "firmware": {"signature": "MEUC", "location": "https://files.example/fw"}}),
        ),
        (ToStation::Vendor(said), "DataTransfer", json!({"vendorId": "org.example", "messageId": "m"})),
    ]);
}
