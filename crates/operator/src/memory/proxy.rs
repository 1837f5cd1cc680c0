//! Rows of second back-ends: policies, what waits for them, what they know of transactions and tokens, and counts.
//!
//! Proofs and whatever waits are sealed: a waiting message may hold a token where the policy lets tokens pass.

use charge::Timestamp;
use charge::id::{EvseNo, LocationId, StationId, TransactionKey};
use charge::talk::line::{Foreign, Version};
use charge::token::{PresentedToken, TokenKind, TokenUid};
use charge::units::Energy;
use charge::{Purpose, Secret};
use store::{Migration, Row, StoreError, Tx, values};
use trust::seal::SealKey;

use super::permit::{kind_name, kind_named};
use super::{count, damaged, lines, named, small, small_opt, word};
use crate::proxy::copy::{Told, Weight};
use crate::proxy::{Meant, Mode, Proofs, Second, Standing, Tokens};

/// A family of its own: no other table refers to it.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator seconds", number: 1, name: "second back-ends", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_seconds (
    name TEXT PRIMARY KEY,
    address TEXT NOT NULL,
    version TEXT NOT NULL,
    mode TEXT NOT NULL,
    allow TEXT NOT NULL,
    obey TEXT NOT NULL,
    tokens TEXT NOT NULL,
    meant TEXT NOT NULL,
    meant_names TEXT NOT NULL,
    buffer_max INTEGER NOT NULL,
    local INTEGER NOT NULL,
    roots TEXT NOT NULL,
    paused INTEGER NOT NULL,
    password_sealed BLOB,
    chain TEXT,
    key_sealed BLOB,
    changed INTEGER NOT NULL
);
CREATE TABLE operator_second_passwords (
    second TEXT NOT NULL,
    station TEXT NOT NULL,
    password_sealed BLOB NOT NULL,
    PRIMARY KEY (second, station)
);
CREATE TABLE operator_second_waiting (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    second TEXT NOT NULL,
    station TEXT NOT NULL,
    at INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    transaction_key TEXT,
    action TEXT NOT NULL,
    body_sealed BLOB NOT NULL,
    tries INTEGER NOT NULL
);
CREATE INDEX operator_second_waiting_for ON operator_second_waiting (second, station, id);
CREATE TABLE operator_second_transactions (
    second TEXT NOT NULL,
    station TEXT NOT NULL,
    transaction_key TEXT NOT NULL,
    is_number INTEGER NOT NULL,
    number INTEGER,
    seq INTEGER NOT NULL,
    began INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    start INTEGER,
    evse_no INTEGER,
    register_mwh INTEGER,
    changed INTEGER NOT NULL,
    PRIMARY KEY (second, station, transaction_key)
);
CREATE INDEX operator_second_transactions_number ON operator_second_transactions (second, station, number);
CREATE TABLE operator_second_tokens (
    second TEXT NOT NULL,
    pseudonym TEXT NOT NULL,
    token_sealed BLOB NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (second, pseudonym)
);
CREATE TABLE operator_second_counts (
    second TEXT NOT NULL,
    station TEXT NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0,
    refused INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0,
    obeyed INTEGER NOT NULL DEFAULT 0,
    denied INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    PRIMARY KEY (second, station)
);";

/// A policy as it was put.
pub(crate) struct SecondRow {
    pub second: Second,
    pub has_password: bool,
    pub has_identity: bool,
    pub changed: Timestamp,
}

/// Takes the place of the one with its name. Proofs that are not given stay as they are.
pub(crate) fn put(
    tx: &mut Tx<'_>,
    seal: &SealKey,
    second: &Second,
    proofs: &Proofs,
    now: Timestamp,
) -> Result<(), StoreError> {
    let name = second.name.as_str();
    let sealed = |what: &str, secret: &Secret<Box<str>>| seal_text(seal, &place(name, what), secret.expose());
    let password = proofs.password.as_ref().map(|password| sealed("password", password)).transpose()?;
    let key = proofs.identity.as_ref().map(|(_, key)| sealed("key", key)).transpose()?;
    let (meant, names) = meant_columns(&second.meant);
    let row = values![
        name,
        second.address.as_str(),
        second.version.label(),
        second.mode.as_str(),
        second.allow.join("\n"),
        second.obey.join("\n"),
        second.tokens.as_str(),
        meant,
        names,
        second.buffer_max,
        second.local,
        second.roots.as_str(),
        second.paused,
        password,
        proofs.identity.as_ref().map(|(chain, _)| &**chain),
        key,
        now,
    ];
    tx.execute(PUT, &row)?;
    for (station, password) in &proofs.of_stations {
        let sealed = sealed(&format!("password of {station}"), password)?;
        tx.execute(PUT_PASSWORD, &values![name, station.as_str(), sealed])?;
    }
    Ok(())
}

