//! The station's own list of tokens, as the operator keeps it up to date (OCPP 1.6, 3.5.2 and 5.15; OCPP 2.x block D).
//!
//! It answers what the list says of a token; whether the list is asked at all is the settings' business.
//!
//! Invariant: an update that is refused changes nothing, neither list nor version.

use std::collections::BTreeMap;

use charge::talk::line::reservation::ListEntry;
use charge::token::PresentedToken;
use charge::{Personal, Purpose, Timestamp};

/// `LocalAuthListMaxLength`, `LocalAuthListCtrlr.Storage`: a company's whole fleet.
pub const ENTRIES_MAX: usize = 10_000;
/// `SendLocalListMaxLength`, `LocalAuthListCtrlr.ItemsPerMessage`.
pub const ENTRIES_PER_MESSAGE_MAX: usize = 1_000;

/// The list and its version.
#[derive(Clone, Debug, Default)]
pub struct LocalList {
    version: i32,
    entries: BTreeMap<Normal, ListEntry>,
}

/// A token's normal form, which is personal and only compared.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Normal(Personal<String>);

impl PartialOrd for Normal {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Normal {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.reveal(Purpose::Authorise).cmp(other.0.reveal(Purpose::Authorise))
    }
}

fn normal(token: &PresentedToken) -> Normal {
    Normal(Personal::new(token.normal(Purpose::Authorise)))
}

impl LocalList {
    /// Of the last update, also where that emptied the list (D01.FR.04); 0 before the first (D02.FR.02).
    pub const fn version(&self) -> i32 {
        self.version
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes an update, or answers the status word that refuses it.
    pub fn update(&mut self, version: i32, full: bool, entries: Vec<ListEntry>) -> Result<(), &'static str> {
        let distinct: std::collections::BTreeSet<_> = entries.iter().map(|entry| normal(&entry.token)).collect();
        // D01.FR.18 (a version above zero), D01.FR.04 (each token once), and a full list says what each may do
        if version <= 0
            || distinct.len() != entries.len()
            || entries.len() > ENTRIES_PER_MESSAGE_MAX
            || (full && entries.iter().any(|entry| entry.verdict.is_none()))
        {
            return Err("Failed");
        }
        // D01.FR.19: a differential update goes forward only
        if !full && version <= self.version {
            return Err("VersionMismatch");
        }
        let mut next = if full { BTreeMap::new() } else { self.entries.clone() };
        for entry in entries {
            let name = normal(&entry.token);
            if entry.verdict.is_some() {
                next.insert(name, entry)
            } else {
                next.remove(&name)
            };
        }
        if next.len() > ENTRIES_MAX {
            return Err("Failed");
        }
        self.version = version;
        self.entries = next;
        Ok(())
    }

    /// What the list says of a token; one that is out of date says nothing good any more.
    pub fn entry(&self, token: &PresentedToken) -> Option<&ListEntry> {
        self.entries.get(&normal(token))
    }

    /// Whether the list lets it charge; `None` where it does not know it.
    pub fn allows(&self, now: Timestamp, token: &PresentedToken) -> Option<bool> {
        let entry = self.entry(token)?;
        let good = entry.verdict.as_ref().is_some_and(|verdict| verdict.allowed == charge::token::Allowed::Yes);
        Some(good && entry.until.is_none_or(|until| now < until))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::token::{Allowed, Verdict};

    use super::*;
    use crate::bench::{START, card};

    fn entry(uid: &str, allowed: Option<Allowed>) -> ListEntry {
        ListEntry { token: card(uid), group: None, until: None, verdict: allowed.map(Verdict::bare) }
    }

    #[test]
    fn versions_go_forward_and_what_is_refused_changes_nothing() {
        let yes = || vec![entry("A", Some(Allowed::Yes))];
        let mut list = LocalList::default();
        for (version, full, entries, told, then) in [
            (0, true, yes(), Err("Failed"), 0),
            (5, true, yes(), Ok(()), 5),
            (5, false, vec![entry("B", Some(Allowed::Yes))], Err("VersionMismatch"), 5),
            (4, false, vec![entry("B", Some(Allowed::Yes))], Err("VersionMismatch"), 5),
            (6, false, vec![entry("B", Some(Allowed::Blocked)), entry("b", None)], Err("Failed"), 5),
            (6, false, vec![entry("B", Some(Allowed::Blocked))], Ok(()), 6),
            (3, true, vec![entry("A", None)], Err("Failed"), 6),
            (7, false, vec![entry("a", None)], Ok(()), 7),
            (2, true, Vec::new(), Ok(()), 2),
        ] {
            assert_eq!(list.update(version, full, entries), told, "version {version}");
            assert_eq!(list.version(), then);
        }
        assert!(list.is_empty());
    }

    #[test]
    fn the_list_knows_who_may_and_until_when() {
        let mut list = LocalList::default();
        let aged = ListEntry { until: Some(START), ..entry("OLD", Some(Allowed::Yes)) };
        list.update(1, true, vec![entry("A", Some(Allowed::Yes)), entry("B", Some(Allowed::Blocked)), aged]).unwrap();
        for (uid, told) in [("a", Some(true)), ("B", Some(false)), ("OLD", Some(false)), ("C", None)] {
            assert_eq!(list.allows(START, &card(uid)), told, "{uid}");
        }
    }
}
