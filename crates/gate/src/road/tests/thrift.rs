//! What partners receive with a measure of thrift on and with it off, read off the wire.

use charge::talk::road::StartOrder;
use charge::token::IssuedToken;
use store::Store;
use trust::seal::SealKey;
use trust::token_tag::TagKey;

use super::*;
use crate::road::limits::{UNKNOWN_TOKENS_MAX, UNKNOWN_TOKENS_WITHIN};

impl World {
    pub(super) fn turn(&self, party: PartyId, measure: Measure, on: bool) {
        let mut all = self.office.thrift.lock().unwrap();
        let thrift = all.entry(party).or_default();
        *thrift = thrift.with(measure, on);
    }

    pub(super) fn crossing(&self) -> &Crossing {
        &self.hub.inside.as_ref().unwrap().0
    }

    async fn with_vault(self) -> Self {
        self.keep_vault().await;
        self
    }

    pub(super) async fn keep_vault(&self) {
        self.keep_vault_in(Store::in_memory(&[]).unwrap()).await;
    }

    pub(super) async fn keep_vault_in(&self, store: Store) {
        let seal = SealKey::new(&Secret::new([3; 32])).unwrap();
        let tags = TagKey::new(&Secret::new([4; 32]));
        let vault = Vault::open(store, seal, tags).await.unwrap();
        self.crossing().keep_in(Arc::new(vault));
    }

    /// A request of a party to the hub, with somebody named as the receiver.
    async fn send(&self, from: &House, method: &str, path: &str, to: Option<&str>, body: &str) -> (u16, Value) {
        let http = reqwest::Client::builder().tls_backend_preconfigured((*self.tls).clone()).build().unwrap();
        let mine = ocpi::credentials::authorization(&secret(from.party, self.hub.party), false);
        let url = format!("{}/ocpi/2.2.1/{path}", self.hub.base);
        let mut request = http.request(method.parse().unwrap(), url).header("authorization", mine.expose());
        if let Some(to) = to.map(party) {
            request = request.header("ocpi-to-country-code", to.country()).header("ocpi-to-party-id", to.code());
        }
        let response = request.body(body.to_owned()).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    /// The last body that a house received below a path.
    async fn received(&self, house: &House, path: &str) -> Value {
        let found = || house.seen().into_iter().rev().find(|seen| seen.path.contains(path));
        super::crossing::until(|| found().is_some()).await;
        serde_json::from_str(&found().unwrap().body).unwrap_or_default()
    }
}

const CONTRACT: &str = "DE-8AA-C12345678-X";

fn order(world: &World) -> String {
    format!(
        r#"{{"response_url":"{}/ocpi/2.2.1/sender/commands/START_SESSION/1","location_id":"LOC1","x_vendor":1.50,
        "token":{{"country_code":"DE","party_id":"8AA","uid":"{OWNED}","type":"RFID","contract_id":"{CONTRACT}","issuer":"A",
        "valid":true,"whitelist":"NEVER","last_updated":"2026-11-22T10:00:00Z","visual_number":"4711","language":"de",
        "group_id":"FLEET-7"}}}}"#,
        world.a.base
    )
}

#[tokio::test]
async fn m7_an_operator_gets_of_a_token_what_is_mandatory() {
    let world = World::new().await.with_vault().await;
    let give = async || {
        let sent =
            world.send(&world.a, "POST", "receiver/commands/START_SESSION", Some("DE-OPA"), &order(&world)).await;
        assert_eq!(sent.0, 200, "{}", sent.1);
        world.received(&world.operator, "START_SESSION").await
    };
    let whole = give().await;
    assert_eq!((&whole["token"]["visual_number"], &whole["token"]["group_id"]), (&"4711".into(), &"FLEET-7".into()));

    world.turn(world.operator.party, Measure::BareTokens, true);
    let bare = give().await;
    let token = bare["token"].as_object().unwrap();
    assert!(!token.contains_key("visual_number") && !token.contains_key("language"), "{bare}");
    assert_eq!((&bare["token"]["contract_id"], &bare["x_vendor"]), (&CONTRACT.into(), &whole["x_vendor"]));
    let group = bare["token"]["group_id"].as_str().unwrap().to_owned();
    assert!(group != "FLEET-7" && give().await["token"]["group_id"] == group.as_str(), "one name for one group");
    world.turn(world.operator.party, Measure::BareTokens, false);
    assert_eq!(give().await["token"], whole["token"], "and back");
}

