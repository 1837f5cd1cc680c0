//! Logs from stations, firmware images, campaigns, and stations' certificates.
//!
//! Two addresses are open to stations and guarded by a secret in the path: one takes a log, the other hands out an
//! image. The secret is made for one file and is never logged.

use std::time::Duration;

use axum::Json;
use axum::body::Body as RawBody;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use charge::talk::line::ToStation;
use charge::talk::line::certificate::{CertificateHash, CertificateOrder, CertificateUse};
use charge::talk::line::upkeep::{FirmwareSignature, LogKind};
use charge::{Dice, Secret};
use operator::campaign::{Pace, State as CampaignState};
use operator::desk::{Campaign as RoomCampaign, Firmware as RoomFirmware, Upload as RoomUpload};
use operator::{Chosen, LogWish, NewCampaign, NewFirmware, Shelf, StationOrder};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Desk;
use super::lists::OfStation;
use super::orders::Told;
use super::stations::{filled, station};
use super::told::Request;
use super::words::moment;
use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::shape::{List, time};
use crate::shelf;
use crate::stage::{Body, Path, Query};

/// A station's log with the traces of some days.
const LOG_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The largest images of the field are systems of some hundred megabytes.
const IMAGE_BYTES_MAX: usize = 1024 * 1024 * 1024;
const FILE_NAME_LEN: usize = 24;

fn shelf_of(desk: &Desk) -> Result<Shelf, Fault> {
    desk.room.shelf().cloned().ok_or_else(|| Fault::Conflict("No shelf for files is set up.".to_owned()))
}

fn fresh_name() -> String {
    trust::dice::SystemDice.letters(FILE_NAME_LEN)
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogWhat {
    Diagnostics,
    Security,
    DataCollector,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FetchLog {
    log: LogWhat,
    from: Option<String>,
    until: Option<String>,
}

#[utoipa::path(post, path = "/api/p/operator/stations/{id}/uploads", tag = "operator", request_body = FetchLog,
    params(("id" = String, Path)), responses((status = 200, body = Told), (status = 409, body = ErrorBody)))]
pub(crate) async fn fetch_log(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
    Body(wish): Body<FetchLog>,
) -> Result<Json<Told>, Fault> {
    let kind = match wish.log {
        LogWhat::Diagnostics => LogKind::Diagnostics,
        LogWhat::Security => LogKind::Security,
        LogWhat::DataCollector => LogKind::DataCollector,
    };
    let wish = LogWish { kind, from: moment(wish.from, "/from")?, until: moment(wish.until, "/until")? };
    Ok(Json(desk.room.fetch_log(&actor.name, &station(&id)?, wish).await?.into()))
}

/// A file that a station was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StationUpload)]
pub(crate) struct Upload {
    #[serde(flatten)]
    request: Request,
    name: Option<String>,
    bytes: Option<u64>,
    received: Option<String>,
    /// It can be downloaded.
    there: bool,
    open_until: String,
}

impl From<RoomUpload> for Upload {
    fn from(one: RoomUpload) -> Self {
        Self {
            request: one.request.into(),
            name: one.name,
            bytes: one.bytes,
            received: one.received.map(time),
            there: one.file.is_some(),
            open_until: time(one.open_until),
        }
    }
}

#[utoipa::path(get, path = "/api/p/operator/uploads", tag = "operator", params(OfStation),
    responses((status = 200, body = List<Upload>)))]
pub(crate) async fn uploads(
    State(desk): State<Desk>,
    Query(query): Query<OfStation>,
) -> Result<Json<List<Upload>>, Fault> {
    let (of, limit) = query.read()?;
    Ok(Json(List::whole(desk.room.uploads(of, limit).await?.into_iter().map(Into::into).collect())))
}

#[utoipa::path(get, path = "/api/p/operator/upload-files/{number}", tag = "operator", params(("number" = i32, Path)),
    responses((status = 200, description = "The file", content_type = "application/octet-stream"),
        (status = 404, body = ErrorBody)))]
