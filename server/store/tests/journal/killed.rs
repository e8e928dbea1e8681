//! A server that is killed in the middle of its work, by a signal that no program survives.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use protocol::journal::Entry;
use protocol::part::{Condition, PartState};
use protocol::time::Timestamp;
use store::{Journal, JournalPolicy, write_journal};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::desk::{began, epoch, facts, happened, known, past};

/// Says to the test in a new process that it is the one to be killed, and what it does.
const FOLDER: &str = "JOURNAL_OF_THE_KILLED";
const RUN: &str = "RUN_OF_THE_KILLED";

#[test]
fn what_was_once_durable_outlives_a_kill() {
    // S0-65, S0-67
    if let Some(folder) = std::env::var_os(FOLDER) {
        return Runtime::new().unwrap().block_on(write_until_killed(folder.as_ref()));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        acknowledged.push(kill_one(folder.path(), round));
        Runtime::new().unwrap().block_on(check(folder.path(), &acknowledged));
    }
    assert!(acknowledged.iter().sum::<u64>() > 0);
}

/// Starts a server, lets it work until it was told some numbers, and kills it. The last number
/// that it knew to be durable.
fn kill_one(folder: &Path, round: u64) -> u64 {
    let name = "killed::what_was_once_durable_outlives_a_kill";
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(FOLDER, folder)
        .env(RUN, format!("e{round}"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut durable = lines.by_ref().filter_map(|line| line.strip_prefix("durable ")?.parse().ok());
    // Each falls at another moment: after so many numbers, and a little later.
    let heard: u64 = durable.nth(round as usize % 7).unwrap();
    std::thread::sleep(Duration::from_micros(1_700 * (round * 7 % 23)));
    server.kill().unwrap();
    server.wait().unwrap();
    durable.last().unwrap_or(heard)
}

async fn check(folder: &Path, acknowledged: &[u64]) {
    let found = past(folder).await;
    let mut last_facts = None;
    for (run, durable) in acknowledged.iter().enumerate() {
        let of_run = epoch(&format!("e{run}"));
        let events = found.events.iter().filter(|event| event.epoch == of_run);
        let offsets: Vec<u64> = events.map(|event| event.offset.0).collect();
        assert!(offsets.iter().copied().eq(1..=offsets.len() as u64), "run {run} has a hole");
        assert!(offsets.len() as u64 >= *durable, "run {run}: {durable} of {}", offsets.len());
        last_facts = offsets.last().map(|offset| format!("{run}/{offset}"));
    }
    // Facts are never younger than the events that made them, and no older than one group.
    let known = found.known.get("board-1").unwrap();
    let (Some(last), Some(status)) = (last_facts, known.get("device_status")) else { panic!() };
    assert_eq!(known, &facts(status));
    assert_eq!(found.runs.len(), acknowledged.len());
    let number = |text: &str| text.split_once('/').unwrap().1.parse::<u64>().unwrap();
    assert!(number(status) <= number(&last), "{status} is younger than {last}");
    assert!(number(status) >= *acknowledged.last().unwrap());
}

async fn write_until_killed(folder: &Path) {
    let run = std::env::var(RUN).unwrap();
    let (journal, inbox) = Journal::open();
    let works = Condition { since: Timestamp::default(), state: PartState::Working, why: None };
    let (conditions, _) = watch::channel(works);
    let (policy, stop) = (JournalPolicy::default(), CancellationToken::new());
    tokio::spawn(write_journal(folder.into(), inbox, policy, stop, conditions));
    journal.keep(began(&run));
    for number in 1.. {
        journal.keep(Entry::Happened(happened(&run, number)));
        journal.keep(known("board-1", &format!("{}/{number}", run.trim_start_matches('e'))));
        if number % 10 == 0 {
            let asking = journal.clone();
            tokio::spawn(async move {
                assert!(asking.flushed().await);
                let mut output = std::io::stdout();
                output.write_all(format!("\ndurable {number}\n").as_bytes()).unwrap();
            });
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
    }
}

const ROUNDS: u64 = 40;
