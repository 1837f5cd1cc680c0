//! Our operator and our provider at a broker of OICP 2.0 that is not ours: zeep on the official WSDLs, over mutual TLS, by
//! configuration alone. The broker validates every body of ours against the schemas. OICP 2.0 has no word for a price, so
//! the provider's is an agreement in its configuration. Needs `LEYDEN_PYTHON` and the WSDLs beside the project; says so
//! where either is missing.

use std::path::{Path, PathBuf};

use charge::talk::line::Version as LineVersion;
use charge::units::Energy;
use serde_json::{Value, json};
use station::bay::Phase;
use tokio::process::Command;

use super::guest::{discovered, membership};
use super::house::{House, PROVIDERS, Start};
use super::peer::{Peer, python, script, served, skipped};
use super::pole::{Pole, first};
use super::settle::Network;
use super::trial::{authority, certificate, server};
use super::wait::{PATIENCE, until};

const BROKER: &str = "DE-HBJ";
const CARD: &str = "04AABBCCDDEE80";
const EVSE: &str = "DE*VLT*EOLD1*1";

/// The interpreter, or why the test cannot be.
fn ready() -> Result<(PathBuf, PathBuf), String> {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/oicp/2.0-soap");
    if !spec.exists() {
        return Err(format!("no WSDLs at {}", spec.display()));
    }
    python().map(|python| (python, spec))
}

