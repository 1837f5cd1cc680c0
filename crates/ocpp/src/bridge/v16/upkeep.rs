//! Upkeep in 1.6: diagnostics and firmware (feature profile Firmware Management; messages 5.9, 5.19, 4.4, 4.5), logs and
//! signed firmware (security whitepaper edition 3, 4.2 and 4.3), and the progress of all four.
//!
//! Deliberately no choice between old and new messages: the order says it. Invariant: an installation time or a log
//! that a message cannot name is refused, not left out.

use charge::Secret;
use charge::talk::line::upkeep::{FirmwareSignature, LogKind, Progress, Retries, UpkeepOrder, Work};
use charge::talk::line::{FromStation, LineFault, StationAnswer, ToStation};
use ocpp_kit::v1_6 as kit;

use super::{RULES, answered, duration, natural, seconds, status};
use crate::bridge::{Call, Said, Told, misfit, moment, unfit, unplaced, wire};
use crate::payload::{Notes, generous, object, strict, write};
use crate::rules::{Code, Fault};

const DIAGNOSTICS: &str = "GetDiagnostics";
const LOG: &str = "GetLog";
const FIRMWARE: &str = "UpdateFirmware";
const SIGNED: &str = "SignedUpdateFirmware";

/// The number that an order has where 1.6 has none.
const NO_REQUEST: i32 = 0;

pub(super) fn order(order: &UpkeepOrder, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    let (action, payload) = match order {
        UpkeepOrder::FetchLog { kind: LogKind::Diagnostics, to, from, until, retries, legacy: true, request: _ } => {
            let mut order = kit::GetDiagnosticsRequest::new(to.expose().to_string());
            (order.retries, order.retry_interval) = tries(*retries, notes)?;
            (order.start_time, order.stop_time) = (from.map(wire), until.map(wire));
            (DIAGNOSTICS, write(&order))
        }
        UpkeepOrder::FetchLog { legacy: true, .. } => {
            return Err(unplaced(notes, "a station without the security extension has its diagnostics only"));
        }
        UpkeepOrder::FetchLog { request, kind, to, from, until, retries, legacy: false } => {
            let mut log = kit::LogParameters::new(to.expose().to_string());
            (log.oldest_timestamp, log.latest_timestamp) = (from.map(wire), until.map(wire));
            let kind = match kind {
                LogKind::Diagnostics => kit::LogType::DiagnosticsLog,
                LogKind::Security => kit::LogType::SecurityLog,
                LogKind::DataCollector => return Err(unplaced(notes, "a log that 1.6 does not have")),
            };
            let mut order = kit::GetLogRequest::new(log, kind, *request);
            (order.retries, order.retry_interval) = tries(*retries, notes)?;
            (LOG, write(&order))
        }
        UpkeepOrder::Firmware { signed: None, install_at: Some(_), .. } => {
            return Err(unplaced(notes, "1.6 names the time of installation of signed firmware only"));
        }
        UpkeepOrder::Firmware { from, retrieve_at, install_at: None, signed: None, retries, request: _ } => {
            let mut order = kit::UpdateFirmwareRequest::new(from.expose().to_string(), wire(*retrieve_at));
            (order.retries, order.retry_interval) = tries(*retries, notes)?;
            (FIRMWARE, write(&order))
        }
        UpkeepOrder::Firmware { request, from, retrieve_at, install_at, signed: Some(proof), retries } => {
            let location = from.expose().to_string();
            let mut firmware = kit::Firmware::new(location, wire(*retrieve_at), &*proof.certificate, &*proof.signature);
            firmware.install_date_time = install_at.map(wire);
            let mut order = kit::SignedUpdateFirmwareRequest::new(*request, firmware);
            (order.retries, order.retry_interval) = tries(*retries, notes)?;
            (SIGNED, write(&order))
        }
        UpkeepOrder::Publish { .. } | UpkeepOrder::Unpublish { .. } => {
            return Err(unplaced(notes, "1.6 does not publish firmware"));
        }
    };
    let payload = payload.map_err(|fault| unfit(notes, &fault))?;
    Ok(Call::new(action, payload, Told::Action(action)))
}

fn tries(retries: Retries, notes: &mut Notes) -> Result<(Option<i32>, Option<i32>), LineFault> {
    let times = retries.times.map(i32::try_from).transpose();
    let times = times.map_err(|_| unplaced(notes, "a number of tries beyond 31 bits"))?;
    Ok((times, retries.pause.map(|pause| seconds(pause, notes)).transpose()?))
}

