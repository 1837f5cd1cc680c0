//! The byte stream beneath a connection: TLS, or plain TCP for stations with a `danger_` permission.
//!
//! One type for both, and for both ends, so that the talk above is compiled once. It adds nothing to the bytes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

/// What is held back at most: a handshake's flight with a long chain, and room.
const HELD_BYTES_MAX: usize = 16 * 1024;
/// The flight of a server with a chain of two certificates.
const HELD_BYTES_USUALLY: usize = 2048;

pub(super) enum Stream {
    Plain(TcpStream),
    /// Boxed: a TLS session is some 2 kB, and the value is moved while the connection is built up.
    Tls(Box<TlsStream<Held>>),
}

impl Stream {
    /// From now on what is written leaves when it is flushed. Until the next flush it still waits.
    pub fn let_go(&mut self) {
        if let Self::Tls(tls) = self {
            tls.get_mut().0.holds = false;
        }
    }
}

/// TCP that holds back what is written until its reader would have to wait.
///
/// The last word of a TLS handshake (its ticket) is awaited by nobody: it leaves together with the answer to the
/// request behind it, where that has come already: one packet less, where a fleet comes back. Invariant: nothing waits
/// while this end does.
pub(super) struct Held {
    tcp: TcpStream,
    held: Vec<u8>,
    holds: bool,
}

impl Held {
    /// Holds back until [`Stream::let_go`].
    pub fn back(tcp: TcpStream) -> Self {
        Self { tcp, held: Vec::with_capacity(HELD_BYTES_USUALLY), holds: true }
    }

    /// Holds nothing back.
    pub const fn nothing(tcp: TcpStream) -> Self {
        Self { tcp, held: Vec::new(), holds: false }
    }

    /// Sends as much of what is held as the kernel takes at once: for the last word to a peer that is not talked to.
    pub fn say_farewell(&self) {
        // whoever does not listen does not hear it
        let _unheard = self.tcp.try_write(&self.held);
    }

    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            let sent = ready!(Pin::new(&mut self.tcp).poll_write(cx, &self.held))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.held.drain(..sent);
        }
        if !self.holds {
            self.held = Vec::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Held {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = Pin::new(&mut this.tcp).poll_read(cx, buf);
        if read.is_pending()
            && let Poll::Ready(Err(broken)) = this.poll_out(cx)
        {
            return Poll::Ready(Err(broken));
        }
        read
    }
}

impl AsyncWrite for Held {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.holds && this.held.len() < HELD_BYTES_MAX {
            let before = this.held.len();
            slices.iter().for_each(|slice| this.held.extend_from_slice(slice));
            return Poll::Ready(Ok(this.held.len() - before));
        }
        ready!(this.poll_out(cx))?;
        Pin::new(&mut this.tcp).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.holds {
            return Poll::Ready(Ok(()));
        }
        ready!(this.poll_out(cx))?;
        Pin::new(&mut this.tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_out(cx))?;
        Pin::new(&mut this.tcp).poll_shutdown(cx)
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use futures_util::FutureExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (Held, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (far, near) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        (Held::back(near.unwrap().0), far.unwrap())
    }

    #[tokio::test]
    async fn what_is_held_back_leaves_together_and_at_last_when_the_reader_waits() {
        let (mut near, mut far) = pair().await;
        let mut heard = [0; 6];
        near.write_all(b"tic").await.unwrap();
        near.flush().await.unwrap();
        near.write_all(b"ket").await.unwrap();
        assert_eq!(near.held, b"ticket");
        assert!(near.read(&mut [0; 1]).now_or_never().is_none(), "nothing has come");
        assert!(near.held.is_empty());
        far.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"ticket");

        near.write_all(b"one").await.unwrap();
        near.holds = false;
        assert_eq!(near.held, b"one", "it waits for the flush");
        near.flush().await.unwrap();
        assert_eq!(near.held.capacity(), 0);
        near.write_all(b"two").await.unwrap();
        far.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"onetwo");
    }

    #[tokio::test]
    async fn whoever_is_turned_away_hears_the_last_word() {
        let (mut near, mut far) = pair().await;
        near.write_all(b"alert").await.unwrap();
        near.say_farewell();
        drop(near);
        let mut heard = Vec::new();
        far.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"alert");
        let (mut near, mut far) = pair().await;
        near.write_all(b"401").await.unwrap();
        near.shutdown().await.unwrap();
        far.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"alert401");
    }
}