#[tokio::test]
async fn m7_the_answer_to_a_tap_is_bare_as_well() {
    let world = World::new().await.with_vault().await;
    let _talkative = talkative(&world).await;
    let path = format!("sender/tokens/{OWNED}/authorize");
    let tap = async || world.send(&world.operator, "POST", &path, None, "").await.1["data"].clone();
    let whole = tap().await;
    assert_eq!((&whole["token"]["visual_number"], &whole["x_vendor"]), (&"4711".into(), &"7".into()));
    world.turn(world.operator.party, Measure::BareTokens, true);
    let bare = tap().await;
    assert!(bare["token"].get("visual_number").is_none());
    assert_eq!((&bare["allowed"], &bare["x_vendor"]), (&"ALLOWED".into(), &"7".into()));
}

/// Another provider of the name DE-8AA, which says more of a token than it has to.
async fn talkative(world: &World) -> oneshot::Sender<()> {
    let token = format!(
        r#"{{"allowed":"ALLOWED","x_vendor":"7","token":{{"country_code":"DE","party_id":"8AA","uid":"{OWNED}",
        "type":"RFID","contract_id":"{CONTRACT}","issuer":"A","valid":true,"whitelist":"NEVER",
        "last_updated":"2026-11-22T10:00:00Z","visual_number":"4711"}}}}"#
    );
    instead(world, world.a.party, "tokens", token).await
}

