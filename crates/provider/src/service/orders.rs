//! The driver's start and stop.
//!
//! An order is written before it is sent, so a crash leaves an order that times out and says so; it is never sent a
//! second time, because nobody wants to start a car twice.

use charge::id::{EvseUid, LocationId, OrderId, PartyId};
use charge::place::Location;
use charge::talk::road::{Answer, Question, RoadFault, StartOrder};
use charge::token::{IssuedToken, TokenKind, TokenUid};
use charge::{Personal, Timestamp};
use store::Tx;

use super::{Desk, Event, Provider};
use crate::fault::{ProviderFault, Refusal};
use crate::memory::{self, people, places, tariffs};
use crate::onetime::{Event as OneTimeEvent, Grant, Move, OneTime, Way};
use crate::remote::{self, Heard, Order, OrderEvent, OrderKind, OrderState};
use crate::{DriverId, SessionNo, TariffNo, contracts, learned, sessions};

/// Where a driver wants to charge, and which price was on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartWish {
    pub driver: DriverId,
    pub operator: PartyId,
    pub location: LocationId,
    pub evse: EvseUid,
    pub stamp: Option<TariffNo>,
}

impl Provider {
    /// Starts a session from the driver's page. Answers with the order after the operator's first word, or as sent
    /// where there was none; what becomes of it is told by [`Event::Order`].
    pub async fn start(&self, wish: StartWish) -> Result<Order, ProviderFault> {
        let now = self.now();
        let (operator, id) = (wish.operator, OrderId::new(self.0.dice.uuid())?);
        let question = {
            let id = id.clone();
            self.run("provider.start", move |desk, tx| desk.prepare_start(tx, &wish, id, now)).await?
        };
        let answer = self.ask(operator, question).await;
        self.first_word(id, answer).await
    }

    /// Stops a running session of this driver.
    pub async fn stop(&self, driver: DriverId, session: SessionNo) -> Result<Order, ProviderFault> {
        let now = self.now();
        let id = OrderId::new(self.0.dice.uuid())?;
        let (operator, question) = {
            let id = id.clone();
            self.run("provider.stop", move |_, tx| prepare_stop(tx, driver, session, id, now)).await?
        };
        let answer = self.ask(operator, question).await;
        self.first_word(id, answer).await
    }

    async fn first_word(&self, id: OrderId, answer: Result<Answer, RoadFault>) -> Result<Order, ProviderFault> {
        let now = self.now();
        let heard = remote::word(&answer).and_then(remote::acknowledged);
        let (order, event) = self
            .run("provider.order.answer", move |desk, tx| {
                let order = memory::orders::find(tx, &id)?.ok_or(Refusal::NoSuchOrder)?;
                let event = heard.map(|heard| desk.conclude(tx, order, &heard, now)).transpose()?;
                let order = memory::orders::find(tx, &id)?.ok_or(Refusal::NoSuchOrder)?;
                Ok((order, event))
            })
            .await?;
        self.tell(event);
        Ok(order)
    }
}

impl Desk {
    fn prepare_start(
        &self,
        tx: &mut Tx<'_>,
        wish: &StartWish,
        id: OrderId,
        now: Timestamp,
    ) -> Result<Question, ProviderFault> {
        let contract = people::contract(tx, &wish.driver, self.setup.currency)?.ok_or(Refusal::NoSuchDriver)?;
        let money_cap = contracts::allowance(now, &contract, self.owed(tx, &wish.driver)?)
            .map_err(|allowed| Refusal::NotAllowed(contracts::words(allowed)))?;
        let location = places::find(tx, wish.operator, &wish.location)?.ok_or(Refusal::NoSuchPlace)?;
        let tariff = accepted_price(tx, &location, wish, now)?;
        let grant = Grant { operator: wish.operator, way: Way::Start, money_cap, tariff: Some(tariff), now };
        let one_time = self.arm(tx, &wish.driver, grant)?;
        let order = Order {
            id: id.clone(),
            driver: wish.driver.clone(),
            kind: OrderKind::Start,
            state: OrderState::Sent,
            operator: wish.operator,
            location: wish.location.clone(),
            evse: wish.evse.clone(),
            session: None,
            message: String::new(),
            given: now,
            deadline: now.plus(remote::ANSWER_WITHIN),
        };
        memory::orders::put(tx, &order, Some(&one_time.code))?;
        let question = self.start_question(wish, id, &one_time, now)?;
        let told = learned::told(&question, Some(&one_time.code));
        let mut lessons = learned::went_out(wish.operator, self.setup.hub, &told);
        lessons.push(learned::at_station(wish.operator, learned::Field::Alias));
        lessons.extend([learned::known_here(self.setup.party), learned::chosen_here(self.setup.party)]);
        memory::learned::add(tx, &one_time.code, &lessons)?;
        Ok(question)
    }

