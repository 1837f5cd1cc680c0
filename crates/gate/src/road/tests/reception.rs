//! The front desk of a hub: invitations that become partners, and connections that are tried step by step.

use charge::talk::partner::{
    Declined, Form, Habits, NewPartner, PartnerRole, Reception, Seen, Separators, Times, Trial, suited,
};
use ocpi::credentials::PartyRole;
use store::Store;
use trust::seal::SealKey;

use super::*;
use crate::road::{Book, FrontDesk, Quirks};

/// A hub with a front desk, and what its peers are believed by.
pub(super) struct Hub {
    pub(super) desk: FrontDesk,
    pub(super) book: Arc<Book>,
    pub(super) office: Arc<Office>,
    pub(super) base: String,
    pub(super) server: Arc<rustls::ServerConfig>,
    pub(super) tls: Arc<rustls::ClientConfig>,
    _stop: oneshot::Sender<()>,
}

async fn listening(router: Router, tls: &Arc<rustls::ServerConfig>) -> (String, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel();
    serve(listener, Arc::clone(tls), router, async {
        let _ = stopped.await;
    })
    .unwrap();
    (base, stop)
}

pub(super) async fn open() -> Hub {
    let (server, tls) = trusting();
    let store = Store::in_memory(&[]).unwrap();
    let seal = || SealKey::new(&Secret::new([7; 32])).unwrap();
    let (clock, dice) = (Arc::new(SystemClock), Arc::new(SystemDice));
    let book = Book::open(store.clone(), seal(), Arc::clone(&tls), RoadLimits::default(), dice.clone()).await;
    let (book, office) = (Arc::new(book.unwrap()), Arc::new(Office::default()));
    let partners = Arc::new(Partners::open(store, seal()).await.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let own = Own { party: party("DE-HUB"), role: Role::Hub, name: "Hub".to_owned(), base: base.clone() };
    let place = own.clone();
    let desk = FrontDesk::new(place, Arc::clone(&book), Arc::clone(&partners), clock.clone(), dice.clone());
    let peers = Arc::clone(&book);
    let crossing = Crossing::new(own, office.clone(), peers, partners, clock, dice, Arc::default());
    let (stop, stopped) = oneshot::channel();
    serve(listener, Arc::clone(&server), hub_router(&crossing), async {
        let _ = stopped.await;
    })
    .unwrap();
    Hub { desk, book, office, base, server, tls, _stop: stop }
}

impl Hub {
    /// Takes up the invitation, as the newcomer's own software would.
    async fn introduce(&self, house: &House, token_a: Secret<String>) -> Credentials {
        let token_b = secret(party("DE-HUB"), house.party);
        house.peers.admit(BearerDigest::of(token_b.expose()), PeerAccess::hub(party("DE-HUB")));
        let roles = vec![PartyRole { party: house.party, role: Role::Provider, name: "New".to_owned() }];
        let offer = Credentials { token: token_b, url: ocpi::url::versions(&house.base), roles };
        let hub = Peer {
            party: party("DE-HUB"),
            name: String::new(),
            versions_url: ocpi::url::versions(&self.base),
            token_out: token_a,
            tls: Arc::clone(&self.tls),
        };
        introduce(&Neighbour::new(hub, RoadLimits::default(), Arc::new(SystemDice)).unwrap(), &offer).await
    }

    fn knows(&self, base: &str, token: &str, local: bool) -> Arc<Neighbour> {
        let peer = Peer {
            party: party("DE-8BB"),
            name: "B".to_owned(),
            versions_url: format!("{base}/ocpi/versions"),
            token_out: Secret::new(token.to_owned()),
            tls: Arc::clone(&self.tls),
        };
        let way = Neighbour::new(peer, RoadLimits::default(), Arc::new(SystemDice)).unwrap();
        Arc::new(way.with_quirks(Quirks { local, ..Quirks::default() }).unwrap())
    }
}

fn last(trial: &Trial) -> (&'static str, bool, String) {
    let step = trial.steps.last().unwrap();
    (step.what, step.held, step.found.clone())
}

#[tokio::test]
async fn an_invitation_becomes_a_partner_that_can_be_tried_accustomed_and_dismissed() {
    let hub = open().await;
    let newcomer = build("DE-NEW", Role::Provider, Desk::default(), None, &hub.server).await;
    let invited = hub.desk.invite(newcomer.party, true).await.unwrap();
    assert_eq!(invited.versions_url, ocpi::url::versions(&hub.base));
    let waiting = hub.desk.cards().await;
    assert_eq!((waiting.len(), waiting[0].invited), (1, true));
    let roles = vec![PartnerRole::Provider];
    let trial = hub.desk.examine(newcomer.party, roles.clone()).await.unwrap();
    assert_eq!((trial.steps[0].what, trial.steps[0].held), ("Introduction", false));

    let given = hub.introduce(&newcomer, invited.token).await;
    assert_eq!(*hub.office.joined.lock().unwrap(), [newcomer.party], "a party of the network at once");
    let card = hub.desk.cards().await.remove(0);
    assert_eq!((card.name.as_str(), &*card.protocol, card.invited), ("New", "ocpi/2.2.1", false));

    let trial = hub.desk.examine(newcomer.party, roles).await.unwrap();
    let steps: Vec<_> = trial.steps.iter().map(|step| (step.what, step.held)).collect();
    let expected = ["Address", "TCP", "TLS", "Versions", "Endpoints", "Credentials", "An unknown token"];
    assert_eq!(steps, expected.map(|what| (what, true)), "{trial:?}");
    assert!(trial.steps[2].found.contains("SHA-256"));
    assert_eq!(trial.suggested, None);
    let wrong = hub.desk.examine(newcomer.party, vec![PartnerRole::Operator]).await.unwrap();
    let endpoints = &wrong.steps[4];
    let missing = "missing: locations (SENDER), commands (RECEIVER)";
    assert_eq!((endpoints.held, endpoints.found.as_str()), (false, missing));

    let habits = Habits { unknown_is_ok: true, version: Some("2.2.1".into()), ..Habits::default() };
    hub.desk.accustom(newcomer.party, habits.clone()).await.unwrap();
    assert_eq!(hub.desk.cards().await[0].habits, Some(habits));
    let odd = Habits { version: Some("3.0".into()), ..Habits::default() };
    assert!(matches!(hub.desk.accustom(newcomer.party, odd).await, Err(Declined::Malformed { path: "/version", .. })));
    let ask = async |http: &reqwest::Client| {
        let url = format!("{}/ocpi/2.2.1/sender/tokens/04FFFFFFFFFF80/authorize", hub.base);
        let pass = ocpi::credentials::authorization(&given.token, false);
        let answer = http.post(url).header("authorization", pass.expose()).send().await.unwrap();
        (answer.status().as_u16(), ocpi::status::code_of(&answer.bytes().await.unwrap()))
    };
    let http = reqwest::Client::builder().tls_backend_preconfigured((*hub.tls).clone()).build().unwrap();
    assert_eq!(ask(&http).await, (200, Some(2004)), "as it wants to hear it");

    hub.desk.dismiss(newcomer.party).await.unwrap();
    assert_eq!(ask(&http).await.0, 401);
    assert!(hub.desk.cards().await.is_empty());
    assert_eq!(hub.desk.dismiss(newcomer.party).await, Err(Declined::Unknown));
    assert_eq!(hub.desk.examine(newcomer.party, vec![]).await, Err(Declined::Unknown));
}

#[tokio::test]
async fn how_a_partner_writes_is_seen_suggested_and_then_written_to_it() {
    let hub = open().await;
    let (reader, writer) = (
        build("DE-NEW", Role::Provider, Desk::default(), None, &hub.server),
        build("DE-OPB", Role::Operator, Desk::default(), None, &hub.server),
    );
    let (reader, writer) = (reader.await, writer.await);
    let invite = async |house: &House| {
        let invited = hub.desk.invite(house.party, true).await.unwrap();
        hub.introduce(house, invited.token).await.token
    };
    let (mine, theirs) = (invite(&reader).await, invite(&writer).await);
    let http = reqwest::Client::builder().tls_backend_preconfigured((*hub.tls).clone()).build().unwrap();
    let send = async |method: &str, path: String, token: &Secret<String>, body: &'static str| {
        let request = http.request(method.parse().unwrap(), format!("{}/ocpi/2.2.1/{path}", hub.base));
        let request = request.header("authorization", ocpi::credentials::authorization(token, false).expose());
        let request = request.header("ocpi-to-country-code", "DE").header("ocpi-to-party-id", "NEW");
        request.body(body).send().await.unwrap().text().await.unwrap()
    };
    const TOKEN: &str = r#"{"valid":true,"contract_id":"DENEWC12345678X","last_updated":"2026-11-22T10:00:00"}"#;
    for number in 0..30 {
        send("PUT", format!("receiver/tokens/DE/NEW/04{number:04}"), &mine, TOKEN).await;
    }
    let card = async || {
        let cards = hub.desk.cards().await;
        cards.into_iter().find(|card| card.party == reader.party).unwrap()
    };
    let seen = card().await.seen;
    for what in [Seen::Time(Form::NoZone), Seen::Id(Form::Plain), Seen::Token(Form::Base64)] {
        assert!(seen.contains(&(what, 30)), "{seen:?}");
    }
    let now = card().await.habits.unwrap();
    let suits = suited(&now, &seen).unwrap();
    assert_eq!((suits.times, suits.ids), (Times::NoZone, Separators::Without));

    const SESSION: &str =
        r#"{"cdr_token":{"contract_id":"DE-NEW-C12345678-X"},"last_updated":"2026-11-22T11:00:00+01:00"}"#;
    let told = async || {
        send("PUT", "receiver/sessions/DE/OPB/S1".to_owned(), &theirs, SESSION).await;
        reader.seen().into_iter().rev().find(|seen| seen.path.contains("/sessions/")).unwrap().body
    };
    assert_eq!(told().await, SESSION, "as it was written");
    hub.desk.accustom(reader.party, suits.clone()).await.unwrap();
    assert_eq!(card().await.habits, Some(suits));
    let other = r#"{"cdr_token":{"contract_id":"DENEWC12345678X"},"last_updated":"2026-11-22T10:00:00"}"#;
    assert_eq!(told().await, other, "as it reads");
    let clients = send("GET", "sender/hubclientinfo".to_owned(), &mine, "").await;
    let clients: Value = serde_json::from_str(&clients).unwrap();
    let last = clients["timestamp"].as_str().unwrap();
    assert!(!last.contains('Z') && last.len() == 19, "answers as well: {last}");
    hub.desk.accustom(reader.party, now).await.unwrap();
    assert_eq!(told().await, SESSION, "and back");
}

