//! Rows of requests: what a station was asked and answers later, in parts or by progress.
//!
//! The number of a row is the `requestId` that the station hears; numbers are never used twice. 1.6 reports progress
//! without one, so it belongs to the newest request of its kind that is open.

use charge::Timestamp;
use charge::id::StationId;
use store::{Migration, Row, StoreError, Tx, values};

use crate::desk::Request;
use crate::memory::{named, small, word};
use crate::request::{Kind, Phase, State};

/// A family of its own: others name a request by its number.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator requests", number: 1, name: "requests", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_requests (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    station TEXT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    asked INTEGER NOT NULL,
    state TEXT NOT NULL,
    status TEXT,
    changed INTEGER NOT NULL
);
CREATE INDEX operator_requests_station ON operator_requests (station, number);";

/// A new request; its number.
pub(crate) fn open(
    tx: &mut Tx<'_>,
    station: &StationId,
    kind: Kind,
    actor: &str,
    now: Timestamp,
) -> Result<i32, StoreError> {
    let made = tx.query(OPEN, &values![station.as_str(), kind.as_str(), actor, now], |row| small(row, 0, "number"))?;
    made.into_iter().next().ok_or_else(|| StoreError::Misuse("no request number".to_owned()))
}

pub(crate) fn find(tx: &Tx<'_>, number: i32) -> Result<Option<Request>, StoreError> {
    tx.one(&format!("{SELECT} WHERE number = ?1"), &values![number], read)
}

/// The request of this station that a word is about.
pub(crate) fn meant(
    tx: &Tx<'_>,
    station: &StationId,
    number: Option<i32>,
    kind: Kind,
) -> Result<Option<Request>, StoreError> {
    match number {
        Some(number) => Ok(find(tx, number)?.filter(|request| request.station == *station)),
        None => tx.one(&format!("{SELECT} {NEWEST}"), &values![station.as_str(), kind.as_str()], read),
    }
}

/// Moves a request. `status`: the station's own word.
pub(crate) fn moved(
    tx: &mut Tx<'_>,
    request: &Request,
    phase: Phase,
    status: Option<&str>,
    now: Timestamp,
) -> Result<State, StoreError> {
    let state = request.state.on(phase);
    if request.state.is_open() {
        tx.execute(MOVE, &values![request.number, state.as_str(), status, now])?;
    }
    Ok(state)
}

/// The station does `by` in the place of what it was doing: older open requests of the kind have come to nothing.
pub(crate) fn superseded(tx: &mut Tx<'_>, by: &Request, word: &str, now: Timestamp) -> Result<usize, StoreError> {
    tx.execute(SUPERSEDE, &values![by.station.as_str(), by.kind.as_str(), by.number, word, now])
}

/// The newest requests of a station, or of all.
pub(crate) fn list(tx: &Tx<'_>, station: Option<&StationId>, limit: u32) -> Result<Vec<Request>, StoreError> {
    let station = station.map_or("", StationId::as_str);
    tx.query(&format!("{SELECT} {LIST}"), &values![station, limit], read)
}

pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET, &values![before])
}

/// Eight columns from the first on.
pub(crate) fn read(row: &Row<'_>) -> Result<Request, StoreError> {
    Ok(Request {
        number: small(row, 0, "number")?,
        station: word(row, 1, "station")?,
        kind: named(row, 2, "kind", Kind::named)?,
        actor: row.text(3)?,
        asked: row.time(4)?,
        state: named(row, 5, "state", State::named)?,
        status: row.text_opt(6)?,
        changed: row.time(7)?,
    })
}

const OPEN: &str = "INSERT INTO operator_requests (station, kind, actor, asked, state, changed)
    VALUES (?1, ?2, ?3, ?4, 'asked', ?4) RETURNING number";
const SELECT: &str = "SELECT number, station, kind, actor, asked, state, status, changed FROM operator_requests";
const NEWEST: &str = "WHERE station = ?1 AND kind = ?2 AND state IN ('asked', 'going') ORDER BY number DESC LIMIT 1";
const LIST: &str = "WHERE ?1 = '' OR station = ?1 ORDER BY number DESC LIMIT ?2";
const MOVE: &str = "UPDATE operator_requests SET state = ?2, status = COALESCE(?3, status), changed = ?4
    WHERE number = ?1";
const SUPERSEDE: &str = "UPDATE operator_requests SET state = 'failed', status = ?4, changed = ?5
    WHERE station = ?1 AND kind = ?2 AND number < ?3 AND state IN ('asked', 'going')";
// a campaign's requests stay with their campaign
const FORGET: &str = "DELETE FROM operator_requests WHERE changed < ?1 AND kind <> 'firmware'";
