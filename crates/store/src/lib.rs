//! Memory: named transactions over one embedded database file, with migrations and an outbox.
//!
//! It knows no domain table: every room brings its own tables, migrations and SQL. It deliberately has no query
//! language, no mapping of structs and no floats; its values are the subset that SQLite and PostgreSQL share
//! (64-bit integers, text, bytes; a time is integer microseconds).
//!
//! The invariant: **what [`Store::run`] has answered is on the disk**, and what it has not answered may be there or
//! not but never by half. Whoever acknowledges something to a peer does so after `run` returned.
//!
//! ```
//! use store::{Migration, Store, StoreError, values};
//!
//! const EVSES: Migration = Migration {
//!     family: "example",
//!     number: 1,
//!     name: "evses",
//!     sql: "CREATE TABLE evses (id TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT",
//! };
//! const PUT: &str = "INSERT INTO evses (id, state) VALUES (?1, ?2)";
//! const STATE: &str = "SELECT state FROM evses WHERE id = ?1";
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), StoreError> {
//! let store = Store::in_memory(&[EVSES])?;
//! store.run("evse.put", |tx| tx.execute(PUT, &values!["DE*ABC*E1", "AVAILABLE"])).await?;
//! let found = store.read("evse.state", |tx| tx.one(STATE, &values!["DE*ABC*E1"], |row| row.text(0)));
//! let found: Result<_, StoreError> = found.await;
//! assert_eq!(found?.as_deref(), Some("AVAILABLE"));
//! # Ok(())
//! # }
//! ```

mod engine;
mod error;
mod figures;
mod migration;
pub mod outbox;
mod queue;
mod statement;
mod store;
mod tx;
mod value;
mod work;

pub use error::{Broken, StoreError};
pub use figures::{Figure, Figures};
pub use migration::Migration;
pub use store::{Options, Store};
pub use tx::{Row, Tx};
pub use value::Value;

#[cfg(test)]
mod scratch;
