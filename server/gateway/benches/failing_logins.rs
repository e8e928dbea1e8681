//! Whether a thousand clients notice that somebody tries fifty passwords a second.
//!
//! `cargo bench -p gateway --bench failing_logins`

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for developers")]
#![allow(dead_code, reason = "the house has rooms that are not needed here")]

#[path = "../tests/native/house/mod.rs"]
mod house;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use identity::Claims;
use protocol::user::{Role, Scope};
use protocol::wire::native::ClientMessage;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use self::house::client::Client;
use self::house::people::center;
use self::house::{House, Rules, web};

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let house =
        House::open_locked_with(folder.path(), Rules { connections: 2_000, ..Rules::default() });
    let house = house.await;
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        clients.push(dial(&house, number).await);
    }
    println!("{CLIENTS} clients are in, one heartbeat each second");
    let (mut clients, quiet) = beat(clients).await;
    tell("nobody tries passwords", quiet);
    for each_second in [50, 200] {
        let (stop, tried) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let storm = tokio::spawn(try_passwords(
            house.address,
            each_second,
            Arc::clone(&stop),
            Arc::clone(&tried),
        ));
        let (same, times) = beat(clients).await;
        clients = same;
        stop.store(true, Ordering::Relaxed);
        storm.await.unwrap();
        let tried = tried.load(Ordering::Relaxed);
        tell(&format!("{each_second} wrong passwords a second ({tried} in all)"), times);
    }
}

/// Ten sockets a person: the center lets in a hundred of them.
async fn dial(house: &House, number: usize) -> Client {
    let now = house.hub.time();
    let claims = Claims {
        aud: Some("this-edge".parse().unwrap()),
        exp: now + Duration::from_secs(3000),
        iat: now,
        iss: "center".into(),
        role: Role::Viewer,
        sid: None,
        sites: Scope::All,
        sub: format!("u{}", number / 10).parse().unwrap(),
    };
    let token = format!("Bearer {}", center().issue(&claims));
    let headers = [("authorization", token.as_str())];
    let mut client = Client::dial_at(house, "device_id=board-1", &headers).await.unwrap();
    client.hear().await;
    client
}

/// Every client beats once a second for a while; how long each answer took.
async fn beat(clients: Vec<Client>) -> (Vec<Client>, Vec<Duration>) {
    let mut beating = JoinSet::new();
    for (number, client) in clients.into_iter().enumerate() {
        beating.spawn(beats(client, Duration::from_secs(1) * number as u32 / CLIENTS as u32));
    }
    let (mut clients, mut times) = (Vec::new(), Vec::new());
    while let Some(done) = beating.join_next().await {
        let (client, own) = done.unwrap();
        clients.push(client);
        times.extend(own);
    }
    (clients, times)
}

async fn beats(mut client: Client, after: Duration) -> (Client, Vec<Duration>) {
    let mut times = Vec::new();
    sleep(after).await;
    let mut ticks = interval(Duration::from_secs(1));
    for _ in 0..BEATS {
        ticks.tick().await;
        let start = Instant::now();
        client.say(ClientMessage::Heartbeat).await;
        client.hear_until(|frame| frame.message.kind() == "HEARTBEAT_ACK").await;
        times.push(start.elapsed());
    }
    (client, times)
}

/// From as many names: an account that is locked would not be looked at any more.
async fn try_passwords(
    address: SocketAddr,
    each_second: u32,
    stop: Arc<AtomicBool>,
    tried: Arc<AtomicUsize>,
) {
    let mut ticks = interval(Duration::from_secs(1) / each_second);
    let mut trying = JoinSet::new();
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        let name = tried.fetch_add(1, Ordering::Relaxed);
        trying.spawn(async move {
            let body = format!(r#"{{"username":"n{name}","password":"wrong"}}"#);
            web::post(address, "/api/login", &[], &body).await
        });
    }
    trying.shutdown().await;
}

fn tell(when: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 1000];
    println!("{:>10.2?} p50 {:>10.2?} p99 {:>10.2?} max: {when}", at(500), at(990), at(1000));
}

const CLIENTS: usize = 1_000;

const BEATS: usize = 10;
