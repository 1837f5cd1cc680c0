//! The tables of 2.3 against JSON schemas that another project made of the papers: the same members, the same words.

use serde_json::Value;

use super::paper;
use crate::shape::{Kind, Need, Shape};
use crate::v23;

/// Where the schemas follow one paper and our tables the other: the papers write the station's id in both ways, and a
/// provider's remote start has no session yet, because the hub makes it.
const DIFFERENT: &[(&str, &str)] = &[
    ("AuthorizeRemoteStartRequest/SessionID", "is mandatory here: false"),
    ("EvseDataRecord/ChargingStationID", "is in the table only"),
    ("EvseDataRecord/ChargingStationId", "is in the schema only"),
    ("PullEvseDataRecord/ChargingStationID", "is in the table only"),
    ("PullEvseDataRecord/ChargingStationId", "is in the schema only"),
    ("PushEvseDataRequest/OperatorEvseData/EvseDataRecord/ChargingStationID", "is in the table only"),
    ("PushEvseDataRequest/OperatorEvseData/EvseDataRecord/ChargingStationId", "is in the schema only"),
];

fn resolved<'v>(root: &'v Value, value: &'v Value) -> &'v Value {
    if let Some(name) = value["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        return resolved(root, &root["$defs"][name]);
    }
    match value["anyOf"].as_array().map(Vec::as_slice) {
        Some([one, null]) if null["type"] == "null" => resolved(root, one),
        _other => value,
    }
}

fn compare(root: &Value, shape: &'static Shape, schema: &Value, path: &str, found: &mut Vec<(String, String)>) {
    let schema = resolved(root, schema);
    let Some(properties) = schema["properties"].as_object() else { return };
    let required: Vec<&str> =
        schema["required"].as_array().map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default();
    for name in properties.keys().filter(|name| shape.members.iter().all(|member| member.name != name.as_str())) {
        found.push((format!("{path}/{name}"), "is in the schema only".to_owned()));
    }
    for member in shape.members {
        let path = format!("{path}/{}", member.name);
        let Some(property) = properties.get(member.name) else {
            found.push((path, "is in the table only".to_owned()));
            continue;
        };
        let must = member.need != Need::May;
        if must != required.contains(&member.name) {
            found.push((path.clone(), format!("is mandatory here: {must}")));
        }
        compare_kind(root, &member.kind, property, &path, found);
    }
}

fn compare_kind(root: &Value, kind: &'static Kind, schema: &Value, path: &str, found: &mut Vec<(String, String)>) {
    let schema = resolved(root, schema);
    match kind {
        Kind::Record(shape) => compare(root, shape, schema, path, found),
        Kind::List(kind, _) => compare_kind(root, kind, &schema["items"], path, found),
        Kind::Word(words) => {
            let listed: Vec<&str> = schema["enum"]
                .as_array()
                .map(|list| list.iter().filter_map(Value::as_str).collect())
                .unwrap_or_default();
            let alternatives = schema["oneOf"].as_array().into_iter().flatten().filter_map(|one| one["const"].as_str());
            let mut theirs: Vec<&str> = listed.into_iter().chain(alternatives).collect();
            let mut ours = words.to_vec();
            ours.sort_unstable();
            theirs.sort_unstable();
            if !theirs.is_empty() && ours != theirs {
                found.push((path.to_owned(), format!("has the words {theirs:?}")));
            }
        }
        Kind::Text(_) | Kind::Form(_) | Kind::Time | Kind::Number(_) | Kind::Whole(_) | Kind::Bool => {}
    }
}

#[test]
fn the_tables_are_the_schemas() {
    let pairs: [(&str, &'static Shape); 12] = [
        ("Acknowledgement", &v23::ACKNOWLEDGEMENT),
        ("AuthorizationStartResponse", &v23::AUTHORIZATION_START),
        ("AuthorizeRemoteStartRequest", &v23::REMOTE_START),
        ("AuthorizeStartRequest", &v23::AUTHORIZE_START),
        ("ChargeDetailRecord", &v23::CHARGE_DETAIL_RECORD),
        ("EvseDataRecord", &v23::EVSE_DATA_RECORD),
        ("EvseStatusResponse", &v23::EVSE_STATUS),
        ("GetChargeDetailRecordsRequest", &v23::GET_CHARGE_DETAIL_RECORDS),
        ("PullEvseDataRecord", &v23::PULL_EVSE_DATA_RECORD),
        ("PullEvseDataRequest", &v23::PULL_EVSE_DATA),
        ("PushEvseDataRequest", &v23::PUSH_EVSE_DATA),
        ("PushEvseStatusRequest", &v23::PUSH_EVSE_STATUS),
    ];
    let mut found = Vec::new();
    for (file, shape) in pairs {
        let Some(path) = paper(&format!("jsonschema-2.3/{file}.schema.json")) else { return };
        let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        compare(&schema, shape, &schema, file, &mut found);
    }
    found.sort();
    found.dedup();
    let expected: Vec<(String, String)> =
        DIFFERENT.iter().map(|(path, why)| ((*path).to_owned(), (*why).to_owned())).collect();
    assert_eq!(found, expected, "{found:#?}");
}
