//! Locations with their EVSEs and connectors, and how far the pulling of them has come.

use charge::Timestamp;
use charge::id::{EvseUid, LocationId, PartyId, TariffId};
use charge::place::{Connector, Current, Evse, EvseStatus, Location, Plug, Position};
use charge::units::Power;
use store::{Row, StoreError, Tx, values};

use super::{corrupt, count, parsed, parsed_opt, small};
use crate::places::{Area, PlacePoint};

/// Keeps a location, unless a newer one is known. An EVSE's status that is newer than this copy of it stays.
pub(crate) fn put(tx: &mut Tx<'_>, location: &Location) -> Result<bool, StoreError> {
    let key = values![location.party.to_string(), location.id.as_str()];
    if tx.one(UPDATED, &key, |row| row.time(0))?.is_some_and(|known| known > location.last_updated) {
        return Ok(false);
    }
    let known = tx.query(STATUSES, &key, |row| Ok((row.text(0)?, row.text(1)?, row.time(2)?)))?;
    tx.execute(FORGET_CONNECTORS, &key)?;
    tx.execute(FORGET_EVSES, &key)?;
    put_head(tx, location)?;
    for (nth, evse) in location.evses.iter().enumerate() {
        let newer = known.iter().find(|(uid, _, at)| uid == evse.uid.as_str() && *at > evse.last_updated);
        let (status, at) = newer.map_or((evse.status.as_str(), evse.last_updated), |(_, status, at)| (status, *at));
        put_evse(tx, location, count(nth), evse, status, at)?;
    }
    Ok(true)
}

/// `false`: the EVSE is not known, or something newer is.
pub(crate) fn set_status(
    tx: &mut Tx<'_>,
    operator: PartyId,
    (location, evse): (&LocationId, &EvseUid),
    status: EvseStatus,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let values = values![operator.to_string(), location.as_str(), evse.as_str(), status.as_str(), at];
    Ok(tx.execute(SET_STATUS, &values)? > 0)
}

pub(crate) fn is_known(tx: &Tx<'_>, operator: PartyId, id: &LocationId) -> Result<bool, StoreError> {
    Ok(tx.one(UPDATED, &values![operator.to_string(), id.as_str()], |row| row.time(0))?.is_some())
}

pub(crate) fn find(tx: &Tx<'_>, operator: PartyId, id: &LocationId) -> Result<Option<Location>, StoreError> {
    let key = values![operator.to_string(), id.as_str()];
    let Some(mut location) = tx.one(HEAD, &key, read_head)? else { return Ok(None) };
    location.evses = tx.query(EVSES, &key, read_evse)?;
    for (evse, connector) in tx.query(CONNECTORS, &key, |row| Ok((row.text(0)?, read_connector(row)?)))? {
        if let Some(evse) = location.evses.iter_mut().find(|known| known.uid.as_str() == evse) {
            evse.connectors.push(connector);
        }
    }
    Ok(Some(location))
}

pub(crate) fn points(tx: &Tx<'_>, area: Area) -> Result<Vec<PlacePoint>, StoreError> {
    let Area { south_west, north_east } = area;
    let (south, north) = (south_west.latitude_e7, north_east.latitude_e7);
    let (west, east) = (south_west.longitude_e7, north_east.longitude_e7);
    tx.query(POINTS, &values![south, north, west, east, PLACES_MAX], read_point)
}

pub(crate) fn total(tx: &Tx<'_>) -> Result<i64, StoreError> {
    Ok(tx.one(TOTAL, &[], |row| row.int(0))?.unwrap_or(0))
}

/// Since when changes are wanted, and when to ask next. `None`: never asked.
pub(crate) fn pull(tx: &Tx<'_>, kind: &str) -> Result<Option<(Option<Timestamp>, Timestamp)>, StoreError> {
    tx.one(PULL, &values![kind], |row| Ok((row.time_opt(0)?, row.time(1)?)))
}

pub(crate) fn pulled(tx: &mut Tx<'_>, kind: &str, since: Option<Timestamp>, due: Timestamp) -> Result<(), StoreError> {
    tx.execute(PULLED, &values![kind, since, due]).map(drop)
}

pub(crate) fn meter_key(tx: &Tx<'_>, operator: PartyId, evse: &EvseUid) -> Result<Option<String>, StoreError> {
    tx.one(METER_KEY, &values![operator.to_string(), evse.as_str()], |row| row.text(0))
}

pub(crate) fn put_meter_key(tx: &mut Tx<'_>, operator: PartyId, evse: &EvseUid, key: &str) -> Result<(), StoreError> {
    tx.execute(PUT_METER_KEY, &values![operator.to_string(), evse.as_str(), key]).map(drop)
}

