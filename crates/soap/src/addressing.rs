//! WS-Addressing 1.0 (name space of 2005/08): who speaks, to whom, about what, in answer to what.
//!
//! Deliberately no reference parameters and no metadata: nobody in the field sends them. Read generously as to form
//! (message ids that are no URN, actions that are whole URIs) and strictly as to number. Invariant: an address read
//! here is a claim of the peer and nothing more.

use crate::element::{Element, Name};
use crate::envelope::{Envelope, Malformed};

pub const NAMESPACE: &str = "http://www.w3.org/2005/08/addressing";
/// The address of whoever waits on the open connection.
pub const ANONYMOUS: &str = "http://www.w3.org/2005/08/addressing/anonymous";
/// The prefix for [`NAMESPACE`].
pub const PREFIX: (&str, &str) = ("a", NAMESPACE);

/// The headers of one message, each as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addressing {
    pub message_id: Option<String>,
    pub action: Option<String>,
    pub to: Option<String>,
    pub from: Option<String>,
    pub reply_to: Option<String>,
    pub relates_to: Option<String>,
}

impl Addressing {
    pub fn read(envelope: &Envelope) -> Result<Self, Malformed> {
        let one = |local: &str| envelope.header(|name| name.is(NAMESPACE, local));
        let text = |local: &str| -> Result<Option<String>, Malformed> {
            Ok(one(local)?.map(|header| header.word().to_owned()).filter(|text| !text.is_empty()))
        };
        let address = |local: &str| -> Result<Option<String>, Malformed> {
            let address = one(local)?.and_then(|header| header.child(NAMESPACE, "Address"));
            Ok(address.map(|address| address.word().to_owned()).filter(|text| !text.is_empty()))
        };
        Ok(Self {
            message_id: text("MessageID")?,
            action: text("Action")?,
            to: text("To")?,
            from: address("From")?,
            reply_to: address("ReplyTo")?,
            relates_to: text("RelatesTo")?,
        })
    }

    /// The headers as elements, in the order in which the standard lists them.
    pub fn write(&self) -> Vec<Element> {
        let text = |local: &str, text: &Option<String>| {
            text.as_ref().map(|text| Element::with_text(NAMESPACE, local, text.as_str()))
        };
        let address = |local: &str, address: &Option<String>| {
            let address = Element::with_text(NAMESPACE, "Address", address.as_ref()?.as_str());
            Some(Element::with_children(NAMESPACE, local, vec![address]))
        };
        let headers = [
            text("Action", &self.action),
            text("MessageID", &self.message_id),
            text("RelatesTo", &self.relates_to),
            address("From", &self.from),
            address("ReplyTo", &self.reply_to),
            text("To", &self.to),
        ];
        headers.into_iter().flatten().collect()
    }

    /// The last segment of the action, which is all that stacks agree on.
    pub fn operation(&self) -> Option<&str> {
        self.action.as_deref().map(|action| action.rsplit(['/', ':', '#']).next().unwrap_or_default())
    }

    /// Is this header one of ours?
    pub fn understands(name: &Name) -> bool {
        &*name.space == NAMESPACE
    }
}
