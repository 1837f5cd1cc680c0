//! Orders about power on their way: kept, told to the station once, and its word told to the provider (OCPI 2.2.1,
//! module 14); and the plans of sessions whose provider has set a profile, whenever they change for another reason.
//!
//! An order is told to the station at most once. If we die in between, or the station says nothing, nothing is told: the
//! time that was promised with the acknowledgement runs out.

use charge::Timestamp;
use charge::id::{EvseNo, PartyId, StationId, TransactionKey};
use charge::place::Capability;
use charge::talk::line::ToStation;
use charge::talk::line::charging::{ChargingNews, ChargingOrder, Profile, ProfileFilter, ProfilePurpose, RateUnit};
use charge::talk::road::{
    ActiveProfile, Answer, Denial, OrderAck, PowerProfile, ProfileOrder, ProfileResult, ProfileUnit, ProfileWish,
    Question,
};
use futures_util::future::{join_all, join3};
use store::outbox::{self, Job};
use store::{StoreError, Tx};

use super::road::{Given, Trouble, accepted, fresh_order};
use super::{House, Operator};
use crate::capability;
use crate::limits;
use crate::memory::profile::{self as rows, ProfileRow, State};
use crate::memory::session::SessionRow;
use crate::memory::{dynamic, place, session, station};
use crate::profile::{self, Asked, Ceiling, Wires};
use crate::publish::{self, Fate};

/// Jobs of this file: an order to its station, the station's word to the order's giver, a plan to whoever set a profile.
pub(super) const PROFILE: &str = "operator.profile";
pub(super) const PROFILE_OUTCOME: &str = "operator.profile.outcome";
pub(super) const PLAN: &str = "operator.plan";

/// Where a station says which units it takes, in 1.6 and in 2.x.
const RATE_UNITS: [&str; 2] = ["ChargingScheduleAllowedChargingRateUnit", "SmartChargingCtrlr.RateUnit"];

/// What one round of duty has to do here.
pub(super) struct ProfileJobs {
    pub(super) told: Vec<Job>,
    pub(super) outcomes: Vec<Job>,
    pub(super) plans: Vec<Job>,
}

/// Keeps an order about power, and answers it as the operator can: only for a running session of the asking provider.
pub(super) fn keep(house: &House, tx: &mut Tx<'_>, given: &Given, order: &ProfileOrder) -> Result<Answer, Trouble> {
    if rows::given(tx, given.from, &given.order)?.is_some() {
        return Ok(accepted());
    }
    let no = |ack| Ok(Answer::Order { ack, message: None });
    // another provider's session is as unknown as none
    let found = session::find(tx, order.session.as_str())?.filter(|row| row.party == Some(given.from));
    let Some(running) = found else { return no(OrderAck::UnknownSession) };
    if !running.state.is_open() || running.no.is_none() {
        return no(OrderAck::Rejected);
    }
    if !offers(house, tx, &running)? {
        return no(OrderAck::NotSupported);
    }
    if rows::orders_since(tx, &running.id, given.now.minus(profile::ORDERS_WITHIN))? >= profile::ORDERS_MAX {
        return no(OrderAck::TooOften);
    }
    let wish = match &order.wish {
        ProfileWish::Set(wanted) => {
            if let Some((path, why)) = profile::fault(wanted) {
                return Err(Trouble::Denied(Denial::Malformed { path: path.into(), why: why.into() }));
            }
            let ceiling = ceiling(tx, &running, given.now)?;
            let clamped = profile::clamped(wanted.clone(), ceiling);
            let Some(told) = clamped.map(|clamped| as_taken(tx, &running, clamped)).transpose()?.flatten() else {
                return no(OrderAck::Rejected);
            };
            // what is most in watts may be too much in amperes
            let Some(told) = profile::clamped(told, ceiling) else { return no(OrderAck::Rejected) };
            ProfileWish::Set(told)
        }
        ProfileWish::Clear => ProfileWish::Clear,
        ProfileWish::Show { duration_s } => ProfileWish::Show { duration_s: (*duration_s).min(profile::SHOWN_S_MAX) },
    };
    if !house.connected(&running.station) {
        return no(OrderAck::Rejected);
    }
    let row = ProfileRow {
        id: fresh_order(house)?,
        giver: given.from,
        given_as: given.order.clone(),
        return_to: given.return_to.clone(),
        correlation: given.correlation.clone(),
        session: running.id,
        wish,
        state: State::Asked,
        result: None,
        plan: None,
        asked: given.now,
    };
    rows::save(tx, &row)?;
    outbox::put(tx, PROFILE, row.id.as_str(), given.now, &[])?;
    Ok(accepted())
}

