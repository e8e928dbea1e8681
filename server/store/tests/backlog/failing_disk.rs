//! A disk that does not take rows for a while.

use std::fs;

use store::{BACKLOG_FILE, BacklogPolicy, HistoryError};

use crate::desk::{Desk, PATIENCE, row, run, seconds, set_aside, soon};

/// SQLite fails with the words of a full disk.
const FILL_UP: &str = "CREATE TRIGGER full BEFORE INSERT ON status_history \
                       BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";

const MAKE_ROOM: &str = "DROP TRIGGER full";

#[tokio::test]
async fn what_a_full_disk_did_not_take_is_written_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    Desk::open(folder.path()).close().await;
    run(folder.path(), FILL_UP).await;
    let mut desk = Desk::open(folder.path());
    desk.append((0..100).map(row));
    let why = desk.fails("disk is full").await;
    assert!(why.contains(BACKLOG_FILE), "{why}");
    run(folder.path(), MAKE_ROOM).await;
    desk.flush().await;
    desk.works().await;
    assert!(seconds(&desk.next(100).await).into_iter().eq(0..100));
    assert_eq!(desk.backlog.pending().count, 100);
    desk.close().await;
}

#[tokio::test]
async fn a_full_disk_does_not_keep_the_server_from_stopping() {
    let folder = tempfile::tempdir().unwrap();
    Desk::open(folder.path()).close().await;
    run(folder.path(), FILL_UP).await;
    let desk = Desk::open(folder.path());
    desk.append([row(0)]);
    desk.stop.cancel();
    desk.close().await;
}

#[tokio::test]
async fn rows_that_do_not_even_get_in_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(folder.path());
    desk.append((0..70_000).map(row));
    let why = desk.fails("found no room").await;
    desk.append([row(70_000)]);
    desk.flush().await;
    desk.works().await;
    let missing = 70_001 - desk.backlog.pending().count;
    assert_eq!(why, format!("{missing} rows for the system server found no room and are lost"));
    let (batches, _) = desk.backlog.batches_after(None, 2_000).await.unwrap();
    assert_eq!(batches.iter().flat_map(seconds).next_back(), Some(70_000));
    desk.close().await;
}

#[tokio::test]
async fn a_backlog_that_cannot_be_opened_at_first_is_opened_later() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("data");
    fs::write(&directory, "in the way").unwrap();
    let mut desk = Desk::open(&directory);
    desk.append([row(0)]);
    desk.fails("cannot write to").await;
    let error = desk.backlog.next_batch(100).await.unwrap_err();
    assert!(matches!(error, HistoryError::NotOpen), "{error}");
    fs::remove_file(&directory).unwrap();
    desk.flush().await;
    desk.works().await;
    assert_eq!(seconds(&desk.next(100).await), [0]);
    desk.close().await;
}

#[tokio::test]
async fn a_backlog_that_is_damaged_while_it_is_open_begins_anew_under_another_incarnation() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(folder.path());
    desk.append((0..3_000).map(row));
    desk.flush().await;
    let old = desk.next(1).await;
    run(folder.path(), "PRAGMA wal_checkpoint(TRUNCATE)").await;
    let path = folder.path().join(BACKLOG_FILE);
    let mut bytes = fs::read(&path).unwrap();
    bytes[8 * 1024..].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    // What SQLite has in its memory is good; another writer makes it look at the disk again.
    while set_aside(folder.path()).is_empty() {
        if let Ok(pool) = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await {
            let _ = sqlx::query("PRAGMA user_version = 1").execute(&pool).await;
            pool.close().await;
        }
        desk.append([row(5_000)]);
        desk.backlog.flushed().await;
    }
    desk.append([row(6_000)]);
    desk.flush().await;
    desk.works().await;
    let new = desk.next(10_000).await;
    assert_ne!(new.incarnation, old.incarnation);
    assert_eq!(seconds(&new).last(), Some(&6_000));
    assert_eq!(desk.backlog.pending().count, new.rows.len() as u64);
    desk.close().await;
}

#[tokio::test]
async fn a_stop_leaves_nothing_unwritten_that_the_disk_takes_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::with(folder.path(), BacklogPolicy { patience: PATIENCE, ..soon() });
    desk.append((0..35_000).map(row));
    desk.stop.cancel();
    desk.close().await;
    let desk = Desk::open(folder.path());
    desk.flush().await;
    assert_eq!(desk.backlog.pending().count, 35_000);
    desk.close().await;
}
