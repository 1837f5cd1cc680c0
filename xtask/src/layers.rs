//! Are the arrows between crates the ones that `layers.toml` allows?
//!
//! Reads every member's manifest. Normal and build dependencies must obey; dev-dependencies may look sideways,
//! because a test may hold both ends of a road.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::{Table, Value};

pub fn check(root: &Path) -> Vec<String> {
    let rules = match read(&root.join("layers.toml")).and_then(|table| Rules::read(&table)) {
        Ok(rules) => rules,
        Err(fault) => return vec![fault],
    };
    let mut faults = unpinned(root, &rules);
    for name in rules.order.keys() {
        match read(&root.join("crates").join(name).join("Cargo.toml")) {
            Ok(manifest) => faults.extend(rules.judge(name, &dependencies(&manifest))),
            Err(fault) => faults.push(fault),
        }
    }
    let placed: BTreeSet<&str> = rules.order.keys().map(String::as_str).collect();
    for folder in std::fs::read_dir(root.join("crates")).into_iter().flatten().flatten() {
        let name = folder.file_name().to_string_lossy().into_owned();
        if !placed.contains(name.as_str()) {
            faults.push(format!("crates/{name} has no row in layers.toml"));
        }
        if rules.refused.contains(&name) {
            faults.push(format!("no crate may be called `{name}`: name it after what it is about"));
        }
    }
    faults
}

struct Rules {
    /// Crate to row.
    order: BTreeMap<String, usize>,
    kinds: BTreeMap<String, Vec<String>>,
    never: BTreeMap<String, Vec<String>>,
    field: BTreeMap<String, Vec<String>>,
    only: BTreeMap<String, Vec<String>>,
    refused: Vec<String>,
}

impl Rules {
    fn read(table: &Table) -> Result<Self, String> {
        let rows = table.get("order").and_then(Value::as_array).ok_or("layers.toml: no `order`")?;
        let mut order = BTreeMap::new();
        for (row, names) in rows.iter().enumerate() {
            for name in names.as_array().into_iter().flatten().filter_map(Value::as_str) {
                order.insert(name.to_owned(), row);
            }
        }
        let lists = |key: &str| -> BTreeMap<String, Vec<String>> {
            let section = table.get(key).and_then(Value::as_table);
            section.into_iter().flatten().map(|(name, list)| (name.clone(), texts(list))).collect()
        };
        let refused = lists("names").remove("refused").unwrap_or_default();
        Ok(Self {
            order,
            kinds: lists("kinds"),
            never: lists("never"),
            field: lists("field"),
            only: lists("only"),
            refused,
        })
    }

    /// A name stands for itself and for its kinds.
    fn is(&self, name: &str, what: &str) -> bool {
        name == what || self.kinds.get(what).is_some_and(|members| members.iter().any(|member| member == name))
    }

    fn judge(&self, name: &str, dependencies: &BTreeSet<String>) -> Vec<String> {
        let mut faults = Vec::new();
        for used in dependencies {
            if let (Some(mine), Some(theirs)) = (self.order.get(name), self.order.get(used))
                && theirs >= mine
            {
                faults.push(format!("{name} -> {used}: an arrow must point down the table"));
            }
            for (from, tos) in &self.never {
                if self.is(name, from) && tos.iter().any(|to| self.is(used, to)) {
                    faults.push(format!("{name} -> {used}: a {from} never uses a {used}"));
                }
            }
            for (what, list) in [("field", &self.field), ("only", &self.only)] {
                if list.get(used).is_some_and(|allowed| !allowed.iter().any(|a| a == name)) {
                    faults.push(format!("{name} -> {used}: `{used}` may not be named here ({what} in layers.toml)"));
                }
            }
        }
        faults
    }
}

/// The field's crates must stand in the root manifest with an exact version.
fn unpinned(root: &Path, rules: &Rules) -> Vec<String> {
    let manifest = match read(&root.join("Cargo.toml")) {
        Ok(manifest) => manifest,
        Err(fault) => return vec![fault],
    };
    let shared = manifest.get("workspace").and_then(|w| w.get("dependencies")).and_then(Value::as_table);
    let exact = |name: &String| {
        let entry = shared.and_then(|table| table.get(name));
        let version = entry.and_then(|e| e.as_str().or_else(|| e.get("version").and_then(Value::as_str)));
        version.is_some_and(|version| version.starts_with('='))
    };
    let loose = rules.field.keys().filter(|name| !exact(name));
    loose.map(|name| format!("`{name}` is a field crate: pin it with `=` in the root manifest")).collect()
}

fn dependencies(manifest: &Table) -> BTreeSet<String> {
    let sections = ["dependencies", "build-dependencies"];
    sections.iter().filter_map(|s| manifest.get(*s)?.as_table()).flat_map(|t| t.keys().cloned()).collect()
}

fn read(path: &Path) -> Result<Table, String> {
    let text = std::fs::read_to_string(path).map_err(|fault| format!("{}: {fault}", path.display()))?;
    text.parse::<Table>().map_err(|fault| format!("{}: {fault}", path.display()))
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn rules() -> Rules {
        let text = r#"
            order = [["charge"], ["ocpp", "ocpi"], ["hub", "operator"], ["gate"]]
            [kinds]
            room = ["hub", "operator"]
            tongue = ["ocpp", "ocpi"]
            [never]
            room = ["room", "tongue"]
            gate = ["room"]
            [only]
            serde = ["ocpp"]
        "#;
        Rules::read(&text.parse::<Table>().unwrap()).unwrap()
    }

    fn judged(name: &str, used: &str) -> bool {
        rules().judge(name, &BTreeSet::from([used.to_owned()])).is_empty()
    }

    #[test]
    fn arrows_point_down_and_rooms_know_neither_rooms_nor_tongues() {
        assert!(judged("ocpp", "charge"));
        assert!(!judged("charge", "ocpp"));
        assert!(!judged("hub", "operator"));
        assert!(!judged("operator", "ocpp"));
        assert!(!judged("gate", "operator"));
        assert!(judged("gate", "ocpp"));
    }

    #[test]
    fn a_heavy_tree_enters_only_where_it_may() {
        assert!(judged("ocpp", "serde"));
        assert!(!judged("hub", "serde"));
    }
}
