//! The operator's voice in 2.x: orders to a station, and its answers.
//!
//! Deliberately strict in what it sends, and blind to how many variables one message may hold: that is a setting of
//! the station. Invariant: an order whose form the version does not have is refused before it is sent.

use charge::talk::line::model::{ModelOrder, ReportKind};
use charge::talk::line::payment::PaymentOrder;
use charge::talk::line::{Foreign, LineFault, StationAnswer, ToStation, Version};
use ocpp_kit::v2_1::{self as kit, Action, CsmsRequest, CsmsResponse, GetInstalledCertificateStatus, TariffGetStatus};

use super::wire::{check, generous, write};
use super::{
    boxed, certificate, charging, display, evse_id, grid, key, model, monitor, payment, provision, reservation, status,
    tariff, unsaid, upkeep,
};
use crate::bridge::{Call, Report, Told, misfit, unfit, unplaced};
use crate::payload::{Notes, strict};
use crate::rules::{Code, Fault};

/// The order that the wrapped library takes for a station's message.
pub(super) const WEB_PAYMENT: &str = "NotifyWebPaymentStarted";

pub(in crate::bridge) fn order(
    version: Version,
    what: &ToStation,
    report: &mut Report,
    notes: &mut Notes,
) -> Result<Call<Told>, LineFault> {
    if let ToStation::Foreign(foreign) = what {
        return self::foreign(version, foreign, notes);
    }
    let call = match what {
        ToStation::Payment(PaymentOrder::WebStarted { evse, seconds }) => web_payment(
            version,
            &kit::NotifyWebPaymentStartedRequest::new(evse_id(Some(*evse)), super::count(*seconds)),
        ),
        what => request(what, report)
            .and_then(|request| write(version, &request))
            .map(|(action, payload)| Call::new(action, payload, told(what, action))),
    };
    call.map_err(|fault| unfit(notes, &fault))
}

fn told(what: &ToStation, action: &'static str) -> Told {
    match what {
        ToStation::ReadSettings { keys } if keys.is_empty() => Told::Report,
        _ => Told::Action(action),
    }
}

fn web_payment(version: Version, order: &kit::NotifyWebPaymentStartedRequest) -> Result<Call<Told>, Fault> {
    if version == Version::V201 {
        return Err(unsaid("not an action of 2.0.1"));
    }
    Ok(Call::new(WEB_PAYMENT, crate::payload::write(order)?, Told::Action(WEB_PAYMENT)))
}

fn request(what: &ToStation, report: &mut Report) -> Result<CsmsRequest, Fault> {
    Ok(match what {
        ToStation::Start { evse, token, remote_id, profile } => {
            provision::start(*evse, token, *remote_id, profile.as_deref())?
        }
        ToStation::Stop { key } => {
            CsmsRequest::RequestStopTransaction(kit::RequestStopTransactionRequest::new(super::key_text(key)?))
        }
        ToStation::Reset(kind) => provision::reset(*kind),
        ToStation::Unlock { evse } => provision::unlock(*evse),
        ToStation::Availability { evse, connector, operative } => {
            provision::availability(*evse, *connector, *operative)?
        }
        ToStation::Trigger { what, evse } => provision::trigger(*what, *evse)?,
        // the operator's convenience: everything, under a number of the engine's own
        ToStation::ReadSettings { keys } if keys.is_empty() => {
            report.request = report.request.wrapping_add(1).max(1);
            model::order(&ModelOrder::Base { request: report.request, kind: ReportKind::Full })?
        }
        ToStation::ReadSettings { keys } => model::read_order(keys)?,
        ToStation::WriteSettings { values } => model::write_order(values)?,
        ToStation::ClearCache => CsmsRequest::ClearCache(kit::ClearCacheRequest::new()),
        ToStation::Charging(order) => charging::order(order)?,
        ToStation::Reservation(order) => reservation::order(order),
        ToStation::List(order) => reservation::list_order(order),
        ToStation::Upkeep(order) => upkeep::order(order)?,
        ToStation::Certificate(order) => certificate::order(order)?,
        ToStation::Model(order) => model::order(order)?,
        ToStation::Display(order) => display::order(order)?,
        ToStation::Customer(order) => display::customer_order(order),
        ToStation::Tariff(order) => tariff::order(order)?,
        ToStation::Grid(order) => grid::order(order)?,
        ToStation::Swap(order) => grid::swap_order(order),
        ToStation::Vendor(vendor) => CsmsRequest::DataTransfer(payment::say_vendor(vendor)?),
        ToStation::Payment(_) | ToStation::Foreign(_) => return Err(misfit()),
    })
}

