//! Paying without a contract: the code that a station shows leads to a page, a start, and a receipt that its meter signed.

use charge::talk::line::Version;
use charge::units::Energy;
use serde_json::{Value, json};

use super::house::House;
use super::pole::{Pole, first};
use super::settle::Network;
use super::wait::until;

/// The address of a code, in the fields that the page sends.
fn scanned(address: &str) -> Value {
    let path = address.split_once("/pay/operator/").unwrap().1;
    let [station, evse, totp, version] = path.split('/').collect::<Vec<_>>()[..] else { panic!("{address}") };
    json!({ "station": station, "evse": evse, "totp": totp, "version": version })
}

#[tokio::test]
async fn a_scanned_code_pays_for_one_charge_and_ends_in_a_signed_receipt() {
    // proves: ocpp-2.1 C25.FR.01, C25.FR.08, C25.FR.20, C25.FR.22, C25.FR.23, C25.FR.24, C25.FR.40
    // proves: TC_C_131_CSMS, TC_C_132_CSMS
    let mut house = House::lay_out();
    house.configure(|text| text.replace("[operator]\n", "[operator]\ndanger_pretend_payments = true\n"));
    house.start_again().await;
    let network = Network::of(house).await;
    let pole = Pole::stand(&network, "PAY-1", Version::V21, 1).await;
    pole.admitted().await;
    assert_eq!(network.operator.get("/stations/PAY-1/payment").await["offered"], false);
    let switched = network.operator.put("/stations/PAY-1/payment", &json!({})).await;
    assert_eq!(switched["outcome"], "accepted", "{switched}");
    let address = until("the station to show a code", async || pole.bay(first()).pay).await;
    let payer = &network.operator;

    let mut forged = scanned(&address);
    forged["totp"] = json!("0000000000");
    let (status, told) = payer.ask("POST", "/payments", Some(&forged)).await.unwrap();
    assert_eq!(status, 409, "{}", String::from_utf8_lossy(&told));
    let opened = payer.post("/payments", &scanned(&address)).await;
    let page = format!("/payments/{}", opened["secret"].as_str().unwrap());
    let shown = payer.get(&page).await;
    assert_eq!((&shown["stage"], &shown["offers"][0]["gross"]), (&json!("opened"), &json!("0.5236")), "{shown}");
    until("the station to keep the place", async || pole.bay(first()).pay.is_none().then_some(())).await;
    let (status, _) = payer.ask("POST", "/payments", Some(&scanned(&address))).await.unwrap();
    assert_eq!(status, 409, "a code opens one page");

    pole.plug(first());
    let small = json!({ "amount": "1", "means": "pretend-good" });
    assert_eq!(payer.ask("POST", &page, Some(&small)).await.unwrap().0, 400);
    payer.post(&page, &json!({ "amount": "20", "means": "pretend-good" })).await;
    pole.charging(first()).await;
    let limits = until("the station to hear the limit", async || pole.bay(first()).limits.cost).await;
    assert_eq!(limits.to_string(), "20.00");
    pole.charged(first(), Energy::from_wh(1_000)).await;
    payer.post(&format!("{page}/stop"), &json!({})).await;
    let receipt = until("the receipt", async || {
        let page = payer.get(&page).await;
        (page["stage"] == "settled").then_some(page)
    })
    .await;
    let session = &receipt["session"];
    assert_eq!(receipt["taken"], session["cost"], "{receipt}");
    assert!(session["energy_wh"].as_i64() >= Some(1_000), "{session}");
    assert!(session["evidence"]["verdict"].as_str().unwrap().starts_with("valid"), "{session}");
    let record = payer.download(&format!("{page}/record")).await;
    assert!(String::from_utf8_lossy(&record).contains("OCMF|"));
    pole.unplug(first()).await;
    until("the station to show a code again", async || pole.bay(first()).pay).await;
    pole.leave().await;
}
