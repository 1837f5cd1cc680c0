//! Rows of what a station reported of itself: variables, monitors, streams, profiles, display messages.
//!
//! The first part of a report of monitors, profiles or messages takes the place of the last one of its kind, the others
//! add to it; a variable takes the place of itself alone, because most reports are of some of them. Invariants: a
//! station has a limited number of rows of each kind, and those it has are renewed when no new one has room; values of
//! confidential variables are not kept.

use charge::id::{EvseNo, StationId};
use charge::talk::line::charging::{Profile, ProfileKind, ProfilePurpose, RateUnit};
use charge::talk::line::display::{DisplayMessage, DisplayOrder};
use charge::talk::line::document::ItemOutcome;
use charge::talk::line::model::{Attribute, Monitor, MonitorKind, ReportRow, Stream};
use charge::talk::line::{StationAnswer, is_confidential};
use charge::{Decimal, Timestamp};
use store::{Migration, Row, StoreError, Tx, Value, values};

use crate::desk::{KeptDisplay, KeptMonitor, KeptProfile, Variable};
use crate::memory::{named, small, small_opt, word};

/// A family of its own: no other table refers to it.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator models", number: 1, name: "what stations report of themselves", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_variables (
    station TEXT NOT NULL,
    name TEXT NOT NULL,
    attribute TEXT NOT NULL,
    value TEXT,
    read_only INTEGER NOT NULL, write_only INTEGER NOT NULL, persistent INTEGER NOT NULL,
    characteristics TEXT,
    told INTEGER NOT NULL,
    PRIMARY KEY (station, name, attribute)
);
CREATE TABLE operator_monitors (
    station TEXT NOT NULL,
    id INTEGER NOT NULL,
    variable TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    severity INTEGER NOT NULL,
    in_transaction INTEGER NOT NULL,
    PRIMARY KEY (station, id)
);
CREATE TABLE operator_streams (
    station TEXT NOT NULL,
    id INTEGER NOT NULL,
    monitor INTEGER NOT NULL,
    latest TEXT,
    latest_at INTEGER,
    PRIMARY KEY (station, id)
);
CREATE TABLE operator_profiles (
    station TEXT NOT NULL,
    evse_no INTEGER NOT NULL,
    id INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    kind TEXT NOT NULL,
    stack_level INTEGER NOT NULL,
    source TEXT NOT NULL,
    valid_from INTEGER, valid_until INTEGER,
    limits TEXT NOT NULL,
    told INTEGER NOT NULL,
    PRIMARY KEY (station, id, evse_no)
);
CREATE TABLE operator_displays (
    station TEXT NOT NULL,
    id INTEGER NOT NULL,
    priority TEXT NOT NULL,
    state TEXT,
    from_at INTEGER, until_at INTEGER,
    language TEXT,
    text TEXT NOT NULL,
    PRIMARY KEY (station, id)
);";

/// How many rows of a kind a station has, and may have.
struct Room {
    kept: usize,
    max: usize,
}

impl Room {
    fn of(tx: &Tx<'_>, count: &str, station: &StationId, max: usize) -> Result<Self, StoreError> {
        let kept = tx.one(count, &values![station.as_str()], |row| row.int(0))?.unwrap_or(0);
        Ok(Self { kept: usize::try_from(kept).unwrap_or(usize::MAX), max })
    }

    /// A row that is there is renewed; a new one needs room.
    fn takes(&mut self, tx: &Tx<'_>, known: &str, name: &[Value]) -> Result<bool, StoreError> {
        if tx.one(known, name, |_| Ok(()))?.is_some() {
            return Ok(true);
        }
        let fits = self.kept < self.max;
        self.kept += usize::from(fits);
        Ok(fits)
    }
}

pub(crate) fn put_variables(
    tx: &mut Tx<'_>,
    station: &StationId,
    rows: &[ReportRow],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut room = Room::of(tx, COUNT_VARIABLES, station, VARIABLES_MAX)?;
    for row in rows {
        let name = values![station.as_str(), &*row.variable, attribute_name(row.attribute)];
        if !room.takes(tx, VARIABLE_KNOWN, &name)? {
            continue;
        }
        let value = row.value.as_deref().filter(|_| !row.write_only && !is_confidential(&row.variable));
        let attribute = attribute_name(row.attribute);
        let about = row.characteristics.as_ref().map(|document| document.as_str());
        let columns = values![
            station.as_str(),
            &*row.variable,
            attribute,
            value,
            row.read_only,
            row.write_only,
            row.persistent,
            about,
            now
        ];
        tx.execute(PUT_VARIABLE, &columns)?;
    }
    Ok(())
}

