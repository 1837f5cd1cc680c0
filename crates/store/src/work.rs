//! The loops of the store's own threads: the writer with its group commit, and the readers.
//!
//! The writer takes everything that waits, gives each piece of work that writes a savepoint inside one transaction,
//! commits once and only then answers all. While many write at the same time it waits a moment for them: a commit, its
//! sync and the waking of whoever waits for it cost the more, the fewer share them. The invariant: no `Ok` is answered before the commit that carries it, and no
//! piece of work, failing or panicking, ends the thread or leaves a trace in the others' work.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::figures::Counters;
use crate::queue::Queue;
use crate::statement::{Lend, Prepared};
use crate::{StoreError, Tx, engine};

/// One caller's transaction, its types forgotten.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) writes: bool,
    /// Runs the caller's code, or takes note that the transaction could not begin.
    pub(crate) code: Code,
}

type Code = Box<dyn FnOnce(Result<&mut Tx<'_>, StoreError>) -> Outcome + Send>;

/// The caller's code has ended; its result waits inside `answer` for the commit.
pub(crate) struct Outcome {
    pub(crate) ok: bool,
    pub(crate) answer: Answer,
}

/// Hands the caller its own result, or the reason why the group's transaction is gone.
pub(crate) type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Runs until the queue is closed and empty, then leaves a checkpointed file.
pub(crate) fn write_all(connection: &Connection, queue: &Queue<Work>, batch_max: usize, counters: &Counters) {
    let prepared = Prepared::on(connection);
    let mut last = 0;
    loop {
        if last >= CROWD {
            gather(queue, batch_max);
        }
        let Some(batch) = queue.take(batch_max) else { break };
        last = batch.len();
        let mut waiting = batch.into_iter();
        // more than one round only if the engine gave a whole transaction up in the middle of the batch
        while waiting.len() > 0 {
            Group { prepared: &prepared, counters, done: Vec::new() }.run(&mut waiting);
        }
    }
    // an in-memory database has no log and nothing to report
    if let Err(error) = engine::checkpoint(connection) {
        tracing::warn!(%error, "the log could not be moved into the database file at closing");
    }
}

/// Whoever was answered last usually comes back at once: waits for as long as more keep coming, but not for long.
fn gather(queue: &Queue<Work>, batch_max: usize) {
    let mut waited = queue.len();
    for _ in 0..GATHERINGS_MAX {
        if waited >= batch_max {
            return;
        }
        thread::sleep(GATHERING);
        let waiting = queue.len();
        if waiting == waited {
            return;
        }
        waited = waiting;
    }
}

/// Runs until the queue is closed and empty. A thread takes its share of those that wait, so that many small
/// questions share one view and one waking; where few wait, each is its own.
pub(crate) fn read_all(connection: &Connection, queue: &Queue<Work>, readers: usize, counters: &Counters) {
    let prepared = Prepared::on(connection);
    while let Some(taken) = queue.take_share(READ_TOGETHER_MAX, readers) {
        let mut waiting = taken.into_iter();
        // more than one round only if the engine gave a view up
        while waiting.len() > 0 {
            read_together(&prepared, &mut waiting, counters);
        }
    }
}

/// Whoever is read together waited before the view began: it holds all that was acknowledged before they asked.
fn read_together(prepared: &dyn Lend, waiting: &mut impl Iterator<Item = Work>, counters: &Counters) {
    let begun = prepared.control("BEGIN");
    for work in waiting {
        let name = work.name;
        let mut tx = Tx::reading(prepared);
        let (outcome, took) = run_code(work, begun.clone().map(|()| &mut tx));
        let over = begun.is_err() || tx.ended().is_some();
        counters.ran(name, outcome.as_ref().is_some_and(|outcome| outcome.ok), took);
        answer(outcome, Ok(()));
        if over {
            break;
        }
    }
    if prepared.connection().is_autocommit() {
        return;
    }
    // nothing was written, so how the transaction ends does not matter, only that it does
    if let Err(error) = prepared.control("ROLLBACK") {
        tracing::warn!(%error, "a reading transaction did not end");
    }
}

/// One transaction for many callers.
struct Group<'a> {
    prepared: &'a dyn Lend,
    counters: &'a Counters,
    done: Vec<Done>,
}

struct Done {
    name: &'static str,
    /// `None` after a panic: the caller learns of it because its answer was dropped.
    outcome: Option<Outcome>,
    took: Duration,
}

impl Group<'_> {
    /// Takes from `waiting` until it is empty or the engine gives the transaction up, commits and answers.
    fn run(mut self, waiting: &mut impl Iterator<Item = Work>) {
        let mut standing = self.prepared.control("BEGIN IMMEDIATE");
        for work in waiting {
            let began = standing.clone();
            if let Err(error) = self.one(work, began.clone()) {
                standing = Err(error);
                if began.is_ok() {
                    break;
                }
            }
        }
        let from = Instant::now();
        let committed = standing.and_then(|()| self.prepared.control("COMMIT"));
        self.counters.batch(committed.is_ok(), from.elapsed());
        if let Err(error) = &committed {
            tracing::error!(%error, transactions = self.done.len(), "a group of transactions is lost");
            self.abandon();
        }
        for done in self.done {
            let ok = committed.is_ok() && done.outcome.as_ref().is_some_and(|outcome| outcome.ok);
            self.counters.ran(done.name, ok, done.took);
            answer(done.outcome, committed.clone());
        }
    }

    /// One caller's code in its savepoint. `Err` says that the whole transaction is gone, and why.
    fn one(&mut self, work: Work, began: Result<(), StoreError>) -> Result<(), StoreError> {
        let (name, writes, prepared) = (work.name, work.writes, self.prepared);
        let mut tx = if writes { Tx::writing(prepared) } else { Tx::reading(prepared) };
        let (outcome, took) = run_code(work, began.clone().map(|()| &mut tx));
        let keep = outcome.as_ref().is_some_and(|outcome| outcome.ok);
        self.done.push(Done { name, outcome, took });
        began?;
        if let Some(why) = tx.ended() {
            return Err(why);
        }
        if !keep && tx.bound() {
            return Err(StoreError::Misuse(format!("{name} failed after its last write")));
        }
        if !tx.saved() {
            return Ok(());
        }
        if !keep {
            prepared.control("ROLLBACK TO work")?;
        }
        prepared.control("RELEASE work")
    }

    /// After a failed commit or savepoint the transaction may still be open.
    fn abandon(&self) {
        if self.prepared.connection().is_autocommit() {
            return;
        }
        if let Err(error) = self.prepared.control("ROLLBACK") {
            tracing::error!(%error, "a lost group of transactions could not be rolled back");
        }
    }
}

