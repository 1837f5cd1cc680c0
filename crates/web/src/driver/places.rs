//! The map and its places, with the price of every charging point before anything starts.

use ::provider::{Area, EvsePrice, Place as RoomPlace, PlacePoint, Provider};
use axum::Json;
use axum::extract::State;
use billing::price::Offer as RoomOffer;
use charge::Decimal;
use charge::id::{LocationId, PartyId};
use charge::money::Currency;
use charge::place::{Connector as RoomConnector, Current, Evse, EvseStatus, Position};
use charge::tariff::Dimension;
use charge::units::Power;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::fault::{ErrorBody, Fault};
use crate::provider::invoices::fine;
use crate::shape::List;
use crate::stage::{Path, Query};

/// A part of the map in degrees; what is left out does not limit. `west` above `east` goes over the date line.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Square {
    west: Option<String>,
    south: Option<String>,
    east: Option<String>,
    north: Option<String>,
}

impl Square {
    fn area(&self) -> Result<Area, Fault> {
        let corner = |north: &Option<String>, east: &Option<String>, names: [&str; 2], all: [i64; 2]| {
            let latitude = degrees(north.as_deref(), names[0], all[0])?;
            let longitude = degrees(east.as_deref(), names[1], all[1])?;
            Position::new(latitude, longitude).ok_or_else(|| Fault::malformed(names[0], "This is not on Earth."))
        };
        Ok(Area {
            south_west: corner(&self.south, &self.west, ["?south", "?west"], [-90, -180])?,
            north_east: corner(&self.north, &self.east, ["?north", "?east"], [90, 180])?,
        })
    }
}

/// Ten-millionths of a degree.
fn degrees(text: Option<&str>, name: &str, whole: i64) -> Result<i64, Fault> {
    let text = text.filter(|text| !text.is_empty());
    let Some(text) = text else { return Ok(whole * E7) };
    let number = text.parse::<Decimal>().ok().and_then(|number| number.checked_mul(E7.into()));
    let number = number.and_then(|number| number.round().to_string().parse().ok());
    number.ok_or_else(|| Fault::malformed(name, "Degrees like 11.5 are expected."))
}

const E7: i64 = 10_000_000;

/// A charging location as a point on the map.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Place {
    location: String,
    operator: String,
    operator_name: Option<String>,
    name: Option<String>,
    address: String,
    city: String,
    /// Degrees as text.
    lat: String,
    lon: String,
    /// Charging points that are free now.
    available: u32,
    /// Charging points in all, without those that are gone.
    total: u32,
    max_power_w: i64,
}

impl From<PlacePoint> for Place {
    fn from(point: PlacePoint) -> Self {
        let (lat, lon) = point.position.degrees();
        Self {
            location: point.location.to_string(),
            operator: point.operator.to_string(),
            operator_name: point.operator_name,
            name: point.name,
            address: point.address,
            city: point.city,
            lat: lat.normalize().to_string(),
            lon: lon.normalize().to_string(),
            available: point.available,
            total: point.total,
            max_power_w: point.max_power.watts(),
        }
    }
}

#[utoipa::path(get, path = "/api/p/{slug}/driver/places", tag = "driver", params(("slug" = String, Path), Square),
    responses((status = 200, body = List<Place>), (status = 400, body = ErrorBody)))]
pub(crate) async fn list(
    State(room): State<Provider>,
    Query(square): Query<Square>,
) -> Result<Json<List<Place>>, Fault> {
    let points = room.places(square.area()?).await?;
    Ok(Json(List::whole(points.into_iter().map(Into::into).collect())))
}

/// A location with its charging points.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlaceWithPrices {
    #[serde(flatten)]
    place: Place,
    evses: Vec<ChargingPoint>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChargingPoint {
    uid: String,
    evse_id: Option<String>,
    /// OCPI's word, for example `AVAILABLE`.
    status: &'static str,
    /// Painted on the pole.
    reference: Option<String>,
    connectors: Vec<Connector>,
    /// Null: no price is known, so nothing can be started.
    tariff: Option<Price>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Connector {
    /// OCPI's word, for example `IEC_62196_T2`.
    plug: String,
    attached_cable: bool,
    power_w: i64,
    /// `AC_1_PHASE`, `AC_3_PHASE` or `DC`.
    current: &'static str,
}

/// What charging costs there now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlacePrice)]
pub(crate) struct Price {
    id: String,
    /// To be sent back with the start: it says which price was shown.
    stamp: String,
    text: Option<String>,
    /// In the order of the law (EU 2023/1804, 5(4)): per kWh, per minute, per session.
    offers: Vec<Offer>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Offer {
    /// In plain words, with its condition.
    #[schema(example = "per kWh")]
    label: String,
    /// With VAT where the tariff names it.
    #[schema(example = "0.58")]
    gross: String,
    net: String,
    vat_percent: Option<String>,
    currency: String,
    /// Whether it can apply at this moment.
    now: bool,
}

#[utoipa::path(get, path = "/api/p/{slug}/driver/places/{operator}/{location}", tag = "driver",
    params(("slug" = String, Path), ("operator" = String, Path), ("location" = String, Path)),
    responses((status = 200, body = PlaceWithPrices), (status = 404, body = ErrorBody)))]
