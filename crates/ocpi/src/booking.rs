//! Bookings (OCPI 2.3.0, extension Bookings 1.1, module `bookings`): what can be booked, requests, and bookings.
//!
//! A hub keeps and passes these documents unread ([`crate::document`]); an operator and a provider work with them, and
//! [`letter`] says which requests those are. It deliberately has no words for the shape of a parking place and of a
//! plug beside the point itself: they are left out and told. Invariant: one calendar, slot or earlier request that
//! cannot be read costs itself alone.

use charge::Purpose;
use charge::id::PartyId;
use charge::personal::Personal;
use charge::talk::road::booking::{
    AccessInformation, AccessMethod, Booking, BookingAnswer, BookingLocation, BookingOption, BookingQuestion,
    BookingRequest, BookingRequestStatus, BookingTerms, Calendar, CanceledReason, Canceler, Cancellation, Period,
    ReservationRequestStatus, ReservationStatus, Slot, Timeslot,
};
use charge::talk::road::{Answer, Denial, PageWish, Question};
use charge::units::Power;

use crate::answer::{Answering, page, page_headers};
use crate::ask::page_query;
use crate::hear::{segment, wish};
use crate::read::{At, Fault, Lost};
use crate::record::{read_token, write_token};
use crate::status::success;
use crate::token::read_party;
use crate::url;
use crate::wire::{Incoming, Kind, Method, Module, Reply, Request, Side, Target};
use crate::write::{Doc, Record, time};

const LOCATIONS: &str = "booking_locations";
/// As the examples of the paper write it.
const LOCATIONS_TOO: &str = "bookinglocations";
/// No EVSE is assigned yet (class `BookingOption`, `evse_uid`).
const NO_EVSE: &str = "#NA";
/// Tokens, calendars, slots and requests of one object: more is no booking.
const MANY: usize = 1_000;

/// The request as an operator or a provider works with it; `None`: a document that is only kept.
pub fn letter(incoming: &Incoming) -> Option<Incoming> {
    if incoming.module != Module::Bookings {
        return None;
    }
    let texts: Vec<&str> = incoming.segments.iter().map(String::as_str).collect();
    let kind = match (incoming.side, incoming.method, texts.as_slice()) {
        (Side::Sender, Method::Get, []) => Kind::Bookings,
        (Side::Sender, Method::Post, []) => Kind::RequestBooking,
        (Side::Sender, Method::Get, [LOCATIONS | LOCATIONS_TOO]) => Kind::BookingLocations,
        (Side::Sender, Method::Get, [LOCATIONS | LOCATIONS_TOO, _] | [LOCATIONS | LOCATIONS_TOO, _, _]) => {
            Kind::OneBookingLocation
        }
        (Side::Receiver, method, [country, _, _]) if !is_shelf(country) => match method {
            Method::Put => Kind::PutBooking,
            Method::Patch => Kind::PatchBooking,
            Method::Get => Kind::KeptBooking,
            Method::Post | Method::Delete => return None,
        },
        (Side::Sender | Side::Receiver, _, _) => return None,
    };
    Some(Incoming { kind, ..incoming.clone() })
}

fn is_shelf(segment: &str) -> bool {
    matches!(segment, LOCATIONS | LOCATIONS_TOO | "bookings")
}

/// What was asked, as far as the answer is read or written by it.
#[derive(Clone, Debug, PartialEq)]
pub enum AskedBooking {
    Locations(PageWish, Slot),
    /// With the calendar that the URL goes on to.
    Location(Option<String>),
    Bookings(PageWish),
    /// A booking, as an answer to a request or read back.
    One,
}

impl AskedBooking {
    /// `None`: only acknowledged.
    pub(crate) fn of(question: &BookingQuestion) -> Option<Self> {
        Some(match question {
            BookingQuestion::Locations { wish, slot } => Self::Locations(*wish, *slot),
            BookingQuestion::Location(_) => Self::Location(None),
            BookingQuestion::Bookings(wish) => Self::Bookings(*wish),
            BookingQuestion::Request(_) | BookingQuestion::Kept { .. } => Self::One,
            BookingQuestion::Put(_) => return None,
        })
    }

    /// The same, with what a URL goes on to.
    pub(crate) fn below(self, incoming: &Incoming) -> Self {
        match self {
            Self::Location(_) => Self::Location(incoming.segments.get(2).cloned()),
            other => other,
        }
    }
}

