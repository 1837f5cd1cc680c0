//! Another platform and the way to it: one HTTPS client that finds the endpoints once and remembers them.
//!
//! It follows no redirect, uses no proxy and reads no more than a response may have. Invariant: a request goes to an
//! address of this neighbour only, whatever an address inside a letter says.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use charge::id::{CorrelationId, PartyId};
use charge::talk::partner::{Separators, Times};
use charge::talk::road::{Denial, RoadFault};
use charge::{Dice, Secret};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use ocpi::Version;
use ocpi::credentials::{Credentials, authorization};
use ocpi::versions::{Endpoints, read_details, read_versions};
use ocpi::wire::{Kind, Method, Module, READ_HEADERS, Reply, Request, Side, Target};

use super::limits::{RESPONSE_BYTES_MAX, RoadLimits};

pub(crate) const REQUEST_ID: &str = "x-request-id";
pub(crate) const CORRELATION_ID: &str = "x-correlation-id";
/// Country and party of the asking side (OCPI 2.2.1, 4.2.1).
pub(crate) const FROM: [&str; 2] = ["ocpi-from-country-code", "ocpi-from-party-id"];
pub(crate) const TO: [&str; 2] = ["ocpi-to-country-code", "ocpi-to-party-id"];

/// A platform that we know.
#[derive(Clone)]
pub struct Peer {
    pub party: PartyId,
    pub name: String,
    /// The URL of its list of versions, such as `https://hub.example/ocpi/versions`.
    pub versions_url: String,
    /// With which we come to it.
    pub token_out: Secret<String>,
    /// Whom we believe to be it, and what we show it.
    pub tls: Arc<rustls::ClientConfig>,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} at {})", self.party, self.versions_url)
    }
}

/// How a peer differs from what the standard says, and what it is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// It wants its token as it is, not in base64.
    pub raw_token: bool,
    /// Spoken with it although there is another one in common.
    pub version: Option<Version>,
    /// It may have an address that is not public.
    pub local: bool,
    /// A token that nobody knows is told to it with HTTP 200 (OCPI 2.2.1, 12.2.2.2 wants a 404).
    pub unknown_is_ok: bool,
    /// How moments are written to it.
    pub times: Times,
    /// How ids of contracts and EVSEs are written to it.
    pub ids: Separators,
}

/// What we speak with a partner that has several versions in common with us: the one that our own readers and writers
/// are made for, because a crossing saved is a loss avoided.
const PREFERRED: [Version; 3] = [Version::V221, Version::V230, Version::V211];

/// Why a peer cannot be dialled at all. Whoever runs this machine can mend it.
#[derive(Debug, thiserror::Error)]
pub enum PeerFault {
    #[error("the address of the versions of {0} is no https URL")]
    Address(PartyId),
    #[error("the HTTP client for {0} cannot be made")]
    Client(PartyId),
    #[error("the address of {0} is not public, and it is not declared local")]
    Private(PartyId),
}

/// Why a request brought no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SendFault {
    Unreachable,
    TimedOut,
    /// It came and is too long, or is no list of versions or endpoints.
    Unreadable(Box<str>),
    /// It has no version in common with us, or not this module.
    NotOffered,
    /// The address in the letter is not one of this neighbour.
    ForeignAddress,
}

impl From<SendFault> for RoadFault {
    fn from(fault: SendFault) -> Self {
        match fault {
            SendFault::Unreachable => Self::Unreachable,
            SendFault::TimedOut => Self::TimedOut,
            SendFault::Unreadable(why) => Self::Unreadable(why),
            SendFault::NotOffered => Self::Denied(Denial::NotSupported),
            SendFault::ForeignAddress => Self::NoRoad,
        }
    }
}

/// Who asks whom, on one hop.
#[derive(Clone, Debug)]
pub(crate) struct Hop {
    pub from: PartyId,
    pub to: Option<PartyId>,
    pub correlation: CorrelationId,
}

/// A peer with its connections and its endpoints.
pub struct Neighbour {
    peer: Peer,
    origin: String,
    http: reqwest::Client,
    dice: Arc<dyn Dice>,
    limits: RoadLimits,
    quirks: Quirks,
    endpoints: RwLock<Option<Arc<Endpoints>>>,
    /// Those of the version that has the modules of 2.3.0, where another one is usual.
    beside: RwLock<Option<Arc<Endpoints>>>,
}

