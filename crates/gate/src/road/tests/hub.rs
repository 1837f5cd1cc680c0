//! Through the hub and back.

use charge::Purpose;
use charge::place::EvseStatus;
use charge::talk::road::{OrderResult, RoadFault, StartOrder};
use charge::token::IssuedToken;

use super::*;

pub(super) fn start(order: &str) -> Question {
    Question::Start(StartOrder {
        order: order.parse().unwrap(),
        return_to: None,
        token: IssuedToken {
            party: party("DE-8AA"),
            uid: Personal::new(TokenUid::new("ONETIME").unwrap()),
            kind: TokenKind::AdHocUser,
            contract: Personal::new(ContractId::new("DE-8AA-CONETIME1-X").unwrap()),
            valid: true,
            last_updated: SystemClock.now().whole_seconds(),
        },
        location: "LOC1".parse().unwrap(),
        evse: Some("LOC1-1".parse().unwrap()),
        connector: None,
        reference: None,
    })
}

#[tokio::test]
async fn a_tap_reaches_exactly_the_owner_and_tells_no_place() {
    let world = World::new().await;
    let answer = world.ask(&world.operator, None, Question::MayCharge { token: token(OWNED) }).await.unwrap();
    let Answer::May(verdict) = answer else { panic!("a verdict") };
    assert_eq!((verdict.allowed, verdict.party), (Allowed::Yes, Some(world.a.party)));
    assert_eq!(verdict.contract.unwrap().reveal(Purpose::Authorise).as_str(), "DE-8AA-CONETIME1-X");

    let seen: Vec<Seen> = world.a.seen();
    let tap = seen.iter().find(|seen| seen.path.contains("authorize")).unwrap();
    assert_eq!(tap.body, "");
    assert!(tap.path.ends_with("/sender/tokens/04A2B3C4D5E680/authorize?type=RFID"), "{}", tap.path);
    assert_eq!(tap.headers["x-correlation-id"], "tap-1");
    assert_eq!(tap.headers["ocpi-from-party-id"], "OPA");
    assert_eq!(tap.headers["ocpi-to-party-id"], "8AA");
    let at_hub = world.hub.seen().into_iter().find(|seen| seen.path.contains("authorize")).unwrap();
    assert!(!at_hub.headers.contains_key("ocpi-to-party-id"), "whoever it concerns");
    assert_ne!(at_hub.headers["x-request-id"], tap.headers["x-request-id"], "every hop has its own");
    assert!(world.b.seen().is_empty() && world.b.desk.heard().is_empty());
    assert_eq!(*world.office.fates.lock().unwrap(), [(world.a.party, Fate::Delivered)]);
    let hub_lines: Vec<_> = world.hub.figures.lines().iter().map(|l| (l.direction, l.errand, l.requests)).collect();
    let errand = "POST tokens/{uid}/authorize";
    assert_eq!(hub_lines, [(Direction::In, errand, 1), (Direction::Out, errand, 1)]);
}

#[tokio::test]
async fn a_token_of_nobody_is_refused_and_no_provider_hears_of_it() {
    let world = World::new().await;
    let answer = world.ask(&world.operator, None, Question::MayCharge { token: token("04FFFFFFFFFF80") }).await;
    assert_eq!(answer, Ok(Answer::May(Verdict::bare(Allowed::Unknown))));
    assert!(world.a.desk.heard().is_empty() && world.b.desk.heard().is_empty());
}

