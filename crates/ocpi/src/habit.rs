//! How a partner writes moments and ids, and documents written the way that a partner reads.
//!
//! A form is taken from the first member of its kind in a document: one is enough, and the rest is not looked at.
//! Invariant: writing a moment or an id in another form never changes which one it is.

use charge::talk::partner::{Form, Seen, Separators, Times};
use charge::talk::road::Denial;

use crate::read::{parse, parse_time};
use crate::write::{Doc, Record};

/// Members that hold ids with parts.
const IDS: [&str; 3] = ["contract_id", "auth_id", "evse_id"];
/// `2026-11-22T10:00:00`.
const MOMENT_CHARACTERS: usize = 19;

/// The forms that a document is written in.
pub fn seen(body: &[u8]) -> impl Iterator<Item = Seen> {
    let moment = first(body, "last_updated").or_else(|| first(body, "timestamp")).filter(|text| is_moment(text));
    let moment = moment.map(|text| {
        Seen::Time(match text.get(MOMENT_CHARACTERS..) {
            Some(rest) if !rest.contains(['Z', 'z', '+', '-']) => Form::NoZone,
            Some(rest) if rest.starts_with('.') => Form::Fractions,
            Some(_) | None => Form::Seconds,
        })
    });
    let id = IDS.into_iter().find_map(|name| first(body, name)).filter(|text| has_parts(text));
    let id = id.map(|text| {
        let plain = text.bytes().all(|c| c.is_ascii_alphanumeric());
        Seen::Id(if plain { Form::Plain } else { Form::Separated })
    });
    moment.into_iter().chain(id)
}

/// The text of the first member of a name.
fn first<'b>(body: &'b [u8], name: &str) -> Option<&'b str> {
    let text = std::str::from_utf8(body).ok()?;
    let quoted = format!("\"{name}\"");
    let rest = text.get(text.find(&quoted)? + quoted.len()..)?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    rest.split('"').next()
}

/// A document in the forms that its receiver wants; `None` where nothing is to be changed.
pub fn written(body: &[u8], times: Times, ids: Separators) -> Result<Option<String>, Denial> {
    if times == Times::AsWritten && ids == Separators::AsWritten {
        return Ok(None);
    }
    let mut json = parse(body)?;
    write(&mut json, times, ids);
    Ok(Some(json.to_string()))
}

fn write(json: &mut Doc, times: Times, ids: Separators) {
    match json {
        Doc::List(items) => items.iter_mut().for_each(|item| write(item, times, ids)),
        Doc::Record(object) => {
            respell(object, ids);
            object.0.iter_mut().for_each(|(_, value)| write(value, times, ids));
        }
        Doc::Text(text) => {
            if let Some(moment) = moment(text, times) {
                *text = moment;
            }
        }
        Doc::Null | Doc::Bool(_) | Doc::Number(_) => {}
    }
}

fn moment(text: &str, times: Times) -> Option<String> {
    if times == Times::AsWritten || !is_moment(text) {
        return None;
    }
    let at = parse_time(text)?;
    let seconds = at.whole_seconds().to_string();
    let bare = seconds.strip_suffix('Z').unwrap_or(&seconds);
    Some(match times {
        Times::AsWritten => return None,
        Times::Seconds => seconds,
        Times::NoZone => bare.to_owned(),
        Times::Millis => {
            let millis = at.micros().rem_euclid(1_000_000) / 1_000;
            format!("{bare}.{millis:03}Z")
        }
    })
}

/// The form of RFC 3339, and nothing that is merely alike.
fn is_moment(text: &str) -> bool {
    const FORM: &[u8; MOMENT_CHARACTERS] = b"0000-00-00T00:00:00";
    let fits = |(c, form): (u8, &u8)| if *form == b'0' { c.is_ascii_digit() } else { c == *form };
    let tail = |c: u8| c.is_ascii_digit() || matches!(c, b'.' | b':' | b'Z' | b'z' | b'+' | b'-');
    text.len() >= MOMENT_CHARACTERS
        && text.bytes().zip(FORM).all(fits)
        && text.bytes().skip(MOMENT_CHARACTERS).all(tail)
}

