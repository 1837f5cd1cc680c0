//! The driver's cards: which there are, blocking a lost one, giving a found one free.

use ::provider::Provider;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Own;
use crate::fault::{ErrorBody, Fault};
use crate::provider::{Card, set_card};
use crate::shape::List;
use crate::stage::Path;

#[utoipa::path(get, path = "/api/p/{slug}/driver/cards", tag = "driver", params(("slug" = String, Path)),
    responses((status = 200, body = List<Card>)))]
pub(crate) async fn list(State(room): State<Provider>, Own(me): Own) -> Result<Json<List<Card>>, Fault> {
    Ok(Json(List::whole(room.cards(Some(me)).await?.into_iter().map(Into::into).collect())))
}

#[utoipa::path(post, path = "/api/p/{slug}/driver/cards/{id}/block", tag = "driver",
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn block(
    State(room): State<Provider>,
    Own(me): Own,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    set_card(&room, Some(me), &id, true).await
}

#[utoipa::path(post, path = "/api/p/{slug}/driver/cards/{id}/unblock", tag = "driver",
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn unblock(
    State(room): State<Provider>,
    Own(me): Own,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    set_card(&room, Some(me), &id, false).await
}
