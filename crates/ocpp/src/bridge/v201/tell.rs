//! The operator's voice in 2.0.1: orders to a station, and its answers.
//!
//! Deliberately strict in what it sends, and blind to how many variables one message may hold: that is a setting of
//! the station. Invariant: an order whose form 2.0.1 does not have is refused before it is sent.

use charge::id::EvseNo;
use charge::talk::line::{Foreign, LineFault, ResetKind, Setting, StationAnswer, ToStation, Trigger, Version, Written};
use ocpp_kit::RawValue;
use ocpp_kit::decode::DecodeOptions;
use ocpp_kit::v2_0_1::{self as kit, Action, CsmsRequest, GetVariableStatus, SetVariableStatus};

use super::{CONNECTOR, evse, id_token, setting};
use crate::bridge::{Call, Pending, Report, Told, misfit, unfit, unplaced};
use crate::payload::{Notes, generous, write};
use crate::rules::{Fault, Rules};

const RULES: &Rules = Rules::of(Version::V201);

pub(in crate::bridge) fn order(
    what: &ToStation,
    report: &mut Report,
    notes: &mut Notes,
) -> Result<Call<Told>, LineFault> {
    let (action, payload, told) = match what {
        ToStation::Start { evse, token, remote_id } => {
            let mut order = kit::RequestStartTransactionRequest::new(id_token(token), *remote_id);
            order.evse_id = evse.map(|evse| i32::from(evse.get()));
            ("RequestStartTransaction", write(&order), Told::Start)
        }
        ToStation::Stop { key } => {
            ("RequestStopTransaction", write(&kit::RequestStopTransactionRequest::new(key.to_string())), Told::Stop)
        }
        ToStation::Reset(kind) => {
            let kind = match kind {
                ResetKind::Soft => kit::ResetEnum::OnIdle,
                ResetKind::Hard => kit::ResetEnum::Immediate,
            };
            ("Reset", write(&kit::ResetRequest::new(kind)), Told::Reset)
        }
        ToStation::Unlock { evse } => {
            let order = kit::UnlockConnectorRequest::new(i32::from(evse.get()), CONNECTOR);
            ("UnlockConnector", write(&order), Told::Unlock)
        }
        ToStation::Availability { evse: bay, operative } => {
            let status =
                if *operative { kit::OperationalStatus::Operative } else { kit::OperationalStatus::Inoperative };
            let mut order = kit::ChangeAvailabilityRequest::new(status);
            order.evse = bay.map(evse);
            ("ChangeAvailability", write(&order), Told::Availability)
        }
        ToStation::Trigger { what, evse } => ("TriggerMessage", write(&trigger(*what, *evse)), Told::Trigger),
        ToStation::ReadSettings { keys } if keys.is_empty() => {
            report.request = report.request.wrapping_add(1).max(1);
            let order = kit::GetBaseReportRequest::new(report.request, kit::ReportBase::FullInventory);
            ("GetBaseReport", write(&order), Told::Report)
        }
        ToStation::ReadSettings { keys } => {
            let mut rows = Vec::with_capacity(keys.len());
            for key in keys {
                let (component, variable) = setting::parse(key).ok_or_else(|| no_variable(notes))?;
                rows.push(kit::GetVariableData::new(component, variable));
            }
            ("GetVariables", write(&kit::GetVariablesRequest::new(rows)), Told::Read)
        }
        ToStation::WriteSettings { values } => {
            let mut rows = Vec::with_capacity(values.len());
            for (key, value) in values {
                let (component, variable) = setting::parse(key).ok_or_else(|| no_variable(notes))?;
                rows.push(kit::SetVariableData::new(&**value.expose(), component, variable));
            }
            let keys = values.iter().map(|(key, _)| key.clone()).collect();
            let pending = Pending { keys, ..Pending::default() };
            ("SetVariables", write(&kit::SetVariablesRequest::new(rows)), Told::Write(pending))
        }
        ToStation::ClearCache => ("ClearCache", write(&kit::ClearCacheRequest::new()), Told::ClearCache),
        ToStation::Foreign(foreign) => return self::foreign(foreign, notes),
    };
    let payload = payload.map_err(|fault| unfit(notes, &fault))?;
    Ok(Call::new(action, payload, told))
}

