//! The station's voice in 2.0.1: its messages, and the operator's answers to them.
//!
//! Deliberately strict in what it sends. Invariant: what 2.0.1 cannot carry is refused, or remarked where the rest is
//! worth sending.

use std::time::Duration;

use charge::id::TransactionKey;
use charge::meter::Context;
use charge::talk::line::{
    Admission, BayState, EndReason, FromStation, Heard, LineFault, Stage, StatusReport, TransactionReport, Version,
};
use charge::token::{Allowed, Verdict};
use ocpp_kit::RawValue;
use ocpp_kit::decode::DecodeOptions;
use ocpp_kit::v2_0_1::{
    self as kit, Action, AuthorizationStatus, ChargingState, ConnectorStatus, CsRequest, TriggerReason,
};

use super::{CONNECTOR, evse, id_token, meter, setting};
use crate::bridge::{Call, Report, Said, misfit, moment, unfit, unplaced, wire};
use crate::payload::{Notes, generous, write};
use crate::rules::{Fault, Rules};

const RULES: &Rules = Rules::of(Version::V201);

pub(in crate::bridge) fn say(
    what: &FromStation,
    report: &mut Report,
    notes: &mut Notes,
) -> Result<Call<Said>, LineFault> {
    let (action, payload, said) = match what {
        FromStation::Boot(boot) => {
            let mut station = kit::ChargingStation::new(&*boot.model, &*boot.vendor);
            station.serial_number = boot.serial.as_deref().map(Into::into);
            station.firmware_version = boot.firmware.as_deref().map(Into::into);
            let reason = boot.reason.as_deref().map_or(kit::BootReason::PowerUp, kit::BootReason::from_wire);
            ("BootNotification", write(&kit::BootNotificationRequest::new(station, reason)), Said::Boot)
        }
        FromStation::Alive => ("Heartbeat", Ok("{}".to_owned()), Said::Alive),
        FromStation::Status(status) => ("StatusNotification", write(&self::status(status, notes)), Said::Noted),
        FromStation::Tap(tap) => ("Authorize", write(&kit::AuthorizeRequest::new(id_token(&tap.token))), Said::Tap),
        FromStation::Transaction(report) => {
            ("TransactionEvent", write(&transaction(report, notes)?), Said::Transaction(report.stage))
        }
        FromStation::Meter(report) => {
            let values = meter::values(&report.readings, notes).ok_or_else(|| unsigned(notes))?;
            let id = report.evse.map_or(0, |evse| i32::from(evse.get()));
            ("MeterValues", write(&kit::MeterValuesRequest::new(id, values)), Said::Noted)
        }
        FromStation::Security { kind, at, detail } => {
            let mut message = kit::SecurityEventNotificationRequest::new(&**kind, wire(*at));
            message.tech_info = detail.as_deref().map(Into::into);
            ("SecurityEventNotification", write(&message), Said::Noted)
        }
        FromStation::Settings(settings) => {
            let mut rows = Vec::with_capacity(settings.len());
            for setting in settings {
                rows.push(
                    setting::write(setting)
                        .ok_or_else(|| unplaced(notes, "a key not of the form Component.Variable"))?,
                );
            }
            let mut message = kit::NotifyReportRequest::new(report.request, wire(notes.now), report.part);
            message.report_data = Some(rows).filter(|rows| !rows.is_empty());
            report.part += 1;
            ("NotifyReport", write(&message), Said::Noted)
        }
        FromStation::Progress { of, status } => match &**of {
            "Firmware" => (
                "FirmwareStatusNotification",
                write(&kit::FirmwareStatusNotificationRequest::new(kit::FirmwareStatus::from_wire(status))),
                Said::Noted,
            ),
            "Log" => (
                "LogStatusNotification",
                write(&kit::LogStatusNotificationRequest::new(kit::UploadLogStatus::from_wire(status))),
                Said::Noted,
            ),
            _ => return Err(unplaced(notes, "2.0.1 has no such progress")),
        },
        FromStation::Foreign(message) => {
            let action = Action::from_wire(&message.action).ok_or_else(|| unplaced(notes, "not an action of 2.0.1"))?;
            let raw: &RawValue =
                serde_json::from_str(&message.body).map_err(|_| unplaced(notes, "the body is not JSON"))?;
            CsRequest::decode(action, raw, &DecodeOptions::strict())
                .map_err(|error| unplaced(notes, &format!("{}: not what the schema allows", error.path)))?;
            (action.as_str(), Ok(message.body.to_string()), Said::Foreign(message.action.clone()))
        }
    };
    let payload = payload.map_err(|fault| unfit(notes, &fault))?;
    Ok(Call::new(action, payload, said))
}

