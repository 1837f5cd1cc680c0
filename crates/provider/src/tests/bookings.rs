//! Bookings: what goes to the operator, what a driver is shown, and what only the operator may change.

use billing::cdr::Unused;
use charge::id::BookingLocationId;
use charge::talk::road::Page;
use charge::talk::road::PageWish;
use charge::talk::road::booking::{
    Booking, BookingAnswer, BookingLocation, BookingOption, BookingQuestion, BookingRequest, BookingTerms, Calendar,
    CanceledReason, Canceler, Cancellation, Period, ReservationStatus as Status, Slot, Timeslot,
};
use charge::tariff::{BookingEnd, Fee};
use charge::{Purpose, Timestamp};

use super::*;
use crate::{BookWish, DriverBooking, Event, Refusal};

fn period(from: u64, to: u64) -> Period {
    let minute = |minutes: u64| at(BEGIN).plus(Duration::from_secs(60 * minutes));
    Period::new(minute(from), minute(to)).unwrap()
}

fn wish(world: &World) -> BookWish {
    BookWish {
        driver: world.driver.clone(),
        operator: party("DE-OPA"),
        location: location().id,
        booking_location: BookingLocationId::new("E1").unwrap(),
        card: world.card.clone(),
        period: period(60, 120),
    }
}

/// The request as it went out last.
fn sent(world: &World) -> BookingRequest {
    let letter = world.road.take().pop().unwrap();
    assert_eq!(letter.to, Some(party("DE-OPA")));
    match letter.question {
        Question::Booking(BookingQuestion::Request(request)) => *request,
        other => panic!("{other:?}"),
    }
}

fn told(request: &BookingRequest, status: Status, updated: Timestamp) -> Booking {
    Booking {
        party: party("DE-OPA"),
        id: "B1".parse().unwrap(),
        request: request.request.clone(),
        option: BookingOption { evse: Some("E1".parse().unwrap()), connector: None },
        location: request.location.clone(),
        tokens: Vec::new(),
        tariffs: Vec::new(),
        slot: Timeslot::of(request.period),
        status,
        canceled: None,
        access: Vec::new(),
        reference: request.reference.clone(),
        terms: BookingTerms { early_start_time: Some(10), noshow_timeout: Some(15), ..BookingTerms::default() },
        requests: Vec::new(),
        last_updated: updated,
    }
}

fn answer(booking: Booking) -> Result<Answer, RoadFault> {
    Ok(Answer::Booking(BookingAnswer::Booking(Box::new(booking))))
}

async fn put(world: &World, from: &str, booking: Booking) -> Result<Answer, Denial> {
    world.hear(from, Question::Booking(BookingQuestion::Put(Box::new(booking)))).await
}

/// A booking that the operator has accepted, with its request.
async fn booked(world: &World) -> (DriverBooking, BookingRequest) {
    // nobody answers the first time
    world.road.will_answer(Err(RoadFault::TimedOut));
    let pending = world.provider.book(wish(world)).await.unwrap();
    assert_eq!(pending.status, Status::Pending);
    let request = sent(world);
    assert_eq!(request.request, pending.id);
    world.clock.advance(Duration::from_secs(20));
    world.road.will_answer(answer(told(&request, Status::Reserved, world.clock.now())));
    world.provider.ask_again().await.unwrap();
    assert_eq!(sent(world), request, "the same under the same name");
    let row = world.provider.bookings(world.driver.clone()).await.unwrap().remove(0);
    assert_eq!((row.status, row.noshow, row.early), (Status::Reserved, Some(15), 10));
    world.clock.advance(Duration::from_secs(60));
    world.provider.ask_again().await.unwrap();
    assert!(world.road.take().is_empty(), "answered is answered");
    (row, request)
}

#[tokio::test]
async fn a_wish_is_sent_until_it_is_answered_and_names_one_card_and_no_contract() {
    let world = world().await;
    let (_, request) = booked(&world).await;
    let [token] = request.tokens.as_slice() else { panic!("one card") };
    assert_eq!(token.uid.reveal(Purpose::Authorise).normal(), UID);
    assert_eq!(token.contract.reveal(Purpose::Bill).compact(), "DE8AAC00000000");
    assert_eq!((request.party, request.period), (party("DE-8AA"), period(60, 120)));
}

