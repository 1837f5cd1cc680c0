//! The store's promises, one test each: shared commits, isolation, refusals, a full disk, one view, closing.
//!
//! Nothing sleeps and nothing is timed: [`hold`] keeps the writing thread busy while others queue behind it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod crash;
mod schema;

use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::scratch::Scratch;
use crate::{Broken, Migration, Options, Store, StoreError, values};

const NOTES: &[Migration] = &[Migration {
    family: "notes",
    number: 1,
    name: "notes",
    sql: "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL, blob BLOB) STRICT;",
}];
const OPTIONS: Options = Options { writers_queue: 64, batch_max: 64, readers: 2 };

fn open(scratch: &Scratch, options: Options) -> Store {
    Store::open(&scratch.file(), options, NOTES).unwrap()
}

async fn write(store: &Store, id: i64, text: &'static str) -> Result<usize, StoreError> {
    store.run("write", move |tx| tx.execute("INSERT INTO notes (id, text) VALUES (?1, ?2)", &values![id, text])).await
}

async fn ids(store: &Store) -> Vec<i64> {
    let all = store.read("ids", |tx| tx.query("SELECT id FROM notes ORDER BY id", &[], |row| row.int(0)));
    let all: Result<_, StoreError> = all.await;
    all.unwrap()
}

/// Keeps the writing thread busy until the answer is sent, so that what comes next has to queue.
async fn hold(store: &Store) -> (mpsc::Sender<()>, JoinHandle<Result<(), StoreError>>) {
    let (release, released) = mpsc::channel::<()>();
    let (started, has_started) = oneshot::channel();
    let store = store.clone();
    let held = tokio::spawn(async move {
        let work = move |_: &mut crate::Tx<'_>| {
            started.send(()).unwrap();
            released.recv().unwrap();
            Ok(())
        };
        store.run("hold", work).await
    });
    has_started.await.unwrap();
    (release, held)
}

async fn until_waiting(store: &Store, count: usize) {
    while store.figures().writers_waiting < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn waiting_transactions_share_one_commit() {
    let scratch = Scratch::new("group").unwrap();
    let store = open(&scratch, OPTIONS);
    let before = store.figures();
    let (release, held) = hold(&store).await;
    let writers: Vec<_> = (0..50)
        .map(|id| {
            let store = store.clone();
            tokio::spawn(async move { write(&store, id, "x").await })
        })
        .collect();
    until_waiting(&store, 50).await;
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    for writer in writers {
        assert_eq!(writer.await.unwrap(), Ok(1));
    }
    let after = store.figures();
    assert_eq!(after.commits - before.commits, 2, "one for the first, one for the fifty that waited");
    assert_eq!(after.transactions["write"].runs, 50);
    assert_eq!(after.transactions["write"].failures, 0);
    assert_eq!(ids(&store).await.len(), 50);
}

#[tokio::test]
async fn a_batch_is_no_longer_than_allowed() {
    let scratch = Scratch::new("batch").unwrap();
    let store = open(&scratch, Options { batch_max: 4, ..OPTIONS });
    let before = store.figures().batches;
    let (release, held) = hold(&store).await;
    let writers: Vec<_> = (0..9)
        .map(|id| {
            let store = store.clone();
            tokio::spawn(async move { write(&store, id, "x").await })
        })
        .collect();
    until_waiting(&store, 9).await;
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(store.figures().batches - before, 1 + 3);
}

#[tokio::test]
async fn a_failing_transaction_undoes_only_itself() {
    let scratch = Scratch::new("savepoint").unwrap();
    let store = open(&scratch, OPTIONS);
    let (release, held) = hold(&store).await;
    let good = tokio::spawn({
        let store = store.clone();
        async move { write(&store, 1, "stays").await }
    });
    until_waiting(&store, 1).await;
    let bad = tokio::spawn({
        let store = store.clone();
        let work = |tx: &mut crate::Tx<'_>| {
            tx.execute("INSERT INTO notes (id, text) VALUES (2, 'goes')", &[])?;
            Err::<(), _>(Refusal::Domain)
        };
        async move { store.run("bad", work).await }
    });
    until_waiting(&store, 2).await;
    let panics = tokio::spawn({
        let store = store.clone();
        let work = |tx: &mut crate::Tx<'_>| -> Result<(), Refusal> {
            tx.execute("INSERT INTO notes (id, text) VALUES (3, 'goes')", &[])?;
            panic!("on purpose")
        };
        async move { store.run("panics", work).await }
    });
    until_waiting(&store, 3).await;
    let also_good = tokio::spawn({
        let store = store.clone();
        async move { write(&store, 4, "stays").await }
    });
    until_waiting(&store, 4).await;
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    assert_eq!(good.await.unwrap(), Ok(1));
    assert_eq!(bad.await.unwrap(), Err(Refusal::Domain));
    assert_eq!(panics.await.unwrap(), Err(Refusal::Store(StoreError::Panicked)));
    assert_eq!(also_good.await.unwrap(), Ok(1));
    assert_eq!(ids(&store).await, [1, 4]);
    let figures = store.figures();
    assert_eq!((figures.transactions["bad"].failures, figures.transactions["panics"].failures), (1, 1));
    assert_eq!(write(&store, 5, "the thread lives").await, Ok(1));
}

