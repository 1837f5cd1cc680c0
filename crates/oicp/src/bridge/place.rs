//! EVSE data and status (OICP 2.3, EvseDataRecordType, EvseStatusType) and locations.
//!
//! OICP lists EVSEs and has no locations: records of one charging pool, else of one charging station, make one. What OICP
//! wants and the words do not have is written as the plainest word that is true of a public charger, and told. An EVSE
//! without a public id cannot be named here.

use std::sync::Arc;

use charge::id::{ConnectorId, EvseId, EvseUid, LocationId, PartyId};
use charge::place::{Capabilities, Capability, Connector, Current, Evse, EvseStatus, Location, Plug, Position};
use charge::talk::road::evses::IndexedEvse;
use charge::talk::road::{Denial, Question};
use charge::units::Power;
use charge::{Decimal, Timestamp};

use super::{Beside, missing};
use crate::doc::{Doc, Fault, Lost, Record};
use crate::{country, form};

const STATUSES: [(&str, EvseStatus); 6] = [
    ("Available", EvseStatus::Available),
    ("Occupied", EvseStatus::Charging),
    ("Reserved", EvseStatus::Reserved),
    ("OutOfService", EvseStatus::OutOfOrder),
    ("EvseNotFound", EvseStatus::Removed),
    ("Unknown", EvseStatus::Unknown),
];

/// OICP's word for a status; `None` for an EVSE that does not exist yet.
pub const fn status_word(status: EvseStatus) -> Option<&'static str> {
    Some(match status {
        EvseStatus::Available => "Available",
        EvseStatus::Charging | EvseStatus::Blocked => "Occupied",
        EvseStatus::Reserved => "Reserved",
        EvseStatus::Inoperative | EvseStatus::OutOfOrder => "OutOfService",
        EvseStatus::Removed => "EvseNotFound",
        EvseStatus::Unknown => "Unknown",
        EvseStatus::Planned => return None,
    })
}

/// The plugs of OICP with their OCPI names, and whether a cable hangs on them.
const PLUGS: [(&str, &str, bool); 17] = [
    ("Small Paddle Inductive", "AVCON_SMALL_PADDLE", true),
    ("Large Paddle Inductive", "AVCON_LARGE_PADDLE", true),
    ("AVCON Connector", "AVCON", true),
    ("Tesla Connector", "TESLA_S", true),
    ("NEMA 5-20", "NEMA_5_20", false),
    ("Type E French Standard", "DOMESTIC_E", false),
    ("Type F Schuko", "DOMESTIC_F", false),
    ("Type G British Standard", "DOMESTIC_G", false),
    ("Type J Swiss Standard", "DOMESTIC_J", false),
    ("Type 1 Connector (Cable Attached)", "IEC_62196_T1", true),
    ("Type 2 Outlet", "IEC_62196_T2", false),
    ("Type 2 Connector (Cable Attached)", "IEC_62196_T2", true),
    ("Type 3 Outlet", "IEC_62196_T3C", false),
    ("IEC 60309 Single Phase", "IEC_60309_2_single_16", false),
    ("IEC 60309 Three Phase", "IEC_60309_2_three_16", false),
    ("CCS Combo 2 Plug (Cable Attached)", "IEC_62196_T2_COMBO", true),
    ("CHAdeMO", "CHADEMO", true),
];

const CURRENTS: [(&str, Current); 3] =
    [("AC_1_PHASE", Current::Ac1Phase), ("AC_3_PHASE", Current::Ac3Phase), ("DC", Current::Dc)];

/// A push of EVSE data: one location for the records that belong together, merged into what is known of it.
pub(crate) fn read_push(body: &Record, beside: &Beside<'_>, lost: &mut Lost) -> Result<Vec<Question>, Denial> {
    let data = body.record("OperatorEvseData").ok_or_else(|| missing("OperatorEvseData"))?;
    let party: PartyId = data.word("OperatorID").map_err(|_| Denial::NotYours)?;
    if body.text("ActionType") == Some("delete") {
        let gone = |record: &Record| record.word::<EvseId>("EvseID").ok().and_then(|id| beside.places.by_id(&id));
        let places = data.records("EvseDataRecord").filter_map(gone);
        return Ok(places.filter_map(|place| patch(&place, EvseStatus::Removed, beside.now)).collect());
    }
    let name = data.text("OperatorName");
    let full = body.text("ActionType") == Some("fullLoad");
    let records = data.records("EvseDataRecord");
    let locations = read_records(party, name, records, beside, full, lost);
    Ok(locations.into_iter().map(|location| Question::PutLocation(Box::new(location))).collect())
}

