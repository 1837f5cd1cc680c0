//! Locations, EVSEs and connectors (OCPI 2.2.1, module 8).
//!
//! One unreadable EVSE or connector is left out and told; the location stands. A location that must not be published
//! is refused, because our word cannot keep that wish. Pictures, opening hours and energy mixes are not carried.

use charge::id::{BadId, EvseUid};
use charge::place::{Capability, Connector, Current, Evse, EvseStatus, Location, Plug, Position};
use charge::units::Power;
use charge::{Decimal, Timestamp};
use rust_decimal::RoundingStrategy;

use crate::read::{At, Fault, Lost};
use crate::token::read_party;
use crate::write::{Doc, Record, fitted, time};

/// OCPI 2.2.1, 8.3.1; the same limit holds for `city`, and for the address of a CDR (10.4.4).
pub(crate) const LINE_CHARACTERS_MAX: usize = 45;
const ADDRESS_CHARACTERS_MAX: usize = 255;
pub(crate) const NAME_CHARACTERS_MAX: usize = 255;
pub(crate) const POSTAL_CODE_CHARACTERS_MAX: usize = 10;
/// OCPI 2.2.1, 8.3.2 `physical_reference`.
const REFERENCE_CHARACTERS_MAX: usize = 16;
/// OCPI 2.2.1, 8.4.2 `BusinessDetails`.
const BUSINESS_CHARACTERS_MAX: usize = 100;

pub(crate) const CURRENTS: &[(&str, Current)] = &[
    ("AC_1_PHASE", Current::Ac1Phase),
    ("AC_2_PHASE", Current::Ac1Phase),
    ("AC_2_PHASE_SPLIT", Current::Ac1Phase),
    ("AC_3_PHASE", Current::Ac3Phase),
    ("DC", Current::Dc),
];
pub(crate) const FORMATS: &[(&str, bool)] = &[("CABLE", true), ("SOCKET", false)];

pub(crate) const fn current_word(current: Current) -> &'static str {
    match current {
        Current::Ac1Phase => "AC_1_PHASE",
        Current::Ac3Phase => "AC_3_PHASE",
        Current::Dc => "DC",
    }
}

pub(crate) const fn format_word(attached_cable: bool) -> &'static str {
    if attached_cable { "CABLE" } else { "SOCKET" }
}

pub(crate) fn write(location: &Location, lost: &mut Lost) -> Doc {
    let mut evses = Vec::new();
    for (index, evse) in location.evses.iter().enumerate() {
        let path = format!("/evses/{index}");
        if evse.connectors.is_empty() {
            lost.push(Fault::new(path, "has no connector and is left out"));
        } else {
            evses.push(write_evse(evse, &path, lost));
        }
    }
    let operator = location.operator_name.as_ref();
    Record::default()
        .with("country_code", location.party.country())
        .with("party_id", location.party.code())
        .with("id", location.id.as_str())
        .with("publish", true)
        .maybe("name", location.name.as_ref().map(|name| fitted(name, NAME_CHARACTERS_MAX, "/name", lost)))
        .with("address", fitted(&location.address, ADDRESS_CHARACTERS_MAX, "/address", lost))
        .with("city", fitted(&location.city, LINE_CHARACTERS_MAX, "/city", lost))
        .maybe("postal_code", postal_code(location.postal_code.as_deref(), lost))
        .with("country", location.country.as_str())
        .with("coordinates", write_position(location.position))
        .some("evses", evses)
        .maybe(
            "operator",
            operator.map(|name| {
                Record::default().with("name", fitted(name, BUSINESS_CHARACTERS_MAX, "/operator/name", lost))
            }),
        )
        .with("time_zone", location.time_zone.as_str())
        .with("last_updated", time(location.last_updated))
        .into()
}

pub(crate) fn postal_code(code: Option<&str>, lost: &mut Lost) -> Option<String> {
    code.map(|code| fitted(code, POSTAL_CODE_CHARACTERS_MAX, "/postal_code", lost))
}

fn write_evse(evse: &Evse, path: &str, lost: &mut Lost) -> Doc {
    let reference = evse.physical_reference.as_ref();
    let connectors: Vec<Doc> =
        evse.connectors.iter().map(|connector| write_connector(connector, evse.last_updated)).collect();
    Record::default()
        .with("uid", evse.uid.as_str())
        .maybe("evse_id", evse.id.as_ref().map(charge::id::EvseId::as_str))
        .with("status", evse.status.as_str())
        .some("capabilities", evse.capabilities.iter().map(|one| Doc::from(one.as_str())).collect())
        .with("connectors", connectors)
        .maybe(
            "physical_reference",
            reference.map(|text| fitted(text, REFERENCE_CHARACTERS_MAX, &format!("{path}/physical_reference"), lost)),
        )
        .with("last_updated", time(evse.last_updated))
        .into()
}

fn write_connector(connector: &Connector, at: Timestamp) -> Doc {
    let tariffs = connector.tariffs.iter().map(|id| Doc::from(id.as_str())).collect();
    Record::default()
        .with("id", connector.id.as_str())
        .with("standard", connector.plug.as_str())
        .with("format", format_word(connector.attached_cable))
        .with("power_type", current_word(connector.current))
        .with("max_voltage", connector.max_voltage_v)
        .with("max_amperage", connector.max_amperage_a)
        .with("max_electric_power", connector.max_power.watts())
        .some("tariff_ids", tariffs)
        .with("last_updated", time(at))
        .into()
}

/// Seven decimals, the most that OCPI allows (8.4.14 `GeoLocation`).
pub(crate) fn write_position(position: Position) -> Doc {
    let (latitude, longitude) = position.degrees();
    Record::default().with("latitude", format!("{latitude:.7}")).with("longitude", format!("{longitude:.7}")).into()
}

