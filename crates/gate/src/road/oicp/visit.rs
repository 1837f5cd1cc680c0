//! What a party of ours at a broker fetches by itself, because a broker pushes nothing: an operator's own places from its
//! desk, so that orders for them are understood after a restart; for a provider everybody's places, products and statuses.
//!
//! Deliberately without a clock of its own: how often is the binary's to say. Invariant: the desk is told what has changed
//! since the last visit that came to its end, and what a visit brought before it broke off is told again.

use std::sync::PoisonError;
use std::time::Duration;

use charge::Timestamp;
use charge::id::{CorrelationId, PartyId};
use charge::talk::road::{Answer, Denial, Letter, PageWish, Question, RoadDesk, RoadFault};
use ocpi::credentials::Role;
use oicp::Lost;
use oicp::bridge::ask::{pull_evse_pricing, pull_statuses};
use oicp::bridge::hear::read_pulled_pricing;
use oicp::bridge::place::read_pulled_statuses;
use oicp::message::Reply;

use super::road::BrokerRoad;

/// The pages of one visit: a million places.
const PAGES_MAX: u32 = 10_000;
/// The broker's clock may be behind ours by so much.
const OVERLAP: Duration = Duration::from_secs(10 * 60);

impl BrokerRoad {
    /// One visit in the role that we have at the broker.
    pub async fn visit(&self, role: Role) -> Result<(), RoadFault> {
        let desk = self.desk()?;
        match role {
            Role::Operator => self.own_places(&*desk).await,
            Role::Provider => self.others(&*desk).await,
            Role::Hub | Role::Other => Ok(()),
        }
    }

    /// Once is enough: what changes passes by on its way out.
    async fn own_places(&self, desk: &dyn RoadDesk) -> Result<(), RoadFault> {
        if self.visited().is_some() {
            return Ok(());
        }
        let own = self.0.member.own;
        let mut offset = Some(0);
        for _page in 0..PAGES_MAX {
            let Some(at) = offset else { break };
            let question = Question::Locations(PageWish { offset: at, ..PageWish::default() });
            let said = desk.hear(letter(own, None, question)?).await.map_err(RoadFault::Denied)?;
            let Answer::Locations(page) = said else { return Err(RoadFault::Denied(Denial::Internal)) };
            page.items.into_iter().for_each(|location| self.0.index.put(location));
            offset = page.next.filter(|next| *next > at);
        }
        self.set_visited(self.now());
        Ok(())
    }

    async fn others(&self, desk: &dyn RoadDesk) -> Result<(), RoadFault> {
        let (begun, since) = (self.now(), self.visited());
        let changed_since = since.map(|since| since.minus(OVERLAP));
        for tariff in self.0.member.agreed.clone() {
            self.tell(desk, self.0.member.broker.party, Question::PutTariff(Box::new(tariff))).await;
        }
        for question in [Question::Locations as fn(PageWish) -> Question, Question::Tariffs] {
            self.pages(desk, question, changed_since).await?;
        }
        self.prices(desk, changed_since).await?;
        self.statuses(desk).await?;
        self.set_visited(begun);
        Ok(())
    }

    async fn pages(
        &self,
        desk: &dyn RoadDesk,
        question: fn(PageWish) -> Question,
        changed_since: Option<Timestamp>,
    ) -> Result<(), RoadFault> {
        let (own, broker) = (self.0.member.own, self.0.member.broker.party);
        let mut offset = Some(0);
        for _page in 0..PAGES_MAX {
            let Some(at) = offset else { break };
            let wish = PageWish { offset: at, changed_since, ..PageWish::default() };
            let (told, next): (Vec<Question>, _) = match self.exchange(&letter(own, None, question(wish))?).await {
                Ok(told) => match told.answer {
                    Answer::Locations(page) => {
                        (page.items.into_iter().map(|item| Question::PutLocation(Box::new(item))).collect(), page.next)
                    }
                    Answer::Tariffs(page) => {
                        (page.items.into_iter().map(|item| Question::PutTariff(Box::new(item))).collect(), page.next)
                    }
                    _other => return Err(RoadFault::Unreadable("the answer to another question".into())),
                },
                // there are no products in 2.0, and not every broker of 2.3 has them
                Err(RoadFault::Denied(Denial::NotSupported)) => return Ok(()),
                Err(fault) => return Err(fault),
            };
            for question in told {
                self.tell(desk, broker, question).await;
            }
            offset = next.filter(|next| *next > at);
        }
        Ok(())
    }

    /// What each EVSE offers. There is no such thing in 2.0, and not every broker of 2.3 has it.
    async fn prices(&self, desk: &dyn RoadDesk, changed_since: Option<Timestamp>) -> Result<(), RoadFault> {
        let (own, broker) = (self.0.member.own, self.0.member.broker.party);
        let body = match self.0.wire.ask(&pull_evse_pricing(own, changed_since), own, None, "").await {
            Ok(answered) => match answered.reply.value {
                Reply::Proper(body) => body,
                Reply::Refusal(_) => return Ok(()),
            },
            Err(RoadFault::Denied(Denial::NotSupported)) => return Ok(()),
            Err(fault) => return Err(fault),
        };
        for question in read_pulled_pricing(&body, own, &self.beside(), &mut Lost::new()) {
            if let Question::PutLocation(location) = &question {
                self.0.index.put((**location).clone());
            }
            self.tell(desk, broker, question).await;
        }
        Ok(())
    }

    async fn statuses(&self, desk: &dyn RoadDesk) -> Result<(), RoadFault> {
        let own = self.0.member.own;
        let answered = self.0.wire.ask(&pull_statuses(own), own, None, "").await?;
        let Reply::Proper(body) = answered.reply.value else { return Ok(()) };
        for (operator, question) in read_pulled_statuses(&body, &self.beside(), &mut Lost::new()) {
            if let Question::PatchEvse { location, evse, status, at } = &question {
                self.0.index.status(operator, location, evse, *status, *at);
            }
            self.tell(desk, operator, question).await;
        }
        Ok(())
    }

    /// What the desk does not take holds up nothing else.
    async fn tell(&self, desk: &dyn RoadDesk, from: PartyId, question: Question) {
        let said = match letter(from, Some(self.0.member.own), question) {
            Ok(letter) => desk.hear(letter).await,
            Err(_) => return,
        };
        if let Err(denial) = said {
            tracing::debug!(?denial, "something that was fetched from the broker is not taken");
        }
    }

    fn visited(&self) -> Option<Timestamp> {
        *self.0.visited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_visited(&self, at: Timestamp) {
        *self.0.visited.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }
}

fn letter(from: PartyId, to: Option<PartyId>, question: Question) -> Result<Letter, RoadFault> {
    let correlation = CorrelationId::new("oicp-visit").map_err(|_| RoadFault::NoRoad)?;
    Ok(Letter { from, to, correlation, question })
}