fn put_head(tx: &mut Tx<'_>, location: &Location) -> Result<(), StoreError> {
    let values = values![
        location.party.to_string(),
        location.id.as_str(),
        location.name.clone(),
        location.address.as_str(),
        location.city.as_str(),
        location.postal_code.clone(),
        location.country.as_str(),
        location.position.latitude_e7,
        location.position.longitude_e7,
        location.time_zone.as_str(),
        location.operator_name.clone(),
        location.last_updated,
    ];
    tx.execute(PUT_HEAD, &values).map(drop)
}

fn put_evse(
    tx: &mut Tx<'_>,
    location: &Location,
    nth: i64,
    evse: &Evse,
    status: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (operator, id) = (location.party.to_string(), location.id.as_str());
    let (uid, evse_id) = (evse.uid.as_str(), evse.id.as_ref().map(|id| id.as_str()));
    tx.execute(
        PUT_EVSE,
        &values![
            operator.as_str(),
            id,
            uid,
            nth,
            evse_id,
            status,
            evse.physical_reference.clone(),
            at,
            evse.capabilities.to_string()
        ],
    )?;
    for (nth, connector) in evse.connectors.iter().enumerate() {
        // ids have no blanks, so a blank holds them apart
        let tariffs: Vec<_> = connector.tariffs.iter().map(TariffId::as_str).collect();
        let values = values![
            operator.as_str(),
            id,
            uid,
            connector.id.as_str(),
            count(nth),
            connector.plug.as_str(),
            connector.attached_cable,
            current_name(connector.current),
            connector.max_voltage_v,
            connector.max_amperage_a,
            connector.max_power.milliwatts(),
            tariffs.join(" "),
        ];
        tx.execute(PUT_CONNECTOR, &values)?;
    }
    Ok(())
}

fn read_head(row: &Row<'_>) -> Result<Location, StoreError> {
    Ok(Location {
        party: parsed(&row.text(0)?, "provider_location.operator")?,
        id: parsed(&row.text(1)?, "provider_location.id")?,
        name: row.text_opt(2)?,
        address: row.text(3)?,
        city: row.text(4)?,
        postal_code: row.text_opt(5)?,
        country: row.text(6)?,
        position: position(row, 7)?,
        time_zone: row.text(9)?,
        operator_name: row.text_opt(10)?,
        evses: Vec::new(),
        last_updated: row.time(11)?,
    })
}

fn read_evse(row: &Row<'_>) -> Result<Evse, StoreError> {
    Ok(Evse {
        uid: parsed(&row.text(0)?, "provider_evse.uid")?,
        id: parsed_opt(row.text_opt(1)?, "provider_evse.evse_id")?,
        status: parsed(&row.text(2)?, "provider_evse.status")?,
        connectors: Vec::new(),
        capabilities: parsed(&row.text(5)?, "provider_evse.capabilities")?,
        physical_reference: row.text_opt(3)?,
        last_updated: row.time(4)?,
    })
}

fn read_connector(row: &Row<'_>) -> Result<Connector, StoreError> {
    let tariffs = row.text(8)?;
    let tariffs = tariffs.split_whitespace().map(|id| parsed(id, "provider_connector.tariffs")).collect();
    Ok(Connector {
        id: parsed(&row.text(1)?, "provider_connector.id")?,
        plug: Plug::named(&row.text(2)?),
        attached_cable: row.flag(3)?,
        current: current_named(&row.text(4)?).ok_or_else(|| corrupt("provider_connector.current"))?,
        max_voltage_v: small(row.int(5)?, "provider_connector.voltage")?,
        max_amperage_a: small(row.int(6)?, "provider_connector.amperage")?,
        max_power: Power::from_milliwatts(row.int(7)?),
        tariffs: Result::from_iter::<Vec<_>>(tariffs)?,
    })
}

fn read_point(row: &Row<'_>) -> Result<PlacePoint, StoreError> {
    Ok(PlacePoint {
        operator: parsed(&row.text(0)?, "provider_location.operator")?,
        location: parsed(&row.text(1)?, "provider_location.id")?,
        name: row.text_opt(2)?,
        address: row.text(3)?,
        city: row.text(4)?,
        position: position(row, 5)?,
        operator_name: row.text_opt(7)?,
        available: small(row.int(8)?, "the number of free EVSEs")?,
        total: small(row.int(9)?, "the number of EVSEs")?,
        max_power: Power::from_milliwatts(row.int(10)?),
    })
}

fn position(row: &Row<'_>, first: usize) -> Result<Position, StoreError> {
    Position::new(row.int(first)?, row.int(first + 1)?).ok_or_else(|| corrupt("provider_location.position"))
}

