//! Rows of stations: enrolment, what they said at boot, their connection, settings and boots.
//!
//! `left_at` is null while a connection is up; after a crash the first duty mends it. A retired station keeps its row,
//! because sessions and logs refer to it, and is refused at the door.

use charge::Timestamp;
use charge::id::{LocationId, StationId};
use charge::talk::line::quirk::Quirks;
use charge::talk::line::{Admission, BayState, Boot, Setting, StationCertificate, Version, is_confidential};
use store::{Row, StoreError, Tx, values};
use trust::station_key::StationKeyDigest;

use crate::admit::{self, Proof, Standing};
use crate::capability;
use crate::memory::{anywhere, count, damaged, lines, named, named_opt, place, quirk, word};
use crate::quirk::Make;
use crate::view::{BootLine, StationFilter};

/// What is kept of a station.
#[derive(Clone, Debug)]
pub(crate) struct StationRow {
    pub id: StationId,
    pub location: LocationId,
    pub proof: Proof,
    pub danger_plain_ws: bool,
    pub boot: Boot,
    pub warnings: Vec<String>,
    pub version: Option<Version>,
    pub left: Option<Timestamp>,
    pub last_seen: Option<Timestamp>,
    pub fault: Option<String>,
    pub peer: Option<String>,
    pub certificate: Option<(String, Timestamp)>,
}

/// Enrols a station. The proof decides its security profile, which may rise and never falls.
pub(crate) fn enrol(
    tx: &mut Tx<'_>,
    id: &StationId,
    location: &LocationId,
    proof: &Proof,
    danger_plain_ws: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (serial, digest) = match proof {
        Proof::Basic { digest, serial } => (serial.as_deref(), Some(digest.to_string())),
        Proof::Certificate { serial } => (Some(serial.as_str()), None),
    };
    let key = admit::folded(id.as_str());
    tx.execute(ENROL, &values![id.as_str(), key, location.as_str(), serial, digest, danger_plain_ws, now]).map(drop)
}

/// How a station has to prove itself, for the identity it knocks with.
pub(crate) fn standing(tx: &Tx<'_>, identity: &str) -> Result<Option<Standing>, StoreError> {
    let found = tx.one(STANDING, &values![admit::folded(identity)], |row| {
        let standing = Standing {
            station: word(row, 0, "id")?,
            proof: proof(row, 1)?,
            retired: row.time_opt(3)?.is_some(),
            danger_plain_ws: row.flag(4)?,
            quirks: Quirks::USUAL,
            next: row.text_opt(10)?.map(|text| digest(&text)).transpose()?,
        };
        let said = |column| Ok::<_, StoreError>(row.text_opt(column)?.unwrap_or_default());
        let make = Make { vendor: said(5)?, model: said(6)?, firmware: said(7)? };
        Ok((standing, make, quirk::Found { own: row.flag(8)?, profiles: row.flag(9)? }))
    })?;
    let with_quirks = |(standing, make, found): (Standing, Make, quirk::Found)| {
        let quirks = quirk::set_of(tx, &standing.station, &make, &found)?;
        Ok(Standing { quirks, ..standing })
    };
    found.map(with_quirks).transpose()
}

fn digest(text: &str) -> Result<Box<StationKeyDigest>, StoreError> {
    StationKeyDigest::parse(text).map(Box::new).ok_or_else(|| damaged("key_digest"))
}

/// Serial and digest in two columns from `column` on.
fn proof(row: &Row<'_>, column: usize) -> Result<Proof, StoreError> {
    match (row.text_opt(column)?, row.text_opt(column + 1)?) {
        (serial, Some(digest)) => Ok(Proof::Basic { digest: self::digest(&digest)?, serial }),
        (Some(serial), None) => Ok(Proof::Certificate { serial }),
        (None, None) => Err(damaged("serial")),
    }
}

/// The serial number that a certificate proves, for a station of profile 3.
pub(crate) fn certificate_serial(tx: &Tx<'_>, id: &StationId) -> Result<Option<String>, StoreError> {
    let found = tx.one(SERIAL, &values![id.as_str()], |row| row.text_opt(0))?;
    Ok(found.flatten())
}