impl fmt::Debug for Neighbour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.peer.fmt(f)
    }
}

impl Neighbour {
    pub fn new(peer: Peer, limits: RoadLimits, dice: Arc<dyn Dice>) -> Result<Self, PeerFault> {
        let origin = ocpi::url::origin(&peer.versions_url).ok_or(PeerFault::Address(peer.party))?;
        let http = client(&peer, limits, Resolved::Anywhere)?;
        let quirks = Quirks { local: true, ..Quirks::default() };
        Ok(Self { peer, origin, http, dice, limits, quirks, endpoints: RwLock::new(None), beside: RwLock::new(None) })
    }

    /// A neighbour of the configuration may be anywhere; one that told us its address itself has to be declared local
    /// for that.
    pub fn with_quirks(mut self, quirks: Quirks) -> Result<Self, PeerFault> {
        if !quirks.local {
            if super::guard::is_private_literal(&self.origin) {
                return Err(PeerFault::Private(self.peer.party));
            }
            self.http = client(&self.peer, self.limits, Resolved::Public)?;
        }
        self.quirks = quirks;
        Ok(self)
    }

    /// The same peer, spoken to in another way.
    pub(crate) fn tuned(&self, quirks: Quirks) -> Result<Self, PeerFault> {
        Self::new(self.peer.clone(), self.limits, Arc::clone(&self.dice))?.with_quirks(quirks)
    }

    pub const fn quirks(&self) -> Quirks {
        self.quirks
    }

    pub(crate) fn versions_url(&self) -> &str {
        &self.peer.versions_url
    }

    pub(crate) const fn token_out(&self) -> &Secret<String> {
        &self.peer.token_out
    }

    pub const fn party(&self) -> PartyId {
        self.peer.party
    }

    pub fn name(&self) -> &str {
        &self.peer.name
    }

