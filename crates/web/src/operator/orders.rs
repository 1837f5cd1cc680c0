//! Orders to a station: what a person tells it to do, and what really came of it.

use axum::Json;
use axum::extract::State;
use charge::Secret;
use charge::id::{EvseNo, SessionId};
use charge::talk::line::{ResetKind, Trigger, Written};
use operator::{OrderOutcome, StationOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Desk;
use super::stations::{Setting, station};
use super::words::ProfileBody;
use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::stage::{Body, Path};

/// One order. Which fields count depends on `kind`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    kind: Kind,
    /// EVSE number; left out it means the whole station where that makes sense.
    #[serde(default)]
    evse: Option<u16>,
    /// For `start`: how much the car may take.
    #[serde(default)]
    profile: Option<Box<ProfileBody>>,
    /// For `stop`.
    #[serde(default)]
    session: Option<String>,
    /// For `reset`; soft where it is not said.
    #[serde(default)]
    reset: Option<Reset>,
    /// For `availability`.
    #[serde(default)]
    operative: Option<bool>,
    /// For `trigger`.
    #[serde(default)]
    trigger: Option<What>,
    /// For `read_settings`; empty asks for all.
    #[serde(default)]
    keys: Vec<String>,
    /// For `write_settings`.
    #[serde(default)]
    values: Vec<KeyValue>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderKind)]
pub(crate) enum Kind {
    Start,
    Stop,
    Reset,
    Unlock,
    Availability,
    Trigger,
    ReadSettings,
    WriteSettings,
    ClearCache,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ResetKind)]
pub(crate) enum Reset {
    Soft,
    Hard,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TriggerKind)]
pub(crate) enum What {
    Boot,
    Status,
    Heartbeat,
    Meter,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyValue {
    key: String,
    value: String,
}

impl Order {
    fn evse(&self) -> Result<Option<EvseNo>, Fault> {
        self.evse.map(|no| EvseNo::new(no).ok_or_else(|| Fault::malformed("/evse", "EVSEs count from 1."))).transpose()
    }

    fn one_evse(&self) -> Result<EvseNo, Fault> {
        self.evse()?.ok_or_else(|| Fault::malformed("/evse", "This order needs an EVSE."))
    }

    fn read(self) -> Result<StationOrder, Fault> {
        Ok(match self.kind {
            Kind::Start => StationOrder::Start {
                evse: self.one_evse()?,
                profile: self.profile.map(|profile| profile.read()).transpose()?.map(Box::new),
            },
            Kind::Stop => {
                let wanted = self.session.ok_or_else(|| Fault::malformed("/session", "A stop needs a session."))?;
                StationOrder::Stop { session: SessionId::new(wanted).map_err(|_| Fault::NotFound)? }
            }
            Kind::Reset => StationOrder::Reset(match self.reset {
                Some(Reset::Hard) => ResetKind::Hard,
                Some(Reset::Soft) | None => ResetKind::Soft,
            }),
            Kind::Unlock => StationOrder::Unlock { evse: self.one_evse()? },
            Kind::Availability => {
                let operative = self.operative.ok_or_else(|| Fault::malformed("/operative", "On or off?"))?;
                StationOrder::Availability { evse: self.evse()?, operative }
            }
            Kind::Trigger => {
                let what = match self.trigger.ok_or_else(|| Fault::malformed("/trigger", "Trigger what?"))? {
                    What::Boot => Trigger::Boot,
                    What::Status => Trigger::Status,
                    What::Heartbeat => Trigger::Alive,
                    What::Meter => Trigger::Meter,
                };
                StationOrder::Trigger { what, evse: self.evse()? }
            }
            Kind::ReadSettings => StationOrder::ReadSettings { keys: self.keys.into_iter().map(Into::into).collect() },
            Kind::WriteSettings if self.values.is_empty() => {
                return Err(Fault::malformed("/values", "There is nothing to write."));
            }
            Kind::WriteSettings => StationOrder::WriteSettings {
                values: self.values.into_iter().map(|pair| (pair.key.into(), Secret::new(pair.value.into()))).collect(),
            },
            Kind::ClearCache => StationOrder::ClearCache,
        })
    }
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderOutcome)]
pub(crate) struct Told {
    /// `accepted`, `scheduled`, `refused`, `timed_out`, `not_connected` or `error`.
    outcome: &'static str,
    /// In plain words.
    message: String,
    settings: Vec<Setting>,
    /// Keys that the station does not know.
    unknown: Vec<String>,
    written: Vec<WrittenSetting>,
    /// Where the answer comes later: its number.
    request: Option<i32>,
    /// What else the station said, by what it is.
    #[schema(value_type = Object)]
    answer: Option<serde_json::Value>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WrittenSetting {
    key: String,
    /// `accepted`, `after_reboot`, `rejected` or `unknown`.
    result: &'static str,
}

impl From<OrderOutcome> for Told {
    fn from(done: OrderOutcome) -> Self {
        let written = |(key, result): (Box<str>, Written)| WrittenSetting {
            key: key.into(),
            result: match result {
                Written::Accepted => "accepted",
                Written::AfterReboot => "after_reboot",
                Written::Rejected => "rejected",
                Written::Unknown => "unknown",
            },
        };
        Self {
            outcome: done.outcome.as_str(),
            message: done.message,
            settings: done.settings.into_iter().map(Into::into).collect(),
            unknown: done.unknown.into_iter().map(Into::into).collect(),
            written: done.written.into_iter().map(written).collect(),
            request: done.request,
            answer: done.answer.and_then(super::answer::shown),
        }
    }
}

#[utoipa::path(post, path = "/api/p/operator/stations/{id}/orders", tag = "operator", request_body = Order,
    params(("id" = String, Path)),
    responses((status = 200, body = Told), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn give(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
    Body(order): Body<Order>,
) -> Result<Json<Told>, Fault> {
    let done = desk.room.order(&actor.name, &station(&id)?, order.read()?).await?;
    Ok(Json(done.into()))
}
