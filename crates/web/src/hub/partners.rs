//! Partners of the hub: invited, entered, tried, suspended, removed. Tokens and passwords are shown once.

use ::hub::{Hub, MeasureView, PartnerView, Role};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use charge::Secret;
use charge::id::PartyId;
use charge::talk::partner::{
    Habits as Wanted, HashInput, NewPartner, PartnerRole, Separators, Times, Trial, TrialStep, suited,
};
use charge::talk::thrift::{Measure, Standing as Measured};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::registration::Platform;
use crate::shape::{List, time};
use crate::stage::{Body, Path};

/// What a partner does in the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Does {
    Operator,
    Provider,
}

/// A partner, its connection, and whether its letters pass.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HubPartner)]
pub(crate) struct Partner {
    party: String,
    name: String,
    /// Such as `ocpi/2.2.1` or `oicp/2.3`; `ocpi` alone before it was spoken with.
    protocol: String,
    /// It was invited and has not introduced itself yet.
    invited: bool,
    roles: Vec<Standing>,
    addresses: Vec<Address>,
    /// SHA-256 of the client certificate that it comes with, in hex.
    certificate: Option<String>,
    /// The name that it comes with.
    entry: Option<String>,
    /// Its addresses may be ones that are not public.
    local: bool,
    /// Of a partner that has any.
    habits: Option<Habits>,
    /// What was seen in its letters since the house started.
    seen: Vec<Sighting>,
    /// The habits that would suit what was seen, where they are others than now.
    suggested: Option<Habits>,
    /// When its last letter came in.
    last_seen: Option<String>,
}

/// A form that a partner's letters had, and how often.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HubPartnerSighting)]
pub(crate) struct Sighting {
    what: &'static str,
    count: u64,
}

/// A role, and whether letters pass in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HubPartnerRole)]
pub(crate) struct Standing {
    role: &'static str,
    /// `CONNECTED`, `PLANNED` or `SUSPENDED`.
    status: &'static str,
}

/// Where one service of a partner is.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HubPartnerAddress)]
pub(crate) struct Address {
    /// As its protocol calls it; empty for the base of all.
    service: String,
    url: String,
}

/// How a partner differs from its standard, as far as the hub does as it wants.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HubPartnerHabits)]
pub(crate) struct Habits {
    /// It wants its token as it is, not in base64.
    raw_token: bool,
    /// The version of OCPI spoken with it although there is another one in common.
    version: Option<String>,
    /// A token that nobody knows is told with HTTP 200, not 404.
    unknown_is_ok: bool,
    /// `as written`, `seconds`, `milliseconds` or `no zone`.
    #[serde(default = "as_written")]
    times: String,
    /// `as written`, `with separators` or `without separators`.
    #[serde(default = "as_written")]
    ids: String,
    /// What it hashes where its list holds hashes (OCHP): `either`, `capital letters` or `small letters`.
    #[serde(default = "either")]
    hashes: String,
}

fn as_written() -> String {
    Times::AsWritten.as_str().to_owned()
}

fn either() -> String {
    HashInput::Either.as_str().to_owned()
}

impl From<Wanted> for Habits {
    fn from(habits: Wanted) -> Self {
        let Wanted { raw_token, version, unknown_is_ok, times, ids, hashes } = habits;
        let (times, ids, hashes) = (times.as_str().into(), ids.as_str().into(), hashes.as_str().into());
        Self { raw_token, version: version.map(String::from), unknown_is_ok, times, ids, hashes }
    }
}

impl TryFrom<Habits> for Wanted {
    type Error = Fault;

    fn try_from(wish: Habits) -> Result<Self, Fault> {
        let Habits { raw_token, version, unknown_is_ok, times, ids, hashes } = wish;
        let odd = |path| move || Fault::malformed(path, "This is none of the forms that there are.");
        Ok(Self {
            raw_token,
            version: version.map(Into::into),
            unknown_is_ok,
            times: Times::named(&times).ok_or_else(odd("/times"))?,
            ids: Separators::named(&ids).ok_or_else(odd("/ids"))?,
            hashes: HashInput::named(&hashes).ok_or_else(odd("/hashes"))?,
        })
    }
}

