//! Firmware and logs (blocks L and N): orders for files, and how far the station is with them.
//!
//! Deliberately no look at a file. Invariant: a location is a secret until it is on the wire, because it may carry a
//! password.

use std::time::Duration;

use charge::Secret;
use charge::talk::line::upkeep::{FirmwareSignature, LogKind, Progress, Retries, UpkeepOrder, Work};
use ocpp_kit::v2_1::{self as kit, CsRequest, CsmsRequest};

use super::{astray, boxes, count, seconds, some, strings, text, unsaid, when, whole};
use crate::bridge::{moment, wire};
use crate::rules::Fault;

fn retries(times: Option<i32>, pause: Option<i32>) -> Result<Retries, Fault> {
    let times = times.map(|times| whole(times, "/retries")).transpose()?;
    let pause = pause.map(|pause| whole(pause, "/retryInterval")).transpose()?;
    Ok(Retries { times, pause: pause.map(|seconds| Duration::from_secs(seconds.into())) })
}

fn say_retries(retries: &Retries) -> (Option<i32>, Option<i32>) {
    (retries.times.map(count), retries.pause.map(|pause: Duration| seconds(pause)))
}

pub(super) fn told(order: CsmsRequest) -> Result<UpkeepOrder, Fault> {
    Ok(match order {
        CsmsRequest::GetLog(order) => UpkeepOrder::FetchLog {
            request: order.request_id,
            kind: match order.log_type {
                kit::Log::SecurityLog => LogKind::Security,
                kit::Log::DataCollectorLog => LogKind::DataCollector,
                _ => LogKind::Diagnostics,
            },
            to: Secret::new(order.log.remote_location.into()),
            from: when(order.log.oldest_timestamp),
            until: when(order.log.latest_timestamp),
            retries: retries(order.retries, order.retry_interval)?,
            legacy: false,
        },
        CsmsRequest::UpdateFirmware(order) => {
            let firmware = order.firmware;
            let signed = match (firmware.signing_certificate, firmware.signature) {
                (Some(certificate), Some(signature)) => {
                    Some(FirmwareSignature { certificate: certificate.into(), signature: signature.into() })
                }
                (_, _) => None,
            };
            UpkeepOrder::Firmware {
                request: order.request_id,
                from: Secret::new(firmware.location.into()),
                retrieve_at: moment(firmware.retrieve_date_time),
                install_at: when(firmware.install_date_time),
                signed,
                retries: retries(order.retries, order.retry_interval)?,
            }
        }
        CsmsRequest::PublishFirmware(order) => UpkeepOrder::Publish {
            request: order.request_id,
            from: Secret::new(order.location.into()),
            md5: order.checksum.into(),
            retries: retries(order.retries, order.retry_interval)?,
        },
        CsmsRequest::UnpublishFirmware(order) => UpkeepOrder::Unpublish { md5: order.checksum.into() },
        _ => return Err(astray()),
    })
}

pub(super) fn order(order: &UpkeepOrder) -> Result<CsmsRequest, Fault> {
    Ok(match order {
        UpkeepOrder::FetchLog { legacy: true, .. } => return Err(unsaid("GetDiagnostics is a message of 1.6")),
        UpkeepOrder::FetchLog { request, kind, to, from, until, retries, legacy: false } => {
            let kind = match kind {
                LogKind::Diagnostics => kit::Log::DiagnosticsLog,
                LogKind::Security => kit::Log::SecurityLog,
                LogKind::DataCollector => kit::Log::DataCollectorLog,
            };
            let mut log = kit::LogParameters::new(&**to.expose());
            log.oldest_timestamp = from.map(wire);
            log.latest_timestamp = until.map(wire);
            let mut out = kit::GetLogRequest::new(log, kind, *request);
            (out.retries, out.retry_interval) = say_retries(retries);
            CsmsRequest::GetLog(out)
        }
        UpkeepOrder::Firmware { request, from, retrieve_at, install_at, signed, retries } => {
            let mut firmware = kit::Firmware::new(&**from.expose(), wire(*retrieve_at));
            firmware.install_date_time = install_at.map(wire);
            firmware.signing_certificate = text(signed.as_ref().map(|signed| &*signed.certificate));
            firmware.signature = text(signed.as_ref().map(|signed| &*signed.signature));
            let mut out = kit::UpdateFirmwareRequest::new(*request, firmware);
            (out.retries, out.retry_interval) = say_retries(retries);
            CsmsRequest::UpdateFirmware(out)
        }
        UpkeepOrder::Publish { request, from, md5, retries } => {
            let mut out = kit::PublishFirmwareRequest::new(&**from.expose(), &**md5, *request);
            (out.retries, out.retry_interval) = say_retries(retries);
            CsmsRequest::PublishFirmware(out)
        }
        UpkeepOrder::Unpublish { md5 } => CsmsRequest::UnpublishFirmware(kit::UnpublishFirmwareRequest::new(&**md5)),
    })
}

pub(super) fn hear(said: CsRequest) -> Result<Progress, Fault> {
    let progress = |of, request, status: &str, places| Progress { of, request, status: status.into(), places };
    Ok(match said {
        CsRequest::FirmwareStatusNotification(said) => {
            progress(Work::Firmware, said.request_id, said.status.as_str(), Vec::new())
        }
        CsRequest::LogStatusNotification(said) => {
            progress(Work::Log, said.request_id, said.status.as_str(), Vec::new())
        }
        CsRequest::PublishFirmwareStatusNotification(said) => {
            let places = boxes(said.location.unwrap_or_default());
            progress(Work::Publishing, said.request_id, said.status.as_str(), places)
        }
        _ => return Err(astray()),
    })
}

pub(super) fn say(progress: &Progress) -> Result<CsRequest, Fault> {
    Ok(match progress.of {
        Work::Firmware | Work::SignedFirmware => {
            let status = kit::FirmwareStatus::from_wire(&progress.status);
            let mut out = kit::FirmwareStatusNotificationRequest::new(status);
            out.request_id = progress.request;
            CsRequest::FirmwareStatusNotification(out)
        }
        Work::Log => {
            let mut out = kit::LogStatusNotificationRequest::new(kit::UploadLogStatus::from_wire(&progress.status));
            out.request_id = progress.request;
            CsRequest::LogStatusNotification(out)
        }
        Work::Publishing => {
            let status = kit::PublishFirmwareStatus::from_wire(&progress.status);
            let mut out = kit::PublishFirmwareStatusNotificationRequest::new(status);
            out.location = some(strings(&progress.places));
            out.request_id = progress.request;
            CsRequest::PublishFirmwareStatusNotification(out)
        }
        Work::Diagnostics => return Err(unsaid("2.x has no such progress")),
    })
}
