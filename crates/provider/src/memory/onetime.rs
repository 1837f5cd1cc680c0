//! One-time ids. Their rows are what links a session to a person, so they are deleted after the dispute window.

use charge::Timestamp;
use charge::id::{AuthorizationReference, PartyId};
use charge::money::{Currency, Money};
use store::{Row, StoreError, Tx, values};

use super::{corrupt, parsed};
use crate::onetime::{OneTime, State, Way};
use crate::{DriverId, SessionNo, TariffNo};

/// Writes a fresh id. A code that exists already is a constraint of the table, which the caller tries again.
pub(crate) fn put(tx: &mut Tx<'_>, id: &OneTime) -> Result<(), StoreError> {
    let values = values![
        id.code.as_str(),
        id.driver.as_str(),
        id.state.as_str(),
        id.operator.to_string(),
        way_name(id.way),
        id.reference.as_str(),
        id.money_cap.map(|cap| cap.minor),
        id.armed_at,
        id.armed_until,
        id.session.map(|no| no.0),
        id.tariff.map(|no| no.0),
    ];
    tx.execute(PUT, &values).map(drop)
}

/// Moves an id on; `session` is kept once it is set.
pub(crate) fn set(
    tx: &mut Tx<'_>,
    code: &str,
    state: State,
    session: Option<SessionNo>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let closed = matches!(state, State::Closed | State::Lapsed).then_some(now);
    tx.execute(SET, &values![code, state.as_str(), session.map(|no| no.0), closed]).map(drop)
}

/// Voids what a driver has armed: its time ends now.
pub(crate) fn void(tx: &mut Tx<'_>, driver: &DriverId, now: Timestamp) -> Result<usize, StoreError> {
    tx.execute(VOID, &values![driver.as_str(), now])
}

pub(crate) fn lapse(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize, StoreError> {
    tx.execute(LAPSE, &values![now])
}

pub(crate) fn by_code(tx: &Tx<'_>, code: &str, currency: Currency) -> Result<Option<OneTime>, StoreError> {
    tx.one(BY_CODE, &values![code], |row| read(row, currency))
}

pub(crate) fn by_reference(
    tx: &Tx<'_>,
    reference: &AuthorizationReference,
    currency: Currency,
) -> Result<Option<OneTime>, StoreError> {
    tx.one(BY_REFERENCE, &values![reference.as_str()], |row| read(row, currency))
}

/// What an operator's question about a card of this driver armed and no session took yet, the latest first.
pub(crate) fn unused_taps(
    tx: &Tx<'_>,
    driver: &DriverId,
    operator: PartyId,
    currency: Currency,
) -> Result<Vec<OneTime>, StoreError> {
    tx.query(UNUSED_TAPS, &values![driver.as_str(), operator.to_string()], |row| read(row, currency))
}

/// Ids that never served a session.
pub(crate) fn forget_unused(tx: &mut Tx<'_>, lapsed_before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET_UNUSED, &values![lapsed_before])
}

/// From now on the id of this session refers to nobody.
pub(crate) fn forget_of(tx: &mut Tx<'_>, session: SessionNo) -> Result<usize, StoreError> {
    tx.execute(FORGET_OF, &values![session.0])
}

fn read(row: &Row<'_>, currency: Currency) -> Result<OneTime, StoreError> {
    Ok(OneTime {
        code: row.text(0)?,
        driver: parsed(&row.text(1)?, "provider_onetime.driver")?,
        state: State::named(&row.text(2)?).ok_or_else(|| corrupt("provider_onetime.state"))?,
        operator: parsed(&row.text(3)?, "provider_onetime.operator")?,
        way: if row.text(4)? == way_name(Way::Tap) { Way::Tap } else { Way::Start },
        reference: parsed(&row.text(5)?, "provider_onetime.reference")?,
        money_cap: row.int_opt(6)?.map(|minor| Money::new(minor, currency)),
        armed_at: row.time(7)?,
        armed_until: row.time(8)?,
        session: row.int_opt(9)?.map(SessionNo),
        tariff: row.int_opt(10)?.map(TariffNo),
    })
}

const fn way_name(way: Way) -> &'static str {
    match way {
        Way::Tap => "tap",
        Way::Start => "start",
    }
}

const PUT: &str = "INSERT INTO provider_onetime
    (code, driver, state, operator, way, reference, money_cap, armed_at, armed_until, session, tariff)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const SET: &str = "UPDATE provider_onetime SET state = ?2, session = COALESCE(session, ?3),
    closed_at = COALESCE(?4, closed_at) WHERE code = ?1";
const VOID: &str = "UPDATE provider_onetime SET state = 'lapsed', armed_until = ?2, closed_at = ?2
    WHERE driver = ?1 AND state IN ('pool', 'armed')";
const LAPSE: &str = "UPDATE provider_onetime SET state = 'lapsed', closed_at = ?1
    WHERE state = 'armed' AND armed_until <= ?1";
const BY_CODE: &str = "SELECT code, driver, state, operator, way, reference, money_cap, armed_at, armed_until, session,
    tariff FROM provider_onetime WHERE code = ?1";
const BY_REFERENCE: &str = "SELECT code, driver, state, operator, way, reference, money_cap, armed_at, armed_until,
    session, tariff FROM provider_onetime WHERE reference = ?1";
const UNUSED_TAPS: &str = "SELECT code, driver, state, operator, way, reference, money_cap, armed_at, armed_until,
    session, tariff FROM provider_onetime
    WHERE driver = ?1 AND operator = ?2 AND way = 'tap' AND state IN ('armed', 'lapsed') AND session IS NULL
    ORDER BY armed_at DESC";
const FORGET_UNUSED: &str = "DELETE FROM provider_onetime
    WHERE state = 'lapsed' AND session IS NULL AND closed_at < ?1";
const FORGET_OF: &str = "DELETE FROM provider_onetime WHERE session = ?1";
