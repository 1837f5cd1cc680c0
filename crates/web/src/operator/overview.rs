//! The operator at a glance, what its people did, and the parties it deals with.

use axum::Json;
use axum::extract::State;
use charge::talk::member::{Deed, DeedKind};
use serde::Serialize;
use utoipa::ToSchema;

use super::Desk;
use crate::fault::Fault;
use crate::shape::{List, Paging, time};
use crate::stage::Query;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Overview {
    stations: Stations,
    evses: Evses,
    sessions: Sessions,
    cdrs: Cdrs,
    power_now_w: i64,
    refusals_today: u32,
    /// That stand and that nobody has seen.
    alarms: usize,
    power_history: Vec<PowerPoint>,
    /// Lines that the message log dropped under load since the start.
    log_dropped: u64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverviewStations)]
pub(crate) struct Stations {
    total: u32,
    connected: u32,
    faulted: u32,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverviewEvses)]
pub(crate) struct Evses {
    available: u32,
    charging: u32,
    faulted: u32,
    other: u32,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverviewSessions)]
pub(crate) struct Sessions {
    active: u32,
    today: u32,
    energy_today_wh: i64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverviewCdrs)]
pub(crate) struct Cdrs {
    waiting: u32,
    refused: u32,
    delivered_today: u32,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PowerPoint {
    at: String,
    power_w: i64,
}

#[utoipa::path(get, path = "/api/p/operator/overview", tag = "operator", responses((status = 200, body = Overview)))]
pub(crate) async fn overview(State(desk): State<Desk>) -> Result<Json<Overview>, Fault> {
    let seen = desk.room.overview().await?;
    let alarms = desk.room.alarms().await?.iter().filter(|alarm| alarm.seen.is_none()).count();
    let point =
        |(at, power): (charge::Timestamp, charge::units::Power)| PowerPoint { at: time(at), power_w: power.watts() };
    Ok(Json(Overview {
        stations: Stations { total: seen.stations, connected: seen.stations_connected, faulted: seen.stations_faulted },
        evses: Evses {
            available: seen.evses_available,
            charging: seen.evses_charging,
            faulted: seen.evses_faulted,
            other: seen.evses_other,
        },
        sessions: Sessions {
            active: seen.sessions_active,
            today: seen.sessions_today,
            energy_today_wh: seen.energy_today.wh(),
        },
        cdrs: Cdrs {
            waiting: seen.cdrs_waiting,
            refused: seen.cdrs_refused,
            delivered_today: seen.cdrs_delivered_today,
        },
        power_now_w: seen.power_now.watts(),
        refusals_today: seen.refusals_today,
        alarms,
        power_history: seen.power_history.into_iter().map(point).collect(),
        log_dropped: seen.log_dropped,
    }))
}

/// What a person did to a station or a tariff.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditLine {
    at: String,
    actor: String,
    action: String,
    subject: String,
    outcome: String,
}

#[utoipa::path(get, path = "/api/p/operator/audit", tag = "operator", params(Paging),
    responses((status = 200, body = List<AuditLine>)))]
pub(crate) async fn audit(
    State(desk): State<Desk>,
    Query(paging): Query<Paging>,
) -> Result<Json<List<AuditLine>>, Fault> {
    let mut found = desk.room.audit(paging.limit()).await?;
    if let Some(road) = &desk.road {
        let neighbour = road.neighbour().to_string();
        found.extend(road.standing().await?.deeds.into_iter().map(|deed| line_of(deed, &neighbour)));
        found.sort_by_key(|line| std::cmp::Reverse(line.at));
    }
    let twin = |line: operator::view::AuditLine| AuditLine {
        at: time(line.at),
        actor: line.actor,
        action: line.action,
        subject: line.subject,
        outcome: line.outcome,
    };
    let limit = usize::try_from(paging.limit()).unwrap_or(usize::MAX);
    Ok(Json(List::whole(found.into_iter().take(limit).map(twin).collect())))
}

/// What was done about the registration at the neighbour, among everything else that people did.
fn line_of(deed: Deed, neighbour: &str) -> operator::view::AuditLine {
    let action = match deed.what {
        DeedKind::Register => "register at partner",
        DeedKind::Renew => "renew credentials",
        DeedKind::Leave => "withdraw from partner",
    };
    operator::view::AuditLine {
        at: deed.at,
        actor: deed.by.unwrap_or_else(|| "this house".to_owned()),
        action: action.to_owned(),
        subject: neighbour.to_owned(),
        outcome: deed.fault.map_or_else(|| "done".to_owned(), |fault| fault.found),
    }
}

/// A provider, as far as this operator deals with it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OperatorParty)]
pub(crate) struct Party {
    party: String,
    sessions: u32,
    cdrs: u32,
    cdrs_waiting: u32,
    last_session: Option<String>,
}

#[utoipa::path(get, path = "/api/p/operator/parties", tag = "operator", responses((status = 200, body = List<Party>)))]
pub(crate) async fn parties(State(desk): State<Desk>) -> Result<Json<List<Party>>, Fault> {
    let twin = |card: operator::view::PartyCard| Party {
        party: card.party.to_string(),
        sessions: card.sessions,
        cdrs: card.cdrs,
        cdrs_waiting: card.cdrs_waiting,
        last_session: card.last_session.map(time),
    };
    Ok(Json(List::whole(desk.room.parties().await?.into_iter().map(twin).collect())))
}
