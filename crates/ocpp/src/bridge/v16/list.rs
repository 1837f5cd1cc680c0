//! What a station keeps of tokens in 1.6: its local list (feature profile Local Auth List Management, messages 5.10 and
//! 5.15) and its reservations (feature profile Reservation, messages 5.2 and 5.13).
//!
//! Deliberately no list keeping. Invariant: no entry is left out because it has no form; the whole list is refused.

use charge::talk::line::reservation::{ListEntry, ListOrder, ReservationOrder};
use charge::talk::line::{LineFault, StationAnswer, ToStation};
use charge::token::{Allowed, PresentedToken, TokenKind, TokenUid, Verdict};
use charge::{Personal, Purpose};
use ocpp_kit::v1_6::{self as kit, AuthorizationStatus};

use super::{RULES, answered, connector, ordered_evse, status};
use crate::bridge::{Call, Told, misfit, moment, unfit, unplaced, wire};
use crate::payload::{Notes, generous, strict, write};
use crate::rules::{Code, Fault};

const SEND: &str = "SendLocalList";
const VERSION: &str = "GetLocalListVersion";
const RESERVE: &str = "ReserveNow";
const CANCEL: &str = "CancelReservation";

pub(super) fn order(order: &ListOrder, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    let (action, payload) = match order {
        ListOrder::Send { version, full, entries } => {
            let kind = if *full { kit::UpdateType::Full } else { kit::UpdateType::Differential };
            let mut list = Vec::with_capacity(entries.len());
            for entry in entries {
                list.push(self::entry(entry, *full, notes)?);
            }
            let mut order = kit::SendLocalListRequest::new(*version, kind);
            order.local_authorization_list = Some(list).filter(|list| !list.is_empty());
            (SEND, write(&order))
        }
        ListOrder::Version => (VERSION, write(&kit::GetLocalListVersionRequest::new())),
    };
    let payload = payload.map_err(|fault| unfit(notes, &fault))?;
    Ok(Call::new(action, payload, Told::Action(action)))
}

fn entry(entry: &ListEntry, full: bool, notes: &mut Notes) -> Result<kit::AuthorizationData, LineFault> {
    let mut out = kit::AuthorizationData::new(tag(&entry.token));
    out.id_tag_info = match &entry.verdict {
        Some(verdict) => {
            let mut info = info(verdict);
            info.expiry_date = entry.until.map(wire);
            info.parent_id_tag = entry.group.as_ref().map(tag);
            Some(info)
        }
        // 1.6, 7.1: an entry without its information is a removal, which a full list has no use for
        None if full || entry.until.is_some() || entry.group.is_some() => {
            return Err(unplaced(notes, "an entry of a full list, or with an expiry or a group, needs its verdict"));
        }
        None => None,
    };
    Ok(out)
}

fn tag(token: &PresentedToken) -> String {
    token.uid.reveal(Purpose::Transmit).as_delivered().to_owned()
}

/// `IdToken` is a `CiString20Type` (1.6, 7.28): a longer group is left out.
const TAG_CHARACTERS_MAX: usize = 20;

/// The word on a token that was presented, with its group (1.6, 7.13 `parentIdTag`).
pub(super) fn say_info(verdict: &Verdict) -> kit::IdTagInfo {
    let mut out = info(verdict);
    let group = verdict.group.as_ref().map(|uid| uid.reveal(Purpose::Transmit).as_delivered().to_owned());
    out.parent_id_tag = group.filter(|tag| tag.chars().count() <= TAG_CHARACTERS_MAX);
    out
}

pub(super) fn info_of(info: &kit::IdTagInfo) -> Verdict {
    let group = info.parent_id_tag.as_deref().and_then(|tag| TokenUid::new(tag).ok());
    Verdict { group: group.map(Personal::new), ..verdict(info) }
}

/// The word on a token. 1.6 has none for credit, place or silence: those are `Invalid`.
pub(super) fn info(verdict: &Verdict) -> kit::IdTagInfo {
    kit::IdTagInfo::new(match verdict.allowed {
        Allowed::Yes => AuthorizationStatus::Accepted,
        Allowed::Blocked => AuthorizationStatus::Blocked,
        Allowed::Expired => AuthorizationStatus::Expired,
        Allowed::NoCredit | Allowed::NotHere | Allowed::Unknown | Allowed::Unanswered => AuthorizationStatus::Invalid,
    })
}

pub(super) fn verdict(info: &kit::IdTagInfo) -> Verdict {
    Verdict::bare(match info.status {
        AuthorizationStatus::Accepted => Allowed::Yes,
        AuthorizationStatus::Blocked => Allowed::Blocked,
        AuthorizationStatus::Expired => Allowed::Expired,
        AuthorizationStatus::ConcurrentTx => Allowed::NotHere,
        _ => Allowed::Unknown,
    })
}

