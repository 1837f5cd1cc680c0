//! A whole road in one process: an operator, a hub and three providers over real TLS on loopback, with desks that
//! remember what they heard.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod book;
mod bookings;
mod clearing;
mod clients;
mod crossing;
mod envoy;
mod handshake;
mod hub;
mod matrix;
mod member;
mod oicp;
mod pace;
mod profiles;
mod reception;
pub(super) mod samples;
mod shelf;
mod stages;
mod thrift;
mod versions;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use charge::clock::SystemClock;
use charge::id::{CorrelationId, OrderId, PartyId};
use charge::personal::Personal;
use charge::record::{Cdr, Session};
use charge::talk::road::{
    Answer, ClientInfo, ClientNews, ClientStatus, Denial, Envelope, Errand, Exchange, Fate, Found, Gathered, Letter,
    LossRow, ObjectName, ObjectPage, OrderAck, Page, PageWish, Published, Question, ReturnAddress, Road, RoadDesk,
    Wanted, Way,
};
use charge::talk::thrift::{Measure, Thrift};
use charge::token::{Allowed, ContractId, PresentedToken, TokenKind, TokenUid, Verdict};
use charge::{Clock, Secret, Soon};
use ocpi::credentials::Credentials;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower::ServiceExt;
use trust::bearer::BearerDigest;
use trust::dice::SystemDice;
use trust::pki::Authority;
use trust::tls::{self, ClientCertificates};

use super::*;

/// The uid that provider 8AA owns.
const OWNED: &str = "04A2B3C4D5E680";
/// The uid that provider EMP owns, who does not speak OCPI.
const FOREIGN: &str = "04AABBCCDDEE80";

fn party(text: &str) -> PartyId {
    text.parse().unwrap()
}

fn token(uid: &str) -> PresentedToken {
    PresentedToken::new(TokenUid::new(uid).unwrap(), TokenKind::Rfid)
}

/// A request as it arrived at a spied-on party.
#[derive(Clone, Debug)]
struct Seen {
    path: String,
    headers: http::HeaderMap,
    body: String,
}

/// A desk that remembers, and answers what it is made for.
#[derive(Default)]
struct Desk {
    heard: Mutex<Vec<Letter>>,
    silent: bool,
    /// It has no cards of its own.
    cardless: bool,
    /// What it has for whoever asks for all.
    sessions: Mutex<Vec<Session>>,
    cdrs: Mutex<Vec<Cdr>>,
}

impl Desk {
    fn heard(&self) -> Vec<Letter> {
        self.heard.lock().unwrap().clone()
    }

    fn questions(&self) -> Vec<Question> {
        self.heard().into_iter().map(|letter| letter.question).collect()
    }
}

impl Desk {
    /// The last location that was put here, and its lists.
    fn find(&self, wanted: &Wanted) -> Result<Answer, Denial> {
        let last = || {
            self.heard().into_iter().rev().find_map(|letter| match letter.question {
                Question::PutLocation(location) => Some(*location),
                _other => None,
            })
        };
        let found = match wanted {
            Wanted::Sessions(wish) => Found::Sessions(page_of(&self.sessions.lock().unwrap(), *wish)),
            Wanted::Cdrs(wish) if !self.cdrs.lock().unwrap().is_empty() => {
                Found::Cdrs(page_of(&self.cdrs.lock().unwrap(), *wish))
            }
            Wanted::Cdrs(_) => {
                let cdr = samples::cdr();
                Found::Cdrs(Page { items: vec![cdr], total: 3, next: Some(1), complaints: vec![] })
            }
            Wanted::Tokens(_) => Found::Tokens(Page { items: vec![], total: 0, next: None, complaints: vec![] }),
            Wanted::Location { .. } => Found::Location(last().ok_or(Denial::UnknownObject)?),
            _other => return Err(Denial::UnknownObject),
        };
        Ok(Answer::Found(Box::new(found)))
    }
}

fn page_of<T: Clone>(all: &[T], wish: PageWish) -> Page<T> {
    let (first, limit) = (wish.offset as usize, wish.limit as usize);
    let items: Vec<T> = all.iter().skip(first).take(limit).cloned().collect();
    let next = Some(first + items.len()).filter(|next| *next < all.len()).map(|next| u32::try_from(next).unwrap());
    Page { items, total: u32::try_from(all.len()).unwrap(), next, complaints: vec![] }
}

