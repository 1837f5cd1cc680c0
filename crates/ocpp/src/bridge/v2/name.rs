//! A variable of a component as one text: `Component.Variable`, with instances in brackets, and in front the EVSE and
//! its connector where the component belongs to one: `2/Connector.Available`, `2.1/Connector[left].Available`.
//!
//! Deliberately without attributes: a word that has one says it beside the name. Invariant: what is spelled is read
//! back the same.

use ocpp_kit::v2_1::{Component, ComponentVariable, EVSE, Variable};

use super::unsaid;
use crate::rules::Fault;

pub(super) fn spelled(component: &Component, variable: &Variable) -> Box<str> {
    whole(component, Some(variable))
}

/// The same where a message may mean all variables of a component.
pub(super) fn any(named: &ComponentVariable) -> Box<str> {
    whole(&named.component, named.variable.as_ref())
}

fn whole(component: &Component, variable: Option<&Variable>) -> Box<str> {
    let mut out = String::new();
    if let Some(evse) = &component.evse {
        out.push_str(&evse.id.to_string());
        if let Some(connector) = evse.connector_id {
            out.push_str(&format!(".{connector}"));
        }
        out.push('/');
    }
    let mut part = |name: &str, instance: &Option<String>| {
        out.push_str(name);
        if let Some(instance) = instance {
            out.push_str(&format!("[{instance}]"));
        }
    };
    part(&component.name, &component.instance);
    if let Some(variable) = variable {
        part(".", &None);
        part(&variable.name, &variable.instance);
    }
    out.into()
}

/// The component and the variable that a name means.
pub(super) fn parse(name: &str) -> Result<(Component, Variable), Fault> {
    let (component, variable) = split(name).ok_or_else(bad)?;
    Ok((component, variable.ok_or_else(bad)?))
}

/// The same where the variable may be left out.
pub(super) fn parse_any(name: &str) -> Result<ComponentVariable, Fault> {
    let (component, variable) = split(name).ok_or_else(bad)?;
    let mut named = ComponentVariable::new(component);
    named.variable = variable;
    Ok(named)
}

fn bad() -> Fault {
    unsaid("a name not of the form Component.Variable")
}

fn split(name: &str) -> Option<(Component, Option<Variable>)> {
    let (evse, rest) = match name.split_once('/') {
        Some((front, rest)) if front.starts_with(|c: char| c.is_ascii_digit()) => (Some(evse(front)?), rest),
        Some(_) | None => (None, name),
    };
    let mut inside = false;
    let dot = rest.char_indices().find_map(|(at, c)| {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        (c == '.' && !inside).then_some(at)
    });
    let (component, variable) = dot.map_or((rest, None), |dot| (&rest[..dot], Some(&rest[dot + 1..])));
    let (name, instance) = part(component)?;
    let mut component = Component::new(name);
    component.evse = evse;
    component.instance = instance.map(Into::into);
    let variable = match variable.map(part) {
        Some(found) => {
            let (name, instance) = found?;
            let mut variable = Variable::new(name);
            variable.instance = instance.map(Into::into);
            Some(variable)
        }
        None => None,
    };
    Some((component, variable))
}

fn part(text: &str) -> Option<(&str, Option<&str>)> {
    let (name, instance) = match text.split_once('[') {
        Some((name, rest)) => (name, Some(rest.strip_suffix(']')?)),
        None => (text, None),
    };
    (!name.is_empty()).then_some((name, instance))
}

fn evse(numbers: &str) -> Option<EVSE> {
    let (id, connector) = numbers.split_once('.').map_or((numbers, None), |(id, connector)| (id, Some(connector)));
    let mut evse = EVSE::new(id.parse().ok()?);
    evse.connector_id = connector.map(str::parse).transpose().ok()?;
    Some(evse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_spelled() {
        for text in [
            "OCPPCommCtrlr.HeartbeatInterval",
            "SmartChargingCtrlr[a.b].Limit[c.d]",
            "1/EVSE.AvailabilityState",
            "1.2/Connector[left].Available",
            "A/B.c",
        ] {
            let again = parse(text).map(|(component, variable)| spelled(&component, &variable));
            assert_eq!(again.as_deref(), Ok(text));
        }
        for text in ["", "HeartbeatInterval", ".x", "x.", "x[.y", "2.a/x.y", "2/"] {
            assert!(parse(text).is_err(), "{text}");
        }
        for text in ["1/EVSE", "EVSE", "EVSE.Power"] {
            assert_eq!(parse_any(text).map(|named| any(&named)).as_deref(), Ok(text));
        }
    }
}
