//! A disk that does not take orders for a while.

use std::fs;

use protocol::command::Failure;
use store::COMMANDS_FILE;

use crate::desk::{Desk, ago, done, empty_log, failed, intent, now, recent, run, set_aside};

/// SQLite fails with the words of a full disk.
const FILL_UP: &str = "CREATE TRIGGER full BEFORE INSERT ON commands \
                       BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";

const MAKE_ROOM: &str = "DROP TRIGGER full";

#[tokio::test]
async fn nothing_is_told_while_the_disk_is_full_and_outcomes_are_written_later() {
    let folder = tempfile::tempdir().unwrap();
    Desk::open(folder.path()).close().await;
    run(folder.path(), FILL_UP).await;
    let mut desk = Desk::open(folder.path());
    let (first, second) = (intent("c-1", now()), intent("c-2", now()));
    desk.keep([first.clone(), second.clone()]);
    let why = desk.fails("disk is full").await;
    assert!(why.contains(COMMANDS_FILE), "{why}");
    let mut refused = failed(first, Failure::NotRecorded);
    refused.outcome.as_mut().unwrap().detail = None;
    desk.keep([refused.clone()]);
    assert!(desk.intents.try_recv().is_err());
    run(folder.path(), MAKE_ROOM).await;
    desk.flush().await;
    desk.works().await;
    assert_eq!(desk.recorded().await, "c-2");
    assert!(desk.intents.try_recv().is_err(), "an order that was refused is not told");
    desk.close().await;
    assert_eq!(recent(folder.path()).await, [refused, second]);
}

#[tokio::test]
async fn a_full_disk_does_not_keep_the_server_from_stopping() {
    let folder = tempfile::tempdir().unwrap();
    Desk::open(folder.path()).close().await;
    run(folder.path(), FILL_UP).await;
    let desk = Desk::open(folder.path());
    desk.keep([intent("c-1", now())]);
    desk.stop.cancel();
    desk.close().await;
    assert_eq!(recent(folder.path()).await, []);
}

#[tokio::test]
async fn a_disk_that_fails_for_long_costs_orders_which_is_told() {
    let folder = tempfile::tempdir().unwrap();
    Desk::open(folder.path()).close().await;
    run(folder.path(), FILL_UP).await;
    let mut desk = Desk::open(folder.path());
    let (most, more) = (20_000, 5_000);
    for number in 0..most + more {
        desk.keep([done(intent(&format!("c-{number}"), ago(500)))]);
        tokio::task::yield_now().await;
    }
    let why = desk.fails("orders are lost").await;
    assert!(why.contains("disk is full"), "{why}");
    run(folder.path(), MAKE_ROOM).await;
    desk.works().await;
    desk.keep([done(intent("last", now()))]);
    desk.flush().await;
    desk.close().await;
    let found = recent(folder.path()).await;
    assert!(found.len() <= most + 1, "{}", found.len());
    assert_eq!(found.last().unwrap().order.key.id, "last");
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_at_first_is_opened_later() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("data");
    fs::write(&directory, "in the way").unwrap();
    let mut desk = Desk::open(&directory);
    desk.keep([intent("c-1", now())]);
    desk.fails("cannot write to").await;
    fs::remove_file(&directory).unwrap();
    assert_eq!(desk.recorded().await, "c-1");
    desk.works().await;
    desk.close().await;
}

#[tokio::test]
async fn a_file_that_is_damaged_while_it_is_open_begins_anew_with_what_was_set() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(folder.path());
    assert!(desk.commands.set("channel/1/poll_interval_ms", "2000", "1000").await);
    desk.keep((0..3_000).map(|number| done(intent(&format!("c-{number}"), now()))));
    desk.flush().await;
    empty_log(folder.path()).await;
    let path = folder.path().join(COMMANDS_FILE);
    let mut bytes = fs::read(&path).unwrap();
    bytes[8 * 1024..].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    // What SQLite has in its memory is good; another writer makes it look at the disk again.
    let mut number = 0;
    while set_aside(folder.path()).is_empty() {
        let options = format!("sqlite:{}", path.display());
        if let Ok(pool) = sqlx::SqlitePool::connect(&options).await {
            let _ = sqlx::query("PRAGMA user_version = 1").execute(&pool).await;
            pool.close().await;
        }
        desk.keep([done(intent(&format!("later-{number}"), now()))]);
        desk.commands.flushed().await;
        number += 1;
    }
    desk.flush().await;
    desk.works().await;
    desk.close().await;
    let kept = store::read_settings(folder.path(), crate::desk::PATIENCE).await.unwrap();
    assert_eq!(kept["channel/1/poll_interval_ms"].value, "2000");
    assert_eq!(set_aside(folder.path()).len(), 1);
}