impl RoadDesk for Desk {
    fn hear(&self, letter: Letter) -> Soon<'_, Result<Answer, Denial>> {
        let question = letter.question.clone();
        self.heard.lock().unwrap().push(letter);
        Box::pin(async move {
            if self.silent {
                std::future::pending::<()>().await;
            }
            match question {
                Question::MayCharge { token } if token == self::token(OWNED) && !self.cardless => {
                    Ok(Answer::May(Verdict {
                        contract: Some(Personal::new(ContractId::new("DE-8AA-CONETIME1-X").unwrap())),
                        reference: Some("REF-1".parse().unwrap()),
                        ..Verdict::bare(Allowed::Yes)
                    }))
                }
                Question::MayCharge { .. } => Ok(Answer::May(Verdict::bare(Allowed::Unknown))),
                Question::Start(_)
                | Question::Stop { .. }
                | Question::Unlock { .. }
                | Question::Reservation(_)
                | Question::Profile(_) => {
                    Ok(Answer::Order { ack: OrderAck::Accepted { outcome_within_s: 30 }, message: None })
                }
                Question::PostCdr(cdr) => Ok(Answer::Kept(cdr.id.clone())),
                Question::Outcome { .. }
                | Question::ProfileOutcome { .. }
                | Question::Plan { .. }
                | Question::PutSession(_)
                | Question::PutLocation(_)
                | Question::PatchEvse { .. }
                | Question::PutTariff(_)
                | Question::DropTariff(_)
                | Question::PutToken(_) => Ok(Answer::Noted),
                Question::Locations(_) => {
                    Ok(Answer::Locations(Page { items: vec![], total: 0, next: None, complaints: vec![] }))
                }
                Question::Fetch(wanted) => self.find(&wanted),
                Question::Booking(about) => Ok(bookings::answer(&about)),
                Question::Tariffs(_) => Err(Denial::NotSupported),
            }
        })
    }
}

/// An exchange of the simplest kind, which remembers what it was shown.
#[derive(Default)]
struct Office {
    envelopes: Mutex<Vec<Envelope>>,
    orders: Mutex<Vec<(OrderId, PartyId, ReturnAddress)>>,
    fates: Mutex<Vec<(PartyId, Fate)>>,
    public: Mutex<Vec<Box<str>>>,
    lost: Mutex<Vec<(PartyId, PartyId, Box<str>)>>,
    joined: Mutex<Vec<PartyId>>,
    thrift: Mutex<HashMap<PartyId, Thrift>>,
    /// Who wants to be asked about cards that nobody announced.
    probed: Mutex<Vec<PartyId>>,
    learned: Mutex<Vec<PartyId>>,
    /// Nobody has told the hub of any card.
    unannounced: Mutex<bool>,
    news: Mutex<Vec<ClientNews>>,
    /// Numbers, and whether they were heard.
    told: Mutex<Vec<(i64, bool)>>,
    quiet: Mutex<Vec<PartyId>>,
    senders: Mutex<Vec<PartyId>>,
    alive: Mutex<Vec<(PartyId, bool)>>,
    left: Mutex<Vec<PartyId>>,
    shelf: shelf::Shelf,
}

shelf::shelved!(Office);

impl Office {
    /// The locations that were kept last, by their owners and ids.
    fn kept_places(&self) -> ObjectPage {
        let mut kept = ObjectPage::new();
        for text in self.public.lock().unwrap().iter().filter(|text| text.contains("\"evses\"")) {
            let (Some(owner), Some(id)) = (ocpi::hear::owner_in(text), ocpi::hear::id_in(text)) else { continue };
            let name: ObjectName = (owner, id.into());
            kept.retain(|(each, _)| *each != name);
            kept.push((name, text.clone()));
        }
        kept
    }

    fn find(&self, envelope: &Envelope, return_to: Option<ReturnAddress>) -> Result<Way, Denial> {
        let to = envelope.to.filter(|to| *to != party("DE-HUB"));
        let known = |to: PartyId| if to == party("DE-XXX") { Err(Denial::UnknownReceiver) } else { Ok(to) };
        let way = |party| Ok(Way::To { party, hub_order: None });
        match &envelope.errand {
            Errand::MayCharge { token } => match to {
                Some(to) => way(known(to)?),
                None if *token == self::token(OWNED) && !*self.unannounced.lock().unwrap() => way(party("DE-8AA")),
                None if *token == self::token(FOREIGN) => way(party("DE-EMP")),
                None => match self.probed.lock().unwrap().clone() {
                    nobody if nobody.is_empty() => Err(Denial::UnknownToken),
                    some => Ok(Way::Perhaps(some)),
                },
            },
            Errand::Order(_) => {
                let mut orders = self.orders.lock().unwrap();
                let order = OrderId::new(format!("hub-{}", orders.len())).unwrap();
                orders.push((order.clone(), envelope.from, return_to.unwrap()));
                Ok(Way::To { party: known(to.ok_or(Denial::UnknownReceiver)?)?, hub_order: Some(order) })
            }
            Errand::Outcome { hub_order } => {
                let orders = self.orders.lock().unwrap();
                let (_, party, address) =
                    orders.iter().find(|(order, ..)| order == hub_order).ok_or(Denial::UnknownObject)?;
                Ok(Way::Back { party: *party, return_to: address.clone() })
            }
            Errand::Session { .. } | Errand::Cdr => way(known(to.unwrap())?),
            Errand::Location { .. } | Errand::Tariff { .. } => {
                Ok(Way::Everyone(vec![party("DE-8AA"), party("DE-8BB"), party("DE-EMP")]))
            }
            Errand::Token { .. } => Ok(Way::Kept),
            Errand::Passing(_) => way(known(to.ok_or(Denial::UnknownReceiver)?)?),
        }
    }
}

