//! What can go wrong with memory, and whose fault it is.
//!
//! Texts name tables, columns and paths but never a stored or bound value: those may be somebody's secret. That is
//! why a failing statement reports the engine's code and keeps the engine's own sentence only where that sentence
//! is made of the schema (constraints) or of our SQL (preparation).

use rusqlite::{ErrorCode, ffi};
use thiserror::Error;

/// A transaction that did not happen. Nothing that it wrote is visible to anybody.
///
/// After [`Io`](Self::Io) or [`Full`](Self::Full) at the commit it may still come back when the file is read after a
/// crash: the outcome is unknown rather than undone, and the repeat must be idempotent.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// The machine's fault: no space on the disk, or the size limit of the file is reached. What was there stays.
    #[error("the disk is full, nothing was written")]
    Full,
    /// The file is damaged, is no database, or a row holds what no row of ours can hold. A room's row mapping says
    /// this too, with the name of the column.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// Another process kept the file locked for longer than we wait.
    #[error("the database is locked by another process")]
    Busy,
    /// Too many transactions are waiting: answered at once, so that the peer can be told to come back.
    #[error("too many transactions are waiting ({waiting})")]
    Overloaded {
        /// The length of the queue that refused.
        waiting: usize,
    },
    /// A rule of the schema forbids the row. Which one is in `broken`, its column or name in `rule`.
    #[error("the row is refused by a rule of the schema: {rule}")]
    Constraint {
        /// The kind of rule.
        broken: Broken,
        /// The rule in the engine's words, for instance `UNIQUE constraint failed: tokens.uid`.
        rule: String,
    },
    /// The file and this program do not agree about the tables: a migration was changed, is missing or fails.
    #[error("the schema does not fit: {0}")]
    Schema(String),
    /// The machine's fault: opening, reading, writing or syncing the file failed.
    #[error("the database file: {0}")]
    Io(String),
    /// The store was closed before the transaction was accepted.
    #[error("the store is closed")]
    Closed,
    /// The transaction's own code panicked; it was rolled back.
    #[error("the code of the transaction panicked")]
    Panicked,
    /// Our fault: wrong SQL, wrong number of parameters, wrong column or type, a write in a reading transaction.
    #[error("the statement is wrong: {0}")]
    Misuse(String),
}

/// The kinds of rules that a row can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A primary key or unique index holds such a row already.
    Unique,
    /// The row refers to one that is not there, or is itself referred to.
    ForeignKey,
    /// A `CHECK` failed.
    Check,
    /// A column that must be set is null.
    NotNull,
    /// Anything else, for instance the type of a column in a strict table.
    Other,
}

impl StoreError {
    /// Whether a unique rule refused the row, which is how a repeated message usually shows itself.
    pub const fn is_duplicate(&self) -> bool {
        matches!(self, Self::Constraint { broken: Broken::Unique, .. })
    }

    /// Preparing a statement failed: the engine's sentence speaks about our SQL and the schema only.
    pub(crate) fn preparing(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(code, Some(text)) => Self::coded(code, text),
            rusqlite::Error::SqlInputError { error, msg, .. } => Self::coded(error, msg),
            rusqlite::Error::MultipleStatement => Self::Misuse("more than one statement in one text".to_owned()),
            other => Self::running(other),
        }
    }

    /// Running a statement failed: outside of constraints the sentence may quote a bound value and is dropped.
    pub(crate) fn running(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(code, text) => {
                let text = text.filter(|_| code.code == ErrorCode::ConstraintViolation);
                Self::coded(code, text.unwrap_or_else(|| ffi::code_to_str(code.extended_code).to_owned()))
            }
            rusqlite::Error::InvalidParameterCount(given, wanted) => {
                Self::Misuse(format!("{given} parameters given, {wanted} wanted"))
            }
            rusqlite::Error::ExecuteReturnedResults => Self::Misuse("rows came back: ask with query".to_owned()),
            rusqlite::Error::InvalidColumnIndex(index) => Self::Misuse(format!("there is no column {index}")),
            _ => Self::Misuse("refused by the driver".to_owned()),
        }
    }

    fn coded(error: ffi::Error, text: String) -> Self {
        match error.code {
            ErrorCode::DiskFull => Self::Full,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Corrupt(text),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => Self::Busy,
            ErrorCode::ConstraintViolation => Self::Constraint { broken: broken(error.extended_code), rule: text },
            ErrorCode::SchemaChanged => Self::Schema(text),
            ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied
            | ErrorCode::ReadOnly
            | ErrorCode::OutOfMemory
            | ErrorCode::NoLargeFileSupport => Self::Io(text),
            _ => Self::Misuse(text),
        }
    }
}

fn broken(extended: i32) -> Broken {
    match extended {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            Broken::Unique
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Broken::ForeignKey,
        ffi::SQLITE_CONSTRAINT_CHECK => Broken::Check,
        ffi::SQLITE_CONSTRAINT_NOTNULL => Broken::NotNull,
        _ => Broken::Other,
    }
}
