//! How long a reader waits for a page of the log of a day with a million lines (S0-80, S0-81).
//!
//! `cargo bench -p store --bench log`, on the disk of the folder that `BENCH_DIR` names, or of
//! temporary files.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for developers")]

use std::time::{Duration, Instant};

use protocol::time::Timestamp;
use protocol::wire::records::Level;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use store::{FILE, Kind, LogFilter, LogHistory, Module, Store};

#[tokio::main]
async fn main() {
    let folder = match std::env::var_os("BENCH_DIR") {
        Some(directory) => tempfile::tempdir_in(directory).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    Store::open(folder.path()).await.unwrap().close().await;
    let options = SqliteConnectOptions::new().filename(folder.path().join(FILE));
    let start = Instant::now();
    sqlx::query(FILL).execute(&mut options.connect().await.unwrap()).await.unwrap();
    println!("{:>12.2?} for a million lines in one statement", start.elapsed());

    let (history, none) = (LogHistory::of(folder.path()), LogFilter::default());
    let (text, noon) = (|text: &str| Some(text.to_owned()), Timestamp::from_millis(43_200_000));
    for (name, filter) in [
        ("all", none.clone()),
        ("until noon", LogFilter { to: Some(noon), ..none.clone() }),
        ("connection", LogFilter { connection: Some("c-77".parse().unwrap()), ..none.clone() }),
        ("user", LogFilter { user: text("user-3"), ..none.clone() }),
        ("device", LogFilter { device: Some("board-7".parse().unwrap()), ..none.clone() }),
        ("kind", LogFilter { kind: Some(Kind::Tampered), ..none.clone() }),
        ("trouble", LogFilter { level: Some(Level::Warn), ..none.clone() }),
        ("errors", LogFilter { level: Some(Level::Error), ..none.clone() }),
        ("module", LogFilter { module: Some(Module::Auth), ..none.clone() }),
        (
            "user and trouble",
            LogFilter { user: text("user-3"), level: Some(Level::Warn), ..none.clone() },
        ),
        ("a text that is nowhere", LogFilter { text: text("nowhere"), ..none.clone() }),
    ] {
        let (mut longest, mut before, mut rows) = (Duration::ZERO, None, 0);
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

/// A day: 86.4 ms from line to line.
const FILL: &str = "\
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999) \
    INSERT INTO records (at, kind, connection, device, user, detail, module, level) \
    SELECT i * 864 / 10, \
    CASE WHEN i % 1000 = 0 THEN 'tampered' WHEN i % 50 = 0 THEN 'data_lost' \
    WHEN i % 2 = 0 THEN 'opened' ELSE 'closed' END, \
    'c-' || (i / 2 % 20000), 'board-' || (i % 50), 'user-' || (i % 100), \
    'from 10.0.' || (i % 250) || '.7:51234', \
    CASE WHEN i % 100 = 7 THEN 'Auth' ELSE 'WebSocket' END, \
    CASE WHEN i % 50 = 0 THEN 'WARN' ELSE 'INFO' END FROM n";
