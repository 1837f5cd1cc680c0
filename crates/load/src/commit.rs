//! The floor of everything durable: a small row in its own transaction, with nothing around it.
//!
//! The same store as the operator's, so the same engine, the same rules of syncing and the same grouping of commits
//! that wait at the same time. Measured twice: one row at a time, and as many as there are questions under way.
//! Processor time is the writing thread's alone, which makes this floor as low as it can be.

use std::path::Path;
use std::time::{Duration, Instant};

use store::{Migration, Options, Store, StoreError, values};

use crate::Fault;
use crate::linux::CpuTime;
use crate::phase::all;

/// Enough for a median on a slow disk; each waits for the disk.
const ALONE: u32 = 200;
/// Grouped commits are cheap: so many for each writer.
const GROUPED_EACH: u32 = 100;
/// The name of the store's writing thread.
const WRITER: &str = "store-write";
const FILE: &str = "commit-floor.db";
const ROWS: Migration = Migration {
    family: "bench",
    number: 1,
    name: "rows",
    sql: "CREATE TABLE bench_rows (id INTEGER PRIMARY KEY, station TEXT NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL) STRICT",
};
const PUT: &str = "INSERT INTO bench_rows (station, at, text) VALUES (?1, ?2, ?3)";
/// As long as a status message.
const TEXT: &str =
    r#"{"connectorId":2,"errorCode":"NoError","status":"Available","timestamp":"2026-01-01T00:00:00.000Z"}"#;

/// One round of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Commit {
    pub alone: Cost,
    pub grouped: Cost,
}

/// Of one commit. For grouped ones the wall time is the whole time divided by the number of rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub cpu: Duration,
    pub wall: Duration,
}

/// Measures in a new file in `dir`, which has to be on the disk of the operator's database.
pub(crate) async fn measure(dir: &Path, writers: u32) -> Result<Commit, Fault> {
    let file = dir.join(FILE);
    remove(&file);
    let store = Store::open(&file, Options::default(), &[ROWS])?;
    let alone = cost(&store, 1, ALONE).await;
    let grouped = match alone {
        Ok(_) => cost(&store, writers, GROUPED_EACH).await,
        Err(_) => Err(Fault::Nothing),
    };
    store.close().await;
    remove(&file);
    Ok(Commit { alone: alone?, grouped: grouped? })
}

/// What is not there need not be removed; what cannot be removed fails when it is opened.
fn remove(file: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut path = file.as_os_str().to_owned();
        path.push(suffix);
        drop(std::fs::remove_file(path));
    }
}

async fn cost(store: &Store, writers: u32, each: u32) -> Result<Cost, Fault> {
    let pid = std::process::id();
    let (cpu, start) = (CpuTime::of_threads(pid, WRITER)?, Instant::now());
    let tasks = (0..writers).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for row in 0..each {
                let put = move |tx: &mut store::Tx<'_>| {
                    tx.execute(PUT, &values![format!("BENCH-{writer}"), i64::from(row), TEXT])
                };
                store.run::<usize, StoreError>("bench.put", put).await?;
            }
            Ok(())
        })
    });
    all(tasks.collect()).await?;
    let wall = start.elapsed();
    let cpu = CpuTime::of_threads(pid, WRITER)?.since(&cpu);
    let rows = (writers * each).max(1);
    Ok(Cost { cpu: cpu / rows, wall: wall / rows })
}
