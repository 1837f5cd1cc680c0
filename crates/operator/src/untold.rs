//! EVSEs whose public status has changed and is to be told by its newest state.
//!
//! Every plug and every car leaves one for a moment, so they are kept in memory, unlike other notices: what a station
//! waits for is then one row on the disk. The rows of the EVSEs say when their status changed, and a mark on the disk
//! says until when all changes have been told ([`Untold::mark`]); after a start, whatever is newer is told once more.
//!
//! The invariant: a change stays here until that very state was acknowledged, and the mark is older than any change
//! that is here or may still be on its way to the disk. Telling a status twice is harmless, it is a level.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use charge::Timestamp;
use charge::id::EvseUid;

/// What is to be told, at most one entry for each EVSE of the operator.
#[derive(Debug, Default)]
pub(crate) struct Untold {
    entries: HashMap<EvseUid, Entry>,
    /// When each is due, those due first in front.
    order: BTreeSet<(Timestamp, EvseUid)>,
    /// Something was told that the mark on the disk does not say.
    news: bool,
    marked: Option<Timestamp>,
}

#[derive(Debug)]
struct Entry {
    /// The first change that was not told.
    since: Timestamp,
    due: Timestamp,
    /// Counts changes, so that a change while one is told is seen.
    changes: u64,
    /// So many changes were there when it was taken to be told.
    taken: Option<u64>,
    tries: i64,
}

/// An EVSE taken to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Telling {
    pub evse: EvseUid,
    /// From one on.
    pub tries: i64,
    changes: u64,
    at: Timestamp,
}

impl Untold {
    /// A status changed. While an older one is being told it waits, so that it is not overtaken.
    pub(crate) fn put(&mut self, evse: &EvseUid, now: Timestamp) {
        let fresh = Entry { since: now, due: now, changes: 0, taken: None, tries: 0 };
        let entry = self.entries.entry(evse.clone()).or_insert(fresh);
        entry.changes += 1;
        if entry.taken.is_none() {
            self.order.remove(&(entry.due, evse.clone()));
            (entry.due, entry.tries) = (now, 0);
            self.order.insert((now, evse.clone()));
        }
    }

    /// Takes up to `limit` that are due, those due first in front. Whoever does not come back gives them back when the
    /// lease ends.
    pub(crate) fn take(&mut self, now: Timestamp, lease: Duration, limit: usize) -> Vec<Telling> {
        let mut taken = Vec::new();
        while taken.len() < limit && self.order.first().is_some_and(|(due, _)| *due <= now) {
            let Some((_, evse)) = self.order.pop_first() else { break };
            let Some(entry) = self.entries.get_mut(&evse) else { continue };
            entry.due = now.plus(lease);
            entry.tries += 1;
            entry.taken = Some(entry.changes);
            self.order.insert((entry.due, evse.clone()));
            taken.push(Telling { evse, tries: entry.tries, changes: entry.changes, at: now });
        }
        taken
    }

    /// It was told (or can never be): gone, unless it has changed since; then it is due now.
    pub(crate) fn done(&mut self, told: &Telling, now: Timestamp) {
        self.news = true;
        let Some(entry) = self.of(told) else { return };
        if entry.changes == told.changes {
            let key = (entry.due, told.evse.clone());
            self.order.remove(&key);
            self.entries.remove(&told.evse);
            return;
        }
        // its state was read after it was taken, so what is untold has changed since then
        (entry.since, entry.tries) = (told.at, 0);
        self.again(told, now);
    }

    /// It could not be told: again at `due`.
    pub(crate) fn again(&mut self, told: &Telling, due: Timestamp) {
        let Some(entry) = self.of(told) else { return };
        let before = std::mem::replace(&mut entry.due, due);
        entry.taken = None;
        self.order.remove(&(before, told.evse.clone()));
        self.order.insert((due, told.evse.clone()));
    }

    /// The hub answers again: what it could not be told is due now.
    pub(crate) fn hasten(&mut self, now: Timestamp) {
        self.entries
            .values_mut()
            .filter(|entry| entry.taken.is_none())
            .for_each(|entry| entry.due = entry.due.min(now));
        self.order = self.entries.iter().map(|(evse, entry)| (entry.due, evse.clone())).collect();
    }

    /// `None`: somebody else has taken it since, or it is gone.
    fn of(&mut self, told: &Telling) -> Option<&mut Entry> {
        self.entries.get_mut(&told.evse).filter(|entry| entry.taken == Some(told.changes))
    }

