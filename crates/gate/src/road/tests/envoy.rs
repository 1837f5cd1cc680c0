//! A party of ours begins, renews and ends its registration: at a hub of ours, and at platforms that do it wrong.

use axum::response::IntoResponse;
use charge::talk::partner::{Beginning, Declined, Reception, Registrar, Trial};
use store::Store;
use trust::seal::SealKey;

use super::reception::open;
use super::*;
use crate::road::{Book, Envoy};

const OPERATOR: &str = "DE-OPX";

/// An operator with a book of its own.
pub(super) struct Newcomer {
    pub(super) own: Own,
    pub(super) store: Store,
    pub(super) book: Arc<Book>,
    envoy: Envoy,
    server: Arc<rustls::ServerConfig>,
    tls: Arc<rustls::ClientConfig>,
    stop: oneshot::Sender<()>,
    door: Serving,
}

async fn book(store: &Store, tls: &Arc<rustls::ClientConfig>) -> Arc<Book> {
    let seal = SealKey::new(&Secret::new([7; 32])).unwrap();
    let limits = RoadLimits::default();
    Arc::new(Book::open(store.clone(), seal, Arc::clone(tls), limits, Arc::new(SystemDice)).await.unwrap())
}

pub(super) async fn newcomer(server: &Arc<rustls::ServerConfig>, tls: &Arc<rustls::ClientConfig>) -> Newcomer {
    stand(TcpListener::bind("127.0.0.1:0").await.unwrap(), Store::in_memory(&[]).unwrap(), server, tls).await
}

async fn stand(
    listener: TcpListener,
    store: Store,
    server: &Arc<rustls::ServerConfig>,
    tls: &Arc<rustls::ClientConfig>,
) -> Newcomer {
    let book = book(&store, tls).await;
    let base = format!("https://{}", listener.local_addr().unwrap());
    let own = Own { party: party(OPERATOR), role: Role::Operator, name: "X".to_owned(), base };
    let (clock, dice) = (Arc::new(SystemClock), Arc::new(SystemDice));
    let peers = Arc::clone(&book);
    let router = party_router(own.clone(), Arc::new(Desk::default()), peers, clock, dice, Arc::default());
    let (stop, stopped) = oneshot::channel();
    let door = serve(listener, Arc::clone(server), router, async {
        let _ = stopped.await;
    });
    let envoy = Envoy::new(own.clone(), Arc::clone(&book), Arc::new(SystemClock), Arc::new(SystemDice));
    let (server, tls) = (Arc::clone(server), Arc::clone(tls));
    Newcomer { own, store, book, envoy, server, tls, stop, door: door.unwrap() }
}

impl Newcomer {
    /// At the same address; what was in memory alone is gone.
    async fn restarted(self) -> Self {
        drop(self.stop);
        self.door.ended.await.unwrap();
        let listener = TcpListener::bind(self.door.addr).await.unwrap();
        stand(listener, self.store, &self.server, &self.tls).await
    }
}

pub(super) fn beginning(at: &str, base: &str, token: &str) -> Beginning {
    let versions_url = format!("{base}/ocpi/versions");
    Beginning { party: party(at), versions_url, token: Secret::new(token.to_owned()), roots_pem: None, local: true }
}

/// The last step, and whether all before it held.
pub(super) fn end(trial: &Trial) -> (&'static str, bool, &str) {
    let (last, before) = trial.steps.split_last().unwrap();
    assert!(before.iter().all(|step| step.held), "{trial:?}");
    assert_eq!(last.held, last.advice.is_none(), "what does not hold says what to ask: {last:?}");
    (last.what, last.held, &last.found)
}