fn trigger(what: Trigger, bay: Option<EvseNo>) -> kit::TriggerMessageRequest {
    let (wanted, connector) = match what {
        Trigger::Boot => (kit::MessageTrigger::BootNotification, None),
        // F06.FR.12: a status is of a connector
        Trigger::Status => (kit::MessageTrigger::StatusNotification, Some(CONNECTOR)),
        Trigger::Alive => (kit::MessageTrigger::Heartbeat, None),
        Trigger::Meter => (kit::MessageTrigger::MeterValues, None),
    };
    let mut order = kit::TriggerMessageRequest::new(wanted);
    order.evse = bay.map(|bay| kit::EVSE { connector_id: connector, ..evse(bay) });
    order
}

fn no_variable(notes: &mut Notes) -> LineFault {
    unplaced(notes, "a setting's key is not of the form Component.Variable")
}

fn foreign(order: &Foreign, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    let action = Action::from_wire(&order.action).ok_or_else(|| unplaced(notes, "not an action of 2.0.1"))?;
    let raw: &RawValue = serde_json::from_str(&order.body).map_err(|_| unplaced(notes, "the body is not JSON"))?;
    CsmsRequest::decode(action, raw, &DecodeOptions::strict())
        .map_err(|error| unplaced(notes, &format!("{}: not what the schema allows", error.path)))?;
    Ok(Call::new(action.as_str(), order.body.to_string(), Told::Foreign(order.action.clone())))
}

pub(in crate::bridge) fn outcome(
    told: &mut Told,
    action: &str,
    payload: &str,
    notes: &mut Notes,
) -> Result<StationAnswer, Fault> {
    let word = match told {
        Told::Start => {
            generous::<kit::RequestStartTransactionResponse>(RULES, action, payload, notes)?.status.to_string()
        }
        Told::Stop => {
            generous::<kit::RequestStopTransactionResponse>(RULES, action, payload, notes)?.status.to_string()
        }
        Told::Reset => generous::<kit::ResetResponse>(RULES, action, payload, notes)?.status.to_string(),
        Told::Unlock => generous::<kit::UnlockConnectorResponse>(RULES, action, payload, notes)?.status.to_string(),
        Told::Availability => {
            generous::<kit::ChangeAvailabilityResponse>(RULES, action, payload, notes)?.status.to_string()
        }
        Told::Trigger => generous::<kit::TriggerMessageResponse>(RULES, action, payload, notes)?.status.to_string(),
        Told::ClearCache => generous::<kit::ClearCacheResponse>(RULES, action, payload, notes)?.status.to_string(),
        Told::Report => {
            let answer: kit::GetBaseReportResponse = generous(RULES, action, payload, notes)?;
            if answer.status == kit::GenericDeviceModelStatus::EmptyResultSet {
                return Ok(StationAnswer::Settings { known: Vec::new(), unknown: Vec::new() });
            }
            answer.status.to_string()
        }
        Told::Read => return Ok(settings(&generous(RULES, action, payload, notes)?)),
        Told::Write(_) => return Ok(written(&generous(RULES, action, payload, notes)?)),
        Told::Foreign(_) => return Err(misfit()),
    };
    Ok(match word.as_str() {
        "Accepted" | "Unlocked" => StationAnswer::Accepted,
        "Scheduled" => StationAnswer::Scheduled,
        other => StationAnswer::Refused(other.into()),
    })
}

/// `Rejected` is what a write-only variable answers: known, without a value.
fn settings(answer: &kit::GetVariablesResponse) -> StationAnswer {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for row in &answer.get_variable_result {
        let key = setting::key(&row.component, &row.variable);
        match row.attribute_status {
            GetVariableStatus::Accepted | GetVariableStatus::Rejected => {
                known.push(Setting { key, value: row.attribute_value.as_deref().map(Into::into), read_only: false });
            }
            _ => unknown.push(key),
        }
    }
    StationAnswer::Settings { known, unknown }
}

fn written(answer: &kit::SetVariablesResponse) -> StationAnswer {
    let row = |row: &kit::SetVariableResult| {
        let written = match row.attribute_status {
            SetVariableStatus::Accepted => Written::Accepted,
            SetVariableStatus::RebootRequired => Written::AfterReboot,
            SetVariableStatus::UnknownComponent | SetVariableStatus::UnknownVariable => Written::Unknown,
            _ => Written::Rejected,
        };
        (setting::key(&row.component, &row.variable), written)
    };
    StationAnswer::Written(answer.set_variable_result.iter().map(row).collect())
}
