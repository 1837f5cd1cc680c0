//! Tolerances: which are on for a station and why, what is suggested, strict mode; and the profiles of makes.
//!
//! A switch counts from the station's next connection on; ending the present one is a call of its own, so that nobody
//! does it by accident.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use charge::talk::line::quirk::{Quirk, Stance};
use operator::quirk::{Because, Make as RoomMake, Profile as RoomProfile, Standing as RoomStanding};
use operator::quirk::{Suggestion as RoomSuggestion, Tolerance as RoomTolerance};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Desk;
use super::stations::station;
use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::shape::{List, time};
use crate::stage::{Body, Path};

/// What is tolerated of one station.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StationQuirks)]
pub(crate) struct Standing {
    make: Make,
    /// Nothing is tolerated, and each deviation gets its exact code.
    strict: bool,
    /// Names of the profiles that fit its make, the later above the earlier.
    profiles: Vec<String>,
    tolerances: Vec<Tolerance>,
    suggestions: Vec<Suggestion>,
    /// Settings that its make says it does not know: they are not asked for any more.
    refused_keys: Vec<String>,
}

/// What a station said of itself at its last boot.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StationMake)]
pub(crate) struct Make {
    vendor: String,
    model: String,
    firmware: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tolerance {
    quirk: &'static str,
    /// What the station does and how it is served, in a sentence.
    told: &'static str,
    on: bool,
    /// `usual`, `profile`, `operator` or `strict`.
    because: &'static str,
    /// The profile that says so.
    profile: Option<String>,
    /// Off unless somebody permits it for one station.
    weakens_security: bool,
    /// How many messages deviated in this way.
    met: u64,
    last: Option<String>,
    /// What was remarked of the last one: JSON paths, no values.
    example: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuirkSuggestion)]
pub(crate) struct Suggestion {
    station: String,
    quirk: &'static str,
    text: String,
    weakens_security: bool,
    /// Since it was dismissed last.
    met: u64,
    last: String,
}

impl From<RoomMake> for Make {
    fn from(RoomMake { vendor, model, firmware }: RoomMake) -> Self {
        Self { vendor, model, firmware }
    }
}

impl From<RoomTolerance> for Tolerance {
    fn from(one: RoomTolerance) -> Self {
        let (because, profile) = match one.because {
            Because::Usual => ("usual", None),
            Because::Profile(name) => ("profile", Some(name)),
            Because::Operator => ("operator", None),
            Because::Strict => ("strict", None),
        };
        Self {
            quirk: one.quirk.as_str(),
            told: one.quirk.told(),
            on: one.on,
            because,
            profile,
            weakens_security: one.quirk.stance() == Stance::Permit,
            met: one.met,
            last: one.last.map(time),
            example: one.example,
        }
    }
}

impl From<RoomSuggestion> for Suggestion {
    fn from(one: RoomSuggestion) -> Self {
        Self {
            text: one.text(),
            station: one.station.to_string(),
            quirk: one.quirk.as_str(),
            weakens_security: one.quirk.stance() == Stance::Permit,
            met: one.met,
            last: time(one.last),
        }
    }
}

impl From<RoomStanding> for Standing {
    fn from(one: RoomStanding) -> Self {
        Self {
            make: one.make.into(),
            strict: one.strict,
            profiles: one.profiles,
            tolerances: one.tolerances.into_iter().map(Into::into).collect(),
            suggestions: one.suggestions.into_iter().map(Into::into).collect(),
            refused_keys: one.refused_keys,
        }
    }
}

/// A tolerance from a path: what has no name, nobody has.
fn quirk(name: &str) -> Result<Quirk, Fault> {
    Quirk::named(name).ok_or(Fault::NotFound)
}

#[utoipa::path(get, path = "/api/p/operator/stations/{id}/quirks", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = Standing), (status = 404, body = ErrorBody)))]
pub(crate) async fn standing(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Json<Standing>, Fault> {
    Ok(Json(desk.room.quirks_of(&station(&id)?).await?.into()))
}

/// On, off, or null: as the profiles say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SwitchQuirk {
    on: Option<bool>,
}

