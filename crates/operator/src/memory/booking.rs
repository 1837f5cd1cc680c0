//! Rows of what may be booked, of bookings, and of the requests that made or changed them.
//!
//! The card of a booking is sealed, and found by its tag. What an EVSE is kept for is written down with the booking,
//! so that other terms for later bookings change nothing about it.

use charge::Timestamp;
use charge::id::{
    AuthorizationReference, BookingId, BookingRequestId, EvseNo, EvseUid, LocationId, PartyId, SessionId, StationId,
};
use charge::record::RecordToken;
use charge::talk::road::OrderResult;
use charge::talk::road::booking::{
    CanceledReason, Canceler, Cancellation, Period, ReservationRequestStatus, ReservationStatus,
};
use store::{Migration, Row, StoreError, Tx, values};
use trust::seal::SealKey;
use trust::token_tag::TokenTag;

use crate::booking::Terms;
use crate::memory::order::result_named;
use crate::memory::permit::{Place, open_token, seal_token};
use crate::memory::{count, damaged, named, named_opt, small, small_opt, word, word_opt};

/// A family of its own: no other table refers to it.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator bookings", number: 1, name: "bookings", sql: SCHEMA };

pub(crate) const FEES: Migration = Migration {
    family: "operator bookings",
    number: 2,
    name: "what bookings cost, and what came of them",
    sql: "ALTER TABLE operator_bookings ADD COLUMN tariff INTEGER;
          ALTER TABLE operator_bookings ADD COLUMN session TEXT;
          CREATE INDEX operator_bookings_session ON operator_bookings (session);",
};

const SCHEMA: &str = "CREATE TABLE operator_bookable (
    evse TEXT PRIMARY KEY,
    early INTEGER NOT NULL, noshow INTEGER NOT NULL, late INTEGER NOT NULL,
    shortest INTEGER NOT NULL, longest INTEGER NOT NULL,
    change_until INTEGER NOT NULL, cancel_until INTEGER NOT NULL,
    changed INTEGER NOT NULL
);
CREATE TABLE operator_bookings (
    id TEXT PRIMARY KEY,
    giver TEXT NOT NULL,
    request TEXT NOT NULL,
    location TEXT NOT NULL, evse TEXT NOT NULL, station TEXT NOT NULL, evse_no INTEGER NOT NULL,
    starts INTEGER NOT NULL, ends INTEGER NOT NULL,
    kept_from INTEGER NOT NULL, kept_until INTEGER NOT NULL,
    early INTEGER NOT NULL, noshow INTEGER NOT NULL, late INTEGER NOT NULL,
    shortest INTEGER NOT NULL, longest INTEGER NOT NULL,
    change_until INTEGER NOT NULL, cancel_until INTEGER NOT NULL,
    status TEXT NOT NULL,
    cancel_reason TEXT, canceler TEXT,
    reference TEXT NOT NULL,
    token_sealed BLOB, tag BLOB,
    reservation INTEGER,
    held INTEGER NOT NULL,
    asked INTEGER,
    refused TEXT,
    why TEXT,
    made INTEGER NOT NULL, changed INTEGER NOT NULL,
    UNIQUE (giver, request)
);
CREATE INDEX operator_bookings_evse ON operator_bookings (evse, status, kept_until);
CREATE INDEX operator_bookings_station ON operator_bookings (station, status);
CREATE INDEX operator_bookings_changed ON operator_bookings (giver, changed);
CREATE TABLE operator_booking_requests (
    booking TEXT NOT NULL,
    position INTEGER NOT NULL,
    status TEXT NOT NULL,
    starts INTEGER NOT NULL, ends INTEGER NOT NULL,
    cancel_reason TEXT, canceler TEXT,
    received INTEGER NOT NULL,
    PRIMARY KEY (booking, position)
);";

