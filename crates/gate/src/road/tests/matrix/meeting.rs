//! The place: a hub with all its doors, an operator `DE-OPA` and a provider `DE-8AA`, each of one protocol.

use ::ochp::message::{Request as Ask, Response as Said, Tokens};
use ::ochp::scalar::{Contract, DateTime};
use ::ochp::types::result::ResultCode;
use ::ochp::types::token::RoamingAuthorisation;
use ::oicp::message::{self, Reply, Request as Message};
use ::oicp::operation::Row;
use ::oicp::{Caller, Operation, Record, form};
use charge::talk::road::{OrderResult, RoadFault};
use http::StatusCode;

use super::super::clearing::emt;
use super::super::clearing::square::{self, Market, Server};
use super::super::oicp::{self as brokers, Brokerage, Side};
use super::super::versions::fresh;
use super::super::*;
use super::Tongue;
use crate::road::Quirks;

pub(super) const OPERATOR: &str = "DE-OPA";
pub(super) const PROVIDER: &str = "DE-8AA";
/// What the provider's desks, servers and lists answer with.
pub(super) const CONTRACT: &str = "DE-8AA-CONETIME1-X";
/// Nobody's.
pub(super) const STRANGE: &str = "04FFFFFFFFFF80";

/// One party with what it needs to speak and to be spoken to.
pub(super) enum End {
    Ocpi(Box<House>, Version),
    Oicp(Side),
    Ochp(Server),
}

pub(super) struct Meeting {
    /// Of which protocols, for messages of tests.
    pub name: String,
    pub hub: House,
    pub market: Arc<Market>,
    pub operator: End,
    pub provider: End,
    brokerage: Brokerage,
    pub tls: Arc<rustls::ClientConfig>,
}

impl Meeting {
    /// `from`: what the operator speaks; `to`: what the provider speaks.
    pub async fn new(from: Tongue, to: Tongue) -> Self {
        let (server, tls) = trusting();
        let market = Arc::new(Market::default());
        market.tokens.lock().unwrap().insert(OWNED.to_owned(), party(PROVIDER));
        let hub = square::hub(&server, &tls, Arc::clone(&market)).await;
        let (now, day) = (SystemClock.now(), Duration::from_secs(86_400));
        let authority = Authority::create("meeting", day, now, &SystemDice).unwrap();
        let brokerage = brokers::brokerage(&hub, &authority).await;
        let operator = end(OPERATOR, Role::Operator, from, &hub, &authority, (&server, &tls)).await;
        let provider = end(PROVIDER, Role::Provider, to, &hub, &authority, (&server, &tls)).await;
        let name = format!("an operator of {from:?}, a provider of {to:?}");
        let meeting = Self { name, hub, market, operator, provider, brokerage, tls };
        if let Tongue::Ochp = to {
            let entry = RoamingAuthorisation {
                token: emt(OWNED),
                contract: Personal::new(Contract::new(CONTRACT).unwrap()),
                printed: None,
                expires: DateTime::new(now.plus(day)),
            };
            let Said::SetTokens(taken) = meeting.ochp(PROVIDER, Ask::SetTokens(Tokens { tokens: vec![entry] })).await
            else {
                panic!("a list")
            };
            assert_eq!(taken.result.code, ResultCode::Ok, "{}", meeting.name);
        }
        meeting
    }

    /// A letter of a party of OCPI in its version. 2.1.1 names no receiver.
    pub async fn ocpi(
        &self,
        house: &House,
        version: Version,
        to: Option<&str>,
        question: Question,
    ) -> Result<Answer, RoadFault> {
        let quirks = Quirks { version: Some(version), local: true, ..Quirks::default() };
        let hub = Arc::new(fresh(&self.hub, house.party, &self.tls).with_quirks(quirks).unwrap());
        let client = Client::new(only(hub), self.hub.party, house.base.clone(), Arc::clone(&house.figures))
            .beside(house.desk.clone());
        let to = to.filter(|_| version.has_routing()).map(party);
        let correlation = CorrelationId::new("matrix-1").unwrap();
        client.ask(Letter { from: house.party, to, correlation, question }).await
    }

    /// The answer to a partner of OICP, or the refusal in its place.
    pub async fn oicp(&self, side: &Side, operation: Operation, json: &str) -> Record {
        let row = side.version.row(operation).unwrap();
        let asked = Message { operation, body: brokers::record(json) };
        let body = message::write_request(side.version, &asked).unwrap().value;
        let id = match row.caller {
            Caller::Operator => form::operator_id(side.party),
            Caller::Provider => form::provider_id(side.party),
        };
        let (http, text) = self.posted(side, row, &id, body).await;
        assert_eq!(http, 200, "{}: {text}", self.name);
        match message::read_answer(side.version, operation, text.as_bytes()).unwrap().value {
            Reply::Proper(record) | Reply::Refusal(record) => record,
        }
    }

    pub async fn posted(&self, side: &Side, row: &Row, id: &str, body: String) -> (u16, String) {
        brokers::posted(&self.brokerage.base, side, row, id, body).await
    }