/// The broker, and the part of a member's configuration with its port.
async fn broker((python, spec): (PathBuf, PathBuf), house: &House, place: &str, party: &str) -> (Peer, String, u16) {
    let root = authority(house);
    let file = |name: &str| house.folder.path(name);
    server(&root).write(&file("server.pem")).unwrap();
    let shows = certificate(&root, BROKER).0;
    shows.write(&file("broker.pem")).unwrap();
    let mut command = Command::new(python);
    command.arg(script("oicp_broker.py")).arg(spec).arg("--ca").arg(house.path("pki/root.pem"));
    command.arg("--server").arg(file("server.pem")).arg("--client").arg(file("broker.pem")).args(["--token", CARD]);
    let mut peer = Peer::listening("zeep", command);
    let url = peer.until("listening").await["url"].as_str().unwrap().to_owned();
    let (part, port) = membership(house, place, party, "2.0", (&url, &shows));
    (peer, part, port)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_of_ours_does_business_at_zeeps_broker_of_oicp_20() {
    let ready = match ready() {
        Ok(ready) => ready,
        Err(why) => return skipped("a foreign broker of OICP 2.0", &why),
    };
    let mut house = House::lay_out();
    let (mut peer, part, port) = broker(ready, &house, "operator", "DE-VLT").await;
    house.configure(|text| {
        let text = text.replacen("hub = \"DE-HUB\"", &format!("hub = \"{BROKER}\""), 1);
        text.replacen("[hub]", &format!("{part}[hub]"), 1)
    });
    house.start_as(&Start::default()).await;
    let network = Network::of(house).await;
    let pole = Pole::stand(&network, "OLD-1", LineVersion::V201, 1).await;
    pole.admitted().await;
    let free = json!([EVSE, "Available"]);
    let is_free = |step: &Value| step["given"].as_array().is_some_and(|given| given.contains(&free));
    assert_eq!(served(&mut peer, 0, "eRoamingPushEvseData", |_| true).await["evses"], json!([EVSE]));
    served(&mut peer, 0, "eRoamingPushEvseStatus", is_free).await;

    // a tap, and its record
    pole.plug(first());
    pole.tap(first(), CARD);
    served(&mut peer, 0, "eRoamingAuthorizeStart", |_| true).await;
    pole.charging(first()).await;
    pole.charged(first(), Energy::from_wh(1_000)).await;
    pole.walk_away(first()).await;
    let record = served(&mut peer, 0, "eRoamingChargeDetailRecord", |_| true).await;
    assert_eq!(record["evse"], EVSE);

    // a start from afar, its stop and its record
    assert!(pole.comes(first(), PATIENCE, |bay| bay.phase == Phase::Idle).await);
    let from = peer.told.len();
    let address = format!("https://127.0.0.1:{port}");
    peer.hear(&format!("start {address} {EVSE}")).await;
    let ordered = peer.until("ordered").await;
    assert_eq!((&ordered["result"], &ordered["code"]), (&json!(true), &json!("000")));
    pole.plug(first());
    pole.charging(first()).await;
    pole.charged(first(), Energy::from_wh(1_000)).await;
    peer.hear(&format!("stop {address} {EVSE}")).await;
    assert_eq!(peer.until("ordered").await["result"], true);
    pole.walk_away(first()).await;
    let record = served(&mut peer, from, "eRoamingChargeDetailRecord", |_| true).await;
    assert_eq!((&record["session"], &record["evse"]), (&ordered["session"], &json!(EVSE)));
    network.all_settled(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_of_ours_does_business_at_zeeps_broker_of_oicp_20() {
    let ready = match ready() {
        Ok(ready) => ready,
        Err(why) => return skipped("a foreign broker of OICP 2.0", &why),
    };
    let mut house = House::lay_out();
    let (mut peer, part, port) = broker(ready, &house, "provider", PROVIDERS[0].1).await;
    let part =
        format!("{part}[[provider.oicp.agreed]]\noperator = \"DE-OCI\"\nproduct = \"AC\"\nper_kwh = \"0.40\"\n\n");
    house.configure(|text| {
        let (before, provider) = text.split_once("[[provider]]").unwrap();
        let provider = provider.replacen("hub = \"DE-HUB\"", &format!("hub = \"{BROKER}\""), 1);
        format!("{before}[[provider]]{}", provider.replacen("[[provider]]", &format!("{part}[[provider]]"), 1))
    });
    house.start_as(&Start::default()).await;
    let network = Network::of(house).await;
    let card = "04A1B2C3D4E599";
    let driver = network.driver(0, "old", card).await;
    served(&mut peer, 0, "eRoamingPushAuthenticationData", |step| step["uids"] == json!([card])).await;

    // a start and a stop from the phone: OICP 2.0 tells of no session under way, so what began is known by its answer
    let (location, evse) = discovered(&driver.phone, "DE-OCI").await;
    let wish = json!({
        "operator": "DE-OCI", "location": location, "evse": evse["uid"], "tariff_stamp": evse["tariff"]["stamp"],
    });
    driver.phone.post("/driver/start", &wish).await;
    let ordered = served(&mut peer, 0, "eRoamingAuthorizeRemoteStart", |_| true).await;
    assert_eq!(ordered["evse"], "DE*OCI*E1");
    let session = until("the session to be on the phone", async || {
        let own = driver.phone.look("/driver/sessions").await?;
        own["items"].as_array()?.first()?["id"].as_str().map(str::to_owned)
    })
    .await;
    driver.phone.post(&format!("/driver/sessions/{session}/stop"), &Value::Null).await;
    served(&mut peer, 0, "eRoamingAuthorizeRemoteStop", |_| true).await;
    let address = format!("https://127.0.0.1:{port}");
    peer.hear(&format!("bill {address} start")).await;
    let billed = peer.until("billed").await;
    assert_eq!((&billed["result"], &billed["code"]), (&json!(true), &json!("000")));

    // a tap at the foreign operator, and its record; a card of nobody is refused
    peer.hear(&format!("tap {address} 04FFFFFFFFFFFF")).await;
    assert_eq!(peer.until("tapped").await["status"], "NotAuthorized");
    peer.hear(&format!("tap {address} {card}")).await;
    let tapped = peer.until("tapped").await;
    assert_eq!((&tapped["status"], &tapped["provider"]), (&json!("Authorized"), &json!(PROVIDERS[0].1)));
    peer.hear(&format!("bill {address} tap")).await;
    assert_eq!(peer.until("billed").await["result"], true);
    until("both sessions to be on the phone with their cost", async || {
        let own = driver.phone.look("/driver/sessions").await?;
        let whole = |session: &&Value| session["energy_wh"] == 10_000 && session["verdict"].is_string();
        (own["items"].as_array()?.iter().filter(whole).count() == 2).then_some(())
    })
    .await;
    let disputes = network.providers[0].get("/disputes").await;
    assert_eq!(disputes["total"], 0, "{disputes}");
}
