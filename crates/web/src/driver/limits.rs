//! Charging gently: the driver's limit for a running session, and what its station plans. What the station said, never
//! what was promised.

use ::provider::{Limit as RoomLimit, LimitWish, MOST_MAX, OrderState, Provider, SessionLimit, SessionNo};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use charge::Timestamp;
use charge::talk::road::ActiveProfile;
use charge::units::Power;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Own;
use crate::fault::{ErrorBody, Fault};
use crate::provider::number;
use crate::shape::time;
use crate::stage::{Body, Path};

/// The most that the session may draw.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gently {
    /// In watts, all phases together; 0 pauses charging.
    #[schema(example = 4000)]
    most_w: i64,
}

/// A wish about the power of a session, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionLimitWish)]
pub(crate) struct Limit {
    id: String,
    /// In watts; null where no limit, or a look at the plan, was asked for.
    most_w: Option<i64>,
    /// `sent`, `acknowledged` (passed on, the station has not said), `happened`, `refused`, `timed_out`.
    state: &'static str,
    /// In plain words; empty while there is nothing to say.
    message: String,
    given: String,
    /// Until then the station should have said something.
    deadline: String,
}

impl From<RoomLimit> for Limit {
    fn from(limit: RoomLimit) -> Self {
        let most_w = match limit.wish {
            LimitWish::Most(power) => Some(power.watts()),
            LimitWish::Free | LimitWish::Look => None,
        };
        let state = match limit.state {
            OrderState::Sent => "sent",
            OrderState::Acknowledged => "acknowledged",
            OrderState::Happened => "happened",
            OrderState::Refused => "refused",
            OrderState::TimedOut => "timed_out",
        };
        Self {
            id: limit.id.to_string(),
            most_w,
            state,
            message: limit.message,
            given: time(limit.given),
            deadline: time(limit.deadline),
        }
    }
}

/// What the station planned when it last said so.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionPlan)]
pub(crate) struct Plan {
    calculated: String,
    /// `W`: all phases together; `A`: each phase.
    unit: &'static str,
    periods: Vec<PlanPeriod>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanPeriod {
    from: String,
    /// The most that the session may draw from then on, as a decimal number.
    limit: String,
}

impl From<ActiveProfile> for Plan {
    fn from(plan: ActiveProfile) -> Self {
        let begin: Timestamp = plan.profile.start.unwrap_or(plan.calculated);
        let period = |(start, limit): (u32, charge::Decimal)| PlanPeriod {
            from: time(begin.plus(std::time::Duration::from_secs(start.into()))),
            limit: limit.normalize().to_string(),
        };
        Self {
            calculated: time(plan.calculated),
            unit: plan.profile.unit.as_str(),
            periods: plan.profile.periods.into_iter().map(period).collect(),
        }
    }
}

/// What is known of the power of a session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionLimit)]
pub(crate) struct Shown {
    /// The newest wish for a limit, or for none.
    limit: Option<Limit>,
    /// The newest look at the plan.
    look: Option<Limit>,
    plan: Option<Plan>,
}

impl From<SessionLimit> for Shown {
    fn from(known: SessionLimit) -> Self {
        Self { limit: known.limit.map(Into::into), look: known.look.map(Into::into), plan: known.plan.map(Into::into) }
    }
}

#[utoipa::path(get, path = "/api/p/{slug}/driver/sessions/{id}/limit", tag = "driver",
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Shown), (status = 404, body = ErrorBody)))]
pub(crate) async fn show(
    State(room): State<Provider>,
    Own(me): Own,
    Path(id): Path<String>,
) -> Result<Json<Shown>, Fault> {
    Ok(Json(room.session_limit(me, SessionNo(number(&id)?)).await?.into()))
}

#[utoipa::path(post, path = "/api/p/{slug}/driver/sessions/{id}/limit", tag = "driver", request_body = Gently,
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 202, body = Limit), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, description = "The session is over", body = ErrorBody)))]
pub(crate) async fn set(
    State(room): State<Provider>,
    Own(me): Own,
    Path(id): Path<String>,
    Body(wish): Body<Gently>,
) -> Result<(StatusCode, Json<Limit>), Fault> {
    if !(0..=MOST_MAX.watts()).contains(&wish.most_w) {
        return Err(Fault::malformed("/most_w", format!("From 0 to {} watts.", MOST_MAX.watts())));
    }
    ask(&room, me, &id, LimitWish::Most(Power::from_watts(wish.most_w))).await
}

#[utoipa::path(delete, path = "/api/p/{slug}/driver/sessions/{id}/limit", tag = "driver",
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 202, body = Limit), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn free(
    State(room): State<Provider>,
    Own(me): Own,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Limit>), Fault> {
    ask(&room, me, &id, LimitWish::Free).await
}

#[utoipa::path(post, path = "/api/p/{slug}/driver/sessions/{id}/plan", tag = "driver",
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 202, description = "The station is asked; `plan` of the session's limit shows its answer",
        body = Limit), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn look(
    State(room): State<Provider>,
    Own(me): Own,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Limit>), Fault> {
    ask(&room, me, &id, LimitWish::Look).await
}

async fn ask(
    room: &Provider,
    me: ::provider::DriverId,
    id: &str,
    wish: LimitWish,
) -> Result<(StatusCode, Json<Limit>), Fault> {
    let limit = room.limit(me, SessionNo(number(id)?), wish).await?;
    Ok((StatusCode::ACCEPTED, Json(limit.into())))
}
