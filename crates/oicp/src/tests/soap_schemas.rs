//! The tables of 2.0 are the published schemas: same services, same elements, same order, same counts.

use std::collections::BTreeMap;

use soap::{Element, Limits, read};

use super::paper;
use crate::operation::Version;
use crate::shape::{Kind, Need, Shape};
use crate::{v20, xml};

const SCHEMA: &str = "http://www.w3.org/2001/XMLSchema";
const FILES: [(&str, &str); 7] = [
    (v20::COMMON, "eRoamingCommonTypes_V2.0.xsd"),
    (v20::AUTHORIZATION, "eRoamingAuthorization_V2.0.xsd"),
    (v20::AUTHENTICATION_DATA, "eRoamingAuthenticationData_V2.0.xsd"),
    (v20::EVSE_DATA, "eRoamingEvseData_V2.0.xsd"),
    (v20::EVSE_STATUS, "eRoamingEvseStatus_V2.0.xsd"),
    (v20::EVSE_SEARCH, "eRoamingEvseSearch_V2.0.xsd"),
    (v20::MOBILE, "eRoamingMobileAuthorization_V2.0.xsd"),
];

type Schemas = BTreeMap<&'static str, Element>;

fn schemas() -> Option<Schemas> {
    let limits = Limits { elements_max: 50_000, ..Limits::default() };
    let mut all = Schemas::new();
    for (space, file) in FILES {
        let bytes = std::fs::read(paper(&format!("2.0-soap/RelatedSchemas/{file}"))?).unwrap();
        let schema = read(&bytes, &limits).unwrap();
        assert_eq!(schema.attribute("", "targetNamespace"), Some(space));
        all.insert(space, schema);
    }
    Some(all)
}

fn named<'s>(schemas: &'s Schemas, kind: &str, name: &str) -> Option<&'s Element> {
    let local = name.rsplit(':').next().unwrap();
    let mut found = schemas.values().flat_map(|schema| &schema.children);
    found.find(|each| &*each.name.local == kind && each.attribute("", "name") == Some(local))
}

/// The elements of a sequence, choices opened, and whether each may be left out.
fn sequence(kind: &Element, chosen: bool) -> Vec<(&Element, bool)> {
    let mut found = Vec::new();
    for child in &kind.children {
        match &*child.name.local {
            "element" => found.push((child, chosen || child.attribute("", "minOccurs") == Some("0"))),
            "sequence" => found.extend(sequence(child, chosen)),
            "choice" => found.extend(sequence(child, true)),
            _other => {}
        }
    }
    found
}

fn compare(schemas: &Schemas, shape: &'static Shape, kind: &Element, at: &str) {
    let elements = sequence(kind, false);
    let names: Vec<&str> = elements.iter().filter_map(|(element, _)| element.attribute("", "name")).collect();
    let plain = shape.members.iter().filter(|member| !member.name.starts_with('@'));
    let ours: Vec<&str> = plain.clone().map(|member| member.name).collect();
    assert_eq!(ours, names, "{at}");
    let attributes = kind.children.iter().filter(|child| child.name.is(SCHEMA, "attribute")).count();
    assert_eq!(shape.members.len() - ours.len(), attributes, "{at}");
    for (member, (element, may)) in plain.zip(elements) {
        let at = format!("{at}/{}", member.name);
        assert_eq!(member.need == Need::May, may, "{at}");
        let many = element.attribute("", "maxOccurs").is_some_and(|most| most != "1");
        assert_eq!(matches!(member.kind, Kind::List(..)), many, "{at}");
        let kind = match &member.kind {
            Kind::List(kind, _) => kind,
            kind => kind,
        };
        judge(schemas, kind, element, &at);
    }
}

