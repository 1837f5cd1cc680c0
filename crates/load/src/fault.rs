//! Why a measurement came to nothing. No number is reported from a run that had a fault.

use std::io;
use std::path::PathBuf;

/// Whose fault it is stands in the text: the machine's, the server's under test, or the plan's.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("this machine does not tell what is measured: {what}")]
    Machine {
        what: PathBuf,
        #[source]
        why: io::Error,
    },
    #[error("the figures in {0} cannot be read")]
    Figures(PathBuf),
    #[error("the {0} process could not be started")]
    Server(crate::line::Kind, #[source] io::Error),
    #[error("the {0} process could not be started")]
    Started(&'static str, #[source] io::Error),
    #[error("the plan has a fault: {0}")]
    Plan(&'static str),
    #[error("the loader's TLS cannot be set up")]
    Tls(#[from] trust::tls::TlsFault),
    #[error("the connection failed while it was {0}")]
    Connection(&'static str, #[source] io::Error),
    #[error("the server refused the upgrade: {0}")]
    NotUpgraded(String),
    /// Told to come back after so many seconds.
    #[error("the server is too busy for {0} s")]
    Busy(u64),
    #[error("the server hung up{0}")]
    HungUp(String),
    #[error("the server sent a frame that the bench cannot read: {0}")]
    Frame(&'static str),
    #[error("no answer in {0} s")]
    Silence(u64),
    #[error("the server did not answer as it should: {0}")]
    Answer(String),
    #[error("the floor of durable commits could not be measured")]
    Store(#[from] store::StoreError),
    #[error("a task of the loader panicked")]
    Loader,
    #[error("the loader's process cannot be spoken with")]
    Process(#[source] io::Error),
    #[error("the loader's process failed: {0}")]
    Failed(String),
    #[error("nothing was measured")]
    Nothing,
}
