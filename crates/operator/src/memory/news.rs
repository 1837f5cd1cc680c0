//! Rows of what stations told: one sentence each, with the rest of the message sealed beside it.
//!
//! The sentence is ours and names no driver; a document comes from the station and may, so it is sealed. Kept as long
//! as the message log, counted from our own clock: a station's may be years off.

use charge::Timestamp;
use charge::id::{EvseNo, StationId};
use store::{Migration, Row, StoreError, Tx, values};
use trust::seal::SealKey;

use crate::desk::{News, NewsFilter};
use crate::memory::{damaged, small_opt, word};

/// A family of its own: no other table refers to it.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator news", number: 1, name: "what stations told", sql: SCHEMA };

pub(crate) const PARTS: Migration = Migration {
    family: "operator news",
    number: 2,
    name: "parts of customers' data",
    sql: "ALTER TABLE operator_customers ADD COLUMN next_part INTEGER NOT NULL DEFAULT 0;",
};

const SCHEMA: &str = "CREATE TABLE operator_news (
    id INTEGER PRIMARY KEY,
    station TEXT NOT NULL,
    at INTEGER NOT NULL,
    heard INTEGER NOT NULL,
    kind TEXT NOT NULL,
    evse_no INTEGER,
    severity INTEGER,
    text TEXT NOT NULL,
    document_sealed BLOB
);
CREATE INDEX operator_news_station ON operator_news (station, id);
CREATE INDEX operator_news_heard ON operator_news (heard);
CREATE TABLE operator_settlements (
    id INTEGER PRIMARY KEY,
    station TEXT NOT NULL,
    name TEXT,
    status TEXT NOT NULL,
    amount TEXT NOT NULL,
    at INTEGER NOT NULL,
    heard INTEGER NOT NULL,
    receipt TEXT,
    reference_sealed BLOB NOT NULL,
    UNIQUE (station, name, at)
);
CREATE TABLE operator_customers (
    request INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    data_sealed BLOB NOT NULL
);";

/// One piece of news.
pub(crate) struct Told<'a> {
    pub at: Timestamp,
    pub kind: &'static str,
    pub evse: Option<EvseNo>,
    pub severity: Option<u8>,
    pub text: String,
    pub document: Option<&'a str>,
}

pub(crate) fn put(
    tx: &mut Tx<'_>,
    key: &SealKey,
    station: &StationId,
    told: &Told<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sealed = told.document.map(|text| seal(key, &place(station), text)).transpose()?;
    let text: String = told.text.chars().take(TEXT_MAX).collect();
    let evse = told.evse.map(EvseNo::get);
    tx.execute(PUT, &values![station.as_str(), told.at, told.kind, evse, told.severity, text, sealed, now]).map(drop)
}

/// Newest first.
pub(crate) fn list(tx: &Tx<'_>, key: &SealKey, filter: &NewsFilter) -> Result<Vec<News>, StoreError> {
    let station = filter.station.as_ref().map_or("", StationId::as_str);
    let kind = filter.kind.as_deref().unwrap_or_default();
    let before = filter.before.unwrap_or(i64::MAX);
    let limit = filter.limit.clamp(1, LINES_MAX);
    tx.query(LIST, &values![station, kind, filter.severity_max, before, limit], |row| read(row, key))
}

fn read(row: &Row<'_>, key: &SealKey) -> Result<News, StoreError> {
    let station: StationId = word(row, 1, "station")?;
    let document = row.blob_opt(7)?.map(|sealed| open(key, &place(&station), &sealed)).transpose()?;
    Ok(News {
        cursor: row.int(0)?,
        station,
        at: row.time(2)?,
        kind: row.text(3)?,
        evse: small_opt(row, 4, "evse_no")?.and_then(EvseNo::new),
        severity: small_opt(row, 5, "severity")?,
        text: row.text(6)?,
        document,
    })
}

/// The end of an ad-hoc payment. The payment provider's reference is a person's.
pub(crate) struct Settled<'a> {
    pub name: Option<String>,
    pub status: &'a str,
    pub amount: String,
    pub at: Timestamp,
    pub receipt: Option<&'a str>,
    pub reference: &'a str,
}

/// The same settlement twice is one row. `false`: it is known.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    key: &SealKey,
    station: &StationId,
    told: &Settled<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sealed = seal(key, &format!("operator_settlements.reference/{station}"), told.reference)?;
    let row = values![
        station.as_str(),
        told.name.clone(),
        told.status,
        told.amount.as_str(),
        told.at,
        told.receipt,
        sealed,
        now
    ];
    Ok(tx.execute(SETTLE, &row)? > 0)
}

