//! The code that an EVSE shows to whoever wants to pay without a contract: the operator's address with a password that
//! is good for a moment (2.1 C25).
//!
//! Here is the address; drawing a code of it is a display's business. Nothing is shown before the operator has set a
//! secret, nor where a charge could not begin.

use charge::Timestamp;
use charge::talk::line::terms::Limits;
use charge::talk::line::{BayState, Version};
use trust::totp::{self, Totp};

use super::Station;
use crate::evse::Evse;

impl Station {
    /// What the code of an EVSE says now. A driver's wishes go with it, so that they pay for what they want.
    ///
    /// cites: ocpp-2.1 C25.FR.01, C25.FR.04, C25.FR.05, C25.FR.06
    pub(super) fn pay_address(&self, evse: &Evse) -> Option<Box<str>> {
        let totp = self.shows_code(evse)?;
        let template = self.settings.text(crate::settings::Key::WebPaymentsUrl);
        let address = filled(template, |name| match name {
            "chargingstationid" => Some(encoded(self.plan.id.as_str())),
            "evse" => Some(evse.no.to_string()),
            "totp" => Some(totp.at(self.now)),
            "version" => Some(totp::VERSION.to_owned()),
            _ => None,
        });
        Some(with_wishes(address, evse.wishes).into())
    }

    /// When a code that is shown has to be drawn anew.
    pub(super) fn code_due(&self) -> Option<Timestamp> {
        let next = self.evses.iter().find_map(|evse| self.shows_code(evse)).map(|totp| totp.next_change(self.now));
        let paid = self.evses.iter().filter_map(|evse| evse.paid_until).filter(|until| *until > self.now);
        next.into_iter().chain(paid).min()
    }

    fn shows_code(&self, evse: &Evse) -> Option<Totp> {
        let paying = evse.paid_until.is_some_and(|until| self.now < until);
        let begins = matches!(self.shown(evse), BayState::Available | BayState::Preparing | BayState::Occupied);
        let idle = begins && evse.running.is_none() && evse.permit.is_none();
        (self.version == Version::V21 && self.line && idle && !paying).then(|| self.settings.totp()).flatten()
    }
}

/// A template with its variables filled in; their letter case is ignored, and what has no value here stays as it is.
fn filled(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let (mut out, mut rest) = (String::with_capacity(template.len()), template);
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        match value(&name.to_ascii_lowercase()) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&format!("{{{name}}}")),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn with_wishes(mut address: String, wishes: Limits) -> String {
    let told = [
        wishes.seconds.map(|seconds| format!("maxtime={seconds}")),
        wishes.energy.map(|energy| format!("maxenergy={}", energy.wh())),
        wishes.cost.map(|cost| format!("maxcost={}", cost.normalize())),
    ];
    for told in told.into_iter().flatten() {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str(&told);
    }
    address
}

/// What is neither letter nor digit nor one of the marks that an address leaves alone (RFC 3986, 2.3).
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_whatever_it_says() {
        let fill = |template| filled(template, |name| (name == "evse").then(|| "7".to_owned()));
        assert_eq!(fill("a/{EVSE}/{other}/{evse"), "a/7/{other}/{evse");
        assert_eq!(encoded("CP 1/ü"), "CP%201%2F%C3%BC");
    }
}