/// Switches a station off for good. `false`: there is none, or it is off already.
pub(crate) fn retire(tx: &mut Tx<'_>, id: &StationId, now: Timestamp) -> Result<bool, StoreError> {
    let retired = tx.execute(RETIRE, &values![id.as_str(), now])? > 0;
    tx.execute(UNWIRE, &values![id.as_str(), now])?;
    Ok(retired)
}

/// A new key for a station of profile 2. `false`: there is no such station.
pub(crate) fn set_key(tx: &mut Tx<'_>, id: &StationId, digest: &StationKeyDigest) -> Result<bool, StoreError> {
    Ok(tx.execute(SET_KEY, &values![id.as_str(), digest.to_string()])? > 0)
}

/// A station of profile 2 came with the certificate of its serial number: its key opens no more.
pub(crate) fn rose(tx: &mut Tx<'_>, id: &StationId) -> Result<(), StoreError> {
    tx.execute(ROSE, &values![id.as_str()]).map(drop)
}

/// Keeps what a station said at boot and what it was answered.
pub(crate) fn booted(
    tx: &mut Tx<'_>,
    id: &StationId,
    boot: &Boot,
    admission: Admission,
    warning: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        BOOTED,
        &values![
            id.as_str(),
            &*boot.vendor,
            &*boot.model,
            boot.serial.as_deref(),
            boot.firmware.as_deref(),
            boot.meter_type.as_deref(),
            boot.meter_serial.as_deref(),
            now,
            admission_name(admission),
            warning,
        ],
    )?;
    let line = values![id.as_str(), now, admission_name(admission), boot.firmware.as_deref(), boot.reason.as_deref(),];
    tx.execute(BOOT_LINE, &line).map(drop)
}

/// How often a station was accepted since then.
pub(crate) fn boots_since(tx: &Tx<'_>, id: &StationId, since: Timestamp) -> Result<u32, StoreError> {
    Ok(tx.one(BOOTS_SINCE, &values![id.as_str(), since], |row| count(row, 0))?.unwrap_or(0))
}

/// Whether it ever said what it is.
pub(crate) fn has_booted(tx: &Tx<'_>, id: &StationId) -> Result<bool, StoreError> {
    Ok(tx.one(HAS_BOOTED, &values![id.as_str()], |row| row.flag(0))?.unwrap_or(false))
}

pub(crate) fn boots(tx: &Tx<'_>, id: &StationId) -> Result<Vec<BootLine>, StoreError> {
    tx.query(BOOTS, &values![id.as_str()], |row| {
        Ok(BootLine {
            at: row.time(0)?,
            admission: named(row, 1, "admission", admission_named)?,
            firmware: row.text_opt(2)?,
            reason: row.text_opt(3)?,
        })
    })
}

/// A connection is up.
pub(crate) fn arrived(
    tx: &mut Tx<'_>,
    id: &StationId,
    version: Version,
    peer: &str,
    certificate: Option<&StationCertificate>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        ARRIVED,
        &values![
            id.as_str(),
            version.label(),
            now,
            peer,
            certificate.map(|facts| facts.common_name.as_str()),
            certificate.map(|facts| facts.fingerprint.as_str()),
            certificate.map(|facts| facts.not_after),
        ],
    )
    .map(drop)
}

pub(crate) fn left(tx: &mut Tx<'_>, id: &StationId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(LEFT, &values![id.as_str(), now]).map(drop)
}

pub(crate) fn seen(tx: &mut Tx<'_>, id: &StationId, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(SEEN, &values![id.as_str(), at]).map(drop)
}

/// All that are not retired.
pub(crate) fn ids(tx: &Tx<'_>) -> Result<Vec<StationId>, StoreError> {
    tx.query(IDS, &[], |row| word(row, 0, "id"))
}

/// Stations whose row says that they are connected.
pub(crate) fn thought_connected(tx: &Tx<'_>) -> Result<Vec<StationId>, StoreError> {
    tx.query(THOUGHT_CONNECTED, &[], |row| word(row, 0, "id"))
}

/// Stations that have been away since before `before` and still have an EVSE with a known status.
pub(crate) fn silent(tx: &Tx<'_>, before: Timestamp) -> Result<Vec<StationId>, StoreError> {
    tx.query(SILENT, &values![before], |row| word(row, 0, "id"))
}