pub(crate) fn ask(question: &BookingQuestion, lost: &mut Lost) -> Result<Request, Fault> {
    let plain = |method, side, rest: String, kind| Request {
        method,
        target: Target::Endpoint { module: Module::Bookings, side, rest },
        query: String::new(),
        body: None,
        kind,
    };
    let kept = |party: PartyId, id: &str| format!("/{}/{}/{}", party.country(), party.code(), url::encode(id));
    Ok(match question {
        BookingQuestion::Locations { wish, slot } => {
            let query = locations_query(*wish, *slot);
            Request { query, ..plain(Method::Get, Side::Sender, format!("/{LOCATIONS}"), Kind::BookingLocations) }
        }
        BookingQuestion::Location(id) => {
            let rest = format!("/{LOCATIONS}/{}", url::encode(id.as_str()));
            plain(Method::Get, Side::Sender, rest, Kind::OneBookingLocation)
        }
        BookingQuestion::Bookings(wish) => {
            Request { query: page_query(*wish), ..plain(Method::Get, Side::Sender, String::new(), Kind::Bookings) }
        }
        BookingQuestion::Request(request) => {
            let body = Some(Doc::from(write_request(request, lost)?).to_string());
            Request { body, ..plain(Method::Post, Side::Sender, String::new(), Kind::RequestBooking) }
        }
        BookingQuestion::Put(booking) => {
            let body = Some(write(booking, lost)?.to_string());
            let rest = kept(booking.party, booking.id.as_str());
            Request { body, ..plain(Method::Put, Side::Receiver, rest, Kind::PutBooking) }
        }
        BookingQuestion::Kept { owner, id } => {
            plain(Method::Get, Side::Receiver, kept(*owner, id.as_str()), Kind::KeptBooking)
        }
    })
}

