//! A disk that takes nothing more: stations hear that they have to come again, nothing acknowledged is lost, and the
//! house goes on when there is room again.

use serde_json::json;

use super::house::{House, Start};
use super::settle::{Enrol, Network};
use super::socket::Line;
use super::wait::PATIENCE;

/// Room for the databases as they are laid out, and for a part of the log of changes.
const FILE_KB_MAX: u64 = 1_536;
/// More readings than fit into it.
const READINGS_MAX: i64 = 600;
const BEGIN_WH: i64 = 10_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_to_the_station_and_loses_nothing_acknowledged() {
    let mut house = House::lay_out();
    house.start_as(&Start { file_kb_max: Some(FILE_KB_MAX), ..Start::default() }).await;
    let mut network = Network::of(house).await;
    let credential = network.enrol(&Enrol::plain("FULL-1")).await;
    let driver = network.driver(0, "full", "04D15C0001AA01").await;
    let mut line = Line::boot(&network, "FULL-1", &credential, "ocpp1.6").await;
    let begun = line.call("StartTransaction", &start(&driver.card)).await.unwrap();
    let transaction = begun["transactionId"].clone();

    let (mut kept, mut refused) = (0, None);
    for step in 1..=READINGS_MAX {
        match line.call("MeterValues", &reading(&transaction, BEGIN_WH + step)).await {
            Ok(_) => kept = step,
            Err(code) => {
                refused = Some(code);
                break;
            }
        }
    }
    assert_eq!(refused.as_deref(), Some("InternalError"), "after {kept} readings");
    assert!(kept > 0, "some readings were kept before the disk was full");
    assert!(line.call("Heartbeat", &json!({})).await.is_ok(), "what needs no disk goes on");
    assert!(network.house.is_running());
    line.cut();
    network.house.kill();

    network.house.start_again().await;
    let session = network.sessions_of("FULL-1").await.remove(0);
    let energy = session["energy_wh"].as_i64().unwrap();
    assert!(energy >= kept, "{energy} Wh of {kept} that were acknowledged");
    let mut line = Line::boot(&network, "FULL-1", &credential, "ocpp1.6").await;
    let end = json!({
        "transactionId": transaction, "meterStop": BEGIN_WH + 1_000, "timestamp": charge_now(), "reason": "Local",
    });
    line.call("StopTransaction", &end).await.unwrap();
    network.all_settled(PATIENCE).await;
    let session = network.sessions_of("FULL-1").await.remove(0);
    assert_eq!((session["state"].as_str(), session["energy_wh"].as_i64()), (Some("closed"), Some(1_000)), "{session}");
    assert!(network.house.stop().await.success());
}

fn start(card: &str) -> serde_json::Value {
    json!({ "connectorId": 1, "idTag": card, "meterStart": BEGIN_WH, "timestamp": charge_now() })
}

fn reading(transaction: &serde_json::Value, wh: i64) -> serde_json::Value {
    let value = json!([{ "value": wh.to_string(), "measurand": "Energy.Active.Import.Register", "unit": "Wh" }]);
    json!({
        "connectorId": 1, "transactionId": transaction,
        "meterValue": [{ "timestamp": charge_now(), "sampledValue": value }],
    })
}

fn charge_now() -> String {
    charge::Clock::now(&charge::SystemClock).to_string()
}
