//! The life of a job: put once, leased, hidden, back when the lease ends, done or dead.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use charge::Timestamp;

use super::{Job, dead, done, forget, give_up, lease, next_due, put, retry, revive};
use crate::{Store, StoreError, Tx};

const KIND: &str = "cdr";
const LEASE: Duration = Duration::from_secs(30);

const fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(second)
}

async fn within<T: Send + 'static>(
    store: &Store,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.run("test", work).await.unwrap()
}

async fn leased(store: &Store, second: i64) -> Vec<Job> {
    within(store, move |tx| lease(tx, KIND, at(second), LEASE, 10)).await
}

async fn with_job() -> (Store, Job) {
    let store = Store::in_memory(&[]).unwrap();
    assert!(within(&store, |tx| put(tx, KIND, "a", at(0), b"body")).await);
    let job = leased(&store, 0).await.pop().unwrap();
    (store, job)
}

#[tokio::test]
async fn a_key_is_one_job_even_after_it_is_done() {
    let (store, job) = with_job().await;
    assert!(!within(&store, |tx| put(tx, KIND, "a", at(0), b"other")).await);
    assert!(within(&store, |tx| put(tx, "other kind", "a", at(0), b"")).await);
    assert_eq!((job.key.as_str(), job.body.as_slice(), job.attempts), ("a", &b"body"[..], 1));
    assert!(within(&store, move |tx| done(tx, job.id)).await);
    assert!(!within(&store, |tx| put(tx, KIND, "a", at(0), b"again")).await);
    assert_eq!(leased(&store, 1_000).await.len(), 0);
    assert_eq!(within(&store, |tx| forget(tx, at(1_000))).await, 1);
    assert!(within(&store, |tx| put(tx, KIND, "a", at(0), b"again")).await);
}

#[tokio::test]
async fn a_job_in_a_transaction_that_failed_was_never_put() {
    let store = Store::in_memory(&[]).unwrap();
    let failed: Result<(), StoreError> = store
        .run("fails", |tx| {
            put(tx, KIND, "a", at(0), b"")?;
            Err(StoreError::Busy)
        })
        .await;
    assert_eq!(failed, Err(StoreError::Busy));
    assert_eq!(leased(&store, 10).await.len(), 0);
}

#[tokio::test]
async fn jobs_come_when_due_and_the_longest_due_first() {
    let store = Store::in_memory(&[]).unwrap();
    within(&store, |tx| {
        for (key, due) in [("late", 50), ("second", 20), ("first", 10)] {
            put(tx, KIND, key, at(due), b"")?;
        }
        Ok(())
    })
    .await;
    assert_eq!(within(&store, |tx| next_due(tx, KIND)).await, Some(at(10)));
    assert_eq!(leased(&store, 9).await.len(), 0);
    let one = within(&store, |tx| lease(tx, KIND, at(20), LEASE, 1)).await;
    assert_eq!(one.iter().map(|job| job.key.as_str()).collect::<Vec<_>>(), ["first"]);
    let rest = leased(&store, 20).await;
    assert_eq!(rest.iter().map(|job| job.key.as_str()).collect::<Vec<_>>(), ["second"]);
    assert_eq!(within(&store, |tx| next_due(tx, KIND)).await, Some(at(50)));
    assert_eq!(within(&store, |tx| next_due(tx, "nothing")).await, None);
}

#[tokio::test]
async fn a_lease_hides_a_job_and_its_end_brings_it_back() {
    let (store, _) = with_job().await;
    assert_eq!(leased(&store, 29).await.len(), 0);
    assert_eq!(within(&store, |tx| next_due(tx, KIND)).await, Some(at(30)));
    let again = leased(&store, 30).await.pop().unwrap();
    assert_eq!(again.attempts, 2);
}

#[tokio::test]
async fn a_retry_waits_until_its_time_and_counts() {
    let (store, job) = with_job().await;
    assert!(within(&store, move |tx| retry(tx, job.id, at(5), "the peer answered 503")).await);
    assert_eq!(leased(&store, 4).await.len(), 0);
    assert_eq!(leased(&store, 5).await.pop().unwrap().attempts, 2);
}

/// Two workers hold the job because the first one's lease ended; the second one finishes.
#[tokio::test]
async fn a_worker_that_comes_too_late_changes_nothing() {
    let (store, first) = with_job().await;
    let second = leased(&store, 40).await.pop().unwrap();
    assert_eq!(second.id, first.id);
    assert!(within(&store, move |tx| done(tx, second.id)).await);
    assert!(!within(&store, move |tx| done(tx, first.id)).await);
    assert!(!within(&store, move |tx| retry(tx, first.id, at(50), "late")).await);
    assert!(!within(&store, move |tx| give_up(tx, first.id, "late")).await);
    assert_eq!(leased(&store, 1_000).await.len(), 0);
    assert_eq!(within(&store, |tx| dead(tx)).await, []);
}

#[tokio::test]
async fn a_dead_job_is_seen_and_can_be_revived() {
    let (store, job) = with_job().await;
    let id = job.id;
    assert!(within(&store, move |tx| give_up(tx, id, "refused: 2001")).await);
    assert_eq!(leased(&store, 1_000).await.len(), 0);
    let found = within(&store, |tx| dead(tx)).await.pop().unwrap();
    assert_eq!((found.id, found.kind.as_str(), found.key.as_str()), (id, KIND, "a"));
    assert_eq!((found.attempts, found.why.as_str()), (1, "refused: 2001"));
    assert_eq!(within(&store, |tx| forget(tx, at(1_000))).await, 0, "only what is done is forgotten");
    assert!(within(&store, move |tx| revive(tx, id, at(60))).await);
    let revived = leased(&store, 60).await.pop().unwrap();
    assert_eq!((revived.id, revived.attempts, revived.body.as_slice()), (id, 1, &b"body"[..]));
}

#[tokio::test]
async fn a_number_is_never_given_twice() {
    let (store, job) = with_job().await;
    let id = job.id;
    within(&store, move |tx| done(tx, id)).await;
    within(&store, |tx| forget(tx, at(1_000))).await;
    within(&store, |tx| put(tx, KIND, "b", at(0), b"")).await;
    assert!(leased(&store, 0).await.pop().unwrap().id > id);
}
