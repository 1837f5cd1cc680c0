//! Disputes: where a CDR says something else than the provider's own calculation, and how a clerk settles it.

use ::provider::{Dispute as RoomDispute, DisputeNo, DisputeState, Provider, Settlement};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::number;
use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::shape::{List, time};
use crate::stage::{Body, Path};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Dispute {
    id: String,
    /// As the operator calls it.
    cdr: String,
    operator: String,
    raised: String,
    /// `open`, `accepted` or `rejected`.
    state: &'static str,
    settled: Option<String>,
    settled_by: Option<String>,
    differences: Vec<Difference>,
}

/// One thing that does not fit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Difference {
    /// JSON path in the CDR.
    path: String,
    theirs: String,
    ours: String,
}

pub(crate) const fn state(state: DisputeState) -> &'static str {
    match state {
        DisputeState::Open => "open",
        DisputeState::Accepted => "accepted",
        DisputeState::CreditAsked => "rejected",
    }
}

impl From<RoomDispute> for Dispute {
    fn from(row: RoomDispute) -> Self {
        let twin = |it: billing::cdr::Difference| Difference { path: it.path, theirs: it.theirs, ours: it.ours };
        Self {
            id: row.no.to_string(),
            cdr: row.cdr_id.to_string(),
            operator: row.operator.to_string(),
            raised: time(row.opened),
            state: state(row.state),
            settled: row.settled.map(time),
            settled_by: row.settled_by,
            differences: row.differences.into_iter().map(twin).collect(),
        }
    }
}

#[utoipa::path(get, path = "/api/p/{slug}/disputes", tag = "provider", params(("slug" = String, Path)),
    responses((status = 200, body = List<Dispute>)))]
pub(crate) async fn list(State(room): State<Provider>) -> Result<Json<List<Dispute>>, Fault> {
    Ok(Json(List::whole(room.disputes().await?.into_iter().map(Into::into).collect())))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettleDispute {
    action: Action,
}

/// What to do with the CDR.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DisputeAction)]
pub(crate) enum Action {
    /// It goes on the driver's invoice as the operator wrote it.
    Accept,
    /// It is not invoiced; the operator is asked for a credit.
    Reject,
}

#[utoipa::path(post, path = "/api/p/{slug}/disputes/{id}", tag = "provider", request_body = SettleDispute,
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn settle(
    State(room): State<Provider>,
    actor: Actor,
    Path(id): Path<String>,
    Body(wish): Body<SettleDispute>,
) -> Result<StatusCode, Fault> {
    let how = match wish.action {
        Action::Accept => Settlement::Accept,
        Action::Reject => Settlement::AskCredit,
    };
    room.settle_dispute(DisputeNo(number(&id)?), how, &actor.name).await?;
    Ok(StatusCode::NO_CONTENT)
}
