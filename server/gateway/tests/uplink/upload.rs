//! The history goes up: all of it, in order, each row once.

use tempfile::tempdir;

use crate::forwarder::Forwarder;
use crate::servers::{CenterHouse, EdgeHouse, TOKEN, times, until};

#[tokio::test]
async fn the_backlog_goes_up_in_order_and_what_follows_live() {
    // S0-46 to S0-49, S0-51
    let (above, below) = (tempdir().unwrap(), tempdir().unwrap());
    let center = CenterHouse::open(above.path()).await;
    let mut edge = EdgeHouse::open(below.path());
    edge.happen(1..=250).await;
    edge.dial(center.address, TOKEN);
    assert_eq!(times(&center.has(250).await), (1..=250).collect::<Vec<_>>());
    edge.has_uploaded_all().await;
    edge.happen(251..=253).await;
    assert_eq!(times(&center.has(253).await), (1..=253).collect::<Vec<_>>());
    edge.has_uploaded_all().await;
    until(async || (center.value("received") == Some(253.0)).then_some(())).await;
    until(async || (center.value("backlog") == Some(0.0)).then_some(())).await;
    assert!(center.is_reached() && edge.is_reaching());
    edge.close().await;
    until(async || (!center.is_reached()).then_some(())).await;
    center.close().await;
}

#[tokio::test]
async fn rows_that_come_with_an_earlier_time_go_up_too() {
    let (above, below) = (tempdir().unwrap(), tempdir().unwrap());
    let center = CenterHouse::open(above.path()).await;
    let mut edge = EdgeHouse::open(below.path());
    edge.dial(center.address, TOKEN);
    edge.happen(1_000..1_003).await;
    center.has(3).await;
    edge.happen([7]).await;
    assert_eq!(times(&center.has(4).await), [7, 1_000, 1_001, 1_002]);
    edge.close().await;
    center.close().await;
}

#[tokio::test]
async fn what_was_kept_without_the_edge_knowing_is_kept_once() {
    let (above, below) = (tempdir().unwrap(), tempdir().unwrap());
    let center = CenterHouse::open(above.path()).await;
    let line = Forwarder::to(center.address).await;
    let mut edge = EdgeHouse::open(below.path());
    edge.dial(line.address, TOKEN);
    edge.happen(1..=10).await;
    edge.has_uploaded_all().await;
    line.deafen(true);
    edge.happen(11..=150).await;
    center.has(150).await;
    assert_eq!(edge.backlog.pending().count, 140, "no answer came");
    line.cut();
    line.deafen(false);
    edge.has_uploaded_all().await;
    edge.happen([151]).await;
    assert_eq!(times(&center.has(151).await), (1..=151).collect::<Vec<_>>());
    edge.close().await;
    center.close().await;
}

#[tokio::test]
async fn a_slow_line_brings_each_row_up_once_and_is_left_at_once() {
    let (above, below) = (tempdir().unwrap(), tempdir().unwrap());
    let center = CenterHouse::open(above.path()).await;
    let line = Forwarder::slow(center.address, 8_000).await;
    let mut edge = EdgeHouse::open(below.path());
    edge.happen(1..=1_500).await;
    edge.dial(line.address, TOKEN);
    until(async || (edge.backlog.pending().count <= 1_300).then_some(())).await;
    let (kept, waiting) = (center.rows().await.len(), edge.backlog.pending().count);
    assert!(waiting > 0, "rows are marked while others go up");
    assert_eq!(line.dialled(), 1, "the line was kept: {kept} rows, and none of them twice");
    // More waits to be written than a second brings up.
    let start = std::time::Instant::now();
    edge.close().await;
    assert!(start.elapsed() < std::time::Duration::from_secs(5), "{:?}", start.elapsed());
    center.close().await;
}

#[tokio::test]
async fn a_center_that_was_away_gets_what_happened_meanwhile() {
    let (above, below) = (tempdir().unwrap(), tempdir().unwrap());
    let center = CenterHouse::open(above.path()).await;
    let address = center.address;
    let mut edge = EdgeHouse::open(below.path());
    edge.dial(address, TOKEN);
    edge.happen(1..=10).await;
    center.has(10).await;
    center.close().await;
    until(async || (!edge.is_reaching()).then_some(())).await;
    edge.happen(11..=20).await;
    let center = CenterHouse::open_at(address, above.path()).await;
    assert_eq!(times(&center.has(20).await), (1..=20).collect::<Vec<_>>());
    edge.has_uploaded_all().await;
    edge.close().await;
    center.close().await;
}

#[tokio::test]
async fn an_edge_with_a_wrong_token_keeps_its_rows() {
    let (above, below) = (tempdir().unwrap(), tempdir().unwrap());
    let center = CenterHouse::open(above.path()).await;
    let mut edge = EdgeHouse::open(below.path());
    edge.happen([1]).await;
    edge.dial(center.address, "not-the-token-of-north");
    let folder = above.path().to_owned();
    until(async || {
        let store = store::Store::open(&folder).await.ok()?;
        let all = protocol::time::Timestamp::default()
            ..protocol::time::Timestamp::from_millis(u64::MAX >> 1);
        let records = store.records_between(all, 9).await.unwrap();
        store.close().await;
        records.iter().any(|record| record.detail.contains("edge `north`")).then_some(())
    })
    .await;
    assert!(!edge.is_reaching());
    assert_eq!(edge.backlog.pending().count, 1);
    edge.close().await;
    center.close().await;
}
