//! Rows of firmware images and of campaigns. Where a station of a campaign stands is its request's state.

use std::time::Duration;

use charge::Timestamp;
use charge::id::StationId;
use charge::talk::line::upkeep::FirmwareSignature;
use store::{Migration, Row, StoreError, Tx, values};
use trust::bearer::BearerDigest;

use crate::campaign::{Pace, State};
use crate::desk::{Campaign, CampaignMember, Firmware};
use crate::memory::{named, named_opt, small, small_opt, word};
use crate::request;

/// A family of its own; its requests are rows of `operator_requests`.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator firmware", number: 1, name: "firmware and campaigns", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_firmware (
    id TEXT PRIMARY KEY,
    vendor TEXT NOT NULL,
    model TEXT,
    version TEXT NOT NULL,
    address_sealed BLOB,
    certificate TEXT, signature TEXT,
    file TEXT, bytes INTEGER, sha256 TEXT,
    secret BLOB UNIQUE,
    added INTEGER NOT NULL
);
CREATE TABLE operator_campaigns (
    id TEXT PRIMARY KEY,
    firmware TEXT NOT NULL REFERENCES operator_firmware (id),
    wave_percent INTEGER NOT NULL,
    pause_s INTEGER NOT NULL,
    failures_max INTEGER NOT NULL,
    state TEXT NOT NULL,
    why TEXT,
    begun INTEGER NOT NULL
);
CREATE TABLE operator_campaign_stations (
    campaign TEXT NOT NULL REFERENCES operator_campaigns (id),
    station TEXT NOT NULL,
    wave INTEGER NOT NULL,
    request INTEGER,
    why TEXT,
    changed INTEGER NOT NULL,
    PRIMARY KEY (campaign, station)
);";

pub(crate) fn put(
    tx: &mut Tx<'_>,
    image: &Firmware,
    address_sealed: Option<Vec<u8>>,
    signature: Option<&FirmwareSignature>,
) -> Result<(), StoreError> {
    let row = values![
        image.id.as_str(),
        image.vendor.as_str(),
        image.model.as_deref(),
        image.version.as_str(),
        address_sealed,
        signature.map(|signed| &*signed.certificate),
        signature.map(|signed| &*signed.signature),
        image.added
    ];
    tx.execute(PUT, &row).map(drop)
}

/// The image has arrived on the shelf.
pub(crate) fn shelved(tx: &mut Tx<'_>, id: &str, file: &str, bytes: u64, sha256: &str) -> Result<bool, StoreError> {
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    Ok(tx.execute(SHELVED, &values![id, file, bytes, sha256])? > 0)
}

/// Whether stations have been or may be told to fetch it.
pub(crate) fn has_campaign(tx: &Tx<'_>, id: &str) -> Result<bool, StoreError> {
    Ok(tx.one(HAS_CAMPAIGN, &values![id], |_| Ok(()))?.is_some())
}

/// A new secret for the address from which stations fetch it.
pub(crate) fn set_secret(tx: &mut Tx<'_>, id: &str, digest: BearerDigest) -> Result<(), StoreError> {
    tx.execute(SET_SECRET, &values![id, digest.as_bytes()]).map(drop)
}

/// The image of an address, while a campaign runs with it or somebody was told to fetch it since then.
pub(crate) fn by_secret(
    tx: &Tx<'_>,
    digest: BearerDigest,
    told_since: Timestamp,
) -> Result<Option<Firmware>, StoreError> {
    tx.one(&format!("{SELECT} {OPEN}"), &values![digest.as_bytes(), told_since], read)
}

pub(crate) fn find(tx: &Tx<'_>, id: &str) -> Result<Option<Firmware>, StoreError> {
    tx.one(&format!("{SELECT} WHERE id = ?1"), &values![id], read)
}