#[tokio::test]
async fn each_step_that_does_not_hold_says_what_to_ask() {
    let hub = open().await;
    let b = build("DE-8BB", Role::Provider, Desk::default(), None, &hub.server).await;
    let token = secret(party("DE-HUB"), b.party);
    b.peers.admit(BearerDigest::of(token.expose()), PeerAccess::hub(party("DE-HUB")));
    let roles = || vec![PartnerRole::Provider];
    let tried = async |way: Arc<Neighbour>| {
        hub.book.dismiss(b.party).await.unwrap();
        hub.book.know(way);
        hub.desk.examine(b.party, roles()).await.unwrap()
    };
    let trial = tried(hub.knows(&b.base, token.expose(), true)).await;
    assert!(trial.steps.iter().all(|step| step.held), "{trial:?}");

    let trial = tried(hub.knows(&b.base, "another", true)).await;
    assert_eq!(last(&trial), ("Versions", false, "they refuse our token".to_owned()));

    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let trial = tried(hub.knows(&format!("https://{free}"), "t", true)).await;
    assert_eq!(last(&trial).0, "TCP");
    let trial = tried(hub.knows(&format!("https://localhost:{}", free.port()), "t", false)).await;
    assert_eq!(last(&trial), ("Address", false, "localhost leads to addresses that are not public".to_owned()));
    assert!(trial.steps[0].advice.as_ref().unwrap().contains("declare the partner local"));

    let (stranger, _) = trusting();
    let (base, _stop) = listening(Router::new(), &stranger).await;
    let trial = tried(hub.knows(&base, "t", true)).await;
    let (what, held, found) = last(&trial);
    assert_eq!((what, held), ("TLS", false));
    assert!(found.starts_with("their certificate is refused"), "{found}");

    let particular = Router::new().fallback(|request: Request| async move {
        let welcome = request.headers()["authorization"] == "Token plain-token";
        let body = r#"{"status_code": 1000, "data": [], "timestamp": "2026-11-22T00:00:00Z"}"#;
        if welcome { Ok(body) } else { Err(http::StatusCode::UNAUTHORIZED) }
    });
    let (base, _stop) = listening(particular, &hub.server).await;
    let trial = tried(hub.knows(&base, "plain-token", true)).await;
    assert_eq!(last(&trial), ("Versions", false, "they want our token as it is, not in base64".to_owned()));
    assert_eq!(trial.suggested, Some(Habits { raw_token: true, ..Habits::default() }));
}

