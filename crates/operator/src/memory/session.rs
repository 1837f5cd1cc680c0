//! Rows of sessions, with their signed records.
//!
//! A session is loaded whole, changed by decisions, and saved: one statement each. Its tokens stay sealed while it is
//! handled and are opened for telling the provider and for the CDR only. Records are kept byte for byte.

use charge::Timestamp;
use charge::id::{
    AuthorizationReference, ConnectorId, EvseNo, EvseUid, LocationId, PartyId, SessionId, StationId, TransactionKey,
};
use charge::meter::SignedRecord;
use charge::money::Money;
use charge::record::{AuthMethod, Nature, RecordToken};
use charge::token::Allowed;
use charge::units::{Energy, Power};
use store::{Row, StoreError, Tx, Value, values};
use trust::hex;
use trust::seal::SealKey;
use trust::token_tag::TokenTag;

use crate::authorise::Permit;
use crate::memory::curve::Tail;
use crate::memory::permit::{self, Place, method_name, method_named, open_token, seal_token};
use crate::memory::{anywhere, count, damaged, lines, named, named_opt, small_opt, word, word_opt};
use crate::metering::Meter;
use crate::session::{Event, Move, State};
use crate::transaction::Candidates;
use crate::view::SessionFilter;

/// A session as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct SessionRow {
    pub id: SessionId,
    /// The operator's name for the transaction, in 1.6 also the station's.
    pub number: i32,
    pub station: StationId,
    pub key: TransactionKey,
    /// What a repeated 1.6 start has in common with the first.
    pub content: Option<String>,
    pub no: Option<EvseNo>,
    pub evse: Option<EvseUid>,
    pub location: Option<LocationId>,
    pub connector: Option<ConnectorId>,
    pub state: State,
    /// The last word on its token.
    pub allowed: Option<Allowed>,
    pub start: Timestamp,
    pub end: Option<Timestamp>,
    pub reason: Option<String>,
    pub meter: Meter,
    pub seq: Option<u32>,
    pub token_sealed: Option<Vec<u8>>,
    pub asked_sealed: Option<Vec<u8>>,
    pub tag: Option<TokenTag>,
    pub party: Option<PartyId>,
    pub reference: Option<AuthorizationReference>,
    pub method: Option<AuthMethod>,
    pub energy_cap: Option<Energy>,
    pub money_cap: Option<Money>,
    /// The tariff's version, pinned at the start.
    pub tariff: Option<i64>,
    pub order: Option<String>,
    /// What a person should look at, in plain words.
    pub flags: Vec<String>,
    /// When its provider was last due to hear of it.
    pub told: Option<Timestamp>,
    pub changed: Timestamp,
    /// The newest points of its curve.
    pub tail: Tail,
    /// How the row was when it was read; `None` for a new one.
    pub read: Option<Read>,
}

/// What tells which columns of a row need not be written: the engine looks at everything that hangs on a column that
/// is named, in vain or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    /// Where it is. Good until the end of the transaction.
    row: i64,
    content: Option<String>,
    start: Timestamp,
    end: Option<Timestamp>,
    no: Option<EvseNo>,
    state: State,
    flags: usize,
}

impl Read {
    /// No index moves.
    fn same_place(&self, session: &SessionRow) -> bool {
        (&self.content, self.start, self.end) == (&session.content, session.start, session.end)
    }

    /// Readings came, and led to nothing else.
    fn same_but_readings(&self, session: &SessionRow) -> bool {
        self.same_place(session)
            && (self.no, self.state, self.flags) == (session.no, session.state, session.flags.len())
    }
}

impl SessionRow {
    /// Takes an event; `false` where the table refuses it.
    pub(crate) fn on(&mut self, event: Event) -> bool {
        match self.state.on(event) {
            Move::To(next) => {
                self.state = next;
                true
            }
            Move::Stay => true,
            Move::Refuse => false,
        }
    }

