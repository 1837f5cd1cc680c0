//! A hub of the binary as broker of OICP 2.0 against partners that are not ours: zeep on the official WSDLs, as operator
//! and provider, as clients and as servers, over mutual TLS. The peer validates every body of ours against the schemas.
//! Needs `LEYDEN_PYTHON` with the packages of `tests/interop/requirements.txt`, and the WSDLs beside the project; says so
//! where either is missing.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::process::Command;

use super::partner::{held, onboarding};
use super::peer::{Peer, python, script, skipped};
use super::trial::{authority, brokering, certificate, server};

const PARTNERS: [(&str, &str); 2] = [("DE-OCI", "operator"), ("DE-OCJ", "provider")];

fn spec() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/oicp/2.0-soap")
}

/// The interpreter, or why the test cannot be.
fn ready() -> Result<PathBuf, String> {
    if !spec().exists() {
        return Err(format!("no WSDLs at {}", spec().display()));
    }
    python()
}

#[tokio::test(flavor = "multi_thread")]
async fn zeep_does_business_in_oicp_20_as_client_and_as_server() {
    let python = match ready() {
        Ok(python) => python,
        Err(why) => return skipped("foreign partners of OICP 2.0", &why),
    };
    let (house, port) = brokering().await;
    onboarding(&house).await;
    let root = authority(&house);
    let file = |name: &str| house.folder.path(name);
    server(&root).write(&file("server.pem")).unwrap();
    let mut command = Command::new(python);
    command.arg(script("oicp_peer.py")).arg(spec()).arg("--ca").arg(house.path("pki/root.pem"));
    command.arg("--server").arg(file("server.pem"));
    let mut digests = Vec::new();
    for (id, role) in PARTNERS {
        let (identity, digest) = certificate(&root, id);
        identity.write(&file(id)).unwrap();
        command.arg(format!("--{role}")).arg(file(id));
        digests.push(digest);
    }
    let mut peer = Peer::listening("zeep", command);
    let url = peer.until("listening").await["url"].as_str().unwrap().to_owned();
    for ((id, role), digest) in PARTNERS.into_iter().zip(&digests) {
        let entry = ["add", id, "--name", "Old friend", "--role", role, "--protocol", "oicp/2.0", "--local"];
        held(&house, &[&entry[..], &["--address", &url, "--certificate", digest]].concat());
    }
    peer.hear(&format!("https://127.0.0.1:{port}")).await;
    peer.until("done").await;
    let authorization = "eRoamingAuthorization_V2.0";
    let served = |op: &str| json!({ "step": "served", "op": op, "path": authorization });
    let expected = json!([
        {"step": "places", "result": true, "code": "000"},
        {"step": "status", "result": true},
        {"step": "fetched", "evses": ["DE*OCI*E1"]},
        {"step": "statuses", "given": [["DE*OCI*E1", "Occupied"]]},
        {"step": "statuses", "given": [["DE*OCI*E1", "Occupied"]]},
        {"step": "tokens", "result": true, "code": "000"},
        {"step": "tapped", "status": "NotAuthorized", "code": "102"},
        served("eRoamingAuthorizeStart"),
        {"step": "tapped", "status": "Authorized", "provider": "DE-OCJ", "named": true},
        served("eRoamingAuthorizeStop"),
        {"step": "stopped", "status": "Authorized"},
        served("eRoamingChargeDetailRecord"),
        {"step": "record", "result": true, "code": "000"},
        {"step": "record", "result": false, "code": "400"},
        served("eRoamingAuthorizeRemoteStart"),
        {"step": "started", "result": true, "named": true},
        served("eRoamingAuthorizeRemoteStop"),
        {"step": "ended", "result": true},
        {"step": "done"},
    ]);
    assert_eq!(Value::from(peer.told.split_off(1)), expected);
}