/// The locations that records make. One unreadable record is told and costs itself.
pub(crate) fn read_records<'r>(
    party: PartyId,
    operator: Option<&str>,
    records: impl Iterator<Item = &'r Record>,
    beside: &Beside<'_>,
    afresh: bool,
    lost: &mut Lost,
) -> Vec<Location> {
    let mut locations: Vec<Location> = Vec::new();
    for record in records {
        let read = location_id(record).and_then(|id| Ok((read_evse(record, party, beside, lost)?, id)));
        let (evse, id) = match read {
            Ok(read) => read,
            Err(fault) => {
                lost.push(fault);
                continue;
            }
        };
        if let Some(location) = locations.iter_mut().find(|location| location.id == id) {
            place_in(location, evse);
            continue;
        }
        let known = beside.places.location(party, &id).filter(|_| !afresh);
        match read_location(record, party, id, operator, beside, lost) {
            Ok(mut location) => {
                location.evses = known.map(|known| known.evses.clone()).unwrap_or_default();
                place_in(&mut location, evse);
                locations.push(location);
            }
            Err(fault) => lost.push(fault),
        }
    }
    locations
}

fn place_in(location: &mut Location, evse: Evse) {
    match location.evses.iter_mut().find(|each| each.uid == evse.uid) {
        Some(old) => *old = evse,
        None => location.evses.push(evse),
    }
}

/// The pool's id, else the station's, else the EVSE's own.
fn location_id(record: &Record) -> Result<LocationId, Fault> {
    let names = ["ChargingPoolID", "ChargingStationID", "EvseID"].iter().filter_map(|name| record.text(name));
    for name in names {
        let plain: String = name.trim().chars().map(|c| if c.is_ascii_graphic() { c } else { '-' }).collect();
        if let Ok(id) = LocationId::new(plain) {
            return Ok(id);
        }
    }
    Err(Fault::new("/EvseDataRecord/EvseID", "is longer than a location's id may be"))
}

fn read_location(
    record: &Record,
    party: PartyId,
    id: LocationId,
    operator: Option<&str>,
    beside: &Beside<'_>,
    lost: &mut Lost,
) -> Result<Location, Fault> {
    let address = record.record("Address").ok_or_else(|| missing("Address"))?;
    let text = |name: &str| address.text(name).map(str::to_owned);
    let street = text("Street").ok_or_else(|| missing("Address/Street"))?;
    let house = text("HouseNum").filter(|number| !matches!(number.as_str(), "-" | "."));
    let country = text("Country").ok_or_else(|| missing("Address/Country"))?;
    let name = record.records("ChargingStationNames").find_map(|name| name.text("value"));
    Ok(Location {
        party,
        id,
        name: name.map(str::to_owned),
        address: house.map_or_else(|| street.clone(), |house| format!("{street} {house}")),
        city: text("City").ok_or_else(|| missing("Address/City"))?,
        postal_code: text("PostalCode").filter(|code| !matches!(code.as_str(), "-" | ".")),
        time_zone: country::zone(&country, address.text("TimeZone"), lost),
        country: country::alpha3(&country).map_or(country.clone(), str::to_owned),
        position: read_position(record)?,
        operator_name: operator.or_else(|| record.text("OperatorName")).map(str::to_owned),
        evses: Vec::new(),
        last_updated: record.time("lastUpdate").unwrap_or(beside.now),
    })
}

/// Members of an EVSE's record that our words do not have.
const UNTOLD: [&str; 17] = [
    "Accessibility",
    "AccessibilityLocation",
    "AdditionalInfo",
    "CalibrationLawDataAvailability",
    "ChargingStationImage",
    "DynamicInfoAvailable",
    "DynamicPowerLevel",
    "EnergySource",
    "EnvironmentalImpact",
    "GeoChargingPointEntrance",
    "HardwareManufacturer",
    "HotlinePhoneNumber",
    "IsOpen24Hours",
    "MaxCapacity",
    "OpeningTimes",
    "PaymentOptions",
    "RenewableEnergy",
];

