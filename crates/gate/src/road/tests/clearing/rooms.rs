//! Two rooms of ours that speak OCHPdirect with each other, without a hub between them.

use ::ochp::bridge::direct_id;
use trust::seal::SealKey;
use trust::token_tag::TagKey;

use super::*;
use crate::road::ochp::{DirectRoom, Keys, Room, ochp_router};

/// A desk with one place of its own.
#[derive(Default)]
pub(super) struct OneplaceDesk(pub(super) Desk);

impl RoadDesk for OneplaceDesk {
    fn hear(&self, letter: Letter) -> Soon<'_, Result<Answer, Denial>> {
        if let Question::Locations(_) = letter.question {
            let page = Page { items: vec![location()], total: 1, next: None, complaints: vec![] };
            return Box::pin(async move { Ok(Answer::Locations(page)) });
        }
        if let Question::Fetch(Wanted::Location { .. }) = letter.question {
            return Box::pin(async move { Ok(Answer::Found(Box::new(Found::Location(location())))) });
        }
        self.0.hear(letter)
    }
}

pub(super) struct OneRoom {
    pub(super) room: DirectRoom,
    pub(super) partners: Arc<Partners>,
    pub(super) base: String,
    pub(super) desk: Arc<OneplaceDesk>,
    pub(super) _stop: oneshot::Sender<()>,
}

impl OneRoom {
    async fn new(id: &str, role: Role, server: &Arc<rustls::ServerConfig>, tls: &Arc<rustls::ClientConfig>) -> Self {
        Self::at(id, role, (server, tls), Arc::new(SystemClock)).await
    }

    pub(super) async fn at(
        id: &str,
        role: Role,
        (server, tls): (&Arc<rustls::ServerConfig>, &Arc<rustls::ClientConfig>),
        clock: Arc<dyn Clock>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://{}", listener.local_addr().unwrap());
        let key = |number| Secret::new([number; 32]);
        let store = store::Store::in_memory(&[]).unwrap();
        let partners = Partners::open(store.clone(), SealKey::new(&key(7)).unwrap()).await.map(Arc::new).unwrap();
        let desk = Arc::new(OneplaceDesk::default());
        let room = Room {
            own: Own { party: party(id), role, name: id.to_owned(), base: base.clone() },
            desk: desk.clone(),
            partners: Arc::clone(&partners),
            store,
            keys: Keys {
                seal: SealKey::new(&key(1)).unwrap(),
                tags: TagKey::new(&key(2)),
                tokens: TagKey::new(&key(3)),
            },
            tls: Arc::clone(tls),
            clock,
            dice: Arc::new(SystemDice),
        };
        let room = DirectRoom::open(room).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        serve(listener, Arc::clone(server), ochp_router(room.house()), async {
            let _ = stopped.await;
        })
        .unwrap();
        Self { room, partners, base, desk, _stop: stop }
    }

    async fn meet(&self, other: &Self, id: &str, role: Role) {
        let side = if role == Role::Operator { "operator" } else { "provider" };
        let word = |from: &Self, to: &Self| format!("{}-{}", from.base, to.base).replace(':', "_");
        let partner = Partner {
            party: party(id),
            name: id.to_owned(),
            roles: vec![role],
            protocol: Protocol::OchpDirect,
            addresses: vec![(side.into(), format!("{}/ochp/direct", other.base))],
            login: Some(Login { user: "them".to_owned(), password: Secret::new(word(self, other)) }),
            entry: Some(Entry { user: "them".to_owned(), password: BearerDigest::of(&word(other, self)) }),
            certificate: None,
            roots_pem: None,
            local: true,
        };
        self.partners.put(partner).await.unwrap();
    }

    async fn ask(
        &self,
        from: &str,
        to: Option<&str>,
        question: Question,
    ) -> Result<Answer, charge::talk::road::RoadFault> {
        let correlation = CorrelationId::new("direct-1").unwrap();
        self.room.ask(Letter { from: party(from), to: to.map(party), correlation, question }).await
    }