pub(crate) async fn download(State(desk): State<Desk>, Path(number): Path<i32>) -> Result<Response, Fault> {
    let one = desk.room.upload(number).await?;
    shelf::give(&shelf_of(&desk)?.directory, &one.file.ok_or(Fault::NotFound)?).await
}

async fn put_log(desk: &Desk, secret: &str, name: Option<String>, body: RawBody) -> Result<StatusCode, Fault> {
    let number = desk.room.upload_expected(secret).await?;
    let shelf = shelf_of(desk)?;
    let taken = shelf::take(&shelf.directory, fresh_name(), body, LOG_BYTES_MAX).await?;
    let kept = desk.room.upload_received(number, name, taken.file.clone(), taken.bytes).await;
    if kept.is_err() {
        shelf::discard(&shelf.directory, &taken.file).await;
    }
    kept?;
    Ok(StatusCode::CREATED)
}

#[utoipa::path(put, path = "/api/p/operator/uploads/{secret}", tag = "operator", params(("secret" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201), (status = 404, body = ErrorBody), (status = 413, body = ErrorBody)))]
pub(crate) async fn upload(
    State(desk): State<Desk>,
    Path(secret): Path<String>,
    body: RawBody,
) -> Result<StatusCode, Fault> {
    put_log(&desk, &secret, None, body).await
}

#[utoipa::path(put, path = "/api/p/operator/uploads/{secret}/{name}", tag = "operator",
    params(("secret" = String, Path), ("name" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201), (status = 404, body = ErrorBody), (status = 413, body = ErrorBody)))]
pub(crate) async fn upload_named(
    State(desk): State<Desk>,
    Path((secret, name)): Path<(String, String)>,
    body: RawBody,
) -> Result<StatusCode, Fault> {
    put_log(&desk, &secret, Some(name), body).await
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FirmwareImage)]
pub(crate) struct Firmware {
    id: String,
    vendor: String,
    model: Option<String>,
    version: String,
    signed: bool,
    /// Stations fetch it from somewhere else.
    elsewhere: bool,
    /// Its bytes lie here.
    there: bool,
    bytes: Option<u64>,
    sha256: Option<String>,
    added: String,
}

impl From<RoomFirmware> for Firmware {
    fn from(one: RoomFirmware) -> Self {
        Self {
            id: one.id,
            vendor: one.vendor,
            model: one.model,
            version: one.version,
            signed: one.signed,
            elsewhere: one.elsewhere,
            there: one.file.is_some(),
            bytes: one.bytes,
            sha256: one.sha256,
            added: time(one.added),
        }
    }
}

#[utoipa::path(get, path = "/api/p/operator/firmware", tag = "operator",
    responses((status = 200, body = List<Firmware>)))]
pub(crate) async fn images(State(desk): State<Desk>) -> Result<Json<List<Firmware>>, Fault> {
    Ok(Json(List::whole(desk.room.firmware().await?.into_iter().map(Into::into).collect())))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddFirmware {
    vendor: String,
    model: Option<String>,
    version: String,
    /// Where it lies, if not here. Kept sealed and never shown.
    address: Option<String>,
    /// Its maker's certificate in PEM and signature in base64.
    certificate: Option<String>,
    signature: Option<String>,
}

#[utoipa::path(post, path = "/api/p/operator/firmware", tag = "operator", request_body = AddFirmware,
    responses((status = 201, body = Firmware), (status = 400, body = ErrorBody)))]
