//! Booking from the driver's page: what is free, a wish, its change and its end, and what operators tell of them.
//!
//! A wish is written before it is sent. Where no answer came it is asked again under the same name, which makes no second
//! booking of it (OCPI 2.3.0, Bookings 1.1, `request_id`). Only the operator of a booking moves it.

use charge::id::{AuthorizationReference, BookingId, BookingRequestId, LocationId, PartyId};
use charge::money::Currency;
use charge::record::RecordToken;
use charge::talk::road::booking::{
    Booking, BookingAnswer, BookingLocation, BookingOption, BookingQuestion, BookingRequest, CanceledReason, Canceler,
    Cancellation, Period, ReservationStatus, Slot, Timeslot,
};
use charge::talk::road::{Answer, Denial, PageWish, Question, RoadFault};
use charge::tariff::BookingFees;
use charge::token::{ContractId, TokenKind};
use charge::{Personal, Timestamp};
use store::Tx;

use super::duty::STAND_IN;
use super::{Desk, Event, Provider};
use crate::booking::{self, ASK_AGAIN, BookWish, BookableTimes, DriverBooking};
use crate::fault::{ProviderFault, Refusal};
use crate::memory::{bookings, people, places, tariffs};
use crate::tokens::Card;
use crate::{CardId, DriverId, contracts};

impl Provider {
    /// What can be booked at a place within a window. An operator that takes no bookings has nothing.
    pub async fn bookable(
        &self,
        operator: PartyId,
        location: LocationId,
        window: Slot,
    ) -> Result<Vec<BookableTimes>, ProviderFault> {
        let mut found = Vec::new();
        let mut wish = PageWish { limit: PAGE, ..PageWish::default() };
        for _ in 0..PAGES_MAX {
            let question = BookingQuestion::Locations { wish, slot: window };
            let page = match self.ask(operator, Question::Booking(question)).await {
                Ok(Answer::Booking(BookingAnswer::Locations(page))) => page,
                Err(RoadFault::Denied(Denial::NotSupported | Denial::UnknownObject)) => return Ok(Vec::new()),
                Ok(_) | Err(_) => return Err(Refusal::NoAnswer.into()),
            };
            let here = |item: &BookingLocation| item.location == location && item.party == operator;
            found.extend(page.items.into_iter().filter(here));
            match page.next {
                Some(next) if next > wish.offset => wish.offset = next,
                Some(_) | None => break,
            }
        }
        let now = self.now();
        self.read("provider.booking.fees", move |_, tx| {
            let priced = |location: BookingLocation| {
                let tariff = tariffs::in_force(tx, operator, &location.tariffs, now)?;
                Ok(times(location, tariff.map(|(_, tariff)| (tariff.booking, tariff.currency))))
            };
            found.into_iter().map(priced).collect()
        })
        .await
    }

    /// Books a time. Answers with the booking after the operator's word, or as pending where there was none; what becomes
    /// of it is told by [`Event::Booking`].
    pub async fn book(&self, wish: BookWish) -> Result<DriverBooking, ProviderFault> {
        let (now, id) = (self.now(), BookingRequestId::new(self.0.dice.uuid())?);
        let made = self.run("provider.book", move |desk, tx| desk.wish(tx, wish, id, now)).await?;
        self.request(made).await
    }

    /// Wants another time for a booking. The booking as it is then: an operator that refuses leaves it as it was.
    pub async fn change_booking(
        &self,
        driver: DriverId,
        id: BookingRequestId,
        period: Period,
    ) -> Result<DriverBooking, ProviderFault> {
        let known = self.own_booking(driver, id).await?;
        let changed = self.insist(&known, Some(period), None).await?;
        if changed.period == period { Ok(changed) } else { Err(Refusal::NotChanged.into()) }
    }

    /// Gives a booking up. The operator may say that it is too late.
    pub async fn cancel_booking(&self, driver: DriverId, id: BookingRequestId) -> Result<DriverBooking, ProviderFault> {
        let mut known = self.own_booking(driver, id).await?;
        let now = *known.cancel_asked.get_or_insert(self.now());
        let asked = known.id.clone();
        self.run("provider.booking.cancel", move |_, tx| Ok(bookings::cancel_asked(tx, &asked, now)?)).await?;
        let canceled = Cancellation { reason: CanceledReason::NoCanceled, by: Canceler::Provider };
        let gone = self.insist(&known, None, Some(canceled)).await?;
        if gone.status == ReservationStatus::Canceled { Ok(gone) } else { Err(Refusal::NotChanged.into()) }
    }

    /// Those that begin last first.
    pub async fn bookings(&self, driver: DriverId) -> Result<Vec<DriverBooking>, ProviderFault> {
        self.read("provider.bookings", move |_, tx| Ok(bookings::of_driver(tx, &driver, LISTED_MAX)?)).await
    }

