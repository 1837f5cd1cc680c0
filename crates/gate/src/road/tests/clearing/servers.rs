//! Rooms of ours that know their direct partners by name alone: servers and tokens come through a foreign clearing house,
//! for one day each. The clearing house keeps what it is told and answers by a script.

use ::ochp::envelope::{self, LIMITS, MEDIA_TYPE};
use ::ochp::message::{
    CdrsGiven, ChargePointsGiven, Done, EndpointsGiven, Request as Ask, Response as Said, StatusesGiven, TariffsGiven,
};
use ::ochp::types::direct::{OperatorEndpoint, ProviderEndpoint};
use ::ochp::types::result::ResultInfo;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use charge::clock::ManualClock;
use charge::talk::road::RoadFault;

use super::rooms::{OneRoom, OneplaceDesk};
use super::*;
use crate::road::ochp::{Abroad, ClearingHouse, Member};

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// A clearing house that is not ours.
#[derive(Default)]
struct Exchange {
    operators: Mutex<Vec<OperatorEndpoint>>,
    providers: Mutex<Vec<ProviderEndpoint>>,
    uploads: Mutex<usize>,
}

async fn answer(State(exchange): State<Arc<Exchange>>, body: Bytes) -> ([(&'static str, &'static str); 1], String) {
    let opened = envelope::open(&body, &LIMITS).unwrap();
    let (operators, providers) = (&exchange.operators, &exchange.providers);
    let result = ResultInfo::ok();
    let said = match opened.request().unwrap().said {
        Ask::AddServiceEndpoints(added) => {
            *exchange.uploads.lock().unwrap() += 1;
            operators.lock().unwrap().extend(added.operators);
            providers.lock().unwrap().extend(added.providers);
            Said::AddServiceEndpoints(Done { result })
        }
        Ask::GetServiceEndpoints(_) => Said::GetServiceEndpoints(EndpointsGiven {
            result,
            operators: operators.lock().unwrap().clone(),
            providers: providers.lock().unwrap().clone(),
        }),
        Ask::GetChargePoints(_) => Said::GetChargePoints(ChargePointsGiven { result, points: points().points }),
        Ask::GetTariffUpdates(_) => Said::GetTariffUpdates(TariffsGiven { result, tariffs: vec![] }),
        Ask::GetStatus(_) => Said::GetStatus(StatusesGiven { evses: vec![], parkings: vec![], combined: vec![] }),
        Ask::GetCdrs(_) => Said::GetCdrs(CdrsGiven { result, cdrs: vec![] }),
        other => panic!("{other:?}"),
    };
    ([("content-type", MEDIA_TYPE)], envelope::write_response(&said).unwrap())
}

/// A room at the clearing house.
struct Guest {
    role: Role,
    abroad: Abroad,
    desk: Arc<OneplaceDesk>,
    base: String,
    _stop: oneshot::Sender<()>,
}

impl Guest {
    async fn new(
        (id, role): (&str, Role),
        partner: (&str, Role),
        house: &str,
        (server, tls): (&Arc<rustls::ServerConfig>, &Arc<rustls::ClientConfig>),
        clock: &Arc<ManualClock>,
    ) -> Self {
        let OneRoom { room, partners, base, desk, _stop } =
            OneRoom::at(id, role, (server, tls), Arc::clone(clock) as Arc<dyn Clock>).await;
        let known = Partner {
            party: party(partner.0),
            name: partner.0.to_owned(),
            roles: vec![partner.1],
            protocol: Protocol::OchpDirect,
            addresses: vec![],
            login: None,
            entry: None,
            certificate: None,
            roots_pem: None,
            local: true,
        };
        partners.put(known).await.unwrap();
        let member = Member {
            party: party(id),
            url: house.to_owned(),
            live_url: None,
            endpoints_url: None,
            user: id.to_owned(),
            password: Secret::new("secret".to_owned()),
            tls: Arc::clone(tls),
            local: true,
        };
        let clearing = ClearingHouse::new(member, desk.clone(), clock.clone(), Arc::new(SystemDice)).unwrap();
        let (own, hub, direct) = (party(id), party("DE-ECH"), Some(room));
        let abroad = Abroad { own, hub, clearing, direct, desk: desk.clone() };
        Self { role, abroad, desk, base, _stop }
    }

    async fn visit(&self) {
        self.abroad.visit(self.role).await.unwrap();
    }

