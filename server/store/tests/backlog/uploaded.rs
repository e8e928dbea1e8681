//! Rows on their way up, from the oldest on.

use std::fs;

use protocol::id::Incarnation;
use protocol::status::StatusBatch;
use sqlx::Row as _;
use sqlx::sqlite::SqlitePool;
use store::{BACKLOG_FILE, Extent};

use crate::desk::{Desk, at, ids, now, row, run, seconds, set_aside};

#[tokio::test]
async fn rows_go_up_in_batches_oldest_first_and_each_once() {
    // S0-47, S0-48, S0-49
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    desk.append((0..250).rev().map(row));
    desk.flush().await;
    let mut found = Vec::new();
    loop {
        let batch = desk.next(100).await;
        if batch.rows.is_empty() {
            break;
        }
        assert!(batch.rows.len() <= 100);
        found.extend(seconds(&batch));
        desk.uploaded(&batch).await;
    }
    assert!(found.into_iter().eq(0..250));
    assert_eq!(desk.backlog.pending().count, 0);
    desk.close().await;
}

#[tokio::test]
async fn a_row_comes_back_as_it_was_handed_in() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let rows = [row(0), row(1), row(3)];
    desk.append(rows.clone());
    desk.close().await;
    let desk = Desk::open(folder.path());
    let batch = desk.next(100).await;
    assert_eq!(batch.rows.iter().map(|one| one.row.clone()).collect::<Vec<_>>(), rows);
    assert_eq!(ids(&batch), [1, 2, 3]);
    desk.close().await;
}

#[tokio::test]
async fn a_batch_that_failed_goes_up_again_and_what_went_wrong_is_noted() {
    // S0-47, S0-49, S0-50
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    desk.append((0..3).map(row));
    desk.flush().await;
    let batch = desk.next(2).await;
    for _ in 0..2 {
        assert!(desk.backlog.failed(&batch.incarnation, ids(&batch), "no route\n to it").await);
    }
    assert_eq!(seconds(&desk.next(100).await), [0, 1, 2]);
    let before = now();
    let first = StatusBatch { rows: batch.rows[..1].to_vec(), ..batch };
    desk.uploaded(&first).await;
    // What is uploaded stays uploaded.
    assert!(desk.backlog.failed(&first.incarnation, ids(&first), "too late").await);
    assert_eq!(seconds(&desk.next(100).await), [1, 2]);
    desk.close().await;

    let path = folder.path().join(BACKLOG_FILE);
    let pool = SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let rows = sqlx::query("SELECT * FROM status_history ORDER BY id").fetch_all(&pool).await;
    let rows = rows.unwrap();
    let numbers = |column| rows.iter().map(|row| row.get(column)).collect::<Vec<i64>>();
    assert_eq!(numbers("upload_status"), [1, 2, 0]);
    assert_eq!(numbers("retry_count"), [2, 2, 0]);
    let errors: Vec<Option<String>> = rows.iter().map(|row| row.get("last_error")).collect();
    assert_eq!(errors, [None, Some("no route to it".into()), None]);
    let times: Vec<Option<i64>> = rows.iter().map(|row| row.get("upload_time")).collect();
    assert!(times[0] >= Some(before.as_millis() as i64) && times[1..] == [None, None]);
}

#[tokio::test]
async fn a_cursor_leads_through_all_rows_while_earlier_batches_are_on_their_way() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    // Many of them in the same second.
    desk.append((0..2_345).map(|number| row(number / 50)));
    desk.flush().await;
    let (mut cursor, mut found) = (None, Vec::new());
    loop {
        let (batches, next) = desk.backlog.batches_after(cursor.as_ref(), 4).await.unwrap();
        if batches.is_empty() {
            break;
        }
        assert!(batches.len() <= 4 && batches.iter().all(|batch| batch.rows.len() <= 100));
        found.extend(batches.iter().flat_map(ids));
        cursor = next;
    }
    assert!(found.iter().copied().eq(1..=2_345), "none twice, and no hole");
    // What comes now is behind the cursor, and what was not uploaded is found from the start.
    desk.append([row(100)]);
    desk.flush().await;
    let (batches, _) = desk.backlog.batches_after(cursor.as_ref(), 4).await.unwrap();
    assert_eq!(batches.iter().flat_map(seconds).collect::<Vec<_>>(), [100]);
    assert_eq!(ids(&desk.next(1).await), [1]);
    desk.close().await;
}

