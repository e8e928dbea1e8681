//! A client of one device that verifies every check code.

use futures_util::{SinkExt as _, StreamExt as _};
use protocol::digest::Seal;
use protocol::frame::Sequence;
use protocol::id::{ConnectionId, DeviceId, Epoch};
use protocol::time::Timestamp;
use protocol::wire::cut::cut;
use protocol::wire::native::{
    ClientFrame, ClientMessage, ConnectSuccess, Position, ServerFrame, ServerMessage,
};
use protocol::wire::session::SessionGrant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::running::PATIENCE;

pub(crate) struct Client {
    device: DeviceId,
    socket: WebSocketStream<TcpStream>,
    seal: Seal,
}

impl Client {
    /// One of `board-1`.
    pub(crate) async fn dial(
        address: &str,
        connection: Option<&ConnectionId>,
    ) -> (Self, ConnectSuccess) {
        Self::dial_to(address, "board-1", connection).await
    }

    /// Dials as a page does: asks for the seal first.
    pub(crate) async fn dial_to(
        address: &str,
        device: &str,
        connection: Option<&ConnectionId>,
    ) -> (Self, ConnectSuccess) {
        let grant = get(address, "/api/session").await;
        let (_, body) = grant.split_once("\r\n\r\n").unwrap();
        let grant: SessionGrant = serde_json::from_str(body).unwrap();
        let again = connection.map(|id| format!("&connection_id={id}")).unwrap_or_default();
        let url = format!("ws://{address}/ws/device?device_id={device}{again}");
        let stream = TcpStream::connect(address).await.unwrap();
        let (socket, _) = client_async(url, stream).await.unwrap();
        let (device, seal) = (device.parse().unwrap(), grant.integrity.seal());
        let mut client = Self { device, socket, seal };
        match client.hear().await.message {
            ServerMessage::ConnectSuccess(welcome) => (client, welcome),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn say(&mut self, message: ClientMessage) {
        let frame = ClientFrame::new(message, &self.device, Timestamp::from_millis(1));
        self.socket.send(Message::text(frame.write(&self.seal))).await.unwrap();
    }

    pub(crate) async fn resume(&mut self, epoch: &Epoch, seq: Sequence) {
        let position = Position { epoch: epoch.clone(), seq, stream: None };
        self.say(ClientMessage::Resume(vec![position])).await;
    }

    /// The next frame.
    pub(crate) async fn hear(&mut self) -> ServerFrame {
        match self.receive().await {
            Ok(frame) => frame,
            Err(code) => panic!("closed with {code:?}"),
        }
    }

    /// Reads on to the end, and returns its close code.
    pub(crate) async fn hear_close(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.receive().await {
                return code;
            }
        }
    }

    pub(crate) async fn close(mut self) {
        self.socket.close(None).await.unwrap();
        self.hear_close().await;
    }

    async fn receive(&mut self) -> Result<ServerFrame, Option<u16>> {
        loop {
            let next = timeout(PATIENCE, self.socket.next()).await.expect("the server is silent");
            match next {
                Some(Ok(Message::Text(text))) => {
                    let cut = cut(&text).unwrap();
                    assert!(self.seal.matches(&cut.pieces, cut.checksum), "S0-91: {text}");
                    return Ok(ServerFrame::read(&text).unwrap());
                }
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|f| f.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }
}

/// The answer to a request, head and body.
pub(crate) async fn get(address: &str, path: &str) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, socket.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}