/// What a station said about itself as a whole.
pub(crate) fn set_state(
    tx: &mut Tx<'_>,
    id: &StationId,
    state: BayState,
    fault: Option<&str>,
) -> Result<(), StoreError> {
    tx.execute(SET_STATE, &values![id.as_str(), state.as_str(), fault]).map(drop)
}

/// Keeps what a station reported about its settings. Values of confidential ones are not kept.
pub(crate) fn put_settings(
    tx: &mut Tx<'_>,
    id: &StationId,
    settings: &[Setting],
    source: Source,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tells = settings.iter().any(|setting| capability::TELLING.contains(&&*setting.key));
    let before = if tells { telling(tx, id)? } else { Vec::new() };
    let says_fixed = source == Source::Report;
    let mut kept = tx.one(COUNT_SETTINGS, &values![id.as_str()], |row| row.int(0))?.unwrap_or(0);
    for setting in settings.iter().take(SETTINGS_MAX) {
        // those that are there are renewed when no new one has room
        if tx.one(SETTING_KNOWN, &values![id.as_str(), &*setting.key], |_| Ok(()))?.is_none() {
            if kept >= SETTINGS_KEPT_MAX {
                continue;
            }
            kept += 1;
        }
        let value = setting.value.as_deref().filter(|_| !is_confidential(&setting.key));
        tx.execute(PUT_SETTING, &values![id.as_str(), &*setting.key, value, setting.read_only, says_fixed])?;
    }
    if tells && telling(tx, id)? != before {
        place::can_otherwise(tx, id, now)?;
    }
    Ok(())
}

/// What settings were told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// It says which can be written.
    Report,
    /// Values alone: what is known of the rest stays.
    Values,
}

impl Source {
    /// An answer to the question for some settings: 1.6 says everything in it.
    pub(crate) fn answer_in(version: Option<Version>) -> Self {
        if version.is_some_and(|version| version >= Version::V201) { Self::Values } else { Self::Report }
    }
}

/// Its settings that say what its EVSEs can do.
pub(crate) fn telling(tx: &Tx<'_>, id: &StationId) -> Result<Vec<(String, String)>, StoreError> {
    let [profiles, reserves, reserving, profiled, profiling] = capability::TELLING;
    let names = values![id.as_str(), profiles, reserves, reserving, profiled, profiling];
    tx.query(TELLING, &names, |row| Ok((row.text(0)?, row.text(1)?)))
}

pub(crate) fn settings(tx: &Tx<'_>, id: &StationId) -> Result<Vec<Setting>, StoreError> {
    tx.query(SETTINGS, &values![id.as_str()], |row| {
        Ok(Setting { key: row.text(0)?.into(), value: row.text_opt(1)?.map(Into::into), read_only: row.flag(2)? })
    })
}

pub(crate) fn find(tx: &Tx<'_>, id: &StationId) -> Result<Option<StationRow>, StoreError> {
    tx.one(FIND, &values![id.as_str()], read)
}

/// A page of stations and how many match in all.
pub(crate) fn page(tx: &Tx<'_>, filter: &StationFilter) -> Result<(Vec<StationRow>, u32), StoreError> {
    let pattern = anywhere(filter.query.as_deref().unwrap_or_default());
    let state = filter.state.as_deref().unwrap_or_default();
    let total = tx.one(COUNT, &values![pattern.as_str(), state], |row| count(row, 0))?.unwrap_or(0);
    let found = tx.query(PAGE, &values![pattern, state, filter.page.limit, filter.page.offset], read)?;
    Ok((found, total))
}

fn read(row: &Row<'_>) -> Result<StationRow, StoreError> {
    let certificate = match (row.text_opt(17)?, row.time_opt(18)?) {
        (Some(name), Some(until)) => Some((name, until)),
        (Some(_) | None, _) => None,
    };
    Ok(StationRow {
        id: word(row, 0, "id")?,
        location: word(row, 1, "location")?,
        proof: proof(row, 2)?,
        danger_plain_ws: row.flag(4)?,
        boot: Boot {
            vendor: row.text_opt(5)?.unwrap_or_default().into(),
            model: row.text_opt(6)?.unwrap_or_default().into(),
            serial: row.text_opt(7)?.map(Into::into),
            firmware: row.text_opt(8)?.map(Into::into),
            meter_type: row.text_opt(9)?.map(Into::into),
            meter_serial: row.text_opt(10)?.map(Into::into),
            reason: None,
        },
        warnings: lines(&row.text_opt(11)?.unwrap_or_default()),
        version: named_opt(row, 12, "version", version_named)?,
        left: row.time_opt(13)?,
        last_seen: row.time_opt(14)?,
        fault: row.text_opt(15)?,
        peer: row.text_opt(16)?,
        certificate,
    })
}