    async fn own_booking(&self, driver: DriverId, id: BookingRequestId) -> Result<DriverBooking, ProviderFault> {
        let found = self.read("provider.booking", move |_, tx| Ok(bookings::find(tx, &id)?)).await?;
        let found = found.filter(|found| found.driver == driver).ok_or(Refusal::NoSuchBooking)?;
        if found.status.is_final() { Err(Refusal::BookingOver.into()) } else { Ok(found) }
    }

    /// Sends the wish of a booking, and keeps what its operator says.
    async fn request(&self, made: DriverBooking) -> Result<DriverBooking, ProviderFault> {
        let question = self.booking_question(&made, None, None).await?;
        let answer = self.ask(made.operator, question).await;
        let now = self.now();
        let (row, event) = self
            .run("provider.booking.answer", move |_, tx| {
                let mut row = bookings::find(tx, &made.id)?.ok_or(Refusal::NoSuchBooking)?;
                match booking::answered(&answer) {
                    Some(Ok(told)) => drop(row.take(told)),
                    Some(Err(words)) if row.booking.is_none() => fail(&mut row, words, now),
                    Some(Err(_)) => {}
                    None if row.period.start() < now => fail(&mut row, "the operator did not answer in time", now),
                    None => row.updated = now,
                }
                bookings::save(tx, &row)?;
                Ok((row.clone(), Event::Booking { driver: row.driver, id: row.id }))
            })
            .await?;
        self.tell([event]);
        Ok(row)
    }

    /// A change of what the operator knows of already.
    async fn insist(
        &self,
        known: &DriverBooking,
        period: Option<Period>,
        canceled: Option<Cancellation>,
    ) -> Result<DriverBooking, ProviderFault> {
        let question = self.booking_question(known, period, canceled).await?;
        let answer = self.ask(known.operator, question).await;
        match booking::answered(&answer) {
            Some(Ok(told)) => self.keep_told(known.id.clone(), told.clone()).await,
            Some(Err(words)) => Err(Refusal::NotAllowed(words).into()),
            None => Err(Refusal::NoAnswer.into()),
        }
    }

    async fn keep_told(&self, id: BookingRequestId, told: Booking) -> Result<DriverBooking, ProviderFault> {
        let (row, event) = self
            .run("provider.booking.told", move |_, tx| {
                let mut row = bookings::find(tx, &id)?.ok_or(Refusal::NoSuchBooking)?;
                let event = row.take(&told).then(|| Event::Booking { driver: row.driver.clone(), id });
                bookings::save(tx, &row)?;
                Ok((row, event))
            })
            .await?;
        self.tell(event);
        Ok(row)
    }

    async fn booking_question(
        &self,
        of: &DriverBooking,
        period: Option<Period>,
        canceled: Option<Cancellation>,
    ) -> Result<Question, ProviderFault> {
        let (card, us) = (of.card.clone(), self.party());
        let card = self.read("provider.booking.card", move |desk, tx| desk.card_named(tx, &card)).await?;
        let request = BookingRequest {
            party: us,
            request: of.id.clone(),
            option: BookingOption::default(),
            location: of.location.clone(),
            booking_location: Some(of.booking_location.clone()),
            tokens: vec![token(us, &card)?],
            access: Vec::new(),
            period: period.unwrap_or(of.period),
            reference: of.reference.clone(),
            power_required: None,
            canceled,
        };
        Ok(Question::Booking(BookingQuestion::Request(Box::new(request))))
    }

    /// Wishes that nobody has answered are sent again.
    pub(crate) async fn ask_again(&self) -> Result<(), ProviderFault> {
        let asked = self.now().minus(ASK_AGAIN);
        let waiting = self.read("provider.bookings.waiting", move |_, tx| Ok(bookings::unanswered(tx, asked)?)).await?;
        for made in waiting {
            self.request(made).await?;
        }
        Ok(())
    }

    pub(super) async fn hear_booking(&self, from: PartyId, about: BookingQuestion) -> Result<Answer, ProviderFault> {
        match about {
            BookingQuestion::Put(told) => {
                let id = told.request.clone();
                // a booking of somebody else's is as unknown as none
                let known = self.read("provider.booking", move |_, tx| Ok(bookings::find(tx, &id)?)).await?;
                let known = known.filter(|known| known.operator == told.party && self.speaks(from, known.operator));
                let known = known.ok_or(ProviderFault::Denied(Denial::UnknownObject))?;
                self.keep_told(known.id, *told).await?;
                Ok(Answer::Noted)
            }
            BookingQuestion::Kept { owner, id } => {
                let kept = self.read("provider.booking.kept", move |desk, tx| desk.kept(tx, owner, &id)).await?;
                let kept = kept.filter(|_| self.speaks(from, owner));
                let kept = kept.ok_or(ProviderFault::Denied(Denial::UnknownObject))?;
                Ok(Answer::Booking(BookingAnswer::Booking(Box::new(kept))))
            }
            BookingQuestion::Locations { .. }
            | BookingQuestion::Location(_)
            | BookingQuestion::Bookings(_)
            | BookingQuestion::Request(_) => Err(ProviderFault::Denied(Denial::NotSupported)),
        }
    }

