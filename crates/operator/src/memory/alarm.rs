//! What a person should look at, read from what is there anyway, and who has seen it.
//!
//! An alarm is no row of its own: it stands while its reason stands and is gone with it. Only that somebody saw it is
//! kept, for this one occurrence: the same fault that comes again is a new alarm.

use std::time::Duration;

use charge::Timestamp;
use store::{Migration, Row, StoreError, Tx, values};

use crate::memory::{named, word_opt};
use crate::view::{Alarm, AlarmKind};

/// A family of its own: no other table refers to it.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator alarms", number: 1, name: "alarms that were seen", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_alarms_seen (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    since INTEGER NOT NULL,
    detail TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (kind, subject, since, detail)
);";

/// All that stands, what nobody has seen first, then the newest.
pub(crate) fn standing(tx: &Tx<'_>, now: Timestamp, away_grace: Duration) -> Result<Vec<Alarm>, StoreError> {
    let (away, ends, since) = (now.minus(away_grace), now.plus(CERTIFICATE_NOTICE), now.minus(TOLD_FOR));
    tx.query(STANDING, &values![away, ends, since, ALARMS_MAX], read)
}

fn read(row: &Row<'_>) -> Result<Alarm, StoreError> {
    let seen = match (row.time_opt(6)?, row.text_opt(7)?) {
        (Some(at), Some(actor)) => Some((at, actor)),
        (Some(_) | None, _) => None,
    };
    Ok(Alarm {
        kind: named(row, 0, "kind", AlarmKind::named)?,
        subject: row.text(1)?,
        station: word_opt(row, 2, "station")?,
        session: word_opt(row, 3, "session")?,
        since: row.time(4)?,
        detail: row.text(5)?,
        seen,
    })
}

/// Notes who saw an alarm. Whoever was first stays.
pub(crate) fn see(tx: &mut Tx<'_>, alarm: &Alarm, now: Timestamp, actor: &str) -> Result<(), StoreError> {
    let row = values![alarm.kind.as_str(), alarm.subject.as_str(), alarm.since, alarm.detail.as_str(), now, actor];
    tx.execute(SEE, &row).map(drop)
}

/// Nobody has seen it, after all.
pub(crate) fn unsee(tx: &mut Tx<'_>, alarm: &Alarm) -> Result<(), StoreError> {
    let row = values![alarm.kind.as_str(), alarm.subject.as_str(), alarm.since, alarm.detail.as_str()];
    tx.execute(UNSEE, &row).map(drop)
}

/// More than a person works off in a day; the rest shows up when these are dealt with.
const ALARMS_MAX: u32 = 500;
/// Time to get a new certificate into a station, which may need a visit.
const CERTIFICATE_NOTICE: Duration = Duration::from_secs(30 * 86_400);
/// What happened once, and does not stand, is told for as long as the message log explains it.
const TOLD_FOR: Duration = Duration::from_secs(14 * 86_400);

const STANDING: &str = "SELECT a.kind, a.subject, a.station, a.session, a.since, a.detail, s.at, s.actor FROM (
    SELECT 'evse_fault' AS kind, e.uid AS subject, e.station AS station, NULL AS session,
        COALESCE(e.state_at, e.changed) AS since, COALESCE(e.fault, '') AS detail
        FROM operator_evses e JOIN operator_stations t ON t.id = e.station
        WHERE t.retired IS NULL AND (e.state = 'Faulted' OR e.fault IS NOT NULL)
    UNION ALL SELECT 'station_fault', id, id, NULL, COALESCE(booted, enrolled), fault
        FROM operator_stations WHERE retired IS NULL AND fault IS NOT NULL
    UNION ALL SELECT 'station_away', id, id, NULL, left_at, ''
        FROM operator_stations WHERE retired IS NULL AND left_at IS NOT NULL AND left_at < ?1
    UNION ALL SELECT 'certificate_ends', id, id, NULL, certificate_until, COALESCE(certificate_name, '')
        FROM operator_stations WHERE retired IS NULL AND certificate_until < ?2
    UNION ALL SELECT 'session_unclaimed', id, station, id, start, ''
        FROM operator_sessions WHERE state = 'unclaimed' AND start >= ?3
    UNION ALL SELECT 'session_flagged', id, station, id, start, flags
        FROM operator_sessions WHERE flags <> '' AND state NOT IN ('unclaimed', 'void') AND start >= ?3
    UNION ALL SELECT 'record_refused', id, NULL, session, changed, COALESCE(why, '')
        FROM operator_cdrs WHERE state = 'refused'
    UNION ALL SELECT 'reading_unplaced', 'message ' || id, station, NULL, at, why
        FROM operator_orphans WHERE at >= ?3
    ) a LEFT JOIN operator_alarms_seen s
    ON s.kind = a.kind AND s.subject = a.subject AND s.since = a.since AND s.detail = a.detail
    ORDER BY s.at IS NOT NULL, a.since DESC, a.kind, a.subject LIMIT ?4";
const SEE: &str = "INSERT INTO operator_alarms_seen (kind, subject, since, detail, at, actor)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
const UNSEE: &str = "DELETE FROM operator_alarms_seen WHERE kind = ?1 AND subject = ?2 AND since = ?3 AND detail = ?4";
