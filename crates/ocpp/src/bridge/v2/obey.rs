//! The station's ear for 2.x: orders, and its answers to them.
//!
//! Deliberately strict: an operator that sends broken orders hears the exact code of its version. Invariant: a status
//! word that an answer's list does not have never leaves us.

use charge::talk::line::model::ModelOrder;
use charge::talk::line::payment::PaymentOrder;
use charge::talk::line::{Foreign, StationAnswer, ToStation, Version};
use ocpp_kit::v2_1::{self as kit, Action, CsmsRequest, CsmsResponse};

use super::tell::WEB_PAYMENT;
use super::wire::{strict, write};
use super::{
    certificate, charging, display, grid, key_text, model, monitor, natural, one_evse, payment, provision, reservation,
    status, tariff, text, upkeep, variables,
};
use crate::bridge::{Told, misfit};
use crate::payload::object;
use crate::rules::{Code, Fault};

pub(in crate::bridge) fn told(version: Version, action: &str, payload: &str) -> Result<(ToStation, Told), Fault> {
    if action == WEB_PAYMENT && version != Version::V201 {
        let order: kit::NotifyWebPaymentStartedRequest = crate::payload::strict(payload)?;
        let order = PaymentOrder::WebStarted { evse: one_evse(order.evse_id)?, seconds: natural(order.timeout) };
        return Ok((ToStation::Payment(order), Told::Action(WEB_PAYMENT)));
    }
    let order: CsmsRequest = strict(version, action, payload)?;
    let named = order.action().as_str();
    // what is asked for is named again in the answer
    let order = match order {
        CsmsRequest::GetVariables(order) => {
            let asked = variables::asked(&order);
            return Ok((variables::read(&asked), Told::Variables(named, asked)));
        }
        CsmsRequest::SetVariables(order) => {
            let (asked, order) = variables::written(order);
            return Ok((order, Told::Variables(named, asked)));
        }
        order => order,
    };
    match word(order)? {
        // its answer names kind and severity of each monitor again
        Some(ToStation::Model(ModelOrder::Watch(monitors))) => {
            let asked = monitors.iter().map(|monitor| (monitor.kind, monitor.severity)).collect();
            Ok((ToStation::Model(ModelOrder::Watch(monitors)), Told::Watch(asked)))
        }
        Some(order) => Ok((order, Told::Action(named))),
        None => {
            let order = Foreign { action: action.into(), body: payload.into() };
            Ok((ToStation::Foreign(order), Told::Action(named)))
        }
    }
}

/// The word of an order; `None` where it has none, and the station is to refuse it.
fn word(order: CsmsRequest) -> Result<Option<ToStation>, Fault> {
    Ok(Some(match order.action() {
        Action::SetChargingProfile
        | Action::ClearChargingProfile
        | Action::GetChargingProfiles
        | Action::GetCompositeSchedule
        | Action::UpdateDynamicSchedule
        | Action::UsePriorityCharging
        | Action::NotifyAllowedEnergyTransfer => ToStation::Charging(charging::told(order)?),
        Action::ReserveNow | Action::CancelReservation => ToStation::Reservation(reservation::told(order)?),
        Action::SendLocalList | Action::GetLocalListVersion => ToStation::List(reservation::list_told(order)?),
        Action::GetLog | Action::UpdateFirmware | Action::PublishFirmware | Action::UnpublishFirmware => {
            ToStation::Upkeep(upkeep::told(order)?)
        }
        Action::CertificateSigned
        | Action::InstallCertificate
        | Action::DeleteCertificate
        | Action::GetInstalledCertificateIds => ToStation::Certificate(certificate::told(order)?),
        Action::GetBaseReport
        | Action::GetReport
        | Action::SetNetworkProfile
        | Action::GetTransactionStatus
        | Action::SetMonitoringBase
        | Action::SetMonitoringLevel
        | Action::SetVariableMonitoring
        | Action::ClearVariableMonitoring
        | Action::GetMonitoringReport
        | Action::AdjustPeriodicEventStream
        | Action::GetPeriodicEventStream => ToStation::Model(model::told(order)?),
        Action::SetDisplayMessage | Action::GetDisplayMessages | Action::ClearDisplayMessage => {
            ToStation::Display(display::told(order)?)
        }
        Action::CostUpdated
        | Action::SetDefaultTariff
        | Action::GetTariffs
        | Action::ClearTariffs
        | Action::ChangeTransactionTariff => ToStation::Tariff(tariff::told(order)?),
        Action::SetDERControl | Action::GetDERControl | Action::ClearDERControl | Action::AFRRSignal => {
            ToStation::Grid(grid::told(order)?)
        }
        _ => return others(order),
    }))
}

fn others(order: CsmsRequest) -> Result<Option<ToStation>, Fault> {
    Ok(match order {
        CsmsRequest::CustomerInformation(order) => Some(ToStation::Customer(display::customer_told(order)?)),
        CsmsRequest::RequestBatterySwap(order) => Some(ToStation::Swap(grid::swap_told(&order)?)),
        CsmsRequest::DataTransfer(order) => Some(ToStation::Vendor(payment::vendor(order)?)),
        order => provision::told(order)?,
    })
}

