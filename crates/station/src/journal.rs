//! What a station remembers without power: meters, settings, switches, transactions and the messages it owes.
//!
//! The engine says what changed ([`Note`]); the journal keeps it in order and gives it all back ([`Memory`]) at the
//! next start. Many stations share one store, each under its own id. It decides nothing.
//!
//! Invariant: what was said to the operator, or answered to it, was kept before.

use std::collections::{BTreeMap, BTreeSet};

use billing::record::ClockQuality;
use charge::id::{EvseNo, StationId};
use charge::meter::{Context, SignedRecord};
use charge::talk::line::{BayState, EndReason, Stage};
use charge::token::{PresentedToken, TokenKind, TokenUid};
use charge::units::{Energy, Power};
use charge::{Purpose, Secret, Timestamp};
use store::{Migration, Row, Store, StoreError, Tx, values};

use crate::meter::MeterMemory;
use crate::transactions::{Message, MessageNo, Origin, Transaction, TransactionNo};

/// Something that must survive a loss of power.
#[derive(Clone, Debug)]
pub enum Note {
    Meter(EvseNo, MeterMemory),
    /// Switched on or off by the operator; `None` is the whole station.
    Operative(Option<EvseNo>, bool),
    Setting(&'static str, Secret<Box<str>>),
    /// New, or changed.
    Transaction(Box<Transaction>),
    /// All about it was said and answered.
    Forget(TransactionNo),
    Queued(MessageNo, Box<Message>),
    Unqueued(MessageNo),
}

/// All that was kept about one station.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub meters: BTreeMap<EvseNo, MeterMemory>,
    /// Switched off by the operator; `None` is the whole station.
    pub inoperative: BTreeSet<Option<EvseNo>>,
    pub settings: BTreeMap<Box<str>, Secret<Box<str>>>,
    pub transactions: Vec<Transaction>,
    pub messages: Vec<(MessageNo, Message)>,
}

/// The journal of one station.
#[derive(Clone)]
pub struct Journal {
    store: Store,
    station: StationId,
}

impl Journal {
    /// The store must have been opened with [`MIGRATIONS`].
    pub const fn new(store: Store, station: StationId) -> Self {
        Self { store, station }
    }

    /// Keeps the notes, in order, all or none.
    pub async fn keep(&self, notes: Vec<Note>) -> Result<(), StoreError> {
        let station = self.station.clone();
        self.store
            .run("station.keep", move |tx| notes.iter().try_for_each(|note| keep(tx, station.as_str(), note)))
            .await
    }

    /// All that was kept.
    pub async fn load(&self) -> Result<Memory, StoreError> {
        let station = self.station.clone();
        self.store.read("station.load", move |tx| load(tx, station.as_str())).await
    }
}

/// The tables of this room.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        family: "station",
        number: 1,
        name: "journal",
        sql: "
CREATE TABLE station_meters (
    station TEXT NOT NULL,
    evse INTEGER NOT NULL,
    register_mwh INTEGER NOT NULL,
    rest_nj INTEGER NOT NULL,
    page INTEGER NOT NULL,
    kept_at INTEGER,
    PRIMARY KEY (station, evse)
) STRICT;
CREATE TABLE station_switches (
    station TEXT NOT NULL,
    evse INTEGER NOT NULL,
    operative INTEGER NOT NULL,
    PRIMARY KEY (station, evse)
) STRICT;
CREATE TABLE station_settings (
    station TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (station, key)
) STRICT;
CREATE TABLE station_transactions (
    station TEXT NOT NULL,
    no INTEGER NOT NULL,
    evse INTEGER NOT NULL,
    id TEXT NOT NULL,
    number INTEGER,
    uid TEXT NOT NULL,
    kind INTEGER NOT NULL,
    remote INTEGER,
    started INTEGER NOT NULL,
    begun_mwh INTEGER NOT NULL,
    begin_record BLOB,
    begin_key TEXT,
    clock INTEGER NOT NULL,
    seq_next INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    PRIMARY KEY (station, no)
) STRICT;
CREATE TABLE station_messages (
    station TEXT NOT NULL,
    no INTEGER NOT NULL,
    transaction_no INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    at INTEGER NOT NULL,
    register_mwh INTEGER NOT NULL,
    power_mw INTEGER,
    charged_percent INTEGER,
    signed BLOB,
    signed_key TEXT,
    reason TEXT,
    by_token INTEGER NOT NULL,
    state TEXT NOT NULL,
    offline INTEGER NOT NULL,
    PRIMARY KEY (station, no)
) STRICT;
",
    },
    Migration {
        family: "station",
        number: 2,
        name: "reservations",
        sql: "ALTER TABLE station_transactions ADD COLUMN reservation INTEGER;",
    },
    Migration {
        family: "station",
        number: 3,
        name: "ended by another",
        sql: "
ALTER TABLE station_messages ADD COLUMN by_uid TEXT;
ALTER TABLE station_messages ADD COLUMN by_kind INTEGER;
",
    },
    Migration {
        family: "station",
        number: 4,
        name: "readings by the clock",
        sql: "
ALTER TABLE station_messages ADD COLUMN context INTEGER;
ALTER TABLE station_messages ADD COLUMN aligned TEXT;
ALTER TABLE station_messages ADD COLUMN bare INTEGER NOT NULL DEFAULT 0;
",
    },
];

