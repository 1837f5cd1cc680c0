//! Rows of payments without a contract, and the secrets behind the codes that stations show.
//!
//! Nothing here names a payer: a reference is random and ours, the secret of a payer's page is kept as a digest, and a
//! station's secret is sealed. A code is taken once: station, EVSE and step are unique.

use charge::Timestamp;
use charge::id::{EvseNo, OrderId, StationId};
use charge::money::{Currency, Money};
use store::{Migration, Row, StoreError, Tx, values};
use trust::bearer::BearerDigest;
use trust::seal::SealKey;
use trust::totp::Totp;

use crate::memory::{damaged, named, small, small_opt, word, word_opt};
use crate::payment::{Event, State};

/// A family of its own; its orders are rows of `operator_orders`.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator payments", number: 1, name: "payments without a contract", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_payment_codes (
    station TEXT PRIMARY KEY,
    secret_sealed BLOB NOT NULL,
    validity_s INTEGER NOT NULL,
    length INTEGER NOT NULL
);
CREATE TABLE operator_payments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    secret BLOB NOT NULL UNIQUE,
    station TEXT NOT NULL,
    evse_no INTEGER NOT NULL,
    step INTEGER NOT NULL,
    reference TEXT NOT NULL,
    state TEXT NOT NULL,
    tariff INTEGER NOT NULL,
    currency TEXT NOT NULL,
    wish TEXT,
    held INTEGER,
    taken INTEGER,
    order_id TEXT UNIQUE,
    why TEXT,
    opened INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    UNIQUE (station, evse_no, step)
);";

/// A payment as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PaymentRow {
    pub id: i64,
    pub station: StationId,
    pub no: EvseNo,
    /// Names the payment at the acquirer and the start at the station.
    pub reference: String,
    pub state: State,
    /// The version of the tariff that the payer was shown.
    pub tariff: i64,
    pub currency: Currency,
    /// What the driver chose at the station, as decimal text.
    pub wish: Option<String>,
    pub held: Option<Money>,
    pub taken: Option<Money>,
    pub order: Option<OrderId>,
    /// Why nothing was taken, in plain words.
    pub why: Option<String>,
    pub opened: Timestamp,
    pub changed: Timestamp,
}

impl PaymentRow {
    /// Takes an event; `false` where the table refuses it.
    pub(crate) fn on(&mut self, event: Event, now: Timestamp) -> bool {
        let next = self.state.on(event);
        if let Some(next) = next {
            (self.state, self.changed) = (next, now);
        }
        next.is_some()
    }
}

/// A payment that is about to be opened.
pub(crate) struct Opening<'a> {
    pub secret: BearerDigest,
    pub station: &'a StationId,
    pub no: EvseNo,
    pub step: i64,
    pub reference: &'a str,
    pub tariff: i64,
    pub currency: Currency,
    pub wish: Option<&'a str>,
}

/// Keeps what a station's codes are made with; the newest alone counts.
pub(crate) fn put_code(tx: &mut Tx<'_>, key: &SealKey, station: &StationId, totp: &Totp) -> Result<(), StoreError> {
    let sealed = key.seal(&place(station), totp.secret.expose().as_bytes());
    let sealed = sealed.map_err(|fault| StoreError::Corrupt(fault.to_string()))?;
    tx.execute(PUT_CODE, &values![station.as_str(), sealed, totp.validity_s, totp.length]).map(drop)
}

pub(crate) fn drop_code(tx: &mut Tx<'_>, station: &StationId) -> Result<bool, StoreError> {
    Ok(tx.execute(DROP_CODE, &values![station.as_str()])? > 0)
}

pub(crate) fn code(tx: &Tx<'_>, key: &SealKey, station: &StationId) -> Result<Option<Totp>, StoreError> {
    tx.one(CODE, &values![station.as_str()], |row| {
        let plain = key.open(&place(station), &row.blob(0)?).map_err(|fault| StoreError::Corrupt(fault.to_string()))?;
        let secret = String::from_utf8(plain).map_err(|_| damaged("secret_sealed"))?;
        let secret = charge::Secret::new(secret);
        Ok(Totp { secret, validity_s: small(row, 1, "validity_s")?, length: small(row, 2, "length")? })
    })
}

fn place(station: &StationId) -> String {
    format!("operator_payment_codes.secret/{station}")
}

