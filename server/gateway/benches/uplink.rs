//! How fast a backlog goes up: on loopback, both disks included, 20,000 rows a second (S0-48); and
//! over a line of 64 kbit/s, where all that counts is that rows are marked and none goes up twice.
//!
//! `cargo bench -p gateway --bench uplink`, with fsync on the disk of the folder that `BENCH_DIR`
//! names, or of temporary files.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for developers")]
#![allow(dead_code, reason = "the servers have rooms that are not needed here")]

#[path = "../tests/uplink/forwarder.rs"]
mod forwarder;
#[path = "../tests/uplink/servers.rs"]
mod servers;

use std::net::SocketAddr;
use std::time::Instant;

use tempfile::TempDir;

use self::forwarder::Forwarder;
use self::servers::{CenterHouse, EdgeHouse, TOKEN, until};

#[tokio::main]
async fn main() {
    let (above, below) = (folder(), folder());
    let center = CenterHouse::open(above.path()).await;
    bring_up(&center, center.address, &below, ROWS).await;
    center.close().await;

    let (above, below) = (folder(), folder());
    let center = CenterHouse::open(above.path()).await;
    let line = Forwarder::slow(center.address, SLOW).await;
    bring_up(&center, line.address, &below, FEW_ROWS).await;
    assert_eq!(line.dialled(), 1, "one line for all of them");
    center.close().await;
}

/// An edge brings up so many rows over the line to the center that is dialled at `address`.
async fn bring_up(center: &CenterHouse, address: SocketAddr, below: &TempDir, rows: u64) {
    let mut edge = EdgeHouse::open(below.path());
    for first in (1..=rows).step_by(PART) {
        edge.happen(first..=rows.min(first + PART as u64 - 1)).await;
    }
    let start = Instant::now();
    edge.dial(address, TOKEN);
    // However long all of them take, some are marked within the patience of `until`.
    for left in (0..rows).rev().step_by(STEP) {
        until(async || (edge.backlog.pending().count <= left).then_some(())).await;
    }
    edge.has_uploaded_all().await;
    let took = start.elapsed();
    let pace = rows as f64 / took.as_secs_f64();
    println!("{rows} rows went up in {:.1} s, {pace:.0} rows a second", took.as_secs_f64());
    assert_eq!(center.history.history().extents().await.unwrap()[0].rows, rows);
    edge.close().await;
}

fn folder() -> TempDir {
    match std::env::var_os("BENCH_DIR") {
        Some(directory) => tempfile::tempdir_in(directory).unwrap(),
        None => tempfile::tempdir().unwrap(),
    }
}

const ROWS: u64 = 200_000;

/// As many as go up in two minutes.
const FEW_ROWS: u64 = 5_000;

/// 64 kbit/s, in bytes a second.
const SLOW: usize = 8_000;

/// As many as the backlog takes before it is waited for.
const PART: usize = 20_000;

const STEP: usize = 1_000;
