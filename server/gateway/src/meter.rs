//! Counts the bytes that leave through a socket, and when the last of them did.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

#[derive(Debug)]
pub(crate) struct Meter<T> {
    inner: T,
    sent: u64,
    writes: u64,
    moved_at: Instant,
}

impl<T> Meter<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { inner, sent: 0, writes: 0, moved_at: Instant::now() }
    }

    /// Bytes that the system has taken over.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// How often it took some.
    pub(crate) fn writes(&self) -> u64 {
        self.writes
    }

    pub(crate) fn moved_at(&self) -> Instant {
        self.moved_at
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Meter<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Meter<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(context, bytes))?;
        self.sent = self.sent.saturating_add(written as u64);
        self.writes += 1;
        self.moved_at = Instant::now();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
