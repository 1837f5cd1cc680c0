//! What of a document is not told: members of a token that nobody needs, other parties' cards, real names of contracts.
//!
//! Works on documents of every version as they are, a letter's body or a whole answer, and keeps every other member
//! with its digits. It deliberately decides nothing: who is told what is asked for by whoever opens a [`Sheet`].

use charge::talk::road::Denial;
use charge::token::{PresentedToken, TokenKind, TokenUid};

use crate::read::parse;
use crate::write::{Doc, Record};

/// What a token cannot be without (OCPI 2.2.1, 12.3.2), its owner, and the group, which is renamed. `auth_id` is the
/// contract of 2.1.1.
const NEEDED: [&str; 11] = [
    "country_code",
    "party_id",
    "uid",
    "type",
    "contract_id",
    "auth_id",
    "issuer",
    "valid",
    "whitelist",
    "last_updated",
    GROUP,
];
const GROUP: &str = "group_id";
/// What a contract is called, in 2.2 and later and in 2.1.1.
const CONTRACTS: [&str; 2] = ["contract_id", "auth_id"];
/// Who may see a location that is not published (OCPI 2.2.1, 8.4.20).
const ENTRIES: &str = "publish_allowed_to";
/// What stands in a kept entry for its card: a word of ours, which no partner is sent.
const MARK: &str = "mark";

/// A document that was opened to leave something out.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet(Doc);

impl Sheet {
    pub fn read(body: &[u8]) -> Result<Self, Denial> {
        Ok(Self(parse(body)?))
    }

    pub fn text(&self) -> String {
        self.0.to_string()
    }

    /// The token of an order, or of the answer to a tap, without what is not mandatory. `group` gives a group another
    /// name, or none. Whether anything changed.
    pub fn bare_token(&mut self, group: impl Fn(&str) -> Option<String>) -> bool {
        let Some(object) = self.0.as_record_mut() else { return false };
        let answered = object.record_mut("data").is_some();
        let object = if answered { object.record_mut("data") } else { Some(object) };
        let Some(token) = object.and_then(|object| object.record_mut("token")) else { return false };
        let before = token.clone();
        token.0.retain(|(name, _)| NEEDED.contains(&name.as_ref()));
        let renamed = token.text(GROUP).and_then(group);
        token.take(GROUP);
        if let Some(renamed) = renamed {
            token.set(GROUP, renamed);
        }
        *token != before
    }

    /// Every contract that is named in the document.
    pub fn contracts(&self) -> Vec<String> {
        let mut found = Vec::new();
        contracts(&self.0, &mut found);
        found.sort();
        found.dedup();
        found
    }

    /// Contracts under other names: as they are, and as they shall be.
    pub fn rename_contracts(&mut self, names: &[(String, String)]) {
        rename(&mut self.0, names);
    }

    /// Who may see a private location, entry by entry; `None` for one that names no card.
    pub fn entries(&self) -> Vec<Option<PresentedToken>> {
        let list = self.0.as_record().and_then(|object| object.get(ENTRIES));
        let Some(Doc::List(items)) = list else { return Vec::new() };
        items.iter().map(|item| item.as_record().and_then(card)).collect()
    }

    /// Who may see it as a hub keeps it: a mark for each entry, under which its card can be known again, and nothing of
    /// the card. An entry without a card keeps no mark. What is marked already stays.
    pub fn mark_entries(&mut self, mark: impl Fn(&PresentedToken) -> Option<String>) {
        for entry in self.0.as_record_mut().into_iter().flat_map(|object| object.records_mut(ENTRIES)) {
            let known = entry.text(MARK).map(str::to_owned);
            let made = known.or_else(|| mark(&card(entry)?));
            *entry = Record::default().maybe(MARK, made);
        }
    }

    /// Whether an entry has no card to show: a mark stands there, or nothing.
    pub fn is_marked(&self) -> bool {
        let list = self.0.as_record().and_then(|object| object.get(ENTRIES)).and_then(Doc::as_list);
        let bare = |entry: &Doc| entry.as_record().is_some_and(|entry| entry.get("uid").is_none());
        list.unwrap_or_default().iter().any(bare)
    }

    /// The marks of [`Self::mark_entries`], entry by entry.
    pub fn marks(&self) -> Vec<Option<String>> {
        let list = self.0.as_record().and_then(|object| object.get(ENTRIES)).and_then(Doc::as_list);
        let mark = |entry: &Doc| entry.as_record().and_then(|entry| entry.text(MARK)).map(str::to_owned);
        list.unwrap_or_default().iter().map(mark).collect()
    }

    /// Puts the owner's entries in the place of marks; none where the owner's answer has none. `answer` is what the owner
    /// said when it was asked for the location.
    pub fn unmark_entries(&mut self, answer: Option<&Self>) {
        let said = answer.and_then(|answer| answer.0.as_record()).and_then(|envelope| envelope.get("data"));
        let list = said.and_then(|location| location.as_record()?.get(ENTRIES)).and_then(Doc::as_list);
        if let Some(object) = self.0.as_record_mut() {
            object.take(ENTRIES);
            if let Some(list) = list {
                object.set(ENTRIES, list.to_vec());
            }
        }
    }

    /// Keeps these entries, by their place.
    pub fn keep_entries(&mut self, keep: &[bool]) {
        if let Some(Doc::List(items)) = self.0.as_record_mut().and_then(|object| object.get_mut(ENTRIES)) {
            let mut keep = keep.iter();
            items.retain(|_| keep.next().copied().unwrap_or(false));
        }
    }
}