pub(crate) async fn add_image(
    State(desk): State<Desk>,
    actor: Actor,
    Body(wish): Body<AddFirmware>,
) -> Result<(StatusCode, Json<Firmware>), Fault> {
    let signature = match (filled(wish.certificate), filled(wish.signature)) {
        (Some(certificate), Some(signature)) => {
            Some(FirmwareSignature { certificate: certificate.into(), signature: signature.into() })
        }
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            return Err(Fault::malformed("/signature", "Certificate and signature belong together."));
        }
    };
    let new = NewFirmware {
        vendor: wish.vendor,
        model: filled(wish.model),
        version: wish.version,
        address: filled(wish.address).map(Secret::new),
        signature,
    };
    Ok((StatusCode::CREATED, Json(desk.room.add_firmware(&actor.name, new).await?.into())))
}

#[utoipa::path(put, path = "/api/p/operator/firmware/{id}/file", tag = "operator", params(("id" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Firmware), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 413, body = ErrorBody)))]
pub(crate) async fn put_image(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
    body: RawBody,
) -> Result<Json<Firmware>, Fault> {
    let known = desk.room.firmware().await?.into_iter().find(|one| one.id == id).ok_or(Fault::NotFound)?;
    let shelf = shelf_of(&desk)?;
    let taken = shelf::take(&shelf.directory, fresh_name(), body, IMAGE_BYTES_MAX).await?;
    let kept = desk.room.firmware_received(&actor.name, &id, taken.file.clone(), taken.bytes, taken.sha256).await;
    // the one that it replaces, or the new one that nobody wants
    let old = if kept.is_ok() { known.file } else { Some(taken.file) };
    if let Some(old) = old {
        shelf::discard(&shelf.directory, &old).await;
    }
    Ok(Json(kept?.into()))
}

#[utoipa::path(get, path = "/api/p/operator/firmware-files/{secret}", tag = "operator",
    params(("secret" = String, Path)),
    responses((status = 200, description = "The image", content_type = "application/octet-stream"),
        (status = 404, body = ErrorBody)))]
pub(crate) async fn image(State(desk): State<Desk>, Path(secret): Path<String>) -> Result<Response, Fault> {
    let one = desk.room.firmware_expected(&secret).await?;
    shelf::give(&shelf_of(&desk)?.directory, &one.file.ok_or(Fault::NotFound)?).await
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FirmwareCampaign)]
pub(crate) struct Campaign {
    id: String,
    firmware: String,
    wave_percent: u8,
    pause_s: u64,
    failures_max: u32,
    /// `running`, `paused`, `stopped` or `done`.
    state: &'static str,
    why: Option<String>,
    begun: String,
    stations: Vec<CampaignStation>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CampaignStation {
    station: String,
    wave: u32,
    /// `waiting`, or the state of its request.
    state: &'static str,
    status: Option<String>,
    changed: String,
}

impl From<RoomCampaign> for Campaign {
    fn from(one: RoomCampaign) -> Self {
        let member = |one: operator::desk::CampaignMember| CampaignStation {
            station: one.station.to_string(),
            wave: one.wave,
            state: one.state.map_or("waiting", operator::request::State::as_str),
            status: one.status,
            changed: time(one.changed),
        };
        Self {
            id: one.id,
            firmware: one.firmware,
            wave_percent: one.pace.wave_percent,
            pause_s: one.pace.pause.as_secs(),
            failures_max: one.pace.failures_max,
            state: one.state.as_str(),
            why: one.why,
            begun: time(one.begun),
            stations: one.members.into_iter().map(member).collect(),
        }
    }
}

#[utoipa::path(get, path = "/api/p/operator/campaigns", tag = "operator",
    responses((status = 200, body = List<Campaign>)))]
pub(crate) async fn campaigns(State(desk): State<Desk>) -> Result<Json<List<Campaign>>, Fault> {
    Ok(Json(List::whole(desk.room.campaigns().await?.into_iter().map(Into::into).collect())))
}