#[tokio::test]
async fn the_operator_alone_moves_a_booking_and_an_end_is_an_end() {
    let world = world().await;
    let (_, request) = booked(&world).await;
    let mut events = world.provider.events();
    let later = world.clock.now();
    let canceled = Cancellation { reason: CanceledReason::Full, by: Canceler::Operator };
    let ended = Booking { canceled: Some(canceled), ..told(&request, Status::Canceled, later) };
    assert_eq!(put(&world, "DE-OPB", ended.clone()).await, Err(Denial::UnknownObject));
    let other = Booking { party: party("DE-OPB"), ..ended.clone() };
    assert_eq!(put(&world, "DE-OPB", other).await, Err(Denial::UnknownObject));
    let old = told(&request, Status::NoShow, at(BEGIN));
    put(&world, "DE-OPA", old).await.unwrap();
    let status = async || world.provider.bookings(world.driver.clone()).await.unwrap()[0].status;
    assert_eq!(status().await, Status::Reserved, "an older word changes nothing");
    put(&world, "DE-OPA", ended).await.unwrap();
    let row = world.provider.bookings(world.driver.clone()).await.unwrap().remove(0);
    assert_eq!((row.status, row.canceled), (Status::Canceled, Some(canceled)));
    assert!(row.message.contains("still charging"), "{}", row.message);
    let heard: Vec<Event> = std::iter::from_fn(|| events.try_recv().ok()).collect();
    assert_eq!(heard, [Event::Booking { driver: world.driver.clone(), id: row.id }]);
    put(&world, "DE-OPA", told(&request, Status::Reserved, later.plus(Duration::from_secs(9)))).await.unwrap();
    assert_eq!(status().await, Status::Canceled);
    let kept = Question::Booking(BookingQuestion::Kept { owner: party("DE-OPA"), id: "B1".parse().unwrap() });
    let Ok(Answer::Booking(BookingAnswer::Booking(kept))) = world.hear("DE-OPA", kept).await else { panic!("kept") };
    assert_eq!(kept.status, Status::Canceled);
}

#[tokio::test]
async fn a_change_holds_when_the_operator_says_so() {
    let world = world().await;
    let (row, request) = booked(&world).await;
    let later = world.clock.now();
    world.road.will_answer(answer(told(&request, Status::Reserved, later)));
    let refused = world.provider.change_booking(world.driver.clone(), row.id.clone(), period(90, 150)).await;
    assert_eq!(refused, Err(Refusal::NotChanged.into()));
    let wanted = sent(&world);
    assert_eq!((&wanted.request, wanted.period), (&row.id, period(90, 150)));
    world.road.will_answer(answer(told(&wanted, Status::Reserved, later)));
    let moved = world.provider.change_booking(world.driver.clone(), row.id.clone(), period(90, 150)).await.unwrap();
    assert_eq!(moved.period, period(90, 150));
    world.road.take();
    world.road.will_answer(Err(RoadFault::TimedOut));
    let silent = world.provider.cancel_booking(world.driver.clone(), row.id.clone()).await;
    assert_eq!(silent, Err(Refusal::NoAnswer.into()));
    let gone = sent(&world);
    let canceled = gone.canceled.unwrap();
    assert_eq!((canceled.reason, canceled.by), (CanceledReason::NoCanceled, Canceler::Provider));
    world.road.will_answer(answer(Booking { canceled: Some(canceled), ..told(&gone, Status::Canceled, later) }));
    assert_eq!(
        world.provider.cancel_booking(world.driver.clone(), row.id.clone()).await.unwrap().status,
        Status::Canceled
    );
    let over = world.provider.cancel_booking(world.driver.clone(), row.id.clone()).await;
    assert_eq!(over, Err(Refusal::BookingOver.into()));
    let somebody = DriverId::new("SOMEBODY").unwrap();
    assert_eq!(world.provider.cancel_booking(somebody, row.id).await, Err(Refusal::NoSuchBooking.into()));
}

#[tokio::test]
async fn refusals_and_a_wish_that_nobody_ever_answers_are_told() {
    let world = world().await;
    world.road.will_answer(Err(RoadFault::Denied(Denial::NotSupported)));
    let failed = world.provider.book(wish(&world)).await.unwrap();
    assert_eq!((failed.status, failed.message.as_str()), (Status::Failed, "the operator takes no bookings"));
    let nowhere = BookWish { location: "L9".parse().unwrap(), ..wish(&world) };
    assert_eq!(world.provider.book(nowhere).await, Err(Refusal::NoSuchPlace.into()));
    let somebody = BookWish { card: crate::CardId::new("C9").unwrap(), ..wish(&world) };
    assert_eq!(world.provider.book(somebody).await, Err(Refusal::NoSuchCard.into()));
    world.road.will_answer(Err(RoadFault::Unreachable));
    let waiting = world.provider.book(wish(&world)).await.unwrap();
    world.clock.advance(Duration::from_secs(3_700));
    world.road.will_answer(Err(RoadFault::Unreachable));
    world.provider.ask_again().await.unwrap();
    let rows = world.provider.bookings(world.driver.clone()).await.unwrap();
    let row = rows.iter().find(|row| row.id == waiting.id).unwrap();
    assert_eq!((row.status, row.message.as_str()), (Status::Failed, "the operator did not answer in time"));
}

