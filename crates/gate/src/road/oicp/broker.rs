//! A hub as OICP broker: requests of operators and providers become letters, letters have the ways of every hub.
//!
//! The broker names sessions ([`Sessions`]), finds an EVSE's operator ([`super::places`]) and hands an answer of the same
//! version through as it came. EVSE data, status and products are answered from what the hub has published. It
//! forwards no list of tokens: an operator that asks for everybody's gets none. Invariant: whoever speaks of a session is
//! one of its two parties.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request as HttpRequest, State};
use axum::response::Response;
use bytes::Bytes;
use charge::id::{CorrelationId, PartyId, TariffId};
use charge::money::Currency;
use charge::record::Cdr;
use charge::talk::road::{
    Answer, Denial, Errand, Found, Letter, OrderAck, OrderKind, OrderResult, Passing, Question, Wanted,
};
use charge::talk::thrift::Measure;
use charge::tariff::Tariff;
use charge::token::{Allowed, ContractId, TokenKind, TokenUid};
use charge::{Clock, Dice, Personal, Purpose};
use http::StatusCode;
use ocpi::credentials::Role;
use oicp::bridge::hear::{Heard, Names};
use oicp::bridge::{Beside, Places, Rates, answer, hear, tariff};
use oicp::message::{Reply, with_member, with_session};
use oicp::status::Code;
use oicp::{Caller, Crossed, Lost, Operation, Version, form};
use store::StoreError;
use tokio::sync::Mutex;
use trust::token_tag::TagKey;

use super::entrance::{self, Received, Refused};
use super::index::Index;
use super::places::Pulls;
use super::sessions::{Known, Sessions};
use super::speaker::Wires;
use crate::road::crossing::Crossing;
use crate::road::losses;
use crate::road::partners::{Partner, Partners, Protocol};
use crate::road::serve::ClientCertificate;
use crate::road::speaker::{Native, Told};

/// Puts a price to a session whose CDR has none, by the tariff that its product names.
pub trait Pricing: Send + Sync {
    /// `None`: it cannot be priced, and does not cross.
    fn priced(&self, tariff: &Tariff, time_zone: &str, unrated: Cdr) -> Option<Cdr>;
}

/// What a broker is made of.
pub struct Setup {
    pub crossing: Crossing,
    pub partners: Arc<Partners>,
    pub sessions: Sessions,
    /// For the tags of contracts in `sessions`.
    pub tags: TagKey,
    pub pricing: Arc<dyn Pricing>,
    /// Trusts the authority of our partners and shows the hub's certificate.
    pub tls: Arc<rustls::ClientConfig>,
    pub clock: Arc<dyn Clock>,
    pub dice: Arc<dyn Dice>,
    /// OICP cannot tell of an EVSE without a telephone number.
    pub hotline: String,
    /// Of sessions: OICP names none.
    pub currency: Currency,
}

/// The broker. Clones are the same one.
#[derive(Clone)]
pub struct Broker(pub(super) Arc<Inside>);

pub(super) struct Inside {
    pub(super) setup: Setup,
    pub(super) pulls: Pulls,
    pub(super) wires: Wires,
    /// One at a time reads what was published.
    pub(super) reading: Mutex<()>,
}

/// A CDR crosses as it is where its receiver is told no price, else by its tariff, else not at all.
struct Agreed<'b> {
    pricing: &'b dyn Pricing,
    tariff: Option<Tariff>,
    time_zone: String,
    unpriced: bool,
}

impl Rates for Agreed<'_> {
    fn rate(&self, _product: Option<&str>, unrated: Cdr) -> Option<Cdr> {
        match &self.tariff {
            _ if self.unpriced => Some(unrated),
            Some(tariff) => self.pricing.priced(tariff, &self.time_zone, unrated),
            None => None,
        }
    }
}

/// Nothing to rate.
pub(super) struct Unrated;

impl Rates for Unrated {
    fn rate(&self, _product: Option<&str>, unrated: Cdr) -> Option<Cdr> {
        Some(unrated)
    }
}

/// What goes back.
enum Outgoing {
    Reply(Reply),
    /// The answer of a partner of the same version, as it came.
    Native(Bytes),
}

