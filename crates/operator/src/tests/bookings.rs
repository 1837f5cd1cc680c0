//! Bookings: what providers hear at once, what the station is told and when, and every end of a booking.

use std::time::Duration;

use charge::id::{BookingLocationId, BookingRequestId, LocationId, PartyId};
use charge::record::RecordToken;
use charge::talk::line::reservation::ReservationOrder;
use charge::talk::line::{BayState, FromStation, StationAnswer, ToStation};
use charge::talk::road::booking::{
    Booking, BookingAnswer, BookingOption, BookingQuestion, BookingRequest, CanceledReason, Canceler, Cancellation,
    Period, ReservationRequestStatus as Asked, ReservationStatus as Status, Slot,
};
use charge::talk::road::{Answer, Denial, PageWish, Question};
use charge::tariff::{BookingFees, Fee, Tariff};
use charge::token::{Allowed, ContractId, TokenKind, TokenUid};
use charge::{Personal, Timestamp};

use super::crash::Scratch;
use super::world::{CARD, World, at, card, evse, location, no, provider, start_report, station, tariff};
use crate::booking::Terms;
use crate::memory::booking as rows;

fn period(start: u64, end: u64) -> Period {
    Period::new(at(start), at(end)).unwrap()
}

fn token(party: PartyId, uid: &str, kind: TokenKind) -> RecordToken {
    RecordToken {
        party,
        uid: Personal::new(TokenUid::new(uid).unwrap()),
        kind,
        contract: Personal::new(ContractId::new("DE-8AA-C00000000").unwrap()),
    }
}

fn wish(name: &str, period: Period) -> BookingRequest {
    BookingRequest {
        party: provider(),
        request: BookingRequestId::new(name).unwrap(),
        option: BookingOption::default(),
        location: location().id,
        booking_location: BookingLocationId::new(evse().as_str()).ok(),
        tokens: vec![token(provider(), CARD, TokenKind::Rfid)],
        access: Vec::new(),
        period,
        reference: "ref-b".parse().unwrap(),
        power_required: None,
        canceled: None,
    }
}

impl World {
    async fn bookable() -> Self {
        let world = Self::new().await;
        world.operator.set_bookable("ada", evse(), Some(Terms::default())).await.unwrap();
        world
    }

    async fn book(&self, wish: BookingRequest) -> Result<Booking, Denial> {
        match self.letter(Question::Booking(BookingQuestion::Request(Box::new(wish)))).await? {
            Answer::Booking(BookingAnswer::Booking(booking)) => Ok(*booking),
            other => panic!("{other:?}"),
        }
    }

    async fn booked(&self, name: &str, period: Period) -> Status {
        self.book(wish(name, period)).await.unwrap().status
    }

    /// What the station was told about reservations since the last look.
    fn reservations_told(&self) -> Vec<ReservationOrder> {
        let told = std::mem::take(&mut *self.line.told.lock().unwrap());
        let orders = told.into_iter().filter_map(|told| match told {
            ToStation::Reservation(order) => Some(order),
            _ => None,
        });
        orders.collect()
    }

    /// What the provider was told about bookings since the last look.
    fn bookings_told(&self) -> Vec<(Status, Option<Cancellation>)> {
        let letters = std::mem::take(&mut *self.road.letters.lock().unwrap());
        let told = letters.into_iter().filter_map(|letter| match letter.question {
            Question::Booking(BookingQuestion::Put(booking)) => {
                assert_eq!(letter.to, Some(provider()));
                Some((booking.status, booking.canceled))
            }
            _ => None,
        });
        told.collect()
    }

    async fn later(&self, minutes: u64) {
        self.clock.set(at(minutes));
        self.rounds().await;
    }

    fn answers(&self, word: &str) {
        self.line.answers.lock().unwrap().push_back(Ok(StationAnswer::Refused(word.into())));
    }

    async fn slots(&self) -> Vec<(Timestamp, Timestamp)> {
        let wish = BookingQuestion::Locations { wish: PageWish::default(), slot: Slot::default() };
        let Answer::Booking(BookingAnswer::Locations(page)) = self.letter(Question::Booking(wish)).await.unwrap()
        else {
            panic!("a page")
        };
        let slots = page.items.iter().flat_map(|item| &item.calendars).flat_map(|of| &of.available_timeslots);
        slots.map(|slot| (slot.period.start(), slot.period.end())).collect()
    }
}

