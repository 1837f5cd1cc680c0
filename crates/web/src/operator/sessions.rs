//! Sessions: lists, one session with its curve, cost lines and evidence, its signed records for download.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use charge::id::SessionId;
use operator::session::State as RoomState;
use operator::view::{SessionCard, SessionFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Desk;
use super::stations::{filled, page, station};
use crate::evidence::{CostLine, CurvePoint, Evidence, download};
use crate::fault::{ErrorBody, Fault};
use crate::shape::{Amount, List, Paging, time};
use crate::stage::{Path, Query};

/// A session, without anything about its driver.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OperatorSession)]
pub(crate) struct Session {
    id: String,
    station: String,
    evse: Option<String>,
    location: Option<String>,
    location_name: Option<String>,
    start: String,
    end: Option<String>,
    end_reason: Option<String>,
    /// `waiting`, `active`, `refused`, `unclaimed`, `ended`, `closed` or `void`.
    state: &'static str,
    energy_wh: i64,
    power_w: Option<i64>,
    /// With VAT, so far or as closed.
    cost: Option<Amount>,
    provider: Option<String>,
    /// Who charges is the provider's knowledge alone.
    token: &'static str,
    /// Started from afar.
    remote: bool,
    /// Readings that were flagged and are not billed, and other things to look at.
    flags: Vec<String>,
    cdr: Option<String>,
}

const fn state(state: RoomState) -> &'static str {
    match state {
        RoomState::Waiting => "waiting",
        RoomState::Active => "active",
        RoomState::Refused => "refused",
        RoomState::Unclaimed => "unclaimed",
        RoomState::Ended => "ended",
        RoomState::Closed => "closed",
        RoomState::Void => "void",
    }
}

impl From<SessionCard> for Session {
    fn from(card: SessionCard) -> Self {
        let cost = card.cost.map(|(price, currency)| Amount::gross(&price, currency));
        Self {
            id: card.id.to_string(),
            station: card.station.to_string(),
            evse: card.evse.map(|uid| uid.to_string()),
            location: card.location.map(|id| id.to_string()),
            location_name: card.location_name,
            start: time(card.start),
            end: card.end.map(time),
            end_reason: card.end_reason,
            state: state(card.state),
            energy_wh: card.energy.wh(),
            power_w: card.power.map(|power| power.watts()),
            cost,
            provider: card.provider.map(|party| party.to_string()),
            token: "known to the provider",
            remote: card.remote,
            flags: card.flags,
            cdr: card.cdr.map(|id| id.to_string()),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SessionQuery {
    /// `active` or `ended`.
    state: Option<String>,
    station: Option<String>,
    /// Found in session, station, EVSE or provider.
    query: Option<String>,
    offset: Option<u32>,
    limit: Option<u32>,
}

#[utoipa::path(get, path = "/api/p/operator/sessions", tag = "operator", params(SessionQuery),
    responses((status = 200, body = List<Session>)))]
pub(crate) async fn list(
    State(desk): State<Desk>,
    Query(query): Query<SessionQuery>,
) -> Result<Json<List<Session>>, Fault> {
    let paging = Paging { offset: query.offset, limit: query.limit };
    let running = match query.state.as_deref() {
        Some("active") => Some(true),
        Some("ended") => Some(false),
        _ => None,
    };
    let wanted = filled(query.station).map(|id| station(&id)).transpose()?;
    let filter = SessionFilter { running, station: wanted, query: filled(query.query), page: page(&paging) };
    let found = desk.room.sessions(filter).await?;
    Ok(Json(List::page(found.items.into_iter().map(Into::into).collect(), found.total.into(), paging.offset())))
}

/// A session with all that is known of it here.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OperatorSessionDetail)]
pub(crate) struct SessionDetail {
    #[serde(flatten)]
    session: Session,
    curve: Vec<CurvePoint>,
    tariff: Option<SessionTariff>,
    lines: Vec<CostLine>,
    evidence: Evidence,
    /// Signed records that can be downloaded.
    records: usize,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionTariff {
    id: String,
    text: Option<String>,
}

#[utoipa::path(get, path = "/api/p/operator/sessions/{id}", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = SessionDetail), (status = 404, body = ErrorBody)))]
pub(crate) async fn show(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Json<SessionDetail>, Fault> {
    let page = desk.room.session(&session(&id)?).await?;
    let currency = page.tariff.as_ref().map_or(charge::money::Currency::EUR, |tariff| tariff.currency);
    let point = |point: operator::view::CurvePoint| CurvePoint {
        at: time(point.at),
        power_w: point.power.map(|power| power.watts()),
        energy_wh: point.energy.map(|energy| energy.wh()),
        flaw: point.flaw,
    };
    Ok(Json(SessionDetail {
        curve: page.curve.into_iter().map(point).collect(),
        tariff: page.tariff.map(|tariff| SessionTariff { id: tariff.id.to_string(), text: tariff.text }),
        lines: page.lines.iter().map(|line| CostLine::of(line, currency)).collect(),
        evidence: page.evidence.into(),
        records: page.records,
        session: page.card.into(),
    }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RecordQuery {
    /// `json` for our own evidence file; otherwise the XML of the transparency software.
    format: Option<String>,
}

impl RecordQuery {
    pub(super) fn is_json(&self) -> bool {
        self.format.as_deref() == Some("json")
    }
}

#[utoipa::path(get, path = "/api/p/operator/sessions/{id}/record", tag = "operator",
    params(("id" = String, Path), RecordQuery),
    responses((status = 200, description = "The signed records, byte for byte"), (status = 404, body = ErrorBody)))]
pub(crate) async fn record(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Query(query): Query<RecordQuery>,
) -> Result<Response, Fault> {
    let (records, key) = desk.room.session_record(&session(&id)?).await?;
    download(&id, &records, key.as_ref(), query.is_json())
}

fn session(id: &str) -> Result<SessionId, Fault> {
    SessionId::new(id).map_err(|_| Fault::NotFound)
}
