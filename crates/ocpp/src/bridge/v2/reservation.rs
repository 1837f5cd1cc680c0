//! Reservations and the station's own list of tokens (blocks H and D).
//!
//! Deliberately no choice of an EVSE. Invariant: an entry of the list without a verdict takes its token off the list
//! (D01.FR.17).

use charge::talk::line::reservation::{ListEntry, ListOrder, ReservationEnd, ReservationOrder};
use ocpp_kit::v2_1::{self as kit, CsmsRequest, ReservationUpdateStatus};

use super::transaction::{say_verdict, verdict};
use super::{astray, boxed, evse_id, evse_no, id_token, needed, some, text, unlisted, when};
use crate::bridge::{moment, wire};
use crate::rules::Fault;

pub(super) fn told(order: CsmsRequest) -> Result<ReservationOrder, Fault> {
    Ok(match order {
        CsmsRequest::ReserveNow(order) => ReservationOrder::Reserve {
            id: order.id,
            evse: order.evse_id.and_then(evse_no),
            token: needed(&order.id_token, "/idToken/idToken")?,
            group: order.group_id_token.as_ref().map(|id| needed(id, "/groupIdToken/idToken")).transpose()?,
            until: moment(order.expiry_date_time),
            connector: boxed(order.connector_type),
        },
        CsmsRequest::CancelReservation(order) => ReservationOrder::Cancel { id: order.reservation_id },
        _ => return Err(astray()),
    })
}

pub(super) fn order(order: &ReservationOrder) -> CsmsRequest {
    match order {
        ReservationOrder::Reserve { id, evse, token, group, until, connector } => {
            let mut out = kit::ReserveNowRequest::new(*id, wire(*until), id_token(token));
            out.evse_id = evse.map(|evse| evse_id(Some(evse)));
            out.group_id_token = group.as_ref().map(id_token);
            out.connector_type = text(connector.as_deref());
            CsmsRequest::ReserveNow(out)
        }
        ReservationOrder::Cancel { id } => CsmsRequest::CancelReservation(kit::CancelReservationRequest::new(*id)),
    }
}

pub(super) fn end(told: &ReservationUpdateStatus) -> Result<ReservationEnd, Fault> {
    match told {
        ReservationUpdateStatus::Expired => Ok(ReservationEnd::Expired),
        ReservationUpdateStatus::Removed => Ok(ReservationEnd::Removed),
        ReservationUpdateStatus::NoTransaction => Ok(ReservationEnd::NoTransaction),
        _ => Err(unlisted("/reservationUpdateStatus")),
    }
}

pub(super) fn say_end(end: ReservationEnd) -> ReservationUpdateStatus {
    match end {
        ReservationEnd::Expired => ReservationUpdateStatus::Expired,
        ReservationEnd::Removed => ReservationUpdateStatus::Removed,
        ReservationEnd::NoTransaction => ReservationUpdateStatus::NoTransaction,
    }
}

pub(super) fn list_told(order: CsmsRequest) -> Result<ListOrder, Fault> {
    Ok(match order {
        CsmsRequest::SendLocalList(order) => ListOrder::Send {
            version: order.version_number,
            full: order.update_type == kit::Update::Full,
            entries: order.local_authorization_list.iter().flatten().map(entry).collect::<Result<_, _>>()?,
        },
        CsmsRequest::GetLocalListVersion(_) => ListOrder::Version,
        _ => return Err(astray()),
    })
}

fn entry(said: &kit::AuthorizationData) -> Result<ListEntry, Fault> {
    let info = said.id_token_info.as_ref();
    let group = info.and_then(|info| info.group_id_token.as_ref());
    Ok(ListEntry {
        token: needed(&said.id_token, "/localAuthorizationList/idToken/idToken")?,
        group: group.map(|id| needed(id, "/localAuthorizationList/idTokenInfo/groupIdToken")).transpose()?,
        until: when(info.and_then(|info| info.cache_expiry_date_time)),
        verdict: info.map(verdict),
    })
}

pub(super) fn list_order(order: &ListOrder) -> CsmsRequest {
    match order {
        ListOrder::Send { version, full, entries } => {
            let update = if *full { kit::Update::Full } else { kit::Update::Differential };
            let mut out = kit::SendLocalListRequest::new(*version, update);
            out.local_authorization_list = some(entries.iter().map(say_entry).collect());
            CsmsRequest::SendLocalList(out)
        }
        ListOrder::Version => CsmsRequest::GetLocalListVersion(kit::GetLocalListVersionRequest::new()),
    }
}

fn say_entry(entry: &ListEntry) -> kit::AuthorizationData {
    let mut out = kit::AuthorizationData::new(id_token(&entry.token));
    out.id_token_info = entry.verdict.as_ref().map(|verdict| {
        let mut info = say_verdict(verdict);
        info.group_id_token = entry.group.as_ref().map(id_token);
        info.cache_expiry_date_time = entry.until.map(wire);
        info
    });
    out
}
