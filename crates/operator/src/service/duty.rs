//! What the operator does without being asked: errands, deliveries, expiry, logs and retention.
//!
//! One round does everything that is due and waits for it. Rounds may overlap: jobs and notices are leased, so a slow
//! station or partner holds up its own round and no other. A round that is dropped leaves nothing half done.

use std::time::Duration;

use charge::Timestamp;
use charge::id::{StationId, TransactionKey};
use charge::talk::line::EndReason;
use store::outbox::{self, Job};
use store::{StoreError, Tx};
use tokio::task::JoinSet;

use super::bookings::{BOOKING, RELEASE};
use super::chore::CHORE;
use super::deliver::DELIVER;
use super::errand::{OUTCOME, TELL};
use super::profiles::{PLAN, PROFILE, PROFILE_OUTCOME, ProfileJobs};
use super::transact::{CLOSE, HALT};
use super::{Event, House, Operator, reservations, transact};
use crate::authorise::Permit;
use crate::memory::notice::{self, Kind, Notice};
use crate::memory::order::{self, OrderRow};
use crate::memory::{
    booking, cdr, certificate, denial, log, messages, news, overview, payment, permit, place, profile, proxy, request,
    reservation, session, station, untold, whitelist,
};
use crate::session::{Event as SessionEvent, State};
use crate::untold::Telling;
use crate::{remote, transaction};

