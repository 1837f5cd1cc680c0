//! Bodies of SOAP messages to the payloads of 1.6 JSON and back, by the tables.
//!
//! So there is one bridge for both, and repair, judgement and masking see one form. Reads generously: any order, any
//! name space below the body, a remark for what is unknown. Writes strictly: the order of the schema, its words.
//! Invariant: what a version has no place for is left out with a remark, or the whole message is refused.

use std::borrow::Cow;

use charge::Decimal;
use soap::Element;

use super::table::{Field, Kind, Words};
use crate::json::Node;
use crate::payload::Notes;

/// Why a payload has no form in the version: the path of the member.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfit {
    pub path: String,
}

const NIL: (&str, &str) = ("http://www.w3.org/2001/XMLSchema-instance", "nil");

/// The payload that a body is.
pub(super) fn to_json(fields: &[Field], body: &Element, notes: &mut Notes) -> String {
    let mut out = String::with_capacity(128);
    object(fields, &body.children, &mut String::new(), notes).write(&mut out);
    out
}

/// `path` is left as it was: it is wanted for remarks alone, and most messages leave none.
fn object<'e>(fields: &[Field], children: &'e [Element], path: &mut String, notes: &mut Notes) -> Node<'e> {
    let (mut members, length) = (Vec::with_capacity(fields.len()), path.len());
    for field in fields {
        path.push('/');
        path.push_str(field.json);
        let member = member(field, children, path, notes);
        members.extend(member.map(|member| (Cow::Borrowed(field.json), member)));
        path.truncate(length);
    }
    for child in children {
        if !fields.iter().any(|field| field.xml == &*child.name.local) {
            notes.remark(path, &format!("<{}> is not in this message, left out", shown(&child.name.local)));
        }
    }
    Node::Object(members)
}

fn member<'e>(field: &Field, children: &'e [Element], path: &mut String, notes: &mut Notes) -> Option<Node<'e>> {
    let mut found = named(children, field.xml).filter(|element| !is_nil(element));
    match &field.kind {
        Kind::Void => {
            if found.next().is_some() {
                notes.remark(path, "not used here");
            }
            None
        }
        Kind::Layer(inner) => {
            let inside = found.flat_map(|layer| named(&layer.children, inner.xml));
            let all = list(&inner.kind, inside, path, notes);
            (!all.is_empty()).then_some(Node::List(all))
        }
        kind if field.many => {
            let all = list(kind, found, path, notes);
            (field.need || !all.is_empty()).then_some(Node::List(all))
        }
        kind => {
            let first = found.next()?;
            if found.next().is_some() {
                notes.remark(path, "stands there more than once, the first taken");
            }
            Some(value(kind, first, path, notes))
        }
    }
}

fn list<'e>(
    kind: &Kind,
    elements: impl Iterator<Item = &'e Element>,
    path: &mut String,
    notes: &mut Notes,
) -> Vec<Node<'e>> {
    let length = path.len();
    let one = |(place, element): (usize, &'e Element)| {
        path.push('/');
        path.push_str(&place.to_string());
        let node = value(kind, element, path, notes);
        path.truncate(length);
        node
    };
    elements.enumerate().map(one).collect()
}

fn named<'e>(children: &'e [Element], name: &str) -> impl Iterator<Item = &'e Element> {
    children.iter().filter(move |child| &*child.name.local == name)
}

fn is_nil(element: &Element) -> bool {
    matches!(element.attribute(NIL.0, NIL.1).map(str::trim), Some("true" | "1"))
}

/// What a stranger named an element, fit for a remark.
fn shown(name: &str) -> String {
    name.chars().take(32).collect()
}

fn value<'e>(kind: &Kind, element: &'e Element, path: &mut String, notes: &mut Notes) -> Node<'e> {
    match kind {
        Kind::Object(fields) => object(fields, &element.children, path, notes),
        Kind::Attributed(fields) => {
            let mut members = vec![(Cow::Borrowed("value"), Node::Text(Cow::Borrowed(element.word())))];
            for field in *fields {
                let word = element.attributes.iter().find(|(name, _)| &*name.local == field.xml);
                members.extend(word.map(|(_, word)| (Cow::Borrowed(field.json), scalar(&field.kind, word.trim()))));
            }
            Node::Object(members)
        }
        // plain strings keep their blanks, as the schemas say
        Kind::Text => Node::Text(Cow::Borrowed(&element.text)),
        Kind::Whole | Kind::Number | Kind::Flag | Kind::Word(_) => scalar(kind, element.word()),
        Kind::Layer(_) | Kind::Void => Node::Null,
    }
}

/// What is not what it should be stays text: the repair of the payload sees to it, as it does in JSON.
fn scalar<'e>(kind: &Kind, text: &'e str) -> Node<'e> {
    match kind {
        Kind::Whole => match text.parse::<i64>() {
            Ok(number) => Node::Bare(Cow::Owned(number.to_string())),
            Err(_) => Node::Text(Cow::Borrowed(text)),
        },
        Kind::Number => match text.parse::<Decimal>() {
            Ok(number) => Node::Bare(Cow::Owned(number.to_string())),
            Err(_) => Node::Text(Cow::Borrowed(text)),
        },
        Kind::Flag => match text {
            "true" | "1" => Node::Bare(Cow::Borrowed("true")),
            "false" | "0" => Node::Bare(Cow::Borrowed("false")),
            other => Node::Text(Cow::Borrowed(other)),
        },
        Kind::Word(words) => Node::Text(Cow::Borrowed(words.to_json(text))),
        Kind::Text | Kind::Object(_) | Kind::Attributed(_) | Kind::Layer(_) | Kind::Void => {
            Node::Text(Cow::Borrowed(text))
        }
    }
}

