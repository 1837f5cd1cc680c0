//! Rows of locations, EVSEs and connectors, and an EVSE's state and public status.
//!
//! EVSEs are never deleted: one that leaves its location becomes `Removed` (OCPI 2.2.1, 8.2.2.3). An EVSE with a
//! station gets its status from the station alone, one without keeps what it was given.

use charge::Timestamp;
use charge::id::{ConnectorId, EvseId, EvseNo, EvseUid, LocationId, PartyId, StationId, TariffId};
use charge::place::{Capabilities, Connector, Current, Evse, EvseStatus, Location, Plug, Position};
use charge::record::RecordPlace;
use charge::talk::line::BayState;
use charge::units::Power;
use store::{Migration, Row, StoreError, Tx, values};

use crate::memory::notice::{self, Kind};
use crate::memory::{count, damaged, named, named_opt, small, small_opt, station, word, word_opt};
use crate::{capability, publish};

/// An EVSE that a station serves, as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BayRow {
    pub evse: EvseUid,
    pub location: LocationId,
    pub station: StationId,
    pub no: EvseNo,
    pub state: Option<BayState>,
    /// What the station said is wrong with it.
    pub fault: Option<String>,
    pub status: EvseStatus,
}

/// What a person said that an EVSE can do; null where its station's word counts.
pub(crate) const CAPABILITIES: Migration = Migration {
    family: "operator",
    number: 5,
    name: "what EVSEs can do",
    sql: "ALTER TABLE operator_evses ADD COLUMN capabilities TEXT;",
};

/// Puts a location with everything in it; what it no longer has becomes `Removed`.
pub(crate) fn put(tx: &mut Tx<'_>, location: &Location, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        PUT_LOCATION,
        &values![
            location.id.as_str(),
            location.name.as_deref(),
            location.address.as_str(),
            location.city.as_str(),
            location.postal_code.as_deref(),
            location.country.as_str(),
            location.position.latitude_e7,
            location.position.longitude_e7,
            location.time_zone.as_str(),
            location.operator_name.as_deref(),
            now,
        ],
    )?;
    tx.execute(REMOVE_EVSES, &values![location.id.as_str(), now])?;
    for (position, evse) in (0u32..).zip(&location.evses) {
        put_evse(tx, &location.id, position, evse, now)?;
    }
    Ok(())
}

/// Puts one EVSE with its connectors.
pub(crate) fn put_evse(
    tx: &mut Tx<'_>,
    location: &LocationId,
    position: u32,
    evse: &Evse,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        PUT_EVSE,
        &values![
            evse.uid.as_str(),
            location.as_str(),
            position,
            evse.id.as_ref().map(EvseId::as_str),
            evse.physical_reference.as_deref(),
            evse.status.as_str(),
            now,
            (!evse.capabilities.is_empty()).then(|| evse.capabilities.to_string()),
        ],
    )?;
    tx.execute(DROP_CONNECTORS, &values![evse.uid.as_str()])?;
    for (position, connector) in (0u32..).zip(&evse.connectors) {
        let tariffs: Vec<&str> = connector.tariffs.iter().map(TariffId::as_str).collect();
        tx.execute(
            PUT_CONNECTOR,
            &values![
                evse.uid.as_str(),
                position,
                connector.id.as_str(),
                connector.plug.as_str(),
                connector.attached_cable,
                current_name(connector.current),
                connector.max_voltage_v,
                connector.max_amperage_a,
                connector.max_power.milliwatts(),
                tariffs.join(" "),
            ],
        )?;
    }
    Ok(())
}

/// One location with its EVSEs and connectors.
pub(crate) fn find(tx: &Tx<'_>, party: PartyId, id: &LocationId) -> Result<Option<Location>, StoreError> {
    let Some(mut location) = tx.one(LOCATION, &values![id.as_str()], |row| read_location(row, party))? else {
        return Ok(None);
    };
    fill(tx, &mut location)?;
    Ok(Some(location))
}

/// A page of locations that changed, oldest change first, and how many there are in all.
pub(crate) fn page(
    tx: &Tx<'_>,
    party: PartyId,
    (since, before): (Option<Timestamp>, Option<Timestamp>),
    offset: u32,
    limit: u32,
) -> Result<(Vec<Location>, u32), StoreError> {
    let (since, before) = (since.map_or(i64::MIN, Timestamp::micros), before.map_or(i64::MAX, Timestamp::micros));
    let total = tx.one(COUNT_LOCATIONS, &values![since, before], |row| count(row, 0))?.unwrap_or(0);
    let mut found = tx.query(LOCATIONS, &values![since, before, limit, offset], |row| read_location(row, party))?;
    for location in &mut found {
        fill(tx, location)?;
    }
    Ok((found, total))
}

