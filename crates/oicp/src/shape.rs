//! What belongs where in a document: shapes as data, one reader and one judge for all of them.
//!
//! Reading is generous: other spellings, numbers in quotes, one thing where a list belongs, several identifications
//! where one belongs; each repair and each loss is told with its place. Writing is strict: a document that leaves us has
//! every mandatory member, no other ones, in the order of the standard. Deliberately no meaning: that is the bridge's.
//! Invariant: a fault names the place and the kind of mistake, never the value.

use std::borrow::Cow;

use charge::{Decimal, Timestamp};

use crate::doc::{Crossed, Doc, Fault, Lost, Record, decimal};
use crate::form::Form;

/// One kind of record.
#[derive(Debug)]
pub struct Shape {
    /// The standard's name of it.
    pub name: &'static str,
    /// The name space of its members in SOAP; empty in JSON.
    pub space: &'static str,
    /// Exactly one of the members.
    pub choice: bool,
    pub members: &'static [Member],
}

#[derive(Debug)]
pub struct Member {
    /// In SOAP, a leading `@` marks an attribute.
    pub name: &'static str,
    pub need: Need,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing can be done with the record without it.
    Key,
    /// Mandatory in the standard: always written, and missed with a complaint only.
    Must,
    May,
}

#[derive(Debug)]
pub enum Kind {
    /// At most so many characters.
    Text(usize),
    Form(Form),
    Word(&'static [&'static str]),
    /// RFC 3339 with an offset.
    Time,
    /// At most so many decimals.
    Number(u32),
    /// A whole number up to this.
    Whole(u32),
    Bool,
    Record(&'static Shape),
    /// At most so many.
    List(&'static Self, usize),
}

pub(crate) const fn key(name: &'static str, kind: Kind) -> Member {
    Member { name, need: Need::Key, kind }
}

pub(crate) const fn must(name: &'static str, kind: Kind) -> Member {
    Member { name, need: Need::Must, kind }
}

pub(crate) const fn may(name: &'static str, kind: Kind) -> Member {
    Member { name, need: Need::May, kind }
}

/// A record of JSON.
pub(crate) const fn record(name: &'static str, members: &'static [Member]) -> Shape {
    Shape { name, space: "", choice: false, members }
}

/// Exactly one of these.
pub(crate) const fn choice(name: &'static str, members: &'static [Member]) -> Shape {
    Shape { name, space: "", choice: true, members }
}

/// The document as its shape wants it, and what had to be repaired or left out.
pub fn read(shape: &'static Shape, doc: Doc) -> Result<Crossed<Record>, Fault> {
    let mut lost = Lost::new();
    let value = read_record(shape, doc, "", &mut lost)?;
    Ok(Crossed { value, lost })
}

/// The members in the standard's order, every rule of the standard kept.
pub fn strict(shape: &'static Shape, doc: Record) -> Result<Record, Fault> {
    judge_record(shape, doc, "")
}

fn read_record(shape: &'static Shape, doc: Doc, path: &str, lost: &mut Lost) -> Result<Record, Fault> {
    let Doc::Record(mut given) = doc else { return Err(Fault::new(path, "is not an object")) };
    let mut taken = Record::default();
    for member in shape.members {
        let place = format!("{path}/{}", member.name);
        let value = take(&mut given, member.name, &place, lost).filter(|value| !blank(value));
        let read = match value {
            Some(_) if shape.choice && !taken.0.is_empty() => {
                lost.push(Fault::new(place, "is a further one where one belongs"));
                continue;
            }
            Some(value) => read_kind(&member.kind, value, &place, lost),
            None if member.need == Need::May => continue,
            None => Err(Fault::new(place, "is missing")),
        };
        match (read, member.need) {
            (Ok(value), _) => taken.0.push((Cow::Borrowed(member.name), value)),
            (Err(fault), Need::Key) => return Err(fault),
            (Err(fault), Need::Must | Need::May) => lost.push(fault),
        }
    }
    lost.extend(given.0.iter().map(|(name, _)| Fault::new(format!("{path}/{name}"), "is not known")));
    if shape.choice && taken.0.is_empty() {
        return Err(Fault::new(path, "has none of its alternatives"));
    }
    Ok(taken)
}

/// The member under its name, or under the same name in other letters: the papers of both sides differ in that.
fn take(given: &mut Record, name: &'static str, place: &str, lost: &mut Lost) -> Option<Doc> {
    if let Some(value) = given.take(name) {
        return Some(value);
    }
    let same = |each: &str| each.eq_ignore_ascii_case(name) || SPELLINGS.contains(&(each, name));
    let found = given.0.iter().position(|(each, _)| same(each))?;
    lost.push(Fault::new(place, "is spelled otherwise"));
    Some(given.0.remove(found).1)
}

/// Spellings of the papers that differ in more than letter case.
const SPELLINGS: [(&str, &str); 2] = [("CDRForwarder", "CDRForwarded"), ("Acknowledgment", "Acknowledgement")];

fn blank(value: &Doc) -> bool {
    matches!(value, Doc::Text(text) if text.trim().is_empty())
}

fn read_kind(kind: &'static Kind, value: Doc, path: &str, lost: &mut Lost) -> Result<Doc, Fault> {
    let fault = |why: &str| Fault::new(path, why);
    match kind {
        Kind::Record(shape) => Ok(Doc::Record(read_record(shape, value, path, lost)?)),
        Kind::List(kind, most) => {
            let items = match value {
                Doc::List(items) => items,
                one => {
                    lost.push(fault("is not a list; taken as one"));
                    vec![one]
                }
            };
            if items.len() > *most {
                return Err(fault("has more items than are read here"));
            }
            let named = !items.is_empty();
            let mut read = Vec::with_capacity(items.len());
            for (index, item) in items.into_iter().enumerate() {
                let place = format!("{path}/{index}");
                read_kind(kind, item, &place, lost).map_or_else(|fault| lost.push(fault), |item| read.push(item));
            }
            // who asks for ids that are none would be answered as if it had asked for all, or for nothing
            match kind {
                Kind::Form(form) if read.is_empty() && named => Err(fault(form.why)),
                _kind => Ok(Doc::List(read)),
            }
        }
        Kind::Bool => match value {
            Doc::Bool(_) => Ok(value),
            Doc::Text(text) | Doc::Number(text) if matches!(text.trim(), "true" | "1") => Ok(Doc::Bool(true)),
            Doc::Text(text) | Doc::Number(text) if matches!(text.trim(), "false" | "0") => Ok(Doc::Bool(false)),
            Doc::Null | Doc::Text(_) | Doc::Number(_) | Doc::List(_) | Doc::Record(_) => {
                Err(fault("is neither true nor false"))
            }
        },
        Kind::Number(_) | Kind::Whole(_) => {
            let text = leaf(value).ok_or_else(|| fault("is not a number"))?;
            let number = decimal(&text).ok_or_else(|| fault("is not a number"))?;
            if let Kind::Whole(most) = kind {
                whole(number, *most).ok_or_else(|| fault("is not a whole number of this size"))?;
            }
            Ok(Doc::Number(if text.parse::<Decimal>().is_ok() { text } else { number.to_string() }))
        }
        Kind::Text(most) => {
            let text = leaf(value).ok_or_else(|| fault("is not a text"))?;
            if text.chars().count() > *most {
                lost.push(fault("is longer than the standard allows"));
            }
            Ok(Doc::Text(text))
        }
        Kind::Form(form) => {
            let text = leaf(value).ok_or_else(|| fault(form.why))?;
            let text = text.trim();
            let upper = text.to_ascii_uppercase();
            match ((form.fits)(text), (form.fits)(&upper)) {
                (true, _) => Ok(Doc::Text(text.to_owned())),
                (false, true) => {
                    lost.push(fault("is in small letters"));
                    Ok(Doc::Text(upper))
                }
                (false, false) => Err(fault(form.why)),
            }
        }
        Kind::Word(words) => {
            let text = leaf(value).ok_or_else(|| fault("is not a text"))?;
            let word = words.iter().find(|word| word.eq_ignore_ascii_case(text.trim()));
            word.map(|word| Doc::from(*word)).ok_or_else(|| fault("is none of the words allowed here"))
        }
        Kind::Time => {
            let text = leaf(value).ok_or_else(|| fault("is not a time"))?;
            let zoned = document::zoned(&text);
            zoned.parse::<Timestamp>().map_err(|_| fault("is not a time in RFC 3339"))?;
            if zoned != text.trim() {
                lost.push(fault("is a time without its offset or with a blank in it"));
            }
            Ok(Doc::Text(zoned))
        }
    }
}

fn leaf(value: Doc) -> Option<String> {
    match value {
        Doc::Text(text) | Doc::Number(text) => Some(text),
        Doc::Null | Doc::Bool(_) | Doc::List(_) | Doc::Record(_) => None,
    }
}

pub(crate) fn whole(number: Decimal, most: u32) -> Option<u32> {
    let whole = u32::try_from(number).ok().filter(|whole| *whole <= most)?;
    (Decimal::from(whole) == number).then_some(whole)
}

fn judge_record(shape: &'static Shape, mut given: Record, path: &str) -> Result<Record, Fault> {
    let mut out = Record::default();
    for member in shape.members {
        let place = format!("{path}/{}", member.name);
        // a list in SOAP is its elements: an empty one is not there for its reader
        let unseen = |value: &Doc| {
            let empty = matches!(value, Doc::List(items) if items.is_empty());
            empty && member.need == Need::Key && !shape.space.is_empty()
        };
        match given.take(member.name).filter(|value| !unseen(value)) {
            Some(value) => out.0.push((Cow::Borrowed(member.name), judge_kind(&member.kind, value, &place)?)),
            None if member.need == Need::May || shape.choice => {}
            None => return Err(Fault::new(place, "is missing")),
        }
    }
    if let Some((name, _)) = given.0.first() {
        return Err(Fault::new(format!("{path}/{name}"), "is not known"));
    }
    if shape.choice && out.0.len() != 1 {
        return Err(Fault::new(path, "does not have exactly one of its alternatives"));
    }
    Ok(out)
}

fn judge_kind(kind: &'static Kind, value: Doc, path: &str) -> Result<Doc, Fault> {
    let fits = match (kind, &value) {
        (Kind::Record(shape), Doc::Record(_)) => {
            let Doc::Record(record) = value else { return Err(Fault::new(path, "is not an object")) };
            return Ok(Doc::Record(judge_record(shape, record, path)?));
        }
        (Kind::List(kind, most), Doc::List(items)) if items.len() <= *most => {
            let Doc::List(items) = value else { return Err(Fault::new(path, "is not a list")) };
            let judged =
                items.into_iter().enumerate().map(|(index, item)| judge_kind(kind, item, &format!("{path}/{index}")));
            return Ok(Doc::List(judged.collect::<Result<_, _>>()?));
        }
        (Kind::Bool, Doc::Bool(_)) => true,
        (Kind::Number(places), Doc::Number(digits)) => {
            decimal(digits).is_some_and(|number| number.normalize().scale() <= *places)
        }
        (Kind::Whole(most), Doc::Number(digits)) => decimal(digits).and_then(|number| whole(number, *most)).is_some(),
        (Kind::Text(most), Doc::Text(text)) => text.chars().count() <= *most,
        (Kind::Form(form), Doc::Text(text)) => (form.fits)(text),
        (Kind::Word(words), Doc::Text(text)) => words.contains(&text.as_str()),
        (Kind::Time, Doc::Text(text)) => text.parse::<Timestamp>().is_ok(),
        (_, Doc::Null | Doc::Bool(_) | Doc::Number(_) | Doc::Text(_) | Doc::List(_) | Doc::Record(_)) => false,
    };
    let why = match kind {
        Kind::Form(form) => form.why,
        Kind::Text(_) => "is longer than the standard allows",
        Kind::Word(_) => "is none of the words allowed here",
        Kind::Time => "is not a time in RFC 3339",
        Kind::Number(_) | Kind::Whole(_) => "is not a number of this size",
        Kind::Bool => "is neither true nor false",
        Kind::Record(_) => "is not an object",
        Kind::List(..) => "is not a list of this length",
    };
    if fits { Ok(value) } else { Err(Fault::new(path, why)) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::form;

    static PART: Shape = choice("Part", &[may("A", Kind::Text(3)), may("B", Kind::Form(form::UID))]);
    static WHOLE: Shape = record(
        "Whole",
        &[
            key("SessionID", Kind::Form(form::SESSION_ID)),
            must("At", Kind::Time),
            may("Energy", Kind::Number(3)),
            may("Parts", Kind::List(&Kind::Record(&PART), 2)),
            may("On", Kind::Bool),
        ],
    );
    const ID: &str = "b2688855-7f00-0002-6d8e-48d883f6abb6";

    fn tidy(text: &str) -> Result<(String, Vec<String>), String> {
        let read = read(&WHOLE, crate::doc::read(text.as_bytes()).unwrap()).map_err(|fault| fault.to_string())?;
        Ok((Doc::from(read.value).to_string(), read.lost.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn reading_repairs_and_tells() {
        let (doc, lost) = tidy(&format!(
            r#"{{"sessionId":"{ID}","At":"2026-01-02 03:04:05","Energy":"1.50","Parts":{{"B":"04a2b3c4"}},"On":"true","X":1}}"#
        ))
        .unwrap();
        let expected = format!(
            r#"{{"SessionID":"{ID}","At":"2026-01-02T03:04:05Z","Energy":1.50,"Parts":[{{"B":"04A2B3C4"}}],"On":true}}"#
        );
        assert_eq!(doc, expected);
        let paths = [
            "/SessionID is spelled otherwise",
            "/At is a time without its offset or with a blank in it",
            "/Parts is not a list; taken as one",
            "/Parts/0/B is in small letters",
            "/X is not known",
        ];
        assert_eq!(lost, paths);
    }

    #[test]
    fn what_is_missed_costs_no_more_than_it_must() {
        assert_eq!(tidy("{}").unwrap_err(), "/SessionID is missing");
        assert_eq!(tidy(r#"{"SessionID":"x"}"#).unwrap_err(), "/SessionID is no session id");
        let (doc, lost) =
            tidy(&format!(r#"{{"SessionID":"{ID}","At":"soon","Parts":[{{}},{{"A":"x","B":"1234ABCD"}}]}}"#)).unwrap();
        assert_eq!(doc, format!(r#"{{"SessionID":"{ID}","Parts":[{{"A":"x"}}]}}"#));
        let paths = [
            "/At is not a time in RFC 3339",
            "/Parts/0 has none of its alternatives",
            "/Parts/1/B is a further one where one belongs",
        ];
        assert_eq!(lost, paths);
    }

    /// Found by fuzzing: a question about EVSEs that are none became one about no EVSE.
    #[test]
    fn a_list_of_ids_that_are_none_is_refused_and_an_empty_one_is_not_written_in_soap() {
        static IDS: [Member; 1] = [key("UID", Kind::List(&Kind::Form(form::UID), 2))];
        let shape = |space| &*Box::leak(Box::new(Shape { name: "Asked", space, choice: false, members: &IDS }));
        let asked =
            |ids: &[&str]| Record::default().with("UID", ids.iter().copied().map(Doc::from).collect::<Vec<_>>());
        for space in ["", "urn:x"] {
            let refused = read(shape(space), asked(&["*ABEDC*E1", "x"]).into()).unwrap_err();
            assert_eq!(refused.path, "/UID");
            let one = read(shape(space), asked(&["x", "1234ABCD"]).into()).unwrap();
            assert_eq!((one.value, one.lost.len()), (asked(&["1234ABCD"]), 1));
        }
        assert_eq!(strict(shape(""), asked(&[])).unwrap(), asked(&[]));
        assert_eq!(strict(shape("urn:x"), asked(&[])).unwrap_err().to_string(), "/UID is missing");
    }

    #[test]
    fn writing_orders_and_refuses() {
        let good = || {
            Record::default()
                .with("At", "2026-01-02T03:04:05Z")
                .with("SessionID", ID)
                .with("Energy", Decimal::new(1500, 3))
        };
        let written = Doc::from(strict(&WHOLE, good()).unwrap()).to_string();
        assert_eq!(written, format!(r#"{{"SessionID":"{ID}","At":"2026-01-02T03:04:05Z","Energy":1.5}}"#));
        let refusals = [
            (Record::default().with("SessionID", ID), "/At is missing"),
            (good().with("X", "y"), "/X is not known"),
            (good().with("On", "true"), "/On is neither true nor false"),
            (
                good().with("Parts", vec![Doc::from(Record::default())]),
                "/Parts/0 does not have exactly one of its alternatives",
            ),
            (
                good().with("Parts", vec![Doc::from("a"), Doc::from("b"), Doc::from("c")]),
                "/Parts is not a list of this length",
            ),
        ];
        for (record, why) in refusals {
            assert_eq!(strict(&WHOLE, record).unwrap_err().to_string(), why);
        }
        let mut finer = good();
        finer.set("Energy", Decimal::new(15001, 4));
        assert_eq!(strict(&WHOLE, finer).unwrap_err().to_string(), "/Energy is not a number of this size");
    }
}
