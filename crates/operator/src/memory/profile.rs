//! Rows of orders about power from the road, of the sessions whose provider has set a profile, and of the operator's own
//! limits.
//!
//! Nothing here names a person: a session is known by its number of ours. The same order of the same giver is kept once.

use charge::Timestamp;
use charge::id::{CorrelationId, EvseNo, OrderId, PartyId, SessionId, StationId};
use charge::talk::line::charging::{Profile, ProfileFilter};
use charge::talk::road::{ActiveProfile, PowerProfile, ProfileResult, ProfileUnit, ProfileWish, ReturnAddress};
use rust_decimal::Decimal;
use store::{Migration, Row, StoreError, Tx, values};

use crate::memory::{count, damaged, named, named_opt, word};

/// A family of its own: no other table refers to it.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator road profiles", number: 1, name: "orders about power", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_profile_orders (
    id TEXT PRIMARY KEY,
    giver TEXT NOT NULL,
    given_as TEXT NOT NULL,
    return_to TEXT,
    correlation TEXT NOT NULL,
    session TEXT NOT NULL,
    wish TEXT NOT NULL,
    state TEXT NOT NULL,
    result TEXT,
    plan TEXT,
    asked INTEGER NOT NULL,
    UNIQUE (giver, given_as)
);
CREATE INDEX operator_profile_orders_session ON operator_profile_orders (session, asked);
CREATE INDEX operator_profile_orders_asked ON operator_profile_orders (asked);
CREATE TABLE operator_profiled_sessions (
    session TEXT PRIMARY KEY,
    giver TEXT NOT NULL,
    told TEXT,
    since INTEGER NOT NULL
);
CREATE TABLE operator_own_limits (
    station TEXT NOT NULL,
    evse_no INTEGER NOT NULL,
    id INTEGER NOT NULL,
    stack_level INTEGER NOT NULL,
    unit TEXT NOT NULL,
    lowest TEXT NOT NULL,
    until_at INTEGER,
    PRIMARY KEY (station, id, evse_no)
);";

/// Where an order about power stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Kept, not yet told to the station.
    Asked,
    /// On its way; told a second time it could undo what came after it.
    Telling,
    Done,
}

impl State {
    const ALL: [Self; 3] = [Self::Asked, Self::Telling, Self::Done];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Telling => "telling",
            Self::Done => "done",
        }
    }

    fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// An order about power as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ProfileRow {
    /// Ours; names the jobs as well.
    pub id: OrderId,
    pub giver: PartyId,
    /// The giver's name for it.
    pub given_as: OrderId,
    pub return_to: Option<ReturnAddress>,
    pub correlation: CorrelationId,
    pub session: SessionId,
    pub wish: ProfileWish,
    pub state: State,
    /// What the station said; `None` while, or where, it said nothing.
    pub result: Option<ProfileResult>,
    pub plan: Option<ActiveProfile>,
    pub asked: Timestamp,
}

pub(crate) fn save(tx: &mut Tx<'_>, row: &ProfileRow) -> Result<(), StoreError> {
    tx.execute(
        SAVE,
        &values![
            row.id.as_str(),
            row.giver.to_string(),
            row.given_as.as_str(),
            row.return_to.as_ref().map(|address| address.0.as_str()),
            row.correlation.as_str(),
            row.session.as_str(),
            write_wish(&row.wish),
            row.state.as_str(),
            row.result.map(ProfileResult::as_str),
            row.plan.as_ref().map(write_plan),
            row.asked,
        ],
    )
    .map(drop)
}

pub(crate) fn find(tx: &Tx<'_>, id: &str) -> Result<Option<ProfileRow>, StoreError> {
    tx.one(&format!("{SELECT} WHERE id = ?1"), &values![id], read)
}

/// The order that a giver gave under this name before.
pub(crate) fn given(tx: &Tx<'_>, giver: PartyId, given_as: &OrderId) -> Result<Option<ProfileRow>, StoreError> {
    let key = values![giver.to_string(), given_as.as_str()];
    tx.one(&format!("{SELECT} WHERE giver = ?1 AND given_as = ?2"), &key, read)
}

/// How many orders about the power of a session came since then.
pub(crate) fn orders_since(tx: &Tx<'_>, session: &SessionId, since: Timestamp) -> Result<u32, StoreError> {
    Ok(tx.one(ORDERS_SINCE, &values![session.as_str(), since], |row| count(row, 0))?.unwrap_or(0))
}

/// What the provider has set for this session last, if it has not taken it away.
pub(crate) fn in_force(tx: &Tx<'_>, session: &SessionId) -> Result<Option<PowerProfile>, StoreError> {
    let row = tx.one(&format!("{SELECT} {IN_FORCE}"), &values![session.as_str()], read)?;
    Ok(row.and_then(|row| match row.wish {
        ProfileWish::Set(wanted) => Some(wanted),
        ProfileWish::Clear | ProfileWish::Show { .. } => None,
    }))
}

