//! Sessions (OCPI 2.2.1, module 9).

use charge::id::AuthorizationReference;
use charge::record::{Session, SessionStatus};

use crate::read::{At, Fault, Lost};
use crate::record::{AUTH_METHODS, auth_word, read_periods, read_token, write_periods, write_token};
use crate::tariff::read_currency;
use crate::token::read_party;
use crate::write::{Doc, Record, number, price, read_price, time};

const STATUSES: &[(&str, SessionStatus)] = &[
    ("PENDING", SessionStatus::Pending),
    ("ACTIVE", SessionStatus::Active),
    ("COMPLETED", SessionStatus::Completed),
    ("INVALID", SessionStatus::Invalid),
];

const fn status_word(status: SessionStatus) -> &'static str {
    match status {
        SessionStatus::Pending => "PENDING",
        SessionStatus::Active => "ACTIVE",
        SessionStatus::Completed => "COMPLETED",
        SessionStatus::Invalid => "INVALID",
    }
}

pub(crate) fn write(session: &Session, lost: &mut Lost) -> Result<Doc, Fault> {
    let until = session.end.unwrap_or(session.last_updated);
    Ok(Record::default()
        .with("country_code", session.party.country())
        .with("party_id", session.party.code())
        .with("id", session.id.as_str())
        .with("start_date_time", time(session.start))
        .maybe("end_date_time", session.end.map(time))
        .with("kwh", number(session.energy.kwh()))
        .with("cdr_token", write_token(&session.token, lost)?)
        .with("auth_method", auth_word(session.auth_method))
        .maybe("authorization_reference", session.reference.as_ref().map(AuthorizationReference::as_str))
        .with("location_id", session.location.as_str())
        .with("evse_uid", session.evse.as_str())
        .with("connector_id", session.connector.as_str())
        .with("currency", session.currency.as_str())
        .some("charging_periods", write_periods(&session.periods, until, None))
        .maybe("total_cost", session.total_cost.as_ref().map(price))
        .with("status", status_word(session.status))
        .with("last_updated", time(session.last_updated))
        .into())
}

/// A session of status `RESERVATION` is refused: reservations are not made here.
pub(crate) fn read(at: &At<'_>, lost: &mut Lost) -> Result<Session, Fault> {
    at.unworded(&["meter_id"], lost);
    Ok(Session {
        party: read_party(at)?,
        id: at.need("id")?.word()?,
        start: at.need("start_date_time")?.time()?,
        end: at.field("end_date_time").map(|end| end.time()).transpose()?,
        energy: at.need("kwh")?.kwh()?,
        token: read_token(&at.need("cdr_token")?)?,
        auth_method: at.need("auth_method")?.one_of(AUTH_METHODS)?,
        reference: at.maybe("authorization_reference", lost, At::word),
        location: at.need("location_id")?.word()?,
        evse: at.need("evse_uid")?.word()?,
        connector: at.need("connector_id")?.word()?,
        currency: read_currency(at)?,
        periods: read_periods(at, lost)?,
        total_cost: at.maybe("total_cost", lost, read_price),
        status: at.need("status")?.one_of(STATUSES)?,
        last_updated: at.need("last_updated")?.time()?,
    })
}
