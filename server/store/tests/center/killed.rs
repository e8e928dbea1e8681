//! A center that is killed in the middle of its work, by a signal that no program survives.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::desk::{Desk, batch};

/// Says to the test in a new process that it is the one to be killed, and what it does.
const FOLDER: &str = "CENTER_OF_THE_KILLED";
const RUN: &str = "RUN_OF_THE_KILLED";

#[test]
fn a_batch_that_was_acknowledged_outlives_a_kill() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return Runtime::new().unwrap().block_on(work_until_killed(folder.as_ref()));
    }
    let folder = tempfile::tempdir().unwrap();
    for round in 0..ROUNDS {
        let acknowledged = kill_one(folder.path(), round);
        Runtime::new().unwrap().block_on(async {
            let desk = Desk::open(folder.path());
            let edge = format!("edge-{round}");
            let rows = desk.rows(&edge).await;
            let mut ids: Vec<_> = rows.iter().map(|row| row.row.id).collect();
            ids.sort_unstable();
            assert!(ids.len() as u64 >= acknowledged, "{} of {acknowledged}", ids.len());
            // Each batch is there whole or not at all.
            assert!(ids.len().is_multiple_of(100) && ids.iter().copied().eq(0..ids.len() as u64));
            let extents = desk.extents().await;
            let extent = extents.iter().find(|extent| extent.edge.as_str() == edge).unwrap();
            assert_eq!(extent.rows, ids.len() as u64);
            desk.close().await;
        });
    }
}

/// Starts a center, lets it work for a while, and kills it. How many rows it acknowledged.
fn kill_one(folder: &Path, round: u64) -> u64 {
    let mut center = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::a_batch_that_was_acknowledged_outlives_a_kill", "--nocapture"])
        .env(FOLDER, folder)
        .env(RUN, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(center.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut told = lines.filter_map(|line| line.strip_prefix("kept ")?.parse().ok());
    let heard = told.nth(1 + round as usize % 5).unwrap();
    std::thread::sleep(Duration::from_micros(1_700 * (round * 7 % 23)));
    center.kill().unwrap();
    center.wait().unwrap();
    told.last().unwrap_or(heard)
}

async fn work_until_killed(folder: &Path) {
    let edge = format!("edge-{}", std::env::var(RUN).unwrap());
    let desk = Desk::open(folder);
    for number in 1.. {
        desk.keep(&edge, batch("one", (number - 1) * 100..number * 100)).await;
        let line = format!("\nkept {}\n", number * 100);
        std::io::stdout().write_all(line.as_bytes()).unwrap();
    }
}

const ROUNDS: u64 = 15;