/// The provider has set a profile for this session: from now on it is told of changes (OCPI 2.2.1, 14.4.2.2).
pub(crate) fn set(tx: &mut Tx<'_>, session: &SessionId, giver: PartyId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(SET, &values![session.as_str(), giver.to_string(), now]).map(drop)
}

/// Who has set a profile for this session, and what it was told last.
pub(crate) fn who_set(
    tx: &Tx<'_>,
    session: &SessionId,
) -> Result<Option<(PartyId, Option<ActiveProfile>)>, StoreError> {
    tx.one("SELECT giver, told FROM operator_profiled_sessions WHERE session = ?1", &values![session.as_str()], |row| {
        Ok((word(row, 0, "giver")?, row.str_opt(1)?.map(plan_named).transpose()?))
    })
}

pub(crate) fn told(tx: &mut Tx<'_>, session: &SessionId, plan: &ActiveProfile) -> Result<(), StoreError> {
    let values = values![session.as_str(), write_plan(plan)];
    tx.execute("UPDATE operator_profiled_sessions SET told = ?2 WHERE session = ?1", &values).map(drop)
}

/// The running sessions of a station whose provider has set a profile.
pub(crate) fn profiled(tx: &Tx<'_>, station: &StationId) -> Result<Vec<SessionId>, StoreError> {
    tx.query(PROFILED, &values![station.as_str()], |row| word(row, 0, "session"))
}

/// A person of the operator has limited what transactions get there. `evse: None` is every EVSE.
pub(crate) fn limit(
    tx: &mut Tx<'_>,
    (station, evse): (&StationId, Option<EvseNo>),
    profile: &Profile,
    (unit, lowest): (ProfileUnit, Decimal),
) -> Result<(), StoreError> {
    let (evse, lowest) = (evse.map_or(0, EvseNo::get), lowest.to_string());
    let (id, level, until) = (profile.id, profile.stack_level, profile.valid_until);
    tx.execute(LIMIT, &values![station.as_str(), evse, id, level, unit.as_str(), lowest, until]).map(drop)
}

/// The operator's own limits that hold at an EVSE.
pub(crate) fn limits(
    tx: &Tx<'_>,
    station: &StationId,
    no: EvseNo,
    now: Timestamp,
) -> Result<Vec<(ProfileUnit, Decimal)>, StoreError> {
    tx.query(LIMITS, &values![station.as_str(), no.get(), now], |row| {
        Ok((named(row, 0, "unit", ProfileUnit::named)?, word(row, 1, "lowest")?))
    })
}

/// The limits that a removal meant are gone: by their numbers, or else all that the rest of the filter selects.
pub(crate) fn unlimit(tx: &mut Tx<'_>, station: &StationId, which: &ProfileFilter) -> Result<(), StoreError> {
    if !which.ids.is_empty() {
        let mut gone = |id: &i32| tx.execute(UNLIMIT_ONE, &values![station.as_str(), *id]).map(drop);
        return which.ids.iter().try_for_each(&mut gone);
    }
    let evse = which.evse.map(|evse| evse.map_or(0, EvseNo::get));
    tx.execute(UNLIMIT, &values![station.as_str(), evse, which.stack_level]).map(drop)
}

pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET_SESSIONS, &values![before])?;
    tx.execute("DELETE FROM operator_profile_orders WHERE asked < ?1", &values![before])
}

fn read(row: &Row<'_>) -> Result<ProfileRow, StoreError> {
    Ok(ProfileRow {
        id: word(row, 0, "id")?,
        giver: word(row, 1, "giver")?,
        given_as: word(row, 2, "given_as")?,
        return_to: row.text_opt(3)?.map(ReturnAddress),
        correlation: word(row, 4, "correlation")?,
        session: word(row, 5, "session")?,
        wish: named(row, 6, "wish", read_wish)?,
        state: named(row, 7, "state", State::named)?,
        result: named_opt(row, 8, "result", ProfileResult::named)?,
        plan: row.str_opt(9)?.map(plan_named).transpose()?,
        asked: row.time(10)?,
    })
}

fn write_wish(wish: &ProfileWish) -> String {
    match wish {
        ProfileWish::Set(profile) => format!("set {}", write_profile(profile)),
        ProfileWish::Clear => "clear".to_owned(),
        ProfileWish::Show { duration_s } => format!("show {duration_s}"),
    }
}

fn read_wish(text: &str) -> Option<ProfileWish> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word {
        "set" => read_profile(rest).map(ProfileWish::Set),
        "clear" => Some(ProfileWish::Clear),
        "show" => Some(ProfileWish::Show { duration_s: rest.parse().ok()? }),
        _another => None,
    }
}

fn write_plan(plan: &ActiveProfile) -> String {
    format!("{} {}", plan.calculated.micros(), write_profile(&plan.profile))
}

fn plan_named(text: &str) -> Result<ActiveProfile, StoreError> {
    let read = || {
        let (calculated, profile) = text.split_once(' ')?;
        let calculated = Timestamp::from_micros(calculated.parse().ok()?);
        Some(ActiveProfile { calculated, profile: read_profile(profile)? })
    };
    read().ok_or_else(|| damaged("plan"))
}

