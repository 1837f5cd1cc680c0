//! The operator's ear for 2.x: what a station says, and the answers to it.
//!
//! Reads generously: a refused transaction message is repeated for ever by many stations. Deliberately decides
//! nothing. Invariant: the messages of every second cost one strict reading.

use charge::talk::line::{Admission, FromStation, Heard, Version};
use ocpp_kit::v2_1::{self as kit, Action, CsRequest, CsResponse, GenericStatus};

use super::tell::WEB_PAYMENT;
use super::transaction::{boot, event, say_info, say_taken, status, tap, values};
use super::wire::{generous as cold, write};
use super::{
    certificate, charging, count, display, grid, model, monitor, parsed, payment, reservation, terms, text, upkeep,
};
use crate::bridge::{Said, misfit, plausible, wire};
use crate::payload::{self, Notes, generous};
use crate::rules::{Code, Fault, Rules};

pub(in crate::bridge) fn hear(
    version: Version,
    action: &str,
    payload: &str,
    notes: &mut Notes,
) -> Result<(FromStation, Said), Fault> {
    let rules = Rules::of(version);
    match action {
        "Heartbeat" => {
            generous::<kit::HeartbeatRequest>(rules, action, payload, notes)?;
            Ok((FromStation::Alive, Said::Alive))
        }
        "BootNotification" => Ok((boot(generous(rules, action, payload, notes)?), Said::Boot)),
        "Authorize" => Ok((tap(&generous(rules, action, payload, notes)?, notes)?, Said::Tap)),
        "StatusNotification" => Ok((status(&generous(rules, action, payload, notes)?, notes)?, Said::Noted)),
        "TransactionEvent" => {
            let report = event(generous(rules, action, payload, notes)?, notes)?;
            let stage = report.stage;
            Ok((FromStation::Transaction(report), Said::Transaction(stage)))
        }
        "MeterValues" => Ok((values(generous(rules, action, payload, notes)?, notes), Said::Noted)),
        "NotifyReport" => {
            let news = model::report(generous(rules, action, payload, notes)?, notes)?;
            Ok((FromStation::Model(news), Said::Noted))
        }
        "NotifyEvent" => {
            let news = model::events(generous(rules, action, payload, notes)?, notes);
            Ok((FromStation::Model(news), Said::Noted))
        }
        "NotifyMonitoringReport" => {
            Ok((FromStation::Model(monitor::report(version, action, payload, notes)?), Said::Noted))
        }
        WEB_PAYMENT if version != Version::V201 => {
            Err(Fault::new(Code::NotSupported, "an order, which only the operator gives"))
        }
        action => {
            let said: CsRequest = cold(version, action, payload, notes)?;
            let answered = remembered(&said);
            Ok((word(said, notes)?, answered))
        }
    }
}

/// What the answer needs. The others are answered with an empty object.
fn remembered(said: &CsRequest) -> Said {
    match said {
        CsRequest::VatNumberValidation(said) => {
            Said::VatNumber { number: charge::Personal::new(said.vat_number.as_str().into()), evse: said.evse_id }
        }
        CsRequest::BatterySwap(_)
        | CsRequest::DataTransfer(_)
        | CsRequest::Get15118EVCertificate(_)
        | CsRequest::GetCertificateChainStatus(_)
        | CsRequest::GetCertificateStatus(_)
        | CsRequest::NotifyEVChargingNeeds(_)
        | CsRequest::NotifyEVChargingSchedule(_)
        | CsRequest::NotifySettlement(_)
        | CsRequest::OpenPeriodicEventStream(_)
        | CsRequest::PullDynamicScheduleUpdate(_)
        | CsRequest::SignCertificate(_) => Said::Action(said.action().as_str()),
        _ => Said::Noted,
    }
}

