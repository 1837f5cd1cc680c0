//! An operator and a provider of ours at a broker of somebody else: rooms that speak words, OICP between them.

use charge::talk::road::{OrderResult, StartOrder};
use charge::token::IssuedToken;

use super::*;
use crate::road::oicp::{BrokerRoad, Member, member_router};

/// A room that says yes.
#[derive(Default)]
struct Room(Mutex<Vec<Question>>);

impl Room {
    fn heard(&self) -> Vec<Question> {
        self.0.lock().unwrap().clone()
    }
}

impl RoadDesk for Room {
    fn hear(&self, letter: Letter) -> Soon<'_, Result<Answer, Denial>> {
        self.0.lock().unwrap().push(letter.question.clone());
        Box::pin(async move {
            Ok(match letter.question {
                Question::MayCharge { .. } => Answer::May(Verdict {
                    contract: Some(Personal::new(ContractId::new(EVCO).unwrap())),
                    party: Some(party("DE-EMP")),
                    reference: Some("ROOM-7".parse().unwrap()),
                    ..Verdict::bare(Allowed::Yes)
                }),
                Question::Start(_) | Question::Stop { .. } => {
                    Answer::Order { ack: OrderAck::Accepted { outcome_within_s: 20 }, message: None }
                }
                Question::PostCdr(cdr) => Answer::Kept(cdr.id),
                _notice => Answer::Noted,
            })
        })
    }
}

struct House {
    party: PartyId,
    road: BrokerRoad,
    room: Arc<Room>,
    _stop: oneshot::Sender<()>,
}

impl House {
    async fn ask(&self, question: Question) -> Result<Answer, charge::talk::road::RoadFault> {
        let correlation = CorrelationId::new("house").unwrap();
        self.road.ask(Letter { from: self.party, to: None, correlation, question }).await
    }
}

async fn house(beyond: &Beyond, id: &str, role: Role, version: Oicp) -> House {
    let (now, day) = (SystemClock.now(), Duration::from_secs(86_400));
    let authority = &beyond.authority;
    let identity = authority.party_certificate(party(id), day, now, &SystemDice).unwrap();
    let serving = authority.server_certificate(&["127.0.0.1".to_owned()], day, now, &SystemDice).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let entry = |party, addresses, certificate| Partner {
        party,
        name: id.to_owned(),
        roles: vec![role],
        protocol: if version == Oicp::V23 { Protocol::Oicp23 } else { Protocol::Oicp20 },
        addresses: vec![("".into(), addresses)],
        login: None,
        entry: None,
        certificate: Some(certificate),
        roots_pem: None,
        local: true,
    };
    let (_, partners) = beyond.world.hub.inside.as_ref().unwrap();
    partners.put(entry(party(id), address, fingerprint(&identity))).await.unwrap();
    let road = BrokerRoad::new(Member {
        own: party(id),
        version,
        broker: Arc::new(entry(party("DE-HUB"), beyond.base.clone(), beyond.own)),
        tls: Arc::new(tls::client(authority.certificate_pem(), Some(&identity), &["http/1.1"]).unwrap()),
        pricing: Arc::new(PerKwh),
        clock: Arc::new(SystemClock),
        hotline: "+49431123456".to_owned(),
        currency: charge::money::Currency::EUR,
        agreed: Vec::new(),
    })
    .unwrap();
    let room = Arc::new(Room::default());
    road.attach(room.clone());
    let tls = tls::server(&serving, required(authority.certificate_pem()), &["http/1.1"]).unwrap();
    let (stop, stopped) = oneshot::channel();
    serve(listener, Arc::new(tls), member_router(&road, role, room.clone()), async {
        let _ = stopped.await;
    })
    .unwrap();
    House { party: party(id), road, room, _stop: stop }
}

