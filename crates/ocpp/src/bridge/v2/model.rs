//! The device model (blocks B and N): variables read and written, reports, events and network profiles.
//!
//! Deliberately no memory of a report's parts: each says its own number. Invariant: a variable is told by one name
//! ([`super::name`]) and its attribute. Monitors and streams are in [`super::monitor`].

use charge::Secret;
use charge::talk::line::document::Document;
use charge::talk::line::model::{Attribute, DeviceEvent, ModelNews, ModelOrder, Network, ReportKind, ReportRow};
use charge::talk::line::{Setting, StationAnswer, Written};
use ocpp_kit::v2_1::{
    self as kit, CsRequest, CsmsRequest, GetVariableStatus, Mutability, ReportBase, SetVariableStatus,
    VariableAttribute,
};

use super::period::{joined, rest};
use super::{boxed, document, key, key_text, monitor, more, name, parsed, part, small, some, text, unlisted};
use crate::bridge::{moment, plausible, wire};
use crate::payload::Notes;
use crate::rules::Fault;

const KINDS: [(ReportKind, ReportBase); 3] = [
    (ReportKind::Configuration, ReportBase::ConfigurationInventory),
    (ReportKind::Full, ReportBase::FullInventory),
    (ReportKind::Summary, ReportBase::SummaryInventory),
];

pub(super) fn say_kind(kind: ReportKind) -> ReportBase {
    KINDS.iter().find(|row| row.0 == kind).map_or(ReportBase::FullInventory, |row| row.1.clone())
}

const ATTRIBUTES: [(Attribute, kit::Attribute); 4] = [
    (Attribute::Actual, kit::Attribute::Actual),
    (Attribute::Target, kit::Attribute::Target),
    (Attribute::MinSet, kit::Attribute::MinSet),
    (Attribute::MaxSet, kit::Attribute::MaxSet),
];

/// The members of a network connection profile that have a word of ours.
const NETWORK_WORDS: [&str; 2] = ["ocppCsmsUrl", "securityProfile"];

/// An absent type is the actual value.
fn attribute(told: Option<&kit::Attribute>) -> Attribute {
    told.and_then(|told| ATTRIBUTES.iter().find(|row| row.1 == *told)).map_or(Attribute::Actual, |row| row.0)
}

fn say_attribute(attribute: Attribute) -> Option<kit::Attribute> {
    ATTRIBUTES
        .iter()
        .find(|row| row.0 == attribute)
        .map(|row| row.1.clone())
        .filter(|told| *told != kit::Attribute::Actual)
}

pub(super) fn told(order: CsmsRequest) -> Result<ModelOrder, Fault> {
    Ok(match order {
        CsmsRequest::GetBaseReport(order) => {
            let kind = KINDS.iter().find(|row| row.1 == order.report_base).map(|row| row.0);
            ModelOrder::Base { request: order.request_id, kind: kind.ok_or_else(|| unlisted("/reportBase"))? }
        }
        CsmsRequest::GetReport(order) => ModelOrder::Report {
            request: order.request_id,
            variables: order.component_variable.unwrap_or_default().iter().map(name::any).collect(),
            criteria: order.component_criteria.unwrap_or_default().iter().map(|word| word.as_str().into()).collect(),
        },
        CsmsRequest::SetNetworkProfile(order) => {
            let data = order.connection_data;
            let security_profile = u8::try_from(data.security_profile);
            let to = Network {
                security_profile: security_profile.map_err(|_| unlisted("/connectionData/securityProfile"))?,
                more: rest(&data, &NETWORK_WORDS)?.unwrap_or_else(|| Document::new("{}")),
                url: data.ocpp_csms_url.into(),
            };
            ModelOrder::Network { slot: order.configuration_slot, to }
        }
        CsmsRequest::GetTransactionStatus(order) => ModelOrder::TransactionStatus(order.transaction_id.map(key)),
        other => return monitor::told(other),
    })
}