/// A booking as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BookingRow {
    pub id: BookingId,
    pub giver: PartyId,
    pub request: BookingRequestId,
    pub location: LocationId,
    pub evse: EvseUid,
    pub station: StationId,
    pub no: EvseNo,
    pub period: Period,
    pub terms: Terms,
    pub status: ReservationStatus,
    pub canceled: Option<Cancellation>,
    pub reference: AuthorizationReference,
    pub token_sealed: Option<Vec<u8>>,
    pub tag: Option<Vec<u8>>,
    /// The reservation at the station: asked for, held, or to be given up.
    pub reservation: Option<i32>,
    pub held: bool,
    /// When the station was last asked to keep the EVSE.
    pub asked: Option<Timestamp>,
    /// What it said, where that was no yes.
    pub refused: Option<OrderResult>,
    /// In plain words, for people.
    pub why: Option<String>,
    /// The version of the EVSE's tariff when it was booked: its fees hold.
    pub tariff: Option<i64>,
    /// The session that it was for, once that has begun.
    pub session: Option<SessionId>,
    pub made: Timestamp,
    pub changed: Timestamp,
}

impl BookingRow {
    pub(crate) fn seal(&mut self, key: &SealKey, token: &RecordToken, tag: TokenTag) -> Result<(), StoreError> {
        self.token_sealed = Some(seal_token(key, Place::Booking(self.id.as_str()), token)?);
        self.tag = Some(tag.as_bytes().to_vec());
        Ok(())
    }

    pub(crate) fn token(&self, key: &SealKey) -> Result<Option<RecordToken>, StoreError> {
        let sealed = self.token_sealed.as_deref();
        sealed.map(|sealed| open_token(key, Place::Booking(self.id.as_str()), sealed)).transpose()
    }
}

/// One request of a booking.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RequestRow {
    pub status: ReservationRequestStatus,
    pub period: Period,
    pub canceled: Option<Cancellation>,
    pub received: Timestamp,
}

/// An EVSE that may be booked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BookableRow {
    pub evse: EvseUid,
    pub location: LocationId,
    pub station: StationId,
    pub no: EvseNo,
    pub terms: Terms,
    pub changed: Timestamp,
}

pub(crate) fn allow(tx: &mut Tx<'_>, evse: &EvseUid, terms: &Terms, now: Timestamp) -> Result<(), StoreError> {
    let Terms { early, noshow, late, shortest, longest, change_until, cancel_until } = *terms;
    let row = values![evse.as_str(), early, noshow, late, shortest, longest, change_until, cancel_until, now];
    tx.execute(ALLOW, &row).map(drop)
}

/// Bookings that were made stay.
pub(crate) fn forbid(tx: &mut Tx<'_>, evse: &EvseUid) -> Result<(), StoreError> {
    tx.execute("DELETE FROM operator_bookable WHERE evse = ?1", &values![evse.as_str()]).map(drop)
}

pub(crate) fn bookable(tx: &Tx<'_>, evse: &EvseUid) -> Result<Option<BookableRow>, StoreError> {
    tx.one(&format!("{BOOKABLE} WHERE b.evse = ?1"), &values![evse.as_str()], read_bookable)
}

/// Those of a station, in the order of their numbers.
pub(crate) fn bookable_at(tx: &Tx<'_>, station: &StationId) -> Result<Vec<BookableRow>, StoreError> {
    tx.query(&format!("{BOOKABLE} WHERE e.station = ?1 ORDER BY e.no"), &values![station.as_str()], read_bookable)
}

/// A page of all, oldest change first, and how many there are.
pub(crate) fn bookable_page(
    tx: &Tx<'_>,
    (since, before): (Option<Timestamp>, Option<Timestamp>),
    offset: u32,
    limit: u32,
) -> Result<(Vec<BookableRow>, u32), StoreError> {
    let (since, before) = (since.map_or(i64::MIN, Timestamp::micros), before.map_or(i64::MAX, Timestamp::micros));
    let total = tx.one(COUNT_BOOKABLE, &values![since, before], |row| count(row, 0))?.unwrap_or(0);
    let page =
        tx.query(&format!("{BOOKABLE} {BOOKABLE_PAGE}"), &values![since, before, limit, offset], read_bookable)?;
    Ok((page, total))
}