fn fill(tx: &Tx<'_>, location: &mut Location) -> Result<(), StoreError> {
    let found = tx.query(EVSES, &values![location.id.as_str()], |row| {
        let said: Option<Capabilities> = word_opt(row, 5, "capabilities")?;
        let evse = Evse {
            uid: word(row, 0, "uid")?,
            id: word_opt(row, 1, "evse_id")?,
            status: word(row, 2, "status")?,
            connectors: Vec::new(),
            capabilities: said.unwrap_or_default(),
            physical_reference: row.text_opt(3)?,
            last_updated: row.time(4)?,
        };
        let station: Option<StationId> = word_opt(row, 6, "station")?;
        Ok((evse, station.filter(|_| said.is_none())))
    })?;
    for (mut evse, derived_from) in found {
        evse.connectors = tx.query(CONNECTORS, &values![evse.uid.as_str()], read_connector)?;
        if let Some(station) = derived_from {
            evse.capabilities = capability::derive(&evse.connectors, &station::telling(tx, &station)?);
        }
        location.last_updated = location.last_updated.max(evse.last_updated);
        location.evses.push(evse);
    }
    Ok(())
}

fn read_location(row: &Row<'_>, party: PartyId) -> Result<Location, StoreError> {
    Ok(Location {
        party,
        id: word(row, 0, "id")?,
        name: row.text_opt(1)?,
        address: row.text(2)?,
        city: row.text(3)?,
        postal_code: row.text_opt(4)?,
        country: row.text(5)?,
        position: Position::new(row.int(6)?, row.int(7)?).ok_or_else(|| damaged("latitude_e7"))?,
        time_zone: row.text(8)?,
        operator_name: row.text_opt(9)?,
        evses: Vec::new(),
        last_updated: row.time(10)?,
    })
}

fn read_connector(row: &Row<'_>) -> Result<Connector, StoreError> {
    let tariffs = row.text(7)?;
    let tariffs = tariffs.split_whitespace().map(|id| TariffId::new(id).map_err(|_| damaged("tariffs")));
    Ok(Connector {
        id: word(row, 0, "id")?,
        plug: Plug::named(&row.text(1)?),
        attached_cable: row.flag(2)?,
        current: named(row, 3, "current", current_named)?,
        max_voltage_v: small(row, 4, "max_voltage_v")?,
        max_amperage_a: small(row, 5, "max_amperage_a")?,
        max_power: Power::from_milliwatts(row.int(6)?),
        tariffs: tariffs.collect::<Result<_, _>>()?,
    })
}

/// The connectors of an EVSE, in their order.
pub(crate) fn connectors(tx: &Tx<'_>, evse: &EvseUid) -> Result<Vec<Connector>, StoreError> {
    tx.query(CONNECTORS, &values![evse.as_str()], read_connector)
}

/// Ties an EVSE to a station's number.
pub(crate) fn wire(
    tx: &mut Tx<'_>,
    evse: &EvseUid,
    station: &StationId,
    no: EvseNo,
    meter_key: Option<&str>,
) -> Result<usize, StoreError> {
    tx.execute(WIRE, &values![evse.as_str(), station.as_str(), no.get(), meter_key, meter_key.is_some()])
}

/// The bay of a station's EVSE number.
pub(crate) fn bay(tx: &Tx<'_>, station: &StationId, no: EvseNo) -> Result<Option<BayRow>, StoreError> {
    tx.one(BAY, &values![station.as_str(), no.get()], read_bay)
}

/// A bay as a word of its station finds it.
pub(crate) struct BayNow {
    pub bay: BayRow,
    /// Whether a session runs there.
    pub running: bool,
    /// Where it is. Good until the end of the transaction.
    row: i64,
}

/// The bay of a station's EVSE number, and what [`say`] has to know besides: one look for the commonest of words.
pub(crate) fn bay_now(tx: &Tx<'_>, station: &StationId, no: EvseNo) -> Result<Option<BayNow>, StoreError> {
    tx.one(BAY_NOW, &values![station.as_str(), no.get()], |row| {
        Ok(BayNow { bay: read_bay(row)?, row: row.int(7)?, running: row.flag(8)? })
    })
}

