//! Charge detail records and their delivery.

use axum::Json;
use axum::extract::State;
use charge::id::CdrId;
use operator::Delivery;
use operator::view::CdrCard;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Desk;
use super::stations::page;
use crate::fault::{ErrorBody, Fault};
use crate::shape::{Amount, List, Paging, time};
use crate::stage::{Path, Query};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OperatorCdr)]
pub(crate) struct Cdr {
    id: String,
    /// Null where it is for a booking that no session came of.
    session: Option<String>,
    start: String,
    end: String,
    energy_wh: i64,
    /// With VAT.
    total: Amount,
    net: Amount,
    provider: String,
    /// `waiting`, `delivered` or `refused`.
    state: &'static str,
    attempts: u32,
    /// Why it is not delivered.
    why: Option<String>,
    delivered_at: Option<String>,
    /// What its signed records prove, in four words, with reasons.
    verdict: String,
    remark: Option<String>,
}

impl From<CdrCard> for Cdr {
    fn from(card: CdrCard) -> Self {
        Self {
            id: card.id.to_string(),
            session: card.session.map(|session| session.to_string()),
            start: time(card.start),
            end: time(card.end),
            energy_wh: card.energy.wh(),
            total: Amount::gross(&card.total, card.currency),
            net: Amount::shown(card.total.before_vat, card.currency),
            provider: card.provider.to_string(),
            state: match card.state {
                Delivery::Waiting => "waiting",
                Delivery::Delivered => "delivered",
                Delivery::Refused => "refused",
            },
            attempts: card.attempts,
            why: card.why,
            delivered_at: card.delivered_at.map(time),
            verdict: card.verdict,
            remark: card.remark,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CdrQuery {
    /// `waiting`, `delivered` or `refused`.
    state: Option<String>,
    offset: Option<u32>,
    limit: Option<u32>,
}

#[utoipa::path(get, path = "/api/p/operator/cdrs", tag = "operator", params(CdrQuery),
    responses((status = 200, body = List<Cdr>)))]
pub(crate) async fn list(State(desk): State<Desk>, Query(query): Query<CdrQuery>) -> Result<Json<List<Cdr>>, Fault> {
    let paging = Paging { offset: query.offset, limit: query.limit };
    let state = match query.state.as_deref() {
        Some("waiting") => Some(Delivery::Waiting),
        Some("delivered") => Some(Delivery::Delivered),
        Some("refused") => Some(Delivery::Refused),
        _ => None,
    };
    let found = desk.room.cdrs(state, page(&paging)).await?;
    Ok(Json(List::page(found.items.into_iter().map(Into::into).collect(), found.total.into(), paging.offset())))
}

#[utoipa::path(get, path = "/api/p/operator/cdrs/{id}", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = Cdr), (status = 404, body = ErrorBody)))]
pub(crate) async fn show(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Json<Cdr>, Fault> {
    let id = CdrId::new(&id).map_err(|_| Fault::NotFound)?;
    Ok(Json(desk.room.cdr(&id).await?.into()))
}
