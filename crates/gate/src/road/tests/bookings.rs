//! Bookings through the hub (OCPI 2.3.0, Bookings 1.1): every question there and every answer back, unread by the hub;
//! and what both sides read where a protocol has no word for them.

use charge::talk::road::RoadFault;
use charge::talk::road::booking::{
    Booking, BookingAnswer, BookingLocation, BookingOption, BookingQuestion, BookingRequest, BookingRequestStatus,
    BookingTerms, Calendar, Period, ReservationRequestStatus, ReservationStatus, Slot, Timeslot,
};
use ocpi::Version;

use super::versions::{ask_in, speaks};
use super::*;

fn period() -> Period {
    let at = |minutes: i64| charge::Timestamp::from_secs(1_900_000_000 + 60 * minutes);
    Period::new(at(0), at(60)).unwrap()
}

pub(super) fn request() -> BookingRequest {
    BookingRequest {
        party: party("DE-8AA"),
        request: "RE1".parse().unwrap(),
        option: BookingOption::default(),
        location: "L1".parse().unwrap(),
        booking_location: Some("E1".parse().unwrap()),
        tokens: vec![charge::record::RecordToken {
            party: party("DE-8AA"),
            uid: Personal::new(charge::token::TokenUid::new(OWNED).unwrap()),
            kind: charge::token::TokenKind::Rfid,
            contract: Personal::new(ContractId::new("DE-8AA-C00000000").unwrap()),
        }],
        access: Vec::new(),
        period: period(),
        reference: "REF-B".parse().unwrap(),
        power_required: Some(22),
        canceled: None,
    }
}

pub(super) fn booking() -> Booking {
    let request = request();
    Booking {
        party: party("DE-OPA"),
        id: "B1".parse().unwrap(),
        request: request.request.clone(),
        option: BookingOption { evse: Some("E1".parse().unwrap()), connector: None },
        location: request.location.clone(),
        tokens: request.tokens.clone(),
        tariffs: Vec::new(),
        slot: Timeslot::of(request.period),
        status: ReservationStatus::Reserved,
        canceled: None,
        access: Vec::new(),
        reference: request.reference.clone(),
        terms: BookingTerms { change_until_minutes: 5, noshow_timeout: Some(15), ..BookingTerms::default() },
        last_updated: period().start(),
        requests: vec![BookingRequestStatus {
            status: ReservationRequestStatus::Accepted,
            request,
            received: period().start(),
        }],
    }
}

/// What a desk of these tests answers about bookings.
pub(super) fn answer(question: &BookingQuestion) -> Answer {
    let page = |items| Page { items, total: 5, next: Some(1), complaints: Vec::new() };
    let location = || BookingLocation {
        party: party("DE-OPA"),
        id: "E1".parse().unwrap(),
        location: "L1".parse().unwrap(),
        option: booking().option,
        reservation_required: Some(false),
        tariffs: Vec::new(),
        terms: Some(booking().terms),
        calendars: vec![Calendar {
            id: "E1".parse().unwrap(),
            begin_from: period().start(),
            end_before: period().end(),
            timeslot_increment: None,
            available_timeslots: vec![Timeslot::of(period())],
            last_updated: period().start(),
        }],
        last_updated: period().start(),
    };
    Answer::Booking(match question {
        BookingQuestion::Locations { .. } => BookingAnswer::Locations(page(vec![location()])),
        BookingQuestion::Location(_) => BookingAnswer::Location(Box::new(location())),
        BookingQuestion::Bookings(_) => {
            BookingAnswer::Bookings(Page { items: vec![booking()], total: 1, next: None, complaints: Vec::new() })
        }
        BookingQuestion::Request(_) | BookingQuestion::Kept { .. } => BookingAnswer::Booking(Box::new(booking())),
        BookingQuestion::Put(_) => return Answer::Noted,
    })
}

fn of_provider() -> [BookingQuestion; 4] {
    let wish = PageWish { limit: 7, ..PageWish::default() };
    let slot = Slot { from: Some(period().start()), to: Some(period().end()) };
    [
        BookingQuestion::Locations { wish, slot },
        BookingQuestion::Location("E1".parse().unwrap()),
        BookingQuestion::Bookings(wish),
        BookingQuestion::Request(Box::new(request())),
    ]
}

fn of_operator() -> [BookingQuestion; 2] {
    let id = booking().id;
    [BookingQuestion::Put(Box::new(booking())), BookingQuestion::Kept { owner: party("DE-OPA"), id }]
}

