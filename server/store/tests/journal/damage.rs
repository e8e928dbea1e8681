//! Files that cannot be used as they are.

use std::fs;
use std::path::Path;

use protocol::journal::{Entry, Past};
use store::{JOURNAL_FILE, OpenError, PastError, Store, read_past};

use crate::desk::{Desk, PATIENCE, began, epoch, happened, known, past, run, set_aside, stay};

/// A journal with some pages.
async fn with_events(folder: &Path) {
    let desk = Desk::open(folder);
    desk.keep([began("e0")]);
    desk.keep((0..2_000).map(|offset| Entry::Happened(happened("e0", offset))));
    desk.close().await;
}

/// Overwrites some of its middle, as a dying disk does.
fn tear(folder: &Path) -> Vec<u8> {
    let path = folder.join(JOURNAL_FILE);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    let mut noise = 0x9e37_79b9_u32;
    for byte in &mut bytes[middle - 30_000..middle + 30_000] {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (noise >> 24) as u8;
    }
    fs::write(&path, &bytes).unwrap();
    bytes
}

#[tokio::test]
async fn a_damaged_journal_is_set_aside_told_and_never_deleted() {
    // S0-67
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path()).await.unwrap().close().await;
    with_events(folder.path()).await;
    let bytes = tear(folder.path());
    let records = fs::read(folder.path().join(store::FILE)).unwrap();
    let error = read_past(folder.path(), PATIENCE).await.unwrap_err();
    assert!(matches!(error, PastError::Closed(OpenError::Damaged { .. })), "{error}");
    assert!(set_aside(folder.path()).is_empty(), "that is for the writer to do");

    let mut desk = Desk::open(folder.path());
    desk.keep([began("e1"), Entry::Happened(happened("e1", 1))]);
    let why = desk.fails().await;
    desk.works().await;
    desk.close().await;
    let aside = set_aside(folder.path());
    let name = aside[0].file_name().unwrap().to_str().unwrap();
    assert!(why.contains("journal.db was damaged") && why.contains(name), "{why}");
    assert!(aside.len() == 1 && fs::read(&aside[0]).unwrap() == bytes, "nothing of it is lost");
    assert_eq!(past(folder.path()).await.events.len(), 1);
    assert!(fs::read(folder.path().join(store::FILE)).unwrap() == records);
}

#[tokio::test]
async fn a_journal_that_is_damaged_while_it_is_open_begins_anew_with_all_that_is() {
    // S0-67
    let folder = tempfile::tempdir().unwrap();
    with_events(folder.path()).await;
    let mut desk = Desk::open(folder.path());
    let stays = [stay("c1", 1, None), stay("c2", 2, None)];
    desk.keep([began("e1"), known("board-1", "new"), Entry::Stayed(stays[0].clone())]);
    desk.flush().await;
    run(folder.path(), "PRAGMA wal_checkpoint(TRUNCATE)").await;
    tear(folder.path());
    // What SQLite has in its memory is good; another writer makes it look at the disk again.
    let reason = loop {
        run_if_it_goes(folder.path()).await;
        desk.keep((0..2_000).map(|offset| Entry::Happened(happened("e0", offset))));
        desk.journal.flushed().await;
        if let Some(why) = desk.condition.borrow_and_update().why.clone() {
            break why;
        }
        if !set_aside(folder.path()).is_empty() {
            break "set aside".into();
        }
    };
    desk.keep([Entry::Stayed(stays[1].clone())]);
    desk.flush().await;
    desk.works().await;
    desk.close().await;
    let found = past(folder.path()).await;
    assert_eq!(found.runs.iter().map(|run| &run.epoch).collect::<Vec<_>>(), [&epoch("e1")]);
    assert_eq!((found.known.len(), found.stays), (1, stays.into()), "{reason}");
    assert_eq!(set_aside(folder.path()).len(), 1);
}

/// Changes the file from outside, whether it still can be read or not.
async fn run_if_it_goes(folder: &Path) {
    let path = folder.join(JOURNAL_FILE);
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await;
    if let Ok(pool) = pool {
        let _ = sqlx::query("UPDATE runs SET alive_at = alive_at").execute(&pool).await;
        pool.close().await;
    }
}

#[tokio::test]
async fn the_journal_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    Desk::open(folder.path()).close().await;
    let newer = "INSERT INTO _sqlx_migrations VALUES (9000, 'newer', 0, TRUE, x'00', 0)";
    run(folder.path(), newer).await;
    let error = read_past(folder.path(), PATIENCE).await.unwrap_err();
    assert!(matches!(error, PastError::Closed(OpenError::Newer { found: 9000, .. })), "{error}");
    let mut desk = Desk::open(folder.path());
    desk.keep([began("e1")]);
    let why = desk.fails().await;
    assert!(why.contains("written by a newer version of Gapless"), "{why}");
    desk.close().await;
    assert!(set_aside(folder.path()).is_empty());
    run(folder.path(), "DELETE FROM _sqlx_migrations WHERE version = 9000").await;
    assert_eq!(past(folder.path()).await, Past::default());
}
