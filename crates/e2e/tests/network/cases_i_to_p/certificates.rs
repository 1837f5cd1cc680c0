//! Block M: roots that are installed, certificates that are listed and deleted, and what a car's need.

use super::*;

/// Nobody reads it before the station does (M05.FR.01).
const ROOT: &str = "-----BEGIN CERTIFICATE-----\ncm9vdA==\n-----END CERTIFICATE-----\n";

/// What the operator calls a use of certificates, and the standard's word for it.
const USES: [(&str, &str); 4] = [
    ("operator_root", "CSMSRootCertificate"),
    ("manufacturer_root", "ManufacturerRootCertificate"),
    ("v2g_root", "V2GRootCertificate"),
    ("mo_root", "MORootCertificate"),
];

fn hash(serial: &str) -> Value {
    json!({ "hashAlgorithm": "SHA384", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": serial })
}

/// The same as the operator's API spells it.
fn shown(serial: &str) -> Value {
    json!({ "algorithm": "SHA384", "issuer_name": "aa", "issuer_key": "bb", "serial": serial })
}

impl Stage {
    async fn list(&mut self, uses: &[&str], answer: Value) -> Value {
        let body = json!({ "kind": "list", "trusted_for": uses });
        self.order("certificates", &body, "GetInstalledCertificateIds", Ok(answer)).await.0
    }

    /// Serials that the station is known to hold, with their use.
    async fn held(&self) -> Vec<(String, String)> {
        let held = self.network.operator.get(&format!("/stations/{}/certificates", self.id)).await;
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let each = |one: &Value| (word(&one["trusted_for"]), word(&one["hash"]["serial"]));
        held["items"].as_array().unwrap().iter().map(each).collect()
    }
}

/// proves: M03.FR.01, M03.FR.02, M03.FR.05, M04.FR.01, M04.FR.07, M05.FR.01, M05.FR.03
#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_installed_listed_and_deleted_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-M").await;
    // TC_M_01_CSMS, TC_M_02_CSMS, TC_M_03_CSMS, TC_M_04_CSMS: a root of each use is installed
    for (wish, named) in USES {
        let body = json!({ "kind": "install", "trusted_for": wish, "certificate": ROOT });
        let (ordered, told) =
            stage.order("certificates", &body, "InstallCertificate", Ok(json!({ "status": ACCEPTED }))).await;
        assert_eq!(ordered, json!({ "certificateType": named, "certificate": ROOT }));
        assert_eq!(told["outcome"], "accepted");
        // TC_M_05_CSMS: and cannot be, which is told as it is
        for word in ["Rejected", "Failed"] {
            let (_, told) =
                stage.order("certificates", &body, "InstallCertificate", Ok(json!({ "status": word }))).await;
            expect(
                "TC_M_05_CSMS",
                &told,
                &json!({ "outcome": "refused", "message": format!("the station answered {word}") }),
            );
        }
    }
    // TC_M_12_CSMS, TC_M_13_CSMS, TC_M_14_CSMS, TC_M_16_CSMS: those of one use are asked for, and known from then on
    for (at, (wish, named)) in USES.into_iter().enumerate() {
        let chain = json!([{ "certificateType": named, "certificateHashData": hash(&format!("{at}")) }]);
        let answer = json!({ "status": ACCEPTED, "certificateHashDataChain": chain });
        assert_eq!(stage.list(&[wish], answer).await, json!({ "certificateType": [named] }));
        let held = stage.held().await;
        assert_eq!((held.len(), &held[at]), (at + 1, &(wish.to_owned(), at.to_string())), "{named}");
    }
    // TC_M_15_CSMS: a chain with what is below it
    let chain = json!({
        "certificateType": "V2GCertificateChain", "certificateHashData": hash("c0"),
        "childCertificateHashData": [hash("c1"), hash("c2")],
    });
    let answer = json!({ "status": ACCEPTED, "certificateHashDataChain": [chain] });
    assert_eq!(stage.list(&["v2g_chain"], answer).await, json!({ "certificateType": ["V2GCertificateChain"] }));
    let serials = |held: Vec<(String, String)>| held.into_iter().map(|(_, serial)| serial).collect::<Vec<_>>();
    assert_eq!(serials(stage.held().await), ["0", "1", "2", "3", "c0", "c1", "c2"], "TC_M_15_CSMS");
    // TC_M_17_CSMS: of two uses at once
    let asked = stage.list(&["operator_root", "manufacturer_root"], json!({ "status": "NotFound" })).await;
    let both = json!({ "certificateType": ["CSMSRootCertificate", "ManufacturerRootCertificate"] });
    assert_eq!(asked, both, "TC_M_17_CSMS");
    // TC_M_19_CSMS: there are none of these, which says nothing of the others
    assert_eq!(serials(stage.held().await), ["2", "3", "c0", "c1", "c2"], "TC_M_19_CSMS");
    // TC_M_18_CSMS: all of them
    let all = USES.map(|(_, named)| json!({ "certificateType": named, "certificateHashData": hash(named) }));
    let answer = json!({ "status": ACCEPTED, "certificateHashDataChain": all });
    assert_eq!(stage.list(&[], answer).await, json!({}), "TC_M_18_CSMS");
    assert_eq!(serials(stage.held().await), USES.map(|(_, named)| named), "TC_M_18_CSMS");
    // TC_M_20_CSMS: one is deleted, named as the station has named it; TC_M_21_CSMS: it cannot be; and it is not there
    for (case, serial, word, outcome, left) in [
        ("TC_M_21_CSMS", "V2GRootCertificate", "Failed", "refused", 4),
        ("TC_M_20_CSMS", "V2GRootCertificate", ACCEPTED, "accepted", 3),
        ("TC_M_21_CSMS", "MORootCertificate", "NotFound", "refused", 2),
    ] {
        let body = json!({ "kind": "delete", "hash": shown(serial) });
        let answer = Ok(json!({ "status": word }));
        let (ordered, told) = stage.order("certificates", &body, "DeleteCertificate", answer).await;
        assert_eq!(ordered, json!({ "certificateHashData": hash(serial) }), "{case}");
        assert_eq!((&told["outcome"], stage.held().await.len()), (&json!(outcome), left), "{case}");
    }
}