/// All bays of a station.
pub(crate) fn of_station(tx: &Tx<'_>, station: &StationId) -> Result<Vec<BayRow>, StoreError> {
    tx.query(OF_STATION, &values![station.as_str()], read_bay)
}

/// What a station said is wrong with an EVSE.
pub(crate) fn fault(tx: &Tx<'_>, evse: &EvseUid) -> Result<Option<String>, StoreError> {
    Ok(tx.one(FAULT, &values![evse.as_str()], |row| row.text_opt(0))?.flatten())
}

/// Where an EVSE is, and which station serves it.
pub(crate) fn owner(tx: &Tx<'_>, evse: &EvseUid) -> Result<Option<(LocationId, Option<StationId>)>, StoreError> {
    tx.one(OWNER, &values![evse.as_str()], |row| Ok((word(row, 0, "location")?, word_opt(row, 1, "station")?)))
}

/// The bays that a location, or one EVSE of it, has.
pub(crate) fn bays(tx: &Tx<'_>, location: &LocationId, evse: Option<&EvseUid>) -> Result<Vec<BayRow>, StoreError> {
    let all = tx.query(BAYS, &values![location.as_str()], read_bay)?;
    Ok(all.into_iter().filter(|bay| evse.is_none_or(|evse| bay.evse == *evse)).collect())
}

fn read_bay(row: &Row<'_>) -> Result<BayRow, StoreError> {
    Ok(BayRow {
        evse: word(row, 0, "uid")?,
        location: word(row, 1, "location")?,
        station: word(row, 2, "station")?,
        no: small_opt(row, 3, "no")?.and_then(EvseNo::new).ok_or_else(|| damaged("no"))?,
        state: named_opt(row, 4, "state", BayState::named)?,
        status: word(row, 5, "status")?,
        fault: row.text_opt(6)?,
    })
}

/// Keeps what a station said of a bay, with the public status that follows from it. `true`: that changed and is to be
/// told. To be called for news only: nothing is written where a station says the same again (handbook, quirk 23).
/// Nothing more is written, and nothing fails, after it.
pub(crate) fn say(
    tx: &mut Tx<'_>,
    found: &BayNow,
    (state, fault): (BayState, Option<&str>),
    at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let status = publish::public_status(Some(state), found.running);
    if status == found.bay.status {
        tx.finish(SAY_ALONE, &values![found.row, state.as_str(), fault, at])?;
        return Ok(false);
    }
    tx.finish(SAY, &values![found.row, state.as_str(), fault, at, status.as_str(), now])?;
    Ok(true)
}

/// What a station said of an EVSE. Nothing is written where it says the same again (handbook, quirk 23).
pub(crate) fn set_state(
    tx: &mut Tx<'_>,
    bay: &EvseUid,
    state: Option<BayState>,
    fault: Option<&str>,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let state = state.map(BayState::as_str);
    Ok(tx.execute(SET_STATE, &values![bay.as_str(), state, fault, at])? > 0)
}

/// Works the public status out again. `true`: it changed and is to be told.
pub(crate) fn refresh(tx: &mut Tx<'_>, bay: &BayRow, running: bool, now: Timestamp) -> Result<bool, StoreError> {
    let status = publish::public_status(bay.state, running);
    if status == bay.status {
        return Ok(false);
    }
    tx.execute(SET_STATUS, &values![bay.evse.as_str(), status.as_str(), now])?;
    Ok(true)
}

/// A station's word on what its EVSEs can do has changed: whoever shows them is told, unless a person's word counts.
pub(crate) fn can_otherwise(tx: &mut Tx<'_>, station: &StationId, now: Timestamp) -> Result<(), StoreError> {
    let touched: Vec<LocationId> =
        tx.query(TOUCH_DERIVED, &values![station.as_str(), now], |row| word(row, 0, "location"))?;
    if let Some(location) = touched.first() {
        touch(tx, location, now)?;
        notice::put(tx, Kind::Location, location.as_str(), now)?;
    }
    Ok(())
}

/// A location is as new as its newest EVSE, or a partner that pulls would miss the change (OCPI 2.2.1, 8.3.1).
pub(crate) fn touch(tx: &mut Tx<'_>, location: &LocationId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(TOUCH_LOCATION, &values![location.as_str(), now]).map(drop)
}

