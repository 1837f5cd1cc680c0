//! Monitors and periodic event streams (block N): set, cleared, reported and streamed.
//!
//! Deliberately no judgement on thresholds. Invariant: a stream's data is sent and never answered (2.1 part 4, SEND).

use charge::talk::line::document::ItemOutcome;
use charge::talk::line::model::{
    ModelNews, ModelOrder, Monitor, MonitorKind, MonitorSet, MonitoringBase, Stream, StreamPace,
};
use charge::talk::line::{StationAnswer, Version};
use ocpp_kit::v2_1::{CsRequest, CsmsRequest, EventNotification};
use ocpp_kit::{v2_0_1 as old, v2_1 as kit};

use super::model::names;
use super::{astray, count, decimal, exact, more, name, natural, part, seconds, small, some, span, unlisted};
use crate::bridge::{misfit, moment, plausible, wire};
use crate::payload::{Notes, generous};
use crate::rules::{Fault, Rules};

const KINDS: [(MonitorKind, kit::Monitor); 7] = [
    (MonitorKind::UpperThreshold, kit::Monitor::UpperThreshold),
    (MonitorKind::LowerThreshold, kit::Monitor::LowerThreshold),
    (MonitorKind::Delta, kit::Monitor::Delta),
    (MonitorKind::Periodic, kit::Monitor::Periodic),
    (MonitorKind::PeriodicClockAligned, kit::Monitor::PeriodicClockAligned),
    (MonitorKind::TargetDelta, kit::Monitor::TargetDelta),
    (MonitorKind::TargetDeltaRelative, kit::Monitor::TargetDeltaRelative),
];

fn kind(told: &str) -> Result<MonitorKind, Fault> {
    KINDS.iter().find(|row| row.1.as_str() == told).map(|row| row.0).ok_or_else(|| unlisted("/type"))
}

fn say_kind(kind: MonitorKind) -> kit::Monitor {
    KINDS.iter().find(|row| row.0 == kind).map_or(kit::Monitor::Delta, |row| row.1.clone())
}

const BASES: [(MonitoringBase, kit::MonitoringBase); 3] = [
    (MonitoringBase::All, kit::MonitoringBase::All),
    (MonitoringBase::FactoryDefault, kit::MonitoringBase::FactoryDefault),
    (MonitoringBase::HardWiredOnly, kit::MonitoringBase::HardWiredOnly),
];

fn pace(said: &kit::PeriodicEventStreamParams) -> StreamPace {
    StreamPace { every: said.interval.map(span), values: said.values.map(natural) }
}

fn say_pace(pace: StreamPace) -> kit::PeriodicEventStreamParams {
    let mut out = kit::PeriodicEventStreamParams::new();
    out.interval = pace.every.map(seconds);
    out.values = pace.values.map(count);
    out
}

fn stream(said: &kit::ConstantStreamData) -> Stream {
    Stream { id: said.id, monitor: said.variable_monitoring_id, pace: pace(&said.params) }
}

fn say_stream(stream: &Stream) -> kit::ConstantStreamData {
    kit::ConstantStreamData::new(stream.id, say_pace(stream.pace), stream.monitor)
}

