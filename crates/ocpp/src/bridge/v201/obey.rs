//! The station's ear for 2.0.1: orders, and its answers to them.
//!
//! Deliberately strict: an operator that sends broken orders hears the exact code. Invariant: a status word that an
//! answer's list does not have never leaves us.

use charge::Secret;
use charge::id::TransactionKey;
use charge::talk::line::{Foreign, ResetKind, Setting, StationAnswer, ToStation, Trigger, Written};
use ocpp_kit::v2_0_1::{self as kit, Action, GetVariableStatus, SetVariableStatus};

use super::{evse_no, presented, setting};
use crate::bridge::{Pending, Report, Told, misfit, word};
use crate::payload::{Notes, object, strict, write};
use crate::rules::{Code, Fault};

pub(in crate::bridge) fn told(action: &str, payload: &str, report: &mut Report) -> Result<(ToStation, Told), Fault> {
    match action {
        "RequestStartTransaction" => {
            let order: kit::RequestStartTransactionRequest = strict(payload)?;
            let mut notes = Notes::at(charge::Timestamp::from_secs(0));
            let token = presented(&order.id_token, "/idToken/idToken", &mut notes)
                .ok_or_else(|| Fault::at(Code::Property, "/idToken/idToken", "not a token"))?;
            let evse = order.evse_id.and_then(evse_no);
            Ok((ToStation::Start { evse, token, remote_id: order.remote_start_id }, Told::Start))
        }
        "RequestStopTransaction" => {
            let order: kit::RequestStopTransactionRequest = strict(payload)?;
            Ok((ToStation::Stop { key: TransactionKey::Text(order.transaction_id.into()) }, Told::Stop))
        }
        "Reset" => {
            let order: kit::ResetRequest = strict(payload)?;
            let kind = if order.r#type == kit::ResetEnum::Immediate { ResetKind::Hard } else { ResetKind::Soft };
            Ok((ToStation::Reset(kind), Told::Reset))
        }
        "UnlockConnector" => {
            let order: kit::UnlockConnectorRequest = strict(payload)?;
            let evse = evse_no(order.evse_id).ok_or_else(|| Fault::at(Code::Property, "/evseId", "not above 0"))?;
            Ok((ToStation::Unlock { evse }, Told::Unlock))
        }
        "ChangeAvailability" => {
            let order: kit::ChangeAvailabilityRequest = strict(payload)?;
            let operative = order.operational_status == kit::OperationalStatus::Operative;
            let evse = order.evse.and_then(|evse| evse_no(evse.id));
            Ok((ToStation::Availability { evse, operative }, Told::Availability))
        }
        "TriggerMessage" => trigger(payload),
        "GetBaseReport" => {
            let order: kit::GetBaseReportRequest = strict(payload)?;
            *report = Report { request: order.request_id, part: 0 };
            Ok((ToStation::ReadSettings { keys: Vec::new() }, Told::Report))
        }
        "GetVariables" => {
            let order: kit::GetVariablesRequest = strict(payload)?;
            let rows = order.get_variable_data.iter();
            let keys = rows.map(|row| setting::key(&row.component, &row.variable)).collect();
            Ok((ToStation::ReadSettings { keys }, Told::Read))
        }
        "SetVariables" => {
            let order: kit::SetVariablesRequest = strict(payload)?;
            let rows = order.set_variable_data.into_iter();
            let values: Vec<_> = rows
                .map(|row| (setting::key(&row.component, &row.variable), Secret::new(row.attribute_value.into())))
                .collect();
            let keys = values.iter().map(|(key, _)| key.clone()).collect();
            Ok((ToStation::WriteSettings { values }, Told::Write(Pending { keys, ..Pending::default() })))
        }
        "ClearCache" => {
            strict::<kit::ClearCacheRequest>(payload)?;
            Ok((ToStation::ClearCache, Told::ClearCache))
        }
        other => foreign(other, payload),
    }
}

fn trigger(payload: &str) -> Result<(ToStation, Told), Fault> {
    let order: kit::TriggerMessageRequest = strict(payload)?;
    let what = match order.requested_message {
        kit::MessageTrigger::BootNotification => Trigger::Boot,
        kit::MessageTrigger::StatusNotification => Trigger::Status,
        kit::MessageTrigger::Heartbeat => Trigger::Alive,
        kit::MessageTrigger::MeterValues => Trigger::Meter,
        // the others have no word of ours
        _ => return foreign("TriggerMessage", payload).map(|(order, _)| (order, Told::Trigger)),
    };
    Ok((ToStation::Trigger { what, evse: order.evse.and_then(|evse| evse_no(evse.id)) }, Told::Trigger))
}

