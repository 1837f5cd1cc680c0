//! Bodies of OICP 2.0: elements to documents and back, by the shape of the message.
//!
//! A member is an element in its record's name space, a list is the same element several times, a name that begins with
//! `@` is an attribute. Deliberately no judgement: [`crate::shape`] judges. Read generously: an element counts by its
//! local name, because some stacks put children into no name space or into their parent's.

use std::borrow::Cow;

use soap::Element;

use crate::doc::{Doc, Record};
use crate::shape::{Kind, Shape};

/// The document of an element, everything in it still a text.
pub fn read(shape: &'static Shape, element: &Element) -> Record {
    let mut record = Record::default();
    for (name, value) in &element.attributes {
        record.0.push((Cow::Owned(format!("@{}", name.local)), Doc::from(value.as_str())));
    }
    for child in &element.children {
        let member = shape.members.iter().find(|member| member.name.eq_ignore_ascii_case(&child.name.local));
        let value = |kind: &'static Kind| match kind {
            Kind::Record(shape) => Doc::Record(read(shape, child)),
            Kind::Text(_)
            | Kind::Form(_)
            | Kind::Word(_)
            | Kind::Time
            | Kind::Number(_)
            | Kind::Whole(_)
            | Kind::Bool
            | Kind::List(..) => Doc::from(child.text.as_str()),
        };
        match member.map(|member| (member.name, &member.kind)) {
            Some((name, Kind::List(kind, _))) => match record.0.iter_mut().find(|(each, _)| *each == name) {
                Some((_, Doc::List(items))) => items.push(value(kind)),
                Some(_) | None => record.0.push((Cow::Borrowed(name), Doc::List(vec![value(kind)]))),
            },
            Some((name, kind)) => record.0.push((Cow::Borrowed(name), value(kind))),
            None => record.0.push((Cow::Owned(child.name.local.to_string()), Doc::from(child.text.as_str()))),
        }
    }
    record
}

/// The element of a document that its shape has judged.
pub fn write(shape: &'static Shape, space: &str, name: &str, record: &Record) -> Element {
    let mut element = Element::new(space, name);
    for member in shape.members {
        let Some(value) = record.get(member.name) else { continue };
        if let Some(name) = member.name.strip_prefix('@') {
            element = element.and_attribute("", name, leaf(value));
            continue;
        }
        match (&member.kind, value) {
            (Kind::List(kind, _), Doc::List(items)) => {
                element.children.extend(items.iter().map(|item| child(shape.space, member.name, kind, item)));
            }
            (kind, value) => element.children.push(child(shape.space, member.name, kind, value)),
        }
    }
    element
}

fn child(space: &str, name: &str, kind: &'static Kind, value: &Doc) -> Element {
    match (kind, value) {
        (Kind::Record(shape), Doc::Record(record)) => write(shape, space, name, record),
        (_, value) => Element::with_text(space, name, leaf(value)),
    }
}

fn leaf(value: &Doc) -> String {
    match value {
        Doc::Text(text) | Doc::Number(text) => text.clone(),
        Doc::Bool(value) => value.to_string(),
        Doc::Null | Doc::List(_) | Doc::Record(_) => String::new(),
    }
}
