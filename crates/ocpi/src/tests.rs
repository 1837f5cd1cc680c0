//! Everything crosses and comes back; the independent models accept what we write; the standard's examples are read.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bookings;
mod examples;
mod versions;

use std::path::Path;

use charge::id::{CorrelationId, OrderId, PartyId};
use charge::money::Money;
use charge::place::{EvseStatus, Location};
use charge::record::Nature;
use charge::talk::road::{
    ActiveProfile, Answer, Denial, Letter, OrderAck, OrderResult, Page, PageWish, PowerProfile, ProfileOrder,
    ProfileResult, ProfileUnit, ProfileWish, Question, ReservationOrder, ReservationWish, ReturnAddress, RoadFault,
    StartOrder, Wanted,
};
use charge::tariff::Tariff;
use charge::token::{Allowed, TokenKind, Verdict};
use charge::units::Energy;
use ocpi_kit::types::Validate;
use serde_json::{Value, json};

use crate::answer::{self, Answered, Answering};
use crate::ask::{self, Asked, Toward};
use crate::cross::Beside;
use crate::read::{At, Crossed, Lost};
use crate::samples::{at, cdr, contract, location, presented, session, tariff, token, uid};
use crate::wire::{Incoming, Kind, Reply, Request, Target};
use crate::{Version, hear, status};

const BASE: &str = "https://party.example:8443";

fn party(text: &str) -> PartyId {
    text.parse().unwrap()
}

fn letter(question: Question) -> Letter {
    Letter { from: party("DE-OPA"), to: None, correlation: CorrelationId::new("c1").unwrap(), question }
}

fn order() -> OrderId {
    OrderId::new("order-1").unwrap()
}

fn named(_: &ReturnAddress) -> Option<OrderId> {
    Some(order())
}

const TOWARD: Toward<'static> = Toward { version: Version::V221, base: BASE, place: None };

fn sent(question: &Question) -> Crossed<Request> {
    ask::request(&letter(question.clone()), TOWARD).unwrap()
}

fn answered() -> Answered<'static> {
    Answered { version: Version::V221, beside: Beside::default() }
}

fn body_of(request: &Request) -> Value {
    request.body.as_ref().map_or(Value::Null, |body| serde_json::from_str(body).unwrap())
}

/// As a partner would see it, to be spoiled.
fn seen(written: crate::write::Doc) -> Value {
    serde_json::from_str(&written.to_string()).unwrap()
}

fn heard(request: &Request) -> Result<Crossed<Question>, Denial> {
    heard_in(Version::V221, request)
}

fn heard_in(version: Version, request: &Request) -> Result<Crossed<Question>, Denial> {
    let (at, rest) = match &request.target {
        Target::Endpoint { module, side, rest } => ((*module, *side), rest.as_str()),
        Target::Address(url) => {
            let rest = url.split_once("/sender/").unwrap().1;
            let (module, rest) = rest.split_at(rest.find('/').unwrap());
            ((crate::wire::Module::named(module).unwrap(), crate::wire::Side::Sender), rest)
        }
    };
    let incoming = Incoming::new(version, request.method, at, rest, &request.query)?;
    assert_eq!(incoming.kind, request.kind);
    let owner = incoming.owner().transpose()?.unwrap_or(party("DE-OPA"));
    let beside = Beside { owner: Some(owner), payer: Some(party("DE-8AA")), ..Beside::default() };
    let body =
        hear::lifted(&incoming, hear::body(request.body.as_deref().unwrap_or_default().as_bytes())?, beside)?.value;
    hear::question(&incoming, &body, party("DE-OPA"), &named)
}

fn profile(wish: ProfileWish, return_to: Option<ReturnAddress>) -> Question {
    Question::Profile(ProfileOrder { order: order(), return_to, session: "S1".parse().unwrap(), wish })
}

fn plan() -> Box<ActiveProfile> {
    let calculated = at("2026-11-22T16:04:05Z");
    let periods = vec![(0, crate::samples::exact("16.5")), (900, crate::samples::exact("6"))];
    let profile = PowerProfile {
        start: Some(calculated),
        duration_s: Some(3_600),
        unit: ProfileUnit::Amperes,
        min_rate: None,
        periods,
    };
    Box::new(ActiveProfile { calculated, profile })
}