fn foreign(action: &str, payload: &str) -> Result<(ToStation, Told), Fault> {
    let known = Action::from_wire(action).ok_or_else(|| Fault::new(Code::NotImplemented, "not an action of 2.0.1"))?;
    if !known.origin().from_csms() {
        return Err(Fault::new(Code::NotSupported, "a message that only stations send"));
    }
    object(payload)?;
    let order = Foreign { action: action.into(), body: payload.into() };
    Ok((ToStation::Foreign(order), Told::Foreign(action.into())))
}

pub(in crate::bridge) fn reply(told: &Told, answer: &StationAnswer) -> Result<String, Fault> {
    let status = match answer {
        StationAnswer::Accepted => "Accepted",
        StationAnswer::Scheduled => "Scheduled",
        StationAnswer::Refused(word) => word,
        StationAnswer::Settings { known, unknown } => return settings(told, known, unknown),
        StationAnswer::Written(rows) => return written(told, rows),
        StationAnswer::Foreign(_) => return Err(misfit()),
    };
    let status = |list: &[&str], otherwise| word(status, list, otherwise).to_owned();
    let started = || kit::RequestStartStopStatus::from_wire(&status(kit::RequestStartStopStatus::VARIANTS, "Rejected"));
    match told {
        Told::Start => write(&kit::RequestStartTransactionResponse::new(started())),
        Told::Stop => write(&kit::RequestStopTransactionResponse::new(started())),
        Told::Reset => write(&kit::ResetResponse::new(kit::ResetStatus::from_wire(&status(
            kit::ResetStatus::VARIANTS,
            "Rejected",
        )))),
        Told::Unlock => write(&kit::UnlockConnectorResponse::new(match answer {
            StationAnswer::Accepted => kit::UnlockStatus::Unlocked,
            _ => kit::UnlockStatus::from_wire(&status(
                &["UnlockFailed", "OngoingAuthorizedTransaction", "UnknownConnector"],
                "UnlockFailed",
            )),
        })),
        Told::Availability => write(&kit::ChangeAvailabilityResponse::new(kit::ChangeAvailabilityStatus::from_wire(
            &status(kit::ChangeAvailabilityStatus::VARIANTS, "Rejected"),
        ))),
        Told::Trigger => write(&kit::TriggerMessageResponse::new(kit::TriggerMessageStatus::from_wire(&status(
            kit::TriggerMessageStatus::VARIANTS,
            "NotImplemented",
        )))),
        Told::ClearCache => write(&kit::ClearCacheResponse::new(kit::ClearCacheStatus::from_wire(&status(
            kit::ClearCacheStatus::VARIANTS,
            "Rejected",
        )))),
        Told::Report => write(&kit::GetBaseReportResponse::new(kit::GenericDeviceModelStatus::from_wire(&status(
            kit::GenericDeviceModelStatus::VARIANTS,
            "NotSupported",
        )))),
        Told::Read | Told::Write(_) | Told::Foreign(_) => Err(Fault::new(Code::NotSupported, "not served here")),
    }
}

fn settings(told: &Told, known: &[Setting], unknown: &[Box<str>]) -> Result<String, Fault> {
    let row = |key: &str, status: GetVariableStatus, value: Option<&str>| {
        let (component, variable) = setting::parse(key).ok_or_else(misfit)?;
        let mut row = kit::GetVariableResult::new(status, component, variable);
        row.attribute_value = value.map(Into::into);
        Ok(row)
    };
    match told {
        Told::Read => {
            let known = known.iter().map(|setting| match setting.value.as_deref() {
                Some(value) => row(&setting.key, GetVariableStatus::Accepted, Some(value)),
                None => row(&setting.key, GetVariableStatus::Rejected, None),
            });
            let unknown = unknown.iter().map(|key| row(key, GetVariableStatus::UnknownVariable, None));
            let rows: Result<Vec<_>, Fault> = known.chain(unknown).collect();
            write(&kit::GetVariablesResponse::new(rows?))
        }
        Told::Report if known.is_empty() => {
            write(&kit::GetBaseReportResponse::new(kit::GenericDeviceModelStatus::EmptyResultSet))
        }
        _ => Err(misfit()),
    }
}

fn written(told: &Told, rows: &[(Box<str>, Written)]) -> Result<String, Fault> {
    let Told::Write(_) = told else { return Err(misfit()) };
    let row = |(key, written): &(Box<str>, Written)| {
        let (component, variable) = setting::parse(key).ok_or_else(misfit)?;
        let status = match written {
            Written::Accepted => SetVariableStatus::Accepted,
            Written::AfterReboot => SetVariableStatus::RebootRequired,
            Written::Rejected => SetVariableStatus::Rejected,
            Written::Unknown => SetVariableStatus::UnknownVariable,
        };
        Ok(kit::SetVariableResult::new(status, component, variable))
    };
    let rows: Result<Vec<_>, Fault> = rows.iter().map(row).collect();
    write(&kit::SetVariablesResponse::new(rows?))
}
