//! Bookings: the paper's examples read and written, requests both ways, and what one bad part costs.

use charge::id::BookingId;
use charge::record::Cdr;
use charge::talk::road::booking::{
    Booking, BookingAnswer, BookingQuestion, CanceledReason, Canceler, ReservationRequestStatus, ReservationStatus,
    Slot,
};
use charge::talk::road::{Answer, Letter, PageWish, Question};
use charge::tariff::{BookingFees, Fee, Tariff};

use super::{At, Beside, Denial, Lost, Value, party};
use crate::answer::{Answered, Answering};
use crate::ask::{Asked, Toward};
use crate::cross::{self, Noun};
use crate::wire::{Incoming, Method, Module, Reply, Side, Target};
use crate::{Version, answer, ask, booking, hear};

/// `booking_example.json` of the paper, with party ids of three letters: its own have five.
const EXAMPLE: &str = r#"{"id":"12345","country_code":"NL","party_id":"INF","request_id":"RE1222","location_id":"1234",
    "booking_option":{"parking_id":"22314","evse_uid":"3256"},
    "booking_tokens":[{"country_code":"NL","party_id":"INF","uid":"assaD12w3d","type":"RFID","contract_id":"CO124"}],
    "period":{"start_date_time":"2025-03-23T12:00:00Z","end_date_time":"2025-03-23T13:00:00Z","min_power":12,
        "max_power":12,"green_energy_support":false},
    "reservation_status":"RESERVED","authorization_reference":"pp-100100-1948213567",
    "booking_terms":{"rfid_auth_required":true,"token_groups_supported":false,"remote_auth_supported":true,
        "supported_access_methods":["LICENSE_PLATE","ACCESS_CODE"],"change_until_minutes":200,
        "cancel_until_minutes":600,"change_not_allowed":false,"early_start_allowed":true,"early_start_time":20,
        "noshow_timeout":25,"late_stop_allowed":false,"overlapping_bookings_allowed":true,
        "booking_terms":"https://example.com/booking-a-charger"},
    "booking_requests":[{"request_status":"ACCEPTED","booking_request":{"country_code":"NL","party_id":"INF",
        "request_id":"RE1222","location_id":"1234","booking_option":{"evse_uid":"3256"},
        "period":{"start_date_time":"2025-03-23T12:00:00Z","end_date_time":"2025-03-23T13:00:00Z"},
        "authorization_reference":"pp-100100-1948213567"},"request_received":"2024-12-05T20:02:13Z"}],
    "last_updated":"2024-12-05T20:02:13Z"}"#;

fn example() -> Booking {
    let doc = crate::parse(EXAMPLE.as_bytes()).unwrap();
    booking::read(&At::root(&doc), &mut Lost::new()).unwrap()
}

fn ask_it(question: BookingQuestion, from: &str) -> crate::wire::Request {
    let correlation = charge::id::CorrelationId::new("c").unwrap();
    let letter =
        Letter { from: party(from), to: Some(party("NL-INF")), correlation, question: Question::Booking(question) };
    let toward = Toward { version: Version::V230, base: "https://here.example", place: None };
    ask::request(&letter, toward).unwrap().value
}

/// A request as the other side hears it.
fn heard(request: &crate::wire::Request) -> (Question, Incoming) {
    let Target::Endpoint { module, side, rest } = &request.target else { panic!("an endpoint") };
    let incoming = Incoming::new(Version::V230, request.method, (*module, *side), rest, &request.query).unwrap();
    let letter = booking::letter(&incoming).unwrap();
    assert_eq!(letter.kind, request.kind);
    let body = hear::body(request.body.as_deref().unwrap_or_default().as_bytes()).unwrap();
    (hear::question(&letter, &body, party("NL-INF"), &|_| None).unwrap().value, letter)
}