fn read_evse(record: &Record, party: PartyId, beside: &Beside<'_>, lost: &mut Lost) -> Result<Evse, Fault> {
    let id: EvseId = record.word("EvseID")?;
    let uid = EvseUid::new(form::key(id.as_str())).map_err(|fault| Fault::new("/EvseID", fault.to_string()))?;
    if form::evse_operator(&id).is_none() {
        lost.push(Fault::new("/EvseID", "names its operator by telephone code"));
    }
    let known = beside.places.by_id(&id).filter(|place| place.location.party == party);
    let status = match record.text("deltaType") {
        Some("delete") => EvseStatus::Removed,
        Some(_) | None => {
            known.as_ref().and_then(|place| place.evse().map(|evse| evse.status)).unwrap_or(EvseStatus::Unknown)
        }
    };
    // status and products are told in messages of their own, and stay what they were
    let offered = known.as_ref().and_then(|place| place.evse()?.connectors.first().map(|first| first.tariffs.clone()));
    let facilities: Vec<&Record> = record.records("ChargingFacilities").collect();
    let mut connectors = Vec::new();
    for (index, plug) in record.texts("Plugs").enumerate() {
        let facility = facilities.get(index).or_else(|| facilities.first()).copied();
        connectors.extend(read_connector(index, plug, facility, lost));
    }
    if let Some(offered) = offered {
        connectors.iter_mut().for_each(|connector| connector.tariffs.clone_from(&offered));
    }
    lost.extend(
        UNTOLD
            .iter()
            .filter(|name| record.get(name).is_some())
            .map(|name| Fault::new(format!("/EvseDataRecord/{name}"), "is not carried")),
    );
    Ok(Evse {
        uid,
        id: Some(id),
        status,
        connectors,
        capabilities: read_capabilities(record),
        physical_reference: record.text("ChargingStationID").map(str::to_owned),
        last_updated: record.time("lastUpdate").unwrap_or(beside.now),
    })
}

/// The words of both sides for what an EVSE can do, and the member that they stand in.
const CAPABILITIES: [(&str, &str, Capability); 4] = [
    ("AuthenticationModes", "NFC RFID Classic", Capability::RfidReader),
    ("AuthenticationModes", "NFC RFID DESFire", Capability::RfidReader),
    ("AuthenticationModes", "REMOTE", Capability::RemoteStartStop),
    ("ValueAddedServices", "Reservation", Capability::Reservable),
];

fn read_capabilities(record: &Record) -> Capabilities {
    let said = CAPABILITIES.iter().filter(|(member, word, _)| record.texts(member).any(|each| each == *word));
    said.map(|(.., capability)| *capability).collect()
}

