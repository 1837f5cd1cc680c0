//! The place where they meet: a hub with both doors, OCPI parties with desks, OCHP partners with servers of their own.

use std::collections::HashMap;

use ::ochp::envelope::{LIMITS, MEDIA_TYPE, credentials, open, read_response, write_request, write_response};
use ::ochp::message::{DirectDone, Nothing, Request as Ask, Response as Said};
use ::ochp::scalar::{Contract, ContractPattern, DateTime, Day, DirectId, EvseId, SecureUrl, Text};
use ::ochp::types::direct::{AccessToken, DirectAnswer, DirectMessage, InformProvider, Namespace, ProviderEndpoint};
use ::ochp::types::result::DirectResult;
use axum::extract::State;
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use trust::seal::SealKey;
use trust::token_tag::TagKey;

use super::super::*;
use crate::road::ochp::{House as Clearing, Keys, ochp_router};

/// Both speak OCHP and OCHPdirect.
pub(in crate::road::tests) const OPERATOR: &str = "DE-OCH";
pub(in crate::road::tests) const PROVIDER: &str = "DE-OCP";

pub(in crate::road::tests) async fn until(reached: impl Fn() -> bool) {
    let reached = async {
        while !reached() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reached).await.unwrap();
}

/// What was published: by whom, what, its name, its text.
type Published1 = (PartyId, Published, String, Box<str>);

/// What was told to be lost, counted.
pub(in crate::road::tests) fn rows(lost: &[(PartyId, PartyId, Box<str>)], parties: &[PartyId]) -> Vec<LossRow> {
    let mut rows: Vec<LossRow> = Vec::new();
    for (from, to, what) in lost.iter().filter(|(from, to, _)| parties.contains(from) || parties.contains(to)) {
        match rows.iter_mut().find(|row| (row.from, row.to, &*row.what) == (*from, *to, &**what)) {
            Some(row) => row.count += 1,
            None => rows.push(LossRow {
                from: *from,
                to: *to,
                errand: "any".to_owned(),
                what: what.to_string(),
                count: 1,
                last: charge::Timestamp::from_secs(1_790_000_000),
            }),
        }
    }
    rows
}

/// An exchange that keeps what is public and knows whose tokens are whose.
#[derive(Default)]
pub(in crate::road::tests) struct Market {
    pub tokens: Mutex<HashMap<String, PartyId>>,
    orders: Mutex<Vec<(OrderId, PartyId, ReturnAddress)>>,
    public: Mutex<Vec<Published1>>,
    pub lost: Mutex<Vec<(PartyId, PartyId, Box<str>)>>,
    pub thrift: Mutex<HashMap<PartyId, Thrift>>,
    shelf: shelf::Shelf,
}

shelf::shelved!(Market);

const PARTIES: [(&str, Role); 4] =
    [("DE-OPA", Role::Operator), ("DE-8AA", Role::Provider), (OPERATOR, Role::Operator), (PROVIDER, Role::Provider)];

impl Market {
    pub fn turn(&self, party: PartyId, measure: Measure, on: bool) {
        let mut all = self.thrift.lock().unwrap();
        let thrift = all.entry(party).or_default();
        *thrift = thrift.with(measure, on);
    }

    fn find(&self, envelope: &Envelope, return_to: Option<ReturnAddress>) -> Result<Way, Denial> {
        let to = envelope.to.filter(|to| *to != party("DE-HUB"));
        let known = |to: Option<PartyId>| to.filter(|to| PARTIES.iter().any(|(id, _)| party(id) == *to));
        let way = |to: Option<PartyId>| {
            known(to).map(|party| Way::To { party, hub_order: None }).ok_or(Denial::UnknownReceiver)
        };
        match &envelope.errand {
            Errand::MayCharge { token } => {
                let owner = self.tokens.lock().unwrap().get(&token.normal(charge::Purpose::Route)).copied();
                way(Some(to.or(owner).ok_or(Denial::UnknownToken)?))
            }
            Errand::Order(_) => {
                let mut orders = self.orders.lock().unwrap();
                let order = OrderId::new(format!("hub-{}", orders.len())).unwrap();
                orders.push((order.clone(), envelope.from, return_to.unwrap()));
                Ok(Way::To { party: known(to).ok_or(Denial::UnknownReceiver)?, hub_order: Some(order) })
            }
            Errand::Outcome { hub_order } => {
                let orders = self.orders.lock().unwrap();
                let found = orders.iter().find(|(order, ..)| order == hub_order).ok_or(Denial::UnknownObject)?;
                Ok(Way::Back { party: found.1, return_to: found.2.clone() })
            }
            Errand::Location { .. } | Errand::Tariff { .. } => {
                Ok(Way::Everyone(vec![party("DE-8AA"), party(PROVIDER)]))
            }
            Errand::Token { owner, token, valid } => {
                assert!(*valid);
                self.tokens.lock().unwrap().insert(token.normal(charge::Purpose::Route), *owner);
                Ok(Way::Kept)
            }
            Errand::Session { .. } | Errand::Cdr | Errand::Passing(_) => way(to),
        }
    }