    /// A provider's yes: from here on the session names its contract, and the card's uid is gone.
    pub(crate) fn permit(&mut self, key: &SealKey, permit: &Permit) -> Result<(), StoreError> {
        if !self.on(Event::Permit) {
            return Ok(());
        }
        self.token_sealed = Some(seal_token(key, Place::Session(self.id.as_str()), &permit.token)?);
        self.asked_sealed = None;
        self.allowed = Some(Allowed::Yes);
        self.party = Some(permit.token.party);
        self.reference.clone_from(&permit.reference);
        self.method = Some(permit.method);
        self.energy_cap = permit.energy_cap;
        self.money_cap = permit.money_cap;
        Ok(())
    }

    /// The token of session and CDR, while it is kept.
    pub(crate) fn token(&self, key: &SealKey) -> Result<Option<RecordToken>, StoreError> {
        let sealed = self.token_sealed.as_deref();
        sealed.map(|sealed| open_token(key, Place::Session(self.id.as_str()), sealed)).transpose()
    }

    /// Something that a person should look at; the same words once.
    pub(crate) fn flag(&mut self, words: &str) {
        let words = words.replace(['\n', '\r'], " ");
        if self.flags.len() < FLAGS_MAX && !self.flags.contains(&words) {
            self.flags.push(words);
        }
    }
}

/// What two sendings of one 1.6 start have in common.
pub(crate) fn content(no: Option<EvseNo>, register: Option<Energy>, at: Timestamp, tag: Option<TokenTag>) -> String {
    format!(
        "{}|{}|{}|{}",
        no.map_or(0, EvseNo::get),
        register.map_or(-1, Energy::mwh),
        at.micros(),
        tag.map(|tag| hex::encode(tag.as_bytes())).unwrap_or_default(),
    )
}

/// The session that a station calls by this key.
pub(crate) fn by_key(tx: &Tx<'_>, station: &StationId, key: &TransactionKey) -> Result<Option<SessionRow>, StoreError> {
    tx.one(BY_KEY, &values![station.as_str(), key_name(key)], read)
}

/// The sessions that a message of a station could mean.
pub(crate) fn candidates(
    tx: &Tx<'_>,
    station: &StationId,
    key: Option<&TransactionKey>,
    content: Option<&str>,
    no: Option<EvseNo>,
) -> Result<Candidates, StoreError> {
    let mut found = Candidates::default();
    if let Some(key) = key {
        found.same_key = by_key(tx, station, key)?.map(|row| row.id);
        if let (None, TransactionKey::Number(number)) = (&found.same_key, key) {
            found.elsewhere = tx.one(BY_NUMBER, &values![*number, station.as_str()], |row| row.int(0))?.is_some();
        }
    }
    if found.same_key.is_some() {
        return Ok(found);
    }
    if let Some(content) = content {
        found.same_content = tx.one(BY_CONTENT, &values![station.as_str(), content], |row| word(row, 0, "id"))?;
    }
    found.open_here = match no {
        Some(no) => tx.query(OPEN_HERE, &values![station.as_str(), no.get()], |row| word(row, 0, "id"))?,
        None => tx.query(OPEN, &values![station.as_str()], |row| word(row, 0, "id"))?,
    };
    Ok(found)
}

/// Whether a session runs at a bay.
pub(crate) fn running_at(tx: &Tx<'_>, station: &StationId, no: EvseNo) -> Result<bool, StoreError> {
    Ok(tx.one(RUNNING_HERE, &values![station.as_str(), no.get()], |row| row.int(0))?.is_some())
}

/// Whether somebody pays, or is being asked about, at a bay. A cable that is plugged in is a transaction to some stations
/// of 2.x, and a start from afar is what it waits for (E01.FR.02, F01.FR.13).
pub(crate) fn claimed_at(tx: &Tx<'_>, station: &StationId, no: EvseNo) -> Result<bool, StoreError> {
    Ok(tx.one(CLAIMED_HERE, &values![station.as_str(), no.get()], |row| row.int(0))?.is_some())
}

/// The highest transaction number that was ever given.
pub(crate) fn highest_number(tx: &Tx<'_>) -> Result<Option<i64>, StoreError> {
    Ok(tx.one(HIGHEST, &[], |row| row.int_opt(0))?.flatten())
}

