//! The `UsernameToken` of WS-Security 1.0 with the password as text (OCHP 1.4, 3.2).
//!
//! Deliberately no digest form, no nonce, no signatures: peers send none, and TLS carries the message. Invariant: the
//! password is a [`Secret`] from the moment it is read.

use charge::Secret;

use crate::element::Element;
use crate::envelope::{Envelope, Malformed};

pub const NAMESPACE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
/// The type of a password that is sent as it is.
const PASSWORD_TEXT: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";

/// Who says that they speak, and their password.
#[derive(Clone, Debug)]
pub struct UsernameToken {
    pub username: String,
    pub password: Secret<String>,
}

impl UsernameToken {
    /// `None` where there is no such header, or a password in another form.
    pub fn read(envelope: &Envelope) -> Result<Option<Self>, Malformed> {
        let header = envelope.header(|name| name.is(NAMESPACE, "Security"))?;
        Ok(header.and_then(|header| {
            let token = header.child(NAMESPACE, "UsernameToken")?;
            let password = token.child(NAMESPACE, "Password")?;
            let plain = password.attribute("", "Type").is_none_or(|kind| kind.trim() == PASSWORD_TEXT);
            let username = token.child(NAMESPACE, "Username")?.word().to_owned();
            plain.then(|| Self { username, password: Secret::new(password.text.clone()) })
        }))
    }

    pub fn write(&self) -> Element {
        let password = Element::with_text(NAMESPACE, "Password", self.password.expose().as_str());
        let token = vec![
            Element::with_text(NAMESPACE, "Username", self.username.as_str()),
            password.and_attribute("", "Type", PASSWORD_TEXT),
        ];
        let token = Element::with_children(NAMESPACE, "UsernameToken", token);
        Element::with_children(NAMESPACE, "Security", vec![token])
    }
}