fn word(said: CsRequest, notes: &mut Notes) -> Result<FromStation, Fault> {
    Ok(match said.action() {
        Action::ReportChargingProfiles
        | Action::NotifyChargingLimit
        | Action::ClearedChargingLimit
        | Action::NotifyEVChargingNeeds
        | Action::NotifyEVChargingSchedule
        | Action::NotifyPriorityCharging
        | Action::PullDynamicScheduleUpdate => FromStation::Charging(charging::hear(said)?),
        Action::SignCertificate
        | Action::Get15118EVCertificate
        | Action::GetCertificateStatus
        | Action::GetCertificateChainStatus => FromStation::Certificate(certificate::hear(said)?),
        Action::OpenPeriodicEventStream | Action::ClosePeriodicEventStream | Action::NotifyPeriodicEventStream => {
            FromStation::Model(monitor::hear(said)?)
        }
        Action::ReportDERControl | Action::NotifyDERAlarm | Action::NotifyDERStartStop => {
            FromStation::Grid(grid::hear(said)?)
        }
        Action::NotifySettlement | Action::VatNumberValidation => FromStation::Payment(payment::hear(said)?),
        Action::FirmwareStatusNotification
        | Action::LogStatusNotification
        | Action::PublishFirmwareStatusNotification => FromStation::Progress(upkeep::hear(said)?),
        _ => return others(said, notes),
    })
}

