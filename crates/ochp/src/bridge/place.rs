//! Locations: one record per EVSE here, one location with its EVSEs on the road.
//!
//! What OCHP demands and the road does not say is filled with the least that the schema allows, and told. Electrical
//! values that OCHP does not have are worked out from the power, and told.

use charge::id::{ConnectorId, LocationId, PartyId, TariffId};
use charge::place::{Capabilities, Capability, Connector, Current, Evse, Location, Plug, Position};
use charge::units::Power;
use charge::{Decimal, Timestamp};

use super::name::{evse_id, evse_uid, location_id, same_evse, tariff_id};
use super::status::{standing, status_of};
use crate::read::{Crossed, Fault, Lost};
use crate::scalar::{self, Country, DateTime, Language, Latitude, Longitude, Text, ZipCode};
use crate::types::place::{
    Address, AuthMethod, ChargePoint, Connector as WireConnector, ConnectorFormat, ConnectorStandard, GeoPoint,
    PowerType, Ratings, Surroundings,
};

/// ISO 639-3 for a language that is not told.
const UNDETERMINED: &str = "UND";
/// What stands for a postal code where there is none: the least that the schema takes.
const NO_ZIP: &str = "-";
/// Volts between phase and neutral, and of a usual DC charger.
const AC_VOLTS: u32 = 230;
const DC_VOLTS: u32 = 400;
/// More than this is not charged over one phase in the countries of OCHP.
const ONE_PHASE_WATTS_MAX: i64 = 7_400;
/// How an EVSE is paid or opened, in both languages.
const METHODS: [(AuthMethod, Capability); 5] = [
    (AuthMethod::DirectCreditcard, Capability::CreditCard),
    (AuthMethod::DirectDebitcard, Capability::DebitCard),
    (AuthMethod::RfidMifareClassic, Capability::RfidReader),
    (AuthMethod::RfidMifareDesfire, Capability::RfidReader),
    (AuthMethod::OchpDirect, Capability::RemoteStartStop),
];
/// What is said of an EVSE that can be reserved: no longer than OCHPdirect recommends.
const RESERVATION_MINUTES: u32 = 30;
/// The schema takes no more.
const VOLTS_MAX: u32 = 1_000;

/// A location as its charge points. An EVSE without a public id cannot be told about here.
pub fn charge_points(location: &Location, direct: bool) -> Result<Crossed<Vec<ChargePoint>>, Fault> {
    let mut lost = Lost::new();
    let mut points = Vec::new();
    for (index, evse) in location.evses.iter().enumerate() {
        match charge_point(location, evse, direct, &mut lost) {
            Ok(point) => points.push(point),
            Err(fault) => lost.push(Fault::new(format!("/evses/{index}{}", fault.path), fault.why)),
        }
    }
    if points.is_empty() {
        Err(Fault::new("/evses", "has none that OCHP can name"))
    } else {
        Ok(Crossed { value: points, lost })
    }
}

