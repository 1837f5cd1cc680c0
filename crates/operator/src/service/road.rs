//! The desk for letters of the other parties: orders for stations, and questions for public data.
//!
//! An order is kept before it is acknowledged and carried out by a duty; its giver hears the outcome later. What an
//! operator has no business with is answered as not supported.

use charge::id::{AuthorizationReference, EvseUid, LocationId, OrderId, PartyId, SessionId};
use charge::record::RecordToken;
use charge::talk::road::{
    Answer, Denial, Letter, OrderAck, OrderResult, Page, PageWish, Question, ReservationOrder, ReservationWish,
    ReturnAddress, RoadDesk, StartOrder,
};
use charge::token::{IssuedToken, TokenKind};
use charge::{Soon, Timestamp};
use store::{StoreError, Tx, outbox};

use super::errand::{OUTCOME, TELL};
use super::profiles;
use super::reservations::HELD_MAX;
use super::{Event, House, Operator};
use crate::desk::Reservation;
use crate::memory::order::{self, Kind, OrderRow};
use crate::memory::place::BayRow;
use crate::memory::{place, reservation, session, tariff};
use crate::remote::{self, ALIAS_LEN, Bay, Decision, OUTCOME_WITHIN_S};
use crate::view;

impl RoadDesk for Operator {
    fn hear(&self, letter: Letter) -> Soon<'_, Result<Answer, Denial>> {
        Box::pin(self.read_letter(letter))
    }
}

/// Why a letter is not answered: the asker's mistake or our memory.
pub(super) enum Trouble {
    Denied(Denial),
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Trouble> for Denial {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Denied(denial) => denial,
            Trouble::Store(StoreError::Overloaded { .. }) => Self::Overloaded,
            Trouble::Store(error) => {
                tracing::error!(%error, "a letter could not be kept");
                Self::Internal
            }
        }
    }
}

impl Operator {
    async fn read_letter(&self, letter: Letter) -> Result<Answer, Denial> {
        let Letter { from, to, correlation, question } = letter;
        if to.is_some_and(|to| to != self.0.setup.party) {
            return Err(Denial::UnknownReceiver);
        }
        let now = self.0.now();
        let given = |order, return_to| Given { from, order, return_to, correlation, now };
        match question {
            Question::Start(start) => {
                let given = given(start.order.clone(), start.return_to.clone());
                self.keep_order("operator.order.start", move |house, tx| keep_start(house, tx, &given, &start)).await
            }
            Question::Stop { order, return_to, session } => {
                let given = given(order, return_to);
                self.keep_order("operator.order.stop", move |house, tx| keep_stop(house, tx, &given, session)).await
            }
            Question::Unlock { order, return_to, location, evse, connector: _ } => {
                let given = given(order, return_to);
                self.keep_order("operator.order.unlock", move |house, tx| {
                    keep_unlock(house, tx, &given, &location, &evse)
                })
                .await
            }
            Question::Locations(wish) => self.locations_page(wish).await,
            Question::Tariffs(wish) => self.tariffs_page(wish).await,
            Question::Fetch(wanted) => self.hand(from, wanted).await,
            Question::Reservation(wish) => {
                let given = given(wish.order.clone(), wish.return_to.clone());
                self.keep_order("operator.order.reserve", move |house, tx| keep_reservation(house, tx, &given, &wish))
                    .await
            }
            Question::Profile(wish) => {
                let given = given(wish.order.clone(), wish.return_to.clone());
                self.keep_order("operator.order.profile", move |house, tx| profiles::keep(house, tx, &given, &wish))
                    .await
            }
            Question::Booking(about) => self.hear_booking(from, about).await,
            Question::MayCharge { .. }
            | Question::Outcome { .. }
            | Question::ProfileOutcome { .. }
            | Question::Plan { .. }
            | Question::PutSession(_)
            | Question::PostCdr(_)
            | Question::PutLocation(_)
            | Question::PatchEvse { .. }
            | Question::PutTariff(_)
            | Question::DropTariff(_)
            | Question::PutToken(_) => Err(Denial::NotSupported),
        }
    }

