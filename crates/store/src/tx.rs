//! What code inside a transaction can do: run statements and read rows.
//!
//! A `Tx` has no commit and no rollback: returning `Ok` or `Err` from the closure is the only way to end it. The
//! invariant: once the engine has rolled the transaction back by itself (a full disk can do that), every further
//! statement is refused, so nothing is ever written outside of a transaction.

use std::cell::{Cell, RefCell};

use charge::Timestamp;
use rusqlite::params_from_iter;
use rusqlite::types::{Type, ValueRef};

use crate::statement::{Lend, Use};
use crate::{StoreError, Value};

/// An open transaction.
pub struct Tx<'c> {
    prepared: &'c dyn Lend,
    writes: bool,
    /// The savepoint to which a failure goes back is set before the first write: most of what fails, and whatever
    /// changes nothing, fails and ends without one.
    saved: Cell<bool>,
    /// Something was written that no savepoint undoes: the transaction cannot fail any more.
    bound: Cell<bool>,
    /// The first failure of the engine, to tell the others in the group why their work is gone as well.
    failure: RefCell<Option<StoreError>>,
}

impl<'c> Tx<'c> {
    pub(crate) const fn writing(prepared: &'c dyn Lend) -> Self {
        Self { prepared, writes: true, saved: Cell::new(false), bound: Cell::new(false), failure: RefCell::new(None) }
    }

    pub(crate) const fn reading(prepared: &'c dyn Lend) -> Self {
        Self { prepared, writes: false, saved: Cell::new(false), bound: Cell::new(false), failure: RefCell::new(None) }
    }

    /// Runs a statement that returns no rows; answers how many rows it changed. Placeholders are `?1`, `?2`, …
    pub fn execute(&mut self, sql: &str, params: &[Value]) -> Result<usize, StoreError> {
        let mut changed = 0;
        self.with(sql, Saves::First, &mut |statement| {
            changed = statement.execute(params_from_iter(params)).map_err(|error| self.failed(error))?;
            Ok(())
        })?;
        Ok(changed)
    }

    /// The same for the last write of a transaction, after which nothing in it may fail. Where it is the only one it
    /// needs no savepoint, because a statement that fails is undone by the engine, and two statements are spared a small
    /// transaction. Whoever fails or writes afterwards nevertheless loses the whole group.
    pub fn finish(&mut self, sql: &str, params: &[Value]) -> Result<usize, StoreError> {
        let mut changed = 0;
        self.with(sql, Saves::Nothing, &mut |statement| {
            changed = statement.execute(params_from_iter(params)).map_err(|error| self.failed(error))?;
            Ok(())
        })?;
        self.bound.set(true);
        Ok(changed)
    }

    /// All rows, each through `row`. Also the way to `INSERT … RETURNING` in a writing transaction. The statement
    /// carries its own `LIMIT`.
    pub fn query<T>(
        &self,
        sql: &str,
        params: &[Value],
        mut row: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.each(sql, params, |next| {
            found.push(row(next)?);
            Ok(Next::More)
        })?;
        Ok(found)
    }

    /// The first row, if there is one.
    pub fn one<T>(
        &self,
        sql: &str,
        params: &[Value],
        mut row: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.each(sql, params, |next| {
            if found.is_none() {
                found = Some(row(next)?);
            }
            Ok(Next::Enough)
        })?;
        Ok(found)
    }