fn retries(times: Option<i32>, pause: Option<i32>) -> Result<Retries, Fault> {
    let times = times.map(|times| natural(times, "/retries")).transpose()?;
    let pause = pause.map(|pause| duration(pause, "/retryInterval")).transpose()?;
    Ok(Retries { times, pause })
}

pub(super) fn outcome(action: &str, payload: &str, notes: &mut Notes) -> Result<StationAnswer, Fault> {
    match action {
        DIAGNOSTICS => {
            let answer: kit::GetDiagnosticsResponse = generous(RULES, action, payload, notes)?;
            Ok(StationAnswer::File(name(answer.file_name)))
        }
        LOG => {
            let answer: kit::GetLogResponse = generous(RULES, action, payload, notes)?;
            match answer.status {
                kit::LogStatus::Accepted => Ok(StationAnswer::File(name(answer.filename))),
                kit::LogStatus::AcceptedCanceled => {
                    notes.remark("/status", "accepted, and an earlier upload was given up");
                    Ok(StationAnswer::File(name(answer.filename)))
                }
                other => Ok(answered(other.as_str())),
            }
        }
        // 1.6, 5.19: there is no way to refuse it but an error
        FIRMWARE => object(payload).map(|()| StationAnswer::Accepted),
        SIGNED => {
            let answer: kit::SignedUpdateFirmwareResponse = generous(RULES, action, payload, notes)?;
            if answer.status == kit::UpdateFirmwareStatus::AcceptedCanceled {
                notes.remark("/status", "accepted, and an earlier update was given up");
                return Ok(StationAnswer::Accepted);
            }
            Ok(answered(answer.status.as_str()))
        }
        _ => Err(misfit()),
    }
}

/// 1.6, 5.9: no name means that there is nothing to upload; some stations say it with an empty one.
fn name(name: Option<String>) -> Option<Box<str>> {
    name.filter(|name| !name.is_empty()).map(Into::into)
}

pub(super) fn told(action: &str, payload: &str) -> Result<(ToStation, Told), Fault> {
    let (order, told) = match action {
        DIAGNOSTICS => {
            let order: kit::GetDiagnosticsRequest = strict(payload)?;
            let fetch = UpkeepOrder::FetchLog {
                request: NO_REQUEST,
                kind: LogKind::Diagnostics,
                to: Secret::new(order.location.into()),
                from: order.start_time.map(moment),
                until: order.stop_time.map(moment),
                retries: retries(order.retries, order.retry_interval)?,
                legacy: true,
            };
            (fetch, DIAGNOSTICS)
        }
        LOG => (fetch(strict(payload)?)?, LOG),
        FIRMWARE => {
            let order: kit::UpdateFirmwareRequest = strict(payload)?;
            let firmware = UpkeepOrder::Firmware {
                request: NO_REQUEST,
                from: Secret::new(order.location.into()),
                retrieve_at: moment(order.retrieve_date),
                install_at: None,
                signed: None,
                retries: retries(order.retries, order.retry_interval)?,
            };
            (firmware, FIRMWARE)
        }
        SIGNED => {
            let order: kit::SignedUpdateFirmwareRequest = strict(payload)?;
            let kit::Firmware { signing_certificate, signature, .. } = order.firmware;
            let proof = FirmwareSignature { certificate: signing_certificate.into(), signature: signature.into() };
            let firmware = UpkeepOrder::Firmware {
                request: order.request_id,
                from: Secret::new(order.firmware.location.into()),
                retrieve_at: moment(order.firmware.retrieve_date_time),
                install_at: order.firmware.install_date_time.map(moment),
                signed: Some(proof),
                retries: retries(order.retries, order.retry_interval)?,
            };
            (firmware, SIGNED)
        }
        _ => return Err(misfit()),
    };
    Ok((ToStation::Upkeep(order), Told::Action(told)))
}

fn fetch(order: kit::GetLogRequest) -> Result<UpkeepOrder, Fault> {
    let kind = match order.log_type {
        kit::LogType::DiagnosticsLog => LogKind::Diagnostics,
        kit::LogType::SecurityLog => LogKind::Security,
        _ => return Err(Fault::at(Code::Property, "/logType", "not in the list")),
    };
    Ok(UpkeepOrder::FetchLog {
        request: order.request_id,
        kind,
        to: Secret::new(order.log.remote_location.into()),
        from: order.log.oldest_timestamp.map(moment),
        until: order.log.latest_timestamp.map(moment),
        retries: retries(order.retries, order.retry_interval)?,
        legacy: false,
    })
}

