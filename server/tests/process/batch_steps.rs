//! Either end is killed at each step of a batch; every row comes to the center once (S0-46 to S0-51).

use std::time::Duration;

use sqlx::Connection as _;
use tokio::time::{sleep, timeout};

use crate::cable::Way;
use crate::pair::{End, Pair};
use crate::running::PATIENCE;
use crate::uplink::fill;

/// An edge that is to tell of some rows, and does not run yet.
async fn begin() -> Pair {
    let pair = Pair::prepare().await;
    fill(pair.below.path(), ROWS).await;
    pair
}

/// Kills, lets the cable lead on what it holds, and starts again.
fn strike(pair: &mut Pair, end: End) {
    pair.kill(end);
    pair.cable.let_go();
    pair.start_again(end);
}

/// Waits until all that the edge has is marked there, and the same at the center.
async fn all_is_told(pair: &Pair, end: End) {
    let told = async {
        loop {
            let ((all, marked), received) = (pair.kept().await, pair.received().await);
            if all == marked && all == received {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    if timeout(PATIENCE, told).await.is_err() {
        let (all, marked) = pair.kept().await;
        let received = pair.received().await;
        panic!("{end:?}: of {all:?} are marked {marked:?} and received {received:?}");
    }
    assert!(pair.told().await.into_iter().eq(1..=ROWS), "{end:?}: each once, in order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_kill_before_a_batch_is_sent_loses_nothing() {
    for end in [End::Edge, End::Center] {
        let mut pair = begin().await;
        pair.cable.stop_before(Way::Down, "CONNECT_SUCCESS");
        pair.start_edge();
        pair.cable.holds().await;
        assert_eq!(pair.cable.passed(Way::Up, "UPLOAD").len(), 0);
        strike(&mut pair, end);
        all_is_told(&pair, end).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_kill_after_a_batch_is_sent_and_before_it_is_stored_loses_nothing() {
    for end in [End::Edge, End::Center] {
        let mut pair = begin().await;
        pair.cable.stop_before(Way::Up, "UPLOAD");
        pair.start_edge();
        pair.cable.holds().await;
        assert_eq!(pair.told().await, [0; 0]);
        strike(&mut pair, end);
        all_is_told(&pair, end).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_kill_after_a_batch_is_stored_and_before_that_is_known_doubles_nothing() {
    for end in [End::Edge, End::Center] {
        let mut pair = begin().await;
        pair.cable.stop_before(Way::Down, "UPLOADED");
        pair.start_edge();
        pair.cable.holds().await;
        assert!(pair.told().await.into_iter().eq(1..=ROWS));
        assert_eq!(pair.kept().await.1, [0; 0]);
        strike(&mut pair, end);
        all_is_told(&pair, end).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_kill_after_a_batch_is_acknowledged_and_before_it_is_marked_doubles_nothing() {
    for end in [End::Edge, End::Center] {
        let mut pair = begin().await;
        pair.cable.stop_before(Way::Down, "UPLOADED");
        pair.start_edge();
        pair.cable.holds().await;
        let lock = pair.lock_backlog().await;
        pair.cable.let_go();
        pair.edge().hear("rows for the system server cannot be written");
        assert_eq!(pair.kept().await.1, [0; 0]);
        pair.kill(end);
        lock.close().await.unwrap();
        pair.start_again(end);
        all_is_told(&pair, end).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_kill_after_a_batch_is_marked_sends_none_of_it_again() {
    for end in [End::Edge, End::Center] {
        let mut pair = begin().await;
        pair.start_edge();
        all_is_told(&pair, end).await;
        let sent = sent(&pair);
        strike(&mut pair, end);
        // A client of the board is told of it once the edge is back.
        drop(pair.client_above().await);
        all_is_told(&pair, end).await;
        assert_eq!(self::sent(&pair), sent, "{end:?}");
    }
}

/// How many rows went up that were there before the edge was started.
fn sent(pair: &Pair) -> usize {
    let batches = pair.cable.passed(Way::Up, "UPLOAD");
    let rows = batches.iter().flat_map(|batch| batch["data"]["rows"].as_array().unwrap());
    rows.filter(|row| row["status_name"] == "before").count()
}

/// They fit into one batch.
const ROWS: u64 = 50;