pub(crate) fn find(tx: &Tx<'_>, id: &str) -> Result<Option<SessionRow>, StoreError> {
    tx.one(FIND, &values![id], read)
}

/// A page of sessions, newest first, and how many match in all.
pub(crate) fn page(tx: &Tx<'_>, filter: &SessionFilter) -> Result<(Vec<SessionRow>, u32), StoreError> {
    let pattern = anywhere(filter.query.as_deref().unwrap_or_default());
    let station = filter.station.as_ref().map(StationId::as_str);
    let total = tx.one(COUNT, &values![filter.running, station, pattern.as_str()], |row| count(row, 0))?;
    let (limit, offset) = (filter.page.limit, filter.page.offset);
    let found = tx.query(PAGE, &values![filter.running, station, pattern, limit, offset], read)?;
    Ok((found, total.unwrap_or(0)))
}

/// Keeps a session as it now stands.
pub(crate) fn save(tx: &mut Tx<'_>, session: &SessionRow) -> Result<(), StoreError> {
    let (begin, latest) = (session.meter.begin, session.meter.latest);
    let rest = values![
        session.no.map(EvseNo::get),
        session.evse.as_ref().map(EvseUid::as_str),
        session.location.as_ref().map(LocationId::as_str),
        session.connector.as_ref().map(ConnectorId::as_str),
        session.state.as_str(),
        session.allowed.map(allowed_name),
        session.reason.as_deref(),
        begin.map(|(at, _)| at),
        begin.map(|(_, register)| register.mwh()),
        latest.map(|(at, _)| at),
        latest.map(|(_, register)| register.mwh()),
        session.meter.power.map(Power::milliwatts),
        session.seq,
        session.token_sealed.as_deref(),
        session.asked_sealed.as_deref(),
        session.tag.map(|tag| *tag.as_bytes()),
        session.party.map(|party| party.to_string()),
        session.reference.as_ref().map(AuthorizationReference::as_str),
        session.method.map(method_name),
        session.energy_cap.map(Energy::mwh),
        session.money_cap.map(|cap| cap.minor),
        session.money_cap.map(|cap| cap.currency.to_string()),
        session.tariff,
        session.order.as_deref(),
        session.flags.join("\n"),
        session.told,
        session.changed,
        session.meter.power_max.map(Power::milliwatts),
        session.tail.as_bytes(),
    ];
    if let Some(read) = session.read.as_ref().filter(|read| read.same_place(session)) {
        let row: Vec<Value> = values![read.row].into_iter().chain(rest).collect();
        return tx.execute(UPDATE, &row).map(drop);
    }
    let key = values![
        session.id.as_str(),
        session.number,
        session.station.as_str(),
        key_name(&session.key),
        session.content.as_deref(),
        session.start,
        session.end,
    ];
    let row: Vec<Value> = key.into_iter().chain(rest).collect();
    tx.execute(SAVE, &row).map(drop)
}

/// Keeps a session after a message that told its readings and nothing of its token, its place or its end. Most do.
/// Nothing more is written, and nothing fails, after it.
pub(crate) fn save_readings(tx: &mut Tx<'_>, session: &SessionRow) -> Result<(), StoreError> {
    let Some(read) = session.read.as_ref().filter(|read| read.same_but_readings(session)) else {
        return save(tx, session);
    };
    let (begin, latest) = (session.meter.begin, session.meter.latest);
    let row = values![
        read.row,
        begin.map(|(at, _)| at),
        begin.map(|(_, register)| register.mwh()),
        latest.map(|(at, _)| at),
        latest.map(|(_, register)| register.mwh()),
        session.meter.power.map(Power::milliwatts),
        session.seq,
        session.told,
        session.changed,
        session.tail.as_bytes(),
    ];
    tx.finish(UPDATE_READINGS, &row).map(drop)
}