pub(super) fn order(order: &ModelOrder) -> Result<CsmsRequest, Fault> {
    Ok(match order {
        ModelOrder::Base { request, kind } => {
            CsmsRequest::GetBaseReport(kit::GetBaseReportRequest::new(*request, say_kind(*kind)))
        }
        ModelOrder::Report { request, variables, criteria } => {
            let mut out = kit::GetReportRequest::new(*request);
            out.component_variable = some(names(variables)?);
            out.component_criteria =
                some(criteria.iter().map(|word| kit::ComponentCriterion::from_wire(word)).collect());
            CsmsRequest::GetReport(out)
        }
        ModelOrder::Network { slot, to } => {
            let [url, profile] = NETWORK_WORDS;
            let known = serde_json::json!({ url: &to.url, profile: to.security_profile });
            let whole = document(&joined(known, Some(&to.more))?)?;
            CsmsRequest::SetNetworkProfile(kit::SetNetworkProfileRequest::new(*slot, parsed(&whole)?))
        }
        ModelOrder::TransactionStatus(key) => {
            let mut out = kit::GetTransactionStatusRequest::new();
            out.transaction_id = key.as_ref().map(key_text).transpose()?;
            CsmsRequest::GetTransactionStatus(out)
        }
        ModelOrder::MonitoringBase(_)
        | ModelOrder::MonitoringLevel(_)
        | ModelOrder::Watch(_)
        | ModelOrder::Unwatch(_)
        | ModelOrder::Monitors { .. }
        | ModelOrder::AdjustStream { .. }
        | ModelOrder::Streams => return monitor::order(order),
    })
}

pub(super) fn names(variables: &[Box<str>]) -> Result<Vec<kit::ComponentVariable>, Fault> {
    variables.iter().map(|variable| name::parse_any(variable)).collect()
}