#[tokio::test]
async fn a_last_write_that_fails_undoes_itself_and_whoever_fails_after_it_loses_the_group() {
    let scratch = Scratch::new("finish").unwrap();
    let store = open(&scratch, OPTIONS);
    let last = |id: i64| move |tx: &mut crate::Tx<'_>| tx.finish(PUT_NOTE, &values![id]);
    assert_eq!(store.run::<_, StoreError>("last", last(1)).await, Ok(1));

    let (release, held) = hold(&store).await;
    let spawned = |name, work: fn(&mut crate::Tx<'_>) -> Result<usize, Refusal>| {
        let store = store.clone();
        tokio::spawn(async move { store.run(name, work).await })
    };
    let good = spawned("good", |tx| Ok(tx.finish(PUT_NOTE, &values![2])?));
    until_waiting(&store, 1).await;
    let same = spawned("same", |tx| Ok(tx.finish(PUT_NOTE, &values![2])?));
    until_waiting(&store, 2).await;
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    assert_eq!(good.await.unwrap(), Ok(1));
    assert!(matches!(same.await.unwrap(), Err(Refusal::Store(StoreError::Constraint { .. }))));
    assert_eq!(ids(&store).await, [1, 2]);

    let (release, held) = hold(&store).await;
    let good = spawned("good", |tx| Ok(tx.execute(PUT_NOTE, &values![3])?));
    until_waiting(&store, 1).await;
    let late = spawned("late", |tx| {
        tx.finish(PUT_NOTE, &values![4])?;
        Err(Refusal::Domain)
    });
    until_waiting(&store, 2).await;
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    for lost in [good, late] {
        assert!(matches!(lost.await.unwrap(), Err(Refusal::Store(StoreError::Misuse(_)))));
    }
    let again = spawned("again", |tx| {
        tx.finish(PUT_NOTE, &values![5])?;
        Ok(tx.execute(PUT_NOTE, &values![6])?)
    });
    assert!(matches!(again.await.unwrap(), Err(Refusal::Store(StoreError::Misuse(_)))), "a write after the last");
    assert_eq!(ids(&store).await, [1, 2]);
}

const PUT_NOTE: &str = "INSERT INTO notes (id, text) VALUES (?1, 'x')";

#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    Domain,
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let scratch = Scratch::new("overload").unwrap();
    let store = open(&scratch, Options { writers_queue: 3, ..OPTIONS });
    let (release, held) = hold(&store).await;
    let waiting: Vec<_> = (0..3)
        .map(|id| {
            let store = store.clone();
            tokio::spawn(async move { write(&store, id, "x").await })
        })
        .collect();
    until_waiting(&store, 3).await;
    assert_eq!(write(&store, 9, "too many").await, Err(StoreError::Overloaded { waiting: 3 }));
    assert_eq!(store.figures().refused, 1);
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    for writer in waiting {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(ids(&store).await, [0, 1, 2]);
}

async fn pages_max(store: &Store, pages: i64) {
    let limit = format!("PRAGMA max_page_count = {pages}");
    let set: Result<_, StoreError> = store.run("limit", move |tx| tx.query(&limit, &[], |row| row.int(0))).await;
    set.unwrap();
}