/// Why nothing else does.
#[derive(Debug)]
enum Stop {
    Denial(Denial),
    Code(Code),
}

impl From<Denial> for Stop {
    fn from(denial: Denial) -> Self {
        Self::Denial(denial)
    }
}

impl From<StoreError> for Stop {
    fn from(_: StoreError) -> Self {
        Self::Denial(Denial::Internal)
    }
}

/// The routes of a broker, for a listener that asks for client certificates.
pub fn broker_router(broker: &Broker) -> Router {
    let enter = axum::routing::post(enter);
    Router::new()
        .route("/api/oicp/{*rest}", enter.clone())
        .route("/ibis/ws/{service}", enter)
        .with_state(broker.clone())
        .merge(losses::router(&broker.0.setup.crossing))
}

async fn enter(State(broker): State<Broker>, request: HttpRequest) -> Response {
    let (parts, body) = request.into_parts();
    let Some(goal) = entrance::goal(&parts.uri) else {
        return entrance::raw(Version::V23, Bytes::new(), StatusCode::NOT_FOUND);
    };
    let shown = parts.extensions.get::<ClientCertificate>();
    let partner = shown.and_then(|shown| broker.0.setup.partners.by_certificate(&shown.0));
    let partner = partner.filter(|partner| version_of(partner.protocol) == Some(goal.version));
    let Some(partner) = partner else {
        return goal.refuse(Code::NOT_PERMITTED, StatusCode::UNAUTHORIZED).into_response();
    };
    let received = async {
        let received = goal.read(body).await?;
        goal.proven(&received, partner.party)?;
        let role = match received.caller {
            Caller::Operator => Role::Operator,
            Caller::Provider => Role::Provider,
        };
        let may = partner.roles.contains(&role);
        if may { Ok(received) } else { Err(goal.refuse(Code::NOT_PERMITTED, StatusCode::OK)) }
    };
    match received.await {
        Ok(received) => broker.answer(&partner, received).await,
        Err(refused) => Refused::into_response(refused),
    }
}

pub(super) const fn version_of(protocol: Protocol) -> Option<Version> {
    match protocol {
        Protocol::Oicp23 => Some(Version::V23),
        Protocol::Oicp20 => Some(Version::V20),
        Protocol::Ocpi(_) | Protocol::Ochp14 | Protocol::OchpDirect => None,
    }
}

pub(super) const fn tongue(version: Version) -> &'static str {
    match version {
        Version::V23 => "oicp/2.3",
        Version::V20 => "oicp/2.0",
    }
}

impl Broker {
    /// Makes the broker and attaches it to the crossing: from then on the hub reaches its partners of OICP.
    pub fn new(setup: Setup) -> Self {
        let inside = Inside { setup, pulls: Pulls::default(), wires: Wires::default(), reading: Mutex::default() };
        let broker = Self(Arc::new(inside));
        for protocol in [Protocol::Oicp23, Protocol::Oicp20] {
            broker.0.setup.crossing.attach(protocol, Arc::new(broker.clone()));
        }
        broker
    }

    /// What stands for a contract in the table of sessions.
    pub(super) fn tag(&self, contract: &Personal<ContractId>) -> Option<Vec<u8>> {
        let name = TokenUid::new(contract.reveal(Purpose::Route).compact()).ok()?;
        Some(self.0.setup.tags.tag(TokenKind::Emaid, &Personal::new(name)).as_bytes().to_vec())
    }

    async fn answer(&self, partner: &Partner, received: Received) -> Response {
        let (version, operation) = (received.version, received.request.operation);
        let outgoing = match self.handle(partner.party, &received).await {
            Ok(outgoing) => outgoing,
            Err(Stop::Denial(denial)) => Outgoing::Reply(entrance::denied(&received, &denial)),
            Err(Stop::Code(code)) => {
                Outgoing::Reply(Reply::Refusal(answer::acknowledgement(code, None, None, &received.request.body)))
            }
        };
        match outgoing {
            Outgoing::Reply(reply) => entrance::respond(version, operation, &reply, StatusCode::OK),
            Outgoing::Native(bytes) => entrance::raw(version, bytes, StatusCode::OK),
        }
    }