/// The expert call: any action of the version with a payload that its schema allows, answered in kind.
fn foreign(version: Version, order: &Foreign, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    let action = Action::from_wire(&order.action).map(Action::as_str);
    let action = action.ok_or_else(|| unplaced(notes, "not an action of the version"))?;
    let checked = match action {
        WEB_PAYMENT if version == Version::V201 => Err(unsaid("not an action of 2.0.1")),
        WEB_PAYMENT => strict::<kit::NotifyWebPaymentStartedRequest>(&order.body).map(|_| ()),
        action => check::<CsmsRequest>(version, action, &order.body),
    };
    checked.map_err(|fault| unfit(notes, &fault))?;
    Ok(Call::new(action, order.body.to_string(), Told::Foreign(order.action.clone())))
}

pub(in crate::bridge) fn outcome(
    version: Version,
    told: &mut Told,
    action: &str,
    payload: &str,
    notes: &mut Notes,
) -> Result<StationAnswer, Fault> {
    let asked_all = match told {
        Told::Action(WEB_PAYMENT) => {
            strict::<kit::NotifyWebPaymentStartedResponse>(payload)?;
            return Ok(StationAnswer::Accepted);
        }
        Told::Action(_) | Told::Trigger | Told::Watch(_) => false,
        Told::Report => true,
        _ => return Err(misfit()),
    };
    let answer: CsmsResponse = generous(version, action, payload, notes)?;
    let plain = status::plain(&answer);
    let agreed = plain == Some(StationAnswer::Accepted);
    let more = match answer {
        CsmsResponse::GetBaseReport(answer)
            if asked_all && answer.status == kit::GenericDeviceModelStatus::EmptyResultSet =>
        {
            Some(StationAnswer::Settings { known: Vec::new(), unknown: Vec::new() })
        }
        CsmsResponse::GetVariables(answer) => Some(model::settings(&answer)),
        CsmsResponse::SetVariables(answer) => Some(model::written(&answer)),
        CsmsResponse::RequestStartTransaction(answer) if agreed => {
            answer.transaction_id.map(|id| StationAnswer::Started(Some(key(id))))
        }
        CsmsResponse::GetLocalListVersion(answer) => Some(StationAnswer::Number(answer.version_number)),
        // a log under way was given up for this one
        CsmsResponse::GetLog(answer) if answer.status != kit::LogStatus::Rejected => {
            Some(StationAnswer::File(boxed(answer.filename)))
        }
        CsmsResponse::GetCompositeSchedule(answer) if agreed => {
            let schedule =
                answer.schedule.as_ref().ok_or_else(|| Fault::at(Code::Occurrence, "/schedule", "missing"))?;
            Some(StationAnswer::Composite(charging::composite(schedule)?))
        }
        CsmsResponse::GetInstalledCertificateIds(answer) => match answer.status {
            GetInstalledCertificateStatus::NotFound => Some(StationAnswer::Certificates(Vec::new())),
            _ if agreed => {
                let list = answer.certificate_hash_data_chain.unwrap_or_default();
                Some(StationAnswer::Certificates(certificate::installed(list)?))
            }
            _ => None,
        },
        CsmsResponse::SetVariableMonitoring(answer) => Some(monitor::set(&answer)),
        CsmsResponse::ClearVariableMonitoring(answer) => Some(monitor::cleared(&answer)),
        CsmsResponse::GetPeriodicEventStream(answer) => Some(monitor::streams(&answer)),
        CsmsResponse::ClearTariffs(answer) => Some(tariff::cleared(answer)),
        CsmsResponse::GetTariffs(answer) if agreed || answer.status == TariffGetStatus::NoTariff => {
            Some(tariff::kept(answer))
        }
        CsmsResponse::SetDERControl(answer) if agreed => grid::set(&answer),
        CsmsResponse::GetTransactionStatus(answer) => {
            Some(StationAnswer::Pending { ongoing: answer.ongoing_indicator, queued: answer.messages_in_queue })
        }
        CsmsResponse::DataTransfer(answer) => Some(StationAnswer::Vendor(payment::vendor_answer(&answer)?)),
        _ => None,
    };
    more.or(plain).ok_or_else(misfit)
}
