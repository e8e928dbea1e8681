//! A client carries out what its session wants, on a real socket.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use link::Policy;
use load::client::{Client, Setup};
use load::diary::Diary;
use load::ear::Ear;
use protocol::digest::{Algorithm, Seal};
use protocol::frame::Update;
use protocol::time::Timestamp;
use protocol::wire::native::{
    ClientFrame, ClientMessage, ConnectSuccess, Prepared, SUB_PROTOCOL, ServerMessage,
    ServiceRestarted, Snapshot, Stamp,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

/// The server's end of one connection.
struct End {
    socket: WebSocketStream<TcpStream>,
    /// The path that the client asked for, and its query.
    asked: String,
    epoch: &'static str,
}

impl End {
    #[expect(clippy::result_large_err, reason = "the library's own type")]
    async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        let mut asked = String::new();
        let greet = |request: &Request, mut response: Response| {
            asked = request.uri().to_string();
            let name = "sec-websocket-protocol";
            response.headers_mut().insert(name, SUB_PROTOCOL.parse().unwrap());
            Ok::<_, ErrorResponse>(response)
        };
        let socket = accept_hdr_async(stream, greet).await.unwrap();
        Self { socket, asked, epoch: "e1" }
    }

    async fn say(&mut self, message: ServerMessage, seq: Option<u64>) {
        let (seal, device) = (seal(), "d0".parse().unwrap());
        let epoch = self.epoch.parse().unwrap();
        let stamp = Stamp {
            device: &device,
            epoch: Some(&epoch),
            recovered: false,
            seq: seq.map(protocol::frame::Sequence),
            stream: None,
        };
        let at = Timestamp::from_millis(1_000);
        let frame = Prepared::new(&seal, message.kind(), at, None, &message);
        self.socket.send(Message::text(frame.stamp(&seal, &stamp))).await.unwrap();
    }

    async fn welcome(&mut self, resumed: bool) {
        let success = ConnectSuccess {
            connection_id: "c-1".parse().unwrap(),
            epoch: self.epoch.parse().unwrap(),
            full_snapshot_interval_ms: 30_000,
            heartbeat_interval_ms: 10_000,
            resumed,
            role: "operator".into(),
            server_version: "0".into(),
            user: "anonymous".into(),
        };
        self.say(ServerMessage::ConnectSuccess(success), None).await;
    }

    async fn snapshot(&mut self, seq: u64) {
        let snapshot = Snapshot { update: Update::default(), settles: None };
        self.say(ServerMessage::FullSnapshot(snapshot), Some(seq)).await;
    }

    /// Reads on to the first message that is wanted.
    async fn hear(&mut self, is_wanted: impl Fn(&ClientMessage) -> bool) -> ClientMessage {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.unwrap().unwrap().unwrap();
            let frame = ClientFrame::read(message.to_text().unwrap()).unwrap();
            if is_wanted(&frame.message) {
                return frame.message;
            }
        }
    }
}

#[tokio::test]
async fn a_client_that_is_cut_comes_back_and_says_where_it_was() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::start(setup(&listener), Diary::default());
    let mut first = End::accept(&listener).await;
    assert_eq!(first.asked, "/ws/device?device_id=d0");
    first.welcome(false).await;
    first.snapshot(1).await;
    first.snapshot(2).await;
    becomes(&client, 2).await;

    client.cut().await;
    let mut second = End::accept(&listener).await;
    assert_eq!(second.asked, "/ws/device?device_id=d0&connection_id=c-1");
    second.welcome(true).await;
    let said = second.hear(|message| *message != ClientMessage::Heartbeat).await;
    let ClientMessage::Resume(positions) = said else { panic!("{said:?}") };
    assert_eq!(positions[0].seq.0, 2);
    let holes = client.look(|_, diary| diary.holes.len()).await;
    assert_eq!(holes, Some(1), "coming back is no new beginning");
}

#[tokio::test]
async fn a_client_that_begins_anew_was_told_of_a_hole() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::start(setup(&listener), Diary::default());
    let mut first = End::accept(&listener).await;
    first.welcome(false).await;
    first.snapshot(1).await;
    becomes(&client, 1).await;
    client.cut().await;
    let mut second = End::accept(&listener).await;
    second.welcome(false).await;
    second.snapshot(1).await;
    second.snapshot(2).await;
    becomes(&client, 2).await;
    let holes = client.look(|_, diary| diary.holes.clone()).await.unwrap();
    assert_eq!(holes.len(), 2);
    assert_eq!(holes[1].from, Some(Timestamp::from_millis(1_000)));
}

#[tokio::test]
async fn a_restart_that_is_told_is_no_hole() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::start(setup(&listener), Diary::default());
    let mut first = End::accept(&listener).await;
    first.welcome(false).await;
    first.snapshot(1).await;
    becomes(&client, 1).await;
    client.cut().await;
    let mut second = End { epoch: "e2", ..End::accept(&listener).await };
    second.welcome(true).await;
    let (old_epoch, epoch) = ("e1".parse().unwrap(), "e2".parse().unwrap());
    let started_at = Timestamp::from_millis(2_000);
    let down_from = Some(Timestamp::from_millis(1_500));
    let restarted = ServiceRestarted { down_from, epoch, old_epoch, started_at };
    second.say(ServerMessage::ServiceRestarted(restarted), None).await;
    second.snapshot(1).await;
    second.snapshot(2).await;
    becomes(&client, 2).await;
    let seen = client.look(|_, diary| (diary.holes.len(), diary.restarts)).await;
    assert_eq!(seen, Some((1, 1)));
}

#[tokio::test]
async fn frames_are_counted_when_they_come_and_verified_in_their_order() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let verify_after = Duration::from_millis(50);
    let client = Client::start(Setup { verify_after, ..setup(&listener) }, Ear::default());
    let mut end = End::accept(&listener).await;
    end.welcome(false).await;
    for seq in 1..=20 {
        end.snapshot(seq).await;
    }
    becomes(&client, 20).await;
    let status = client.look(|session, _| session.status()).await.unwrap();
    assert_eq!((status.lost, status.tampered), (0, 0));
    assert_eq!(client.look(|_, ear| ear.frames).await, Some(20));
}

#[tokio::test]
async fn a_client_that_leaves_says_goodbye() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::start(setup(&listener), Diary::default());
    let mut end = End::accept(&listener).await;
    end.welcome(false).await;
    end.snapshot(1).await;
    becomes(&client, 1).await;
    client.leave().await;
    loop {
        match timeout(PATIENCE, end.socket.next()).await.unwrap() {
            Some(Ok(Message::Close(frame))) => {
                assert_eq!(u16::from(frame.unwrap().code), 1000);
                return;
            }
            Some(Ok(_)) => {}
            other => panic!("no goodbye, but {other:?}"),
        }
    }
}

fn seal() -> Seal {
    Seal::new(Algorithm::Md5, "a key for tests only")
}

fn setup(listener: &TcpListener) -> Setup {
    let address: SocketAddr = listener.local_addr().unwrap();
    let first_retry = (Duration::ZERO, Duration::from_millis(10));
    let policy = Policy { first_retry, ..Policy::native() };
    Setup { policy, ..Setup::new(address, "d0".parse().unwrap(), seal(), 1) }
}

/// Waits until the client has this number.
async fn becomes<W: load::client::Watch>(client: &Client<W>, seq: u64) {
    let waiting = async {
        let last = || client.look(|session, _| session.status().seq.map(|seq| seq.0));
        while last().await != Some(Some(seq)) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap();
}

const PATIENCE: Duration = Duration::from_secs(10);