#[tokio::test]
async fn free_times_are_those_of_the_place_over_all_pages() {
    let world = world().await;
    let of = |id: &str, place: &str| BookingLocation {
        party: party("DE-OPA"),
        id: id.parse().unwrap(),
        location: place.parse().unwrap(),
        option: BookingOption::default(),
        reservation_required: None,
        tariffs: Vec::new(),
        terms: None,
        calendars: vec![Calendar {
            id: "C".parse().unwrap(),
            begin_from: at(BEGIN),
            end_before: period(0, 900).end(),
            timeslot_increment: None,
            available_timeslots: vec![Timeslot::of(period(300, 400)), Timeslot::of(period(0, 100))],
            last_updated: at(BEGIN),
        }],
        last_updated: at(BEGIN),
    };
    let here = location().id;
    let page = |items, next| {
        let page = Page { items, total: 3, next, complaints: Vec::new() };
        Ok(Answer::Booking(BookingAnswer::Locations(page)))
    };
    world.road.will_answer(page(vec![of("A", here.as_str()), of("B", "ELSEWHERE")], Some(2)));
    world.road.will_answer(page(vec![of("C", here.as_str())], None));
    let slot = Slot { from: Some(at(BEGIN)), to: None };
    let found = world.provider.bookable(party("DE-OPA"), here.clone(), slot).await.unwrap();
    let ids: Vec<&str> = found.iter().map(|of| of.id.as_str()).collect();
    assert_eq!((ids, &found[0].free), (vec!["A", "C"], &vec![period(0, 100), period(300, 400)]));
    let asked: Vec<PageWish> = world
        .road
        .take()
        .into_iter()
        .filter_map(|letter| match letter.question {
            Question::Booking(BookingQuestion::Locations { wish, slot: asked }) if asked == slot => Some(wish),
            _other => None,
        })
        .collect();
    assert_eq!(asked.iter().map(|wish| wish.offset).collect::<Vec<_>>(), [0, 2]);
    world.road.will_answer(Err(RoadFault::Denied(Denial::NotSupported)));
    assert!(world.provider.bookable(party("DE-OPA"), here.clone(), slot).await.unwrap().is_empty());
    world.road.will_answer(Err(RoadFault::TimedOut));
    assert_eq!(world.provider.bookable(party("DE-OPA"), here, slot).await, Err(Refusal::NoAnswer.into()));
}

/// The CDR that an operator closes for a booking that ended so.
fn fee_of(booking: &str, end: BookingEnd, at: Timestamp) -> Cdr {
    let unused = Unused {
        party: party("DE-OPA"),
        id: booking.parse().unwrap(),
        booking: booking.parse().unwrap(),
        end,
        at,
        token: RecordToken {
            party: party("DE-8AA"),
            uid: Personal::new(TokenUid::new(UID).unwrap()),
            kind: TokenKind::Rfid,
            contract: Personal::new(ContractId::new("DE-8AA-C00000000").unwrap()),
        },
        reference: "R-1".parse().unwrap(),
        place: record_place(),
        tariff: priced(),
    };
    billing::cdr::fee(unused).unwrap().unwrap()
}

fn priced() -> Tariff {
    let fee = |price: &str| Some(Fee { price: price.parse().unwrap(), vat_percent: Some(Decimal::from(19)) });
    let booking = BookingFees { expires: fee("4"), cancellation: fee("2.50") };
    Tariff { booking, last_updated: at("2026-11-02T00:00:00Z"), ..tariff("0.40") }
}