/// An EVSE's public status as it is to be told.
pub(crate) fn status(tx: &Tx<'_>, evse: &EvseUid) -> Result<Option<(LocationId, EvseStatus, Timestamp)>, StoreError> {
    tx.one(STATUS, &values![evse.as_str()], |row| {
        Ok((word(row, 0, "location")?, word(row, 1, "status")?, row.time(2)?))
    })
}

/// A location's time zone, for the hours of tariffs.
pub(crate) fn time_zone(tx: &Tx<'_>, location: &LocationId) -> Result<Option<String>, StoreError> {
    tx.one(TIME_ZONE, &values![location.as_str()], |row| row.text(0))
}

/// Where energy flowed, for the CDR, and the location's time zone. `None` without a place to name.
pub(crate) fn record_place(
    tx: &Tx<'_>,
    party: PartyId,
    location: &LocationId,
    evse: &EvseUid,
    connector: &ConnectorId,
) -> Result<Option<(RecordPlace, String)>, StoreError> {
    let Some(location) = find(tx, party, location)? else { return Ok(None) };
    let Some(evse) = location.evses.iter().find(|known| known.uid == *evse) else { return Ok(None) };
    let Some(connector) = evse.connectors.iter().find(|known| known.id == *connector) else { return Ok(None) };
    // OCPI wants a public id in the CDR even where none was given (10.4.4): the uid is unique at least with us
    let public = evse.id.clone().or_else(|| EvseId::new(evse.uid.as_str()).ok());
    let Some(evse_id) = public else { return Ok(None) };
    let place = RecordPlace {
        id: location.id.clone(),
        name: location.name.clone(),
        address: location.address.clone(),
        city: location.city.clone(),
        postal_code: location.postal_code.clone(),
        country: location.country.clone(),
        position: location.position,
        evse_uid: evse.uid.clone(),
        evse_id,
        connector: connector.id.clone(),
        plug: connector.plug.as_str().into(),
        attached_cable: connector.attached_cable,
        current: connector.current,
    };
    Ok(Some((place, location.time_zone)))
}

/// The public key of an EVSE's meter, and whether a person has confirmed it.
pub(crate) fn meter_key(tx: &Tx<'_>, evse: &EvseUid) -> Result<Option<(String, bool)>, StoreError> {
    let found = tx.one(METER_KEY, &values![evse.as_str()], |row| Ok((row.text_opt(0)?, row.flag(1)?)))?;
    Ok(found.and_then(|(key, confirmed)| key.map(|key| (key, confirmed))))
}

/// Keeps a meter's key. A confirmed one is replaced by a confirmed one only.
pub(crate) fn set_meter_key(tx: &mut Tx<'_>, evse: &EvseUid, key: &str, confirmed: bool) -> Result<bool, StoreError> {
    Ok(tx.execute(SET_METER_KEY, &values![evse.as_str(), key, confirmed])? > 0)
}

const CURRENTS: [(Current, &str); 3] =
    [(Current::Ac1Phase, "AC_1_PHASE"), (Current::Ac3Phase, "AC_3_PHASE"), (Current::Dc, "DC")];

pub(crate) fn current_name(current: Current) -> &'static str {
    CURRENTS.into_iter().find(|(known, _)| *known == current).map_or("DC", |(_, name)| name)
}

pub(crate) fn current_named(text: &str) -> Option<Current> {
    CURRENTS.into_iter().find(|(_, name)| *name == text).map(|(current, _)| current)
}

const PUT_LOCATION: &str = "INSERT INTO operator_locations (id, name, address, city, postal_code, country,
    latitude_e7, longitude_e7, time_zone, operator_name, changed)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, address = excluded.address, city = excluded.city,
    postal_code = excluded.postal_code, country = excluded.country, latitude_e7 = excluded.latitude_e7,
    longitude_e7 = excluded.longitude_e7, time_zone = excluded.time_zone,
    operator_name = excluded.operator_name, changed = excluded.changed";
const REMOVE_EVSES: &str = "UPDATE operator_evses SET status = 'REMOVED', changed = ?2
    WHERE location = ?1 AND station IS NULL";
const PUT_EVSE: &str = "INSERT INTO operator_evses (uid, location, position, evse_id, physical_reference, status,
    changed, capabilities) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (uid) DO UPDATE SET capabilities = COALESCE(excluded.capabilities, operator_evses.capabilities),
    location = excluded.location, position = excluded.position,
    evse_id = excluded.evse_id, physical_reference = excluded.physical_reference, changed = excluded.changed,
    status = CASE WHEN operator_evses.station IS NULL THEN excluded.status ELSE operator_evses.status END";
