//! Cards: lists with masked uids, registering one, blocking and unblocking.

use ::provider::{CardId, CardRow, DriverId, NewCard, Provider};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use charge::Personal;
use charge::token::TokenUid;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::fault::{ErrorBody, Fault};
use crate::shape::List;
use crate::stage::{Body, Path};

/// Longer labels are mistakes.
const LABEL_CHARACTERS_MAX: usize = 64;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Card {
    pub(crate) id: String,
    driver: String,
    /// As the driver calls it.
    label: String,
    /// The last characters of the uid.
    masked: String,
    blocked: bool,
    /// Whether the hub knows the card in its present state.
    indexed: bool,
}

impl From<CardRow> for Card {
    fn from(row: CardRow) -> Self {
        Self {
            id: row.id.as_str().to_owned(),
            driver: row.driver.as_str().to_owned(),
            label: row.label,
            masked: row.masked,
            blocked: row.blocked,
            indexed: row.indexed,
        }
    }
}

#[utoipa::path(get, path = "/api/p/{slug}/cards", tag = "provider", params(("slug" = String, Path)),
    responses((status = 200, body = List<Card>)))]
pub(crate) async fn list(State(room): State<Provider>) -> Result<Json<List<Card>>, Fault> {
    Ok(Json(List::whole(room.cards(None).await?.into_iter().map(Into::into).collect())))
}

/// A card to register.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddCard {
    driver: String,
    label: String,
    /// As the reader says it; shown by nobody afterwards.
    uid: String,
}

/// What was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AddedCard {
    id: String,
}

#[utoipa::path(post, path = "/api/p/{slug}/cards", tag = "provider", request_body = AddCard,
    params(("slug" = String, Path)),
    responses((status = 201, body = AddedCard), (status = 400, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn add(
    State(room): State<Provider>,
    Body(wish): Body<AddCard>,
) -> Result<(StatusCode, Json<AddedCard>), Fault> {
    let no_driver = || Fault::malformed("/driver", "There is no such driver.");
    let driver = DriverId::new(&wish.driver).map_err(|_| no_driver())?;
    let label = wish.label.trim();
    if label.is_empty() || label.chars().count() > LABEL_CHARACTERS_MAX {
        return Err(Fault::malformed("/label", format!("1 to {LABEL_CHARACTERS_MAX} characters.")));
    }
    let uid = TokenUid::new(wish.uid.trim()).map_err(|fault| Fault::malformed("/uid", format!("The uid {fault}.")))?;
    let new = NewCard { driver, label: label.to_owned(), uid: Personal::new(uid) };
    match room.add_card(new).await.map_err(Fault::from) {
        Ok(id) => Ok((StatusCode::CREATED, Json(AddedCard { id: id.as_str().to_owned() }))),
        Err(Fault::NotFound) => Err(no_driver()),
        Err(fault) => Err(fault),
    }
}

#[utoipa::path(post, path = "/api/p/{slug}/cards/{id}/block", tag = "provider",
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn block(State(room): State<Provider>, Path(id): Path<String>) -> Result<StatusCode, Fault> {
    set(&room, None, &id, true).await
}

#[utoipa::path(post, path = "/api/p/{slug}/cards/{id}/unblock", tag = "provider",
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn unblock(State(room): State<Provider>, Path(id): Path<String>) -> Result<StatusCode, Fault> {
    set(&room, None, &id, false).await
}

/// Blocks or unblocks; with `driver`, only a card of that driver.
pub(crate) async fn set(
    room: &Provider,
    driver: Option<DriverId>,
    id: &str,
    blocked: bool,
) -> Result<StatusCode, Fault> {
    let id = CardId::new(id).map_err(|_| Fault::NotFound)?;
    room.block_card(driver, id, blocked).await?;
    Ok(StatusCode::NO_CONTENT)
}
