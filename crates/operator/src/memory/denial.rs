//! Rows of what was denied: taps and orders. Knocks have their own log. No card is kept here, not even as a tag.

use charge::Timestamp;
use charge::id::{EvseNo, StationId};
use store::{Migration, StoreError, Tx, values};

use crate::desk::Denial;
use crate::explain::{Denied, explain};
use crate::memory::session::{allowed_name, allowed_named};
use crate::memory::{damaged, log, small_opt};
use crate::order::Outcome;
use crate::service::presence::DeniedTap;

/// A family of its own: no other table refers to it.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator denials", number: 1, name: "what was denied", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_denials (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    station TEXT NOT NULL,
    evse_no INTEGER,
    actor TEXT,
    act TEXT,
    code TEXT NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX operator_denials_station ON operator_denials (station, id);";

pub(crate) fn tap(tx: &mut Tx<'_>, tap: &DeniedTap) -> Result<(), StoreError> {
    let (station, evse) = (tap.station.as_str(), tap.evse.map(EvseNo::get));
    tx.execute(PUT, &values![tap.at, station, evse, None::<&str>, None::<&str>, allowed_name(tap.allowed), ""])
        .map(drop)
}

pub(crate) fn order(
    tx: &mut Tx<'_>,
    station: &StationId,
    actor: &str,
    act: &str,
    (outcome, message): (Outcome, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(PUT, &values![now, station.as_str(), None::<u16>, actor, act, outcome.as_str(), message]).map(drop)
}

/// Taps, orders and knocks together, newest first.
pub(crate) fn list(tx: &Tx<'_>, station: Option<&str>, limit: u32) -> Result<Vec<Denial>, StoreError> {
    let mut found = tx.query(LIST, &values![station.unwrap_or_default(), limit], |row| {
        let (act, code, message) = (row.text_opt(4)?, row.text(5)?, row.text(6)?);
        let denied = match act {
            Some(_) => Denied::Order { outcome: Outcome::named(&code).ok_or_else(|| damaged("code"))?, message },
            None => Denied::Tap { allowed: allowed_named(&code).ok_or_else(|| damaged("code"))? },
        };
        let evse = small_opt(row, 2, "evse_no")?.and_then(EvseNo::new);
        Ok(shown(row.time(0)?, row.text(1)?, evse, (row.text_opt(3)?, act), denied))
    })?;
    let knocks = match station {
        Some(station) => log::refusals_of(tx, station, limit)?,
        None => log::refusals(tx, limit)?,
    };
    found.extend(knocks.into_iter().map(|knock| {
        let denied = Denied::Knock { status: knock.status, reason: knock.reason };
        shown(knock.at, knock.identity, None, (None, None), denied)
    }));
    found.sort_by_key(|denial| std::cmp::Reverse(denial.at));
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

fn shown(
    at: Timestamp,
    station: String,
    evse: Option<EvseNo>,
    (actor, order): (Option<String>, Option<String>),
    denied: Denied,
) -> Denial {
    let explanation = explain(&denied);
    Denial { at, station, evse, actor, order, denied, explanation }
}

pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    Ok(tx.execute(FORGET, &values![before])? + tx.execute(FORGET_MORE, &values![KEPT_MAX])?)
}

/// A large network refuses some thousand taps a day; beyond that the oldest go first.
const KEPT_MAX: u32 = 200_000;

const PUT: &str = "INSERT INTO operator_denials (at, station, evse_no, actor, act, code, message)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const LIST: &str = "SELECT at, station, evse_no, actor, act, code, message FROM operator_denials
    WHERE ?1 = '' OR station = ?1 ORDER BY id DESC LIMIT ?2";
const FORGET: &str = "DELETE FROM operator_denials WHERE at < ?1";
const FORGET_MORE: &str = "DELETE FROM operator_denials WHERE id <= (SELECT MAX(id) FROM operator_denials) - ?1";
