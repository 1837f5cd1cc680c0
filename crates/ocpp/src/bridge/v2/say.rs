//! The station's voice in 2.x: its messages, and the operator's answers to them.
//!
//! Deliberately strict in what it sends. Invariant: what the version cannot carry is refused, or remarked where the
//! rest is worth sending.

use std::time::Duration;

use charge::talk::line::model::ModelNews;
use charge::talk::line::{Admission, FromStation, Heard, LineFault, Version};
use ocpp_kit::v2_1::{self as kit, CsRequest, CsResponse, GenericStatus};

use super::transaction::{info_of, say_boot, say_event, say_status, say_tap, say_values, taken};
use super::wire::{check, generous as cold, write};
use super::{
    boxed, certificate, charging, display, document, grid, model, monitor, natural, payment, reservation, terms, text,
    upkeep,
};
use crate::bridge::{Call, Said, misfit, moment, unfit, unplaced, wire};
use crate::payload::{self, Notes, generous};
use crate::rules::{Fault, Rules};

pub(in crate::bridge) fn say(version: Version, what: &FromStation, notes: &mut Notes) -> Result<Call<Said>, LineFault> {
    let call = match what {
        FromStation::Alive => Ok(Call::new("Heartbeat", "{}".to_owned(), Said::Alive)),
        FromStation::Status(status) => payload::write(&say_status(status, notes))
            .map(|payload| Call::new("StatusNotification", payload, Said::Noted)),
        FromStation::Transaction(report) => say_event(version, report, notes)
            .and_then(|message| payload::write(&message))
            .map(|payload| Call::new("TransactionEvent", payload, Said::Transaction(report.stage))),
        FromStation::Meter(report) => say_values(version, report, notes)
            .and_then(|message| payload::write(&message))
            .map(|payload| Call::new("MeterValues", payload, Said::Noted)),
        FromStation::Model(news @ ModelNews::Monitors { .. }) if version == Version::V201 => {
            monitor::say_old_report(news)
                .and_then(|message| payload::write(&message))
                .map(|payload| Call::new("NotifyMonitoringReport", payload, Said::Noted))
        }
        FromStation::Foreign(message) => {
            let action = kit::Action::from_wire(&message.action).map(kit::Action::as_str);
            let action = action.ok_or_else(|| unplaced(notes, "not an action of the version"))?;
            check::<CsRequest>(version, action, &message.body)
                .map(|()| Call::new(action, message.body.to_string(), Said::Foreign(message.action.clone())))
        }
        what => request(what)
            .and_then(|request| write(version, &request))
            .map(|(action, payload)| Call::new(action, payload, said(what, action))),
    };
    call.map_err(|fault| unfit(notes, &fault))
}

fn request(what: &FromStation) -> Result<CsRequest, Fault> {
    Ok(match what {
        FromStation::Boot(boot) => CsRequest::BootNotification(say_boot(boot)),
        FromStation::Tap(tap) => CsRequest::Authorize(say_tap(tap)?),
        FromStation::Security { kind, at, detail } => {
            let mut out = kit::SecurityEventNotificationRequest::new(&**kind, wire(*at));
            out.tech_info = text(detail.as_deref());
            CsRequest::SecurityEventNotification(out)
        }
        FromStation::Charging(news) => charging::say(news)?,
        FromStation::Reservation { id, end } => CsRequest::ReservationStatusUpdate(
            kit::ReservationStatusUpdateRequest::new(*id, reservation::say_end(*end)),
        ),
        FromStation::Progress(progress) => upkeep::say(progress)?,
        FromStation::Certificate(news) => certificate::say(news),
        FromStation::Model(news) => model::say(news)?,
        FromStation::Display(news) => display::say(news)?,
        FromStation::Customer(news) => display::say_customer(news),
        FromStation::Grid(news) => grid::say(news)?,
        FromStation::Swap(news) => grid::say_swap(news)?,
        FromStation::Payment(news) => payment::say(news)?,
        FromStation::Vendor(vendor) => CsRequest::DataTransfer(payment::say_vendor(vendor)?),
        FromStation::Alive
        | FromStation::Status(_)
        | FromStation::Transaction(_)
        | FromStation::Meter(_)
        | FromStation::Foreign(_) => return Err(misfit()),
    })
}

