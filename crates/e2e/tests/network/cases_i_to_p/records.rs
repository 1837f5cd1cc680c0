//! Blocks I, N01, N09, N10 and P: what a charge has cost, logs, what a station knows of a customer, and what vendors add.

use std::time::Duration;

use charge::{Clock, SystemClock};

use super::*;
use crate::network::api;

const CARD: &str = "04A2B3C4D5E680";

impl Stage {
    async fn log(&mut self, which: &str, answer: Value) -> (Value, Value) {
        self.order("uploads", &json!({ "log": which }), "GetLog", Ok(answer)).await
    }

    async fn log_status(&mut self, told: &Value, status: &str) {
        let said = json!({ "status": status, "requestId": told["request"] });
        assert_eq!(self.say("LogStatusNotification", &said).await, json!({}));
    }

    async fn customer(&mut self, wish: Value, status: &str) -> (Value, Value) {
        let mut body = json!({ "kind": "customer" });
        body.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
        self.word(&body, "CustomerInformation", status).await
    }

    /// The station tells what it knows, in two parts; what the one who asked then reads.
    async fn data(&mut self, told: &Value, parts: [&str; 2]) -> Value {
        for (at, part) in parts.into_iter().enumerate() {
            let said = json!({
                "requestId": told["request"], "seqNo": at, "tbc": at == 0, "generatedAt": now(), "data": part,
            });
            assert_eq!(self.say("NotifyCustomerInformation", &said).await, json!({}));
        }
        self.network.operator.post(&format!("/requests/{}/customer", told["request"]), &json!({})).await["data"].clone()
    }
}

/// proves: N01.FR.01, N01.FR.12
#[tokio::test(flavor = "multi_thread")]
async fn logs_are_fetched_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-N1").await;
    // TC_N_25_CSMS, TC_N_35_CSMS: a log is asked for, comes, and can be read
    for (case, which, named) in
        [("TC_N_25_CSMS", "diagnostics", "DiagnosticsLog"), ("TC_N_35_CSMS", "security", "SecurityLog")]
    {
        let (ordered, told) = stage.log(which, json!({ "status": ACCEPTED, "filename": "cp.log" })).await;
        expect(case, &ordered, &json!({ "logType": named, "requestId": told["request"] }));
        stage.log_status(&told, "Uploading").await;
        assert_eq!(stage.request(&told).await, ("going".to_owned(), json!("Uploading")), "{case}");
        let there = ordered["log"]["remoteLocation"].as_str().unwrap();
        let put = api::client(&stage.network.house.roots()).put(there).body(named).send().await.unwrap();
        assert_eq!(put.status(), 201, "{case}");
        stage.log_status(&told, "Uploaded").await;
        assert_eq!(stage.request(&told).await, ("done".to_owned(), json!("Uploaded")), "{case}");
        let file = stage.network.operator.download(&format!("/upload-files/{}", told["request"])).await;
        assert_eq!(file, named.as_bytes(), "{case}");
    }
    // TC_N_34_CSMS: the station has none to give
    let (_, told) = stage.log("diagnostics", json!({ "status": "Rejected" })).await;
    assert_eq!(told["outcome"], "refused", "TC_N_34_CSMS");
    assert_eq!(stage.request(&told).await, ("refused".to_owned(), json!("Rejected")), "TC_N_34_CSMS");
    // TC_N_36_CSMS: a second one ends the first
    let (_, first) = stage.log("diagnostics", json!({ "status": ACCEPTED, "filename": "1.log" })).await;
    stage.log_status(&first, "Uploading").await;
    let (ordered, second) =
        stage.log("diagnostics", json!({ "status": "AcceptedCanceled", "filename": "2.log" })).await;
    assert_ne!(ordered["requestId"], first["request"], "TC_N_36_CSMS");
    assert_eq!(second["outcome"], "accepted", "TC_N_36_CSMS");
    stage.log_status(&first, "AcceptedCanceled").await;
    stage.log_status(&second, "Uploading").await;
    stage.log_status(&second, "Uploaded").await;
    assert_eq!(stage.request(&first).await, ("failed".to_owned(), json!("AcceptedCanceled")), "TC_N_36_CSMS");
    assert_eq!(stage.request(&second).await, ("done".to_owned(), json!("Uploaded")), "TC_N_36_CSMS");
}

/// proves: N09.FR.01, N09.FR.04, N09.FR.09, N10.FR.08
#[tokio::test(flavor = "multi_thread")]
async fn customers_are_asked_about_and_forgotten_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-N2").await;
    let token = json!({ "idToken": CARD, "type": "ISO14443" });
    for (case, clear, parts, read) in [
        ("TC_N_27_CSMS", false, ["in the list, ", "in the cache"], "in the list, in the cache"),
        ("TC_N_28_CSMS", false, ["", ""], ""),
        ("TC_N_30_CSMS", true, ["in the list, ", "in the cache"], "in the list, in the cache"),
        ("TC_N_31_CSMS", true, ["", ""], ""),
    ] {
        let (ordered, told) = stage.customer(json!({ "card": CARD, "clear": clear }), ACCEPTED).await;
        let asked = json!({ "report": true, "clear": clear, "idToken": token, "requestId": told["request"] });
        assert_eq!(ordered, asked, "{case}");
        assert_eq!(stage.data(&told, parts).await, read, "{case}");
        assert_eq!(stage.request(&told).await.0, "done", "{case}");
    }
    // TC_N_32_CSMS: forgotten and not told; that it was done is told (N10.FR.06)
    let (ordered, told) = stage.customer(json!({ "card": CARD, "clear": true, "silently": true }), ACCEPTED).await;
    expect("TC_N_32_CSMS", &ordered, &json!({ "report": false, "clear": true, "idToken": token }));
    assert_eq!(stage.data(&told, ["forgotten", ""]).await, "forgotten", "TC_N_32_CSMS");
    assert_eq!(stage.request(&told).await.0, "done", "TC_N_32_CSMS");
    // TC_N_29_CSMS: it does not say
    for word in ["Rejected", "Invalid"] {
        let (_, told) = stage.customer(json!({ "card": CARD }), word).await;
        assert_eq!(told["outcome"], "refused", "TC_N_29_CSMS");
        assert_eq!(stage.request(&told).await, ("refused".to_owned(), json!(word)), "TC_N_29_CSMS");
    }
    // TC_N_62_CSMS: named by the station's own name for it
    let (ordered, told) = stage.customer(json!({ "identifier": "C-4711", "clear": true }), ACCEPTED).await;
    expect("TC_N_62_CSMS", &ordered, &json!({ "customerIdentifier": "C-4711", "report": true, "clear": true }));
    assert!(ordered.get("idToken").is_none(), "TC_N_62_CSMS");
    assert_eq!(stage.data(&told, ["forgotten", ""]).await, "forgotten", "TC_N_62_CSMS");
}

