//! Stations' own token lists, and reservations. A card that is put in is never shown again.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use operator::NewReservation;
use operator::desk::{Reservation as RoomReservation, TokenList as RoomList};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Desk;
use super::orders::Told;
use super::stations::{filled, station};
use super::words::{card, evse_no, moment};
use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::shape::{List, time};
use crate::stage::{Body, Path, Query};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StationTokenList)]
pub(crate) struct TokenList {
    /// What the station accepted last; 0: none.
    version: i32,
    /// What the station itself says.
    told: Option<i32>,
    /// The next update sends everything.
    uncertain: bool,
    sent: Option<String>,
    outcome: Option<String>,
    entries: Vec<TokenListEntry>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenListEntry {
    id: String,
    /// `new`, `there` or `leaving`.
    place: &'static str,
    until: String,
    added: String,
    by: String,
}

impl From<RoomList> for TokenList {
    fn from(list: RoomList) -> Self {
        let entry = |one: operator::desk::TokenListEntry| TokenListEntry {
            id: one.id,
            place: one.place.as_str(),
            until: time(one.until),
            added: time(one.added),
            by: one.by,
        };
        Self {
            version: list.version,
            told: list.told,
            uncertain: list.uncertain,
            sent: list.sent.map(time),
            outcome: list.outcome,
            entries: list.entries.into_iter().map(entry).collect(),
        }
    }
}

#[utoipa::path(get, path = "/api/p/operator/stations/{id}/tokens", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = TokenList), (status = 404, body = ErrorBody)))]
pub(crate) async fn tokens(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Json<TokenList>, Fault> {
    Ok(Json(desk.room.token_list(&station(&id)?).await?.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListedCard {
    /// The uid as a reader gives it.
    card: String,
    /// RFC 3339, within a year.
    until: String,
}

#[utoipa::path(post, path = "/api/p/operator/stations/{id}/tokens", tag = "operator", request_body = ListedCard,
    params(("id" = String, Path)), responses((status = 204), (status = 400, body = ErrorBody)))]
pub(crate) async fn put_token(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
    Body(wish): Body<ListedCard>,
) -> Result<StatusCode, Fault> {
    let until = moment(Some(wish.until), "/until")?.ok_or_else(|| Fault::malformed("/until", "Until when?"))?;
    desk.room.list_token(&actor.name, &station(&id)?, card(&wish.card, "/card")?, until).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/api/p/operator/stations/{id}/tokens/{entry}", tag = "operator",
    params(("id" = String, Path), ("entry" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn drop_token(
    State(desk): State<Desk>,
    actor: Actor,
    Path((id, entry)): Path<(String, String)>,
) -> Result<StatusCode, Fault> {
    desk.room.unlist_token(&actor.name, &station(&id)?, &entry).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListUpdate {
    /// Sends everything, whatever is believed.
    #[serde(default)]
    whole: bool,
}

#[utoipa::path(post, path = "/api/p/operator/stations/{id}/tokens/update", tag = "operator",
    request_body = ListUpdate, params(("id" = String, Path)),
    responses((status = 200, body = Told), (status = 404, body = ErrorBody)))]
pub(crate) async fn update(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
    Body(wish): Body<ListUpdate>,
) -> Result<Json<Told>, Fault> {
    Ok(Json(desk.room.update_list(&actor.name, &station(&id)?, wish.whole).await?.into()))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StationReservation)]
pub(crate) struct Reservation {
    id: i32,
    station: String,
    evse: Option<u16>,
    until: String,
    /// `asked`, `held`, `refused`, `used`, `cancelled`, `expired` or `removed`.
    state: &'static str,
    why: Option<String>,
    /// The party that asked for it.
    giver: Option<String>,
    session: Option<String>,
    asked: String,
    changed: String,
}

impl From<RoomReservation> for Reservation {
    fn from(one: RoomReservation) -> Self {
        Self {
            id: one.id,
            station: one.station.to_string(),
            evse: one.evse.map(charge::id::EvseNo::get),
            until: time(one.until),
            state: one.state.as_str(),
            why: one.why,
            giver: one.giver.map(|(party, _)| party.to_string()),
            session: one.session.map(|id| id.to_string()),
            asked: time(one.asked),
            changed: time(one.changed),
        }
    }
}

/// Of one station, or of all.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OfStation {
    pub(crate) station: Option<String>,
    pub(crate) limit: Option<u32>,
}

impl OfStation {
    pub(crate) fn read(self) -> Result<(Option<charge::id::StationId>, u32), Fault> {
        const USUAL: u32 = 100;
        Ok((filled(self.station).map(|id| station(&id)).transpose()?, self.limit.unwrap_or(USUAL)))
    }
}

#[utoipa::path(get, path = "/api/p/operator/reservations", tag = "operator", params(OfStation),
    responses((status = 200, body = List<Reservation>)))]
pub(crate) async fn reservations(
    State(desk): State<Desk>,
    Query(query): Query<OfStation>,
) -> Result<Json<List<Reservation>>, Fault> {
    let (of, limit) = query.read()?;
    let found = desk.room.reservations(of, limit).await?;
    Ok(Json(List::whole(found.into_iter().map(Into::into).collect())))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MakeReservation {
    station: String,
    /// Any EVSE of the station where it is not said.
    evse: Option<u16>,
    /// Whose card opens it.
    card: String,
    until: String,
}

/// What became of a reservation, and what the station said.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReservationOutcome {
    reservation: Reservation,
    told: Told,
}

#[utoipa::path(post, path = "/api/p/operator/reservations", tag = "operator", request_body = MakeReservation,
    responses((status = 200, body = ReservationOutcome), (status = 400, body = ErrorBody)))]
pub(crate) async fn reserve(
    State(desk): State<Desk>,
    actor: Actor,
    Body(wish): Body<MakeReservation>,
) -> Result<Json<ReservationOutcome>, Fault> {
    let until = moment(Some(wish.until), "/until")?.ok_or_else(|| Fault::malformed("/until", "Until when?"))?;
    let wanted = NewReservation {
        station: station(&wish.station)?,
        evse: evse_no(wish.evse)?,
        token: card(&wish.card, "/card")?,
        until,
        giver: None,
    };
    let (kept, told) = desk.room.reserve(&actor.name, wanted).await?;
    Ok(Json(ReservationOutcome { reservation: kept.into(), told: told.into() }))
}

#[utoipa::path(delete, path = "/api/p/operator/reservations/{id}", tag = "operator", params(("id" = i32, Path)),
    responses((status = 200, body = ReservationOutcome), (status = 404, body = ErrorBody)))]
pub(crate) async fn cancel(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<i32>,
) -> Result<Json<ReservationOutcome>, Fault> {
    let (kept, told) = desk.room.cancel_reservation(&actor.name, id).await?;
    Ok(Json(ReservationOutcome { reservation: kept.into(), told: told.into() }))
}