/// Whether the EVSE takes profiles, as far as is known: a person's word, or else its station's. One that has never said
/// is asked.
fn offers(house: &House, tx: &Tx<'_>, running: &SessionRow) -> Result<bool, StoreError> {
    let told = station::telling(tx, &running.station)?;
    let evse = match &running.location {
        Some(location) => place::find(tx, house.setup.party, location)?,
        None => None,
    };
    let evse = evse.and_then(|place| place.evses.into_iter().find(|evse| Some(&evse.uid) == running.evse.as_ref()));
    let Some(evse) = evse else { return Ok(true) };
    let derived = capability::derive(&evse.connectors, &told) == evse.capabilities;
    Ok(evse.capabilities.has(Capability::ChargingProfile) || (derived && told.is_empty()))
}

/// In a unit that the station takes, as far as it has said which. `None`: the EVSE is not known well enough.
fn as_taken(tx: &Tx<'_>, running: &SessionRow, wanted: PowerProfile) -> Result<Option<PowerProfile>, StoreError> {
    let said = station::settings(tx, &running.station)?;
    let said =
        said.iter().find(|setting| RATE_UNITS.contains(&&*setting.key)).and_then(|setting| setting.value.as_deref());
    if said.and_then(profile::only_unit) != Some(ProfileUnit::Amperes) {
        return Ok(Some(wanted));
    }
    let connectors = running.evse.as_ref().map(|evse| place::connectors(tx, evse)).transpose()?;
    Ok(profile::in_amperes(wanted, Wires::of(&connectors.unwrap_or_default())))
}

/// The most that the session's EVSE gives: by its rating, and by the operator's own limits there.
pub(super) fn ceiling(tx: &Tx<'_>, running: &SessionRow, now: Timestamp) -> Result<Ceiling, StoreError> {
    let connectors = running.evse.as_ref().map(|evse| place::connectors(tx, evse)).transpose()?;
    let rated = Ceiling::of(&connectors.unwrap_or_default());
    let Some(no) = running.no else { return Ok(rated) };
    let own = rows::limits(tx, &running.station, no, now)?;
    Ok(own.into_iter().fold(rated, |ceiling, (unit, limit)| ceiling.under(unit, limit)))
}

/// What an order says to its station, and what its answer is read by.
struct Errand {
    row: ProfileRow,
    station: StationId,
    told: ToStation,
    ceiling: Ceiling,
}

impl Operator {
    /// One round of everything about power.
    pub(super) async fn run_profiles(&self, jobs: ProfileJobs) -> Result<(), StoreError> {
        let told = join_all(jobs.told.into_iter().map(|job| self.tell_profile(job)));
        let outcomes = join_all(jobs.outcomes.into_iter().map(|job| self.tell_profile_outcome(job)));
        let plans = join_all(jobs.plans.into_iter().map(|job| self.tell_plan(job)));
        let (told, outcomes, plans) = join3(told, outcomes, plans).await;
        told.into_iter().chain(outcomes).chain(plans).collect()
    }

    async fn tell_profile(&self, job: Job) -> Result<(), StoreError> {
        let key = job.key.clone();
        let now = self.0.now();
        let found = self.run("operator.profile.tell", move |_, tx| set_out(tx, &key, job.id, now)).await?;
        let Some(Errand { row, station, told, ceiling }) = found else {
            self.0.wake();
            return Ok(());
        };
        let answer = self.tell(&station, told).await;
        let now = self.0.now();
        self.run("operator.profile.told", move |_, tx| {
            let heard = profile::heard(asked(&row.wish), &answer, ceiling, now);
            come_back(tx, row, job.id, heard, now)
        })
        .await?;
        self.0.wake();
        Ok(())
    }

    /// Tells the giver of an order what the station said.
    async fn tell_profile_outcome(&self, job: Job) -> Result<(), StoreError> {
        let key = job.key.clone();
        let found = self.read("operator.profile.outcome", move |_, tx| rows::find(tx, &key)).await?;
        let ready = found.and_then(|row| row.result.filter(|_| row.return_to.is_some()).map(|result| (row, result)));
        let Some((row, result)) = ready else {
            return self.run("operator.profile.outcome.done", move |_, tx| outbox::done(tx, job.id).map(drop)).await;
        };
        let question = Question::ProfileOutcome {
            order: Some(row.given_as.clone()),
            return_to: row.return_to.clone(),
            result,
            plan: row.plan.map(Box::new),
        };
        let answer = self.ask(Some(row.giver), Some(row.correlation.clone()), question).await;
        self.run("operator.profile.outcome.told", move |house, tx| {
            settle(house, tx, &job, &publish::fate(&answer)).map(drop)
        })
        .await
    }

