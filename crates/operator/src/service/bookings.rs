//! Bookings: providers' requests answered at once, the station told in time, and every other end told to the provider
//! (OCPI 2.3.0, Bookings 1.1).
//!
//! A booking is on disk before its provider hears of it, and so is the job that minds it: a restart forgets nothing. The
//! card of a booking is kept for as long as the booking holds and no longer.

use billing::cdr::{Unused, fee};
use billing::record::{Obstacle, Verdict};
use charge::Timestamp;
use charge::id::{BookingId, BookingLocationId, CalendarId, CdrId, EvseNo, EvseUid, PartyId, SessionId, StationId};
use charge::record::RecordToken;
use charge::talk::line::reservation::ReservationOrder;
use charge::talk::line::{BayState, LineFault, StationAnswer, ToStation};
use charge::talk::road::booking::{
    Booking, BookingAnswer, BookingLocation, BookingOption, BookingQuestion, BookingRequest, BookingRequestStatus,
    Calendar, CanceledReason, Canceler, Cancellation, ReservationRequestStatus, ReservationStatus, Slot, Timeslot,
};
use charge::talk::road::{Answer, Denial, OrderResult, Page, PageWish, Question};
use charge::tariff::{BookingEnd, Tariff};
use charge::token::{PresentedToken, TokenKind};
use futures_util::future::join_all;
use store::outbox::{self, Job};
use store::{StoreError, Tx};
use trust::token_tag::TokenTag;

use super::deliver::DELIVER;
use super::road::{Trouble, part, turned};
use super::{Event, House, Operator};
use crate::booking::{self, Event as Happens, HORIZON, Standing, Step};
use crate::memory::booking::{self as rows, BookableRow, BookingRow, RequestRow};
use crate::memory::notice::{self, Kind};
use crate::memory::{cdr, place, reservation, tariff};
use crate::publish;
use crate::remote;
use crate::reservation::Event as Held;

/// Jobs of this file: a booking to be looked at; a station's reservation to be given up.
pub(super) const BOOKING: &str = "operator.booking";
pub(super) const RELEASE: &str = "operator.booking.release";

impl Operator {
    pub(super) async fn hear_booking(&self, from: PartyId, about: BookingQuestion) -> Result<Answer, Denial> {
        let now = self.0.now();
        let answer = match about {
            BookingQuestion::Locations { wish, slot } => {
                self.read("operator.booking.locations", move |house, tx| locations(house, tx, wish, slot, now)).await?
            }
            BookingQuestion::Location(id) => {
                self.read("operator.booking.location", move |house, tx| {
                    let found = EvseUid::new(id.as_str()).ok().map(|evse| rows::bookable(tx, &evse)).transpose()?;
                    let found = found.flatten().ok_or(Trouble::Denied(Denial::UnknownObject))?;
                    Ok::<_, Trouble>(BookingAnswer::Location(Box::new(location(
                        house,
                        tx,
                        found,
                        Slot::default(),
                        now,
                    )?)))
                })
                .await?
            }
            BookingQuestion::Bookings(wish) => {
                self.read("operator.bookings", move |house, tx| bookings(house, tx, from, wish)).await?
            }
            BookingQuestion::Request(wanted) => {
                let row = self
                    .run("operator.booking.request", move |house, tx| request(house, tx, from, &wanted, now))
                    .await?;
                self.0.wake();
                BookingAnswer::Booking(Box::new(row))
            }
            BookingQuestion::Put(_) | BookingQuestion::Kept { .. } => return Err(Denial::NotSupported),
        };
        Ok(Answer::Booking(answer))
    }

    /// One round of everything about bookings.
    pub(super) async fn run_bookings(&self, looks: Vec<Job>, releases: Vec<Job>) -> Result<(), StoreError> {
        let looked = join_all(looks.into_iter().map(|job| self.mind_booking(job)));
        let released = join_all(releases.into_iter().map(|job| self.release(job)));
        let (looked, released) = futures_util::future::join(looked, released).await;
        looked.into_iter().chain(released).collect()
    }

