//! Block L: secure firmware updates, as campaigns bring them to a station.

use super::*;

/// A maker's certificate and signature: passed on as they are, because the station is to judge them (L01.FR.11).
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nbWFrZXI=\n-----END CERTIFICATE-----\n";
const SIGNATURE: &str = "c2lnbmF0dXJl";

/// An update that a station was told to make.
struct Update {
    campaign: String,
    ordered: Value,
}

impl Stage {
    /// An image is entered and a campaign begun for this one station, which answers so.
    async fn update(&mut self, version: &str, status: &str) -> Update {
        let image = json!({
            "vendor": "Hand", "model": "Made", "version": version, "address": "https://maker.example/fw.bin",
            "certificate": CERTIFICATE, "signature": SIGNATURE,
        });
        let image = self.network.operator.post("/firmware", &image).await;
        let wish = json!({ "firmware": image["id"], "wave_percent": 100, "failures_max": 0, "stations": [self.id] });
        let answer = Ok(json!({ "status": status }));
        let (begun, ordered) =
            tokio::join!(self.network.operator.post("/campaigns", &wish), self.line.obey("UpdateFirmware", answer));
        Update { campaign: begun["id"].as_str().unwrap().to_owned(), ordered }
    }

    async fn progress(&mut self, of: &Update, status: &str) -> Value {
        let said = json!({ "status": status, "requestId": of.ordered["requestId"] });
        self.say("FirmwareStatusNotification", &said).await
    }

    /// Where the update stands, and the station's last word about it.
    async fn stands(&self, of: &Update) -> (String, Value) {
        let campaign = self.network.operator.get(&format!("/campaigns/{}", of.campaign)).await;
        let member = &campaign["stations"][0];
        (member["state"].as_str().unwrap().to_owned(), member["status"].clone())
    }

    /// Waits until the station's answer to the order is known.
    async fn answered(&self, of: &Update, wanted: &str) -> Value {
        until(&format!("the update to be {wanted}"), async || {
            let (state, status) = self.stands(of).await;
            (state == wanted).then_some(status)
        })
        .await
    }
}

/// proves: L01.FR.01, L01.FR.11, L01.FR.15, L01.FR.20
#[tokio::test(flavor = "multi_thread")]
async fn firmware_is_brought_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-L1").await;
    let verified = ["Downloading", "Downloaded", "SignatureVerified"];
    let forged = ["Downloading", "Downloaded", "InvalidSignature"];
    let installed = |between: &[&'static str]| [&verified[..], between, &["Installing", "Installed"]].concat();
    let cases: [(&str, Vec<&str>, &str); 7] = [
        ("TC_L_01_CSMS", installed(&[]), "done"),
        ("TC_L_02_CSMS", installed(&["InstallScheduled"]), "done"),
        ("TC_L_03_CSMS", [&["DownloadScheduled"][..], &installed(&[])].concat(), "done"),
        ("TC_L_06_CSMS", forged.to_vec(), "failed"),
        ("TC_L_07_CSMS", vec!["Downloading", "DownloadFailed"], "failed"),
        ("TC_L_08_CSMS", [&verified[..], &["Installing", "InstallVerificationFailed"]].concat(), "failed"),
        ("TC_L_09_CSMS", [&verified[..], &["Installing", "InstallationFailed"]].concat(), "failed"),
    ];
    for (case, steps, end) in cases {
        let update = stage.update(&format!("2.0-{case}"), ACCEPTED).await;
        let firmware = json!({
            "location": "https://maker.example/fw.bin", "signingCertificate": CERTIFICATE, "signature": SIGNATURE,
        });
        expect(case, &update.ordered, &json!({ "firmware": firmware }));
        assert!(update.ordered["requestId"].is_i64() && update.ordered["firmware"]["retrieveDateTime"].is_string());
        stage.answered(&update, "going").await;
        let (last, way) = steps.split_last().unwrap();
        for step in way {
            assert_eq!(stage.progress(&update, step).await, json!({}), "{case}");
            assert_eq!(stage.stands(&update).await, ("going".to_owned(), json!(step)), "{case}");
        }
        if *last == "InvalidSignature" {
            // L01.FR.03: the alarm comes beside the status
            let alarm = json!({ "type": "InvalidFirmwareSignature", "timestamp": now() });
            assert_eq!(stage.say("SecurityEventNotification", &alarm).await, json!({}), "{case}");
            assert_eq!(stage.newest("security").await, "InvalidFirmwareSignature", "{case}");
        }
        assert_eq!(stage.progress(&update, last).await, json!({}), "{case}");
        assert_eq!(stage.stands(&update).await, (end.to_owned(), json!(last)), "{case}");
    }
    for (case, answer) in [("TC_L_04_CSMS", "RevokedCertificate"), ("TC_L_05_CSMS", "InvalidCertificate")] {
        let update = stage.update(&format!("2.1-{case}"), answer).await;
        assert_eq!(stage.answered(&update, "refused").await, json!(answer), "{case}");
        let alarm = json!({ "type": "InvalidFirmwareSigningCertificate", "timestamp": now() });
        assert_eq!(stage.say("SecurityEventNotification", &alarm).await, json!({}), "{case}");
        assert_eq!(stage.newest("security").await, "InvalidFirmwareSigningCertificate", "{case}");
    }
}