    async fn handle(&self, from: PartyId, received: &Received) -> Result<Outgoing, Stop> {
        match received.request.operation {
            Operation::AuthorizeStart | Operation::AuthorizeStop | Operation::MobileAuthorizeStart => {
                self.authorise(from, received).await
            }
            Operation::RemoteStart | Operation::ReservationStart => self.begin(from, received).await,
            Operation::RemoteStop | Operation::ReservationStop => self.end(from, received).await,
            Operation::ChargeDetailRecord
            | Operation::NotificationStart
            | Operation::NotificationProgress
            | Operation::NotificationEnd
            | Operation::NotificationError => self.record(from, received).await,
            Operation::PushEvseData
            | Operation::PushEvseStatus
            | Operation::PushAuthenticationData
            | Operation::PushPricingProducts
            | Operation::PushEvsePricing => self.publish(from, received).await,
            Operation::PullEvseData
            | Operation::PullEvseStatus
            | Operation::PullEvseStatusById
            | Operation::PullEvseStatusByOperator
            | Operation::PullEvsePricing
            | Operation::PullPricingProducts
            | Operation::GetEvseById => self.published(from, received).await,
            // a list of everybody's tokens is what a hub must not hand out
            Operation::PullAuthenticationData => Ok(Outgoing::Reply(answer::tokens(&[], &mut Lost::new()))),
            Operation::GetChargeDetailRecords => Ok(Outgoing::Reply(self.fetched(from, received).await?)),
            Operation::SearchEvse | Operation::MobileRemoteStart | Operation::MobileRemoteStop => {
                Err(Denial::NotSupported.into())
            }
        }
    }

