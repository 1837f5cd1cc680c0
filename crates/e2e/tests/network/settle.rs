//! Puts a small world into a house through its API: a tariff, a place, stations, drivers with cards.

use std::path::PathBuf;

use charge::Secret;
use serde_json::{Value, json};
use trust::pki::Identity;

use super::api::Session;
use super::house::{House, OPERATOR, PROVIDERS};
use super::wait::until;

pub(super) const TARIFF: &str = "E2E-44";
pub(super) const LOCATION: &str = "E2E-PLACE";
/// Enough for a station that reports in a second what a real one does in an hour.
pub(super) const FAST_W: i64 = 400_000;

/// A house with its first administrators.
pub(super) struct Network {
    pub house: House,
    pub operator: Session,
    pub hub: Session,
    /// In the order of [`PROVIDERS`].
    pub providers: [Session; 2],
}

/// A driver with a login and a card.
pub(super) struct Driver {
    pub name: String,
    pub email: String,
    pub password: String,
    pub card: String,
    pub phone: Session,
}

/// What a station needs to prove itself.
#[derive(Clone)]
pub(super) enum Credential {
    /// Security profile 2.
    Password(String),
    /// Security profile 3.
    Certificate(Identity),
}

/// A station to enrol.
pub(super) struct Enrol<'e> {
    pub id: &'e str,
    /// Of the client certificate: then the security profile is 3.
    pub serial: Option<&'e str>,
    /// The public keys of its meters, one for each EVSE; `None` is a meter without signatures.
    pub meters: Vec<Option<String>>,
    pub danger_plain_ws: bool,
}

impl<'e> Enrol<'e> {
    /// One EVSE whose meter does not sign, security profile 2.
    pub(super) fn plain(id: &'e str) -> Self {
        Self { id, serial: None, meters: vec![None], danger_plain_ws: false }
    }
}

impl Network {
    /// A running house with a tariff of 0.44 a kWh and 19 % VAT, and a place.
    pub(super) async fn start() -> Self {
        Self::of(House::start().await).await
    }

    /// The same around a house that runs already.
    pub(super) async fn of(house: House) -> Self {
        let operator = house.admin("operator").await;
        put_tariff(&operator, TARIFF).await;
        put_place(&operator, LOCATION).await;
        let hub = house.admin("hub").await;
        let providers = [house.admin(PROVIDERS[0].0).await, house.admin(PROVIDERS[1].0).await];
        Self { house, operator, hub, providers }
    }

    pub(super) async fn enrol(&self, wish: &Enrol<'_>) -> Credential {
        let evse = |(no, meter): (usize, &Option<String>)| {
            json!({
                "no": no,
                "uid": evse_uid(wish.id, no),
                "evse_id": format!("DE*VLT*E{}*{no}", wish.id.replace(|c: char| !c.is_ascii_alphanumeric(), "")),
                "plug": "IEC_62196_T2_COMBO",
                "attached_cable": true,
                "current": "DC",
                "max_power_w": FAST_W,
                "tariff": TARIFF,
                "meter_key": meter,
            })
        };
        let evses: Vec<Value> = (1..).zip(&wish.meters).map(evse).collect();
        let body = json!({
            "id": wish.id,
            "profile": if wish.serial.is_some() { 3 } else { 2 },
            "serial": wish.serial,
            "location": LOCATION,
            "evses": evses,
            "danger_plain_ws": wish.danger_plain_ws,
        });
        let shown = self.operator.post("/stations", &body).await;
        match shown["key"].as_str() {
            Some(key) => Credential::Password(key.to_owned()),
            None => Credential::Certificate(Identity {
                chain_pem: shown["certificate_pem"].as_str().unwrap().to_owned(),
                key_pem: Secret::new(shown["key_pem"].as_str().unwrap().to_owned()),
            }),
        }
    }

