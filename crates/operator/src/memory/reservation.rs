//! Rows of reservations. The token is not kept: the station has it, and the transaction names the reservation.

use charge::Timestamp;
use charge::id::{EvseNo, PartyId, SessionId, StationId};
use store::{Migration, Row, StoreError, Tx, values};

use crate::desk::Reservation;
use crate::memory::{named, small, small_opt, word, word_opt};
use crate::reservation::{Event, State};

/// A family of its own: no other table refers to it.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator reservations", number: 1, name: "reservations", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_reservations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    station TEXT NOT NULL,
    evse_no INTEGER,
    until_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    why TEXT,
    giver TEXT, given_as TEXT,
    session TEXT,
    asked INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    UNIQUE (giver, given_as)
);
CREATE INDEX operator_reservations_state ON operator_reservations (state, until_at);";

/// A new reservation; its number.
pub(crate) fn open(
    tx: &mut Tx<'_>,
    station: &StationId,
    evse: Option<EvseNo>,
    until: Timestamp,
    giver: Option<&(PartyId, String)>,
    now: Timestamp,
) -> Result<i32, StoreError> {
    let (party, name) = giver.map_or((None, None), |(party, name)| (Some(party.to_string()), Some(name.as_str())));
    let row = values![station.as_str(), evse.map(EvseNo::get), until, party, name, now];
    let made = tx.query(OPEN, &row, |row| small(row, 0, "id"))?;
    made.into_iter().next().ok_or_else(|| StoreError::Misuse("no reservation number".to_owned()))
}

/// An open one was given again under the same name, and the station has said so: a new end, the same number.
pub(crate) fn renew(
    tx: &mut Tx<'_>,
    id: i32,
    evse: Option<EvseNo>,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(RENEW, &values![id, evse.map(EvseNo::get), until, now]).map(drop)
}

pub(crate) fn find(tx: &Tx<'_>, id: i32) -> Result<Option<Reservation>, StoreError> {
    tx.one(&format!("{SELECT} WHERE id = ?1"), &values![id], read)
}

pub(crate) fn given(tx: &Tx<'_>, giver: PartyId, given_as: &str) -> Result<Option<Reservation>, StoreError> {
    tx.one(&format!("{SELECT} WHERE giver = ?1 AND given_as = ?2"), &values![giver.to_string(), given_as], read)
}

/// Moves it by its table; the state afterwards.
pub(crate) fn moved(
    tx: &mut Tx<'_>,
    row: &Reservation,
    event: Event,
    why: Option<&str>,
    session: Option<&SessionId>,
    now: Timestamp,
) -> Result<State, StoreError> {
    let state = row.state.on(event);
    if state != row.state || why.is_some() {
        tx.execute(MOVE, &values![row.id, state.as_str(), why, session.map(SessionId::as_str), now])?;
    }
    Ok(state)
}

/// Open ones whose time is over.
pub(crate) fn lapsed(tx: &Tx<'_>, now: Timestamp) -> Result<Vec<Reservation>, StoreError> {
    tx.query(&format!("{SELECT} {LAPSED}"), &values![now], read)
}

/// Newest first, of one station or of all.
pub(crate) fn list(tx: &Tx<'_>, station: Option<&StationId>, limit: u32) -> Result<Vec<Reservation>, StoreError> {
    let station = station.map_or("", StationId::as_str);
    tx.query(&format!("{SELECT} {LIST}"), &values![station, limit], read)
}

/// Drops those that are over since before `before`.
pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET, &values![before])
}

fn read(row: &Row<'_>) -> Result<Reservation, StoreError> {
    Ok(Reservation {
        id: small(row, 0, "id")?,
        station: word(row, 1, "station")?,
        evse: small_opt(row, 2, "evse_no")?.and_then(EvseNo::new),
        until: row.time(3)?,
        state: named(row, 4, "state", State::named)?,
        why: row.text_opt(5)?,
        giver: word_opt(row, 6, "giver")?.zip(row.text_opt(7)?),
        session: word_opt(row, 8, "session")?,
        asked: row.time(9)?,
        changed: row.time(10)?,
    })
}

const OPEN: &str =
    "INSERT INTO operator_reservations (station, evse_no, until_at, state, giver, given_as, asked, changed)
    VALUES (?1, ?2, ?3, 'asked', ?4, ?5, ?6, ?6) RETURNING id";
const RENEW: &str = "UPDATE operator_reservations SET evse_no = ?2, until_at = ?3, changed = ?4
    WHERE id = ?1 AND state IN ('asked', 'held')";
const SELECT: &str = "SELECT id, station, evse_no, until_at, state, why, giver, given_as, session, asked, changed
    FROM operator_reservations";
const MOVE: &str = "UPDATE operator_reservations SET state = ?2, why = COALESCE(?3, why),
    session = COALESCE(?4, session), changed = ?5 WHERE id = ?1";
const LAPSED: &str = "WHERE state IN ('asked', 'held') AND until_at < ?1 ORDER BY id LIMIT 1000";
const FORGET: &str = "DELETE FROM operator_reservations WHERE state NOT IN ('asked', 'held') AND changed < ?1";
const LIST: &str = "WHERE ?1 = '' OR station = ?1 ORDER BY state IN ('asked', 'held') DESC, id DESC LIMIT ?2";
