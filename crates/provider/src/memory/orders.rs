//! Orders of drivers, kept for some days: they say where somebody stood.

use charge::Timestamp;
use charge::id::OrderId;
use store::{Row, StoreError, Tx, values};

use super::{corrupt, parsed};
use crate::remote::{Order, OrderKind, OrderState};
use crate::{DriverId, SessionNo};

/// `code` is the one-time id of a start.
pub(crate) fn put(tx: &mut Tx<'_>, order: &Order, code: Option<&str>) -> Result<(), StoreError> {
    let values = values![
        order.id.as_str(),
        order.driver.as_str(),
        order.kind.as_str(),
        order.state.as_str(),
        order.operator.to_string(),
        order.location.as_str(),
        order.evse.as_str(),
        code,
        order.session.map(|no| no.0),
        order.message.as_str(),
        order.given,
        order.deadline,
    ];
    tx.execute(PUT, &values).map(drop)
}

pub(crate) fn save(tx: &mut Tx<'_>, order: &Order) -> Result<(), StoreError> {
    let session = order.session.map(|no| no.0);
    let values = values![order.id.as_str(), order.state.as_str(), session, order.message.as_str(), order.deadline];
    tx.execute(SAVE, &values).map(drop)
}

pub(crate) fn find(tx: &Tx<'_>, id: &OrderId) -> Result<Option<Order>, StoreError> {
    tx.one(FIND, &values![id.as_str()], read)
}

/// The start that a one-time id was armed for.
pub(crate) fn by_code(tx: &Tx<'_>, code: &str) -> Result<Option<Order>, StoreError> {
    tx.one(BY_CODE, &values![code], read)
}

/// The one-time id of a start.
pub(crate) fn code_of(tx: &Tx<'_>, id: &OrderId) -> Result<Option<String>, StoreError> {
    Ok(tx.one(CODE_OF, &values![id.as_str()], |row| row.text_opt(0))?.flatten())
}

/// The stops of a session that nothing has come of yet.
pub(crate) fn waiting_stops(tx: &Tx<'_>, session: SessionNo) -> Result<Vec<Order>, StoreError> {
    tx.query(STOPS, &values![session.0], read)
}

pub(crate) fn overdue(tx: &Tx<'_>, now: Timestamp) -> Result<Vec<Order>, StoreError> {
    tx.query(OVERDUE, &values![now], read)
}

pub(crate) fn of_driver(tx: &Tx<'_>, driver: &DriverId) -> Result<Vec<Order>, StoreError> {
    tx.query(OF_DRIVER, &values![driver.as_str()], read)
}

pub(crate) fn forget(tx: &mut Tx<'_>, given_before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET, &values![given_before])
}

fn read(row: &Row<'_>) -> Result<Order, StoreError> {
    Ok(Order {
        id: parsed(&row.text(0)?, "provider_order.id")?,
        driver: parsed(&row.text(1)?, "provider_order.driver")?,
        kind: OrderKind::named(&row.text(2)?).ok_or_else(|| corrupt("provider_order.kind"))?,
        state: OrderState::named(&row.text(3)?).ok_or_else(|| corrupt("provider_order.state"))?,
        operator: parsed(&row.text(4)?, "provider_order.operator")?,
        location: parsed(&row.text(5)?, "provider_order.location")?,
        evse: parsed(&row.text(6)?, "provider_order.evse")?,
        session: row.int_opt(7)?.map(SessionNo),
        message: row.text(8)?,
        given: row.time(9)?,
        deadline: row.time(10)?,
    })
}

const PUT: &str = "INSERT INTO provider_order
    (id, driver, kind, state, operator, location, evse, code, session, message, given, deadline)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
const SAVE: &str = "UPDATE provider_order SET state = ?2, session = ?3, message = ?4, deadline = ?5 WHERE id = ?1";
const FIND: &str = "SELECT id, driver, kind, state, operator, location, evse, session, message, given, deadline
    FROM provider_order WHERE id = ?1";
const BY_CODE: &str = "SELECT id, driver, kind, state, operator, location, evse, session, message, given, deadline
    FROM provider_order WHERE code = ?1 AND kind = 'start'";
const CODE_OF: &str = "SELECT code FROM provider_order WHERE id = ?1";
const STOPS: &str = "SELECT id, driver, kind, state, operator, location, evse, session, message, given, deadline
    FROM provider_order WHERE session = ?1 AND kind = 'stop' AND state <> 'happened' LIMIT 100";
const OVERDUE: &str = "SELECT id, driver, kind, state, operator, location, evse, session, message, given, deadline
    FROM provider_order WHERE state IN ('sent', 'acknowledged') AND deadline <= ?1 ORDER BY deadline LIMIT 1000";
const OF_DRIVER: &str = "SELECT id, driver, kind, state, operator, location, evse, session, message, given, deadline
    FROM provider_order WHERE driver = ?1 ORDER BY given DESC, id LIMIT 100";
const FORGET: &str = "DELETE FROM provider_order WHERE given < ?1";
