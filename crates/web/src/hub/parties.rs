//! Who is registered at the hub, and who offered cards that belong to another.

use ::hub::Hub;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::fault::Fault;
use crate::shape::{List, time};

/// A party in one of its roles.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HubParty)]
pub(crate) struct Party {
    party: String,
    name: String,
    /// `operator` or `provider`.
    role: &'static str,
    /// `CONNECTED`, `PLANNED` or `SUSPENDED`.
    status: &'static str,
    /// When its last letter came in.
    last_seen: Option<String>,
}

impl From<::hub::Party> for Party {
    fn from(row: ::hub::Party) -> Self {
        Self {
            party: row.party.to_string(),
            name: row.name,
            role: row.role.as_str(),
            status: row.status.as_str(),
            last_seen: row.last_seen.map(time),
        }
    }
}

#[utoipa::path(get, path = "/api/p/hub/parties", tag = "hub", responses((status = 200, body = List<Party>)))]
pub(crate) async fn list(State(room): State<Hub>) -> Result<Json<List<Party>>, Fault> {
    Ok(Json(List::whole(room.parties().await?.into_iter().map(Into::into).collect())))
}

/// How often a provider offered cards that belong to another one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HubConflict)]
pub(crate) struct Conflict {
    writer: String,
    /// The beginning of the day in UTC.
    day: String,
    count: i64,
}

#[utoipa::path(get, path = "/api/p/hub/conflicts", tag = "hub", responses((status = 200, body = List<Conflict>)))]
pub(crate) async fn conflicts(State(room): State<Hub>) -> Result<Json<List<Conflict>>, Fault> {
    let twin = |row: ::hub::Conflict| Conflict { writer: row.writer.to_string(), day: time(row.day), count: row.count };
    Ok(Json(List::whole(room.conflicts().await?.into_iter().map(twin).collect())))
}
