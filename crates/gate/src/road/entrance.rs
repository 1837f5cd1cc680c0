//! The stages that every request passes before a desk hears of it: actor, resource, sender, body.
//!
//! Invariant: the body is read after the permission was judged, and a refusal says what is wrong without a value.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use charge::id::{CorrelationId, PartyId};
use charge::talk::road::Denial;
use charge::{Clock, Dice, Secret, Timestamp};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use ocpi::credentials::{PartyRole, Role, presented};
use ocpi::status::{refusal, refusal_as};
use ocpi::wire::{Incoming, Method, Module, Reply, Side};
use serde_json::Value;
use trust::bearer::BearerDigest;

use super::figures::Figures;
use super::limits::{PAGE_ITEMS_MAX, REQUEST_BYTES_MAX, RoadLimits};
use super::neighbour::{CORRELATION_ID, FROM, REQUEST_ID, TO, climbs};
use super::peers::{PeerAccess, PeerBook};

/// Who we are on the road.
#[derive(Clone, Debug)]
pub struct Own {
    pub party: PartyId,
    pub role: Role,
    pub name: String,
    /// Our own address without a path, such as `https://hub.example:8443`.
    pub base: String,
}

/// What every door of the road needs.
pub(crate) struct Threshold {
    pub own: Own,
    pub peers: Arc<dyn PeerBook>,
    pub clock: Arc<dyn Clock>,
    pub dice: Arc<dyn Dice>,
    pub figures: Arc<Figures>,
    /// For dialling a peer that introduces itself.
    pub limits: RoadLimits,
}

/// What a path means.
#[derive(Debug)]
pub(crate) enum Resource {
    Versions,
    Details,
    Credentials,
    Module(Incoming),
}

/// Who came, with the token it showed.
pub(crate) struct Actor {
    pub access: PeerAccess,
    pub token: Secret<String>,
}

/// A peer we exchange letters with.
pub(crate) struct Sender {
    pub peer: PartyId,
    pub is_hub: bool,
    pub from: PartyId,
    pub to: Option<PartyId>,
    pub correlation: CorrelationId,
}

impl Threshold {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn roles(&self) -> Vec<PartyRole> {
        vec![PartyRole { party: self.own.party, role: self.own.role, name: self.own.name.clone() }]
    }

    /// Stage 1. A token that nobody has is answered the same whatever it wants.
    pub(crate) async fn actor(&self, headers: &HeaderMap) -> Result<Actor, Reply> {
        let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        for token in presented(header) {
            if let Some(access) = self.peers.by_token(BearerDigest::of(token.expose())).await {
                return Ok(Actor { access, token });
            }
        }
        Err(self.not_known())
    }

    pub(crate) fn not_known(&self) -> Reply {
        refusal_as(401, 2001, "the token is missing or not known", self.now())
    }

    /// Stage 2: method and path.
    pub(crate) fn resource(&self, parts: &Parts) -> Result<Resource, Denial> {
        let path = parts.uri.path().trim_end_matches('/');
        let method = method(&parts.method).ok_or(Denial::NotSupported)?;
        if climbs(path) {
            return Err(Denial::UnknownObject);
        }
        let below = path.strip_prefix("/ocpi/").ok_or(Denial::UnknownObject)?;
        if below == "versions" {
            return if method == Method::Get { Ok(Resource::Versions) } else { Err(Denial::NotSupported) };
        }
        let below = below.strip_prefix(ocpi::VERSION).ok_or(Denial::UnknownObject)?;
        match below {
            "" if method == Method::Get => return Ok(Resource::Details),
            "" => return Err(Denial::NotSupported),
            "/credentials" => return Ok(Resource::Credentials),
            _module => {}
        }
        let mut parts_of_path = below.trim_start_matches('/').splitn(3, '/');
        let side = match parts_of_path.next() {
            Some("sender") => Side::Sender,
            Some("receiver") => Side::Receiver,
            Some(_) | None => return Err(Denial::UnknownObject),
        };
        let module = parts_of_path.next().and_then(Module::named).ok_or(Denial::UnknownObject)?;
        if !offered(self.own.role).contains(&(module, side)) {
            return Err(Denial::UnknownObject);
        }
        let rest = parts_of_path.next().unwrap_or_default();
        Incoming::new(method, module, side, rest, parts.uri.query().unwrap_or_default()).map(Resource::Module)
    }

