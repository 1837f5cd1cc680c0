//! How records become elements and come back: one trait, and macros that write it down from a list of fields.
//!
//! A record is listed once, in the order of the schema; reader and writer come from the list, so they cannot differ.
//! Deliberately no knowledge of OCHP here. Invariant: a list that the schema wants to have an item is never written
//! without one.

use std::borrow::Cow;

use charge::{Personal, Purpose};
use soap::Element;

use crate::NAMESPACE;
use crate::read::{At, Ear, Fault};

/// Something that stands in an element.
pub(crate) trait Wire: Sized {
    fn read(at: &At<'_>, ear: &mut Ear) -> Result<Self, Fault>;
    fn write(&self, name: &str) -> Result<Element, Fault>;
}

/// Something that is one text.
pub(crate) trait Scalar: Sized {
    /// The element that OCHP wraps around such a text, beside the one that names the field.
    const WRAPPER: Option<&'static str> = None;

    /// Why not, without the value.
    fn parse(text: &str) -> Result<Self, &'static str>;
    fn text(&self) -> Cow<'_, str>;
}

impl<T: Scalar> Wire for T {
    /// With or without its wrapper.
    fn read(at: &At<'_>, _ear: &mut Ear) -> Result<Self, Fault> {
        let inner = at.element.children.first().unwrap_or(at.element);
        if at.element.children.len() > 1 || !inner.children.is_empty() {
            return Err(at.fault("has elements in it instead of a text"));
        }
        T::parse(inner.word()).map_err(|why| at.fault(why))
    }

    fn write(&self, name: &str) -> Result<Element, Fault> {
        Ok(match T::WRAPPER {
            Some(wrapper) => {
                let inner = Element::with_text(NAMESPACE, wrapper, self.text());
                Element::with_children(NAMESPACE, name, vec![inner])
            }
            None => Element::with_text(NAMESPACE, name, self.text()),
        })
    }
}

impl<T: Scalar> Scalar for Personal<T> {
    const WRAPPER: Option<&'static str> = T::WRAPPER;

    fn parse(text: &str) -> Result<Self, &'static str> {
        T::parse(text).map(Self::new)
    }

    fn text(&self) -> Cow<'_, str> {
        self.reveal(Purpose::Transmit).text()
    }
}

/// How often a field stands: `one`, `maybe` one, `many` or none, at least `one_of_many`, `each` (as `many`, but one
/// that cannot be read is refused by itself; `each_of_many` is written with one at least), `exact` (as `maybe`, but what
/// stands there must be readable, because money hangs on it), `given` (one, or its default where a peer leaves it out), `attribute` and
/// `maybe_attribute`.
macro_rules! field_type {
    (one $ty:ty) => { $ty };
    (given $ty:ty) => { $ty };
    (attribute $ty:ty) => { $ty };
    (maybe $ty:ty) => { Option<$ty> };
    (exact $ty:ty) => { Option<$ty> };
    (maybe_attribute $ty:ty) => { Option<$ty> };
    ($many:ident $ty:ty) => { Vec<$ty> };
}

macro_rules! field_read {
    (one $ty:ty, $at:ident, $ear:ident, $xml:literal) => {
        match $at.child($xml) {
            Some(child) => <$ty as crate::wire::Wire>::read(&child, $ear)?,
            None => return Err($at.fault_in($xml, "is missing")),
        }
    };
    (given $ty:ty, $at:ident, $ear:ident, $xml:literal) => {
        match $at.child($xml) {
            Some(child) => <$ty as crate::wire::Wire>::read(&child, $ear)?,
            None => {
                $ear.lost.push($at.fault_in($xml, "is missing and taken as its default"));
                <$ty>::default()
            }
        }
    };
    (maybe $ty:ty, $at:ident, $ear:ident, $xml:literal) => {
        match $at.child($xml).filter(|child| !child.is_blank()) {
            Some(child) => match <$ty as crate::wire::Wire>::read(&child, $ear) {
                Ok(value) => Some(value),
                Err(fault) => {
                    $ear.lost.push(fault);
                    None
                }
            },
            None => None,
        }
    };
    (exact $ty:ty, $at:ident, $ear:ident, $xml:literal) => {
        match $at.child($xml) {
            Some(child) => Some(<$ty as crate::wire::Wire>::read(&child, $ear)?),
            None => None,
        }
    };
    (many $ty:ty, $at:ident, $ear:ident, $xml:literal) => {
        $at.children($xml).map(|child| <$ty as crate::wire::Wire>::read(&child, $ear)).collect::<Result<Vec<_>, _>>()?
    };
    (one_of_many $ty:ty, $at:ident, $ear:ident, $xml:literal) => {{
        let all = field_read!(many $ty, $at, $ear, $xml);
        if all.is_empty() {
            return Err($at.fault_in($xml, "is missing"));
        }
        all
    }};
    (each $ty:ty, $at:ident, $ear:ident, $xml:literal) => {{
        let mut all = Vec::new();
        for child in $at.children($xml) {
            match <$ty as crate::wire::Wire>::read(&child, $ear) {
                Ok(value) => all.push(value),
                Err(fault) => $ear.refused.push(fault),
            }
        }
        all
    }};
    (each_of_many $ty:ty, $at:ident, $ear:ident, $xml:literal) => {
        field_read!(each $ty, $at, $ear, $xml)
    };
    (attribute $ty:ty, $at:ident, $ear:ident, $xml:literal) => {
        match $at.attribute($xml) {
            Some(text) => <$ty as crate::wire::Scalar>::parse(text.trim()).map_err(|why| $at.fault_in($xml, why))?,
            None => return Err($at.fault_in($xml, "is missing")),
        }
    };
    (maybe_attribute $ty:ty, $at:ident, $ear:ident, $xml:literal) => {
        match $at.attribute($xml).map(|text| <$ty as crate::wire::Scalar>::parse(text.trim())).transpose() {
            Ok(value) => value,
            Err(why) => {
                $ear.lost.push($at.fault_in($xml, why));
                None
            }
        }
    };
}