/// A row of ours for each attribute that the station tells.
pub(super) fn report(said: kit::NotifyReportRequest, notes: &mut Notes) -> Result<ModelNews, Fault> {
    let mut rows = Vec::new();
    for row in said.report_data.unwrap_or_default() {
        let variable = name::spelled(&row.component, &row.variable);
        let characteristics = row.variable_characteristics.as_ref().map(document).transpose()?;
        for told in row.variable_attribute {
            rows.push(ReportRow {
                variable: variable.clone(),
                attribute: attribute(told.r#type.as_ref()),
                read_only: told.mutability == Some(Mutability::ReadOnly),
                write_only: told.mutability == Some(Mutability::WriteOnly),
                persistent: told.persistent.unwrap_or(false),
                value: boxed(told.value),
                characteristics: characteristics.clone(),
            });
        }
    }
    let at = plausible(said.generated_at, "/generatedAt", notes);
    Ok(ModelNews::Report { part: part(said.request_id, said.seq_no, said.tbc), at, rows })
}

fn say_row(row: &ReportRow) -> Result<kit::ReportData, Fault> {
    let (component, variable) = name::parse(&row.variable)?;
    let mut attribute = VariableAttribute::new();
    attribute.r#type = say_attribute(row.attribute);
    attribute.value = text(row.value.as_deref());
    attribute.mutability = Some(match (row.read_only, row.write_only) {
        (true, _) => Mutability::ReadOnly,
        (false, true) => Mutability::WriteOnly,
        (false, false) => Mutability::ReadWrite,
    });
    attribute.persistent = more(row.persistent);
    let mut out = kit::ReportData::new(component, variable, vec![attribute]);
    out.variable_characteristics = row.characteristics.as_ref().map(parsed).transpose()?;
    Ok(out)
}

/// Rows of one variable that stand together become one again.
fn say_rows(rows: &[ReportRow]) -> Result<Vec<kit::ReportData>, Fault> {
    let mut out: Vec<kit::ReportData> = Vec::with_capacity(rows.len());
    for row in rows {
        let mut data = say_row(row)?;
        match out.last_mut() {
            Some(last)
                if last.component == data.component
                    && last.variable == data.variable
                    && last.variable_characteristics == data.variable_characteristics =>
            {
                last.variable_attribute.append(&mut data.variable_attribute);
            }
            Some(_) | None => out.push(data),
        }
    }
    Ok(out)
}

pub(super) fn events(said: kit::NotifyEventRequest, notes: &mut Notes) -> ModelNews {
    let at = plausible(said.generated_at, "/generatedAt", notes);
    let event = |said: kit::EventData| DeviceEvent {
        id: said.event_id,
        at: moment(said.timestamp),
        trigger: said.trigger.as_str().into(),
        cause: said.cause,
        variable: name::spelled(&said.component, &said.variable),
        value: said.actual_value.into(),
        cleared: said.cleared.unwrap_or(false),
        key: said.transaction_id.map(key),
        monitor: said.variable_monitoring_id,
        kind: said.event_notification_type.as_str().into(),
        severity: said.severity.map(small),
        tech_code: boxed(said.tech_code),
        tech_info: boxed(said.tech_info),
    };
    let events = said.event_data.into_iter().map(event).collect();
    // an event's notice answers no request
    ModelNews::Events { part: part(0, said.seq_no, said.tbc), at, events }
}

fn say_event(event: &DeviceEvent) -> Result<kit::EventData, Fault> {
    let (component, variable) = name::parse(&event.variable)?;
    let mut out = kit::EventData::new(
        event.id,
        wire(event.at),
        kit::EventTrigger::from_wire(&event.trigger),
        &*event.value,
        component,
        kit::EventNotification::from_wire(&event.kind),
        variable,
    );
    out.cause = event.cause;
    out.cleared = more(event.cleared);
    out.transaction_id = event.key.as_ref().map(key_text).transpose()?;
    out.variable_monitoring_id = event.monitor;
    out.severity = event.severity.map(i32::from);
    out.tech_code = text(event.tech_code.as_deref());
    out.tech_info = text(event.tech_info.as_deref());
    Ok(out)
}

pub(super) fn say(news: &ModelNews) -> Result<CsRequest, Fault> {
    Ok(match news {
        ModelNews::Report { part, at, rows } => {
            let mut out = kit::NotifyReportRequest::new(part.request, wire(*at), part.seq);
            out.report_data = some(say_rows(rows)?);
            out.tbc = more(part.more);
            CsRequest::NotifyReport(out)
        }
        ModelNews::Events { part, at, events } => {
            let events = events.iter().map(say_event).collect::<Result<_, _>>()?;
            let mut out = kit::NotifyEventRequest::new(wire(*at), part.seq, events);
            out.tbc = more(part.more);
            CsRequest::NotifyEvent(out)
        }
        ModelNews::Monitors { .. }
        | ModelNews::StreamOpened(_)
        | ModelNews::StreamClosed(_)
        | ModelNews::StreamData { .. } => return monitor::say(news),
    })
}

pub(super) fn read_order(keys: &[Box<str>]) -> Result<CsmsRequest, Fault> {
    let one = |key: &str| name::parse(key).map(|(component, variable)| kit::GetVariableData::new(component, variable));
    let rows = keys.iter().map(|key| one(key)).collect::<Result<_, _>>()?;
    Ok(CsmsRequest::GetVariables(kit::GetVariablesRequest::new(rows)))
}

pub(super) fn write_order(values: &[(Box<str>, Secret<Box<str>>)]) -> Result<CsmsRequest, Fault> {
    let one = |(key, value): &(Box<str>, Secret<Box<str>>)| {
        name::parse(key).map(|(component, variable)| kit::SetVariableData::new(&**value.expose(), component, variable))
    };
    let rows = values.iter().map(one).collect::<Result<_, _>>()?;
    Ok(CsmsRequest::SetVariables(kit::SetVariablesRequest::new(rows)))
}

/// `Rejected` is what a write-only variable answers (B06.FR.09): known, without a value.
pub(super) fn settings(answer: &kit::GetVariablesResponse) -> StationAnswer {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for row in &answer.get_variable_result {
        let key = name::spelled(&row.component, &row.variable);
        match row.attribute_status {
            GetVariableStatus::Accepted | GetVariableStatus::Rejected => {
                known.push(Setting { key, value: row.attribute_value.as_deref().map(Into::into), read_only: false });
            }
            _ => unknown.push(key),
        }
    }
    StationAnswer::Settings { known, unknown }
}

pub(super) fn written(answer: &kit::SetVariablesResponse) -> StationAnswer {
    let row = |row: &kit::SetVariableResult| {
        let written = match row.attribute_status {
            SetVariableStatus::Accepted => Written::Accepted,
            SetVariableStatus::RebootRequired => Written::AfterReboot,
            SetVariableStatus::UnknownComponent | SetVariableStatus::UnknownVariable => Written::Unknown,
            _ => Written::Rejected,
        };
        (name::spelled(&row.component, &row.variable), written)
    };
    StationAnswer::Written(answer.set_variable_result.iter().map(row).collect())
}
