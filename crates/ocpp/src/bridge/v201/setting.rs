//! A variable of a component as one key: `Component.Variable`, with instances in brackets, and with the EVSE and its
//! connector after a `#` where the component belongs to one: `Connector#1/2[left].Available`.
//!
//! Deliberately only the `Actual` attribute: targets and limits have no word of ours. Invariant: what is spelled is
//! read back the same.

use charge::talk::line::Setting;
use ocpp_kit::v2_0_1::{Attribute, Component, EVSE, Mutability, ReportData, Variable, VariableAttribute};

pub(super) fn key(component: &Component, variable: &Variable) -> Box<str> {
    let mut out = component.name.clone();
    if let Some(evse) = &component.evse {
        out.push_str(&format!("#{}", evse.id));
        if let Some(connector) = evse.connector_id {
            out.push_str(&format!("/{connector}"));
        }
    }
    let part = |out: &mut String, instance: &Option<String>| {
        if let Some(instance) = instance {
            out.push_str(&format!("[{instance}]"));
        }
    };
    part(&mut out, &component.instance);
    out.push('.');
    out.push_str(&variable.name);
    part(&mut out, &variable.instance);
    out.into()
}

/// `None` where the text is no such key.
pub(super) fn parse(key: &str) -> Option<(Component, Variable)> {
    let mut inside = false;
    let dot = key.char_indices().find_map(|(at, c)| {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        (c == '.' && !inside).then_some(at)
    })?;
    let (component, component_instance) = instance(&key[..dot])?;
    let (variable, variable_instance) = instance(&key[dot + 1..])?;
    let (name, evse) = match component.split_once('#') {
        Some((name, numbers)) => (name, Some(evse(numbers)?)),
        None => (component, None),
    };
    if name.is_empty() || variable.is_empty() {
        return None;
    }
    let mut component = Component::new(name);
    component.evse = evse;
    component.instance = component_instance.map(Into::into);
    let mut variable = Variable::new(variable);
    variable.instance = variable_instance.map(Into::into);
    Some((component, variable))
}

fn instance(text: &str) -> Option<(&str, Option<&str>)> {
    match text.split_once('[') {
        Some((name, rest)) => Some((name, Some(rest.strip_suffix(']')?))),
        None => Some((text, None)),
    }
}

fn evse(numbers: &str) -> Option<EVSE> {
    let (id, connector) = numbers.split_once('/').map_or((numbers, None), |(id, connector)| (id, Some(connector)));
    let mut evse = EVSE::new(id.parse().ok()?);
    evse.connector_id = connector.map(str::parse).transpose().ok()?;
    Some(evse)
}

/// A row of a report; `None` where it has no actual value to tell of.
pub(super) fn read(row: &ReportData) -> Option<Setting> {
    let is_actual = |attribute: &&VariableAttribute| matches!(attribute.r#type, None | Some(Attribute::Actual));
    let attribute = row.variable_attribute.iter().find(is_actual)?;
    Some(Setting {
        key: key(&row.component, &row.variable),
        value: attribute.value.as_deref().map(Into::into),
        read_only: attribute.mutability == Some(Mutability::ReadOnly),
    })
}

pub(super) fn write(setting: &Setting) -> Option<ReportData> {
    let (component, variable) = parse(&setting.key)?;
    let mut attribute = VariableAttribute::new();
    attribute.value = setting.value.as_deref().map(Into::into);
    attribute.mutability = Some(match (setting.read_only, &setting.value) {
        (true, _) => Mutability::ReadOnly,
        (false, Some(_)) => Mutability::ReadWrite,
        (false, None) => Mutability::WriteOnly,
    });
    Some(ReportData::new(component, variable, vec![attribute]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_spelled() {
        for text in [
            "OCPPCommCtrlr.HeartbeatInterval",
            "SmartChargingCtrlr[a.b].Limit[c.d]",
            "EVSE#1.AvailabilityState",
            "Connector#1/2[left].Available",
        ] {
            let spelled = parse(text).map(|(component, variable)| key(&component, &variable));
            assert_eq!(spelled.as_deref(), Some(text));
        }
        for text in ["", "HeartbeatInterval", ".x", "x.", "x[.y", "x#a.y"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