fn unsigned(notes: &mut Notes) -> LineFault {
    unplaced(notes, "a signed record needs the number of the same moment before it")
}

fn status(report: &StatusReport, notes: &mut Notes) -> kit::StatusNotificationRequest {
    let state = match report.state {
        BayState::Available => ConnectorStatus::Available,
        BayState::Preparing
        | BayState::Charging
        | BayState::SuspendedByCar
        | BayState::SuspendedByStation
        | BayState::Finishing
        | BayState::Occupied => ConnectorStatus::Occupied,
        BayState::Reserved => ConnectorStatus::Reserved,
        BayState::Unavailable => ConnectorStatus::Unavailable,
        BayState::Faulted => ConnectorStatus::Faulted,
    };
    if report.fault.is_some() {
        notes.remark("", "a fault's text has no place in a 2.0.1 status");
    }
    let at = wire(report.at.unwrap_or(notes.now));
    match report.evse {
        Some(evse) => kit::StatusNotificationRequest::new(at, state, i32::from(evse.get()), CONNECTOR),
        None => kit::StatusNotificationRequest::new(at, state, 0, 0),
    }
}

fn transaction(report: &TransactionReport, notes: &mut Notes) -> Result<kit::TransactionEventRequest, LineFault> {
    let id = match &report.key {
        Some(TransactionKey::Text(text)) => text.to_string(),
        Some(TransactionKey::Number(_)) | None => {
            return Err(unplaced(notes, "2.0.1 names transactions by the station's own texts"));
        }
    };
    let seq = report.seq.and_then(|seq| i32::try_from(seq).ok());
    let seq = seq.ok_or_else(|| unplaced(notes, "2.0.1 numbers the messages of a transaction"))?;
    let mut info = kit::Transaction::new(id);
    info.charging_state = report.state.and_then(charging);
    info.stopped_reason = report.reason.map(stopped);
    info.remote_start_id = report.remote_start;
    let stage = match report.stage {
        Stage::Started => kit::TransactionEventEnum::Started,
        Stage::Updated => kit::TransactionEventEnum::Updated,
        Stage::Ended => kit::TransactionEventEnum::Ended,
    };
    let mut message = kit::TransactionEventRequest::new(stage, wire(report.at), trigger(report), seq, info);
    let values = meter::values(&report.readings, notes).ok_or_else(|| unsigned(notes))?;
    message.meter_value = Some(values).filter(|values| !values.is_empty());
    message.offline = report.offline.then_some(true);
    message.evse = report.evse.map(|bay| kit::EVSE { connector_id: Some(CONNECTOR), ..evse(bay) });
    message.id_token = report.token.as_ref().map(id_token);
    Ok(message)
}

fn charging(state: BayState) -> Option<ChargingState> {
    match state {
        BayState::Charging => Some(ChargingState::Charging),
        BayState::Occupied | BayState::Finishing => Some(ChargingState::EVConnected),
        BayState::SuspendedByCar => Some(ChargingState::SuspendedEV),
        BayState::SuspendedByStation => Some(ChargingState::SuspendedEVSE),
        BayState::Available | BayState::Preparing => Some(ChargingState::Idle),
        BayState::Reserved | BayState::Unavailable | BayState::Faulted => None,
    }
}