fn version_named(text: &str) -> Option<Version> {
    Version::named(text)
}

const fn admission_name(admission: Admission) -> &'static str {
    match admission {
        Admission::Accepted => "accepted",
        Admission::Pending => "pending",
        Admission::Rejected => "rejected",
    }
}

fn admission_named(text: &str) -> Option<Admission> {
    [Admission::Accepted, Admission::Pending, Admission::Rejected]
        .into_iter()
        .find(|admission| admission_name(*admission) == text)
}

/// Stations of the field report some hundred keys; a report without end is cut here.
const SETTINGS_MAX: usize = 1_000;
/// Of one station in all: large ones of 2.x report some thousand variables.
const SETTINGS_KEPT_MAX: i64 = 10_000;

const ENROL: &str =
    "INSERT INTO operator_stations (id, folded, location, serial, key_digest, danger_plain_ws, enrolled)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (id) DO UPDATE SET location = excluded.location, serial = excluded.serial,
    key_digest = excluded.key_digest, danger_plain_ws = excluded.danger_plain_ws, enrolled = excluded.enrolled,
    retired = NULL WHERE operator_stations.retired IS NOT NULL";
const STANDING: &str = "SELECT id, serial, key_digest, retired, danger_plain_ws, vendor, model, firmware,
    EXISTS (SELECT 1 FROM operator_strict o WHERE o.station = s.id)
        OR EXISTS (SELECT 1 FROM operator_station_quirks q WHERE q.station = s.id),
    EXISTS (SELECT 1 FROM operator_quirk_profiles),
    (SELECT k.digest FROM operator_next_keys k WHERE k.station = s.id)
    FROM operator_stations s WHERE folded = ?1";
const SERIAL: &str = "SELECT serial FROM operator_stations WHERE id = ?1 AND key_digest IS NULL";
const RETIRE: &str = "UPDATE operator_stations SET retired = ?2 WHERE id = ?1 AND retired IS NULL";
const UNWIRE: &str = "UPDATE operator_evses SET status = 'INOPERATIVE', changed = ?2, station = NULL, no = NULL,
    state = NULL WHERE station = ?1";
const ROSE: &str = "UPDATE operator_stations SET key_digest = NULL WHERE id = ?1 AND serial IS NOT NULL";
const SET_KEY: &str = "UPDATE operator_stations SET key_digest = ?2
    WHERE id = ?1 AND retired IS NULL AND key_digest IS NOT NULL";
const BOOTED: &str = "UPDATE operator_stations SET vendor = ?2, model = ?3, boot_serial = ?4, firmware = ?5,
    meter_type = ?6, meter_serial = ?7, booted = ?8, admission = ?9, warning = ?10 WHERE id = ?1";
const BOOT_LINE: &str = "INSERT INTO operator_boots (station, at, admission, firmware, reason)
    VALUES (?1, ?2, ?3, ?4, ?5)";
const HAS_BOOTED: &str = "SELECT booted IS NOT NULL FROM operator_stations WHERE id = ?1";
const BOOTS_SINCE: &str = "SELECT COUNT(*) FROM operator_boots
    WHERE station = ?1 AND at >= ?2 AND admission = 'accepted'";
const BOOTS: &str = "SELECT at, admission, firmware, reason FROM operator_boots
    WHERE station = ?1 ORDER BY at DESC LIMIT 20";
const ARRIVED: &str = "UPDATE operator_stations SET version = ?2, arrived = ?3, last_seen = ?3, left_at = NULL,
    peer = ?4, certificate_name = ?5, certificate_fingerprint = ?6, certificate_until = ?7 WHERE id = ?1";
