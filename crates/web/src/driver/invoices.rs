//! The driver's invoices.

use ::provider::Provider;
use axum::Json;
use axum::extract::State;

use super::Own;
use crate::fault::{ErrorBody, Fault};
use crate::provider::invoices::{self, Invoice, Whole};
use crate::shape::List;
use crate::stage::Path;

#[utoipa::path(get, path = "/api/p/{slug}/driver/invoices", tag = "driver", params(("slug" = String, Path)),
    responses((status = 200, body = List<Invoice>)))]
pub(crate) async fn list(State(room): State<Provider>, Own(me): Own) -> Result<Json<List<Invoice>>, Fault> {
    invoices::of(&room, Some(me)).await
}

#[utoipa::path(get, path = "/api/p/{slug}/driver/invoices/{id}", tag = "driver",
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Whole), (status = 404, body = ErrorBody)))]
pub(crate) async fn show(
    State(room): State<Provider>,
    Own(me): Own,
    Path(id): Path<String>,
) -> Result<Json<Whole>, Fault> {
    invoices::one(&room, Some(me), &id).await
}