fn charge_point(location: &Location, evse: &Evse, direct: bool, lost: &mut Lost) -> Result<ChargePoint, Fault> {
    let id = evse.id.as_ref().and_then(evse_id);
    let id = id.ok_or_else(|| Fault::new("/evse_id", "is missing or has no form that OCHP knows"))?;
    let dc = evse.connectors.iter().any(|connector| connector.current == Current::Dc);
    let power = evse.connectors.iter().map(|connector| connector.max_power).max().unwrap_or_default();
    let volts =
        evse.connectors.iter().map(|connector| connector.max_voltage_v).max().filter(|v| (1..=VOLTS_MAX).contains(v));
    let connectors = evse.connectors.iter().map(|connector| wire_connector(location.party, connector, lost));
    let connectors: Vec<WireConnector> = connectors.collect();
    if connectors.is_empty() {
        return Err(Fault::new("/connectors", "is empty"));
    }
    if evse.connectors.iter().any(|connector| connector.tariffs.len() > 1) {
        lost.push(Fault::new("/connectors", "have further tariffs; OCHP takes one"));
    }
    lost.push(Fault::new("/connectors", "are carried without volts and amperes of each"));
    if location.position.latitude_e7 % 10 != 0 || location.position.longitude_e7 % 10 != 0 {
        lost.push(Fault::new("/coordinates", "are rounded to six decimal places"));
    }
    let (name, cut) = Text::fitted(location.name.as_deref().unwrap_or(&location.address));
    if cut {
        lost.push(Fault::new("/name", "is cut"));
    }
    let unsaid = evse
        .capabilities
        .iter()
        .find(|one| METHODS.iter().all(|(_, known)| known != one) && *one != Capability::Reservable);
    if unsaid.is_some() {
        lost.push(Fault::new("/capabilities", "has some without a word in OCHP"));
    }
    let cards = [AuthMethod::RfidMifareClassic, AuthMethod::RfidMifareDesfire];
    let known = METHODS.iter().filter(|(_, one)| evse.capabilities.has(*one)).map(|(method, _)| *method);
    let mut auth_methods: Vec<AuthMethod> =
        known.filter(|method| direct || *method != AuthMethod::OchpDirect).collect();
    auth_methods.extend((direct && !auth_methods.contains(&AuthMethod::OchpDirect)).then_some(AuthMethod::OchpDirect));
    if auth_methods.is_empty() {
        // the schema wants one, and a public EVSE that says nothing takes cards
        auth_methods.extend(cards);
    }
    Ok(ChargePoint {
        evse: id,
        location: location_id(&location.id).ok_or_else(|| Fault::new("/id", "has no form in OCHP"))?,
        timestamp: Some(DateTime::new(location.last_updated.max(evse.last_updated))),
        name,
        name_language: Language::new(UNDETERMINED).ok_or_else(|| Fault::new("/name", "has no language"))?,
        images: Vec::new(),
        resources: Vec::new(),
        address: address(&location.address, &location.city, location.postal_code.as_deref(), &location.country, lost)?,
        position: geo_point(location.position)?,
        related: Vec::new(),
        time_zone: Text::new(location.time_zone.as_str()).filter(|zone| !zone.as_str().is_empty()),
        hours: None,
        standing: Some(standing(evse.status)),
        schedule: Vec::new(),
        telephone: None,
        surroundings: Surroundings::Unknown,
        spots: Vec::new(),
        rules: Vec::new(),
        auth_methods,
        connectors,
        power_type: if dc { PowerType::Dc } else { PowerType::Ac },
        ratings: Some(Ratings { maximum_power: power.kilowatts(), guaranteed_power: None, nominal_voltage: volts }),
        languages: Vec::new(),
        max_reservation: evse.capabilities.has(Capability::Reservable).then_some(RESERVATION_MINUTES),
    })
}

fn capabilities(point: &ChargePoint) -> Capabilities {
    let methods = METHODS.iter().filter(|(method, _)| point.auth_methods.contains(method)).map(|(_, one)| *one);
    methods.chain(point.max_reservation.map(|_| Capability::Reservable)).collect()
}

pub(crate) fn address(
    street: &str,
    city: &str,
    zip: Option<&str>,
    country: &str,
    lost: &mut Lost,
) -> Result<Address, Fault> {
    let (street, street_cut) = Text::fitted(street);
    let (city, city_cut) = Text::fitted(city);
    if street_cut || city_cut {
        lost.push(Fault::new("/address", "is cut to 45 characters"));
    }
    let said = zip.and_then(|zip| ZipCode::new(zip.trim()));
    if said.is_none() {
        lost.push(Fault::new(
            "/postal_code",
            "is missing or has other characters than OCHP takes; a dash stands for it",
        ));
    }
    let zip = said.or_else(|| ZipCode::new(NO_ZIP)).ok_or_else(|| Fault::new("/postal_code", "cannot be written"))?;
    let country = Country::new(country).ok_or_else(|| Fault::new("/country", "is no country of three letters"))?;
    Ok(Address { house_number: None, street, city, zip, country })
}