    /// Until when all changes have been told, if that is news for the disk.
    pub(crate) fn mark(&mut self, now: Timestamp) -> Option<Timestamp> {
        if !self.news || self.marked.is_some_and(|at| now.since(at) < MARGIN) {
            return None;
        }
        (self.news, self.marked) = (false, Some(now));
        let oldest = self.entries.values().map(|entry| entry.since).min();
        Some(oldest.unwrap_or(now).min(now).minus(MARGIN))
    }
}

/// Longer than a change waits for the disk, and than clocks are set back; the mark is written as often.
const MARGIN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    const LEASE: Duration = Duration::from_secs(30);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    fn evse(name: &str) -> EvseUid {
        EvseUid::new(name).unwrap()
    }

    fn names(taken: &[Telling]) -> Vec<&str> {
        taken.iter().map(|told| told.evse.as_str()).collect()
    }

    #[test]
    fn a_change_while_telling_is_told_again_and_twice_before_it_once() {
        let mut untold = Untold::default();
        untold.put(&evse("E1"), at(10));
        untold.put(&evse("E1"), at(11));
        let first = untold.take(at(11), LEASE, 9);
        assert_eq!(names(&first), ["E1"]);
        assert_eq!(first[0].tries, 1);
        untold.put(&evse("E1"), at(12));
        assert!(untold.take(at(12), LEASE, 9).is_empty(), "the newer state does not overtake the older one");
        untold.done(&first[0], at(13));
        let second = untold.take(at(13), LEASE, 9);
        assert_eq!((names(&second), second[0].tries), (vec!["E1"], 1));
        untold.done(&second[0], at(14));
        assert!(untold.take(at(1_000), LEASE, 9).is_empty());
    }

    #[test]
    fn what_could_not_be_told_comes_again_and_a_lost_worker_gives_it_back() {
        let mut untold = Untold::default();
        untold.put(&evse("E1"), at(10));
        untold.put(&evse("E2"), at(9));
        let taken = untold.take(at(10), LEASE, 1);
        assert_eq!(names(&taken), ["E2"], "the one that is due first");
        untold.again(&taken[0], at(20));
        assert_eq!(names(&untold.take(at(19), LEASE, 9)), ["E1"]);
        let lost = untold.take(at(20), LEASE, 9);
        assert_eq!((names(&lost), lost[0].tries), (vec!["E2"], 2));
        let back = untold.take(at(50), LEASE, 9);
        assert_eq!(names(&back), ["E1", "E2"], "the lease is over");
        untold.done(&lost[0], at(51));
        assert!(untold.take(at(51), LEASE, 9).is_empty());
    }

    #[test]
    fn a_newer_change_does_not_wait_for_the_pause_of_an_older_one() {
        let mut untold = Untold::default();
        untold.put(&evse("E1"), at(10));
        let taken = untold.take(at(10), LEASE, 9);
        untold.again(&taken[0], at(3_600));
        untold.put(&evse("E1"), at(11));
        let taken = untold.take(at(11), LEASE, 9);
        assert_eq!((names(&taken), taken[0].tries), (vec!["E1"], 1));
    }

    #[test]
    fn what_waits_for_a_hub_that_is_back_is_due_at_once_but_for_what_is_being_told() {
        let mut untold = Untold::default();
        untold.put(&evse("E1"), at(10));
        untold.put(&evse("E2"), at(11));
        let taken = untold.take(at(11), LEASE, 9);
        untold.again(&taken[0], at(3_600));
        untold.hasten(at(12));
        assert_eq!(names(&untold.take(at(12), LEASE, 9)), ["E1"], "E2 is being told");
    }

    #[test]
    fn the_mark_is_older_than_all_that_is_untold_and_written_once_a_minute_for_news_alone() {
        let mut untold = Untold::default();
        assert_eq!(untold.mark(at(1_000)), None, "nothing was told");
        untold.put(&evse("E1"), at(1_000));
        untold.put(&evse("E2"), at(1_001));
        let taken = untold.take(at(1_002), LEASE, 1);
        untold.done(&taken[0], at(1_003));
        assert_eq!(untold.mark(at(1_100)), Some(at(1_001 - 60)), "E2 is untold since then");
        let taken = untold.take(at(1_101), LEASE, 1);
        untold.put(&evse("E2"), at(1_102));
        untold.done(&taken[0], at(1_103));
        assert_eq!(untold.mark(at(1_159)), None, "not so often");
        assert_eq!(untold.mark(at(1_160)), Some(at(1_101 - 60)), "it changed again after it was taken");
        let taken = untold.take(at(1_161), LEASE, 1);
        untold.done(&taken[0], at(1_162));
        assert_eq!(untold.mark(at(1_300)), Some(at(1_240)));
        assert_eq!(untold.mark(at(2_000)), None, "nothing new");
    }
}
