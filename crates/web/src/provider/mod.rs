//! The clerk's pages and API of a provider: wire twins of the room's views, one file per noun.
//!
//! Clerks see drivers and their money. What a driver does on the road they see as far as billing and disputes need it.

mod cards;
mod cdrs;
mod disputes;
mod drivers;
pub(crate) mod invoices;
mod meters;
mod overview;
mod sessions;

use ::provider::{Event, Provider, ProviderFault, Refusal};
use axum::extract::State;
use axum::response::IntoResponse;
use utoipa::OpenApi;

pub(crate) use cards::{Card, set as set_card};
pub(crate) use sessions::{SessionPlace, state};

use crate::events::{self, Change};
use crate::fault::Fault;
use crate::permission::Permission;
use crate::stage::{Doorway, Guard};

/// What the handlers of this door work with.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) room: Provider,
    /// A driver who signs up gets a login.
    pub(crate) guard: Guard,
}

pub(crate) fn routes(door: Doorway, room: Provider, guard: Guard) -> Doorway {
    use Permission::{BillingWrite, DriversRead, DriversWrite, SessionsRead};
    let desk = Desk { room: room.clone(), guard };
    door.get("/overview", SessionsRead, room.clone(), overview::overview)
        .get("/alarms", SessionsRead, room.clone(), overview::alarms)
        .get("/events", SessionsRead, room.clone(), feed)
        .get("/drivers", DriversRead, room.clone(), drivers::list)
        .post("/drivers", DriversWrite, desk, drivers::sign_up)
        .put("/drivers/{id}/contract", DriversWrite, room.clone(), drivers::set_contract)
        .get("/cards", DriversRead, room.clone(), cards::list)
        .post("/cards", DriversWrite, room.clone(), cards::add)
        .post("/cards/{id}/block", DriversWrite, room.clone(), cards::block)
        .post("/cards/{id}/unblock", DriversWrite, room.clone(), cards::unblock)
        .get("/sessions", SessionsRead, room.clone(), sessions::list)
        .get("/cdrs", SessionsRead, room.clone(), cdrs::list)
        .get("/disputes", SessionsRead, room.clone(), disputes::list)
        .post("/disputes/{id}", BillingWrite, room.clone(), disputes::settle)
        .put("/meters", BillingWrite, room.clone(), meters::put)
        .get("/invoices", SessionsRead, room.clone(), invoices::list)
        .get("/invoices/{id}", SessionsRead, room.clone(), invoices::show)
        .post("/invoices/{id}/issue", BillingWrite, room, invoices::issue)
}

/// The description of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    overview::overview,
    overview::alarms,
    feed,
    drivers::list,
    drivers::sign_up,
    drivers::set_contract,
    cards::list,
    cards::add,
    cards::block,
    cards::unblock,
    sessions::list,
    cdrs::list,
    disputes::list,
    disputes::settle,
    meters::put,
    invoices::list,
    invoices::show,
    invoices::issue
))]
pub(crate) struct Description;

#[utoipa::path(get, path = "/api/p/{slug}/events", tag = "provider", params(("slug" = String, Path)),
    responses((status = 200, description = "Server-sent events: `session`, `cdr`, `dispute`, `invoice`, `place`; ids alone",
        content_type = "text/event-stream")))]
pub(crate) async fn feed(State(room): State<Provider>, seat: events::Seat) -> impl IntoResponse {
    events::stream(seat, room.events(), |event| {
        let (kind, id) = match event {
            Event::Session { no, .. } => ("session", no.to_string()),
            Event::Place { location, .. } => ("place", location.to_string()),
            Event::Cdr(no) => ("cdr", no.to_string()),
            Event::Dispute(no) => ("dispute", no.to_string()),
            Event::Invoice { no, .. } => ("invoice", no.to_string()),
            // an order is between the driver and the station
            Event::Order { .. } | Event::Booking { .. } => return None,
        };
        Some(Change { kind, id })
    })
}

impl From<ProviderFault> for Fault {
    fn from(fault: ProviderFault) -> Self {
        match fault {
            ProviderFault::Store(error) => error.into(),
            ProviderFault::Refused(refusal) => refusal.into(),
            ProviderFault::Seal(_) | ProviderFault::Id(_) | ProviderFault::TooLarge | ProviderFault::Denied(_) => {
                tracing::error!(%fault, "a wish of a page could not be dealt with");
                Self::Internal
            }
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoSuchDriver
            | Refusal::NoSuchCard
            | Refusal::NoSuchPlace
            | Refusal::NoSuchSession
            | Refusal::NoSuchOrder
            | Refusal::NoSuchDispute
            | Refusal::NoSuchBooking
            | Refusal::NoSuchInvoice => Self::NotFound,
            Refusal::CardTaken
            | Refusal::NotAvailable
            | Refusal::NoPrice
            | Refusal::PriceChanged
            | Refusal::NotAllowed(_)
            | Refusal::SessionOver
            | Refusal::BookingOver
            | Refusal::NotChanged
            | Refusal::NoAnswer
            | Refusal::DisputeSettled
            | Refusal::InvoiceIssued
            | Refusal::InvoiceEmpty => Self::Conflict(sentence(refusal)),
            Refusal::KeyUnreadable => Self::malformed("/key", sentence(refusal)),
        }
    }
}

/// A refusal as a sentence of its own.
fn sentence(refusal: Refusal) -> String {
    let words = refusal.to_string();
    let mut letters = words.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// A number from a path: what is none, nobody has.
pub(crate) fn number(text: &str) -> Result<i64, Fault> {
    text.parse().map_err(|_| Fault::NotFound)
}

/// Counts of a room are never negative.
pub(crate) fn total(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}
