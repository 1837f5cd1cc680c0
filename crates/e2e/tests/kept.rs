//! What a hub's database holds after letters have passed, and what its parties read of what they lost: the real room
//! behind the real door, a store in a file, over TLS.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::time::Duration;

use charge::id::PartyId;
use charge::{Clock, Dice, Secret, SystemClock};
use gate::road::ochp::{House, Keys, ochp_router};
use gate::road::{
    Crossing, Entry, Figures, Own, Partner, Partners, PeerAccess, Peers, Protocol, Role, Serving, hub_router, serve,
};
use hub::{Hub, PartyStatus, Role as HubRole, Setup};
use serde_json::{Value, json};
use store::{Options, Store};
use tokio::net::TcpListener;
use trust::bearer::BearerDigest;
use trust::dice::SystemDice;
use trust::pki::Authority;
use trust::seal::SealKey;
use trust::tls::{self, ClientCertificates};
use trust::token_tag::TagKey;

const DAY: Duration = Duration::from_secs(86_400);
const OPERATOR: &str = "DE-OPA";
/// Speaks OCHP.
const PROVIDER: &str = "DE-OCP";
/// Cards of private chargers: in the database neither as they are nor in the other case.
const CARDS: [&str; 2] = ["04CAFE0123456789AB", "04beef9876543210cd"];

fn key(number: u8) -> Secret<[u8; 32]> {
    Secret::new([number; 32])
}

fn party(id: &str) -> PartyId {
    id.parse().unwrap()
}

fn provider() -> Partner {
    Partner {
        party: party(PROVIDER),
        name: PROVIDER.to_owned(),
        roles: vec![Role::Provider],
        protocol: Protocol::Ochp14,
        addresses: Vec::new(),
        login: None,
        entry: Some(Entry { user: PROVIDER.to_owned(), password: BearerDigest::of("secret") }),
        certificate: None,
        roots_pem: None,
        local: true,
    }
}

struct World {
    base: String,
    http: reqwest::Client,
    room: Hub,
    _serving: Serving,
}

impl World {
    async fn new(file: &std::path::Path) -> Self {
        let (clock, dice) = (Arc::new(SystemClock), Arc::new(SystemDice));
        let store = Store::open(file, Options::default(), hub::MIGRATIONS).unwrap();
        let setup = Setup { party: party("DE-HUB"), name: "Hub".to_owned(), tag_key: key(1) };
        let room = Hub::new(setup, store.clone(), clock.clone(), dice.clone());
        room.register_party(party(OPERATOR), HubRole::Operator, OPERATOR, PartyStatus::Connected).await.unwrap();
        room.register_party(party(PROVIDER), HubRole::Provider, PROVIDER, PartyStatus::Connected).await.unwrap();
        let seal = |number| SealKey::new(&key(number)).unwrap();
        let partners = Arc::new(Partners::open(store.clone(), seal(2)).await.unwrap());
        partners.put(provider()).await.unwrap();
        let peers = Arc::new(Peers::new());
        peers.admit(BearerDigest::of("operator"), PeerAccess::party(party(OPERATOR)));

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://{}", listener.local_addr().unwrap());
        let own = Own { party: party("DE-HUB"), role: Role::Hub, name: "Hub".to_owned(), base: base.clone() };
        let (exchange, figures) = (Arc::new(room.clone()), Arc::new(Figures::default()));
        let crossing = Crossing::new(own, exchange, peers, Arc::clone(&partners), clock, dice, figures);
        let root = Authority::create("Root", DAY, SystemClock.now(), &SystemDice).unwrap();
        let client = Arc::new(tls::client(root.certificate_pem(), None, &["http/1.1"]).unwrap());
        let keys = Keys { seal: seal(3), tags: TagKey::new(&key(4)), tokens: TagKey::new(&key(5)) };
        let house = House::open(&crossing, partners, store, keys, Arc::clone(&client)).unwrap();
        let router = hub_router(&crossing).merge(ochp_router(&house));
        let identity = root.server_certificate(&["127.0.0.1".to_owned()], DAY, SystemClock.now(), &SystemDice).unwrap();
        let server = Arc::new(tls::server(&identity, ClientCertificates::None, &["http/1.1"]).unwrap());
        let serving = serve(listener, server, router, std::future::pending()).unwrap();
        let http = reqwest::Client::builder().tls_backend_preconfigured((*client).clone()).build().unwrap();
        Self { base, http, room, _serving: serving }
    }

    async fn put(&self, location: &Value) -> Value {
        let id = location["id"].as_str().unwrap();
        let url = format!("{}/ocpi/2.2.1/receiver/locations/DE/OPA/{id}", self.base);
        let put = self.http.put(url).header("authorization", "Token operator").body(location.to_string());
        put.send().await.unwrap().json().await.unwrap()
    }

