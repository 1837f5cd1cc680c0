//! Settles a world in a running house, through the same API that any program can use: tariffs, locations, stations
//! with their certificates, drivers with their cards. Remembers what is done, so that a second start goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use charge::Secret;
use charge::place::{Current, Location};
use charge::tariff::{Dimension, Tariff};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trust::pki::Identity;
use trust::sign::SigningKey;

use super::OPERATOR;
use super::world::{Person, Station, World};
use crate::Failure;
use crate::api::Session;

/// What a demo remembers between two starts, beside the parties' own databases.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Settled {
    pub(crate) seed: u64,
    pub(crate) stations: u16,
    /// Stations that are enrolled.
    pub(crate) enrolled: Vec<String>,
    /// EVSEs whose meter's key the providers have from the operator's register.
    #[serde(default)]
    pub(crate) registered: BTreeSet<String>,
    /// Drivers by the slug of their provider.
    pub(crate) drivers: BTreeMap<String, Vec<Driver>>,
}

/// A driver with a login and a card.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Driver {
    pub(crate) name: String,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) card: String,
    /// The provider's id of the driver; not known of worlds that were settled long ago.
    #[serde(default)]
    pub(crate) id: Option<String>,
}

/// The folder of a demo.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    fn memory(&self) -> PathBuf {
        self.0.join("demo.json")
    }

    pub(crate) fn identity(&self, station: &str) -> PathBuf {
        self.0.join("stations").join(format!("{station}.pem"))
    }

    fn meter(&self, station: &str, no: usize) -> PathBuf {
        self.0.join("stations").join(format!("{station}-{no}.meter"))
    }

    pub(crate) fn read(&self) -> Result<Settled, Failure> {
        let path = self.memory();
        if !path.exists() {
            return Ok(Settled::default());
        }
        let bytes = trust::private_file::read(&path).map_err(|fault| Failure::plain(fault.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|fault| Failure::plain(format!("{}: {fault}", path.display())))
    }

    fn write(&self, settled: &Settled) -> Result<(), Failure> {
        let text = serde_json::to_vec_pretty(settled).map_err(|fault| Failure::plain(fault.to_string()))?;
        trust::private_file::write(&self.memory(), &text).map_err(|fault| Failure::plain(fault.to_string()))
    }

    /// The meter key of an EVSE, made at the first use.
    pub(crate) fn meter_key(&self, station: &str, no: usize) -> Result<SigningKey, Failure> {
        let path = self.meter(station, no);
        if path.exists() {
            let der = trust::private_file::read(&path).map_err(|fault| Failure::plain(fault.to_string()))?;
            return SigningKey::from_pkcs8_der(&Secret::new(der)).map_err(|f| Failure::plain(f.to_string()));
        }
        let key = SigningKey::generate().map_err(|fault| Failure::plain(fault.to_string()))?;
        let der = key.to_pkcs8_der().map_err(|fault| Failure::plain(fault.to_string()))?;
        trust::private_file::write(&path, der.expose()).map_err(|fault| Failure::plain(fault.to_string()))?;
        Ok(key)
    }
}

/// Puts the world into the house. `admins` are the first administrators: the operator's, then the providers' by slug.
pub(crate) async fn settle(
    world: &World,
    folder: &Folder,
    seed: u64,
    operator: &Session,
    providers: &[(String, Session)],
) -> Result<Settled, Failure> {
    let stations_dir = folder.0.join("stations");
    std::fs::create_dir_all(&stations_dir).map_err(|fault| Failure::io(&stations_dir, &fault))?;
    let mut settled = folder.read()?;
    settled.seed = seed;
    settled.stations = u16::try_from(world.stations.len()).unwrap_or(u16::MAX);
    if settled.enrolled.is_empty() {
        for tariff in &world.tariffs {
            operator.put(&format!("/tariffs/{}", tariff.id), &tariff_body(tariff)).await?;
        }
        for location in &world.locations {
            operator.put(&format!("/locations/{}", location.id), &location_body(location)).await?;
        }
    }
    for station in &world.stations {
        if !settled.enrolled.iter().any(|id| id == station.id.as_str()) {
            enrol(station, folder, operator).await?;
            settled.enrolled.push(station.id.to_string());
        }
    }
    register_meters(&mut settled, operator, providers).await?;
    folder.write(&settled)?;
    for ((slug, session), people) in providers.iter().zip(&world.drivers) {
        let known = settled.drivers.get(slug).map_or(0, Vec::len);
        for person in people.iter().skip(known) {
            let driver = sign_up(person, slug, settled.drivers.get(slug).map_or(0, Vec::len), session).await?;
            settled.drivers.entry(slug.clone()).or_default().push(driver);
        }
    }
    folder.write(&settled)?;
    Ok(settled)
}

