//! What runs from time to time: tell the hub about cards, pull places and tariffs, end what is over, forget.

use std::sync::atomic::Ordering;
use std::time::Duration;

use charge::Timestamp;
use charge::talk::road::{Answer, Page, PageWish, Question, RoadFault};
use charge::token::ContractId;
use store::{Tx, outbox};

use super::limits::conclude;
use super::people::INDEX_JOB;
use super::{Desk, Event, Provider};
use crate::fault::ProviderFault;
use crate::memory::{bookings, cdrs, learned, limits, onetime, orders, people, places, sessions, tariffs};
use crate::remote::{Heard, OrderEvent, TIMED_OUT};
use crate::{CardId, tokens::Card};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pull {
    Locations,
    Tariffs,
}

impl Provider {
    /// One round. Every part is tried, whatever became of the others; the first fault is told.
    pub async fn duty(&self) -> Result<(), ProviderFault> {
        let parts = [
            self.end_what_is_over().await,
            self.index_cards().await,
            self.ask_again().await,
            // tariffs first: a place is of no use without its price
            self.pull(Pull::Tariffs).await,
            self.pull(Pull::Locations).await,
            self.forget().await,
        ];
        parts.into_iter().collect()
    }

    async fn end_what_is_over(&self) -> Result<(), ProviderFault> {
        let now = self.now();
        let events = self.run("provider.over", move |desk, tx| {
            onetime::lapse(tx, now)?;
            let heard = Heard { event: OrderEvent::Deadline, words: TIMED_OUT, within: None };
            let overdue = orders::overdue(tx, now)?;
            let orders = overdue.into_iter().map(|order| desk.conclude(tx, order, &heard, now));
            let mut events = orders.collect::<Result<Vec<Event>, _>>()?;
            for limit in limits::overdue(tx, now)? {
                events.extend(conclude(tx, limit, &heard, now)?);
            }
            Ok(events)
        });
        self.tell(events.await?);
        Ok(())
    }

    /// Tells the hub about new, blocked and freed cards. A hub that is away is tried again, ever more slowly.
    async fn index_cards(&self) -> Result<(), ProviderFault> {
        let now = self.now();
        let jobs = self.run("provider.index.lease", move |desk, tx| {
            let jobs = outbox::lease(tx, INDEX_JOB, now, LEASE, JOBS_AT_ONCE)?;
            jobs.into_iter().map(|job| Ok((desk.card_of(tx, &job)?, job))).collect::<Result<Vec<_>, ProviderFault>>()
        });
        for (card, job) in jobs.await? {
            let answer = match &card {
                Some(card) => self.ask(self.0.setup.hub, self.index_question(card)?).await,
                // the card changed again since: its newer job speaks for it
                None => Ok(Answer::Noted),
            };
            let now = self.now();
            self.run("provider.index.answer", move |_, tx| settle_job(tx, &job, card.as_ref(), &answer, now)).await?;
        }
        Ok(())
    }

    fn index_question(&self, card: &Card) -> Result<Question, ProviderFault> {
        let stand_in = ContractId::of(self.party(), STAND_IN)?;
        Ok(Question::PutToken(Box::new(card.issued(self.party(), stand_in))))
    }

    /// Pulls what changed since the last time: at the first start everything, then once a day what a push may have
    /// missed. Each page is a transaction; a pull that breaks off is repeated from its beginning.
    async fn pull(&self, kind: Pull) -> Result<(), ProviderFault> {
        let now = self.now();
        let known = self.read("provider.pull", move |_, tx| Ok(places::pull(tx, kind.name())?)).await?;
        if known.is_some_and(|(_, due)| now < due) {
            return Ok(());
        }
        let since = known.and_then(|(since, _)| since);
        let (next_since, due) = match self.pull_pages(kind, since).await? {
            Ok(()) => (Some(now.minus(PULL_OVERLAP)), now.plus(PULL_EVERY)),
            Err(fault) => {
                tracing::warn!(%fault, kind = kind.name(), "pulling from the hub broke off");
                (None, now.plus(PULL_AGAIN))
            }
        };
        self.run("provider.pulled", move |_, tx| Ok(places::pulled(tx, kind.name(), next_since, due)?)).await
    }

    async fn pull_pages(
        &self,
        kind: Pull,
        changed_since: Option<Timestamp>,
    ) -> Result<Result<(), RoadFault>, ProviderFault> {
        let mut wish = PageWish { changed_since, changed_before: None, offset: 0, limit: PAGE };
        for _ in 0..PAGES_MAX {
            let question = match kind {
                Pull::Locations => Question::Locations(wish),
                Pull::Tariffs => Question::Tariffs(wish),
            };
            let next = match self.ask(self.0.setup.hub, question).await {
                Ok(Answer::Locations(page)) => {
                    report(kind, &page);
                    let next = page.next;
                    self.keep_locations(page).await?;
                    next
                }
                Ok(Answer::Tariffs(page)) => {
                    report(kind, &page);
                    let next = page.next;
                    let items = page.items;
                    self.run("provider.pull.tariffs", move |_, tx| {
                        items.iter().try_for_each(|tariff| Ok(tariffs::put_offer(tx, tariff).map(drop)?))
                    })
                    .await?;
                    next
                }
                Ok(
                    Answer::May(_)
                    | Answer::Order { .. }
                    | Answer::Kept(_)
                    | Answer::Noted
                    | Answer::Found(_)
                    | Answer::Booking(_),
                ) => {
                    return Ok(Err(RoadFault::Unreadable("an answer to another question".into())));
                }
                Err(fault) => return Ok(Err(fault)),
            };
            match next {
                Some(offset) if offset > wish.offset => wish.offset = offset,
                Some(_) => return Ok(Err(RoadFault::Unreadable("the pages go round in a circle".into()))),
                None => return Ok(Ok(())),
            }
        }
        Ok(Err(RoadFault::Unreadable("there is no end of pages".into())))
    }