    /// Several statements in one text, for migrations only: nothing of it stays prepared.
    pub(crate) fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.save()?;
        self.prepared.connection().execute_batch(sql).map_err(StoreError::preparing)
    }

    /// Whether there is a savepoint to release.
    pub(crate) const fn saved(&self) -> bool {
        self.saved.get()
    }

    /// Whether what was written can no longer be undone alone.
    pub(crate) const fn bound(&self) -> bool {
        self.bound.get()
    }

    fn save(&self) -> Result<(), StoreError> {
        if !self.saved.get() {
            self.prepared.control("SAVEPOINT work")?;
            self.saved.set(true);
        }
        Ok(())
    }

    /// Whether the engine has ended the transaction by itself, and why as far as we saw it.
    pub(crate) fn ended(&self) -> Option<StoreError> {
        self.prepared.connection().is_autocommit().then(|| {
            let seen = self.failure.borrow().clone();
            seen.unwrap_or_else(|| StoreError::Misuse("the transaction was ended by a statement".to_owned()))
        })
    }

    fn each(
        &self,
        sql: &str,
        params: &[Value],
        mut row: impl FnMut(&Row<'_>) -> Result<Next, StoreError>,
    ) -> Result<(), StoreError> {
        self.with(sql, Saves::First, &mut |statement| {
            // a statement that changes something runs to its end: only there are its deferred rules checked
            let to_the_end = !statement.readonly();
            let mut rows = statement.query(params_from_iter(params)).map_err(|error| self.failed(error))?;
            while let Some(next) = rows.next().map_err(|error| self.failed(error))? {
                match row(&Row(next))? {
                    Next::More => {}
                    Next::Enough if to_the_end => {}
                    Next::Enough => break,
                }
            }
            Ok(())
        })
    }

    fn with(&self, sql: &str, saves: Saves, work: Use<'_>) -> Result<(), StoreError> {
        if let Some(why) = self.ended() {
            return Err(why);
        }
        self.prepared.with(sql, &mut |statement| {
            if !statement.readonly() {
                if !self.writes {
                    return Err(StoreError::Misuse("a write in a reading transaction".to_owned()));
                }
                if self.bound.get() {
                    return Err(StoreError::Misuse("a write after the last one".to_owned()));
                }
                if saves == Saves::First {
                    self.save()?;
                }
            }
            work(statement)
        })
    }

    fn failed(&self, error: rusqlite::Error) -> StoreError {
        let error = StoreError::running(error);
        self.failure.borrow_mut().get_or_insert_with(|| error.clone());
        error
    }
}

/// Whether a write sets the savepoint, where there is none yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Saves {
    First,
    Nothing,
}

enum Next {
    More,
    Enough,
}

/// One row of an answer; columns count from 0.
pub struct Row<'r>(&'r rusqlite::Row<'r>);

impl Row<'_> {
    /// A number.
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.set(column, "a number", |value| value.as_i64().ok())
    }

    /// A number or nothing.
    pub fn int_opt(&self, column: usize) -> Result<Option<i64>, StoreError> {
        self.unless_null(column, Self::int)
    }

    /// Text.
    pub fn text(&self, column: usize) -> Result<String, StoreError> {
        self.str(column).map(str::to_owned)
    }

    /// Text, to look at and not to keep.
    pub fn str(&self, column: usize) -> Result<&str, StoreError> {
        self.set(column, "text", |value| value.as_str().ok())
    }

    /// The same or nothing.
    pub fn str_opt(&self, column: usize) -> Result<Option<&str>, StoreError> {
        self.unless_null(column, Self::str)
    }

    /// Text or nothing.
    pub fn text_opt(&self, column: usize) -> Result<Option<String>, StoreError> {
        self.unless_null(column, Self::text)
    }

    /// Bytes.
    pub fn blob(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        self.set(column, "bytes", |value| value.as_blob().ok().map(<[u8]>::to_vec))
    }

    /// Bytes or nothing.
    pub fn blob_opt(&self, column: usize) -> Result<Option<Vec<u8>>, StoreError> {
        self.unless_null(column, Self::blob)
    }

    /// A flag: any number but 0 is true.
    pub fn flag(&self, column: usize) -> Result<bool, StoreError> {
        self.int(column).map(|number| number != 0)
    }

    /// A moment, kept as microseconds.
    pub fn time(&self, column: usize) -> Result<Timestamp, StoreError> {
        self.int(column).map(Timestamp::from_micros)
    }

    /// A moment or nothing.
    pub fn time_opt(&self, column: usize) -> Result<Option<Timestamp>, StoreError> {
        self.unless_null(column, Self::time)
    }

    fn set<'s, T>(
        &'s self,
        column: usize,
        wanted: &str,
        read: impl FnOnce(ValueRef<'s>) -> Option<T>,
    ) -> Result<T, StoreError> {
        let value = self.value(column)?;
        read(value).ok_or_else(|| {
            let found = match value.data_type() {
                Type::Null => "nothing",
                Type::Integer => "a number",
                Type::Real => "a float",
                Type::Text => "text",
                Type::Blob => "bytes",
            };
            StoreError::Misuse(format!("column {column} holds {found}, {wanted} was wanted"))
        })
    }

    fn unless_null<'s, T>(
        &'s self,
        column: usize,
        read: impl FnOnce(&'s Self, usize) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_) => {
                read(self, column).map(Some)
            }
        }
    }

    fn value(&self, column: usize) -> Result<ValueRef<'_>, StoreError> {
        self.0.get_ref(column).map_err(StoreError::running)
    }
}
