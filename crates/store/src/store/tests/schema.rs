//! Migrations as a user of the store meets them.

use super::{NOTES, OPTIONS, ids, open, write};
use crate::scratch::Scratch;
use crate::{Migration, Store, StoreError};

const SECOND: Migration =
    Migration { family: "notes", number: 2, name: "mark", sql: "ALTER TABLE notes ADD COLUMN mark INTEGER;" };

fn refused(result: Result<(), StoreError>) -> String {
    match result {
        Err(StoreError::Schema(text)) => text,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn migrations_are_applied_once_and_in_order() {
    let scratch = Scratch::new("migrate").unwrap();
    let store = open(&scratch, OPTIONS);
    write(&store, 1, "old").await.unwrap();
    store.close().await;
    let both = [NOTES[0], SECOND];
    let store = Store::open(&scratch.file(), OPTIONS, &both).unwrap();
    store.migrate(&both).unwrap();
    let marks: Result<_, StoreError> =
        store.read("marks", |tx| tx.query("SELECT mark FROM notes", &[], |row| row.int_opt(0))).await;
    assert_eq!(marks, Ok(vec![None]));
}

#[tokio::test]
async fn a_family_of_its_own_starts_at_one() {
    let store = Store::in_memory(NOTES).unwrap();
    let family = |number| Migration { family: "accounts", number, name: "accounts", sql: "CREATE TABLE a (x INTEGER)" };
    let text = refused(store.migrate(&[family(2)]));
    assert_eq!(text, "migration accounts/2 (accounts) stands where number 1 of its family is expected");
    store.migrate(&[family(1)]).unwrap();
}

#[tokio::test]
async fn a_past_migration_that_was_edited_is_refused() {
    let scratch = Scratch::new("edited").unwrap();
    open(&scratch, OPTIONS).close().await;
    let edited = Migration { sql: "CREATE TABLE notes (id INTEGER PRIMARY KEY);", ..NOTES[0] };
    let text = refused(Store::open(&scratch.file(), OPTIONS, &[edited]).map(drop));
    assert_eq!(text, "migration notes/1 (notes) was changed after it had been applied; write a new one instead");
    assert_eq!(ids(&open(&scratch, OPTIONS)).await, [], "the file is as it was");
}

#[tokio::test]
async fn a_file_from_a_newer_program_is_refused() {
    let store = Store::in_memory(&[NOTES[0], SECOND]).unwrap();
    let text = refused(store.migrate(NOTES));
    assert_eq!(text, "the file is newer than this program: notes is at 2, the program knows 1");
}

#[tokio::test]
async fn a_failing_migration_leaves_nothing_behind() {
    let store = Store::in_memory(NOTES).unwrap();
    let wrong = Migration { number: 3, name: "wrong", sql: "CREATE TABLE third (x INTEGER); BANANA;", ..SECOND };
    let text = refused(store.migrate(&[NOTES[0], SECOND, wrong]));
    assert!(text.starts_with("migration notes/3 (wrong) fails: near \"BANANA\""), "{text}");
    let tables: Result<_, StoreError> = store
        .read("tables", |tx| {
            let third = tx.query("SELECT name FROM sqlite_schema WHERE name = 'third'", &[], |row| row.text(0))?;
            let marks = tx.query("SELECT mark FROM notes", &[], |row| row.int_opt(0));
            Ok((third, marks.is_err()))
        })
        .await;
    assert_eq!(tables, Ok((vec![], true)), "neither the third nor the second step is there");
    store.migrate(&[NOTES[0], SECOND]).unwrap();
}

#[tokio::test]
async fn a_migration_that_ends_its_transaction_is_an_error() {
    let store = Store::in_memory(&[]).unwrap();
    let sly = Migration { sql: "CREATE TABLE notes (id INTEGER); COMMIT;", ..NOTES[0] };
    let refused = store.migrate(&[sly]);
    assert_eq!(refused, Err(StoreError::Misuse("the transaction was ended by a statement".to_owned())));
}