    fn heard(&self) -> Vec<Question> {
        self.desk.0.heard().into_iter().map(|letter| letter.question).collect()
    }

    /// The operator tells what became of its last order.
    async fn done(&self, orders: usize) {
        let asked = |question: &Question| matches!(question, Question::Start(_) | Question::Stop { .. });
        until(|| self.heard().iter().filter(|question| asked(question)).count() == orders).await;
        let return_to = match self.heard().pop().unwrap() {
            Question::Start(order) => order.return_to,
            Question::Stop { return_to, .. } => return_to,
            other => panic!("{other:?}"),
        };
        let outcome = Question::Outcome { order: None, return_to, result: OrderResult::Accepted, message: None };
        assert_eq!(self.ask(OPERATOR, None, outcome).await, Ok(Answer::Noted));
    }
}

#[tokio::test]
async fn an_operator_and_a_provider_of_ours_speak_directly() {
    let (server, tls) = trusting();
    let operator = OneRoom::new(OPERATOR, Role::Operator, &server, &tls).await;
    let provider = OneRoom::new(PROVIDER, Role::Provider, &server, &tls).await;
    operator.meet(&provider, PROVIDER, Role::Provider).await;
    provider.meet(&operator, OPERATOR, Role::Operator).await;
    provider.room.know(vec![location()]);
    let taken = |said| matches!(said, Ok(Answer::Order { ack: OrderAck::Accepted { .. }, .. }));
    let outcomes = || provider.heard().into_iter().filter(|q| matches!(q, Question::Outcome { .. })).count();

    let mut given = order("o-1");
    given.token.party = party(PROVIDER);
    given.token.contract = Personal::new(ContractId::new(CONTRACT).unwrap());
    let (said, ()) = tokio::join!(provider.ask(PROVIDER, Some(OPERATOR), Question::Start(given)), operator.done(1));
    assert!(taken(said));
    until(|| outcomes() == 1).await;
    let Question::Outcome { order, result, .. } = provider.heard().pop().unwrap() else { panic!("an outcome") };
    assert_eq!((order.unwrap().as_str(), result), ("o-1", OrderResult::Accepted));
    let Question::Start(heard) = operator.heard().pop().unwrap() else { panic!("a start") };
    assert_eq!(heard.token.contract.reveal(Purpose::Transmit).as_str(), CONTRACT);

    let mut session = samples::session();
    (session.party, session.reference) = (party(OPERATOR), heard.reference.clone());
    session.evse = location().evses[0].uid.clone();
    session.token.contract = heard.token.contract;
    let put = Question::PutSession(Box::new(session.clone()));
    assert_eq!(operator.ask(OPERATOR, Some(PROVIDER), put).await, Ok(Answer::Noted));
    let Question::PutSession(told) = provider.heard().pop().unwrap() else { panic!("a session") };
    let name = direct_id(heard.reference.unwrap().as_str()).unwrap();
    assert_eq!((told.id.as_str(), told.energy), (name.as_str(), session.energy));
    assert_eq!(told.reference.unwrap().as_str(), "REF-9", "the provider's own");

    let stop = Question::Stop { order: "o-2".parse().unwrap(), return_to: None, session: told.id };
    let (said, ()) = tokio::join!(provider.ask(PROVIDER, Some(OPERATOR), stop), operator.done(2));
    assert!(taken(said));
    until(|| outcomes() == 2).await;
    let Some(Question::Stop { session: stopped, .. }) = operator.heard().pop() else { panic!("a stop") };
    assert_eq!(stopped, session.id, "by the operator's own name");
    let stranger = Question::Start(super::order("o-3"));
    let said = provider.ask(PROVIDER, Some("DE-XXX"), stranger).await;
    assert_eq!(said, Err(charge::talk::road::RoadFault::Denied(Denial::UnknownReceiver)));
}