/// A part of what a station knows of a customer.
pub(crate) fn put_customer(
    tx: &mut Tx<'_>,
    key: &SealKey,
    request: i32,
    (seq, part): (i32, &str),
    complete: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut whole = customer(tx, key, request)?.map(|(text, _)| text).unwrap_or_default();
    let next = tx.one(NEXT_PART, &values![request], |row| row.int(0))?.unwrap_or(0);
    if i64::from(seq) < next && whole.ends_with(part) {
        // the answer to it was lost, and it came again
        return Ok(());
    }
    whole.extend(part.chars().take(CUSTOMER_MAX.saturating_sub(whole.len())));
    let sealed = seal(key, &customer_place(request), &whole)?;
    tx.execute(PUT_CUSTOMER, &values![request, now, complete, sealed, i64::from(seq) + 1]).map(drop)
}

/// What came so far, and whether that is all.
pub(crate) fn customer(tx: &Tx<'_>, key: &SealKey, request: i32) -> Result<Option<(String, bool)>, StoreError> {
    tx.one(CUSTOMER, &values![request], |row| Ok((open(key, &customer_place(request), &row.blob(1)?)?, row.flag(0)?)))
}

pub(crate) fn drop_customer(tx: &mut Tx<'_>, request: i32) -> Result<(), StoreError> {
    tx.execute(DROP_CUSTOMER, &values![request]).map(drop)
}

/// Drops what was heard before `before`, and of each station what is beyond its share.
pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<(), StoreError> {
    tx.execute(FORGET, &values![before])?;
    let many = tx.query(TALKATIVE, &values![KEPT_PER_STATION], |row| row.text(0))?;
    for station in many {
        tx.execute(FORGET_MORE, &values![station, KEPT_PER_STATION])?;
    }
    Ok(())
}

/// Answers about customers that nobody fetched.
pub(crate) fn forget_customers(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET_CUSTOMERS, &values![before])
}

/// Settlements lead to a person by their reference.
pub(crate) fn forget_people(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET_SETTLEMENTS, &values![before])
}

fn place(station: &StationId) -> String {
    format!("operator_news.document/{station}")
}

fn customer_place(request: i32) -> String {
    format!("operator_customers.data/{request}")
}

fn seal(key: &SealKey, place: &str, plain: &str) -> Result<Vec<u8>, StoreError> {
    key.seal(place, plain.as_bytes()).map_err(|fault| StoreError::Corrupt(fault.to_string()))
}

fn open(key: &SealKey, place: &str, sealed: &[u8]) -> Result<String, StoreError> {
    let plain = key.open(place, sealed).map_err(|fault| StoreError::Corrupt(fault.to_string()))?;
    String::from_utf8(plain).map_err(|_| damaged("a sealed column"))
}

/// A sentence is read by a person; stations fill their texts up to 500 characters.
const TEXT_MAX: usize = 600;
const LINES_MAX: u32 = 500;
/// A station that tells something every minute fills this in a fortnight; more is a flood.
const KEPT_PER_STATION: u32 = 20_000;
/// A station knows one customer by a few hundred lines at most.
const CUSTOMER_MAX: usize = 256 * 1024;

const PUT: &str = "INSERT INTO operator_news (station, at, kind, evse_no, severity, text, document_sealed,
    heard) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const LIST: &str = "SELECT id, station, at, kind, evse_no, severity, text, document_sealed FROM operator_news
    WHERE (?1 = '' OR station = ?1) AND (?2 = '' OR kind = ?2) AND (?3 IS NULL OR severity <= ?3) AND id < ?4
    ORDER BY id DESC LIMIT ?5";
const SETTLE: &str = "INSERT INTO operator_settlements (station, name, status, amount, at, receipt, reference_sealed,
    heard) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE NOT EXISTS (SELECT 1 FROM operator_settlements
    WHERE station = ?1 AND name IS ?2 AND status = ?3 AND amount = ?4 AND at = ?5) ON CONFLICT DO NOTHING";
const PUT_CUSTOMER: &str = "INSERT INTO operator_customers (request, at, complete, data_sealed, next_part)
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (request) DO UPDATE SET at = excluded.at, complete = excluded.complete,
    data_sealed = excluded.data_sealed, next_part = excluded.next_part";
const NEXT_PART: &str = "SELECT next_part FROM operator_customers WHERE request = ?1";
const CUSTOMER: &str = "SELECT complete, data_sealed FROM operator_customers WHERE request = ?1";
const DROP_CUSTOMER: &str = "DELETE FROM operator_customers WHERE request = ?1";
const FORGET: &str = "DELETE FROM operator_news WHERE heard < ?1";
const TALKATIVE: &str = "SELECT station FROM operator_news GROUP BY station HAVING COUNT(*) > ?1";
const FORGET_MORE: &str = "DELETE FROM operator_news WHERE station = ?1 AND id <= (SELECT id FROM operator_news
    WHERE station = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)";
const FORGET_SETTLEMENTS: &str = "DELETE FROM operator_settlements WHERE heard < ?1";
const FORGET_CUSTOMERS: &str = "DELETE FROM operator_customers WHERE at < ?1";