/// The elements of a body that a payload becomes, all in the name space `space`.
pub(super) fn to_xml(fields: &[Field], payload: &str, space: &str, notes: &mut Notes) -> Result<Vec<Element>, Unfit> {
    let unfit = || Unfit { path: String::new() };
    let node = Node::parse(payload, PAYLOAD_DEPTH_MAX).ok_or_else(unfit)?;
    let Node::Object(members) = &node else { return Err(unfit()) };
    Writer { space }.members(fields, members, "", notes)
}

/// No payload of 1.6 is deeper; ours have been validated before.
const PAYLOAD_DEPTH_MAX: usize = 16;

struct Writer<'s> {
    space: &'s str,
}

type Members<'n> = [(Cow<'n, str>, Node<'n>)];

impl Writer<'_> {
    fn members(
        &self,
        fields: &[Field],
        members: &Members<'_>,
        path: &str,
        notes: &mut Notes,
    ) -> Result<Vec<Element>, Unfit> {
        for (name, _) in members {
            if !fields.iter().any(|field| *field.json == **name) {
                notes.remark(&format!("{path}/{name}"), "has no place in this version, left out");
            }
        }
        let mut out = Vec::with_capacity(fields.len());
        for field in fields {
            let value = members.iter().find(|(name, _)| *field.json == **name).map(|(_, value)| value);
            let value = value.filter(|value| **value != Node::Null && !matches!(field.kind, Kind::Void));
            let here = format!("{path}/{}", field.json);
            match value {
                Some(value) => self.field(field, value, &here, notes, &mut out)?,
                None if field.need && !field.many => return Err(Unfit { path: here }),
                None => {}
            }
        }
        Ok(out)
    }

    fn field(
        &self,
        field: &Field,
        value: &Node<'_>,
        path: &str,
        notes: &mut Notes,
        out: &mut Vec<Element>,
    ) -> Result<(), Unfit> {
        if let Kind::Layer(inner) = &field.kind {
            let mut all = Vec::new();
            self.field(inner, value, path, notes, &mut all)?;
            if !all.is_empty() {
                out.push(Element::with_children(self.space, field.xml, all));
            }
            return Ok(());
        }
        let one = std::slice::from_ref(value);
        let values: &[Node<'_>] = match value {
            Node::List(values) if field.many => values,
            _ => one,
        };
        for (place, value) in values.iter().enumerate() {
            let here = if field.many { format!("{path}/{place}") } else { path.to_owned() };
            out.extend(self.element(field, value, &here, notes)?);
        }
        Ok(())
    }

    /// `None` for one of many that the version cannot say.
    fn element(
        &self,
        field: &Field,
        value: &Node<'_>,
        path: &str,
        notes: &mut Notes,
    ) -> Result<Option<Element>, Unfit> {
        let unfit = || Unfit { path: path.to_owned() };
        match (&field.kind, value) {
            (Kind::Object(fields), Node::Object(members)) => {
                let children = self.members(fields, members, path, notes)?;
                // a list that has lost all that it held says nothing
                let hollow = fields.iter().any(|inner| {
                    inner.many && inner.need && !children.iter().any(|child| *child.name.local == *inner.xml)
                });
                Ok((!hollow).then(|| Element::with_children(self.space, field.xml, children)))
            }
            (Kind::Attributed(fields), Node::Object(members)) => {
                Ok(self.attributed(field, fields, members, path, notes))
            }
            (Kind::Word(words), Node::Text(word)) => {
                let word = words.to_xml(word).ok_or_else(unfit)?;
                Ok(Some(Element::with_text(self.space, field.xml, word)))
            }
            (Kind::Text | Kind::Whole | Kind::Number | Kind::Flag, Node::Text(text) | Node::Bare(text)) => {
                Ok(Some(Element::with_text(self.space, field.xml, text.as_ref())))
            }
            _ => Err(unfit()),
        }
    }

    /// A sample with a phase, a unit or a measurand that 1.5 does not have would be read as something else.
    fn attributed(
        &self,
        field: &Field,
        fields: &[Field],
        members: &Members<'_>,
        path: &str,
        notes: &mut Notes,
    ) -> Option<Element> {
        let mut element = Element::new(self.space, field.xml);
        for (name, value) in members {
            let text = value.as_text();
            if &**name == "value" {
                element.text = text.unwrap_or_default().to_owned();
                continue;
            }
            let word = fields.iter().find(|attribute| *attribute.json == **name).and_then(|attribute| {
                let Kind::Word(words) = &attribute.kind else { return None };
                Some((attribute.xml, words.to_xml(text?)?))
            });
            let Some((name, word)) = word else {
                notes.remark(&format!("{path}/{name}"), "cannot be said in this version, sample left out");
                return None;
            };
            element = element.and_attribute("", name, word);
        }
        Some(element)
    }
}

impl Words {
    fn to_json<'w>(&self, word: &'w str) -> &'w str
    where
        'static: 'w,
    {
        if self.list.contains(&word) {
            return word;
        }
        self.pairs.iter().find(|(xml, _)| *xml == word).map_or(word, |(_, json)| json)
    }

    fn to_xml(&self, word: &str) -> Option<&'static str> {
        let same = self.list.iter().find(|known| **known == word).copied();
        same.or_else(|| self.pairs.iter().find(|(_, json)| *json == word).map(|(xml, _)| *xml)).or(self.otherwise)
    }
}