pub(crate) fn variables(tx: &Tx<'_>, station: &StationId, query: &str) -> Result<Vec<Variable>, StoreError> {
    tx.query(VARIABLES, &values![station.as_str(), crate::memory::anywhere(query)], |row| {
        Ok(Variable {
            name: row.text(0)?,
            attribute: named(row, 1, "attribute", attribute_named)?,
            value: row.text_opt(2)?,
            read_only: row.flag(3)?,
            write_only: row.flag(4)?,
            persistent: row.flag(5)?,
            characteristics: row.text_opt(6)?,
            told: row.time(7)?,
        })
    })
}

pub(crate) fn put_monitors(
    tx: &mut Tx<'_>,
    station: &StationId,
    first: bool,
    monitors: &[Monitor],
) -> Result<(), StoreError> {
    if first {
        tx.execute(DROP_MONITORS, &values![station.as_str()])?;
    }
    let mut room = Room::of(tx, COUNT_MONITORS, station, ROWS_MAX)?;
    for monitor in monitors.iter().take(PARTS_MAX) {
        let Some(id) = monitor.id else { continue };
        if !room.takes(tx, MONITOR_KNOWN, &values![station.as_str(), id])? {
            continue;
        }
        let columns = values![
            station.as_str(),
            id,
            &*monitor.variable,
            monitor_name(monitor.kind),
            monitor.value.to_string(),
            monitor.severity,
            monitor.in_transaction
        ];
        tx.execute(PUT_MONITOR, &columns)?;
    }
    Ok(())
}

pub(crate) fn monitors(tx: &Tx<'_>, station: &StationId) -> Result<Vec<KeptMonitor>, StoreError> {
    tx.query(MONITORS, &values![station.as_str()], |row| {
        Ok(KeptMonitor {
            id: small(row, 0, "id")?,
            variable: row.text(1)?,
            kind: named(row, 2, "kind", monitor_named)?,
            value: word::<Decimal>(row, 3, "value")?,
            severity: small(row, 4, "severity")?,
            in_transaction: row.flag(5)?,
        })
    })
}

/// Whether it is taken: a station has a limited number of streams open.
pub(crate) fn stream_opened(tx: &mut Tx<'_>, station: &StationId, stream: &Stream) -> Result<bool, StoreError> {
    let mut room = Room::of(tx, COUNT_STREAMS, station, ROWS_MAX)?;
    if !room.takes(tx, STREAM_KNOWN, &values![station.as_str(), stream.id])? {
        return Ok(false);
    }
    tx.execute(PUT_STREAM, &values![station.as_str(), stream.id, stream.monitor])?;
    Ok(true)
}

pub(crate) fn stream_closed(tx: &mut Tx<'_>, station: &StationId, id: i32) -> Result<(), StoreError> {
    tx.execute(DROP_STREAM, &values![station.as_str(), id]).map(drop)
}

/// The newest value of a stream; those before it were of interest while they were new.
pub(crate) fn streamed(
    tx: &mut Tx<'_>,
    station: &StationId,
    id: i32,
    value: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(STREAMED, &values![station.as_str(), id, value, at]).map(drop)
}

/// Profiles of one part of a report. The first part of a request clears what was known before.
pub(crate) fn put_profiles(
    tx: &mut Tx<'_>,
    station: &StationId,
    first: bool,
    (evse, source): (Option<EvseNo>, &str),
    profiles: &[Profile],
    now: Timestamp,
) -> Result<(), StoreError> {
    if first {
        tx.execute(DROP_PROFILES, &values![station.as_str()])?;
    }
    let mut room = Room::of(tx, COUNT_PROFILES, station, ROWS_MAX)?;
    for profile in profiles.iter().take(PARTS_MAX) {
        let evse_no = evse.map_or(0, EvseNo::get);
        if !room.takes(tx, PROFILE_KNOWN, &values![station.as_str(), profile.id, evse_no])? {
            continue;
        }
        let columns = values![
            station.as_str(),
            evse_no,
            profile.id,
            purpose_name(profile.purpose),
            kind_name(profile.kind),
            profile.stack_level,
            source,
            profile.valid_from,
            profile.valid_until,
            limits(profile),
            now
        ];
        tx.execute(PUT_PROFILE, &columns)?;
    }
    Ok(())
}