/// The words in one member; these where nothing is known.
fn write_capabilities(evse: &Evse, member: &str, otherwise: &[&'static str]) -> Vec<Doc> {
    let can = |(each, word, capability): &&(&str, &str, Capability)| {
        *each == member && *word != "NFC RFID DESFire" && evse.capabilities.has(*capability)
    };
    let words: Vec<Doc> = CAPABILITIES.iter().filter(can).map(|(_, word, _)| Doc::from(*word)).collect();
    if words.is_empty() { otherwise.iter().map(|word| Doc::from(*word)).collect() } else { words }
}

fn read_connector(index: usize, plug: &str, facility: Option<&Record>, lost: &mut Lost) -> Option<Connector> {
    let (_, ocpi, attached_cable) = PLUGS
        .into_iter()
        .find(|(name, ..)| *name == plug)
        .or_else(|| (plug == "CCS Combo 1 Plug (Cable Attached)").then_some(("", "IEC_62196_T1_COMBO", true)))?;
    let word = facility.and_then(|facility| facility.text("PowerType"));
    let current =
        word.and_then(|word| CURRENTS.iter().find(|(name, _)| *name == word)).map_or(Current::Ac3Phase, |(_, c)| *c);
    let number = |name: &str| facility.and_then(|facility| facility.number(name));
    let whole = |name: &str| number(name).and_then(|number| u32::try_from(number.ceil()).ok());
    let milliwatts =
        number("Power").and_then(|power| i64::try_from(power.checked_mul(Decimal::from(1_000_000))?.trunc()).ok());
    if facility.is_none() {
        lost.push(Fault::new("/ChargingFacilities", "is not said for a plug"));
    }
    Some(Connector {
        id: ConnectorId::new((index + 1).to_string()).ok()?,
        plug: Plug::named(ocpi),
        attached_cable,
        current,
        max_voltage_v: whole("Voltage").unwrap_or(if current == Current::Ac1Phase { 230 } else { 400 }),
        max_amperage_a: whole("Amperage").unwrap_or(0),
        max_power: Power::from_milliwatts(milliwatts.unwrap_or(0)),
        tariffs: Vec::new(),
    })
}

fn read_position(record: &Record) -> Result<Position, Fault> {
    let coordinates = record.record("GeoCoordinates").ok_or_else(|| missing("GeoCoordinates"))?;
    let bad = || Fault::new("/GeoCoordinates", "are no coordinates");
    let (latitude, longitude) = if let Some(google) = coordinates.record("Google") {
        let (latitude, longitude) = google.text("Coordinates").and_then(form::pair).ok_or_else(bad)?;
        (e7(latitude), e7(longitude))
    } else if let Some(degrees) = coordinates.record("DecimalDegree") {
        (degrees.text("Latitude").and_then(e7), degrees.text("Longitude").and_then(e7))
    } else {
        let minutes = coordinates.record("DegreeMinuteSeconds").ok_or_else(bad)?;
        (minutes.text("Latitude").and_then(sexagesimal), minutes.text("Longitude").and_then(sexagesimal))
    };
    latitude.zip(longitude).and_then(|(latitude, longitude)| Position::new(latitude, longitude)).ok_or_else(bad)
}

fn e7(text: &str) -> Option<i64> {
    let degrees = crate::doc::decimal(text)?;
    i64::try_from(degrees.checked_mul(Decimal::from(10_000_000))?.trunc()).ok()
}

/// `9°21'39.32''`.
fn sexagesimal(text: &str) -> Option<i64> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let mut parts = text.split(['°', '\'', '"']).map(str::trim).filter(|part| !part.is_empty());
    let number = |part: Option<&str>| part.and_then(crate::doc::decimal);
    let (degrees, minutes, seconds) = (number(parts.next())?, number(parts.next())?, number(parts.next())?);
    let sixty = Decimal::from(60);
    let whole = (degrees * sixty + minutes) * sixty + seconds;
    let e7 = whole.checked_mul(Decimal::from(10_000_000))?.checked_div(Decimal::from(3_600))?;
    i64::try_from(e7.trunc()).ok().map(|e7| sign * e7)
}

/// A push of status: a change of every EVSE that is known.
pub(crate) fn read_statuses(body: &Record, beside: &Beside<'_>, lost: &mut Lost) -> Result<Vec<Question>, Denial> {
    let list = body.record("OperatorEvseStatus").ok_or_else(|| missing("OperatorEvseStatus"))?;
    let gone = body.text("ActionType") == Some("delete");
    let mut questions = Vec::new();
    for record in list.records("EvseStatusRecord") {
        let id: EvseId = record.word("EvseID")?;
        let word = record.text("EvseStatus").unwrap_or_default();
        let status = STATUSES.iter().find(|(name, _)| *name == word).map_or(EvseStatus::Unknown, |(_, status)| *status);
        let status = if gone { EvseStatus::Unknown } else { status };
        if matches!(status, EvseStatus::Charging | EvseStatus::OutOfOrder) {
            lost.push(Fault::new(
                "/EvseStatusRecord/EvseStatus",
                "is the likelier of two: charging or blocked, broken or closed",
            ));
        }
        match beside.places.by_id(&id).and_then(|place| patch(&place, status, beside.now)) {
            Some(question) => questions.push(question),
            None => lost.push(Fault::new("/EvseStatusRecord/EvseID", "is an EVSE whose data nobody pushed")),
        }
    }
    Ok(questions)
}

