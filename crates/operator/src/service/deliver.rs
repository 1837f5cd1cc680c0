//! What goes out to the network: closing sessions into CDRs, delivering them once, and telling what has changed.
//!
//! Every delivery reads the newest state or the immutable CDR, asks the road outside of any transaction, and comes
//! back to say what became of it. A crash in between means telling again under the same id.

use charge::Timestamp;
use charge::id::{LocationId, PartyId, TariffId};
use charge::meter::SignedRecord;
use charge::record::{Cdr, Nature, Period, Session};
use charge::talk::road::{Answer, Question, RoadFault};
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use store::outbox::{self, Job};
use store::{StoreError, Tx};

use super::errand::flag;
use super::transact::{HALT, give_up_unclaimed};
use super::{Event, House, Operator, bookings, payment};
use crate::close::{self, Case};
use crate::memory::notice::{self, Kind, Notice};
use crate::memory::permit::{Place as SealPlace, open_presented};
use crate::memory::session::SessionRow;
use crate::memory::{booking, cdr, credit, curve, place, session, tariff};
use crate::publish::{self, Fate};
use crate::session::Event as SessionEvent;
use crate::untold::Telling;

/// The job that brings a CDR to its provider.
pub(super) const DELIVER: &str = "operator.cdr";

impl Operator {
    /// Closes what ended, one after the other: each is a signature to check and a price to work out.
    pub(super) async fn run_closings(&self, jobs: Vec<Job>) -> Result<(), StoreError> {
        for job in jobs {
            self.close(job).await?;
        }
        Ok(())
    }

    /// Delivers CDRs, outcomes and notices.
    pub(super) async fn run_letters(
        &self,
        cdrs: Vec<Job>,
        outcomes: Vec<Job>,
        notices: Vec<Notice>,
        evses: Vec<Telling>,
    ) -> Result<(), StoreError> {
        let outcomes = self.each(outcomes, |job| self.tell_outcome(job));
        let cdrs = self.each(cdrs, |job| self.deliver(job));
        let notices = self.each(notices, |notice| self.tell_notice(notice));
        let evses = self.tell_evses(evses);
        let (outcomes, cdrs, notices, evses) = futures_util::future::join4(outcomes, cdrs, notices, evses).await;
        outcomes.and(cdrs).and(notices).and(evses)
    }

    /// A few at a time, in no order: what one partner does slowly holds up few others.
    async fn each<T, F>(&self, items: Vec<T>, work: impl Fn(T) -> F) -> Result<(), StoreError>
    where
        F: Future<Output = Result<(), StoreError>>,
    {
        let done: Vec<_> = stream::iter(items).map(work).buffer_unordered(LETTERS_AT_ONCE).collect().await;
        done.into_iter().collect()
    }

    /// Makes the CDR of a session that ended.
    async fn close(&self, job: Job) -> Result<(), StoreError> {
        let (key, now) = (job.key.clone(), self.0.now());
        let loaded = self.read("operator.close", move |house, tx| load_case(house, tx, &key, now)).await?;
        let (case, version) = match loaded {
            Loaded::Case(case, version) => (*case, version),
            Loaded::Nothing => {
                return self.run("operator.close.done", move |_, tx| outbox::done(tx, job.id).map(drop)).await;
            }
            Loaded::Never(why) => return self.give_up_session(job, why).await,
        };
        let (id, again) = (case.session.clone(), case.clone());
        let closed = match close::close(case) {
            Ok(closed) => closed,
            Err(fault) => {
                tracing::error!(session = %id, %fault, "a session cannot be closed");
                return self.retry_close(job, fault.to_string()).await;
            }
        };
        let digest = closed.verdict.verified().map(billing::record::Verified::digest);
        let used = match digest {
            Some(digest) => {
                let id = id.clone();
                self.read("operator.evidence", move |_, tx| cdr::digest_used(tx, &digest, &id)).await?
            }
            None => false,
        };
        let closed = if used {
            let distrusted = Case { distrust: Some("these signed records already served another session"), ..again };
            match close::close(distrusted) {
                Ok(closed) => closed,
                Err(fault) => return self.retry_close(job, fault.to_string()).await,
            }
        } else {
            closed
        };
        let evidence = cdr::Evidence { verdict: closed.verdict.to_string(), digest: digest.filter(|_| !used) };
        let cdr_id = closed.cdr.id.clone();
        self.run("operator.close.keep", move |house, tx| keep_cdr(house, tx, &job, &closed, version, &evidence, now))
            .await?;
        self.0.tell_of(Event::Session(id));
        self.0.tell_of(Event::Cdr(cdr_id));
        self.0.wake();
        Ok(())
    }