fn geo_point(position: Position) -> Result<GeoPoint, Fault> {
    let degrees = |e7: i32| {
        let rounded = Decimal::new(i64::from(e7), 7)
            .round_dp_with_strategy(6, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
        format!("{rounded:.6}")
    };
    let (lat, lon) = (Latitude::new(&degrees(position.latitude_e7)), Longitude::new(&degrees(position.longitude_e7)));
    let point = lat.zip(lon).map(|(lat, lon)| GeoPoint { lat, lon });
    point.ok_or_else(|| Fault::new("/coordinates", "are no place on earth"))
}

fn wire_connector(party: PartyId, connector: &Connector, lost: &mut Lost) -> WireConnector {
    let tariff = connector.tariffs.first().and_then(|id| tariff_id(party, id));
    let standard = standard(connector.plug.as_str(), connector.current, lost);
    let format = if connector.attached_cable { ConnectorFormat::Cable } else { ConnectorFormat::Socket };
    WireConnector { standard, format, tariff }
}

/// A plug without a word in OCHP is written as the usual one for its current.
pub(crate) fn standard(plug: &str, current: Current, lost: &mut Lost) -> ConnectorStandard {
    ConnectorStandard::named(plug).unwrap_or_else(|| {
        lost.push(Fault::new("/connectors/standard", "has no word in OCHP and is written as the usual plug"));
        if current == Current::Dc { ConnectorStandard::Type2Combo } else { ConnectorStandard::Type2 }
    })
}

/// The charge points of one location. What they say differently, the first one's word counts.
pub fn location(points: &[ChargePoint], party: PartyId, now: Timestamp) -> Result<Crossed<Location>, Fault> {
    let first = points.first().ok_or_else(|| Fault::new("", "is no charge point"))?;
    let mut lost = Lost::new();
    let mut evses: Vec<Evse> = Vec::new();
    for point in points {
        let evse = evse(point, now, &mut lost)?;
        if evses.iter().all(|known| known.uid != evse.uid) {
            evses.push(evse);
        }
    }
    for (said, path) in [
        (first.hours.is_some(), "/openingTimes"),
        (!first.images.is_empty(), "/images"),
        (!first.resources.is_empty(), "/relatedResource"),
        (!first.related.is_empty(), "/relatedLocation"),
        (!first.spots.is_empty(), "/parkingSpot"),
        (!first.rules.is_empty(), "/restriction"),
        (!first.schedule.is_empty(), "/statusSchedule"),
        (first.telephone.is_some(), "/telephoneNumber"),
    ] {
        if said {
            lost.push(Fault::new(path, "has no word on our road"));
        }
    }
    let id = first.location.as_str().replace(' ', "_");
    let street = first.address.street.as_str();
    let value = Location {
        party,
        id: LocationId::new(id).map_err(|_| Fault::new("/locationId", "is no id of a location"))?,
        name: Some(first.name.as_str().to_owned()),
        address: match &first.address.house_number {
            Some(number) => format!("{street} {}", number.as_str()),
            None => street.to_owned(),
        },
        city: first.address.city.as_str().to_owned(),
        postal_code: Some(first.address.zip.as_str()).filter(|zip| *zip != NO_ZIP).map(str::to_owned),
        country: first.address.country.as_str().to_owned(),
        position: position(&first.position)?,
        time_zone: first.time_zone.as_ref().map_or_else(|| "UTC".to_owned(), |zone| zone.as_str().to_owned()),
        operator_name: None,
        evses,
        last_updated: points.iter().filter_map(|point| point.timestamp).max().map_or(now, DateTime::at),
    };
    if first.time_zone.is_none() {
        lost.push(Fault::new("/timeZone", "is missing; UTC stands for it"));
    }
    Ok(Crossed { value, lost })
}

/// The locations of a list of charge points, each with its points in the order they came.
pub fn by_location(points: Vec<ChargePoint>) -> Vec<Vec<ChargePoint>> {
    let mut places: Vec<Vec<ChargePoint>> = Vec::new();
    for point in points {
        match places.iter_mut().find(|place| place.iter().any(|known| known.location == point.location)) {
            Some(place) => place.push(point),
            None => places.push(vec![point]),
        }
    }
    places
}

fn evse(point: &ChargePoint, now: Timestamp, lost: &mut Lost) -> Result<Evse, Fault> {
    let power = point.ratings.as_ref().map(|ratings| ratings.maximum_power).unwrap_or_default();
    let milliwatts = power.checked_mul(Decimal::from(1_000_000)).and_then(|mw| i64::try_from(mw.trunc()).ok());
    let power = Power::from_milliwatts(
        milliwatts.filter(|mw| *mw >= 0).ok_or_else(|| Fault::new("/ratings/maximumPower", "is no power"))?,
    );
    let volts = point.ratings.as_ref().and_then(|ratings| ratings.nominal_voltage);
    lost.push(Fault::new("/connectors", "have no volts and amperes of their own; worked out from the power"));
    let connectors =
        point.connectors.iter().enumerate().map(|(index, wire)| connector(index, wire, point.power_type, power, volts));
    Ok(Evse {
        uid: evse_uid(&point.evse).ok_or_else(|| Fault::new("/evseId", "is no EVSE id"))?,
        id: charge::id::EvseId::new(point.evse.as_str()).ok(),
        status: status_of(point.standing),
        connectors: connectors.collect::<Result<_, _>>()?,
        capabilities: capabilities(point),
        physical_reference: None,
        last_updated: point.timestamp.map_or(now, DateTime::at),
    })
}

fn connector(
    index: usize,
    wire: &WireConnector,
    kind: PowerType,
    power: Power,
    volts: Option<u32>,
) -> Result<Connector, Fault> {
    let (current, phases) = match kind {
        PowerType::Dc => (Current::Dc, 1),
        PowerType::Ac if power.watts() > ONE_PHASE_WATTS_MAX => (Current::Ac3Phase, 3),
        PowerType::Ac => (Current::Ac1Phase, 1),
    };
    let usual = if kind == PowerType::Dc { DC_VOLTS } else { AC_VOLTS };
    // a three-phase EVSE that says 400 V means between phases
    let volts = if current == Current::Ac3Phase { AC_VOLTS } else { volts.filter(|v| *v > 0).unwrap_or(usual) };
    let amperes = power.watts() / (i64::from(volts) * phases);
    let id = ConnectorId::new((index + 1).to_string()).map_err(|_| Fault::new("/connectors", "cannot be numbered"))?;
    Ok(Connector {
        id,
        plug: Plug::named(road_plug(wire.standard)),
        attached_cable: wire.format == ConnectorFormat::Cable,
        current,
        max_voltage_v: volts,
        max_amperage_a: u32::try_from(amperes).unwrap_or_default(),
        max_power: power,
        tariffs: wire.tariff.iter().filter_map(|id| TariffId::new(id.as_str()).ok()).collect(),
    })
}

/// The spelling of OCPI, which differs in one word.
pub(crate) const fn road_plug(standard: ConnectorStandard) -> &'static str {
    match standard {
        ConnectorStandard::Chademo => "CHADEMO",
        other => other.as_str(),
    }
}

fn position(point: &GeoPoint) -> Result<Position, Fault> {
    let e7 = |text: &str| {
        let degrees: Decimal = text.parse().ok()?;
        i64::try_from((degrees * Decimal::from(10_000_000)).trunc()).ok()
    };
    let found = e7(point.lat.as_str()).zip(e7(point.lon.as_str())).and_then(|(lat, lon)| Position::new(lat, lon));
    found.ok_or_else(|| Fault::new("/chargePointLocation", "is no place on earth"))
}

/// The EVSE of a location that OCHP names.
pub fn find_evse<'l>(location: &'l Location, id: &scalar::EvseId) -> Option<&'l Evse> {
    location.evses.iter().find(|evse| evse.id.as_ref().is_some_and(|known| same_evse(known.as_str(), id.as_str())))
}