/// The answer to a pull of statuses: a change of every EVSE that is known and stood otherwise, with its operator.
pub fn read_pulled_statuses(body: &Record, beside: &Beside<'_>, lost: &mut Lost) -> Vec<(PartyId, Question)> {
    let mut changes = Vec::new();
    let lists = body.record("EvseStatuses").into_iter().flat_map(|all| all.records("OperatorEvseStatus"));
    for record in lists.flat_map(|list| list.records("EvseStatusRecord")) {
        let Ok(id) = record.word::<EvseId>("EvseID") else { continue };
        let word = record.text("EvseStatus").unwrap_or_default();
        let status = STATUSES.iter().find(|(name, _)| *name == word).map_or(EvseStatus::Unknown, |(_, status)| *status);
        match beside.places.by_id(&id) {
            Some(place) if place.evse().is_none_or(|evse| evse.status == status) => {}
            Some(place) => {
                changes.extend(patch(&place, status, beside.now).map(|change| (place.location.party, change)))
            }
            None => lost.push(Fault::new("/EvseStatusRecord/EvseID", "is an EVSE whose data nobody told")),
        }
    }
    changes
}

fn patch(place: &Place, status: EvseStatus, at: Timestamp) -> Option<Question> {
    let evse = place.evse()?.uid.clone();
    Some(Question::PatchEvse { location: place.location.id.clone(), evse, status, at })
}

use super::Place;

/// The record of one EVSE; `None` where OICP cannot name it.
pub(crate) fn write_record(
    location: &Location,
    evse: &Evse,
    hotline: &str,
    now: Timestamp,
    lost: &mut Lost,
) -> Option<Record> {
    let id = evse.id.as_ref().filter(|id| form::is_evse_id(id.as_str()))?;
    Some(write_evse(location, evse, id, hotline, now, lost))
}

/// What is told of one that it cannot name.
pub(crate) fn unnamed() -> Fault {
    Fault::new("/evses/evse_id", "is missing or none of OICP; the EVSE is left out")
}

/// When something of its record changed last.
pub(crate) fn changed(location: &Location, evse: &Evse) -> Timestamp {
    location.last_updated.max(evse.last_updated).whole_seconds()
}

/// The records of a location, each with the status that it has.
fn write_records(location: &Location, hotline: &str, now: Timestamp, lost: &mut Lost) -> Vec<(Record, EvseStatus)> {
    let mut records = Vec::new();
    for evse in &location.evses {
        match write_record(location, evse, hotline, now, lost) {
            Some(record) => records.push((record, evse.status)),
            None => lost.push(unnamed()),
        }
    }
    records
}

fn write_evse(location: &Location, evse: &Evse, id: &EvseId, hotline: &str, now: Timestamp, lost: &mut Lost) -> Record {
    let (latitude, longitude) = location.position.degrees();
    let degrees = |exact: Decimal| {
        let mut six = exact.round_dp(6);
        six.rescale(6);
        six.to_string()
    };
    let mut plugs: Vec<&str> = Vec::new();
    let mut facilities = Vec::new();
    for connector in &evse.connectors {
        match plug_word(connector) {
            Some(word) => {
                plugs.push(word);
                facilities.push(Doc::from(write_facility(connector, lost)));
            }
            None => lost.push(Fault::new("/evses/connectors/standard", "is a plug that OICP has no word for")),
        }
    }
    lost.push(Fault::new("/EvseDataRecord", "has access, payment and sources of energy that the words do not have"));
    let name = location.name.as_deref().unwrap_or(&location.address);
    let name = Record::default().with("lang", "en").with("value", cut(name, 150, "/name", lost));
    Record::default()
        .with("lastUpdate", changed(location, evse))
        .with("EvseID", id.as_str())
        .with("ChargingStationID", location.id.as_str())
        .with("ChargingStationNames", vec![Doc::from(name)])
        .with("Address", write_address(location, now, lost))
        .with(
            "GeoCoordinates",
            Record::default().with(
                "DecimalDegree",
                Record::default().with("Longitude", degrees(longitude)).with("Latitude", degrees(latitude)),
            ),
        )
        .with("Plugs", plugs.into_iter().map(Doc::from).collect::<Vec<_>>())
        .with("ChargingFacilities", facilities)
        .with("RenewableEnergy", false)
        .with("CalibrationLawDataAvailability", "Not Available")
        .with("AuthenticationModes", write_capabilities(evse, "AuthenticationModes", &["NFC RFID Classic", "REMOTE"]))
        .with("PaymentOptions", vec![Doc::from("Contract")])
        .with("ValueAddedServices", write_capabilities(evse, "ValueAddedServices", &["None"]))
        .with("Accessibility", "Free publicly accessible")
        .with("HotlinePhoneNumber", hotline)
        .with("IsOpen24Hours", true)
        .with("IsHubjectCompatible", true)
        .with("DynamicInfoAvailable", "true")
}