fn stopped(reason: EndReason) -> kit::Reason {
    match reason {
        EndReason::Local => kit::Reason::Local,
        EndReason::Remote => kit::Reason::Remote,
        EndReason::CarLeft => kit::Reason::EVDisconnected,
        EndReason::Refused => kit::Reason::DeAuthorized,
        EndReason::EmergencyStop => kit::Reason::EmergencyStop,
        EndReason::PowerLoss => kit::Reason::PowerLoss,
        EndReason::Reboot => kit::Reason::Reboot,
        EndReason::Other => kit::Reason::Other,
    }
}

/// Why this event is sent, told by what is in it.
fn trigger(report: &TransactionReport) -> TriggerReason {
    match report.stage {
        Stage::Started if report.remote_start.is_some() => TriggerReason::RemoteStart,
        Stage::Started if report.token.is_some() => TriggerReason::Authorized,
        Stage::Started => TriggerReason::CablePluggedIn,
        Stage::Updated if report.remote_start.is_some() => TriggerReason::RemoteStart,
        Stage::Updated if report.token.is_some() => TriggerReason::Authorized,
        Stage::Updated if report.state.is_some() => TriggerReason::ChargingStateChanged,
        Stage::Updated => match report.readings.first().map(|reading| reading.context) {
            Some(Context::SampleClock) => TriggerReason::MeterValueClock,
            Some(Context::Trigger) => TriggerReason::Trigger,
            Some(_) => TriggerReason::MeterValuePeriodic,
            None => TriggerReason::ChargingStateChanged,
        },
        Stage::Ended => match report.reason {
            Some(EndReason::Local) => TriggerReason::StopAuthorized,
            Some(EndReason::Remote) => TriggerReason::RemoteStop,
            Some(EndReason::CarLeft) => TriggerReason::EVDeparted,
            Some(EndReason::Refused) => TriggerReason::Deauthorized,
            Some(EndReason::Reboot) => TriggerReason::ResetCommand,
            Some(EndReason::EmergencyStop | EndReason::PowerLoss | EndReason::Other) | None => {
                TriggerReason::AbnormalCondition
            }
        },
    }
}

pub(in crate::bridge) fn heard(said: &Said, action: &str, payload: &str, notes: &mut Notes) -> Result<Heard, Fault> {
    match said {
        Said::Boot => {
            let answer: kit::BootNotificationResponse = generous(RULES, action, payload, notes)?;
            let admitted = match answer.status {
                kit::RegistrationStatus::Accepted => Admission::Accepted,
                kit::RegistrationStatus::Pending => Admission::Pending,
                _ => Admission::Rejected,
            };
            let interval = Duration::from_secs(u64::try_from(answer.interval).unwrap_or(0));
            Ok(Heard::Boot { admitted, now: moment(answer.current_time), interval })
        }
        Said::Alive => {
            let answer: kit::HeartbeatResponse = generous(RULES, action, payload, notes)?;
            Ok(Heard::Alive { now: moment(answer.current_time) })
        }
        Said::Tap => {
            let answer: kit::AuthorizeResponse = generous(RULES, action, payload, notes)?;
            Ok(Heard::Tap(verdict(&answer.id_token_info)))
        }
        Said::Transaction(_) => {
            let answer: kit::TransactionEventResponse = generous(RULES, action, payload, notes)?;
            Ok(Heard::Transaction { number: None, verdict: answer.id_token_info.as_ref().map(verdict) })
        }
        Said::Noted | Said::Foreign(_) => Err(misfit()),
    }
}

fn verdict(info: &kit::IdTokenInfo) -> Verdict {
    Verdict::bare(match info.status {
        AuthorizationStatus::Accepted => Allowed::Yes,
        AuthorizationStatus::Blocked => Allowed::Blocked,
        AuthorizationStatus::Expired => Allowed::Expired,
        AuthorizationStatus::NoCredit => Allowed::NoCredit,
        AuthorizationStatus::NotAllowedTypeEVSE
        | AuthorizationStatus::NotAtThisLocation
        | AuthorizationStatus::NotAtThisTime
        | AuthorizationStatus::ConcurrentTx => Allowed::NotHere,
        _ => Allowed::Unknown,
    })
}