fn watched(said: &kit::SetMonitoringData) -> Result<Monitor, Fault> {
    Ok(Monitor {
        id: said.id,
        variable: name::spelled(&said.component, &said.variable),
        kind: kind(said.r#type.as_str())?,
        value: exact(said.value, "/setMonitoringData/value")?,
        severity: small(said.severity),
        in_transaction: said.transaction.unwrap_or(false),
        stream: said.periodic_event_stream.as_ref().map(pace),
    })
}

fn watch(monitor: &Monitor) -> Result<kit::SetMonitoringData, Fault> {
    let (component, variable) = name::parse(&monitor.variable)?;
    let value = decimal(monitor.value)?;
    let severity = i32::from(monitor.severity);
    let mut out = kit::SetMonitoringData::new(value, say_kind(monitor.kind), severity, component, variable);
    out.id = monitor.id;
    out.transaction = more(monitor.in_transaction);
    out.periodic_event_stream = monitor.stream.map(say_pace);
    Ok(out)
}

pub(super) fn told(order: CsmsRequest) -> Result<ModelOrder, Fault> {
    Ok(match order {
        CsmsRequest::SetMonitoringBase(order) => {
            let base = BASES.iter().find(|row| row.1 == order.monitoring_base).map(|row| row.0);
            ModelOrder::MonitoringBase(base.ok_or_else(|| unlisted("/monitoringBase"))?)
        }
        CsmsRequest::SetMonitoringLevel(order) => ModelOrder::MonitoringLevel(small(order.severity)),
        CsmsRequest::SetVariableMonitoring(order) => {
            ModelOrder::Watch(order.set_monitoring_data.iter().map(watched).collect::<Result<_, _>>()?)
        }
        CsmsRequest::ClearVariableMonitoring(order) => ModelOrder::Unwatch(order.id),
        CsmsRequest::GetMonitoringReport(order) => ModelOrder::Monitors {
            request: order.request_id,
            variables: order.component_variable.unwrap_or_default().iter().map(name::any).collect(),
            criteria: order.monitoring_criteria.unwrap_or_default().iter().map(|word| word.as_str().into()).collect(),
        },
        CsmsRequest::AdjustPeriodicEventStream(order) => {
            ModelOrder::AdjustStream { id: order.id, pace: pace(&order.params) }
        }
        CsmsRequest::GetPeriodicEventStream(_) => ModelOrder::Streams,
        _ => return Err(astray()),
    })
}

pub(super) fn order(order: &ModelOrder) -> Result<CsmsRequest, Fault> {
    Ok(match order {
        ModelOrder::MonitoringBase(base) => {
            let base = BASES.iter().find(|row| row.0 == *base).map(|row| row.1.clone()).ok_or_else(misfit)?;
            CsmsRequest::SetMonitoringBase(kit::SetMonitoringBaseRequest::new(base))
        }
        ModelOrder::MonitoringLevel(severity) => {
            CsmsRequest::SetMonitoringLevel(kit::SetMonitoringLevelRequest::new(i32::from(*severity)))
        }
        ModelOrder::Watch(monitors) => {
            let rows = monitors.iter().map(watch).collect::<Result<_, _>>()?;
            CsmsRequest::SetVariableMonitoring(kit::SetVariableMonitoringRequest::new(rows))
        }
        ModelOrder::Unwatch(ids) => {
            CsmsRequest::ClearVariableMonitoring(kit::ClearVariableMonitoringRequest::new(ids.clone()))
        }
        ModelOrder::Monitors { request, variables, criteria } => {
            let mut out = kit::GetMonitoringReportRequest::new(*request);
            out.component_variable = some(names(variables)?);
            out.monitoring_criteria =
                some(criteria.iter().map(|word| kit::MonitoringCriterion::from_wire(word)).collect());
            CsmsRequest::GetMonitoringReport(out)
        }
        ModelOrder::AdjustStream { id, pace } => {
            CsmsRequest::AdjustPeriodicEventStream(kit::AdjustPeriodicEventStreamRequest::new(*id, say_pace(*pace)))
        }
        ModelOrder::Streams => CsmsRequest::GetPeriodicEventStream(kit::GetPeriodicEventStreamRequest::new()),
        ModelOrder::Base { .. }
        | ModelOrder::Report { .. }
        | ModelOrder::Network { .. }
        | ModelOrder::TransactionStatus(_) => return Err(astray()),
    })
}

/// A report of monitors. 2.1 also wants to know what set a monitor, which 2.0.1 does not tell: each has its own reader.
pub(super) fn report(version: Version, action: &str, payload: &str, notes: &mut Notes) -> Result<ModelNews, Fault> {
    let rules = Rules::of(version);
    let mut monitors = Vec::new();
    let mut take = |variable: Box<str>, id, told: &str, value, severity, in_transaction| {
        monitors.push(Monitor {
            id: Some(id),
            variable,
            kind: kind(told)?,
            value: exact(value, "/monitor/variableMonitoring/value")?,
            severity: small(severity),
            in_transaction,
            stream: None,
        });
        Ok::<(), Fault>(())
    };
    let (part, at) = if version == Version::V201 {
        let said: old::NotifyMonitoringReportRequest = generous(rules, action, payload, notes)?;
        for row in said.monitor.unwrap_or_default() {
            let variable = old_name(&row.component, &row.variable);
            for one in row.variable_monitoring {
                take(variable.clone(), one.id, one.r#type.as_str(), one.value, one.severity, one.transaction)?;
            }
        }
        (part(said.request_id, said.seq_no, said.tbc), said.generated_at)
    } else {
        let said: kit::NotifyMonitoringReportRequest = generous(rules, action, payload, notes)?;
        for row in said.monitor.unwrap_or_default() {
            let variable = name::spelled(&row.component, &row.variable);
            for one in row.variable_monitoring {
                take(variable.clone(), one.id, one.r#type.as_str(), one.value, one.severity, one.transaction)?;
            }
        }
        (part(said.request_id, said.seq_no, said.tbc), said.generated_at)
    };
    Ok(ModelNews::Monitors { part, at: plausible(at, "/generatedAt", notes), monitors })
}

fn old_name(component: &old::Component, variable: &old::Variable) -> Box<str> {
    let mut new = kit::Component::new(&*component.name);
    new.instance.clone_from(&component.instance);
    new.evse = component.evse.as_ref().map(|evse| {
        let mut new = kit::EVSE::new(evse.id);
        new.connector_id = evse.connector_id;
        new
    });
    let mut named = kit::Variable::new(&*variable.name);
    named.instance.clone_from(&variable.instance);
    name::spelled(&new, &named)
}

/// The same report in the words of 2.0.1.
pub(super) fn say_old_report(news: &ModelNews) -> Result<old::NotifyMonitoringReportRequest, Fault> {
    let ModelNews::Monitors { part, at, monitors } = news else { return Err(astray()) };
    let row = |monitor: &Monitor| {
        let (component, variable) = name::parse(&monitor.variable)?;
        let mut old_component = old::Component::new(component.name);
        old_component.instance = component.instance;
        old_component.evse = component.evse.map(|evse| {
            let mut old = old::EVSE::new(evse.id);
            old.connector_id = evse.connector_id;
            old
        });
        let mut old_variable = old::Variable::new(variable.name);
        old_variable.instance = variable.instance;
        let one = old::VariableMonitoring::new(
            monitor.id.unwrap_or(0),
            monitor.in_transaction,
            decimal(monitor.value)?,
            old::Monitor::from_wire(say_kind(monitor.kind).as_str()),
            i32::from(monitor.severity),
        );
        Ok(old::MonitoringData::new(old_component, old_variable, vec![one]))
    };
    let mut out = old::NotifyMonitoringReportRequest::new(part.request, part.seq, wire(*at));
    out.monitor = some(monitors.iter().map(row).collect::<Result<_, Fault>>()?);
    out.tbc = more(part.more);
    Ok(out)
}

pub(super) fn say(news: &ModelNews) -> Result<CsRequest, Fault> {
    Ok(match news {
        ModelNews::Monitors { part, at, monitors } => {
            let row = |monitor: &Monitor| {
                let (component, variable) = name::parse(&monitor.variable)?;
                let one = kit::VariableMonitoring::new(
                    monitor.id.unwrap_or(0),
                    monitor.in_transaction,
                    decimal(monitor.value)?,
                    say_kind(monitor.kind),
                    i32::from(monitor.severity),
                    // the words of the line know monitors that were set
                    EventNotification::CustomMonitor,
                );
                Ok(kit::MonitoringData::new(component, variable, vec![one]))
            };
            let mut out = kit::NotifyMonitoringReportRequest::new(part.request, part.seq, wire(*at));
            out.monitor = some(monitors.iter().map(row).collect::<Result<_, Fault>>()?);
            out.tbc = more(part.more);
            CsRequest::NotifyMonitoringReport(out)
        }
        ModelNews::StreamOpened(stream) => {
            CsRequest::OpenPeriodicEventStream(kit::OpenPeriodicEventStreamRequest::new(say_stream(stream)))
        }
        ModelNews::StreamClosed(id) => {
            CsRequest::ClosePeriodicEventStream(kit::ClosePeriodicEventStreamRequest::new(*id))
        }
        ModelNews::StreamData { id, pending, base, values } => {
            let row = |(t, v): &(charge::Decimal, Box<str>)| Ok(kit::StreamDataElement::new(decimal(*t)?, &**v));
            let rows = values.iter().map(row).collect::<Result<_, Fault>>()?;
            let out = kit::NotifyPeriodicEventStreamRequest::new(rows, *id, count(*pending), wire(*base));
            CsRequest::NotifyPeriodicEventStream(out)
        }
        ModelNews::Report { .. } | ModelNews::Events { .. } => return Err(astray()),
    })
}

pub(super) fn hear(said: CsRequest) -> Result<ModelNews, Fault> {
    Ok(match said {
        CsRequest::OpenPeriodicEventStream(said) => ModelNews::StreamOpened(stream(&said.constant_stream_data)),
        CsRequest::ClosePeriodicEventStream(said) => ModelNews::StreamClosed(said.id),
        CsRequest::NotifyPeriodicEventStream(said) => {
            let row = |row: kit::StreamDataElement| Ok((exact(row.t, "/data/t")?, row.v.into()));
            ModelNews::StreamData {
                id: said.id,
                pending: natural(said.pending),
                base: moment(said.basetime),
                values: said.data.into_iter().map(row).collect::<Result<_, Fault>>()?,
            }
        }
        _ => return Err(astray()),
    })
}

pub(super) fn set(answer: &kit::SetVariableMonitoringResponse) -> StationAnswer {
    let row = |row: &kit::SetMonitoringResult| MonitorSet {
        id: row.id,
        variable: name::spelled(&row.component, &row.variable),
        word: row.status.as_str().into(),
    };
    StationAnswer::Monitors(answer.set_monitoring_result.iter().map(row).collect())
}

/// One result for each monitor, which names kind and severity again.
pub(super) fn say_set(
    asked: &[(MonitorKind, u8)],
    answer: &StationAnswer,
) -> Result<kit::SetVariableMonitoringResponse, Fault> {
    let StationAnswer::Monitors(rows) = answer else { return Err(misfit()) };
    if rows.len() != asked.len() {
        return Err(misfit());
    }
    let row = |(row, (kind, severity)): (&MonitorSet, &(MonitorKind, u8))| {
        let (component, variable) = name::parse(&row.variable)?;
        let status = kit::SetMonitoringStatus::from_wire(&row.word);
        let severity = i32::from(*severity);
        let mut out = kit::SetMonitoringResult::new(status, say_kind(*kind), component, variable, severity);
        out.id = row.id;
        Ok(out)
    };
    let rows: Result<Vec<_>, Fault> = rows.iter().zip(asked).map(row).collect();
    Ok(kit::SetVariableMonitoringResponse::new(rows?))
}

pub(super) fn cleared(answer: &kit::ClearVariableMonitoringResponse) -> StationAnswer {
    let row = |row: &kit::ClearMonitoringResult| ItemOutcome {
        of: row.id.to_string().into(),
        word: row.status.as_str().into(),
    };
    StationAnswer::Items(answer.clear_monitoring_result.iter().map(row).collect())
}

pub(super) fn say_cleared(answer: &StationAnswer) -> Result<kit::ClearVariableMonitoringResponse, Fault> {
    let StationAnswer::Items(rows) = answer else { return Err(misfit()) };
    let row = |row: &ItemOutcome| {
        let id = row.of.parse().map_err(|_| misfit())?;
        Ok(kit::ClearMonitoringResult::new(kit::ClearMonitoringStatus::from_wire(&row.word), id))
    };
    let rows: Result<Vec<_>, Fault> = rows.iter().map(row).collect();
    Ok(kit::ClearVariableMonitoringResponse::new(rows?))
}

pub(super) fn streams(answer: &kit::GetPeriodicEventStreamResponse) -> StationAnswer {
    StationAnswer::Streams(answer.constant_stream_data.iter().flatten().map(stream).collect())
}

pub(super) fn say_streams(answer: &StationAnswer) -> Result<kit::GetPeriodicEventStreamResponse, Fault> {
    let StationAnswer::Streams(streams) = answer else { return Err(misfit()) };
    let mut out = kit::GetPeriodicEventStreamResponse::new();
    out.constant_stream_data = some(streams.iter().map(say_stream).collect());
    Ok(out)
}