pub(crate) fn profiles(tx: &Tx<'_>, station: &StationId) -> Result<Vec<KeptProfile>, StoreError> {
    tx.query(PROFILES, &values![station.as_str()], |row| {
        Ok(KeptProfile {
            evse: EvseNo::new(small(row, 0, "evse_no")?),
            id: small(row, 1, "id")?,
            purpose: row.text(2)?,
            kind: row.text(3)?,
            stack_level: small(row, 4, "stack_level")?,
            source: row.text(5)?,
            valid_from: row.time_opt(6)?,
            valid_until: row.time_opt(7)?,
            limits: row.text(8)?,
            told: row.time(9)?,
        })
    })
}

/// `16 A for 600 s, then 10 A`, for each schedule.
fn limits(profile: &Profile) -> String {
    let schedule = |schedule: &charge::talk::line::charging::Schedule| {
        let unit = match schedule.unit {
            RateUnit::Watts => "W",
            RateUnit::Amperes => "A",
        };
        let period = |period: &charge::talk::line::charging::Period| {
            let amount = period.limit.or(period.setpoint).map_or_else(|| "?".to_owned(), |limit| limit.to_string());
            format!("from {} s {amount} {unit}", period.start)
        };
        schedule.periods.iter().take(PARTS_MAX).map(period).collect::<Vec<_>>().join(", ")
    };
    profile.schedules.iter().map(schedule).collect::<Vec<_>>().join("; ")
}

pub(crate) fn put_displays(
    tx: &mut Tx<'_>,
    station: &StationId,
    first: bool,
    messages: &[DisplayMessage],
) -> Result<(), StoreError> {
    if first {
        tx.execute(DROP_DISPLAYS, &values![station.as_str()])?;
    }
    let mut room = Room::of(tx, COUNT_DISPLAYS, station, ROWS_MAX)?;
    for message in messages.iter().take(PARTS_MAX) {
        if !room.takes(tx, DISPLAY_KNOWN, &values![station.as_str(), message.id])? {
            continue;
        }
        let columns = values![
            station.as_str(),
            message.id,
            &*message.priority,
            message.state.as_deref(),
            message.from,
            message.until,
            message.language.as_deref(),
            &*message.text
        ];
        tx.execute(PUT_DISPLAY, &columns)?;
    }
    Ok(())
}

/// What an order about messages has changed, by the station's answer.
pub(crate) fn display_answered(
    tx: &mut Tx<'_>,
    station: &StationId,
    order: &DisplayOrder,
    answer: &StationAnswer,
) -> Result<(), StoreError> {
    let agreed = *answer == StationAnswer::Accepted;
    let unknown = matches!(answer, StationAnswer::Refused(word) if &**word == "Unknown");
    match order {
        DisplayOrder::Set(message) if agreed => put_displays(tx, station, false, std::slice::from_ref(message)),
        DisplayOrder::Clear { id } if agreed || unknown => {
            tx.execute(DROP_DISPLAY, &values![station.as_str(), *id]).map(drop)
        }
        // there is none at all
        DisplayOrder::Read { ids, priority: None, state: None, .. } if unknown && ids.is_empty() => {
            tx.execute(DROP_DISPLAYS, &values![station.as_str()]).map(drop)
        }
        DisplayOrder::Set(_) | DisplayOrder::Clear { .. } | DisplayOrder::Read { .. } => Ok(()),
    }
}

/// The station has cleared these monitors, or has no such.
pub(crate) fn unwatched(tx: &mut Tx<'_>, station: &StationId, rows: &[ItemOutcome]) -> Result<(), StoreError> {
    for row in rows.iter().filter(|row| matches!(&*row.word, "Accepted" | "NotFound")) {
        if let Ok(id) = row.of.parse::<i32>() {
            tx.execute(DROP_MONITOR, &values![station.as_str(), id])?;
        }
    }
    Ok(())
}

pub(crate) fn displays(tx: &Tx<'_>, station: &StationId) -> Result<Vec<KeptDisplay>, StoreError> {
    tx.query(DISPLAYS, &values![station.as_str()], read_display)
}

