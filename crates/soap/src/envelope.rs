//! The message: headers, and a body with at most one element.
//!
//! Deliberately no processing model beyond what end points need: [`Envelope::not_understood`] names a header that the
//! reader must understand and does not. Invariant: a header that is asked for by name and stands there twice is an
//! error, so that two readers cannot see two different ones.

use crate::Limits;
use crate::element::{Element, Name};
use crate::read::{Broken, read};
use crate::write::{Prefix, write};

/// SOAP 1.1 (OCHP, OICP) or 1.2 (OCPP).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V11,
    V12,
}

impl Version {
    pub const ALL: [Self; 2] = [Self::V11, Self::V12];

    pub const fn namespace(self) -> &'static str {
        match self {
            Self::V11 => "http://schemas.xmlsoap.org/soap/envelope/",
            Self::V12 => "http://www.w3.org/2003/05/soap-envelope",
        }
    }

    /// The media type without parameters (SOAP 1.1, 6; RFC 3902).
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::V11 => "text/xml",
            Self::V12 => "application/soap+xml",
        }
    }
}

/// Why a document is no message that can be served: always the sender's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("{0}")]
    Xml(#[from] Broken),
    #[error("not a SOAP envelope")]
    NoEnvelope,
    #[error("the envelope has no body, or more than one thing in it")]
    Body,
    #[error("a header stands there twice")]
    Twice,
}

/// How the roles end that an end point plays beside having none (SOAP 1.1, 4.2.2; 1.2 part 1, 2.2).
const OWN_ROLES: [&str; 3] = ["/role/ultimateReceiver", "/role/next", "/actor/next"];

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    pub version: Version,
    pub headers: Vec<Element>,
    pub body: Option<Element>,
}

impl Envelope {
    pub const fn new(version: Version, headers: Vec<Element>, body: Element) -> Self {
        Self { version, headers, body: Some(body) }
    }

    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        let root = read(bytes, limits)?;
        let version = Version::ALL.into_iter().find(|version| root.name.is(version.namespace(), "Envelope"));
        let version = version.ok_or(Malformed::NoEnvelope)?;
        let (mut headers, mut body) = (None, None);
        for part in root.children {
            let slot = match &*part.name.local {
                "Header" if *part.name.space == *version.namespace() && body.is_none() => &mut headers,
                "Body" if *part.name.space == *version.namespace() => &mut body,
                _ => return Err(Malformed::Body),
            };
            if slot.replace(part.children).is_some() {
                return Err(Malformed::Body);
            }
        }
        let mut content = body.ok_or(Malformed::Body)?;
        let body = content.pop();
        if content.is_empty() {
            Ok(Self { version, headers: headers.unwrap_or_default(), body })
        } else {
            Err(Malformed::Body)
        }
    }

    /// The text on the wire. `prefixes` are declared beside the envelope's own `s`.
    pub fn write(self, prefixes: &[Prefix<'_>]) -> String {
        let space = self.version.namespace();
        let mut parts = Vec::with_capacity(2);
        if !self.headers.is_empty() {
            parts.push(Element::with_children(space, "Header", self.headers));
        }
        parts.push(Element::with_children(space, "Body", self.body.into_iter().collect()));
        let mut all = vec![("s", space)];
        all.extend_from_slice(prefixes);
        write(&Element::with_children(space, "Envelope", parts), &all)
    }

    /// The one header that `is` wanted; `None` where there is none.
    pub fn header(&self, is: impl Fn(&Name) -> bool) -> Result<Option<&Element>, Malformed> {
        let mut found = self.headers.iter().filter(|header| is(&header.name));
        let first = found.next();
        if found.next().is_some() { Err(Malformed::Twice) } else { Ok(first) }
    }

    /// A header for us that must be understood and is not (SOAP 1.1, 4.2.3; 1.2 part 1, 5.2.3).
    pub fn not_understood(&self, understood: impl Fn(&Name) -> bool) -> Option<&Name> {
        let space = self.version.namespace();
        let must = |header: &&Element| {
            let marked = matches!(header.attribute(space, "mustUnderstand").map(str::trim), Some("1" | "true"));
            // one that is addressed to another node is not ours to understand; every node is the next one
            let role = header.attribute(space, "role").or_else(|| header.attribute(space, "actor"));
            let ours = |role: &str| role.is_empty() || OWN_ROLES.iter().any(|own| role.ends_with(own));
            marked && role.is_none_or(|role| ours(role.trim()))
        };
        self.headers.iter().filter(must).map(|header| &header.name).find(|name| !understood(name))
    }
}
