//! A disk that does not take records for a while.

use std::fs;
use std::path::Path;

use protocol::part::PartState;
use sqlx::sqlite::SqlitePool;
use store::{FILE, Store};

use crate::desk::{Desk, on_record, opened};

/// Runs one statement against the database, as another program would.
async fn run(folder: &Path, statement: &'static str) {
    let path = folder.join(FILE);
    let pool = SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    sqlx::query(statement).execute(&pool).await.unwrap();
    pool.close().await;
}

/// SQLite fails with the words of a full disk.
const FILL_UP: &str = "CREATE TRIGGER full BEFORE INSERT ON records \
                       BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";

const MAKE_ROOM: &str = "DROP TRIGGER full";

#[tokio::test]
async fn what_a_full_disk_did_not_take_is_written_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path()).await.unwrap().close().await;
    run(folder.path(), FILL_UP).await;
    let mut desk = Desk::open(folder.path());
    desk.records.append(opened("c1", 10));
    desk.records.append(opened("c1", 20));
    let why = desk.fares(PartState::Failing).await.unwrap();
    assert!(why.contains("gapless.db") && why.contains("disk is full"), "{why}");
    desk.holds(&[]).await;
    run(folder.path(), MAKE_ROOM).await;
    assert_eq!(desk.fares(PartState::Working).await, None);
    desk.holds(&[opened("c1", 10), opened("c1", 20)]).await;
    desk.close().await;
}

#[tokio::test]
async fn a_full_disk_does_not_keep_the_server_from_stopping() {
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path()).await.unwrap().close().await;
    run(folder.path(), FILL_UP).await;
    let desk = Desk::open(folder.path());
    desk.records.append(opened("c1", 10));
    desk.stop.cancel();
    desk.close().await;
    assert_eq!(on_record(folder.path()).await, []);
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_at_first_is_opened_later() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("data");
    fs::write(&directory, "in the way").unwrap();
    let desk = Desk::open(&directory);
    desk.records.append(opened("c1", 10));
    fs::remove_file(&directory).unwrap();
    desk.holds(&[opened("c1", 10)]).await;
    desk.close().await;
}