/// The files that lie on the shelf.
pub(crate) fn files(tx: &Tx<'_>) -> Result<Vec<String>, StoreError> {
    tx.query(FILES, &[], |row| row.text(0))
}

pub(crate) fn all(tx: &Tx<'_>) -> Result<Vec<Firmware>, StoreError> {
    tx.query(&format!("{SELECT} ORDER BY added DESC LIMIT 500"), &[], read)
}

/// What a station needs beside the image: the sealed address of one kept elsewhere, and the maker's signature.
pub(crate) type Parcel = (Option<Vec<u8>>, Option<FirmwareSignature>);

pub(crate) fn parcel(tx: &Tx<'_>, id: &str) -> Result<Option<Parcel>, StoreError> {
    tx.one(PARCEL, &values![id], |row| {
        let signed = row.text_opt(1)?.zip(row.text_opt(2)?);
        let signed = signed.map(|(certificate, signature)| FirmwareSignature {
            certificate: certificate.into(),
            signature: signature.into(),
        });
        Ok((row.blob_opt(0)?, signed))
    })
}

fn read(row: &Row<'_>) -> Result<Firmware, StoreError> {
    Ok(Firmware {
        id: row.text(0)?,
        vendor: row.text(1)?,
        model: row.text_opt(2)?,
        version: row.text(3)?,
        elsewhere: row.flag(4)?,
        signed: row.flag(5)?,
        file: row.text_opt(6)?,
        bytes: small_opt(row, 7, "bytes")?,
        sha256: row.text_opt(8)?,
        added: row.time(9)?,
    })
}

pub(crate) fn begin(tx: &mut Tx<'_>, campaign: &Campaign, now: Timestamp) -> Result<(), StoreError> {
    let pause = i64::try_from(campaign.pace.pause.as_secs()).unwrap_or(i64::MAX);
    let row = values![
        campaign.id.as_str(),
        campaign.firmware.as_str(),
        campaign.pace.wave_percent,
        pause,
        campaign.pace.failures_max,
        campaign.state.as_str(),
        now
    ];
    tx.execute(BEGIN, &row)?;
    for member in &campaign.members {
        tx.execute(JOIN, &values![campaign.id.as_str(), member.station.as_str(), member.wave, now])?;
    }
    Ok(())
}

pub(crate) fn campaigns(tx: &Tx<'_>) -> Result<Vec<Campaign>, StoreError> {
    let mut found = tx.query(&format!("{CAMPAIGN} ORDER BY begun DESC LIMIT 200"), &[], read_campaign)?;
    for campaign in &mut found {
        campaign.members = members(tx, &campaign.id)?;
    }
    Ok(found)
}

/// Those that go on by themselves.
pub(crate) fn running(tx: &Tx<'_>) -> Result<Vec<Campaign>, StoreError> {
    let mut found = tx.query(&format!("{CAMPAIGN} WHERE state = 'running' LIMIT 200"), &[], read_campaign)?;
    for campaign in &mut found {
        campaign.members = members(tx, &campaign.id)?;
    }
    Ok(found)
}

pub(crate) fn campaign(tx: &Tx<'_>, id: &str) -> Result<Option<Campaign>, StoreError> {
    let Some(mut found) = tx.one(&format!("{CAMPAIGN} WHERE id = ?1"), &values![id], read_campaign)? else {
        return Ok(None);
    };
    found.members = members(tx, id)?;
    Ok(Some(found))
}

fn read_campaign(row: &Row<'_>) -> Result<Campaign, StoreError> {
    Ok(Campaign {
        id: row.text(0)?,
        firmware: row.text(1)?,
        pace: Pace {
            wave_percent: small(row, 2, "wave_percent")?,
            pause: Duration::from_secs(small(row, 3, "pause_s")?),
            failures_max: small(row, 4, "failures_max")?,
        },
        state: named(row, 5, "state", State::named)?,
        why: row.text_opt(6)?,
        begun: row.time(7)?,
        members: Vec::new(),
    })
}