async fn fill(store: &Store, id: i64, bytes: usize) -> Result<usize, StoreError> {
    let sql = "INSERT INTO notes (id, text, blob) VALUES (?1, 'big', ?2)";
    store.run("fill", move |tx| tx.execute(sql, &values![id, vec![0_u8; bytes]])).await
}

#[tokio::test]
async fn a_full_disk_is_said_and_survived() {
    let scratch = Scratch::new("full").unwrap();
    let store = open(&scratch, OPTIONS);
    write(&store, 1, "before").await.unwrap();
    pages_max(&store, 40).await;
    assert_eq!(fill(&store, 2, 1_000_000).await, Err(StoreError::Full));
    assert_eq!(ids(&store).await, [1]);
    assert_eq!(write(&store, 3, "small ones still fit").await, Ok(1));
    pages_max(&store, 1_000_000).await;
    assert_eq!(fill(&store, 2, 1_000_000).await, Ok(1));
    assert_eq!(ids(&store).await, [1, 2, 3]);
}

/// Whether the engine gives up the statement or the whole transaction, nobody gets an `Ok` for what is not there.
#[tokio::test]
async fn a_disk_full_within_a_group_answers_everybody_with_the_truth() {
    let scratch = Scratch::new("full-group").unwrap();
    let store = open(&scratch, OPTIONS);
    pages_max(&store, 40).await;
    let (release, held) = hold(&store).await;
    let mut writers = Vec::new();
    for id in 0..20 {
        let clone = store.clone();
        let bytes = if id % 5 == 2 { 1_000_000 } else { 10 };
        writers.push(tokio::spawn(async move { fill(&clone, id, bytes).await }));
        until_waiting(&store, writers.len()).await;
    }
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    let mut acknowledged = Vec::new();
    for (id, writer) in (0..).zip(writers) {
        match writer.await.unwrap() {
            Ok(_) => acknowledged.push(id),
            Err(error) => assert_eq!(error, StoreError::Full),
        }
    }
    assert_eq!(ids(&store).await, acknowledged);
    let figures = store.figures();
    assert!(figures.commits < figures.batches, "the engine gave a whole transaction up, which is what this is about");
    assert!(acknowledged.contains(&19), "what came after the last big one is there: {acknowledged:?}");
    assert!(!acknowledged.contains(&2), "the big ones are not: {acknowledged:?}");
}

/// A deferred rule is checked at the commit, which is everybody's.
#[tokio::test]
async fn a_failed_commit_fails_everybody_and_the_next_one_works() {
    let scratch = Scratch::new("commit").unwrap();
    let store = open(&scratch, OPTIONS);
    let (release, held) = hold(&store).await;
    let innocent = tokio::spawn({
        let store = store.clone();
        async move { write(&store, 1, "innocent").await }
    });
    until_waiting(&store, 1).await;
    let refused = tokio::spawn({
        let store = store.clone();
        async move { store.run("refused", |_| Err::<(), _>(Refusal::Domain)).await }
    });
    until_waiting(&store, 2).await;
    let culprit = tokio::spawn({
        let store = store.clone();
        let work = |tx: &mut crate::Tx<'_>| -> Result<usize, StoreError> {
            tx.execute("CREATE TABLE links (note INTEGER REFERENCES notes DEFERRABLE INITIALLY DEFERRED)", &[])?;
            tx.execute("INSERT INTO links (note) VALUES (99)", &[])
        };
        async move { store.run("culprit", work).await }
    });
    until_waiting(&store, 3).await;
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    let broken = |error: &StoreError| matches!(error, StoreError::Constraint { broken: Broken::ForeignKey, .. });
    assert!(innocent.await.unwrap().is_err_and(|error| broken(&error)));
    assert!(culprit.await.unwrap().is_err_and(|error| broken(&error)));
    // its decision may have rested on what the others wrote
    assert!(matches!(refused.await.unwrap(), Err(Refusal::Store(error)) if broken(&error)));
    assert_eq!(ids(&store).await, []);
    assert_eq!(write(&store, 2, "next").await, Ok(1));
}