#[tokio::test]
async fn a_fee_waits_for_the_end_of_its_booking_and_is_disputed_before_its_time() {
    let world = world().await;
    world.hear("DE-OPA", Question::PutTariff(Box::new(priced()))).await.unwrap();
    let (_, request) = booked(&world).await;
    let cdr = fee_of("B1", BookingEnd::Expires, world.clock.now());
    assert_eq!(world.post(&cdr).await, Err(Denial::Overloaded), "how it ended is not known yet: it comes again");
    world.clock.advance(Duration::from_secs(60));
    put(&world, "DE-OPA", told(&request, Status::NoShow, world.clock.now())).await.unwrap();
    let early = Cdr { id: "B1-early".parse().unwrap(), ..cdr.clone() };
    world.post(&early).await.unwrap();
    let open = world.provider.disputes().await.unwrap();
    assert_eq!(open[0].differences[0].path, "/booking_id", "its time has not come yet");
    assert!(world.provider.invoices(Some(world.driver.clone())).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_fee_is_billed_once_where_the_booking_ended_so() {
    let world = world().await;
    world.hear("DE-OPA", Question::PutTariff(Box::new(priced()))).await.unwrap();
    let (_, request) = booked(&world).await;
    world.clock.advance(Duration::from_secs(90 * 60));
    put(&world, "DE-OPA", told(&request, Status::NoShow, world.clock.now())).await.unwrap();
    let cdr = fee_of("B1", BookingEnd::Expires, world.clock.now());
    world.post(&cdr).await.unwrap();
    let invoices = world.provider.invoices(Some(world.driver.clone())).await.unwrap();
    let invoice = world.provider.invoice(Some(world.driver.clone()), invoices[0].no).await.unwrap();
    let (_, line) = &invoice.lines[0];
    assert!(line.text.ends_with("booking that was not used"), "{}", line.text);
    assert_eq!((line.net, invoice.lines.len()), (Decimal::from(4), 1));
    assert_eq!(world.provider.disputes().await.unwrap(), []);

    let twice = Cdr { id: "B1-again".parse().unwrap(), ..cdr.clone() };
    world.post(&twice).await.unwrap();
    let other = Cdr { booking: Some("B9".parse().unwrap()), id: "B9".parse().unwrap(), ..cdr };
    world.post(&other).await.unwrap();
    let open = world.provider.disputes().await.unwrap();
    let paths: Vec<Vec<&str>> =
        open.iter().map(|one| one.differences.iter().map(|found| found.path.as_str()).collect()).collect();
    assert!(paths.iter().any(|paths| paths.contains(&"/session_id")), "one booking costs once: {paths:?}");
    assert!(paths.iter().any(|paths| paths.contains(&"/cdr_token/contract_id")), "nobody booked that: {paths:?}");
    let after = world.provider.invoice(Some(world.driver.clone()), invoices[0].no).await.unwrap();
    assert_eq!(after.lines.len(), 1);
}

#[tokio::test]
async fn a_fee_for_what_the_operator_cancelled_itself_is_disputed() {
    let world = world().await;
    world.hear("DE-OPA", Question::PutTariff(Box::new(priced()))).await.unwrap();
    let (_, request) = booked(&world).await;
    let canceled = Some(Cancellation { reason: CanceledReason::Full, by: Canceler::Operator });
    world.clock.advance(Duration::from_secs(60));
    let ended = Booking { canceled, ..told(&request, Status::Canceled, world.clock.now()) };
    put(&world, "DE-OPA", ended).await.unwrap();
    world.post(&fee_of("B1", BookingEnd::Cancellation, world.clock.now())).await.unwrap();
    let open = world.provider.disputes().await.unwrap();
    assert_eq!(open[0].differences[0].path, "/booking_id");
    assert!(world.provider.invoices(Some(world.driver.clone())).await.unwrap().is_empty());
}

/// What an operator does with a cancellation: it agrees, in terms that it has just made stricter, and asks its fee.
async fn cancelled_for_a_fee(after: Duration, driver_asks: bool) -> (Vec<String>, usize) {
    let world = world().await;
    world.hear("DE-OPA", Question::PutTariff(Box::new(priced()))).await.unwrap();
    let (row, request) = booked(&world).await;
    world.clock.advance(after);
    let canceled = Some(Cancellation { reason: CanceledReason::NoCanceled, by: Canceler::Provider });
    let terms = BookingTerms { cancel_until_minutes: 600, ..BookingTerms::default() };
    let gone = Booking { canceled, terms, ..told(&request, Status::Canceled, world.clock.now()) };
    if driver_asks {
        world.road.will_answer(answer(gone));
        world.provider.cancel_booking(world.driver.clone(), row.id).await.unwrap();
    } else {
        put(&world, "DE-OPA", gone).await.unwrap();
    }
    world.post(&fee_of("B1", BookingEnd::Cancellation, world.clock.now())).await.unwrap();
    let open = world.provider.disputes().await.unwrap();
    let paths = open.iter().flat_map(|one| one.differences.iter().map(|found| found.path.clone())).collect();
    (paths, world.provider.invoices(Some(world.driver.clone())).await.unwrap().len())
}

#[tokio::test]
async fn only_a_driver_who_gave_up_too_late_pays_for_it_whatever_the_operator_says() {
    let disputed = (vec!["/booking_id".to_owned()], 0);
    assert_eq!(cancelled_for_a_fee(Duration::ZERO, true).await, disputed, "in time as it was agreed");
    let late = Duration::from_secs(3_600);
    assert_eq!(cancelled_for_a_fee(late, false).await, disputed, "the driver never gave it up");
    assert_eq!(cancelled_for_a_fee(late, true).await, (Vec::new(), 1));
}