    async fn give_up_session(&self, job: Job, why: &'static str) -> Result<(), StoreError> {
        self.run("operator.close.never", move |_, tx| {
            if let Some(mut row) = session::find(tx, &job.key)? {
                row.flag(why);
                row.on(SessionEvent::GiveUp);
                session::save(tx, &row)?;
                notice::put(tx, Kind::Session, &job.key, row.changed)?;
            }
            outbox::give_up(tx, job.id, why).map(drop)
        })
        .await
    }

    async fn retry_close(&self, job: Job, why: String) -> Result<(), StoreError> {
        let now = self.0.now();
        self.run("operator.close.retry", move |house, tx| {
            flag(tx, &job.key, &format!("cannot be closed: {why}"))?;
            outbox::retry(tx, job.id, now.plus(publish::pause(job.attempts, &*house.dice)), &why).map(drop)
        })
        .await
    }

    /// Brings a CDR to its provider: at least once, under an id that makes a repeat harmless.
    async fn deliver(&self, job: Job) -> Result<(), StoreError> {
        let key = job.key.clone();
        let (found, early) = self
            .read("operator.cdr", move |house, tx| {
                Ok::<_, StoreError>((either_cdr(house, tx, &key)?, credit::is_early(tx, &key)?))
            })
            .await?;
        if early {
            return self.wait_for_original(job).await;
        }
        let Some(record) = found else {
            let why = "the CDR's person was forgotten before it could be delivered";
            return self.run("operator.cdr.gone", move |_, tx| outbox::give_up(tx, job.id, why).map(drop)).await;
        };
        let (id, to) = (record.id.clone(), record.token.party);
        let answer = if to == self.0.setup.party {
            // a service session on our own account: there is nobody to tell
            Ok(Answer::Kept(id.clone()))
        } else {
            self.ask(Some(to), None, Question::PostCdr(Box::new(record))).await
        };
        let now = self.0.now();
        self.run("operator.cdr.told", move |house, tx| match publish::fate(&answer) {
            Fate::Delivered => {
                cdr::delivered(tx, &job.key, now)?;
                credit::settle(tx, &job.key, cdr::Delivery::Delivered, None, Some(now))?;
                outbox::done(tx, job.id).map(drop)
            }
            Fate::Again(why) => {
                cdr::failed(tx, &job.key, cdr::Delivery::Waiting, &why)?;
                credit::settle(tx, &job.key, cdr::Delivery::Waiting, Some(&why), None)?;
                outbox::retry(tx, job.id, now.plus(publish::pause(job.attempts, &*house.dice)), &why).map(drop)
            }
            Fate::Never(why) => {
                cdr::failed(tx, &job.key, cdr::Delivery::Refused, &why)?;
                credit::settle(tx, &job.key, cdr::Delivery::Refused, Some(&why), None)?;
                outbox::give_up(tx, job.id, &why).map(drop)
            }
        })
        .await?;
        self.0.tell_of(Event::Cdr(id));
        Ok(())
    }

    /// A credit goes after its original, however long that takes (OCPI 2.2.1, 10.3.1.2: it refers to it).
    async fn wait_for_original(&self, job: Job) -> Result<(), StoreError> {
        let now = self.0.now();
        self.run("operator.cdr.early", move |house, tx| {
            let why = "the CDR that it takes back was not delivered yet";
            credit::settle(tx, &job.key, cdr::Delivery::Waiting, Some(why), None)?;
            outbox::retry(tx, job.id, now.plus(publish::pause(job.attempts, &*house.dice)), why).map(drop)
        })
        .await
    }

