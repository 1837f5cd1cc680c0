//! Why a command ended badly, in a sentence for the person at the keyboard, and the exit status.

use std::fmt;
use std::path::Path;

/// Status 2: the command or a file it names has to change. Status 1: it was right and did not work out.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    status: u8,
}

impl Failure {
    pub(crate) fn plain(message: impl Into<String>) -> Self {
        Self { message: message.into(), status: 1 }
    }

    pub(crate) fn misuse(message: impl Into<String>) -> Self {
        Self { message: message.into(), status: 2 }
    }

    pub(crate) fn io(path: &Path, fault: &std::io::Error) -> Self {
        Self::plain(format!("{}: {fault}", path.display()))
    }

    pub(crate) const fn status(&self) -> u8 {
        self.status
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