#[utoipa::path(put, path = "/api/p/operator/stations/{id}/quirks/{quirk}", tag = "operator", request_body = SwitchQuirk,
    params(("id" = String, Path), ("quirk" = String, Path)), responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn switch(
    State(desk): State<Desk>,
    actor: Actor,
    Path((id, name)): Path<(String, String)>,
    Body(wish): Body<SwitchQuirk>,
) -> Result<StatusCode, Fault> {
    desk.room.switch_quirk(&actor.name, &station(&id)?, quirk(&name)?, wish.on).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StrictMode {
    strict: bool,
}

#[utoipa::path(put, path = "/api/p/operator/stations/{id}/strict", tag = "operator", request_body = StrictMode,
    params(("id" = String, Path)), responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn strict(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
    Body(wish): Body<StrictMode>,
) -> Result<StatusCode, Fault> {
    desk.room.set_strict(&actor.name, &station(&id)?, wish.strict).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(post, path = "/api/p/operator/stations/{id}/quirks/{quirk}/apply", tag = "operator",
    params(("id" = String, Path), ("quirk" = String, Path)),
    responses((status = 204), (status = 404, description = "It is not suggested (any more)", body = ErrorBody)))]
pub(crate) async fn apply(
    State(desk): State<Desk>,
    actor: Actor,
    Path((id, name)): Path<(String, String)>,
) -> Result<StatusCode, Fault> {
    desk.room.apply_suggestion(&actor.name, &station(&id)?, quirk(&name)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(post, path = "/api/p/operator/stations/{id}/quirks/{quirk}/dismiss", tag = "operator",
    params(("id" = String, Path), ("quirk" = String, Path)),
    responses((status = 204), (status = 404, description = "It is not suggested (any more)", body = ErrorBody)))]
pub(crate) async fn dismiss(
    State(desk): State<Desk>,
    actor: Actor,
    Path((id, name)): Path<(String, String)>,
) -> Result<StatusCode, Fault> {
    desk.room.dismiss_suggestion(&actor.name, &station(&id)?, quirk(&name)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(post, path = "/api/p/operator/stations/{id}/reconnect", tag = "operator", params(("id" = String, Path)),
    responses((status = 204), (status = 409, description = "It is not connected", body = ErrorBody)))]
pub(crate) async fn reconnect(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    desk.room.reconnect_station(&actor.name, &station(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(get, path = "/api/p/operator/quirk-suggestions", tag = "operator",
    responses((status = 200, description = "What would serve stations that deviate", body = List<Suggestion>)))]
pub(crate) async fn suggestions(State(desk): State<Desk>) -> Result<Json<List<Suggestion>>, Fault> {
    Ok(Json(List::whole(desk.room.quirk_suggestions().await?.into_iter().map(Into::into).collect())))
}

/// A tolerance by itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuirkWord)]
pub(crate) struct Word {
    quirk: &'static str,
    /// What stations do and how they are served, in a sentence.
    told: &'static str,
    /// On for a station that nobody knows anything about.
    usual: bool,
    /// Off unless somebody permits it for one station; in no profile.
    weakens_security: bool,
}

#[utoipa::path(get, path = "/api/p/operator/quirks", tag = "operator",
    responses((status = 200, description = "All tolerances", body = List<Word>)))]
pub(crate) async fn words() -> Json<List<Word>> {
    let word = |quirk: &Quirk| Word {
        quirk: quirk.as_str(),
        told: quirk.told(),
        usual: quirk.stance() == Stance::On,
        weakens_security: quirk.stance() == Stance::Permit,
    };
    Json(List::whole(Quirk::ALL.iter().map(word).collect()))
}

/// Tolerances for all stations of a make. `*` stands for any text; letter case does not matter.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuirkProfile)]
pub(crate) struct Profile {
    name: String,
    vendor: String,
    model: String,
    firmware: String,
    /// Names of tolerances that it switches on.
    #[serde(default)]
    on: Vec<String>,
    /// And off.
    #[serde(default)]
    off: Vec<String>,
    /// It came with the program and cannot be changed; one of your own with the same pattern counts above it.
    #[serde(default, skip_deserializing)]
    shipped: bool,
}

impl Profile {
    fn of(profile: RoomProfile, shipped: bool) -> Self {
        let names = |quirks: Vec<Quirk>| quirks.into_iter().map(|quirk| quirk.as_str().to_owned()).collect();
        let RoomProfile { name, vendor, model, firmware, on, off } = profile;
        Self { name, vendor, model, firmware, on: names(on), off: names(off), shipped }
    }

    fn read(self) -> Result<RoomProfile, Fault> {
        let named = |path: &str, names: Vec<String>| -> Result<Vec<Quirk>, Fault> {
            let one = |(at, name): (usize, String)| {
                Quirk::named(&name)
                    .ok_or_else(|| Fault::malformed(format!("{path}/{at}"), "There is no such tolerance."))
            };
            names.into_iter().enumerate().map(one).collect()
        };
        let Self { name, vendor, model, firmware, on, off, shipped: _ } = self;
        Ok(RoomProfile { name, vendor, model, firmware, on: named("/on", on)?, off: named("/off", off)? })
    }
}

#[utoipa::path(get, path = "/api/p/operator/quirk-profiles", tag = "operator",
    responses((status = 200, body = List<Profile>)))]
pub(crate) async fn profiles(State(desk): State<Desk>) -> Result<Json<List<Profile>>, Fault> {
    let (shipped, own) = desk.room.quirk_profiles().await?;
    let shipped = shipped.into_iter().map(|profile| Profile::of(profile, true));
    let own = own.into_iter().map(|profile| Profile::of(profile, false));
    Ok(Json(List::whole(shipped.chain(own).collect())))
}

#[utoipa::path(put, path = "/api/p/operator/quirk-profiles/{name}", tag = "operator", request_body = Profile,
    params(("name" = String, Path)), responses((status = 204), (status = 400, body = ErrorBody)))]
pub(crate) async fn put_profile(
    State(desk): State<Desk>,
    actor: Actor,
    Path(name): Path<String>,
    Body(profile): Body<Profile>,
) -> Result<StatusCode, Fault> {
    desk.room.put_quirk_profile(&actor.name, Profile { name, ..profile }.read()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/api/p/operator/quirk-profiles/{name}", tag = "operator",
    params(("name" = String, Path)), responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn remove_profile(
    State(desk): State<Desk>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<StatusCode, Fault> {
    desk.room.remove_quirk_profile(&actor.name, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