    async fn tell_notice(&self, notice: Notice) -> Result<(), StoreError> {
        if notice.kind == Kind::Ask {
            return self.ask_again(notice).await;
        }
        let (name, kind, now) = (notice.name.clone(), notice.kind, self.0.now());
        let told = self
            .read("operator.notice", move |house, tx| match kind {
                Kind::Location => location_letter(house, tx, &name),
                Kind::Tariff => tariff_letter(house, tx, &name),
                Kind::Session => session_letter(house, tx, &name, now),
                Kind::Booking => bookings::letter(house, tx, &name),
                Kind::Ask => Ok(None),
            })
            .await?;
        let answer = match told {
            Some((to, question)) => {
                self.mind_cap(&question).await?;
                self.ask(Some(to), None, question).await
            }
            None => Ok(Answer::Noted),
        };
        self.settle_notice(notice, answer).await
    }

    /// All go to the hub, which hears of every plug and every car: a few share what they cost the disk. Each few are
    /// read shortly before they are told.
    async fn tell_evses(&self, taken: Vec<Telling>) -> Result<(), StoreError> {
        let mut worst = Ok(());
        for few in taken.chunks(LETTERS_AT_ONCE) {
            let read: Vec<_> = few.to_vec();
            let letters = self.run("operator.evses", move |house, tx| {
                Ok::<_, StoreError>(read.iter().map(|told| evse_letter(house, tx, told)).collect::<Vec<_>>())
            });
            let told = few.iter().zip(letters.await?).map(async |(told, letter)| {
                let answer = match letter? {
                    Some((to, question)) => self.ask(Some(to), None, question).await,
                    None => Ok(Answer::Noted),
                };
                self.settle_evse(told, &answer);
                Ok(())
            });
            // one that cannot be read holds up no other
            for told in join_all(told).await {
                worst = worst.and(told);
            }
        }
        worst
    }

    fn settle_evse(&self, told: &Telling, answer: &Result<Answer, RoadFault>) {
        let now = self.0.now();
        match publish::fate(answer) {
            Fate::Delivered => self.0.untold().done(told, now),
            Fate::Again(_) => self.0.untold().again(told, now.plus(publish::pause(told.tries, &*self.0.dice))),
            Fate::Never(why) => {
                tracing::warn!(evse = %told.evse, why, "an EVSE's status was refused");
                self.0.untold().done(told, now);
            }
        }
    }

    async fn settle_notice(&self, notice: Notice, answer: Result<Answer, RoadFault>) -> Result<(), StoreError> {
        let now = self.0.now();
        self.run("operator.notice.told", move |house, tx| settle(house, tx, &notice, &answer, now)).await
    }

    /// Asks again for a session that nobody has answered for.
    async fn ask_again(&self, notice: Notice) -> Result<(), StoreError> {
        let name = notice.name.clone();
        let pending = self
            .read("operator.ask", move |house, tx| {
                let Some(row) = session::find(tx, &name)? else { return Ok(None) };
                let sealed = row.asked_sealed.as_deref();
                sealed.map(|sealed| open_presented(house.seal(), SealPlace::Asked(&name), sealed)).transpose()
            })
            .await?;
        let Some(token) = pending else {
            return self
                .run("operator.unclaimed", move |_, tx| {
                    notice::done(tx, &notice)?;
                    give_up_unclaimed(tx, &notice.name)
                })
                .await;
        };
        // should this process end before the answer comes, the notice is held and released at the next start
        self.find_out(&notice.name, token).await?;
        // where nobody could be asked, the question has been put anew
        self.run("operator.asked", move |_, tx| notice::done(tx, &notice)).await
    }

    /// A provider's limit on money ends the session: the cost so far is worked out here anyway.
    async fn mind_cap(&self, question: &Question) -> Result<(), StoreError> {
        let Question::PutSession(told) = question else { return Ok(()) };
        let Some(cost) = told.total_cost else { return Ok(()) };
        let (id, now) = (told.id.clone(), self.0.now());
        self.run("operator.cap", move |_, tx| {
            let Some(row) = session::find(tx, id.as_str())? else { return Ok(()) };
            let gross = cost.with_vat.unwrap_or(cost.before_vat);
            if row.state.is_open() && row.money_cap.is_some_and(|cap| gross >= cap.decimal()) {
                outbox::put(tx, HALT, id.as_str(), now, &[])?;
            }
            Ok(())
        })
        .await
    }
}

