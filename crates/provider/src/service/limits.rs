//! The driver's wish to charge gently: sent to the session's operator, and moved by what its station says.
//!
//! It is written before it is sent and never sent twice. Only the driver of a running session gives it; only the
//! session's operator, or the hub, says what became of it.

use charge::Timestamp;
use charge::id::{OrderId, PartyId, SessionId};
use charge::talk::road::{ActiveProfile, Answer, Denial, ProfileOrder, ProfileResult, Question};
use store::Tx;

use super::{Event, Provider};
use crate::fault::{ProviderFault, Refusal};
use crate::limit::{self, Limit, LimitWish};
use crate::memory::{limits, sessions as rows};
use crate::remote::{ANSWER_WITHIN, Heard, OrderState};
use crate::sessions::SessionRow;
use crate::{DriverId, SessionNo, sessions};

/// What is known of a session's power.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionLimit {
    /// The newest wish for a limit, or for none.
    pub limit: Option<Limit>,
    /// The newest look.
    pub look: Option<Limit>,
    /// What the station planned when it last said so.
    pub plan: Option<ActiveProfile>,
}

impl Provider {
    /// Limits a running session of this driver, frees it, or looks at what its station plans. Answers with the state
    /// after the operator's first word; what the station says is told by [`Event::Session`].
    pub async fn limit(&self, driver: DriverId, session: SessionNo, wish: LimitWish) -> Result<Limit, ProviderFault> {
        let (now, id) = (self.now(), OrderId::new(self.0.dice.uuid())?);
        let (operator, question) = {
            let id = id.clone();
            self.run("provider.limit", move |_, tx| prepare(tx, &driver, session, id, wish, now)).await?
        };
        let heard = limit::acknowledged(&self.ask(operator, question).await);
        let now = self.now();
        let (limit, event) = self
            .run("provider.limit.answer", move |_, tx| {
                let limit = limits::find(tx, &id)?.ok_or(Refusal::NoSuchOrder)?;
                let event = heard.map(|heard| conclude(tx, limit, &heard, now)).transpose()?.flatten();
                Ok((limits::find(tx, &id)?.ok_or(Refusal::NoSuchOrder)?, event))
            })
            .await?;
        self.tell(event);
        Ok(limit)
    }

    /// What is known of the power of a session of this driver.
    pub async fn session_limit(&self, driver: DriverId, session: SessionNo) -> Result<SessionLimit, ProviderFault> {
        self.read("provider.session.limit", move |_, tx| {
            own(tx, &driver, session)?;
            let (limit, look) = limits::newest(tx, session)?;
            Ok(SessionLimit { limit, look, plan: limits::plan(tx, session)? })
        })
        .await
    }

    pub(super) async fn hear_profile_outcome(
        &self,
        from: PartyId,
        order: Option<OrderId>,
        result: ProfileResult,
        plan: Option<ActiveProfile>,
    ) -> Result<Answer, ProviderFault> {
        let id = order.ok_or_else(|| ProviderFault::Denied(Denial::Incomplete("the order".into())))?;
        let now = self.now();
        let event = self.run("provider.limit.outcome", move |desk, tx| {
            // an order given to somebody else is answered like one that never was
            let unknown = || ProviderFault::Denied(Denial::UnknownObject);
            let limit = limits::find(tx, &id)?.ok_or_else(unknown)?;
            let row = rows::row(tx, limit.session)?.ok_or_else(unknown)?;
            if from != row.operator && from != desk.setup.hub {
                return Err(unknown());
            }
            if let Some(plan) = plan.filter(|_| result == ProfileResult::Accepted) {
                limits::put_plan(tx, limit.session, &plan)?;
            }
            let heard = limit::said(limit.wish, result);
            conclude(tx, limit, &heard, now)
        });
        self.tell(event.await?);
        Ok(Answer::Noted)
    }

    /// A station's plan has changed, and its operator says so unasked.
    pub(super) async fn hear_plan(
        &self,
        from: PartyId,
        session: SessionId,
        plan: ActiveProfile,
    ) -> Result<Answer, ProviderFault> {
        let event = self.run("provider.plan", move |_, tx| {
            let known = rows::known(tx, from, &session)?.ok_or(ProviderFault::Denied(Denial::UnknownObject))?;
            limits::put_plan(tx, known.no, &plan)?;
            Ok(Event::Session { driver: known.driver, no: known.no })
        });
        self.tell([event.await?]);
        Ok(Answer::Noted)
    }
}

/// Writes what was heard; the event for whoever looks at the session.
pub(super) fn conclude(
    tx: &mut Tx<'_>,
    mut limit: Limit,
    heard: &Heard,
    now: Timestamp,
) -> Result<Option<Event>, ProviderFault> {
    let next = limit.state.on(heard.event);
    if next == limit.state && next != OrderState::Acknowledged {
        return Ok(None);
    }
    limit.message = heard.words.to_owned();
    if let Some(within) = heard.within {
        limit.deadline = limit.deadline.max(now.plus(within));
    }
    limit.state = next;
    limits::save(tx, &limit)?;
    let row = rows::row(tx, limit.session)?;
    Ok(row.map(|row| Event::Session { driver: row.driver, no: limit.session }))
}

fn own(tx: &Tx<'_>, driver: &DriverId, session: SessionNo) -> Result<SessionRow, ProviderFault> {
    let row = rows::row(tx, session)?.filter(|row| row.driver == *driver);
    Ok(row.ok_or(Refusal::NoSuchSession)?)
}

fn prepare(
    tx: &mut Tx<'_>,
    driver: &DriverId,
    session: SessionNo,
    id: OrderId,
    wish: LimitWish,
    now: Timestamp,
) -> Result<(PartyId, Question), ProviderFault> {
    let row = own(tx, driver, session)?;
    if sessions::is_over(row.status) {
        return Err(Refusal::SessionOver.into());
    }
    let limit = Limit {
        id: id.clone(),
        session,
        wish,
        state: OrderState::Sent,
        message: String::new(),
        given: now,
        deadline: now.plus(ANSWER_WITHIN),
    };
    limits::put(tx, &limit)?;
    let order = ProfileOrder { order: id, return_to: None, session: row.id, wish: limit::wish(wish) };
    Ok((row.operator, Question::Profile(order)))
}