fn read_display(row: &Row<'_>) -> Result<KeptDisplay, StoreError> {
    Ok(KeptDisplay {
        id: small(row, 0, "id")?,
        priority: row.text(1)?,
        state: row.text_opt(2)?,
        from: row.time_opt(3)?,
        until: row.time_opt(4)?,
        language: row.text_opt(5)?,
        text: row.text(6)?,
    })
}

/// The latest value of each open stream.
pub(crate) type LatestOfStream = (i32, i32, Option<String>, Option<Timestamp>);

pub(crate) fn streams(tx: &Tx<'_>, station: &StationId) -> Result<Vec<LatestOfStream>, StoreError> {
    tx.query(STREAMS, &values![station.as_str()], |row| {
        Ok((small(row, 0, "id")?, small_opt(row, 1, "monitor")?.unwrap_or(0), row.text_opt(2)?, row.time_opt(3)?))
    })
}

const ATTRIBUTES: [(Attribute, &str); 4] = [
    (Attribute::Actual, "Actual"),
    (Attribute::Target, "Target"),
    (Attribute::MinSet, "MinSet"),
    (Attribute::MaxSet, "MaxSet"),
];

pub(crate) fn attribute_name(attribute: Attribute) -> &'static str {
    ATTRIBUTES.into_iter().find(|(known, _)| *known == attribute).map_or("Actual", |(_, name)| name)
}

fn attribute_named(text: &str) -> Option<Attribute> {
    ATTRIBUTES.into_iter().find(|(_, name)| *name == text).map(|(attribute, _)| attribute)
}

const MONITOR_KINDS: [(MonitorKind, &str); 7] = [
    (MonitorKind::UpperThreshold, "UpperThreshold"),
    (MonitorKind::LowerThreshold, "LowerThreshold"),
    (MonitorKind::Delta, "Delta"),
    (MonitorKind::Periodic, "Periodic"),
    (MonitorKind::PeriodicClockAligned, "PeriodicClockAligned"),
    (MonitorKind::TargetDelta, "TargetDelta"),
    (MonitorKind::TargetDeltaRelative, "TargetDeltaRelative"),
];

fn monitor_name(kind: MonitorKind) -> &'static str {
    MONITOR_KINDS.into_iter().find(|(known, _)| *known == kind).map_or("Delta", |(_, name)| name)
}

fn monitor_named(text: &str) -> Option<MonitorKind> {
    MONITOR_KINDS.into_iter().find(|(_, name)| *name == text).map(|(kind, _)| kind)
}

pub(crate) const fn purpose_name(purpose: ProfilePurpose) -> &'static str {
    match purpose {
        ProfilePurpose::ExternalConstraints => "external constraints",
        ProfilePurpose::StationMax => "station max",
        ProfilePurpose::TxDefault => "default",
        ProfilePurpose::Tx => "transaction",
        ProfilePurpose::Priority => "priority",
        ProfilePurpose::LocalGeneration => "local generation",
    }
}

const fn kind_name(kind: ProfileKind) -> &'static str {
    match kind {
        ProfileKind::Absolute => "absolute",
        ProfileKind::Daily => "daily",
        ProfileKind::Weekly => "weekly",
        ProfileKind::Relative => "relative",
        ProfileKind::Dynamic => "dynamic",
    }
}

/// Large stations report some thousand variables; a report without end is cut here.
const VARIABLES_MAX: usize = 10_000;
/// Of one message: the schemas allow fewer of each.
const PARTS_MAX: usize = 1_024;
/// Monitors, streams, profiles or display messages of one station: no page shows more, and real ones have tens.
const ROWS_MAX: usize = 1_000;

