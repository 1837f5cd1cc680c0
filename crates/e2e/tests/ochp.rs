//! The hub as clearing house against partners that are not ours: zeep on the official WSDLs, as operator and provider,
//! as clients and as direct servers, over TLS. The peer validates every body of ours against the schemas. Needs
//! `LEYDEN_PYTHON` with the packages of `tests/interop/requirements.txt`, and the WSDLs beside the project; says so where
//! either is missing.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use charge::id::PartyId;
use charge::{Clock, Secret, SystemClock};
use gate::road::ochp::{House, Keys, ochp_router};
use gate::road::{
    Crossing, Entry, Figures, Login, Own, Partner, Partners, Peers, Protocol, Role, Serving, hub_router, serve,
};
use hub::{Hub, PartyStatus, Role as HubRole, Setup};
use serde_json::{Value, json};
use store::Store;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::timeout;
use trust::bearer::BearerDigest;
use trust::dice::SystemDice;
use trust::pki::Authority;
use trust::seal::SealKey;
use trust::tls::{self, ClientCertificates};
use trust::token_tag::TagKey;

const DAY: Duration = Duration::from_secs(86_400);
const PATIENCE: Duration = Duration::from_secs(60);
const OPERATOR: &str = "DE-OCH";
const PROVIDER: &str = "DE-OCP";

fn spec() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/ochp/1.4")
}

/// The interpreter with the package, or why there is none.
fn python() -> Result<PathBuf, String> {
    if !spec().exists() {
        return Err(format!("no WSDLs at {}", spec().display()));
    }
    let path = PathBuf::from(std::env::var_os("LEYDEN_PYTHON").ok_or("LEYDEN_PYTHON is not set")?);
    let tried = std::process::Command::new(&path).args(["-c", "import zeep, lxml"]).output();
    match tried {
        Ok(tried) if tried.status.success() => Ok(path),
        Ok(_) => Err(format!("{} has no package `zeep`", path.display())),
        Err(fault) => Err(format!("{}: {fault}", path.display())),
    }
}

fn key(number: u8) -> Secret<[u8; 32]> {
    Secret::new([number; 32])
}

fn partner(id: &str, role: Role, url: &str) -> Partner {
    let side = if role == Role::Operator { "operator" } else { "provider" };
    Partner {
        party: id.parse().unwrap(),
        name: id.to_owned(),
        roles: vec![role],
        protocol: Protocol::OchpDirect,
        addresses: vec![(side.into(), url.to_owned())],
        login: Some(Login { user: "partner".to_owned(), password: Secret::new("hub".to_owned()) }),
        entry: Some(Entry { user: id.to_owned(), password: BearerDigest::of("secret") }),
        certificate: None,
        roots_pem: None,
        local: true,
    }
}

/// A whole hub whose two partners have their servers at `url`.
async fn hub(root: &Authority, url: &str) -> (String, Serving) {
    let party: PartyId = "DE-HUB".parse().unwrap();
    let (clock, dice) = (Arc::new(SystemClock), Arc::new(SystemDice));
    let store = Store::in_memory(hub::MIGRATIONS).unwrap();
    let setup = Setup { party, name: "Hub".to_owned(), tag_key: key(1) };
    let exchange = Hub::new(setup, store.clone(), clock.clone(), dice.clone());
    for (id, role) in [(OPERATOR, HubRole::Operator), (PROVIDER, HubRole::Provider)] {
        exchange.register_party(id.parse().unwrap(), role, id, PartyStatus::Connected).await.unwrap();
    }
    let seal = |number| SealKey::new(&key(number)).unwrap();
    let partners = Arc::new(Partners::open(store.clone(), seal(2)).await.unwrap());
    partners.put(partner(OPERATOR, Role::Operator, url)).await.unwrap();
    partners.put(partner(PROVIDER, Role::Provider, url)).await.unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let own = Own { party, role: Role::Hub, name: "Hub".to_owned(), base: base.clone() };
    let (peers, figures) = (Arc::new(Peers::new()), Arc::new(Figures::default()));
    let crossing = Crossing::new(own, Arc::new(exchange), peers, Arc::clone(&partners), clock, dice, figures);
    let keys = Keys { seal: seal(3), tags: TagKey::new(&key(4)), tokens: TagKey::new(&key(5)) };
    let client = Arc::new(tls::client(root.certificate_pem(), None, &["http/1.1"]).unwrap());
    let house = House::open(&crossing, partners, store, keys, client).unwrap();
    let router = hub_router(&crossing).merge(ochp_router(&house));
    let identity = root.server_certificate(&["127.0.0.1".to_owned()], DAY, SystemClock.now(), &SystemDice).unwrap();
    let server = Arc::new(tls::server(&identity, ClientCertificates::None, &["http/1.1"]).unwrap());
    (base, serve(listener, server, router, std::future::pending()).unwrap())
}