    async fn mind_booking(&self, job: Job) -> Result<(), StoreError> {
        let now = self.0.now();
        let key = job.key.clone();
        let found = self.run("operator.booking.mind", move |house, tx| mind(house, tx, &key, job.id, now)).await?;
        let (told, station) = match found {
            Minded::Nothing => return Ok(()),
            Minded::Ended(station) => {
                self.0.tell_of(Event::Station(station));
                self.0.wake();
                return Ok(());
            }
            Minded::Tell(told, station) => (told, station),
        };
        let answer = self.tell(&station, told).await;
        let now = self.0.now();
        self.run("operator.booking.told", move |_, tx| held(tx, &job.key, job.id, &answer, now)).await?;
        self.0.tell_of(Event::Station(station));
        self.0.wake();
        Ok(())
    }

    /// The station need not keep the EVSE any longer.
    async fn release(&self, job: Job) -> Result<(), StoreError> {
        let key = job.key.clone();
        let found = self
            .read("operator.booking.release", move |_, tx| {
                let id = key.parse().ok();
                Ok::<_, StoreError>(id.map(|id| reservation::find(tx, id)).transpose()?.flatten())
            })
            .await?;
        let now = self.0.now();
        let Some(row) = found.filter(|row| row.state.is_open() && row.until > now) else {
            return self.run("operator.booking.released", move |_, tx| outbox::done(tx, job.id).map(drop)).await;
        };
        let told = ToStation::Reservation(ReservationOrder::Cancel { id: row.id });
        let (result, why) = remote::given_up(&self.tell(&row.station, told).await);
        let (now, station) = (self.0.now(), row.station.clone());
        self.run("operator.booking.released", move |house, tx| {
            let event = match result {
                OrderResult::Accepted => Held::Cancel,
                OrderResult::UnknownReservation => Held::NotThere,
                OrderResult::Failed
                | OrderResult::NotSupported
                | OrderResult::Rejected
                | OrderResult::TimedOut
                | OrderResult::EvseOccupied
                | OrderResult::EvseInoperative => {
                    let again = now.plus(publish::pause(job.attempts, &*house.dice));
                    return outbox::retry(tx, job.id, again, &why.unwrap_or_default()).map(drop);
                }
            };
            reservation::moved(tx, &row, event, None, None, now)?;
            outbox::done(tx, job.id).map(drop)
        })
        .await?;
        self.0.tell_of(Event::Station(station));
        Ok(())
    }
}

fn locations(house: &House, tx: &Tx<'_>, wish: PageWish, slot: Slot, now: Timestamp) -> Result<BookingAnswer, Trouble> {
    let page = part(wish);
    let (found, total) = rows::bookable_page(tx, (wish.changed_since, wish.changed_before), page.offset, page.limit)?;
    let all = found.into_iter().map(|row| location(house, tx, row, slot, now)).collect::<Result<Vec<_>, _>>()?;
    let turned: Page<BookingLocation> = turned(all, total, page);
    let windowed = slot != Slot::default();
    let is_free = |location: &BookingLocation| location.calendars.iter().any(|of| !of.available_timeslots.is_empty());
    let items = turned.items.into_iter().filter(|location| !windowed || is_free(location)).collect();
    Ok(BookingAnswer::Locations(Page { items, ..turned }))
}

