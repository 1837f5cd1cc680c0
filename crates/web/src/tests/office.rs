//! The operator's daily work through the API: places are mended, meters' keys compared, prices tried out, alarms seen.

use serde_json::{Value, json};

use super::world::OPERATOR;
use super::*;
use crate::permission::Role;

fn path(tail: &str) -> String {
    format!("/api/p/{OPERATOR}/{tail}")
}

/// A P-256 key as a meter has one.
const KEY: &str = "3059301306072a8648ce3d020106082a8648ce3d03010703420004\
    6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
    4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

struct Office {
    world: World,
    admin: String,
}

impl Office {
    /// One location with one station.
    async fn open() -> Self {
        let world = World::new().await;
        let admin = world.sign_in(OPERATOR, Role::Admin, "ada", None).await;
        let office = Self { world, admin };
        let mut place = head();
        place["evses"] = json!([]);
        office.put("locations/L1", &place).await;
        let bay = json!({ "no": 1, "evse_id": "DE*VLT*E1", "physical_reference": "A1" });
        let station = json!({ "id": "CP-1", "profile": 2, "location": "L1", "evses": [bay] });
        post(&path("stations")).page().by(&office.admin).json(&station).send(&office.world.router).await.ok();
        office
    }

    async fn get(&self, tail: &str) -> Value {
        get(&path(tail)).by(&self.admin).send(&self.world.router).await.ok()
    }

    async fn put(&self, tail: &str, body: &Value) {
        assert_eq!(self.tried(tail, body).await.status, 204);
    }

    async fn tried(&self, tail: &str, body: &Value) -> visit::Told {
        put(&path(tail)).page().by(&self.admin).json(body).send(&self.world.router).await
    }

    async fn preview(&self, body: &Value) -> visit::Told {
        post(&path("tariffs/preview")).page().by(&self.admin).json(body).send(&self.world.router).await
    }
}

fn head() -> Value {
    json!({
        "name": "Hafen", "address": "Am Kai 5", "city": "Hamburg", "postal_code": "20457", "country": "DEU",
        "lat": "53.543", "lon": "9.988", "time_zone": "Europe/Berlin",
    })
}

#[tokio::test]
async fn a_place_is_mended_and_its_evses_stay() {
    let office = Office::open().await;
    let mut other = head();
    (other["name"], other["lat"]) = (json!("Hafen Süd"), json!("53.5"));
    office.put("locations/L1/head", &other).await;
    office.put("evses/CP-1-1", &json!({ "physical_reference": " B7 " })).await;
    let shown = office.get("locations/L1").await;
    assert_eq!((&shown["name"], &shown["lat"]), (&json!("Hafen Süd"), &json!("53.5000000")));
    assert_eq!((&shown["evses"][0]["uid"], &shown["evses"][0]["physical_reference"]), (&json!("CP-1-1"), &json!("B7")));
    assert_eq!(office.get("locations?query=s%C3%BCd").await["total"], 1);
    assert_eq!(office.get("locations?query=nord").await["total"], 0);
    for (field, value, where_) in [
        ("time_zone", "Mars/Base", "/time_zone"),
        ("country", "de", "/country"),
        ("lat", "91", "/lat"),
        ("address", " ", "/address"),
    ] {
        let mut wrong = head();
        wrong[field] = json!(value);
        let told = office.tried("locations/L1/head", &wrong).await;
        assert_eq!(told.fault(), (400, "malformed".to_owned(), Some(where_.to_owned())));
        wrong["evses"] = json!([]);
        let told = office.tried("locations/L1", &wrong).await;
        assert_eq!(told.fault(), (400, "malformed".to_owned(), Some(where_.to_owned())), "a whole one as well");
    }
    assert_eq!(office.tried("locations/L9/head", &head()).await.fault().0, 404);
    assert_eq!(office.tried("evses/E9", &json!({ "physical_reference": null })).await.fault().0, 404);
}

#[tokio::test]
async fn a_meters_key_is_entered_and_shown_with_what_people_compare() {
    let office = Office::open().await;
    let before = office.get("meters").await;
    assert_eq!((&before["items"][0]["evse"], &before["items"][0]["key"]), (&json!("CP-1-1"), &Value::Null));
    let wrong = office.tried("meters/CP-1-1", &json!({ "key": "3059" })).await;
    assert_eq!(wrong.fault(), (400, "malformed".to_owned(), Some("/meter_key".to_owned())));
    office.put("meters/CP-1-1", &json!({ "key": KEY })).await;
    let key = office.get("meters?query=cp-1").await["items"][0]["key"].clone();
    assert_eq!((&key["spki_hex"], &key["confirmed"]), (&json!(KEY.to_uppercase()), &json!(true)));
    assert_eq!(key["fingerprint"], json!(billing::record::PublicKey::read(KEY).unwrap().fingerprint()));
    assert_eq!(office.tried("meters/E9", &json!({ "key": KEY })).await.fault().0, 404);
}

