//! The words of the station's answers.

use serde_json::{Value, json};

use super::hand::{Csms, Door, Guest, PASSWORD, number};

async fn connected() -> (Guest, Csms) {
    let door = Door::open(None).await;
    let guest = Guest::dialling(number(door.url(), Some(PASSWORD), None)).await;
    let csms = door.let_in().await;
    (guest, csms)
}

fn variable(component: &str, variable: &str) -> Value {
    json!({"component": {"name": component}, "variable": {"name": variable}})
}

fn with(mut row: Value, name: &str, value: &str) -> Value {
    row[name] = value.into();
    row
}

#[tokio::test]
async fn whoever_was_turned_away_takes_no_orders_as_the_case_asks() {
    // TC_B_30_CS
    let (_guest, mut csms) = connected().await;
    csms.boots = "Rejected";
    csms.until("BootNotification").await;
    let answer = csms.order("GetBaseReport", json!({"requestId": 1, "reportBase": "FullInventory"})).await;
    assert_eq!((&answer[0], &answer[2]), (&json!(4), &json!("SecurityError")), "TC_B_30_CS: {answer}");
}

#[tokio::test]
async fn variables_that_there_are_not_are_told_apart_as_the_cases_ask() {
    let (_guest, mut csms) = connected().await;
    csms.until("BootNotification").await;
    let known = || variable("OCPPCommCtrlr", "OfflineThreshold");
    let target = || with(known(), "attributeType", "Target");
    let strange = || variable("UnknownComponent", "OfflineThreshold");
    let missing = || variable("OCPPCommCtrlr", "UnknownVariable");
    for (case, row, status) in [
        ("TC_B_32_CS", strange(), "UnknownComponent"),
        ("TC_B_33_CS", missing(), "UnknownVariable"),
        ("TC_B_34_CS", target(), "NotSupportedAttributeType"),
    ] {
        let answer = csms.ask("GetVariables", json!({"getVariableData": [row]})).await;
        let told = &answer["getVariableResult"][0];
        assert_eq!(told["attributeStatus"], status, "{case}: {told}");
        for named in ["component", "variable", "attributeType"] {
            assert_eq!(told.get(named), row.get(named), "{case}: {told}");
        }
        assert!(told.get("attributeValue").is_none(), "{case}: {told}");
    }
    let locked = json!({
        "component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "MessageTimeout", "instance": "Default"},
    });
    for (case, row, status) in [
        ("TC_B_35_CS", strange(), "UnknownComponent"),
        ("TC_B_36_CS", missing(), "UnknownVariable"),
        ("TC_B_37_CS", target(), "NotSupportedAttributeType"),
        ("TC_B_39_CS", locked, "Rejected"),
    ] {
        let row = with(row, "attributeValue", "200");
        let answer = csms.ask("SetVariables", json!({"setVariableData": [row]})).await;
        let told = &answer["setVariableResult"][0];
        assert_eq!(told["attributeStatus"], status, "{case}: {told}");
        for named in ["component", "variable", "attributeType"] {
            assert_eq!(told.get(named), row.get(named), "{case}: {told}");
        }
    }
    // TC_P_03_CS: what a vendor adds is in nobody's way
    let custom = json!({"vendorId": "com.example", "more": [1, {"two": null}]});
    let mut row = with(with(known(), "attributeType", "Actual"), "attributeValue", "200");
    row["customData"] = custom.clone();
    let answer = csms.ask("SetVariables", json!({"setVariableData": [row], "customData": custom})).await;
    assert_eq!(answer["setVariableResult"][0]["attributeStatus"], "Accepted", "TC_P_03_CS: {answer}");
    let mut row = with(known(), "attributeType", "Actual");
    row["customData"] = custom.clone();
    let answer = csms.ask("GetVariables", json!({"getVariableData": [row], "customData": custom})).await;
    let told = &answer["getVariableResult"][0];
    assert_eq!((&told["attributeStatus"], &told["attributeValue"]), (&json!("Accepted"), &json!("200")), "TC_P_03_CS");
}

#[tokio::test]
async fn networks_that_cannot_be_are_refused_as_the_cases_ask() {
    let (guest, mut csms) = connected().await;
    csms.until("BootNotification").await;
    guest.station.secured(2);
    let network = |slot: i32, profile: u8| {
        json!({"configurationSlot": slot, "connectionData": {
            "messageTimeout": 30, "ocppCsmsUrl": "wss://csms.example/ocpp", "ocppInterface": "Wired0",
            "ocppTransport": "JSON", "ocppVersion": "OCPP20", "securityProfile": profile,
        }})
    };
    for (case, slot, profile, status) in [
        // a slot that there is not
        ("TC_B_43_CS", 999, 2, "Rejected"),
        // less than the line that stands
        ("TC_A_22_CS", 2, 1, "Rejected"),
        ("neither", 2, 2, "Accepted"),
    ] {
        let answer = csms.ask("SetNetworkProfile", network(slot, profile)).await;
        assert_eq!(answer["status"], status, "{case}: {answer}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_none_is_an_alarm_as_the_cases_ask() {
    let (_guest, mut csms) = connected().await;
    csms.until("BootNotification").await;
    let trigger = || json!({"requestedMessage": "SignChargingStationCertificate"});
    // TC_A_15_CS: a request that is not taken is the end of it
    csms.signs = "Rejected";
    assert_eq!(csms.ask("TriggerMessage", trigger()).await["status"], "Accepted", "TC_A_15_CS");
    csms.until("SignCertificate").await;
    csms.signs = "Accepted";
    // TC_A_14_CS
    assert_eq!(csms.ask("TriggerMessage", trigger()).await["status"], "Accepted", "TC_A_14_CS");
    let asked = csms.until("SignCertificate").await;
    let csr = asked["csr"].as_str().unwrap();
    assert!(csr.starts_with("-----BEGIN CERTIFICATE REQUEST-----"), "TC_A_14_CS: {csr}");
    let nonsense = "-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n";
    let signed = json!({"certificateChain": nonsense, "certificateType": "ChargingStationCertificate"});
    assert_eq!(csms.ask("CertificateSigned", signed).await["status"], "Rejected", "TC_A_14_CS");
    loop {
        let event = csms.until("SecurityEventNotification").await;
        if event["type"] == "InvalidChargingStationCertificate" {
            break;
        }
        assert_eq!(event["type"], "StartupOfTheDevice", "TC_A_14_CS");
    }
}