/// A statement that ends the transaction would free the rest of the closure from it.
#[tokio::test]
async fn nothing_is_written_outside_of_the_transaction() {
    let scratch = Scratch::new("escape").unwrap();
    let store = open(&scratch, OPTIONS);
    let escaped: Result<(), StoreError> = store
        .run("escape", |tx| {
            tx.execute("ROLLBACK", &[])?;
            let outside = tx.execute("INSERT INTO notes (id, text) VALUES (1, 'outside')", &[]);
            assert!(matches!(outside, Err(StoreError::Misuse(_))));
            Ok(())
        })
        .await;
    assert!(matches!(escaped, Err(StoreError::Misuse(_))), "{escaped:?}");
    assert_eq!(ids(&store).await, []);
    assert_eq!(write(&store, 2, "later").await, Ok(1));
}

#[tokio::test]
async fn a_reading_transaction_has_one_view_and_cannot_write() {
    let scratch = Scratch::new("read").unwrap();
    let file = open(&scratch, OPTIONS);
    let memory = Store::in_memory(NOTES).unwrap();
    for store in [&file, &memory] {
        let sql = "INSERT INTO notes (id, text) VALUES (1, 'sly') RETURNING id";
        let sly: Result<_, StoreError> = store.read("sly", |tx| tx.one(sql, &[], |row| row.int(0))).await;
        assert!(matches!(sly, Err(StoreError::Misuse(_))), "{sly:?}");
        assert_eq!(ids(store).await, []);
        let honest: Result<_, StoreError> = store.run("honest", |tx| tx.one(sql, &[], |row| row.int(0))).await;
        assert_eq!(honest, Ok(Some(1)));
        assert_eq!(ids(store).await, [1]);
    }

    let (seen, first_look) = mpsc::channel();
    let (go_on, written) = mpsc::channel::<()>();
    let reader = tokio::spawn({
        let store = file.clone();
        let work = move |tx: &crate::Tx<'_>| {
            let count = |tx: &crate::Tx<'_>| tx.one("SELECT count(*) FROM notes", &[], |row| row.int(0));
            let before = count(tx)?;
            seen.send(()).unwrap();
            written.recv().unwrap();
            Ok::<_, StoreError>((before, count(tx)?))
        };
        async move { store.read("twice", work).await }
    });
    while first_look.try_recv().is_err() {
        tokio::task::yield_now().await;
    }
    write(&file, 2, "meanwhile").await.unwrap();
    go_on.send(()).unwrap();
    assert_eq!(reader.await.unwrap(), Ok((Some(1), Some(1))));
}

#[tokio::test]
async fn errors_say_which_rule_and_never_the_value() {
    let store = Store::in_memory(NOTES).unwrap();
    write(&store, 1, "x").await.unwrap();
    let twice = write(&store, 1, "TOKEN-4711").await.unwrap_err();
    assert!(twice.is_duplicate());
    assert_eq!(twice.to_string(), "the row is refused by a rule of the schema: UNIQUE constraint failed: notes.id");

    let typed: Result<_, StoreError> = store
        .run("typed", |tx| tx.execute("INSERT INTO notes (id, text) VALUES (2, ?1)", &values![vec![0x34_u8]]))
        .await;
    assert!(matches!(typed, Err(StoreError::Constraint { broken: Broken::Other, .. })), "{typed:?}");

    for sql in ["INSERT INTO notes (id, text) VALUES (3, ?1, ?2)", "SELECT \"nope\" FROM notes", "SELECT 1; SELECT 2"] {
        let wrong: Result<_, StoreError> = store.run("wrong", move |tx| tx.execute(sql, &values!["TOKEN-4711"])).await;
        let Err(StoreError::Misuse(text)) = wrong else { panic!("{sql}: {wrong:?}") };
        assert!(!text.contains("4711"), "{text}");
    }
    let json: Result<_, StoreError> =
        store.run("json", |tx| tx.one("SELECT json_extract('{}', ?1)", &values!["TOKEN-4711"], |row| row.int(0))).await;
    let Err(StoreError::Misuse(text)) = json else { panic!("{json:?}") };
    assert!(!text.contains("4711"), "{text}");
    let column: Result<_, StoreError> =
        store.read("column", |tx| tx.one("SELECT text FROM notes", &[], |row| row.int(0))).await;
    assert_eq!(column, Err(StoreError::Misuse("column 0 holds text, a number was wanted".to_owned())));
}