/// The proofs were made for another address.
pub(crate) fn drop_proofs(tx: &mut Tx<'_>, name: &str) -> Result<(), StoreError> {
    tx.execute(DROP_PROOFS, &values![name])?;
    tx.execute(REMOVE_ALL[0], &values![name]).map(drop)
}

/// What waits and what was told is of no use any more.
pub(crate) fn begin_anew(tx: &mut Tx<'_>, name: &str) -> Result<(), StoreError> {
    tx.execute(REMOVE_ALL[1], &values![name])?;
    tx.execute(REMOVE_ALL[2], &values![name]).map(drop)
}

/// With all that belongs to it. `false`: there is none of this name.
pub(crate) fn remove(tx: &mut Tx<'_>, name: &str) -> Result<bool, StoreError> {
    for sql in REMOVE_ALL {
        tx.execute(sql, &values![name])?;
    }
    Ok(tx.execute(REMOVE, &values![name])? > 0)
}

pub(crate) fn all(tx: &Tx<'_>) -> Result<Vec<SecondRow>, StoreError> {
    tx.query(ALL, &[], |row| {
        let second = Second {
            name: row.text(0)?,
            address: row.text(1)?,
            version: named(row, 2, "version", Version::named)?,
            mode: named(row, 3, "mode", Mode::named)?,
            allow: lines(&row.text(4)?),
            obey: lines(&row.text(5)?),
            tokens: named(row, 6, "tokens", Tokens::named)?,
            meant: meant(row)?,
            buffer_max: small(row, 9, "buffer_max")?,
            local: row.flag(10)?,
            roots: row.text(11)?,
            paused: row.flag(12)?,
        };
        Ok(SecondRow { second, has_password: row.flag(13)?, has_identity: row.flag(14)?, changed: row.time(15)? })
    })
}

fn meant_columns(meant: &Meant) -> (&'static str, String) {
    match meant {
        Meant::All => ("all", String::new()),
        Meant::Location(location) => ("location", location.to_string()),
        Meant::Stations(stations) => {
            ("stations", stations.iter().map(StationId::as_str).collect::<Vec<_>>().join("\n"))
        }
    }
}

fn meant(row: &Row<'_>) -> Result<Meant, StoreError> {
    let names = row.text(8)?;
    match row.text(7)?.as_str() {
        "all" => Ok(Meant::All),
        "location" => LocationId::new(&names).map(Meant::Location).map_err(|_| damaged("meant_names")),
        "stations" => {
            let stations = names.lines().map(StationId::new).collect::<Result<_, _>>();
            stations.map(Meant::Stations).map_err(|_| damaged("meant_names"))
        }
        _ => Err(damaged("meant")),
    }
}

/// How a station proves itself at a second CSMS.
pub(crate) fn proofs(tx: &Tx<'_>, seal: &SealKey, name: &str, station: &StationId) -> Result<Proofs, StoreError> {
    let opened = |what: &str, sealed: &[u8]| {
        open_text(seal, &place(name, what), sealed).map(|text| Secret::new(text.into_boxed_str()))
    };
    let found = tx.one(PROOFS, &values![name, station.as_str()], |row| {
        Ok((row.blob_opt(0)?, row.text_opt(1)?, row.blob_opt(2)?, row.blob_opt(3)?))
    })?;
    let Some((password, chain, key, own)) = found else { return Ok(Proofs::default()) };
    let password = match own {
        Some(own) => Some(opened(&format!("password of {station}"), &own)?),
        None => password.map(|sealed| opened("password", &sealed)).transpose()?,
    };
    let key = key.map(|sealed| opened("key", &sealed)).transpose()?;
    Ok(Proofs { password, of_stations: Vec::new(), identity: chain.map(Into::into).zip(key) })
}

