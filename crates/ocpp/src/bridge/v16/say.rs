//! The station's voice in 1.6: its messages, and the operator's answers to them.
//!
//! Deliberately strict in what it sends. Invariant: what 1.6 cannot carry is refused, or remarked where the rest is
//! worth sending.

use charge::Purpose;
use charge::meter::{Context, Measured, Reading};
use charge::talk::line::{
    Admission, BayState, EndReason, FromStation, Heard, LineFault, Stage, StatusReport, TransactionReport,
};
use charge::units::Energy;
use ocpp_kit::RawValue;
use ocpp_kit::decode::DecodeOptions;
use ocpp_kit::v1_6::{self as kit, Action, ChargePointErrorCode, ChargePointStatus, CsRequest};

use super::hear::watt_hours;
use super::list::info_of;
use super::tell::number;
use super::{RULES, certificate, connector, meter, pnc, upkeep, vendor};
use crate::bridge::{Call, Said, misfit, moment, unfit, unplaced, wire};
use crate::payload::{Notes, generous, write};
use crate::rules::Fault;

/// The longest `info` of a status (1.6, 6.47).
const INFO_CHARACTERS_MAX: usize = 50;

pub(in crate::bridge) fn say(what: &FromStation, notes: &mut Notes) -> Result<Call<Said>, LineFault> {
    let (action, payload, said) = match what {
        FromStation::Boot(boot) => {
            let mut message = kit::BootNotificationRequest::new(&*boot.vendor, &*boot.model);
            message.charge_point_serial_number = boot.serial.as_deref().map(Into::into);
            message.firmware_version = boot.firmware.as_deref().map(Into::into);
            message.meter_type = boot.meter_type.as_deref().map(Into::into);
            message.meter_serial_number = boot.meter_serial.as_deref().map(Into::into);
            ("BootNotification", write(&message), Said::Boot)
        }
        FromStation::Alive => ("Heartbeat", Ok("{}".to_owned()), Said::Alive),
        FromStation::Status(report) => ("StatusNotification", write(&status(report)), Said::Noted),
        FromStation::Tap(tap) if tap.contract.is_some() => return pnc::say(what, notes),
        FromStation::Tap(tap) => {
            let message = kit::AuthorizeRequest::new(tap.token.uid.reveal(Purpose::Transmit).as_delivered());
            ("Authorize", write(&message), Said::Tap)
        }
        FromStation::Transaction(report) => return transaction(report, notes),
        FromStation::Meter(report) => {
            let mut message =
                kit::MeterValuesRequest::new(connector(report.evse), meter::values(&report.readings, notes));
            message.transaction_id = report.key.as_ref().map(|key| number(key, notes)).transpose()?;
            ("MeterValues", write(&message), Said::Noted)
        }
        FromStation::Security { kind, at, detail } => {
            let mut message = kit::SecurityEventNotificationRequest::new(&**kind, wire(*at));
            message.tech_info = detail.as_deref().map(Into::into);
            ("SecurityEventNotification", write(&message), Said::Noted)
        }
        FromStation::Progress(progress) => return upkeep::say(progress, notes),
        FromStation::Certificate(news) => return certificate::say(news, notes),
        FromStation::Vendor(message) => return vendor::say(message, notes),
        FromStation::Model(_) => return Err(unplaced(notes, "1.6 reports settings only when asked")),
        FromStation::Charging(_)
        | FromStation::Reservation { .. }
        | FromStation::Display(_)
        | FromStation::Customer(_)
        | FromStation::Grid(_)
        | FromStation::Swap(_)
        | FromStation::Payment(_) => return Err(unplaced(notes, "a message that 1.6 does not have")),
        FromStation::Foreign(message) => {
            let action = Action::from_wire(&message.action).ok_or_else(|| unplaced(notes, "not an action of 1.6"))?;
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

fn status(report: &StatusReport) -> kit::StatusNotificationRequest {
    let state = match report.state {
        BayState::Available => ChargePointStatus::Available,
        // 1.6 has finer words than this one; plugged is all it says
        BayState::Preparing | BayState::Occupied => ChargePointStatus::Preparing,
        BayState::Charging => ChargePointStatus::Charging,
        BayState::SuspendedByCar => ChargePointStatus::SuspendedEV,
        BayState::SuspendedByStation => ChargePointStatus::SuspendedEVSE,
        BayState::Finishing => ChargePointStatus::Finishing,
        BayState::Reserved => ChargePointStatus::Reserved,
        BayState::Unavailable => ChargePointStatus::Unavailable,
        BayState::Faulted => ChargePointStatus::Faulted,
    };
    let (error, info) = fault(report.fault.as_deref());
    let mut message = kit::StatusNotificationRequest::new(connector(report.evse), error, state);
    message.info = info;
    message.timestamp = report.at.map(wire);
    message
}

/// `Code: text` where the code is one of 1.6, else `OtherError` and the text.
fn fault(fault: Option<&str>) -> (ChargePointErrorCode, Option<String>) {
    let Some(fault) = fault else { return (ChargePointErrorCode::NoError, None) };
    let (code, info) = fault.split_once(": ").map_or((fault, None), |(code, info)| (code, Some(info)));
    let short = |text: &str| text.chars().take(INFO_CHARACTERS_MAX).collect();
    match ChargePointErrorCode::from_wire(code) {
        ChargePointErrorCode::UnknownValue(_) => (ChargePointErrorCode::OtherError, Some(short(fault))),
        known => (known, info.map(short)),
    }
}

fn transaction(report: &TransactionReport, notes: &mut Notes) -> Result<Call<Said>, LineFault> {
    let (action, payload) = match report.stage {
        Stage::Started => ("StartTransaction", write(&start(report, notes)?)),
        Stage::Updated => {
            let values = meter::values(&report.readings, notes);
            if values.is_empty() {
                return Err(unplaced(notes, "1.6 updates a transaction with readings only"));
            }
            let mut message = kit::MeterValuesRequest::new(connector(report.evse), values);
            message.transaction_id = report.key.as_ref().map(|key| number(key, notes)).transpose()?;
            ("MeterValues", write(&message))
        }
        Stage::Ended => ("StopTransaction", write(&stop(report, notes)?)),
    };
    let payload = payload.map_err(|fault| unfit(notes, &fault))?;
    Ok(Call::new(action, payload, Said::Transaction(report.stage)))
}

fn start(report: &TransactionReport, notes: &mut Notes) -> Result<kit::StartTransactionRequest, LineFault> {
    let Some(evse) = report.evse else { return Err(unplaced(notes, "a 1.6 start needs its connector")) };
    let Some(token) = &report.token else { return Err(unplaced(notes, "a 1.6 start needs its token")) };
    let (place, wh) = register(&report.readings, Context::TransactionBegin)
        .ok_or_else(|| unplaced(notes, "a 1.6 start needs its register"))?;
    if report.readings.iter().enumerate().any(|(other, _)| other != place) {
        notes.remark("", "a 1.6 start carries one register; the other readings stay behind");
    }
    let tag = token.uid.reveal(Purpose::Transmit).as_delivered();
    let mut message = kit::StartTransactionRequest::new(connector(Some(evse)), tag, wh, wire(report.at));
    message.reservation_id = report.reservation;
    Ok(message)
}

fn stop(report: &TransactionReport, notes: &mut Notes) -> Result<kit::StopTransactionRequest, LineFault> {
    let Some(key) = &report.key else { return Err(unplaced(notes, "a 1.6 stop needs its transaction number")) };
    let (place, wh) = register(&report.readings, Context::TransactionEnd)
        .ok_or_else(|| unplaced(notes, "a 1.6 stop needs its register"))?;
    let mut message = kit::StopTransactionRequest::new(wh, wire(report.at), number(key, notes)?);
    let rest = report.readings.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, reading)| reading);
    message.transaction_data = Some(meter::values(rest, notes)).filter(|values| !values.is_empty());
    message.id_tag = report.token.as_ref().map(|token| token.uid.reveal(Purpose::Transmit).as_delivered().to_owned());
    message.reason = report.reason.map(|reason| match reason {
        // 1.6 has no such token, and whoever holds one is there
        EndReason::Local | EndReason::MasterPass => kit::Reason::Local,
        EndReason::Remote => kit::Reason::Remote,
        EndReason::CarLeft => kit::Reason::EVDisconnected,
        EndReason::Refused => kit::Reason::DeAuthorized,
        EndReason::EmergencyStop => kit::Reason::EmergencyStop,
        EndReason::PowerLoss => kit::Reason::PowerLoss,
        EndReason::Reboot => kit::Reason::Reboot,
        EndReason::Other => kit::Reason::Other,
    });
    Ok(message)
}

/// The last sum register of a context in whole watt-hours, and its place among the readings.
fn register(readings: &[Reading], context: Context) -> Option<(usize, i32)> {
    let sum = |reading: &Reading| -> Option<Energy> {
        match reading.measured {
            Measured::EnergyImport(energy) if reading.phase.is_none() && reading.context == context => Some(energy),
            _ => None,
        }
    };
    let (place, energy) =
        readings.iter().enumerate().rev().find_map(|(place, reading)| Some((place, sum(reading)?)))?;
    Some((place, watt_hours(energy)?))
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
            let interval = std::time::Duration::from_secs(u64::try_from(answer.interval).unwrap_or(0));
            Ok(Heard::Boot { admitted, now: moment(answer.current_time), interval })
        }
        Said::Alive => {
            let answer: kit::HeartbeatResponse = generous(RULES, action, payload, notes)?;
            Ok(Heard::Alive { now: moment(answer.current_time) })
        }
        Said::Tap => {
            let answer: kit::AuthorizeResponse = generous(RULES, action, payload, notes)?;
            Ok(Heard::Tap(info_of(&answer.id_tag_info)))
        }
        Said::Transaction(Stage::Started) => {
            let answer: kit::StartTransactionResponse = generous(RULES, action, payload, notes)?;
            let number = Some(answer.transaction_id);
            Ok(Heard::Transaction { number, verdict: Some(info_of(&answer.id_tag_info)), cost: None, advice: None })
        }
        Said::Transaction(Stage::Updated) => {
            crate::payload::object(payload)?;
            Ok(Heard::Transaction { number: None, verdict: None, cost: None, advice: None })
        }
        Said::Transaction(Stage::Ended) => {
            let answer: kit::StopTransactionResponse = generous(RULES, action, payload, notes)?;
            let verdict = answer.id_tag_info.as_ref().map(info_of);
            Ok(Heard::Transaction { number: None, verdict, cost: None, advice: None })
        }
        Said::Action(certificate::SIGN) => certificate::heard(payload, notes),
        Said::Action(vendor::ACTION) => vendor::heard(payload, notes),
        Said::Action(carried) => pnc::heard(carried, payload, notes),
        Said::Noted | Said::VatNumber { .. } | Said::Foreign(_) => Err(misfit()),
    }
}
