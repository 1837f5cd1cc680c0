//! Transactions and readings that contradict what is known: repeated, of another station, falling, negative, from a
//! clock that is years off. What is sound is billed, the rest is flagged, and nothing is done twice.

use std::time::Duration;

use charge::{Clock, SystemClock, Timestamp};
use serde_json::{Value, json};

use super::settle::{Enrol, Network};
use super::socket::Line;
use super::wait::PATIENCE;

const MINUTE: Duration = Duration::from_secs(60);
const YEAR: Duration = Duration::from_secs(366 * 86_400);

/// So many minutes ago.
fn ago(minutes: u32) -> Timestamp {
    SystemClock.now().minus(MINUTE * minutes)
}

fn start(card: &str, wh: i64, at: Timestamp) -> Value {
    json!({ "connectorId": 1, "idTag": card, "meterStart": wh, "timestamp": at.to_string() })
}

fn reading(transaction: &Value, wh: i64, at: Timestamp) -> Value {
    let value = json!([{ "value": wh.to_string(), "measurand": "Energy.Active.Import.Register", "unit": "Wh" }]);
    json!({
        "connectorId": 1, "transactionId": transaction,
        "meterValue": [{ "timestamp": at.to_string(), "sampledValue": value }],
    })
}

fn stop(transaction: &Value, wh: i64, at: Timestamp) -> Value {
    json!({ "transactionId": transaction, "meterStop": wh, "timestamp": at.to_string(), "reason": "Local" })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_repeated_after_a_reconnect_is_the_same_transaction() {
    let network = Network::start().await;
    let credential = network.enrol(&Enrol::plain("REPEAT-1")).await;
    let driver = network.driver(0, "repeat", "04BAD00001AA01").await;
    let said = start(&driver.card, 1_000, ago(5));
    let mut numbers = Vec::new();
    for _ in 0..3 {
        let mut line = Line::boot(&network, "REPEAT-1", &credential, "ocpp1.6").await;
        let heard = line.call("StartTransaction", &said).await.unwrap();
        assert_eq!(heard["idTagInfo"]["status"], "Accepted");
        numbers.push(heard["transactionId"].clone());
        line.cut();
    }
    assert!(numbers.windows(2).all(|pair| pair[0] == pair[1]), "{numbers:?}");
    let mut line = Line::boot(&network, "REPEAT-1", &credential, "ocpp1.6").await;
    let end = stop(&numbers[0], 1_500, ago(1));
    for _ in 0..2 {
        line.call("StopTransaction", &end).await.unwrap();
    }
    network.all_settled(PATIENCE).await;
    let sessions = network.sessions_of("REPEAT-1").await;
    let shape: Vec<_> = sessions.iter().map(|s| (s["state"].as_str(), s["energy_wh"].as_i64())).collect();
    assert_eq!(shape, [(Some("closed"), Some(500))]);
    assert_eq!(network.operator.all("/cdrs").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_of_another_station_is_not_touched() {
    let network = Network::start().await;
    let driver = network.driver(0, "other", "04BAD00002AA01").await;
    let (mine, theirs) = (network.enrol(&Enrol::plain("MINE-1")).await, network.enrol(&Enrol::plain("THEIRS-1")).await);
    let mut mine = Line::boot(&network, "MINE-1", &mine, "ocpp1.6").await;
    let mut theirs = Line::boot(&network, "THEIRS-1", &theirs, "ocpp1.6").await;
    let heard = mine.call("StartTransaction", &start(&driver.card, 1_000, ago(5))).await.unwrap();
    let number = &heard["transactionId"];
    let refused = theirs.call("StopTransaction", &stop(number, 9_000, ago(1))).await;
    assert_eq!(refused, Err("PropertyConstraintViolation".to_owned()));
    let refused = theirs.call("MeterValues", &reading(number, 9_000, ago(1))).await;
    assert_eq!(refused, Err("PropertyConstraintViolation".to_owned()));
    let session = network.sessions_of("MINE-1").await.remove(0);
    assert_eq!((session["state"].as_str(), session["energy_wh"].as_i64()), (Some("active"), Some(0)), "{session}");
    mine.call("StopTransaction", &stop(number, 1_200, ago(0))).await.unwrap();
    network.all_settled(PATIENCE).await;
    assert_eq!(network.sessions_of("MINE-1").await[0]["energy_wh"], 200);
    assert!(network.sessions_of("THEIRS-1").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_that_contradict_are_flagged_and_not_billed() {
    let network = Network::start().await;
    let credential = network.enrol(&Enrol::plain("FALLING-1")).await;
    let driver = network.driver(0, "falling", "04BAD00003AA01").await;
    let mut line = Line::boot(&network, "FALLING-1", &credential, "ocpp1.6").await;
    let heard = line.call("StartTransaction", &start(&driver.card, 5_000, ago(10))).await.unwrap();
    let number = &heard["transactionId"];
    let years_ago = SystemClock.now().minus(YEAR * 10);
    let sound_and_not = [(5_400, ago(8)), (4_000, ago(7)), (-5, ago(6)), (5_600, years_ago), (5_900, ago(4))];
    for (wh, at) in sound_and_not {
        line.call("MeterValues", &reading(number, wh, at)).await.unwrap();
    }
    let session = network.sessions_of("FALLING-1").await.remove(0);
    assert_eq!(session["energy_wh"], 900, "{session}");
    line.call("StopTransaction", &stop(number, 6_000, ago(1))).await.unwrap();
    network.all_settled(PATIENCE).await;
    let session = network.sessions_of("FALLING-1").await.remove(0);
    assert_eq!((session["state"].as_str(), session["energy_wh"].as_i64()), (Some("closed"), Some(1_000)), "{session}");
    let flags = session["flags"].to_string();
    for words in ["went down", "below zero", "clock"] {
        assert!(flags.contains(words), "«{words}» in {flags}");
    }
    let id = session["id"].as_str().unwrap();
    let detail = network.operator.get(&format!("/sessions/{id}")).await;
    let flawed = detail["curve"].as_array().unwrap().iter().filter(|point| point["flaw"].is_string()).count();
    assert_eq!(flawed, 3, "{}", detail["curve"]);
    let cdr = network.operator.all("/cdrs").await.remove(0);
    assert!(cdr["remark"].as_str().unwrap().contains("3 readings were flagged and not billed"), "{cdr}");
    assert_eq!(cdr["energy_wh"], 1_000);
    assert_eq!(network.providers[0].get("/disputes").await["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_years_off_does_not_move_the_session() {
    let network = Network::start().await;
    let credential = network.enrol(&Enrol::plain("CLOCK-1")).await;
    let driver = network.driver(0, "clock", "04BAD00004AA01").await;
    let mut line = Line::boot(&network, "CLOCK-1", &credential, "ocpp1.6").await;
    let before = SystemClock.now().whole_seconds();
    // older than OCPP itself: a clock that was never set
    let never_set = Timestamp::from_secs(86_400);
    for off in [SystemClock.now().minus(YEAR * 10), SystemClock.now().plus(YEAR * 30), never_set] {
        let heard = line.call("StartTransaction", &start(&driver.card, 1_000, off)).await.unwrap();
        assert_eq!(heard["idTagInfo"]["status"], "Accepted");
        line.call("StopTransaction", &stop(&heard["transactionId"], 1_100, off)).await.unwrap();
    }
    network.all_settled(PATIENCE).await;
    let sessions = network.sessions_of("CLOCK-1").await;
    assert_eq!(sessions.len(), 3);
    for (session, energy) in sessions.iter().zip([0, 0, 100]) {
        let start: Timestamp = session["start"].as_str().unwrap().parse().unwrap();
        assert!(start >= before && start <= SystemClock.now(), "{session}");
        assert_eq!(session["energy_wh"], energy, "{session}");
        assert_eq!(session["flags"].to_string().contains("clock"), energy == 0, "{session}");
    }
    let log = network.operator.get("/stations/CLOCK-1/log?query=StartTransaction").await;
    assert!(log["items"].to_string().contains("clock is not set"), "the log names the third: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_station_that_was_offline_is_billed_like_any_other() {
    let network = Network::start().await;
    let credential = network.enrol(&Enrol::plain("OFFLINE-1")).await;
    let driver = network.driver(1, "offline", "04BAD00005AA01").await;
    let mut line = Line::boot(&network, "OFFLINE-1", &credential, "ocpp1.6").await;
    // begun and ended before anybody could be asked
    let heard = line.call("StartTransaction", &start(&driver.card, 1_000, ago(60 * 24))).await.unwrap();
    assert_eq!(heard["idTagInfo"]["status"], "Accepted");
    line.call("StopTransaction", &stop(&heard["transactionId"], 8_000, ago(60 * 23))).await.unwrap();
    network.all_settled(PATIENCE).await;
    assert_eq!(network.providers[1].get("/disputes").await["total"], 0);
    let own = driver.phone.get("/driver/sessions").await;
    assert_eq!((own["total"].as_i64(), own["items"][0]["energy_wh"].as_i64()), (Some(1), Some(7_000)), "{own}");
}
