//! Meters and their public keys. The list is what a provider imports to check records against the register rather than
//! against the key that comes with them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use billing::record::PublicKey;
use charge::id::EvseUid;
use operator::view::MeterCard;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Desk;
use super::stations::{filled, page};
use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::shape::{List, Paging};
use crate::stage::{Body, Path, Query};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Meter {
    /// The EVSE's uid.
    evse: String,
    evse_id: Option<String>,
    station: String,
    no: Option<u16>,
    location: String,
    location_name: Option<String>,
    /// Null until one was seen or entered.
    key: Option<MeterKey>,
}

/// The public key of a meter.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RegisteredMeterKey)]
pub(crate) struct MeterKey {
    spki_hex: String,
    /// SHA-256 of the key, in groups, as people compare it.
    fingerprint: Option<String>,
    /// A person compared it; otherwise it was only seen in a message.
    confirmed: bool,
}

impl From<MeterCard> for Meter {
    fn from(card: MeterCard) -> Self {
        let key = card.key.map(|key| MeterKey {
            fingerprint: PublicKey::read(&key.spki_hex).ok().map(|key| key.fingerprint()),
            spki_hex: key.spki_hex,
            confirmed: key.confirmed,
        });
        Self {
            evse: card.evse.to_string(),
            evse_id: card.evse_id.map(|id| id.to_string()),
            station: card.station.to_string(),
            no: card.no.map(|no| no.get()),
            location: card.location.to_string(),
            location_name: card.location_name,
            key,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MeterQuery {
    /// Found in EVSE, station or location name.
    query: Option<String>,
    offset: Option<u32>,
    limit: Option<u32>,
}

#[utoipa::path(get, path = "/api/p/operator/meters", tag = "operator", params(MeterQuery),
    responses((status = 200, body = List<Meter>)))]
pub(crate) async fn list(
    State(desk): State<Desk>,
    Query(query): Query<MeterQuery>,
) -> Result<Json<List<Meter>>, Fault> {
    let paging = Paging { offset: query.offset, limit: query.limit };
    let found = desk.room.meters(filled(query.query), page(&paging)).await?;
    Ok(Json(List::page(found.items.into_iter().map(Into::into).collect(), found.total.into(), paging.offset())))
}

/// A key that a person compared with the meter's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WriteMeterKey)]
pub(crate) struct WriteKey {
    /// In hex or base64.
    key: String,
}

#[utoipa::path(put, path = "/api/p/operator/meters/{evse}", tag = "operator", request_body = WriteKey,
    params(("evse" = String, Path)),
    responses((status = 204), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn put(
    State(desk): State<Desk>,
    actor: Actor,
    Path(evse): Path<String>,
    Body(wish): Body<WriteKey>,
) -> Result<StatusCode, Fault> {
    let evse = EvseUid::new(&evse).map_err(|_| Fault::NotFound)?;
    desk.room.confirm_meter_key(&actor.name, &evse, &wish.key).await?;
    Ok(StatusCode::NO_CONTENT)
}