/// Unit, start, duration and least rate, a dash where there is none, and then the periods: `W - 900 - 0:11000 600:6000`.
fn write_profile(profile: &PowerProfile) -> String {
    let dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let mut text = format!(
        "{} {} {} {}",
        profile.unit.as_str(),
        dash(profile.start.map(|start| start.micros().to_string())),
        dash(profile.duration_s.map(|seconds| seconds.to_string())),
        dash(profile.min_rate.map(|rate| rate.to_string())),
    );
    for (start, limit) in &profile.periods {
        text.push_str(&format!(" {start}:{limit}"));
    }
    text
}

fn read_profile(text: &str) -> Option<PowerProfile> {
    let mut words = text.split(' ');
    let unit = ProfileUnit::named(words.next()?)?;
    let mut maybe = || words.next().map(|word| Some(word).filter(|word| *word != "-"));
    let (start, duration, least) = (maybe()?, maybe()?, maybe()?);
    let period = |word: &str| {
        let (start, limit) = word.split_once(':')?;
        Some((start.parse().ok()?, limit.parse().ok()?))
    };
    Some(PowerProfile {
        start: match start {
            Some(micros) => Some(Timestamp::from_micros(micros.parse().ok()?)),
            None => None,
        },
        duration_s: match duration {
            Some(seconds) => Some(seconds.parse().ok()?),
            None => None,
        },
        unit,
        min_rate: match least {
            Some(rate) => Some(rate.parse().ok()?),
            None => None,
        },
        periods: words.map(period).collect::<Option<_>>()?,
    })
}

const SELECT: &str = "SELECT id, giver, given_as, return_to, correlation, session, wish, state, result, plan, asked
    FROM operator_profile_orders";
const IN_FORCE: &str = "WHERE session = ?1 AND state = 'done' AND result = 'ACCEPTED' AND wish NOT LIKE 'show%'
    ORDER BY asked DESC, id DESC LIMIT 1";
const SAVE: &str = "INSERT INTO operator_profile_orders
    (id, giver, given_as, return_to, correlation, session, wish, state, result, plan, asked)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, result = excluded.result, plan = excluded.plan";
const ORDERS_SINCE: &str = "SELECT COUNT(*) FROM operator_profile_orders WHERE session = ?1 AND asked > ?2";
const SET: &str = "INSERT INTO operator_profiled_sessions (session, giver, since) VALUES (?1, ?2, ?3)
    ON CONFLICT (session) DO NOTHING";
const PROFILED: &str = "SELECT p.session FROM operator_profiled_sessions p JOIN operator_sessions s ON s.id = p.session
    WHERE s.station = ?1 AND s.ended IS NULL LIMIT 100";
const LIMIT: &str = "INSERT INTO operator_own_limits (station, evse_no, id, stack_level, unit, lowest, until_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (station, id, evse_no) DO UPDATE SET
    stack_level = excluded.stack_level, unit = excluded.unit, lowest = excluded.lowest, until_at = excluded.until_at";
const LIMITS: &str = "SELECT unit, lowest FROM operator_own_limits
    WHERE station = ?1 AND evse_no IN (0, ?2) AND (until_at IS NULL OR until_at > ?3)";
const UNLIMIT_ONE: &str = "DELETE FROM operator_own_limits WHERE station = ?1 AND id = ?2";
const UNLIMIT: &str = "DELETE FROM operator_own_limits
    WHERE station = ?1 AND (?2 IS NULL OR evse_no = ?2) AND (?3 IS NULL OR stack_level = ?3)";
const FORGET_SESSIONS: &str = "DELETE FROM operator_profiled_sessions WHERE since < ?1";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_wish_is_read_as_it_was_written() {
        let full = PowerProfile {
            start: Some(Timestamp::from_secs(1_800_000_000)),
            duration_s: Some(900),
            unit: ProfileUnit::Amperes,
            min_rate: Some("6.5".parse().unwrap()),
            periods: vec![(0, "16.0".parse().unwrap()), (600, Decimal::ZERO)],
        };
        let bare = PowerProfile {
            start: None,
            duration_s: None,
            unit: ProfileUnit::Watts,
            min_rate: None,
            periods: Vec::new(),
        };
        for profile in [full, bare] {
            let wish = ProfileWish::Set(profile.clone());
            assert_eq!(read_wish(&write_wish(&wish)), Some(wish));
            let plan = ActiveProfile { calculated: Timestamp::from_micros(5), profile };
            assert_eq!(plan_named(&write_plan(&plan)).unwrap(), plan);
        }
        for wish in [ProfileWish::Clear, ProfileWish::Show { duration_s: 900 }] {
            assert_eq!(read_wish(&write_wish(&wish)), Some(wish));
        }
        for broken in ["", "set", "set X - - -", "set W - - - 5", "show soon"] {
            assert_eq!(read_wish(broken), None, "{broken}");
        }
    }
}