    async fn keep_locations(&self, page: Page<charge::place::Location>) -> Result<(), ProviderFault> {
        let events = self.run("provider.pull.locations", move |_, tx| {
            let mut events = Vec::new();
            for location in &page.items {
                if places::put(tx, location)? {
                    let (operator, location) = (location.party, location.id.clone());
                    events.push(Event::Place { operator, location, evse: None });
                }
            }
            Ok(events)
        });
        self.tell(events.await?);
        Ok(())
    }

    /// Retention, at most once an hour: places, curves, signed records and the link to the driver go when the dispute
    /// window of a session is over, orders after a week.
    async fn forget(&self) -> Result<(), ProviderFault> {
        let now = self.now();
        let due = self.0.retention_due.load(Ordering::Relaxed);
        if now.micros() < due {
            return Ok(());
        }
        self.run("provider.forget", move |_, tx| {
            for session in sessions::to_strip(tx, now.minus(DISPUTE_WINDOW))? {
                cdrs::strip(tx, session)?;
                sessions::strip(tx, session)?;
                onetime::forget_of(tx, session)?;
            }
            onetime::forget_unused(tx, now.minus(DISPUTE_WINDOW))?;
            orders::forget(tx, now.minus(ORDERS_KEPT))?;
            bookings::forget(tx, now.minus(ORDERS_KEPT))?;
            limits::forget(tx, now.minus(ORDERS_KEPT))?;
            learned::forget(tx)?;
            tariffs::forget(tx)?;
            outbox::forget(tx, now.minus(ORDERS_KEPT))?;
            Ok(())
        })
        .await?;
        self.0.retention_due.store(now.plus(RETENTION_EVERY).micros(), Ordering::Relaxed);
        Ok(())
    }
}

impl Pull {
    const fn name(self) -> &'static str {
        match self {
            Self::Locations => "locations",
            Self::Tariffs => "tariffs",
        }
    }
}

impl Desk {
    /// The card that a job is about, unless it has changed since.
    fn card_of(&self, tx: &Tx<'_>, job: &outbox::Job) -> Result<Option<Card>, ProviderFault> {
        let id = std::str::from_utf8(&job.body).ok().and_then(|id| CardId::new(id).ok());
        let Some(id) = id else { return Ok(None) };
        let version = job.key.rsplit('/').next().and_then(|version| version.parse::<i64>().ok());
        Ok(people::card(tx, &self.vault, &id)?.filter(|card| Some(card.version) == version))
    }
}

fn settle_job(
    tx: &mut Tx<'_>,
    job: &outbox::Job,
    card: Option<&Card>,
    answer: &Result<Answer, RoadFault>,
    now: Timestamp,
) -> Result<(), ProviderFault> {
    match answer {
        Ok(_) => {
            outbox::done(tx, job.id)?;
            if let Some(card) = card {
                people::card_indexed(tx, &card.id, card.version)?;
            }
        }
        Err(fault) => {
            let doublings = u32::try_from(job.attempts).unwrap_or(u32::MAX).min(DOUBLINGS_MAX);
            let wait = RETRY_AFTER.saturating_mul(1 << doublings);
            outbox::retry(tx, job.id, now.plus(wait), &fault.to_string())?;
        }
    }
    Ok(())
}

fn report<T>(kind: Pull, page: &Page<T>) {
    for complaint in page.complaints.iter().take(COMPLAINTS_LOGGED) {
        tracing::warn!(kind = kind.name(), complaint, "an object could not be read");
    }
}

/// The hub has no use for a contract id, so every card shows it the same one.
pub(super) const STAND_IN: &str = "00000000";
/// A job comes back by itself after this, if its worker died.
const LEASE: Duration = Duration::from_secs(120);
/// Cards told per round: a round stays short, the next one follows.
const JOBS_AT_ONCE: usize = 200;
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// 2 s doubled ten times is 34 minutes: the longest that a card waits after the hub is back.
const DOUBLINGS_MAX: u32 = 10;
/// Objects per page: what OCPI platforms commonly allow.
const PAGE: u32 = 100;
/// 100 000 pages are ten million places: more is a hub that never ends.
const PAGES_MAX: u32 = 100_000;
const COMPLAINTS_LOGGED: usize = 20;
/// A hub drops what it pushes to a receiver that is too far behind, for example in a bulk import; nobody should see an
/// old place or price for longer than this because of it.
const PULL_EVERY: Duration = Duration::from_secs(300);
const PULL_AGAIN: Duration = Duration::from_secs(30);
/// Clocks of hub and provider may differ by this much without anything being missed.
const PULL_OVERLAP: Duration = Duration::from_secs(600);
/// For so long a driver or operator may object to a CDR (privacy design: 60 days).
const DISPUTE_WINDOW: Duration = Duration::from_secs(60 * 86_400);
const ORDERS_KEPT: Duration = Duration::from_secs(7 * 86_400);
const RETENTION_EVERY: Duration = Duration::from_secs(3_600);
