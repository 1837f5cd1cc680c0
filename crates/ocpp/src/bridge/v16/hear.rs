//! The operator's ear for 1.6: what a station says, and the answers to it.
//!
//! Reads generously: a refused transaction message is repeated for ever by many stations. Deliberately decides
//! nothing. Invariant: `transactionId` 0, negative or beyond 32 bits names no transaction.

use charge::id::TransactionKey;
use charge::meter::{Context, Measured, Reading};
use charge::talk::line::quirk::Quirk;
use charge::talk::line::{
    Admission, BayState, Boot, EndReason, FromStation, Heard, MeterReport, Stage, StatusReport, Tap, TransactionReport,
};
use charge::token::{Allowed, TokenKind, Verdict};
use charge::units::Energy;
use charge::{Decimal, Timestamp};
use ocpp_kit::v1_6::{self as kit, Action, ChargePointErrorCode, ChargePointStatus, Reason};

use super::list::say_info;
use super::{RULES, certificate, evse, meter, pnc, upkeep, vendor};
use crate::bridge::{Said, misfit, moment, plausible, token, wire};
use crate::payload::{Notes, generous, write};
use crate::rules::{Code, Fault};

/// What stations send for a register that they could not read (quirk 19).
const UNKNOWN_REGISTER: i32 = -1;

pub(in crate::bridge) fn hear(action: &str, payload: &str, notes: &mut Notes) -> Result<(FromStation, Said), Fault> {
    match action {
        "Heartbeat" => {
            generous::<kit::HeartbeatRequest>(RULES, action, payload, notes)?;
            Ok((FromStation::Alive, Said::Alive))
        }
        "BootNotification" => Ok((boot(generous(RULES, action, payload, notes)?), Said::Boot)),
        "Authorize" => Ok((tap(generous(RULES, action, payload, notes)?, notes)?, Said::Tap)),
        "StatusNotification" => Ok((status(generous(RULES, action, payload, notes)?, notes)?, Said::Noted)),
        "StartTransaction" => {
            Ok((start(generous(RULES, action, payload, notes)?, notes), Said::Transaction(Stage::Started)))
        }
        "StopTransaction" => {
            Ok((stop(generous(RULES, action, payload, notes)?, notes), Said::Transaction(Stage::Ended)))
        }
        "MeterValues" => Ok((values(generous(RULES, action, payload, notes)?, notes), Said::Noted)),
        "SecurityEventNotification" => Ok((security(generous(RULES, action, payload, notes)?, notes), Said::Noted)),
        certificate::SIGN => certificate::hear(payload, notes),
        vendor::ACTION => vendor::hear(payload, notes),
        other => upkeep::hear(other, payload, notes)?.ok_or_else(|| unheard(other)),
    }
}

/// What every action comes to that no station says.
fn unheard(action: &str) -> Fault {
    match Action::from_wire(action) {
        Some(_) => Fault::new(Code::NotSupported, "an order, which only the operator gives"),
        None => Fault::new(Code::NotImplemented, "not an action of 1.6"),
    }
}

fn boot(said: kit::BootNotificationRequest) -> FromStation {
    FromStation::Boot(Boot {
        vendor: said.charge_point_vendor.into(),
        model: said.charge_point_model.into(),
        serial: said.charge_point_serial_number.or(said.charge_box_serial_number).map(Into::into),
        firmware: said.firmware_version.map(Into::into),
        meter_type: said.meter_type.map(Into::into),
        meter_serial: said.meter_serial_number.map(Into::into),
        reason: None,
    })
}

fn tap(said: kit::AuthorizeRequest, notes: &mut Notes) -> Result<FromStation, Fault> {
    let token = token(&said.id_tag, TokenKind::Rfid, "/idTag", notes);
    let token = token.ok_or_else(|| Fault::at(Code::Property, "/idTag", "not a token"))?;
    Ok(FromStation::Tap(Tap { token, contract: None }))
}

fn status(said: kit::StatusNotificationRequest, notes: &mut Notes) -> Result<FromStation, Fault> {
    let state = match said.status {
        ChargePointStatus::Available => BayState::Available,
        ChargePointStatus::Preparing => BayState::Preparing,
        ChargePointStatus::Charging => BayState::Charging,
        ChargePointStatus::SuspendedEV => BayState::SuspendedByCar,
        ChargePointStatus::SuspendedEVSE => BayState::SuspendedByStation,
        ChargePointStatus::Finishing => BayState::Finishing,
        ChargePointStatus::Reserved => BayState::Reserved,
        ChargePointStatus::Unavailable => BayState::Unavailable,
        ChargePointStatus::Faulted => BayState::Faulted,
        // the word of OCPP 1.5
        ChargePointStatus::UnknownValue(word) if word == "Occupied" => BayState::Occupied,
        _ => return Err(Fault::at(Code::Property, "/status", "not in the list")),
    };
    let fault = (said.error_code != ChargePointErrorCode::NoError).then(|| {
        let mut text = said.error_code.as_str().to_owned();
        if let Some(info) = said.info.filter(|info| !info.is_empty()) {
            text = format!("{text}: {info}");
        }
        if let Some(code) = said.vendor_error_code.filter(|code| !code.is_empty()) {
            text = format!("{text} [{code}]");
        }
        text.into()
    });
    let at = said.timestamp.map(moment).filter(|at| *at >= crate::bridge::CLOCK_SET_SINCE);
    if said.timestamp.is_some() && at.is_none() {
        notes.tolerates(Quirk::UnsetClock, "/timestamp", "the station's clock is not set");
    }
    Ok(FromStation::Status(StatusReport { evse: evse(said.connector_id), state, fault, at }))
}

