//! Repairs a payload that the strict reading refused, so that a station with a known quirk is served and told.
//!
//! One walk over a tree that keeps numbers as written, guided by the version's table of members. Deliberately no
//! meaning: it fixes JSON types, times, letter case and gaps, and leaves judgement to the reader. Invariants: each
//! repair is one of the tolerances that are on and is remarked with its path and without the value; what is not
//! tolerated, or not known, stays as it is.

use std::borrow::Cow;

use charge::talk::line::Version;
use charge::talk::line::quirk::Quirk;
use charge::{Decimal, Timestamp};

use crate::json::{Node, is_number};
use crate::payload::Notes;
use crate::rules::{Rules, Sort};

/// The envelope's reader has bounded the depth already; this bound is for callers without an envelope.
const DEPTH_MAX: usize = 64;

/// The member of 2.x whose inside is the makers' own.
const FREE: &str = "customData";

/// The number that stations send for "unknown" (quirk 16 and 19).
const UNKNOWN: &str = "-1";

/// The repaired payload as text; `None` where it is not JSON.
pub(crate) fn payload(rules: &Rules, action: &str, text: &str, notes: &mut Notes) -> Option<String> {
    let Node::Object(members) = Node::parse(text, DEPTH_MAX)? else { return None };
    let mut walk = Walk { rules, notes, path: String::new() };
    let mut members = walk.object("", members);
    walk.fill(action, &mut members);
    let mut out = String::with_capacity(text.len());
    Node::Object(members).write(&mut out);
    Some(out)
}

type Members<'a> = Vec<(Cow<'a, str>, Node<'a>)>;

struct Walk<'w> {
    rules: &'w Rules,
    notes: &'w mut Notes,
    path: String,
}