macro_rules! field_write {
    (attribute $value:expr, $element:ident, $xml:literal) => {
        $element = $element.and_attribute("", $xml, crate::wire::Scalar::text(&$value));
    };
    (maybe_attribute $value:expr, $element:ident, $xml:literal) => {
        if let Some(value) = &$value {
            $element = $element.and_attribute("", $xml, crate::wire::Scalar::text(value));
        }
    };
    (one $value:expr, $element:ident, $xml:literal) => {
        $element.children.push(crate::wire::Wire::write(&$value, $xml)?);
    };
    (given $value:expr, $element:ident, $xml:literal) => {
        field_write!(one $value, $element, $xml);
    };
    (one_of_many $value:expr, $element:ident, $xml:literal) => {
        if $value.is_empty() {
            return Err(crate::read::Fault::new(concat!("/", $xml), "needs one at least"));
        }
        field_write!(many $value, $element, $xml);
    };
    (each_of_many $value:expr, $element:ident, $xml:literal) => {
        field_write!(one_of_many $value, $element, $xml);
    };
    (maybe $value:expr, $element:ident, $xml:literal) => {
        if let Some(value) = &$value {
            $element.children.push(crate::wire::Wire::write(value, $xml)?);
        }
    };
    (exact $value:expr, $element:ident, $xml:literal) => {
        field_write!(maybe $value, $element, $xml);
    };
    ($more:ident $value:expr, $element:ident, $xml:literal) => {
        for value in &$value {
            $element.children.push(crate::wire::Wire::write(value, $xml)?);
        }
    };
}

/// A record with its fields in the order of the schema: `name: how-often Type = "element"`.
macro_rules! record {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $field:ident: $kind:ident $ty:ty = $xml:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$about])* pub $field: field_type!($kind $ty),)*
        }

        impl crate::wire::Wire for $name {
            #[allow(unused_variables, reason = "some records have no fields")]
            fn read(at: &crate::read::At<'_>, ear: &mut crate::read::Ear) -> Result<Self, crate::read::Fault> {
                at.unworded(&[$($xml),*], ear);
                Ok(Self { $($field: field_read!($kind $ty, at, ear, $xml),)* })
            }

            #[allow(unused_mut, reason = "some records have no fields")]
            fn write(&self, name: &str) -> Result<soap::Element, crate::read::Fault> {
                let mut element = soap::Element::new(crate::NAMESPACE, name);
                $(field_write!($kind self.$field, element, $xml);)*
                Ok(element)
            }
        }
    };
}

/// A closed list of words, with the element that wraps one where there is such a thing. Read without regard to case.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident $(in $wrapper:literal)? { $($(#[$about:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$about])* $variant,)+
        }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The spelling of OCHP.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            pub fn named(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str().eq_ignore_ascii_case(text))
            }
        }

        impl crate::wire::Scalar for $name {
            $(const WRAPPER: Option<&'static str> = Some($wrapper);)?

            fn parse(text: &str) -> Result<Self, &'static str> {
                Self::named(text).ok_or("is none of the words that may stand here")
            }

            fn text(&self) -> std::borrow::Cow<'_, str> {
                self.as_str().into()
            }
        }
    };
}
