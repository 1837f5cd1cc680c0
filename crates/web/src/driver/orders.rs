//! The driver's start and stop, and what became of them: what happened, never what was promised.

use ::provider::{Order as RoomOrder, OrderKind, OrderState, Provider, SessionNo, StartWish, TariffNo};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use charge::id::{EvseUid, LocationId, OrderId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Own;
use crate::fault::{ErrorBody, Fault};
use crate::provider::number;
use crate::shape::{List, time};
use crate::stage::{Body, Path};

/// Where the driver wants to charge, and at which price.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartCharging {
    #[schema(example = "DE-VLT")]
    operator: String,
    location: String,
    /// The EVSE's uid.
    evse: String,
    /// As it came with the price: says which price was shown.
    tariff_stamp: String,
}

impl StartCharging {
    fn read(self, driver: ::provider::DriverId) -> Result<StartWish, Fault> {
        let operator = self.operator.parse();
        let location = LocationId::new(&self.location);
        let evse = EvseUid::new(&self.evse);
        let stamp = self.tariff_stamp.parse().map(TariffNo);
        let no_stamp = "The stamp that came with the price is expected.";
        Ok(StartWish {
            driver,
            operator: operator.map_err(|_| Fault::malformed("/operator", "A party like DE-VLT is expected."))?,
            location: location.map_err(|fault| Fault::malformed("/location", format!("The id {fault}.")))?,
            evse: evse.map_err(|fault| Fault::malformed("/evse", format!("The uid {fault}.")))?,
            stamp: Some(stamp.map_err(|_| Fault::malformed("/tariff_stamp", no_stamp))?),
        })
    }
}

/// An order of the driver.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DriverOrder)]
pub(crate) struct Order {
    id: String,
    /// `start` or `stop`.
    kind: &'static str,
    /// `sent`, `acknowledged`, `started` or `stopped`, `refused`, `timed_out`.
    state: &'static str,
    /// In plain words; empty while there is nothing to say.
    message: String,
    session: Option<String>,
    operator: String,
    location: String,
    evse: String,
    given: String,
    /// Until then something should have happened.
    deadline: String,
}

const fn state(order: &RoomOrder) -> &'static str {
    match (order.state, order.kind) {
        (OrderState::Sent, _) => "sent",
        (OrderState::Acknowledged, _) => "acknowledged",
        (OrderState::Happened, OrderKind::Start) => "started",
        (OrderState::Happened, OrderKind::Stop) => "stopped",
        (OrderState::Refused, _) => "refused",
        (OrderState::TimedOut, _) => "timed_out",
    }
}

impl From<RoomOrder> for Order {
    fn from(order: RoomOrder) -> Self {
        Self {
            state: state(&order),
            id: order.id.to_string(),
            kind: order.kind.as_str(),
            message: order.message,
            session: order.session.map(|no| no.to_string()),
            operator: order.operator.to_string(),
            location: order.location.to_string(),
            evse: order.evse.to_string(),
            given: time(order.given),
            deadline: time(order.deadline),
        }
    }
}

/// An order that was given; what becomes of it is told by events.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GivenOrder)]
pub(crate) struct Given {
    /// Its id.
    order: String,
    /// After the operator's first word: `sent`, `acknowledged` or `refused`.
    state: &'static str,
    message: String,
}

impl From<RoomOrder> for Given {
    fn from(order: RoomOrder) -> Self {
        Self { state: state(&order), order: order.id.to_string(), message: order.message }
    }
}

#[utoipa::path(post, path = "/api/p/{slug}/driver/start", tag = "driver", request_body = StartCharging,
    params(("slug" = String, Path)),
    responses((status = 202, body = Given), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, description = "Not available, not allowed, or the price has changed", body = ErrorBody)))]
pub(crate) async fn start(
    State(room): State<Provider>,
    Own(me): Own,
    Body(wish): Body<StartCharging>,
) -> Result<(StatusCode, Json<Given>), Fault> {
    let order = room.start(wish.read(me)?).await?;
    Ok((StatusCode::ACCEPTED, Json(order.into())))
}

#[utoipa::path(post, path = "/api/p/{slug}/driver/sessions/{id}/stop", tag = "driver",
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 202, body = Given), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn stop(
    State(room): State<Provider>,
    Own(me): Own,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Given>), Fault> {
    let order = room.stop(me, SessionNo(number(&id)?)).await?;
    Ok((StatusCode::ACCEPTED, Json(order.into())))
}

#[utoipa::path(get, path = "/api/p/{slug}/driver/orders", tag = "driver", params(("slug" = String, Path)),
    responses((status = 200, body = List<Order>)))]
pub(crate) async fn list(State(room): State<Provider>, Own(me): Own) -> Result<Json<List<Order>>, Fault> {
    Ok(Json(List::whole(room.orders(me).await?.into_iter().map(Into::into).collect())))
}

#[utoipa::path(get, path = "/api/p/{slug}/driver/orders/{id}", tag = "driver",
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Order), (status = 404, body = ErrorBody)))]
pub(crate) async fn show(
    State(room): State<Provider>,
    Own(me): Own,
    Path(id): Path<String>,
) -> Result<Json<Order>, Fault> {
    let id = OrderId::new(&id).map_err(|_| Fault::NotFound)?;
    Ok(Json(room.order(me, id).await?.into()))
}
