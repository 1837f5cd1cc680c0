//! Reading and writing variables, the station's side: what was asked for row by row, and an outcome for each in its order
//! (2.x B05, B06).
//!
//! A station here has actual values alone. Invariant: every row that was asked for is answered, in the same order
//! (B05.FR.01, B05.FR.02, B06.FR.01, B06.FR.02).

use charge::Secret;
use charge::talk::line::{Setting, ToStation, Written};
use ocpp_kit::v2_1::{self as kit, GetVariableStatus, SetVariableStatus};

use super::{name, text};

/// A row of the order.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    component: kit::Component,
    variable: kit::Variable,
    attribute: Option<kit::Attribute>,
}

impl Asked {
    fn name(&self) -> Box<str> {
        name::spelled(&self.component, &self.variable)
    }

    /// A target or a limit, which no variable here has.
    fn beside(&self) -> bool {
        self.attribute.as_ref().is_some_and(|attribute| *attribute != kit::Attribute::Actual)
    }

    /// Whether a station that does not know the variable does not know its component either.
    fn nowhere(&self, unknown: &str) -> bool {
        unknown.eq_ignore_ascii_case(&name::any(&kit::ComponentVariable::new(self.component.clone())))
    }
}

pub(super) fn asked(order: &kit::GetVariablesRequest) -> Vec<Asked> {
    let rows = order.get_variable_data.iter();
    let one = |row: &kit::GetVariableData| Asked {
        component: row.component.clone(),
        variable: row.variable.clone(),
        attribute: row.attribute_type.clone(),
    };
    rows.map(one).collect()
}

pub(super) fn read(asked: &[Asked]) -> ToStation {
    ToStation::ReadSettings { keys: asked.iter().map(Asked::name).collect() }
}

/// The order without what is not written here.
pub(super) fn written(order: kit::SetVariablesRequest) -> (Vec<Asked>, ToStation) {
    let (mut asked, mut values) = (Vec::new(), Vec::new());
    for row in order.set_variable_data {
        let one = Asked { component: row.component, variable: row.variable, attribute: row.attribute_type };
        if !one.beside() {
            values.push((one.name(), Secret::new(row.attribute_value.into())));
        }
        asked.push(one);
    }
    (asked, ToStation::WriteSettings { values })
}

/// B06.FR.06, B06.FR.07, B06.FR.08; `Rejected` is what a write-only variable answers (B06.FR.09).
pub(super) fn say_read(asked: &[Asked], known: &[Setting], unknown: &[Box<str>]) -> kit::GetVariablesResponse {
    let one = |asked: &Asked| {
        let name = asked.name();
        let found = known.iter().find(|setting| setting.key.eq_ignore_ascii_case(&name));
        let value = found.and_then(|setting| setting.value.as_deref()).filter(|_| !asked.beside());
        let status = match found {
            None if unknown.iter().any(|name| asked.nowhere(name)) => GetVariableStatus::UnknownComponent,
            None => GetVariableStatus::UnknownVariable,
            Some(_) if asked.beside() => GetVariableStatus::NotSupportedAttributeType,
            Some(_) if value.is_none() => GetVariableStatus::Rejected,
            Some(_) => GetVariableStatus::Accepted,
        };
        let mut row = kit::GetVariableResult::new(status, asked.component.clone(), asked.variable.clone());
        row.attribute_type = asked.attribute.clone();
        row.attribute_value = text(value);
        row
    };
    kit::GetVariablesResponse::new(asked.iter().map(one).collect())
}