    /// Scheme, host and port. Addresses of other places are not this neighbour's.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) const fn tls(&self) -> &Arc<rustls::ClientConfig> {
        &self.peer.tls
    }

    /// Says something to the credentials module (OCPI 2.2.1, 7): its address is found anew before.
    pub(crate) async fn credentials(&self, method: Method, own: Option<&Credentials>) -> Result<Reply, SendFault> {
        self.remember(None);
        let endpoints = self.endpoints().await?;
        let url = endpoints.credentials.clone().ok_or(SendFault::NotOffered)?;
        let body = own.map(|own| own.write(endpoints.version).into());
        self.exchange(method, &url, body, None).await
    }

    /// The same peer at the same or another address, with another token.
    pub(crate) fn with_token(
        &self,
        name: String,
        versions_url: String,
        token_out: Secret<String>,
    ) -> Result<Self, PeerFault> {
        let peer = Peer { name, versions_url, token_out, ..self.peer.clone() };
        Self::new(peer, self.limits, Arc::clone(&self.dice))?.with_quirks(self.quirks)
    }

    /// The endpoints, asked for when they are not known. Several at once may ask: nobody waits for another's wait.
    pub(crate) async fn endpoints(&self) -> Result<Arc<Endpoints>, SendFault> {
        let known = self.endpoints.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(endpoints) = known {
            return Ok(endpoints);
        }
        let found = Arc::new(self.discover(self.quirks.version.into_iter().chain(PREFERRED)).await?);
        self.remember(Some(Arc::clone(&found)));
        Ok(found)
    }

    /// The endpoints for a module: those of 2.3.0 where the usual version has no such module, unless a person has said
    /// which version is spoken.
    async fn endpoints_for(&self, module: Module) -> Result<Arc<Endpoints>, SendFault> {
        let usual = self.endpoints().await?;
        if module.is_in(usual.version) || self.quirks.version.is_some() {
            return Ok(usual);
        }
        let known = self.beside.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(endpoints) = known {
            return Ok(endpoints);
        }
        match self.discover([Version::V230]).await {
            Ok(found) => {
                let found = Arc::new(found);
                *self.beside.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&found));
                Ok(found)
            }
            Err(SendFault::NotOffered) => Ok(usual),
            Err(fault) => Err(fault),
        }
    }

    /// What is spoken with this neighbour about a module.
    pub(crate) async fn version_for(&self, module: Module) -> Result<Version, SendFault> {
        let found = tokio::time::timeout(self.limits.answer, self.endpoints_for(module)).await;
        Ok(found.unwrap_or(Err(SendFault::TimedOut))?.version)
    }

    /// What is spoken with this neighbour, found out within the time that an answer may take.
    pub(crate) async fn version(&self) -> Result<Version, SendFault> {
        let found = tokio::time::timeout(self.limits.answer, self.endpoints()).await;
        Ok(found.unwrap_or(Err(SendFault::TimedOut))?.version)
    }

    fn remember(&self, endpoints: Option<Arc<Endpoints>>) {
        *self.endpoints.write().unwrap_or_else(PoisonError::into_inner) = endpoints;
        *self.beside.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn discover(&self, wanted: impl IntoIterator<Item = Version>) -> Result<Endpoints, SendFault> {
        let unreadable = |fault: ocpi::Fault| SendFault::Unreadable(format!("versions: {fault}").into());
        let list = self.exchange(Method::Get, &self.peer.versions_url, None, None).await?;
        let common = read_versions(list.http, list.body.as_bytes()).map_err(unreadable)?;
        let best = wanted.into_iter().find_map(|version| common.iter().find(|(each, _)| *each == version));
        let (version, details) = best.ok_or(SendFault::NotOffered)?;
        let reply = self.exchange(Method::Get, details, None, None).await?;
        read_details(*version, reply.http, reply.body.as_bytes()).map_err(unreadable)
    }

    pub(crate) async fn ask(&self, request: Request, hop: &Hop) -> Result<Reply, SendFault> {
        let body = request.body.map(Into::into);
        self.send(request.method, &request.target, &request.query, body, hop, request.kind).await
    }

    /// A request of this platform itself, which no header routes (OCPI 2.2.1, 4.2.2).
    pub(crate) async fn tell(&self, request: Request) -> Result<Reply, SendFault> {
        let url = match &request.target {
            Target::Address(url) => url.clone(),
            Target::Endpoint { module, side, rest } => self.url(*module, *side, rest, &request.query).await?,
        };
        let telling = self.exchange(request.method, &url, request.body.map(Into::into), None);
        tokio::time::timeout(self.limits.answer, telling).await.unwrap_or(Err(SendFault::TimedOut))
    }

    /// Sends within the time that an answer may take, all steps together.
    pub(crate) async fn send(
        &self,
        method: Method,
        target: &Target,
        query: &str,
        body: Option<bytes::Bytes>,
        hop: &Hop,
        kind: Kind,
    ) -> Result<Reply, SendFault> {
        let sending = self.send_once_found(method, target, query, body, hop, kind);
        tokio::time::timeout(self.limits.answer, sending).await.unwrap_or(Err(SendFault::TimedOut))
    }

    /// Looks for the endpoints once more where they seem to have moved.
    async fn send_once_found(
        &self,
        method: Method,
        target: &Target,
        query: &str,
        body: Option<bytes::Bytes>,
        hop: &Hop,
        kind: Kind,
    ) -> Result<Reply, SendFault> {
        let (module, side, rest) = match target {
            Target::Address(url) => return self.exchange(method, url, body, Some(hop)).await,
            Target::Endpoint { module, side, rest } => (*module, *side, rest),
        };
        let url = self.url(module, side, rest, query).await?;
        let reply = self.exchange(method, &url, body.clone(), Some(hop)).await?;
        let moved = match ocpi::status::code_of(reply.body.as_bytes()) {
            Some(code) => code == ocpi::status::UNSUPPORTED_VERSION,
            None => reply.http == 404,
        };
        if !moved {
            return Ok(reply);
        }
        self.remember(None);
        let again = self.url(module, side, rest, query).await?;
        if again == url {
            return Ok(reply);
        }
        tracing::info!(peer = %self.peer.party, errand = kind.as_str(), "the peer's endpoints have moved");
        self.exchange(method, &again, body, Some(hop)).await
    }

    async fn url(&self, module: Module, side: Side, rest: &str, query: &str) -> Result<String, SendFault> {
        let endpoints = self.endpoints_for(module).await?;
        let endpoint = endpoints.of(module, side).ok_or(SendFault::NotOffered)?;
        let mark = if query.is_empty() { "" } else { "?" };
        Ok(format!("{endpoint}{rest}{mark}{query}"))
    }

    /// A page that no letter asks for: to see whether, and how, the peer answers.
    pub(crate) async fn look(&self, url: &str) -> Result<Reply, SendFault> {
        let looking = self.exchange(Method::Get, url, None, None);
        tokio::time::timeout(self.limits.answer, looking).await.unwrap_or(Err(SendFault::TimedOut))
    }

    async fn exchange(
        &self,
        method: Method,
        url: &str,
        body: Option<bytes::Bytes>,
        hop: Option<&Hop>,
    ) -> Result<Reply, SendFault> {
        if ocpi::url::origin(url).as_deref() != Some(&self.origin) || climbs(url) {
            return Err(SendFault::ForeignAddress);
        }
        let mut request = self
            .http
            .request(http_method(method), url)
            .header(AUTHORIZATION, authorization(&self.peer.token_out, self.quirks.raw_token).expose())
            .header(REQUEST_ID, self.dice.uuid());
        request = match hop {
            None => request.header(CORRELATION_ID, self.dice.uuid()),
            Some(hop) => {
                let mut request = request
                    .header(CORRELATION_ID, hop.correlation.as_str())
                    .header(FROM[0], hop.from.country())
                    .header(FROM[1], hop.from.code());
                if let Some(to) = hop.to {
                    request = request.header(TO[0], to.country()).header(TO[1], to.code());
                }
                request
            }
        };
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let response = request.send().await.map_err(|error| send_fault(&error))?;
        read(response).await
    }
}

