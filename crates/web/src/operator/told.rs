//! What stations told, what was asked of them, why something was refused, and the expert call.

use axum::Json;
use axum::extract::State;
use charge::Purpose;
use charge::talk::line::Foreign;
use operator::desk::{DenialFilter, NewsFilter, Request as RoomRequest};
use operator::explain::Denied;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::Desk;
use super::lists::OfStation;
use super::stations::{filled, station};
use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::shape::{List, time};
use crate::stage::{Body, Path, Query};

/// What was asked of a station and is answered later.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StationRequest)]
pub(crate) struct Request {
    number: i32,
    station: String,
    kind: &'static str,
    by: String,
    asked: String,
    /// `asked`, `going`, `done`, `failed` or `refused`.
    state: &'static str,
    /// The station's own last word.
    status: Option<String>,
    changed: String,
}

impl From<RoomRequest> for Request {
    fn from(one: RoomRequest) -> Self {
        Self {
            number: one.number,
            station: one.station.to_string(),
            kind: one.kind.as_str(),
            by: one.actor,
            asked: time(one.asked),
            state: one.state.as_str(),
            status: one.status,
            changed: time(one.changed),
        }
    }
}

#[utoipa::path(get, path = "/api/p/operator/requests", tag = "operator", params(OfStation),
    responses((status = 200, body = List<Request>)))]
pub(crate) async fn requests(
    State(desk): State<Desk>,
    Query(query): Query<OfStation>,
) -> Result<Json<List<Request>>, Fault> {
    let (of, limit) = query.read()?;
    Ok(Json(List::whole(desk.room.requests(of, limit).await?.into_iter().map(Into::into).collect())))
}

#[utoipa::path(get, path = "/api/p/operator/requests/{number}", tag = "operator", params(("number" = i32, Path)),
    responses((status = 200, body = Request), (status = 404, body = ErrorBody)))]
pub(crate) async fn request(State(desk): State<Desk>, Path(number): Path<i32>) -> Result<Json<Request>, Fault> {
    Ok(Json(desk.room.request(number).await?.into()))
}

/// What a station knows of a customer. Gone once it was read.
#[derive(Serialize, ToSchema)]
pub(crate) struct CustomerAnswer {
    data: String,
}

#[utoipa::path(post, path = "/api/p/operator/requests/{number}/customer", tag = "operator",
    params(("number" = i32, Path)),
    responses((status = 200, body = CustomerAnswer), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn customer(
    State(desk): State<Desk>,
    actor: Actor,
    Path(number): Path<i32>,
) -> Result<Json<CustomerAnswer>, Fault> {
    let data = desk.room.customer_answer(&actor.name, number).await?;
    Ok(Json(CustomerAnswer { data: data.into_revealed(Purpose::Transmit) }))
}

/// Something a station told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StationNews)]
pub(crate) struct News {
    cursor: i64,
    station: String,
    at: String,
    kind: String,
    evse: Option<u16>,
    /// 0 (danger) to 9 (debug).
    severity: Option<u8>,
    text: String,
    /// The part of the message that we have no words for.
    #[schema(value_type = Object)]
    document: Option<Value>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct NewsQuery {
    station: Option<String>,
    /// `charging`, `event`, `security`, `progress`, `certificate`, `grid`, `swap`, `payment`, `vendor`, `reservation`.
    kind: Option<String>,
    /// This severity and worse.
    severity: Option<u8>,
    before: Option<i64>,
    limit: Option<u32>,
}

#[utoipa::path(get, path = "/api/p/operator/news", tag = "operator", params(NewsQuery),
    responses((status = 200, body = List<News>)))]
pub(crate) async fn news(State(desk): State<Desk>, Query(query): Query<NewsQuery>) -> Result<Json<List<News>>, Fault> {
    let limit = query.limit.unwrap_or(100);
    let filter = NewsFilter {
        station: filled(query.station).map(|id| station(&id)).transpose()?,
        kind: filled(query.kind),
        severity_max: query.severity,
        before: query.before,
        limit,
    };
    let line = |one: operator::desk::News| News {
        cursor: one.cursor,
        station: one.station.to_string(),
        at: time(one.at),
        kind: one.kind,
        evse: one.evse.map(charge::id::EvseNo::get),
        severity: one.severity,
        text: one.text,
        document: one.document.and_then(|text| serde_json::from_str(&text).ok()),
    };
    let items: Vec<News> = desk.room.news(filter).await?.into_iter().map(line).collect();
    let more = items.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = items.last().filter(|_| more).map(|last| last.cursor.to_string());
    Ok(Json(List { next, ..List::whole(items) }))
}

/// Something that was denied, why, and what to do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Denial {
    at: String,
    /// The station, or the identity that knocked.
    station: String,
    evse: Option<u16>,
    /// `connection`, `tap` or `order`.
    kind: &'static str,
    order: Option<String>,
    by: Option<String>,
    what: String,
    next: &'static str,
}

#[utoipa::path(get, path = "/api/p/operator/denials", tag = "operator", params(OfStation),
    responses((status = 200, body = List<Denial>)))]
pub(crate) async fn denials(
    State(desk): State<Desk>,
    Query(query): Query<OfStation>,
) -> Result<Json<List<Denial>>, Fault> {
    let filter = DenialFilter { station: filled(query.station), limit: query.limit.unwrap_or(100) };
    let line = |one: operator::desk::Denial| Denial {
        at: time(one.at),
        station: one.station,
        evse: one.evse.map(charge::id::EvseNo::get),
        kind: match one.denied {
            Denied::Knock { .. } => "connection",
            Denied::Tap { .. } => "tap",
            Denied::Order { .. } => "order",
        },
        order: one.order,
        by: one.actor,
        what: one.explanation.what,
        next: one.explanation.next,
    };
    Ok(Json(List::whole(desk.room.denials(filter).await?.into_iter().map(line).collect())))
}