/// Keeps signed records in the order in which they came; the same bytes once.
pub(crate) fn put_records(
    tx: &mut Tx<'_>,
    session: &SessionId,
    records: &[(Nature, SignedRecord)],
) -> Result<(), StoreError> {
    let mut known = self::records(tx, session.as_str())?;
    for (nature, record) in records {
        if known.len() >= RECORDS_MAX || known.iter().any(|(_, kept)| kept.bytes == record.bytes) {
            continue;
        }
        tx.execute(
            PUT_RECORD,
            &values![
                session.as_str(),
                u32::try_from(known.len()).unwrap_or(u32::MAX),
                nature_name(*nature),
                &*record.format,
                &*record.bytes,
                record.public_key.as_deref(),
            ],
        )?;
        known.push((*nature, record.clone()));
    }
    Ok(())
}

pub(crate) fn records(tx: &Tx<'_>, session: &str) -> Result<Vec<(Nature, SignedRecord)>, StoreError> {
    tx.query(RECORDS, &values![session], read_record)
}

pub(crate) fn read_record(row: &Row<'_>) -> Result<(Nature, SignedRecord), StoreError> {
    let record = SignedRecord {
        format: row.text(1)?.into(),
        bytes: row.blob(2)?.into(),
        public_key: row.text_opt(3)?.map(Into::into),
    };
    Ok((named(row, 0, "nature", nature_named)?, record))
}

/// Something that a station sent and that belongs to no session: kept aside, billed to nobody.
pub(crate) fn orphan(
    tx: &mut Tx<'_>,
    station: &StationId,
    key: Option<&TransactionKey>,
    why: &str,
    register: Option<Energy>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(ORPHAN, &values![station.as_str(), key.map(key_name), now, why, register.map(Energy::mwh)]).map(drop)
}

/// Empties what names or follows a person in sessions that ended before `before`.
pub(crate) fn forget_people(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET_PEOPLE, &values![before])
}

pub(crate) fn forget_tags(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET_TAGS, &values![before])
}

pub(crate) fn read(row: &Row<'_>) -> Result<SessionRow, StoreError> {
    let reading =
        |at: usize| -> Result<_, StoreError> { Ok(row.time_opt(at)?.zip(row.int_opt(at + 1)?.map(Energy::from_mwh))) };
    let tag = row.blob_opt(22)?.map(|bytes| bytes.try_into().map_err(|_| damaged("tag"))).transpose()?;
    let mut session = SessionRow {
        id: word(row, 0, "id")?,
        number: crate::memory::small(row, 1, "number")?,
        station: word(row, 2, "station")?,
        key: named(row, 3, "name", key_named)?,
        content: row.text_opt(4)?,
        no: small_opt(row, 5, "evse_no")?.and_then(EvseNo::new),
        evse: word_opt(row, 6, "evse")?,
        location: word_opt(row, 7, "location")?,
        connector: word_opt(row, 8, "connector")?,
        state: named(row, 9, "state", State::named)?,
        allowed: named_opt(row, 10, "allowed", allowed_named)?,
        start: row.time(11)?,
        end: row.time_opt(12)?,
        reason: row.text_opt(13)?,
        meter: Meter {
            begin: reading(14)?,
            latest: reading(16)?,
            power: row.int_opt(18)?.map(Power::from_milliwatts),
            power_max: row.int_opt(34)?.map(Power::from_milliwatts),
        },
        seq: small_opt(row, 19, "seq")?,
        token_sealed: row.blob_opt(20)?,
        asked_sealed: row.blob_opt(21)?,
        tag: tag.map(TokenTag::from_bytes),
        party: permit::party(row, 23)?,
        reference: word_opt(row, 24, "reference")?,
        method: named_opt(row, 25, "method", method_named)?,
        energy_cap: row.int_opt(26)?.map(Energy::from_mwh),
        money_cap: permit::money(row, 27)?,
        tariff: row.int_opt(29)?,
        order: row.text_opt(30)?,
        flags: lines(row.str(31)?),
        told: row.time_opt(32)?,
        changed: row.time(33)?,
        tail: row.blob_opt(35)?.map(Tail::from_bytes).unwrap_or_default(),
        read: None,
    };
    session.read = Some(Read {
        row: row.int(36)?,
        content: session.content.clone(),
        start: session.start,
        end: session.end,
        no: session.no,
        state: session.state,
        flags: session.flags.len(),
    });
    Ok(session)
}

