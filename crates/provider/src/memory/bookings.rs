//! Drivers' bookings, kept for some days after their time: they say where somebody wanted to be.

use charge::Timestamp;
use charge::id::{BookingId, BookingRequestId, PartyId};
use charge::talk::road::booking::{CanceledReason, Canceler, Cancellation, Period, ReservationStatus};
use store::{Row, StoreError, Tx, values};

use super::{corrupt, parsed, parsed_opt, small};
use crate::DriverId;
use crate::booking::DriverBooking;

pub(crate) fn save(tx: &mut Tx<'_>, of: &DriverBooking) -> Result<(), StoreError> {
    let row = values![
        of.id.as_str(),
        of.driver.as_str(),
        of.operator.to_string(),
        of.location.as_str(),
        of.booking_location.as_str(),
        of.card.as_str(),
        of.period.start(),
        of.period.end(),
        of.status.as_str(),
        of.canceled.map(|canceled| canceled.reason.as_str()),
        of.canceled.map(|canceled| canceled.by.as_str()),
        of.evse.as_ref().map(|evse| evse.as_str()),
        of.booking.as_ref().map(BookingId::as_str),
        of.reference.as_str(),
        of.change_until,
        of.cancel_until,
        of.early,
        of.noshow,
        of.message.as_str(),
        of.given,
        of.updated,
    ];
    tx.execute(SAVE, &row).map(drop)
}

/// The driver gives it up; the first time counts.
pub(crate) fn cancel_asked(tx: &mut Tx<'_>, id: &BookingRequestId, at: Timestamp) -> Result<(), StoreError> {
    let first = "UPDATE provider_booking SET cancel_asked = ?2 WHERE id = ?1 AND cancel_asked IS NULL";
    tx.execute(first, &values![id.as_str(), at]).map(drop)
}

pub(crate) fn find(tx: &Tx<'_>, id: &BookingRequestId) -> Result<Option<DriverBooking>, StoreError> {
    tx.one(&format!("{SELECT} WHERE id = ?1"), &values![id.as_str()], read)
}

pub(crate) fn by_booking(tx: &Tx<'_>, operator: PartyId, id: &BookingId) -> Result<Option<DriverBooking>, StoreError> {
    let key = values![operator.to_string(), id.as_str()];
    tx.one(&format!("{SELECT} WHERE operator = ?1 AND booking = ?2"), &key, read)
}

/// Of one driver, those that begin last first.
pub(crate) fn of_driver(tx: &Tx<'_>, driver: &DriverId, limit: u32) -> Result<Vec<DriverBooking>, StoreError> {
    let key = values![driver.as_str(), limit];
    tx.query(&format!("{SELECT} WHERE driver = ?1 ORDER BY starts DESC, id LIMIT ?2"), &key, read)
}

/// Those that no operator has answered yet, asked before `asked`.
pub(crate) fn unanswered(tx: &Tx<'_>, asked: Timestamp) -> Result<Vec<DriverBooking>, StoreError> {
    let wanted = "WHERE status = 'PENDING' AND booking IS NULL AND updated <= ?1 ORDER BY updated LIMIT 100";
    tx.query(&format!("{SELECT} {wanted}"), &values![asked], read)
}

pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute("DELETE FROM provider_booking WHERE ends < ?1", &values![before])
}

fn read(row: &Row<'_>) -> Result<DriverBooking, StoreError> {
    let reason = row.text_opt(9)?.map(|text| CanceledReason::named(&text).ok_or_else(|| corrupt("cancel_reason")));
    let by = row.text_opt(10)?.map(|text| Canceler::named(&text).ok_or_else(|| corrupt("canceler")));
    let canceled = reason.transpose()?.zip(by.transpose()?).map(|(reason, by)| Cancellation { reason, by });
    Ok(DriverBooking {
        id: parsed(&row.text(0)?, "provider_booking.id")?,
        driver: parsed(&row.text(1)?, "provider_booking.driver")?,
        operator: parsed(&row.text(2)?, "provider_booking.operator")?,
        location: parsed(&row.text(3)?, "provider_booking.location")?,
        booking_location: parsed(&row.text(4)?, "provider_booking.booking_location")?,
        card: parsed(&row.text(5)?, "provider_booking.card")?,
        period: Period::new(row.time(6)?, row.time(7)?).ok_or_else(|| corrupt("provider_booking.ends"))?,
        status: ReservationStatus::named(&row.text(8)?).ok_or_else(|| corrupt("provider_booking.status"))?,
        canceled,
        evse: parsed_opt(row.text_opt(11)?, "provider_booking.evse")?,
        booking: parsed_opt(row.text_opt(12)?, "provider_booking.booking")?,
        reference: parsed(&row.text(13)?, "provider_booking.reference")?,
        change_until: small(row.int(14)?, "provider_booking.change_until")?,
        cancel_until: small(row.int(15)?, "provider_booking.cancel_until")?,
        early: small(row.int(16)?, "provider_booking.early")?,
        noshow: row.int_opt(17)?.map(|minutes| small(minutes, "provider_booking.noshow")).transpose()?,
        message: row.text(18)?,
        given: row.time(19)?,
        updated: row.time(20)?,
        cancel_asked: row.time_opt(21)?,
    })
}

const SELECT: &str = "SELECT id, driver, operator, location, booking_location, card, starts, ends, status,
    cancel_reason, canceler, evse, booking, reference, change_until, cancel_until, early, noshow, message, given,
    updated, cancel_asked FROM provider_booking";
const SAVE: &str = "INSERT INTO provider_booking (id, driver, operator, location, booking_location, card, starts, ends,
    status, cancel_reason, canceler, evse, booking, reference, change_until, cancel_until, early, noshow, message,
    given, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
    ?21) ON CONFLICT (id) DO UPDATE SET starts = excluded.starts, ends = excluded.ends, status = excluded.status,
    cancel_reason = excluded.cancel_reason, canceler = excluded.canceler, evse = excluded.evse,
    booking = excluded.booking, change_until = excluded.change_until, cancel_until = excluded.cancel_until,
    early = excluded.early, noshow = excluded.noshow, message = excluded.message, updated = excluded.updated";
