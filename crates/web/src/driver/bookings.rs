//! Booking a time at a charging point: what is free, the driver's own bookings, another time, giving one up.

use ::provider::{BookWish, BookableTimes, CardId, DriverBooking, Provider};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use charge::Timestamp;
use charge::id::{BookingLocationId, BookingRequestId, LocationId, PartyId};
use charge::talk::road::booking::{Period, Slot};
use charge::tariff::{BookingEnd, Fee};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Own;
use crate::fault::{ErrorBody, Fault};
use crate::shape::{Amount, List, time};
use crate::stage::{Body, Path, Query};

/// From when to when; both may be left out.
#[derive(Deserialize, IntoParams)]
pub(crate) struct Window {
    from: Option<String>,
    to: Option<String>,
}

/// What can be booked at one charging point.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Bookable {
    /// To be named when booking.
    id: String,
    /// The EVSE's uid; null where none is assigned before.
    evse: Option<String>,
    free: Vec<FreeTime>,
    /// Minutes.
    shortest: Option<u32>,
    longest: Option<u32>,
    early: u32,
    noshow: Option<u32>,
    change_until: u32,
    cancel_until: u32,
    /// What is asked of whoever does not come, and of whoever cancels later than that: as the operator's tariff says,
    /// with VAT where it tells it.
    noshow_fee: Option<Amount>,
    cancel_fee: Option<Amount>,
    /// The operator's page about its terms.
    terms_url: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FreeTime {
    from: String,
    to: String,
}

impl From<Period> for FreeTime {
    fn from(period: Period) -> Self {
        Self { from: time(period.start()), to: time(period.end()) }
    }
}

impl From<BookableTimes> for Bookable {
    fn from(found: BookableTimes) -> Self {
        let terms = found.terms;
        let fee = |end: BookingEnd| {
            let (fees, currency) = found.fees.as_ref()?;
            fees.of(end).and_then(Fee::gross).map(|gross| Amount::shown(gross, *currency))
        };
        let (noshow_fee, cancel_fee) = (fee(BookingEnd::Expires), fee(BookingEnd::Cancellation));
        Self {
            id: found.id.to_string(),
            evse: found.evse.map(|evse| evse.to_string()),
            free: found.free.into_iter().map(Into::into).collect(),
            shortest: terms.min_booking_duration,
            longest: terms.max_booking_duration,
            early: terms.early_start_time.unwrap_or_default(),
            noshow: terms.noshow_timeout,
            change_until: terms.change_until_minutes,
            cancel_until: terms.cancel_until_minutes,
            noshow_fee,
            cancel_fee,
            terms_url: terms.booking_terms,
        }
    }
}

/// A time at a charging point.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BookTime {
    #[schema(example = "DE-VLT")]
    operator: String,
    location: String,
    /// As it came with the free times.
    bookable: String,
    /// The card that will be held to the reader; the operator is told its number.
    card: String,
    from: String,
    to: String,
}

/// Another time for a booking.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoveTime {
    from: String,
    to: String,
}

/// A booking of the driver.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DriverBooking)]
pub(crate) struct Booking {
    id: String,
    operator: String,
    location: String,
    evse: Option<String>,
    card: String,
    from: String,
    to: String,
    /// `PENDING`, `RESERVED`, `REJECTED`, `FAILED`, `FULFILLED`, `CANCELED`, `NO_SHOW`, `UNKNOWN`.
    status: &'static str,
    /// `POWER_OUTAGE`, `BROKEN_CHARGER`, `FULL`, `BLOCKED`, `TRAFFIC`, `BROKEN_VEHICLE`, `NO_CANCELED`, `UNKNOWN`.
    cancel_reason: Option<&'static str>,
    /// `CPO`, `EMSP`, `OTHER`.
    canceled_by: Option<&'static str>,
    /// In plain words; empty while there is nothing to say.
    message: String,
    /// So many minutes before it begins charging may begin.
    early: u32,
    /// So many minutes after it began nobody came.
    noshow: Option<u32>,
    change_until: u32,
    cancel_until: u32,
    given: String,
}

impl From<DriverBooking> for Booking {
    fn from(of: DriverBooking) -> Self {
        Self {
            id: of.id.to_string(),
            operator: of.operator.to_string(),
            location: of.location.to_string(),
            evse: of.evse.map(|evse| evse.to_string()),
            card: of.card.as_str().to_owned(),
            from: time(of.period.start()),
            to: time(of.period.end()),
            status: of.status.as_str(),
            cancel_reason: of.canceled.map(|canceled| canceled.reason.as_str()),
            canceled_by: of.canceled.map(|canceled| canceled.by.as_str()),
            message: of.message,
            early: of.early,
            noshow: of.noshow,
            change_until: of.change_until,
            cancel_until: of.cancel_until,
            given: time(of.given),
        }
    }
}

