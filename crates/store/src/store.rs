//! The store as its users hold it: named transactions in, answers out.
//!
//! It owns the queues and the threads behind them: one that writes and a few that read. It deliberately hands out
//! no connection and no open transaction, so none can be held across an `await`; and it never waits for room in a
//! queue, a full one refuses at once.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use crate::figures::Counters;
use crate::queue::Queue;
use crate::work::{self, Outcome, Work};
use crate::{Figures, Migration, StoreError, Tx, engine, migration, outbox};

/// How much a store may take on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Writing transactions that may wait; the next one is refused.
    pub writers_queue: usize,
    /// Transactions that share one commit. More means less disk work and longer waiting for the first of them.
    pub batch_max: usize,
    /// Reading threads, each with its connection. At least one.
    pub readers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { writers_queue: WRITERS_QUEUE, batch_max: BATCH_MAX, readers: READERS }
    }
}

/// One party's memory. Clones are the same store; the last one dropped ends its threads after what was accepted.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    writes: Arc<Queue<Work>>,
    /// The same queue as `writes` for a database without a file, which has only one connection.
    reads: Arc<Queue<Work>>,
    counters: Arc<Counters>,
    /// The threads that still run.
    running: watch::Sender<Running>,
}

#[derive(Clone, Copy, Default)]
struct Running {
    writers: usize,
    readers: usize,
}

impl Store {
    /// Opens or creates the file (mode 0600, in a directory that exists) and applies `migrations`. Blocks.
    pub fn open(path: &Path, options: Options, migrations: &[Migration]) -> Result<Self, StoreError> {
        let writer = engine::writer(path)?;
        let readers = (0..options.readers.max(1)).map(|_| engine::reader(path)).collect::<Result<Vec<_>, _>>()?;
        Self::start(writer, readers, options, migrations)
    }

    /// A store without a file, for tests: the same rules, but reads queue with the writes and nothing remains.
    pub fn in_memory(migrations: &[Migration]) -> Result<Self, StoreError> {
        Self::start(engine::in_memory()?, Vec::new(), Options::default(), migrations)
    }

    fn start(
        writer: Connection,
        readers: Vec<Connection>,
        options: Options,
        migrations: &[Migration],
    ) -> Result<Self, StoreError> {
        let writes = Arc::new(Queue::bounded(options.writers_queue));
        let reads = if readers.is_empty() { Arc::clone(&writes) } else { Arc::new(Queue::bounded(READERS_QUEUE)) };
        let store = Self(Arc::new(Shared {
            writes: Arc::clone(&writes),
            reads: Arc::clone(&reads),
            counters: Arc::default(),
            running: watch::Sender::default(),
        }));
        let counters = Arc::clone(&store.0.counters);
        store.thread(
            "store-write".to_owned(),
            |running| &mut running.writers,
            move || {
                work::write_all(&writer, &writes, options.batch_max, &counters);
            },
        )?;
        let threads = readers.len();
        for (number, reader) in readers.into_iter().enumerate() {
            let (reads, counters) = (Arc::clone(&reads), Arc::clone(&store.0.counters));
            store.thread(
                format!("store-read-{number}"),
                |running| &mut running.readers,
                move || {
                    work::read_all(&reader, &reads, threads, &counters);
                },
            )?;
        }
        store.migrate(outbox::MIGRATIONS)?;
        store.migrate(migrations)?;
        Ok(store)
    }

    fn thread(
        &self,
        name: String,
        place: fn(&mut Running) -> &mut usize,
        body: impl FnOnce() + Send + 'static,
    ) -> Result<(), StoreError> {
        let running = self.0.running.clone();
        running.send_modify(|running| *place(running) += 1);
        let ended = Ended { running, place };
        let spawned = thread::Builder::new().name(name).spawn(move || {
            let _ended = ended;
            body();
        });
        spawned.map(drop).map_err(|error| StoreError::Io(format!("no thread for the store: {error}")))
    }