    fn start_question(
        &self,
        wish: &StartWish,
        order: OrderId,
        one_time: &OneTime,
        now: Timestamp,
    ) -> Result<Question, ProviderFault> {
        let token = IssuedToken {
            party: self.setup.party,
            uid: Personal::new(TokenUid::new(&one_time.code)?),
            kind: TokenKind::AdHocUser,
            contract: Personal::new(one_time.contract(self.setup.party)?),
            valid: true,
            last_updated: now,
        };
        Ok(Question::Start(StartOrder {
            order,
            return_to: None,
            token,
            location: wish.location.clone(),
            evse: Some(wish.evse.clone()),
            connector: None,
            reference: Some(one_time.reference.clone()),
        }))
    }

    /// Writes what was heard about an order.
    pub(super) fn conclude(
        &self,
        tx: &mut Tx<'_>,
        mut order: Order,
        heard: &Heard,
        now: Timestamp,
    ) -> Result<Event, ProviderFault> {
        let next = order.state.on(heard.event);
        if next != order.state || (heard.event == OrderEvent::Agreed && next == OrderState::Acknowledged) {
            order.message = heard.words.to_owned();
            if let Some(within) = heard.within {
                order.deadline = order.deadline.max(now.plus(within));
            }
        }
        order.state = next;
        memory::orders::save(tx, &order)?;
        if next == OrderState::Refused
            && let Some(code) = memory::orders::code_of(tx, &order.id)?
        {
            self.give_up(tx, &code, now)?;
        }
        Ok(Event::Order { driver: order.driver, id: order.id })
    }

    /// The session of an order has begun or ended: whatever was believed before, this is what happened.
    pub(super) fn happened(
        &self,
        tx: &mut Tx<'_>,
        mut order: Order,
        session: SessionNo,
    ) -> Result<Option<Event>, ProviderFault> {
        let next = order.state.on(OrderEvent::Happened);
        if next == order.state {
            return Ok(None);
        }
        let words = match order.kind {
            OrderKind::Start if order.state == OrderState::TimedOut => "the session began after all",
            OrderKind::Start => "the session has begun",
            OrderKind::Stop => "the session has ended",
        };
        order.message = words.to_owned();
        (order.state, order.session) = (next, Some(session));
        memory::orders::save(tx, &order)?;
        Ok(Some(Event::Order { driver: order.driver, id: order.id }))
    }

    /// A one-time id whose order was refused opens nothing any more.
    fn give_up(&self, tx: &mut Tx<'_>, code: &str, now: Timestamp) -> Result<(), ProviderFault> {
        let known = memory::onetime::by_code(tx, code, self.setup.currency)?;
        if let Some(Move::To(lapsed)) = known.map(|id| id.state.on(OneTimeEvent::Lapse)) {
            memory::onetime::set(tx, code, lapsed, None, now)?;
        }
        Ok(())
    }
}

/// The price that holds at the EVSE now, if it is the one that the driver saw.
fn accepted_price(
    tx: &Tx<'_>,
    location: &Location,
    wish: &StartWish,
    now: Timestamp,
) -> Result<TariffNo, ProviderFault> {
    let evse = location.evses.iter().find(|evse| evse.uid == wish.evse).ok_or(Refusal::NoSuchPlace)?;
    let ids = evse.connectors.first().map(|connector| connector.tariffs.as_slice()).unwrap_or_default();
    let holds = tariffs::in_force(tx, wish.operator, ids, now)?.map(|(no, _)| no);
    Ok(remote::price_accepted(evse.status, holds, wish.stamp)?)
}

fn prepare_stop(
    tx: &mut Tx<'_>,
    driver: DriverId,
    session: SessionNo,
    id: OrderId,
    now: Timestamp,
) -> Result<(PartyId, Question), ProviderFault> {
    let row = memory::sessions::row(tx, session)?.filter(|row| row.driver == driver).ok_or(Refusal::NoSuchSession)?;
    let place = row.place.filter(|_| !sessions::is_over(row.status)).ok_or(Refusal::SessionOver)?;
    let order = Order {
        id: id.clone(),
        driver,
        kind: OrderKind::Stop,
        state: OrderState::Sent,
        operator: row.operator,
        location: place.location,
        evse: place.evse,
        session: Some(session),
        message: String::new(),
        given: now,
        deadline: now.plus(remote::ANSWER_WITHIN),
    };
    memory::orders::put(tx, &order, None)?;
    Ok((row.operator, Question::Stop { order: id, return_to: None, session: row.id }))
}