impl From<PartnerView> for Partner {
    fn from(view: PartnerView) -> Self {
        let card = view.card;
        let address = |(service, url): (Box<str>, String)| Address { service: service.into(), url };
        Self {
            party: card.party.to_string(),
            name: view.name,
            protocol: card.protocol.into(),
            invited: card.invited,
            roles: view
                .roles
                .into_iter()
                .map(|(role, status)| Standing { role: role.as_str(), status: status.as_str() })
                .collect(),
            addresses: card.addresses.into_iter().map(address).collect(),
            certificate: card.certificate,
            entry: card.entry,
            local: card.local,
            suggested: card.habits.as_ref().and_then(|now| suited(now, &card.seen)).map(Into::into),
            habits: card.habits.map(Into::into),
            seen: card.seen.into_iter().map(|(seen, count)| Sighting { what: seen.says(), count }).collect(),
            last_seen: view.last_seen.map(time),
        }
    }
}

#[utoipa::path(get, path = "/api/p/hub/partners", tag = "hub", responses((status = 200, body = List<Partner>)))]
pub(crate) async fn list(State(room): State<Hub>) -> Result<Json<List<Partner>>, Fault> {
    Ok(Json(List::whole(room.partners().await?.into_iter().map(Into::into).collect())))
}

/// Whom to invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HubInvitation)]
pub(crate) struct Invitation {
    /// Such as `DE-ABC`.
    party: String,
    name: String,
    roles: Vec<Does>,
    /// It may tell addresses that are not public.
    #[serde(default)]
    local: bool,
}

/// What to hand to the partner. Shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HubInvited)]
pub(crate) struct Invited {
    /// Where it begins.
    versions_url: String,
    /// Good for one exchange of credentials.
    token: String,
}

#[utoipa::path(post, path = "/api/p/hub/partners/invitations", tag = "hub", request_body = Invitation,
    responses((status = 201, body = Invited), (status = 400, body = ErrorBody)))]
pub(crate) async fn invite(
    State(room): State<Hub>,
    actor: Actor,
    Body(wish): Body<Invitation>,
) -> Result<(StatusCode, Json<Invited>), Fault> {
    let roles: Vec<Role> = wish.roles.iter().map(|role| role_of(*role)).collect();
    let invited = room.invite(&actor.name, (party(&wish.party)?, &wish.name), &roles, wish.local).await?;
    let shown = Invited { versions_url: invited.versions_url, token: invited.token.expose().clone() };
    Ok((StatusCode::CREATED, Json(shown)))
}

/// A partner that wants us to begin.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HubRegistration)]
pub(crate) struct Begun {
    /// Such as `DE-ABC`.
    party: String,
    name: String,
    roles: Vec<Does>,
    platform: Platform,
}

#[utoipa::path(post, path = "/api/p/hub/partners/registrations", tag = "hub", request_body = Begun,
    responses((status = 200, body = Tried), (status = 400, body = ErrorBody)))]
pub(crate) async fn register(
    State(room): State<Hub>,
    actor: Actor,
    Body(wish): Body<Begun>,
) -> Result<Json<Tried>, Fault> {
    let roles: Vec<Role> = wish.roles.iter().map(|role| role_of(*role)).collect();
    let with = wish.platform.beginning(party(&wish.party)?);
    Ok(Json(room.register(&actor.name, wish.name.trim(), &roles, with).await?.into()))
}

#[utoipa::path(put, path = "/api/p/hub/partners/{party}/registration", tag = "hub", params(("party" = String, Path)),
    responses((status = 200, body = Tried), (status = 404, body = ErrorBody)))]
pub(crate) async fn renew(State(room): State<Hub>, actor: Actor, Path(id): Path<String>) -> Result<Json<Tried>, Fault> {
    Ok(Json(room.renew(&actor.name, named(&id)?).await?.into()))
}

#[utoipa::path(delete, path = "/api/p/hub/partners/{party}/registration", tag = "hub",
    params(("party" = String, Path)),
    responses((status = 200, body = Tried), (status = 404, body = ErrorBody)))]
pub(crate) async fn leave(State(room): State<Hub>, actor: Actor, Path(id): Path<String>) -> Result<Json<Tried>, Fault> {
    Ok(Json(room.leave(&actor.name, named(&id)?).await?.into()))
}