    /// Towards the clearing house.
    pub async fn ochp(&self, user: &str, ask: Ask) -> Said {
        square::said(&self.hub.base, &self.tls, (user, "secret"), ask).await
    }

    /// Directly.
    pub async fn direct(&self, user: &str, ask: Ask) -> Said {
        let said = square::ordered(&self.hub.base, &self.tls, (user, "secret"), ask).await;
        said.unwrap_or_else(|status: StatusCode| panic!("{}: {status}", self.name))
    }

    /// What a party of the meeting reads of its letters' losses, with what proves it.
    pub async fn losses(&self, of: &End) -> Vec<(PartyId, PartyId, String, i64)> {
        let http = reqwest::Client::builder().tls_backend_preconfigured((*self.tls).clone()).build().unwrap();
        let own = |id| http.get(format!("{}/losses", self.hub.base)).basic_auth(id, Some("secret"));
        let response = match of {
            End::Ocpi(house, _) => {
                let mine = ocpi::credentials::authorization(&secret(house.party, self.hub.party), false);
                http.get(format!("{}/losses", self.hub.base)).header("authorization", mine.expose()).send().await
            }
            End::Oicp(side) => side.read(&format!("{}/losses", self.brokerage.base)).await,
            End::Ochp(_) if std::ptr::eq(of, &self.operator) => own(OPERATOR).send().await,
            End::Ochp(_) => own(PROVIDER).send().await,
        };
        let bytes = response.unwrap().bytes().await.unwrap();
        assert_eq!(ocpi::status::code_of(&bytes), Some(1000), "{}", self.name);
        let whole: Value = serde_json::from_slice(&bytes).unwrap();
        let line = |line: &Value| {
            let text = |name: &str| line[name].as_str().unwrap().to_owned();
            (party(&text("from")), party(&text("to")), text("what"), line["count"].as_i64().unwrap())
        };
        whole["data"].as_array().unwrap().iter().map(line).collect()
    }

    pub async fn until(&self, what: &str, reached: impl Fn() -> bool) {
        let reached = async {
            while !reached() {
                tokio::task::yield_now().await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(20), reached).await;
        in_time.unwrap_or_else(|_| panic!("{}: {what} was awaited", self.name));
    }

    /// The broker knows the place.
    pub async fn indexed(&self) -> bool {
        self.brokerage.broker.knows(super::EVSE).await.unwrap()
    }

    /// An order together with what its operator says of it: a station's answer in OCPI, nothing where the answer to the
    /// order says it all.
    pub async fn confirmed<T>(&self, order: impl Future<Output = T>) -> T {
        let before = self.orders();
        let confirm = async {
            let End::Ocpi(house, version) = &self.operator else { return };
            self.until("an order", || self.orders() > before).await;
            let return_to = house.desk.questions().iter().rev().find_map(return_address).unwrap();
            let result = OrderResult::Accepted;
            let outcome = Question::Outcome { order: None, return_to: Some(return_to), result, message: None };
            assert_eq!(self.ocpi(house, *version, None, outcome).await, Ok(Answer::Noted), "{}", self.name);
        };
        tokio::join!(order, confirm).0
    }

    fn orders(&self) -> usize {
        let End::Ocpi(house, _) = &self.operator else { return 0 };
        house.desk.questions().iter().filter_map(return_address).count()
    }
}

fn return_address(question: &Question) -> Option<ReturnAddress> {
    match question {
        Question::Start(order) => order.return_to.clone(),
        Question::Stop { return_to, .. } => return_to.clone(),
        Question::Reservation(order) => order.return_to.clone(),
        _other => None,
    }
}

async fn end(
    id: &str,
    role: Role,
    tongue: Tongue,
    hub: &House,
    authority: &Authority,
    (server, tls): (&Arc<rustls::ServerConfig>, &Arc<rustls::ClientConfig>),
) -> End {
    let partners = &hub.inside.as_ref().unwrap().1;
    match tongue {
        Tongue::Ocpi(version) => {
            let house = build(id, role, Desk::default(), None, server).await;
            let quirks = Quirks { version: Some(version), local: true, ..Quirks::default() };
            hub.peers.admit(BearerDigest::of(secret(house.party, hub.party).expose()), PeerAccess::party(house.party));
            hub.peers.know(Arc::new(fresh(&house, hub.party, tls).with_quirks(quirks).unwrap()));
            house.peers.admit(BearerDigest::of(secret(hub.party, house.party).expose()), PeerAccess::hub(hub.party));
            house.peers.know(way(hub, house.party, tls, Duration::from_secs(20)));
            End::Ocpi(Box::new(house), version)
        }
        Tongue::Oicp(version) => End::Oicp(brokers::enrolled(id, role, version, partners, authority).await),
        Tongue::Ochp => {
            let server = Server::new(server).await;
            partners.put(square::partner(id, role, &server)).await.unwrap();
            End::Ochp(server)
        }
    }
}