    async fn ask(&self, to: Option<&str>, question: Question) -> Result<Answer, RoadFault> {
        let correlation = CorrelationId::new("guest-1").unwrap();
        self.abroad.ask(Letter { from: self.abroad.own, to: to.map(party), correlation, question }).await
    }

    /// The operator tells what became of its last order, of so many.
    async fn done(&self, orders: usize) {
        let starts = || {
            let heard = self.desk.0.heard().into_iter().map(|letter| letter.question);
            heard.filter_map(|q| if let Question::Start(order) = q { Some(order) } else { None }).collect::<Vec<_>>()
        };
        until(|| starts().len() == orders).await;
        let return_to = starts().pop().unwrap().return_to;
        let outcome = Question::Outcome { order: None, return_to, result: OrderResult::Accepted, message: None };
        assert_eq!(self.ask(None, outcome).await, Ok(Answer::Noted));
    }
}

fn start(name: &str) -> Question {
    let mut given = order(name);
    given.token.party = party(PROVIDER);
    given.token.contract = Personal::new(ContractId::new(CONTRACT).unwrap());
    Question::Start(given)
}

#[tokio::test]
async fn rooms_of_ours_find_each_other_through_a_foreign_clearing_house() {
    let (server, tls) = trusting();
    let exchange = Arc::new(Exchange::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let house = format!("https://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(Arc::clone(&exchange));
    let _serving = serve(listener, Arc::clone(&server), router, std::future::pending()).unwrap();
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let both = (&server, &tls);
    let operator = Guest::new((OPERATOR, Role::Operator), (PROVIDER, Role::Provider), &house, both, &clock).await;
    let provider = Guest::new((PROVIDER, Role::Provider), (OPERATOR, Role::Operator), &house, both, &clock).await;

    let lost = provider.ask(Some(OPERATOR), start("o-0")).await;
    assert!(matches!(lost, Err(RoadFault::Denied(_))), "nobody knows where it is: {lost:?}");
    operator.visit().await;
    provider.visit().await;
    operator.visit().await;
    assert_eq!(*exchange.uploads.lock().unwrap(), 2, "once a day each");

    let (said, ()) = tokio::join!(provider.ask(Some(OPERATOR), start("o-1")), operator.done(1));
    assert!(matches!(said, Ok(Answer::Order { ack: OrderAck::Accepted { .. }, .. })), "{said:?}");
    let Some(Question::Start(heard)) = operator.desk.0.heard().into_iter().map(|letter| letter.question).next_back()
    else {
        panic!("a start")
    };
    let mut session = samples::session();
    (session.party, session.reference) = (party(OPERATOR), heard.reference);
    session.evse = location().evses[0].uid.clone();
    session.token.contract = heard.token.contract;
    assert_eq!(operator.ask(Some(PROVIDER), Question::PutSession(Box::new(session))).await, Ok(Answer::Noted));
    let told = |letter: &Letter| matches!(letter.question, Question::PutSession(_));
    until(|| provider.desk.0.heard().iter().any(told)).await;

    // both told of tomorrow as well
    clock.advance(DAY);
    let (said, ()) = tokio::join!(provider.ask(Some(OPERATOR), start("o-2")), operator.done(2));
    assert!(matches!(said, Ok(Answer::Order { ack: OrderAck::Accepted { .. }, .. })), "{said:?}");
    // what was good for a day is good no more
    clock.advance(DAY);
    let late = provider.ask(Some(OPERATOR), start("o-3")).await;
    assert!(matches!(late, Err(RoadFault::Denied(_))), "{late:?}");
    let token = exchange.operators.lock().unwrap()[0].token.0.expose().as_str().to_owned();
    let sender = exchange.providers.lock().unwrap()[0].token.0.expose().as_str().to_owned();
    let ask = Ask::GetEvseStatus(EvsesWanted { evses: vec![EvseId::new("DE*OCH*E9").unwrap()] });
    let old = square::ordered(&operator.base, &tls, (&token, &sender), ask).await;
    assert_eq!(old.unwrap_err(), StatusCode::UNAUTHORIZED);

    operator.visit().await;
    provider.visit().await;
    operator.visit().await;
    assert_eq!(*exchange.uploads.lock().unwrap(), 4);
    let (said, ()) = tokio::join!(provider.ask(Some(OPERATOR), start("o-4")), operator.done(3));
    assert!(matches!(said, Ok(Answer::Order { ack: OrderAck::Accepted { .. }, .. })), "{said:?}");
}
