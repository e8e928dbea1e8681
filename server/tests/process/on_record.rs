//! What was put on record survives the server, however it ends.

use std::path::Path;

use futures_util::{SinkExt as _, StreamExt as _};
use protocol::id::ConnectionId;
use protocol::wire::native::{ServerFrame, ServerMessage};
use store::{Kind, Store};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::running::{PATIENCE, Running};

/// Opens a socket that sends one frame nobody understands.
async fn annoy(running: &Running) -> (WebSocketStream<TcpStream>, ConnectionId) {
    let url = format!("ws://{}/ws/device?device_id=board-1", running.address);
    let stream = TcpStream::connect(&running.address).await.unwrap();
    let (mut socket, _) = client_async(url, stream).await.unwrap();
    let greeting = socket.next().await.unwrap().unwrap().into_text().unwrap();
    let ServerMessage::ConnectSuccess(welcome) = ServerFrame::read(&greeting).unwrap().message
    else {
        panic!("{greeting}");
    };
    socket.send(Message::text("nonsense")).await.unwrap();
    (socket, welcome.connection_id)
}

/// What is on record about a connection; nothing while the server is about to make the database.
async fn kinds(data: &Path, connection: &ConnectionId) -> Vec<Kind> {
    let Ok(store) = Store::open(data).await else { return Vec::new() };
    let records = store.records_of(connection, 100).await.unwrap();
    store.close().await;
    records.into_iter().map(|record| record.kind).collect()
}

#[tokio::test]
async fn a_killed_server_finds_its_records_again() {
    // S0-72, S0-80
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut first = Running::start(folder.path());
    let (_socket, killed) = annoy(&first).await;
    let on_record = async { while kinds(&data, &killed).await.len() < 2 {} };
    timeout(PATIENCE, on_record).await.expect("the incident is not on record");
    first.signal("-KILL");
    first.ended();

    let mut second = Running::start(folder.path());
    let (_socket, stopped) = annoy(&second).await;
    second.signal("-TERM");
    second.ended();
    assert_eq!(kinds(&data, &killed).await, [Kind::Opened, Kind::Malformed]);
    let told = kinds(&data, &stopped).await;
    assert_eq!((told.first(), told.last()), (Some(&Kind::Opened), Some(&Kind::Closed)));
}