    fn kept_places(&self) -> ObjectPage {
        let public = self.public.lock().unwrap();
        let places = public.iter().filter(|each| each.1 == Published::Locations);
        places.map(|each| ((each.0, each.2.as_str().into()), each.3.clone())).collect()
    }

    fn keep(&self, envelope: &Envelope, text: Box<str>) {
        let (kind, id) = match &envelope.errand {
            Errand::Location { id, .. } => (Published::Locations, id.as_str().to_owned()),
            Errand::Tariff { id, .. } => (Published::Tariffs, id.as_str().to_owned()),
            _private => return,
        };
        let mut public = self.public.lock().unwrap();
        public.retain(|(owner, known, name, _)| (*owner, *known, name) != (envelope.from, kind, &id));
        public.push((envelope.from, kind, id, text));
    }
}

impl Exchange for Market {
    fn route(
        &self,
        envelope: Envelope,
        return_to: Option<ReturnAddress>,
        public: Option<Box<str>>,
    ) -> Soon<'_, Result<Way, Denial>> {
        if let Some(text) = public {
            self.keep(&envelope, text);
        }
        Box::pin(async move { self.find(&envelope, return_to) })
    }

    fn published(&self, _: PartyId, kind: Published, _: PageWish) -> Soon<'_, Result<Page<Box<str>>, Denial>> {
        let public = self.public.lock().unwrap();
        let items: Vec<Box<str>> = public.iter().filter(|each| each.1 == kind).map(|each| each.3.clone()).collect();
        let total = u32::try_from(items.len()).unwrap();
        Box::pin(async move { Ok(Page { items, total, next: None, complaints: vec![] }) })
    }

    fn published_one(
        &self,
        _: PartyId,
        kind: Published,
        owner: Option<PartyId>,
        id: Box<str>,
    ) -> Soon<'_, Result<Box<str>, Denial>> {
        let public = self.public.lock().unwrap();
        let fits = |each: &&Published1| each.1 == kind && *each.2 == *id && owner.is_none_or(|owner| owner == each.0);
        let found = public.iter().find(fits).map(|each| each.3.clone());
        Box::pin(async move { found.ok_or(Denial::UnknownObject) })
    }

    fn clients(&self, _: PartyId, _: PageWish) -> Soon<'_, Result<Page<ClientInfo>, Denial>> {
        let last_updated = charge::Timestamp::from_secs(1_790_000_000);
        let client = |(id, role): (&str, Role)| ClientInfo {
            party: party(id),
            role: role.as_str().into(),
            status: ClientStatus::Connected,
            last_updated,
        };
        let items = PARTIES.into_iter().map(client).collect();
        Box::pin(async move { Ok(Page { items, total: 4, next: None, complaints: vec![] }) })
    }

    fn fared(&self, _: &Envelope, _: PartyId, _: Fate) {}

    fn joined(&self, _: PartyId) -> Soon<'_, Result<(), Denial>> {
        Box::pin(async { Ok(()) })
    }

    fn lost(&self, from: PartyId, to: PartyId, _: &Errand, what: &[Box<str>]) {
        self.lost.lock().unwrap().extend(what.iter().map(|what| (from, to, what.clone())));
    }

    fn published_after(&self, kind: Published, after: Option<ObjectName>) -> Soon<'_, Result<ObjectPage, Denial>> {
        let public = self.public.lock().unwrap();
        let of = |each: &&Published1| each.1 == kind && after.is_none();
        let all = public.iter().filter(of).map(|each| ((each.0, each.2.as_str().into()), each.3.clone())).collect();
        Box::pin(async move { Ok(all) })
    }

    fn thrift(&self, party: PartyId) -> Soon<'_, Thrift> {
        let thrift = self.thrift.lock().unwrap().get(&party).copied().unwrap_or_default();
        Box::pin(async move { thrift })
    }

    fn losses(&self, parties: Vec<PartyId>) -> Soon<'_, Result<Vec<LossRow>, Denial>> {
        let rows = rows(&self.lost.lock().unwrap(), &parties);
        Box::pin(async move { Ok(rows) })
    }
}