/// Any action with a raw payload.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpertCall {
    action: String,
    #[schema(value_type = Object)]
    payload: Value,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExpertOutcome {
    /// The station's answer; null where it gave none.
    #[schema(value_type = Object)]
    answer: Option<Value>,
    /// The code of its error.
    code: Option<String>,
    error: Option<String>,
    took_ms: u64,
}

#[utoipa::path(post, path = "/api/p/operator/stations/{id}/expert", tag = "operator", request_body = ExpertCall,
    params(("id" = String, Path)),
    responses((status = 200, body = ExpertOutcome), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn expert(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
    Body(call): Body<ExpertCall>,
) -> Result<Json<ExpertOutcome>, Fault> {
    let masked = masked(&call.payload).to_string();
    let word = Foreign { action: call.action.into(), body: call.payload.to_string().into() };
    let told = desk.room.expert(&actor.name, &station(&id)?, word, &masked).await?;
    let took_ms = told.took_ms;
    Ok(Json(match told.answer {
        Ok(body) => {
            let answer = serde_json::from_str(&body).unwrap_or(Value::String(body));
            ExpertOutcome { answer: Some(answer), code: None, error: None, took_ms }
        }
        Err(fault) => ExpertOutcome { answer: None, code: fault.code, error: Some(fault.message), took_ms },
    }))
}

/// The form of a payload without its values.
fn masked(payload: &Value) -> Value {
    match payload {
        Value::Object(fields) => fields.iter().map(|(name, inner)| (name.clone(), masked(inner))).collect(),
        Value::Array(items) => items.iter().map(masked).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Value::String("…".to_owned()),
    }
}

/// What a station reported of itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StationModel {
    variables: Vec<ModelVariable>,
    monitors: Vec<ModelMonitor>,
    streams: Vec<ModelStream>,
    profiles: Vec<InstalledProfile>,
    displays: Vec<ShownMessage>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelVariable {
    name: String,
    attribute: String,
    value: Option<String>,
    read_only: bool,
    write_only: bool,
    persistent: bool,
    #[schema(value_type = Object)]
    characteristics: Option<Value>,
    told: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelMonitor {
    id: i32,
    variable: String,
    monitor: String,
    value: String,
    severity: u8,
    in_transaction: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelStream {
    id: i32,
    monitor: i32,
    latest: Option<String>,
    at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InstalledProfile {
    evse: Option<u16>,
    id: i32,
    purpose: String,
    kind: String,
    stack_level: u32,
    source: String,
    valid_from: Option<String>,
    valid_until: Option<String>,
    /// In plain words.
    limits: String,
    told: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownMessage {
    id: i32,
    priority: String,
    state: Option<String>,
    from: Option<String>,
    until: Option<String>,
    language: Option<String>,
    text: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ModelQuery {
    /// Found in the names of variables.
    query: Option<String>,
}

#[utoipa::path(get, path = "/api/p/operator/stations/{id}/model", tag = "operator",
    params(("id" = String, Path), ModelQuery),
    responses((status = 200, body = StationModel), (status = 404, body = ErrorBody)))]
pub(crate) async fn model(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Query(query): Query<ModelQuery>,
) -> Result<Json<StationModel>, Fault> {
    let id = station(&id)?;
    let variable = |one: operator::desk::Variable| ModelVariable {
        name: one.name,
        attribute: format!("{:?}", one.attribute),
        value: one.value,
        read_only: one.read_only,
        write_only: one.write_only,
        persistent: one.persistent,
        characteristics: one.characteristics.and_then(|text| serde_json::from_str(&text).ok()),
        told: time(one.told),
    };
    let monitor = |one: operator::desk::KeptMonitor| ModelMonitor {
        id: one.id,
        variable: one.variable,
        monitor: format!("{:?}", one.kind),
        value: one.value.to_string(),
        severity: one.severity,
        in_transaction: one.in_transaction,
    };
    let profile = |one: operator::desk::KeptProfile| InstalledProfile {
        evse: one.evse.map(charge::id::EvseNo::get),
        id: one.id,
        purpose: one.purpose,
        kind: one.kind,
        stack_level: one.stack_level,
        source: one.source,
        valid_from: one.valid_from.map(time),
        valid_until: one.valid_until.map(time),
        limits: one.limits,
        told: time(one.told),
    };
    let message = |one: operator::desk::KeptDisplay| ShownMessage {
        id: one.id,
        priority: one.priority,
        state: one.state,
        from: one.from.map(time),
        until: one.until.map(time),
        language: one.language,
        text: one.text,
    };
    let stream = |(id, monitor, latest, at): (i32, i32, Option<String>, Option<charge::Timestamp>)| ModelStream {
        id,
        monitor,
        latest,
        at: at.map(time),
    };
    let query = query.query.unwrap_or_default();
    Ok(Json(StationModel {
        variables: desk.room.variables(&id, &query).await?.into_iter().map(variable).collect(),
        monitors: desk.room.monitors(&id).await?.into_iter().map(monitor).collect(),
        streams: desk.room.streams(&id).await?.into_iter().map(stream).collect(),
        profiles: desk.room.profiles(&id).await?.into_iter().map(profile).collect(),
        displays: desk.room.displays(&id).await?.into_iter().map(message).collect(),
    }))
}
