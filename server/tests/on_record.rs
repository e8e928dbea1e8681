//! What was put on record survives the server, however it ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use protocol::id::ConnectionId;
use protocol::wire::native::{ServerFrame, ServerMessage};
use store::{Kind, Store};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// The demonstration, and where it is.
struct Running {
    process: Child,
    address: String,
}

impl Running {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_gapless"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"])
            .env("GAPLESS_LOG", "info")
            .current_dir(folder)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = log.find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(&line.unwrap()).ok()?;
            let is_up = line["message"].as_str()?.starts_with("Gapless is at ");
            is_up.then(|| line["address"].as_str().unwrap().to_owned())
        });
        // Nobody may hang up on a log.
        std::thread::spawn(move || log.for_each(drop));
        Self { process, address: address.unwrap() }
    }

    /// Opens a socket that sends one frame nobody understands.
    async fn annoy(&self) -> (WebSocketStream<TcpStream>, ConnectionId) {
        let url = format!("ws://{}/ws/device?device_id=board-1", self.address);
        let stream = TcpStream::connect(&self.address).await.unwrap();
        let (mut socket, _) = client_async(url, stream).await.unwrap();
        let greeting = socket.next().await.unwrap().unwrap().into_text().unwrap();
        let ServerMessage::ConnectSuccess(welcome) = ServerFrame::read(&greeting).unwrap().message
        else {
            panic!("{greeting}");
        };
        socket.send(Message::text("nonsense")).await.unwrap();
        (socket, welcome.connection_id)
    }

    fn signal(&mut self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        self.process.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
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
    let (_socket, killed) = first.annoy().await;
    let on_record = async { while kinds(&data, &killed).await.len() < 2 {} };
    timeout(PATIENCE, on_record).await.expect("the incident is not on record");
    first.signal("-KILL");

    let mut second = Running::start(folder.path());
    let (_socket, stopped) = second.annoy().await;
    second.signal("-TERM");
    assert_eq!(kinds(&data, &killed).await, [Kind::Opened, Kind::Malformed]);
    let told = kinds(&data, &stopped).await;
    assert_eq!((told.first(), told.last()), (Some(&Kind::Opened), Some(&Kind::Closed)));
}

/// Far longer than anything takes, short enough to wait for in vain.
const PATIENCE: Duration = Duration::from_secs(20);