/// Whether a location says who may see it: most do not, and need not be opened.
pub fn has_entries(body: &[u8]) -> bool {
    let name = ENTRIES.as_bytes();
    body.windows(name.len()).any(|window| window == name)
}

fn card(entry: &Record) -> Option<PresentedToken> {
    let kind = match entry.text("type") {
        Some("RFID") => TokenKind::Rfid,
        Some("AD_HOC_USER") => TokenKind::AdHocUser,
        Some("APP_USER") => TokenKind::AppUser,
        Some("EMAID") => TokenKind::Emaid,
        Some(_) => TokenKind::Other,
        None => return None,
    };
    Some(PresentedToken::new(TokenUid::new(entry.text("uid")?).ok()?, kind))
}

fn contracts(json: &Doc, found: &mut Vec<String>) {
    match json {
        Doc::List(items) => items.iter().for_each(|item| contracts(item, found)),
        Doc::Record(object) => {
            found.extend(CONTRACTS.iter().filter_map(|name| object.text(name)).map(str::to_owned));
            object.0.iter().for_each(|(_, value)| contracts(value, found));
        }
        Doc::Null | Doc::Bool(_) | Doc::Number(_) | Doc::Text(_) => {}
    }
}

fn rename(json: &mut Doc, names: &[(String, String)]) {
    match json {
        Doc::List(items) => items.iter_mut().for_each(|item| rename(item, names)),
        Doc::Record(object) => {
            for name in CONTRACTS {
                let now = object.text(name).and_then(|is| names.iter().find(|(was, _)| was == is));
                if let Some((_, now)) = now {
                    object.set(name, now.as_str());
                }
            }
            object.0.iter_mut().for_each(|(_, value)| rename(value, names));
        }
        Doc::Null | Doc::Bool(_) | Doc::Number(_) | Doc::Text(_) => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_bare_token_has_what_it_cannot_be_without() {
        let body = r#"{"data":{"allowed":"ALLOWED","token":{"uid":"1","type":"RFID","contract_id":"C","issuer":"I",
            "valid":true,"whitelist":"NEVER","last_updated":"x","language":"de","visual_number":"7","x_vendor":1,
            "group_id":"FLEET"},"x_own":1.50},"status_code":1000}"#;
        let mut sheet = Sheet::read(body.as_bytes()).unwrap();
        assert!(sheet.bare_token(|group| Some(format!("other-{group}"))));
        let bare = r#"{"data":{"allowed":"ALLOWED","token":{"contract_id":"C","issuer":"I","last_updated":"x","type":"RFID","uid":"1","valid":true,"whitelist":"NEVER","group_id":"other-FLEET"},"x_own":1.50},"status_code":1000}"#;
        assert_eq!(sheet.text(), bare);
        let mut order = Sheet::read(br#"{"response_url":"u","token":{"uid":"1","group_id":"G"}}"#).unwrap();
        assert!(order.bare_token(|_| None));
        assert_eq!(order.text(), r#"{"response_url":"u","token":{"uid":"1"}}"#);
        assert!(!order.bare_token(|_| None), "nothing more to leave out");
    }

    #[test]
    fn contracts_are_found_and_renamed_wherever_they_stand() {
        let body = br#"{"data":[{"cdr_token":{"contract_id":"A"}},{"auth_id":"B"},{"cdr_token":{"contract_id":"A"}}]}"#;
        let mut sheet = Sheet::read(body).unwrap();
        assert_eq!(sheet.contracts(), ["A", "B"]);
        sheet.rename_contracts(&[("A".into(), "X".into())]);
        assert_eq!(sheet.contracts(), ["B", "X"]);
    }

    #[test]
    fn entries_that_are_not_kept_are_gone() {
        let body =
            br#"{"id":"L","publish_allowed_to":[{"uid":"1","type":"RFID"},{"issuer":"me"},{"uid":"2","type":"RFID"}]}"#;
        assert!(has_entries(body) && !has_entries(br#"{"id":"L"}"#));
        let mut sheet = Sheet::read(body).unwrap();
        let named: Vec<bool> = sheet.entries().iter().map(Option::is_some).collect();
        assert_eq!(named, [true, false, true]);
        sheet.keep_entries(&[false, false, true]);
        assert_eq!(sheet.text(), r#"{"id":"L","publish_allowed_to":[{"type":"RFID","uid":"2"}]}"#);
    }

    #[test]
    fn marked_entries_say_nothing_of_their_cards_until_the_owner_is_asked() {
        let body =
            br#"{"id":"L","publish_allowed_to":[{"uid":"1","type":"RFID","visual_number":"V"},{"issuer":"me"}]}"#;
        let mut sheet = Sheet::read(body).unwrap();
        let cards = br#"{"publish_allowed_to":[{"uid":"1","type":"RFID"}]}"#;
        assert!(!Sheet::read(cards).unwrap().is_marked());
        sheet.mark_entries(|_| Some("m1".to_owned()));
        assert!(sheet.is_marked());
        assert_eq!(sheet.text(), r#"{"id":"L","publish_allowed_to":[{"mark":"m1"},{}]}"#);
        sheet.mark_entries(|_| None);
        assert_eq!(sheet.marks(), [Some("m1".to_owned()), None], "a mark stays");
        let answer =
            Sheet::read(br#"{"data":{"id":"L","publish_allowed_to":[{"uid":"1"}]},"status_code":1000}"#).unwrap();
        let mut whole = sheet.clone();
        whole.unmark_entries(Some(&answer));
        assert_eq!(whole.text(), r#"{"id":"L","publish_allowed_to":[{"uid":"1"}]}"#);
        sheet.unmark_entries(None);
        assert_eq!(sheet.text(), r#"{"id":"L"}"#);
    }
}
