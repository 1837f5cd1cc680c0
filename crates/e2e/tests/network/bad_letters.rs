//! Letters at the road's doors that are wrong: without a token, to nobody, in another's name, too large, too deep,
//! malformed. Each hears HTTP status and OCPI code; nothing of it is kept.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::api;
use super::house::{HUB, House, OPERATOR, PROVIDERS};

const PROVIDER: &str = PROVIDERS[0].1;
/// Above the limit for a request (512 KiB).
const LARGE_BYTES: usize = 600 * 1024;
const DEEP: usize = 10_000;

/// A letter to a door.
struct Letter {
    method: &'static str,
    /// Below the door's address.
    path: String,
    token: Option<String>,
    /// In whose name.
    from: Option<&'static str>,
    body: String,
}

impl Letter {
    fn new(method: &'static str, path: &str, token: Option<String>) -> Self {
        Self { method, path: path.to_owned(), token, from: None, body: String::new() }
    }

    /// HTTP status, OCPI status code, and its message.
    async fn send(self, house: &House, door: &str) -> (u16, Option<i64>, String) {
        let url = format!("{}{}", house.road(door), self.path);
        let mut request = api::client(&house.roots()).request(self.method.parse().unwrap(), url);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Token {}", BASE64_STANDARD.encode(token)));
        }
        if let Some((country, code)) = self.from.and_then(|from| from.split_once('-')) {
            request = request.header("ocpi-from-country-code", country).header("ocpi-from-party-id", code);
        }
        let answer = request.header("content-type", "application/json").body(self.body).send().await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
        let message = body["status_message"].as_str().unwrap_or_default().to_owned();
        (status, body["status_code"].as_i64(), message)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_known_token_every_door_says_401_and_nothing_else() {
    let house = House::start().await;
    for door in [OPERATOR, HUB, PROVIDER] {
        for path in ["/ocpi/versions", "/ocpi/2.2.1/sender/locations", "/ocpi/2.2.1/nonsense", "/ocpi/nothing"] {
            for token in [None, Some("road_guessed".to_owned())] {
                let (status, code, _) = Letter::new("GET", path, token).send(&house, door).await;
                assert_eq!((status, code), (401, Some(2001)), "{door} {path}");
            }
        }
    }
    // a provider is known to the hub and to nobody else
    let token = house.road_token(PROVIDER, HUB);
    let (status, code, _) = Letter::new("GET", "/ocpi/versions", Some(token)).send(&house, OPERATOR).await;
    assert_eq!((status, code), (401, Some(2001)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_path_is_404_and_another_partys_object_is_refused() {
    let house = House::start().await;
    let token = || Some(house.road_token(HUB, OPERATOR));
    for path in ["/ocpi/2.2.1/sender/nonsense", "/ocpi/9.9/sender/locations", "/ocpi/2.2.1/receiver/tokens"] {
        let (status, _, _) = Letter::new("GET", path, token()).send(&house, OPERATOR).await;
        assert_eq!(status, 404, "{path}");
    }
    let own = Some(house.road_token(PROVIDER, HUB));
    let path = format!("/ocpi/2.2.1/receiver/tokens/{}/04A2B3C4D5E6F7?type=RFID", PROVIDERS[1].1.replace('-', "/"));
    let body = json!({ "valid": true }).to_string();
    let theirs = Letter { from: Some(PROVIDER), body, ..Letter::new("PUT", &path, own.clone()) };
    let (status, code, _) = theirs.send(&house, HUB).await;
    assert_eq!((status, code), (404, Some(2000)), "nobody writes another party's card");
    let disguised = Letter { from: Some(PROVIDERS[1].1), ..Letter::new("GET", "/ocpi/2.2.1/sender/locations", own) };
    let (status, code, _) = disguised.send(&house, HUB).await;
    assert_eq!((status, code), (403, Some(2001)), "nobody writes in another party's name");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_or_too_deep_or_no_json_is_refused_unread() {
    let house = House::start().await;
    let letter = |body: String| {
        let token = Some(house.road_token(HUB, PROVIDER));
        Letter { from: Some(OPERATOR), body, ..Letter::new("POST", "/ocpi/2.2.1/receiver/cdrs", token) }
    };
    let large = json!({ "remark": "x".repeat(LARGE_BYTES) }).to_string();
    assert_eq!(letter(large).send(&house, PROVIDER).await.0, 413);
    let deep = format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP));
    assert_eq!(letter(deep).send(&house, PROVIDER).await.0, 400);
    assert_eq!(letter("{\"id\":".to_owned()).send(&house, PROVIDER).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_cdr_hears_2001_with_the_path_and_is_not_kept() {
    let house = House::start().await;
    let good = json!({
        "country_code": "DE", "party_id": "VLT", "id": "CDR-1", "start_date_time": "2026-11-22T15:00:00Z",
        "end_date_time": "2026-11-22T16:00:00Z", "auth_method": "COMMAND", "currency": "EUR",
        "cdr_token": { "country_code": "DE", "party_id": "8AA", "uid": "DE8AAC12345678", "type": "AD_HOC_USER",
            "contract_id": "DE-8AA-C12345678" },
        "cdr_location": { "id": "L1", "address": "Markt 1", "city": "Münster", "country": "DEU",
            "coordinates": { "latitude": "51.962", "longitude": "7.628" }, "evse_uid": "E1", "evse_id": "DE*VLT*E1",
            "connector_id": "1", "connector_standard": "IEC_62196_T2", "connector_format": "SOCKET",
            "connector_power_type": "AC_3_PHASE" },
        "charging_periods": [{ "start_date_time": "2026-11-22T15:00:00Z",
            "dimensions": [{ "type": "ENERGY", "volume": 1.0 }] }],
        "total_cost": { "excl_vat": 0.44 }, "total_energy": 1.0, "total_time": 1.0,
        "last_updated": "2026-11-22T16:00:00Z",
    });
    let changed = |path: &str, value: Value| {
        let mut cdr = good.clone();
        *cdr.pointer_mut(path).unwrap() = value;
        cdr
    };
    let table = [
        ("/total_energy", changed("/total_energy", json!("much"))),
        ("/auth_method", changed("/auth_method", json!("SHOUTING"))),
        ("/cdr_location/coordinates/latitude", changed("/cdr_location/coordinates/latitude", json!("north"))),
        ("/start_date_time", changed("/start_date_time", json!("yesterday"))),
    ];
    for (path, cdr) in table {
        let token = Some(house.road_token(HUB, PROVIDER));
        let letter = Letter::new("POST", "/ocpi/2.2.1/receiver/cdrs", token);
        let letter = Letter { from: Some(OPERATOR), body: cdr.to_string(), ..letter };
        let (status, code, message) = letter.send(&house, PROVIDER).await;
        assert_eq!((status, code), (200, Some(2001)), "{path}: {message}");
        assert!(message.starts_with(path), "{path}: {message}");
    }
    let kept = house.admin(PROVIDERS[0].0).await.get("/cdrs").await;
    assert_eq!(kept["total"], 0);
}
