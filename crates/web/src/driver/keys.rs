//! The driver's API keys, for programs of their own: a home, a car, a script.
//!
//! A key drives and does nothing else, and it is seen and ended by its driver alone. Keys are made by people: one that
//! leaked makes no others.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Own;
use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::permission::Permission;
use crate::shape::List;
use crate::signing_in::{Key, Once};
use crate::stage::{Body, Guard, Path};

/// A driver who signed in as a person, not a program with a key.
pub(crate) struct InPerson {
    actor: Actor,
    me: String,
}

impl<S: Send + Sync> FromRequestParts<S> for InPerson {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let Own(me) = Own::from_request_parts(parts, state).await?;
        let actor = Actor::from_request_parts(parts, state).await?;
        if actor.by_cookie() { Ok(Self { actor, me: me.as_str().to_owned() }) } else { Err(Fault::NotPermitted) }
    }
}

#[utoipa::path(get, path = "/api/p/{slug}/driver/keys", tag = "driver", params(("slug" = String, Path)),
    responses((status = 200, body = List<Key>)))]
pub(crate) async fn list(State(guard): State<Guard>, driver: InPerson) -> Result<Json<List<Key>>, Fault> {
    let keys = guard.accounts.keys_of(&driver.me).await?;
    Ok(Json(List::whole(keys.into_iter().map(Into::into).collect())))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = CreateDriverKey)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    /// For the driver to know it by.
    name: String,
}

#[utoipa::path(post, path = "/api/p/{slug}/driver/keys", tag = "driver", request_body = NewKey,
    params(("slug" = String, Path)),
    responses((status = 201, body = Once), (status = 400, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn create(
    State(guard): State<Guard>,
    driver: InPerson,
    Body(wish): Body<NewKey>,
) -> Result<(StatusCode, Json<Once>), Fault> {
    let scopes = [Permission::Drive.scope().to_owned()];
    let made = guard.accounts.create_key(Some(&driver.actor), &wish.name, &scopes, Some(&driver.me)).await?;
    Ok((StatusCode::CREATED, Json(Once::key(made))))
}

#[utoipa::path(delete, path = "/api/p/{slug}/driver/keys/{id}", tag = "driver",
    params(("slug" = String, Path), ("id" = i64, Path)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn end(
    State(guard): State<Guard>,
    driver: InPerson,
    Path(id): Path<i64>,
) -> Result<StatusCode, Fault> {
    guard.accounts.drop_key_of(&driver.me, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