/// Its id, and that of its calendar, is the EVSE's: one can be booked as a whole.
fn location(
    house: &House,
    tx: &Tx<'_>,
    row: BookableRow,
    window: Slot,
    now: Timestamp,
) -> Result<BookingLocation, Trouble> {
    let no_id = |_| Trouble::Denied(Denial::Internal);
    let connectors = place::connectors(tx, &row.evse)?;
    let most = connectors.iter().map(|connector| connector.max_power).max();
    let slots = booking::free(&row.terms, &rows::kept(tx, &row.evse, None, now)?, window, now);
    let calendar = Calendar {
        id: CalendarId::new(row.evse.as_str()).map_err(no_id)?,
        begin_from: now,
        end_before: now.plus(HORIZON),
        timeslot_increment: None,
        available_timeslots: slots.into_iter().map(|slot| Timeslot { max_power: most, ..slot }).collect(),
        last_updated: row.changed,
    };
    let mut tariffs: Vec<_> = connectors.into_iter().flat_map(|connector| connector.tariffs).collect();
    tariffs.dedup();
    let fee = agreed(house, tx, in_force(tx, &row.evse)?)?.is_some_and(|tariff| tariff.booking.expires.is_some());
    Ok(BookingLocation {
        party: house.setup.party,
        id: BookingLocationId::new(row.evse.as_str()).map_err(no_id)?,
        location: row.location,
        option: BookingOption { evse: Some(row.evse), connector: None },
        reservation_required: Some(false),
        tariffs,
        terms: Some(row.terms.told(fee)),
        calendars: vec![calendar],
        last_updated: row.changed,
    })
}

fn bookings(house: &House, tx: &Tx<'_>, from: PartyId, wish: PageWish) -> Result<BookingAnswer, Trouble> {
    let page = part(wish);
    let window = (wish.changed_since, wish.changed_before);
    let (found, total) = rows::page(tx, from, window, page.offset, page.limit)?;
    let items = found.iter().map(|row| word(house, tx, row)).collect::<Result<Vec<_>, _>>()?;
    Ok(BookingAnswer::Bookings(turned(items, total, page)))
}

/// A booking as its provider sees it.
pub(super) fn word(house: &House, tx: &Tx<'_>, row: &BookingRow) -> Result<Booking, StoreError> {
    let option = BookingOption { evse: Some(row.evse.clone()), connector: None };
    let asked = |of: RequestRow| BookingRequestStatus {
        status: of.status,
        request: BookingRequest {
            party: row.giver,
            request: row.request.clone(),
            option: option.clone(),
            location: row.location.clone(),
            booking_location: BookingLocationId::new(row.evse.as_str()).ok(),
            tokens: Vec::new(),
            access: Vec::new(),
            period: of.period,
            reference: row.reference.clone(),
            power_required: None,
            canceled: of.canceled,
        },
        received: of.received,
    };
    let mut tariffs: Vec<_> =
        place::connectors(tx, &row.evse)?.into_iter().flat_map(|connector| connector.tariffs).collect();
    tariffs.dedup();
    let fee = agreed(house, tx, row.tariff)?.is_some_and(|tariff| tariff.booking.expires.is_some());
    Ok(Booking {
        party: house.setup.party,
        id: row.id.clone(),
        request: row.request.clone(),
        location: row.location.clone(),
        tokens: row.token(house.seal())?.into_iter().collect(),
        tariffs,
        slot: Timeslot::of(row.period),
        status: row.status,
        canceled: row.canceled,
        access: Vec::new(),
        reference: row.reference.clone(),
        terms: row.terms.told(fee),
        requests: rows::requests(tx, &row.id)?.into_iter().map(asked).collect(),
        last_updated: row.changed,
        option,
    })
}

/// For the notice of a booking.
pub(super) fn letter(house: &House, tx: &Tx<'_>, id: &str) -> Result<Option<(PartyId, Question)>, StoreError> {
    let Some(row) = rows::find(tx, id)? else { return Ok(None) };
    let told = word(house, tx, &row)?;
    Ok(Some((row.giver, Question::Booking(BookingQuestion::Put(Box::new(told))))))
}

/// The same request again, with the same content, changes nothing.
fn request(
    house: &House,
    tx: &mut Tx<'_>,
    from: PartyId,
    wanted: &BookingRequest,
    now: Timestamp,
) -> Result<Booking, Trouble> {
    if wanted.party != from {
        return Err(Trouble::Denied(Denial::NotYours));
    }
    let known = rows::given(tx, from, &wanted.request)?;
    let row = match (known, wanted.canceled) {
        (Some(row), _) if row.status.is_final() => row,
        (Some(row), Some(canceled)) => cancel(house, tx, row, canceled, now)?,
        (Some(row), None) => change(house, tx, row, wanted, now)?,
        (None, Some(_)) => return Err(Trouble::Denied(Denial::UnknownObject)),
        (None, None) => make(house, tx, from, wanted, now)?,
    };
    Ok(word(house, tx, &row)?)
}

