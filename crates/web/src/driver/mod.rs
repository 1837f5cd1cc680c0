//! The driver's pages and API: places, prices, start and stop, sessions, invoices, cards. Only ever their own.
//!
//! Whose they are is taken from the login and from nothing that a request says. An id of somebody else and an id of
//! nobody get the same answer.

mod bookings;
mod cards;
mod contract;
mod invoices;
mod keys;
mod limits;
mod orders;
mod places;
mod sessions;

use ::provider::{DriverId, Event, Provider};
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::IntoResponse;
use utoipa::OpenApi;

use crate::accounts::Actor;
use crate::events::{self, Change};
use crate::fault::Fault;
use crate::permission::Permission::Drive;
use crate::stage::{Doorway, Guard};

pub(crate) fn routes(door: Doorway, room: Provider, guard: Guard) -> Doorway {
    door.get("/driver/contract", Drive, room.clone(), contract::show)
        .get("/driver/events", Drive, room.clone(), feed)
        .get("/driver/places", Drive, room.clone(), places::list)
        .get("/driver/places/{operator}/{location}", Drive, room.clone(), places::show)
        .get("/driver/places/{operator}/{location}/bookable", Drive, room.clone(), bookings::bookable)
        .get("/driver/bookings", Drive, room.clone(), bookings::list)
        .post("/driver/bookings", Drive, room.clone(), bookings::book)
        .put("/driver/bookings/{id}", Drive, room.clone(), bookings::change)
        .delete("/driver/bookings/{id}", Drive, room.clone(), bookings::cancel)
        .post("/driver/start", Drive, room.clone(), orders::start)
        .get("/driver/orders", Drive, room.clone(), orders::list)
        .get("/driver/orders/{id}", Drive, room.clone(), orders::show)
        .get("/driver/sessions", Drive, room.clone(), sessions::list)
        .get("/driver/sessions/{id}", Drive, room.clone(), sessions::show)
        .get("/driver/sessions/{id}/record", Drive, room.clone(), sessions::record)
        .post("/driver/sessions/{id}/stop", Drive, room.clone(), orders::stop)
        .get("/driver/sessions/{id}/limit", Drive, room.clone(), limits::show)
        .post("/driver/sessions/{id}/limit", Drive, room.clone(), limits::set)
        .delete("/driver/sessions/{id}/limit", Drive, room.clone(), limits::free)
        .post("/driver/sessions/{id}/plan", Drive, room.clone(), limits::look)
        .get("/driver/invoices", Drive, room.clone(), invoices::list)
        .get("/driver/invoices/{id}", Drive, room.clone(), invoices::show)
        .get("/driver/cards", Drive, room.clone(), cards::list)
        .post("/driver/cards/{id}/block", Drive, room.clone(), cards::block)
        .post("/driver/cards/{id}/unblock", Drive, room, cards::unblock)
        .get("/driver/keys", Drive, guard.clone(), keys::list)
        .post("/driver/keys", Drive, guard.clone(), keys::create)
        .delete("/driver/keys/{id}", Drive, guard, keys::end)
}

/// The description of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    contract::show,
    feed,
    places::list,
    places::show,
    bookings::bookable,
    bookings::list,
    bookings::book,
    bookings::change,
    bookings::cancel,
    orders::start,
    orders::list,
    orders::show,
    orders::stop,
    sessions::list,
    sessions::show,
    sessions::record,
    limits::show,
    limits::set,
    limits::free,
    limits::look,
    invoices::list,
    invoices::show,
    cards::list,
    cards::block,
    cards::unblock,
    keys::list,
    keys::create,
    keys::end
))]
pub(crate) struct Description;

/// The driver who makes the request: the one that the login was made for.
pub(crate) struct Own(pub(crate) DriverId);

impl<S: Send + Sync> FromRequestParts<S> for Own {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let actor = Actor::from_request_parts(parts, state).await?;
        let driver = actor.driver.and_then(|id| DriverId::new(&id).ok());
        driver.map(Self).ok_or(Fault::NotPermitted)
    }
}

#[utoipa::path(get, path = "/api/p/{slug}/driver/events", tag = "driver", params(("slug" = String, Path)),
    responses((status = 200,
        description = "Server-sent events: `session`, `order`, `booking`, `invoice` of the driver, `place` for everybody; ids alone",
        content_type = "text/event-stream")))]
pub(crate) async fn feed(State(room): State<Provider>, Own(me): Own, seat: events::Seat) -> impl IntoResponse {
    events::stream(seat, room.events(), move |event| own(&me, event))
}

/// What this driver may hear of.
fn own(me: &DriverId, event: Event) -> Option<Change> {
    match event {
        Event::Session { driver, no } if driver == *me => Some(Change { kind: "session", id: no.to_string() }),
        Event::Booking { driver, id } if driver == *me => Some(Change { kind: "booking", id: id.to_string() }),
        Event::Order { driver, id } if driver == *me => Some(Change { kind: "order", id: id.to_string() }),
        Event::Invoice { driver, no } if driver == *me => Some(Change { kind: "invoice", id: no.to_string() }),
        Event::Place { location, .. } => Some(Change { kind: "place", id: location.to_string() }),
        Event::Session { .. }
        | Event::Order { .. }
        | Event::Booking { .. }
        | Event::Invoice { .. }
        | Event::Cdr(_)
        | Event::Dispute(_) => None,
    }
}