fn write_address(location: &Location, now: Timestamp, lost: &mut Lost) -> Record {
    let (street, house) = match location.address.rsplit_once(' ') {
        Some((street, house)) if house.len() <= 10 && house.starts_with(|c: char| c.is_ascii_digit()) => {
            (street, house)
        }
        Some(_) | None => (location.address.as_str(), "-"),
    };
    let code = location.postal_code.as_deref().unwrap_or("-");
    Record::default()
        .with("Country", location.country.as_str())
        .with("City", cut(&location.city, 50, "/city", lost))
        .with("Street", cut(street, 100, "/address", lost))
        .with("PostalCode", cut(code, 10, "/postal_code", lost))
        .with("HouseNum", house)
        .maybe("TimeZone", country::offset(&location.time_zone, now))
}

fn write_facility(connector: &Connector, lost: &mut Lost) -> Record {
    let word = CURRENTS.iter().find(|(_, current)| *current == connector.current).map_or("DC", |(word, _)| *word);
    let fitting = |value: u32, most: u32| (value > 0 && value <= most).then_some(value);
    if connector.max_voltage_v > 999 || connector.max_amperage_a > 99 {
        lost.push(Fault::new("/evses/connectors", "has more volts or amperes than OICP can write"));
    }
    Record::default()
        .with("PowerType", word)
        .maybe("Voltage", fitting(connector.max_voltage_v, 999))
        .maybe("Amperage", fitting(connector.max_amperage_a, 99))
        .with("Power", connector.max_power.kilowatts().round_dp(3))
}

fn plug_word(connector: &Connector) -> Option<&'static str> {
    let name = connector.plug.as_str();
    if name == "IEC_62196_T1_COMBO" {
        return Some("CCS Combo 1 Plug (Cable Attached)");
    }
    let exact = PLUGS.iter().find(|(_, ocpi, cable)| *ocpi == name && *cable == connector.attached_cable);
    exact.or_else(|| PLUGS.iter().find(|(_, ocpi, _)| *ocpi == name)).map(|(word, ..)| *word)
}

fn cut(text: &str, limit: usize, path: &str, lost: &mut Lost) -> String {
    if text.chars().count() > limit {
        lost.push(Fault::new(path, "is cut to the length that OICP allows"));
    }
    text.chars().take(limit).collect()
}

/// The body of a push of one location's EVSEs; those that are gone are left to [`write_removal`].
pub(crate) fn write_push(location: &Location, beside: &Beside<'_>, lost: &mut Lost) -> Option<Record> {
    let records = write_records(location, beside.hotline, beside.now, lost);
    let there = |status: &EvseStatus| !matches!(status, EvseStatus::Removed | EvseStatus::Planned);
    let records: Vec<Doc> =
        records.into_iter().filter(|(_, status)| there(status)).map(|(record, _)| Doc::from(record)).collect();
    (!records.is_empty()).then(|| push(location, "update", records))
}

pub(crate) fn write_removal(location: &Location, beside: &Beside<'_>, lost: &mut Lost) -> Option<Record> {
    let records = write_records(location, beside.hotline, beside.now, lost);
    let gone = records.into_iter().filter(|(_, status)| *status == EvseStatus::Removed);
    let records: Vec<Doc> = gone.map(|(record, _)| Doc::from(record)).collect();
    (!records.is_empty()).then(|| push(location, "delete", records))
}