const COUNT_VARIABLES: &str = "SELECT COUNT(*) FROM operator_variables WHERE station = ?1";
const VARIABLE_KNOWN: &str = "SELECT 1 FROM operator_variables WHERE station = ?1 AND name = ?2 AND attribute = ?3";
const COUNT_MONITORS: &str = "SELECT COUNT(*) FROM operator_monitors WHERE station = ?1";
const MONITOR_KNOWN: &str = "SELECT 1 FROM operator_monitors WHERE station = ?1 AND id = ?2";
const COUNT_STREAMS: &str = "SELECT COUNT(*) FROM operator_streams WHERE station = ?1";
const STREAM_KNOWN: &str = "SELECT 1 FROM operator_streams WHERE station = ?1 AND id = ?2";
const COUNT_PROFILES: &str = "SELECT COUNT(*) FROM operator_profiles WHERE station = ?1";
const PROFILE_KNOWN: &str = "SELECT 1 FROM operator_profiles WHERE station = ?1 AND id = ?2 AND evse_no = ?3";
const COUNT_DISPLAYS: &str = "SELECT COUNT(*) FROM operator_displays WHERE station = ?1";
const DISPLAY_KNOWN: &str = "SELECT 1 FROM operator_displays WHERE station = ?1 AND id = ?2";
const PUT_VARIABLE: &str = "INSERT INTO operator_variables (station, name, attribute, value, read_only, write_only,
    persistent, characteristics, told) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (station, name, attribute) DO UPDATE SET value = excluded.value, read_only = excluded.read_only,
    write_only = excluded.write_only, persistent = excluded.persistent,
    characteristics = COALESCE(excluded.characteristics, operator_variables.characteristics), told = excluded.told";
const VARIABLES: &str = "SELECT name, attribute, value, read_only, write_only, persistent, characteristics, told
    FROM operator_variables WHERE station = ?1 AND name LIKE ?2 ESCAPE '\\' ORDER BY name, attribute LIMIT 10000";
const DROP_MONITORS: &str = "DELETE FROM operator_monitors WHERE station = ?1";
const DROP_MONITOR: &str = "DELETE FROM operator_monitors WHERE station = ?1 AND id = ?2";
const PUT_MONITOR: &str = "INSERT INTO operator_monitors (station, id, variable, kind, value, severity, in_transaction)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (station, id) DO UPDATE SET variable = excluded.variable,
    kind = excluded.kind, value = excluded.value, severity = excluded.severity,
    in_transaction = excluded.in_transaction";
const MONITORS: &str = "SELECT id, variable, kind, value, severity, in_transaction FROM operator_monitors
    WHERE station = ?1 ORDER BY id LIMIT 1000";
const PUT_STREAM: &str = "INSERT INTO operator_streams (station, id, monitor) VALUES (?1, ?2, ?3)
    ON CONFLICT (station, id) DO UPDATE SET monitor = excluded.monitor";
const DROP_STREAM: &str = "DELETE FROM operator_streams WHERE station = ?1 AND id = ?2";
const STREAMED: &str = "UPDATE operator_streams SET latest = ?3, latest_at = ?4 WHERE station = ?1 AND id = ?2";
const STREAMS: &str = "SELECT id, monitor, latest, latest_at FROM operator_streams WHERE station = ?1
    ORDER BY id LIMIT 1000";
const DROP_PROFILES: &str = "DELETE FROM operator_profiles WHERE station = ?1";
const PUT_PROFILE: &str = "INSERT INTO operator_profiles (station, evse_no, id, purpose, kind, stack_level, source,
    valid_from, valid_until, limits, told) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (station, id, evse_no) DO UPDATE SET purpose = excluded.purpose, kind = excluded.kind,
    stack_level = excluded.stack_level, source = excluded.source, valid_from = excluded.valid_from,
    valid_until = excluded.valid_until, limits = excluded.limits, told = excluded.told";
const PROFILES: &str = "SELECT evse_no, id, purpose, kind, stack_level, source, valid_from, valid_until, limits, told
    FROM operator_profiles WHERE station = ?1 ORDER BY evse_no, purpose, stack_level DESC LIMIT 1000";
const DROP_DISPLAYS: &str = "DELETE FROM operator_displays WHERE station = ?1";
const DROP_DISPLAY: &str = "DELETE FROM operator_displays WHERE station = ?1 AND id = ?2";
const PUT_DISPLAY: &str = "INSERT INTO operator_displays (station, id, priority, state, from_at, until_at, language,
    text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (station, id) DO UPDATE SET
    priority = excluded.priority, state = excluded.state, from_at = excluded.from_at, until_at = excluded.until_at,
    language = excluded.language, text = excluded.text";
const DISPLAYS: &str = "SELECT id, priority, state, from_at, until_at, language, text FROM operator_displays
    WHERE station = ?1 ORDER BY id LIMIT 1000";
