//! The wiring: opens each party's database, hangs each door in its frame, runs the duties, and closes it all again.
//!
//! Rooms that live in one process still speak over the road, over real sockets, with the same tokens and the same
//! policy as strangers. Every party has its own database file and its own keys.

mod abroad;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use charge::id::{PartyId, StationId};
use charge::talk::line::Desk;
use charge::talk::road::{Exchange, RoadDesk};
use charge::{Clock, Dice, Secret};
use gate::line::soap::{Lines, SoapOptions, SoapServer};
use gate::line::{LineServer, Options, Seconds};
use gate::road::oicp::{Broker, Sessions, Setup, broker_router};
use gate::road::{
    Book, Client, Crossing, Envoy, Figures, FrontDesk, Member, Neighbour, Own, Partners, Peer, PeerAccess, Protocol,
    RoadLimits, Serving,
};
use hub::Hub;
use operator::Operator;
use operator::payment::Checkout;
use provider::Provider;
use store::Store;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use trust::dice::SystemDice;
use trust::pki::{Authority, Identity};
use trust::tls::{self, ClientCertificates, Trusted};
use web::accounts::Accounts;
use web::{PartyDoor, Room, Routes};

use self::abroad::Guest;
use crate::acquirer::PretendAcquirer;
use crate::config::{self, Config, Door, Road, Role};
use crate::init::secret;
use crate::{Failure, metrics};

/// Leased jobs, expiries and batched notes are looked after this often.
const DUTY_EVERY: Duration = Duration::from_millis(200);
/// A registration is renewed by the day; a minute more or less is nothing.
const RENEWAL_LOOKED_AT_EVERY: Duration = Duration::from_secs(60);

/// The parties of a configuration, at work.
pub(crate) struct House {
    pub(crate) operator: Option<OperatorParty>,
    pub(crate) hub: Option<HubParty>,
    pub(crate) providers: Vec<ProviderParty>,
    pub(crate) web_address: SocketAddr,
    stopping: watch::Sender<bool>,
    listeners: Vec<Serving>,
    duties: Vec<JoinHandle<()>>,
}

pub(crate) struct OperatorParty {
    pub(crate) room: Operator,
    pub(crate) accounts: Accounts,
    pub(crate) line: LineServer,
    /// For stations without a connection.
    pub(crate) soap: Option<SoapServer>,
    /// Signs the certificates of stations (security profile 3).
    pub(crate) stations: Arc<Authority>,
    member: Option<Arc<Member>>,
    figures: Arc<Figures>,
    store: Store,
}

pub(crate) struct HubParty {
    pub(crate) room: Hub,
    pub(crate) accounts: Accounts,
    /// Where its door of OCPI listens.
    pub(crate) road: SocketAddr,
    figures: Arc<Figures>,
    store: Store,
}

pub(crate) struct ProviderParty {
    pub(crate) slug: String,
    pub(crate) room: Provider,
    pub(crate) accounts: Accounts,
    member: Option<Arc<Member>>,
    figures: Arc<Figures>,
    store: Store,
}

/// What every part of a house is built with.
struct Frame<'c> {
    config: &'c Config,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    stopping: watch::Sender<bool>,
}

impl House {
    /// Opens everything. `demo` tells the pages that this is one, and how fast its clock runs.
    pub(crate) async fn open(config: &Config, clock: Arc<dyn Clock>, demo: Option<u32>) -> Result<Self, Failure> {
        let frame = Frame { config, clock, dice: Arc::new(SystemDice), stopping: watch::Sender::new(false) };
        std::fs::create_dir_all(&config.data).map_err(|fault| Failure::io(&config.data, &fault))?;
        let (mut roads, mut duties) = (Vec::new(), Vec::new());
        let hub = match &config.hub {
            Some(wish) => Some(frame.hub(wish, &mut roads, &mut duties).await?),
            None => None,
        };
        let operator = match &config.operator {
            Some(wish) => Some(frame.operator(wish, &mut roads, &mut duties).await?),
            None => None,
        };
        let mut providers = Vec::new();
        for wish in &config.providers {
            providers.push(frame.provider(wish, &mut roads, &mut duties).await?);
        }
        let pages = frame.pages(operator.as_ref(), hub.as_ref(), &providers, demo)?;
        let identity = identity(&config.web.identity)?;
        let tls = tls::server(&identity, ClientCertificates::None, &["http/1.1"])
            .map_err(|f| Failure::plain(f.to_string()))?;
        roads.push(frame.serve_at(config.web.listen, tls, pages, "[web]").await?);
        let web_address = roads.last().map_or(config.web.listen, |serving| serving.addr);
        Ok(Self { operator, hub, providers, web_address, stopping: frame.stopping, listeners: roads, duties })
    }

