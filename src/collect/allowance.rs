//! How much is read from a connection at most, whatever is made of it: what a peer sends beyond that ends in an error.
//! Used by `https` and `connections`, below the libraries that speak HTTP and DNS.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How many octets may still be read, and how the connection ended; clones share it.
#[derive(Clone, Debug)]
pub struct Allowance(Arc<State>);

#[derive(Debug)]
struct State {
    left: AtomicUsize,
    cut: AtomicBool,
}

impl Allowance {
    /// So many octets.
    pub fn new(octets: usize) -> Self {
        Allowance(Arc::new(State { left: AtomicUsize::new(octets), cut: AtomicBool::new(false) }))
    }

    /// Allows so many octets more.
    pub fn add(&self, octets: usize) {
        self.0.left.fetch_add(octets, Ordering::Relaxed);
    }

    /// Whether the connection ended without the notice that TLS demands of whoever ends it (RFC 8446 §6.1).
    pub fn was_cut(&self) -> bool {
        self.0.cut.load(Ordering::Relaxed)
    }

    fn left(&self) -> usize {
        self.0.left.load(Ordering::Relaxed)
    }

    fn take(&self, octets: usize) {
        self.0.left.fetch_sub(octets.min(self.left()), Ordering::Relaxed);
    }
}

/// The peer sent more than is read.
#[derive(Debug)]
pub struct Overrun;

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server sends more than is read")
    }
}

impl std::error::Error for Overrun {}

/// A connection of which no more is read than is allowed.
pub struct Metered<S> {
    stream: S,
    allowance: Allowance,
    for_each_write: usize,
}

impl<S> Metered<S> {
    /// Reads from `stream` what `allowance` allows.
    pub fn new(stream: S, allowance: Allowance) -> Self {
        Metered { stream, allowance, for_each_write: 0 }
    }

    /// Reads from `stream` so many octets for each time that something is written to it: as much as is asked for.
    pub fn answers(stream: S, octets: usize) -> Self {
        Metered { stream, allowance: Allowance::new(octets), for_each_write: octets }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let most = self.allowance.left().min(buf.remaining());
        if most == 0 && buf.remaining() > 0 {
            return Poll::Ready(Err(io::Error::other(Overrun)));
        }
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(most));
        if let Err(error) = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut part)) {
            self.allowance.0.cut.fetch_or(error.kind() == io::ErrorKind::UnexpectedEof, Ordering::Relaxed);
            return Poll::Ready(Err(error));
        }
        let read = part.filled().len();
        buf.advance(read);
        self.allowance.take(read);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, octets))?;
        self.allowance.add(self.for_each_write);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn no_more_is_read_than_is_allowed() {
        let allowance = Allowance::new(4);
        let mut metered = Metered::new(&b"0123456789"[..], allowance.clone());
        let mut read = Vec::new();
        let error = metered.read_to_end(&mut read).await.unwrap_err();
        assert_eq!((read.as_slice(), error.to_string().as_str()), (&b"0123"[..], "the server sends more than is read"));
        allowance.add(7);
        metered.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"0123456789", "the end is not beyond the limit");
    }

    #[tokio::test]
    async fn each_query_allows_an_answer() {
        let (stream, mut peer) = tokio::io::duplex(64);
        let mut metered = Metered::answers(stream, 4);
        peer.write_all(b"0123456789").await.unwrap();
        let mut read = [0; 8];
        metered.write_all(b"?").await.unwrap();
        metered.read_exact(&mut read).await.unwrap();
        assert!(metered.read_u8().await.is_err());
        metered.write_all(b"?").await.unwrap();
        assert_eq!(metered.read_u8().await.unwrap(), b'8');
    }
}
