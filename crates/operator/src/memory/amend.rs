//! Rows as people look them up and mend them one by one: a location's head, what is painted on a pole, meters' keys.
//!
//! Putting a whole location with its EVSEs is `place`'s business; here nothing is added and nothing is removed.

use charge::Timestamp;
use charge::id::{EvseNo, EvseUid, LocationId, PartyId};
use charge::place::{Capabilities, Location};
use store::{Row, StoreError, Tx, values};

use crate::memory::{anywhere, count, place, small_opt, word, word_opt};
use crate::view::{LocationHead, MeterCard, MeterKey, Page};

/// Locations in which the words are found, by name, and how many there are in all.
pub(crate) fn locations(
    tx: &Tx<'_>,
    party: PartyId,
    query: &str,
    page: Page,
) -> Result<(Vec<Location>, u32), StoreError> {
    let pattern = anywhere(query);
    let total = tx.one(COUNT_LOCATIONS, &values![pattern.as_str()], |row| count(row, 0))?.unwrap_or(0);
    let row = |row: &Row<'_>| word(row, 0, "id");
    let found: Vec<LocationId> = tx.query(FIND_LOCATIONS, &values![pattern, page.limit, page.offset], row)?;
    let found = found.iter().filter_map(|id| place::find(tx, party, id).transpose());
    Ok((found.collect::<Result<_, _>>()?, total))
}

/// Writes a location's head anew; its EVSEs stay. `false`: there is no such location.
pub(crate) fn set_head(
    tx: &mut Tx<'_>,
    id: &LocationId,
    head: &LocationHead,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row = values![
        id.as_str(),
        head.name.as_deref(),
        head.address.as_str(),
        head.city.as_str(),
        head.postal_code.as_deref(),
        head.country.as_str(),
        head.position.latitude_e7,
        head.position.longitude_e7,
        head.time_zone.as_str(),
        now,
    ];
    Ok(tx.execute(SET_HEAD, &row)? > 0)
}

/// What is painted on the pole; answers the EVSE's location.
pub(crate) fn set_reference(
    tx: &mut Tx<'_>,
    evse: &EvseUid,
    reference: Option<&str>,
    now: Timestamp,
) -> Result<Option<LocationId>, StoreError> {
    let location = tx.one(SET_REFERENCE, &values![evse.as_str(), reference, now], |row| word(row, 0, "location"))?;
    if let Some(location) = &location {
        // a location is as new as its newest EVSE, or a partner that pulls would miss the change (OCPI 2.2.1, 8.3.1)
        tx.execute(TOUCH_LOCATION, &values![LocationId::as_str(location), now])?;
    }
    Ok(location)
}

/// What a person says that an EVSE can do; `None`: what its station says counts. Answers the EVSE's location.
pub(crate) fn set_capabilities(
    tx: &mut Tx<'_>,
    evse: &EvseUid,
    said: Option<Capabilities>,
    now: Timestamp,
) -> Result<Option<LocationId>, StoreError> {
    let row = values![evse.as_str(), said.map(|said| said.to_string()), now];
    let location = tx.one(SET_CAPABILITIES, &row, |row| word(row, 0, "location"))?;
    if let Some(location) = &location {
        tx.execute(TOUCH_LOCATION, &values![LocationId::as_str(location), now])?;
    }
    Ok(location)
}

/// What a location is called.
pub(crate) fn location_name(tx: &Tx<'_>, id: &LocationId) -> Result<Option<String>, StoreError> {
    Ok(tx.one(NAME, &values![id.as_str()], |row| row.text_opt(0))?.flatten())
}

/// The meters of stations, those without a compared key first, and how many there are in all.
pub(crate) fn meters(tx: &Tx<'_>, query: &str, page: Page) -> Result<(Vec<MeterCard>, u32), StoreError> {
    let pattern = anywhere(query);
    let total = tx.one(COUNT_METERS, &values![pattern.as_str()], |row| count(row, 0))?.unwrap_or(0);
    let found = tx.query(METERS, &values![pattern, page.limit, page.offset], |row| {
        let confirmed = row.flag(7)?;
        Ok(MeterCard {
            evse: word(row, 0, "uid")?,
            evse_id: word_opt(row, 1, "evse_id")?,
            station: word(row, 2, "station")?,
            no: small_opt(row, 3, "no")?.and_then(EvseNo::new),
            location: word(row, 4, "location")?,
            location_name: row.text_opt(5)?,
            key: row.text_opt(6)?.map(|spki_hex| MeterKey { spki_hex, confirmed }),
        })
    })?;
    Ok((found, total))
}

const COUNT_LOCATIONS: &str = "SELECT COUNT(*) FROM operator_locations WHERE name LIKE ?1 ESCAPE '\\'
    OR address LIKE ?1 ESCAPE '\\' OR city LIKE ?1 ESCAPE '\\' OR id LIKE ?1 ESCAPE '\\'";
const FIND_LOCATIONS: &str = "SELECT id FROM operator_locations WHERE name LIKE ?1 ESCAPE '\\'
    OR address LIKE ?1 ESCAPE '\\' OR city LIKE ?1 ESCAPE '\\' OR id LIKE ?1 ESCAPE '\\'
    ORDER BY COALESCE(name, address), id LIMIT ?2 OFFSET ?3";
const SET_HEAD: &str = "UPDATE operator_locations SET name = ?2, address = ?3, city = ?4, postal_code = ?5,
    country = ?6, latitude_e7 = ?7, longitude_e7 = ?8, time_zone = ?9, changed = ?10 WHERE id = ?1";
const SET_REFERENCE: &str = "UPDATE operator_evses SET physical_reference = ?2, changed = ?3 WHERE uid = ?1
    RETURNING location";
const SET_CAPABILITIES: &str = "UPDATE operator_evses SET capabilities = ?2, changed = ?3 WHERE uid = ?1
    RETURNING location";
const TOUCH_LOCATION: &str = "UPDATE operator_locations SET changed = ?2 WHERE id = ?1";
const NAME: &str = "SELECT name FROM operator_locations WHERE id = ?1";
const COUNT_METERS: &str = "SELECT COUNT(*) FROM operator_evses e JOIN operator_locations l ON l.id = e.location
    WHERE e.station IS NOT NULL AND (e.uid LIKE ?1 ESCAPE '\\' OR e.evse_id LIKE ?1 ESCAPE '\\'
    OR e.station LIKE ?1 ESCAPE '\\' OR l.name LIKE ?1 ESCAPE '\\')";
const METERS: &str = "SELECT e.uid, e.evse_id, e.station, e.no, e.location, l.name, e.meter_key, e.meter_key_confirmed
    FROM operator_evses e JOIN operator_locations l ON l.id = e.location
    WHERE e.station IS NOT NULL AND (e.uid LIKE ?1 ESCAPE '\\' OR e.evse_id LIKE ?1 ESCAPE '\\'
    OR e.station LIKE ?1 ESCAPE '\\' OR l.name LIKE ?1 ESCAPE '\\')
    ORDER BY e.meter_key_confirmed, e.station, e.no LIMIT ?2 OFFSET ?3";
