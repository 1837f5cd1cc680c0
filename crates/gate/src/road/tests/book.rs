//! Registrations and documents survive a restart, and nobody is called where partners must not send us.

use ocpi::credentials::PartyRole;
use store::Store;
use trust::seal::SealKey;

use super::*;
use crate::road::{Book, PeerFault, Quirks};

async fn book(store: &Store, tls: &Arc<rustls::ClientConfig>) -> Arc<Book> {
    let seal = SealKey::new(&Secret::new([7; 32])).unwrap();
    let limits = RoadLimits::default();
    Arc::new(Book::open(store.clone(), seal, Arc::clone(tls), limits, Arc::new(SystemDice)).await.unwrap())
}

async fn provider_with(book: Arc<Book>, server: &Arc<rustls::ServerConfig>) -> (String, oneshot::Sender<()>) {
    party_with(book, server, Role::Provider).await
}

async fn party_with(book: Arc<Book>, server: &Arc<rustls::ServerConfig>, role: Role) -> (String, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let own = Own { party: party("DE-8AA"), role, name: "A".into(), base: base.clone() };
    let (clock, dice) = (Arc::new(SystemClock), Arc::new(SystemDice));
    let router = party_router(own, Arc::new(Desk::default()), book, clock, dice, Arc::default());
    let (stop, stopped) = oneshot::channel();
    serve(listener, Arc::clone(server), router, async {
        let _ = stopped.await;
    })
    .unwrap();
    (base, stop)
}

#[tokio::test]
async fn a_registration_outlives_the_process_and_a_spent_token_stays_spent() {
    let (server, tls) = trusting();
    let newcomer = build("DE-NEW", Role::Operator, Desk::default(), None, &server).await;
    let token_b = secret(party("DE-8AA"), newcomer.party);
    newcomer.peers.admit(BearerDigest::of(token_b.expose()), PeerAccess::party(party("DE-8AA")));
    let roles = vec![PartyRole { party: newcomer.party, role: Role::Operator, name: "New".to_owned() }];
    let offer = Credentials { token: token_b, url: ocpi::url::versions(&newcomer.base), roles };

    let store = Store::in_memory(&[]).unwrap();
    let first = book(&store, &tls).await;
    let token_a = first.invite(newcomer.party, false, true).await.unwrap();
    let (base, _stop) = provider_with(Arc::clone(&first), &server).await;
    let hub = way_to(&base, token_a.clone(), &tls);
    let given = introduce(&hub, &offer).await;

    let again = book(&store, &tls).await;
    let digest = |token: &Secret<String>| BearerDigest::of(token.expose());
    let access = again.by_token(digest(&given.token)).await;
    assert!(matches!(access, Some(PeerAccess::Known { party, is_hub: false, .. }) if party == newcomer.party));
    assert!(again.by_token(digest(&token_a)).await.is_none());
    again.admit(digest(&token_a), PeerAccess::party(newcomer.party));
    assert!(again.by_token(digest(&token_a)).await.is_none(), "whatever the configuration still says");
    let way = again.peer(newcomer.party).await.unwrap();
    assert_eq!(way.version().await, Ok(Version::V221), "the kept token still opens the peer's door");
    again.withdraw(digest(&given.token)).await.unwrap();
    let third = book(&store, &tls).await;
    assert!(third.by_token(digest(&given.token)).await.is_none());
    assert!(third.peer(newcomer.party).await.is_none());
}

#[tokio::test]
async fn whoever_leaves_is_gone_with_whichever_token_it_says_so() {
    let (_, tls) = trusting();
    let store = Store::in_memory(&[]).unwrap();
    let first = book(&store, &tls).await;
    let leaver = party("DE-8AA");
    let [old, new] = ["old", "new"].map(BearerDigest::of);
    first.admit(old, PeerAccess::party(leaver));
    let way = Arc::new(way_to("https://localhost:1", Secret::new("t".to_owned()), &tls));
    let registration = Registration { spent: old, token: new, party: leaver, is_hub: false, way };
    first.register(registration).await.unwrap();
    first.withdraw(old).await.unwrap();
    assert!(first.by_token(new).await.is_none());
    let again = book(&store, &tls).await;
    assert!(again.by_token(new).await.is_none() && again.peer(leaver).await.is_none(), "nor after a restart");
}

