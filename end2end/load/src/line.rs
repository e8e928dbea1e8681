//! A client's socket in all its states: none, being dialled, open.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use protocol::id::{ConnectionId, DeviceId};
use protocol::wire::CloseCode;
use protocol::wire::native::SUB_PROTOCOL;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header::SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

pub(crate) enum Line {
    None,
    Dialing(Pin<Box<dyn Future<Output = Result<Socket, Error>> + Send>>),
    Open(Box<Socket>),
}

type Socket = WebSocketStream<TcpStream>;

/// What can come of waiting for a line.
pub(crate) enum Turn {
    Opened,
    Heard(String),
    Closed(CloseCode),
}

/// The line takes nothing more.
#[derive(Debug, thiserror::Error)]
#[error("the line is broken")]
pub(crate) struct Broken;

impl Line {
    pub(crate) fn dial(
        address: SocketAddr,
        device: &DeviceId,
        connection: Option<&ConnectionId>,
    ) -> Self {
        let known = connection.map(|id| format!("&connection_id={id}")).unwrap_or_default();
        let url = format!("ws://{address}/ws/device?device_id={device}{known}");
        Self::Dialing(Box::pin(open(address, url)))
    }

    /// The next thing that happens to it.
    pub(crate) async fn turn(&mut self) -> Turn {
        match self {
            Self::None => std::future::pending().await,
            Self::Dialing(dialing) => match dialing.await {
                Ok(socket) => {
                    *self = Self::Open(Box::new(socket));
                    Turn::Opened
                }
                Err(_) => self.end(NO_GOODBYE),
            },
            Self::Open(socket) => loop {
                match socket.next().await {
                    Some(Ok(Message::Text(text))) => return Turn::Heard(text.as_str().into()),
                    Some(Ok(Message::Close(frame))) => {
                        let code = frame.map_or(NO_CODE, |frame| u16::from(frame.code).into());
                        return self.end(code);
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return self.end(NO_GOODBYE),
                }
            },
        }
    }

    fn end(&mut self, code: CloseCode) -> Turn {
        *self = Self::None;
        Turn::Closed(code)
    }

    pub(crate) async fn send(&mut self, text: String) -> Result<(), Broken> {
        let Self::Open(socket) = self else { return Ok(()) };
        match timeout(SEND_WITHIN, socket.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            _ => {
                *self = Self::None;
                Err(Broken)
            }
        }
    }

    /// Goes without a word.
    pub(crate) fn cut(&mut self) {
        *self = Self::None;
    }

    /// Says goodbye, and does not wait for an answer.
    pub(crate) fn hang_up(&mut self, code: CloseCode) {
        if let Self::Open(mut socket) = std::mem::replace(self, Self::None) {
            tokio::spawn(async move {
                let frame = CloseFrame { code: code.number().into(), reason: "".into() };
                let _ = timeout(SEND_WITHIN, socket.send(Message::Close(Some(frame)))).await;
            });
        }
    }
}

async fn open(address: SocketAddr, url: String) -> Result<Socket, Error> {
    let mut request = url.into_client_request()?;
    let offer = HeaderValue::from_static(SUB_PROTOCOL);
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, offer);
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
    let (socket, _) = client_async_with_config(request, stream, Some(config)).await?;
    Ok(socket)
}

/// What a browser reports of a socket that ended without a close.
pub(crate) const NO_GOODBYE: CloseCode = CloseCode::Other(1006);
const NO_CODE: CloseCode = CloseCode::Other(1005);

/// A line that takes nothing for so long is broken.
const SEND_WITHIN: Duration = Duration::from_secs(2);

/// Thousands of clients share this process; the default is 128 KiB each.
const READ_BUFFER: usize = 4 * 1024;
