//! Charging notifications and running sessions (OICP 2.3, eRoamingChargingNotifications).
//!
//! A notification is a picture of the session at one moment, without price, connector or currency. Its end is the end of
//! the energy: the session goes on until it says `SessionEnd`. Errors are not states of a session and make no word.

use charge::Decimal;
use charge::id::{AuthorizationReference, ConnectorId, SessionId};
use charge::record::{AuthMethod, Period, Session, SessionStatus};
use charge::talk::road::{Denial, Question};
use charge::token::TokenKind;
use charge::units::Energy;

use super::{Beside, missing, order, token};
use crate::doc::{Fault, Lost, Record};
use crate::form;
use crate::operation::Operation;

pub(crate) fn read(
    operation: Operation,
    body: &Record,
    beside: &Beside<'_>,
    lost: &mut Lost,
) -> Result<Option<Question>, Denial> {
    if operation == Operation::NotificationError {
        lost.push(Fault::new("/ErrorType", "is told in no word of a session"));
        return Ok(None);
    }
    let place = order::place_of(body, beside)?;
    let evse = place.evse().ok_or(Denial::UnknownLocation)?;
    let session = body.text("SessionID").ok_or_else(|| missing("SessionID"))?;
    let token = token::read_record(body, beside.payer, lost)?;
    let charging = body.time("ChargingStart");
    let start = body.time("SessionStart").or(charging).ok_or_else(|| missing("ChargingStart"))?;
    let energy = read_energy(body, &["ConsumedEnergyProgress", "ConsumedEnergy"])?.unwrap_or(Energy::ZERO);
    let stopped = body.time("ChargingEnd");
    let end = body.time("SessionEnd");
    let begun = Period { start: charging.unwrap_or(start), energy: Some(energy), charging: true, max_power: None };
    let parked = stopped.map(|at| Period { start: at, energy: None, charging: false, max_power: None });
    lost.push(Fault::new("/currency", "is not said in OICP"));
    Ok(Some(Question::PutSession(Box::new(Session {
        party: place.location.party,
        id: SessionId::new(session).map_err(|_| Denial::UnknownObject)?,
        start,
        end,
        energy,
        auth_method: method(token.kind),
        token,
        reference: reference(body),
        location: place.location.id.clone(),
        evse: evse.uid.clone(),
        connector: connector(evse)?,
        currency: beside.currency,
        periods: std::iter::once(begun).chain(parked).collect(),
        total_cost: None,
        status: if end.is_some() { SessionStatus::Completed } else { SessionStatus::Active },
        last_updated: body.time("EventOccurred").or(end).or(stopped).unwrap_or(beside.now),
    }))))
}

/// A remote identification began from afar.
pub(crate) const fn method(kind: TokenKind) -> AuthMethod {
    match kind {
        TokenKind::AdHocUser | TokenKind::AppUser => AuthMethod::Command,
        TokenKind::Rfid | TokenKind::Emaid | TokenKind::DirectPayment | TokenKind::Other => AuthMethod::Request,
    }
}

/// What the provider gave: its own session id where it is handed along, else the broker's.
pub(crate) fn reference(body: &Record) -> Option<AuthorizationReference> {
    let own = body.text("EMPPartnerSessionID").and_then(|id| AuthorizationReference::new(id).ok());
    own.or_else(|| AuthorizationReference::new(body.text("SessionID")?).ok())
}

/// OICP does not say which plug: the first.
pub(crate) fn connector(evse: &charge::place::Evse) -> Result<ConnectorId, Fault> {
    let first = evse.connectors.first().map(|connector| connector.id.clone());
    first.map_or_else(|| ConnectorId::new("1").map_err(|_| missing("connector")), Ok)
}

pub(crate) fn read_energy(body: &Record, names: &[&str]) -> Result<Option<Energy>, Fault> {
    let Some(name) = names.iter().find(|name| body.get(name).is_some()) else { return Ok(None) };
    let energy = body.number(name).and_then(Energy::from_kwh);
    energy.map(Some).ok_or_else(|| Fault::new(format!("/{name}"), "is no energy"))
}

