//! Letters cross in every version, what cannot cross is told, and what would change money is refused.

use super::*;
use crate::answer::Answered;
use crate::cross::{self, Noun};
use crate::wire::{Method, Module, Side};

const NOW: charge::Timestamp = charge::Timestamp::from_secs(1_790_000_000);

fn toward(version: Version, place: Option<&str>) -> Toward<'_> {
    Toward { version, base: BASE, place }
}

/// Locations of a session are carried whole in 2.1.1.
fn place() -> String {
    crate::location::write(&location(), &mut Lost::new()).to_string()
}

#[test]
fn every_question_crosses_in_2_3_0_without_loss() {
    for question in questions() {
        let request = ask::request(&letter(question.clone()), toward(Version::V230, None)).unwrap();
        assert_eq!(request.lost, [], "{question:?}");
        let back = heard_in(Version::V230, &request.value).unwrap();
        // only the version in the return address is another one
        match (&back.value, &question) {
            (Question::Start(_) | Question::Stop { .. } | Question::Unlock { .. }, _) => {}
            (heard, asked) => assert_eq!(heard, asked),
        }
    }
}

#[test]
fn prices_of_2_3_0_name_their_taxes() {
    let written = ask::request(&letter(Question::PostCdr(Box::new(cdr()))), toward(Version::V230, None)).unwrap();
    let body: Value = serde_json::from_str(written.value.body.as_ref().unwrap()).unwrap();
    let price = &body["total_cost"];
    assert!(price["excl_vat"].is_null() && price["before_taxes"].is_number(), "{price}");
    assert_eq!(price["taxes"][0]["name"], "VAT");
    assert_eq!(body["tariffs"][0]["tax_included"], "NO");
    judge_230::<ocpi_kit::v2_3_0::cdrs::Cdr>(&body.to_string());
    let tariff = ask::request(&letter(Question::PutTariff(Box::new(tariff()))), toward(Version::V230, None)).unwrap();
    judge_230::<ocpi_kit::v2_3_0::tariffs::Tariff>(tariff.value.body.as_ref().unwrap());
    let session = Question::PutSession(Box::new(session()));
    let session = ask::request(&letter(session), toward(Version::V230, None)).unwrap();
    judge_230::<ocpi_kit::v2_3_0::sessions::Session>(session.value.body.as_ref().unwrap());
}

#[test]
fn what_2_1_1_can_say_arrives_and_the_rest_is_told() {
    let place = place();
    let back_in = |question: &Question| {
        let request = ask::request(&letter(question.clone()), toward(Version::V211, Some(&place))).unwrap();
        (heard_in(Version::V211, &request.value).unwrap().value, request)
    };
    let (heard, request) = back_in(&Question::PutToken(Box::new(token())));
    let Question::PutToken(token) = heard else { panic!("a token") };
    assert_eq!((token.uid, token.contract), (super::token().uid, contract()));
    assert_eq!(token.kind, TokenKind::Other);
    assert!(request.lost.iter().any(|loss| loss.path == "/type"));

    let (heard, request) = back_in(&Question::PutSession(Box::new(session())));
    let Question::PutSession(heard) = heard else { panic!("a session") };
    let sent = session();
    assert_eq!((&heard.id, heard.energy, heard.end), (&sent.id, sent.energy, sent.end));
    assert_eq!((&heard.location, &heard.evse, &heard.connector), (&sent.location, &sent.evse, &sent.connector));
    assert_eq!(heard.token.contract, sent.token.contract);
    assert_eq!(heard.total_cost.unwrap().before_vat, sent.total_cost.unwrap().before_vat);
    assert!(request.lost.iter().any(|loss| loss.path == "/authorization_reference"));
    judge_211::<ocpi_kit::v2_1_1::sessions::Session>(request.value.body.as_ref().unwrap());

    let (heard, request) = back_in(&Question::PostCdr(Box::new(cdr())));
    let Question::PostCdr(heard) = heard else { panic!("a CDR") };
    let sent = cdr();
    assert_eq!((&heard.id, heard.energy, heard.place.evse_id), (&sent.id, sent.energy, sent.place.evse_id));
    assert_eq!(heard.total_cost.before_vat, sent.total_cost.before_vat);
    assert!(request.lost.iter().any(|loss| loss.path == "/signed_data"), "{:?}", request.lost);
    judge_211::<ocpi_kit::v2_1_1::cdrs::Cdr>(request.value.body.as_ref().unwrap());

    let (heard, request) = back_in(&Question::PutLocation(Box::new(location())));
    let Question::PutLocation(heard) = heard else { panic!("a location") };
    assert_eq!((heard.position, heard.evses.len()), (location().position, location().evses.len()));
    assert_eq!(heard.evses[0].capabilities, location().evses[0].capabilities);
    judge_211::<ocpi_kit::v2_1_1::locations::Location>(request.value.body.as_ref().unwrap());
}