fn make(
    house: &House,
    tx: &mut Tx<'_>,
    from: PartyId,
    wanted: &BookingRequest,
    now: Timestamp,
) -> Result<BookingRow, Trouble> {
    let (token, tag) = card(house, from, wanted)?;
    let evse = wanted.booking_location.as_ref().and_then(|id| EvseUid::new(id.as_str()).ok());
    let bookable = evse.map(|evse| rows::bookable(tx, &evse)).transpose()?.flatten();
    let bookable = bookable.filter(|row| row.location == wanted.location);
    let bookable = bookable.ok_or(Trouble::Denied(Denial::UnknownLocation))?;
    if wanted.option.evse.as_ref().is_some_and(|evse| *evse != bookable.evse) {
        return Err(malformed("/booking_option/evse_uid", "is not the EVSE of this booking location"));
    }
    let id = BookingId::new(house.dice.uuid()).map_err(|_| Trouble::Denied(Denial::Internal))?;
    let others = rows::kept(tx, &bookable.evse, None, now)?;
    let judged = booking::fits(&bookable.terms, wanted.period, &others, now);
    let (status, answered) = match judged {
        Ok(()) => (ReservationStatus::Reserved, ReservationRequestStatus::Accepted),
        Err(_) => (ReservationStatus::Rejected, ReservationRequestStatus::Declined),
    };
    let mut row = BookingRow {
        id,
        giver: from,
        request: wanted.request.clone(),
        location: bookable.location,
        evse: bookable.evse,
        station: bookable.station,
        no: bookable.no,
        period: wanted.period,
        terms: bookable.terms,
        status,
        canceled: None,
        reference: wanted.reference.clone(),
        token_sealed: None,
        tag: None,
        reservation: None,
        held: false,
        asked: None,
        refused: None,
        why: judged.err().map(str::to_owned),
        made: now,
        changed: now,
        tariff: None,
        session: None,
    };
    row.tariff = in_force(tx, &row.evse)?;
    if status == ReservationStatus::Reserved {
        row.seal(house.seal(), token, tag)?;
        look_at(tx, &row, now)?;
    }
    rows::save(tx, &row)?;
    note(tx, &row, wanted, answered, now)?;
    Ok(row)
}

/// What is to be held to the reader: a station keeps an EVSE for one card.
fn card<'r>(house: &House, from: PartyId, wanted: &'r BookingRequest) -> Result<(&'r RecordToken, TokenTag), Trouble> {
    let [token] = wanted.tokens.as_slice() else {
        return Err(malformed("/tokens", "has to be one card: a station keeps an EVSE for one"));
    };
    if token.kind != TokenKind::Rfid {
        return Err(malformed("/tokens/0/type", "has to be RFID: it is what the station is told"));
    }
    if token.party != from {
        return Err(Trouble::Denied(Denial::NotYours));
    }
    Ok((token, house.setup.keys.tags.tag(token.kind, &token.uid)))
}

fn change(
    house: &House,
    tx: &mut Tx<'_>,
    mut row: BookingRow,
    wanted: &BookingRequest,
    now: Timestamp,
) -> Result<BookingRow, Trouble> {
    let (token, tag) = card(house, row.giver, wanted)?;
    if row.period == wanted.period && row.tag.as_deref() == Some(tag.as_bytes()) {
        return Ok(row);
    }
    let same_place = wanted.booking_location.as_ref().is_some_and(|id| id.as_str() == row.evse.as_str());
    let others = rows::kept(tx, &row.evse, Some(&row.id), now)?;
    let possible = same_place
        && booking::in_time(row.terms.change_until, row.period, now)
        && booking::fits(&row.terms, wanted.period, &others, now).is_ok();
    row.changed = now;
    if !possible {
        rows::save(tx, &row)?;
        note(tx, &row, wanted, ReservationRequestStatus::Declined, now)?;
        return Ok(row);
    }
    row.period = wanted.period;
    row.seal(house.seal(), token, tag)?;
    // the same number again is the same reservation, with another end or card; a later one is made when it is time
    (row.held, row.asked, row.refused) = (false, None, None);
    if row.terms.hold_from(row.period) > now {
        let_go(tx, &mut row, now)?;
    }
    look_at(tx, &row, now)?;
    rows::save(tx, &row)?;
    note(tx, &row, wanted, ReservationRequestStatus::Accepted, now)?;
    Ok(row)
}