/// Numbers and texts never mean the same transaction, even where they look alike.
fn key_name(key: &TransactionKey) -> String {
    match key {
        TransactionKey::Number(number) => format!("n:{number}"),
        TransactionKey::Text(text) => format!("t:{text}"),
    }
}

fn key_named(text: &str) -> Option<TransactionKey> {
    match text.split_once(':')? {
        ("n", number) => number.parse().ok().map(TransactionKey::Number),
        ("t", text) => Some(TransactionKey::Text(text.into())),
        (_, _) => None,
    }
}

const WORDS: [(Allowed, &str); 7] = [
    (Allowed::Yes, "yes"),
    (Allowed::Blocked, "blocked"),
    (Allowed::Expired, "expired"),
    (Allowed::NoCredit, "no credit"),
    (Allowed::NotHere, "not here"),
    (Allowed::Unknown, "unknown"),
    (Allowed::Unanswered, "unanswered"),
];

pub(crate) fn allowed_name(allowed: Allowed) -> &'static str {
    WORDS.into_iter().find(|(known, _)| *known == allowed).map_or("unknown", |(_, name)| name)
}

pub(crate) fn allowed_named(text: &str) -> Option<Allowed> {
    WORDS.into_iter().find(|(_, name)| *name == text).map(|(allowed, _)| allowed)
}

pub(crate) const fn nature_name(nature: Nature) -> &'static str {
    match nature {
        Nature::Start => "start",
        Nature::End => "end",
        Nature::Intermediate => "intermediate",
    }
}

pub(crate) fn nature_named(text: &str) -> Option<Nature> {
    [Nature::Start, Nature::End, Nature::Intermediate].into_iter().find(|nature| nature_name(*nature) == text)
}

/// A session with more faults than this has one cause.
const FLAGS_MAX: usize = 20;
/// Begin, end and a handful between: a station that signs every sample keeps the rest itself.
const RECORDS_MAX: usize = 64;

/// As [`read`] reads them.
macro_rules! columns {
    () => {
        "id, number, station, name, content, evse_no, evse, location, connector, state, allowed, start, ended, reason,
        begin_at, begin_register, latest_at, latest_register, power, seq, token_sealed, asked_sealed, tag, party,
        reference, method, energy_cap, money_cap, money_currency, tariff, order_id, flags, told, changed, power_max,
        tail, rowid"
    };
}

const BY_KEY: &str = concat!("SELECT ", columns!(), " FROM operator_sessions WHERE station = ?1 AND name = ?2");
const BY_NUMBER: &str = "SELECT number FROM operator_sessions WHERE number = ?1 AND station <> ?2";
const BY_CONTENT: &str = "SELECT id FROM operator_sessions WHERE station = ?1 AND content = ?2";
const OPEN: &str = "SELECT id FROM operator_sessions WHERE station = ?1 AND ended IS NULL ORDER BY start LIMIT 3";
const OPEN_HERE: &str = "SELECT id FROM operator_sessions
    WHERE station = ?1 AND ended IS NULL AND evse_no = ?2 ORDER BY start LIMIT 3";
const RUNNING_HERE: &str = "SELECT 1 FROM operator_sessions
    WHERE station = ?1 AND ended IS NULL AND evse_no = ?2 LIMIT 1";
const CLAIMED_HERE: &str = "SELECT 1 FROM operator_sessions
    WHERE station = ?1 AND ended IS NULL AND evse_no = ?2 AND (state <> 'waiting' OR asked_sealed IS NOT NULL) LIMIT 1";
const HIGHEST: &str = "SELECT MAX(number) FROM operator_sessions";
const FIND: &str = concat!("SELECT ", columns!(), " FROM operator_sessions WHERE id = ?1");
const COUNT: &str = "SELECT COUNT(*) FROM operator_sessions
    WHERE (?1 IS NULL OR (?1 = 1 AND ended IS NULL) OR (?1 = 0 AND ended IS NOT NULL))
    AND (?2 IS NULL OR station = ?2) AND (id LIKE ?3 ESCAPE '\\' OR station LIKE ?3 ESCAPE '\\'
    OR COALESCE(evse, '') LIKE ?3 ESCAPE '\\' OR COALESCE(party, '') LIKE ?3 ESCAPE '\\')";
const PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM operator_sessions
    WHERE (?1 IS NULL OR (?1 = 1 AND ended IS NULL) OR (?1 = 0 AND ended IS NOT NULL))
    AND (?2 IS NULL OR station = ?2) AND (id LIKE ?3 ESCAPE '\\' OR station LIKE ?3 ESCAPE '\\'
    OR COALESCE(evse, '') LIKE ?3 ESCAPE '\\' OR COALESCE(party, '') LIKE ?3 ESCAPE '\\')
    ORDER BY start DESC, id LIMIT ?4 OFFSET ?5"
);
const SAVE: &str = "INSERT INTO operator_sessions (id, number, station, name, content, start, ended, evse_no, evse,
    location, connector, state, allowed, reason, begin_at, begin_register, latest_at, latest_register, power, seq,
    token_sealed, asked_sealed, tag, party, reference, method, energy_cap, money_cap, money_currency, tariff,
    order_id, flags, told, changed, power_max, tail)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
    ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36)
    ON CONFLICT (id) DO UPDATE SET content = excluded.content, start = excluded.start, ended = excluded.ended,
    evse_no = excluded.evse_no, evse = excluded.evse, location = excluded.location, connector = excluded.connector,
    state = excluded.state, allowed = excluded.allowed, reason = excluded.reason, begin_at = excluded.begin_at,
    begin_register = excluded.begin_register, latest_at = excluded.latest_at,
    latest_register = excluded.latest_register, power = excluded.power, seq = excluded.seq,
    token_sealed = excluded.token_sealed, asked_sealed = excluded.asked_sealed, tag = excluded.tag,
    party = excluded.party, reference = excluded.reference, method = excluded.method,
    energy_cap = excluded.energy_cap, money_cap = excluded.money_cap, money_currency = excluded.money_currency,
    tariff = excluded.tariff, order_id = excluded.order_id, flags = excluded.flags, told = excluded.told,
    changed = excluded.changed, power_max = excluded.power_max, tail = excluded.tail";
const UPDATE: &str = "UPDATE operator_sessions SET evse_no = ?2, evse = ?3, location = ?4, connector = ?5, state = ?6,
    allowed = ?7, reason = ?8, begin_at = ?9, begin_register = ?10, latest_at = ?11, latest_register = ?12,
    power = ?13, seq = ?14, token_sealed = ?15, asked_sealed = ?16, tag = ?17, party = ?18, reference = ?19,
    method = ?20, energy_cap = ?21, money_cap = ?22, money_currency = ?23, tariff = ?24, order_id = ?25, flags = ?26,
    told = ?27, changed = ?28, power_max = ?29, tail = ?30 WHERE rowid = ?1";
const UPDATE_READINGS: &str = "UPDATE operator_sessions SET begin_at = ?2, begin_register = ?3, latest_at = ?4,
    latest_register = ?5, power = ?6, seq = ?7, told = ?8, changed = ?9, tail = ?10 WHERE rowid = ?1";
const PUT_RECORD: &str = "INSERT INTO operator_records (session, position, nature, format, bytes, public_key)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const RECORDS: &str = "SELECT nature, format, bytes, public_key FROM operator_records
    WHERE session = ?1 ORDER BY position";
const ORPHAN: &str = "INSERT INTO operator_orphans (station, name, at, why, register) VALUES (?1, ?2, ?3, ?4, ?5)";
const FORGET_PEOPLE: &str = "UPDATE operator_sessions SET token_sealed = NULL, asked_sealed = NULL, reference = NULL
    WHERE ended < ?1 AND (token_sealed IS NOT NULL OR asked_sealed IS NOT NULL OR reference IS NOT NULL)";
const FORGET_TAGS: &str = "UPDATE operator_sessions SET tag = NULL, content = NULL
    WHERE ended < ?1 AND (tag IS NOT NULL OR content IS NOT NULL)";