fn run_code(work: Work, tx: Result<&mut Tx<'_>, StoreError>) -> (Option<Outcome>, Duration) {
    let from = Instant::now();
    let name = work.name;
    let outcome = catch_unwind(AssertUnwindSafe(|| (work.code)(tx))).ok();
    if outcome.is_none() {
        tracing::error!(name, "the code of a transaction panicked and was rolled back");
    }
    (outcome, from.elapsed())
}

/// Dropping a result that nobody waits for any more is the caller's code too, so it may panic as well.
fn answer(outcome: Option<Outcome>, committed: Result<(), StoreError>) {
    let Some(outcome) = outcome else { return };
    if catch_unwind(AssertUnwindSafe(|| (outcome.answer)(committed))).is_err() {
        tracing::error!("taking the result of a transaction panicked");
    }
}

/// So many that share a commit are a crowd, and a crowd is waited for. Where fewer come, nobody waits.
const CROWD: usize = 8;
/// A crowd is looked at this often …
const GATHERING: Duration = Duration::from_micros(500);
/// … and so many times at most: half of what a slow disk takes for a commit.
const GATHERINGS_MAX: u32 = 4;
/// Questions that share a view: a slow one among them holds up no more than these.
const READ_TOGETHER_MAX: usize = 16;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::sync::{Arc, Mutex, mpsc};

    use rusqlite::Connection;

    use super::{Outcome, Work, read_all, write_all};
    use crate::figures::Counters;
    use crate::queue::Queue;
    use crate::scratch::Scratch;
    use crate::{StoreError, Tx, engine};

    fn work(said: &mpsc::Sender<Result<(), StoreError>>) -> Work {
        let said = said.clone();
        let code = move |tx: Result<&mut Tx<'_>, StoreError>| {
            let result = tx.and_then(|tx| tx.execute("CREATE TABLE x (y INTEGER)", &[])).map(drop);
            Outcome { ok: result.is_ok(), answer: Box::new(move |committed| said.send(committed.and(result)).unwrap()) }
        };
        Work { name: "test", writes: true, code: Box::new(code) }
    }

    #[test]
    fn a_transaction_that_cannot_begin_is_answered_and_the_next_one_can() {
        let connection = engine::in_memory().unwrap();
        connection.execute_batch("BEGIN").unwrap();
        let (said, answers) = mpsc::channel();
        let queue = Queue::bounded(9);
        for _ in 0..3 {
            queue.push(work(&said)).unwrap();
        }
        queue.close();
        write_all(&connection, &queue, 2, &Counters::default());
        let answers: Vec<_> = answers.try_iter().collect();
        assert!(matches!(answers[..], [Err(StoreError::Misuse(_)), Err(StoreError::Misuse(_)), Ok(())]), "{answers:?}");
    }

    /// Counts the rows, then has one more written, then panics if it is to.
    fn count(said: &mpsc::Sender<i64>, writer: &Arc<Mutex<Connection>>, panics: bool) -> Work {
        let (said, writer) = (said.clone(), Arc::clone(writer));
        let code = move |tx: Result<&mut Tx<'_>, StoreError>| {
            let count = tx.and_then(|tx| tx.one("SELECT COUNT(*) FROM x", &[], |row| row.int(0)));
            said.send(count.unwrap().unwrap()).unwrap();
            writer.lock().unwrap().execute("INSERT INTO x VALUES (1)", []).unwrap();
            assert!(!panics, "as it was asked to");
            Outcome { ok: true, answer: Box::new(drop) }
        };
        Work { name: "test", writes: false, code: Box::new(code) }
    }

    #[test]
    fn questions_that_wait_share_a_view_and_a_panic_is_its_own() {
        let scratch = Scratch::new("together").unwrap();
        let writer = engine::writer(&scratch.file()).unwrap();
        writer.execute_batch("CREATE TABLE x (y INTEGER)").unwrap();
        let reader = engine::reader(&scratch.file()).unwrap();
        let writer = Arc::new(Mutex::new(writer));
        let (said, answers) = mpsc::channel();
        for counted in [[0, 0, 0], [3, 3, 3]] {
            let queue = Queue::bounded(9);
            for turn in 0..3 {
                queue.push(count(&said, &writer, turn == 1)).unwrap();
            }
            queue.close();
            read_all(&reader, &queue, 1, &Counters::default());
            assert_eq!(answers.try_iter().collect::<Vec<_>>(), counted);
        }
    }
}