fn locations_query(wish: PageWish, slot: Slot) -> String {
    let times = [("timeslot_from", slot.from), ("timeslot_to", slot.to)];
    let slots: Vec<_> = times.into_iter().filter_map(|(name, at)| Some((name, time(at?)))).collect();
    [page_query(wish), url::query(&slots)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&")
}

/// The question of a request that [`letter`] has named.
pub(crate) fn hear(incoming: &Incoming, at: &At<'_>, lost: &mut Lost) -> Result<Question, Denial> {
    let owner = || incoming.owner().unwrap_or(Err(Denial::UnknownObject));
    Ok(Question::Booking(match incoming.kind {
        Kind::BookingLocations => {
            let moment = |name: &str| {
                let text = incoming.query(name);
                text.map(|text| At::below(&Doc::from(text), name.to_owned()).time()).transpose()
            };
            let slot = Slot { from: moment("timeslot_from")?, to: moment("timeslot_to")? };
            BookingQuestion::Locations { wish: wish(incoming)?, slot }
        }
        Kind::OneBookingLocation => BookingQuestion::Location(segment(incoming, 1)?),
        Kind::Bookings => BookingQuestion::Bookings(wish(incoming)?),
        Kind::RequestBooking => {
            let request = read_request(at, lost)?;
            if request.booking_location.is_none() {
                return Err(Fault::new("/booking_location_id", "is missing").into());
            }
            BookingQuestion::Request(Box::new(request))
        }
        Kind::PutBooking => {
            let booking = read(at, lost)?;
            let named: &str = incoming.segments.get(2).map(String::as_str).unwrap_or_default();
            if owner()? != booking.party {
                return Err(Fault::new("/party_id", "is not the party that the URL names").into());
            }
            // one chapter of the paper names the booking in the URL by its request
            if ![booking.id.as_str(), booking.request.as_str()].iter().any(|id| id.eq_ignore_ascii_case(named)) {
                return Err(Fault::new("/id", "is not the id that the URL names").into());
            }
            BookingQuestion::Put(Box::new(booking))
        }
        Kind::KeptBooking => BookingQuestion::Kept { owner: owner()?, id: segment(incoming, 2)? },
        _no_booking => return Err(Denial::NotSupported),
    }))
}

/// The response to a question about bookings.
pub(crate) fn answer(
    asked: &AskedBooking,
    answer: &BookingAnswer,
    by: Answering<'_>,
    lost: &mut Lost,
) -> Result<Reply, Denial> {
    match (asked, answer) {
        (AskedBooking::Locations(wish, slot), BookingAnswer::Locations(page)) => {
            let items = page.items.iter().map(write_location).collect::<Vec<_>>();
            let reply = success(Some(Doc::List(items)), by.now);
            let next = page.next.map(|offset| locations_query(PageWish { offset, ..*wish }, *slot));
            let place = format!("{}/{LOCATIONS}", url::endpoint(by.base, by.version, Module::Bookings, Side::Sender));
            Ok(page_headers(reply, page.total, wish.limit, next.map(|query| format!("{place}?{query}"))))
        }
        (AskedBooking::Location(calendar), BookingAnswer::Location(location)) => {
            let Some(wanted) = calendar else { return Ok(success(Some(write_location(location)), by.now)) };
            let found = location.calendars.iter().find(|calendar| calendar.id.as_str().eq_ignore_ascii_case(wanted));
            Ok(success(Some(write_calendar(found.ok_or(Denial::UnknownObject)?)), by.now))
        }
        (AskedBooking::Bookings(wish), BookingAnswer::Bookings(page)) => {
            let items = page.items.iter().map(|item| write(item, lost)).collect::<Result<Vec<_>, _>>()?;
            let reply = success(Some(Doc::List(items)), by.now);
            let next = page.next.map(|offset| page_query(PageWish { offset, ..*wish }));
            let place = url::endpoint(by.base, by.version, Module::Bookings, Side::Sender);
            Ok(page_headers(reply, page.total, wish.limit, next.map(|query| format!("{place}?{query}"))))
        }
        (AskedBooking::One, BookingAnswer::Booking(booking)) => Ok(success(Some(write(booking, lost)?), by.now)),
        // a desk that answers another question than the one it heard
        (
            AskedBooking::Locations(..) | AskedBooking::Location(_) | AskedBooking::Bookings(_) | AskedBooking::One,
            BookingAnswer::Locations(_)
            | BookingAnswer::Location(_)
            | BookingAnswer::Bookings(_)
            | BookingAnswer::Booking(_),
        ) => Err(Denial::Internal),
    }
}

/// The answer in a response.
pub(crate) fn read_answer(asked: &AskedBooking, at: &At<'_>, reply: &Reply, lost: &mut Lost) -> Result<Answer, Fault> {
    Ok(Answer::Booking(match asked {
        AskedBooking::Locations(wish, _) => BookingAnswer::Locations(page(at, *wish, reply, lost, read_location)?),
        AskedBooking::Location(_) => BookingAnswer::Location(Box::new(read_location(at, lost)?)),
        AskedBooking::Bookings(wish) => BookingAnswer::Bookings(page(at, *wish, reply, lost, read)?),
        AskedBooking::One => BookingAnswer::Booking(Box::new(read(at, lost)?)),
    }))
}

/// Object `Booking`.
pub fn write(booking: &Booking, lost: &mut Lost) -> Result<Doc, Fault> {
    let mut requests = Vec::new();
    for of in &booking.requests {
        let status = Record::default()
            .with("request_status", of.status.as_str())
            .with("booking_request", write_request(&of.request, lost)?)
            .with("request_received", time(of.received));
        requests.push(Doc::from(status));
    }
    Ok(Record::default()
        .with("id", booking.id.as_str())
        .with("country_code", booking.party.country())
        .with("party_id", booking.party.code())
        .with("request_id", booking.request.as_str())
        .maybe("booking_option", write_option(&booking.option))
        .with("location_id", booking.location.as_str())
        .some("booking_tokens", write_tokens(booking, lost)?)
        .some("tariff_ids", booking.tariffs.iter().map(|id| Doc::from(id.as_str())).collect())
        .with("period", write_slot(&booking.slot))
        .with("reservation_status", booking.status.as_str())
        .maybe("canceled", booking.canceled.map(write_cancellation))
        .some("access_information", booking.access.iter().map(write_access).collect())
        .with("authorization_reference", booking.reference.as_str())
        .with("booking_terms", write_terms(&booking.terms))
        .with("booking_requests", requests)
        .with("last_updated", time(booking.last_updated))
        .into())
}

fn write_tokens(booking: &Booking, lost: &mut Lost) -> Result<Vec<Doc>, Fault> {
    booking.tokens.iter().map(|token| write_token(token, lost)).collect()
}

pub(crate) fn read(at: &At<'_>, lost: &mut Lost) -> Result<Booking, Fault> {
    let mut option = read_option(at, lost)?;
    // a change that assigns the EVSE names it beside the option (example `booking_patch_example_evse_uid`)
    if let Some(evse) = at.field("evse_uid") {
        option.evse = Some(evse.word()?);
    }
    Ok(Booking {
        party: read_party(at)?,
        id: at.need("id")?.word()?,
        request: at.need("request_id")?.word()?,
        option,
        location: at.need("location_id")?.word()?,
        tokens: listed(at, "booking_tokens", read_token)?,
        tariffs: listed(at, "tariff_ids", |at| at.word())?,
        slot: read_slot(&at.need("period")?)?,
        status: read_status(&at.need("reservation_status")?)?,
        canceled: at.field("canceled").map(|at| read_cancellation(&at)).transpose()?,
        access: listed(at, "access_information", read_access)?,
        reference: at.need("authorization_reference")?.word()?,
        terms: read_terms(&at.need("booking_terms")?, lost)?,
        requests: readable(at, "booking_requests", lost, |at, lost| {
            Ok(BookingRequestStatus {
                status: named(&at.need("request_status")?, ReservationRequestStatus::named)?,
                request: read_request(&at.need("booking_request")?, lost)?,
                received: at.need("request_received")?.time()?,
            })
        })?,
        last_updated: at.need("last_updated")?.time()?,
    })
}

/// Class `BookingRequest`.
fn write_request(request: &BookingRequest, lost: &mut Lost) -> Result<Record, Fault> {
    let tokens = request.tokens.iter().map(|token| write_token(token, lost)).collect::<Result<Vec<_>, _>>()?;
    Ok(Record::default()
        .with("country_code", request.party.country())
        .with("party_id", request.party.code())
        .with("request_id", request.request.as_str())
        .maybe("booking_option", write_option(&request.option))
        .with("location_id", request.location.as_str())
        .maybe("booking_location_id", request.booking_location.as_ref().map(|id| id.as_str()))
        .some("tokens", tokens)
        .some("access_information", request.access.iter().map(write_access).collect())
        .with("period", write_period(request.period))
        .with("authorization_reference", request.reference.as_str())
        .maybe("power_required", request.power_required)
        .maybe("canceled", request.canceled.map(write_cancellation)))
}

fn read_request(at: &At<'_>, lost: &mut Lost) -> Result<BookingRequest, Fault> {
    Ok(BookingRequest {
        party: read_party(at)?,
        request: at.need("request_id")?.word()?,
        option: read_option(at, lost)?,
        location: at.need("location_id")?.word()?,
        booking_location: at.field("booking_location_id").map(|id| id.word()).transpose()?,
        tokens: listed(at, "tokens", read_token)?,
        access: listed(at, "access_information", read_access)?,
        period: read_period(&at.need("period")?)?,
        reference: at.need("authorization_reference")?.word()?,
        power_required: at.maybe("power_required", lost, At::rounded),
        canceled: at.field("canceled").map(|at| read_cancellation(&at)).transpose()?,
    })
}

/// Object `BookingLocation`.
fn write_location(location: &BookingLocation) -> Doc {
    let policy = location.reservation_required.map(|needed| Record::default().with("reservation_required", needed));
    Record::default()
        .with("country_code", location.party.country())
        .with("party_id", location.party.code())
        .with("id", location.id.as_str())
        .with("location_id", location.location.as_str())
        .maybe("booking_option", write_option(&location.option))
        .maybe("policy", policy)
        .some("tariff_ids", location.tariffs.iter().map(|id| Doc::from(id.as_str())).collect())
        .maybe("booking_terms", location.terms.as_ref().map(write_terms))
        .some("calendars", location.calendars.iter().map(write_calendar).collect())
        .with("last_updated", time(location.last_updated))
        .into()
}

pub(crate) fn read_location(at: &At<'_>, lost: &mut Lost) -> Result<BookingLocation, Fault> {
    let policy = at.field("policy");
    if let Some(policy) = &policy {
        policy.unworded(&["ad_hoc"], lost);
    }
    Ok(BookingLocation {
        party: read_party(at)?,
        id: at.need("id")?.word()?,
        location: at.need("location_id")?.word()?,
        option: read_option(at, lost)?,
        reservation_required: policy.and_then(|at| at.maybe("reservation_required", lost, At::yes_or_no)),
        tariffs: listed(at, "tariff_ids", |at| at.word())?,
        terms: at.field("booking_terms").map(|at| read_terms(&at, lost)).transpose()?,
        calendars: readable(at, "calendars", lost, read_calendar)?,
        last_updated: at.need("last_updated")?.time()?,
    })
}

fn write_calendar(calendar: &Calendar) -> Doc {
    Record::default()
        .with("id", calendar.id.as_str())
        .with("begin_from", time(calendar.begin_from))
        .with("end_before", time(calendar.end_before))
        .maybe("timeslot_increment", calendar.timeslot_increment)
        .with("available_timeslots", calendar.available_timeslots.iter().map(write_slot).collect::<Vec<_>>())
        .with("last_updated", time(calendar.last_updated))
        .into()
}

fn read_calendar(at: &At<'_>, lost: &mut Lost) -> Result<Calendar, Fault> {
    Ok(Calendar {
        id: at.need("id")?.word()?,
        begin_from: at.need("begin_from")?.time()?,
        end_before: at.need("end_before")?.time()?,
        timeslot_increment: at.maybe("timeslot_increment", lost, At::whole),
        available_timeslots: readable(at, "available_timeslots", lost, |at, _| read_slot(at))?,
        last_updated: at.need("last_updated")?.time()?,
    })
}

fn write_period(period: Period) -> Record {
    Record::default().with("start_date_time", time(period.start())).with("end_date_time", time(period.end()))
}

fn read_period(at: &At<'_>) -> Result<Period, Fault> {
    let (start, end) = (at.need("start_date_time")?.time()?, at.need("end_date_time")?.time()?);
    Period::new(start, end).ok_or_else(|| at.fault("does not end after it begins"))
}

fn write_slot(slot: &Timeslot) -> Doc {
    let watts = |power: Power| Doc::Number(power.watts().to_string());
    write_period(slot.period)
        .maybe("min_power", slot.min_power.map(watts))
        .maybe("max_power", slot.max_power.map(watts))
        .maybe("green_energy_support", slot.green_energy_support)
        .into()
}

fn read_slot(at: &At<'_>) -> Result<Timeslot, Fault> {
    let watts = |name: &str| at.field(name).map(|at| Ok(Power::from_watts(at.rounded()?.into()))).transpose();
    Ok(Timeslot {
        period: read_period(at)?,
        min_power: watts("min_power")?,
        max_power: watts("max_power")?,
        green_energy_support: at.field("green_energy_support").map(|at| at.yes_or_no()).transpose()?,
    })
}

fn write_option(option: &BookingOption) -> Option<Record> {
    let BookingOption { evse, connector } = option;
    (evse.is_some() || connector.is_some()).then(|| {
        Record::default()
            .maybe("evse_uid", evse.as_ref().map(|id| id.as_str()))
            .maybe("connector_id", connector.as_ref().map(|id| id.as_str()))
    })
}

fn read_option(at: &At<'_>, lost: &mut Lost) -> Result<BookingOption, Fault> {
    let Some(at) = at.field("booking_option") else { return Ok(BookingOption::default()) };
    at.unworded(&UNWORDED_OPTIONS, lost);
    let evse = at.field("evse_uid");
    let assigned = evse.filter(|at| at.text().is_ok_and(|text| text.trim() != NO_EVSE));
    Ok(BookingOption {
        evse: assigned.map(|at| at.word()).transpose()?,
        connector: at.field("connector_id").map(|at| at.word()).transpose()?,
    })
}

/// What the class `BookingOption` says about the place for a vehicle and about plugs; the location says it as well.
const UNWORDED_OPTIONS: [&str; 16] = [
    "parking_id",
    "evse_position",
    "vehicle_types",
    "connector_format",
    "formats",
    "connector_types",
    "power_types",
    "max_vehicle_weight",
    "max_vehicle_height",
    "max_vehicle_length",
    "max_vehicle_width",
    "min_parking_space_length",
    "min_parking_space_width",
    "dangerous_goods_allowed",
    "drive_through",
    "refrigeration_outlet",
];

fn write_terms(terms: &BookingTerms) -> Record {
    let methods = terms.supported_access_methods.iter().map(|method| Doc::from(method.as_str())).collect::<Vec<_>>();
    Record::default()
        .maybe("rfid_auth_required", terms.rfid_auth_required)
        .maybe("token_groups_supported", terms.token_groups_supported)
        .maybe("remote_auth_supported", terms.remote_auth_supported)
        .with("supported_access_methods", methods)
        .with("change_until_minutes", terms.change_until_minutes)
        .with("cancel_until_minutes", terms.cancel_until_minutes)
        .maybe("change_not_allowed", terms.change_not_allowed)
        .maybe("early_start_allowed", terms.early_start_allowed)
        .maybe("early_start_time", terms.early_start_time)
        .maybe("noshow_timeout", terms.noshow_timeout)
        .maybe("noshow_fee", terms.noshow_fee)
        .maybe("late_stop_allowed", terms.late_stop_allowed)
        .maybe("late_stop_time", terms.late_stop_time)
        .maybe("overlapping_bookings_allowed", terms.overlapping_bookings_allowed)
        .maybe("min_booking_duration", terms.min_booking_duration)
        .maybe("max_booking_duration", terms.max_booking_duration)
        .maybe("booking_terms", terms.booking_terms.as_deref())
}

/// What is missing of the two times that the paper wants is no time at all: until its beginning.
fn read_terms(at: &At<'_>, lost: &mut Lost) -> Result<BookingTerms, Fault> {
    let mut yes = |name: &str| at.maybe(name, lost, At::yes_or_no);
    let (rfid, groups, remote) =
        (yes("rfid_auth_required"), yes("token_groups_supported"), yes("remote_auth_supported"));
    let (fixed, early, fee) = (yes("change_not_allowed"), yes("early_start_allowed"), yes("noshow_fee"));
    let (late, overlapping) = (yes("late_stop_allowed"), yes("overlapping_bookings_allowed"));
    let mut minutes = |name: &str| at.maybe(name, lost, At::rounded);
    Ok(BookingTerms {
        rfid_auth_required: rfid,
        token_groups_supported: groups,
        remote_auth_supported: remote,
        change_until_minutes: minutes("change_until_minutes").unwrap_or_default(),
        cancel_until_minutes: minutes("cancel_until_minutes").unwrap_or_default(),
        change_not_allowed: fixed,
        early_start_allowed: early,
        early_start_time: minutes("early_start_time"),
        noshow_timeout: minutes("noshow_timeout"),
        noshow_fee: fee,
        late_stop_allowed: late,
        late_stop_time: minutes("late_stop_time"),
        overlapping_bookings_allowed: overlapping,
        min_booking_duration: minutes("min_booking_duration"),
        max_booking_duration: minutes("max_booking_duration"),
        supported_access_methods: readable(at, "supported_access_methods", lost, |at, _| {
            named(at, AccessMethod::named)
        })?,
        booking_terms: at.maybe("booking_terms", lost, At::text),
    })
}

fn write_access(access: &AccessInformation) -> Doc {
    let value = access.value.as_ref().map(|value| value.reveal(Purpose::Transmit).as_str());
    Record::default().with("method", access.method.as_str()).maybe("value", value).into()
}

fn read_access(at: &At<'_>) -> Result<AccessInformation, Fault> {
    let value = at.field("value").map(|at| at.text()).transpose()?;
    Ok(AccessInformation { method: named(&at.need("method")?, AccessMethod::named)?, value: value.map(Personal::new) })
}

fn write_cancellation(canceled: Cancellation) -> Record {
    Record::default().with("cancellation_reason", canceled.reason.as_str()).with("who_canceled", canceled.by.as_str())
}

fn read_cancellation(at: &At<'_>) -> Result<Cancellation, Fault> {
    let word = |at: &At<'_>| Ok::<_, Fault>(at.text()?.trim().to_ascii_uppercase());
    let (reason, by) = (word(&at.need("cancellation_reason")?)?, word(&at.need("who_canceled")?)?);
    let reason = CanceledReason::named(&reason).unwrap_or(CanceledReason::Unknown);
    Ok(Cancellation { reason, by: Canceler::named(&by).unwrap_or(Canceler::Other) })
}

/// A status of a later paper is `UNKNOWN`, as this one says.
fn read_status(at: &At<'_>) -> Result<ReservationStatus, Fault> {
    let word = at.text()?.trim().to_ascii_uppercase();
    Ok(ReservationStatus::named(&word).unwrap_or(ReservationStatus::Unknown))
}

fn named<T>(at: &At<'_>, known: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
    known(&at.text()?.trim().to_ascii_uppercase()).ok_or_else(|| at.fault("is none of the words allowed here"))
}

fn listed<T>(at: &At<'_>, name: &str, read: impl Fn(&At<'_>) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
    let items = at.list(name)?;
    if items.len() > MANY {
        return Err(at.fault("has a list that is too long"));
    }
    items.iter().map(read).collect()
}

/// What of a list can be read; the rest is told.
fn readable<T>(
    at: &At<'_>,
    name: &str,
    lost: &mut Lost,
    read: impl Fn(&At<'_>, &mut Lost) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut found = Vec::new();
    for item in at.list(name)?.iter().take(MANY) {
        match read(item, lost) {
            Ok(item) => found.push(item),
            Err(fault) => lost.push(fault),
        }
    }
    Ok(found)
}
