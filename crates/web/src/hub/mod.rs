//! The hub's pages and API: who is registered, how much goes which way. There is no content to show.

mod parties;
mod partners;
mod volumes;

pub(crate) use partners::Tried;

use ::hub::{Event, Hub, HubFault};
use axum::extract::State;
use axum::response::IntoResponse;
use charge::talk::partner::Declined;
use utoipa::OpenApi;

use crate::events::{self, Change};
use crate::fault::Fault;
use crate::permission::Permission::{PartnersWrite, RoutesRead};
use crate::stage::Doorway;

pub(crate) fn routes(door: Doorway, room: Hub) -> Doorway {
    door.get("/overview", RoutesRead, room.clone(), volumes::overview)
        .get("/events", RoutesRead, room.clone(), feed)
        .get("/parties", RoutesRead, room.clone(), parties::list)
        .get("/conflicts", RoutesRead, room.clone(), parties::conflicts)
        .get("/audit", RoutesRead, room.clone(), partners::audit)
        .get("/partners", RoutesRead, room.clone(), partners::list)
        .post("/partners", PartnersWrite, room.clone(), partners::enter)
        .post("/partners/invitations", PartnersWrite, room.clone(), partners::invite)
        .post("/partners/registrations", PartnersWrite, room.clone(), partners::register)
        .put("/partners/{party}/registration", PartnersWrite, room.clone(), partners::renew)
        .delete("/partners/{party}/registration", PartnersWrite, room.clone(), partners::leave)
        .post("/partners/{party}/trial", PartnersWrite, room.clone(), partners::examine)
        .get("/partners/{party}/measures", RoutesRead, room.clone(), partners::measures)
        .put("/partners/{party}/measures/{measure}", PartnersWrite, room.clone(), partners::turn)
        .put("/partners/{party}/habits", PartnersWrite, room.clone(), partners::accustom)
        .put("/partners/{party}/standing", PartnersWrite, room.clone(), partners::suspend)
        .delete("/partners/{party}", PartnersWrite, room.clone(), partners::remove)
        .get("/losses", RoutesRead, room.clone(), volumes::losses)
        .get("/routes", RoutesRead, room.clone(), volumes::list)
        .get("/routes/{from}/{to}/{errand}", RoutesRead, room, volumes::series)
}

/// The description of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    feed,
    parties::list,
    parties::conflicts,
    partners::list,
    partners::enter,
    partners::invite,
    partners::register,
    partners::renew,
    partners::leave,
    partners::examine,
    partners::measures,
    partners::turn,
    partners::accustom,
    partners::suspend,
    partners::remove,
    partners::audit,
    volumes::overview,
    volumes::losses,
    volumes::list,
    volumes::series
))]
pub(crate) struct Description;

#[utoipa::path(get, path = "/api/p/hub/events", tag = "hub",
    responses((status = 200, description = "Server-sent events: `route`, `place`, `party`; ids of parties alone",
        content_type = "text/event-stream")))]
pub(crate) async fn feed(State(room): State<Hub>, seat: events::Seat) -> impl IntoResponse {
    events::stream(seat, room.events(), |event| {
        let (kind, id) = match event {
            Event::Route { from, to } => ("route", format!("{from}/{to}")),
            Event::Place { owner } => ("place", owner.to_string()),
            Event::Party(party) => ("party", party.to_string()),
        };
        Some(Change { kind, id })
    })
}

impl From<Declined> for Fault {
    fn from(declined: Declined) -> Self {
        match declined {
            Declined::Unknown => Self::NotFound,
            Declined::Malformed { path, why } => Self::malformed(path, format!("This {why}.")),
            Declined::Configured => {
                Self::Conflict("This partner stands in the configuration of this house; change it there.".to_owned())
            }
            Declined::CannotKeep => Self::CannotKeep,
        }
    }
}

impl From<HubFault> for Fault {
    fn from(fault: HubFault) -> Self {
        match fault {
            HubFault::Store(error) => error.into(),
            HubFault::Declined(declined) => declined.into(),
            HubFault::Denied(denial) => {
                tracing::error!(?denial, "the hub denied a page what no letter asked");
                Self::Internal
            }
        }
    }
}
