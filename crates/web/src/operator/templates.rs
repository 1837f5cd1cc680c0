//! Templates of settings and how stations differ from them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use charge::talk::line::Version;
use operator::desk::Drift as RoomDrift;
use operator::drift::{Found, MeantFor, Offline, Template as RoomTemplate, offline_rules};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Desk;
use super::orders::Told;
use super::stations::{filled, station};
use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::shape::List;
use crate::stage::{Body, Path, Query};

/// A named set of wanted settings.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SettingsTemplate)]
pub(crate) struct Template {
    name: String,
    /// `1.6`, `2.0.1` and so on; for all where it is not said.
    version: Option<String>,
    vendor: Option<String>,
    model: Option<String>,
    location: Option<String>,
    /// Written by itself after each boot.
    #[serde(default)]
    after_boot: bool,
    values: Vec<WantedSetting>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedSetting {
    key: String,
    value: String,
}

impl From<RoomTemplate> for Template {
    fn from(one: RoomTemplate) -> Self {
        Self {
            name: one.name,
            version: one.meant_for.version.map(|version| version.label().to_owned()),
            vendor: one.meant_for.vendor,
            model: one.meant_for.model,
            location: one.meant_for.location,
            after_boot: one.after_boot,
            values: one.values.into_iter().map(wanted).collect(),
        }
    }
}

fn wanted((key, value): (Box<str>, Box<str>)) -> WantedSetting {
    WantedSetting { key: key.into(), value: value.into() }
}

fn version(text: &str) -> Result<Version, Fault> {
    Version::named(text).ok_or_else(|| Fault::malformed("/version", "There is no such version."))
}

impl Template {
    fn read(self) -> Result<RoomTemplate, Fault> {
        let meant_for = MeantFor {
            version: filled(self.version).map(|text| version(&text)).transpose()?,
            vendor: filled(self.vendor),
            model: filled(self.model),
            location: filled(self.location),
        };
        let values = self.values.into_iter().map(|one| (one.key.into(), one.value.into())).collect();
        Ok(RoomTemplate { name: self.name, meant_for, values, after_boot: self.after_boot })
    }
}

#[utoipa::path(get, path = "/api/p/operator/templates", tag = "operator",
    responses((status = 200, body = List<Template>)))]
pub(crate) async fn list(State(desk): State<Desk>) -> Result<Json<List<Template>>, Fault> {
    Ok(Json(List::whole(desk.room.templates().await?.into_iter().map(Into::into).collect())))
}

#[utoipa::path(put, path = "/api/p/operator/templates/{name}", tag = "operator", request_body = Template,
    params(("name" = String, Path)), responses((status = 204), (status = 400, body = ErrorBody)))]
pub(crate) async fn put(
    State(desk): State<Desk>,
    actor: Actor,
    Path(name): Path<String>,
    Body(template): Body<Template>,
) -> Result<StatusCode, Fault> {
    desk.room.put_template(&actor.name, Template { name, ..template }.read()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/api/p/operator/templates/{name}", tag = "operator", params(("name" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn retire(
    State(desk): State<Desk>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<StatusCode, Fault> {
    desk.room.drop_template(&actor.name, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OfflineQuery {
    version: String,
    /// Those on the station's own list start; otherwise nobody does.
    #[serde(default)]
    listed: bool,
}

#[utoipa::path(get, path = "/api/p/operator/offline-rules", tag = "operator", params(OfflineQuery),
    responses((status = 200, description = "Settings for a template", body = List<WantedSetting>)))]
pub(crate) async fn offline(Query(query): Query<OfflineQuery>) -> Result<Json<List<WantedSetting>>, Fault> {
    let who = if query.listed { Offline::Listed } else { Offline::Nobody };
    Ok(Json(List::whole(offline_rules(version(&query.version)?, who).into_iter().map(wanted).collect())))
}

/// A station beside a template.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SettingsDrift)]
pub(crate) struct Drift {
    station: String,
    template: String,
    after_boot: bool,
    differences: Vec<DriftLine>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DriftLine {
    key: String,
    wanted: String,
    /// What the station has; null where it never said.
    found: Option<String>,
    /// Only the station itself can change it.
    fixed: bool,
    /// Somebody left it as it is.
    accepted: bool,
}

impl From<RoomDrift> for Drift {
    fn from(one: RoomDrift) -> Self {
        let line = |one: operator::drift::Difference| {
            let (found, fixed) = match one.found {
                Found::Nothing => (None, false),
                Found::Other(value) => (Some(value.into()), false),
                Found::Fixed(value) => (Some(value.into()), true),
            };
            DriftLine { key: one.key.into(), wanted: one.wanted.into(), found, fixed, accepted: one.accepted }
        };
        Self {
            station: one.station.to_string(),
            template: one.template.name,
            after_boot: one.template.after_boot,
            differences: one.differences.into_iter().map(line).collect(),
        }
    }
}

#[utoipa::path(get, path = "/api/p/operator/drift", tag = "operator",
    responses((status = 200, description = "Stations that differ", body = List<Drift>)))]
pub(crate) async fn drifting(State(desk): State<Desk>) -> Result<Json<List<Drift>>, Fault> {
    Ok(Json(List::whole(desk.room.drifting().await?.into_iter().map(Into::into).collect())))
}

#[utoipa::path(get, path = "/api/p/operator/stations/{id}/drift", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = List<Drift>), (status = 404, body = ErrorBody)))]
pub(crate) async fn drift(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Json<List<Drift>>, Fault> {
    let found = desk.room.drift(&station(&id)?).await?;
    Ok(Json(List::whole(found.into_iter().map(Into::into).collect())))
}

#[utoipa::path(post, path = "/api/p/operator/stations/{id}/drift/{template}/apply", tag = "operator",
    params(("id" = String, Path), ("template" = String, Path)),
    responses((status = 200, body = Told), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn apply(
    State(desk): State<Desk>,
    actor: Actor,
    Path((id, template)): Path<(String, String)>,
) -> Result<Json<Told>, Fault> {
    Ok(Json(desk.room.apply_template(&actor.name, &station(&id)?, &template).await?.into()))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptedKey {
    key: String,
}

#[utoipa::path(post, path = "/api/p/operator/stations/{id}/drift/{template}/accept", tag = "operator",
    request_body = AcceptedKey, params(("id" = String, Path), ("template" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn accept(
    State(desk): State<Desk>,
    actor: Actor,
    Path((id, template)): Path<(String, String)>,
    Body(one): Body<AcceptedKey>,
) -> Result<StatusCode, Fault> {
    desk.room.accept_drift(&actor.name, &station(&id)?, &template, &one.key).await?;
    Ok(StatusCode::NO_CONTENT)
}
