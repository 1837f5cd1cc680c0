//! Received CDRs with the word on their signed records and the dispute about them, if there is one.

use ::provider::{CdrRow, Provider};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::total;
use crate::fault::Fault;
use crate::shape::{Amount, List, Paging, time};
use crate::stage::Query;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderCdr)]
pub(crate) struct Cdr {
    /// As this provider counts them; unique here.
    no: String,
    /// As the operator calls it; unique at that operator.
    id: String,
    operator: String,
    session: String,
    driver: String,
    start: String,
    end: String,
    energy_wh: i64,
    /// With VAT.
    total: Amount,
    net: Amount,
    /// It takes another CDR back.
    credit: bool,
    /// `valid`, `valid with remarks`, `not valid` or `cannot be checked`.
    verdict: String,
    received: String,
    /// The operator's, in plain words.
    remark: Option<String>,
    /// Null: it is on an invoice.
    dispute: Option<String>,
    /// `open`, `accepted` or `rejected`.
    dispute_state: Option<&'static str>,
}

impl From<CdrRow> for Cdr {
    fn from(row: CdrRow) -> Self {
        Self {
            no: row.no.to_string(),
            id: row.id.to_string(),
            operator: row.operator.to_string(),
            session: row.session.to_string(),
            driver: row.driver.as_str().to_owned(),
            start: time(row.start),
            end: time(row.end),
            energy_wh: row.energy.wh(),
            total: Amount::gross(&row.total, row.currency),
            net: Amount::shown(row.total.before_vat, row.currency),
            credit: row.credit,
            verdict: row.verdict,
            received: time(row.received),
            remark: row.remark,
            dispute: row.dispute.map(|(no, _)| no.to_string()),
            dispute_state: row.dispute.map(|(_, state)| super::disputes::state(state)),
        }
    }
}

#[utoipa::path(get, path = "/api/p/{slug}/cdrs", tag = "provider", params(("slug" = String, Path), Paging),
    responses((status = 200, body = List<Cdr>)))]
pub(crate) async fn list(State(room): State<Provider>, Query(paging): Query<Paging>) -> Result<Json<List<Cdr>>, Fault> {
    let found = room.cdrs(paging.offset(), paging.limit()).await?;
    let items = found.rows.into_iter().map(Into::into).collect();
    Ok(Json(List::page(items, total(found.total), paging.offset())))
}