/// Enrols one station for security profile 3 and keeps its certificate where only it can read it.
async fn enrol(station: &Station, folder: &Folder, operator: &Session) -> Result<(), Failure> {
    let mut evses = Vec::new();
    for (no, evse) in (1..).zip(&station.evses) {
        let key = folder.meter_key(station.id.as_str(), no)?;
        let Some(connector) = evse.connectors.first() else { continue };
        evses.push(json!({
            "no": no,
            "uid": evse.uid.as_str(),
            "evse_id": evse.id.as_ref().map(ToString::to_string),
            "physical_reference": evse.physical_reference,
            "plug": connector.plug.as_str(),
            "attached_cable": connector.attached_cable,
            "current": current(connector.current),
            "max_power_w": connector.max_power.watts(),
            "tariff": connector.tariffs.first().map(ToString::to_string),
            "meter_key": key.public_key_hex(),
        }));
    }
    let wish = json!({
        "id": station.id.as_str(),
        "profile": 3,
        "serial": station.serial,
        "location": station.location.as_str(),
        "evses": evses,
    });
    let shown = operator.post("/stations", &wish).await?;
    let (Some(chain), Some(key)) = (shown["certificate_pem"].as_str(), shown["key_pem"].as_str()) else {
        return Err(Failure::plain("the operator gave no certificate to a station of profile 3"));
    };
    let identity = Identity { chain_pem: chain.to_owned(), key_pem: Secret::new(key.to_owned()) };
    identity.write(&folder.identity(station.id.as_str())).map_err(|fault| Failure::plain(fault.to_string()))
}

/// Hands the operator's register of compared meter keys to every provider, out of band as a clerk would: OCPI carries keys
/// only beside the records that they are to prove, where they prove nothing.
async fn register_meters(
    settled: &mut Settled,
    operator: &Session,
    providers: &[(String, Session)],
) -> Result<(), Failure> {
    const PAGE: usize = 500;
    for offset in (0..).step_by(PAGE) {
        let page = operator.get(&format!("/meters?limit={PAGE}&offset={offset}")).await?;
        let meters = page["items"].as_array().cloned().unwrap_or_default();
        for meter in &meters {
            let (Some(evse), Some(key)) = (meter["evse"].as_str(), meter["key"]["spki_hex"].as_str()) else { continue };
            if meter["key"]["confirmed"] != json!(true) || settled.registered.contains(evse) {
                continue;
            }
            for (_, provider) in providers {
                provider.put("/meters", &json!({ "operator": OPERATOR.0, "evse": evse, "key": key })).await?;
            }
            settled.registered.insert(evse.to_owned());
        }
        if meters.len() < PAGE {
            break;
        }
    }
    Ok(())
}

async fn sign_up(person: &Person, slug: &str, number: usize, session: &Session) -> Result<Driver, Failure> {
    let first = person.name.split(' ').next().unwrap_or_default().to_lowercase();
    let user = format!("{first}{}", number + 1);
    let wish = json!({ "name": person.name, "email": format!("{user}@{slug}.example"), "user": user });
    let made = session.post("/drivers", &wish).await?;
    let id = made["id"].as_str().unwrap_or_default().to_owned();
    session.post("/cards", &json!({ "driver": id, "label": "Card", "uid": person.card })).await?;
    let password = made["password"].as_str().unwrap_or_default().to_owned();
    Ok(Driver { name: person.name.clone(), user, password, card: person.card.clone(), id: Some(id) })
}

fn tariff_body(tariff: &Tariff) -> Value {
    let component = |part: &charge::tariff::Component| {
        let kind = match part.dimension {
            Dimension::Energy => "ENERGY",
            Dimension::Flat => "FLAT",
            Dimension::Time => "TIME",
            Dimension::ParkingTime => "PARKING_TIME",
        };
        json!({
            "kind": kind,
            "price": part.price.to_string(),
            "vat": part.vat_percent.map(|vat| vat.to_string()),
            "step": part.step_size,
        })
    };
    let elements: Vec<Value> = tariff
        .elements
        .iter()
        .map(|element| json!({ "components": element.components.iter().map(component).collect::<Vec<_>>() }))
        .collect();
    json!({ "currency": tariff.currency.to_string(), "text": tariff.text, "elements": elements })
}

/// A location without its EVSEs: those come with their stations.
fn location_body(location: &Location) -> Value {
    let (lat, lon) = location.position.degrees();
    json!({
        "name": location.name,
        "address": location.address,
        "city": location.city,
        "postal_code": location.postal_code,
        "country": location.country,
        "lat": lat.to_string(),
        "lon": lon.to_string(),
        "time_zone": location.time_zone,
        "evses": [],
    })
}

const fn current(current: Current) -> &'static str {
    match current {
        Current::Ac1Phase => "AC_1_PHASE",
        Current::Ac3Phase => "AC_3_PHASE",
        Current::Dc => "DC",
    }
}

/// Where a demo of other stations lives already.
pub(crate) fn other_world(folder: &Path, settled: &Settled, seed: u64, stations: u16) -> Option<Failure> {
    let differs = !settled.enrolled.is_empty() && (settled.seed != seed || settled.stations != stations);
    differs.then(|| {
        Failure::misuse(format!(
            "{} holds a world of {} stations from seed {}; name another folder with --dir, or remove this one",
            folder.display(),
            settled.stations,
            settled.seed
        ))
    })
}
