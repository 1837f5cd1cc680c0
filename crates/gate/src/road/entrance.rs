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
use ocpi::wire::{Incoming, Kind, Method, Module, Reply, Side};
use ocpi::{Doc, Version, hear};
use trust::bearer::BearerDigest;

use super::fair::Fair;
use super::figures::Figures;
use super::limits::{PAGE_ITEMS_MAX, REQUEST_BYTES_MAX, RoadLimits};
use super::neighbour::{CORRELATION_ID, FROM, REQUEST_ID, TO, climbs};
use super::pace::Pace;
use super::peers::{PeerAccess, PeerBook};

/// Where operators of OCPI 2.0 ask a provider about a token.
const LEGACY_TOKENS: &str = "emsp/2.0/tokens/";

/// Who we are on the road.
#[derive(Clone, Debug)]
pub struct Own {
    pub party: PartyId,
    pub role: Role,
    pub name: String,
    /// Our own address without a path, such as `https://hub.example:8443`.
    pub base: String,
}

impl Own {
    /// As our credentials tell it.
    pub(crate) fn roles(&self) -> Vec<PartyRole> {
        vec![PartyRole { party: self.party, role: self.role, name: self.name.clone() }]
    }
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
    pub fair: Fair,
    pub pace: Pace,
}

/// What a path means.
#[derive(Debug)]
pub(crate) enum Resource {
    Versions,
    Details(Version),
    Credentials(Version),
    Module(Incoming),
}

/// Who came, with the token it showed.
pub(crate) struct Actor {
    pub access: PeerAccess,
    pub token: Secret<String>,
    /// It came as it is, not in base64: so the peer will want ours.
    pub raw: bool,
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