const DROP_CONNECTORS: &str = "DELETE FROM operator_connectors WHERE evse = ?1";
const PUT_CONNECTOR: &str = "INSERT INTO operator_connectors (evse, position, id, plug, attached_cable, current,
    max_voltage_v, max_amperage_a, max_power, tariffs) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const LOCATION: &str = "SELECT id, name, address, city, postal_code, country, latitude_e7, longitude_e7, time_zone,
    operator_name, changed FROM operator_locations WHERE id = ?1";
const LOCATIONS: &str = "SELECT id, name, address, city, postal_code, country, latitude_e7, longitude_e7, time_zone,
    operator_name, changed FROM operator_locations WHERE changed >= ?1 AND changed < ?2
    ORDER BY changed, id LIMIT ?3 OFFSET ?4";
const COUNT_LOCATIONS: &str = "SELECT COUNT(*) FROM operator_locations WHERE changed >= ?1 AND changed < ?2";
const EVSES: &str =
    "SELECT uid, evse_id, status, physical_reference, changed, capabilities, station FROM operator_evses
    WHERE location = ?1 ORDER BY position, uid";
const CONNECTORS: &str = "SELECT id, plug, attached_cable, current, max_voltage_v, max_amperage_a, max_power, tariffs
    FROM operator_connectors WHERE evse = ?1 ORDER BY position";
const WIRE: &str = "UPDATE operator_evses SET station = ?2, no = ?3, status = 'UNKNOWN',
    meter_key = COALESCE(?4, meter_key), meter_key_confirmed = CASE WHEN ?5 THEN 1 ELSE meter_key_confirmed END
    WHERE uid = ?1";
const BAY: &str = "SELECT uid, location, station, no, state, status, fault FROM operator_evses
    WHERE station = ?1 AND no = ?2";
const BAY_NOW: &str = "SELECT uid, location, station, no, state, status, fault, rowid,
    EXISTS (SELECT 1 FROM operator_sessions WHERE station = ?1 AND ended IS NULL AND evse_no = ?2)
    FROM operator_evses WHERE station = ?1 AND no = ?2";
const BAYS: &str = "SELECT uid, location, station, no, state, status, fault FROM operator_evses
    WHERE location = ?1 AND station IS NOT NULL AND no IS NOT NULL ORDER BY position";
const OF_STATION: &str = "SELECT uid, location, station, no, state, status, fault FROM operator_evses
    WHERE station = ?1 AND no IS NOT NULL ORDER BY no";
const FAULT: &str = "SELECT fault FROM operator_evses WHERE uid = ?1";
const OWNER: &str = "SELECT location, station FROM operator_evses WHERE uid = ?1";
const SET_STATE: &str = "UPDATE operator_evses SET state = ?2, fault = ?3, state_at = ?4
    WHERE uid = ?1 AND (state IS DISTINCT FROM ?2 OR fault IS DISTINCT FROM ?3)";
const SAY: &str = "UPDATE operator_evses SET state = ?2, fault = ?3, state_at = ?4, status = ?5, changed = ?6
    WHERE rowid = ?1";
const SAY_ALONE: &str = "UPDATE operator_evses SET state = ?2, fault = ?3, state_at = ?4 WHERE rowid = ?1";
const SET_STATUS: &str = "UPDATE operator_evses SET status = ?2, changed = ?3 WHERE uid = ?1";
const TOUCH_DERIVED: &str = "UPDATE operator_evses SET changed = ?2 WHERE station = ?1 AND capabilities IS NULL
    RETURNING location";
const TOUCH_LOCATION: &str = "UPDATE operator_locations SET changed = ?2 WHERE id = ?1";
const STATUS: &str = "SELECT location, status, changed FROM operator_evses WHERE uid = ?1";
const TIME_ZONE: &str = "SELECT time_zone FROM operator_locations WHERE id = ?1";
const METER_KEY: &str = "SELECT meter_key, meter_key_confirmed FROM operator_evses WHERE uid = ?1";
const SET_METER_KEY: &str = "UPDATE operator_evses SET meter_key = ?2, meter_key_confirmed = ?3
    WHERE uid = ?1 AND (?3 OR meter_key_confirmed = 0)";