impl Exchange for Office {
    fn route(
        &self,
        envelope: Envelope,
        return_to: Option<ReturnAddress>,
        public: Option<Box<str>>,
    ) -> Soon<'_, Result<Way, Denial>> {
        if let Some(text) = public {
            self.public.lock().unwrap().push(text);
        }
        self.envelopes.lock().unwrap().push(envelope.clone());
        Box::pin(async move { self.find(&envelope, return_to) })
    }

    fn published(&self, _: PartyId, kind: Published, wish: PageWish) -> Soon<'_, Result<Page<Box<str>>, Denial>> {
        let mut items = vec![r#"{"id": "not readable"}"#.into()];
        if kind == Published::Tariffs {
            let kept = self.public.lock().unwrap().clone();
            items.extend(kept.into_iter().filter(|text| text.contains("\"elements\"")));
        }
        let next = (wish.offset == 0).then_some(1);
        Box::pin(async move { Ok(Page { items, total: 2, next, complaints: vec![] }) })
    }

    /// The one that was kept last, where none has this name.
    fn published_one(
        &self,
        _: PartyId,
        _: Published,
        owner: Option<PartyId>,
        id: Box<str>,
    ) -> Soon<'_, Result<Box<str>, Denial>> {
        let named = |name: &ObjectName| owner.is_none_or(|owner| owner == name.0) && name.1 == id;
        let found = self.kept_places().into_iter().find(|(name, _)| named(name)).map(|(_, text)| text);
        let last = found.or_else(|| self.public.lock().unwrap().last().cloned());
        Box::pin(async move { last.ok_or(Denial::UnknownObject) })
    }

    fn clients(&self, _: PartyId, _: PageWish) -> Soon<'_, Result<Page<ClientInfo>, Denial>> {
        let (party, role, last_updated) = (party("DE-OPA"), "CPO".into(), charge::Timestamp::from_secs(1_790_000_000));
        let items = vec![ClientInfo { party, role, status: ClientStatus::Connected, last_updated }];
        Box::pin(async move { Ok(Page { items, total: 1, next: None, complaints: vec![] }) })
    }

    fn fared(&self, _: &Envelope, to: PartyId, fate: Fate) {
        self.fates.lock().unwrap().push((to, fate));
    }

    fn joined(&self, party: PartyId) -> Soon<'_, Result<(), Denial>> {
        self.joined.lock().unwrap().push(party);
        Box::pin(async { Ok(()) })
    }

    fn left(&self, party: PartyId) -> Soon<'_, Result<(), Denial>> {
        self.left.lock().unwrap().push(party);
        Box::pin(async { Ok(()) })
    }

    fn senders(&self, _: PartyId, _: Gathered) -> Soon<'_, Result<Vec<PartyId>, Denial>> {
        let senders = self.senders.lock().unwrap().clone();
        Box::pin(async { Ok(senders) })
    }

    fn client_news(&self) -> Soon<'_, Result<Vec<ClientNews>, Denial>> {
        let news = std::mem::take(&mut *self.news.lock().unwrap());
        Box::pin(async { Ok(news) })
    }

    fn client_told(&self, number: i64, _: i64, heard: bool) -> Soon<'_, Result<(), Denial>> {
        self.told.lock().unwrap().push((number, heard));
        Box::pin(async { Ok(()) })
    }

    fn quiet(&self) -> Soon<'_, Result<Vec<PartyId>, Denial>> {
        let quiet = std::mem::take(&mut *self.quiet.lock().unwrap());
        Box::pin(async { Ok(quiet) })
    }

    fn alive(&self, party: PartyId, alive: bool) {
        self.alive.lock().unwrap().push((party, alive));
    }

    fn lost(&self, from: PartyId, to: PartyId, _: &Errand, what: &[Box<str>]) {
        self.lost.lock().unwrap().extend(what.iter().map(|what| (from, to, what.clone())));
    }

    fn published_after(&self, kind: Published, after: Option<ObjectName>) -> Soon<'_, Result<ObjectPage, Denial>> {
        let name = |number: usize| (party("DE-OPA"), number.to_string().into());
        let mut all: ObjectPage = vec![(name(0), r#"{"id": "not readable"}"#.into())];
        if kind == Published::Tariffs {
            let kept = self.public.lock().unwrap().clone();
            let tariffs = kept.into_iter().filter(|text| text.contains("\"elements\""));
            all.extend((1..).zip(tariffs).map(|(number, text)| (name(number), text)));
        }
        Box::pin(async move { Ok(if after.is_none() { all } else { Vec::new() }) })
    }

    fn losses(&self, parties: Vec<PartyId>) -> Soon<'_, Result<Vec<LossRow>, Denial>> {
        let rows = clearing::square::rows(&self.lost.lock().unwrap(), &parties);
        Box::pin(async move { Ok(rows) })
    }

    fn thrift(&self, party: PartyId) -> Soon<'_, Thrift> {
        let thrift = self.thrift.lock().unwrap().get(&party).copied().unwrap_or_default();
        Box::pin(async move { thrift })
    }

    fn learned(&self, _: PresentedToken, party: PartyId) -> Soon<'_, Result<(), Denial>> {
        self.learned.lock().unwrap().push(party);
        Box::pin(async { Ok(()) })
    }

    fn mark(&self, token: &PresentedToken) -> Option<String> {
        Some(if *token == self::token(OWNED) { "one".to_owned() } else { "another".to_owned() })
    }

    fn marked(&self, mark: String) -> Soon<'_, Option<PartyId>> {
        let owner = (mark == "one").then(|| party("DE-8AA"));
        Box::pin(async move { owner })
    }

    fn owner(&self, token: PresentedToken) -> Soon<'_, Option<PartyId>> {
        let owner = if token == self::token(OWNED) { Some(party("DE-8AA")) } else { None };
        Box::pin(async move { owner })
    }
}