/// What waits for a second CSMS.
pub(crate) struct Waiting {
    pub id: i64,
    pub at: Timestamp,
    pub weight: i64,
    pub key: Option<String>,
    pub text: Foreign,
    pub tries: u32,
}

/// Of one station and one second CSMS.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'a> {
    pub second: &'a str,
    pub station: &'a StationId,
}

/// Puts a message at the end; what has no room any more goes, news before the course of transactions, the oldest
/// first. The number that went.
pub(crate) fn wait(
    tx: &mut Tx<'_>,
    seal: &SealKey,
    pair: Pair<'_>,
    weight: Weight,
    key: Option<&TransactionKey>,
    text: &Foreign,
    (now, most): (Timestamp, u32),
) -> Result<u64, StoreError> {
    let (second, station) = (pair.second, pair.station.as_str());
    let body = seal_text(seal, &waiting_place(pair), &text.body)?;
    let key = key.map(ToString::to_string);
    tx.execute(WAIT, &values![second, station, now, weight.number(), key, &*text.action, body])?;
    let waiting = waiting(tx, pair)?;
    if waiting <= most {
        return Ok(0);
    }
    let edge = Weight::Edge.number();
    let gone = tx.execute(THIN, &values![second, station, edge, waiting - most])?;
    Ok(gone as u64)
}

pub(crate) fn waiting(tx: &Tx<'_>, pair: Pair<'_>) -> Result<u32, StoreError> {
    let found = tx.one(COUNT_WAITING, &values![pair.second, pair.station.as_str()], |row| count(row, 0))?;
    Ok(found.unwrap_or(0))
}

/// The oldest.
pub(crate) fn next(tx: &Tx<'_>, seal: &SealKey, pair: Pair<'_>) -> Result<Option<Waiting>, StoreError> {
    let found = tx.one(NEXT, &values![pair.second, pair.station.as_str()], |row| {
        let text = |body: String| Ok::<_, StoreError>(Foreign { action: row.text(4)?.into(), body: body.into() });
        let body = open_text(seal, &waiting_place(pair), &row.blob(5)?)?;
        Ok(Waiting {
            id: row.int(0)?,
            at: row.time(1)?,
            weight: row.int(2)?,
            key: row.text_opt(3)?,
            text: text(body)?,
            tries: small(row, 6, "tries")?,
        })
    })?;
    Ok(found)
}

pub(crate) fn gone(tx: &mut Tx<'_>, id: i64) -> Result<(), StoreError> {
    tx.execute(GONE, &values![id]).map(drop)
}

pub(crate) fn tried(tx: &mut Tx<'_>, id: i64) -> Result<(), StoreError> {
    tx.execute(TRIED, &values![id]).map(drop)
}

/// Second back-ends and stations with something waiting.
pub(crate) fn owed(tx: &Tx<'_>) -> Result<Vec<(String, StationId)>, StoreError> {
    tx.query(OWED, &[], |row| Ok((row.text(0)?, word(row, 1, "station")?)))
}

/// What a second CSMS was told of a transaction.
pub(crate) fn told(tx: &Tx<'_>, pair: Pair<'_>, key: &TransactionKey) -> Result<Option<Told>, StoreError> {
    tx.one(TOLD, &values![pair.second, pair.station.as_str(), key.to_string()], |row| {
        Ok(Told {
            seq: small(row, 0, "seq")?,
            began: row.flag(1)?,
            ended: row.flag(2)?,
            start: row.time_opt(3)?,
            evse: small_opt::<u16>(row, 4, "evse_no")?.and_then(EvseNo::new),
            register: row.int_opt(5)?.map(Energy::from_mwh),
        })
    })
}

pub(crate) fn keep_told(
    tx: &mut Tx<'_>,
    pair: Pair<'_>,
    key: &TransactionKey,
    told: &Told,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = values![
        pair.second,
        pair.station.as_str(),
        key.to_string(),
        matches!(key, TransactionKey::Number(_)),
        told.seq,
        told.began,
        told.ended,
        told.start,
        told.evse.map(EvseNo::get),
        told.register.map(Energy::mwh),
        now,
    ];
    tx.execute(KEEP_TOLD, &row).map(drop)
}

