//! Frames for the message log: secrets and personal data are replaced, everything else stays as it was.
//!
//! Most frames hold nothing to hide and are copied after one scan of their strings. The others are read as a tree and
//! masked by name and neighbourhood. Deliberately cautious: what cannot be read is not shown at all. Invariant: a
//! token's uid, a contract id, a vehicle's id, a password and a private key never come out.

use std::borrow::Cow;

use charge::talk::line::is_confidential;

use crate::json::{Node, string_end};

/// What stands in the place of a hidden value.
const HIDDEN: &str = "(masked)";

/// Deeper frames are not shown.
const DEPTH_MAX: usize = 64;

/// Members whose value is hidden as a whole, wherever they stand.
const ALWAYS: &[&str] = &[
    "idTag",
    "parentIdTag",
    "idToken",
    "groupIdToken",
    "additionalIdToken",
    "additionalInfo",
    "emaid",
    "contractId",
    "evccId",
    "vin",
    "vehicleId",
    "macAddress",
    "customerIdentifier",
    "customerCertificate",
    "pspRef",
    "vatNumber",
    "vatCompany",
    "company",
    "personalMessage",
    "updatedPersonalMessage",
    "certificate",
    "certificateChain",
    "exiRequest",
    "exiResponse",
    "signedMeterData",
    "basicAuthPassword",
    "authorizationKey",
    "password",
    "apn",
    "vpn",
    "data",
];

/// Members that are hidden only where their neighbours say so.
const SOMETIMES: &[&str] = &["issuerNameHash"];

/// Members with the value of a setting or variable, hidden where that is confidential.
const VALUES: &[&str] = &["value", "attributeValue", "variableAttribute", "actualValue", "techInfo"];

/// The frame as it may be kept and shown. Broken text shows its length alone.
pub fn frame(text: &str) -> String {
    match Node::parse(text, DEPTH_MAX) {
        Some(node) => masked(node, text.len()),
        None => unreadable(text).into(),
    }
}

/// The same for a frame that is known to be sound JSON: a copy, unless something in it needs hiding.
pub(crate) fn sound(text: &str) -> Box<str> {
    if suspicious(text) { frame(text).into() } else { text.into() }
}

/// What is said about a frame that cannot be read.
pub(crate) fn unreadable(text: &str) -> Box<str> {
    format!("(unreadable, {} bytes)", text.len()).into()
}

fn masked(mut node: Node<'_>, length: usize) -> String {
    hide(&mut node);
    let mut out = String::with_capacity(length);
    node.write(&mut out);
    out
}

/// Does any string of the text call for a closer look?
fn suspicious(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut before = "";
    while let Some(start) = bytes[at..].iter().position(|byte| *byte == b'"').map(|found| at + found) {
        let Some(end) = string_end(bytes, start) else { return true };
        let inner = &text[start + 1..end - 1];
        let setting = before.eq_ignore_ascii_case("key") || before.eq_ignore_ascii_case("name");
        let signed = inner == "SignedData" && before.eq_ignore_ascii_case("format");
        if is_named(inner) || signed || (setting && is_confidential(inner)) {
            return true;
        }
        // one look at each byte for all that these need: an escape could spell a member's name in another way
        let odd = inner.bytes().fold(false, |odd, byte| odd | matches!(byte, b'\\' | b'|' | b' ' | b'/' | b'{'));
        if odd && (inner.contains("\\u") || is_telling(inner)) {
            return true;
        }
        at = end;
        before = inner;
    }
    false
}

/// Is this the name of a member that is hidden, always or sometimes?
fn is_named(text: &str) -> bool {
    let Some(first) = text.bytes().next() else { return false };
    let place = usize::from(first.to_ascii_lowercase().wrapping_sub(b'a'));
    let lengths = LENGTHS.get(place).copied().unwrap_or(0);
    text.len() < 64
        && lengths >> text.len() & 1 == 1
        && ALWAYS.iter().chain(SOMETIMES).any(|name| name.eq_ignore_ascii_case(text))
}

/// By the first letter of a name, the lengths of the names that begin with it: few other strings have one of both.
const LENGTHS: [u64; 26] = lengths(ALWAYS, lengths(SOMETIMES, [0; 26]));

const fn lengths(names: &[&str], mut found: [u64; 26]) -> [u64; 26] {
    let mut at = 0;
    while at < names.len() {
        let name = names[at].as_bytes();
        found[(name[0].to_ascii_lowercase() - b'a') as usize] |= 1 << name.len();
        at += 1;
    }
    found
}

fn hide(node: &mut Node<'_>) {
    match node {
        Node::Null | Node::Bare(_) => {}
        Node::Text(text) => {
            if is_telling(text) {
                *text = Cow::Borrowed(HIDDEN);
            }
        }
        Node::List(items) => items.iter_mut().for_each(hide),
        Node::Object(_) => hide_members(node),
    }
}

fn hide_members(node: &mut Node<'_>) {
    let confidential = names_confidential(node);
    let signed = node.member("format").and_then(Node::as_text).is_some_and(|format| format == "SignedData");
    let certificate = node.member("issuerNameHash").is_some();
    let Node::Object(members) = node else { return };
    for (name, value) in members {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        let whole = ALWAYS.iter().any(|hidden| is(hidden))
            || (confidential && VALUES.iter().any(|value| is(value)))
            || (signed && is("value"))
            || (certificate && is("serialNumber"));
        if whole {
            blank(value);
        } else {
            hide(value);
        }
    }
}

/// A setting is confidential by its own key (1.6) or by its variable's name (2.x).
fn names_confidential(node: &Node<'_>) -> bool {
    let key = node.member("key").and_then(Node::as_text);
    let variable = node.member("variable").and_then(|variable| variable.member("name")).and_then(Node::as_text);
    [key, variable].into_iter().flatten().any(is_confidential)
}