#[test]
fn a_crossing_that_would_change_money_is_refused() {
    let credit = charge::record::Cdr { credit: true, credit_reference: Some("C0".parse().unwrap()), ..cdr() };
    let refused = ask::request(&letter(Question::PostCdr(Box::new(credit))), toward(Version::V211, None));
    assert_eq!(refused.unwrap_err().path, "/credit");
    let capped = Tariff { min_price: None, max_price: Some(cdr().total_cost), ..tariff() };
    let refused = ask::request(&letter(Question::PutTariff(Box::new(capped))), toward(Version::V211, None));
    assert_eq!(refused.unwrap_err().path, "/max_price");
    let soon = tariff().last_updated.plus(std::time::Duration::from_secs(86_400));
    for (tariff, path) in [
        (Tariff { valid_from: Some(soon), ..tariff() }, "/start_date_time"),
        (Tariff { valid_until: Some(soon), ..tariff() }, "/end_date_time"),
    ] {
        let uncapped = Tariff { min_price: None, max_price: None, ..tariff };
        let refused = ask::request(&letter(Question::PutTariff(Box::new(uncapped))), toward(Version::V211, None));
        assert_eq!(refused.unwrap_err().path, path);
    }
    for (word, taken) in [("REGULAR", true), ("AD_HOC_PAYMENT", false)] {
        let mut kind = crate::parse(format!(r#"{{"id":"T","type":"{word}","elements":[]}}"#).as_bytes()).unwrap();
        let lowered = cross::lower(Version::V211, Noun::Tariff, &mut kind, Beside::default(), &mut Lost::new());
        assert_eq!(lowered.is_ok(), taken, "{word}");
    }
    let nowhere = ask::request(&letter(Question::PutSession(Box::new(session()))), toward(Version::V211, None));
    assert_eq!(nowhere.unwrap_err().path, "/location");
    let mut taxed = crate::parse(br#"{"tax_included":"YES"}"#).unwrap();
    let refused = cross::lift(Version::V230, Noun::Tariff, &mut taxed, Beside::default(), &mut Lost::new());
    assert_eq!(refused.unwrap_err().path, "/tax_included");
    let profile = profile(ProfileWish::Clear, None);
    assert!(ask::request(&letter(profile), toward(Version::V211, None)).is_err(), "no such module");
}

#[test]
fn a_verdict_of_2_1_1_loses_its_contract_and_says_so() {
    let verdict = Verdict { contract: Some(contract()), party: Some(party("DE-8AA")), ..Verdict::bare(Allowed::Yes) };
    let by = Answering { party: party("DE-8AA"), base: BASE, now: at("2026-11-22T15:04:05Z"), version: Version::V211 };
    let asked = Asked::MayCharge(presented(TokenKind::Rfid));
    let reply = answer::write(&asked, Ok(Answer::May(verdict)), by);
    assert!(reply.lost.iter().any(|loss| loss.path == "/token"));
    let answered = Answered { version: Version::V211, beside: Beside::default() };
    let read = answer::read(&asked, &reply.value, answered).unwrap().value;
    assert_eq!(read, Answer::May(Verdict::bare(Allowed::Yes)));
}

#[test]
fn a_vendors_own_members_survive_a_crossing() {
    let mut written: Value = seen(crate::tariff::write(&tariff(), &mut Lost::new()));
    written["x_vendor"] = json!({"deep": [1, 2.50]});
    let text = written.to_string();
    let kind = Kind::PutTariff;
    let there = cross::body(Version::V221, Version::V230, kind, text.as_bytes(), Beside::default()).unwrap().value;
    let there = there.unwrap();
    let back = cross::body(Version::V230, Version::V221, kind, there.as_bytes(), Beside::default()).unwrap().value;
    assert_eq!(serde_json::from_str::<Value>(&back.unwrap()).unwrap(), written);
    let same = cross::body(Version::V230, Version::V230, kind, there.as_bytes(), Beside::default()).unwrap().value;
    assert_eq!(same, None, "the same version passes byte for byte");
}

#[test]
fn a_part_changes_the_whole_in_its_own_version() {
    let kept = place();
    let incoming = |method, rest: &str| {
        let at = (crate::wire::Module::Locations, crate::wire::Side::Receiver);
        Incoming::new(Version::V221, method, at, rest, "").unwrap()
    };
    use crate::wire::Method::{Patch, Put};
    let change = br#"{"name": "New", "last_updated": "2026-11-23T00:00:00Z"}"#;
    let whole = crate::patch::merged(&kept, &incoming(Patch, "DE/OPA/LOC1"), change, NOW).unwrap();
    let value = crate::parse(whole.as_bytes()).unwrap();
    let read = crate::location::read(&At::root(&value), &mut Lost::new()).unwrap();
    let wanted = Location { name: Some("New".into()), last_updated: at("2026-11-23T00:00:00Z"), ..location() };
    assert_eq!(read, wanted);

    let undated = crate::patch::merged(&kept, &incoming(Patch, "DE/OPA/LOC1"), br#"{"name": "New"}"#, NOW);
    assert!(matches!(undated, Err(Denial::Malformed { path, .. }) if &*path == "/last_updated"));
    let nobody = crate::patch::merged(&kept, &incoming(Patch, "DE/OPA/LOC1/NONE"), change, NOW);
    assert_eq!(nobody, Err(Denial::UnknownObject));
    let evse = br#"{"uid": "NEW-1", "status": "AVAILABLE", "connectors": [], "last_updated": "2026-11-23T00:00:00Z"}"#;
    let whole = crate::patch::merged(&kept, &incoming(Put, "DE/OPA/LOC1/NEW-1"), evse, NOW).unwrap();
    assert!(whole.contains("NEW-1") && whole.contains(location().evses[0].uid.as_str()));
    let other = crate::patch::merged(&kept, &incoming(Put, "DE/OPA/LOC1/OTHER"), evse, NOW);
    assert!(matches!(other, Err(Denial::Malformed { .. })), "the URL names another EVSE");
    let one = [location().evses[0].uid.as_str().to_owned()];
    assert!(crate::patch::picked(&kept, &one).unwrap().contains("connectors"));
    assert_eq!(crate::patch::picked(&kept, &["NONE".to_owned()]), Err(Denial::UnknownObject));
}

#[test]
fn a_change_of_a_session_that_comes_twice_changes_it_once() {
    let kept = crate::session::write(&session(), &mut Lost::new()).unwrap().to_string();
    let at = (crate::wire::Module::Sessions, crate::wire::Side::Receiver);
    let incoming = Incoming::new(Version::V221, crate::wire::Method::Patch, at, "DE/OPA/S1", "").unwrap();
    let change = |at: &str| {
        let change = json!({"kwh": 99.5, "last_updated": at, "charging_periods": [
            {"start_date_time": "2026-11-23T00:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 1.5}]}]});
        change.to_string()
    };
    let merged = |kept: &str, at| crate::patch::merged(kept, &incoming, change(at).as_bytes(), NOW).unwrap();
    let once = merged(&kept, "2027-01-01T00:00:00Z");
    let read = |text: &str| {
        let value = crate::parse(text.as_bytes()).unwrap();
        crate::session::read(&At::root(&value), &mut Lost::new()).unwrap()
    };
    assert_eq!(read(&once).periods.len(), session().periods.len() + 1);
    assert_eq!(merged(&once, "2027-01-01T00:00:00.000"), once, "the same again, whatever its spelling");
    assert_eq!(merged(&once, "2020-01-01T00:00:00Z"), once, "one that was overtaken");
    assert_eq!(read(&merged(&once, "2027-01-01T00:00:01Z")).periods.len(), session().periods.len() + 2);
}

/// A location, a session and a CDR as partners of 2.1.1 send them.
const PLACE_211: &str = r#"{
    "id": "LOC1", "type": "UNKNOWN", "address": "Markt 1", "city": "Ulm", "postal_code": "89073", "country": "DEU",
    "coordinates": {"latitude": "48.400000", "longitude": "9.980000"}, "time_zone": "Europe/Berlin",
    "evses": [{"uid": "E1", "evse_id": "DE*OPA*E1", "status": "AVAILABLE", "last_updated": "2026-11-22T15:00:00Z",
        "connectors": [{"id": "1", "standard": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_3_PHASE",
            "voltage": 230, "amperage": 32, "tariff_id": "T1", "last_updated": "2026-11-22T15:00:00Z"}]}],
    "last_updated": "2026-11-22T15:00:00Z"
}"#;

fn record_211(first: &str, last: &str) -> String {
    format!(
        r#"{{"id": "S1", "{first}": "2026-11-22T15:00:00Z", "{last}": "2026-11-22T16:00:00Z", "kwh": 10.5,
        "auth_id": "DE8AACCK3F9Q2Z", "auth_method": "WHITELIST", "location": {PLACE_211}, "currency": "EUR",
        "charging_periods": [{{"start_date_time": "2026-11-22T15:00:00Z",
            "dimensions": [{{"type": "ENERGY", "volume": 10.5}}]}}],
        "total_cost": 4.10, "total_energy": 10.5, "total_time": 1.0, "status": "COMPLETED",
        "last_updated": "2026-11-22T16:00:01Z"}}"#
    )
}

#[test]
fn what_is_lifted_from_2_1_1_is_a_document_of_the_other_versions() {
    let beside = Beside { owner: Some(party("DE-OPA")), payer: Some(party("DE-8BB")), ..Beside::default() };
    let lifted = |to, kind, text: &str| cross::body(Version::V211, to, kind, text.as_bytes(), beside).unwrap().value;
    let (session, cdr) =
        (record_211("start_datetime", "end_datetime"), record_211("start_date_time", "stop_date_time"));
    let in_221 = |kind, text: &str| lifted(Version::V221, kind, text).unwrap();
    judge_230::<ocpi_kit::v2_2_1::Location>(&in_221(Kind::PutLocation, PLACE_211));
    judge_230::<ocpi_kit::v2_2_1::Session>(&in_221(Kind::PutSession, &session));
    judge_230::<ocpi_kit::v2_2_1::Cdr>(&in_221(Kind::PostCdr, &cdr));
    let in_230 = |kind, text: &str| lifted(Version::V230, kind, text).unwrap();
    judge_230::<ocpi_kit::v2_3_0::sessions::Session>(&in_230(Kind::PutSession, &session));
    judge_230::<ocpi_kit::v2_3_0::cdrs::Cdr>(&in_230(Kind::PostCdr, &cdr));
    judge_230::<ocpi_kit::v2_3_0::locations::Location>(&in_230(Kind::PutLocation, PLACE_211));

    let seen = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    assert_eq!(seen(in_221(Kind::PostCdr, &cdr))["total_cost"], json!({"excl_vat": 4.10}));
    assert_eq!(seen(in_230(Kind::PutSession, &session))["total_cost"], json!({"before_taxes": 4.10, "taxes": []}));
    assert_eq!(seen(in_221(Kind::PutLocation, PLACE_211)).get("parking_type"), None, "nothing is known of it");
    let payer = &seen(in_221(Kind::PostCdr, &cdr))["cdr_token"]["party_id"];
    assert_eq!(payer, "8AA", "the contract says whose it is, before who is asked");
}

#[test]
fn a_verdict_of_2_1_1_names_the_token_of_its_question() {
    let token = presented(TokenKind::Rfid);
    let beside = Beside { owner: Some(party("DE-8AA")), asked: Some((&token, NOW)), ..Beside::default() };
    let reply = crate::status::success_of_text(r#"{"allowed": "ALLOWED"}"#, NOW);
    for version in [Version::V221, Version::V230] {
        let crossed = cross::reply(Version::V211, version, Kind::MayCharge, reply.clone(), beside).unwrap();
        let envelope: Value = serde_json::from_str(&crossed.value.body).unwrap();
        judge_230::<ocpi_kit::v2_2_1::tokens::AuthorizationInfo>(&envelope["data"].to_string());
        assert_eq!(envelope["data"]["token"]["valid"], true);
    }
}

#[test]
fn kinds_of_places_and_several_tariffs_are_not_guessed_for_2_1_1() {
    let mut written: Value = seen(crate::location::write(&location(), &mut Lost::new()));
    written["parking_type"] = "ALONG_MOTORWAY".into();
    written["evses"][0]["connectors"][0]["tariff_ids"] = json!(["AD-HOC-1", "REG-1"]);
    let text = written.to_string();
    let kind = Kind::PutLocation;
    let lowered = cross::body(Version::V221, Version::V211, kind, text.as_bytes(), Beside::default()).unwrap();
    let body: Value = serde_json::from_str(&lowered.value.unwrap()).unwrap();
    assert_eq!(body["type"], "OTHER");
    assert_eq!(body["evses"][0]["connectors"][0].get("tariff_id"), None);
    let told: Vec<&str> = lowered.lost.iter().map(|loss| &*loss.path).collect();
    assert!(told.contains(&"/parking_type") && told.contains(&"/evses/0/connectors/0/tariff_ids"), "{told:?}");
}

fn judge_230<T: serde::de::DeserializeOwned + Validate>(text: &str) {
    let read: T = serde_json::from_str(text).unwrap_or_else(|fault| panic!("{fault}: {text}"));
    assert_eq!(format!("{:?}", read.validate()), "Ok(())", "{text}");
}

fn judge_211<T: serde::de::DeserializeOwned>(text: &str) {
    serde_json::from_str::<T>(text).unwrap_or_else(|fault| panic!("{fault}: {text}"));
}

#[test]
fn capabilities_that_a_version_does_not_know_are_left_out_and_told() {
    let mut place = location();
    place.evses[0].capabilities = "CONTACTLESS_CARD_SUPPORT RFID_READER".parse().unwrap();
    let question = Question::PutLocation(Box::new(place));
    let old = ask::request(&letter(question), toward(Version::V211, None)).unwrap();
    assert!(old.lost.iter().any(|fault| fault.path == "/evses/0/capabilities"), "{:?}", old.lost);
    let body = old.value.body.unwrap();
    assert!(body.contains(r#""capabilities":["RFID_READER"]"#), "{body}");

    let mut newer = seen(crate::location::write(&location(), &mut Lost::new()));
    newer["evses"][0]["capabilities"] = json!(["RFID_READER", "TELEPATHY"]);
    let mut lost = Lost::new();
    let read = crate::location::read(&At::root(&doc(&newer)), &mut lost).unwrap();
    assert_eq!(read.evses[0].capabilities.to_string(), "RFID_READER");
    assert_eq!(lost[0].path, "/evses/0/capabilities/1");
}

#[test]
fn orders_cross_to_2_1_1_and_back_with_their_answers_and_ends() {
    let crossed = |from, to, kind, text: &str| {
        let crossed = cross::body(from, to, kind, text.as_bytes(), Beside::default()).unwrap();
        let json: Value = serde_json::from_str(&crossed.value.unwrap()).unwrap();
        (json, crossed.lost.iter().map(|loss| loss.path.to_string()).collect::<Vec<_>>())
    };
    let named = r#"{"reservation_id": "R-7", "location_id": "L1"}"#;
    let (number, lost) = crossed(Version::V221, Version::V211, Kind::Reserve, named);
    assert!(number["reservation_id"].as_u64().is_some_and(|id| id <= 0x7fff_ffff), "{number}");
    assert_eq!(lost, ["/reservation_id"]);
    assert_eq!(crossed(Version::V221, Version::V211, Kind::Reserve, named).0, number, "the same name, the same number");
    let (text, lost) = crossed(Version::V211, Version::V221, Kind::Reserve, r#"{"reservation_id": 7}"#);
    assert_eq!((&text["reservation_id"], lost.len()), (&"7".into(), 0));

    let (end, lost) = crossed(Version::V230, Version::V211, Kind::Outcome, r#"{"result": "EVSE_OCCUPIED"}"#);
    assert_eq!((&end["result"], &lost[..]), (&"REJECTED".into(), &["/result".to_owned()][..]));
    let (end, lost) = crossed(Version::V221, Version::V211, Kind::Outcome, r#"{"result": "TIMEOUT"}"#);
    assert_eq!((&end["result"], lost.len()), (&"TIMEOUT".into(), 0));
    let (end, _) = crossed(Version::V211, Version::V221, Kind::Outcome, r#"{"result": "UNKNOWN_SESSION"}"#);
    assert_eq!(end["result"], "FAILED");

    let body = r#"{"data": {"result": "ACCEPTED"}, "status_code": 1000, "timestamp": "2026-11-23T00:00:00Z"}"#;
    let reply = crate::wire::Reply { http: 200, headers: Vec::new(), body: body.to_owned() };
    let said = cross::reply(Version::V211, Version::V221, Kind::Start, reply, Beside::default()).unwrap().value;
    let said: Value = serde_json::from_str(&said.body).unwrap();
    assert_eq!(said["data"]["timeout"], 30, "2.2.1 wants to know how long");
    assert!(!Kind::CancelReservation.is_in(Version::V211) && Kind::Reserve.is_in(Version::V211));
    let cancel = Question::Reservation(charge::talk::road::ReservationOrder {
        order: "O1".parse().unwrap(),
        return_to: None,
        reservation: "7".into(),
        wish: charge::talk::road::ReservationWish::Cancel,
    });
    assert!(ask::request(&letter(cancel), toward(Version::V211, None)).is_err());
}

#[test]
fn the_contract_of_a_car_is_of_another_kind_before_2_3_0() {
    let crossed = |kind, text: &str, at: &str| {
        let crossed = cross::body(Version::V230, Version::V221, kind, text.as_bytes(), Beside::default()).unwrap();
        assert_eq!(
            crossed.lost.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [format!("{at} EMAID is written as OTHER")]
        );
        crossed.value.unwrap()
    };
    let token = r#"{"uid":"DE8AACA2B3C4D5","type":"EMAID","valid":true}"#;
    let read = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    assert_eq!(read(crossed(Kind::PutToken, token, "/type")), read(token.replace("EMAID", "OTHER")));
    for (kind, member) in [(Kind::PutSession, "cdr_token"), (Kind::PostCdr, "cdr_token"), (Kind::Start, "token")] {
        let text = format!(r#"{{"id":"1","{member}":{token}}}"#);
        let written = crossed(kind, &text, &format!("/{member}/type"));
        assert!(written.contains(r#""type":"OTHER""#) && !written.contains("EMAID"), "{written}");
    }
    assert_eq!(cross::query(Version::V221, "type=EMAID&x=1"), "type=OTHER&x=1");
    assert_eq!(cross::query(Version::V211, "type=RFID"), "type=RFID");
    assert_eq!(cross::query(Version::V230, "type=EMAID"), "type=EMAID");
    let heard = hear::lifted(
        &Incoming::new(Version::V230, Method::Put, (Module::Tokens, Side::Receiver), "DE/8AA/X?type=EMAID", "")
            .unwrap(),
        crate::parse(token.as_bytes()).unwrap(),
        Beside::default(),
    );
    assert!(heard.unwrap().value.to_string().contains("EMAID"), "rooms read every kind");
}
