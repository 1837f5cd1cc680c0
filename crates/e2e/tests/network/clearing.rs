//! Our operator at a clearing house that is not ours, with a direct provider that is not ours: zeep on the official WSDLs
//! of OCHP 1.4 and OCHPdirect, by configuration alone. Needs `LEYDEN_PYTHON` and the WSDLs beside the project; says so
//! where either is missing.

use std::path::{Path, PathBuf};

use charge::talk::line::Version as LineVersion;
use charge::units::Energy;
use serde_json::{Value, json};
use station::bay::Phase;
use tokio::process::Command;

use super::house::{House, Start, free_port};
use super::peer::{Peer, python, script, skipped};
use super::pole::{Pole, first};
use super::settle::Network;
use super::trial::{authority, server};
use super::wait::PATIENCE;

const CARD: &str = "04AABBCCDDEE80";
const CONTRACT: &str = "DE-OCP-C12345678-5";
const EVSE: &str = "DE*VLT*ECLEAR1*1";

fn spec() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/ochp/1.4")
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

/// Goes on until this operation was served, from a number of steps on.
async fn served(peer: &mut Peer, from: usize, operation: &str) -> Value {
    let is = |step: &&Value| step["step"] == "served" && step["op"] == operation;
    loop {
        if let Some(step) = peer.told[from..].iter().find(is) {
            return step.clone();
        }
        let step = peer.next().await.expect("the program goes on");
        assert!(step["step"] != "failed", "{step}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_of_ours_does_business_at_zeeps_clearing_house_and_with_its_direct_provider() {
    let python = match python() {
        Ok(python) if spec().exists() => python,
        Ok(_) => return skipped("a foreign clearing house", &format!("no WSDLs at {}", spec().display())),
        Err(why) => return skipped("a foreign clearing house", &why),
    };
    let mut house = House::lay_out();
    let file = house.folder.path("server.pem");
    server(&authority(&house)).write(&file).unwrap();
    let mut command = Command::new(python);
    command.arg(script("ochp_house.py")).arg(spec()).arg("--ca").arg(house.path("pki/root.pem"));
    command.arg("--server").arg(file).args(["--token", CARD]);
    let mut peer = Peer::listening("zeep", command);
    let url = peer.until("listening").await["url"].as_str().unwrap().to_owned();
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
        served(&mut peer, 0, upload).await;
    }

    // a tap, and its record
    pole.plug(first());
    pole.tap(first(), CARD);
    served(&mut peer, 0, "GetSingleRoamingAuthorisation").await;
    pole.charging(first()).await;
    pole.charged(first(), Energy::from_wh(1_000)).await;
    pole.walk_away(first()).await;
    let record = served(&mut peer, 0, "AddCDRs").await;
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
    assert_eq!(served(&mut peer, from, "InformProviderEMP").await["contract"], CONTRACT);
    pole.charged(first(), Energy::from_wh(1_000)).await;
    peer.hear(&format!("stop {address}")).await;
    assert_eq!(peer.until("ordered").await["code"], "ok");
    pole.walk_away(first()).await;
    let record = served(&mut peer, from, "AddCDRs").await;
    assert_eq!((&record["evse"], &record["contract"]), (&json!(EVSE), &json!(CONTRACT)));
    network.all_settled(PATIENCE).await;
}
