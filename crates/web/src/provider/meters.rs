//! Meter keys from operators' signed registers: records are checked against these rather than the key beside them.

use ::provider::Provider;
use axum::extract::State;
use axum::http::StatusCode;
use charge::id::EvseUid;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::fault::{ErrorBody, Fault};
use crate::stage::Body;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PutMeterKey)]
pub(crate) struct PutKey {
    #[schema(example = "DE-VLT")]
    operator: String,
    /// The EVSE's uid at that operator.
    evse: String,
    /// In hex or base64, compared by a person.
    key: String,
}

#[utoipa::path(put, path = "/api/p/{slug}/meters", tag = "provider", request_body = PutKey,
    params(("slug" = String, Path)), responses((status = 204), (status = 400, body = ErrorBody)))]
pub(crate) async fn put(State(room): State<Provider>, Body(wish): Body<PutKey>) -> Result<StatusCode, Fault> {
    let operator = wish.operator.parse();
    let operator = operator.map_err(|_| Fault::malformed("/operator", "A party like DE-VLT is expected."))?;
    let evse = EvseUid::new(&wish.evse).map_err(|fault| Fault::malformed("/evse", format!("The uid {fault}.")))?;
    room.import_meter_key(operator, evse, &wish.key).await?;
    Ok(StatusCode::NO_CONTENT)
}