fn questions() -> Vec<Question> {
    let back =
        Some(ReturnAddress(crate::url::callback(BASE, Version::V221, charge::talk::road::OrderKind::Start, &order())));
    let wish = PageWish {
        changed_since: Some(at("2026-11-22T15:04:05Z")),
        changed_before: Some(at("2026-11-23T15:04:05Z")),
        offset: 50,
        limit: 25,
    };
    vec![
        Question::MayCharge { token: presented(TokenKind::Rfid) },
        Question::Start(StartOrder {
            order: order(),
            return_to: back.clone(),
            token: token(),
            location: "LOC1".parse().unwrap(),
            evse: Some("LOC1-1".parse().unwrap()),
            connector: Some("1".parse().unwrap()),
            reference: Some("REF-1".parse().unwrap()),
        }),
        Question::Stop { order: order(), return_to: back.clone(), session: "S1".parse().unwrap() },
        Question::Unlock {
            order: order(),
            return_to: back.clone(),
            location: "LOC1".parse().unwrap(),
            evse: "LOC1-1".parse().unwrap(),
            connector: "1".parse().unwrap(),
        },
        Question::PutSession(Box::new(session())),
        Question::PostCdr(Box::new(cdr())),
        Question::PutLocation(Box::new(location())),
        Question::PatchEvse {
            location: "LOC1".parse().unwrap(),
            evse: "LOC1-1".parse().unwrap(),
            status: EvseStatus::Charging,
            at: at("2026-11-22T15:04:05Z"),
        },
        Question::PutTariff(Box::new(tariff())),
        Question::DropTariff("T1".parse().unwrap()),
        Question::PutToken(Box::new(token())),
        Question::Locations(wish),
        Question::Tariffs(PageWish::default()),
        Question::Fetch(Wanted::Sessions(wish)),
        Question::Fetch(Wanted::Cdrs(wish)),
        Question::Fetch(Wanted::Tokens(wish)),
        Question::Fetch(Wanted::Location { owner: party("DE-OPA"), id: "LOC1".parse().unwrap() }),
        Question::Fetch(Wanted::Session { owner: party("DE-OPA"), id: "S1".parse().unwrap() }),
        Question::Fetch(Wanted::Tariff { owner: party("DE-OPA"), id: "T1".parse().unwrap() }),
        Question::Fetch(Wanted::Cdr { owner: party("DE-OPA"), id: "C1".parse().unwrap() }),
        Question::Fetch(Wanted::Token { owner: party("DE-8AA"), token: presented(TokenKind::AdHocUser) }),
        Question::Reservation(ReservationOrder {
            order: order(),
            return_to: back.clone(),
            reservation: "R1".into(),
            wish: ReservationWish::Make {
                token: Box::new(token()),
                until: at("2026-11-22T16:04:05Z"),
                location: "LOC1".parse().unwrap(),
                evse: Some("LOC1-1".parse().unwrap()),
                reference: Some("REF-1".parse().unwrap()),
            },
        }),
        Question::Reservation(ReservationOrder {
            order: order(),
            return_to: back.clone(),
            reservation: "R1".into(),
            wish: ReservationWish::Cancel,
        }),
        profile(ProfileWish::Clear, back.clone()),
        profile(ProfileWish::Show { duration_s: 900 }, back.clone()),
        profile(
            ProfileWish::Set(PowerProfile {
                start: Some(at("2026-11-22T16:04:05Z")),
                duration_s: Some(3_600),
                unit: ProfileUnit::Watts,
                min_rate: Some(crate::samples::exact("6.5")),
                periods: vec![(0, crate::samples::exact("11000")), (900, crate::samples::exact("3680.5"))],
            }),
            back,
        ),
        Question::Plan { session: "S1".parse().unwrap(), plan: plan() },
    ]
}

#[test]
fn every_question_crosses_without_loss() {
    for question in questions() {
        let request = sent(&question);
        assert_eq!(request.lost, [], "{question:?}");
        let back = heard(&request.value).unwrap();
        assert_eq!(back, Crossed { value: question, lost: Lost::new() });
    }
}