const fn current_name(current: Current) -> &'static str {
    match current {
        Current::Ac1Phase => "ac1",
        Current::Ac3Phase => "ac3",
        Current::Dc => "dc",
    }
}

fn current_named(text: &str) -> Option<Current> {
    [Current::Ac1Phase, Current::Ac3Phase, Current::Dc].into_iter().find(|current| current_name(*current) == text)
}

/// As many points as a map shows and a browser digests; a real register of a country has some ten thousand.
const PLACES_MAX: u32 = 20_000;

const UPDATED: &str = "SELECT updated FROM provider_location WHERE operator = ?1 AND id = ?2";
const STATUSES: &str = "SELECT uid, status, updated FROM provider_evse WHERE operator = ?1 AND location = ?2";
const FORGET_CONNECTORS: &str = "DELETE FROM provider_connector WHERE operator = ?1 AND location = ?2";
const FORGET_EVSES: &str = "DELETE FROM provider_evse WHERE operator = ?1 AND location = ?2";
const PUT_HEAD: &str = "INSERT INTO provider_location (operator, id, name, address, city, postal_code, country,
    latitude_e7, longitude_e7, time_zone, operator_name, updated)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
    ON CONFLICT (operator, id) DO UPDATE SET name = excluded.name, address = excluded.address, city = excluded.city,
        postal_code = excluded.postal_code, country = excluded.country, latitude_e7 = excluded.latitude_e7,
        longitude_e7 = excluded.longitude_e7, time_zone = excluded.time_zone,
        operator_name = excluded.operator_name, updated = excluded.updated";
const PUT_EVSE: &str = "INSERT INTO provider_evse (operator, location, uid, nth, evse_id, status, reference, updated,
    capabilities) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (operator, location, uid) DO NOTHING";
const PUT_CONNECTOR: &str = "INSERT INTO provider_connector (operator, location, evse, id, nth, plug, cable, current,
    voltage, amperage, power, tariffs) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
    ON CONFLICT (operator, location, evse, id) DO NOTHING";
const SET_STATUS: &str = "UPDATE provider_evse SET status = ?4, updated = ?5
    WHERE operator = ?1 AND location = ?2 AND uid = ?3 AND updated <= ?5";
const HEAD: &str = "SELECT operator, id, name, address, city, postal_code, country, latitude_e7, longitude_e7,
    time_zone, operator_name, updated FROM provider_location WHERE operator = ?1 AND id = ?2";
const EVSES: &str = "SELECT uid, evse_id, status, reference, updated, capabilities FROM provider_evse
    WHERE operator = ?1 AND location = ?2 ORDER BY nth";
const CONNECTORS: &str = "SELECT evse, id, plug, cable, current, voltage, amperage, power, tariffs
    FROM provider_connector WHERE operator = ?1 AND location = ?2 ORDER BY evse, nth";
/// Planned and removed EVSEs are no places to charge.
const POINTS: &str = "SELECT l.operator, l.id, l.name, l.address, l.city, l.latitude_e7, l.longitude_e7,
    l.operator_name,
    (SELECT COUNT(*) FROM provider_evse e
        WHERE e.operator = l.operator AND e.location = l.id AND e.status = 'AVAILABLE') AS available,
    (SELECT COUNT(*) FROM provider_evse e
        WHERE e.operator = l.operator AND e.location = l.id AND e.status NOT IN ('PLANNED', 'REMOVED')) AS total,
    (SELECT COALESCE(MAX(c.power), 0) FROM provider_connector c
        WHERE c.operator = l.operator AND c.location = l.id) AS power
    FROM provider_location l WHERE l.latitude_e7 BETWEEN ?1 AND ?2
        AND ((?3 <= ?4 AND l.longitude_e7 BETWEEN ?3 AND ?4)
            OR (?3 > ?4 AND (l.longitude_e7 >= ?3 OR l.longitude_e7 <= ?4)))
    ORDER BY l.operator, l.id LIMIT ?5";
const TOTAL: &str = "SELECT COUNT(*) FROM provider_location";
const PULL: &str = "SELECT since, due FROM provider_pull WHERE kind = ?1";
const PULLED: &str = "INSERT INTO provider_pull (kind, since, due) VALUES (?1, ?2, ?3)
    ON CONFLICT (kind) DO UPDATE SET since = COALESCE(excluded.since, provider_pull.since), due = excluded.due";
const METER_KEY: &str = "SELECT key FROM provider_meter_key WHERE operator = ?1 AND evse = ?2";
const PUT_METER_KEY: &str = "INSERT INTO provider_meter_key (operator, evse, key) VALUES (?1, ?2, ?3)
    ON CONFLICT (operator, evse) DO UPDATE SET key = excluded.key";
