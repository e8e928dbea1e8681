//! Each fault of the line does what it says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use load::chance::Chance;
use load::proxy::{Fault, Proxy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// A client and a server with a line between them.
struct Ends {
    client: TcpStream,
    server: TcpStream,
    listener: TcpListener,
    line: Proxy,
}

impl Ends {
    async fn join() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let line = Proxy::start(listener.local_addr().unwrap()).await.unwrap();
        let client = TcpStream::connect(line.address).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        Self { client, server, listener, line }
    }

    async fn strike(&self, fault: Fault) {
        assert_eq!(self.line.strike(fault, 100, Chance::new(1)).await, 1);
    }

    async fn say(&mut self, text: &str) {
        self.server.write_all(text.as_bytes()).await.unwrap();
    }

    async fn hear(&mut self, length: usize) -> String {
        let mut heard = vec![0; length];
        timeout(PATIENCE, self.client.read_exact(&mut heard)).await.unwrap().unwrap();
        String::from_utf8(heard).unwrap()
    }

    async fn end(&mut self) -> Result<Vec<u8>, ErrorKind> {
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, self.client.read_to_end(&mut rest)).await.unwrap();
        read.map(|_| rest).map_err(|error| error.kind())
    }
}

#[tokio::test]
async fn without_a_fault_everything_passes_both_ways() {
    let mut ends = Ends::join().await;
    ends.say("down").await;
    assert_eq!(ends.hear(4).await, "down");
    ends.client.write_all(b"up").await.unwrap();
    let mut heard = [0; 2];
    ends.server.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"up");
    drop(ends.server);
    let mut rest = Vec::new();
    ends.client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"", "an end passes too");
}

#[tokio::test]
async fn a_delay_holds_everything_up_and_loses_nothing() {
    let mut ends = Ends::join().await;
    let delay = Duration::from_millis(300);
    ends.strike(Fault::Delay(delay)).await;
    let start = Instant::now();
    ends.say("late").await;
    assert_eq!(ends.hear(4).await, "late");
    assert!(start.elapsed() >= delay, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_throttle_lets_so_many_bytes_pass_in_a_second() {
    let mut ends = Ends::join().await;
    ends.strike(Fault::Throttle(1_000)).await;
    let start = Instant::now();
    ends.say(&"x".repeat(500)).await;
    assert_eq!(ends.hear(500).await.len(), 500);
    // Five steps of a hundred bytes, with a rest between them.
    assert!(start.elapsed() >= Duration::from_millis(400), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_reset_breaks_the_connection_without_a_goodbye() {
    let mut ends = Ends::join().await;
    ends.strike(Fault::Reset).await;
    assert_eq!(ends.end().await, Err(ErrorKind::ConnectionReset));
    let read = timeout(PATIENCE, ends.server.read(&mut [0])).await.unwrap();
    assert_eq!(read.map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_black_hole_swallows_everything_and_breaks_when_it_is_over() {
    let mut ends = Ends::join().await;
    ends.strike(Fault::BlackHole).await;
    ends.say("lost").await;
    let mut end = [0; 1];
    let heard = timeout(Duration::from_millis(200), ends.client.read(&mut end)).await;
    assert!(heard.is_err(), "nothing is heard, not even an end");
    ends.line.calm().await;
    assert_eq!(ends.end().await, Err(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn newcomers_meet_the_fault_that_waits_for_them() {
    let ends = Ends::join().await;
    ends.line.greet(Fault::BlackHole).await;
    let mut newcomer = TcpStream::connect(ends.line.address).await.unwrap();
    let (mut server, _) = ends.listener.accept().await.unwrap();
    server.write_all(b"lost").await.unwrap();
    let heard = timeout(Duration::from_millis(200), newcomer.read(&mut [0])).await;
    assert!(heard.is_err(), "nothing is heard");
}

#[tokio::test]
async fn a_truncated_connection_ends_within_a_frame() {
    let mut ends = Ends::join().await;
    ends.strike(Fault::Truncate).await;
    ends.say("\u{1}frame").await;
    assert_eq!(ends.end().await, Ok(b"\x01fram".to_vec()));
}

#[tokio::test]
async fn the_same_chance_strikes_the_same_connections() {
    let ends = Ends::join().await;
    let mut clients = Vec::new();
    for _ in 0..40 {
        clients.push(TcpStream::connect(ends.line.address).await.unwrap());
        clients.push(ends.listener.accept().await.unwrap().0);
    }
    let delay = Fault::Delay(Duration::ZERO);
    let struck = ends.line.strike(delay, 30, Chance::new(5)).await;
    assert!((1..41).contains(&struck), "{struck}");
    assert_eq!(ends.line.strike(delay, 30, Chance::new(5)).await, struck);
}

const PATIENCE: Duration = Duration::from_secs(10);
