//! Faults of both versions.
//!
//! Deliberately only what peers act on: whose fault, which of the protocol's own codes, why. Read generously: a
//! sub-code counts by its local name, because stacks in the field put it into any name space. Invariant: writing a
//! fault never needs anything of the message that caused it.

use crate::element::{Element, Name};
use crate::envelope::{Envelope, Version};

/// Whose fault (SOAP 1.2 part 1, 5.4.6; the names of 1.1 are `Client` and `Server`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    Sender,
    Receiver,
    VersionMismatch,
    MustUnderstand,
}

impl Blame {
    const ALL: [Self; 4] = [Self::Sender, Self::Receiver, Self::VersionMismatch, Self::MustUnderstand];

    const fn word(self, version: Version) -> &'static str {
        match (self, version) {
            (Self::Sender, Version::V11) => "Client",
            (Self::Sender, Version::V12) => "Sender",
            (Self::Receiver, Version::V11) => "Server",
            (Self::Receiver, Version::V12) => "Receiver",
            (Self::VersionMismatch, _) => "VersionMismatch",
            (Self::MustUnderstand, _) => "MustUnderstand",
        }
    }
}

/// Why a message is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub blame: Blame,
    /// The protocol's own code.
    pub subcode: Option<Name>,
    /// For people. Never quotes what may be personal.
    pub reason: String,
}

const XML_SPACE: &str = "http://www.w3.org/XML/1998/namespace";
/// The prefix under which a sub-code's name space is declared.
const SUBCODE_PREFIX: &str = "f";

impl Fault {
    pub fn new(blame: Blame, subcode: Option<Name>, reason: impl Into<String>) -> Self {
        Self { blame, subcode, reason: reason.into() }
    }

    /// The HTTP status that goes with it (SOAP 1.1, 6.2; 1.2 part 2, table 20).
    pub const fn http_status(&self, version: Version) -> u16 {
        match (version, self.blame) {
            (Version::V12, Blame::Sender) => 400,
            _ => 500,
        }
    }

    /// The whole message.
    pub fn write(&self, version: Version, headers: Vec<Element>) -> String {
        let envelope = Envelope::new(version, headers, self.element(version));
        match &self.subcode {
            Some(name) => envelope.write(&[(SUBCODE_PREFIX, &name.space)]),
            None => envelope.write(&[]),
        }
    }

    fn element(&self, version: Version) -> Element {
        let space = version.namespace();
        let main = format!("s:{}", self.blame.word(version));
        let sub = self.subcode.as_ref().map(|name| format!("{SUBCODE_PREFIX}:{}", name.local));
        match version {
            Version::V11 => Element::with_children(
                space,
                "Fault",
                vec![
                    Element::with_text("", "faultcode", sub.unwrap_or(main)),
                    Element::with_text("", "faultstring", &*self.reason),
                ],
            ),
            Version::V12 => {
                let mut code = vec![Element::with_text(space, "Value", main)];
                if let Some(sub) = sub {
                    let value = Element::with_text(space, "Value", sub);
                    code.push(Element::with_children(space, "Subcode", vec![value]));
                }
                let text = Element::with_text(space, "Text", &*self.reason).and_attribute(XML_SPACE, "lang", "en");
                let parts = vec![
                    Element::with_children(space, "Code", code),
                    Element::with_children(space, "Reason", vec![text]),
                ];
                Element::with_children(space, "Fault", parts)
            }
        }
    }

    /// The fault in a message, if its body is one. Its sub-code comes without a name space.
    pub fn of(envelope: &Envelope) -> Option<Self> {
        let space = envelope.version.namespace();
        let body = envelope.body.as_ref().filter(|body| body.name.is(space, "Fault"))?;
        let (code, subcode, reason) = match envelope.version {
            Version::V11 => (body.child("", "faultcode"), None, body.child("", "faultstring")),
            Version::V12 => {
                let code = body.child(space, "Code");
                let subcode = code.and_then(|code| code.child(space, "Subcode")?.child(space, "Value"));
                let text = body.child(space, "Reason").and_then(|reason| reason.child(space, "Text"));
                (code.and_then(|code| code.child(space, "Value")), subcode, text)
            }
        };
        let word = code.map_or("", local);
        // 1.1 also writes `Client.Reason`, and puts codes of its own in the place of the standard's
        let main = word.split('.').next().unwrap_or_default();
        let blame = Blame::ALL.into_iter().find(|blame| blame.word(envelope.version) == main);
        let own = subcode.map(local).or_else(|| word.split_once('.').map(|(_, sub)| sub));
        let own = own.or((blame.is_none() && !word.is_empty()).then_some(word));
        Some(Self {
            blame: blame.unwrap_or(Blame::Receiver),
            subcode: own.map(|local| Name::new("", local)),
            reason: reason.map(|reason| reason.word().to_owned()).unwrap_or_default(),
        })
    }
}

fn local(element: &Element) -> &str {
    element.word().rsplit(':').next().unwrap_or_default()
}
