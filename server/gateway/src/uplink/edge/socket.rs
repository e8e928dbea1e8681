//! The edge's socket: dialled, written and closed as the session wants, and read all the while.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use http::HeaderValue;
use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use link::Event;
use protocol::wire::uplink::SUB_PROTOCOL;
use protocol::wire::{CloseCode, LARGEST_FRAME};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::error::{Error, UrlError};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::Ascent;
use crate::meter::Meter;

/// A socket, or the way to one.
#[derive(Default)]
pub(super) enum Line {
    #[default]
    None,
    Dialling(Dialling),
    Open(Box<Open<TcpStream>>),
}

type Dialling = Pin<Box<dyn Future<Output = Result<Box<Open<TcpStream>>, Error>> + Send>>;

/// What can come of waiting for a line.
#[derive(Debug)]
pub(super) enum Turn {
    Link(Event),
    /// All that was said is with the system.
    Clear,
}

impl Line {
    pub(super) fn dial(&mut self, ascent: &Ascent) {
        let ascent = ascent.clone();
        *self = Self::Dialling(async move { dial(&ascent).await.map(Box::new) }.boxed());
    }

    /// What happens next; never, where there is nothing to wait for.
    pub(super) async fn next(&mut self) -> Turn {
        let turn = match self {
            Self::None => std::future::pending().await,
            Self::Dialling(dialling) => match dialling.await {
                Ok(open) => {
                    *self = Self::Open(open);
                    Turn::Link(Event::Opened)
                }
                Err(error) => {
                    tracing::debug!(%error, "the center cannot be reached");
                    Turn::Link(Event::Closed(ABNORMAL))
                }
            },
            Self::Open(open) => open.next().await,
        };
        if let Turn::Link(Event::Closed(_)) = turn {
            *self = Self::None;
        }
        turn
    }

    /// Takes a text to be written, with others, at the next [`flush`](Self::flush).
    pub(super) fn say(&mut self, text: String) {
        if let Self::Open(open) = self {
            open.say(text);
        }
    }

    /// Writes what the system takes at once; the rest leaves while the line is waited for.
    pub(super) async fn flush(&mut self) {
        if let Self::Open(open) = self {
            open.flush().await;
        }
    }

    /// Whether more would leave at once.
    pub(super) fn is_clear(&self) -> bool {
        matches!(self, Self::Open(open) if open.is_clear())
    }

    /// Closes, and does not wait for long to be understood.
    pub(super) async fn hang_up(&mut self, code: CloseCode) {
        let Self::Open(mut open) = std::mem::take(self) else { return };
        let frame = CloseFrame { code: code.number().into(), reason: "".into() };
        let _ = timeout(LINGER, open.socket.close(Some(frame))).await;
    }
}

/// A socket after its handshake. What is said waits in it until the system takes it.
pub(super) struct Open<S> {
    socket: WebSocketStream<Meter<S>>,
    /// Since when the system takes no more bytes.
    blocked_since: Option<Instant>,
    heard_at: Instant,
    /// Nothing more will leave: it ends once all that came has been read.
    is_broken: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Open<S> {
    fn new(socket: WebSocketStream<Meter<S>>) -> Self {
        Self { socket, blocked_since: None, heard_at: Instant::now(), is_broken: false }
    }

    fn say(&mut self, text: String) {
        let is_full = self.socket.get_ref().waiting() > MOST_UNWRITTEN;
        self.is_broken |=
            is_full || self.socket.start_send_unpin(Message::Text(text.into())).is_err();
    }

    async fn flush(&mut self) {
        poll_fn(|context| {
            let _ = self.poll_flush(context);
            Poll::Ready(())
        })
        .await;
    }

    fn is_clear(&self) -> bool {
        self.blocked_since.is_none() && !self.is_broken
    }

    /// When the line counts as stuck, unless some bytes leave before, or some come: a slow line with
    /// large buffers on the way takes none for a while, and then many.
    fn stuck_at(&self) -> Option<Instant> {
        let moved_at = self.heard_at.max(self.socket.get_ref().moved_at());
        Some(self.blocked_since?.max(moved_at) + STUCK_AFTER)
    }

    /// Waits for the center, and for the rest of a blocked write.
    async fn next(&mut self) -> Turn {
        loop {
            let stuck_at = self.stuck_at();
            tokio::select! {
                biased;
                turn = poll_fn(|context| self.poll_turn(context)) => return turn,
                () = until(stuck_at) => {}
            }
            if self.stuck_at().is_some_and(|at| at <= Instant::now()) {
                tracing::debug!("the line to the center is stuck");
                return Turn::Link(Event::Closed(ABNORMAL));
            }
        }
    }

    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<Turn> {
        if self.blocked_since.is_some() && self.poll_flush(context).is_ready() && !self.is_broken {
            return Poll::Ready(Turn::Clear);
        }
        loop {
            let event = match self.socket.poll_next_unpin(context) {
                Poll::Pending if self.is_broken => Event::Closed(ABNORMAL),
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(Message::Text(text)))) => Event::Heard(text.as_str().into()),
                Poll::Ready(Some(Ok(Message::Close(frame)))) => {
                    Event::Closed(frame.map_or(ABNORMAL, |frame| u16::from(frame.code).into()))
                }
                Poll::Ready(Some(Ok(_))) => continue,
                Poll::Ready(Some(Err(error))) => {
                    tracing::debug!(%error, "the line to the center broke");
                    Event::Closed(ABNORMAL)
                }
                Poll::Ready(None) => Event::Closed(ABNORMAL),
            };
            self.heard_at = Instant::now();
            return Poll::Ready(Turn::Link(event));
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
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

async fn dial(ascent: &Ascent) -> Result<Open<TcpStream>, Error> {
    let mut request = format!("{}?edge={}", ascent.url, ascent.edge).into_client_request()?;
    let bearer = HeaderValue::from_str(&format!("Bearer {}", ascent.token));
    let mut bearer = bearer.map_err(|error| Error::HttpFormat(error.into()))?;
    bearer.set_sensitive(true);
    let headers = request.headers_mut();
    headers.insert(AUTHORIZATION, bearer);
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUB_PROTOCOL));
    let stream = Meter::new(connect(request.uri()).await?);
    let (socket, _) = client_async_with_config(request, stream, Some(config())).await?;
    Ok(Open::new(socket))
}

