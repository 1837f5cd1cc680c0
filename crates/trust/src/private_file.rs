//! Files that hold a secret: mode 0600, replaced as a whole or not at all.
//!
//! A writer fills a sibling file, syncs it and moves it into place, so that a crash leaves the old or the new
//! content and never half of one. A reader refuses a file that other accounts of the machine may open. No encryption
//! at rest here: that is the disk's or the operator's business.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A key with a long certificate chain needs some 10 kB; more is not one of our files.
pub const BYTES_MAX: u64 = 64 * 1024;

/// Why a private file is not usable. All of them are for whoever runs the machine.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} holds a secret and is open to other accounts (mode {mode:03o}): chmod 600 {path}")]
    OpenToOthers { path: PathBuf, mode: u32 },
    #[error("{path} is larger than {BYTES_MAX} bytes, so it is not a key file of this program")]
    TooLarge { path: PathBuf },
    #[error("{path} is not {expected}")]
    Malformed { path: PathBuf, expected: &'static str },
}

/// Reads a file that only its owner may open.
pub fn read(path: &Path) -> Result<Vec<u8>, FileFault> {
    let io = |source| FileFault::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    let mode = file.metadata().map_err(io)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(FileFault::OpenToOthers { path: path.to_owned(), mode });
    }
    let mut content = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut content).map_err(io)?;
    if content.len() as u64 > BYTES_MAX {
        return Err(FileFault::TooLarge { path: path.to_owned() });
    }
    Ok(content)
}

/// Writes or replaces the file.
pub fn write(path: &Path, content: &[u8]) -> Result<(), FileFault> {
    let io = |source| FileFault::Io { path: path.to_owned(), source };
    let filled = fill_sibling(path, content).map_err(io)?;
    let moved = fs::rename(&filled, path).and_then(|()| sync_directory(path));
    if moved.is_err() {
        let _gone = fs::remove_file(&filled);
    }
    moved.map_err(io)
}

/// Writes the file if there is none yet. False if somebody else was first; then nothing has changed.
pub fn create(path: &Path, content: &[u8]) -> Result<bool, FileFault> {
    let io = |source| FileFault::Io { path: path.to_owned(), source };
    let filled = fill_sibling(path, content).map_err(io)?;
    // unlike a rename, a link refuses to replace
    let linked = fs::hard_link(&filled, path).and_then(|()| sync_directory(path));
    let _gone = fs::remove_file(&filled);
    match linked {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(io(error)),
    }
}

fn fill_sibling(path: &Path, content: &[u8]) -> io::Result<PathBuf> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut sibling = OsString::from(".");
    sibling.push(name);
    sibling.push(format!(".{}-{}.new", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    let sibling = path.with_file_name(sibling);
    let filled =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&sibling).and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        });
    if filled.is_err() {
        let _gone = fs::remove_file(&sibling);
    }
    filled.map(|()| sibling)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::keyfile::tests::Scratch;

    #[test]
    fn a_private_file_is_0600_and_replaced_whole() {
        let scratch = Scratch::new();
        let path = scratch.path("identity.pem");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no sibling is left behind");
    }

    #[test]
    fn create_never_replaces() {
        let scratch = Scratch::new();
        let path = scratch.path("key");
        assert!(create(&path, b"first").unwrap());
        assert!(!create(&path, b"second").unwrap());
        assert_eq!(read(&path).unwrap(), b"first");
    }

    #[test]
    fn a_file_open_to_others_is_refused_with_the_remedy() {
        let scratch = Scratch::new();
        let path = scratch.path("key");
        write(&path, b"secret").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let fault = read(&path).unwrap_err();
        assert!(matches!(fault, FileFault::OpenToOthers { mode: 0o640, .. }));
        assert!(fault.to_string().contains("chmod 600"), "{fault}");
    }

    #[test]
    fn an_endless_file_is_not_read_to_its_end() {
        let scratch = Scratch::new();
        let path = scratch.path("key");
        write(&path, &vec![b'x'; usize::try_from(BYTES_MAX).unwrap() + 1]).unwrap();
        assert!(matches!(read(&path), Err(FileFault::TooLarge { .. })));
    }
}
