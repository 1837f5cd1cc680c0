//! The grid behind the station (2.1 block R), frequency signals (Q) and battery swapping (S).
//!
//! Deliberately no look into a control's curves: they are documents. Invariant: a control's kind and its document fit
//! the request's schema when they leave.

use charge::talk::line::StationAnswer;
use charge::talk::line::document::{Document, ItemOutcome};
use charge::talk::line::grid::{Battery, GridNews, GridOrder, SwapNews, SwapOrder};
use ocpp_kit::v2_1::{self as kit, CsRequest, CsmsRequest, DERControl};

use super::period::{joined, rest};
use super::{
    astray, boxed, boxes, decimal, evse_id, evse_no, exact, id_token, more, needed, some, strings, text, unsaid,
};
use crate::bridge::{moment, wire};
use crate::rules::Fault;

/// The word of an item that a new control replaces.
const SUPERSEDED: &str = "Superseded";

pub(super) fn told(order: CsmsRequest) -> Result<GridOrder, Fault> {
    Ok(match order {
        CsmsRequest::SetDERControl(order) => GridOrder::Set {
            control: rest(&order, &["isDefault", "controlId", "controlType"])?.unwrap_or_else(|| Document::new("{}")),
            id: order.control_id.into(),
            kind: order.control_type.as_str().into(),
            default: order.is_default,
        },
        CsmsRequest::GetDERControl(order) => GridOrder::Read {
            request: order.request_id,
            id: boxed(order.control_id),
            kind: order.control_type.map(|kind| kind.as_str().into()),
            default: order.is_default,
        },
        CsmsRequest::ClearDERControl(order) => GridOrder::Clear {
            id: boxed(order.control_id),
            kind: order.control_type.map(|kind| kind.as_str().into()),
            default: order.is_default,
        },
        CsmsRequest::AFRRSignal(order) => GridOrder::Afrr { at: moment(order.timestamp), signal: order.signal },
        _ => return Err(astray()),
    })
}

pub(super) fn order(order: &GridOrder) -> Result<CsmsRequest, Fault> {
    Ok(match order {
        GridOrder::Set { id, kind, default, control } => {
            let out = kit::SetDERControlRequest::new(*default, &**id, DERControl::from_wire(kind));
            CsmsRequest::SetDERControl(joined(out, Some(control))?)
        }
        GridOrder::Read { request, id, kind, default } => {
            let mut out = kit::GetDERControlRequest::new(*request);
            out.control_id = text(id.as_deref());
            out.control_type = kind.as_deref().map(DERControl::from_wire);
            out.is_default = *default;
            CsmsRequest::GetDERControl(out)
        }
        GridOrder::Clear { id, kind, default } => {
            let mut out = kit::ClearDERControlRequest::new(*default);
            out.control_id = text(id.as_deref());
            out.control_type = kind.as_deref().map(DERControl::from_wire);
            CsmsRequest::ClearDERControl(out)
        }
        GridOrder::Afrr { at, signal } => CsmsRequest::AFRRSignal(kit::AFRRSignalRequest::new(wire(*at), *signal)),
    })
}

pub(super) fn set(answer: &kit::SetDERControlResponse) -> Option<StationAnswer> {
    let items = answer.superseded_ids.as_ref().filter(|ids| !ids.is_empty())?;
    let one = |id: &String| ItemOutcome { of: id.as_str().into(), word: SUPERSEDED.into() };
    Some(StationAnswer::Items(items.iter().map(one).collect()))
}

pub(super) fn say_set(items: &[ItemOutcome]) -> kit::SetDERControlResponse {
    let mut out = kit::SetDERControlResponse::new(kit::DERControlStatus::Accepted);
    out.superseded_ids = some(items.iter().map(|item| item.of.to_string()).collect());
    out
}

pub(super) fn hear(said: CsRequest) -> Result<GridNews, Fault> {
    Ok(match said {
        CsRequest::ReportDERControl(said) => GridNews::Report {
            controls: rest(&said, &["requestId", "tbc"])?.unwrap_or_else(|| Document::new("{}")),
            request: said.request_id,
            more: said.tbc.unwrap_or(false),
        },
        CsRequest::NotifyDERAlarm(said) => GridNews::Alarm {
            kind: said.control_type.as_str().into(),
            fault: said.grid_event_fault.map(|fault| fault.as_str().into()),
            ended: said.alarm_ended.unwrap_or(false),
            at: moment(said.timestamp),
            info: boxed(said.extra_info),
        },
        CsRequest::NotifyDERStartStop(said) => GridNews::Switched {
            id: said.control_id.into(),
            started: said.started,
            at: moment(said.timestamp),
            superseded: boxes(said.superseded_ids.unwrap_or_default()),
        },
        _ => return Err(astray()),
    })
}

pub(super) fn say(news: &GridNews) -> Result<CsRequest, Fault> {
    Ok(match news {
        GridNews::Report { request, more: follows, controls } => {
            let mut out = kit::ReportDERControlRequest::new(*request);
            out.tbc = more(*follows);
            CsRequest::ReportDERControl(joined(out, Some(controls))?)
        }
        GridNews::Alarm { kind, fault, ended, at, info } => {
            let mut out = kit::NotifyDERAlarmRequest::new(DERControl::from_wire(kind), wire(*at));
            out.grid_event_fault = fault.as_deref().map(kit::GridEventFault::from_wire);
            out.alarm_ended = more(*ended);
            out.extra_info = text(info.as_deref());
            CsRequest::NotifyDERAlarm(out)
        }
        GridNews::Switched { id, started, at, superseded } => {
            let mut out = kit::NotifyDERStartStopRequest::new(&**id, *started, wire(*at));
            out.superseded_ids = some(strings(superseded));
            CsRequest::NotifyDERStartStop(out)
        }
    })
}

pub(super) fn swap_order(order: &SwapOrder) -> CsmsRequest {
    CsmsRequest::RequestBatterySwap(kit::RequestBatterySwapRequest::new(id_token(&order.token), order.request))
}

pub(super) fn swap_told(order: &kit::RequestBatterySwapRequest) -> Result<SwapOrder, Fault> {
    Ok(SwapOrder { request: order.request_id, token: needed(&order.id_token, "/idToken/idToken")? })
}

pub(super) fn swap(said: kit::BatterySwapRequest) -> Result<SwapNews, Fault> {
    let one = |one: kit::BatteryData| {
        Ok(Battery {
            evse: evse_no(one.evse_id),
            serial: one.serial_number.into(),
            charge: exact(one.so_c, "/batteryData/soC")?,
            health: exact(one.so_h, "/batteryData/soH")?,
        })
    };
    Ok(SwapNews {
        request: said.request_id,
        event: said.event_type.as_str().into(),
        token: needed(&said.id_token, "/idToken/idToken")?,
        batteries: said.battery_data.into_iter().map(one).collect::<Result<_, Fault>>()?,
    })
}

pub(super) fn say_swap(news: &SwapNews) -> Result<CsRequest, Fault> {
    if news.batteries.is_empty() {
        return Err(unsaid("a battery swap without a battery"));
    }
    let one = |one: &Battery| {
        let (charge, health) = (decimal(one.charge)?, decimal(one.health)?);
        Ok(kit::BatteryData::new(evse_id(one.evse), &*one.serial, charge, health))
    };
    let batteries = news.batteries.iter().map(one).collect::<Result<_, Fault>>()?;
    let event = kit::BatterySwapEvent::from_wire(&news.event);
    let token = id_token(&news.token);
    Ok(CsRequest::BatterySwap(kit::BatterySwapRequest::new(batteries, event, token, news.request)))
}
