//! How fast a backlog goes up on loopback. Measured on request:
//! `cargo test --release -p gateway --test uplink -- --ignored --nocapture`.

use std::time::Instant;

use tempfile::tempdir;

use crate::forwarder::Forwarder;
use crate::servers::{CenterHouse, EdgeHouse, TOKEN, until};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn a_backlog_goes_up_at_twenty_thousand_rows_a_second() {
    let (above, below) = (tempdir().unwrap(), tempdir().unwrap());
    let center = CenterHouse::open(above.path()).await;
    let mut edge = EdgeHouse::open(below.path());
    for part in 0..ROWS / PART {
        edge.happen(part * PART + 1..=(part + 1) * PART).await;
    }
    let start = Instant::now();
    edge.dial(center.address, TOKEN);
    edge.has_uploaded_all().await;
    let pace = ROWS as f64 / start.elapsed().as_secs_f64();
    eprintln!("{ROWS} rows went up at {pace:.0} rows a second");
    assert_eq!(center.history.history().extents().await.unwrap()[0].rows, ROWS);
    edge.close().await;
    center.close().await;
    assert!(pace >= 20_000.0, "{pace:.0} rows a second");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn a_backlog_goes_up_over_a_line_of_64_kbit() {
    let (above, below) = (tempdir().unwrap(), tempdir().unwrap());
    let center = CenterHouse::open(above.path()).await;
    let line = Forwarder::slow(center.address, 8_000).await;
    let mut edge = EdgeHouse::open(below.path());
    edge.happen(1..=5_000).await;
    let start = Instant::now();
    edge.dial(line.address, TOKEN);
    for left in (0..5_000).rev().step_by(100) {
        until(async || (edge.backlog.pending().count <= left).then_some(())).await;
    }
    eprintln!("5000 rows went up in {:.0} s", start.elapsed().as_secs_f64());
    assert_eq!((line.dialled(), center.rows().await.len()), (1, 5_000));
    edge.close().await;
    center.close().await;
}

const ROWS: u64 = 200_000;
const PART: u64 = 20_000;