fn start(said: kit::StartTransactionRequest, notes: &mut Notes) -> FromStation {
    let at = plausible(said.timestamp, "/timestamp", notes);
    FromStation::Transaction(TransactionReport {
        stage: Stage::Started,
        key: None,
        seq: None,
        at,
        evse: evse(said.connector_id),
        token: token(&said.id_tag, TokenKind::Rfid, "/idTag", notes),
        readings: register(said.meter_start, at, Context::TransactionBegin, "/meterStart", notes).into_iter().collect(),
        reason: None,
        state: None,
        offline: false,
        remote_start: None,
        reservation: said.reservation_id,
        terms: None,
    })
}

fn stop(said: kit::StopTransactionRequest, notes: &mut Notes) -> FromStation {
    let at = plausible(said.timestamp, "/timestamp", notes);
    let mut readings = meter::readings(said.transaction_data.unwrap_or_default(), "/transactionData", notes);
    readings.extend(register(said.meter_stop, at, Context::TransactionEnd, "/meterStop", notes));
    FromStation::Transaction(TransactionReport {
        stage: Stage::Ended,
        key: key(said.transaction_id, notes),
        seq: None,
        at,
        evse: None,
        token: said.id_tag.as_deref().and_then(|tag| token(tag, TokenKind::Rfid, "/idTag", notes)),
        readings,
        // the standard's default for a missing reason
        reason: Some(said.reason.as_ref().map_or(EndReason::Local, reason)),
        state: None,
        offline: false,
        remote_start: None,
        reservation: None,
        terms: None,
    })
}

fn values(said: kit::MeterValuesRequest, notes: &mut Notes) -> FromStation {
    FromStation::Meter(MeterReport {
        evse: evse(said.connector_id),
        key: said.transaction_id.and_then(|id| key(id, notes)),
        readings: meter::readings(said.meter_value, "/meterValue", notes),
    })
}

fn security(said: kit::SecurityEventNotificationRequest, notes: &mut Notes) -> FromStation {
    FromStation::Security {
        kind: said.r#type.into(),
        at: plausible(said.timestamp, "/timestamp", notes),
        detail: said.tech_info.map(Into::into),
    }
}

fn key(id: i32, notes: &mut Notes) -> Option<TransactionKey> {
    if id > 0 {
        return Some(TransactionKey::Number(id));
    }
    notes.remark("/transactionId", "names no transaction");
    None
}

fn register(wh: i32, at: Timestamp, context: Context, path: &str, notes: &mut Notes) -> Option<Reading> {
    if wh == UNKNOWN_REGISTER {
        notes.remark(path, "unknown to the station");
        return None;
    }
    let measured = Measured::EnergyImport(Energy::from_wh(i64::from(wh)));
    Some(Reading { at, context, phase: None, measured })
}

fn reason(reason: &Reason) -> EndReason {
    match reason {
        Reason::Local => EndReason::Local,
        Reason::Remote => EndReason::Remote,
        Reason::EVDisconnected => EndReason::CarLeft,
        Reason::DeAuthorized => EndReason::Refused,
        Reason::EmergencyStop => EndReason::EmergencyStop,
        Reason::PowerLoss => EndReason::PowerLoss,
        Reason::Reboot | Reason::HardReset | Reason::SoftReset => EndReason::Reboot,
        _ => EndReason::Other,
    }
}

pub(in crate::bridge) fn answer(said: &Said, heard: Heard, notes: &mut Notes) -> Result<String, Fault> {
    match (said, heard) {
        (Said::Boot, Heard::Boot { admitted, now, interval }) => {
            let status = match admitted {
                Admission::Accepted => kit::RegistrationStatus::Accepted,
                Admission::Pending => kit::RegistrationStatus::Pending,
                Admission::Rejected => kit::RegistrationStatus::Rejected,
            };
            // an interval of 0 makes stations flood (quirk 23)
            let seconds = i32::try_from(interval.as_secs()).unwrap_or(i32::MAX).max(1);
            write(&kit::BootNotificationResponse { status, current_time: wire(now.whole_seconds()), interval: seconds })
        }
        (Said::Tap, Heard::Tap(verdict)) => write(&kit::AuthorizeResponse::new(say_info(&verdict))),
        (Said::Transaction(Stage::Started), Heard::Transaction { number: Some(number), verdict, .. }) => {
            // 1.6 demands a word on the token; without a verdict it is the careful one
            let verdict = verdict.unwrap_or(Verdict::bare(Allowed::Unknown));
            write(&kit::StartTransactionResponse { id_tag_info: say_info(&verdict), transaction_id: number })
        }
        (Said::Transaction(Stage::Ended), Heard::Transaction { verdict, .. }) => {
            write(&kit::StopTransactionResponse { id_tag_info: verdict.as_ref().map(say_info) })
        }
        (Said::Action(certificate::SIGN), Heard::Taken(taken)) => certificate::answer(taken),
        (Said::Action(vendor::ACTION), Heard::Vendor(answer)) => vendor::answer(&answer),
        (Said::Action(carried), heard) if pnc::carries(carried) => pnc::answer(carried, heard, notes),
        (
            Said::Boot
            | Said::Alive
            | Said::Tap
            | Said::Transaction(Stage::Started | Stage::Updated | Stage::Ended)
            | Said::Noted
            | Said::Action(_)
            | Said::VatNumber { .. }
            | Said::Foreign(_),
            _,
        ) => Err(misfit()),
    }
}

/// Whole watt-hours of a register, cut; for the station's end.
pub(super) fn watt_hours(energy: Energy) -> Option<i32> {
    i32::try_from(Decimal::new(energy.mwh(), 3).trunc()).ok()
}
