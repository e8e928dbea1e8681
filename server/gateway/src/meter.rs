//! What leaves through a socket: frames wait here in one buffer, which is gone once it is empty.
//!
//! The WebSocket's own frames, such as pongs, go the same way, so that none can come to stand in the
//! middle of another.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

#[derive(Debug)]
pub(crate) struct Meter<T> {
    inner: T,
    /// Whole frames, but for what has left of the first.
    waiting: Vec<u8>,
    /// How much of `waiting` has left.
    left: usize,
    sent: u64,
    writes: u64,
    moved_at: Instant,
}

impl<T> Meter<T> {
    pub(crate) fn new(inner: T) -> Self {
        let moved_at = Instant::now();
        Self { inner, waiting: Vec::new(), left: 0, sent: 0, writes: 0, moved_at }
    }

    /// Takes a text as one frame of a server, which RFC 6455 leaves unmasked.
    pub(crate) fn say(&mut self, text: &str) {
        let length = text.len();
        self.waiting.reserve(LONGEST_HEADER + length);
        self.waiting.push(FINAL_TEXT);
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(short), _) if short < SHORT => self.waiting.push(short),
            (_, Ok(middle)) => {
                self.waiting.push(SHORT);
                self.waiting.extend(middle.to_be_bytes());
            }
            _ => {
                self.waiting.push(LONG);
                self.waiting.extend((length as u64).to_be_bytes());
            }
        }
        self.waiting.extend(text.as_bytes());
    }

    /// Bytes that the system has not taken over yet.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len() - self.left
    }

    /// Bytes that the system has taken over.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// How often it was given some.
    pub(crate) fn writes(&self) -> u64 {
        self.writes
    }

    pub(crate) fn moved_at(&self) -> Instant {
        self.moved_at
    }
}

impl<T: AsyncWrite + Unpin> Meter<T> {
    fn poll_empty(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.waiting() > 0 {
            let rest = &self.waiting[self.left..];
            let written = ready!(Pin::new(&mut self.inner).poll_write(context, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.left += written;
            self.sent = self.sent.saturating_add(written as u64);
            self.writes += 1;
            self.moved_at = Instant::now();
        }
        // An idle connection holds no memory for what it may have to say.
        (self.waiting, self.left) = (Vec::new(), 0);
        Poll::Ready(Ok(()))
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
    /// Takes everything at once: whoever says too much is stopped where it is said.
    fn poll_write(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.waiting.extend(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_empty(context))?;
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_empty(context))?;
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// RFC 6455 5.2: a whole text in one frame.
const FINAL_TEXT: u8 = 0x81;

/// From this length on it stands in the next two bytes, …
const SHORT: u8 = 126;

/// … or in the next eight.
const LONG: u8 = 127;

const LONGEST_HEADER: usize = 10;

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::protocol::{Message, Role};

    use super::*;

    #[tokio::test]
    async fn texts_of_every_length_arrive_as_they_were_said() {
        use futures_util::StreamExt as _;
        let (ours, theirs) = duplex(100);
        let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        let texts = [0, 1, 125, 126, 65_535, 65_536].map(|length| "x".repeat(length));
        let said = texts.clone();
        tokio::spawn(async move {
            let mut meter = Meter::new(ours);
            said.iter().for_each(|text| meter.say(text));
            meter.flush().await.unwrap();
            assert_eq!((meter.waiting(), meter.waiting.capacity()), (0, 0));
        });
        for text in texts {
            assert_eq!(client.next().await.unwrap().unwrap(), Message::text(text));
        }
    }

    #[tokio::test]
    async fn bytes_that_have_left_are_counted() {
        let (ours, mut theirs) = duplex(4);
        let mut meter = Meter::new(ours);
        meter.write_all(b"abcdef").await.unwrap();
        assert_eq!((meter.waiting(), meter.sent()), (6, 0));
        let mut read = [0; 6];
        let (flushed, read_all) = tokio::join!(meter.flush(), theirs.read_exact(&mut read));
        flushed.unwrap();
        read_all.unwrap();
        assert_eq!((meter.sent(), &read), (6, b"abcdef"));
    }
}