#[test]
fn an_outcome_leaves_with_an_address_and_arrives_with_an_order() {
    let address = crate::url::callback(BASE, Version::V221, charge::talk::road::OrderKind::Start, &order());
    for result in [OrderResult::Accepted, OrderResult::TimedOut, OrderResult::EvseOccupied] {
        let message = Some("the car is not plugged".to_owned());
        let out = Question::Outcome {
            order: None,
            return_to: Some(ReturnAddress(address.clone())),
            result,
            message: message.clone(),
        };
        let arrived = Question::Outcome { order: Some(order()), return_to: None, result, message };
        assert_eq!(heard(&sent(&out).value).unwrap().value, arrived);
    }
    let lost = Question::Outcome { order: Some(order()), return_to: None, result: OrderResult::Failed, message: None };
    assert!(ask::request(&letter(lost), TOWARD).is_err());
}

#[test]
fn what_a_station_said_and_plans_of_power_crosses_in_both_versions() {
    let address = crate::url::callback(BASE, Version::V221, charge::talk::road::OrderKind::Profile, &order());
    for version in [Version::V221, Version::V230] {
        for (result, plan) in [
            (ProfileResult::Accepted, Some(plan())),
            (ProfileResult::Accepted, None),
            (ProfileResult::Rejected, None),
            (ProfileResult::Unknown, None),
        ] {
            let return_to = Some(ReturnAddress(address.clone()));
            let out = Question::ProfileOutcome { order: None, return_to, result, plan: plan.clone() };
            let arrived = Question::ProfileOutcome { order: Some(order()), return_to: None, result, plan };
            let request = ask::request(&letter(out), Toward { version, ..TOWARD }).unwrap().value;
            assert_eq!(heard_in(version, &request).unwrap(), Crossed { value: arrived, lost: Lost::new() });
        }
    }
    let old = Toward { version: Version::V211, ..TOWARD };
    assert!(ask::request(&letter(Question::Plan { session: "S1".parse().unwrap(), plan: plan() }), old).is_err());
}

#[test]
fn may_charge_has_no_body_and_its_debug_form_no_uid() {
    let request = sent(&Question::MayCharge { token: presented(TokenKind::Rfid) }).value;
    assert_eq!(request.body, None);
    assert_eq!(request.query, "type=RFID");
    let Target::Endpoint { rest, .. } = &request.target else { panic!("an endpoint") };
    assert_eq!(rest, "/04A2%2FB3%20C4/authorize");
    assert_eq!(format!("{request:?}"), "(Post POST tokens/{uid}/authorize)");
}

#[test]
fn a_start_tells_a_one_time_token_that_must_always_be_asked_about() {
    let body = body_of(&sent(&questions()[1]).value);
    assert_eq!(body["token"]["type"], "AD_HOC_USER");
    assert_eq!(body["token"]["whitelist"], "NEVER");
}

#[test]
fn the_independent_models_accept_everything_that_we_write() {
    fn judge<T: serde::de::DeserializeOwned + Validate>(body: &str) {
        let read: T = serde_json::from_str(body).unwrap();
        read.validate().unwrap();
    }
    for question in questions() {
        let request = sent(&question).value;
        let body = request.body.clone().unwrap_or_default();
        match request.kind {
            Kind::Start => judge::<ocpi_kit::v2_2_1::commands::StartSession>(&body),
            Kind::Stop => judge::<ocpi_kit::v2_2_1::commands::StopSession>(&body),
            Kind::Unlock => judge::<ocpi_kit::v2_2_1::commands::UnlockConnector>(&body),
            Kind::PutSession => judge::<ocpi_kit::v2_2_1::Session>(&body),
            Kind::PostCdr => judge::<ocpi_kit::v2_2_1::Cdr>(&body),
            Kind::PutLocation => judge::<ocpi_kit::v2_2_1::Location>(&body),
            Kind::PutTariff => judge::<ocpi_kit::v2_2_1::Tariff>(&body),
            Kind::PutToken => judge::<ocpi_kit::v2_2_1::Token>(&body),
            Kind::Reserve => judge::<ocpi_kit::v2_2_1::commands::ReserveNow>(&body),
            Kind::CancelReservation => judge::<ocpi_kit::v2_2_1::commands::CancelReservation>(&body),
            Kind::SetProfile => judge::<ocpi_kit::v2_2_1::charging_profiles::SetChargingProfile>(&body),
            Kind::Plan => judge::<ocpi_kit::v2_2_1::charging_profiles::ActiveChargingProfile>(&body),
            _without_a_body => {}
        }
    }
    let verdict = Verdict { contract: Some(contract()), ..Verdict::bare(Allowed::Yes) };
    let reply = said(&Asked::MayCharge(presented(TokenKind::Rfid)), Ok(Answer::May(verdict))).value;
    let envelope: Value = serde_json::from_str(&reply.body).unwrap();
    judge::<ocpi_kit::v2_2_1::tokens::AuthorizationInfo>(&envelope["data"].to_string());
}

