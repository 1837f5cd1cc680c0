//! The tables are the WSDLs: same operations, same elements, same order, same counts, same words. Skipped, loudly,
//! where the WSDLs are not beside the project.

use std::collections::BTreeMap;
use std::path::PathBuf;

use soap::{Element, Limits, read};

use super::super::table::{Dialect, Field, Kind, Service, Words};

const SCHEMA: &str = "http://www.w3.org/2001/XMLSchema";

struct Types(BTreeMap<String, Element>);

impl Types {
    fn of(wsdl: &Element) -> Self {
        let mut found = BTreeMap::new();
        collect(wsdl, &mut found);
        Self(found)
    }

    fn get(&self, name: &str) -> Option<&Element> {
        self.0.get(name.rsplit(':').next().unwrap())
    }

    fn words(&self, name: &str) -> Vec<&str> {
        let restriction = self.get(name).and_then(|kind| kind.child(SCHEMA, "restriction")).unwrap();
        restriction.children.iter().filter_map(|word| word.attribute("", "value")).collect()
    }
}

fn collect(element: &Element, found: &mut BTreeMap<String, Element>) {
    let named = matches!(&*element.name.local, "complexType" | "simpleType");
    if let Some(name) = element.attribute("", "name").filter(|_| named) {
        found.insert(name.to_owned(), element.clone());
    }
    for child in &element.children {
        collect(child, found);
    }
}

fn wsdl(file: &str) -> Option<Element> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/ocpp").join(file);
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("SKIPPED: no WSDL at {}", path.display());
        return None;
    };
    Some(read(&bytes, &Limits::default()).unwrap())
}

#[test]
fn the_tables_are_the_wsdls() {
    let files = [
        ("1.5/soap/ocpp_centralsystemservice_1.5_final.wsdl", 0, Service::Central),
        ("1.5/soap/ocpp_chargepointservice_1.5_final.wsdl", 0, Service::ChargePoint),
        ("1.6/soap/OCPP_CentralSystemService_1.6.wsdl", 1, Service::Central),
        ("1.6/soap/OCPP_ChargePointService_1.6.wsdl", 1, Service::ChargePoint),
    ];
    for (file, dialect, service) in files {
        let Some(wsdl) = wsdl(file) else { return };
        let dialect = Dialect::ALL[dialect];
        assert_eq!(wsdl.attribute("", "targetNamespace"), Some(dialect.space(service)), "{file}");
        let types = Types::of(&wsdl);
        let operations = dialect.operations(service);
        let requests = types.0.keys().filter(|name| name.ends_with("Request")).count();
        assert_eq!(requests, operations.len(), "{file}");
        for operation in operations {
            for (fields, suffix) in [(operation.request, "Request"), (operation.response, "Response")] {
                let name = format!("{}{suffix}", operation.action);
                let kind = types.get(&name).unwrap_or_else(|| panic!("{file} has no {name}"));
                compare(&types, fields, kind, &format!("{file} {name}"));
            }
        }
    }
}

fn compare(types: &Types, fields: &[Field], kind: &Element, at: &str) {
    let sequence = kind.child(SCHEMA, "sequence").map_or(&[][..], |sequence| &sequence.children);
    let names: Vec<&str> = sequence.iter().filter_map(|element| element.attribute("", "name")).collect();
    assert_eq!(fields.iter().map(|field| field.xml).collect::<Vec<_>>(), names, "{at}");
    for (field, element) in fields.iter().zip(sequence) {
        let at = format!("{at}/{}", field.xml);
        let many = element.attribute("", "maxOccurs").is_some_and(|most| most == "unbounded");
        assert_eq!(field.many || matches!(field.kind, Kind::Layer(_)), many, "{at}");
        // a list that JSON demands may be empty in 1.5
        let must = element.attribute("", "minOccurs") != Some("0");
        assert!(field.need == must || (field.need && field.many), "{at}");
        judge(types, &field.kind, element, &at);
    }
}

fn judge(types: &Types, kind: &Kind, element: &Element, at: &str) {
    let named = element.attribute("", "type").unwrap_or_default();
    match kind {
        Kind::Whole => assert_eq!(named, "s:int", "{at}"),
        Kind::Flag => assert_eq!(named, "s:boolean", "{at}"),
        Kind::Number => assert_eq!(named, "tns:DecimalOne", "{at}"),
        Kind::Object(fields) => compare(types, fields, types.get(named).unwrap(), at),
        Kind::Layer(inner) => compare(types, std::slice::from_ref(*inner), types.get(named).unwrap(), at),
        Kind::Word(words) => same(words, &types.words(named), at),
        Kind::Attributed(fields) => {
            let attributes = descendants(element, "attribute");
            let names: Vec<&str> = attributes.iter().filter_map(|attribute| attribute.attribute("", "name")).collect();
            assert_eq!(fields.iter().map(|field| field.xml).collect::<Vec<_>>(), names, "{at}");
            for (field, attribute) in fields.iter().zip(attributes) {
                judge(types, &field.kind, attribute, &format!("{at}@{}", field.xml));
            }
        }
        Kind::Text | Kind::Void => {
            let scalar = ["s:string", "s:dateTime", "s:anyURI"].contains(&named);
            let simple = types.get(named).is_some_and(|kind| &*kind.name.local == "simpleType");
            assert!(scalar || simple, "{at} is {named}");
        }
    }
}

fn same(words: &Words, wsdl: &[&str], at: &str) {
    let mut ours: Vec<&str> = words.list.iter().copied().chain(words.pairs.iter().map(|(xml, _)| *xml)).collect();
    let mut theirs = wsdl.to_vec();
    ours.sort_unstable();
    ours.dedup();
    theirs.sort_unstable();
    assert_eq!(ours, theirs, "{at}");
}

fn descendants<'e>(element: &'e Element, name: &str) -> Vec<&'e Element> {
    let mut found = Vec::new();
    for child in &element.children {
        if child.name.is(SCHEMA, name) {
            found.push(child);
        }
        found.extend(descendants(child, name));
    }
    found
}
