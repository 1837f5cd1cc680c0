//! Signing in and out, the actor's own account, and the party's users and keys.

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodFilter;
use charge::Secret;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use utoipa::ToSchema;

use crate::accounts::{Actor, KeyRow, NewUser, Rights};
use crate::fault::{ErrorBody, Fault};
use crate::permission::{Permission, Role};
use crate::shape::{List, time};
use crate::stage::{Access, Body, Doorway, Guard, Path};

/// Adds the routes of every party.
pub(crate) fn routes(door: Doorway, guard: Guard) -> Doorway {
    let open = Access::Public("who signs in is nobody yet");
    door.route(MethodFilter::POST, "/login", open, guard.clone(), login)
        .post("/logout", Permission::Self_, guard.clone(), logout)
        .get("/me", Permission::Self_, (), me)
        .post("/password", Permission::Self_, guard.clone(), password)
        .get("/users", Permission::AccountsWrite, guard.clone(), users)
        .post("/users", Permission::AccountsWrite, guard.clone(), create_user)
        .delete("/users/{id}", Permission::AccountsWrite, guard.clone(), drop_user)
        .get("/keys", Permission::AccountsWrite, guard.clone(), keys)
        .post("/keys", Permission::AccountsWrite, guard.clone(), create_key)
        .delete("/keys/{id}", Permission::AccountsWrite, guard, drop_key)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    user: String,
    password: String,
}

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    user: String,
    name: String,
    /// `admin`, `viewer`, `driver`; empty for an API key.
    roles: Vec<&'static str>,
    /// Scopes of an API key.
    scopes: Vec<&'static str>,
}

impl From<&Actor> for Me {
    fn from(actor: &Actor) -> Self {
        let (roles, scopes) = match &actor.rights {
            Rights::Role(role) => (vec![role.as_str()], Vec::new()),
            Rights::Scopes(scopes) => (Vec::new(), scopes.iter().map(|scope| scope.scope()).collect()),
        };
        Self { user: actor.name.clone(), name: actor.shown.clone(), roles, scopes }
    }
}

#[utoipa::path(post, path = "/api/p/{slug}/login", tag = "account", request_body = Login, params(("slug" = String, Path)),
    responses((status = 200, body = Me), (status = 401, body = ErrorBody), (status = 429, body = ErrorBody)))]
pub(crate) async fn login(
    State(guard): State<Guard>,
    peer: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    Body(login): Body<Login>,
) -> Result<Response, Fault> {
    let address = peer.map(|peer| peer.0.0.ip().to_string()).unwrap_or_default();
    let secret = guard.accounts.sign_in(&login.user, Secret::new(login.password), &address).await?;
    let actor = guard.accounts.by_session(secret.expose()).await?.ok_or(Fault::Internal)?;
    let headers = cookie(&guard, secret.expose(), "")?;
    Ok((headers, Json(Me::from(&actor))).into_response())
}

#[utoipa::path(post, path = "/api/p/{slug}/logout", tag = "account", params(("slug" = String, Path)),
    responses((status = 204)))]
pub(crate) async fn logout(State(guard): State<Guard>, actor: Actor) -> Result<Response, Fault> {
    guard.accounts.sign_out(&actor).await?;
    Ok((StatusCode::NO_CONTENT, cookie(&guard, "", "; Max-Age=0")?).into_response())
}

/// Out of reach of scripts, other sites and plain HTTP, and sent to this party's API alone.
fn cookie(guard: &Guard, value: &str, more: &str) -> Result<HeaderMap, Fault> {
    let line =
        format!("{}={value}; Path=/api/p/{}; Secure; HttpOnly; SameSite=Strict{more}", guard.cookie_name(), guard.slug);
    let mut headers = HeaderMap::new();
    headers.insert(header::SET_COOKIE, HeaderValue::from_str(&line).map_err(|_| Fault::Internal)?);
    Ok(headers)
}

#[utoipa::path(get, path = "/api/p/{slug}/me", tag = "account", params(("slug" = String, Path)),
    responses((status = 200, body = Me), (status = 401, body = ErrorBody)))]
pub(crate) async fn me(actor: Actor) -> Json<Me> {
    Json(Me::from(&actor))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    old: String,
    /// At least 12 characters.
    new: String,
}