const PUT_METER: &str = "INSERT OR REPLACE INTO station_meters (station, evse, register_mwh, rest_nj, page, kept_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const PUT_SWITCH: &str = "INSERT OR REPLACE INTO station_switches (station, evse, operative) VALUES (?1, ?2, ?3)";
const PUT_SETTING: &str = "INSERT OR REPLACE INTO station_settings (station, key, value) VALUES (?1, ?2, ?3)";
const PUT_TRANSACTION: &str = "INSERT OR REPLACE INTO station_transactions (station, no, evse, id, number, uid, kind,
    remote, started, begun_mwh, begin_record, begin_key, clock, seq_next, ended, reservation)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
const DROP_TRANSACTION: &str = "DELETE FROM station_transactions WHERE station = ?1 AND no = ?2";
const PUT_MESSAGE: &str = "INSERT INTO station_messages (station, no, transaction_no, seq, stage, at, register_mwh,
    power_mw, charged_percent, signed, signed_key, reason, by_token, state, offline, by_uid, by_kind, context, aligned, bare)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)";
const COUNT_MESSAGE: &str = "UPDATE station_transactions SET seq_next = ?3 WHERE station = ?1 AND no = ?2";
const DROP_MESSAGE: &str = "DELETE FROM station_messages WHERE station = ?1 AND no = ?2";
const METERS: &str = "SELECT evse, register_mwh, rest_nj, page, kept_at FROM station_meters WHERE station = ?1";
const SWITCHES: &str = "SELECT evse FROM station_switches WHERE station = ?1 AND operative = 0";
const SETTINGS: &str = "SELECT key, value FROM station_settings WHERE station = ?1";
const TRANSACTIONS: &str = "SELECT no, evse, id, number, uid, kind, remote, started, begun_mwh, begin_record,
    begin_key, clock, seq_next, ended, reservation FROM station_transactions WHERE station = ?1 ORDER BY no";
const MESSAGES: &str = "SELECT no, transaction_no, seq, stage, at, register_mwh, power_mw, charged_percent, signed,
    signed_key, reason, by_token, state, offline, by_uid, by_kind, context, aligned, bare
    FROM station_messages WHERE station = ?1 ORDER BY no";

fn keep(tx: &mut Tx<'_>, station: &str, note: &Note) -> Result<(), StoreError> {
    match note {
        Note::Meter(evse, memory) => {
            let (rest, page) = (whole(memory.rest_nj), whole(memory.page));
            let row = values![station, number(Some(*evse)), memory.register.mwh(), rest, page, memory.at];
            tx.execute(PUT_METER, &row)?;
        }
        Note::Operative(evse, operative) => {
            tx.execute(PUT_SWITCH, &values![station, number(*evse), *operative])?;
        }
        Note::Setting(key, value) => {
            tx.execute(PUT_SETTING, &values![station, *key, &**value.expose()])?;
        }
        Note::Transaction(of) => put_transaction(tx, station, of)?,
        Note::Forget(no) => {
            tx.execute(DROP_TRANSACTION, &values![station, no.0])?;
        }
        Note::Queued(no, message) => put_message(tx, station, *no, message)?,
        Note::Unqueued(no) => {
            tx.execute(DROP_MESSAGE, &values![station, whole(no.0)])?;
        }
    }
    Ok(())
}

