//! Orders on their way: from the outbox to the station, and the outcome back to whoever gave them.
//!
//! An order is told to the station at most once. If we die in between, it is told to its giver as a timeout, because
//! the station may have acted; a transaction that begins with its alias still finds its contract.

use charge::id::{OrderId, StationId};
use charge::talk::line::charging::Profile;
use charge::talk::line::reservation::ReservationOrder;
use charge::talk::line::{LineFault, StationAnswer, ToStation};
use charge::talk::road::{OrderResult, Question};
use charge::token::{PresentedToken, TokenUid};
use charge::{Secret, Timestamp};
use futures_util::future::join_all;
use store::outbox::{self, Job};
use store::{StoreError, Tx};

use super::road::finish;
use super::{House, Operator, payment};
use crate::memory::order::{self, Kind, OrderRow};
use crate::memory::{reservation, session};
use crate::publish::{self, Fate};
use crate::remote::{self, ALIAS_HOLDS, ALIAS_KIND, State};
use crate::reservation::Event as Happens;

/// Jobs of this file.
pub(crate) const TELL: &str = "operator.order";
pub(super) const OUTCOME: &str = "operator.outcome";

impl Operator {
    /// One round of everything that goes to stations.
    pub(super) async fn run_errands(&self, orders: Vec<Job>, halts: Vec<Job>) -> Result<(), StoreError> {
        let told = join_all(orders.into_iter().map(|job| self.tell_order(job)));
        let halted = join_all(halts.into_iter().map(|job| self.halt(job)));
        let (told, halted) = futures_util::future::join(told, halted).await;
        told.into_iter().chain(halted).collect()
    }

    async fn tell_order(&self, job: Job) -> Result<(), StoreError> {
        let (key, id) = (job.key.clone(), job.id);
        let now = self.0.now();
        let loaded = self.run("operator.order.tell", move |house, tx| set_out(house, tx, &key, id, now)).await?;
        let Some((row, what)) = loaded else { return Ok(()) };
        let answer = match (&row.station, what) {
            (Some(station), Some(what)) => self.tell(station, what).await,
            (_, _) => Err(LineFault::Unreadable("the order names nothing to tell".into())),
        };
        let (now, key) = (self.0.now(), job.key);
        let done = self.run("operator.order.told", move |_, tx| come_back(tx, &key, id, &answer, now)).await?;
        if let Some(row) = done {
            self.order_changed(&row);
            // the driver is waiting for the outcome
            self.0.wake();
        }
        Ok(())
    }

    /// Stops a transaction that must not go on.
    async fn halt(&self, job: Job) -> Result<(), StoreError> {
        let key = job.key.clone();
        let found = self.read("operator.halt", move |_, tx| session::find(tx, &key)).await?;
        let Some(row) = found.filter(|row| row.state.is_open()) else {
            return self.run("operator.halt.done", move |_, tx| outbox::done(tx, job.id).map(drop)).await;
        };
        let answer = self.tell(&row.station, ToStation::Stop { key: row.key.clone() }).await;
        let (result, why) = remote::outcome(&answer);
        let now = self.0.now();
        self.run("operator.halt.told", move |house, tx| {
            if result == OrderResult::Accepted {
                return outbox::done(tx, job.id).map(drop);
            }
            let why = why.unwrap_or_default();
            if job.attempts >= HALTS_MAX {
                flag(tx, row.id.as_str(), "the station did not stop the transaction when told to")?;
                return outbox::give_up(tx, job.id, &why).map(drop);
            }
            outbox::retry(tx, job.id, now.plus(publish::pause(job.attempts, &*house.dice)), &why).map(drop)
        })
        .await
    }

