//! The operator's ear for 2.0.1: what a station says, and the answers to it.
//!
//! Reads generously: a refused transaction message is repeated for ever by many stations. Deliberately decides
//! nothing. Invariant: a transaction is named by the station, and its messages are numbered by it.

use charge::id::TransactionKey;
use charge::talk::line::{
    Admission, BayState, Boot, EndReason, Foreign, FromStation, Heard, MeterReport, Stage, StatusReport, Tap,
    TransactionReport, Version,
};
use charge::token::{Allowed, Verdict};
use ocpp_kit::v2_0_1::{
    self as kit, Action, AuthorizationStatus, ChargingState, ConnectorStatus, Reason, TransactionEventEnum,
};

use super::{evse_no, meter, presented, setting};
use crate::bridge::{CLOCK_SET_SINCE, Said, misfit, moment, plausible, wire};
use crate::payload::{Notes, generous, object, write};
use crate::rules::{Code, Fault, Rules};

const RULES: &Rules = Rules::of(Version::V201);

pub(in crate::bridge) fn hear(action: &str, payload: &str, notes: &mut Notes) -> Result<(FromStation, Said), Fault> {
    match action {
        "Heartbeat" => {
            generous::<kit::HeartbeatRequest>(RULES, action, payload, notes)?;
            Ok((FromStation::Alive, Said::Alive))
        }
        "BootNotification" => Ok((boot(generous(RULES, action, payload, notes)?), Said::Boot)),
        "Authorize" => {
            let said: kit::AuthorizeRequest = generous(RULES, action, payload, notes)?;
            let token = presented(&said.id_token, "/idToken/idToken", notes);
            let token = token.ok_or_else(|| Fault::at(Code::Property, "/idToken/idToken", "not a token"))?;
            Ok((FromStation::Tap(Tap { token }), Said::Tap))
        }
        "StatusNotification" => Ok((status(&generous(RULES, action, payload, notes)?, notes)?, Said::Noted)),
        "TransactionEvent" => {
            let report = transaction(generous(RULES, action, payload, notes)?, notes)?;
            let stage = report.stage;
            Ok((FromStation::Transaction(report), Said::Transaction(stage)))
        }
        "MeterValues" => {
            let said: kit::MeterValuesRequest = generous(RULES, action, payload, notes)?;
            let readings = meter::readings(said.meter_value, "/meterValue", notes);
            Ok((FromStation::Meter(MeterReport { evse: evse_no(said.evse_id), key: None, readings }), Said::Noted))
        }
        "SecurityEventNotification" => {
            let said: kit::SecurityEventNotificationRequest = generous(RULES, action, payload, notes)?;
            let at = plausible(said.timestamp, "/timestamp", notes);
            let detail = said.tech_info.map(Into::into);
            Ok((FromStation::Security { kind: said.r#type.into(), at, detail }, Said::Noted))
        }
        "NotifyReport" => {
            let said: kit::NotifyReportRequest = generous(RULES, action, payload, notes)?;
            let settings = said.report_data.unwrap_or_default().iter().filter_map(setting::read).collect();
            Ok((FromStation::Settings(settings), Said::Noted))
        }
        "FirmwareStatusNotification" => {
            let said: kit::FirmwareStatusNotificationRequest = generous(RULES, action, payload, notes)?;
            Ok((progress(action, said.status.as_str()), Said::Noted))
        }
        "LogStatusNotification" => {
            let said: kit::LogStatusNotificationRequest = generous(RULES, action, payload, notes)?;
            Ok((progress(action, said.status.as_str()), Said::Noted))
        }
        other => foreign(other, payload),
    }
}

fn foreign(action: &str, payload: &str) -> Result<(FromStation, Said), Fault> {
    let known = Action::from_wire(action).ok_or_else(|| Fault::new(Code::NotImplemented, "not an action of 2.0.1"))?;
    if !known.origin().from_charging_station() {
        return Err(Fault::new(Code::NotSupported, "an order, which only the operator gives"));
    }
    object(payload)?;
    let said = Foreign { action: action.into(), body: payload.into() };
    Ok((FromStation::Foreign(said), Said::Foreign(action.into())))
}

fn boot(said: kit::BootNotificationRequest) -> FromStation {
    let station = said.charging_station;
    FromStation::Boot(Boot {
        vendor: station.vendor_name.into(),
        model: station.model.into(),
        serial: station.serial_number.map(Into::into),
        firmware: station.firmware_version.map(Into::into),
        meter_type: None,
        meter_serial: None,
        reason: Some(said.reason.as_str().into()),
    })
}

fn status(said: &kit::StatusNotificationRequest, notes: &mut Notes) -> Result<FromStation, Fault> {
    let state = match said.connector_status {
        ConnectorStatus::Available => BayState::Available,
        ConnectorStatus::Occupied => BayState::Occupied,
        ConnectorStatus::Reserved => BayState::Reserved,
        ConnectorStatus::Unavailable => BayState::Unavailable,
        ConnectorStatus::Faulted => BayState::Faulted,
        _ => return Err(Fault::at(Code::Property, "/connectorStatus", "not in the list")),
    };
    let at = Some(moment(said.timestamp)).filter(|at| *at >= CLOCK_SET_SINCE);
    if at.is_none() {
        notes.remark("/timestamp", "the station's clock is not set");
    }
    Ok(FromStation::Status(StatusReport { evse: evse_no(said.evse_id), state, fault: None, at }))
}

fn transaction(said: kit::TransactionEventRequest, notes: &mut Notes) -> Result<TransactionReport, Fault> {
    let stage = match said.event_type {
        TransactionEventEnum::Started => Stage::Started,
        TransactionEventEnum::Updated => Stage::Updated,
        TransactionEventEnum::Ended => Stage::Ended,
        _ => return Err(Fault::at(Code::Property, "/eventType", "not in the list")),
    };
    let info = said.transaction_info;
    let seq = u32::try_from(said.seq_no).ok();
    if seq.is_none() {
        notes.remark("/seqNo", "negative, taken as absent");
    }
    Ok(TransactionReport {
        stage,
        key: Some(TransactionKey::Text(info.transaction_id.into())),
        seq,
        at: plausible(said.timestamp, "/timestamp", notes),
        evse: said.evse.and_then(|evse| evse_no(evse.id)),
        token: said.id_token.as_ref().and_then(|id| presented(id, "/idToken/idToken", notes)),
        readings: meter::readings(said.meter_value.unwrap_or_default(), "/meterValue", notes),
        reason: match (&info.stopped_reason, stage) {
            (Some(given), _) => Some(reason(given)),
            // the standard's default for a missing reason
            (None, Stage::Ended) => Some(EndReason::Local),
            (None, Stage::Started | Stage::Updated) => None,
        },
        state: info.charging_state.as_ref().and_then(|state| charging(state, stage)),
        offline: said.offline.unwrap_or(false),
        remote_start: info.remote_start_id,
    })
}

fn charging(state: &ChargingState, stage: Stage) -> Option<BayState> {
    match (state, stage) {
        (ChargingState::Charging, _) => Some(BayState::Charging),
        (ChargingState::EVConnected, _) => Some(BayState::Occupied),
        (ChargingState::SuspendedEV, _) => Some(BayState::SuspendedByCar),
        (ChargingState::SuspendedEVSE, _) => Some(BayState::SuspendedByStation),
        (ChargingState::Idle, Stage::Ended) => Some(BayState::Available),
        (ChargingState::Idle, Stage::Started | Stage::Updated) => Some(BayState::Preparing),
        (_, _) => None,
    }
}

fn reason(reason: &Reason) -> EndReason {
    match reason {
        Reason::Local | Reason::StoppedByEV | Reason::MasterPass => EndReason::Local,
        Reason::Remote => EndReason::Remote,
        Reason::EVDisconnected => EndReason::CarLeft,
        Reason::DeAuthorized | Reason::LocalOutOfCredit => EndReason::Refused,
        Reason::EmergencyStop => EndReason::EmergencyStop,
        Reason::PowerLoss => EndReason::PowerLoss,
        Reason::Reboot | Reason::ImmediateReset => EndReason::Reboot,
        _ => EndReason::Other,
    }
}

fn progress(action: &str, status: &str) -> FromStation {
    FromStation::Progress {
        of: action.strip_suffix("StatusNotification").unwrap_or(action).into(),
        status: status.into(),
    }
}

pub(in crate::bridge) fn answer(said: &Said, heard: Heard) -> Result<String, Fault> {
    match (said, heard) {
        (Said::Boot, Heard::Boot { admitted, now, interval }) => {
            let status = match admitted {
                Admission::Accepted => kit::RegistrationStatus::Accepted,
                Admission::Pending => kit::RegistrationStatus::Pending,
                Admission::Rejected => kit::RegistrationStatus::Rejected,
            };
            // an interval of 0 makes stations flood (quirk 23)
            let seconds = i32::try_from(interval.as_secs()).unwrap_or(i32::MAX).max(1);
            write(&kit::BootNotificationResponse::new(wire(now.whole_seconds()), seconds, status))
        }
        (Said::Tap, Heard::Tap(verdict)) => write(&kit::AuthorizeResponse::new(info(&verdict))),
        (Said::Transaction(_), Heard::Transaction { verdict, .. }) => {
            let mut answer = kit::TransactionEventResponse::new();
            answer.id_token_info = verdict.as_ref().map(info);
            write(&answer)
        }
        (Said::Boot | Said::Alive | Said::Tap | Said::Transaction(_) | Said::Noted | Said::Foreign(_), _) => {
            Err(misfit())
        }
    }
}

/// Total. Nobody could be asked is `Unknown`, because it is no judgement on the token.
fn info(verdict: &Verdict) -> kit::IdTokenInfo {
    kit::IdTokenInfo::new(match verdict.allowed {
        Allowed::Yes => AuthorizationStatus::Accepted,
        Allowed::Blocked => AuthorizationStatus::Blocked,
        Allowed::Expired => AuthorizationStatus::Expired,
        Allowed::NoCredit => AuthorizationStatus::NoCredit,
        Allowed::NotHere => AuthorizationStatus::NotAtThisLocation,
        Allowed::Unknown | Allowed::Unanswered => AuthorizationStatus::Unknown,
    })
}