fn put_transaction(tx: &mut Tx<'_>, station: &str, of: &Transaction) -> Result<(), StoreError> {
    let remote = match of.origin {
        Origin::Driver => None,
        Origin::Remote(id) => Some(id),
    };
    let row = values![
        station,
        of.no.0,
        number(Some(of.evse)),
        &*of.id,
        of.number,
        of.token.uid.reveal(Purpose::Keep).as_delivered(),
        place(&KINDS, &of.token.kind),
        remote,
        of.started,
        of.begun.mwh(),
        bytes(of.begin_record.as_ref()),
        key(of.begin_record.as_ref()),
        place(&CLOCKS, &of.clock),
        of.seq_next,
        of.ended,
        of.reservation,
    ];
    tx.execute(PUT_TRANSACTION, &row)?;
    Ok(())
}

fn put_message(tx: &mut Tx<'_>, station: &str, no: MessageNo, message: &Message) -> Result<(), StoreError> {
    let row = values![
        station,
        whole(no.0),
        message.transaction.0,
        message.seq,
        place(&STAGES, &message.stage),
        message.at,
        message.register.mwh(),
        message.power.map(Power::milliwatts),
        message.charged_percent,
        bytes(message.signed.as_ref()),
        key(message.signed.as_ref()),
        message.reason.map(|reason| reason.as_str().to_owned()),
        message.by_token,
        message.state.map_or("", BayState::as_str),
        message.offline,
        message.by.as_ref().map(|by| by.uid.reveal(Purpose::Keep).as_delivered().to_owned()),
        message.by.as_ref().map(|by| place(&KINDS, &by.kind)),
        place(&CONTEXTS, &message.context),
        line_of(&message.aligned),
        message.bare,
    ];
    tx.execute(PUT_MESSAGE, &row)?;
    // the count of a transaction outlives its messages
    tx.execute(COUNT_MESSAGE, &values![station, message.transaction.0, message.seq.saturating_add(1)])?;
    Ok(())
}

fn load(tx: &Tx<'_>, station: &str) -> Result<Memory, StoreError> {
    let of_station = values![station];
    let meters = tx.query(METERS, &of_station, |row| {
        let memory = MeterMemory {
            register: Energy::from_mwh(row.int(1)?),
            rest_nj: fits(row.int(2)?)?,
            page: fits(row.int(3)?)?,
            at: row.time_opt(4)?,
        };
        Ok((evse(row, 0)?, memory))
    })?;
    let switches = tx.query(SWITCHES, &of_station, |row| Ok(EvseNo::new(fits(row.int(0)?)?)))?;
    let settings =
        tx.query(SETTINGS, &of_station, |row| Ok((row.text(0)?.into(), Secret::new(row.text(1)?.into()))))?;
    Ok(Memory {
        meters: meters.into_iter().collect(),
        inoperative: switches.into_iter().collect(),
        settings: settings.into_iter().collect(),
        transactions: tx.query(TRANSACTIONS, &of_station, transaction)?,
        messages: tx.query(MESSAGES, &of_station, message)?,
    })
}

fn transaction(row: &Row<'_>) -> Result<Transaction, StoreError> {
    let uid = TokenUid::new(row.text(4)?).map_err(|_| spoilt("uid"))?;
    let remote = row.int_opt(6)?.map(fits).transpose()?;
    Ok(Transaction {
        no: TransactionNo(fits(row.int(0)?)?),
        evse: evse(row, 1)?,
        id: row.text(2)?.into(),
        number: row.int_opt(3)?.map(fits).transpose()?,
        token: PresentedToken::new(uid, at_place(&KINDS, row.int(5)?, "kind")?),
        origin: remote.map_or(Origin::Driver, Origin::Remote),
        started: row.time(7)?,
        begun: Energy::from_mwh(row.int(8)?),
        begin_record: record(row, 9)?,
        clock: at_place(&CLOCKS, row.int(11)?, "clock")?,
        seq_next: fits(row.int(12)?)?,
        ended: row.flag(13)?,
        reservation: row.int_opt(14)?.map(fits).transpose()?,
    })
}