    /// What a party reads of its losses.
    async fn losses(
        &self,
        authorization: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> (u16, Value) {
        let get = authorization(self.http.get(format!("{}/losses", self.base)));
        let response = get.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
}

fn location(id: &str) -> Value {
    json!({
        "country_code": "DE", "party_id": "OPA", "id": id, "publish": true, "address": "Hafenweg 1", "city": "Kiel",
        "postal_code": "24103", "country": "DEU", "coordinates": {"latitude": "54.32", "longitude": "10.13"},
        "time_zone": "Europe/Berlin", "last_updated": "2026-11-22T10:00:00Z", "charging_when_closed": true,
        "evses": [{"uid": "E1", "evse_id": "DE*OPA*E1", "status": "AVAILABLE", "last_updated": "2026-11-22T10:00:00Z",
            "floor_level": "-1", "connectors": [{"id": "1", "standard": "IEC_62196_T2", "format": "SOCKET",
            "power_type": "AC_3_PHASE", "max_voltage": 400, "max_amperage": 32, "last_updated": "2026-11-22T10:00:00Z"}]}]
    })
}

#[tokio::test]
async fn no_card_of_a_private_charger_is_in_the_hubs_files() {
    let folder = std::env::temp_dir().join(format!("leyden-kept-{}", SystemDice.uuid()));
    std::fs::create_dir(&folder).unwrap();
    let world = World::new(&folder.join("hub.db")).await;
    let mut private = location("HOME");
    private["publish"] = false.into();
    private["publish_allowed_to"] = json!([
        {"uid": CARDS[0], "type": "RFID", "visual_number": "VISUAL-0815", "issuer": "A", "group_id": "GROUP-0815"},
        {"uid": CARDS[1], "type": "RFID"},
    ]);
    assert_eq!(world.put(&private).await["status_code"], 1000);
    let (url, own) = (format!("{}/ocpi/2.2.1/receiver/locations/DE/OPA/HOME", world.base), "Token operator");
    let kept: Value = world.http.get(url).header("authorization", own).send().await.unwrap().json().await.unwrap();
    assert_eq!(kept["data"]["address"], "Hafenweg 1", "{kept}");
    assert!(kept["data"].get("publish_allowed_to").is_none(), "its owner does not answer now: {kept}");
    world.room.duty().await.unwrap();
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(&folder).unwrap() {
        bytes.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let text = String::from_utf8_lossy(&bytes).to_ascii_uppercase();
    assert!(text.contains("HAFENWEG 1"), "the location is there");
    for secret in [CARDS[0], CARDS[1], "VISUAL-0815", "GROUP-0815"] {
        assert!(!text.contains(&secret.to_ascii_uppercase()), "{secret}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn parties_read_what_their_letters_lost_and_nobody_else_does() {
    let folder = std::env::temp_dir().join(format!("leyden-kept-{}", SystemDice.uuid()));
    std::fs::create_dir(&folder).unwrap();
    let world = World::new(&folder.join("hub.db")).await;
    for _twice in 0..2 {
        assert_eq!(world.put(&location("SITE")).await["status_code"], 1000);
    }
    let own = |get: reqwest::RequestBuilder| get.header("authorization", "Token operator");
    let line = |whole: &Value| {
        let mut lines = whole["data"].as_array().unwrap().iter();
        lines.find(|line| line["what"].as_str().unwrap().starts_with("/charging_when_closed")).cloned()
    };
    // what is published goes on behind the answer
    let patience = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let (_, whole) = world.losses(own).await;
            if line(&whole).is_some_and(|line| line["count"] == 2) {
                break whole;
            }
            tokio::task::yield_now().await;
        }
    });
    let before = patience.await.unwrap();
    let told = line(&before).unwrap();
    assert_eq!((&told["from"], &told["to"], &told["errand"]), (&OPERATOR.into(), &PROVIDER.into(), &"location".into()));
    world.room.duty().await.unwrap();
    let (_, written) = world.losses(own).await;
    assert_eq!(line(&written).unwrap()["count"], 2, "written, and counted once: {written}");
    let (_, theirs) = world.losses(|get| get.basic_auth(PROVIDER, Some("secret"))).await;
    assert_eq!(line(&theirs), line(&written), "its receiver reads the same");
    assert_eq!(world.losses(|get| get).await.0, 401);
    assert_eq!(world.losses(|get| get.basic_auth(PROVIDER, Some("guess"))).await.0, 401);
    assert_eq!(world.losses(|get| get.header("authorization", "Token guess")).await.0, 401);
    std::fs::remove_dir_all(&folder).unwrap();
}
