//! How long a reading takes from the Station's door to a client's hands (S0-53).
//!
//! `make bench`: 100 clients, 100 points, 20 polls a second, all in one process, so that the clients'
//! own work is counted too.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for developers")]
#![expect(dead_code, reason = "the house of the tests has rooms that a benchmark does not enter")]

#[path = "../tests/native/house/mod.rs"]
mod house;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use house::client::Client;
use house::{House, Rules};
use tokio::task::JoinSet;

#[tokio::main]
async fn main() {
    let rules = Rules { connections: CLIENTS, points: POINTS, ..Rules::default() };
    let house = House::open_with(rules).await;
    let starts: Arc<Vec<OnceLock<Instant>>> =
        Arc::new((0..=ROUNDS).map(|_| OnceLock::new()).collect());
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (client, _) = Client::join(&house).await;
        clients.spawn(listen(client, Arc::clone(&starts)));
    }
    let mut pace = tokio::time::interval(PACE);
    for round in 1..=ROUNDS {
        pace.tick().await;
        starts[round].set(Instant::now()).unwrap();
        house.poll("board-1", round as f64).await;
    }
    let mut delays: Vec<Duration> = clients.join_all().await.concat();
    delays.sort_unstable();
    let at = |share: usize| delays[(delays.len() - 1) * share / 1000].as_secs_f64() * 1000.0;
    println!("{CLIENTS} clients × {POINTS} points, {} frames", delays.len());
    println!(
        "p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.2} ms",
        at(500),
        at(990),
        at(999),
        at(1000)
    );
}

/// The delay of every poll, up to the last.
async fn listen(mut client: Client, starts: Arc<Vec<OnceLock<Instant>>>) -> Vec<Duration> {
    let mut delays = Vec::with_capacity(ROUNDS);
    while delays.len() < ROUNDS {
        let message = client.socket.next().await.unwrap().unwrap();
        let Ok(text) = message.to_text() else { continue };
        // Members are sorted: the value stands last in its point.
        let Some((_, rest)) = text.split_once("\"temperature\":{") else { continue };
        let Some((_, value)) = rest.split_once("\"v\":") else { continue };
        let round: f64 = value[..value.find('}').unwrap()].parse().unwrap();
        delays.push(starts[round as usize].get().unwrap().elapsed());
    }
    delays
}

const CLIENTS: usize = 100;
const POINTS: usize = 100;
/// Twenty seconds: the clients give no sign of life, and thirty would end them.
const ROUNDS: usize = 400;
const PACE: Duration = Duration::from_millis(50);