#[tokio::test]
async fn the_modules_of_2_3_0_answer_in_the_roles_that_have_them() {
    let (server, tls) = trusting();
    let peer = party("DE-OPB");
    let served = async |role: Role| {
        let book = book(&Store::in_memory(&[]).unwrap(), &tls).await;
        book.admit(BearerDigest::of("token"), PeerAccess::party(peer));
        party_with(book, &server, role).await
    };
    let (operator, provider) = (served(Role::Operator).await, served(Role::Provider).await);
    let http = reqwest::Client::builder().tls_backend_preconfigured((*tls).clone()).build().unwrap();
    let ask = async |base: &str, method: &str, path: &str, body: &str| {
        let header = ocpi::credentials::authorization(&Secret::new("token".to_owned()), true);
        let request = http.request(method.parse().unwrap(), format!("{base}/ocpi/2.3.0/{path}"));
        let response = request.header("authorization", header.expose()).body(body.to_owned()).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap_or_default())
    };
    // who serves, the collection, what is put there and how, and where it is read then
    let table = [
        (&operator, "receiver/payments/terminals", "POST", r#"{"terminal_id":"T1"}"#, "/T1"),
        (&operator, "receiver/payments/financial-advice-confirmations", "POST", r#"{"id":"F1"}"#, "/F1"),
        (&operator, "sender/invoicereconciliation", "POST", r#"{"id":"I1"}"#, "/I1"),
        (&operator, "receiver/invoicereconciliation/DE/OPB/I2", "PUT", r#"{"id":"I2"}"#, ""),
        (&provider, "receiver/invoicereconciliation/DE/OPB/I3", "PUT", r#"{"id":"I3"}"#, ""),
        (&provider, "sender/invoicereconciliation", "POST", r#"{"id":"I4"}"#, "/I4"),
        (&provider, "receiver/bookings/DE/OPB/booking_locations/L1", "PUT", r#"{"id":"L1"}"#, ""),
    ];
    for ((base, _stop), path, method, body, below) in table {
        assert_eq!(ask(base, method, path, body).await.0, 200, "{method} {path}");
        let (http, read) = ask(base, "GET", &format!("{path}{below}"), "").await;
        assert_eq!((http, read["data"].to_string()), (200, body.to_owned()), "{path}");
    }
    for (base, path) in [
        (&provider.0, "receiver/payments/terminals"),
        (&operator.0, "receiver/bookings"),
        (&operator.0, "sender/payments/terminals"),
    ] {
        assert_eq!(ask(base, "GET", path, "").await.0, 404, "{path} is not of this role");
    }
}

#[tokio::test]
async fn documents_are_kept_for_their_owner_alone() {
    let (server, tls) = trusting();
    let store = Store::in_memory(&[]).unwrap();
    let book = book(&store, &tls).await;
    let (a, b) = (party("DE-OPA"), party("DE-OPB"));
    for party in [a, b] {
        book.admit(BearerDigest::of(&format!("token-{party}")), PeerAccess::party(party));
    }
    let (base, _stop) = provider_with(book, &server).await;
    let http = |method: &'static str, path: &'static str, from: PartyId, body: Option<&'static str>| {
        let client = reqwest::Client::builder().tls_backend_preconfigured((*tls).clone()).build().unwrap();
        let header = ocpi::credentials::authorization(&Secret::new(format!("token-{from}")), true);
        let request = client.request(method.parse().unwrap(), format!("{base}/ocpi/2.3.0/receiver/{path}"));
        let request = request.header("authorization", header.expose()).body(body.unwrap_or_default());
        async move {
            let response = request.send().await.unwrap();
            let total = response.headers().get("x-total-count").map(|total| total.to_str().unwrap().to_owned());
            (response.status().as_u16(), total, response.json::<Value>().await.unwrap())
        }
    };
    let text = r#"{"id": "B1", "state": "RESERVED", "vendor": 1.50, "licence_plate": "MS-X 1"}"#;
    assert_eq!(http("PUT", "invoicereconciliation/DE/OPA/B1", a, Some(text)).await.0, 200);
    let change = r#"{"state": "CANCELED"}"#;
    assert_eq!(http("PATCH", "invoicereconciliation/DE/OPA/B1", a, Some(change)).await.0, 200);
    let (_, _, read) = http("GET", "invoicereconciliation/DE/OPA/B1", a, None).await;
    assert_eq!((&read["data"]["state"], &read["data"]["vendor"]), (&"CANCELED".into(), &1.5.into()));
    let long: &'static str = format!(r#"{{"note": "{}"}}"#, "x".repeat(300_000)).leak();
    let longer: &'static str = format!(r#"{{"other": "{}"}}"#, "x".repeat(300_000)).leak();
    assert_eq!(http("PATCH", "invoicereconciliation/DE/OPA/B1", a, Some(long)).await.0, 200);
    let grown = http("PATCH", "invoicereconciliation/DE/OPA/B1", a, Some(longer)).await.2;
    assert_eq!(grown["status_code"], 2001, "a whole of that size could not be sent either");
    assert_eq!(http("GET", "invoicereconciliation/DE/OPA/B1", b, None).await.0, 404, "the owner alone");
    assert_eq!(http("PUT", "invoicereconciliation/DE/OPA/B1", b, Some(text)).await.0, 404);
    assert_eq!(http("POST", "invoicereconciliation", b, Some(text)).await.0, 200, "its own of the same name");
    assert_eq!(http("GET", "invoicereconciliation", a, None).await.1.as_deref(), Some("1"));
    assert_eq!(http("DELETE", "invoicereconciliation/DE/OPA/B1", a, None).await.0, 200);
    assert_eq!(http("GET", "invoicereconciliation/DE/OPA/B1", a, None).await.0, 404);
    let kept: Vec<Vec<u8>> = store
        .read::<_, store::StoreError>("test", |tx| {
            tx.query("SELECT text_sealed FROM road_document", &[], |row| row.blob(0))
        })
        .await
        .unwrap();
    assert!(kept.iter().all(|bytes| !String::from_utf8_lossy(bytes).contains("MS-X 1")), "sealed");
}

#[tokio::test]
async fn a_partner_sends_us_to_no_inner_address() {
    let (_, tls) = trusting();
    for inner in
        ["https://127.0.0.1:1/ocpi/versions", "https://[::1]:1/v", "https://2130706433/v", "https://10.0.0.1/v"]
    {
        let peer = Peer {
            party: party("DE-NEW"),
            name: String::new(),
            versions_url: inner.to_owned(),
            token_out: Secret::new("t".to_owned()),
            tls: Arc::clone(&tls),
        };
        let way = Neighbour::new(peer, RoadLimits::default(), Arc::new(SystemDice)).unwrap();
        assert!(matches!(way.with_quirks(Quirks::default()), Err(PeerFault::Private(_))), "{inner}");
    }
    // a name is judged when it is resolved
    let way = way_to("https://localhost:1", Secret::new("t".to_owned()), &tls);
    let way = way.with_quirks(Quirks::default()).unwrap();
    assert_eq!(way.version().await, Err(neighbour::SendFault::Unreachable));
}

fn way_to(base: &str, token: Secret<String>, tls: &Arc<rustls::ClientConfig>) -> Neighbour {
    let peer = Peer {
        party: party("DE-8AA"),
        name: String::new(),
        versions_url: ocpi::url::versions(base),
        token_out: token,
        tls: Arc::clone(tls),
    };
    Neighbour::new(peer, RoadLimits::default(), Arc::new(SystemDice)).unwrap()
}