/// One party with its server.
struct House {
    party: PartyId,
    base: String,
    peers: Arc<Peers>,
    desk: Arc<Desk>,
    figures: Arc<Figures>,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Of a hub.
    inside: Option<(Crossing, Arc<Partners>)>,
    _stop: oneshot::Sender<()>,
}

impl House {
    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| seen.path.contains("/2.2.1/")).cloned().collect()
    }
}

struct World {
    hub: House,
    office: Arc<Office>,
    operator: House,
    a: House,
    b: House,
    silent: House,
    tls: Arc<rustls::ClientConfig>,
    server: Arc<rustls::ServerConfig>,
}

/// A book of one way.
fn only(way: Arc<Neighbour>) -> Arc<dyn PeerBook> {
    let peers = Peers::new();
    peers.know(way);
    Arc::new(peers)
}

/// Sends credentials as a newcomer does; what is given back.
async fn introduce(way: &Neighbour, own: &Credentials) -> Credentials {
    let reply = way.credentials(ocpi::wire::Method::Post, Some(own)).await.unwrap();
    Credentials::read_reply(reply.http, reply.body.as_bytes()).unwrap()
}

fn secret(from: PartyId, to: PartyId) -> Secret<String> {
    Secret::new(format!("road_{from}_{to}"))
}

/// Makes the server's and the callers' configuration.
fn trusting() -> (Arc<rustls::ServerConfig>, Arc<rustls::ClientConfig>) {
    let (now, day) = (SystemClock.now(), Duration::from_secs(86_400));
    let authority = Authority::create("road test", day, now, &SystemDice).unwrap();
    let identity = authority.server_certificate(&["127.0.0.1".to_owned()], day, now, &SystemDice).unwrap();
    let server = tls::server(&identity, ClientCertificates::None, &["http/1.1"]).unwrap();
    let client = tls::client(authority.certificate_pem(), None, &["http/1.1"]).unwrap();
    (Arc::new(server), Arc::new(client))
}

