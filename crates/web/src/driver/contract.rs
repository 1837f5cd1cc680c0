//! The driver's own contract, with the contract id that nobody else is told.

use ::provider::Provider;
use axum::Json;
use axum::extract::State;
use charge::Purpose;
use serde::Serialize;
use utoipa::ToSchema;

use super::Own;
use crate::fault::Fault;
use crate::shape::{Amount, time};

#[derive(Serialize, ToSchema)]
#[schema(as = DriverContract)]
pub(crate) struct Contract {
    name: String,
    email: String,
    /// Towards operators every session has an id of its own; this one never leaves the provider.
    contract: String,
    /// `good`, `suspended` or `ended`.
    state: &'static str,
    valid_until: Option<String>,
    /// The most that may be owed before the next invoice.
    credit_cap: Option<Amount>,
}

#[utoipa::path(get, path = "/api/p/{slug}/driver/contract", tag = "driver", params(("slug" = String, Path)),
    responses((status = 200, body = Contract)))]
pub(crate) async fn show(State(room): State<Provider>, Own(me): Own) -> Result<Json<Contract>, Fault> {
    let driver = room.driver(me).await?;
    Ok(Json(Contract {
        name: driver.name.into_revealed(Purpose::ShowOwner),
        email: driver.email.into_revealed(Purpose::ShowOwner),
        contract: driver.contract_id.reveal(Purpose::ShowOwner).as_str().to_owned(),
        state: driver.contract.state.as_str(),
        valid_until: driver.contract.valid_until.map(time),
        credit_cap: driver.contract.credit_cap.map(Into::into),
    }))
}