fn judge(schemas: &Schemas, kind: &'static Kind, element: &Element, at: &str) {
    let inline = element.child(SCHEMA, "complexType");
    let reference = element.attribute("", "type").unwrap_or_default();
    match kind {
        Kind::Record(shape) => {
            let complex = inline.or_else(|| named(schemas, "complexType", reference));
            compare(schemas, shape, complex.unwrap_or_else(|| panic!("{at} is {reference}")), at);
        }
        Kind::Word(words) => {
            let own = element.child(SCHEMA, "simpleType");
            let simple = own.or_else(|| named(schemas, "simpleType", reference)).unwrap();
            let listed = &simple.child(SCHEMA, "restriction").unwrap().children;
            let theirs: Vec<&str> = listed.iter().filter_map(|word| word.attribute("", "value")).collect();
            assert_eq!(words.to_vec(), theirs, "{at}");
        }
        Kind::Bool => assert_eq!(reference, "xs:boolean", "{at}"),
        Kind::Time => assert_eq!(reference, "xs:dateTime", "{at}"),
        Kind::Text(_) | Kind::Form(_) | Kind::Number(_) | Kind::Whole(_) => assert!(inline.is_none(), "{at}"),
        Kind::List(..) => panic!("{at} is a list of lists"),
    }
}

#[test]
fn the_tables_are_the_schemas() {
    let Some(schemas) = schemas() else { return };
    for row in Version::V20.rows() {
        for shape in [row.request, row.answer] {
            let root = named(&schemas, "element", shape.name).unwrap_or_else(|| panic!("no element {}", shape.name));
            let kind = named(&schemas, "complexType", root.attribute("", "type").unwrap()).unwrap();
            compare(&schemas, shape, kind, shape.name);
        }
    }
}

#[test]
fn every_operation_of_the_six_services_has_a_row() {
    let wsdl = "http://schemas.xmlsoap.org/wsdl/";
    let mut count = 0;
    for service in
        ["Authorization", "AuthenticationData", "EvseData", "EvseStatus", "EvseSearch", "MobileAuthorization"]
    {
        let Some(path) = paper(&format!("2.0-soap/eRoaming{service}_V2.0.wsdl")) else { return };
        let definitions = read(&std::fs::read(path).unwrap(), &Limits::default()).unwrap();
        for operation in &definitions.child(wsdl, "portType").unwrap().children {
            let name = operation.attribute("", "name").unwrap();
            let row = Version::V20.rows().iter().find(|row| row.request.name == name);
            let row = row.unwrap_or_else(|| panic!("no row for {name}"));
            assert_eq!(row.path.0, format!("eRoaming{service}_V2.0"), "{name}");
            count += 1;
        }
    }
    assert_eq!(count, Version::V20.rows().len());
}

/// A record with something in every member of its shape.
fn full(shape: &'static Shape) -> crate::Record {
    let mut record = crate::Record::default();
    for member in shape.members.iter().take(if shape.choice { 1 } else { usize::MAX }) {
        record.set(member.name, value(&member.kind));
    }
    record
}

fn value(kind: &'static Kind) -> crate::Doc {
    match kind {
        Kind::Record(shape) => full(shape).into(),
        Kind::List(kind, _) => vec![value(kind), value(kind)].into(),
        Kind::Word(words) => words[0].into(),
        Kind::Bool => true.into(),
        Kind::Number(_) | Kind::Whole(_) => 7u32.into(),
        Kind::Time => "2026-11-22T15:04:05Z".into(),
        Kind::Text(most) => "é<&> x".chars().take(*most).collect::<String>().into(),
        Kind::Form(form) => {
            let samples = [
                "DE*ABC*E1",
                "DE-8AA-C12345678-X",
                "DE*ABC",
                "DE-8AA",
                "b2688855-7f00-0002-6d8e-48d883f6abb6",
                "1234ABCD",
                "+4912345678",
                "DEU",
                "52.480495",
                "52.480495 13.356465",
                "a5ghdhf73h",
            ];
            (*samples.iter().find(|text| (form.fits)(text)).unwrap()).into()
        }
    }
}

#[test]
fn every_message_is_read_as_it_was_written() {
    for row in Version::V20.rows() {
        for shape in [row.request, row.answer] {
            let record = crate::shape::strict(shape, full(shape)).unwrap();
            let element = xml::write(shape, shape.space, shape.name, &record);
            let text = soap::write(&element, &[]);
            let element = read(text.as_bytes(), &Limits::default()).unwrap();
            let again = crate::shape::read(shape, xml::read(shape, &element).into()).unwrap();
            assert_eq!(again.lost, [], "{}", shape.name);
            assert!(again.value == record, "{}: {:?} {record:?}", shape.name, again.value);
        }
    }
}