/// Three decimals of a kilowatt-hour, as OICP allows; told where that is less than was measured.
pub(crate) fn write_energy(energy: Energy, lost: &mut Lost) -> Decimal {
    let exact = energy.kwh();
    let written = exact.round_dp(3);
    if written != exact {
        lost.push(Fault::new("/energy", "is rounded to watt-hours"));
    }
    written
}

/// The notification that tells of a session; `None` where OICP has nothing to say. `broker`: the broker's id of it.
pub(crate) fn write(
    session: &Session,
    broker: Option<&str>,
    beside: &Beside<'_>,
    lost: &mut Lost,
) -> Result<Option<(Operation, Record)>, Fault> {
    let place = beside.places.by_uid(Some(session.party), &session.location, Some(&session.evse));
    let id = broker_id(broker, session.reference.as_ref(), session.id.as_str())?;
    let charging = session.periods.iter().find(|period| period.charging).map(|period| period.start);
    let begun = charging.unwrap_or(session.start).whole_seconds();
    let energy = write_energy(session.energy, lost);
    if session.total_cost.is_some() {
        lost.push(Fault::new("/total_cost", "has no member in OICP"));
    }
    let (operation, kind) = match session.status {
        SessionStatus::Pending => return Ok(None),
        SessionStatus::Active if session.energy == Energy::ZERO => (Operation::NotificationStart, "Start"),
        SessionStatus::Active => (Operation::NotificationProgress, "Progress"),
        SessionStatus::Completed => (Operation::NotificationEnd, "End"),
        SessionStatus::Invalid => (Operation::NotificationError, "Error"),
    };
    lost.push(Fault::new("/currency", "has no member in OICP"));
    lost.push(Fault::new("/connector_id", "has no member in OICP"));
    let identification = token::write(&session.token.uid, session.token.kind, Some(&session.token.contract));
    let common = Record::default()
        .with("Type", kind)
        .with("SessionID", id.as_str())
        .with("CPOPartnerSessionID", session.id.as_str())
        .maybe("EMPPartnerSessionID", partner(session.reference.as_ref(), &id))
        .maybe("Identification", identification.map_err(|fault| lost.push(fault)).ok())
        .with("EvseID", order::evse_id(place.as_ref())?)
        .with("OperatorID", form::operator_id(session.party));
    let record = match operation {
        Operation::NotificationStart => {
            common.with("ChargingStart", begun).with("SessionStart", session.start.whole_seconds())
        }
        Operation::NotificationProgress => common
            .with("ChargingStart", begun)
            .with("EventOccurred", session.last_updated.whole_seconds())
            .with("SessionStart", session.start.whole_seconds())
            .with("ConsumedEnergyProgress", energy),
        Operation::NotificationEnd => {
            let end = session.end.unwrap_or(session.last_updated).whole_seconds();
            let stopped =
                session.periods.last().filter(|last| !last.charging).map_or(end, |last| last.start.whole_seconds());
            common
                .with("ChargingStart", begun)
                .with("ChargingEnd", stopped)
                .with("SessionStart", session.start.whole_seconds())
                .with("SessionEnd", end)
                .with("ConsumedEnergy", energy)
        }
        _error => common.with("ErrorType", "CriticalError"),
    };
    Ok(Some((operation, record)))
}

/// The broker's id of a session: as remembered, as referred to, or as the session is called.
pub(crate) fn broker_id(
    known: Option<&str>,
    reference: Option<&AuthorizationReference>,
    own: &str,
) -> Result<String, Fault> {
    let candidates = [known, reference.map(AuthorizationReference::as_str), Some(own)];
    let found = candidates.into_iter().flatten().find_map(order::guid);
    found.ok_or_else(|| Fault::new("/SessionID", "is not known: the broker never named this session"))
}

/// The provider's reference, where it is another than the broker's.
pub(crate) fn partner<'r>(reference: Option<&'r AuthorizationReference>, id: &str) -> Option<&'r str> {
    reference.map(AuthorizationReference::as_str).filter(|reference| *reference != id)
}