/// Where a name may lead.
enum Resolved {
    Anywhere,
    Public,
}

/// A client with which partners of any protocol are called: `https` alone, no redirects, and where the partner is not
/// declared local, public addresses alone.
pub fn outbound(
    tls: &Arc<rustls::ClientConfig>,
    local: bool,
    answer: Duration,
) -> Result<reqwest::Client, reqwest::Error> {
    let resolved = if local { Resolved::Anywhere } else { Resolved::Public };
    let limits = RoadLimits { answer, ..RoadLimits::FORWARD };
    made(tls, limits, resolved)
}

fn client(peer: &Peer, limits: RoadLimits, resolved: Resolved) -> Result<reqwest::Client, PeerFault> {
    made(&peer.tls, limits, resolved).map_err(|_| PeerFault::Client(peer.party))
}

fn made(
    tls: &Arc<rustls::ClientConfig>,
    limits: RoadLimits,
    resolved: Resolved,
) -> Result<reqwest::Client, reqwest::Error> {
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured((**tls).clone())
        .https_only(true)
        .http1_only()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(limits.connect)
        .timeout(limits.answer);
    let builder = match resolved {
        Resolved::Anywhere => builder,
        Resolved::Public => builder.dns_resolver(Arc::new(super::guard::PublicOnly)),
    };
    builder.build()
}

/// Whether a part of the path is `.` or `..` in whatever spelling. An HTTP client resolves these away, escaped or not
/// (WHATWG URL, 4.4), and the request would come to another endpoint than the one that it was judged for.
pub(crate) fn climbs(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    // the longest spelling has six characters
    let short = path.split(['/', '\\']).filter(|part| (1..=6).contains(&part.len()));
    short.map(|part| part.to_ascii_lowercase().replace("%2e", ".")).any(|part| matches!(part.as_str(), "." | ".."))
}

async fn read(mut response: reqwest::Response) -> Result<Reply, SendFault> {
    let http = response.status().as_u16();
    let header = |name: &'static str| Some((name, response.headers().get(name)?.to_str().ok()?.to_owned()));
    let headers = READ_HEADERS.into_iter().filter_map(header).collect();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| send_fault(&error))? {
        if body.len() + chunk.len() > RESPONSE_BYTES_MAX {
            return Err(SendFault::Unreadable("the response is too long".into()));
        }
        body.extend_from_slice(&chunk);
    }
    let body = String::from_utf8(body).map_err(|_| SendFault::Unreadable("the response is no text".into()))?;
    Ok(Reply { http, headers, body })
}

/// The error itself is not kept: it prints the URL.
fn send_fault(error: &reqwest::Error) -> SendFault {
    if error.is_timeout() && !error.is_connect() { SendFault::TimedOut } else { SendFault::Unreachable }
}

const fn http_method(method: Method) -> http::Method {
    match method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    }
}