    /// Says goodbye to stations and callers, finishes what was begun, closes the databases.
    pub(crate) async fn close(self) {
        self.stopping.send_replace(true);
        let mut stores = Vec::new();
        if let Some(operator) = self.operator {
            operator.line.stop().await;
            if let Some(soap) = operator.soap {
                soap.stop().await;
            }
            operator.room.keep_passages().await;
            stores.push(operator.store);
        }
        stores.extend(self.hub.into_iter().map(|hub| hub.store));
        stores.extend(self.providers.into_iter().map(|provider| provider.store));
        for listener in self.listeners {
            // a panic of a listener was reported when it happened
            let _ended = listener.ended.await;
        }
        for duty in self.duties {
            duty.abort();
        }
        for store in stores {
            store.close().await;
        }
    }
}

impl Frame<'_> {
    async fn operator(
        &self,
        wish: &config::Operator,
        roads: &mut Vec<Serving>,
        duties: &mut Vec<JoinHandle<()>>,
    ) -> Result<OperatorParty, Failure> {
        let party = wish.party.0;
        let store = self.store(party, Operator::MIGRATIONS)?;
        let keys = operator::Keys {
            seal: trust::seal::SealKey::new(&self.key(party, "seal")?).map_err(|f| Failure::plain(f.to_string()))?,
            tags: trust::token_tag::TagKey::new(&self.key(party, "tags")?),
        };
        let setup = operator::Setup {
            party,
            name: wish.name.clone(),
            hub: wish.hub.0,
            keys,
            settings: operator::Settings::default(),
        };
        let room = Operator::new(setup, store.clone(), Arc::clone(&self.clock), Arc::clone(&self.dice));
        let (figures, peers) = (Arc::new(Figures::default()), self.peers(party, &store, &wish.road).await?);
        // a hub that speaks 2.1.1 wants the location of a session whole
        let beside: Arc<dyn RoadDesk> = Arc::new(room.clone());
        let desk: Arc<dyn RoadDesk> = Arc::new(room.clone());
        let (role, name) = (gate::road::Role::Operator, wish.name.as_str());
        let guest = Guest { party, role, name, hub: wish.hub.0, place: "operator", desk: Arc::clone(&desk) };
        let foreign = self.foreign(&guest, (wish.oicp.as_ref(), wish.ochp.as_ref()), &store, roads, duties).await?;
        let own = own(party, role, &wish.name, &wish.road)?;
        let member = foreign.is_none().then(|| self.membership(&own, wish.hub.0, (&peers, &store), duties));
        room.attach_road(match foreign {
            Some(road) => road,
            None => Arc::new(self.road(&peers, wish.hub.0, &wish.road, &figures)?.beside(beside)),
        });
        let (clock, dice) = (Arc::clone(&self.clock), Arc::clone(&self.dice));
        let router = gate::road::party_router(own, desk, peers, clock, dice, Arc::clone(&figures));
        roads.push(self.serve(&wish.road, router, "[operator.road]").await?);

        let stations = Arc::new(authority(&wish.station_authority)?);
        let line = self.line(wish, &room, &stations)?;
        let soap = wish.soap.as_ref().map(|soap| self.soap(soap, &room, &stations)).transpose()?;
        let lines = std::iter::once(line.line()).chain(soap.as_ref().map(SoapServer::line));
        room.attach_line(Arc::new(Lines::new(lines.collect())));
        let accounts = self.accounts(&store)?;
        room.attach_seconds(Arc::new(Seconds::new(Arc::clone(&self.clock), Arc::clone(&self.dice))));
        crate::second::put(&room, &wish.seconds).await?;
        let (busy, outward) = (room.clone(), room.clone());
        duties.push(tokio::spawn(async move { busy.work(DUTY_EVERY).await }));
        duties.push(tokio::spawn(async move { outward.serve_seconds().await }));
        Ok(OperatorParty { room, accounts, line, soap, stations, member, figures, store })
    }

    /// One port for security profiles 2 and 3; a second one without TLS only where the configuration names it.
    fn line(&self, wish: &config::Operator, room: &Operator, stations: &Authority) -> Result<LineServer, Failure> {
        let identity = identity(&wish.line.identity)?;
        let trusted = Trusted {
            roots_pem: stations.certificate_pem().to_owned(),
            on_refused: Arc::new(|refused| tracing::warn!(%refused, "a station's certificate was refused")),
        };
        let tls = tls::server(&identity, ClientCertificates::Optional(trusted), &[]);
        let tls = Arc::new(tls.map_err(|f| Failure::plain(f.to_string()))?);
        let desk: Arc<dyn Desk> = Arc::new(room.clone());
        let (clock, dice) = (Arc::clone(&self.clock), Arc::clone(&self.dice));
        let mut line = gate::line::listen(wish.line.listen, tls, desk, clock, dice, Options::default())
            .map_err(|f| Failure::plain(format!("[operator.line] listen: {f}")))?;
        if let Some(plain) = wish.danger_plain_line {
            let at =
                line.open_plain(plain).map_err(|f| Failure::plain(format!("[operator] danger_plain_line: {f}")))?;
            tracing::warn!(%at, "danger_plain_line: stations can connect without TLS; everything they say can be read and changed on the way");
        }
        Ok(line)
    }

    /// The leg for stations that speak SOAP. They are called with the operator's client certificate, and only where
    /// the authority of the stations vouches for whoever answers.
    fn soap(&self, wish: &config::Soap, room: &Operator, stations: &Authority) -> Result<SoapServer, Failure> {
        let fault = |fault: &dyn std::fmt::Display| Failure::plain(format!("[operator.soap] {fault}"));
        let roots = stations.certificate_pem();
        let trusted = Trusted {
            roots_pem: roots.to_owned(),
            on_refused: Arc::new(|refused| tracing::warn!(%refused, "a station's certificate was refused")),
        };
        let server = tls::server(&identity(&wish.identity)?, ClientCertificates::Optional(trusted), &[]);
        let client = tls::client(roots, Some(&identity(&wish.client)?), &[]).map_err(|f| fault(&f))?;
        let mut callbacks = Vec::new();
        for (station, origin) in &wish.callbacks {
            callbacks.push((
                StationId::new(station).map_err(|f| fault(&format!("callbacks: {station} {f}")))?,
                origin.clone(),
            ));
        }
        let options = SoapOptions { address: wish.address.clone(), callbacks, ..SoapOptions::new(Arc::new(client)) };
        let desk: Arc<dyn Desk> = Arc::new(room.clone());
        let (clock, dice) = (Arc::clone(&self.clock), Arc::clone(&self.dice));
        let tls = Arc::new(server.map_err(|f| fault(&f))?);
        let mut soap = gate::line::soap::listen(wish.listen, tls, desk, clock, dice, options).map_err(|f| fault(&f))?;
        if let Some(plain) = wish.danger_plain {
            let at = soap.open_plain(plain).map_err(|f| fault(&format!("danger_plain: {f}")))?;
            tracing::warn!(%at, "danger_plain: stations can send SOAP without TLS; everything they say can be read and changed on the way");
        }
        Ok(soap)
    }

    async fn hub(
        &self,
        wish: &config::Hub,
        roads: &mut Vec<Serving>,
        duties: &mut Vec<JoinHandle<()>>,
    ) -> Result<HubParty, Failure> {
        let party = wish.party.0;
        let store = self.store(party, hub::MIGRATIONS)?;
        let setup = hub::Setup { party, name: wish.name.clone(), tag_key: self.key(party, "tags")? };
        let room = Hub::new(setup, store.clone(), Arc::clone(&self.clock), Arc::clone(&self.dice));
        for road in self.roads_of(party) {
            let role = match road.role {
                Role::Operator => hub::Role::Operator,
                Role::Provider => hub::Role::Provider,
                Role::Hub => continue,
            };
            let done = room.expect_party(road.to.0, role, &road.name).await;
            done.map_err(|f| Failure::plain(f.to_string()))?;
        }
        let (figures, peers) = (Arc::new(Figures::default()), self.peers(party, &store, &wish.road).await?);
        let own = own(party, gate::road::Role::Hub, &wish.name, &wish.road)?;
        let place = own.clone();
        let exchange: Arc<dyn Exchange> = Arc::new(room.clone());
        let (clock, dice) = (Arc::clone(&self.clock), Arc::clone(&self.dice));
        let seal = trust::seal::SealKey::new(&self.key(party, "seal")?).map_err(|f| Failure::plain(f.to_string()))?;
        let partners = Partners::open(store.clone(), seal).await;
        let partners = Arc::new(partners.map_err(|f| Failure::plain(format!("the partners of {party}: {f}")))?);
        let front = FrontDesk::new(place, Arc::clone(&peers), Arc::clone(&partners), clock.clone(), dice.clone());
        let front = Arc::new(front);
        room.attach_reception(Arc::clone(&front) as Arc<_>);
        let known = Arc::clone(&partners);
        let crossing = Crossing::new(own, exchange, peers, known, clock, dice, Arc::clone(&figures));
        crossing.keep_in(self.vault(party, &store).await?);
        let meeting = crossing.clone();
        let clearing = self.clearing_house(party, &wish.road, &crossing, Arc::clone(&partners), &store)?;
        for protocol in [Protocol::Ochp14, Protocol::OchpDirect] {
            front.attach(protocol, Arc::clone(&clearing) as Arc<_>);
        }
        let router = gate::road::hub_router(&crossing).merge(gate::road::ochp::ochp_router(&clearing));
        // a partner of OCHP may be bound to its certificate; one of OCPI has a token, whatever it shows beside it
        let server = tls::server(&identity(&wish.road.identity)?, ClientCertificates::Any, &["http/1.1"]);
        let server = server.map_err(|f| Failure::plain(f.to_string()))?;
        let road = self.serve_at(wish.road.listen, server, router, "[hub.road]").await?;
        let address = road.addr;
        roads.push(road);
        if let Some(wish) = &wish.oicp {
            let (broker, serving) = self.broker(wish, party, crossing, partners, &store, duties).await?;
            for protocol in [Protocol::Oicp23, Protocol::Oicp20] {
                front.attach(protocol, Arc::new(broker.clone()));
            }
            roads.push(serving);
        }
        let accounts = self.accounts(&store)?;
        let busy = room.clone();
        duties.push(tokio::spawn(async move {
            loop {
                if let Err(fault) = busy.duty().await {
                    tracing::error!(%fault, "a duty of the hub failed");
                }
                if let Err(fault) = meeting.duty().await {
                    tracing::error!(?fault, "a duty of the crossing failed");
                }
                if let Err(fault) = clearing.duty().await {
                    tracing::error!(%fault, "a duty of the clearing house failed");
                }
                tokio::time::sleep(DUTY_EVERY).await;
            }
        }));
        Ok(HubParty { room, accounts, road: address, figures, store })
    }

    /// What the hub keeps sealed for its partners.
    async fn vault(&self, party: PartyId, store: &Store) -> Result<Arc<gate::road::Vault>, Failure> {
        let fault = |fault: String| Failure::plain(format!("the vault of {party}: {fault}"));
        let seal = trust::seal::SealKey::new(&self.key(party, "vault-seal")?).map_err(|f| fault(f.to_string()))?;
        let tags = trust::token_tag::TagKey::new(&self.key(party, "vault-names")?);
        let vault = gate::road::Vault::open(store.clone(), seal, tags).await;
        vault.map(Arc::new).map_err(|f| fault(f.to_string()))
    }

    /// The hub's side for partners that speak OCHP.
    fn clearing_house(
        &self,
        party: PartyId,
        door: &Door,
        crossing: &Crossing,
        partners: Arc<Partners>,
        store: &Store,
    ) -> Result<Arc<gate::road::ochp::House>, Failure> {
        let plain = |fault: String| Failure::plain(format!("the clearing house of {party}: {fault}"));
        let keys = gate::road::ochp::Keys {
            seal: trust::seal::SealKey::new(&self.key(party, "ochp-seal")?).map_err(|f| plain(f.to_string()))?,
            tags: trust::token_tag::TagKey::new(&self.key(party, "ochp-tags")?),
            tokens: trust::token_tag::TagKey::new(&self.key(party, "ochp-tokens")?),
        };
        let tls = tls::client(&self.roots(party, door)?, None, &["http/1.1"]).map_err(|f| plain(f.to_string()))?;
        gate::road::ochp::House::open(crossing, partners, store.clone(), keys, Arc::new(tls))
            .map_err(|f| plain(f.to_string()))
    }

    /// The hub as broker of OICP.
    async fn broker(
        &self,
        wish: &config::Broker,
        party: PartyId,
        crossing: Crossing,
        partners: Arc<Partners>,
        store: &Store,
        duties: &mut Vec<JoinHandle<()>>,
    ) -> Result<(Broker, Serving), Failure> {
        let fault = |fault: &dyn std::fmt::Display| Failure::plain(format!("[hub.oicp] {fault}"));
        let roots_pem = std::fs::read_to_string(&wish.roots).map_err(|f| fault(&format!("roots: {f}")))?;
        let client = tls::client(&roots_pem, Some(&identity(&wish.client)?), &["http/1.1"]).map_err(|f| fault(&f))?;
        let trusted = Trusted {
            roots_pem,
            on_refused: Arc::new(|refused| tracing::warn!(%refused, "a partner's certificate was refused")),
        };
        let server = tls::server(&identity(&wish.identity)?, ClientCertificates::Required(trusted), &["http/1.1"]);
        let broker = Broker::new(Setup {
            crossing,
            partners,
            sessions: Sessions::open(store.clone()).map_err(|f| fault(&f))?,
            tags: trust::token_tag::TagKey::new(&self.key(party, "oicp-tags")?),
            pricing: Arc::new(crate::rates::ByProduct),
            tls: Arc::new(client),
            clock: Arc::clone(&self.clock),
            dice: Arc::clone(&self.dice),
            hotline: wish.hotline.clone(),
            currency: wish.currency.parse().map_err(|f| fault(&format!("currency: {f}")))?,
        });
        let busy = broker.clone();
        duties.push(tokio::spawn(async move {
            loop {
                if let Err(fault) = busy.duty().await {
                    tracing::error!(?fault, "a duty of the broker failed");
                }
                if let Err(fault) = busy.catch_up().await {
                    tracing::error!(?fault, "the broker could not read what was published");
                }
                tokio::time::sleep(DUTY_EVERY).await;
            }
        }));
        let server = server.map_err(|f| fault(&f))?;
        let serving = self.serve_at(wish.listen, server, broker_router(&broker), "[hub.oicp]").await?;
        Ok((broker, serving))
    }

    async fn provider(
        &self,
        wish: &config::Provider,
        roads: &mut Vec<Serving>,
        duties: &mut Vec<JoinHandle<()>>,
    ) -> Result<ProviderParty, Failure> {
        let party = wish.party.0;
        let store = self.store(party, provider::MIGRATIONS)?;
        let vat_percent = wish.vat_percent.parse();
        let setup = provider::Setup {
            party,
            name: wish.name.clone(),
            hub: wish.hub.0,
            vat_id: wish.vat_id.clone(),
            country: party.country().to_owned(),
            vat_percent: vat_percent
                .map_err(|_| Failure::misuse(format!("provider {party}: vat_percent is no number")))?,
            currency: charge::money::Currency::EUR,
            seal_key: self.key(party, "seal")?,
            tag_key: self.key(party, "tags")?,
            cards_listed: wish.ochp.is_some(),
        };
        let room = Provider::new(setup, store.clone(), Arc::clone(&self.clock), Arc::clone(&self.dice));
        let room = room.map_err(|f| Failure::plain(f.to_string()))?;
        let (figures, peers) = (Arc::new(Figures::default()), self.peers(party, &store, &wish.road).await?);
        let desk: Arc<dyn RoadDesk> = Arc::new(room.clone());
        let (role, name) = (gate::road::Role::Provider, wish.name.as_str());
        let guest = Guest { party, role, name, hub: wish.hub.0, place: "provider", desk: Arc::clone(&desk) };
        let foreign = self.foreign(&guest, (wish.oicp.as_ref(), wish.ochp.as_ref()), &store, roads, duties).await?;
        let own = own(party, role, &wish.name, &wish.road)?;
        let member = foreign.is_none().then(|| self.membership(&own, wish.hub.0, (&peers, &store), duties));
        room.attach_road(match foreign {
            Some(road) => road,
            None => Arc::new(self.road(&peers, wish.hub.0, &wish.road, &figures)?),
        });
        let (clock, dice) = (Arc::clone(&self.clock), Arc::clone(&self.dice));
        let router = gate::road::party_router(own, desk, peers, clock, dice, Arc::clone(&figures));
        roads.push(self.serve(&wish.road, router, "[provider.road]").await?);
        let accounts = self.accounts(&store)?;
        let busy = room.clone();
        duties.push(tokio::spawn(async move {
            loop {
                if let Err(fault) = busy.duty().await {
                    tracing::error!(%fault, "a duty of a provider failed");
                }
                tokio::time::sleep(DUTY_EVERY).await;
            }
        }));
        Ok(ProviderParty { slug: wish.slug.clone(), room, accounts, member, figures, store })
    }

    /// The database of one party: nobody else's process or login opens it.
    fn store(&self, party: PartyId, migrations: &[store::Migration]) -> Result<Store, Failure> {
        let file: PathBuf = self.config.data.join(format!("{party}.sqlite"));
        Store::open(&file, store::Options::default(), migrations)
            .map_err(|fault| Failure::plain(format!("{}: {fault}", file.display())))
    }

    /// A key of one party, made at the first start.
    fn key(&self, party: PartyId, name: &str) -> Result<Secret<[u8; 32]>, Failure> {
        trust::keyfile::load_or_create(&self.config.data, &format!("{party}-{name}"), &*self.dice)
            .map_err(|fault| Failure::plain(fault.to_string()))
    }

    /// Sign-ins live in the machine's time, also in a demo whose world runs faster.
    fn accounts(&self, store: &Store) -> Result<Accounts, Failure> {
        Accounts::open(store.clone(), Arc::new(charge::SystemClock), Arc::clone(&self.dice))
            .map_err(|fault| Failure::plain(fault.to_string()))
    }

    fn roads_of(&self, party: PartyId) -> impl Iterator<Item = &Road> {
        self.config.roads.iter().filter(move |road| road.from.0 == party)
    }

    /// A hub waits less for an answer than whoever waits for the hub.
    fn neighbour(&self, road: &Road, token_out: Secret<String>) -> Result<Arc<Neighbour>, Failure> {
        let roots = std::fs::read_to_string(&road.roots).map_err(|fault| Failure::io(&road.roots, &fault))?;
        let tls = tls::client(&roots, None, &["http/1.1"]);
        let limits = if road.role == Role::Hub { RoadLimits::default() } else { RoadLimits::FORWARD };
        let peer = Peer {
            party: road.to.0,
            name: road.name.clone(),
            versions_url: road.versions.clone(),
            token_out,
            tls: Arc::new(tls.map_err(|fault| Failure::plain(format!("{}: {fault}", road.roots.display())))?),
        };
        let made = Neighbour::new(peer, limits, Arc::clone(&self.dice));
        made.map(Arc::new).map_err(|fault| Failure::plain(fault.to_string()))
    }

    /// The book of peers: what the configuration says, and what was registered since. Whoever registers is believed to
    /// be who the roots of this party's roads say.
    async fn peers(&self, party: PartyId, store: &Store, door: &Door) -> Result<Arc<Book>, Failure> {
        let plain = |fault: String| Failure::plain(format!("the roads of {party}: {fault}"));
        let roots = self.roots(party, door)?;
        let tls = tls::client(&roots, None, &["http/1.1"]).map_err(|fault| plain(fault.to_string()))?;
        let seal = trust::seal::SealKey::new(&self.key(party, "seal")?).map_err(|fault| plain(fault.to_string()))?;
        let hub = self.config.hub.as_ref().is_some_and(|hub| hub.party.0 == party);
        let limits = if hub { RoadLimits::FORWARD } else { RoadLimits::default() };
        let dice = Arc::clone(&self.dice);
        let book = Book::open(store.clone(), seal, Arc::new(tls), limits, dice).await;
        let book = book.map_err(|fault| plain(fault.to_string()))?;
        for road in self.roads_of(party) {
            let (Some(token_out), Some(token_in)) = (&road.token_out, &road.token_in) else { continue };
            let other = road.to.0;
            let access = if road.role == Role::Hub { PeerAccess::hub(other) } else { PeerAccess::party(other) };
            // whose token was spent has registered since, or left
            if book.admit(trust::bearer::BearerDigest::of(secret(token_in)?.expose()), access) {
                book.know(self.neighbour(road, secret(token_out)?)?);
            }
        }
        Ok(Arc::new(book))
    }

    /// Whom a party believes on its roads.
    fn roots(&self, party: PartyId, door: &Door) -> Result<String, Failure> {
        let mut roots = String::new();
        for road in self.roads_of(party) {
            let read = std::fs::read_to_string(&road.roots).map_err(|fault| Failure::io(&road.roots, &fault))?;
            if !roots.contains(read.trim()) {
                roots.push_str(&read);
                roots.push('\n');
            }
        }
        if roots.is_empty() {
            // no road yet: nobody but ourselves to believe in
            roots = identity(&door.identity)?.chain_pem;
        }
        Ok(roots)
    }

    fn road(&self, book: &Arc<Book>, hub: PartyId, door: &Door, figures: &Arc<Figures>) -> Result<Client, Failure> {
        Ok(Client::new(Arc::clone(book) as Arc<_>, hub, address(door)?, Arc::clone(figures)))
    }

    /// Who stands for a party at its neighbour, where both speak OCPI.
    fn membership(
        &self,
        own: &Own,
        hub: PartyId,
        (book, store): (&Arc<Book>, &Store),
        duties: &mut Vec<JoinHandle<()>>,
    ) -> Arc<Member> {
        let (clock, dice) = (Arc::clone(&self.clock), Arc::clone(&self.dice));
        let envoy = Envoy::new(own.clone(), Arc::clone(book), Arc::clone(&clock), dice);
        let road = self.roads_of(own.party).find(|road| road.to.0 == hub);
        let days = road.map_or(config::RENEW_DAYS, |road| road.renew_days);
        let every = (days > 0).then(|| Duration::from_secs(u64::from(days) * 86_400));
        let member = Arc::new(Member::new((envoy, Arc::clone(book)), store.clone(), hub, every, clock));
        let busy = Arc::clone(&member);
        duties.push(tokio::spawn(async move {
            loop {
                tokio::time::sleep(RENEWAL_LOOKED_AT_EVERY).await;
                if let Err(fault) = busy.duty().await {
                    tracing::error!(%fault, "whether our registration is to be renewed cannot be said");
                }
            }
        }));
        member
    }

    async fn serve(&self, door: &Door, router: Routes, place: &str) -> Result<Serving, Failure> {
        let identity = identity(&door.identity)?;
        let tls = tls::server(&identity, ClientCertificates::None, &["http/1.1"]);
        self.serve_at(door.listen, tls.map_err(|f| Failure::plain(f.to_string()))?, router, place).await
    }

    async fn serve_at(
        &self,
        address: SocketAddr,
        tls: rustls::ServerConfig,
        router: Routes,
        place: &str,
    ) -> Result<Serving, Failure> {
        let fault = |fault: std::io::Error| match fault.kind() {
            std::io::ErrorKind::AddrInUse => Failure::plain(format!(
                "{place} listen: {address} is in use by another process; stop that one or choose another port"
            )),
            _ => Failure::plain(format!("{place} listen: {address}: {fault}")),
        };
        let listener = tokio::net::TcpListener::bind(address).await.map_err(fault)?;
        let mut stopping = self.stopping.subscribe();
        let stop = async move {
            // an error means that the house is gone, which is an end too
            let _stopped = stopping.wait_for(|stopping| *stopping).await;
        };
        gate::road::serve(listener, Arc::new(tls), router, stop).map_err(fault)
    }

    fn pages(
        &self,
        operator: Option<&OperatorParty>,
        hub: Option<&HubParty>,
        providers: &[ProviderParty],
        demo: Option<u32>,
    ) -> Result<Routes, Failure> {
        let mut doors = Vec::new();
        if let (Some(party), Some(wish)) = (operator, &self.config.operator) {
            if let Some(origin) = shelf_origin(&self.config.web) {
                let directory = self.config.data.join(format!("{}-files", wish.party.0));
                party.room.attach_shelf(operator::Shelf { directory, address: format!("{origin}/api/p/operator") });
            }
            if let Some(origin) =
                shelf_origin(&self.config.web).filter(|_| demo.is_some() || wish.danger_pretend_payments)
            {
                tracing::warn!("danger_pretend_payments: whoever pays at a station charges for nothing");
                let checkout = Checkout::new(Arc::new(PretendAcquirer::default()), format!("{origin}/pay/operator"));
                party.room.attach_checkout(checkout.hurried(demo.unwrap_or(1)));
            }
            let room = Room::Operator(party.room.clone(), Arc::clone(&party.stations));
            let metrics = metrics::of(&party.store, &party.figures, Some(party.line.gauge()));
            let (name, accounts, road) =
                (wish.name.clone(), party.accounts.clone(), party.member.clone().map(|member| member as Arc<_>));
            doors.push(PartyDoor { slug: "operator".into(), name, party: wish.party.0, room, accounts, road, metrics });
        }
        if let (Some(party), Some(wish)) = (hub, &self.config.hub) {
            let room = Room::Hub(party.room.clone());
            let metrics = metrics::of(&party.store, &party.figures, None);
            let (name, accounts) = (wish.name.clone(), party.accounts.clone());
            let slug = "hub".into();
            doors.push(PartyDoor { slug, name, party: wish.party.0, room, accounts, road: None, metrics });
        }
        for (party, wish) in providers.iter().zip(&self.config.providers) {
            let room = Room::Provider(party.room.clone());
            let metrics = metrics::of(&party.store, &party.figures, None);
            let (name, accounts, road) =
                (wish.name.clone(), party.accounts.clone(), party.member.clone().map(|member| member as Arc<_>));
            doors.push(PartyDoor { slug: wish.slug.clone(), name, party: wish.party.0, room, accounts, road, metrics });
        }
        Ok(web::router(web::House { doors, clock: Arc::clone(&self.clock), demo }))
    }
}

/// Where stations bring their logs and fetch their firmware; nothing where the pages listen on every address and nobody
/// has said which of them a station should use.
fn shelf_origin(web: &config::Web) -> Option<String> {
    let named = || match web.listen.ip() {
        ip if ip.is_unspecified() => None,
        ip if ip.is_loopback() => Some(format!("https://localhost:{}", web.listen.port())),
        _ => Some(format!("https://{}", web.listen)),
    };
    web.address.as_deref().map(|origin| origin.trim_end_matches('/').to_owned()).or_else(named)
}

fn own(party: PartyId, role: gate::road::Role, name: &str, door: &Door) -> Result<Own, Failure> {
    Ok(Own { party, role, name: name.to_owned(), base: address(door)? })
}

fn address(door: &Door) -> Result<String, Failure> {
    door.address.clone().ok_or_else(|| Failure::misuse("a road's door needs its `address`: how others reach it"))
}

fn identity(file: &Path) -> Result<Identity, Failure> {
    Identity::read(file).map_err(|fault| Failure::plain(fault.to_string()))
}

fn authority(file: &Path) -> Result<Authority, Failure> {
    Authority::load(&identity(file)?).map_err(|fault| Failure::plain(format!("{}: {fault}", file.display())))
}
