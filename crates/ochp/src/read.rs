//! Reading trees generously: a place that knows its path, and what is said about places that cannot be read.
//!
//! Children are found by their local name without regard to case, name space or order, because stacks in the field
//! differ in all three. Invariant: a fault names the place and the kind of mistake, never the value.

pub use document::{Crossed, Fault, Lost};
use soap::Element;

/// What is noticed while a message is read.
#[derive(Debug, Default)]
pub(crate) struct Ear {
    /// Repaired, or not understood and passed over.
    pub lost: Lost,
    /// Items of a list that are no such items; the rest of the list stands.
    pub refused: Lost,
}

/// An element and where it stands.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub element: &'a Element,
    above: Option<&'a At<'a>>,
    /// Which one among its name's sakes.
    index: Option<usize>,
}

impl<'a> At<'a> {
    pub const fn root(element: &'a Element) -> Self {
        Self { element, above: None, index: None }
    }

    pub fn path(&self) -> String {
        let Some(above) = self.above else { return String::new() };
        let mut path = above.path();
        path.push('/');
        path.push_str(&self.element.name.local);
        if let Some(index) = self.index {
            path.push('/');
            path.push_str(&index.to_string());
        }
        path
    }

    pub fn fault(&self, why: &str) -> Fault {
        Fault::new(self.path(), why)
    }

    /// A fault at a child that is not there.
    pub fn fault_in(&self, name: &str, why: &str) -> Fault {
        Fault::new(format!("{}/{name}", self.path()), why)
    }

    /// The first child of that name that says anything: an empty one with `xsi:nil` is none.
    pub fn child(&'a self, name: &str) -> Option<At<'a>> {
        let mut named = self.element.children.iter().filter(|child| child.name.local.eq_ignore_ascii_case(name));
        named.find(|child| !is_nil(child)).map(|element| At { element, above: Some(self), index: None })
    }

    pub fn children(&'a self, name: &'a str) -> impl Iterator<Item = At<'a>> {
        let named = self.element.children.iter().filter(move |child| child.name.local.eq_ignore_ascii_case(name));
        named.filter(|child| !is_nil(child)).enumerate().map(|(index, element)| At {
            element,
            above: Some(self),
            index: Some(index),
        })
    }

    /// Says nothing at all: what peers send for an optional field that they do not have.
    pub fn is_blank(&self) -> bool {
        let Element { attributes, children, .. } = self.element;
        attributes.is_empty() && children.is_empty() && self.element.word().is_empty()
    }

    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        let attributes = &self.element.attributes;
        attributes.iter().find(|(known, _)| known.local.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Tells children that nobody asked for.
    pub fn unworded(&self, names: &[&str], ear: &mut Ear) {
        for child in &self.element.children {
            if !names.iter().any(|name| child.name.local.eq_ignore_ascii_case(name)) {
                ear.lost.push(self.fault_in(&child.name.local, "is not understood and passed over"));
            }
        }
    }
}

fn is_nil(element: &Element) -> bool {
    let nil = element.attributes.iter().find(|(name, _)| &*name.local == "nil");
    nil.is_some_and(|(_, value)| matches!(value.trim(), "true" | "1"))
}