    pub(super) fn beside<'a>(&'a self, places: &'a Index, rates: &'a dyn Rates, payer: Option<PartyId>) -> Beside<'a> {
        let setup = &self.0.setup;
        Beside { now: setup.clock.now(), places, rates, currency: setup.currency, payer, hotline: &setup.hotline }
    }

    /// Who knows a card lets it charge, and the broker names the session that begins.
    async fn authorise(&self, from: PartyId, received: &Received) -> Result<Outgoing, Stop> {
        let body = &received.request.body;
        let read = self.heard(from, received, Names::default()).await?;
        let heard = &read.value;
        // a number that only the contract's provider can check: nothing of a hub's may say that it is right
        if heard.pin && !self.passes_pins(heard.to, received.version).await {
            return Err(Denial::UnknownToken.into());
        }
        let (session, to) = match (received.request.operation, body.text("SessionID")) {
            (Operation::AuthorizeStop, Some(id)) => (id.to_owned(), Some(self.session(id, from).await?.provider)),
            (_, Some(_)) => return Err(Stop::Code(Code::SESSION_INVALID)),
            (_, None) => (self.0.setup.dice.uuid(), heard.to),
        };
        let told = match self.carry(from, to, &session, heard, received, Some(&session)).await {
            // the contract's prefix names nobody here: its owner may be known by the contract itself
            Err(Denial::UnknownReceiver) if to.is_some() && !heard.pin => {
                self.carry(from, None, &session, heard, received, Some(&session)).await
            }
            told => told,
        };
        let told = match told {
            Err(Denial::UnknownReceiver) => return Err(Denial::UnknownToken.into()),
            told => told?,
        };
        self.tell_heard(from, told.by, &read, received.version);
        let Answer::May(mut verdict) = told.answer else { return Err(Denial::Internal.into()) };
        verdict.party = verdict.party.or(told.by);
        if let (Allowed::Yes, Some(provider), Operation::AuthorizeStart) =
            (verdict.allowed, verdict.party, received.request.operation)
        {
            let reference = verdict.reference.as_ref().map(|reference| reference.as_str().to_owned());
            let reference = reference.filter(|reference| *reference != session);
            let evse = body.text("EvseID").map(str::to_owned);
            let contract = verdict.contract.as_ref().and_then(|contract| self.tag(contract));
            let known = Known { evse, reference, contract, ..Known::of(from, provider) };
            self.0.setup.sessions.put(&session, known, self.0.setup.clock.now()).await?;
        }
        if let Some(native) = native_answer(told.native, received.version, &session) {
            return Ok(Outgoing::Native(native));
        }
        let mut lost = Lost::new();
        let reply = answer::authorisation(&received.request, &verdict, Some(&session), &mut lost);
        self.tell_lost(told.by.unwrap_or(from), from, heard, &lost);
        Ok(Outgoing::Reply(reply))
    }

    /// Whether a party gets the document as it came: then nothing of it is lost.
    fn verbatim(&self, to: Option<PartyId>, version: Version) -> bool {
        to.and_then(|to| self.0.setup.partners.protocol(to)).and_then(version_of) == Some(version)
    }

    /// Whether a PIN goes on to the contract's provider, in the document that it came in.
    async fn passes_pins(&self, provider: Option<PartyId>, version: Version) -> bool {
        let Some(provider) = provider else { return false };
        let spoken = self.0.setup.partners.protocol(provider).and_then(version_of);
        spoken == Some(version) && !self.0.setup.crossing.exchange.thrift(provider).await.on(Measure::NoPins)
    }

    /// A start or a reservation: the session begins with its order.
    async fn begin(&self, from: PartyId, received: &Received) -> Result<Outgoing, Stop> {
        let body = &received.request.body;
        if body.get("SessionID").is_some() {
            return Err(Stop::Code(Code::SESSION_INVALID));
        }
        let session = self.0.setup.dice.uuid();
        let names = Names { broker: Some(&session), operator: None };
        let read = self.heard(from, received, names).await?;
        self.tell_heard(from, read.value.to, &read, received.version);
        let heard = read.value;
        let operator = heard.to.ok_or(Denial::UnknownLocation)?;
        let text = |name| body.text(name).map(str::to_owned);
        let (evse, reference) = (text("EvseID"), text("EMPPartnerSessionID"));
        let contract = match heard.questions.first() {
            Some(Question::Start(start)) => self.tag(&start.token.contract),
            _reservation => None,
        };
        let known = Known { evse, reference, contract, ..Known::of(operator, from) };
        self.0.setup.sessions.put(&session, known, self.0.setup.clock.now()).await?;
        let told = self.carry(from, heard.to, &session, &heard, received, Some(&session)).await?;
        if let Some(own) = told.session.as_ref().map(|begun| begun.id.as_str()).filter(|own| *own != session) {
            self.0.setup.sessions.named(&session, own).await?;
        }
        Ok(ordered(received, told, &session))
    }

    async fn end(&self, from: PartyId, received: &Received) -> Result<Outgoing, Stop> {
        let id = received.request.body.text("SessionID").unwrap_or_default().to_owned();
        let known = self.session(&id, from).await?;
        let names = Names { broker: Some(&id), operator: known.own.as_deref() };
        let read = self.heard(from, received, names).await?;
        self.tell_heard(from, Some(known.operator), &read, received.version);
        let heard = read.value;
        let told = self.carry(from, Some(known.operator), &id, &heard, received, None).await?;
        Ok(ordered(received, told, &id))
    }

    /// A notification or the CDR of a session: told to its provider.
    async fn record(&self, from: PartyId, received: &Received) -> Result<Outgoing, Stop> {
        let body = &received.request.body;
        let id = body.text("SessionID").unwrap_or_default().to_owned();
        let known = self.session(&id, from).await?;
        let places = self.around(from, &received.request).await?;
        let rates = self.rates(from, &known, received, &places).await;
        let received = &referred(received, known.reference.as_deref())?;
        let beside = self.beside(&places, &rates, Some(known.provider));
        let cdr = received.request.operation == Operation::ChargeDetailRecord;
        let heard = hear::questions(&received.request, Names { broker: Some(&id), operator: None }, &beside);
        let errand = told_of(received.request.operation, from);
        if cdr && matches!(heard, Err(Denial::NotSupported)) {
            let why = ["/PartnerProductID is no product whose price is known, and no price is not free".into()];
            self.0.setup.crossing.lost(from, known.provider, &errand, &why);
        }
        let heard = self.0.setup.crossing.relay.way().told_if_refused(from, known.provider, &errand, heard)?;
        if !self.verbatim(Some(known.provider), received.version) {
            let lost: Lost = received.lost.iter().chain(&heard.lost).cloned().collect();
            self.0.setup.crossing.lost(from, known.provider, &errand, &texts(&lost));
        }
        let heard = heard.value;
        for question in &heard.questions {
            let owner = match question {
                Question::PutSession(session) => session.party,
                Question::PostCdr(cdr) => cdr.party,
                _other => from,
            };
            if owner != from {
                return Err(Stop::Code(Code::FOREIGN_EVSE));
            }
        }
        if heard.questions.is_empty() {
            return Ok(Outgoing::Reply(answer::noted(&received.request)));
        }
        if cdr && !self.0.setup.sessions.close(&id).await? {
            return Err(Stop::Code(Code::SESSION_INVALID));
        }
        match self.carry(from, Some(known.provider), &id, &heard, received, None).await {
            Ok(told) => Ok(native_or_noted(received, told, &id)),
            Err(denial) => {
                if cdr {
                    self.0.setup.sessions.reopen(&id).await?;
                }
                Err(denial.into())
            }
        }
    }

    /// What the provider of a session is to be told of its price.
    async fn rates(&self, from: PartyId, known: &Known, received: &Received, places: &Index) -> Agreed<'_> {
        let partner = self.0.setup.partners.protocol(known.provider);
        let unpriced = partner.is_some_and(|protocol| version_of(protocol).is_some());
        let body = &received.request.body;
        let id = body.text("EvseID").and_then(|id| id.parse().ok());
        let place = id.and_then(|id| places.by_id(&id));
        let offered = || {
            let place = place.as_ref()?;
            let mut tariffs = place.evse()?.connectors.iter().flat_map(|connector| connector.tariffs.clone());
            // several would be a choice, and a choice a guess
            let first = tariffs.next()?;
            tariffs.all(|other| other == first).then_some(first)
        };
        let product = body.text("PartnerProductID").and_then(tariff::tariff_id).or_else(offered);
        let tariff = match product {
            Some(id) if !unpriced => self.tariff(from, id).await,
            Some(_) | None => None,
        };
        let time_zone = place.map_or_else(String::new, |place| place.location.time_zone.clone());
        Agreed { pricing: &*self.0.setup.pricing, tariff, time_zone, unpriced }
    }

    async fn tariff(&self, owner: PartyId, id: TariffId) -> Option<Tariff> {
        let question = Question::Fetch(Wanted::Tariff { owner, id });
        match self.ask_hub(owner, question).await {
            Ok(Answer::Found(found)) => match *found {
                Found::Tariff(tariff) => Some(tariff),
                _other => None,
            },
            Ok(_) | Err(_) => None,
        }
    }

    /// Public objects, and the tags of tokens: each record is a letter of its own.
    async fn publish(&self, from: PartyId, received: &Received) -> Result<Outgoing, Stop> {
        let places = self.around(from, &received.request).await?;
        let read = self.heard_at(received, Names::default(), &places)?;
        self.tell_heard(from, None, &read, received.version);
        let heard = read.value;
        for question in &heard.questions {
            match question {
                Question::PutLocation(location) => {
                    let ids = location.evses.iter().filter_map(|evse| evse.id.as_ref());
                    if ids.into_iter().any(|id| form::evse_operator(id).is_some_and(|owner| owner != from)) {
                        return Err(Stop::Code(Code::FOREIGN_EVSE));
                    }
                }
                Question::PatchEvse { location, .. } if places.location(from, location).is_none() => {
                    return Err(Stop::Code(Code::FOREIGN_EVSE));
                }
                _other => {}
            }
        }
        for question in heard.questions {
            let letter = self.letter(from, None, &self.0.setup.dice.uuid(), question)?;
            self.0.setup.crossing.carry(letter, None).await?;
        }
        Ok(Outgoing::Reply(answer::noted(&received.request)))
    }

    async fn published(&self, from: PartyId, received: &Received) -> Result<Outgoing, Stop> {
        let request = &received.request;
        let mut lost = Lost::new();
        let reply = match request.operation {
            Operation::PullEvseData => self.data(from, request, received.part).await?,
            Operation::PullEvsePricing => self.offers().await?,
            Operation::PullPricingProducts => answer::products(&self.tariffs().await?, &mut lost),
            Operation::GetEvseById => {
                let id = request.body.text("EvseId").unwrap_or_default();
                let place = self.place(from, id).await?.ok_or(Denial::UnknownLocation)?;
                answer::evse(&place, &self.beside(&Index::default(), &Unrated, None), &mut lost)?
            }
            _status => self.statuses(from, request).await?,
        };
        let errand = Errand::Passing(Passing::Fetch);
        self.0.setup.crossing.lost(self.0.setup.crossing.party(), from, &errand, &texts(&lost));
        Ok(Outgoing::Reply(reply))
    }

    /// What places of operators lost on their way to a provider that pulls them.
    pub(super) fn lost_of(&self, mut theirs: Vec<(PartyId, oicp::Fault)>, to: PartyId) {
        theirs.sort_by_key(|(owner, _)| *owner);
        for of_one in theirs.chunk_by(|one, other| one.0 == other.0) {
            let Some((owner, _)) = of_one.first() else { continue };
            let lost: Vec<Box<str>> = of_one.iter().map(|(_, fault)| fault.to_string().into()).collect();
            self.0.setup.crossing.lost(*owner, to, &Errand::Passing(Passing::Fetch), &lost);
        }
    }

    /// Of every operator: only those that are products are told, so the answer is what bounds them.
    async fn tariffs(&self) -> Result<Vec<Tariff>, Denial> {
        let (mut all, mut after) = (Vec::new(), None);
        while let Some((tariffs, last)) = self.0.setup.crossing.tariffs_after(after).await? {
            all.extend(tariffs);
            after = Some(last);
        }
        Ok(all)
    }

    async fn ask_hub(&self, asker: PartyId, question: Question) -> Result<Answer, Denial> {
        let letter = self.letter(asker, None, &self.0.setup.dice.uuid(), question)?;
        self.0.setup.crossing.carry(letter, None).await.map(|told| told.answer)
    }

    /// Another party's session is not known to whoever asks.
    async fn session(&self, id: &str, party: PartyId) -> Result<Known, Stop> {
        let known = self.0.setup.sessions.find(id).await?;
        let known = known.filter(|known| known.operator == party || known.provider == party);
        known.ok_or(Stop::Code(Code::SESSION_INVALID))
    }

    /// A request in the words of the road, with the places that it is about.
    async fn heard(&self, from: PartyId, received: &Received, names: Names<'_>) -> Result<Crossed<Heard>, Denial> {
        let places = self.around(from, &received.request).await?;
        self.heard_at(received, names, &places)
    }

    fn heard_at(&self, received: &Received, names: Names<'_>, places: &Index) -> Result<Crossed<Heard>, Denial> {
        let heard = hear::questions(&received.request, names, &self.beside(places, &Unrated, None))?;
        let lost = received.lost.iter().cloned().chain(heard.lost).collect();
        Ok(Crossed { value: heard.value, lost })
    }

    /// What of a request does not come along to whom it went to; all of it does in the same version.
    fn tell_heard(&self, from: PartyId, to: Option<PartyId>, heard: &Crossed<Heard>, version: Version) {
        if !self.verbatim(to, version) {
            let to = to.unwrap_or_else(|| self.0.setup.crossing.party());
            self.tell_lost(from, to, &heard.value, &heard.lost);
        }
    }

    fn letter(&self, from: PartyId, to: Option<PartyId>, session: &str, question: Question) -> Result<Letter, Denial> {
        let correlation = CorrelationId::new(session).map_err(|_| Denial::UnknownObject)?;
        Ok(Letter { from, to, correlation, question })
    }

    /// Carries the one question of a request, with the document it came as. `named`: the session that the document is
    /// to have, where the broker has just made it.
    async fn carry(
        &self,
        from: PartyId,
        to: Option<PartyId>,
        session: &str,
        heard: &Heard,
        received: &Received,
        named: Option<&str>,
    ) -> Result<Told, Denial> {
        let question = heard.questions.first().cloned().ok_or(Denial::Internal)?;
        let version = received.version;
        let bytes = match named {
            Some(id) => with_session(version, &received.bytes, id)?.into(),
            None => received.bytes.clone(),
        };
        let kind = version.row(received.request.operation).map_or("", |row| row.request.name);
        let native = Native { tongue: tongue(version), kind, bytes };
        self.0.setup.crossing.carry(self.letter(from, to, session, question)?, Some(native)).await
    }

    fn tell_lost(&self, from: PartyId, to: PartyId, heard: &Heard, lost: &Lost) {
        if let (Some(errand), false) = (heard.questions.first().map(errand), lost.is_empty()) {
            self.0.setup.crossing.lost(from, to, &errand, &texts(lost));
        }
    }
}

