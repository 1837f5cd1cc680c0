//! Keys of 32 bytes that a party keeps beside its database: made at the first start, found again at every other.
//!
//! One file per purpose (sealing, tagging, ...), 64 hex digits, mode 0600. A key is never replaced here: whoever
//! loses or exchanges one loses what it sealed, so that is a decision of the operator's and not of a start.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use charge::{Dice, Secret};

use crate::hex;
use crate::private_file::{self, FileFault};

/// The key called `name` in `directory`; both come into being if they do not exist.
pub fn load_or_create(directory: &Path, name: &str, dice: &dyn Dice) -> Result<Secret<[u8; 32]>, FileFault> {
    let path = directory.join(format!("{name}.key"));
    match load(&path) {
        Err(FileFault::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
        found => return found,
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|source| FileFault::Io { path: directory.to_owned(), source })?;
    let mut key = [0u8; 32];
    dice.fill(&mut key);
    let mine = private_file::create(&path, format!("{}\n", hex::encode(&key)).as_bytes())?;
    // where two processes start at once, the first one's key holds for both
    if mine { Ok(Secret::new(key)) } else { load(&path) }
}

fn load(path: &Path) -> Result<Secret<[u8; 32]>, FileFault> {
    let content = private_file::read(path)?;
    let malformed = || FileFault::Malformed { path: path.to_owned(), expected: "a key of 64 hex digits" };
    hex::decode(content.trim_ascii()).and_then(|key| key.try_into().ok()).map(Secret::new).ok_or_else(malformed)
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::*;
    use crate::dice::SystemDice;

    /// A directory that vanishes with the test.
    pub(crate) struct Scratch(PathBuf);

    impl Scratch {
        pub(crate) fn new() -> Self {
            let directory = std::env::temp_dir().join(format!("trust-{}", SystemDice.uuid()));
            fs::create_dir(&directory).unwrap();
            Self(directory)
        }

        pub(crate) fn path(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _gone = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_key_is_found_again_and_differs_by_name() {
        let scratch = Scratch::new();
        let directory = scratch.path("secrets");
        let first = load_or_create(&directory, "seal", &SystemDice).unwrap();
        let again = load_or_create(&directory, "seal", &SystemDice).unwrap();
        let other = load_or_create(&directory, "tag", &SystemDice).unwrap();
        assert_eq!(first.expose(), again.expose());
        assert_ne!(first.expose(), other.expose());
        assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_damaged_or_readable_key_is_refused_and_not_replaced() {
        let scratch = Scratch::new();
        let path = scratch.path("seal.key");
        let directory = path.parent().unwrap();
        private_file::write(&path, b"0123").unwrap();
        assert!(matches!(load_or_create(directory, "seal", &SystemDice), Err(FileFault::Malformed { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(load_or_create(directory, "seal", &SystemDice), Err(FileFault::OpenToOthers { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"0123");
    }

    #[test]
    fn all_starters_of_a_race_get_one_key() {
        let scratch = Scratch::new();
        let directory = scratch.path("secrets");
        let keys: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let starters: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| *load_or_create(&directory, "seal", &SystemDice).unwrap().expose()))
                .collect();
            starters.into_iter().map(|starter| starter.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }
}
