//! Second back-ends: what another CSMS sees of which stations, and what it may order.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use charge::Secret;
use charge::id::LocationId;
use charge::talk::line::Version;
use operator::proxy::{
    Meant, Mode, Proofs, Second as RoomSecond, SecondView, Standing as RoomStanding, Tokens, action,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Desk;
use super::stations::{filled, station};
use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::shape::{List, time};
use crate::stage::{Body, Path};

/// A second back-end as it is put. What proves the stations there is written and never shown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSecondBackEnd)]
pub(crate) struct NewSecond {
    /// `wss://host[:port][/path]`; each station's identity is appended.
    address: String,
    /// `1.6`, `2.0.1` or `2.1`: what it speaks, whatever the stations speak.
    version: String,
    /// `mirror` or `relay`.
    mode: String,
    /// Messages that it sees, by the names of the standards.
    allow: Vec<String>,
    /// Orders that it may give, by the names of the standards.
    #[serde(default)]
    obey: Vec<String>,
    /// `pseudonym` (where it is not said), `drop` or `danger_pass`.
    tokens: Option<String>,
    /// The stations that are meant; all where neither these nor a location are named.
    #[serde(default)]
    stations: Vec<String>,
    location: Option<String>,
    /// Messages kept for one station while it is away; 1000 where it is not said.
    buffer_max: Option<u32>,
    /// It is one of our own network: its address need not be public.
    #[serde(default)]
    local: bool,
    /// The authorities that vouch for it, in PEM.
    roots: String,
    #[serde(default)]
    paused: bool,
    /// For every station without one of its own. Stays as it is where it is not said and the address is the same.
    password: Option<String>,
    /// Passwords of single stations.
    #[serde(default)]
    passwords: Vec<StationPassword>,
    /// Certificate chain and private key in PEM, for security profile 3.
    certificate: Option<String>,
    private_key: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StationPassword {
    station: String,
    password: String,
}

/// A second back-end and how it does.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SecondBackEnd)]
pub(crate) struct Second {
    name: String,
    address: String,
    version: &'static str,
    mode: &'static str,
    allow: Vec<String>,
    obey: Vec<String>,
    tokens: &'static str,
    /// Empty where a location or all are meant.
    stations: Vec<String>,
    location: Option<String>,
    buffer_max: u32,
    local: bool,
    roots: String,
    paused: bool,
    has_password: bool,
    has_certificate: bool,
    changed: String,
    standings: Vec<Standing>,
}

/// How one station stands with it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SecondBackEndStanding)]
pub(crate) struct Standing {
    station: String,
    connected: bool,
    /// Waiting to be sent.
    buffered: u32,
    sent: u64,
    /// Had no room while it was away.
    dropped: u64,
    /// Refused there for good.
    refused: u64,
    /// Had no place in its version, whole or in part.
    lost: u64,
    /// Its orders that went to the station, and those that the policy refused.
    obeyed: u64,
    denied: u64,
    last_error: Option<String>,
}

/// What can stand in the two lists.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecondBackEndWords {
    allow: Vec<&'static str>,
    obey: Vec<&'static str>,
}

impl NewSecond {
    fn read(self, name: String) -> Result<(RoomSecond, Proofs), Fault> {
        let malformed = |path, why| Fault::malformed(path, why);
        let meant = match (filled(self.location), self.stations.is_empty()) {
            (None, true) => Meant::All,
            (Some(location), true) => {
                Meant::Location(LocationId::new(&location).map_err(|_| malformed("/location", "This is no location."))?)
            }
            (None, false) => Meant::Stations(self.stations.iter().map(|one| station(one)).collect::<Result<_, _>>()?),
            (Some(_), false) => return Err(malformed("/location", "Either a location or stations.")),
        };
        let tokens = match filled(self.tokens) {
            Some(text) => Tokens::named(&text).ok_or_else(|| malformed("/tokens", "There is no such way."))?,
            None => Tokens::Pseudonym,
        };
        let second = RoomSecond {
            name,
            address: self.address,
            version: Version::named(&self.version).ok_or_else(|| malformed("/version", "There is no such version."))?,
            mode: Mode::named(&self.mode).ok_or_else(|| malformed("/mode", "There is no such mode."))?,
            allow: self.allow,
            obey: self.obey,
            tokens,
            meant,
            buffer_max: self.buffer_max.unwrap_or(BUFFER_USUAL),
            local: self.local,
            roots: self.roots,
            paused: self.paused,
        };
        let secret = |text: String| Secret::new(text.into_boxed_str());
        let mut of_stations = Vec::new();
        for one in self.passwords {
            of_stations.push((station(&one.station)?, secret(one.password)));
        }
        let identity = match (filled(self.certificate), filled(self.private_key)) {
            (Some(chain), Some(key)) => Some((chain.into_boxed_str(), secret(key))),
            (None, None) => None,
            (_, _) => return Err(malformed("/private_key", "A certificate and its key come together.")),
        };
        Ok((second, Proofs { password: filled(self.password).map(secret), of_stations, identity }))
    }
}

impl From<SecondView> for Second {
    fn from(view: SecondView) -> Self {
        let one = view.second;
        let (stations, location) = match one.meant {
            Meant::All => (Vec::new(), None),
            Meant::Location(location) => (Vec::new(), Some(location.to_string())),
            Meant::Stations(stations) => (stations.iter().map(ToString::to_string).collect(), None),
        };
        Self {
            name: one.name,
            address: one.address,
            version: one.version.label(),
            mode: one.mode.as_str(),
            allow: one.allow,
            obey: one.obey,
            tokens: one.tokens.as_str(),
            stations,
            location,
            buffer_max: one.buffer_max,
            local: one.local,
            roots: one.roots,
            paused: one.paused,
            has_password: view.has_password,
            has_certificate: view.has_identity,
            changed: time(view.changed),
            standings: view.stations.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<RoomStanding> for Standing {
    fn from(one: RoomStanding) -> Self {
        Self {
            station: one.station.to_string(),
            connected: one.connected,
            buffered: one.buffered,
            sent: one.sent,
            dropped: one.dropped,
            refused: one.refused,
            lost: one.lost,
            obeyed: one.obeyed,
            denied: one.denied,
            last_error: one.last_error,
        }
    }
}

#[utoipa::path(get, path = "/api/p/operator/seconds", tag = "operator",
    responses((status = 200, description = "Second back-ends", body = List<Second>)))]
pub(crate) async fn list(State(desk): State<Desk>) -> Result<Json<List<Second>>, Fault> {
    Ok(Json(List::whole(desk.room.seconds().await?.into_iter().map(Into::into).collect())))
}

#[utoipa::path(get, path = "/api/p/operator/second-words", tag = "operator",
    responses((status = 200, description = "What can be copied and obeyed", body = SecondBackEndWords)))]
pub(crate) async fn words() -> Json<SecondBackEndWords> {
    Json(SecondBackEndWords { allow: action::COPIED.to_vec(), obey: action::OBEYED.to_vec() })
}

#[utoipa::path(put, path = "/api/p/operator/seconds/{name}", tag = "operator", request_body = NewSecond,
    params(("name" = String, Path)),
    responses((status = 204), (status = 400, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn put(
    State(desk): State<Desk>,
    actor: Actor,
    Path(name): Path<String>,
    Body(wanted): Body<NewSecond>,
) -> Result<StatusCode, Fault> {
    let (second, proofs) = wanted.read(name)?;
    desk.room.put_second(&actor.name, second, proofs).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/api/p/operator/seconds/{name}", tag = "operator", params(("name" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn retire(
    State(desk): State<Desk>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<StatusCode, Fault> {
    desk.room.drop_second(&actor.name, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A week of a busy station without its readings.
const BUFFER_USUAL: u32 = 1_000;