/// A server in the place of a party's own, which serves one module and says one thing.
async fn instead(world: &World, party: PartyId, module: &'static str, says: String) -> oneshot::Sender<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let here = base.clone();
    let router = Router::new().fallback(move |request: Request| {
        let data = match request.uri().path() {
            "/ocpi/versions" => format!(r#"[{{"version":"2.2.1","url":"{here}/ocpi/2.2.1"}}]"#),
            "/ocpi/2.2.1" => format!(
                r#"{{"version":"2.2.1","endpoints":[{{"identifier":"{module}","role":"SENDER","url":"{here}/{module}"}}]}}"#
            ),
            _asked => says.clone(),
        };
        async move { format!(r#"{{"status_code":1000,"timestamp":"2026-11-22T10:00:00Z","data":{data}}}"#) }
    });
    let (stop, stopped) = oneshot::channel();
    serve(listener, Arc::clone(&world.server), router, async {
        let _ = stopped.await;
    })
    .unwrap();
    let peer = Peer {
        party,
        name: "A".to_owned(),
        versions_url: ocpi::url::versions(&base),
        token_out: secret(world.hub.party, party),
        tls: Arc::clone(&world.tls),
    };
    let limits = RoadLimits::default();
    world.hub.peers.know(Arc::new(Neighbour::new(peer, limits, Arc::new(SystemDice)).unwrap()));
    stop
}

#[tokio::test]
async fn m8_an_operator_knows_a_contract_by_its_own_name_and_the_provider_by_the_real_one() {
    let world = World::new().await.with_vault().await;
    world.turn(world.operator.party, Measure::PairContracts, true);
    let give = async || {
        world.send(&world.a, "POST", "receiver/commands/START_SESSION", Some("DE-OPA"), &order(&world)).await;
        world.received(&world.operator, "START_SESSION").await["token"]["contract_id"].as_str().unwrap().to_owned()
    };
    let name = give().await;
    assert!(name != CONTRACT && name.starts_with("DE-8AA-C"), "{name}");
    assert_eq!(give().await, name, "the same one for the same contract");

    // switched off meanwhile: what is under way comes back all the same
    world.turn(world.operator.party, Measure::PairContracts, false);
    let session = |contract: &str| {
        format!(r#"{{"id":"S1","cdr_token":{{"uid":"{OWNED}","contract_id":"{contract}"}},"kwh":1.50}}"#)
    };
    let put = async |contract: &str| {
        world.send(&world.operator, "PUT", "receiver/sessions/DE/OPA/S1", Some("DE-8AA"), &session(contract)).await;
        world.received(&world.a, "/sessions/").await["cdr_token"]["contract_id"].clone()
    };
    assert_eq!(put(&name).await, CONTRACT);
    assert_eq!(put(&name.replace('-', "")).await, CONTRACT, "however it is spelt");
    assert_eq!(put("DE-8AA-COTHER999-X").await, "DE-8AA-COTHER999-X");
    assert_eq!(give().await, CONTRACT, "and off is off");
}

#[tokio::test]
async fn m9_a_start_of_a_contract_alone_shows_a_uid_of_the_session() {
    let world = World::new().await.with_vault().await;
    let start = |number: &str| {
        let mut question = super::hub::start(number);
        let Question::Start(StartOrder { token, .. }) = &mut question else { panic!("a start") };
        *token = IssuedToken {
            party: party("DE-EMP"),
            uid: Personal::new(TokenUid::new("DE-EMP-C12345678-X").unwrap()),
            contract: Personal::new(ContractId::new("DE-EMP-C12345678-X").unwrap()),
            ..token.clone()
        };
        question
    };
    let (_, partners) = world.hub.inside.as_ref().unwrap();
    partners.put(super::crossing::partner("DE-EMP", Role::Provider)).await.unwrap();
    let give = async |number: &str| {
        let correlation = CorrelationId::new("far").unwrap();
        let letter =
            Letter { from: party("DE-EMP"), to: Some(world.operator.party), correlation, question: start(number) };
        // nobody tells what became of it: what was sent is all that is looked at
        let carried = tokio::time::timeout(Duration::from_secs(20), world.crossing().carry(letter, None));
        let sent = async {
            let before = world.operator.seen().len();
            super::crossing::until(|| world.operator.seen().len() > before).await;
            world.received(&world.operator, "START_SESSION").await["token"].clone()
        };
        tokio::select! {
            token = sent => token,
            _ = carried => panic!("the start was not sent"),
        }
    };
    assert_eq!(give("s1").await["uid"], "DE-EMP-C12345678-X");
    world.turn(world.operator.party, Measure::OneTimeUids, true);
    let (first, second) = (give("s2").await, give("s3").await);
    assert_eq!((&first["type"], &first["contract_id"]), (&"AD_HOC_USER".into(), &"DE-EMP-C12345678-X".into()));
    assert!(first["uid"] != "DE-EMP-C12345678-X" && first["uid"] != second["uid"], "{first} {second}");
}

#[tokio::test]
async fn m10_a_provider_is_told_of_its_own_cards_at_a_private_charger() {
    let world = World::new().await;
    let mut place: Value = {
        let put = Question::PutLocation(Box::new(samples::location()));
        world.ask(&world.operator, None, put).await.unwrap();
        world.received(&world.hub, "/locations/").await
    };
    place["publish"] = false.into();
    place["publish_allowed_to"] =
        serde_json::json!([{ "uid": OWNED, "type": "RFID" }, { "uid": "04EE", "type": "RFID" }]);
    let id = place["id"].as_str().unwrap().to_owned();
    let path = format!("receiver/locations/DE/OPA/{id}");
    // each time under another name, by which it is told apart on the wire
    let mut publish = async |name: &str| {
        place["name"] = name.into();
        world.send(&world.operator, "PUT", &path, None, &place.to_string()).await;
        let entries = |house: &House| {
            let found = house.seen().into_iter().find(|seen| seen.body.contains(name))?;
            let body: Value = serde_json::from_str(&found.body).unwrap();
            Some(body["publish_allowed_to"].as_array().unwrap().clone())
        };
        super::crossing::until(|| entries(&world.a).is_some() && entries(&world.b).is_some()).await;
        (entries(&world.a).unwrap(), entries(&world.b).unwrap())
    };
    let (a, b) = publish("first time").await;
    assert_eq!((a.len(), b.len()), (2, 2));
    for provider in [&world.a, &world.b] {
        world.turn(provider.party, Measure::OwnEntries, true);
    }
    let (a, b) = publish("second time").await;
    assert_eq!((a, b), (vec![serde_json::json!({ "uid": OWNED, "type": "RFID" })], vec![]));
    let kept = world.office.public.lock().unwrap().last().unwrap().clone();
    assert!(!kept.contains(OWNED) && !kept.contains("04EE"), "the hub keeps no card: {kept}");
    let read = async |house: &House| {
        let (_, body) = world.send(house, "GET", &format!("sender/locations/{id}"), Some("DE-OPA"), "").await;
        assert_eq!(body["data"]["name"], "second time", "{body}");
        body["data"].get("publish_allowed_to").map_or(0, |list| list.as_array().unwrap().len())
    };
    // the operator's own server does not say who may see it now
    assert_eq!((read(&world.a).await, read(&world.b).await), (0, 0));
    let _owner = instead(&world, world.operator.party, "locations", place.to_string()).await;
    assert_eq!((read(&world.a).await, read(&world.b).await), (1, 0), "its own card, from the owner");
    world.turn(world.a.party, Measure::OwnEntries, false);
    assert_eq!(read(&world.a).await, 2, "the whole document");

    let change = r#"{"name":"third time","last_updated":"2026-11-23T10:00:00Z"}"#;
    let (http, said) = world.send(&world.operator, "PATCH", &path, None, change).await;
    assert_eq!((http, &said["status_code"]), (200, &1000.into()), "{said}");
    let told = |house: &House| house.seen().into_iter().find(|seen| seen.body.contains("third time"));
    super::crossing::until(|| told(&world.a).is_some() && told(&world.b).is_some()).await;
    let (a, b) = (told(&world.a).unwrap().body, told(&world.b).unwrap().body);
    assert!(a.contains(OWNED) && !b.contains(OWNED) && !a.contains("mark") && !b.contains("mark"), "{a} {b}");
    let kept = world.office.public.lock().unwrap().last().unwrap().clone();
    assert!(kept.contains("third time") && kept.contains("mark") && !kept.contains(OWNED), "{kept}");
}

#[tokio::test]
async fn m4_a_card_of_nobody_is_asked_about_without_a_place_and_m3_remembers_who_knew_it() {
    let world = World::new().await;
    // the first one never answers, the second one knows the card; nobody ever announced it here
    world.office.probed.lock().unwrap().extend([world.silent.party, world.a.party]);
    *world.office.unannounced.lock().unwrap() = true;
    let path = format!("sender/tokens/{OWNED}/authorize");
    let (http, body) = world.send(&world.operator, "POST", &path, None, r#"{"location_id":"LOC1"}"#).await;
    assert_eq!((http, &body["data"]["allowed"]), (200, &"ALLOWED".into()), "{body}");
    let bodies = |house: &House| {
        let taps = house.seen().into_iter().filter(|seen| seen.path.contains("authorize"));
        taps.map(|seen| seen.body).collect::<Vec<_>>()
    };
    assert_eq!(bodies(&world.silent), [""], "who does not know it learns no place");
    assert!(bodies(&world.b).is_empty(), "who does not want to be asked is not");
    assert_eq!(bodies(&world.a), ["", r#"{"location_id":"LOC1"}"#], "who knows it is asked as the operator asks");
    assert_eq!(*world.office.learned.lock().unwrap(), [world.a.party]);

    let (http, _) = world.send(&world.operator, "POST", "sender/tokens/04FFFFFFFFFF80/authorize", None, "").await;
    assert_eq!(http, 404, "nobody knew it");
    assert_eq!(world.office.learned.lock().unwrap().len(), 1);
    world.office.probed.lock().unwrap().clear();
    let before = (world.a.seen().len(), world.b.seen().len());
    let (http, _) = world.send(&world.operator, "POST", &path, None, "").await;
    assert_eq!(http, 404, "nobody wants to be asked");
    assert_eq!((world.a.seen().len(), world.b.seen().len()), before);
}

#[tokio::test]
async fn m12_cdrs_are_told_at_night_and_once() {
    let world = World::new().await.with_vault().await;
    world.turn(world.a.party, Measure::NightlyCdrs, true);
    let post = async || world.ask(&world.operator, Some("DE-8AA"), Question::PostCdr(Box::new(samples::cdr()))).await;
    let kept = Ok(Answer::Kept(samples::cdr().id));
    assert_eq!((post().await, post().await), (kept.clone(), kept.clone()), "the sender's outbox may ask twice");
    assert!(world.a.desk.heard().is_empty());
    let way = world.crossing().relay.way();
    let now = SystemClock.now();
    way.night(now, &SystemDice).await.unwrap();
    assert!(world.a.desk.heard().is_empty(), "not yet");
    let tomorrow = now.plus(Duration::from_secs(86_400));
    way.night(tomorrow, &SystemDice).await.unwrap();
    way.night(tomorrow, &SystemDice).await.unwrap();
    assert_eq!(world.a.desk.heard().len(), 1, "once");
    assert_eq!(post().await, kept, "and a late repeat is acknowledged and not told");
    way.night(tomorrow.plus(Duration::from_secs(86_400)), &SystemDice).await.unwrap();
    assert_eq!(world.a.desk.heard().len(), 1);
    let mut other = samples::cdr();
    other.energy = charge::units::Energy::from_wh(1);
    let other = world.ask(&world.operator, Some("DE-8AA"), Question::PostCdr(Box::new(other))).await;
    assert!(other.is_err(), "another CDR of the same id is refused while its sender listens");
    world.turn(world.a.party, Measure::NightlyCdrs, false);
    assert_eq!(post().await, kept);
    assert_eq!(world.a.desk.heard().len(), 2, "without the switch it is told at once");
}

#[tokio::test]
async fn m12_who_is_away_at_night_gets_it_when_it_is_back() {
    let world = World::new().await.with_vault().await;
    let away = party("DE-GON");
    world.turn(away, Measure::NightlyCdrs, true);
    let post = Question::PostCdr(Box::new(samples::cdr()));
    assert!(world.ask(&world.operator, Some("DE-GON"), post).await.is_ok());
    let way = world.crossing().relay.way();
    let night = SystemClock.now().plus(Duration::from_secs(86_400));
    way.night(night, &SystemDice).await.unwrap();
    let back = build("DE-GON", Role::Provider, Desk::default(), None, &world.server).await;
    back.peers.admit(BearerDigest::of(secret(world.hub.party, away).expose()), PeerAccess::hub(world.hub.party));
    world.hub.peers.know(super::way(&back, world.hub.party, &world.tls, Duration::from_secs(20)));
    way.night(night, &SystemDice).await.unwrap();
    way.night(night, &SystemDice).await.unwrap();
    assert_eq!(back.desk.heard().len(), 1);
}

#[tokio::test]
async fn m16_an_operator_that_tries_thousands_of_cards_is_stopped_and_nobody_hears_of_one() {
    let world = World::new().await;
    let http = reqwest::Client::builder().tls_backend_preconfigured((*world.tls).clone()).build().unwrap();
    let mine = ocpi::credentials::authorization(&secret(world.operator.party, world.hub.party), false);
    let tap = async |uid: &str| {
        let url = format!("{}/ocpi/2.2.1/sender/tokens/{uid}/authorize", world.hub.base);
        http.post(url).header("authorization", mine.expose()).send().await.unwrap().status().as_u16()
    };
    for number in 0..UNKNOWN_TOKENS_MAX {
        assert_eq!(tap(&format!("{number:014X}")).await, 404);
    }
    assert_eq!(tap("04FFFFFFFFFF80").await, 503, "no more guesses");
    assert_eq!(tap(OWNED).await, 503, "nor does it learn whether one was right");
    assert!(world.a.desk.heard().is_empty() && world.b.desk.heard().is_empty());
    assert!(UNKNOWN_TOKENS_WITHIN >= Duration::from_secs(60));
    let (http, _) = world.send(&world.b, "GET", "sender/locations", None, "").await;
    assert_eq!(http, 200, "nobody else is stopped");
}
