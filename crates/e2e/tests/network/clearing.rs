//! Our operator and our provider at a clearing house that is not ours, with direct partners that are not ours: zeep on the
//! official WSDLs of OCHP 1.4 and OCHPdirect, by configuration alone. The operator's partner is agreed with by hand, the
//! provider's is found through the clearing house. Needs `LEYDEN_PYTHON` and the WSDLs beside the project; says so where
//! either is missing.

use std::path::{Path, PathBuf};

use charge::talk::line::Version as LineVersion;
use charge::units::Energy;
use serde_json::{Value, json};
use station::bay::Phase;
use tokio::process::Command;

use super::guest::discovered;
use super::house::{House, PROVIDERS, Start, free_port};
use super::peer::{Peer, python, script, served, skipped};
use super::pole::{Pole, first};
use super::settle::{Network, session_of_order};
use super::trial::{authority, server};
use super::wait::{PATIENCE, until};

const CARD: &str = "04AABBCCDDEE80";
const PROVIDER_CARD: &str = "04A1B2C3D4E5A0";
const CONTRACT: &str = "DE-OCP-C12345678-5";
const EVSE: &str = "DE*VLT*ECLEAR1*1";

fn spec() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/ochp/1.4")
}

/// The interpreter, or why the test cannot be.
fn ready() -> Result<PathBuf, String> {
    if !spec().exists() {
        return Err(format!("no WSDLs at {}", spec().display()));
    }
    python()
}

/// The clearing house, which gives its address.
async fn clearing_house(python: PathBuf, house: &House) -> (Peer, String) {
    let file = house.folder.path("server.pem");
    server(&authority(house)).write(&file).unwrap();
    let mut command = Command::new(python);
    command.arg(script("ochp_house.py")).arg(spec()).arg("--ca").arg(house.path("pki/root.pem"));
    command.arg("--server").arg(file).args(["--token", CARD]);
    let mut peer = Peer::listening("zeep", command);
    let url = peer.until("listening").await["url"].as_str().unwrap().to_owned();
    (peer, url)
}

