//! The session that a start from afar began: OICP 2.0 never tells of it, and 2.3 need not.
//!
//! Whoever started it can stop it by this name before, or without ever, hearing of it. Invariant: it is told as pending and
//! without energy; everything else is said by its operator.

use charge::Timestamp;
use charge::id::{ConnectorId, PartyId, SessionId};
use charge::money::Currency;
use charge::record::{AuthMethod, RecordToken, Session, SessionStatus};
use charge::talk::road::StartOrder;
use charge::units::Energy;
use oicp::bridge::Places;

/// `id`: the broker's. `None`: the place is not known.
pub(super) fn pending(
    places: &dyn Places,
    (operator, provider): (PartyId, PartyId),
    start: &StartOrder,
    id: &str,
    (currency, now): (Currency, Timestamp),
) -> Option<Box<Session>> {
    let place = places.by_uid(Some(operator), &start.location, start.evse.as_ref())?;
    let evse = place.evse()?;
    let connector = start.connector.clone().or_else(|| Some(evse.connectors.first()?.id.clone()));
    let token = &start.token;
    Some(Box::new(Session {
        party: operator,
        id: SessionId::new(id).ok()?,
        start: now,
        end: None,
        energy: Energy::ZERO,
        token: RecordToken {
            party: provider,
            uid: token.uid.clone(),
            kind: token.kind,
            contract: token.contract.clone(),
        },
        auth_method: AuthMethod::Command,
        reference: start.reference.clone(),
        location: start.location.clone(),
        evse: evse.uid.clone(),
        connector: connector.or_else(|| ConnectorId::new("1").ok())?,
        currency,
        periods: Vec::new(),
        total_cost: None,
        status: SessionStatus::Pending,
        last_updated: now,
    }))
}
