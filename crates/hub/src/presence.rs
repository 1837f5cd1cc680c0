//! Who gives signs of life: letters that came or arrived, and an answer when somebody quiet was asked for one.
//!
//! In memory; only that a party went away or came back is written. It deliberately keeps nothing back from a party that
//! seems away: the next letter to it is the next try. Invariant: one letter that did not arrive makes nobody away.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use charge::Timestamp;
use charge::id::PartyId;

/// Whoever gave no sign for so long is asked for one (OCPI 2.2.1, 14.2.1: after about five minutes).
const QUIET_AFTER: Duration = Duration::from_secs(300);
/// Signs in a row that failed to come before a party is told of as away: one or two are a restart or a lost packet.
const MISSES_MAX: u32 = 3;
/// Quiet parties that are asked in one round, so that a restart of the hub is no storm.
const ASKED_AT_ONCE_MAX: usize = 16;

/// How often is looked for quiet parties.
const LOOK_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(crate) struct Presence {
    signs: Mutex<HashMap<PartyId, Signs>>,
    /// Microseconds of the next look for quiet parties.
    next_look: AtomicI64,
}

#[derive(Clone, Copy, Debug)]
struct Signs {
    /// The last sign, or the last time that there should have been one.
    at: Timestamp,
    misses: u32,
    /// What was written last; `None`: nothing since the start.
    away: Option<bool>,
}

impl Presence {
    /// A party gave a sign of life, or failed to.
    pub(crate) fn note(&self, party: PartyId, alive: bool, now: Timestamp) {
        let mut all = self.lock();
        let signs = all.entry(party).or_insert(Signs { at: now, misses: 0, away: None });
        signs.at = now;
        signs.misses = if alive { 0 } else { signs.misses.saturating_add(1) };
    }

    /// Who is away, or back, since this was last asked.
    pub(crate) fn turned(&self) -> Vec<(PartyId, bool)> {
        let mut turned = Vec::new();
        for (party, signs) in self.lock().iter_mut() {
            let away = match signs.misses {
                0 => false,
                MISSES_MAX.. => true,
                _perhaps => continue,
            };
            if signs.away != Some(away) {
                signs.away = Some(away);
                turned.push((*party, away));
            }
        }
        turned
    }

    /// What [`Self::turned`] told could not be written.
    pub(crate) fn give_back(&self, turned: &[(PartyId, bool)]) {
        let mut all = self.lock();
        for (party, _) in turned {
            if let Some(signs) = all.get_mut(party) {
                signs.away = None;
            }
        }
    }

    /// Once per pause.
    pub(crate) fn time_to_look(&self, now: Timestamp) -> bool {
        let due = self.next_look.load(Ordering::Relaxed) <= now.micros();
        if due {
            self.next_look.store(now.plus(LOOK_EVERY).micros(), Ordering::Relaxed);
        }
        due
    }

    /// Whom of these to ask for a sign now; each is told once per pause.
    pub(crate) fn quiet(&self, parties: impl Iterator<Item = PartyId>, now: Timestamp) -> Vec<PartyId> {
        let mut all = self.lock();
        let long_quiet = |party: &PartyId| {
            let signs = all.entry(*party).or_insert(Signs { at: now, misses: 0, away: None });
            let quiet = signs.at.plus(QUIET_AFTER) <= now;
            if quiet {
                signs.at = now;
            }
            quiet
        };
        parties.filter(long_quiet).take(ASKED_AT_ONCE_MAX).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PartyId, Signs>> {
        self.signs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn three_misses_make_a_party_away_and_one_sign_brings_it_back() {
        let (presence, party): (_, PartyId) = (Presence::default(), "DE-OPA".parse().unwrap());
        let now = Timestamp::from_secs(1_790_000_000);
        presence.note(party, true, now);
        assert_eq!(
            presence.turned(),
            [(party, false)],
            "also the first time, when nobody knows what was written before"
        );
        for turned in [vec![], vec![], vec![(party, true)], vec![]] {
            presence.note(party, false, now);
            assert_eq!(presence.turned(), turned);
        }
        presence.note(party, true, now);
        let back = presence.turned();
        assert_eq!(back, [(party, false)]);
        presence.give_back(&back);
        assert_eq!(presence.turned(), back);
    }

    #[test]
    fn the_quiet_are_asked_once_per_pause_and_never_all_at_once() {
        let presence = Presence::default();
        let parties: Vec<PartyId> = (100..130).map(|number| format!("DE-{number}").parse().unwrap()).collect();
        let now = Timestamp::from_secs(1_790_000_000);
        let ask = |at: Timestamp| presence.quiet(parties.iter().copied(), at).len();
        assert_eq!(ask(now), 0, "they have only just been met");
        let later = now.plus(QUIET_AFTER);
        assert_eq!([ask(later), ask(later), ask(later)], [ASKED_AT_ONCE_MAX, parties.len() - ASKED_AT_ONCE_MAX, 0]);
        presence.note(parties[0], true, later.plus(Duration::from_secs(1)));
        assert_eq!(ask(later.plus(QUIET_AFTER)), ASKED_AT_ONCE_MAX);
        assert_eq!(ask(later.plus(QUIET_AFTER)), parties.len() - ASKED_AT_ONCE_MAX - 1, "but for the one that spoke");
    }
}
