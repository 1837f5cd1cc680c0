//! Return addresses of orders, for as long as an outcome may come.

use charge::Timestamp;
use charge::id::{OrderId, PartyId};
use charge::talk::road::ReturnAddress;
use store::{StoreError, Tx, values};

use super::party;

/// An order on its way.
pub(crate) struct Order {
    pub(crate) giver: PartyId,
    pub(crate) receiver: PartyId,
    pub(crate) return_to: ReturnAddress,
    pub(crate) expires: Timestamp,
}

pub(crate) fn put(tx: &mut Tx<'_>, hub_order: &OrderId, order: &Order) -> Result<(), StoreError> {
    let (giver, receiver) = (order.giver.to_string(), order.receiver.to_string());
    tx.execute(PUT, &values![hub_order.as_str(), giver, receiver, order.return_to.0.as_str(), order.expires]).map(drop)
}

/// The order, unless its time is over.
pub(crate) fn find(tx: &Tx<'_>, hub_order: &OrderId, now: Timestamp) -> Result<Option<Order>, StoreError> {
    tx.one(FIND, &values![hub_order.as_str(), now], |row| {
        Ok(Order {
            giver: party(&row.text(0)?)?,
            receiver: party(&row.text(1)?)?,
            return_to: ReturnAddress(row.text(2)?),
            expires: row.time(3)?,
        })
    })
}

pub(crate) fn forget(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET, &values![now])
}

const PUT: &str = "INSERT INTO hub_order (hub_order, giver, receiver, return_to, expires) VALUES (?1, ?2, ?3, ?4, ?5)";
const FIND: &str = "SELECT giver, receiver, return_to, expires FROM hub_order WHERE hub_order = ?1 AND expires > ?2";
const FORGET: &str = "DELETE FROM hub_order WHERE expires <= ?1";