#[tokio::test]
async fn a_partner_of_another_protocol_is_entered_with_what_proves_it() {
    let hub = open().await;
    let (base, _stop) = listening(Router::new(), &hub.server).await;
    let new = || NewPartner {
        party: party("DE-ICE"),
        name: "Ice".to_owned(),
        roles: vec![PartnerRole::Operator],
        protocol: "ochp/1.4".into(),
        addresses: vec![("".into(), format!("{base}/service"))],
        login: None,
        entry: Some("ice".to_owned()),
        certificate: None,
        roots_pem: None,
        local: true,
    };
    let cases: [(&str, NewPartner); 7] = [
        ("/protocol", NewPartner { protocol: "ocpi/2.2.1".into(), ..new() }),
        ("/protocol", NewPartner { protocol: "telex".into(), ..new() }),
        ("/roles", NewPartner { roles: vec![], ..new() }),
        ("/addresses", NewPartner { addresses: vec![("".into(), "http://plain.example".into())], ..new() }),
        ("/certificate", NewPartner { entry: None, ..new() }),
        ("/roots_pem", NewPartner { roots_pem: Some("none".into()), ..new() }),
        ("/name", NewPartner { name: " ".into(), ..new() }),
    ];
    for (field, wrong) in cases {
        let declined = hub.desk.enter(wrong).await.unwrap_err();
        assert!(matches!(declined, Declined::Malformed { path, .. } if path == field), "{field}: {declined}");
    }
    let password = hub.desk.enter(new()).await.unwrap().unwrap();
    assert!(password.expose().len() > 40);
    let twin = NewPartner { party: party("DE-TWI"), ..new() };
    assert!(matches!(hub.desk.enter(twin).await, Err(Declined::Malformed { path: "/entry", .. })));
    let trial = hub.desk.examine(party("DE-ICE"), vec![PartnerRole::Operator]).await.unwrap();
    let steps: Vec<_> = trial.steps.iter().map(|step| (step.what, step.held)).collect();
    assert_eq!(steps, ["Address", "TCP", "TLS", "HTTP"].map(|what| (what, true)), "{trial:?}");
    let card = hub.desk.cards().await.remove(0);
    assert_eq!(
        (&*card.protocol, card.entry.as_deref(), card.habits),
        ("ochp/1.4", Some("ice"), Some(Habits::default()))
    );
    hub.desk.dismiss(party("DE-ICE")).await.unwrap();
}
