//! A directory for one test, gone when the test is.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// `name` is the test's: no two tests of one run share it.
    pub(crate) fn new(name: &str) -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("store-{name}-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.path().join("party.db")
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