/// In time it costs nothing. Later it does where the tariff names a fee for it, and is declined where it names none.
fn cancel(
    house: &House,
    tx: &mut Tx<'_>,
    mut row: BookingRow,
    canceled: Cancellation,
    now: Timestamp,
) -> Result<BookingRow, Trouble> {
    let canceled = Cancellation { by: Canceler::Provider, ..canceled };
    let asked = RequestRow {
        status: ReservationRequestStatus::Accepted,
        period: row.period,
        canceled: Some(canceled),
        received: now,
    };
    let in_time = booking::in_time(row.terms.cancel_until, row.period, now);
    if in_time || ask_fee(house, tx, &row, BookingEnd::Cancellation, now)? {
        end(tx, &mut row, Happens::Cancel, Some(canceled), None, now)?;
        rows::add_request(tx, &row.id, &asked)?;
    } else {
        row.changed = now;
        rows::save(tx, &row)?;
        rows::add_request(tx, &row.id, &RequestRow { status: ReservationRequestStatus::Declined, ..asked })?;
    }
    Ok(row)
}

fn note(
    tx: &mut Tx<'_>,
    row: &BookingRow,
    wanted: &BookingRequest,
    status: ReservationRequestStatus,
    now: Timestamp,
) -> Result<(), StoreError> {
    let asked = RequestRow { status, period: wanted.period, canceled: wanted.canceled, received: now };
    rows::add_request(tx, &row.id, &asked)
}

/// A booking comes to its end; its card is forgotten with it.
fn end(
    tx: &mut Tx<'_>,
    row: &mut BookingRow,
    event: Happens,
    canceled: Option<Cancellation>,
    why: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    row.status = booking::on(row.status, event);
    (row.canceled, row.why, row.changed) = (canceled, why.map(str::to_owned), now);
    (row.token_sealed, row.tag, row.held) = (None, None, false);
    match event {
        Happens::Cancel => let_go(tx, row, now)?,
        // the station's own reservation ends with it
        Happens::Start | Happens::Lapse => row.reservation = None,
    }
    rows::save(tx, row)
}

/// The same, for a reason that the provider does not know of yet.
pub(super) fn end_and_tell(
    tx: &mut Tx<'_>,
    row: &mut BookingRow,
    event: Happens,
    reason: Option<CanceledReason>,
    why: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let canceled = reason.map(|reason| Cancellation { reason, by: Canceler::Operator });
    end(tx, row, event, canceled, why, now)?;
    notice::put(tx, Kind::Booking, row.id.as_str(), now)
}

fn let_go(tx: &mut Tx<'_>, row: &mut BookingRow, now: Timestamp) -> Result<(), StoreError> {
    match row.reservation.take() {
        Some(id) => outbox::put(tx, RELEASE, &id.to_string(), now, &[]).map(drop),
        None => Ok(()),
    }
}

fn look_at(tx: &mut Tx<'_>, row: &BookingRow, now: Timestamp) -> Result<(), StoreError> {
    let due = row.terms.hold_from(row.period).max(now);
    outbox::put(tx, BOOKING, &format!("{}/{}", row.id, row.changed.micros()), due, &[]).map(drop)
}

/// What a look at a booking has led to.
enum Minded {
    Nothing,
    Ended(StationId),
    Tell(ToStation, StationId),
}