/// The credentials and the request, one after the other.
type Heard = Arc<Mutex<Vec<(String, Ask)>>>;

/// A partner's own server: says yes to everything, and remembers.
pub(in crate::road::tests) struct Server {
    pub base: String,
    heard: Heard,
    _stop: oneshot::Sender<()>,
}

impl Server {
    pub async fn new(tls: &Arc<rustls::ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://{}/direct", listener.local_addr().unwrap());
        let heard = Heard::default();
        let router = Router::new().route("/direct", post(hear)).with_state(Arc::clone(&heard));
        let (stop, stopped) = oneshot::channel();
        serve(listener, Arc::clone(tls), router, async {
            let _ = stopped.await;
        })
        .unwrap();
        Self { base, heard, _stop: stop }
    }

    pub fn heard(&self) -> Vec<Ask> {
        self.heard.lock().unwrap().iter().map(|(_, ask)| ask.clone()).collect()
    }

    /// The credentials of the last request.
    pub fn basic(&self) -> String {
        let heard = self.heard.lock().unwrap();
        let encoded = heard.last().unwrap().0.strip_prefix("Basic ").unwrap().to_owned();
        String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
    }
}

async fn hear(State(heard): State<Heard>, request: Request) -> String {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let ask = open(&bytes, &LIMITS).unwrap().request().unwrap().said;
    let action = parts.headers["soapaction"].to_str().unwrap();
    assert_eq!(action.trim_matches('"'), ask.operation().action());
    heard.lock().unwrap().push((parts.headers["authorization"].to_str().unwrap().to_owned(), ask.clone()));
    let direct = DirectId::new("OCH-1").map(Personal::new);
    let ttl = Some(DateTime::new(SystemClock.now().plus(Duration::from_secs(3_600))));
    let answer = || DirectAnswer { result: DirectResult::ok(), direct: direct.clone(), ttl };
    let said = match ask {
        Ask::SelectEvse(_) => Said::SelectEvse(answer()),
        Ask::ControlEvse(_) => Said::ControlEvse(answer()),
        Ask::ReleaseEvse(_) => Said::ReleaseEvse(answer()),
        Ask::TellProgress(_) => Said::TellProgress(DirectDone { result: DirectResult::ok() }),
        _other => Said::ReportDiscrepancy(Nothing {}),
    };
    write_response(&said).unwrap()
}

pub(in crate::road::tests) struct Square {
    pub hub: House,
    pub market: Arc<Market>,
    pub ocpi_operator: House,
    pub ocpi_provider: House,
    pub direct_operator: Server,
    pub direct_provider: Server,
    pub tls: Arc<rustls::ClientConfig>,
}

pub(in crate::road::tests) fn partner(id: &str, role: Role, server: &Server) -> Partner {
    let side = if role == Role::Operator { "operator" } else { "provider" };
    Partner {
        party: party(id),
        name: id.to_owned(),
        roles: vec![role],
        protocol: Protocol::OchpDirect,
        addresses: vec![(side.into(), server.base.clone())],
        login: Some(Login { user: "partner".to_owned(), password: Secret::new("hub".to_owned()) }),
        entry: Some(Entry { user: id.to_owned(), password: BearerDigest::of("secret") }),
        certificate: None,
        roots_pem: None,
        local: true,
    }
}

impl Square {
    pub async fn new() -> Self {
        let (server, tls) = trusting();
        let market = Arc::new(Market::default());
        let hub = hub(&server, &tls, Arc::clone(&market)).await;
        Self::around(hub, market, (server, tls)).await
    }

