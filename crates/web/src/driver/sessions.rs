//! The driver's sessions: live while they run, with cost lines, evidence and who learned what; the record as a file.

use ::provider::{CostLine as RoomLine, Provider, SessionDetail, SessionNo, SessionRow};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use charge::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Own;
use crate::evidence::{CostLine, CurvePoint, Evidence, download};
use crate::fault::{ErrorBody, Fault};
use crate::provider::{SessionPlace, number, state, total};
use crate::shape::{Amount, List, Paging, time};
use crate::stage::{Path, Query};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DriverSession)]
pub(crate) struct Session {
    id: String,
    operator: String,
    /// Null once the time for disputes is over: then the place is forgotten.
    place: Option<SessionPlace>,
    evse_id: Option<String>,
    start: String,
    end: Option<String>,
    /// `pending`, `active`, `completed` or `invalid`.
    state: &'static str,
    energy_wh: i64,
    /// With VAT, so far or as billed.
    cost: Option<Amount>,
    /// `valid`, `valid with remarks`, `not valid` or `cannot be checked`; null before there is a CDR.
    verdict: Option<String>,
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        let (place, evse_id) = SessionPlace::of(row.place);
        Self {
            id: row.no.to_string(),
            operator: row.operator.to_string(),
            place,
            evse_id,
            start: time(row.start),
            end: row.end.map(time),
            state: state(row.status),
            energy_wh: row.energy.wh(),
            cost: row.cost.map(|price| Amount::gross(&price, row.currency)),
            verdict: row.verdict,
        }
    }
}

#[utoipa::path(get, path = "/api/p/{slug}/driver/sessions", tag = "driver",
    params(("slug" = String, Path), Paging), responses((status = 200, body = List<Session>)))]
pub(crate) async fn list(
    State(room): State<Provider>,
    Own(me): Own,
    Query(paging): Query<Paging>,
) -> Result<Json<List<Session>>, Fault> {
    let found = room.sessions(Some(me), paging.offset(), paging.limit()).await?;
    let items = found.rows.into_iter().map(Into::into).collect();
    Ok(Json(List::page(items, total(found.total), paging.offset())))
}

/// A session with all that its driver may know of it: everything.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DriverSessionDetail)]
pub(crate) struct Detail {
    #[serde(flatten)]
    session: Session,
    power_w: Option<i64>,
    curve: Vec<CurvePoint>,
    /// The tariff that was agreed, in plain words.
    tariff: Option<String>,
    /// Before VAT, and VAT as the last line.
    lines: Vec<CostLine>,
    /// Null before there are signed records.
    evidence: Option<Evidence>,
    learned: Vec<Learned>,
}

/// What a party was told about this session.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Learned {
    party: String,
    /// In plain words.
    role: &'static str,
    /// In plain words.
    fields: Vec<&'static str>,
}

impl From<SessionDetail> for Detail {
    fn from(seen: SessionDetail) -> Self {
        let point = |point: ::provider::Point| CurvePoint {
            at: time(point.at),
            power_w: Some(point.power.watts()),
            energy_wh: Some(point.energy.wh()),
            flaw: None,
        };
        let learned = |row: ::provider::Learned| Learned {
            party: row.party.to_string(),
            role: row.role.words(),
            fields: row.fields.into_iter().map(::provider::Field::words).collect(),
        };
        let evidence = |it: ::provider::Evidence| Evidence {
            verdict: it.verdict,
            detail: it.lines,
            remarks: it.reasons.into_iter().chain(it.warnings).collect(),
        };
        Self {
            power_w: seen.power.map(|power| power.watts()),
            curve: seen.curve.into_iter().map(point).collect(),
            tariff: seen.tariff,
            lines: lines(seen.lines, &seen.row),
            evidence: seen.evidence.map(evidence),
            learned: seen.learned.into_iter().map(learned).collect(),
            session: seen.row.into(),
        }
    }
}

/// The lines before VAT, and what VAT adds to their sum.
fn lines(lines: Vec<RoomLine>, row: &SessionRow) -> Vec<CostLine> {
    let net: Decimal = lines.iter().map(|line| line.amount).sum();
    let vat = row.cost.and_then(|price| price.with_vat).map(|gross| gross - net).filter(|vat| !vat.is_zero());
    let twin = |line: RoomLine| CostLine {
        dimension: line.dimension.map(CostLine::name),
        text: line.text,
        quantity: line.quantity.normalize().to_string(),
        unit: line.unit,
        amount: Amount::shown(line.amount, row.currency),
    };
    let vat = vat.filter(|_| !lines.is_empty()).map(|vat| CostLine {
        dimension: None,
        text: "VAT".to_owned(),
        quantity: String::new(),
        unit: String::new(),
        amount: Amount::shown(vat, row.currency),
    });
    lines.into_iter().map(twin).chain(vat).collect()
}

#[utoipa::path(get, path = "/api/p/{slug}/driver/sessions/{id}", tag = "driver",
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Detail), (status = 404, body = ErrorBody)))]
pub(crate) async fn show(
    State(room): State<Provider>,
    Own(me): Own,
    Path(id): Path<String>,
) -> Result<Json<Detail>, Fault> {
    Ok(Json(room.session(Some(me), SessionNo(number(&id)?)).await?.into()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RecordQuery {
    /// `json` for our own evidence file; otherwise the XML of the transparency software.
    format: Option<String>,
}

#[utoipa::path(get, path = "/api/p/{slug}/driver/sessions/{id}/record", tag = "driver",
    params(("slug" = String, Path), ("id" = String, Path), RecordQuery),
    responses((status = 200, description = "The signed records, byte for byte"), (status = 404, body = ErrorBody)))]
pub(crate) async fn record(
    State(room): State<Provider>,
    Own(me): Own,
    Path(id): Path<String>,
    Query(query): Query<RecordQuery>,
) -> Result<Response, Fault> {
    let xml = room.record_file(Some(me), SessionNo(number(&id)?)).await?;
    // what is written and read back has the same bytes
    let bundles = billing::record::file::read(xml.as_bytes()).map_err(|fault| {
        tracing::error!(%fault, "a record file of our own cannot be read");
        Fault::Internal
    })?;
    let key = bundles.iter().find_map(|(_, key)| key.clone());
    let records: Vec<_> = bundles.into_iter().flat_map(|(records, _)| records).collect();
    download(&id, &records, key.as_ref(), query.format.as_deref() == Some("json"))
}
