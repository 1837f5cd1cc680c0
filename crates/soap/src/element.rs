//! An XML element with its name spaces resolved, and nothing else that XML can do.
//!
//! Either text or children: SOAP data has no mixed content, and blanks between children mean nothing. Deliberately no
//! comments, no order between attributes, no prefixes. Invariant: `Debug` shows names, never values.

use std::fmt;

/// A name in its name space; the empty text is no name space.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    pub space: Box<str>,
    pub local: Box<str>,
}

impl Name {
    pub fn new(space: &str, local: &str) -> Self {
        Self { space: space.into(), local: local.into() }
    }

    pub fn is(&self, space: &str, local: &str) -> bool {
        &*self.local == local && &*self.space == space
    }
}

/// One element. Text beside children is not kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Element {
    pub name: Name,
    pub attributes: Vec<(Name, String)>,
    /// The text of an element without children, with entities resolved.
    pub text: String,
    pub children: Vec<Self>,
}

impl Element {
    pub fn new(space: &str, local: &str) -> Self {
        Self { name: Name::new(space, local), attributes: Vec::new(), text: String::new(), children: Vec::new() }
    }

    /// An element with a text in it.
    pub fn with_text(space: &str, local: &str, text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::new(space, local) }
    }

    /// An element with others in it.
    pub fn with_children(space: &str, local: &str, children: Vec<Self>) -> Self {
        Self { children, ..Self::new(space, local) }
    }

    #[must_use]
    pub fn and_attribute(mut self, space: &str, local: &str, value: impl Into<String>) -> Self {
        self.attributes.push((Name::new(space, local), value.into()));
        self
    }

    /// The first child with this name.
    pub fn child(&self, space: &str, local: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name.is(space, local))
    }

    pub fn attribute(&self, space: &str, local: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name.is(space, local)).map(|(_, value)| value.as_str())
    }

    /// The text without the blanks around it, as schemas collapse it for everything but plain strings.
    pub fn word(&self) -> &str {
        self.text.trim()
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct(&self.name.local);
        for (name, _) in &self.attributes {
            shown.field(&name.local, &format_args!("_"));
        }
        if self.children.is_empty() {
            shown.field("text", &format_args!("({} bytes)", self.text.len()));
        }
        for child in &self.children {
            shown.field("child", child);
        }
        shown.finish()
    }
}