/// B05.FR.04, B05.FR.05, B05.FR.06, B05.FR.07, B05.FR.09, B05.FR.10.
pub(super) fn say_written(asked: &[Asked], rows: &[(Box<str>, Written)]) -> kit::SetVariablesResponse {
    let mut left: Vec<&(Box<str>, Written)> = rows.iter().collect();
    let one = |asked: &Asked| {
        let name = asked.name();
        // a variable may be written twice in one order
        let place = left.iter().position(|(key, _)| key.eq_ignore_ascii_case(&name) || asked.nowhere(key));
        let row = place.filter(|_| !asked.beside()).map(|place| left.remove(place));
        let status = match row {
            _beside if asked.beside() => SetVariableStatus::NotSupportedAttributeType,
            Some((_, Written::Accepted)) => SetVariableStatus::Accepted,
            Some((_, Written::AfterReboot)) => SetVariableStatus::RebootRequired,
            Some((key, Written::Unknown)) if asked.nowhere(key) => SetVariableStatus::UnknownComponent,
            Some((_, Written::Unknown)) => SetVariableStatus::UnknownVariable,
            Some((_, Written::Rejected)) | None => SetVariableStatus::Rejected,
        };
        let mut row = kit::SetVariableResult::new(status, asked.component.clone(), asked.variable.clone());
        row.attribute_type = asked.attribute.clone();
        row
    };
    kit::SetVariablesResponse::new(asked.iter().map(one).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn rows(rows: &str) -> String {
        format!("[{}]", rows.replace("AT ", r#""attributeType":"Target","#).replace('\'', "\""))
    }

    #[test]
    fn every_row_is_answered_in_its_order() {
        // proves: B06.FR.01, B06.FR.02, B06.FR.06, B06.FR.07, B06.FR.08, B06.FR.09
        let data = rows(
            "{'component':{'name':'A'},'variable':{'name':'gone'}},{AT 'component':{'name':'A'},'variable':{'name':'b'}},\
             {'component':{'name':'X'},'variable':{'name':'b'}},{'component':{'name':'a'},'variable':{'name':'B'}},\
             {'component':{'name':'A'},'variable':{'name':'secret'}}",
        );
        let order = serde_json::from_str(&format!(r#"{{"getVariableData":{data}}}"#)).unwrap();
        let setting = |key: &str, value: Option<&str>| Setting {
            key: key.into(),
            value: value.map(Into::into),
            read_only: false,
        };
        let known = [setting("A.b", Some("7")), setting("A.secret", None)];
        let answer = say_read(&asked(&order), &known, &["X".into(), "A.gone".into()]);
        let told = answer.get_variable_result.iter();
        let told: Vec<_> = told.map(|row| (row.attribute_status.as_str(), row.attribute_value.as_deref())).collect();
        let expected = [
            ("UnknownVariable", None),
            ("NotSupportedAttributeType", None),
            ("UnknownComponent", None),
            ("Accepted", Some("7")),
            ("Rejected", None),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_no_actual_value_is_not_written() {
        // proves: B05.FR.01, B05.FR.02, B05.FR.04, B05.FR.05, B05.FR.06
        let data = rows(
            "{AT 'attributeValue':'1','component':{'name':'A'},'variable':{'name':'b'}},\
             {'attributeValue':'2','component':{'name':'A'},'variable':{'name':'b'}},\
             {'attributeValue':'x','component':{'name':'A'},'variable':{'name':'b'}},\
             {'attributeValue':'3','component':{'name':'X'},'variable':{'name':'b'}},\
             {'attributeValue':'4','component':{'name':'A'},'variable':{'name':'gone'}}",
        );
        let order = serde_json::from_str(&format!(r#"{{"setVariableData":{data}}}"#)).unwrap();
        let (asked, order) = written(order);
        let ToStation::WriteSettings { values } = order else { panic!() };
        assert_eq!(values.iter().map(|(_, value)| &**value.expose()).collect::<Vec<_>>(), ["2", "x", "3", "4"]);
        let became = [
            ("A.b", Written::Accepted),
            ("A.b", Written::Rejected),
            ("X", Written::Unknown),
            ("A.gone", Written::Unknown),
        ];
        let answer = say_written(&asked, &became.map(|(key, written)| (key.into(), written)));
        let told: Vec<_> = answer.set_variable_result.iter().map(|row| row.attribute_status.as_str()).collect();
        let expected = ["NotSupportedAttributeType", "Accepted", "Rejected", "UnknownComponent", "UnknownVariable"];
        assert_eq!(told, expected);
    }
}