fn mind(house: &House, tx: &mut Tx<'_>, key: &str, job: i64, now: Timestamp) -> Result<Minded, StoreError> {
    let found = rows::find(tx, key.split('/').next().unwrap_or_default())?;
    let Some(mut row) = found.filter(|row| !row.status.is_final()) else {
        return outbox::done(tx, job).map(|_| Minded::Nothing);
    };
    let kept = row.reservation.map(|id| reservation::find(tx, id)).transpose()?.flatten();
    if row.held && kept.is_some_and(|kept| !kept.state.is_open() && kept.until > now) {
        // the station gave it up by itself: it is asked again, and says why
        (row.held, row.reservation) = (false, None);
        rows::save(tx, &row)?;
    }
    let state = place::bay(tx, &row.station, row.no)?.and_then(|bay| bay.state);
    let standing = Standing {
        period: row.period,
        terms: row.terms,
        held: row.held,
        broken: matches!(state, Some(BayState::Faulted | BayState::Unavailable)),
        refused: row.refused,
    };
    let reason = match booking::step(&standing, now) {
        Step::Wait(until) => return outbox::postpone(tx, job, until).map(|_| Minded::Nothing),
        Step::Hold => {
            let waits = row.refused.is_some() || row.reservation.is_some();
            let again = row.asked.filter(|_| waits).map(|asked| asked.plus(booking::LOOK_EVERY));
            if let Some(again) = again.filter(|again| *again > now) {
                return outbox::postpone(tx, job, again).map(|_| Minded::Nothing);
            }
            return hold(house, tx, row, job, now);
        }
        Step::Cancel(reason) => Some(reason),
        Step::Lapse => None,
    };
    let event = if reason.is_some() { Happens::Cancel } else { Happens::Lapse };
    if event == Happens::Lapse {
        ask_fee(house, tx, &row, BookingEnd::Expires, now)?;
    }
    let why = row.why.clone();
    end_and_tell(tx, &mut row, event, reason, why.as_deref(), now)?;
    outbox::done(tx, job)?;
    Ok(Minded::Ended(row.station))
}

/// What the station is told. Should we die before its answer, it is told the same again.
fn hold(house: &House, tx: &mut Tx<'_>, mut row: BookingRow, job: i64, now: Timestamp) -> Result<Minded, StoreError> {
    let Some(token) = row.token(house.seal())? else {
        return outbox::give_up(tx, job, "the booking has no card").map(|_| Minded::Nothing);
    };
    let until = row.terms.lapses(row.period);
    let id = match row.reservation {
        Some(id) => id,
        None => reservation::open(tx, &row.station, Some(row.no), until, None, now)?,
    };
    (row.reservation, row.asked, row.refused) = (Some(id), Some(now), None);
    rows::save(tx, &row)?;
    let token = PresentedToken { uid: token.uid, kind: token.kind };
    let order = ReservationOrder::Reserve { id, evse: Some(row.no), token, group: None, until, connector: None };
    Ok(Minded::Tell(ToStation::Reservation(order), row.station))
}

/// The station has answered, or not.
fn held(
    tx: &mut Tx<'_>,
    key: &str,
    job: i64,
    answer: &Result<StationAnswer, LineFault>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(mut row) = rows::find(tx, key.split('/').next().unwrap_or_default())? else { return Ok(()) };
    // cancelled or moved meanwhile: what was told then is not what holds now
    if row.status.is_final() || row.asked.is_none() {
        return outbox::postpone(tx, job, now).map(drop);
    }
    let (result, why) = remote::reserved(answer);
    let kept = row.reservation.map(|id| reservation::find(tx, id)).transpose()?.flatten();
    if let Some(kept) = &kept {
        match result {
            OrderResult::Accepted => {
                reservation::renew(tx, kept.id, Some(row.no), row.terms.lapses(row.period), now)?;
                reservation::moved(tx, kept, Held::Accept, None, None, now)?;
            }
            // it may have taken it
            OrderResult::TimedOut => {}
            OrderResult::Failed
            | OrderResult::NotSupported
            | OrderResult::Rejected
            | OrderResult::EvseOccupied
            | OrderResult::EvseInoperative
            | OrderResult::UnknownReservation => {
                reservation::moved(tx, kept, Held::Refuse, why.as_deref(), None, now)?;
                row.reservation = None;
            }
        }
    }
    let accepted = result == OrderResult::Accepted;
    (row.held, row.refused, row.why) = (accepted, (!accepted).then_some(result), why);
    rows::save(tx, &row)?;
    // the next look decides by it
    outbox::postpone(tx, job, now).map(drop)
}