#[tokio::test]
async fn a_party_registers_at_a_hub_renews_after_a_restart_and_leaves() {
    let hub = open().await;
    let us = newcomer(&hub.server, &hub.tls).await;
    let invited = hub.desk.invite(us.own.party, true).await.unwrap();
    let told = us.envoy.register(beginning("DE-HUB", &hub.base, invited.token.expose())).await.unwrap();
    let steps: Vec<_> = told.steps.iter().map(|step| (step.what, step.held)).collect();
    let expected = ["Address", "TCP", "TLS", "Versions", "Endpoints", "Credentials", "New token"];
    assert_eq!(steps, expected.map(|what| (what, true)), "{told:?}");
    assert_eq!(*hub.office.joined.lock().unwrap(), [us.own.party]);
    let card = us.envoy.registered().await.remove(0);
    assert_eq!((card.party, card.name.as_str(), card.version.as_deref()), (party("DE-HUB"), "Hub", Some("2.2.1")));
    let theirs = hub.book.peer(us.own.party).await.unwrap();
    assert_eq!(theirs.version().await, Ok(Version::V221), "the token that we gave opens our door");

    let again = us.envoy.register(beginning("DE-HUB", &hub.base, invited.token.expose())).await.unwrap();
    assert!(!again.steps.last().unwrap().held, "token A is good for one registration");
    assert_eq!(theirs.tuned(theirs.quirks()).unwrap().version().await, Ok(Version::V221), "and nothing was lost");

    let us = us.restarted().await;
    let before = us.book.peer(party("DE-HUB")).await.unwrap();
    assert_eq!(before.version().await, Ok(Version::V221));
    let told = us.envoy.renew(party("DE-HUB")).await.unwrap();
    assert_eq!(end(&told), ("New token", true, "is welcome"));
    let after = us.book.peer(party("DE-HUB")).await.unwrap();
    assert_ne!(before.token_out().expose(), after.token_out().expose());
    let stale = before.tuned(before.quirks()).unwrap().version().await;
    assert!(stale.is_err(), "the one before was replaced and its successor used: {stale:?}");

    let us = us.restarted().await;
    assert_eq!(us.book.peer(party("DE-HUB")).await.unwrap().token_out().expose(), after.token_out().expose());
    let told = us.envoy.leave(party("DE-HUB")).await.unwrap();
    assert_eq!(end(&told), ("Withdrawal", true, "they have forgotten us, and we them"));
    assert!(hub.book.peer(us.own.party).await.is_none() && us.book.peer(party("DE-HUB")).await.is_none());
    let us = us.restarted().await;
    assert!(us.book.peer(party("DE-HUB")).await.is_none() && us.envoy.registered().await.is_empty());
    assert_eq!(us.envoy.renew(party("DE-HUB")).await, Err(Declined::Unknown));
}

#[tokio::test]
async fn a_hub_begins_where_a_partner_wants_it_to() {
    let hub = open().await;
    let partner = newcomer(&hub.server, &hub.tls).await;
    let token_a = partner.book.invite(party("DE-HUB"), true, true).await.unwrap();
    let told = hub.desk.register(beginning(OPERATOR, &partner.own.base, token_a.expose())).await.unwrap();
    assert_eq!(end(&told), ("New token", true, "is welcome"));
    let card = hub.desk.cards().await.remove(0);
    assert_eq!((card.party, &*card.protocol, card.invited), (partner.own.party, "ocpi/2.2.1", false));
    let way = partner.book.peer(party("DE-HUB")).await.unwrap();
    assert_eq!(way.version().await, Ok(Version::V221));
    let told = hub.desk.leave(partner.own.party).await.unwrap();
    assert_eq!(end(&told).0, "Withdrawal");
    assert!(partner.book.peer(party("DE-HUB")).await.is_none());
}

/// How a foreign platform answers to credentials: status and body.
pub(super) type Manner = Arc<Mutex<(u16, String)>>;

/// A foreign platform of one token, and every token that it was given.
pub(super) async fn foreign(
    server: &Arc<rustls::ServerConfig>,
) -> (String, Manner, Arc<Mutex<Vec<String>>>, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let (manner, given) = (Manner::default(), Arc::new(Mutex::new(Vec::new())));
    let (answer, kept, here) = (Arc::clone(&manner), Arc::clone(&given), base.clone());
    let router = Router::new().fallback(move |request: Request| {
        let (answer, kept, here) = (Arc::clone(&answer), Arc::clone(&kept), here.clone());
        async move {
            let ok = |data: Value| {
                let envelope =
                    serde_json::json!({ "data": data, "status_code": 1000, "timestamp": "2026-11-22T00:00:00Z" });
                (http::StatusCode::OK, envelope.to_string())
            };
            let (parts, body) = request.into_parts();
            // as it is, and in base64
            if ["Token bad", "Token YmFk"].iter().any(|bad| parts.headers["authorization"] == *bad) {
                return (http::StatusCode::UNAUTHORIZED, String::new()).into_response();
            }
            match parts.uri.path() {
                "/ocpi/versions" => ok(serde_json::json!([{ "version": "2.2.1", "url": format!("{here}/221") }])),
                "/221" => ok(serde_json::json!({ "version": "2.2.1", "endpoints": [
                    { "identifier": "credentials", "role": "SENDER", "url": format!("{here}/credentials") },
                ]})),
                _credentials => {
                    let body = to_bytes(body, usize::MAX).await.unwrap();
                    if let Ok(offer) = serde_json::from_slice::<Value>(&body) {
                        kept.lock().unwrap().push(offer["token"].as_str().unwrap().to_owned());
                    }
                    let (status, text) = answer.lock().unwrap().clone();
                    (http::StatusCode::from_u16(status).unwrap(), text)
                }
            }
            .into_response()
        }
    });
    let (stop, stopped) = oneshot::channel();
    serve(listener, Arc::clone(server), router, async {
        let _ = stopped.await;
    })
    .unwrap();
    (base, manner, given, stop)
}

pub(super) fn credentials(base: &str, token: &str, code: &str) -> String {
    serde_json::json!({ "status_code": 1000, "timestamp": "2026-11-22T00:00:00Z", "data": {
        "token": token, "url": format!("{base}/ocpi/versions"),
        "roles": [{ "role": "HUB", "party_id": code, "country_code": "NL", "business_details": { "name": "Far" } }],
    }})
    .to_string()
}