pub(crate) fn save(tx: &mut Tx<'_>, row: &BookingRow) -> Result<(), StoreError> {
    let kept = row.terms.kept(row.period);
    let Terms { early, noshow, late, shortest, longest, change_until, cancel_until } = row.terms;
    tx.execute(
        SAVE,
        &values![
            row.id.as_str(),
            row.giver.to_string(),
            row.request.as_str(),
            row.location.as_str(),
            row.evse.as_str(),
            row.station.as_str(),
            row.no.get(),
            row.period.start(),
            row.period.end(),
            kept.start(),
            kept.end(),
            early,
            noshow,
            late,
            shortest,
            longest,
            change_until,
            cancel_until,
            row.status.as_str(),
            row.canceled.map(|canceled| canceled.reason.as_str()),
            row.canceled.map(|canceled| canceled.by.as_str()),
            row.reference.as_str(),
            row.token_sealed.clone(),
            row.tag.clone(),
            row.reservation,
            row.held,
            row.asked,
            row.refused.map(OrderResult::as_str),
            row.why.as_deref(),
            row.made,
            row.changed,
            row.tariff,
            row.session.as_ref().map(SessionId::as_str),
        ],
    )?;
    tx.execute("UPDATE operator_bookable SET changed = ?2 WHERE evse = ?1", &values![row.evse.as_str(), row.changed])
        .map(drop)
}

pub(crate) fn find(tx: &Tx<'_>, id: &str) -> Result<Option<BookingRow>, StoreError> {
    tx.one(&format!("{SELECT} WHERE id = ?1"), &values![id], read)
}

/// The booking that a session was for.
pub(crate) fn of_session(tx: &Tx<'_>, session: &SessionId) -> Result<Option<BookingId>, StoreError> {
    let found = "SELECT id FROM operator_bookings WHERE session = ?1";
    tx.one(found, &values![session.as_str()], |row| word(row, 0, "id"))
}

/// What a provider has asked for under this name.
pub(crate) fn given(tx: &Tx<'_>, giver: PartyId, request: &BookingRequestId) -> Result<Option<BookingRow>, StoreError> {
    let key = values![giver.to_string(), request.as_str()];
    tx.one(&format!("{SELECT} WHERE giver = ?1 AND request = ?2"), &key, read)
}

/// What an EVSE is kept for from now on, but for one booking.
pub(crate) fn kept(
    tx: &Tx<'_>,
    evse: &EvseUid,
    but: Option<&BookingId>,
    now: Timestamp,
) -> Result<Vec<Period>, StoreError> {
    tx.query(KEPT, &values![evse.as_str(), but.map_or("", BookingId::as_str), now], |row| {
        Period::new(row.time(0)?, row.time(1)?).ok_or_else(|| damaged("kept_until"))
    })
}

/// The bookings of a station that hold.
pub(crate) fn holding(tx: &Tx<'_>, station: &StationId) -> Result<Vec<BookingRow>, StoreError> {
    tx.query(&format!("{SELECT} WHERE station = ?1 AND status = 'RESERVED'"), &values![station.as_str()], read)
}