pub(super) fn reply(action: &str, answer: &StationAnswer) -> Result<String, Fault> {
    match (action, answer) {
        (DIAGNOSTICS, StationAnswer::File(name)) => {
            let mut answer = kit::GetDiagnosticsResponse::new();
            answer.file_name = name.as_deref().map(Into::into);
            write(&answer)
        }
        // accepted without a file, or refused: nothing will be uploaded
        (DIAGNOSTICS, answer) => status(answer, &[], "").and_then(|_| write(&kit::GetDiagnosticsResponse::new())),
        (LOG, StationAnswer::File(name)) => {
            let mut answer = kit::GetLogResponse::new(kit::LogStatus::Accepted);
            answer.filename = name.as_deref().map(Into::into);
            write(&answer)
        }
        (LOG, answer) => write(&kit::GetLogResponse::new(kit::LogStatus::from_wire(&status(
            answer,
            kit::LogStatus::VARIANTS,
            "Rejected",
        )?))),
        (FIRMWARE, StationAnswer::Accepted | StationAnswer::Scheduled) => write(&kit::UpdateFirmwareResponse::new()),
        (FIRMWARE, answer) => status(answer, &[], "")
            .and_then(|_| Err(Fault::new(Code::NotSupported, "refused, for which 1.6 has no word"))),
        // an update for later is accepted now
        (SIGNED, StationAnswer::Scheduled) => reply(action, &StationAnswer::Accepted),
        (SIGNED, answer) => write(&kit::SignedUpdateFirmwareResponse::new(kit::UpdateFirmwareStatus::from_wire(
            &status(answer, kit::UpdateFirmwareStatus::VARIANTS, "Rejected")?,
        ))),
        (_, _) => Err(misfit()),
    }
}

/// A station's progress, heard. `None` where the action is none of progress.
pub(super) fn hear(action: &str, payload: &str, notes: &mut Notes) -> Result<Option<(FromStation, Said)>, Fault> {
    let (of, request, status) = match action {
        "DiagnosticsStatusNotification" => {
            let said: kit::DiagnosticsStatusNotificationRequest = generous(RULES, action, payload, notes)?;
            (Work::Diagnostics, None, said.status.to_string())
        }
        "FirmwareStatusNotification" => {
            let said: kit::FirmwareStatusNotificationRequest = generous(RULES, action, payload, notes)?;
            (Work::Firmware, None, said.status.to_string())
        }
        "LogStatusNotification" => {
            let said: kit::LogStatusNotificationRequest = generous(RULES, action, payload, notes)?;
            (Work::Log, said.request_id, said.status.to_string())
        }
        "SignedFirmwareStatusNotification" => {
            let said: kit::SignedFirmwareStatusNotificationRequest = generous(RULES, action, payload, notes)?;
            (Work::SignedFirmware, said.request_id, said.status.to_string())
        }
        _ => return Ok(None),
    };
    let progress = Progress { of, request, status: status.into(), places: Vec::new() };
    Ok(Some((FromStation::Progress(progress), Said::Noted)))
}

pub(super) fn say(progress: &Progress, notes: &mut Notes) -> Result<Call<Said>, LineFault> {
    let Progress { of, request, status, places } = progress;
    if !places.is_empty() {
        return Err(unplaced(notes, "1.6 does not publish firmware"));
    }
    if request.is_some() && matches!(of, Work::Diagnostics | Work::Firmware) {
        notes.remark("", "1.6 does not say which request this progress is of");
    }
    let (action, payload) = match of {
        Work::Firmware => (
            "FirmwareStatusNotification",
            write(&kit::FirmwareStatusNotificationRequest::new(kit::FirmwareStatus::from_wire(status))),
        ),
        Work::Diagnostics => (
            "DiagnosticsStatusNotification",
            write(&kit::DiagnosticsStatusNotificationRequest::new(kit::DiagnosticsStatus::from_wire(status))),
        ),
        Work::Log => {
            let mut message = kit::LogStatusNotificationRequest::new(kit::UploadLogStatus::from_wire(status));
            message.request_id = *request;
            ("LogStatusNotification", write(&message))
        }
        Work::SignedFirmware => {
            let word = kit::SignedFirmwareStatus::from_wire(status);
            let mut message = kit::SignedFirmwareStatusNotificationRequest::new(word);
            message.request_id = *request;
            ("SignedFirmwareStatusNotification", write(&message))
        }
        Work::Publishing => return Err(unplaced(notes, "1.6 does not publish firmware")),
    };
    let payload = payload.map_err(|fault| unfit(notes, &fault))?;
    Ok(Call::new(action, payload, Said::Noted))
}
