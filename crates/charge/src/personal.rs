//! Values that must not leak: [`Personal`] says something about a person, [`Secret`] opens something.
//!
//! Neither has `Display`, neither can be serialised, and `Debug` prints a placeholder. Reading a personal value
//! needs a named [`Purpose`], so that a reader of the code sees why it was opened.

use std::fmt;
use std::hash::{Hash, Hasher};

/// Why a personal value is being opened. One variant per reason that the privacy page knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Deciding whether a token may charge, at the party that must decide.
    Authorise,
    /// Putting the value on a wire whose protocol needs it, towards the one party it is meant for.
    Transmit,
    /// Finding the party or contract that the value belongs to.
    Route,
    /// Writing an invoice or a charge detail record.
    Bill,
    /// Showing a person their own data.
    ShowOwner,
    /// Writing the value to the holder's own database.
    Keep,
}

/// Data about a person. Equality and hashing work; printing does not.
#[derive(Clone)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Opens the value for a named purpose.
    pub const fn reveal(&self, _purpose: Purpose) -> &T {
        &self.0
    }

    /// Gives the value up, for a named purpose.
    pub fn into_revealed(self, _purpose: Purpose) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(personal)")
    }
}

impl<T: PartialEq> PartialEq for Personal<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T: Eq> Eq for Personal<T> {}

impl<T: Hash> Hash for Personal<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// A key, a password, a bearer token. Compared in constant time by those who check it, never here.
#[derive(Clone)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Opens the secret where it is used.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_prints_its_content() {
        let shown = format!("{:?} {:?}", Personal::new("04A2B3C4"), Secret::new("hunter2"));
        assert_eq!(shown, "(personal) (secret)");
    }
}