/// proves: L01.FR.24, L01.FR.27
#[tokio::test(flavor = "multi_thread")]
async fn an_update_meets_another_or_a_charge_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-L2").await;
    let first = stage.update("3.0", ACCEPTED).await;
    stage.progress(&first, "Downloading").await;
    // TC_L_10_CSMS: the one under way is given up for the new one
    let second = stage.update("3.1", "AcceptedCanceled").await;
    stage.answered(&second, "going").await;
    assert_eq!(stage.answered(&first, "failed").await, json!("AcceptedCanceled"), "TC_L_10_CSMS");
    stage.progress(&second, "Downloading").await;
    // TC_L_11_CSMS: it cannot be given up any more
    let third = stage.update("3.2", "Rejected").await;
    assert_eq!(stage.answered(&third, "refused").await, json!("Rejected"), "TC_L_11_CSMS");
    assert_eq!(stage.stands(&second).await, ("going".to_owned(), json!("Downloading")), "TC_L_11_CSMS");
    for step in ["Downloaded", "SignatureVerified", "Installing", "InstallRebooting"] {
        stage.progress(&second, step).await;
    }
    // the station comes back with what it has installed
    let knock = crate::network::socket::Knock::honest(stage.id, &stage.credential, "ocpp2.0.1");
    stage.line = Line::open(&stage.network, &knock).await.unwrap();
    let plate = json!({ "vendorName": "Hand", "model": "Made", "firmwareVersion": "3.1" });
    let boot = json!({ "chargingStation": plate, "reason": "FirmwareUpdate" });
    assert_eq!(stage.say("BootNotification", &boot).await["status"], ACCEPTED, "TC_L_10_CSMS");
    stage.progress(&second, "Installed").await;
    assert_eq!(stage.stands(&second).await, ("done".to_owned(), json!("Installed")), "TC_L_10_CSMS");
    let shown = stage.network.operator.get(&format!("/stations/{}", stage.id)).await;
    assert!(shown.to_string().contains("\"3.1\""), "TC_L_10_CSMS: {shown}");
    // TC_L_13_CSMS: what charges goes on, and the installation waits for its end
    let charging = |kind: &str, seq: u32| {
        json!({
            "eventType": kind, "timestamp": now(), "seqNo": seq,
            "triggerReason": if seq == 0 { "CablePluggedIn" } else { "EVDeparted" },
            "transactionInfo": { "transactionId": "cases-l-13" }, "evse": { "id": 1, "connectorId": 1 },
        })
    };
    stage.say("TransactionEvent", &charging("Started", 0)).await;
    let late = stage.update("3.3", ACCEPTED).await;
    for step in ["Downloading", "Downloaded", "SignatureVerified", "InstallScheduled"] {
        stage.progress(&late, step).await;
        assert_eq!(stage.stands(&late).await, ("going".to_owned(), json!(step)), "TC_L_13_CSMS");
    }
    let unavailable = json!({ "timestamp": now(), "connectorStatus": "Unavailable", "evseId": 1, "connectorId": 1 });
    stage.say("TransactionEvent", &charging("Ended", 1)).await;
    assert_eq!(stage.say("StatusNotification", &unavailable).await, json!({}), "TC_L_13_CSMS");
    stage.progress(&late, "Installing").await;
    stage.progress(&late, "Installed").await;
    assert_eq!(stage.stands(&late).await, ("done".to_owned(), json!("Installed")), "TC_L_13_CSMS");
}
