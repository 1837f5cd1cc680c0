//! The promise of the crate against a real `kill -9`: another process writes, is killed, and whatever it had said
//! to be done is there.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::{OPTIONS, ids, open, write};
use crate::Store;
use crate::scratch::Scratch;

const FILE: &str = "STORE_TEST_VICTIM_FILE";
const DONE: &str = "acknowledged ";
/// Each round is a process start; the kill falls somewhere else in the work every time.
const ROUNDS: usize = 8;
const ACKNOWLEDGED_MIN: usize = 60;
/// A victim that nobody kills ends here.
const LIFETIME: i64 = 1_000_000;

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let scratch = Scratch::new("kill").unwrap();
    open(&scratch, OPTIONS).close().await;
    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::tests::crash::victim", "--ignored", "--nocapture", "--test-threads=1"])
            .env(FILE, scratch.file())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(victim.stdout.take().unwrap()).lines().map(Result::unwrap).filter_map(number);
        let wanted = ACKNOWLEDGED_MIN + 7 * round;
        let heard: Vec<_> = said.by_ref().take(wanted).collect();
        assert_eq!(heard.len(), wanted, "the victim ended by itself");
        victim.kill().unwrap();
        victim.wait().unwrap();
        // what it said between our last look and its death counts as well
        acknowledged.extend(heard.into_iter().chain(said));
        let store = open(&scratch, OPTIONS);
        let kept: BTreeSet<_> = ids(&store).await.into_iter().collect();
        let lost: Vec<_> = acknowledged.difference(&kept).collect();
        assert_eq!(lost, Vec::<&i64>::new(), "lost in round {round}");
        let check: Result<_, crate::StoreError> =
            store.read("check", |tx| tx.one("PRAGMA integrity_check", &[], |row| row.text(0))).await;
        assert_eq!(check, Ok(Some("ok".to_owned())));
        store.close().await;
    }
}

/// A whole line only: the last one may be cut by the kill.
fn number(line: String) -> Option<i64> {
    line.split_once(DONE)?.1.strip_suffix('.')?.parse().ok()
}

#[tokio::test]
#[ignore = "the process that the test above starts and kills"]
async fn victim() {
    let Some(file) = std::env::var_os(FILE) else { return };
    let store = Store::open(file.as_ref(), OPTIONS, super::NOTES).unwrap();
    let first = ids(&store).await.last().map_or(0, |last| last + 1);
    let next = Arc::new(AtomicI64::new(first));
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let (store, next) = (store.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                while next.load(Ordering::SeqCst) < LIFETIME {
                    let id = next.fetch_add(1, Ordering::SeqCst);
                    write(&store, id, "acknowledged").await.unwrap();
                    println!("{DONE}{id}.");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}
