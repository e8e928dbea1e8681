//! A server that is killed in the middle of its work, by a signal that no program survives.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::desk::{Desk, ids, row, seconds};

/// Says to the test in a new process that it is the one to be killed.
const FOLDER: &str = "BACKLOG_OF_THE_KILLED";

#[test]
fn no_row_is_lost_to_a_kill_and_none_that_was_uploaded_waits_again() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return Runtime::new().unwrap().block_on(work_until_killed(folder.as_ref()));
    }
    let folder = tempfile::tempdir().unwrap();
    for round in 0..ROUNDS {
        let (kept, uploaded) = kill_one(folder.path(), round);
        Runtime::new().unwrap().block_on(async {
            let desk = Desk::open(folder.path());
            desk.flush().await;
            let batch = desk.next(u32::MAX).await;
            assert_eq!(desk.backlog.pending().count, batch.rows.len() as u64);
            let waiting = seconds(&batch);
            let first = waiting.first().copied().unwrap_or(kept);
            assert!(first >= uploaded, "round {round}: {first} is uploaded, as are {uploaded}");
            let last = first + waiting.len() as u64;
            assert!(waiting.into_iter().eq(first..last), "round {round}: a hole after {first}");
            assert!(last >= kept, "round {round}: {last} of {kept}");
            desk.close().await;
        });
    }
}

/// Starts a server, lets it work for a while, and kills it. How many rows it knew to be on the disk,
/// and how many to be noted as uploaded.
fn kill_one(folder: &Path, round: u64) -> (u64, u64) {
    let name = "killed::no_row_is_lost_to_a_kill_and_none_that_was_uploaded_waits_again";
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut told = lines.filter_map(|line| {
        let (kept, uploaded) = line.strip_prefix("kept ")?.split_once(' ')?;
        Some((kept.parse().ok()?, uploaded.parse().ok()?))
    });
    let heard = told.nth(1 + round as usize % 5).unwrap();
    std::thread::sleep(Duration::from_micros(1_700 * (round * 7 % 23)));
    server.kill().unwrap();
    server.wait().unwrap();
    told.last().unwrap_or(heard)
}

/// Hands in rows, a second each and in order, and notes two thirds of them as uploaded.
async fn work_until_killed(folder: &Path) {
    let desk = Desk::open(folder);
    desk.flush().await;
    let start = desk.backlog.pending().newest_id;
    let waiting = desk.next(u32::MAX).await.rows.len() as u64;
    let mut uploaded = start - waiting;
    for kept in (start + 30..).step_by(30) {
        desk.append((kept - 30..kept).map(row));
        desk.flush().await;
        let batch = desk.next(20).await;
        assert!(desk.backlog.uploaded(&batch.incarnation, ids(&batch), crate::desk::now()).await);
        uploaded += batch.rows.len() as u64;
        let line = format!("\nkept {kept} {uploaded}\n");
        std::io::stdout().write_all(line.as_bytes()).unwrap();
    }
}

const ROUNDS: u64 = 20;