pub(super) fn reserve(order: &ReservationOrder, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    let (action, payload) = match order {
        ReservationOrder::Reserve { connector: Some(_), .. } => {
            return Err(unplaced(notes, "1.6 does not reserve by the kind of a connector"));
        }
        ReservationOrder::Reserve { id, evse, token, group, until, connector: None } => {
            let mut order = kit::ReserveNowRequest::new(connector(*evse), wire(*until), tag(token), *id);
            order.parent_id_tag = group.as_ref().map(tag);
            (RESERVE, write(&order))
        }
        ReservationOrder::Cancel { id } => (CANCEL, write(&kit::CancelReservationRequest::new(*id))),
    };
    let payload = payload.map_err(|fault| unfit(notes, &fault))?;
    Ok(Call::new(action, payload, Told::Action(action)))
}

pub(super) fn outcome(action: &str, payload: &str, notes: &mut Notes) -> Result<StationAnswer, Fault> {
    let word = match action {
        SEND => generous::<kit::SendLocalListResponse>(RULES, action, payload, notes)?.status.to_string(),
        RESERVE => generous::<kit::ReserveNowResponse>(RULES, action, payload, notes)?.status.to_string(),
        CANCEL => generous::<kit::CancelReservationResponse>(RULES, action, payload, notes)?.status.to_string(),
        VERSION => {
            let answer: kit::GetLocalListVersionResponse = generous(RULES, action, payload, notes)?;
            return Ok(StationAnswer::Number(answer.list_version));
        }
        _ => return Err(misfit()),
    };
    Ok(answered(&word))
}

pub(super) fn told(action: &str, payload: &str) -> Result<(ToStation, Told), Fault> {
    match action {
        SEND => {
            let order: kit::SendLocalListRequest = strict(payload)?;
            let full = order.update_type == kit::UpdateType::Full;
            let list = order.local_authorization_list.unwrap_or_default();
            let mut entries = Vec::with_capacity(list.len());
            for (place, row) in list.into_iter().enumerate() {
                entries.push(entry_word(row, &format!("/localAuthorizationList/{place}"), full)?);
            }
            let list = ListOrder::Send { version: order.list_version, full, entries };
            Ok((ToStation::List(list), Told::Action(SEND)))
        }
        VERSION => {
            strict::<kit::GetLocalListVersionRequest>(payload)?;
            Ok((ToStation::List(ListOrder::Version), Told::Action(VERSION)))
        }
        RESERVE => {
            let order: kit::ReserveNowRequest = strict(payload)?;
            let group = order.parent_id_tag.as_deref().map(|tag| token(tag, "/parentIdTag")).transpose()?;
            let reservation = ReservationOrder::Reserve {
                id: order.reservation_id,
                evse: ordered_evse(order.connector_id)?,
                token: token(&order.id_tag, "/idTag")?,
                group,
                until: moment(order.expiry_date),
                connector: None,
            };
            Ok((ToStation::Reservation(reservation), Told::Action(RESERVE)))
        }
        CANCEL => {
            let order: kit::CancelReservationRequest = strict(payload)?;
            let cancel = ReservationOrder::Cancel { id: order.reservation_id };
            Ok((ToStation::Reservation(cancel), Told::Action(CANCEL)))
        }
        _ => Err(misfit()),
    }
}

fn entry_word(row: kit::AuthorizationData, path: &str, full: bool) -> Result<ListEntry, Fault> {
    let Some(info) = &row.id_tag_info else {
        if full {
            return Err(Fault::at(Code::Occurrence, format!("{path}/idTagInfo"), "a full list needs it"));
        }
        let token = token(&row.id_tag, &format!("{path}/idTag"))?;
        return Ok(ListEntry { token, group: None, until: None, verdict: None });
    };
    let parent = |tag: &str| token(tag, &format!("{path}/idTagInfo/parentIdTag"));
    Ok(ListEntry {
        token: token(&row.id_tag, &format!("{path}/idTag"))?,
        group: info.parent_id_tag.as_deref().map(parent).transpose()?,
        until: info.expiry_date.map(moment),
        verdict: Some(verdict(info)),
    })
}

fn token(tag: &str, path: &str) -> Result<PresentedToken, Fault> {
    let uid = TokenUid::new(tag).map_err(|_| Fault::at(Code::Property, path, "not a token"))?;
    Ok(PresentedToken::new(uid, TokenKind::Rfid))
}

pub(super) fn reply(action: &str, answer: &StationAnswer) -> Result<String, Fault> {
    match (action, answer) {
        (SEND, answer) => write(&kit::SendLocalListResponse::new(kit::UpdateStatus::from_wire(&status(
            answer,
            kit::UpdateStatus::VARIANTS,
            "Failed",
        )?))),
        (VERSION, StationAnswer::Number(version)) => write(&kit::GetLocalListVersionResponse::new(*version)),
        // 1.6, 5.10: a station without a list has no status word for it, and the version -1
        (VERSION, StationAnswer::Refused(_)) => write(&kit::GetLocalListVersionResponse::new(-1)),
        (RESERVE, answer) => write(&kit::ReserveNowResponse::new(kit::ReservationStatus::from_wire(&status(
            answer,
            kit::ReservationStatus::VARIANTS,
            "Rejected",
        )?))),
        (CANCEL, answer) => write(&kit::CancelReservationResponse::new(kit::CancelReservationStatus::from_wire(
            &status(answer, kit::CancelReservationStatus::VARIANTS, "Rejected")?,
        ))),
        (_, _) => Err(misfit()),
    }
}
