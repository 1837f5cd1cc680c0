//! Files of an operator: taken in and handed out in pieces, with a cap, under names of our own.
//!
//! Whether a file is wanted was decided before; here are only bytes. A file that breaks off or grows too large leaves
//! nothing behind. No name that a stranger sent becomes a name on the disk.

use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fault::Fault;

/// What was taken in.
pub(crate) struct Taken {
    pub(crate) file: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: [u8; 32],
}

/// Takes a body in under a name of ours: letters and digits.
pub(crate) async fn take(directory: &Path, file: String, body: Body, bytes_max: usize) -> Result<Taken, Fault> {
    fs::create_dir_all(directory).await.map_err(|error| trouble(&error))?;
    let (path, partly) = (place(directory, &file)?, Partly(place(directory, &format!("{file}part"))?));
    let (bytes, sha256) = pour(&partly.0, body, bytes_max).await?;
    fs::rename(&partly.0, &path).await.map_err(|error| trouble(&error))?;
    // its name has to survive as its bytes do, before anybody is told that it is here
    let named = async { File::open(directory).await?.sync_all().await };
    named.await.map_err(|error| trouble(&error))?;
    Ok(Taken { file, bytes, sha256 })
}

/// A file that is not whole yet. It goes with whoever was writing it, a sender who hangs up included.
struct Partly(PathBuf);

impl Drop for Partly {
    fn drop(&mut self) {
        // renamed, it is not there any more
        drop(std::fs::remove_file(&self.0));
    }
}

async fn pour(path: &Path, body: Body, bytes_max: usize) -> Result<(u64, [u8; 32]), Fault> {
    let out = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path).await;
    let mut out = out.map_err(|error| trouble(&error))?;
    let (mut digest, mut bytes) = (Sha256::new(), 0_usize);
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Fault::malformed("/", "The file broke off."))?;
        bytes = bytes.saturating_add(piece.len());
        if bytes > bytes_max {
            return Err(Fault::TooLarge { limit: bytes_max });
        }
        digest.update(&piece);
        out.write_all(&piece).await.map_err(|error| trouble(&error))?;
    }
    if bytes == 0 {
        return Err(Fault::malformed("/", "The file is empty."));
    }
    out.sync_all().await.map_err(|error| trouble(&error))?;
    Ok((bytes as u64, digest.finalize().into()))
}

/// Hands a file out as a download.
pub(crate) async fn give(directory: &Path, file: &str) -> Result<Response, Fault> {
    let from = File::open(place(directory, file)?).await.map_err(|_| Fault::NotFound)?;
    let length = from.metadata().await.map_err(|error| trouble(&error))?.len();
    let pieces = futures_util::stream::unfold(Some((from, Vec::new())), async |held| {
        let (mut file, mut buffer) = held?;
        buffer.resize(PIECE_BYTES, 0);
        match file.read(&mut buffer).await {
            Ok(0) => None,
            Ok(read) => {
                let piece = bytes::Bytes::copy_from_slice(&buffer[..read]);
                Some((Ok(piece), Some((file, buffer))))
            }
            Err(error) => Some((Err(error), None)),
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CONTENT_DISPOSITION, "attachment".to_owned()),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// Deletes a file; one that is gone already is no fault.
pub(crate) async fn discard(directory: &Path, file: &str) {
    if let Ok(path) = place(directory, file)
        && let Err(error) = fs::remove_file(path).await
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::error!(%error, "a file could not be deleted");
    }
}

/// Our names are letters and digits, so none leads out of the directory.
fn place(directory: &Path, file: &str) -> Result<PathBuf, Fault> {
    if file.is_empty() || !file.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Fault::NotFound);
    }
    Ok(directory.join(file))
}

fn trouble(error: &std::io::Error) -> Fault {
    tracing::error!(%error, "the shelf could not be used");
    Fault::CannotKeep
}

/// A log may name people: only the owner reads it, as with the tables.
const FILE_MODE: u32 = 0o600;
/// Read and sent at once.
const PIECE_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("leyden-shelf-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&path));
        path
    }

    #[tokio::test]
    async fn what_is_taken_in_is_given_out() {
        let shelf = directory("whole");
        let content = vec![7_u8; 3 * PIECE_BYTES + 5];
        let taken = take(&shelf, "F1".to_owned(), Body::from(content.clone()), content.len()).await.unwrap();
        assert_eq!(taken.bytes, content.len() as u64);
        let mode = std::fs::metadata(shelf.join("F1")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "the owner's alone");
        assert_eq!(taken.sha256[..], Sha256::digest(&content)[..]);
        let answer = give(&shelf, "F1").await.unwrap();
        let back = axum::body::to_bytes(answer.into_body(), content.len()).await.unwrap();
        assert!(back == content);
        discard(&shelf, "F1").await;
        assert!(matches!(give(&shelf, "F1").await, Err(Fault::NotFound)));
        discard(&shelf, "F1").await;
    }

    #[tokio::test]
    async fn what_is_too_large_or_empty_leaves_nothing_behind() {
        let shelf = directory("large");
        let large = take(&shelf, "F1".to_owned(), Body::from(vec![0; 11]), 10).await;
        assert!(matches!(large, Err(Fault::TooLarge { limit: 10 })));
        assert!(take(&shelf, "F2".to_owned(), Body::empty(), 10).await.is_err());
        assert_eq!(std::fs::read_dir(&shelf).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_sender_who_hangs_up_leaves_nothing_behind() {
        let shelf = directory("broken");
        let (more, wanted) = tokio::sync::oneshot::channel::<()>();
        let first = futures_util::stream::once(async { Ok::<_, std::io::Error>(vec![1_u8; 10]) });
        let never = futures_util::stream::once(async move {
            drop(more);
            std::future::pending().await
        });
        let body = Body::from_stream(first.chain(never));
        tokio::select! {
            _ = take(&shelf, "F1".to_owned(), body, 100) => panic!("it never ends"),
            _ = wanted => {}
        }
        assert_eq!(std::fs::read_dir(&shelf).unwrap().count(), 0);
    }

    #[test]
    fn no_name_leads_out_of_the_directory() {
        for name in ["", "..", "../etc/passwd", "a/b", "a.txt", "a\0"] {
            assert_eq!(place(Path::new("/shelf"), name), Err(Fault::NotFound), "{name}");
        }
    }
}
