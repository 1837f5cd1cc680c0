//! Stations: lists, one station, its log, who was refused at the door; enrolling and retiring.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use charge::id::{EvseNo, LocationId, StationId};
use charge::talk::line::Direction;
use operator::view::{EvseCard, LogFilter, Page, StationCard, StationFilter};
use operator::{NewBay, NewStation, Profile};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Desk;
use super::orders::Told;
use super::places::WriteEvse;
use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::shape::{List, Paging, time};
use crate::stage::{Body, Path, Query};

/// A station's certificate lives this long; its operator gives it a new one before.
const STATION_CERTIFICATE_LIFE: Duration = Duration::from_secs(397 * 86_400);

pub(crate) fn page(paging: &Paging) -> Page {
    Page { offset: paging.offset(), limit: paging.limit() }
}

/// An id from a path: what is none, nobody has.
pub(crate) fn station(id: &str) -> Result<StationId, Fault> {
    StationId::new(id).map_err(|_| Fault::NotFound)
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Station {
    id: String,
    vendor: String,
    model: String,
    firmware: Option<String>,
    serial: Option<String>,
    /// Of the live connection, or of the last one: `1.6` or `2.0.1`.
    ocpp: Option<&'static str>,
    connected: bool,
    since: Option<String>,
    last_seen: Option<String>,
    /// OCPP security profile: 2 password, 3 certificate.
    profile: u8,
    danger_plain_ws: bool,
    location: StationPlace,
    evses: Vec<StationEvse>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StationPlace {
    id: String,
    name: Option<String>,
    city: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StationEvse {
    no: u16,
    uid: String,
    evse_id: Option<String>,
    /// What the station says; null until it has said.
    state: Option<&'static str>,
    fault: Option<String>,
    /// What the network is told (OCPI).
    status: &'static str,
    session: Option<String>,
    power_w: Option<i64>,
    meter_key: Option<MeterKey>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MeterKey {
    spki_hex: String,
    /// A person compared it; otherwise it was only seen in a message.
    confirmed: bool,
}

impl From<EvseCard> for StationEvse {
    fn from(card: EvseCard) -> Self {
        Self {
            no: card.no.get(),
            uid: card.uid.to_string(),
            evse_id: card.evse_id.map(|id| id.to_string()),
            state: card.state.map(|state| state.as_str()),
            fault: card.fault,
            status: card.status.as_str(),
            session: card.session.map(|id| id.to_string()),
            power_w: card.power.map(|power| power.watts()),
            meter_key: card.meter_key.map(|key| MeterKey { spki_hex: key.spki_hex, confirmed: key.confirmed }),
        }
    }
}

impl From<StationCard> for Station {
    fn from(card: StationCard) -> Self {
        Self {
            id: card.id.to_string(),
            vendor: card.vendor,
            model: card.model,
            firmware: card.firmware,
            serial: card.serial,
            ocpp: card.version.map(|version| version.label()),
            connected: card.connected,
            since: card.since.map(time),
            last_seen: card.last_seen.map(time),
            profile: card.profile,
            danger_plain_ws: card.danger_plain_ws,
            location: StationPlace { id: card.location.to_string(), name: card.location_name, city: card.city },
            evses: card.evses.into_iter().map(Into::into).collect(),
            warnings: card.warnings,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StationQuery {
    /// Found in id, vendor, model, location name or city.
    query: Option<String>,
    /// `connected`, `away`, or the state of one of its EVSEs.
    state: Option<String>,
    offset: Option<u32>,
    limit: Option<u32>,
}

#[utoipa::path(get, path = "/api/p/operator/stations", tag = "operator", params(StationQuery),
    responses((status = 200, body = List<Station>)))]
pub(crate) async fn list(
    State(desk): State<Desk>,
    Query(query): Query<StationQuery>,
) -> Result<Json<List<Station>>, Fault> {
    let paging = Paging { offset: query.offset, limit: query.limit };
    let filter = StationFilter { query: filled(query.query), state: filled(query.state), page: page(&paging) };
    let found = desk.room.stations(filter).await?;
    Ok(Json(List::page(found.items.into_iter().map(Into::into).collect(), found.total.into(), paging.offset())))
}

/// A page sends empty fields for filters that nobody filled.
pub(crate) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// A station with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StationDetail {
    #[serde(flatten)]
    station: Station,
    address: String,
    settings: Vec<Setting>,
    boots: Vec<Boot>,
    connection: Connection,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Setting {
    pub(crate) key: String,
    /// Null for write-only settings.
    pub(crate) value: Option<String>,
    pub(crate) read_only: bool,
}

impl From<charge::talk::line::Setting> for Setting {
    fn from(setting: charge::talk::line::Setting) -> Self {
        Self { key: setting.key.into(), value: setting.value.map(Into::into), read_only: setting.read_only }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Boot {
    at: String,
    admitted: &'static str,
    firmware: Option<String>,
    reason: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Connection {
    /// Network address of the last connection.
    peer: Option<String>,
    certificate: Option<Certificate>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StationCertificateFacts)]
pub(crate) struct Certificate {
    common_name: String,
    not_after: String,
}

#[utoipa::path(get, path = "/api/p/operator/stations/{id}", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = StationDetail), (status = 404, body = ErrorBody)))]
pub(crate) async fn show(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Json<StationDetail>, Fault> {
    use charge::talk::line::Admission;
    let page = desk.room.station(&station(&id)?).await?;
    let boot = |line: operator::view::BootLine| Boot {
        at: time(line.at),
        admitted: match line.admission {
            Admission::Accepted => "accepted",
            Admission::Pending => "pending",
            Admission::Rejected => "rejected",
        },
        firmware: line.firmware,
        reason: line.reason,
    };
    let certificate = page.certificate.map(|(common_name, until)| Certificate { common_name, not_after: time(until) });
    Ok(Json(StationDetail {
        station: page.card.into(),
        address: page.address,
        settings: page.settings.into_iter().map(Into::into).collect(),
        boots: page.boots.into_iter().map(boot).collect(),
        connection: Connection { peer: page.peer, certificate },
    }))
}

/// A station to enrol.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnrolStation {
    /// The identity in its connection address.
    id: String,
    /// 2: password. 3: client certificate (then `serial` is needed).
    profile: u8,
    location: String,
    evses: Vec<EnrolEvse>,
    #[serde(default)]
    serial: Option<String>,
    /// Lets this one station connect without TLS. Everything it says can then be read and changed on the way.
    #[serde(default)]
    danger_plain_ws: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnrolEvse {
    /// The station's number for it: OCPP 2.x `evseId`, 1.6 `connectorId`.
    no: u16,
    /// The operator's own id for it; `<station>-<no>` where it is not said.
    #[serde(default)]
    uid: Option<String>,
    #[serde(default)]
    evse_id: Option<String>,
    /// Painted on the pole.
    #[serde(default)]
    physical_reference: Option<String>,
    /// OCPI spelling; a type 2 socket where it is not said.
    #[serde(default)]
    plug: Option<String>,
    #[serde(default)]
    attached_cable: bool,
    /// `AC_1_PHASE`, `AC_3_PHASE` or `DC`.
    #[serde(default)]
    current: Option<String>,
    #[serde(default)]
    max_power_w: Option<i64>,
    /// A tariff of this operator; without one charging is free.
    #[serde(default)]
    tariff: Option<String>,
    /// Its meter's public key, in hex or base64, compared by a person.
    #[serde(default)]
    meter_key: Option<String>,
}

impl EnrolEvse {
    /// With what is usual where nothing was said.
    fn complete(self, station: &StationId) -> WriteEvse {
        const USUAL_W: i64 = 22_000;
        let current = self.current.unwrap_or_else(|| "AC_3_PHASE".to_owned());
        let max_power_w = self.max_power_w.unwrap_or(USUAL_W);
        let (volts, watts_per_ampere) = if current == "DC" { (920, 920) } else { (400, 690) };
        WriteEvse {
            uid: self.uid.unwrap_or_else(|| format!("{station}-{}", self.no)),
            evse_id: self.evse_id.filter(|id| !id.is_empty()),
            physical_reference: self.physical_reference.filter(|text| !text.trim().is_empty()),
            plug: self.plug.unwrap_or_else(|| "IEC_62196_T2".to_owned()),
            attached_cable: self.attached_cable,
            current,
            max_voltage_v: volts,
            max_amperage_a: u32::try_from(max_power_w / watts_per_ampere).unwrap_or_default(),
            max_power_w,
            tariff: self.tariff.filter(|id| !id.is_empty()),
            capabilities: Vec::new(),
        }
    }
}

/// What the station needs to connect. Shown once, kept by nobody.
#[derive(Serialize, ToSchema)]
pub(crate) struct Credentials {
    id: String,
    /// Profile 2: the password (40 hex digits; the `AuthorizationKey` of OCPP 1.6).
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Profile 3: the certificate chain in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_pem: Option<String>,
    /// Profile 3: the key in PEM (PKCS#8).
    #[serde(skip_serializing_if = "Option::is_none")]
    key_pem: Option<String>,
}

#[utoipa::path(post, path = "/api/p/operator/stations", tag = "operator", request_body = EnrolStation,
    responses((status = 201, body = Credentials), (status = 400, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn enrol(
    State(desk): State<Desk>,
    actor: Actor,
    Body(wish): Body<EnrolStation>,
) -> Result<(StatusCode, Json<Credentials>), Fault> {
    let id = StationId::new(&wish.id).map_err(|fault| Fault::malformed("/id", format!("The id {fault}.")))?;
    let location = LocationId::new(&wish.location);
    let location = location.map_err(|fault| Fault::malformed("/location", format!("The id {fault}.")))?;
    let serial = wish.serial.filter(|serial| !serial.trim().is_empty());
    let profile = match (wish.profile, &serial) {
        (2, _) => Profile::Basic { serial: serial.clone() },
        (3, Some(serial)) => Profile::Certificate { serial: serial.clone() },
        (3, None) => return Err(Fault::malformed("/serial", "Profile 3 needs the station's serial number.")),
        _ => return Err(Fault::malformed("/profile", "The security profile is 2 or 3.")),
    };
    let mut bays = Vec::new();
    for (at, bay) in wish.evses.into_iter().enumerate() {
        let no =
            EvseNo::new(bay.no).ok_or_else(|| Fault::malformed(format!("/evses/{at}/no"), "EVSEs count from 1."))?;
        let meter_key = bay.meter_key.clone();
        let evse = bay.complete(&id).read(&format!("/evses/{at}"), desk.clock.now())?;
        bays.push(NewBay { no, evse, meter_key });
    }
    let certificate = matches!(profile, Profile::Certificate { .. });
    let new = NewStation { id: id.clone(), location, bays, profile, danger_plain_ws: wish.danger_plain_ws };
    let key = desk.room.enrol_station(&actor.name, new).await?;
    let mut shown = Credentials { id: id.to_string(), key: None, certificate_pem: None, key_pem: None };
    if let (true, Some(serial)) = (certificate, serial) {
        let operator = &desk.room.setup().name;
        let (now, dice) = (desk.clock.now(), trust::dice::SystemDice);
        let issued = desk.stations.station_certificate(&serial, operator, STATION_CERTIFICATE_LIFE, now, &dice);
        let issued = issued.map_err(|fault| {
            tracing::error!(%fault, "a station certificate could not be issued");
            Fault::Internal
        })?;
        shown.certificate_pem = Some(issued.chain_pem.clone());
        shown.key_pem = Some(issued.key_pem.expose().clone());
    } else {
        shown.key = key.map(|key| key.expose().clone());
    }
    Ok((StatusCode::CREATED, Json(shown)))
}

#[utoipa::path(delete, path = "/api/p/operator/stations/{id}", tag = "operator", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn retire(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    desk.room.retire_station(&actor.name, &station(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(post, path = "/api/p/operator/stations/{id}/key", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = Credentials), (status = 404, body = ErrorBody)))]
pub(crate) async fn new_key(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Json<Credentials>, Fault> {
    let key = desk.room.rotate_key(&actor.name, &station(&id)?).await?;
    Ok(Json(Credentials { id, key: Some(key.expose().clone()), certificate_pem: None, key_pem: None }))
}

/// Sends a connected station of profile 2 a new key, which nobody gets to see.
#[utoipa::path(post, path = "/api/p/operator/stations/{id}/key/renewal", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = Told), (status = 404, body = ErrorBody)))]
pub(crate) async fn renew_key(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Json<Told>, Fault> {
    Ok(Json(desk.room.renew_key(&actor.name, &station(&id)?).await?.into()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogQuery {
    /// Found in action or text.
    query: Option<String>,
    /// `from` or `to` the station.
    direction: Option<String>,
    /// The `next` of the page before.
    before: Option<String>,
    limit: Option<u32>,
}

/// A message, with secrets and personal data masked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogLine {
    at: String,
    direction: &'static str,
    action: String,
    text: String,
    /// What was repaired or found wrong, with JSON paths.
    remarks: Vec<String>,
}

/// Messages, newest first. A page may have fewer than were wanted although the log goes on: a search looks through a
/// part of it at a time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StationLogPage)]
pub(crate) struct LogPage {
    items: Vec<LogLine>,
    /// The `before` to go on with; absent at the end of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Everything that fits was found down to this moment; absent at the end of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    searched_until: Option<String>,
}

#[utoipa::path(get, path = "/api/p/operator/stations/{id}/log", tag = "operator",
    params(("id" = String, Path), LogQuery), responses((status = 200, body = LogPage)))]
pub(crate) async fn log(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Query(query): Query<LogQuery>,
) -> Result<Json<LogPage>, Fault> {
    let direction = match query.direction.as_deref() {
        Some("from") => Some(Direction::FromStation),
        Some("to") => Some(Direction::ToStation),
        _ => None,
    };
    let before = query.before.as_deref().map(str::parse).transpose();
    let before = before.map_err(|_| Fault::malformed("/before", "This is no cursor of this list."))?;
    let limit = Paging { offset: None, limit: query.limit }.limit();
    let filter = LogFilter { query: filled(query.query), direction, before, limit };
    let found = desk.room.station_log(&station(&id)?, filter).await?;
    let (next, searched_until) = (found.next.map(|next| next.to_string()), found.searched_until().map(time));
    let twin = |entry: operator::view::LogEntry| LogLine {
        at: entry.line.at.to_string(),
        direction: match entry.line.direction {
            Direction::FromStation => "from",
            Direction::ToStation => "to",
        },
        action: entry.line.action.into(),
        text: entry.line.text.into(),
        remarks: entry.line.remarks.into_iter().map(Into::into).collect(),
    };
    Ok(Json(LogPage { items: found.entries.into_iter().map(twin).collect(), next, searched_until }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RefusalQuery {
    /// Only those of this identity, in any case of its letters.
    identity: Option<String>,
    limit: Option<u32>,
}

/// Someone who was not let in, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Refusal {
    at: String,
    identity: String,
    peer: String,
    /// For the technician.
    reason: String,
    /// The HTTP status that was answered.
    status: u16,
}

#[utoipa::path(get, path = "/api/p/operator/refusals", tag = "operator", params(RefusalQuery),
    responses((status = 200, body = List<Refusal>)))]
pub(crate) async fn refusals(
    State(desk): State<Desk>,
    Query(query): Query<RefusalQuery>,
) -> Result<Json<List<Refusal>>, Fault> {
    let limit = Paging { offset: None, limit: query.limit }.limit();
    let found = match filled(query.identity) {
        Some(identity) => desk.room.refusals_of(&identity, limit).await?,
        None => desk.room.refusals(limit).await?,
    };
    let twin = |knock: operator::view::RefusedKnock| Refusal {
        at: time(knock.at),
        identity: knock.identity,
        peer: knock.peer,
        reason: knock.reason,
        status: knock.status,
    };
    Ok(Json(List::whole(found.into_iter().map(twin).collect())))
}