// cells: ocpi230 > ocpi230: booking
#[tokio::test]
async fn every_question_goes_there_and_its_answer_comes_back_over_tls() {
    let world = World::new().await;
    for house in [&world.a, &world.operator] {
        speaks(&world, house, Version::V230);
    }
    for question in of_provider() {
        let asked = Question::Booking(question.clone());
        let answered = ask_in(&world, Version::V230, &world.a, Some("DE-OPA"), asked.clone()).await;
        assert_eq!(answered, Ok(answer(&question)), "{question:?}");
        assert_eq!(world.operator.desk.heard().pop().unwrap().question, asked);
    }
    for question in of_operator() {
        let asked = Question::Booking(question.clone());
        let answered = ask_in(&world, Version::V230, &world.operator, Some("DE-8AA"), asked.clone()).await;
        assert_eq!(answered, Ok(answer(&question)), "{question:?}");
        assert_eq!(world.a.desk.heard().pop().unwrap().question, asked);
    }
    let told = world.office.envelopes.lock().unwrap();
    let passed = told.iter().filter(|told| told.errand == Errand::Passing(charge::talk::road::Passing::Booking));
    assert_eq!(passed.count(), 6, "the hub knows what they are and reads none");
}

#[tokio::test]
async fn whoever_is_usually_spoken_to_in_2_2_1_hears_of_bookings_in_2_3_0() {
    let world = World::new().await;
    let [free, ..] = of_provider();
    let answered = world.ask(&world.a, Some("DE-OPA"), Question::Booking(free.clone())).await;
    assert_eq!(answered, Ok(answer(&free)));
    let [put, ..] = of_operator();
    let noted = world.ask(&world.operator, Some("DE-8AA"), Question::Booking(put)).await;
    assert_eq!(noted, Ok(Answer::Noted));
    let paths: Vec<String> = world.operator.seen().into_iter().chain(world.a.seen()).map(|seen| seen.path).collect();
    assert!(paths.iter().filter(|path| path.contains("/bookings")).all(|path| path.contains("/2.3.0/")), "{paths:?}");
    let usual = world.ask(&world.operator, None, Question::MayCharge { token: token(OWNED) }).await;
    assert!(matches!(usual, Ok(Answer::May(_))), "{usual:?}");
    assert!(world.a.seen().iter().any(|seen| seen.path.contains("/2.2.1/")), "all else as before");
}

#[tokio::test]
async fn a_change_of_a_part_is_laid_over_the_booking_and_nobody_writes_anothers() {
    let world = World::new().await;
    let mine = secret(world.hub.party, world.a.party);
    let url = format!("{}/ocpi/2.3.0/receiver/bookings/DE/OPA/B1", world.a.base);
    let change = r#"{"reservation_status":"CANCELED","last_updated":"2031-01-01T00:00:00Z"}"#;
    let (http, code, _) = world.raw("PATCH", &url, mine.expose(), Some(change.to_owned())).await;
    assert_eq!((http, code), (200, Some(1000)));
    let Question::Booking(BookingQuestion::Put(put)) = world.a.desk.heard().pop().unwrap().question else { panic!() };
    let last_updated = "2031-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(*put, Booking { status: ReservationStatus::Canceled, last_updated, ..booking() });
    let (http, code, _) = world.raw("PATCH", &url, mine.expose(), Some("{}".to_owned())).await;
    assert_eq!((http, code), (200, Some(2001)), "a change that does not say when");

    let foreign = BookingRequest { party: party("DE-8BB"), ..request() };
    speaks(&world, &world.operator, Version::V230);
    let asked = Question::Booking(BookingQuestion::Request(Box::new(foreign)));
    let before = world.operator.desk.heard().len();
    let denied = ask_in(&world, Version::V230, &world.a, Some("DE-OPA"), asked).await;
    assert_eq!(denied, Err(RoadFault::Denied(Denial::NotYours)));
    assert_eq!(world.operator.desk.heard().len(), before);
}

#[tokio::test]
async fn a_protocol_without_bookings_is_told_so_and_both_can_read_it() {
    for version in [Version::V211, Version::V221] {
        let world = World::new().await;
        speaks(&world, &world.operator, version);
        let asked = Question::Booking(BookingQuestion::Request(Box::new(request())));
        let refused = ask_in(&world, Version::V230, &world.a, Some("DE-OPA"), asked).await;
        assert_eq!(refused, Err(RoadFault::Denied(Denial::NotSupported)), "{}", version.as_str());
        assert!(world.operator.desk.heard().is_empty());
        let lost = world.office.lost.lock().unwrap();
        let (from, to, what) = lost.last().unwrap();
        assert_eq!((*from, *to), (party("DE-8AA"), party("DE-OPA")));
        assert_eq!(&**what, "the protocol of the receiver has no word for it");
    }
}
