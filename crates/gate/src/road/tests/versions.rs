//! Partners of every version at the same hub, and the interfaces that answer a `GET`.

use charge::talk::road::RoadFault;
use store::Store;

use super::*;
use crate::road::Quirks;

/// The hub speaks one version with a house.
pub(super) fn speaks(world: &World, house: &House, version: Version) {
    let quirks = Quirks { version: Some(version), local: true, ..Quirks::default() };
    let way = fresh(house, world.hub.party, &world.tls).with_quirks(quirks).unwrap();
    world.hub.peers.know(Arc::new(way));
}

pub(super) fn fresh(to: &House, from: PartyId, tls: &Arc<rustls::ClientConfig>) -> Neighbour {
    let peer = Peer {
        party: to.party,
        name: to.party.to_string(),
        versions_url: ocpi::url::versions(&to.base),
        token_out: secret(from, to.party),
        tls: Arc::clone(tls),
    };
    Neighbour::new(peer, RoadLimits::default(), Arc::new(SystemDice)).unwrap()
}

/// A letter of a house that speaks one version with the hub.
pub(super) async fn ask_in(
    world: &World,
    version: Version,
    house: &House,
    to: Option<&str>,
    question: Question,
) -> Result<Answer, RoadFault> {
    let quirks = Quirks { version: Some(version), local: true, ..Quirks::default() };
    let hub = Arc::new(fresh(&world.hub, house.party, &world.tls).with_quirks(quirks).unwrap());
    let client = Client::new(only(hub), world.hub.party, house.base.clone(), Arc::clone(&house.figures))
        .beside(house.desk.clone());
    let correlation = CorrelationId::new("versions-1").unwrap();
    client.ask(Letter { from: house.party, to: to.map(party), correlation, question }).await
}

const ALL: [Version; 3] = [Version::V211, Version::V221, Version::V230];

// cells: ocpi211 ocpi221 ocpi230 > ocpi211 ocpi221 ocpi230: session cdr
#[tokio::test]
async fn a_session_and_a_cdr_cross_between_all_versions() {
    for operator in ALL {
        for provider in ALL {
            let world = World::new().await;
            speaks(&world, &world.a, provider);
            let name = format!("{} to {}", operator.as_str(), provider.as_str());
            // what the operator published is what a receiver of 2.1.1 finds in the session
            let place = Question::PutLocation(Box::new(samples::location()));
            assert_eq!(
                ask_in(&world, operator, &world.operator, None, place.clone()).await,
                Ok(Answer::Noted),
                "{name}"
            );
            let own =
                Letter { from: world.operator.party, to: None, correlation: "c".parse().unwrap(), question: place };
            world.operator.desk.hear(own).await.unwrap();

            let to = operator.has_routing().then_some("DE-8AA");
            let session = Question::PutSession(Box::new(samples::session()));
            assert_eq!(ask_in(&world, operator, &world.operator, to, session).await, Ok(Answer::Noted), "{name}");
            let cdr = Question::PostCdr(Box::new(samples::cdr()));
            let kept = ask_in(&world, operator, &world.operator, to, cdr).await;
            assert_eq!(kept, Ok(Answer::Kept("C1".parse().unwrap())), "{name}");

            let heard = world.a.desk.heard();
            let session = heard.iter().find_map(|letter| match &letter.question {
                Question::PutSession(session) => Some(session),
                _other => None,
            });
            let session = session.unwrap_or_else(|| panic!("{name}: a session"));
            let sent = samples::session();
            assert_eq!((session.energy, &session.location, &session.evse), (sent.energy, &sent.location, &sent.evse));
            assert_eq!(session.token.contract, sent.token.contract, "{name}");
            assert_eq!(session.total_cost.unwrap().before_vat, sent.total_cost.unwrap().before_vat, "{name}");
            let cdr = heard.iter().find_map(|letter| match &letter.question {
                Question::PostCdr(cdr) => Some((letter.from, cdr)),
                _other => None,
            });
            let (from, cdr) = cdr.unwrap_or_else(|| panic!("{name}: a CDR"));
            assert_eq!(from, world.operator.party, "{name}");
            assert_eq!(cdr.total_cost.before_vat, samples::cdr().total_cost.before_vat, "{name}");
            if operator == provider {
                assert_eq!(cdr.place.evse_id, samples::cdr().place.evse_id, "{name}");
            }
        }
    }
}

