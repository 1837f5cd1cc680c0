//! What operator, clerk and driver see of a session's measuring and pricing, and the signed records as a file.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use billing::price::Line;
use billing::record::{PublicKey, Report, file};
use charge::meter::SignedRecord;
use charge::money::Currency;
use charge::tariff::Dimension;
use serde::Serialize;
use utoipa::ToSchema;

use crate::fault::Fault;
use crate::shape::Amount;

/// A point of a session's curve.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CurvePoint {
    pub(crate) at: String,
    pub(crate) power_w: Option<i64>,
    /// Since the session began.
    pub(crate) energy_wh: Option<i64>,
    /// Why this reading does not count; null where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) flaw: Option<String>,
}

/// One line of a price.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CostLine {
    /// `ENERGY`, `TIME`, `PARKING_TIME` or `FLAT`; null for VAT and for a minimum or maximum that moved the total.
    pub(crate) dimension: Option<&'static str>,
    /// In plain words: which element of the tariff, and what its step did.
    pub(crate) text: String,
    pub(crate) quantity: String,
    pub(crate) unit: String,
    /// With VAT.
    pub(crate) amount: Amount,
}

impl CostLine {
    /// The spelling of OCPI (2.2.1, 11.4.5).
    pub(crate) const fn name(dimension: Dimension) -> &'static str {
        match dimension {
            Dimension::Energy => "ENERGY",
            Dimension::Flat => "FLAT",
            Dimension::ParkingTime => "PARKING_TIME",
            Dimension::Time => "TIME",
        }
    }

    pub(crate) fn of(line: &Line, currency: Currency) -> Self {
        Self {
            dimension: Some(Self::name(line.dimension)),
            text: line.rule.clone(),
            quantity: line.quantity.normalize().to_string(),
            unit: line.unit.to_owned(),
            amount: Amount::gross(&line.amount, currency),
        }
    }
}

/// What the signed records prove, in four words and in detail.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Evidence {
    /// `valid`, `valid with remarks`, `not valid` or `cannot be checked`.
    pub(crate) verdict: String,
    /// Label and value, in the order in which they are shown.
    pub(crate) detail: Vec<(String, String)>,
    pub(crate) remarks: Vec<String>,
}

impl From<Report> for Evidence {
    fn from(report: Report) -> Self {
        Self {
            verdict: report.verdict.to_owned(),
            detail: report.lines.into_iter().map(|(label, value)| (label.to_owned(), value)).collect(),
            remarks: report.reasons.into_iter().chain(report.warnings).collect(),
        }
    }
}

/// The signed records as a file: the XML that the transparency software reads, or our own JSON.
pub(crate) fn download(
    name: &str,
    records: &[SignedRecord],
    key: Option<&PublicKey>,
    json: bool,
) -> Result<Response, Fault> {
    if records.is_empty() {
        return Err(Fault::NotFound);
    }
    let (text, kind, ending) = if json {
        (file::evidence_json(records, key), "application/json", "json")
    } else {
        (file::safe_xml(records, key), "application/xml", "xml")
    };
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let attachment = HeaderValue::from_str(&format!("attachment; filename=\"session-{plain}.{ending}\""));
    let mut answer = Body::from(text).into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.headers_mut().insert(header::CONTENT_DISPOSITION, attachment.map_err(|_| Fault::Internal)?);
    Ok(answer)
}