/// Of a station or of all, that end after `since`: those that begin first, first.
pub(crate) fn list(
    tx: &Tx<'_>,
    station: Option<&StationId>,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<BookingRow>, StoreError> {
    let station = station.map_or("", StationId::as_str);
    tx.query(&format!("{SELECT} {LIST}"), &values![station, since, limit], read)
}

/// A page of what one party has asked for, oldest change first.
pub(crate) fn page(
    tx: &Tx<'_>,
    giver: PartyId,
    (since, before): (Option<Timestamp>, Option<Timestamp>),
    offset: u32,
    limit: u32,
) -> Result<(Vec<BookingRow>, u32), StoreError> {
    let (since, before) = (since.map_or(i64::MIN, Timestamp::micros), before.map_or(i64::MAX, Timestamp::micros));
    let key = values![giver.to_string(), since, before];
    let total = tx.one(COUNT, &key, |row| count(row, 0))?.unwrap_or(0);
    let key = values![giver.to_string(), since, before, limit, offset];
    Ok((tx.query(&format!("{SELECT} {PAGE}"), &key, read)?, total))
}

pub(crate) fn add_request(tx: &mut Tx<'_>, id: &BookingId, request: &RequestRow) -> Result<(), StoreError> {
    let row = values![
        id.as_str(),
        request.status.as_str(),
        request.period.start(),
        request.period.end(),
        request.canceled.map(|canceled| canceled.reason.as_str()),
        request.canceled.map(|canceled| canceled.by.as_str()),
        request.received,
    ];
    tx.execute(ADD_REQUEST, &row).map(drop)
}

/// All requests of a booking, in their order.
pub(crate) fn requests(tx: &Tx<'_>, id: &BookingId) -> Result<Vec<RequestRow>, StoreError> {
    tx.query(REQUESTS, &values![id.as_str()], |row| {
        Ok(RequestRow {
            status: named(row, 0, "status", ReservationRequestStatus::named)?,
            period: Period::new(row.time(1)?, row.time(2)?).ok_or_else(|| damaged("ends"))?,
            canceled: read_cancellation(row, 3)?,
            received: row.time(5)?,
        })
    })
}

/// What has ended, when nobody disputes it any more; its card went with its end.
pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET_REQUESTS, &values![before])?;
    tx.execute("DELETE FROM operator_bookings WHERE status <> 'RESERVED' AND changed < ?1", &values![before])
}

fn read(row: &Row<'_>) -> Result<BookingRow, StoreError> {
    Ok(BookingRow {
        id: word(row, 0, "id")?,
        giver: word(row, 1, "giver")?,
        request: word(row, 2, "request")?,
        location: word(row, 3, "location")?,
        evse: word(row, 4, "evse")?,
        station: word(row, 5, "station")?,
        no: read_no(row, 6)?,
        period: Period::new(row.time(7)?, row.time(8)?).ok_or_else(|| damaged("ends"))?,
        terms: read_terms(row, 9)?,
        status: named(row, 16, "status", ReservationStatus::named)?,
        canceled: read_cancellation(row, 17)?,
        reference: word(row, 19, "reference")?,
        token_sealed: row.blob_opt(20)?,
        tag: row.blob_opt(21)?,
        reservation: small_opt(row, 22, "reservation")?,
        held: row.flag(23)?,
        asked: row.time_opt(24)?,
        refused: named_opt(row, 25, "refused", result_named)?,
        why: row.text_opt(26)?,
        made: row.time(27)?,
        changed: row.time(28)?,
        tariff: row.int_opt(29)?,
        session: word_opt(row, 30, "session")?,
    })
}

fn read_bookable(row: &Row<'_>) -> Result<BookableRow, StoreError> {
    Ok(BookableRow {
        evse: word(row, 0, "evse")?,
        location: word(row, 1, "location")?,
        station: word(row, 2, "station")?,
        no: read_no(row, 3)?,
        terms: read_terms(row, 4)?,
        changed: row.time(11)?,
    })
}

fn read_no(row: &Row<'_>, column: usize) -> Result<EvseNo, StoreError> {
    EvseNo::new(small(row, column, "evse_no")?).ok_or_else(|| damaged("evse_no"))
}

fn read_terms(row: &Row<'_>, from: usize) -> Result<Terms, StoreError> {
    let minutes = |nth| small(row, from + nth, "minutes");
    Ok(Terms {
        early: minutes(0)?,
        noshow: minutes(1)?,
        late: minutes(2)?,
        shortest: minutes(3)?,
        longest: minutes(4)?,
        change_until: minutes(5)?,
        cancel_until: minutes(6)?,
    })
}

fn read_cancellation(row: &Row<'_>, from: usize) -> Result<Option<Cancellation>, StoreError> {
    let reason = named_opt(row, from, "cancel_reason", CanceledReason::named)?;
    let by = named_opt(row, from + 1, "canceler", Canceler::named)?;
    Ok(reason.zip(by).map(|(reason, by)| Cancellation { reason, by }))
}

