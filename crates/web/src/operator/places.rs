//! Locations with their EVSEs: where one can charge.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use charge::Decimal;
use charge::id::{ConnectorId, EvseId, EvseUid, LocationId, TariffId};
use charge::place::{Capabilities, Capability, Connector, Current, Evse, EvseStatus, Plug, Position};
use charge::units::Power;
use operator::view::LocationHead;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Desk;
use super::stations::{filled, page};
use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::shape::{List, Paging};
use crate::stage::{Body, Path, Query};

/// A location with more EVSEs than this is several.
const EVSES_MAX: usize = 200;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OperatorLocation)]
pub(crate) struct Location {
    id: String,
    name: Option<String>,
    address: String,
    city: String,
    postal_code: Option<String>,
    /// ISO 3166-1 alpha-3.
    country: String,
    /// Degrees as text.
    lat: String,
    lon: String,
    time_zone: String,
    evses: Vec<LocationEvse>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LocationEvse {
    uid: String,
    evse_id: Option<String>,
    status: &'static str,
    /// Painted on the pole.
    physical_reference: Option<String>,
    /// OCPI spelling.
    plugs: Vec<String>,
    max_power_w: i64,
    /// What it can do (OCPI 2.2.1, 8.4.3 `Capability`).
    capabilities: Vec<&'static str>,
}

impl From<charge::place::Location> for Location {
    fn from(place: charge::place::Location) -> Self {
        let (lat, lon) = place.position.degrees();
        let evse = |evse: Evse| LocationEvse {
            uid: evse.uid.to_string(),
            evse_id: evse.id.map(|id| id.to_string()),
            status: evse.status.as_str(),
            physical_reference: evse.physical_reference,
            plugs: evse.connectors.iter().map(|connector| connector.plug.as_str().to_owned()).collect(),
            max_power_w: evse.connectors.iter().map(|it| it.max_power).max().unwrap_or(Power::ZERO).watts(),
            capabilities: evse.capabilities.iter().map(Capability::as_str).collect(),
        };
        Self {
            id: place.id.to_string(),
            name: place.name,
            address: place.address,
            city: place.city,
            postal_code: place.postal_code,
            country: place.country,
            lat: lat.to_string(),
            lon: lon.to_string(),
            time_zone: place.time_zone,
            evses: place.evses.into_iter().map(evse).collect(),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LocationQuery {
    /// Found in id, name, address or city.
    query: Option<String>,
    offset: Option<u32>,
    limit: Option<u32>,
}

#[utoipa::path(get, path = "/api/p/operator/locations", tag = "operator", params(LocationQuery),
    responses((status = 200, body = List<Location>)))]
pub(crate) async fn list(
    State(desk): State<Desk>,
    Query(query): Query<LocationQuery>,
) -> Result<Json<List<Location>>, Fault> {
    let paging = Paging { offset: query.offset, limit: query.limit };
    let found = desk.room.find_locations(filled(query.query), page(&paging)).await?;
    Ok(Json(List::page(found.items.into_iter().map(Into::into).collect(), found.total.into(), paging.offset())))
}

#[utoipa::path(get, path = "/api/p/operator/locations/{id}", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = Location), (status = 404, body = ErrorBody)))]
pub(crate) async fn show(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Json<Location>, Fault> {
    let id = LocationId::new(&id).map_err(|_| Fault::NotFound)?;
    Ok(Json(desk.room.location(&id).await?.into()))
}

/// A location without its EVSEs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AmendOperatorLocation)]
pub(crate) struct AmendLocation {
    #[serde(default)]
    name: Option<String>,
    address: String,
    city: String,
    #[serde(default)]
    postal_code: Option<String>,
    /// ISO 3166-1 alpha-3.
    country: String,
    /// Degrees as text.
    lat: String,
    lon: String,
    /// IANA name.
    time_zone: String,
}

impl AmendLocation {
    fn read(self) -> Result<LocationHead, Fault> {
        for (path, text) in [("/address", &self.address), ("/city", &self.city)] {
            if text.trim().is_empty() {
                return Err(Fault::malformed(path, "This is needed to find the place."));
            }
        }
        Ok(LocationHead {
            name: filled(self.name),
            address: self.address,
            city: self.city,
            postal_code: filled(self.postal_code),
            country: country(self.country)?,
            position: position(&self.lat, &self.lon)?,
            time_zone: self.time_zone,
        })
    }
}

#[utoipa::path(put, path = "/api/p/operator/locations/{id}/head", tag = "operator", request_body = AmendLocation,
    params(("id" = String, Path)),
    responses((status = 204), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn amend(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
    Body(wish): Body<AmendLocation>,
) -> Result<StatusCode, Fault> {
    let id = LocationId::new(&id).map_err(|_| Fault::NotFound)?;
    desk.room.amend_location(&actor.name, &id, wish.read()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What can be mended of an EVSE.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AmendOperatorEvse)]
pub(crate) struct AmendEvse {
    /// Painted on the pole, at most 16 characters; null where nothing is.
    physical_reference: Option<String>,
}

#[utoipa::path(put, path = "/api/p/operator/evses/{uid}", tag = "operator", request_body = AmendEvse,
    params(("uid" = String, Path)),
    responses((status = 204), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn amend_evse(
    State(desk): State<Desk>,
    actor: Actor,
    Path(uid): Path<String>,
    Body(wish): Body<AmendEvse>,
) -> Result<StatusCode, Fault> {
    let uid = EvseUid::new(&uid).map_err(|_| Fault::NotFound)?;
    let reference = filled(wish.physical_reference).map(|text| text.trim().to_owned());
    desk.room.amend_reference(&actor.name, &uid, reference).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an EVSE can do, in the words of OCPI; null: what its station says counts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AmendEvseCapabilities)]
pub(crate) struct AmendCapabilities {
    capabilities: Option<Vec<String>>,
}

#[utoipa::path(put, path = "/api/p/operator/evses/{uid}/capabilities", tag = "operator",
    request_body = AmendCapabilities, params(("uid" = String, Path)),
    responses((status = 204), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn amend_capabilities(
    State(desk): State<Desk>,
    actor: Actor,
    Path(uid): Path<String>,
    Body(wish): Body<AmendCapabilities>,
) -> Result<StatusCode, Fault> {
    let uid = EvseUid::new(&uid).map_err(|_| Fault::NotFound)?;
    let said = wish.capabilities.map(|names| capabilities(names, "/capabilities")).transpose()?;
    desk.room.amend_capabilities(&actor.name, &uid, said).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn capabilities(names: Vec<String>, path: &str) -> Result<Capabilities, Fault> {
    let one = |(at, name): (usize, String)| {
        Capability::named(&name).ok_or_else(|| Fault::malformed(format!("{path}/{at}"), "OCPI has no such capability."))
    };
    names.into_iter().enumerate().map(one).collect()
}

/// A location as its operator writes it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WriteOperatorLocation)]
pub(crate) struct WriteLocation {
    #[serde(default)]
    name: Option<String>,
    address: String,
    city: String,
    #[serde(default)]
    postal_code: Option<String>,
    /// ISO 3166-1 alpha-3.
    country: String,
    /// Degrees as text.
    lat: String,
    lon: String,
    /// IANA name.
    time_zone: String,
    evses: Vec<WriteEvse>,
}

impl WriteLocation {
    /// What is said of the place is judged as where it is amended.
    fn parts(self) -> (AmendLocation, Vec<WriteEvse>) {
        let Self { name, address, city, postal_code, country, lat, lon, time_zone, evses } = self;
        (AmendLocation { name, address, city, postal_code, country, lat, lon, time_zone }, evses)
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WriteEvse {
    pub(crate) uid: String,
    #[serde(default)]
    pub(crate) evse_id: Option<String>,
    #[serde(default)]
    pub(crate) physical_reference: Option<String>,
    /// OCPI spelling, for example `IEC_62196_T2`.
    pub(crate) plug: String,
    #[serde(default)]
    pub(crate) attached_cable: bool,
    /// `AC_1_PHASE`, `AC_3_PHASE` or `DC`.
    pub(crate) current: String,
    pub(crate) max_voltage_v: u32,
    pub(crate) max_amperage_a: u32,
    pub(crate) max_power_w: i64,
    /// Without one charging is free.
    #[serde(default)]
    pub(crate) tariff: Option<String>,
    /// What it can do, in the words of OCPI; where nothing is said, what its station says counts.
    #[serde(default)]
    pub(crate) capabilities: Vec<String>,
}

impl WriteEvse {
    /// `place` is the JSON path of this object.
    pub(crate) fn read(self, place: &str, now: charge::Timestamp) -> Result<Evse, Fault> {
        let path = |field: &str| format!("{place}/{field}");
        let bad = |field: &str| {
            let path = path(field);
            move |fault: charge::id::BadId| Fault::malformed(path, format!("The id {fault}."))
        };
        let current = match self.current.as_str() {
            "AC_1_PHASE" => Current::Ac1Phase,
            "AC_3_PHASE" => Current::Ac3Phase,
            "DC" => Current::Dc,
            _ => return Err(Fault::malformed(path("current"), "AC_1_PHASE, AC_3_PHASE or DC.")),
        };
        let connector = Connector {
            id: ConnectorId::new("1").map_err(|_| Fault::Internal)?,
            plug: Plug::named(&self.plug),
            attached_cable: self.attached_cable,
            current,
            max_voltage_v: self.max_voltage_v,
            max_amperage_a: self.max_amperage_a,
            max_power: Power::from_watts(self.max_power_w),
            tariffs: self.tariff.into_iter().map(TariffId::new).collect::<Result<_, _>>().map_err(bad("tariff"))?,
        };
        Ok(Evse {
            uid: EvseUid::new(&self.uid).map_err(bad("uid"))?,
            id: self.evse_id.map(EvseId::new).transpose().map_err(bad("evse_id"))?,
            status: EvseStatus::Unknown,
            connectors: vec![connector],
            capabilities: capabilities(self.capabilities, &path("capabilities"))?,
            physical_reference: self.physical_reference,
            last_updated: now,
        })
    }
}

#[utoipa::path(put, path = "/api/p/operator/locations/{id}", tag = "operator", request_body = WriteLocation,
    params(("id" = String, Path)), responses((status = 204), (status = 400, body = ErrorBody)))]
pub(crate) async fn put(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
    Body(wish): Body<WriteLocation>,
) -> Result<StatusCode, Fault> {
    let id = LocationId::new(&id).map_err(|fault| Fault::malformed("/id", format!("The id {fault}.")))?;
    let (head, evses) = wish.parts();
    if evses.len() > EVSES_MAX {
        return Err(Fault::malformed("/evses", format!("A location has up to {EVSES_MAX} EVSEs.")));
    }
    let head = head.read()?;
    let now = desk.clock.now();
    let evses = evses.into_iter().enumerate().map(|(at, evse)| evse.read(&format!("/evses/{at}"), now));
    let location = charge::place::Location {
        party: desk.room.setup().party,
        id,
        name: head.name,
        address: head.address,
        city: head.city,
        postal_code: head.postal_code,
        country: head.country,
        position: head.position,
        time_zone: head.time_zone,
        operator_name: Some(desk.room.setup().name.clone()),
        evses: evses.collect::<Result<_, _>>()?,
        last_updated: now,
    };
    desk.room.put_location(&actor.name, location).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn country(text: String) -> Result<String, Fault> {
    let code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    if code { Ok(text) } else { Err(Fault::malformed("/country", "Three capital letters like DEU are expected.")) }
}

fn position(lat: &str, lon: &str) -> Result<Position, Fault> {
    let found = degrees_e7(lat).zip(degrees_e7(lon)).and_then(|(lat, lon)| Position::new(lat, lon));
    found.ok_or_else(|| Fault::malformed("/lat", "These are no degrees on earth."))
}

fn degrees_e7(text: &str) -> Option<i64> {
    let degrees: Decimal = text.trim().parse().ok()?;
    i64::try_from(degrees.checked_mul(Decimal::from(10_000_000))?.round()).ok()
}