fn members(tx: &Tx<'_>, id: &str) -> Result<Vec<CampaignMember>, StoreError> {
    tx.query(MEMBERS, &values![id], |row| {
        Ok(CampaignMember {
            station: word(row, 0, "station")?,
            wave: small(row, 1, "wave")?,
            state: named_opt(row, 2, "state", request::State::named)?,
            status: row.text_opt(3)?,
            changed: row.time(4)?,
        })
    })
}

/// The request of a station in a campaign, if it was told.
pub(crate) fn request_of(tx: &Tx<'_>, id: &str, station: &StationId) -> Result<Option<i32>, StoreError> {
    let found = tx.one(REQUEST_OF, &values![id, station.as_str()], |row| small_opt(row, 0, "request"))?;
    Ok(found.flatten())
}

pub(crate) fn told(
    tx: &mut Tx<'_>,
    id: &str,
    station: &StationId,
    request: Option<i32>,
    why: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(TOLD, &values![id, station.as_str(), request, why, now]).map(drop)
}

pub(crate) fn set_state(tx: &mut Tx<'_>, id: &str, state: State, why: Option<&str>) -> Result<bool, StoreError> {
    Ok(tx.execute(SET_STATE, &values![id, state.as_str(), why])? > 0)
}

const PUT: &str = "INSERT INTO operator_firmware (id, vendor, model, version, address_sealed, certificate, signature,
    added) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const SHELVED: &str = "UPDATE operator_firmware SET file = ?2, bytes = ?3, sha256 = ?4
    WHERE id = ?1 AND address_sealed IS NULL";
const HAS_CAMPAIGN: &str = "SELECT 1 FROM operator_campaigns WHERE firmware = ?1 LIMIT 1";
const SET_SECRET: &str = "UPDATE operator_firmware SET secret = ?2 WHERE id = ?1";
const SELECT: &str =
    "SELECT id, vendor, model, version, address_sealed IS NOT NULL, signature IS NOT NULL, file, bytes,
    sha256, added FROM operator_firmware";
const FILES: &str = "SELECT file FROM operator_firmware WHERE file IS NOT NULL";
const PARCEL: &str = "SELECT address_sealed, certificate, signature FROM operator_firmware WHERE id = ?1";
const OPEN: &str = "WHERE secret = ?1 AND EXISTS (SELECT 1 FROM operator_campaigns c
    WHERE c.firmware = operator_firmware.id AND (c.state = 'running' OR EXISTS (SELECT 1
    FROM operator_campaign_stations s WHERE s.campaign = c.id AND s.request IS NOT NULL AND s.changed >= ?2)))";
const BEGIN: &str = "INSERT INTO operator_campaigns (id, firmware, wave_percent, pause_s, failures_max, state, begun)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const JOIN: &str = "INSERT INTO operator_campaign_stations (campaign, station, wave, changed)
    VALUES (?1, ?2, ?3, ?4)";
const CAMPAIGN: &str = "SELECT id, firmware, wave_percent, pause_s, failures_max, state, why, begun
    FROM operator_campaigns";
const MEMBERS: &str = "SELECT c.station, c.wave, r.state, COALESCE(r.status, c.why),
    MAX(c.changed, COALESCE(r.changed, 0))
    FROM operator_campaign_stations c LEFT JOIN operator_requests r ON r.number = c.request
    WHERE c.campaign = ?1 ORDER BY c.wave, c.station LIMIT 100000";
const REQUEST_OF: &str = "SELECT request FROM operator_campaign_stations WHERE campaign = ?1 AND station = ?2";
const TOLD: &str = "UPDATE operator_campaign_stations SET request = COALESCE(?3, request), why = ?4, changed = ?5
    WHERE campaign = ?1 AND station = ?2";
const SET_STATE: &str = "UPDATE operator_campaigns SET state = ?2, why = ?3 WHERE id = ?1";
