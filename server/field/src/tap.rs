//! Listens in on a connection for what the Modbus decoder cannot tell: how far an answer came.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection whose end is an error, and over TCP an impossible header too. What could not be
/// sent over it fails as [`ErrorKind::NotConnected`]: then nothing has reached the board.
///
/// Left alone, the decoder waits for the rest of whatever length a stray byte claims, so that
/// noise would pass for silence.
#[derive(Debug)]
pub(crate) struct Tap<T> {
    inner: T,
    framing: Framing,
    /// The first bytes of the answer, up to a whole header.
    header: Vec<u8>,
    begun: Begun,
}

/// How an answer is wrapped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Framing {
    Tcp,
    Rtu,
}

/// Whether any part of the answer to the last request has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Begun(Arc<AtomicBool>);

impl Begun {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl<T> Tap<T> {
    pub(crate) fn new(inner: T, framing: Framing) -> Self {
        Self { inner, framing, header: Vec::new(), begun: Begun::default() }
    }

    pub(crate) fn begun(&self) -> Begun {
        self.begun.clone()
    }

    fn hear(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Err(ErrorKind::ConnectionAborted.into());
        }
        self.begun.0.store(true, Ordering::Relaxed);
        if self.framing == Framing::Tcp {
            let missing = HEADER.saturating_sub(self.header.len());
            self.header.extend(bytes.iter().take(missing));
            check_header(&self.header)?;
        }
        Ok(())
    }

    fn forget(&mut self) {
        self.header.clear();
        self.begun.0.store(false, Ordering::Relaxed);
    }
}

impl<T: AsyncRead + Unpin> Tap<T> {
    /// Whether the other side has hung up. What it said unasked is passed over.
    fn has_ended(&mut self, context: &mut Context<'_>) -> bool {
        let mut unasked = [0; UNASKED];
        let mut buffer = ReadBuf::new(&mut unasked);
        match Pin::new(&mut self.inner).poll_read(context, &mut buffer) {
            Poll::Ready(Ok(())) => buffer.filled().is_empty(),
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        }
    }
}

/// Refuses a header that Modbus TCP cannot have, at its first wrong byte.
fn check_header(header: &[u8]) -> io::Result<()> {
    let protocol = header.iter().skip(2).take(2).all(|&byte| byte == 0);
    let length = match header.get(4..6) {
        Some(&[high, low]) => LENGTHS.contains(&u16::from_be_bytes([high, low])),
        _ => true,
    };
    if protocol && length { Ok(()) } else { Err(ErrorKind::InvalidData.into()) }
}

impl<T: AsyncRead + Unpin> AsyncRead for Tap<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let heard = buffer.filled().get(before..).unwrap_or_default();
        Poll::Ready(self.hear(heard))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Tap<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.has_ended(context) {
            return Poll::Ready(Err(ErrorKind::NotConnected.into()));
        }
        self.forget();
        let sent = ready!(Pin::new(&mut self.inner).poll_write(context, bytes));
        Poll::Ready(sent.map_err(|_| ErrorKind::NotConnected.into()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// Transaction, protocol (always zero) and length, two bytes each.
const HEADER: usize = 6;

/// A unit and a function at least; a unit and the longest answer at most.
const LENGTHS: std::ops::RangeInclusive<u16> = 2..=254;

/// The longest frame that Modbus knows.
const UNASKED: usize = 260;
