//! Rows of certificates: those that stations asked us for, and those that stations said they hold.

use charge::Timestamp;
use charge::id::StationId;
use charge::talk::line::certificate::{CertificateHash, CertificateUse, InstalledCertificate, StationKey};
use store::{Migration, Row, StoreError, Tx, values};
use trust::certificate::Facts;

use crate::desk::{Installed, Issued};
use crate::memory::{named, small, word};

/// A family of its own: no other table refers to it.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator certificates", number: 1, name: "stations' certificates", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_issued (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    station TEXT NOT NULL,
    key_use TEXT NOT NULL,
    request INTEGER,
    state TEXT NOT NULL,
    why TEXT,
    common_name TEXT, serial TEXT, fingerprint TEXT, not_after INTEGER,
    chain TEXT,
    asked INTEGER NOT NULL
);
CREATE INDEX operator_issued_station ON operator_issued (station, id);
CREATE TABLE operator_installed (
    station TEXT NOT NULL,
    position INTEGER NOT NULL,
    used_for TEXT NOT NULL,
    algorithm TEXT NOT NULL, issuer_name TEXT NOT NULL, issuer_key TEXT NOT NULL, serial TEXT NOT NULL,
    child INTEGER NOT NULL,
    told INTEGER NOT NULL,
    PRIMARY KEY (station, position)
);";

/// A certificate to be sent: whose, for what, in answer to which request.
#[derive(Debug)]
pub(crate) struct ToSend {
    pub station: StationId,
    pub key: StationKey,
    pub request: Option<i32>,
    pub chain: String,
}

/// A request that we refused.
pub(crate) fn refused(
    tx: &mut Tx<'_>,
    station: &StationId,
    key: StationKey,
    name: Option<&str>,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(REFUSED, &values![station.as_str(), key_name(key), why, name, now]).map(drop)
}

/// A certificate that we issued and have not sent; its number.
pub(crate) fn issued(tx: &mut Tx<'_>, to_send: &ToSend, facts: &Facts, now: Timestamp) -> Result<i64, StoreError> {
    let row = values![
        to_send.station.as_str(),
        key_name(to_send.key),
        to_send.request,
        facts.common_name.as_deref(),
        facts.serial_hex.as_str(),
        facts.fingerprint.as_str(),
        facts.not_after,
        to_send.chain.as_str(),
        now
    ];
    let made = tx.query(ISSUED, &row, |row| row.int(0))?;
    made.into_iter().next().ok_or_else(|| StoreError::Misuse("no certificate number".to_owned()))
}

/// How often a station has asked since then.
pub(crate) fn asked_since(tx: &Tx<'_>, station: &StationId, since: Timestamp) -> Result<i64, StoreError> {
    Ok(tx.one(ASKED_SINCE, &values![station.as_str(), since], |row| row.int(0))?.unwrap_or(0))
}

pub(crate) fn to_send(tx: &Tx<'_>, id: i64) -> Result<Option<ToSend>, StoreError> {
    tx.one(TO_SEND, &values![id], |row| {
        Ok(ToSend {
            station: word(row, 0, "station")?,
            key: named(row, 1, "key_use", key_named)?,
            request: crate::memory::small_opt(row, 2, "request")?,
            chain: row.text(3)?,
        })
    })
}

pub(crate) fn sent(tx: &mut Tx<'_>, id: i64, state: &str, why: Option<&str>) -> Result<(), StoreError> {
    tx.execute(SENT, &values![id, state, why]).map(drop)
}

/// Newest first; `ends_before` finds those that end soon, each station's newest only.
pub(crate) fn list(
    tx: &Tx<'_>,
    station: Option<&StationId>,
    ends_before: Option<Timestamp>,
) -> Result<Vec<Issued>, StoreError> {
    let station = station.map_or("", StationId::as_str);
    match ends_before {
        Some(end) => tx.query(ENDING, &values![station, end], read),
        None => tx.query(LIST, &values![station], read),
    }
}

fn read(row: &Row<'_>) -> Result<Issued, StoreError> {
    Ok(Issued {
        id: row.int(0)?,
        station: word(row, 1, "station")?,
        state: row.text(2)?,
        why: row.text_opt(3)?,
        common_name: row.text_opt(4)?,
        serial: row.text_opt(5)?,
        fingerprint: row.text_opt(6)?,
        not_after: row.time_opt(7)?,
        asked: row.time(8)?,
    })
}

/// Drops those that ended before `before`, and what was asked for before and came to nothing.
pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET, &values![before])
}

/// Takes the place of the last inventory of these uses; of none is of all.
pub(crate) fn put_installed(
    tx: &mut Tx<'_>,
    station: &StationId,
    uses: &[CertificateUse],
    inventory: &[InstalledCertificate],
    now: Timestamp,
) -> Result<(), StoreError> {
    if uses.is_empty() {
        tx.execute(CLEAR, &values![station.as_str()])?;
    }
    for used_for in uses {
        tx.execute(CLEAR_USE, &values![station.as_str(), use_name(*used_for)])?;
    }
    let last = tx.one(LAST, &values![station.as_str()], |row| small(row, 0, "position"))?;
    let mut position: u32 = last.unwrap_or_default();
    let asked = |one: &&InstalledCertificate| uses.is_empty() || uses.contains(&one.used_for);
    for one in inventory.iter().filter(asked).take(INVENTORY_MAX) {
        let chain = std::iter::once((&one.hash, false)).chain(one.children.iter().map(|child| (child, true)));
        for (hash, child) in chain.take(INVENTORY_MAX) {
            position += 1;
            let row = values![
                station.as_str(),
                position,
                use_name(one.used_for),
                &*hash.algorithm,
                &*hash.issuer_name,
                &*hash.issuer_key,
                &*hash.serial,
                child,
                now
            ];
            tx.execute(PUT_INSTALLED, &row)?;
        }
    }
    Ok(())
}

