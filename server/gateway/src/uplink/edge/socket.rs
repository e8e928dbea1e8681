//! The edge's socket: dialled, written and closed as the session wants.

use std::pin::Pin;
use std::time::Duration;

use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use http::HeaderValue;
use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use link::Event;
use protocol::wire::uplink::SUB_PROTOCOL;
use protocol::wire::{CloseCode, LARGEST_FRAME};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, WebSocketConfig};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::Ascent;

/// A socket, or the way to one.
#[derive(Default)]
pub(super) enum Line {
    #[default]
    None,
    Dialling(Pin<Box<dyn Future<Output = Result<Box<Socket>, Error>> + Send>>),
    Open(Box<Socket>),
    /// A write failed; it is told once.
    Broken,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Line {
    pub(super) fn dial(&mut self, ascent: &Ascent) {
        let ascent = ascent.clone();
        *self = Self::Dialling(async move { dial(&ascent).await.map(Box::new) }.boxed());
    }

    /// What happens next; never, where there is nothing to wait for.
    pub(super) async fn next(&mut self) -> Event {
        match self {
            Self::None => std::future::pending().await,
            Self::Dialling(dialling) => match dialling.await {
                Ok(socket) => {
                    *self = Self::Open(socket);
                    Event::Opened
                }
                Err(error) => {
                    tracing::debug!(%error, "the center cannot be reached");
                    self.ended(ABNORMAL)
                }
            },
            Self::Open(socket) => loop {
                match socket.next().await {
                    Some(Ok(Message::Text(text))) => return Event::Heard(text.as_str().into()),
                    Some(Ok(Message::Close(frame))) => {
                        let code = frame.map_or(ABNORMAL, |frame| u16::from(frame.code).into());
                        return self.ended(code);
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        tracing::debug!(%error, "the line to the center broke");
                        return self.ended(ABNORMAL);
                    }
                    None => return self.ended(ABNORMAL),
                }
            },
            Self::Broken => self.ended(ABNORMAL),
        }
    }

    fn ended(&mut self, code: CloseCode) -> Event {
        *self = Self::None;
        Event::Closed(code)
    }

    /// Takes a text to be written, with others, at the next [`flush`](Self::flush).
    pub(super) async fn say(&mut self, text: String) {
        let Self::Open(socket) = self else { return };
        let said = timeout(STUCK_AFTER, socket.feed(Message::Text(text.into()))).await;
        if !matches!(said, Ok(Ok(()))) {
            *self = Self::Broken;
        }
    }

    pub(super) async fn flush(&mut self) {
        let Self::Open(socket) = self else { return };
        if !matches!(timeout(STUCK_AFTER, socket.flush()).await, Ok(Ok(()))) {
            *self = Self::Broken;
        }
    }

    /// Closes, and does not wait for long to be understood.
    pub(super) async fn hang_up(&mut self, code: CloseCode) {
        let Self::Open(mut socket) = std::mem::take(self) else { return };
        let frame = CloseFrame { code: code.number().into(), reason: "".into() };
        let _ = timeout(LINGER, (*socket).close(Some(frame))).await;
    }
}

async fn dial(ascent: &Ascent) -> Result<Socket, Error> {
    let mut request = format!("{}?edge={}", ascent.url, ascent.edge).into_client_request()?;
    let bearer = HeaderValue::from_str(&format!("Bearer {}", ascent.token));
    let mut bearer = bearer.map_err(|error| Error::HttpFormat(error.into()))?;
    bearer.set_sensitive(true);
    let headers = request.headers_mut();
    headers.insert(AUTHORIZATION, bearer);
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUB_PROTOCOL));
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_frame_size(Some(LARGEST_FRAME))
        .max_message_size(Some(LARGEST_FRAME));
    let (socket, _) = connect_async_with_config(request, Some(config), true).await?;
    Ok(socket)
}

/// RFC 6455: nobody said why.
const ABNORMAL: CloseCode = CloseCode::Other(1006);

/// What comes down is small.
const READ_BUFFER: usize = 4 * 1024;

/// A write that takes longer never ends.
const STUCK_AFTER: Duration = Duration::from_secs(10);

const LINGER: Duration = Duration::from_millis(500);