    /// Tells the giver of an order what became of it.
    pub(super) async fn tell_outcome(&self, job: Job) -> Result<(), StoreError> {
        let key = job.key.clone();
        let found = self.read("operator.outcome", move |_, tx| order::find(tx, &key)).await?;
        let Some(row) = found.filter(|row| row.return_to.is_some()) else {
            return self.run("operator.outcome.done", move |_, tx| outbox::done(tx, job.id).map(drop)).await;
        };
        let question = Question::Outcome {
            order: Some(row.given_as.clone()),
            return_to: row.return_to.clone(),
            result: row.result.unwrap_or(OrderResult::Failed),
            message: row.message.clone(),
        };
        let answer = self.ask(Some(row.giver), Some(row.correlation.clone()), question).await;
        let now = self.0.now();
        self.run("operator.outcome.told", move |house, tx| match publish::fate(&answer) {
            Fate::Delivered => outbox::done(tx, job.id).map(drop),
            Fate::Never(why) => outbox::give_up(tx, job.id, &why).map(drop),
            Fate::Again(why) if job.attempts >= OUTCOMES_MAX => outbox::give_up(tx, job.id, &why).map(drop),
            Fate::Again(why) => {
                outbox::retry(tx, job.id, now.plus(publish::pause(job.attempts, &*house.dice)), &why).map(drop)
            }
        })
        .await
    }

    /// Tells a station an order of the operator's own people, for an order row that is already kept. A start may bring a
    /// profile, which is told with it and kept nowhere.
    pub(super) async fn tell_now(
        &self,
        id: &OrderId,
        own: Option<Box<Profile>>,
    ) -> Result<Result<StationAnswer, LineFault>, StoreError> {
        let key = id.as_str().to_owned();
        let loaded = self.run("operator.order.tell", move |house, tx| begin_telling(house, tx, &key)).await?;
        let Some((row, Some(mut what))) = loaded else { return Ok(Err(LineFault::NotConnected)) };
        if let ToStation::Start { profile, .. } = &mut what {
            *profile = own;
        }
        let Some(station) = row.station.clone() else { return Ok(Err(LineFault::NotConnected)) };
        let answer = self.tell(&station, what).await;
        let (now, key, kept) = (self.0.now(), id.as_str().to_owned(), answer.clone());
        self.run("operator.order.told", move |_, tx| answered(tx, &key, &kept, now).map(drop)).await?;
        Ok(answer)
    }
}

/// Marks an order as being told. `None`: there is nothing to tell any more.
fn set_out(
    house: &House,
    tx: &mut Tx<'_>,
    key: &str,
    job: i64,
    now: Timestamp,
) -> Result<Option<(OrderRow, Option<ToStation>)>, StoreError> {
    let Some(mut row) = order::find(tx, key)? else {
        outbox::done(tx, job)?;
        return Ok(None);
    };
    match row.state {
        State::Asked => begin_telling(house, tx, key),
        State::Telling => {
            let message = "the operator was interrupted while telling the station; it may still act".to_owned();
            finish(tx, &mut row, OrderResult::TimedOut, Some(message), now)?;
            outbox::done(tx, job)?;
            Ok(None)
        }
        State::Awaiting | State::Started | State::Lapsed | State::Done => {
            outbox::done(tx, job)?;
            Ok(None)
        }
    }
}

fn begin_telling(
    house: &House,
    tx: &mut Tx<'_>,
    key: &str,
) -> Result<Option<(OrderRow, Option<ToStation>)>, StoreError> {
    let Some(mut row) = order::find(tx, key)? else { return Ok(None) };
    let what = words(house, tx, &row)?;
    row.on(remote::Event::Tell);
    order::save(tx, &row)?;
    Ok(Some((row, what)))
}

/// The order in the words of the line; `None` where what it needs is gone.
fn words(house: &House, tx: &Tx<'_>, row: &OrderRow) -> Result<Option<ToStation>, StoreError> {
    Ok(match row.kind {
        Kind::Start => {
            let uid = row.alias.as_deref().and_then(|alias| TokenUid::new(alias).ok());
            let kind = payment::kind_of(tx, row)?;
            uid.zip(row.remote_id).map(|(uid, remote_id)| ToStation::Start {
                evse: row.no,
                token: PresentedToken::new(uid, kind),
                remote_id,
                profile: None,
            })
        }
        Kind::Stop => {
            let Some(id) = &row.session else { return Ok(None) };
            session::find(tx, id.as_str())?.map(|session| ToStation::Stop { key: session.key })
        }
        Kind::Unlock => row.no.map(|evse| ToStation::Unlock { evse }),
        Kind::Reserve => row.remote_id.zip(holder(house, row)?).map(|(id, token)| {
            let (evse, until) = (row.no, row.until);
            ToStation::Reservation(ReservationOrder::Reserve { id, evse, token, group: None, until, connector: None })
        }),
        Kind::CancelReservation => row.remote_id.map(|id| ToStation::Reservation(ReservationOrder::Cancel { id })),
    })
}