/// A partner of a protocol that knows no introduction.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HubNewPartner)]
pub(crate) struct Entered {
    party: String,
    name: String,
    roles: Vec<Does>,
    /// `oicp/2.3`, `oicp/2.0`, `ochp/1.4` or `ochp/direct`.
    protocol: String,
    addresses: Vec<Address>,
    /// Name and password with which the hub comes to it.
    login: Option<Login>,
    /// The name with which it comes, where its protocol has passwords; one is made for it.
    entry: Option<String>,
    /// SHA-256 of the client certificate that it comes with, in hex; colons may stand between.
    certificate: Option<String>,
    /// Authorities that its own certificate may come from, in PEM; absent for those that the hub believes anyway.
    roots_pem: Option<String>,
    #[serde(default)]
    local: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HubPartnerLogin)]
pub(crate) struct Login {
    user: String,
    password: String,
}

/// The password with which the partner is to come, where it comes with one. Shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HubEntered)]
pub(crate) struct Password {
    password: Option<String>,
}

#[utoipa::path(post, path = "/api/p/hub/partners", tag = "hub", request_body = Entered,
    responses((status = 201, body = Password), (status = 400, body = ErrorBody)))]
pub(crate) async fn enter(
    State(room): State<Hub>,
    actor: Actor,
    Body(wish): Body<Entered>,
) -> Result<(StatusCode, Json<Password>), Fault> {
    let partner = NewPartner {
        party: party(&wish.party)?,
        name: wish.name.trim().to_owned(),
        roles: wish.roles.iter().map(|role| partner_role(*role)).collect(),
        protocol: wish.protocol.into(),
        addresses: wish.addresses.into_iter().map(|address| (address.service.into(), address.url)).collect(),
        login: wish.login.map(|login| (login.user, Secret::new(login.password))),
        entry: wish.entry.filter(|name| !name.is_empty()),
        certificate: wish.certificate.as_deref().map(fingerprint).transpose()?,
        roots_pem: wish.roots_pem.filter(|pem| !pem.trim().is_empty()),
        local: wish.local,
    };
    let password = room.enter(&actor.name, partner).await?.map(|password| password.expose().clone());
    Ok((StatusCode::CREATED, Json(Password { password })))
}

/// How a connection fared, step by step until the first that did not hold.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HubTrial)]
pub(crate) struct Tried {
    held: bool,
    steps: Vec<Step>,
    /// The habits that would suit what was seen, where they are others than now.
    suggested: Option<Habits>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HubTrialStep)]
pub(crate) struct Step {
    what: &'static str,
    held: bool,
    /// What was seen.
    found: String,
    /// What to ask of the partner, or to do here.
    advice: Option<String>,
}

impl From<Trial> for Tried {
    fn from(trial: Trial) -> Self {
        let step = |step: TrialStep| Step { what: step.what, held: step.held, found: step.found, advice: step.advice };
        Self {
            held: trial.steps.iter().all(|step| step.held),
            steps: trial.steps.into_iter().map(step).collect(),
            suggested: trial.suggested.map(Into::into),
        }
    }
}

#[utoipa::path(post, path = "/api/p/hub/partners/{party}/trial", tag = "hub", params(("party" = String, Path)),
    responses((status = 200, body = Tried), (status = 404, body = ErrorBody)))]
pub(crate) async fn examine(State(room): State<Hub>, Path(id): Path<String>) -> Result<Json<Tried>, Fault> {
    Ok(Json(room.examine(named(&id)?).await?.into()))
}

#[utoipa::path(put, path = "/api/p/hub/partners/{party}/habits", tag = "hub", params(("party" = String, Path)),
    request_body = Habits,
    responses((status = 204), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody)))]
pub(crate) async fn accustom(
    State(room): State<Hub>,
    actor: Actor,
    Path(id): Path<String>,
    Body(wish): Body<Habits>,
) -> Result<StatusCode, Fault> {
    room.accustom(&actor.name, named(&id)?, wish.try_into()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A measure of thrift as it stands for a partner.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HubPartnerMeasure)]
pub(crate) struct Kept {
    /// As the catalogue calls it, such as `M7`.
    measure: &'static str,
    /// What it does.
    says: &'static str,
    /// `always`, `switch`, or `nothing` where the partner's protocol or role leaves nothing to switch.
    standing: &'static str,
    /// Why there is nothing to switch.
    why: Option<&'static str>,
    on: bool,
    /// What it is where nobody has switched it.
    by_default: Option<bool>,
}

