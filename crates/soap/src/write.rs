//! A tree into text.
//!
//! All name spaces are declared at the root, under the prefixes that the caller wishes and made-up ones for the rest,
//! so that a prefix inside a text (a fault's code) has its meaning. Deliberately no white space: it would be content.
//! Invariant: a character that XML cannot carry is replaced by `U+FFFD`, never smuggled out.

use std::borrow::Cow;

use crate::element::{Element, Name};
use crate::read::allowed;

/// A prefix and its name space.
pub type Prefix<'p> = (&'p str, &'p str);

const XML_SPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// Writes a document with its declaration.
pub fn write(root: &Element, prefixes: &[Prefix<'_>]) -> String {
    let mut spaces: Vec<(Cow<'_, str>, &str)> = prefixes.iter().map(|(name, space)| ((*name).into(), *space)).collect();
    collect(root, &mut spaces);
    let mut out = String::with_capacity(1024);
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    open(root, &spaces, true, &mut out);
    out
}

fn collect<'e>(element: &'e Element, spaces: &mut Vec<(Cow<'e, str>, &'e str)>) {
    for name in std::iter::once(&element.name).chain(element.attributes.iter().map(|(name, _)| name)) {
        let known =
            name.space.is_empty() || &*name.space == XML_SPACE || spaces.iter().any(|(_, s)| **s == *name.space);
        if !known {
            spaces.push((format!("n{}", spaces.len()).into(), &name.space));
        }
    }
    for child in &element.children {
        collect(child, spaces);
    }
}

fn open(element: &Element, spaces: &[(Cow<'_, str>, &str)], root: bool, out: &mut String) {
    out.push('<');
    tag(&element.name, spaces, out);
    for (name, space) in spaces.iter().filter(|_| root) {
        out.push_str(" xmlns:");
        out.push_str(name);
        out.push_str("=\"");
        escape(space, true, out);
        out.push('"');
    }
    for (name, value) in &element.attributes {
        out.push(' ');
        tag(name, spaces, out);
        out.push_str("=\"");
        escape(value, true, out);
        out.push('"');
    }
    if element.children.is_empty() && element.text.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    if element.children.is_empty() {
        escape(&element.text, false, out);
    }
    for child in &element.children {
        open(child, spaces, false, out);
    }
    out.push_str("</");
    tag(&element.name, spaces, out);
    out.push('>');
}

fn tag(name: &Name, spaces: &[(Cow<'_, str>, &str)], out: &mut String) {
    let prefix = match &*name.space {
        XML_SPACE => Some("xml"),
        space => spaces.iter().find(|(_, known)| *known == space).map(|(prefix, _)| &**prefix),
    };
    if let Some(prefix) = prefix.filter(|_| !name.space.is_empty()) {
        out.push_str(prefix);
        out.push(':');
    }
    out.push_str(&name.local);
}

fn escape(text: &str, attribute: bool, out: &mut String) {
    let mut rest = text;
    loop {
        // what needs no thought goes out in one piece
        let plain = rest.bytes().position(is_special).unwrap_or(rest.len());
        out.push_str(&rest[..plain]);
        let mut characters = rest[plain..].chars();
        let Some(special) = characters.next() else { return };
        character(special, attribute, out);
        rest = characters.as_str();
    }
}

/// A byte that may begin a character that is written as something else.
const fn is_special(byte: u8) -> bool {
    matches!(byte, 0..b' ' | b'"' | b'&' | b'<' | b'>' | 0xef)
}

fn character(c: char, attribute: bool, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' if attribute => out.push_str("&quot;"),
        // these would come back as another character
        '\r' => out.push_str("&#13;"),
        '\n' if attribute => out.push_str("&#10;"),
        '\t' if attribute => out.push_str("&#9;"),
        c if allowed(c) => out.push(c),
        _ => out.push('\u{fffd}'),
    }
}
