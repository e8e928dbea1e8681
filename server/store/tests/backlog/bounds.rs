//! A backlog that nobody fetches does not grow without end.

use std::time::Duration;

use store::{BACKLOG_FILE, BacklogPolicy};

use crate::desk::{Desk, PATIENCE, at, now, row, seconds, soon};

#[tokio::test]
async fn beyond_its_limit_uploaded_rows_go_first_and_then_the_oldest_which_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::with(folder.path(), BacklogPolicy { most_rows: 100, ..soon() });
    desk.append((0..100).map(row));
    desk.flush().await;
    let batch = desk.next(40).await;
    desk.uploaded(&batch).await;
    desk.append((100..140).map(row));
    desk.flush().await;
    let extent = desk.backlog.pending();
    assert_eq!((extent.count, extent.oldest, extent.given_up), (100, Some(at(40)), 0));
    desk.works().await;

    desk.append((140..170).map(row));
    desk.flush().await;
    let why = desk.fails("30 were given up").await;
    assert!(why.contains("more than 100 rows wait for the system server"), "{why}");
    let extent = desk.backlog.pending();
    assert_eq!((extent.count, extent.oldest, extent.given_up), (100, Some(at(70)), 30));
    let batch = desk.next(100).await;
    assert!(seconds(&batch).into_iter().eq(70..170));

    desk.uploaded(&batch).await;
    desk.works().await;
    desk.append([row(170)]);
    desk.close().await;
    let desk = Desk::open(folder.path());
    desk.flush().await;
    let extent = desk.backlog.pending();
    assert_eq!((extent.count, extent.given_up), (1, 30), "what was lost is not forgotten");
    desk.close().await;
}

#[tokio::test]
async fn a_backlog_that_is_full_for_long_takes_no_more_room_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::with(folder.path(), BacklogPolicy { most_rows: 5_000, ..soon() });
    let mut sizes = Vec::new();
    for part in 0..20 {
        desk.append((part * 1_000..(part + 1) * 1_000).map(row));
        desk.flush().await;
        sizes.push(std::fs::metadata(folder.path().join(BACKLOG_FILE)).unwrap().len());
    }
    let extent = desk.backlog.pending();
    assert_eq!((extent.count, extent.given_up), (5_000, 15_000));
    assert!(sizes[19] <= sizes[9] + sizes[9] / 4, "{sizes:?}");
    desk.close().await;
}

#[tokio::test]
async fn a_limit_that_was_lowered_is_reached_in_small_portions() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    desk.append((0..5_000).map(row));
    desk.close().await;
    let every = Duration::from_millis(1);
    let desk =
        Desk::with(folder.path(), BacklogPolicy { most_rows: 100, prune_every: every, ..soon() });
    let mut extents = desk.backlog.watch();
    let reached = async {
        while extents.borrow_and_update().count != 100 {
            desk.flush().await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.unwrap();
    desk.close().await;
}

#[tokio::test]
async fn uploaded_rows_are_forgotten_after_a_month_and_others_never() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path());
    desk.append((0..1_300).map(row));
    desk.flush().await;
    let day = Duration::from_secs(24 * 60 * 60).as_millis() as u64;
    let ago = |days| protocol::time::Timestamp::from_millis(now().as_millis() - days * day);
    let old = desk.next(1_100).await;
    assert!(desk.backlog.uploaded(&old.incarnation, crate::desk::ids(&old), ago(32)).await);
    let young = desk.next(100).await;
    assert!(desk.backlog.uploaded(&young.incarnation, crate::desk::ids(&young), ago(30)).await);
    desk.close().await;
    let every = Duration::from_millis(1);
    let desk = Desk::with(folder.path(), BacklogPolicy { prune_every: every, ..soon() });
    let path = folder.path().join(BACKLOG_FILE);
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let count = async || {
        let query = sqlx::query_scalar("SELECT count(*) FROM status_history");
        let rows: i64 = query.fetch_one(&pool).await.unwrap();
        rows
    };
    let reached = async { while count().await != 200 {} };
    tokio::time::timeout(PATIENCE, reached).await.unwrap();
    assert_eq!(seconds(&desk.next(1).await), [1_200]);
    pool.close().await;
    desk.close().await;
}
