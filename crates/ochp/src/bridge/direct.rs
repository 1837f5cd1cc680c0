//! OCHPdirect: orders that are answered at once, and what an operator tells about a session.
//!
//! A start is two requests here (select, control) and a stop two more (control, release); which comes when is the
//! door's. An answer of OCHPdirect is the outcome itself, so nothing comes later but the progress of the session.

use charge::id::{AuthorizationReference, ConnectorId, EvseUid, LocationId, PartyId, SessionId};
use charge::money::Price;
use charge::record::{AuthMethod, RecordToken, Session, SessionStatus};
use charge::talk::road::{Denial, OrderAck, OrderResult};
use charge::token::IssuedToken;
use charge::units::Energy;
use charge::{Personal, Purpose, Timestamp};

use super::name::evse_id;
use super::token::written_contract;
use crate::read::{Crossed, Fault, Lost};
use crate::scalar::{Currency, DateTime, DirectId, LocalDateTime};
use crate::types::direct::{ControlEvse, DirectMessage, DirectOperation, InformProvider, MeterReading, SelectEvse};
use crate::types::result::{DirectCode, DirectResult};

/// Selects an EVSE for a contract. The uid of the token stays behind: OCHPdirect knows contracts.
pub fn select(
    evse: &charge::id::EvseId,
    token: &IssuedToken,
    until: Option<Timestamp>,
) -> Result<Crossed<SelectEvse>, Fault> {
    let lost = vec![Fault::new("/token/uid", "has no place in OCHPdirect, which knows contracts")];
    let value = SelectEvse {
        evse: evse_id(evse).ok_or_else(|| Fault::new("/evse_id", "has no form in OCHP"))?,
        contract: written_contract(token.contract.reveal(Purpose::Transmit))?,
        reserve_until: until.map(DateTime::new),
    };
    Ok(Crossed { value, lost })
}

/// Without any wish about power or energy.
pub const fn control(direct: Personal<DirectId>, operation: DirectOperation) -> ControlEvse {
    ControlEvse {
        direct,
        operation,
        max_power: None,
        max_current: None,
        one_phase: None,
        max_energy: None,
        min_energy: None,
        departure: None,
    }
}

/// What a direct answer means for an order.
pub const fn outcome(code: DirectCode) -> OrderResult {
    match code {
        DirectCode::Ok | DirectCode::Partly => OrderResult::Accepted,
        DirectCode::NotSupported => OrderResult::NotSupported,
        DirectCode::NotFound | DirectCode::InvalidId => OrderResult::Rejected,
        DirectCode::Server => OrderResult::Failed,
    }
}

/// The answer to a direct partner whose order came to this end.
pub fn answered(result: OrderResult) -> DirectResult {
    match result {
        OrderResult::Accepted => DirectResult::ok(),
        OrderResult::NotSupported => DirectResult::new(DirectCode::NotSupported, "the EVSE cannot do this"),
        OrderResult::EvseOccupied => DirectResult::new(DirectCode::NotSupported, "the EVSE is occupied"),
        OrderResult::EvseInoperative => DirectResult::new(DirectCode::NotSupported, "the EVSE does not work"),
        OrderResult::Rejected => DirectResult::new(DirectCode::NotSupported, "the operator said no"),
        OrderResult::UnknownReservation => DirectResult::new(DirectCode::InvalidId, "no such reservation"),
        OrderResult::Failed => DirectResult::new(DirectCode::Server, "it did not work"),
        OrderResult::TimedOut => DirectResult::new(DirectCode::Server, "the EVSE did not answer in time"),
    }
}

/// The answer to a direct partner whose order was only taken, or not taken.
pub fn acknowledged(ack: OrderAck) -> DirectResult {
    match ack {
        OrderAck::Accepted { .. } => DirectResult::ok(),
        OrderAck::Rejected | OrderAck::TooOften => answered(OrderResult::Rejected),
        OrderAck::NotSupported => answered(OrderResult::NotSupported),
        OrderAck::UnknownSession => DirectResult::new(DirectCode::InvalidId, "no such session"),
    }
}

/// The answer to a direct partner whose order nobody took.
pub fn denied(denial: &Denial) -> DirectResult {
    match denial {
        Denial::UnknownLocation | Denial::UnknownObject | Denial::UnknownReceiver => {
            DirectResult::new(DirectCode::NotFound, "no such EVSE")
        }
        Denial::NotSupported => answered(OrderResult::NotSupported),
        Denial::Malformed { .. } | Denial::Incomplete(_) | Denial::UnknownToken | Denial::NotYours => {
            DirectResult::new(DirectCode::InvalidId, "this is not for the sender to ask")
        }
        Denial::ReceiverSilent | Denial::ReceiverUnreachable => {
            DirectResult::new(DirectCode::Server, "the operator does not answer")
        }
        Denial::Internal | Denial::Overloaded => DirectResult::new(DirectCode::Server, "try again later"),
    }
}