    /// The parties around a hub.
    pub async fn around(
        hub: House,
        market: Arc<Market>,
        (server, tls): (Arc<rustls::ServerConfig>, Arc<rustls::ClientConfig>),
    ) -> Self {
        market.tokens.lock().unwrap().insert(OWNED.to_owned(), party("DE-8AA"));
        let ocpi_operator = build("DE-OPA", Role::Operator, Desk::default(), None, &server).await;
        let ocpi_provider = build("DE-8AA", Role::Provider, Desk::default(), None, &server).await;
        for house in [&ocpi_operator, &ocpi_provider] {
            hub.peers.admit(BearerDigest::of(secret(house.party, hub.party).expose()), PeerAccess::party(house.party));
            hub.peers.know(way(house, hub.party, &tls, Duration::from_secs(20)));
            house.peers.admit(BearerDigest::of(secret(hub.party, house.party).expose()), PeerAccess::hub(hub.party));
            house.peers.know(way(&hub, house.party, &tls, Duration::from_secs(20)));
        }
        let (direct_operator, direct_provider) = (Server::new(&server).await, Server::new(&server).await);
        let partners = &hub.inside.as_ref().unwrap().1;
        partners.put(partner(OPERATOR, Role::Operator, &direct_operator)).await.unwrap();
        partners.put(partner(PROVIDER, Role::Provider, &direct_provider)).await.unwrap();
        Self { hub, market, ocpi_operator, ocpi_provider, direct_operator, direct_provider, tls }
    }

    /// A letter of a party that speaks OCPI.
    pub async fn ocpi(
        &self,
        house: &House,
        to: Option<&str>,
        question: Question,
    ) -> Result<Answer, charge::talk::road::RoadFault> {
        let hub = way(&self.hub, house.party, &self.tls, Duration::from_secs(20));
        let client = Client::new(only(hub), self.hub.party, house.base.clone(), Arc::clone(&house.figures));
        let correlation = CorrelationId::new("here-1").unwrap();
        client.ask(Letter { from: house.party, to: to.map(party), correlation, question }).await
    }

    pub async fn operator(&self, ask: Ask) -> Said {
        self.said(OPERATOR, "secret", ask).await
    }

    pub async fn provider(&self, ask: Ask) -> Said {
        self.said(PROVIDER, "secret", ask).await
    }

    /// With a name and password in the message.
    pub async fn said(&self, user: &str, password: &str, ask: Ask) -> Said {
        said(&self.hub.base, &self.tls, (user, password), ask).await
    }

    /// With the pair of the register.
    pub async fn direct(&self, user: &str, ask: Ask) -> Said {
        self.with_basic(user, "secret", ask).await.unwrap()
    }

    pub async fn with_basic(&self, receiver: &str, sender: &str, ask: Ask) -> Result<Said, StatusCode> {
        ordered(&self.hub.base, &self.tls, (receiver, sender), ask).await
    }

    pub async fn raw(&self, path: &str, body: &'static str) -> (StatusCode, String) {
        let (status, bytes) = post_text(&self.hub.base, &self.tls, path, body.to_owned(), None).await;
        (status, String::from_utf8(bytes).unwrap())
    }
}

/// Towards a clearing house, with a name and password in the message.
pub(in crate::road::tests) async fn said(
    base: &str,
    tls: &Arc<rustls::ClientConfig>,
    (user, password): (&str, &str),
    ask: Ask,
) -> Said {
    let text = write_request(&ask, Some(&credentials(user, password))).unwrap();
    let (status, bytes) = post_text(base, tls, "/ochp/1.4", text, None).await;
    assert_eq!(status, StatusCode::OK);
    read_response(ask.operation(), &bytes, &LIMITS).unwrap().said
}

/// Directly, with the pair of the register.
pub(in crate::road::tests) async fn ordered(
    base: &str,
    tls: &Arc<rustls::ClientConfig>,
    basic: (&str, &str),
    ask: Ask,
) -> Result<Said, StatusCode> {
    let text = write_request(&ask, None).unwrap();
    let (status, bytes) = post_text(base, tls, "/ochp/direct", text, Some(basic)).await;
    if status != StatusCode::OK {
        return Err(status);
    }
    Ok(read_response(ask.operation(), &bytes, &LIMITS).unwrap().said)
}