/// Whom a station keeps an EVSE for: a card as it will be held to the reader, or an alias for a start from afar.
fn holder(house: &House, row: &OrderRow) -> Result<Option<PresentedToken>, StoreError> {
    if let Some(alias) = row.alias.as_deref() {
        return Ok(TokenUid::new(alias).ok().map(|uid| PresentedToken::new(uid, ALIAS_KIND)));
    }
    let token = row.token(house.seal())?;
    Ok(token.map(|token| PresentedToken { uid: token.uid, kind: token.kind }))
}

/// What a station's answer makes of the reservation that an order is about.
fn settle(tx: &mut Tx<'_>, row: &OrderRow, result: OrderResult, now: Timestamp) -> Result<(), StoreError> {
    let Some(held) = row.remote_id.map(|id| reservation::find(tx, id)).transpose()?.flatten() else { return Ok(()) };
    let event = match (row.kind, result) {
        (Kind::Reserve, OrderResult::Accepted) => {
            reservation::renew(tx, held.id, row.no, row.until, now)?;
            Happens::Accept
        }
        // the station may have taken it, or given it up
        (_, OrderResult::TimedOut) => return Ok(()),
        (Kind::Reserve, _) => Happens::Refuse,
        (Kind::CancelReservation, OrderResult::Accepted) => Happens::Cancel,
        (Kind::CancelReservation, OrderResult::UnknownReservation) => Happens::NotThere,
        (Kind::CancelReservation | Kind::Start | Kind::Stop | Kind::Unlock, _) => return Ok(()),
    };
    reservation::moved(tx, &held, event, row.message.as_deref(), None, now).map(drop)
}

/// The station has answered (or not): the outcome is owed from here on.
fn come_back(
    tx: &mut Tx<'_>,
    key: &str,
    job: i64,
    answer: &Result<StationAnswer, LineFault>,
    now: Timestamp,
) -> Result<Option<OrderRow>, StoreError> {
    outbox::done(tx, job)?;
    let row = answered(tx, key, answer, now)?;
    if let Some(row) = &row {
        outbox::put(tx, OUTCOME, row.id.as_str(), now, &[])?;
    }
    Ok(row)
}

fn answered(
    tx: &mut Tx<'_>,
    key: &str,
    answer: &Result<StationAnswer, LineFault>,
    now: Timestamp,
) -> Result<Option<OrderRow>, StoreError> {
    let Some(mut row) = order::find(tx, key)? else { return Ok(None) };
    let (result, message) = match row.kind {
        Kind::Reserve => remote::reserved(answer),
        Kind::CancelReservation => remote::given_up(answer),
        Kind::Start | Kind::Stop | Kind::Unlock => remote::outcome(answer),
    };
    (row.result, row.message) = (Some(result), message);
    if matches!(row.kind, Kind::Reserve | Kind::CancelReservation) {
        settle(tx, &row, result, now)?;
    }
    let awaited = row.kind == Kind::Start && result == OrderResult::Accepted;
    row.on(if awaited { remote::Event::Accept } else { remote::Event::Answer });
    if row.kind != Kind::Reserve {
        row.until = now.plus(ALIAS_HOLDS);
    }
    order::save(tx, &row)?;
    Ok(Some(row))
}

pub(super) fn flag(tx: &mut Tx<'_>, session: &str, words: &str) -> Result<(), StoreError> {
    let Some(mut row) = session::find(tx, session)? else { return Ok(()) };
    row.flag(words);
    session::save(tx, &row)
}

impl House {
    /// Settings whose new value is a secret do not reach the audit: only the names do.
    pub(super) fn names(values: &[(Box<str>, Secret<Box<str>>)]) -> String {
        values.iter().map(|(name, _)| &**name).collect::<Vec<_>>().join(", ")
    }
}

/// For log lines about a station's order.
pub(super) fn subject(station: &StationId, rest: &str) -> String {
    if rest.is_empty() { station.to_string() } else { format!("{station} {rest}") }
}

/// A station that ignores this many stops needs a person.
const HALTS_MAX: i64 = 5;
/// After this many tries the giver of an order has long told its driver of a timeout.
const OUTCOMES_MAX: i64 = 5;