fn by_operator(reason: CanceledReason) -> Option<Cancellation> {
    Some(Cancellation { reason, by: Canceler::Operator })
}

#[tokio::test]
async fn nothing_can_be_booked_before_a_person_says_so() {
    let world = World::new().await;
    assert!(world.slots().await.is_empty());
    assert_eq!(world.book(wish("R1", period(60, 120))).await, Err(Denial::UnknownLocation));
    let odd = Terms { late: 5_000, ..Terms::default() };
    assert!(world.operator.set_bookable("ada", evse(), Some(odd)).await.is_err());
    world.operator.set_bookable("ada", evse(), Some(Terms::default())).await.unwrap();
    assert_eq!(world.slots().await.len(), 1);
    assert_eq!(world.booked("R1", period(60, 120)).await, Status::Reserved);
    world.operator.set_bookable("ada", evse(), None).await.unwrap();
    assert!(world.slots().await.is_empty());
    assert_eq!(world.book(wish("R2", period(300, 360))).await, Err(Denial::UnknownLocation));
    assert_eq!(world.operator.bookings(None, at(0), 10).await.unwrap().len(), 1, "what is booked stays booked");
}

#[tokio::test]
async fn what_is_taken_is_rejected_and_shown_as_taken() {
    let world = World::bookable().await;
    let first = world.book(wish("R1", period(60, 120))).await.unwrap();
    assert_eq!((first.status, first.requests[0].status), (Status::Reserved, Asked::Accepted));
    assert_eq!(first.terms.noshow_timeout, Some(15));
    assert_eq!(world.book(wish("R1", period(60, 120))).await.unwrap(), first, "the same request is the same booking");
    let second = world.book(wish("R2", period(90, 150))).await.unwrap();
    assert_eq!((second.status, second.requests[0].status), (Status::Rejected, Asked::Declined));
    assert!(second.tokens.is_empty(), "no card is kept of a booking that there is not");
    assert_eq!(world.slots().await[0], (at(0), at(40)), "until ten minutes before the driver may come early");
    assert_eq!(world.slots().await[1].0, at(140));
}

#[tokio::test]
async fn a_request_has_one_card_of_its_own_party_and_names_a_place_of_ours() {
    let world = World::bookable().await;
    let of = |change: &dyn Fn(&mut BookingRequest)| {
        let mut wish = wish("R1", period(60, 120));
        change(&mut wish);
        wish
    };
    let other: PartyId = "DE-8BB".parse().unwrap();
    let malformed = |path: &str, wish: BookingRequest| (path.to_owned(), wish);
    let cases = [
        malformed("/tokens", of(&|wish| wish.tokens.clear())),
        malformed("/tokens", of(&|wish| wish.tokens.push(token(provider(), "04FF", TokenKind::Rfid)))),
        malformed("/tokens/0/type", of(&|wish| wish.tokens[0].kind = TokenKind::AppUser)),
        malformed("/booking_option/evse_uid", of(&|wish| wish.option.evse = Some("E9".parse().unwrap()))),
    ];
    for (path, wish) in cases {
        let denied = world.book(wish).await.unwrap_err();
        assert!(matches!(&denied, Denial::Malformed { path: at, .. } if **at == *path), "{path}: {denied:?}");
    }
    assert_eq!(world.book(of(&|wish| wish.tokens[0].party = other)).await, Err(Denial::NotYours));
    assert_eq!(world.book(of(&|wish| wish.party = other)).await, Err(Denial::NotYours));
    let elsewhere = of(&|wish| wish.location = LocationId::new("L2").unwrap());
    assert_eq!(world.book(elsewhere).await, Err(Denial::UnknownLocation));
    let canceled = Some(Cancellation { reason: CanceledReason::Traffic, by: Canceler::Provider });
    assert_eq!(world.book(of(&|wish| wish.canceled = canceled)).await, Err(Denial::UnknownObject));
}