fn others(said: CsRequest, notes: &mut Notes) -> Result<FromStation, Fault> {
    Ok(match said {
        CsRequest::SecurityEventNotification(said) => {
            let at = plausible(said.timestamp, "/timestamp", notes);
            FromStation::Security { kind: said.r#type.into(), at, detail: said.tech_info.map(Into::into) }
        }
        CsRequest::ReservationStatusUpdate(said) => FromStation::Reservation {
            id: said.reservation_id,
            end: reservation::end(&said.reservation_update_status)?,
        },
        CsRequest::NotifyDisplayMessages(said) => FromStation::Display(display::hear(said)?),
        CsRequest::NotifyCustomerInformation(said) => FromStation::Customer(display::customer(said, notes)),
        CsRequest::BatterySwap(said) => FromStation::Swap(grid::swap(said)?),
        CsRequest::DataTransfer(said) => FromStation::Vendor(payment::vendor(said)?),
        _ => return Err(super::astray()),
    })
}

pub(in crate::bridge) fn answer(
    version: Version,
    said: &Said,
    heard: Heard,
    notes: &mut Notes,
) -> Result<String, Fault> {
    match (said, heard) {
        (Said::Boot, Heard::Boot { admitted, now, interval }) => {
            let status = match admitted {
                Admission::Accepted => kit::RegistrationStatus::Accepted,
                Admission::Pending => kit::RegistrationStatus::Pending,
                Admission::Rejected => kit::RegistrationStatus::Rejected,
            };
            // an interval of 0 makes stations flood (quirk 23)
            let seconds = i32::try_from(interval.as_secs()).unwrap_or(i32::MAX).max(1);
            payload::write(&kit::BootNotificationResponse::new(wire(now.whole_seconds()), seconds, status))
        }
        (Said::Tap, Heard::Tap(verdict)) => payload::write(&kit::AuthorizeResponse::new(say_info(&verdict))),
        (Said::Tap, Heard::Offered { verdict, offer }) => {
            let mut out = kit::AuthorizeResponse::new(say_info(&verdict));
            terms::say_offer(version, &mut out, &offer, notes)?;
            payload::write(&out)
        }
        (Said::Transaction(_), Heard::Transaction { verdict, cost, advice, .. }) => {
            payload::write(&say_taken(version, verdict.as_ref(), cost, advice.as_deref(), notes)?)
        }
        (Said::Action(action), heard) => named(version, action, heard),
        (Said::VatNumber { number, evse }, Heard::Company(company)) => {
            let status = if company.is_some() { GenericStatus::Accepted } else { GenericStatus::Rejected };
            let number = number.reveal(charge::Purpose::Transmit).to_string();
            let mut out = kit::VatNumberValidationResponse::new(number, status);
            out.company = company.as_ref().map(parsed).transpose()?;
            out.evse_id = *evse;
            sent(version, &CsResponse::VatNumberValidation(out))
        }
        (_, _) => Err(misfit()),
    }
}

fn sent(version: Version, answer: &CsResponse) -> Result<String, Fault> {
    write(version, answer).map(|(_, payload)| payload)
}

const fn generic(taken: bool) -> GenericStatus {
    if taken { GenericStatus::Accepted } else { GenericStatus::Rejected }
}

fn named(version: Version, action: &str, heard: Heard) -> Result<String, Fault> {
    let response = match (action, heard) {
        ("SignCertificate", Heard::Taken(taken)) => {
            CsResponse::SignCertificate(kit::SignCertificateResponse::new(generic(taken)))
        }
        ("OpenPeriodicEventStream", Heard::Taken(taken)) => {
            CsResponse::OpenPeriodicEventStream(kit::OpenPeriodicEventStreamResponse::new(generic(taken)))
        }
        ("NotifyEVChargingSchedule", Heard::Taken(taken)) => {
            CsResponse::NotifyEVChargingSchedule(kit::NotifyEVChargingScheduleResponse::new(generic(taken)))
        }
        ("NotifyEVChargingSchedule", Heard::Noted) => {
            CsResponse::NotifyEVChargingSchedule(kit::NotifyEVChargingScheduleResponse::new(generic(true)))
        }
        // its answer has no word of refusal
        ("BatterySwap", Heard::Noted | Heard::Taken(true)) => return Ok("{}".to_owned()),
        ("BatterySwap", Heard::Taken(false)) => {
            return Err(Fault::new(Code::NotSupported, "the battery swap is not taken"));
        }
        ("NotifyEVChargingNeeds", Heard::Needs(verdict)) => {
            let status = charging::say_needs(verdict, version == Version::V201);
            CsResponse::NotifyEVChargingNeeds(kit::NotifyEVChargingNeedsResponse::new(status))
        }
        ("PullDynamicScheduleUpdate", Heard::Limits(limits)) => {
            CsResponse::PullDynamicScheduleUpdate(charging::say_limits(limits.as_ref())?)
        }
        ("Get15118EVCertificate", Heard::Exi { body, remaining }) => {
            let status = match body {
                Some(_) => kit::Iso15118EVCertificateStatus::Accepted,
                None => kit::Iso15118EVCertificateStatus::Failed,
            };
            let mut out = kit::Get15118EVCertificateResponse::new(status, body.as_deref().unwrap_or_default());
            out.remaining_contracts = remaining.map(count);
            CsResponse::Get15118EVCertificate(out)
        }
        ("GetCertificateStatus", Heard::Ocsp(result)) => {
            let status = match result {
                Some(_) => kit::GetCertificateStatusEnum::Accepted,
                None => kit::GetCertificateStatusEnum::Failed,
            };
            let mut out = kit::GetCertificateStatusResponse::new(status);
            out.ocsp_result = text(result.as_deref());
            CsResponse::GetCertificateStatus(out)
        }
        ("GetCertificateChainStatus", Heard::ChainStatus(answers)) => {
            CsResponse::GetCertificateChainStatus(certificate::say_chain(&answers))
        }
        ("NotifySettlement", Heard::Receipt { id, url }) => {
            let mut out = kit::NotifySettlementResponse::new();
            out.receipt_id = text(id.as_deref());
            out.receipt_url = text(url.as_deref());
            CsResponse::NotifySettlement(out)
        }
        ("NotifySettlement", Heard::Noted) => return Ok("{}".to_owned()),
        ("DataTransfer", Heard::Vendor(answer)) => CsResponse::DataTransfer(payment::say_vendor_answer(&answer)?),
        (_, _) => return Err(misfit()),
    };
    sent(version, &response)
}