const LEFT: &str = "UPDATE operator_stations SET left_at = ?2 WHERE id = ?1";
const SEEN: &str = "UPDATE operator_stations SET last_seen = ?2 WHERE id = ?1";
const IDS: &str = "SELECT id FROM operator_stations WHERE retired IS NULL ORDER BY id LIMIT 100000";
const THOUGHT_CONNECTED: &str = "SELECT id FROM operator_stations WHERE arrived IS NOT NULL AND left_at IS NULL";
const SILENT: &str = "SELECT DISTINCT s.id FROM operator_stations s JOIN operator_evses e ON e.station = s.id
    WHERE s.left_at < ?1 AND e.state IS NOT NULL";
const SET_STATE: &str = "UPDATE operator_stations SET state = ?2, fault = ?3 WHERE id = ?1";
const COUNT_SETTINGS: &str = "SELECT COUNT(*) FROM operator_settings WHERE station = ?1";
const SETTING_KNOWN: &str = "SELECT 1 FROM operator_settings WHERE station = ?1 AND name = ?2";
const PUT_SETTING: &str = "INSERT INTO operator_settings (station, name, value, read_only) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (station, name) DO UPDATE SET value = excluded.value,
    read_only = CASE WHEN ?5 THEN excluded.read_only ELSE operator_settings.read_only END";
const TELLING: &str = "SELECT name, value FROM operator_settings
    WHERE station = ?1 AND name IN (?2, ?3, ?4, ?5, ?6) AND value IS NOT NULL ORDER BY name";
const SETTINGS: &str = "SELECT name, value, read_only FROM operator_settings WHERE station = ?1 ORDER BY name";
const FIND: &str = "SELECT s.id, s.location, s.serial, s.key_digest, s.danger_plain_ws, s.vendor, s.model,
    s.boot_serial, s.firmware, s.meter_type, s.meter_serial, s.warning, s.version, s.left_at, s.last_seen,
    s.fault, s.peer, s.certificate_name, s.certificate_until FROM operator_stations s
    WHERE s.id = ?1 AND s.retired IS NULL";
const COUNT: &str = "SELECT COUNT(*) FROM operator_stations s JOIN operator_locations l ON l.id = s.location
    WHERE s.retired IS NULL AND (s.id LIKE ?1 ESCAPE '\\' OR COALESCE(s.vendor, '') LIKE ?1 ESCAPE '\\'
    OR COALESCE(s.model, '') LIKE ?1 ESCAPE '\\' OR COALESCE(l.name, '') LIKE ?1 ESCAPE '\\'
    OR l.city LIKE ?1 ESCAPE '\\') AND (?2 = '' OR (?2 = 'connected' AND s.left_at IS NULL AND s.arrived IS NOT NULL)
    OR (?2 = 'away' AND (s.left_at IS NOT NULL OR s.arrived IS NULL)) OR EXISTS (SELECT 1 FROM operator_evses e
    WHERE e.station = s.id AND e.state = ?2))";
const PAGE: &str = "SELECT s.id, s.location, s.serial, s.key_digest, s.danger_plain_ws, s.vendor, s.model,
    s.boot_serial, s.firmware, s.meter_type, s.meter_serial, s.warning, s.version, s.left_at, s.last_seen,
    s.fault, s.peer, s.certificate_name, s.certificate_until
    FROM operator_stations s JOIN operator_locations l ON l.id = s.location
    WHERE s.retired IS NULL AND (s.id LIKE ?1 ESCAPE '\\' OR COALESCE(s.vendor, '') LIKE ?1 ESCAPE '\\'
    OR COALESCE(s.model, '') LIKE ?1 ESCAPE '\\' OR COALESCE(l.name, '') LIKE ?1 ESCAPE '\\'
    OR l.city LIKE ?1 ESCAPE '\\') AND (?2 = '' OR (?2 = 'connected' AND s.left_at IS NULL AND s.arrived IS NOT NULL)
    OR (?2 = 'away' AND (s.left_at IS NOT NULL OR s.arrived IS NULL)) OR EXISTS (SELECT 1 FROM operator_evses e
    WHERE e.station = s.id AND e.state = ?2)) ORDER BY s.id LIMIT ?3 OFFSET ?4";
