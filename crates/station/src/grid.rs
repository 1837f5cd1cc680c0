//! What the grid wants of the station: DER controls, kept and reported (OCPP 2.1 block R).
//!
//! A control is a document that is kept and told, with its priority read out of it; the virtual station has no inverter
//! whose curve could be bent, and says so to nobody because the standard has no word for it.
//!
//! Invariant: of one kind at most one default control is in force, and a superseded one is told as such.

use std::fmt::Write;

use charge::talk::line::document::Document;

use crate::document::number;

/// As many controls as a grid profile of a country has, twice.
pub const CONTROLS_MAX: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Control {
    id: Box<str>,
    kind: Box<str>,
    default: bool,
    control: Document,
    superseded: bool,
}

/// All controls of a station.
#[derive(Clone, Debug, Default)]
pub struct Controls(Vec<Control>);

/// The kinds of `DERControlEnumType` and the list of a report that each stands in.
const KINDS: [(&str, &str); 20] = [
    ("EnterService", "enterService"),
    ("FreqDroop", "freqDroop"),
    ("FreqWatt", "curve"),
    ("FixedPFAbsorb", "fixedPFAbsorb"),
    ("FixedPFInject", "fixedPFInject"),
    ("FixedVar", "fixedVar"),
    ("Gradients", "gradient"),
    ("HFMustTrip", "curve"),
    ("HFMayTrip", "curve"),
    ("HVMustTrip", "curve"),
    ("HVMomCess", "curve"),
    ("HVMayTrip", "curve"),
    ("LimitMaxDischarge", "limitMaxDischarge"),
    ("LFMustTrip", "curve"),
    ("LVMustTrip", "curve"),
    ("LVMomCess", "curve"),
    ("LVMayTrip", "curve"),
    ("PowerMonitoringMustTrip", "curve"),
    ("VoltVar", "curve"),
    ("VoltWatt", "curve"),
];

fn list_of(kind: &str) -> Option<&'static str> {
    KINDS.iter().find(|(known, _)| *known == kind).map(|(_, list)| *list)
}

impl Controls {
    /// Keeps a control. Answers the ids it supersedes, or the status word that refuses it (R04).
    pub fn set(
        &mut self,
        id: Box<str>,
        kind: Box<str>,
        default: bool,
        control: Document,
    ) -> Result<Vec<Box<str>>, &'static str> {
        if list_of(&kind).is_none() {
            return Err("NotSupported");
        }
        self.0.retain(|of| of.id != id);
        if self.0.len() >= CONTROLS_MAX {
            return Err("Rejected");
        }
        // a lower number is of more weight (DERControl.priority)
        let weight = |of: &Document| number(Some(of), "priority").unwrap_or_default();
        let mut superseded = Vec::new();
        for of in self.0.iter_mut().filter(|of| of.kind == kind && of.default == default && !of.superseded) {
            if weight(&control) <= weight(&of.control) {
                of.superseded = true;
                superseded.push(of.id.clone());
            }
        }
        self.0.push(Control { id, kind, default, control, superseded: false });
        Ok(superseded)
    }

    /// Clears by id, or all of a kind (R06). Answers how many went.
    pub fn clear(&mut self, id: Option<&str>, kind: Option<&str>, default: bool) -> usize {
        let before = self.0.len();
        self.0.retain(|of| {
            let meant =
                id.map_or(of.default == default && kind.is_none_or(|kind| kind == &*of.kind), |id| id == &*of.id);
            !meant
        });
        before - self.0.len()
    }

    /// The lists of `ReportDERControl` for what is meant, if there is anything (R05).
    pub fn report(&self, id: Option<&str>, kind: Option<&str>, default: Option<bool>) -> Option<Document> {
        let meant = |of: &&Control| {
            id.is_none_or(|id| id == &*of.id)
                && kind.is_none_or(|kind| kind == &*of.kind)
                && default.is_none_or(|default| default == of.default)
        };
        let meant: Vec<_> = self.0.iter().filter(meant).collect();
        let mut lists: Vec<(&str, Vec<String>)> = Vec::new();
        for of in meant {
            let Some(name) = list_of(&of.kind) else { continue };
            let row = row(of, name);
            match lists.iter_mut().find(|(known, _)| *known == name) {
                Some((_, rows)) => rows.push(row),
                None => lists.push((name, vec![row])),
            }
        }
        if lists.is_empty() {
            return None;
        }
        let lists: Vec<String> = lists.iter().map(|(name, rows)| format!("\"{name}\":[{}]", rows.join(","))).collect();
        Some(Document::new(format!("{{{}}}", lists.join(","))))
    }
}

/// A control as its kind's row: the document of the request, and what the report adds.
fn row(of: &Control, list: &str) -> String {
    let inner = of.control.as_str().trim();
    let inner = inner.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(inner).trim();
    let mut row = format!("{{\"id\":\"{}\",\"isDefault\":{},\"isSuperseded\":{}", of.id, of.default, of.superseded);
    if list == "curve" {
        // writing to a text cannot fail
        let _written = write!(row, ",\"curveType\":\"{}\"", of.kind);
    }
    if !inner.is_empty() {
        row.push(',');
        row.push_str(inner);
    }
    row.push('}');
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn droop(priority: u8) -> Document {
        Document::new(format!(r#"{{"freqDroop":{{"priority":{priority},"overFreq":50.2}}}}"#))
    }

    #[test]
    fn controls_supersede_are_reported_and_cleared() {
        let mut controls = Controls::default();
        assert_eq!(controls.set("x".into(), "Nonsense".into(), true, droop(1)), Err("NotSupported"));
        assert_eq!(controls.set("a".into(), "FreqDroop".into(), false, droop(2)), Ok(vec![]));
        assert_eq!(controls.set("b".into(), "FreqDroop".into(), false, droop(3)), Ok(vec![]), "of less weight");
        assert_eq!(controls.set("c".into(), "FreqDroop".into(), false, droop(1)), Ok(vec!["a".into(), "b".into()]));
        let report = controls.report(None, Some("FreqDroop"), None);
        let text = report.as_ref().map(Document::as_str).unwrap_or_default();
        let read: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        assert_eq!(read["freqDroop"].as_array().map(Vec::len), Some(3));
        assert_eq!(read["freqDroop"][0]["isSuperseded"], true);
        assert_eq!(read["freqDroop"][2]["freqDroop"]["priority"], 1);
        assert_eq!(controls.report(Some("nobody"), None, None), None);
        assert_eq!(controls.clear(Some("a"), None, false), 1);
        assert_eq!(controls.clear(None, None, true), 0);
        assert_eq!(controls.clear(None, Some("FreqDroop"), false), 2);
    }
}