async fn post_text(
    base: &str,
    tls: &Arc<rustls::ClientConfig>,
    path: &str,
    body: String,
    basic: Option<(&str, &str)>,
) -> (StatusCode, Vec<u8>) {
    let http = reqwest::Client::builder().tls_backend_preconfigured((**tls).clone()).build().unwrap();
    let post = http.post(format!("{base}{path}")).header("content-type", MEDIA_TYPE).body(body);
    let post = match basic {
        Some((user, password)) => post.basic_auth(user, Some(password)),
        None => post,
    };
    let response = post.send().await.unwrap();
    (response.status(), response.bytes().await.unwrap().to_vec())
}

pub(in crate::road::tests) async fn hub(
    server: &Arc<rustls::ServerConfig>,
    tls: &Arc<rustls::ClientConfig>,
    market: Arc<Market>,
) -> House {
    let peers = Arc::new(Peers::new());
    hub_with(server, tls, market, Arc::new(SystemClock), (Arc::clone(&peers), peers)).await
}

/// With a clock of its own, and a book that may be another one than the peers in memory.
pub(in crate::road::tests) async fn hub_with(
    server: &Arc<rustls::ServerConfig>,
    tls: &Arc<rustls::ClientConfig>,
    market: Arc<Market>,
    clock: Arc<dyn Clock>,
    (peers, book): (Arc<Peers>, Arc<dyn PeerBook>),
) -> House {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let own = Own { party: party("DE-HUB"), role: Role::Hub, name: "hub".to_owned(), base: base.clone() };
    let figures = Arc::new(Figures::default());
    let key = |number| Secret::new([number; 32]);
    let store = store::Store::in_memory(&[]).unwrap();
    let partners = Partners::open(store.clone(), SealKey::new(&key(7)).unwrap()).await.map(Arc::new).unwrap();
    let crossing =
        Crossing::new(own, market, book, Arc::clone(&partners), clock, Arc::new(SystemDice), figures.clone());
    let vault = Vault::open(store.clone(), SealKey::new(&key(4)).unwrap(), TagKey::new(&key(5))).await.unwrap();
    crossing.keep_in(Arc::new(vault));
    let keys = Keys { seal: SealKey::new(&key(1)).unwrap(), tags: TagKey::new(&key(2)), tokens: TagKey::new(&key(3)) };
    let clearing = Clearing::open(&crossing, Arc::clone(&partners), store, keys, Arc::clone(tls)).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let router = spied(hub_router(&crossing).merge(ochp_router(&clearing)), Arc::clone(&seen));
    let (stop, stopped) = oneshot::channel();
    serve(listener, Arc::clone(server), router, async {
        let _ = stopped.await;
    })
    .unwrap();
    let inside = Some((crossing, partners));
    House { party: party("DE-HUB"), base, peers, desk: Arc::default(), figures, seen, inside, _stop: stop }
}

/// What an operator tells about a session of provider 8AA.
pub(in crate::road::tests) fn told(message: DirectMessage, direct: &str) -> InformProvider {
    InformProvider {
        result: DirectResult::ok(),
        message,
        evse: EvseId::new("DE*OCH*E1").unwrap(),
        contract: Personal::new(Contract::new("DE-8AA-C12345678-5").unwrap()),
        direct: Personal::new(DirectId::new(direct).unwrap()),
        ttl: None,
        max_power: None,
        max_current: None,
        one_phase: None,
        max_energy: None,
        min_energy: None,
        departure: None,
        current_power: None,
        charged_energy: Some("2.5".parse().unwrap()),
        meter: None,
        periods: vec![],
        current_cost: None,
        currency: None,
    }
}

pub(in crate::road::tests) fn provider_endpoint(url: &str, token: &str) -> ProviderEndpoint {
    ProviderEndpoint {
        url: SecureUrl::new(url).unwrap(),
        namespace: Namespace::V14,
        token: AccessToken(Secret::new(Text::new(token).unwrap())),
        day: Day::new("2026-11-22").unwrap(),
        whitelist: vec![ContractPattern::new("DEOCPC%").unwrap()],
        blacklist: vec![],
    }
}
