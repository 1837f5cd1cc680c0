//! Prepared statements, kept for as long as their connection's thread runs.
//!
//! A statement is found by where its text stands and then compared by its text, because the texts of a house are
//! constants: that is a glance, where a hash of some hundred bytes would be taken twice for each use. It deliberately
//! knows neither parameters nor rows. The invariant: one that is handed out is in nobody else's hands, and lies here
//! with nothing bound to it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, PrepFlags, Statement};

use crate::StoreError;

/// What is done with a statement.
pub(crate) type Use<'w> = &'w mut dyn FnMut(&mut Statement<'_>) -> Result<(), StoreError>;

/// Whoever has a connection and lends its statements. It hides for how long the connection lives, which is nothing to
/// a transaction.
pub(crate) trait Lend {
    fn connection(&self) -> &Connection;

    /// Lets `work` use the statement of this text.
    fn with(&self, sql: &str, work: Use<'_>) -> Result<(), StoreError>;

    /// Runs a statement of our own that takes and gives nothing.
    fn control(&self, sql: &'static str) -> Result<(), StoreError> {
        self.with(sql, &mut |statement| statement.execute([]).map(drop).map_err(StoreError::running))
    }
}

/// A connection and what is prepared on it.
pub(crate) struct Prepared<'c> {
    connection: &'c Connection,
    kept: RefCell<HashMap<usize, Kept<'c>>>,
}

struct Kept<'c> {
    sql: Box<str>,
    /// `None`: it is in use.
    idle: Option<Statement<'c>>,
}

impl<'c> Prepared<'c> {
    pub(crate) fn on(connection: &'c Connection) -> Self {
        Self { connection, kept: RefCell::default() }
    }

    fn keep(&self, sql: &str, statement: Statement<'c>) {
        let mut kept = self.kept.borrow_mut();
        let room = kept.len() < KEPT_MAX;
        match kept.entry(place(sql)) {
            Entry::Occupied(mut same) if *same.get().sql == *sql => same.get_mut().idle = Some(statement),
            Entry::Occupied(mut other) => drop(other.insert(Kept { sql: sql.into(), idle: Some(statement) })),
            Entry::Vacant(free) if room => drop(free.insert(Kept { sql: sql.into(), idle: Some(statement) })),
            Entry::Vacant(_) => {}
        }
    }
}

impl Lend for Prepared<'_> {
    fn connection(&self) -> &Connection {
        self.connection
    }

    /// It is prepared now if it is not kept, or is in use already.
    fn with(&self, sql: &str, work: Use<'_>) -> Result<(), StoreError> {
        let same = |kept: &&mut Kept<'_>| *kept.sql == *sql;
        let idle = self.kept.borrow_mut().get_mut(&place(sql)).filter(same).and_then(|kept| kept.idle.take());
        let mut statement = match idle {
            Some(statement) => statement,
            None => {
                let flags = PrepFlags::SQLITE_PREPARE_PERSISTENT;
                self.connection.prepare_with_flags(sql, flags).map_err(StoreError::preparing)?
            }
        };
        let done = work(&mut statement);
        statement.clear_bindings();
        self.keep(sql, statement);
        done
    }
}

/// Constants do not move, so their address is their name. A text that was made for one use is compared and found to
/// be another.
fn place(sql: &str) -> usize {
    sql.as_ptr().addr()
}

/// More than a room has; what is beyond is prepared for each use.
const KEPT_MAX: usize = 512;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::engine;

    fn text(prepared: &Prepared<'_>, sql: &str, bound: &[&str]) -> Option<String> {
        let mut found = None;
        let mut look = |statement: &mut Statement<'_>| {
            found = statement.query_row(rusqlite::params_from_iter(bound), |row| row.get(0)).unwrap();
            Ok(())
        };
        prepared.with(sql, &mut look).unwrap();
        found
    }

    #[test]
    fn a_text_at_the_place_of_another_is_another_statement() {
        let connection = engine::in_memory().unwrap();
        let prepared = Prepared::on(&connection);
        let mut sql = String::from("SELECT 'a'");
        assert_eq!(text(&prepared, &sql, &[]).as_deref(), Some("a"));
        sql.replace_range(8..9, "b");
        assert_eq!(text(&prepared, &sql, &[]).as_deref(), Some("b"));
        assert_eq!(text(&prepared, &sql, &[]).as_deref(), Some("b"));
        assert_eq!(prepared.kept.borrow().len(), 1);
    }

    #[test]
    fn a_statement_in_use_is_lent_to_nobody_else_and_forgets_what_was_bound() {
        const SAME: &str = "SELECT ?1";
        let connection = engine::in_memory().unwrap();
        let prepared = Prepared::on(&connection);
        let mut nested = |outer: &mut Statement<'_>| {
            let mut rows = outer.query(["a"]).unwrap();
            assert_eq!(text(&prepared, SAME, &["b"]).as_deref(), Some("b"));
            assert_eq!(rows.next().unwrap().unwrap().get::<_, String>(0).unwrap(), "a");
            Ok(())
        };
        prepared.with(SAME, &mut nested).unwrap();
        let mut unbound = |statement: &mut Statement<'_>| {
            assert_eq!(statement.raw_query().next().unwrap().unwrap().get::<_, Option<String>>(0).unwrap(), None);
            Ok(())
        };
        prepared.with(SAME, &mut unbound).unwrap();
    }
}
