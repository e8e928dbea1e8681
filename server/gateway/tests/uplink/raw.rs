//! An edge that says whatever a test wants.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use protocol::digest::Seal;
use protocol::status::{NumberedRow, StatusBatch};
use protocol::time::Timestamp;
use protocol::wire::native::seal_text;
use protocol::wire::uplink::{EdgeMessage, SUB_PROTOCOL, Standing, Upload, seal};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::servers::{TOKEN, row};

pub(crate) struct Raw {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    seal: Seal,
}

impl Raw {
    pub(crate) async fn dial(center: SocketAddr, edge: &str, token: &str) -> Self {
        let url = format!("ws://{center}/ws/uplink?edge={edge}");
        let mut request = url.into_client_request().unwrap();
        let bearer = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        request.headers_mut().insert("sec-websocket-protocol", SUB_PROTOCOL.parse().unwrap());
        let (socket, _) = connect_async(request).await.unwrap();
        Self { socket, seal: seal(TOKEN) }
    }

    /// One that has been greeted.
    pub(crate) async fn live(center: SocketAddr) -> Self {
        let mut raw = Self::dial(center, "north", TOKEN).await;
        assert_eq!(raw.hear().await["type"], "CONNECT_SUCCESS");
        raw
    }

    pub(crate) async fn say_text(&mut self, text: &str) {
        self.socket.send(Message::Text(text.into())).await.unwrap();
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.say_text(&seal_text(&self.seal, text)).await;
    }

    pub(crate) async fn upload(&mut self, batch: u64, ids: std::ops::RangeInclusive<u64>) {
        let text = upload(batch, ids).write("north", Timestamp::from_millis(5));
        self.say(&text).await;
    }

    /// The next frame.
    pub(crate) async fn hear(&mut self) -> Value {
        let heard = timeout(Duration::from_secs(30), self.socket.next()).await.unwrap();
        match heard.unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The code with which the center closes.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            let heard = timeout(Duration::from_secs(30), self.socket.next()).await.unwrap();
            if let Message::Close(frame) = heard.unwrap().unwrap() {
                return frame.unwrap().code.into();
            }
        }
    }
}

pub(crate) fn upload(batch: u64, ids: std::ops::RangeInclusive<u64>) -> EdgeMessage {
    let rows = ids.map(|id| NumberedRow { id, row: row(id) }).collect();
    let rows = StatusBatch { incarnation: "raw".parse().unwrap(), rows };
    EdgeMessage::Upload(Upload::new(batch, rows, Standing::default()))
}