const ALLOW: &str = "INSERT INTO operator_bookable
    (evse, early, noshow, late, shortest, longest, change_until, cancel_until, changed)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (evse) DO UPDATE SET early = excluded.early,
    noshow = excluded.noshow, late = excluded.late, shortest = excluded.shortest, longest = excluded.longest,
    change_until = excluded.change_until, cancel_until = excluded.cancel_until, changed = excluded.changed";
/// One that was taken from its station cannot be booked.
const BOOKABLE: &str = "SELECT b.evse, e.location, e.station, e.no, b.early, b.noshow, b.late, b.shortest, b.longest,
    b.change_until, b.cancel_until, b.changed
    FROM operator_bookable b JOIN operator_evses e ON e.uid = b.evse AND e.station IS NOT NULL AND e.no IS NOT NULL";
const COUNT_BOOKABLE: &str = "SELECT COUNT(*) FROM operator_bookable b JOIN operator_evses e
    ON e.uid = b.evse AND e.station IS NOT NULL AND e.no IS NOT NULL WHERE b.changed >= ?1 AND b.changed < ?2";
const BOOKABLE_PAGE: &str = "WHERE b.changed >= ?1 AND b.changed < ?2 ORDER BY b.changed, b.evse LIMIT ?3 OFFSET ?4";
const SELECT: &str = "SELECT id, giver, request, location, evse, station, evse_no, starts, ends, early, noshow, late,
    shortest, longest, change_until, cancel_until, status, cancel_reason, canceler, reference, token_sealed, tag,
    reservation, held, asked, refused, why, made, changed, tariff, session FROM operator_bookings";
const SAVE: &str = "INSERT INTO operator_bookings (id, giver, request, location, evse, station, evse_no, starts, ends,
    kept_from, kept_until, early, noshow, late, shortest, longest, change_until, cancel_until, status, cancel_reason,
    canceler, reference, token_sealed, tag, reservation, held, asked, refused, why, made, changed, tariff,
    session)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
    ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33) ON CONFLICT (id) DO UPDATE SET starts = excluded.starts,
    ends = excluded.ends, kept_from = excluded.kept_from, kept_until = excluded.kept_until, status = excluded.status,
    cancel_reason = excluded.cancel_reason, canceler = excluded.canceler, token_sealed = excluded.token_sealed,
    tag = excluded.tag, reservation = excluded.reservation, held = excluded.held, asked = excluded.asked,
    refused = excluded.refused, why = excluded.why, changed = excluded.changed,
    session = excluded.session";
const KEPT: &str = "SELECT kept_from, kept_until FROM operator_bookings
    WHERE evse = ?1 AND id <> ?2 AND status IN ('RESERVED', 'FULFILLED') AND kept_until > ?3";
const LIST: &str = "WHERE (?1 = '' OR station = ?1) AND ends >= ?2 ORDER BY starts, id LIMIT ?3";
const COUNT: &str = "SELECT COUNT(*) FROM operator_bookings WHERE giver = ?1 AND changed >= ?2 AND changed < ?3";
const PAGE: &str = "WHERE giver = ?1 AND changed >= ?2 AND changed < ?3 ORDER BY changed, id LIMIT ?4 OFFSET ?5";
const ADD_REQUEST: &str = "INSERT INTO operator_booking_requests
    (booking, position, status, starts, ends, cancel_reason, canceler, received) VALUES (?1,
    (SELECT COUNT(*) FROM operator_booking_requests WHERE booking = ?1), ?2, ?3, ?4, ?5, ?6, ?7)";
const REQUESTS: &str = "SELECT status, starts, ends, cancel_reason, canceler, received
    FROM operator_booking_requests WHERE booking = ?1 ORDER BY position";
const FORGET_REQUESTS: &str = "DELETE FROM operator_booking_requests WHERE booking IN
    (SELECT id FROM operator_bookings WHERE status <> 'RESERVED' AND changed < ?1)";