#[tokio::test]
async fn an_order_and_its_outcome_travel_through_the_hub_both_ways() {
    let world = World::new().await;
    let ack = world.ask(&world.a, Some("DE-OPA"), start("order-7")).await.unwrap();
    assert_eq!(ack, Answer::Order { ack: OrderAck::Accepted { outcome_within_s: 30 }, message: None });

    let heard = world.operator.desk.heard();
    let [Letter { question: Question::Start(order), from, .. }] = heard.as_slice() else { panic!("one start") };
    assert_eq!(*from, world.a.party);
    let address = order.return_to.clone().unwrap();
    assert!(address.0.starts_with(&world.hub.base), "the operator knows the hub's address only: {}", address.0);
    let arrived = world.operator.seen();
    assert!(arrived.iter().all(|seen| !seen.body.contains(&world.a.base)));
    assert!(arrived[0].body.contains(r#""type":"AD_HOC_USER""#));

    let outcome = Question::Outcome {
        order: None,
        return_to: Some(address),
        result: OrderResult::EvseOccupied,
        message: Some("somebody is charging".to_owned()),
    };
    assert_eq!(world.ask(&world.operator, None, outcome).await, Ok(Answer::Noted));
    let back = world.a.desk.heard();
    let [Letter { question: Question::Outcome { order, result, message, .. }, from, .. }] = back.as_slice() else {
        panic!("one outcome")
    };
    assert_eq!(order.as_ref().unwrap().as_str(), "order-7");
    assert_eq!((*result, message.as_deref()), (OrderResult::EvseOccupied, Some("somebody is charging")));
    assert_eq!(*from, world.operator.party);
    assert!(world.a.seen().iter().all(|seen| !seen.body.contains(&world.operator.base)));
}

#[tokio::test]
async fn the_hubs_own_codes_say_who_cannot_be_reached() {
    let world = World::new().await;
    let ask = |to| world.ask(&world.operator, Some(to), Question::MayCharge { token: token(OWNED) });
    assert_eq!(ask("DE-XXX").await, Err(RoadFault::Denied(Denial::UnknownReceiver)));
    assert_eq!(ask("DE-8ZZ").await, Err(RoadFault::Denied(Denial::ReceiverSilent)));
    assert_eq!(world.silent.desk.heard().len(), 1);
    assert_eq!(ask("DE-GON").await, Err(RoadFault::Denied(Denial::ReceiverUnreachable)));
    let fates = world.office.fates.lock().unwrap().clone();
    assert_eq!(fates, [(world.silent.party, Fate::Silent), (party("DE-GON"), Fate::Unreachable)]);
}

#[tokio::test]
async fn what_is_published_reaches_everyone_in_its_order() {
    let world = World::new().await;
    let statuses = [EvseStatus::Charging, EvseStatus::Available, EvseStatus::Reserved, EvseStatus::OutOfOrder];
    for status in statuses {
        let patch = Question::PatchEvse {
            location: "LOC1".parse().unwrap(),
            evse: "LOC1-1".parse().unwrap(),
            status,
            at: SystemClock.now(),
        };
        assert_eq!(world.ask(&world.operator, None, patch).await, Ok(Answer::Noted));
    }
    for provider in [&world.a, &world.b] {
        let arrived = async {
            while provider.desk.heard().len() < statuses.len() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), arrived).await.unwrap();
        let heard: Vec<EvseStatus> = provider
            .desk
            .heard()
            .iter()
            .filter_map(|letter| match &letter.question {
                Question::PatchEvse { status, .. } if letter.from == world.operator.party => Some(*status),
                _ => None,
            })
            .collect();
        assert_eq!(heard, statuses);
    }
}

#[tokio::test]
async fn a_list_is_asked_of_the_hub_and_its_link_leads_back_to_it() {
    let world = World::new().await;
    let answer = world.ask(&world.a, None, Question::Locations(PageWish::default())).await.unwrap();
    let Answer::Locations(page) = answer else { panic!("locations") };
    assert_eq!((page.items.len(), page.total, page.next), (0, 2, Some(1)));
    assert_eq!(page.complaints, ["/data/0/country_code is missing"]);
    assert_eq!(world.hub.seen().last().unwrap().headers["ocpi-to-party-id"], "HUB");
}

#[tokio::test]
async fn an_address_of_somebody_else_is_never_called() {
    let world = World::new().await;
    let outcome = |url: &str| Question::Outcome {
        order: None,
        return_to: Some(ReturnAddress(url.to_owned())),
        result: OrderResult::Accepted,
        message: None,
    };
    let foreign = format!("{}/ocpi/2.2.1/sender/commands/START_SESSION/x", world.a.base);
    assert_eq!(world.ask(&world.operator, None, outcome(&foreign)).await, Err(RoadFault::NoRoad));
    let order = format!(r#"{{"response_url": "{foreign}", "session_id": "S1"}}"#);
    let url = format!("{}/ocpi/2.2.1/receiver/commands/STOP_SESSION", world.hub.base);
    let mine = secret(world.b.party, world.hub.party);
    let (http, code, body) = world.raw("POST", &url, mine.expose(), Some(order)).await;
    assert_eq!((http, code), (200, Some(2001)));
    assert!(body["status_message"].as_str().unwrap().starts_with("/response_url"));
    assert!(world.a.seen().is_empty());
}

#[tokio::test]
async fn nobody_writes_in_another_partys_name() {
    let world = World::new().await;
    let mine = secret(world.b.party, world.hub.party);
    let theirs = format!("{}/ocpi/2.2.1/receiver/tariffs/DE/OPA/T1", world.hub.base);
    assert_eq!(world.raw("DELETE", &theirs, mine.expose(), None).await.0, 404);
    assert!(world.office.envelopes.lock().unwrap().is_empty());
    let drop = Question::DropTariff("T1".parse().unwrap());
    assert_eq!(world.ask(&world.operator, None, drop).await, Ok(Answer::Noted));
}

#[tokio::test]
async fn unknown_members_of_a_letter_arrive_as_they_were_written() {
    let world = World::new().await;
    let body = r#"{"country_code": "DE", "x_vendor": {"n": 1.50, "list": null}, "id": "S1"}"#;
    let url = format!("{}/ocpi/2.2.1/receiver/sessions/DE/OPA/S1", world.hub.base);
    let http = reqwest::Client::builder().tls_backend_preconfigured((*world.tls).clone()).build().unwrap();
    let mine = ocpi::credentials::authorization(&secret(world.operator.party, world.hub.party), false);
    let sent = http.put(url).header("authorization", mine.expose()).header("ocpi-to-country-code", "DE");
    let response = sent.header("ocpi-to-party-id", "8AA").body(body).send().await.unwrap();
    assert_eq!(response.headers()["ocpi-from-party-id"], "8AA", "the answer goes the way back");
    let arrived = world.a.seen().into_iter().find(|seen| seen.path.contains("/sessions/")).unwrap();
    assert_eq!(arrived.body, body);
    assert_eq!(ocpi::status::code_of(&response.bytes().await.unwrap()), Some(2001), "and the receiver judges it");
}

/// A CDR with what is mandatory and no more.
const CDR: &str = r#"{
    "country_code": "DE", "party_id": "OPA", "id": "CDR-1",
    "start_date_time": "2026-11-22T15:00:00Z", "end_date_time": "2026-11-22T16:00:00Z",
    "cdr_token": {"country_code": "DE", "party_id": "8AA", "uid": "X1", "type": "RFID", "contract_id": "DE-8AA-CX"},
    "auth_method": "AUTH_REQUEST",
    "cdr_location": {
        "id": "LOC1", "address": "Markt 1", "city": "Ulm", "country": "DEU",
        "coordinates": {"latitude": "48.40000", "longitude": "9.98000"},
        "evse_uid": "LOC1-1", "evse_id": "DE*OPA*E1", "connector_id": "1", "connector_standard": "IEC_62196_T2",
        "connector_format": "SOCKET", "connector_power_type": "AC_3_PHASE"
    },
    "currency": "EUR", "charging_periods": null, "total_cost": {"excl_vat": 4.10},
    "total_energy": 10.0, "total_time": 1, "last_updated": "2026-11-22T16:00:01Z"
}"#;

#[tokio::test]
async fn a_cdr_reaches_its_provider_and_its_address_is_the_hubs() {
    let world = World::new().await;
    let http = reqwest::Client::builder().tls_backend_preconfigured((*world.tls).clone()).build().unwrap();
    let post = |from: PartyId, named: &'static str| {
        let mine = ocpi::credentials::authorization(&secret(from, world.hub.party), false);
        http.post(format!("{}/ocpi/2.2.1/receiver/cdrs", world.hub.base))
            .header("authorization", mine.expose())
            .header("ocpi-from-country-code", "DE")
            .header("ocpi-from-party-id", named)
            .header("ocpi-to-country-code", "DE")
            .header("ocpi-to-party-id", "8AA")
            .body(CDR)
            .send()
    };
    let response = post(world.operator.party, "OPA").await.unwrap();
    assert_eq!(response.headers()["location"], format!("{}/ocpi/2.2.1/receiver/cdrs/CDR-1", world.hub.base).as_str());
    let heard = world.a.desk.heard();
    assert!(
        matches!(&heard[0].question, Question::PostCdr(cdr) if cdr.total_cost.before_vat == "4.10".parse().unwrap())
    );

    assert_eq!(post(world.b.party, "OPA").await.unwrap().status(), 403, "a sender that it does not speak for");
    let other = post(world.b.party, "8BB").await.unwrap();
    assert_eq!(other.status(), 403, "the CDR is of another operator, and the provider sees it");
    assert_eq!(world.a.desk.heard().len(), 1);
}

