//! The operator's pages and API: wire twins of the room's views, one file per noun.

mod alarms;
mod answer;
mod bookings;
mod cdrs;
mod credit;
pub(crate) mod daily;
mod lists;
mod meters;
mod orders;
mod overview;
pub(crate) mod pay;
mod places;
mod preview;
mod quirks;
mod seconds;
mod sessions;
mod stations;
mod tariffs;
mod templates;
mod told;
mod upkeep;
mod words;

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use charge::talk::member::Membership;
use operator::{Event, Fault as RoomFault, Operator};
use trust::pki::Authority;
use utoipa::OpenApi;

use crate::events::{self, Change};
use crate::fault::Fault;
use crate::permission::Permission;
use crate::stage::Doorway;

/// What the handlers of this door work with.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) room: Operator,
    /// Signs the certificates of stations that are enrolled for security profile 3.
    pub(crate) stations: Arc<Authority>,
    pub(crate) clock: Arc<dyn charge::Clock>,
    /// Where the operator is registered at a neighbour.
    pub(crate) road: Option<Arc<dyn Membership>>,
}

pub(crate) fn routes(door: Doorway, desk: Desk) -> Doorway {
    use Permission::{
        BillingWrite, SessionsRead, StationsCommand, StationsRead, StationsWrite, TariffsRead, TariffsWrite,
    };
    desk.room.attach_authority(Arc::clone(&desk.stations));
    pay::routes(daily::routes(door, &desk), &desk)
        .get("/overview", StationsRead, desk.clone(), overview::overview)
        .get("/events", StationsRead, desk.clone(), feed)
        .get("/stations", StationsRead, desk.clone(), stations::list)
        .post("/stations", StationsWrite, desk.clone(), stations::enrol)
        .get("/stations/{id}", StationsRead, desk.clone(), stations::show)
        .delete("/stations/{id}", StationsWrite, desk.clone(), stations::retire)
        .post("/stations/{id}/key", StationsWrite, desk.clone(), stations::new_key)
        .post("/stations/{id}/key/renewal", StationsWrite, desk.clone(), stations::renew_key)
        .post("/stations/{id}/orders", StationsCommand, desk.clone(), orders::give)
        .get("/stations/{id}/log", StationsRead, desk.clone(), stations::log)
        .get("/refusals", StationsRead, desk.clone(), stations::refusals)
        .get("/alarms", StationsRead, desk.clone(), alarms::list)
        .post("/alarms/{id}/seen", StationsCommand, desk.clone(), alarms::see)
        .delete("/alarms/{id}/seen", StationsCommand, desk.clone(), alarms::unsee)
        .get("/meters", StationsRead, desk.clone(), meters::list)
        .put("/meters/{evse}", StationsWrite, desk.clone(), meters::put)
        .get("/audit", StationsRead, desk.clone(), overview::audit)
        .get("/parties", SessionsRead, desk.clone(), overview::parties)
        .get("/sessions", SessionsRead, desk.clone(), sessions::list)
        .get("/sessions/{id}", SessionsRead, desk.clone(), sessions::show)
        .get("/sessions/{id}/record", SessionsRead, desk.clone(), sessions::record)
        .get("/cdrs", SessionsRead, desk.clone(), cdrs::list)
        .get("/cdrs/{id}", SessionsRead, desk.clone(), cdrs::show)
        .post("/cdrs/{id}/credit", BillingWrite, desk.clone(), credit::give)
        .get("/tariffs", TariffsRead, desk.clone(), tariffs::list)
        .put("/tariffs/{id}", TariffsWrite, desk.clone(), tariffs::put)
        .delete("/tariffs/{id}", TariffsWrite, desk.clone(), tariffs::retire)
        .post("/tariffs/preview", TariffsRead, desk.clone(), preview::preview)
        .get("/locations", StationsRead, desk.clone(), places::list)
        .get("/locations/{id}", StationsRead, desk.clone(), places::show)
        .put("/locations/{id}", StationsWrite, desk.clone(), places::put)
        .put("/locations/{id}/head", StationsWrite, desk.clone(), places::amend)
        .put("/evses/{uid}", StationsWrite, desk.clone(), places::amend_evse)
        .put("/evses/{uid}/capabilities", StationsWrite, desk.clone(), places::amend_capabilities)
        .get("/bookings", StationsRead, desk.clone(), bookings::list)
        .post("/bookings/{id}/cancel", StationsCommand, desk.clone(), bookings::cancel)
        .get("/stations/{id}/bookings", StationsRead, desk.clone(), bookings::of_station)
        .put("/evses/{uid}/bookable", StationsWrite, desk.clone(), bookings::allow)
        .delete("/evses/{uid}/bookable", StationsWrite, desk, bookings::forbid)
}

/// The description of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    alarms::list,
    alarms::see,
    alarms::unsee,
    meters::list,
    meters::put,
    preview::preview,
    overview::overview,
    overview::audit,
    overview::parties,
    feed,
    stations::list,
    stations::enrol,
    stations::show,
    stations::retire,
    stations::new_key,
    stations::renew_key,
    stations::log,
    stations::refusals,
    orders::give,
    sessions::list,
    sessions::show,
    sessions::record,
    cdrs::list,
    cdrs::show,
    credit::give,
    tariffs::list,
    tariffs::put,
    tariffs::retire,
    places::list,
    places::show,
    places::put,
    places::amend,
    places::amend_evse,
    places::amend_capabilities,
    bookings::list,
    bookings::cancel,
    bookings::of_station,
    bookings::allow,
    bookings::forbid
))]
pub(crate) struct Description;

#[utoipa::path(get, path = "/api/p/operator/events", tag = "operator",
    responses((status = 200, description = "Server-sent events: what changed, by id", content_type = "text/event-stream")))]
pub(crate) async fn feed(State(desk): State<Desk>, seat: events::Seat) -> impl IntoResponse {
    events::stream(seat, desk.room.events(), |event| {
        let (kind, id) = match event {
            Event::Station(id) => ("station", id.to_string()),
            Event::Evse { station, .. } => ("evse", station.to_string()),
            Event::Session(id) => ("session", id.to_string()),
            Event::Cdr(id) => ("cdr", id.to_string()),
            Event::Refusal => ("refusal", String::new()),
            Event::Order(id) => ("order", id.to_string()),
        };
        Some(Change { kind, id })
    })
}

impl From<RoomFault> for Fault {
    fn from(fault: RoomFault) -> Self {
        match fault {
            RoomFault::NotFound(_) => Self::NotFound,
            RoomFault::Conflict(why) => Self::Conflict(why),
            RoomFault::Invalid { path, why } => Self::malformed(path, why),
            RoomFault::Store(error) => error.into(),
        }
    }
}