/// What became of a notice.
fn settle(
    house: &House,
    tx: &mut Tx<'_>,
    notice: &Notice,
    answer: &Result<Answer, RoadFault>,
    now: Timestamp,
) -> Result<(), StoreError> {
    match publish::fate(answer) {
        Fate::Delivered => notice::done(tx, notice),
        Fate::Again(why) => notice::again(tx, notice, now.plus(publish::pause(notice.tries, &*house.dice)), &why),
        Fate::Never(why) => {
            tracing::warn!(kind = ?notice.kind, name = %notice.name, why, "a notice was refused");
            if notice.kind == Kind::Session {
                flag(tx, &notice.name, &format!("the provider does not take the session: {why}"))?;
            }
            notice::done(tx, notice)
        }
    }
}

enum Loaded {
    Case(Box<Case>, i64),
    /// It is closed already.
    Nothing,
    Never(&'static str),
}

fn load_case(house: &House, tx: &Tx<'_>, id: &str, now: Timestamp) -> Result<Loaded, StoreError> {
    let Some(row) = session::find(tx, id)? else { return Ok(Loaded::Nothing) };
    if row.state != crate::session::State::Ended {
        return Ok(Loaded::Nothing);
    }
    let party = house.setup.party;
    let (Some(token), Some(end)) = (row.token(house.seal())?, row.end) else {
        return Ok(Loaded::Never("nobody pays for the session"));
    };
    let Some(version) = row.tariff else { return Ok(Loaded::Never("the EVSE had no tariff: nothing is billed")) };
    let Some(pinned) = tariff::version(tx, party, version)? else {
        return Ok(Loaded::Never("the tariff of the session is gone"));
    };
    let placed = match (&row.location, &row.evse, &row.connector) {
        (Some(location), Some(evse), Some(connector)) => place::record_place(tx, party, location, evse, connector)?,
        (_, _, _) => None,
    };
    let Some((place, time_zone)) = placed else { return Ok(Loaded::Never("the session has no place to name")) };
    let key = match &row.evse {
        Some(evse) => place::meter_key(tx, evse)?,
        None => None,
    };
    let records = session::records(tx, id)?;
    let key = close::usable_key(key, &records);
    // a provider that does not have our register of meters checks with the key that travels along
    let beside: Option<Box<str>> = key.as_ref().map(|(key, _)| key.spki_hex().into());
    let along = |(_, record): (Nature, SignedRecord)| SignedRecord {
        public_key: record.public_key.or_else(|| beside.clone()),
        ..record
    };
    let case = Case {
        party,
        session: row.id.clone(),
        booking: booking::of_session(tx, &row.id)?,
        start: row.start,
        end,
        token,
        method: row.method.unwrap_or(charge::record::AuthMethod::Request),
        reference: row.reference.clone(),
        place,
        time_zone,
        tariff: pinned,
        points: curve::points(tx, &row.id, &row.tail)?,
        counted: row.meter.delivered(),
        key,
        records: records.into_iter().map(along).collect(),
        distrust: None,
        closed_at: now,
    };
    Ok(Loaded::Case(Box::new(case), version))
}

fn keep_cdr(
    house: &House,
    tx: &mut Tx<'_>,
    job: &Job,
    closed: &close::Closed,
    version: i64,
    evidence: &cdr::Evidence,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(mut row) = session::find(tx, &job.key)? else { return outbox::done(tx, job.id).map(drop) };
    if cdr::put(tx, house.seal(), &closed.cdr, &row.id, version, evidence)? {
        outbox::put(tx, DELIVER, closed.cdr.id.as_str(), now, &[])?;
    }
    for words in &closed.flags {
        row.flag(words);
    }
    row.on(SessionEvent::Close);
    row.changed = now;
    session::save(tx, &row)?;
    payment::look(tx, row.order.as_deref(), now)?;
    outbox::done(tx, job.id).map(drop)
}

/// A CDR, or the credit of one.
fn either_cdr(house: &House, tx: &Tx<'_>, id: &str) -> Result<Option<Cdr>, StoreError> {
    match cdr::find(tx, house.seal(), house.setup.party, id)? {
        Some(kept) => Ok(Some(kept)),
        None => credit::find(tx, house.seal(), house.setup.party, id),
    }
}

type Sent = Option<(PartyId, Question)>;

fn location_letter(house: &House, tx: &Tx<'_>, name: &str) -> Result<Sent, StoreError> {
    let Ok(id) = LocationId::new(name) else { return Ok(None) };
    let found = place::find(tx, house.setup.party, &id)?;
    Ok(found.map(|location| (house.setup.hub, Question::PutLocation(Box::new(location)))))
}

fn tariff_letter(house: &House, tx: &Tx<'_>, name: &str) -> Result<Sent, StoreError> {
    let Ok(id) = TariffId::new(name) else { return Ok(None) };
    let current = match tariff::current_version(tx, &id)? {
        Some(version) => tariff::version(tx, house.setup.party, version)?,
        None => None,
    };
    let question = current.map_or(Question::DropTariff(id), |tariff| Question::PutTariff(Box::new(tariff)));
    Ok(Some((house.setup.hub, question)))
}

fn evse_letter(house: &House, tx: &mut Tx<'_>, told: &Telling) -> Result<Sent, StoreError> {
    let Some((location, status, at)) = place::status(tx, &told.evse)? else { return Ok(None) };
    if told.tries == 1 {
        place::touch(tx, &location, house.now())?;
    }
    let evse = told.evse.clone();
    Ok(Some((house.setup.hub, Question::PatchEvse { location, evse, status, at })))
}

fn session_letter(house: &House, tx: &Tx<'_>, name: &str, now: Timestamp) -> Result<Sent, StoreError> {
    let Some(row) = session::find(tx, name)? else { return Ok(None) };
    let told = session_word(house, tx, &row, now)?;
    Ok(told.map(|told| (told.token.party, Question::PutSession(Box::new(told)))))
}

/// A session as its provider sees it. `None`: nobody pays for it, or it has no place to name.
pub(super) fn session_word(
    house: &House,
    tx: &Tx<'_>,
    row: &SessionRow,
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let Some(token) = row.token(house.seal())? else { return Ok(None) };
    let (Some(location), Some(evse), Some(connector)) = (&row.location, &row.evse, &row.connector) else {
        return Ok(None);
    };
    let so_far = so_far(house, tx, row, now)?;
    Ok(Some(Session {
        party: house.setup.party,
        id: row.id.clone(),
        start: row.start,
        end: row.end,
        energy: row.meter.delivered(),
        token,
        auth_method: row.method.unwrap_or(charge::record::AuthMethod::Request),
        reference: row.reference.clone(),
        location: location.clone(),
        evse: evse.clone(),
        connector: connector.clone(),
        currency: so_far.currency,
        periods: so_far.periods,
        total_cost: so_far.priced.as_ref().map(|priced| priced.total),
        status: row.state.status(),
        last_updated: row.changed,
    }))
}

/// What a session has come to.
pub(super) struct SoFar {
    pub currency: charge::money::Currency,
    pub periods: Vec<Period>,
    pub priced: Option<billing::price::Priced>,
    pub tariff: Option<charge::tariff::Tariff>,
}

/// Works out what a session has come to, until its end or now.
pub(super) fn so_far(house: &House, tx: &Tx<'_>, row: &SessionRow, now: Timestamp) -> Result<SoFar, StoreError> {
    let party = house.setup.party;
    let tariff = match row.tariff {
        Some(version) => tariff::version(tx, party, version)?,
        None => None,
    };
    let currency = tariff.as_ref().map_or(house.setup.settings.currency, |tariff| tariff.currency);
    let zone = match &row.location {
        Some(id) => place::time_zone(tx, id)?,
        None => None,
    };
    let (Some(known), Some(zone)) = (&tariff, zone) else {
        return Ok(SoFar { currency, periods: Vec::new(), priced: None, tariff });
    };
    let end = row.end.unwrap_or(now).max(row.start);
    let points = curve::points(tx, &row.id, &row.tail)?;
    let periods = close::priced_periods(known, &zone, &points, row.start, end).unwrap_or_default();
    let priced = if periods.is_empty() || row.state == crate::session::State::Void {
        None
    } else {
        billing::price::price(known, &zone, &periods, end).ok()
    };
    Ok(SoFar { currency, periods, priced, tariff })
}

/// Letters under way at the same time; a hub serves many operators.
const LETTERS_AT_ONCE: usize = 8;