#[tokio::test]
async fn all_records_are_gathered_from_the_operators_that_have_sent_some_and_none_is_left_out_silently() {
    let world = World::new().await;
    let token = secret(world.a.party, world.hub.party);
    let http = reqwest::Client::builder().tls_backend_preconfigured((*world.tls).clone()).build().unwrap();
    let get = async |query: &str| {
        let url = format!("{}/ocpi/2.2.1/sender/cdrs?date_from=2026-01-01T00:00:00Z{query}", world.hub.base);
        let pass = ocpi::credentials::authorization(&token, false);
        let answer = http.get(url).header("authorization", pass.expose()).send().await.unwrap();
        let head = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let heads = [head("x-total-count"), head("x-limit"), head("link")];
        (heads, serde_json::from_slice::<Value>(&answer.bytes().await.unwrap()).unwrap())
    };
    let (heads, none) = get("").await;
    assert_eq!((heads[0].as_deref(), &none["data"]), (Some("0"), &Value::Array(vec![])), "nobody has sent any");

    // a provider has no records to hand out, which is no gap
    *world.office.senders.lock().unwrap() = vec![world.b.party, world.operator.party];
    let (heads, some) = get("&limit=50").await;
    assert_eq!((heads[0].as_deref(), heads[1].as_deref()), (Some("3"), Some("50")));
    assert_eq!(some["data"].as_array().unwrap().len(), 1, "it gives less than it has: the rest is the next page's");
    let link = heads[2].clone().unwrap();
    assert!(
        link.starts_with(&format!("<{}/ocpi/2.2.1/sender/cdrs?", world.hub.base)) && link.contains("offset=1"),
        "{link}"
    );
    let asked = world.operator.seen().into_iter().rfind(|seen| seen.path.contains("/sender/cdrs")).unwrap();
    assert!(asked.path.contains("date_from=2026-01-01T00") && asked.path.contains("limit=50"), "{}", asked.path);
    assert_eq!(asked.headers["ocpi-from-party-id"], "8AA");
    assert_eq!(asked.headers["ocpi-to-party-id"], "OPA");
    let (heads, beyond) = get("&offset=3").await;
    assert_eq!((heads[0].as_deref(), heads[2].as_deref(), &beyond["data"]), (Some("3"), None, &Value::Array(vec![])));

    world.office.senders.lock().unwrap().push(party("DE-NIX"));
    assert_eq!(get("").await.1["status_code"], 4003, "one that is away makes no shorter list");
    let tokens = format!("{}/ocpi/2.2.1/sender/tokens", world.hub.base);
    let mine = secret(world.operator.party, world.hub.party);
    let (http, code, list) = world.raw("GET", &tokens, mine.expose(), None).await;
    assert_eq!((http, code, &list["data"]), (200, Some(1000), &Value::Array(vec![])), "nobody lists cards");
}