    /// Asks the station what it plans, and tells whoever has set a profile where that is news.
    async fn tell_plan(&self, job: Job) -> Result<(), StoreError> {
        let (key, now) = (session_of(&job.key), self.0.now());
        let found = self.read("operator.plan", move |_, tx| watched(tx, key.as_deref(), now)).await?;
        let Some(Watched { running, no, ceiling, giver, told }) = found else { return self.leave_plan(job.id).await };
        let lasts = profile::PLAN;
        let order = ChargingOrder::Composite { evse: Some(no), lasts, unit: None };
        let answer = self.tell(&running.station, ToStation::Charging(order)).await;
        let plan = profile::heard(Asked::Show, &answer, ceiling, self.0.now()).and_then(|(_, plan)| plan);
        // a station that does not say leaves nothing to be told
        let news = plan.filter(|plan| !told.is_some_and(|told| profile::same(&told.profile, &plan.profile)));
        let Some(plan) = news else { return self.leave_plan(job.id).await };
        let question = Question::Plan { session: running.id.clone(), plan: Box::new(plan.clone()) };
        let answer = self.ask(Some(giver), None, question).await;
        self.run("operator.plan.told", move |house, tx| {
            if settle(house, tx, &job, &publish::fate(&answer))? {
                rows::told(tx, &running.id, &plan)?;
            }
            Ok(())
        })
        .await
    }

    /// A station has done what a second back-end ordered that the operator lets order.
    pub(crate) async fn charging_ordered(&self, of: &StationId, order: ChargingOrder) -> Result<(), StoreError> {
        let (of, now) = (of.clone(), self.0.now());
        self.run("operator.charging.ordered", move |_, tx| ordered(tx, &of, &order, now)).await
    }

    /// There is nothing to tell.
    async fn leave_plan(&self, job: i64) -> Result<(), StoreError> {
        self.run("operator.plan.done", move |_, tx| outbox::done(tx, job).map(drop)).await
    }
}

/// Marks an order as being told. `None`: there is nothing to tell the station.
fn set_out(tx: &mut Tx<'_>, key: &str, job: i64, now: Timestamp) -> Result<Option<Errand>, StoreError> {
    let Some(mut row) = rows::find(tx, key)? else { return outbox::done(tx, job).map(|_| None) };
    let running = session::find(tx, row.session.as_str())?.filter(|row| row.state.is_open());
    match (row.state, running) {
        // told before a crash, and nobody knows what the station said
        (State::Telling, _) => {
            row.state = State::Done;
            rows::save(tx, &row)?;
            outbox::done(tx, job).map(|_| None)
        }
        (State::Done, _) => outbox::done(tx, job).map(|_| None),
        // it ended meanwhile, and its profile with it
        (State::Asked, None) => come_back(tx, row, job, Some((ProfileResult::Rejected, None)), now).map(|()| None),
        (State::Asked, Some(running)) => {
            let ceiling = ceiling(tx, &running, now)?;
            let told = words(&row.wish, &running);
            row.state = State::Telling;
            rows::save(tx, &row)?;
            Ok(Some(Errand { row, station: running.station, told, ceiling }))
        }
    }
}

/// In the words of the line: always the transaction's own profile, under a number that no person gives.
fn words(wish: &ProfileWish, running: &SessionRow) -> ToStation {
    let (evse, number) = (running.no, profile::number(running.number));
    let key: TransactionKey = running.key.clone();
    ToStation::Charging(match wish {
        ProfileWish::Set(wanted) => {
            ChargingOrder::Set { evse, profile: Box::new(profile::for_station(wanted, key, number)) }
        }
        ProfileWish::Clear => ChargingOrder::Clear(ProfileFilter { ids: vec![number], ..ProfileFilter::default() }),
        ProfileWish::Show { duration_s } => {
            let lasts = std::time::Duration::from_secs((*duration_s).into());
            ChargingOrder::Composite { evse, lasts, unit: None }
        }
    })
}

const fn asked(wish: &ProfileWish) -> Asked {
    match wish {
        ProfileWish::Set(_) => Asked::Set,
        ProfileWish::Clear => Asked::Clear,
        ProfileWish::Show { .. } => Asked::Show,
    }
}

/// The station has answered, or not: its word is owed from here on.
fn come_back(
    tx: &mut Tx<'_>,
    mut row: ProfileRow,
    job: i64,
    heard: Option<(ProfileResult, Option<ActiveProfile>)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    outbox::done(tx, job)?;
    row.state = State::Done;
    if let Some((result, plan)) = heard {
        (row.result, row.plan) = (Some(result), plan);
        if matches!(row.wish, ProfileWish::Set(_)) && result == ProfileResult::Accepted {
            rows::set(tx, &row.session, row.giver, now)?;
        }
        outbox::put(tx, PROFILE_OUTCOME, row.id.as_str(), now, &[])?;
    }
    rows::save(tx, &row)
}