fn respell(object: &mut Record, ids: Separators) {
    for name in IDS {
        let other = object.text(name).filter(|text| has_parts(text)).and_then(|text| match ids {
            Separators::AsWritten => None,
            Separators::Without => Some(text.chars().filter(char::is_ascii_alphanumeric).collect::<String>()),
            Separators::With => separated(text, name == "evse_id"),
        });
        if let Some(other) = other {
            object.set(name, other);
        }
    }
}

/// Country and party, then whatever their owner made: only such ids have separators to leave out.
fn has_parts(text: &str) -> bool {
    let plain: Vec<u8> = text.bytes().filter(u8::is_ascii_alphanumeric).collect();
    let separators = text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'*'));
    separators
        && plain.len() >= 7
        && plain.first_chunk::<2>().is_some_and(|two| two.iter().all(u8::is_ascii_alphabetic))
}

/// `DE*ABC*E…` (eMI3), and `CC-PPP-C12345678` with its check character where it has one.
fn separated(text: &str, evse: bool) -> Option<String> {
    if text.contains(['-', '*']) {
        return None;
    }
    let (country, rest) = text.split_at_checked(2)?;
    let (party, own) = rest.split_at_checked(3)?;
    if evse {
        return Some(format!("{country}*{party}*{own}"));
    }
    Some(match own.split_at_checked(9) {
        Some((instance, check)) if check.len() == 1 => format!("{country}-{party}-{instance}-{check}"),
        _without_check => format!("{country}-{party}-{own}"),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn other(body: &str, times: Times, ids: Separators) -> String {
        written(body.as_bytes(), times, ids).unwrap().unwrap()
    }

    #[test]
    fn a_moment_is_the_same_in_every_form() {
        let body = r#"{"a":["2026-11-22T10:00:00.250+01:00","2026-11-22","10:00"],"n":1.50}"#;
        let is = |times, text: &str| {
            let expected = format!(r#"{{"a":["{text}","2026-11-22","10:00"],"n":1.50}}"#);
            assert_eq!(other(body, times, Separators::AsWritten), expected);
        };
        is(Times::Seconds, "2026-11-22T09:00:00Z");
        is(Times::Millis, "2026-11-22T09:00:00.250Z");
        is(Times::NoZone, "2026-11-22T09:00:00");
        assert_eq!(written(body.as_bytes(), Times::AsWritten, Separators::AsWritten), Ok(None));
    }

    #[test]
    fn an_id_is_the_same_with_and_without_separators() {
        let cases = [
            ("contract_id", "DE-8AA-C12345678-X", "DE8AAC12345678X"),
            ("contract_id", "DE-8AA-C12345678", "DE8AAC12345678"),
            ("evse_id", "DE*ABC*E1*2", "DEABCE12"),
        ];
        for (name, with, without) in cases {
            let body = |id: &str| format!(r#"{{"{name}":"{id}"}}"#);
            assert_eq!(other(&body(with), Times::AsWritten, Separators::Without), body(without));
            let back = if name == "evse_id" { "DE*ABC*E12" } else { with };
            assert_eq!(other(&body(without), Times::AsWritten, Separators::With), body(back));
            assert_eq!(other(&body(with), Times::AsWritten, Separators::With), body(with));
        }
        let own = r#"{"contract_id":"our contract 7","uid":"DE-8AA-1"}"#;
        assert_eq!(other(own, Times::AsWritten, Separators::Without), own, "an id of no known form stays");
    }

    #[test]
    fn forms_are_seen() {
        let all = |body: &str| seen(body.as_bytes()).collect::<Vec<_>>();
        assert_eq!(
            all(r#"{"contract_id" : "DE8AAC12345678X", "last_updated": "2026-11-22T10:00:00"}"#),
            [Seen::Time(Form::NoZone), Seen::Id(Form::Plain)]
        );
        assert_eq!(
            all(r#"{"evse_id":"DE*ABC*E1","timestamp":"2026-11-22T10:00:00.1Z"}"#),
            [Seen::Time(Form::Fractions), Seen::Id(Form::Separated)]
        );
        assert_eq!(all(r#"{"last_updated":"2026-11-22T10:00:00Z"}"#), [Seen::Time(Form::Seconds)]);
        assert!(all("{}").is_empty());
    }
}