pub(in crate::bridge) fn reply(version: Version, told: &Told, answer: &StationAnswer) -> Result<String, Fault> {
    match told {
        Told::Watch(asked) => match answer {
            StationAnswer::Monitors(_) => {
                sent(version, CsmsResponse::SetVariableMonitoring(monitor::say_set(asked, answer)?))
            }
            other => unserved(other),
        },
        Told::Variables(action, asked) => match answer {
            StationAnswer::Settings { known, unknown } => {
                sent(version, CsmsResponse::GetVariables(variables::say_read(asked, known, unknown)))
            }
            StationAnswer::Written(rows) => {
                sent(version, CsmsResponse::SetVariables(variables::say_written(asked, rows)))
            }
            other => answered(version, action, other),
        },
        Told::Action(action) => answered(version, action, answer),
        // in a message that 1.6 carries
        Told::Trigger => answered(version, "TriggerMessage", answer),
        Told::Start
        | Told::Stop
        | Told::Reset
        | Told::Unlock
        | Told::Availability
        | Told::ClearCache
        | Told::Read
        | Told::Report
        | Told::Write(_)
        | Told::Certificates(_)
        | Told::Foreign(_) => Err(misfit()),
    }
}

fn sent(version: Version, answer: CsmsResponse) -> Result<String, Fault> {
    write(version, &answer).map(|(_, payload)| payload)
}

/// What a station that does not serve an order says where the answer has no word for it.
fn unserved(answer: &StationAnswer) -> Result<String, Fault> {
    match answer {
        StationAnswer::Refused(word) if &**word == "NotImplemented" => {
            Err(Fault::new(Code::NotImplemented, "not implemented here"))
        }
        StationAnswer::Refused(_) => Err(Fault::new(Code::NotSupported, "not served here")),
        _ => Err(misfit()),
    }
}

fn answered(version: Version, action: &'static str, answer: &StationAnswer) -> Result<String, Fault> {
    let response = match (action, answer) {
        (_, StationAnswer::Foreign(foreign)) => return object(&foreign.body).map(|()| foreign.body.to_string()),
        (WEB_PAYMENT | "CostUpdated", StationAnswer::Accepted) => return Ok("{}".to_owned()),
        ("RequestStartTransaction", StationAnswer::Started(key)) => {
            let mut out = kit::RequestStartTransactionResponse::new(kit::RequestStartStopStatus::Accepted);
            out.transaction_id = key.as_ref().map(key_text).transpose()?;
            CsmsResponse::RequestStartTransaction(out)
        }
        ("GetLocalListVersion", StationAnswer::Number(number)) => {
            CsmsResponse::GetLocalListVersion(kit::GetLocalListVersionResponse::new(*number))
        }
        ("GetLog", StationAnswer::File(name)) => {
            let mut out = kit::GetLogResponse::new(kit::LogStatus::Accepted);
            out.filename = text(name.as_deref());
            CsmsResponse::GetLog(out)
        }
        ("GetCompositeSchedule", StationAnswer::Composite(composite)) => {
            let mut out = kit::GetCompositeScheduleResponse::new(kit::GenericStatus::Accepted);
            out.schedule = Some(charging::say_composite(composite)?);
            CsmsResponse::GetCompositeSchedule(out)
        }
        ("GetInstalledCertificateIds", StationAnswer::Certificates(list)) => {
            CsmsResponse::GetInstalledCertificateIds(certificate::say_installed(list)?)
        }
        ("ClearVariableMonitoring", StationAnswer::Items(_)) => {
            CsmsResponse::ClearVariableMonitoring(monitor::say_cleared(answer)?)
        }
        ("GetPeriodicEventStream", StationAnswer::Streams(_)) => {
            CsmsResponse::GetPeriodicEventStream(monitor::say_streams(answer)?)
        }
        ("ClearTariffs", StationAnswer::Items(_)) => CsmsResponse::ClearTariffs(tariff::say_cleared(answer)?),
        ("GetTariffs", StationAnswer::Tariffs(tariffs)) => CsmsResponse::GetTariffs(tariff::say_kept(tariffs)),
        ("SetDERControl", StationAnswer::Items(items)) => CsmsResponse::SetDERControl(grid::say_set(items)),
        ("GetTransactionStatus", StationAnswer::Pending { ongoing, queued }) => {
            let mut out = kit::GetTransactionStatusResponse::new(*queued);
            out.ongoing_indicator = *ongoing;
            CsmsResponse::GetTransactionStatus(out)
        }
        ("DataTransfer", StationAnswer::Vendor(answer)) => {
            CsmsResponse::DataTransfer(payment::say_vendor_answer(answer)?)
        }
        ("DataTransfer", StationAnswer::Refused(_)) => {
            let refused = kit::DataTransferStatus::UnknownVendorId;
            CsmsResponse::DataTransfer(kit::DataTransferResponse::new(refused))
        }
        (
            WEB_PAYMENT
            | "CostUpdated"
            | "GetVariables"
            | "SetVariables"
            | "GetLocalListVersion"
            | "ClearVariableMonitoring"
            | "GetPeriodicEventStream"
            | "ClearTariffs"
            | "GetTransactionStatus",
            answer,
        ) => return unserved(answer),
        (action, answer) => return status::write(version, action, answer),
    };
    sent(version, response)
}