#[tokio::test]
async fn rows_read_back_as_they_were_bound() {
    let store = Store::in_memory(&[]).unwrap();
    let row: Result<_, StoreError> = store
        .read("row", |tx| {
            tx.one("SELECT ?1, ?2, ?3, ?4, ?5", &values![i64::MIN, "a\0b", [0_u8, 255], true, None::<i64>], |row| {
                Ok((row.int(0)?, row.text(1)?, row.blob(2)?, row.flag(3)?, row.int_opt(4)?, row.text_opt(1)?))
            })
        })
        .await;
    let text = "a\0b".to_owned();
    assert_eq!(row, Ok(Some((i64::MIN, text.clone(), vec![0, 255], true, None, Some(text)))));
}

#[tokio::test]
async fn closing_finishes_what_was_accepted_and_leaves_one_file() {
    let scratch = Scratch::new("close").unwrap();
    let store = open(&scratch, OPTIONS);
    let (release, held) = hold(&store).await;
    let accepted = tokio::spawn({
        let store = store.clone();
        async move { write(&store, 1, "accepted").await }
    });
    until_waiting(&store, 1).await;
    let closing = tokio::spawn(store.clone().close());
    release.send(()).unwrap();
    closing.await.unwrap();
    held.await.unwrap().unwrap();
    assert_eq!(accepted.await.unwrap(), Ok(1));
    assert_eq!(write(&store, 2, "too late").await, Err(StoreError::Closed));
    let left: Vec<_> = std::fs::read_dir(scratch.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["party.db"], "no log is left beside the file");
    assert_eq!(ids(&open(&scratch, OPTIONS)).await, [1]);
}

/// The engine empties the log by itself only when nobody else has the file open.
#[tokio::test]
async fn closing_empties_the_log_beside_somebody_who_looks() {
    let scratch = Scratch::new("looks").unwrap();
    let store = open(&scratch, OPTIONS);
    write(&store, 1, "x").await.unwrap();
    let onlooker = crate::engine::reader(&scratch.file()).unwrap();
    let count = |sql| onlooker.query_row::<i64, _, _>(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM notes"), 1);
    store.close().await;
    assert_eq!(std::fs::metadata(scratch.path().join("party.db-wal")).unwrap().len(), 0);
    assert_eq!(count("SELECT count(*) FROM notes"), 1);
}

/// No test can cut the power; this one sees to it that the engine is told to expect it.
#[tokio::test]
async fn every_commit_is_synced() {
    let scratch = Scratch::new("sync").unwrap();
    let store = open(&scratch, OPTIONS);
    let settings: Result<_, StoreError> = store
        .run("settings", |tx| {
            let journal = tx.one("PRAGMA journal_mode", &[], |row| row.text(0))?;
            let sync = tx.one("PRAGMA synchronous", &[], |row| row.int(0))?;
            let foreign_keys = tx.one("PRAGMA foreign_keys", &[], |row| row.flag(0))?;
            Ok((journal, sync, foreign_keys))
        })
        .await;
    const FULL: i64 = 2;
    assert_eq!(settings, Ok((Some("wal".to_owned()), Some(FULL), Some(true))));
}

#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    let scratch = Scratch::new("mode").unwrap();
    std::fs::write(scratch.file(), []).unwrap();
    std::fs::set_permissions(scratch.file(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let store = open(&scratch, OPTIONS);
    write(&store, 1, "x").await.unwrap();
    let modes: Vec<_> = std::fs::read_dir(scratch.path())
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().permissions().mode() & 0o777)
        .collect();
    assert_eq!(modes, [0o600, 0o600, 0o600], "the file, its log and the log's index");
}

#[test]
fn what_is_no_database_is_refused() {
    let scratch = Scratch::new("corrupt").unwrap();
    std::fs::write(scratch.file(), "this is a letter and not a database".repeat(200)).unwrap();
    assert!(matches!(Store::open(&scratch.file(), OPTIONS, NOTES), Err(StoreError::Corrupt(_))));
    let nowhere = scratch.path().join("nowhere").join("party.db");
    assert!(matches!(Store::open(&nowhere, OPTIONS, NOTES), Err(StoreError::Io(_))));
}