/// The part of the operator's configuration, and its secrets.
fn part(house: &House, url: &str, direct: u16) -> String {
    for name in ["clearing", "direct-out", "direct-in"] {
        let word = if name == "direct-in" { "theirs" } else { "ours" };
        trust::private_file::write(&house.path(&format!("secrets/{name}")), word.as_bytes()).unwrap();
    }
    format!(
        "[operator.ochp]\nurl = \"{url}/house\"\nlive_url = \"{url}/live\"\nuser = \"volt\"\npassword = \"secrets/clearing\"\n\
         roots = \"pki/root.pem\"\npoll_s = 1\nlocal = true\n\n[operator.ochp.direct]\nlisten = \"127.0.0.1:{direct}\"\n\
         identity = \"pki/road.pem\"\naddress = \"https://127.0.0.1:{direct}\"\nroots = \"pki/root.pem\"\n\n\
         [[operator.ochp.direct.partner]]\nparty = \"DE-OCP\"\nname = \"Old friend\"\nurl = \"{url}/direct\"\nuser = \"volt\"\n\
         password = \"secrets/direct-out\"\nentry = \"zeep\"\nentry_password = \"secrets/direct-in\"\nlocal = true\n\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_of_ours_does_business_at_zeeps_clearing_house_and_with_its_direct_provider() {
    let python = match ready() {
        Ok(python) => python,
        Err(why) => return skipped("a foreign clearing house", &why),
    };
    let mut house = House::lay_out();
    let (mut peer, url) = clearing_house(python, &house).await;
    let port = free_port();
    let part = part(&house, &url, port);
    house.configure(|text| {
        text.replacen("hub = \"DE-HUB\"", "hub = \"DE-ECH\"", 1).replacen("[hub]", &format!("{part}[hub]"), 1)
    });
    house.start_as(&Start::default()).await;
    let network = Network::of(house).await;
    let pole = Pole::stand(&network, "CLEAR-1", LineVersion::V201, 1).await;
    pole.admitted().await;
    for upload in ["UpdateTariffs", "UpdateChargePointList", "UpdateStatus"] {
        served(&mut peer, 0, upload, |_| true).await;
    }

    // a tap, and its record
    pole.plug(first());
    pole.tap(first(), CARD);
    served(&mut peer, 0, "GetSingleRoamingAuthorisation", |_| true).await;
    pole.charging(first()).await;
    pole.charged(first(), Energy::from_wh(1_000)).await;
    pole.walk_away(first()).await;
    let record = served(&mut peer, 0, "AddCDRs", |_| true).await;
    assert_eq!((&record["evse"], &record["contract"]), (&json!(EVSE), &json!(CONTRACT)));

    // a direct provider starts and stops
    assert!(pole.comes(first(), PATIENCE, |bay| bay.phase == Phase::Idle).await);
    let from = peer.told.len();
    let address = format!("https://127.0.0.1:{port}");
    peer.hear(&format!("start {address} {EVSE}")).await;
    assert_eq!(peer.until("selected").await["code"], "ok");
    assert_eq!(peer.until("ordered").await["code"], "ok");
    pole.plug(first());
    pole.charging(first()).await;
    assert_eq!(served(&mut peer, from, "InformProviderEMP", |_| true).await["contract"], CONTRACT);
    pole.charged(first(), Energy::from_wh(1_000)).await;
    peer.hear(&format!("stop {address}")).await;
    assert_eq!(peer.until("ordered").await["code"], "ok");
    pole.walk_away(first()).await;
    let record = served(&mut peer, from, "AddCDRs", |_| true).await;
    assert_eq!((&record["evse"], &record["contract"]), (&json!(EVSE), &json!(CONTRACT)));
    network.all_settled(PATIENCE).await;
}

/// The provider's: its direct operator is named and found through the clearing house.
fn provider_part(house: &House, url: &str, direct: u16) -> String {
    trust::private_file::write(&house.path("secrets/clearing"), b"ours").unwrap();
    format!(
        "[provider.ochp]\nurl = \"{url}/house\"\nlive_url = \"{url}/live\"\nendpoints_url = \"{url}/endpoints\"\nuser = \"8aa\"\n\
         password = \"secrets/clearing\"\nroots = \"pki/root.pem\"\npoll_s = 1\nlocal = true\n\n[provider.ochp.direct]\n\
         listen = \"127.0.0.1:{direct}\"\nidentity = \"pki/road.pem\"\naddress = \"https://127.0.0.1:{direct}\"\n\
         roots = \"pki/root.pem\"\n\n[[provider.ochp.direct.partner]]\nparty = \"DE-OCH\"\nname = \"Old friend\"\nlocal = true\n\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_of_ours_does_business_at_zeeps_clearing_house_and_with_its_direct_operator() {
    let python = match ready() {
        Ok(python) => python,
        Err(why) => return skipped("a foreign clearing house", &why),
    };
    let mut house = House::lay_out();
    let (mut peer, url) = clearing_house(python, &house).await;
    let part = provider_part(&house, &url, free_port());
    house.configure(|text| {
        let (before, provider) = text.split_once("[[provider]]").unwrap();
        let provider = provider.replacen("hub = \"DE-HUB\"", "hub = \"DE-ECH\"", 1);
        format!("{before}[[provider]]{}", provider.replacen("[[provider]]", &format!("{part}[[provider]]"), 1))
    });
    house.start_as(&Start::default()).await;
    let network = Network::of(house).await;
    let told = served(&mut peer, 0, "AddServiceEndpoints", |_| true).await;
    assert_eq!(told["provider"], json!(["DE8AAC%", "DE8AAC%"]), "today and tomorrow");

    // its card is listed, and the place is found with its price
    let driver = network.driver(0, "clearing", PROVIDER_CARD).await;
    assert_eq!(served(&mut peer, 0, "UpdateRoamingAuthorisationList", |_| true).await["uids"], json!([PROVIDER_CARD]));
    let (location, evse) = discovered(&driver.phone, "DE-OCH").await;

    // a start and a stop from the phone, at the server that the clearing house told of
    let wish = json!({
        "operator": "DE-OCH", "location": location, "evse": evse["uid"], "tariff_stamp": evse["tariff"]["stamp"],
    });
    let order = driver.phone.post("/driver/start", &wish).await;
    let order = order["order"].as_str().unwrap().to_owned();
    let selected = served(&mut peer, 0, "SelectEvse", |_| true).await;
    assert!(selected["contract"].as_str().unwrap().starts_with(PROVIDERS[0].1), "{selected}");
    assert_eq!(served(&mut peer, 0, "ControlEvse", |_| true).await["operation"], "start");
    peer.hear("inform start 0.0").await;
    assert_eq!(peer.until("informed").await["code"], "ok");
    let session = session_of_order(&driver.phone, &order).await;
    peer.hear("inform info 2.5").await;
    assert_eq!(peer.until("informed").await["code"], "ok");
    until("the progress to be on the phone", async || {
        let shown = driver.phone.look(&format!("/driver/sessions/{session}")).await?;
        (shown["energy_wh"] == 2_500).then_some(())
    })
    .await;
    let from = peer.told.len();
    driver.phone.post(&format!("/driver/sessions/{session}/stop"), &Value::Null).await;
    assert_eq!(served(&mut peer, from, "ControlEvse", |_| true).await["operation"], "end");
    served(&mut peer, from, "ReleaseEvse", |_| true).await;
    peer.hear("inform end 10.0").await;
    assert_eq!(peer.until("informed").await["code"], "ok");

    // its record, and that of a card that the operator knew from the list, are approved and billed
    for (bill, name) in [("bill direct".to_owned(), "DEOCH2"), (format!("bill tap {PROVIDER_CARD}"), "DEOCH1")] {
        let from = peer.told.len();
        peer.hear(&bill).await;
        let judged = served(&mut peer, from, "ConfirmCDRs", |_| true).await;
        assert_eq!((&judged["approved"], &judged["declined"]), (&json!([name]), &json!([])));
    }
    until("both sessions to be on the phone with their cost", async || {
        let own = driver.phone.look("/driver/sessions").await?;
        let whole = |session: &&Value| session["energy_wh"] == 10_000 && session["verdict"].is_string();
        (own["items"].as_array()?.iter().filter(whole).count() == 2).then_some(())
    })
    .await;
    let disputes = network.providers[0].get("/disputes").await;
    assert_eq!(disputes["total"], 0, "{disputes}");
}
