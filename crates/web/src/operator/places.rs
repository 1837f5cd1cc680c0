//! Locations with their EVSEs: where one can charge.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use charge::Decimal;
use charge::id::{ConnectorId, EvseId, EvseUid, LocationId, TariffId};
use charge::place::{Connector, Current, Evse, EvseStatus, Plug, Position};
use charge::units::Power;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Desk;
use super::stations::page;
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
}

impl From<charge::place::Location> for Location {
    fn from(place: charge::place::Location) -> Self {
        let (lat, lon) = place.position.degrees();
        let evse = |evse: Evse| LocationEvse {
            uid: evse.uid.to_string(),
            evse_id: evse.id.map(|id| id.to_string()),
            status: evse.status.as_str(),
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

#[utoipa::path(get, path = "/api/p/operator/locations", tag = "operator", params(Paging),
    responses((status = 200, body = List<Location>)))]
pub(crate) async fn list(
    State(desk): State<Desk>,
    Query(paging): Query<Paging>,
) -> Result<Json<List<Location>>, Fault> {
    let found = desk.room.locations(page(&paging)).await?;
    Ok(Json(List::page(found.items.into_iter().map(Into::into).collect(), found.total.into(), paging.offset())))
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
    if wish.evses.len() > EVSES_MAX {
        return Err(Fault::malformed("/evses", format!("A location has up to {EVSES_MAX} EVSEs.")));
    }
    let now = desk.clock.now();
    let evses = wish.evses.into_iter().enumerate().map(|(at, evse)| evse.read(&format!("/evses/{at}"), now));
    let position = degrees_e7(&wish.lat).zip(degrees_e7(&wish.lon)).and_then(|(lat, lon)| Position::new(lat, lon));
    let location = charge::place::Location {
        party: desk.room.setup().party,
        id,
        name: wish.name,
        address: wish.address,
        city: wish.city,
        postal_code: wish.postal_code,
        country: wish.country,
        position: position.ok_or_else(|| Fault::malformed("/lat", "These are no degrees on earth."))?,
        time_zone: wish.time_zone,
        operator_name: Some(desk.room.setup().name.clone()),
        evses: evses.collect::<Result<_, _>>()?,
        last_updated: now,
    };
    desk.room.put_location(&actor.name, location).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn degrees_e7(text: &str) -> Option<i64> {
    let degrees: Decimal = text.trim().parse().ok()?;
    i64::try_from(degrees.checked_mul(Decimal::from(10_000_000))?.round()).ok()
}