/// The number that a second CSMS of 1.6 gave a transaction.
pub(crate) fn number(tx: &Tx<'_>, pair: Pair<'_>, key: &str) -> Result<Option<i32>, StoreError> {
    let found = tx.one(NUMBER, &values![pair.second, pair.station.as_str(), key], |row| small_opt(row, 0, "number"))?;
    Ok(found.flatten())
}

pub(crate) fn keep_number(tx: &mut Tx<'_>, pair: Pair<'_>, key: &str, number: i32) -> Result<(), StoreError> {
    tx.execute(KEEP_NUMBER, &values![pair.second, pair.station.as_str(), key, number]).map(drop)
}

/// Our name for a transaction that a second CSMS names.
pub(crate) fn ours(tx: &Tx<'_>, pair: Pair<'_>, theirs: &TransactionKey) -> Result<Option<TransactionKey>, StoreError> {
    let read = |row: &Row<'_>| Ok((row.text(0)?, row.flag(1)?));
    let (second, station) = (pair.second, pair.station.as_str());
    let found = match theirs {
        TransactionKey::Number(number) => tx.one(OURS_BY_NUMBER, &values![second, station, *number], read)?,
        TransactionKey::Text(text) => tx.one(OURS_BY_TEXT, &values![second, station, &**text], read)?,
    };
    let key = |(text, is_number): (String, bool)| match is_number {
        true => text.parse().map(TransactionKey::Number).map_err(|_| damaged("transaction_key")),
        false => Ok(TransactionKey::Text(text.into())),
    };
    found.map(key).transpose()
}

pub(crate) fn keep_token(
    tx: &mut Tx<'_>,
    seal: &SealKey,
    second: &str,
    pseudonym: &str,
    token: &PresentedToken,
    now: Timestamp,
) -> Result<(), StoreError> {
    let plain = format!("{}\n{}", kind_name(token.kind), token.uid.reveal(Purpose::Keep).as_delivered());
    let sealed = seal_text(seal, &token_place(second, pseudonym), &plain)?;
    tx.execute(KEEP_TOKEN, &values![second, pseudonym, sealed, now]).map(drop)
}

/// The token behind a pseudonym.
pub(crate) fn token(
    tx: &Tx<'_>,
    seal: &SealKey,
    second: &str,
    pseudonym: &str,
) -> Result<Option<PresentedToken>, StoreError> {
    let Some(sealed) = tx.one(TOKEN, &values![second, pseudonym], |row| row.blob(0))? else { return Ok(None) };
    let plain = open_text(seal, &token_place(second, pseudonym), &sealed)?;
    let read = || {
        let (kind, uid): (&str, &str) = plain.split_once('\n')?;
        let kind: TokenKind = kind_named(kind)?;
        Some(PresentedToken::new(TokenUid::new(uid).ok()?, kind))
    };
    read().map(Some).ok_or_else(|| damaged("token_sealed"))
}

/// Tokens and transactions that nobody has mentioned for so long.
pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<(), StoreError> {
    tx.execute(FORGET_TOKENS, &values![before])?;
    tx.execute(FORGET_TRANSACTIONS, &values![before]).map(drop)
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    Sent,
    Dropped,
    Refused,
    Lost,
    Obeyed,
    Denied,
}

pub(crate) fn add(
    tx: &mut Tx<'_>,
    pair: Pair<'_>,
    what: Counted,
    more: u64,
    why: Option<&str>,
) -> Result<(), StoreError> {
    let sql = match what {
        Counted::Sent => ADD_SENT,
        Counted::Dropped => ADD_DROPPED,
        Counted::Refused => ADD_REFUSED,
        Counted::Lost => ADD_LOST,
        Counted::Obeyed => ADD_OBEYED,
        Counted::Denied => ADD_DENIED,
    };
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    tx.execute(BEGIN_COUNT, &values![pair.second, pair.station.as_str()])?;
    tx.execute(sql, &values![pair.second, pair.station.as_str(), more, why]).map(drop)
}

