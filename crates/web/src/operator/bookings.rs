//! Bookings at the operator: which EVSEs may be booked and on which terms, who has booked what, and cancelling.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use charge::id::{EvseUid, StationId};
use charge::talk::road::booking::CanceledReason;
use operator::booking::Terms as RoomTerms;
use operator::desk;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Desk;
use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::shape::{List, time};
use crate::stage::{Body, Path, Query};

/// Terms of an EVSE that may be booked, in minutes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookingTerms)]
pub(crate) struct Terms {
    /// So long before its beginning the driver may start.
    #[schema(example = 10)]
    early: u32,
    /// So long after its beginning nobody came, and the EVSE is free again.
    #[schema(example = 15)]
    noshow: u32,
    /// So long after its end the driver may stay.
    #[schema(example = 10)]
    late: u32,
    #[schema(example = 15)]
    shortest: u32,
    #[schema(example = 240)]
    longest: u32,
    /// So long before its beginning it may be changed.
    #[schema(example = 0)]
    change_until: u32,
    /// So long before its beginning it may be cancelled.
    #[schema(example = 0)]
    cancel_until: u32,
}

impl From<RoomTerms> for Terms {
    fn from(terms: RoomTerms) -> Self {
        let RoomTerms { early, noshow, late, shortest, longest, change_until, cancel_until } = terms;
        Self { early, noshow, late, shortest, longest, change_until, cancel_until }
    }
}

impl From<Terms> for RoomTerms {
    fn from(terms: Terms) -> Self {
        let Terms { early, noshow, late, shortest, longest, change_until, cancel_until } = terms;
        Self { early, noshow, late, shortest, longest, change_until, cancel_until }
    }
}

/// What may be booked of a station, and what is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StationBookings {
    evses: Vec<BookableEvse>,
    /// Those that begin first, first; none that ended more than a day ago.
    bookings: Vec<Booked>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BookableEvse {
    no: u16,
    evse: String,
    /// Null: it may not be booked.
    terms: Option<Terms>,
}

impl From<desk::Bookable> for BookableEvse {
    fn from(of: desk::Bookable) -> Self {
        Self { no: of.no.get(), evse: of.evse.to_string(), terms: of.terms.map(Into::into) }
    }
}

/// A booking, without the card that it is for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OperatorBooking)]
pub(crate) struct Booked {
    id: String,
    /// The provider that asked.
    giver: String,
    station: String,
    evse_no: u16,
    evse: String,
    from: String,
    to: String,
    /// `RESERVED`, `REJECTED`, `FULFILLED`, `CANCELED`, `NO_SHOW`.
    status: &'static str,
    cancel_reason: Option<&'static str>,
    /// `CPO`, `EMSP`, `OTHER`.
    canceled_by: Option<&'static str>,
    /// The station keeps the EVSE for it at this moment.
    held: bool,
    /// What stood in its way, in plain words.
    why: Option<String>,
    made: String,
}

impl From<desk::Booked> for Booked {
    fn from(of: desk::Booked) -> Self {
        Self {
            id: of.id.to_string(),
            giver: of.giver.to_string(),
            station: of.station.to_string(),
            evse_no: of.no.get(),
            evse: of.evse.to_string(),
            from: time(of.period.start()),
            to: time(of.period.end()),
            status: of.status.as_str(),
            cancel_reason: of.canceled.map(|canceled| canceled.reason.as_str()),
            canceled_by: of.canceled.map(|canceled| canceled.by.as_str()),
            held: of.held,
            why: of.why,
            made: time(of.made),
        }
    }
}

#[derive(Deserialize, IntoParams)]
pub(crate) struct Which {
    station: Option<String>,
    limit: Option<u32>,
}

/// Why a booking is cancelled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelBooking {
    /// `POWER_OUTAGE`, `BROKEN_CHARGER`, `FULL`, `BLOCKED` or `UNKNOWN`.
    #[schema(example = "BROKEN_CHARGER")]
    reason: String,
}

#[utoipa::path(get, path = "/api/p/operator/stations/{id}/bookings", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = StationBookings), (status = 404, body = ErrorBody)))]
pub(crate) async fn of_station(
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Result<Json<StationBookings>, Fault> {
    let id = StationId::new(&id).map_err(|_| Fault::NotFound)?;
    let evses = desk.room.bookable(id.clone()).await?.into_iter().map(Into::into).collect();
    let since = desk.clock.now().minus(SHOWN_AFTER);
    let bookings = desk.room.bookings(Some(id), since, LISTED).await?.into_iter().map(Into::into).collect();
    Ok(Json(StationBookings { evses, bookings }))
}

#[utoipa::path(get, path = "/api/p/operator/bookings", tag = "operator", params(Which),
    responses((status = 200, description = "Those that begin first, first; none that ended more than a day ago",
        body = List<Booked>)))]
pub(crate) async fn list(State(desk): State<Desk>, Query(which): Query<Which>) -> Result<Json<List<Booked>>, Fault> {
    let station = which.station.as_deref().map(StationId::new).transpose();
    let station = station.map_err(|fault| Fault::malformed("station", format!("The id {fault}.")))?;
    let since = desk.clock.now().minus(SHOWN_AFTER);
    let found = desk.room.bookings(station, since, which.limit.unwrap_or(LISTED)).await?;
    Ok(Json(List::whole(found.into_iter().map(Into::into).collect())))
}

#[utoipa::path(put, path = "/api/p/operator/evses/{uid}/bookable", tag = "operator", request_body = Terms,
    params(("uid" = String, Path)),
    responses((status = 204), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, description = "The station says that it keeps no reservations", body = ErrorBody)))]
pub(crate) async fn allow(
    State(desk): State<Desk>,
    actor: Actor,
    Path(uid): Path<String>,
    Body(terms): Body<Terms>,
) -> Result<StatusCode, Fault> {
    let evse = EvseUid::new(&uid).map_err(|_| Fault::NotFound)?;
    desk.room.set_bookable(&actor.name, evse, Some(terms.into())).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/api/p/operator/evses/{uid}/bookable", tag = "operator", params(("uid" = String, Path)),
    responses((status = 204, description = "What is booked stays booked"), (status = 404, body = ErrorBody)))]
pub(crate) async fn forbid(
    State(desk): State<Desk>,
    actor: Actor,
    Path(uid): Path<String>,
) -> Result<StatusCode, Fault> {
    let evse = EvseUid::new(&uid).map_err(|_| Fault::NotFound)?;
    desk.room.set_bookable(&actor.name, evse, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(post, path = "/api/p/operator/bookings/{id}/cancel", tag = "operator", request_body = CancelBooking,
    params(("id" = String, Path)),
    responses((status = 204, description = "Its provider is told"), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, description = "It has ended", body = ErrorBody)))]
pub(crate) async fn cancel(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
    Body(wish): Body<CancelBooking>,
) -> Result<StatusCode, Fault> {
    let given = CanceledReason::named(&wish.reason).filter(|reason| REASONS.contains(reason));
    let reason = given.ok_or_else(|| Fault::malformed("/reason", "None of the reasons.".to_owned()))?;
    desk.room.cancel_booking(&actor.name, &id, reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an operator gives as its reason (Bookings 1.1, `CanceledReason`).
const REASONS: [CanceledReason; 5] = [
    CanceledReason::PowerOutage,
    CanceledReason::BrokenCharger,
    CanceledReason::Full,
    CanceledReason::Blocked,
    CanceledReason::Unknown,
];
/// Yesterday's are of interest when somebody calls.
const SHOWN_AFTER: std::time::Duration = std::time::Duration::from_secs(86_400);
const LISTED: u32 = 200;