fn message(row: &Row<'_>) -> Result<(MessageNo, Message), StoreError> {
    let reason = row
        .text_opt(10)?
        .map(|text| REASONS.into_iter().find(|reason| reason.as_str() == text).ok_or_else(|| spoilt("reason")));
    let message = Message {
        transaction: TransactionNo(fits(row.int(1)?)?),
        seq: fits(row.int(2)?)?,
        stage: at_place(&STAGES, row.int(3)?, "stage")?,
        at: row.time(4)?,
        register: Energy::from_mwh(row.int(5)?),
        power: row.int_opt(6)?.map(Power::from_milliwatts),
        charged_percent: row.int_opt(7)?.map(fits).transpose()?,
        signed: record(row, 8)?,
        reason: reason.transpose()?,
        by_token: row.flag(11)?,
        by: another(row)?,
        context: row.int_opt(16)?.map_or(Ok(Context::SamplePeriodic), |place| at_place(&CONTEXTS, place, "context"))?,
        aligned: row.text_opt(17)?.map_or(Ok(Vec::new()), |text| aligned(&text))?,
        bare: row.flag(18)?,
        state: state(&row.text(12)?)?,
        offline: row.flag(13)?,
    };
    Ok((MessageNo(fits(row.int(0)?)?), message))
}

/// Whose token ended it, where that is not the one that began.
fn another(row: &Row<'_>) -> Result<Option<PresentedToken>, StoreError> {
    let Some((uid, kind)) = row.text_opt(14)?.zip(row.int_opt(15)?) else { return Ok(None) };
    let uid = TokenUid::new(uid).map_err(|_| spoilt("uid"))?;
    Ok(Some(PresentedToken::new(uid, at_place(&KINDS, kind, "kind")?)))
}