impl From<MeasureView> for Kept {
    fn from(view: MeasureView) -> Self {
        let (standing, why, by_default) = match view.standing {
            Measured::Always => ("always", None, None),
            Measured::Switch { by_default } => ("switch", None, Some(by_default)),
            Measured::Nothing(why) => ("nothing", Some(why), None),
        };
        Self { measure: view.measure.as_str(), says: view.measure.says(), standing, why, on: view.on, by_default }
    }
}

#[utoipa::path(get, path = "/api/p/hub/partners/{party}/measures", tag = "hub", params(("party" = String, Path)),
    responses((status = 200, body = List<Kept>), (status = 404, body = ErrorBody)))]
pub(crate) async fn measures(State(room): State<Hub>, Path(id): Path<String>) -> Result<Json<List<Kept>>, Fault> {
    Ok(Json(List::whole(room.measures(named(&id)?).await?.into_iter().map(Into::into).collect())))
}

/// Whether a measure holds.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HubPartnerMeasureWish)]
pub(crate) struct Turned {
    on: bool,
}

#[utoipa::path(put, path = "/api/p/hub/partners/{party}/measures/{measure}", tag = "hub",
    params(("party" = String, Path), ("measure" = String, Path, description = "Such as `M7`")), request_body = Turned,
    responses((status = 204), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn turn(
    State(room): State<Hub>,
    actor: Actor,
    Path((id, measure)): Path<(String, String)>,
    Body(wish): Body<Turned>,
) -> Result<StatusCode, Fault> {
    let measure = Measure::named(&measure).ok_or(Fault::NotFound)?;
    room.turn(&actor.name, named(&id)?, measure, wish.on).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether a partner's letters pass.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HubPartnerStanding)]
pub(crate) struct Passage {
    suspended: bool,
}

#[utoipa::path(put, path = "/api/p/hub/partners/{party}/standing", tag = "hub", params(("party" = String, Path)),
    request_body = Passage, responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn suspend(
    State(room): State<Hub>,
    actor: Actor,
    Path(id): Path<String>,
    Body(wish): Body<Passage>,
) -> Result<StatusCode, Fault> {
    room.suspend(&actor.name, named(&id)?, wish.suspended).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/api/p/hub/partners/{party}", tag = "hub", params(("party" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn remove(State(room): State<Hub>, actor: Actor, Path(id): Path<String>) -> Result<StatusCode, Fault> {
    room.remove(&actor.name, named(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a person did to a partner.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HubAuditLine)]
pub(crate) struct AuditLine {
    at: String,
    actor: String,
    action: String,
    subject: String,
}

#[utoipa::path(get, path = "/api/p/hub/audit", tag = "hub", responses((status = 200, body = List<AuditLine>)))]
pub(crate) async fn audit(State(room): State<Hub>) -> Result<Json<List<AuditLine>>, Fault> {
    let twin = |line: ::hub::AuditLine| AuditLine {
        at: time(line.at),
        actor: line.actor,
        action: line.action,
        subject: line.subject.to_string(),
    };
    Ok(Json(List::whole(room.audit().await?.into_iter().map(twin).collect())))
}

fn party(text: &str) -> Result<PartyId, Fault> {
    text.trim().parse().map_err(|_| Fault::malformed("/party", "A party id looks like DE-ABC."))
}

fn named(id: &str) -> Result<PartyId, Fault> {
    id.parse().map_err(|_| Fault::NotFound)
}

const fn role_of(role: Does) -> Role {
    match role {
        Does::Operator => Role::Operator,
        Does::Provider => Role::Provider,
    }
}

const fn partner_role(role: Does) -> PartnerRole {
    match role {
        Does::Operator => PartnerRole::Operator,
        Does::Provider => PartnerRole::Provider,
    }
}

fn fingerprint(text: &str) -> Result<[u8; 32], Fault> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    trust::hex::decode_array(&digits.to_ascii_lowercase())
        .ok_or_else(|| Fault::malformed("/certificate", "A SHA-256 fingerprint has 64 hex digits."))
}