    /// Signs a driver up at a provider by its number, with a card that the hub knows when this returns.
    pub(super) async fn driver(&self, provider: usize, user: &str, card: &str) -> Driver {
        let clerk = &self.providers[provider];
        let (name, email) = (format!("Zilpzalp {user}"), format!("{user}@birds.example"));
        let made = clerk.post("/drivers", &json!({ "user": user, "name": name, "email": email })).await;
        let wish = json!({ "driver": made["id"], "label": "Card", "uid": card });
        clerk.post("/cards", &wish).await;
        until("the hub to know the card", async || {
            let cards = clerk.look("/cards").await?;
            let mut own = cards["items"].as_array()?.iter().filter(|it| it["driver"] == made["id"]);
            own.all(|card| card["indexed"] == true).then_some(())
        })
        .await;
        let password = made["password"].as_str().unwrap().to_owned();
        let phone = self.house.sign_in(PROVIDERS[provider].0, user, &password).await;
        Driver { name, email, password, card: card.to_owned(), phone }
    }

    /// Writes what a station needs where a foreign program can read it.
    pub(super) fn keep(&self, id: &str, credential: &Credential) -> PathBuf {
        let file = self.house.folder.path(id);
        match credential {
            Credential::Password(key) => trust::private_file::write(&file, key.as_bytes()).unwrap(),
            Credential::Certificate(identity) => identity.write(&file).unwrap(),
        }
        file
    }

    /// Waits until every session of the operator is closed and every CDR is with its provider.
    pub(super) async fn all_settled(&self, patience: std::time::Duration) {
        let begun = std::time::Instant::now();
        super::wait::until_within(patience.saturating_mul(2), "all sessions to be closed and delivered", async || {
            // in this order: a session and its waiting CDR are closed in one commit
            let mut owed = self.operator.all("/sessions").await;
            owed.retain(|session| !matches!(session["state"].as_str(), Some("closed" | "void")));
            owed.extend(self.operator.all("/cdrs?state=waiting").await);
            assert!(owed.is_empty() || begun.elapsed() < patience, "after {patience:?}: {owed:#?}");
            owed.is_empty().then_some(())
        })
        .await;
    }

    /// The sessions of one station at the operator, oldest first.
    pub(super) async fn sessions_of(&self, station: &str) -> Vec<Value> {
        let mut sessions = self.operator.all(&format!("/sessions?station={station}")).await;
        sessions.reverse();
        sessions
    }
}

/// 0.44 a kWh and 19 % VAT.
pub(super) async fn put_tariff(operator: &Session, id: &str) {
    let component = json!({ "kind": "ENERGY", "price": "0.44", "vat": "19", "step": 1 });
    let tariff = json!({ "currency": "EUR", "text": "44 cents", "elements": [{ "components": [component] }] });
    operator.put(&format!("/tariffs/{id}"), &tariff).await;
}

/// A place without stations.
pub(super) async fn put_place(operator: &Session, id: &str) {
    let place = json!({
        "name": "Test place", "address": "Markt 1", "city": "Münster", "postal_code": "48143", "country": "DEU",
        "lat": "51.962", "lon": "7.628", "time_zone": "Europe/Berlin", "evses": [],
    });
    operator.put(&format!("/locations/{id}"), &place).await;
}

pub(super) fn evse_uid(station: &str, no: usize) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    format!("{}-E{no}", station.chars().map(plain).collect::<String>())
}

/// Starts at a station's EVSE as the driver's page does: with the price that it was shown. Gives the order's id.
pub(super) async fn start_by_phone(phone: &Session, station: &str) -> String {
    let evse = evse_uid(station, 1);
    let path = format!("/driver/places/{OPERATOR}/{LOCATION}");
    let stamp = until("the place to be free and to have a price", async || {
        let place = phone.look(&path).await?;
        let bay = place["evses"].as_array()?.iter().find(|bay| bay["uid"] == evse.as_str())?.clone();
        (bay["status"] == "AVAILABLE").then(|| bay["tariff"]["stamp"].as_str().map(str::to_owned))?
    })
    .await;
    let wish = json!({ "operator": OPERATOR, "location": LOCATION, "evse": evse, "tariff_stamp": stamp });
    let order = phone.post("/driver/start", &wish).await;
    order["order"].as_str().unwrap().to_owned()
}

/// Waits until a start came true. Gives the session's id on the phone.
pub(super) async fn session_of_order(phone: &Session, order: &str) -> String {
    until("the order to become a session", async || {
        let order = phone.look(&format!("/driver/orders/{order}")).await?;
        assert!(order["state"] != "refused" && order["state"] != "timed_out", "{order}");
        order["session"].as_str().map(str::to_owned)
    })
    .await
}