fn push(location: &Location, action: &'static str, records: Vec<Doc>) -> Record {
    let id = form::operator_id(location.party);
    let name: String = location.operator_name.as_deref().unwrap_or(&id).chars().take(100).collect();
    let data =
        Record::default().with("OperatorID", id.as_str()).with("OperatorName", name).with("EvseDataRecord", records);
    Record::default().with("ActionType", action).with("OperatorEvseData", data)
}

/// The body of a push of the statuses of a location's EVSEs.
pub(crate) fn write_statuses(location: &Location) -> Option<Record> {
    let record = |evse: &Evse| {
        let id = evse.id.as_ref().filter(|id| form::is_evse_id(id.as_str()))?;
        Some(Doc::from(status_record(id.as_str(), evse.status)?))
    };
    let records: Vec<Doc> = location.evses.iter().filter_map(record).collect();
    (!records.is_empty()).then(|| write_status_push(location.party, records))
}

pub(crate) fn write_status_push(party: PartyId, records: Vec<Doc>) -> Record {
    let list = Record::default().with("OperatorID", form::operator_id(party)).with("EvseStatusRecord", records);
    Record::default().with("ActionType", "update").with("OperatorEvseStatus", list)
}

pub(crate) fn status_record(id: &str, status: EvseStatus) -> Option<Record> {
    Some(Record::default().with("EvseID", id).with("EvseStatus", status_word(status)?))
}

/// The locations of a page of EVSE data, operator by operator.
pub(crate) fn read_page(body: &Record, beside: &Beside<'_>, lost: &mut Lost) -> Vec<Location> {
    let mut parties: Vec<PartyId> = Vec::new();
    for record in body.records("content") {
        match record.word("OperatorID") {
            Ok(party) if !parties.contains(&party) => parties.push(party),
            Ok(_) => {}
            Err(fault) => lost.push(fault),
        }
    }
    let mut locations = Vec::new();
    for party in parties {
        let own = |record: &&Record| record.word::<PartyId>("OperatorID") == Ok(party);
        locations.extend(read_records(party, None, body.records("content").filter(own), beside, false, lost));
    }
    locations
}

/// Puts an EVSE's place into the index of whoever keeps one.
pub fn places(location: &Arc<Location>) -> impl Iterator<Item = (String, Place)> + '_ {
    location.evses.iter().enumerate().filter_map(|(evse, each)| {
        let id = each.id.as_ref()?;
        Some((form::key(id.as_str()), Place { location: Arc::clone(location), evse }))
    })
}

/// The EVSEs of a location that OICP can name, for an index; the others are told.
pub fn indexed(location: &Location, lost: &mut Lost) -> Vec<IndexedEvse> {
    let mut evses = Vec::new();
    for evse in &location.evses {
        match evse.id.clone().filter(|id| form::is_evse_id(id.as_str())) {
            Some(id) => evses.push(IndexedEvse {
                key: form::key(id.as_str()).into(),
                id,
                owner: location.party,
                location: location.id.clone(),
                country: location.country.as_str().into(),
                status: evse.status,
                changed: changed(location, evse),
            }),
            None => lost.push(unnamed()),
        }
    }
    evses
}

/// The EVSEs that a request names, by their keys.
pub fn mentioned(body: &Record) -> Vec<Box<str>> {
    fn collect(doc: &Doc, named: bool, found: &mut Vec<Box<str>>) {
        match doc {
            Doc::Record(record) => record.0.iter().for_each(|(name, value)| {
                collect(value, name.eq_ignore_ascii_case("EvseID"), found);
            }),
            Doc::List(items) => items.iter().for_each(|item| collect(item, named, found)),
            Doc::Text(text) if named => found.push(form::key(text).into()),
            Doc::Text(_) | Doc::Null | Doc::Bool(_) | Doc::Number(_) => {}
        }
    }
    let mut found = Vec::new();
    body.0.iter().for_each(|(name, value)| collect(value, name.eq_ignore_ascii_case("EvseID"), &mut found));
    found
}

/// The locations that the records of a push make.
pub fn pushed(body: &Record) -> Vec<LocationId> {
    let Some(data) = body.record("OperatorEvseData") else { return Vec::new() };
    let mut ids: Vec<LocationId> =
        data.records("EvseDataRecord").filter_map(|record| location_id(record).ok()).collect();
    ids.dedup();
    ids
}
