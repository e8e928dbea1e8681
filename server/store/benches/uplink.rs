//! How fast an edge's backlog is read and noted as uploaded, and how fast a center keeps it (S0-48).
//!
//! `cargo bench -p store --bench uplink`, with fsync on the disk of the folder that `BENCH_DIR`
//! names, or of temporary files.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for developers")]

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::stream::{self, StreamExt as _};
use protocol::id::EdgeId;
use protocol::part::{Condition, PartState};
use protocol::status::{StatusBatch, StatusRow};
use protocol::time::Timestamp;
use store::{
    Backlog, BacklogPolicy, Center, CenterPolicy, EdgeFilter, write_backlog, write_center,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() {
    let folder = match std::env::var_os("BENCH_DIR") {
        Some(directory) => tempfile::tempdir_in(directory).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    let batches = backlog(folder.path()).await;
    center(folder.path(), batches).await;
}

/// Fills a backlog, then reads all of it with a cursor and notes each batch as uploaded, of which
/// sixteen are on their way at a time.
async fn backlog(folder: &Path) -> Vec<StatusBatch> {
    let (backlog, inbox) = Backlog::open();
    let (policy, stop) = (BacklogPolicy::default(), CancellationToken::new());
    let writing = write_backlog(folder.into(), inbox, policy, stop, conditions());
    let writing = tokio::spawn(writing);
    let start = Instant::now();
    for some in (0..ROWS).collect::<Vec<_>>().chunks(10_000) {
        some.iter().for_each(|number| backlog.append(row(*number)));
        assert!(backlog.flushed().await);
    }
    report("appended", start);

    let (start, mut cursor, mut read) = (Instant::now(), None, Vec::new());
    loop {
        let (batches, next) = backlog.batches_after(cursor.as_ref(), IN_FLIGHT).await.unwrap();
        if batches.is_empty() {
            break;
        }
        cursor = next;
        read.extend(batches);
    }
    report("read by a cursor", start);

    let (start, mut cursor) = (Instant::now(), None);
    loop {
        let (batches, next) = backlog.batches_after(cursor.as_ref(), IN_FLIGHT).await.unwrap();
        if batches.is_empty() {
            break;
        }
        cursor = next;
        let noted = stream::iter(batches).map(async |batch| {
            let ids = batch.rows.iter().map(|row| row.id).collect();
            assert!(backlog.uploaded(&batch.incarnation, ids, now()).await);
        });
        noted.buffer_unordered(IN_FLIGHT as usize).count().await;
    }
    report("read and noted as uploaded", start);
    assert_eq!(backlog.pending().count, 0);
    drop(backlog);
    writing.await.unwrap();
    read
}

/// Keeps all batches, of which sixteen are on their way at a time; then all once more.
async fn center(folder: &Path, batches: Vec<StatusBatch>) {
    let (center, inbox) = Center::open();
    let (policy, stop) = (CenterPolicy::default(), CancellationToken::new());
    let writing = tokio::spawn(write_center(folder.into(), inbox, policy, stop, conditions()));
    let edge: EdgeId = "north".parse().unwrap();
    for what in ["kept by a center", "kept once more"] {
        let (start, batches) = (Instant::now(), batches.clone());
        let kept =
            stream::iter(batches).map(async |batch| assert!(center.keep(&edge, batch).await));
        kept.buffer_unordered(IN_FLIGHT as usize).count().await;
        report(what, start);
    }
    let history = center.history();
    assert_eq!(history.extents().await.unwrap()[0].rows, ROWS);
    let device = Some("board-7".parse().unwrap());
    let filter = EdgeFilter { edge, device, from: None, to: None };
    let start = Instant::now();
    let page = history.page(&filter, None, 100.try_into().unwrap()).await.unwrap();
    println!("a page of {} rows in {:?}", page.rows.len(), start.elapsed());
    drop(center);
    writing.await.unwrap();
}

fn report(what: &str, start: Instant) {
    println!("{:8.0} rows/s {what}", ROWS as f64 / start.elapsed().as_secs_f64());
}

fn conditions() -> watch::Sender<Condition> {
    let works = Condition { since: Timestamp::default(), state: PartState::Working, why: None };
    watch::channel(works).0
}

fn row(number: u64) -> StatusRow {
    StatusRow {
        bit_position: Some((number % 16) as u8),
        device_id: format!("board-{}", number % 50).parse().unwrap(),
        new_value: "1".into(),
        old_value: "0".into(),
        record_time: now(),
        status_name: "short_circuit_contactor".into(),
        status_type: "point/inputs".into(),
        timestamp: now() + Duration::from_millis(number / 20),
    }
}

fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(now.as_millis() as u64)
}

const ROWS: u64 = 400_000;

/// As many batches as an uplink has on their way.
const IN_FLIGHT: u32 = 16;