async fn connect(url: &http::Uri) -> Result<TcpStream, Error> {
    if url.scheme_str() != Some("ws") {
        return Err(UrlError::UnsupportedUrlScheme.into());
    }
    let host = url.host().ok_or(UrlError::NoHostName)?;
    let address = (host.trim_matches(['[', ']']), url.port_u16().unwrap_or(PORT));
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    SockRef::from(&stream).set_tcp_notsent_lowat(MOST_UNSENT)?;
    Ok(stream)
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_frame_size(Some(LARGEST_FRAME))
        .max_message_size(Some(LARGEST_FRAME))
}

/// RFC 6455: nobody said why.
const ABNORMAL: CloseCode = CloseCode::Other(1006);

/// RFC 6455: where a URL names no port.
const PORT: u16 = 80;

/// What comes down is small.
const READ_BUFFER: usize = 4 * 1024;

/// A batch and the answers to all orders that can be under way; nothing else is said in such numbers.
const MOST_UNWRITTEN: usize = 1024 * 1024;

/// What the system takes and cannot send yet: on a slow line, a heartbeat waits for that.
const MOST_UNSENT: u32 = 16 * 1024;

/// A write that makes no progress for so long never will, where nothing comes either.
const STUCK_AFTER: Duration = Duration::from_secs(10);

const LINGER: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::sleep;
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;

    /// A line whose system takes 64 bytes, and its other end.
    async fn narrow() -> (Open<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(64);
        let stream = Meter::new(ours);
        let socket = WebSocketStream::from_raw_socket(stream, Role::Client, Some(config())).await;
        (Open::new(socket), theirs)
    }

    /// `ok` as one frame of a server.
    const OK: [u8; 4] = [0x81, 2, b'o', b'k'];

    fn is_ok(turn: &Turn) -> bool {
        matches!(turn, Turn::Link(Event::Heard(text)) if text == "ok")
    }

    fn is_end(turn: &Turn) -> bool {
        matches!(turn, Turn::Link(Event::Closed(ABNORMAL)))
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_is_read_while_a_write_is_blocked() {
        let (mut open, mut center) = narrow().await;
        open.say("x".repeat(9_000));
        open.flush().await;
        assert!(!open.is_clear());
        center.write_all(&OK).await.unwrap();
        assert!(is_ok(&open.next().await));
        let mut all = vec![0; 9_000];
        let read = async {
            center.read_exact(&mut all).await.unwrap();
            let _ = center.read(&mut all).await;
        };
        let (turn, ()) = tokio::join!(open.next(), read);
        assert!(matches!(turn, Turn::Clear), "{turn:?}");
        assert!(open.is_clear());
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_is_stuck_once_no_byte_was_taken_for_ten_seconds() {
        let (mut open, mut center) = narrow().await;
        open.say("x".repeat(640));
        open.flush().await;
        let start = Instant::now();
        let reader = tokio::spawn(async move {
            for _ in 0..5 {
                sleep(STUCK_AFTER - Duration::from_secs(1)).await;
                center.read_exact(&mut [0; 64]).await.unwrap();
            }
            center
        });
        assert!(is_end(&open.next().await));
        let slow = 5 * (STUCK_AFTER - Duration::from_secs(1));
        assert_eq!(start.elapsed(), slow + STUCK_AFTER);
        drop(reader.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_on_which_answers_come_is_not_stuck() {
        let (mut open, mut center) = narrow().await;
        open.say("x".repeat(640));
        open.flush().await;
        for _ in 0..5 {
            sleep(STUCK_AFTER - Duration::from_secs(1)).await;
            center.write_all(&OK).await.unwrap();
            assert!(is_ok(&open.next().await));
        }
        let start = Instant::now();
        assert!(is_end(&open.next().await));
        assert_eq!(start.elapsed(), STUCK_AFTER);
    }

    #[tokio::test]
    async fn what_came_before_a_line_broke_is_read() {
        let (mut open, mut center) = narrow().await;
        center.write_all(&OK).await.unwrap();
        drop(center);
        open.say("hello".into());
        open.flush().await;
        assert!(is_ok(&open.next().await));
        assert!(is_end(&open.next().await));
    }
}
