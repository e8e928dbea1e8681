use dialect::uplink::{Action as Due, Guest, Uplink};
use engine::Journal;
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::point::Plant;
use protocol::status::{NumberedRow, StatusRow};
use protocol::time::Timestamp;
use protocol::wire::uplink::{SUB_PROTOCOL, Uploaded};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{pause, sleep};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Message, Role};

use super::*;
use crate::hub::{Desk, Shelf};
use crate::stopwatch::Stopwatch;

fn ascent(url: String) -> Ascent {
    let edge = "north".parse().unwrap();
    Ascent { url, edge, token: TOKEN.into(), devices: Vec::new() }
}

#[test]
fn an_edge_can_be_a_task_and_its_token_stays_out_of_logs() {
    fn is_a_task<T: Send>(_: impl Fn(Ascent, Hub, Backlog, CancellationToken) -> T) {}
    is_a_task(run_edge);
    let shown = format!("{:?}", ascent("ws://center".into()));
    assert!(!shown.contains(&TOKEN[..4]), "{shown}");
}

/// A hub without a Station: what it is told stays in the inbox.
fn hub() -> (Hub, Desk) {
    let shelf = Shelf {
        journal: Journal::default(),
        disk: store::Journal::open().0,
        commands: store::Commands::open().0,
        backlog: None,
        audit: store::Audit::open().0,
    };
    let plant = Plant { sites: Vec::new(), devices: Vec::new(), demo: false };
    let (hub, desk, _) = Hub::open(&plant, shelf, Stopwatch::start());
    (hub, desk)
}

/// The center's end of a line that an edge has dialled.
async fn welcome(listener: TcpListener) -> WebSocketStream<TcpStream> {
    let (mut stream, _) = listener.accept().await.unwrap();
    let (mut request, mut byte) = (String::new(), [0]);
    while !request.ends_with("\r\n\r\n") {
        stream.read_exact(&mut byte).await.unwrap();
        request.push(byte[0].into());
    }
    let key = request.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("sec-websocket-key").then_some(value)
    });
    let accept = derive_accept_key(key.unwrap().as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: {accept}\r\nsec-websocket-protocol: {SUB_PROTOCOL}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    WebSocketStream::from_raw_socket(stream, Role::Server, None).await
}

fn greeting(hub: &Hub) -> String {
    let guest = Guest {
        edge: "north".parse().unwrap(),
        connection: "c-1".parse().unwrap(),
        seal: seal(TOKEN),
        epoch: "e-1".parse().unwrap(),
        heartbeat_interval: Duration::from_secs(10),
        server_version: "0.0.0".into(),
    };
    let now = hub.stopwatch().now();
    let greeting = Uplink::new(guest, now).open(&hub.clock(), now);
    let texts = greeting.into_iter().find_map(|due| match due {
        Due::Say(text) => Some(text),
        _ => None,
    });
    texts.unwrap()
}

/// An edge whose center has greeted it.
async fn live(hub: Hub) -> (Edge, WebSocketStream<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws/uplink", listener.local_addr().unwrap());
    let greeting = greeting(&hub);
    let mut edge = Edge::new(ascent(url), hub, Backlog::open().0);
    edge.on(Happened::Woke).await;
    let (turn, mut center) = tokio::join!(edge.line.next(), welcome(listener));
    edge.on(Happened::Turned(turn)).await;
    center.send(Message::Text(greeting.into())).await.unwrap();
    let turn = edge.line.next().await;
    edge.on(Happened::Turned(turn)).await;
    assert!(edge.session.status().is_live());
    (edge, center)
}

fn rows() -> StatusBatch {
    let row = StatusRow {
        bit_position: None,
        device_id: "board-1".parse().unwrap(),
        new_value: "ON".into(),
        old_value: "OFF".into(),
        record_time: Timestamp::default(),
        status_name: "door".into(),
        status_type: "InputStatus".into(),
        timestamp: Timestamp::default(),
    };
    StatusBatch { incarnation: "i-1".parse().unwrap(), rows: vec![NumberedRow { id: 1, row }] }
}

#[tokio::test]
async fn an_answer_that_has_come_counts_before_the_time_that_has_passed() {
    let (hub, _station) = hub();
    let (mut edge, mut center) = live(hub.clone()).await;
    edge.on(Happened::Read(Read { number: 1, rows: Ok((vec![rows()], None)) })).await;
    let is_upload = |message: Message| message.to_text().unwrap().contains("\"UPLOAD\"");
    while !is_upload(center.next().await.unwrap().unwrap()) {}
    let answer = Downward::Uploaded(Uploaded { batch: 1 });
    let answer = answer.write(&seal(TOKEN), "north", hub.time());
    center.send(Message::Text(answer.into())).await.unwrap();
    // As after a machine that stood still: both are there at once.
    pause();
    sleep(Duration::from_secs(31)).await;
    edge.on(Happened::Woke).await;
    assert!(edge.session.status().is_live(), "the answer was read before patience ended");
    assert_eq!(edge.uploader.due_at(), None);
    assert!(edge.marking.is_some());
}

const TOKEN: &str = "0123456789abcdef";
