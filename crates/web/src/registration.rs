//! Where an operator or a provider is registered, and how it comes there, renews and leaves: steps with what to ask of
//! the other side, and what was done so far.
//!
//! The other side is the one neighbour that the configuration names; a hub has its own routes for its many partners.
//! Invariant: a token that a person brings is passed on and never shown again.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use charge::Secret;
use charge::id::PartyId;
use charge::talk::member::{Deed, Membership, Standing as Stands};
use charge::talk::partner::Beginning;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::hub::Tried;
use crate::permission::Permission::{PartnersWrite, RoutesRead};
use crate::shape::time;
use crate::stage::{Body, Doorway};

type Road = Arc<dyn Membership>;

pub(crate) fn routes(door: Doorway, road: Road) -> Doorway {
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
    /// The tokens stand in the configuration and were never exchanged; nobody renews them by itself.
    configured: bool,
    /// When the house renews by itself.
    renews: Option<String>,
    /// The last renewal, where it did not hold. The tokens of before are still used.
    failed_renewal: Option<Done>,
    /// What was done, the newest first.
    deeds: Vec<Done>,
}

/// What was done about a registration.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RegistrationDeed)]
pub(crate) struct Done {
    at: String,
    /// Who did it; nobody where the house did it by itself.
    by: Option<String>,
    /// `register`, `renew` or `leave`.
    what: &'static str,
    held: bool,
    /// What was seen at the step that did not hold.
    found: Option<String>,
    /// What to ask of the other side.
    advice: Option<String>,
}

impl From<&Deed> for Done {
    fn from(deed: &Deed) -> Self {
        let fault = deed.fault.as_ref();
        Self {
            at: time(deed.at),
            by: deed.by.clone(),
            what: deed.what.as_str(),
            held: fault.is_none(),
            found: fault.map(|fault| fault.found.clone()),
            advice: fault.and_then(|fault| fault.advice.clone()),
        }
    }
}

impl From<Stands> for Standing {
    fn from(stands: Stands) -> Self {
        let known = stands.registered.as_ref();
        Self {
            party: stands.neighbour.to_string(),
            registered: known.is_some(),
            name: known.map(|known| known.name.clone()),
            versions_url: known.map(|known| known.versions_url.clone()),
            version: known.and_then(|known| known.version.as_deref().map(str::to_owned)),
            configured: stands.configured,
            renews: stands.renews.map(time),
            failed_renewal: stands.failed_renewal().map(Into::into),
            deeds: stands.deeds.iter().map(Into::into).collect(),
        }
    }
}

#[utoipa::path(get, path = "/api/p/{slug}/registration", tag = "road", params(("slug" = String, Path)),
    responses((status = 200, body = Standing), (status = 404, description = "The neighbour does not speak OCPI")))]
pub(crate) async fn show(State(road): State<Road>) -> Result<Json<Standing>, Fault> {
    Ok(Json(road.standing().await?.into()))
}

#[utoipa::path(post, path = "/api/p/{slug}/registration", tag = "road", params(("slug" = String, Path)),
    request_body = Platform, responses((status = 200, body = Tried), (status = 400, body = ErrorBody)))]
pub(crate) async fn register(
    State(road): State<Road>,
    actor: Actor,
    Body(wish): Body<Platform>,
) -> Result<Json<Tried>, Fault> {
    Ok(Json(road.register(&actor.name, wish.beginning(road.neighbour())).await?.into()))
}

#[utoipa::path(put, path = "/api/p/{slug}/registration", tag = "road", params(("slug" = String, Path)),
    responses((status = 200, body = Tried), (status = 404, body = ErrorBody)))]
pub(crate) async fn renew(State(road): State<Road>, actor: Actor) -> Result<Json<Tried>, Fault> {
    Ok(Json(road.renew(&actor.name).await?.into()))
}

#[utoipa::path(delete, path = "/api/p/{slug}/registration", tag = "road", params(("slug" = String, Path)),
    responses((status = 200, body = Tried), (status = 404, body = ErrorBody)))]
pub(crate) async fn leave(State(road): State<Road>, actor: Actor) -> Result<Json<Tried>, Fault> {
    Ok(Json(road.leave(&actor.name).await?.into()))
}
