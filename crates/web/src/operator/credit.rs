//! Taking a CDR back with a credit.

use axum::Json;
use axum::extract::State;
use charge::id::CdrId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Desk;
use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::stage::{Body, Path};

/// Why a CDR is taken back: the provider's clerk reads it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreditWish)]
pub(crate) struct Wish {
    /// At most 255 characters.
    why: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Credit {
    /// The id of the credit CDR, on its way to the provider.
    id: String,
}

#[utoipa::path(post, path = "/api/p/operator/cdrs/{id}/credit", tag = "operator", request_body = Wish,
    params(("id" = String, Path)),
    responses((status = 200, body = Credit), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn give(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
    Body(wish): Body<Wish>,
) -> Result<Json<Credit>, Fault> {
    let id = CdrId::new(&id).map_err(|_| Fault::NotFound)?;
    let credit = desk.room.credit_cdr(&actor.name, &id, &wish.why).await?;
    Ok(Json(Credit { id: credit.to_string() }))
}
