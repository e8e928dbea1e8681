//! How fast a backlog goes up on loopback. Measured on request:
//! `cargo test --release -p gateway --test uplink -- --ignored --nocapture`.

use std::time::Instant;

use tempfile::tempdir;

use crate::servers::{CenterHouse, EdgeHouse, TOKEN};

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

const ROWS: u64 = 200_000;
const PART: u64 = 20_000;