/// A day of two members: place, tap, start from afar with its outcome, session, CDR.
async fn a_day(version: Oicp) {
    let beyond = Beyond::new(version, version).await;
    let operator = house(&beyond, "DE-ICE", Role::Operator, version).await;
    let provider = house(&beyond, "DE-EMP", Role::Provider, version).await;

    let mut location = samples::location();
    location.party = operator.party;
    location.evses[0].id = Some(EVSE.parse().unwrap());
    location.evses[0].connectors[0].tariffs.clear();
    assert_eq!(operator.ask(Question::PutLocation(Box::new(location.clone()))).await, Ok(Answer::Noted));
    let Ok(Answer::Locations(page)) = provider.ask(Question::Locations(PageWish::default())).await else { panic!() };
    let [found] = &page.items[..] else { panic!("{:?}", page.complaints) };
    assert_eq!((found.city.as_str(), found.party), ("Münster", operator.party));

    let Ok(Answer::May(verdict)) = operator.ask(Question::MayCharge { token: token(FOREIGN) }).await else { panic!() };
    assert_eq!((verdict.allowed, verdict.party), (Allowed::Yes, Some(provider.party)));
    assert_eq!(provider.room.heard(), [Question::MayCharge { token: token(FOREIGN) }]);
    let session = verdict.reference.unwrap();

    let start = Question::Start(StartOrder {
        order: "start-1".parse().unwrap(),
        return_to: None,
        token: IssuedToken {
            party: provider.party,
            uid: Personal::new(TokenUid::new(EVCO).unwrap()),
            kind: TokenKind::AdHocUser,
            contract: Personal::new(ContractId::new(EVCO).unwrap()),
            valid: true,
            last_updated: SystemClock.now(),
        },
        location: found.id.clone(),
        evse: Some(found.evses[0].uid.clone()),
        connector: None,
        reference: Some("ROOM-8".parse().unwrap()),
    });
    assert!(matches!(provider.ask(start).await, Ok(Answer::Order { ack: OrderAck::Accepted { .. }, .. })));
    until(|| !operator.room.heard().is_empty()).await;
    let Question::Start(heard) = operator.room.heard()[0].clone() else { panic!() };
    let result = OrderResult::EvseOccupied;
    let outcome = Question::Outcome { order: None, return_to: heard.return_to, result, message: None };
    assert_eq!(operator.ask(outcome).await, Ok(Answer::Noted));
    let told = |question: &Question| matches!(question, Question::Outcome { order: Some(order), result: OrderResult::EvseOccupied, .. } if order.as_str() == "start-1");
    until(|| provider.room.heard().iter().any(told)).await;

    let product = samples::tariff(operator.party, "AC1".parse().unwrap());
    if version == Oicp::V23 {
        assert_eq!(operator.ask(Question::PutTariff(Box::new(product.clone()))).await, Ok(Answer::Noted));
        let Ok(Answer::Tariffs(page)) = provider.ask(Question::Tariffs(PageWish::default())).await else { panic!() };
        assert_eq!(page.items.first().map(|tariff| &tariff.elements), Some(&product.elements));
        let mut running = samples::session();
        (running.party, running.reference, running.location) =
            (operator.party, Some(session.clone()), location.id.clone());
        assert_eq!(operator.ask(Question::PutSession(Box::new(running))).await, Ok(Answer::Noted));
        let told = |question: &Question| matches!(question, Question::PutSession(told) if told.energy.wh() == 11_000);
        assert!(provider.room.heard().iter().any(told));
    }
    let mut cdr = samples::cdr();
    (cdr.party, cdr.reference, cdr.tariff) = (operator.party, Some(session), product);
    cdr.place.evse_id = EVSE.parse().unwrap();
    let kept = operator.ask(Question::PostCdr(Box::new(cdr.clone()))).await;
    if version == Oicp::V20 {
        // there are no products in 2.0: nobody told the provider a price, and none is made up
        assert!(kept.is_err());
        return;
    }
    assert_eq!(kept, Ok(Answer::Kept("C1".parse().unwrap())));
    let Some(Question::PostCdr(told)) = provider.room.heard().last().cloned() else { panic!() };
    assert_eq!(told.total_cost.before_vat.normalize().to_string(), "4.4");
    assert_eq!(
        told.reference.map(|reference| reference.to_string()).as_deref(),
        Some("ROOM-7"),
        "the room's own reference"
    );
}

#[tokio::test]
async fn members_of_a_broker_do_business_in_oicp23() {
    a_day(Oicp::V23).await;
}

#[tokio::test]
async fn members_of_a_broker_do_business_in_oicp20() {
    a_day(Oicp::V20).await;
}

#[tokio::test]
async fn a_member_hears_its_broker_alone_and_its_own_role() {
    let beyond = Beyond::new(Oicp::V23, Oicp::V23).await;
    let operator = house(&beyond, "DE-ICE", Role::Operator, Oicp::V23).await;
    let (_, partners) = beyond.world.hub.inside.as_ref().unwrap();
    let address = partners.find(operator.party).unwrap().address("").unwrap().to_owned();
    let row = Oicp::V23.row(Operation::RemoteStart).unwrap();
    let url = format!("{address}{}", operation::path(row, "DE-EMP"));
    let response = beyond.provider.http.post(url).body(remote(EVSE)).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 401, "a partner is not the broker");
    assert!(operator.room.heard().is_empty());
}