/// The station holds this one no longer.
pub(crate) fn gone(tx: &mut Tx<'_>, station: &StationId, hash: &CertificateHash) -> Result<(), StoreError> {
    let row = values![station.as_str(), &*hash.algorithm, &*hash.issuer_name, &*hash.issuer_key, &*hash.serial];
    tx.execute(GONE, &row).map(drop)
}

pub(crate) fn installed(tx: &Tx<'_>, station: &StationId) -> Result<Vec<Installed>, StoreError> {
    tx.query(INSTALLED, &values![station.as_str()], |row| {
        let hash = CertificateHash {
            algorithm: row.text(1)?.into(),
            issuer_name: row.text(2)?.into(),
            issuer_key: row.text(3)?.into(),
            serial: row.text(4)?.into(),
        };
        let used_for = named(row, 0, "used_for", use_named)?;
        Ok(Installed { used_for, hash, child: row.flag(5)?, told: row.time(6)? })
    })
}

const KEYS: [(StationKey, &str); 3] =
    [(StationKey::Line, "line"), (StationKey::V2g, "v2g"), (StationKey::V2g20, "v2g20")];

pub(crate) fn key_name(key: StationKey) -> &'static str {
    KEYS.into_iter().find(|(known, _)| *known == key).map_or("line", |(_, name)| name)
}

fn key_named(text: &str) -> Option<StationKey> {
    KEYS.into_iter().find(|(_, name)| *name == text).map(|(key, _)| key)
}

const USES: [(CertificateUse, &str); 6] = [
    (CertificateUse::V2gRoot, "v2g_root"),
    (CertificateUse::MoRoot, "mo_root"),
    (CertificateUse::OperatorRoot, "operator_root"),
    (CertificateUse::ManufacturerRoot, "manufacturer_root"),
    (CertificateUse::OemRoot, "oem_root"),
    (CertificateUse::V2gChain, "v2g_chain"),
];

/// The spelling of rows and of the API.
pub(crate) fn use_name(used_for: CertificateUse) -> &'static str {
    USES.into_iter().find(|(known, _)| *known == used_for).map_or("operator_root", |(_, name)| name)
}

pub(crate) fn use_named(text: &str) -> Option<CertificateUse> {
    USES.into_iter().find(|(_, name)| *name == text).map(|(used_for, _)| used_for)
}

/// OCPP stations hold tens of certificates at most.
const INVENTORY_MAX: usize = 200;

const ASKED_SINCE: &str = "SELECT COUNT(*) FROM operator_issued WHERE station = ?1 AND asked >= ?2";
const REFUSED: &str = "INSERT INTO operator_issued (station, key_use, state, why, common_name, asked)
    VALUES (?1, ?2, 'refused', ?3, ?4, ?5)";
const ISSUED: &str = "INSERT INTO operator_issued (station, key_use, request, state, common_name, serial, fingerprint,
    not_after, chain, asked) VALUES (?1, ?2, ?3, 'issued', ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id";
const TO_SEND: &str =
    "SELECT station, key_use, request, chain FROM operator_issued WHERE id = ?1 AND chain IS NOT NULL";
const SENT: &str = "UPDATE operator_issued SET state = ?2, why = ?3 WHERE id = ?1";
const LIST: &str = "SELECT id, station, state, why, common_name, serial, fingerprint, not_after, asked
    FROM operator_issued WHERE ?1 = '' OR station = ?1 ORDER BY id DESC LIMIT 500";
const ENDING: &str = "SELECT id, station, state, why, common_name, serial, fingerprint, not_after, asked
    FROM operator_issued i WHERE (?1 = '' OR station = ?1) AND not_after < ?2 AND id = (SELECT MAX(id)
    FROM operator_issued n WHERE n.station = i.station AND n.key_use = i.key_use AND n.state = 'accepted')
    ORDER BY not_after LIMIT 500";
const FORGET: &str = "DELETE FROM operator_issued WHERE COALESCE(not_after, asked) < ?1";
const CLEAR: &str = "DELETE FROM operator_installed WHERE station = ?1";
const CLEAR_USE: &str = "DELETE FROM operator_installed WHERE station = ?1 AND used_for = ?2";
const LAST: &str = "SELECT COALESCE(MAX(position), 0) FROM operator_installed WHERE station = ?1";
const GONE: &str = "DELETE FROM operator_installed WHERE station = ?1 AND algorithm = ?2 AND issuer_name = ?3
    AND issuer_key = ?4 AND serial = ?5";
const PUT_INSTALLED: &str = "INSERT INTO operator_installed (station, position, used_for, algorithm, issuer_name,
    issuer_key, serial, child, told) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const INSTALLED: &str = "SELECT used_for, algorithm, issuer_name, issuer_key, serial, child, told
    FROM operator_installed WHERE station = ?1 ORDER BY position LIMIT 10000";