    /// Applies further families, all or nothing. Blocks the calling thread, so it belongs to the start of a program.
    pub fn migrate(&self, migrations: &[Migration]) -> Result<(), StoreError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let migrations = migrations.to_vec();
        self.submit(
            &self.0.writes,
            Call { name: "store.migrate", writes: true },
            move |tx| migration::apply(tx, &migrations),
            move |result| drop(sender.send(result)),
        )?;
        receiver.recv().unwrap_or(Err(StoreError::Panicked))
    }

    /// Runs `work` in a writing transaction. `Ok` is answered after it is on the disk.
    ///
    /// Transactions that wait at the same time share one commit, each in a savepoint of its own: an `Err` from
    /// `work` undoes its own writes only. It may see what others in the group wrote; if their commit fails, so does
    /// this one. `work` runs once accepted, even if the caller stops waiting; it is short, and never blocks.
    pub async fn run<T, E>(
        &self,
        name: &'static str,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.call(&self.0.writes, Call { name, writes: true }, work).await
    }

    /// Runs `work` in a reading transaction: one unchanging view, with everything in it that was acknowledged
    /// before it began.
    pub async fn read<T, E>(
        &self,
        name: &'static str,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.call(&self.0.reads, Call { name, writes: false }, |tx| work(tx)).await
    }

    /// The counters, for the page of metrics.
    pub fn figures(&self) -> Figures {
        let mut figures = self.0.counters.snapshot();
        figures.writers_waiting = self.0.writes.len();
        if !Arc::ptr_eq(&self.0.reads, &self.0.writes) {
            figures.readers_waiting = self.0.reads.len();
        }
        figures
    }

    /// Refuses new work in every clone, finishes what was accepted, moves the log into the file, ends the threads.
    pub async fn close(self) {
        let mut running = self.0.running.subscribe();
        // the readers end first: an open reading transaction would hold the log up. Waiting fails only without a
        // sender, and `self` holds one
        self.0.reads.close();
        drop(running.wait_for(|running| running.readers == 0).await);
        self.0.writes.close();
        drop(running.wait_for(|running| running.writers == 0).await);
    }

    async fn call<T, E>(
        &self,
        queue: &Queue<Work>,
        call: Call,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        self.submit(queue, call, work, move |result| drop(sender.send(result)))?;
        // a sender dropped without an answer is what a panic leaves behind
        receiver.await.unwrap_or_else(|_| Err(E::from(StoreError::Panicked)))
    }

    fn submit<T, E>(
        &self,
        queue: &Queue<Work>,
        call: Call,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        answer: impl FnOnce(Result<T, E>) + Send + 'static,
    ) -> Result<(), StoreError>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let code = move |tx: Result<&mut Tx<'_>, StoreError>| {
            let result = tx.map_err(E::from).and_then(work);
            Outcome {
                ok: result.is_ok(),
                answer: Box::new(move |committed| answer(committed.map_err(E::from).and(result))),
            }
        };
        let pushed = queue.push(Work { name: call.name, writes: call.writes, code: Box::new(code) });
        if let Err(StoreError::Overloaded { .. }) = pushed {
            self.0.counters.refused();
        }
        pushed
    }
}

struct Call {
    name: &'static str,
    writes: bool,
}

/// The last clone is gone: the threads finish what was accepted and end.
impl Drop for Shared {
    fn drop(&mut self) {
        self.reads.close();
        self.writes.close();
    }
}

/// Says that a thread has ended, also if it could not be started or panicked.
struct Ended {
    running: watch::Sender<Running>,
    place: fn(&mut Running) -> &mut usize,
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.running.send_modify(|running| *(self.place)(running) -= 1);
    }
}

/// Some seconds of work for a slow disk; beyond that a peer is better told to come back.
const WRITERS_QUEUE: usize = 4_096;
/// A page of questions is answered in milliseconds: a longer line means that something is wrong.
const READERS_QUEUE: usize = 1_024;
/// At some ten microseconds each, the first of a full batch waits a few milliseconds for the last.
const BATCH_MAX: usize = 256;
/// Reading is rare beside writing and a house has few cores.
const READERS: usize = 2;

#[cfg(test)]
mod tests;
