//! How fast key events come to the disk, and how long each waits for it (S0-67).
//!
//! `cargo bench -p store`: a pace that is held, then as many as go, with fsync on the disk of the
//! folder that `BENCH_DIR` names, or of temporary files.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for developers")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::frame::{KeyEvent, Offset, StateChanged};
use protocol::journal::{Entry, Happened};
use protocol::part::{Condition, PartState};
use protocol::time::Timestamp;
use store::{Journal, JournalPolicy, read_past, write_journal};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() {
    for pace in PACES {
        let folder = match std::env::var_os("BENCH_DIR") {
            Some(directory) => tempfile::tempdir_in(directory).unwrap(),
            None => tempfile::tempdir().unwrap(),
        };
        run(folder.path(), pace).await;
    }
}

/// Hands in `pace` events a second for a while, and measures how long each millisecond's worth
/// takes to the disk; and how often the disk was written to.
async fn run(folder: &Path, pace: usize) {
    let (journal, inbox) = Journal::open();
    let works = Condition { since: Timestamp::default(), state: PartState::Working, why: None };
    let (conditions, condition) = watch::channel(works);
    let (policy, stop) = (JournalPolicy::default(), CancellationToken::new());
    let writing = tokio::spawn(write_journal(folder.into(), inbox, policy, stop, conditions));
    journal.keep(Entry::Began { at: now(), epoch: "bench".parse().unwrap() });
    assert!(journal.flushed().await);

    let (start, waits) = (Instant::now(), Arc::<Mutex<Vec<(Instant, Duration)>>>::default());
    let (mut tick, mut asking) = (tokio::time::interval(TICK), JoinSet::new());
    let (total, mut handed_in) = (pace * LENGTH.as_secs() as usize, 0);
    while handed_in < total {
        tick.tick().await;
        let due = (start.elapsed().as_secs_f64() * pace as f64) as usize;
        (handed_in..due.min(total)).for_each(|offset| journal.keep(happened(offset as u64)));
        handed_in = due.min(total);
        let (journal, waits, since) = (journal.clone(), Arc::clone(&waits), Instant::now());
        asking.spawn(async move {
            assert!(journal.flushed().await);
            waits.lock().await.push((Instant::now(), since.elapsed()));
        });
    }
    asking.join_all().await;
    let took = start.elapsed();
    drop(journal);
    writing.await.unwrap();
    assert_eq!(condition.borrow().state, PartState::Working, "{:?}", condition.borrow().why);
    let kept = read_past(folder, Duration::from_secs(60)).await.unwrap().events.len();
    assert_eq!(kept, total, "events are missing");
    report(total, took, waits.lock().await.clone());
}

fn report(total: usize, took: Duration, mut waits: Vec<(Instant, Duration)>) {
    waits.sort_unstable();
    // All that one commit wrote is told at the same moment.
    let pauses = waits.windows(2).filter(|pair| pair[1].0 - pair[0].0 > SAME);
    let commits = pauses.count() + 1;
    let mut delays: Vec<f64> = waits.iter().map(|(_, delay)| delay.as_secs_f64() * 1e3).collect();
    delays.sort_unstable_by(f64::total_cmp);
    let at = |share: usize| delays[(delays.len() - 1) * share / 1000];
    let took = took.as_secs_f64();
    println!(
        "{:6.0} events/s, {:3.0} commits/s; durable after p50 {:.1} ms, p99 {:.1} ms, \
         p99.9 {:.1} ms, max {:.1} ms",
        total as f64 / took,
        commits as f64 / took,
        at(500),
        at(990),
        at(999),
        at(1000),
    );
}

fn happened(offset: u64) -> Entry {
    let at = now();
    let what = format!("point/temperature_{}", offset % 100);
    let event = StateChanged { at, new: "21.5".into(), old: "21.4".into(), what };
    Entry::Happened(Happened {
        at,
        epoch: "0197aa00-7a7a-7000-8000-000000000000".parse().unwrap(),
        event: KeyEvent::StateChanged(event),
        offset: Offset(offset),
        stream: format!("device/board-{}", offset % 50).parse().unwrap(),
    })
}

fn now() -> Timestamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(now.as_millis() as u64)
}

/// In events a second.
const PACES: [usize; 4] = [100, 1_000, 20_000, 40_000];

const LENGTH: Duration = Duration::from_secs(10);

const TICK: Duration = Duration::from_millis(1);

/// Between the answers of two commits lies at least a commit.
const SAME: Duration = Duration::from_millis(2);