#[tokio::test]
async fn zeep_is_served_and_serves() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => {
            return eprintln!("SKIPPED, foreign partners of OCHP: {why}; run `make tools` and set LEYDEN_PYTHON");
        }
    };
    let folder = std::env::temp_dir().join(format!("leyden-ochp-{}", charge::Dice::uuid(&SystemDice)));
    std::fs::create_dir(&folder).unwrap();
    let root = Authority::create("Root", DAY, SystemClock.now(), &SystemDice).unwrap();
    std::fs::write(folder.join("root.pem"), root.certificate_pem()).unwrap();
    let identity = root.server_certificate(&["127.0.0.1".to_owned()], DAY, SystemClock.now(), &SystemDice).unwrap();
    identity.write(&folder.join("server.pem")).unwrap();

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/ochp_peer.py");
    let mut command = Command::new(python);
    command
        .arg(script)
        .arg(spec())
        .arg("--ca")
        .arg(folder.join("root.pem"))
        .arg("--server")
        .arg(folder.join("server.pem"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut steps: Vec<Value> = Vec::new();
    while steps.last().is_none_or(|step| step["step"] != "done") {
        let line = timeout(PATIENCE, lines.next_line()).await.expect("the script says something").unwrap();
        let step: Value = serde_json::from_str(&line.unwrap_or_else(|| panic!("it ended after {steps:#?}"))).unwrap();
        if step["step"] == "listening" {
            let (base, _serving) = hub(&root, step["url"].as_str().unwrap()).await;
            let mut input = child.stdin.take().unwrap();
            input.write_all(format!("{base}\n").as_bytes()).await.unwrap();
        }
        steps.push(step);
    }
    std::fs::remove_dir_all(&folder).unwrap();
    let contract = "DE-OCP-C12345678-5";
    let expected = json!([
        {"step": "points", "code": "ok"},
        {"step": "tariffs", "code": "ok"},
        {"step": "tokens", "code": "ok"},
        {"step": "word", "code": "ok", "contract": contract},
        {"step": "word", "code": "ok", "contract": contract},
        {"step": "word", "code": "ok", "contract": null},
        {"step": "list", "given": 0},
        {"step": "given", "points": ["DE*OCH*E1"]},
        {"step": "given", "tariffs": ["DEOCHT1"]},
        {"step": "handed in", "code": "ok", "waiting": ["accepted"]},
        {"step": "declined", "code": "ok", "waiting": []},
        {"step": "revised", "code": "ok", "declined": 1, "waiting": ["revised"]},
        {"step": "approved", "code": "ok", "waiting": []},
        {"step": "status", "code": "ok"},
        {"step": "given", "live": [["DE*OCH*E1", "not-available", "charging"]]},
        {"step": "endpoints", "patterns": ["DEOCHE%"]},
        {"step": "selected", "code": "ok"},
        {"step": "served", "op": "SelectEvse", "action": true},
        {"step": "served", "op": "ControlEvse", "action": true},
        {"step": "started", "code": "ok"},
        {"step": "served", "op": "InformProviderEMP", "action": true},
        {"step": "told", "code": "ok"},
        {"step": "progress", "energy": 2.5, "same": true},
        {"step": "served", "op": "ControlEvse", "action": true},
        {"step": "served", "op": "ReleaseEvse", "action": true},
        {"step": "released", "code": "ok"},
        {"step": "done"},
    ]);
    assert_eq!(Value::from(steps.split_off(1)), expected);
}
