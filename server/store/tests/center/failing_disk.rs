//! A disk that does not take what edges tell for a while.

use std::fs;

use store::{CENTER_FILE, Center, HistoryError};
use tokio::time::timeout;

use crate::desk::{Desk, PATIENCE, all_of, batch, run};

/// SQLite fails with the words of a full disk.
const FILL_UP: &str = "CREATE TRIGGER full BEFORE INSERT ON history \
                       BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";

const MAKE_ROOM: &str = "DROP TRIGGER full";

#[tokio::test]
async fn a_batch_is_acknowledged_only_once_there_is_room_for_it() {
    let folder = tempfile::tempdir().unwrap();
    Desk::open(folder.path()).close().await;
    run(folder.path(), FILL_UP).await;
    let mut desk = Desk::open(folder.path());
    let (center, edge) = (desk.center.clone(), "north".parse().unwrap());
    let keeping = tokio::spawn(async move { center.keep(&edge, batch("one", 0..100)).await });
    let why = desk.fails("disk is full").await;
    assert!(why.contains(CENTER_FILE) && !keeping.is_finished(), "{why}");
    assert!(desk.rows("north").await.is_empty());
    run(folder.path(), MAKE_ROOM).await;
    assert!(timeout(PATIENCE, keeping).await.unwrap().unwrap());
    desk.works().await;
    assert_eq!(desk.rows("north").await.len(), 100);
    desk.close().await;
}

#[tokio::test]
async fn while_the_disk_fails_edges_wait_and_a_stop_acknowledges_nothing() {
    let folder = tempfile::tempdir().unwrap();
    Desk::open(folder.path()).close().await;
    run(folder.path(), FILL_UP).await;
    let mut desk = Desk::open(folder.path());
    let mut waiting = Vec::new();
    for number in 0..1_500 {
        let (center, edge) = (desk.center.clone(), format!("edge-{number}").parse().unwrap());
        waiting.push(tokio::spawn(async move { center.keep(&edge, batch("one", 0..1)).await }));
    }
    desk.fails("disk is full").await;
    desk.stop.cancel();
    desk.close().await;
    // Nobody takes up what the writer left.
    for kept in waiting {
        assert!(!timeout(PATIENCE, kept).await.unwrap().unwrap());
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_at_first_is_opened_later() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("data");
    fs::write(&directory, "in the way").unwrap();
    let mut desk = Desk::open(&directory);
    desk.fails("cannot write to").await;
    let page = desk.center.history().page(&all_of("north"), None, 1.try_into().unwrap()).await;
    assert!(matches!(page, Err(HistoryError::NotOpen)), "{page:?}");
    fs::remove_file(&directory).unwrap();
    desk.keep("north", batch("one", 0..1)).await;
    desk.works().await;
    desk.close().await;
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_a_new_one_begun() {
    let folder = tempfile::tempdir().unwrap();
    let noise = b"not a database at all".repeat(400);
    fs::write(folder.path().join(CENTER_FILE), &noise).unwrap();
    let mut desk = Desk::open(folder.path());
    desk.keep("north", batch("one", 0..1)).await;
    desk.works().await;
    desk.close().await;
    let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let aside: Vec<_> =
        files.filter(|path| path.to_string_lossy().contains("center-damaged-")).collect();
    assert!(aside.len() == 1 && fs::read(&aside[0]).unwrap() == noise, "nothing of it is lost");
}

#[tokio::test(start_paused = true)]
async fn no_more_rows_wait_than_there_are_places_for_whosever_they_are() {
    // Nobody writes.
    let (center, _inbox) = Center::open();
    let mut places = Vec::new();
    // What an edge says at once is written together: 240 batches of a hundred rows, then 16 more.
    for rows in [1_500].repeat(16).into_iter().chain([100; 15]).chain([1]) {
        places.push(timeout(PATIENCE, center.place(rows)).await.unwrap());
    }
    assert!(timeout(PATIENCE, center.place(1)).await.is_err());
    let (edge, place) = ("north".parse().unwrap(), places.pop().unwrap());
    assert!(timeout(PATIENCE, place.keep(&edge, batch("one", 0..100))).await.is_err());
    assert!(timeout(PATIENCE, center.place(1)).await.is_err(), "what was given up still waits");
    places.pop();
    assert!(timeout(PATIENCE, center.place(101)).await.is_err());
    assert!(timeout(PATIENCE, center.place(100)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn more_rows_than_there_are_places_for_come_in_alone() {
    let (center, _inbox) = Center::open();
    let _all = timeout(PATIENCE, center.place(1_000_000)).await.unwrap();
    assert!(timeout(PATIENCE, center.place(1)).await.is_err());
}
