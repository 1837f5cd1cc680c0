//! What the store counts about itself, for the page of metrics.
//!
//! Only names of transactions and numbers: no statement, no parameter, nothing of a person.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Everything counted since the store was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// By the name given to [`run`](crate::Store::run) and [`read`](crate::Store::read).
    pub transactions: BTreeMap<&'static str, Figure>,
    /// Group transactions begun.
    pub batches: u64,
    /// Group transactions committed; each is at most one sync of the disk.
    pub commits: u64,
    /// Time spent in commits, microseconds.
    pub commit_micros: u64,
    /// Transactions refused because a queue was full.
    pub refused: u64,
    /// Writing transactions waiting at this moment.
    pub writers_waiting: usize,
    /// Reading transactions waiting at this moment.
    pub readers_waiting: usize,
}

/// One transaction name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figure {
    /// How often its code ran, or would have run had the group transaction begun.
    pub runs: u64,
    /// How many of those did not end in a commit with `Ok`.
    pub failures: u64,
    /// Time inside its code, without waiting and without the commit, microseconds.
    pub micros: u64,
}

/// The live counters behind [`Figures`].
#[derive(Default)]
pub(crate) struct Counters(Mutex<Figures>);

impl Counters {
    pub(crate) fn ran(&self, name: &'static str, ok: bool, took: Duration) {
        let mut figures = self.figures();
        let figure = figures.transactions.entry(name).or_default();
        figure.runs += 1;
        figure.failures += u64::from(!ok);
        figure.micros += micros(took);
    }

    pub(crate) fn batch(&self, committed: bool, took: Duration) {
        let mut figures = self.figures();
        figures.batches += 1;
        figures.commits += u64::from(committed);
        figures.commit_micros += micros(took);
    }

    pub(crate) fn refused(&self) {
        self.figures().refused += 1;
    }

    pub(crate) fn snapshot(&self) -> Figures {
        self.figures().clone()
    }

    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}