fn said(what: &FromStation, action: &'static str) -> Said {
    match (what, action) {
        (FromStation::Boot(_), _) => Said::Boot,
        (FromStation::Tap(_), _) => Said::Tap,
        (
            _,
            "BatterySwap"
            | "DataTransfer"
            | "Get15118EVCertificate"
            | "GetCertificateChainStatus"
            | "GetCertificateStatus"
            | "NotifyEVChargingNeeds"
            | "NotifyEVChargingSchedule"
            | "NotifySettlement"
            | "OpenPeriodicEventStream"
            | "PullDynamicScheduleUpdate"
            | "SignCertificate"
            | "VatNumberValidation",
        ) => Said::Action(action),
        (_, _) => Said::Noted,
    }
}

pub(in crate::bridge) fn heard(
    version: Version,
    said: &Said,
    action: &str,
    payload: &str,
    notes: &mut Notes,
) -> Result<Heard, Fault> {
    let rules = Rules::of(version);
    match said {
        Said::Boot => {
            let answer: kit::BootNotificationResponse = generous(rules, action, payload, notes)?;
            let admitted = match answer.status {
                kit::RegistrationStatus::Accepted => Admission::Accepted,
                kit::RegistrationStatus::Pending => Admission::Pending,
                _ => Admission::Rejected,
            };
            let interval = Duration::from_secs(u64::try_from(answer.interval).unwrap_or(0));
            Ok(Heard::Boot { admitted, now: moment(answer.current_time), interval })
        }
        Said::Alive => {
            let answer: kit::HeartbeatResponse = generous(rules, action, payload, notes)?;
            Ok(Heard::Alive { now: moment(answer.current_time) })
        }
        Said::Tap => {
            let answer: kit::AuthorizeResponse = generous(rules, action, payload, notes)?;
            let verdict = info_of(&answer.id_token_info, notes);
            Ok(match terms::offer(answer, notes) {
                Some(offer) => Heard::Offered { verdict, offer: Box::new(offer) },
                None => Heard::Tap(verdict),
            })
        }
        Said::Transaction(_) => Ok(taken(&generous(rules, action, payload, notes)?, notes)),
        Said::Action(_) | Said::VatNumber { .. } => named(cold(version, action, payload, notes)?),
        Said::Noted | Said::Foreign(_) => Err(misfit()),
    }
}

fn named(answer: CsResponse) -> Result<Heard, Fault> {
    let taken = |status: &GenericStatus| Heard::Taken(*status == GenericStatus::Accepted);
    Ok(match answer {
        CsResponse::SignCertificate(answer) => taken(&answer.status),
        CsResponse::OpenPeriodicEventStream(answer) => taken(&answer.status),
        CsResponse::NotifyEVChargingSchedule(answer) => taken(&answer.status),
        CsResponse::BatterySwap(_) => Heard::Taken(true),
        CsResponse::NotifyEVChargingNeeds(answer) => Heard::Needs(charging::needs(&answer.status)),
        CsResponse::PullDynamicScheduleUpdate(answer) => {
            Heard::Limits(answer.schedule_update.as_ref().map(document).transpose()?)
        }
        CsResponse::Get15118EVCertificate(answer) => {
            let good = answer.status == kit::Iso15118EVCertificateStatus::Accepted;
            Heard::Exi {
                body: good.then(|| answer.exi_response.into()),
                remaining: answer.remaining_contracts.map(natural),
            }
        }
        CsResponse::GetCertificateStatus(answer) => Heard::Ocsp(boxed(answer.ocsp_result)),
        CsResponse::GetCertificateChainStatus(answer) => Heard::ChainStatus(certificate::chain(answer)),
        CsResponse::NotifySettlement(answer) => {
            Heard::Receipt { id: boxed(answer.receipt_id), url: boxed(answer.receipt_url) }
        }
        CsResponse::VatNumberValidation(answer) => Heard::Company(answer.company.as_ref().map(document).transpose()?),
        CsResponse::DataTransfer(answer) => Heard::Vendor(payment::vendor_answer(&answer)?),
        _ => return Err(super::astray()),
    })
}