/// How every station stands with one second CSMS; who is connected is not known here.
pub(crate) fn standings(tx: &Tx<'_>, second: &str) -> Result<Vec<Standing>, StoreError> {
    tx.query(STANDINGS, &values![second], |row| {
        let number = |column| row.int(column).map(i64::unsigned_abs);
        Ok(Standing {
            station: word(row, 0, "station")?,
            connected: false,
            buffered: count(row, 8)?,
            sent: number(1)?,
            dropped: number(2)?,
            refused: number(3)?,
            lost: number(4)?,
            obeyed: number(5)?,
            denied: number(6)?,
            last_error: row.text_opt(7)?,
        })
    })
}

fn place(second: &str, what: &str) -> String {
    format!("operator_seconds.{what}/{second}")
}

fn waiting_place(pair: Pair<'_>) -> String {
    format!("operator_second_waiting.body/{}/{}", pair.second, pair.station)
}

fn token_place(second: &str, pseudonym: &str) -> String {
    format!("operator_second_tokens.token/{second}/{pseudonym}")
}

fn seal_text(seal: &SealKey, place: &str, text: &str) -> Result<Vec<u8>, StoreError> {
    seal.seal(place, text.as_bytes()).map_err(|fault| StoreError::Corrupt(fault.to_string()))
}

fn open_text(seal: &SealKey, place: &str, sealed: &[u8]) -> Result<String, StoreError> {
    let plain = seal.open(place, sealed).map_err(|fault| StoreError::Corrupt(fault.to_string()))?;
    String::from_utf8(plain).map_err(|_| damaged("sealed"))
}

const PUT: &str = "INSERT INTO operator_seconds (name, address, version, mode, allow, obey, tokens, meant, meant_names,
    buffer_max, local, roots, paused, password_sealed, chain, key_sealed, changed)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
    ON CONFLICT (name) DO UPDATE SET address = excluded.address, version = excluded.version, mode = excluded.mode,
    allow = excluded.allow, obey = excluded.obey, tokens = excluded.tokens, meant = excluded.meant,
    meant_names = excluded.meant_names, buffer_max = excluded.buffer_max, local = excluded.local,
    roots = excluded.roots, paused = excluded.paused,
    password_sealed = COALESCE(excluded.password_sealed, password_sealed),
    chain = COALESCE(excluded.chain, chain), key_sealed = COALESCE(excluded.key_sealed, key_sealed),
    changed = excluded.changed";
const PUT_PASSWORD: &str = "INSERT INTO operator_second_passwords (second, station, password_sealed)
    VALUES (?1, ?2, ?3) ON CONFLICT (second, station) DO UPDATE SET password_sealed = excluded.password_sealed";
const DROP_PROOFS: &str = "UPDATE operator_seconds SET password_sealed = NULL, chain = NULL, key_sealed = NULL
    WHERE name = ?1";
const REMOVE: &str = "DELETE FROM operator_seconds WHERE name = ?1";
const REMOVE_ALL: [&str; 5] = [
    "DELETE FROM operator_second_passwords WHERE second = ?1",
    "DELETE FROM operator_second_waiting WHERE second = ?1",
    "DELETE FROM operator_second_transactions WHERE second = ?1",
    "DELETE FROM operator_second_tokens WHERE second = ?1",
    "DELETE FROM operator_second_counts WHERE second = ?1",
];
const ALL: &str = "SELECT name, address, version, mode, allow, obey, tokens, meant, meant_names, buffer_max, local,
    roots, paused, password_sealed IS NOT NULL
        OR EXISTS (SELECT 1 FROM operator_second_passwords WHERE second = name),
    key_sealed IS NOT NULL, changed FROM operator_seconds ORDER BY name LIMIT 100";
const PROOFS: &str = "SELECT s.password_sealed, s.chain, s.key_sealed, p.password_sealed FROM operator_seconds s
    LEFT JOIN operator_second_passwords p ON p.second = s.name AND p.station = ?2 WHERE s.name = ?1";
const WAIT: &str = "INSERT INTO operator_second_waiting (second, station, at, weight, transaction_key, action,
    body_sealed, tries) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)";
const COUNT_WAITING: &str = "SELECT COUNT(*) FROM operator_second_waiting WHERE second = ?1 AND station = ?2";
const THIN: &str = "DELETE FROM operator_second_waiting WHERE id IN (SELECT id FROM operator_second_waiting
    WHERE second = ?1 AND station = ?2 AND weight < ?3 ORDER BY weight, id LIMIT ?4)";
