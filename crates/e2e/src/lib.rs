//! Whole-network tests: the real binary, real sockets, real foreign stations, a real browser.
//!
//! What every kind of them needs: the program under test, and a folder that goes with its owner.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use charge::Dice;
use trust::dice::SystemDice;

/// The program, from the environment or beside the test.
pub fn leyden() -> PathBuf {
    let beside = || {
        let this = std::env::current_exe().unwrap();
        this.parent().and_then(Path::parent).unwrap().join("leyden")
    };
    let path = std::env::var_os("LEYDEN_BIN").map_or_else(beside, PathBuf::from);
    assert!(path.exists(), "{} is not there; build it first: cargo build -p leyden", path.display());
    path
}

/// A folder that goes with its owner.
pub struct Folder(PathBuf);

impl Folder {
    #[expect(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("leyden-e2e-{}", SystemDice.uuid()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left_behind = std::fs::remove_dir_all(&self.0);
    }
}