impl Operator {
    /// One round of everything that is due. Call it on a timer and whenever [`Operator::woken`] returns; rounds may
    /// overlap.
    pub async fn duty(&self) {
        let settled = self.0.settled.get_or_try_init(|| self.settle()).await;
        let taken = match settled {
            Ok(()) => self.take_due().await,
            Err(error) => Err(error),
        };
        let due = match taken {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "no duty could be taken up");
                return;
            }
        };
        let errands = self.run_errands(due.orders, due.halts);
        let profiles = self.run_profiles(due.profiles);
        let closings = self.run_closings(due.closings);
        let letters = self.run_letters(due.cdrs, due.outcomes, due.notices, due.evses);
        let chores = self.run_chores(due.chores);
        let bookings = self.run_bookings(due.bookings, due.releases);
        let told = futures_util::future::join3(errands, profiles, bookings);
        let ((errands, profiles, bookings), closings, letters, chores, keeping) =
            futures_util::future::join5(told, closings, letters, chores, self.keep_house()).await;
        let done = [
            ("errands", errands),
            ("profiles", profiles),
            ("bookings", bookings),
            ("closings", closings),
            ("letters", letters),
            ("chores", chores),
            ("housekeeping", keeping),
        ];
        for (what, done) in done {
            if let Err(error) = done {
                tracing::error!(%error, what, "a duty could not be finished; it is taken up again");
            }
        }
    }

    /// Returns when there is work that should not wait for the timer.
    pub async fn woken(&self) {
        self.0.wake.notified().await;
    }

    /// Does duty until it is dropped: on every wake and at least once in `every`.
    pub async fn work(&self, every: Duration) {
        let mut rounds = JoinSet::new();
        loop {
            // whichever comes first; a timer that ran out is as good as a wake
            drop(tokio::time::timeout(every, self.woken()).await);
            tokio::time::sleep(GATHER).await;
            while rounds.try_join_next().is_some() {}
            if rounds.len() < ROUNDS_AT_ONCE {
                let operator = self.clone();
                rounds.spawn(async move { operator.duty().await });
            }
        }
    }

    /// Leases what is due, in one transaction. Where a kind has more, another round follows at once.
    async fn take_due(&self) -> Result<Due, StoreError> {
        let now = self.0.now();
        let due = self
            .run("operator.due", move |house, tx| {
                let mut jobs = |kind| outbox::lease(tx, kind, now, LEASE, JOBS_AT_ONCE);
                let (orders, halts, closings) = (jobs(TELL)?, jobs(HALT)?, jobs(CLOSE)?);
                let (cdrs, outcomes, chores) = (jobs(DELIVER)?, jobs(OUTCOME)?, jobs(CHORE)?);
                let (told, outcomes_of, plans) = (jobs(PROFILE)?, jobs(PROFILE_OUTCOME)?, jobs(PLAN)?);
                let profiles = ProfileJobs { told, outcomes: outcomes_of, plans };
                let (bookings, releases) = (jobs(BOOKING)?, jobs(RELEASE)?);
                let notices = notice::lease(tx, now, LEASE, NOTICES_AT_ONCE)?;
                let evses = house.untold().take(now, LEASE, NOTICES_AT_ONCE as usize);
                Ok::<_, StoreError>(Due {
                    orders,
                    halts,
                    closings,
                    cdrs,
                    outcomes,
                    chores,
                    profiles,
                    bookings,
                    releases,
                    notices,
                    evses,
                })
            })
            .await?;
        let full = |jobs: &[Job]| jobs.len() == JOBS_AT_ONCE;
        let jobs = [&due.orders, &due.halts, &due.closings, &due.cdrs, &due.outcomes, &due.chores];
        let ProfileJobs { told, outcomes, plans } = &due.profiles;
        let bookings = [&due.bookings, &due.releases];
        if jobs.into_iter().chain([told, outcomes, plans]).chain(bookings).any(|jobs| full(jobs))
            || due.notices.len() == NOTICES_AT_ONCE as usize
            || due.evses.len() == NOTICES_AT_ONCE as usize
        {
            self.0.wake();
        }
        Ok(due)
    }

    async fn keep_house(&self) -> Result<(), StoreError> {
        let now = self.0.now();
        if !self.0.presences().house_is_due(now) && !self.0.notes().is_batch() {
            return Ok(());
        }
        self.flush_notes().await?;
        self.flush_deviations().await?;
        let seen = self.0.presences().take_unwritten(now);
        if !seen.is_empty() {
            self.run("operator.seen", move |_, tx| seen.iter().try_for_each(|(name, at)| station::seen(tx, name, *at)))
                .await?;
        }
        let changed = self
            .run("operator.expire", move |house, tx| {
                permit::expire(tx, now)?;
                let mut events = Vec::new();
                for order in order::lapsed(tx, now)? {
                    events.push(lapse(house, tx, order, now)?);
                }
                for name in station::silent(tx, now.minus(house.setup.settings.away_grace))? {
                    events.push(fall_silent(house, tx, &name, now)?);
                }
                events.extend(reservations::lapse(tx, now)?.into_iter().map(Event::Station));
                whitelist::expire(tx, now)?;
                Ok::<_, StoreError>(events)
            })
            .await?;
        if !changed.is_empty() {
            self.0.wake();
        }
        changed.into_iter().for_each(|event| self.0.tell_of(event));
        self.mind_unbooted(now).await?;
        if self.0.presences().campaigns_are_due(now) {
            self.run_campaigns().await?;
        }
        self.mark_told(now).await?;
        self.sample_power(now).await?;
        self.sweep(now).await
    }

    /// Once after a start of the program: nobody is connected, whatever the rows say, and no worker of before holds
    /// a job any more.
    async fn settle(&self) -> Result<(), StoreError> {
        let now = self.0.now();
        self.run("operator.settle", move |house, tx| {
            for name in station::thought_connected(tx)? {
                if !house.presences().live.contains_key(&name) {
                    station::left(tx, &name, now)?;
                }
            }
            for kind in [TELL, HALT, CLOSE, DELIVER, OUTCOME, CHORE, PROFILE, PROFILE_OUTCOME, PLAN, BOOKING, RELEASE] {
                outbox::take_up(tx, kind, now)?;
            }
            let mut untold = house.untold();
            untold::after_mark(tx)?.iter().for_each(|evse| untold.put(evse, now));
            drop(untold);
            notice::release(tx, now)
        })
        .await
    }

    /// Writes what waits for the logs. What could not be written is counted like what had no room.
    pub(super) async fn flush_notes(&self) -> Result<(), StoreError> {
        let batch = self.0.notes().take();
        let waited = batch.len();
        if waited == 0 {
            return Ok(());
        }
        let written = self.run("operator.log", move |house, tx| {
            batch.messages.put(tx, house.now())?;
            batch.refusals.iter().try_for_each(|knock| log::put_refusal(tx, knock))?;
            batch.taps.iter().try_for_each(|tap| denial::tap(tx, tap))
        });
        written.await.inspect_err(|_: &StoreError| self.0.notes().dropped += waited as u64)
    }

    /// Says on the disk until when EVSEs were told.
    async fn mark_told(&self, now: Timestamp) -> Result<(), StoreError> {
        let Some(until) = self.0.untold().mark(now) else { return Ok(()) };
        self.run("operator.told", move |_, tx| untold::mark(tx, until)).await
    }

    async fn sample_power(&self, now: Timestamp) -> Result<(), StoreError> {
        if !self.0.presences().wants_sample(now) {
            return Ok(());
        }
        let power = self.read("operator.power", |_, tx| overview::power_now(tx)).await?;
        self.0.presences().sample(now, power);
        Ok(())
    }

    /// Retention, once an hour: logs, people, tags, finished jobs, files.
    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        {
            let mut presences = self.0.presences();
            if presences.swept.is_some_and(|at| now.since(at) < SWEEP_EVERY) {
                return Ok(());
            }
            presences.swept = Some(now);
        }
        self.run("operator.retention", move |house, tx| {
            let kept = &house.setup.settings;
            messages::forget(tx, now.minus(kept.log_kept))?;
            log::forget(tx, now.minus(kept.log_kept))?;
            denial::forget(tx, now.minus(kept.log_kept))?;
            news::forget(tx, now.minus(kept.log_kept))?;
            news::forget_customers(tx, now.minus(ANSWERS_KEPT))?;
            news::forget_people(tx, now.minus(kept.people_kept))?;
            request::forget(tx, now.minus(REQUESTS_KEPT))?;
            session::forget_people(tx, now.minus(kept.people_kept))?;
            cdr::forget_people(tx, now.minus(kept.people_kept))?;
            session::forget_tags(tx, now.minus(kept.tags_kept))?;
            proxy::forget(tx, now.minus(kept.people_kept))?;
            order::forget(tx, now.minus(ORDERS_KEPT))?;
            profile::forget(tx, now.minus(ORDERS_KEPT))?;
            booking::forget(tx, now.minus(kept.people_kept))?;
            reservation::forget(tx, now.minus(RESERVATIONS_KEPT))?;
            certificate::forget(tx, now.minus(CERTIFICATES_KEPT))?;
            payment::forget(tx, now.minus(kept.people_kept))?;
            outbox::forget(tx, now.minus(kept.people_kept))?;
            Ok::<_, StoreError>(())
        })
        .await?;
        self.tidy_shelf(now).await
    }
}

