//! What the provider's drivers charge, wherever they do.

use ::provider::{Provider, SessionPlace as RoomPlace, SessionRow};
use axum::Json;
use axum::extract::State;
use charge::record::SessionStatus;
use serde::Serialize;
use utoipa::ToSchema;

use super::total;
use crate::fault::Fault;
use crate::shape::{Amount, List, Paging, time};
use crate::stage::Query;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderSession)]
pub(crate) struct Session {
    id: String,
    driver: String,
    operator: String,
    /// Null once the time for disputes is over: then the place is forgotten.
    place: Option<SessionPlace>,
    evse_id: Option<String>,
    start: String,
    end: Option<String>,
    /// `pending`, `active`, `completed` or `invalid`.
    state: &'static str,
    energy_wh: i64,
    /// With VAT, so far or as the CDR says.
    cost: Option<Amount>,
    /// The word on the CDR's signed records, once there is one.
    verdict: Option<String>,
}

/// Where it took place, as it was called then.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionPlace {
    name: Option<String>,
    address: String,
    city: String,
}

impl SessionPlace {
    /// The place, and the EVSE id on the pole.
    pub(crate) fn of(place: Option<RoomPlace>) -> (Option<Self>, Option<String>) {
        let Some(place) = place else { return (None, None) };
        let shown = Self { name: place.name, address: place.address, city: place.city };
        (Some(shown), place.evse_id.map(|id| id.to_string()))
    }
}

pub(crate) const fn state(status: SessionStatus) -> &'static str {
    match status {
        SessionStatus::Pending => "pending",
        SessionStatus::Active => "active",
        SessionStatus::Completed => "completed",
        SessionStatus::Invalid => "invalid",
    }
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        let (place, evse_id) = SessionPlace::of(row.place);
        Self {
            id: row.no.to_string(),
            driver: row.driver.as_str().to_owned(),
            operator: row.operator.to_string(),
            place,
            evse_id,
            start: time(row.start),
            end: row.end.map(time),
            state: state(row.status),
            energy_wh: row.energy.wh(),
            cost: row.cost.map(|price| Amount::gross(&price, row.currency)),
            verdict: row.verdict,
        }
    }
}

#[utoipa::path(get, path = "/api/p/{slug}/sessions", tag = "provider", params(("slug" = String, Path), Paging),
    responses((status = 200, body = List<Session>)))]
pub(crate) async fn list(
    State(room): State<Provider>,
    Query(paging): Query<Paging>,
) -> Result<Json<List<Session>>, Fault> {
    let found = room.sessions(None, paging.offset(), paging.limit()).await?;
    let items = found.rows.into_iter().map(Into::into).collect();
    Ok(Json(List::page(items, total(found.total), paging.offset())))
}