    fn speaks(&self, from: PartyId, owner: PartyId) -> bool {
        from == owner || from == self.0.setup.hub
    }
}

impl Desk {
    fn wish(
        &self,
        tx: &mut Tx<'_>,
        wish: BookWish,
        id: BookingRequestId,
        now: Timestamp,
    ) -> Result<DriverBooking, ProviderFault> {
        let contract = people::contract(tx, &wish.driver, self.setup.currency)?.ok_or(Refusal::NoSuchDriver)?;
        contracts::allowance(now, &contract, self.owed(tx, &wish.driver)?)
            .map_err(|allowed| Refusal::NotAllowed(contracts::words(allowed)))?;
        if !places::is_known(tx, wish.operator, &wish.location)? {
            return Err(Refusal::NoSuchPlace.into());
        }
        let card = self.card_named(tx, &wish.card)?;
        if card.driver != wish.driver {
            return Err(Refusal::NoSuchCard.into());
        }
        if card.blocked {
            return Err(Refusal::NotAllowed("the card is blocked").into());
        }
        let made = DriverBooking {
            id,
            driver: wish.driver,
            operator: wish.operator,
            location: wish.location,
            booking_location: wish.booking_location,
            card: wish.card,
            period: wish.period,
            status: ReservationStatus::Pending,
            canceled: None,
            evse: None,
            booking: None,
            reference: AuthorizationReference::new(self.dice.letters(REFERENCE_LETTERS))?,
            change_until: 0,
            cancel_until: 0,
            early: 0,
            noshow: None,
            cancel_asked: None,
            message: String::new(),
            given: now,
            updated: now,
        };
        bookings::save(tx, &made)?;
        Ok(made)
    }

    fn card_named(&self, tx: &Tx<'_>, id: &CardId) -> Result<Card, ProviderFault> {
        Ok(people::card(tx, &self.vault, id)?.ok_or(Refusal::NoSuchCard)?)
    }

    /// What is kept of a booking, for its operator.
    fn kept(&self, tx: &Tx<'_>, operator: PartyId, id: &BookingId) -> Result<Option<Booking>, ProviderFault> {
        let Some(row) = bookings::by_booking(tx, operator, id)? else { return Ok(None) };
        Ok(Some(Booking {
            party: operator,
            id: id.clone(),
            terms: row.terms(),
            request: row.id,
            option: BookingOption { evse: row.evse, connector: None },
            location: row.location,
            tokens: Vec::new(),
            tariffs: Vec::new(),
            slot: Timeslot::of(row.period),
            status: row.status,
            canceled: row.canceled,
            access: Vec::new(),
            reference: row.reference,
            requests: Vec::new(),
            last_updated: row.updated,
        }))
    }
}

/// The card itself: it is what the station keeps the charging point for. Its contract is nobody's business before it is
/// held to a reader.
fn token(us: PartyId, card: &Card) -> Result<RecordToken, ProviderFault> {
    let contract = Personal::new(ContractId::of(us, STAND_IN)?);
    Ok(RecordToken { party: us, uid: card.uid.clone(), kind: TokenKind::Rfid, contract })
}

fn times(location: BookingLocation, fees: Option<(BookingFees, Currency)>) -> BookableTimes {
    let mut free: Vec<Period> =
        location.calendars.iter().flat_map(|of| &of.available_timeslots).map(|slot| slot.period).collect();
    free.sort_by_key(|period| period.start());
    let (evse, terms) = (location.option.evse, location.terms.unwrap_or_default());
    BookableTimes { id: location.id, evse, free, terms, fees }
}

fn fail(row: &mut DriverBooking, words: &str, now: Timestamp) {
    (row.status, row.message, row.updated) = (ReservationStatus::Failed, words.to_owned(), now);
}

/// As many as an operator hands out at once.
const PAGE: u32 = 100;
/// Two thousand bookable points: an operator with more is asked for less by its map.
const PAGES_MAX: usize = 20;
/// 103 bits; OCPI has room for 36.
const REFERENCE_LETTERS: usize = 20;
/// As many as anybody looks through.
const LISTED_MAX: u32 = 100;
