//! What was committed is found again: nothing lost, nothing billed or delivered twice by id.

use charge::talk::line::{LineFault, StationAnswer};
use charge::talk::road::{OrderResult, RoadFault};
use store::outbox;

use super::world::{CARD, World, at, card};
use crate::service::Operator;
use crate::session::State;

/// A file of this test's own, gone with it.
pub(super) struct Scratch(pub(super) std::path::PathBuf);

impl Scratch {
    pub(super) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("operator-{name}-{}.db", std::process::id()));
        Self::clear(&path);
        Self(path)
    }

    fn clear(path: &std::path::Path) {
        for suffix in ["", "-wal", "-shm"] {
            let mut file = path.as_os_str().to_owned();
            file.push(suffix);
            drop(std::fs::remove_file(file));
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        Self::clear(&self.0);
    }
}

#[tokio::test]
async fn a_cdr_committed_before_a_crash_is_delivered_after_it_under_one_id() {
    let scratch = Scratch::new("cdr");
    let mut world = World::on_disk(&scratch.0);
    world.furnish().await;
    let (number, _) = world.start(card(CARD), 1_000).await;
    world.clock.set(at(30));
    world.stop(number, 5_000, Vec::new()).await;
    // the first delivery gets no answer; then the program dies
    world.road.next_cdr.lock().unwrap().push_back(Err(RoadFault::TimedOut));
    world.operator.duty().await;
    world.operator.duty().await;
    let before = world.told_cdrs();
    drop(world);

    let world = World::on_disk(&scratch.0);
    world.clock.set(at(30));
    world.rounds().await;
    let after = world.told_cdrs();
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_eq!(before[0], after[0]);
    assert_eq!(world.only_session().await.card.state, State::Closed);
}

#[tokio::test]
async fn what_a_killed_worker_held_is_taken_up_at_once() {
    let scratch = Scratch::new("held");
    let mut world = World::on_disk(&scratch.0);
    world.furnish().await;
    let (number, _) = world.start(card(CARD), 1_000).await;
    world.clock.set(at(30));
    world.stop(number, 5_000, Vec::new()).await;
    world.operator.duty().await;
    // a worker leases the CDR and dies
    let held = world
        .store
        .run("held", |tx| outbox::lease(tx, "operator.cdr", at(30), crate::service::LEASE, 10).map(|jobs| jobs.len()))
        .await;
    assert_eq!(held, Ok(1));
    drop(world);
    let world = World::on_disk(&scratch.0);
    world.clock.set(at(30));
    world.rounds().await;
    assert_eq!(world.told_cdrs().len(), 1);
}

#[tokio::test]
async fn a_session_that_ended_before_a_crash_is_closed_after_it() {
    let scratch = Scratch::new("close");
    let mut world = World::on_disk(&scratch.0);
    world.furnish().await;
    let (number, _) = world.start(card(CARD), 1_000).await;
    world.clock.set(at(30));
    world.stop(number, 5_000, Vec::new()).await;
    drop(world);
    let world = World::on_disk(&scratch.0);
    world.clock.set(at(31));
    world.rounds().await;
    assert_eq!(world.told_cdrs().len(), 1);
}

#[tokio::test]
async fn an_order_interrupted_at_the_station_is_told_as_a_timeout_and_never_told_again() {
    let world = World::new().await;
    world.order_start("o1").await.unwrap();
    // a worker takes the order, tells the station, and dies before the answer is kept
    let now = super::world::START;
    let jobs = world
        .store
        .run("lease", move |tx| {
            let jobs = outbox::lease(tx, crate::service::TELL, now, crate::service::LEASE, 1)?;
            for job in &jobs {
                let mut row = crate::memory::order::find(tx, &job.key)?.unwrap();
                row.on(crate::remote::Event::Tell);
                crate::memory::order::save(tx, &row)?;
            }
            Ok::<_, store::StoreError>(jobs.len())
        })
        .await
        .unwrap();
    assert_eq!(jobs, 1);
    world.rounds().await;
    assert!(world.outcomes().is_empty(), "still leased");
    world.clock.advance(crate::service::LEASE);
    world.rounds().await;
    assert_eq!(world.outcomes(), vec![OrderResult::TimedOut]);
    assert!(world.line.told.lock().unwrap().is_empty());
}

#[tokio::test]
async fn overlapping_rounds_tell_each_thing_once() {
    let world = World::new().await;
    world.line.answers.lock().unwrap().push_back(Ok(StationAnswer::Accepted));
    world.order_start("o1").await.unwrap();
    let (number, _) = world.start(card(CARD), 1_000).await;
    world.clock.set(at(10));
    world.stop(number, 2_000, Vec::new()).await;
    let duty = |operator: Operator| async move { operator.duty().await };
    for _ in 0..3 {
        let rounds = (0..4).map(|_| duty(world.operator.clone()));
        futures_util::future::join_all(rounds).await;
    }
    assert_eq!(world.told_cdrs().len(), 1);
    assert_eq!(world.outcomes().len(), 1);
    assert_eq!(world.line.told.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_stop_that_the_station_does_not_obey_is_tried_again_and_then_shown() {
    let world = World::new().await;
    world.start(card("DEADBEEF"), 1_000).await;
    for _ in 0..8 {
        world.line.answers.lock().unwrap().push_back(Err(LineFault::TimedOut));
    }
    for minute in 1..60 {
        world.clock.set(at(minute));
        world.operator.duty().await;
    }
    assert_eq!(world.line.told.lock().unwrap().len(), 5);
    let flags = world.only_session().await.card.flags;
    assert!(flags.iter().any(|flag| flag.contains("did not stop")), "{flags:?}");
}