/// A start that the station accepted and that never became a transaction: its giver hears of a session that is
/// invalid, because the outcome of the order was told already (OCPI 2.2.1, 13.4.1 and 9.4.2).
fn lapse(house: &House, tx: &mut Tx<'_>, mut order: OrderRow, now: Timestamp) -> Result<Event, StoreError> {
    order.on(remote::Event::Expire);
    let (token, number) = (order.token(house.seal())?, transaction::next_number(session::highest_number(tx)?));
    if let (Some(token), Some(number), Some(station), Some(no)) = (token, number, order.station.clone(), order.no) {
        let mut row = transact::blank(house, number, station, TransactionKey::Number(number), order.asked)?;
        transact::settle_in(tx, &mut row, Some(no))?;
        let given = Permit {
            token,
            reference: order.reference.clone(),
            method: charge::record::AuthMethod::Command,
            energy_cap: None,
            money_cap: None,
            until: order.until,
            group: None,
        };
        row.permit(house.seal(), &given)?;
        row.flag("the station accepted the start, and no transaction began in time");
        for event in [SessionEvent::End, SessionEvent::GiveUp] {
            row.on(event);
        }
        debug_assert_eq!(row.state, State::Void, "a session that never began is void");
        (row.end, row.reason) = (Some(now), Some(EndReason::Other.as_str().to_owned()));
        (row.order, row.changed, row.told) = (Some(order.id.as_str().to_owned()), now, Some(now));
        session::save(tx, &row)?;
        if row.party != Some(house.setup.party) {
            notice::put(tx, Kind::Session, row.id.as_str(), now)?;
        }
    }
    order.message = Some("the station accepted, and no transaction began in time".to_owned());
    order::save(tx, &order)?;
    Ok(Event::Order(order.id))
}

/// Nobody knows any more what the EVSEs of a station do that has been away for long.
fn fall_silent(house: &House, tx: &mut Tx<'_>, name: &StationId, now: Timestamp) -> Result<Event, StoreError> {
    for mut bay in place::of_station(tx, name)? {
        place::set_state(tx, &bay.evse, None, None, now)?;
        bay.state = None;
        let running = session::running_at(tx, name, bay.no)?;
        if place::refresh(tx, &bay, running, now)? {
            house.untold().put(&bay.evse, now);
        }
    }
    Ok(Event::Station(name.clone()))
}

/// What one round has to do.
struct Due {
    orders: Vec<Job>,
    halts: Vec<Job>,
    closings: Vec<Job>,
    cdrs: Vec<Job>,
    outcomes: Vec<Job>,
    chores: Vec<Job>,
    profiles: ProfileJobs,
    bookings: Vec<Job>,
    releases: Vec<Job>,
    notices: Vec<Notice>,
    evses: Vec<Telling>,
}

/// Wakes within this time make one round: a driver does not notice, the disk does.
const GATHER: Duration = Duration::from_millis(10);
/// Longer than any answer on line or road may take: a job that is still leased is still being worked on.
pub(crate) const LEASE: Duration = Duration::from_secs(300);
/// Jobs of one kind and round; the next round takes the next.
const JOBS_AT_ONCE: usize = 32;
/// Notices of one round.
const NOTICES_AT_ONCE: u32 = 64;
/// Rounds that may wait for slow stations and partners at the same time.
const ROUNDS_AT_ONCE: usize = 8;
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// What a station said of a customer waits this long for the one who asked.
const ANSWERS_KEPT: Duration = Duration::from_secs(24 * 3_600);
/// As long as the files that some of them are about, and a while more.
const REQUESTS_KEPT: Duration = Duration::from_secs(60 * 24 * 3_600);
/// Until its session's disputes are over.
const RESERVATIONS_KEPT: Duration = Duration::from_secs(60 * 24 * 3_600);
/// After its end, or after it was asked for where none came of it.
const CERTIFICATES_KEPT: Duration = Duration::from_secs(60 * 24 * 3_600);
/// Orders are of use for a question of the next day.
const ORDERS_KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);