fn said(asked: &Asked, result: Result<Answer, Denial>) -> Crossed<Reply> {
    answer::write(
        asked,
        result,
        Answering { party: party("DE-8AA"), base: BASE, now: at("2026-11-22T15:04:05Z"), version: Version::V221 },
    )
}

#[test]
fn every_answer_crosses_without_loss() {
    let wish = PageWish { limit: 1, ..PageWish::default() };
    let verdict = Verdict {
        contract: Some(contract()),
        party: Some(party("DE-8AA")),
        reference: Some("REF-1".parse().unwrap()),
        ..Verdict::bare(Allowed::Yes)
    };
    let message = Some("sent to the station".to_owned());
    let locations = Page { items: vec![location()], total: 7, next: Some(1), complaints: vec![] };
    let tariffs = Page { items: vec![tariff()], total: 1, next: None, complaints: vec![] };
    let may = Asked::MayCharge(presented(TokenKind::Rfid));
    let blocked = Verdict { party: Some(party("DE-8AA")), ..Verdict::bare(Allowed::Blocked) };
    let answers = [
        (may.clone(), Answer::May(verdict)),
        (may, Answer::May(blocked)),
        (Asked::Order, Answer::Order { ack: OrderAck::Accepted { outcome_within_s: 30 }, message }),
        (Asked::Order, Answer::Order { ack: OrderAck::UnknownSession, message: None }),
        (Asked::Order, Answer::Order { ack: OrderAck::TooOften, message: None }),
        (Asked::Cdr("CDR-1".parse().unwrap()), Answer::Kept("CDR-1".parse().unwrap())),
        (Asked::Notice, Answer::Noted),
        (Asked::Locations(wish), Answer::Locations(locations)),
        (Asked::Tariffs(wish), Answer::Tariffs(tariffs)),
    ];
    for (asked, answer) in answers {
        let reply = said(&asked, Ok(answer.clone()));
        assert_eq!((reply.value.http, reply.lost), (200, Lost::new()));
        assert_eq!(answer::read(&asked, &reply.value, answered()), Ok(Crossed { value: answer, lost: Lost::new() }));
    }
}

#[test]
fn a_verdicts_caps_and_a_cars_kind_are_told_as_lost() {
    let asked = Asked::MayCharge(presented(TokenKind::Rfid));
    let verdict = Verdict {
        energy_cap: Some(Energy::from_wh(1)),
        money_cap: Some(Money::new(1, charge::money::Currency::EUR)),
        ..Verdict::bare(Allowed::Yes)
    };
    let lost: Vec<String> = said(&asked, Ok(Answer::May(verdict))).lost.iter().map(|l| l.path.clone()).collect();
    assert_eq!(lost, ["/energy_cap", "/money_cap"]);
    let car = sent(&Question::MayCharge { token: presented(TokenKind::Emaid) });
    assert_eq!(car.lost[0].to_string(), "/type EMAID is written as OTHER");
}

#[test]
fn every_denial_has_its_codes_and_comes_back_as_itself() {
    let denials = [
        Denial::Malformed { path: "/evses/0".into(), why: "is missing".into() },
        Denial::Incomplete("the location".into()),
        Denial::UnknownLocation,
        Denial::UnknownToken,
        Denial::UnknownObject,
        Denial::NotYours,
        Denial::UnknownReceiver,
        Denial::ReceiverSilent,
        Denial::ReceiverUnreachable,
        Denial::Internal,
        Denial::Overloaded,
        Denial::NotSupported,
    ];
    for denial in denials {
        let reply = said(&Asked::Notice, Err(denial.clone())).value;
        assert_eq!(status::codes(&denial).0, reply.http);
        assert_eq!(status::code_of(reply.body.as_bytes()), Some(status::codes(&denial).1));
        assert_eq!(answer::read(&Asked::Notice, &reply, answered()), Err(RoadFault::Denied(denial)));
    }
    let unknown = said(&Asked::MayCharge(presented(TokenKind::Rfid)), Ok(Answer::May(Verdict::bare(Allowed::Unknown))));
    assert_eq!((unknown.value.http, status::code_of(unknown.value.body.as_bytes())), (404, Some(2004)));
    let read = answer::read(&Asked::MayCharge(presented(TokenKind::Rfid)), &unknown.value, answered()).unwrap().value;
    assert_eq!(read, Answer::May(Verdict::bare(Allowed::Unknown)));
}