/// The version of the tariff that is in force at an EVSE.
fn in_force(tx: &Tx<'_>, evse: &EvseUid) -> Result<Option<i64>, StoreError> {
    let connectors = place::connectors(tx, evse)?;
    let first = connectors.first().and_then(|connector| connector.tariffs.first());
    first.map_or(Ok(None), |id| tariff::current_version(tx, id))
}

fn agreed(house: &House, tx: &Tx<'_>, version: Option<i64>) -> Result<Option<Tariff>, StoreError> {
    version.map_or(Ok(None), |version| tariff::version(tx, house.setup.party, version))
}

/// Asks the fee for a booking that ends without a session, while its card is known. `false`: that costs nothing.
fn ask_fee(
    house: &House,
    tx: &mut Tx<'_>,
    row: &BookingRow,
    end: BookingEnd,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let party = house.setup.party;
    let (Some(version), Some(token)) = (row.tariff, row.token(house.seal())?) else { return Ok(false) };
    let connectors = place::connectors(tx, &row.evse)?;
    let Some(connector) = connectors.first() else { return Ok(false) };
    let placed = place::record_place(tx, party, &row.location, &row.evse, &connector.id)?;
    let (Some((place, _)), Some(tariff)) = (placed, agreed(house, tx, Some(version))?) else { return Ok(false) };
    let (Ok(id), Ok(stands_as)) = (CdrId::new(row.id.as_str()), SessionId::new(row.id.as_str())) else {
        return Ok(false);
    };
    let (booking, reference) = (row.id.clone(), row.reference.clone());
    let cdr = match fee(Unused { party, id, booking, end, at: now, token, reference, place, tariff }) {
        Ok(Some(cdr)) => cdr,
        Ok(None) => return Ok(false),
        Err(fault) => {
            tracing::error!(%fault, booking = %row.id, "the fee of a booking cannot be worked out");
            return Ok(false);
        }
    };
    let verdict = Verdict::CannotBeChecked(Obstacle::NoRecord).to_string();
    if cdr::put(tx, house.seal(), &cdr, &stands_as, version, &cdr::Evidence { verdict, digest: None })? {
        outbox::put(tx, DELIVER, cdr.id.as_str(), now, &[])?;
    }
    Ok(true)
}

/// A transaction has begun with this token at this EVSE: the booking it was for is fulfilled.
pub(super) fn began(
    tx: &mut Tx<'_>,
    station: &StationId,
    (no, tag, reserved): (Option<EvseNo>, Option<TokenTag>, Option<i32>),
    session: Option<&SessionId>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if session.is_none() || (tag.is_none() && reserved.is_none()) {
        return Ok(false);
    }
    for mut row in rows::holding(tx, station)? {
        let kept = row.terms.kept(row.period);
        let by_card = tag.is_some_and(|tag| row.tag.as_deref() == Some(tag.as_bytes()));
        let here = no.is_none_or(|no| no == row.no) && kept.start() <= now && by_card;
        if here || (reserved.is_some() && row.reservation == reserved) {
            row.session = session.cloned();
            end_and_tell(tx, &mut row, Happens::Start, None, None, now)?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether an EVSE is kept for another card at this moment.
pub(super) fn keeps_out(
    tx: &Tx<'_>,
    station: &StationId,
    no: EvseNo,
    tag: TokenTag,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let others = |row: &BookingRow| row.no == no && row.held && row.tag.as_deref() != Some(tag.as_bytes());
    let during = |row: &BookingRow| row.terms.hold_from(row.period) <= at && at < row.terms.lapses(row.period);
    Ok(rows::holding(tx, station)?.iter().any(|row| others(row) && during(row)))
}

fn malformed(path: &str, why: &str) -> Trouble {
    Trouble::Denied(Denial::Malformed { path: path.into(), why: why.into() })
}