/// What became of a letter; whether it arrived.
fn settle(house: &House, tx: &mut Tx<'_>, job: &Job, fate: &Fate) -> Result<bool, StoreError> {
    match fate {
        Fate::Delivered => outbox::done(tx, job.id).map(|_| true),
        Fate::Never(why) => outbox::give_up(tx, job.id, why).map(|_| false),
        Fate::Again(why) if job.attempts >= TRIES_MAX => outbox::give_up(tx, job.id, why).map(|_| false),
        Fate::Again(why) => {
            let again = house.now().plus(publish::pause(job.attempts, &*house.dice));
            outbox::retry(tx, job.id, again, why).map(|_| false)
        }
    }
}

/// A running session whose provider has set a profile.
struct Watched {
    running: SessionRow,
    no: EvseNo,
    ceiling: Ceiling,
    giver: PartyId,
    told: Option<ActiveProfile>,
}

fn watched(tx: &Tx<'_>, id: Option<&str>, now: Timestamp) -> Result<Option<Watched>, StoreError> {
    let Some(running) = id.map(|id| session::find(tx, id)).transpose()?.flatten() else { return Ok(None) };
    let (Some(no), true) = (running.no, running.state.is_open()) else { return Ok(None) };
    let Some((giver, told)) = rows::who_set(tx, &running.id)? else { return Ok(None) };
    Ok(Some(Watched { ceiling: ceiling(tx, &running, now)?, no, giver, told, running }))
}

/// Whether a station's word may change what its sessions get.
pub(super) const fn changes_plans(said: &ChargingNews) -> bool {
    match said {
        ChargingNews::Limit { .. } | ChargingNews::LimitCleared { .. } | ChargingNews::CarSchedule { .. } => true,
        ChargingNews::Profiles { .. }
        | ChargingNews::Needs { .. }
        | ChargingNews::Priority { .. }
        | ChargingNews::Pull { .. } => false,
    }
}

/// What sessions of this station get may have changed: whoever has set a profile is told, a few seconds later and once
/// for all that changed until then.
pub(super) fn plans_changed(tx: &mut Tx<'_>, of: &StationId, now: Timestamp) -> Result<(), StoreError> {
    let due = (now.secs().div_euclid(GATHERED_S) + 1) * GATHERED_S;
    for session in rows::profiled(tx, of)? {
        outbox::put(tx, PLAN, &format!("{session}/{due}"), Timestamp::from_secs(due), &[])?;
    }
    Ok(())
}

fn session_of(key: &str) -> Option<String> {
    key.rsplit_once('/').map(|(session, _)| session.to_owned())
}

/// A station has done what was ordered in the operator's name: limits for all transactions hold for providers as well.
pub(super) fn ordered(
    tx: &mut Tx<'_>,
    of: &StationId,
    order: &ChargingOrder,
    now: Timestamp,
) -> Result<(), StoreError> {
    match order {
        ChargingOrder::Set { evse, profile } => {
            if let (ProfilePurpose::TxDefault, Some(lowest)) = (profile.purpose, lowest(profile)) {
                rows::limit(tx, (of, *evse), profile, lowest)?;
            }
            dynamic::set(tx, of, *evse, profile, limits::that_change(profile))?;
        }
        ChargingOrder::Clear(which) => {
            if which.purpose.is_none_or(|purpose| purpose == ProfilePurpose::TxDefault) {
                rows::unlimit(tx, of, which)?;
            }
            dynamic::cleared(tx, of, which)?;
        }
        ChargingOrder::Update { profile, limits } => dynamic::updated(tx, of, *profile, limits)?,
        ChargingOrder::Priority { .. } => {}
        ChargingOrder::Read { .. } | ChargingOrder::Composite { .. } | ChargingOrder::AllowedTransfer { .. } => {
            return Ok(());
        }
    }
    plans_changed(tx, of, now)
}

/// The road's word for a unit of the line.
pub(super) const fn unit(of: RateUnit) -> ProfileUnit {
    match of {
        RateUnit::Watts => ProfileUnit::Watts,
        RateUnit::Amperes => ProfileUnit::Amperes,
    }
}

/// The lowest that a profile allows at any time: a provider's profile takes its place, and must not go above it.
fn lowest(profile: &Profile) -> Option<(ProfileUnit, rust_decimal::Decimal)> {
    let schedule = profile.schedules.first()?;
    Some((unit(schedule.unit), schedule.periods.iter().filter_map(|period| period.limit).min()?))
}

/// After this many tries the giver has long told its driver that nothing was heard.
const TRIES_MAX: i64 = 5;
/// Changes within so many seconds are told together.
const GATHERED_S: i64 = 10;