#[tokio::test]
async fn a_tariff_is_tried_out_before_it_is_kept() {
    let office = Office::open().await;
    let day = json!([{ "kind": "ENERGY", "price": "0.50", "vat": "19" }, { "kind": "PARKING_TIME", "price": "3", "vat": "19" }]);
    let night = json!([{ "kind": "ENERGY", "price": "0.30", "vat": "19" }]);
    let elements = json!([
        { "components": night, "restrictions": { "start_time": "22:00", "end_time": "06:00" } },
        { "components": day, "restrictions": {} },
    ]);
    let wish = json!({
        "tariff": { "currency": "EUR", "elements": elements },
        // 21:00 in Berlin: an hour by day, an hour by night, half an hour of parking
        "start": "2026-11-22T20:00:00Z", "time_zone": "Europe/Berlin",
        "energy_wh": 20_000, "charging_min": 120, "parking_min": 30,
    });
    let shown = office.preview(&wish).await.ok();
    let line = |at: usize| (shown["lines"][at]["dimension"].clone(), shown["lines"][at]["quantity"].clone());
    assert_eq!(
        [line(0), line(1), line(2)].map(|(kind, quantity)| format!("{kind} {quantity}")),
        ["\"ENERGY\" \"10\"", "\"ENERGY\" \"10\"", "\"PARKING_TIME\" \"0.5\""]
    );
    assert_eq!((&shown["net"]["amount"], &shown["gross"]["amount"]), (&json!("9.50"), &json!("11.31")));
    assert_eq!(
        (&shown["offers"][0]["condition"], &shown["offers"][0]["now"]),
        (&json!("from 22:00 until 06:00"), &json!(false))
    );
    assert_eq!(office.get("tariffs").await["total"], 0, "nothing is kept");

    let mut nowhere = wish.clone();
    nowhere["time_zone"] = json!("Mars/Base");
    assert_eq!(office.preview(&nowhere).await.fault().2.as_deref(), Some("/time_zone"));
    let mut never = wish.clone();
    never["tariff"]["elements"][0]["restrictions"] = json!({ "min_wh": 9_000, "max_wh": 5_000 });
    let found = office.preview(&never).await.ok()["findings"].clone();
    assert!(found.as_array().unwrap().iter().any(|it| it["error"] == json!(true)), "{found}");
    let mut first_kwh = wish;
    first_kwh["tariff"]["elements"][0]["restrictions"] = json!({ "max_wh": 5_000 });
    let cheap = office.preview(&first_kwh).await.ok();
    assert_eq!(cheap["net"]["amount"], "10.50", "5 kWh at 0.30, 15 kWh at 0.50, 1.50 of parking: {}", cheap["lines"]);
}

#[tokio::test]
async fn an_alarm_that_does_not_stand_cannot_be_seen_and_a_refusal_is_found_by_its_station() {
    let office = Office::open().await;
    assert_eq!(office.get("alarms").await["total"], 0);
    assert_eq!(office.get("overview").await["alarms"], 0);
    let seen = post(&path("alarms/evse_fault:CP-1-1:0/seen")).page().by(&office.admin).send(&office.world.router).await;
    assert_eq!(seen.fault().0, 404);
    assert_eq!(office.get("refusals?identity=CP-1").await["total"], 0);
}

#[tokio::test]
async fn what_an_evse_can_do_is_said_and_left_to_its_station_again() {
    let office = Office::open().await;
    let shown = async || office.get("locations/L1").await["evses"][0]["capabilities"].clone();
    assert_eq!(shown().await, json!(["REMOTE_START_STOP_CAPABLE", "RFID_READER", "UNLOCK_CAPABLE"]));
    let path = "evses/CP-1-1/capabilities";
    let told = office.tried(path, &json!({ "capabilities": ["RFID_READER", "COFFEE"] })).await;
    assert_eq!(told.fault().2.as_deref(), Some("/capabilities/1"));
    office.put(path, &json!({ "capabilities": ["RESERVABLE"] })).await;
    assert_eq!(shown().await, json!(["RESERVABLE"]));
    office.put(path, &json!({ "capabilities": null })).await;
    assert_eq!(shown().await.as_array().unwrap().len(), 3);
    assert!(office.get("audit").await.to_string().contains("change capabilities"));
}
