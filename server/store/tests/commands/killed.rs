//! A server that is killed in the middle of its work, by a signal that no program survives.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::desk::{Desk, PATIENCE, ago, done, intent, now};

/// Says to the test in a new process that it is the one to be killed, and what it does.
const FOLDER: &str = "COMMANDS_OF_THE_KILLED";
const RUN: &str = "RUN_OF_THE_KILLED";

#[test]
fn an_intent_that_was_told_outlives_a_kill() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return Runtime::new().unwrap().block_on(work_until_killed(folder.as_ref()));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut told = BTreeSet::new();
    for round in 0..ROUNDS {
        told.extend(kill_one(folder.path(), round));
        let reading = store::read_recent_commands(folder.path(), ago(600), PATIENCE);
        let found = Runtime::new().unwrap().block_on(reading).unwrap();
        let found: BTreeSet<_> = found.into_iter().map(|record| record.order.key.id).collect();
        let missing: Vec<_> = told.difference(&found).collect();
        assert!(missing.is_empty(), "after round {round}: {missing:?}");
    }
    assert!(!told.is_empty());
}

/// Starts a server, lets it work until it told some intents, and kills it. All that it told.
fn kill_one(folder: &Path, round: u64) -> Vec<String> {
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::an_intent_that_was_told_outlives_a_kill", "--nocapture"])
        .env(FOLDER, folder)
        .env(RUN, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut told = lines.filter_map(|line| line.strip_prefix("told ").map(String::from));
    let mut heard: Vec<_> = told.by_ref().take(1 + round as usize % 7).collect();
    std::thread::sleep(Duration::from_micros(1_700 * (round * 7 % 23)));
    server.kill().unwrap();
    server.wait().unwrap();
    heard.extend(told);
    heard
}

async fn work_until_killed(folder: &Path) {
    let run = std::env::var(RUN).unwrap();
    let mut desk = Desk::open(folder);
    for number in 1.. {
        let intent = intent(&format!("{run}/{number}"), now());
        desk.keep([intent.clone()]);
        let told = desk.recorded().await;
        std::io::stdout().write_all(format!("\ntold {told}\n").as_bytes()).unwrap();
        desk.keep([done(intent)]);
    }
}

const ROUNDS: u64 = 20;