#[tokio::test]
async fn whoever_uploads_is_told_of_new_rows_and_how_many_wait() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    let mut extents = desk.backlog.watch();
    desk.append([row(7), row(5)]);
    let told = *extents.wait_for(|extent| extent.count == 2).await.unwrap();
    assert_eq!(told, Extent { count: 2, oldest: Some(at(5)), newest_id: 2, given_up: 0 });
    let batch = desk.next(1).await;
    desk.uploaded(&batch).await;
    desk.uploaded(&batch).await;
    let told = *extents.wait_for(|extent| extent.count == 1).await.unwrap();
    assert_eq!(told.oldest, Some(at(7)));
    desk.close().await;
    let desk = Desk::open(folder.path());
    desk.flush().await;
    assert_eq!(desk.backlog.pending(), told);
    desk.close().await;
}

#[tokio::test]
async fn numbers_of_another_incarnation_name_no_rows_of_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    desk.append((0..3).map(row));
    desk.flush().await;
    let old = desk.next(100).await;
    desk.close().await;
    let desk = Desk::open(folder.path());
    assert_eq!(desk.next(100).await, old, "a restart changes nothing");
    let (_, cursor) = desk.backlog.batches_after(None, 1).await.unwrap();
    desk.close().await;

    let noise = b"not a database at all".repeat(400);
    fs::write(folder.path().join(BACKLOG_FILE), &noise).unwrap();
    let mut desk = Desk::open(folder.path());
    desk.append((10..12).map(row));
    desk.flush().await;
    desk.works().await;
    let new = desk.next(100).await;
    assert_ne!(new.incarnation, old.incarnation);
    assert_eq!((seconds(&new), ids(&new)), (vec![10, 11], vec![1, 2]));
    desk.uploaded(&old).await;
    let other: Incarnation = "other".parse().unwrap();
    assert!(desk.backlog.failed(&other, ids(&new), "no").await);
    assert_eq!(desk.next(100).await, new);
    let (batches, _) = desk.backlog.batches_after(cursor.as_ref(), 1).await.unwrap();
    assert_eq!(batches, [new]);
    assert_eq!(fs::read(&set_aside(folder.path())[0]).unwrap(), noise);
    desk.close().await;
}

#[tokio::test]
async fn no_number_is_given_twice_whatever_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    desk.append((0..3).map(row));
    desk.close().await;
    run(folder.path(), "DELETE FROM status_history").await;
    let desk = Desk::open(folder.path());
    desk.append([row(3)]);
    desk.flush().await;
    assert_eq!(ids(&desk.next(100).await), [4]);
    desk.close().await;
}

#[tokio::test]
async fn a_writer_that_was_stopped_in_the_middle_is_followed_by_one_that_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(folder.path());
    for part in 0..20 {
        desk.append((part * 100..(part + 1) * 100).map(row));
        tokio::task::yield_now().await;
        desk.fall().await;
    }
    desk.flush().await;
    // A commit whose end nobody saw may be there twice, a row is never missing.
    let mut found = seconds(&desk.next(10_000).await);
    found.dedup();
    assert!(found.into_iter().eq(0..2_000));
    desk.close().await;
}

#[tokio::test]
async fn no_batch_is_looked_for_among_all_rows() {
    let folder = tempfile::tempdir().unwrap();
    Desk::open(folder.path()).close().await;
    let path = folder.path().join(BACKLOG_FILE);
    let pool = SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let plan = "EXPLAIN QUERY PLAN SELECT id FROM status_history \
        WHERE upload_status IN (0, 2) AND (timestamp, id) > (?, ?) ORDER BY timestamp, id LIMIT ?";
    let steps = sqlx::query(plan).fetch_all(&pool).await.unwrap();
    let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
    assert_eq!(steps.len(), 1, "{steps:?}");
    assert!(steps[0].contains("SEARCH") && steps[0].contains("_pending"), "{steps:?}");
    pool.close().await;
}
