//! One WebSocket: texts out with few writes, messages in, and an end that arrives.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{SinkExt as _, Stream as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use protocol::wire::{CloseCode, LARGEST_FRAME};
use tokio::io::{AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};

use crate::meter::Meter;

/// A socket after its handshake.
#[derive(Debug)]
pub(crate) struct Wire {
    socket: WebSocketStream<Meter<TokioIo<Upgraded>>>,
    /// Since when the system takes no more bytes.
    blocked_since: Option<Instant>,
    /// The client's bytes can no longer be read as frames.
    is_garbled: bool,
    /// A write failed: nothing more will leave.
    is_broken: bool,
}

/// What can come of waiting for a socket.
#[derive(Debug)]
pub(crate) enum Turn {
    Heard(Message),
    /// A frame beyond the limit, of which nothing was read.
    TooBig,
    /// A text that is none.
    NotText,
    /// All that was said has been written.
    Clear,
    Ended(End),
}

/// How a socket can end from the other side.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum End {
    #[error("the client closed with code {0}")]
    Closed(u16),
    #[error("the client broke the WebSocket protocol: {0}")]
    Garbled(String),
    #[error("the line broke: {0}")]
    Broken(String),
}

/// Why a text was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum SayError {
    #[error("more is waiting to be written than the limit allows")]
    Full,
    #[error("the socket is closed")]
    Closed,
}

impl Wire {
    pub(crate) async fn new(upgraded: Upgraded) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_frame_size(Some(LARGEST_FRAME))
            .max_message_size(Some(LARGEST_FRAME));
        let stream = Meter::new(TokioIo::new(upgraded));
        let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
        Self { socket, blocked_since: None, is_garbled: false, is_broken: false }
    }

    /// Takes a text to be written, with others, at the next [`flush`](Self::flush).
    pub(crate) fn say(&mut self, text: &str) -> Result<(), SayError> {
        if self.is_broken {
            return Err(SayError::Closed);
        }
        let meter = self.socket.get_mut();
        if meter.waiting() > MOST_UNWRITTEN {
            return Err(SayError::Full);
        }
        meter.say(text);
        Ok(())
    }

    /// Writes what the system takes at once, without waiting for the rest.
    pub(crate) async fn flush(&mut self) {
        poll_fn(|context| {
            // A broken line shows when it is read.
            let _ = self.poll_flush(context);
            Poll::Ready(())
        })
        .await;
    }

    /// So much has been said that it is time to write it.
    pub(crate) fn is_heavy(&self) -> bool {
        self.socket.get_ref().waiting() >= HEAVY
    }

    /// The system takes no more for now.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked_since.is_some()
    }

    /// When the line counts as stuck, unless some bytes leave before.
    pub(crate) fn stuck_at(&self) -> Option<Instant> {
        let since = self.blocked_since?;
        Some(since.max(self.socket.get_ref().moved_at()) + STUCK_AFTER)
    }

    /// Bytes that have left.
    pub(crate) fn sent(&self) -> u64 {
        self.socket.get_ref().sent()
    }

    /// Writes that the system has taken.
    pub(crate) fn writes(&self) -> u64 {
        self.socket.get_ref().writes()
    }

    /// Waits for the client, and for the rest of a blocked write.
    pub(crate) async fn turn(&mut self) -> Turn {
        poll_fn(|context| self.poll_turn(context)).await
    }

    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<Turn> {
        if self.is_blocked() && self.poll_flush(context).is_ready() {
            return Poll::Ready(Turn::Clear);
        }
        let turn = match ready!(Pin::new(&mut self.socket).poll_next(context)) {
            Some(Ok(Message::Close(frame))) => {
                Turn::Ended(End::Closed(frame.map_or(NO_CODE, |frame| frame.code.into())))
            }
            Some(Ok(message)) => Turn::Heard(message),
            Some(Err(error)) => self.judge(error),
            None => Turn::Ended(End::Broken("closed".into())),
        };
        Poll::Ready(turn)
    }

    fn judge(&mut self, error: Error) -> Turn {
        self.is_garbled = true;
        match error {
            Error::Capacity(_) => Turn::TooBig,
            Error::Utf8(_) => Turn::NotText,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                Turn::Ended(End::Broken("gone without a close".into()))
            }
            Error::Protocol(error) => Turn::Ended(End::Garbled(error.to_string())),
            error => Turn::Ended(End::Broken(error.to_string())),
        }
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // The WebSocket has nothing of its own to write but pongs, which it hands on by itself.
        match Pin::new(self.socket.get_mut()).poll_flush(context) {
            Poll::Pending => {
                self.blocked_since.get_or_insert_with(Instant::now);
                Poll::Pending
            }
            Poll::Ready(outcome) => {
                self.blocked_since = None;
                self.is_broken |= outcome.is_err();
                Poll::Ready(())
            }
        }
    }

    /// Closes with `code`, and stays long enough for the client to hear of it.
    pub(crate) async fn hang_up(mut self, code: CloseCode) {
        let frame = CloseFrame { code: code.number().into(), reason: "".into() };
        let farewell = async {
            // Where the client closed first, its close is answered by reading on.
            let _ = self.socket.send(Message::Close(Some(frame))).await;
            match self.is_garbled {
                true => self.drain().await,
                false => while let Some(Ok(_)) = self.socket.next().await {},
            }
        };
        let _ = timeout(LINGER, farewell).await;
    }

    /// Reads on without looking: a socket that is dropped with bytes unread resets the line, and
    /// what was written last would be lost.
    async fn drain(&mut self) {
        let stream = self.socket.get_mut();
        let _ = stream.shutdown().await;
        let mut waste = vec![0; DRAIN_BUFFER];
        while stream.read(&mut waste).await.is_ok_and(|read| read > 0) {}
    }
}

/// Clients say little, and thousands of them say nothing: the default is 128 KiB each.
const READ_BUFFER: usize = 1024;

/// The largest repair and the largest overview fit in; whoever reads slower is closed.
const MOST_UNWRITTEN: usize = 4 * 1024 * 1024;

/// How much is said between two flushes.
const HEAVY: usize = 32 * 1024;

/// A write that makes no progress for so long never will.
const STUCK_AFTER: Duration = Duration::from_secs(10);

/// How long a closed socket waits for the client to take note.
const LINGER: Duration = Duration::from_secs(1);

const DRAIN_BUFFER: usize = 16 * 1024;

/// RFC 6455: the close frame had no code.
const NO_CODE: u16 = 1005;