#[utoipa::path(post, path = "/api/p/{slug}/password", tag = "account", request_body = NewPassword,
    params(("slug" = String, Path)), responses((status = 204), (status = 400, body = ErrorBody)))]
pub(crate) async fn password(
    State(guard): State<Guard>,
    actor: Actor,
    Body(change): Body<NewPassword>,
) -> Result<StatusCode, Fault> {
    guard.accounts.change_password(&actor, Secret::new(change.old), Secret::new(change.new)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct User {
    id: i64,
    user: String,
    name: String,
    role: String,
    created: String,
}

#[utoipa::path(get, path = "/api/p/{slug}/users", tag = "account", params(("slug" = String, Path)),
    responses((status = 200, body = List<User>)))]
pub(crate) async fn users(State(guard): State<Guard>) -> Result<Json<List<User>>, Fault> {
    let rows = guard.accounts.users().await?.into_iter();
    let twin = |row: crate::accounts::UserRow| User {
        id: row.id,
        user: row.name,
        name: row.shown,
        role: row.role,
        created: time(row.created),
    };
    Ok(Json(List::whole(rows.map(twin).collect())))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateUser {
    user: String,
    name: String,
    /// `admin` or `viewer`. Drivers sign up at their provider.
    role: String,
}

/// A secret that is shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct Once {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl Once {
    pub(crate) fn key((id, secret): (i64, Secret<String>)) -> Self {
        Self { id: Some(id), password: None, key: Some(secret.expose().clone()) }
    }
}

#[utoipa::path(post, path = "/api/p/{slug}/users", tag = "account", request_body = CreateUser,
    params(("slug" = String, Path)),
    responses((status = 201, body = Once), (status = 400, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn create_user(
    State(guard): State<Guard>,
    Body(wish): Body<CreateUser>,
) -> Result<(StatusCode, Json<Once>), Fault> {
    let role = Role::named(&wish.role).filter(|role| *role != Role::Driver);
    let role = role.ok_or_else(|| Fault::malformed("/role", "A role is admin or viewer."))?;
    let user = NewUser { name: &wish.user, shown: &wish.name, role, driver: None };
    let password = guard.accounts.create(user).await?;
    let once = Once { id: None, password: Some(password.expose().clone()), key: None };
    Ok((StatusCode::CREATED, Json(once)))
}

#[utoipa::path(delete, path = "/api/p/{slug}/users/{id}", tag = "account",
    params(("slug" = String, Path), ("id" = i64, Path)),
    responses((status = 204), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn drop_user(
    State(guard): State<Guard>,
    actor: Actor,
    Path(id): Path<i64>,
) -> Result<StatusCode, Fault> {
    guard.accounts.drop_user(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Key {
    id: i64,
    name: String,
    scopes: Vec<String>,
    created: String,
    last_used: Option<String>,
}

impl From<KeyRow> for Key {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            scopes: row.scopes,
            created: time(row.created),
            last_used: row.last_used.map(time),
        }
    }
}

#[utoipa::path(get, path = "/api/p/{slug}/keys", tag = "account", params(("slug" = String, Path)),
    responses((status = 200, body = List<Key>)))]
pub(crate) async fn keys(State(guard): State<Guard>) -> Result<Json<List<Key>>, Fault> {
    Ok(Json(List::whole(guard.accounts.keys().await?.into_iter().map(Into::into).collect())))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateKey {
    name: String,
    /// For example `stations:read`. A key can do no more than its maker.
    scopes: Vec<String>,
}

#[utoipa::path(post, path = "/api/p/{slug}/keys", tag = "account", request_body = CreateKey,
    params(("slug" = String, Path)), responses((status = 201, body = Once), (status = 400, body = ErrorBody)))]
pub(crate) async fn create_key(
    State(guard): State<Guard>,
    actor: Actor,
    Body(wish): Body<CreateKey>,
) -> Result<(StatusCode, Json<Once>), Fault> {
    let made = guard.accounts.create_key(Some(&actor), &wish.name, &wish.scopes, actor.driver.as_deref()).await?;
    Ok((StatusCode::CREATED, Json(Once::key(made))))
}

#[utoipa::path(delete, path = "/api/p/{slug}/keys/{id}", tag = "account",
    params(("slug" = String, Path), ("id" = i64, Path)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn drop_key(State(guard): State<Guard>, Path(id): Path<i64>) -> Result<StatusCode, Fault> {
    guard.accounts.drop_key(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
