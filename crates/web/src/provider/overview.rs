//! The provider at a glance, and what its security officer should look at.

use ::provider::{Alarm as RoomAlarm, Provider};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::fault::Fault;
use crate::shape::{List, time};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderOverview)]
pub(crate) struct Overview {
    drivers: usize,
    cards: usize,
    /// Cards that the hub knows in their present state.
    cards_indexed: usize,
    /// Charging locations that drivers can see.
    places: i64,
    sessions: Sessions,
    cdrs: Cdrs,
    disputes_open: i64,
    invoices: Invoices,
    alarms: usize,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderOverviewSessions)]
pub(crate) struct Sessions {
    active: i64,
    /// Begun since midnight UTC.
    today: i64,
    energy_today_wh: i64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderOverviewCdrs)]
pub(crate) struct Cdrs {
    total: i64,
    /// Received since midnight UTC, like the two below.
    today: i64,
    /// Their signed records are valid, with remarks or without.
    valid: i64,
    not_valid: i64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderOverviewInvoices)]
pub(crate) struct Invoices {
    open: i64,
    issued: i64,
}

#[utoipa::path(get, path = "/api/p/{slug}/overview", tag = "provider", params(("slug" = String, Path)),
    responses((status = 200, body = Overview)))]
pub(crate) async fn overview(State(room): State<Provider>) -> Result<Json<Overview>, Fault> {
    let seen = room.overview().await?;
    Ok(Json(Overview {
        drivers: seen.drivers,
        cards: seen.cards,
        cards_indexed: seen.cards_indexed,
        places: seen.places,
        sessions: Sessions {
            active: seen.sessions_active,
            today: seen.sessions_today,
            energy_today_wh: seen.energy_today.wh(),
        },
        cdrs: Cdrs {
            total: seen.cdrs,
            today: seen.cdrs_today,
            valid: seen.cdrs_today_valid,
            not_valid: seen.cdrs_today_not_valid,
        },
        disputes_open: seen.disputes_open,
        invoices: Invoices { open: seen.invoices_open, issued: seen.invoices_issued },
        alarms: seen.alarms,
    }))
}

/// What a party did that it should not have done. Says nothing about a driver.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Alarm {
    at: String,
    party: String,
    kind: String,
}

#[utoipa::path(get, path = "/api/p/{slug}/alarms", tag = "provider", params(("slug" = String, Path)),
    responses((status = 200, body = List<Alarm>)))]
pub(crate) async fn alarms(State(room): State<Provider>) -> Result<Json<List<Alarm>>, Fault> {
    let twin = |alarm: RoomAlarm| Alarm { at: time(alarm.at), party: alarm.party.to_string(), kind: alarm.kind };
    Ok(Json(List::whole(room.alarms().await?.into_iter().map(twin).collect())))
}
