//! Frames that are wrong: each hears the code of its version, and the line lives on unless its framing is lost.

use serde_json::json;

use super::settle::{Credential, Enrol, Network};
use super::socket::{Knock, Line};

/// Deeper than any honest message; a careless reader's stack ends on the way.
const DEEP: usize = 10_000;
/// Above the limit for a frame (256 KiB).
const LONG_BYTES: usize = 300_000;

/// The code and the id that a text hears.
async fn hears(line: &mut Line, text: &str) -> (String, String) {
    line.send(text).await;
    let frame = line.answer().await;
    assert_eq!(frame[0], 4, "{frame}");
    (frame[2].as_str().unwrap().to_owned(), frame[1].as_str().unwrap().to_owned())
}

/// The line lives.
async fn alive(line: &mut Line) {
    let heard = line.call("Heartbeat", &json!({})).await.unwrap();
    assert!(heard["currentTime"].is_string(), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_malformed_frame_hears_the_code_of_its_version_and_the_line_lives() {
    let network = Network::start().await;
    let credential = network.enrol(&Enrol::plain("FRAMES-1")).await;
    let deep = format!(r#"[2,"d","Heartbeat",{{"x":{}{}}}]"#, "[".repeat(DEEP), "]".repeat(DEEP));
    // frame, code in 1.6, code in 2.0.1
    let table = [
        (r#"[2,"a","Heartbeat",{"#, "FormationViolation", "FormatViolation"),
        (r#"[2,"a","Heartbeat",{"x":tru}]"#, "FormationViolation", "FormatViolation"),
        (&deep, "FormationViolation", "FormatViolation"),
        (r#"[2,"a"]"#, "ProtocolError", "ProtocolError"),
        (r#"[2,"a","Heartbeat",[]]"#, "ProtocolError", "ProtocolError"),
        (r#"[2,"a","Teleport",{}]"#, "NotImplemented", "NotImplemented"),
        (r#"[2,"a","Reset",{"type":"Hard"}]"#, "NotSupported", "NotSupported"),
        (r#"[2,"a","Authorize",{}]"#, "OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
    ];
    for (subprotocol, new) in [("ocpp1.6", false), ("ocpp2.0.1", true)] {
        let mut line = Line::boot(&network, "FRAMES-1", &credential, subprotocol).await;
        for (text, old_code, new_code) in table {
            let (code, id) = hears(&mut line, text).await;
            let shown: String = text.chars().take(60).collect();
            assert_eq!(code, if new { new_code } else { old_code }, "{subprotocol} {shown}");
            assert_eq!(id, if text == deep { "d" } else { "a" }, "{subprotocol} {shown}");
            alive(&mut line).await;
        }
        line.cut();
    }
    let log = network.operator.get("/stations/FRAMES-1/log?query=Teleport").await;
    let lines = log["items"].as_array().unwrap();
    assert!(lines.iter().any(|line| line["remarks"] != json!([])), "the log says what was wrong: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_over_long_frame_ends_the_line_with_code_1009_and_the_station_may_come_back() {
    let network = Network::start().await;
    let credential = network.enrol(&Enrol::plain("FRAMES-2")).await;
    let mut line = Line::boot(&network, "FRAMES-2", &credential, "ocpp1.6").await;
    let long = json!([2, "l", "DataTransfer", { "vendorId": "v", "data": "x".repeat(LONG_BYTES) }]).to_string();
    line.send(&long).await;
    assert_eq!(line.close_code().await, Some(1009));
    let mut line = Line::boot(&network, "FRAMES-2", &credential, "ocpp1.6").await;
    alive(&mut line).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_id_that_is_used_twice_is_answered_twice() {
    let network = Network::start().await;
    let credential = network.enrol(&Enrol::plain("FRAMES-3")).await;
    let mut line = Line::boot(&network, "FRAMES-3", &credential, "ocpp1.6").await;
    for _ in 0..2 {
        line.send(r#"[2,"same","Heartbeat",{}]"#).await;
    }
    for _ in 0..2 {
        let frame = line.answer().await;
        assert_eq!((frame[0].as_i64(), frame[1].as_str()), (Some(3), Some("same")), "{frame}");
    }
    alive(&mut line).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_that_comes_again_takes_the_place_of_its_older_line() {
    let network = Network::start().await;
    let credential = network.enrol(&Enrol::plain("FRAMES-4")).await;
    let mut older = Line::boot(&network, "FRAMES-4", &credential, "ocpp2.0.1").await;
    let Credential::Password(_) = &credential else { panic!("profile 2 is a password") };
    let mut newer = Line::open(&network, &Knock::honest("FRAMES-4", &credential, "ocpp2.0.1")).await.unwrap();
    assert_eq!(older.close_code().await, Some(1008), "a policy of ours: one line per station");
    alive(&mut newer).await;
}