async fn build(
    id: &str,
    role: Role,
    desk: Desk,
    office: Option<Arc<Office>>,
    tls: &Arc<rustls::ServerConfig>,
) -> House {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let own = Own { party: party(id), role, name: id.to_owned(), base: base.clone() };
    let (peers, figures, desk) = (Arc::new(Peers::new()), Arc::new(Figures::default()), Arc::new(desk));
    let (clock, dice) = (Arc::new(SystemClock), Arc::new(SystemDice));
    let inside = match office {
        Some(office) => {
            let seal = trust::seal::SealKey::new(&Secret::new([7; 32])).unwrap();
            let partners = Partners::open(store::Store::in_memory(&[]).unwrap(), seal).await.map(Arc::new).unwrap();
            let (own, known) = (own.clone(), Arc::clone(&partners));
            let crossing =
                Crossing::new(own, office, peers.clone(), known, clock.clone(), dice.clone(), figures.clone());
            Some((crossing, partners))
        }
        None => None,
    };
    let router = match &inside {
        Some((crossing, _)) => hub_router(crossing),
        None => party_router(own, desk.clone(), peers.clone(), clock, dice, figures.clone()),
    };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let spied = spied(router, Arc::clone(&seen));
    let (stop, stopped) = oneshot::channel();
    serve(listener, Arc::clone(tls), spied, async {
        let _ = stopped.await;
    })
    .unwrap();
    House { party: party(id), base, peers, desk, figures, seen, inside, _stop: stop }
}

/// Writes down what arrives, before the door sees it.
fn spied(inner: Router, seen: Arc<Mutex<Vec<Seen>>>) -> Router {
    Router::new().fallback(move |request: Request| {
        let (inner, seen) = (inner.clone(), Arc::clone(&seen));
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            seen.lock().unwrap().push(Seen {
                path: parts.uri.to_string(),
                headers: parts.headers.clone(),
                body: String::from_utf8_lossy(&body).into_owned(),
            });
            inner.oneshot(Request::from_parts(parts, Body::from(body))).await.unwrap()
        }
    })
}

fn way(to: &House, from: PartyId, tls: &Arc<rustls::ClientConfig>, answer: Duration) -> Arc<Neighbour> {
    let peer = Peer {
        party: to.party,
        name: to.party.to_string(),
        versions_url: ocpi::url::versions(&to.base),
        token_out: secret(from, to.party),
        tls: Arc::clone(tls),
    };
    let limits = RoadLimits { connect: Duration::from_secs(5), answer };
    Arc::new(Neighbour::new(peer, limits, Arc::new(SystemDice)).unwrap())
}

impl World {
    async fn new() -> Self {
        let (server, tls) = trusting();
        let office = Arc::new(Office::default());
        let hub = build("DE-HUB", Role::Hub, Desk::default(), Some(Arc::clone(&office)), &server).await;
        let operator = build("DE-OPA", Role::Operator, Desk::default(), None, &server).await;
        let a = build("DE-8AA", Role::Provider, Desk::default(), None, &server).await;
        let b = build("DE-8BB", Role::Provider, Desk { cardless: true, ..Desk::default() }, None, &server).await;
        let silent = build("DE-8ZZ", Role::Provider, Desk { silent: true, ..Desk::default() }, None, &server).await;
        for house in [&operator, &a, &b, &silent] {
            let patience =
                if house.party == silent.party { Duration::from_millis(700) } else { Duration::from_secs(20) };
            hub.peers.admit(BearerDigest::of(secret(house.party, hub.party).expose()), PeerAccess::party(house.party));
            hub.peers.know(way(house, hub.party, &tls, patience));
            house.peers.admit(BearerDigest::of(secret(hub.party, house.party).expose()), PeerAccess::hub(hub.party));
            house.peers.know(way(&hub, house.party, &tls, Duration::from_secs(20)));
        }
        Self { hub, office, operator, a, b, silent, tls, server }
    }

    fn client(&self, house: &House) -> Client {
        let hub = way(&self.hub, house.party, &self.tls, Duration::from_secs(20));
        Client::new(only(hub), self.hub.party, house.base.clone(), Arc::clone(&house.figures))
    }

    async fn ask(
        &self,
        house: &House,
        to: Option<&str>,
        question: Question,
    ) -> Result<Answer, charge::talk::road::RoadFault> {
        let correlation = CorrelationId::new("tap-1").unwrap();
        let letter = Letter { from: house.party, to: to.map(party), correlation, question };
        self.client(house).ask(letter).await
    }

    /// A request by hand: HTTP status, OCPI code and the body.
    async fn raw(&self, method: &str, url: &str, token: &str, body: Option<String>) -> (u16, Option<u16>, Value) {
        let http = reqwest::Client::builder().tls_backend_preconfigured((*self.tls).clone()).build().unwrap();
        let header = ocpi::credentials::authorization(&Secret::new(token.to_owned()), false);
        let mut request = http.request(method.parse().unwrap(), url).header("authorization", header.expose());
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap();
        (status, ocpi::status::code_of(&body), serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}