#[test]
fn answers_that_are_no_envelopes_are_unreadable_and_refusals_stay_refusals() {
    let reply = |http, body: &str| Reply { http, headers: vec![], body: body.to_owned() };
    let read = |http, body: &str| answer::read(&Asked::Notice, &reply(http, body), answered());
    assert!(matches!(read(200, "<html>"), Err(RoadFault::Unreadable(_))));
    assert!(matches!(read(200, "{}"), Err(RoadFault::Unreadable(_))));
    assert_eq!(read(502, "<html>"), Err(RoadFault::Denied(Denial::ReceiverUnreachable)));
    assert_eq!(read(401, ""), Err(RoadFault::Denied(Denial::NotYours)));
    assert_eq!(read(200, r#"{"status_code": "1000"}"#).unwrap().value, Answer::Noted);
}

fn doc(body: &Value) -> crate::Doc {
    crate::parse(body.to_string().as_bytes()).unwrap()
}

fn read_at<T>(body: &Value, read: impl Fn(&At<'_>, &mut Lost) -> Result<T, crate::Fault>) -> (T, Vec<String>) {
    let mut lost = Lost::new();
    let value = read(&At::root(&doc(body)), &mut lost).map_err(|fault| fault.to_string()).unwrap();
    (value, lost.iter().map(ToString::to_string).collect())
}

#[test]
fn null_lists_are_empty_lists() {
    let mut body = seen(crate::location::write(&location(), &mut Lost::new()));
    body["evses"] = Value::Null;
    body["images"] = Value::Null;
    let (read, lost) = read_at(&body, crate::location::read);
    assert_eq!((read.evses.len(), lost.len()), (0, 0));
    let mut body = seen(crate::session::write(&session(), &mut Lost::new()).unwrap());
    body["charging_periods"] = Value::Null;
    assert_eq!(read_at(&body, crate::session::read).0.periods, []);
    let mut body = seen(crate::tariff::write(&tariff(), &mut Lost::new()));
    body["tariff_alt_text"] = Value::Null;
    body["elements"][0]["restrictions"]["day_of_week"] = Value::Null;
    assert_eq!(read_at(&body, crate::tariff::read).0.text, None);
}

#[test]
fn wrong_types_are_repaired_or_named_with_their_path() {
    let mut body = seen(crate::location::write(&location(), &mut Lost::new()));
    body["coordinates"] = json!({"latitude": 51.962, "longitude": "7.6280001"});
    body["evses"][0]["connectors"][0]["max_voltage"] = json!("230");
    let second = body["evses"][0].clone();
    body["evses"].as_array_mut().unwrap().push(second);
    body["evses"][1]["status"] = json!({"secret": "04A2B3C4"});
    body["evses"][0]["connectors"].as_array_mut().unwrap().push(json!({"id": "2"}));
    let (read, lost) = read_at(&body, crate::location::read);
    assert_eq!(read, location());
    assert_eq!(lost, ["/evses/0/connectors/1/power_type is missing", "/evses/1/status is not a text"]);
    body["coordinates"]["latitude"] = json!("91");
    let fault = crate::location::read(&At::root(&doc(&body)), &mut Lost::new()).unwrap_err();
    assert_eq!(fault.to_string(), "/coordinates is no position on earth");
}

#[test]
fn one_bad_object_does_not_cost_the_page() {
    let good = seen(crate::location::write(&location(), &mut Lost::new()));
    let mut hidden = good.clone();
    hidden["publish"] = json!(false);
    let body = json!({"data": [good, {"id": 7}, hidden], "status_code": 1000, "timestamp": "2026-11-22T15:04:05Z"});
    let headers = vec![
        ("link", "<https://x.example/l?offset=3&limit=3>; rel=\"next\"".to_owned()),
        ("x-total-count", "9".to_owned()),
    ];
    let reply = Reply { http: 200, headers, body: body.to_string() };
    let Answer::Locations(page) =
        answer::read(&Asked::Locations(PageWish::default()), &reply, answered()).unwrap().value
    else {
        panic!("locations")
    };
    assert_eq!((page.items, page.total, page.next), (vec![location()], 9, Some(3)));
    assert_eq!(page.complaints[0], "/data/1/country_code is missing");
    assert_eq!(page.complaints[1], "/data/2/publish is false: what must not be shown is not taken");
}

#[test]
fn a_restriction_that_cannot_be_applied_refuses_the_tariff() {
    let mut body = seen(crate::tariff::write(&tariff(), &mut Lost::new()));
    body["elements"][0]["restrictions"]["max_current"] = json!(16);
    let fault = crate::tariff::read(&At::root(&doc(&body)), &mut Lost::new()).unwrap_err();
    assert_eq!(fault.path, "/elements/0/restrictions/max_current");
    let mut whole = seen(crate::cdr::write(&cdr(), &mut Lost::new()).unwrap());
    whole["tariffs"][0] = body;
    let (read, lost) = read_at(&whole, crate::cdr::read);
    assert_eq!((read.tariff.elements.len(), read.total_cost), (0, cdr().total_cost));
    assert!(lost[0].starts_with("/tariffs/0/elements/0/restrictions/max_current"));
}

#[test]
fn signed_records_cross_byte_for_byte_or_not_at_all() {
    let mut long = cdr();
    long.signed[1].record.bytes = vec![b'x'; 4_000].into();
    let mut lost = Lost::new();
    let body = seen(crate::cdr::write(&long, &mut lost).unwrap());
    assert_eq!(lost[0].path, "/signed_data/signed_values/1");
    let (read, _) = read_at(&body, crate::cdr::read);
    assert_eq!(read.signed, long.signed[..1]);
    assert_eq!(body["signed_data"]["signed_values"][0]["plain_data"], r#"{"FV":"1.0","PG":"T1"}"#);

    let mut raw = seen(crate::cdr::write(&cdr(), &mut Lost::new()).unwrap());
    raw["signed_data"]["signed_values"][0]["signed_data"] = json!("OCMF|{}|{}");
    raw["signed_data"]["signed_values"][1]["signed_data"] = json!("!!");
    let (read, lost) = read_at(&raw, crate::cdr::read);
    assert_eq!((read.signed.len(), read.signed[0].nature), (1, Nature::Start));
    assert_eq!(&*read.signed[0].record.bytes, b"OCMF|{}|{}");
    assert_eq!(lost.len(), 2);
}

#[test]
fn the_url_and_the_body_must_agree() {
    let request = sent(&Question::PutToken(Box::new(token()))).value;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut body = body_of(&request);
        change(&mut body);
        heard(&Request { body: Some(body.to_string()), ..request.clone() })
    };
    assert!(with(&|body| body["uid"] = json!("04a2/b3 c4")).is_ok(), "uids do not know case");
    let denials = [with(&|body| body["uid"] = json!("OTHER")), with(&|body| body["party_id"] = json!("8BB"))];
    for (denial, path) in denials.into_iter().zip(["/uid", "/party_id"]) {
        let Err(Denial::Malformed { path: named, .. }) = denial else { panic!("{path} is refused") };
        assert_eq!(&*named, path);
    }
    let long = crate::samples::presented(TokenKind::Rfid);
    let long = charge::token::PresentedToken { uid: uid(&"A".repeat(37)), ..long };
    assert!(ask::request(&letter(Question::MayCharge { token: long }), TOWARD).is_err());
}

#[test]
fn a_code_is_found_however_it_is_written_and_in_an_envelope_alone() {
    let deep = format!(r#"{{"data":{}{},"status_code":1000}}"#, "[".repeat(40), "]".repeat(40));
    let table = [
        (r#" {"data":[{"status_code":7}],"status_code":2004,"status_message":"x"}"#, Some(2004)),
        (r#"{"status_code":"1000"}"#, Some(1000)),
        (r#"{"status_code":1000.0}"#, Some(1000)),
        (r#"{"status_code":2000,"status_code":1000}"#, Some(1000)),
        (r#"{"status_code":70000}"#, None),
        (r#"{"status_code":null}"#, None),
        (r#"{"data":{"status_code":1000}}"#, None),
        ("[1000]", None),
        ("1000", None),
        (r#"{"status_code":1000"#, None),
        (&deep, None),
        ("", None),
    ];
    for (body, code) in table {
        assert_eq!(status::code_of(body.as_bytes()), code, "{body}");
    }
}