pub(crate) async fn show(
    State(room): State<Provider>,
    Path((operator, location)): Path<(String, String)>,
) -> Result<Json<PlaceWithPrices>, Fault> {
    let operator: PartyId = operator.parse().map_err(|_| Fault::NotFound)?;
    let location = LocationId::new(&location).map_err(|_| Fault::NotFound)?;
    Ok(Json(room.place(operator, location).await?.into()))
}

impl From<RoomPlace> for PlaceWithPrices {
    fn from(found: RoomPlace) -> Self {
        let RoomPlace { location, prices } = found;
        let there: Vec<&Evse> = location.evses.iter().filter(|evse| evse.status != EvseStatus::Removed).collect();
        let free = there.iter().filter(|evse| evse.status == EvseStatus::Available).count();
        let powers = there.iter().flat_map(|evse| &evse.connectors).map(|connector| connector.max_power);
        let point = PlacePoint {
            operator: location.party,
            location: location.id,
            name: location.name,
            address: location.address,
            city: location.city,
            position: location.position,
            operator_name: location.operator_name,
            available: u32::try_from(free).unwrap_or(u32::MAX),
            total: u32::try_from(there.len()).unwrap_or(u32::MAX),
            max_power: powers.max().unwrap_or(Power::ZERO),
        };
        let evses = location.evses.into_iter().zip(prices).filter(|(evse, _)| evse.status != EvseStatus::Removed);
        Self { place: point.into(), evses: evses.map(charging_point).collect() }
    }
}

fn charging_point((evse, price): (Evse, EvsePrice)) -> ChargingPoint {
    ChargingPoint {
        uid: evse.uid.to_string(),
        evse_id: evse.id.map(|id| id.to_string()),
        status: evse.status.as_str(),
        reference: evse.physical_reference,
        connectors: evse.connectors.into_iter().map(Into::into).collect(),
        tariff: offered(price),
    }
}

impl From<RoomConnector> for Connector {
    fn from(connector: RoomConnector) -> Self {
        Self {
            plug: connector.plug.as_str().to_owned(),
            attached_cable: connector.attached_cable,
            power_w: connector.max_power.watts(),
            current: match connector.current {
                Current::Ac1Phase => "AC_1_PHASE",
                Current::Ac3Phase => "AC_3_PHASE",
                Current::Dc => "DC",
            },
        }
    }
}

fn offered(price: EvsePrice) -> Option<Price> {
    let (stamp, tariff) = price.stamp.zip(price.tariff)?;
    Some(Price {
        id: tariff.id.to_string(),
        stamp: stamp.to_string(),
        offers: price.offers.into_iter().map(|it| offer(it, tariff.currency)).collect(),
        text: tariff.text,
    })
}

fn offer(offer: RoomOffer, currency: Currency) -> Offer {
    let unit = match offer.dimension {
        Dimension::Energy => "per kWh",
        Dimension::Time => "per minute",
        Dimension::ParkingTime => "per minute connected without charging",
        Dimension::Flat => "per session",
    };
    Offer {
        label: match offer.condition {
            Some(condition) => format!("{unit}, {condition}"),
            None => unit.to_owned(),
        },
        gross: fine(offer.gross),
        net: fine(offer.net),
        vat_percent: offer.vat_percent.map(|percent| percent.normalize().to_string()),
        currency: currency.to_string(),
        now: offer.now,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn square(west: &str, south: &str, east: &str, north: &str) -> Square {
        let side = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Square { west: side(west), south: side(south), east: side(east), north: side(north) }
    }

    #[test]
    fn a_square_without_sides_is_the_whole_earth() {
        let area = square("", "", "", "").area().unwrap();
        assert_eq!((area.south_west.latitude_e7, area.south_west.longitude_e7), (-900_000_000, -1_800_000_000));
        assert_eq!((area.north_east.latitude_e7, area.north_east.longitude_e7), (900_000_000, 1_800_000_000));
    }

    #[test]
    fn sides_are_exact_and_what_is_off_the_earth_is_named() {
        let area = square("11.5", "-48.1234567", "11.75", "48.30000000000000426").area().unwrap();
        assert_eq!((area.south_west.longitude_e7, area.south_west.latitude_e7), (115_000_000, -481_234_567));
        assert_eq!(area.north_east.latitude_e7, 483_000_000);
        let off = square("0", "0", "0", "91").area().unwrap_err();
        assert!(matches!(off, Fault::Malformed { path, .. } if path == "?north"));
        let word = square("west", "0", "0", "0").area().unwrap_err();
        assert!(matches!(word, Fault::Malformed { path, .. } if path == "?west"));
    }
}