#[tokio::test]
async fn what_the_other_side_does_wrong_is_said_in_words_and_costs_nothing() {
    let (server, tls) = trusting();
    let us = newcomer(&server, &tls).await;
    let (base, manner, given, _stop) = foreign(&server).await;
    let envelope = |code: u16| format!(r#"{{"status_code": {code}, "timestamp": "2026-11-22T00:00:00Z"}}"#);
    let begin = async |http: u16, body: String| {
        *manner.lock().unwrap() = (http, body);
        us.envoy.register(beginning("NL-FAR", &base, "a")).await.unwrap()
    };
    let opened = async |place: usize| {
        let token = given.lock().unwrap()[place].clone();
        us.book.by_token(BearerDigest::of(&token)).await.is_some()
    };
    let cases = [
        (405, envelope(2000), "they say that this is not the time for it (HTTP 405)"),
        (401, envelope(2001), "they refuse our token here"),
        (200, envelope(3001), "they cannot read our versions (code 3001)"),
        (200, envelope(3002), "no version in common, they say (code 3002)"),
        (200, envelope(3003), "they miss modules of ours (code 3003)"),
        (200, envelope(2001), "they find a fault in our credentials (code 2001)"),
        (418, String::new(), "they refuse (HTTP 418)"),
        (200, credentials(&base, "c", "OTH"), "they speak for NL-OTH as HUB"),
    ];
    for (place, (http, body, words)) in cases.into_iter().enumerate() {
        assert_eq!(end(&begin(http, body).await), ("Credentials", false, words));
        assert!(!opened(place).await, "what was offered in vain opens nothing: {words}");
        assert!(us.book.peer(party("NL-FAR")).await.is_none());
    }
    let unsure = begin(502, "Bad Gateway".to_owned()).await;
    assert_eq!(end(&unsure), ("Credentials", false, "their server failed (HTTP 502)"));
    assert!(opened(8).await, "they may have taken it");

    let held = begin(200, credentials(&base, "c", "FAR")).await;
    assert_eq!(end(&held), ("New token", true, "is welcome"));
    assert_eq!(us.envoy.registered().await[0].name, "Far");
    let wrong = Beginning { token: Secret::new("bad".to_owned()), ..beginning("NL-FAR", &base, "") };
    let wrong = us.envoy.register(wrong).await.unwrap();
    assert!(!wrong.steps.iter().any(|step| step.what == "Credentials"), "{wrong:?}");
    let private = Beginning { local: false, ..beginning("NL-FAR", &base, "a") };
    assert_eq!(
        us.envoy.register(private).await,
        Err(Declined::Malformed { path: "/versions_url", why: "is not public, and the party is not declared local" })
    );
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_both_sides_with_tokens_that_are_good() {
    let (server, tls) = trusting();
    let us = newcomer(&server, &tls).await;
    let (base, manner, given, _stop) = foreign(&server).await;
    let far = party("NL-FAR");
    let says = |http: u16, body: String| *manner.lock().unwrap() = (http, body);
    let token = |place: usize| BearerDigest::of(&given.lock().unwrap()[place]);
    says(200, credentials(&base, "first", "FAR"));
    us.envoy.register(beginning("NL-FAR", &base, "a")).await.unwrap();
    assert!(us.book.by_token(token(0)).await.is_some());

    let kept = async |book: &Arc<Book>| book.peer(far).await.unwrap().token_out().expose().clone();
    says(200, r#"{"status_code": 2000, "timestamp": "2026-11-22T00:00:00Z"}"#.to_owned());
    assert!(!end(&us.envoy.renew(far).await.unwrap()).1);
    assert_eq!(kept(&us.book).await, "first");
    assert!(us.book.by_token(token(1)).await.is_none() && us.book.by_token(token(0)).await.is_some());

    // the answer is lost: either token may be theirs now, also after a restart
    says(500, String::new());
    assert!(!end(&us.envoy.renew(far).await.unwrap()).1);
    assert_eq!(kept(&us.book).await, "first");
    let us = us.restarted().await;
    let opened = async |us: &Newcomer, place| us.book.by_token(token(place)).await.is_some();
    assert_eq!(kept(&us.book).await, "first");
    assert!(opened(&us, 0).await);
    assert!(opened(&us, 2).await, "they have taken what we offered");
    assert!(!opened(&us, 0).await, "so they need the one before no more");
    let us = us.restarted().await;
    assert!(!opened(&us, 0).await && opened(&us, 2).await);

    // they give a token that they refuse themselves, and the one before is still good
    says(200, credentials(&base, "bad", "FAR"));
    let told = us.envoy.renew(far).await.unwrap();
    assert_eq!(end(&told), ("New token", false, "they refuse the token that they have just given"));
    assert_eq!(kept(&us.book).await, "first");
    assert!(opened(&us, 3).await, "what we gave them is theirs");
}