#[test]
fn the_papers_booking_is_read_and_written_again() {
    let (doc, mut lost) = (crate::parse(EXAMPLE.as_bytes()).unwrap(), Lost::new());
    let read = booking::read(&At::root(&doc), &mut lost).unwrap();
    assert_eq!(lost.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/booking_option/parking_id is not carried"]);
    assert_eq!(read.status, ReservationStatus::Reserved);
    assert_eq!(read.requests[0].status, ReservationRequestStatus::Accepted);
    let mut theirs: Value = serde_json::from_str(EXAMPLE).unwrap();
    theirs["booking_option"].as_object_mut().unwrap().remove("parking_id");
    let ours: Value = serde_json::from_str(&booking::write(&read, &mut Lost::new()).unwrap().to_string()).unwrap();
    assert_eq!(ours, theirs);
}

#[test]
fn every_question_arrives_as_it_was_asked() {
    let booking = example();
    let mut request = booking.requests[0].request.clone();
    request.booking_location = Some("BL01".parse().unwrap());
    request.tokens.clone_from(&booking.tokens);
    let at = |text: &str| Some(text.parse().unwrap());
    let slot = Slot { from: at("2025-03-23T12:00:00Z"), to: at("2025-03-23T13:00:00Z") };
    let wish = PageWish { limit: 5, ..PageWish::default() };
    let questions = [
        BookingQuestion::Locations { wish, slot },
        BookingQuestion::Location("BL01".parse().unwrap()),
        BookingQuestion::Bookings(wish),
        BookingQuestion::Request(Box::new(request)),
        BookingQuestion::Put(Box::new(booking)),
        BookingQuestion::Kept { owner: party("NL-INF"), id: BookingId::new("B1").unwrap() },
    ];
    for question in questions {
        let (came, _) = heard(&ask_it(question.clone(), "NL-INF"));
        assert_eq!(came, Question::Booking(question));
    }
}

#[test]
fn a_request_without_its_booking_location_is_refused_with_its_place() {
    let booking = example();
    let request = booking.requests[0].request.clone();
    let sent = ask_it(BookingQuestion::Request(Box::new(request)), "NL-INF");
    let incoming = Incoming::new(Version::V230, Method::Post, (Module::Bookings, Side::Sender), "", "").unwrap();
    let letter = booking::letter(&incoming).unwrap();
    let body = hear::body(sent.body.unwrap().as_bytes()).unwrap();
    let denied = hear::question(&letter, &body, party("NL-INF"), &|_| None).unwrap_err();
    assert_eq!(denied, Denial::Malformed { path: "/booking_location_id".into(), why: "is missing".into() });
}

#[test]
fn calendars_of_the_paper_cost_their_bad_slots_alone() {
    let text = r#"{"country_code":"NL","party_id":"IHO","id":"12345","location_id":"L0C1",
        "booking_option":{"evse_uid":"6583","formats":["SOCKET"]},"tariff_ids":["32423328"],
        "calendars":[{"id":"CA112","begin_from":"2025-03-23T00:00:00Z","end_before":"2025-03-23T23:59:59Z",
            "timeslot_increment":1,"available_timeslots":[
                {"start_date_time":"2025-03-23T00:00:00Z","end_date_time":"2025-03-23T08:59:99Z","max_power":600},
                {"start_date_time":"2025-03-23T12:00:00Z","end_date_time":"2025-03-23T13:00:00Z","max_power":12}],
            "last_updated":"2024-12-05T20:02:13Z"}],
        "last_updated":"2024-12-05T20:02:13Z"}"#;
    let reply = |data: &str| Reply {
        http: 200,
        headers: vec![("x-total-count", "1".to_owned())],
        body: format!(r#"{{"status_code":1000,"data":{data},"timestamp":"2025-01-01T00:00:00Z"}}"#),
    };
    let asked =
        Asked::of(&Question::Booking(BookingQuestion::Locations { wish: PageWish::default(), slot: Slot::default() }));
    let answered = Answered { version: Version::V230, beside: Beside::default() };
    let read = answer::read(&asked, &reply(&format!("[{text}]")), answered).unwrap();
    let Answer::Booking(BookingAnswer::Locations(page)) = read.value else { panic!("a page") };
    let calendar = &page.items[0].calendars[0];
    assert_eq!(calendar.available_timeslots.len(), 1, "the minute with 99 seconds is left out");
    assert_eq!(read.lost.len(), 2, "{:?}", read.lost);

    let by = Answering {
        party: party("NL-IHO"),
        base: "https://cpo.example",
        now: "2025-01-01T00:00:00Z".parse().unwrap(),
        version: Version::V230,
    };
    let mut page = page;
    page.next = Some(1);
    let written = answer::write(&asked, Ok(Answer::Booking(BookingAnswer::Locations(page.clone()))), by).value;
    let link = written.headers.iter().find(|(name, _)| *name == "link").unwrap().1.clone();
    assert!(link.starts_with("<https://cpo.example/ocpi/2.3.0/sender/bookings/booking_locations?offset=1"), "{link}");
    let again = answer::read(&asked, &written, answered).unwrap().value;
    assert_eq!(again, Answer::Booking(BookingAnswer::Locations(page)));
}

#[test]
fn a_cancellation_and_words_of_later_papers_are_read() {
    let mut json: Value = serde_json::from_str(EXAMPLE).unwrap();
    json["canceled"] = serde_json::json!({ "cancellation_reason": "METEOR", "who_canceled": "CPO" });
    json["reservation_status"] = "TELEPORTED".into();
    json["evse_uid"] = "EVS1234".into();
    let doc = crate::parse(json.to_string().as_bytes()).unwrap();
    let read = booking::read(&At::root(&doc), &mut Lost::new()).unwrap();
    let canceled = read.canceled.unwrap();
    assert_eq!((canceled.reason, canceled.by), (CanceledReason::Unknown, Canceler::Operator));
    assert_eq!(read.status, ReservationStatus::Unknown);
    assert_eq!(read.option.evse.unwrap().as_str(), "EVS1234", "assigned later");
    json["booking_option"]["evse_uid"] = "#NA".into();
    json.as_object_mut().unwrap().remove("evse_uid");
    let doc = crate::parse(json.to_string().as_bytes()).unwrap();
    assert_eq!(booking::read(&At::root(&doc), &mut Lost::new()).unwrap().option.evse, None);
}

#[test]
fn what_only_lies_on_the_shelf_is_no_letter() {
    let shelf =
        [(Method::Put, Side::Receiver, "/NL/INF/booking_locations/L1"), (Method::Delete, Side::Receiver, "/NL/INF/B1")];
    for (method, side, rest) in shelf {
        let incoming = Incoming::new(Version::V230, method, (Module::Bookings, side), rest, "").unwrap();
        assert!(booking::letter(&incoming).is_none(), "{rest}");
    }
}

#[test]
fn fees_for_bookings_cross_in_2_3_0_and_nobody_else_takes_them_for_a_price_of_every_session() {
    let fee = |price: &str| Fee { price: price.parse().unwrap(), vat_percent: Some("19".parse().unwrap()) };
    let booking = BookingFees { expires: Some(fee("4")), cancellation: Some(fee("2.50")) };
    let priced = Tariff { booking, ..super::tariff() };
    let letter = |question: Question| Letter {
        from: party("DE-OPA"),
        to: Some(party("DE-8AA")),
        correlation: charge::id::CorrelationId::new("c").unwrap(),
        question,
    };
    let sent = |question: Question, version: Version| {
        let toward = Toward { version, ..super::TOWARD };
        let request = ask::request(&letter(question), toward).unwrap();
        (crate::parse(request.value.body.unwrap().as_bytes()).unwrap(), request.lost)
    };
    let (mut doc, lost) = sent(Question::PutTariff(Box::new(priced.clone())), Version::V230);
    assert!(lost.is_empty(), "{lost:?}");
    cross::lift(Version::V230, Noun::Tariff, &mut doc, Beside::default(), &mut Lost::new()).unwrap();
    let read = crate::tariff::read(&At::root(&doc), &mut Lost::new()).unwrap();
    assert_eq!((read.booking, read.elements), (priced.booking.clone(), priced.elements.clone()));

    let (doc, lost) = sent(Question::PutTariff(Box::new(priced.clone())), Version::V221);
    assert!(!doc.to_string().contains("BOOKING"), "nobody takes a fee for a price of every session: {doc:?}");
    let read = crate::tariff::read(&At::root(&doc), &mut Lost::new()).unwrap();
    assert_eq!((read.booking, lost.is_empty()), (priced.booking.clone(), true), "ours are read again");

    let cdr = Cdr { booking: Some("B1".parse().unwrap()), tariff: priced.clone(), ..super::cdr() };
    for version in [Version::V221, Version::V230] {
        let (mut doc, _) = sent(Question::PostCdr(Box::new(cdr.clone())), version);
        assert_eq!(doc.as_record().unwrap().text("booking_id"), Some("B1"));
        cross::lift(version, Noun::Cdr, &mut doc, Beside::default(), &mut Lost::new()).unwrap();
        let read = crate::cdr::read(&At::root(&doc), &mut Lost::new()).unwrap();
        assert_eq!((read.booking, read.tariff.booking), (cdr.booking.clone(), priced.booking.clone()));
    }
}

#[test]
fn a_booking_priced_by_time_is_left_out_and_told() {
    let text = r#"{"country_code":"DE","party_id":"OPA","id":"T","currency":"EUR","last_updated":"2026-11-01T00:00:00Z",
        "elements":[{"price_components":[{"type":"ENERGY","price":0.5,"step_size":1}]},
        {"price_components":[{"type":"TIME","price":5,"step_size":300}],"restrictions":{"booking":"BOOKING"}}]}"#;
    for (version, place) in [(Version::V221, "/elements/1/restrictions"), (Version::V230, "/elements/1")] {
        let (mut doc, mut lost) = (crate::parse(text.as_bytes()).unwrap(), Lost::new());
        cross::lift(version, Noun::Tariff, &mut doc, Beside::default(), &mut lost).unwrap();
        let read = crate::tariff::read(&At::root(&doc), &mut lost).unwrap();
        assert_eq!((read.elements.len(), read.booking), (1, BookingFees::default()));
        assert_eq!(lost[0].path, place);
    }
}
