//! Limits of running sessions, and the newest plan of each station, kept for some days: they say when somebody charged.

use charge::Timestamp;
use charge::id::OrderId;
use charge::talk::road::{ActiveProfile, PowerProfile, ProfileUnit};
use charge::units::Power;
use store::{Row, StoreError, Tx, values};

use super::{corrupt, parsed, small};
use crate::SessionNo;
use crate::limit::{Limit, LimitWish};
use crate::remote::OrderState;

pub(crate) fn put(tx: &mut Tx<'_>, limit: &Limit) -> Result<(), StoreError> {
    let (wish, most) = match limit.wish {
        LimitWish::Most(power) => ("most", Some(power.watts())),
        LimitWish::Free => ("free", None),
        LimitWish::Look => ("look", None),
    };
    let (state, message) = (limit.state.as_str(), limit.message.as_str());
    let row = values![limit.id.as_str(), limit.session.0, wish, most, state, message, limit.given, limit.deadline];
    tx.execute(PUT, &row).map(drop)
}

pub(crate) fn save(tx: &mut Tx<'_>, limit: &Limit) -> Result<(), StoreError> {
    let row = values![limit.id.as_str(), limit.state.as_str(), limit.message.as_str(), limit.deadline];
    tx.execute(SAVE, &row).map(drop)
}

pub(crate) fn find(tx: &Tx<'_>, id: &OrderId) -> Result<Option<Limit>, StoreError> {
    tx.one(&format!("{SELECT} WHERE id = ?1"), &values![id.as_str()], read)
}

/// The newest wish for a limit, or for none, and the newest look.
pub(crate) fn newest(tx: &Tx<'_>, session: SessionNo) -> Result<(Option<Limit>, Option<Limit>), StoreError> {
    let limit = tx.one(&format!("{SELECT} {NEWEST_LIMIT}"), &values![session.0], read)?;
    Ok((limit, tx.one(&format!("{SELECT} {NEWEST_LOOK}"), &values![session.0], read)?))
}

pub(crate) fn overdue(tx: &Tx<'_>, now: Timestamp) -> Result<Vec<Limit>, StoreError> {
    tx.query(&format!("{SELECT} {OVERDUE}"), &values![now], read)
}

/// Keeps a plan, unless a newer one is known.
pub(crate) fn put_plan(tx: &mut Tx<'_>, session: SessionNo, plan: &ActiveProfile) -> Result<bool, StoreError> {
    let periods: Vec<String> = plan.profile.periods.iter().map(|(start, limit)| format!("{start}:{limit}")).collect();
    let PowerProfile { start, duration_s, unit, .. } = &plan.profile;
    let row = values![session.0, plan.calculated, *start, *duration_s, unit.as_str(), periods.join(" ")];
    Ok(tx.execute(PUT_PLAN, &row)? > 0)
}

pub(crate) fn plan(tx: &Tx<'_>, session: SessionNo) -> Result<Option<ActiveProfile>, StoreError> {
    tx.one(PLAN, &values![session.0], |row| {
        let period = |text: &str| {
            let (start, limit) = text.split_once(':').ok_or_else(|| corrupt("provider_plan.periods"))?;
            Ok((parsed(start, "provider_plan.periods")?, parsed(limit, "provider_plan.periods")?))
        };
        let profile = PowerProfile {
            start: row.time_opt(1)?,
            duration_s: row.int_opt(2)?.map(|seconds| small(seconds, "provider_plan.duration")).transpose()?,
            unit: ProfileUnit::named(&row.text(3)?).ok_or_else(|| corrupt("provider_plan.unit"))?,
            min_rate: None,
            periods: row.text(4)?.split_whitespace().map(period).collect::<Result<_, StoreError>>()?,
        };
        Ok(ActiveProfile { calculated: row.time(0)?, profile })
    })
}

pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute("DELETE FROM provider_plan WHERE calculated < ?1", &values![before])?;
    tx.execute("DELETE FROM provider_limit WHERE given < ?1", &values![before])
}

fn read(row: &Row<'_>) -> Result<Limit, StoreError> {
    let most = row.int_opt(3)?.map(Power::from_watts);
    let wish = match (row.text(2)?.as_str(), most) {
        ("most", Some(power)) => LimitWish::Most(power),
        ("free", None) => LimitWish::Free,
        ("look", None) => LimitWish::Look,
        (_, _) => return Err(corrupt("provider_limit.wish")),
    };
    Ok(Limit {
        id: parsed(&row.text(0)?, "provider_limit.id")?,
        session: SessionNo(row.int(1)?),
        wish,
        state: OrderState::named(&row.text(4)?).ok_or_else(|| corrupt("provider_limit.state"))?,
        message: row.text(5)?,
        given: row.time(6)?,
        deadline: row.time(7)?,
    })
}

const SELECT: &str = "SELECT id, session, wish, most_w, state, message, given, deadline FROM provider_limit";
const PUT: &str = "INSERT INTO provider_limit (id, session, wish, most_w, state, message, given, deadline)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const SAVE: &str = "UPDATE provider_limit SET state = ?2, message = ?3, deadline = ?4 WHERE id = ?1";
const NEWEST_LIMIT: &str = "WHERE session = ?1 AND wish <> 'look' ORDER BY given DESC, rowid DESC LIMIT 1";
const NEWEST_LOOK: &str = "WHERE session = ?1 AND wish = 'look' ORDER BY given DESC, rowid DESC LIMIT 1";
const OVERDUE: &str = "WHERE state IN ('sent', 'acknowledged') AND deadline <= ?1 ORDER BY deadline LIMIT 1000";
const PUT_PLAN: &str = "INSERT INTO provider_plan (session, calculated, starts, duration, unit, periods)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (session) DO UPDATE SET calculated = excluded.calculated,
    starts = excluded.starts, duration = excluded.duration, unit = excluded.unit, periods = excluded.periods
    WHERE excluded.calculated >= provider_plan.calculated";
const PLAN: &str = "SELECT calculated, starts, duration, unit, periods FROM provider_plan WHERE session = ?1";
