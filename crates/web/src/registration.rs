//! Where an operator or a provider is registered, and how it comes there, renews and leaves: steps with what to ask of
//! the other side.
//!
//! The other side is the one neighbour that the configuration names; a hub has its own routes for its many partners.
//! Invariant: a token that a person brings is passed on and never shown again.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use charge::Secret;
use charge::id::PartyId;
use charge::talk::partner::{Beginning, Registered, Registrar};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use crate::fault::{ErrorBody, Fault};
use crate::hub::Tried;
use crate::permission::Permission::{PartnersWrite, RoutesRead};
use crate::stage::{Body, Doorway};

/// Who goes to a party's one neighbour in its name.
#[derive(Clone)]
pub struct Neighbourhood {
    pub registrar: Arc<dyn Registrar>,
    /// The neighbour: a hub, or whoever stands in the place of one.
    pub neighbour: PartyId,
}

pub(crate) fn routes(door: Doorway, road: Neighbourhood) -> Doorway {
    door.get("/registration", RoutesRead, road.clone(), show)
        .post("/registration", PartnersWrite, road.clone(), register)
        .put("/registration", PartnersWrite, road.clone(), renew)
        .delete("/registration", PartnersWrite, road, leave)
}

/// The description of these routes.
#[derive(OpenApi)]
#[openapi(paths(show, register, renew, leave))]
pub(crate) struct Description;

/// A platform that wants us to begin.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RegistrationPlatform)]
pub(crate) struct Platform {
    /// Its list of versions, an https URL.
    versions_url: String,
    /// The token A that its people gave to ours; good for one registration.
    token: String,
    /// Authorities that its certificate may come from, in PEM; absent for those that are believed anyway.
    roots_pem: Option<String>,
    /// It may have addresses that are not public.
    #[serde(default)]
    local: bool,
}

impl Platform {
    pub(crate) fn beginning(self, party: PartyId) -> Beginning {
        Beginning {
            party,
            versions_url: self.versions_url.trim().to_owned(),
            token: Secret::new(self.token.trim().to_owned()),
            roots_pem: self.roots_pem.filter(|pem| !pem.trim().is_empty()),
            local: self.local,
        }
    }
}

/// Where the party is registered, as far as it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Registration)]
pub(crate) struct Standing {
    /// Whom the configuration names as the neighbour.
    party: String,
    registered: bool,
    /// As the neighbour calls itself.
    name: Option<String>,
    versions_url: Option<String>,
    /// The version of OCPI that was agreed on.
    version: Option<String>,
}

#[utoipa::path(get, path = "/api/p/{slug}/registration", tag = "road", params(("slug" = String, Path)),
    responses((status = 200, body = Standing)))]
pub(crate) async fn show(State(road): State<Neighbourhood>) -> Json<Standing> {
    let known = road.registrar.registered().await.into_iter().find(|each| each.party == road.neighbour);
    let registered = known.is_some();
    let (name, versions_url, version) = match known {
        Some(Registered { name, versions_url, version, .. }) => {
            (Some(name), Some(versions_url), version.map(String::from))
        }
        None => (None, None, None),
    };
    Json(Standing { party: road.neighbour.to_string(), registered, name, versions_url, version })
}

#[utoipa::path(post, path = "/api/p/{slug}/registration", tag = "road", params(("slug" = String, Path)),
    request_body = Platform, responses((status = 200, body = Tried), (status = 400, body = ErrorBody)))]
pub(crate) async fn register(
    State(road): State<Neighbourhood>,
    Body(wish): Body<Platform>,
) -> Result<Json<Tried>, Fault> {
    Ok(Json(road.registrar.register(wish.beginning(road.neighbour)).await?.into()))
}

#[utoipa::path(put, path = "/api/p/{slug}/registration", tag = "road", params(("slug" = String, Path)),
    responses((status = 200, body = Tried), (status = 404, body = ErrorBody)))]
pub(crate) async fn renew(State(road): State<Neighbourhood>) -> Result<Json<Tried>, Fault> {
    Ok(Json(road.registrar.renew(road.neighbour).await?.into()))
}

#[utoipa::path(delete, path = "/api/p/{slug}/registration", tag = "road", params(("slug" = String, Path)),
    responses((status = 200, body = Tried), (status = 404, body = ErrorBody)))]
pub(crate) async fn leave(State(road): State<Neighbourhood>) -> Result<Json<Tried>, Fault> {
    Ok(Json(road.registrar.leave(road.neighbour).await?.into()))
}