/// A new payment's number. `None`: this code was taken before.
pub(crate) fn open(tx: &mut Tx<'_>, new: &Opening<'_>, now: Timestamp) -> Result<Option<i64>, StoreError> {
    let row = values![
        new.secret.as_bytes(),
        new.station.as_str(),
        new.no.get(),
        new.step,
        new.reference,
        new.tariff,
        new.currency.to_string(),
        new.wish,
        now,
    ];
    Ok(tx.query(OPEN, &row, |row| row.int(0))?.into_iter().next())
}

pub(crate) fn save(tx: &mut Tx<'_>, row: &PaymentRow) -> Result<(), StoreError> {
    tx.execute(
        SAVE,
        &values![
            row.id,
            row.state.as_str(),
            row.tariff,
            row.held.map(|held| held.minor),
            row.taken.map(|taken| taken.minor),
            row.order.as_ref().map(OrderId::as_str),
            row.why.as_deref(),
            row.changed,
        ],
    )
    .map(drop)
}

pub(crate) fn find(tx: &Tx<'_>, id: i64) -> Result<Option<PaymentRow>, StoreError> {
    tx.one(&format!("{SELECT} WHERE id = ?1"), &values![id], read)
}

pub(crate) fn by_secret(tx: &Tx<'_>, secret: BearerDigest) -> Result<Option<PaymentRow>, StoreError> {
    tx.one(&format!("{SELECT} WHERE secret = ?1"), &values![secret.as_bytes()], read)
}

/// The payment behind an order to start.
pub(crate) fn of_order(tx: &Tx<'_>, order: &str) -> Result<Option<PaymentRow>, StoreError> {
    tx.one(&format!("{SELECT} WHERE order_id = ?1"), &values![order], read)
}

/// The payments of an EVSE that are not over.
pub(crate) fn open_at(tx: &Tx<'_>, station: &StationId, no: EvseNo) -> Result<Vec<PaymentRow>, StoreError> {
    tx.query(&format!("{SELECT} {OPEN_AT}"), &values![station.as_str(), no.get()], read)
}

/// Old payments, once nothing happens with them any more.
pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET, &values![before])
}

fn read(row: &Row<'_>) -> Result<PaymentRow, StoreError> {
    let currency: Currency = word(row, 6, "currency")?;
    let money = |minor: Option<i64>| minor.map(|minor| Money::new(minor, currency));
    Ok(PaymentRow {
        id: row.int(0)?,
        station: word(row, 1, "station")?,
        no: small_opt(row, 2, "evse_no")?.and_then(EvseNo::new).ok_or_else(|| damaged("evse_no"))?,
        reference: row.text(3)?,
        state: named(row, 4, "state", State::named)?,
        tariff: row.int(5)?,
        currency,
        wish: row.text_opt(7)?,
        held: money(row.int_opt(8)?),
        taken: money(row.int_opt(9)?),
        order: word_opt(row, 10, "order_id")?,
        why: row.text_opt(11)?,
        opened: row.time(12)?,
        changed: row.time(13)?,
    })
}

const PUT_CODE: &str = "INSERT INTO operator_payment_codes (station, secret_sealed, validity_s, length)
    VALUES (?1, ?2, ?3, ?4) ON CONFLICT (station) DO UPDATE SET secret_sealed = excluded.secret_sealed,
    validity_s = excluded.validity_s, length = excluded.length";
const DROP_CODE: &str = "DELETE FROM operator_payment_codes WHERE station = ?1";
const CODE: &str = "SELECT secret_sealed, validity_s, length FROM operator_payment_codes WHERE station = ?1";
const OPEN: &str = "INSERT INTO operator_payments (secret, station, evse_no, step, reference, state, tariff, currency,
    wish, opened, changed) VALUES (?1, ?2, ?3, ?4, ?5, 'opened', ?6, ?7, ?8, ?9, ?9)
    ON CONFLICT (station, evse_no, step) DO NOTHING RETURNING id";
const SAVE: &str = "UPDATE operator_payments SET state = ?2, tariff = ?3, held = ?4, taken = ?5, order_id = ?6,
    why = ?7, changed = ?8 WHERE id = ?1";
const SELECT: &str =
    "SELECT id, station, evse_no, reference, state, tariff, currency, wish, held, taken, order_id, why,
    opened, changed FROM operator_payments";
const OPEN_AT: &str = "WHERE station = ?1 AND evse_no = ?2 AND state IN ('opened', 'asking', 'declined', 'held')";
const FORGET: &str = "DELETE FROM operator_payments WHERE changed < ?1 AND state IN ('settled', 'released', 'lapsed')";