// cells: ocpi211 ocpi221 ocpi230 > ocpi211 ocpi221 ocpi230: tap
// cells: ocpi221 ocpi230 > ocpi211 ocpi221 ocpi230: remote
#[tokio::test]
async fn a_tap_and_a_start_cross_between_all_versions() {
    for operator in ALL {
        for provider in ALL {
            let world = World::new().await;
            speaks(&world, &world.a, provider);
            speaks(&world, &world.operator, operator);
            let name = format!("{} and {}", operator.as_str(), provider.as_str());
            let tap = Question::MayCharge { token: token(OWNED) };
            let Ok(Answer::May(verdict)) = ask_in(&world, operator, &world.operator, None, tap).await else {
                panic!("{name}: a verdict")
            };
            assert_eq!(verdict.allowed, Allowed::Yes, "{name}");
            // 2.1.1 has no word for the contract
            let told = operator.has_routing() && provider.has_routing();
            assert_eq!(verdict.contract.is_some(), told, "{name}");
            if provider.has_routing() {
                let start = super::hub::start("order-9");
                let ack = ask_in(&world, provider, &world.a, Some("DE-OPA"), start).await;
                assert!(matches!(ack, Ok(Answer::Order { .. })), "{name}: {ack:?}");
                assert!(matches!(world.operator.desk.heard()[0].question, Question::Start(_)), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_part_of_a_location_reaches_providers_as_the_whole() {
    let world = World::new().await;
    let url = format!("{}/ocpi/2.2.1/receiver/locations/DE/OPA/LOC1", world.hub.base);
    let mine = secret(world.operator.party, world.hub.party);
    let patch = r#"{"name": "New name", "last_updated": "2026-11-23T00:00:00Z"}"#;
    let unknown = world.raw("PATCH", &url, mine.expose(), Some(patch.to_owned())).await;
    assert_eq!((unknown.0, unknown.1), (404, Some(2000)), "nothing to change: the sender sends the whole");
    world.ask(&world.operator, None, Question::PutLocation(Box::new(samples::location()))).await.unwrap();
    assert_eq!(world.raw("PATCH", &url, mine.expose(), Some(patch.to_owned())).await.1, Some(1000));
    let status = r#"{"status": "CHARGING", "last_updated": "2026-11-23T00:00:01Z"}"#;
    let evse = format!("{url}/LOC1-1");
    assert_eq!(world.raw("PATCH", &evse, mine.expose(), Some(status.to_owned())).await.1, Some(1000));
    let kept = world.raw("GET", &evse, mine.expose(), None).await.2;
    assert_eq!(kept["data"]["status"], "CHARGING", "the hub's own copy is up to date");
    let connector = world.raw("GET", &format!("{evse}/1"), mine.expose(), None).await.2;
    assert_eq!(connector["data"]["max_voltage"], 230);
    let arrived = async {
        while world.a.desk.heard().len() < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), arrived).await.unwrap();
    let heard = world.a.desk.heard();
    assert!(matches!(&heard[1].question, Question::PutLocation(put) if put.name.as_deref() == Some("New name")));
    assert!(matches!(heard[2].question, Question::PatchEvse { .. }), "a status passes as it is");
}

#[tokio::test]
async fn a_session_is_changed_in_part_and_read_back() {
    let world = World::new().await;
    let url = format!("{}/ocpi/2.2.1/receiver/sessions/DE/OPA/S1", world.hub.base);
    let mine = secret(world.operator.party, world.hub.party);
    let http = |method: &'static str, body: Option<&'static str>| {
        let header = ocpi::credentials::authorization(&mine, false);
        let client = reqwest::Client::builder().tls_backend_preconfigured((*world.tls).clone()).build().unwrap();
        let request = client.request(method.parse().unwrap(), &url).header("authorization", header.expose());
        let request = request.header("ocpi-to-country-code", "DE").header("ocpi-to-party-id", "8AA");
        let request = request.header("ocpi-from-country-code", "DE").header("ocpi-from-party-id", "OPA");
        let request = match body {
            Some(body) => request.body(body),
            None => request,
        };
        async move { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    let patch = r#"{"kwh": 12.5, "last_updated": "2026-11-23T00:00:00Z",
        "charging_periods": [{"start_date_time": "2026-11-23T00:00:00Z", "dimensions": [{"type": "TIME", "volume": 0.1}]}]}"#;
    assert_eq!(http("PATCH", Some(patch)).await["status_code"], 2000, "not known yet");
    world.ask(&world.operator, Some("DE-8AA"), Question::PutSession(Box::new(samples::session()))).await.unwrap();
    assert_eq!(http("PATCH", Some(patch)).await["status_code"], 1000);
    let heard = world.a.desk.heard();
    let Question::PutSession(changed) = &heard[1].question else { panic!("a session") };
    assert_eq!(changed.energy, charge::units::Energy::from_wh(12_500));
    assert_eq!(changed.periods.len(), 2, "new periods are added");
    assert_eq!(http("GET", None).await["data"]["kwh"], 12.5);
}

/// A hub with this store, and provider A of 2.1.1.
async fn restarted(store: &Store) -> World {
    let world = World::new().await;
    world.keep_vault_in(store.clone()).await;
    speaks(&world, &world.a, Version::V211);
    world
}

#[tokio::test]
async fn a_stop_of_2_1_1_finds_its_operator_after_a_restart() {
    let store = Store::in_memory(&[]).unwrap();
    let before = restarted(&store).await;
    let place = Question::PutLocation(Box::new(samples::location()));
    before.ask(&before.operator, None, place).await.unwrap();
    let session = Question::PutSession(Box::new(samples::session()));
    assert_eq!(before.ask(&before.operator, Some("DE-8AA"), session).await, Ok(Answer::Noted));
    drop(before);

    let after = restarted(&store).await;
    let stop = |session: &str| Question::Stop {
        order: "order-1".parse().unwrap(),
        return_to: None,
        session: session.parse().unwrap(),
    };
    let told = ask_in(&after, Version::V211, &after.a, None, stop("s1")).await;
    assert!(matches!(told, Ok(Answer::Order { ack: OrderAck::Accepted { .. }, .. })), "{told:?}");
    assert!(matches!(after.operator.desk.questions().as_slice(), [Question::Stop { .. }]));
    assert!(ask_in(&after, Version::V211, &after.a, None, stop("S2")).await.is_err(), "nobody told of it");
    assert!(ask_in(&after, Version::V211, &after.b, None, stop("S1")).await.is_err(), "somebody else's session");
}

#[tokio::test]
async fn lists_of_one_party_pass_and_their_links_are_the_hubs() {
    let world = World::new().await;
    let wish = Wanted::Cdrs(PageWish { limit: 1, ..PageWish::default() });
    let answer = world.ask(&world.a, Some("DE-OPA"), Question::Fetch(wish)).await.unwrap();
    let Answer::Found(found) = answer else { panic!("found") };
    let Found::Cdrs(page) = *found else { panic!("CDRs") };
    assert_eq!((page.items.len(), page.total, page.next), (1, 3, Some(1)));
    let answer = world.ask(&world.a, None, Question::Fetch(Wanted::Sessions(PageWish::default()))).await.unwrap();
    assert!(matches!(answer, Answer::Found(found) if matches!(&*found, Found::Sessions(page) if page.total == 0)));
    assert!(world.operator.seen().iter().filter(|seen| seen.path.contains("sessions")).count() == 0);
    let mine = secret(world.a.party, world.hub.party);
    let url = format!("{}/ocpi/2.2.1/sender/hubclientinfo", world.hub.base);
    let clients = world.raw("GET", &url, mine.expose(), None).await;
    assert_eq!(clients.2["data"][0]["party_id"], "OPA");
}

/// What a provider gets that asks the hub for all: the header of the total, the ids, and the list.
async fn all_of(world: &World, version: &str, what: &str) -> (String, Vec<String>, Value, Option<String>) {
    let token = secret(world.a.party, world.hub.party);
    let http = reqwest::Client::builder().tls_backend_preconfigured((*world.tls).clone()).build().unwrap();
    let url = format!("{}/ocpi/{version}/sender/{what}", world.hub.base);
    let pass = ocpi::credentials::authorization(&token, false);
    let answer = http.get(url).header("authorization", pass.expose()).send().await.unwrap();
    let head = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (total, link) = (head("x-total-count").unwrap(), head("link"));
    let list: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let ids = list["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
    (total, ids, list["data"].clone(), link)
}

#[tokio::test]
async fn all_sessions_are_gathered_in_2_1_1_with_their_places() {
    let world = World::new().await;
    *world.office.senders.lock().unwrap() = vec![world.operator.party];
    let session = |id: &str| charge::record::Session { id: id.parse().unwrap(), ..samples::session() };
    *world.operator.desk.sessions.lock().unwrap() = vec![session("S1"), session("S2")];
    let query = "sessions?date_from=2026-01-01T00:00:00Z";
    let (total, ids, ..) = all_of(&world, "2.1.1", query).await;
    assert_eq!((total.as_str(), ids.len()), ("0", 0), "at a place that nobody published");
    let told = world.office.lost.lock().unwrap().clone();
    assert!(told.iter().any(|(from, to, what)| {
        (*from, *to) == (world.operator.party, world.a.party) && what.starts_with("/location ")
    }));
    assert_eq!(all_of(&world, "2.2.1", query).await.0, "2");

    let place = Question::PutLocation(Box::new(samples::location()));
    world.ask(&world.operator, None, place).await.unwrap();
    let (total, ids, list, _) = all_of(&world, "2.1.1", query).await;
    assert_eq!((total.as_str(), ids), ("2", vec!["S1".to_owned(), "S2".to_owned()]));
    assert_eq!((&list[0]["location"]["id"], &list[0]["auth_id"]), (&"LOC1".into(), &"DE-8AA-CONETIME1-X".into()));
    assert_eq!(list[0]["location"]["evses"][0]["uid"], "LOC1-1");
}

#[tokio::test]
async fn what_has_no_form_leaves_no_gap_between_pages() {
    let world = World::new().await;
    *world.office.senders.lock().unwrap() = vec![world.operator.party];
    let cdr = |id: &str, credit| charge::record::Cdr {
        id: id.parse().unwrap(),
        credit,
        credit_reference: credit.then(|| "C1".parse().unwrap()),
        ..samples::cdr()
    };
    *world.operator.desk.cdrs.lock().unwrap() =
        vec![cdr("C1", false), cdr("C2", true), cdr("C3", false), cdr("C4", false)];
    let query = "cdrs?date_from=2026-01-01T00:00:00Z";
    let (total, ids, ..) = all_of(&world, "2.1.1", query).await;
    assert_eq!((total.as_str(), ids), ("3", vec!["C1".to_owned(), "C3".to_owned(), "C4".to_owned()]));
    let (total, ids, _, link) = all_of(&world, "2.1.1", &format!("{query}&limit=2")).await;
    assert_eq!((total.as_str(), ids), ("4", vec!["C1".to_owned()]));
    assert!(link.unwrap().contains("offset=2"), "the place of the credit is counted");
    let (total, ids, _, link) = all_of(&world, "2.1.1", &format!("{query}&limit=2&offset=2")).await;
    assert_eq!((total.as_str(), ids, link), ("4", vec!["C3".to_owned(), "C4".to_owned()], None));
}

#[tokio::test]
async fn a_hub_stands_for_the_other_side_where_there_are_no_sides() {
    let world = World::new().await;
    let details = |house: &House| {
        let token = secret(house.party, world.hub.party);
        let url = format!("{}/ocpi/2.1.1", world.hub.base);
        let world = &world;
        async move { world.raw("GET", &url, token.expose(), None).await.2["data"]["endpoints"].to_string() }
    };
    let to_operator = details(&world.operator).await;
    assert!(to_operator.contains("/receiver/cdrs") && to_operator.contains("/sender/tokens"), "{to_operator}");
    let to_provider = details(&world.a).await;
    assert!(to_provider.contains("/sender/cdrs") && to_provider.contains("/receiver/tokens"), "{to_provider}");
    assert!(!to_provider.contains("role") && !to_provider.contains("hubclientinfo"));
}
