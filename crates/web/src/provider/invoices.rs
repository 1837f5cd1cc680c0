//! Invoices, for the clerk and for the driver who owes them; issuing one.
//!
//! Lines stay exact; only the totals are rounded, and they come rounded from the room.

use ::provider::{DriverId, InvoiceDetail, InvoiceNo, InvoiceRow, Provider, SessionNo};
use axum::Json;
use axum::extract::State;
use billing::invoice::{InvoiceLine, VatRate};
use charge::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::number;
use crate::fault::{ErrorBody, Fault};
use crate::shape::{Amount, List, time};
use crate::stage::Path;

/// A hundredth of a cent: finer digits are exact in the room and of no use to a reader.
const SHOWN_PLACES: u32 = 4;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Invoice {
    id: String,
    driver: String,
    /// `2026-11`, in UTC.
    #[schema(example = "2026-11")]
    month: String,
    /// Once issued.
    number: Option<String>,
    issued: Option<String>,
    /// `open` or `issued`.
    state: &'static str,
    net: Amount,
    /// With VAT.
    total: Amount,
}

impl From<InvoiceRow> for Invoice {
    fn from(row: InvoiceRow) -> Self {
        Self {
            id: row.no.to_string(),
            driver: row.driver.as_str().to_owned(),
            month: row.month,
            state: if row.number.is_some() { "issued" } else { "open" },
            number: row.number,
            issued: row.issued.map(time),
            net: row.totals.net.into(),
            total: row.totals.gross.into(),
        }
    }
}

/// An invoice with its lines.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvoiceWithLines)]
pub(crate) struct Whole {
    #[serde(flatten)]
    invoice: Invoice,
    /// Name, country and VAT id.
    seller: String,
    lines: Vec<Line>,
    /// By rising rate.
    vat: Vec<Vat>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvoiceLine)]
pub(crate) struct Line {
    text: String,
    quantity: String,
    /// `kWh`, `h` or `session`.
    unit: String,
    /// Before VAT, in the currency of the total.
    #[schema(example = "1.875")]
    net: String,
    vat_percent: String,
    session: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvoiceVat)]
pub(crate) struct Vat {
    percent: String,
    net: Amount,
    vat: Amount,
    gross: Amount,
}

impl From<InvoiceDetail> for Whole {
    fn from(detail: InvoiceDetail) -> Self {
        let line = |(session, line): (SessionNo, InvoiceLine)| Line {
            text: line.text,
            quantity: line.quantity.normalize().to_string(),
            unit: line.unit,
            net: fine(line.net),
            vat_percent: line.vat_percent.normalize().to_string(),
            session: session.to_string(),
        };
        let rate = |rate: &VatRate| Vat {
            percent: rate.percent.to_string(),
            net: rate.net.into(),
            vat: rate.vat.into(),
            gross: rate.gross.into(),
        };
        Self {
            seller: detail.seller,
            lines: detail.lines.into_iter().map(line).collect(),
            vat: detail.row.totals.per_rate.iter().map(rate).collect(),
            invoice: detail.row.into(),
        }
    }
}

/// An exact amount as text, without the digits that nobody reads.
pub(crate) fn fine(exact: Decimal) -> String {
    exact.round_dp(SHOWN_PLACES).normalize().to_string()
}

/// All invoices, or one driver's.
pub(crate) async fn of(room: &Provider, driver: Option<DriverId>) -> Result<Json<List<Invoice>>, Fault> {
    Ok(Json(List::whole(room.invoices(driver).await?.into_iter().map(Into::into).collect())))
}

/// One invoice; with `driver`, only if it is that driver's.
pub(crate) async fn one(room: &Provider, driver: Option<DriverId>, id: &str) -> Result<Json<Whole>, Fault> {
    Ok(Json(room.invoice(driver, InvoiceNo(number(id)?)).await?.into()))
}

#[utoipa::path(get, path = "/api/p/{slug}/invoices", tag = "provider", params(("slug" = String, Path)),
    responses((status = 200, body = List<Invoice>)))]
pub(crate) async fn list(State(room): State<Provider>) -> Result<Json<List<Invoice>>, Fault> {
    of(&room, None).await
}

#[utoipa::path(get, path = "/api/p/{slug}/invoices/{id}", tag = "provider",
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Whole), (status = 404, body = ErrorBody)))]
pub(crate) async fn show(State(room): State<Provider>, Path(id): Path<String>) -> Result<Json<Whole>, Fault> {
    one(&room, None, &id).await
}

/// The number that an invoice got.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IssuedInvoice)]
pub(crate) struct Issued {
    number: String,
}

#[utoipa::path(post, path = "/api/p/{slug}/invoices/{id}/issue", tag = "provider",
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Issued), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn issue(State(room): State<Provider>, Path(id): Path<String>) -> Result<Json<Issued>, Fault> {
    Ok(Json(Issued { number: room.issue_invoice(InvoiceNo(number(&id)?)).await? }))
}