    async fn keep_order(
        &self,
        name: &'static str,
        keep: impl FnOnce(&House, &mut Tx<'_>) -> Result<Answer, Trouble> + Send + 'static,
    ) -> Result<Answer, Denial> {
        let answer = self.run(name, keep).await?;
        self.0.wake();
        Ok(answer)
    }

    async fn locations_page(&self, wish: PageWish) -> Result<Answer, Denial> {
        let page = part(wish);
        let found: Result<_, Trouble> = self
            .read("operator.locations", move |house, tx| {
                Ok(place::page(
                    tx,
                    house.setup.party,
                    (wish.changed_since, wish.changed_before),
                    page.offset,
                    page.limit,
                )?)
            })
            .await;
        let (items, total) = found?;
        Ok(Answer::Locations(turned(items, total, page)))
    }

    async fn tariffs_page(&self, wish: PageWish) -> Result<Answer, Denial> {
        let page = part(wish);
        let found: Result<_, Trouble> = self
            .read("operator.tariffs", move |house, tx| {
                Ok(tariff::page(
                    tx,
                    house.setup.party,
                    (wish.changed_since, wish.changed_before),
                    page.offset,
                    page.limit,
                )?)
            })
            .await;
        let (items, total) = found?;
        Ok(Answer::Tariffs(turned(items, total, page)))
    }
}

pub(super) const fn part(wish: PageWish) -> view::Page {
    let limit = if wish.limit == 0 { PAGE_DEFAULT } else { wish.limit };
    view::Page { offset: wish.offset, limit }.bounded()
}

pub(super) fn turned<T>(items: Vec<T>, total: u32, page: view::Page) -> Page<T> {
    let shown = u32::try_from(items.len()).unwrap_or(u32::MAX);
    let next = page.offset.saturating_add(shown);
    Page { items, total, next: (shown > 0 && next < total).then_some(next), complaints: Vec::new() }
}

/// An order with its circumstances.
pub(super) struct Given {
    pub(super) from: PartyId,
    pub(super) order: OrderId,
    pub(super) return_to: Option<ReturnAddress>,
    pub(super) correlation: charge::id::CorrelationId,
    pub(super) now: Timestamp,
}

impl Given {
    fn row(&self, house: &House, kind: Kind) -> Result<OrderRow, StoreError> {
        let start = OrderRow::start(fresh_order(house)?, self.from, self.correlation.clone(), self.now);
        Ok(OrderRow { kind, given_as: self.order.clone(), return_to: self.return_to.clone(), ..start })
    }
}

pub(super) fn fresh_order(house: &House) -> Result<OrderId, StoreError> {
    OrderId::new(house.dice.uuid()).map_err(|_| StoreError::Misuse("no order id".to_owned()))
}

pub(super) fn accepted() -> Answer {
    Answer::Order { ack: OrderAck::Accepted { outcome_within_s: OUTCOME_WITHIN_S }, message: None }
}

fn keep_start(house: &House, tx: &mut Tx<'_>, given: &Given, start: &StartOrder) -> Result<Answer, Trouble> {
    if order::given(tx, given.from, &given.order)?.is_some() {
        return Ok(accepted());
    }
    let mut bays = Vec::new();
    for row in place::bays(tx, &start.location, start.evse.as_ref())? {
        bays.push(standing(house, tx, row)?);
    }
    let mut row = given.row(house, Kind::Start)?;
    match remote::decide(given.from, start, bays) {
        Decision::Deny(denial) => return Err(Trouble::Denied(denial)),
        Decision::Hopeless(result, why) => finish(tx, &mut row, result, Some(why.to_owned()), given.now)?,
        Decision::Tell(bay) => {
            let token = RecordToken {
                party: start.token.party,
                uid: start.token.uid.clone(),
                kind: start.token.kind,
                contract: start.token.contract.clone(),
            };
            row.seal(house.seal(), &token)?;
            row.reference.clone_from(&start.reference);
            aim(house, &mut row, &bay);
            if let Some(alias) = reserved_as(house, tx, given.from, &bay, start)? {
                row.alias = Some(alias);
            }
            order::save(tx, &row)?;
            outbox::put(tx, TELL, row.id.as_str(), given.now, &[])?;
        }
    }
    Ok(accepted())
}

/// What a station keeps this very EVSE free for, where it does so for whoever starts: the same contract, or the same
/// reference of its provider's.
fn reserved_as(
    house: &House,
    tx: &Tx<'_>,
    giver: PartyId,
    bay: &Bay,
    start: &StartOrder,
) -> Result<Option<String>, StoreError> {
    for row in order::reserving(tx, giver, &bay.station)? {
        let known = start.reference.is_some() && row.reference == start.reference;
        let same = known || row.token(house.seal())?.is_some_and(|token| token.contract == start.token.contract);
        if same && row.no == Some(bay.no) && row.alias.is_some() {
            return Ok(row.alias);
        }
    }
    Ok(None)
}

fn keep_reservation(
    house: &House,
    tx: &mut Tx<'_>,
    given: &Given,
    order: &ReservationOrder,
) -> Result<Answer, Trouble> {
    if order::given(tx, given.from, &given.order)?.is_some() {
        return Ok(accepted());
    }
    let held = reservation::given(tx, given.from, &order.reservation)?;
    match &order.wish {
        ReservationWish::Make { token, until, location, evse, reference } => {
            let wanted = (&**token, *until, reference.clone());
            let bays = place::bays(tx, location, evse.as_ref())?;
            keep_reserve(house, tx, given, (&order.reservation, held), wanted, bays)
        }
        ReservationWish::Cancel => {
            let mut row = given.row(house, Kind::CancelReservation)?;
            match held.filter(|held| held.state.is_open()) {
                Some(held) => {
                    (row.station, row.no, row.remote_id) = (Some(held.station), held.evse, Some(held.id));
                    order::save(tx, &row)?;
                    outbox::put(tx, TELL, row.id.as_str(), given.now, &[])?;
                }
                None => finish(tx, &mut row, OrderResult::UnknownReservation, None, given.now)?,
            }
            Ok(accepted())
        }
    }
}

/// The same name again is the same reservation, with another end.
fn keep_reserve(
    house: &House,
    tx: &mut Tx<'_>,
    given: &Given,
    (name, held): (&str, Option<Reservation>),
    (token, until, reference): (&IssuedToken, Timestamp, Option<AuthorizationReference>),
    bays: Vec<BayRow>,
) -> Result<Answer, Trouble> {
    let rejected = |why: &str| Ok(Answer::Order { ack: OrderAck::Rejected, message: Some(why.to_owned()) });
    if token.party != given.from {
        return Err(Trouble::Denied(Denial::NotYours));
    }
    if bays.is_empty() {
        return Err(Trouble::Denied(Denial::UnknownLocation));
    }
    if until <= given.now || until > given.now.plus(HELD_MAX) {
        return rejected("a reservation ends in the future, and within a week");
    }
    if held.as_ref().is_some_and(|held| !held.state.is_open()) {
        return rejected("the reservation of this name has ended already");
    }
    let mut found = Vec::new();
    for row in bays {
        let here = held.as_ref().is_none_or(|held| held.station == row.station && held.evse == Some(row.no));
        if here {
            found.push(standing(house, tx, row)?);
        }
    }
    let mut row = given.row(house, Kind::Reserve)?;
    match remote::pick(found) {
        Err((result, why)) => finish(tx, &mut row, result, Some(why.to_owned()), given.now)?,
        Ok(bay) => {
            let IssuedToken { party, uid, kind, contract, .. } = token.clone();
            row.seal(house.seal(), &RecordToken { party, uid, kind, contract })?;
            aim(house, &mut row, &bay);
            if kind == TokenKind::Rfid {
                row.alias = None;
            }
            let giver = (given.from, name.to_owned());
            let id = match held {
                Some(held) => held.id,
                None => reservation::open(tx, &bay.station, Some(bay.no), until, Some(&giver), given.now)?,
            };
            (row.remote_id, row.until, row.reference) = (Some(id), until, reference);
            order::save(tx, &row)?;
            outbox::put(tx, TELL, row.id.as_str(), given.now, &[])?;
        }
    }
    Ok(accepted())
}

/// The station, the bay, and a fresh alias for them.
pub(super) fn aim(house: &House, row: &mut OrderRow, bay: &Bay) {
    row.station = Some(bay.station.clone());
    row.no = Some(bay.no);
    row.alias = Some(house.dice.letters(ALIAS_LEN));
    // OCPP 2.0.1 remoteStartId: any number that is not used twice at the same time; zero looks unset to some stations
    row.remote_id = i32::try_from(house.dice.below(i32::MAX as u64) + 1).ok();
}

pub(super) fn standing(house: &House, tx: &Tx<'_>, row: BayRow) -> Result<Bay, StoreError> {
    let busy = session::claimed_at(tx, &row.station, row.no)?;
    let connected = house.connected(&row.station);
    Ok(Bay { evse: row.evse, station: row.station, no: row.no, state: row.state, busy, connected })
}

/// The order is answered; its giver is owed the outcome.
pub(super) fn finish(
    tx: &mut Tx<'_>,
    row: &mut OrderRow,
    result: OrderResult,
    message: Option<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    row.on(remote::Event::Answer);
    (row.result, row.message) = (Some(result), message);
    order::save(tx, row)?;
    outbox::put(tx, OUTCOME, row.id.as_str(), now, &[]).map(drop)
}

fn keep_stop(house: &House, tx: &mut Tx<'_>, given: &Given, wanted: SessionId) -> Result<Answer, Trouble> {
    if order::given(tx, given.from, &given.order)?.is_some() {
        return Ok(accepted());
    }
    let found = session::find(tx, wanted.as_str())?;
    // another provider's session is as unknown as none
    let Some(running) = found.filter(|row| row.party == Some(given.from) && row.state.is_open()) else {
        return Ok(Answer::Order { ack: OrderAck::UnknownSession, message: None });
    };
    let mut row = given.row(house, Kind::Stop)?;
    (row.station, row.no, row.session) = (Some(running.station), running.no, Some(running.id));
    order::save(tx, &row)?;
    outbox::put(tx, TELL, row.id.as_str(), given.now, &[])?;
    Ok(accepted())
}

fn keep_unlock(
    house: &House,
    tx: &mut Tx<'_>,
    given: &Given,
    location: &LocationId,
    evse: &EvseUid,
) -> Result<Answer, Trouble> {
    if order::given(tx, given.from, &given.order)?.is_some() {
        return Ok(accepted());
    }
    let Some(bay) = place::bays(tx, location, Some(evse))?.into_iter().next() else {
        return Err(Trouble::Denied(Denial::UnknownLocation));
    };
    let here = session::candidates(tx, &bay.station, None, None, Some(bay.no))?.open_here;
    let mut theirs = false;
    for id in here {
        let party = session::find(tx, id.as_str())?.and_then(|row| row.party);
        theirs |= party == Some(given.from);
    }
    if !theirs {
        let message = Some("no session of yours runs at this EVSE".to_owned());
        return Ok(Answer::Order { ack: OrderAck::Rejected, message });
    }
    let mut row = given.row(house, Kind::Unlock)?;
    (row.station, row.no) = (Some(bay.station), Some(bay.no));
    order::save(tx, &row)?;
    outbox::put(tx, TELL, row.id.as_str(), given.now, &[])?;
    Ok(accepted())
}

/// The contract of a service session, on the operator's own account: no card, no driver.
pub(super) fn service_token(house: &House) -> Option<RecordToken> {
    let contract = charge::token::ContractId::of(house.setup.party, &house.dice.letters(8)).ok()?;
    let uid = charge::token::TokenUid::new(contract.compact()).ok()?;
    Some(RecordToken {
        party: house.setup.party,
        uid: charge::Personal::new(uid),
        kind: TokenKind::AdHocUser,
        contract: charge::Personal::new(contract),
    })
}

impl Operator {
    pub(super) fn order_changed(&self, row: &OrderRow) {
        self.0.tell_of(Event::Order(row.id.clone()));
    }
}

/// What a partner gets that does not say how much it wants.
const PAGE_DEFAULT: u32 = 100;