/// Texts that betray something by themselves: signed records name their user, keys open something, addresses may
/// carry a password.
fn is_telling(text: &str) -> bool {
    text.starts_with("OCMF|")
        || text.contains("PRIVATE KEY")
        || text.find("://").is_some_and(|scheme| text[scheme..].contains('@'))
        || text.trim_start().starts_with('{')
}

/// Hides a value and keeps its shape: scalars vanish, containers keep their member names.
fn blank(node: &mut Node<'_>) {
    match node {
        Node::Null => {}
        Node::Bare(_) | Node::Text(_) => *node = Node::Text(Cow::Borrowed(HIDDEN)),
        Node::List(items) => items.iter_mut().for_each(blank),
        Node::Object(members) => {
            for (name, value) in members {
                // the kind of a token is no secret
                if !name.eq_ignore_ascii_case("type") {
                    blank(value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "04A2B3C4D5E680";

    #[test]
    fn nothing_personal_comes_out() {
        let hidden = [
            format!(r#"{{"idTag":"{UID}"}}"#),
            format!(r#"{{"IDTAG":"{UID}"}}"#),
            format!(r#"{{"id\u0054ag":"{UID}"}}"#),
            format!(
                r#"{{"idToken":{{"idToken":"{UID}","type":"ISO14443","additionalInfo":[{{"additionalIdToken":"{UID}","type":"x"}}]}}}}"#
            ),
            format!(
                r#"{{"localAuthorizationList":[{{"idTag":"{UID}","idTagInfo":{{"status":"Accepted","parentIdTag":"{UID}"}}}}]}}"#
            ),
            format!(r#"{{"key":"AuthorizationKey","value":"{UID}"}}"#),
            format!(r#"{{"configurationKey":[{{"value":"{UID}","readonly":false,"key":"authorizationkey"}}]}}"#),
            format!(
                r#"{{"setVariableData":[{{"attributeValue":"{UID}","component":{{"name":"SecurityCtrlr"}},"variable":{{"name":"BasicAuthPassword"}}}}]}}"#
            ),
            format!(
                r#"{{"reportData":[{{"component":{{"name":"SecurityCtrlr"}},"variable":{{"name":"BasicAuthPassword"}},"variableAttribute":[{{"value":"{UID}"}}]}}]}}"#
            ),
            format!(r#"{{"key":"WiFi_PSK","value":"{UID}"}}"#),
            format!(
                r#"{{"eventData":[{{"component":{{"name":"TokenReader"}},"variable":{{"name":"Token"}},"actualValue":"{UID}","techInfo":"{UID}"}}]}}"#
            ),
            format!(
                r#"{{"getVariableResult":[{{"attributeStatus":"Accepted","attributeValue":"{UID}","component":{{"name":"ConnectedEV"}},"variable":{{"name":"VehicleID"}}}}]}}"#
            ),
            format!(r#"{{"meterValue":[{{"sampledValue":[{{"value":"{UID}","format":"SignedData"}}]}}]}}"#),
            format!(r#"{{"meterValue":[{{"sampledValue":[{{"value":"OCMF|{{\"ID\":\"{UID}\"}}|x"}}]}}]}}"#),
            format!(r#"{{"signedMeterValue":{{"signedMeterData":"{UID}","encodingMethod":"OCMF"}}}}"#),
            format!(r#"{{"vendorId":"v","data":"{UID}"}}"#),
            format!(r#"{{"evccId":"{UID}","contract":1,"emaid":"{UID}"}}"#),
            format!(r#"{{"location":"ftp://user:{UID}@example.org/x"}}"#),
            format!(r#"{{"iso15118CertificateHashData":[{{"serialNumber":"{UID}","issuerNameHash":"a"}}]}}"#),
            format!(r#"{{"connectionData":{{"vpn":{{"server":"s","key":"{UID}","type":"IKEv2"}}}}}}"#),
            format!(r#"{{"x":"-----BEGIN PRIVATE KEY-----{UID}"}}"#),
        ];
        for text in hidden {
            let frame_text = format!("[2,\"x\",\"Y\",{text}]");
            for shown in [frame(&frame_text), sound(&frame_text).into_string()] {
                assert!(!shown.contains(UID), "{shown}");
                assert!(shown.contains(HIDDEN), "{shown}");
            }
        }
    }

    #[test]
    fn every_name_calls_for_a_closer_look_in_any_letter_case() {
        for name in ALWAYS.iter().chain(SOMETIMES) {
            assert!(name.len() < 64, "{name}");
            for spelled in [(*name).to_owned(), name.to_ascii_uppercase(), name.to_ascii_lowercase()] {
                assert!(suspicious(&format!(r#"{{"{spelled}":1}}"#)), "{spelled}");
            }
        }
        assert!(!suspicious(r#"{"connectorId":1,"":"","Ünicode":"\n"}"#));
    }

    #[test]
    fn everything_else_stays_as_it_was() {
        let text = r#"[2,"a","StatusNotification",{ "connectorId":1,"errorCode":"NoError","status":"Available" }]"#;
        assert_eq!(&*sound(text), text);
        let setting = r#"[3,"a",{"configurationKey":[{"key":"HeartbeatInterval","readonly":false,"value":"300"}]}]"#;
        assert_eq!(frame(setting), setting);
        let boot = r#"[2,"a","BootNotification",{"iccid":"89","chargingStation":{"serialNumber":"S1"}}]"#;
        assert_eq!(frame(boot), boot);
    }

    #[test]
    fn broken_text_shows_its_length_alone() {
        assert_eq!(frame(&format!("[2,\"a\",\"Authorize\",{{\"idTag\":\"{UID}\"")), "(unreadable, 44 bytes)");
    }
}