pub(crate) fn read_position(at: &At<'_>) -> Result<Position, Fault> {
    let e7 = |name: &str| -> Result<i64, Fault> {
        let at = at.need(name)?;
        let scaled = at.decimal()?.checked_mul(Decimal::from(10_000_000));
        let whole = scaled.map(|e7| e7.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero));
        whole.and_then(|e7| i64::try_from(e7).ok()).ok_or_else(|| at.fault("is no position on earth"))
    };
    Position::new(e7("latitude")?, e7("longitude")?).ok_or_else(|| at.fault("is no position on earth"))
}

pub(crate) fn read(at: &At<'_>, lost: &mut Lost) -> Result<Location, Fault> {
    if let Some(publish) = at.field("publish")
        && !publish.yes_or_no()?
    {
        return Err(publish.fault("is false: what must not be shown is not taken"));
    }
    at.unworded(
        &[
            "state",
            "related_locations",
            "parking_type",
            "directions",
            "suboperator",
            "owner",
            "facilities",
            "opening_times",
            "charging_when_closed",
            "images",
            "energy_mix",
        ],
        lost,
    );
    let mut evses = Vec::new();
    for evse in at.list("evses")? {
        match read_evse(&evse, lost) {
            Ok(evse) => evses.push(evse),
            Err(fault) => lost.push(fault),
        }
    }
    Ok(Location {
        party: read_party(at)?,
        id: at.need("id")?.word()?,
        name: at.maybe("name", lost, At::text),
        address: at.need("address")?.text()?,
        city: at.need("city")?.text()?,
        postal_code: at.maybe("postal_code", lost, At::text),
        country: read_country(&at.need("country")?)?,
        position: read_position(&at.need("coordinates")?)?,
        time_zone: at.maybe("time_zone", lost, At::text).unwrap_or_else(|| "UTC".to_owned()),
        operator_name: at.field("operator").and_then(|operator| operator.maybe("name", lost, At::text)),
        evses,
        last_updated: at.need("last_updated")?.time()?,
    })
}

/// ISO 3166-1 alpha-3.
pub(crate) fn read_country(at: &At<'_>) -> Result<String, Fault> {
    let country = at.text()?.trim().to_ascii_uppercase();
    let fits = country.len() == 3 && country.bytes().all(|c| c.is_ascii_uppercase());
    fits.then_some(country).ok_or_else(|| at.fault("is not a country code of three letters"))
}

pub(crate) fn read_evse(at: &At<'_>, lost: &mut Lost) -> Result<Evse, Fault> {
    at.unworded(
        &["status_schedule", "floor_level", "coordinates", "directions", "parking_restrictions", "images"],
        lost,
    );
    let mut connectors = Vec::new();
    for connector in at.list("connectors")? {
        match read_connector(&connector, lost) {
            Ok(connector) => connectors.push(connector),
            Err(fault) => lost.push(fault),
        }
    }
    let mut capabilities = Vec::new();
    for one in at.maybe("capabilities", lost, At::items).unwrap_or_default() {
        // newer versions may know more (OCPI 2.3.0, 8.4.3: an open list)
        let known = one.text().map(|text| Capability::named(text.trim().to_ascii_uppercase().as_str()));
        match known {
            Ok(Some(known)) => capabilities.push(known),
            Ok(None) => lost.push(one.fault("is no capability known here")),
            Err(fault) => lost.push(fault),
        }
    }
    Ok(Evse {
        uid: at.need("uid")?.word::<EvseUid>()?,
        id: at.maybe("evse_id", lost, At::word),
        status: read_status(&at.need("status")?)?,
        connectors,
        capabilities: capabilities.into_iter().collect(),
        physical_reference: at.maybe("physical_reference", lost, At::text),
        last_updated: at.need("last_updated")?.time()?,
    })
}

pub(crate) fn read_status(at: &At<'_>) -> Result<EvseStatus, Fault> {
    let text = at.text()?.trim().to_ascii_uppercase();
    text.parse().map_err(|_: BadId| at.fault("is no status of an EVSE"))
}

fn read_connector(at: &At<'_>, lost: &mut Lost) -> Result<Connector, Fault> {
    at.unworded(&["terms_and_conditions"], lost);
    let current = at.need("power_type")?.one_of(CURRENTS)?;
    let (voltage, amperage) = (at.need("max_voltage")?.rounded()?, at.need("max_amperage")?.rounded()?);
    let power = at.maybe("max_electric_power", lost, At::rounded).map(i64::from);
    let mut tariffs = Vec::new();
    for tariff in at.list("tariff_ids")? {
        tariff.word().map_or_else(|fault| lost.push(fault), |id| tariffs.push(id));
    }
    Ok(Connector {
        id: at.need("id")?.word()?,
        plug: Plug::named(at.need("standard")?.text()?.trim()),
        attached_cable: at.need("format")?.one_of(FORMATS)?,
        current,
        max_voltage_v: voltage,
        max_amperage_a: amperage,
        max_power: Power::from_watts(power.unwrap_or_else(|| greatest_watts(current, voltage, amperage))),
        tariffs,
    })
}

/// OCPI leaves the power out where it follows: `max_voltage` is line to neutral for three phases (8.3.3).
fn greatest_watts(current: Current, voltage_v: u32, amperage_a: u32) -> i64 {
    let phases = match current {
        Current::Ac1Phase | Current::Dc => 1,
        Current::Ac3Phase => 3,
    };
    i64::from(voltage_v).saturating_mul(i64::from(amperage_a)).saturating_mul(phases)
}