    /// Stage 3: in whose name the letter comes, and whether the peer may speak for it.
    pub(crate) fn sender(&self, access: &PeerAccess, headers: &HeaderMap) -> Result<Sender, Denial> {
        let PeerAccess::Known { party, parties, is_hub } = access else { return Err(Denial::NotYours) };
        let from = match (party_in(headers, FROM)?, parties.as_slice()) {
            (Some(from), _) => from,
            (None, [only]) => *only,
            (None, _) => return Err(Denial::Incomplete("OCPI-from-party-id and OCPI-from-country-code".into())),
        };
        if !is_hub && !parties.contains(&from) {
            return Err(Denial::NotYours);
        }
        let correlation = text(headers, CORRELATION_ID).and_then(|id| CorrelationId::new(id).ok());
        let correlation = match correlation.or_else(|| CorrelationId::new(self.dice.uuid()).ok()) {
            Some(correlation) => correlation,
            None => return Err(Denial::Internal),
        };
        Ok(Sender { peer: *party, is_hub: *is_hub, from, to: party_in(headers, TO)?, correlation })
    }

    /// Stage 4. Too long is 413, not JSON is 400; what is JSON is judged further on.
    pub(crate) async fn body(&self, body: Body) -> Result<(bytes::Bytes, Value), Reply> {
        let too_long = |_| refusal_as(413, 2001, "the body is too long", self.now());
        let bytes = axum::body::to_bytes(body, REQUEST_BYTES_MAX).await.map_err(too_long)?;
        if bytes.is_empty() {
            return Ok((bytes, Value::Null));
        }
        let value =
            ocpi::parse(&bytes).map_err(|fault| refusal_as(400, 2001, &format!("the body {fault}"), self.now()))?;
        Ok((bytes, value))
    }

    pub(crate) fn refuse(&self, denial: &Denial) -> Reply {
        refusal(denial, self.now())
    }
}

/// A page that nobody chokes on.
pub(crate) const fn page_limit(wished: u32) -> u32 {
    if wished == 0 || wished > PAGE_ITEMS_MAX { PAGE_ITEMS_MAX } else { wished }
}

/// The interfaces that a role serves. An operator takes no tokens: who may charge is asked, never listed.
pub(crate) fn offered(role: Role) -> &'static [(Module, Side)] {
    const OPERATOR: &[(Module, Side)] =
        &[(Module::Locations, Side::Sender), (Module::Tariffs, Side::Sender), (Module::Commands, Side::Receiver)];
    const PROVIDER: &[(Module, Side)] = &[
        (Module::Tokens, Side::Sender),
        (Module::Commands, Side::Sender),
        (Module::Locations, Side::Receiver),
        (Module::Tariffs, Side::Receiver),
        (Module::Sessions, Side::Receiver),
        (Module::Cdrs, Side::Receiver),
    ];
    const HUB: &[(Module, Side)] = &[
        (Module::Locations, Side::Sender),
        (Module::Tariffs, Side::Sender),
        (Module::Tokens, Side::Sender),
        (Module::Commands, Side::Sender),
        (Module::Locations, Side::Receiver),
        (Module::Tariffs, Side::Receiver),
        (Module::Sessions, Side::Receiver),
        (Module::Cdrs, Side::Receiver),
        (Module::Tokens, Side::Receiver),
        (Module::Commands, Side::Receiver),
    ];
    match role {
        Role::Operator => OPERATOR,
        Role::Provider => PROVIDER,
        Role::Hub => HUB,
        Role::Other => &[],
    }
}

/// A response from a reply, with the ids of its request.
pub(crate) fn respond(reply: Reply, asked: &HeaderMap) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = http::StatusCode::from_u16(reply.http).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    for name in [REQUEST_ID, CORRELATION_ID] {
        if let Some(id) = asked.get(name) {
            headers.insert(HeaderName::from_static(name), id.clone());
        }
    }
    // the answer goes the way back (OCPI 2.2.1, 4.2.1)
    for (given, turned) in FROM.into_iter().chain(TO).zip(TO.into_iter().chain(FROM)) {
        if let Some(value) = asked.get(given) {
            headers.insert(HeaderName::from_static(turned), value.clone());
        }
    }
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    if reply.http == 503 {
        headers.insert("retry-after", HeaderValue::from_static("1"));
    }
    response
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim).filter(|value| !value.is_empty())
}

fn party_in(headers: &HeaderMap, names: [&str; 2]) -> Result<Option<PartyId>, Denial> {
    match (text(headers, names[0]), text(headers, names[1])) {
        (None, None) => Ok(None),
        (Some(country), Some(code)) => PartyId::new(country, code)
            .map(Some)
            .map_err(|_| Denial::Malformed { path: names[1].into(), why: "is not the id of a party".into() }),
        (Some(_), None) | (None, Some(_)) => {
            Err(Denial::Incomplete(format!("both {} and {}", names[0], names[1]).into()))
        }
    }
}

fn method(method: &http::Method) -> Option<Method> {
    let known = [
        (http::Method::GET, Method::Get),
        (http::Method::POST, Method::Post),
        (http::Method::PUT, Method::Put),
        (http::Method::PATCH, Method::Patch),
        (http::Method::DELETE, Method::Delete),
    ];
    known.into_iter().find(|(each, _)| each == method).map(|(_, ours)| ours)
}
