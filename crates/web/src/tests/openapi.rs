//! The description against the house: every route is described, nothing is described that is not there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use utoipa::OpenApi;

use super::world::PROVIDER;
use super::*;

/// Reached without a guard; the description says so.
const HOUSE: [(&str, &str); 1] = [("GET", "/api/parties")];

fn document() -> Value {
    serde_json::to_value(crate::openapi::document()).unwrap()
}

/// Method and path of every operation, with its first tag.
fn described(document: &Value) -> BTreeMap<(String, String), String> {
    let mut all = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation.is_object() {
                let tag = operation["tags"][0].as_str().unwrap_or_default().to_owned();
                all.insert((method.to_uppercase(), path.clone()), tag);
            }
        }
    }
    all
}

#[tokio::test]
async fn every_route_is_described_and_every_description_has_its_route() {
    let world = World::new().await;
    let described = described(&document());
    let mut missing: BTreeSet<_> = described.keys().cloned().collect();
    for (method, path) in HOUSE {
        assert!(missing.remove(&(method.to_owned(), path.to_owned())), "{method} {path}");
    }
    for route in &world.table {
        let method = route.method.to_string();
        let own = (method.clone(), route.path.replace(&format!("/p/{PROVIDER}/"), "/p/{slug}/"));
        let mut parts = route.path.splitn(5, '/').map(str::to_owned).collect::<Vec<_>>();
        parts[3] = "{slug}".to_owned();
        let shared = (method, parts.join("/"));
        let found = if described.contains_key(&own) {
            own
        } else {
            let tag = described.get(&shared).map(String::as_str);
            assert!(matches!(tag, Some("account" | "road")), "{} is not described", route.path);
            shared
        };
        missing.remove(&found);
    }
    assert!(missing.is_empty(), "described and not there: {missing:?}");
}

#[tokio::test]
async fn the_document_is_sound() {
    let document = document();
    let ids = document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let ids: Vec<_> = ids.filter_map(|operation| operation["operationId"].as_str()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an operation id stands twice");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut refs = BTreeSet::new();
    collect_refs(&document, &mut refs);
    let missing: Vec<_> = refs.iter().filter(|name| !schemas.contains_key(name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let login = &document["paths"]["/api/p/{slug}/login"]["post"]["security"];
    assert_eq!(login, &serde_json::json!([]), "signing in needs nothing");
    assert_eq!(document["security"].as_array().map(Vec::len), Some(2), "all else needs a cookie or a key");
    let world = World::new().await;
    assert_eq!(get("/api/openapi.json").send(&world.router).await.ok(), document);
}

fn collect_refs(value: &Value, refs: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                match inner.as_str().and_then(|text| text.strip_prefix("#/components/schemas/")) {
                    Some(schema) if name == "$ref" => drop(refs.insert(schema.to_owned())),
                    Some(_) | None => collect_refs(inner, refs),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_refs(item, refs)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn no_schema_of_one_noun_hides_one_of_another() {
    let all = [
        crate::operator::Description::openapi(),
        crate::operator::daily::Description::openapi(),
        crate::operator::pay::Description::openapi(),
        crate::hub::Description::openapi(),
        crate::provider::Description::openapi(),
        crate::driver::Description::openapi(),
    ];
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    for description in all {
        for (name, schema) in description.components.unwrap_or_default().schemas {
            let schema = serde_json::to_value(schema).unwrap();
            let before = known.insert(name.clone(), schema.clone());
            assert!(before.is_none_or(|before| before == schema), "two schemas are called {name}");
        }
    }
    assert!(known.len() > 50, "{}", known.len());
}