    /// Stage 1. A token that nobody has is answered the same whatever it wants.
    pub(crate) async fn actor(&self, headers: &HeaderMap) -> Result<Actor, Reply> {
        let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        for token in presented(header) {
            if let Some(access) = self.peers.by_token(BearerDigest::of(token.expose())).await {
                if let PeerAccess::Known { party, .. } = &access {
                    self.fair.request(*party, self.now()).map_err(|denial| self.refuse(&denial))?;
                }
                let raw = header.trim_end().ends_with(token.expose().as_str());
                return Ok(Actor { access, token, raw });
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
        let query = parts.uri.query().unwrap_or_default();
        if let Some(rest) = below.strip_prefix(LEGACY_TOKENS).filter(|_| self.own.role == Role::Provider) {
            // the answer of 2.0 is that of 2.1.1 (12.1 there), and nothing else of it is spoken here
            let asked = Incoming::new(Version::V211, method, (Module::Tokens, Side::Sender), rest, query)?;
            return if asked.kind == Kind::MayCharge {
                Ok(Resource::Module(asked))
            } else {
                Err(Denial::UnknownObject)
            };
        }
        let (version, below) = below.split_once('/').unwrap_or((below, ""));
        let version = Version::named(version).ok_or(Denial::UnknownObject)?;
        match below {
            "" if method == Method::Get => return Ok(Resource::Details(version)),
            "" => return Err(Denial::NotSupported),
            "credentials" => return Ok(Resource::Credentials(version)),
            _module => {}
        }
        let mut parts_of_path = below.splitn(3, '/');
        let side = match parts_of_path.next() {
            Some("sender") => Side::Sender,
            Some("receiver") => Side::Receiver,
            Some(_) | None => return Err(Denial::UnknownObject),
        };
        let module = parts_of_path.next().and_then(Module::named).ok_or(Denial::UnknownObject)?;
        if !offered(self.own.role).contains(&(module, side)) || !module.is_in(version) {
            return Err(Denial::UnknownObject);
        }
        let rest = parts_of_path.next().unwrap_or_default();
        Incoming::new(version, method, (module, side), rest, query).map(Resource::Module)
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
    pub(crate) async fn body(&self, body: Body) -> Result<(bytes::Bytes, Doc), Reply> {
        let too_long = |_| refusal_as(413, 2001, "the body is too long", self.now());
        let bytes = axum::body::to_bytes(body, REQUEST_BYTES_MAX).await.map_err(too_long)?;
        let value =
            hear::body(&bytes).map_err(|fault| refusal_as(400, 2001, &format!("the body {fault}"), self.now()))?;
        Ok((bytes, value))
    }

    /// Whoever asks about one unknown token after the other is noticed.
    pub(crate) fn unknown_token(&self, from: PartyId) {
        if self.fair.unknown(from, self.now()) {
            tracing::warn!(party = %from, "this party asks about many tokens that nobody knows");
        }
    }

    pub(crate) fn refuse(&self, denial: &Denial) -> Reply {
        refusal(denial, self.now())
    }
}

/// What a change of a part makes may not grow beyond what could be sent as a whole.
pub(crate) fn bounded_whole(whole: String) -> Result<String, Denial> {
    if whole.len() <= REQUEST_BYTES_MAX {
        return Ok(whole);
    }
    Err(Denial::Malformed { path: "".into(), why: "makes an object that is longer than is taken here".into() })
}

/// A page that nobody chokes on.
pub(crate) const fn page_limit(wished: u32) -> u32 {
    if wished == 0 || wished > PAGE_ITEMS_MAX { PAGE_ITEMS_MAX } else { wished }
}

/// The interfaces that a role serves. An operator takes no tokens: who may charge is asked, never listed.
pub(crate) fn offered(role: Role) -> &'static [(Module, Side)] {
    const OPERATOR: &[(Module, Side)] = &[
        (Module::Locations, Side::Sender),
        (Module::Tariffs, Side::Sender),
        (Module::Sessions, Side::Sender),
        (Module::Cdrs, Side::Sender),
        (Module::Commands, Side::Receiver),
        (Module::ChargingProfiles, Side::Receiver),
        (Module::HubClientInfo, Side::Receiver),
        (Module::InvoiceReconciliation, Side::Sender),
        (Module::InvoiceReconciliation, Side::Receiver),
        (Module::Payments, Side::Receiver),
        (Module::Bookings, Side::Sender),
    ];
    const PROVIDER: &[(Module, Side)] = &[
        (Module::Tokens, Side::Sender),
        (Module::Commands, Side::Sender),
        (Module::ChargingProfiles, Side::Sender),
        (Module::Locations, Side::Receiver),
        (Module::Tariffs, Side::Receiver),
        (Module::Sessions, Side::Receiver),
        (Module::Cdrs, Side::Receiver),
        (Module::HubClientInfo, Side::Receiver),
        (Module::InvoiceReconciliation, Side::Sender),
        (Module::InvoiceReconciliation, Side::Receiver),
        (Module::Bookings, Side::Receiver),
    ];
    const HUB: &[(Module, Side)] = &[
        (Module::Locations, Side::Sender),
        (Module::Tariffs, Side::Sender),
        (Module::Sessions, Side::Sender),
        (Module::Cdrs, Side::Sender),
        (Module::Tokens, Side::Sender),
        (Module::Commands, Side::Sender),
        (Module::ChargingProfiles, Side::Sender),
        (Module::HubClientInfo, Side::Sender),
        (Module::Locations, Side::Receiver),
        (Module::Tariffs, Side::Receiver),
        (Module::Sessions, Side::Receiver),
        (Module::Cdrs, Side::Receiver),
        (Module::Tokens, Side::Receiver),
        (Module::Commands, Side::Receiver),
        (Module::ChargingProfiles, Side::Receiver),
        (Module::InvoiceReconciliation, Side::Sender),
        (Module::InvoiceReconciliation, Side::Receiver),
        (Module::Payments, Side::Sender),
        (Module::Payments, Side::Receiver),
        (Module::Bookings, Side::Sender),
        (Module::Bookings, Side::Receiver),
    ];
    match role {
        Role::Operator => OPERATOR,
        Role::Provider => PROVIDER,
        Role::Hub => HUB,
        Role::Other => &[],
    }
}

/// What a peer is shown. OCPI 2.1.1 has no sides and no hubs: towards an operator a hub is a provider, and towards
/// anybody else an operator.
pub(crate) fn offered_in(version: Version, role: Role, facing: Role) -> Vec<(Module, Side)> {
    if version.has_routing() || role != Role::Hub {
        return offered(role).to_vec();
    }
    let like = if facing == Role::Operator { Role::Provider } else { Role::Operator };
    let tokens = [(Module::Tokens, Side::Receiver)];
    let tokens = tokens.into_iter().filter(|_| like == Role::Operator);
    offered(like).iter().copied().chain(tokens).collect()
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
