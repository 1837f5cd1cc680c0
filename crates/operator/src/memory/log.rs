//! Rows of the message log, of refused knocks and of the audit of what people did.
//!
//! Messages come here masked by the tongue. Both logs are written in batches and kept for a while; the audit stays.

use charge::Timestamp;
use charge::id::StationId;
use charge::talk::line::{Direction, LogLine};
use store::{StoreError, Tx, values};

use crate::memory::{anywhere, lines, small};
use crate::view::{AuditLine, LogEntry, LogFilter, RefusedKnock};

pub(crate) fn put_message(tx: &mut Tx<'_>, station: &StationId, line: &LogLine) -> Result<(), StoreError> {
    let remarks: Vec<&str> = line.remarks.iter().map(AsRef::as_ref).collect();
    let from_station = line.direction == Direction::FromStation;
    let row = values![station.as_str(), line.at, from_station, &*line.action, &*line.text, remarks.join("\n")];
    tx.execute(PUT_MESSAGE, &row).map(drop)
}

/// Newest first; `before` is the cursor of the oldest line that was shown.
pub(crate) fn messages(tx: &Tx<'_>, station: &StationId, filter: &LogFilter) -> Result<Vec<LogEntry>, StoreError> {
    let direction = filter.direction.map(|direction| direction == Direction::FromStation);
    let before = filter.before.unwrap_or(i64::MAX);
    let pattern = anywhere(filter.query.as_deref().unwrap_or_default());
    tx.query(MESSAGES, &values![station.as_str(), before, pattern, direction, filter.limit], |row| {
        let direction = if row.flag(2)? { Direction::FromStation } else { Direction::ToStation };
        let remarks = lines(&row.text(5)?).into_iter().map(Into::into).collect();
        Ok(LogEntry {
            cursor: row.int(0)?,
            line: LogLine {
                at: row.time(1)?,
                direction,
                action: row.text(3)?.into(),
                text: row.text(4)?.into(),
                remarks,
            },
        })
    })
}

pub(crate) fn put_refusal(tx: &mut Tx<'_>, knock: &RefusedKnock) -> Result<(), StoreError> {
    let row = values![knock.at, knock.identity.as_str(), knock.peer.as_str(), knock.status, knock.reason.as_str(),];
    tx.execute(PUT_REFUSAL, &row).map(drop)
}

pub(crate) fn refusals(tx: &Tx<'_>, limit: u32) -> Result<Vec<RefusedKnock>, StoreError> {
    tx.query(REFUSALS, &values![limit], |row| {
        Ok(RefusedKnock {
            at: row.time(0)?,
            identity: row.text(1)?,
            peer: row.text(2)?,
            status: small(row, 3, "status")?,
            reason: row.text(4)?,
        })
    })
}

/// What a person (or a key of the API) did, and what came of it.
pub(crate) fn audit(
    tx: &mut Tx<'_>,
    now: Timestamp,
    actor: &str,
    action: &str,
    subject: &str,
    outcome: &str,
) -> Result<(), StoreError> {
    tx.execute(PUT_AUDIT, &values![now, actor, action, subject, outcome]).map(drop)
}

pub(crate) fn audits(tx: &Tx<'_>, limit: u32) -> Result<Vec<AuditLine>, StoreError> {
    tx.query(AUDITS, &values![limit], |row| {
        Ok(AuditLine {
            at: row.time(0)?,
            actor: row.text(1)?,
            action: row.text(2)?,
            subject: row.text(3)?,
            outcome: row.text(4)?,
        })
    })
}

/// Drops what is older than `before`.
pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    let messages = tx.execute(FORGET_MESSAGES, &values![before])?;
    let refusals = tx.execute(FORGET_REFUSALS, &values![before])?;
    Ok(messages + refusals)
}

const PUT_MESSAGE: &str = "INSERT INTO operator_messages (station, at, from_station, action, text, remarks)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const MESSAGES: &str = "SELECT id, at, from_station, action, text, remarks FROM operator_messages
    WHERE station = ?1 AND id < ?2 AND (action LIKE ?3 ESCAPE '\\' OR text LIKE ?3 ESCAPE '\\')
    AND (?4 IS NULL OR from_station = ?4) ORDER BY id DESC LIMIT ?5";
const PUT_REFUSAL: &str = "INSERT INTO operator_refusals (at, identity, peer, status, reason)
    VALUES (?1, ?2, ?3, ?4, ?5)";
const REFUSALS: &str = "SELECT at, identity, peer, status, reason FROM operator_refusals ORDER BY id DESC LIMIT ?1";
const PUT_AUDIT: &str = "INSERT INTO operator_audit (at, actor, action, subject, outcome) VALUES (?1, ?2, ?3, ?4, ?5)";
const AUDITS: &str = "SELECT at, actor, action, subject, outcome FROM operator_audit ORDER BY id DESC LIMIT ?1";
const FORGET_MESSAGES: &str = "DELETE FROM operator_messages WHERE at < ?1";
const FORGET_REFUSALS: &str = "DELETE FROM operator_refusals WHERE at < ?1";
