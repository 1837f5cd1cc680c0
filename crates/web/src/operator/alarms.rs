//! Alarms: what a person should look at now, and who has seen it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::Desk;
use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::shape::{List, time};
use crate::stage::Path;

/// Stands while its reason stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OperatorAlarm)]
pub(crate) struct Alarm {
    /// Of this one occurrence.
    id: String,
    /// `evse_fault`, `station_fault`, `station_away`, `certificate_ends`, `session_unclaimed`, `session_flagged`,
    /// `record_refused` or `reading_unplaced`.
    kind: &'static str,
    /// The EVSE, station, session, CDR or message that it is about.
    subject: String,
    station: Option<String>,
    session: Option<String>,
    /// Since when it stands; of a certificate, when it ends.
    since: String,
    /// What is wrong, as the station or the partner put it; empty where the kind says all.
    detail: String,
    /// Null until somebody has seen it.
    seen: Option<Seen>,
}

/// Who has seen an alarm, and when.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OperatorAlarmSeen)]
pub(crate) struct Seen {
    at: String,
    by: String,
}

impl From<operator::view::Alarm> for Alarm {
    fn from(alarm: operator::view::Alarm) -> Self {
        Self {
            id: alarm.id(),
            kind: alarm.kind.as_str(),
            subject: alarm.subject,
            station: alarm.station.map(|id| id.to_string()),
            session: alarm.session.map(|id| id.to_string()),
            since: time(alarm.since),
            detail: alarm.detail,
            seen: alarm.seen.map(|(at, by)| Seen { at: time(at), by }),
        }
    }
}

#[utoipa::path(get, path = "/api/p/operator/alarms", tag = "operator", responses((status = 200, body = List<Alarm>)))]
pub(crate) async fn list(State(desk): State<Desk>) -> Result<Json<List<Alarm>>, Fault> {
    Ok(Json(List::whole(desk.room.alarms().await?.into_iter().map(Into::into).collect())))
}

#[utoipa::path(post, path = "/api/p/operator/alarms/{id}/seen", tag = "operator", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn see(State(desk): State<Desk>, actor: Actor, Path(id): Path<String>) -> Result<StatusCode, Fault> {
    desk.room.see_alarm(&actor.name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/api/p/operator/alarms/{id}/seen", tag = "operator", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn unsee(State(desk): State<Desk>, actor: Actor, Path(id): Path<String>) -> Result<StatusCode, Fault> {
    desk.room.unsee_alarm(&actor.name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