/// Moments and registers, `microseconds:mWh` each.
fn line_of(aligned: &[(Timestamp, Energy)]) -> Option<String> {
    let words: Vec<_> = aligned.iter().map(|(at, register)| format!("{}:{}", at.micros(), register.mwh())).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn aligned(text: &str) -> Result<Vec<(Timestamp, Energy)>, StoreError> {
    let one = |word: &str| {
        let (at, register) = word.split_once(':')?;
        Some((Timestamp::from_micros(at.parse().ok()?), Energy::from_mwh(register.parse().ok()?)))
    };
    text.split(' ').map(|word| one(word).ok_or_else(|| spoilt("reading"))).collect()
}

/// Nothing is a state that was not told.
fn state(text: &str) -> Result<Option<BayState>, StoreError> {
    if text.is_empty() { Ok(None) } else { BayState::named(text).map(Some).ok_or_else(|| spoilt("state")) }
}

/// The record in this column, with its key in the next.
fn record(row: &Row<'_>, column: usize) -> Result<Option<SignedRecord>, StoreError> {
    let public_key = row.text_opt(column + 1)?.map(Into::into);
    Ok(row.blob_opt(column)?.map(|bytes| SignedRecord { format: "OCMF".into(), bytes: bytes.into(), public_key }))
}

fn bytes(record: Option<&SignedRecord>) -> Option<Vec<u8>> {
    record.map(|record| record.bytes.to_vec())
}

fn key(record: Option<&SignedRecord>) -> Option<String> {
    record.and_then(|record| record.public_key.as_deref()).map(str::to_owned)
}

/// 0 is the whole station.
fn number(evse: Option<EvseNo>) -> i64 {
    evse.map_or(0, |evse| i64::from(evse.get()))
}

fn evse(row: &Row<'_>, column: usize) -> Result<EvseNo, StoreError> {
    EvseNo::new(fits(row.int(column)?)?).ok_or_else(|| spoilt("evse"))
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn fits<T: TryFrom<i64>>(number: i64) -> Result<T, StoreError> {
    T::try_from(number).map_err(|_| spoilt("number"))
}

/// Rows keep a value's place in its list; lists only ever grow at the end.
fn place<T: PartialEq>(list: &[T], value: &T) -> i64 {
    list.iter().zip(0..).find(|(known, _)| *known == value).map_or(-1, |(_, place)| place)
}

fn at_place<T: Copy>(list: &[T], place: i64, column: &str) -> Result<T, StoreError> {
    usize::try_from(place).ok().and_then(|place| list.get(place)).copied().ok_or_else(|| spoilt(column))
}

fn spoilt(column: &str) -> StoreError {
    StoreError::Corrupt(format!("a station's journal holds an impossible {column}"))
}

const STAGES: [Stage; 3] = [Stage::Started, Stage::Updated, Stage::Ended];
const KINDS: [TokenKind; 6] = [
    TokenKind::Rfid,
    TokenKind::Emaid,
    TokenKind::AppUser,
    TokenKind::AdHocUser,
    TokenKind::Other,
    TokenKind::DirectPayment,
];
/// Why a reading in between is made.
const CONTEXTS: [Context; 3] = [Context::SamplePeriodic, Context::SampleClock, Context::Trigger];
const CLOCKS: [ClockQuality; 4] =
    [ClockQuality::Unknown, ClockQuality::Informative, ClockQuality::Synchronised, ClockQuality::Relative];
const REASONS: [EndReason; 9] = [
    EndReason::Local,
    EndReason::Remote,
    EndReason::CarLeft,
    EndReason::Refused,
    EndReason::EmergencyStop,
    EndReason::PowerLoss,
    EndReason::Reboot,
    EndReason::Other,
    EndReason::MasterPass,
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn record(text: &str) -> SignedRecord {
        SignedRecord { format: "OCMF".into(), bytes: text.as_bytes().into(), public_key: Some("3059".into()) }
    }

    fn transaction() -> Transaction {
        Transaction {
            no: TransactionNo(3),
            evse: EvseNo::new(2).unwrap(),
            id: "b0c4".into(),
            number: Some(77),
            token: PresentedToken::new(TokenUid::new("ALIAS").unwrap(), TokenKind::Other),
            origin: Origin::Remote(-5),
            started: Timestamp::from_secs(10),
            begun: Energy::from_wh(1),
            begin_record: Some(record("begin")),
            clock: ClockQuality::Informative,
            seq_next: 1,
            ended: false,
            reservation: Some(6),
        }
    }

    fn message() -> Message {
        Message {
            transaction: TransactionNo(3),
            seq: 8,
            stage: Stage::Ended,
            at: Timestamp::from_micros(1_234_567),
            register: Energy::from_mwh(987_654_321),
            power: Some(Power::from_watts(7)),
            charged_percent: Some(81),
            signed: Some(record("end")),
            reason: Some(EndReason::CarLeft),
            by_token: true,
            by: Some(PresentedToken::new(TokenUid::new("OTHER").unwrap(), TokenKind::Rfid)),
            context: Context::SampleClock,
            aligned: vec![
                (Timestamp::from_secs(900), Energy::from_mwh(1)),
                (Timestamp::from_secs(1_800), Energy::from_mwh(-2)),
            ],
            bare: true,
            state: Some(BayState::Finishing),
            offline: true,
        }
    }

    #[tokio::test]
    async fn what_was_kept_comes_back_and_what_is_done_does_not() {
        let store = Store::in_memory(MIGRATIONS).unwrap();
        let journal = Journal::new(store.clone(), StationId::new("S1").unwrap());
        let meter = MeterMemory {
            register: Energy::from_mwh(5),
            rest_nj: 3_599_999_999,
            page: 9,
            at: Some(Timestamp::from_secs(1)),
        };
        let evse = EvseNo::new(2).unwrap();
        let done = Transaction { no: TransactionNo(2), ..transaction() };
        let notes = vec![
            Note::Meter(evse, meter),
            Note::Operative(Some(evse), false),
            Note::Operative(None, false),
            Note::Operative(None, true),
            Note::Setting("HeartbeatInterval", Secret::new("60".into())),
            Note::Transaction(Box::new(done)),
            Note::Transaction(Box::new(transaction())),
            Note::Queued(MessageNo(4), Box::new(Message { stage: Stage::Updated, ..message() })),
            Note::Queued(MessageNo(5), Box::new(message())),
            Note::Unqueued(MessageNo(4)),
            Note::Forget(TransactionNo(2)),
        ];
        journal.keep(notes).await.unwrap();
        let memory = journal.load().await.unwrap();
        assert_eq!(memory.meters, BTreeMap::from([(evse, meter)]));
        assert_eq!(memory.inoperative, BTreeSet::from([Some(evse)]));
        assert_eq!(&**memory.settings.get("HeartbeatInterval").unwrap().expose(), "60");
        assert_eq!(memory.transactions, [Transaction { seq_next: 9, ..transaction() }]);
        assert_eq!(memory.messages, [(MessageNo(5), message())]);
        let other = Journal::new(store, StationId::new("S2").unwrap());
        assert!(other.load().await.unwrap().messages.is_empty());
    }
}