const NEXT: &str = "SELECT id, at, weight, transaction_key, action, body_sealed, tries FROM operator_second_waiting
    WHERE second = ?1 AND station = ?2 ORDER BY id LIMIT 1";
const GONE: &str = "DELETE FROM operator_second_waiting WHERE id = ?1";
const TRIED: &str = "UPDATE operator_second_waiting SET tries = tries + 1 WHERE id = ?1";
const OWED: &str = "SELECT DISTINCT second, station FROM operator_second_waiting";
const TOLD: &str = "SELECT seq, began, ended, start, evse_no, register_mwh FROM operator_second_transactions
    WHERE second = ?1 AND station = ?2 AND transaction_key = ?3";
const KEEP_TOLD: &str = "INSERT INTO operator_second_transactions (second, station, transaction_key, is_number, seq,
    began, ended, start, evse_no, register_mwh, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (second, station, transaction_key) DO UPDATE SET seq = excluded.seq, began = excluded.began,
    ended = excluded.ended, start = excluded.start, evse_no = excluded.evse_no,
    register_mwh = excluded.register_mwh, changed = excluded.changed";
const NUMBER: &str = "SELECT number FROM operator_second_transactions
    WHERE second = ?1 AND station = ?2 AND transaction_key = ?3";
const KEEP_NUMBER: &str = "UPDATE operator_second_transactions SET number = ?4
    WHERE second = ?1 AND station = ?2 AND transaction_key = ?3";
const OURS_BY_NUMBER: &str = "SELECT transaction_key, is_number FROM operator_second_transactions
    WHERE second = ?1 AND station = ?2 AND number = ?3 ORDER BY changed DESC LIMIT 1";
const OURS_BY_TEXT: &str = "SELECT transaction_key, is_number FROM operator_second_transactions
    WHERE second = ?1 AND station = ?2 AND transaction_key = ?3";
const KEEP_TOKEN: &str = "INSERT INTO operator_second_tokens (second, pseudonym, token_sealed, seen)
    VALUES (?1, ?2, ?3, ?4) ON CONFLICT (second, pseudonym) DO UPDATE SET seen = excluded.seen";
const TOKEN: &str = "SELECT token_sealed FROM operator_second_tokens WHERE second = ?1 AND pseudonym = ?2";
const FORGET_TOKENS: &str = "DELETE FROM operator_second_tokens WHERE seen < ?1";
const FORGET_TRANSACTIONS: &str = "DELETE FROM operator_second_transactions WHERE changed < ?1";
const BEGIN_COUNT: &str = "INSERT INTO operator_second_counts (second, station) VALUES (?1, ?2)
    ON CONFLICT (second, station) DO NOTHING";
const ADD_SENT: &str = "UPDATE operator_second_counts SET sent = sent + ?3, last_error = COALESCE(?4, last_error)
    WHERE second = ?1 AND station = ?2";
const ADD_DROPPED: &str = "UPDATE operator_second_counts SET dropped = dropped + ?3,
    last_error = COALESCE(?4, last_error) WHERE second = ?1 AND station = ?2";
const ADD_REFUSED: &str = "UPDATE operator_second_counts SET refused = refused + ?3,
    last_error = COALESCE(?4, last_error) WHERE second = ?1 AND station = ?2";
const ADD_LOST: &str = "UPDATE operator_second_counts SET lost = lost + ?3, last_error = COALESCE(?4, last_error)
    WHERE second = ?1 AND station = ?2";
const ADD_OBEYED: &str = "UPDATE operator_second_counts SET obeyed = obeyed + ?3,
    last_error = COALESCE(?4, last_error) WHERE second = ?1 AND station = ?2";
const ADD_DENIED: &str = "UPDATE operator_second_counts SET denied = denied + ?3,
    last_error = COALESCE(?4, last_error) WHERE second = ?1 AND station = ?2";
const STANDINGS: &str = "SELECT station, sent, dropped, refused, lost, obeyed, denied, last_error,
    (SELECT COUNT(*) FROM operator_second_waiting w WHERE w.second = c.second AND w.station = c.station)
    FROM operator_second_counts c WHERE second = ?1 ORDER BY station LIMIT 1000";