#[utoipa::path(get, path = "/api/p/{slug}/driver/places/{operator}/{location}/bookable", tag = "driver",
    params(("slug" = String, Path), ("operator" = String, Path), ("location" = String, Path), Window),
    responses((status = 200, description = "Asked of the operator; empty where it takes no bookings",
        body = List<Bookable>), (status = 404, body = ErrorBody),
        (status = 409, description = "The operator does not answer", body = ErrorBody)))]
pub(crate) async fn bookable(
    State(room): State<Provider>,
    Own(_me): Own,
    Path((operator, location)): Path<(String, String)>,
    Query(window): Query<Window>,
) -> Result<Json<List<Bookable>>, Fault> {
    let operator: PartyId = operator.parse().map_err(|_| Fault::NotFound)?;
    let location = LocationId::new(&location).map_err(|_| Fault::NotFound)?;
    let moment = |text: Option<&str>, path| text.map(|text| moment(text, path)).transpose();
    let slot = Slot { from: moment(window.from.as_deref(), "from")?, to: moment(window.to.as_deref(), "to")? };
    let found = room.bookable(operator, location, slot).await?;
    Ok(Json(List::whole(found.into_iter().map(Into::into).collect())))
}

#[utoipa::path(get, path = "/api/p/{slug}/driver/bookings", tag = "driver", params(("slug" = String, Path)),
    responses((status = 200, description = "Those that begin last first", body = List<Booking>)))]
pub(crate) async fn list(State(room): State<Provider>, Own(me): Own) -> Result<Json<List<Booking>>, Fault> {
    Ok(Json(List::whole(room.bookings(me).await?.into_iter().map(Into::into).collect())))
}

#[utoipa::path(post, path = "/api/p/{slug}/driver/bookings", tag = "driver", request_body = BookTime,
    params(("slug" = String, Path)),
    responses((status = 201, description = "The operator's word, or `PENDING` where there was none yet", body = Booking),
        (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn book(
    State(room): State<Provider>,
    Own(me): Own,
    Body(wish): Body<BookTime>,
) -> Result<(StatusCode, Json<Booking>), Fault> {
    let bad = |path: &'static str| move |_| Fault::malformed(path, "An id as it was shown is expected.".to_owned());
    let wish = BookWish {
        driver: me,
        operator: wish.operator.parse().map_err(bad("/operator"))?,
        location: LocationId::new(&wish.location).map_err(bad("/location"))?,
        booking_location: BookingLocationId::new(&wish.bookable).map_err(bad("/bookable"))?,
        card: CardId::new(&wish.card).map_err(bad("/card"))?,
        period: period(&wish.from, &wish.to)?,
    };
    Ok((StatusCode::CREATED, Json(room.book(wish).await?.into())))
}

#[utoipa::path(put, path = "/api/p/{slug}/driver/bookings/{id}", tag = "driver", request_body = MoveTime,
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Booking), (status = 404, body = ErrorBody),
        (status = 409, description = "It stays as it was", body = ErrorBody)))]
pub(crate) async fn change(
    State(room): State<Provider>,
    Own(me): Own,
    Path(id): Path<String>,
    Body(wish): Body<MoveTime>,
) -> Result<Json<Booking>, Fault> {
    Ok(Json(room.change_booking(me, named(&id)?, period(&wish.from, &wish.to)?).await?.into()))
}

#[utoipa::path(delete, path = "/api/p/{slug}/driver/bookings/{id}", tag = "driver",
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Booking), (status = 404, body = ErrorBody),
        (status = 409, description = "It stays as it was", body = ErrorBody)))]
pub(crate) async fn cancel(
    State(room): State<Provider>,
    Own(me): Own,
    Path(id): Path<String>,
) -> Result<Json<Booking>, Fault> {
    Ok(Json(room.cancel_booking(me, named(&id)?).await?.into()))
}

fn named(id: &str) -> Result<BookingRequestId, Fault> {
    BookingRequestId::new(id).map_err(|_| Fault::NotFound)
}

fn period(from: &str, to: &str) -> Result<Period, Fault> {
    let late = || Fault::malformed("/to", "Later than its beginning.".to_owned());
    Period::new(moment(from, "/from")?, moment(to, "/to")?).ok_or_else(late)
}

fn moment(text: &str, path: &'static str) -> Result<Timestamp, Fault> {
    text.parse().map_err(|_| Fault::malformed(path, "A time like 2026-11-23T10:00:00Z is expected.".to_owned()))
}
