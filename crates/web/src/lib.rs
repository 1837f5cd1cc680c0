//! The door for people: pages, a REST API and live events. It decides nothing.
//!
//! Every request passes three stages ([`stage`]): actor, permission, body. Wire twins of the rooms' views stand in one
//! file per noun below [`operator`], [`hub`], [`provider`] and [`driver`]. What a party's people may do is one table
//! ([`permission`]); who they are is in the party's own database ([`accounts`]).

pub mod accounts;
mod assets;
mod driver;
mod events;
mod evidence;
pub mod fault;
mod hub;
mod openapi;
mod operator;
pub mod permission;
mod provider;
mod registration;
mod shape;
mod shelf;
mod signing_in;
mod stage;

use std::sync::Arc;

use ::hub::Hub;
use ::operator::Operator;
use ::provider::Provider;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use charge::Clock;
use charge::id::PartyId;
use charge::talk::member::Membership;
use serde::Serialize;
use trust::pki::Authority;
use utoipa::ToSchema;

use accounts::Accounts;
use permission::Permission;
use shape::{List, time};
use stage::{Doorway, Guard, Route};

/// A party of this house and the door to it.
pub struct PartyDoor {
    /// Part of its addresses: `/api/p/<slug>`.
    pub slug: String,
    pub name: String,
    pub party: PartyId,
    pub room: Room,
    pub accounts: Accounts,
    /// Of an operator or a provider that speaks OCPI with its neighbour.
    pub road: Option<Arc<dyn Membership>>,
    /// The party's figures in the text format of Prometheus: counts and times, nothing of a person.
    pub metrics: Metrics,
}

/// Makes the text of a party's figures.
pub type Metrics = Arc<dyn Fn() -> String + Send + Sync>;

/// The room behind a door.
pub enum Room {
    /// With the authority that signs the certificates of its stations.
    Operator(Operator, Arc<Authority>),
    Hub(Hub),
    Provider(Provider),
}

/// Everything that people can reach.
pub struct House {
    pub doors: Vec<PartyDoor>,
    /// The clock that the rooms live by.
    pub clock: Arc<dyn Clock>,
    /// In a demo: how many times faster than real its clock runs.
    pub demo: Option<u32>,
}

/// Routes, for whoever listens.
pub type Routes = Router;

/// All routes of a house: the API below `/api`, the pages everywhere else.
pub fn router(house: House) -> Router {
    assets::with_pages(api(house).0)
}

/// The API and the table of its guarded routes.
fn api(house: House) -> (Router, Vec<Route>) {
    let known: Vec<Party> = house.doors.iter().map(Party::from).collect();
    let (clock, factor) = (Arc::clone(&house.clock), house.demo);
    let parties = async move || {
        Json(Parties {
            list: List::whole(known.clone()),
            demo: factor.is_some(),
            clock_factor: factor.unwrap_or(1),
            now: time(clock.now()),
        })
    };
    let mut router = Router::new()
        .route("/api/parties", get(parties))
        .route("/api/openapi.json", get(async || Json(openapi::document())))
        .route("/health", get(async || "ok\n"));
    let mut table = Vec::new();
    for door in house.doors {
        let guard = Guard { slug: door.slug.as_str().into(), accounts: door.accounts, seats: events::Seats::default() };
        let way = signing_in::routes(Doorway::new(guard.clone()), guard.clone());
        let way = way.get("/metrics", Permission::Metrics, door.metrics, metrics);
        let way = match &door.road {
            Some(road) => registration::routes(way, Arc::clone(road)),
            None => way,
        };
        let way = match door.room {
            Room::Operator(room, stations) => {
                let clock = Arc::clone(&house.clock);
                operator::routes(way, operator::Desk { room, stations, clock, road: door.road })
            }
            Room::Hub(room) => hub::routes(way, room),
            Room::Provider(room) => driver::routes(provider::routes(way, room.clone(), guard.clone()), room, guard),
        };
        let (routes, added) = way.finish();
        router = router.merge(routes);
        table.extend(added);
    }
    (router, table)
}

#[utoipa::path(get, path = "/api/p/{slug}/metrics", tag = "account", params(("slug" = String, Path)),
    responses((status = 200, description = "Figures in the text format of Prometheus", content_type = "text/plain")))]
pub(crate) async fn metrics(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics())
}

/// Who lives here, and what time it is for them.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Parties {
    #[serde(flatten)]
    list: List<Party>,
    /// This is a demo: data is made up.
    demo: bool,
    /// The rooms' clock runs so many times faster than real.
    clock_factor: u32,
    /// The rooms' time, for "a minute ago".
    now: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PartyOfHouse)]
struct Party {
    slug: String,
    /// `operator`, `hub` or `provider`.
    role: &'static str,
    name: String,
    party: String,
}

impl From<&PartyDoor> for Party {
    fn from(door: &PartyDoor) -> Self {
        let role = match door.room {
            Room::Operator(..) => "operator",
            Room::Hub(_) => "hub",
            Room::Provider(_) => "provider",
        };
        Self { slug: door.slug.clone(), role, name: door.name.clone(), party: door.party.to_string() }
    }
}

#[cfg(test)]
mod tests;
