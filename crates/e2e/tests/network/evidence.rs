//! `leyden verify` on what a driver downloads: good, changed by one byte, without a key.

use charge::talk::line::Version;
use charge::units::Energy;
use serde_json::Value;

use super::house::{Folder, run};
use super::pole::{Pole, first};
use super::settle::Network;
use super::wait::until;

#[tokio::test(flavor = "multi_thread")]
async fn a_downloaded_record_is_valid_a_changed_byte_is_not_and_without_a_key_nothing_is_said() {
    let network = Network::start().await;
    let driver = network.driver(0, "evidence", "04E0000001AA01").await;
    let pole = Pole::stand(&network, "EVIDENCE-1", Version::V201, 1).await;
    pole.admitted().await;
    pole.plug(first());
    pole.tap(first(), &driver.card);
    pole.charging(first()).await;
    pole.charged(first(), Energy::from_wh(50)).await;
    pole.unplug(first()).await;
    let session = until("the session to be billed", async || {
        let own = driver.phone.look("/driver/sessions").await?;
        let billed = own["items"].as_array()?.iter().find(|session| session["verdict"].is_string())?.clone();
        Some(billed)
    })
    .await;
    let path = format!("/driver/sessions/{}/record", session["id"].as_str().unwrap());
    let xml = driver.phone.download(&path).await;
    let json = driver.phone.download(&format!("{path}?format=json")).await;
    let key = pole.meters[0].clone();
    pole.leave().await;

    let folder = Folder::new();
    let kept = |name: &str, content: &[u8]| {
        let file = folder.path(name);
        std::fs::write(&file, content).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let (good, own) = (kept("good.xml", &xml), kept("own.json", &json));
    for file in [&good, &own] {
        assert_eq!(verdict(&folder, &["--key", &key, file]), (Some(0), "valid".to_owned()), "{file}");
    }
    // the bare records, as a meter gives them: no key beside them
    let own_file: Value = serde_json::from_slice(&json).unwrap();
    let records = own_file["records"].as_array().unwrap().iter();
    let bare = records.map(|record| record["data"].as_str().unwrap()).collect::<Vec<_>>().join("\n");
    let file = kept("bare.txt", bare.as_bytes());
    assert_eq!(verdict(&folder, &[&file]), (Some(2), "cannot be checked".to_owned()));
    assert_eq!(verdict(&folder, &["--key", &key, &file]), (Some(0), "valid".to_owned()));
    // one byte: another digit in a register of the signed text
    let mut bytes = bare.into_bytes();
    let field = bytes.windows(5).position(|window| window == b"\"RV\":").unwrap();
    let digit = field + bytes[field..].iter().position(u8::is_ascii_digit).unwrap();
    bytes[digit] = if bytes[digit] == b'9' { b'8' } else { bytes[digit] + 1 };
    let changed = kept("changed.txt", &bytes);
    assert_eq!(verdict(&folder, &["--key", &key, &changed]), (Some(1), "not valid".to_owned()));
}

/// Exit status and the one verdict in the report.
fn verdict(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String) {
    let report = folder.path("report.json");
    let done = run(&[&["verify", "--report", report.to_str().unwrap()], arguments].concat());
    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let sessions = report["files"][0]["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 1, "{report}");
    (done.status.code(), sessions[0]["verdict"].as_str().unwrap().to_owned())
}
