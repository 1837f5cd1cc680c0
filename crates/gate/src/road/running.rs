//! Which operator has which session of a provider that speaks OCPI 2.1.1: a stop of that version names a session and nobody.
//!
//! Noted when a session passes on its way to such a provider: in memory for the latest, and in the vault, where the
//! session has a keyed name, for what comes after a restart. Deliberately no more than that and the operator. Invariant: a
//! name that two operators use for one provider names neither.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use charge::id::PartyId;
use charge::token::{TokenKind, TokenUid};
use charge::{Personal, Timestamp};
use store::{StoreError, values};

use super::vault::{Vault, VaultFault};

/// Sessions that are remembered, the oldest make room: some ten megabytes, and weeks of a large provider.
pub(super) const RUNNING_MAX: usize = 100_000;

/// The provider, and the name in lower case: ids are told apart without case (OCPI 2.1.1, 16.1).
type Name = (PartyId, String);

#[derive(Default)]
pub(crate) struct Running(Mutex<Names>);

#[derive(Default)]
struct Names {
    /// `None`: several.
    operators: HashMap<Name, Option<PartyId>>,
    order: VecDeque<Name>,
}

impl Running {
    /// Whether this is news.
    pub(crate) fn note(&self, provider: PartyId, session: &str, operator: PartyId) -> bool {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = (provider, session.to_ascii_lowercase());
        if let Some(known) = names.operators.get_mut(&name) {
            let before = *known;
            *known = known.filter(|known| *known == operator);
            return *known != before;
        }
        if names.order.len() >= RUNNING_MAX
            && let Some(oldest) = names.order.pop_front()
        {
            names.operators.remove(&oldest);
        }
        names.operators.insert(name.clone(), Some(operator));
        names.order.push_back(name);
        true
    }

    pub(crate) fn operator(&self, provider: PartyId, session: &str) -> Option<PartyId> {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.operators.get(&(provider, session.to_ascii_lowercase())).copied().flatten()
    }
}

impl Vault {
    /// Keeps which operator has a session of a provider.
    pub(crate) async fn runs(
        &self,
        provider: PartyId,
        session: &str,
        operator: PartyId,
        now: Timestamp,
    ) -> Result<(), VaultFault> {
        let Some(name) = self.session_name(provider, session) else { return Ok(()) };
        let row = values![name, operator.to_string(), now];
        let run = self.store.run::<_, StoreError>("vault.runs", move |tx| tx.execute(NOTE, &row));
        Ok(run.await.map(drop)?)
    }

    /// `None`: nobody told of it lately, or two did.
    pub(crate) async fn runs_at(&self, provider: PartyId, session: &str) -> Result<Option<PartyId>, VaultFault> {
        let Some(name) = self.session_name(provider, session) else { return Ok(None) };
        let read = self.store.read::<_, StoreError>("vault.runs_at", move |tx| {
            tx.one("SELECT operator FROM vault_running WHERE name = ?1", &values![name], |row| row.text_opt(0))
        });
        Ok(read.await?.flatten().and_then(|operator| operator.parse().ok()))
    }

    fn session_name(&self, provider: PartyId, session: &str) -> Option<String> {
        let session = Personal::new(TokenUid::new(session).ok()?);
        Some(self.tags.pseudonym(&format!("session/{provider}"), TokenKind::Other, &session))
    }
}

pub(super) const TABLE: &str = "CREATE TABLE vault_running (
          name TEXT NOT NULL PRIMARY KEY,
          operator TEXT,
          noted INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX vault_running_noted ON vault_running (noted);";
/// Nobody charges for longer, and a stop comes while somebody charges.
pub(super) const KEPT: Duration = Duration::from_secs(31 * 86_400);
/// An operator that is another one than before: nobody can tell which is meant.
const NOTE: &str = "INSERT INTO vault_running (name, operator, noted) VALUES (?1, ?2, ?3)
    ON CONFLICT (name) DO UPDATE SET noted = excluded.noted,
        operator = CASE WHEN vault_running.operator = excluded.operator THEN vault_running.operator END";
pub(super) const FORGET: &str = "DELETE FROM vault_running WHERE noted < ?1";
/// Beyond [`RUNNING_MAX`] the oldest make room.
pub(super) const TRIM: &str = "DELETE FROM vault_running
    WHERE noted < (SELECT noted FROM vault_running ORDER BY noted DESC LIMIT 1 OFFSET ?1)";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_name_that_two_operators_use_names_neither_and_the_oldest_makes_room() {
        let running = Running::default();
        let [provider, one, other]: [PartyId; 3] = ["DE-8AA", "DE-OPA", "DE-OPB"].map(|id| id.parse().unwrap());
        assert!(running.note(provider, "S1", one));
        assert!(!running.note(provider, "s1", one), "known");
        assert_eq!(running.operator(provider, "S1"), Some(one));
        assert_eq!(running.operator(one, "S1"), None, "somebody else's session");
        assert!(running.note(provider, "S1", other));
        assert_eq!(running.operator(provider, "S1"), None);
        for n in 0..RUNNING_MAX {
            running.note(provider, &format!("N{n}"), one);
        }
        running.note(provider, "S1", other);
        assert_eq!(running.operator(provider, "S1"), Some(other), "forgotten and told of again");
        assert_eq!(running.0.lock().unwrap().operators.len(), RUNNING_MAX);
    }
}