/// What an operator tells about a session of its own.
pub fn progress(
    session: &Session,
    evse: &charge::id::EvseId,
    direct: DirectId,
) -> Result<Crossed<InformProvider>, Fault> {
    let (message, code) = match session.status {
        SessionStatus::Pending => (DirectMessage::Info, DirectCode::Ok),
        SessionStatus::Active if session.energy == Energy::ZERO => (DirectMessage::Start, DirectCode::Ok),
        SessionStatus::Active => (DirectMessage::Info, DirectCode::Ok),
        SessionStatus::Completed => (DirectMessage::End, DirectCode::Ok),
        SessionStatus::Invalid => (DirectMessage::End, DirectCode::Server),
    };
    let mut lost = Lost::new();
    for (said, path) in [
        (session.reference.is_some(), "/authorization_reference"),
        (session.total_cost.is_some_and(|cost| cost.with_vat.is_some()), "/total_cost/incl_vat"),
        (!session.periods.is_empty(), "/charging_periods"),
    ] {
        if said {
            lost.push(Fault::new(path, "has no place in OCHPdirect"));
        }
    }
    let value = InformProvider {
        result: DirectResult::new(code, ""),
        message,
        evse: evse_id(evse).ok_or_else(|| Fault::new("/evse_id", "has no form in OCHP"))?,
        contract: written_contract(session.token.contract.reveal(Purpose::Transmit))?,
        direct: Personal::new(direct),
        ttl: None,
        max_power: None,
        max_current: None,
        one_phase: None,
        max_energy: None,
        min_energy: None,
        departure: None,
        current_power: None,
        charged_energy: Some(session.energy.kwh().normalize()),
        meter: None,
        periods: Vec::new(),
        current_cost: session.total_cost.map(|cost| cost.before_vat),
        currency: Currency::new(session.currency.as_str()),
    };
    Ok(Crossed { value, lost })
}

/// What the asking side remembers of an order, and OCHPdirect does not repeat.
#[derive(Clone, Debug)]
pub struct Known {
    pub operator: PartyId,
    pub session: SessionId,
    pub location: LocationId,
    pub evse: EvseUid,
    pub connector: ConnectorId,
    pub token: RecordToken,
    pub reference: Option<AuthorizationReference>,
    pub currency: charge::money::Currency,
    pub start: Timestamp,
}

/// The session as its provider shares it.
pub fn session(told: &InformProvider, known: &Known, now: Timestamp) -> Result<Crossed<Session>, Fault> {
    let mut lost = Lost::new();
    if told.meter.is_some() {
        lost.push(Fault::new("/meterReading", "has no place in a session of the road"));
    }
    let failed = !matches!(told.result.code, DirectCode::Ok | DirectCode::Partly);
    let status = match told.message {
        _failed if failed => SessionStatus::Invalid,
        DirectMessage::Start | DirectMessage::Change | DirectMessage::Info => SessionStatus::Active,
        DirectMessage::End | DirectMessage::Finish => SessionStatus::Completed,
    };
    let energy = told.charged_energy.unwrap_or_default();
    let energy = Energy::from_kwh(energy).ok_or_else(|| Fault::new("/chargedEnergy", "is no energy"))?;
    let at = told.meter.as_ref().map_or(now, |MeterReading { at: LocalDateTime { at, .. }, .. }| *at);
    let currency = told.currency.as_ref().and_then(|currency| currency.as_str().parse().ok());
    // an amount without its currency is no amount
    let cost = told.current_cost.filter(|_| currency.is_some());
    if told.current_cost.is_some() && cost.is_none() {
        lost.push(Fault::new("/currentCost", "has no currency and is not carried"));
    }
    let value = Session {
        party: known.operator,
        id: known.session.clone(),
        start: known.start,
        end: matches!(status, SessionStatus::Completed | SessionStatus::Invalid).then_some(at),
        energy,
        token: known.token.clone(),
        auth_method: AuthMethod::Command,
        reference: known.reference.clone(),
        location: known.location.clone(),
        evse: known.evse.clone(),
        connector: known.connector.clone(),
        currency: currency.unwrap_or(known.currency),
        periods: Vec::new(),
        total_cost: cost.map(|before_vat| Price { before_vat, with_vat: None }),
        status,
        last_updated: now,
    };
    Ok(Crossed { value, lost })
}