impl Walk<'_> {
    fn object<'a>(&mut self, holder: &str, members: Members<'a>) -> Members<'a> {
        let mut kept = Vec::with_capacity(members.len());
        for (name, node) in members {
            let length = self.path.len();
            self.path.push('/');
            self.path.push_str(&name);
            if let Some(node) = self.member(holder, &name, node) {
                kept.push((name, node));
            }
            self.path.truncate(length);
        }
        kept
    }

    /// `None` where the member is to be left out.
    fn member<'a>(&mut self, holder: &str, name: &str, node: Node<'a>) -> Option<Node<'a>> {
        if name == FREE {
            return Some(node);
        }
        let sort = self.rules.sort(holder, name);
        match (node, sort) {
            (Node::Null, _) => self.leave_out(Quirk::Null, "null, taken as absent", Node::Null),
            (Node::Object(members), Some(Sort::List)) => {
                if !self.tolerates(Quirk::LoneObject, "an object, taken as a list of one") {
                    return Some(Node::Object(members));
                }
                let node = self.list(name, vec![Node::Object(members)]);
                Some(node)
            }
            (Node::Object(members), _) => Some(Node::Object(self.object(name, members))),
            (Node::List(items), _) => Some(self.list(name, items)),
            (node, Some(sort)) => self.scalar(name, sort, node),
            (node, None) => Some(node),
        }
    }

    fn list<'a>(&mut self, name: &str, items: Vec<Node<'a>>) -> Node<'a> {
        let mut kept = Vec::with_capacity(items.len());
        for (place, item) in items.into_iter().enumerate() {
            let length = self.path.len();
            self.path.push('/');
            self.path.push_str(&place.to_string());
            match item {
                Node::Object(members) => {
                    let members = self.object(name, members);
                    let gap = name == "sampledValue" && !members.iter().any(|(name, _)| name == "value");
                    if !gap || !self.tolerates(Quirk::NoValue, "no value, sample dropped") {
                        kept.push(Node::Object(members));
                    }
                }
                other => kept.push(other),
            }
            self.path.truncate(length);
        }
        Node::List(kept)
    }

    fn scalar<'a>(&mut self, name: &str, sort: Sort, node: Node<'a>) -> Option<Node<'a>> {
        match sort {
            Sort::Whole => self.whole(name, node),
            Sort::Number => self.number(node),
            Sort::Flag => Some(self.flag(node)),
            Sort::Time => Some(self.time(node)),
            Sort::Text(most) => Some(self.text(node, most)),
            Sort::Name => Some(self.text(node, usize::MAX)),
            Sort::Word(lists) => self.word(node, lists),
            Sort::List => Some(node),
        }
    }

    fn whole<'a>(&mut self, name: &str, node: Node<'a>) -> Option<Node<'a>> {
        let (text, quoted) = match &node {
            Node::Bare(token) => (token.trim().to_owned(), false),
            Node::Text(text) => (text.trim().to_owned(), true),
            Node::Null | Node::List(_) | Node::Object(_) => return Some(node),
        };
        if text.is_empty() {
            return self.leave_out(Quirk::Empty, "empty, taken as absent", node);
        }
        if !quoted && text.parse::<i32>().is_ok() {
            return Some(node);
        }
        let Some(number) = decimal(&text) else { return Some(node) };
        let whole = number.trunc().normalize();
        let fits = i32::try_from(whole).is_ok();
        if !fits && !matches!(name, "transactionId" | "meterStart" | "meterStop") {
            return Some(node);
        }
        let (quirk, what) = match (fits, quoted, whole == number) {
            (false, _, _) => (Quirk::HugeNumber, "beyond 32 bits, taken as unknown"),
            (true, _, false) => (Quirk::OddNumber, "not a whole number, fraction cut"),
            (true, true, true) => (Quirk::QuotedNumber, "a number in quotes"),
            (true, false, true) => (Quirk::OddNumber, "a whole number in an odd spelling"),
        };
        if !self.tolerates(quirk, what) {
            return Some(node);
        }
        Some(Node::Bare(if fits { Cow::Owned(whole.to_string()) } else { Cow::Borrowed(UNKNOWN) }))
    }

    fn number<'a>(&mut self, node: Node<'a>) -> Option<Node<'a>> {
        let Node::Text(text) = &node else { return Some(node) };
        if text.trim().is_empty() {
            return self.leave_out(Quirk::Empty, "empty, taken as absent", node);
        }
        if !is_number(text.trim()) || !self.tolerates(Quirk::QuotedNumber, "a number in quotes") {
            return Some(node);
        }
        Some(Node::Bare(Cow::Owned(text.trim().to_owned())))
    }

    fn flag<'a>(&mut self, node: Node<'a>) -> Node<'a> {
        let truth = match &node {
            Node::Text(text) if text.eq_ignore_ascii_case("true") => "true",
            Node::Text(text) if text.eq_ignore_ascii_case("false") => "false",
            Node::Bare(token) if token == "1" => "true",
            Node::Bare(token) if token == "0" => "false",
            Node::Null | Node::Bare(_) | Node::Text(_) | Node::List(_) | Node::Object(_) => return node,
        };
        if !self.tolerates(Quirk::OddFlag, "a truth value in an odd spelling") {
            return node;
        }
        Node::Bare(Cow::Borrowed(truth))
    }

    fn time<'a>(&mut self, node: Node<'a>) -> Node<'a> {
        let text = match &node {
            Node::Text(text) => text.trim().to_owned(),
            Node::Bare(token) => token.clone().into_owned(),
            Node::Null | Node::List(_) | Node::Object(_) => return node,
        };
        if matches!(&node, Node::Text(_)) && text.parse::<jiff::Timestamp>().is_ok() {
            return node;
        }
        let zoned = format!("{text}Z");
        if zoned.parse::<jiff::Timestamp>().is_ok() {
            let taken = self.tolerates(Quirk::NoZone, "a time without zone, taken as UTC");
            return if taken { Node::Text(Cow::Owned(zoned)) } else { node };
        }
        if !self.tolerates(Quirk::NoTime, "not a time, arrival time taken") {
            return node;
        }
        Node::Text(Cow::Owned(Timestamp::to_string(&self.notes.now)))
    }

    fn text<'a>(&mut self, node: Node<'a>, most: usize) -> Node<'a> {
        match node {
            Node::Bare(token) if self.tolerates(Quirk::BareText, "not in quotes") => Node::Text(token),
            Node::Text(text)
                if text.chars().count() > most
                    && self.tolerates(Quirk::LongText, "longer than the schema allows, cut") =>
            {
                Node::Text(Cow::Owned(text.chars().take(most).collect()))
            }
            whole => whole,
        }
    }

    fn word<'a>(&mut self, node: Node<'a>, lists: &[&'static [&'static str]]) -> Option<Node<'a>> {
        let Node::Text(text) = &node else { return Some(node) };
        let words = || lists.iter().flat_map(|list| list.iter());
        if text.trim().is_empty() {
            return self.leave_out(Quirk::Empty, "empty, taken as absent", node);
        }
        if words().any(|word| *word == *text) {
            return Some(node);
        }
        match words().find(|word| word.eq_ignore_ascii_case(text.trim())) {
            Some(word) if self.tolerates(Quirk::LetterCase, "a word in odd letter case") => {
                Some(Node::Text(Cow::Borrowed(word)))
            }
            Some(_) | None => Some(node),
        }
    }

    /// Puts in the connector number that some stations forget (quirk 22 and 24).
    fn fill(&mut self, action: &str, members: &mut Members<'_>) {
        let has = |name: &str| members.iter().any(|(key, _)| key == name);
        if has("connectorId") {
            return;
        }
        let busy = members.iter().any(|(key, node)| {
            key == "status"
                && node.as_text().is_some_and(|word| {
                    matches!(word, "Preparing" | "Charging" | "SuspendedEV" | "SuspendedEVSE" | "Finishing")
                })
        });
        let connector = match (self.rules.version, action) {
            (Version::S15 | Version::S16 | Version::V16, "StartTransaction") => "1",
            (Version::S15 | Version::S16 | Version::V16, "StatusNotification") if busy => "1",
            (Version::S15 | Version::S16 | Version::V16, "StatusNotification" | "MeterValues") => "0",
            (Version::V201 | Version::V21, "StatusNotification") => "1",
            (Version::S15 | Version::S16 | Version::V16 | Version::V201 | Version::V21, _) => return,
        };
        let what = format!("missing, taken as {connector}");
        if self.notes.tolerates(Quirk::NoConnector, "/connectorId", &what) {
            members.push((Cow::Borrowed("connectorId"), Node::Bare(Cow::Borrowed(connector))));
        }
    }

    fn tolerates(&mut self, quirk: Quirk, what: &str) -> bool {
        self.notes.tolerates(quirk, &self.path, what)
    }

    fn leave_out<'a>(&mut self, quirk: Quirk, what: &str, node: Node<'a>) -> Option<Node<'a>> {
        (!self.tolerates(quirk, what)).then_some(node)
    }
}

/// A decimal in any spelling of the field: blanks around it, with or without exponent.
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    text.parse().ok().or_else(|| Decimal::from_scientific(text).ok())
}
