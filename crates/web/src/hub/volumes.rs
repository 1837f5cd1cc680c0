//! How much went which way: the hub at a glance, its routes, and one route by the hour.

use ::hub::{HourPoint, Hub, RouteRow};
use axum::Json;
use axum::extract::State;
use charge::id::PartyId;
use charge::talk::road::LossRow;
use serde::Serialize;
use utoipa::ToSchema;

use crate::fault::{ErrorBody, Fault};
use crate::shape::{List, time};
use crate::stage::Path;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HubOverview)]
pub(crate) struct Overview {
    /// Distinct parties, whatever their roles.
    parties: usize,
    operators: usize,
    providers: usize,
    /// Keyed tags of cards; there are no card numbers here.
    tokens_indexed: i64,
    /// Since midnight UTC, like the two below.
    letters_today: i64,
    bytes_today: i64,
    failures_today: i64,
    /// Letters per hour of the last two days.
    history: Vec<Hour>,
}

/// Letters in one hour.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HubHour)]
pub(crate) struct Hour {
    /// The beginning of the hour.
    at: String,
    count: i64,
}

impl From<HourPoint> for Hour {
    fn from(point: HourPoint) -> Self {
        Self { at: time(point.at), count: point.count }
    }
}

#[utoipa::path(get, path = "/api/p/hub/overview", tag = "hub", responses((status = 200, body = Overview)))]
pub(crate) async fn overview(State(room): State<Hub>) -> Result<Json<Overview>, Fault> {
    let seen = room.overview().await?;
    Ok(Json(Overview {
        parties: seen.parties,
        operators: seen.operators,
        providers: seen.providers,
        tokens_indexed: seen.tokens_indexed,
        letters_today: seen.letters_today,
        bytes_today: seen.bytes_today,
        failures_today: seen.failures_today,
        history: seen.history.into_iter().map(Into::into).collect(),
    }))
}

/// The volume from one party to another with one kind of letter, in the last two days.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HubRoute)]
pub(crate) struct Route {
    from: String,
    to: String,
    errand: String,
    count: i64,
    bytes: i64,
    failures: i64,
    /// The beginning of the hour of the last one.
    last: String,
}

impl From<RouteRow> for Route {
    fn from(row: RouteRow) -> Self {
        Self {
            from: row.from.to_string(),
            to: row.to.to_string(),
            errand: row.errand,
            count: row.count,
            bytes: row.bytes,
            failures: row.failures,
            last: time(row.last_hour),
        }
    }
}

#[utoipa::path(get, path = "/api/p/hub/routes", tag = "hub", responses((status = 200, body = List<Route>)))]
pub(crate) async fn list(State(room): State<Hub>) -> Result<Json<List<Route>>, Fault> {
    Ok(Json(List::whole(room.routes().await?.into_iter().map(Into::into).collect())))
}

#[utoipa::path(get, path = "/api/p/hub/routes/{from}/{to}/{errand}", tag = "hub",
    params(("from" = String, Path), ("to" = String, Path), ("errand" = String, Path)),
    responses((status = 200, body = List<Hour>), (status = 404, body = ErrorBody)))]
pub(crate) async fn series(
    State(room): State<Hub>,
    Path((from, to, errand)): Path<(String, String, String)>,
) -> Result<Json<List<Hour>>, Fault> {
    let party = |text: &str| text.parse::<PartyId>().map_err(|_| Fault::NotFound);
    let points = room.route_series(party(&from)?, party(&to)?, &errand).await?;
    Ok(Json(List::whole(points.into_iter().map(Into::into).collect())))
}

/// What letters of one kind left behind on their way between parties of different protocols or versions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HubLoss)]
pub(crate) struct Loss {
    /// Whose document it was.
    from: String,
    /// Who has no word for it.
    to: String,
    errand: String,
    /// The place in the document and why; never a value.
    what: String,
    count: i64,
    last: String,
}

impl From<LossRow> for Loss {
    fn from(row: LossRow) -> Self {
        Self {
            from: row.from.to_string(),
            to: row.to.to_string(),
            errand: row.errand,
            what: row.what,
            count: row.count,
            last: time(row.last),
        }
    }
}

#[utoipa::path(get, path = "/api/p/hub/losses", tag = "hub", responses((status = 200, body = List<Loss>)))]
pub(crate) async fn losses(State(room): State<Hub>) -> Result<Json<List<Loss>>, Fault> {
    Ok(Json(List::whole(room.losses().await?.into_iter().map(Into::into).collect())))
}
