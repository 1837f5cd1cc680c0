//! Cars that say what they need on their way: kept, answered, and given a profile of their transaction (OCPP 2.x K15, K17);
//! given one again where a car plans more than it may have (K16). A provider's profile of a transaction is told again to a
//! station that was away (2.1 E17).
//!
//! The answer promises a profile, and the profile follows as a job of the outbox. It is sent once: a car waits a minute.

use charge::Timestamp;
use charge::id::{EvseNo, StationId};
use charge::talk::line::charging::{ChargingOrder, NeedsVerdict, Schedule};
use charge::talk::line::document::Document;
use charge::talk::line::{ToStation, Version};
use store::outbox::{self, Job};
use store::{StoreError, Tx};

use super::Operator;
use super::chore::CHORE;
use super::profiles::{self, ceiling};
use crate::memory::session::SessionRow;
use crate::memory::{needs as rows, profile as orders, session};
use crate::needs::{self, Needs};
use crate::profile::{for_station, number};

/// Keeps what a car needs. Whoever has no session, or nothing that could be told, is not promised anything; 2.1 has a word
/// for that.
pub(super) fn heard(
    tx: &mut Tx<'_>,
    (of, version): (&StationId, Option<Version>),
    no: EvseNo,
    said: &Document,
    now: Timestamp,
) -> Result<NeedsVerdict, StoreError> {
    let no_profile = if version == Some(Version::V21) { NeedsVerdict::NoProfile } else { NeedsVerdict::Rejected };
    let (Some(needs), Some(running)) = (Needs::read(said), running(tx, of, no)?) else { return Ok(no_profile) };
    let key = || (running.key.clone(), number(running.number));
    if needs::offer(needs, ceiling(tx, &running, now)?, key(), now).is_none() {
        return Ok(no_profile);
    }
    give(tx, &running, needs, now)?;
    Ok(NeedsVerdict::Accepted)
}

/// Whether what a car plans may be so (K15.FR.11). Where it may not, it is told again what it may have (K15.FR.12,
/// K15.FR.13).
pub(super) fn planned(
    tx: &mut Tx<'_>,
    of: &StationId,
    no: EvseNo,
    plan: &Schedule,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(running) = running(tx, of, no)? else { return Ok(true) };
    if needs::keeps_to(plan, ceiling(tx, &running, now)?) {
        return Ok(true);
    }
    let unit = profiles::unit(plan.unit);
    give(tx, &running, Needs { unit, most: None, phases: None, until: None }, now)?;
    Ok(false)
}

/// A station goes on with a transaction: what its provider has set is told again, for it may be forgotten there. Whether
/// there is such a profile. A car says by itself again what it needs.
///
/// cites: ocpp-2.1 E17.FR.15
pub(super) fn resumed(tx: &mut Tx<'_>, row: &SessionRow, now: Timestamp) -> Result<bool, StoreError> {
    let has = row.state.is_open() && orders::in_force(tx, &row.id)?.is_some();
    if has {
        send(tx, row, now)?;
    }
    Ok(has)
}

fn give(tx: &mut Tx<'_>, to: &SessionRow, needs: Needs, now: Timestamp) -> Result<(), StoreError> {
    rows::put(tx, &to.id, needs)?;
    send(tx, to, now)
}

fn send(tx: &mut Tx<'_>, to: &SessionRow, now: Timestamp) -> Result<(), StoreError> {
    outbox::put(tx, CHORE, &format!("needs/{}/{}", now.micros(), to.id), now, &[]).map(drop)
}

fn running(tx: &Tx<'_>, of: &StationId, no: EvseNo) -> Result<Option<SessionRow>, StoreError> {
    let open = session::candidates(tx, of, None, None, Some(no))?.open_here;
    let newest = open.last().map(|id| session::find(tx, id.as_str())).transpose()?.flatten();
    Ok(newest.filter(|row| row.state.is_open()))
}

impl Operator {
    /// Sends what was promised, once.
    pub(super) async fn give_power(&self, id: &str, job: &Job) -> Result<(), StoreError> {
        let (key, done, now) = (id.to_owned(), job.id, self.0.now());
        let parcel = self
            .run("operator.needs.give", move |_, tx| {
                outbox::done(tx, done)?;
                let parcel = pack(tx, &key, now)?;
                rows::settle(tx, &key)?;
                Ok::<_, StoreError>(parcel)
            })
            .await?;
        let Some((station, order)) = parcel else { return Ok(()) };
        // its answer changes nothing here: the car asks again, or goes without
        if let Err(fault) = self.tell(&station, ToStation::Charging(order)).await {
            tracing::warn!(%station, %fault, "a car was promised a profile and has none");
        }
        Ok(())
    }
}

/// The profile: what its provider has set, else what the car may have.
fn pack(tx: &Tx<'_>, id: &str, now: Timestamp) -> Result<Option<(StationId, ChargingOrder)>, StoreError> {
    let Some(running) = session::find(tx, id)?.filter(|row| row.state.is_open()) else { return Ok(None) };
    let (key, number) = (running.key.clone(), number(running.number));
    let profile = match orders::in_force(tx, &running.id)? {
        Some(wanted) => Some(for_station(&wanted, key, number)),
        None => match rows::find(tx, id)? {
            Some(needs) => needs::offer(needs, ceiling(tx, &running, now)?, (key, number), now),
            None => None,
        },
    };
    let order = |profile| ChargingOrder::Set { evse: running.no, profile: Box::new(profile) };
    Ok(profile.map(|profile| (running.station.clone(), order(profile))))
}