/// proves: P01.FR.06, P02.FR.06, P02.FR.07
#[tokio::test(flavor = "multi_thread")]
async fn what_vendors_add_is_answered_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-P").await;
    // TC_P_02_CSMS: nobody knows this vendor
    let said = json!({ "vendorId": "com.example.toaster", "messageId": "heat", "data": { "slices": 2 } });
    let answer = stage.say("DataTransfer", &said).await;
    assert_eq!(answer["status"], "UnknownVendorId", "TC_P_02_CSMS");
    assert!(stage.newest("vendor").await.contains("com.example.toaster"), "TC_P_02_CSMS");
    // TC_P_03_CSMS: what a vendor adds to a message of the standard changes nothing about it
    let custom = json!({ "vendorId": "com.example.toaster", "slices": [1, 2] });
    let plate = json!({ "vendorName": "Hand", "model": "Made", "customData": custom });
    let boot = json!({ "chargingStation": plate, "reason": "PowerUp", "customData": custom });
    assert_eq!(stage.say("BootNotification", &boot).await["status"], ACCEPTED, "TC_P_03_CSMS");
    let status = json!({
        "timestamp": now(), "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1, "customData": custom,
    });
    assert_eq!(stage.say("StatusNotification", &status).await, json!({}), "TC_P_03_CSMS");
    let shown = stage.network.operator.get(&format!("/stations/{}", stage.id)).await;
    assert_eq!(shown["vendor"], "Hand", "TC_P_03_CSMS: {shown}");
    let heartbeat = stage.say("Heartbeat", &json!({ "customData": custom })).await;
    assert!(heartbeat["currentTime"].is_string(), "TC_P_03_CSMS");
    // the other way round: an order of a vendor's own
    let order = json!({ "kind": "vendor", "vendor": "com.example.toaster", "message": "heat", "data": 3 });
    let (ordered, told) = stage.word(&order, "DataTransfer", "UnknownVendorId").await;
    assert_eq!(ordered, json!({ "vendorId": "com.example.toaster", "messageId": "heat", "data": 3 }));
    assert_eq!(told["answer"]["vendor"]["status"], "UnknownVendorId");
}

/// proves: I03.FR.02
#[tokio::test(flavor = "multi_thread")]
async fn what_a_charge_has_cost_is_told_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-I").await;
    stage.network.driver(0, "zilp", CARD).await;
    let event = |kind: &str, seq: u32, why: &str, wh: u32, token: bool| {
        // half an hour, as a meter of this power would take
        let at = SystemClock.now().minus(Duration::from_secs(if seq == 0 { 1_800 } else { 0 })).to_string();
        let reading = json!({ "timestamp": at, "sampledValue": [{
            "value": wh, "measurand": "Energy.Active.Import.Register", "unitOfMeasure": { "unit": "Wh" },
            "context": if seq == 0 { "Transaction.Begin" } else { "Transaction.End" },
        }] });
        let mut event = json!({
            "eventType": kind, "timestamp": at, "seqNo": seq, "triggerReason": why, "meterValue": [reading],
            "transactionInfo": { "transactionId": "cases-i-2", "chargingState": "EVConnected" },
            "evse": { "id": 1, "connectorId": 1 },
        });
        if token {
            event["idToken"] = json!({ "idToken": CARD, "type": "ISO14443" });
        }
        event
    };
    // a price is worked out for a station that says it can show one
    let (key, shows) = (
        "TariffCostCtrlr.Enabled[Cost]",
        json!({ "component": { "name": "TariffCostCtrlr" }, "variable": { "name": "Enabled", "instance": "Cost" } }),
    );
    let result = json!({ "attributeStatus": ACCEPTED, "attributeValue": "true", "component": shows["component"], "variable": shows["variable"] });
    let wish = json!({ "kind": "read_settings", "keys": [key] });
    stage.order("orders", &wish, "GetVariables", Ok(json!({ "getVariableResult": [result] }))).await;
    let begun = stage.say("TransactionEvent", &event("Started", 0, "Authorized", 1_000, true)).await;
    assert_eq!(begun["idTokenInfo"]["status"], ACCEPTED, "TC_I_02_CSMS: {begun}");
    // TC_I_02_CSMS: 10 kWh at 0.44 and 19 % on top, with the answer to the end
    let ended = stage.say("TransactionEvent", &event("Ended", 1, "EVDeparted", 11_000, false)).await;
    let total = ended["totalCost"].as_f64().unwrap();
    assert!((5.23..5.25).contains(&total), "TC_I_02_CSMS: {ended}");
}