/// The kind of a letter, for the table of losses.
pub(super) fn errand(question: &Question) -> Errand {
    match question {
        Question::MayCharge { token } => Errand::MayCharge { token: token.clone() },
        Question::Start(_) => Errand::Order(OrderKind::Start),
        Question::Stop { .. } => Errand::Order(OrderKind::Stop),
        Question::Reservation(_) => Errand::Order(OrderKind::Reserve),
        Question::PutSession(session) => Errand::Session { owner: session.party },
        Question::PostCdr(_) => Errand::Cdr,
        Question::PutLocation(location) => {
            Errand::Location { owner: location.party, id: location.id.clone(), evse: None }
        }
        Question::PutTariff(tariff) => Errand::Tariff { owner: tariff.party, id: tariff.id.clone(), dropped: false },
        _other => Errand::Passing(Passing::Fetch),
    }
}

/// A CDR, else a notification of a session.
const fn told_of(operation: Operation, owner: PartyId) -> Errand {
    match operation {
        Operation::ChargeDetailRecord => Errand::Cdr,
        _notification => Errand::Session { owner },
    }
}

pub(super) fn texts(lost: &Lost) -> Vec<Box<str>> {
    lost.iter().map(|fault| fault.to_string().into()).collect()
}

/// The answer of a partner of the same version, under the session that the broker named.
fn native_answer(native: Option<Native>, version: Version, session: &str) -> Option<Bytes> {
    let native = native.filter(|native| native.tongue == tongue(version))?;
    with_session(version, &native.bytes, session).ok().map(Bytes::from)
}