#[utoipa::path(get, path = "/api/p/operator/campaigns/{id}", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = Campaign), (status = 404, body = ErrorBody)))]
pub(crate) async fn campaign(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Json<Campaign>, Fault> {
    Ok(Json(desk.room.campaign(&id).await?.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BeginCampaign {
    firmware: String,
    wave_percent: u8,
    #[serde(default)]
    pause_s: u32,
    /// It stops at so many failures; 0 never.
    failures_max: u32,
    /// All stations of the image's maker that do not have it, where it is not said.
    stations: Option<Vec<String>>,
}

#[utoipa::path(post, path = "/api/p/operator/campaigns", tag = "operator", request_body = BeginCampaign,
    responses((status = 201, body = Campaign), (status = 400, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn begin(
    State(desk): State<Desk>,
    actor: Actor,
    Body(wish): Body<BeginCampaign>,
) -> Result<(StatusCode, Json<Campaign>), Fault> {
    let stations = match wish.stations {
        Some(ids) => Chosen::These(ids.iter().map(|id| station(id)).collect::<Result<_, _>>()?),
        None => Chosen::Behind,
    };
    let pace = Pace {
        wave_percent: wish.wave_percent,
        pause: Duration::from_secs(u64::from(wish.pause_s)),
        failures_max: wish.failures_max,
    };
    let new = NewCampaign { firmware: wish.firmware, pace, stations };
    Ok((StatusCode::CREATED, Json(desk.room.begin_campaign(&actor.name, new).await?.into())))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SteerCampaign {
    /// `running`, `paused` or `stopped`.
    state: String,
}

#[utoipa::path(put, path = "/api/p/operator/campaigns/{id}/state", tag = "operator", request_body = SteerCampaign,
    params(("id" = String, Path)),
    responses((status = 200, body = Campaign), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn steer(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
    Body(wish): Body<SteerCampaign>,
) -> Result<Json<Campaign>, Fault> {
    let state = CampaignState::named(&wish.state);
    let state = state.ok_or_else(|| Fault::malformed("/state", "running, paused or stopped."))?;
    Ok(Json(desk.room.steer_campaign(&actor.name, &id, state).await?.into()))
}

/// A certificate that a station asked us for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IssuedCertificate {
    id: i64,
    station: String,
    /// `issued`, `accepted`, `rejected` (by the station), `unsent` or `refused` (by us).
    state: String,
    why: Option<String>,
    common_name: Option<String>,
    serial: Option<String>,
    fingerprint: Option<String>,
    not_after: Option<String>,
    asked: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CertificateQuery {
    station: Option<String>,
    /// Only those in use that end within so many days.
    within_days: Option<u32>,
}

#[utoipa::path(get, path = "/api/p/operator/certificates", tag = "operator", params(CertificateQuery),
    responses((status = 200, body = List<IssuedCertificate>)))]
pub(crate) async fn certificates(
    State(desk): State<Desk>,
    Query(query): Query<CertificateQuery>,
) -> Result<Json<List<IssuedCertificate>>, Fault> {
    const DAY_S: u64 = 86_400;
    let of = filled(query.station).map(|id| station(&id)).transpose()?;
    let within = query.within_days.map(|days| Duration::from_secs(u64::from(days) * DAY_S));
    let line = |one: operator::desk::Issued| IssuedCertificate {
        id: one.id,
        station: one.station.to_string(),
        state: one.state,
        why: one.why,
        common_name: one.common_name,
        serial: one.serial,
        fingerprint: one.fingerprint,
        not_after: one.not_after.map(time),
        asked: time(one.asked),
    };
    Ok(Json(List::whole(desk.room.issued(of, within).await?.into_iter().map(line).collect())))
}

/// What a certificate at a station is trusted for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TrustedFor {
    V2gRoot,
    MoRoot,
    OperatorRoot,
    ManufacturerRoot,
    OemRoot,
    V2gChain,
}

const USES: [(TrustedFor, CertificateUse); 6] = [
    (TrustedFor::V2gRoot, CertificateUse::V2gRoot),
    (TrustedFor::MoRoot, CertificateUse::MoRoot),
    (TrustedFor::OperatorRoot, CertificateUse::OperatorRoot),
    (TrustedFor::ManufacturerRoot, CertificateUse::ManufacturerRoot),
    (TrustedFor::OemRoot, CertificateUse::OemRoot),
    (TrustedFor::V2gChain, CertificateUse::V2gChain),
];

const fn use_of(wish: TrustedFor) -> CertificateUse {
    match wish {
        TrustedFor::V2gRoot => CertificateUse::V2gRoot,
        TrustedFor::MoRoot => CertificateUse::MoRoot,
        TrustedFor::OperatorRoot => CertificateUse::OperatorRoot,
        TrustedFor::ManufacturerRoot => CertificateUse::ManufacturerRoot,
        TrustedFor::OemRoot => CertificateUse::OemRoot,
        TrustedFor::V2gChain => CertificateUse::V2gChain,
    }
}

/// Names a certificate without showing it (OCPP `CertificateHashData`).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HashOfCertificate {
    algorithm: String,
    issuer_name: String,
    issuer_key: String,
    serial: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeldCertificate {
    trusted_for: TrustedFor,
    hash: HashOfCertificate,
    /// Below another one in its chain.
    child: bool,
    told: String,
}

#[utoipa::path(get, path = "/api/p/operator/stations/{id}/certificates", tag = "operator",
    params(("id" = String, Path)), responses((status = 200, body = List<HeldCertificate>)))]
pub(crate) async fn held(
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Result<Json<List<HeldCertificate>>, Fault> {
    let line = |one: operator::desk::Installed| HeldCertificate {
        trusted_for: USES.into_iter().find(|(_, of)| *of == one.used_for).map_or(TrustedFor::V2gChain, |(to, _)| to),
        hash: HashOfCertificate {
            algorithm: one.hash.algorithm.into(),
            issuer_name: one.hash.issuer_name.into(),
            issuer_key: one.hash.issuer_key.into(),
            serial: one.hash.serial.into(),
        },
        child: one.child,
        told: time(one.told),
    };
    Ok(Json(List::whole(desk.room.installed(&station(&id)?).await?.into_iter().map(line).collect())))
}

/// One act on a station's certificates.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum CertificateAct {
    /// Asks what it holds; empty is all.
    List {
        #[serde(default)]
        trusted_for: Vec<TrustedFor>,
    },
    /// PEM.
    Install {
        trusted_for: TrustedFor,
        certificate: String,
    },
    Delete {
        hash: HashOfCertificate,
    },
}

#[utoipa::path(post, path = "/api/p/operator/stations/{id}/certificates", tag = "operator",
    request_body = CertificateAct, params(("id" = String, Path)),
    responses((status = 200, body = Told), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn act(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
    Body(act): Body<CertificateAct>,
) -> Result<Json<Told>, Fault> {
    let order = match act {
        CertificateAct::List { trusted_for } => CertificateOrder::List(trusted_for.into_iter().map(use_of).collect()),
        CertificateAct::Install { trusted_for: TrustedFor::V2gChain, .. } => {
            return Err(Fault::malformed("/trusted_for", "A chain is told by stations and never installed."));
        }
        CertificateAct::Install { trusted_for, certificate } => {
            if !certificate.contains("-----BEGIN CERTIFICATE-----") {
                return Err(Fault::malformed("/certificate", "A certificate in PEM."));
            }
            CertificateOrder::Install { used_for: use_of(trusted_for), certificate: certificate.into() }
        }
        CertificateAct::Delete { hash } => CertificateOrder::Delete(CertificateHash {
            algorithm: hash.algorithm.into(),
            issuer_name: hash.issuer_name.into(),
            issuer_key: hash.issuer_key.into(),
            serial: hash.serial.into(),
        }),
    };
    let word = StationOrder::Word(Box::new(ToStation::Certificate(order)));
    Ok(Json(desk.room.order(&actor.name, &station(&id)?, word).await?.into()))
}
