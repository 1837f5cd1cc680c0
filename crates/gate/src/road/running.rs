//! Which operator has which session of a provider that speaks OCPI 2.1.1: a stop of that version names a session and nobody.
//!
//! Noted when a session passes on its way to such a provider; names of sessions and of parties, no more. In memory alone
//! and bounded: after a restart a stop is refused until the session is told of again. Invariant: a name that two
//! operators use for one provider names neither.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use charge::id::PartyId;

/// Sessions that are remembered, the oldest make room: some ten megabytes, and weeks of a large provider.
const RUNNING_MAX: usize = 100_000;

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
    pub(crate) fn note(&self, provider: PartyId, session: &str, operator: PartyId) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = (provider, session.to_ascii_lowercase());
        if let Some(known) = names.operators.get_mut(&name) {
            *known = known.filter(|known| *known == operator);
            return;
        }
        if names.order.len() >= RUNNING_MAX
            && let Some(oldest) = names.order.pop_front()
        {
            names.operators.remove(&oldest);
        }
        names.operators.insert(name.clone(), Some(operator));
        names.order.push_back(name);
    }

    pub(crate) fn operator(&self, provider: PartyId, session: &str) -> Option<PartyId> {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.operators.get(&(provider, session.to_ascii_lowercase())).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_name_that_two_operators_use_names_neither_and_the_oldest_makes_room() {
        let running = Running::default();
        let [provider, one, other]: [PartyId; 3] = ["DE-8AA", "DE-OPA", "DE-OPB"].map(|id| id.parse().unwrap());
        running.note(provider, "S1", one);
        running.note(provider, "s1", one);
        assert_eq!(running.operator(provider, "S1"), Some(one));
        assert_eq!(running.operator(one, "S1"), None, "somebody else's session");
        running.note(provider, "S1", other);
        assert_eq!(running.operator(provider, "S1"), None);
        for n in 0..RUNNING_MAX {
            running.note(provider, &format!("N{n}"), one);
        }
        running.note(provider, "S1", other);
        assert_eq!(running.operator(provider, "S1"), Some(other), "forgotten and told of again");
        assert_eq!(running.0.lock().unwrap().operators.len(), RUNNING_MAX);
    }
}