fn ordered(received: &Received, told: Told, session: &str) -> Outgoing {
    if let Some(native) = native_answer(told.native, received.version, session) {
        return Outgoing::Native(native);
    }
    let ack = match told.answer {
        Answer::Order { ack, .. } => ack,
        _other => OrderAck::Rejected,
    };
    // an order that was taken and of which nothing was heard in time has failed for whoever waits
    let outcome = told.outcome.unwrap_or(OrderResult::TimedOut);
    Outgoing::Reply(answer::order(&received.request, ack, Some(outcome), Some(session)))
}

/// A record of a session as its provider knows it: under its own reference, which an operator need not hand along.
fn referred(received: &Received, reference: Option<&str>) -> Result<Received, Denial> {
    const REFERENCE: &str = "EMPPartnerSessionID";
    let (mut request, mut bytes) = (received.request.clone(), received.bytes.clone());
    if let (None, Some(reference)) = (request.body.get(REFERENCE), reference) {
        request.body = request.body.with(REFERENCE, reference);
        if received.version == Version::V23 {
            bytes = with_member(&bytes, REFERENCE, reference)?.into();
        }
    }
    Ok(Received {
        version: received.version,
        request,
        caller: received.caller,
        lost: received.lost.clone(),
        bytes,
        part: received.part,
    })
}

fn native_or_noted(received: &Received, told: Told, session: &str) -> Outgoing {
    match native_answer(told.native, received.version, session) {
        Some(native) => Outgoing::Native(native),
        None => Outgoing::Reply(answer::noted(&received.request)),
    }
}
