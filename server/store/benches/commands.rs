//! How long an order waits for its intent to be on the disk, and a reader for a page of a million.
//!
//! `cargo bench -p store --bench commands`, with fsync on the disk of the folder that `BENCH_DIR`
//! names, or of temporary files.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for developers")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use protocol::command::{CommandRecord, Failure, Order, OrderKey, Origin, Outcome, Steps};
use protocol::frame::CommandStatus;
use protocol::part::{Condition, PartState};
use protocol::time::Timestamp;
use store::{CommandFilter, CommandHistory, Commands, CommandsPolicy, write_commands};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() {
    let folder = match std::env::var_os("BENCH_DIR") {
        Some(directory) => tempfile::tempdir_in(directory).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    let (commands, inbox, mut intents) = Commands::open();
    let works = Condition { since: Timestamp::default(), state: PartState::Working, why: None };
    let (conditions, _condition) = watch::channel(works);
    let (policy, stop) = (CommandsPolicy::default(), CancellationToken::new());
    let writing = write_commands(folder.path().into(), inbox, policy, stop, conditions);
    let writing = tokio::spawn(writing);

    let start = Instant::now();
    let begin = now();
    for some in (0..ROWS).collect::<Vec<_>>().chunks(10_000) {
        some.iter().for_each(|number| commands.keep(order(*number, begin)));
        assert!(commands.flushed().await);
    }
    println!("{:8.0} orders/s put on record", ROWS as f64 / start.elapsed().as_secs_f64());

    let (mut waits, mut tick) = (Vec::new(), tokio::time::interval(BETWEEN_INTENTS));
    for number in ROWS..ROWS + INTENTS {
        tick.tick().await;
        let intent = CommandRecord { outcome: None, ..order(number, begin) };
        let start = Instant::now();
        commands.keep(intent);
        intents.recv().await.unwrap();
        waits.push(start.elapsed());
    }
    waits.sort_unstable();
    let at = |share: usize| waits[(waits.len() - 1) * share / 1000];
    println!("an intent is on the disk after p50 {:.1?}, p99 {:.1?}", at(500), at(990));

    pages(&commands.history()).await;
    drop(commands);
    writing.await.unwrap();
}

async fn pages(history: &CommandHistory) {
    let none = CommandFilter::default();
    let text = |text: &str| Some(text.to_owned());
    let device = Some("board-7".parse().unwrap());
    let (fail, success) = (Some(CommandStatus::Fail), Some(CommandStatus::Success));
    for (name, filter) in [
        ("all", none.clone()),
        ("device", CommandFilter { device: device.clone(), ..none.clone() }),
        ("device and failed", CommandFilter { device, status: fail, ..none.clone() }),
        ("user", CommandFilter { user: text("user-3"), ..none.clone() }),
        (
            "user and origin",
            CommandFilter { user: text("user-3"), origin: Some(Origin::Pscada), ..none.clone() },
        ),
        ("failed", CommandFilter { status: fail, ..none.clone() }),
        ("success", CommandFilter { status: success, ..none.clone() }),
        ("failure", CommandFilter { failure: Some(Failure::Busy), ..none.clone() }),
        ("a command nobody gave", CommandFilter { command: text("NONE"), ..none.clone() }),
        ("a text that is nowhere", CommandFilter { text: text("nowhere"), ..none.clone() }),
    ] {
        let mut longest = Duration::ZERO;
        let mut before = None;
        let mut rows = 0;
        for _ in 0..10 {
            let start = Instant::now();
            let page = history.page(&filter, before, 100.try_into().unwrap()).await.unwrap();
            longest = longest.max(start.elapsed());
            rows += page.rows.len();
            let Some(next) = page.next else { break };
            before = Some(next.parse().unwrap());
        }
        println!("{longest:>12.2?} at most for a page: {name} ({rows} rows in ten)");
    }
}

fn order(number: u64, begin: Timestamp) -> CommandRecord {
    let key = OrderKey {
        origin: Origin::ALL[number as usize % 3],
        user: format!("user-{}", number % 100),
        device: format!("board-{}", number % 50).parse().unwrap(),
        id: format!("0197aa00-7a7a-7000-8000-{number:012}"),
    };
    let order = Order {
        key,
        command: ["START", "STOP", "SET_TEMP_THRESHOLD"][number as usize % 3].into(),
        param: Some("32".into()),
        valid_until: None,
        via: "10.0.0.7".into(),
    };
    let failure = number.is_multiple_of(20).then_some(Failure::ALL[number as usize / 20 % 11]);
    let outcome = Outcome {
        at: begin,
        failure,
        detail: None,
        verified: Some(failure.is_none()),
        old: None,
        new: None,
        ms: 9,
    };
    let steps = Steps { recorded: Some(1), sent: Some(1), written: Some(7) };
    let accepted_at = Timestamp::from_millis(begin.as_millis() - ROWS + number);
    CommandRecord { order, accepted_at, steps, outcome: Some(outcome) }
}

fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(now.as_millis() as u64)
}

const ROWS: u64 = 1_000_000;

const INTENTS: u64 = 1_000;

/// Far more than operators give.
const BETWEEN_INTENTS: Duration = Duration::from_millis(10);