#[tokio::test]
async fn the_station_keeps_the_evse_in_time_and_the_card_fulfils_the_booking() {
    let world = World::bookable().await;
    assert_eq!(world.booked("R1", period(60, 120)).await, Status::Reserved);
    world.later(49).await;
    assert!(world.reservations_told().is_empty());
    world.later(50).await;
    let told = world.reservations_told();
    let [ReservationOrder::Reserve { evse, token, until, id, .. }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((*evse, token, *until), (Some(no()), &card(CARD), at(75)));
    let id = *id;
    world.later(51).await;
    assert!(world.reservations_told().is_empty(), "told once");
    assert!(world.operator.bookings(Some(station()), at(0), 9).await.unwrap()[0].held);

    let mut other = start_report(card("04FFFFFFFFFF01"), at(51), 0);
    other.evse = Some(no());
    world.say(FromStation::Transaction(other)).await.unwrap();
    let session = world.only_session().await;
    assert!(session.card.flags.iter().any(|flag| flag.contains("booked")), "{:?}", session.card.flags);
    assert!(world.asked().is_empty(), "nobody need be asked whose card it is");
    assert!(world.bookings_told().is_empty());

    world.clock.set(at(55));
    let mut own = start_report(card(CARD), at(55), 0);
    (own.evse, own.reservation) = (Some(no()), Some(id));
    let heard = world.say(FromStation::Transaction(own)).await.unwrap();
    assert!(format!("{heard:?}").contains("Yes"), "{heard:?}");
    world.rounds().await;
    assert_eq!(world.bookings_told(), [(Status::Fulfilled, None)]);
    world.later(76).await;
    assert!(world.bookings_told().is_empty() && world.reservations_told().is_empty());
    assert_eq!(world.book(wish("R1", period(300, 360))).await.unwrap().status, Status::Fulfilled, "an end is an end");
}

#[tokio::test]
async fn a_card_without_the_reservations_number_fulfils_it_as_well() {
    let world = World::bookable().await;
    assert_eq!(world.booked("R1", period(0, 60)).await, Status::Reserved);
    world.rounds().await;
    assert_eq!(world.reservations_told().len(), 1, "a booking that begins now is held now");
    let (number, allowed) = world.start(card(CARD), 0).await;
    assert_eq!(allowed, Allowed::Yes);
    world.rounds().await;
    assert_eq!(world.bookings_told(), [(Status::Fulfilled, None)]);
    world.clock.set(at(30));
    world.stop(number, 5_000, vec![]).await;
    world.rounds().await;
    let booked = world.operator.bookings(None, at(0), 9).await.unwrap()[0].id.clone();
    let cdr = world.told_cdrs().remove(0);
    assert_eq!((cdr.session.is_some(), cdr.booking), (true, Some(booked)), "its CDR names the booking");
}

#[tokio::test]
async fn nobody_comes() {
    let world = World::bookable().await;
    assert_eq!(world.booked("R1", period(60, 120)).await, Status::Reserved);
    world.later(50).await;
    world.later(74).await;
    assert!(world.bookings_told().is_empty());
    world.later(75).await;
    assert_eq!(world.bookings_told(), [(Status::NoShow, None)]);
    assert!(!String::from_utf8_lossy(&world.dump().await).contains(CARD));
    let row = world.store.read::<_, store::StoreError>("test", |tx| rows::list(tx, None, at(0), 9)).await.unwrap();
    assert_eq!((row[0].token_sealed.as_ref(), row[0].tag.as_ref()), (None, None), "the card is forgotten");
    assert_eq!(world.booked("R2", period(90, 120)).await, Status::Reserved, "free again");
}

fn fees(expires: &str, cancellation: Option<&str>) -> Tariff {
    let fee = |price: &str| Fee { price: price.parse().unwrap(), vat_percent: Some("19".parse().unwrap()) };
    let booking = BookingFees { expires: Some(fee(expires)), cancellation: cancellation.map(fee) };
    Tariff { booking, ..tariff("0.50") }
}

#[tokio::test]
async fn whoever_does_not_come_pays_what_the_tariff_said_when_it_was_booked() {
    let world = World::bookable().await;
    let free = world.book(wish("R0", period(300, 360))).await.unwrap();
    assert_eq!(free.terms.noshow_fee, Some(false));
    world.operator.put_tariff("ada", fees("4", None)).await.unwrap();
    let booked = world.book(wish("R1", period(60, 120))).await.unwrap();
    assert_eq!(booked.terms.noshow_fee, Some(true));
    world.operator.put_tariff("ada", fees("9", None)).await.unwrap();
    world.later(50).await;
    world.later(75).await;
    world.rounds().await;
    let cdrs = world.told_cdrs();
    assert_eq!(world.bookings_told(), [(Status::NoShow, None)]);
    let [cdr] = cdrs.as_slice() else { panic!("{cdrs:?}") };
    assert_eq!((cdr.session.as_ref(), cdr.booking.as_ref(), cdr.end), (None, Some(&booked.id), at(75)));
    let four: charge::Decimal = "4".parse().unwrap();
    assert_eq!((cdr.total_cost.before_vat, cdr.fixed_cost.unwrap().before_vat), (four, four), "as agreed");
    assert_eq!((cdr.token.party, cdr.tariff.booking.expires.as_ref().unwrap().price), (provider(), four));
    let cards = world.operator.cdrs(None, crate::view::Page::default()).await.unwrap().items;
    assert_eq!(cards[0].session, None);
    world.later(290).await;
    world.later(315).await;
    assert_eq!(world.told_cdrs().len(), 0, "what was booked free of that stays so");
}

#[tokio::test]
async fn cancelling_late_costs_its_fee_or_is_declined() {
    let world = World::new().await;
    world.operator.set_bookable("ada", evse(), Some(Terms { cancel_until: 30, ..Terms::default() })).await.unwrap();
    let canceled = Some(Cancellation { reason: CanceledReason::Traffic, by: Canceler::Provider });
    let cancel =
        async |name: &str, of: Period| world.book(BookingRequest { canceled, ..wish(name, of) }).await.unwrap();
    assert_eq!(world.booked("R1", period(60, 120)).await, Status::Reserved);
    world.clock.set(at(40));
    let late = cancel("R1", period(60, 120)).await;
    assert_eq!((late.status, late.requests.last().unwrap().status), (Status::Reserved, Asked::Declined));
    world.operator.put_tariff("ada", fees("4", Some("2.50"))).await.unwrap();
    for (name, of) in [("R2", period(200, 230)), ("R3", period(300, 330))] {
        assert_eq!(world.booked(name, of).await, Status::Reserved);
    }
    world.clock.set(at(160));
    assert_eq!(cancel("R2", period(200, 230)).await.status, Status::Canceled);
    world.rounds().await;
    assert!(world.told_cdrs().is_empty(), "in time");
    world.clock.set(at(280));
    assert_eq!(cancel("R3", period(300, 330)).await.status, Status::Canceled);
    world.rounds().await;
    let cdrs = world.told_cdrs();
    assert_eq!(cdrs.iter().map(|cdr| cdr.total_cost.before_vat.to_string()).collect::<Vec<_>>(), ["2.5"]);
}

#[tokio::test]
async fn what_the_station_refuses_for_is_told_as_the_papers_reason() {
    for (word, told_at, reason) in [
        ("Occupied", 60, CanceledReason::Full),
        ("Faulted", 50, CanceledReason::BrokenCharger),
        ("Unavailable", 50, CanceledReason::BrokenCharger),
        ("Rejected", 50, CanceledReason::Unknown),
    ] {
        let world = World::bookable().await;
        assert_eq!(world.booked("R1", period(60, 120)).await, Status::Reserved);
        for minute in [50, 55, 60] {
            world.answers(word);
            world.later(minute).await;
            world.later(minute).await;
            let told = world.bookings_told();
            if minute == told_at {
                assert_eq!(told, [(Status::Canceled, by_operator(reason))], "{word}");
                break;
            }
            assert!(told.is_empty(), "{word} at {minute}: {told:?}");
        }
    }
}

#[tokio::test]
async fn a_fault_while_the_evse_is_kept_is_told() {
    let world = World::bookable().await;
    assert_eq!(world.booked("R1", period(60, 120)).await, Status::Reserved);
    world.later(50).await;
    world.reservations_told();
    world.status(BayState::Faulted).await;
    world.later(52).await;
    assert_eq!(world.bookings_told(), [(Status::Canceled, by_operator(CanceledReason::BrokenCharger))]);
    world.rounds().await;
    assert!(matches!(world.reservations_told().as_slice(), [ReservationOrder::Cancel { .. }]));
}

#[tokio::test]
async fn a_change_moves_the_booking_and_a_late_or_impossible_one_does_not() {
    let world = World::bookable().await;
    let terms = Terms { change_until: 30, cancel_until: 30, ..Terms::default() };
    world.operator.set_bookable("ada", evse(), Some(terms)).await.unwrap();
    assert_eq!(world.booked("R1", period(100, 160)).await, Status::Reserved);
    assert_eq!(world.booked("R2", period(300, 360)).await, Status::Reserved);
    let moved = world.book(wish("R1", period(120, 180))).await.unwrap();
    assert_eq!((moved.slot.period, moved.requests.len()), (period(120, 180), 2));
    let refused = world.book(wish("R1", period(310, 350))).await.unwrap();
    assert_eq!((refused.status, refused.slot.period), (Status::Reserved, period(120, 180)));
    assert_eq!(refused.requests[2].status, Asked::Declined);
    world.later(105).await;
    let late = world.book(wish("R1", period(130, 180))).await.unwrap();
    assert_eq!((late.slot.period, late.requests[3].status), (period(120, 180), Asked::Declined));
    let canceled = Some(Cancellation { reason: CanceledReason::Traffic, by: Canceler::Provider });
    let kept = world.book(BookingRequest { canceled, ..wish("R1", period(120, 180)) }).await.unwrap();
    assert_eq!((kept.status, kept.requests[4].status), (Status::Reserved, Asked::Declined), "too late for that");
    world.later(111).await;
    assert_eq!(world.reservations_told().len(), 1, "held for the time that it was moved to");
}

#[tokio::test]
async fn whoever_cancels_is_known_and_the_station_lets_go() {
    let world = World::bookable().await;
    assert_eq!(world.booked("R1", period(60, 120)).await, Status::Reserved);
    world.later(50).await;
    world.reservations_told();
    let canceled = Some(Cancellation { reason: CanceledReason::Traffic, by: Canceler::Operator });
    let gone = world.book(BookingRequest { canceled, ..wish("R1", period(60, 120)) }).await.unwrap();
    let by_provider = Cancellation { reason: CanceledReason::Traffic, by: Canceler::Provider };
    assert_eq!((gone.status, gone.canceled), (Status::Canceled, Some(by_provider)));
    world.rounds().await;
    assert!(matches!(world.reservations_told().as_slice(), [ReservationOrder::Cancel { .. }]));
    assert!(world.bookings_told().is_empty(), "its provider has the answer");

    assert_eq!(world.booked("R2", period(200, 260)).await, Status::Reserved);
    let id = world.operator.bookings(None, at(190), 9).await.unwrap()[0].id.clone();
    world.operator.cancel_booking("ada", id.as_str(), CanceledReason::PowerOutage).await.unwrap();
    assert!(world.operator.cancel_booking("ada", id.as_str(), CanceledReason::Full).await.is_err());
    world.rounds().await;
    assert_eq!(world.bookings_told(), [(Status::Canceled, by_operator(CanceledReason::PowerOutage))]);
}

#[tokio::test]
async fn a_booking_survives_a_restart_and_so_does_what_the_provider_was_not_told() {
    let scratch = Scratch::new("bookings");
    let path = scratch.0.clone();
    {
        let mut world = World::on_disk(&path);
        world.furnish().await;
        world.operator.set_bookable("ada", evse(), Some(Terms::default())).await.unwrap();
        assert_eq!(world.booked("R1", period(60, 120)).await, Status::Reserved);
    }
    let world = World::on_disk(&path);
    world.connect().await;
    world.later(50).await;
    assert_eq!(world.reservations_told().len(), 1);
    world.road.next.lock().unwrap().push_back(Err(charge::talk::road::RoadFault::Unreachable));
    world.later(75).await;
    drop(world);
    let world = World::on_disk(&path);
    world.clock.set(at(76).plus(Duration::from_secs(30)));
    world.rounds().await;
    assert_eq!(world.bookings_told(), [(Status::NoShow, None)]);
    let own = BookingQuestion::Bookings(PageWish::default());
    let Answer::Booking(BookingAnswer::Bookings(page)) = world.letter(Question::Booking(own)).await.unwrap() else {
        panic!("a page")
    };
    assert_eq!((page.total, page.items[0].status), (1, Status::NoShow));
}
